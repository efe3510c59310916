package reader

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
)

// Request is somebody who asks to register or to sign in.
type Request struct {
	Email    string
	ReturnTo string       // where the reader came from; passed through SafeReturn
	Lang     string       // of the page, and so of the letter
	Network  netip.Prefix // of [Network]; an invalid one is not limited

	// What a registration form may ask too. Both count only at the first
	// sign-in: nobody may change another's account by asking for a letter.
	Name        string
	Newsletters []string // slugs, checked by the caller
}

// Letter is what the one letter must tell. It is the only place where the
// token and the code exist.
type Letter struct {
	SigninID  string // for the cookie of the browser that asked
	Email     string // where the letter goes; for a known reader the address on record
	Lang      string
	LinkToken string // 43 characters, fit for an address
	Code      string // six digits
	Register  bool   // the letter is the first: word it so, but show nothing of it on the page
	ExpiresAt time.Time
}

// Pending is a sign-in that waits for its confirmation.
type Pending struct {
	Email     string
	ReturnTo  string
	Lang      string
	Register  bool // confirming makes a new account
	ExpiresAt time.Time
}

// Proof shows that the right code was entered; only [Store.CheckCode] makes one.
type Proof struct{ signinID string }

// Entry is a sign-in that was confirmed.
type Entry struct {
	Reader   Reader
	ReturnTo string // safe to redirect to
	New      bool   // this was the reader's first
}

// Begin writes down a request and gives what its letter must tell. It asks
// and does the same for a known address and an unknown one, and whatever it
// refuses, it refuses both: faults are Invalid for an address that cannot be
// used and TooMany ([LimitError]) over a limit. Earlier letters to the address end.
func (s *Store) Begin(ctx context.Context, tx *db.Tx, r Request) (l Letter, err error) {
	defer wrap(&err, "Begin")
	email, key, err := parseEmail(r.Email)
	if err != nil {
		return Letter{}, err
	}
	if s.Refused.Has(email) {
		return Letter{}, fault.New(fault.Invalid, "addresses of this provider cannot be used here").WithHint("use an address that you will still have next year")
	}
	name, err := CheckName(r.Name)
	if err != nil {
		return Letter{}, err
	}
	// Always the address first, then the network: two requests cannot each
	// hold what the other waits for.
	if err := s.perAddress().Take(ctx, tx, key); err != nil {
		return Letter{}, err
	}
	if r.Network.IsValid() {
		if err := s.Limiter("letter-network", s.PerNetwork).Take(ctx, tx, r.Network.Masked().String()); err != nil {
			return Letter{}, err
		}
	}
	// The letter goes to the address on record: another spelling with the same
	// key may, at some provider, be another person's mailbox.
	known := email
	err = tx.QueryRowContext(ctx, `SELECT email FROM reader WHERE email_key = $1`, key).Scan(&known)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Letter{}, err
	}
	lang, langErr := checkLang(r.Lang)
	if langErr != nil {
		lang = ""
	}
	l = Letter{SigninID: db.NewID(), Email: known, Lang: lang, LinkToken: newSecret(), Code: newCode(),
		Register: err != nil, ExpiresAt: s.Now().Add(s.LetterLife)}
	err = s.insertSignin(ctx, tx, l, key, name, r.Newsletters, SafeReturn(r.ReturnTo))
	return l, err
}

// OneTimeLink makes a link token for a known reader, for support: it signs in
// once, until ttl has passed. Earlier letters to the address end. An address
// that is not known is NotFound.
func (s *Store) OneTimeLink(ctx context.Context, tx *db.Tx, email string, ttl time.Duration) (token string, err error) {
	defer wrap(&err, "OneTimeLink")
	r, err := s.ByEmail(ctx, tx, email)
	if err != nil {
		return "", err
	}
	l := Letter{SigninID: db.NewID(), Email: r.Email, Lang: r.Lang, LinkToken: newSecret(), ExpiresAt: s.Now().Add(ttl)}
	return l.LinkToken, s.insertSignin(ctx, tx, l, EmailKey(r.Email), "", nil, "/")
}

func (s *Store) insertSignin(ctx context.Context, tx *db.Tx, l Letter, key, name string, newsletters []string, returnTo string) error {
	if len(s.Key) < minKey {
		return fmt.Errorf("the key has %d bytes, it needs %d", len(s.Key), minKey)
	}
	now := db.Micros(s.Now())
	if _, err := tx.ExecContext(ctx, `UPDATE signin SET used_at = $1 WHERE email_key = $2 AND used_at = 0`, now, key); err != nil {
		return err
	}
	codeHash := ""
	if l.Code != "" {
		codeHash = s.codeHash(l.SigninID, l.Code)
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO signin (id, email, email_key, name, newsletters, link_hash, code_hash, return_to, lang, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		l.SigninID, l.Email, key, name, toJSON(newsletters), hash(l.LinkToken), codeHash, returnTo, l.Lang, now, db.Micros(l.ExpiresAt))
	return err
}

// Peek tells what confirming a link would do, and changes nothing, so that a
// mail scanner that opens the link signs nobody in. Faults are as for [Store.ConfirmLink].
func (s *Store) Peek(ctx context.Context, q db.Queryer, linkToken string) (p Pending, err error) {
	defer wrap(&err, "Peek")
	var used, expires int64
	err = q.QueryRowContext(ctx, `
		SELECT s.email, s.return_to, s.lang, s.expires_at, s.used_at,
			NOT EXISTS (SELECT 1 FROM reader r WHERE r.email_key = s.email_key AND r.confirmed_at <> 0)
		FROM signin s WHERE s.link_hash = $1`, hash(linkToken)).Scan(&p.Email, &p.ReturnTo, &p.Lang, &expires, &used, &p.Register)
	if errors.Is(err, sql.ErrNoRows) {
		return Pending{}, noLink()
	}
	if err != nil {
		return Pending{}, err
	}
	p.ExpiresAt = db.Time(expires)
	if used != 0 || !s.Now().Before(p.ExpiresAt) {
		return Pending{}, linkOver()
	}
	return p, nil
}

// ConfirmLink signs in by the letter's link, once, making the account when it
// is new. A token that was never given is NotFound; one that was used, is too
// old, or gave way to a newer letter is Gone.
func (s *Store) ConfirmLink(ctx context.Context, tx *db.Tx, linkToken string) (e Entry, err error) {
	defer wrap(&err, "ConfirmLink")
	if _, err := s.Peek(ctx, tx, linkToken); err != nil {
		return Entry{}, err
	}
	return s.enter(ctx, tx, `link_hash = $1`, hash(linkToken))
}

// CheckCode compares a code with that of the letter which the browser with
// this sign-in asked for. The try is counted and committed before the code is
// looked at, in a transaction of its own, so nothing that fails later gives it
// back; for that reason it must not be called inside another transaction.
//
// A text that is no code at all is Invalid and costs no try; a wrong code is
// Invalid; after the last try the code is dead, TooMany, and only the link
// remains; a sign-in that is over or was never begun is Gone.
func (s *Store) CheckCode(ctx context.Context, d *db.DB, signinID, code string) (p Proof, err error) {
	defer wrap(&err, "CheckCode")
	code, err = cleanCode(code)
	if err != nil {
		return Proof{}, err
	}
	var want string
	var tries int
	err = d.InTx(ctx, func(tx *db.Tx) error {
		return tx.QueryRowContext(ctx, `
			UPDATE signin SET tries = tries + 1
			WHERE id = $1 AND used_at = 0 AND expires_at > $2 AND tries < $3
			RETURNING code_hash, tries`, signinID, db.Micros(s.Now()), s.CodeTries).Scan(&want, &tries)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return Proof{}, s.whyNoTry(ctx, d, signinID)
	}
	if err != nil {
		return Proof{}, err
	}
	if hmac.Equal([]byte(want), []byte(s.codeHash(signinID, code))) {
		return Proof{signinID}, nil
	}
	if left := s.CodeTries - tries; left > 0 {
		return Proof{}, fault.New(fault.Invalid, "the code is wrong", "left", left).WithHint("tries left: %d", left)
	}
	return Proof{}, codeDead()
}

// whyNoTry tells a code without tries left from a sign-in that is over.
func (s *Store) whyNoTry(ctx context.Context, d *db.DB, signinID string) error {
	var tries int
	err := d.Read().QueryRowContext(ctx, `SELECT tries FROM signin WHERE id = $1 AND used_at = 0 AND expires_at > $2`,
		signinID, db.Micros(s.Now())).Scan(&tries)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return codeOver()
	case err != nil:
		return err
	}
	return codeDead()
}

// ConfirmCode signs in by a code that [Store.CheckCode] found right, once,
// making the account when it is new. A sign-in that is over is Gone.
func (s *Store) ConfirmCode(ctx context.Context, tx *db.Tx, p Proof) (e Entry, err error) {
	defer wrap(&err, "ConfirmCode")
	return s.enter(ctx, tx, `id = $1`, p.signinID)
}

// enter uses up the sign-in that where names, and gives its reader.
func (s *Store) enter(ctx context.Context, tx *db.Tx, where, arg string) (Entry, error) {
	now := db.Micros(s.Now())
	var e Entry
	var email, key, name, newsletters, lang string
	err := tx.QueryRowContext(ctx, `
		UPDATE signin SET used_at = $2 WHERE `+where+` AND used_at = 0 AND expires_at > $2
		RETURNING email, email_key, name, newsletters, lang, return_to`, arg, now).
		Scan(&email, &key, &name, &newsletters, &lang, &e.ReturnTo)
	if errors.Is(err, sql.ErrNoRows) {
		return Entry{}, linkOver()
	}
	if err != nil {
		return Entry{}, err
	}
	id := db.NewID()
	result, err := tx.ExecContext(ctx, `
		INSERT INTO reader (id, email, email_key, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (email_key) DO NOTHING`, id, email, key, now)
	if err != nil {
		return Entry{}, err
	}
	if n, err := result.RowsAffected(); err != nil {
		return Entry{}, err
	} else if n > 0 {
		if err := tell(ctx, tx, s.Made, id); err != nil {
			return Entry{}, err
		}
	}
	result, err = tx.ExecContext(ctx, `
		UPDATE reader SET confirmed_at = $1,
			name = CASE WHEN name = '' THEN $2 ELSE name END,
			lang = CASE WHEN lang = '' THEN $3 ELSE lang END
		WHERE email_key = $4 AND confirmed_at = 0`, now, name, lang, key)
	if err != nil {
		return Entry{}, err
	}
	first, err := result.RowsAffected()
	if err != nil {
		return Entry{}, err
	}
	e.New = first > 0
	if e.Reader, err = s.one(ctx, tx, `email_key = $1`, key); err != nil {
		return Entry{}, err
	}
	if e.Reader.Email != email {
		return Entry{}, linkOver() // the account is another's since: the letter went to a different spelling
	}
	if e.New {
		var slugs []string
		if err := json.Unmarshal([]byte(newsletters), &slugs); err != nil {
			return Entry{}, err
		}
		if err := addNewsletters(ctx, tx, e.Reader.ID, slugs, "registration", now); err != nil {
			return Entry{}, err
		}
	}
	return e, nil
}

func noLink() error {
	return fault.New(fault.NotFound, "this link is not one of ours").WithHint("copy the whole link out of the letter, or ask for a new one")
}

func linkOver() error {
	return fault.New(fault.Gone, "this link has been used, is too old, or gave way to a newer letter").WithHint("ask for a new letter")
}

func codeOver() error {
	return fault.New(fault.Gone, "this code has been used, is too old, or gave way to a newer letter").WithHint("ask for a new letter")
}

func codeDead() error {
	return fault.New(fault.TooMany, "the code was wrong too often").WithHint("use the link in the letter, or ask for a new letter")
}

// cleanCode gives the six ASCII digits of what was typed: spaces and dashes
// go, and the digits of Arabic, Persian and full-width keyboards count.
func cleanCode(text string) (string, error) {
	var b strings.Builder
	for _, r := range text {
		switch {
		case '0' <= r && r <= '9':
			b.WriteRune(r)
		case 0x660 <= r && r <= 0x669:
			b.WriteRune(r - 0x660 + '0')
		case 0x6f0 <= r && r <= 0x6f9:
			b.WriteRune(r - 0x6f0 + '0')
		case 0xff10 <= r && r <= 0xff19:
			b.WriteRune(r - 0xff10 + '0')
		case strings.ContainsRune(" -\u00a0\u2009\u202f\u200e\u200f\t\r\n", r):
		default:
			return "", notACode()
		}
		if b.Len() > codeDigits {
			break
		}
	}
	if b.Len() != codeDigits {
		return "", notACode()
	}
	return b.String(), nil
}

func notACode() error {
	return fault.New(fault.Invalid, "the code has six digits").WithHint("write it as it stands in the letter")
}

const codeDigits = 6

// newCode gives six digits, each code as likely as any other.
func newCode() string {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		panic(err) // crypto/rand never fails (Go 1.24 and later)
	}
	return fmt.Sprintf("%0*d", codeDigits, n)
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

// codeHash gives what is kept of a code. A million codes are soon tried by
// whoever has the table, so the hash is keyed with what is not in it.
func (s *Store) codeHash(signinID, code string) string { return keyed(s.Key, "code", signinID, code) }

func (s *Store) perAddress() Limiter { return s.Limiter("letter-address", s.PerAddress) }
