package site

import (
	"embed"
	"html/template"
	"net/http"
	"strings"

	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/language"
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
func (n *Newsroom) plain(w http.ResponseWriter, r *http.Request, t taxonomy) error {
	ctx, q, l := r.Context(), n.DB.Read(), lang(r)
	slug := r.PathValue("slug")
	e, err := n.Stories.ByPath(ctx, q, address(r))
	if fault.Is(err, fault.NotFound) {
		if page, ok := n.builtIn(r, t, slug); ok {
			return n.send(w, r, "plain", page)
		}
		return n.orElsewhere(w, r, err)
	}
	if err != nil {
		return err
	}
	st, err := n.Stories.ByID(ctx, q, e.StoryID)
	if err != nil {
		return err
	}
	topics, err := n.Stories.Topics(ctx, q, orEmpty(st.Topics))
	if err != nil {
		return err
	}
	it := wall.ItemOf(st, e, t.sections, slugs(topics))
	d, _ := n.decide(r, it)
	if d.Verdict != wall.Open {
		// A page behind a wall is shown as a story is, with its panel.
		if err := n.count(w, r, it, d); err != nil {
			return err
		}
		p, err := n.storyPage(r, t, st, e, topics, d)
		if err != nil {
			return err
		}
		return n.send(w, r, "story", p)
	}
	editions, err := n.Stories.Editions(ctx, q, st.ID)
	if err != nil {
		return err
	}
	sent, _ := d.Cut(e.Body, n.limit())
	body, err := n.renderBody(ctx, l, sent, doc.RenderOptions{})
	if err != nil {
		return err
	}
	p := PlainPage{Base: n.base(r, t, "/"+e.Slug+"/", n.editions(editions, l)), Headline: e.Headline, Summary: e.Summary, Body: body}
	p.Title = e.Headline
	if e.Summary != "" {
		p.Description = e.Summary
	}
	p.Updated = p.Furniture.Date(e.UpdatedAt.In(n.Config.Timezone))
	return n.send(w, r, "plain", p)
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
func (n *Newsroom) builtIn(r *http.Request, t taxonomy, slug string) (PlainPage, bool) {
	l := lang(r)
	text, err := standingText(slug, l)
	if err != nil {
		return PlainPage{}, false
	}
	contact := n.Config.Contact
	if contact == "" {
		contact = n.Config.MailFrom.Address
	}
	filled := strings.NewReplacer("{title}", n.Config.In(l).Title, "{contact}", contact).Replace(string(text))
	headline, rest, _ := strings.Cut(strings.TrimPrefix(filled, "# "), "\n")
	body, _, err := doc.FromMarkdown(rest)
	if err != nil {
		return PlainPage{}, false
	}
	path := "/" + slug + "/"
	p := PlainPage{Base: n.base(r, t, path, n.everyLanguage(l, path)), Headline: headline, Body: template.HTML(body.HTML(doc.RenderOptions{Base: n.Config.URL.String()}))}
	p.Title = headline
	return p, true
}
