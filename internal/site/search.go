package site

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"masthead/internal/page"
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

// searched is what a search is asked: what its page depends on besides the visitor.
type searched struct {
	lang, words, section string
	page                 int
	minute               int64 // in which it was asked: no answer is kept longer
}

func (s searched) weight() int { return len(s.words) + len(s.section) + 64 }

// query is the address's, without what a search does not know.
func (s searched) query() url.Values {
	q := url.Values{"q": {s.words}}
	if s.section != "" {
		q.Set("section", s.section)
	}
	if s.page > 1 {
		q.Set("page", strconv.Itoa(s.page))
	}
	return q
}

// search serves "/search?q=": headlines and summaries, and of the text only
// what this reader may read. Visitors of whom nothing is known get the same
// answer within a minute.
func (n *Newsroom) search(w http.ResponseWriter, r *http.Request) error {
	values := r.URL.Query()
	s := searched{lang: lang(r), words: shorten(strings.TrimSpace(values.Get("q")), maxQuery), section: values.Get("section"), minute: n.Now().Unix() / 60}
	var err error
	if s.page, err = n.pageNumber(r); err != nil && s.words != "" {
		return err
	}
	if s.words == "" || !n.nobody(r) || len(s.section) > maxQuery || values.Has("done") {
		p, _, err := n.searchPage(r, s)
		if err != nil {
			return err
		}
		return n.send(w, r, "search", p)
	}
	found, err := n.Engine.searches.Get(r.Context(), s, func(ctx context.Context) (*page.Page, []string, int, error) {
		p, tags, err := n.searchPage(n.asNobody(ctx, r, s.query()), s)
		if err != nil {
			return nil, nil, 0, err
		}
		body, err := n.Pages.Bytes("site/search", p)
		if err != nil {
			return nil, nil, 0, err
		}
		found, err := page.New(page.Rendered{Body: body})
		if err != nil {
			return nil, nil, 0, err
		}
		return found, tags, found.Size(), nil
	})
	if err != nil {
		return err
	}
	return n.serve(w, r, found, nil, share{}, page.Options{Personal: true, ByCookie: true})
}

// nobody reports whether nothing is known of a visitor that the wall could
// decide by, and the wall hears what the others change.
func (n *Newsroom) nobody(r *http.Request) bool {
	return len(r.Header["Cookie"]) == 0 && len(r.Header["Authorization"]) == 0 && referrer(r) == "" && holeOf(r) == "" && !n.Away()
}

// asNobody is r with another query, as a visitor would send it of whom nothing is known.
func (n *Newsroom) asNobody(ctx context.Context, r *http.Request, query url.Values) *http.Request {
	a := asking{lang: lang(r), path: address(r), visitor: &visitor{}, began: asked(r).began}
	r = r.WithContext(context.WithValue(ctx, askingKey, &a))
	u := *r.URL
	u.RawQuery = query.Encode()
	r.URL, r.Header = &u, http.Header{}
	return r
}

// searchPage looks for s, and gives with the page the tags of what it shows.
func (n *Newsroom) searchPage(r *http.Request, s searched) (p SearchPage, tags []string, err error) {
	ctx, q := r.Context(), n.DB.Read()
	t, err := n.taxonomy(ctx, s.lang)
	if err != nil {
		return p, nil, err
	}
	f := furniture(s.lang)
	p = SearchPage{Base: n.base(r, t, "/search", n.everyLanguage(s.lang, "/search")), Query: s.words, Section: s.section}
	p.Title, p.NoIndex = f.T("search.title"), true
	query := search.Query{Lang: s.lang, Words: s.words, Limit: foundPerPage, Offset: (s.page - 1) * foundPerPage}
	for _, section := range t.top() {
		p.Within = append(p.Within, Option{Value: section.Slug, Name: section.Names.In(s.lang, n.Config.Language), Selected: section.Slug == s.section})
		if section.Slug == s.section {
			query.SectionIDs = t.sections.Within(section.ID)
		}
	}
	if s.words == "" {
		return p, nil, nil
	}
	p.Asked = true
	found, err := n.Search.Find(ctx, q, query)
	if err != nil {
		return p, nil, err
	}
	p.Count, p.More = found.Count, found.More
	p.Paging = n.paging(r, "/search", s.page, max(1, (found.Count+foundPerPage-1)/foundPerPage))
	texts := make(map[string]search.Match, len(found.Matches))
	ids := make([]string, len(found.Matches))
	for i, m := range found.Matches {
		ids[i], texts[m.EditionID] = m.EditionID, m
	}
	list, err := n.Stories.CardsByEdition(ctx, q, ids)
	if err != nil {
		return p, nil, err
	}
	cards, err := n.cards(r, t, list)
	if err != nil {
		return p, nil, err
	}
	topics, err := n.Stories.TopicSlugs(ctx, q, list)
	if err != nil {
		return p, nil, err
	}
	tags = []string{SiteTag, ListsTag(s.lang)}
	for i, c := range list {
		excerpt, err := n.excerpt(r, texts[c.EditionID], n.peek(r, wall.ItemOfCard(c, t.sections, topics[c.StoryID])), s.words)
		if err != nil {
			return p, nil, err
		}
		p.Results, tags = append(p.Results, Found{Card: cards[i], Excerpt: excerpt}), append(tags, StoryTag(c.StoryID))
	}
	p.Title = s.words + " – " + p.Title
	return p, tags, nil
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
