package desk

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/doc"
	"masthead/internal/job"
	"masthead/internal/plan"
	"masthead/internal/staff"
	"masthead/internal/story"
)

// walk is a story on its way through the newsroom's forms.
type walk struct {
	*office
	*testing.T
	posted []job.Args
}

func newWalk(t *testing.T, d *db.DB) *walk {
	w := &walk{office: newOffice(t, d), T: t}
	w.Plans.Post = func(_ context.Context, _ *db.Tx, a job.Args, _ job.Opts) error {
		w.posted = append(w.posted, a)
		return nil
	}
	w.signIn(t)
	return w
}

// post sends a form and gives the page after it.
func (w *walk) post(path string, want int, pairs ...string) string {
	w.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	got := w.office.ask("POST", path, form)
	if got.Code != want {
		w.Fatalf("POST %s %v = %d, want %d: %s", path, form, got.Code, want, got.Body)
	}
	if want == http.StatusSeeOther {
		return got.Header().Get("Location")
	}
	return got.Body.String()
}

func (w *walk) page(path string, parts ...string) string {
	w.Helper()
	got := w.office.ask("GET", path, nil)
	body := got.Body.String()
	if got.Code != 200 {
		w.Fatalf("GET %s = %d: %s", path, got.Code, body)
	}
	for _, part := range parts {
		if !strings.Contains(body, part) {
			w.Errorf("%s lacks %q:\n%s", path, part, body)
		}
	}
	return body
}

func (w *walk) edition(id string) story.Edition {
	w.Helper()
	e, err := w.Stories.EditionByID(w.Context(), w.DB.Read(), id)
	if err != nil {
		w.Fatal(err)
	}
	return e
}

var markField = regexp.MustCompile(`name="mark" value="([^"]+)"`)

// TestWorkflow brings a story from its pitch to its withdrawal by forms alone.
func TestWorkflow(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWalk(t, d)
		ctx := t.Context()
		section := story.Section{Slug: "city", Names: story.Texts{"en": "City"}}
		topic := story.Topic{Kind: story.Subject, Slug: "harbour", Names: story.Texts{"en": "Harbour", "ar": "الميناء"}}
		author := story.Writer{Slug: "bo", Names: story.Texts{"en": "Bo Byline"}}
		var bo staff.Person
		w.tx(t, func(tx *db.Tx) (err error) {
			if bo, err = w.Staff.Add(ctx, tx, staff.Person{Email: "bo@quay.example", Name: "Bo", Role: staff.Reporter}); err != nil {
				return err
			}
			if err := w.Stories.SaveSection(ctx, tx, &section); err != nil {
				return err
			}
			if err := w.Stories.SaveTopic(ctx, tx, &topic); err != nil {
				return err
			}
			return w.Stories.SaveWriter(ctx, tx, &author)
		})
		w.page("/desk/stories/new", "Begin a story", section.ID)
		for _, bad := range [][]string{{"headline", " ", "lang", "en"}, {"headline", "X", "lang", "xx"}, {"headline", "X", "lang", "en", "section", "none"}} {
			w.post("/desk/stories", 400, bad...)
		}
		to := w.post("/desk/stories", 303, "headline", "The <ferry>", "lang", "en", "section", section.ID, "as", "pitch")
		at := strings.TrimSuffix(to, "?done=story_begun")
		id := strings.TrimPrefix(at, "/desk/stories/")
		if e := w.edition(id); e.Status != story.Pitch || e.Headline != "The <ferry>" {
			t.Fatalf("begun as %+v", e)
		}
		w.page(to, "It is begun.", "The &lt;ferry&gt;", "It has no text.", "It has no topic.")

		// Given to somebody, with a deadline, and planned for a day.
		w.post(at+"/assignments", 303, "staff", bo.ID, "task", "write", "lang", "en", "due", "2026-11-25T12:00", "task_note", "Ask the <captain>.")
		w.post(at+"/assignments", 400, "staff", noSuchID, "task", "write")
		w.post(at+"/assignments", 400, "staff", bo.ID, "task", "write", "lang", "fr")
		w.post(at+"/day", 303, "day", "2026-11-26")
		w.post(at+"/day", 400, "day", "soon")
		w.page(at, "Ask the &lt;captain&gt;.", "Assigned", `value="2026-11-26"`)
		w.page("/desk/plan", "The &lt;ferry&gt;", "Bo", "Nov") // on the board
		w.page("/desk/plan?section="+section.ID+"&lang=en&who="+bo.ID, "The &lt;ferry&gt;")
		if strings.Contains(w.page("/desk/plan?lang=ar"), "ferry") {
			t.Error("the board is not narrowed by language")
		}
		w.page("/desk/plan/calendar", "The &lt;ferry&gt;", "mark-due", "mark-planned", "November 2026")
		w.page("/desk/plan/calendar?week=2026-11-24&section="+section.ID, "The &lt;ferry&gt;", "City", "mark-due")
		if strings.Contains(w.page("/desk/plan/calendar?month=2026-12"), "ferry") {
			t.Error("December shows November")
		}
		w.page("/desk/plan/work", "Nothing is to be done.")
		w.page("/desk/plan/work?of=all", "The &lt;ferry&gt;", "Bo")
		for _, path := range []string{"/desk/plan/calendar?month=x", "/desk/plan?section=none"} {
			if got := w.office.ask("GET", path, nil); got.Code != 404 {
				t.Errorf("%s = %d", path, got.Code)
			}
		}

		// Its facts. A save on facts that have changed since is refused, with what was typed.
		w.post(at+"/begin", 303)
		facts := w.page(at + "/facts")
		mark := markField.FindStringSubmatch(facts)[1]
		form := []string{"mark", mark, "section", section.ID, "topics", "الميناء\n\nharbour", "byline", "Bo byline", "role", "author", "byline", "", "role", "author",
			"access", "open", "slug", "The Ferry!", "meta_title", "Ferry", "meta_description", "", "canonical", "https://first.example/a"}
		w.post(at+"/facts", 400, append(append([]string{}, form...), "byline", "Nobody", "role", "author")...)
		w.post(at+"/facts", 303, form...)
		if page := w.post(at+"/facts", 409, form...); !strings.Contains(page, "Somebody else has changed this") || !strings.Contains(page, "The Ferry!") {
			t.Errorf("a stale save: %s", page)
		}
		st, err := w.Stories.ByID(ctx, d.Read(), w.edition(id).StoryID)
		if e := w.edition(id); err != nil || len(st.Topics) != 1 || st.Topics[0] != topic.ID || len(st.Bylines) != 1 || st.Access != story.Open || e.Slug != "the-ferry" || e.MetaTitle != "Ferry" || e.CanonicalURL != "https://first.example/a" {
			t.Errorf("facts: %+v %+v %v", st, e, err)
		}
		w.post(at+"/words", 303, "headline", "The ferry sails", "headline_version", "0", "summary", "At noon.", "summary_version", "0")
		if page := w.post(at+"/words", 409, "headline", "The ferry sinks", "headline_version", "0"); !strings.Contains(page, "The ferry sinks") || !strings.Contains(page, "The ferry sails") {
			t.Errorf("a stale headline: %s", page)
		}
		if e := w.edition(id); e.Headline != "The ferry sails" || e.Summary != "At noon." {
			t.Errorf("words: %q %q", e.Headline, e.Summary)
		}

		// Checked, sent back, approved, flagged, overruled, scheduled.
		w.post(at+"/submit", 303)
		w.post(at+"/submit", 409)
		w.post(at+"/return", 400)
		w.post(at+"/return", 303, "note", "Who is the <captain>?")
		w.page(at, "sent back", "Who is the &lt;captain&gt;?", "It has no text.")
		w.post(at+"/submit", 303)
		w.post(at+"/approve", 303)
		if page := w.post(at+"/publish", 409, "reason", "I say so"); !strings.Contains(page, "Something must be mended first") {
			t.Errorf("a must was overruled: %s", page)
		}
		w.tx(t, func(tx *db.Tx) error {
			if _, err := w.Drafts.Open(ctx, tx, id); err != nil {
				return err
			}
			e, err := w.Stories.EditionByID(ctx, tx, id)
			if err != nil {
				return err
			}
			e.Body = doc.FromText("It sails at noon.")
			if err := w.Stories.SaveEdition(ctx, tx, &e, "x"); err != nil {
				return err
			}
			return w.Drafts.Follow(ctx, tx, story.Change{EditionID: id})
		})
		w.post(at+"/legal", 303, "legal", "Names a <minor>.")
		if page := w.post(at+"/publish", 409); !strings.Contains(page, "Give a reason") || !strings.Contains(page, "Names a &lt;minor&gt;.") {
			t.Errorf("a warning: %s", page)
		}
		w.post(at+"/embargo", 303, "until", "2026-11-22T18:00")
		w.post(at+"/schedule", 409, "at", "2026-11-22T12:00", "reason", "She is 18.")
		for _, bad := range []string{"", "2026-11-21T12:00", "x"} {
			w.post(at+"/schedule", 400, "at", bad, "reason", "She is 18.")
		}
		w.post(at+"/schedule", 303, "at", "2026-11-22T18:00", "reason", "She is 18.")
		if e := w.edition(id); e.Status != story.Scheduled || e.Body.Words() != 4 {
			t.Errorf("scheduled: %s with %d words", e.Status, e.Body.Words())
		}
		w.page("/desk/plan/calendar", "mark-scheduled", "mark-embargo", "18:00")
		w.page(at, "In spite of warnings:", "She is 18.")
		w.post(at+"/unschedule", 303)
		w.post(at+"/embargo", 303, "until", "")
		w.post(at+"/publish", 303, "reason", "She is 18.")
		e := w.edition(id)
		if e.Status != story.Published || e.Path != "/2026/11/the-ferry/" {
			t.Fatalf("published: %s %s", e.Status, e.Path)
		}

		// What is written after it stays unseen until it is published, and a correction tells of it.
		w.post(at+"/words", 303, "headline", "The ferry sank", "headline_version", "1")
		if e := w.edition(id); e.Headline != "The ferry sails" {
			t.Errorf("readers see %q", e.Headline)
		}
		w.page(at, "The working copy says more", `name="words"`)
		w.post(at+"/correct", 400)
		w.post(at+"/correct", 303, "note", "It sank.", "changed", "“sails” is “sank” now", "words", "1", "reason", "She is 18.")
		corrections, err := w.Stories.Corrections(ctx, d.Read(), st.ID, "en")
		if e := w.edition(id); err != nil || e.Headline != "The ferry sank" || len(corrections) != 1 || corrections[0].Whole() != "It sank. (“sails” is “sank” now)" {
			t.Errorf("corrected: %q %+v %v", e.Headline, corrections, err)
		}
		w.post(at+"/withdraw", 400)
		w.post(at+"/withdraw", 303, "note", "It was another ferry.")
		if e := w.edition(id); e.Status != story.Withdrawn || e.WithdrawnReason != "It was another ferry." {
			t.Errorf("withdrawn: %+v", e)
		}
		w.post(at+"/restore", 303, "reason", "It was this one.")
		if e := w.edition(id); e.Status != story.Published || e.Path != "/2026/11/the-ferry/" || !e.PublishedAt.Equal(now) {
			t.Errorf("restored: %s at %s", e.Status, e.Path)
		}

		// Another language, whose translation gets old.
		to = w.post(at+"/editions", 303, "lang", "ar")
		ar := strings.TrimPrefix(strings.TrimSuffix(to, "?done=story_edition"), "/desk/stories/")
		if again := w.post(at+"/editions", 303, "lang", "ar"); again != to {
			t.Errorf("a second edition in Arabic: %s", again)
		}
		w.post(at+"/editions", 400, "lang", "xx")
		w.page("/desk/stories/"+ar, "العربية")

		// The log has every act, and why.
		entries, err := w.Staff.Audit(ctx, d.Read(), staff.AuditFilter{Object: "edition:" + id}, 100)
		seen := map[staff.Act]bool{}
		for _, entry := range entries {
			seen[entry.Act] = true
		}
		for _, act := range []staff.Act{staff.StartStory, staff.AssignStory, staff.WriteStory, staff.SubmitStory, staff.ApproveStory, staff.PublishStory, staff.Overrule, staff.CorrectStory, staff.Withdraw} {
			if !seen[act] || err != nil {
				t.Errorf("the log lacks %s, %v", act, err)
			}
		}
		// Each letter that was posted can be sent, in the newsroom's language.
		for _, a := range w.posted {
			if l, ok := a.(plan.Letter); ok {
				if err := w.SendPlanLetter(ctx, l); err != nil {
					t.Error(err)
				}
			}
		}
		if len(w.sent) == 0 || w.sent[0].Subject != "For you: The ferry sank" || w.sent[0].To.Email != "bo@quay.example" || !strings.Contains(w.sent[0].Text, "/desk/stories/"+id) || !strings.Contains(w.sent[0].Text, "Ask the <captain>.") {
			t.Errorf("letters: %+v", w.sent)
		}
		sent := len(w.sent)
		w.post("/desk/me/letters", 303, "letters", "")
		if wants, _ := w.Plans.WantsLetters(ctx, d.Read(), w.owner.ID); wants {
			t.Error("letters are still on")
		}
		if err := w.SendPlanLetter(ctx, plan.Letter{Event: plan.TellHeld, StaffID: w.owner.ID, EditionID: id, Note: "alt, rights"}); err != nil || len(w.sent) != sent {
			t.Errorf("a letter to who wants none: %v", err)
		}
		for _, event := range []plan.Event{plan.TellReview, plan.TellReturned, plan.TellApproved, plan.TellPublished, plan.TellWithdrawn, plan.TellHeld, plan.TellDue} {
			err := w.SendPlanLetter(ctx, plan.Letter{Event: event, StaffID: bo.ID, EditionID: id, Note: "alt, rights", At: db.Micros(now)})
			if last := w.sent[len(w.sent)-1]; err != nil || strings.Contains(last.Text+last.Subject, "[desk") {
				t.Errorf("%s: %v %s", event, err, last.Text)
			}
		}
	})
}

// TestMoveTable holds every move against every role, on a story where the move can be made.
func TestMoveTable(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		ctx := t.Context()
		for _, role := range staff.Roles() {
			var p staff.Person
			o.tx(t, func(tx *db.Tx) (err error) {
				if p, err = o.Staff.Add(ctx, tx, staff.Person{Email: string(role) + "@quay.example", Role: role}); err != nil {
					return err
				}
				_, o.jar["staff"], err = o.Staff.StartSession(ctx, tx, p.ID, staff.Made{By: staff.ByPasskey})
				return err
			})
			for _, m := range plan.Moves() {
				if m.Act == "" || m.Name == plan.Assign || m.Checked { // those are refused for other reasons
					continue
				}
				for _, own := range []bool{false, true} {
					st := story.Story{Kind: story.Report, OriginalLang: "en"}
					if own {
						st.CreatedBy = p.ID
					}
					o.tx(t, func(tx *db.Tx) error { return o.Stories.Save(ctx, tx, &st) })
					status := m.From[0]
					if m.Name == plan.Restore {
						status = story.Published
					}
					e := o.add(t, m.Name+string(role), "en", m.Name, status, now.Add(time.Hour), st)
					if status == story.Withdrawn || status == story.Approved || status == story.Pitch || status == story.Review || status == story.Assigned {
						o.tx(t, func(tx *db.Tx) error { // never public
							_, err := tx.ExecContext(ctx, `UPDATE edition SET published_at = 0, path = NULL WHERE id = $1`, e.ID)
							return err
						})
					}
					want := http.StatusForbidden
					if p.May(m.Act, staff.Object{Own: own}) {
						want = http.StatusSeeOther
					}
					got := o.ask("POST", "/desk/stories/"+e.ID+"/"+m.Name, url.Values{"note": {"N"}, "at": {"2026-12-01T10:00"}})
					if got.Code != want {
						t.Errorf("%s by %s (own %v) = %d, want %d", m.Name, role, own, got.Code, want)
					}
					shown := strings.Contains(o.ask("GET", "/desk/stories/"+e.ID, nil).Body.String(), "/"+m.Name+`"`)
					if want == http.StatusForbidden && shown {
						t.Errorf("%s is shown to %s (own %v), who may not", m.Name, role, own)
					}
				}
			}
		}
	})
}

// TestFactsOfThePublished: who may not correct a story cannot change what readers see of it.
func TestFactsOfThePublished(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		ctx := t.Context()
		var p staff.Person
		o.tx(t, func(tx *db.Tx) (err error) {
			if p, err = o.Staff.Add(ctx, tx, staff.Person{Email: "rep@quay.example", Role: staff.Reporter}); err != nil {
				return err
			}
			_, o.jar["staff"], err = o.Staff.StartSession(ctx, tx, p.ID, staff.Made{By: staff.ByPasskey})
			return err
		})
		st := story.Story{Kind: story.Report, OriginalLang: "en", CreatedBy: p.ID}
		o.tx(t, func(tx *db.Tx) error { return o.Stories.Save(ctx, tx, &st) })
		e := o.add(t, "seen", "en", "Seen", story.Published, now.Add(-time.Hour), st)
		at := "/desk/stories/" + e.ID
		for _, form := range []string{"/facts", "/lead", "/lead/upload"} {
			if got := o.ask("POST", at+form, url.Values{"mark": {"x"}, "slug": {"mine"}}); got.Code != 403 {
				t.Errorf("%s of a published story = %d", form, got.Code)
			}
		}
		if page := o.ask("GET", at+"/facts", nil); page.Code != 200 || strings.Contains(page.Body.String(), `name="slug"`) || !strings.Contains(page.Body.String(), "Readers see this story") {
			t.Errorf("the form = %d", page.Code)
		}
		if got := o.ask("POST", at+"/words", url.Values{"headline": {"Unseen"}, "headline_version": {"0"}}); got.Code != 303 {
			t.Errorf("words = %d", got.Code)
		}
		if now, _ := o.Stories.EditionByID(ctx, d.Read(), e.ID); now.Headline != "Seen" {
			t.Errorf("readers see %q", now.Headline)
		}
	})
}

func TestClockOfTheSchedule(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWalk(t, d)
		zone, err := time.LoadLocation("Europe/Paris")
		if err != nil {
			t.Fatal(err)
		}
		w.Config.Timezone = zone
		e := w.add(t, "clock", "en", "The clock", story.Approved, now.Add(time.Hour), story.Story{})
		at := "/desk/stories/" + e.ID
		if page := w.post(at+"/schedule", 400, "at", "2027-03-28T02:30"); !strings.Contains(page, "from 01:59 to 03:00") || !strings.Contains(page, "2027-03-28T02:30") {
			t.Errorf("a time that does not exist: %s", page)
		}
		if page := w.post(at+"/schedule", 400, "at", "2026-10-25T02:30"); !strings.Contains(page, "twice") || !strings.Contains(page, `value="second"`) {
			t.Errorf("a time that comes twice: %s", page)
		}
	})
}
