package app_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"masthead/internal/db"
	"masthead/internal/story"
)

// TestAddresses asks for every kind of address.
func TestAddresses(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *room) {
		month := r.editions["open-water"].PublishedAt.UTC().Format("/2006/01/")
		tests := []struct {
			path   string
			status int
			want   string // in the page, or where it redirects
		}{
			{"/", 200, "Headline of open-water en"},
			{"/ar/", 200, "Headline of open-water ar"},
			{"/city/", 200, "The city"},
			{"/ar/city/", 200, "المدينة"},
			{"/harbour/", 200, "Headline of meter-four en"},
			{"/topic/salt/", 200, "Where it comes from."},
			{"/author/nora-reyes/", 200, "covers the harbour"},
			{"/archive/", 200, month},
			{month, 200, "Headline of open-water en"},
			{r.path("open-water"), 200, "Headline of open-water en"},
			{r.path("open-water.ar"), 200, "Headline of open-water ar"},
			{r.path("open-water.he"), 200, `dir="rtl"`},
			{"/house-rules/", 200, "freehouserulesen1"},
			{"/ar/house-rules/", 200, "freehouserulesar1"},
			{"/about/", 200, "The Quay"},
			{"/privacy/", 200, "The Quay"},
			{"/he/about/", 200, `lang="he"`},
			{"/search", 200, ""},
			{"/search?q=headline", 200, "meter-two"},
			{"/register", 200, "The Week in Review"},
			{"/signin", 200, ""},
			{"/ar/signin", 200, `dir="rtl"`},
			{"/account", 303, "/signin?next=%2Faccount"},
			{"/ar/account", 303, "/ar/signin?next=%2Far%2Faccount"},
			{"/signin/code", 303, "/signin"},
			{"/feed.xml", 200, "<rss"},
			{"/feed.json", 200, "jsonfeed.org"},
			{"/ar/feed.xml", 200, "<language>ar</language>"},
			{"/harbour/feed.xml", 200, "The harbour"},
			{"/topic/salt/feed.json", 200, "Salt"},
			{"/author/nora-reyes/feed.xml", 200, "Nora Reyes"},
			{"/sitemap.xml", 200, "/sitemap/news.xml"},
			{"/sitemap/news.xml", 200, "open-water"},
			{"/sitemap/lists.xml", 200, "/topic/salt/"},
			{"/robots.txt", 200, "Sitemap: http://quay.example/sitemap.xml"},
			{"/dev/mail", 200, ""},

			// Without its last slash an address redirects, in its language and with its query.
			{"/city", 301, "/city/"},
			{"/ar/city", 301, "/ar/city/"},
			{"/ar", 301, "/ar/"},
			{"/topic/salt", 301, "/topic/salt/"},
			{"/ar/topic/salt?page=2", 301, "/ar/topic/salt/?page=2"},
			{"/author/nora-reyes", 301, "/author/nora-reyes/"},
			{"/archive", 301, "/archive/"},
			{"/about", 301, "/about/"},
			{"/house-rules", 301, "/house-rules/"},
			{strings.TrimSuffix(month, "/"), 301, month},
			{strings.TrimSuffix(r.path("open-water"), "/"), 301, r.path("open-water")},
			{strings.TrimSuffix(r.path("open-water.ar"), "/"), 301, r.path("open-water.ar")},

			// Old ones lead to the new.
			{r.editions["old-name"].Path, 301, r.editions["new-name"].Path},
			{strings.TrimSuffix(r.editions["old-name"].Path, "/"), 301, r.editions["new-name"].Path},
			{"/archives/12.html", 301, "/city/"},

			{r.path("taken-back"), 410, "A source took his words back."},
			{r.path("taken-back"), 410, "Headline of taken-back en"},
			{"/no-such-thing/", 404, "Headline of open-water en"},
			{"/no-such-thing", 404, "Headline of open-water en"},
			{"/ar/no-such-thing/", 404, "Headline of open-water ar"},
			{"/2026/13/", 404, ""},
			{"/1999/01/", 404, ""},
			{"/2026/11/no-such-story/", 404, ""},
			{"/topic/no-such-topic/", 404, ""},
			{"/topic/hash-internal/", 404, ""},
			{"/topic/hash-internal", 404, ""},
			{"/topic/hash-internal/feed.xml", 404, ""},
			{"/author/nobody/", 404, ""},
			{"/no-such-section/feed.xml", 404, ""},
			{"/sitemap/nonsense.xml", 404, ""},
			{"/sitemap/2026-11.txt", 404, ""},
			{"/fr/", 404, ""},
			{"/en/", 404, ""},
			{"/city/?page=0", 404, ""},
			{"/city/?page=two", 404, ""},
			{"/city/?page=2", 404, ""},
			{"/city/?page=99999999999999999999", 404, ""},
			{"/dev/mail/no-such-letter", 404, ""},
			{"/dev/mail/..%2f..%2fsecret.key", 307, "/secret.key"},
			{"/secret.key", 404, ""},
			{"/masthead.toml", 404, ""},
			{"/media/" + strings.Repeat("0", 64) + "/640.webp", 404, ""},
			{"/assets/nothing.css", 404, ""},
			{"/signin/confirm?token=nonsense", 410, ""},

			// What is no text is refused before it reaches the database.
			{"/%00/", 400, ""},
			{"/%ff/", 400, ""},
			{"/topic/a%00b/", 400, ""},
			{"/topic/%c3%28/", 400, ""},
			{"/author/%00/", 400, ""},
			{"/2026/11/%ff/", 400, ""},
			{"/search?q=%00", 400, ""},
			{"/search?q=%ff%fe", 400, ""},
			{"/search?q=a&section=%00", 400, ""},
			{"/search?q=%zz", 400, ""},
			{"/?gift=%00", 400, ""},
			{r.path("open-water") + "?gift=%ff", 400, ""},
			{"/signin/confirm?token=%00", 400, ""},

			// What is odd but text is answered.
			{"/search?q=" + strings.Repeat("word+", 1000), 200, ""},
			{"/search?q=%22%27%28%29*:%5E+AND+OR+NOT+NEAR", 200, ""},
			{"/search?q=headline&page=99", 200, ""},
			{"/search?q=%3Cscript%3Ealert(1)%3C/script%3E", 200, "&lt;script&gt;"},
			{"/city/?utm_source=x", 200, ""},
			{r.path("open-water") + "?gift=nonsense", 200, ""},
		}
		for _, test := range tests {
			a := r.visitor().get(test.path)
			name := shorten(test.path)
			if a.StatusCode != test.status {
				t.Errorf("GET %s = %d, want %d", name, a.StatusCode, test.status)
				continue
			}
			switch {
			case test.status >= 300 && test.status < 400:
				if got := a.Header.Get("Location"); got != test.want {
					t.Errorf("GET %s leads to %s, want %s", name, got, test.want)
				}
			default:
				has(t, "GET "+name, a.body, test.want)
			}
			if test.status >= 400 && !strings.HasPrefix(test.path, "/assets/") {
				has(t, "GET "+name, a.body, "<h1", `name="robots" content="noindex"`)
			}
		}
		hasNot(t, "the withdrawn story", r.visitor().get(r.path("taken-back")).body, free("taken-back", "en")...)
		hasNot(t, "a story's page", r.visitor().page(r.path("meter-one")), "Secret of the house", "hash-internal")
		hasNot(t, "the front", r.visitor().page("/"), "only-a-draft")
	})
}

func shorten(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}

// TestLists walks through a section of more than one page.
func TestLists(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *room) {
		section, err := r.Stories.Sections(t.Context(), r.DB.Read())
		if err != nil {
			t.Fatal(err)
		}
		letters, _ := section.BySlug("letters")
		nora, err := r.Stories.WriterBySlug(t.Context(), r.DB.Read(), "nora-reyes")
		if err != nil {
			t.Fatal(err)
		}
		r.tx(func(ctx context.Context, tx *db.Tx) error {
			for i := range 30 {
				p := piece{slug: fmt.Sprintf("filler-%02d", i), section: "letters", access: story.Open, age: 30*day + hour, body: "A filler."}
				if err := r.write(ctx, tx, p, map[string]string{"letters": letters.ID, "nora-reyes": nora.ID, "omar-sadek": nora.ID}, ""); err != nil {
					return err
				}
			}
			return nil
		})
		b := r.visitor()
		seen := map[string]int{}
		first, second := b.page("/letters/"), b.page("/letters/?page=2")
		has(t, "page 1", first, `<link rel="next" href="/letters/?page=2">`, `<link rel="canonical" href="http://quay.example/letters/">`)
		has(t, "page 2", second, `<link rel="prev" href="/letters/">`, `<link rel="canonical" href="http://quay.example/letters/?page=2">`, "Page 2 of")
		for _, page := range []string{first, second} {
			for i := range 30 {
				if strings.Contains(page, fmt.Sprintf("Headline of filler-%02d en", i)) {
					seen[fmt.Sprint(i)]++
				}
			}
		}
		if len(seen) != 30 {
			t.Errorf("the two pages show %d of 30 stories", len(seen))
		}
		for i, n := range seen {
			if n != 1 {
				t.Errorf("filler %s stands on %d pages", i, n)
			}
		}
		if a := b.get("/letters/?page=3"); a.StatusCode != 404 {
			t.Errorf("the page after the last = %d, want 404", a.StatusCode)
		}
	})
}

// TestForms posts what no form of ours would.
func TestForms(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *room) {
		large := url.Values{"email": {"a@example.org"}, "name": {strings.Repeat("x", 70<<10)}}
		tests := []struct {
			name, path string
			form       url.Values
			headers    []string
			status     int
		}{
			{"a form of 70 KB", "/register", large, nil, 413},
			{"NUL in an address", "/register", url.Values{"email": {"a\x00b@example.org"}}, nil, 400},
			{"NUL in a field that is not read", "/register", url.Values{"email": {"a@example.org"}, "more": {"\x00"}}, nil, 400},
			{"bytes that are no text", "/signin", url.Values{"email": {"\xff\xfe@example.org"}}, nil, 400},
			{"NUL in a code", "/signin/code", url.Values{"code": {"\x00"}}, nil, 400},
			{"NUL in a token", "/signin/confirm", url.Values{"token": {"\x00"}}, nil, 400},
			{"a token that is none", "/signin/confirm", url.Values{"token": {"nonsense"}}, nil, 410},
			{"no address", "/register", url.Values{}, nil, 422},
			{"what is no address", "/register", url.Values{"email": {"not an address"}}, nil, 422},
			{"two addresses", "/register", url.Values{"email": {"a@example.org, b@example.org"}}, nil, 422},
			{"a line break in an address", "/register", url.Values{"email": {"a@example.org\r\nBcc: b@example.org"}}, nil, 422},
			{"a code without a sign-in", "/signin/code", url.Values{"code": {"123456"}}, nil, 303},
			{"the account of nobody", "/account/delete", url.Values{"confirm": {"1"}}, nil, 303},
			{"a gift of nobody", "/gift", url.Values{"story": {r.editions["open-water"].StoryID}}, nil, 303},
			{"a page that takes no form", "/city/", url.Values{"a": {"b"}}, nil, 404},
			{"a form posted from elsewhere", "/register", url.Values{"email": {"a@example.org"}}, []string{"Sec-Fetch-Site: cross-site"}, 403},
			{"a form of another origin", "/signout", url.Values{}, []string{"Origin: https://evil.example"}, 403},
			{"a form of an opaque origin", "/register", url.Values{"email": {"a@example.org"}}, []string{"Origin: null"}, 403},
		}
		for _, test := range tests {
			a := r.visitor().post(test.path, test.form, test.headers...)
			if a.StatusCode != test.status {
				t.Errorf("%s: POST %s = %d, want %d", test.name, test.path, a.StatusCode, test.status)
			}
		}
		if n := len(r.letters("example.org")); n != 0 {
			t.Errorf("%d letters were sent for what was refused", n)
		}
		if a := r.visitor().send("DELETE", "/", nil); a.StatusCode != 404 && a.StatusCode != 405 {
			t.Errorf("DELETE / = %d", a.StatusCode)
		}
		if a := r.visitor().send("POST", "/", nil, "Content-Type: text/plain"); a.StatusCode >= 500 {
			t.Errorf("POST / = %d", a.StatusCode)
		}
	})
}

// TestHeaders looks at what every answer carries, whatever its status.
func TestHeaders(t *testing.T) {
	r := newRoom(t, "", nil)
	paths := []string{"/", r.path("open-water"), r.path("meter-one"), r.path("for-readers"), "/search?q=salt", "/feed.xml", "/feed.json", "/robots.txt",
		"/sitemap.xml", "/register", "/signin", "/no-such/", r.path("taken-back"), "/%00/", "/city", "/account", "/dev/mail", "/api/", "/desk/", "/assets/none"}
	for _, path := range paths {
		a := r.visitor().get(path)
		policy := a.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors", "base-uri 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("GET %s: the policy %q lacks %s", path, policy, want)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
			t.Errorf("GET %s: the policy is lax: %s", path, policy)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "strict-origin-when-cross-origin", "Cross-Origin-Opener-Policy": "same-origin",
		} {
			if got := a.Header.Get(name); got != want {
				t.Errorf("GET %s: %s = %q, want %q", path, name, got, want)
			}
		}
		if a.Header.Get("Permissions-Policy") == "" {
			t.Errorf("GET %s has no Permissions-Policy", path)
		}
		if got := a.Header.Get("X-Request-Id"); got == "" && a.StatusCode >= 400 {
			t.Errorf("GET %s fails without an ID", path)
		}
		if got := r.visitor().get(path, "X-Request-Id: of-the-proxy").Header.Get("X-Request-Id"); got != "of-the-proxy" {
			t.Errorf("GET %s: the ID that it came with became %q", path, got)
		}
		if a.StatusCode < 300 && a.Header.Get("Content-Type") == "" {
			t.Errorf("GET %s has no Content-Type", path)
		}
		if strings.Contains(a.body, "<style") || strings.Contains(a.body, " style=") || strings.Contains(a.body, " onclick=") {
			t.Errorf("GET %s has a style or script that the policy forbids", path)
		}
	}
	for path, want := range map[string]string{
		"/": "public, no-cache", r.path("open-water"): "public, no-cache", "/search?q=salt": "private, no-cache", "/city/": "public, no-cache",
		"/feed.xml": "public, max-age=60", "/robots.txt": "public, max-age=60", "/register": "no-store", "/no-such/": "no-store",
	} {
		a := r.visitor().get(path)
		if got := a.Header.Get("Cache-Control"); got != want {
			t.Errorf("GET %s: Cache-Control = %q, want %q", path, got, want)
		}
		if strings.HasSuffix(want, "no-cache") && !strings.Contains(strings.Join(a.Header.Values("Vary"), ","), "Cookie") {
			t.Errorf("GET %s does not vary by cookie", path)
		}
	}
	if a := r.visitor().get("/"); a.Header.Get("Strict-Transport-Security") != "" {
		t.Error("without TLS there is an HSTS header")
	}
	https := r.visitor()
	https.https = true
	if a := https.get("/"); a.Header.Get("Strict-Transport-Security") == "" {
		t.Error("with TLS there is no HSTS header")
	}
	if a := r.visitor().get("/", "Accept-Encoding: gzip"); a.Header.Get("Content-Encoding") != "gzip" || len(a.body) == 0 {
		t.Error("the front is not compressed for a browser that takes it")
	}
}

// TestConditional reads pages again, in parts, and without their bodies.
func TestConditional(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *room) {
		for _, path := range []string{"/", r.path("open-water"), r.path("for-readers"), "/city/", "/topic/salt/", "/search?q=salt", "/feed.xml", "/feed.json", "/sitemap.xml", "/robots.txt"} {
			b := r.visitor()
			full := b.get(path)
			tag := full.Header.Get("ETag")
			if tag == "" {
				t.Errorf("GET %s has no ETag", path)
				continue
			}
			for _, match := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
				a := b.get(path, "If-None-Match: "+match)
				if a.StatusCode != http.StatusNotModified || a.body != "" {
					t.Errorf("GET %s with If-None-Match %s = %d with %d bytes, want 304 with none", path, match, a.StatusCode, len(a.body))
				}
				if a.Header.Get("ETag") == "" {
					t.Errorf("GET %s: the 304 has no ETag", path)
				}
			}
			if a := b.get(path, `If-None-Match: "other"`); a.StatusCode != 200 || a.body != full.body {
				t.Errorf("GET %s with another tag = %d, and %v", path, a.StatusCode, a.body == full.body)
			}
			if a := b.get(path, "Range: bytes=0-99"); a.StatusCode != 200 || len(a.body) != len(full.body) {
				t.Errorf("GET %s of a range = %d with %d bytes, want the whole page", path, a.StatusCode, len(a.body))
			}
			head := b.send(http.MethodHead, path, nil)
			if head.StatusCode != 200 || head.body != "" || head.Header.Get("ETag") != tag || head.Header.Get("Content-Type") != full.Header.Get("Content-Type") {
				t.Errorf("HEAD %s = %d, %d bytes, ETag %s; GET has %s", path, head.StatusCode, len(head.body), head.Header.Get("ETag"), tag)
			}
			if a := b.get(path, "Accept-Encoding: gzip", "If-None-Match: "+strings.TrimSuffix(tag, `"`)+`-gzip"`); a.StatusCode != 304 {
				t.Errorf("GET %s with the tag of its compressed form = %d, want 304", path, a.StatusCode)
			}
		}
		// What one may read and another may not never has one tag.
		path := r.path("for-readers")
		preview := r.visitor().get(path).Header.Get("ETag")
		known := r.reader("tags@example.org")
		if full := known.get(path); full.Header.Get("ETag") == preview {
			t.Error("preview and whole story have one ETag")
		}
		if a := known.get(path, "If-None-Match: "+preview); a.StatusCode != 200 {
			t.Errorf("the preview's tag in a reader's browser = %d, want the whole story", a.StatusCode)
		}
	})
}

// TestReserved writes pages whose addresses the site itself uses, and those of others.
func TestReserved(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *room) {
		r.tx(func(ctx context.Context, tx *db.Tx) error {
			for _, slug := range []string{"search", "account", "desk", "api", "media", "2026", "ar", "letters"} {
				p := piece{slug: slug, kind: story.Page, access: story.Open, age: day, body: "A page that calls itself " + slug + "."}
				if err := r.write(ctx, tx, p, map[string]string{}, ""); err != nil {
					return err
				}
			}
			return nil
		})
		b := r.visitor()
		for _, slug := range []string{"search", "account", "desk", "api", "media", "2026", "ar", "letters"} {
			path := r.path(slug)
			if path != "/"+slug+"-2/" {
				t.Errorf("the page %s stands at %s", slug, path)
			}
			has(t, path, b.page(path), "A page that calls itself "+slug)
		}
		has(t, "the section", b.page("/letters/"), "Headline of for-readers en")
		has(t, "the Arabic front", b.page("/ar/"), "Headline of open-water ar")
	})
}
