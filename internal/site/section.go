package site

import (
	"net/http"

	"masthead/internal/fault"
	"masthead/internal/page"
	"masthead/internal/story"
)

// SectionPage is the template "section". Pages after the first have no Lead.
type SectionPage struct {
	Base
	Name        string
	Description string
	Trail       []Link // the sections that this one is within, outermost first
	Within      []Link // the sections within this one
	Lead        *Card
	Seconds     []Card // put beside it by hand
	Cards       []Card
	Paging      Paging
}

// sectionOrPage serves "/{slug}/": a section, or a standing page such as "About".
func (n *Newsroom) sectionOrPage(w http.ResponseWriter, r *http.Request) error {
	slug := r.PathValue("slug")
	t, err := n.taxonomy(r.Context(), lang(r))
	if err != nil {
		return err
	}
	s, ok := t.sections.BySlug(slug)
	if !ok {
		return n.plain(w, r)
	}
	if draft, ok, err := n.draftOf(r, "section"); ok || err != nil {
		return n.previewed(w, r, "section", err, func() (any, error) { return n.sectionPage(r, t, s, draft) })
	}
	f := t.fronts[s.ID]
	key := page.Key{Kind: "section", ID: slug, Revision: n.phase(f)}
	err = n.numberedUntil(w, r, key, f.Next(n.Now()), []string{ListsTag(lang(r))}, "section", func(r *http.Request) (any, error) {
		t, err := n.taxonomy(r.Context(), lang(r))
		if err != nil {
			return nil, err
		}
		s, ok := t.sections.BySlug(slug)
		if !ok {
			return nil, fault.New(fault.NotFound, "no such section", "slug", slug)
		}
		return n.sectionPage(r, t, s, t.fronts[s.ID])
	})
	if fault.Is(err, fault.NotFound) {
		return n.plain(w, r)
	}
	return err
}

func (n *Newsroom) sectionPage(r *http.Request, t taxonomy, s story.Section, f story.Front) (any, error) {
	l, path := lang(r), "/"+s.Slug+"/"
	list, seconds, err := n.sectionList(r, t, path, s, f)
	if err != nil {
		return nil, err
	}
	p := SectionPage{
		Base:        n.base(r, t, path, n.everyLanguage(l, path)),
		Name:        s.Names.In(l, n.Config.Language),
		Description: s.Descriptions.In(l, n.Config.Language),
		Cards:       list.cards,
		Paging:      list.paging,
	}
	p.Title = p.Name
	list.describe(&p.Base, p.Description)
	p.Feeds = n.feedLinks(l, path, n.Config.In(l).Title+" – "+p.Name)
	above := t.sections.Path(s.ParentID)
	for i := len(above) - 1; i >= 0; i-- {
		p.Trail = append(p.Trail, n.sectionLink(l, path, above[i]))
	}
	top := s
	if len(above) > 0 {
		top = above[len(above)-1]
	}
	for i := range p.Nav {
		p.Nav[i].Current = p.Nav[i].URL == n.at(l, "/"+top.Slug+"/")
	}
	for _, part := range t.sections.Parts(s.ID) {
		p.Within = append(p.Within, n.sectionLink(l, path, part))
	}
	if list.paging.Page == 1 && len(p.Cards) > 0 {
		p.Lead, p.Seconds, p.Cards = &p.Cards[0], p.Cards[1:1+seconds], p.Cards[1+seconds:]
	}
	p.JSONLD = n.listJSONLD(p.Base, p.Name)
	return p, nil
}

// sectionList is [Newsroom.list] for a section's front, whose first page begins
// with what was pinned to it.
func (n *Newsroom) sectionList(r *http.Request, t taxonomy, path string, s story.Section, f story.Front) (l listing, seconds int, err error) {
	query := story.Query{Lang: lang(r), SectionIDs: t.sections.Within(s.ID)}
	if len(f.Live(n.Now())) == 0 {
		l, err = n.list(r, t, path, query)
		return l, 0, err
	}
	var newest []story.Card
	top, err := n.compose(r, f, 0, func(pinned int, not []string) (_ []story.Card, err error) {
		query.NotStories = not
		if l.count, err = n.Stories.Count(r.Context(), n.DB.Read(), query); err != nil {
			return nil, err
		}
		l.count += pinned
		if l.paging, err = n.pageOf(r, path, l.count); err != nil {
			return nil, err
		}
		query.Limit, query.Offset = perPage, (l.paging.Page-1)*perPage-pinned
		if l.paging.Page == 1 {
			query.Limit, query.Offset = perPage-pinned, 0
		}
		newest, err = n.Stories.Cards(r.Context(), n.DB.Read(), query)
		return newest, err
	})
	if err != nil {
		return l, 0, err
	}
	if l.paging.Page > 1 {
		top = composed{cards: newest}
	}
	l.cards, err = n.cards(r, t, top.cards)
	return l, top.seconds, err
}
