package doc

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"masthead/internal/needtest"
)

// fixture opens a file of the shared input.
func fixture(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.Open(needtest.Fixture(t, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// survives reads foreign HTML and demands that every writing of the result is
// a fixed point and that no word of the source is lost.
func survives(t *testing.T, name, src string) (*Node, []Change) {
	t.Helper()
	n, changes, err := FromHTML(src, HTMLOptions{Base: "https://example.com/"})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for what, read := range map[string]func() (*Node, error){
		"JSON":     func() (*Node, error) { return Parse(n.JSON()) },
		"HTML":     func() (*Node, error) { m, _, err := FromHTML(n.HTML(RenderOptions{}), HTMLOptions{}); return m, err },
		"Markdown": func() (*Node, error) { m, _, err := FromMarkdown(n.Markdown()); return m, err },
	} {
		back, err := read()
		if err != nil {
			t.Fatalf("%s: %s: %v", name, what, err)
		}
		if diff := cmp.Diff(indented(n), indented(back)); diff != "" {
			t.Errorf("%s: %s is not read back:\n%s", name, what, diff)
		}
	}
	return n, changes
}

func TestGhostBodies(t *testing.T) {
	var export struct {
		DB []struct {
			Data struct {
				Posts []struct{ Title, HTML, Plaintext string }
			}
		}
	}
	if err := json.NewDecoder(fixture(t, "ghost/ghost-6.65-export.json")).Decode(&export); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, p := range export.DB[0].Data.Posts {
		if p.HTML == "" {
			continue
		}
		seen++
		n, changes := survives(t, p.Title, p.HTML)
		missing(t, p.Title, p.HTML, n, changes)
		if strings.Contains(p.HTML, "<!--members-only-->") != slices.ContainsFunc(n.Content, func(c *Node) bool { return c.Type == "wall_mark" }) {
			t.Errorf("%s: the wall mark is lost or made up", p.Title)
		}
	}
	if seen < 80 {
		t.Errorf("read %d bodies only", seen)
	}
}

func TestWordPressBodies(t *testing.T) {
	dec := xml.NewDecoder(fixture(t, "wordpress/theme-unit-test.wxr.xml"))
	seen := 0
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		e, ok := tok.(xml.StartElement)
		if !ok || e.Name.Local != "item" {
			continue
		}
		var item struct {
			Title   string `xml:"title"`
			Content string `xml:"http://purl.org/rss/1.0/modules/content/ encoded"`
		}
		if err := dec.DecodeElement(&item, &e); err != nil {
			t.Fatal(err)
		}
		if item.Content == "" {
			continue
		}
		seen++
		n, changes := survives(t, item.Title, item.Content)
		missing(t, item.Title, item.Content, n, changes)
	}
	if seen < 50 {
		t.Errorf("read %d bodies only", seen)
	}
}

// missing finds the words of the source's visible text that are neither in the
// document nor named as a change.
func missing(t *testing.T, name, src string, n *Node, changes []Change) {
	t.Helper()
	var all strings.Builder
	n.Walk(func(c *Node) bool {
		all.WriteString(c.Text + " ")
		for _, k := range sortedKeys(c.Attrs) {
			all.WriteString(c.Attr(k) + " ")
		}
		return true
	})
	for _, c := range changes {
		all.WriteString(c.What + " ")
	}
	have := n.PlainText() + all.String()
	for _, w := range strings.Fields(visible(src)) {
		if !strings.Contains(have, w) {
			t.Errorf("%s: the word %q is lost", name, w)
		}
	}
}

func visible(src string) string {
	z := html.NewTokenizer(strings.NewReader(src))
	var b strings.Builder
	raw := false
	for {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.StartTagToken, html.EndTagToken:
			name, _ := z.TagName()
			raw = slices.Contains([]string{"script", "style", "iframe", "noscript"}, string(name)) && !raw
			b.WriteByte(' ')
		case html.TextToken:
			if !raw {
				b.WriteString(html.UnescapeString(string(z.Text())))
			}
		}
	}
}
