package archive

import (
	"cmp"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"

	"masthead/internal/doc"
)

var tokenForm = regexp.MustCompile(`^[A-Za-z0-9+#._-]{1,40}$`)

// token gives a code's language, where it is one.
func token(s string) string {
	if tokenForm.MatchString(s) {
		return s
	}
	return ""
}

// card reads a card of either editor. children reads what stands below an
// unknown node; nil where nothing can.
func (b *ghostBody) card(name string, p payload, children func() []*doc.Node) []*doc.Node {
	if why := hidden(p); why != "" {
		b.change("a card %s was left out: %s: %s", name, why, excerpt(cmp.Or(p.str("html"), p.str("textValue"))))
		return nil
	}
	switch name {
	case "horizontalrule", "hr":
		return []*doc.Node{{Type: "divider"}}
	case "paywall":
		return []*doc.Node{{Type: "wall_mark"}}
	case "image":
		return b.figure(p)
	case "gallery":
		return b.gallery(p)
	case "html":
		return b.html(p.str("html"))
	case "markdown", "card-markdown":
		return b.markdown(p.str("markdown"))
	case "code", "codeblock":
		return b.code(p)
	case "embed":
		return b.embed(p)
	case "bookmark":
		return b.bookmark(p)
	case "callout":
		return b.callout(p)
	case "toggle":
		b.change("toggle: what folds is shown open")
		return append(b.heading(4, p.str("heading")), b.html(p.str("content"))...)
	case "button":
		return b.button(p.str("buttonText"), p.str("buttonUrl"))
	case "audio":
		return b.file("audio", p, p.str("title"), p.str("caption"), p.str("thumbnailSrc"))
	case "video":
		return b.file("video", p, p.str("title"), p.str("caption"), cmp.Or(p.str("customThumbnailSrc"), p.str("thumbnailSrc")))
	case "file":
		return b.file("", p, cmp.Or(p.str("fileTitle"), p.str("fileName")), p.str("fileCaption"), "")
	case "product":
		return b.product(p)
	case "header":
		out := append(b.heading(2, p.str("header")), b.html(p.str("subheader"))...)
		out = append(out, b.figureOf(p.str("backgroundImageSrc"), "", "")...)
		if p.on("buttonEnabled") {
			out = append(out, b.button(p.str("buttonText"), p.str("buttonUrl"))...)
		}
		return out
	case "signup":
		b.change("a form to sign up became a link to the page for it")
		out := append(b.heading(3, p.str("header")), b.html(p.str("subheader"))...)
		out = append(out, b.button(cmp.Or(p.str("buttonText"), "Subscribe"), "/register")...)
		return append(out, b.html(p.str("disclaimer"))...)
	case "call-to-action":
		return b.callToAction(p)
	case "before-after":
		out := b.figureOf(p.sub("beforeImage").str("src"), "", "")
		return append(out, b.figureOf(p.sub("afterImage").str("src"), "", p.str("caption"))...)
	case "nft":
		return b.button(cmp.Or(p.str("title"), p.str("url")), p.str("url"))
	case "email", "email-cta":
		b.change("a card for e-mail alone was left out: %s", excerpt(p.str("html")))
		return nil
	case "collection", "latest-posts":
		b.change("a list of other stories was left out: the page makes its own")
		return nil
	}
	if children != nil {
		if out := children(); len(out) > 0 {
			b.change("%s is unknown; what stands in it is kept", cmp.Or(name, "a node without a type"))
			return out
		}
	}
	for _, key := range []string{"html", "text", "caption", "url"} {
		if out := b.html(p.str(key)); len(out) > 0 {
			b.change("the card %s is unknown; its %s is kept", cmp.Or(name, "without a name"), key)
			return out
		}
	}
	b.change("the card %s is unknown and was left out", cmp.Or(name, "without a name"))
	return nil
}

// hidden tells why a card was not for everybody who could open the post. Such
// a one is left out: within a story the wall knows one line only.
func hidden(p payload) string {
	v := p.sub("visibility")
	if v == nil {
		return ""
	}
	if web := v.sub("web"); web != nil {
		if _, said := web["nonMember"]; said && !web.on("nonMember") {
			if web.str("memberSegment") == "" {
				return "it was for e-mail alone"
			}
			return "it was for some readers only"
		}
		return ""
	}
	if _, said := v["showOnWeb"]; said && !v.on("showOnWeb") {
		return "it was for e-mail alone"
	}
	return ""
}

func (b *ghostBody) heading(level int, html string) []*doc.Node {
	content := b.inline(html)
	if len(content) == 0 {
		return nil
	}
	return []*doc.Node{{Type: "heading", Attrs: map[string]any{"level": level}, Content: content}}
}

func (b *ghostBody) figure(p payload) []*doc.Node {
	if p.str("href") != "" {
		b.change("link %s: pictures carry no link", p.str("href"))
	}
	return b.figureOf(p.str("src"), cmp.Or(p.str("alt"), p.str("title")), p.str("caption"))
}

// figureOf makes a figure; where the picture is nowhere its words are kept.
func (b *ghostBody) figureOf(src, alt, caption string) []*doc.Node {
	n := &doc.Node{Type: "figure", Attrs: attrs("alt", b.line(alt)), Content: b.inline(caption)}
	if b.source(n, src, b.line(alt)) {
		return []*doc.Node{n}
	}
	if w := b.words(n); w != nil && src != "" {
		return []*doc.Node{w}
	}
	return nil
}

func (b *ghostBody) gallery(p payload) []*doc.Node {
	g := &doc.Node{Type: "gallery", Attrs: attrs("caption", b.line(p.str("caption")))}
	var stray []*doc.Node
	for _, i := range p.list("images") {
		for _, f := range b.figureOf(i.str("src"), cmp.Or(i.str("alt"), i.str("title")), i.str("caption")) {
			if f.Type == "figure" {
				g.Content = append(g.Content, f)
			} else {
				stray = append(stray, f)
			}
		}
	}
	if len(g.Content) == 0 {
		if c := b.inline(p.str("caption")); len(c) > 0 {
			stray = append(stray, paragraph(c...))
		}
		return stray
	}
	return append([]*doc.Node{g}, stray...)
}

func (b *ghostBody) markdown(s string) []*doc.Node {
	n, changes, err := doc.FromMarkdown(strings.ReplaceAll(s, "__GHOST_URL__", ""))
	b.name(changes)
	if err != nil {
		b.change("a card of Markdown was left out: %s", docFault(err))
		return nil
	}
	return n.Content
}

func (b *ghostBody) code(p payload) []*doc.Node {
	if strings.TrimSpace(p.str("code")) == "" {
		return nil
	}
	out := []*doc.Node{{Type: "code_block", Attrs: attrs("language", token(p.str("language"))), Content: []*doc.Node{words(p.str("code"))}}}
	if c := b.inline(p.str("caption")); len(c) > 0 {
		out = append(out, paragraph(c...))
	}
	return out
}

func (b *ghostBody) embed(p payload) []*doc.Node {
	meta := p.sub("metadata")
	page := strings.TrimSpace(p.str("url"))
	if !remoteAddress(page) {
		out := b.html(p.str("html"))
		if c := b.inline(p.str("caption")); len(c) > 0 {
			out = append(out, paragraph(c...))
		}
		if len(out) == 0 {
			b.change("an embedded page was left out: its address %q is missing or not allowed", clip(page, 80))
		}
		return out
	}
	n := &doc.Node{Type: "embed", Attrs: attrs("url", page, "title", meta.str("title"), "author", meta.str("author_name"),
		"provider", cmp.Or(meta.str("provider_name"), providerOf(page))), Content: b.inline(p.str("caption"))}
	b.thumbnail(n, meta.str("thumbnail_url"))
	return []*doc.Node{n}
}

func (b *ghostBody) bookmark(p payload) []*doc.Node {
	meta := p.sub("metadata")
	page := strings.TrimSpace(b.g.own(p.str("url")))
	if strings.HasPrefix(page, "/") { // a story of this very site
		if href := b.g.href(page); href != "" {
			return []*doc.Node{{Type: "also_read", Attrs: attrs("url", href, "title", b.line(meta.str("title")))}}
		}
	}
	if !remoteAddress(page) {
		b.change("a bookmark was left out: its address %q is missing or not allowed", clip(page, 80))
		return nil
	}
	n := &doc.Node{Type: "embed", Attrs: attrs("url", page, "title", b.line(meta.str("title")), "author", b.line(meta.str("author")),
		"provider", cmp.Or(b.line(meta.str("publisher")), providerOf(page))), Content: b.inline(cmp.Or(p.str("caption"), meta.str("description")))}
	b.thumbnail(n, meta.str("thumbnail"))
	return []*doc.Node{n}
}

// thumbnail sets a card's picture where it is at hand. That one is missing is
// no loss worth a line: the card shows the page's name.
func (b *ghostBody) thumbnail(n *doc.Node, src string) {
	if src == "" {
		return
	}
	a := b.g.assetOf(src, "")
	a.picture = true
	id, _, err := b.g.asset(a)
	if err != nil {
		b.err = err
	} else if id != "" {
		n.Attrs["thumbnail"] = id
	}
}

// remoteAddress tells an address that a card may lead to.
func remoteAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && len(s) < 1900 && usable(s)
}

func providerOf(page string) string {
	u, err := url.Parse(page)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
}

// calloutTones are the tones of a callout by its colour.
var calloutTones = map[string]string{"blue": "info", "green": "success", "yellow": "warning", "red": "danger"}

func (b *ghostBody) callout(p payload) []*doc.Node {
	content := b.html(p.str("calloutText"))
	if len(content) == 0 {
		return nil
	}
	if sign := strings.TrimSpace(p.str("calloutEmoji")); sign != "" && content[0].Type == "paragraph" {
		content[0].Content = append([]*doc.Node{words(sign + " ")}, content[0].Content...)
	}
	return box(calloutTones[p.str("backgroundColor")], content)
}

// box puts blocks into a callout. A wall mark cannot stand in one; it goes before it.
func box(tone string, content []*doc.Node) []*doc.Node {
	var out, inner []*doc.Node
	for _, n := range content {
		if n.Type == "wall_mark" {
			out = append(out, n)
		} else {
			inner = append(inner, n)
		}
	}
	if len(inner) == 0 {
		return out
	}
	return append(out, &doc.Node{Type: "callout", Attrs: attrs("tone", tone), Content: inner})
}

func (b *ghostBody) button(label, href string) []*doc.Node {
	label = oneLine(label)
	if label == "" && href == "" {
		return nil
	}
	return []*doc.Node{paragraph(b.link(href, "", []*doc.Node{{Type: "text", Text: cmp.Or(label, href), Marks: []doc.Mark{{Type: "strong"}}}})...)}
}

func (b *ghostBody) file(kind string, p payload, title, caption, thumbnail string) []*doc.Node {
	n := &doc.Node{Type: "file", Attrs: attrs("kind", kind, "title", b.line(title)), Content: b.inline(caption)}
	if !b.source(n, p.str("src"), "") {
		if w := b.words(n); w != nil {
			return []*doc.Node{w}
		}
		return nil
	}
	b.thumbnail(n, thumbnail)
	return []*doc.Node{n}
}

func (b *ghostBody) product(p payload) []*doc.Node {
	out := append(b.heading(3, p.str("productTitle")), b.figureOf(p.str("productImageSrc"), "", "")...)
	if p.on("productRatingEnabled") {
		if n, ok := p["productStarRating"].(float64); ok && n >= 0 && n <= 5 {
			out = append(out, paragraph(words(strings.Repeat("★", int(n))+strings.Repeat("☆", 5-int(n)))))
		}
	}
	out = append(out, b.html(p.str("productDescription"))...)
	if p.on("productButtonEnabled") {
		out = append(out, b.button(p.str("productButton"), p.str("productUrl"))...)
	}
	return box("", out)
}

func (b *ghostBody) callToAction(p payload) []*doc.Node {
	var out []*doc.Node
	if p.on("hasSponsorLabel") {
		out = append(out, b.html(p.str("sponsorLabel"))...)
	}
	if p.on("hasImage") || p.str("imageUrl") != "" {
		out = append(out, b.figureOf(p.str("imageUrl"), "", "")...)
	}
	out = append(out, b.html(p.str("textValue"))...)
	if p.on("showButton") {
		out = append(out, b.button(p.str("buttonText"), p.str("buttonUrl"))...)
	}
	return box("", out)
}

// UnmarshalJSON takes an object; anything else, such as null, is an empty payload.
func (p *payload) UnmarshalJSON(raw []byte) error {
	var m map[string]any
	if len(raw) > 0 && raw[0] == '{' {
		if err := json.Unmarshal(raw, &m); err != nil {
			return err
		}
	}
	*p = m
	return nil
}
