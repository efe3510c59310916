package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"masthead/internal/desk"
	"masthead/internal/language"
)

// colleague adds somebody to a served newsroom, signs him in and gives his cookies.
func (n *newsroom) colleague(t *testing.T, email, role, name string) (cookies string) {
	t.Helper()
	out := command(t, "staff", "add", email, "--role", role, "--name", name, "--dir", n.folder)
	m := regexp.MustCompile(`token=(\S+)`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("there is no link in %s", out)
	}
	r := n.send(t, "/desk/signin", "", url.Values{"token": {m[1]}})
	for _, c := range r.Cookies() {
		cookies += c.Name + "=" + c.Value + "; "
	}
	return strings.TrimSuffix(cookies, "; ")
}

// send sends a form as a browser without scripts would, and expects it to be taken.
func (n *newsroom) send(t testing.TB, path, cookies string, fields url.Values) *http.Response {
	t.Helper()
	q, err := http.NewRequest(http.MethodPost, n.URL+path, strings.NewReader(fields.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	q.Header.Set("Cookie", cookies)
	r, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode >= http.StatusBadRequest {
		t.Fatalf("POST %s = %d", path, r.StatusCode)
	}
	return r
}

// deskPages gives the address of every page of the desk, by the pattern of its
// route. A pattern with wildcards is filled by the first link to it that stands
// on the pages before, or on more of them, so that a page nobody can reach is
// found missing.
func deskPages(t testing.TB, n *newsroom, cookies string, more ...string) (pages map[string]string) {
	t.Helper()
	pages = map[string]string{}
	var open []string
	for _, route := range (&desk.Desk{}).Routes() {
		if pattern, is := strings.CutPrefix(route.Pattern, "GET "); is && !route.JSON && !strings.HasSuffix(pattern, "/export") {
			open = append(open, pattern)
		}
	}
	if len(open) < 40 {
		t.Fatalf("the desk has %d pages only", len(open))
	}
	slices.SortFunc(open, func(a, b string) int { return strings.Count(a, "{") - strings.Count(b, "{") })
	var links []string
	visit := func(pattern, path string) {
		status, header, body := n.get(t, path, cookies)
		if to := header.Get("Location"); to != "" {
			links = append(links, to)
			return // what only leads on is no page
		}
		if status != http.StatusOK {
			t.Errorf("%s = %d", path, status)
		}
		if strings.HasPrefix(header.Get("Content-Type"), "text/html") {
			pages[pattern] = path
			for _, link := range between(body, `href="`, `"`) {
				links = append(links, strings.ReplaceAll(link, "&amp;", "&"))
			}
		}
	}
	wildcard := regexp.MustCompile(`\\\{[a-z]+(\\\.)*\\\}`)
	for round := 0; len(open) > 0; round++ {
		var left []string
		if round == 1 {
			for _, path := range more {
				visit(path, path)
			}
		}
		for _, pattern := range open {
			path, found := strings.TrimSuffix(pattern, "{$}"), true
			if strings.Contains(path, "{") {
				like := regexp.MustCompile(`^` + wildcard.ReplaceAllString(regexp.QuoteMeta(path), `[^/?#]+`) + `([?#].*)?$`)
				at := slices.IndexFunc(links, func(l string) bool { return like.MatchString(l) && !slices.Contains(open, l) })
				if found = at >= 0; found {
					path = links[at]
				}
			}
			if !found {
				left = append(left, pattern)
				continue
			}
			visit(pattern, path)
		}
		if len(left) == len(open) {
			t.Fatalf("no page of the desk leads to %q", left)
		}
		open = left
	}
	return pages
}

// TestDeskPages holds every page of the desk to axe-core and to its window's
// width: in a language of each direction, on phone and desk, in light and dark.
func TestDeskPages(t *testing.T) {
	axe := readTool(t, "axe-core/axe.min.js")
	owner := demo.colleague(t, "pages@masthead.example", "owner", "Noa Lind")
	begun := demo.send(t, "/desk/stories", owner, url.Values{"headline": {"A ferry that nobody ordered"}, "lang": {"en"}, "as": {"draft"}}).Header.Get("Location")
	begun, _, _ = strings.Cut(begun, "?")
	begun = strings.TrimSuffix(begun, "/write")
	demo.send(t, "/desk/people/webhooks", owner, url.Values{"url": {"https://hooks.example/masthead"}, "about": {"The printers"}, "event": {"story.published"}})
	translated := demo.send(t, begun+"/editions", owner, url.Values{"lang": {"ar"}}).Header.Get("Location")
	translated, _, _ = strings.Cut(translated, "?")
	pages := deskPages(t, demo, owner, translated, translated+"/write")
	for name, path := range map[string]string{
		"story-begun":    begun,
		"calendar-week":  "/desk/plan/calendar?week=2026-11-23",
		"work-all":       "/desk/plan/work?of=all",
		"stories-none":   "/desk/?q=zzzzzz",
		"no-such-room":   "/desk/nowhere",
		"corrections":    "/corrections/",
		"corrections-ar": "/ar/corrections/",
	} {
		pages[name] = path
	}
	names := make([]string, 0, len(pages))
	for name := range pages {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, as := range []struct {
		lang, scheme string
		width        int64
		every        int
	}{{"en", "light", 1280, 1}, {"ar", "dark", 390, 1}, {"he", "light", 1280, 3}, {"en", "dark", 390, 3}} {
		t.Run(fmt.Sprintf("%s-%d-%s", as.lang, as.width, as.scheme), func(t *testing.T) {
			t.Parallel()
			b := newTab(t, demo)
			b.be(owner)
			b.size(as.width, 900)
			b.scheme(as.scheme)
			b.prefers(as.lang)
			for i, name := range names {
				if i%as.every != 0 {
					continue
				}
				path := pages[name]
				want := http.StatusOK
				if name == "no-such-room" {
					want = http.StatusNotFound
				}
				if status := b.open(path); status != want {
					t.Errorf("%s = %d", path, status)
					continue
				}
				if got := eval[string](b, "document.documentElement.lang"); strings.HasPrefix(path, "/desk") && (got != as.lang || eval[string](b, "document.documentElement.dir") != language.Dir(as.lang)) {
					t.Errorf("%s is in %s", path, got)
				}
				if wide := eval[string](b, overflow); wide != "" {
					t.Errorf("%s (%s) scrolls sideways: %s", name, path, wide)
				}
				eval[any](b, axe+"; null")
				checkAxe(t, b, name+" ("+path+")")
				b.shoot(name, fmt.Sprintf("%s-%d", as.lang, as.width), as.width)
			}
		})
	}
}

// shoot takes a picture of the page as it stands, where pictures are asked for.
func (b *tab) shoot(name, as string, width int64) {
	b.t.Helper()
	if *deskPictures == "" {
		return
	}
	b.settle()
	b.size(width, min(2600, eval[int64](b, "document.documentElement.scrollHeight")))
	shot, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		name = strings.Trim(strings.NewReplacer("/desk/", "", "/", "-", "{", "", "}", "", "$", "").Replace(name), "-")
		err = os.WriteFile(filepath.Join(*deskPictures, name+"-"+as+".png"), shot, 0o644)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	b.size(width, 900)
}
