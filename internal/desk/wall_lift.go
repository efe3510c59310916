package desk

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/wall"
)

// WallLiftsPage is what is, or was, open in an emergency. Template: desk/walllifts.
type WallLiftsPage struct {
	Base
	Tabs     []Link
	Rows     []LiftRow
	Sections []Choice
	Hours    []Choice
	Reason   string // as typed
	Problem  string
}

// LiftRow is one lift.
type LiftRow struct {
	ID, Section string
	Reason, Who string
	From, Until language.Moment
	On          bool
}

// liftRows gives the lifts, or those in force alone.
func (d *Desk) liftRows(ctx context.Context, b Base, inForce bool) ([]LiftRow, error) {
	lifts, err := d.WallStore.Lifts(ctx, d.DB.Read())
	if err != nil {
		return nil, err
	}
	sections, err := d.Stories.Sections(ctx, d.DB.Read())
	if err != nil {
		return nil, err
	}
	var rows []LiftRow
	for _, l := range lifts {
		row := LiftRow{ID: l.ID, Section: l.Section, Reason: l.Reason, Who: l.Who, From: d.moment(b, l.Start), Until: d.moment(b, l.End), On: l.On(d.Now())}
		if inForce && !row.On {
			continue
		}
		if l.Section == "" {
			row.Section = b.T("desk.walls.everything")
		} else if s, ok := sections.BySlug(l.Section); ok {
			row.Section = s.Names.In(b.Lang, d.Config.Language)
		}
		if row.Who == "" {
			row.Who = b.T("desk.walls.terminal")
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// wallLifts serves "/desk/wall/lifts".
func (d *Desk) wallLifts(w http.ResponseWriter, r *http.Request) error {
	return d.wallLiftsPage(w, r, http.StatusOK, "")
}

func (d *Desk) wallLiftsPage(w http.ResponseWriter, r *http.Request, status int, problem string) (err error) {
	p := WallLiftsPage{Base: d.base(r, ""), Problem: problem, Reason: cut(r.PostForm.Get("reason"), 200)}
	p.Title, p.Tabs = p.T("desk.walls.lifts"), d.wallTabs(r, p.Base)
	if p.Rows, err = d.liftRows(r.Context(), p.Base, false); err != nil {
		return err
	}
	sections, err := d.Stories.Sections(r.Context(), d.DB.Read())
	if err != nil {
		return err
	}
	for _, s := range sections {
		p.Sections = append(p.Sections, Choice{Value: s.Slug, Name: s.Names.In(p.Lang, d.Config.Language), Current: s.Slug == r.PostForm.Get("section")})
	}
	p.Sections = append(p.Sections, Choice{Value: "*", Name: p.T("desk.walls.everything"), Current: r.PostForm.Get("section") == "*"})
	for _, h := range []int{1, 3, 6, 12, 24, 72, 168, 720} {
		name := p.N("desk.walls.hours", h)
		if h >= 24 {
			name = p.N("desk.walls.days", h/24)
		}
		p.Hours = append(p.Hours, Choice{Value: strconv.Itoa(h), Name: name, Current: h == 24})
	}
	return d.send(w, r, status, "walllifts", p)
}

// wallLift serves "POST /desk/wall/lifts".
func (d *Desk) wallLift(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	words := language.Get(d.lang(r))
	sections, err := d.Stories.Sections(r.Context(), d.DB.Read())
	if err != nil {
		return err
	}
	slug := r.PostForm.Get("section")
	if _, ok := sections.BySlug(slug); !ok && slug != "*" {
		return d.wallLiftsPage(w, r, http.StatusUnprocessableEntity, words.T("desk.walls.no_section"))
	}
	if slug == "*" {
		slug = ""
	}
	hours, err := strconv.Atoi(r.PostForm.Get("hours"))
	if err != nil || hours < 1 || hours > int(wall.LiftMax/time.Hour) {
		return d.wallLiftsPage(w, r, http.StatusUnprocessableEntity, words.T("desk.walls.bad_lift"))
	}
	err = d.change(r, "wall:lift", func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		l, err := d.WallStore.LiftFrom(ctx, tx, wall.Lift{Section: slug, Reason: cleanLine(r.PostForm.Get("reason")), Who: person(r).Email,
			End: d.Now().Add(time.Duration(hours) * time.Hour)})
		detail["lifted"], detail["section"], detail["reason"], detail["until"] = l.ID, slug, l.Reason, l.End.UTC().Format(time.RFC3339)
		return err
	})
	if fault.Is(err, fault.Invalid) {
		return d.wallLiftsPage(w, r, http.StatusUnprocessableEntity, words.T("desk.walls.bad_lift"))
	}
	if err != nil {
		return err
	}
	return done(w, r, "/desk/wall/lifts", "wall_lifted")
}

// wallLiftEnd serves "POST /desk/wall/lifts/{lift}/end".
func (d *Desk) wallLiftEnd(w http.ResponseWriter, r *http.Request) error {
	id := legible(r.PathValue("lift"))
	err := d.change(r, "wall:lift", func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		l, err := d.WallStore.EndLift(ctx, tx, id)
		detail["ended"], detail["section"] = id, l.Section
		return err
	})
	if err != nil {
		return err
	}
	return done(w, r, "/desk/wall/lifts", "wall_lift_ended")
}
