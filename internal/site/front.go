package site

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"masthead/internal/page"
	"masthead/internal/story"
	"masthead/internal/web"
)

// FrontPage is the template "front".
type FrontPage struct {
	Base
	Lead    *Card
	Seconds []Card // two or three beside the lead, with pictures
	Briefs  []Card // headlines and times alone
	Bands   []Band
}

// Band is one section on the front page: its first card leads.
type Band struct {
	Section Link
	Cards   []Card
}

// front serves "/": what was pinned first, then the newest, then a band for each section.
func (n *Newsroom) front(w http.ResponseWriter, r *http.Request) error {
	ctx, q, l := r.Context(), n.DB.Read(), lang(r)
	for _, name := range []string{"p", "page_id"} { // plain permalinks of an imported site: "/?p=12"
		if id := r.URL.Query().Get(name); id != "" {
			if target, err := n.Stories.Redirect(ctx, q, "/?"+name+"="+id); err == nil {
				http.Redirect(w, r, (&url.URL{Path: target}).String(), http.StatusMovedPermanently)
				return nil
			}
		}
	}
	t, err := n.taxonomy(ctx, l)
	if err != nil {
		return err
	}
	if draft, ok, err := n.draftOf(r, "front"); ok || err != nil {
		return n.previewed(w, r, "front", err, func() (any, error) { return n.frontPage(r, t, draft) })
	}
	if _, ok, err := n.draftOf(r, "look"); ok || err != nil {
		return n.previewed(w, r, "front", err, func() (any, error) { return n.frontPage(r, t, t.fronts[story.FrontPage]) })
	}
	f := t.fronts[story.FrontPage]
	today := n.Now().In(n.Config.Timezone).Format(time.DateOnly) // which the page shows
	key := page.Key{Kind: "front", ID: today, Revision: n.phase(f)}
	return n.sharedUntil(w, r, key, f.Next(n.Now()), []string{ListsTag(l)}, "front", func(r *http.Request) (any, error) {
		t, err := n.taxonomy(r.Context(), l)
		if err != nil {
			return nil, err
		}
		return n.frontPage(r, t, t.fronts[story.FrontPage])
	})
}

// phase is which of a front's items are there at this time, for the key of its
// page: at the moment when one expires, the page is another.
func (n *Newsroom) phase(f story.Front) string {
	if len(f.Items) == 0 {
		return ""
	}
	return strconv.FormatInt(f.Version, 10) + "." + strconv.Itoa(len(f.Live(n.Now())))
}

func (n *Newsroom) frontPage(r *http.Request, t taxonomy, f story.Front) (any, error) {
	ctx, q, l := r.Context(), n.DB.Read(), lang(r)
	top, err := n.compose(r, f, 2, func(pinned int, not []string) ([]story.Card, error) {
		return n.Stories.Cards(ctx, q, story.Query{Lang: l, NotStories: not, Limit: max(frontStories-pinned, 3)})
	})
	if err != nil {
		return nil, err
	}
	top = top.cut(frontStories)
	shown := storyIDs(top.cards)
	cards, err := n.cards(r, t, top.cards)
	if err != nil {
		return nil, err
	}
	p := FrontPage{Base: n.base(r, t, "/", n.everyLanguage(l, "/"))}
	p.Today = p.Furniture.Today(n.Now().In(n.Config.Timezone))
	p.JSONLD = n.siteJSONLD(l)
	if len(cards) > 0 {
		p.Lead, p.Seconds, p.Briefs = &cards[0], cards[1:1+top.seconds], cards[1+top.seconds:]
	}
	for _, s := range t.top() {
		list, err := n.Stories.Cards(ctx, q, story.Query{Lang: l, SectionIDs: t.sections.Within(s.ID), NotStories: shown, Limit: 4})
		if err != nil {
			return nil, err
		}
		if len(list) == 0 {
			continue
		}
		cards, err := n.cards(r, t, list)
		if err != nil {
			return nil, err
		}
		p.Bands = append(p.Bands, Band{Section: n.sectionLink(l, "", s), Cards: cards})
	}
	return p, nil
}

// composed is what stands on a front: the lead, then so many seconds, then the briefs.
type composed struct {
	cards   []story.Card
	seconds int
	pinned  int // how many of them were put there by hand
}

// cut leaves out what goes beyond n, unless it was put there by hand.
func (c composed) cut(n int) composed {
	n = max(n, c.pinned, 1+c.seconds)
	c.cards = c.cards[:min(n, len(c.cards))]
	return c
}

// compose puts what was pinned to a front where it was put, and the newest into
// the places that are left: the lead and so many seconds at least. What has
// expired, or is not published in the page's language, has fallen out. newest is
// asked for cards beside those stories, of which there are so many.
func (n *Newsroom) compose(r *http.Request, f story.Front, seconds int, newest func(pinned int, not []string) ([]story.Card, error)) (c composed, err error) {
	bySize := map[story.Size][]story.Card{}
	var ids []string
	if live := f.Live(n.Now()); len(live) > 0 {
		for _, it := range live {
			ids = append(ids, it.StoryID)
		}
		cards, err := n.Stories.Cards(r.Context(), n.DB.Read(), story.Query{Lang: lang(r), StoryIDs: ids})
		if err != nil {
			return c, err
		}
		for _, it := range live {
			if i := slices.IndexFunc(cards, func(c story.Card) bool { return c.StoryID == it.StoryID }); i >= 0 {
				bySize[it.Size] = append(bySize[it.Size], cards[i])
			}
		}
		c.pinned = len(cards)
	}
	auto, err := newest(c.pinned, ids)
	if err != nil {
		return c, err
	}
	take := func(size story.Size, least int) {
		list := bySize[size]
		for len(list) < least && len(auto) > 0 {
			list, auto = append(list, auto[0]), auto[1:]
		}
		c.cards = append(c.cards, list...)
	}
	take(story.Lead, 1)
	if len(c.cards) == 0 { // nothing is published, or nothing but what was pinned smaller
		bySize[story.Lead] = nil
		for _, size := range []story.Size{story.Second, story.Brief} {
			if list := bySize[size]; len(list) > 0 {
				c.cards, bySize[size] = append(c.cards, list[0]), list[1:]
				break
			}
		}
	}
	before := len(c.cards)
	take(story.Second, seconds)
	c.seconds = len(c.cards) - before
	take(story.Brief, 0)
	c.cards = append(c.cards, auto...)
	return c, nil
}

// draftOf gives what the desk would have shown before it is saved: the address
// of a preview holds the fields of its form. It is there for staff alone.
func (n *Newsroom) draftOf(r *http.Request, kind string) (f story.Front, ok bool, err error) {
	if r.URL.RawQuery == "" || visitorOf(r).staff == nil {
		return f, false, nil
	}
	q := r.URL.Query()
	if q.Get("preview") != kind {
		return f, false, nil
	}
	if kind == "look" {
		return f, true, nil
	}
	f.Items, err = story.ParseFront(q, n.Config.Timezone)
	return f, true, err
}

// previewed answers with a page that nobody else sees and nothing keeps. The
// desk may show it in a frame.
func (n *Newsroom) previewed(w http.ResponseWriter, r *http.Request, name string, err error, build func() (any, error)) error {
	if err != nil {
		return err
	}
	content, err := build()
	if err != nil {
		return err
	}
	switch p := content.(type) {
	case FrontPage:
		n.asPreview(r, &p.Base)
		content = p
	case SectionPage:
		n.asPreview(r, &p.Base)
		content = p
	}
	body, err := n.Pages.Bytes("site/"+name, content)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "private, no-store")
	h.Set("X-Robots-Tag", "noindex")
	h.Set("Content-Security-Policy", web.CSP{Frames: n.Frames, FrameAncestors: "'self'"}.String())
	w.Write(body) // who has left is no error of ours
	return nil
}

func (n *Newsroom) asPreview(r *http.Request, b *Base) {
	b.NoIndex, b.Notice = true, b.T("desk.preview_notice")
	if q := r.URL.Query(); q.Get("preview") == "look" {
		b.Theme = web.PreviewTheme(q)
	}
}
