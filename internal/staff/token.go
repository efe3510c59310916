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

// The scopes.
const (
	StoriesRead    Scope = "stories:read"    // stories as far as anybody may read them
	StoriesFull    Scope = "stories:full"    // the withheld text too
	StoriesDrafts  Scope = "stories:drafts"  // what is not published, and how it stands
	StoriesWrite   Scope = "stories:write"   // begin stories, change them, send them for review
	StoriesPublish Scope = "stories:publish" // approve, publish, schedule, correct, withdraw
	TaxonomyWrite  Scope = "taxonomy:write"  // sections, topics, authors
	MediaRead      Scope = "media:read"      // the media library
	MediaWrite     Scope = "media:write"     // upload and describe
	ReadersRead    Scope = "readers:read"    // readers' accounts
	ReadersWrite   Scope = "readers:write"   // make, change and delete them; tiers
	WebhooksWrite  Scope = "webhooks:write"  // who is told of what
	TokensWrite    Scope = "tokens:write"    // further tokens that may no more than this one
)

// Scopes gives every scope.
func Scopes() []Scope {
	return []Scope{StoriesRead, StoriesFull, StoriesDrafts, StoriesWrite, StoriesPublish, TaxonomyWrite, MediaRead, MediaWrite,
		ReadersRead, ReadersWrite, WebhooksWrite, TokensWrite}
}

// implied are the scopes that a scope has in it.
var implied = map[Scope][]Scope{
	StoriesFull:    {StoriesRead},
	StoriesDrafts:  {StoriesRead},
	StoriesWrite:   {StoriesDrafts, StoriesRead},
	StoriesPublish: {StoriesDrafts, StoriesRead},
	MediaWrite:     {MediaRead},
	ReadersWrite:   {ReadersRead},
}

// ParseScope gives the scope of that name; another is Invalid.
func ParseScope(name string) (Scope, error) {
	if s := Scope(name); slices.Contains(Scopes(), s) {
		return s, nil
	}
	return "", fault.New(fault.Invalid, "no such scope", "scope", name).WithHint("write one of %s", scopeNames())
}

func scopeNames() string {
	names := make([]string, 0, len(Scopes()))
	for _, s := range Scopes() {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}

// Token is what a program shows to the API. The secret itself is not kept.
type Token struct {
	ID        string
	Name      string // what it is for
	Scopes    []Scope
	Role      Role   // it may do nothing that this role may not; "" leaves it to its scopes
	ParentID  string // the token that made it; "" where people did
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
}

// May reports whether the token's scopes allow scope.
func (t Token) May(scope Scope) bool {
	return slices.ContainsFunc(t.Scopes, func(s Scope) bool { return s == scope || slices.Contains(implied[s], scope) })
}

// Person gives the token as somebody who works here: what the audit log names,
// and whose role decides. One without a role is held back by its scopes alone.
func (t Token) Person() Person {
	p := Person{Email: "token " + t.Name, Role: t.Role}
	if p.Role == "" {
		p.Role = Owner
	}
	return p
}

// tokenPrefix tells a token from other secrets, for people and for scanners of leaked secrets.
const tokenPrefix = "mh_"

// CreateToken makes a token without a role and gives its secret ("mh_" and 43
// characters), which is shown this once. A ttl of 0 is without end.
func (s *Store) CreateToken(ctx context.Context, tx *db.Tx, name string, ttl time.Duration, scopes ...Scope) (Token, string, error) {
	return s.CreateTokenAs(ctx, tx, Token{Name: name, Scopes: scopes}, ttl)
}

// CreateTokenAs makes a token of t's name, scopes and role. One with a ParentID
// may no more than that token, and ends with it: what it may not pass on is Forbidden.
func (s *Store) CreateTokenAs(ctx context.Context, tx *db.Tx, t Token, ttl time.Duration) (made Token, secret string, err error) {
	defer wrap(&err, "CreateToken(%s)", t.Name)
	made = Token{ID: db.NewID(), Name: strings.Join(strings.Fields(t.Name), " "), Role: t.Role, ParentID: t.ParentID, CreatedAt: s.Now().Truncate(time.Microsecond)}
	if made.Name == "" || len(made.Name) > 200 {
		return Token{}, "", fault.New(fault.Invalid, "a token needs a name").WithHint("say in a few words what it is for")
	}
	if ttl < 0 {
		return Token{}, "", fault.New(fault.Invalid, "a token cannot end before it begins")
	}
	if len(t.Scopes) == 0 {
		return Token{}, "", fault.New(fault.Invalid, "a token needs a scope").WithHint("write one or more of %s", scopeNames())
	}
	for _, scope := range t.Scopes {
		if _, err := ParseScope(string(scope)); err != nil {
			return Token{}, "", err
		}
		if !slices.Contains(made.Scopes, scope) {
			made.Scopes = append(made.Scopes, scope)
		}
	}
	if made.Role != "" {
		if _, err := ParseRole(string(made.Role)); err != nil {
			return Token{}, "", err
		}
	}
	if ttl > 0 {
		made.ExpiresAt = made.CreatedAt.Add(ttl)
	}
	if made.ParentID != "" {
		if err := s.within(ctx, tx, &made); err != nil {
			return Token{}, "", err
		}
	}
	list, err := json.Marshal(made.Scopes)
	if err != nil {
		return Token{}, "", err
	}
	secret = tokenPrefix + newSecret()
	_, err = tx.ExecContext(ctx, `
		INSERT INTO api_token (id, name, secret_hash, scopes, role, parent_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		made.ID, made.Name, hash(secret), string(list), string(made.Role), made.ParentID, db.Micros(made.CreatedAt), db.Micros(made.ExpiresAt))
	return made, secret, err
}

// within holds a token to what its parent may.
func (s *Store) within(ctx context.Context, tx *db.Tx, t *Token) error {
	parent, err := scanToken(tx.QueryRowContext(ctx, `SELECT `+tokenColumns+` FROM api_token WHERE id = $1`, t.ParentID))
	if errors.Is(err, sql.ErrNoRows) {
		return fault.New(fault.Unauthorized, "the token is not valid")
	}
	if err != nil {
		return err
	}
	for _, scope := range t.Scopes {
		if !parent.May(scope) {
			return fault.New(fault.Forbidden, "a token cannot pass on a scope that it has not", "scope", scope)
		}
	}
	if t.Role == "" {
		t.Role = parent.Role
	}
	if parent.Role != "" && !parent.Role.May(t.Role) {
		return fault.New(fault.Forbidden, "a token cannot make one of a higher role", "role", t.Role)
	}
	if !parent.ExpiresAt.IsZero() && (t.ExpiresAt.IsZero() || t.ExpiresAt.After(parent.ExpiresAt)) {
		t.ExpiresAt = parent.ExpiresAt
	}
	return nil
}

const tokenColumns = `id, name, scopes, role, parent_id, created_at, expires_at`

func scanToken(row db.Scanner) (Token, error) {
	var t Token
	var scopes string
	var created, expires int64
	if err := row.Scan(&t.ID, &t.Name, &scopes, &t.Role, &t.ParentID, &created, &expires); err != nil {
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

// family gives a token and all that it made, and that those made: $1 is its ID.
const family = `WITH RECURSIVE family (id) AS (SELECT id FROM api_token WHERE id = $1
	UNION SELECT t.id FROM api_token t JOIN family f ON t.parent_id = f.id) `

// TokensOf gives a token and those that came of it, the newest first.
func (s *Store) TokensOf(ctx context.Context, q db.Queryer, id string) (list []Token, err error) {
	defer wrap(&err, "TokensOf(%s)", id)
	rows, err := q.QueryContext(ctx, family+`SELECT `+tokenColumns+` FROM api_token WHERE id IN (SELECT id FROM family) ORDER BY created_at DESC, id DESC`, id)
	return db.Rows(rows, err, scanToken)
}

// RevokeToken ends a token for good, and those that came of it; none with that
// ID is NotFound.
func (s *Store) RevokeToken(ctx context.Context, tx *db.Tx, id string) (err error) {
	defer wrap(&err, "RevokeToken(%s)", id)
	result, err := tx.ExecContext(ctx, family+`DELETE FROM api_token WHERE id IN (SELECT id FROM family)`, id)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return fault.New(fault.NotFound, "there is no such token")
}
