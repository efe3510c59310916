package page

import (
	"context"
	"fmt"

	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/singleflight"
)

// Memo remembers values that pages are answered with, such as the contents of
// holes that many visitors share, by a text.
type Memo[V any] = Table[string, V]

// NewMemo makes an empty memo of so many bytes at the most, about.
func NewMemo[V any](c *Cache, bytes int64) *Memo[V] {
	return NewTable[string, V](c, bytes, func(key string) int { return len(key) })
}

// Table remembers values by keys of any kind. It forgets by the tags and
// invalidations of its cache. It is safe for concurrent use; values are not
// changed.
type Table[K comparable, V any] struct {
	cache   *Cache
	values  *otter.Cache[K, *memory[V]]
	flights singleflight.Group
}

type memory[V any] struct {
	entry
	value V
	bytes int
}

// Load finds a value, with the tags that it depends on and the bytes that it takes, about.
type Load[V any] func(ctx context.Context) (value V, tags []string, bytes int, err error)

// NewTable makes an empty table of so many bytes at the most, about. weigh gives
// the bytes that a key refers to.
func NewTable[K comparable, V any](c *Cache, bytes int64, weigh func(K) int) *Table[K, V] {
	return &Table[K, V]{cache: c, values: otter.Must(&otter.Options[K, *memory[V]]{
		MaximumWeight: uint64(bytes),
		Weigher:       func(key K, m *memory[V]) uint32 { return uint32(256 + weigh(key) + m.bytes) },
	})}
}

// Peek gives the value of key if it is there and nothing that it depends on has
// been invalidated.
func (m *Table[K, V]) Peek(key K) (V, bool) {
	if v, ok := m.values.GetIfPresent(key); ok && m.cache.fresh(&v.entry) {
		return v.value, true
	}
	var none V
	return none, false
}

// Moment is a point between two invalidations.
type Moment uint64

// Moment gives the one now. Take it before reading what a value is made from.
func (c *Cache) Moment() Moment { return Moment(c.now()) }

// Put remembers a value that was made of what was read after a moment, unless
// one of its tags has been invalidated since.
func (m *Table[K, V]) Put(key K, began Moment, value V, tags []string, bytes int) {
	v := &memory[V]{value: value, bytes: bytes}
	v.began, v.tags = uint64(began), tags
	if m.cache.fresh(&v.entry) {
		m.values.Set(key, v)
	}
}

// Get gives the value of key, loading it when it is not there or has been
// invalidated. An error is not remembered.
func (m *Table[K, V]) Get(ctx context.Context, key K, load Load[V]) (V, error) {
	if v, ok := m.Peek(key); ok {
		return v, nil
	}
	type outcome struct {
		value V
		err   error
	}
	done := m.flights.DoChan(flight(key), func() (any, error) {
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

// flight writes a key so that no two are written alike.
func flight(key any) string {
	if text, ok := key.(string); ok {
		return text
	}
	return fmt.Sprintf("%#v", key)
}

// Forget drops the value of key.
func (m *Table[K, V]) Forget(key K) { m.values.Invalidate(key) }
