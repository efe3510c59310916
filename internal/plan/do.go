package plan

import (
	"context"
	"errors"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/job"
	"masthead/internal/staff"
	"masthead/internal/story"
)

// Order asks for a move.
type Order struct {
	EditionID   string
	Move        string
	By          staff.Person // the zero person is the program
	Note        string       // a reason, or the text of a correction
	Changed     string       // of a correction: what stood there before and stands there now
	Words       bool         // of a correction: with the working copy's newest words
	At          time.Time    // of a schedule
	Reason      string       // why warnings are overruled
	MayOverrule bool         // who asks may do staff.Overrule to the story
}

// Done is what a move made of an edition.
type Done struct {
	Move      Move
	Edition   story.Edition
	Overruled []Check // the warnings that were
}

// Refused tells that checks keep an edition from being published. It is fault.Conflict.
type Refused struct{ Checks []Check }

func (r *Refused) Error() string { return "checks of the story fail" }

// Unwrap gives the fault.
func (r *Refused) Unwrap() error {
	return fault.New(fault.Conflict, "checks of the story fail: "+kinds(r.Checks)).WithHint("mend them; a warning can be overruled with a reason")
}

// Musts reports whether one of them cannot be overruled.
func (r *Refused) Musts() bool { return len(musts(r.Checks)) > 0 }

// Do makes a move, tells those concerned by letter, and writes it into the
// history. That the person may do the move's act to the story is the caller's to
// know. An edition that has moved on is Conflict, one that checks keep back is
// [*Refused].
func (s *Store) Do(ctx context.Context, tx *db.Tx, o Order) (d Done, err error) {
	defer wrap(&err, "Do(%s, %s)", o.EditionID, o.Move)
	m, ok := MoveByName(o.Move)
	if !ok {
		return d, fault.New(fault.Invalid, "there is no such move", "move", o.Move)
	}
	o.Note, o.Changed, o.Reason = strings.TrimSpace(o.Note), strings.TrimSpace(o.Changed), strings.TrimSpace(o.Reason)
	if m.Note && o.Note == "" {
		return d, fault.New(fault.Invalid, "it needs a note", "move", m.Name)
	}
	if len(o.Note) > maxNote || len(o.Changed) > maxNote || len(o.Reason) > maxNote {
		return d, fault.New(fault.Invalid, "the note is too long").WithHint("write at most %d bytes", maxNote)
	}
	// Whoever moves it at the same time waits here.
	if err := s.Stories.Lock(ctx, tx, o.EditionID); err != nil {
		return d, err
	}
	e, err := s.Stories.EditionByID(ctx, tx, o.EditionID)
	if err != nil {
		return d, err
	}
	if !m.Can(e) {
		return d, fault.New(fault.Conflict, "the story stands elsewhere by now", "status", e.Status, "move", m.Name)
	}
	now, editor := s.Now(), o.By.Email
	if m.Time && !o.At.After(now) {
		return d, fault.New(fault.Invalid, "that time has passed", "time", o.At)
	}
	if s.Keep != nil && o.By.Email != "" {
		release := m.Words || m.Name == Correct && o.Words
		if err := s.Keep(ctx, tx, e.ID, editor, release); err != nil {
			return d, err
		}
		if e, err = s.Stories.EditionByID(ctx, tx, o.EditionID); err != nil {
			return d, err
		}
	}
	d.Move = m
	if m.Checked || m.Name == Correct && o.Words {
		if d.Overruled, err = s.pass(ctx, tx, e, o, now); err != nil {
			return d, err
		}
	}
	was := e.Status
	e.Status, e.UpdatedAt = m.To, now
	switch m.Name {
	case Publish:
		e.PublishedAt = now
	case Due:
		e.UpdatedAt = e.PublishedAt
	case Schedule:
		e.PublishedAt = o.At
	case Unschedule, Hold:
		e.PublishedAt = time.Time{}
	case Withdraw, Drop:
		e.WithdrawnReason = o.Note
	case Restore, "reopen":
		e.WithdrawnReason = ""
	case Correct:
		c := story.Correction{StoryID: e.StoryID, Lang: e.Lang, At: now, Text: o.Note, Changed: o.Changed}
		if err := s.Stories.AddCorrection(ctx, tx, &c); err != nil {
			return d, err
		}
	}
	if editor == "" {
		editor = "schedule"
	}
	if err := s.Stories.SaveEdition(ctx, tx, &e, editor); err != nil {
		return d, err
	}
	d.Edition = e
	if m.Name == Schedule {
		if err := s.post(ctx, tx, PublishDue{}, job.Opts{At: o.At}); err != nil {
			return d, err
		}
	}
	return d, s.record(ctx, tx, d, o, was)
}

// pass gives the warnings that are overruled, or refuses.
func (s *Store) pass(ctx context.Context, tx *db.Tx, e story.Edition, o Order, now time.Time) ([]Check, error) {
	st, err := s.Stories.ByID(ctx, tx, e.StoryID)
	if err != nil {
		return nil, err
	}
	at := now
	if !o.At.IsZero() {
		at = o.At
	}
	failed, err := s.Checks(ctx, tx, st, e, at)
	switch {
	case err != nil || len(failed) == 0:
		return nil, err
	case len(musts(failed)) > 0, o.Reason == "" && o.Move != Due:
		return nil, &Refused{failed}
	case o.Move == Due: // they were overruled when it was scheduled
		return nil, nil
	case !o.MayOverrule:
		return nil, fault.New(fault.Forbidden, "your role does not allow to overrule a warning")
	}
	return failed, nil
}

// record writes a move into the history, and the letters about it.
func (s *Store) record(ctx context.Context, tx *db.Tx, d Done, o Order, was story.Status) error {
	id, note := db.NewID(), o.Note
	if d.Move.Name == Schedule {
		note = o.At.UTC().Format(time.RFC3339)
	}
	who := nameOf(o.By)
	reason := ""
	if len(d.Overruled) > 0 {
		reason = o.Reason
		if err := s.Staff.Record(ctx, tx, staff.Entry{Who: o.By, Act: staff.Overrule, Object: "edition:" + d.Edition.ID,
			Detail: map[string]string{"warnings": kinds(d.Overruled), "reason": reason}}); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO edition_move (id, edition_id, at, name, was, became, staff_id, who, note, overruled)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, id, d.Edition.ID, db.Micros(s.Now()), d.Move.Name, string(was), string(d.Edition.Status),
		o.By.ID, who, note, reason); err != nil {
		return err
	}
	if d.Move.Name == "submit" || d.Move.Name == "approve" {
		if err := s.AskLinks(ctx, tx, d.Edition.ID); err != nil {
			return err
		}
	}
	return s.tellOf(ctx, tx, d, o, id)
}

// Moved is one line of an edition's history.
type Moved struct {
	ID, EditionID, Name string
	At                  time.Time
	Was, Became         story.Status
	StaffID, Who        string // "" for the program itself
	Note, Overruled     string
}

// History gives every move of an edition, the newest first.
func (s *Store) History(ctx context.Context, q db.Queryer, editionID string) (list []Moved, err error) {
	defer wrap(&err, "History(%s)", editionID)
	rows, err := q.QueryContext(ctx, `SELECT id, edition_id, name, at, was, became, staff_id, who, note, overruled
		FROM edition_move WHERE edition_id = $1 ORDER BY id DESC`, editionID)
	return db.Rows(rows, err, func(r db.Scanner) (m Moved, err error) {
		var at int64
		err = r.Scan(&m.ID, &m.EditionID, &m.Name, &at, &m.Was, &m.Became, &m.StaffID, &m.Who, &m.Note, &m.Overruled)
		m.At = db.Time(at)
		return m, err
	})
}

// PublishDue is the job that publishes what is due.
type PublishDue struct{}

// Kind implements [job.Args].
func (PublishDue) Kind() string { return "publish_due" }

// PublishDue publishes every scheduled edition whose time has come, each in a
// transaction of its own. One that a must keeps back returns to the approved,
// and those concerned are told; one that fails does not stop the others.
func (s *Store) PublishDue(ctx context.Context, d *db.DB) (published, held int, err error) {
	ids, err := s.Stories.Due(ctx, d.Read())
	for _, id := range ids {
		one := d.InTx(ctx, func(tx *db.Tx) error {
			_, err := s.Do(ctx, tx, Order{EditionID: id, Move: Due})
			return err
		})
		if fault.Is(one, fault.Conflict) {
			one = s.hold(ctx, d, id, one)
			held++
		} else if one == nil {
			published++
		}
		err = errors.Join(err, one)
	}
	return published, held, err
}

// hold takes an edition off the schedule, unless somebody else has moved it.
func (s *Store) hold(ctx context.Context, d *db.DB, id string, why error) error {
	r, refused := errors.AsType[*Refused](why)
	if !refused {
		return nil // it has been moved since it was looked up
	}
	err := d.InTx(ctx, func(tx *db.Tx) error {
		_, err := s.Do(ctx, tx, Order{EditionID: id, Move: Hold, Note: kinds(musts(r.Checks))})
		return err
	})
	if fault.Is(err, fault.Conflict) {
		return nil
	}
	return err
}
