package desk

import (
	"bytes"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"masthead/internal/blob"
	"masthead/internal/config"
	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/media"
	"masthead/internal/setting"
	"masthead/internal/staff"
	"masthead/internal/story"
)

// newSite is an office whose settings follow the database, as app has them.
func newSite(t *testing.T, d *db.DB) *office {
	o := newOffice(t, d)
	o.Settings = &setting.Store{Now: o.Now}
	blobs, err := blob.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	o.Media = media.NewStore(d, blobs)
	c, err := config.Load(t.TempDir(), map[string]string{"contact": "from a flag"}, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	o.Config = c
	o.signIn(t)
	return o
}

// again takes over what was set.
func (o *office) again(t *testing.T) {
	t.Helper()
	kept, err := o.Settings.All(t.Context(), o.DB.Read())
	if err != nil {
		t.Fatal(err)
	}
	if o.Config, err = o.Config.With(kept); err != nil {
		t.Fatal(err)
	}
}

// post sends a form and demands an answer, and what stands in it.
func (o *office) post(t *testing.T, path string, form url.Values, status int, parts ...string) string {
	t.Helper()
	w := o.ask("POST", path, form)
	body := html.UnescapeString(w.Body.String())
	if w.Code != status {
		t.Errorf("%s %v = %d, want %d: %s", path, form, w.Code, status, body)
	}
	for _, part := range parts {
		if !strings.Contains(body, part) {
			t.Errorf("%s %v lacks %q", path, form, part)
		}
	}
	return body
}

func (o *office) page(t *testing.T, path string, parts ...string) string {
	t.Helper()
	w := o.ask("GET", path, nil)
	body := html.UnescapeString(w.Body.String())
	if w.Code != 200 {
		t.Errorf("%s = %d %s", path, w.Code, body)
	}
	for _, part := range parts {
		if !strings.Contains(body, part) {
			t.Errorf("%s lacks %q", path, part)
		}
	}
	return body
}

func TestSettingsPage(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newSite(t, d)
		o.page(t, "/desk/site/settings", `<input type="hidden" name="name" value="title">`, "MASTHEAD_SMTP_URL", "A secret is known", "from a flag, which goes before the desk", "/desk/site/look")
		o.post(t, "/desk/site/settings", url.Values{"name": {"title"}, "value": {" The Pier "}}, 303)
		o.again(t)
		if o.Config.Title != "The Pier" {
			t.Errorf("title = %q", o.Config.Title)
		}
		o.page(t, "/desk/site/settings?done=site_saved", "set here", "It holds at once", `name="drop"`)
		o.post(t, "/desk/site/settings", url.Values{"name": {"gift-quota"}, "value": {"-1"}}, 422, "a number from 0 to 1000", `value="-1"`)
		o.post(t, "/desk/site/settings", url.Values{"name": {"title"}, "value": {""}}, 422, "may not be empty")
		o.post(t, "/desk/site/settings", url.Values{"name": {"contact"}, "value": {"x"}}, 403)
		o.post(t, "/desk/site/settings", url.Values{"name": {"db"}, "value": {"x"}}, 403)
		o.post(t, "/desk/site/settings", url.Values{"name": {"none"}, "value": {"x"}}, 404)
		o.post(t, "/desk/site/settings", url.Values{"name": {"title"}, "drop": {"1"}}, 303)
		o.again(t)
		if o.Config.Title != "Masthead" {
			t.Errorf("title taken back = %q", o.Config.Title)
		}
		if n := len(entriesOf(t, o, staff.KeepSite)); n != 2 {
			t.Errorf("%d entries in the log", n)
		}
	})
}

func TestLook(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newSite(t, d)
		w := o.ask("GET", "/desk/site/look", nil)
		if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "frame-src 'self'") || strings.Contains(csp, "unsafe") {
			t.Errorf("policy %q", csp)
		}
		if !strings.Contains(html.UnescapeString(w.Body.String()), "/assets/theme-preview.css?") {
			t.Error("no preview")
		}
		o.post(t, "/desk/site/look", url.Values{"accent": {"#7a1f2b"}, "paper": {"#fffff0"}, "ink": {""}, "head-face": {"sans"}, "text-face": {"serif"}}, 303)
		o.again(t)
		if o.Config.Text("accent") != "#7a1f2b" || o.Config.Text("head-face") != "sans" || o.Config.Text("text-face") != "" {
			t.Errorf("kept %q %q", o.Config.Text("accent"), o.Config.Text("head-face"))
		}
		o.post(t, "/desk/site/look", url.Values{"ink": {"#777777"}}, 422, "Ink has a contrast of 4.4", "needs 7 : 1", `value="#777777"`)
		o.post(t, "/desk/site/look", url.Values{"ink": {"grey"}}, 422, "written as #rrggbb")
		o.post(t, "/desk/site/look", url.Values{"accent": {""}}, 303)
		o.again(t)
		if o.Config.Text("accent") != "" || o.Config.Text("paper") != "#fffff0" {
			t.Errorf("taken back %q, beside it %q", o.Config.Text("accent"), o.Config.Text("paper"))
		}

		upload := func(which, name string, content []byte) int {
			var body bytes.Buffer
			form := multipart.NewWriter(&body)
			form.WriteField("which", which)
			part, _ := form.CreateFormFile("file", name)
			part.Write(content)
			form.Close()
			r := httptest.NewRequest("POST", "/desk/site/logo", &body)
			r.Header.Set("Content-Type", form.FormDataContentType())
			r.AddCookie(&http.Cookie{Name: "staff", Value: o.jar["staff"]})
			w := httptest.NewRecorder()
			o.handler.ServeHTTP(w, r)
			return w.Code
		}
		var logo bytes.Buffer
		img := image.NewNRGBA(image.Rect(0, 0, 40, 20))
		img.Set(1, 1, color.NRGBA{R: 200, A: 255})
		if err := png.Encode(&logo, img); err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			content []byte
			want    int
		}{
			"logo.svg": {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), 422},
			"logo.png": {[]byte("no picture"), 422},
			"a.pdf":    {[]byte("%PDF-1.4\n%%EOF\n"), 422},
		} {
			if got := upload("logo", name, c.content); got != c.want {
				t.Errorf("%s = %d, want %d", name, got, c.want)
			}
		}
		if got := upload("accent", "logo.png", logo.Bytes()); got != 400 {
			t.Errorf("a logo as the accent = %d", got)
		}
		if got := upload("logo", "logo.png", logo.Bytes()); got != 303 {
			t.Fatalf("a logo = %d", got)
		}
		o.again(t)
		if o.Config.Logo == "" {
			t.Error("no logo is set")
		}
		o.page(t, "/desk/site/look", `class="logo-shown logo"`)
		at := "/desk/media/" + o.Config.Logo
		o.page(t, at, `<a href="/desk/site/look">`)
		if w := o.ask("POST", at+"/delete", url.Values{}); w.Code != 409 {
			t.Errorf("deleting the logo = %d", w.Code)
		}
	})
}

func TestMenus(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newSite(t, d)
		o.tx(t, func(tx *db.Tx) error {
			return o.Settings.Keep(t.Context(), tx, "", map[string]string{"languages": "en, ar"})
		})
		o.again(t)
		form := url.Values{"draft": {"1"}, "url": {"/culture/", "/culture/film/", "https://x.example/"}, "level": {"0", "1", "0"}, "label-en": {"Culture", "Film", "X"}, "label-ar": {"ثقافة", "", ""}}
		with := func(name, value string) string {
			q := url.Values{name: {value}}
			for k, v := range form {
				q[k] = v
			}
			return "/desk/site/menus/main?" + q.Encode()
		}
		for _, c := range []struct{ button, value, want string }{
			{"up", "1", "/culture/film/ /culture/ https://x.example/"}, {"down", "2", "/culture/ /culture/film/ https://x.example/"}, {"remove", "0", "/culture/film/ https://x.example/"}, {"add", "1", "/culture/ /culture/film/ https://x.example/ "},
		} {
			body := o.page(t, with(c.button, c.value), "not saved yet")
			var urls []string
			for _, m := range strings.Split(body, ` name="url" value="`)[1:] {
				urls = append(urls, m[:strings.IndexByte(m, '"')])
			}
			if got := strings.Join(urls, " "); got != c.want {
				t.Errorf("%s %s gives %q, want %q", c.button, c.value, got, c.want)
			}
		}
		if body := o.page(t, with("out", "1")); strings.Contains(body, `data-level="1"`) {
			t.Error("out leaves it in")
		}
		o.post(t, "/desk/site/menus/main", form, 303)
		all, err := o.Stories.Menus(t.Context(), d.Read())
		if err != nil {
			t.Fatal(err)
		}
		m := all["main"].Items
		if len(m) != 2 || len(m[0].Items) != 1 || m[0].Items[0].Label != "Film" || m[0].Labels["ar"] != "ثقافة" || m[1].URL != "https://x.example/" {
			t.Errorf("saved %+v", m)
		}
		o.page(t, "/desk/site/menus/main", `data-level="1"`, "ثقافة")
		for _, bad := range []string{"javascript:alert(1)", "//x.example/", "", "culture", "https://u:p@x.example/", "data:text/html,x"} {
			form["url"] = []string{bad, "/b/", "/c/"}
			o.post(t, "/desk/site/menus/main", form, 422, "Nothing was saved")
		}
		o.post(t, "/desk/site/menus/none", url.Values{}, 404)
		o.post(t, "/desk/site/menus/main", url.Values{"url": {"/a/"}}, 400)
		o.post(t, "/desk/site/menus/main", url.Values{}, 303)
	})
}

func TestLanguagesPage(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newSite(t, d)
		o.add(t, "x", "ar", "x", story.Published, now, story.Story{})
		o.page(t, "/desk/site/languages?draft=1&lang=en&add=PT-br", `value="pt-BR"`, "not saved yet")
		o.post(t, "/desk/site/languages", url.Values{"lang": {"en"}, "add": {"ar"}, "title.en": {"The Quay"}, "tagline.en": {""}, "title.ar": {"الرصيف"}}, 303)
		o.again(t)
		if !slices.Equal(o.Config.Languages, []string{"en", "ar"}) || o.Config.In("en").Title != "The Quay" {
			t.Errorf("%v, %+v", o.Config.Languages, o.Config.In("en"))
		}
		o.post(t, "/desk/site/languages", url.Values{"lang": {"ar", "en"}, "title.en": {"The Quay"}, "title.ar": {"الرصيف"}}, 303)
		o.again(t)
		if !slices.Equal(o.Config.Languages, []string{"ar", "en"}) || o.Config.In("ar").Title != "الرصيف" {
			t.Errorf("%v, %+v", o.Config.Languages, o.Config.In("ar"))
		}
		o.page(t, "/desk/site/languages", "1 story published", `value="الرصيف"`)
		o.post(t, "/desk/site/languages", url.Values{"lang": {"ar"}}, 400)
		o.post(t, "/desk/site/languages", url.Values{"lang": {"en"}, "title.en": {""}}, 422, "needs a name")
		o.post(t, "/desk/site/languages", url.Values{"lang": {"en", "?"}}, 404)
		if w := o.ask("GET", "/desk/site/languages?draft=1&lang=%00", nil); w.Code != 400 {
			t.Errorf("no language = %d", w.Code)
		}
	})
}

func TestRedirectsPage(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newSite(t, d)
		o.post(t, "/desk/site/redirects", url.Values{"from": {"http://localhost:8080/old/"}, "to": {"/new/"}}, 303)
		o.post(t, "/desk/site/redirects", url.Values{"from": {"/new/"}, "to": {"/old"}}, 422, "round in a circle", `value="/new/"`)
		o.post(t, "/desk/site/redirects", url.Values{"from": {"/x<y/"}, "to": {"https://other.example/"}}, 422, "no address of this site")
		upload := func(name, text string) (int, string) {
			var body bytes.Buffer
			form := multipart.NewWriter(&body)
			part, _ := form.CreateFormFile("file", name)
			part.Write([]byte(text))
			form.Close()
			r := httptest.NewRequest("POST", "/desk/site/redirects/import", &body)
			r.Header.Set("Content-Type", form.FormDataContentType())
			r.AddCookie(&http.Cookie{Name: "staff", Value: o.jar["staff"]})
			w := httptest.NewRecorder()
			o.handler.ServeHTTP(w, r)
			return w.Code, html.UnescapeString(w.Body.String())
		}
		code, body := upload("redirects.yaml", "301:\n  /a/: /b/\n  ^\\/tag\\/(.*)$: /topic/$1\n  /c/: /old/\n  what\n")
		if code != 200 || !strings.Contains(body, "1 of 4 lines were added.") {
			t.Errorf("import = %d %s", code, body)
		}
		for _, part := range []string{"Line 3", "it is a pattern", "Line 4", "leads on to /new/", "Line 5", "it cannot be read"} {
			if !strings.Contains(body, part) {
				t.Errorf("the report lacks %q", part)
			}
		}
		var many strings.Builder
		for i := range 10000 {
			fmt.Fprintf(&many, "/many/%05d,/new/%05d\n", i, i)
		}
		began := time.Now()
		if code, body := upload("many.csv", many.String()); code != 200 || !strings.Contains(body, "10,000 of 10,000") {
			t.Errorf("many = %d %s", code, body[:min(len(body), 2000)])
		}
		t.Logf("10,000 came in within %v", time.Since(began))
		for _, name := range []string{"x.json"} {
			if code, _ := upload(name, "{"); code != 422 {
				t.Errorf("%s = %d", name, code)
			}
		}
		began = time.Now()
		body = o.page(t, "/desk/site/redirects", "10,002 redirects", "/a/", `rel="next"`)
		t.Logf("the page took %v", time.Since(began))
		if n := strings.Count(body, `action="/desk/site/redirects/delete"`); n != redirectsShown {
			t.Errorf("%d on a page", n)
		}
		if body := o.page(t, "/desk/site/redirects?q=many%2F00042"); strings.Count(body, `action="/desk/site/redirects/delete"`) != 1 {
			t.Error("a search does not find the one")
		}
		if w := o.ask("GET", "/desk/site/redirects/export", nil); w.Code != 200 || strings.Count(w.Body.String(), "\n") != 10003 || !strings.HasPrefix(w.Body.String(), "from,to\n/a/,/b/\n") {
			t.Errorf("export = %d", w.Code)
		}
		o.post(t, "/desk/site/redirects/delete", url.Values{"from": {"/a/"}}, 303)
		o.post(t, "/desk/site/redirects/delete", url.Values{"from": {"/a/"}}, 404)
	})
}
