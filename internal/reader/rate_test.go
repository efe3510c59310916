package reader

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/fault"
)

func TestLimiter(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, c := newStore()
		l := s.Limiter("gift", Rate{Limit: 3, Window: time.Hour})
		take := func(l Limiter, key string) error {
			return d.InTx(t.Context(), func(tx *db.Tx) error { return l.Take(t.Context(), tx, key) })
		}
		for i := range 3 {
			if err := take(l, "ada"); err != nil {
				t.Fatalf("use %d: %v", i+1, err)
			}
			c.add(time.Minute)
		}
		for range 5 {
			err := take(l, "ada")
			wantKind(t, "over the limit", err, fault.TooMany)
			limit, ok := errors.AsType[*LimitError](err)
			if !ok || limit.After != 57*time.Minute {
				t.Fatalf("try again after %v, want 57m", limit)
			}
			if hint := fault.Hint(err); hint != "try again in 57 minutes" {
				t.Errorf("hint %q", hint)
			}
		}
		if err := take(l, "bob"); err != nil {
			t.Errorf("another key: %v", err)
		}
		if err := take(s.Limiter("search", l.Rate), "ada"); err != nil {
			t.Errorf("another limiter: %v", err)
		}
		if err := take(s.Limiter("gift", Rate{}), "ada"); err != nil {
			t.Errorf("no limit: %v", err)
		}
		do(t, d, func(ctx context.Context, tx *db.Tx) error { return l.Forget(ctx, tx, "ada") })
		if err := take(l, "ada"); err != nil {
			t.Errorf("after Forget: %v", err)
		}
		c.add(time.Hour)
		for i := range 3 {
			if err := take(l, "ada"); err != nil {
				t.Errorf("use %d of the next window: %v", i+1, err)
			}
		}
		// What was rolled back does not count; what is kept names nobody.
		c.add(time.Hour)
		for range 4 {
			err := d.InTx(t.Context(), func(tx *db.Tx) error {
				return errors.Join(l.Take(t.Context(), tx, "ada"), errors.New("later"))
			})
			if fault.Is(err, fault.TooMany) {
				t.Error("counted what was rolled back")
			}
		}
		names := must[[]string](t)(rateNames(t, d))
		if len(names) == 0 || strings.Contains(strings.Join(names, " "), "ada") {
			t.Errorf("names kept: %v", names)
		}
		c.add(2 * time.Hour)
		do(t, d, func(ctx context.Context, tx *db.Tx) error { return s.Sweep(ctx, tx) })
		if names := must[[]string](t)(rateNames(t, d)); len(names) > 0 {
			t.Errorf("left after Sweep: %v", names)
		}
	})
}

func rateNames(t *testing.T, d *db.DB) ([]string, error) {
	rows, err := d.Read().QueryContext(t.Context(), `SELECT name FROM rate ORDER BY name`)
	return db.Rows(rows, err, func(row db.Scanner) (n string, err error) { return n, row.Scan(&n) })
}

// TestLimiterWhenTheClockSteps sets the clock back after a limit was reached:
// by little the limit stands, by much nobody is locked out until the old time.
func TestLimiterWhenTheClockSteps(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, c := newStore()
		l := s.Limiter("letter", Rate{Limit: 1, Window: time.Hour})
		take := func() error {
			return d.InTx(t.Context(), func(tx *db.Tx) error { return l.Take(t.Context(), tx, "ada") })
		}
		c.add(1000 * time.Hour) // ahead
		if err := take(); err != nil {
			t.Fatal(err)
		}
		c.add(-time.Minute)
		wantKind(t, "set back by a minute", take(), fault.TooMany)
		c.add(-999 * time.Hour)
		if err := take(); err != nil {
			t.Errorf("set right again: %v", err)
		}
		wantKind(t, "the limit holds after that", take(), fault.TooMany)
	})
}

func TestLimiterTogether(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, _ := newStore()
		l := s.Limiter("letter", Rate{Limit: 7, Window: time.Hour})
		var allowed, refused atomic.Int32
		var wg sync.WaitGroup
		for range 40 {
			wg.Go(func() {
				err := d.InTx(t.Context(), func(tx *db.Tx) error { return l.Take(t.Context(), tx, "ada") })
				switch {
				case err == nil:
					allowed.Add(1)
				case fault.Is(err, fault.TooMany):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if allowed.Load() != 7 || refused.Load() != 33 {
			t.Errorf("%d allowed, %d refused; want 7 and 33", allowed.Load(), refused.Load())
		}
	})
}

func TestNetwork(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.77": "192.0.2.0/24", "::ffff:192.0.2.77": "192.0.2.0/24", "2001:db8:1:2::3": "2001:db8:1::/48", "fe80::1%eth0": "fe80::/48",
	} {
		if got := Network(netip.MustParseAddr(addr)).String(); got != want {
			t.Errorf("Network(%s) = %s, want %s", addr, got, want)
		}
	}
	if Network(netip.Addr{}).IsValid() {
		t.Error("no address has a network")
	}
}
