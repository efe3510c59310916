package staff

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" // RFC 6238 §1.2: what authenticator apps have
	"crypto/subtle"
	"database/sql"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"

	"masthead/internal/db"
	"masthead/internal/fault"
)

// Codes of six digits, each good for thirty seconds, and its neighbours too:
// clocks go wrong (RFC 6238 §5.2).
const (
	totpDigits = 6
	totpPeriod = 30
	totpSkew   = 1
)

// TOTP is an authenticator app that shows codes. Its zero value is none.
type TOTP struct {
	Secret     []byte // 20 random bytes
	EnrolledAt time.Time
	UsedAt     time.Time
	lastStep   int64
}

// Enrolled reports whether a first code was shown: till then it opens nothing.
func (t TOTP) Enrolled() bool { return !t.EnrolledAt.IsZero() }

// Text gives the secret as it is typed into an app: base32 in groups of four.
func (t TOTP) Text() string {
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(t.Secret)
	var groups []string
	for len(text) > 4 {
		groups, text = append(groups, text[:4]), text[4:]
	}
	return strings.Join(append(groups, text), " ")
}

// URL gives the address that opens an app with the secret
// (https://github.com/google/google-authenticator/wiki/Key-Uri-Format).
func (t TOTP) URL(site, email string) string {
	q := "secret=" + strings.ReplaceAll(t.Text(), " ", "") + "&issuer=" + strings.ReplaceAll(url.QueryEscape(site), "+", "%20") + "&algorithm=SHA1&digits=6&period=30"
	return "otpauth://totp/" + url.PathEscape(site) + ":" + url.PathEscape(email) + "?" + q
}

// code gives the code of a step (RFC 4226 §5.3).
func (t TOTP) code(step int64) string {
	mac := hmac.New(sha1.New, t.Secret)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0x0f
	n := binary.BigEndian.Uint32(sum[at:]) & 0x7fffffff
	return fmt.Sprintf("%0*d", totpDigits, n%1_000_000)
}

// CodeAt gives the code that an app with this secret, as [TOTP.Text] writes it,
// shows at that time; "" where it is no secret. It is for tests of the desk.
func CodeAt(secret string, at time.Time) string {
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(secret, " ", ""))
	if err != nil {
		return ""
	}
	return TOTP{Secret: raw}.code(at.Unix() / totpPeriod)
}

// step gives the step that a code is of, later than the last one used.
func (t TOTP) step(code string, now time.Time) (step int64, ok bool) {
	current := now.Unix() / totpPeriod
	for s := current - totpSkew; s <= current+totpSkew; s++ {
		// Each is compared, so that the time tells nothing.
		if subtle.ConstantTimeCompare([]byte(t.code(s)), []byte(code)) == 1 && s > t.lastStep && !ok {
			step, ok = s, true
		}
	}
	return step, ok
}

// digits gives a code as somebody typed it: spaces do not count, and any
// script's digits do.
func digits(code string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return -1
		case r >= '٠' && r <= '٩':
			return r - '٠' + '0'
		case r >= '۰' && r <= '۹':
			return r - '۰' + '0'
		}
		return r
	}, code)
}

func (s *Store) totp(ctx context.Context, q db.Queryer, staffID string) (t TOTP, err error) {
	var sealed string
	var enrolled, used int64
	err = q.QueryRowContext(ctx, `SELECT secret, enrolled_at, last_step, used_at FROM staff_totp WHERE staff_id = $1`, staffID).
		Scan(&sealed, &enrolled, &t.lastStep, &used)
	if errors.Is(err, sql.ErrNoRows) {
		return TOTP{}, fault.New(fault.NotFound, "there is no authenticator app")
	}
	if err != nil {
		return TOTP{}, err
	}
	t.EnrolledAt, t.UsedAt = db.Time(enrolled), db.Time(used)
	t.Secret, err = s.Keys.Open(sealed, staffID)
	return t, err
}

// BeginTOTP makes a secret for an authenticator app, which counts from when a
// first code was shown to [Store.EnrolTOTP]. Where one counts already: Conflict.
func (s *Store) BeginTOTP(ctx context.Context, tx *db.Tx, staffID string) (t TOTP, err error) {
	defer wrap(&err, "BeginTOTP(%s)", staffID)
	t.Secret = make([]byte, 20) // RFC 4226 §4: as long as the hash
	rand.Read(t.Secret)
	sealed, err := s.Keys.Seal(t.Secret, staffID)
	if err != nil {
		return TOTP{}, err
	}
	result, err := tx.ExecContext(ctx, `
		INSERT INTO staff_totp (staff_id, secret, created_at) VALUES ($1, $2, $3)
		ON CONFLICT (staff_id) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at WHERE staff_totp.enrolled_at = 0`,
		staffID, sealed, db.Micros(s.Now()))
	if err != nil {
		return TOTP{}, err
	}
	if n, err := result.RowsAffected(); err != nil {
		return TOTP{}, err
	} else if n == 0 {
		return TOTP{}, fault.New(fault.Conflict, "there is an authenticator app already").WithHint("remove that one first")
	}
	return t, nil
}

// PendingTOTP gives what [Store.BeginTOTP] made, until it is enrolled; else NotFound.
func (s *Store) PendingTOTP(ctx context.Context, q db.Queryer, staffID string) (t TOTP, err error) {
	defer wrap(&err, "PendingTOTP(%s)", staffID)
	t, err = s.totp(ctx, q, staffID)
	if err == nil && t.Enrolled() {
		return TOTP{}, fault.New(fault.NotFound, "no authenticator app waits for its first code")
	}
	return t, err
}

// EnrolTOTP makes the app count, by its first code. A wrong one is Invalid.
func (s *Store) EnrolTOTP(ctx context.Context, tx *db.Tx, staffID, code string) (err error) {
	defer wrap(&err, "EnrolTOTP(%s)", staffID)
	return s.useTOTP(ctx, tx, staffID, code, false)
}

// CheckTOTP takes a code. One that is wrong, or was used, is Invalid.
func (s *Store) CheckTOTP(ctx context.Context, tx *db.Tx, staffID, code string) (err error) {
	defer wrap(&err, "CheckTOTP(%s)", staffID)
	return s.useTOTP(ctx, tx, staffID, code, true)
}

func (s *Store) useTOTP(ctx context.Context, tx *db.Tx, staffID, code string, enrolled bool) error {
	t, err := s.totp(ctx, tx, staffID)
	if fault.Is(err, fault.NotFound) || err == nil && t.Enrolled() != enrolled {
		return wrongCode()
	}
	if err != nil {
		return err
	}
	step, ok := t.step(digits(code), s.Now())
	if !ok {
		return wrongCode()
	}
	// Of two requests with one code, one finds the step used (RFC 6238 §5.2).
	result, err := tx.ExecContext(ctx, `
		UPDATE staff_totp SET last_step = $2, used_at = $3, enrolled_at = CASE WHEN enrolled_at = 0 THEN $3 ELSE enrolled_at END
		WHERE staff_id = $1 AND last_step < $2`, staffID, step, db.Micros(s.Now()))
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return wrongCode()
}

// RemoveTOTP takes the app away. The last factor of somebody who must have one
// stays: Conflict.
func (s *Store) RemoveTOTP(ctx context.Context, tx *db.Tx, staffID string) (err error) {
	defer wrap(&err, "RemoveTOTP(%s)", staffID)
	if _, err := tx.ExecContext(ctx, `DELETE FROM staff_totp WHERE staff_id = $1`, staffID); err != nil {
		return err
	}
	return s.keepOne(ctx, tx, staffID)
}
