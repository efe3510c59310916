package site

import (
	"net/http"
	"net/url"
	"time"

	"masthead/internal/page"
	"masthead/internal/story"
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

// front serves "/": the pinned stories first, then the newest, then a band for each section.
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
	today := n.Now().In(n.Config.Timezone).Format(time.DateOnly) // which the page shows
	return n.shared(w, r, page.Key{Kind: "front", ID: today}, []string{ListsTag(l)}, "front", n.frontPage)
}

func (n *Newsroom) frontPage(r *http.Request) (any, error) {
	ctx, q, l := r.Context(), n.DB.Read(), lang(r)
	t, err := n.taxonomy(ctx, l)
	if err != nil {
		return nil, err
	}
	pinned, err := n.Stories.Cards(ctx, q, story.Query{Lang: l, Pinned: true, Limit: 3})
	if err != nil {
		return nil, err
	}
	shown := storyIDs(pinned)
	newest, err := n.Stories.Cards(ctx, q, story.Query{Lang: l, NotStories: shown, Limit: frontStories - len(pinned)})
	if err != nil {
		return nil, err
	}
	shown = append(shown, storyIDs(newest)...)
	top, err := n.cards(r, t, append(pinned, newest...))
	if err != nil {
		return nil, err
	}
	p := FrontPage{Base: n.base(r, t, "/", n.everyLanguage(l, "/"))}
	p.Today = p.Furniture.Today(n.Now().In(n.Config.Timezone))
	p.JSONLD = n.siteJSONLD(l)
	if len(top) > 0 {
		p.Lead = &top[0]
		p.Seconds = top[1:min(3, len(top))]
		p.Briefs = top[min(3, len(top)):]
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
