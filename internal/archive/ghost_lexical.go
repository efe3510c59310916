package archive

import (
	"errors"
	"strconv"
	"strings"

	"masthead/internal/doc"
)

// The bits of a text's format (Lexical, IS_BOLD and following), and the marks
// they are. Highlight has none.
var lexicalFormats = []struct {
	bit  int
	mark string
}{{1, "strong"}, {2, "em"}, {4, "strike"}, {8, "underline"}, {16, "code"}, {32, "subscript"}, {64, "superscript"}}

const lexicalHighlight = 128

// maxNesting bounds the recursion into nodes within nodes.
const maxNesting = 60

// lexicalNode is one node of the editor's JSON; a card's payload is read apart.
type lexicalNode struct {
	payload
	kind     string
	children []lexicalNode
}

func (b *ghostBody) lexical(s string) ([]*doc.Node, error) {
	var all struct{ Root map[string]any }
	if err := decodeJSON(s, &all); err != nil {
		return nil, err
	}
	if all.Root == nil {
		return nil, errors.New("it has no root")
	}
	return b.lexicalBlocks(newLexical(all.Root), 0), nil
}

func newLexical(m map[string]any) lexicalNode {
	n := lexicalNode{payload: m}
	n.kind = n.str("type")
	for _, c := range n.list("children") {
		n.children = append(n.children, newLexical(c))
	}
	return n
}

// lexicalBlocks reads the children of n as blocks.
func (b *ghostBody) lexicalBlocks(n lexicalNode, depth int) []*doc.Node {
	var out, para []*doc.Node
	flush := func() {
		if len(para) > 0 {
			out = append(out, paragraph(para...))
			para = nil
		}
	}
	for _, c := range n.children {
		if inline := b.lexicalInline(c, depth); inline != nil {
			para = append(para, inline...)
			continue
		}
		flush()
		out = append(out, b.lexicalBlock(c, depth)...)
	}
	flush()
	return out
}

func (b *ghostBody) lexicalBlock(n lexicalNode, depth int) []*doc.Node {
	if depth > maxNesting {
		b.change("a part of the body was left out: it is nested deeper than %d", maxNesting)
		return nil
	}
	one := func(typ string, at map[string]any, content []*doc.Node) []*doc.Node {
		return []*doc.Node{{Type: typ, Attrs: at, Content: content}}
	}
	switch n.kind {
	case "paragraph", "extended-paragraph":
		if b.hasBlocks(n) {
			return b.lexicalBlocks(n, depth+1)
		}
		return one("paragraph", b.dir(n.str("direction")), b.lexicalText(n, depth))
	case "heading", "extended-heading":
		at := b.dir(n.str("direction"))
		level, _ := strconv.Atoi(strings.TrimPrefix(n.str("tag"), "h"))
		at["level"] = b.level(level)
		return one("heading", at, b.lexicalText(n, depth))
	case "quote", "extended-quote":
		inner := b.lexicalBlocks(n, depth+1)
		if len(inner) == 0 {
			return nil
		}
		return one("quotation", b.dir(n.str("direction")), inner)
	case "aside":
		return one("pull_quote", b.dir(n.str("direction")), b.lexicalText(n, depth))
	case "list":
		return b.lexicalList(n, depth)
	case "code":
		return one("code_block", attrs("language", token(n.str("language"))), []*doc.Node{words(b.plain(n, depth))})
	case "root", "listitem", "tablerow", "tablecell", "table":
		return b.lexicalBlocks(n, depth+1)
	}
	return b.card(n.kind, n.payload, func() []*doc.Node { return b.lexicalBlocks(n, depth+1) })
}

// level brings a heading's level into the schema's range.
func (b *ghostBody) level(level int) int {
	if level < 2 || level > 4 {
		b.change("h%d: headings in a story have the levels 2 to 4", level)
	}
	return min(max(level, 2), 4)
}

// hasBlocks tells that a card stands inside of a paragraph.
func (b *ghostBody) hasBlocks(n lexicalNode) bool {
	for _, c := range n.children {
		if !isLexicalInline(c.kind) {
			return true
		}
	}
	return false
}

func (b *ghostBody) lexicalList(n lexicalNode, depth int) []*doc.Node {
	l := &doc.Node{Type: "bullet_list", Attrs: b.dir(n.str("direction"))}
	if n.str("listType") == "number" || n.str("tag") == "ol" {
		l.Type = "ordered_list"
		if start, err := strconv.Atoi(n.str("start")); err == nil && start >= 0 && start <= 1_000_000 {
			l.Attrs["start"] = start
		}
	}
	for _, item := range n.children {
		if item.kind != "listitem" {
			l.Content = append(l.Content, &doc.Node{Type: "list_item", Content: b.lexicalBlock(item, depth+1)})
			continue
		}
		blocks := b.lexicalBlocks(item, depth+2)
		// A nested list stands in an item of its own, behind the one it belongs to.
		if last := len(l.Content) - 1; last >= 0 && len(item.children) > 0 && item.children[0].kind == "list" {
			l.Content[last].Content = append(l.Content[last].Content, blocks...)
			continue
		}
		if len(blocks) == 0 {
			blocks = []*doc.Node{paragraph()}
		}
		l.Content = append(l.Content, &doc.Node{Type: "list_item", Content: blocks})
	}
	if len(l.Content) == 0 {
		return nil
	}
	return []*doc.Node{l}
}

// lexicalText reads the children of n as inline nodes.
func (b *ghostBody) lexicalText(n lexicalNode, depth int) []*doc.Node {
	var out []*doc.Node
	for _, c := range n.children {
		if inline := b.lexicalInline(c, depth); inline != nil {
			out = append(out, inline...)
			continue
		}
		for _, block := range b.lexicalBlock(c, depth+1) { // blocks where only text can stand
			if len(block.Content) > 0 {
				out = append(out, words(" "))
				block.Walk(func(d *doc.Node) bool {
					if d.Type == "text" || d.Type == "hard_break" {
						out = append(out, d)
					}
					return true
				})
			}
		}
	}
	return out
}

func isLexicalInline(kind string) bool {
	switch kind {
	case "text", "extended-text", "linebreak", "tab", "link", "autolink", "at-link", "at-link-search", "zwnj", "tk", "emoji",
		"code-highlight", "hashtag", "mention", "overflow", "mark":
		return true
	}
	return false
}

// lexicalInline reads an inline node; nil where n is none.
func (b *ghostBody) lexicalInline(n lexicalNode, depth int) []*doc.Node {
	if !isLexicalInline(n.kind) || depth > maxNesting {
		return nil
	}
	switch n.kind {
	case "linebreak":
		return []*doc.Node{{Type: "hard_break"}}
	case "tab":
		return []*doc.Node{words(" ")}
	case "zwnj", "at-link-search":
		return []*doc.Node{}
	case "link", "autolink", "at-link":
		inner := b.lexicalText(n, depth+1)
		if len(inner) == 0 && n.kind == "at-link" && n.str("url") != "" {
			inner = []*doc.Node{words(strings.ReplaceAll(n.str("url"), "__GHOST_URL__", ""))}
		}
		return append([]*doc.Node{}, b.link(n.str("url"), n.str("title"), inner)...)
	case "overflow", "mark":
		return append([]*doc.Node{}, b.lexicalText(n, depth+1)...)
	}
	t := n.str("text")
	if t == "" {
		return []*doc.Node{}
	}
	format, _ := strconv.Atoi(n.str("format"))
	node := words(t)
	for _, f := range lexicalFormats {
		if format&f.bit != 0 {
			node.Marks = append(node.Marks, doc.Mark{Type: f.mark})
		}
	}
	if format&lexicalHighlight != 0 {
		b.change("highlighting was taken off: a story has none")
	}
	return []*doc.Node{node}
}

// plain is the text below n, line breaks as line ends.
func (b *ghostBody) plain(n lexicalNode, depth int) string {
	switch {
	case n.kind == "linebreak":
		return "\n"
	case n.kind == "tab":
		return "\t"
	case depth > maxNesting:
		return ""
	}
	s := n.str("text")
	for _, c := range n.children {
		s += b.plain(c, depth+1)
	}
	return s
}
