package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/staff"
	"masthead/internal/story"
	"masthead/internal/wall"
)

// Card is what a list tells of an edition: everything but its words.
type Card struct {
	ID             string    `json:"id" doc:"The edition's ID"`
	Story          string    `json:"story" doc:"The story's ID, which its editions share"`
	Kind           string    `json:"kind" enum:"story,page"`
	Status         string    `json:"status" enum:"published,pitch,assigned,draft,review,approved,scheduled,withdrawn"`
	Lang           string    `json:"lang" doc:"BCP 47"`
	URL            string    `json:"url,omitempty" format:"uri" doc:"Absent before it has one"`
	Kicker         string    `json:"kicker,omitempty"`
	Headline       string    `json:"headline"`
	Summary        string    `json:"summary,omitempty"`
	Section        *Ref      `json:"section,omitempty"`
	Bylines        []Byline  `json:"bylines" nullable:"false"`
	Words          int       `json:"words"`
	ReadingMinutes int       `json:"reading_minutes"`
	Published      time.Time `json:"published,omitzero" doc:"Or the time it is scheduled for"`
	Updated        time.Time `json:"updated"`
	Access         Access    `json:"access"`
	Locked         bool      `json:"locked" doc:"The asker may read the preview alone"`
}

// Access is what the wall asks of this story's readers.
type Access struct {
	Verdict string `json:"verdict" enum:"open,meter,register,subscribe,closed" doc:"open: anybody reads it; meter: some stories are free on the site; register: readers with an account; subscribe: holders of a tier; closed: behind a password"`
	Tier    string `json:"tier,omitempty" doc:"With subscribe: the tier's name; any will do where it is absent"`
	Limit   int    `json:"limit,omitempty" doc:"With meter: so many stories are free"`
	Days    int    `json:"days,omitempty" doc:"With meter: in so many days"`
}

// Ref names a section or a topic.
type Ref struct {
	Slug string `json:"slug"`
	Name string `json:"name" doc:"In the edition's language, where it has one there"`
	URL  string `json:"url" format:"uri"`
}

// Byline is one name on an edition.
type Byline struct {
	Slug string `json:"slug"`
	Name string `json:"name"`
	URL  string `json:"url" format:"uri"`
	Role string `json:"role" enum:"author,translator,photographer,contributor"`
}

// Edition is one language of a story, whole.
type Edition struct {
	Card
	Topics      []Ref        `json:"topics" nullable:"false"`
	Editions    []Language   `json:"editions" nullable:"false" doc:"Every language that the story is published in"`
	Lead        *Lead        `json:"lead,omitempty"`
	Corrections []Correction `json:"corrections" nullable:"false"`
	Revision    int64        `json:"revision"`
	Canonical   string       `json:"canonical,omitempty" format:"uri" doc:"Where the story first stood, if elsewhere"`
	Body        Body         `json:"body"`
}

// Language is an edition named by its language.
type Language struct {
	ID   string `json:"id"`
	Lang string `json:"lang"`
	URL  string `json:"url" format:"uri"`
}

// Lead is the lead picture.
type Lead struct {
	URL     string `json:"url" format:"uri"`
	Width   int    `json:"width"`
	Height  int    `json:"height"`
	Alt     string `json:"alt,omitempty"`
	Caption string `json:"caption,omitempty"`
	Credit  string `json:"credit,omitempty"`
	Licence string `json:"licence,omitempty"`
}

// Correction is what was wrong and is right now.
type Correction struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// Body is the text of an edition in three forms.
type Body struct {
	HTML string `json:"html" doc:"With absolute addresses"`
	Text string `json:"text"`
	Doc  any    `json:"doc" doc:"The document as the newsroom keeps it, in the form of ProseMirror"`
}

type listInput struct {
	Paging
	Lang    string `query:"lang" maxLength:"35" doc:"Editions in this language alone; BCP 47" example:"en"`
	Section string `query:"section" maxLength:"200" doc:"Stories of the section with this slug, and of its parts"`
	Topic   string `query:"topic" maxLength:"200" doc:"Stories under the topic with this slug"`
	Author  string `query:"author" maxLength:"200" doc:"Stories with this author in the byline, by slug"`
	Status  string `query:"status" enum:"published,pitch,assigned,draft,review,approved,scheduled,withdrawn,any" default:"published" doc:"Editions of this status; all but published take the scope stories:drafts"`
}

type listOutput struct {
	Link string `header:"Link" doc:"The next page, as rel=next"`
	Body struct {
		Stories []Card `json:"stories" nullable:"false"`
		Next    string `json:"next,omitempty" doc:"The cursor of the next page; absent on the last"`
	}
}

func (n *Newsroom) storyOperations(h huma.API) {
	register(n, h, operation{id: "list-stories", method: "GET", path: "/api/v1/stories", summary: "The newest stories, one card for each language edition",
		about: "Pages of cards, the newest first. Follow next, or the Link header, to the end.", faults: []int{400, 403, 404}}, n.list)
	register(n, h, operation{id: "get-story", method: "GET", path: "/api/v1/stories/{story}", summary: "One edition of a story, whole",
		about:  "The whole text, where the asker may read it. Where not, the answer is 402 or 403, with the preview and with what would open the rest.",
		faults: []int{400, 402, 403, 404, 410}}, n.story)
	register(n, h, operation{id: "create-story", method: "POST", path: "/api/v1/stories", summary: "Begin a story, with its first edition",
		about: "It is a draft, which no reader sees.", scope: staff.StoriesWrite, act: staff.StartStory, status: 201}, n.createStory)
	register(n, h, operation{id: "get-story-record", method: "GET", path: "/api/v1/stories/{story}/record", summary: "What is kept of a story beside its words",
		about: "The story's facts as the newsroom keeps them, and every edition of it with its status.", scope: staff.StoriesDrafts, act: staff.ReadDesk, faults: []int{400, 404}}, n.storyRecord)
	register(n, h, operation{id: "change-story", method: "PATCH", path: "/api/v1/stories/{story}", summary: "Change what a story's editions share",
		about: "What is absent stays. A story that readers can see takes the scope stories:publish besides. If-Match takes the ETag of the record.",
		scope: staff.StoriesWrite, act: staff.WriteStory, faults: []int{404, 412}}, n.changeStory)
	register(n, h, operation{id: "delete-story", method: "DELETE", path: "/api/v1/stories/{story}", summary: "Delete a draft",
		about: "For stories that no reader has seen. Others are withdrawn.", scope: staff.StoriesWrite, act: staff.WriteStory, faults: []int{404, 409}}, n.deleteStory)
}

// list serves a page of cards.
func (n *Newsroom) list(ctx context.Context, in *listInput) (*listOutput, error) {
	q := n.DB.Read()
	query := story.Query{Limit: in.Limit + 1}
	if in.Status != "published" {
		if err := n.admit(ctx, operation{scope: staff.StoriesDrafts, act: staff.ReadDesk}); err != nil {
			return nil, err
		}
		query.AnyStatus, query.AnyKind = true, true
		if in.Status != "any" {
			query.Status = story.Status(in.Status)
		}
	}
	var err error
	if in.Lang != "" {
		if query.Lang, err = normalise(in.Lang); err != nil {
			return nil, err
		}
	}
	if query.Before, err = parseCursor(in.Cursor); err != nil {
		return nil, err
	}
	sections, err := n.Stories.Sections(ctx, q)
	if err != nil {
		return nil, err
	}
	if in.Section != "" {
		s, ok := sections.BySlug(in.Section)
		if !ok {
			return nil, fault.New(fault.NotFound, "no such section", "slug", in.Section).WithHint("see /api/v1/sections")
		}
		query.SectionIDs = sections.Within(s.ID)
	}
	if in.Topic != "" {
		t, err := n.topicBySlug(ctx, q, in.Topic)
		if err != nil {
			return nil, err
		}
		query.TopicID = t.ID
	}
	if in.Author != "" {
		a, err := n.Stories.WriterBySlug(ctx, q, in.Author)
		if err != nil {
			return nil, err
		}
		query.AuthorID = a.ID
	}
	cards, err := n.Stories.Cards(ctx, q, query)
	if err != nil {
		return nil, err
	}
	out := &listOutput{}
	if len(cards) > in.Limit {
		cards = cards[:in.Limit]
		out.Body.Next = formatCursor(cards[in.Limit-1].After())
		out.Link = n.link("/api/v1/stories", url.Values{"limit": {strconv.Itoa(in.Limit)}, "lang": {in.Lang}, "section": {in.Section}, "topic": {in.Topic},
			"author": {in.Author}, "status": {in.Status}}, out.Body.Next)
	}
	topics, err := n.Stories.TopicSlugs(ctx, q, cards)
	if err != nil {
		return nil, err
	}
	out.Body.Stories = make([]Card, len(cards))
	for i, c := range cards {
		d := n.decide(ctx, wall.ItemOfCard(c, sections, topics[c.StoryID]))
		out.Body.Stories[i] = n.card(c, sections, c.Authors, d)
	}
	return out, nil
}

// decide asks the wall without counting anything. A token that reads
// everything counts as the newsroom's own staff.
func (n *Newsroom) decide(ctx context.Context, it wall.Item) wall.Decision {
	visit := wall.Visit{Now: n.Now(), Peek: true}
	if full(ctx) {
		visit.Reader.State = wall.Staff
	}
	return n.Wall.Decide(visit, it)
}

func (n *Newsroom) card(c story.Card, sections story.Sections, names []story.Name, d wall.Decision) Card {
	card := Card{
		ID: c.EditionID, Story: c.StoryID, Kind: string(c.Kind), Status: string(c.Status), Lang: c.Lang,
		Kicker: c.Kicker, Headline: c.Headline, Summary: c.Summary, Bylines: []Byline{},
		Words: c.Words, ReadingMinutes: language.Get(c.Lang).ReadingMinutes(c.Words),
		Published: c.PublishedAt, Updated: c.UpdatedAt,
		Access: Access{Verdict: d.Verdict.String(), Tier: d.Tier, Limit: d.Limit, Days: d.Days}, Locked: !d.Full,
	}
	if c.Path != "" {
		card.URL = n.absolute(c.Path)
	}
	if s, ok := sections.ByID(c.SectionID); ok {
		card.Section = &Ref{Slug: s.Slug, Name: s.Names.In(c.Lang, n.Config.Language), URL: n.at(c.Lang, "/"+s.Slug+"/")}
	}
	for _, a := range names {
		card.Bylines = append(card.Bylines, Byline{Slug: a.Slug, Name: a.Names.In(c.Lang, n.Config.Language),
			URL: n.at(c.Lang, "/author/"+a.Slug+"/"), Role: string(a.Role)})
	}
	return card
}

type storyInput struct {
	Story string `path:"story" maxLength:"250" doc:"The story's ID, an edition's ID, or a slug"`
	Lang  string `query:"lang" maxLength:"35" doc:"The edition in this language; else the one named, or the original" example:"en"`
}

type storyOutput struct{ Body Edition }

// story serves one edition, or says with its preview what would open it.
func (n *Newsroom) story(ctx context.Context, in *storyInput) (*storyOutput, error) {
	q := n.DB.Read()
	st, c, published, err := n.find(ctx, in)
	if err != nil {
		return nil, err
	}
	e, err := n.Stories.EditionByID(ctx, q, c.EditionID)
	if err != nil {
		return nil, err
	}
	sections, err := n.Stories.Sections(ctx, q)
	if err != nil {
		return nil, err
	}
	topics := []story.Topic{}
	if len(st.Topics) > 0 { // nil asks for every topic there is
		if topics, err = n.Stories.Topics(ctx, q, st.Topics); err != nil {
			return nil, err
		}
	}
	slugs := make([]string, len(topics))
	for i, t := range topics {
		slugs[i] = t.Slug
	}
	names, err := n.Stories.Bylines(ctx, q, st.ID, e.Lang)
	if err != nil {
		return nil, err
	}
	d := n.decide(ctx, wall.ItemOf(st, e, sections, slugs))
	card := n.card(c, sections, names, d)
	sent, withheld := d.Cut(e.Body, doc.Limit{Paragraphs: n.Config.PreviewParagraphs, Words: n.Config.PreviewWords})
	html, err := n.html(ctx, e.Lang, sent, true)
	if err != nil {
		return nil, err
	}
	if withheld {
		return nil, n.withheld(card, c, d, html)
	}
	out := &storyOutput{Edition{Card: card, Topics: []Ref{}, Corrections: []Correction{}, Revision: e.Revision, Canonical: e.CanonicalURL,
		Body: Body{HTML: html, Text: sent.PlainText(), Doc: json.RawMessage(sent.JSON())}}}
	for _, t := range topics {
		if !t.Internal {
			out.Body.Topics = append(out.Body.Topics, Ref{Slug: t.Slug, Name: t.Names.In(e.Lang, n.Config.Language), URL: n.at(e.Lang, "/topic/"+t.Slug+"/")})
		}
	}
	for _, other := range published {
		out.Body.Editions = append(out.Body.Editions, Language{ID: other.EditionID, Lang: other.Lang, URL: n.absolute(other.Path)})
	}
	corrections, err := n.Stories.Corrections(ctx, q, st.ID, e.Lang)
	if err != nil {
		return nil, err
	}
	for _, c := range corrections {
		out.Body.Corrections = append(out.Body.Corrections, Correction{At: c.At, Text: c.Text})
	}
	out.Body.Lead, err = n.lead(ctx, st, e)
	return out, err
}

// find gives the story and the edition that are asked for, and every published
// edition of it, the original first. What is not published is NotFound like
// what is not there; what was withdrawn is Gone.
func (n *Newsroom) find(ctx context.Context, in *storyInput) (st story.Story, choice story.Card, published []story.Card, err error) {
	q := n.DB.Read()
	none := fault.New(fault.NotFound, "no such story", "story", in.Story).WithHint("name it by its slug or its ID; see /api/v1/stories")
	lang := ""
	if in.Lang != "" {
		if lang, err = normalise(in.Lang); err != nil {
			return st, choice, nil, err
		}
	}
	named, err := n.Stories.Find(ctx, q, in.Story)
	if fault.Is(err, fault.NotFound) {
		err = none
	}
	if err != nil {
		return st, choice, nil, err
	}
	if st, err = n.Stories.ByID(ctx, q, named.StoryID); err != nil {
		return st, choice, nil, err
	}
	all, err := n.Stories.Editions(ctx, q, st.ID)
	if err != nil {
		return st, choice, nil, err
	}
	var langs []string
	found, gone := false, false
	for _, c := range all {
		wanted := c.EditionID == named.ID
		if lang != "" {
			wanted = c.Lang == lang
		}
		gone = gone || wanted && c.Status == story.Withdrawn
		if c.Status != story.Published {
			continue
		}
		published, langs = append(published, c), append(langs, c.Lang)
		if wanted {
			choice, found = c, true
		}
	}
	switch {
	case found:
		return st, choice, published, nil
	case gone:
		err = fault.New(fault.Gone, "this edition has been withdrawn")
	case len(published) == 0:
		err = none
	case lang != "":
		err = fault.New(fault.NotFound, "the story has no edition in this language").WithHint("it has: %s", strings.Join(langs, ", "))
	default:
		choice = published[0]
	}
	return st, choice, published, err
}

// withheld is the problem of a story that the asker may not read whole.
func (n *Newsroom) withheld(card Card, c story.Card, d wall.Decision, preview string) *Problem {
	w := &Withheld{Card: card, Preview: preview}
	if d.Verdict == wall.Closed {
		w.Preview = "" // not even an empty paragraph
	}
	register := n.at(c.Lang, "/register") + "?next=" + url.QueryEscape(c.Path)
	kind, p := fault.Forbidden, &Problem{}
	switch d.Verdict {
	case wall.Subscribe:
		kind, p.Type, p.Detail = fault.PaymentRequired, "tier-needed", "a subscription opens this story"
		w.Opens = append(w.Opens, Opening{By: "tier", Tier: d.Tier, URL: register})
	case wall.Closed:
		p.Type, p.Detail = "password-needed", "the story is behind a password"
	default:
		p.Type, p.Detail = "registration-needed", "registered readers may read this story"
		if d.Verdict == wall.Metered {
			w.Opens = append(w.Opens, Opening{By: "meter", URL: card.URL})
		}
		w.Opens = append(w.Opens, Opening{By: "register", URL: register})
	}
	w.Opens = append(w.Opens, Opening{By: "token", Scope: "stories:full"})
	p.Type = n.absolute("/api/") + "#" + p.Type
	p.Status, p.Title = kind.Status(), "The story is withheld"
	p.Story = w
	return p
}

// at gives the whole address of a page in a language.
func (n *Newsroom) at(lang, path string) string {
	if lang != n.Config.Language {
		path = "/" + lang + path
	}
	return n.absolute(path)
}

func (n *Newsroom) absolute(path string) string {
	return n.Config.URL.String() + (&url.URL{Path: path}).EscapedPath()
}

func formatCursor(c story.Cursor) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(db.Micros(c.PublishedAt), 36) + "." + c.EditionID))
}

func parseCursor(text string) (story.Cursor, error) {
	if text == "" {
		return story.Cursor{}, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	at, id, ok := strings.Cut(string(raw), ".")
	micros, timeErr := strconv.ParseInt(at, 36, 64)
	if err != nil || timeErr != nil || !ok || id == "" || !isPlain(id) {
		return story.Cursor{}, badCursor()
	}
	return story.Cursor{PublishedAt: db.Time(micros), EditionID: id}, nil
}

// isPlain keeps what PostgreSQL refuses as text out of a query.
func isPlain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < 0x21 || r > 0x7e })
}
