package desk

import (
	"cmp"
	"fmt"
	"maps"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/plan"
	"masthead/internal/staff"
)

// hostile goes through the newsroom's forms.
type hostile struct {
	*testing.T
	*press
	n     int               // marks given out
	fed   map[string]int    // by key of a form: how often it was filled in
	done  map[string]bool   // by key and action
	took  map[string]bool   // fields that took a hostile text
	never map[string]bool   // fields that refused each
	shut  map[string]string // forms that took nothing at all, and what they said
	sent  map[string]int    // posts to each route of the desk
	read  map[string]int    // answers of each route
	seen  map[string]map[string]bool
}

// TestInert writes hostile text into every field of every form of the desk and
// of a reader's account, and reads every page, feed, export and letter after it:
// the text is text everywhere. Nothing is listed: forms are found on the pages,
// pages by their links and by the table of routes, which must be covered.
func TestInert(t *testing.T) {
	p := newPress(t)
	p.signIn(t)
	c := &hostile{T: t, press: p, fed: map[string]int{}, done: map[string]bool{}, took: map[string]bool{}, never: map[string]bool{},
		shut: map[string]string{}, sent: map[string]int{}, read: map[string]int{}, seen: map[string]map[string]bool{}}
	visitor, read := p.furnish(t), false
	owner := guest{press: p, jar: p.jar}
	p.settle(t)
	c.script(owner)
	for round, stage := range []int{writes, writes, writes, moves, moves, moves, moves, ends, ends, ends, moves, moves} {
		began := time.Now()
		if stage == writes {
			c.redraft(owner)
		}
		if stage == ends && !read {
			c.readAll(owner, visitor)
			read = true
		}
		var pages []string
		forms := map[string][]sheet{}
		for _, f := range c.crawl(owner, deskDoors(p)...) {
			if f.method == "post" && stageOf(c.kindOf("POST", f.action)) == stage && !strings.HasSuffix(f.action, p.owner.ID+"/sessions") {
				if forms[f.page] == nil {
					pages = append(pages, f.page)
				}
				forms[f.page] = append(forms[f.page], f)
			}
		}
		// What was searched for first: what could be merged is deleted else.
		slices.SortStableFunc(pages, func(a, b string) int { return cmp.Compare(strings.Count(b, "?"), strings.Count(a, "?")) })
		for _, page := range pages {
			of := forms[page]
			if stage != writes { // one at a time of each page, which is another after it: what was done least
				slices.SortStableFunc(of, func(a, b sheet) int {
					return cmp.Compare(c.sent[c.kindOf("POST", a.action)], c.sent[c.kindOf("POST", b.action)])
				})
			}
			for _, f := range of {
				if c.feed(owner, f) && stage != writes {
					break
				}
			}
		}
		t.Logf("round %d: forms on %d pages, %d texts, %v", round, len(pages), c.n, time.Since(began).Round(time.Millisecond))
	}
	c.readAll(owner, visitor)
	c.letters()
	c.report()
}

// The order in which forms are filled in: what writes, then what moves a story
// on, then what ends something.
const (
	writes = iota
	moves
	ends
	never
)

var ending = regexp.MustCompile(`/(delete|remove|merge|withdraw|drop|disable|enable|reset|revoke|end|sessions)$`)

func stageOf(pattern string) int {
	name := strings.TrimPrefix(pattern, "/desk/stories/{edition}/")
	switch {
	case pattern == "/desk/signout":
		return never
	case ending.MatchString(pattern):
		return ends
	case slices.ContainsFunc(plan.Moves(), func(m plan.Move) bool { return m.Name == name }):
		return moves
	}
	return writes
}

func deskDoors(p *press) (doors []string) {
	for _, r := range p.Routes() {
		if path, ok := strings.CutPrefix(r.Pattern, "GET "); ok && !strings.Contains(strings.TrimSuffix(path, "{$}"), "{") {
			doors = append(doors, strings.TrimSuffix(path, "{$}"))
		}
	}
	return doors
}

// readAll reads the desk as its owner, in Arabic, as a reporter and as nobody,
// and the public site as nobody and as a reader, who fills in his forms too.
func (c *hostile) readAll(owner, visitor guest) {
	c.Helper()
	doors := append(deskDoors(c.press), "/desk/"+url.PathEscape(c.mark(0)), "/desk/signin?token="+url.QueryEscape(c.mark(0)))
	c.crawl(owner, doors...)
	owner.lang = "ar"
	c.crawl(owner, doors...)
	reporter := guest{press: c.press, jar: map[string]string{}}
	c.tx(c.T, func(tx *db.Tx) error {
		who, err := c.Staff.Add(c.Context(), tx, staff.Person{Email: fmt.Sprintf("cy%d@quay.example", c.n), Name: c.mark(0), Role: staff.Reporter})
		if err == nil {
			_, reporter.jar["staff"], err = c.Staff.StartSession(c.Context(), tx, who.ID, staff.Made{By: staff.ByPasskey, Agent: rungs[0]})
		}
		return err
	})
	c.crawl(reporter, doors...)
	nobody := guest{press: c.press}
	_, page := c.get(c.colleague, "/desk/me") // whoever has a key has it renamed
	for _, f := range page.forms {
		if strings.Contains(f.action, "/passkeys/") {
			c.feed(c.colleague, f)
		}
	}
	c.get(c.colleague, "/desk/me")
	for _, f := range c.crawl(nobody, doors...) {
		if f.method == "post" {
			c.feed(nobody, f)
		}
	}

	public := []string{"/", "/ar/", "/feed.xml", "/feed.json", "/sitemap.xml", "/robots.txt", "/corrections/", "/ar/corrections/", "/archive/", "/account", "/register", "/signin",
		"/search?q=" + url.QueryEscape(c.mark(0)), "/search?q=zzmark", "/search?q=story", "/" + url.PathEscape(c.mark(0)), "/signin?next=" + url.QueryEscape(c.mark(1))}
	for _, g := range []guest{nobody, visitor} {
		for _, f := range c.crawl(g, public...) {
			if f.method == "post" && !strings.HasSuffix(f.action, "/account/delete") && !strings.HasSuffix(f.action, "/signout") && !strings.HasSuffix(f.action, "/account/sessions") {
				c.feed(g, f)
			}
		}
		c.crawl(g, public...)
	}
}

// letters reads what was sent.
func (c *hostile) letters() {
	c.sendPosted(c.T)
	for _, l := range c.office.sent {
		_, text, faults := readHTML(l.HTML)
		for _, f := range faults {
			c.Errorf("the letter %q %s", l.Subject, f)
		}
		for _, m := range marked.FindAllString(text, -1) {
			if c.seen[m] == nil {
				c.seen[m] = map[string]bool{}
			}
			c.seen[m]["a letter"] = true
		}
	}
}

// beside are routes that no form of the test leads to: whoever comes by them
// shows a secret, a key or a code, or picks a picture that was found, and they
// take no text that is shown.
var beside = regexp.MustCompile(`/portrait$|^POST /desk/(signin|signout|second|me/recovery|me/totp/remove)$|/passkeys?(/options)?$|/draft/stream$`)

// shown are the places where hostile text must have been seen as text: were it
// not, a form would take it no more, or a page not show it.
var shown = []string{
	"/", "a story", "a section or page", "/topic/*/", "/author/*/", "/archive/", "/corrections/", "/search", "/signin?", "/register?", "/account", "/account/export", "nowhere",
	"/feed.xml", "/feed.json", "a section's feed.xml", "/topic/*/feed.xml", "/author/*/feed.json", "a letter",
	"/desk/{$}", "/desk/stories/{edition}", "/desk/stories/{edition}/facts", "/desk/stories/{edition}/lead", "/desk/stories/{edition}/write", "/desk/stories/{edition}/comments",
	"/desk/stories/{edition}/revisions/{seq}", "/desk/stories/{edition}/translate/{original}", "/desk/stories/{edition}/draft", "/desk/stories/{edition}/draft/diff",
	"/desk/plan", "/desk/plan/calendar", "/desk/plan/work", "/desk/fronts/{front}/{lang}", "/desk/media", "/desk/media/{medium}", "/desk/media.json", "/desk/topics.json", "/desk/stories.json",
	"/desk/subjects", "/desk/subjects/{area}", "/desk/subjects/{area}/{subject}", "/desk/readers", "/desk/readers/{reader}", "/desk/readers/export", "/desk/readers/import",
	"/desk/wall", "/desk/wall/words", "/desk/wall/trial", "/desk/wall/lifts", "/desk/wall/why", "/desk/site/settings", "/desk/site/look", "/desk/site/languages", "/desk/site/menus/{menu}",
	"/desk/site/redirects", "/desk/site/redirects/export", "/desk/site/redirects/import", "/desk/people", "/desk/people/{person}", "/desk/people/audit", "/desk/people/audit/export",
	"/desk/people/tokens", "/desk/people/webhooks", "/desk/people/webhooks/{hook}", "/desk/me",
}

// report says what took hostile text and where it was seen, and fails where a
// place is not reached any more.
func (c *hostile) report() {
	c.Helper()
	places := map[string]int{}
	for _, at := range c.seen {
		for kind := range at {
			places[kind]++
		}
	}
	c.Logf("%d texts were sent; %d fields took one", c.n, len(c.took))
	if len(c.took) < 120 {
		c.Errorf("only %d fields took a text: %q", len(c.took), slices.Sorted(maps.Keys(c.took)))
	}
	for _, label := range slices.Sorted(maps.Keys(c.never)) {
		if !c.took[label] {
			c.Logf("refused every text: %s", label)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(c.shut)) {
		c.Logf("was never sent off: %s: %s", key, c.shut[key])
	}
	for _, kind := range slices.Sorted(maps.Keys(places)) {
		c.Logf("seen on %s: %d", kind, places[kind])
	}
	for _, kind := range shown {
		if places[kind] == 0 {
			c.Errorf("no text was seen on %s", kind)
		}
	}
	for _, r := range c.Routes() {
		method, path, _ := strings.Cut(r.Pattern, " ")
		if (method == "GET" && c.read[path] == 0 || method == "POST" && c.sent[path] == 0) && !beside.MatchString(r.Pattern) {
			c.Errorf("%s was not reached", r.Pattern)
		}
	}
}

// TestInertReader gives what must be found to the reader that finds it.
func TestInertReader(t *testing.T) {
	for _, one := range []struct {
		kind, body string
		harm       bool
	}{
		{"text/html", `<p title="&quot;&gt;&lt;zzmark&gt;">zz0001zz &lt;script&gt;</p><script type="application/json">{"a":"\u003c/script>"}</script><a href="https://quay.example/">x</a>`, false},
		{"text/html", `<p>` + rungs[0], true},
		{"text/html", `<p><zzmark>`, true},
		{"text/html", `<p onclick="x">`, true},
		{"text/html", `<p style="color:red">`, true},
		{"text/html", `<style>.zz0001zz{}</style>`, true},
		{"text/html", `<script>zzmark()</script>`, true},
		{"text/html", `<script src="https://evil.example/x.js"></script>`, true},
		{"text/html", `<script type="application/json">{"a":"<!--<script>"}</script>`, true},
		{"text/html", `<script type="application/ld+json">{"a":"</script>"}</script>`, true},
		{"text/html", "<a href=' java\nscript:x'>", true},
		{"text/html", `<form action="javascript:x"><button formaction="javascript:x">`, true},
		{"text/html", `<iframe src="data:text/html,x"></iframe>`, true},
		{"text/html", `<base href="https://evil.example/">`, true},
		{"text/html", `<a href="#ZgotmplZ">`, true},
		{"application/rss+xml", `<rss><description>&amp;lt;img onerror=x&amp;gt;</description><link>https://quay.example/</link></rss>`, false},
		{"application/rss+xml", `<rss><description>&lt;img onerror=x&gt;</description></rss>`, true},
		{"application/rss+xml", `<rss><link>javascript:x</link></rss>`, true},
		{"application/rss+xml", `<rss><title></rss>`, true},
		{"application/feed+json", `{"items":[{"content_html":"<p>x","url":"https://quay.example/"}]}`, false},
		{"application/feed+json", `{"items":[{"content_html":"<p onclick=x>"}]}`, true},
		{"application/json", `{"a":`, true},
		{"text/csv", "a,b\n'=1,x\n", false},
		{"text/csv", "a,b\n=1,x\n", true},
		{"image/svg+xml", "<svg/>", true},
	} {
		w := httptest.NewRecorder()
		w.Header().Set("Content-Type", one.kind+"; charset=utf-8")
		w.WriteString(one.body)
		if faults, _, _ := readAnswer(w); (len(faults) > 0) != one.harm {
			t.Errorf("%s %s: %q", one.kind, one.body, faults)
		}
	}
	for _, to := range []string{"javascript:x", "https://evil.example/", "//evil.example/"} {
		w := httptest.NewRecorder()
		w.Header().Set("Location", to)
		if faults, _, _ := readAnswer(w); len(faults) == 0 {
			t.Errorf("a way to %s is no fault", to)
		}
	}
}
