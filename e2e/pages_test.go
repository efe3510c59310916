package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strings"
	"sync"
	"testing"

	"masthead/internal/language"
)

// kind is one type of page, for one sort of visitor.
type kind struct {
	name    string
	path    string
	cookies string // of who reads it
	status  int
	noIndex bool // kept out of search engines by design
}

// people are the visitors that see the pages, by their cookies.
type people struct {
	spent   string // has read his free stories
	reader  string // is registered, and has given a story away
	pending string // has asked for a letter
	link    string // path of the link in that letter, without its language
}

var (
	visitors     people
	visitorsOnce sync.Once
)

// thePeople makes each of them, once for the demo.
func thePeople(t testing.TB) *people {
	t.Helper()
	p := &visitors
	visitorsOnce.Do(func() {
		spent := newTab(t, demo)
		for _, slug := range []string{"grain-harvest", "southline-winter", "nurses"} {
			spent.open(demo.story(t, "en", slug))
		}
		p.spent = spent.cookies()
		reader := newTab(t, demo)
		reader.register("resident@reader.example")
		p.reader = reader.cookies()
		pending := newTab(t, demo)
		pending.open("/register")
		pending.fill("#email", "pending@reader.example")
		pending.click(".form button[type=submit]")
		p.pending = pending.cookies()
		_, link, _ := pending.letter("pending@reader.example")
		p.link = strings.TrimPrefix(link, demo.URL)
	})
	if p.link == "" {
		t.Fatal("the visitors could not be made; see the first test that needed them")
	}
	return p
}

// openStory is free for everybody, wallStory metered, in each language that the
// demo's furniture speaks.
var (
	openStory = map[string]string{"en": "treaty-explainer", "ar": "treaty-explainer", "fr": "treaty-explainer", "he": "askavel-freed", "ru": "askavel-freed"}
	searchFor = map[string]string{"en": "river", "ar": "الماء", "he": "המים", "ru": "воды", "fr": "eau"}
)

const wallStory = "hesten-ruling"

// kinds gives every type of page in a language.
func kinds(t testing.TB, lang string) []kind {
	t.Helper()
	p := thePeople(t)
	at := func(path string) string {
		if lang != "en" {
			return "/" + lang + path
		}
		return path
	}
	wall := demo.story(t, lang, wallStory)
	return []kind{
		{name: "front", path: at("/")},
		{name: "section", path: at("/influence/")},
		{name: "section-within", path: at("/diplomacy/")},
		{name: "topic", path: at("/topic/water-sharing/")},
		{name: "author", path: at("/author/mara-tennick/")},
		{name: "story-open", path: demo.story(t, lang, openStory[lang])},
		{name: "story-meter", path: wall},
		{name: "story-wall", path: wall, cookies: p.spent},
		{name: "story-reader", path: wall, cookies: p.reader},
		{name: "archive", path: at("/archive/")},
		{name: "archive-month", path: path.Dir(path.Clean(wall)) + "/"},
		{name: "search", path: at("/search?q=" + searchFor[lang]), noIndex: true},
		{name: "search-nothing", path: at("/search?q=zzzzzz"), noIndex: true},
		{name: "register", path: at("/register"), noIndex: true},
		{name: "signin", path: at("/signin"), noIndex: true},
		{name: "code", path: at("/signin/code"), cookies: p.pending, noIndex: true},
		{name: "confirm", path: at(p.link), noIndex: true},
		{name: "account", path: at("/account"), cookies: p.reader, noIndex: true},
		{name: "about", path: at("/about/")},
		{name: "privacy", path: at("/privacy/")},
		{name: "not-found", path: at("/there/is/no/such/page"), status: http.StatusNotFound, noIndex: true},
		{name: "gone", path: goneIn(t, lang), status: http.StatusGone, noIndex: true},
	}
}

// goneIn gives the path of a page that is gone: the withdrawn story in English,
// a link of a letter that is used up in other languages.
func goneIn(t testing.TB, lang string) string {
	if lang == "en" {
		return path.Join(path.Dir(path.Clean(demo.story(t, "en", "snow-survey"))), "..", "05", withdrawnStory) + "/"
	}
	return "/" + lang + "/signin/confirm?token=used-up"
}

// story gives the path of a story by its language and the last part of its address.
func (n *newsroom) story(t testing.TB, lang, slug string) string {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.paths[lang+slug] == "" {
		_, _, months := n.get(t, "/sitemap.xml", "")
		for _, address := range between(months, "<loc>", "</loc>") {
			_, _, list := n.get(t, strings.TrimPrefix(address, n.URL), "")
			for _, loc := range between(list, "<loc>", "</loc>") {
				p := strings.TrimPrefix(loc, n.URL)
				first, _, _ := strings.Cut(strings.TrimPrefix(p, "/"), "/")
				if _, known := openStory[first]; !known {
					first = "en"
				}
				n.paths[first+path.Base(p)] = p
			}
		}
	}
	if n.paths[lang+slug] == "" {
		t.Fatalf("no sitemap names the story %s in %s", slug, lang)
	}
	return n.paths[lang+slug]
}

// between gives what stands between two marks, each time.
func between(s, before, after string) (all []string) {
	for {
		_, rest, ok := strings.Cut(s, before)
		part, rest, closed := strings.Cut(rest, after)
		if !ok || !closed {
			return all
		}
		all, s = append(all, part), rest
	}
}

// axeFindings is what axe-core gives of a page.
type axeFindings struct {
	Violations []struct {
		ID, Impact, Help string
		Nodes            []struct {
			Target         []json.RawMessage
			HTML           string
			FailureSummary string
		}
	}
	Passes int
}

// overflow tells what stands out of the window sideways; "" for nothing. What
// scrolls in a box of its own is no fault.
const overflow = `(() => {
	const width = document.documentElement.clientWidth;
	if (document.documentElement.scrollWidth <= width && document.body.scrollWidth <= width) return "";
	const boxed = e => { for (e = e.parentElement; e && e !== document.body; e = e.parentElement) if (/auto|scroll|hidden|clip/.test(getComputedStyle(e).overflowX)) return true; return false; };
	return [...document.querySelectorAll("body *")].filter(e => { const r = e.getBoundingClientRect(); return r.width > 0 && (r.right > width + 1 || r.left < -1) && !boxed(e); })
		.slice(0, 3).map(e => e.tagName.toLowerCase() + (e.className ? "." + e.className : "") + " in ." + e.parentElement.className + " “" + e.textContent.trim().slice(0, 40) + "”").join(", ") || "something";
})()`

// TestPages opens every type of page in a language of each direction, and holds
// it to axe-core in light and dark on phone and desk, and to its window's width
// at every size and with letters of twice the size.
func TestPages(t *testing.T) {
	t.Parallel() // with the other checks, which wait as much as they work
	source := readTool(t, "axe-core/axe.min.js")
	for _, lang := range []string{"en", "ar", "he"} {
		t.Run(lang, func(t *testing.T) {
			for _, k := range kinds(t, lang) {
				t.Run(k.name, func(t *testing.T) {
					b := newTab(t, demo)
					b.be(k.cookies)
					b.size(390, 844)
					if status := b.open(k.path); status != max(k.status, http.StatusOK) {
						t.Fatalf("%s answers %d", k.path, status)
					}
					if got, want := eval[string](b, "document.documentElement.dir+' '+document.documentElement.lang"), language.Dir(lang)+" "+lang; got != want {
						t.Errorf("the page is %s, not %s", got, want)
					}
					for _, width := range []int64{360, 390, 768, 1280} {
						b.size(width, 844)
						if wide := eval[string](b, overflow); wide != "" {
							t.Errorf("at %d px it scrolls sideways: %s", width, wide)
						}
						b.fontSize(32)
						if wide := eval[string](b, overflow); wide != "" {
							t.Errorf("at %d px and twice the letters' size it scrolls sideways: %s", width, wide)
						}
						b.fontSize(16)
					}
					eval[any](b, source+"; null")
					for _, width := range []int64{390, 1280} {
						b.size(width, 844)
						for _, scheme := range []string{"light", "dark"} {
							b.scheme(scheme)
							checkAxe(t, b, fmt.Sprintf("%d px, %s", width, scheme))
						}
					}
				})
			}
		})
	}
}

func checkAxe(t *testing.T, b *tab, where string) {
	t.Helper()
	var found axeFindings
	text := eval[string](b, `axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify({Violations: r.violations, Passes: r.passes.length}))`)
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		t.Fatal(err)
	}
	if found.Passes < 5 {
		t.Errorf("%s: axe looked at %d rules only", where, found.Passes)
	}
	for _, v := range found.Violations {
		for _, n := range v.Nodes[:min(3, len(v.Nodes))] {
			t.Errorf("%s: axe %s (%s): %s at %s\n%s\n%s", where, v.ID, v.Impact, v.Help, n.Target, n.HTML, n.FailureSummary)
		}
	}
}
