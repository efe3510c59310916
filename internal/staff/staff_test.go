package staff

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/fault"
)

type clock struct{ now time.Time }

func newStore() (*Store, *clock) {
	c := &clock{time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)}
	s := New()
	s.Now = func() time.Time { return c.now }
	s.ForceFrom = "" // factor_test.go forces
	s.Keys = [][]byte{bytes.Repeat([]byte("k"), 32)}
	return s, c
}

func inTx[T any](t *testing.T, d *db.DB, fn func(ctx context.Context, tx *db.Tx) (T, error)) (v T, err error) {
	t.Helper()
	err = d.InTx(t.Context(), func(tx *db.Tx) error {
		v, err = fn(t.Context(), tx)
		return err
	})
	return v, err
}

func do(t *testing.T, d *db.DB, fn func(ctx context.Context, tx *db.Tx) error) error {
	t.Helper()
	return d.InTx(t.Context(), func(tx *db.Tx) error { return fn(t.Context(), tx) })
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wantKind(t *testing.T, what string, err error, kind fault.Kind) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind {
		t.Fatalf("%s: %v; want a fault of kind %v", what, err, kind)
	}
}

func add(t *testing.T, d *db.DB, s *Store, email string, role Role) (Person, error) {
	t.Helper()
	return inTx(t, d, func(ctx context.Context, tx *db.Tx) (Person, error) {
		return s.Add(ctx, tx, Person{Email: email, Name: "Name", Role: role})
	})
}

func link(t *testing.T, d *db.DB, s *Store, id string) (string, error) {
	t.Helper()
	return inTx(t, d, func(ctx context.Context, tx *db.Tx) (string, error) {
		return s.OneTimeLink(ctx, tx, id, 15*time.Minute)
	})
}

func confirm(t *testing.T, d *db.DB, s *Store, token string) (Person, error) {
	t.Helper()
	return inTx(t, d, func(ctx context.Context, tx *db.Tx) (Person, error) { return s.ConfirmLink(ctx, tx, token) })
}

func start(t *testing.T, d *db.DB, s *Store, id string) (Session, string) {
	t.Helper()
	var cookie string
	session := must[Session](t)(inTx(t, d, func(ctx context.Context, tx *db.Tx) (n Session, err error) {
		n, cookie, err = s.StartSession(ctx, tx, id, Made{By: ByPasskey})
		return n, err
	}))
	return session, cookie
}

func TestRoles(t *testing.T) {
	for i, r := range Roles() {
		for j, least := range Roles() {
			if got := r.May(least); got != (i >= j) {
				t.Errorf("%s.May(%s) = %v", r, least, got)
			}
		}
		if got, err := ParseRole(string(r)); err != nil || got != r {
			t.Errorf("ParseRole(%s) = %s, %v", r, got, err)
		}
		if Role("").May(r) || Role("admin").May(r) || r.May("") || r.May("admin") {
			t.Errorf("a role that does not exist may, or is allowed by %s", r)
		}
	}
	_, err := ParseRole("Owner")
	wantKind(t, "ParseRole", err, fault.Invalid)
}

func TestPeople(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, c := newStore()
		ada := must[Person](t)(add(t, d, s, " Ada@Example.org", Owner))
		want := Person{ID: ada.ID, Email: "Ada@Example.org", Name: "Name", Role: Owner, Sections: map[string]Role{}, CreatedAt: c.now}
		if diff := cmp.Diff(want, ada); diff != "" {
			t.Error(diff)
		}
		bob := must[Person](t)(add(t, d, s, "bob@example.org", Reporter))
		_, err := add(t, d, s, "ada@EXAMPLE.org", Editor)
		wantKind(t, "the same address", err, fault.Conflict)
		_, err = add(t, d, s, "eve@example.org", "admin")
		wantKind(t, "no role", err, fault.Invalid)
		for _, bad := range []string{"", "eve", "Eve <eve@example.org>", "eve@", "eve@a b.org", "eve@example.org\nBcc: x@example.org", `"e v e"@example.org`, "a@b@c.org"} {
			_, err = add(t, d, s, bad, Editor)
			wantKind(t, "address "+bad, err, fault.Invalid)
		}
		if diff := cmp.Diff([]Person{ada, bob}, must[[]Person](t)(s.List(t.Context(), d.Read()))); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(ada, must[Person](t)(s.ByEmail(t.Context(), d.Read(), "ADA@example.org"))); diff != "" {
			t.Error(diff)
		}
		_, err = s.ByEmail(t.Context(), d.Read(), "nobody@example.org")
		wantKind(t, "ByEmail", err, fault.NotFound)
		_, err = s.ByID(t.Context(), d.Read(), "nobody")
		wantKind(t, "ByID", err, fault.NotFound)
		if err := do(t, d, func(ctx context.Context, tx *db.Tx) error { return s.Rename(ctx, tx, bob.ID, " Bob ") }); err != nil {
			t.Fatal(err)
		}
		setRole := func(id string, role Role) error {
			return do(t, d, func(ctx context.Context, tx *db.Tx) error { return s.SetRole(ctx, tx, id, role) })
		}
		disable := func(id string) error {
			return do(t, d, func(ctx context.Context, tx *db.Tx) error { return s.Disable(ctx, tx, id) })
		}
		wantKind(t, "the last owner becomes an editor", setRole(ada.ID, Editor), fault.Conflict)
		wantKind(t, "the last owner is disabled", disable(ada.ID), fault.Conflict)
		wantKind(t, "nobody's role", setRole("nobody", Editor), fault.NotFound)
		wantKind(t, "nobody is disabled", disable("nobody"), fault.NotFound)
		if err := setRole(bob.ID, Owner); err != nil {
			t.Fatal(err)
		}
		if err := setRole(ada.ID, Editor); err != nil {
			t.Fatal(err)
		}
		wantKind(t, "the last owner now", disable(bob.ID), fault.Conflict)
		if got := must[Person](t)(s.ByID(t.Context(), d.Read(), bob.ID)); got.Role != Owner || got.Name != "Bob" {
			t.Errorf("%+v", got)
		}
	})
}

// Owners who disable one another at the same moment leave one.
func TestLastOwnerTogether(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, _ := newStore()
		owners := []Person{must[Person](t)(add(t, d, s, "a@example.org", Owner)), must[Person](t)(add(t, d, s, "b@example.org", Owner))}
		var done atomic.Int32
		var wg sync.WaitGroup
		for _, p := range owners {
			wg.Go(func() {
				err := d.InTx(t.Context(), func(tx *db.Tx) error { return s.Disable(t.Context(), tx, p.ID) })
				if err == nil {
					done.Add(1)
				}
			})
		}
		wg.Wait()
		if done.Load() != 1 {
			t.Errorf("%d of two owners were disabled", done.Load())
		}
	})
}

func TestLink(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, c := newStore()
		ada := must[Person](t)(add(t, d, s, "ada@example.org", Owner))
		old := must[string](t)(link(t, d, s, ada.ID))
		token := must[string](t)(link(t, d, s, ada.ID))
		_, err := confirm(t, d, s, old)
		wantKind(t, "a link that gave way", err, fault.Gone)
		for range 5 { // a scanner uses nothing up
			if diff := cmp.Diff(ada, must[Person](t)(s.Peek(t.Context(), d.Read(), token))); diff != "" {
				t.Fatal(diff)
			}
		}
		if diff := cmp.Diff(ada, must[Person](t)(confirm(t, d, s, token))); diff != "" {
			t.Error(diff)
		}
		_, err = confirm(t, d, s, token)
		wantKind(t, "the link again", err, fault.Gone)
		_, err = s.Peek(t.Context(), d.Read(), token)
		wantKind(t, "a look at it", err, fault.Gone)
		_, err = confirm(t, d, s, "never given")
		wantKind(t, "another token", err, fault.Gone)
		_, err = link(t, d, s, "nobody")
		wantKind(t, "a link for nobody", err, fault.NotFound)

		token = must[string](t)(link(t, d, s, ada.ID))
		c.now = c.now.Add(15 * time.Minute)
		_, err = s.Peek(t.Context(), d.Read(), token)
		wantKind(t, "a look at an old link", err, fault.Gone)
		_, err = confirm(t, d, s, token)
		wantKind(t, "an old link", err, fault.Gone)
		if err := do(t, d, func(ctx context.Context, tx *db.Tx) error { return s.Sweep(ctx, tx) }); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := d.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM staff_link`).Scan(&n); err != nil || n != 0 {
			t.Errorf("%d links left, %v", n, err)
		}
	})
}

func TestSession(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, c := newStore()
		ada := must[Person](t)(add(t, d, s, "ada@example.org", Owner))
		bob := must[Person](t)(add(t, d, s, "bob@example.org", Editor))
		session, cookie := start(t, d, s, ada.ID)
		if diff := cmp.Diff(Visit{Session: session, Person: ada}, must[Visit](t)(s.Resolve(t.Context(), d.Read(), cookie))); diff != "" {
			t.Error(diff)
		}
		id, secret, _ := strings.Cut(cookie, ".")
		other, otherCookie := start(t, d, s, bob.ID)
		_, otherSecret, _ := strings.Cut(otherCookie, ".")
		for _, bad := range []string{"", id, id + "." + otherSecret, other.ID + "." + secret, cookie + "x", id + "." + hash(secret)[:43]} {
			_, err := s.Resolve(t.Context(), d.Read(), bad)
			wantKind(t, "cookie "+bad, err, fault.Unauthorized)
		}

		// Used it goes on, unused it ends, and after ninety days it ends anyhow.
		day := 24 * time.Hour
		for range 8 {
			c.now = c.now.Add(11 * day)
			v := must[Visit](t)(s.Resolve(t.Context(), d.Read(), cookie))
			if !s.Due(v.Session) {
				t.Fatal("not due after days")
			}
			if err := do(t, d, func(ctx context.Context, tx *db.Tx) error { return s.Seen(ctx, tx, v.Session) }); err != nil {
				t.Fatal(err)
			}
			if v := must[Visit](t)(s.Resolve(t.Context(), d.Read(), cookie)); s.Due(v.Session) || !v.Session.SeenAt.Equal(c.now) {
				t.Fatalf("seen %v, now %v", v.Session.SeenAt, c.now)
			}
		}
		_, err := s.Resolve(t.Context(), d.Read(), otherCookie)
		wantKind(t, "a session not used", err, fault.Unauthorized)
		c.now = c.now.Add(2 * day)
		_, err = s.Resolve(t.Context(), d.Read(), cookie)
		wantKind(t, "a session of ninety days", err, fault.Unauthorized)
		if err := do(t, d, func(ctx context.Context, tx *db.Tx) error { return s.Sweep(ctx, tx) }); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := d.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM staff_session`).Scan(&n); err != nil || n != 0 {
			t.Errorf("%d sessions left, %v", n, err)
		}

		one, oneCookie := start(t, d, s, bob.ID)
		_, twoCookie := start(t, d, s, bob.ID)
		_, threeCookie := start(t, d, s, ada.ID)
		if err := do(t, d, func(ctx context.Context, tx *db.Tx) error { return s.EndSession(ctx, tx, one.ID) }); err != nil {
			t.Fatal(err)
		}
		_, err = s.Resolve(t.Context(), d.Read(), oneCookie)
		wantKind(t, "the ended session", err, fault.Unauthorized)
		must[Visit](t)(s.Resolve(t.Context(), d.Read(), twoCookie))
		if err := do(t, d, func(ctx context.Context, tx *db.Tx) error { return s.EndSessions(ctx, tx, bob.ID) }); err != nil {
			t.Fatal(err)
		}
		_, err = s.Resolve(t.Context(), d.Read(), twoCookie)
		wantKind(t, "after all were ended", err, fault.Unauthorized)
		must[Visit](t)(s.Resolve(t.Context(), d.Read(), threeCookie))
	})
}

func TestDisable(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, c := newStore()
		must[Person](t)(add(t, d, s, "ada@example.org", Owner))
		bob := must[Person](t)(add(t, d, s, "bob@example.org", Editor))
		_, cookie := start(t, d, s, bob.ID)
		token := must[string](t)(link(t, d, s, bob.ID))
		if err := do(t, d, func(ctx context.Context, tx *db.Tx) error { return s.Disable(ctx, tx, bob.ID) }); err != nil {
			t.Fatal(err)
		}
		_, err := s.Resolve(t.Context(), d.Read(), cookie)
		wantKind(t, "the session", err, fault.Unauthorized)
		_, err = confirm(t, d, s, token)
		wantKind(t, "the link", err, fault.Gone)
		_, err = link(t, d, s, bob.ID)
		wantKind(t, "a new link", err, fault.Forbidden)
		_, cookie = start(t, d, s, bob.ID) // a session that slipped in
		_, err = s.Resolve(t.Context(), d.Read(), cookie)
		wantKind(t, "a session begun afterwards", err, fault.Unauthorized)
		if got := must[Person](t)(s.ByID(t.Context(), d.Read(), bob.ID)); !got.Disabled() || !got.DisabledAt.Equal(c.now) {
			t.Errorf("%+v", got)
		}
		if err := do(t, d, func(ctx context.Context, tx *db.Tx) error { return s.Enable(ctx, tx, bob.ID) }); err != nil {
			t.Fatal(err)
		}
		must[Person](t)(confirm(t, d, s, must[string](t)(link(t, d, s, bob.ID))))
	})
}

func TestToken(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, c := newStore()
		create := func(name string, ttl time.Duration, scopes ...Scope) (tok Token, secret string, err error) {
			err = do(t, d, func(ctx context.Context, tx *db.Tx) error {
				tok, secret, err = s.CreateToken(ctx, tx, name, ttl, scopes...)
				return err
			})
			return tok, secret, err
		}
		app, secret, err := create(" the app ", time.Hour, StoriesRead, StoriesRead)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(secret, "mh_") || len(secret) != 46 {
			t.Errorf("secret %q", secret)
		}
		want := Token{ID: app.ID, Name: "the app", Scopes: []Scope{StoriesRead}, CreatedAt: c.now, ExpiresAt: c.now.Add(time.Hour)}
		if diff := cmp.Diff(want, must[Token](t)(s.ResolveToken(t.Context(), d.Read(), secret))); diff != "" {
			t.Error(diff)
		}
		if !app.May(StoriesRead) || app.May(StoriesFull) || app.May("") {
			t.Error("stories:read may more or less than it says")
		}
		full, fullSecret, err := create("archive", 0, StoriesFull)
		if err != nil {
			t.Fatal(err)
		}
		if !full.May(StoriesRead) || !full.May(StoriesFull) || full.May("staff:write") {
			t.Error("stories:full may more or less than it says")
		}
		if (Token{}).May(StoriesRead) {
			t.Error("no token may")
		}
		for _, bad := range []string{"", "mh_", secret[3:], secret + "x", "mh_" + hash(secret), hash(secret)} {
			_, err := s.ResolveToken(t.Context(), d.Read(), bad)
			wantKind(t, "token "+bad, err, fault.Unauthorized)
		}
		for what, c := range map[string]struct {
			name   string
			ttl    time.Duration
			scopes []Scope
		}{"no name": {" ", 0, Scopes()}, "no scope": {"x", 0, nil}, "an unknown scope": {"x", 0, []Scope{"all"}}, "an end before": {"x", -1, Scopes()}} {
			_, _, err := create(c.name, c.ttl, c.scopes...)
			wantKind(t, what, err, fault.Invalid)
		}
		var kept string
		if err := d.Read().QueryRowContext(t.Context(), `SELECT secret_hash FROM api_token WHERE id = $1`, app.ID).Scan(&kept); err != nil || strings.Contains(kept, secret[3:]) {
			t.Errorf("kept %q, %v", kept, err)
		}
		c.now = c.now.Add(time.Hour)
		_, err = s.ResolveToken(t.Context(), d.Read(), secret)
		wantKind(t, "a token that has ended", err, fault.Unauthorized)
		must[Token](t)(s.ResolveToken(t.Context(), d.Read(), fullSecret))
		if list := must[[]Token](t)(s.Tokens(t.Context(), d.Read())); len(list) != 2 || list[0].ID != full.ID || list[1].ID != app.ID {
			t.Errorf("%+v", list)
		}
		revoke := func() error {
			return do(t, d, func(ctx context.Context, tx *db.Tx) error { return s.RevokeToken(ctx, tx, full.ID) })
		}
		if err := revoke(); err != nil {
			t.Fatal(err)
		}
		_, err = s.ResolveToken(t.Context(), d.Read(), fullSecret)
		wantKind(t, "a revoked token", err, fault.Unauthorized)
		wantKind(t, "revoked again", revoke(), fault.NotFound)
		// A token that another made may no more, and ends with it.
		as := func(t0 Token, ttl time.Duration) (made Token, err error) {
			err = do(t, d, func(ctx context.Context, tx *db.Tx) error {
				made, _, err = s.CreateTokenAs(ctx, tx, t0, ttl)
				return err
			})
			return made, err
		}
		parent := must[Token](t)(as(Token{Name: "parent", Role: Editor, Scopes: []Scope{StoriesWrite, TokensWrite}}, 24*time.Hour))
		child := must[Token](t)(as(Token{Name: "child", ParentID: parent.ID, Scopes: []Scope{StoriesDrafts}}, 0))
		if child.Role != Editor || !child.ExpiresAt.Equal(parent.ExpiresAt) || child.Person().Email != "token child" || child.Person().May(PublishStory, Object{}) {
			t.Errorf("%+v", child)
		}
		for what, bad := range map[string]Token{"a scope": {Scopes: []Scope{StoriesFull}}, "a role": {Scopes: []Scope{StoriesRead}, Role: Owner}} {
			bad.Name, bad.ParentID = "x", parent.ID
			_, err := as(bad, 0)
			wantKind(t, what, err, fault.Forbidden)
		}
		_, err = as(Token{Name: "x", Role: "king", Scopes: Scopes()}, 0)
		wantKind(t, "no role", err, fault.Invalid)
		if list := must[[]Token](t)(s.TokensOf(t.Context(), d.Read(), parent.ID)); len(list) != 2 {
			t.Errorf("%+v", list)
		}
		if err := do(t, d, func(ctx context.Context, tx *db.Tx) error { return s.RevokeToken(ctx, tx, parent.ID) }); err != nil {
			t.Fatal(err)
		}
		if list := must[[]Token](t)(s.TokensOf(t.Context(), d.Read(), child.ID)); len(list) != 0 {
			t.Errorf("the child outlives its maker: %+v", list)
		}
	})
}
