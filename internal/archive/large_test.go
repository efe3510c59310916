package archive

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/needtest"
)

// TestTwentyThousand imports 20,000 stories, made of news in nine languages, into
// both databases, and tells the speed and the memory it took. It runs when
// MASTHEAD_LARGE is set, since it takes minutes.
func TestTwentyThousand(t *testing.T) {
	needtest.Asked(t, os.Getenv("MASTHEAD_LARGE") != "", "it takes minutes: set MASTHEAD_LARGE=1")
	const n = 20_000
	path := newsExport(t, n)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		for _, what := range []string{"first", "second"} {
			c := childCommand(t, d, t.TempDir(), path, 0)
			var out, errs strings.Builder
			c.Stdout, c.Stderr = &out, &errs
			start := time.Now()
			if err := c.Run(); err != nil {
				t.Fatalf("%v: %s", err, errs.String())
			}
			took := time.Since(start).Seconds()
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			peak, _ := strconv.Atoi(lines[len(lines)-1])
			t.Logf("%s run: %d stories (%d MB) in %.1f s, %.0f a second, peak %d MB", what, n, info.Size()>>20, took, n/took, peak>>10)
			if stories := rows(t, d, "story"); stories != n {
				t.Errorf("%d stories: %.300s", stories, out.String())
			}
			if peak < 1 || peak>>10 > 300 {
				t.Errorf("the import took %d MB", peak>>10)
			}
		}
	})
}

// newsExport writes an export of n posts from the real news of nine languages.
func newsExport(t testing.TB, n int) string {
	t.Helper()
	type news struct{ ID, Lang, Text string }
	var all []news
	files, err := filepath.Glob(filepath.Join(filepath.Dir(needtest.Fixture(t, "languages/en.jsonl")), "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewReader(f); ; {
			line, err := lines.ReadBytes('\n')
			var one news
			if json.Unmarshal(line, &one) == nil && one.Text != "" {
				all = append(all, one)
			}
			if err != nil {
				break
			}
		}
		f.Close()
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "news.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	fmt.Fprint(w, `{"db":[{"meta":{"version":"6.65.0"},"data":{"posts":[`)
	for i := range n {
		text := strings.Split(all[i%len(all)].Text, "\n")
		var paras []any
		for j, p := range text[1:] {
			if j == 2 {
				paras = append(paras, row{"type": "paywall"})
			}
			paras = append(paras, para(txt(p, 0)))
		}
		if i > 0 {
			fmt.Fprint(w, ",\n")
		}
		at := time.Date(2005, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * 9 * time.Hour).Format(time.RFC3339)
		fmt.Fprint(w, mustJSON(post(fmt.Sprint("n", i), fmt.Sprint("news-", i), row{"title": text[0], "lexical": lexicalOf(paras...), "published_at": at,
			"visibility": []string{"public", "members", "paid"}[i%3]})))
	}
	fmt.Fprint(w, `],"users":[{"id":"1","name":"Ana","slug":"ana"}],"tags":[{"id":"t0","name":"World","slug":"world"},{"id":"t1","name":"Home","slug":"home"}],"posts_tags":[`)
	for _, table := range []string{"", `],"posts_authors":[`} {
		fmt.Fprint(w, table)
		for i := range n {
			if i > 0 {
				fmt.Fprint(w, ",")
			}
			fmt.Fprintf(w, `{"post_id":"n%d","tag_id":"t%d","author_id":"1","sort_order":0}`, i, i%2)
		}
	}
	fmt.Fprint(w, `]}}]}`)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}
