package site

import (
	"html/template"
	"net/http"

	"masthead/internal/fault"
	"masthead/internal/story"
)

// TopicPage is the template "topic": everything "Found in" one topic.
type TopicPage struct {
	Base
	Name        string
	Kind        string // in the page's words: "Person", "Place", …
	Description template.HTML
	Aliases     []string
	Count       int
	Cards       []Card
	Paging      Paging
}

// topic serves "/topic/{slug}/". Topics of the newsroom's own are not found.
func (n *Newsroom) topic(w http.ResponseWriter, r *http.Request) error {
	ctx, l := r.Context(), lang(r)
	tp, err := n.Stories.TopicBySlug(ctx, n.DB.Read(), r.PathValue("slug"))
	if err != nil {
		return n.orElsewhere(w, r, err)
	}
	if tp.Internal {
		return fault.New(fault.NotFound, "no such topic", "slug", tp.Slug)
	}
	t, err := n.taxonomy(ctx, lang(r))
	if err != nil {
		return err
	}
	path := "/topic/" + tp.Slug + "/"
	list, err := n.list(r, t, path, story.Query{Lang: l, TopicID: tp.ID})
	if err != nil {
		return err
	}
	f := furniture(l)
	p := TopicPage{
		Base:        n.base(r, t, path, n.everyLanguage(l, path)),
		Name:        tp.Names.In(l, n.Config.Language),
		Kind:        TopicKindWords(f, string(tp.Kind)),
		Description: template.HTML(template.HTMLEscapeString(tp.Descriptions.In(l, n.Config.Language))),
		Aliases:     tp.Aliases[l],
		Count:       list.count,
		Cards:       list.cards,
		Paging:      list.paging,
	}
	p.Title = p.Name
	list.describe(&p.Base, tp.Descriptions.In(l, n.Config.Language))
	p.Feeds = n.feedLinks(l, path, n.Config.In(l).Title+" – "+p.Name)
	p.JSONLD = n.listJSONLD(p.Base, p.Name)
	return n.send(w, r, "topic", p)
}
