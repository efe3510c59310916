package desk

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/wall"
)

// WallTrialPage is two walls side by side. Template: desk/walltrial.
type WallTrialPage struct {
	Base
	Tabs    []Link
	Running bool
	Rows    []TrialRow
	Draft   bool // there is one that differs from what is live and can be tried
	Name    string
	Share   string
	Sample  string
	Days    string
	Problem string
}

// TrialRow is one trial and what may be said of it.
type TrialRow struct {
	On          bool
	Name, Who   string
	From, Until language.Moment
	Share       string
	Sample      string
	Arms        []TrialArm
	Difference  string // in points, with its interval; "" while nobody is in an arm
	Low, High   string
	Finding     string // one sentence
	Decided     bool   // it says that there is a difference
}

// TrialArm is what was counted in one arm.
type TrialArm struct {
	Name          string
	Joined        string
	Registrations string
	Rate          string // with its interval
	Low, High     string
	Decisions     string
	Walls         string
}

// percent writes a part of 1 as per cent with one digit after the point.
func percent(f *language.Furniture, x float64) string {
	n := int(math.Round(math.Abs(x) * 1000))
	text := f.T("desk.walls.percent", n/10, n%10)
	if x < 0 && n > 0 {
		text = "−" + text
	}
	return text
}

func (d *Desk) trialRow(ctx context.Context, b Base, t wall.Trial) (TrialRow, error) {
	counts := [2]wall.Counts{}
	var err error
	if counts[0], counts[1], err = d.WallStore.TrialCounts(ctx, d.DB.Read(), t.ID); err != nil {
		return TrialRow{}, err
	}
	end := t.End
	if !t.Ended.IsZero() {
		end = t.Ended
	}
	row := TrialRow{Name: t.Name, Who: t.Who, From: d.moment(b, t.Start), Until: d.moment(b, end), Share: percent(b.Furniture, float64(t.Share)/100), Sample: b.Number(t.Sample)}
	for i, c := range counts {
		rate := wall.Proportion(c.Registrations, c.Joined)
		arm := TrialArm{Name: b.T("desk.walls.arm." + [...]string{"a", "b"}[i]), Joined: b.Number(c.Joined), Registrations: b.Number(c.Registrations),
			Decisions: b.Number(c.Decisions), Walls: b.Number(c.Walls)}
		if c.Joined > 0 {
			arm.Rate, arm.Low, arm.High = percent(b.Furniture, rate.Value), percent(b.Furniture, rate.Low), percent(b.Furniture, rate.High)
		}
		row.Arms = append(row.Arms, arm)
	}
	finding, i := t.Find(counts[0], counts[1])
	if counts[0].Joined > 0 && counts[1].Joined > 0 {
		row.Difference, row.Low, row.High = percent(b.Furniture, i.Value), percent(b.Furniture, i.Low), percent(b.Furniture, i.High)
	}
	row.Decided = finding == wall.MoreInB || finding == wall.LessInB
	row.Finding = b.T("desk.walls.finding." + string(finding))
	return row, nil
}

// wallTrial serves "/desk/wall/trial".
func (d *Desk) wallTrial(w http.ResponseWriter, r *http.Request) error {
	return d.wallTrialPage(w, r, http.StatusOK, "")
}

func (d *Desk) wallTrialPage(w http.ResponseWriter, r *http.Request, status int, problem string) error {
	ctx, q := r.Context(), d.DB.Read()
	trials, err := d.WallStore.Trials(ctx, q)
	if err != nil {
		return err
	}
	p := WallTrialPage{Base: d.base(r, ""), Problem: problem, Share: "50", Sample: "2000", Days: "28"}
	p.Title, p.Tabs = p.T("desk.walls.trial"), d.wallTabs(r, p.Base)
	if r.PostForm != nil {
		p.Name, p.Share, p.Sample, p.Days = cleanLine(r.PostForm.Get("name")), cut(r.PostForm.Get("share"), 10), cut(r.PostForm.Get("sample"), 10), cut(r.PostForm.Get("days"), 10)
	}
	for _, t := range trials[:min(len(trials), 20)] {
		row, err := d.trialRow(ctx, p.Base, t)
		if err != nil {
			return err
		}
		row.On = t.On(d.Now())
		p.Running, p.Rows = p.Running || row.On, append(p.Rows, row)
	}
	draft, err := d.WallStore.Draft(ctx, q)
	if err != nil {
		return err
	}
	live, err := d.WallStore.Live(ctx, q)
	if err != nil {
		return err
	}
	_, broken := draft.Design.Compiled()
	p.Draft = draft.Version > 0 && broken == nil && !draft.Design.Equal(live)
	return d.send(w, r, status, "walltrial", p)
}

// wallTrialStart serves "POST /desk/wall/trial": the draft, as it is now, is tried.
func (d *Desk) wallTrialStart(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	number := func(name string) int { n, _ := strconv.Atoi(r.PostForm.Get(name)); return n } // 0 is refused
	draft, err := d.WallStore.Draft(r.Context(), d.DB.Read())
	if err != nil {
		return err
	}
	live, err := d.WallStore.Live(r.Context(), d.DB.Read())
	if err != nil {
		return err
	}
	if draft.Version == 0 || draft.Design.Equal(live) { // put live or thrown away since the form was sent out
		return d.wallTrialPage(w, r, http.StatusUnprocessableEntity, language.Get(d.lang(r)).T("desk.walls.trial_needs"))
	}
	if err = d.CheckWall(r.Context(), draft.Design); err == nil {
		err = d.change(r, "wall:trial", func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
			t, err := d.WallStore.StartTrial(ctx, tx, wall.Trial{Name: cleanLine(r.PostForm.Get("name")), Share: number("share"), Sample: number("sample"),
				Design: draft.Design, Who: person(r).Email, End: d.Now().Add(time.Duration(min(number("days"), 1000)) * 24 * time.Hour)})
			detail["started"], detail["name"], detail["share"] = t.ID, t.Name, strconv.Itoa(t.Share)
			return err
		})
	}
	switch words := language.Get(d.lang(r)); {
	case fault.Is(err, fault.Conflict):
		return d.wallTrialPage(w, r, http.StatusConflict, words.T("desk.walls.another_trial"))
	case fault.Is(err, fault.Invalid):
		return d.wallTrialPage(w, r, http.StatusUnprocessableEntity, words.T("desk.walls.bad_trial"))
	case err != nil:
		return err
	}
	return done(w, r, "/desk/wall/trial", "wall_trial_started")
}

// wallTrialEnd serves "POST /desk/wall/trial/end".
func (d *Desk) wallTrialEnd(w http.ResponseWriter, r *http.Request) error {
	err := d.change(r, "wall:trial", func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		ended, err := d.WallStore.EndTrials(ctx, tx)
		if err == nil && !ended {
			return fault.New(fault.NotFound, "no trial is on")
		}
		detail["ended"] = "yes"
		return err
	})
	if err != nil {
		return err
	}
	return done(w, r, "/desk/wall/trial", "wall_trial_ended")
}
