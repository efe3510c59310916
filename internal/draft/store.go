package draft

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/story"
)

// Store keeps drafts. Every method takes the connection or transaction it is to use.
type Store struct {
	Now     func() time.Time
	Stories *story.Store
	// Tell tells every node what has changed once the transaction is committed
	// (app.Tell); nil tells nobody.
	Tell func(ctx context.Context, q db.Queryer, tags ...string) error
	// Mentioned is told of who is named in a comment, in the transaction that
	// writes it; nil tells nobody.
	Mentioned func(ctx context.Context, tx *db.Tx, m Mention) error
}

// Tag is what every node hears when a draft has changed: its steps, fields,
// comments or revisions.
func Tag(editionID string) string { return tagDraft + editionID }

const tagDraft = "draft:"

func (s *Store) tell(ctx context.Context, tx *db.Tx, editionID string) error {
	if s.Tell == nil {
		return nil
	}
	return s.Tell(ctx, tx, Tag(editionID))
}

const draftColumns = `edition_id, version, body, base, revision, kept, unkept, kept_at, remarks, outside, conflicts, updated_at`

func scanDraft(row db.Scanner) (d Draft, err error) {
	var body []byte
	var kept, updated int64
	if err := row.Scan(&d.EditionID, &d.Version, &body, &d.Base, &d.Revision, &d.Kept, &d.Unkept, &kept, &d.Remarks, &d.Outside, &d.Conflicts, &updated); err != nil {
		return d, err
	}
	d.KeptAt, d.UpdatedAt = db.Time(kept), db.Time(updated)
	d.Doc, err = doc.ParseWorking(body)
	return d, err
}

func absent(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fault.New(fault.NotFound, "nobody writes there")
	}
	return err
}

// Load gives the draft of an edition; one that was never opened is NotFound.
func (s *Store) Load(ctx context.Context, q db.Queryer, editionID string) (d Draft, err error) {
	defer wrap(&err, "Load(%s)", editionID)
	return s.load(ctx, q, editionID, "")
}

func (s *Store) load(ctx context.Context, q db.Queryer, editionID, lock string) (d Draft, err error) {
	if lock == "" {
		d, err = scanDraft(q.QueryRowContext(ctx, `SELECT `+draftColumns+` FROM draft WHERE edition_id = $1`, editionID))
	} else {
		// Whoever writes waits here until the other is done; both databases do it for a write.
		d, err = scanDraft(q.QueryRowContext(ctx, `UPDATE draft SET version = version WHERE edition_id = $1 RETURNING `+draftColumns, editionID))
	}
	if err != nil {
		return d, absent(err)
	}
	d.Fields, err = s.fields(ctx, q, editionID)
	return d, err
}

// locked gives the draft for a change of more than its steps.
func (s *Store) locked(ctx context.Context, tx *db.Tx, editionID string) (Draft, error) {
	return s.load(ctx, tx, editionID, "lock")
}

// Open gives the draft of an edition, and makes it of the edition's words where
// there is none. What was written past the desk since is in it.
func (s *Store) Open(ctx context.Context, tx *db.Tx, editionID string) (d Draft, err error) {
	defer wrap(&err, "Open(%s)", editionID)
	e, err := s.Stories.EditionByID(ctx, tx, editionID)
	if err != nil {
		return d, err
	}
	now := db.Micros(s.Now())
	made, err := tx.ExecContext(ctx, `INSERT INTO draft (edition_id, version, body, base, revision, kept, kept_at, updated_at)
		VALUES ($1, 0, $2, $3, $3, 0, $4, $4) ON CONFLICT (edition_id) DO NOTHING`, e.ID, string(e.Body.JSON()), e.Revision, now)
	if err != nil {
		return d, err
	}
	if n, err := made.RowsAffected(); err != nil {
		return d, err
	} else if n > 0 {
		for name, value := range map[string]string{Kicker: e.Kicker, Headline: e.Headline, Summary: e.Summary} {
			if _, err := tx.ExecContext(ctx, `INSERT INTO draft_field (edition_id, name, value, version, at) VALUES ($1, $2, $3, 0, $4)`,
				e.ID, name, value, now); err != nil {
				return d, err
			}
		}
	}
	if d, err = s.locked(ctx, tx, editionID); err != nil || e.Revision <= d.Revision {
		return d, err
	}
	if err := s.follow(ctx, tx, d, e); err != nil {
		return d, err
	}
	return s.load(ctx, tx, editionID, "")
}

// Push takes steps that were made on the newest version, and gives the version
// after them. Others came first: [*Stale]. They do not fit: fault.Invalid, and
// none is taken. The same push that comes again, because its answer was lost, is
// not taken twice: it gives the version that it led to then, which may be that of
// fewer steps than it has now.
//
// The version may be told to the client once tx is committed, and not before.
func (s *Store) Push(ctx context.Context, tx *db.Tx, p Push) (version int64, err error) {
	defer wrap(&err, "Push(%s, %d)", p.EditionID, p.Version)
	if err := checkClient(p.Client, p.ID); err != nil {
		return 0, err
	}
	if len(p.Steps) == 0 || len(p.Steps) > MaxSteps {
		return 0, fault.New(fault.Invalid, "a push has 1 to 200 steps", "steps", len(p.Steps))
	}
	var first, last sql.NullInt64
	if err := tx.QueryRowContext(ctx, `SELECT MIN(version), MAX(version) FROM draft_step WHERE edition_id = $1 AND client = $2 AND push = $3`,
		p.EditionID, p.Client, p.ID).Scan(&first, &last); err != nil {
		return 0, err
	}
	if first.Valid {
		if first.Int64 == p.Version+1 {
			return last.Int64, nil
		}
		return 0, s.stale(ctx, tx, p.EditionID, p.Version)
	}
	return s.push(ctx, tx, p)
}

func (s *Store) push(ctx context.Context, tx *db.Tx, p Push) (version int64, err error) {
	now := db.Micros(s.Now())
	version = p.Version + int64(len(p.Steps))
	// Comparing and setting comes first: on PostgreSQL a second writer waits here.
	d, err := scanDraft(tx.QueryRowContext(ctx, `UPDATE draft SET version = $3, unkept = TRUE, updated_at = $4
		WHERE edition_id = $1 AND version = $2 RETURNING `+draftColumns, p.EditionID, p.Version, version, now))
	if errors.Is(err, sql.ErrNoRows) {
		return 0, s.stale(ctx, tx, p.EditionID, p.Version)
	}
	if err != nil {
		return 0, err
	}
	after, err := doc.Apply(d.Doc, p.Steps...)
	if err != nil {
		return 0, err
	}
	body := after.JSON()
	if len(body) > doc.MaxBytes {
		return 0, fault.New(fault.TooLarge, "the story is too large").WithHint("split it")
	}
	if _, err := tx.ExecContext(ctx, `UPDATE draft SET body = $2 WHERE edition_id = $1`, p.EditionID, string(body)); err != nil {
		return 0, err
	}
	for i, step := range p.Steps {
		if _, err := tx.ExecContext(ctx, `INSERT INTO draft_step (edition_id, version, client, push, staff_id, step, at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			p.EditionID, p.Version+int64(i)+1, p.Client, p.ID, p.StaffID, string(step.JSON()), now); err != nil {
			return 0, err
		}
	}
	if err := s.moveThreads(ctx, tx, p.EditionID, p.Steps); err != nil {
		return 0, err
	}
	return version, s.tell(ctx, tx, p.EditionID)
}

// stale gives the *Stale of somebody who is at a version, or NotFound.
func (s *Store) stale(ctx context.Context, q db.Queryer, editionID string, version int64) error {
	missed, err := s.Since(ctx, q, editionID, version)
	if err != nil {
		return err
	}
	return &missed
}

// Since gives what somebody at a version has missed. Where the steps are no
// longer there, or the version is not one of this draft, Reload is set.
func (s *Store) Since(ctx context.Context, q db.Queryer, editionID string, version int64) (missed Stale, err error) {
	defer wrap(&err, "Since(%s, %d)", editionID, version)
	if err := q.QueryRowContext(ctx, `SELECT version FROM draft WHERE edition_id = $1`, editionID).Scan(&missed.Version); err != nil {
		return missed, absent(err)
	}
	if version == missed.Version {
		return missed, nil
	}
	if version < 0 || version > missed.Version || missed.Version-version > MaxMissed {
		missed.Reload = true
		return missed, nil
	}
	rows, err := q.QueryContext(ctx, `SELECT version, client, staff_id, step FROM draft_step
		WHERE edition_id = $1 AND version > $2 AND version <= $3 ORDER BY version`, editionID, version, missed.Version)
	missed.Steps, err = db.Rows(rows, err, func(r db.Scanner) (t Step, err error) {
		var text []byte
		err = r.Scan(&t.Version, &t.Client, &t.StaffID, &text)
		t.JSON = text
		return t, err
	})
	if err != nil {
		return missed, err
	}
	if int64(len(missed.Steps)) != missed.Version-version {
		missed.Steps, missed.Reload = nil, true
	}
	return missed, nil
}

func (s *Store) fields(ctx context.Context, q db.Queryer, editionID string) (map[string]Field, error) {
	rows, err := q.QueryContext(ctx, `SELECT name, value, version, staff_id, at FROM draft_field WHERE edition_id = $1`, editionID)
	list, err := db.Rows(rows, err, scanField)
	fields := make(map[string]Field, len(list))
	for _, f := range list {
		fields[f.Name] = f
	}
	return fields, err
}

func scanField(r db.Scanner) (f Field, err error) {
	var at int64
	err = r.Scan(&f.Name, &f.Value, &f.Version, &f.StaffID, &at)
	f.At = db.Time(at)
	return f, err
}

// SetField writes a field that somebody has changed at a version of it. Somebody
// else came first: [*StaleField], with both texts. A save that comes again because
// its answer was lost is no conflict.
func (s *Store) SetField(ctx context.Context, tx *db.Tx, editionID, name string, version int64, value, staffID string) (f Field, err error) {
	defer wrap(&err, "SetField(%s, %s, %d)", editionID, name, version)
	if value, err = cleanField(name, value); err != nil {
		return f, err
	}
	f, err = scanField(tx.QueryRowContext(ctx, `UPDATE draft_field SET value = $4, version = version + 1, staff_id = $5, at = $6
		WHERE edition_id = $1 AND name = $2 AND version = $3 RETURNING name, value, version, staff_id, at`,
		editionID, name, version, value, staffID, db.Micros(s.Now())))
	if errors.Is(err, sql.ErrNoRows) {
		f, err = scanField(tx.QueryRowContext(ctx, `SELECT name, value, version, staff_id, at FROM draft_field WHERE edition_id = $1 AND name = $2`, editionID, name))
		if err != nil {
			return f, absent(err)
		}
		if f.Value == value && f.StaffID == staffID && f.Version == version+1 {
			return f, nil
		}
		return Field{}, &StaleField{Theirs: f, Yours: value}
	}
	if err != nil {
		return f, err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE draft SET unkept = TRUE, updated_at = $2 WHERE edition_id = $1`, editionID, db.Micros(s.Now())); err != nil {
		return f, err
	}
	return f, s.tell(ctx, tx, editionID)
}

// State is what changes of a draft besides its words: cheap to ask for again and again.
type State struct {
	Version, Kept, Revision, Base, Remarks, Outside int64
	KeptAt                                          time.Time
	Conflicts                                       int
	Fields                                          map[string]int64 // versions
	Status                                          story.Status
}

// State gives where a draft and its edition stand.
func (s *Store) State(ctx context.Context, q db.Queryer, editionID string) (st State, err error) {
	defer wrap(&err, "State(%s)", editionID)
	var kept int64
	err = q.QueryRowContext(ctx, `SELECT d.version, d.kept, d.revision, d.base, d.remarks, d.outside, d.kept_at, d.conflicts, e.status
		FROM draft d JOIN edition e ON e.id = d.edition_id WHERE d.edition_id = $1`, editionID).
		Scan(&st.Version, &st.Kept, &st.Revision, &st.Base, &st.Remarks, &st.Outside, &kept, &st.Conflicts, &st.Status)
	if err != nil {
		return st, absent(err)
	}
	st.KeptAt, st.Fields = db.Time(kept), map[string]int64{}
	fields, err := s.fields(ctx, q, editionID)
	for name, f := range fields {
		st.Fields[name] = f.Version
	}
	return st, err
}

// Fields gives the fields of a draft, in the order of [FieldNames].
func (s *Store) Fields(ctx context.Context, q db.Queryer, editionID string) (list []Field, err error) {
	defer wrap(&err, "Fields(%s)", editionID)
	fields, err := s.fields(ctx, q, editionID)
	for _, name := range FieldNames() {
		if f, ok := fields[name]; ok {
			list = append(list, f)
		}
	}
	return list, err
}

// Sweep forgets steps that nobody can have missed any more. Their words are in the drafts.
func (s *Store) Sweep(ctx context.Context, q db.Queryer) (err error) {
	defer wrap(&err, "Sweep")
	// Of what has not been kept the steps tell who wrote it.
	_, err = q.ExecContext(ctx, `DELETE FROM draft_step WHERE at < $1
		AND version <= (SELECT kept FROM draft WHERE draft.edition_id = draft_step.edition_id)`, db.Micros(s.Now().Add(-StepsKept)))
	return err
}

// writers gives who has changed a draft since it was last kept, the last one first.
func (s *Store) writers(ctx context.Context, q db.Queryer, d Draft) ([]string, error) {
	rows, err := q.QueryContext(ctx, `SELECT staff_id, MAX(version) AS last FROM draft_step
		WHERE edition_id = $1 AND version > $2 AND staff_id <> '' GROUP BY staff_id ORDER BY last DESC`, d.EditionID, d.Kept)
	ids, err := db.Rows(rows, err, func(r db.Scanner) (id string, err error) {
		var last int64
		return id, r.Scan(&id, &last)
	})
	for _, name := range FieldNames() {
		if f := d.Fields[name]; f.StaffID != "" && f.At.After(d.KeptAt) && !slices.Contains(ids, f.StaffID) {
			ids = append(ids, f.StaffID)
		}
	}
	return ids, err
}
