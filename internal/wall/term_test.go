package wall

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTerms(t *testing.T) {
	for condition, want := range map[string][]Term{
		`true`:                                nil,
		`story.age_days > 60`:                 {{"age", OpMore, "60"}},
		`"harbour" in story.sections`:         {{"section", OpIs, "harbour"}},
		`!("water" in story.topics)`:          {{"topic", OpIsNot, "water"}},
		`!visit.crawler && story.words < 300`: {{"crawler", OpIsNot, ""}, {"words", OpLess, "300"}},
		`visit.crawler`:                       {{"crawler", OpIs, ""}},
		`reader.state == "registered" && ("friend" in reader.tiers && visit.reads == 3)`:         {{"state", OpIs, "registered"}, {"tier", OpIs, "friend"}, {"reads", OpIs, "3"}},
		`story.lang != "עב\"רית" && visit.referrer == 'partner.example' && story.kind == "page"`: {{"lang", OpIsNot, `עב"רית`}, {"referrer", OpIs, "partner.example"}, {"kind", OpIs, "page"}},
	} {
		got, ok := Terms(condition)
		if !ok || len(got) != len(want) || len(want) > 0 && cmp.Diff(want, got) != "" {
			t.Errorf("%s: %v %v", condition, got, ok)
			continue
		}
		again, err := Condition(got)
		if err != nil {
			t.Fatal(err)
		}
		if twice, ok := Terms(again); !ok || cmp.Diff(got, twice) != "" {
			t.Errorf("%s, written again, is %s", condition, again)
		}
	}
	for _, raw := range []string{``, `false`, `story.age_days >= 60`, `60 > story.age_days`, `story.age_days > -1`, `story.lang == "en" || visit.crawler`,
		`story.topics.exists(t, t == "a")`, `!(story.lang == "en")`, `story.age_days > visit.reads`, `story.section == "a"`, `"a" in ["a"]`, `true && true`, `story.words < 9999999`, `nonsense`, `"" in story.topics`} {
		if got, ok := Terms(raw); ok {
			t.Errorf("%s is taken apart: %v", raw, got)
		}
	}
	for _, bad := range []Term{{"age", OpMore, "many"}, {"age", OpIsNot, "3"}, {"topic", OpIs, " "}, {"nothing", OpIs, "a"}, {"lang", OpMore, "en"}} {
		if text, err := bad.CEL(); err == nil {
			t.Errorf("%v is written as %s", bad, text)
		}
	}
}

func FuzzTerms(f *testing.F) {
	f.Add(`story.age_days > 60 && "a" in story.topics`)
	f.Add(`!("\u05d0" in story.sections)`)
	f.Fuzz(func(t *testing.T, condition string) {
		terms, ok := Terms(condition)
		if !ok {
			return
		}
		again, err := Condition(terms)
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckRule(Rule{Name: "n", When: again, Grant: MustGrant("open")}); err != nil {
			t.Fatalf("%q gives %q: %v", condition, again, err)
		}
	})
}

// The differences are those of Newcombe (1998), table II, method 10; the
// proportions of Wilson's interval as in his companion paper, pp. 857–872.
func TestIntervals(t *testing.T) {
	near := func(what string, got, want float64) {
		if math.Abs(got-want) > 0.00005 {
			t.Errorf("%s is %.5f, want %.4f", what, got, want)
		}
	}
	for _, c := range []struct {
		x1, n1, x2, n2 int
		low, high      float64
	}{
		{56, 70, 48, 80, 0.0524, 0.3339},
		{9, 10, 3, 10, 0.1705, 0.8090},
		{6, 7, 2, 7, 0.0582, 0.8062},
		{5, 56, 0, 29, -0.0381, 0.1926},
		{0, 10, 0, 20, -0.1611, 0.2775},
		{0, 10, 0, 10, -0.2775, 0.2775},
		{10, 10, 0, 20, 0.6791, 1.0000},
		{10, 10, 0, 10, 0.6075, 1.0000},
	} {
		got := Difference(c.x1, c.n1, c.x2, c.n2)
		near("low", got.Low, c.low)
		near("high", got.High, c.high)
	}
	for _, c := range []struct {
		x, n      int
		low, high float64
	}{{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718}} {
		got := Proportion(c.x, c.n)
		near("low", got.Low, c.low)
		near("high", got.High, c.high)
	}
	if got := Difference(0, 0, 3, 10); got.Low != -1 || got.High != 1 {
		t.Errorf("of nobody %v is known", got)
	}
	trial := Trial{Sample: 1000}
	for _, c := range []struct {
		a, b Counts
		want Finding
	}{
		{Counts{Joined: 999, Registrations: 1}, Counts{Joined: 5000, Registrations: 500}, TooFew},
		{Counts{Joined: 1000, Registrations: 50}, Counts{Joined: 1000, Registrations: 55}, NoFinding},
		{Counts{Joined: 1000, Registrations: 50}, Counts{Joined: 1000, Registrations: 100}, MoreInB},
		{Counts{Joined: 1000, Registrations: 100}, Counts{Joined: 1000, Registrations: 50}, LessInB},
		{Counts{Joined: 1000}, Counts{Joined: 1000}, NoFinding},
	} {
		if got, i := trial.Find(c.a, c.b); got != c.want {
			t.Errorf("%v and %v: %s %v", c.a, c.b, got, i)
		}
	}
}
