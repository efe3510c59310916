package api

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"time"
	"unicode/utf8"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/seal"
	"masthead/internal/staff"
)

// What a request with an Idempotency-Key is held to
// (draft-ietf-httpapi-idempotency-key-header-07).
const (
	maxKey    = 255            // bytes
	keyLife   = 24 * time.Hour // for which its answer is given again
	keyFlight = 10 * time.Minute
)

// claim is one try of a request that bears a key. A nil claim is of one that bears none.
type claim struct {
	n       *Newsroom
	tokenID string
	name    string
	attempt string
	keys    seal.Keys
}

// claim takes a key for a request, or gives the answer that is kept under it. The
// key with another request is 422, while the request is under way 409.
//
// The change and the note that it was made are in one transaction. So a try whose
// machine stopped is taken up again where nothing was changed, and where
// something was, it is told that the answer is lost.
func (n *Newsroom) claim(ctx context.Context, t staff.Token, secret, name string, r *http.Request, body string) (*claim, *capture, error) {
	if len(name) > maxKey || !utf8.ValidString(name) || !isPlain(name) {
		return nil, nil, fault.New(fault.Invalid, "the Idempotency-Key cannot be used").WithHint("write at most %d letters, digits and signs of ASCII", maxKey)
	}
	// What is kept may hold secrets, so that only who knows the token's opens it.
	key := sha256.Sum256([]byte("masthead idempotency " + secret))
	c := &claim{n: n, tokenID: t.ID, name: name, attempt: db.NewID(), keys: seal.Keys{key[:]}}
	h := newHash()
	fmt.Fprintf(h, "%s %s\n%s\n%s", r.Method, r.URL.RequestURI(), r.Header.Get("Content-Type"), body)
	request, now := text(h), n.Now()
	var was struct {
		request, attempt, answer string
		done                     bool
		status                   int
	}
	err := n.DB.InTx(ctx, func(tx *db.Tx) error {
		// One that is too old, or was begun long ago and did nothing, makes room.
		return tx.QueryRowContext(ctx, `INSERT INTO idempotency (token_id, name, request, attempt, at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (token_id, name) DO UPDATE SET
				request = CASE WHEN idempotency.at <= $6 OR (idempotency.status = 0 AND NOT idempotency.done AND idempotency.at <= $7 AND idempotency.request = excluded.request) THEN excluded.request ELSE idempotency.request END,
				attempt = CASE WHEN idempotency.at <= $6 OR (idempotency.status = 0 AND NOT idempotency.done AND idempotency.at <= $7 AND idempotency.request = excluded.request) THEN excluded.attempt ELSE idempotency.attempt END,
				done = CASE WHEN idempotency.at <= $6 THEN FALSE ELSE idempotency.done END,
				status = CASE WHEN idempotency.at <= $6 THEN 0 ELSE idempotency.status END,
				answer = CASE WHEN idempotency.at <= $6 THEN '' ELSE idempotency.answer END,
				at = CASE WHEN idempotency.at <= $6 OR (idempotency.status = 0 AND NOT idempotency.done AND idempotency.at <= $7 AND idempotency.request = excluded.request) THEN excluded.at ELSE idempotency.at END
			RETURNING request, attempt, answer, done, status`,
			c.tokenID, name, request, c.attempt, db.Micros(now), db.Micros(now.Add(-keyLife)), db.Micros(now.Add(-keyFlight))).
			Scan(&was.request, &was.attempt, &was.answer, &was.done, &was.status)
	})
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("api: idempotency key: %w", err)
	case was.request != request:
		return nil, nil, newProblem(ctx, http.StatusUnprocessableEntity, "the Idempotency-Key was used for another request")
	case was.attempt == c.attempt:
		return c, nil, nil
	case was.status == 0 && was.done:
		return nil, nil, fault.New(fault.Conflict, "the request was carried out, and its answer is lost").WithHint("look at what it changed")
	case was.status == 0:
		return nil, nil, fault.New(fault.Conflict, "a request with this Idempotency-Key is under way").WithHint("try again in a moment")
	}
	kept, err := c.open(was.answer)
	if err != nil {
		return nil, nil, err
	}
	kept.status = was.status
	return nil, kept, nil
}

// done notes, in the transaction of the change, that the request was carried
// out. A try that another has taken over ends here.
func (c *claim) done(ctx context.Context, tx *db.Tx) error {
	if c == nil {
		return nil
	}
	var attempt string
	err := tx.QueryRowContext(ctx, `UPDATE idempotency SET done = TRUE WHERE token_id = $1 AND name = $2 AND attempt = $3 AND NOT done RETURNING attempt`,
		c.tokenID, c.name, c.attempt).Scan(&attempt)
	if errors.Is(err, sql.ErrNoRows) {
		return fault.New(fault.Conflict, "another request with this Idempotency-Key came first")
	}
	return err
}

// keep writes down a good answer. After another nothing was changed, and the
// key is free again.
func (c *claim) keep(ctx context.Context, answer *capture) error {
	status := max(answer.status, http.StatusOK)
	return c.n.DB.InTx(ctx, func(tx *db.Tx) error {
		if status >= 300 {
			_, err := tx.ExecContext(ctx, `DELETE FROM idempotency WHERE token_id = $1 AND name = $2 AND attempt = $3 AND NOT done`, c.tokenID, c.name, c.attempt)
			return err
		}
		sealed, err := c.seal(answer)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE idempotency SET status = $4, answer = $5, done = TRUE WHERE token_id = $1 AND name = $2 AND attempt = $3`,
			c.tokenID, c.name, c.attempt, status, sealed)
		return err
	})
}

// kept is an answer as it is sealed.
type kept struct {
	Header http.Header `json:"header"`
	Body   []byte      `json:"body"`
}

func (c *claim) seal(answer *capture) (string, error) {
	raw, err := json.Marshal(kept{answer.header, answer.body.Bytes()})
	if err != nil {
		return "", err
	}
	return c.keys.Seal(raw, c.name)
}

func (c *claim) open(sealed string) (*capture, error) {
	raw, err := c.keys.Open(sealed, c.name)
	if err != nil {
		return nil, fmt.Errorf("api: an answer that is kept: %w", err)
	}
	var k kept
	if err := json.Unmarshal(raw, &k); err != nil {
		return nil, err
	}
	answer := &capture{header: k.Header}
	answer.body.Write(k.Body)
	return answer, nil
}

// Sweep forgets the answers of requests whose keys are too old.
func Sweep(ctx context.Context, q db.Queryer, now time.Time) error {
	_, err := q.ExecContext(ctx, `DELETE FROM idempotency WHERE at <= $1`, db.Micros(now.Add(-keyLife)))
	return err
}

func newHash() hash.Hash { return sha256.New() }

func text(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }
