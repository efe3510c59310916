package wall

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
)

// Store keeps the rules, the benefits, the registered readers' meters and the gifts.
type Store struct {
	Now       func() time.Time
	GiftQuota int // stories that a reader may give in 30 days; 0 closes giving
	GiftDays  int // days that a gift lasts

	// Changed is told when rules or benefits change, in the transaction. Nil tells nobody.
	Changed func(ctx context.Context, q db.Queryer) error
}

func (s *Store) changed(ctx context.Context, q db.Queryer) error {
	if s.Changed == nil {
		return nil
	}
	return s.Changed(ctx, q)
}

// Load reads the rules, the lifts and the trial from the database and sets them,
// all at once. Where one cannot be used the wall stays as it was.
func (w *Wall) Load(ctx context.Context, q db.Queryer) error {
	var s Store
	var next standing
	rules, err := s.Rules(ctx, q)
	if err != nil {
		return err
	}
	if next.table, err = compile(rules); err != nil {
		return err
	}
	if next.lifts, err = s.Lifts(ctx, q); err != nil {
		return err
	}
	trials, err := s.Trials(ctx, q)
	if err != nil {
		return err
	}
	if len(trials) > 0 && trials[0].Ended.IsZero() {
		t := &running{Trial: trials[0], key: sha256.Sum256([]byte("masthead trial\x00" + trials[0].ID))}
		tried, err := t.Design.Compiled()
		if err != nil {
			return err
		}
		if t.table, err = compile(tried); err != nil {
			return err
		}
		next.trial = t
	}
	w.standing.Store(&next)
	return nil
}

// Rules gives the table of rules, in order.
func (s *Store) Rules(ctx context.Context, q db.Queryer) ([]Rule, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, name, condition, verdict FROM wall_rule ORDER BY position, id`)
	rules, err := db.Rows(rows, err, func(row db.Scanner) (Rule, error) {
		var r Rule
		var grant string
		if err := row.Scan(&r.ID, &r.Name, &r.When, &grant); err != nil {
			return r, err
		}
		if err := r.Grant.UnmarshalText([]byte(grant)); err != nil {
			return r, fmt.Errorf("rule %q: %w", r.Name, err)
		}
		return r, nil
	})
	if err != nil {
		return nil, fmt.Errorf("wall.Rules: %w", err)
	}
	return rules, nil
}

// ReplaceRules puts rules in the place of the whole table, each with a new ID.
// Rules that [Wall.Set] would refuse are refused here, with kind
// fault.Invalid. It does not change any Wall: call [Wall.Load] once committed.
func (s *Store) ReplaceRules(ctx context.Context, tx *db.Tx, rules []Rule) error {
	if _, err := compile(rules); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM wall_rule`); err != nil {
		return fmt.Errorf("wall.ReplaceRules: %w", err)
	}
	for i, r := range rules {
		_, err := tx.ExecContext(ctx, `INSERT INTO wall_rule (id, position, name, condition, verdict) VALUES ($1, $2, $3, $4, $5)`,
			db.NewID(), i+1, r.Name, r.When, r.Grant.String())
		if err != nil {
			return fmt.Errorf("wall.ReplaceRules(%s): %w", r.Name, err)
		}
	}
	return s.changed(ctx, tx)
}

// Benefits gives the benefits that the wall names, in order.
func (s *Store) Benefits(ctx context.Context, q db.Queryer) ([]Benefit, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, entitlement, texts FROM benefit ORDER BY position, id`)
	benefits, err := db.Rows(rows, err, func(row db.Scanner) (Benefit, error) {
		var b Benefit
		var texts string
		if err := row.Scan(&b.ID, &b.Entitlement, &texts); err != nil {
			return b, err
		}
		return b, json.Unmarshal([]byte(texts), &b.Texts)
	})
	if err != nil {
		return nil, fmt.Errorf("wall.Benefits: %w", err)
	}
	return benefits, nil
}

// ReplaceBenefits puts benefits in the place of all, each with a new ID. Ones
// of no known form are refused with kind fault.Invalid; whether they are kept
// is for [CheckBenefits] to say.
func (s *Store) ReplaceBenefits(ctx context.Context, tx *db.Tx, benefits []Benefit) error {
	if err := CheckBenefits(benefits, func(string) error { return nil }); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM benefit`); err != nil {
		return fmt.Errorf("wall.ReplaceBenefits: %w", err)
	}
	for i, b := range benefits {
		texts, err := json.Marshal(b.Texts)
		if err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO benefit (id, position, entitlement, texts) VALUES ($1, $2, $3, $4)`,
				db.NewID(), i+1, b.Entitlement, string(texts))
		}
		if err != nil {
			return fmt.Errorf("wall.ReplaceBenefits(%s): %w", b.Entitlement, err)
		}
	}
	return s.changed(ctx, tx)
}

// Reads gives the stories that a registered reader's meter has counted after a
// time, for [Visit.Counted].
func (s *Store) Reads(ctx context.Context, q db.Queryer, readerID string, since time.Time) ([]Read, error) {
	rows, err := q.QueryContext(ctx, `SELECT story_id, at FROM meter_read WHERE reader_id = $1 AND at > $2 ORDER BY at, story_id`,
		readerID, db.Micros(since))
	reads, err := db.Rows(rows, err, func(row db.Scanner) (Read, error) {
		var r Read
		var at int64
		err := row.Scan(&r.StoryID, &at)
		r.At = db.Time(at)
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("wall.Reads(%s): %w", readerID, err)
	}
	return reads, nil
}

// CountRead is [Store.CountReads] for one story.
func (s *Store) CountRead(ctx context.Context, tx *db.Tx, readerID, storyID string, at time.Time) error {
	return s.CountReads(ctx, tx, []Counted{{readerID, Read{storyID, at}}})
}

// Counted is one story that a registered reader's meter counts.
type Counted struct {
	ReaderID string
	Read
}

// countRows is how many reads one statement writes: three parameters each.
const countRows = 200

// CountReads counts stories on registered readers' meters, each pair of reader
// and story once, as [Decision.Count] says it; [Counter] calls it. A story that
// was counted before, which must be out of every window by then, is counted anew.
// A reader or story that has been deleted since is passed over.
func (s *Store) CountReads(ctx context.Context, tx *db.Tx, counts []Counted) error {
	for some := range slices.Chunk(counts, countRows) {
		var rows strings.Builder
		args := make([]any, 0, 3*len(some))
		for i, c := range some {
			if i > 0 {
				rows.WriteString(", ")
			}
			fmt.Fprintf(&rows, "(CAST($%d AS TEXT), CAST($%d AS TEXT), CAST($%d AS BIGINT))", 3*i+1, 3*i+2, 3*i+3)
			args = append(args, c.ReaderID, c.StoryID, db.Micros(c.At))
		}
		_, err := tx.ExecContext(ctx, `WITH counted (reader_id, story_id, at) AS (VALUES `+rows.String()+`)
			INSERT INTO meter_read (reader_id, story_id, at)
			SELECT c.reader_id, c.story_id, c.at FROM counted c JOIN reader r ON r.id = c.reader_id JOIN story s ON s.id = c.story_id WHERE TRUE
			ON CONFLICT (reader_id, story_id) DO UPDATE SET at = excluded.at`, args...)
		if err != nil {
			return fmt.Errorf("wall.CountReads: %w", err)
		}
	}
	return nil
}

// Prune forgets what no decision can need any more: reads older than the
// longest window there can be, and gifts that ended that long ago. A reader's
// history is kept no longer than the wall needs it.
func (s *Store) Prune(ctx context.Context, tx *db.Tx, window time.Duration) error {
	now := s.Now()
	if _, err := tx.ExecContext(ctx, `DELETE FROM meter_read WHERE at <= $1`, db.Micros(now.Add(-window))); err != nil {
		return fmt.Errorf("wall.Prune: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM gift WHERE expires_at <= $1`, db.Micros(now.Add(-days(MaxDays)))); err != nil {
		return fmt.Errorf("wall.Prune: %w", err)
	}
	return nil
}

// Free refuses, as a Conflict, to give up the slug of a section or a topic that
// a rule or a benefit goes by. kind is "section", "topic" or "author"; no rule
// goes by authors.
func (s *Store) Free(ctx context.Context, q db.Queryer, kind, slug string) error {
	if kind == "author" {
		return nil
	}
	rows, err := q.QueryContext(ctx, `SELECT name FROM wall_rule WHERE condition LIKE $1 OR condition LIKE $2
		UNION ALL SELECT entitlement FROM benefit WHERE entitlement = $3`, `%"`+slug+`"%`, `%'`+slug+`'%`, kind+":"+slug)
	names, err := db.Rows(rows, err, func(r db.Scanner) (name string, err error) { return name, r.Scan(&name) })
	if err != nil {
		return fmt.Errorf("wall.Free(%s %s): %w", kind, slug, err)
	}
	if len(names) > 0 {
		return fault.New(fault.Conflict, "the wall goes by this address: "+strings.Join(names, ", ")).WithHint("change the wall first")
	}
	return nil
}
