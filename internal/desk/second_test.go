package desk

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/staff"
)

func keysOf[V any](m map[string]V) iter.Seq[string] { return maps.Keys(m) }

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// deadline gives a request's context that ends soon.
func deadline(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(r.Context(), 2*time.Second)
}

// enterAs makes a one-time link for somebody and opens it in a fresh browser.
func (o *office) enterAs(t *testing.T, id string) {
	t.Helper()
	var token string
	o.tx(t, func(tx *db.Tx) (err error) {
		token, err = o.Staff.OneTimeLink(t.Context(), tx, id, time.Hour)
		return err
	})
	o.jar = map[string]string{}
	if w := o.ask("POST", "/desk/signin", url.Values{"token": {token}}); w.Code != 303 {
		t.Fatalf("the link = %d %s", w.Code, w.Body)
	}
}

var secretForm = regexp.MustCompile(`<code class="secret" dir="ltr">([^<]+)</code>`)

// TestSecondFactor goes the way of an owner who has only a link: made to enrol
// before anything else, asked at each sign-in, and again when it is long ago.
func TestSecondFactor(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		o.Staff.ForceFrom = staff.Publisher
		at := now
		o.Staff.Now, o.Readers.Now = func() time.Time { return at }, func() time.Time { return at }
		leads := func(method, path string, form url.Values, want string) {
			t.Helper()
			if w := o.ask(method, path, form); w.Code != 303 || w.Header().Get("Location") != want {
				t.Fatalf("%s %s = %d to %s, want %s", method, path, w.Code, w.Header().Get("Location"), want)
			}
		}
		o.enterAs(t, o.owner.ID)
		leads("GET", "/desk/", nil, "/desk/enrol")
		leads("GET", "/desk/people?x=1", nil, "/desk/enrol?next=%2Fdesk%2Fpeople%3Fx%3D1")
		leads("POST", "/desk/people", url.Values{"email": {"eve@quay.example"}, "role": {"owner"}}, "/desk/enrol")
		leads("GET", "/desk/me", nil, "/desk/enrol?next=%2Fdesk%2Fme")
		if w := o.ask("GET", "/desk/enrol", nil); w.Code != 200 || strings.Contains(w.Body.String(), "bar-rooms") || !strings.Contains(w.Body.String(), `action="/desk/me/totp"`) {
			t.Fatalf("enrol = %d %s", w.Code, w.Body)
		}
		leads("POST", "/desk/me/totp", url.Values{}, "/desk/me/totp")
		page := o.ask("GET", "/desk/me/totp", nil).Body.String()
		m := secretForm.FindStringSubmatch(page)
		if m == nil || !strings.Contains(page, `href="otpauth://totp/The%20Quay:ada@quay.example?secret=`) {
			t.Fatalf("no secret on\n%s", page)
		}
		code := func() string { return staff.CodeAt(m[1], at) }
		if w := o.ask("POST", "/desk/me/totp/code", url.Values{"code": {"12345"}}); w.Code != 422 || !strings.Contains(w.Body.String(), "not right") {
			t.Errorf("a wrong first code = %d", w.Code)
		}
		before := o.jar["staff"]
		w := o.ask("POST", "/desk/me/totp/code", url.Values{"code": {code()}})
		codes := regexp.MustCompile(`<li><code>([a-z2-7-]{19})</code>`).FindAllStringSubmatch(w.Body.String(), -1)
		if w.Code != 200 || len(codes) != 10 || o.jar["staff"] == before {
			t.Fatalf("enrolling = %d with %d recovery codes", w.Code, len(codes))
		}
		if w := o.ask("GET", "/desk/people", nil); w.Code != 200 {
			t.Errorf("people after enrolling = %d", w.Code)
		}
		leads("GET", "/desk/enrol", nil, "/desk/me")

		// The next time the link is half of it, for every page and for the site too.
		o.enterAs(t, o.owner.ID)
		half := o.jar["staff"]
		leads("GET", "/desk/people", nil, "/desk/second?next=%2Fdesk%2Fpeople")
		leads("GET", "/desk/enrol", nil, "/desk/second?next=%2Fdesk%2Fenrol")
		leads("POST", "/desk/me/totp", url.Values{}, "/desk/second")
		leads("POST", "/desk/me/recovery", url.Values{}, "/desk/second")
		if w := o.ask("POST", "/desk/me/passkeys/options", nil); w.Code != 401 {
			t.Errorf("passkey options of half a session = %d", w.Code)
		}
		if _, err := o.Staff.Resolve(t.Context(), d.Read(), half); err == nil {
			t.Error("half a session is taken for a whole one")
		}
		if w := o.ask("POST", "/desk/second", url.Values{"code": {code()}}); w.Code != 422 {
			t.Errorf("the code of enrolling again = %d", w.Code)
		}
		at = at.Add(time.Minute)
		leads("POST", "/desk/second", url.Values{"code": {code()}, "next": {"//evil.example/desk/"}}, "/desk/")
		if o.jar["staff"] == half {
			t.Error("the cookie of half a session became that of a whole one")
		}
		if w := o.ask("GET", "/desk/people", nil); w.Code != 200 {
			t.Errorf("people = %d", w.Code)
		}

		// After half a day what changes the newsroom asks anew; a form that was
		// open has an hour's grace; the rest goes on.
		at = at.Add(stepUp)
		leads("GET", "/desk/people/tokens", nil, "/desk/second?next=%2Fdesk%2Fpeople%2Ftokens")
		if w := o.ask("POST", "/desk/people", url.Values{"email": {"bob@quay.example"}, "role": {"editor"}}); w.Code != 303 || !strings.HasPrefix(w.Header().Get("Location"), "/desk/people/") {
			t.Errorf("a form within the hour = %d %s", w.Code, w.Header().Get("Location"))
		}
		at = at.Add(stepUpGrace)
		leads("POST", "/desk/people", url.Values{"email": {"eve@quay.example"}, "role": {"owner"}}, "/desk/second")
		if w := o.ask("GET", "/desk/", nil); w.Code != 200 {
			t.Errorf("stories = %d", w.Code)
		}
		leads("POST", "/desk/second", url.Values{"recovery": {strings.ToUpper(codes[3][1])}, "next": {"/desk/people/tokens"}}, "/desk/people/tokens")
		if w := o.ask("GET", "/desk/people/tokens", nil); w.Code != 200 {
			t.Errorf("tokens = %d", w.Code)
		}
		if w := o.ask("POST", "/desk/second", url.Values{"recovery": {codes[3][1]}}); w.Code != 422 {
			t.Errorf("a recovery code again = %d", w.Code)
		}
		// The last factor of an owner stays; tries are counted.
		if w := o.ask("POST", "/desk/me/totp/remove", url.Values{}); w.Code != 409 || !strings.Contains(w.Body.String(), "last second factor") {
			t.Errorf("removing the last = %d", w.Code)
		}
		var last int
		for range codeRate.Limit + 1 {
			last = o.ask("POST", "/desk/second", url.Values{"code": {"000000"}}).Code
		}
		if last != 429 {
			t.Errorf("after many wrong codes = %d", last)
		}
		at = at.Add(time.Minute)
		if w := o.ask("POST", "/desk/second", url.Values{"code": {code()}}); w.Code != 429 {
			t.Errorf("the right code among them = %d", w.Code)
		}
		var refused, in int
		if err := o.Staff.EachAudit(t.Context(), d.Read(), staff.AuditFilter{Who: o.owner.ID}, func(e staff.Entry) error {
			switch e.Act {
			case staff.FailSignIn:
				refused++
			case staff.SignIn:
				in++
			}
			return nil
		}); err != nil || refused < 7 || in != 5 {
			t.Errorf("the log has %d refusals and %d sign-ins, %v", refused, in, err)
		}
	})
}

// TestDoorLetter asks for a letter at the door: the answer tells nothing.
func TestDoorLetter(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		o.Config.LettersPerAddress, o.Config.LettersPerNetwork = 2, 8
		answer := ""
		for _, email := range []string{"ada@quay.example", "nobody@quay.example", "no address", "ADA@quay.example", "ada@quay.example"} {
			w := o.ask("POST", "/desk/signin/letter", url.Values{"email": {email}})
			got := w.Header().Get("Location") + w.Body.String()
			if w.Code != 303 || answer != "" && got != answer {
				t.Errorf("%s = %d %s", email, w.Code, got)
			}
			answer = got
		}
		if len(o.letters) != 4 { // the fifth was too many for its address
			t.Errorf("%d letters were asked for: %v", len(o.letters), o.letters)
		}
		for _, l := range o.letters {
			if err := o.SendLink(t.Context(), l); err != nil {
				t.Fatal(err)
			}
		}
		if len(o.sent) != 2 || o.sent[1].To.Email != "ada@quay.example" {
			t.Fatalf("%d letters were sent", len(o.sent))
		}
		token := regexp.MustCompile(`https://quay\.example/desk/signin\?token=([A-Za-z0-9_-]{43})`).FindStringSubmatch(o.sent[1].Text)
		if token == nil || !strings.Contains(o.sent[1].HTML, token[0]) {
			t.Fatalf("the letter has no link:\n%s", o.sent[1].Text)
		}
		if w := o.ask("POST", "/desk/signin", url.Values{"token": {token[1]}}); w.Code != 303 {
			t.Errorf("its link = %d", w.Code)
		}
		for range 4 {
			o.ask("POST", "/desk/signin/letter", url.Values{"email": {"x@quay.example"}})
		}
		if w := o.ask("POST", "/desk/signin/letter", url.Values{"email": {"y@quay.example"}}); w.Code != 429 {
			t.Errorf("too many of one network = %d", w.Code)
		}
	})
}

// TestPeopleRoom adds somebody, changes all there is of him, and reads it in the log.
func TestPeopleRoom(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		o.signIn(t)
		post := func(path string, form url.Values, want int) string {
			t.Helper()
			w := o.ask("POST", path, form)
			if w.Code != want {
				t.Fatalf("%s = %d, want %d\n%s", path, w.Code, want, w.Body)
			}
			return w.Header().Get("Location")
		}
		to := post("/desk/people", url.Values{"email": {"bob@quay.example"}, "name": {" Bob \n <b> "}, "role": {"reporter"}, "link": {"1"}}, 303)
		at, _, _ := strings.Cut(to, "?")
		if len(o.letters) != 1 || o.letters[0].By != o.owner.ID {
			t.Errorf("%v", o.letters)
		}
		post("/desk/people", url.Values{"email": {"BOB@quay.example"}, "role": {"reporter"}}, 409)
		post("/desk/people", url.Values{"email": {"eve"}, "role": {"reporter"}}, 422)
		post("/desk/people", url.Values{"email": {"eve@quay.example"}, "role": {"king"}}, 422)
		if page := o.ask("GET", at, nil).Body.String(); !strings.Contains(page, "Bob &lt;b&gt;") {
			t.Errorf("his page:\n%s", page)
		}
		post(at+"/name", url.Values{"name": {"Robert"}}, 303)
		post(at+"/role", url.Values{"role": {"editor"}}, 303)
		post(at+"/role", url.Values{"role": {"king"}}, 400)
		post(at+"/link", url.Values{}, 303)
		post(at+"/disable", url.Values{}, 303)
		post(at+"/link", url.Values{}, 403)
		post(at+"/enable", url.Values{}, 303)
		post(at+"/sessions", url.Values{}, 303)
		post(at+"/reset", url.Values{}, 303)
		own := "/desk/people/" + o.owner.ID
		post(own+"/reset", url.Values{}, 403)
		post(own+"/disable", url.Values{}, 409)
		post(own+"/role", url.Values{"role": {"editor"}}, 409)
		post("/desk/me/name", url.Values{"name": {"Ada"}}, 303)

		w := o.ask("POST", "/desk/people/tokens", url.Values{"name": {"feeds"}, "scope": {"stories:read"}, "days": {"30"}})
		secret := secretForm.FindStringSubmatch(w.Body.String())
		if w.Code != 200 || secret == nil {
			t.Fatalf("a key = %d\n%s", w.Code, w.Body)
		}
		tok, err := o.Staff.ResolveToken(t.Context(), d.Read(), secret[1])
		if err != nil || tok.Name != "feeds" || !tok.ExpiresAt.Equal(now.AddDate(0, 0, 30)) {
			t.Errorf("%+v, %v", tok, err)
		}
		if page := o.ask("GET", "/desk/people/tokens", nil).Body.String(); strings.Contains(page, secret[1]) || !strings.Contains(page, "feeds") {
			t.Error("the key is shown again, or is not listed")
		}
		post("/desk/people/tokens", url.Values{"name": {""}, "scope": {"stories:read"}, "days": {"0"}}, 422)
		post("/desk/people/tokens", url.Values{"name": {"x"}, "scope": {"all"}, "days": {"0"}}, 422)
		post("/desk/people/tokens", url.Values{"name": {"x"}, "days": {"-1"}, "scope": {"stories:read"}}, 400)
		post("/desk/people/tokens/"+tok.ID+"/revoke", url.Values{}, 303)
		post("/desk/people/tokens/"+tok.ID+"/revoke", url.Values{}, 404)

		page := o.ask("GET", "/desk/people/audit?object=staff&who=ada@quay.example", nil).Body.String()
		for _, part := range []string{"Reporter → Editor", "bob@quay.example", "Robert"} {
			if !strings.Contains(page, part) {
				t.Errorf("the log lacks %s", part)
			}
		}
		for query, want := range map[string]int{"act=none": 400, "from=x": 400, "who=%00": 400, "before=" + noSuchID: 200, "act=tokens.keep&from=2026-11-22&to=2026-11-22": 200} {
			if w := o.ask("GET", "/desk/people/audit?"+query, nil); w.Code != want {
				t.Errorf("%s = %d", query, w.Code)
			}
		}
		lines := strings.Split(strings.TrimSpace(o.ask("GET", "/desk/people/audit/export?as=jsonl", nil).Body.String()), "\n")
		rows, err := csv.NewReader(o.ask("GET", "/desk/people/audit/export?as=csv", nil).Body).ReadAll()
		if err != nil || len(rows) != len(lines)+1 || len(lines) < 12 {
			t.Fatalf("%d lines, %d rows, %v", len(lines), len(rows), err)
		}
		for i, line := range lines {
			var rec staff.AuditRecord
			if err := json.Unmarshal([]byte(line), &rec); err != nil || rec.ID != rows[i+1][0] || rec.Act == "" || strings.Contains(line, secret[1]) {
				t.Errorf("%s, %v", line, err)
			}
		}
		if w := o.ask("GET", "/desk/people/audit/export?as=xlsx", nil); w.Code != 400 {
			t.Errorf("another form = %d", w.Code)
		}
	})
}
