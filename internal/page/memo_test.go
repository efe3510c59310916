package page

import (
	"context"
	"errors"
	"testing"
)

func TestMemoForgetsByTag(t *testing.T) {
	c := NewCache(Settings{})
	m := NewMemo[string](c, 1<<20)
	loads := 0
	get := func() string {
		t.Helper()
		v, err := m.Get(t.Context(), "k", func(context.Context) (string, []string, int, error) {
			loads++
			return string(rune('a' + loads - 1)), []string{"story:1"}, 1, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if get() != "a" || get() != "a" || loads != 1 {
		t.Errorf("loaded %d times, want once", loads)
	}
	c.Invalidate("story:2")
	if get() != "a" {
		t.Error("another tag's invalidation was taken for ours")
	}
	c.Invalidate("story:1")
	if get() != "b" {
		t.Error("an invalidated value was given again")
	}
	c.Invalidate(All)
	if get() != "c" {
		t.Error("a value outlived the invalidation of everything")
	}
}

// What is invalidated while it is loaded is given to whoever waits, and not kept.
func TestMemoInvalidatedWhileLoading(t *testing.T) {
	c := NewCache(Settings{})
	m := NewMemo[int](c, 1<<20)
	n := 0
	load := func(context.Context) (int, []string, int, error) {
		if n++; n == 1 {
			c.Invalidate("x")
		}
		return n, []string{"x"}, 1, nil
	}
	for want := 1; want <= 2; want++ {
		if v, err := m.Get(t.Context(), "k", load); err != nil || v != want {
			t.Errorf("got %d, %v; want %d", v, err, want)
		}
	}
}

func TestMemoDoesNotRememberErrors(t *testing.T) {
	m := NewMemo[int](NewCache(Settings{}), 1<<20)
	boom := errors.New("boom")
	if _, err := m.Get(t.Context(), "k", func(context.Context) (int, []string, int, error) { return 0, nil, 0, boom }); !errors.Is(err, boom) {
		t.Errorf("err = %v", err)
	}
	if v, err := m.Get(t.Context(), "k", func(context.Context) (int, []string, int, error) { return 7, nil, 0, nil }); err != nil || v != 7 {
		t.Errorf("after an error: %d, %v", v, err)
	}
}
