package site

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"masthead/internal/db"
	"masthead/internal/language"
	"masthead/internal/story"
)

// taxonomy is what nearly every page needs of the newsroom's order.
type taxonomy struct {
	sections story.Sections
	filled   map[string]bool // sections, by ID, that have a published report in the page's language
	menus    map[string]story.Menu
	fronts   map[string]story.Front // what was arranged by hand in the page's language

	logo, logoDark Picture // in the place of the nameplate
}

func (n *Newsroom) taxonomy(ctx context.Context, lang string) (taxonomy, error) {
	return n.Engine.orders.Get(ctx, lang, func(ctx context.Context) (t taxonomy, tags []string, bytes int, err error) {
		q, tags := n.DB.Read(), []string{SiteTag, ListsTag(lang)}
		if t.sections, err = n.Stories.Sections(ctx, q); err != nil {
			return t, nil, 0, err
		}
		if t.filled, err = n.Stories.Filled(ctx, q, lang); err != nil {
			return t, nil, 0, err
		}
		if t.menus, err = n.Stories.Menus(ctx, q); err != nil {
			return t, nil, 0, err
		}
		if t.logo, t.logoDark, err = n.logos(ctx, q, lang); err != nil {
			return t, nil, 0, err
		}
		t.fronts, err = n.Stories.Fronts(ctx, q, lang)
		return t, tags, 1024 * (1 + len(t.sections) + len(t.menus) + len(t.fronts)), err
	})
}

// logoWidth is about how wide a logo is shown, pixels.
const logoWidth = 640

// logos gives the pictures in the place of the nameplate. One that has gone from
// the library, or whose rights have ended, is none.
func (n *Newsroom) logos(ctx context.Context, q db.Queryer, lang string) (light, dark Picture, err error) {
	if n.Config.Logo == "" && n.Config.LogoDark == "" {
		return light, dark, nil
	}
	found, err := n.Media.Shown(ctx, q, n.Config.Logo, n.Config.LogoDark)
	if err != nil {
		return light, dark, err
	}
	name := n.Config.In(lang).Title
	if m, ok := found[n.Config.Logo]; ok {
		light = n.picture(m, lang, name, logoWidth)
	}
	if m, ok := found[n.Config.LogoDark]; ok {
		dark = n.picture(m, lang, name, logoWidth)
	}
	return light, dark, nil
}

// top gives the sections of the first rank that have anything to read, in the
// newsroom's order.
func (t taxonomy) top() []story.Section {
	var top []story.Section
	for _, s := range t.sections.Parts("") {
		if slices.ContainsFunc(t.sections.Within(s.ID), func(id string) bool { return t.filled[id] }) {
			top = append(top, s)
		}
	}
	return top
}

// base fills in what every page shares. path is that of the page without its
// language; alternates name the languages it stands in too.
func (n *Newsroom) base(r *http.Request, t taxonomy, path string, alternates []Alternate) Base {
	l, v := lang(r), visitorOf(r)
	f, names := furniture(l), n.Config.In(l)
	b := Base{
		Furniture:   f,
		Site:        Site{Name: names.Title, Tagline: names.Tagline, URL: n.Config.URL.String()},
		Lang:        l,
		Dir:         language.Dir(l),
		Home:        n.at(l, "/"),
		Path:        pathAndQuery(r),
		Description: names.Description,
		Canonical:   n.absolute(n.at(l, path)),
		Alternates:  alternates,
		Account:     v.account(),
		Embeds:      n.Frames,
		Feeds:       n.feedLinks(l, "/", names.Title),
		OpenGraph:   OpenGraph{Type: "website", Title: names.Title, Locale: locale(l)},
	}
	if asked(r).kept {
		b.marker = n.Engine.marker
	}
	if key := "notice." + r.URL.Query().Get("done"); key != "notice." && f.Has(key) {
		b.Notice = f.T(key)
	}
	b.Site.Logo, b.Site.LogoDark = t.logo, t.logoDark
	b.Nav = n.nav(l, path, t)
	b.Footer = n.footer(l, f, t)
	return b
}

// bare is what the part of a page needs that is rendered by itself.
func (n *Newsroom) bare(r *http.Request) Base {
	l := lang(r)
	return Base{Furniture: furniture(l), Site: Site{Name: n.Config.In(l).Title, URL: n.Config.URL.String()}, Lang: l, Dir: dir(l),
		Home: n.at(l, "/"), Path: pathAndQuery(r), Account: visitorOf(r).account()}
}

// locale gives a language as OpenGraph names it, with its usual country.
func locale(lang string) string {
	if c, ok := map[string]string{"en": "en_GB", "ar": "ar_AR", "he": "he_IL", "ru": "ru_RU", "fr": "fr_FR", "de": "de_DE", "es": "es_ES", "tr": "tr_TR", "fa": "fa_IR"}[lang]; ok {
		return c
	}
	return strings.ReplaceAll(lang, "-", "_")
}

// everyLanguage gives the alternates of a page that stands in each language of the site.
func (n *Newsroom) everyLanguage(current, path string) []Alternate {
	var all []Alternate
	for _, l := range n.languages() {
		all = append(all, n.alternate(l, n.at(l, path), l == current))
	}
	return n.withDefault(all)
}

func (n *Newsroom) alternate(lang, path string, current bool) Alternate {
	return Alternate{Lang: lang, Name: language.OwnName(lang), Dir: language.Dir(lang), URL: n.absolute(path), Path: (&url.URL{Path: path}).EscapedPath(), Current: current}
}

// withDefault adds x-default, the alternate for readers of no language of the
// site; a page in one language needs no alternates at all.
func (n *Newsroom) withDefault(all []Alternate) []Alternate {
	if len(all) < 2 {
		return nil
	}
	i := max(0, slices.IndexFunc(all, func(a Alternate) bool { return a.Lang == n.Config.Language }))
	return append(all, Alternate{Lang: "x-default", URL: all[i].URL, Path: all[i].Path})
}

func (n *Newsroom) sectionLink(lang, path string, s story.Section) Link {
	at := "/" + s.Slug + "/"
	return Link{Name: s.Names.In(lang, n.Config.Language), URL: n.at(lang, at), Current: path == at}
}

// feedLinks names the two feeds of the page at path.
func (n *Newsroom) feedLinks(lang, path, title string) []Feed {
	at := n.at(lang, path)
	return []Feed{
		{Title: title + " (RSS)", Type: "application/rss+xml", URL: at + "feed.xml"},
		{Title: title + " (JSON)", Type: "application/feed+json", URL: at + "feed.json"},
	}
}

// cards turns editions into what lists show.
func (n *Newsroom) cards(r *http.Request, t taxonomy, list []story.Card) ([]Card, error) {
	page := lang(r)
	pictures, err := n.pictures(r.Context(), list)
	if err != nil {
		return nil, err
	}
	cards := make([]Card, len(list))
	for i, c := range list {
		f := furniture(page)
		card := Card{
			URL: c.Path, Kicker: c.Kicker, Headline: c.Headline, Summary: c.Summary,
			Published:   f.Date(c.PublishedAt.In(n.Config.Timezone)),
			ReadingTime: f.ReadingTime(c.Words),
		}
		if c.Lang != page {
			card.Lang, card.Dir = c.Lang, language.Dir(c.Lang)
		}
		if s, ok := t.sections.ByID(c.SectionID); ok {
			card.Section = n.sectionLink(page, "", s)
		}
		for _, a := range c.Authors {
			card.Byline = append(card.Byline, Person{Name: a.Names.In(c.Lang, n.Config.Language), URL: n.at(page, "/author/"+a.Slug+"/")})
		}
		if m, ok := pictures[c.LeadMediaID]; ok {
			card.Picture = n.picture(m, c.Lang, c.LeadAlt, 640)
		}
		cards[i] = card
	}
	return cards, nil
}

// queryPath gives the path with a page number, for the links of a list.
func queryPath(path string, values url.Values, page int, number string) string {
	q := url.Values{}
	for k, v := range values {
		q[k] = v
	}
	q.Del("page")
	if page > 1 {
		q.Set("page", number)
	}
	path = (&url.URL{Path: path}).EscapedPath()
	if len(q) == 0 {
		return path
	}
	return strings.TrimSuffix(path+"?"+q.Encode(), "?")
}
