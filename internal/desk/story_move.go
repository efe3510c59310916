package desk

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/draft"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/plan"
	"masthead/internal/staff"
	"masthead/internal/story"
)

// MoveForm is one move that somebody may make with an edition.
type MoveForm struct {
	Name     string // "publish"
	Label    string
	URL      string
	Note     string // label of the note that it needs; "" for none
	Text     string // of the note, as typed
	Time     bool   // it needs a time
	At       string // as typed
	Twice    bool   // that time comes twice: which is meant?
	Correct  bool   // it asks what changed
	Changed  string // as typed
	Ahead    bool   // it may take the working copy's newest words
	Overrule bool   // warnings are to be overruled
	Reason   string // as typed
	Barred   string // why it cannot be made now; of a correction, why it cannot take the words
	Open     bool   // its form was sent and not taken
}

// Asks reports whether the move is more than a button.
func (m MoveForm) Asks() bool { return m.Note != "" || m.Time || m.Overrule || m.Barred != "" }

// CheckLine is one thing that is wrong with an edition.
type CheckLine struct {
	Text  string
	About string
	Time  language.Moment
	Must  bool
}

// HistoryLine is one move that was made.
type HistoryLine struct {
	What      string
	When      language.Moment
	Who       string
	Note      string
	Time      language.Moment // for which it was scheduled
	Overruled string
}

// moveRoutes has a route for each move of the workflow, with its act, and for
// what else the room's forms do.
func (d *Desk) moveRoutes() []Route {
	const at = "/desk/stories/{edition}"
	var routes []Route
	for _, m := range plan.Moves() {
		if m.Act != "" && m.Name != plan.Assign { // a pitch is assigned by giving it to somebody
			routes = append(routes, Route{Pattern: "POST " + at + "/" + m.Name, Act: m.Act, On: OnEdition, handle: d.move(m)})
		}
	}
	return append(routes,
		Route{Pattern: "POST " + at + "/assignments", Act: staff.AssignStory, On: OnEdition, handle: d.assign},
		Route{Pattern: "POST " + at + "/assignments/{assignment}/done", Act: staff.SubmitStory, On: OnEdition, handle: d.assignmentDone},
		Route{Pattern: "POST " + at + "/assignments/{assignment}/remove", Act: staff.AssignStory, On: OnEdition, handle: d.assignmentRemove},
		Route{Pattern: "POST " + at + "/embargo", Act: staff.PublishStory, On: OnEdition, handle: d.embargo},
		Route{Pattern: "POST " + at + "/day", Act: staff.AssignStory, On: OnEdition, handle: d.planDay},
		Route{Pattern: "POST " + at + "/legal", Act: staff.ApproveStory, On: OnEdition, handle: d.legal},
		Route{Pattern: "POST " + at + "/links", Act: staff.WriteStory, On: OnEdition, handle: d.askLinks},
	)
}

// room gives the address of an edition's room.
func room(editionID string) string { return "/desk/stories/" + editionID }

// move serves the form of one move.
func (d *Desk) move(m plan.Move) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := form(w, r); err != nil {
			return err
		}
		o := plan.Order{EditionID: d.edition(r).ID, Move: m.Name, By: person(r), Note: r.PostForm.Get("note"), Changed: r.PostForm.Get("changed"),
			Words: r.PostForm.Get("words") != "", Reason: r.PostForm.Get("reason"), MayOverrule: d.may(r, staff.Overrule)}
		var err error
		if m.Time {
			o.At, err = plan.Moment(r.PostForm.Get("at"), d.Config.Timezone, plan.Turn(r.PostForm.Get("turn")))
		}
		if err == nil {
			err = d.change(r, "", func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
				done, err := d.Plans.Do(ctx, tx, o)
				detail["move"] = m.Name
				if o.Note != "" {
					detail["note"] = strings.TrimSpace(o.Note)
				}
				if m.Name == plan.Schedule {
					detail["at"] = o.At.UTC().Format(time.RFC3339)
				}
				if len(done.Overruled) > 0 {
					detail["overruled"] = o.Reason
				}
				return err
			})
		}
		if err != nil {
			return d.refused(w, r, err, m.Name)
		}
		return done(w, r, room(o.EditionID), "story_moved")
	}
}

// refused shows the room with why a form was not taken; other faults stay what they are.
func (d *Desk) refused(w http.ResponseWriter, r *http.Request, err error, move string) error {
	b := d.base(r, "")
	status, why := http.StatusBadRequest, ""
	if refusal, ok := errors.AsType[*plan.Refused](err); ok {
		status, why = http.StatusConflict, b.T("desk.story_room.warned")
		if refusal.Musts() {
			why = b.T("desk.story_room.must")
		}
	} else if gap, ok := errors.AsType[*plan.NoSuchTime](err); ok {
		why = b.T("desk.story_room.no_such_time", clock(gap.Before), clock(gap.After))
	} else if two, ok := errors.AsType[*plan.TwoTimes](err); ok {
		why = b.T("desk.story_room.two_times", clock(two.First))
	} else if fault.Is(err, fault.Conflict) {
		status, why = http.StatusConflict, b.T("desk.story_room.moved_on")
	} else if fault.Is(err, fault.Invalid) {
		why = b.T("desk.story_room.incomplete")
	} else {
		return err
	}
	return d.storyRoom(w, r, status, why, move)
}

func clock(at time.Time) string { return at.Format("15:04") }

// workflow fills in where an edition stands: its moves, checks and history, who
// works on it and what is planned. refused names a move whose form comes back.
func (d *Desk) workflow(r *http.Request, p *StoryPage, st story.Story, e story.Edition, refused string) error {
	ctx, q := r.Context(), d.DB.Read()
	written, ahead, err := d.written(ctx, q, e)
	if err != nil {
		return err
	}
	p.Ahead, p.Writes = ahead && (e.Status == story.Published || e.Status == story.Scheduled), d.may(r, staff.WriteStory)
	checks, err := d.Plans.Checks(ctx, q, st, written, d.Now())
	if err != nil {
		return err
	}
	for _, c := range checks {
		key := "desk.check." + string(c.Kind)
		p.Checks = append(p.Checks, CheckLine{Text: p.T(key), About: c.About, Must: c.Must, Time: d.moment(p.Base, c.Time)})
	}
	for _, m := range plan.Moves() {
		if m.Act == "" || m.Name == plan.Assign || !m.Can(e) || !d.may(r, m.Act) {
			continue
		}
		p.Moves = append(p.Moves, d.moveForm(r, p.Base, m, checks, p.Ahead, refused))
	}
	history, err := d.Plans.History(ctx, q, e.ID)
	if err != nil {
		return err
	}
	for _, h := range history {
		key := "desk.moved." + h.Name
		line := HistoryLine{What: p.T(key), When: d.moment(p.Base, h.At), Who: h.Who, Note: h.Note, Overruled: h.Overruled}
		if line.Who == "" {
			line.Who = p.T("desk.story_room.program")
		}
		switch h.Name {
		case plan.Schedule:
			if at, err := time.Parse(time.RFC3339, h.Note); err == nil {
				line.Note, line.Time = "", d.moment(p.Base, at)
			}
		case plan.Hold:
			line.Note = d.checkWords(p.Base, h.Note)
		}
		p.History = append(p.History, line)
	}
	if err := d.planForms(r, p, st, e); err != nil {
		return err
	}
	for _, l := range d.Config.Languages {
		taken := false
		for _, other := range p.Editions {
			taken = taken || other.Lang == l
		}
		if !taken {
			p.Languages = append(p.Languages, Choice{Name: language.OwnName(l), Value: l, Lang: l, Dir: language.Dir(l)})
		}
	}
	return nil
}

// checkWords says in words which checks held an edition back.
func (d *Desk) checkWords(b Base, kinds string) string {
	var words []string
	for _, kind := range strings.Split(kinds, ", ") {
		key := "desk.check." + kind
		words = append(words, b.T(key))
	}
	return strings.Join(words, " ")
}

func (d *Desk) moveForm(r *http.Request, b Base, m plan.Move, checks []plan.Check, ahead bool, refused string) MoveForm {
	key := "desk.move." + m.Name
	f := MoveForm{Name: m.Name, Label: b.T(key), URL: room(d.edition(r).ID) + "/" + m.Name, Time: m.Time, Correct: m.Name == plan.Correct}
	if m.Note {
		note := "desk.move_note." + m.Name
		f.Note = b.T(note)
	}
	f.Ahead = f.Correct && ahead
	if m.Checked || f.Ahead { // the words of a correction are checked as any others
		for _, c := range checks {
			switch {
			case c.Must && (c.Kind != plan.Embargoed || !m.Time): // a schedule may be for after the embargo
				f.Barred = b.T("desk.story_room.must")
			case !c.Must && d.may(r, staff.Overrule):
				f.Overrule = true
			case !c.Must:
				f.Barred = b.T("desk.story_room.no_overrule")
			}
		}
	}
	if f.Correct && f.Barred != "" {
		f.Ahead, f.Overrule = false, false // what is wrong is told all the same
	}
	if m.Name == refused {
		f.Open, f.Text, f.At, f.Changed, f.Reason = true, r.PostForm.Get("note"), r.PostForm.Get("at"), r.PostForm.Get("changed"), r.PostForm.Get("reason")
		_, err := plan.Moment(f.At, d.Config.Timezone, "")
		_, f.Twice = errors.AsType[*plan.TwoTimes](err)
	}
	return f
}

// written gives an edition with the words of its working copy, and whether they
// are others than its own.
func (d *Desk) written(ctx context.Context, q db.Queryer, e story.Edition) (story.Edition, bool, error) {
	w, err := d.Drafts.Load(ctx, q, e.ID)
	if fault.Is(err, fault.NotFound) {
		return e, false, nil
	}
	if err != nil {
		return e, false, err
	}
	e.Kicker, e.Headline, e.Summary, e.Body = w.Fields[draft.Kicker].Value, w.Fields[draft.Headline].Value, w.Fields[draft.Summary].Value, doc.Settle(w.Doc)
	return e, w.Unkept || w.Base < w.Revision, nil
}

// askLinks serves "…/links": the addresses an edition points to are asked anew.
func (d *Desk) askLinks(w http.ResponseWriter, r *http.Request) error {
	id := d.edition(r).ID
	err := d.change(r, "", func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		detail["links"] = "asked"
		return d.Plans.AskLinks(ctx, tx, id)
	})
	if err != nil {
		return err
	}
	return done(w, r, room(id)+"#checks", "story_links")
}
