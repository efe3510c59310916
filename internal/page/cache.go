package page

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/singleflight"

	"masthead/internal/fault"
)

// Key names one rendered page. Whatever its bytes depend on, but for the holes,
// must be in it or be invalidated by a tag.
type Key struct {
	Kind     string // "story", "front", "feed"
	ID       string // of what it shows
	Revision string
	Theme    string
	Variant  string // [Full], "preview", "print", a page's number
	Lang     string // of the furniture
}

// Full is the variant of whole texts: [Cache.GetFull] keeps them and nothing
// else, and [Cache.Get] never does.
const Full = "full"

// Render makes a page that is not in the cache. Many requests may wait for it
// and the first of them may leave, so it uses the ctx it is given and nothing
// of a request that its key does not tell.
type Render func(ctx context.Context) (Rendered, error)

// Settings of a cache.
type Settings struct {
	// Bytes bounds the memory for pages, about; a half of it for whole texts. 0
	// means 64 MiB.
	Bytes int64
	// Absent is how long "not found" and "gone" are remembered at most, and until
	// the next invalidation of anything. 0 means 5 s.
	Absent time.Duration
	// Patience is how long a page may take to render. 0 means 30 s.
	Patience time.Duration
	Now      func() time.Time // nil means time.Now
}

// Cache keeps rendered pages. It is safe for concurrent use.
type Cache struct {
	settings Settings
	open     *store // pages that anybody may be sent
	full     *store // pages with whole texts, for holders of a permit
	queue    chan *Page
	generations
	counters
}

// store keeps the pages of one kind. The two stores of a cache share nothing.
type store struct {
	pages   *otter.Cache[Key, *entry]
	absent  *otter.Cache[Key, *entry]
	flights singleflight.Group
	full    bool
}

// entry is the outcome of a rendering: a page or an error.
type entry struct {
	page    *Page
	err     error
	tags    []string
	began   uint64        // generation at which the rendering began
	checked atomic.Uint64 // last generation at which the entry was known to hold
	until   time.Time     // of an error that is remembered
}

// NewCache makes an empty cache.
func NewCache(s Settings) *Cache {
	if s.Bytes <= 0 {
		s.Bytes = 64 << 20
	}
	if s.Absent <= 0 {
		s.Absent = 5 * time.Second
	}
	if s.Patience <= 0 {
		s.Patience = 30 * time.Second
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	c := &Cache{settings: s, queue: make(chan *Page, 64)}
	c.generations.start()
	c.open, c.full = c.newStore(false), c.newStore(true)
	return c
}

func (c *Cache) newStore(full bool) *store {
	weigh := func(k Key, e *entry) uint32 {
		n := 512 + len(k.Kind) + len(k.ID) + len(k.Revision) + len(k.Theme) + len(k.Variant) + len(k.Lang)
		if e.page != nil {
			n += e.page.Size()
		}
		return uint32(min(n, 1<<31))
	}
	half := uint64(c.settings.Bytes) / 2
	return &store{
		pages: otter.Must(&otter.Options[Key, *entry]{MaximumWeight: half, Weigher: weigh}),
		// Whoever asks for many addresses that do not exist shall not push out pages.
		absent: otter.Must(&otter.Options[Key, *entry]{MaximumWeight: half / 32, Weigher: weigh}),
		full:   full,
	}
}

// Get gives the page of key, which anybody may be sent, rendering it when it is
// not there or has been invalidated. Errors are those of render, for all who
// wait for it; of kind not found and gone, they are remembered for a while.
func (c *Cache) Get(ctx context.Context, key Key, render Render) (*Page, error) {
	if key.Variant == Full {
		return nil, fmt.Errorf("page: whole text of %s %q asked for without a permit", key.Kind, key.ID)
	}
	return c.get(ctx, c.open, key, render)
}

// ErrNotKept says that a page is not in the cache.
var ErrNotKept = errors.New("page: not in the cache")

// Kept is [Cache.Get] for a page that is in the cache, else ErrNotKept.
func (c *Cache) Kept(key Key) (*Page, error) {
	if p := c.kept(c.open, key); p != nil && key.Variant != Full {
		return p, nil
	}
	return nil, ErrNotKept
}

// KeptFull is [Cache.GetFull] for a page that is in the cache, else ErrNotKept.
func (c *Cache) KeptFull(permit Permit, key Key) (*Page, error) {
	if !permit.opens(key.ID) || key.Variant != Full {
		return nil, fmt.Errorf("page: whole text of %s %q asked for without a permit", key.Kind, key.ID)
	}
	if p := c.kept(c.full, key); p != nil {
		return p, nil
	}
	return nil, ErrNotKept
}

// kept gives the page that a store has of key; nil when it has none that holds.
func (c *Cache) kept(s *store, key Key) *Page {
	e, ok := s.pages.GetIfPresent(key)
	if !ok || !c.fresh(e) {
		return nil
	}
	c.hits.Add(1)
	c.wish(e.page)
	return e.page
}

// GetFull is [Cache.Get] for whole texts: the key's variant is [Full], and the
// permit must be for its ID. It fails otherwise, whether or not the page is there.
func (c *Cache) GetFull(ctx context.Context, permit Permit, key Key, render Render) (*Page, error) {
	if !permit.opens(key.ID) || key.Variant != Full {
		return nil, fmt.Errorf("page: whole text of %s %q asked for without a permit", key.Kind, key.ID)
	}
	return c.get(ctx, c.full, key, render)
}

func (c *Cache) get(ctx context.Context, s *store, key Key, render Render) (*Page, error) {
	if p := c.kept(s, key); p != nil {
		return p, nil
	}
	c.misses.Add(1)
	arrived := c.now()
	for try := 0; ; try++ {
		if e, ok := s.absent.GetIfPresent(key); ok && c.fresh(e) && c.settings.Now().Before(e.until) {
			c.absent.Add(1)
			return nil, e.err
		}
		e, err := c.fly(ctx, s, key, render)
		if err != nil {
			return nil, err
		}
		// What was invalidated while it was rendered is rendered again; where that
		// happens thrice, it is enough that it was begun after it was asked for.
		if c.fresh(e) || try >= 2 && e.began >= arrived {
			return e.page, e.err
		}
		c.stale.Add(1)
	}
}

// fly renders the page of key, or waits for the one who does. The error is that
// of ctx alone.
func (c *Cache) fly(ctx context.Context, s *store, key Key, render Render) (*entry, error) {
	done := s.flights.DoChan(key.text(), func() (any, error) {
		if e, ok := s.pages.GetIfPresent(key); ok && c.fresh(e) {
			return e, nil // somebody rendered it since we looked
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.settings.Patience)
		defer cancel()
		e := &entry{began: c.now()}
		c.renders.Add(1)
		e.page, e.err = build(ctx, render, s.full)
		switch {
		case e.err == nil:
			e.tags = e.page.tags
			if c.fresh(e) {
				s.pages.Set(key, e)
			}
		case fault.Is(e.err, fault.NotFound) || fault.Is(e.err, fault.Gone):
			e.until = c.settings.Now().Add(c.settings.Absent)
			s.absent.Set(key, e)
		default:
			c.failures.Add(1)
		}
		return e, nil
	})
	select {
	case r := <-done:
		return r.Val.(*entry), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// build renders and compresses. A panic becomes an error: nobody up the stack
// of a flight would catch it.
func build(ctx context.Context, render Render, full bool) (p *Page, err error) {
	defer func() {
		if v := recover(); v != nil {
			p, err = nil, fmt.Errorf("page: render panicked: %v\n%s", v, debug.Stack())
		}
	}()
	r, err := render(ctx)
	if err != nil {
		return nil, err
	}
	if p, err = New(r); err != nil {
		return nil, err
	}
	p.full = full
	return p, nil
}

// text writes the key so that no two keys are written alike.
func (k Key) text() string {
	var b []byte
	for _, s := range [...]string{k.Kind, k.ID, k.Revision, k.Theme, k.Variant, k.Lang} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return string(b)
}

// wish asks for the second compression of a page that is asked for again: most
// of an archive's pages are read once and not worth it.
func (c *Cache) wish(p *Page) {
	if p.state.Load() != unread || !p.state.CompareAndSwap(unread, waiting) {
		return
	}
	select {
	case c.queue <- p:
	default:
		p.state.Store(unread) // the next one to ask will wish again
	}
}

// Run compresses pages a second time, one after the other, until ctx is done. It
// ends before that only when a page cannot be read back from memory.
func (c *Cache) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case p := <-c.queue:
			if err := p.improve(); err != nil {
				return err
			}
			c.improved.Add(1)
		}
	}
}

// Stats tells how a cache is doing: counts since it was made, and what it holds.
type Stats struct {
	Hits     int64 // pages that were there
	Misses   int64 // pages that were not, or not any more
	Absent   int64 // of Misses: answered with a remembered "not found" or "gone"
	Renders  int64 // pages that were rendered
	Failures int64 // of Renders: with an error other than "not found" and "gone"
	Stale    int64 // renderings thrown away because something changed meanwhile
	Improved int64 // pages that were compressed a second time
	Pages    int   // in the cache now, about
	Bytes    int64 // that they weigh, about
}

type counters struct {
	hits, misses, absent, renders, failures, stale, improved atomic.Int64
}

// Stats gives the counts at this moment.
func (c *Cache) Stats() Stats {
	return Stats{
		Hits: c.hits.Load(), Misses: c.misses.Load(), Absent: c.absent.Load(), Renders: c.renders.Load(),
		Failures: c.failures.Load(), Stale: c.stale.Load(), Improved: c.improved.Load(),
		Pages: c.open.pages.EstimatedSize() + c.full.pages.EstimatedSize(),
		Bytes: int64(c.open.pages.WeightedSize() + c.full.pages.WeightedSize()),
	}
}
