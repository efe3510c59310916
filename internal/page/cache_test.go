package page_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"masthead/internal/fault"
	"masthead/internal/page"
)

func key(id string) page.Key {
	return page.Key{Kind: "story", ID: id, Variant: "preview", Lang: "en"}
}

func fullKey(id string) page.Key {
	k := key(id)
	k.Variant = page.Full
	return k
}

// says renders a page of these words.
func says(words string, tags ...string) page.Render {
	return func(context.Context) (page.Rendered, error) {
		return page.Rendered{Body: []byte(words), Tags: tags}, nil
	}
}

func body(t testing.TB, p *page.Page, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.Plain(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func get(t testing.TB, c *page.Cache, k page.Key, render page.Render) string {
	t.Helper()
	p, err := c.Get(t.Context(), k, render)
	return body(t, p, err)
}

func TestEachFieldOfAKeyCounts(t *testing.T) {
	c := page.NewCache(page.Settings{})
	for i, k := range []page.Key{{}, {Kind: "a"}, {ID: "a"}, {Revision: "a"}, {Theme: "a"}, {Variant: "a"}, {Lang: "a"},
		{Kind: "a", ID: "b"}, {Kind: "ab"}, {Kind: "a\x01b"}, {ID: "a\x01b"}} {
		want := fmt.Sprint("page ", i)
		if got := get(t, c, k, says(want)); got != want {
			t.Errorf("%+v gives %q, want %q", k, got, want)
		}
	}
}

// TestRenderedOnceForMany: many ask for one page, and those of even number, among
// them the one for whom it is being rendered, leave before it is there.
func TestRenderedOnceForMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := page.NewCache(page.Settings{})
		var renders atomic.Int32
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				time.Sleep(time.Duration(i) * time.Microsecond)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if i%2 == 0 {
					time.AfterFunc(time.Millisecond, cancel)
				}
				_, err := c.Get(ctx, key("1"), func(ctx context.Context) (page.Rendered, error) {
					renders.Add(1)
					time.Sleep(10 * time.Millisecond)
					return page.Rendered{Body: []byte("x")}, ctx.Err()
				})
				if left := errors.Is(err, context.Canceled); left != (i%2 == 0) || err != nil && !left {
					t.Errorf("visitor %d: %v", i, err)
				}
			})
		}
		all.Wait()
		if n := renders.Load(); n != 1 {
			t.Errorf("rendered %d times", n)
		}
		if s := c.Stats(); s.Renders != 1 || s.Misses != 50 || s.Hits != 0 || s.Pages != 1 || s.Bytes == 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestPanicAndErrorAreNotKept(t *testing.T) {
	c := page.NewCache(page.Settings{Patience: 10 * time.Millisecond})
	for name, render := range map[string]page.Render{
		"panic": func(context.Context) (page.Rendered, error) { panic("oh") },
		"error": func(context.Context) (page.Rendered, error) { return page.Rendered{}, errors.New("oh") },
		"slow": func(ctx context.Context) (page.Rendered, error) {
			<-ctx.Done()
			return page.Rendered{}, ctx.Err()
		},
	} {
		if _, err := c.Get(t.Context(), key("1"), render); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if got := get(t, c, key("1"), says("well")); got != "well" {
		t.Errorf("then %q", got)
	}
	if s := c.Stats(); s.Failures != 3 {
		t.Errorf("%d failures", s.Failures)
	}
}

func TestAbsentIsRemembered(t *testing.T) {
	now := time.Unix(0, 0)
	c := page.NewCache(page.Settings{Absent: time.Second, Now: func() time.Time { return now }})
	asked := 0
	ask := func(kind fault.Kind) {
		t.Helper()
		_, err := c.Get(t.Context(), key("none"), func(context.Context) (page.Rendered, error) {
			asked++
			return page.Rendered{}, fault.New(kind, "no such story")
		})
		if !fault.Is(err, kind) {
			t.Fatalf("error %v", err)
		}
	}
	for i, step := range []struct {
		do   func()
		want int
	}{
		{func() { ask(fault.NotFound) }, 1},
		{func() { ask(fault.NotFound) }, 1},
		{func() { now = now.Add(999 * time.Millisecond); ask(fault.NotFound) }, 1},
		{func() { now = now.Add(time.Millisecond); ask(fault.Gone) }, 2},
		{func() { ask(fault.Gone) }, 2},
		{func() { c.Invalidate("any"); ask(fault.Internal) }, 3}, // something was published: it may be there now
		{func() { ask(fault.Internal) }, 4},                      // other errors are not remembered
	} {
		if step.do(); asked != step.want {
			t.Fatalf("step %d: asked %d times, want %d", i, asked, step.want)
		}
	}
	if got := get(t, c, key("none"), says("here")); got != "here" {
		t.Error(got)
	}
}

func TestAbsentDoesNotPushOutPages(t *testing.T) {
	c := page.NewCache(page.Settings{Bytes: 1 << 20})
	get(t, c, key("kept"), says("kept"))
	for i := range 20_000 {
		c.Get(t.Context(), key(fmt.Sprint("none-", i, strings.Repeat("x", 1000))), func(context.Context) (page.Rendered, error) {
			return page.Rendered{}, fault.New(fault.NotFound, "no such story")
		})
	}
	p, err := c.Get(t.Context(), key("kept"), says("rendered again"))
	if got := body(t, p, err); got != "kept" {
		t.Error(got)
	}
}

func TestInvalidate(t *testing.T) {
	c := page.NewCache(page.Settings{})
	fill := func(version string) string {
		return get(t, c, key("1"), says(version, "story-1", "section-a")) + " " +
			get(t, c, key("2"), says(version, "story-2", "section-a")) + " " +
			get(t, c, key("3"), says(version))
	}
	fill("v0")
	for _, step := range []struct {
		tags          []string
		version, want string
	}{
		{nil, "v1", "v0 v0 v0"},
		{[]string{"story-9"}, "v2", "v0 v0 v0"},
		{[]string{"story-1"}, "v3", "v3 v0 v0"},
		{nil, "v4", "v3 v0 v0"},
		{[]string{"story-9", "section-a"}, "v5", "v5 v5 v0"},
		{[]string{page.All}, "v6", "v6 v6 v6"},
		{[]string{"story-2"}, "v7", "v6 v7 v6"},
	} {
		c.Invalidate(step.tags...)
		if got := fill(step.version); got != step.want {
			t.Fatalf("%s: after Invalidate(%q): %s, want %s", step.version, step.tags, got, step.want)
		}
	}
	for i := range 1 << 16 { // more tags than are told apart: everything is forgotten, and nothing grows for ever
		c.Invalidate(fmt.Sprint("tag-", i))
	}
	if got := fill("v8"); got != "v8 v8 v8" {
		t.Errorf("after very many tags: %s", got)
	}
}

// TestInvalidateDuringRender publishes while the old text is being rendered:
// neither the one who began nor one who waits may get it afterwards.
func TestInvalidateDuringRender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := page.NewCache(page.Settings{})
		var version atomic.Int32
		render := func(context.Context) (page.Rendered, error) {
			v := version.Load() // reads the database …
			time.Sleep(10 * time.Millisecond)
			return page.Rendered{Body: fmt.Append(nil, v), Tags: []string{"story-1"}}, nil
		}
		var all sync.WaitGroup
		for i := range 10 {
			all.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				if got := get(t, c, key("1"), render); got != "1" {
					t.Errorf("visitor %d got version %s after Invalidate", i, got)
				}
			})
		}
		time.Sleep(5500 * time.Microsecond)
		version.Store(1)
		c.Invalidate("story-1")
		all.Wait()
		if s := c.Stats(); s.Renders != 2 || s.Stale == 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestErrorFromBeforeAPublicationIsNotGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := page.NewCache(page.Settings{})
		var published atomic.Bool
		render := func(context.Context) (page.Rendered, error) {
			there := published.Load()
			time.Sleep(10 * time.Millisecond)
			if !there {
				return page.Rendered{}, fault.New(fault.NotFound, "no such story")
			}
			return page.Rendered{Body: []byte("news")}, nil
		}
		go c.Get(t.Context(), key("1"), render)
		time.Sleep(5 * time.Millisecond)
		published.Store(true)
		c.Invalidate("front")
		if got := get(t, c, key("1"), render); got != "news" {
			t.Error(got)
		}
	})
}

// TestInvalidateFasterThanRender: a page that changes all the time is given
// nevertheless, begun after it was asked for.
func TestInvalidateFasterThanRender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := page.NewCache(page.Settings{})
		start, renders := time.Now(), 0
		render := func(context.Context) (page.Rendered, error) {
			renders++
			body := fmt.Append(nil, time.Since(start).Milliseconds())
			time.Sleep(10 * time.Millisecond)
			c.Invalidate("front")
			return page.Rendered{Body: body, Tags: []string{"front"}}, nil
		}
		if got := get(t, c, key("front"), render); got != "20" || renders != 3 {
			t.Errorf("got the page begun at %s ms, of %d", got, renders)
		}
	})
}

// TestNeverStaleUnderLoad has readers compare what they get with what had been
// published before they asked.
func TestNeverStaleUnderLoad(t *testing.T) {
	c := page.NewCache(page.Settings{Bytes: 1 << 20})
	const stories = 4
	var published, told [stories]atomic.Int64
	stop := make(chan struct{})
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				i := rand.IntN(stories)
				least := told[i].Load()
				p, err := c.Get(context.Background(), key(fmt.Sprint(i)), func(context.Context) (page.Rendered, error) {
					v := published[i].Load()
					runtime.Gosched()
					return page.Rendered{Body: fmt.Append(nil, v), Tags: []string{fmt.Sprint("story-", i)}}, nil
				})
				if err != nil {
					t.Error(err)
					return
				}
				b, err := p.Plain(nil)
				var got int64
				if _, scan := fmt.Sscan(string(b), &got); err != nil || scan != nil || got < least {
					t.Errorf("story %d: version %d, but %d had been published (%v, %v)", i, got, least, err, scan)
					return
				}
			}
		})
	}
	for end := time.Now().Add(time.Second); time.Now().Before(end); {
		i := rand.IntN(stories)
		v := published[i].Add(1)
		c.Invalidate(fmt.Sprint("story-", i))
		told[i].Store(v)
		time.Sleep(50 * time.Microsecond)
	}
	close(stop)
	all.Wait()
	if s := c.Stats(); s.Hits == 0 || s.Renders == 0 {
		t.Errorf("nothing was tried: %+v", s)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	const limit = 8 << 20
	c := page.NewCache(page.Settings{Bytes: limit})
	r := rand.New(rand.NewPCG(1, 1))
	noise := func() []byte { // compresses to three quarters
		b := make([]byte, 24<<10)
		for i := range b {
			b[i] = byte(r.Uint32() & 63)
		}
		return b
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	filled := int64(0)
	for i := 0; filled < 10*limit; i++ {
		id := fmt.Sprint(i)
		render := func(context.Context) (page.Rendered, error) {
			return page.Rendered{Body: noise(), Tags: []string{"story-" + id}}, nil
		}
		p, err := c.Get(t.Context(), key(id), render)
		if err != nil {
			t.Fatal(err)
		}
		permit, _ := page.Grant(verdict(true), id)
		if _, err := c.GetFull(t.Context(), permit, fullKey(id), render); err != nil {
			t.Fatal(err)
		}
		filled += 2 * int64(p.Size())
	}
	time.Sleep(50 * time.Millisecond) // evictions follow in the background
	runtime.GC()
	runtime.GC() // twice, for the pools
	runtime.ReadMemStats(&after)
	grown, s := int64(after.HeapAlloc)-int64(before.HeapAlloc), c.Stats()
	t.Logf("filled %d MB into %d: heap grew by %.1f MB, %d pages weigh %.1f MB", filled>>20, limit>>20, float64(grown)/(1<<20), s.Pages, float64(s.Bytes)/(1<<20))
	if grown > limit*5/4 || s.Bytes > limit || s.Bytes < limit/2 {
		t.Errorf("heap grew by %d bytes, the cache says %d, the limit is %d", grown, s.Bytes, limit)
	}
	runtime.KeepAlive(c)
}

func TestSecondCompressionOnlyOfWhatIsReadAgain(t *testing.T) {
	c := page.NewCache(page.Settings{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	big := says(strings.Repeat("<p>Some text of a story</p>", 3000))
	size := func(id string) int {
		p, err := c.Get(t.Context(), key(id), big)
		if err != nil {
			t.Fatal(err)
		}
		return p.Size()
	}
	once, first := size("once"), size("again")
	size("again")
	for i := 0; c.Stats().Improved == 0 && i < 500; i++ {
		time.Sleep(time.Millisecond)
	}
	if after := size("again"); after >= first || first != once || c.Stats().Improved != 1 {
		t.Errorf("%d bytes, then %d; %d pages were compressed again", first, after, c.Stats().Improved)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
}

type verdict bool

func (v verdict) MayReadAll() bool { return bool(v) }

func TestPermit(t *testing.T) {
	c := page.NewCache(page.Settings{})
	const secret = "the withheld sentence"
	permit, ok := page.Grant(verdict(true), "1")
	if !ok {
		t.Fatal("no permit from a decision in favour")
	}
	p, err := c.GetFull(t.Context(), permit, fullKey("1"), says(secret))
	if got := body(t, p, err); got != secret {
		t.Fatal(got)
	}
	fails := func(what string, permit page.Permit, k page.Key) {
		t.Helper()
		p, err := c.GetFull(t.Context(), permit, k, func(context.Context) (page.Rendered, error) {
			t.Errorf("%s: rendered", what)
			return page.Rendered{}, nil
		})
		if p != nil || err == nil || fault.KindOf(err) != fault.Internal {
			t.Errorf("%s: %v, %v", what, p, err)
		}
	}
	fails("zero permit", page.Permit{}, fullKey("1"))
	fails("zero permit, empty ID", page.Permit{}, fullKey(""))
	against, ok := page.Grant(verdict(false), "1")
	if fails("decision against", against, fullKey("1")); ok {
		t.Error("a decision against it granted")
	}
	other, _ := page.Grant(verdict(true), "2")
	fails("permit for another story", other, fullKey("1"))
	fails("permit for a preview", permit, key("1"))
	if _, ok := page.Grant(nil, "1"); ok {
		t.Error("no decision granted")
	}
	if _, ok := page.Grant(verdict(true), ""); ok {
		t.Error("granted for nothing")
	}

	// Whatever key a preview asks by, the whole text is in another store.
	if _, err := c.Get(t.Context(), fullKey("1"), says("preview")); err == nil {
		t.Error("Get took a key of a whole text")
	}
	if got := get(t, c, key("1"), says("preview")); got != "preview" {
		t.Errorf("the preview is %q", got)
	}
	if _, err := c.GetFull(t.Context(), permit, fullKey("1"), says("rendered again")); err != nil {
		t.Error(err)
	}

	// And what it gives is private, unless the decision is the same for anybody.
	o := page.Options{Public: "public, s-maxage=60", Surrogate: "max-age=60"}
	if r := answer(t, p, nil, o, "GET"); r.Header.Get("Cache-Control") != "private, no-cache" || r.Header.Get("Surrogate-Control") != "" || !strings.Contains(r.Header.Get("Vary"), "Cookie") {
		t.Errorf("a whole text went out as %v", r.Header)
	}
	o.Open = true
	if r := answer(t, p, nil, o, "GET"); r.Header.Get("Cache-Control") != "public, s-maxage=60" {
		t.Errorf("an open text went out as %v", r.Header)
	}
}
