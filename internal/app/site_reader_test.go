package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestRegister registers at the wall and returns to the very paragraph.
func TestRegister(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *room) {
		b := r.visitor()
		wall := b.page(r.path("for-readers"))
		next := regexp.MustCompile(`name="next" value="([^"]+)"`).FindStringSubmatch(wall)
		if next == nil || next[1] != r.path("for-readers")+"#p4" {
			t.Fatalf("the wall returns to %q, want the fourth paragraph", next)
		}
		a := b.post("/register", url.Values{"email": {"Mira@Example.org"}, "name": {"Mira"}, "newsletter": {"week", "no-such-list"}, "next": {next[1]}})
		if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/signin/code" {
			t.Fatalf("POST /register = %d, to %s", a.StatusCode, a.Header.Get("Location"))
		}
		if r.count(`SELECT COUNT(*) FROM reader`) != 0 {
			t.Error("there is an account before the letter was answered")
		}
		has(t, "the page of the code", b.page("/signin/code"), "Mira@Example.org", "/dev/mail")
		l := r.newest("Mira@example.org")
		if l.code == "" || !strings.HasPrefix(l.link, "/signin/confirm?token=") {
			t.Fatalf("the letter holds the code %q and the link %q", l.code, l.link)
		}
		a = b.post("/signin/code", url.Values{"code": {" " + strings.ReplaceAll(l.code, " ", " - ") + " "}})
		if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != next[1] {
			t.Fatalf("the right code = %d, to %s; want %s", a.StatusCode, a.Header.Get("Location"), next[1])
		}
		if c := b.set["reader"]; c == nil || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.MaxAge < 3600 {
			t.Errorf("the session's cookie: %+v", c)
		}
		if b.cookies["signin"] != "" {
			t.Error("the sign-in's cookie is still there")
		}
		whole := b.page(r.path("for-readers"))
		has(t, "the story", whole, append(kept("for-readers", "en"), `id="p4"`)...)
		account := b.page("/account")
		has(t, "the account", account, "Mira@Example.org", `value="Mira"`, "Firefox on Linux")
		if n := r.count(`SELECT COUNT(*) FROM reader_newsletter WHERE newsletter = 'week'`); n != 1 {
			t.Errorf("the newsletter was chosen %d times, want 1", n)
		}
		if n := r.count(`SELECT COUNT(*) FROM reader_newsletter`); n != 1 {
			t.Errorf("%d newsletters were chosen, want 1: what is no list is none", n)
		}
		// Who is signed in is not asked again.
		for _, path := range []string{"/register", "/signin"} {
			if a := b.get(path); a.Header.Get("Location") != "/account" {
				t.Errorf("GET %s of a reader leads to %q", path, a.Header.Get("Location"))
			}
		}
		// The code is good once.
		if a := b.post("/signin/code", url.Values{"code": {l.code}}); a.Header.Get("Location") != "/signin" {
			t.Errorf("the code again = %d, to %q", a.StatusCode, a.Header.Get("Location"))
		}
		if n := r.count(`SELECT COUNT(*) FROM session`); n != 1 {
			t.Errorf("there are %d sessions, want 1", n)
		}
	})
}

// TestReturn registers with addresses to return to that lead elsewhere.
func TestReturn(t *testing.T) {
	r := newRoom(t, "", nil)
	for i, test := range []struct{ next, want string }{
		{"/ar/2026/11/x/#p3", "/ar/2026/11/x/#p3"},
		{"/search?q=a+b", "/search?q=a+b"},
		{"https://evil.example/", "/account"},
		{"//evil.example/", "/account"},
		{`/\evil.example/`, "/account"},
		{"javascript:alert(1)", "/account"},
		{"/\t/evil.example", "/account"},
		{"", "/account"},
	} {
		email := fmt.Sprintf("next%d@example.org", i)
		b := r.visitor()
		b.post("/signin", url.Values{"email": {email}, "next": {test.next}})
		a := b.post("/signin/code", url.Values{"code": {r.newest(email).code}})
		if got := a.Header.Get("Location"); got != test.want {
			t.Errorf("returning to %q leads to %q, want %q", test.next, got, test.want)
		}
	}
}

// TestLink signs in by the letter's link, and shows that a scanner of letters spoils nothing.
func TestLink(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *room) {
		b := r.visitor()
		b.post("/ar/register", url.Values{"email": {"link@example.org"}, "next": {r.path("for-readers") + "#p4"}})
		l := r.newest("link@example.org")
		if !strings.HasPrefix(l.link, "/ar/signin/confirm?token=") {
			t.Fatalf("the letter's link is %q, want one in the reader's language", l.link)
		}
		scanner := r.visitor()
		for range 2 {
			a := scanner.get(l.link)
			if a.StatusCode != http.StatusOK || len(a.Cookies()) != 0 || a.Header.Get("Referrer-Policy") != "no-referrer" || a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("the link's page = %d, cookies %v, %s, %s", a.StatusCode, a.Cookies(), a.Header.Get("Referrer-Policy"), a.Header.Get("Cache-Control"))
			}
			has(t, "the link's page", a.body, "<button", `dir="rtl"`, `action="/ar/signin/confirm"`)
			hasNot(t, "the link's page", a.body, "link@example.org")
		}
		scanner.send(http.MethodHead, l.link, nil)
		if r.count(`SELECT COUNT(*) FROM reader`) != 0 || r.count(`SELECT COUNT(*) FROM session`) != 0 {
			t.Error("opening the link made an account")
		}
		token, err := url.QueryUnescape(strings.TrimPrefix(l.link, "/ar/signin/confirm?token="))
		if err != nil {
			t.Fatal(err)
		}
		phone := r.visitor() // the letter may be read elsewhere than it was asked for
		a := phone.post("/ar/signin/confirm", url.Values{"token": {token}})
		if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != r.path("for-readers")+"#p4" || phone.cookies["reader"] == "" {
			t.Fatalf("the button = %d, to %q", a.StatusCode, a.Header.Get("Location"))
		}
		for name, a := range map[string]answer{"the link again": r.visitor().get(l.link), "the button again": r.visitor().post("/signin/confirm", url.Values{"token": {token}})} {
			if a.StatusCode != http.StatusGone || len(a.Cookies()) != 0 {
				t.Errorf("%s = %d, cookies %v; want 410", name, a.StatusCode, a.Cookies())
			}
		}
		// The code of a letter whose link was used is over.
		if a := b.post("/signin/code", url.Values{"code": {l.code}}); a.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("the code after the link = %d, want 422", a.StatusCode)
		}
		// A letter is good for ten minutes.
		b.post("/register", url.Values{"email": {"late@example.org"}})
		late := r.newest("late@example.org")
		r.exec(`UPDATE signin SET expires_at = expires_at - 660000000`)
		if a := r.visitor().get(late.link); a.StatusCode != http.StatusGone {
			t.Errorf("a link of eleven minutes = %d, want 410", a.StatusCode)
		}
		if a := b.post("/signin/code", url.Values{"code": {late.code}}); a.StatusCode != http.StatusUnprocessableEntity || b.cookies["reader"] != "" {
			t.Errorf("a code of eleven minutes = %d, want 422", a.StatusCode)
		}
	})
}

// TestCode tries codes that are wrong, and those of others.
func TestCode(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *room) {
		b := r.visitor()
		b.post("/register", url.Values{"email": {"code@example.org"}})
		l := r.newest("code@example.org")
		right := strings.ReplaceAll(l.code, " ", "")
		n, _ := strconv.Atoi(right)
		wrong := fmt.Sprintf("%06d", (n+1)%1000000)

		// Another browser's sign-in does not take this code, and cannot take this sign-in over.
		thief := r.visitor()
		thief.post("/register", url.Values{"email": {"thief@example.org"}})
		if a := thief.post("/signin/code", url.Values{"code": {right}}); a.StatusCode != http.StatusUnprocessableEntity || thief.cookies["reader"] != "" {
			t.Errorf("another's code = %d, want 422", a.StatusCode)
		}
		value, mac, _ := strings.Cut(b.cookies["signin"], ".")
		for _, forged := range []string{value, value + "." + mac[1:] + "A", value + ".", thief.cookies["signin"][:20] + "." + mac} {
			f := r.visitor()
			f.cookies["signin"] = forged
			if a := f.post("/signin/code", url.Values{"code": {right}}); a.Header.Get("Location") != "/signin" {
				t.Errorf("a forged sign-in = %d, to %q", a.StatusCode, a.Header.Get("Location"))
			}
		}
		if a := r.visitor().post("/signin/code", url.Values{"code": {right}}); a.Header.Get("Location") != "/signin" {
			t.Errorf("the right code of a browser without a sign-in = %d", a.StatusCode)
		}
		// What is no code costs no try; the fifth wrong one ends it.
		for _, text := range []string{"", "12345", "abcdef", "1234567"} {
			if a := b.post("/signin/code", url.Values{"code": {text}}); a.StatusCode != http.StatusUnprocessableEntity {
				t.Errorf("the code %q = %d, want 422", text, a.StatusCode)
			}
		}
		for i := range 5 {
			if a := b.post("/signin/code", url.Values{"code": {wrong}}); a.StatusCode != http.StatusUnprocessableEntity {
				t.Errorf("wrong code %d = %d, want 422", i+1, a.StatusCode)
			}
		}
		if a := b.post("/signin/code", url.Values{"code": {right}}); a.StatusCode != http.StatusUnprocessableEntity || b.cookies["reader"] != "" {
			t.Errorf("the right code after five wrong ones = %d, want 422", a.StatusCode)
		}
		// The link of the same letter still does.
		_, token, _ := strings.Cut(l.link, "token=")
		if a := r.visitor().post("/signin/confirm", url.Values{"token": {token}}); a.StatusCode != http.StatusSeeOther {
			t.Errorf("the link after five wrong codes = %d", a.StatusCode)
		}
	})
}

// TestNoEnumeration compares what a known and an unknown address are answered.
func TestNoEnumeration(t *testing.T) {
	onBoth(t, setting{"letters-per-address": "3"}, func(t *testing.T, r *room) {
		const known, unknown, trapped = "known1@example.org", "nobody@example.org", "robots@example.org" // of one length
		r.reader(known)
		type form struct{ path, email, website string }
		ask := func(f form) string {
			b := r.visitor()
			values := url.Values{"email": {f.email}}
			if f.website != "" {
				values.Set("website", f.website)
			}
			a := b.post(f.path, values)
			page := b.get("/signin/code")
			echo := strings.NewReplacer(f.email, "EMAIL", url.QueryEscape(f.email), "EMAIL")
			cookie := b.set["signin"]
			if cookie == nil {
				t.Fatalf("POST %s for %s sets no cookie", f.path, f.email)
			}
			return fmt.Sprintf("%d %s %d %d %v %v\n%d %s\n%s", a.StatusCode, a.Header.Get("Location"), len(a.body), len(cookie.Value), cookie.MaxAge, a.Header["Cache-Control"],
				page.StatusCode, page.Header.Get("Content-Type"), echo.Replace(page.body))
		}
		for _, path := range []string{"/register", "/signin"} {
			want := ask(form{path, known, ""})
			for _, f := range []form{{path, unknown, ""}, {path, trapped, "https://spam.example"}} {
				if got := ask(f); got != want {
					t.Errorf("POST %s answers %s as\n%s\nand %s as\n%s", path, f.email, got, known, want)
				}
			}
		}
		if n := len(r.letters(trapped)); n != 0 {
			t.Errorf("%d letters were sent to whom filled the field that nobody sees", n)
		}
		// Each got three letters by now, but the unknown one two: limits come to both alike.
		r.visitor().post("/register", url.Values{"email": {unknown}})
		for _, email := range []string{known, unknown} {
			a := r.visitor().post("/register", url.Values{"email": {email}})
			after, _ := strconv.Atoi(a.Header.Get("Retry-After"))
			if a.StatusCode != http.StatusTooManyRequests || after < 60 || after > 3600 {
				t.Errorf("the fourth letter to %s = %d, Retry-After %q", email, a.StatusCode, a.Header.Get("Retry-After"))
			}
			if n := len(r.letters(email)); n != 3 {
				t.Errorf("%s got %d letters, want 3", email, n)
			}
		}
		// In another spelling it is the same mailbox.
		if a := r.visitor().post("/register", url.Values{"email": {"KNOWN1@EXAMPLE.ORG"}}); a.StatusCode != http.StatusTooManyRequests {
			t.Errorf("the fourth letter in another spelling = %d, want 429", a.StatusCode)
		}
		r.exec(`UPDATE rate SET until = until - 3660000000`)
		if a := r.visitor().post("/register", url.Values{"email": {known}}); a.StatusCode != http.StatusSeeOther {
			t.Errorf("a letter an hour later = %d, want 303", a.StatusCode)
		}
	})
}

// TestNetworkLimit asks for letters to many addresses from one network.
func TestNetworkLimit(t *testing.T) {
	onBoth(t, setting{"letters-per-network": "3"}, func(t *testing.T, r *room) {
		ask := func(ip string, i int) answer {
			b := r.visitor()
			b.ip = ip
			return b.post("/register", url.Values{"email": {fmt.Sprintf("n%d@example.org", i)}})
		}
		for i, test := range []struct {
			ip     string
			status int
		}{
			{"203.0.113.5", 303}, {"203.0.113.77", 303}, {"203.0.113.200", 303}, {"203.0.113.9", 429}, {"203.0.114.9", 303},
			{"2001:db8:1:1::1", 303}, {"2001:db8:1:2::1", 303}, {"2001:db8:1:ffff::1", 303}, {"2001:db8:1::9", 429}, {"2001:db8:2::9", 303},
		} {
			a := ask(test.ip, i)
			if a.StatusCode != test.status {
				t.Errorf("letter %d, from %s = %d, want %d", i+1, test.ip, a.StatusCode, test.status)
			}
			if test.status == 429 && a.Header.Get("Retry-After") == "" {
				t.Errorf("letter %d is refused without Retry-After", i+1)
			}
		}
	})
}

// TestDisposable refuses the domains of a file.
func TestDisposable(t *testing.T) {
	domains := t.TempDir() + "/domains.txt"
	writeFile(t, domains, "# of a day\nmailinator.example\n")
	r := openRoom(t, settings(t, "", setting{"disposable-domains": domains}))
	r.fill()
	r.listen()
	for email, status := range map[string]int{"a@mailinator.example": 422, "a@sub.mailinator.example": 422, "a@MAILINATOR.example": 422, "a@example.org": 303} {
		if a := r.visitor().post("/register", url.Values{"email": {email}}); a.StatusCode != status {
			t.Errorf("registering %s = %d, want %d", email, a.StatusCode, status)
		}
	}
}

// TestSessions rotates sessions, lists them and ends them.
func TestSessions(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *room) {
		b := r.reader("session@example.org")
		first := b.cookies["reader"]
		b.page("/account")
		if b.cookies["reader"] != first {
			t.Error("a session of a moment is rotated")
		}
		r.exec(`UPDATE session SET rotated_at = rotated_at - 90000000000`) // 25 hours
		b.page("/account")
		if b.cookies["reader"] == first {
			t.Error("a session of a day is not rotated")
		}
		has(t, "the account after the rotation", b.page("/account"), "session@example.org")
		old := r.visitor()
		old.cookies["reader"] = first
		old.page("/account") // a request that was under way
		r.exec(`UPDATE session SET rotated_at = rotated_at - 120000000`)
		b.page("/account")
		if a := old.get("/account"); a.StatusCode != http.StatusSeeOther {
			t.Errorf("the old secret two minutes after the rotation = %d, want to sign in", a.StatusCode)
		}
		if _, ok := old.cookies["reader"]; ok {
			t.Error("a session that is over keeps its cookie")
		}

		second, third := r.reader("session@example.org"), r.reader("session@example.org")
		id, _, _ := strings.Cut(second.cookies["reader"], ".")
		thief := r.reader("other@example.org")
		if a := thief.post("/account/sessions", url.Values{"session": {id}}); a.StatusCode != http.StatusNotFound {
			t.Errorf("ending another's session = %d, want 404", a.StatusCode)
		}
		second.page("/account")
		b.post("/account/sessions", url.Values{"session": {id}})
		if a := second.get("/account"); a.StatusCode != http.StatusSeeOther {
			t.Errorf("a session that was ended = %d, want to sign in", a.StatusCode)
		}
		third.page("/account")
		b.post("/account/sessions", url.Values{"all": {"1"}})
		for name, s := range map[string]*browser{"this browser": b, "the third": third} {
			if a := s.get("/account"); a.StatusCode != http.StatusSeeOther {
				t.Errorf("after signing out everywhere, %s = %d, want to sign in", name, a.StatusCode)
			}
		}
		thief.page("/account")
		stale := r.visitor()
		stale.cookies["reader"] = thief.cookies["reader"]
		if a := thief.post("/signout", nil); a.StatusCode != http.StatusSeeOther || thief.cookies["reader"] != "" {
			t.Errorf("signing out = %d, cookie %q", a.StatusCode, thief.cookies["reader"])
		}
		if a := stale.get("/account"); a.StatusCode != http.StatusSeeOther {
			t.Errorf("the cookie after signing out = %d, want to sign in", a.StatusCode)
		}
		idle := r.reader("idle@example.org")
		r.exec(`UPDATE session SET seen_at = seen_at - 5270400000000`) // 61 days
		if a := idle.get("/account"); a.StatusCode != http.StatusSeeOther {
			t.Errorf("a session that was not used for 61 days = %d, want to sign in", a.StatusCode)
		}
	})
}

// TestAccount changes, exports and deletes an account.
func TestAccount(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *room) {
		b := r.reader("account@example.org")
		b.page(r.path("counted-one"))
		b.give("for-readers")
		if a := b.post("/account/profile", url.Values{"name": {"<b>Zoë</b>"}, "language": {"he"}}); a.Header.Get("Location") != "/account?done=saved" {
			t.Errorf("saving the profile = %d, to %s", a.StatusCode, a.Header.Get("Location"))
		}
		account := b.page("/account?done=saved")
		has(t, "the account", account, "&lt;b&gt;Zoë", `<option value="he" lang="he" selected>`, `role="status"`)
		hasNotRaw(t, "the account", account, "<b>Zoë")
		b.post("/account/newsletters", url.Values{"newsletter": {"morning", "no-such-list"}})
		has(t, "the account", b.page("/account"), "The morning")
		for name, form := range map[string]url.Values{
			"a language that is none": {"name": {"Z"}, "language": {"<script>"}}, "a name of a page": {"name": {strings.Repeat("x", 5000)}, "language": {"en"}},
		} {
			if a := b.post("/account/profile", form); a.StatusCode < 400 || a.StatusCode >= 500 {
				t.Errorf("%s = %d", name, a.StatusCode)
			}
		}

		a := b.get("/account/export")
		if a.Header.Get("Content-Type") != "application/json" || a.Header.Get("Content-Disposition") == "" || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("the export's headers: %v", a.Header)
		}
		var export struct {
			Email       string
			Name        string
			Language    string
			Newsletters []struct{ Newsletter string }
			Sessions    []struct{ Agent string }
			Letters     []struct{ Email string }
			Extra       struct {
				Stories []struct{ Story string } `json:"stories_counted"`
				Gifts   []struct{ Story string } `json:"gifts"`
			}
		}
		if err := json.Unmarshal([]byte(a.body), &export); err != nil {
			t.Fatal(err)
		}
		if export.Email != "account@example.org" || export.Name != "<b>Zoë</b>" || export.Language != "he" || len(export.Newsletters) != 1 || export.Newsletters[0].Newsletter != "morning" ||
			len(export.Sessions) != 1 || len(export.Letters) != 1 || len(export.Extra.Stories) != 1 || export.Extra.Stories[0].Story != r.editions["counted-one"].StoryID || len(export.Extra.Gifts) != 1 {
			t.Errorf("the export: %s", a.body)
		}
		hasNot(t, "the export", a.body, strings.Split(b.cookies["reader"], ".")[1], strings.ReplaceAll(r.newest("account@example.org").code, " ", ""))

		if a := b.post("/account/delete", nil); a.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("deleting without meaning it = %d, want 422", a.StatusCode)
		}
		id := r.readerID("account@example.org")
		if a := b.post("/account/delete", url.Values{"confirm": {"1"}}); a.Header.Get("Location") != "/?done=deleted" || b.cookies["reader"] != "" {
			t.Errorf("deleting = %d, to %s", a.StatusCode, a.Header.Get("Location"))
		}
		has(t, "the front", b.page("/?done=deleted"), `role="status"`)
		for _, table := range []string{"session", "reader_newsletter", "reader_tier", "meter_read", "gift"} {
			if n := r.count(`SELECT COUNT(*) FROM `+table+` WHERE reader_id = $1`, id); n != 0 {
				t.Errorf("%d rows of %s outlive the account", n, table)
			}
		}
		if n := r.count(`SELECT (SELECT COUNT(*) FROM reader) + (SELECT COUNT(*) FROM signin)`); n != 0 {
			t.Errorf("%d rows know the address still", n)
		}
		hasNot(t, "the story", b.page(r.path("for-readers")), kept("for-readers", "en")...)
	})
}

func hasNotRaw(t *testing.T, where, body, forbidden string) {
	t.Helper()
	if strings.Contains(body, forbidden) {
		t.Errorf("%s holds %q", where, forbidden)
	}
}
