package site

import (
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/story"
)

// perPage is how many stories a page of a list shows; frontStories, how many
// the front page shows above its bands: the lead, two seconds and the briefs.
const (
	perPage      = 20
	frontStories = 10
)

// front serves "/": the pinned stories first, then the newest, then a band for each section.
func (n *Newsroom) front(w http.ResponseWriter, r *http.Request) error {
	ctx, q, l := r.Context(), n.DB.Read(), lang(r)
	t, err := n.taxonomy(ctx)
	if err != nil {
		return err
	}
	pinned, err := n.Stories.Cards(ctx, q, story.Query{Lang: l, Pinned: true, Limit: 3})
	if err != nil {
		return err
	}
	shown := storyIDs(pinned)
	newest, err := n.Stories.Cards(ctx, q, story.Query{Lang: l, NotStories: shown, Limit: frontStories - len(pinned)})
	if err != nil {
		return err
	}
	shown = append(shown, storyIDs(newest)...)
	top, err := n.cards(r, t, append(pinned, newest...))
	if err != nil {
		return err
	}
	p := FrontPage{Base: n.base(r, t, "/", n.everyLanguage(l, "/"))}
	p.Today = p.Furniture.Today(n.Now().In(n.Config.Timezone))
	p.JSONLD = n.siteJSONLD(l)
	if len(top) > 0 {
		p.Lead = &top[0]
		p.Seconds = top[1:min(3, len(top))]
		p.Briefs = top[min(3, len(top)):]
	}
	for _, s := range t.sections.Parts("") {
		list, err := n.Stories.Cards(ctx, q, story.Query{Lang: l, SectionIDs: t.sections.Within(s.ID), NotStories: shown, Limit: 4})
		if err != nil {
			return err
		}
		if len(list) == 0 {
			continue
		}
		cards, err := n.cards(r, t, list)
		if err != nil {
			return err
		}
		p.Bands = append(p.Bands, Band{Section: n.sectionLink(l, "", s), Cards: cards})
	}
	return n.send(w, r, "front", p)
}

// sectionOrPage serves "/{slug}/": a section, or a standing page such as "About".
func (n *Newsroom) sectionOrPage(w http.ResponseWriter, r *http.Request) error {
	t, err := n.taxonomy(r.Context())
	if err != nil {
		return err
	}
	if s, ok := t.sections.BySlug(r.PathValue("slug")); ok {
		return n.section(w, r, t, s)
	}
	return n.plain(w, r, t)
}

func (n *Newsroom) section(w http.ResponseWriter, r *http.Request, t taxonomy, s story.Section) error {
	l, path := lang(r), "/"+s.Slug+"/"
	list, err := n.list(r, t, path, story.Query{Lang: l, SectionIDs: t.sections.Within(s.ID)})
	if err != nil {
		return err
	}
	p := SectionPage{
		Base:        n.base(r, t, path, n.everyLanguage(l, path)),
		Name:        s.Names.In(l, n.Config.Language),
		Description: s.Descriptions.In(l, n.Config.Language),
		Cards:       list.cards,
		Paging:      list.paging,
	}
	p.Title = p.Name
	list.describe(&p.Base, p.Description)
	p.Feeds = n.feedLinks(l, path, n.Config.In(l).Title+" – "+p.Name)
	above := t.sections.Path(s.ParentID)
	for i := len(above) - 1; i >= 0; i-- {
		p.Trail = append(p.Trail, n.sectionLink(l, path, above[i]))
	}
	top := s
	if len(above) > 0 {
		top = above[len(above)-1]
	}
	for i := range p.Nav {
		p.Nav[i].Current = p.Nav[i].URL == n.at(l, "/"+top.Slug+"/")
	}
	for _, part := range t.sections.Parts(s.ID) {
		p.Within = append(p.Within, n.sectionLink(l, path, part))
	}
	if list.paging.Page == 1 && len(p.Cards) > 0 {
		p.Lead, p.Cards = &p.Cards[0], p.Cards[1:]
	}
	p.JSONLD = n.listJSONLD(p.Base, p.Name)
	return n.send(w, r, "section", p)
}

// topic serves "/topic/{slug}/". Topics of the newsroom's own are not found.
func (n *Newsroom) topic(w http.ResponseWriter, r *http.Request) error {
	ctx, l := r.Context(), lang(r)
	tp, err := n.Stories.TopicBySlug(ctx, n.DB.Read(), r.PathValue("slug"))
	if err != nil {
		return n.orElsewhere(w, r, err)
	}
	if tp.Internal {
		return fault.New(fault.NotFound, "no such topic", "slug", tp.Slug)
	}
	t, err := n.taxonomy(ctx)
	if err != nil {
		return err
	}
	path := "/topic/" + tp.Slug + "/"
	list, err := n.list(r, t, path, story.Query{Lang: l, TopicID: tp.ID})
	if err != nil {
		return err
	}
	f := furniture(l)
	p := TopicPage{
		Base:        n.base(r, t, path, n.everyLanguage(l, path)),
		Name:        tp.Names.In(l, n.Config.Language),
		Kind:        TopicKindWords(f, string(tp.Kind)),
		Description: template.HTML(template.HTMLEscapeString(tp.Descriptions.In(l, n.Config.Language))),
		Aliases:     tp.Aliases[l],
		Count:       list.count,
		Cards:       list.cards,
		Paging:      list.paging,
	}
	p.Title = p.Name
	list.describe(&p.Base, tp.Descriptions.In(l, n.Config.Language))
	p.Feeds = n.feedLinks(l, path, n.Config.In(l).Title+" – "+p.Name)
	p.JSONLD = n.listJSONLD(p.Base, p.Name)
	return n.send(w, r, "topic", p)
}

// author serves "/author/{slug}/".
func (n *Newsroom) author(w http.ResponseWriter, r *http.Request) error {
	ctx, l := r.Context(), lang(r)
	a, err := n.Stories.WriterBySlug(ctx, n.DB.Read(), r.PathValue("slug"))
	if err != nil {
		return n.orElsewhere(w, r, err)
	}
	t, err := n.taxonomy(ctx)
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

// archive serves "/archive/", every month there is, and "/{year}/{month}/", one of them by day.
func (n *Newsroom) archive(w http.ResponseWriter, r *http.Request) error {
	ctx, q, l := r.Context(), n.DB.Read(), lang(r)
	f := furniture(l)
	month, path := 0, "/archive/"
	if year := r.PathValue("year"); year != "" {
		var err error
		if month, err = parseMonth(year, r.PathValue("month")); err != nil {
			return n.orElsewhere(w, r, err)
		}
		path = "/" + year + "/" + r.PathValue("month") + "/"
	}
	t, err := n.taxonomy(ctx)
	if err != nil {
		return err
	}
	months, err := n.Stories.Months(ctx, q, l)
	if err != nil {
		return err
	}
	p := ArchivePage{Base: n.base(r, t, path, n.everyLanguage(l, path)), Years: n.years(l, f, months, month)}
	p.Title = f.T("nav.archive")
	if month != 0 {
		list, err := n.Stories.Cards(ctx, q, story.Query{Lang: l, Month: month})
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return fault.New(fault.NotFound, "no stories in this month", "month", month)
		}
		cards, err := n.cards(r, t, list)
		if err != nil {
			return err
		}
		p.Month = f.Month(monthTime(month))
		p.Title += ": " + p.Month.Text
		p.StoryCount = len(cards)
		for i, c := range cards {
			if i == 0 || c.Published.Text != cards[i-1].Published.Text {
				p.Days = append(p.Days, Day{Date: c.Published})
			}
			day := &p.Days[len(p.Days)-1]
			day.Cards = append(day.Cards, c)
		}
		for i, m := range months {
			if m.Month != month {
				continue
			}
			if i > 0 {
				p.Newer = n.monthLink(l, f, months[i-1].Month)
			}
			if i+1 < len(months) {
				p.Older = n.monthLink(l, f, months[i+1].Month)
			}
		}
	}
	return n.send(w, r, "archive", p)
}

func (n *Newsroom) years(l string, f *language.Furniture, months []story.Month, current int) []Year {
	var years []Year
	for _, m := range months {
		year := strconv.Itoa(m.Month / 100)
		if len(years) == 0 || years[len(years)-1].Year != year {
			years = append(years, Year{Year: year})
		}
		y := &years[len(years)-1]
		y.Months = append(y.Months, MonthLink{Name: f.MonthName(time.Month(m.Month % 100)), URL: n.monthLink(l, f, m.Month).URL, Count: m.Stories, Current: m.Month == current})
	}
	return years
}

func (n *Newsroom) monthLink(l string, f *language.Furniture, month int) Link {
	return Link{Name: f.Month(monthTime(month)).Text, URL: n.at(l, fmt.Sprintf("/%04d/%02d/", month/100, month%100))}
}

func monthTime(month int) time.Time {
	return time.Date(month/100, time.Month(month%100), 1, 0, 0, 0, 0, time.UTC)
}

// parseMonth reads "2026" and "11" as 202611.
func parseMonth(year, month string) (int, error) {
	at, err := time.Parse("2006/01", year+"/"+month)
	if err != nil {
		return 0, fault.New(fault.NotFound, "no such month", "year", year, "month", month)
	}
	return at.Year()*100 + int(at.Month()), nil
}

// listing is one page of a long list.
type listing struct {
	cards  []Card
	count  int
	paging Paging
}

// list reads the page of a list that the request's "page" names.
func (n *Newsroom) list(r *http.Request, t taxonomy, path string, query story.Query) (listing, error) {
	page, err := n.pageNumber(r)
	if err != nil {
		return listing{}, err
	}
	count, err := n.Stories.Count(r.Context(), n.DB.Read(), query)
	if err != nil {
		return listing{}, err
	}
	pages := max(1, (count+perPage-1)/perPage)
	if page > pages {
		return listing{}, fault.New(fault.NotFound, "no such page", "page", page)
	}
	query.Limit, query.Offset = perPage, (page-1)*perPage
	list, err := n.Stories.Cards(r.Context(), n.DB.Read(), query)
	if err != nil {
		return listing{}, err
	}
	cards, err := n.cards(r, t, list)
	if err != nil {
		return listing{}, err
	}
	return listing{cards: cards, count: count, paging: n.paging(r, path, page, pages)}, nil
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
