package webhook

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/fetch"
	"masthead/internal/seal"
	"masthead/internal/story"
)

// Store keeps hooks and deliveries. Its fields are set before it is used.
type Store struct {
	Now     func() time.Time
	Keys    seal.Keys // for the hooks' secrets
	Stories *story.Store
	URL     string // the newsroom's address, without a slash at its end
	Client  *fetch.Client
	// Insecure takes receivers without TLS: for tests and for development.
	Insecure bool
	// Post has [Store.Deliver] done at a time, once tx is committed.
	Post func(ctx context.Context, tx *db.Tx, b Bring, at time.Time) error
	// SwitchedOff is told, in the transaction, of a hook that has failed for too long, or is gone; nil tells nobody.
	SwitchedOff func(ctx context.Context, tx *db.Tx, h Hook) error
}

// Bring is the job of an attempt.
type Bring struct {
	Delivery string `json:"delivery"`
	Round    int    `json:"round"`
	Attempt  int    `json:"attempt"` // which: one that was made is not made again
}

// Kind implements job.Args.
func (Bring) Kind() string { return "webhook" }

const hookColumns = `id, url, about, events, created_at, failing_since, off_at, off_why`

func scanHook(row db.Scanner) (h Hook, err error) {
	var events string
	var created, failing, off int64
	if err := row.Scan(&h.ID, &h.URL, &h.About, &events, &created, &failing, &off, &h.OffWhy); err != nil {
		return h, err
	}
	h.CreatedAt, h.FailingSince, h.OffAt = db.Time(created), db.Time(failing), db.Time(off)
	return h, json.Unmarshal([]byte(events), &h.Events)
}

// Create makes a hook, and gives the secret that signs what it gets ("whsec_" and
// base64 of 32 bytes), which is shown this once.
func (s *Store) Create(ctx context.Context, tx *db.Tx, h Hook) (made Hook, secret string, err error) {
	defer wrap(&err, "Create")
	if err := h.check(s.Insecure); err != nil {
		return Hook{}, "", err
	}
	made = Hook{ID: db.NewID(), URL: h.URL, About: h.About, Events: h.Events, CreatedAt: s.Now().UTC().Truncate(time.Microsecond)}
	secret, sealed, err := s.newSecret(made.ID)
	if err != nil {
		return Hook{}, "", err
	}
	events, err := json.Marshal(made.Events)
	if err != nil {
		return Hook{}, "", err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO webhook (id, url, about, events, secret, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		made.ID, made.URL, made.About, string(events), sealed, db.Micros(made.CreatedAt))
	return made, secret, err
}

// Change sets a hook's address, events and what it is for, and switches it on
// or off: h.OffAt counts as zero or not. None with that ID is NotFound.
func (s *Store) Change(ctx context.Context, tx *db.Tx, h Hook) (changed Hook, err error) {
	defer wrap(&err, "Change(%s)", h.ID)
	if err := h.check(s.Insecure); err != nil {
		return Hook{}, err
	}
	events, err := json.Marshal(h.Events)
	if err != nil {
		return Hook{}, err
	}
	changed, err = scanHook(tx.QueryRowContext(ctx, `UPDATE webhook SET url = $2, about = $3, events = $4,
			off_at = CASE WHEN $5 = 0 THEN 0 WHEN off_at > 0 THEN off_at ELSE $6 END,
			off_why = CASE WHEN $5 = 0 OR off_at = 0 THEN '' ELSE off_why END,
			failing_since = CASE WHEN $5 = 0 AND off_at > 0 THEN 0 ELSE failing_since END
		WHERE id = $1 RETURNING `+hookColumns, h.ID, h.URL, h.About, string(events), count(h.Off()), db.Micros(s.Now())))
	return changed, absent(err, "there is no such webhook")
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

// Rotate gives a hook a new secret, which is shown this once; the old one signs nothing more.
func (s *Store) Rotate(ctx context.Context, tx *db.Tx, id string) (secret string, err error) {
	defer wrap(&err, "Rotate(%s)", id)
	secret, sealed, err := s.newSecret(id)
	if err != nil {
		return "", err
	}
	return secret, one(tx.ExecContext(ctx, `UPDATE webhook SET secret = $2 WHERE id = $1`, id, sealed))
}

// Delete removes a hook with its deliveries; none with that ID is NotFound.
func (s *Store) Delete(ctx context.Context, tx *db.Tx, id string) (err error) {
	defer wrap(&err, "Delete(%s)", id)
	return one(tx.ExecContext(ctx, `DELETE FROM webhook WHERE id = $1`, id))
}

// ByID gives a hook, or NotFound.
func (s *Store) ByID(ctx context.Context, q db.Queryer, id string) (h Hook, err error) {
	defer wrap(&err, "ByID(%s)", id)
	h, err = scanHook(q.QueryRowContext(ctx, `SELECT `+hookColumns+` FROM webhook WHERE id = $1`, id))
	return h, absent(err, "there is no such webhook")
}

// List gives every hook, the newest first.
func (s *Store) List(ctx context.Context, q db.Queryer) (list []Hook, err error) {
	defer wrap(&err, "List")
	rows, err := q.QueryContext(ctx, `SELECT `+hookColumns+` FROM webhook ORDER BY id DESC`)
	return db.Rows(rows, err, scanHook)
}

const deliveryColumns = `id, webhook_id, event, object, payload, state, round, attempts, status, answer, next_at, tried_at, began_at, created_at`

func scanDelivery(row db.Scanner) (d Delivery, err error) {
	var next, tried, began, created int64
	err = row.Scan(&d.ID, &d.HookID, &d.Event, &d.Object, &d.Payload, &d.State, &d.Round, &d.Attempts, &d.Status, &d.Answer, &next, &tried, &began, &created)
	d.NextAt, d.TriedAt, d.BeganAt, d.CreatedAt = db.Time(next), db.Time(tried), db.Time(began), db.Time(created)
	return d, err
}

// Deliveries gives up to limit deliveries of a hook, the newest first, beginning
// after the one with ID before ("" for the first).
func (s *Store) Deliveries(ctx context.Context, q db.Queryer, hookID, before string, limit int) (list []Delivery, err error) {
	defer wrap(&err, "Deliveries(%s)", hookID)
	rows, err := q.QueryContext(ctx, `SELECT `+deliveryColumns+` FROM webhook_delivery
		WHERE webhook_id = $1 AND (CAST($2 AS TEXT) = '' OR id < $2) ORDER BY id DESC LIMIT $3`, hookID, before, limit)
	return db.Rows(rows, err, scanDelivery)
}

// Delivery gives one delivery of a hook, or NotFound.
func (s *Store) Delivery(ctx context.Context, q db.Queryer, hookID, id string) (d Delivery, err error) {
	defer wrap(&err, "Delivery(%s)", id)
	d, err = scanDelivery(q.QueryRowContext(ctx, `SELECT `+deliveryColumns+` FROM webhook_delivery WHERE id = $1 AND webhook_id = $2`, id, hookID))
	return d, absent(err, "there is no such delivery")
}

// Redeliver sends a delivery again, under the same webhook-id, for a day anew.
func (s *Store) Redeliver(ctx context.Context, tx *db.Tx, hookID, id string) (d Delivery, err error) {
	defer wrap(&err, "Redeliver(%s)", id)
	h, err := s.ByID(ctx, tx, hookID)
	if err != nil {
		return d, err
	}
	if h.Off() {
		return d, fault.New(fault.Conflict, "the webhook is switched off").WithHint("switch it on first")
	}
	now := s.Now()
	d, err = scanDelivery(tx.QueryRowContext(ctx, `UPDATE webhook_delivery SET state = 'waiting', round = round + 1, attempts = 0, began_at = $3, next_at = $3
		WHERE id = $1 AND webhook_id = $2 RETURNING `+deliveryColumns, id, hookID, db.Micros(now)))
	if err != nil {
		return d, absent(err, "there is no such delivery")
	}
	return d, s.Post(ctx, tx, Bring{d.ID, d.Round, 1}, now)
}

// Kept is how long the log of deliveries goes back.
const Kept = 30 * 24 * time.Hour

// Sweep forgets what was delivered or given up long ago.
func (s *Store) Sweep(ctx context.Context, q db.Queryer) (err error) {
	defer wrap(&err, "Sweep")
	_, err = q.ExecContext(ctx, `DELETE FROM webhook_delivery WHERE created_at < $1 AND state <> 'waiting'`, db.Micros(s.Now().Add(-Kept)))
	return err
}

func (s *Store) newSecret(id string) (secret, sealed string, err error) {
	key := make([]byte, 32)
	rand.Read(key)
	secret = secretPrefix + base64.StdEncoding.EncodeToString(key)
	sealed, err = s.Keys.Seal([]byte(secret), id)
	return secret, sealed, err
}

func (s *Store) secret(ctx context.Context, q db.Queryer, id string) (string, error) {
	var sealed string
	if err := q.QueryRowContext(ctx, `SELECT secret FROM webhook WHERE id = $1`, id).Scan(&sealed); err != nil {
		return "", absent(err, "there is no such webhook")
	}
	secret, err := s.Keys.Open(sealed, id)
	return string(secret), err
}

// one is NotFound where nothing was changed.
func one(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return fault.New(fault.NotFound, "there is no such webhook")
}

func absent(err error, message string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fault.New(fault.NotFound, message)
	}
	return err
}
