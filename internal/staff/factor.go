package staff

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
)

// Way is how somebody proved who he is.
type Way string

// The ways. A passkey asks its owner for a finger or a PIN, so that it is both
// factors at once; the others confirm what a link began.
const (
	ByLink     Way = "link"
	ByPasskey  Way = "passkey"
	ByTOTP     Way = "totp"
	ByRecovery Way = "recovery"
)

// Lack is what a session has yet to do before it opens the desk.
type Lack string

// The lacks.
const (
	LacksNothing      Lack = ""
	LacksFactor       Lack = "factor"       // the role takes a second factor, and there is none
	LacksConfirmation Lack = "confirmation" // there is one, and it was not shown
)

// Forces reports whether the person may not work without a second factor: by
// his role, everywhere or in one section.
func (s *Store) Forces(p Person) bool {
	if s.ForceFrom == "" {
		return false
	}
	for _, r := range p.Sections {
		if r.May(s.ForceFrom) {
			return true
		}
	}
	return p.Role.May(s.ForceFrom)
}

// Lack tells what the visit's session has yet to do.
func (s *Store) Lack(v Visit) Lack {
	switch {
	case v.Factors && v.Session.ConfirmedAt.IsZero():
		return LacksConfirmation
	case !v.Factors && s.Forces(v.Person):
		return LacksFactor
	}
	return LacksNothing
}

// Fresh reports whether a second factor was confirmed within that time, or
// there is none to ask for.
func (s *Store) Fresh(v Visit, within time.Duration) bool {
	return !v.Factors || s.Now().Sub(v.Session.ConfirmedAt) < within
}

// Factors are somebody's second factors.
type Factors struct {
	Passkeys []Passkey
	TOTP     TOTP
	Recovery int // codes that are left
}

// Any reports whether there is a second factor: recovery codes are none.
func (f Factors) Any() bool { return len(f.Passkeys) > 0 || f.TOTP.Enrolled() }

// Factors gives somebody's second factors.
func (s *Store) Factors(ctx context.Context, q db.Queryer, staffID string) (f Factors, err error) {
	defer wrap(&err, "Factors(%s)", staffID)
	if f.Passkeys, err = s.passkeys(ctx, q, staffID); err != nil {
		return f, err
	}
	if f.TOTP, err = s.totp(ctx, q, staffID); err != nil && !fault.Is(err, fault.NotFound) {
		return f, err
	}
	err = q.QueryRowContext(ctx, `SELECT COUNT(*) FROM staff_recovery WHERE staff_id = $1`, staffID).Scan(&f.Recovery)
	return f, err
}

// Reset takes every second factor, session and link from somebody who has lost
// his key. A new link lets him enrol anew.
func (s *Store) Reset(ctx context.Context, tx *db.Tx, id string) (err error) {
	defer wrap(&err, "Reset(%s)", id)
	if _, err := s.one(ctx, tx, `id = $1`, id); err != nil {
		return err
	}
	for _, table := range []string{"staff_passkey", "staff_totp", "staff_recovery", "staff_link"} {
		if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE staff_id = $1`, id); err != nil {
			return err
		}
	}
	return s.endSessions(ctx, tx, id)
}

// keepOne refuses, after a factor was removed in tx, when it was the last of
// somebody for whom one is forced. Recovery codes go with the last factor.
func (s *Store) keepOne(ctx context.Context, tx *db.Tx, staffID string) error {
	// Written to first, so that two removals at once go one after the other.
	if _, err := tx.ExecContext(ctx, `UPDATE staff SET role = role WHERE id = $1`, staffID); err != nil {
		return err
	}
	f, err := s.Factors(ctx, tx, staffID)
	if err != nil || f.Any() {
		return err
	}
	p, err := s.one(ctx, tx, `id = $1`, staffID)
	if err != nil {
		return err
	}
	if s.Forces(p) {
		return fault.New(fault.Conflict, "your role takes a second factor, and this is the last").WithHint("add another one first")
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM staff_recovery WHERE staff_id = $1`, staffID)
	return err
}

// recoveryCodes is how many recovery codes somebody gets.
const recoveryCodes = 10

// NewRecoveryCodes makes codes ("abcd-efgh-ijkl-mnop"), each good once in place
// of a second factor. Those made before end. They are shown this once.
func (s *Store) NewRecoveryCodes(ctx context.Context, tx *db.Tx, staffID string) (codes []string, err error) {
	defer wrap(&err, "NewRecoveryCodes(%s)", staffID)
	if _, err := tx.ExecContext(ctx, `DELETE FROM staff_recovery WHERE staff_id = $1`, staffID); err != nil {
		return nil, err
	}
	for range recoveryCodes {
		raw := make([]byte, 10) // 80 bits cannot be guessed, so a fast hash is enough
		rand.Read(raw)
		code := strings.ToLower(base32.StdEncoding.EncodeToString(raw))
		if _, err := tx.ExecContext(ctx, `INSERT INTO staff_recovery (code_hash, staff_id) VALUES ($1, $2)`, hash(staffID+" "+code), staffID); err != nil {
			return nil, err
		}
		codes = append(codes, strings.Join([]string{code[:4], code[4:8], code[8:12], code[12:]}, "-"))
	}
	return codes, nil
}

// UseRecoveryCode uses up one of somebody's codes, in whatever case and with or
// without hyphens. Another is Invalid.
func (s *Store) UseRecoveryCode(ctx context.Context, tx *db.Tx, staffID, code string) (err error) {
	defer wrap(&err, "UseRecoveryCode(%s)", staffID)
	code = strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(code))
	result, err := tx.ExecContext(ctx, `DELETE FROM staff_recovery WHERE code_hash = $1 AND staff_id = $2`, hash(staffID+" "+code), staffID)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return wrongCode()
}

func wrongCode() error {
	return fault.New(fault.Invalid, "this code is not right").WithHint("wait for the next code, and type that")
}
