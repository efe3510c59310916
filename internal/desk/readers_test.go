package desk

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/fault"
	"masthead/internal/newsletter"
	"masthead/internal/reader"
)

// upload sends a file as a browser's form does.
func (o *office) upload(path, field, name, content string) *httptest.ResponseRecorder {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, _ := form.CreateFormFile(field, name)
	part.Write([]byte(content))
	form.Close()
	r := httptest.NewRequest("POST", path, &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	for name, value := range o.jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	o.handler.ServeHTTP(w, r)
	return w
}

func TestReaders(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		o.signIn(t)
		o.tx(t, func(tx *db.Tx) error {
			if err := o.Readers.SaveTier(t.Context(), tx, reader.Tier{Slug: "gold", Names: map[string]string{"en": "Gold"}}); err != nil {
				return err
			}
			return o.Newsletters.Save(t.Context(), tx, newsletter.List{Slug: "week", Names: map[string]string{"en": "The week"}, Cadence: newsletter.Weekly})
		})
		page := o.upload("/desk/readers/import", "file", "people.csv", "email,name,tiers,newsletters\nada@example.org,Ada <i>,gold until 2027-01-31,week\nbo@example.org,Bo,,\nno,,,\n").Body.String()
		for _, want := range []string{"2 new, 0 known already, 1 skipped", "Line 4", "the e-mail address has no @", "Ada &lt;i&gt;", "Readers: 2. Signed in so far: 0."} {
			if !strings.Contains(page, want) {
				t.Errorf("%q is not in\n%s", want, page)
			}
		}
		find := func(query, want, not string) {
			t.Helper()
			page := o.ask("GET", "/desk/readers?"+query, nil).Body.String()
			if !strings.Contains(page, want) || not != "" && strings.Contains(page, not) {
				t.Errorf("%s: %q or not %q in\n%s", query, want, not, page)
			}
		}
		find("q=ADA", "ada@example.org", "bo@example.org")
		find("q=bo%40EXAMPLE.org", "bo@example.org", "ada@")
		find("tier=gold", "ada@example.org", "bo@example.org")
		find("newsletter=week&q=bo", "No reader is like that", "")

		ada, err := o.Readers.ByEmail(t.Context(), d.Read(), "ada@example.org")
		if err != nil {
			t.Fatal(err)
		}
		room := "/desk/readers/" + ada.ID
		one := o.ask("GET", room, nil).Body.String()
		for _, want := range []string{"Newsletter The week", "by import", "agreed", "Gold"} {
			if !strings.Contains(one, want) {
				t.Errorf("%q is not in\n%s", want, one)
			}
		}
		post := func(what string, form url.Values, status int) string {
			t.Helper()
			w := o.ask("POST", room+"/"+what, form)
			if w.Code != status {
				t.Errorf("%s %v: %d\n%s", what, form, w.Code, w.Body)
			}
			return w.Body.String()
		}
		post("tier", url.Values{"tier": {"gold"}, "take": {"1"}}, 303)
		if held, err := o.Readers.Held(t.Context(), d.Read(), ada.ID); err != nil || len(held) != 0 {
			t.Errorf("holds %v, %v", held, err)
		}
		post("tier", url.Values{"tier": {"gold"}, "until": {"2026-11-22"}}, 303) // the day is today: to its end
		if held, err := o.Readers.Held(t.Context(), d.Read(), ada.ID); err != nil || len(held) != 1 || held[0].Until.Sub(now) != 15*time.Hour {
			t.Errorf("holds %v, %v", held, err)
		}
		post("tier", url.Values{"tier": {"gold"}, "until": {"soon"}}, 422)
		post("tier", url.Values{"tier": {"none"}}, 400)
		post("note", url.Values{"note": {"calls <b>"}, "labels": {"press, press, , friend"}}, 303)
		if again, _ := o.Readers.ByID(t.Context(), d.Read(), ada.ID); again.Note != "calls <b>" || len(again.Labels) != 2 {
			t.Errorf("%+v", again)
		}
		link := regexp.MustCompile(`https://quay\.example/signin/confirm\?token=[\w%-]+`).FindString(post("link", nil, 200))
		if link == "" {
			t.Error("no link is shown")
		}
		o.tx(t, func(tx *db.Tx) error {
			_, _, err := o.Readers.StartSession(context.Background(), tx, ada.ID, "Firefox on Android")
			return err
		})
		find2 := o.ask("GET", room, nil).Body.String()
		if !strings.Contains(find2, "Firefox on Android") {
			t.Error("the session is not shown")
		}
		post("sessions", url.Values{}, 303)
		if list, err := o.Readers.Sessions(t.Context(), d.Read(), ada.ID); err != nil || len(list) != 0 {
			t.Errorf("sessions: %v, %v", list, err)
		}
		if out := o.ask("GET", room+"/export", nil); !strings.Contains(out.Body.String(), `"what": "newsletter:week"`) || strings.Contains(out.Body.String(), "bo@") {
			t.Errorf("export: %s", out.Body)
		}
		if out := o.ask("GET", "/desk/readers/export", nil); strings.Count(out.Body.String(), "\n") != 3 || !strings.HasPrefix(out.Header().Get("Content-Type"), "text/csv") {
			t.Errorf("CSV: %v %s", out.Header(), out.Body)
		}
		post("delete", url.Values{"email": {"bo@example.org"}}, 422)
		post("delete", url.Values{"email": {"ADA@example.org"}}, 303)
		if _, err := o.Readers.ByID(t.Context(), d.Read(), ada.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("the reader is still there: %v", err)
		}
		var acts int
		if err := d.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM audit WHERE act = 'readers.keep'`).Scan(&acts); err != nil || acts != 9 {
			t.Errorf("%d acts in the log, %v", acts, err)
		}
		for _, path := range []string{"/desk/readers/none", "/desk/readers/%00", "/desk/readers/none/export"} {
			if code := o.ask("GET", path, nil).Code; code != 404 {
				t.Errorf("%s: %d", path, code)
			}
		}
	})
}
