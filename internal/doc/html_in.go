package doc

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// HTMLOptions are the hooks of FromHTML; every one may be absent.
type HTMLOptions struct {
	// Base is the absolute address that relative links and sources are
	// resolved against; "" leaves them relative.
	Base string
	// Picture gives the media ID of a picture, video, sound or file by its
	// resolved address. Where it answers false, the node keeps the address in
	// its attribute src.
	Picture func(src string) (mediaID string, ok bool)
}

// Change names one thing that reading HTML dropped or altered.
type Change struct {
	What  string // such as script, onclick, link javascript:…
	Why   string
	Count int // how often
}

// FromHTML reads HTML, however hostile, into a document in normal form, and
// names what it dropped or altered. The source is sanitised by bluemonday and
// then mapped onto the schema, so that nothing the schema does not know can
// pass. The comments <!--more--> and <!--members-only--> become the wall mark.
// What Node.HTML writes is read back equal. The error is an *Error: the source
// is too large.
func FromHTML(src string, o HTMLOptions) (*Node, []Change, error) {
	if len(src) > MaxBytes {
		return nil, nil, &Error{Why: fmt.Sprintf("the HTML has %d bytes, more than %d", len(src), MaxBytes), Fix: "split the story"}
	}
	r := &reader{o: o}
	if o.Base != "" {
		base, err := url.Parse(o.Base)
		if err != nil || base.Host == "" {
			return nil, nil, &Error{Why: fmt.Sprintf("the base address %q is not absolute", clip(o.Base, 80)), Fix: "give one with http or https"}
		}
		r.base = base
	}
	clean := storyPolicy().Sanitize(r.prepare(src))
	nodes, err := html.ParseFragment(strings.NewReader(clean), &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body})
	if err != nil {
		// The parser stops at 512 open elements; the words are worth keeping.
		r.change("markup", "nested too deep; kept as plain text")
		text := html.UnescapeString(bluemonday.StrictPolicy().AddSpaceWhenStrippingTag(true).Sanitize(clean))
		return FromText(text), r.changes, nil
	}
	n := r.document(nodes)
	if err := Check(n); err != nil {
		return nil, r.changes, err
	}
	return n, r.changes, nil
}

// reader reads one HTML source.
type reader struct {
	o        HTMLOptions
	base     *url.URL
	changes  []Change
	endnotes map[string]*html.Node // footnote texts by id
	used     map[string]bool       // footnotes that were referred to
	inNote   bool
}

func (r *reader) change(what, why string) {
	what = clip(cleanLine(what), 120)
	for i := range r.changes {
		if r.changes[i].What == what && r.changes[i].Why == why {
			r.changes[i].Count++
			return
		}
	}
	if len(r.changes) < 500 {
		r.changes = append(r.changes, Change{What: what, Why: why, Count: 1})
	}
}

// link resolves and cleans an address; "" where it is not allowed.
func (r *reader) link(raw string) string {
	clean, ok := cleanURL(raw)
	if !ok {
		return ""
	}
	if r.base != nil && !strings.HasPrefix(clean, "#") {
		if u, err := r.base.Parse(clean); err == nil {
			if clean, ok = cleanURL(u.String()); !ok {
				return ""
			}
		}
	}
	return clean
}

var (
	kept = strings.Fields(`p br hr h1 h2 h3 h4 h5 h6 div section article main header footer nav aside address center
		ul ol li dl dt dd menu blockquote q cite figure figcaption picture img audio video source
		table caption thead tbody tfoot tr td th pre code kbd samp tt var dfn
		strong b em i u ins s strike del sup sub a span bdi bdo font small big mark abbr acronym time
		ruby rt rp details summary label fieldset legend hgroup button wbr body`)
	// silently are wrappers whose disappearance changes nothing that is seen.
	silently = strings.Fields(`html body head colgroup col picture source track wbr tbody svg path g
		form option select noscript param title meta`)
	// swallowed lose their content with them.
	swallowed = map[string]string{
		"script":   "scripts never run in a story",
		"style":    "the site's style sheet decides the look",
		"noscript": "fallback for scripts",
		"noembed":  "fallback for plug-ins", "noframes": "fallback for frames",
		"iframe": "", "title": "", "head": "",
	}
	wallComment   = regexp.MustCompile(`^\s*(more(\s.*)?|members-only|paywall|kg-paywall)\s*$`)
	quietComment  = regexp.MustCompile(`^\s*(/?wp:|/?kg-card|noteaser|\s*$)`)
	classPattern  = regexp.MustCompile(`^[\w\s:./+#-]{0,300}$`)
	rolePattern   = regexp.MustCompile(`^doc-(noteref|endnotes|backlink)$`)
	anchorPattern = regexp.MustCompile(`^[\w:.-]{1,80}$`)
	numberPattern = regexp.MustCompile(`^[0-9]{1,7}$`)
	dirPattern    = regexp.MustCompile(`^(?i)(ltr|rtl|auto)$`)
)

// storyPolicy lets through what the mapping reads and nothing else. It is built
// once and never changed.
var storyPolicy = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements(kept...)
	p.AllowNoAttrs().OnElements(kept...)
	p.AllowURLSchemes("http", "https", "mailto", "tel")
	p.AllowRelativeURLs(true)
	p.RequireParseableURLs(true)
	p.AllowAttrs("href", "title", "download").OnElements("a")
	p.AllowAttrs("src", "title", "alt", "poster").OnElements("img", "audio", "video", "source")
	p.AllowAttrs("title").OnElements("abbr")
	p.AllowAttrs("class").Matching(classPattern).Globally()
	p.AllowAttrs("id").Matching(anchorPattern).Globally()
	p.AllowAttrs("role").Matching(rolePattern).Globally()
	p.AllowAttrs("lang").Matching(langPattern).Globally()
	p.AllowAttrs("dir").Matching(dirPattern).Globally()
	p.AllowAttrs("colspan", "rowspan", "start", "data-level").Matching(numberPattern).Globally()
	p.AllowAttrs("data-media", "data-src", "data-alt", "data-credit", "data-provider", "data-title", "data-author",
		"data-thumbnail", "data-story", "data-url", "data-tone", "data-speaker", "data-outlet", "data-kind").Globally()
	return p
})

// prepare rewrites the source token by token: it names what the sanitiser is
// going to drop, turns comments that mean something and frames into elements
// that pass it, and cleans the addresses.
func (r *reader) prepare(src string) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(src))
	skip := "" // the swallowed element that is open
	for {
		switch z.Next() {
		case html.ErrorToken:
			if err := z.Err(); !errors.Is(err, io.EOF) {
				r.change("markup", "unreadable from here on: "+err.Error())
			}
			return b.String()
		case html.TextToken:
			if skip == "" {
				t := z.Token()
				b.WriteString(t.String())
			}
		case html.CommentToken:
			if skip != "" {
				continue
			}
			switch text := string(z.Text()); {
			case wallComment.MatchString(text):
				b.WriteString(`<hr class="wall-mark">`)
			case strings.TrimSpace(text) == "nextpage":
				r.change("page break", "a story is one page")
			case !quietComment.MatchString(text):
				r.change("comment", "comments are not shown")
			}
		case html.EndTagToken:
			t := z.Token()
			if skip != "" {
				if t.Data == skip {
					skip = ""
				}
				continue
			}
			if slices.Contains(kept, t.Data) {
				b.WriteString(t.String())
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			if skip != "" {
				continue
			}
			why, swallow := swallowed[t.Data]
			// A self-closing script still opens a raw text for the tokenizer.
			if swallow {
				skip = t.Data
				if why != "" {
					r.change(t.Data, why)
				}
			}
			r.startTag(&b, t, swallow)
		}
	}
}

func (r *reader) startTag(b *strings.Builder, t html.Token, swallow bool) {
	get := func(key string) string {
		for _, a := range t.Attr {
			if a.Key == key {
				return strings.TrimSpace(a.Val)
			}
		}
		return ""
	}
	switch t.Data {
	case "iframe", "embed", "object", "frame":
		src := get("src")
		for _, other := range []string{"data-src", "data-lazy-src", "data"} {
			if src == "" || strings.HasPrefix(src, "about:") {
				src = get(other)
			}
		}
		if u := r.link(src); strings.HasPrefix(u, "http") {
			page, provider := embedPage(u)
			r.change(t.Data+" "+page, "shown as a card that loads after a click")
			fmt.Fprintf(b, `<figure class="embed" data-src="%s" data-provider="%s" data-title="%s"></figure>`,
				html.EscapeString(page), html.EscapeString(provider), html.EscapeString(cleanLine(get("title"))))
		} else {
			r.change(t.Data+" "+src, "its address is missing or not allowed")
		}
		return
	}
	if swallow {
		return
	}
	if !slices.Contains(kept, t.Data) {
		if !slices.Contains(silently, t.Data) {
			r.change(t.Data, "unknown element; its content is kept")
		}
		return
	}
	attrs := t.Attr[:0:0]
	for _, a := range t.Attr {
		switch {
		case a.Namespace != "":
			continue
		case strings.HasPrefix(a.Key, "on"):
			r.change(a.Key, "scripts never run in a story")
			continue
		case a.Key == "style":
			r.change("style attribute", "the site's style sheet decides the look")
			continue
		case a.Key == "href" || a.Key == "src" || a.Key == "poster":
			clean := r.link(a.Val)
			if clean == "" {
				// A placeholder of a lazy picture is no loss.
				if strings.TrimSpace(a.Val) != "" && !(t.Data == "img" && lazySource(t.Attr) != "") {
					r.change(map[bool]string{true: "link ", false: "source "}[a.Key == "href"]+clip(a.Val, 60), "its address is not allowed")
				}
				continue
			}
			a.Val = clean
		}
		attrs = append(attrs, a)
	}
	if t.Data == "img" {
		if lazy := lazySource(t.Attr); lazy != "" && r.link(lazy) != "" {
			attrs = slices.DeleteFunc(attrs, func(a html.Attribute) bool { return a.Key == "src" })
			attrs = append(attrs, html.Attribute{Key: "src", Val: r.link(lazy)})
		}
	}
	t.Attr = attrs
	b.WriteString(t.String())
}

// lazySource is where scripts for late loading keep a picture's address.
func lazySource(attrs []html.Attribute) string {
	for _, key := range []string{"data-lazy-src", "data-original", "data-src"} {
		for _, a := range attrs {
			if a.Key == key && a.Val != "" {
				return a.Val
			}
		}
	}
	return ""
}

// providers are hosts of known players and posts, by suffix.
var providers = [][2]string{
	{"youtube.com", "YouTube"}, {"youtube-nocookie.com", "YouTube"}, {"youtu.be", "YouTube"},
	{"vimeo.com", "Vimeo"}, {"dailymotion.com", "Dailymotion"}, {"twitter.com", "X"}, {"x.com", "X"},
	{"instagram.com", "Instagram"}, {"facebook.com", "Facebook"}, {"tiktok.com", "TikTok"},
	{"soundcloud.com", "SoundCloud"}, {"spotify.com", "Spotify"}, {"t.me", "Telegram"},
	{"bsky.app", "Bluesky"}, {"datawrapper.de", "Datawrapper"}, {"dwcdn.net", "Datawrapper"},
	{"flourish.studio", "Flourish"}, {"scribd.com", "Scribd"}, {"documentcloud.org", "DocumentCloud"},
	{"openstreetmap.org", "OpenStreetMap"}, {"google.com", "Google"}, {"reddit.com", "Reddit"},
}

// embedPage turns the address inside a frame into the page that a reader may
// open, and names the provider.
func embedPage(src string) (page, provider string) {
	u, err := url.Parse(src)
	if err != nil {
		return src, ""
	}
	host := strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
	provider = host
	for _, p := range providers {
		if host == p[0] || strings.HasSuffix(host, "."+p[0]) {
			provider = p[1]
			break
		}
	}
	if id, ok := strings.CutPrefix(u.Path, "/embed/"); ok && provider == "YouTube" && identPattern.MatchString(id) && id != "videoseries" {
		return "https://www.youtube.com/watch?v=" + id, provider
	}
	if id, ok := strings.CutPrefix(u.Path, "/video/"); ok && host == "player.vimeo.com" && strings.Trim(id, "0123456789") == "" {
		return "https://vimeo.com/" + id, provider
	}
	return src, provider
}
