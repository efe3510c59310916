package doc

import (
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// builder gathers the content of one container: blocks, and the inline nodes
// of the paragraph that is open.
type builder struct {
	r      *reader
	out    []*Node
	para   []*Node
	dir    string // of the open paragraph
	depth  int
	single bool // inline only: the blocks are joined, others hoisted
}

func (r *reader) document(nodes []*html.Node) *Node {
	r.endnotes, r.used = map[string]*html.Node{}, map[string]bool{}
	root := &html.Node{Type: html.ElementNode, Data: "body"}
	for _, n := range nodes {
		root.AppendChild(n)
	}
	r.findNotes(root, false)
	b := &builder{r: r, depth: 1}
	b.children(root, nil)
	b.flush()
	for _, id := range names(r.endnotes) {
		if !r.used[id] {
			r.change("footnote "+id, "nothing refers to it; kept as a paragraph")
			b.para, _ = r.inline(r.endnotes[id], b.depth)
			b.flush()
		}
	}
	return Normalize(&Node{Type: "doc", Content: liftWalls(b.out, r)})
}

// liftWalls brings a wall mark that stands inside another block up to the
// document, before that block: so it can only withhold more, never less.
func liftWalls(blocks []*Node, r *reader) []*Node {
	var out []*Node
	for _, n := range blocks {
		if n.Type != "wall_mark" && dropWalls(n) {
			r.change("wall mark", "it stood inside a "+n.Type+"; put before it")
			out = append(out, &Node{Type: "wall_mark"})
		}
		out = append(out, n)
	}
	return out
}

func dropWalls(n *Node) (found bool) {
	n.Content = slices.DeleteFunc(n.Content, func(c *Node) bool {
		if c.Type == "wall_mark" {
			found = true
			return true
		}
		found = dropWalls(c) || found
		return false
	})
	return found
}

func (r *reader) findNotes(n *html.Node, inside bool) {
	if isNotes(n) {
		inside = true
	}
	if inside && n.Data == "li" && attr(n, "id") != "" {
		r.endnotes[attr(n, "id")] = n
		return
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		r.findNotes(c, inside)
	}
}

func isNotes(n *html.Node) bool { return attr(n, "role") == "doc-endnotes" }

// inline reads the content of n as inline nodes. Blocks that cannot stand
// there, such as pictures in a heading, are returned apart.
func (r *reader) inline(n *html.Node, depth int) (content, hoisted []*Node) {
	b := &builder{r: r, depth: depth, single: true}
	b.children(n, nil)
	return b.para, b.out
}

func (b *builder) children(n *html.Node, marks []Mark) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.node(c, marks)
	}
}

func (b *builder) flush() {
	if b.single {
		if len(b.para) > 0 {
			b.para = append(b.para, &Node{Type: "text", Text: " "})
		}
		return
	}
	if content := normalInline(b.para); len(content) > 0 {
		b.out = append(b.out, (&Node{Type: "paragraph", Content: content}).set("dir", b.dir))
	}
	b.para, b.dir = nil, ""
}

func (b *builder) block(n ...*Node) {
	b.flush()
	b.out = append(b.out, n...)
}

// inside reads the content of n as blocks, at least one of them.
func (b *builder) inside(n *html.Node) []*Node {
	in := &builder{r: b.r, depth: b.depth + 1}
	in.children(n, nil)
	in.flush()
	if len(in.out) == 0 {
		return []*Node{{Type: "paragraph"}}
	}
	return in.out
}

// deep tells that containers may not nest further; their content is then
// taken without them. A container adds at most four levels.
func (b *builder) deep(n *html.Node) bool {
	if b.depth+8 < MaxDepth {
		return false
	}
	b.r.change(n.Data, "nested too deep; its content is kept")
	return true
}

func (b *builder) node(n *html.Node, marks []Mark) {
	if n.Type == html.TextNode {
		if n.Data != "" {
			b.para = append(b.para, &Node{Type: "text", Text: n.Data, Marks: slices.Clone(marks)})
		}
		return
	}
	if n.Type != html.ElementNode || isNotes(n) {
		return
	}
	switch n.Data {
	case "br":
		b.para = append(b.para, &Node{Type: "hard_break"})
	case "hr":
		b.block(&Node{Type: map[bool]string{true: "wall_mark", false: "divider"}[hasClass(n, "wall-mark")]})
	case "p", "div", "summary", "dt", "dd", "address", "center", "legend", "cite":
		b.wrapper(n, marks)
	case "section", "article", "main", "header", "footer", "nav", "aside", "dl", "figcaption", "details",
		"fieldset", "hgroup", "body", "li", "caption", "td", "th", "tr", "thead", "tbody", "tfoot", "menu":
		b.wrapper(n, marks)
	case "h1", "h2", "h3", "h4", "h5", "h6":
		b.heading(n)
	case "ul", "ol":
		b.list(n, marks)
	case "blockquote":
		b.quotation(n, nil)
	case "figure":
		b.figure(n, marks)
	case "img":
		b.picture(n, marks)
	case "audio", "video":
		b.media(n, nil)
	case "table":
		b.table(n, "", marks)
	case "pre":
		b.pre(n)
	default:
		b.phrase(n, marks)
	}
}

// wrapper reads an element that only groups, and the divs that mean more.
func (b *builder) wrapper(n *html.Node, marks []Mark) {
	switch {
	case n.Data == "cite":
		b.children(n, marks)
		return
	case n.Data == "p" && hasClass(n, "heading") && attr(n, "data-level") != "":
		b.heading(n)
		return
	case hasClass(n, "callout") || hasClass(n, "kg-callout-card"):
		if b.deep(n) {
			break
		}
		tone := attr(n, "data-tone")
		if !slices.Contains(tones, tone) {
			tone = calloutTone(attr(n, "class"))
		}
		b.block((&Node{Type: "callout", Content: b.inside(n)}).set("tone", tone))
		return
	case hasClass(n, "also-read") && (attr(n, "data-story") != "" || attr(n, "data-url") != ""):
		a := (&Node{Type: "also_read"}).set("story", ident(n, "data-story")).set("title", value(n, "data-title"))
		a.set("url", b.r.link(attr(n, "data-url")))
		if a.Attr("story") != "" || a.Attr("url") != "" {
			b.block(a)
			return
		}
	case hasClass(n, "kg-file-card") || hasClass(n, "wp-block-file"):
		if a := find(n, "a"); a != nil && attr(a, "href") != "" {
			title := text(findClass(n, "kg-file-card-title"))
			if title == "" {
				title = text(a)
			}
			f := (&Node{Type: "file"}).set("title", title)
			if !b.r.source(f, attr(a, "href")) {
				break
			}
			for c := range n.Descendants() {
				if c.Data == "a" && c != a {
					b.r.change("link "+text(c), "a file has one link")
				}
			}
			if c := findClass(n, "kg-file-card-caption"); c != nil {
				f.Content = b.caption(c)
			}
			b.block(f)
			return
		}
	case hasClass(n, "kg-audio-card") || hasClass(n, "kg-video-card"):
		if m := find(n, "audio", "video"); m != nil {
			b.media(m, n)
			return
		}
	case hasClass(n, "kg-toggle-card") || n.Data == "details":
		b.r.change(n.Data, "what folds is shown open")
	case hasClass(n, "kg-callout-emoji") || hasClass(n, "kg-toggle-heading-icon"):
		if text(n) != "" {
			b.r.change("callout sign "+text(n), "the tone shows it")
		}
		return
	}
	b.flush()
	if n.Data == "p" || n.Data == "div" {
		b.dir = direction(n)
	}
	b.children(n, marks)
	b.flush()
}

func calloutTone(class string) string {
	for _, pair := range [][2]string{{"-blue", "info"}, {"-green", "success"}, {"-yellow", "warning"}, {"-red", "danger"}} {
		if strings.Contains(class, pair[0]) {
			return pair[1]
		}
	}
	return ""
}

func (b *builder) heading(n *html.Node) {
	level := 2
	if len(n.Data) == 2 {
		level = int(n.Data[1] - '0')
	}
	if given, err := strconv.Atoi(attr(n, "data-level")); err == nil && given >= 2 && given <= 4 {
		level = given
	}
	if level < 2 || level > 4 {
		b.r.change(n.Data, "headings in a story have the levels 2 to 4")
		level = min(max(level, 2), 4)
	}
	content, hoisted := b.r.inline(n, b.depth)
	if b.single {
		b.flush()
		b.para = append(b.para, content...)
		b.block(hoisted...)
		return
	}
	b.block((&Node{Type: "heading", Content: normalInline(content)}).setInt("level", level).set("dir", direction(n)))
	b.block(hoisted...)
}

func (b *builder) list(n *html.Node, marks []Mark) {
	if hasClass(n, "blocks-gallery-grid") || hasClass(n, "wp-block-gallery") {
		b.gallery(n, nil)
		return
	}
	if b.single || b.deep(n) {
		b.children(n, marks)
		return
	}
	l := (&Node{Type: "bullet_list"}).set("dir", direction(n))
	if n.Data == "ol" {
		l.Type = "ordered_list"
		if start, err := strconv.Atoi(attr(n, "start")); err == nil && start >= 0 && start <= 1_000_000 {
			l.setInt("start", start)
		}
	}
	in := &builder{r: b.r, depth: b.depth + 1}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		switch {
		case c.Type == html.ElementNode && c.Data == "li":
			l.Content = append(l.Content, &Node{Type: "list_item", Content: in.inside(c)})
		case c.Type == html.ElementNode && (c.Data == "ul" || c.Data == "ol") && len(l.Content) > 0:
			// Old editors put a nested list beside its item, not inside.
			last := l.Content[len(l.Content)-1]
			nested := &builder{r: b.r, depth: b.depth + 2}
			nested.list(c, nil)
			last.Content = append(last.Content, nested.out...)
		case c.Type == html.ElementNode || strings.TrimSpace(c.Data) != "":
			stray := &builder{r: b.r, depth: b.depth + 2}
			stray.node(c, nil)
			if stray.flush(); len(stray.out) > 0 {
				l.Content = append(l.Content, &Node{Type: "list_item", Content: stray.out})
			}
		}
	}
	if len(l.Content) > 0 {
		b.block(l)
	}
}

func (b *builder) pre(n *html.Node) {
	code := find(n, "code")
	if b.single {
		b.children(n, nil)
		return
	}
	if hasClass(n, "wp-block-verse") {
		b.flush()
		for i, l := range strings.Split(strings.Trim(raw(n), "\n"), "\n") {
			if i > 0 {
				b.para = append(b.para, &Node{Type: "hard_break"})
			}
			b.para = append(b.para, &Node{Type: "text", Text: l})
		}
		b.flush()
		return
	}
	c := &Node{Type: "code_block", Content: []*Node{{Type: "text", Text: raw(n)}}}
	if c.Content[0].Text == "" {
		return
	}
	for _, e := range []*html.Node{n, code} {
		for class := range strings.FieldsSeq(attr(e, "class")) {
			if lang, ok := strings.CutPrefix(class, "language-"); ok && tokenPattern.MatchString(lang) {
				c.set("language", lang)
			}
		}
	}
	b.block(c)
}

// phrase reads an inline element.
func (b *builder) phrase(n *html.Node, marks []Mark) {
	with := func(typ string) []Mark {
		return append(slices.Clone(marks), Mark{Type: typ})
	}
	switch n.Data {
	case "strong", "b":
		marks = with("strong")
	case "em", "i", "dfn", "var":
		marks = with("em")
	case "u":
		marks = with("underline")
	case "s", "strike", "del":
		marks = with("strike")
	case "sup":
		marks = with("superscript")
	case "sub":
		marks = with("subscript")
	case "code", "kbd", "samp", "tt":
		marks = with("code")
	case "q":
		b.para = append(b.para, &Node{Type: "text", Text: "“", Marks: marks})
		b.children(n, marks)
		b.para = append(b.para, &Node{Type: "text", Text: "”", Marks: marks})
		return
	case "abbr", "acronym":
		if t := value(n, "title"); t != "" {
			b.r.change(n.Data+" "+t, "abbreviations have no explanation; the text is kept")
		}
	case "a":
		if attr(n, "role") == "doc-noteref" {
			b.footnote(strings.TrimPrefix(attr(n, "href"), "#"))
			return
		}
		if attr(n, "role") == "doc-backlink" {
			// Markdown's renderer keeps its arrow close with a no-break space.
			if k := len(b.para) - 1; k >= 0 {
				b.para[k].Text = strings.TrimSuffix(b.para[k].Text, "\u00a0")
			}
			return
		}
		if href := b.r.link(attr(n, "href")); href != "" {
			m := Mark{Type: "link", Attrs: map[string]any{"href": href}}
			if t := value(n, "title"); t != "" {
				m.Attrs["title"] = t
			}
			marks = append([]Mark{m}, without(marks, "link")...)
		}
	case "ins", "span":
		switch {
		case hasClass(n, "insertion"):
			b.insertion(n, marks)
			return
		case hasClass(n, "footnote"):
			content, _ := b.r.inline(n, b.depth)
			b.note(content)
			return
		case n.Data == "ins":
			marks = with("underline")
		}
	case "button", "label":
		b.r.change(n.Data, "a story has no forms; the text is kept")
	}
	lang, dir := attr(n, "lang"), direction(n)
	if lang != "" || dir != "" {
		m := Mark{Type: "lang", Attrs: map[string]any{}}
		if lang != "" {
			m.Attrs["lang"] = lang
		}
		if dir != "" {
			m.Attrs["dir"] = dir
		}
		marks = append([]Mark{m}, without(marks, "lang")...)
	}
	b.children(n, marks)
}

func without(marks []Mark, typ string) []Mark {
	return slices.DeleteFunc(slices.Clone(marks), func(m Mark) bool { return m.Type == typ })
}

// insertion reads an editor's insertion; the brackets are the renderer's.
func (b *builder) insertion(n *html.Node, marks []Mark) {
	from := len(b.para)
	b.children(n, append(slices.Clone(marks), Mark{Type: "insertion"}))
	var texts []*Node
	for _, c := range b.para[min(from, len(b.para)):] {
		if c.Type == "text" && c.Text != "" {
			texts = append(texts, c)
		}
	}
	if len(texts) > 0 {
		first, last := texts[0], texts[len(texts)-1]
		if strings.HasPrefix(first.Text, "[") && strings.HasSuffix(last.Text, "]") && (first != last || len(first.Text) > 1) {
			first.Text = strings.TrimPrefix(first.Text, "[")
			last.Text = strings.TrimSuffix(last.Text, "]")
		}
	}
}

func (b *builder) footnote(id string) {
	li := b.r.endnotes[id]
	if li == nil {
		b.r.change("footnote "+id, "its text is missing")
		return
	}
	b.r.used[id] = true
	if b.r.inNote {
		b.r.change("footnote "+id, "a footnote cannot hold a footnote")
		return
	}
	b.r.inNote = true
	content, hoisted := b.r.inline(li, b.depth)
	b.r.inNote = false
	for _, h := range hoisted {
		if h.Type == "wall_mark" {
			b.r.change("wall mark", "it stood inside a footnote")
			continue
		}
		b.r.change(h.Type+" in footnote "+id, "footnotes hold text only")
	}
	b.note(content)
}

func (b *builder) note(content []*Node) {
	content = slices.DeleteFunc(content, func(c *Node) bool { return c.Type == "footnote" })
	if content = normalInline(content); len(content) > 0 {
		b.para = append(b.para, &Node{Type: "footnote", Content: content})
	}
}

// The small questions one asks of an HTML node.

func attr(n *html.Node, key string) string {
	if n == nil {
		return ""
	}
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// value is an attribute as one line that the schema takes.
func value(n *html.Node, key string) string {
	return strings.TrimSuffix(clip(cleanLine(attr(n, key)), 1990), "…")
}

func ident(n *html.Node, key string) string {
	if id := attr(n, key); identPattern.MatchString(id) {
		return id
	}
	return ""
}

func direction(n *html.Node) string {
	d := strings.ToLower(attr(n, "dir"))
	if slices.Contains(dirAttr.options, d) {
		return d
	}
	return ""
}

func hasClass(n *html.Node, class string) bool {
	return slices.Contains(strings.Fields(attr(n, "class")), class)
}

// find returns the first element below n with one of the names.
func find(n *html.Node, tags ...string) *html.Node {
	if n == nil {
		return nil
	}
	for c := range n.Descendants() {
		if c.Type == html.ElementNode && slices.Contains(tags, c.Data) {
			return c
		}
	}
	return nil
}

// findClass returns the first element below n with the class.
func findClass(n *html.Node, class string) *html.Node {
	if n == nil {
		return nil
	}
	for c := range n.Descendants() {
		if c.Type == html.ElementNode && hasClass(c, class) {
			return c
		}
	}
	return nil
}

// raw is the text below n, breaks as line ends; text is that on one line.
func raw(n *html.Node) string {
	var b strings.Builder
	if n != nil {
		for c := range n.Descendants() {
			if c.Type == html.TextNode {
				b.WriteString(c.Data)
			} else if c.Data == "br" {
				b.WriteByte('\n')
			}
		}
	}
	return b.String()
}

func text(n *html.Node) string {
	var b strings.Builder
	var each func(*html.Node)
	each = func(n *html.Node) {
		block := n.Type == html.ElementNode && slices.Contains(apart, n.Data)
		if block {
			b.WriteByte(' ')
		}
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			each(c)
		}
		if block {
			b.WriteByte(' ')
		}
	}
	if n != nil {
		each(n)
	}
	return strings.TrimSuffix(clip(cleanLine(b.String()), 1990), "…")
}

// apart are elements whose text does not run into that of their neighbours.
var apart = strings.Fields("p div br li td th h1 h2 h3 h4 h5 h6 blockquote section figcaption")
