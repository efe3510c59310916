package relay_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/needtest"
	"masthead/internal/relay"
)

// node is one program that serves: its own connections, its own relay, and what it heard.
type node struct {
	*relay.Relay
	db *db.DB

	mu    sync.Mutex
	heard []string // the tags of each change, joined
	at    map[string]time.Time
}

// open opens the database of d once more, as another program does.
func open(t testing.TB, d *db.DB) *db.DB {
	t.Helper()
	other, err := db.Open(t.Context(), d.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	return other
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// start gives a node that hears, until the test ends.
func start(t testing.TB, d *db.DB) *node {
	t.Helper()
	n := &node{Relay: relay.New(d, quiet()), db: d, at: map[string]time.Time{}}
	n.On(func(tags []string) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.heard = append(n.heard, strings.Join(tags, " "))
		n.at[strings.Join(tags, " ")] = time.Now()
	})
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Stop)
	return n
}

func (n *node) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.heard)
}

// wait waits until the node has heard change.
func (n *node) wait(t testing.TB, change string, limit time.Duration) time.Time {
	t.Helper()
	for end := time.Now().Add(limit); ; time.Sleep(time.Millisecond) {
		n.mu.Lock()
		at, ok := n.at[change]
		n.mu.Unlock()
		if ok {
			return at
		}
		if time.Now().After(end) {
			t.Fatalf("%q was not heard in %v; heard: %v; stale for %v", change, limit, n.all(), n.Stale())
		}
	}
}

func tell(t testing.TB, d *db.DB, tags ...string) time.Time {
	t.Helper()
	if err := d.InTx(t.Context(), func(tx *db.Tx) error { return relay.Tell(t.Context(), tx, tags...) }); err != nil {
		t.Fatal(err)
	}
	return time.Now()
}

func TestHeardInOrderByEveryNode(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		tell(t, d, "before", "the", "start")
		a, b := start(t, d), start(t, open(t, d))
		want := []string{}
		for i := range 10 {
			teller := []*node{a, b}[i%2]
			err := teller.db.InTx(t.Context(), func(tx *db.Tx) error {
				for j := range 3 {
					want = append(want, fmt.Sprintf("story:%d-%d site", i, j))
					if err := relay.Tell(t.Context(), tx, fmt.Sprintf("story:%d-%d", i, j), "site"); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			teller.Committed(t.Context())
			// The teller has heard its own change, and all before it, at once.
			if diff := cmp.Diff(want, teller.all()); diff != "" {
				t.Fatalf("the teller, at once (-want +got):\n%s", diff)
			}
		}
		for _, n := range []*node{a, b} {
			n.wait(t, want[len(want)-1], relay.Limit)
			if diff := cmp.Diff(want, n.all()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if s := n.Stale(); s > relay.Limit {
				t.Errorf("stale for %v while all is well", s)
			}
		}
	})
}

func TestRollbackTellsNothing(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		a, b := start(t, d), start(t, open(t, d))
		boom := errors.New("boom")
		err := d.InTx(t.Context(), func(tx *db.Tx) error {
			if err := relay.Tell(t.Context(), tx, "never"); err != nil {
				return err
			}
			a.Committed(t.Context()) // it is not, yet
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		tell(t, d, "after")
		for _, n := range []*node{a, b} {
			n.wait(t, "after", relay.Limit)
			if diff := cmp.Diff([]string{"after"}, n.all()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		}
	})
}

func TestTagsAreChecked(t *testing.T) {
	d := dbtest.SQLite(t)
	n := start(t, d)
	for _, tags := range [][]string{{""}, {"good", ""}, {"two words"}, {"line\n"}, {"é"}} {
		if err := d.InTx(t.Context(), func(tx *db.Tx) error { return relay.Tell(t.Context(), tx, tags...) }); err == nil {
			t.Errorf("%q was told", tags)
		}
	}
	tell(t, d) // nothing
	n.Committed(t.Context())
	if got := n.all(); len(got) != 0 {
		t.Errorf("heard %v", got)
	}
}

// TestLateCommitIsHeard commits the lower number after the higher one was heard.
func TestLateCommitIsHeard(t *testing.T) {
	d := dbtest.Postgres(t)
	a, b := start(t, d), start(t, open(t, d))
	err := d.InTx(t.Context(), func(tx *db.Tx) error {
		if err := relay.Tell(t.Context(), tx, "early-told"); err != nil {
			return err
		}
		tell(t, d, "late-told")
		a.wait(t, "late-told", relay.Limit)
		b.wait(t, "late-told", relay.Limit)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []*node{a, b} {
		n.wait(t, "early-told", relay.Limit)
		if diff := cmp.Diff([]string{"late-told", "early-told"}, n.all()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}

// TestInterleavedCommitsLoseNothing lets many transactions overlap, commit out of
// order and fail, beside nodes that look all the time.
func TestInterleavedCommitsLoseNothing(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		writers, each := 8, 60
		if d.Dialect == db.SQLite {
			each = 15 // they wait for one another
		}
		a, b := start(t, d), start(t, open(t, d))
		var mu sync.Mutex
		var want []string
		var wg sync.WaitGroup
		ctx := t.Context()
		for w := range writers {
			wg.Go(func() {
				random := rand.New(rand.NewPCG(uint64(w), 7))
				for i := range each {
					tag := fmt.Sprintf("story:%d-%d", w, i)
					fails, pause := random.IntN(4) == 0, time.Duration(random.IntN(8))*time.Millisecond
					err := d.InTx(ctx, func(tx *db.Tx) error {
						if err := relay.Tell(ctx, tx, tag); err != nil {
							return err
						}
						time.Sleep(pause)
						if fails {
							return context.Canceled
						}
						return nil
					})
					if err == nil {
						mu.Lock()
						want = append(want, tag)
						mu.Unlock()
						a.Committed(ctx)
					} else if !fails {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		tell(t, d, "end")
		want = append(want, "end")
		slices.Sort(want)
		for name, n := range map[string]*node{"teller": a, "other": b} {
			n.wait(t, "end", relay.Limit)
			got := n.all()
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" { // exactly once, which is more than is promised
				t.Errorf("%s: -want +got:\n%s", name, diff)
			}
		}
	})
}

// TestNotificationsMayBeLost tells without notifying: the look once a second hears it.
func TestNotificationsMayBeLost(t *testing.T) {
	d := dbtest.Postgres(t)
	n := start(t, open(t, d))
	if _, err := d.Write().ExecContext(t.Context(), `ALTER TABLE change DISABLE TRIGGER change_told`); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		tag := fmt.Sprint("unnotified", i)
		at := tell(t, d, tag)
		t.Logf("heard after %v", n.wait(t, tag, relay.Limit).Sub(at))
	}
}

// listeners are the server processes that relays listen on.
func listeners(t *testing.T, d *db.DB) []int {
	t.Helper()
	rows, err := d.Read().QueryContext(t.Context(), `SELECT pid FROM pg_stat_activity WHERE application_name = 'masthead relay'`)
	pids, err := db.Rows(rows, err, func(s db.Scanner) (pid int, err error) { return pid, s.Scan(&pid) })
	if err != nil {
		t.Fatal(err)
	}
	return pids
}

func ownServer(t testing.TB) (*dbtest.Server, *db.DB) {
	t.Helper()
	s, err := dbtest.StartServer()
	if err != nil {
		needtest.Missing(t, "no PostgreSQL of our own: %v", err)
	}
	t.Cleanup(func() { s.Stop() })
	d, err := db.Open(t.Context(), s.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, d
}

// TestListenerKilled ends the listening connections again and again while changes are told.
func TestListenerKilled(t *testing.T) {
	_, d := ownServer(t)
	n := start(t, open(t, d))
	killed, want := 0, []string{}
	var slowest time.Duration
	for i := range 30 {
		if i%3 == 0 {
			for _, pid := range listeners(t, d) {
				if _, err := d.Write().ExecContext(t.Context(), `SELECT pg_terminate_backend($1)`, pid); err != nil {
					t.Fatal(err)
				}
				killed++
			}
		}
		tag := fmt.Sprint("story:", i)
		want = append(want, tag)
		at := tell(t, d, tag)
		if i%3 == 2 {
			slowest = max(slowest, n.wait(t, tag, relay.Limit).Sub(at))
		}
	}
	if killed < 5 {
		t.Errorf("killed %d connections only", killed)
	}
	if diff := cmp.Diff(want, n.all()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	t.Logf("%d connections killed, heard after %v at the latest", killed, slowest)
}

// TestListenerFrozen stops the server's process behind the listening connection,
// which looks as if nothing were told: like a network that swallows packets.
func TestListenerFrozen(t *testing.T) {
	_, d := ownServer(t)
	n := start(t, open(t, d))
	tell(t, d, "first")
	n.wait(t, "first", relay.Limit)
	pids := listeners(t, d)
	if len(pids) != 1 {
		t.Fatalf("%d listeners", len(pids))
	}
	if err := syscall.Kill(pids[0], syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(pids[0], syscall.SIGCONT)
	at := tell(t, d, "unheard")
	t.Logf("heard after %v", n.wait(t, "unheard", relay.Limit).Sub(at))
}

// TestDatabaseDown stops the server for some seconds.
func TestDatabaseDown(t *testing.T) {
	s, d := ownServer(t)
	a, b := start(t, d), start(t, open(t, d))
	tell(t, d, "first")
	a.wait(t, "first", relay.Limit)
	b.wait(t, "first", relay.Limit)

	s.Halt()
	down := time.Now()
	time.Sleep(relay.Limit + time.Second)
	for _, n := range []*node{a, b} {
		if got := n.Stale(); got < relay.Limit || got > time.Since(down)+relay.Limit {
			t.Errorf("down for %v: stale for %v", time.Since(down), got)
		}
		n.Committed(t.Context()) // returns
	}
	if err := s.Resume(); err != nil {
		t.Fatal(err)
	}
	up := time.Now()
	for _, n := range []*node{a, b} {
		t.Logf("hears again %v after the server does", n.wait(t, relay.All, relay.Limit).Sub(up))
		if got := n.Stale(); got > relay.Limit {
			t.Errorf("up again: stale for %v", got)
		}
	}
	at := tell(t, d, "last")
	t.Logf("and a change after %v", b.wait(t, "last", relay.Limit).Sub(at))
	a.wait(t, "last", relay.Limit)
	for _, n := range []*node{a, b} {
		if diff := cmp.Diff([]string{"first", relay.All, "last"}, n.all()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}

// TestSQLiteReplaced gives the file numbers from before, as restoring into it does.
func TestSQLiteReplaced(t *testing.T) {
	d := dbtest.SQLite(t)
	n := start(t, d)
	for range 5 {
		tell(t, d, "site")
	}
	n.Committed(t.Context())
	for _, stmt := range []string{`DELETE FROM change WHERE seq > 2`, `UPDATE sqlite_sequence SET seq = 2 WHERE name = 'change'`} {
		if _, err := d.Write().ExecContext(t.Context(), stmt); err != nil {
			t.Fatal(err)
		}
	}
	n.wait(t, relay.All, relay.Limit)
	tell(t, d, "goes-on")
	n.wait(t, "goes-on", relay.Limit)
}

func TestAwayTooLong(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		n := &node{Relay: relay.New(d, quiet()), at: map[string]time.Time{}}
		var ahead atomic.Int64
		n.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		n.On(func(tags []string) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.heard = append(n.heard, strings.Join(tags, " "))
			n.at[strings.Join(tags, " ")] = time.Now()
		})
		if n.Stale() < 24*time.Hour {
			t.Errorf("not started, and stale for %v", n.Stale())
		}
		n.Committed(t.Context()) // does nothing
		if err := n.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer n.Stop()
		ahead.Store(int64(31 * time.Minute)) // the machine slept
		n.wait(t, relay.All, relay.Limit)
		tell(t, d, "then")
		n.wait(t, "then", relay.Limit)
		if diff := cmp.Diff([]string{relay.All, "then"}, n.all()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

func TestPrune(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		n := start(t, d)
		tell(t, d, "old")
		n.wait(t, "old", relay.Limit)
		later := relay.New(d, quiet())
		prune := func(after time.Duration) (left int) {
			later.Now = func() time.Time { return time.Now().Add(after) }
			if err := d.InTx(t.Context(), func(tx *db.Tx) error { return later.Prune(t.Context(), tx) }); err != nil {
				t.Fatal(err)
			}
			if err := d.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM change`).Scan(&left); err != nil {
				t.Fatal(err)
			}
			return left
		}
		if left := prune(59 * time.Minute); left != 1 {
			t.Errorf("%d changes left within the hour, want 1", left)
		}
		if left := prune(61 * time.Minute); left != 0 {
			t.Errorf("%d changes left after an hour", left)
		}
		tell(t, d, "new") // its number is new too, though the table is empty
		n.wait(t, "new", relay.Limit)
		if diff := cmp.Diff([]string{"old", "new"}, n.all()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

func TestStopLeavesNothing(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		if err := d.Read().PingContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		before := runtime.NumGoroutine()
		for i := range 20 {
			r := relay.New(d, quiet())
			r.On(func([]string) { t.Error("heard what was told after the end") })
			if err := r.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := r.Start(t.Context()); err == nil {
				t.Error("started twice")
			}
			if i%2 == 0 {
				time.Sleep(10 * time.Millisecond) // also while it waits, not only while it connects
			}
			r.Stop()
			r.Stop()
			tell(t, d, "site")
			r.Committed(t.Context())
		}
		after := runtime.NumGoroutine()
		for end := time.Now().Add(2 * time.Second); after > before+2 && time.Now().Before(end); after = runtime.NumGoroutine() {
			time.Sleep(10 * time.Millisecond)
		}
		if after > before+2 { // the pools of d itself may have opened a connection more
			t.Errorf("%d goroutines before, %d after", before, after)
		}
	})
}
