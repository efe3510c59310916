package site

import (
	"net/http"
	"strconv"

	"masthead/internal/fault"
	"masthead/internal/story"
)

// perPage is how many stories a page of a list shows; frontStories, how many
// the front page shows above its bands: the lead, two seconds and the briefs.
const (
	perPage      = 20
	frontStories = 10
)

// listing is one page of a long list.
type listing struct {
	cards  []Card
	count  int
	paging Paging
}

// list reads the page of a list that the request's "page" names.
func (n *Newsroom) list(r *http.Request, t taxonomy, path string, query story.Query) (listing, error) {
	count, err := n.Stories.Count(r.Context(), n.DB.Read(), query)
	if err != nil {
		return listing{}, err
	}
	paging, err := n.pageOf(r, path, count)
	if err != nil {
		return listing{}, err
	}
	query.Limit, query.Offset = perPage, (paging.Page-1)*perPage
	list, err := n.Stories.Cards(r.Context(), n.DB.Read(), query)
	if err != nil {
		return listing{}, err
	}
	cards, err := n.cards(r, t, list)
	if err != nil {
		return listing{}, err
	}
	return listing{cards: cards, count: count, paging: paging}, nil
}

// pageOf gives the page that the request's "page" names of a list of so many.
func (n *Newsroom) pageOf(r *http.Request, path string, count int) (Paging, error) {
	page, err := n.pageNumber(r)
	if err != nil {
		return Paging{}, err
	}
	pages := max(1, (count+perPage-1)/perPage)
	if page > pages {
		return Paging{}, fault.New(fault.NotFound, "no such page", "page", page)
	}
	return n.paging(r, path, page, pages), nil
}

func (n *Newsroom) paging(r *http.Request, path string, page, pages int) Paging {
	p := Paging{Page: page, Pages: pages}
	at := n.at(lang(r), path)
	if page > 1 {
		p.Prev = queryPath(at, r.URL.Query(), page-1, strconv.Itoa(page-1))
	}
	if page < pages {
		p.Next = queryPath(at, r.URL.Query(), page+1, strconv.Itoa(page+1))
	}
	return p
}

// describe gives the head of a list's page its description, neighbours and own address.
func (l listing) describe(b *Base, description string) {
	if description != "" {
		b.Description = description
	}
	b.Prev, b.Next = l.paging.Prev, l.paging.Next
	b.OpenGraph.Title = b.Title
	if l.paging.Page > 1 {
		b.Canonical += "?page=" + strconv.Itoa(l.paging.Page)
		b.Title += " – " + b.T("list.page_of", l.paging.Page, l.paging.Pages)
	}
}

func storyIDs(cards []story.Card) []string {
	ids := make([]string, len(cards))
	for i, c := range cards {
		ids[i] = c.StoryID
	}
	return ids
}
