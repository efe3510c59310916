package reader

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/fault"
)

// clock is a clock that the test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newStore() (*Store, *clock) {
	c := &clock{now: time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)}
	s := New(bytes.Repeat([]byte{7}, 32))
	s.Now = c.Now
	return s, c
}

// inTx runs fn in a transaction and gives what it gives.
func inTx[T any](t *testing.T, d *db.DB, fn func(tx *db.Tx) (T, error)) (v T, err error) {
	t.Helper()
	err = d.InTx(t.Context(), func(tx *db.Tx) error {
		v, err = fn(tx)
		return err
	})
	return v, err
}

// do runs fn in a transaction that must not fail.
func do(t *testing.T, d *db.DB, fn func(ctx context.Context, tx *db.Tx) error) {
	t.Helper()
	if err := d.InTx(t.Context(), func(tx *db.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func wantKind(t *testing.T, what string, err error, kind fault.Kind) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind {
		t.Fatalf("%s: %v; want a fault of kind %v", what, err, kind)
	}
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

func TestUpsert(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, c := newStore()
		type result struct {
			Reader
			created bool
		}
		upsert := func(r Reader, tiers []Holding, lists []string) (result, error) {
			return inTx(t, d, func(tx *db.Tx) (result, error) {
				got, created, err := s.Upsert(t.Context(), tx, r, tiers, lists)
				return result{got, created}, err
			})
		}
		until := c.now.Add(time.Hour)
		came := time.Date(2019, 1, 2, 3, 4, 5, 0, time.UTC)
		ada := Reader{Email: "Ada@Example.org", Name: "Ada", Lang: "EN-gb", Note: "a note", Labels: []string{"b", "a"}, Source: "ghost:1", CreatedAt: came}
		got := must[result](t)(upsert(ada, []Holding{{"gold", until}, {"silver", time.Time{}}}, []string{"weekly"}))
		want := Reader{ID: got.ID, Email: "Ada@Example.org", Name: "Ada", Lang: "en-GB", Note: "a note", Labels: []string{"b", "a"}, Epoch: 1, Source: "ghost:1", CreatedAt: came}
		if diff := cmp.Diff(want, got.Reader); diff != "" || !got.created {
			t.Fatalf("created %v: %s", got.created, diff)
		}
		held := must[[]Holding](t)(s.Held(t.Context(), d.Read(), got.ID))
		if diff := cmp.Diff([]Holding{{"gold", until}, {"silver", time.Time{}}}, held); diff != "" {
			t.Error(diff)
		}

		// The reader makes changes here; the same import again takes none of them back.
		do(t, d, func(ctx context.Context, tx *db.Tx) error {
			return errors.Join(s.SetProfile(ctx, tx, got.ID, "Lady Ada", "fr"), s.SetNewsletters(ctx, tx, got.ID, nil))
		})
		again := must[result](t)(upsert(ada, []Holding{{"gold", until.Add(time.Hour)}}, []string{"weekly"}))
		want.Name, want.Lang = "Lady Ada", "fr"
		if diff := cmp.Diff(want, again.Reader); diff != "" || again.created {
			t.Errorf("created %v: %s", again.created, diff)
		}
		if lists := must[[]Subscription](t)(s.Newsletters(t.Context(), d.Read(), got.ID)); len(lists) > 0 {
			t.Errorf("subscribed again to what the reader had left: %v", lists)
		}
		c.add(90 * time.Minute)
		if held := must[[]Holding](t)(s.Held(t.Context(), d.Read(), got.ID)); len(held) != 2 {
			t.Errorf("the tier was not prolonged: %v", held)
		}
		c.add(time.Hour)
		if held := must[[]Holding](t)(s.Held(t.Context(), d.Read(), got.ID)); len(held) != 1 {
			t.Errorf("the tier did not end: %v", held)
		}

		// Known by the address, when the source is another; known by the source, when the address is new.
		byKey := must[result](t)(upsert(Reader{Email: "ADA@example.ORG", Source: "csv:9"}, nil, []string{"daily"}))
		if byKey.ID != got.ID || byKey.Source != "ghost:1" || byKey.Email != "Ada@Example.org" || byKey.created {
			t.Errorf("by address: %+v", byKey)
		}
		ada.Email = "ada@new.example"
		if moved := must[result](t)(upsert(ada, nil, nil)); moved.ID != got.ID || moved.Email != "ada@new.example" {
			t.Errorf("by source: %+v", moved)
		}
		if r := must[Reader](t)(s.ByEmail(t.Context(), d.Read(), "ADA@new.example")); r.ID != got.ID {
			t.Errorf("the key did not follow the address: %+v", r)
		}

		// Once the reader has signed in, the address is his own and no import moves it.
		register(t, d, s, "ada@new.example")
		ada.Email = "ada@older.example"
		if kept := must[result](t)(upsert(ada, nil, nil)); kept.ID != got.ID || kept.Email != "ada@new.example" {
			t.Errorf("a confirmed address was moved: %+v", kept)
		}
		carl := Reader{Email: "carl@example.org", Source: "ghost:3"}
		must[result](t)(upsert(carl, nil, nil))

		// An address that somebody else has.
		must[result](t)(upsert(Reader{Email: "bob@example.org"}, nil, nil))
		carl.Email = "bob@example.org"
		_, err := upsert(carl, nil, nil)
		wantKind(t, "a taken address", err, fault.Conflict)
		_, err = upsert(Reader{Email: "no address"}, nil, nil)
		wantKind(t, "no address", err, fault.Invalid)

		// A newsroom's own export keeps ID, epoch and confirmation.
		own := Reader{ID: db.NewID(), Email: "eve@example.org", Labels: []string{}, Epoch: 4, CreatedAt: came, ConfirmedAt: came}
		if back := must[result](t)(upsert(own, nil, nil)); !cmp.Equal(own, back.Reader) {
			t.Error(cmp.Diff(own, back.Reader))
		}
		if n := must[Numbers](t)(s.Count(t.Context(), d.Read())); n != (Numbers{All: 4, Confirmed: 2}) {
			t.Errorf("Count = %+v", n)
		}
	})
}

func TestList(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, c := newStore()
		want := map[string]bool{}
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			do(t, d, func(ctx context.Context, tx *db.Tx) error {
				at := c.now
				if name > "b" {
					at = at.Add(time.Hour) // three share one moment
				}
				r, _, err := s.Upsert(ctx, tx, Reader{Email: name + "@example.org", CreatedAt: at}, nil, nil)
				want[r.ID] = true
				return err
			})
		}
		var after Cursor
		var last Reader
		for {
			page := must[[]Reader](t)(s.List(t.Context(), d.Read(), after, 2))
			for _, r := range page {
				if !want[r.ID] {
					t.Fatalf("%s came twice", r.Email)
				}
				if !last.CreatedAt.IsZero() && r.CreatedAt.After(last.CreatedAt) {
					t.Fatalf("%s after %s", r.Email, last.Email)
				}
				delete(want, r.ID)
				last = r
			}
			if len(page) < 2 {
				break
			}
			after = Cursor{last.CreatedAt, last.ID}
		}
		if len(want) > 0 {
			t.Errorf("never listed: %v", want)
		}
		_, err := s.ByID(t.Context(), d.Read(), "nobody")
		wantKind(t, "ByID", err, fault.NotFound)
		_, err = s.ByEmail(t.Context(), d.Read(), "not an address")
		wantKind(t, "ByEmail", err, fault.NotFound)
	})
}

func TestTiers(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, _ := newStore()
		gold := Tier{Slug: "gold", Names: map[string]string{"en": "Gold", "ru": "Золото"}, Position: 2, Source: "ghost:7"}
		silver := Tier{Slug: "silver", Names: map[string]string{"en": "Silver"}, Position: 1}
		do(t, d, func(ctx context.Context, tx *db.Tx) error {
			return errors.Join(s.SaveTier(ctx, tx, Tier{Slug: "gold"}), s.SaveTier(ctx, tx, gold), s.SaveTier(ctx, tx, silver))
		})
		if diff := cmp.Diff([]Tier{silver, gold}, must[[]Tier](t)(s.Tiers(t.Context(), d.Read()))); diff != "" {
			t.Error(diff)
		}
		do(t, d, func(ctx context.Context, tx *db.Tx) error {
			r, _, err := s.Upsert(ctx, tx, Reader{Email: "ada@example.org"}, []Holding{{Tier: "gold"}}, nil)
			if err != nil {
				return err
			}
			if err := s.Revoke(ctx, tx, r.ID, "gold"); err != nil {
				return err
			}
			if held, err := s.Held(ctx, tx, r.ID); err != nil || len(held) > 0 {
				t.Errorf("held after Revoke: %v, %v", held, err)
			}
			return nil
		})
	})
}
