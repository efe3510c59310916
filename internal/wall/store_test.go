package wall

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/fault"
)

// seed makes two readers, r1 and r2, and three stories, s1 to s3.
func seed(t *testing.T, d *db.DB) {
	t.Helper()
	inTx(t, d, func(tx *db.Tx) error {
		for _, r := range []string{"r1", "r2"} {
			if _, err := tx.Exec(`INSERT INTO reader (id, email, email_key, created_at) VALUES ($1, $1, $1, 1)`, r); err != nil {
				return err
			}
		}
		for _, s := range []string{"s1", "s2", "s3"} {
			if _, err := tx.Exec(`INSERT INTO story (id, original_lang, created_at, updated_at) VALUES ($1, 'en', 1, 1)`, s); err != nil {
				return err
			}
		}
		return nil
	})
}

func inTx(t *testing.T, d *db.DB, fn func(tx *db.Tx) error) {
	t.Helper()
	if err := d.InTx(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func TestRulesStore(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		ctx, s, w := t.Context(), &Store{Now: time.Now}, &Wall{}
		// An empty table is the default.
		if err := w.Load(ctx, d.Read()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(DefaultRules(), w.Rules()); diff != "" {
			t.Error(diff)
		}
		for _, want := range [][]Rule{demoRules(), demoRules()[5:], rules(t, `story.lang == "עברית" → open`)} {
			inTx(t, d, func(tx *db.Tx) error { return s.ReplaceRules(ctx, tx, want) })
			if err := w.Load(ctx, d.Read()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, w.Rules(), cmpopts.IgnoreFields(Rule{}, "ID")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if w.Rules()[0].ID == "" {
				t.Error("no ID")
			}
		}
		// A table that cannot be used is refused before it is written.
		err := d.InTx(ctx, func(tx *db.Tx) error { return s.ReplaceRules(ctx, tx, []Rule{{Name: "n", When: "nonsense"}}) })
		if got, _ := s.Rules(ctx, d.Read()); !fault.Is(err, fault.Invalid) || len(got) != 1 {
			t.Errorf("%v, and %d rules", err, len(got))
		}
		// One that somebody wrote into the database by hand is refused when it is loaded, and the wall stands as it was.
		inTx(t, d, func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE wall_rule SET verdict = 'free for all'`)
			return err
		})
		if err := w.Load(ctx, d.Read()); !fault.Is(err, fault.Invalid) || len(w.Rules()) != 1 {
			t.Errorf("%v", err)
		}
	})
}

func TestBenefitsStore(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		ctx, s := t.Context(), &Store{Now: time.Now}
		want := []Benefit{
			{Entitlement: "topic:water-ledger", Texts: map[string]string{"en": "The Water Ledger", "ar": "دفتر المياه"}},
			{Entitlement: "archive", Texts: map[string]string{"en": "Every story"}},
		}
		for range 2 { // replacing is no adding
			inTx(t, d, func(tx *db.Tx) error { return s.ReplaceBenefits(ctx, tx, want) })
			got, err := s.Benefits(ctx, d.Read())
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Benefit{}, "ID")); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
		}
		err := d.InTx(ctx, func(tx *db.Tx) error { return s.ReplaceBenefits(ctx, tx, []Benefit{{Entitlement: "luck"}}) })
		if !fault.Is(err, fault.Invalid) {
			t.Error(err)
		}
	})
}

// A registered reader's meter, as a page asks and counts it.
func TestRegisteredMeter(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		seed(t, d)
		ctx, s := t.Context(), &Store{}
		w := newWall(t, "true → meter 2 per 7 days")
		open := func(reader, story string, now time.Time) bool {
			t.Helper()
			decision := w.Decide(Visit{Now: now, Reader: Reader{ID: reader, State: Registered}, Counted: func(since time.Time) ([]Read, error) {
				return s.Reads(ctx, d.Read(), reader, since)
			}}, Item{StoryID: story})
			if decision.Count {
				inTx(t, d, func(tx *db.Tx) error { return s.CountRead(ctx, tx, reader, story, now) })
			}
			return decision.Full
		}
		for i, step := range []struct {
			reader, story string
			day           int
			want          bool
		}{
			{"r1", "s1", 0, true}, {"r1", "s2", 1, true}, {"r1", "s3", 2, false}, {"r1", "s1", 3, true}, {"r2", "s3", 3, true},
			{"r1", "s3", 7, true}, {"r1", "s1", 7, false}, {"r1", "s1", 8, true}, {"r1", "s2", 9, false},
		} {
			if got := open(step.reader, step.story, noon.Add(days(step.day))); got != step.want {
				t.Errorf("%d: %+v gives %v", i, step, got)
			}
		}
		reads, err := s.Reads(ctx, d.Read(), "r1", noon)
		want := []Read{{"s2", noon.Add(days(1))}, {"s3", noon.Add(days(7))}, {"s1", noon.Add(days(8))}}
		if diff := cmp.Diff(want, reads); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
		s.Now = func() time.Time { return noon.Add(days(9)) }
		inTx(t, d, func(tx *db.Tx) error { return s.Prune(ctx, tx, days(7)) })
		if reads, _ := s.Reads(ctx, d.Read(), "r1", time.Time{}); len(reads) != 2 {
			t.Errorf("after Prune: %v", reads)
		}
		inTx(t, d, func(tx *db.Tx) error { _, err := tx.Exec(`DELETE FROM reader WHERE id = 'r1'`); return err })
		if reads, _ := s.Reads(ctx, d.Read(), "r1", time.Time{}); len(reads) != 0 {
			t.Errorf("of a deleted reader: %v", reads)
		}
	})
}

func TestGifts(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		seed(t, d)
		ctx, now := t.Context(), noon
		s := &Store{Now: func() time.Time { return now }, GiftQuota: 2, GiftDays: 14}
		r1, r2 := Reader{ID: "r1", State: Registered}, Reader{ID: "r2", State: Registered}
		full := Decision{Full: true}
		create := func(r Reader, story string, dec Decision) (g Gift, token string, err error) {
			err = d.InTx(ctx, func(tx *db.Tx) (err error) { g, token, err = s.GiftCreate(ctx, tx, r, story, dec); return err })
			return g, token, err
		}
		g, token, err := create(r1, "s1", full)
		if err != nil {
			t.Fatal(err)
		}
		if len(token) != 22 || !g.ExpiresAt.Equal(noon.Add(days(14))) {
			t.Errorf("token %q, %+v", token, g)
		}
		var dump string
		if err := d.Read().QueryRow(`SELECT secret_hash FROM gift`).Scan(&dump); err != nil || strings.Contains(dump, token) {
			t.Errorf("the secret is kept: %q, %v", dump, err)
		}
		// It opens its own story, to anybody.
		found, err := s.GiftByToken(ctx, d.Read(), token, "s1")
		if diff := cmp.Diff(g, found); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
		w := newWall(t, "true → subscribe")
		if dec := w.Decide(Visit{Now: now, Gift: &found}, Item{StoryID: "s1"}); dec.Rule != ByGift {
			t.Errorf("%+v", dec)
		}
		inTx(t, d, func(tx *db.Tx) error { return s.GiftOpened(ctx, tx, g.ID) })
		// No other story, and no other token.
		for _, try := range [][2]string{{token, "s2"}, {token, ""}, {token[:21] + "_", "s1"}, {"", "s1"}, {strings.Repeat("A", 5000), "s1"}, {dump, "s1"}, {g.ID, "s1"}} {
			if _, err := s.GiftByToken(ctx, d.Read(), try[0], try[1]); !fault.Is(err, fault.NotFound) {
				t.Errorf("%.30q for %q: %v", try[0], try[1], err)
			}
		}
		// Who may not read, or was given it, may not give.
		for _, dec := range []Decision{{}, {Offered: true}, {Full: true, Rule: ByGift}} {
			if _, _, err := create(r1, "s2", dec); !fault.Is(err, fault.Forbidden) {
				t.Errorf("%+v: %v", dec, err)
			}
		}
		if _, _, err := create(Reader{}, "s2", full); !fault.Is(err, fault.Forbidden) {
			t.Errorf("anonymous: %v", err)
		}
		if _, _, err := create(Reader{ID: "nobody", State: Registered}, "s2", full); !fault.Is(err, fault.NotFound) {
			t.Errorf("a deleted reader: %v", err)
		}
		// The quota slides; a revoked gift stays counted; another's quota is his own.
		now = noon.Add(days(10))
		second, secondToken, err := create(r1, "s2", full)
		if err != nil {
			t.Fatal(err)
		}
		inTx(t, d, func(tx *db.Tx) error { return s.GiftRevoke(ctx, tx, "r1", second.ID) })
		if _, err := s.GiftByToken(ctx, d.Read(), secondToken, "s2"); !fault.Is(err, fault.Gone) {
			t.Errorf("revoked: %v", err)
		}
		if _, _, err := create(r1, "s3", full); !fault.Is(err, fault.TooMany) || fault.Hint(err) == "" {
			t.Errorf("over the quota: %v", err)
		}
		if left, err := s.GiftsLeft(ctx, d.Read(), "r2"); left != 2 || err != nil {
			t.Errorf("r2 has %d left, %v", left, err)
		}
		other, _, err := create(r2, "s3", full)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.InTx(ctx, func(tx *db.Tx) error { return s.GiftRevoke(ctx, tx, "r1", other.ID) }); !fault.Is(err, fault.NotFound) {
			t.Errorf("another's gift: %v", err)
		}
		// It expires by itself, and not before.
		now = noon.Add(days(14) - time.Second)
		if _, err := s.GiftByToken(ctx, d.Read(), token, "s1"); err != nil {
			t.Error(err)
		}
		now = noon.Add(days(14))
		if _, err := s.GiftByToken(ctx, d.Read(), token, "s1"); !fault.Is(err, fault.Gone) {
			t.Errorf("expired: %v", err)
		}
		now = noon.Add(days(30))
		if _, _, err := create(r1, "s3", full); err != nil {
			t.Errorf("thirty days later: %v", err)
		}
		gifts, err := s.GiftsOf(ctx, d.Read(), "r1")
		if err != nil || len(gifts) != 3 || gifts[0].StoryID != "s3" || gifts[2].Opened != 1 || !gifts[1].RevokedAt.Equal(noon.Add(days(10))) || gifts[1].Live(noon) {
			t.Errorf("%v, %+v", err, gifts)
		}
		// A deleted reader's gifts are gone.
		inTx(t, d, func(tx *db.Tx) error { _, err := tx.Exec(`DELETE FROM reader WHERE id = 'r2'`); return err })
		if gifts, _ := s.GiftsOf(ctx, d.Read(), "r2"); len(gifts) != 0 {
			t.Errorf("%+v", gifts)
		}
		now = noon.Add(days(14 + MaxDays))
		inTx(t, d, func(tx *db.Tx) error { return s.Prune(ctx, tx, days(30)) })
		if gifts, _ := s.GiftsOf(ctx, d.Read(), "r1"); len(gifts) != 2 {
			t.Errorf("after Prune: %+v", gifts)
		}
	})
}

// Of many requests at once, only as many as the quota has get a gift.
func TestGiftQuotaHolds(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		seed(t, d)
		s := &Store{Now: func() time.Time { return noon }, GiftQuota: 2, GiftDays: 14}
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			wg.Go(func() {
				errs[i] = d.InTx(context.Background(), func(tx *db.Tx) error {
					_, _, err := s.GiftCreate(context.Background(), tx, Reader{ID: "r1", State: Registered}, fmt.Sprint("s", i%3+1), Decision{Full: true})
					return err
				})
			})
		}
		wg.Wait()
		given := 0
		for _, err := range errs {
			switch {
			case err == nil:
				given++
			case !fault.Is(err, fault.TooMany):
				t.Error(err)
			}
		}
		if given != 2 {
			t.Errorf("%d gifts, with a quota of 2: %v", given, errors.Join(errs...))
		}
	})
}
