package archive

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"masthead/internal/doc"
)

// mobiledoc is the body as Ghost 1 to 4 kept it (Mobiledoc 0.3.0 and later).
type mobiledoc struct {
	Version  string
	Markups  []json.RawMessage // [tag, [key, value, …]]
	Atoms    []json.RawMessage // [name, text, payload]
	Cards    []json.RawMessage // [name, payload]
	Sections []json.RawMessage
	Ghost    string `json:"ghostVersion"`
}

// The kinds of a section and of a marker (Mobiledoc 0.3 §Sections, §Markers).
const (
	sectionMarkup, sectionImage, sectionList, sectionCard = 1, 2, 3, 10
	markerText, markerAtom                                = 0, 1
)

type markup struct{ tag, href, title string }

func (b *ghostBody) mobiledoc(s string) ([]*doc.Node, error) {
	var m mobiledoc
	if err := decodeJSON(s, &m); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(m.Version, "0.3") {
		return nil, fmt.Errorf("its version %q is not 0.3", m.Version)
	}
	r := &mobiledocReader{b: b, m: m}
	for _, raw := range m.Markups {
		r.markups = append(r.markups, readMarkup(raw))
	}
	var out []*doc.Node
	for _, raw := range m.Sections {
		blocks, err := r.section(raw)
		if err != nil {
			return nil, err
		}
		out = append(out, blocks...)
	}
	return out, nil
}

func readMarkup(raw json.RawMessage) (mk markup) {
	var parts []json.RawMessage
	if json.Unmarshal(raw, &parts) != nil || len(parts) == 0 {
		return mk
	}
	if json.Unmarshal(parts[0], &mk.tag) != nil {
		return mk
	}
	mk.tag = strings.ToLower(mk.tag)
	var pairs []string
	if len(parts) > 1 && json.Unmarshal(parts[1], &pairs) != nil {
		return mk
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		switch pairs[i] {
		case "href":
			mk.href = pairs[i+1]
		case "title":
			mk.title = pairs[i+1]
		}
	}
	return mk
}

type mobiledocReader struct {
	b       *ghostBody
	m       mobiledoc
	markups []markup
}

var errSection = errors.New("a section is not of the expected form")

func (r *mobiledocReader) section(raw json.RawMessage) ([]*doc.Node, error) {
	var parts []json.RawMessage
	var kind int
	if json.Unmarshal(raw, &parts) != nil || len(parts) < 2 || json.Unmarshal(parts[0], &kind) != nil {
		return nil, errSection
	}
	switch kind {
	case sectionMarkup:
		var tag string
		var markers []json.RawMessage
		if len(parts) < 3 || json.Unmarshal(parts[1], &tag) != nil || json.Unmarshal(parts[2], &markers) != nil {
			return nil, errSection
		}
		content, err := r.inline(markers)
		if err != nil {
			return nil, err
		}
		return r.block(strings.ToLower(tag), content), nil
	case sectionImage:
		var src string
		if json.Unmarshal(parts[1], &src) != nil {
			return nil, errSection
		}
		return r.b.card("image", payload{"src": src}, nil), nil
	case sectionList:
		var tag string
		var items [][]json.RawMessage
		if len(parts) < 3 || json.Unmarshal(parts[1], &tag) != nil || json.Unmarshal(parts[2], &items) != nil {
			return nil, errSection
		}
		l := &doc.Node{Type: "bullet_list"}
		if strings.EqualFold(tag, "ol") {
			l.Type = "ordered_list"
		}
		for _, item := range items {
			content, err := r.inline(item)
			if err != nil {
				return nil, err
			}
			l.Content = append(l.Content, &doc.Node{Type: "list_item", Content: []*doc.Node{paragraph(content...)}})
		}
		if len(l.Content) == 0 {
			return nil, nil
		}
		return []*doc.Node{l}, nil
	case sectionCard:
		var i int
		if json.Unmarshal(parts[1], &i) != nil || i < 0 || i >= len(r.m.Cards) {
			return nil, errors.New("a section names a card that is not there")
		}
		var card []json.RawMessage
		var name string
		var p payload
		if json.Unmarshal(r.m.Cards[i], &card) != nil || len(card) == 0 || json.Unmarshal(card[0], &name) != nil {
			return nil, errors.New("a card is not of the expected form")
		}
		if len(card) > 1 && json.Unmarshal(card[1], &p) != nil {
			return nil, errors.New("a card's content is not of the expected form")
		}
		return r.b.card(name, p, nil), nil
	}
	r.b.change("a section of the unknown kind %d was left out", kind)
	return nil, nil
}

func (r *mobiledocReader) block(tag string, content []*doc.Node) []*doc.Node {
	n := paragraph(content...)
	switch tag {
	case "h1", "h2", "h3", "h4", "h5", "h6":
		n.Type, n.Attrs = "heading", map[string]any{"level": r.b.level(int(tag[1] - '0'))}
	case "blockquote":
		if len(content) == 0 {
			return nil
		}
		return []*doc.Node{{Type: "quotation", Content: []*doc.Node{n}}}
	case "aside", "pull-quote":
		n.Type = "pull_quote"
	}
	return []*doc.Node{n}
}

// inline reads markers: [kind, [markups that open], how many close, text or atom].
func (r *mobiledocReader) inline(markers []json.RawMessage) ([]*doc.Node, error) {
	var out []*doc.Node
	var open []markup
	for _, raw := range markers {
		var parts []json.RawMessage
		var kind, closes int
		var opens []int
		if json.Unmarshal(raw, &parts) != nil || len(parts) < 4 || json.Unmarshal(parts[0], &kind) != nil ||
			json.Unmarshal(parts[1], &opens) != nil || json.Unmarshal(parts[2], &closes) != nil {
			return nil, errors.New("a marker is not of the expected form")
		}
		for _, i := range opens {
			if i < 0 || i >= len(r.markups) {
				return nil, errors.New("a marker names a markup that is not there")
			}
			open = append(open, r.markups[i])
		}
		var nodes []*doc.Node
		if kind == markerAtom {
			var i int
			if json.Unmarshal(parts[3], &i) != nil || i < 0 || i >= len(r.m.Atoms) {
				return nil, errors.New("a marker names an atom that is not there")
			}
			nodes = r.atom(r.m.Atoms[i])
		} else {
			var text string
			if json.Unmarshal(parts[3], &text) != nil {
				return nil, errors.New("a marker's text is not of the expected form")
			}
			if text != "" {
				nodes = []*doc.Node{words(text)}
			}
		}
		out = append(out, r.marked(nodes, open)...)
		open = open[:len(open)-min(max(closes, 0), len(open))]
	}
	return out, nil
}

func (r *mobiledocReader) atom(raw json.RawMessage) []*doc.Node {
	var parts []json.RawMessage
	var name, text string
	if json.Unmarshal(raw, &parts) != nil || len(parts) == 0 || json.Unmarshal(parts[0], &name) != nil {
		return nil
	}
	if name == "soft-return" {
		return []*doc.Node{{Type: "hard_break"}}
	}
	if len(parts) > 1 && json.Unmarshal(parts[1], &text) == nil && text != "" {
		return []*doc.Node{words(text)}
	}
	r.b.change("an atom %q was left out", name)
	return nil
}

func (r *mobiledocReader) marked(nodes []*doc.Node, open []markup) []*doc.Node {
	for _, mk := range open {
		mark := ""
		switch mk.tag {
		case "strong", "b":
			mark = "strong"
		case "em", "i":
			mark = "em"
		case "u", "ins":
			mark = "underline"
		case "s", "del", "strike":
			mark = "strike"
		case "code":
			mark = "code"
		case "sub":
			mark = "subscript"
		case "sup":
			mark = "superscript"
		case "a":
			nodes = r.b.link(mk.href, mk.title, nodes)
			continue
		default:
			r.b.change("the markup %s was taken off; its text is kept", mk.tag)
			continue
		}
		for _, n := range nodes {
			if n.Type == "text" {
				n.Marks = append(n.Marks, doc.Mark{Type: mark})
			}
		}
	}
	return nodes
}
