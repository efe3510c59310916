package site

import (
	"html/template"
	"net/http"

	"masthead/internal/fault"
	"masthead/internal/page"
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
	slug := r.PathValue("slug")
	return n.orElsewhere(w, r, n.numbered(w, r, page.Key{Kind: "topic", ID: slug}, []string{ListsTag(lang(r))}, "topic", func(r *http.Request) (any, error) {
		return n.topicPage(r, slug)
	}))
}

func (n *Newsroom) topicPage(r *http.Request, slug string) (any, error) {
	ctx, l, path := r.Context(), lang(r), "/topic/"+slug+"/"
	tp, err := n.Stories.TopicBySlug(ctx, n.DB.Read(), slug)
	if err != nil {
		return nil, err
	}
	if tp.Internal {
		return nil, fault.New(fault.NotFound, "no such topic", "slug", slug)
	}
	t, err := n.taxonomy(ctx, l)
	if err != nil {
		return nil, err
	}
	list, err := n.list(r, t, path, story.Query{Lang: l, TopicID: tp.ID})
	if err != nil {
		return nil, err
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
	return p, nil
}
