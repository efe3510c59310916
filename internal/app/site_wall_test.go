package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/staff"
	"masthead/internal/wall"
)

// TestWall reads each kind of story as each kind of reader, and looks at every
// byte of the page.
func TestWall(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *room) {
		supporter := r.reader("supporter@example.org")
		r.tx(func(ctx context.Context, tx *db.Tx) error {
			return r.Readers.Grant(ctx, tx, r.readerID("supporter@example.org"), "supporter", time.Time{})
		})
		lapsed := r.reader("lapsed@example.org")
		r.tx(func(ctx context.Context, tx *db.Tx) error {
			return r.Readers.Grant(ctx, tx, r.readerID("lapsed@example.org"), "supporter", r.Now().Add(-hour))
		})
		spent := r.visitor()
		for _, slug := range []string{"meter-two", "meter-three", "meter-four"} {
			spent.page(r.path(slug))
		}
		persona := map[string]*browser{
			"spent": spent, "registered": r.reader("reader@example.org"), "supporter": supporter, "lapsed": lapsed, "staff": r.staff(),
		}
		tests := []struct {
			slug string
			full string // who reads the whole of it
			wall string // what the wall tells the others, or the supporter of tiers
		}{
			{"open-water", "spent registered supporter lapsed staff", ""},
			{"open-water.ar", "spent registered supporter lapsed staff", ""},
			{"meter-one", "registered supporter lapsed staff", "You have read your free stories"},
			{"meter-one.ar", "registered supporter lapsed staff", ""},
			{"for-readers", "registered supporter lapsed staff", "Every archived story"},
			{"old-archive", "registered supporter lapsed staff", "This story is in the archive"},
			{"the-papers", "supporter staff", "Supporters"},
			{"locked-away", "staff", ""},
			{"counted-one", "registered supporter lapsed staff", ""},
		}
		for _, test := range tests {
			slug, lang, _ := strings.Cut(test.slug, ".")
			if lang == "" {
				lang = "en"
			}
			for name, b := range persona {
				where := name + " reading " + test.slug
				a := b.get(r.path(test.slug))
				if a.StatusCode != http.StatusOK {
					t.Errorf("%s = %d", where, a.StatusCode)
				}
				article := jsonLD(t, a.body)
				if strings.Contains(test.full, name) {
					has(t, where, a.body, append(free(slug, lang), kept(slug, lang)...)...)
					hasNot(t, where, a.body, `class="wall"`)
					if article["isAccessibleForFree"] != true || article["hasPart"] != nil {
						t.Errorf("%s: the markup says that the whole page is not free", where)
					}
					continue
				}
				hasNot(t, where, a.body, kept(slug, lang)...)
				has(t, where, a.body, `class="wall"`, test.wall)
				part, _ := article["hasPart"].(map[string]any)
				if article["isAccessibleForFree"] != false || part["isAccessibleForFree"] != false || part["cssSelector"] != ".wall" {
					t.Errorf("%s: the markup says that the preview is the whole: %v", where, article)
				}
				if slug == "locked-away" {
					hasNot(t, where, a.body, free(slug, lang)...)
				} else {
					has(t, where, a.body, free(slug, lang)...)
				}
			}
		}
	})
}

// staff is a browser that is signed in at the desk.
func (r *room) staff() *browser {
	r.t.Helper()
	var cookie string
	r.tx(func(ctx context.Context, tx *db.Tx) error {
		p, err := r.Staff.Add(ctx, tx, staff.Person{Email: "editor@example.org", Name: "An editor", Role: staff.Editor})
		if err == nil {
			_, cookie, err = r.Staff.StartSession(ctx, tx, p.ID, staff.Made{By: staff.ByLink})
		}
		return err
	})
	b := r.visitor()
	b.cookies["staff"] = cookie
	return b
}

var ldForm = regexp.MustCompile(`(?s)<script type="application/ld\+json">(.*?)</script>`)

// jsonLD gives the one JSON-LD object of a page.
func jsonLD(t *testing.T, page string) map[string]any {
	t.Helper()
	found := ldForm.FindAllStringSubmatch(page, -1)
	if len(found) != 1 {
		t.Fatalf("the page has %d JSON-LD objects, want 1", len(found))
	}
	var o map[string]any
	if err := json.Unmarshal([]byte(found[0][1]), &o); err != nil {
		t.Fatalf("the JSON-LD is no JSON: %v\n%s", err, found[0][1])
	}
	return o
}

// TestWallElsewhere looks for withheld words on every surface that is no story's page.
func TestWallElsewhere(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *room) {
		withheld := []string{"meter-one", "for-readers", "the-papers", "old-archive", "locked-away"}
		surfaces := []string{"/", "/ar/", "/city/", "/harbour/", "/letters/", "/topic/salt/", "/topic/papers/", "/author/nora-reyes/", "/archive/",
			"/feed.xml", "/feed.json", "/ar/feed.xml", "/letters/feed.xml", "/letters/feed.json", "/topic/papers/feed.xml", "/author/nora-reyes/feed.json",
			"/sitemap/news.xml", "/no-such-page/", r.path("open-water"), "/api/v1/stories", "/api/stories"}
		for _, slug := range withheld {
			for _, word := range kept(slug, "en") {
				surfaces = append(surfaces, "/search?q="+word)
			}
			surfaces = append(surfaces, "/search?q=headline+"+slug, "/search?q=paragraph")
		}
		b := r.visitor()
		for _, path := range surfaces {
			a := b.get(path)
			body := a.body
			if word, ok := strings.CutPrefix(path, "/search?q=kept"); ok {
				// The word that was asked for stands in the page's own form, and nothing around it elsewhere.
				body = strings.ReplaceAll(body, "kept"+word, "")
				hasNot(t, path, body, "<mark>", "Paragraph 4", "Paragraph 5", "Paragraph 6")
			}
			for _, slug := range withheld {
				hasNot(t, path, body, kept(slug, "en")...)
				hasNot(t, path, body, kept(slug, "ar")...)
			}
			hasNot(t, path, body, free("locked-away", "en")...)
		}
		for _, path := range []string{"/feed.xml", "/feed.json"} {
			a := b.get(path)
			has(t, path, a.body, append(kept("open-water", "en"), free("meter-one", "en")...)...)
			// A feed is one for all: a reader's cookie changes nothing.
			if again := r.reader("feed" + path[5:] + "@example.org").get(path); again.body != a.body {
				t.Errorf("%s is another for a reader who is signed in", path)
			}
		}
		// Who may read it finds the words in the excerpt.
		known := r.reader("search@example.org")
		has(t, "a reader's search", known.page("/search?q="+kept("for-readers", "en")[0]), "<mark>"+kept("for-readers", "en")[0]+"</mark>")
		hasNot(t, "a reader's search of the tier's story", strings.ReplaceAll(known.page("/search?q="+kept("the-papers", "en")[0]), kept("the-papers", "en")[0]+"\"", ""),
			"<mark>"+kept("the-papers", "en")[0])
		// What a password keeps is found by none of its words.
		hasNot(t, "a search for a protected word", r.visitor().page("/search?q="+free("locked-away", "en")[0]), "Headline of locked-away")
		// HEAD and odd requests of a withheld page send nothing of it either.
		for _, h := range []string{"Range: bytes=0-9999999", "Accept: application/json", "X-Forwarded-Host: quay.example", "X-Original-URL: /", "Cache-Control: no-cache",
			"User-Agent: Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Cookie: reader=00000000-0000-7000-8000-000000000000." + strings.Repeat("A", 43),
			"Cookie: staff=00000000-0000-7000-8000-000000000000." + strings.Repeat("A", 43), "Cookie: reader=" + strings.Repeat("x", 4000), "Referer: https://www.google.com/"} {
			hasNot(t, "a visit with "+shorten(h), r.visitor().page(r.path("for-readers"), h), kept("for-readers", "en")...)
		}
		for _, query := range []string{"?gift=", "?gift=" + strings.Repeat("A", 22), "?print=1", "?preview=1", "?amp=1", "?format=json", "?done=saved"} {
			hasNot(t, query, r.visitor().page(r.path("for-readers")+query), kept("for-readers", "en")...)
		}
	})
}

// TestMeter spends the three free stories of a visitor without an account.
func TestMeter(t *testing.T) {
	onBoth(t, setting{"url": "https://quay.example"}, func(t *testing.T, r *room) {
		b := r.visitor()
		b.https = true
		for _, path := range []string{"/", "/city/", "/search?q=salt", "/feed.xml", "/register", "/signin", r.path("open-water"), r.path("for-readers"), r.path("old-archive"), "/no-such/"} {
			if a := b.get(path); len(a.Header.Values("Set-Cookie")) != 0 {
				t.Errorf("GET %s sets a cookie: %s", path, a.Header.Values("Set-Cookie"))
			}
		}
		if a := b.send(http.MethodHead, r.path("meter-one"), nil); len(a.Cookies()) != 0 {
			t.Error("HEAD is counted")
		}
		has(t, "the first", b.page(r.path("meter-one")), "You have read 1 of 3 free stories", kept("meter-one", "en")[0])
		c := b.set["__Host-meter"]
		if c == nil {
			t.Fatalf("no meter's cookie: %v", b.set)
		}
		if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != 30*24*3600 {
			t.Errorf("the meter's cookie: %s", c.Raw)
		}
		has(t, "the second", b.page(r.path("meter-two")), "You have read 2 of 3 free stories")
		for range 3 { // what is read may be read again
			has(t, "the first again", b.page(r.path("meter-one")), kept("meter-one", "en")[0])
		}
		has(t, "the first in Arabic", b.page(r.path("meter-one.ar")), kept("meter-one", "ar")[0])
		last := b.page(r.path("meter-three"))
		has(t, "the last free one", last, kept("meter-three", "en")[0], "last")
		hasNot(t, "the last free one", last, "You have read 3 of 3")
		wall := b.page(r.path("meter-four"))
		hasNot(t, "the fourth", wall, kept("meter-four", "en")...)
		has(t, "the fourth", wall, "3 stories a month are free", "Every archived story", "The Week in Review", "Stories to give away", `name="next" value="`+r.path("meter-four")+`#p4"`)
		has(t, "the first, the meter spent", b.page(r.path("meter-one")), kept("meter-one", "en")...)
		has(t, "an open story, the meter spent", b.page(r.path("open-water")), kept("open-water", "en")...)

		// Neither a changed cookie nor one of another newsroom's key opens more, or breaks the page.
		value := b.cookies["__Host-meter"]
		other := otherKeys().Write(nil)
		for _, bad := range []string{value[:len(value)-2] + "xx", value[:len(value)/2], value + value, "", "nonsense", strings.Repeat("A", 9000), other} {
			forged := r.visitor()
			forged.https = true
			forged.cookies["__Host-meter"] = bad
			for i, slug := range []string{"meter-one", "meter-two", "meter-three"} {
				has(t, fmt.Sprintf("a spoilt meter's story %d", i+1), forged.page(r.path(slug)), kept(slug, "en")[0])
			}
			hasNot(t, "a spoilt meter's fourth story", forged.page(r.path("meter-four")), kept("meter-four", "en")...)
		}
		// The cookie of the plain origin is not that of the secure one.
		plain := r.visitor()
		plain.https = true
		plain.cookies["meter"] = value
		has(t, "another name's cookie", plain.page(r.path("meter-four")), "You have read 1 of 3 free stories")
	})
}

// otherKeys are those of another newsroom.
func otherKeys() wall.MeterKeys {
	return wall.MeterKeys{[]byte(strings.Repeat("k", 32))}
}

// TestRegisteredMeter spends a reader's meter, which the server keeps.
func TestRegisteredMeter(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *room) {
		b := r.reader("counted@example.org")
		read := func() int {
			t.Helper()
			if err := r.Counter.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			return r.count(`SELECT COUNT(*) FROM meter_read`)
		}
		b.send(http.MethodHead, r.path("counted-one"), nil)
		b.page("/topic/counted/")
		b.page("/search?q=counted")
		if n := read(); n != 0 {
			t.Errorf("%d reads are counted before the first", n)
		}
		has(t, "the first", b.page(r.path("counted-one")), kept("counted-one", "en")[0])
		has(t, "the first again", b.page(r.path("counted-one")), kept("counted-one", "en")[0])
		has(t, "the second", b.page(r.path("counted-two")), kept("counted-two", "en")[0])
		hasNot(t, "the third, before anything is written", b.page(r.path("counted-three")), kept("counted-three", "en")...)
		if n := r.count(`SELECT COUNT(*) FROM meter_read`); n != 0 {
			t.Errorf("a page waited until %d reads were written", n)
		}
		if n := read(); n != 2 {
			t.Errorf("%d reads are counted, want 2", n)
		}
		third := b.page(r.path("counted-three"))
		hasNot(t, "the third", third, kept("counted-three", "en")...)
		hasNot(t, "the third", third, `action="/register"`)
		has(t, "the third", third, "Stories open to you in 30 days: 2")
		if b.cookies["meter"] != "" {
			t.Error("a reader's meter went into a cookie")
		}
		// A new browser has no new meter.
		again := r.reader("counted@example.org")
		hasNot(t, "the third in another browser", again.page(r.path("counted-three")), kept("counted-three", "en")...)
		r.exec(`UPDATE meter_read SET at = at - 2678400000000`) // 31 days
		has(t, "the third a month later", b.page(r.path("counted-three")), kept("counted-three", "en")...)
		// Nothing is left of a reader who goes while a count waits.
		again.post("/account/delete", url.Values{"confirm": {"1"}})
		if n := read(); n != 0 || r.Counter.Len() != 0 {
			t.Errorf("of a reader who has gone %d reads are counted, %d wait", n, r.Counter.Len())
		}
	})
}

var giftForm = regexp.MustCompile(`id="gift-link" type="text" readonly value="([^"]+)"`)

// give makes a gift link for a story, and gives its path; "" when none was made.
func (b *browser) give(slug string) (answer, string) {
	b.t.Helper()
	a := b.post("/gift", url.Values{"story": {b.editions[slug].StoryID}})
	m := giftForm.FindStringSubmatch(a.body)
	if m == nil {
		return a, ""
	}
	return a, strings.TrimPrefix(m[1], b.Config.URL.String())
}

// TestGifts gives stories away.
func TestGifts(t *testing.T) {
	onBoth(t, setting{"gift-quota": "2"}, func(t *testing.T, r *room) {
		giver := r.reader("giver@example.org")
		has(t, "the story", giver.page(r.path("for-readers")), `action="/gift"`, r.editions["for-readers"].StoryID)
		hasNot(t, "a stranger's page", r.visitor().page(r.path("open-water")), `action="/gift"`)
		_, link := giver.give("for-readers")
		if !strings.HasPrefix(link, r.path("for-readers")+"?gift=") {
			t.Fatalf("the gift link is %q", link)
		}
		opened := func() int { return r.count(`SELECT SUM(opened) FROM gift`) }
		guest := r.visitor()
		guest.send(http.MethodHead, link, nil)
		if n := opened(); n != 0 {
			t.Errorf("HEAD opened the gift %d times", n)
		}
		gift := guest.page(link)
		has(t, "the gift", gift, kept("for-readers", "en")...)
		has(t, "the gift", gift, "gift-notice")
		if a := guest.get(link); len(a.Cookies()) != 0 {
			t.Error("a gift sets a cookie")
		}
		if n := opened(); n != 2 {
			t.Errorf("the gift was opened %d times, want 2", n)
		}
		_, token, _ := strings.Cut(link, "?gift=")
		hasNot(t, "the gift at another story", guest.page(r.path("the-papers")+"?gift="+token), kept("the-papers", "en")...)
		hasNot(t, "the story without the gift", guest.page(r.path("for-readers")), kept("for-readers", "en")...)
		has(t, "the account", giver.page("/account"), "Headline of for-readers en", "name=\"gift\"")

		// A reader cannot give what he may not read, nor more than his quota.
		if a, link := giver.give("the-papers"); link != "" || a.StatusCode != http.StatusForbidden {
			t.Errorf("giving a story of the tier = %d, link %q", a.StatusCode, link)
		}
		if a := giver.post("/gift", url.Values{"story": {"no-such-story"}}); a.StatusCode != http.StatusNotFound {
			t.Errorf("giving no story = %d, want 404", a.StatusCode)
		}
		if a := giver.post("/gift", url.Values{"story": {r.editions["only-a-draft"].StoryID}}); a.StatusCode != http.StatusNotFound {
			t.Errorf("giving a draft = %d, want 404", a.StatusCode)
		}
		if _, link := giver.give("old-archive"); link == "" {
			t.Error("the second gift of two was not made")
		}
		if a, link := giver.give("meter-one"); link != "" || a.StatusCode != http.StatusOK {
			t.Errorf("the third gift of two = %d, link %q", a.StatusCode, link)
		}

		// It ends: by its time, or when the giver takes it back. Nobody else can.
		id := regexp.MustCompile(`name="gift" value="([^"]+)"`).FindAllStringSubmatch(giver.page("/account"), -1)
		if len(id) != 2 {
			t.Fatalf("the account lists %d gifts, want 2", len(id))
		}
		thief := r.reader("thief@example.org")
		for _, g := range id {
			if a := thief.post("/account/gifts", url.Values{"gift": {g[1]}}); a.StatusCode != http.StatusNotFound {
				t.Errorf("revoking another's gift = %d, want 404", a.StatusCode)
			}
		}
		has(t, "the gift after a thief's try", guest.page(link), kept("for-readers", "en")...)
		r.exec(`UPDATE gift SET expires_at = expires_at - 2592000000000`) // 30 days
		hasNot(t, "an expired gift", guest.page(link), kept("for-readers", "en")...)
		r.exec(`UPDATE gift SET expires_at = expires_at + 2592000000000`)
		for _, g := range id {
			if a := giver.post("/account/gifts", url.Values{"gift": {g[1]}}); a.StatusCode != http.StatusSeeOther {
				t.Errorf("revoking a gift = %d", a.StatusCode)
			}
		}
		hasNot(t, "a revoked gift", guest.page(link), kept("for-readers", "en")...)
		if n := r.count(`SELECT COUNT(*) FROM gift WHERE revoked_at <> 0`); n != 2 {
			t.Errorf("%d gifts are revoked, want 2", n)
		}
	})
}

// TestTierEnds shows that a tier that ends takes its stories along.
func TestTierEnds(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *room) {
		b := r.reader("tier@example.org")
		id := r.readerID("tier@example.org")
		hasNot(t, "before the tier", b.page(r.path("the-papers")), kept("the-papers", "en")...)
		r.tx(func(ctx context.Context, tx *db.Tx) error {
			return r.Readers.Grant(ctx, tx, id, "supporter", r.Now().Add(hour))
		})
		has(t, "with the tier", b.page(r.path("the-papers")), kept("the-papers", "en")...)
		has(t, "the account", b.page("/account"), "Supporters")
		r.tx(func(ctx context.Context, tx *db.Tx) error { return r.Readers.Revoke(ctx, tx, id, "supporter") })
		hasNot(t, "after the tier", b.page(r.path("the-papers")), kept("the-papers", "en")...)
	})
}
