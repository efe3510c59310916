package doc

import (
	"cmp"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// Picture is how one picture is shown. Src is an address of the own house;
// Srcset and Sizes are as HTML writes them; Width and Height are in pixels.
// Alt and Credit stand in where the figure says none.
type Picture struct {
	Src, Srcset, Sizes string
	Width, Height      int
	Alt, Credit        string
}

// File is how one file, sound or film is offered. Bytes is its size, 0 where
// it is unknown.
type File struct {
	URL, Type, Name string
	Bytes           int64
}

// Linked is a story that an "also read" inset points to.
type Linked struct{ URL, Headline, Kicker string }

// Labels are the few words that Node.HTML adds, in the page's language. An
// empty one falls back to English. Load has one %s, the provider.
type Labels struct {
	AlsoRead, Footnotes, Load, BackToText, Picture, Download string
}

// RenderOptions tell Node.HTML what the page knows. The zero value renders
// everything that needs no knowledge.
type RenderOptions struct {
	Picture func(mediaID string) (Picture, bool)
	File    func(mediaID string) (File, bool)
	// Story gives the story of an "also read" inset; where it answers false,
	// the inset is hidden.
	Story  func(storyID string) (Linked, bool)
	Labels Labels
	// HeadingShift is added to each heading's level; the result is kept
	// between 2 and 6, and no level is skipped.
	HeadingShift int
	// ParagraphIDs gives the document's own paragraphs the anchors p1, p2, …,
	// counted from the start, so that preview and full text agree.
	ParagraphIDs bool
	// IDPrefix stands before every id, for a page with several documents.
	IDPrefix string
	// Base is the absolute address of the site: links to its host are its
	// own, and a feed's relative addresses are resolved against it.
	Base string
	// Feed writes for readers outside the site: absolute addresses, no cards,
	// no attributes for scripts, no wall mark. It is not read back lossless.
	Feed bool
}

// HTML renders the document as valid HTML. Every text and attribute is
// escaped, every address checked, nothing inline (style, script), nothing from
// another host but plain links. The attributes data-* let FromHTML read it
// back lossless.
func (n *Node) HTML(o RenderOptions) string {
	o.Labels.AlsoRead = cmp.Or(o.Labels.AlsoRead, "Also read")
	o.Labels.Footnotes = cmp.Or(o.Labels.Footnotes, "Footnotes")
	o.Labels.Load = cmp.Or(o.Labels.Load, "Load from %s")
	o.Labels.BackToText = cmp.Or(o.Labels.BackToText, "Back to text")
	o.Labels.Picture = cmp.Or(o.Labels.Picture, "Picture")
	o.Labels.Download = cmp.Or(o.Labels.Download, "Download")
	w := &writer{o: o, level: 1 + min(max(o.HeadingShift, 0), 4)}
	if o.Base != "" {
		w.base, _ = url.Parse(o.Base)
	}
	if n.Type == "doc" {
		for _, c := range n.Content {
			if c.Type == "paragraph" && o.ParagraphIDs {
				w.paragraphs++
				w.openParagraph(c, o.IDPrefix+"p"+strconv.Itoa(w.paragraphs))
				continue
			}
			w.block(c)
		}
	} else {
		w.block(n)
	}
	w.footnotes()
	return w.b.String()
}

type writer struct {
	b          strings.Builder
	o          RenderOptions
	base       *url.URL
	paragraphs int
	notes      []*Node
	level      int  // of the last heading as shown
	headerCell bool // inside a table's header cell
	// embedded writes HTML that stands inside Markdown: no line ends, and
	// footnotes where they are referred to.
	embedded bool
}

var (
	escaper     = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;")
	textEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	lineEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\n", "&#10;", "\t", "&#9;")
)

// text writes escaped text. Quotation marks need no escape there.
func (w *writer) text(s string) {
	if w.embedded {
		s = lineEscaper.Replace(s)
	} else {
		s = textEscaper.Replace(s)
	}
	w.b.WriteString(s)
}

func (w *writer) str(s ...string) {
	for _, s := range s {
		w.b.WriteString(s)
	}
}

// attr writes an attribute, nothing for the empty value.
func (w *writer) attr(name, value string) {
	if value != "" {
		w.str(" ", name, `="`, escaper.Replace(value), `"`)
	}
}

// data writes an attribute that only FromHTML and scripts read.
func (w *writer) data(name, value string) {
	if !w.o.Feed {
		w.attr("data-"+name, value)
	}
}

func (w *writer) num(name string, i, def int) {
	if i != def {
		w.str(" ", name, `="`, strconv.Itoa(i), `"`)
	}
}

func (w *writer) end() {
	if !w.embedded {
		w.b.WriteByte('\n')
	}
}

// url checks an address once more, so that a document which was never parsed
// can do no harm either, and makes it absolute for a feed.
func (w *writer) url(raw string) string {
	clean, ok := cleanURL(raw)
	if !ok {
		return ""
	}
	if w.o.Feed && w.base != nil && !strings.HasPrefix(clean, "#") {
		if u, err := w.base.Parse(clean); err == nil {
			return u.String()
		}
	}
	return clean
}

func (w *writer) openParagraph(n *Node, id string) {
	w.str("<p")
	w.attr("id", id)
	w.attr("dir", n.Attr("dir"))
	w.str(">")
	w.inline(n.Content)
	w.str("</p>")
	w.end()
}

func (w *writer) block(n *Node) {
	switch n.Type {
	case "paragraph":
		w.openParagraph(n, "")
		return
	case "heading":
		w.heading(n)
	case "bullet_list", "ordered_list":
		tag := map[string]string{"bullet_list": "ul", "ordered_list": "ol"}[n.Type]
		w.str("<", tag)
		if tag == "ol" {
			w.num("start", n.Int("start"), 1)
		}
		w.attr("dir", n.Attr("dir"))
		w.str(">")
		w.end()
		for _, item := range n.Content {
			w.str("<li>")
			w.cell(item)
			w.str("</li>")
			w.end()
		}
		w.str("</", tag, ">")
	case "quotation":
		w.quotation(n, "quotation")
	case "pull_quote":
		w.quotation(n, "pull-quote")
	case "figure":
		w.figure(n)
	case "gallery":
		w.str(`<figure class="gallery">`)
		w.end()
		for _, f := range n.Content {
			w.figure(f)
			w.end()
		}
		if c := n.Attr("caption"); c != "" {
			w.str("<figcaption>")
			w.text(c)
			w.str("</figcaption>")
		}
		w.str("</figure>")
	case "embed":
		w.embed(n)
	case "file":
		w.file(n)
	case "also_read":
		w.alsoRead(n)
	case "table":
		w.table(n)
	case "code_block":
		w.str("<pre><code")
		if lang := n.Attr("language"); lang != "" {
			w.attr("class", "language-"+lang)
		}
		w.str(">")
		for _, t := range n.Content {
			w.text(t.Text)
		}
		w.str("</code></pre>")
	case "divider":
		w.str("<hr>")
	case "callout":
		tone := cmp.Or(n.Attr("tone"), tones[0])
		w.str(`<div class="callout callout-`, escaper.Replace(tone), `" role="note"`)
		w.data("tone", n.Attr("tone"))
		w.str(">")
		w.end()
		w.blocks(n.Content)
		w.str("</div>")
	case "wall_mark":
		if w.o.Feed {
			return
		}
		w.str(`<hr class="wall-mark" hidden>`)
	default: // an item or a cell asked for alone, an inline node
		if isText(n.Type) || n.Type == "text" || n.Type == "hard_break" {
			w.inline([]*Node{n})
		} else {
			w.blocks(n.Content)
		}
	}
	w.end()
}

// heading writes no level that skips one (WCAG technique H42), so that a story
// which begins with level 3 is still in order. In a header cell HTML allows no
// heading, so there it is a paragraph.
func (w *writer) heading(n *Node) {
	level := n.Int("level")
	shown := min(max(level+w.o.HeadingShift, 2), 6, w.level+1)
	tag := "h" + strconv.Itoa(shown)
	if w.headerCell {
		tag = "p"
	} else {
		w.level = shown
	}
	w.str("<", tag)
	if w.headerCell {
		w.str(` class="heading"`)
	}
	w.attr("dir", n.Attr("dir"))
	if w.headerCell || shown != level {
		w.data("level", strconv.Itoa(level))
	}
	w.str(">")
	w.inline(n.Content)
	w.str("</", tag, ">")
}

func (w *writer) blocks(list []*Node) {
	for _, c := range list {
		w.block(c)
	}
}

// cell writes the content of an item or a cell, a lone paragraph without its
// element.
func (w *writer) cell(n *Node) {
	if len(n.Content) == 1 && n.Content[0].Type == "paragraph" && n.Content[0].Attr("dir") == "" {
		w.inline(n.Content[0].Content)
		return
	}
	w.end()
	w.blocks(n.Content)
}

func (w *writer) quotation(n *Node, class string) {
	speaker, outlet := n.Attr("speaker"), n.Attr("outlet")
	around := speaker != "" || outlet != "" || class == "pull-quote"
	if around {
		w.str(`<figure class="`, class, `">`)
	}
	w.str("<blockquote")
	w.attr("dir", n.Attr("dir"))
	w.data("speaker", speaker)
	w.data("outlet", outlet)
	w.str(">")
	if class == "pull-quote" {
		w.str("<p>")
		w.inline(n.Content)
		w.str("</p>")
	} else {
		w.end()
		w.blocks(n.Content)
	}
	w.str("</blockquote>")
	if speaker != "" || outlet != "" {
		w.str("<figcaption>")
		if speaker != "" {
			w.str(`<span class="speaker">`)
			w.text(speaker)
			w.str("</span>")
		}
		if speaker != "" && outlet != "" {
			w.str(", ")
		}
		if outlet != "" {
			w.str(`<span class="outlet">`)
			w.text(outlet)
			w.str("</span>")
		}
		w.str("</figcaption>")
	}
	if around {
		w.str("</figure>")
	}
}

func (w *writer) figure(n *Node) {
	media, src, alt, credit := n.Attr("media"), w.url(n.Attr("src")), n.Attr("alt"), n.Attr("credit")
	var p Picture
	shown := false
	if media != "" && w.o.Picture != nil {
		p, shown = w.o.Picture(media)
	}
	if media == "" && !external(src, w.o.Base) {
		p, shown = Picture{Src: src}, src != ""
	}
	shownAlt, shownCredit := cmp.Or(alt, p.Alt), cmp.Or(credit, p.Credit)
	w.str(`<figure class="picture"`)
	w.data("media", media)
	w.data("src", src)
	if !w.o.Feed && (shownAlt != alt || !shown && alt != "") {
		w.str(` data-alt="`, escaper.Replace(alt), `"`)
	}
	if !w.o.Feed && shownCredit != credit {
		w.str(` data-credit="`, escaper.Replace(credit), `"`)
	}
	w.str(">")
	if shown {
		w.str("<img")
		w.attr("src", w.url(p.Src))
		w.attr("srcset", p.Srcset)
		if p.Srcset != "" {
			w.attr("sizes", p.Sizes)
		}
		w.num("width", p.Width, 0)
		w.num("height", p.Height, 0)
		w.str(` alt="`, escaper.Replace(shownAlt), `" loading="lazy" decoding="async">`)
	} else if src != "" {
		// The picture lies with another host: a link contacts nobody.
		w.str(`<a rel="noopener nofollow"`)
		w.attr("href", src)
		w.str(">")
		w.text(cmp.Or(alt, w.o.Labels.Picture))
		w.str("</a>")
	}
	w.caption(n.Content, shownCredit)
	w.str("</figure>")
}

func (w *writer) caption(content []*Node, credit string) {
	if len(content) == 0 && credit == "" {
		return
	}
	w.str("<figcaption>")
	w.inline(content)
	if credit != "" {
		if len(content) > 0 {
			w.str(" ")
		}
		w.str(`<span class="credit">`)
		w.text(credit)
		w.str("</span>")
	}
	w.str("</figcaption>")
}

// embed writes a card: a plain link that works alone, and the address for the
// site's script, which puts the player in its place after a click.
func (w *writer) embed(n *Node) {
	u, provider := w.url(n.Attr("url")), n.Attr("provider")
	w.str(`<figure class="embed"`)
	w.data("src", u)
	w.data("provider", provider)
	w.data("title", n.Attr("title"))
	w.data("author", n.Attr("author"))
	w.data("thumbnail", n.Attr("thumbnail"))
	w.str(">")
	w.str(`<a rel="noopener nofollow"`)
	w.attr("href", u)
	w.str(">")
	w.thumbnail(n)
	title := cmp.Or(n.Attr("title"), u)
	w.str(`<span class="embed-title">`)
	w.text(title)
	w.str("</span>")
	if a := n.Attr("author"); a != "" {
		w.str(` <span class="embed-author">`)
		w.text(a)
		w.str("</span>")
	}
	if !w.o.Feed {
		w.str(` <span class="embed-load">`)
		w.text(strings.Replace(w.o.Labels.Load, "%s", cmp.Or(provider, hostOf(u)), 1))
		w.str("</span>")
	}
	w.str("</a>")
	w.caption(n.Content, "")
	w.str("</figure>")
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func (w *writer) thumbnail(n *Node) {
	if w.o.Picture == nil || n.Attr("thumbnail") == "" {
		return
	}
	if p, ok := w.o.Picture(n.Attr("thumbnail")); ok {
		w.str("<img")
		w.attr("src", w.url(p.Src))
		w.num("width", p.Width, 0)
		w.num("height", p.Height, 0)
		w.str(` alt="" loading="lazy" decoding="async">`)
	}
}

func (w *writer) file(n *Node) {
	kind := n.Attr("kind")
	if kind != "audio" && kind != "video" {
		kind = "file"
	}
	src, title := w.url(n.Attr("src")), n.Attr("title")
	f := File{URL: src}
	if n.Attr("media") != "" {
		f = File{}
		if w.o.File != nil {
			f, _ = w.o.File(n.Attr("media"))
		}
	}
	f.URL = w.url(f.URL)
	w.str(`<figure class="file file-`, kind, `"`)
	w.data("kind", n.Attr("kind"))
	w.data("media", n.Attr("media"))
	w.data("src", src)
	w.data("title", title)
	w.data("thumbnail", n.Attr("thumbnail"))
	w.str(">")
	own := f.URL != "" && !external(f.URL, w.o.Base)
	if own && kind != "file" {
		w.str("<", kind, ` controls preload="none"`)
		w.attr("src", f.URL)
		if kind == "video" && w.o.Picture != nil && n.Attr("thumbnail") != "" {
			if p, ok := w.o.Picture(n.Attr("thumbnail")); ok {
				w.attr("poster", w.url(p.Src))
			}
		}
		w.attr("title", title)
		w.str("></", kind, ">")
	}
	if f.URL != "" {
		w.str("<a")
		if !own {
			w.str(` rel="noopener nofollow"`)
		}
		w.attr("href", f.URL)
		if own {
			w.str(" download")
		}
		w.str(">")
		name := cmp.Or(title, f.Name, f.URL[strings.LastIndex(f.URL, "/")+1:])
		if own {
			name = strings.TrimSpace(w.o.Labels.Download + " " + name)
		}
		w.text(cmp.Or(name, f.URL))
		if f.Bytes > 0 {
			w.str(` <span class="file-size">`, size(f.Bytes), "</span>")
		}
		w.str("</a>")
	}
	w.caption(n.Content, "")
	w.str("</figure>")
}

func size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000_000:
		return fmt.Sprintf("%d kB", (n+500)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

func (w *writer) alsoRead(n *Node) {
	to := Linked{URL: n.Attr("url"), Headline: n.Attr("title")}
	known := to.URL != ""
	if id := n.Attr("story"); id != "" && w.o.Story != nil {
		if s, ok := w.o.Story(id); ok {
			to, known = s, true
		}
	}
	to.URL = w.url(to.URL)
	if known = known && to.URL != ""; !known && w.o.Feed {
		return
	}
	w.str(`<div class="also-read"`)
	w.data("story", n.Attr("story"))
	w.data("url", w.url(n.Attr("url")))
	w.data("title", n.Attr("title"))
	if !known {
		w.str(" hidden></div>")
		return
	}
	w.str(`><p class="also-read-label">`)
	w.text(w.o.Labels.AlsoRead)
	w.str("</p><p><a")
	w.attr("href", to.URL)
	if external(to.URL, w.o.Base) {
		w.str(` rel="noopener"`)
	}
	w.str(">")
	if to.Kicker != "" {
		w.str(`<span class="kicker">`)
		w.text(to.Kicker)
		w.str("</span> ")
	}
	w.text(cmp.Or(to.Headline, to.URL))
	w.str("</a></p></div>")
}
