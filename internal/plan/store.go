package plan

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/fetch"
	"masthead/internal/job"
	"masthead/internal/media"
	"masthead/internal/staff"
	"masthead/internal/story"
)

// Store keeps plans and makes moves. Its fields are set before it is used.
type Store struct {
	Now     func() time.Time
	Stories *story.Store
	Staff   *staff.Store
	Media   *media.Store // of whose pictures the checks ask; nil leaves them out
	Lang    string       // the newsroom's first language
	Origin  string       // the site's address: "https://quay.example"
	Fetch   *fetch.Client
	// Keep makes the working copy a revision; with release its words become the
	// edition's. An edition without one stays as it is. Nil where nobody writes.
	Keep func(ctx context.Context, tx *db.Tx, editionID, editor string, release bool) error
	// Post does a job later; nil does none.
	Post func(ctx context.Context, tx *db.Tx, args job.Args, o job.Opts) error
}

func (s *Store) post(ctx context.Context, tx *db.Tx, args job.Args, o job.Opts) error {
	if s.Post == nil {
		return nil
	}
	return s.Post(ctx, tx, args, o)
}

// StoryPlan is what is planned for a story besides its assignments.
type StoryPlan struct {
	StoryID string
	Day     int    // 20261123, by the newsroom's clock; 0 for none
	Legal   string // why it takes a look by somebody who knows the law; "" for no flag
	LegalBy string // staff ID of who said so
	LegalAt time.Time
}

// PlanOf gives the plan of a story; that of one without is empty.
func (s *Store) PlanOf(ctx context.Context, q db.Queryer, storyID string) (p StoryPlan, err error) {
	defer wrap(&err, "PlanOf(%s)", storyID)
	p.StoryID = storyID
	var at int64
	err = q.QueryRowContext(ctx, `SELECT day, legal, legal_by, legal_at FROM story_plan WHERE story_id = $1`, storyID).Scan(&p.Day, &p.Legal, &p.LegalBy, &at)
	p.LegalAt = db.Time(at)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return p, err
}

// SetDay puts a story on a day, 20261123; 0 takes it off.
func (s *Store) SetDay(ctx context.Context, tx *db.Tx, storyID string, day int) (err error) {
	defer wrap(&err, "SetDay(%s, %d)", storyID, day)
	_, err = tx.ExecContext(ctx, `INSERT INTO story_plan (story_id, day) VALUES ($1, $2) ON CONFLICT (story_id) DO UPDATE SET day = excluded.day`, storyID, day)
	return err
}

// SetLegal flags a story for the law, with why; "" takes the flag off.
func (s *Store) SetLegal(ctx context.Context, tx *db.Tx, storyID, why, staffID string) (err error) {
	defer wrap(&err, "SetLegal(%s)", storyID)
	if len(why) > maxNote {
		return fault.New(fault.Invalid, "the note is too long")
	}
	at := int64(0)
	if why != "" {
		at = db.Micros(s.Now())
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO story_plan (story_id, legal, legal_by, legal_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (story_id) DO UPDATE SET legal = excluded.legal, legal_by = excluded.legal_by, legal_at = excluded.legal_at`, storyID, why, staffID, at)
	return err
}

// SetEmbargo keeps an edition from being published before a time; the zero time
// ends it. One that is scheduled for earlier is Conflict.
func (s *Store) SetEmbargo(ctx context.Context, tx *db.Tx, editionID string, until time.Time, editor string) (err error) {
	defer wrap(&err, "SetEmbargo(%s)", editionID)
	if err := s.Stories.Lock(ctx, tx, editionID); err != nil { // it is written whole, over whatever it is by then
		return err
	}
	e, err := s.Stories.EditionByID(ctx, tx, editionID)
	if err != nil {
		return err
	}
	e.EmbargoUntil = until
	return s.Stories.SaveEdition(ctx, tx, &e, editor)
}

func nameOf(p staff.Person) string {
	if p.Name != "" {
		return p.Name
	}
	return p.Email
}

func changed(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		return fault.New(fault.NotFound, "there is no such assignment")
	}
	return nil
}

func absent(err error, message string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fault.New(fault.NotFound, message)
	}
	return err
}

// wrap adds the operation to *err, once for the package.
func wrap(err *error, format string, args ...any) {
	if *err != nil {
		*err = fmt.Errorf("plan."+format+": %w", append(args, *err)...)
	}
}
