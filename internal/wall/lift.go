package wall

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"masthead/internal/db"
	"masthead/internal/fault"
)

// LiftMax is the longest that a lift may last.
const LiftMax = 30 * 24 * time.Hour

// Lift opens a section, or every section, until a time: in an emergency, when
// what is reported must be read by everybody. It goes over the rules and over a
// story that asks to register; never over a password or a tier that a story
// itself asks for.
type Lift struct {
	ID      string
	Section string // slug; stories of its parts are open too; "" for every section
	Reason  string // in the newsroom's words
	Who     string // e-mail of the staff who lifted it; "" for the command line
	Start   time.Time
	End     time.Time // it is over at this moment
}

// On reports whether the lift is in force at a time.
func (l Lift) On(now time.Time) bool { return !now.Before(l.Start) && now.Before(l.End) }

// opens reports whether the lift is about a story.
func (l *Lift) opens(it *Item) bool {
	return l.Section == "" || l.Section == it.Section || slices.Contains(it.Sections, l.Section)
}

// name says what is lifted.
func (l *Lift) name() string {
	if l.Section == "" {
		return "every section"
	}
	return "the section " + quote(l.Section)
}

// lift gives the lift that opens a story now; nil when there is none.
func (s *standing) lift(now time.Time, it *Item) *Lift {
	if strings.HasPrefix(it.Access, "tier:") || it.Access != "" && it.Access != "open" && it.Access != "registered" {
		return nil
	}
	for i := range s.lifts {
		l := &s.lifts[i]
		if !now.Before(l.End) {
			return nil // they stand in order of their ends, the last first
		}
		if !now.Before(l.Start) && l.opens(it) {
			return l
		}
	}
	return nil
}

// LiftFrom begins a lift: l.Section, Reason, Who and End are given. It is
// fault.Invalid where the end has passed or is more than LiftMax away, and where
// no reason is given. Whether there is such a section is for the caller to say.
func (s *Store) LiftFrom(ctx context.Context, tx *db.Tx, l Lift) (Lift, error) {
	l.ID, l.Start, l.Reason = db.NewID(), s.Now(), strings.TrimSpace(l.Reason)
	switch {
	case !l.End.After(l.Start):
		return l, fault.New(fault.Invalid, "a lift ends in the future").WithHint("give a time to come")
	case l.End.Sub(l.Start) > LiftMax:
		return l, fault.New(fault.Invalid, "a lift lasts 30 days at most").WithHint("lift it again then, or write a rule")
	case l.Reason == "" || utf8.RuneCountInString(l.Reason) > 200:
		return l, fault.New(fault.Invalid, "a lift has a reason of at most 200 letters").WithHint("say why in a few words")
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO wall_lift (id, section, reason, who, starts_at, ends_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		l.ID, l.Section, l.Reason, l.Who, db.Micros(l.Start), db.Micros(l.End))
	if err != nil {
		return l, fmt.Errorf("wall.LiftFrom(%s): %w", l.Section, err)
	}
	return l, s.changed(ctx, tx)
}

// EndLift ends a lift now. One that is over, or is not there, is fault.NotFound.
func (s *Store) EndLift(ctx context.Context, tx *db.Tx, id string) (l Lift, err error) {
	now := db.Micros(s.Now())
	l, err = scanLift(tx.QueryRowContext(ctx, `UPDATE wall_lift SET ends_at = $1 WHERE id = $2 AND ends_at > $1
		RETURNING id, section, reason, who, starts_at, ends_at`, now, id))
	if err != nil {
		return l, absent(err, "no such lift is in force", "id", id)
	}
	return l, s.changed(ctx, tx)
}

// Lifts gives the lifts that ended last or are still in force, the last to end
// first, 50 at most.
func (s *Store) Lifts(ctx context.Context, q db.Queryer) ([]Lift, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, section, reason, who, starts_at, ends_at FROM wall_lift ORDER BY ends_at DESC, id LIMIT 50`)
	lifts, err := db.Rows(rows, err, scanLift)
	if err != nil {
		return nil, fmt.Errorf("wall.Lifts: %w", err)
	}
	return lifts, nil
}

func scanLift(row db.Scanner) (l Lift, err error) {
	var start, end int64
	err = row.Scan(&l.ID, &l.Section, &l.Reason, &l.Who, &start, &end)
	l.Start, l.End = db.Time(start), db.Time(end)
	return l, err
}

// Edge gives the next moment after now at which a lift or a trial begins or
// ends, so that what was made before must be made anew; zero when none will.
func (w *Wall) Edge(now time.Time) time.Time {
	s := w.standing.Load()
	if s == nil {
		return time.Time{}
	}
	var next time.Time
	consider := func(moments ...time.Time) {
		for _, m := range moments {
			if m.After(now) && (next.IsZero() || m.Before(next)) {
				next = m
			}
		}
	}
	for _, l := range s.lifts {
		consider(l.Start, l.End)
	}
	if s.trial != nil {
		consider(s.trial.Start, s.trial.End)
	}
	return next
}

// absent is what a query for one row gives where there is none.
func absent(err error, message string, args ...any) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fault.New(fault.NotFound, message, args...)
	}
	return fmt.Errorf("wall: %s: %w", message, err)
}
