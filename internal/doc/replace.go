package doc

import "slices"

// Slice is a piece of a document: content whose first and last nodes may be cut
// through, down to OpenStart and OpenEnd (ProseMirror's Slice).
type Slice struct {
	Content            []*Node
	OpenStart, OpenEnd int
}

// Size is how many positions the slice adds where it is put in.
func (s Slice) Size() int { return contentSize(s.Content) - s.OpenStart - s.OpenEnd }

func sliceOf(root *Node, from, to int) Slice {
	if from == to {
		return Slice{}
	}
	fits(from < to, "a range that ends before it begins")
	a, b := resolve(root, from), resolve(root, to)
	d := a.shared(to)
	start := a.start(d)
	return Slice{cutContent(a.node(d).Content, from-start, to-start), a.depth() - d, b.depth() - d}
}

// open checks that a slice is as deep at both sides as it claims to be open.
func (s Slice) open() {
	fits(s.OpenStart >= 0 && s.OpenEnd >= 0, "a slice that is open less than not at all")
	for i, depth := range []int{s.OpenStart, s.OpenEnd} {
		content := s.Content
		for range depth {
			fits(len(content) > 0, "a slice that is not as deep as it is open")
			n := content[0]
			if i == 1 {
				n = content[len(content)-1]
			}
			fits(!leaf(n.Type) && n.Type != "text", "a slice that is open at a leaf")
			content = n.Content
		}
	}
	fits(s.Size() >= 0, "a slice that is open on both sides of nothing")
}

// validContent tells whether nodes of the type may hold the content: what
// ProseMirror asks of each node that a step has touched.
func validContent(typ string, content []*Node) bool {
	spec := nodeSpecs[typ]
	if len(content) < spec.min {
		return false
	}
	for _, c := range content {
		if !spec.allows(c.Type) || len(c.Marks) > 0 && !allowsMarks(typ) {
			return false
		}
	}
	return true
}

// allowsMarks tells whether what stands in nodes of the type may be marked:
// text, unless it is code.
func allowsMarks(typ string) bool { return isText(typ) && !nodeSpecs[typ].bare }

// compatible tells whether nodes of two types can be joined: there is something
// that both may begin with.
func compatible(a, b string) bool {
	if a == b {
		return true
	}
	for child := range nodeSpecs {
		if nodeSpecs[a].allows(child) && nodeSpecs[b].allows(child) {
			return true
		}
	}
	return false
}

// replaced is the document with the slice in place of what lies between two
// positions. This and what follows is prosemirror-model, src/replace.ts.
func replaced(root *Node, from, to int, s Slice) *Node {
	fits(from <= to, "a range that ends before it begins")
	s.open()
	a, b := resolve(root, from), resolve(root, to)
	fits(s.OpenStart <= a.depth(), "inserted content deeper than the insertion position")
	fits(a.depth()-s.OpenStart == b.depth()-s.OpenEnd, "inconsistent open depths")
	return replaceOuter(a, b, s, 0)
}

func replaceOuter(a, b place, s Slice, depth int) *Node {
	index, n := a.index(depth), a.node(depth)
	switch {
	case index == b.index(depth) && depth < a.depth()-s.OpenStart:
		return n.with(replaceChild(n.Content, index, replaceOuter(a, b, s, depth+1)))
	case contentSize(s.Content) == 0:
		return closed(n, replaceTwoWay(a, b, depth))
	case s.OpenStart == 0 && s.OpenEnd == 0 && a.depth() == depth && b.depth() == depth:
		return closed(n, appended(cutContent(n.Content, 0, a.offset), s.Content, cutContent(n.Content, b.offset, contentSize(n.Content))))
	}
	start, end := along(s, a)
	return closed(n, replaceThreeWay(a, start, end, b, depth))
}

func closed(n *Node, content []*Node) *Node {
	fits(validContent(n.Type, content), "invalid content for "+n.Type)
	return n.with(content)
}

func joinable(before, after place, depth int) *Node {
	n := before.node(depth)
	join(n, after.node(depth))
	return n
}

func join(main, sub *Node) {
	fits(compatible(sub.Type, main.Type), "cannot join "+sub.Type+" onto "+main.Type)
}

// addRange adds the children of one node that lie between two places; either
// may be nil, for the node's beginning or end.
func addRange(start, end *place, depth int, target []*Node) []*Node {
	which := end
	if end == nil {
		which = start
	}
	n := which.node(depth)
	first, last := 0, len(n.Content)
	if end != nil {
		last = end.index(depth)
	}
	if start != nil {
		first = start.index(depth)
		if start.depth() > depth {
			first++
		} else if start.inText() > 0 {
			target = push(target, start.after())
			first++
		}
	}
	for i := first; i < last; i++ {
		target = push(target, n.Content[i])
	}
	if end != nil && end.depth() == depth && end.inText() > 0 {
		target = push(target, end.before())
	}
	return target
}

func replaceThreeWay(from, start, end, to place, depth int) []*Node {
	var openStart, openEnd *Node
	if from.depth() > depth {
		openStart = joinable(from, start, depth+1)
	}
	if to.depth() > depth {
		openEnd = joinable(end, to, depth+1)
	}
	content := addRange(nil, &from, depth, nil)
	if openStart != nil && openEnd != nil && start.index(depth) == end.index(depth) {
		join(openStart, openEnd)
		content = push(content, closed(openStart, replaceThreeWay(from, start, end, to, depth+1)))
	} else {
		if openStart != nil {
			content = push(content, closed(openStart, replaceTwoWay(from, start, depth+1)))
		}
		content = addRange(&start, &end, depth, content)
		if openEnd != nil {
			content = push(content, closed(openEnd, replaceTwoWay(end, to, depth+1)))
		}
	}
	return addRange(&to, nil, depth, content)
}

func replaceTwoWay(from, to place, depth int) []*Node {
	content := addRange(nil, &from, depth, nil)
	if from.depth() > depth {
		n := joinable(from, to, depth+1)
		content = push(content, closed(n, replaceTwoWay(from, to, depth+1)))
	}
	return addRange(&to, nil, depth, content)
}

// along puts the slice into copies of the nodes around it.
func along(s Slice, a place) (start, end place) {
	extra := a.depth() - s.OpenStart
	n := a.node(extra).with(s.Content)
	for i := extra - 1; i >= 0; i-- {
		n = a.node(i).with([]*Node{n})
	}
	return resolve(n, s.OpenStart+extra), resolve(n, contentSize(n.Content)-s.OpenEnd-extra)
}

// insertAt puts content into the slice, at a position of it.
func (s Slice) insertAt(pos int, content []*Node) Slice {
	fits(pos >= 0 && pos <= s.Size(), "an insertion outside of the slice")
	return Slice{insertInto(s.Content, pos+s.OpenStart, content, s.OpenStart+1, s.OpenEnd+1, nil), s.OpenStart, s.OpenEnd}
}

func insertInto(content []*Node, dist int, insert []*Node, openStart, openEnd int, parent *Node) []*Node {
	index, offset := findIndex(content, dist)
	if offset == dist || content[index].Type == "text" {
		out := appended(cutContent(content, 0, dist), insert, cutContent(content, dist, contentSize(content)))
		fits(parent == nil || openStart > 0 || openEnd > 0 || validContent(parent.Type, slices.Concat(content, insert)), "content does not fit in the gap")
		return out
	}
	child := content[index]
	fits(!leaf(child.Type), "an insertion into a leaf")
	innerStart, innerEnd := 0, 0
	if index == 0 {
		innerStart = openStart - 1
	}
	if index == len(content)-1 {
		innerEnd = openEnd - 1
	}
	return replaceChild(content, index, child.with(insertInto(child.Content, dist-offset-1, insert, innerStart, innerEnd, child)))
}

// contentBetween tells whether more than beginnings and ends of nodes lie
// between two positions.
func contentBetween(root *Node, from, to int) bool {
	a := resolve(root, from)
	dist, depth := to-from, a.depth()
	for dist > 0 && depth > 0 && a.indexAfter(depth) == len(a.node(depth).Content) {
		depth--
		dist--
	}
	if dist <= 0 {
		return false
	}
	var next *Node
	if i := a.indexAfter(depth); i < len(a.node(depth).Content) {
		next = a.node(depth).Content[i]
	}
	for ; dist > 0; dist-- {
		if next == nil || leaf(next.Type) || next.Type == "text" {
			return true
		}
		if len(next.Content) == 0 {
			next = nil
		} else {
			next = next.Content[0]
		}
	}
	return false
}
