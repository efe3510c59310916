package archive

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"masthead/internal/doc"
	"masthead/internal/language"
)

// ghostBody reads the body of one post.
type ghostBody struct {
	g      *ghost
	change func(format string, args ...any)
	err    error // what went wrong that is not the post's fault
}

// best reads the body from the best source that there is and that can be read.
func (b *ghostBody) best(p ghostPost) *doc.Node {
	empty := doc.Empty()
	for _, source := range []struct {
		name, text string
		read       func(string) ([]*doc.Node, error)
	}{
		{"lexical", string(p.Lexical), b.lexical},
		{"mobiledoc", string(p.Mobiledoc), b.mobiledoc},
		{"HTML", string(p.HTML), b.fallbackHTML},
		{"plain text", string(p.Plaintext), func(s string) ([]*doc.Node, error) { return doc.FromText(s).Content, nil }},
	} {
		if strings.TrimSpace(source.text) == "" {
			continue
		}
		blocks, err := source.read(source.text)
		if b.err != nil {
			return nil
		}
		if err == nil {
			root := &doc.Node{Type: "doc", Content: blocks}
			b.resolve(root)
			if b.err != nil {
				return nil
			}
			root = doc.Normalize(root)
			if err = doc.Check(root); err == nil && string(root.JSON()) != string(empty.JSON()) {
				return root
			}
			if err == nil {
				continue // another source may say more
			}
		}
		b.change("its body in %s cannot be used: %s", source.name, docFault(err))
	}
	return empty
}

// gated are the parts of the old site's HTML that it showed to some readers only.
var gated = regexp.MustCompile(`(?s)<!--kg-gated-block:begin ([^>]*?)-->(.*?)<!--kg-gated-block:end-->`)

func (b *ghostBody) fallbackHTML(s string) ([]*doc.Node, error) {
	s = gated.ReplaceAllStringFunc(s, func(block string) string {
		m := gated.FindStringSubmatch(block)
		if strings.Contains(m[1], "nonMember:true") {
			return m[2]
		}
		b.change("a part for some readers only was left out: %s", excerpt(m[2]))
		return ""
	})
	n, changes, err := doc.FromHTML(strings.ReplaceAll(s, "__GHOST_URL__", ""), doc.HTMLOptions{Picture: b.picture})
	b.name(changes)
	if err != nil {
		return nil, err
	}
	return n.Content, nil
}

// name puts what the document's reader changed into the report.
func (b *ghostBody) name(changes []doc.Change) {
	for _, c := range changes {
		times := ""
		if c.Count > 1 {
			times = fmt.Sprintf(" (%d times)", c.Count)
		}
		b.change("%s%s: %s", c.What, times, c.Why)
	}
}

// html reads a fragment of HTML into blocks. Each is read for itself, so that
// what it leaves open swallows nothing behind it.
func (b *ghostBody) html(s string) []*doc.Node {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	blocks, err := b.fallbackHTML(s)
	if err != nil {
		b.change("a part of the body was left out: %s", docFault(err))
	}
	return blocks
}

// inline reads a fragment of HTML, such as a caption, as inline nodes; several
// blocks become lines.
func (b *ghostBody) inline(s string) []*doc.Node {
	if !strings.ContainsAny(s, "<&") { // the common case needs no parser
		if strings.TrimSpace(s) == "" {
			return nil
		}
		return []*doc.Node{{Type: "text", Text: s}}
	}
	var out []*doc.Node
	for _, n := range b.html(s) {
		n.Walk(func(c *doc.Node) bool {
			if c.Type != "paragraph" && c.Type != "heading" && c.Type != "pull_quote" {
				return c.Type != "figure" && c.Type != "embed" && c.Type != "file"
			}
			if len(out) > 0 && len(c.Content) > 0 {
				out = append(out, &doc.Node{Type: "hard_break"})
			}
			out = append(out, c.Content...)
			return false
		})
	}
	return out
}

// line is inline as one line of text, for attributes.
func (b *ghostBody) line(s string) string {
	if strings.ContainsAny(s, "<&") {
		s = plainHTML(s)
	}
	return oneLine(s)
}

// picture gives the media behind an address, for the reader of HTML.
func (b *ghostBody) picture(src string) (string, bool) {
	id, why, err := b.g.asset(b.g.assetOf(src, ""))
	if err != nil {
		b.err = err
	}
	if id == "" && err == nil {
		b.change("the picture or file %s did not come in: %s", src, why)
	}
	return id, id != ""
}

// source sets media, or src where the file did not come in, and tells whether
// either could be.
func (b *ghostBody) source(n *doc.Node, src, alt string) bool {
	if src = strings.TrimSpace(src); src == "" {
		return false
	}
	if strings.HasPrefix(src, "data:") {
		b.change("a picture inside the text (data:) was left out")
		return false
	}
	a := b.g.assetOf(src, alt)
	a.picture = a.picture || n.Type == "figure"
	id, why, err := b.g.asset(a)
	switch {
	case err != nil:
		b.err = err
		return false
	case id != "":
		n.Attrs["media"] = id
		return true
	}
	b.change("the picture or file %s did not come in: %s", src, why)
	if a.url != "" && usable(a.url) && strings.HasPrefix(a.url, "http") {
		n.Attrs["src"] = a.url // the page shows a plain link to it, and contacts nobody
		return true
	}
	return false
}

// resolve finds pictures that are not yet looked for, and writes links anew. A
// figure whose picture is nowhere leaves its words.
func (b *ghostBody) resolve(n *doc.Node) {
	var kept []*doc.Node
	for _, c := range n.Content {
		for i, m := range c.Marks {
			if m.Type != "link" {
				continue
			}
			if href := b.g.href(m.Attr("href")); href != "" && href != m.Attr("href") {
				c.Marks = slices.Clone(c.Marks)
				c.Marks[i] = doc.Mark{Type: "link", Attrs: map[string]any{"href": href}}
				if t := m.Attr("title"); t != "" {
					c.Marks[i].Attrs["title"] = t
				}
			}
		}
		if src := c.Attr("src"); src != "" && (c.Type == "figure" || c.Type == "file") {
			delete(c.Attrs, "src")
			if !b.source(c, src, c.Attr("alt")) {
				if words := b.words(c); words != nil && n.Type != "gallery" {
					kept = append(kept, words)
				}
				continue
			}
		}
		b.resolve(c)
		kept = append(kept, c)
	}
	n.Content = kept
}

// words is what is left of a figure without its picture.
func (b *ghostBody) words(n *doc.Node) *doc.Node {
	words := n.Content
	for _, attr := range []string{"alt", "title"} {
		if t := n.Attr(attr); len(words) == 0 && t != "" {
			words = []*doc.Node{{Type: "text", Text: t}}
		}
	}
	if len(words) == 0 {
		return nil
	}
	return &doc.Node{Type: "paragraph", Content: words}
}

// dir is the attribute for a direction that is not that of the language.
func (b *ghostBody) dir(direction string) map[string]any {
	if direction != "" && direction != language.Dir(b.g.lang) && (direction == "ltr" || direction == "rtl") {
		return map[string]any{"dir": direction}
	}
	return map[string]any{}
}

// link wraps inline nodes in a link, where the address may be one.
func (b *ghostBody) link(href, title string, content []*doc.Node) []*doc.Node {
	href = strings.TrimSpace(strings.ReplaceAll(href, "__GHOST_URL__", ""))
	if href == "" {
		return content
	}
	if !usable(href) {
		b.change("the link %s was taken off: its address is not allowed", clip(href, 80))
		return content
	}
	mark := doc.Mark{Type: "link", Attrs: map[string]any{"href": href}}
	if title = oneLine(title); title != "" {
		mark.Attrs["title"] = title
	}
	for _, n := range content {
		if n.Type == "text" {
			n.Marks = append(slices.DeleteFunc(slices.Clone(n.Marks), func(m doc.Mark) bool { return m.Type == "link" }), mark)
		}
	}
	return content
}

func paragraph(content ...*doc.Node) *doc.Node { return &doc.Node{Type: "paragraph", Content: content} }

func words(s string) *doc.Node { return &doc.Node{Type: "text", Text: s} }

// attrs makes attributes of pairs, leaving out the empty ones.
func attrs(pairs ...string) map[string]any {
	m := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if s := oneLine(pairs[i+1]); s != "" {
			m[pairs[i]] = s
		}
	}
	return m
}

// oneLine is text as the schema takes it in an attribute.
func oneLine(s string) string { return clip(strings.Join(strings.Fields(s), " "), 1900) }

// clip cuts at a rune.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// plainHTML gives the words of a fragment on one line.
func plainHTML(s string) string {
	if !strings.ContainsAny(s, "<&") {
		return oneLine(s)
	}
	n, _, err := doc.FromHTML(s, doc.HTMLOptions{})
	if err != nil {
		return ""
	}
	return oneLine(n.PlainText())
}

// excerpt names a piece of HTML by its first words.
func excerpt(html string) string {
	if t := plainHTML(clip(html, 4000)); t != "" {
		return "“" + clip(t, 60) + "…”"
	}
	return "(no words)"
}

// webAddress gives an author's site as a link may have it.
func webAddress(s string) string {
	s = strings.TrimSpace(s)
	if s != "" && !strings.Contains(s, "://") {
		s = "https://" + s
	}
	if u, err := url.Parse(s); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	return s
}

// payload is what a card carries.
type payload map[string]any

func (p payload) str(key string) string {
	switch v := p[key].(type) {
	case string:
		return withoutNUL(v)
	case float64, bool:
		return fmt.Sprint(v)
	}
	return ""
}

func (p payload) on(key string) bool {
	switch v := p[key].(type) {
	case bool:
		return v
	case string:
		return v == "true"
	case float64:
		return v != 0
	}
	return false
}

func (p payload) sub(key string) payload {
	m, _ := p[key].(map[string]any)
	return m
}

func (p payload) list(key string) []payload {
	var all []payload
	items, _ := p[key].([]any)
	for _, i := range items {
		if m, ok := i.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}

func decodeJSON(s string, v any) error {
	if err := json.Unmarshal([]byte(s), v); err != nil {
		return fmt.Errorf("it is not JSON of the expected form: %w", err)
	}
	return nil
}
