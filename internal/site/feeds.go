package site

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/feed"
	"masthead/internal/page"
	"masthead/internal/story"
	"masthead/internal/wall"
)

// feedItems is how many stories a feed holds; newsDays is how old a story of
// the news sitemap may be.
const (
	feedItems = 30
	newsDays  = 2
)

// file serves what is no page but stands in a folder of one: a feed, or one of the sitemaps.
func (n *Newsroom) file(w http.ResponseWriter, r *http.Request) error {
	switch name := r.PathValue("file"); {
	case r.PathValue("slug") == "sitemap" && !strings.HasPrefix(r.URL.Path, "/topic/") && !strings.HasPrefix(r.URL.Path, "/author/"):
		return n.sitemap(w, r, name)
	case name == "feed.xml" || name == "feed.json":
		return n.feed(w, r)
	}
	return n.elsewhere(w, r)
}

// feed serves "feed.xml" and "feed.json" of the site, a section, a topic or an
// author. A feed is the same for everybody: it holds what an anonymous visitor
// may read who asks without being counted.
func (n *Newsroom) feed(w http.ResponseWriter, r *http.Request) error {
	contentType := "application/rss+xml; charset=utf-8"
	if strings.HasSuffix(r.URL.Path, ".json") {
		contentType = "application/feed+json; charset=utf-8"
	}
	key := page.Key{Kind: "feed", ID: r.URL.Path, Revision: n.hour()}
	return n.orElsewhere(w, r, n.document(w, r, key, []string{ListsTag(lang(r))}, contentType, n.feedBytes))
}

// hour is in the keys of what the wall's rules make older by themselves: a story
// that goes into the archive leaves a feed within the hour.
func (n *Newsroom) hour() string { return n.Now().UTC().Format("2006010215") }

func (n *Newsroom) feedBytes(r *http.Request) ([]byte, error) {
	ctx, q, l := r.Context(), n.DB.Read(), lang(r)
	t, err := n.taxonomy(ctx, lang(r))
	if err != nil {
		return nil, err
	}
	query := story.Query{Lang: l, Limit: feedItems}
	title, slug := "", r.PathValue("slug")
	switch list, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); {
	case slug == "":
	case list == "topic" && slug != "":
		tp, err := n.Stories.TopicBySlug(ctx, q, slug)
		if err == nil && tp.Internal {
			err = fault.New(fault.NotFound, "no such topic", "slug", slug)
		}
		if err != nil {
			return nil, err
		}
		query.TopicID, title = tp.ID, tp.Names.In(l, n.Config.Language)
	case list == "author" && slug != "":
		a, err := n.Stories.WriterBySlug(ctx, q, slug)
		if err != nil {
			return nil, err
		}
		query.AuthorID, title = a.ID, a.Names.In(l, n.Config.Language)
	default:
		s, ok := t.sections.BySlug(slug)
		if !ok {
			return nil, fault.New(fault.NotFound, "no such section", "slug", slug)
		}
		query.SectionIDs, title = t.sections.Within(s.ID), s.Names.In(l, n.Config.Language)
	}
	cards, err := n.Stories.Cards(ctx, q, query)
	if err != nil {
		return nil, err
	}
	home := address(r)[:strings.LastIndexByte(address(r), '/')+1]
	c := feed.Channel{Title: n.Config.In(l).Title, Description: n.Config.In(l).Description, Home: n.absolute(home), Self: n.absolute(address(r)), Lang: l}
	if title != "" {
		c.Title += " – " + title
	}
	if c.Items, err = n.feedOf(r, t, cards); err != nil {
		return nil, err
	}
	for _, it := range c.Items {
		if it.Updated.After(c.Updated) {
			c.Updated = it.Updated
		}
	}
	write := feed.RSS
	if strings.HasSuffix(r.URL.Path, ".json") {
		write = feed.JSON
	}
	var b bytes.Buffer
	err = write(&b, c)
	return b.Bytes(), err
}

func (n *Newsroom) feedOf(r *http.Request, t taxonomy, cards []story.Card) ([]feed.Item, error) {
	ctx, q := r.Context(), n.DB.Read()
	topics, err := n.Stories.TopicSlugs(ctx, q, cards)
	if err != nil {
		return nil, err
	}
	pictures, err := n.pictures(ctx, cards)
	if err != nil {
		return nil, err
	}
	var items []feed.Item
	for _, c := range cards {
		e, err := n.Stories.EditionByID(ctx, q, c.EditionID)
		if err != nil {
			return nil, err
		}
		d := n.Wall.Decide(wall.Visit{Now: n.Now(), Peek: true}, wall.ItemOfCard(c, t.sections, topics[c.StoryID]))
		sent, _ := d.Cut(e.Body, n.limit())
		body, err := n.renderBody(ctx, e.Lang, sent, doc.RenderOptions{Feed: true})
		if err != nil {
			return nil, err
		}
		it := feed.Item{ID: e.ID, URL: n.absolute(e.Path), Title: e.Headline, Summary: e.Summary, Lang: e.Lang,
			Published: e.PublishedAt, Updated: e.UpdatedAt, HTML: string(body)}
		corrections, err := n.Stories.Corrections(ctx, q, c.StoryID, c.Lang)
		if err != nil {
			return nil, err
		}
		if len(corrections) > 0 {
			it.HTML += n.feedCorrections(e.Lang, corrections)
		}
		for _, a := range c.Authors {
			it.Authors = append(it.Authors, a.Names.In(c.Lang, n.Config.Language))
		}
		for _, s := range t.sections.Path(c.SectionID) {
			it.Categories = append(it.Categories, s.Names.In(c.Lang, n.Config.Language))
		}
		if m, ok := pictures[c.LeadMediaID]; ok {
			if card := m.Card(); card != "" {
				it.Image = feed.Image{URL: n.Config.URL.String() + card, Type: "image/jpeg"}
			}
		}
		items = append(items, it)
	}
	return items, nil
}

// feedCorrections stands below a story in a feed.
func (n *Newsroom) feedCorrections(lang string, list []story.Correction) string {
	f := furniture(lang)
	body := &doc.Node{Type: "doc"}
	for _, c := range list {
		text := f.Date(c.At.In(n.Config.Timezone)).Text + ": " + c.Whole()
		body.Content = append(body.Content, &doc.Node{Type: "paragraph", Content: []*doc.Node{{Type: "text", Text: text}}})
	}
	heading := &doc.Node{Type: "paragraph", Content: []*doc.Node{{Type: "text", Text: f.N("story.corrections", len(list)), Marks: []doc.Mark{{Type: "strong"}}}}}
	body.Content = append([]*doc.Node{heading}, body.Content...)
	return body.HTML(doc.RenderOptions{Feed: true})
}

// sitemapIndex serves "/sitemap.xml": the news sitemap, one of the lists, and one for each month.
func (n *Newsroom) sitemapIndex(w http.ResponseWriter, r *http.Request) error {
	return n.document(w, r, page.Key{Kind: "sitemap", ID: "index"}, n.everyList(), xmlType, n.sitemapIndexBytes)
}

const xmlType = "application/xml; charset=utf-8"

// everyList gives the tags of the lists of all languages.
func (n *Newsroom) everyList() []string {
	var tags []string
	for _, l := range n.languages() {
		tags = append(tags, ListsTag(l))
	}
	return tags
}

func (n *Newsroom) sitemapIndexBytes(r *http.Request) ([]byte, error) {
	months := map[int]bool{}
	for _, l := range n.languages() {
		list, err := n.Stories.Months(r.Context(), n.DB.Read(), l)
		if err != nil {
			return nil, err
		}
		for _, m := range list {
			months[m.Month] = true
		}
	}
	names := []string{"news.xml", "lists.xml"}
	var all []int
	for m := range months {
		all = append(all, m)
	}
	slices.Sort(all)
	slices.Reverse(all)
	for _, m := range all {
		names = append(names, fmt.Sprintf("%04d-%02d.xml", m/100, m%100))
	}
	var maps []feed.Page
	for _, name := range names {
		maps = append(maps, feed.Page{URL: n.absolute("/sitemap/" + name)})
	}
	var b bytes.Buffer
	err := feed.SitemapIndex(&b, maps)
	return b.Bytes(), err
}

// sitemap serves "/sitemap/news.xml", "/sitemap/lists.xml" and "/sitemap/2026-11.xml".
func (n *Newsroom) sitemap(w http.ResponseWriter, r *http.Request, file string) error {
	name, ok := strings.CutSuffix(file, ".xml")
	if !ok {
		return fault.New(fault.NotFound, "no such sitemap", "name", file)
	}
	return n.orElsewhere(w, r, n.document(w, r, page.Key{Kind: "sitemap", ID: name, Revision: n.hour()}, n.everyList(), xmlType, func(r *http.Request) ([]byte, error) {
		return n.sitemapBytes(r, name)
	}))
}

func (n *Newsroom) sitemapBytes(r *http.Request, name string) (_ []byte, err error) {
	var pages []feed.Page
	switch name {
	case "lists":
		pages, err = n.listPages(r)
	case "news":
		pages, err = n.storyPages(r, story.Query{Since: n.Now().Add(-newsDays * 24 * time.Hour), Limit: 1000}, true)
	default:
		year, month, _ := strings.Cut(name, "-")
		var number int
		if number, err = parseMonth(year, month); err != nil {
			return nil, err
		}
		pages, err = n.storyPages(r, story.Query{Month: number, Limit: feed.SitemapMax}, false)
	}
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = feed.Sitemap(&b, pages)
	return b.Bytes(), err
}

func (n *Newsroom) storyPages(r *http.Request, query story.Query, news bool) ([]feed.Page, error) {
	cards, err := n.Stories.Cards(r.Context(), n.DB.Read(), query)
	if err != nil {
		return nil, err
	}
	byStory := map[string][]feed.Alternate{}
	for _, c := range cards {
		byStory[c.StoryID] = append(byStory[c.StoryID], feed.Alternate{Lang: c.Lang, URL: n.absolute(c.Path)})
	}
	var pages []feed.Page
	for _, c := range cards {
		p := feed.Page{URL: n.absolute(c.Path), Updated: c.UpdatedAt}
		if a := byStory[c.StoryID]; len(a) > 1 {
			p.Alternates = a
		}
		if news {
			p.News = &feed.News{Publication: n.Config.In(c.Lang).Title, Lang: c.Lang, Title: c.Headline, Published: c.PublishedAt}
		}
		pages = append(pages, p)
	}
	return pages, nil
}

// listPages are the front, every section, topic, author and standing page, in every language.
func (n *Newsroom) listPages(r *http.Request) ([]feed.Page, error) {
	ctx, q := r.Context(), n.DB.Read()
	sections, err := n.Stories.Sections(ctx, q)
	if err != nil {
		return nil, err
	}
	topics, err := n.Stories.Topics(ctx, q, nil)
	if err != nil {
		return nil, err
	}
	writers, err := n.Stories.Writers(ctx, q, nil)
	if err != nil {
		return nil, err
	}
	paths := []string{"/", "/about/", "/privacy/", "/archive/", "/corrections/"}
	for _, s := range sections {
		paths = append(paths, "/"+s.Slug+"/")
	}
	for _, t := range topics {
		if !t.Internal {
			paths = append(paths, "/topic/"+t.Slug+"/")
		}
	}
	for _, a := range writers {
		paths = append(paths, "/author/"+a.Slug+"/")
	}
	var pages []feed.Page
	for _, path := range paths {
		var alternates []feed.Alternate
		if len(n.languages()) > 1 {
			for _, l := range n.languages() {
				alternates = append(alternates, feed.Alternate{Lang: l, URL: n.absolute(n.at(l, path))})
			}
		}
		for _, l := range n.languages() {
			pages = append(pages, feed.Page{URL: n.absolute(n.at(l, path)), Alternates: alternates})
		}
	}
	return pages[:min(len(pages), feed.SitemapMax)], nil
}

// sendPublic answers with what is the same for everybody, and may be kept by any cache for a minute.
func (n *Newsroom) sendPublic(w http.ResponseWriter, r *http.Request, body []byte, contentType string) error {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "public, max-age=60")
	return n.answer(w, r, body)
}

func (n *Newsroom) pageNumber(r *http.Request) (int, error) {
	text := r.URL.Query().Get("page")
	if text == "" {
		return 1, nil
	}
	page, err := strconv.Atoi(text)
	if err != nil || page < 1 {
		return 0, fault.New(fault.NotFound, "no such page", "page", text)
	}
	return page, nil
}
