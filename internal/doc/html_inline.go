package doc

import (
	"slices"
	"strconv"
	"strings"
)

// table writes rows of header cells at the top as the table's head. The
// element around it may scroll, and so can take the focus.
func (w *writer) table(n *Node) {
	head := 0
	for head < len(n.Content)-1 && !slices.ContainsFunc(n.Content[head].Content, func(c *Node) bool {
		return c.Type != "table_header" || c.Int("rowspan") > 1
	}) {
		head++
	}
	if !w.o.Feed {
		w.str(`<div class="table" tabindex="0"`)
		if c := n.Attr("caption"); c != "" {
			w.str(` role="group"`)
			w.attr("aria-label", c)
		}
		w.str(">")
	}
	w.str("<table>")
	if c := n.Attr("caption"); c != "" {
		w.str("<caption>")
		w.text(c)
		w.str("</caption>")
	}
	w.end()
	for i, row := range n.Content {
		if i == 0 && head > 0 {
			w.str("<thead>")
			w.end()
		}
		if i == head {
			if head > 0 {
				w.str("</thead>")
				w.end()
			}
			w.str("<tbody>")
			w.end()
		}
		w.str("<tr>")
		for _, c := range row.Content {
			tag := "td"
			if c.Type == "table_header" {
				tag = "th"
			}
			w.str("<", tag)
			w.num("colspan", c.Int("colspan"), 1)
			w.num("rowspan", c.Int("rowspan"), 1)
			if tag == "th" && i < head {
				w.str(` scope="col"`)
			} else if tag == "th" {
				w.str(` scope="row"`)
			}
			w.str(">")
			outer := w.headerCell
			w.headerCell = outer || tag == "th"
			w.cell(c)
			w.headerCell = outer
			w.str("</", tag, ">")
		}
		w.str("</tr>")
		w.end()
	}
	w.str("</tbody></table>")
	if !w.o.Feed {
		w.str("</div>")
	}
}

// inline writes text with its marks as nested elements. Neighbours share the
// elements they have in common, outermost first.
func (w *writer) inline(content []*Node) {
	var open []Mark
	closeTo := func(depth int) {
		for len(open) > depth {
			w.closeMark(open[len(open)-1])
			open = open[:len(open)-1]
		}
	}
	for _, n := range content {
		same := 0
		if n.Type == "text" {
			for same < len(open) && same < len(n.Marks) && sameMark(open[same], n.Marks[same]) {
				same++
			}
		}
		closeTo(same)
		switch n.Type {
		case "text":
			for _, m := range n.Marks[same:] {
				w.openMark(m)
				open = append(open, m)
			}
			w.text(n.Text)
		case "hard_break":
			w.str("<br>")
		case "footnote":
			w.footnote(n)
		}
	}
	closeTo(0)
}

var markTags = map[string]string{
	"link": "a", "lang": "span", "insertion": "span", "strong": "strong", "em": "em", "underline": "u",
	"strike": "s", "superscript": "sup", "subscript": "sub", "code": "code",
}

func (w *writer) openMark(m Mark) {
	tag := markTags[m.Type]
	if tag == "" {
		return
	}
	w.str("<", tag)
	switch m.Type {
	case "link":
		href := w.url(m.Attr("href"))
		w.attr("href", href)
		w.attr("title", m.Attr("title"))
		// An editor put the link there, so it is followed; the page behind it
		// still gets no handle on ours.
		if external(href, w.o.Base) {
			w.str(` rel="noopener"`)
		}
	case "lang":
		w.attr("lang", m.Attr("lang"))
		w.attr("dir", m.Attr("dir"))
	case "insertion":
		w.str(` class="insertion">[`)
		return
	}
	w.str(">")
}

func (w *writer) closeMark(m Mark) {
	if m.Type == "insertion" {
		w.str("]")
	}
	if tag := markTags[m.Type]; tag != "" {
		w.str("</", tag, ">")
	}
}

func (w *writer) footnote(n *Node) {
	if w.embedded {
		w.str(`<span class="footnote">`)
		w.inline(n.Content)
		w.str("</span>")
		return
	}
	w.notes = append(w.notes, n)
	i := strconv.Itoa(len(w.notes))
	id := escaper.Replace(w.o.IDPrefix)
	w.str(`<sup class="footnote-ref"><a href="#`, id, "fn", i, `" id="`, id, "fnref", i, `" role="doc-noteref">`, i, "</a></sup>")
}

// footnotes writes the list at the end, each note with its way back.
func (w *writer) footnotes() {
	if len(w.notes) == 0 {
		return
	}
	level := strconv.Itoa(min(max(2+w.o.HeadingShift, 2), 6))
	w.str(`<section class="footnotes" role="doc-endnotes"><h`, level, ">")
	w.text(w.o.Labels.Footnotes)
	w.str("</h", level, "><ol>")
	w.end()
	id := escaper.Replace(w.o.IDPrefix)
	for i, n := range w.notes {
		k := strconv.Itoa(i + 1)
		w.str(`<li id="`, id, "fn", k, `">`)
		w.inline(n.Content)
		w.str(` <a href="#`, id, "fnref", k, `" role="doc-backlink"`)
		w.attr("aria-label", strings.TrimSpace(w.o.Labels.BackToText+" "+k))
		w.str(">↩</a></li>")
		w.end()
	}
	w.str("</ol></section>")
	w.end()
}
