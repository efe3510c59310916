package page

import (
	"sync"
	"sync/atomic"
)

// All is the tag that every page has.
const All = "all"

// remembered is how many invalidated tags are told apart; with more, everything
// is invalidated and counting begins anew.
const remembered = 1 << 16

// generations count invalidations. A rendering notes the count before it begins
// to read; it is stale when one of its tags was invalidated at a later count,
// whether during the rendering or long after.
type generations struct {
	count atomic.Uint64 // changes under mu alone

	mu    sync.RWMutex
	last  map[string]uint64 // tag → count at its last invalidation
	floor uint64            // count at the last invalidation of everything
}

func (g *generations) start() {
	g.last = map[string]uint64{}
	g.count.Store(1) // an entry that was never checked has 0
}

func (g *generations) now() uint64 { return g.count.Load() }

// invalidate makes everything stale that has one of these tags and was begun before.
func (g *generations) invalidate(tags []string) (all bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	next := g.count.Load() + 1
	for _, t := range tags {
		g.last[t] = next
		all = all || t == All
	}
	if all = all || len(g.last) > remembered; all {
		g.floor = next
		clear(g.last)
	}
	g.count.Store(next)
	return all
}

// fresh reports whether nothing that the entry shows was invalidated since it
// was begun. As long as nothing at all was, that is two reads of memory.
func (g *generations) fresh(e *entry) bool {
	if e.checked.Load() == g.count.Load() {
		return true
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	now := g.count.Load()
	if e.began < g.floor || e.err != nil && e.began < now { // an error has no tags
		return false
	}
	for _, t := range e.tags {
		if g.last[t] > e.began {
			return false
		}
	}
	e.checked.Store(now)
	return true
}

// Invalidate forgets every page that was rendered with one of these tags, and
// every remembered error. Call it when the change can be read: after its
// transaction. A page that was being rendered meanwhile is not given to anybody
// once Invalidate has returned; only where tags change faster than a page can be
// rendered, three times in a row, does a request get a page that was begun after
// the request came. [All] forgets everything.
func (c *Cache) Invalidate(tags ...string) {
	if len(tags) > 0 && c.generations.invalidate(tags) {
		for _, s := range []*store{c.open, c.full} { // gives back the memory; their entries are stale at any rate
			s.pages.InvalidateAll()
			s.absent.InvalidateAll()
		}
	}
}
