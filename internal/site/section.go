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
	Cards       []Card
	Paging      Paging
}

// sectionOrPage serves "/{slug}/": a section, or a standing page such as "About".
func (n *Newsroom) sectionOrPage(w http.ResponseWriter, r *http.Request) error {
	slug := r.PathValue("slug")
	err := n.numbered(w, r, page.Key{Kind: "section", ID: slug}, []string{ListsTag(lang(r))}, "section", func(r *http.Request) (any, error) {
		return n.sectionPage(r, slug)
	})
	if fault.Is(err, fault.NotFound) {
		return n.plain(w, r)
	}
	return err
}

func (n *Newsroom) sectionPage(r *http.Request, slug string) (any, error) {
	l, path := lang(r), "/"+slug+"/"
	t, err := n.taxonomy(r.Context(), l)
	if err != nil {
		return nil, err
	}
	s, ok := t.sections.BySlug(slug)
	if !ok {
		return nil, fault.New(fault.NotFound, "no such section", "slug", slug)
	}
	list, err := n.list(r, t, path, story.Query{Lang: l, SectionIDs: t.sections.Within(s.ID)})
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
		p.Lead, p.Cards = &p.Cards[0], p.Cards[1:]
	}
	p.JSONLD = n.listJSONLD(p.Base, p.Name)
	return p, nil
}
