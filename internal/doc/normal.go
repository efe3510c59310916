package doc

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Normalize returns the document in normal form, the input untouched. Equal
// stories have one normal form, and only normal documents survive every
// writing byte for byte. It
//   - leaves out attributes that are null, empty or the default, and writes
//     numbers as int and addresses as one cleaned form;
//   - collapses white space as HTML shows it (except in code blocks), trims
//     blocks and lines, removes control characters;
//   - orders marks, joins neighbouring texts of equal marks, takes marks off
//     breaks and footnotes, drops breaks at the ends of a block;
//   - drops what shows nothing: empty paragraphs (unless alone), headings,
//     lists, quotations, tables, galleries, wall marks after the first;
//   - cuts spans to the rows and columns that a table has.
//
// It repairs form only: a document that Check refuses may stay refused.
func Normalize(n *Node) *Node {
	c := normal(n, false)
	if c == nil || c.Type == "doc" && len(c.Content) == 0 {
		return Empty()
	}
	return c
}

// normal returns nil where the node shows nothing. only tells that the node is
// its parent's only child.
func normal(n *Node, only bool) *Node {
	c := &Node{Type: n.Type, Attrs: normalAttrs(nodeSpecs[n.Type].attrs, n.Attrs)}
	if n.Type == "code_block" {
		var b strings.Builder
		for _, t := range n.Content {
			if t == nil {
				continue
			}
			b.WriteString(t.Text)
		}
		code := strings.TrimRight(cleanText(b.String()), "\n")
		if strings.TrimSpace(code) == "" {
			return nil
		}
		c.Content = []*Node{{Type: "text", Text: code}}
		return c
	}
	if isText(n.Type) {
		c.Content = normalInline(n.Content)
		if len(c.Content) == 0 && (n.Type == "paragraph" && !only || n.Type == "heading" || n.Type == "pull_quote") {
			return nil
		}
		return c
	}
	walls := 0
	for _, child := range n.Content {
		if child == nil {
			continue
		}
		if child.Type == "wall_mark" {
			if walls++; walls > 1 {
				continue
			}
		}
		if k := normal(child, len(n.Content) == 1); k != nil {
			c.Content = append(c.Content, k)
		}
	}
	spec := nodeSpecs[n.Type]
	switch {
	case n.Type == "quotation" || n.Type == "callout":
		if len(c.Content) == 0 || len(c.Content) == 1 && emptyParagraph(c.Content[0]) {
			return nil
		}
	case n.Type == "list_item" || n.Type == "table_cell" || n.Type == "table_header":
		if len(c.Content) == 0 {
			c.Content = []*Node{{Type: "paragraph"}}
		}
	case n.Type == "table":
		cutSpans(c)
		fallthrough
	case spec.min > 0:
		if len(c.Content) == 0 && n.Type != "doc" {
			return nil
		}
	}
	// Dropping a neighbour may leave an empty paragraph alone, and the other
	// way round; a lone one carries no direction worth keeping.
	if len(c.Content) == 1 && emptyParagraph(c.Content[0]) {
		c.Content[0].Attrs = nil
	}
	return c
}

func emptyParagraph(n *Node) bool { return n.Type == "paragraph" && len(n.Content) == 0 }

// cutSpans brings spans to what the table has (HTML, "forming a table"): a
// rowspan ends with the last row, a colspan before a cell that reaches down
// from above, and a column in which no cell begins is taken out.
func cutSpans(table *Node) {
	type place struct {
		cell     *Node
		col, num int
	}
	var places []place
	begins := map[int]bool{}
	below := map[int]int{} // rows that a cell from above still covers, by column
	for i, row := range table.Content {
		col := 0
		next := map[int]int{}
		for c, rows := range below {
			if rows > 1 {
				next[c] = rows - 1
			}
		}
		for _, cell := range row.Content {
			for below[col] > 0 {
				col++
			}
			rows := min(max(cell.Int("rowspan"), 1), len(table.Content)-i)
			setSpan(cell, "rowspan", rows)
			num := 0
			for num < max(cell.Int("colspan"), 1) && below[col+num] == 0 {
				if rows > 1 {
					next[col+num] = rows - 1
				}
				num++
			}
			places = append(places, place{cell, col, num})
			begins[col] = true
			col += num
		}
		below = next
	}
	for _, p := range places {
		num := 0
		for c := p.col; c < p.col+p.num; c++ {
			if begins[c] {
				num++
			}
		}
		setSpan(p.cell, "colspan", num)
	}
}

func setSpan(cell *Node, key string, span int) {
	if delete(cell.Attrs, key); span > 1 {
		cell.setInt(key, span)
	}
	if len(cell.Attrs) == 0 {
		cell.Attrs = nil
	}
}

func normalAttrs(specs map[string]attrSpec, attrs map[string]any) map[string]any {
	var out map[string]any
	for k, v := range attrs {
		spec, known := specs[k]
		switch {
		case v == nil:
			continue
		case !known:
		case spec.kind == number:
			i, ok := wholeNumber(v)
			if ok && i == spec.def {
				continue
			}
			if ok {
				v = i
			}
		default:
			s, ok := v.(string)
			if !ok {
				break
			}
			s = cleanLine(s)
			if clean, ok := cleanURL(s); ok && (spec.kind == address || spec.kind == remote) {
				s = clean
			}
			if s == "" || s == spec.defText {
				continue
			}
			v = s
		}
		if out == nil {
			out = map[string]any{}
		}
		out[k] = v
	}
	return out
}

// normalInline brings the content of a paragraph into normal form.
func normalInline(in []*Node) []*Node {
	var out []*Node
	blank := true // nothing or white space stands before: a space would not show
	trim := func() {
		for len(out) > 0 && out[len(out)-1].Type == "text" {
			t := out[len(out)-1]
			t.Text = strings.TrimRight(t.Text, " ")
			if t.Text != "" {
				break
			}
			out = out[:len(out)-1]
		}
	}
	for _, n := range in {
		switch {
		case n == nil:
		case n.Type == "text":
			var text string
			text, blank = collapse(cleanText(n.Text), blank)
			if text != "" {
				out = append(out, &Node{Type: "text", Text: text, Marks: normalMarks(n.Marks)})
			}
		case n.Type == "hard_break":
			trim()
			out = append(out, &Node{Type: "hard_break"})
			blank = true
		case n.Type == "footnote":
			if note := normalInline(n.Content); len(note) > 0 {
				out = append(out, &Node{Type: "footnote", Content: note})
				blank = false
			}
		default:
			out = append(out, n)
		}
	}
	trim()
	for len(out) > 0 && out[len(out)-1].Type == "hard_break" {
		out = out[:len(out)-1]
		trim()
	}
	for len(out) > 0 && out[0].Type == "hard_break" {
		out = out[1:]
	}
	var joined []*Node
	for _, n := range out {
		if k := len(joined) - 1; k >= 0 && n.Type == "text" && joined[k].Type == "text" && sameMarks(joined[k].Marks, n.Marks) {
			joined[k].Text += n.Text
			continue
		}
		joined = append(joined, n)
	}
	return joined
}

func normalMarks(marks []Mark) []Mark {
	var out []Mark
	for _, typ := range markOrder {
		for _, m := range marks {
			if m.Type == typ {
				out = append(out, Mark{Type: typ, Attrs: normalAttrs(markSpecs[typ], m.Attrs)})
				break
			}
		}
	}
	for _, m := range marks {
		if _, known := markSpecs[m.Type]; !known {
			out = append(out, m)
		}
	}
	return out
}

func sameMark(a, b Mark) bool { return a.Type == b.Type && maps.Equal(a.Attrs, b.Attrs) }

func sameMarks(a, b []Mark) bool { return slices.EqualFunc(a, b, sameMark) }

// isSpace is white space as HTML collapses it; a no-break space is a letter.
func isSpace(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == '\f' }

// collapse writes each run of white space as one space, and none where blank
// tells that one stands before. It returns whether the text ends in a space.
func collapse(s string, blank bool) (string, bool) {
	var b strings.Builder
	for _, r := range s {
		if !isSpace(r) {
			b.WriteRune(r)
			blank = false
		} else if !blank {
			b.WriteByte(' ')
			blank = true
		}
	}
	return b.String(), blank
}

// cleanLine is cleanText on one trimmed line.
func cleanLine(s string) string {
	s, _ = collapse(cleanText(s), true)
	return strings.TrimRight(s, " ")
}

var (
	lineEnds   = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\f", "\n")
	urlEscaper = strings.NewReplacer(" ", "%20", "\"", "%22", "'", "%27", "<", "%3C", ">", "%3E", "`", "%60", `\`, "%5C")
)

// cleanText removes what HTML forbids in text (control characters and
// non-characters, HTML "preprocessing the input stream"), the byte order
// mark, and writes line ends as \n.
func cleanText(s string) string {
	if !strings.ContainsFunc(s, unwanted) && utf8.ValidString(s) {
		return s
	}
	s = lineEnds.Replace(strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Map(func(r rune) rune {
		if unwanted(r) {
			return -1
		}
		return r
	}, s)
}

func unwanted(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' || r == 0xFEFF ||
		r >= 0xFDD0 && r <= 0xFDEF || r&0xFFFE == 0xFFFE
}

// cleanURL returns the one form of an address that the schema allows: relative
// or with http, https, mailto or tel, at most 4,000 bytes, percent-encoded as
// net/url writes it. Every other scheme is refused, javascript: and data:
// among them. It is idempotent.
func cleanURL(raw string) (string, bool) {
	s := strings.Map(func(r rune) rune {
		// Browsers drop tabs and newlines inside an address (WHATWG URL), so
		// "java\nscript:" must be judged without them.
		if unicode.IsControl(r) || r == 0xFEFF {
			return -1
		}
		return r
	}, strings.TrimFunc(raw, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }))
	if s == "" || len(s) > 4000 || !utf8.ValidString(s) {
		return "", false
	}
	for range 4 {
		s = urlEscaper.Replace(s)
		if strings.HasPrefix(s, "//") {
			s = "https:" + s
		}
		u, err := url.Parse(s)
		if err != nil {
			return "", false
		}
		switch u.Scheme {
		case "http", "https":
			if u.Host == "" {
				return "", false
			}
		case "mailto", "tel":
			if u.Opaque == "" {
				return "", false
			}
		case "":
		default:
			return "", false
		}
		next := u.String()
		if next == s && next != "" {
			return s, true
		}
		s = next
	}
	return "", false
}
