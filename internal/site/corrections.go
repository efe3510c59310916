package site

import (
	"net/http"

	"masthead/internal/language"
	"masthead/internal/page"
)

// CorrectionsPage is the template "corrections": what has been put right in
// everything that is published, the newest first.
type CorrectionsPage struct {
	Base
	Items  []Corrected
	Paging Paging
}

// Corrected is one correction with its story.
type Corrected struct {
	Date     language.Moment
	Headline string
	URL      string
	Text     string
	Changed  string // what stood there before and stands there now; may be ""
}

// corrections serves "/corrections/".
func (n *Newsroom) corrections(w http.ResponseWriter, r *http.Request) error {
	return n.numbered(w, r, page.Key{Kind: "corrections"}, []string{ListsTag(lang(r))}, "corrections", n.correctionsPage)
}

func (n *Newsroom) correctionsPage(r *http.Request) (any, error) {
	const path = "/corrections/"
	ctx, q, l := r.Context(), n.DB.Read(), lang(r)
	count, err := n.Stories.CountCorrections(ctx, q, l)
	if err != nil {
		return nil, err
	}
	paging, err := n.pageOf(r, path, count)
	if err != nil {
		return nil, err
	}
	list, err := n.Stories.CorrectionList(ctx, q, l, perPage, (paging.Page-1)*perPage)
	if err != nil {
		return nil, err
	}
	t, err := n.taxonomy(ctx, l)
	if err != nil {
		return nil, err
	}
	p := CorrectionsPage{Base: n.base(r, t, path, n.everyLanguage(l, path)), Paging: paging}
	p.Title = p.T("corrections.title")
	listing{paging: paging}.describe(&p.Base, p.T("corrections.about"))
	p.JSONLD = n.listJSONLD(p.Base, p.T("corrections.title"))
	for _, c := range list {
		p.Items = append(p.Items, Corrected{Date: p.Date(c.At.In(n.Config.Timezone)), Headline: c.Headline, URL: c.Path, Text: c.Text, Changed: c.Changed})
	}
	return p, nil
}
