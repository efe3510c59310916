package doc

// Limit tells how much of a story without a wall mark the preview gives away.
// Zero is no limit of that kind; whatever the limit, a preview is at most half
// of the story's words.
type Limit struct{ Paragraphs, Words int }

// Split cuts the document in two. The preview ends at the wall mark where there
// is one; else by the limit, after whole paragraphs. Only a first paragraph
// that alone is more than a quarter above the limit is cut, at the end of a
// sentence. A story of one sentence has an empty preview. Nothing of the rest
// is in the preview: footnotes stand with the text that refers to them, and
// headings, pictures and insets at the cut go to the rest. The mark itself is
// in neither. Both are in normal form; the empty one is doc.Empty.
func (n *Node) Split(l Limit) (preview, rest *Node) {
	for i, c := range n.Content {
		if c.Type == "wall_mark" {
			return part(n.Content[:i]), part(n.Content[i+1:])
		}
	}
	half := n.Words() / 2
	budget := half
	if l.Words > 0 {
		budget = min(budget, l.Words)
	}
	taken, kept, paragraphs := 0, 0, 0
	for i, c := range n.Content {
		words := c.Words()
		counts := words > 0 && c.Type != "heading" && c.Type != "figure" && c.Type != "embed" && c.Type != "gallery"
		if counts && l.Paragraphs > 0 && paragraphs == l.Paragraphs {
			break
		}
		if counts && paragraphs == 0 && c.Type == "paragraph" && taken+words > budget {
			if near := min(half, budget+budget/4); taken+words <= near {
				kept = i + 1
				break
			}
			if first, second := cutParagraph(c, budget-taken, half-taken); first != nil {
				before := append(append([]*Node{}, n.Content[:i]...), first)
				after := append([]*Node{second}, n.Content[i+1:]...)
				return part(before), part(after)
			}
			break
		}
		if taken+words > budget {
			break
		}
		taken += words
		if counts {
			paragraphs++
			kept = i + 1
		}
	}
	return part(n.Content[:kept]), part(n.Content[kept:])
}

func part(content []*Node) *Node { return Normalize(&Node{Type: "doc", Content: content}) }

// cutParagraph cuts after the last sentence that keeps within budget words,
// else after the first sentence where that has at most limit words, else not.
func cutParagraph(p *Node, budget, limit int) (first, second *Node) {
	at := 0
	for i, end := range sentenceEnds(leafText(p.Content)) {
		a, _ := cutInline(p.Content, end)
		words := (&Node{Type: "paragraph", Content: a}).Words()
		if words <= budget || i == 0 && words <= limit {
			at = end
		}
	}
	if at == 0 {
		return nil, nil
	}
	a, b := cutInline(p.Content, at)
	return &Node{Type: "paragraph", Attrs: p.Attrs, Content: a}, &Node{Type: "paragraph", Attrs: p.Attrs, Content: b}
}

// cutInline cuts inline nodes at an offset of leafText. A footnote right at
// the cut belongs to the sentence before it only where it stands before the
// space; otherwise it goes with what follows.
func cutInline(content []*Node, at int) (a, b []*Node) {
	pos := 0
	for _, n := range content {
		length := 0
		switch n.Type {
		case "text":
			length = len(n.Text)
		case "hard_break":
			length = 1
		}
		switch {
		case pos+length <= at && (length > 0 || pos < at):
			a = append(a, n)
		case pos >= at:
			b = append(b, n)
		default:
			a = append(a, &Node{Type: "text", Text: n.Text[:at-pos], Marks: n.Marks})
			b = append(b, &Node{Type: "text", Text: n.Text[at-pos:], Marks: n.Marks})
		}
		pos += length
	}
	return a, b
}
