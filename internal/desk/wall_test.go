package desk

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/fault"
	"masthead/internal/staff"
	"masthead/internal/story"
	"masthead/internal/wall"
)

// TestWall writes a wall by its form, puts it live and takes an old one back.
func TestWall(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		ctx := t.Context()
		o.WallStore.Changed = func(_ context.Context, q db.Queryer) error { return o.Wall.Load(ctx, q) }
		o.signIn(t)
		page := func(path string, status int, has ...string) string {
			t.Helper()
			w := o.ask("GET", path, nil)
			for _, text := range has {
				if !strings.Contains(w.Body.String(), text) {
					t.Errorf("%s lacks %q", path, text)
				}
			}
			if w.Code != status {
				t.Fatalf("%s = %d %s", path, w.Code, w.Body)
			}
			return w.Body.String()
		}
		post := func(path string, form url.Values, status int) string {
			t.Helper()
			w := o.ask("POST", path, form)
			if w.Code != status {
				t.Fatalf("%s = %d %s", path, w.Code, w.Body)
			}
			return w.Header().Get("Location") + w.Body.String()
		}
		page("/desk/wall", 200, "the archive, older than sixty days", `value="60"`, `name="version" value="0"`)
		form := url.Values{"version": {"0"}, "rule": {"1", "0", "2"},
			"name.0": {"second"}, "field.0": {"topic", "age", ""}, "op.0": {"not", "more", "is"}, "value.0": {"water", "30", ""}, "verdict.0": {"meter"}, "limit.0": {"5"}, "days.0": {"1"},
			"name.1": {"first"}, "raw.1": {"story.words > 5 || visit.crawler"}, "verdict.1": {"open"},
			"name.2": {"last <b>"}, "field.2": {""}, "op.2": {"is"}, "value.2": {""}, "verdict.2": {"subscribe"}, "tier.2": {"friend"}}
		if to := post("/desk/wall", form, 303); !strings.HasPrefix(to, "/desk/wall?done=wall_draft") {
			t.Error(to)
		}
		draft, err := o.WallStore.Draft(ctx, d.Read())
		want := []wall.RuleText{{Name: "first", When: "story.words > 5 || visit.crawler", Grant: "open"},
			{Name: "second", When: `!("water" in story.topics) && story.age_days > 30`, Grant: "meter 5 per 1 day"}, {Name: "last <b>", When: "true", Grant: "subscribe friend"}}
		if err != nil || draft.Version != 1 || !(wall.Design{Rules: draft.Design.Rules}).Equal(wall.Design{Rules: want}) {
			t.Fatalf("%+v %v", draft, err)
		}
		if got := o.Wall.Rules(); len(got) != 4 {
			t.Errorf("a draft is live: %v", got)
		}
		page("/desk/wall", 200, "last &lt;b&gt;", `<textarea id="raw-0"`, "The draft differs")
		// Another has saved meanwhile: nothing is lost, and nothing is kept.
		form.Set("name.2", "mine")
		if body := post("/desk/wall", form, 409); !strings.Contains(body, "mine") || !strings.Contains(body, "Somebody else") {
			t.Error("what was typed is lost")
		}
		// Buttons that work without a script.
		form.Set("version", "1")
		form.Set("up", "2")
		if to := post("/desk/wall", form, 303); to != "/desk/wall#rule-1" {
			t.Error(to)
		}
		if draft, _ := o.WallStore.Draft(ctx, d.Read()); draft.Design.Rules[1].Name != "mine" {
			t.Errorf("%+v", draft.Design.Rules)
		}
		// What cannot be used is kept, told beside the rule, and not put live.
		post("/desk/wall", url.Values{"version": {"2"}, "rule": {"0"}, "name.0": {"bad"}, "field.0": {"age"}, "op.0": {"more"}, "value.0": {"many"}, "verdict.0": {"meter"}, "limit.0": {"x"}, "days.0": {"30"}}, 303)
		page("/desk/wall", 200, "story.age_days &gt; many", "no such grant", "cannot be put live yet")
		if body := post("/desk/wall/live", url.Values{"version": {"3"}}, 422); !strings.Contains(body, "bad") {
			t.Error(body)
		}
		post("/desk/wall", url.Values{"version": {"3"}, "rule": {"0"}, "name.0": {"good"}, "field.0": {"state"}, "op.0": {"is"}, "value.0": {"anonymous"}, "verdict.0": {"register"}}, 303)
		// Words and benefits of one language leave the others alone.
		post("/desk/wall/words?lang=ar", url.Values{"version": {"4"}, "entitlement": {"archive", ""}, "text": {"الأرشيف", ""}, "word.button": {"تابع"}}, 303)
		post("/desk/wall/words?lang=en", url.Values{"version": {"5"}, "entitlement": {"archive"}, "text": {"The archive <i>"}, "word.register.title": {"Stay <b> with us"}}, 303)
		page("/desk/wall/words?lang=ar&panel=register", 200, "تابع", "الأرشيف", `class="wall-preview" lang="ar" dir="rtl"`)
		page("/desk/wall/words?lang=en&panel=register", 200, "Stay &lt;b&gt; with us", "The archive &lt;i&gt;")
		if body := post("/desk/wall/words?lang=en", url.Values{"version": {"6"}, "word.button": {"{n} left"}}, 422); !strings.Contains(body, "nothing fills") {
			t.Error(body)
		}
		if to := post("/desk/wall/live", url.Values{"version": {"6"}}, 303); !strings.Contains(to, "wall_live") {
			t.Error(to)
		}
		if got := o.Wall.Rules(); len(got) != 1 || got[0].Name != "good" {
			t.Errorf("%v", got)
		}
		page("/desk/wall", 200, "Earlier walls", "/desk/wall/versions/1")
		post("/desk/wall/versions/1", url.Values{"version": {"0"}}, 303)
		post("/desk/wall/versions/9", url.Values{"version": {"1"}}, 404)
		page("/desk/wall", 200, "three stories a month")
		post("/desk/wall/drop", url.Values{"version": {"7"}}, 409)
		post("/desk/wall/drop", url.Values{"version": {"1"}}, 303)
		entries, err := o.Staff.Audit(ctx, d.Read(), staff.AuditFilter{}, 50)
		if err != nil {
			t.Fatal(err)
		}
		kept := 0
		for _, e := range entries {
			if e.Act == staff.KeepWall {
				kept++
			}
		}
		if kept != 9 {
			t.Errorf("%d entries in the log, want 9", kept)
		}
	})
}

// TestWallRoom tries the room's other pages: why, replay, a trial and a lift.
func TestWallRoom(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		ctx := t.Context()
		o.Config.ReplayWeeks = 8
		o.WallStore.Changed = func(_ context.Context, q db.Queryer) error { return o.Wall.Load(ctx, q) }
		o.signIn(t)
		o.tx(t, func(tx *db.Tx) error {
			return o.Stories.SaveSection(ctx, tx, &story.Section{Slug: "coast", Names: map[string]string{"en": "Coast <b>"}})
		})
		e := o.add(t, "harbour-wakes", "en", "The harbour <b> wakes", story.Published, now.Add(-100*24*time.Hour), story.Story{})
		get := func(path string, has ...string) {
			t.Helper()
			w := o.ask("GET", path, nil)
			if w.Code != 200 {
				t.Fatalf("%s = %d", path, w.Code)
			}
			for _, text := range has {
				if !strings.Contains(w.Body.String(), text) {
					t.Errorf("%s lacks %q:\n%s", path, text, w.Body)
				}
			}
		}
		post := func(path string, form url.Values, status int) string {
			t.Helper()
			w := o.ask("POST", path, form)
			if w.Code != status {
				t.Fatalf("%s = %d %s", path, w.Code, w.Body)
			}
			return w.Body.String()
		}
		for _, name := range []string{e.ID, e.Path, "https://quay.example" + e.Path, "harbour-wakes", e.StoryID} {
			get("/desk/wall/why?story="+url.QueryEscape(name)+"&as=anonymous", "harbour &lt;b&gt; wakes", "older than sixty days", "reads the preview")
		}
		get("/desk/wall/why?story=harbour+wakes", "Which of these?", e.ID)
		get("/desk/wall/why?story=nothing-like-it", "No story is called that")
		get("/desk/wall/why?as=registered&story="+e.ID, "reads the whole story")
		get("/desk/wall/why?as=reader&reader=x%40y.example&story="+e.ID, "No reader has this address")
		get("/desk/wall/why?reads=9999&story="+e.ID, "a number from 0 to")
		get("/desk/wall/why?date=2026-13-40&story="+e.ID, "no day of the calendar")
		get("/desk/wall/why?reads=3&date=2026-08-16&story="+e.ID, "three stories a month", "the meter is spent")

		get("/desk/wall/replay", "No visit has been recorded yet")
		c := wall.NewRecorder(56 * 24 * time.Hour)
		it := wall.Item{StoryID: e.StoryID, Section: "coast", Kind: "story", Lang: "en", PublishedAt: now.Add(-100 * 24 * time.Hour)}
		for range 1200 {
			v := wall.Visit{Now: now}
			dec := o.Wall.Decide(v, it)
			o.Wall.RecordOn(c, &v, &it, &dec)
		}
		if err := c.Flush(ctx, d, ""); err != nil {
			t.Fatal(err)
		}
		post("/desk/wall/trial", url.Values{"name": {"of nothing new"}, "share": {"50"}, "sample": {"100"}, "days": {"7"}}, 422)
		post("/desk/wall", url.Values{"version": {"0"}, "rule": {"0"}, "name.0": {"all"}, "verdict.0": {"open"}}, 303)
		get("/desk/wall/replay", "1,200 visits", "100.0 %", "0.0 %", "Coast &lt;b&gt;")

		post("/desk/wall/trial", url.Values{"name": {"softer"}, "share": {"100"}, "sample": {"100"}, "days": {"7"}}, 422)
		post("/desk/wall/trial", url.Values{"name": {"softer <b>"}, "share": {"50"}, "sample": {"100"}, "days": {"7"}}, 303)
		post("/desk/wall/trial", url.Values{"name": {"another"}, "share": {"50"}, "sample": {"100"}, "days": {"7"}}, 409)
		get("/desk/wall/trial", "softer &lt;b&gt;", "Nothing can be said yet")
		get("/desk/wall", "ends the trial")
		tr, on := o.Wall.Trial(now)
		if !on {
			t.Fatal("no trial is on")
		}
		for i := range 400 {
			arm := []wall.Arm{wall.ArmA, wall.ArmB}[i%2]
			if c.Joined(arm); arm == wall.ArmB && i%4 == 1 {
				c.Registered(arm)
			}
		}
		if err := c.Flush(ctx, d, tr.ID); err != nil {
			t.Fatal(err)
		}
		get("/desk/wall/trial", "More visitors register with B", "50.0 %")
		post("/desk/wall/trial/end", url.Values{}, 303)
		post("/desk/wall/trial/end", url.Values{}, 404)

		post("/desk/wall/lifts", url.Values{"section": {"coast"}, "hours": {"24"}}, 422)
		post("/desk/wall/lifts", url.Values{"section": {"nowhere"}, "hours": {"24"}, "reason": {"flood"}}, 422)
		post("/desk/wall/lifts", url.Values{"section": {"coast"}, "hours": {"721"}, "reason": {"flood"}}, 422)
		post("/desk/wall/lifts", url.Values{"section": {"coast"}, "hours": {"24"}, "reason": {"flood <b>"}}, 303)
		if got := o.Wall.Decide(wall.Visit{Now: now}, it); got.Rule != wall.ByLift {
			t.Errorf("%+v", got)
		}
		get("/desk/wall", "flood &lt;b&gt;", "open to everybody until")
		lifts, err := o.WallStore.Lifts(ctx, d.Read())
		if err != nil || len(lifts) != 1 || lifts[0].Who != "ada@quay.example" {
			t.Fatalf("%v %v", lifts, err)
		}
		post("/desk/wall/lifts/"+lifts[0].ID+"/end", url.Values{}, 303)
		post("/desk/wall/lifts/"+lifts[0].ID+"/end", url.Values{}, http.StatusNotFound)
		if got := o.Wall.Decide(wall.Visit{Now: now.Add(time.Second)}, it); got.Full {
			t.Errorf("%+v", got)
		}
		// A wall that promises what it does not keep is not put live.
		o.CheckWall = func(context.Context, wall.Design) error {
			return fault.New(fault.Invalid, "the archive is not kept").WithHint("add a rule")
		}
		get("/desk/wall", "the archive is not kept", "cannot be put live yet")
		post("/desk/wall/live", url.Values{"version": {"1"}}, 422)
	})
}
