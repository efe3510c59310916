package site

import (
	"html/template"
	"net/http"
	"strings"
	"unicode/utf8"

	"masthead/internal/search"
	"masthead/internal/wall"
)

// SearchPage is the template "search". Asked is false until something was
// looked for.
type SearchPage struct {
	Base
	Query   string
	Asked   bool
	Count   int
	More    bool // there are still more, older ones
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

// maxQuery is how many letters of a query are read; foundPerPage, how many
// stories a page of results shows.
const (
	maxQuery     = 200
	foundPerPage = 10
)

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
	query := search.Query{Lang: l, Words: p.Query, Limit: foundPerPage}
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
	query.Offset = (page - 1) * foundPerPage
	found, err := n.Search.Find(ctx, q, query)
	if err != nil {
		return err
	}
	p.Count, p.More = found.Count, found.More
	p.Paging = n.paging(r, "/search", page, max(1, (found.Count+foundPerPage-1)/foundPerPage))
	texts := make(map[string]search.Match, len(found.Matches))
	ids := make([]string, len(found.Matches))
	for i, m := range found.Matches {
		ids[i], texts[m.EditionID] = m.EditionID, m
	}
	list, err := n.Stories.CardsByEdition(ctx, q, ids)
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
		excerpt, err := n.excerpt(r, texts[c.EditionID], n.peek(r, wall.ItemOfCard(c, t.sections, topics[c.StoryID])), p.Query)
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
func (n *Newsroom) excerpt(r *http.Request, m search.Match, d wall.Decision, query string) (template.HTML, error) {
	if d.Verdict == wall.Closed && !d.MayReadAll() {
		return "", nil
	}
	var pieces []search.Piece
	if m.Current {
		pieces = m.Excerpt(query, d.MayReadAll())
	} else { // the index is about to be made anew
		e, err := n.Stories.EditionByID(r.Context(), n.DB.Read(), m.EditionID)
		if err != nil {
			return "", err
		}
		sent, _ := d.Cut(e.Body, n.limit())
		pieces = search.Excerpt(e.Lang, sent.PlainText(), query)
	}
	var b strings.Builder
	for _, piece := range pieces {
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
