package archive

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/needtest"
	"masthead/internal/story"
)

// A test program that is started again with this variable is one import, in a
// process of its own: it can be killed, and its memory measured.
const childEnv = "MASTHEAD_ARCHIVE_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(child())
	}
	os.Exit(m.Run())
}

// child imports the export that the variable names: database, blobs, export,
// how long each story is to take, and whether it is a dry run.
func child() int {
	var dsn, blobs, path, pause, dry string
	for i, p := range strings.Split(os.Getenv(childEnv), "\n") {
		*[]*string{&dsn, &blobs, &path, &pause, &dry}[i] = p
	}
	d, err := db.Open(context.Background(), dsn)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer d.Close()
	t := &quietTB{}
	im := importerIn(t, d, blobs)
	im.DryRun = dry == "dry"
	wait, _ := time.ParseDuration(pause)
	im.Stories.Changed = append(im.Stories.Changed, func(context.Context, *db.Tx, story.Change) error { time.Sleep(wait); return nil })
	r, err := im.ImportGhost(context.Background(), path, GhostOptions{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(mustJSON(r))
	fmt.Println(peakMemory())
	return 0
}

// peakMemory gives the most memory that this process has had, in KB. What
// wait4 tells of a child is no use: it begins with what its parent had.
func peakMemory() int {
	status, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kb, _ := strconv.Atoi(strings.Fields(rest + " 0")[0])
	return kb
}

// quietTB stands in for a test where there is none.
type quietTB struct{ testing.TB }

func (*quietTB) Helper()        {}
func (*quietTB) Cleanup(func()) {}
func (*quietTB) Fatal(a ...any) { fmt.Fprintln(os.Stderr, a...); os.Exit(1) }

func childCommand(t testing.TB, d *db.DB, blobs, path string, pause time.Duration, more ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self)
	c.Env = append(os.Environ(), childEnv+"="+strings.Join(append([]string{d.URL(), blobs, path, pause.String()}, more...), "\n"))
	return c
}

// madeExport writes an export of n posts with bodies of about size bytes, tags
// and authors, without holding it in memory.
func madeExport(t testing.TB, n, size int) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "made.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sentence := "The ferry left the harbour at dawn and nobody saw it go, said the keeper. "
	fmt.Fprint(f, `{"db":[{"meta":{"version":"5.1"},"data":{"posts":[`)
	for i := range n {
		if i > 0 {
			fmt.Fprint(f, ",\n")
		}
		var paras []any
		for written := 0; written < size; written += 400 {
			paras = append(paras, para(txt(fmt.Sprint(i, " ", written, " "), 1), txt(strings.Repeat(sentence, 400/len(sentence)), 0),
				row{"type": "link", "url": fmt.Sprintf("__GHOST_URL__/story-%d/", (i*7+written)%n), "children": []any{txt("link", 0)}}))
		}
		at := time.Date(2010+i%15, time.Month(1+i%12), 1+i%28, i%24, 0, 0, 0, time.UTC).Format(time.RFC3339)
		fmt.Fprint(f, mustJSON(post(fmt.Sprint("p", i), fmt.Sprint("story-", i), row{"lexical": lexicalOf(paras...), "published_at": at})))
	}
	fmt.Fprint(f, `],"users":[{"id":"1","name":"Ana","slug":"ana"}],"tags":[`)
	for i := range 20 {
		if i > 0 {
			fmt.Fprint(f, ",")
		}
		fmt.Fprintf(f, `{"id":"t%d","name":"Tag %d","slug":"tag-%d","visibility":"public"}`, i, i, i)
	}
	for _, table := range []string{`],"posts_tags":[`, `],"posts_authors":[`} {
		fmt.Fprint(f, table)
		for i := range n {
			if i > 0 {
				fmt.Fprint(f, ",")
			}
			fmt.Fprintf(f, `{"post_id":"p%d","tag_id":"t%d","author_id":"1","sort_order":0}`, i, i%20)
		}
	}
	if _, err := fmt.Fprint(f, `]}}]}`); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

// kill -9 at any moment leaves a whole database; the next run completes it, and
// nothing is there twice.
func TestKilledImport(t *testing.T) {
	const n = 400
	path := madeExport(t, n, 1200)
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		blobs := t.TempDir()
		killed := 0
		for _, after := range []int{1, 120, 260} {
			c := childCommand(t, d, blobs, path, 3*time.Millisecond)
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- c.Wait() }()
			for deadline := time.After(60 * time.Second); ; {
				stories := rows(t, d, "story")
				if stories >= after {
					c.Process.Signal(syscall.SIGKILL)
					break
				}
				select {
				case err := <-ended:
					t.Fatalf("the import ended before it was killed: %v", err)
				case <-deadline:
					c.Process.Kill()
					t.Fatal("the import does not get on")
				case <-time.After(2 * time.Millisecond):
				}
			}
			<-ended
			stories := rows(t, d, "story")
			if stories < n {
				killed++
			}
			t.Logf("killed with %d of %d stories", stories, n)
			for _, half := range []string{
				"story s WHERE NOT EXISTS (SELECT 1 FROM edition e WHERE e.story_id = s.id)",
				"edition e WHERE NOT EXISTS (SELECT 1 FROM revision r WHERE r.edition_id = e.id)",
				"edition e WHERE NOT EXISTS (SELECT 1 FROM redirect r WHERE r.edition_id = e.id)",
				"story s WHERE NOT EXISTS (SELECT 1 FROM byline b WHERE b.story_id = s.id)",
			} {
				if left := rows(t, d, half); left != 0 {
					t.Errorf("%d of: %s", left, half)
				}
			}
		}
		if killed == 0 {
			t.Fatal("each import had ended when it was killed")
		}
		im := importerIn(t, d, blobs)
		r, err := im.ImportGhost(context.Background(), path, GhostOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if r.Stories != n || len(r.Skipped) != 0 {
			t.Errorf("%d stories, skipped %v", r.Stories, r.Skipped)
		}
		counted(t, d, r)
		after := dump(t, d)

		fresh := dbtest.SQLite(t)
		if _, err := newImporter(t, fresh).ImportGhost(context.Background(), path, GhostOptions{}); err != nil {
			t.Fatal(err)
		}
		if want := dump(t, fresh); normal(after) != normal(want) {
			t.Error("a killed import that was completed differs from one that ran through")
		}
	})
}

// normal makes the two databases' writings of truth equal.
func normal(dump string) string {
	return strings.NewReplacer("|false|", "|0|", "|true|", "|1|").Replace(dump)
}

// A large export takes little memory: the high-water mark of a process of its own.
func TestMemory(t *testing.T) {
	needtest.Slow(t)
	path := madeExport(t, 3300, 10_000)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() < 50<<20 {
		t.Fatalf("the export has only %d MB", info.Size()>>20)
	}
	modes := []string{"real"}
	if os.Getenv("MASTHEAD_LARGE") != "" {
		modes = append(modes, "dry")
	}
	for _, mode := range modes {
		d := dbtest.SQLite(t)
		c := childCommand(t, d, t.TempDir(), path, 0, mode)
		var out, errs strings.Builder
		c.Stdout, c.Stderr = &out, &errs
		start := time.Now()
		if err := c.Run(); err != nil {
			t.Fatalf("%v: %s", err, errs.String())
		}
		took := time.Since(start).Seconds()
		if n := rows(t, d, "story"); n != map[string]int{"dry": 0, "real": 3300}[mode] {
			t.Errorf("%d stories; %.300s", n, out.String())
		}
		report, last, _ := strings.Cut(strings.TrimSpace(out.String()), "\n")
		if !strings.HasPrefix(report, `{"stories":3300,`) {
			t.Errorf("%.300s", report)
		}
		peak, err := strconv.Atoi(last)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d MB in %.1f s, %.0f stories a second, peak %d MB", mode, info.Size()>>20, took, 3300/took, peak>>10)
		if peak < 1 || peak>>10 > 150 {
			t.Errorf("the import took %d MB at its peak, more than 150", peak>>10)
		}
	}
}
