package wall

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/fault"
)

func design(conditions ...string) Design {
	d := Design{Words: Words{}}
	for i, c := range conditions {
		when, grant, _ := strings.Cut(c, " → ")
		d.Rules = append(d.Rules, RuleText{fmt.Sprint("rule ", i), when, grant})
	}
	return d
}

func TestDrafts(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		told := 0
		ctx, s := t.Context(), &Store{Now: func() time.Time { return noon }, Changed: nil}
		s.Changed = func(context.Context, db.Queryer) error { told++; return nil }
		save := func(design Design, seen int64) (draft Draft, err error) {
			err = d.InTx(ctx, func(tx *db.Tx) error { draft, err = s.SaveDraft(ctx, tx, design, seen, "ada"); return err })
			return draft, err
		}
		live := func(seen, over int64) (seq int64, err error) {
			err = d.InTx(ctx, func(tx *db.Tx) error { seq, err = s.PutDraftLive(ctx, tx, seen, over, "ada"); return err })
			return seq, err
		}
		none, err := s.Draft(ctx, d.Read())
		if err != nil || none.Version != 0 || !none.Design.Equal(DesignOf(DefaultRules(), nil, nil)) {
			t.Fatalf("%+v %v", none, err)
		}
		// What is half written is kept, and cannot be put live.
		first, err := save(design("story.age_days > → register"), 0)
		if err != nil || first.Version != 1 || told != 0 {
			t.Fatalf("%+v %v", first, err)
		}
		for _, seen := range []int64{0, 2} {
			if _, err := save(design("true → open"), seen); !fault.Is(err, fault.Conflict) {
				t.Errorf("saved over what was not seen (%d): %v", seen, err)
			}
		}
		if _, err := live(1, 0); !fault.Is(err, fault.Invalid) {
			t.Errorf("a broken wall is live: %v", err)
		}
		good := design("story.age_days > 30 → register", "true → open")
		good.Words["en"] = map[string]string{"button": "Go on"}
		good.Benefits = []Promise{{"archive", map[string]string{"en": "All of it"}}}
		if draft, err := save(good, 1); err != nil || draft.Version != 2 {
			t.Fatalf("%+v %v", draft, err)
		}
		if _, err := live(1, 0); !fault.Is(err, fault.Conflict) {
			t.Errorf("what was not seen is live: %v", err)
		}
		if seq, err := live(2, 0); err != nil || seq != 2 {
			t.Fatalf("%d %v", seq, err)
		}
		now, err := s.Live(ctx, d.Read())
		if err != nil || !now.Equal(good) {
			t.Errorf("%+v %v", now, err)
		}
		// What was there before is a version too, and can come back.
		versions, err := s.Versions(ctx, d.Read(), 10)
		if err != nil || len(versions) != 2 || !versions[1].Design.Equal(none.Design) || versions[0].Who != "ada" {
			t.Fatalf("%+v %v", versions, err)
		}
		// A draft that began before another wall was put live says over which it goes.
		if _, err := save(design("true → register"), 0); err != nil {
			t.Fatal(err)
		}
		inTx(t, d, func(tx *db.Tx) error { _, err := s.PutLive(ctx, tx, none.Design, ""); return err })
		if _, err := live(1, 2); !fault.Is(err, fault.Conflict) {
			t.Errorf("over another's wall: %v", err)
		}
		if seq, err := live(1, 3); err != nil || seq != 4 {
			t.Errorf("%d %v", seq, err)
		}
		if _, err := s.Version(ctx, d.Read(), 9); !fault.Is(err, fault.NotFound) {
			t.Errorf("version 9: %v", err)
		}
		for _, bad := range []Words{{"en": {"nothing": "x"}}, {"en": {"button": strings.Repeat("x", 31)}}, {"en": {"register.sentence": "{n} of"}}, {"en": {"button": "a\nb"}}} {
			b := design("true → open")
			b.Words = bad
			if _, err := save(b, 0); !fault.Is(err, fault.Invalid) {
				t.Errorf("%v: %v", bad, err)
			}
		}
	})
}

func TestLifts(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		now := noon
		ctx, s, w := t.Context(), &Store{Now: func() time.Time { return now }}, &Wall{}
		inTx(t, d, func(tx *db.Tx) error { _, err := s.PutLive(ctx, tx, design("true → subscribe"), ""); return err })
		var l Lift
		inTx(t, d, func(tx *db.Tx) (err error) {
			l, err = s.LiftFrom(ctx, tx, Lift{Section: "coast", Reason: "the flood", Who: "ada", End: noon.Add(time.Hour)})
			return err
		})
		for _, bad := range []Lift{{Reason: "r", End: noon}, {Reason: "r", End: noon.Add(LiftMax + 1)}, {Reason: " ", End: noon.Add(1)}} {
			if err := d.InTx(ctx, func(tx *db.Tx) error { _, err := s.LiftFrom(ctx, tx, bad); return err }); !fault.Is(err, fault.Invalid) {
				t.Errorf("%+v: %v", bad, err)
			}
		}
		if err := w.Load(ctx, d.Read()); err != nil {
			t.Fatal(err)
		}
		if got := w.Edge(noon); !got.Equal(l.End) {
			t.Errorf("the edge is %v", got)
		}
		for _, c := range []struct {
			name string
			it   Item
			at   time.Time
			full bool
		}{
			{"in the section", Item{Section: "coast"}, noon, true},
			{"in a part of it", Item{Section: "harbour", Sections: []string{"harbour", "coast"}}, noon, true},
			{"elsewhere", Item{Section: "town"}, noon, false},
			{"in its last moment", Item{Section: "coast"}, l.End.Add(-1), true},
			{"at its end", Item{Section: "coast"}, l.End, false},
			{"before", Item{Section: "coast"}, noon.Add(-1), false},
			{"asks to register", Item{Section: "coast", Access: "registered"}, noon, true},
			{"is sold by itself", Item{Section: "coast", Access: "tier:friend"}, noon, false},
			{"behind a password", Item{Section: "coast", Protected: true}, noon, false},
			{"with an access nobody knows", Item{Section: "coast", Access: "odd"}, noon, false},
		} {
			if got := w.Decide(Visit{Now: c.at}, c.it); got.Full != c.full || c.full && got.Rule != ByLift {
				t.Errorf("%s: %+v", c.name, got)
			}
		}
		steps := w.Why(Visit{Now: noon}, Item{Section: "coast"})
		if len(steps) != 1 || !strings.Contains(steps[0].Reason, "the flood") {
			t.Errorf("%v", steps)
		}
		now = noon.Add(time.Minute)
		inTx(t, d, func(tx *db.Tx) error { _, err := s.EndLift(ctx, tx, l.ID); return err })
		if err := d.InTx(ctx, func(tx *db.Tx) error { _, err := s.EndLift(ctx, tx, l.ID); return err }); !fault.Is(err, fault.NotFound) {
			t.Errorf("ended twice: %v", err)
		}
		if err := w.Load(ctx, d.Read()); err != nil || w.Decide(Visit{Now: now}, Item{Section: "coast"}).Full {
			t.Errorf("it goes on: %v", err)
		}
	})
}

func TestTrial(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		ctx, s, w := t.Context(), &Store{Now: func() time.Time { return noon }}, &Wall{}
		start := func(tr Trial) (Trial, error) {
			err := d.InTx(ctx, func(tx *db.Tx) (err error) { tr, err = s.StartTrial(ctx, tx, tr); return err })
			return tr, err
		}
		good := Trial{Name: "harder", Share: 30, Sample: 100, Design: design("true → register"), End: noon.Add(days(7))}
		for name, change := range map[string]func(*Trial){"share": func(t *Trial) { t.Share = 100 }, "sample": func(t *Trial) { t.Sample = 9 }, "end": func(t *Trial) { t.End = noon.Add(days(91)) },
			"name": func(t *Trial) { t.Name = "" }, "rules": func(t *Trial) { t.Design = design("nonsense → open") }} {
			bad := good
			change(&bad)
			if _, err := start(bad); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		inTx(t, d, func(tx *db.Tx) error {
			_, err := s.PutLive(ctx, tx, design("true → meter 2 per 7 days"), "")
			return err
		})
		tr, err := start(good)
		if err != nil || tr.Number != 1 {
			t.Fatalf("%+v %v", tr, err)
		}
		if _, err := start(good); !fault.Is(err, fault.Conflict) {
			t.Errorf("two at once: %v", err)
		}
		if err := w.Load(ctx, d.Read()); err != nil {
			t.Fatal(err)
		}
		it := Item{StoryID: "s"}
		// Whoever has no cookie has the wall that is live, and is in no arm.
		if got := w.Decide(Visit{Now: noon}, it); !got.Full || got.Arm != NoArm || !got.Count {
			t.Errorf("%+v", got)
		}
		keys := MeterKeys{keyA}
		for random, arm := range map[int]Arm{29: ArmB, 30: ArmA} {
			m, got, joined := w.Draw((&Meter{}).With("x", noon), noon, random)
			if got != arm || !joined {
				t.Fatalf("%d draws %v", random, got)
			}
			m = m.With("y", noon)
			m, ok := keys.Read(keys.Write(m))
			if dec := w.Decide(Visit{Now: noon, Meter: m}, Item{StoryID: "x"}); !ok || m.Len() != 2 || dec.Arm != arm || dec.Full != (arm == ArmA) {
				t.Errorf("arm %v: %+v", arm, dec)
			}
			if _, _, again := w.Draw(m, noon, 0); again {
				t.Error("drawn twice")
			}
			if dec := w.Decide(Visit{Now: tr.End, Meter: m}, Item{StoryID: "x"}); dec.Arm != NoArm {
				t.Errorf("in an arm of what is over: %+v", dec)
			}
		}
		inB := 0
		for i := range 20_000 {
			v := Visit{Now: noon, Reader: Reader{ID: fmt.Sprintf("0193b6f0-0000-7000-8000-%012d", i), State: Registered}}
			got := w.Decide(v, it)
			if again := w.Decide(v, it); again != got || got.Arm == NoArm {
				t.Fatalf("%+v, then %+v", got, again)
			}
			if got.Arm == ArmB {
				inB++
			}
		}
		if inB < 5800 || inB > 6200 { // 30 %, three standard deviations of 65
			t.Errorf("%d of 20000 are in arm B", inB)
		}
		if got := w.Decide(Visit{Now: noon, Crawler: "Bot", Reader: Reader{}}, it); got.Arm != NoArm {
			t.Errorf("a crawler is in it: %+v", got)
		}
		decides := 0
		for _, step := range w.Why(Visit{Now: noon, Reader: Reader{ID: "r", State: Registered}}, it) {
			if step.Decides {
				decides++
			}
		}
		if decides != 1 {
			t.Errorf("%d steps decide", decides)
		}
		// Counts of two nodes come together.
		for range 2 {
			c := NewRecorder(0)
			c.Joined(ArmB)
			c.Registered(ArmB)
			m, _, _ := w.Draw(nil, noon, 0)
			v, dec := Visit{Now: noon, Meter: m}, w.Decide(Visit{Now: noon, Meter: m}, it)
			w.RecordOn(c, &v, &it, &dec)
			if err := c.Flush(ctx, d, tr.ID); err != nil {
				t.Fatal(err)
			}
		}
		a, b, err := s.TrialCounts(ctx, d.Read(), tr.ID)
		if diff := cmp.Diff([]Counts{{}, {Joined: 2, Registrations: 2, Decisions: 2, Walls: 2}}, []Counts{a, b}); diff != "" || err != nil {
			t.Errorf("%s %v", diff, err)
		}
		// Another wall ends the trial; the next has another mark.
		inTx(t, d, func(tx *db.Tx) error { _, err := s.PutLive(ctx, tx, design("true → open"), ""); return err })
		if err := w.Load(ctx, d.Read()); err != nil {
			t.Fatal(err)
		}
		if _, on := w.Trial(noon); on {
			t.Error("it goes on")
		}
		if next, err := start(good); err != nil || next.Mark() == tr.Mark() {
			t.Errorf("%+v %v", next, err)
		}
	})
}

func TestReplay(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		now := noon
		ctx, s := t.Context(), &Store{Now: func() time.Time { return now }}
		w, err := New([]Rule{{Name: "partner", When: `visit.referrer == "partner.example"`, Grant: MustGrant("open")}, {Name: "meter", When: "true", Grant: MustGrant("meter 2 per 30 days")}})
		if err != nil {
			t.Fatal(err)
		}
		c := NewRecorder(days(56))
		visit := func(n int, v Visit, it Item) {
			v.Now = now
			for range n {
				dec := w.Decide(v, it)
				w.RecordOn(c, &v, &it, &dec)
			}
		}
		old := Item{StoryID: "old", Section: "harbour", Sections: []string{"harbour", "coast"}, Topics: []string{"ports"}, PublishedAt: now.Add(-days(400)), Kind: "story", Lang: "en", Words: 700}
		fresh := Item{StoryID: "new", Section: "town", PublishedAt: now.Add(-time.Hour), Kind: "story", Lang: "en", Words: 700}
		spent := (&Meter{}).With("a", now).With("b", now)
		visit(30, Visit{}, old)
		visit(50, Visit{}, fresh)
		visit(20, Visit{Meter: spent}, fresh)
		visit(3, Visit{Reader: Reader{ID: "r", State: Registered, Tiers: []string{"friend"}}}, old) // too few to be kept so
		visit(9, Visit{Peek: true}, fresh)
		visit(9, Visit{Reader: Reader{State: Staff}}, fresh)
		visit(9, Visit{Crawler: "Bot"}, fresh)
		if err := c.Flush(ctx, d, ""); err != nil {
			t.Fatal(err)
		}
		if err := c.Flush(ctx, d, ""); err != nil { // nothing is written twice
			t.Fatal(err)
		}
		replay := func(conditions ...string) Replay {
			t.Helper()
			rules, err := design(conditions...).Compiled()
			if err != nil {
				t.Fatal(err)
			}
			r, err := s.Replay(ctx, d.Read(), rules)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		r := replay("story.age_days > 365 → register", "true → open")
		if diff := cmp.Diff(Shares{"", 103, 20, 30, 0}, r.All); diff != "" {
			t.Error(diff) // the registered reader reads old stories
		}
		if diff := cmp.Diff([]Shares{{"town", 70, 20, 0, 0}, {"harbour", 33, 0, 30, 0}}, r.Sections); diff != "" {
			t.Error(diff)
		}
		if len(r.States) != 2 || r.From.IsZero() || !r.From.Equal(r.To) {
			t.Errorf("%+v", r)
		}
		// A bound within a bucket is not known for certain.
		if r := replay("story.age_days > 500 → register", "true → open"); r.All.After != 0 || r.All.Perhaps != 30 {
			t.Errorf("%+v", r.All)
		}
		// Where the meter had stopped, nobody knows how many more would have been read.
		if r := replay("true → meter 5 per 30 days"); r.All.After != 0 || r.All.Perhaps != 20 {
			t.Errorf("%+v", r.All)
		}
		if r := replay("true → meter 1 per 30 days"); r.All.After != 20 {
			t.Errorf("%+v", r.All)
		}
		if r := replay(`"coast" in story.sections && "ports" in story.topics && !("friend" in reader.tiers) → subscribe`, "true → open"); r.All.After != 30 {
			t.Errorf("%+v", r.All)
		}
		// Once the day is over the three are part of nothing but a number.
		now = noon.Add(days(1))
		inTx(t, d, func(tx *db.Tx) error { return s.Coarsen(ctx, tx, days(56)) })
		var few, visits, level int
		if err := d.Read().QueryRow(`SELECT COUNT(*) FROM wall_record WHERE visits < 5 AND (level < 2 OR sections <> '' OR tiers <> '' OR topics <> '')`).Scan(&few); err != nil || few > 0 {
			t.Errorf("%d small kinds are kept: %v", few, err)
		}
		if err := d.Read().QueryRow(`SELECT SUM(visits), MAX(level) FROM wall_record`).Scan(&visits, &level); err != nil || visits != 103 || level != 2 {
			t.Errorf("%d visits of 103, level %d: %v", visits, level, err)
		}
		if r := replay("true → open"); r.All.Visits != 103 || r.All.Perhaps != 3 {
			t.Errorf("%+v", r.All)
		}
		now = noon.Add(days(57))
		inTx(t, d, func(tx *db.Tx) error { return s.Coarsen(ctx, tx, days(56)) })
		if r := replay("true → open"); r.All.Visits != 0 || !r.From.IsZero() {
			t.Errorf("%+v", r)
		}
	})
}

func BenchmarkRecord(b *testing.B) {
	w, err := New(nil)
	if err != nil {
		b.Fatal(err)
	}
	c, it := NewRecorder(days(56)), benchItem(noon)
	v := Visit{Now: noon, Meter: (&Meter{}).With("a", noon)}
	dec := w.Decide(v, it)
	b.ReportAllocs()
	for b.Loop() {
		w.RecordOn(c, &v, &it, &dec)
	}
}
