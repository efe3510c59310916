package desk

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/staff"
	"masthead/internal/story"
	"masthead/internal/web"
)

// noSuchID is an ID that nothing has.
const noSuchID = "01890000-0000-7000-8000-000000000000"

// cast is everybody who may come to the desk, by name, with a cookie each.
type cast struct {
	people  map[string]staff.Person
	cookies map[string]string
}

// ask makes one request to a route with its wildcards filled in, on behalf of
// somebody, and gives how it was answered; a handler that panics is 500.
func (c cast) ask(t *testing.T, h http.Handler, route Route, who string, fill map[string]string) (status int) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			t.Logf("%s panics: %v", route.Pattern, p)
			status = http.StatusInternalServerError
		}
	}()
	method, path, _ := strings.Cut(route.Pattern, " ")
	if path == "" {
		method, path = "GET", route.Pattern
	}
	if path == "/desk/" {
		path = "/desk/nowhere"
	}
	path = strings.TrimSuffix(path, "{$}")
	for strings.Contains(path, "{") {
		before, rest, _ := strings.Cut(path, "{")
		name, after, _ := strings.Cut(rest, "}")
		value, ok := fill[strings.TrimSuffix(name, "...")]
		if !ok {
			value = noSuchID
		}
		path = before + value + after
	}
	r := httptest.NewRequest(method, path, strings.NewReader(url.Values{}.Encode()))
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if cookie := c.cookies[who]; cookie != "" {
		r.AddCookie(&http.Cookie{Name: "staff", Value: cookie})
	}
	w := httptest.NewRecorder()
	// A stream lives until its reader leaves.
	ctx, leave := deadline(r)
	defer leave()
	h.ServeHTTP(w, r.WithContext(ctx))
	return w.Code
}

// TestMatrix asks for every route on behalf of every role, of nobody, of who is
// more in one section, and for one's own and others' stories: it is let in or
// turned away exactly as the table of acts says.
func TestMatrix(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		ctx := t.Context()
		c := cast{people: map[string]staff.Person{}, cookies: map[string]string{}}
		region, other := story.Section{Slug: "region", Names: map[string]string{"en": "Region"}}, story.Section{Slug: "other", Names: map[string]string{"en": "Other"}}
		o.tx(t, func(tx *db.Tx) error {
			for _, s := range []*story.Section{&region, &other} {
				if err := o.Stories.SaveSection(ctx, tx, s); err != nil {
					return err
				}
			}
			join := func(name string, role staff.Role, sections map[string]staff.Role) error {
				p, err := o.Staff.Add(ctx, tx, staff.Person{Email: name + "@quay.example", Role: role})
				if err != nil {
					return err
				}
				if err := o.Staff.SetSections(ctx, tx, p.ID, sections); err != nil {
					return err
				}
				p.Sections = sections
				c.people[name] = p
				return nil
			}
			for _, role := range staff.Roles() {
				if err := join(string(role), role, nil); err != nil {
					return err
				}
			}
			return join("regional", staff.Contributor, map[string]staff.Role{region.ID: staff.Publisher})
		})
		session := func(name string) { // anew for each request: some end it
			o.tx(t, func(tx *db.Tx) (err error) {
				_, c.cookies[name], err = o.Staff.StartSession(ctx, tx, c.people[name].ID, staff.Made{By: staff.ByPasskey})
				return err
			})
		}
		// A story of each person's in each section, and of nobody's.
		type place struct{ storyID, editionID, section string }
		stories := map[string][]place{}
		for _, name := range append(slices.Collect(keysOf(c.people)), "") {
			for _, sec := range []story.Section{region, other} {
				st := story.Story{Kind: story.Report, OriginalLang: "en", SectionID: sec.ID, CreatedBy: c.people[name].ID}
				o.tx(t, func(tx *db.Tx) error { return o.Stories.Save(ctx, tx, &st) })
				e := o.add(t, name+sec.Slug, "en", name+" in "+sec.Slug, story.Draft, now.Add(-time.Hour), st)
				stories[name] = append(stories[name], place{st.ID, e.ID, sec.ID})
			}
		}
		asked := 0
		for _, route := range o.Routes() {
			if strings.HasPrefix(route.Pattern, "POST ") && route.Act == "" {
				t.Errorf("%s names no act", route.Pattern)
			}
			if route.Open {
				continue // doors are tried by TestDoor
			}
			if !slices.Contains(staff.Acts(), route.Act) {
				t.Errorf("%s: there is no act %q", route.Pattern, route.Act)
			}
			for _, who := range append(slices.Collect(keysOf(c.people)), "") {
				owners := []string{""}
				if route.On == OnEdition || route.On == OnStory {
					owners = []string{"", who}
				}
				for _, owner := range slices.Compact(owners) {
					for _, at := range stories[owner] {
						if who != "" {
							session(who)
						}
						fill := map[string]string{"edition": at.editionID, "story": at.storyID}
						if route.On != OnEdition && route.On != OnStory {
							fill = nil
						}
						got := c.ask(t, o.handler, route, who, fill)
						asked++
						p := c.people[who]
						object := staff.Object{}
						if route.On == OnEdition || route.On == OnStory {
							object = staff.Object{Sections: []string{at.section}, Own: owner != "" && owner == who}
						}
						may := p.May(route.Act, object)
						if route.On == OnAny {
							may = p.Ever(route.Act)
						}
						label := route.Pattern + " by " + or(who, "nobody") + " on " + or(owner, "nobody") + "'s story in " + at.section
						switch {
						case who == "":
							if got != http.StatusUnauthorized {
								t.Errorf("%s = %d, want 401", label, got)
							}
						case !may:
							if got != http.StatusForbidden {
								t.Errorf("%s = %d, want 403", label, got)
							}
						case got == http.StatusUnauthorized, got == http.StatusForbidden, got == http.StatusInternalServerError:
							t.Errorf("%s = %d, want to be let in", label, got)
						}
						if route.On != OnEdition && route.On != OnStory {
							break
						}
					}
				}
			}
		}
		if asked < 200 {
			t.Errorf("only %d requests were made", asked)
		}

		// What does not exist is not found, never a fault of ours.
		for _, route := range o.Routes() {
			if route.Open || !strings.Contains(route.Pattern, "{") || strings.Contains(route.Pattern, "{$}") {
				continue
			}
			for _, id := range []string{noSuchID, "%00", "%ff", "x", "..%2f..", strings.Repeat("9", 300)} {
				session("owner")
				fill := map[string]string{}
				_, path, _ := strings.Cut(route.Pattern, " ")
				for strings.Contains(path, "{") {
					_, rest, _ := strings.Cut(path, "{")
					name, after, _ := strings.Cut(rest, "}")
					fill[name], path = id, after
				}
				if got := c.ask(t, o.handler, route, "owner", fill); got >= 500 || got == 200 && (route.On == OnEdition || route.On == OnStory) {
					t.Errorf("%s with %.20q = %d", route.Pattern, id, got)
				} else if got != http.StatusNotFound && (route.On == OnEdition || route.On == OnStory || strings.Contains(route.Pattern, "{person}")) {
					t.Errorf("%s with %.20q = %d, want 404", route.Pattern, id, got)
				}
			}
		}

		// Nothing is done for a form posted from elsewhere.
		shielded, err := web.Shield(o.handler, web.ShieldOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, route := range o.Routes() {
			method, path, _ := strings.Cut(route.Pattern, " ")
			if method != "POST" {
				continue
			}
			session("owner")
			for _, header := range []http.Header{{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {"https://evil.example"}}} {
				r := httptest.NewRequest(method, "https://quay.example"+strings.NewReplacer("{", "", "}", "").Replace(path), nil)
				for name, values := range header {
					r.Header[name] = values
				}
				r.AddCookie(&http.Cookie{Name: "__Host-staff", Value: c.cookies["owner"]})
				w := httptest.NewRecorder()
				shielded.ServeHTTP(w, r)
				if w.Code != http.StatusForbidden {
					t.Errorf("%s with %v = %d", route.Pattern, header, w.Code)
				}
			}
		}
	})
}
