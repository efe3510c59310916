package site

import (
	"embed"
	"html/template"
	"net/http"
	"strings"

	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/page"
	"masthead/internal/story"
	"masthead/internal/wall"
)

// PlainPage is the template "plain": about, privacy and their like.
type PlainPage struct {
	Base
	Headline string
	Summary  string
	Body     template.HTML
	Updated  language.Moment
}

// The standing pages that every newsroom has until it writes its own.
//
//go:embed standing/*.md
var standing embed.FS

// plain serves "/{slug}/" where it is a standing page: the newsroom's own, or
// the built-in "about" and "privacy".
func (n *Newsroom) plain(w http.ResponseWriter, r *http.Request) error {
	slug := r.PathValue("slug")
	rt, err := n.route(r.Context(), address(r))
	if fault.Is(err, fault.NotFound) {
		return n.orElsewhere(w, r, n.shared(w, r, page.Key{Kind: "standing", ID: slug}, nil, "plain", func(r *http.Request) (any, error) {
			return n.builtIn(r, slug)
		}))
	}
	if err != nil {
		return n.orElsewhere(w, r, err)
	}
	if rt.story.Kind != story.Page || !n.openToAll(rt.item) {
		return n.storyAt(w, r, rt) // behind a wall a page is shown as a story is, with its panel
	}
	_, d, _ := n.decide(r, rt.item)
	p, err := n.variant(r, rt, d, "plain", func(r *http.Request, cut wall.Decision) (tagged, error) { return n.plainPage(r, rt, cut) })
	if err != nil {
		return err
	}
	holes, err := n.frame(r)
	if err != nil {
		return err
	}
	return n.serve(w, r, p, holes, n.shareStory(w, r, rt, d), page.Options{Open: true})
}

func (n *Newsroom) plainPage(r *http.Request, rt *route, cut wall.Decision) (tagged, error) {
	ctx, q, l := r.Context(), n.DB.Read(), lang(r)
	e, err := n.Stories.EditionByID(ctx, q, rt.edition.ID)
	if err != nil {
		return nil, err
	}
	t, err := n.taxonomy(ctx, l)
	if err != nil {
		return nil, err
	}
	editions, err := n.Stories.Editions(ctx, q, e.StoryID)
	if err != nil {
		return nil, err
	}
	sent, _ := cut.Cut(e.Body, n.limit())
	body, err := n.renderBody(ctx, l, sent, doc.RenderOptions{})
	if err != nil {
		return nil, err
	}
	p := PlainPage{Base: n.base(r, t, "/"+e.Slug+"/", n.editions(editions, l)), Headline: e.Headline, Summary: e.Summary, Body: body}
	p.linked = alsoRead(sent)
	p.Title = e.Headline
	if e.Summary != "" {
		p.Description = e.Summary
	}
	p.Updated = p.Furniture.Date(e.UpdatedAt.In(n.Config.Timezone))
	return p, nil
}

// standingText gives the Markdown of a built-in page, in a language or in English.
func standingText(slug, lang string) ([]byte, error) {
	text, err := standing.ReadFile("standing/" + slug + "." + lang + ".md")
	if err != nil {
		text, err = standing.ReadFile("standing/" + slug + ".en.md")
	}
	return text, err
}

// builtIn gives a standing page that the program brings along, in the page's
// language or in English.
func (n *Newsroom) builtIn(r *http.Request, slug string) (any, error) {
	l := lang(r)
	t, err := n.taxonomy(r.Context(), l)
	if err != nil {
		return nil, err
	}
	text, err := standingText(slug, l)
	if err != nil {
		return nil, fault.New(fault.NotFound, "no such page", "slug", slug)
	}
	contact := n.Config.Contact
	if contact == "" {
		contact = n.Config.MailFrom.Address
	}
	filled := strings.NewReplacer("{title}", n.Config.In(l).Title, "{contact}", contact).Replace(string(text))
	headline, rest, _ := strings.Cut(strings.TrimPrefix(filled, "# "), "\n")
	body, _, err := doc.FromMarkdown(rest)
	if err != nil {
		return nil, err
	}
	path := "/" + slug + "/"
	p := PlainPage{Base: n.base(r, t, path, n.everyLanguage(l, path)), Headline: headline, Body: template.HTML(body.HTML(doc.RenderOptions{Base: n.Config.URL.String()}))}
	p.Title = headline
	return p, nil
}
