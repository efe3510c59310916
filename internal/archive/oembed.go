package archive

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
	"unicode"

	"masthead/internal/doc"
	"masthead/internal/fault"
)

// provider is a site that tells of its pages by oEmbed (https://oembed.com).
type provider struct {
	name     string
	endpoint string   // https; asked with format and url
	gives    parts    // what a card lacks that it is worth asking for
	pages    []string // host/path, where *. stands for any subdomain or none, and * in the path for anything
	player   string   // the parameter by which the address of its player names the page; "" for none
	frames   []string // what stands before the page's path in the address of its player
}

// parts are what a card shows of a page.
type parts uint8

const (
	hasTitle parts = 1 << iota
	hasAuthor
	hasPicture
	hasAll = hasTitle | hasAuthor | hasPicture
)

// providers are those that are asked, after https://oembed.com/providers.json.
// Facebook and Instagram are not among them, since they answer only with a key.
var providers = []provider{
	{name: "YouTube", endpoint: "https://www.youtube.com/oembed", gives: hasAll, pages: []string{"*.youtube.com/watch*", "*.youtube.com/v/*",
		"*.youtube.com/shorts/*", "*.youtube.com/live/*", "*.youtube.com/playlist*", "youtu.be/*"}},
	{name: "Vimeo", endpoint: "https://vimeo.com/api/oembed.json", gives: hasAll, pages: []string{"*.vimeo.com/*"}},
	{name: "Dailymotion", endpoint: "https://www.dailymotion.com/services/oembed", gives: hasAll,
		pages: []string{"*.dailymotion.com/video/*", "dai.ly/*"}, frames: []string{"/embed"}},
	{name: "TED", endpoint: "https://www.ted.com/services/v1/oembed.json", gives: hasAll, pages: []string{"*.ted.com/talks/*"}},
	{name: "TikTok", endpoint: "https://www.tiktok.com/oembed", gives: hasAll, pages: []string{"*.tiktok.com/@*"}},
	{name: "SoundCloud", endpoint: "https://soundcloud.com/oembed", gives: hasAll, pages: []string{"*.soundcloud.com/*"}, player: "url"},
	{name: "Spotify", endpoint: "https://open.spotify.com/oembed", gives: hasTitle | hasPicture, pages: []string{"open.spotify.com/*"},
		frames: []string{"/embed-podcast", "/embed"}},
	{name: "Mixcloud", endpoint: "https://app.mixcloud.com/oembed/", gives: hasTitle | hasAuthor, pages: []string{"*.mixcloud.com/*/*"}, player: "feed"},
	{name: "Flickr", endpoint: "https://www.flickr.com/services/oembed/", gives: hasAll,
		pages: []string{"*.flickr.com/photos/*", "flic.kr/p/*", "flic.kr/s/*"}},
	{name: "X", endpoint: "https://publish.x.com/oembed", gives: hasAuthor, pages: []string{"*.x.com/*/status/*", "*.twitter.com/*/status/*"}},
	{name: "Bluesky", endpoint: "https://embed.bsky.app/oembed", gives: hasAuthor, pages: []string{"bsky.app/profile/*/post/*"}},
	{name: "Reddit", endpoint: "https://www.reddit.com/oembed", gives: hasTitle | hasAuthor, pages: []string{"*.reddit.com/r/*/comments/*"}},
	{name: "Datawrapper", endpoint: "https://api.datawrapper.de/v3/oembed/", gives: hasTitle, pages: []string{"datawrapper.dwcdn.net/*"}},
	{name: "Flourish", endpoint: "https://app.flourish.studio/api/v1/oembed", gives: hasTitle,
		pages: []string{"public.flourish.studio/visualisation/*", "public.flourish.studio/story/*"}},
	{name: "DocumentCloud", endpoint: "https://api.www.documentcloud.org/api/oembed/", gives: hasTitle, pages: []string{"*.documentcloud.org/documents/*"}},
}

// page gives the page behind an embed's address, as the provider is asked for
// it; "" where it is none of the provider's.
func (p *provider) page(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	if inner := u.Query().Get(p.player); p.player != "" && inner != "" && p.owns(u) {
		if u, err = u.Parse(inner); err != nil {
			return ""
		}
	}
	if !p.owns(u) {
		return ""
	}
	u.Scheme, u.Host, u.Fragment, u.RawFragment = "https", strings.ToLower(u.Host), "", ""
	return u.String()
}

// owns tells whether u is an address of one of the provider's pages. It takes
// away what the address of a player has before the page's path.
func (p *provider) owns(u *url.URL) bool {
	if u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.Port() != "" || u.Opaque != "" {
		return false
	}
	for _, f := range p.frames {
		if rest, ok := strings.CutPrefix(u.Path, f+"/"); ok {
			u.Path, u.RawPath = "/"+rest, ""
			break
		}
	}
	host := strings.ToLower(u.Host)
	for _, pattern := range p.pages {
		h, path, _ := strings.Cut(pattern, "/")
		bare, any := strings.CutPrefix(h, "*.")
		if (host == bare || any && strings.HasSuffix(host, "."+bare)) && glob(path, strings.TrimPrefix(u.Path, "/")) {
			return true
		}
	}
	return false
}

// glob matches s with a pattern in which * stands for anything.
func glob(pattern, s string) bool {
	first, pattern, more := strings.Cut(pattern, "*")
	s, ok := strings.CutPrefix(s, first)
	if !ok || !more {
		return ok && s == ""
	}
	for {
		part, rest, more := strings.Cut(pattern, "*")
		if !more {
			return strings.HasSuffix(s, part)
		}
		if _, s, ok = strings.Cut(s, part); !ok {
			return false
		}
		pattern = rest
	}
}

// lacks tells which of the parts that the provider gives a card has not.
func (p *provider) lacks(n *doc.Node) parts {
	var has parts
	for _, a := range []struct {
		name string
		part parts
	}{{"title", hasTitle}, {"author", hasAuthor}, {"thumbnail", hasPicture}} {
		if n.Attr(a.name) != "" {
			has |= a.part
		}
	}
	return p.gives &^ has
}

// String names parts that are missing.
func (p parts) String() string {
	var all []string
	for i, name := range []string{"no title", "no author", "no picture"} {
		if p&(1<<i) != 0 {
			all = append(all, name)
		}
	}
	return strings.Join(all, ", ")
}

// wanting is a card of a piece that lacks something.
type wanting struct {
	node     *doc.Node
	provider *provider
	page     string
}

// card is what a provider tells of a page.
type card struct {
	title, author string
	thumbnail     string // the picture's address
	why           string // it tells nothing, in words for the report
}

// cards fills what the export does not tell of the pages that a piece embeds:
// from the card that an earlier import left, else by asking the provider. What
// cannot be had costs a line of the report and nothing else.
func (r *run) cards(p *piece) error {
	if p.edition.Body == nil {
		return nil
	}
	var all []wanting
	p.edition.Body.Walk(func(n *doc.Node) bool {
		if n.Type == "embed" {
			if w, ok := r.wanting(n); ok {
				all = append(all, w)
			}
		}
		return true
	})
	if len(all) == 0 {
		return nil
	}
	was, left, err := r.standing(*p)
	if err != nil || left {
		return err
	}
	for _, w := range all {
		if err := r.fill(p, w, was[w.page]); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) wanting(n *doc.Node) (wanting, bool) {
	table := r.providers
	if table == nil {
		table = providers
	}
	for i := range table {
		if page := table[i].page(n.Attr("url")); page != "" {
			return wanting{n, &table[i], page}, table[i].lacks(n) != 0
		}
	}
	return wanting{}, false
}

// standing gives the cards of a piece as they stand here, by page. left tells
// that the piece will be left as it stands, so that nothing need be asked.
func (r *run) standing(p piece) (was map[string]card, left bool, err error) {
	why, err := r.touched(r.q(), &p)
	if err != nil || why != "" {
		return nil, why != "", err
	}
	st, err := r.Stories.BySource(r.ctx, r.q(), p.story.Source)
	if err == nil {
		p.edition, err = r.Stories.EditionOf(r.ctx, r.q(), st.ID, p.edition.Lang)
	}
	if fault.Is(err, fault.NotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	was = map[string]card{}
	p.edition.Body.Walk(func(n *doc.Node) bool {
		if n.Type == "embed" {
			if w, _ := r.wanting(n); w.page != "" {
				was[w.page] = card{title: n.Attr("title"), author: n.Attr("author")}
			}
		}
		return true
	})
	return was, false, nil
}

// fill fills one card.
func (r *run) fill(p *piece, w wanting, was card) error {
	n, picture := w.node, asset{source: "oembed:" + w.page, picture: true}
	n.Attrs = filled(n.Attrs, "title", was.title, "author", was.author)
	if n.Attr("thumbnail") == "" {
		if here, err := r.has(picture.source); err != nil {
			return err
		} else if here {
			id, _, err := r.asset(picture)
			if err != nil {
				return err
			}
			n.Attrs = filled(n.Attrs, "thumbnail", id)
		}
	}
	if r.Fetch == nil || w.provider.lacks(n) == 0 {
		return nil
	}
	c, err := r.ask(w.provider, w.page)
	if err != nil {
		return err
	}
	n.Attrs = filled(n.Attrs, "title", c.title, "author", c.author)
	if n.Attr("thumbnail") == "" && c.thumbnail != "" {
		picture.url = c.thumbnail
		picture.credit = w.provider.name
		if author := n.Attr("author"); author != "" {
			picture.credit = author + " / " + w.provider.name
		}
		id, why, err := r.asset(picture)
		if err != nil {
			return err
		}
		n.Attrs, c.why = filled(n.Attrs, "thumbnail", id), why
	}
	if lacks := w.provider.lacks(n); lacks != 0 || c.why != "" {
		if c.why == "" {
			c.why = w.provider.name + " tells of none"
		}
		if lacks == 0 { // a picture that this provider need not give
			lacks = hasPicture
		}
		r.change(p.story.Source, p.name, fmt.Sprintf("its card of %s has %s: %s", w.page, lacks, c.why))
	}
	return nil
}

// filled gives attributes with those pairs that they lack.
func filled(all map[string]any, pairs ...string) map[string]any {
	for name, value := range attrs(pairs...) {
		if s, _ := all[name].(string); s == "" {
			all[name] = value
		}
	}
	return all
}

// has tells whether a picture or file of that source is here already.
func (r *run) has(source string) (bool, error) {
	if k, ok := r.assets[source]; ok {
		return k.id != "", nil
	}
	_, err := r.Media.BySource(r.ctx, r.q(), source)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil, err
}

const (
	maxAnswer   = 64 << 10         // bytes of a provider's answer
	maxPatience = 10 * time.Second // with one answer
	maxSilences = 3                // one after the other; then a provider is not asked again
)

// ask asks a provider for a page, once a run.
func (r *run) ask(p *provider, page string) (card, error) {
	if c, ok := r.asked[page]; ok {
		return c, nil
	}
	if r.silent[p.name] >= maxSilences {
		return card{why: p.name + " was not asked again, since it did not answer in time before"}, nil
	}
	patience := r.patience
	if patience == 0 {
		patience = maxPatience
	}
	ctx, cancel := context.WithTimeout(r.ctx, patience)
	defer cancel()
	b, err := r.answer(ctx, p.endpoint+"?"+url.Values{"format": {"json"}, "url": {page}}.Encode())
	if r.ctx.Err() != nil {
		return card{}, r.ctx.Err()
	}
	var c card
	switch {
	case err == nil:
		c = readCard(b, p.endpoint)
	case ctx.Err() != nil:
		c.why = fmt.Sprintf("%s did not answer in %s", p.name, patience)
	default:
		c.why = afar(err)
	}
	if r.silent[p.name]++; err == nil || ctx.Err() == nil {
		r.silent[p.name] = 0
	}
	r.asked[page] = c
	return c, nil
}

func (r *run) answer(ctx context.Context, address string) ([]byte, error) {
	content, err := r.Fetch(ctx, address)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	b, err := io.ReadAll(io.LimitReader(content, maxAnswer+1))
	if err == nil && len(b) > maxAnswer {
		err = fault.New(fault.TooLarge, fmt.Sprintf("the answer is larger than %d KB", maxAnswer>>10))
	}
	return b, err
}

// jsonText is a string of JSON; a value of any other type is "".
type jsonText string

// UnmarshalJSON never fails.
func (t *jsonText) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) != nil {
		s = ""
	}
	*t = jsonText(strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, s))
	return nil
}

// readCard reads an answer (https://oembed.com, section 2.3.4). Its html is
// never looked at: nothing that a provider writes runs on a page.
func readCard(b []byte, endpoint string) card {
	var a struct {
		Type      jsonText `json:"type"`
		Title     jsonText `json:"title"`
		Author    jsonText `json:"author_name"`
		Thumbnail jsonText `json:"thumbnail_url"`
	}
	if err := json.Unmarshal(b, &a); err != nil {
		return card{why: "the answer is not JSON of oEmbed"}
	}
	switch a.Type {
	case "photo", "video", "link", "rich":
	default:
		return card{why: fmt.Sprintf("the answer is of no type of oEmbed: %q", clip(string(a.Type), 40))}
	}
	c := card{title: clip(oneLine(string(a.Title)), 400), author: clip(oneLine(string(a.Author)), 200)}
	base, err := url.Parse(endpoint)
	if err != nil || strings.TrimSpace(string(a.Thumbnail)) == "" {
		return c
	}
	// The scheme may be left out: //images.example/1.jpg.
	if u, err := base.Parse(strings.TrimSpace(string(a.Thumbnail))); err == nil && (u.Scheme == "https" || u.Scheme == "http") && len(a.Thumbnail) < 1900 {
		c.thumbnail = u.String()
	}
	return c
}
