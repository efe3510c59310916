package doc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"masthead/internal/fault"
)

// The kinds of a step, as prosemirror-transform writes them.
const (
	stepReplace        = "replace"
	stepReplaceAround  = "replaceAround"
	stepAddMark        = "addMark"
	stepRemoveMark     = "removeMark"
	stepAddNodeMark    = "addNodeMark"
	stepRemoveNodeMark = "removeNodeMark"
	stepAttr           = "attr"
	stepDocAttr        = "docAttr"
)

// Step is one change of a document, in the form of prosemirror-transform. A
// zero Step changes nothing that Apply would take; make one with ParseStep,
// Replace or Steps.
type Step struct {
	Kind           string // such as replace or addMark
	From, To       int    // Pos of addNodeMark, removeNodeMark and attr is From
	GapFrom, GapTo int    // of replaceAround
	Insert         int    // of replaceAround
	Slice          Slice
	Structure      bool // of replace, replaceAround: it may not remove text
	Mark           Mark
	Attr           string
	Value          any // of Attr: a string, an int, or nil for the default
}

type sliceJSON struct {
	Content   []*Node `json:"content,omitempty"`
	OpenStart int     `json:"openStart,omitempty"`
	OpenEnd   int     `json:"openEnd,omitempty"`
}

type stepJSON struct {
	Kind      string           `json:"stepType"`
	From      *int             `json:"from,omitempty"`
	To        *int             `json:"to,omitempty"`
	GapFrom   *int             `json:"gapFrom,omitempty"`
	GapTo     *int             `json:"gapTo,omitempty"`
	Insert    *int             `json:"insert,omitempty"`
	Pos       *int             `json:"pos,omitempty"`
	Slice     *sliceJSON       `json:"slice,omitempty"`
	Structure bool             `json:"structure,omitempty"`
	Mark      *Mark            `json:"mark,omitempty"`
	Attr      *string          `json:"attr,omitempty"`
	Value     *json.RawMessage `json:"value,omitempty"`
}

// StepError says why a step cannot be applied. It carries fault.Invalid.
type StepError struct {
	Index int // which of the steps
	Why   string
}

func (e *StepError) Error() string { return fmt.Sprintf("step %d: %s", e.Index, e.Why) }

// Unwrap gives the fault that the API answers with.
func (e *StepError) Unwrap() error {
	return fault.New(fault.Invalid, "the change does not fit: "+e.Why, "step", e.Index).WithHint("read the story anew, and make the change again")
}

// ParseStep reads a step from the JSON of prosemirror-transform. Nodes, marks
// and attributes that no schema knows are found by [Apply].
func ParseStep(data []byte) (Step, error) {
	s, err := parseStep(data)
	if err != nil {
		return Step{}, &StepError{Why: err.Error()}
	}
	return s, nil
}

func parseStep(data []byte) (Step, error) {
	switch {
	case len(data) > MaxBytes:
		return Step{}, fmt.Errorf("it has more than %d bytes", MaxBytes)
	case !utf8.Valid(data):
		return Step{}, errors.New("it is not UTF-8")
	case halfPair(data):
		// encoding/json would make it one letter, where the editor counts another.
		return Step{}, errors.New("half of a surrogate pair")
	}
	if err := shallow(data); err != nil {
		return Step{}, err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	dec.UseNumber()
	var j stepJSON
	if err := dec.Decode(&j); err != nil {
		return Step{}, errors.New("it is no step in JSON: " + err.Error())
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Step{}, errors.New("there is something after the step")
	}
	s := Step{Kind: j.Kind, Structure: j.Structure}
	if j.Slice != nil {
		s.Slice = Slice{j.Slice.Content, j.Slice.OpenStart, j.Slice.OpenEnd}
	}
	need := map[string][]**int{
		stepReplace: {&j.From, &j.To}, stepReplaceAround: {&j.From, &j.To, &j.GapFrom, &j.GapTo, &j.Insert},
		stepAddMark: {&j.From, &j.To}, stepRemoveMark: {&j.From, &j.To},
		stepAddNodeMark: {&j.Pos}, stepRemoveNodeMark: {&j.Pos}, stepAttr: {&j.Pos}, stepDocAttr: {},
	}
	numbers, known := need[j.Kind]
	if !known {
		return Step{}, fmt.Errorf("there are no steps of the kind %q", clip(j.Kind, 40))
	}
	to := []*int{&s.From, &s.To, &s.GapFrom, &s.GapTo, &s.Insert}
	for i, n := range numbers {
		if *n == nil || **n < 0 || **n > 1<<30 {
			return Step{}, errors.New("a position is missing or out of range")
		}
		*to[i] = **n
	}
	switch j.Kind {
	case stepAddMark, stepRemoveMark, stepAddNodeMark, stepRemoveNodeMark:
		if j.Mark == nil {
			return Step{}, errors.New("the mark is missing")
		}
		s.Mark = *j.Mark
	case stepAttr, stepDocAttr:
		if j.Attr == nil {
			return Step{}, errors.New("the attribute is missing")
		}
		s.Attr = *j.Attr
		if j.Value != nil {
			dec := json.NewDecoder(bytes.NewReader(*j.Value))
			dec.UseNumber()
			if err := dec.Decode(&s.Value); err != nil {
				return Step{}, errors.New("the value cannot be read")
			}
		}
	}
	var err error
	if s.Slice.Content, err = leanContent(s.Slice.Content); err != nil {
		return Step{}, err
	}
	if s.Mark, err = leanMark(s.Mark); err != nil {
		return Step{}, err
	}
	if n, ok := wholeNumber(s.Value); ok {
		s.Value = n
	}
	return s, simple(s.Value)
}

// halfPair tells whether JSON has an escape of half of a surrogate pair.
func halfPair(data []byte) bool {
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		if i++; i >= len(data) || data[i] != 'u' || i+4 >= len(data) {
			continue
		}
		high := surrogate(data[i+1:])
		if high == 0 {
			i += 4
			continue
		}
		if high > 0xDBFF || i+10 >= len(data) || data[i+5] != '\\' || data[i+6] != 'u' || surrogate(data[i+7:]) < 0xDC00 {
			return true
		}
		i += 10
	}
	return false
}

// surrogate gives the number of four hexadecimal digits where it is a surrogate, else 0.
func surrogate(hex []byte) int {
	n := 0
	for _, c := range hex[:4] {
		switch {
		case c >= '0' && c <= '9':
			n = n<<4 | int(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			n = n<<4 | int(c|0x20-'a'+10)
		default:
			return 0
		}
	}
	if n < 0xD800 || n > 0xDFFF {
		return 0
	}
	return n
}

// JSON returns the step as prosemirror-transform reads it.
func (s Step) JSON() []byte {
	j := stepJSON{Kind: s.Kind, Structure: s.Structure}
	switch s.Kind {
	case stepReplaceAround:
		j.GapFrom, j.GapTo, j.Insert = &s.GapFrom, &s.GapTo, &s.Insert
		fallthrough
	case stepReplace:
		j.From, j.To = &s.From, &s.To
		if len(s.Slice.Content) > 0 {
			j.Slice = &sliceJSON{s.Slice.Content, s.Slice.OpenStart, s.Slice.OpenEnd}
		}
	case stepAddMark, stepRemoveMark:
		j.From, j.To, j.Mark = &s.From, &s.To, &s.Mark
	case stepAddNodeMark, stepRemoveNodeMark:
		j.Pos, j.Mark = &s.From, &s.Mark
	default:
		if s.Kind == stepAttr {
			j.Pos = &s.From
		}
		value := json.RawMessage(appendValue(nil, s.Value))
		j.Attr, j.Value = &s.Attr, &value
	}
	data, err := json.Marshal(j)
	if err != nil {
		panic("doc: step: " + err.Error()) // strings, ints and nodes
	}
	return data
}

// Replace is the step that puts whole nodes in place of what lies between two positions.
func Replace(from, to int, content ...*Node) Step {
	return Step{Kind: stepReplace, From: from, To: to, Slice: Slice{Content: content}}
}

// Apply gives the document after the steps; the one it was is untouched. The
// result keeps the schema as [CheckWorking] asks it. A step that does not fit is a
// *StepError, a result that breaks the schema an *Error: both are fault.Invalid.
func Apply(n *Node, steps ...Step) (*Node, error) {
	for i, s := range steps {
		next, err := s.apply(n)
		if err != nil {
			return nil, &StepError{Index: i, Why: err.Error()}
		}
		n = next
	}
	if len(steps) == 0 {
		return n, nil
	}
	if err := CheckWorking(n); err != nil {
		return nil, err
	}
	return n, nil
}

func (s Step) apply(n *Node) (out *Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			why, ok := p.(misfit)
			if !ok {
				panic(p)
			}
			err = errors.New(string(why))
		}
	}()
	if err := s.known(); err != nil {
		return nil, err
	}
	switch s.Kind {
	case stepReplace:
		fits(s.From <= s.To, "a range that ends before it begins")
		fits(!s.Structure || !contentBetween(n, s.From, s.To), "a change of structure would remove text")
		return replaced(n, s.From, s.To, s.Slice), nil
	case stepReplaceAround:
		fits(s.From <= s.GapFrom && s.GapFrom <= s.GapTo && s.GapTo <= s.To, "a gap outside of the range")
		fits(!s.Structure || !contentBetween(n, s.From, s.GapFrom) && !contentBetween(n, s.GapTo, s.To), "a change of structure would remove text")
		gap := sliceOf(n, s.GapFrom, s.GapTo)
		fits(gap.OpenStart == 0 && gap.OpenEnd == 0, "the gap is not a flat range")
		s.Slice.open()
		return replaced(n, s.From, s.To, s.Slice.insertAt(s.Insert, gap.Content)), nil
	case stepAddMark, stepRemoveMark:
		old := sliceOf(n, s.From, s.To)
		from := resolve(n, s.From)
		parent := from.node(from.shared(s.To))
		old.Content = mapInline(old.Content, parent, func(c, parent *Node) *Node {
			if s.Kind == stepRemoveMark {
				return marked(c, unmarked(c.Marks, s.Mark))
			}
			if !allowsMarks(parent.Type) || !leaf(c.Type) && !nodeSpecs[c.Type].atom {
				return c
			}
			return marked(c, added(c.Marks, s.Mark))
		})
		return replaced(n, s.From, s.To, old), nil
	case stepDocAttr:
		out := n.with(n.Content)
		out.Attrs = withAttr(n, s.Attr, s.Value)
		return out, nil
	}
	at := nodeAt(n, s.From)
	fits(at.Type != "text", "there is a text at the position")
	updated := &Node{Type: at.Type, Attrs: at.Attrs, Marks: at.Marks}
	switch s.Kind {
	case stepAddNodeMark:
		updated.Marks = added(at.Marks, s.Mark)
	case stepRemoveNodeMark:
		updated.Marks = unmarked(at.Marks, s.Mark)
	case stepAttr:
		updated.Attrs = withAttr(at, s.Attr, s.Value)
	}
	open := 1
	if leaf(at.Type) {
		open = 0
	}
	return replaced(n, s.From, s.From+1, Slice{[]*Node{updated}, 0, open}), nil
}

// known refuses what the schema has no word for, before anything relies on it.
func (s Step) known() error {
	switch s.Kind {
	case stepAddMark, stepRemoveMark, stepAddNodeMark, stepRemoveNodeMark:
		if _, ok := markSpecs[s.Mark.Type]; !ok {
			return fmt.Errorf("unknown mark %q", clip(s.Mark.Type, 40))
		}
	}
	return knownNodes(s.Slice.Content, 0)
}

func knownNodes(content []*Node, depth int) error {
	for _, n := range content {
		spec, ok := nodeSpecs[n.Type]
		switch {
		case depth > MaxDepth:
			return fmt.Errorf("nested deeper than %d", MaxDepth)
		case !ok:
			return fmt.Errorf("unknown node type %q", clip(n.Type, 40))
		case (n.Type == "text") != (n.Text != ""):
			return errors.New("a text without text, or text in another node")
		case spec.content == "" && len(n.Content) > 0:
			return errors.New("content in a leaf")
		}
		for _, m := range n.Marks {
			if _, ok := markSpecs[m.Type]; !ok {
				return fmt.Errorf("unknown mark %q", clip(m.Type, 40))
			}
		}
		if err := knownNodes(n.Content, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// mapInline calls f for every inline node, the innermost first.
func mapInline(content []*Node, parent *Node, f func(c, parent *Node) *Node) []*Node {
	var out []*Node
	for _, c := range content {
		if len(c.Content) > 0 {
			c = c.with(mapInline(c.Content, c, f))
		}
		if nodeSpecs[c.Type].group == "inline" {
			c = f(c, parent)
		}
		out = push(out, c)
	}
	return out
}

func marked(n *Node, marks []Mark) *Node {
	return &Node{Type: n.Type, Attrs: n.Attrs, Content: n.Content, Text: n.Text, Marks: marks}
}

var markRank = func() map[string]int {
	rank := map[string]int{}
	for i, m := range markOrder {
		rank[m] = i
	}
	return rank
}()

// added is the set with the mark in its place; one of the same type gives way.
func added(set []Mark, m Mark) []Mark {
	var out []Mark
	placed := false
	for _, other := range set {
		if sameMark(m, other) {
			return set
		}
		if other.Type == m.Type {
			continue
		}
		if !placed && markRank[other.Type] > markRank[m.Type] {
			out = append(out, m)
			placed = true
		}
		out = append(out, other)
	}
	if !placed {
		out = append(out, m)
	}
	return out
}

func unmarked(set []Mark, m Mark) []Mark {
	for i, other := range set {
		if sameMark(m, other) {
			if len(set) == 1 {
				return nil
			}
			return append(append([]Mark(nil), set[:i]...), set[i+1:]...)
		}
	}
	return set
}

func withAttr(n *Node, name string, value any) map[string]any {
	specs := nodeSpecs[n.Type].attrs
	_, ok := specs[name]
	fits(ok, "there is no such attribute")
	attrs := map[string]any{name: value}
	for k, v := range n.Attrs {
		if k != name {
			attrs[k] = v
		}
	}
	return leanAttrs(specs, attrs)
}

// Map gives where a position of the document before the step is after it. A
// position where something is put in goes behind it when assoc is positive,
// and stays before it otherwise; one in what was removed goes to its edge.
func (s Step) Map(pos, assoc int) int {
	var ranges [][3]int // where, how much was there, how much is now
	switch s.Kind {
	case stepReplace:
		ranges = [][3]int{{s.From, s.To - s.From, s.Slice.Size()}}
	case stepReplaceAround:
		ranges = [][3]int{{s.From, s.GapFrom - s.From, s.Insert}, {s.GapTo, s.To - s.GapTo, s.Slice.Size() - s.Insert}}
	}
	diff := 0
	for _, r := range ranges {
		start, old, now := r[0], r[1], r[2]
		if start > pos {
			break
		}
		if end := start + old; pos <= end {
			side := assoc
			switch {
			case old == 0:
			case pos == start:
				side = -1
			case pos == end:
				side = 1
			}
			if side < 0 {
				return start + diff
			}
			return start + diff + now
		}
		diff += now - old
	}
	return pos + diff
}
