package doc

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// figure reads a figure element by what is in it.
func (b *builder) figure(n *html.Node, marks []Mark) {
	caption := cmp.Or(child(n, "figcaption"), find(n, "figcaption"))
	quote := cmp.Or(child(n, "blockquote"), find(n, "blockquote"))
	has := func(class string) bool { return hasClass(n, class) }
	b.wallWithin(n)
	switch {
	case has("pull-quote") || has("wp-block-pullquote"):
		if quote == nil {
			quote = n
		}
		b.pullQuote(quote, caption)
	case has("quotation") && quote != nil:
		b.quotation(quote, caption)
	case has("embed"):
		b.embed(n, value(n, "data-provider"), attr(n, "data-src"), caption)
	case has("file"):
		b.file(n, caption)
	case has("gallery"):
		b.gallery(n, caption)
	case has("kg-bookmark-card"):
		b.bookmark(n, caption)
	case has("picture") && (attr(n, "data-media") != "" || attr(n, "data-src") != ""):
		b.picture(n, marks)
	case quote != nil && hasClass(quote, "twitter-tweet") || hasClass(quote, "instagram-media"):
		b.quotation(quote, caption)
	case quote != nil && find(n, "img") == nil:
		b.quotation(quote, caption)
	case find(n, "table") != nil:
		for c := range n.Descendants() {
			if c.Type == html.ElementNode && c.Data == "table" && !within(c.Parent, "table", n) {
				b.table(c, text(caption), marks)
			}
		}
	case find(n, "audio", "video") != nil:
		b.media(find(n, "audio", "video"), n)
	case has("wp-block-embed") && strings.HasPrefix(strings.TrimSpace(raw(n)), "http"):
		page, provider := embedPage(b.r.link(strings.Fields(raw(n))[0]))
		b.embed(n, provider, page, caption)
	case has("kg-embed-card") && findClass(n, "embed") != nil:
		inner := findClass(n, "embed")
		b.embed(inner, value(inner, "data-provider"), attr(inner, "data-src"), caption)
	default:
		imgs := 0
		for c := range n.Descendants() {
			if c.Type == html.ElementNode && c.Data == "img" && !within(c, "figcaption", n) {
				imgs++
			}
		}
		switch imgs {
		case 0:
			b.flush()
			b.children(n, marks)
			b.flush()
		case 1:
			b.picture(n, marks)
		default:
			b.gallery(n, caption)
		}
	}
}

func within(n *html.Node, tag string, top *html.Node) bool {
	for ; n != nil && n != top; n = n.Parent {
		if n.Data == tag {
			return true
		}
	}
	return false
}

// source sets media or src of a node from an address.
func (r *reader) source(n *Node, raw string) bool {
	src := r.link(raw)
	if src == "" {
		return false
	}
	if r.o.Picture != nil {
		if id, ok := r.o.Picture(src); ok {
			n.set("media", id)
			return true
		}
	}
	n.set("src", src)
	return true
}

// caption reads inline content for a block that follows. What cannot stand in
// a caption, a picture or a wall mark, is put before that block.
func (b *builder) caption(n *html.Node) []*Node {
	content, hoisted := b.r.inline(n, b.depth)
	b.block(hoisted...)
	return normalInline(content)
}

// picture reads an img, or a figure with one.
func (b *builder) picture(n *html.Node, marks []Mark) {
	img := n
	f := &Node{Type: "figure"}
	if n.Data == "figure" {
		img = find(n, "img")
		f.set("media", ident(n, "data-media")).set("credit", value(n, "data-credit"))
		if src := attr(n, "data-src"); src != "" && f.Attr("media") == "" {
			b.r.source(f, src)
		}
		if caption := find(n, "figcaption"); caption != nil {
			shown := findClass(caption, "credit")
			if shown != nil {
				if f.Attr("credit") == "" && !hasAttr(n, "data-credit") {
					f.set("credit", text(shown))
				}
				shown.Parent.RemoveChild(shown)
			}
			f.Content = b.caption(caption)
		}
	}
	alt := value(img, "alt")
	if hasAttr(n, "data-alt") {
		alt = value(n, "data-alt")
	}
	if hasClass(img, "wp-smiley") || hasClass(img, "emoji") {
		b.para = append(b.para, &Node{Type: "text", Text: alt, Marks: marks})
		return
	}
	f.set("alt", alt)
	if f.Attr("media") == "" && f.Attr("src") == "" && !b.r.source(f, attr(img, "src")) {
		b.r.change("picture "+alt, "it has no address that can be kept")
		b.para = append(b.para, f.Content...)
		return
	}
	for p := img; p != nil; p = p.Parent {
		if p.Data == "a" && attr(p, "href") != "" {
			b.r.change("link "+attr(p, "href"), "pictures carry no link")
		}
	}
	b.block(f)
}

// wallWithin puts a wall mark that stands somewhere in n before it, so that
// none is lost with a part that is not kept.
func (b *builder) wallWithin(n *html.Node) {
	if findClass(n, "wall-mark") != nil {
		b.r.change("wall mark", "it stood inside a "+n.Data+"; put before it")
		b.block(&Node{Type: "wall_mark"})
	}
}

// child returns the first child with that name.
func child(n *html.Node, tag string) *html.Node {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Data == tag && c.Type == html.ElementNode {
			return c
		}
	}
	return nil
}

func hasAttr(n *html.Node, key string) bool {
	return n != nil && slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
}

// gallery reads every picture below n.
func (b *builder) gallery(n, caption *html.Node) {
	if caption != nil && within(caption.Parent, "figure", n) {
		caption = nil // it is a picture's own
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if c.Data == "figcaption" {
				caption = c
			}
		}
	}
	in := &builder{r: b.r, depth: b.depth + 1}
	var each func(*html.Node)
	each = func(p *html.Node) {
		for c := p.FirstChild; c != nil; c = c.NextSibling {
			switch {
			case c.Type != html.ElementNode || c == caption:
			case c.Data == "img" || c.Data == "figure" && (find(c, "img") != nil || hasClass(c, "picture")) && find(c, "figure") == nil:
				in.picture(c, nil)
			default:
				each(c)
			}
		}
	}
	each(n)
	in.para = nil
	g := (&Node{Type: "gallery"}).set("caption", text(caption))
	for _, f := range in.out {
		if f.Type == "figure" {
			g.Content = append(g.Content, f)
		} else {
			b.block(f)
		}
	}
	if len(g.Content) > 0 {
		b.block(g)
	}
}

// embed reads a card; n carries the data attributes that Node.HTML writes.
func (b *builder) embed(n *html.Node, provider, src string, caption *html.Node) {
	u := b.r.link(src)
	if !strings.HasPrefix(u, "http") {
		b.r.change("embed "+src, "its address is missing or not allowed")
		b.flush()
		b.children(n, nil)
		b.flush()
		return
	}
	e := (&Node{Type: "embed"}).set("url", u).set("provider", provider).set("title", value(n, "data-title")).
		set("author", value(n, "data-author")).set("thumbnail", ident(n, "data-thumbnail"))
	if caption != nil {
		e.Content = b.caption(caption)
	}
	b.block(e)
}

// bookmark reads a card that shows a page by title and publisher.
func (b *builder) bookmark(n, caption *html.Node) {
	a := find(n, "a")
	u := b.r.link(attr(a, "href"))
	if !strings.HasPrefix(u, "http") {
		b.flush()
		b.children(n, nil)
		b.flush()
		return
	}
	_, provider := embedPage(u)
	if p := text(findClass(n, "kg-bookmark-publisher")); p != "" {
		provider = p
	}
	e := (&Node{Type: "embed"}).set("url", u).set("provider", provider).
		set("title", text(findClass(n, "kg-bookmark-title"))).set("author", text(findClass(n, "kg-bookmark-author")))
	if d := text(findClass(n, "kg-bookmark-description")); d != "" && caption == nil {
		e.Content = []*Node{{Type: "text", Text: d}}
	}
	if img := find(findClass(n, "kg-bookmark-thumbnail"), "img"); img != nil && b.r.o.Picture != nil {
		if id, ok := b.r.o.Picture(b.r.link(attr(img, "src"))); ok {
			e.set("thumbnail", id)
		}
	}
	if caption != nil {
		e.Content = b.caption(caption)
	}
	b.block(e)
}

// file reads the figure that Node.HTML writes for a file.
func (b *builder) file(n, caption *html.Node) {
	f := (&Node{Type: "file"}).set("media", ident(n, "data-media")).set("title", value(n, "data-title")).
		set("thumbnail", ident(n, "data-thumbnail"))
	if kind := attr(n, "data-kind"); kind == "audio" || kind == "video" {
		f.set("kind", kind)
	}
	if src := attr(n, "data-src"); src != "" && f.Attr("media") == "" {
		b.r.source(f, src)
	}
	if f.Attr("media") == "" && f.Attr("src") == "" {
		b.r.change("file", "it has no address that can be kept")
		return
	}
	if caption != nil {
		f.Content = b.caption(caption)
	}
	b.block(f)
}

// media reads an audio or video element; card is what stands around it.
func (b *builder) media(n, card *html.Node) {
	f := (&Node{Type: "file"}).set("kind", n.Data).set("title", value(n, "title"))
	src := attr(n, "src")
	for c := n.FirstChild; c != nil && src == ""; c = c.NextSibling {
		if c.Data == "source" {
			src = attr(c, "src")
		}
	}
	if a := find(n, "a"); src == "" && a != nil {
		src = attr(a, "href")
	}
	if !b.r.source(f, src) {
		b.r.change(n.Data+" "+src, "its address is missing or not allowed")
		return
	}
	if poster := b.r.link(attr(n, "poster")); poster != "" && b.r.o.Picture != nil {
		if id, ok := b.r.o.Picture(poster); ok {
			f.set("thumbnail", id)
		}
	}
	if t := text(findClass(card, "kg-audio-title")); t != "" {
		f.set("title", t)
	}
	if caption := find(card, "figcaption"); caption != nil {
		f.Content = b.caption(caption)
	}
	b.block(f)
}

// quotation reads a blockquote; caption, or a cite or footer at its end, names
// the speaker.
func (b *builder) quotation(n, caption *html.Node) {
	for class, provider := range map[string]string{"twitter-tweet": "X", "instagram-media": "Instagram", "tiktok-embed": "TikTok"} {
		if !hasClass(n, class) {
			continue
		}
		page := ""
		for c := range n.Descendants() {
			if u := b.r.link(attr(c, "href")); c.Data == "a" && strings.HasPrefix(u, "http") {
				page = u
			}
		}
		if page != "" {
			e := (&Node{Type: "embed"}).set("url", page).set("provider", provider)
			e.Content = []*Node{{Type: "text", Text: text(n)}}
			b.block(e)
			return
		}
	}
	if hasClass(n, "kg-blockquote-alt") {
		b.pullQuote(n, caption)
		return
	}
	if b.single || b.deep(n) {
		b.flush()
		b.children(n, nil)
		b.flush()
		return
	}
	q := &Node{Type: "quotation"}
	b.speech(q, n, caption)
	q.Content = b.inside(n)
	b.block(q)
}

func (b *builder) pullQuote(n, caption *html.Node) {
	if n.Parent == nil || n.Parent.Data != "figure" {
		b.wallWithin(n)
	}
	q := &Node{Type: "pull_quote"}
	b.speech(q, n, caption)
	// Paragraphs of a pull quote become lines.
	in := &builder{r: b.r, depth: b.depth + 1}
	in.children(n, nil)
	in.flush()
	var hoisted []*Node
	for _, p := range in.out {
		if !isText(p.Type) || p.Type == "figure" || p.Type == "code_block" {
			hoisted = append(hoisted, p)
			continue
		}
		if len(q.Content) > 0 {
			q.Content = append(q.Content, &Node{Type: "hard_break"})
		}
		q.Content = append(q.Content, p.Content...)
	}
	if len(q.Content) > 0 {
		b.block(q)
	}
	b.block(hoisted...)
}

// speech sets speaker, outlet and direction, and takes the line that names the
// speaker out of the quotation.
func (b *builder) speech(q *Node, n, caption *html.Node) {
	q.set("dir", direction(n))
	if hasAttr(n, "data-speaker") || hasAttr(n, "data-outlet") {
		q.set("speaker", value(n, "data-speaker")).set("outlet", value(n, "data-outlet"))
		return
	}
	who := caption
	if who == nil {
		last := n.LastChild
		for last != nil && last.Type == html.TextNode && strings.TrimSpace(last.Data) == "" {
			last = last.PrevSibling
		}
		if last != nil && (last.Data == "cite" || last.Data == "footer") {
			who = last
		}
	}
	if who == nil {
		return
	}
	q.set("speaker", strings.TrimLeft(text(who), "—–- "))
	if find(who, "a") != nil {
		b.r.change("link "+attr(find(who, "a"), "href"), "a speaker's name carries no link")
	}
	if who != caption {
		n.RemoveChild(who)
	}
}

// table reads rows and cells; caption is that of a figure around it.
func (b *builder) table(n *html.Node, caption string, marks []Mark) {
	if b.single || b.deep(n) {
		b.children(n, marks)
		return
	}
	b.wallWithin(n)
	t := (&Node{Type: "table"}).set("caption", caption)
	var each func(*html.Node)
	each = func(p *html.Node) {
		for c := p.FirstChild; c != nil; c = c.NextSibling {
			switch c.Data {
			case "caption":
				t.set("caption", text(c))
			case "thead", "tbody", "tfoot":
				each(c)
			case "tr":
				row := &Node{Type: "table_row"}
				in := &builder{r: b.r, depth: b.depth + 1}
				for d := c.FirstChild; d != nil; d = d.NextSibling {
					if d.Data != "td" && d.Data != "th" {
						continue
					}
					cell := &Node{Type: map[bool]string{true: "table_header", false: "table_cell"}[d.Data == "th"], Content: in.inside(d)}
					for _, key := range []string{"colspan", "rowspan"} {
						if span, err := strconv.Atoi(attr(d, key)); err == nil && span > 1 {
							cell.setInt(key, min(span, spanAttr.max))
						}
					}
					row.Content = append(row.Content, cell)
				}
				if len(row.Content) > 0 {
					t.Content = append(t.Content, row)
				}
			}
		}
	}
	each(n)
	if len(t.Content) > 0 {
		b.block(t)
	}
}

// external tells whether an address leads to another host than the base.
func external(href, base string) bool {
	u, err := url.Parse(href)
	if err != nil || u.Host == "" {
		return false
	}
	b, err := url.Parse(base)
	return err != nil || !strings.EqualFold(u.Host, b.Host)
}
