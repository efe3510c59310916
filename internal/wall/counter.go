package wall

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
)

const (
	// FlushEvery is how long a count waits for the database at the most, while it answers.
	FlushEvery = time.Second
	// flushAt is how many counts are written without waiting for the second to pass.
	flushAt = 1000
	// PendingMost is how many counts wait in memory while the database is away,
	// about 10 MB. Beyond it no meter opens anything that it has not counted.
	PendingMost = 1 << 16
	// flushPatience is how long the database may take to write a batch.
	flushPatience = 5 * time.Second
)

// Counter counts what registered readers read under a meter, and keeps no page
// waiting: counts are gathered and written together every second, one transaction
// for all of them. [Counter.Pending] gives them from the moment they are made. A
// stop that is not a kill writes them first; kill -9 loses the last second. It is
// safe for concurrent use.
type Counter struct {
	// Written is told, in the transaction that writes, whose counts it holds. Nil tells nobody.
	Written func(ctx context.Context, tx *db.Tx, readerIDs []string) error
	// Fault is told when counts cannot be written, once until they can again; nil
	// tells nobody. They are kept, and tried again every second.
	Fault func(err error)

	db    *db.DB
	store *Store
	turn  chan struct{} // held by whoever writes
	full  chan struct{} // has one when flushAt is reached

	mu      sync.Mutex
	pending map[string][]Read // by reader
	flying  map[string][]Read // those that are being written
	size    int               // counts in both
}

// NewCounter makes a counter that writes with the store into d.
func NewCounter(d *db.DB, store *Store) *Counter {
	return &Counter{db: d, store: store, turn: make(chan struct{}, 1), full: make(chan struct{}, 1), pending: map[string][]Read{}}
}

// Count counts a story for a reader, whose decision went by the reads in known.
// Where something else was counted for the reader since, nothing is, and false
// tells to ask the wall again: of two requests at once, one gets the last free
// story. A story that waits already is not counted twice.
func (c *Counter) Count(readerID, storyID string, at time.Time, known []Read) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, reads := range [][]Read{c.flying[readerID], c.pending[readerID]} {
		for _, r := range reads {
			if r.StoryID == storyID {
				return true
			}
			if !slices.ContainsFunc(known, func(k Read) bool { return k.StoryID == r.StoryID }) {
				return false
			}
		}
	}
	if c.size >= PendingMost {
		return false
	}
	c.pending[readerID] = append(c.pending[readerID], Read{storyID, at})
	if c.size++; c.size >= flushAt {
		select {
		case c.full <- struct{}{}:
		default:
		}
	}
	return true
}

// Pending gives what is counted for a reader and not written yet. The error, of
// kind fault.Unavailable, tells that nothing more can be counted: the database
// has been away for too long.
func (c *Counter) Pending(readerID string) ([]Read, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	reads := slices.Concat(c.flying[readerID], c.pending[readerID])
	if c.size >= PendingMost {
		return reads, fault.New(fault.Unavailable, "too many reads wait to be counted")
	}
	return reads, nil
}

// Len gives how many counts wait to be written.
func (c *Counter) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.size
}

// Flush writes everything that was counted before it was called. What cannot be
// written is kept for the next time.
func (c *Counter) Flush(ctx context.Context) error {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("wall.Counter.Flush: %w", ctx.Err())
	}
	defer func() { <-c.turn }()
	c.mu.Lock()
	batch := c.pending
	c.flying, c.pending = batch, map[string][]Read{}
	c.mu.Unlock()
	if len(batch) == 0 {
		return nil
	}
	n, err := c.write(ctx, batch)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flying = nil
	if err != nil {
		for id, reads := range batch {
			c.pending[id] = append(reads, c.pending[id]...)
		}
		return fmt.Errorf("wall.Counter.Flush: %w", err)
	}
	c.size -= n
	return nil
}

// write writes a batch in one transaction. An answer that was lost on its way
// leads to the same rows being written again, which changes nothing.
func (c *Counter) write(ctx context.Context, batch map[string][]Read) (n int, err error) {
	ids := slices.Sorted(maps.Keys(batch))
	var counts []Counted
	for _, id := range ids {
		// Every node writes in the same order, so that none waits for one that waits for it.
		for _, r := range slices.SortedFunc(slices.Values(batch[id]), func(a, b Read) int { return cmp.Compare(a.StoryID, b.StoryID) }) {
			counts = append(counts, Counted{id, r})
		}
	}
	ctx, cancel := context.WithTimeout(ctx, flushPatience)
	defer cancel()
	err = c.db.InTx(ctx, func(tx *db.Tx) error {
		if err := c.store.CountReads(ctx, tx, counts); err != nil || c.Written == nil {
			return err
		}
		return c.Written(ctx, tx, ids)
	})
	return len(counts), err
}

// Run writes every second, and sooner when many counts wait, until ctx ends.
// What is counted after that is for [Counter.Flush].
func (c *Counter) Run(ctx context.Context) {
	tick := time.NewTicker(FlushEvery)
	defer tick.Stop()
	failing := false
	for {
		full := c.full
		if failing {
			full = nil // each count would try again
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-full:
		}
		err := c.Flush(context.WithoutCancel(ctx)) // one that has begun is ended
		if err != nil && !failing && c.Fault != nil {
			c.Fault(err)
		}
		failing = err != nil
	}
}
