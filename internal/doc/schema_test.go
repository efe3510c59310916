package doc

import (
	"errors"
	"strings"
	"testing"

	"masthead/internal/fault"
)

// p is a paragraph in JSON.
const p = `{"type":"paragraph","content":[{"type":"text","text":"a"}]}`

func TestParseRefuses(t *testing.T) {
	doc := func(blocks ...string) string { return `{"type":"doc","content":[` + strings.Join(blocks, ",") + `]}` }
	for _, c := range []struct{ name, json, want string }{
		{"nothing", ``, "not a document in JSON"},
		{"null", `null`, "null"},
		{"truncated", `{"type":"doc","content":[`, "not a document in JSON"},
		{"two values", doc(p) + doc(p), "something after"},
		{"other root", p, `outermost node is "doc"`},
		{"unknown key", `{"type":"doc","html":"x"}`, "unknown field"},
		{"empty", `{"type":"doc"}`, "it is empty; it holds block+"},
		{"unknown node", doc(`{"type":"script"}`), `content[0] (script): unknown node type "script"`},
		{"unknown attribute", doc(`{"type":"paragraph","attrs":{"style":"x"}}`), `unknown attribute "style"`},
		{"attribute of a wrong type", doc(`{"type":"heading","attrs":{"level":"2"}}`), "attribute level"},
		{"heading 1", doc(`{"type":"heading","attrs":{"level":1}}`), "from 2 to 4"},
		{"fraction", doc(`{"type":"heading","attrs":{"level":2.5}}`), "whole number"},
		{"text in the document", doc(`{"type":"text","text":"a"}`), "text cannot stand in doc"},
		{"item without list", doc(`{"type":"list_item","content":[` + p + `]}`), "list_item cannot stand in doc"},
		{"block in paragraph", doc(`{"type":"paragraph","content":[` + p + `]}`), "content[0].content[0]: paragraph cannot stand in paragraph"},
		{"wall mark below", doc(`{"type":"quotation","content":[{"type":"wall_mark"}]}`), "wall_mark cannot stand in quotation"},
		{"two wall marks", doc(p, `{"type":"wall_mark"}`, `{"type":"wall_mark"}`), "second wall mark"},
		{"footnote in footnote", doc(`{"type":"paragraph","content":[{"type":"footnote","content":[{"type":"footnote"}]}]}`), "footnote cannot stand in footnote"},
		{"figure of nothing", doc(`{"type":"figure"}`), "it shows nothing; give the attribute media"},
		{"inset to nowhere", doc(`{"type":"also_read"}`), "points nowhere"},
		{"embed without address", doc(`{"type":"embed"}`), "url is missing"},
		{"script as embed", doc(`{"type":"embed","attrs":{"url":"javascript:alert(1)"}}`), "http"},
		{"script as link", doc(`{"type":"paragraph","content":[{"type":"text","text":"a","marks":[{"type":"link","attrs":{"href":"java\u0000script:x"}}]}]}`), "mark link: attribute href"},
		{"unknown mark", doc(`{"type":"paragraph","content":[{"type":"text","text":"a","marks":[{"type":"blink"}]}]}`), `unknown mark "blink"`},
		{"mark on a block", doc(`{"type":"paragraph","marks":[{"type":"em"}]}`), "mark on a block"},
		{"empty text", doc(`{"type":"paragraph","content":[{"type":"text","text":""}]}`), "without text"},
		{"text on a block", doc(`{"type":"paragraph","text":"a"}`), "only text nodes"},
		{"null child", doc(`null`), "content[0]: it is null"},
		{"tone", doc(`{"type":"callout","attrs":{"tone":"loud"},"content":[` + p + `]}`), "one of note"},
		{"media path", doc(`{"type":"figure","attrs":{"media":"../x"}}`), "give an ID"},
		{"too deep", doc(strings.Repeat(`{"type":"quotation","content":[`, 60) + p + strings.Repeat(`]}`, 60)), "nested deeper"},
		{"bottomless", strings.Repeat(`{"content":[`, 1_000_00), "nested deeper"},
		{"too large", `{"type":"doc","content":["` + strings.Repeat("a", MaxBytes) + `"]}`, "more than"},
	} {
		n, err := Parse([]byte(c.json))
		if err == nil {
			t.Errorf("%s: accepted as %s", c.name, n.JSON())
			continue
		}
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %q does not tell %q", c.name, clip(err.Error(), 300), c.want)
		}
		var e *Error
		if !errors.As(err, &e) || e.Fix == "" {
			t.Errorf("%s: %q does not tell what to do", c.name, clip(err.Error(), 300))
		}
		if k := fault.KindOf(err); k != fault.Invalid {
			t.Errorf("%s: its kind is %v", c.name, k)
		}
	}
}

func TestParseIsCanonical(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"defaults and nulls go",
			`{"type":"doc","content":[{"type":"heading","attrs":{"level":2,"dir":null},"content":[{"type":"text","text":"A"}]}]}`,
			`{"content":[{"content":[{"text":"A","type":"text"}],"type":"heading"}],"type":"doc"}`},
		{"marks are ordered and joined",
			`{"type":"doc","content":[{"type":"paragraph","content":[{"type":"text","text":"a","marks":[{"type":"em"},{"type":"strong"}]},{"type":"text","text":"b","marks":[{"type":"strong"},{"type":"em"}]}]}]}`,
			`{"content":[{"content":[{"marks":[{"type":"strong"},{"type":"em"}],"text":"ab","type":"text"}],"type":"paragraph"}],"type":"doc"}`},
		{"white space is one space",
			`{"type":"doc","content":[{"type":"paragraph","content":[{"type":"text","text":"  a \n b "},{"type":"hard_break"},{"type":"text","text":" c\u0007 "}]}]}`,
			`{"content":[{"content":[{"text":"a b","type":"text"},{"type":"hard_break"},{"text":"c","type":"text"}],"type":"paragraph"}],"type":"doc"}`},
		{"empty paragraphs go",
			`{"type":"doc","content":[{"type":"paragraph"},` + p + `,{"type":"paragraph"}]}`,
			`{"content":[{"content":[{"text":"a","type":"text"}],"type":"paragraph"}],"type":"doc"}`},
		{"but not the only one", `{"type":"doc","content":[{"type":"paragraph"}]}`, string(Empty().JSON())},
		{"script ends are escaped",
			`{"type":"doc","content":[{"type":"paragraph","content":[{"type":"text","text":"</script>"}]}]}`,
			`{"content":[{"content":[{"text":"\u003c/script\u003e","type":"text"}],"type":"paragraph"}],"type":"doc"}`},
	} {
		n, err := Parse([]byte(c.in))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if got := string(n.JSON()); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestCleanURL(t *testing.T) {
	for in, want := range map[string]string{
		" https://example.com/ü ":     "https://example.com/%C3%BC",
		"//example.com/x":             "https://example.com/x",
		"/a b":                        "/a%20b",
		"#p3":                         "#p3",
		"?q=ü":                        "?q=ü",
		"mailto:a@example.com":        "mailto:a@example.com",
		"HTTP://EXAMPLE.com/":         "http://EXAMPLE.com/",
		"java\nscript:alert(1)":       "",
		"\x01javascript:alert(1)":     "",
		"data:text/html,x":            "",
		"http:foo":                    "",
		"":                            "",
		"https://example.com/%zz":     "",
		"ftp://example.com/":          "",
		"file:///etc/passwd":          "",
		"https://user@example.com/\"": "https://user@example.com/%22",
	} {
		got, ok := cleanURL(in)
		if got != want || ok != (want != "") {
			t.Errorf("%q becomes %q, %v; want %q", in, got, ok, want)
		}
		if again, ok := cleanURL(got); want != "" && (!ok || again != got) {
			t.Errorf("%q is no fixed point: %q", got, again)
		}
	}
}

func TestSchemaNamesEveryType(t *testing.T) {
	s := string(Schema())
	for name := range nodeSpecs {
		if !strings.Contains(s, `"`+name+`":`) {
			t.Errorf("the schema lacks the node %s", name)
		}
	}
	for name := range markSpecs {
		if !strings.Contains(s, `"type":"`+name+`"`) {
			t.Errorf("the schema lacks the mark %s", name)
		}
	}
	if len(markOrder) != len(markSpecs) {
		t.Error("markOrder and markSpecs differ")
	}
}
