package staff

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
)

// Scope is one thing that a token allows.
type Scope string

// The scopes. To read whole stories is to read their previews too.
const (
	StoriesRead Scope = "stories:read" // stories as far as anybody may read them
	StoriesFull Scope = "stories:full" // the withheld text too
)

// Scopes gives every scope.
func Scopes() []Scope { return []Scope{StoriesRead, StoriesFull} }

// ParseScope gives the scope of that name; another is Invalid.
func ParseScope(name string) (Scope, error) {
	if s := Scope(name); slices.Contains(Scopes(), s) {
		return s, nil
	}
	return "", fault.New(fault.Invalid, "no such scope", "scope", name).WithHint("write stories:read or stories:full")
}

// Token is what a program shows to the API. The secret itself is not kept.
type Token struct {
	ID        string
	Name      string // what it is for
	Scopes    []Scope
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
}

// May reports whether the token allows scope.
func (t Token) May(scope Scope) bool {
	return slices.Contains(t.Scopes, scope) || scope == StoriesRead && slices.Contains(t.Scopes, StoriesFull)
}

// tokenPrefix tells a token from other secrets, for people and for scanners of leaked secrets.
const tokenPrefix = "mh_"

// CreateToken makes a token and gives its secret ("mh_" and 43 characters),
// which is shown this once. A ttl of 0 is without end.
func (s *Store) CreateToken(ctx context.Context, tx *db.Tx, name string, ttl time.Duration, scopes ...Scope) (t Token, secret string, err error) {
	defer wrap(&err, "CreateToken(%s)", name)
	t = Token{ID: db.NewID(), Name: strings.TrimSpace(name), CreatedAt: s.Now().Truncate(time.Microsecond)}
	if t.Name == "" {
		return Token{}, "", fault.New(fault.Invalid, "a token needs a name").WithHint("say what it is for")
	}
	if ttl < 0 {
		return Token{}, "", fault.New(fault.Invalid, "a token cannot end before it begins")
	}
	if len(scopes) == 0 {
		return Token{}, "", fault.New(fault.Invalid, "a token needs a scope").WithHint("write stories:read or stories:full")
	}
	for _, scope := range scopes {
		if _, err := ParseScope(string(scope)); err != nil {
			return Token{}, "", err
		}
		if !slices.Contains(t.Scopes, scope) {
			t.Scopes = append(t.Scopes, scope)
		}
	}
	if ttl > 0 {
		t.ExpiresAt = t.CreatedAt.Add(ttl)
	}
	list, err := json.Marshal(t.Scopes)
	if err != nil {
		return Token{}, "", err
	}
	secret = tokenPrefix + newSecret()
	_, err = tx.ExecContext(ctx, `
		INSERT INTO api_token (id, name, secret_hash, scopes, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		t.ID, t.Name, hash(secret), string(list), db.Micros(t.CreatedAt), db.Micros(t.ExpiresAt))
	return t, secret, err
}

const tokenColumns = `id, name, scopes, created_at, expires_at`

func scanToken(row db.Scanner) (Token, error) {
	var t Token
	var scopes string
	var created, expires int64
	if err := row.Scan(&t.ID, &t.Name, &scopes, &created, &expires); err != nil {
		return Token{}, err
	}
	t.CreatedAt, t.ExpiresAt = db.Time(created), db.Time(expires)
	return t, json.Unmarshal([]byte(scopes), &t.Scopes)
}

// ResolveToken gives the token with that secret. One that is unknown, revoked
// or too old is Unauthorized.
func (s *Store) ResolveToken(ctx context.Context, q db.Queryer, secret string) (t Token, err error) {
	defer wrap(&err, "ResolveToken")
	if strings.HasPrefix(secret, tokenPrefix) {
		t, err = scanToken(q.QueryRowContext(ctx, `
			SELECT `+tokenColumns+` FROM api_token WHERE secret_hash = $1 AND (expires_at = 0 OR expires_at > $2)`,
			hash(secret), db.Micros(s.Now())))
		if !errors.Is(err, sql.ErrNoRows) {
			return t, err
		}
	}
	return Token{}, fault.New(fault.Unauthorized, "the token is not valid").WithHint("ask the newsroom for a new one")
}

// Tokens gives every token, also those that have ended, the newest first.
func (s *Store) Tokens(ctx context.Context, q db.Queryer) (list []Token, err error) {
	defer wrap(&err, "Tokens")
	rows, err := q.QueryContext(ctx, `SELECT `+tokenColumns+` FROM api_token ORDER BY created_at DESC, id DESC`)
	return db.Rows(rows, err, scanToken)
}

// RevokeToken ends a token for good; none with that ID is NotFound.
func (s *Store) RevokeToken(ctx context.Context, tx *db.Tx, id string) (err error) {
	defer wrap(&err, "RevokeToken(%s)", id)
	result, err := tx.ExecContext(ctx, `DELETE FROM api_token WHERE id = $1`, id)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return fault.New(fault.NotFound, "there is no such token")
}
