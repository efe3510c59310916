package wall

import (
	"context"
	"errors"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
)

func TestCounter(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		seed(t, d)
		ctx, s := t.Context(), &Store{}
		var told [][]string
		c := &Counter{DB: d, Store: s, Written: func(_ context.Context, _ db.Queryer, ids []string) error {
			told = append(told, ids)
			return nil
		}}
		stored := func(reader string) int {
			t.Helper()
			reads, err := s.Reads(ctx, d.Read(), reader, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			return len(reads)
		}
		c.Count("r1", "s1", noon)
		c.Count("r1", "s1", noon.Add(time.Minute)) // the same story once
		c.Count("r1", "s2", noon.Add(time.Minute))
		c.Count("r2", "s1", noon)
		c.Count("deleted since", "s1", noon)
		if n := len(c.Pending("r1", noon.Add(-time.Second))); n != 2 || stored("r1") != 0 {
			t.Errorf("before the flush: %d pending, %d stored; want 2 and 0", n, stored("r1"))
		}
		if n := len(c.Pending("r1", noon)); n != 1 {
			t.Errorf("%d pending after noon, want 1", n)
		}
		if err := c.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		if stored("r1") != 2 || stored("r2") != 1 || len(c.Pending("r1", time.Time{})) != 0 || len(told) != 1 || len(told[0]) != 3 {
			t.Errorf("after the flush: %d and %d stored, %d pending, told %v", stored("r1"), stored("r2"), len(c.Pending("r1", time.Time{})), told)
		}
		if err := c.Flush(ctx); err != nil || len(told) != 1 {
			t.Errorf("an empty flush: %v, told %v", err, told)
		}
	})
}

// What cannot be written is kept and written the next time, with what came meanwhile.
func TestCounterKeepsWhatCannotBeWritten(t *testing.T) {
	d := dbtest.SQLite(t)
	seed(t, d)
	boom, away := errors.New("boom"), true
	c := &Counter{DB: d, Store: &Store{}}
	c.Written = func(context.Context, db.Queryer, []string) error {
		c.Count("r1", "s2", noon) // while it is being written
		if away {
			return boom
		}
		return nil
	}
	c.Count("r1", "s1", noon)
	if err := c.Flush(t.Context()); !errors.Is(err, boom) {
		t.Fatalf("Flush = %v", err)
	}
	if n := len(c.Pending("r1", time.Time{})); n != 2 {
		t.Fatalf("%d pending, want 2", n)
	}
	away = false
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	reads, err := c.Store.Reads(t.Context(), d.Read(), "r1", time.Time{})
	if err != nil || len(reads) != 2 || len(c.Pending("r1", time.Time{})) != 0 {
		t.Errorf("stored %v, %v", reads, err)
	}
}

// Run writes what is left when it ends.
func TestCounterRunEnds(t *testing.T) {
	d := dbtest.SQLite(t)
	seed(t, d)
	c := &Counter{DB: d, Store: &Store{}}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); c.Run(ctx) }()
	c.Count("r1", "s1", noon)
	cancel()
	<-done
	if reads, err := c.Store.Reads(t.Context(), d.Read(), "r1", time.Time{}); err != nil || len(reads) != 1 {
		t.Errorf("stored %v, %v", reads, err)
	}
}
