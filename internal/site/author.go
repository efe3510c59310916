package site

import (
	"context"
	"html/template"
	"net/http"

	"masthead/internal/page"
	"masthead/internal/story"
)

// AuthorPage is the template "author".
type AuthorPage struct {
	Base
	Name      string
	Role      string // "Correspondent, Harbour desk"; may be empty
	Handle    string // "@name", with HandleURL; may be empty
	HandleURL string
	Links     []Link
	Portrait  Picture
	Biography template.HTML
	Count     int
	Cards     []Card
	Paging    Paging
}

// author serves "/author/{slug}/".
func (n *Newsroom) author(w http.ResponseWriter, r *http.Request) error {
	slug := r.PathValue("slug")
	return n.orElsewhere(w, r, n.numbered(w, r, page.Key{Kind: "author", ID: slug}, []string{ListsTag(lang(r))}, "author", func(r *http.Request) (any, error) {
		return n.authorPage(r, slug)
	}))
}

func (n *Newsroom) authorPage(r *http.Request, slug string) (any, error) {
	ctx, l, path := r.Context(), lang(r), "/author/"+slug+"/"
	a, err := n.Stories.WriterBySlug(ctx, n.DB.Read(), slug)
	if err != nil {
		return nil, err
	}
	t, err := n.taxonomy(ctx, l)
	if err != nil {
		return nil, err
	}
	list, err := n.list(r, t, path, story.Query{Lang: l, AuthorID: a.ID})
	if err != nil {
		return nil, err
	}
	box, err := n.authorBox(ctx, l, a)
	if err != nil {
		return nil, err
	}
	p := AuthorPage{
		Base:      n.base(r, t, path, n.everyLanguage(l, path)),
		Name:      box.Name,
		Handle:    box.Handle,
		HandleURL: box.HandleURL,
		Portrait:  box.Portrait,
		Biography: template.HTML(template.HTMLEscapeString(box.Biography)),
		Count:     list.count,
		Cards:     list.cards,
		Paging:    list.paging,
	}
	if a.Website != "" {
		p.Links = []Link{{Name: host(a.Website), URL: a.Website}}
	}
	p.Title = p.Name
	list.describe(&p.Base, box.Biography)
	p.OpenGraph.Type = "profile"
	p.Feeds = n.feedLinks(l, path, n.Config.In(l).Title+" – "+p.Name)
	p.JSONLD = n.authorJSONLD(p)
	return p, nil
}

func (n *Newsroom) authorBox(ctx context.Context, lang string, a story.Writer) (AuthorBox, error) {
	box := AuthorBox{
		Name:      a.Names.In(lang, n.Config.Language),
		URL:       n.at(lang, "/author/"+a.Slug+"/"),
		Biography: a.Biographies.In(lang, n.Config.Language),
		Handle:    a.Handle,
		HandleURL: a.Website,
	}
	if box.HandleURL == "" {
		box.HandleURL = box.URL
	}
	if a.PortraitID == "" {
		return box, nil
	}
	found, err := n.Media.Shown(ctx, n.DB.Read(), a.PortraitID)
	if m, ok := found[a.PortraitID]; ok {
		box.Portrait = n.picture(m, lang, "", 320)
		box.Portrait.Alt = ""
	}
	return box, err
}
