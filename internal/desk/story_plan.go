package desk

import (
	"context"
	"net/http"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/plan"
	"masthead/internal/staff"
	"masthead/internal/story"
)

// WorkLine is somebody's work on a story.
type WorkLine struct {
	ID, URL   string // the address that its buttons lead to
	Who, Task string
	Language  string // of the edition, in itself; "" for the story as a whole
	Note      string
	Due       language.Moment
	Late      bool
	Done      language.Moment // zero while it is to be done
	Mine      bool
	MayDo     bool // who asks may say that it is done
	MayRemove bool
	Headline  string // in lists of several stories
	Room      string
	Lang, Dir string // of the headline
	Status    string
}

// AssignForm gives a story to somebody.
type AssignForm struct {
	People, Tasks, Languages []Choice
	Due, Note                string // as typed
}

// PlanForm is what is planned for a story.
type PlanForm struct {
	MayDay, MayLegal, MayEmbargo bool
	Day                          string // "2026-11-23"
	Legal                        string
	Embargo                      string // as a form has it, by the newsroom's clock
	Twice                        bool
	Zone                         string
}

// planForms fills in who works on a story, and what is planned.
func (d *Desk) planForms(r *http.Request, p *StoryPage, st story.Story, e story.Edition) error {
	ctx, q := r.Context(), d.DB.Read()
	people, err := d.Staff.List(ctx, q)
	if err != nil {
		return err
	}
	names := peopleNames(people)
	work, err := d.Plans.AssignmentsOf(ctx, q, st.ID)
	if err != nil {
		return err
	}
	for _, a := range work {
		line := d.workLine(r, p.Base, a, e.ID, names)
		line.MayDo, line.MayRemove = d.may(r, staff.SubmitStory), d.may(r, staff.AssignStory)
		p.Work = append(p.Work, line)
	}
	if d.may(r, staff.AssignStory) {
		p.Give = &AssignForm{Due: r.PostForm.Get("due"), Note: r.PostForm.Get("task_note")}
		for _, who := range people {
			if !who.Disabled() {
				p.Give.People = append(p.Give.People, Choice{Value: who.ID, Name: names[who.ID], Current: who.ID == r.PostForm.Get("staff")})
			}
		}
		for _, t := range plan.Tasks() {
			key := "desk.task." + string(t)
			p.Give.Tasks = append(p.Give.Tasks, Choice{Value: string(t), Name: p.T(key)})
		}
		for _, l := range p.Editions {
			p.Give.Languages = append(p.Give.Languages, Choice{Value: l.Lang, Name: l.Name, Lang: l.Lang, Dir: l.Dir, Current: l.Current})
		}
	}
	planned, err := d.Plans.PlanOf(ctx, q, st.ID)
	if err != nil {
		return err
	}
	f := PlanForm{MayDay: d.may(r, staff.AssignStory), MayLegal: d.may(r, staff.ApproveStory),
		MayEmbargo: d.may(r, staff.PublishStory) && e.Status != story.Published && e.Status != story.Withdrawn,
		Day:        plan.DayText(planned.Day), Legal: planned.Legal, Zone: d.Config.Timezone.String()}
	if !e.EmbargoUntil.IsZero() {
		f.Embargo = e.EmbargoUntil.In(d.Config.Timezone).Format(plan.WallForm)
	}
	if f.MayDay || f.MayLegal || f.MayEmbargo {
		p.Plan = &f
	}
	return nil
}

// peopleNames gives how each of the staff is called, by ID.
func peopleNames(people []staff.Person) map[string]string {
	names := make(map[string]string, len(people))
	for _, p := range people {
		names[p.ID] = nameOf(p)
	}
	return names
}

func (d *Desk) workLine(r *http.Request, b Base, a plan.Assignment, editionID string, names map[string]string) WorkLine {
	key := "desk.task." + string(a.Task)
	line := WorkLine{ID: a.ID, URL: room(editionID) + "/assignments/" + a.ID, Who: names[a.StaffID], Task: b.T(key), Note: a.Note,
		Due: d.moment(b, a.DueAt), Done: d.moment(b, a.DoneAt), Late: !a.DueAt.IsZero() && a.DueAt.Before(d.Now()) && a.DoneAt.IsZero(), Mine: a.StaffID == person(r).ID}
	if a.Lang != "" {
		line.Language = language.OwnName(a.Lang)
	}
	return line
}

// assign serves "…/assignments".
func (d *Desk) assign(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	a := plan.Assignment{StoryID: d.storyOf(r).ID, StaffID: legible(r.PostForm.Get("staff")), Task: plan.Task(r.PostForm.Get("task")), Note: strings.TrimSpace(r.PostForm.Get("task_note"))}
	if lang := r.PostForm.Get("lang"); lang != "" {
		if _, err := d.Stories.EditionOf(r.Context(), d.DB.Read(), a.StoryID, legible(lang)); err != nil {
			return d.refused(w, r, fault.New(fault.Invalid, "there is no such edition"), "")
		}
		a.Lang = lang
	}
	if due := r.PostForm.Get("due"); due != "" {
		var err error
		if a.DueAt, err = plan.Moment(due, d.Config.Timezone, plan.Second); err != nil {
			return d.refused(w, r, err, "")
		}
	}
	err := d.change(r, "", func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		detail["task"], detail["staff"] = string(a.Task), a.StaffID
		return d.Plans.Assign(ctx, tx, &a, person(r))
	})
	if fault.Is(err, fault.NotFound) {
		err = fault.New(fault.Invalid, "there is nobody like that")
	}
	if err != nil {
		return d.refused(w, r, err, "")
	}
	return done(w, r, room(d.edition(r).ID)+"#work", "story_assigned")
}

// assignmentDone serves "…/assignments/{assignment}/done": done, or not.
func (d *Desk) assignmentDone(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	is := r.PostForm.Get("done") != "0"
	err := d.change(r, "", func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		detail["assignment"] = "done"
		if !is {
			detail["assignment"] = "not done"
		}
		return d.Plans.SetDone(ctx, tx, d.storyOf(r).ID, legible(r.PathValue("assignment")), is)
	})
	if err != nil {
		return err
	}
	if r.PostForm.Get("back") == "work" {
		return done(w, r, "/desk/plan/work", "saved")
	}
	return done(w, r, room(d.edition(r).ID)+"#work", "saved")
}

// assignmentRemove serves "…/assignments/{assignment}/remove".
func (d *Desk) assignmentRemove(w http.ResponseWriter, r *http.Request) error {
	err := d.change(r, "", func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		a, err := d.Plans.AssignmentByID(ctx, tx, d.storyOf(r).ID, legible(r.PathValue("assignment")))
		if err != nil {
			return err
		}
		detail["removed"], detail["staff"] = string(a.Task), a.StaffID
		return d.Plans.Unassign(ctx, tx, a.StoryID, a.ID)
	})
	if err != nil {
		return err
	}
	return done(w, r, room(d.edition(r).ID)+"#work", "saved")
}

// embargo serves "…/embargo": until a time, or none.
func (d *Desk) embargo(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	var until time.Time
	if text := r.PostForm.Get("until"); text != "" {
		var err error
		// Of two times that the clock shows alike, an embargo means the later one.
		if until, err = plan.Moment(text, d.Config.Timezone, plan.Second); err != nil {
			return d.refused(w, r, err, "")
		}
	}
	err := d.change(r, "", func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		if detail["embargo"] = "none"; !until.IsZero() {
			detail["embargo"] = until.UTC().Format(time.RFC3339)
		}
		return d.Plans.SetEmbargo(ctx, tx, d.edition(r).ID, until, person(r).Email)
	})
	if err != nil {
		return d.refused(w, r, err, "")
	}
	return done(w, r, room(d.edition(r).ID)+"#plan", "saved")
}

// planDay serves "…/day".
func (d *Desk) planDay(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	day, err := plan.ParseDay(r.PostForm.Get("day"))
	if err == nil {
		err = d.change(r, "", func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
			detail["day"] = plan.DayText(day)
			return d.Plans.SetDay(ctx, tx, d.storyOf(r).ID, day)
		})
	}
	if err != nil {
		return d.refused(w, r, err, "")
	}
	return done(w, r, room(d.edition(r).ID)+"#plan", "saved")
}

// legal serves "…/legal": a flag with its note, or none.
func (d *Desk) legal(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	err := d.change(r, "", func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		detail["legal"] = strings.TrimSpace(r.PostForm.Get("legal"))
		return d.Plans.SetLegal(ctx, tx, d.storyOf(r).ID, detail["legal"], person(r).ID)
	})
	if err != nil {
		return d.refused(w, r, err, "")
	}
	return done(w, r, room(d.edition(r).ID)+"#plan", "saved")
}

// meLetters serves "/desk/me/letters".
func (d *Desk) meLetters(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	wants, id := r.PostForm.Get("letters") != "", person(r).ID
	err := d.change(r, "staff:"+id, func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		if detail["letters"] = "off"; wants {
			detail["letters"] = "on"
		}
		return d.Plans.SetLetters(ctx, tx, id, wants)
	})
	if err != nil {
		return err
	}
	return done(w, r, "/desk/me", "saved")
}
