package site

import (
	"context"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"masthead/internal/db"
	"masthead/internal/language"
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

// story serves "/{year}/{month}/{slug}/". What of the story goes out is the
// wall's decision and nobody else's.
func (n *Newsroom) story(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), n.DB.Read()
	e, err := n.Stories.ByPath(ctx, q, address(r))
	if err != nil {
		return n.orElsewhere(w, r, err)
	}
	st, err := n.Stories.ByID(ctx, q, e.StoryID)
	if err != nil {
		return err
	}
	t, err := n.taxonomy(ctx, lang(r))
	if err != nil {
		return err
	}
	topics, err := n.Stories.Topics(ctx, q, orEmpty(st.Topics))
	if err != nil {
		return err
	}
	it := wall.ItemOf(st, e, t.sections, slugs(topics))
	d, gift := n.decide(r, it)
	if err := n.count(w, r, it, d); err != nil {
		return err
	}
	p, err := n.storyPage(r, t, st, e, topics, d)
	if err != nil {
		return err
	}
	p.Gift = gift
	if d.MayGive(n.visit(r).Reader) {
		if p.GiftForm, err = n.giftForm(r, st.ID); err != nil {
			return err
		}
	}
	return n.send(w, r, "story", p)
}

// decide asks the wall about a story's page, with whatever the visit has to
// show for itself. HEAD asks as GET would, but nothing is counted.
func (n *Newsroom) decide(r *http.Request, it wall.Item) (wall.Decision, *Gift) {
	visit := n.visit(r)
	visit.Crawler = n.Crawlers.Verify(r.Context(), web.ClientIP(r.Context()), r.UserAgent())
	var shown *Gift
	if token := r.URL.Query().Get("gift"); token != "" {
		if g, err := n.WallStore.GiftByToken(r.Context(), n.DB.Read(), token, it.StoryID); err == nil {
			visit.Gift = &g
			shown = &Gift{Expires: furniture(lang(r)).Date(g.ExpiresAt.In(n.Config.Timezone))}
		}
	}
	visit.Peek = r.Method == http.MethodHead
	d := n.Wall.Decide(visit, it)
	if d.Rule != wall.ByGift {
		shown = nil
	}
	return d, shown
}

// count writes down a read that a meter counts: in the visitor's cookie, or at
// the server for a reader; and that a gift was opened.
func (n *Newsroom) count(w http.ResponseWriter, r *http.Request, it wall.Item, d wall.Decision) error {
	v := visitorOf(r)
	switch {
	case r.Method == http.MethodHead:
		return nil
	case d.Count && v.reader != nil:
		return n.DB.InTx(r.Context(), func(tx *db.Tx) error {
			return n.WallStore.CountRead(r.Context(), tx, v.reader.Reader.ID, it.StoryID, n.Now())
		})
	case d.Count:
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

// storyPage fills the page of one edition as far as d lets it out.
func (n *Newsroom) storyPage(r *http.Request, t taxonomy, st story.Story, e story.Edition, topics []story.Topic, d wall.Decision) (*StoryPage, error) {
	ctx, q, f := r.Context(), n.DB.Read(), furniture(e.Lang)
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
	sent, withheld := d.Cut(e.Body, n.limit())
	if p.Body, err = n.body(ctx, e.Lang, sent); err != nil {
		return nil, err
	}
	if withheld {
		if p.Wall, err = n.wallPanel(r, e, d, sent); err != nil {
			return nil, err
		}
	} else if d.Verdict == wall.Metered && d.Limit > 0 && d.Rule != wall.ByCrawler {
		p.Meter = &Meter{Used: min(d.Used, d.Limit), Limit: d.Limit, Days: d.Days, Next: e.Path}
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
		p.Corrections = append(p.Corrections, Correction{Date: f.Date(c.At.In(n.Config.Timezone)), Text: template.HTML("<p>" + template.HTMLEscapeString(c.Text) + "</p>")})
	}
	for _, tp := range topics {
		if !tp.Internal {
			p.Topics = append(p.Topics, TopicLink{Name: tp.Names.In(e.Lang, n.Config.Language), Kind: TopicKindWords(f, string(tp.Kind)), URL: n.at(e.Lang, "/topic/"+tp.Slug+"/")})
		}
	}
	if p.NextForYou, err = n.next(r, t, st, e); err != nil {
		return nil, err
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
