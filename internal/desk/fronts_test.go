package desk

import (
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/staff"
	"masthead/internal/story"
)

var pinnedStory = regexp.MustCompile(`<input type="hidden" name="story" value="([^"]+)">`)

func TestFronts(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		o.signIn(t)
		var ids []string
		for i := range 4 {
			ids = append(ids, o.add(t, fmt.Sprintf("s%d", i), "en", fmt.Sprintf("Ferry <%d>", i), story.Published, now.Add(-time.Duration(i)*time.Hour), story.Story{}).StoryID)
		}
		draft := o.add(t, "draft", "en", "Not yet", story.Draft, now, story.Story{})
		shown := func(path string) (stories []string, page string) {
			t.Helper()
			w := o.ask("GET", path, nil)
			if w.Code != 200 {
				t.Fatalf("%s = %d %s", path, w.Code, w.Body)
			}
			for _, m := range pinnedStory.FindAllStringSubmatch(w.Body.String(), -1) {
				stories = append(stories, m[1])
			}
			return stories, w.Body.String()
		}
		if w := o.ask("GET", "/desk/fronts", nil); w.Code != 303 || w.Header().Get("Location") != "/desk/fronts/front/en" {
			t.Errorf("the room leads to %d %s", w.Code, w.Header().Get("Location"))
		}
		if got, page := shown("/desk/fronts/front/en"); len(got) != 0 || !strings.Contains(page, "Ferry &lt;3&gt;") || strings.Contains(page, "Not yet") {
			t.Errorf("nothing is pinned: %v", got)
		}
		// Without a script, every button is a question that changes nothing.
		form := url.Values{"draft": {"1"}, "version": {"0"}, "story": {ids[0], ids[1], draft.StoryID}, "size": {"lead", "brief", "brief"}, "until": {"", "2026-11-22T10:00", ""}}
		with := func(name, value string) string {
			q := url.Values{name: {value}}
			for k, v := range form {
				q[k] = v
			}
			return "/desk/fronts/front/en?" + q.Encode()
		}
		for _, c := range []struct {
			button, value string
			want          []string
		}{
			{"up", "1", []string{ids[1], ids[0], draft.StoryID}}, {"up", "0", form["story"]}, {"down", "0", []string{ids[1], ids[0], draft.StoryID}}, {"down", "2", form["story"]},
			{"remove", "0", []string{ids[1], draft.StoryID}}, {"add", ids[3], []string{ids[3], ids[0], ids[1], draft.StoryID}}, {"add", ids[0], form["story"]}, {"up", "x", form["story"]},
		} {
			if got, page := shown(with(c.button, c.value)); !slices.Equal(got, c.want) || !strings.Contains(page, "not saved yet") {
				t.Errorf("%s %s gives %v, want %v", c.button, c.value, got, c.want)
			}
		}
		if _, page := shown(with("q", "ferry 2")); strings.Count(page, `name="add"`) != 1 || !strings.Contains(page, `value="2026-11-22T10:00"`) || !strings.Contains(page, "readers do not see it here") {
			t.Errorf("a search loses something:\n%s", page)
		}
		if got, _ := shown("/desk/fronts/front/en"); len(got) != 0 {
			t.Errorf("a button has pinned %v", got)
		}
		if w := o.ask("POST", "/desk/fronts/front/en", form); w.Code != 303 || w.Header().Get("Location") != "/desk/fronts/front/en?done=front_saved" {
			t.Fatalf("saving = %d %s", w.Code, w.Body)
		}
		if got, page := shown("/desk/fronts/front/en?done=front_saved"); !slices.Equal(got, form["story"]) || !strings.Contains(page, "The front is saved.") || !strings.Contains(page, "Last arranged") {
			t.Errorf("saved: %v", got)
		}
		if got, _ := shown("/desk/fronts/front/ar"); len(got) != 0 {
			t.Errorf("another language has %v", got)
		}
		// Somebody who began before is told, and loses nothing.
		if w := o.ask("POST", "/desk/fronts/front/en", url.Values{"version": {"0"}, "story": {ids[3]}, "size": {"lead"}, "until": {""}}); w.Code != 409 ||
			!strings.Contains(w.Body.String(), ids[3]) || !strings.Contains(html.UnescapeString(w.Body.String()), `name="version" value="1"`) {
			t.Errorf("a stale form = %d %s", w.Code, w.Body)
		}
		if n := len(entriesOf(t, o, staff.ArrangeFront)); n != 1 {
			t.Errorf("%d entries in the log", n)
		}
		for name, bad := range map[string]url.Values{
			"not whole": {"version": {"1"}, "story": {ids[0]}}, "no version": {}, "no time": {"version": {"1"}, "story": {ids[0]}, "size": {"lead"}, "until": {"x"}},
			"no size": {"version": {"1"}, "story": {ids[0]}, "size": {"x"}, "until": {""}}, "no text": {"version": {"1"}, "story": {"\xff"}, "size": {"lead"}, "until": {""}},
		} {
			if w := o.ask("POST", "/desk/fronts/front/en", bad); w.Code != 400 {
				t.Errorf("%s = %d", name, w.Code)
			}
		}
		if w := o.ask("POST", "/desk/fronts/front/en", url.Values{"version": {"1"}, "story": {"none"}, "size": {"lead"}, "until": {""}}); w.Code != 404 {
			t.Errorf("no such story = %d", w.Code)
		}
		for _, path := range []string{"/desk/fronts/none/en", "/desk/fronts/front/xx", "/desk/fronts/%ff/en"} {
			if w := o.ask("GET", path, nil); w.Code != 404 {
				t.Errorf("%s = %d", path, w.Code)
			}
		}
	})
}

// TestSectionFront lets who is an editor in one section arrange that one's front alone.
func TestSectionFront(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		region, other := story.Section{Slug: "region", Names: story.Texts{"en": "Region"}}, story.Section{Slug: "other", Names: story.Texts{"en": "Other"}}
		o.tx(t, func(tx *db.Tx) error {
			if err := o.Stories.SaveSection(t.Context(), tx, &region); err != nil {
				return err
			}
			if err := o.Stories.SaveSection(t.Context(), tx, &other); err != nil {
				return err
			}
			p, err := o.Staff.Add(t.Context(), tx, staff.Person{Email: "bo@quay.example", Role: staff.Reporter})
			if err != nil {
				return err
			}
			if err := o.Staff.SetSections(t.Context(), tx, p.ID, map[string]staff.Role{region.ID: staff.Editor}); err != nil {
				return err
			}
			_, o.jar["staff"], err = o.Staff.StartSession(t.Context(), tx, p.ID, staff.Made{By: staff.ByPasskey})
			return err
		})
		if w := o.ask("GET", "/desk/fronts", nil); w.Code != 303 || w.Header().Get("Location") != "/desk/fronts/"+region.ID+"/en" {
			t.Errorf("the room leads to %d %s", w.Code, w.Header().Get("Location"))
		}
		for id, want := range map[string]int{region.ID: 200, other.ID: 403, story.FrontPage: 403} {
			if w := o.ask("GET", "/desk/fronts/"+id+"/en", nil); w.Code != want {
				t.Errorf("front of %s = %d, want %d", id, w.Code, want)
			}
			if w := o.ask("POST", "/desk/fronts/"+id+"/en", url.Values{"version": {"0"}}); w.Code != map[int]int{200: 303, 403: 403}[want] {
				t.Errorf("arranging %s = %d", id, w.Code)
			}
		}
	})
}

func entriesOf(t *testing.T, o *office, act staff.Act) []staff.Entry {
	t.Helper()
	list, err := o.Staff.Audit(t.Context(), o.DB.Read(), staff.AuditFilter{Act: act}, 100)
	if err != nil {
		t.Fatal(err)
	}
	return list
}
