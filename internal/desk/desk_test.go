package desk

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/net/html"

	"masthead/internal/blob"
	"masthead/internal/config"
	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/doc"
	"masthead/internal/draft"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/mail"
	"masthead/internal/media"
	"masthead/internal/plan"
	"masthead/internal/reader"
	"masthead/internal/staff"
	"masthead/internal/story"
	"masthead/internal/wall"
	"masthead/internal/web"
	"masthead/internal/webhook"
	"masthead/ui"
)

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// office is a desk with a newsroom behind it, and a browser before it.
type office struct {
	*Desk
	handler http.Handler
	jar     map[string]string
	owner   staff.Person
	lang    string // Accept-Language
	letters []LinkLetter
	sent    []mail.Letter
	remade  []string // media whose pages were told to be made anew
}

type postbox func(mail.Letter)

func (p postbox) Send(_ context.Context, l mail.Letter) error { p(l); return nil }

func renderer(t testing.TB) *web.Renderer {
	t.Helper()
	assets, err := web.NewAssets(fstest.MapFS{"manifest.json": {Data: []byte(`{"files":{"desk.css":"desk-1.css","desk.js":"desk-1.js"},"preloads":{}}`)}, "desk-1.css": {}, "desk-1.js": {}}, web.Theme{})
	if err != nil {
		t.Fatal(err)
	}
	templates, err := ui.FS("")
	if err != nil {
		t.Fatal(err)
	}
	r, err := web.NewRenderer(templates, assets, false)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func newOffice(t *testing.T, d *db.DB) *office {
	t.Helper()
	c, err := config.Load(t.TempDir(), map[string]string{"title": "The Quay", "url": "https://quay.example", "languages": "en, ar"}, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return now }
	blobs, err := blob.OpenFolder(filepath.Join(t.TempDir(), "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blobs.Close() })
	o := &office{jar: map[string]string{}, Desk: &Desk{
		Config: c, DB: d, Pages: renderer(t), Log: slog.New(slog.DiscardHandler), Now: clock,
		Stories: &story.Store{Now: clock, DefaultLang: "en", Location: time.UTC},
		Readers: reader.New([]byte(strings.Repeat("k", 32))), Staff: staff.New(),
		Wall: &wall.Wall{}, WallStore: &wall.Store{Now: clock},
	}}
	o.Media = media.NewStore(d, blobs)
	o.Media.Now = clock
	o.MediaChanged = func(_ context.Context, _ *db.Tx, ids ...string) error {
		o.remade = append(o.remade, ids...)
		return nil
	}
	o.Readers.Now, o.Staff.Now = clock, clock
	o.Hooks = &webhook.Store{Now: clock, Keys: [][]byte{[]byte(strings.Repeat("k", 32))}, Stories: o.Stories, Post: func(context.Context, *db.Tx, webhook.Bring, time.Time) error { return nil }}
	tell := func(context.Context, db.Queryer, ...string) error { return nil }
	o.Drafts, o.Room = &draft.Store{Now: clock, Stories: o.Stories}, draft.NewRoom(clock, tell)
	o.Plans = &plan.Store{Now: clock, Stories: o.Stories, Staff: o.Staff, Media: o.Media, Lang: "en", Origin: "https://quay.example",
		Keep: func(ctx context.Context, tx *db.Tx, id, editor string, release bool) (err error) {
			if release {
				_, err = o.Drafts.Release(ctx, tx, id, editor)
			} else if _, err = o.Drafts.Keep(ctx, tx, id, editor); fault.Is(err, fault.NotFound) {
				err = nil
			}
			return err
		}}
	o.PostLink = func(_ context.Context, _ *db.Tx, l LinkLetter) error { o.letters = append(o.letters, l); return nil }
	o.Mail = postbox(func(l mail.Letter) { o.sent = append(o.sent, l) })
	o.Staff.Keys = [][]byte{[]byte(strings.Repeat("k", 32))}
	o.Staff.ForceFrom = "" // second_test.go forces
	o.CheckWall = func(_ context.Context, design wall.Design) error {
		_, err := design.Compiled()
		return err
	}
	if err := o.Wall.Load(t.Context(), d.Read()); err != nil {
		t.Fatal(err)
	}
	o.handler = o.Handler()
	o.tx(t, func(tx *db.Tx) (err error) {
		o.owner, err = o.Staff.Add(t.Context(), tx, staff.Person{Email: "ada@quay.example", Name: "Ada <b>", Role: staff.Owner})
		return err
	})
	return o
}

func (o *office) tx(t *testing.T, fn func(tx *db.Tx) error) {
	t.Helper()
	if err := o.DB.InTx(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// ask sends a request with the browser's cookies and keeps those that come back.
func (o *office) ask(method, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept-Language", o.lang)
	for name, value := range o.jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	o.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(o.jar, c.Name)
		} else {
			o.jar[c.Name] = c.Value
		}
	}
	return w
}

func (o *office) signIn(t *testing.T) {
	t.Helper()
	var token string
	o.tx(t, func(tx *db.Tx) (err error) {
		token, err = o.Staff.OneTimeLink(t.Context(), tx, o.owner.ID, time.Hour)
		return err
	})
	for range 2 { // a mail scanner looks first
		if w := o.ask("GET", "/desk/signin?token="+token, nil); w.Code != 200 || !strings.Contains(w.Body.String(), token) || !strings.Contains(w.Body.String(), "ada@quay.example") || len(o.jar) > 0 {
			t.Fatalf("the link = %d %s", w.Code, w.Body)
		}
	}
	if w := o.ask("POST", "/desk/signin", url.Values{"token": {token}}); w.Code != 303 || w.Header().Get("Location") != "/desk/" || o.jar["staff"] == "" {
		t.Fatalf("the button = %d %v", w.Code, w.Header())
	}
	if w := o.ask("POST", "/desk/signin", url.Values{"token": {token}}); w.Code != 410 {
		t.Fatalf("the link used again = %d", w.Code)
	}
}

func (o *office) add(t *testing.T, slug, lang, headline string, status story.Status, changed time.Time, st story.Story) story.Edition {
	t.Helper()
	e := story.Edition{Lang: lang, Slug: slug, Headline: headline, Status: story.Draft, Body: doc.FromText("Words of " + slug + ".\n\nMore of them."), UpdatedAt: changed}
	o.tx(t, func(tx *db.Tx) error {
		if st.ID == "" {
			st.Kind, st.OriginalLang = story.Report, lang
			if err := o.Stories.Save(t.Context(), tx, &st); err != nil {
				return err
			}
		}
		e.StoryID = st.ID
		if status != story.Draft {
			e.Status, e.PublishedAt = status, changed
		}
		return o.Stories.SaveEdition(t.Context(), tx, &e, "ada@quay.example")
	})
	return e
}

func TestDoor(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		for _, path := range []string{"/desk/", "/desk/people", "/desk/stories/x", "/desk/nowhere"} {
			if w := o.ask("GET", path, nil); w.Code != 401 || strings.Contains(w.Body.String(), "ada@") || w.Header().Get("Cache-Control") != "private, no-store" {
				t.Errorf("%s unsigned = %d %v", path, w.Code, w.Header())
			}
		}
		if w := o.ask("GET", "/desk/signin", nil); w.Code != 200 || strings.Contains(w.Body.String(), `action="/desk/signin"`) {
			t.Errorf("door = %d %s", w.Code, w.Body)
		}
		if w := o.ask("GET", "/desk/signin?token=%00x", nil); w.Code != 410 {
			t.Errorf("wrong link = %d", w.Code)
		}
		if w := o.ask("POST", "/desk/signin", url.Values{"token": {"wrong"}}); w.Code != 410 || len(o.jar) > 0 {
			t.Errorf("wrong token = %d", w.Code)
		}
		if w := o.ask("POST", "/desk/signin", url.Values{"token": {strings.Repeat("x", 9<<10)}}); w.Code != 400 {
			t.Errorf("a form too long = %d", w.Code)
		}
		o.signIn(t)
		first := o.jar["staff"]
		if w := o.ask("GET", "/desk/people", nil); w.Code != 200 || !strings.Contains(w.Body.String(), "Ada &lt;b&gt;") || !strings.Contains(w.Body.String(), "Owner") {
			t.Errorf("people = %d %s", w.Code, w.Body)
		}
		if w := o.ask("GET", "/desk/nowhere", nil); w.Code != 404 || !strings.Contains(w.Body.String(), "There is nothing here") {
			t.Errorf("nowhere = %d %s", w.Code, w.Body)
		}
		delete(o.jar, "staff")
		o.signIn(t)
		second := o.jar["staff"]
		o.jar["staff"] = first
		if w := o.ask("POST", "/desk/signout", url.Values{}); w.Code != 303 || o.jar["staff"] != "" {
			t.Errorf("sign out = %d, %v", w.Code, o.jar)
		}
		if w := o.ask("GET", "/desk/signin?out", nil); !strings.Contains(w.Body.String(), "You are signed out.") {
			t.Errorf("after it: %s", w.Body)
		}
		for value, want := range map[string]int{first: 401, second: 200} {
			o.jar["staff"] = value
			if w := o.ask("GET", "/desk/", nil); w.Code != want {
				t.Errorf("session after one was ended = %d, want %d", w.Code, want)
			}
		}
		// Signing in anew ends the session that this browser had.
		o.jar["staff"] = second
		var token string
		o.tx(t, func(tx *db.Tx) (err error) {
			token, err = o.Staff.OneTimeLink(t.Context(), tx, o.owner.ID, time.Hour)
			return err
		})
		o.ask("POST", "/desk/signin", url.Values{"token": {token}})
		third := o.jar["staff"]
		o.jar["staff"] = second
		if w := o.ask("GET", "/desk/", nil); w.Code != 401 || third == second {
			t.Errorf("the session before = %d", w.Code)
		}
	})
}

var entryLink = regexp.MustCompile(`<p class="entry-headline"><a href="/desk/stories/([^"]+)"[^>]*>([^<]*)</a>`)

func TestStories(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		o.signIn(t)
		var want []string
		for i := range 120 {
			status, lang := story.Published, "en"
			if i%10 == 0 {
				status = story.Draft
			}
			if i%3 == 0 {
				lang = "ar"
			}
			headline := fmt.Sprintf("Crème No. %03d", i)
			o.add(t, fmt.Sprintf("s%d", i), lang, headline, status, now.Add(-time.Duration(i/2)*time.Minute), story.Story{}) // two at each time
			want = append(want, headline)
		}
		o.add(t, "straße", "en", "Die Straße <i>", story.Withdrawn, now.Add(-time.Hour*9), story.Story{PasswordHash: "x"})
		o.add(t, "empty", "en", "", story.Draft, now.Add(-time.Hour*10), story.Story{})
		list := func(path string) (headlines []string, pages int) {
			for path != "" {
				w := o.ask("GET", path, nil)
				if w.Code != 200 {
					t.Fatalf("%s = %d %s", path, w.Code, w.Body)
				}
				for _, m := range entryLink.FindAllStringSubmatch(w.Body.String(), -1) {
					headlines = append(headlines, html.UnescapeString(m[2]))
				}
				next := regexp.MustCompile(`<a href="([^"]+)" rel="next">`).FindStringSubmatch(w.Body.String())
				pages++
				path = ""
				if next != nil {
					path = html.UnescapeString(next[1])
				}
			}
			return headlines, pages
		}
		all, pages := list("/desk/")
		if len(all) != 122 || pages != 3 || all[120] != "Die Straße <i>" || all[121] != "Without a headline" {
			t.Errorf("%d in %d pages, at last %q", len(all), pages, all[max(0, len(all)-2):])
		}
		for i := range 60 { // in pairs, each once
			if pair := all[2*i : 2*i+2]; !slices.Contains(pair, want[2*i]) || !slices.Contains(pair, want[2*i+1]) {
				t.Errorf("place %d has %v", 2*i, pair)
			}
		}
		for query, n := range map[string]int{
			"status=draft": 13, "status=withdrawn": 1, "status=review": 0, "lang=ar": 40, "lang=ar&status=draft": 4, "lang=fr": 0,
			"q=creme": 120, "q=CRÈME+01": 12, "q=STRASSE": 1, "q=01+no": 12, "q=%25": 0, "q=creme&lang=ar&status=draft": 4, "q=%C3%28": 0,
		} {
			if got, _ := list("/desk/?" + query); len(got) != n {
				t.Errorf("%s gives %d: %v, want %d", query, len(got), got, n)
			}
		}
		for _, query := range []string{"status=none", "after=x", "after=" + (place{now, "\x00"}).String(), "lang=%00", "q=" + strings.Repeat("x", 201)} {
			if w := o.ask("GET", "/desk/?"+query, nil); w.Code != 400 {
				t.Errorf("%s = %d", query, w.Code)
			}
		}
		page := o.ask("GET", "/desk/?lang=ar", nil).Body.String()
		for _, part := range []string{`<span>Published</span> <span class="count">36</span>`, `href="/desk/?lang=ar&amp;status=draft"`, `<option value="ar" lang="ar" dir="rtl" selected>العربية</option>`, `dir="rtl">Crème No. 003</a>`, `href="/ar/2026/11/s3/"`} {
			if !strings.Contains(page, part) {
				t.Errorf("the list lacks %s", part)
			}
		}
	})
}

func TestStoryRoom(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		o.signIn(t)
		ctx := t.Context()
		e := o.add(t, "ferry", "en", "The ferry <sinks>", story.Published, now.Add(-time.Hour), story.Story{Access: story.ForTier("gold")})
		st, err := o.Stories.ByID(ctx, d.Read(), e.StoryID)
		if err != nil {
			t.Fatal(err)
		}
		ar := o.add(t, "ferry", "ar", "العبّارة", story.Draft, now, st)
		o.tx(t, func(tx *db.Tx) error {
			e.Headline = "The ferry floats"
			if err := o.Stories.SaveEdition(ctx, tx, &e, "bo@quay.example"); err != nil {
				return err
			}
			if err := o.Stories.AddCorrection(ctx, tx, &story.Correction{StoryID: st.ID, Lang: "en", At: now, Text: "It floats."}); err != nil {
				return err
			}
			for _, email := range []string{"rea@example.org", "gil@example.org"} {
				who, _, err := o.Readers.Upsert(ctx, tx, reader.Reader{Email: email}, nil, nil)
				if err != nil {
					return err
				}
				if email == "gil@example.org" {
					if err := o.Readers.Grant(ctx, tx, who.ID, "gold", time.Time{}); err != nil {
						return err
					}
				}
			}
			return nil
		})
		path := "/desk/stories/" + e.ID
		page := o.ask("GET", path, nil).Body.String()
		for _, part := range []string{"The ferry floats", "The ferry &lt;sinks&gt;", "bo@quay.example", "It floats.", `href="/2026/11/ferry/"`, `href="/desk/stories/` + ar.ID + `"`, "for gold", "story&#39;s own access"} {
			if !strings.Contains(page, part) {
				t.Errorf("the room lacks %s:\n%s", part, page)
			}
		}
		if n := strings.Count(page, "decides</b>"); n != 2 {
			t.Errorf("%d steps decide, want one for each of two", n)
		}
		for email, want := range map[string]string{"rea@example.org": "reads the preview", "GIL@example.org": "reads the whole story", "nobody@example.org": "No reader has this address.", "x\x00": "No reader has this address."} {
			w := o.ask("GET", path+"?reader="+url.QueryEscape(email), nil)
			body := w.Body.String()
			if i := strings.Index(body, `id="trace2"`); w.Code != 200 || !strings.Contains(body[max(i, 0):], want) || (i < 0) != strings.HasPrefix(want, "No ") {
				t.Errorf("%s = %d, want %q", email, w.Code, want)
			}
		}
		if got := o.ask("GET", "/desk/stories/"+ar.ID, nil); got.Code != 200 || strings.Contains(got.Body.String(), ">On the site<") {
			t.Errorf("a draft's room = %d", got.Code)
		}
		for _, id := range []string{"none", "%00", "%ff"} {
			if w := o.ask("GET", "/desk/stories/"+id, nil); w.Code != 404 {
				t.Errorf("room %s = %d", id, w.Code)
			}
		}
		var reads int
		if err := d.Read().QueryRow(`SELECT COUNT(*) FROM meter_read`).Scan(&reads); err != nil || reads != 0 {
			t.Errorf("asking counted %d reads, %v", reads, err)
		}
		o.lang = "ar"
		if page := o.ask("GET", path, nil).Body.String(); !strings.Contains(page, `<html lang="ar" dir="rtl">`) || strings.Contains(page, "[desk.") {
			t.Errorf("in Arabic:\n%s", page)
		}
	})
}

// TestTemplates checks every template against its struct, and executes each
// with an empty and a full one in every language of the furniture.
func TestTemplates(t *testing.T) {
	r := renderer(t)
	pages := map[string]any{
		"begin": BeginPage{}, "facts": FactsPage{}, "lead": LeadPage{}, "board": BoardPage{}, "work": WorkPage{}, "calendar": CalendarPage{},
		"media": MediaPage{}, "subjects": SubjectsPage{}, "subject": SubjectPage{}, "medium": MediumPage{}, "fronts": FrontsPage{}, "settings": SettingsPage{}, "look": LookPage{}, "menu": MenuPage{}, "languages": LanguagesPage{}, "redirects": RedirectsPage{}, "readers": ReadersPage{}, "reader": ReaderPage{},
		"write": WritePage{}, "revision": RevisionPage{}, "translate": TranslatePage{}, "comments": CommentsPage{},
		"error": ErrorPage{}, "signin": SigninPage{}, "stories": StoriesPage{}, "story": StoryPage{}, "people": PeoplePage{},
		"person": PersonPage{}, "second": SecondPage{}, "me": MePage{}, "totp": TOTPPage{}, "codes": CodesPage{}, "audit": AuditPage{},
		"wall": WallPage{}, "wallwords": WallWordsPage{}, "walltrial": WallTrialPage{}, "wallwhy": WallWhyPage{}, "wallreplay": WallReplayPage{}, "walllifts": WallLiftsPage{}, "tokens": TokensPage{}, "webhooks": WebhooksPage{}, "webhook": WebhookPage{}}
	for _, name := range r.Names() {
		if short, ok := strings.CutPrefix(name, "desk/"); ok && pages[short] == nil {
			t.Errorf("no struct is tried with %s", name)
		}
	}
	for name, page := range pages {
		for _, err := range r.Check("desk/"+name, page) {
			t.Error(err)
		}
		for _, lang := range append([]string{""}, language.Furnished()...) {
			v := reflect.New(reflect.TypeOf(page)).Elem()
			if lang != "" {
				fill(v, 2, "x<y")
				b := v.FieldByName("Base")
				b.FieldByName("Furniture").Set(reflect.ValueOf(language.Get(lang)))
				b.FieldByName("Lang").SetString(lang)
				b.FieldByName("Dir").SetString(language.Dir(lang))
			}
			out, err := r.Bytes("desk/"+name, v.Interface())
			if err != nil {
				t.Errorf("%s in %q: %v", name, lang, err)
				continue
			}
			text := strings.Replace(string(out), `<script src="/assets/desk-1.js" type="module"></script>`, "", 1)
			text = regexp.MustCompile(`(?s)<script type="application/json">.*?</script>`).ReplaceAllString(text, "") // data, which nothing runs
			for _, bad := range []string{"style=", "<script", " on", "ZgotmplZ", "[desk.", "&lt;no value", "%!"} {
				if strings.Contains(text, bad) && (bad != " on" || regexp.MustCompile(`\son[a-z]+=`).MatchString(text)) {
					t.Errorf("%s in %q has %s", name, lang, bad)
				}
			}
			ids := map[string]bool{}
			for _, m := range regexp.MustCompile(`\sid="([^"]*)"`).FindAllStringSubmatch(text, -1) {
				if ids[m[1]] || m[1] == "" {
					t.Errorf("%s in %q has the id %q twice", name, lang, m[1])
				}
				ids[m[1]] = true
			}
			for _, m := range regexp.MustCompile(`\s(?:for|aria-labelledby|aria-describedby)="([^"]*)"`).FindAllStringSubmatch(text, -1) {
				if !ids[m[1]] {
					t.Errorf("%s in %q names the id %q, which is not there", name, lang, m[1])
				}
			}
		}
	}
}

// fill puts something into every field, and n things into every list, each with
// a word of its own.
func fill(v reflect.Value, n int, word string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(word)
	case reflect.Int:
		v.SetInt(7)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(v.Index(i), n, word+string(rune('a'+i)))
		}
	case reflect.Pointer:
		if v.Type() != reflect.TypeFor[*language.Furniture]() {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), n, word)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), n, word)
			}
		}
	}
}

func TestFold(t *testing.T) {
	for a, b := range map[string]string{"Straße": "STRASSE", "Crème": "creme", "l’Été": "L'ETE", "مُدَرِّس": "مدرس", "שָׁלוֹם": "שלום", "Ёлка": "елка", "": ""} {
		if fold(a) != fold(b) {
			t.Errorf("%q and %q fold to %q and %q", a, b, fold(a), fold(b))
		}
	}
}
