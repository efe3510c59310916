package doc

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readings are HTML that the schema should understand, and the JSON of it.
var readings = []struct{ name, html, json string }{
	{"paragraph", `<p>Hello, <b>big</b> <i>world</i></p>`, `{"content":[{"content":[{"text":"Hello, ","type":"text"},{"marks":[{"type":"strong"}],"text":"big","type":"text"},{"text":" ","type":"text"},{"marks":[{"type":"em"}],"text":"world","type":"text"}],"type":"paragraph"}],"type":"doc"}`},
}

func TestFromHTML(t *testing.T) {
	for _, c := range readings {
		n, _, err := FromHTML(c.html, HTMLOptions{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(c.json, string(n.JSON())); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
		back, _, err := FromHTML(n.HTML(RenderOptions{}), HTMLOptions{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(n, back); diff != "" {
			t.Errorf("%s is not read back:\n%s", c.name, diff)
		}
	}
}
