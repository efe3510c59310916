package demo

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/draft"
	"masthead/internal/fault"
	"masthead/internal/plan"
	"masthead/internal/staff"
	"masthead/internal/story"
	"masthead/internal/wall"
)

// workbook is work.toml: who works at the newsroom, and on what.
type workbook struct {
	Staff []colleague `toml:"staff"`
	Lifts []lift      `toml:"lift"`
	Works []work      `toml:"work"`
}

type colleague struct {
	Email    string                `toml:"email"`
	Name     string                `toml:"name"`
	Role     staff.Role            `toml:"role"`
	Sections map[string]staff.Role `toml:"sections"` // by slug
}

// lift is one of the wall that is over.
type lift struct {
	Section string `toml:"section"`
	Reason  string `toml:"reason"`
	By      string `toml:"by"`
	From    when   `toml:"from"`
	Until   when   `toml:"until"`
}

// words are those of an edition, its text in Markdown.
type words struct {
	Kicker   string `toml:"kicker"`
	Headline string `toml:"headline"`
	Summary  string `toml:"summary"`
	Text     string `toml:"text"`
}

// work is a story that nobody reads yet: a pitch, and what was done with it since.
type work struct {
	words
	ID      string   `toml:"id"`
	Lang    string   `toml:"lang"`
	Section string   `toml:"section"`
	Topics  []string `toml:"topics"`
	Authors []string `toml:"authors"`
	Picture string   `toml:"picture"` // that of another story
	Began   when     `toml:"began"`
	By      string   `toml:"by"`
	Day     when     `toml:"day"` // it is planned for
	Legal   string   `toml:"legal"`
	Embargo when     `toml:"embargo"`
	Acts    []act    `toml:"act"`
}

// act is one thing that somebody did to a work: what is given says which.
type act struct {
	At   when   `toml:"at"`
	By   string `toml:"by"`
	Lang string `toml:"lang"` // of the edition; "" for the original

	words // a new edition, which says what the original says then

	Was string `toml:"was"` // words of the text, in the place of which
	Is  string `toml:"is"`  // these stand since

	Say     string `toml:"say"` // a comment, with "@" and the names of who is to see it
	On      string `toml:"on"`  // the passage that it is on; "" for a note on the story
	Thread  string `toml:"thread"`
	Resolve bool   `toml:"resolve"` // with it the thread is over

	Assign string    `toml:"assign"` // to whom
	Task   plan.Task `toml:"task"`

	Move string `toml:"move"`
	Note string `toml:"note"` // of a move or an assignment
	Due  when   `toml:"due"`  // of an assignment, or when a scheduled edition is published
}

// when is a time told from the day of the seeding, such as "-3 16:30"; the zero
// when is none.
type when struct {
	set          bool
	days         int
	hour, minute int
}

// UnmarshalText reads a when; its time may be left out.
func (w *when) UnmarshalText(text []byte) error {
	days, clock, timed := strings.Cut(string(text), " ")
	n, err := fmt.Sscanf(days, "%d", &w.days)
	if err == nil && timed {
		n, err = fmt.Sscanf(clock, "%d:%d", &w.hour, &w.minute)
	}
	if err != nil || n == 0 {
		return fmt.Errorf("%q is no time such as \"-3 16:30\"", text)
	}
	w.set = true
	return nil
}

// from gives the time, by the clock of now's zone.
func (w when) from(now time.Time) time.Time {
	if !w.set {
		return time.Time{}
	}
	return time.Date(now.Year(), now.Month(), now.Day()+w.days, w.hour, w.minute, 0, 0, now.Location())
}

func readWork() (b workbook, err error) {
	text, err := content.ReadFile("newsroom/work.toml")
	if err != nil {
		return b, err
	}
	meta, err := toml.Decode(string(text), &b)
	if err == nil && len(meta.Undecoded()) > 0 {
		err = fmt.Errorf("work.toml: unknown key %v", meta.Undecoded()[0])
	}
	return b, err
}

// office is the newsroom at work. Its stores have a clock of their own, which
// shows when each thing was done, and send nobody a letter.
type office struct {
	*seed
	today   time.Time // of the seeding, in the newsroom's zone
	clock   time.Time
	stories story.Store
	drafts  draft.Store
	plans   plan.Store
	people  map[string]staff.Person // by address
}

// work takes the staff on and has them do what the workbook says. A story that
// is there already is as its people have left it.
func (s *seed) work(ctx context.Context) error {
	book, err := readWork()
	if err != nil {
		return err
	}
	o := &office{seed: s, people: map[string]staff.Person{}}
	o.today = s.Stories.Now().In(s.Stories.Location)
	now := func() time.Time { return o.clock }
	o.stories = *s.Stories
	o.stories.Now = now
	o.drafts = draft.Store{Now: now, Stories: &o.stories}
	o.plans = plan.Store{Now: now, Stories: &o.stories, Staff: s.Staff, Media: s.Media, Lang: s.paper.Languages[0], Keep: o.drafts.Settle}
	if err := s.DB.InTx(ctx, func(tx *db.Tx) error { return o.open(ctx, tx, book) }); err != nil {
		return err
	}
	for _, w := range book.Works {
		if err := s.DB.InTx(ctx, func(tx *db.Tx) error { return o.story(ctx, tx, w) }); err != nil {
			return fmt.Errorf("%s: %w", w.ID, err)
		}
	}
	return nil
}

// open takes on who is not there, and writes down the lifts that were.
func (o *office) open(ctx context.Context, tx *db.Tx, book workbook) error {
	for _, c := range book.Staff {
		p, err := o.Staff.ByEmail(ctx, tx, c.Email)
		if fault.Is(err, fault.NotFound) {
			if p, err = o.Staff.Add(ctx, tx, staff.Person{Email: c.Email, Name: c.Name, Role: c.Role}); err != nil {
				return err
			}
			roles := map[string]staff.Role{}
			for slug, role := range c.Sections {
				roles[o.sections[slug]] = role
			}
			err = o.Staff.SetSections(ctx, tx, p.ID, roles)
		}
		if err != nil {
			return err
		}
		o.people[c.Email] = p
	}
	known, err := o.WallStore.Lifts(ctx, tx)
	if err != nil {
		return err
	}
	for _, l := range book.Lifts {
		if slices.ContainsFunc(known, func(k wall.Lift) bool { return k.Reason == l.Reason }) {
			continue
		}
		then := *o.WallStore
		then.Now = func() time.Time { return l.From.from(o.today) }
		if _, err := then.LiftFrom(ctx, tx, wall.Lift{Section: l.Section, Reason: l.Reason, Who: l.By, End: l.Until.from(o.today)}); err != nil {
			return err
		}
	}
	return nil
}

func (o *office) story(ctx context.Context, tx *db.Tx, w work) error {
	st := story.Story{SectionID: o.sections[w.Section], OriginalLang: w.Lang, CreatedBy: o.people[w.By].ID, Source: "demo:work:" + w.ID}
	if _, err := o.Stories.BySource(ctx, tx, st.Source); !fault.Is(err, fault.NotFound) {
		return err
	}
	for _, slug := range w.Topics {
		st.Topics = append(st.Topics, o.topics[slug])
	}
	for _, slug := range w.Authors {
		st.Bylines = append(st.Bylines, story.Byline{AuthorID: o.authors[slug], Role: story.Author})
	}
	if w.Picture != "" {
		m, err := o.Media.BySource(ctx, tx, "demo:picture:"+w.Picture)
		if err != nil {
			return err
		}
		st.LeadMediaID = m.ID
	}
	o.clock = w.Began.from(o.today)
	if err := o.stories.Save(ctx, tx, &st); err != nil {
		return err
	}
	original, err := o.edition(ctx, tx, story.Edition{StoryID: st.ID, Lang: w.Lang, Slug: w.ID, Status: story.Pitch}, w.words, w.By)
	if err != nil {
		return err
	}
	if w.Day.set {
		if err := o.plans.SetDay(ctx, tx, st.ID, plan.Day(w.Day.from(o.today))); err != nil {
			return err
		}
	}
	if w.Legal != "" {
		if err := o.plans.SetLegal(ctx, tx, st.ID, w.Legal, st.CreatedBy); err != nil {
			return err
		}
	}
	if w.Embargo.set {
		if err := o.plans.SetEmbargo(ctx, tx, original.ID, w.Embargo.from(o.today), w.By); err != nil {
			return err
		}
	}
	threads := map[string]string{} // IDs by their names in the workbook
	for i, a := range w.Acts {
		o.clock = a.At.from(o.today)
		if err := o.act(ctx, tx, original, a, threads); err != nil {
			return fmt.Errorf("act %d: %w", i+1, err)
		}
	}
	return nil
}

// edition begins one, and its draft.
func (o *office) edition(ctx context.Context, tx *db.Tx, e story.Edition, w words, by string) (story.Edition, error) {
	body, _, err := doc.FromMarkdown(w.Text)
	if err != nil {
		return e, err
	}
	e.Kicker, e.Headline, e.Summary, e.Body = w.Kicker, w.Headline, w.Summary, body
	if err := o.stories.SaveEdition(ctx, tx, &e, by); err != nil {
		return e, err
	}
	_, err = o.drafts.Open(ctx, tx, e.ID)
	return e, err
}

// act does one thing as the desk would.
func (o *office) act(ctx context.Context, tx *db.Tx, original story.Edition, a act, threads map[string]string) error {
	by, ok := o.people[a.By]
	if !ok {
		return fmt.Errorf("%s does not work here", a.By)
	}
	if a.Assign != "" {
		return o.plans.Assign(ctx, tx, &plan.Assignment{StoryID: original.StoryID, StaffID: o.people[a.Assign].ID, Task: a.Task, Lang: a.Lang,
			Note: a.Note, DueAt: a.Due.from(o.today)}, by)
	}
	if a.Headline != "" {
		first, err := o.stories.EditionByID(ctx, tx, original.ID)
		if err != nil {
			return err
		}
		e, err := o.edition(ctx, tx, story.Edition{StoryID: original.StoryID, Lang: a.Lang, Slug: original.Slug}, a.words, a.By)
		if err != nil {
			return err
		}
		return o.drafts.SetTranslated(ctx, tx, e.ID, first.Revision)
	}
	e, err := o.stories.EditionOf(ctx, tx, original.StoryID, cmp.Or(a.Lang, original.Lang))
	if err != nil {
		return err
	}
	switch {
	case a.Was != "":
		return o.rewrite(ctx, tx, e.ID, a, by)
	case a.Say != "":
		return o.say(ctx, tx, e.ID, a, by, threads)
	}
	_, err = o.plans.Do(ctx, tx, plan.Order{EditionID: e.ID, Move: a.Move, By: by, Note: a.Note, At: a.Due.from(o.today)})
	return err
}

// rewrite changes words of a draft, and keeps it.
func (o *office) rewrite(ctx context.Context, tx *db.Tx, editionID string, a act, by staff.Person) error {
	d, err := o.drafts.Load(ctx, tx, editionID)
	if err != nil {
		return err
	}
	text := d.Doc.Markdown()
	if strings.Count(text, a.Was) != 1 {
		return fmt.Errorf("the text does not say %q once", a.Was)
	}
	body, _, err := doc.FromMarkdown(strings.Replace(text, a.Was, a.Is, 1))
	if err != nil {
		return err
	}
	push := draft.Push{EditionID: editionID, Version: d.Version, Client: "demo", ID: db.NewID(), StaffID: by.ID, Steps: doc.Steps(d.Doc, body)}
	if _, err := o.drafts.Push(ctx, tx, push); err != nil {
		return err
	}
	_, err = o.drafts.Keep(ctx, tx, editionID, by.Email)
	return err
}

// say writes a comment: into a thread that there is, else as the first of one.
func (o *office) say(ctx context.Context, tx *db.Tx, editionID string, a act, by staff.Person, threads map[string]string) error {
	remark := draft.Remark{StaffID: by.ID, Text: a.Say}
	for _, p := range o.people {
		if strings.Contains(a.Say, "@"+p.Name) {
			remark.Mentions = append(remark.Mentions, p.ID)
		}
	}
	id, known := threads[a.Thread]
	if known {
		if _, err := o.drafts.Reply(ctx, tx, editionID, id, remark); err != nil {
			return err
		}
	} else {
		var on draft.Passage
		if a.On != "" {
			d, err := o.drafts.Load(ctx, tx, editionID)
			if err != nil {
				return err
			}
			if on, err = passage(d, a.On); err != nil {
				return err
			}
		}
		t, err := o.drafts.Begin(ctx, tx, editionID, on, remark)
		if err != nil {
			return err
		}
		if id = t.ID; a.Thread != "" {
			threads[a.Thread] = id
		}
	}
	if !a.Resolve {
		return nil
	}
	_, err := o.drafts.Resolve(ctx, tx, editionID, id, true, by.ID)
	return err
}

// passage finds the first place of words in a draft.
func passage(d draft.Draft, words string) (draft.Passage, error) {
	size := d.Doc.Size()
	for to := range size {
		if !strings.HasSuffix(d.Doc.TextBetween(0, to, 4*size), words) {
			continue
		}
		for from := to; from >= 0; from-- {
			if d.Doc.TextBetween(from, to, 4*size) == words {
				return draft.Passage{Version: d.Version, From: from, To: to}, nil
			}
		}
	}
	return draft.Passage{}, fmt.Errorf("the text does not say %q", words)
}
