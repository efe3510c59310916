package plan_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/fetch"
	"masthead/internal/job"
	"masthead/internal/media"
	"masthead/internal/plan"
	"masthead/internal/staff"
	"masthead/internal/story"
)

// room is a newsroom with a clock that the test sets.
type room struct {
	*testing.T
	*plan.Store
	db      *db.DB
	now     time.Time
	posted  []job.Args
	at      []time.Time
	ada, bo staff.Person // an owner, a reporter
	section story.Section
}

func run(t *testing.T, f func(r *room)) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		r := &room{T: t, db: d, now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
		clock := func() time.Time { return r.now }
		stories := &story.Store{Now: clock, DefaultLang: "en", Location: time.UTC}
		people := staff.New()
		people.Now = clock
		r.Store = &plan.Store{Now: clock, Stories: stories, Staff: people, Lang: "en", Origin: "https://quay.example",
			Post: func(_ context.Context, _ *db.Tx, a job.Args, o job.Opts) error {
				r.posted, r.at = append(r.posted, a), append(r.at, o.At)
				return nil
			}}
		r.section = story.Section{Slug: "city", Names: story.Texts{"en": "City"}}
		r.tx(func(tx *db.Tx) (err error) {
			if r.ada, err = people.Add(t.Context(), tx, staff.Person{Email: "ada@quay.example", Name: "Ada", Role: staff.Owner}); err != nil {
				return err
			}
			if r.bo, err = people.Add(t.Context(), tx, staff.Person{Email: "bo@quay.example", Role: staff.Reporter}); err != nil {
				return err
			}
			return stories.SaveSection(t.Context(), tx, &r.section)
		})
		f(r)
	})
}

func (r *room) tx(fn func(tx *db.Tx) error) {
	r.Helper()
	if err := r.db.InTx(r.Context(), fn); err != nil {
		r.Fatal(err)
	}
}

// add keeps a story that passes every check, of that status.
func (r *room) add(status story.Status) story.Edition {
	r.Helper()
	ctx := r.Context()
	topic := story.Topic{Kind: story.Subject, Slug: "harbour", Names: story.Texts{"en": "Harbour"}}
	author := story.Writer{Slug: "bo", Names: story.Texts{"en": "Bo"}}
	e := story.Edition{Lang: "en", Headline: "The ferry", Summary: "It sails.", Status: status, Body: doc.FromText("It sails at noon.")}
	r.tx(func(tx *db.Tx) error {
		if err := r.Stories.SaveTopic(ctx, tx, &topic); err != nil {
			return err
		}
		if err := r.Stories.SaveWriter(ctx, tx, &author); err != nil {
			return err
		}
		st := story.Story{OriginalLang: "en", SectionID: r.section.ID, Topics: []string{topic.ID}, CreatedBy: r.bo.ID,
			Bylines: []story.Byline{{AuthorID: author.ID, Role: story.Author}}}
		if err := r.Stories.Save(ctx, tx, &st); err != nil {
			return err
		}
		e.StoryID = st.ID
		switch status {
		case story.Scheduled:
			e.PublishedAt = r.now.Add(time.Hour)
		case story.Withdrawn:
			e.Status = story.Published
			if err := r.Stories.SaveEdition(ctx, tx, &e, "x"); err != nil {
				return err
			}
			e.Status, e.WithdrawnReason = story.Withdrawn, "Wrong."
		}
		return r.Stories.SaveEdition(ctx, tx, &e, "x")
	})
	return e
}

func (r *room) do(o plan.Order) (d plan.Done, err error) {
	err = r.db.InTx(r.Context(), func(tx *db.Tx) (err error) { d, err = r.Do(r.Context(), tx, o); return err })
	return d, err
}

func (r *room) letters() (list []string) {
	for _, a := range r.posted {
		if l, ok := a.(plan.Letter); ok {
			who := map[string]string{r.ada.ID: "ada", r.bo.ID: "bo"}[l.StaffID]
			list = append(list, string(l.Event)+" "+who)
		}
	}
	r.posted = nil
	return list
}

// TestMoves tries every move from every status: it is made exactly where the
// table says so, and leaves the status, the history and nothing else behind.
func TestMoves(t *testing.T) {
	run(t, func(r *room) {
		for _, m := range plan.Moves() {
			if m.Act != "" && !slices.Contains(staff.Acts(), m.Act) {
				t.Errorf("%s takes the unknown act %s", m.Name, m.Act)
			}
			for _, from := range plan.Columns() {
				e := r.add(from)
				d, err := r.do(plan.Order{EditionID: e.ID, Move: m.Name, By: r.ada, Note: "A note.", At: r.now.Add(2 * time.Hour)})
				want := slices.Contains(m.From, from) && m.Was != plan.Never
				if want != (err == nil) || !want && !fault.Is(err, fault.Conflict) {
					t.Errorf("%s from %s: %v", m.Name, from, err)
				}
				got, readErr := r.Stories.EditionByID(t.Context(), r.db.Read(), e.ID)
				history, historyErr := r.History(t.Context(), r.db.Read(), e.ID)
				if readErr != nil || historyErr != nil {
					t.Fatal(readErr, historyErr)
				}
				if !want {
					if got.Status != from || len(history) > 0 {
						t.Errorf("%s from %s was refused and left %s, %v", m.Name, from, got.Status, history)
					}
					continue
				}
				if got.Status != m.To || d.Edition.Status != m.To || len(history) != 1 || history[0].Name != m.Name || history[0].Was != from || history[0].Became != m.To || history[0].Who != "Ada" || !history[0].At.Equal(r.now) {
					t.Errorf("%s from %s left %s, %+v", m.Name, from, got.Status, history)
				}
				if off := m.To == story.Approved || m.To == story.Draft; off && (got.Path != "" || !got.PublishedAt.IsZero()) {
					t.Errorf("%s from %s keeps %q, %v", m.Name, from, got.Path, got.PublishedAt)
				}
			}
		}
		// What was dropped without being public can be opened again; what was public cannot.
		e := r.add(story.Pitch)
		for _, name := range []string{plan.Drop, "reopen", "submit", "approve"} {
			if _, err := r.do(plan.Order{EditionID: e.ID, Move: name, By: r.ada, Note: "Not now."}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, o := range []plan.Order{{Move: "return"}, {Move: "none"}, {Move: plan.Schedule, At: r.now}, {Move: "return", Note: strings.Repeat("x", 5000)}} {
			o.EditionID, o.By = e.ID, r.ada
			if _, err := r.do(o); !fault.Is(err, fault.Invalid) {
				t.Errorf("%+v: %v", o.Move, err)
			}
		}
		if _, err := r.do(plan.Order{EditionID: db.NewID(), Move: "submit", By: r.ada}); !fault.Is(err, fault.NotFound) {
			t.Errorf("what is not there: %v", err)
		}
	})
}

func TestChecks(t *testing.T) {
	run(t, func(r *room) {
		ctx := t.Context()
		e := r.add(story.Approved)
		st, err := r.Stories.ByID(ctx, r.db.Read(), e.StoryID)
		if err != nil {
			t.Fatal(err)
		}
		failed := func() (list []string) {
			t.Helper()
			checks, err := r.Checks(ctx, r.db.Read(), st, e, r.now)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range checks {
				mark := "?"
				if c.Must {
					mark = "!"
				}
				list = append(list, strings.TrimSpace(mark+string(c.Kind)+" "+c.About))
			}
			return list
		}
		if got := failed(); len(got) > 0 {
			t.Fatalf("a good story fails %v", got)
		}
		good := e
		st.SectionID, st.Topics, st.Bylines = "", nil, nil
		e.Headline, e.Summary, e.Body, e.EmbargoUntil = " ", "", doc.Empty(), r.now.Add(time.Minute)
		if diff := cmp.Diff([]string{"!headline", "!section", "!body", "!embargo", "?summary", "?topic", "?byline"}, failed()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		st, e = story.Story{}, good
		if st, err = r.Stories.ByID(ctx, r.db.Read(), e.StoryID); err != nil {
			t.Fatal(err)
		}
		e.Body, err = doc.Parse([]byte(`{"type":"doc","content":[
			{"type":"figure","attrs":{"src":"https://x.example/boat.jpg"}},
			{"type":"paragraph","content":[
				{"type":"text","text":"own","marks":[{"type":"link","attrs":{"href":"/2026/10/never/"}}]},
				{"type":"text","text":"section","marks":[{"type":"link","attrs":{"href":"https://quay.example/city/"}}]},
				{"type":"text","text":"topic","marks":[{"type":"link","attrs":{"href":"/topic/none/"}}]},
				{"type":"text","text":"gone","marks":[{"type":"link","attrs":{"href":"https://gone.example/a"}}]}]}]}`))
		if err != nil {
			t.Fatal(err)
		}
		r.tx(func(tx *db.Tx) error {
			if _, err := tx.ExecContext(ctx, `INSERT INTO link_check (url, at, result) VALUES ('https://gone.example/a', 1, 'gone')`); err != nil {
				return err
			}
			return r.SetLegal(ctx, tx, st.ID, "Names a minor.", r.ada.ID)
		})
		if diff := cmp.Diff([]string{"!alt boat.jpg", "?credit boat.jpg", "?link /2026/10/never/", "?link /topic/none/", "?link https://gone.example/a", "?legal Names a minor."}, failed()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		// A picture whose rights end before the story is to be public.
		m := media.Media{Kind: media.Picture, Name: "boat.jpg", MIME: "image/jpeg", Hash: strings.Repeat("a", 64), Blob: "b", Credit: "Ana", Focal: media.Middle,
			Alts: map[string]string{"en": "A boat"}, RightsUntil: r.now.Add(time.Hour)}
		r.Media = media.NewStore(r.db, nil)
		r.tx(func(tx *db.Tx) error { return r.Media.Save(ctx, tx, &m) })
		body := e.Body
		st.LeadMediaID, e.Body = m.ID, good.Body
		if got := failed(); slices.Contains(got, "!rights boat.jpg") {
			t.Errorf("rights that last: %v", got)
		}
		r.now = r.now.Add(time.Hour)
		if diff := cmp.Diff([]string{"!rights boat.jpg", "?legal Names a minor."}, failed()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		st.LeadMediaID, e.Body = "", body
		st.Kind = story.Page // which needs no section, topic, byline or summary
		st.SectionID, st.Topics, st.Bylines, e.Summary, e.Body = "", nil, nil, "", good.Body
		if diff := cmp.Diff([]string{"?legal Names a minor."}, failed()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		// A translation of words that have changed since.
		ar := story.Edition{StoryID: good.StoryID, Lang: "ar", Headline: "العبّارة", Summary: "تبحر", Body: good.Body, Status: story.Approved}
		r.tx(func(tx *db.Tx) error {
			if err := r.Stories.SaveEdition(ctx, tx, &ar, "x"); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO translation (edition_id, revision) VALUES ($1, 1)`, ar.ID); err != nil {
				return err
			}
			good.Headline = "The ferry floats"
			return r.Stories.SaveEdition(ctx, tx, &good, "x")
		})
		if e = ar; !slices.Contains(failed(), "?outdated") {
			t.Errorf("an outdated translation fails only %v", failed())
		}
	})
}

func TestOverruleAndHold(t *testing.T) {
	run(t, func(r *room) {
		ctx := t.Context()
		e := r.add(story.Approved)
		r.tx(func(tx *db.Tx) error { return r.SetLegal(ctx, tx, e.StoryID, "Ask the lawyer.", r.ada.ID) })
		order := plan.Order{EditionID: e.ID, Move: plan.Schedule, By: r.ada, At: r.now.Add(time.Hour)}
		_, err := r.do(order)
		if refused, ok := errors.AsType[*plan.Refused](err); !ok || refused.Musts() || !fault.Is(err, fault.Conflict) {
			t.Fatalf("a warning did not refuse: %v", err)
		}
		order.Reason = "She has called: it is fine."
		if _, err := r.do(order); !fault.Is(err, fault.Forbidden) {
			t.Errorf("overruled by who may not: %v", err)
		}
		order.MayOverrule = true
		if _, err := r.do(order); err != nil {
			t.Fatal(err)
		}
		history, _ := r.History(ctx, r.db.Read(), e.ID)
		log, err := r.Staff.Audit(ctx, r.db.Read(), staff.AuditFilter{Act: staff.Overrule}, 10)
		if err != nil || len(history) != 1 || history[0].Overruled != order.Reason || len(log) != 1 || log[0].Detail["warnings"] != "legal" || log[0].Detail["reason"] != order.Reason {
			t.Errorf("history %+v, log %+v, %v", history, log, err)
		}
		if i := slices.IndexFunc(r.posted, func(a job.Args) bool { return a == job.Args(plan.PublishDue{}) }); i < 0 || !r.at[i].Equal(order.At) {
			t.Errorf("no job at its time: %v %v", r.posted, r.at)
		}
		r.letters()

		// By then a must has failed: it is held back, once, and those concerned hear it.
		other := r.add(story.Scheduled)
		r.tx(func(tx *db.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE story SET section_id = NULL WHERE id = $1`, e.StoryID)
			return err
		})
		r.now = r.now.Add(2 * time.Hour)
		published, held, err := r.PublishDue(ctx, r.db)
		if published != 1 || held != 1 || err != nil {
			t.Errorf("%d published, %d held, %v", published, held, err)
		}
		if got, _ := r.Stories.EditionByID(ctx, r.db.Read(), e.ID); got.Status != story.Approved || got.Path != "" {
			t.Errorf("held back, it is %s at %q", got.Status, got.Path)
		}
		if got, _ := r.Stories.EditionByID(ctx, r.db.Read(), other.ID); got.Status != story.Published || !got.PublishedAt.Equal(other.PublishedAt) {
			t.Errorf("due, it is %s of %v", got.Status, got.PublishedAt)
		}
		letters := r.letters()
		slices.Sort(letters)
		if diff := cmp.Diff([]string{"held ada", "held bo", "published bo"}, letters); diff != "" {
			t.Errorf("letters (-want +got)\n%s", diff)
		}
		if published, held, err := r.PublishDue(ctx, r.db); published+held != 0 || err != nil {
			t.Errorf("again: %d, %d, %v", published, held, err)
		}
	})
}

func TestMoment(t *testing.T) {
	for _, c := range []struct {
		zone, text string
		turn       plan.Turn
		want       string // RFC 3339 in UTC; "none", "two"
	}{
		{"Europe/Paris", "2026-03-29T01:59", "", "2026-03-29T00:59:00Z"},
		{"Europe/Paris", "2026-03-29T02:30", "", "none"},
		{"Europe/Paris", "2026-03-29T03:00", "", "2026-03-29T01:00:00Z"},
		{"Europe/Paris", "2026-10-25T02:30", "", "two"},
		{"Europe/Paris", "2026-10-25T02:30", plan.First, "2026-10-25T00:30:00Z"},
		{"Europe/Paris", "2026-10-25T02:30", plan.Second, "2026-10-25T01:30:00Z"},
		{"Europe/Paris", "2026-10-25T03:00", "", "2026-10-25T02:00:00Z"},
		{"America/New_York", "2026-03-08T02:00", "", "none"},
		{"America/New_York", "2026-11-01T01:00", "", "two"},
		{"America/New_York", "2026-11-01T01:59", plan.Second, "2026-11-01T06:59:00Z"},
		{"America/New_York", "2026-11-01T02:00", "", "2026-11-01T07:00:00Z"},
		{"Asia/Beirut", "2026-03-29T00:00", "", "none"}, // the clock is put forward at midnight
		{"Asia/Beirut", "2026-03-29T00:59", plan.First, "none"},
		{"Asia/Beirut", "2026-03-29T01:00", "", "2026-03-28T22:00:00Z"},
		{"Asia/Beirut", "2026-10-24T23:30", "", "two"},
		{"Asia/Beirut", "2026-10-25T00:00", "", "2026-10-24T22:00:00Z"},
		{"Pacific/Apia", "2011-12-30T12:00", "", "none"}, // a day that never was
		{"UTC", "2026-03-29T02:30", "", "2026-03-29T02:30:00Z"},
	} {
		loc, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, err := plan.Moment(c.text, loc, c.turn)
		got := at.UTC().Format(time.RFC3339)
		if _, ok := errors.AsType[*plan.NoSuchTime](err); ok {
			got = "none"
		} else if _, ok := errors.AsType[*plan.TwoTimes](err); ok {
			got = "two"
		} else if err != nil {
			got = err.Error()
		}
		if got != c.want || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s in %s = %s, want %s", c.text, c.zone, got, c.want)
		}
	}
	paris, _ := time.LoadLocation("Europe/Paris")
	_, err := plan.Moment("2026-03-29T02:30", paris, "")
	if gap, ok := errors.AsType[*plan.NoSuchTime](err); !ok || gap.Before.Format("15:04") != "01:59" || gap.After.Format("15:04") != "03:00" {
		t.Errorf("the gap is %+v", gap)
	}
	for _, text := range []string{"", "tomorrow", "2026-02-30T10:00", "2026-11-23T25:00", "2026-11-23T10:00:00Z"} {
		if _, err := plan.Moment(text, paris, ""); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestAssignments(t *testing.T) {
	run(t, func(r *room) {
		ctx := t.Context()
		e := r.add(story.Pitch)
		a := plan.Assignment{StoryID: e.StoryID, StaffID: r.bo.ID, Task: plan.Write, Note: "By Friday.", DueAt: r.now.Add(20 * time.Hour)}
		r.tx(func(tx *db.Tx) error { return r.Assign(ctx, tx, &a, r.ada) })
		if got, _ := r.Stories.EditionByID(ctx, r.db.Read(), e.ID); got.Status != story.Assigned {
			t.Errorf("a pitch given to somebody is %s", got.Status)
		}
		if diff := cmp.Diff([]string{"assigned bo"}, r.letters()); diff != "" {
			t.Error(diff)
		}
		remind := func() []string {
			r.tx(func(tx *db.Tx) error { return r.Remind(ctx, tx) })
			return r.letters()
		}
		if diff := cmp.Diff([]string{"due bo"}, remind()); diff != "" {
			t.Error(diff)
		}
		if again := remind(); len(again) > 0 {
			t.Errorf("reminded twice: %v", again)
		}
		works, err := r.Works(ctx, r.db.Read(), r.bo.ID, 10)
		if err != nil || len(works) != 1 || works[0].Headline != "The ferry" || works[0].EditionID != e.ID || !works[0].DueAt.Equal(a.DueAt) || works[0].Note != "By Friday." {
			t.Errorf("works %+v, %v", works, err)
		}
		if works, _ := r.Works(ctx, r.db.Read(), r.ada.ID, 10); len(works) != 0 {
			t.Errorf("another's: %+v", works)
		}
		r.tx(func(tx *db.Tx) error { return r.SetDone(ctx, tx, e.StoryID, a.ID, true) })
		if works, _ := r.Works(ctx, r.db.Read(), "", 10); len(works) != 0 {
			t.Errorf("done: %+v", works)
		}
		if all, _ := r.AssignmentsOf(ctx, r.db.Read(), e.StoryID); len(all) != 1 || !all[0].DoneAt.Equal(r.now) {
			t.Errorf("of the story: %+v", all)
		}
		r.tx(func(tx *db.Tx) error { return r.SetLetters(ctx, tx, r.bo.ID, false) })
		quiet := plan.Assignment{StoryID: e.StoryID, StaffID: r.bo.ID, Task: plan.Edit}
		r.tx(func(tx *db.Tx) error { return r.Assign(ctx, tx, &quiet, r.ada) })
		if list := r.letters(); len(list) > 0 {
			t.Errorf("a letter to who wants none: %v", list)
		}
		for _, bad := range []plan.Assignment{{StoryID: e.StoryID, StaffID: r.bo.ID, Task: "sing"}, {StoryID: e.StoryID, StaffID: db.NewID(), Task: plan.Write}} {
			if err := r.db.InTx(ctx, func(tx *db.Tx) error { return r.Assign(ctx, tx, &bad, r.ada) }); !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.NotFound) {
				t.Errorf("%+v: %v", bad, err)
			}
		}
		if err := r.db.InTx(ctx, func(tx *db.Tx) error { return r.Unassign(ctx, tx, db.NewID(), a.ID) }); !fault.Is(err, fault.NotFound) {
			t.Errorf("another story's assignment: %v", err)
		}
	})
}

func TestBoardAndCalendar(t *testing.T) {
	run(t, func(r *room) {
		ctx := t.Context()
		byStatus := map[story.Status]story.Edition{}
		for _, status := range plan.Columns() {
			byStatus[status] = r.add(status)
		}
		r.tx(func(tx *db.Tx) error {
			a := plan.Assignment{StoryID: byStatus[story.Draft].StoryID, StaffID: r.ada.ID, Task: plan.Edit, DueAt: r.now.Add(48 * time.Hour)}
			if err := r.Assign(ctx, tx, &a, r.bo); err != nil {
				return err
			}
			if err := r.SetDay(ctx, tx, byStatus[story.Pitch].StoryID, 20261125); err != nil {
				return err
			}
			return r.SetEmbargo(ctx, tx, byStatus[story.Review].ID, r.now.Add(72*time.Hour), "x")
		})
		for _, status := range plan.Columns() {
			cards, more, err := r.Column(ctx, r.db.Read(), status, plan.Filter{SectionIDs: []string{r.section.ID}, Lang: "en", StaffID: r.bo.ID}, 5)
			if err != nil || more || len(cards) != 1 || cards[0].EditionID != byStatus[status].ID {
				t.Errorf("%s: %+v %v %v", status, cards, more, err)
			}
		}
		if cards, _, _ := r.Column(ctx, r.db.Read(), story.Draft, plan.Filter{StaffID: r.ada.ID}, 5); len(cards) != 1 || len(cards[0].Work) != 1 {
			t.Errorf("of Ada's: %+v", cards)
		}
		for _, f := range []plan.Filter{{SectionIDs: []string{"x"}}, {Lang: "ar"}, {StaffID: "x"}} {
			if cards, _, err := r.Column(ctx, r.db.Read(), story.Draft, f, 5); len(cards) > 0 || err != nil {
				t.Errorf("%+v: %v %v", f, cards, err)
			}
		}
		entries, err := r.Calendar(ctx, r.db.Read(), r.now.Truncate(24*time.Hour), r.now.AddDate(0, 0, 7), plan.Filter{})
		var got []string
		for _, e := range entries {
			got = append(got, string(e.Mark)+" "+plan.DayText(e.Day))
		}
		if diff := cmp.Diff([]string{"scheduled 2026-11-23", "planned 2026-11-25", "due 2026-11-25", "embargo 2026-11-26"}, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got)\n%s", err, diff)
		}
		r.now = r.now.Add(plan.Recent + time.Hour)
		if cards, _, _ := r.Column(ctx, r.db.Read(), story.Published, plan.Filter{}, 5); len(cards) != 0 {
			t.Errorf("a week later: %+v", cards)
		}
	})
}

func TestCheckLinks(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/gone":
			w.WriteHeader(http.StatusGone)
		case "/shut":
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer server.Close()
	run(t, func(r *room) {
		ctx := t.Context()
		r.Fetch = fetch.New(fetch.Options{AllowPrivate: true})
		e := r.add(story.Draft)
		body := `{"type":"doc","content":[{"type":"paragraph","content":[`
		for i, path := range []string{"/good", "/gone", "/shut"} {
			if i > 0 {
				body += ","
			}
			body += `{"type":"text","text":"x` + path + `","marks":[{"type":"link","attrs":{"href":"` + server.URL + path + `"}}]}`
		}
		var err error
		if e.Body, err = doc.Parse([]byte(body + `]}]}`)); err != nil {
			t.Fatal(err)
		}
		r.tx(func(tx *db.Tx) error { return r.Stories.SaveEdition(ctx, tx, &e, "x") })
		if err := r.CheckLinks(ctx, r.db, e.ID); err != nil {
			t.Fatal(err)
		}
		rows, err := r.db.Read().QueryContext(ctx, `SELECT url, result FROM link_check ORDER BY url`)
		got, err := db.Rows(rows, err, func(row db.Scanner) (s string, err error) {
			var u, result string
			err = row.Scan(&u, &result)
			return strings.TrimPrefix(u, server.URL) + " " + result, err
		})
		if diff := cmp.Diff([]string{"/gone gone", "/good good", "/shut away"}, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got)\n%s", err, diff)
		}
		st, _ := r.Stories.ByID(ctx, r.db.Read(), e.StoryID)
		checks, err := r.Checks(ctx, r.db.Read(), st, e, r.now)
		if err != nil || len(checks) != 1 || checks[0].Kind != plan.DeadLink || checks[0].About != server.URL+"/gone" {
			t.Errorf("%+v %v", checks, err)
		}
	})
}
