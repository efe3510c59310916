package archive

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"masthead/internal/doc"
)

// wpBody reads the body of one post.
type wpBody struct {
	w      *wordpress
	id     string // of the post
	notes  map[string]string
	depth  int               // of reusable blocks
	absent map[string]bool   // attachments that did not come in; each is among the skipped
	files  map[string]string // addresses of media that are no pictures
	change func(format string, args ...any)
	err    error // what went wrong that is not the post's fault
}

// document reads a body of blocks, of classic markup, or of both.
func (b *wpBody) document(content string) (*doc.Node, error) {
	markup := content
	if strings.Contains(content, "<!-- wp:") {
		markup = b.blocks(content)
	} else {
		markup = b.classic(content)
	}
	b.absent, b.files = map[string]bool{}, map[string]string{}
	markup = enlarged.ReplaceAllStringFunc(markup, func(link string) string {
		m := enlarged.FindStringSubmatch(link)
		if f := b.w.attachmentOf(html.UnescapeString(m[1])); f != nil && f.kind == "image" {
			return m[2] // the link only enlarged the picture
		}
		return link
	})
	n, changes, err := doc.FromHTML(markup, doc.HTMLOptions{Base: b.w.base.String(), Picture: b.picture})
	for _, c := range changes {
		times := ""
		if c.Count > 1 {
			times = fmt.Sprintf(" (%d times)", c.Count)
		}
		b.change("%s%s: %s", c.What, times, c.Why)
	}
	if err != nil || b.err != nil {
		return nil, cmp.Or(b.err, err)
	}
	if len(b.absent) > 0 {
		b.change("%s not come in, so the text links to where the old site has them", plural(len(b.absent), "picture or file did", "pictures or files did"))
	}
	b.resolve(n)
	n = doc.Normalize(n)
	return n, cmp.Or(b.err, doc.Check(n))
}

var enlarged = regexp.MustCompile(`<a\b[^>]*\bhref="([^"]+)"[^>]*>\s*(<img\b[^>]*>)\s*</a>`)

// blockComment is a delimiter of the block editor, as its grammar has it:
// <!-- wp:name {"json":1} -->, <!-- wp:name /-->, <!-- /wp:name -->.
var blockComment = regexp.MustCompile(`(?s)<!--\s+(/)?wp:([a-z][a-z0-9_-]*(?:/[a-z][a-z0-9_-]*)?)\s+(\{.*?\}\s+)?(/)?-->`)

// blocks rewrites block markup as plain HTML: what stands in a block stays,
// what stands between them is classic markup, and what a block would fetch when
// it is shown is left out by name.
func (b *wpBody) blocks(content string) string {
	var out strings.Builder
	var open []string
	last := 0
	for _, m := range blockComment.FindAllStringSubmatchIndex(content, -1) {
		group := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return content[m[2*i]:m[2*i+1]]
		}
		out.WriteString(b.between(content[last:m[0]], open))
		last = m[1]
		name := strings.TrimPrefix(group(2), "core/")
		switch {
		case group(1) != "": // the end of one; what was not closed within it ends too
			if i := slices.Index(open, name); i >= 0 {
				for open[len(open)-1] != name {
					open = open[:len(open)-1]
				}
				open = open[:len(open)-1]
			}
		default:
			var attrs payload
			if json.Unmarshal([]byte(cmp.Or(group(3), "{}")), &attrs) != nil {
				attrs = payload{}
			}
			out.WriteString(b.block(name, attrs, group(4) != ""))
			if group(4) == "" {
				open = append(open, name)
			}
		}
	}
	out.WriteString(b.between(content[last:], open))
	return nextPage.ReplaceAllString(b.footnotes(out.String()), "<hr>")
}

var nextPage = regexp.MustCompile(`<!--\s*nextpage\s*-->`)

// between rewrites what stands between two delimiters.
func (b *wpBody) between(s string, open []string) string {
	if strings.TrimSpace(s) == "" {
		return "\n"
	}
	if len(open) == 0 {
		return b.classic(s)
	}
	switch open[len(open)-1] {
	case "freeform", "classic", "shortcode":
		return b.classic(s)
	case "code", "preformatted", "verse":
		return s
	case "cover", "cover-image":
		return coverStyle.ReplaceAllString(b.shortcodes(s), "")
	}
	return b.shortcodes(s)
}

// coverStyle is what a cover block writes of its picture and the veil over it.
var coverStyle = regexp.MustCompile(`(?s)<span[^>]*class="wp-block-cover__[^"]*"[^>]*></span>|<img[^>]*class="wp-block-cover__image-background[^"]*"[^>]*>`)

// quietBlocks have nothing to show but space.
var quietBlocks = []string{"spacer", "more", "nextpage", "separator", "site-logo", "post-title"}

// block is what stands for a block beside the HTML within it.
func (b *wpBody) block(name string, attrs payload, empty bool) string {
	switch name {
	case "block":
		return b.reusable(attrs.str("ref"))
	case "cover", "cover-image":
		if src := attrs.str("url"); src != "" && !empty && attrs.str("backgroundType") != "video" && attrs.str("useFeaturedImage") != "true" {
			return coverPicture(src, attrs.str("alt"))
		}
	case "footnotes":
		return "" // they stand where they are referred to
	case "more":
		if empty {
			return "<!--more-->"
		}
	case "separator":
		if empty {
			return "<hr>"
		}
	case "nextpage":
		if empty {
			return "<hr>"
		}
	case "image":
		if empty {
			if f := b.w.tables.files[attrs.str("id")]; f != nil {
				return pictureHTML(f)
			}
		}
	}
	if empty && !slices.Contains(quietBlocks, name) {
		b.change("the block %s was left out: the old site filled it in when it was shown", name)
	} else if strings.Contains(name, "/") && !strings.HasPrefix(name, "core-embed/") {
		b.change("the block %s is not one of WordPress; its words are kept", name)
	}
	return ""
}

func coverPicture(src, alt string) string {
	return `<figure><img src="` + html.EscapeString(src) + `" alt="` + html.EscapeString(alt) + `"></figure>`
}

// reusable puts a reusable block in its place.
func (b *wpBody) reusable(ref string) string {
	content, ok := b.w.tables.blocks[ref]
	if !ok {
		b.change("the reusable block %s was left out: it is not in the export", cmp.Or(ref, "without a number"))
		return ""
	}
	if b.depth >= 4 {
		b.change("the reusable block %s was left out: it stands within itself", ref)
		return ""
	}
	b.depth++
	defer func() { b.depth-- }()
	return b.blocks(content)
}

var noteMark = regexp.MustCompile(`(?s)<sup[^>]*\sdata-fn="([\w-]+)"[^>]*>.*?</sup>`)

// footnotes puts the texts of footnotes, which WordPress keeps in a custom
// field, where they are referred to.
func (b *wpBody) footnotes(s string) string {
	return noteMark.ReplaceAllStringFunc(s, func(mark string) string {
		id := noteMark.FindStringSubmatch(mark)[1]
		text, ok := b.notes[id]
		if !ok {
			b.change("a footnote was left out: its text is not in the export")
			return ""
		}
		return `<span class="footnote">` + text + `</span>`
	})
}

func footnotesOf(meta map[string]string) map[string]string {
	var list []struct{ ID, Content string }
	if meta["footnotes"] == "" || json.Unmarshal([]byte(meta["footnotes"]), &list) != nil {
		return nil
	}
	notes := map[string]string{}
	for _, n := range list {
		notes[n.ID] = n.Content
	}
	return notes
}

var loneAddress = regexp.MustCompile(`(?im)^[ \t]*(?:<p>[ \t]*)?(https?://[^\s<>"]+)[ \t]*(?:</p>[ \t]*)?$`)

// classic rewrites markup of the old editor: shortcodes are read, an address
// alone on its line is a card where its host is known for that, and lines
// become paragraphs.
func (b *wpBody) classic(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	s = nextPage.ReplaceAllString(s, "\n\n<hr>\n\n")
	s = loneAddress.ReplaceAllStringFunc(s, func(line string) string {
		address := html.UnescapeString(loneAddress.FindStringSubmatch(line)[1])
		if !embeds(address) {
			return line
		}
		return "\n\n" + embedHTML(address) + "\n\n"
	})
	return paragraphs(b.shortcodes(s))
}

// embedHosts are the hosts whose address on a line of its own WordPress shows
// as a card (wp-includes/class-wp-oembed.php).
var embedHosts = strings.Fields(`youtube.com youtu.be vimeo.com dailymotion.com dai.ly flickr.com flic.kr smugmug.com scribd.com wordpress.tv
	videopress.com crowdsignal.com polldaddy.com poll.fm twitter.com x.com soundcloud.com slideshare.net spotify.com imgur.com issuu.com mixcloud.com
	ted.com animoto.com tumblr.com kickstarter.com kck.st cloudup.com reverbnation.com reddit.com speakerdeck.com screencast.com amazon.com
	tiktok.com pinterest.com wolframcloud.com pocketcasts.com anghami.com bsky.app canva.com instagram.com facebook.com ustream.tv viddler.com
	blip.tv funnyordie.com hulu.com rdio.com vine.co collegehumor.com photobucket.com qik.com revision3.com meetup.com`)

func embeds(address string) bool {
	u, err := url.Parse(address)
	if err != nil || !remoteAddress(address) {
		return false
	}
	host := strings.ToLower(u.Hostname())
	return slices.ContainsFunc(embedHosts, func(h string) bool { return host == h || strings.HasSuffix(host, "."+h) })
}

func embedHTML(address string) string {
	return `<figure class="wp-block-embed">` + html.EscapeString(address) + `</figure>`
}

// blockTag are elements that make lines of their own.
var blockTag = regexp.MustCompile(`^</?(?i:address|article|aside|blockquote|caption|center|col|colgroup|dd|details|div|dl|dt|fieldset|figcaption|figure|footer|form|h[1-6]|header|hgroup|hr|legend|li|main|map|math|menu|nav|ol|option|p|pre|section|select|style|script|summary|svg|table|tbody|td|tfoot|th|thead|tr|ul|br|audio|video|iframe|object)\b`)
var rawTag = regexp.MustCompile(`^<(?i:pre|script|style|textarea|svg|math)\b`)

// paragraphs makes paragraphs and breaks of lines, as WordPress does when it
// shows classic markup: a blank line ends a paragraph, any other is a break,
// except beside an element that has its own lines and inside of <pre>.
func paragraphs(s string) string {
	if !strings.Contains(s, "\n") {
		return s
	}
	var out strings.Builder
	block := true // the last tag makes its own lines
	for i := 0; i < len(s); {
		if s[i] == '<' {
			end := tagEnd(s, i)
			tag := s[i:end]
			if rawTag.MatchString(tag) {
				end = elementEnd(s, i, tag)
				tag = s[i:end]
				block = true
			} else if strings.HasPrefix(tag, "<!--") || !blockTag.MatchString(tag) {
				block = block && strings.HasPrefix(tag, "<!--")
			} else {
				block = true
			}
			if strings.HasPrefix(tag, "<!--more") {
				block = true
			}
			out.WriteString(tag)
			i = end
			continue
		}
		end := strings.IndexByte(s[i:], '<')
		if end < 0 {
			end = len(s)
		} else {
			end += i
		}
		text := s[i:end]
		next := end == len(s) || blockTag.MatchString(s[end:min(len(s), end+20)]) || strings.HasPrefix(s[end:], "<!--more")
		out.WriteString(lines(text, block, next))
		if strings.TrimSpace(text) != "" {
			block = false
		}
		i = end
	}
	return out.String()
}

var blankLines = regexp.MustCompile(`\n[ \t\x{a0}]*\n\s*`)

// lines rewrites one stretch of text; before and after tell whether an element
// with its own lines stands there.
func lines(s string, before, after bool) string {
	if !strings.Contains(s, "\n") {
		return s
	}
	if strings.TrimSpace(s) == "" && (before || after) {
		return s
	}
	lead, tail := "", ""
	if before {
		t := strings.TrimLeft(s, " \t\n")
		lead, s = s[:len(s)-len(t)], t
	}
	if after {
		t := strings.TrimRight(s, " \t\n")
		tail, s = s[len(t):], t
	}
	s = blankLines.ReplaceAllString(s, "\x00")
	s = strings.ReplaceAll(s, "\n", "<br>\n")
	// An empty paragraph ends the open one, whatever stands around it.
	return lead + strings.ReplaceAll(s, "\x00", "\n<p></p>\n") + tail
}

// tagEnd gives the end of the tag or comment at i.
func tagEnd(s string, i int) int {
	if strings.HasPrefix(s[i:], "<!--") {
		if j := strings.Index(s[i+4:], "-->"); j >= 0 {
			return i + 4 + j + 3
		}
		return len(s)
	}
	if i+1 >= len(s) || !(s[i+1] == '/' || s[i+1] == '!' || s[i+1] == '?' || s[i+1]|0x20 >= 'a' && s[i+1]|0x20 <= 'z') {
		return i + 1 // a sign of inequality
	}
	var quote byte
	for j := i + 1; j < len(s); j++ {
		switch c := s[j]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return j + 1
		}
	}
	if j := strings.IndexByte(s[i:], '>'); j >= 0 {
		return i + j + 1
	}
	return len(s)
}

// elementEnd gives the end of the element that tag opens at i.
func elementEnd(s string, i int, tag string) int {
	name := tag[1:]
	if j := strings.IndexAny(name, " \t\n/>"); j >= 0 {
		name = name[:j]
	}
	// Lowering ASCII alone keeps every index.
	rest := strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 32
		}
		return r
	}, s[i+len(tag):])
	j := strings.Index(rest, "</"+strings.ToLower(name))
	if j < 0 {
		return len(s)
	}
	return tagEnd(s, i+len(tag)+j)
}

// picture gives the media behind an address, for the reader of HTML.
func (b *wpBody) picture(src string) (string, bool) {
	if b.err != nil {
		return "", false
	}
	w := b.w
	if f := w.tables.file(src); f != nil {
		if f.media == "" {
			b.absent[f.id] = true
		} else if f.kind != "image" {
			b.files[f.media] = src
		}
		return f.media, f.media != ""
	}
	if u, err := url.Parse(src); err != nil || !w.own(src) && !w.tables.hosts[strings.ToLower(u.Host)] && w.Fetch == nil {
		b.change("the picture or file %s stands on another site, so the text links to it", src)
		return "", false
	}
	plain := src
	if i := strings.IndexAny(plain, "?#"); i >= 0 {
		plain = plain[:i]
	}
	a := w.assetOf(w.source+"url:"+clip(addressKey(src), 1500), src, "")
	if full := sizedFile.ReplaceAllString(plain, "$1"); full != plain {
		a.paths = append(w.assetOf("", full, "").paths, a.paths...)
	}
	a.picture = fileKind(src) == "image"
	id, why, err := w.asset(a)
	if id != "" && !a.picture {
		b.files[id] = src
	}
	if err != nil {
		b.err = err
	} else if id == "" {
		b.change("the picture or file %s did not come in, so the text links to it: %s", src, why)
	}
	return id, id != ""
}

// attachmentOf gives the attachment that an address shows: the file itself, or
// the page that WordPress makes for it; nil for none.
func (w *wordpress) attachmentOf(address string) *wpFile {
	if f := w.tables.file(address); f != nil {
		return f
	}
	if u, err := url.Parse(address); err == nil && w.own(address) {
		if id := cmp.Or(w.tables.byPage[pathKey(address)], u.Query().Get("attachment_id")); id != "" {
			return w.tables.files[id]
		}
	}
	return nil
}

// resolve writes links anew: those to stories, sections and files of the old
// site lead to where they stand now.
func (b *wpBody) resolve(n *doc.Node) {
	n.Walk(func(c *doc.Node) bool {
		if src := b.files[c.Attr("media")]; src != "" && c.Type == "figure" {
			delete(c.Attrs, "media")
			c.Attrs["src"] = src // it can only be linked to
			b.change("%s stands where a picture should, and is none; the text links to it", src)
		}
		for i, m := range c.Marks {
			if m.Type != "link" {
				continue
			}
			if href := b.w.href(m.Attr("href")); href != m.Attr("href") && usable(href) {
				c.Marks = slices.Clone(c.Marks)
				c.Marks[i] = doc.Mark{Type: "link", Attrs: map[string]any{"href": href}}
				if t := m.Attr("title"); t != "" {
					c.Marks[i].Attrs["title"] = t
				}
			}
		}
		return true
	})
}

// href gives where an address of the old site leads now; any other, and one
// that nothing came in for, stays as it is.
func (w *wordpress) href(raw string) string {
	if strings.HasPrefix(raw, "#") || !w.own(raw) {
		if f := w.tables.file(raw); f != nil && f.media != "" { // files may stand on a host of their own
			return cmp.Or(w.mediaAddress(f.media), raw)
		}
		return raw
	}
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	fragment := ""
	if u.Fragment != "" {
		fragment = "#" + u.EscapedFragment()
	}
	if f := w.attachmentOf(raw); f != nil && f.media != "" {
		return cmp.Or(w.mediaAddress(f.media), raw)
	}
	key := pathKey(raw)
	id := w.tables.byPath[key]
	for _, q := range []string{"p", "page_id"} {
		if n := u.Query().Get(q); key == strings.Trim(w.base.Path, "/") && n != "" {
			id = n
		}
	}
	if id != "" {
		if to := w.newAddress(id); to != "" {
			return to + fragment
		}
		return raw
	}
	if key == strings.Trim(w.base.Path, "/") && u.RawQuery == "" {
		return "/" + fragment
	}
	rest := strings.TrimPrefix("/"+key, strings.TrimRight(w.base.Path, "/"))
	for prefix, domain := range map[string]string{"/category/": "category", "/tag/": "post_tag"} {
		if slug, ok := strings.CutPrefix(rest, prefix); ok {
			if t := w.tables.terms[domain+":"+termKey(path.Base(slug))]; t != nil {
				return cmp.Or(w.termAddress(t), raw)
			}
		}
	}
	return raw
}
