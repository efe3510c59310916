package site

import (
	"context"
	"html/template"
	"net/http"

	"masthead/internal/fault"
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
	ctx, l := r.Context(), lang(r)
	a, err := n.Stories.WriterBySlug(ctx, n.DB.Read(), r.PathValue("slug"))
	if err != nil {
		return n.orElsewhere(w, r, err)
	}
	t, err := n.taxonomy(ctx, lang(r))
	if err != nil {
		return err
	}
	path := "/author/" + a.Slug + "/"
	list, err := n.list(r, t, path, story.Query{Lang: l, AuthorID: a.ID})
	if err != nil {
		return err
	}
	box, err := n.authorBox(ctx, l, a)
	if err != nil {
		return err
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
	return n.send(w, r, "author", p)
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
	m, err := n.Media.ByID(ctx, n.DB.Read(), a.PortraitID)
	if fault.Is(err, fault.NotFound) {
		return box, nil
	}
	box.Portrait = n.picture(m, lang, "", 320)
	box.Portrait.Alt = ""
	return box, err
}
