package reader

import (
	"cmp"
	"context"
	"crypto/subtle"
	"database/sql"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
)

// Session is one browser in which a reader is signed in.
type Session struct {
	ID        string
	ReaderID  string
	Agent     string // "Firefox on Android"; may be empty
	CreatedAt time.Time
	SeenAt    time.Time // last use, to within Store.SeenEvery
	ExpiresAt time.Time // whatever happens; sooner when not used

	rotatedAt time.Time
	presented string // hash of the secret that the cookie showed
	previous  bool   // it was the one before the last rotation
	rotating  bool   // the one before is still good
}

// Visit is a request by a signed-in reader.
type Visit struct {
	Session Session
	Reader  Reader
	Tiers   []Holding // held now, by slug
}

// Holds reports whether the visit's reader holds the tier.
func (v Visit) Holds(tier string) bool {
	for _, h := range v.Tiers {
		if h.Tier == tier {
			return true
		}
	}
	return false
}

// StartSession signs a browser in and gives the value of its cookie, which
// exists nowhere else. agent is its User-Agent header, of which only the
// browser's and the system's names are kept.
func (s *Store) StartSession(ctx context.Context, tx *db.Tx, readerID, agent string) (session Session, cookie string, err error) {
	defer wrap(&err, "StartSession(%s)", readerID)
	now := s.Now().Truncate(time.Microsecond)
	secret := newSecret()
	session = Session{ID: db.NewID(), ReaderID: readerID, Agent: Agent(agent), CreatedAt: now, SeenAt: now,
		ExpiresAt: now.Add(s.SessionLife), rotatedAt: now, presented: hash(secret)}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO session (id, reader_id, secret_hash, agent, created_at, seen_at, rotated_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $5, $5, $6)`,
		session.ID, readerID, session.presented, session.Agent, db.Micros(now), db.Micros(session.ExpiresAt))
	return session, session.ID + "." + secret, err
}

// Resolve tells in one query who shows this cookie. Nobody is Unauthorized.
func (s *Store) Resolve(ctx context.Context, q db.Queryer, cookie string) (v Visit, err error) {
	defer wrap(&err, "Resolve")
	id, secret, ok := strings.Cut(cookie, ".")
	if !ok || len(id) != 36 || len(secret) != 43 {
		return Visit{}, signedOut()
	}
	now := s.Now()
	rows, err := q.QueryContext(ctx, `
		SELECT s.id, s.reader_id, s.agent, s.created_at, s.seen_at, s.expires_at, s.rotated_at, s.secret_hash, s.prev_hash,
			r.email, r.name, r.lang, r.note, r.labels, r.epoch, COALESCE(r.source, ''), r.created_at, r.confirmed_at,
			t.tier, t.until
		FROM session s JOIN reader r ON r.id = s.reader_id
		LEFT JOIN reader_tier t ON t.reader_id = r.id AND (t.until = 0 OR t.until > $2)
		WHERE s.id = $1 AND s.expires_at > $2 AND s.seen_at > $3
		ORDER BY t.tier`, id, db.Micros(now), db.Micros(now.Add(-s.SessionIdle)))
	list, err := db.Rows(rows, err, func(row db.Scanner) (Visit, error) { return scanVisit(row, hash(secret)) })
	if err != nil {
		return Visit{}, err
	}
	if len(list) == 0 || list[0].Session.presented == "" {
		return Visit{}, signedOut()
	}
	v = list[0]
	for _, other := range list[1:] {
		v.Tiers = append(v.Tiers, other.Tiers...)
	}
	return v, nil
}

// scanVisit reads one row of Resolve: the visit with one of its tiers. When the
// secret is not the session's, Session.presented stays empty.
func scanVisit(row db.Scanner, presented string) (Visit, error) {
	var v Visit
	var labels, current, previous string
	var created, seen, expires, rotated, since, confirmed int64
	var tier sql.NullString
	var until sql.NullInt64
	s, r := &v.Session, &v.Reader
	err := row.Scan(&s.ID, &s.ReaderID, &s.Agent, &created, &seen, &expires, &rotated, &current, &previous,
		&r.Email, &r.Name, &r.Lang, &r.Note, &labels, &r.Epoch, &r.Source, &since, &confirmed, &tier, &until)
	if err != nil {
		return Visit{}, err
	}
	s.CreatedAt, s.SeenAt, s.ExpiresAt, s.rotatedAt = db.Time(created), db.Time(seen), db.Time(expires), db.Time(rotated)
	s.rotating = previous != ""
	switch {
	case subtle.ConstantTimeCompare([]byte(presented), []byte(current)) == 1:
		s.presented = presented
	case subtle.ConstantTimeCompare([]byte(presented), []byte(previous)) == 1:
		s.presented, s.previous = presented, true
	}
	r.ID, r.CreatedAt, r.ConfirmedAt = s.ReaderID, db.Time(since), db.Time(confirmed)
	if tier.Valid {
		v.Tiers = []Holding{{tier.String, db.Time(until.Int64)}}
	}
	return v, fromJSON(labels, &r.Labels)
}

func signedOut() error {
	return fault.New(fault.Unauthorized, "nobody is signed in").WithHint("sign in")
}

// Due reports whether [Store.Renew] has anything to write for the session: its
// last use, or a new secret. Most requests need no transaction.
func (s *Store) Due(session Session) bool {
	now := s.Now()
	return now.Sub(session.SeenAt) >= s.SeenEvery || s.rotate(session, now) || s.settle(session, now)
}

// rotate reports whether it is time for a new secret: so long after the last
// one, or when the browser still shows the one before, because the answer that
// brought the new one never reached it.
func (s *Store) rotate(session Session, now time.Time) bool {
	age := now.Sub(session.rotatedAt)
	return age >= s.RotateAfter || session.previous && age >= s.RotateGrace
}

// settle reports whether the secret before can go: the browser has shown the new one.
func (s *Store) settle(session Session, now time.Time) bool {
	return session.rotating && !session.previous && now.Sub(session.rotatedAt) >= s.RotateGrace
}

// Renew writes down that the session was used and, when it is time, gives it a
// new secret: then cookie is the value that the browser must have from now on,
// and else "".
//
// Of requests that come in together one is given the new cookie; the others go
// on with the old, which stays good until the browser has shown the new one and
// the grace has passed. So neither a parallel request nor a lost answer signs
// anybody out.
func (s *Store) Renew(ctx context.Context, tx *db.Tx, session Session) (cookie string, err error) {
	defer wrap(&err, "Renew(%s)", session.ID)
	now := s.Now()
	if s.rotate(session, now) {
		secret := newSecret()
		result, err := tx.ExecContext(ctx, `
			UPDATE session SET secret_hash = $3, prev_hash = $2, rotated_at = $4, seen_at = $4
			WHERE id = $1 AND (secret_hash = $2 AND rotated_at <= $5 OR prev_hash = $2 AND rotated_at <= $6)`,
			session.ID, session.presented, hash(secret), db.Micros(now), db.Micros(now.Add(-s.RotateAfter)), db.Micros(now.Add(-s.RotateGrace)))
		if err != nil {
			return "", err
		}
		if n, err := result.RowsAffected(); err != nil || n > 0 {
			return session.ID + "." + secret, err
		}
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE session SET seen_at = CASE WHEN seen_at < $3 THEN $3 ELSE seen_at END,
			prev_hash = CASE WHEN secret_hash = $2 AND rotated_at <= $4 THEN '' ELSE prev_hash END
		WHERE id = $1`, session.ID, session.presented, db.Micros(now), db.Micros(now.Add(-s.RotateGrace)))
	return "", err
}

// Sessions gives the sessions of a reader that can still be used, the last used first.
func (s *Store) Sessions(ctx context.Context, q db.Queryer, readerID string) (list []Session, err error) {
	defer wrap(&err, "Sessions(%s)", readerID)
	now := s.Now()
	rows, err := q.QueryContext(ctx, `
		SELECT id, reader_id, agent, created_at, seen_at, expires_at FROM session
		WHERE reader_id = $1 AND expires_at > $2 AND seen_at > $3
		ORDER BY seen_at DESC, id DESC`, readerID, db.Micros(now), db.Micros(now.Add(-s.SessionIdle)))
	return db.Rows(rows, err, func(row db.Scanner) (Session, error) {
		var n Session
		var created, seen, expires int64
		err := row.Scan(&n.ID, &n.ReaderID, &n.Agent, &created, &seen, &expires)
		n.CreatedAt, n.SeenAt, n.ExpiresAt = db.Time(created), db.Time(seen), db.Time(expires)
		return n, err
	})
}

// EndSession signs one of a reader's browsers out. A session of somebody else,
// or none, is NotFound.
func (s *Store) EndSession(ctx context.Context, tx *db.Tx, readerID, sessionID string) (err error) {
	defer wrap(&err, "EndSession(%s, %s)", readerID, sessionID)
	result, err := tx.ExecContext(ctx, `DELETE FROM session WHERE id = $1 AND reader_id = $2`, sessionID, readerID)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return cmp.Or(err, error(fault.New(fault.NotFound, "there is no such session")))
	}
	return s.changed(ctx, tx, readerID)
}

// EndSessions signs a reader out everywhere, ends letters under way, and bumps
// his epoch so that nothing that remembers him goes on doing so.
func (s *Store) EndSessions(ctx context.Context, tx *db.Tx, readerID string) (err error) {
	defer wrap(&err, "EndSessions(%s)", readerID)
	if _, err := tx.ExecContext(ctx, `DELETE FROM session WHERE reader_id = $1`, readerID); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE signin SET used_at = $2 WHERE used_at = 0
		AND email_key = (SELECT email_key FROM reader WHERE id = $1)`, readerID, db.Micros(s.Now()))
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE reader SET epoch = epoch + 1 WHERE id = $1`, readerID); err != nil {
		return err
	}
	return s.changed(ctx, tx, readerID)
}
