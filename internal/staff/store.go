package staff

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/seal"
)

// Store keeps the staff. Its fields are set before it is used and stay as they are.
type Store struct {
	Now         func() time.Time
	SessionIdle time.Duration // a session ends when it was not used for so long
	SessionLife time.Duration // and, used or not, after so long
	SeenEvery   time.Duration // the last use is written down at most so often
	ForceFrom   Role          // the least role that takes a second factor; "" forces nobody
	Keys        seal.Keys     // for the secrets of authenticator apps
	Passkeys    *Passkeys     // nil where the desk's address can have none
}

// New makes a store with the usual settings.
func New() *Store {
	return &Store{Now: time.Now, SessionIdle: 14 * 24 * time.Hour, SessionLife: 90 * 24 * time.Hour, SeenEvery: 10 * time.Minute,
		ForceFrom: Publisher}
}

const columns = `id, email, name, role, sections, created_at, disabled_at`

func scan(row db.Scanner) (Person, error) {
	var p Person
	var created, disabled int64
	var sections string
	if err := row.Scan(&p.ID, &p.Email, &p.Name, &p.Role, &sections, &created, &disabled); err != nil {
		return Person{}, err
	}
	p.CreatedAt, p.DisabledAt = db.Time(created), db.Time(disabled)
	return p, json.Unmarshal([]byte(sections), &p.Sections)
}

func (s *Store) one(ctx context.Context, q db.Queryer, where string, args ...any) (Person, error) {
	p, err := scan(q.QueryRowContext(ctx, `SELECT `+columns+` FROM staff WHERE `+where, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return Person{}, fault.New(fault.NotFound, "there is nobody of that name on the staff")
	}
	return p, err
}

// ByID gives one person, or NotFound.
func (s *Store) ByID(ctx context.Context, q db.Queryer, id string) (p Person, err error) {
	defer wrap(&err, "ByID(%s)", id)
	return s.one(ctx, q, `id = $1`, id)
}

// ByEmail gives the person with that address, in whatever case, or NotFound.
func (s *Store) ByEmail(ctx context.Context, q db.Queryer, email string) (p Person, err error) {
	defer wrap(&err, "ByEmail(%s)", email)
	_, key, err := parseEmail(email)
	if err != nil {
		return Person{}, err
	}
	return s.one(ctx, q, `email_key = $1`, key)
}

// List gives all staff, also who was disabled, by address.
func (s *Store) List(ctx context.Context, q db.Queryer) (list []Person, err error) {
	defer wrap(&err, "List")
	rows, err := q.QueryContext(ctx, `SELECT `+columns+` FROM staff ORDER BY email_key`)
	return db.Rows(rows, err, scan)
}

// Add takes somebody on: Email and Role are needed. An address that is there
// already is a Conflict.
func (s *Store) Add(ctx context.Context, tx *db.Tx, p Person) (added Person, err error) {
	defer wrap(&err, "Add(%s)", p.Email)
	email, key, err := parseEmail(p.Email)
	if err != nil {
		return Person{}, err
	}
	if _, err := ParseRole(string(p.Role)); err != nil {
		return Person{}, err
	}
	result, err := tx.ExecContext(ctx, `
		INSERT INTO staff (id, email, email_key, name, role, created_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (email_key) DO NOTHING`,
		db.NewID(), email, key, strings.TrimSpace(p.Name), string(p.Role), db.Micros(s.Now()))
	if err != nil {
		return Person{}, err
	}
	if n, err := result.RowsAffected(); err != nil {
		return Person{}, err
	} else if n == 0 {
		return Person{}, fault.New(fault.Conflict, "somebody on the staff has this address").WithHint("change the role of that person instead")
	}
	return s.one(ctx, tx, `email_key = $1`, key)
}

// Rename sets the name that colleagues see.
func (s *Store) Rename(ctx context.Context, tx *db.Tx, id, name string) (err error) {
	defer wrap(&err, "Rename(%s)", id)
	if _, err := s.one(ctx, tx, `id = $1`, id); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE staff SET name = $2 WHERE id = $1`, id, strings.TrimSpace(name))
	return err
}

// SetRole gives somebody a role. The last owner stays one: Conflict.
func (s *Store) SetRole(ctx context.Context, tx *db.Tx, id string, role Role) (err error) {
	defer wrap(&err, "SetRole(%s, %s)", id, role)
	if _, err := ParseRole(string(role)); err != nil {
		return err
	}
	if role != Owner {
		if err := s.notLast(ctx, tx, id); err != nil {
			return err
		}
	}
	if _, err := s.one(ctx, tx, `id = $1`, id); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE staff SET role = $2 WHERE id = $1`, id, string(role))
	return err
}

// SetSections says what somebody is in single sections, by their IDs, besides
// his role everywhere. A role that is none is Invalid.
func (s *Store) SetSections(ctx context.Context, tx *db.Tx, id string, sections map[string]Role) (err error) {
	defer wrap(&err, "SetSections(%s)", id)
	for _, role := range sections {
		if _, err := ParseRole(string(role)); err != nil {
			return err
		}
	}
	if sections == nil {
		sections = map[string]Role{}
	}
	text, err := json.Marshal(sections)
	if err != nil {
		return err
	}
	if _, err := s.one(ctx, tx, `id = $1`, id); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE staff SET sections = $2 WHERE id = $1`, id, string(text))
	return err
}

// Disable shuts somebody out: sessions and links end at once, and what he
// wrote stays. The last owner cannot be: Conflict.
func (s *Store) Disable(ctx context.Context, tx *db.Tx, id string) (err error) {
	defer wrap(&err, "Disable(%s)", id)
	if err := s.notLast(ctx, tx, id); err != nil {
		return err
	}
	if _, err := s.one(ctx, tx, `id = $1`, id); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE staff SET disabled_at = $2 WHERE id = $1 AND disabled_at = 0`, id, db.Micros(s.Now())); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM staff_link WHERE staff_id = $1`, id); err != nil {
		return err
	}
	return s.endSessions(ctx, tx, id)
}

// Enable lets somebody sign in again who was disabled.
func (s *Store) Enable(ctx context.Context, tx *db.Tx, id string) (err error) {
	defer wrap(&err, "Enable(%s)", id)
	if _, err := s.one(ctx, tx, `id = $1`, id); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE staff SET disabled_at = 0 WHERE id = $1`, id)
	return err
}

// notLast refuses when id is the only owner who can sign in. It first writes
// to the owners' rows, changing nothing, so that two owners who remove each
// other at once do so one after the other.
func (s *Store) notLast(ctx context.Context, tx *db.Tx, id string) error {
	if _, err := tx.ExecContext(ctx, `UPDATE staff SET role = role WHERE role = $1`, string(Owner)); err != nil {
		return err
	}
	var is, others bool
	err := tx.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM staff WHERE role = $2 AND disabled_at = 0 AND id = $1),
			EXISTS (SELECT 1 FROM staff WHERE role = $2 AND disabled_at = 0 AND id <> $1)`, id, string(Owner)).Scan(&is, &others)
	if err != nil {
		return err
	}
	if is && !others {
		return fault.New(fault.Conflict, "the newsroom needs an owner, and this is the only one").WithHint("make somebody else an owner first")
	}
	return nil
}

// OneTimeLink makes a token that signs somebody in once, until ttl has passed.
// Tokens given before end. Who is disabled is Forbidden.
func (s *Store) OneTimeLink(ctx context.Context, tx *db.Tx, id string, ttl time.Duration) (token string, err error) {
	defer wrap(&err, "OneTimeLink(%s)", id)
	p, err := s.one(ctx, tx, `id = $1`, id)
	if err != nil {
		return "", err
	}
	if p.Disabled() {
		return "", fault.New(fault.Forbidden, "this person is disabled").WithHint("enable the person first")
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM staff_link WHERE staff_id = $1 AND used_at = 0`, id); err != nil {
		return "", err
	}
	token = newSecret()
	_, err = tx.ExecContext(ctx, `INSERT INTO staff_link (link_hash, staff_id, expires_at) VALUES ($1, $2, $3)`,
		hash(token), id, db.Micros(s.Now().Add(ttl)))
	return token, err
}

// Peek tells whom a link would sign in, and changes nothing, so that a mail
// scanner that opens it uses nothing up. A link that is unknown, used or too
// old is Gone.
func (s *Store) Peek(ctx context.Context, q db.Queryer, token string) (p Person, err error) {
	defer wrap(&err, "Peek")
	p, err = s.one(ctx, q, `disabled_at = 0 AND id = (
		SELECT staff_id FROM staff_link WHERE link_hash = $1 AND used_at = 0 AND expires_at > $2)`, hash(token), db.Micros(s.Now()))
	if fault.Is(err, fault.NotFound) {
		return Person{}, linkOver()
	}
	return p, err
}

// ConfirmLink uses a link up and gives the person it was made for. Faults are
// as for [Store.Peek].
func (s *Store) ConfirmLink(ctx context.Context, tx *db.Tx, token string) (p Person, err error) {
	defer wrap(&err, "ConfirmLink")
	var id string
	err = tx.QueryRowContext(ctx, `
		UPDATE staff_link SET used_at = $2 WHERE link_hash = $1 AND used_at = 0 AND expires_at > $2
		RETURNING staff_id`, hash(token), db.Micros(s.Now())).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return Person{}, linkOver()
	}
	if err != nil {
		return Person{}, err
	}
	p, err = s.one(ctx, tx, `id = $1 AND disabled_at = 0`, id)
	if fault.Is(err, fault.NotFound) {
		return Person{}, linkOver()
	}
	return p, err
}

func linkOver() error {
	return fault.New(fault.Gone, "this link has been used or is too old").WithHint("ask for a new one")
}

// Sweep removes links, challenges and sessions that are over.
func (s *Store) Sweep(ctx context.Context, q db.Queryer) (err error) {
	defer wrap(&err, "Sweep")
	now := s.Now()
	for _, table := range []string{"staff_link", "staff_ceremony"} {
		if _, err := q.ExecContext(ctx, `DELETE FROM `+table+` WHERE expires_at <= $1`, db.Micros(now)); err != nil {
			return err
		}
	}
	_, err = q.ExecContext(ctx, `DELETE FROM staff_session WHERE expires_at <= $1 OR seen_at <= $2`,
		db.Micros(now), db.Micros(now.Add(-s.SessionIdle)))
	return err
}

// newSecret gives 32 random bytes in base64url.
func newSecret() string {
	b := make([]byte, 32)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// hash gives what is kept of a secret of 32 random bytes: they cannot be
// guessed, so a fast hash without salt is enough.
func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
