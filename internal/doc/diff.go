package doc

import (
	"reflect"
	"strings"
	"unicode"
)

// Op is what became of something between two documents.
type Op string

// The ops. Altered is of blocks alone, Mark of spans alone: the words stay, and
// are marked otherwise.
const (
	Same    Op = "same"
	Insert  Op = "insert"
	Delete  Op = "delete"
	Altered Op = "change"
	Marks   Op = "mark"
)

// Block is one paragraph, heading, caption, cell or inset in a difference.
type Block struct {
	Op   Op     `json:"op"`
	Type string `json:"type"` // what it is now, or was: "paragraph", "bullet_list list_item paragraph"
	// The top-level block of each document that it is or stands in, from 0; nil where there is none.
	Old   *int         `json:"path_old,omitempty"`
	New   *int         `json:"path_new,omitempty"`
	Spans []Span       `json:"spans,omitempty"`
	Attrs []AttrChange `json:"attrs,omitempty"`
}

// Span is a stretch of text in a difference. A line break is "\n", a footnote
// is "*" and has its words in a block of its own, of type footnote.
type Span struct {
	Op   Op       `json:"op"`
	Text string   `json:"text"`
	Old  []string `json:"old,omitempty"` // types of the marks that it had; of Marks
	New  []string `json:"new,omitempty"` // types of the marks that it has; of Marks
}

// AttrChange is another value of an attribute; nil is the default.
type AttrChange struct {
	Name string `json:"name"`
	Old  any    `json:"old,omitempty"`
	New  any    `json:"new,omitempty"`
}

// Diff tells what became of old, word by word: every block of both documents in
// the order of reading, with those that were deleted where they stood. Both are
// read in normal form, so that what nobody sees is no difference.
func Diff(old, new *Node) []Block {
	a, b := unitsOf(Normalize(old)), unitsOf(Normalize(new))
	pairs := align(keysOf(a), keysOf(b))
	var out []Block
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		if i < len(a) && pairs[i] == j {
			out = append(out, Block{Op: Same, Type: b[j].typ, Old: &a[i].top, New: &b[j].top, Spans: plainSpans(Same, b[j].tokens)})
			i, j = i+1, j+1
			continue
		}
		endA := i
		for endA < len(a) && pairs[endA] < 0 {
			endA++
		}
		endB := len(b)
		if endA < len(a) {
			endB = pairs[endA]
		}
		out = append(out, diffRun(a[i:endA], b[j:endB])...)
		i, j = endA, endB
	}
	return out
}

// unit is a block without blocks in it: what a difference is told of.
type unit struct {
	top    int // the top-level block it is or stands in
	typ    string
	key    string
	attrs  map[string]any // its own, and those of what it is the first in
	tokens []wordToken
	words  map[string]int
}

// wordToken is a word, a space, a sign.
type wordToken struct {
	text  string
	marks []Mark
}

func unitsOf(root *Node) []unit {
	var out []unit
	var walk func(n *Node, top int, above string, inherited map[string]any)
	walk = func(n *Node, top int, above string, inherited map[string]any) {
		typ := strings.TrimSpace(above + " " + n.Type)
		attrs := map[string]any{}
		for k, v := range inherited {
			attrs[k] = v
		}
		for k, v := range n.Attrs {
			attrs[k] = v
		}
		if !leaf(n.Type) && !isText(n.Type) {
			lower := map[string]any{}
			for k, v := range attrs {
				if !strings.Contains(k, ".") {
					k = n.Type + "." + k
				}
				lower[k] = v
			}
			for i, c := range n.Content {
				if i > 0 {
					lower = nil
				}
				walk(c, top, typ, lower)
			}
			return
		}
		u := unit{top: top, typ: typ, attrs: attrs, words: map[string]int{}}
		var notes []*Node
		for _, c := range n.Content {
			switch c.Type {
			case "text":
				u.tokens = appendTokens(u.tokens, c.Text, c.Marks)
			case "hard_break":
				u.tokens = append(u.tokens, wordToken{"\n", nil})
			case "footnote":
				u.tokens = append(u.tokens, wordToken{"*", nil})
				notes = append(notes, c)
			}
		}
		for _, t := range u.tokens {
			if isWord(t.text) {
				u.words[t.text]++
			}
		}
		bare := &Node{Type: n.Type, Content: n.Content}
		if len(notes) > 0 {
			bare.Content = nil
			for _, c := range n.Content {
				if c.Type == "footnote" {
					c = &Node{Type: "footnote"}
				}
				bare.Content = append(bare.Content, c)
			}
		}
		u.key = typ + string(appendAttrs(nil, attrs)) + string(bare.JSON())
		out = append(out, u)
		for _, note := range notes {
			walk(note, top, typ, nil)
		}
	}
	for i, c := range root.Content {
		walk(c, i, "", nil)
	}
	return out
}

func keysOf(list []unit) []string {
	keys := make([]string, len(list))
	for i, u := range list {
		keys[i] = u.key
	}
	return keys
}

// appendTokens cuts text into words, runs of white space, and signs.
func appendTokens(out []wordToken, text string, marks []Mark) []wordToken {
	class := func(r rune) int {
		switch {
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar):
			return 0
		case unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) || unicode.Is(unicode.Cf, r) || r == '’' || r == '\'':
			return 1
		case unicode.IsSpace(r):
			return 2
		}
		return 0
	}
	start, was := 0, -1
	for i, r := range text {
		c := class(r)
		if i > start && (c != was || c == 0) {
			out = append(out, wordToken{text[start:i], marks})
			start = i
		}
		was = c
	}
	if start < len(text) {
		out = append(out, wordToken{text[start:], marks})
	}
	return out
}

func isWord(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) })
}

// diffRun tells of blocks that have no equal: those that are much alike are one
// block that has changed, the others were deleted or inserted.
func diffRun(a, b []unit) []Block {
	pairs := similar(a, b)
	var out []Block
	j := 0
	insertTo := func(end int) {
		for ; j < end; j++ {
			out = append(out, Block{Op: Insert, Type: b[j].typ, New: &b[j].top, Spans: plainSpans(Insert, b[j].tokens), Attrs: attrChanges(nil, b[j].attrs)})
		}
	}
	for i := range a {
		if pairs[i] < 0 {
			out = append(out, Block{Op: Delete, Type: a[i].typ, Old: &a[i].top, Spans: plainSpans(Delete, a[i].tokens)})
			continue
		}
		insertTo(pairs[i])
		out = append(out, Block{Op: Altered, Type: b[j].typ, Old: &a[i].top, New: &b[j].top,
			Spans: diffTokens(a[i].tokens, b[j].tokens), Attrs: attrChanges(a[i].attrs, b[j].attrs)})
		j++
	}
	insertTo(len(b))
	return out
}

// maxPairs bounds the comparing of blocks with one another.
const maxPairs = 40_000

// similar pairs blocks, in order, so that the likenesses add up to the most.
func similar(a, b []unit) []int {
	pairs := make([]int, len(a))
	for i := range pairs {
		pairs[i] = -1
	}
	if len(a)*len(b) > maxPairs {
		// Too many to compare each with each: the first with the first.
		for i := 0; i < len(a) && i < len(b); i++ {
			if likeness(a[i], b[i]) > 0 {
				pairs[i] = i
			}
		}
		return pairs
	}
	width := len(b) + 1
	like := make([]float64, len(a)*len(b))
	best := make([]float64, (len(a)+1)*width)
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			l := likeness(a[i], b[j])
			like[i*len(b)+j] = l
			best[i*width+j] = max(best[(i+1)*width+j], best[i*width+j+1])
			if l > 0 {
				best[i*width+j] = max(best[i*width+j], l+best[(i+1)*width+j+1])
			}
		}
	}
	for i, j := 0, 0; i < len(a) && j < len(b); {
		l := like[i*len(b)+j]
		switch at := best[i*width+j]; {
		case l > 0 && at == l+best[(i+1)*width+j+1]:
			pairs[i] = j
			i, j = i+1, j+1
		case at == best[(i+1)*width+j]:
			i++
		default:
			j++
		}
	}
	return pairs
}

// likeness is how much of their words two blocks share, from 0.4 to 1, and 0
// below that. Blocks without words are alike when they are of one type.
func likeness(a, b unit) float64 {
	if len(a.words) == 0 && len(b.words) == 0 {
		if a.typ == b.typ {
			return 0.4
		}
		return 0
	}
	total, shared := 0, 0
	for _, n := range a.words {
		total += n
	}
	for w, n := range b.words {
		total += n
		shared += min(n, a.words[w])
	}
	l := 2 * float64(shared) / float64(total)
	if l < 0.4 {
		return 0
	}
	return l
}

// DiffText tells what became of a line of text, word by word.
func DiffText(old, new string) []Span {
	return diffTokens(appendTokens(nil, old, nil), appendTokens(nil, new, nil))
}

func diffTokens(a, b []wordToken) []Span {
	words := func(list []wordToken) []string {
		out := make([]string, len(list))
		for i, t := range list {
			out[i] = t.text
		}
		return out
	}
	pairs := align(words(a), words(b))
	var out []Span
	add := func(s Span) {
		if k := len(out) - 1; k >= 0 && out[k].Op == s.Op && reflect.DeepEqual(out[k].Old, s.Old) && reflect.DeepEqual(out[k].New, s.New) {
			out[k].Text += s.Text
			return
		}
		out = append(out, s)
	}
	j := 0
	for i := 0; i <= len(a); {
		start := i
		for i < len(a) && pairs[i] < 0 {
			i++
		}
		for _, t := range a[start:i] {
			add(Span{Op: Delete, Text: t.text})
		}
		end := len(b)
		if i < len(a) {
			end = pairs[i]
		}
		for ; j < end; j++ {
			add(Span{Op: Insert, Text: b[j].text})
		}
		if i == len(a) {
			break
		}
		if s := (Span{Op: Same, Text: b[j].text}); sameMarks(a[i].marks, b[j].marks) {
			add(s)
		} else {
			s.Op, s.Old, s.New = Marks, markTypes(a[i].marks), markTypes(b[j].marks)
			add(s)
		}
		i, j = i+1, j+1
	}
	return withoutIslands(out)
}

// withoutIslands gives a space between two changed words to both of them, so
// that what was deleted and what was inserted read as one piece each.
func withoutIslands(spans []Span) []Span {
	var out []Span
	var deleted, inserted string
	flush := func() {
		if deleted != "" {
			out = append(out, Span{Op: Delete, Text: deleted})
		}
		if inserted != "" {
			out = append(out, Span{Op: Insert, Text: inserted})
		}
		deleted, inserted = "", ""
	}
	for i, s := range spans {
		switch {
		case s.Op == Delete:
			deleted += s.Text
		case s.Op == Insert:
			inserted += s.Text
		case s.Op == Same && deleted != "" && inserted != "" && !isWord(s.Text) && i+1 < len(spans) && spans[i+1].Op != Same && spans[i+1].Op != Marks:
			deleted += s.Text
			inserted += s.Text
		default:
			flush()
			out = append(out, s)
		}
	}
	flush()
	return out
}

func plainSpans(op Op, tokens []wordToken) []Span {
	if len(tokens) == 0 {
		return nil
	}
	var b strings.Builder
	for _, t := range tokens {
		b.WriteString(t.text)
	}
	return []Span{{Op: op, Text: b.String()}}
}

func markTypes(marks []Mark) []string {
	var out []string
	for _, m := range marks {
		out = append(out, m.Type)
	}
	return out
}

func attrChanges(old, new map[string]any) []AttrChange {
	all := map[string]any{}
	for k := range old {
		all[k] = nil
	}
	for k := range new {
		all[k] = nil
	}
	var out []AttrChange
	for _, k := range sortedKeys(all) {
		if old[k] != new[k] {
			out = append(out, AttrChange{k, old[k], new[k]})
		}
	}
	return out
}
