package app_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"masthead/internal/app/varnishtest"
	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/proof"
	"masthead/internal/story"
)

// behindVarnish serves the newspaper of the tests with a real Varnish before it.
// The room's address is Varnish's; the node's own is given beside it.
func behindVarnish(t *testing.T, change setting) (r *room, v *varnishtest.Varnish, origin string) {
	t.Helper()
	v = varnishtest.New(t)
	all := setting{"addr": freePort(t), "cdn": "esi", "cdn-purge": v.URL, "cdn-secret": v.Secret}
	for name, value := range change {
		all[name] = value
	}
	r = openRoom(t, settings(t, "", all))
	r.fill()
	v.Start(r.Config.Addr)
	origin = "http://" + r.serve()
	r.url = v.URL
	time.Sleep(1500 * time.Millisecond) // the purge of everything at the start, and its repetition, are over
	return r, v, origin
}

// cached gets a page that must be there, and says whether Varnish had it.
func (b *browser) cached(path string, headers ...string) (answer, bool) {
	b.t.Helper()
	a := b.get(path, headers...)
	if a.StatusCode != http.StatusOK {
		b.t.Fatalf("GET %s = %d, want 200", path, a.StatusCode)
	}
	for _, name := range []string{"Surrogate-Control", "Surrogate-Key", "Xkey"} {
		if a.Header.Get(name) != "" {
			b.t.Errorf("%s of %s reaches the browser: %q", name, path, a.Header.Get(name))
		}
	}
	if strings.Contains(a.body, "<esi:") {
		b.t.Errorf("%s reaches the browser with an instruction of ESI", path)
	}
	return a, a.Header.Get("X-Cache") == "HIT"
}

// hits asks for a page twice, and wants it from Varnish the second time, or never.
func (b *browser) hits(path string, want bool) answer {
	b.t.Helper()
	b.cached(path)
	a, hit := b.cached(path)
	if hit != want {
		b.t.Errorf("GET %s again: from Varnish is %v, want %v (%v)", path, hit, want, a.Header)
	}
	return a
}

// within waits for something to become true, for a second from its beginning.
func within(t *testing.T, what string, began time.Time, is func() bool) {
	t.Helper()
	for !is() {
		if time.Since(began) > time.Second {
			t.Fatalf("%s: not within a second", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Logf("%s after %v", what, time.Since(began).Round(time.Millisecond))
}

// TestVarnishAsks looks at what Varnish leaves of a request.
func TestVarnishAsks(t *testing.T) {
	v := varnishtest.New(t)
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %s", r.RequestURI, r.Header.Get("Cookie"), r.Referer())
	}))
	t.Cleanup(echo.Close)
	v.Start(strings.TrimPrefix(echo.URL, "http://"))
	tests := []struct{ method, path, cookie, referer, want string }{
		{"GET", "/", "_ga=1; meter=2; staff=3", "", "/ staff=3 "},
		{"GET", "/ar/", "reader=1; pass=2; meter=3", "", "/ar/ reader=1; pass=2 "},
		{"GET", "/2026/11/x/", "_ga=1; meter=2", "https://friend.example/private?q=1", "/2026/11/x/ meter=2 https://friend.example/"},
		{"GET", "/2026/11/x/", "__Host-meter=2; theme=x", "", "/2026/11/x/ __Host-meter=2 "},
		{"GET", "/2026/11/", "meter=2", "", "/2026/11/  "},
		{"GET", "/art/", "meter=2", "", "/art/ meter=2 "}, // may be a page that a meter counts
		{"GET", "/assets/site.css", "reader=1", "", "/assets/site.css  "},
		{"GET", "/feed.xml", "reader=1; pass=2", "", "/feed.xml  "},
		{"GET", "/harbour/?utm_source=a&page=2&fbclid=b", "", "", "/harbour/?page=2  "},
		{"GET", "/x/?gclid=1", "", "", "/x/  "},
		{"GET", "/x/?gift=abc&utm_medium=b", "", "", "/x/?gift=abc  "},
		{"GET", "/desk/signin", "staff-try=1; other=2", "", "/desk/signin staff-try=1; other=2 "}, // all of it
		{"GET", "/ar/account", "reader=1; a=2", "https://quay.example/x", "/ar/account reader=1; a=2 https://quay.example/x"},
		{"POST", "/register", "signin=1; a=2", "https://quay.example/x", "/register signin=1; a=2 https://quay.example/x"},
	}
	for _, test := range tests {
		r, err := http.NewRequest(test.method, v.URL+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"Cookie": test.cookie, "Referer": test.referer} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || string(got) != test.want {
			t.Errorf("%s %s with %q asks the node for %q, want %q (%v)", test.method, test.path, test.cookie, got, test.want, err)
		}
	}
}

// TestVarnishWithoutESI has the newsroom put together whatever a cookie has a part in.
func TestVarnishWithoutESI(t *testing.T) {
	r, _, _ := behindVarnish(t, setting{"cdn": "surrogate"})
	b := r.visitor()
	for _, path := range []string{"/", r.path("open-water"), r.path("for-readers"), "/feed.xml"} {
		b.hits(path, true)
	}
	reader := r.reader("whole@example.org")
	has(t, "a reader's front page", reader.hits("/", false).body, `href="/account"`)
	has(t, "a reader's story", reader.hits(r.path("open-water"), false).body, `href="/account"`)
	has(t, "a reader's story", reader.hits(r.path("for-readers"), false).body, kept("for-readers", "en")...)
	hasNot(t, "somebody else's", b.hits(r.path("for-readers"), true).body, append(kept("for-readers", "en"), `href="/account"`)...)
}

// TestVarnish reads the newspaper through Varnish, and changes it.
func TestVarnish(t *testing.T) {
	r, v, origin := behindVarnish(t, nil)
	step := func(name string, f func(t *testing.T)) {
		t.Run(name, func(t *testing.T) {
			defer func(outer *testing.T) { r.t = outer }(r.t)
			r.t = t
			f(t)
		})
	}

	step("anonymous", func(t *testing.T) {
		b := r.visitor()
		for _, path := range []string{"/", "/ar/", "/harbour/", "/topic/salt/", "/author/nora-reyes/", "/archive/", "/about/", "/feed.xml", "/feed.json",
			"/sitemap.xml", "/sitemap/news.xml", "/robots.txt", r.path("open-water"), r.path("house-rules")} {
			a := b.hits(path, true)
			if c := a.Header.Get("Cache-Control"); !strings.HasPrefix(c, "public") {
				t.Errorf("%s: Cache-Control %q", path, c)
			}
			if a.Header.Get("Etag") != "" && b.get(path, "If-None-Match: "+a.Header.Get("Etag")).StatusCode != http.StatusNotModified {
				t.Errorf("%s: no 304 from Varnish", path)
			}
		}
		has(t, "an open story", b.hits(r.path("open-water"), true).body, kept("open-water", "en")...)
		for _, slug := range []string{"for-readers", "old-archive", "the-papers", "locked-away"} {
			a := b.hits(r.path(slug), true)
			has(t, slug, a.body, `class="wall"`, "/signin?next=")
			hasNot(t, slug, a.body, kept(slug, "en")...)
		}
		for _, path := range []string{"/search?q=salt", "/signin", "/register", "/?done=saved", r.path("open-water") + "?gift=x"} {
			b.hits(path, false)
		}
		if b.hits("/?utm_source=x&fbclid=2", true); len(b.cookies) != 0 {
			t.Errorf("cookies %v without a meter", b.cookies)
		}
		// What Varnish adds to an address is no variant of it: a browser with cookies of others hits, too.
		if _, hit := b.cached(r.path("open-water"), "Cookie: _ga=1; theme=dark"); !hit {
			t.Error("cookies of others miss")
		}
	})

	step("meters", func(t *testing.T) {
		b := r.visitor()
		for _, slug := range []string{"meter-one", "meter-two", "meter-three"} {
			a, hit := b.cached(r.path(slug))
			if has(t, slug, a.body, kept(slug, "en")...); hit || a.Header.Get("Cache-Control") != "private, no-cache" {
				t.Errorf("%s: from Varnish is %v, %v", slug, hit, a.Header)
			}
			b.hits(r.path(slug), false)
		}
		a := b.hits(r.path("meter-four"), false)
		hasNot(t, "after the meter", a.body, kept("meter-four", "en")...)
		// Its cookie is not lost on the way over pages that do not ask for it.
		b.cached("/")
		hasNot(t, "after the meter, and the front page", b.page(r.path("meter-four")), kept("meter-four", "en")...)
		other := r.visitor()
		has(t, "somebody else", other.page(r.path("meter-four")), kept("meter-four", "en")...)
		// An open page comes from the cache, but for its holes.
		a = b.hits(r.path("open-water"), true)
		has(t, "an open story", a.body, append(kept("open-water", "en"), "Sign in")...)
	})

	step("signed in", func(t *testing.T) {
		b := r.reader("esi@example.org")
		has(t, "with no pass yet", b.page("/"), "/account")
		for _, path := range []string{"/", "/harbour/", r.path("open-water")} {
			before := v.Counter("MAIN.s_pass")
			a := b.hits(path, true)
			has(t, path, a.body, `href="/account"`)
			if a.Header.Get("Cache-Control") != "private, no-cache" || a.Header.Get("Etag") != "" {
				t.Errorf("%s, put together: %v", path, a.Header)
			}
			within(t, "holes from the origin", time.Now(), func() bool { return v.Counter("MAIN.s_pass") >= before+2 })
			hasNot(t, path+" of somebody else", r.visitor().page(path), `href="/account"`)
		}
		zipped := b.get(r.path("open-water"), "Accept-Encoding: gzip")
		z, err := gzip.NewReader(strings.NewReader(zipped.body))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(z) // and so the sum of it is right
		if err != nil {
			t.Fatal(err)
		}
		has(t, "an open story", string(text), `action="/gift"`, `id="next"`, "Headline of meter-one", kept("open-water", "en")[2])
		for _, slug := range []string{"for-readers", "old-archive", "meter-one", "counted-one"} {
			has(t, slug, b.hits(r.path(slug), false).body, kept(slug, "en")...)
		}
		b.hits(r.path("the-papers"), false) // the wall says another thing to him
		// One who signed out sees it at once.
		b.post("/signout", url.Values{})
		hasNot(t, "signed out", b.page(r.path("open-water")), `href="/account"`)
	})

	step("staff and crawlers", func(t *testing.T) {
		s := r.staff()
		has(t, "staff", s.hits(r.path("locked-away"), false).body, kept("locked-away", "en")...)
		c := r.visitor()
		if _, hit := c.cached(r.path("for-readers"), "User-Agent: Googlebot/2.1"); hit {
			t.Error("a crawler got a preview from Varnish")
		}
	})

	step("purge", func(t *testing.T) {
		b := r.visitor()
		if code := v.Purge("", "site"); code != http.StatusForbidden {
			t.Errorf("PURGE without the secret = %d", code)
		}
		if code := v.Purge("another-secret", "site"); code != http.StatusForbidden {
			t.Errorf("PURGE with another secret = %d", code)
		}
		if _, hit := b.cached(r.path("open-water")); !hit {
			t.Error("a refused purge purged")
		}
		e := r.editions["open-water"]
		reader := r.reader("purge@example.org")
		reader.page("/")
		for _, path := range []string{"/", "/feed.xml", r.path("open-water"), r.path("for-readers")} {
			b.hits(path, true)
		}
		e.Headline = "Another headline of the quay"
		began := time.Now()
		r.tx(func(ctx context.Context, tx *db.Tx) error { return r.Stories.SaveEdition(ctx, tx, &e, "editor") })
		for _, path := range []string{e.Path, "/", "/feed.xml"} {
			within(t, "published on "+path, began, func() bool { return strings.Contains(b.page(path), e.Headline) })
		}
		for _, path := range []string{e.Path, "/"} {
			within(t, "published, put together, on "+path, began, func() bool { return strings.Contains(reader.page(path), e.Headline) })
		}
		// "Next for you" is a part of a page that did not change itself.
		next, shown := r.editions["for-readers"], r.path("three-days")
		for _, who := range []*browser{b, reader} {
			has(t, "Next for you", who.hits(shown, true).body, next.Headline)
		}
		next.Headline = "Another headline of the letters"
		began = time.Now()
		r.tx(func(ctx context.Context, tx *db.Tx) error { return r.Stories.SaveEdition(ctx, tx, &next, "editor") })
		for _, who := range []*browser{b, reader} {
			within(t, "published under Next for you", began, func() bool { return strings.Contains(who.page(shown), next.Headline) })
		}
		time.Sleep(1200 * time.Millisecond) // the repetition is over
		b.hits(e.Path, true)

		began = time.Now()
		r.tx(func(ctx context.Context, tx *db.Tx) error {
			return r.Stories.Withdraw(ctx, tx, e.ID, "Mistaken.", "editor")
		})
		for _, who := range []*browser{b, reader} {
			within(t, "withdrawn", began, func() bool { return who.get(e.Path).StatusCode == http.StatusGone })
		}
		within(t, "withdrawn from the front page", began, func() bool { return !strings.Contains(b.page("/"), e.Headline) })

		walled := r.editions["three-days"]
		b.hits(walled.Path, true)
		st, err := r.Stories.ByID(t.Context(), r.DB.Read(), walled.StoryID)
		if err != nil {
			t.Fatal(err)
		}
		st.Access = story.Registered
		began = time.Now()
		r.tx(func(ctx context.Context, tx *db.Tx) error { return r.Stories.Save(ctx, tx, &st) })
		within(t, "walled", began, func() bool { return !strings.Contains(b.page(walled.Path), kept("three-days", "en")[0]) })
		has(t, "walled, for a reader", reader.page(walled.Path), kept("three-days", "en")...)
	})

	step("an author writes ESI", func(t *testing.T) {
		const evil = `<esi:include src="/account"/> <!--esi <p>x</p> --> <![CDATA[`
		e := r.editions["new-name"]
		e.Headline, e.Summary = evil, evil
		body, _, err := doc.FromMarkdown("One " + evil + "\n\n[a](https://x.example/<esi:include>)\n\n```\n" + evil + "\n```\n")
		if err != nil {
			t.Fatal(err)
		}
		e.Body = body
		reader := r.reader("evil@example.org")
		reader.page("/")
		began := time.Now()
		r.tx(func(ctx context.Context, tx *db.Tx) error { return r.Stories.SaveEdition(ctx, tx, &e, "editor") })
		for _, b := range []*browser{r.visitor(), reader} {
			within(t, "an instruction in the text", began, func() bool {
				a, _ := b.cached(e.Path)
				return strings.Contains(a.body, "&lt;esi:include src=") && strings.Contains(a.body, `\u003cesi:include`)
			})
		}
		has(t, "what stands after it", reader.page(e.Path), `href="/account"`, `id="next"`, "Headline of the-papers")
	})

	step("the node alone", func(t *testing.T) {
		// Whoever is no trusted proxy, or shows a cookie, is told nothing that a cache would go by.
		o := &room{App: r.App, t: t, url: origin, editions: r.editions}
		b := o.visitor()
		for _, h := range [][]string{{"Cookie: x=1"}, {"Cookie: meter=1"}, {"Cookie: staff=1"}, {"Authorization: Bearer x"}} {
			for _, path := range []string{"/", r.path("new-name"), r.path("for-readers")} {
				if a := b.get(path, h...); a.Header.Get("Surrogate-Control") != "" || a.Header.Get("Surrogate-Key") != "" {
					t.Errorf("%s with %s says to a cache: %v", path, h, a.Header)
				}
			}
		}
		if a := b.get(r.path("meter-one")); a.Header.Get("Surrogate-Control") != "" || a.Header.Get("Cache-Control") != "private, no-cache" {
			t.Errorf("a metered story says to a cache: %v", a.Header)
		}
		if a := b.send(http.MethodHead, r.path("meter-one"), nil); a.Header.Get("Surrogate-Control") != "" {
			t.Errorf("HEAD of a metered story says to a cache: %v", a.Header)
		}
		for path, want := range map[string]string{r.path("for-readers"): "max-age=3600+86400", r.path("new-name"): "max-age=3600+86400", "/harbour/": "max-age=3600+86400"} {
			a := o.visitor().get(path)
			if a.Header.Get("Surrogate-Control") != want || a.Header.Get("Xkey") == "" || a.Header.Get("Xkey") != a.Header.Get("Surrogate-Key") {
				t.Errorf("%s says to a cache: %v", path, a.Header)
			}
		}
		hole := b.get(r.path("new-name") + "?hole=account-link")
		if hole.Header.Get("Cache-Control") != "private, no-store" || strings.Contains(hole.body, "<html") || !strings.Contains(hole.body, "Sign in") {
			t.Errorf("a hole: %v %q", hole.Header, hole.body)
		}
	})

	step("the wall", func(t *testing.T) {
		began := time.Now()
		u, err := url.Parse(v.URL)
		if err != nil {
			t.Fatal(err)
		}
		hits := v.Counter("MAIN.cache_hit")
		report, err := proof.Check(t.Context(), proof.Newsroom{Config: r.Config, DB: r.DB, Stories: r.Stories, Readers: r.Readers, Staff: r.Staff,
			WallStore: r.WallStore, MeterKeys: r.MeterKeys, Now: r.Now}, proof.Options{URL: u})
		if err != nil {
			t.Fatal(err)
		}
		if !report.Passed() || len(report.Findings) > 0 {
			var text strings.Builder
			report.WriteText(&text)
			t.Error(text.String())
		}
		t.Logf("%d editions as %d personas in %v, %d hits", report.Editions, report.Personas, time.Since(began), v.Counter("MAIN.cache_hit")-hits)
	})

	step("the cache away", func(t *testing.T) {
		b := r.visitor()
		e := r.editions["old-archive"]
		v.Stop()
		began := time.Now()
		e.Headline = "A headline that Varnish was not told of"
		r.tx(func(ctx context.Context, tx *db.Tx) error { return r.Stories.SaveEdition(ctx, tx, &e, "editor") })
		if took := time.Since(began); took > 500*time.Millisecond {
			t.Errorf("publishing took %v while the cache is away", took)
		}
		v.Start(strings.TrimPrefix(origin, "http://"))
		has(t, "the page", b.page(e.Path), e.Headline)
	})
}
