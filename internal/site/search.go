package site

import (
	"html/template"
	"net/http"
	"strings"
	"unicode/utf8"

	"masthead/internal/search"
	"masthead/internal/story"
	"masthead/internal/wall"
)

// SearchPage is the template "search". Asked is false until something was
// looked for.
type SearchPage struct {
	Base
	Query   string
	Asked   bool
	Count   int
	Results []Found
	Section string // the section looked in, its ID; empty for all
	Within  []Option
	Paging  Paging
}

// Found is one story found, with the words around the match.
type Found struct {
	Card
	Excerpt template.HTML // <mark> round the words found; only what the reader may read
}

// Option is one choice of a list.
type Option struct {
	Value    string
	Name     string
	Lang     string // of Name, where it differs from the page
	Selected bool
}

// maxQuery is how many letters of a query are read.
const maxQuery = 200

// search serves "/search?q=": headlines and summaries, and of the text only
// what this reader may read.
func (n *Newsroom) search(w http.ResponseWriter, r *http.Request) error {
	ctx, q, l := r.Context(), n.DB.Read(), lang(r)
	t, err := n.taxonomy(ctx, lang(r))
	if err != nil {
		return err
	}
	f := furniture(l)
	p := SearchPage{Base: n.base(r, t, "/search", n.everyLanguage(l, "/search"))}
	p.Title, p.NoIndex = f.T("search.title"), true
	p.Query = shorten(strings.TrimSpace(r.URL.Query().Get("q")), maxQuery)
	p.Section = r.URL.Query().Get("section")
	query := search.Query{Lang: l, Words: p.Query, Limit: perPage}
	for _, s := range t.top() {
		p.Within = append(p.Within, Option{Value: s.Slug, Name: s.Names.In(l, n.Config.Language), Selected: s.Slug == p.Section})
		if s.Slug == p.Section {
			query.SectionIDs = t.sections.Within(s.ID)
		}
	}
	if p.Query == "" {
		return n.send(w, r, "search", p)
	}
	page, err := n.pageNumber(r)
	if err != nil {
		return err
	}
	p.Asked = true
	query.Offset = (page - 1) * perPage
	found, err := n.Search.Find(ctx, q, query)
	if err != nil {
		return err
	}
	p.Count = found.Count
	p.Paging = n.paging(r, "/search", page, max(1, (found.Count+perPage-1)/perPage))
	list, err := n.Stories.CardsByEdition(ctx, q, found.EditionIDs)
	if err != nil {
		return err
	}
	cards, err := n.cards(r, t, list)
	if err != nil {
		return err
	}
	topics, err := n.Stories.TopicSlugs(ctx, q, list)
	if err != nil {
		return err
	}
	for i, c := range list {
		excerpt, err := n.excerpt(r, c, n.peek(r, wall.ItemOfCard(c, t.sections, topics[c.StoryID])), p.Query)
		if err != nil {
			return err
		}
		p.Results = append(p.Results, Found{Card: cards[i], Excerpt: excerpt})
	}
	p.Title = p.Query + " – " + p.Title
	return n.send(w, r, "search", p)
}

// excerpt shows the words found, with their neighbours, in the part of the
// story that the reader may read; "" where none of them stands there.
func (n *Newsroom) excerpt(r *http.Request, c story.Card, d wall.Decision, query string) (template.HTML, error) {
	e, err := n.Stories.EditionByID(r.Context(), n.DB.Read(), c.EditionID)
	if err != nil {
		return "", err
	}
	sent, _ := d.Cut(e.Body, n.limit())
	var b strings.Builder
	for _, piece := range search.Excerpt(c.Lang, sent.PlainText(), query) {
		text := template.HTMLEscapeString(piece.Text)
		if piece.Match {
			text = "<mark>" + text + "</mark>"
		}
		b.WriteString(text)
	}
	return template.HTML(b.String()), nil
}

// shorten cuts a text to so many letters.
func shorten(s string, letters int) string {
	if utf8.RuneCountInString(s) <= letters {
		return s
	}
	return string([]rune(s)[:letters])
}
