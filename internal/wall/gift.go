package wall

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
)

// Gift is one story that a reader gave away by a link. It lasts until it
// expires, is revoked, or the reader or the story is deleted; a reader whose
// own access lapses leaves his gifts as they are.
type Gift struct {
	ID        string
	StoryID   string
	ReaderID  string
	CreatedAt time.Time
	ExpiresAt time.Time
	RevokedAt time.Time // zero while it is not
	Opened    int       // how often it opened the story
}

// Live reports whether the gift opens its story at a time.
func (g Gift) Live(now time.Time) bool { return g.RevokedAt.IsZero() && now.Before(g.ExpiresAt) }

// refusal says why the gift does not open a story, or "" if it does.
func (g *Gift) refusal(storyID string, now time.Time) string {
	switch {
	case g.StoryID != storyID:
		return "the gift is of another story"
	case !g.RevokedAt.IsZero():
		return "the gift was revoked"
	case !now.Before(g.ExpiresAt):
		return "the gift expired on " + g.ExpiresAt.UTC().Format(time.DateOnly)
	}
	return ""
}

// giftWindow is what the quota is counted over.
const giftWindow = 30

// tokenBytes of randomness cannot be guessed (128 bits); only their SHA-256 is kept.
const tokenBytes = 16

// GiftCreate gives a story away: d is what the wall decided for this reader
// and this story. It returns the gift, and the token for its link, which
// cannot be had again. A reader who may not read the story, or was given it
// himself, is Forbidden; one whose quota is spent gets TooMany.
func (s *Store) GiftCreate(ctx context.Context, tx *db.Tx, reader Reader, storyID string, d Decision) (Gift, string, error) {
	fail := func(err error) (Gift, string, error) {
		return Gift{}, "", fmt.Errorf("wall.GiftCreate(%s): %w", storyID, err)
	}
	if !d.MayGive(reader) {
		return fail(fault.New(fault.Forbidden, "only a reader of this story can give it").
			WithHint("sign in, and open the story before giving it"))
	}
	// Two requests at once must not both find the last one free: writing the
	// reader's row makes the second wait for the first.
	locked, err := tx.ExecContext(ctx, `UPDATE reader SET id = id WHERE id = $1`, reader.ID)
	if err != nil {
		return fail(err)
	}
	if n, err := locked.RowsAffected(); err != nil || n == 0 {
		return fail(errors.Join(err, fault.New(fault.NotFound, "no such reader", "reader", reader.ID)))
	}
	left, err := s.GiftsLeft(ctx, tx, reader.ID)
	if err != nil {
		return fail(err)
	}
	if left == 0 {
		return fail(fault.New(fault.TooMany, fmt.Sprintf("%d stories in %d days can be given, and these are", s.GiftQuota, giftWindow)).
			WithHint("give the story when the first of them is %d days old", giftWindow))
	}
	secret := make([]byte, tokenBytes)
	rand.Read(secret) // never fails (crypto/rand)
	token := base64.RawURLEncoding.EncodeToString(secret)
	now := s.Now().UTC().Truncate(time.Microsecond)
	g := Gift{ID: db.NewID(), StoryID: storyID, ReaderID: reader.ID, CreatedAt: now, ExpiresAt: now.Add(days(s.GiftDays))}
	_, err = tx.ExecContext(ctx, `INSERT INTO gift (id, story_id, reader_id, secret_hash, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6)`,
		g.ID, g.StoryID, g.ReaderID, hashToken(token), db.Micros(g.CreatedAt), db.Micros(g.ExpiresAt))
	if err != nil {
		return fail(err)
	}
	return g, token, nil
}

// GiftsLeft gives how many more stories the reader may give now. A revoked
// gift stays counted: else the quota would bound nothing.
func (s *Store) GiftsLeft(ctx context.Context, q db.Queryer, readerID string) (int, error) {
	var given int
	err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM gift WHERE reader_id = $1 AND created_at > $2`,
		readerID, db.Micros(s.Now().Add(-days(giftWindow)))).Scan(&given)
	if err != nil {
		return 0, fmt.Errorf("wall.GiftsLeft(%s): %w", readerID, err)
	}
	return max(0, s.GiftQuota-given), nil
}

const giftColumns = `id, story_id, reader_id, created_at, expires_at, revoked_at, opened`

func scanGift(row db.Scanner) (Gift, error) {
	var g Gift
	var created, expires, revoked int64
	err := row.Scan(&g.ID, &g.StoryID, &g.ReaderID, &created, &expires, &revoked, &g.Opened)
	g.CreatedAt, g.ExpiresAt, g.RevokedAt = db.Time(created), db.Time(expires), db.Time(revoked)
	return g, err
}

// GiftByToken finds the gift of a link that opens this story: NotFound when
// there is none, or it is of another story; Gone when it expired or was revoked.
func (s *Store) GiftByToken(ctx context.Context, q db.Queryer, token, storyID string) (Gift, error) {
	if len(token) != base64.RawURLEncoding.EncodedLen(tokenBytes) {
		return Gift{}, fault.New(fault.NotFound, "no such gift")
	}
	g, err := scanGift(q.QueryRowContext(ctx, `SELECT `+giftColumns+` FROM gift WHERE secret_hash = $1 AND story_id = $2`,
		hashToken(token), storyID))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Gift{}, fault.New(fault.NotFound, "no such gift")
	case err != nil:
		return Gift{}, fmt.Errorf("wall.GiftByToken(%s): %w", storyID, err)
	case !g.Live(s.Now()):
		return Gift{}, fault.New(fault.Gone, "this gift is no longer open", "gift", g.ID)
	}
	return g, nil
}

// GiftOpened counts that a gift opened its story: the caller does so when
// [Decision.Rule] is ByGift and the visit is no Peek.
func (s *Store) GiftOpened(ctx context.Context, tx *db.Tx, id string) error {
	if _, err := tx.ExecContext(ctx, `UPDATE gift SET opened = opened + 1 WHERE id = $1`, id); err != nil {
		return fmt.Errorf("wall.GiftOpened(%s): %w", id, err)
	}
	return nil
}

// GiftRevoke ends a reader's gift: NotFound when he has none of that ID. To
// revoke it again changes nothing.
func (s *Store) GiftRevoke(ctx context.Context, tx *db.Tx, readerID, id string) error {
	res, err := tx.ExecContext(ctx, `UPDATE gift SET revoked_at = CASE WHEN revoked_at = 0 THEN CAST($1 AS BIGINT) ELSE revoked_at END
		WHERE id = $2 AND reader_id = $3`, db.Micros(s.Now()), id, readerID)
	if err != nil {
		return fmt.Errorf("wall.GiftRevoke(%s): %w", id, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return fmt.Errorf("wall.GiftRevoke(%s): %w", id, errors.Join(err, fault.New(fault.NotFound, "no such gift", "gift", id)))
	}
	return nil
}

// GiftsOf gives a reader's gifts, newest first, with those that have ended.
func (s *Store) GiftsOf(ctx context.Context, q db.Queryer, readerID string) ([]Gift, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+giftColumns+` FROM gift WHERE reader_id = $1 ORDER BY created_at DESC, id DESC`, readerID)
	gifts, err := db.Rows(rows, err, scanGift)
	if err != nil {
		return nil, fmt.Errorf("wall.GiftsOf(%s): %w", readerID, err)
	}
	return gifts, nil
}

func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
