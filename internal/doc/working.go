package doc

import (
	"errors"
	"maps"
	"slices"
)

// A working copy is a document while it is being written. It keeps the schema
// but is not in normal form, for the editor counts positions in what stands
// there: empty paragraphs, spaces at the end. Only its attributes are lean: what
// is null, empty or the default is left out, since the editor writes them all.

// CheckWorking is [Check] for a working copy: it lets pass what an editor cannot
// help to go through (several wall marks, a figure whose picture is not there
// yet, an inset or a link without address). [Settle] mends these.
func CheckWorking(n *Node) error { return check(n, true) }

// ParseWorking reads a working copy from its JSON, as it is. A fault is an *Error.
func ParseWorking(data []byte) (*Node, error) {
	n, err := decode(data)
	if err != nil {
		return nil, err
	}
	content, err := leanContent([]*Node{n})
	if err != nil {
		return nil, &Error{Why: err.Error(), Fix: "leave it out"}
	}
	return content[0], CheckWorking(content[0])
}

// leanContent makes attributes lean and joins texts of equal marks.
func leanContent(in []*Node) ([]*Node, error) {
	var out []*Node
	for _, n := range in {
		if n == nil {
			return nil, errors.New("a node that is null")
		}
		content, err := leanContent(n.Content)
		if err != nil {
			return nil, err
		}
		if err := simple(values(n.Attrs)...); err != nil {
			return nil, err
		}
		c := &Node{Type: n.Type, Attrs: leanAttrs(nodeSpecs[n.Type].attrs, n.Attrs), Content: content, Text: n.Text}
		for _, m := range n.Marks {
			m, err := leanMark(m)
			if err != nil {
				return nil, err
			}
			c.Marks = append(c.Marks, m)
		}
		out = push(out, c)
	}
	return out, nil
}

func leanMark(m Mark) (Mark, error) {
	return Mark{m.Type, leanAttrs(markSpecs[m.Type], m.Attrs)}, simple(values(m.Attrs)...)
}

// simple refuses values that are lists or objects: no attribute is one, and
// they cannot be compared.
func simple(values ...any) error {
	for _, v := range values {
		switch v.(type) {
		case []any, map[string]any:
			return errors.New("an attribute that is a list or an object")
		}
	}
	return nil
}

func values(attrs map[string]any) []any { return slices.Collect(maps.Values(attrs)) }

func leanAttrs(specs map[string]attrSpec, attrs map[string]any) map[string]any {
	var out map[string]any
	for k, v := range attrs {
		spec, ok := specs[k]
		if n, whole := wholeNumber(v); whole {
			if v = n; ok && spec.kind == number && n == spec.def {
				continue
			}
		}
		if v == nil || v == "" || ok && spec.kind != number && v == spec.defText {
			continue
		}
		if out == nil {
			out = map[string]any{}
		}
		out[k] = v
	}
	return out
}

// Settle gives the document in normal form that a working copy stands for: what
// an editor left unfinished is taken out, but none of its words. The caption of
// a figure without a picture becomes a paragraph; a link without an address
// becomes plain text. The result passes [Check], but for a document too large.
func Settle(n *Node) *Node { return Normalize(settleNode(n)) }

func settleNode(n *Node) *Node {
	out := &Node{Type: n.Type, Attrs: n.Attrs, Text: n.Text}
	for _, m := range n.Marks {
		if m.Type == "link" && m.Attr("href") == "" || m.Type == "lang" && m.Attr("lang") == "" && m.Attr("dir") == "" {
			continue
		}
		out.Marks = append(out.Marks, m)
	}
	for _, c := range n.Content {
		if words, unfinished := leftover(c); unfinished {
			out.Content = append(out.Content, words...)
			continue
		}
		k := settleNode(c)
		out.Content = append(out.Content, k)
		if c.Type == "gallery" {
			// A gallery holds figures alone: the words of those without a picture follow it.
			figures := slices.DeleteFunc(slices.Clone(k.Content), func(f *Node) bool { return f.Type != "figure" })
			words := slices.DeleteFunc(slices.Clone(k.Content), func(f *Node) bool { return f.Type == "figure" })
			k.Content = figures
			if len(figures) == 0 {
				out.Content = out.Content[:len(out.Content)-1]
				words = append(words, loneParagraph(&Node{Type: "text", Text: k.Attr("caption")})...)
			}
			out.Content = append(out.Content, words...)
		}
	}
	return out
}

// leftover gives the words of a block that cannot stand, and whether it is one.
func leftover(n *Node) (words []*Node, unfinished bool) {
	switch n.Type {
	case "figure", "file":
		unfinished = n.Attr("media") == "" && n.Attr("src") == ""
	case "also_read":
		unfinished = n.Attr("story") == "" && n.Attr("url") == ""
	case "embed":
		unfinished = n.Attr("url") == ""
	}
	if !unfinished {
		return nil, false
	}
	words = append(words, loneParagraph(&Node{Type: "text", Text: n.Attr("title")})...)
	return append(words, loneParagraph(settleNode(n).Content...)...), true
}

func loneParagraph(content ...*Node) []*Node {
	content = slices.DeleteFunc(content, func(n *Node) bool { return n.Type == "text" && n.Text == "" })
	if len(content) == 0 {
		return nil
	}
	return []*Node{{Type: "paragraph", Content: content}}
}
