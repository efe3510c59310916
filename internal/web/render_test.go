package web

import (
	"strings"
	"testing"
	"testing/fstest"
)

func testRenderer(t *testing.T, files map[string]string) *Renderer {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	r, err := NewRenderer(fsys, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

type checkedPage struct {
	Title string
	Items []checkedItem
	Lead  *checkedItem
}

type checkedItem struct{ Name string }

func (i checkedItem) Upper(a, b string) string { return i.Name + a + b }

func TestCheck(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{`{{.Title}}{{range $i, $x := .Items}}{{$i}}{{$x.Name}}{{.Name}}{{$.Title}}{{end}}{{with .Lead}}{{.Upper "a" "b"}}{{end}}`, ""},
		{`{{.Titel}}`, "no field or method Titel"},
		{`{{range .Items}}{{.Title}}{{end}}`, "no field or method Title"},
		{`{{with .Lead}}{{.Nmae}}{{end}}`, "no field or method Nmae"},
		{`{{if false}}{{.Hidden}}{{end}}`, "no field or method Hidden"},
		{`{{if .Title}}{{else}}{{.Hidden}}{{end}}`, "no field or method Hidden"},
		{`{{template "part" .Lead}}{{define "part"}}{{.Title}}{{end}}`, "no field or method Title"},
		{`{{with .Lead}}{{.Upper "a"}}{{end}}`, "takes 2 arguments, not 1"},
		{`{{range .Title}}{{end}}`, "cannot range over string"},
		{`{{with $x := .Lead}}{{$x.Nope}}{{end}}`, "no field or method Nope"},
		{`{{if eq (len .Items) 1}}{{end}}{{(index .Items 0).Nope}}`, "no field or method Nope"},
	} {
		r := testRenderer(t, map[string]string{"site/layout.html": `{{define "layout"}}{{block "main" .}}{{end}}{{end}}`,
			"site/x/x.html": `{{define "main"}}` + strings.Replace(c.body, `{{define "part"}}`, `{{end}}{{define "part"}}`, 1) + func() string {
				if strings.Contains(c.body, "define") {
					return ""
				}
				return "{{end}}"
			}()})
		errs := r.Check("site/x", checkedPage{})
		got := ""
		for _, err := range errs {
			got += err.Error() + "\n"
		}
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.body, got, c.want)
		}
	}
}

func TestRendererOverrides(t *testing.T) {
	r := testRenderer(t, map[string]string{
		"shared/a.html":      `{{define "part"}}shared{{end}}`,
		"site/layout.html":   `{{define "layout"}}[{{block "main" .}}none{{end}}]{{end}}`,
		"site/one/one.html":  `{{define "main"}}{{template "part"}} {{.}}{{end}}`,
		"site/two/two.html":  `{{define "main"}}two{{end}}{{define "part"}}own{{end}}`,
		"letter/layout.html": `{{define "layout"}}letter{{end}}`,
		"letter/l/l.html":    `{{define "main"}}{{end}}`,
		"letter/l/l.txt":     `Dear {{.}} & co`,
	})
	for name, want := range map[string]string{"site/one": "[shared &lt;x&gt;]", "site/two": "[two]", "letter/l": "letter"} {
		got, err := r.Bytes(name, "<x>")
		if err != nil || string(got) != want {
			t.Errorf("%s = %q, %v; want %q", name, got, err, want)
		}
	}
	if got, err := r.Text("letter/l", "A"); err != nil || got != "Dear A & co" {
		t.Errorf("text = %q, %v", got, err)
	}
	if _, err := r.Bytes("site/none", nil); err == nil {
		t.Error("a page without a template was rendered")
	}
}
