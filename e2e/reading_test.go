package e2e

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"

	"masthead/internal/language"
)

// TestFromTheMeterToTheRest reads as a stranger does: three free stories,
// the wall, the code from the letter, and on from the very paragraph.
func TestFromTheMeterToTheRest(t *testing.T) {
	for _, c := range []struct {
		name, lang string
		scripts    bool
		free       []string
		walled     string
	}{
		{"English", "en", true, []string{"hesten-ruling", "shallow-barges", "sarrat-refinery"}, "wind-grid-fee"},
		{"English without scripts", "en", false, []string{"nurses", "grain-harvest", "southline-winter"}, "hesten-ruling"},
		{"Arabic", "ar", true, []string{"interests-act", "bread-dar-mina", "sarel-night-water"}, "hesten-ruling"},
		{"Arabic without scripts", "ar", false, []string{"hesten-ruling", "interests-act", "sarel-night-water"}, "bread-dar-mina"},
	} {
		t.Run(c.name, func(t *testing.T) {
			full := bodyOf(t, demo.story(t, c.lang, c.walled), thePeople(t).reader)
			b := newTab(t, demo)
			b.size(390, 844)
			if !c.scripts {
				b.withoutScripts()
			}
			if b.open(demo.story(t, c.lang, c.free[0])); b.cookies() == "" {
				t.Error("no meter is kept")
			}
			for i, slug := range c.free {
				path := demo.story(t, c.lang, slug)
				b.open(path)
				if b.has("#wall") || !b.has(".meter") {
					t.Fatalf("story %d of %d: a wall, or no meter", i+1, len(c.free))
				}
			}
			f := language.Get(c.lang)
			if got, want := b.text(".meter p"), f.T("meter.last_month"); !strings.Contains(got, want) {
				t.Errorf("the last free story says %q, not %q", got, want)
			}
			if b.open(demo.story(t, c.lang, c.free[0])); b.has("#wall") {
				t.Error("a story that was counted is not free to read again")
			}

			status := b.open(demo.story(t, c.lang, c.walled))
			if status != http.StatusOK || !b.has("#wall") || b.text("#wall h2") != f.T("wall.meter.title") {
				t.Fatalf("no wall of the meter: status %d, %q", status, b.text("#wall h2"))
			}
			if dir := eval[string](b, "document.documentElement.dir"); dir != language.Dir(c.lang) {
				t.Errorf("the page runs %s", dir)
			}
			seen := b.html()
			shown, withheld := 0, 0
			for _, paragraph := range full {
				switch {
				case strings.Contains(fold(seen), paragraph):
					shown++
				default:
					withheld++
				}
			}
			if shown == 0 || withheld == 0 {
				t.Fatalf("%d paragraphs are shown and %d withheld", shown, withheld)
			}
			next := eval[string](b, `decodeURI(document.querySelector(".wall-form [name=next]").value)`)
			mark := regexp.MustCompile(`#p\d+$`).FindString(next)
			if mark == "" {
				t.Fatalf("the wall leads back to %q, not to a paragraph", next)
			}

			email := strings.ReplaceAll(strings.ToLower(c.name), " ", "-") + "@reader.example"
			b.fill("#wall-email", email)
			b.click(".wall-form button[type=submit]")
			if got, want := b.path(), "/signin/code"; !strings.HasSuffix(got, want) || eval[string](b, "document.documentElement.lang") != c.lang {
				t.Fatalf("after the wall comes %s, not %s in %s", got, want, c.lang)
			}
			_, _, code := b.letter(email)
			b.fill("#code", code)
			b.click(".form button[type=submit]")

			if got := b.path(); got != next {
				t.Fatalf("the reader lands at %s, not at %s", got, next)
			}
			if !b.has(".body " + mark + ":target") {
				t.Errorf("%s is no paragraph, or not the page's target", mark)
			}
			if at := b.top(mark); at < 0 || at > 844 {
				t.Errorf("the paragraph where the wall stood is %.0f px from the window's top", at)
			}
			read := fold(b.html())
			if b.has("#wall") {
				t.Error("the wall still stands")
			}
			for i, paragraph := range full {
				if !strings.Contains(read, paragraph) {
					t.Errorf("paragraph %d is missing for a registered reader: %.60s", i+1, paragraph)
				}
			}
			if c.scripts == false {
				return
			}
			for _, k := range call(b, network.GetCookies, network.GetCookiesParams{URLs: []string{demo.URL}}).Cookies {
				if !k.HTTPOnly || k.SameSite != network.CookieSameSiteLax {
					t.Errorf("the cookie %s is HttpOnly %v, SameSite %q", k.Name, k.HTTPOnly, k.SameSite)
				}
			}
		})
	}
}

var (
	paragraphForm = regexp.MustCompile(`(?s)<p id="p\d+"[^>]*>(.*?)</p>`)
	tagForm       = regexp.MustCompile(`<[^>]*>`)
)

// bodyOf gives the paragraphs of a story, as HTML without tags.
func bodyOf(t *testing.T, path, cookies string) (paragraphs []string) {
	t.Helper()
	status, _, page := demo.get(t, path, cookies)
	for _, m := range paragraphForm.FindAllStringSubmatch(page, -1) {
		paragraphs = append(paragraphs, fold(m[1]))
	}
	if status != http.StatusOK || len(paragraphs) < 5 {
		t.Fatalf("%s: status %d, %d paragraphs", path, status, len(paragraphs))
	}
	return paragraphs
}

// fold takes tags out and makes entities alike, so that what was sent and what
// the browser holds can be compared.
func fold(s string) string {
	s = tagForm.ReplaceAllString(s, "")
	for _, pair := range [][2]string{{"&#39;", "'"}, {"&#34;", `"`}, {"&quot;", `"`}, {"&nbsp;", "\u00a0"}} {
		s = strings.ReplaceAll(s, pair[0], pair[1])
	}
	return strings.Join(strings.Fields(s), " ")
}

// TestTheLinkNeedsItsButton opens the letter's link as a mail scanner does,
// twice: nobody is registered by it. The button registers.
func TestTheLinkNeedsItsButton(t *testing.T) {
	const email = "scanned@reader.example"
	b := newTab(t, demo)
	b.open("/register")
	b.fill("#email", email)
	b.fill("#name", "Ada")
	b.click(".form button[type=submit]")
	_, link, _ := b.letter(email)
	path := strings.TrimPrefix(link, demo.URL)
	for range 2 {
		status, header, body := demo.get(t, path, "")
		if status != http.StatusOK || !strings.Contains(body, `action="/signin/confirm"`) {
			t.Fatalf("the link answers %d", status)
		}
		if c := header.Values("Set-Cookie"); len(c) > 0 {
			t.Errorf("a scanner gets the cookies %q", c)
		}
	}
	if status := b.open("/account"); status != http.StatusOK || !strings.HasPrefix(b.path(), "/signin") {
		t.Errorf("before the button the account is at %s (%d)", b.path(), status)
	}

	other := newTab(t, demo) // the letter may be read on another device
	other.open(link)
	other.click(".form button[type=submit]")
	if other.open("/account"); !strings.Contains(other.text(".list-head"), email) {
		t.Fatalf("after the button the account is at %s", other.path())
	}
	if got := eval[string](other, `document.querySelector("#name").value`); got != "Ada" {
		t.Errorf("the reader is called %q", got)
	}
	if status := newTab(t, demo).open(link); status != http.StatusGone {
		t.Errorf("the link answers %d when it is used up", status)
	}
}
