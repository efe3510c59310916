package doc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// maker makes valid documents of every node and mark at random.
type maker struct{ *rand.Rand }

var vocabulary = strings.Fields("river the council said “no” it's U.S. 3.14 Mr. a & < > \" ' [x] *y* _z_ `c` # + - 1. ::: ~ | ![ " +
	"مرحبا ، بالعالم؟ שלום ד״ר Привет, мир! été naïve 中文 😀 \\ &amp; <script> https://example.com/ ^ $ = 2) -- \u00a0 \u200f")

func (m maker) words(n int) string {
	var s []string
	for range 1 + m.IntN(n) {
		s = append(s, vocabulary[m.IntN(len(vocabulary))])
	}
	text := strings.Join(s, " ")
	if m.IntN(3) == 0 {
		text = " " + text
	}
	if m.IntN(3) == 0 {
		text += " "
	}
	return text
}

func (m maker) pick(s ...string) string { return s[m.IntN(len(s))] }

func (m maker) url() string {
	return m.pick("https://example.com/a?b=c&d=e", "http://example.org/ü (x)", "/2026/05/story/", "#p3", "mailto:a@example.com", "tel:+49123", "page.html?q='\"<>", "//cdn.example.com/x.png", "https://en.wikipedia.org/wiki/A_(b)_*c*")
}

func (m maker) marks() []Mark {
	var out []Mark
	for _, typ := range markOrder {
		if m.IntN(6) > 0 {
			continue
		}
		k := Mark{Type: typ}
		switch typ {
		case "link":
			k.Attrs = map[string]any{"href": m.url(), "title": m.pick("", `a "title" <b>`)}
		case "lang":
			k.Attrs = map[string]any{"lang": m.pick("ar", "he", "pt-BR"), "dir": m.pick("", "rtl", "ltr")}
		}
		out = append(out, k)
	}
	return out
}

func (m maker) inline(notes bool) []*Node {
	var out []*Node
	for range m.IntN(7) {
		switch k := m.IntN(12); {
		case k == 0:
			out = append(out, &Node{Type: "hard_break"})
		case k == 1 && notes:
			out = append(out, &Node{Type: "footnote", Content: m.inline(false)})
		case k < 6:
			out = append(out, &Node{Type: "text", Text: m.words(5)})
		default:
			out = append(out, &Node{Type: "text", Text: m.words(5), Marks: m.marks()})
		}
	}
	return out
}

func (m maker) figure() *Node {
	f := &Node{Type: "figure", Content: m.inline(true)}
	if m.IntN(2) == 0 {
		f.set("media", "0190a-b_c")
	} else {
		f.set("src", m.pick("https://example.com/p.jpg", "/content/p q.png"))
	}
	return f.set("alt", m.pick("", m.words(4))).set("credit", m.pick("", m.words(3)))
}

func (m maker) blocks(depth int) []*Node {
	var out []*Node
	for range 1 + m.IntN(4) {
		out = append(out, m.block(depth))
	}
	return out
}

func (m maker) block(depth int) *Node {
	dir := m.pick("", "", "", "rtl", "auto")
	k := m.IntN(17)
	if depth > 3 && k > 4 && k < 10 {
		k = 0
	}
	switch k {
	case 2:
		return (&Node{Type: "heading", Content: m.inline(true)}).setInt("level", 2+m.IntN(3)).set("dir", dir)
	case 3:
		return (&Node{Type: "pull_quote", Content: m.inline(true)}).set("speaker", m.pick("", m.words(2))).set("outlet", m.pick("", "The \"Paper\""))
	case 4:
		return m.figure()
	case 5, 6:
		l := &Node{Type: "bullet_list"}
		if k == 6 {
			l = (&Node{Type: "ordered_list"}).setInt("start", m.IntN(12))
		}
		for range 1 + m.IntN(3) {
			l.Content = append(l.Content, &Node{Type: "list_item", Content: m.blocks(depth + 2)})
		}
		return l.set("dir", dir)
	case 7:
		return (&Node{Type: "quotation", Content: m.blocks(depth + 1)}).set("speaker", m.pick("", m.words(2))).set("outlet", m.pick("", m.words(2))).set("dir", dir)
	case 8:
		return (&Node{Type: "callout", Content: m.blocks(depth + 1)}).set("tone", m.pick("", "note", "warning"))
	case 9:
		t := (&Node{Type: "table"}).set("caption", m.pick("", m.words(3)))
		cols := 1 + m.IntN(3)
		for i := range 1 + m.IntN(3) {
			row := &Node{Type: "table_row"}
			for range cols {
				c := &Node{Type: m.pick("table_cell", "table_header"), Content: []*Node{{Type: "paragraph", Content: m.inline(true)}}}
				switch m.IntN(6) {
				case 0:
					c.Content = m.blocks(depth + 3)
				case 1:
					c.setInt("rowspan", 1+m.IntN(4)).setInt("colspan", 1+m.IntN(2))
				case 2, 3:
					c.Type, c.Content = "table_cell", []*Node{paragraphOf("plain")}
					if i == 0 {
						c.Type = "table_header"
					}
				}
				row.Content = append(row.Content, c)
			}
			t.Content = append(t.Content, row)
		}
		return t
	case 10:
		g := (&Node{Type: "gallery"}).set("caption", m.pick("", m.words(3)))
		for range 1 + m.IntN(3) {
			g.Content = append(g.Content, m.figure())
		}
		return g
	case 11:
		return (&Node{Type: "embed", Content: m.inline(true)}).set("url", m.pick("https://www.youtube.com/watch?v=abc", "http://example.com/x y")).
			set("provider", m.pick("", "YouTube")).set("title", m.pick("", m.words(3))).set("author", m.pick("", m.words(2))).set("thumbnail", m.pick("", "th1"))
	case 12:
		f := (&Node{Type: "file", Content: m.inline(true)}).set("kind", m.pick("", "file", "audio", "video")).set("title", m.pick("", m.words(2))).set("thumbnail", m.pick("", "th1"))
		return f.set(m.pick("media", "media"), "m1")
	case 13:
		return (&Node{Type: "also_read"}).set(m.pick("story", "story"), "s-1").set("url", m.pick("", m.url())).set("title", m.pick("", m.words(4)))
	case 14:
		return (&Node{Type: "code_block", Content: []*Node{{Type: "text", Text: m.pick("\n", "", "\t") + m.words(4) + "\n\n```\n:::wall\n  " + m.words(4) + "\n"}}}).set("language", m.pick("", "go", "c++"))
	case 15:
		return &Node{Type: "divider"}
	case 16:
		if depth == 0 {
			return &Node{Type: "wall_mark"}
		}
		fallthrough
	default:
		return (&Node{Type: "paragraph", Content: m.inline(true)}).set("dir", dir)
	}
}

func (m maker) doc() *Node { return &Node{Type: "doc", Content: m.blocks(0)} }

func TestEveryWritingIsReadBack(t *testing.T) {
	for seed := range uint64(400) {
		m := maker{rand.New(rand.NewPCG(seed, 7))}
		n := Normalize(m.doc())
		if err := Check(n); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		fail := func(what string, got *Node, err error, wrote string) {
			t.Helper()
			if err != nil {
				t.Fatalf("seed %d: %s: %v\n%s", seed, what, err, wrote)
			}
			if diff := cmp.Diff(indented(n), indented(got)); diff != "" {
				t.Fatalf("seed %d: %s differs:\n%s\nwritten:\n%s", seed, what, diff, wrote)
			}
		}
		fail("normal form", Normalize(n), nil, "")
		got, err := Parse(n.JSON())
		fail("JSON", got, err, string(n.JSON()))
		if a, b := string(n.JSON()), string(got.JSON()); a != b {
			t.Fatalf("seed %d: JSON bytes differ", seed)
		}
		for i, o := range []RenderOptions{{}, fullOptions()} {
			wrote := n.HTML(o)
			got, changes, err := FromHTML(wrote, HTMLOptions{})
			fail(fmt.Sprintf("HTML %d", i), got, err, wrote)
			if i == 0 && len(changes) > 0 {
				t.Fatalf("seed %d: changes in own HTML: %v\n%s", seed, changes, wrote)
			}
		}
		wrote := n.Markdown()
		got, _, err = FromMarkdown(wrote)
		fail("Markdown", got, err, wrote)
	}
}

// indented is a document on many lines, so that a difference is found at once.
func indented(n *Node) string {
	var b bytes.Buffer
	if err := json.Indent(&b, n.JSON(), "", " "); err != nil {
		return err.Error()
	}
	return b.String()
}

// fullOptions answers every question that rendering may ask.
func fullOptions() RenderOptions {
	return RenderOptions{
		Picture: func(id string) (Picture, bool) {
			return Picture{Src: "/media/" + id + ".webp", Srcset: "/media/a.webp 480w, /media/b.webp 960w", Sizes: "100vw",
				Width: 960, Height: 640, Alt: "from the archive", Credit: "House"}, true
		},
		File: func(id string) (File, bool) {
			return File{URL: "/files/" + id + ".mp3", Type: "audio/mpeg", Name: "a.mp3", Bytes: 12345}, true
		},
		Story:        func(string) (Linked, bool) { return Linked{"/x/", "Head & line", "Kick"}, true },
		HeadingShift: 1, ParagraphIDs: true, IDPrefix: "x-", Base: "https://example.com/",
		Labels: Labels{AlsoRead: "اقرأ أيضا", Load: "تحميل من %s", BackToText: "<back>"},
	}
}

func TestParagraphsSurviveText(t *testing.T) {
	for seed := range uint64(300) {
		m := maker{rand.New(rand.NewPCG(seed, 9))}
		n := &Node{Type: "doc"}
		for range 1 + m.IntN(5) {
			p := &Node{Type: "paragraph"}
			for i := range 1 + m.IntN(3) {
				if i > 0 {
					p.Content = append(p.Content, &Node{Type: "hard_break"})
				}
				p.Content = append(p.Content, &Node{Type: "text", Text: m.words(6)})
			}
			n.Content = append(n.Content, p)
		}
		n = Normalize(n)
		if diff := cmp.Diff(n, FromText(n.PlainText())); diff != "" {
			t.Fatalf("seed %d:\n%s", seed, diff)
		}
		if text := n.PlainText(); FromText(text).PlainText() != text {
			t.Fatalf("seed %d: the text %q is not kept", seed, text)
		}
	}
}
