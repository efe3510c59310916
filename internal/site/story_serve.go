package site

import (
	"context"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/story"
	"masthead/internal/wall"
	"masthead/internal/web"
)

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
	t, err := n.taxonomy(ctx)
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

// body renders what is sent of a story's words.
func (n *Newsroom) body(ctx context.Context, lang string, sent *doc.Node) (template.HTML, error) {
	return n.renderBody(ctx, lang, sent, doc.RenderOptions{ParagraphIDs: true})
}

func (n *Newsroom) renderBody(ctx context.Context, lang string, sent *doc.Node, o doc.RenderOptions) (template.HTML, error) {
	q, f := n.DB.Read(), furniture(lang)
	found, err := n.Media.ByIDs(ctx, q, sent.Media()...)
	if err != nil {
		return "", err
	}
	linked := map[string]doc.Linked{}
	var ids []string
	sent.Walk(func(node *doc.Node) bool {
		if id, _ := node.Attrs["story"].(string); node.Type == "also_read" && id != "" {
			ids = append(ids, id)
		}
		return true
	})
	if len(ids) > 0 {
		cards, err := n.Stories.Cards(ctx, q, story.Query{StoryIDs: ids})
		if err != nil {
			return "", err
		}
		for _, c := range cards { // in the page's language, or whichever there is
			if _, ok := linked[c.StoryID]; !ok || c.Lang == lang {
				linked[c.StoryID] = doc.Linked{URL: c.Path, Headline: c.Headline, Kicker: c.Kicker}
			}
		}
	}
	o.Base = n.Config.URL.String()
	o.Labels = Labels(f)
	o.Picture = func(id string) (doc.Picture, bool) {
		m, ok := found[id]
		if !ok {
			return doc.Picture{}, false
		}
		w, h := m.Size(min(960, m.Width))
		return doc.Picture{Src: m.Path(960), Srcset: m.Srcset(), Sizes: "(min-width: 720px) 680px, 100vw", Width: w, Height: h,
			Alt: m.Alt(lang, n.Config.Language), Credit: m.Credit}, true
	}
	o.File = func(id string) (doc.File, bool) {
		m, ok := found[id]
		return doc.File{URL: m.Original(), Type: m.MIME, Name: m.Name, Bytes: m.Bytes}, ok
	}
	o.Story = func(id string) (doc.Linked, bool) { l, ok := linked[id]; return l, ok }
	return template.HTML(sent.HTML(o)), nil
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

func (n *Newsroom) authorBox(ctx context.Context, lang string, a story.Writer) (AuthorBox, error) {
	box := AuthorBox{
		Name:      a.Names.In(lang, n.Config.Language),
		URL:       n.at(lang, "/author/"+a.Slug+"/"),
		Biography: a.Biographies.In(lang, n.Config.Language),
		Handle:    a.Handle,
		HandleURL: a.Website,
	}
	if box.HandleURL == "" {
		box.HandleURL = box.URL
	}
	if a.PortraitID == "" {
		return box, nil
	}
	m, err := n.Media.ByID(ctx, n.DB.Read(), a.PortraitID)
	if fault.Is(err, fault.NotFound) {
		return box, nil
	}
	box.Portrait = n.picture(m, lang, "", 320)
	box.Portrait.Alt = ""
	return box, err
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

// wallPanel is what stands where the free part ends.
func (n *Newsroom) wallPanel(r *http.Request, e story.Edition, d wall.Decision, sent *doc.Node) (*Wall, error) {
	v := visitorOf(r)
	benefits, err := n.benefits(r.Context(), e.Lang)
	if err != nil {
		return nil, err
	}
	// The reader returns to the first paragraph that he has not seen.
	paragraphs := 0
	for _, node := range sent.Content {
		if node.Type == "paragraph" {
			paragraphs++
		}
	}
	next := e.Path + "#p" + strconv.Itoa(paragraphs+1)
	p := &Wall{
		Limit: d.Limit, Days: d.Days, Tier: n.tierName(r.Context(), d.Tier, e.Lang), Benefits: benefits,
		Register: n.at(e.Lang, "/register"), SignIn: n.at(e.Lang, "/signin") + "?next=" + template.URLQueryEscaper(next), Next: next,
	}
	switch {
	case d.Verdict == wall.Closed:
		p.Reason = WallClosed
	case d.Verdict == wall.Subscribe && v.reader != nil:
		p.Reason = WallUpgrade
	case d.Verdict == wall.Subscribe:
		p.Reason = WallSubscribe
	case d.Verdict == wall.Metered && v.reader != nil:
		p.Reason = WallSpent
	case d.Verdict == wall.Metered:
		p.Reason = WallMeter
	case d.Archive:
		p.Reason = WallArchive
	default:
		p.Reason = WallRegister
	}
	if p.NeedsTier() || p.NoDoor() {
		p.Benefits = nil // they are what registering brings
	}
	return p, nil
}

func (n *Newsroom) benefits(ctx context.Context, lang string) ([]Benefit, error) {
	list, err := n.WallStore.Benefits(ctx, n.DB.Read())
	if err != nil {
		return nil, err
	}
	var shown []Benefit
	for _, b := range list {
		shown = append(shown, Benefit{Name: story.Texts(b.Texts).In(lang, n.Config.Language)})
	}
	return shown, nil
}

// tierName gives the name of a tier as readers know it.
func (n *Newsroom) tierName(ctx context.Context, slug, lang string) string {
	tiers, err := n.Readers.Tiers(ctx, n.DB.Read())
	if err == nil {
		for _, t := range tiers {
			if t.Slug == slug {
				return story.Texts(t.Names).In(lang, n.Config.Language)
			}
		}
	}
	if slug == "" || slug == wall.AnyTier {
		return n.Config.In(lang).Title
	}
	return slug
}

// giftForm lets a reader give the story away, as long as his quota lasts.
func (n *Newsroom) giftForm(r *http.Request, storyID string) (*GiftForm, error) {
	v := visitorOf(r)
	left, err := n.WallStore.GiftsLeft(r.Context(), n.DB.Read(), v.reader.Reader.ID)
	if err != nil {
		return nil, err
	}
	return &GiftForm{Action: n.at(lang(r), "/gift"), Story: storyID, Left: left}, nil
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

// pageLanguage is the direction and name of a language, for what stands on a page of another.
func pageLanguage(lang, page string) (code, dir string) {
	if lang == page {
		return "", ""
	}
	return lang, language.Dir(lang)
}
