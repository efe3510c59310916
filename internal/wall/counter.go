package wall

import (
	"context"
	"fmt"
	"sync"
	"time"

	"masthead/internal/db"
)

// Counter counts what registered readers read under a meter without keeping
// their pages waiting: counts are gathered and written together every second.
// What has not been written yet is lost by kill -9, and by nothing else. It is
// safe for concurrent use.
type Counter struct {
	DB    *db.DB
	Store *Store
	// Written is told, in the transaction that writes, whose counts it holds. Nil tells nobody.
	Written func(ctx context.Context, q db.Queryer, readerIDs []string) error
	// Fault is told of what could not be written; it is tried again. Nil tells nobody.
	Fault func(err error)

	mu      sync.Mutex
	pending map[string][]Read // by reader
}

// flushEvery is how long a count waits at the most.
const flushEvery = time.Second

// Count counts a story for a reader, at once for [Counter.Pending] and soon for the database.
func (c *Counter) Count(readerID, storyID string, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.pending[readerID] {
		if r.StoryID == storyID {
			return
		}
	}
	if c.pending == nil {
		c.pending = map[string][]Read{}
	}
	c.pending[readerID] = append(c.pending[readerID], Read{storyID, at})
}

// Pending gives what is counted for a reader after a time and not written yet.
func (c *Counter) Pending(readerID string, since time.Time) []Read {
	c.mu.Lock()
	defer c.mu.Unlock()
	var reads []Read
	for _, r := range c.pending[readerID] {
		if r.At.After(since) {
			reads = append(reads, r)
		}
	}
	return reads
}

// Flush writes what is counted. What cannot be written waits for the next time.
func (c *Counter) Flush(ctx context.Context) error {
	c.mu.Lock()
	batch := make(map[string][]Read, len(c.pending))
	for id, reads := range c.pending {
		batch[id] = reads
	}
	c.mu.Unlock()
	if len(batch) == 0 {
		return nil
	}
	err := c.DB.InTx(ctx, func(tx *db.Tx) error {
		ids := make([]string, 0, len(batch))
		for id, reads := range batch {
			ids = append(ids, id)
			for _, r := range reads {
				if err := c.Store.CountRead(ctx, tx, id, r.StoryID, r.At); err != nil {
					return err
				}
			}
		}
		if c.Written == nil {
			return nil
		}
		return c.Written(ctx, tx, ids)
	})
	if err != nil {
		return fmt.Errorf("wall.Counter: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, reads := range batch { // what came meanwhile stands behind what was written
		if rest := c.pending[id][len(reads):]; len(rest) > 0 {
			c.pending[id] = rest
		} else {
			delete(c.pending, id)
		}
	}
	return nil
}

// Run writes every second until ctx ends, and once more then.
func (c *Counter) Run(ctx context.Context) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		end := false
		select {
		case <-ctx.Done():
			end = true
		case <-tick.C:
		}
		write, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		err := c.Flush(write)
		cancel()
		if err != nil && c.Fault != nil {
			c.Fault(err)
		}
		if end {
			return
		}
	}
}
