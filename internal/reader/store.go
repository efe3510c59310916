package reader

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
)

// Store keeps readers. Its fields are set before it is used and stay as they are.
type Store struct {
	Now func() time.Time
	Key []byte // secret, at least 32 bytes: without it the hashes of codes and addresses tell nothing

	Refused    Domains       // domains whose addresses are not taken
	LetterLife time.Duration // how long a letter's link and code are good
	CodeTries  int           // wrong codes that a letter bears
	PerAddress Rate          // letters to one address
	PerNetwork Rate          // letters asked for from one network

	SessionIdle time.Duration // a session ends when it was not used for so long
	SessionLife time.Duration // and, used or not, after so long
	RotateAfter time.Duration // a session's secret is made anew so often
	RotateGrace time.Duration // in which requests under way with the old secret change nothing
	SeenEvery   time.Duration // the last use is written down at most so often

	// Changed is told, in the transaction, when what was granted to a reader must
	// be asked anew: a session or all of them ended, a tier was given or taken,
	// name or address changed, the account was deleted. "" stands for the tiers
	// themselves. Nil tells nobody.
	Changed func(ctx context.Context, q db.Queryer, readerID string) error
	// Made is told, in the transaction, of a new reader, Gone of one who was
	// deleted. Nil tells nobody.
	Made, Gone func(ctx context.Context, tx *db.Tx, readerID string) error
}

func tell(ctx context.Context, tx *db.Tx, of func(context.Context, *db.Tx, string) error, readerID string) error {
	if of == nil {
		return nil
	}
	return of(ctx, tx, readerID)
}

func (s *Store) changed(ctx context.Context, q db.Queryer, readerID string) error {
	if s.Changed == nil {
		return nil
	}
	return s.Changed(ctx, q, readerID)
}

const minKey = 32 // bytes

// New makes a store with the usual settings. key is the newsroom's secret, of
// at least 32 bytes; without it no letter can be written.
func New(key []byte) *Store {
	return &Store{
		Now: time.Now, Key: key,
		LetterLife: 10 * time.Minute, CodeTries: 5,
		PerAddress:  Rate{Limit: 5, Window: time.Hour},
		PerNetwork:  Rate{Limit: 20, Window: time.Hour},
		SessionIdle: 60 * 24 * time.Hour, SessionLife: 365 * 24 * time.Hour,
		RotateAfter: 24 * time.Hour, RotateGrace: time.Minute, SeenEvery: 10 * time.Minute,
	}
}

const columns = `id, email, name, lang, note, labels, epoch, COALESCE(source, ''), created_at, confirmed_at`

func scan(row db.Scanner) (Reader, error) {
	var r Reader
	var labels string
	var created, confirmed int64
	err := row.Scan(&r.ID, &r.Email, &r.Name, &r.Lang, &r.Note, &labels, &r.Epoch, &r.Source, &created, &confirmed)
	if err != nil {
		return Reader{}, err
	}
	r.CreatedAt, r.ConfirmedAt = db.Time(created), db.Time(confirmed)
	return r, fromJSON(labels, &r.Labels)
}

// one reads the reader that where names.
func (s *Store) one(ctx context.Context, q db.Queryer, where string, args ...any) (Reader, error) {
	r, err := scan(q.QueryRowContext(ctx, `SELECT `+columns+` FROM reader WHERE `+where, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return Reader{}, noReader()
	}
	return r, err
}

func noReader() error { return fault.New(fault.NotFound, "there is no such reader") }

// ByID gives one reader, or NotFound.
func (s *Store) ByID(ctx context.Context, q db.Queryer, id string) (r Reader, err error) {
	defer wrap(&err, "ByID(%s)", id)
	return s.one(ctx, q, `id = $1`, id)
}

// ByEmail gives the reader with that address, in whatever spelling, or NotFound.
func (s *Store) ByEmail(ctx context.Context, q db.Queryer, email string) (r Reader, err error) {
	defer wrap(&err, "ByEmail")
	return s.one(ctx, q, `email_key = $1`, EmailKey(email))
}

// Cursor is a place in the list of readers; the zero Cursor is its beginning.
type Cursor struct {
	CreatedAt time.Time
	ID        string
}

// List gives at most limit readers that stand after the cursor, newest first.
// The place after a reader r is Cursor{r.CreatedAt, r.ID}.
func (s *Store) List(ctx context.Context, q db.Queryer, after Cursor, limit int) (list []Reader, err error) {
	return s.Narrow(ctx, q, after, "", "", limit)
}

// Narrow is List of those alone who hold a tier now, where tier is not "", and
// have chosen a newsletter, where newsletter is not "".
func (s *Store) Narrow(ctx context.Context, q db.Queryer, after Cursor, tier, newsletter string, limit int) (list []Reader, err error) {
	defer wrap(&err, "Narrow(%s, %s)", tier, newsletter)
	at, id := int64(math.MaxInt64), ""
	if after != (Cursor{}) {
		at, id = db.Micros(after.CreatedAt), after.ID
	}
	text, args := `SELECT `+columns+` FROM reader WHERE (created_at, id) < ($1, $2)`, []any{at, id, limit}
	if tier != "" {
		args = append(args, tier, db.Micros(s.Now()))
		text += ` AND id IN (SELECT reader_id FROM reader_tier WHERE tier = $4 AND (until = 0 OR until > $5))`
	}
	if newsletter != "" {
		args = append(args, newsletter)
		text += ` AND id IN (SELECT reader_id FROM reader_newsletter WHERE newsletter = $` + strconv.Itoa(len(args)) + `)`
	}
	rows, err := q.QueryContext(ctx, text+` ORDER BY created_at DESC, id DESC LIMIT $3`, args...)
	return db.Rows(rows, err, scan)
}

// SetNote sets what the newsroom itself notes of a reader: a note and labels.
// No such reader is NotFound.
func (s *Store) SetNote(ctx context.Context, tx *db.Tx, id, note string, labels []string) (err error) {
	defer wrap(&err, "SetNote(%s)", id)
	if labels == nil {
		labels = []string{}
	}
	result, err := tx.ExecContext(ctx, `UPDATE reader SET note = $2, labels = $3 WHERE id = $1`, id, note, toJSON(labels))
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return noReader()
}

// Numbers is how many readers there are.
type Numbers struct {
	All       int
	Confirmed int // who have signed in
}

// Count counts the readers.
func (s *Store) Count(ctx context.Context, q db.Queryer) (n Numbers, err error) {
	defer wrap(&err, "Count")
	err = q.QueryRowContext(ctx, `SELECT COUNT(*), COUNT(*) FILTER (WHERE confirmed_at <> 0) FROM reader`).Scan(&n.All, &n.Confirmed)
	return n, err
}

// Upsert takes a reader over from elsewhere, with tiers and newsletters, and
// tells whether he is new. He is known by ID, Source or address, in that order.
//
// It may be done again and again. What a reader has set here wins: name and
// language are only filled where they are empty, and newsletters are added only
// when this Source first brings him, so that nobody who has left a list is put
// back on it. Note, labels and the ends of tiers follow the source. A new
// reader keeps ID, Epoch, CreatedAt and ConfirmedAt where they are given. An
// address that another reader has is a Conflict.
func (s *Store) Upsert(ctx context.Context, tx *db.Tx, r Reader, tiers []Holding, newsletters []string) (saved Reader, created bool, err error) {
	defer wrap(&err, "Upsert(%s)", r.Source)
	email, key, err := parseEmail(r.Email)
	if err != nil {
		return Reader{}, false, err
	}
	if r.Name, err = CheckName(r.Name); err != nil {
		return Reader{}, false, err
	}
	if r.Lang, err = checkLang(r.Lang); err != nil {
		return Reader{}, false, err
	}
	now := s.Now()
	old, err := s.one(ctx, tx, `id = $1 OR source = $2 OR email_key = $3
		ORDER BY CASE WHEN id = $1 THEN 0 WHEN source = $2 THEN 1 ELSE 2 END LIMIT 1`, r.ID, null(r.Source), key)
	switch {
	case err == nil:
		err = s.merge(ctx, tx, old, r, email, key)
		r.ID = old.ID
	case fault.Is(err, fault.NotFound):
		created = true
		if r.ID == "" {
			r.ID = db.NewID()
		}
		if r.CreatedAt.IsZero() {
			r.CreatedAt = now
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO reader (id, email, email_key, name, lang, note, labels, epoch, source, created_at, confirmed_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			r.ID, email, key, r.Name, r.Lang, r.Note, toJSON(r.Labels), max(r.Epoch, 1), null(r.Source), db.Micros(r.CreatedAt), db.Micros(r.ConfirmedAt))
	}
	if err != nil {
		return Reader{}, false, err
	}
	for _, h := range tiers {
		if err := grant(ctx, tx, r.ID, h.Tier, h.Until); err != nil {
			return Reader{}, false, err
		}
	}
	if created || old.Source == "" && r.Source != "" {
		if err := addNewsletters(ctx, tx, r.ID, newsletters, "import", db.Micros(now)); err != nil {
			return Reader{}, false, err
		}
	}
	if created { // who has been granted nothing yet that could be remembered
		err = tell(ctx, tx, s.Made, r.ID)
	} else {
		err = s.changed(ctx, tx, r.ID)
	}
	if err != nil {
		return Reader{}, false, err
	}
	saved, err = s.one(ctx, tx, `id = $1`, r.ID)
	return saved, created, err
}

// merge brings what the source tells of r into the reader old.
func (s *Store) merge(ctx context.Context, tx *db.Tx, old, r Reader, email, key string) error {
	if EmailKey(old.Email) == key || !old.ConfirmedAt.IsZero() {
		email, key = old.Email, EmailKey(old.Email) // an address that the reader has shown to be his stays
	}
	// Asked first, since a failed statement ends the whole transaction on PostgreSQL.
	var taken bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM reader WHERE email_key = $1 AND id <> $2)`, key, old.ID).Scan(&taken)
	if err != nil {
		return err
	}
	if taken {
		return fault.New(fault.Conflict, "another reader has this e-mail address", "reader", old.ID)
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE reader SET email = $2, email_key = $3,
			name = CASE WHEN name = '' THEN $4 ELSE name END,
			lang = CASE WHEN lang = '' THEN $5 ELSE lang END,
			note = CASE WHEN $6 = '' THEN note ELSE $6 END,
			labels = CASE WHEN $7 = '[]' THEN labels ELSE $7 END,
			source = COALESCE(source, $8)
		WHERE id = $1`, old.ID, email, key, r.Name, r.Lang, r.Note, toJSON(r.Labels), null(r.Source))
	return err
}

// Tiers gives every tier, in order.
func (s *Store) Tiers(ctx context.Context, q db.Queryer) (list []Tier, err error) {
	defer wrap(&err, "Tiers")
	rows, err := q.QueryContext(ctx, `SELECT slug, names, position, COALESCE(source, '') FROM tier ORDER BY position, slug`)
	return db.Rows(rows, err, func(row db.Scanner) (Tier, error) {
		var t Tier
		var names string
		if err := row.Scan(&t.Slug, &names, &t.Position, &t.Source); err != nil {
			return Tier{}, err
		}
		return t, json.Unmarshal([]byte(names), &t.Names)
	})
}

// SaveTier makes a tier, or changes the one with its slug.
func (s *Store) SaveTier(ctx context.Context, q db.Queryer, t Tier) (err error) {
	defer wrap(&err, "SaveTier(%s)", t.Slug)
	if t.Slug == "" {
		return fault.New(fault.Invalid, "a tier needs a slug")
	}
	if t.Names == nil {
		t.Names = map[string]string{}
	}
	_, err = q.ExecContext(ctx, `
		INSERT INTO tier (slug, names, position, source) VALUES ($1, $2, $3, $4)
		ON CONFLICT (slug) DO UPDATE SET names = excluded.names, position = excluded.position,
			source = COALESCE(excluded.source, tier.source)`,
		t.Slug, toJSON(t.Names), t.Position, null(t.Source))
	if err != nil {
		return err
	}
	return s.changed(ctx, q, "")
}

// Grant gives a reader a tier until that time, or without end when it is zero;
// what he held of it before is replaced.
func (s *Store) Grant(ctx context.Context, q db.Queryer, readerID, tier string, until time.Time) (err error) {
	defer wrap(&err, "Grant(%s, %s)", readerID, tier)
	if err := grant(ctx, q, readerID, tier, until); err != nil {
		return err
	}
	return s.changed(ctx, q, readerID)
}

func grant(ctx context.Context, q db.Queryer, readerID, tier string, until time.Time) error {
	_, err := q.ExecContext(ctx, `
		INSERT INTO reader_tier (reader_id, tier, until) VALUES ($1, $2, $3)
		ON CONFLICT (reader_id, tier) DO UPDATE SET until = excluded.until`, readerID, tier, db.Micros(until))
	return err
}

// Revoke takes a tier from a reader.
func (s *Store) Revoke(ctx context.Context, q db.Queryer, readerID, tier string) (err error) {
	defer wrap(&err, "Revoke(%s, %s)", readerID, tier)
	if _, err := q.ExecContext(ctx, `DELETE FROM reader_tier WHERE reader_id = $1 AND tier = $2`, readerID, tier); err != nil {
		return err
	}
	return s.changed(ctx, q, readerID)
}

// Holdings gives every tier that a reader was given, also those that have ended.
// The zero Until is without end.
func (s *Store) Holdings(ctx context.Context, q db.Queryer, readerID string) ([]Holding, error) {
	all, err := s.HoldingsOf(ctx, q, readerID)
	return all[readerID], err
}

// HoldingsOf is [Store.Holdings] of many readers, by their IDs.
func (s *Store) HoldingsOf(ctx context.Context, q db.Queryer, readerIDs ...string) (all map[string][]Holding, err error) {
	defer wrap(&err, "Holdings(%v)", readerIDs)
	return beside(ctx, q, `SELECT reader_id, tier, until FROM reader_tier`, readerIDs, func(tier string, until time.Time) Holding { return Holding{tier, until} })
}

// beside gives what stands with a name and a time beside each reader's ID, by name.
func beside[T any](ctx context.Context, q db.Queryer, text string, readerIDs []string, make func(name string, at time.Time) T) (map[string][]T, error) {
	in, args := db.In(1, readerIDs)
	rows, err := q.QueryContext(ctx, text+` WHERE reader_id IN `+in+` ORDER BY reader_id, 2`, args...)
	all := map[string][]T{}
	_, err = db.Rows(rows, err, func(row db.Scanner) (struct{}, error) {
		var id, name string
		var at int64
		err := row.Scan(&id, &name, &at)
		all[id] = append(all[id], make(name, db.Time(at)))
		return struct{}{}, err
	})
	return all, err
}

// Held gives the tiers that a reader holds now.
func (s *Store) Held(ctx context.Context, q db.Queryer, readerID string) ([]Holding, error) {
	list, err := s.Holdings(ctx, q, readerID)
	now := s.Now()
	return slices.DeleteFunc(list, func(h Holding) bool { return !h.Until.IsZero() && !now.Before(h.Until) }), err
}

// Sweep removes what is over: letters a day after their end, sessions that can
// no longer be used, and counters. It may be done at any time, by any node.
func (s *Store) Sweep(ctx context.Context, q db.Queryer) (err error) {
	defer wrap(&err, "Sweep")
	now := s.Now()
	for _, old := range []struct {
		sql string
		at  time.Time
	}{
		{`DELETE FROM signin WHERE expires_at <= $1`, now.Add(-24 * time.Hour)},
		{`DELETE FROM session WHERE expires_at <= $1`, now},
		{`DELETE FROM session WHERE seen_at <= $1`, now.Add(-s.SessionIdle)},
		{`DELETE FROM rate WHERE until <= $1`, now},
	} {
		if _, err := q.ExecContext(ctx, old.sql, db.Micros(old.at)); err != nil {
			return err
		}
	}
	return nil
}

// null gives SQL's NULL for "", for columns that are unique where they are set.
func null(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// toJSON gives v as JSON; an empty list is "[]".
func toJSON(v any) string {
	if list, ok := v.([]string); ok && len(list) == 0 {
		return "[]"
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // lists and maps of strings always marshal
	}
	return string(b)
}
