package page

import (
	"context"

	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/singleflight"
)

// Memo remembers values that pages are answered with, such as the contents of
// holes that many visitors share. It forgets by the tags and invalidations of
// its cache. It is safe for concurrent use; values are not changed.
type Memo[V any] struct {
	cache   *Cache
	values  *otter.Cache[string, *memory[V]]
	flights singleflight.Group
}

type memory[V any] struct {
	entry
	value V
	bytes int
}

// Load finds a value, with the tags that it depends on and the bytes that it takes, about.
type Load[V any] func(ctx context.Context) (value V, tags []string, bytes int, err error)

// NewMemo makes an empty memo of so many bytes at the most, about.
func NewMemo[V any](c *Cache, bytes int64) *Memo[V] {
	return &Memo[V]{cache: c, values: otter.Must(&otter.Options[string, *memory[V]]{
		MaximumWeight: uint64(bytes),
		Weigher:       func(key string, m *memory[V]) uint32 { return uint32(256 + len(key) + m.bytes) },
	})}
}

// Get gives the value of key, loading it when it is not there or has been
// invalidated. An error is not remembered.
func (m *Memo[V]) Get(ctx context.Context, key string, load Load[V]) (V, error) {
	if v, ok := m.values.GetIfPresent(key); ok && m.cache.fresh(&v.entry) {
		return v.value, nil
	}
	type outcome struct {
		value V
		err   error
	}
	done := m.flights.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), m.cache.settings.Patience)
		defer cancel()
		v := &memory[V]{}
		v.began = m.cache.now()
		var err error
		if v.value, v.tags, v.bytes, err = load(ctx); err == nil && m.cache.fresh(&v.entry) {
			m.values.Set(key, v)
		}
		return outcome{v.value, err}, nil
	})
	select {
	case r := <-done:
		o := r.Val.(outcome)
		return o.value, o.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

// Forget drops the value of key.
func (m *Memo[V]) Forget(key string) { m.values.Invalidate(key) }
