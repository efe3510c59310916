package doc

import (
	"math"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/language"
)

// PlainText returns the document as plain text: blocks separated by a blank line,
// breaks as line ends, list items under one another, cells separated by tabs,
// footnotes as [1] with their texts at the end. For a document of paragraphs
// alone FromText gives the same document back.
func (n *Node) PlainText() string {
	t := &plain{}
	t.block(n)
	for i, note := range t.notes {
		t.blocks = append(t.blocks, "["+strconv.Itoa(i+1)+"] "+t.inline(note.Content))
	}
	return strings.Join(t.blocks, "\n\n")
}

// FromText makes a document of paragraphs: blank lines separate them, other
// line ends are breaks.
func FromText(s string) *Node {
	n := &Node{Type: "doc"}
	var para []*Node
	flush := func() {
		n.Content = append(n.Content, &Node{Type: "paragraph", Content: para})
		para = nil
	}
	for l := range strings.SplitSeq(cleanText(s), "\n") {
		if cleanLine(l) == "" {
			flush()
			continue
		}
		if len(para) > 0 {
			para = append(para, &Node{Type: "hard_break"})
		}
		para = append(para, &Node{Type: "text", Text: l})
	}
	flush()
	return Normalize(n)
}

type plain struct {
	blocks []string
	notes  []*Node
}

func (t *plain) add(s string) {
	if s != "" {
		t.blocks = append(t.blocks, s)
	}
}

func (t *plain) block(n *Node) {
	switch n.Type {
	case "code_block":
		for _, c := range n.Content {
			t.add(c.Text)
		}
	case "bullet_list", "ordered_list":
		var items []string
		for i, item := range n.Content {
			mark := "• "
			if n.Type == "ordered_list" {
				mark = strconv.Itoa(n.Int("start")+i) + ". "
			}
			items = append(items, mark+t.joined(item, "\n"))
		}
		t.add(strings.Join(items, "\n"))
	case "table":
		t.add(n.Attr("caption"))
		var rows []string
		for _, row := range n.Content {
			var cells []string
			for _, c := range row.Content {
				cells = append(cells, t.joined(c, " "))
			}
			rows = append(rows, strings.Join(cells, "\t"))
		}
		t.add(strings.Join(rows, "\n"))
	case "quotation", "pull_quote":
		if n.Type == "quotation" {
			for _, c := range n.Content {
				t.block(c)
			}
		} else {
			t.add(t.inline(n.Content))
		}
		if who := joinNonEmpty(", ", n.Attr("speaker"), n.Attr("outlet")); who != "" {
			t.add("— " + who)
		}
	case "figure":
		t.add(joinNonEmpty(" ", t.inline(n.Content), parens(n.Attr("credit"))))
	case "embed":
		t.add(joinNonEmpty("\n", n.Attr("title"), n.Attr("url"), t.inline(n.Content)))
	case "file":
		t.add(joinNonEmpty("\n", n.Attr("title"), t.inline(n.Content)))
	case "also_read":
		t.add(joinNonEmpty("\n", n.Attr("title"), n.Attr("url")))
	case "divider":
		t.add("* * *")
	case "gallery":
		for _, c := range n.Content {
			t.block(c)
		}
		t.add(n.Attr("caption"))
	default:
		if isText(n.Type) || n.Type == "text" {
			list := n.Content
			if n.Type == "text" {
				list = []*Node{n}
			}
			t.add(t.inline(list))
			return
		}
		for _, c := range n.Content {
			t.block(c)
		}
	}
}

// joined is the text of an item or a cell as one piece.
func (t *plain) joined(n *Node, sep string) string {
	in := &plain{notes: t.notes}
	for _, c := range n.Content {
		in.block(c)
	}
	t.notes = in.notes
	return strings.Join(in.blocks, sep)
}

func (t *plain) inline(content []*Node) string {
	var b strings.Builder
	inserted := false
	for i, n := range content {
		if _, in := n.Mark("insertion"); in != inserted {
			b.WriteString(map[bool]string{true: "[", false: "]"}[in])
			inserted = in
		}
		switch n.Type {
		case "text":
			b.WriteString(n.Text)
		case "hard_break":
			b.WriteByte('\n')
		case "footnote":
			t.notes = append(t.notes, n)
			b.WriteString("[" + strconv.Itoa(len(t.notes)) + "]")
		}
		if inserted && i == len(content)-1 {
			b.WriteByte(']')
		}
	}
	return b.String()
}

func joinNonEmpty(sep string, parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, sep)
}

func parens(s string) string {
	if s == "" {
		return ""
	}
	return "(" + s + ")"
}

// Words counts the words of the document's text, captions and footnotes
// included, attributes not. A word is a run of letters, marks and digits; an
// apostrophe, a hyphen, a point or a comma inside it, a Hebrew geresh and
// gershayim, a joiner do not end it. In scripts without spaces (Han, Kana,
// Thai, Lao, Khmer, Burmese) each letter counts as one.
func (n *Node) Words() int {
	total := 0
	var leaf func(content []*Node)
	leaf = func(content []*Node) {
		var b strings.Builder
		for _, c := range content {
			switch c.Type {
			case "text":
				b.WriteString(c.Text)
			case "hard_break":
				b.WriteByte('\n')
			case "footnote":
				leaf(c.Content)
			}
		}
		total += words(b.String())
	}
	n.Walk(func(c *Node) bool {
		if isText(c.Type) {
			leaf(c.Content)
			return false
		}
		if c.Type == "text" {
			total += words(c.Text)
		}
		return true
	})
	return total
}

func words(s string) int {
	count := 0
	inside, joint := false, false
	for _, r := range s {
		switch {
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) && unicode.IsLetter(r):
			count++
			inside, joint = false, false
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsNumber(r):
			if !inside {
				count++
			}
			inside, joint = true, false
		case unicode.IsMark(r) || unicode.Is(unicode.Cf, r):
			// vowel points, joiners, direction marks: part of what they stand in
		case inside && !joint && strings.ContainsRune(`'’ʼ-‐‑.,:٫٬״׳"`, r):
			joint = true // goes on if a letter follows
			continue
		default:
			inside, joint = false, false
		}
		if joint && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			inside, joint = false, false
		}
	}
	return count
}

// wordsPerMinute are reading speeds of texts in the languages of the IReST
// (Trauzettel-Klosinski and Dietz, 2012); Chinese and Japanese in characters.
var wordsPerMinute = map[string]int{
	"ar": 138, "de": 179, "en": 228, "es": 218, "fi": 161, "fr": 195, "he": 187, "it": 188,
	"ja": 357, "nl": 202, "pl": 166, "pt": 181, "ru": 184, "sl": 180, "sv": 199, "tr": 166, "zh": 255,
}

// ReadingTime returns the minutes that so many words take in a language (BCP
// 47), at least 1 unless there is nothing to read.
func ReadingTime(words int, lang string) int {
	if words <= 0 {
		return 0
	}
	speed := 190
	if tag, err := language.Parse(lang); err == nil {
		base, _ := tag.Base()
		if s, ok := wordsPerMinute[base.String()]; ok {
			speed = s
		}
	}
	return max(1, int(math.Round(float64(words)/float64(speed))))
}
