package doc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strconv"
)

// Node is one node of a document. A text node has Type "text", Text and Marks;
// every other node has Attrs and Content as its schema allows. After Parse an
// attribute is a string or an int.
type Node struct {
	Type    string         `json:"type"`
	Attrs   map[string]any `json:"attrs,omitempty"`
	Content []*Node        `json:"content,omitempty"`
	Text    string         `json:"text,omitempty"`
	Marks   []Mark         `json:"marks,omitempty"`
}

// Mark is a property of a stretch of text, such as strong or link.
type Mark struct {
	Type  string         `json:"type"`
	Attrs map[string]any `json:"attrs,omitempty"`
}

// Limits of one document. They are far above any story and far below what
// would hurt the server.
const (
	MaxBytes = 4 << 20 // of JSON, HTML or Markdown
	MaxNodes = 100_000 // in one tree
	MaxDepth = 40      // of nested nodes, the document itself being 0
)

// Empty returns a document with one empty paragraph, which is how an editor
// starts.
func Empty() *Node {
	return &Node{Type: "doc", Content: []*Node{{Type: "paragraph"}}}
}

// Parse reads a document from ProseMirror JSON, brings it into normal form and
// checks it. A fault is an *Error that tells the path and what to do.
func Parse(data []byte) (*Node, error) {
	n, err := decode(data)
	if err != nil {
		return nil, err
	}
	// The check comes first as well, because the normal form drops what it
	// does not know and a wrong document must be named, not mended.
	if err := Check(n); err != nil {
		return nil, err
	}
	n = Normalize(n)
	if err := Check(n); err != nil {
		return nil, err
	}
	return n, nil
}

// decode reads one document's JSON, whatever it holds.
func decode(data []byte) (*Node, error) {
	if len(data) > MaxBytes {
		return nil, &Error{Why: fmt.Sprintf("it has %d bytes, more than %d", len(data), MaxBytes), Fix: "split the story"}
	}
	if err := shallow(data); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	dec.UseNumber()
	var n *Node
	if err := dec.Decode(&n); err != nil {
		return nil, &Error{Why: "it is not a document in JSON: " + err.Error(), Fix: `send {"type":"doc","content":[…]}`}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, &Error{Why: "there is something after the document", Fix: "send one JSON object alone"}
	}
	if n == nil {
		return nil, &Error{Why: "it is null", Fix: `send {"type":"doc","content":[…]}`}
	}
	return n, nil
}

// shallow refuses JSON nested deeper than a document can be, before anything
// recursive touches it. One node takes two levels: the object and its content.
func shallow(data []byte) error {
	depth, inString, escaped := 0, false, false
	for _, c := range data {
		switch {
		case escaped:
			escaped = false
		case inString:
			if c == '\\' {
				escaped = true
			} else if c == '"' {
				inString = false
			}
		case c == '"':
			inString = true
		case c == '{' || c == '[':
			if depth++; depth > 2*MaxDepth+8 {
				return &Error{Why: fmt.Sprintf("it is nested deeper than %d nodes", MaxDepth), Fix: "flatten lists and quotations"}
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// JSON returns the canonical bytes of the node: keys sorted, no space, "<" and
// ">" and "&" escaped so that the bytes may stand inside a script element.
// Parse(n.JSON()).JSON() gives the same bytes for a node in normal form.
func (n *Node) JSON() []byte { return n.appendJSON(nil) }

// MarshalJSON makes encoding/json write the canonical form too.
func (n *Node) MarshalJSON() ([]byte, error) { return n.JSON(), nil }

func (n *Node) appendJSON(b []byte) []byte {
	b = append(b, '{')
	if len(n.Attrs) > 0 {
		b = append(b, `"attrs":`...)
		b = appendAttrs(b, n.Attrs)
		b = append(b, ',')
	}
	if len(n.Content) > 0 {
		b = append(b, `"content":[`...)
		for i, c := range n.Content {
			if i > 0 {
				b = append(b, ',')
			}
			b = c.appendJSON(b)
		}
		b = append(b, `],`...)
	}
	if len(n.Marks) > 0 {
		b = append(b, `"marks":[`...)
		for i, m := range n.Marks {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, '{')
			if len(m.Attrs) > 0 {
				b = append(b, `"attrs":`...)
				b = appendAttrs(b, m.Attrs)
				b = append(b, ',')
			}
			b = append(b, `"type":`...)
			b = appendValue(b, m.Type)
			b = append(b, '}')
		}
		b = append(b, `],`...)
	}
	if n.Type == "text" {
		b = append(b, `"text":`...)
		b = appendValue(b, n.Text)
		b = append(b, ',')
	}
	b = append(b, `"type":`...)
	b = appendValue(b, n.Type)
	return append(b, '}')
}

func appendAttrs(b []byte, attrs map[string]any) []byte {
	b = append(b, '{')
	for i, k := range sortedKeys(attrs) {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendValue(b, k)
		b = append(b, ':')
		b = appendValue(b, attrs[k])
	}
	return append(b, '}')
}

func appendValue(b []byte, v any) []byte {
	if i, ok := v.(int); ok {
		return strconv.AppendInt(b, int64(i), 10)
	}
	// An attribute that no schema allows may be anything; Check refuses it.
	data, err := json.Marshal(v)
	if err != nil {
		return append(b, "null"...)
	}
	return append(b, data...)
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// Attr returns a string attribute, "" where it is absent.
func (n *Node) Attr(name string) string { s, _ := n.Attrs[name].(string); return s }

// Int returns a whole-number attribute, or its default in the schema where it
// is absent: level 2, start 1, colspan 1, rowspan 1.
func (n *Node) Int(name string) int {
	if i, ok := wholeNumber(n.Attrs[name]); ok {
		return i
	}
	if s, ok := nodeSpecs[n.Type]; ok {
		return s.attrs[name].def
	}
	return 0
}

// Mark returns the mark of that type and whether the text carries it.
func (n *Node) Mark(typ string) (Mark, bool) {
	for _, m := range n.Marks {
		if m.Type == typ {
			return m, true
		}
	}
	return Mark{}, false
}

// Attr returns a string attribute of the mark, "" where it is absent.
func (m Mark) Attr(name string) string { s, _ := m.Attrs[name].(string); return s }

// set writes an attribute, leaving out the empty string.
func (n *Node) set(name, value string) *Node {
	if value == "" {
		return n
	}
	if n.Attrs == nil {
		n.Attrs = map[string]any{}
	}
	n.Attrs[name] = value
	return n
}

func (n *Node) setInt(name string, value int) *Node {
	if n.Attrs == nil {
		n.Attrs = map[string]any{}
	}
	n.Attrs[name] = value
	return n
}

// Walk calls f for n and everything below it in reading order. Where f returns
// false, the walk does not go below that node.
func (n *Node) Walk(f func(*Node) bool) {
	if !f(n) {
		return
	}
	for _, c := range n.Content {
		c.Walk(f)
	}
}

// Media returns the media IDs that the document uses, each once, in reading
// order: figures, files and the thumbnails of embeds and files.
func (n *Node) Media() []string {
	var ids []string
	seen := map[string]bool{}
	n.Walk(func(c *Node) bool {
		for _, id := range []string{c.Attr("media"), c.Attr("thumbnail")} {
			if id != "" && !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
		return true
	})
	return ids
}

// Links returns the addresses that the document points to, each once, in
// reading order: link marks, embeds, "also read" insets, and pictures and
// files that are not yet imported.
func (n *Node) Links() []string {
	var urls []string
	seen := map[string]bool{}
	add := func(u string) {
		if u != "" && !seen[u] {
			seen[u] = true
			urls = append(urls, u)
		}
	}
	n.Walk(func(c *Node) bool {
		add(c.Attr("url"))
		add(c.Attr("src"))
		if m, ok := c.Mark("link"); ok {
			add(m.Attr("href"))
		}
		return true
	})
	return urls
}
