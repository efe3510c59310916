package doc

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Markdown writes the document for an editor without scripts. Common blocks
// are CommonMark with tables and footnotes; the rest are directives, each on
// its own line:
//
//	:::callout warning          :::quote speaker="Name" outlet="Paper"
//	Text of the callout.        What was said.
//	:::                         :::
//
//	:::pull-quote speaker="Name"   :::figure media="ID" alt="…" credit="…"
//	:::embed url="https://…"       :::file kind="audio" src="…"
//	:::                            (all closed by ::: , caption between)
//
//	:::gallery caption="…"      :::also-read https://… Title
//	:::figure …                 :::also-read story:ID
//	:::                         :::wall
//	:::
//
// What these cannot say is written as one line of HTML. FromMarkdown reads the
// whole back equal: each block is read back while writing, and where Markdown's
// own rules would alter it, HTML stands in its place.
func (n *Node) Markdown() string {
	m := &mdWriter{}
	var parts []string
	for i, c := range n.Content {
		if i > 0 && isList(c) && c.Type == n.Content[i-1].Type {
			parts = append(parts, "<!-- -->") // else Markdown would join the lists
		}
		parts = append(parts, m.proven(c))
	}
	for i, note := range m.notes {
		parts = append(parts, "[^"+strconv.Itoa(i+1)+"]: "+m.inline(note.Content))
	}
	return strings.Join(parts, "\n\n") + "\n"
}

func isList(n *Node) bool { return n.Type == "bullet_list" || n.Type == "ordered_list" }

type mdWriter struct{ notes []*Node }

// proven writes a block of the document in Markdown if that reads back equal,
// else as HTML.
func (m *mdWriter) proven(n *Node) string {
	alone := &mdWriter{}
	text, ok := alone.block(n)
	if ok {
		for i, note := range alone.notes {
			text += "\n\n[^" + strconv.Itoa(i+1) + "]: " + alone.inline(note.Content)
		}
		// A wall mark or a paragraph before and after shows whether the block
		// keeps to itself.
		back, _, err := FromMarkdown("a\n\n" + text + "\n\nb\n")
		want := Normalize(&Node{Type: "doc", Content: []*Node{paragraphOf("a"), n, paragraphOf("b")}})
		if err == nil && bytes.Equal(back.JSON(), want.JSON()) {
			text, _ = m.block(n)
			return text
		}
	}
	return embeddedHTML(n)
}

func paragraphOf(s string) *Node {
	return &Node{Type: "paragraph", Content: []*Node{{Type: "text", Text: s}}}
}

// embeddedHTML is the block as one line of HTML in an element that Markdown
// takes as a block of HTML.
func embeddedHTML(n *Node) string {
	w := &writer{embedded: true, level: 1}
	w.o.Labels = Labels{AlsoRead: "Also read", Load: "%s", Picture: "Picture", Download: "Download"}
	w.block(n)
	s := w.b.String()
	if n.Type == "code_block" {
		return "<div>" + s + "</div>" // a bare pre would run on to its end tag
	}
	return s
}

// block writes one block; ok is false where only HTML can say it.
func (m *mdWriter) block(n *Node) (text string, ok bool) {
	if n.Attr("dir") != "" {
		return "", false
	}
	switch n.Type {
	case "paragraph":
		return m.inline(n.Content), len(n.Content) > 0
	case "heading":
		for _, c := range n.Content {
			if c.Type == "hard_break" {
				return "", false
			}
		}
		s := m.inline(n.Content)
		if strings.HasSuffix(s, "#") {
			s += " #" // closes the heading, so that the text's own # stays
		}
		return strings.Repeat("#", n.Int("level")) + " " + s, true
	case "bullet_list", "ordered_list":
		return m.list(n)
	case "quotation":
		inner, ok := m.blocks(n.Content)
		if who := directiveAttrs(n, "speaker", "outlet"); who != "" {
			return fence("quote"+who, inner), ok
		}
		return indent(inner, "> ", "> "), ok
	case "pull_quote":
		return fence("pull-quote"+directiveAttrs(n, "speaker", "outlet"), m.inline(n.Content)), true
	case "callout":
		inner, ok := m.blocks(n.Content)
		name := "callout"
		if tone := n.Attr("tone"); tone != "" {
			name += " " + tone
		}
		return fence(name, inner), ok
	case "figure":
		if len(n.Content) == 0 && n.Attr("media") == "" && n.Attr("credit") == "" {
			return "![" + escapeMarkdown(n.Attr("alt"), false) + "](<" + n.Attr("src") + ">)", true
		}
		return fence("figure"+directiveAttrs(n, "media", "src", "alt", "credit"), m.inline(n.Content)), true
	case "gallery":
		var figures []string
		for _, f := range n.Content {
			figures = append(figures, fence("figure"+directiveAttrs(f, "media", "src", "alt", "credit"), m.inline(f.Content)))
		}
		return fence("gallery"+directiveAttrs(n, "caption"), strings.Join(figures, "\n\n")), true
	case "embed":
		return fence("embed"+directiveAttrs(n, "url", "provider", "title", "author", "thumbnail"), m.inline(n.Content)), true
	case "file":
		return fence("file"+directiveAttrs(n, "kind", "media", "src", "title", "thumbnail"), m.inline(n.Content)), true
	case "also_read":
		to := n.Attr("url")
		if id := n.Attr("story"); id != "" {
			if to != "" {
				return "", false
			}
			to = "story:" + id
		}
		return strings.TrimRight(":::also-read "+to+" "+n.Attr("title"), " "), true
	case "table":
		return m.table(n)
	case "code_block":
		return codeFence(n), true
	case "divider":
		return "***", true
	case "wall_mark":
		return ":::wall", true
	}
	return "", false
}

func (m *mdWriter) blocks(list []*Node) (string, bool) {
	var parts []string
	for i, c := range list {
		if i > 0 && isList(c) && c.Type == list[i-1].Type {
			parts = append(parts, "<!-- -->")
		}
		s, ok := m.block(c)
		if !ok {
			return "", false
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, "\n\n"), true
}

func (m *mdWriter) list(n *Node) (string, bool) {
	var items []string
	sep := "\n"
	for i, item := range n.Content {
		mark := "- "
		if n.Type == "ordered_list" {
			mark = strconv.Itoa(n.Int("start")+i) + ". "
		}
		s := ""
		if len(item.Content) > 1 || len(item.Content[0].Content) > 0 || item.Content[0].Type != "paragraph" {
			var ok bool
			if s, ok = m.blocks(item.Content); !ok {
				return "", false
			}
		}
		if len(item.Content) > 1 || item.Content[0].Type != "paragraph" {
			sep = "\n\n"
		}
		items = append(items, strings.TrimRight(mark+indent(s, "", strings.Repeat(" ", len(mark))), " "))
	}
	return strings.Join(items, sep), true
}

// table writes a table with one row of headers on top, no spans, no caption
// and one paragraph to a cell.
func (m *mdWriter) table(n *Node) (string, bool) {
	if n.Attr("caption") != "" || len(n.Content) < 2 {
		return "", false
	}
	var rows []string
	for i, row := range n.Content {
		line := "|"
		for _, c := range row.Content {
			want := "table_cell"
			if i == 0 {
				want = "table_header"
			}
			if c.Type != want || len(c.Attrs) > 0 || len(c.Content) != 1 || c.Content[0].Type != "paragraph" {
				return "", false
			}
			for _, in := range c.Content[0].Content {
				if in.Type != "text" {
					return "", false
				}
			}
			line += " " + m.inline(c.Content[0].Content) + " |"
		}
		if len(row.Content) != len(n.Content[0].Content) {
			return "", false
		}
		rows = append(rows, line)
		if i == 0 {
			rows = append(rows, "|"+strings.Repeat(" --- |", len(row.Content)))
		}
	}
	return strings.Join(rows, "\n"), true
}

func codeFence(n *Node) string {
	code, ticks, longest := "", 0, 2
	for _, t := range n.Content {
		code += t.Text
	}
	for _, r := range code {
		if r == '`' {
			ticks++
			longest = max(longest, ticks)
		} else {
			ticks = 0
		}
	}
	f := strings.Repeat("`", longest+1)
	return f + n.Attr("language") + "\n" + code + "\n" + f
}

func fence(open, inner string) string {
	if inner == "" {
		return ":::" + open + "\n:::"
	}
	return ":::" + open + "\n" + inner + "\n:::"
}

// directiveAttrs writes attributes as ` name="value"`, quotes as entities.
func directiveAttrs(n *Node, keys ...string) string {
	var b strings.Builder
	for _, k := range keys {
		if v := n.Attr(k); v != "" {
			fmt.Fprintf(&b, ` %s="%s"`, k, escaper.Replace(v))
		}
	}
	return b.String()
}

// indent puts first before the first line and rest before the others; an
// empty line gets the visible part only.
func indent(s, first, rest string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		prefix := rest
		if i == 0 {
			prefix = first
		}
		if l == "" {
			prefix = strings.TrimRight(prefix, " ")
		}
		lines[i] = prefix + l
	}
	return strings.Join(lines, "\n")
}

// inline writes text with marks: the signs of Markdown where they are certain
// to be read as such, HTML elements elsewhere.
func (m *mdWriter) inline(content []*Node) string {
	w := &writer{embedded: true}
	var open []Mark
	closeTo := func(depth int) {
		for len(open) > depth {
			w.closeMark(open[len(open)-1])
			open = open[:len(open)-1]
		}
	}
	start := true
	for i, n := range content {
		switch n.Type {
		case "hard_break":
			closeTo(0)
			w.str("\\\n")
			start = true
			continue
		case "footnote":
			closeTo(0)
			m.notes = append(m.notes, n)
			w.str("[^", strconv.Itoa(len(m.notes)), "]")
			start = false
			continue
		}
		if s, ok := simpleMark(content, i); ok {
			closeTo(0)
			w.str(s)
			start = false
			continue
		}
		same := 0
		for same < len(open) && same < len(n.Marks) && sameMark(open[same], n.Marks[same]) {
			same++
		}
		closeTo(same)
		for _, mark := range n.Marks[same:] {
			if mark.Type == "insertion" {
				w.str(`<span class="insertion">\[`)
			} else {
				w.openMark(mark)
			}
			open = append(open, mark)
			start = false
		}
		w.str(escapeMarkdown(n.Text, start))
		start = false
	}
	closeTo(0)
	return w.b.String()
}

// simpleMark writes a text whose only mark is strong, em, code or link, and
// whose neighbours cannot disturb the signs (CommonMark 0.31, 6.2: flanking).
func simpleMark(content []*Node, i int) (string, bool) {
	n := content[i]
	if len(n.Marks) != 1 {
		return "", false
	}
	first, _ := utf8.DecodeRuneInString(n.Text)
	last, _ := utf8.DecodeLastRuneInString(n.Text)
	word := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	apart := func(j int, end bool) bool {
		if j < 0 || j >= len(content) {
			return true
		}
		if content[j].Type != "text" {
			return content[j].Type == "hard_break"
		}
		r, _ := utf8.DecodeRuneInString(content[j].Text)
		if end {
			r, _ = utf8.DecodeLastRuneInString(content[j].Text)
		}
		return len(content[j].Marks) == 0 && (r == ' ' || !end && strings.ContainsRune(".,;:!?)", r) || end && r == '(')
	}
	clear := word(first) && word(last) && apart(i-1, true) && apart(i+1, false)
	mark := n.Marks[0]
	switch mark.Type {
	case "strong":
		return "**" + escapeMarkdown(n.Text, false) + "**", clear
	case "em":
		return "*" + escapeMarkdown(n.Text, false) + "*", clear
	case "code":
		return "`" + n.Text + "`", clear && !strings.ContainsAny(n.Text, "`|")
	case "link":
		if mark.Attr("title") == "" && clear && !strings.ContainsAny(mark.Attr("href"), `|()<>\&*_`) {
			return "[" + escapeMarkdown(n.Text, false) + "](" + mark.Attr("href") + ")", true
		}
	}
	return "", false
}

// escapeMarkdown keeps text from being read as anything else.
func escapeMarkdown(s string, lineStart bool) string {
	var b strings.Builder
	for i, r := range s {
		if strings.ContainsRune("\\`*_[]<>&~|^$", r) {
			b.WriteByte('\\')
		} else if lineStart && i == 0 && strings.ContainsRune("#+-=:!", r) {
			b.WriteByte('\\')
		} else if lineStart && (r == '.' || r == ')') && i > 0 && strings.Trim(s[:i], "0123456789") == "" {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
