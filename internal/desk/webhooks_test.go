package desk

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/webhook"
)

func TestWebhooks(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		o.signIn(t)
		const room = "/desk/people/webhooks"
		if w := o.ask("POST", room, url.Values{"url": {"http://receiver.example/"}, "event": {"story.published"}}); w.Code != 422 || !strings.Contains(w.Body.String(), `role="alert"`) {
			t.Errorf("without TLS = %d", w.Code)
		}
		w := o.ask("POST", room, url.Values{"url": {"https://receiver.example/hook"}, "about": {`<script>alert(1)</script>`}, "event": {"story.published", "reader.created"}})
		secret := regexp.MustCompile(`whsec_[A-Za-z0-9&#;+/=]+`).FindString(w.Body.String())
		if w.Code != 200 || secret == "" || strings.Contains(w.Body.String(), "<script>alert") {
			t.Fatalf("make = %d %s", w.Code, w.Body)
		}
		page := o.ask("GET", room, nil).Body.String()
		if strings.Contains(page, "whsec_") || !strings.Contains(page, "reader.created, story.published") {
			t.Errorf("list: %s", page)
		}
		one := regexp.MustCompile(room + `/[0-9a-f-]{36}`).FindString(page)
		for _, form := range []struct {
			path, want string
			values     url.Values
		}{
			{"/ping", "waiting", nil},
			{"/change", "story.withdrawn", url.Values{"url": {"https://other.example/"}, "event": {"story.withdrawn"}}},
			{"/switch", "Switch on", url.Values{}},
			{"/switch", "Switch off", url.Values{"on": {"yes"}}},
		} {
			if w := o.ask("POST", one+form.path, form.values); w.Code != 303 {
				t.Errorf("%s = %d %s", form.path, w.Code, w.Body)
			}
			if body := o.ask("GET", one, nil).Body.String(); !strings.Contains(body, form.want) {
				t.Errorf("after %s the page lacks %q: %s", form.path, form.want, body)
			}
		}
		id := one[strings.LastIndex(one, "/")+1:]
		log, err := o.Hooks.Deliveries(t.Context(), d.Read(), id, "", 10)
		if err != nil || len(log) != 1 || log[0].Event != webhook.Ping {
			t.Fatalf("%+v, %v", log, err)
		}
		if w := o.ask("POST", one+"/deliveries/"+log[0].ID, nil); w.Code != 303 {
			t.Errorf("again = %d", w.Code)
		}
		if w := o.ask("POST", one+"/secret", nil); w.Code != 200 || !strings.Contains(w.Body.String(), "whsec_") || strings.Contains(w.Body.String(), secret) {
			t.Errorf("secret = %d", w.Code)
		}
		if w := o.ask("POST", one+"/delete", nil); w.Code != 303 {
			t.Errorf("delete = %d", w.Code)
		}
		if w := o.ask("GET", one, nil); w.Code != 404 {
			t.Errorf("deleted = %d", w.Code)
		}
		token := o.ask("POST", "/desk/people/tokens", url.Values{"name": {"robot"}, "scope": {"stories:write"}, "role": {"reporter"}, "days": {"30"}})
		if token.Code != 200 || !strings.Contains(token.Body.String(), "Reporter") {
			t.Errorf("a key with a role = %d", token.Code)
		}
	})
}
