package doc

import "unicode/utf8"

// Positions are those of ProseMirror: they count the places between tokens of
// the document, where a letter, a leaf, and the beginning and the end of every
// other node are one token each. Letters are counted as browsers do, in units
// of UTF-16.

// misfit is why a step does not fit. What works on positions panics with it,
// and step.apply alone recovers it: the code below is ProseMirror's, line by
// line, and an error at each of its lines would hide that.
type misfit string

func fits(ok bool, why string) {
	if !ok {
		panic(misfit(why))
	}
}

// units is the length of a text in units of UTF-16.
func units(s string) int {
	n := 0
	for i := range len(s) {
		if s[i]&0xC0 != 0x80 { // the first byte of a letter
			n++
		}
		if s[i] >= 0xF0 { // of one beyond the basic plane, which is a pair
			n++
		}
	}
	return n
}

// cutUnits gives the text between two offsets in units of UTF-16.
func cutUnits(s string, from, to int) string {
	start, at := -1, 0
	for i, r := range s {
		if at == from {
			start = i
		}
		if at == to {
			fits(start >= 0, "a letter would be cut in two")
			return s[start:i]
		}
		at++
		if r > 0xFFFF {
			at++
		}
	}
	if at == from {
		start = len(s)
	}
	fits(start >= 0 && at == to, "a letter would be cut in two")
	return s[start:]
}

// leaf tells whether nodes of the type hold nothing: they are one token.
func leaf(typ string) bool { return nodeSpecs[typ].content == "" }

// Size is how many positions the node takes, its own beginning and end included.
func (n *Node) Size() int {
	switch {
	case n.Type == "text":
		return units(n.Text)
	case leaf(n.Type):
		return 1
	}
	return 2 + contentSize(n.Content)
}

func contentSize(content []*Node) int {
	size := 0
	for _, c := range content {
		size += c.Size()
	}
	return size
}

// with is the node around other content.
func (n *Node) with(content []*Node) *Node {
	return &Node{Type: n.Type, Attrs: n.Attrs, Content: content, Text: n.Text, Marks: n.Marks}
}

// findIndex gives the child that position pos of a content lies in or before,
// and where that begins.
func findIndex(content []*Node, pos int) (index, offset int) {
	fits(pos >= 0, "a position before the beginning")
	at := 0
	for i, c := range content {
		if at == pos {
			return i, at
		}
		end := at + c.Size()
		if end > pos {
			return i, at
		}
		at = end
	}
	fits(at == pos, "a position behind the end")
	return len(content), at
}

// level is one node on the way to a position: which child lies at the position,
// and where that child begins in the document.
type level struct {
	node  *Node
	index int
	at    int
}

// place is a position with the nodes around it (ProseMirror's ResolvedPos).
type place struct {
	pos    int
	path   []level
	offset int // in the innermost node
}

func resolve(root *Node, pos int) place {
	p := place{pos: pos, offset: pos}
	start := 0
	for n := root; ; {
		index, offset := findIndex(n.Content, p.offset)
		p.path = append(p.path, level{n, index, start + offset})
		rest := p.offset - offset
		if rest == 0 {
			return p
		}
		n = n.Content[index]
		if n.Type == "text" {
			return p
		}
		fits(!leaf(n.Type), "a position inside of a leaf")
		p.offset = rest - 1
		start += offset + 1
	}
}

func (p place) depth() int           { return len(p.path) - 1 }
func (p place) node(depth int) *Node { return p.path[depth].node }
func (p place) index(depth int) int  { return p.path[depth].index }

// inText is how far the position lies inside a text.
func (p place) inText() int { return p.pos - p.path[len(p.path)-1].at }

func (p place) indexAfter(depth int) int {
	if depth == p.depth() && p.inText() == 0 {
		return p.index(depth)
	}
	return p.index(depth) + 1
}

func (p place) start(depth int) int {
	if depth == 0 {
		return 0
	}
	return p.path[depth-1].at + 1
}

func (p place) end(depth int) int { return p.start(depth) + contentSize(p.node(depth).Content) }

// shared is the depth of the innermost node that holds both positions.
func (p place) shared(pos int) int {
	for d := p.depth(); d > 0; d-- {
		if p.start(d) <= pos && pos <= p.end(d) {
			return d
		}
	}
	return 0
}

// before and after give the parts of the text that the position is in.
func (p place) before() *Node {
	t := p.node(p.depth()).Content[p.index(p.depth())]
	return cutText(t, 0, p.inText())
}

func (p place) after() *Node {
	t := p.node(p.depth()).Content[p.index(p.depth())]
	return cutText(t, p.inText(), units(t.Text))
}

func cutText(t *Node, from, to int) *Node {
	return &Node{Type: "text", Text: cutUnits(t.Text, from, to), Marks: t.Marks}
}

// nodeAt gives the node that begins at pos, or the text that pos is in.
func nodeAt(root *Node, pos int) *Node {
	for n := root; ; {
		index, offset := findIndex(n.Content, pos)
		fits(index < len(n.Content), "there is no node at the position")
		n = n.Content[index]
		if offset == pos || n.Type == "text" {
			return n
		}
		fits(!leaf(n.Type), "a position inside of a leaf")
		pos -= offset + 1
	}
}

// cutContent is the part of a content between two positions of it.
func cutContent(content []*Node, from, to int) []*Node {
	var out []*Node
	at := 0
	for _, c := range content {
		if at >= to {
			break
		}
		size := c.Size()
		end := at + size
		if end > from {
			if at < from || end > to {
				if c.Type == "text" {
					c = cutText(c, max(0, from-at), min(size, to-at))
				} else {
					c = c.with(cutContent(c.Content, max(0, from-at-1), min(size-2, to-at-1)))
				}
			}
			out = append(out, c)
		}
		at = end
	}
	return out
}

// push adds a node to a content, and joins texts of equal marks.
func push(content []*Node, n *Node) []*Node {
	if k := len(content) - 1; k >= 0 && n.Type == "text" && content[k].Type == "text" && sameMarks(content[k].Marks, n.Marks) {
		content[k] = &Node{Type: "text", Text: content[k].Text + n.Text, Marks: n.Marks}
		return content
	}
	return append(content, n)
}

// appended is a content after another, in a list of its own.
func appended(lists ...[]*Node) []*Node {
	var out []*Node
	for _, list := range lists {
		for i, n := range list {
			if i == 0 {
				out = push(out, n)
			} else {
				out = append(out, n)
			}
		}
	}
	return out
}

func replaceChild(content []*Node, index int, n *Node) []*Node {
	out := append([]*Node(nil), content...)
	out[index] = n
	return out
}

// TextBetween gives the words between two positions, blocks parted by a space,
// at most limit bytes of them. Positions outside of the document are moved to
// its ends.
func (n *Node) TextBetween(from, to, limit int) string {
	var b []byte
	var walk func(content []*Node, at int)
	walk = func(content []*Node, at int) {
		for _, c := range content {
			size := c.Size()
			if end := at + size; end > from && at < to && len(b) <= limit {
				switch {
				case c.Type == "text":
					pos := at
					for _, r := range c.Text {
						if pos >= from && pos < to {
							b = utf8.AppendRune(b, r)
						}
						pos += units(string(r))
					}
				case leaf(c.Type) || !isText(c.Type):
					if len(b) > 0 && b[len(b)-1] != ' ' {
						b = append(b, ' ')
					}
					walk(c.Content, at+1)
				default:
					if len(b) > 0 && b[len(b)-1] != ' ' && nodeSpecs[c.Type].group != "inline" {
						b = append(b, ' ')
					}
					walk(c.Content, at+1)
				}
			}
			at += size
		}
	}
	walk(n.Content, 0)
	s := string(b)
	if len(s) > limit {
		s = clip(s, limit)
	}
	return cleanLine(s)
}
