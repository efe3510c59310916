package page_test

import (
	"bytes"
	"html/template"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/page"
)

// The parts of a page are templates of their own, as those of the site are.
const pageText = `{{define "layout"}}<body>{{template "account-link" .}}<h1>{{.Headline}}</h1>{{.Body}}{{template "wall" .}}</body>{{end}}
{{define "account-link"}}{{with .Reader}}<a href="/account">{{.}}</a>{{else}}<a href="/signin">Sign in</a>{{end}}{{end}}
{{define "wall"}}{{if not .Reader}}<p>Register to read on.</p>{{end}}{{end}}`

type storyPage struct {
	Headline, Reader string
	Body             template.HTML
}

// TestTemplateWithHoles renders a page once with marks, by the same templates
// whose parts fill the holes later.
func TestTemplateWithHoles(t *testing.T) {
	marker := page.NewMarker()
	whole := template.Must(template.New("").Funcs(template.FuncMap{"hole": marker.Mark}).Parse(pageText))
	cut := template.Must(whole.Clone())
	for _, part := range []string{"account-link", "wall"} {
		template.Must(cut.New(part).Parse(`{{hole "` + part + `"}}`)) // takes the part's place
	}

	shared := storyPage{Headline: "A <b>headline</b> & more", Body: "<p>Text.</p><!--hole:x:account-link-->"}
	var html bytes.Buffer
	if err := cut.ExecuteTemplate(&html, "layout", shared); err != nil {
		t.Fatal(err)
	}
	p, err := page.New(page.Rendered{Body: html.Bytes(), Marker: marker})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.Holes(), []string{"account-link", "wall"}; !slices.Equal(got, want) {
		t.Fatalf("holes %q, want %q", got, want)
	}
	for _, reader := range []string{"", "Ada <3"} {
		mine := shared
		mine.Reader = reader
		var holes page.Holes
		for _, part := range p.Holes() {
			var b bytes.Buffer
			if err := whole.ExecuteTemplate(&b, part, mine); err != nil {
				t.Fatal(err)
			}
			holes = append(holes, page.Hole{Name: part, HTML: b.Bytes(), Personal: reader != ""})
		}
		got, err := p.Plain(holes)
		if err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		if err := whole.ExecuteTemplate(&want, "layout", mine); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.String(), string(got)); diff != "" {
			t.Errorf("reader %q: -rendered whole +stitched\n%s", reader, diff)
		}
	}
	if _, err := p.Plain(page.Holes{{Name: "wall"}}); err == nil || !strings.Contains(err.Error(), "account-link") {
		t.Errorf("a page without one of its holes: error %v", err)
	}
}

func TestCut(t *testing.T) {
	m := page.NewMarker()
	mark := func(name string) string {
		h, err := m.Mark(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(h)
	}
	other, err := page.NewMarker().Mark("a")
	if err != nil {
		t.Fatal(err)
	}
	word := strings.TrimSuffix(mark("x"), "x-->")
	tests := []struct {
		name, html string
		segments   []string
		holes      []string
		fails      bool
	}{
		{name: "empty", segments: []string{""}},
		{name: "none", html: "<p>", segments: []string{"<p>"}},
		{name: "one", html: "a" + mark("wall") + "b", segments: []string{"a", "b"}, holes: []string{"wall"}},
		{name: "at the ends and twice", html: mark("x") + mark("x"), segments: []string{"", "", ""}, holes: []string{"x", "x"}},
		{name: "of another marker", html: string(other), segments: []string{string(other)}},
		{name: "without an end", html: "a" + word + "wall", fails: true},
		{name: "bad name", html: word + "Wall!-->", fails: true},
		{name: "escaped", html: `<a title="` + template.HTMLEscapeString(mark("x")) + `">`, fails: true},
	}
	for _, test := range tests {
		segments, holes, err := m.Cut([]byte(test.html))
		if (err != nil) != test.fails {
			t.Errorf("%s: error %v", test.name, err)
			continue
		}
		var got []string
		for _, s := range segments {
			got = append(got, string(s))
		}
		if !slices.Equal(got, test.segments) || !slices.Equal(holes, test.holes) {
			t.Errorf("%s: %q with holes %q, want %q with %q", test.name, got, holes, test.segments, test.holes)
		}
	}
	for _, name := range []string{"", "Wall", "a b", "-->", "a/b"} {
		if _, err := m.Mark(name); err == nil {
			t.Errorf("Mark(%q) gave no error", name)
		}
	}
}

func TestNewRefusesTags(t *testing.T) {
	for _, tag := range []string{"", "a b", "a\r\nSet-Cookie: x", "é"} {
		if _, err := page.New(page.Rendered{Tags: []string{tag}}); err == nil {
			t.Errorf("tag %q was taken", tag)
		}
	}
}
