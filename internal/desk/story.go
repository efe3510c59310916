package desk

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/staff"
	"masthead/internal/story"
	"masthead/internal/wall"
)

// StoryPage is the room of one edition. Template: desk/story.
type StoryPage struct {
	Base
	EditionHead
	Kicker, Headline, Summary string
	Withdrawn                 string // why it was taken back
	Public                    string // its page on the site; "" where it has none
	Facts                     []Fact
	Editions                  []EditionLink
	Revisions                 []Revision
	Corrections               []Correction
	Moves                     []MoveForm
	Checks                    []CheckLine
	Refusal                   string // why a form was not taken
	Ahead                     bool   // the working copy says what readers do not see yet
	History                   []HistoryLine
	Work                      []WorkLine
	Give                      *AssignForm // for who may assign it
	Plan                      *PlanForm   // for who may plan it
	Writes                    bool        // who asks may write it
	Languages                 []Choice    // that it does not stand in yet
	Email                     string      // of the reader whose reading is asked after
	Problem                   string      // there is none of that address
	Traces                    []Trace
}

// Fact is one thing about an edition.
type Fact struct {
	Name  string
	Value string
	Time  language.Moment // instead of Value
	Code  bool            // an address or the like, always left to right
}

// EditionLink leads to the room of another language.
type EditionLink struct {
	Name, Lang, Dir string
	URL             string
	StatusName      string
	Current         bool
}

// Revision is the edition's words as they stood once.
type Revision struct {
	Number   string
	Who      string
	When     language.Moment
	Words    string
	Headline string // where the next one changed it, or the newest
}

// Correction is what was wrong and is right now.
type Correction struct {
	Date language.Moment
	Text string
}

// Trace is why the wall decides as it does for one sort of reader.
type Trace struct {
	ID      string // within the page
	Who     string
	Reads   string // "reads the whole story"
	Full    bool
	Decides string // "decides": said of the step that does
	Steps   []wall.Step
}

func (d *Desk) storyRoutes() []Route {
	return slices.Concat([]Route{
		{Pattern: "GET /desk/{$}", Act: staff.ReadDesk, On: OnAny, handle: d.stories},
		{Pattern: "GET /desk/stories/{edition}", Act: staff.ReadDesk, On: OnEdition, handle: d.story},
	}, d.beginRoutes(), d.moveRoutes(), d.factRoutes(), d.leadRoutes())
}

// story serves "/desk/stories/{edition}".
func (d *Desk) story(w http.ResponseWriter, r *http.Request) error {
	return d.storyRoom(w, r, http.StatusOK, "", "")
}

// storyRoom answers with the room; refusal says why the form of a move was not taken.
func (d *Desk) storyRoom(w http.ResponseWriter, r *http.Request, status int, refusal, move string) error {
	ctx, q := r.Context(), d.DB.Read()
	e, st := d.edition(r), d.storyOf(r)
	sections, err := d.Stories.Sections(ctx, q)
	if err != nil {
		return err
	}
	topics := []story.Topic{}
	if len(st.Topics) > 0 { // nil asks for every topic there is
		if topics, err = d.Stories.Topics(ctx, q, st.Topics); err != nil {
			return err
		}
	}
	p := StoryPage{Base: d.base(r, ""), Kicker: e.Kicker, Headline: e.Headline, Summary: e.Summary, Withdrawn: e.WithdrawnReason}
	p.Title = titled(p.Base, e.Headline)
	if p.EditionHead, err = d.editionHead(r, p.Base, ""); err != nil {
		return err
	}
	if e.Status == story.Published {
		p.Public = (&url.URL{Path: e.Path}).EscapedPath()
	}
	if p.Facts, err = d.facts(ctx, p.Base, st, e, sections, topics); err != nil {
		return err
	}
	if err := d.history(ctx, &p, st, e); err != nil {
		return err
	}
	p.Refusal = refusal
	if err := d.workflow(r, &p, st, e, move); err != nil {
		return err
	}
	slugs := make([]string, len(topics))
	for i, t := range topics {
		slugs[i] = t.Slug
	}
	p.Email = strings.TrimSpace(r.URL.Query().Get("reader"))
	if err := d.traces(ctx, &p, wall.ItemOf(st, e, sections, slugs)); err != nil {
		return err
	}
	return d.send(w, r, status, "story", p)
}

// facts gives what stands round the words. What is empty is left out.
func (d *Desk) facts(ctx context.Context, b Base, st story.Story, e story.Edition, sections story.Sections, topics []story.Topic) ([]Fact, error) {
	names, err := d.Stories.Bylines(ctx, d.DB.Read(), st.ID, e.Lang)
	if err != nil {
		return nil, err
	}
	var within, under, by []string
	for _, s := range slices.Backward(sections.Path(st.SectionID)) {
		within = append(within, s.Names.In(b.Lang, d.Config.Language))
	}
	for _, t := range topics {
		under = append(under, t.Names.In(b.Lang, d.Config.Language))
	}
	for _, n := range names {
		name := n.Names.In(b.Lang, d.Config.Language)
		if n.Role != story.Author {
			name = b.T("role."+string(n.Role)) + " " + name
		}
		by = append(by, name)
	}
	list := func(names []string) string { return strings.Join(names, " · ") }
	facts := []Fact{
		{Name: b.T("desk.fact.section"), Value: list(within)},
		{Name: b.T("desk.fact.bylines"), Value: list(by)},
		{Name: b.T("desk.fact.topics"), Value: list(under)},
		{Name: b.T("desk.fact.access"), Value: accessName(b.Furniture, st.Access, st.PasswordHash != "")},
		{Name: b.T("desk.fact.words"), Value: b.Number(e.Words) + " · " + b.ReadingTime(e.Words)},
		{Name: b.T("desk.fact.published"), Time: d.moment(b, e.PublishedAt)},
		{Name: b.T("desk.fact.updated"), Time: d.moment(b, e.UpdatedAt)},
		{Name: b.T("desk.fact.address"), Value: e.Path, Code: true},
		{Name: b.T("desk.fact.source"), Value: st.Source, Code: true},
	}
	if e.Status == story.Scheduled {
		facts[5].Name = b.T("desk.fact.scheduled")
	}
	if e.EmbargoUntil.After(d.Now()) {
		facts = append(facts, Fact{Name: b.T("desk.plan.embargo"), Time: d.moment(b, e.EmbargoUntil)})
	}
	return slices.DeleteFunc(facts, func(f Fact) bool { return f.Value == "" && f.Time.IsZero() }), nil
}

func (d *Desk) moment(b Base, at time.Time) language.Moment {
	if at.IsZero() {
		return language.Moment{}
	}
	return b.DateTime(at.In(d.Config.Timezone))
}

// history fills in the other languages, the revisions and the corrections.
func (d *Desk) history(ctx context.Context, p *StoryPage, st story.Story, e story.Edition) error {
	q := d.DB.Read()
	editions, err := d.Stories.Editions(ctx, q, st.ID)
	if err != nil {
		return err
	}
	slices.SortFunc(editions, func(a, b story.Card) int {
		if n := boolCompare(b.Lang == st.OriginalLang, a.Lang == st.OriginalLang); n != 0 {
			return n
		}
		return strings.Compare(a.Lang, b.Lang)
	})
	for _, c := range editions {
		p.Editions = append(p.Editions, EditionLink{Name: language.OwnName(c.Lang), Lang: c.Lang, Dir: language.Dir(c.Lang),
			URL: room(c.EditionID), StatusName: p.T("desk.status." + string(c.Status)), Current: c.EditionID == e.ID})
	}
	revisions, err := d.Stories.Revisions(ctx, q, e.ID)
	if err != nil {
		return err
	}
	headline := ""
	for i, v := range revisions {
		row := Revision{Number: p.Number(int(v.Seq)), Who: v.Editor, When: d.moment(p.Base, v.CreatedAt), Words: p.Number(v.Body.Words())}
		if i == 0 || v.Headline != headline {
			row.Headline, headline = v.Headline, v.Headline
		}
		p.Revisions = append(p.Revisions, row)
	}
	corrections, err := d.Stories.Corrections(ctx, q, st.ID, e.Lang)
	if err != nil {
		return err
	}
	for _, c := range corrections {
		p.Corrections = append(p.Corrections, Correction{Date: p.Date(c.At.In(d.Config.Timezone)), Text: c.Whole()})
	}
	return nil
}

// traces asks the wall why: for an anonymous visitor who has read nothing yet,
// for a registered reader, and for the reader whose address is given. Nothing
// is counted by it.
func (d *Desk) traces(ctx context.Context, p *StoryPage, it wall.Item) error {
	p.Traces = append(p.Traces,
		trace(d.Wall, p.Base, "trace0", p.T("desk.wall.anonymous"), wall.Visit{Now: d.Now()}, it),
		trace(d.Wall, p.Base, "trace1", p.T("desk.wall.registered"), wall.Visit{Now: d.Now(), Reader: wall.Reader{State: wall.Registered}}, it))
	if p.Email == "" {
		return nil
	}
	if !printable(p.Email) {
		p.Problem = p.T("desk.wall.unknown")
		return nil
	}
	visit, who, err := d.readersVisit(ctx, p.Email, d.Now())
	if fault.Is(err, fault.NotFound) {
		p.Problem = p.T("desk.wall.unknown")
		return nil
	}
	if err != nil {
		return err
	}
	p.Traces = append(p.Traces, trace(d.Wall, p.Base, "trace2", who, visit, it))
	return nil
}

// readersVisit gives the visit of the reader with that address, and the address
// as it is kept. What was read is asked of the database when the wall asks for it.
func (d *Desk) readersVisit(ctx context.Context, email string, now time.Time) (v wall.Visit, who string, err error) {
	q := d.DB.Read()
	found, err := d.Readers.ByEmail(ctx, q, email)
	if err != nil {
		return v, "", err
	}
	held, err := d.Readers.Held(ctx, q, found.ID)
	if err != nil {
		return v, "", err
	}
	v = wall.Visit{Now: now, Reader: wall.Reader{ID: found.ID, State: wall.Registered},
		Counted: func(since time.Time) ([]wall.Read, error) { return d.WallStore.Reads(ctx, q, found.ID, since) }}
	for _, h := range held {
		v.Reader.Tiers = append(v.Reader.Tiers, h.Tier)
	}
	return v, found.Email, nil
}

func trace(asked *wall.Wall, b Base, id, who string, v wall.Visit, it wall.Item) Trace {
	decision := asked.Decide(v, it)
	t := Trace{ID: id, Who: who, Full: decision.Full, Decides: b.T("desk.wall.decides"), Steps: asked.Why(v, it)}
	for i, step := range t.Steps {
		if strings.HasPrefix(step.Reason, step.When) {
			t.Steps[i].When = "" // once is enough
		}
	}
	switch {
	case decision.Full:
		t.Reads = b.T("desk.wall.whole")
	case decision.Verdict == wall.Closed:
		t.Reads = b.T("desk.wall.nothing")
	default:
		t.Reads = b.T("desk.wall.preview")
	}
	return t
}
