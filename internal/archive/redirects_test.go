package archive

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadRedirects(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []OldAddress
	}{
		"redirects.yaml": {"301:\n  /a/: /b/\n  '^/c$': /d\n  ^\\/tag\\/(.*)$: /topic/$1\n\n302:\n  nonsense\n", []OldAddress{
			{Line: 2, From: "/a/", To: "/b/"}, {Line: 3, From: "/c", To: "/d"}, {Line: 4, From: `^\/tag\/(.*)$`, To: "/topic/$1", Pattern: true}, {Line: 7, From: "nonsense", Unread: true}}},
		"x.JSON": {`[{"from":"^/a/?$","to":"/b/"},{"from":"/x(.*)","to":"/y"}]`, []OldAddress{{Line: 1, From: "/a/", To: "/b/"}, {Line: 2, From: "/x(.*)", To: "/y", Pattern: true}}},
		"p.csv":  {"/blog/.*,/news/\n/film_(2019)/,/f/\n", []OldAddress{{Line: 1, From: "/blog/.*", To: "/news/", Pattern: true}, {Line: 2, From: "/film_(2019)/", To: "/f/"}}},
		"x.csv":  {"\uFEFFfrom,to\n/a,/b\n\n\"/c,d\",/e\nalone\n/f, /g,more\n", []OldAddress{{Line: 2, From: "/a", To: "/b"}, {Line: 4, From: "/c,d", To: "/e"}, {Line: 5, From: "alone", Unread: true}, {Line: 6, From: "/f", To: "/g"}}},
		"empty":  {"", nil},
	} {
		got, err := ReadRedirects(name, strings.NewReader(c.text))
		if err != nil || !cmp.Equal(got, c.want) {
			t.Errorf("%s: %v\n%s", name, err, cmp.Diff(c.want, got))
		}
	}
	if _, err := ReadRedirects("x.json", strings.NewReader("{")); err == nil {
		t.Error("JSON that is none was read")
	}
}

func FuzzReadRedirects(f *testing.F) {
	f.Add("x.csv", "/a,/b\n\"")
	f.Add("x.yaml", "301:\n  /a: /b")
	f.Add("x.json", `[{"from":1}]`)
	f.Fuzz(func(t *testing.T, name, text string) {
		all, _ := ReadRedirects(name, strings.NewReader(text))
		for _, a := range all {
			if strings.ContainsRune(a.From+a.To, 0) {
				t.Errorf("%+v holds what is no text", a)
			}
		}
	})
}
