package app_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/wall"
)

// listener is a cache in front that only listens: it notes what it is told.
type listener struct {
	*httptest.Server
	refuse atomic.Int32 // the status it answers with, 0 for 200

	mu    sync.Mutex
	calls []http.Header
}

func newListener(t *testing.T) *listener {
	l := &listener{}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status := int(l.refuse.Load()); status != 0 {
			w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
			w.WriteHeader(status)
			return
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if r.Method == "PURGE" {
			l.calls = append(l.calls, r.Header)
		}
	}))
	t.Cleanup(l.Close)
	return l
}

// times tells how often the cache was told of a tag.
func (l *listener) times(tag string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, h := range l.calls {
		if slices.Contains(strings.Fields(h.Get("Surrogate-Key")), tag) && h.Get("Surrogate-Key") == h.Get("Xkey-Purge") && h.Get("X-Purge-Secret") == "sixteen-letters-and-more" {
			n++
		}
	}
	return n
}

// waitFor waits for something that takes a few seconds at the most.
func waitFor(t *testing.T, what string, is func() bool) {
	t.Helper()
	for began := time.Now(); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatalf("%s: not within ten seconds", what)
		}
	}
}

// TestCachesAreTold has two caches, one of which is away for a while.
func TestCachesAreTold(t *testing.T) {
	one, two := newListener(t), newListener(t)
	two.refuse.Store(http.StatusTemporaryRedirect) // which leads elsewhere, and is not followed
	r := openRoom(t, settings(t, "", setting{"cdn": "surrogate", "cdn-purge": one.URL + ", " + two.URL, "cdn-secret": "sixteen-letters-and-more"}))
	r.fill()
	r.serve()
	waitFor(t, "everything at the start, and again", func() bool { return one.times("site") >= 2 })

	e := r.editions["meter-one"]
	tag := "story:" + e.StoryID
	first, began := one.times(tag), time.Now()
	r.tx(func(ctx context.Context, tx *db.Tx) error { return r.Stories.SaveEdition(ctx, tx, &e, "editor") })
	if took := time.Since(began); took > time.Second {
		t.Errorf("publishing took %v", took)
	}
	waitFor(t, "a story", func() bool { return one.times(tag) == first+1 })
	if took := time.Since(began); took > time.Second {
		t.Errorf("the cache was told after %v", took)
	}
	waitFor(t, "a story, again", func() bool { return one.times(tag) == first+2 })
	whole := one.times("site")
	r.tx(func(ctx context.Context, tx *db.Tx) error { return r.Tell(ctx, tx, "reader:1", "meter:1", "wall") })
	waitFor(t, "the wall's rules", func() bool { return one.times("site") > whole })
	if one.times("reader:1")+one.times("meter:1") > 0 {
		t.Error("a cache was told of readers")
	}

	if two.times(tag) > 0 {
		t.Fatal("the other cache heard")
	}
	two.refuse.Store(0)
	waitFor(t, "what it missed", func() bool { return two.times(tag) > 0 && two.times("site") > 0 })

	// Of very much at once it hears that everything has changed.
	var many []string
	for i := range 3000 {
		many = append(many, fmt.Sprint("story:", i))
	}
	two.refuse.Store(http.StatusServiceUnavailable)
	r.tx(func(ctx context.Context, tx *db.Tx) error { return r.Tell(ctx, tx, many...) })
	before := two.times("site")
	two.refuse.Store(0)
	waitFor(t, "very much at once", func() bool { return two.times("site") > before })
}

// TestEdgeByRule: what the wall's rules look at ends what a cache may keep.
func TestEdgeByRule(t *testing.T) {
	r := openRoom(t, settings(t, "", setting{"cdn": "esi", "cdn-purge": "http://127.0.0.1:1", "cdn-secret": "sixteen-letters-and-more"}))
	r.fill()
	r.listen()
	get := func(slug string, headers ...string) http.Header {
		t.Helper()
		return r.visitor().get(r.path(slug), append(headers, `Surrogate-Capability: x="ESI/1.0"`)...).Header
	}
	rules := func(list ...wall.Rule) {
		t.Helper()
		if err := r.SetWall(t.Context(), wall.Table{Rules: list}); err != nil {
			t.Fatal(err)
		}
	}
	open, register := wall.MustGrant("open"), wall.MustGrant("register")
	const reader = "Cookie: meter=somebody" // any cookie will do

	rules(wall.Rule{Name: "friends", When: `visit.referrer == "friend.example"`, Grant: open}, wall.Rule{Name: "rest", When: "true", Grant: register})
	if h := get("meter-one"); h.Get("Surrogate-Control") == "" || !slices.Contains(h["Vary"], "Referer") {
		t.Errorf("a preview: %v", h)
	}
	if h := get("meter-one", "Referer: https://friend.example/x"); h.Get("Surrogate-Control") != "" || h.Get("Cache-Control") != "private, no-cache" || !slices.Contains(h["Vary"], "Referer") {
		t.Errorf("opened by a referrer: %v", h)
	}
	if h := get("open-water", "Referer: https://friend.example/x"); h.Get("Surrogate-Control") == "" || slices.Contains(h["Vary"], "Referer") {
		t.Errorf("open by itself: %v", h)
	}

	// Open to the anonymous alone: others are not sent what the cache keeps.
	rules(wall.Rule{Name: "registered", When: `reader.state == "registered"`, Grant: wall.MustGrant("subscribe")}, wall.Rule{Name: "rest", When: "true", Grant: open})
	if h := get("meter-one"); h.Get("Surrogate-Control") != "max-age=3600+86400" {
		t.Errorf("open to the anonymous: %v", h)
	}
	if h := get("meter-one", reader); h.Get("Surrogate-Control") != "" {
		t.Errorf("open to the anonymous alone, before a reader: %v", h)
	}
	// Readers are let in by a rule, and everybody by the next: it is open to all.
	rules(wall.Rule{Name: "registered", When: `reader.state == "registered"`, Grant: open}, wall.Rule{Name: "rest", When: "true", Grant: open})
	if h := get("meter-one", reader); h.Get("Surrogate-Control") != `max-age=3600+86400, content="ESI/1.0"` {
		t.Errorf("open to all, before a reader: %v", h)
	}
	if h := r.visitor().get(r.path("meter-one"), reader).Header; h.Get("Surrogate-Control") != "" {
		t.Errorf("open to all, before a reader, by a cache without ESI: %v", h)
	}

	// A story that goes into the archive in ten minutes is not kept for longer.
	rules(wall.Rule{Name: "archive", When: "story.age_days >= 60", Grant: register}, wall.Rule{Name: "rest", When: "true", Grant: open})
	e := r.editions["meter-one"]
	r.exec(`UPDATE edition SET published_at = $1 WHERE id = $2`, db.Micros(r.Now().Add(-60*day+10*time.Minute)), e.ID)
	for _, cookie := range []string{"X-Nothing: 1", reader} {
		control := get("meter-one", cookie).Get("Surrogate-Control")
		life, _, _ := strings.Cut(strings.TrimPrefix(control, "max-age="), ",")
		if n, err := strconv.Atoi(life); err != nil || n < 500 || n > 600 {
			t.Errorf("ten minutes before the archive: %q", control)
		}
	}
}

// TestEdgeTrusts believes nobody but a trusted proxy, and says nothing unasked.
func TestEdgeTrusts(t *testing.T) {
	for name, change := range map[string]setting{
		"a stranger": {"cdn": "esi", "cdn-purge": "http://127.0.0.1:1", "cdn-secret": "sixteen-letters-and-more", "trusted-proxies": "10.0.0.0/8"},
		"none":       nil,
	} {
		r := openRoom(t, settings(t, "", change))
		r.fill()
		r.listen()
		for _, path := range []string{"/", "/feed.xml", r.path("open-water"), r.path("for-readers"), "/?hole=account-link"} {
			res, err := http.NewRequestWithContext(t.Context(), "GET", r.url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			res.Header.Set("Surrogate-Capability", `x="ESI/1.0"`)
			res.Header.Set("Cookie", "reader=somebody")
			a, err := plain.RoundTrip(res)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(a.Body)
			a.Body.Close()
			if err != nil || a.Header.Get("Surrogate-Control")+a.Header.Get("Surrogate-Key")+a.Header.Get("Xkey") != "" || strings.Contains(string(body), "<esi:") {
				t.Errorf("%s: %s says to a cache: %v %v", name, path, a.Header, err)
			}
		}
	}
}

// TestWarm publishes, and finds the pages made before they are asked for.
func TestWarm(t *testing.T) {
	r := openRoom(t, settings(t, "", setting{"addr": "127.0.0.1:0"}))
	r.fill()
	r.url = "http://" + r.serve()
	e := r.editions["for-readers"]
	e.Headline = "Made ahead of its time"
	r.tx(func(ctx context.Context, tx *db.Tx) error { return r.Stories.SaveEdition(ctx, tx, &e, "editor") })
	rounds, settled := int64(-1), time.Now()
	waitFor(t, "pages that are made ahead", func() bool { // a round each half second
		if now := r.Engine.Stats().Renders; now != rounds {
			rounds, settled = now, time.Now()
		}
		return rounds > 0 && time.Since(settled) > 2*time.Second
	})
	signedIn := r.reader("warm@example.org")
	before := r.Engine.Stats()
	for _, path := range []string{e.Path, "/", "/letters/", "/author/nora-reyes/", "/feed.xml", "/ar/"} {
		has(t, path, r.visitor().page(path), map[bool]string{true: "", false: e.Headline}[path == "/ar/"])
	}
	has(t, "the whole", signedIn.page(e.Path), kept("for-readers", "en")...)
	if after := r.Engine.Stats(); after.Renders != before.Renders {
		t.Errorf("%d pages were made for those who asked", after.Renders-before.Renders)
	}
}
