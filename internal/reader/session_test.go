package reader

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/fault"
)

const firefox = "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"

func startSession(t *testing.T, d *db.DB, s *Store, readerID string) (session Session, cookie string, err error) {
	t.Helper()
	err = d.InTx(t.Context(), func(tx *db.Tx) error {
		session, cookie, err = s.StartSession(t.Context(), tx, readerID, firefox)
		return err
	})
	return session, cookie, err
}

// signIn makes a reader and a session.
func signIn(t *testing.T, d *db.DB, s *Store, email string) (Reader, Session, string) {
	t.Helper()
	r := register(t, d, s, email)
	session, cookie, err := startSession(t, d, s, r.ID)
	if err != nil {
		t.Fatal(err)
	}
	return r, session, cookie
}

func TestResolve(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, c := newStore()
		r, session, cookie := signIn(t, d, s, "ada@example.org")
		until := c.now.Add(time.Hour)
		do(t, d, func(ctx context.Context, tx *db.Tx) error {
			for tier, until := range map[string]time.Time{"gold": until, "silver": {}, "ended": c.now} {
				if err := s.Grant(ctx, tx, r.ID, tier, until); err != nil {
					return err
				}
			}
			return nil
		})
		v := must[Visit](t)(s.Resolve(t.Context(), d.Read(), cookie))
		if diff := cmp.Diff(r, v.Reader); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]Holding{{"gold", until}, {"silver", time.Time{}}}, v.Tiers); diff != "" {
			t.Error(diff)
		}
		if !v.Holds("gold") || v.Holds("ended") {
			t.Error("Holds is wrong")
		}
		if diff := cmp.Diff(session, v.Session, cmp.AllowUnexported(Session{})); diff != "" {
			t.Error(diff)
		}
		if v.Session.Agent != "Firefox on Android" {
			t.Errorf("agent %q", v.Session.Agent)
		}

		_, other, otherCookie := signIn(t, d, s, "bob@example.org")
		id, secret, _ := strings.Cut(cookie, ".")
		_, otherSecret, _ := strings.Cut(otherCookie, ".")
		for _, bad := range []string{"", ".", id, secret, id + ".", id + "." + otherSecret, other.ID + "." + secret, cookie + "x",
			cookie[:len(cookie)-1] + "!", strings.ToUpper(cookie), id + "." + hash(secret)[:43], id + "." + strings.Repeat("\x00", 43)} {
			_, err := s.Resolve(t.Context(), d.Read(), bad)
			wantKind(t, "cookie "+bad, err, fault.Unauthorized)
		}
	})
}

func TestSessionEnds(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, c := newStore()
		_, _, cookie := signIn(t, d, s, "ada@example.org")
		day := 24 * time.Hour
		use := func() error {
			v, err := s.Resolve(t.Context(), d.Read(), cookie)
			if err != nil || !s.Due(v.Session) {
				return err
			}
			next, err := inTx(t, d, func(tx *db.Tx) (string, error) { return s.Renew(t.Context(), tx, v.Session) })
			if next != "" {
				cookie = next
			}
			return err
		}
		// Used every fifty days it lives for a year, and no longer.
		for day0 := 0; day0 < 350; day0 += 50 {
			c.add(50 * day)
			if err := use(); err != nil {
				t.Fatalf("day %d: %v", day0+50, err)
			}
		}
		c.add(15*day - time.Microsecond)
		if err := use(); err != nil {
			t.Fatalf("at the end: %v", err)
		}
		c.add(time.Microsecond)
		wantKind(t, "after a year", use(), fault.Unauthorized)

		// Not used for sixty days it ends.
		_, _, cookie = signIn(t, d, s, "ada@example.org")
		c.add(60*day - time.Microsecond)
		if _, err := s.Resolve(t.Context(), d.Read(), cookie); err != nil {
			t.Errorf("before sixty days: %v", err)
		}
		c.add(time.Microsecond)
		wantKind(t, "after sixty days", use(), fault.Unauthorized)
		do(t, d, func(ctx context.Context, tx *db.Tx) error { return s.Sweep(ctx, tx) })
		var n int
		if err := d.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM session`).Scan(&n); err != nil || n != 0 {
			t.Errorf("%d sessions left after Sweep, %v", n, err)
		}
	})
}

func TestSeen(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, c := newStore()
		r, _, cookie := signIn(t, d, s, "ada@example.org")
		start := c.now
		c.add(10*time.Minute - time.Microsecond)
		v := must[Visit](t)(s.Resolve(t.Context(), d.Read(), cookie))
		if s.Due(v.Session) {
			t.Error("due after less than ten minutes")
		}
		c.add(time.Microsecond)
		if !s.Due(v.Session) {
			t.Fatal("not due after ten minutes")
		}
		next := must[string](t)(inTx(t, d, func(tx *db.Tx) (string, error) { return s.Renew(t.Context(), tx, v.Session) }))
		if next != "" {
			t.Error("a new cookie after ten minutes")
		}
		list := must[[]Session](t)(s.Sessions(t.Context(), d.Read(), r.ID))
		if len(list) != 1 || !list[0].SeenAt.Equal(start.Add(10*time.Minute)) {
			t.Errorf("%+v", list)
		}
	})
}

// Twenty requests with one cookie, a day later: one brings the new secret, none is signed out.
func TestRotationTogether(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, c := newStore()
		_, _, old := signIn(t, d, s, "ada@example.org")
		c.add(24 * time.Hour)
		var mu sync.Mutex
		var cookies []string
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				v, err := s.Resolve(t.Context(), d.Read(), old)
				if err != nil {
					t.Error(err)
					return
				}
				if !s.Due(v.Session) {
					return // another has done it
				}
				err = d.InTx(t.Context(), func(tx *db.Tx) error {
					next, err := s.Renew(t.Context(), tx, v.Session)
					mu.Lock()
					defer mu.Unlock()
					if next != "" {
						cookies = append(cookies, next)
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(cookies) != 1 || cookies[0] == old {
			t.Fatalf("new cookies: %q", cookies)
		}
		next := cookies[0]
		resolve := func(cookie string) (Visit, error) { return s.Resolve(t.Context(), d.Read(), cookie) }
		renew := func(v Visit) string {
			return must[string](t)(inTx(t, d, func(tx *db.Tx) (string, error) { return s.Renew(t.Context(), tx, v.Session) }))
		}

		// Within the grace both are good, and the old one changes nothing.
		c.add(59 * time.Second)
		must[Visit](t)(resolve(next))
		if v := must[Visit](t)(resolve(old)); s.Due(v.Session) {
			t.Error("an old cookie is renewed within the grace")
		}
		// Once the browser has shown the new one, after the grace, the old one is dead.
		c.add(time.Second)
		v := must[Visit](t)(resolve(next))
		if !s.Due(v.Session) {
			t.Fatal("nothing to settle after the grace")
		}
		if again := renew(v); again != "" {
			t.Error("rotated again")
		}
		_, err := resolve(old)
		wantKind(t, "the old cookie", err, fault.Unauthorized)
		if v := must[Visit](t)(resolve(next)); s.Due(v.Session) {
			t.Error("settled, and due again")
		}
	})
}

// The answer that carried the new cookie was lost: the browser goes on with the old one, and gets another.
func TestRotationLost(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, c := newStore()
		_, _, old := signIn(t, d, s, "ada@example.org")
		renew := func(cookie string) string {
			v := must[Visit](t)(s.Resolve(t.Context(), d.Read(), cookie))
			return must[string](t)(inTx(t, d, func(tx *db.Tx) (string, error) { return s.Renew(t.Context(), tx, v.Session) }))
		}
		c.add(24 * time.Hour)
		lost := renew(old)
		if lost == "" {
			t.Fatal("no new cookie after a day")
		}
		c.add(5 * time.Hour)
		next := renew(old)
		if next == "" || next == lost {
			t.Fatalf("no second cookie: %q", next)
		}
		_, err := s.Resolve(t.Context(), d.Read(), lost)
		wantKind(t, "the lost cookie", err, fault.Unauthorized)
		c.add(5 * time.Hour)
		if renew(next) != "" {
			t.Error("rotated within a day")
		}
		_, err = s.Resolve(t.Context(), d.Read(), old)
		wantKind(t, "the old cookie", err, fault.Unauthorized)
	})
}

func TestEndSessions(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, c := newStore()
		r, first, firstCookie := signIn(t, d, s, "ada@example.org")
		c.add(time.Minute)
		second, secondCookie, err := startSession(t, d, s, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		bob, _, bobCookie := signIn(t, d, s, "bob@example.org")
		list := must[[]Session](t)(s.Sessions(t.Context(), d.Read(), r.ID))
		if len(list) != 2 || list[0].ID != second.ID || list[1].ID != first.ID {
			t.Errorf("%+v", list)
		}
		err = d.InTx(t.Context(), func(tx *db.Tx) error { return s.EndSession(t.Context(), tx, bob.ID, first.ID) })
		wantKind(t, "another reader's session", err, fault.NotFound)
		do(t, d, func(ctx context.Context, tx *db.Tx) error { return s.EndSession(ctx, tx, r.ID, first.ID) })
		_, err = s.Resolve(t.Context(), d.Read(), firstCookie)
		wantKind(t, "the ended session", err, fault.Unauthorized)
		must[Visit](t)(s.Resolve(t.Context(), d.Read(), secondCookie))

		letter := must[Letter](t)(begin(t, d, s, Request{Email: "ada@example.org"}))
		do(t, d, func(ctx context.Context, tx *db.Tx) error { return s.EndSessions(ctx, tx, r.ID) })
		_, err = s.Resolve(t.Context(), d.Read(), secondCookie)
		wantKind(t, "after all were ended", err, fault.Unauthorized)
		_, err = confirmLink(t, d, s, letter.LinkToken)
		wantKind(t, "a letter under way", err, fault.Gone)
		if got := must[Reader](t)(s.ByID(t.Context(), d.Read(), r.ID)); got.Epoch != r.Epoch+1 {
			t.Errorf("epoch %d, was %d", got.Epoch, r.Epoch)
		}
		must[Visit](t)(s.Resolve(t.Context(), d.Read(), bobCookie))
	})
}
