package archive

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

// The report for machines begins with what was promised, and no list is null.
func TestReportJSON(t *testing.T) {
	r := newReport()
	r.finish(0)
	got := mustJSON(r)
	if !strings.HasPrefix(got, `{"stories":0,"editions":0,"authors":0,"topics":0,"sections":0,"media":0,"readers":0,"drafts":0,"skipped":[]`) {
		t.Error(got)
	}
	r.Skipped = append(r.Skipped, Item{ID: "ghost:2", Why: "b"}, Item{ID: "ghost:1", Why: "a", Name: "slug"}, Item{ID: "ghost:2", Why: "b"})
	r.finish(1500 * time.Millisecond)
	var back struct {
		Skipped []map[string]string
		Seconds float64
	}
	if err := json.Unmarshal([]byte(mustJSON(r)), &back); err != nil {
		t.Fatal(err)
	}
	if len(back.Skipped) != 2 || back.Skipped[0]["id"] != "ghost:1" || back.Skipped[0]["why"] != "a" || len(back.Skipped[0]) != 2 || back.Seconds != 1.5 {
		t.Errorf("%+v", back)
	}
}

// utf8Reader passes on every text whole, however it is cut, and fails at the
// first byte that is not UTF-8.
func TestUTF8Reader(t *testing.T) {
	text := "aé€😀" + strings.Repeat("ü", 500)
	for size := 8; size < 40; size++ {
		u := &utf8Reader{r: &slow{strings.NewReader(text), size%5 + 1}, name: "x"}
		var got []byte
		p := make([]byte, size)
		var err error
		for err == nil {
			var n int
			n, err = u.Read(p)
			got = append(got, p[:n]...)
		}
		if string(got) != text {
			t.Fatalf("size %d: %d bytes of %d, %v", size, len(got), len(text), err)
		}
	}
	for _, bad := range []string{"abc\xff", "abc\xe2\x82", "abc\xe2\x82z", "abc\xc3("} {
		u := &utf8Reader{r: strings.NewReader(bad), name: "x"}
		p := make([]byte, 64)
		var got []byte
		var err error
		for err == nil {
			var n int
			n, err = u.Read(p)
			got = append(got, p[:n]...)
		}
		if !strings.Contains(err.Error(), `byte="3"`) || string(got) != "abc" {
			t.Errorf("%q: %q, %v", bad, got, err)
		}
	}
}

// slow reads few bytes at a time.
type slow struct {
	r    *strings.Reader
	most int
}

func (s *slow) Read(p []byte) (int, error) { return s.r.Read(p[:min(len(p), s.most)]) }

func TestPlainPath(t *testing.T) {
	for pattern, want := range map[string]string{"/a": "/a", "^/a/?$": "/a/", `^\/a\/b\.html$`: "/a/b.html", "(?i)^/x/$": "/x/", "/old.html": "/old.html",
		"/a?": "", "/(.*)": "", "a": "", "/": "", "/a|b": "", "/[0-9]": "", `/\d`: ""} {
		if got, ok := plainPath(pattern); got != want || ok != (want != "") {
			t.Errorf("%s: %q %v, want %q", pattern, got, ok, want)
		}
	}
	rules, bad := yamlRules("301:\n  /a: /b\n  '/c d': \"/e\"\n# no\n302:\n  ^/f/?$: https://x.example/\n  broken\n")
	want := []ghostRule{{"/a", "/b"}, {"/c d", "/e"}, {"^/f/?$", "https://x.example/"}}
	if !slices.Equal(rules, want) || !slices.Equal(bad, []string{"broken"}) {
		t.Errorf("%v, %v", rules, bad)
	}
}
