package staff

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
)

// Session is one browser in which somebody is signed in at the desk.
type Session struct {
	ID        string
	StaffID   string
	CreatedAt time.Time
	SeenAt    time.Time // last use, to within Store.SeenEvery
	ExpiresAt time.Time
}

// Visit is a request by one of the staff.
type Visit struct {
	Session Session
	Person  Person
}

// StartSession signs a browser in and gives the value of its cookie, which
// exists nowhere else.
func (s *Store) StartSession(ctx context.Context, tx *db.Tx, staffID string) (session Session, cookie string, err error) {
	defer wrap(&err, "StartSession(%s)", staffID)
	now := s.Now().Truncate(time.Microsecond)
	secret := newSecret()
	session = Session{ID: db.NewID(), StaffID: staffID, CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(s.SessionLife)}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO staff_session (id, staff_id, secret_hash, created_at, seen_at, expires_at) VALUES ($1, $2, $3, $4, $4, $5)`,
		session.ID, staffID, hash(secret), db.Micros(now), db.Micros(session.ExpiresAt))
	return session, session.ID + "." + secret, err
}

// Resolve tells who shows this cookie. Nobody, and who is disabled, is Unauthorized.
func (s *Store) Resolve(ctx context.Context, q db.Queryer, cookie string) (v Visit, err error) {
	defer wrap(&err, "Resolve")
	id, secret, ok := strings.Cut(cookie, ".")
	if !ok || len(id) != 36 || len(secret) != 43 {
		return Visit{}, signedOut()
	}
	now := s.Now()
	var created, seen, expires, since int64
	var sections string
	p, n := &v.Person, &v.Session
	err = q.QueryRowContext(ctx, `
		SELECT s.id, s.staff_id, s.created_at, s.seen_at, s.expires_at, p.email, p.name, p.role, p.sections, p.created_at
		FROM staff_session s JOIN staff p ON p.id = s.staff_id
		WHERE s.id = $1 AND s.secret_hash = $2 AND s.expires_at > $3 AND s.seen_at > $4 AND p.disabled_at = 0`,
		id, hash(secret), db.Micros(now), db.Micros(now.Add(-s.SessionIdle))).
		Scan(&n.ID, &n.StaffID, &created, &seen, &expires, &p.Email, &p.Name, &p.Role, &sections, &since)
	if errors.Is(err, sql.ErrNoRows) {
		return Visit{}, signedOut()
	}
	n.CreatedAt, n.SeenAt, n.ExpiresAt = db.Time(created), db.Time(seen), db.Time(expires)
	if err != nil {
		return Visit{}, err
	}
	p.ID, p.CreatedAt = n.StaffID, db.Time(since)
	return v, json.Unmarshal([]byte(sections), &p.Sections)
}

func signedOut() error {
	return fault.New(fault.Unauthorized, "nobody is signed in").WithHint("ask for a link to sign in")
}

// Due reports whether [Store.Seen] has anything to write.
func (s *Store) Due(session Session) bool { return s.Now().Sub(session.SeenAt) >= s.SeenEvery }

// Seen writes down that the session was used.
func (s *Store) Seen(ctx context.Context, tx *db.Tx, session Session) (err error) {
	defer wrap(&err, "Seen(%s)", session.ID)
	_, err = tx.ExecContext(ctx, `UPDATE staff_session SET seen_at = $2 WHERE id = $1 AND seen_at < $2`, session.ID, db.Micros(s.Now()))
	return err
}

// EndSession signs one browser out; none is no fault.
func (s *Store) EndSession(ctx context.Context, tx *db.Tx, sessionID string) (err error) {
	defer wrap(&err, "EndSession(%s)", sessionID)
	_, err = tx.ExecContext(ctx, `DELETE FROM staff_session WHERE id = $1`, sessionID)
	return err
}

// EndSessions signs somebody out everywhere.
func (s *Store) EndSessions(ctx context.Context, tx *db.Tx, staffID string) (err error) {
	defer wrap(&err, "EndSessions(%s)", staffID)
	return s.endSessions(ctx, tx, staffID)
}

func (s *Store) endSessions(ctx context.Context, tx *db.Tx, staffID string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM staff_session WHERE staff_id = $1`, staffID)
	return err
}
