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
	ID          string
	StaffID     string
	MadeBy      Way
	Agent       string // "Firefox on Android"; may be empty
	ConfirmedBy Way    // the second factor shown last; "" for none yet
	ConfirmedAt time.Time
	CreatedAt   time.Time
	SeenAt      time.Time // last use, to within Store.SeenEvery
	ExpiresAt   time.Time
}

// Visit is a request by one of the staff.
type Visit struct {
	Session Session
	Person  Person
	Factors bool // the person has a second factor
}

// Made is how a session begins.
type Made struct {
	By    Way    // ByLink, or ByPasskey, which confirms the second factor too
	Agent string // as Session.Agent
}

// StartSession signs a browser in and gives the value of its cookie, which
// exists nowhere else.
func (s *Store) StartSession(ctx context.Context, tx *db.Tx, staffID string, made Made) (session Session, cookie string, err error) {
	defer wrap(&err, "StartSession(%s)", staffID)
	now := s.Now().Truncate(time.Microsecond)
	secret := newSecret()
	session = Session{ID: db.NewID(), StaffID: staffID, MadeBy: made.By, Agent: made.Agent, CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(s.SessionLife)}
	if made.By == ByPasskey {
		session.ConfirmedBy, session.ConfirmedAt = ByPasskey, now
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO staff_session (id, staff_id, secret_hash, made_by, agent, confirmed_by, confirmed_at, created_at, seen_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)`,
		session.ID, staffID, hash(secret), string(made.By), made.Agent, string(session.ConfirmedBy), db.Micros(session.ConfirmedAt),
		db.Micros(now), db.Micros(session.ExpiresAt))
	return session, session.ID + "." + secret, err
}

// ConfirmSession notes that a second factor was shown, and gives the cookie's
// new value: whoever has the one from before has nothing more.
func (s *Store) ConfirmSession(ctx context.Context, tx *db.Tx, sessionID string, by Way) (cookie string, err error) {
	defer wrap(&err, "ConfirmSession(%s)", sessionID)
	secret := newSecret()
	result, err := tx.ExecContext(ctx, `UPDATE staff_session SET secret_hash = $2, confirmed_by = $3, confirmed_at = $4 WHERE id = $1`,
		sessionID, hash(secret), string(by), db.Micros(s.Now()))
	return sessionID + "." + secret, someRow(result, err, "there is no such session")
}

const sessionColumns = `s.id, s.staff_id, s.made_by, s.agent, s.confirmed_by, s.confirmed_at, s.created_at, s.seen_at, s.expires_at`

// into gives where the columns of a session go, and what then fills its times.
func (n *Session) into() (dest []any, times func()) {
	var confirmed, created, seen, expires int64
	return []any{&n.ID, &n.StaffID, &n.MadeBy, &n.Agent, &n.ConfirmedBy, &confirmed, &created, &seen, &expires}, func() {
		n.ConfirmedAt, n.CreatedAt, n.SeenAt, n.ExpiresAt = db.Time(confirmed), db.Time(created), db.Time(seen), db.Time(expires)
	}
}

// Resolve tells who shows this cookie. Nobody, who is disabled, and whose
// session lacks its second factor, is Unauthorized.
func (s *Store) Resolve(ctx context.Context, q db.Queryer, cookie string) (v Visit, err error) {
	defer wrap(&err, "Resolve")
	v, err = s.arrive(ctx, q, cookie)
	if err == nil && s.Lack(v) != LacksNothing {
		return Visit{}, fault.New(fault.Unauthorized, "a second factor is missing").WithHint("sign in at the desk")
	}
	return v, err
}

// Arrive tells who shows this cookie like [Store.Resolve], also where the
// session lacks something that [Store.Lack] names. Only the desk's door asks so.
func (s *Store) Arrive(ctx context.Context, q db.Queryer, cookie string) (v Visit, err error) {
	defer wrap(&err, "Arrive")
	return s.arrive(ctx, q, cookie)
}

func (s *Store) arrive(ctx context.Context, q db.Queryer, cookie string) (v Visit, err error) {
	id, secret, ok := strings.Cut(cookie, ".")
	if !ok || len(id) != 36 || len(secret) != 43 {
		return Visit{}, signedOut()
	}
	now := s.Now()
	var since int64
	var sections string
	p := &v.Person
	dest, times := v.Session.into()
	err = q.QueryRowContext(ctx, `
		SELECT `+sessionColumns+`, p.email, p.name, p.role, p.sections, p.created_at,
			EXISTS (SELECT 1 FROM staff_passkey k WHERE k.staff_id = p.id) OR
			EXISTS (SELECT 1 FROM staff_totp t WHERE t.staff_id = p.id AND t.enrolled_at > 0)
		FROM staff_session s JOIN staff p ON p.id = s.staff_id
		WHERE s.id = $1 AND s.secret_hash = $2 AND s.expires_at > $3 AND s.seen_at > $4 AND p.disabled_at = 0`,
		id, hash(secret), db.Micros(now), db.Micros(now.Add(-s.SessionIdle))).
		Scan(append(dest, &p.Email, &p.Name, &p.Role, &sections, &since, &v.Factors)...)
	if errors.Is(err, sql.ErrNoRows) {
		return Visit{}, signedOut()
	}
	if err != nil {
		return Visit{}, err
	}
	times()
	p.ID, p.CreatedAt = v.Session.StaffID, db.Time(since)
	return v, json.Unmarshal([]byte(sections), &p.Sections)
}

// Sessions gives the browsers in which somebody is signed in, the last used first.
func (s *Store) Sessions(ctx context.Context, q db.Queryer, staffID string) (list []Session, err error) {
	defer wrap(&err, "Sessions(%s)", staffID)
	now := s.Now()
	rows, err := q.QueryContext(ctx, `
		SELECT `+sessionColumns+` FROM staff_session s
		WHERE s.staff_id = $1 AND s.expires_at > $2 AND s.seen_at > $3 ORDER BY s.seen_at DESC, s.id DESC`,
		staffID, db.Micros(now), db.Micros(now.Add(-s.SessionIdle)))
	return db.Rows(rows, err, func(row db.Scanner) (n Session, err error) {
		dest, times := n.into()
		err = row.Scan(dest...)
		times()
		return n, err
	})
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

// EndSessionOf signs one of somebody's browsers out; another's is NotFound.
func (s *Store) EndSessionOf(ctx context.Context, tx *db.Tx, staffID, sessionID string) (err error) {
	defer wrap(&err, "EndSessionOf(%s)", sessionID)
	result, err := tx.ExecContext(ctx, `DELETE FROM staff_session WHERE id = $1 AND staff_id = $2`, sessionID, staffID)
	return someRow(result, err, "there is no such session")
}

// EndOtherSessions signs somebody out of every browser but one.
func (s *Store) EndOtherSessions(ctx context.Context, tx *db.Tx, staffID, keep string) (err error) {
	defer wrap(&err, "EndOtherSessions(%s)", staffID)
	_, err = tx.ExecContext(ctx, `DELETE FROM staff_session WHERE staff_id = $1 AND id <> $2`, staffID, keep)
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
