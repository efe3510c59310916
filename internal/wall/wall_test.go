package wall

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// rules reads lines of "condition → grant"; a rule's name is its number.
func rules(t testing.TB, lines ...string) []Rule {
	t.Helper()
	var all []Rule
	for i, line := range lines {
		when, grant, ok := strings.Cut(line, " → ")
		g, err := ParseGrant(grant)
		if !ok || err != nil {
			t.Fatalf("rule %q: %v", line, err)
		}
		all = append(all, Rule{Name: fmt.Sprint(i + 1), When: when, Grant: g})
	}
	return all
}

func newWall(t testing.TB, lines ...string) *Wall {
	t.Helper()
	w, err := New(rules(t, lines...))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func spent(n int, at time.Time) *Meter {
	m := &Meter{}
	for i := range n {
		m = m.With(fmt.Sprint("read ", i), at)
	}
	return m
}

func counted(n int, at time.Time) func(time.Time) ([]Read, error) {
	return func(since time.Time) ([]Read, error) {
		var reads []Read
		for i := range n {
			if at.After(since) {
				reads = append(reads, Read{fmt.Sprint("read ", i), at})
			}
		}
		return reads, nil
	}
}

// visitors are the readers that every verdict is tried on.
func visitors() map[string]Visit {
	return map[string]Visit{
		"anonymous": {Now: noon},
		"spent":     {Now: noon, Meter: spent(3, noon.Add(-time.Hour))},
		"registered": {Now: noon, Reader: Reader{ID: "r", State: Registered},
			Counted: counted(3, noon.Add(-time.Hour))},
		"friend":    {Now: noon, Reader: Reader{ID: "r", State: Registered, Tiers: []string{"friend"}}},
		"supporter": {Now: noon, Reader: Reader{ID: "r", State: Registered, Tiers: []string{"friend", "supporter"}}},
		"crawler":   {Now: noon, Crawler: "Googlebot"},
		"gifted":    {Now: noon, Gift: &Gift{StoryID: "s", ExpiresAt: noon.Add(time.Hour)}},
		"staff":     {Now: noon, Reader: Reader{State: Staff}},
	}
}

// Every verdict and every access, for every reader: who has the whole text.
func TestDecideWho(t *testing.T) {
	for _, test := range []struct {
		grant, access string
		protected     bool
		full          string // the visitors who have it, besides staff
		verdict       Verdict
	}{
		{grant: "open", full: "anonymous spent registered friend supporter crawler gifted", verdict: Open},
		{grant: "meter 3 per 30 days", full: "anonymous friend supporter crawler gifted", verdict: Metered},
		{grant: "register", full: "registered friend supporter crawler gifted", verdict: Register},
		{grant: "subscribe", full: "friend supporter gifted", verdict: Subscribe},
		{grant: "subscribe paid", full: "friend supporter gifted", verdict: Subscribe},
		{grant: "subscribe supporter", full: "supporter gifted", verdict: Subscribe},
		{grant: "subscribe patron", full: "gifted", verdict: Subscribe},
		// A story's own access goes over the rules, both ways.
		{grant: "subscribe patron", access: "open", full: "anonymous spent registered friend supporter crawler gifted", verdict: Open},
		{grant: "open", access: "registered", full: "registered friend supporter crawler gifted", verdict: Register},
		{grant: "open", access: "tier:supporter", full: "supporter gifted", verdict: Subscribe},
		{grant: "open", access: "tier:paid", full: "friend supporter gifted", verdict: Subscribe},
		{grant: "open", access: "tier:", full: "gifted", verdict: Closed},
		{grant: "open", access: "Open", full: "gifted", verdict: Closed},
		{grant: "open", access: "open", protected: true, full: "", verdict: Closed},
		{grant: "open", protected: true, full: "", verdict: Closed},
	} {
		w := newWall(t, "true → "+test.grant)
		for name, v := range visitors() {
			it := Item{StoryID: "s", Access: test.access, Protected: test.protected, PublishedAt: noon}
			d := w.Decide(v, it)
			want := name == "staff" || strings.Contains(" "+test.full+" ", " "+name+" ")
			if d.Full != want || d.Offered != want {
				t.Errorf("%s, access %q, protected %v, %s: full %v, offered %v, want %v", test.grant, test.access, test.protected, name, d.Full, d.Offered, want)
			}
			if byHand := d.Rule == ByStaff || d.Rule == ByGift; !byHand && d.Verdict != test.verdict {
				t.Errorf("%s, access %q, %s: verdict %v, want %v", test.grant, test.access, name, d.Verdict, test.verdict)
			}
			if d.Count != (d.Full && d.Rule == "1" && d.Verdict == Metered) {
				t.Errorf("%s, access %q, %s: count is %v", test.grant, test.access, name, d.Count)
			}
		}
	}
}

func TestDecision(t *testing.T) {
	meter := newWall(t, "true → meter 3 per 30 days")
	it := Item{StoryID: "s", PublishedAt: noon}
	hour := noon.Add(-time.Hour)
	for name, test := range map[string]struct {
		wall  *Wall
		visit Visit
		item  Item
		want  Decision
	}{
		"first free one": {meter, Visit{Now: noon}, it,
			Decision{Full: true, Offered: true, Verdict: Metered, Rule: "1", Limit: 3, Used: 1, Days: 30, Count: true}},
		"last free one": {meter, Visit{Now: noon, Meter: spent(2, hour)}, it,
			Decision{Full: true, Offered: true, Verdict: Metered, Rule: "1", Limit: 3, Used: 3, Days: 30, Count: true, Last: true}},
		"spent": {meter, Visit{Now: noon, Meter: spent(3, hour)}, it,
			Decision{Verdict: Metered, Rule: "1", Limit: 3, Used: 3, Days: 30}},
		"read again": {meter, Visit{Now: noon, Meter: spent(1, hour).With("s", hour)}, it,
			Decision{Full: true, Offered: true, Verdict: Metered, Rule: "1", Limit: 3, Used: 2, Days: 30}},
		"read again when spent": {meter, Visit{Now: noon, Meter: spent(4, hour).With("s", hour)}, it,
			Decision{Full: true, Offered: true, Verdict: Metered, Rule: "1", Limit: 3, Used: 5, Days: 30, Last: true}},
		"a peek opens nothing new": {meter, Visit{Now: noon, Peek: true}, it,
			Decision{Offered: true, Verdict: Metered, Rule: "1", Limit: 3, Used: 0, Days: 30}},
		"a peek when spent": {meter, Visit{Now: noon, Peek: true, Meter: spent(3, hour)}, it,
			Decision{Verdict: Metered, Rule: "1", Limit: 3, Used: 3, Days: 30}},
		"a peek at what was read": {meter, Visit{Now: noon, Peek: true, Meter: (*Meter)(nil).With("s", hour)}, it,
			Decision{Full: true, Offered: true, Verdict: Metered, Rule: "1", Limit: 3, Used: 1, Days: 30}},
		"registered, read again": {meter, Visit{Now: noon, Reader: Reader{ID: "r", State: Registered},
			Counted: func(time.Time) ([]Read, error) { return []Read{{"s", hour}, {"x", hour}}, nil }}, it,
			Decision{Full: true, Offered: true, Verdict: Metered, Rule: "1", Limit: 3, Used: 2, Days: 30}},
		"registered, cannot be counted": {meter, Visit{Now: noon, Reader: Reader{ID: "r", State: Registered},
			Counted: func(time.Time) ([]Read, error) { return nil, errors.New("away") }}, it,
			Decision{Verdict: Metered, Rule: "1", Limit: 3, Used: 3, Days: 30}},
		"a cookie is not a registered reader's": {meter, Visit{Now: noon, Meter: spent(3, hour), Reader: Reader{ID: "r", State: Registered}}, it,
			Decision{Full: true, Offered: true, Verdict: Metered, Rule: "1", Limit: 3, Used: 1, Days: 30, Count: true}},
		"a crawler is not counted": {meter, Visit{Now: noon, Crawler: "Bingbot"}, it,
			Decision{Full: true, Offered: true, Verdict: Metered, Rule: ByCrawler, Limit: 3, Days: 30}},
		"a gift spends no free story": {meter, Visit{Now: noon, Gift: &Gift{StoryID: "s", ExpiresAt: noon.Add(1)}}, it,
			Decision{Full: true, Offered: true, Rule: ByGift}},
		"a gift that is not needed": {newWall(t, "true → open"), Visit{Now: noon, Gift: &Gift{StoryID: "s", ExpiresAt: noon.Add(1)}}, it,
			Decision{Full: true, Offered: true, Rule: "1"}},
		"the archive": {newWall(t, "story.age_days > 60 → register", "true → open"), Visit{Now: noon}, Item{PublishedAt: noon.Add(-days(61))},
			Decision{Verdict: Register, Rule: "1", Archive: true}},
		"not yet the archive": {newWall(t, "story.age_days > 60 → register", "true → open"), Visit{Now: noon}, Item{PublishedAt: noon.Add(time.Second - days(61))},
			Decision{Full: true, Offered: true, Rule: "2"}},
		"a tier by rule": {newWall(t, "true → subscribe supporter"), Visit{Now: noon}, it,
			Decision{Verdict: Subscribe, Rule: "1", Tier: "supporter"}},
		"tiers are a registered reader's": {newWall(t, "true → subscribe"), Visit{Now: noon, Reader: Reader{Tiers: []string{"friend"}}}, it,
			Decision{Verdict: Subscribe, Rule: "1"}},
		"no rule matches": {newWall(t, "false → open"), Visit{Now: noon}, it,
			Decision{Verdict: Register, Rule: ByNoRule}},
		"no wall was made": {&Wall{}, Visit{Now: noon}, it,
			Decision{Verdict: Register, Rule: ByNoRule}},
		"a rule that fails does not match": {newWall(t, "story.topics[3] == 'x' → open", "1 / story.words > 0 → open"), Visit{Now: noon}, it,
			Decision{Verdict: Register, Rule: ByNoRule}},
		"default: a page": {newWall(t), Visit{Now: noon}, Item{Kind: "page"}, Decision{Full: true, Offered: true, Rule: "standing pages"}},
		"default: the archive": {newWall(t), Visit{Now: noon}, Item{PublishedAt: noon.AddDate(-400, 0, 0)},
			Decision{Verdict: Register, Rule: "the archive, older than sixty days", Archive: true}},
		"default: news": {newWall(t), Visit{Now: noon, Meter: spent(3, hour)}, it,
			Decision{Verdict: Metered, Rule: "three stories a month for everybody", Limit: 3, Used: 3, Days: 30}},
	} {
		if diff := cmp.Diff(test.want, test.wall.Decide(test.visit, test.item)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestGiftInDecide(t *testing.T) {
	w := newWall(t, "true → subscribe")
	good := Gift{StoryID: "s", ExpiresAt: noon.Add(time.Second)}
	for name, change := range map[string]func(*Gift){
		"another story": func(g *Gift) { g.StoryID = "t" },
		"expired":       func(g *Gift) { g.ExpiresAt = noon },
		"revoked":       func(g *Gift) { g.RevokedAt = noon.Add(-1) },
	} {
		g := good
		if d := w.Decide(Visit{Now: noon, Gift: &g}, Item{StoryID: "s"}); d.Rule != ByGift || d.MayGive(Reader{ID: "r", State: Registered}) {
			t.Errorf("a good gift: %+v", d)
		}
		change(&g)
		if d := w.Decide(Visit{Now: noon, Gift: &g}, Item{StoryID: "s"}); d.Full {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// A meter is a sliding window: each story falls out for itself.
func TestSlidingWindow(t *testing.T) {
	w := newWall(t, "true → meter 2 per 7 days")
	for _, who := range []string{"anonymous", "registered"} {
		meter, kept := (*Meter)(nil), map[string]time.Time{}
		for _, step := range []struct {
			story string
			day   float64
			full  bool
			used  int
		}{
			{"a", 0, true, 1}, {"b", 3, true, 2}, {"c", 6.9, false, 2}, {"a", 6.9, true, 2},
			{"c", 7, true, 2},    // a is seven days old, and out
			{"a", 7.1, false, 2}, // and costs anew
			{"b", 9.9, true, 2}, {"a", 10, true, 2}, {"b", 10.1, false, 2},
		} {
			now := noon.Add(time.Duration(step.day * 24 * float64(time.Hour)))
			v := Visit{Now: now, Meter: meter}
			if who == "registered" {
				v = Visit{Now: now, Reader: Reader{ID: "r", State: Registered}, Counted: func(since time.Time) (reads []Read, err error) {
					for s, at := range kept {
						if at.After(since) {
							reads = append(reads, Read{s, at})
						}
					}
					return reads, nil
				}}
			}
			d := w.Decide(v, Item{StoryID: step.story})
			if d.Full != step.full || d.Used != step.used {
				t.Errorf("%s, story %s on day %v: full %v, used %d, want %v, %d", who, step.story, step.day, d.Full, d.Used, step.full, step.used)
			}
			if d.Count {
				meter, kept[step.story] = meter.With(step.story, now), now
			}
		}
	}
}

// visit.reads looks back as far as the meter of its own rule, and the database
// is asked once, as far back as any.
func TestReads(t *testing.T) {
	w := newWall(t,
		"visit.reads == 9 → open",
		"visit.reads == 2 → meter 5 per 90 days",
		"visit.reads == 1 → meter 5 per 7 days",
		"true → register")
	meter := (*Meter)(nil).With("a", noon.Add(-days(80))).With("b", noon.Add(-days(3)))
	if d := w.Decide(Visit{Now: noon, Meter: meter}, Item{}); d.Rule != "2" {
		t.Errorf("anonymous: %+v", d)
	}
	asked := 0
	v := Visit{Now: noon, Reader: Reader{ID: "r", State: Registered}, Counted: func(since time.Time) ([]Read, error) {
		if asked++; !since.Equal(noon.Add(-days(90))) {
			t.Errorf("asked since %v", since)
		}
		return []Read{{"b", noon.Add(-days(3))}}, nil
	}}
	if d := w.Decide(v, Item{}); d.Rule != "3" || asked != 1 || d.Used != 2 {
		t.Errorf("registered: asked %d times, %+v", asked, d)
	}
	if w.Window() != days(90) {
		t.Errorf("window %v", w.Window())
	}
	// A reader whom no rule counts costs no question.
	quiet := newWall(t, `reader.state == "registered" → open`, "visit.reads > 3 → register", "true → meter 3 per 30 days")
	v.Counted = func(time.Time) ([]Read, error) { t.Error("the database was asked"); return nil, nil }
	quiet.Decide(v, Item{})
	v.Reader = Reader{}
	quiet.Decide(v, Item{})
}

func TestFaultIsTold(t *testing.T) {
	w := newWall(t, "story.sections[5] == 'x' → open", "visit.reads > 0 → open", "true → register")
	var told []string
	w.Fault = func(rule string, err error) { told = append(told, rule+": "+err.Error()) }
	d := w.Decide(Visit{Now: noon, Reader: Reader{ID: "r", State: Registered}, Counted: func(time.Time) ([]Read, error) {
		return nil, errors.New("the database is away")
	}}, Item{Section: "a"})
	if d.Rule != "3" || len(told) != 2 || !strings.Contains(told[0], "1: index out of") || !strings.Contains(told[1], "away") {
		t.Errorf("%+v, told %q", d, told)
	}
}

func TestMayGive(t *testing.T) {
	reader := Reader{ID: "r", State: Registered}
	for _, test := range []struct {
		d    Decision
		r    Reader
		want bool
	}{
		{Decision{Full: true}, reader, true},
		{Decision{Full: false, Offered: true}, reader, false},
		{Decision{Full: true, Rule: ByGift}, reader, false},
		{Decision{Full: true}, Reader{}, false},
		{Decision{Full: true}, Reader{State: Staff}, false},
	} {
		if got := test.d.MayGive(test.r); got != test.want {
			t.Errorf("%+v for %+v: %v", test.d, test.r, got)
		}
	}
}

// Rules may be replaced while others decide, and a table that cannot be used
// changes nothing.
func TestSet(t *testing.T) {
	w := newWall(t, "true → open")
	if err := w.Set(rules(t, "true → register", "story.nothing → open")); err == nil {
		t.Fatal("no error")
	}
	if d := w.Decide(Visit{Now: noon}, Item{}); !d.Full {
		t.Errorf("the refused table is in force: %+v", d)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 500 {
				d := w.Decide(Visit{Now: noon}, Item{})
				if d.Full != (d.Verdict == Open) {
					t.Errorf("%+v", d)
				}
			}
		})
	}
	for i := range 50 {
		if err := w.Set(rules(t, []string{"true → open", "true → register"}[i%2])); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	if diff := cmp.Diff(rules(t, "true → register"), w.Rules()); diff != "" {
		t.Error(diff)
	}
}

// Why tells what Decide decided, on visits of every sort.
func TestWhyAgrees(t *testing.T) {
	w, err := New(demoRules())
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	one := func(list ...string) string { return list[r.IntN(len(list))] }
	for range 2000 {
		v := Visit{Now: noon, Meter: spent(r.IntN(5), noon.Add(-time.Hour)), Referrer: one("", "partner.example"), Crawler: one("", "", "Bingbot"), Peek: r.IntN(2) == 0,
			Reader: Reader{ID: "r", State: State(one("", "anonymous", "registered", "staff"))}, Counted: counted(r.IntN(25), noon.Add(-time.Hour))}
		if r.IntN(2) == 0 {
			v.Reader.Tiers = []string{one("supporter", "friend", "harbour")}
		}
		if r.IntN(4) == 0 {
			v.Gift = &Gift{StoryID: one("s", "t"), ExpiresAt: noon.Add(time.Duration(r.IntN(3)-1) * time.Hour)}
		}
		it := Item{StoryID: "s", Topics: []string{one("corridor-papers", "ports"), one("water-ledger", "x")}, Kind: one("page", "story", "story"), Words: r.IntN(9000),
			Lang: one("en", "ar"), Access: one("", "", "", "open", "registered", "tier:friend", "tier:paid", "?"), Protected: r.IntN(10) == 0, PublishedAt: noon.Add(-days(r.IntN(100)))}
		d, steps := w.Decide(v, it), w.Why(v, it)
		var deciding []Step
		for _, s := range steps {
			if s.Reason == "" || s.Rule == "" || s.Grant == "" {
				t.Fatalf("an empty step: %+v", s)
			}
			if s.Decides {
				deciding = append(deciding, s)
			}
		}
		if len(deciding) != 1 || deciding[0].Rule != d.Rule && !(d.Rule == ByCrawler && strings.Contains(deciding[0].Reason, "verified crawler")) {
			t.Fatalf("decided %+v, but why says %v", d, steps)
		}
	}
}

func TestWhy(t *testing.T) {
	w := newWall(t,
		`story.section == "harbour" && story.age_days > 60 && reader.state == "anonymous" → open`,
		`reader.tiers.exists(t, t in story.topics) → open`,
		`story.lang in ["ar", "he"] || story.words > 5000 → open`,
		`story.topics[9] == "x" → open`,
		`!visit.crawler && visit.reads < 5 → meter 3 per 30 days`,
		`true → register`)
	it := Item{StoryID: "s", Section: "harbour", Topics: []string{"ports"}, Words: 900, Lang: "en", PublishedAt: noon.Add(-days(12))}
	var got []string
	for _, s := range w.Why(Visit{Now: noon, Meter: spent(2, noon.Add(-time.Hour))}, it) {
		got = append(got, s.String())
	}
	want := []string{
		`  1 (open): story.age_days > 60: 12 > 60 is false`,
		`  2 (open): reader.tiers.exists(t, t in story.topics) is false, where reader.tiers is []`,
		`  3 (open): story.lang in ["ar", "he"] || story.words > 5000: "en" in ["ar", "he"] || 900 > 5000 is false`,
		`  4 (open): the condition failed, which counts as not matched: index out of bounds: 9`,
		`> 5 (meter 3 per 30 days): !visit.crawler: !false is true, visit.reads < 5: 2 < 5 is true; this is story 3 of 3 in 30 days`,
		`  6 (register): not asked, since a rule above decided`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
