package site

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/language"
	"masthead/internal/page"
	"masthead/internal/story"
	"masthead/internal/wall"
	"masthead/internal/web"
)

// StoryPage is the template "story", for every language edition alike.
//
// Body is only what this variant of the page may carry: when Wall is set it
// ends where the wall stands.
type StoryPage struct {
	Base
	Kicker      string
	Section     Link
	Headline    string
	Summary     string
	Byline      []Person
	Published   language.Moment
	Updated     language.Moment // zero when it adds nothing to Published
	ReadingTime string
	Lead        Picture
	Body        template.HTML
	Wall        *Wall
	Meter       *Meter
	Gift        *Gift
	GiftForm    *GiftForm
	Withdrawn   bool // shown to staff alone
	Draft       bool // a preview at the desk
	Corrections []Correction
	Topics      []TopicLink
	Authors     []AuthorBox
	NextForYou  []Card
	Licence     Link   // of the text, if it has one
	ShortURL    string // printed under the story on paper

	leadCard string // address of the lead picture cut for social cards
}

// Correction is one dated correction.
type Correction struct {
	Date language.Moment
	Text template.HTML
}

// TopicLink is one line of "Found in".
type TopicLink struct {
	Name string
	Kind string
	URL  string
}

// AuthorBox introduces an author under the story.
type AuthorBox struct {
	Name      string
	URL       string
	Role      string
	Biography string
	Handle    string
	HandleURL string
	Portrait  Picture
}

// route is what an address leads to, and what the wall must know of it: enough
// to answer from the cache without asking the database.
type route struct {
	story   story.Story
	edition story.Edition // without its body
	item    wall.Item
	next    string      // the address of the first paragraph that a preview lacks: "/2026/11/a-slug/#p4"
	served  atomic.Bool // at its own address: whoever asks there again is led here
}

// route gives the published edition at a path.
func (n *Newsroom) route(ctx context.Context, path string) (*route, error) {
	return n.Engine.routes.Get(ctx, path, func(ctx context.Context) (*route, []string, int, error) {
		q := n.DB.Read()
		e, err := n.Stories.ByPath(ctx, q, path)
		if err != nil {
			return nil, nil, 0, err
		}
		rt := &route{edition: e}
		if rt.story, err = n.Stories.ByID(ctx, q, e.StoryID); err != nil {
			return nil, nil, 0, err
		}
		sections, err := n.Stories.Sections(ctx, q)
		if err != nil {
			return nil, nil, 0, err
		}
		topics, err := n.Stories.Topics(ctx, q, orEmpty(rt.story.Topics))
		if err != nil {
			return nil, nil, 0, err
		}
		rt.item = wall.ItemOf(rt.story, e, sections, slugs(topics))
		preview, _ := wall.Decision{Verdict: wall.Register}.Cut(e.Body, n.limit())
		paragraphs := 0
		for _, node := range preview.Content {
			if node.Type == "paragraph" {
				paragraphs++
			}
		}
		rt.next = (&url.URL{Path: e.Path, Fragment: "p" + strconv.Itoa(paragraphs+1)}).String()
		rt.edition.Body = nil
		return rt, []string{StoryTag(e.StoryID), SiteTag}, 1024 + len(e.Summary) + len(e.Headline), nil
	})
}

// serveStory serves "/{year}/{month}/{slug}/". What of the story goes out is the
// wall's decision and nobody else's.
func (n *Newsroom) serveStory(w http.ResponseWriter, r *http.Request) error {
	rt, err := n.route(r.Context(), address(r))
	if err != nil {
		return n.orElsewhere(w, r, err)
	}
	rt.served.Store(true)
	return n.storyAt(w, r, rt)
}

func (n *Newsroom) storyAt(w http.ResponseWriter, r *http.Request, rt *route) error {
	visit, d, gift := n.decide(r, rt.item)
	p, err := n.variant(r, rt, d, "story", func(r *http.Request, cut wall.Decision) (tagged, error) { return n.storyPage(r, rt, cut) })
	if err != nil {
		return err
	}
	holes, err := n.storyHoles(r, rt, visit, d, gift)
	if err != nil {
		return err
	}
	n.tally(w, r, &visit, &rt.item, &d)
	if err := n.count(w, r, rt.item, d); err != nil {
		return err
	}
	return n.serve(w, r, p, holes, n.shareStory(w, r, rt, d), page.Options{Open: n.mayShare(r, visit, d, rt.item), ByCookie: true})
}

// mayShare is [Newsroom.openToAll] where that is not known already: a visitor
// who has nothing to show for himself stands for all; and what is sent to a
// reader, or counted, is for nobody else anyway, unless a cache in front takes
// the page without its holes.
func (n *Newsroom) mayShare(r *http.Request, v wall.Visit, d wall.Decision, it wall.Item) bool {
	switch {
	case n.behindCache(r):
	case !d.Full || d.Count || v.Reader.State != "" || v.Gift != nil:
		return false
	case v.Meter == nil && v.Referrer == "" && v.Crawler == "":
		return true
	}
	return n.openToAll(it)
}

// openToAll reports whether anybody would be sent the whole text, so that a
// cache may share it.
func (n *Newsroom) openToAll(it wall.Item) bool {
	return n.Wall.Decide(wall.Visit{Now: n.Now(), Peek: true}, it).Full
}

// tagged is a page that says which stories it names besides its own.
type tagged interface{ tags() []string }

// variant gives the whole page of a story where the decision permits it, else
// the page with its preview. The two live in stores of their own, and only the
// permit that the decision gives opens the first.
func (n *Newsroom) variant(r *http.Request, rt *route, d wall.Decision, template string, build func(r *http.Request, cut wall.Decision) (tagged, error)) (*page.Page, error) {
	key := page.Key{Kind: template, ID: rt.edition.ID, Lang: rt.edition.Lang}
	permit, whole := page.Grant(d, rt.edition.ID)
	var p *page.Page
	var err error
	if whole {
		key.Variant = page.Full
		p, err = n.Engine.cache.KeptFull(permit, key)
	} else {
		key.Variant = d.Withheld().Verdict.String()
		p, err = n.Engine.cache.Kept(key)
	}
	if !errors.Is(err, page.ErrNotKept) {
		return p, err
	}
	render := func(cut wall.Decision) page.Render {
		return func(ctx context.Context) (page.Rendered, error) {
			content, err := build(anybody(ctx, r, ""), cut)
			if err != nil {
				return page.Rendered{}, err
			}
			body, err := n.Pages.Bytes("site/"+template, content)
			tags := append(content.tags(), StoryTag(rt.story.ID), SiteTag)
			return page.Rendered{Body: body, Marker: n.Engine.marker, Tags: tags}, err
		}
	}
	if whole {
		return n.Engine.cache.GetFull(r.Context(), permit, key, render(wall.Decision{Full: true}))
	}
	return n.Engine.cache.Get(r.Context(), key, render(d.Withheld()))
}

// storyHoles fills what differs from visitor to visitor.
func (n *Newsroom) storyHoles(r *http.Request, rt *route, visit wall.Visit, d wall.Decision, gift *Gift) (page.Holes, error) {
	v, plain := visitorOf(r), gift == nil && r.URL.RawQuery == ""
	kept := holesKey{edition: rt.edition.ID, address: address(r), class: v.class(), left: -1}
	metered := d.Full && d.Verdict == wall.Metered && d.Limit > 0 && d.Rule != wall.ByCrawler
	switch {
	case !d.Full:
		kept.reason, kept.tier, kept.limit, kept.days = n.wallReason(r, d)+d.Arm.String(), d.Tier, d.Limit, d.Days
	case metered:
		kept.used, kept.limit, kept.days = min(d.Used, d.Limit), d.Limit, d.Days
	}
	if d.MayGive(visit.Reader) {
		left, err := n.giftsLeft(r, visit.Reader.ID)
		if err == nil {
			kept.left = left
		} else if !db.Away(err) {
			return nil, err
		} // a page can do without it
	}
	if plain {
		if holes, ok := n.Engine.holes.Peek(kept); ok {
			return holes, nil
		}
	}
	holes, err := n.frame(r)
	if err != nil {
		return nil, err
	}
	bare := StoryPage{Base: n.bare(r)}
	// fill puts in the content of a hole; with a nil set it stays empty.
	fill := func(name, which string, personal bool, set func(p *StoryPage) error) {
		h := page.Hole{Name: name, Personal: personal && set != nil}
		if set != nil && err == nil {
			h.HTML, err = n.part(r, name, which, "site/story", func() (any, error) {
				p := bare
				err := set(&p)
				return p, err
			})
		}
		holes = append(holes, h)
	}
	var wallPanel, meter, giftForm, giftNotice func(p *StoryPage) error
	var window, left, until string
	switch {
	case !d.Full:
		window = kept.reason + " " + strconv.Itoa(d.Limit) + "/" + strconv.Itoa(d.Days) + " " + d.Tier
		wallPanel = func(p *StoryPage) (err error) { p.Wall, err = n.wallPanel(r, rt, d); return err }
	case metered:
		notice := &Meter{Used: kept.used, Limit: d.Limit, Days: d.Days, Next: rt.edition.Path}
		window = strconv.Itoa(notice.Used) + " of " + strconv.Itoa(d.Limit) + "/" + strconv.Itoa(d.Days)
		meter = func(p *StoryPage) error { p.Meter = notice; return nil }
	}
	if kept.left >= 0 {
		form := n.giftForm(r, rt.story.ID, kept.left)
		left = strconv.Itoa(form.Left)
		giftForm = func(p *StoryPage) error { p.GiftForm = form; return nil }
	}
	if gift != nil {
		until = gift.Expires.Machine
		giftNotice = func(p *StoryPage) error { p.Gift = gift; return nil }
	}
	fill("wall", window, v.reader != nil, wallPanel)
	fill("meter", window, true, meter)
	fill("gift-form", left, true, giftForm)
	fill("gift-notice", until, true, giftNotice)
	if err != nil {
		return nil, err
	}
	next, err := n.Engine.parts.Get(r.Context(), "next\x00"+rt.edition.ID, func(ctx context.Context) ([]byte, []string, int, error) {
		r := anybody(ctx, r, "")
		t, err := n.taxonomy(ctx, rt.edition.Lang)
		if err != nil {
			return nil, nil, 0, err
		}
		p := bare
		if p.NextForYou, err = n.next(r, t, rt.story, rt.edition); err != nil {
			return nil, nil, 0, err
		}
		b, err := n.Pages.Part("site/story", "next-for-you", p)
		return b, []string{ListsTag(rt.edition.Lang), SiteTag}, len(b), err
	})
	away := db.Away(err)
	if away {
		err = nil // the page is whole without it
	}
	holes = append(holes, page.Hole{Name: "next-for-you", HTML: next})
	if plain && err == nil && !away {
		size := 0
		for _, h := range holes {
			size += 64 + len(h.HTML)
		}
		n.Engine.holes.Put(kept, asked(r).began, holes.Sum(), []string{StoryTag(rt.story.ID), ListsTag(rt.edition.Lang), SiteTag}, size)
	}
	return holes, err
}

// decide asks the wall about a story's page, with whatever the visit has to
// show for itself, and counts the story on a registered reader's meter where it
// says so. HEAD asks as GET would, but nothing is counted.
func (n *Newsroom) decide(r *http.Request, it wall.Item) (wall.Visit, wall.Decision, *Gift) {
	visit := n.visit(r)
	visit.Crawler = n.Crawlers.Verify(r.Context(), web.ClientIP(r.Context()), r.UserAgent())
	var shown *Gift
	if r.URL.RawQuery == "" {
	} else if token := r.URL.Query().Get("gift"); token != "" {
		if g, err := n.WallStore.GiftByToken(r.Context(), n.DB.Read(), token, it.StoryID); err == nil {
			visit.Gift = &g
			shown = &Gift{Expires: furniture(lang(r)).Date(g.ExpiresAt.In(n.Config.Timezone))}
		}
	}
	visit.Peek = r.Method == http.MethodHead || holeOf(r) != ""
	var known []wall.Read
	if counted := visit.Counted; counted != nil {
		visit.Counted = func(since time.Time) (_ []wall.Read, err error) {
			known, err = counted(since)
			return known, err
		}
	}
	d := n.Wall.Decide(visit, it)
	for d.Count && visit.Counted != nil && !n.Counter.Count(visit.Reader.ID, it.StoryID, visit.Now, known) {
		d = n.Wall.Decide(visit, it) // another request of this reader came first
	}
	if d.Rule != wall.ByGift {
		shown = nil
	}
	return visit, d, shown
}

// count writes down a read that the anonymous meter counts, in the visitor's
// cookie; and that a gift was opened.
func (n *Newsroom) count(w http.ResponseWriter, r *http.Request, it wall.Item, d wall.Decision) error {
	v := visitorOf(r)
	switch {
	case r.Method == http.MethodHead || holeOf(r) != "":
		return nil
	case d.Count && v.reader == nil:
		v.meter = v.meter.With(it.StoryID, n.Now())
		web.SetCookie(w, r, meterCookie, n.MeterKeys.Write(v.meter), n.Wall.Window())
	case d.Rule == wall.ByGift:
		return n.DB.InTx(r.Context(), func(tx *db.Tx) error {
			g, err := n.WallStore.GiftByToken(r.Context(), tx, r.URL.Query().Get("gift"), it.StoryID)
			if err != nil {
				return err
			}
			return n.WallStore.GiftOpened(r.Context(), tx, g.ID)
		})
	}
	return nil
}

// storyPage fills the page of one edition as far as cut lets it out. What
// differs from visitor to visitor is not in it; see storyHoles.
func (n *Newsroom) storyPage(r *http.Request, rt *route, cut wall.Decision) (*StoryPage, error) {
	ctx, q, st := r.Context(), n.DB.Read(), rt.story
	e, err := n.Stories.EditionByID(ctx, q, rt.edition.ID)
	if err != nil {
		return nil, err
	}
	f := furniture(e.Lang)
	t, err := n.taxonomy(ctx, e.Lang)
	if err != nil {
		return nil, err
	}
	topics, err := n.Stories.Topics(ctx, q, orEmpty(st.Topics))
	if err != nil {
		return nil, err
	}
	editions, err := n.Stories.Editions(ctx, q, st.ID)
	if err != nil {
		return nil, err
	}
	path := strings.TrimPrefix(e.Path, n.at(e.Lang, ""))
	p := &StoryPage{
		Base:        n.base(r, t, path, n.editions(editions, e.Lang)),
		Kicker:      e.Kicker,
		Headline:    e.Headline,
		Summary:     e.Summary,
		Published:   f.Date(e.PublishedAt.In(n.Config.Timezone)),
		ReadingTime: f.ReadingTime(e.Words),
		ShortURL:    n.absolute(e.Path),
	}
	if e.UpdatedAt.Sub(e.PublishedAt).Minutes() >= 15 {
		p.Updated = f.DateTime(e.UpdatedAt.In(n.Config.Timezone))
	}
	if s, ok := t.sections.ByID(st.SectionID); ok {
		p.Section = n.sectionLink(e.Lang, "", s)
		for i := range p.Nav {
			p.Nav[i].Current = false
			for _, above := range t.sections.Path(s.ID) {
				p.Nav[i].Current = p.Nav[i].Current || p.Nav[i].URL == n.at(e.Lang, "/"+above.Slug+"/")
			}
		}
	}
	sent, withheld := cut.Cut(e.Body, n.limit())
	p.linked = alsoRead(sent)
	if p.Body, err = n.renderBody(ctx, e.Lang, sent, doc.RenderOptions{ParagraphIDs: true}); err != nil {
		return nil, err
	}
	if withheld {
		p.Wall = &Wall{} // the body ends where the wall stands, whichever it is
	}
	if err := n.people(ctx, p, st, e); err != nil {
		return nil, err
	}
	if p.Lead, p.leadCard, err = n.lead(ctx, st, e); err != nil {
		return nil, err
	}
	corrections, err := n.Stories.Corrections(ctx, q, st.ID, e.Lang)
	if err != nil {
		return nil, err
	}
	for _, c := range corrections {
		p.Corrections = append(p.Corrections, Correction{Date: f.Date(c.At.In(n.Config.Timezone)), Text: template.HTML("<p>" + template.HTMLEscapeString(c.Whole()) + "</p>")})
	}
	for _, tp := range topics {
		if !tp.Internal {
			p.Topics = append(p.Topics, TopicLink{Name: tp.Names.In(e.Lang, n.Config.Language), Kind: TopicKindWords(f, string(tp.Kind)), URL: n.at(e.Lang, "/topic/"+tp.Slug+"/")})
		}
	}
	n.describeStory(p, e, withheld, corrections)
	return p, nil
}

// editions gives the languages that a story is published in.
func (n *Newsroom) editions(cards []story.Card, current string) []Alternate {
	var all []Alternate
	for _, c := range cards {
		if c.Status == story.Published {
			all = append(all, n.alternate(c.Lang, c.Path, c.Lang == current))
		}
	}
	slices.SortFunc(all, func(a, b Alternate) int {
		return slices.Index(n.languages(), a.Lang) - slices.Index(n.languages(), b.Lang)
	})
	return n.withDefault(all)
}

// people fills in the byline and the authors' boxes.
func (n *Newsroom) people(ctx context.Context, p *StoryPage, st story.Story, e story.Edition) error {
	q, f := n.DB.Read(), furniture(e.Lang)
	names, err := n.Stories.Bylines(ctx, q, st.ID, e.Lang)
	if err != nil {
		return err
	}
	ids := []string{}
	for _, b := range names {
		person := Person{Name: b.Names.In(e.Lang, n.Config.Language), URL: n.at(e.Lang, "/author/"+b.Slug+"/")}
		if b.Role != story.Author {
			person.Role = RoleWords(f, string(b.Role))
		} else {
			ids = append(ids, b.AuthorID)
		}
		p.Byline = append(p.Byline, person)
	}
	writers, err := n.Stories.Writers(ctx, q, ids)
	if err != nil {
		return err
	}
	for _, a := range writers {
		box, err := n.authorBox(ctx, e.Lang, a)
		if err != nil {
			return err
		}
		p.Authors = append(p.Authors, box)
	}
	return nil
}

// next gives "Next for you": the newest of the story's topics and section,
// then the newest of all, none of them this story.
func (n *Newsroom) next(r *http.Request, t taxonomy, st story.Story, e story.Edition) ([]Card, error) {
	const wanted = 4
	ctx, q := r.Context(), n.DB.Read()
	queries := []story.Query{}
	for _, id := range st.Topics {
		queries = append(queries, story.Query{TopicID: id})
	}
	if st.SectionID != "" {
		queries = append(queries, story.Query{SectionIDs: t.sections.Within(st.SectionID)})
	}
	queries = append(queries, story.Query{})
	not := []string{st.ID}
	var found []story.Card
	for _, query := range queries {
		if len(found) >= wanted {
			break
		}
		query.Lang, query.NotStories, query.Limit = e.Lang, not, wanted-len(found)
		if query.TopicID != "" {
			query.Limit = min(query.Limit, 2)
		}
		cards, err := n.Stories.Cards(ctx, q, query)
		if err != nil {
			return nil, err
		}
		found = append(found, cards...)
		not = append(not, storyIDs(cards)...)
	}
	return n.cards(r, t, found)
}

func slugs(topics []story.Topic) []string {
	all := make([]string, len(topics))
	for i, t := range topics {
		all[i] = t.Slug
	}
	return all
}

func orEmpty(ids []string) []string {
	if ids == nil {
		return []string{}
	}
	return ids
}
