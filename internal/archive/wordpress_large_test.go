package archive

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/needtest"
	"masthead/internal/story"
)

// wordpressEnv makes of the test program one import in a process of its own,
// which can be killed, and whose memory can be measured.
const wordpressEnv = "MASTHEAD_WORDPRESS_CHILD"

func TestWordPressChild(t *testing.T) {
	parts := strings.Split(os.Getenv(wordpressEnv), "\n")
	needtest.Asked(t, len(parts) == 4, "other tests start it")
	d, err := db.Open(context.Background(), parts[0])
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	pause, err := time.ParseDuration(parts[3])
	if err != nil {
		t.Fatal(err)
	}
	im := importerIn(t, d, parts[1])
	im.Stories.Changed = append(im.Stories.Changed, func(context.Context, *db.Tx, story.Change) error { time.Sleep(pause); return nil })
	r, err := im.ImportWordPress(context.Background(), parts[2], WordPressOptions{})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("\n%s\nVmHWM %d\n", mustJSON(r), peakMemory())
}

func wordpressChild(t testing.TB, d *db.DB, blobs, path string, pause time.Duration) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, "-test.run=^TestWordPressChild$")
	c.Env = append(os.Environ(), wordpressEnv+"="+strings.Join([]string{d.URL(), blobs, path, pause.String()}, "\n"))
	c.Stderr = os.Stderr
	return c
}

// largeWXR writes an export of about size bytes: n stories of 20 KB with
// comments and links to one another, and for the rest revisions.
func largeWXR(t testing.TB, n int, size int64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "large.xml")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	head, tail, _ := strings.Cut(wxrOf(anAuthor, "@@"), "@@")
	written, _ := fmt.Fprint(w, head)
	total := int64(written)
	line := "The ferry left the harbour at dawn and nobody saw it go, said the keeper of the light.\n\n"
	for i := 1; i <= n; i++ {
		body := fmt.Sprintf(`Story %d, after <a href="https://old.example/2020/03/story-%d/">another</a>.`+"\n\n%s", i, i%n+1, strings.Repeat(line, 20_000/len(line)))
		k, _ := fmt.Fprint(w, postOf(fmt.Sprint(i), "content:encoded", body, "", categoryOf("post_tag", fmt.Sprint("tag-", i%20), "Tag")+commentOf(fmt.Sprint(i), "0", "1", "", "Well <b>said</b>")))
		total += int64(k)
	}
	for i := n + 1; total < size; i++ {
		k, _ := fmt.Fprint(w, postOf(fmt.Sprint(i), "wp:post_type", "revision", "content:encoded", strings.Repeat(line, 2000)))
		total += int64(k)
	}
	fmt.Fprint(w, tail)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWordPressMemory(t *testing.T) {
	needtest.Slow(t)
	d := dbtest.SQLite(t)
	start := time.Now()
	out, err := wordpressChild(t, d, t.TempDir(), largeWXR(t, 1000, 100<<20), 0).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if n := rows(t, d, "story"); n != 1000 {
		t.Errorf("%d of 1000 stories came in", n)
	}
	_, after, _ := strings.Cut(string(out), "VmHWM ")
	var kb int
	if _, err := fmt.Sscan(after, &kb); err != nil || kb > 300<<10 {
		t.Errorf("the import took %d KB at its peak: %v", kb, err)
	}
	t.Logf("100 MB, 1000 stories: %.1f s, %d MB at its peak", time.Since(start).Seconds(), kb>>10)
}

func TestWordPressKilled(t *testing.T) {
	const n = 200
	path := largeWXR(t, n, 0)
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		blobs := t.TempDir()
		c := wordpressChild(t, d, blobs, path, 4*time.Millisecond)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		at := 0
		for deadline := time.Now().Add(30 * time.Second); at < n/4 && time.Now().Before(deadline); at = rows(t, d, "story") {
			time.Sleep(5 * time.Millisecond)
		}
		if err := c.Process.Kill(); err != nil { // SIGKILL
			t.Fatal(err)
		}
		c.Wait() //nolint:errcheck // it was killed
		if at = rows(t, d, "story"); at == 0 || at >= n {
			t.Fatalf("it was killed at %d stories of %d, which proves nothing", at, n)
		}
		r, err := importerIn(t, d, blobs).ImportWordPress(context.Background(), path, WordPressOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if r.Stories != n || r.Comments != n {
			t.Errorf("%d stories and %d comments after the second run", r.Stories, r.Comments)
		}
		counted(t, d, r)

		whole := dbtest.SQLite(t)
		once, err := newImporter(t, whole).ImportWordPress(context.Background(), path, WordPressOptions{})
		if err != nil {
			t.Fatal(err)
		}
		r.Seconds, once.Seconds = 0, 0
		if diff := cmp.Diff(once, r); diff != "" {
			t.Errorf("killed and run again reports otherwise than one run:\n%s", diff)
		}
		if a, b := dump(t, whole), dump(t, d); strings.Count(a, "\n") != strings.Count(b, "\n") {
			t.Errorf("one run leaves %d rows, killed and run again %d", strings.Count(a, "\n"), strings.Count(b, "\n"))
		}
	})
}
