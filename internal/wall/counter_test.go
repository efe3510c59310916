package wall

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/fault"
)

// stored gives how many stories the database has counted for a reader.
func stored(t *testing.T, d *db.DB, reader string) int {
	t.Helper()
	reads, err := (&Store{}).Reads(t.Context(), d.Read(), reader, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return len(reads)
}

// waiting gives how many counts of a reader wait.
func waiting(t *testing.T, c *Counter, reader string) int {
	t.Helper()
	reads, err := c.Pending(reader)
	if err != nil {
		t.Fatal(err)
	}
	return len(reads)
}

func TestCounter(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		seed(t, d)
		ctx := t.Context()
		c := NewCounter(d, &Store{})
		var told [][]string
		c.Written = func(_ context.Context, _ *db.Tx, ids []string) error {
			told = append(told, ids)
			return nil
		}
		first := Read{"s1", noon}
		for _, step := range []struct {
			reader, story string
			known         []Read
			want          bool
		}{
			{"r1", "s1", nil, true},
			{"r1", "s1", nil, true},           // the same story once
			{"r1", "s2", nil, false},          // decided without knowing of the first
			{"r1", "s2", []Read{first}, true}, // decided again
			{"r2", "s1", nil, true},
			{"deleted since", "s1", nil, true},
		} {
			if got := c.Count(step.reader, step.story, noon, step.known); got != step.want {
				t.Errorf("%+v gives %v", step, got)
			}
		}
		if waiting(t, c, "r1") != 2 || stored(t, d, "r1") != 0 || c.Len() != 4 {
			t.Errorf("before the flush: %d wait, %d of all, %d are stored; want 2, 4 and 0", waiting(t, c, "r1"), c.Len(), stored(t, d, "r1"))
		}
		if err := c.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		if stored(t, d, "r1") != 2 || stored(t, d, "r2") != 1 || waiting(t, c, "r1") != 0 || c.Len() != 0 {
			t.Errorf("after the flush: %d and %d stored, %d wait, %d of all", stored(t, d, "r1"), stored(t, d, "r2"), waiting(t, c, "r1"), c.Len())
		}
		if err := c.Flush(ctx); err != nil || len(told) != 1 || !slices.Equal(told[0], []string{"deleted since", "r1", "r2"}) {
			t.Errorf("an empty flush: %v, told %v", err, told)
		}
		// More than one statement holds.
		inTx(t, d, func(tx *db.Tx) error {
			for i := range 3*countRows + 7 {
				if _, err := tx.Exec(`INSERT INTO reader (id, email, email_key, created_at) VALUES ($1, $1, $1, 1)`, fmt.Sprint("many", i)); err != nil {
					return err
				}
				c.Count(fmt.Sprint("many", i), "s3", noon, nil)
			}
			return nil
		})
		if err := c.Flush(ctx); err != nil || stored(t, d, "many0") != 1 || stored(t, d, fmt.Sprint("many", 3*countRows+6)) != 1 {
			t.Errorf("many at once: %v", err)
		}
	})
}

// What cannot be written is kept and written the next time, with what came
// meanwhile, and the wall knows of it all the time.
func TestCounterKeepsWhatCannotBeWritten(t *testing.T) {
	d := dbtest.SQLite(t)
	seed(t, d)
	boom, away := errors.New("boom"), true
	c := NewCounter(d, &Store{})
	c.Written = func(context.Context, *db.Tx, []string) error {
		if n := waiting(t, c, "r1"); n < 1 {
			t.Error("what is being written does not count")
		}
		c.Count("r1", "s2", noon, []Read{{"s1", noon}}) // while it is being written
		if away {
			return boom
		}
		return nil
	}
	c.Count("r1", "s1", noon, nil)
	if err := c.Flush(t.Context()); !errors.Is(err, boom) {
		t.Fatalf("Flush = %v", err)
	}
	if waiting(t, c, "r1") != 2 || c.Len() != 2 {
		t.Fatalf("%d wait, want 2", waiting(t, c, "r1"))
	}
	away = false
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if stored(t, d, "r1") != 2 || c.Len() != 0 {
		t.Errorf("%d stored, %d wait", stored(t, d, "r1"), c.Len())
	}
}

// TestCounterIsBounded counts until no more is taken: nothing else is given then,
// and what was given stays so.
func TestCounterIsBounded(t *testing.T) {
	c := NewCounter(dbtest.SQLite(t), &Store{})
	for i := range PendingMost {
		if !c.Count(fmt.Sprint("r", i), "s1", noon, nil) {
			t.Fatalf("count %d is refused", i)
		}
	}
	if c.Count("r0", "s2", noon, []Read{{"s1", noon}}) || c.Len() != PendingMost {
		t.Error("more is counted than fits")
	}
	w := newWall(t, "true → meter 2 per 7 days")
	read := func(story string) Decision {
		return w.Decide(Visit{Now: noon, Reader: Reader{ID: "r0", State: Registered}, Counted: func(time.Time) ([]Read, error) { return c.Pending("r0") }}, Item{StoryID: story})
	}
	if _, err := c.Pending("r0"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("full: %v", err)
	}
	if d := read("s2"); d.Full || d.Count {
		t.Errorf("a story that cannot be counted: %+v", d)
	}
	if d := read("s1"); !d.Full || d.Count {
		t.Errorf("a story that was counted: %+v", d)
	}
}

// Of many requests at once no more get a story than the meter has.
func TestCounterHoldsTheLimit(t *testing.T) {
	c := NewCounter(dbtest.SQLite(t), &Store{})
	w := newWall(t, "true → meter 3 per 7 days")
	var given atomic.Int32
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			var known []Read
			v := Visit{Now: noon, Reader: Reader{ID: "r1", State: Registered}, Counted: func(time.Time) (reads []Read, err error) {
				known, err = c.Pending("r1")
				return known, err
			}}
			it := Item{StoryID: fmt.Sprint("s", i)}
			d := w.Decide(v, it)
			for d.Count && !c.Count("r1", it.StoryID, noon, known) {
				d = w.Decide(v, it)
			}
			if d.Full {
				given.Add(1)
			}
		})
	}
	wg.Wait()
	if given.Load() != 3 {
		t.Errorf("%d stories were given, want 3", given.Load())
	}
}

// Run writes within the second, at once when many wait, and tells once that it cannot.
func TestCounterRun(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	seed(t, d)
	var away atomic.Bool
	var faults atomic.Int32
	written := make(chan int, 16)
	c := NewCounter(d, &Store{})
	c.Fault = func(error) { faults.Add(1) }
	c.Written = func(_ context.Context, _ *db.Tx, ids []string) error {
		if away.Load() {
			return errors.New("away")
		}
		written <- len(ids)
		return nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); c.Run(ctx) }()
	wait := func(what string, most time.Duration) int {
		t.Helper()
		select {
		case n := <-written:
			return n
		case <-time.After(most):
			t.Fatalf("%s: nothing was written in %v", what, most)
			return 0
		}
	}
	c.Count("r1", "s1", noon, nil)
	wait("one count", 5*time.Second)
	for i := range flushAt {
		c.Count(fmt.Sprint("r", i), "s2", noon, []Read{{"s1", noon}})
	}
	total := 0
	for total < flushAt {
		total += wait("many counts", 5*time.Second)
	}
	away.Store(true)
	c.Count("r late", "s3", noon, nil)
	time.Sleep(2*FlushEvery + FlushEvery/2)
	if faults.Load() != 1 || c.Len() != 1 {
		t.Errorf("told %d times that nothing can be written, want once; %d wait, want 1", faults.Load(), c.Len())
	}
	away.Store(false)
	wait("after the database has come back", 5*time.Second)
	cancel()
	<-done
}
