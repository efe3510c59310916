package wall

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/fault"
)

func TestParseGrant(t *testing.T) {
	for text, want := range map[string]Grant{
		"open":                      {Verdict: Open},
		" register ":                {Verdict: Register},
		"subscribe":                 {Verdict: Subscribe},
		"subscribe  supporter":      {Verdict: Subscribe, Tier: "supporter"},
		"subscribe מנוי":            {Verdict: Subscribe, Tier: "מנוי"},
		"meter 1 per 1 day":         {Verdict: Metered, Limit: 1, Days: 1},
		"meter 100  per\t366 days ": {Verdict: Metered, Limit: 100, Days: 366},
	} {
		got, err := ParseGrant(text)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
		if again, err := ParseGrant(got.String()); err != nil || again != got {
			t.Errorf("%q printed as %q: %+v, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"", "Open", "closed", "meter", "meter 0 per 30 days", "meter 101 per 30 days", "meter 3 per 367 days",
		"meter -3 per 30 days", "meter 3 per 0 days", "meter 99999999999999999999 per 3 days", "subscribe a b", "subscribe -", "open now"} {
		if g, err := ParseGrant(text); !fault.Is(err, fault.Invalid) || fault.Hint(err) == "" {
			t.Errorf("%q: %+v, %v", text, g, err)
		}
	}
}

// Each variable of a condition has the value that its documentation says.
func TestVariables(t *testing.T) {
	v := Visit{Now: noon, Reader: Reader{ID: "r", State: Registered, Tiers: []string{"friend"}}, Referrer: "partner.example", Crawler: "Bingbot",
		Counted: counted(4, noon.Add(-days(29)))}
	it := Item{StoryID: "s", Section: "docks", Sections: []string{"docks", "harbour"}, Topics: []string{"ports"}, PublishedAt: noon.Add(-days(9)),
		Lang: "ar", Words: 700, Kind: "story"}
	for name, condition := range map[string]string{
		"story.section":  `story.section == "docks"`,
		"story.sections": `story.sections == ["docks", "harbour"]`,
		"story.topics":   `story.topics == ["ports"] && "ports" in story.topics`,
		"story.age_days": `story.age_days == 9`,
		"story.access":   `story.access == ""`,
		"story.lang":     `story.lang == "ar"`,
		"story.words":    `story.words == 700`,
		"story.kind":     `story.kind == "story"`,
		"reader.state":   `reader.state == "registered"`,
		"reader.tiers":   `reader.tiers == ["friend"]`,
		"visit.reads":    `visit.reads == 4`,
		"visit.referrer": `visit.referrer.endsWith(".example")`,
		"visit.crawler":  `visit.crawler`,
	} {
		if d := newWall(t, condition+" → open").Decide(v, it); d.Rule != "1" {
			t.Errorf("%s: %s is not true", name, condition)
		}
	}
	if n := len(Variables()); n != 13 {
		t.Errorf("%d variables: try the new ones here too", n)
	}
	// The zero visit and the zero story have values too.
	for _, condition := range []string{`reader.state == "anonymous"`, `story.sections == []`, `story.age_days == 0`, `reader.tiers.size() == 0`, `visit.reads == 0`, `!visit.crawler`} {
		if d := newWall(t, condition+" → open").Decide(Visit{Now: noon}, Item{}); d.Rule != "1" {
			t.Errorf("%s is not true of nothing", condition)
		}
	}
	if d := newWall(t, `"docks" in story.sections → open`).Decide(Visit{Now: noon}, Item{Section: "docks"}); !d.Full {
		t.Error("a section alone is not among the sections")
	}
	if d := newWall(t, `story.age_days == 0 → open`).Decide(Visit{Now: noon}, Item{PublishedAt: noon.Add(days(40))}); !d.Full {
		t.Error("a story of tomorrow has an age")
	}
}

func TestConditionErrors(t *testing.T) {
	for condition, want := range map[string]struct{ message, hint string }{
		`story.sectoin == "x"`:                   {`line 1, column 6: undeclared reference to 'story.sectoin' (did you mean 'story.section'?)`, "story.age_days > 60"},
		"true\n && story.wordz > 2":              {`line 2, column 10: undeclared reference`, "story.words"},
		`story.section = "x"`:                    {`line 1, column 15`, "write =="},
		`story.words > 1 and true`:               {`line 1, column 17`, "&&"},
		`story.age_days >`:                       {`line 1, column 17: mismatched end of the condition`, "story.age_days > 60"},
		`story.age_days`:                         {`gives a value of type int`, "compare it"},
		`story.age_days == "x"`:                  {`line 1, column 16: found no matching overload`, ""},
		`story.topics.map(x, x)`:                 {`gives a value of type list(string)`, "compare it"},
		` `:                                      {`it has no condition`, "write true"},
		`dyn(1)`:                                 {`gives a value of type dyn`, "compare it"},
		strings.Repeat("true && ", 400) + "true": {`line`, ""},
		strings.Repeat("(", 300) + "true" + strings.Repeat(")", 300):                {`line`, ""},
		`story.topics.all(a, story.topics.all(b, story.topics.all(c, a + b != c)))`: {`may cost`, "nest fewer"},
	} {
		err := CheckRule(Rule{Name: "a rule", When: condition, Grant: MustGrant("open")})
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want.message) || !strings.Contains(err.Error(), `rule "a rule"`) || !strings.Contains(fault.Hint(err), want.hint) || fault.Hint(err) == "" {
			t.Errorf("%.60q: %v\nhint: %s", condition, err, fault.Hint(err))
		}
	}
	for _, r := range []Rule{{When: "true"}, {Name: "n", When: "true", Grant: Grant{Verdict: Metered}}, {Name: "n", When: "true", Grant: Grant{Verdict: Closed}},
		{Name: "n", When: "true", Grant: Grant{Verdict: Open, Tier: "x"}}} {
		if err := CheckRule(r); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	// All that is wrong is told at once.
	_, err := New([]Rule{{Name: "one", When: "x"}, {Name: "two", When: "true"}, {Name: "three", When: "y"}})
	if err == nil || !strings.Contains(err.Error(), `"one"`) || !strings.Contains(err.Error(), `"three"`) || strings.Contains(err.Error(), `"two"`) {
		t.Error(err)
	}
}

func TestTable(t *testing.T) {
	table := Table{
		Rules: []Rule{
			{Name: `the "archive" of ours`, When: `"corridor's" in story.topics && story.lang == "en"`, Grant: MustGrant("register")},
			{Name: "news\nfor all", When: "true &&\n\ttrue", Grant: MustGrant("meter 3 per 30 days")},
		},
		Benefits: []Benefit{{Entitlement: "newsletter:week-in-review", Texts: map[string]string{"en": "The Week", "ar": "حصاد الأسبوع", "zh-Hant": "週"}}},
	}
	got, err := ParseTable(table.String())
	if err != nil {
		t.Fatalf("%v in\n%s", err, table)
	}
	if diff := cmp.Diff(table, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for text, want := range map[string]string{
		"[[rules]]\nname = 'a'":                            `unknown key key="rules"`,
		"[[rule]]\nname = 'a'\nif = 'true'":                `rule.if`,
		"[[rule]]\nname = 'a'\nwhen = 'true'\ngrant = 'x'": `no such grant`,
		"[[rule]]\nname = 'a'\nwhen = 'x'\ngrant = 'open'": `undeclared`,
		"[[rule]\n": `array name delimiter`,
		"[[benefit]]\nentitlement = 'x'\n[benefit.text]\nen = 'x'": `no such entitlement`,
	} {
		if _, err := ParseTable(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzTable(f *testing.F) {
	f.Add("the archive", "story.age_days > 60", "meter 3 per 30 days", "archive", "en", "All of it")
	f.Add("a'b\"c\\", "'a' in story.topics\r\n&& \"b\" == 'b'", "subscribe x", "topic:x-y", "zh-Hant", "\x00\x7f\u2028")
	f.Fuzz(func(t *testing.T, name, when, grant, entitlement, lang, text string) {
		g, err := ParseGrant(grant)
		if err != nil {
			return
		}
		for _, s := range []*string{&name, &when, &lang, &text} {
			*s = strings.ToValidUTF8(*s, "?")
		}
		want := Table{Rules: []Rule{{Name: name, When: when, Grant: g}}, Benefits: []Benefit{{Entitlement: entitlement, Texts: map[string]string{lang: text}}}}
		if CheckRule(want.Rules[0]) != nil || CheckBenefits(want.Benefits, func(string) error { return nil }) != nil {
			return
		}
		got, err := ParseTable(want.String())
		if err != nil {
			t.Fatalf("%v in\n%s", err, want)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

func FuzzCondition(f *testing.F) {
	for _, r := range demoRules() {
		f.Add(r.When)
	}
	f.Add(`story.section.matches("(a+)+$") || story.topics.map(x, x + x).size() > 3`)
	f.Fuzz(func(t *testing.T, condition string) {
		w, err := New([]Rule{{Name: "n", When: condition, Grant: MustGrant("open")}})
		if err != nil {
			if !fault.Is(err, fault.Invalid) || fault.Hint(err) == "" {
				t.Fatalf("%q: %v", condition, err)
			}
			return
		}
		v, it := Visit{Now: noon}, benchItem(noon)
		d, steps := w.Decide(v, it), w.Why(v, it)
		if d.Full != (d.Rule == "n") || len(steps) == 0 {
			t.Fatalf("%q: %+v, %v", condition, d, steps)
		}
	})
}

func TestCheckBenefits(t *testing.T) {
	text := map[string]string{"en": "x"}
	missing := func(entitlement string) error {
		if entitlement == "newsletter:gone" {
			return fault.New(fault.NotFound, "there is no such newsletter").WithHint("make the newsletter, or take the benefit from the wall")
		}
		return nil
	}
	good := []Benefit{{Entitlement: "archive", Texts: text}, {Entitlement: "topic:water-ledger", Texts: text}, {Entitlement: "newsletter:week", Texts: text},
		{Entitlement: "gift", Texts: text}, {Entitlement: "meter", Texts: text}, {Entitlement: "event", Texts: text}, {Entitlement: "section:harbour", Texts: text}}
	if err := CheckBenefits(good, missing); err != nil {
		t.Error(err)
	}
	for name, test := range map[string]struct {
		b    Benefit
		want string
	}{
		"bound to nothing": {Benefit{Entitlement: "newsletter:gone", Texts: text}, `benefit "newsletter:gone": there is no such newsletter`},
		"unknown":          {Benefit{Entitlement: "happiness", Texts: text}, "no such entitlement"},
		"no slug":          {Benefit{Entitlement: "topic:", Texts: text}, "no such entitlement"},
		"no text":          {Benefit{Entitlement: "topic:x", Texts: map[string]string{"en": " "}}, "no text"},
		"twice":            {Benefit{Entitlement: "archive", Texts: text}, "twice"},
	} {
		err := CheckBenefits(append(good[:7:7], test.b), missing)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), test.want) || fault.Hint(err) == "" {
			t.Errorf("%s: %v, hint %q", name, err, fault.Hint(err))
		}
	}
}

func TestKeeps(t *testing.T) {
	for _, test := range []struct {
		wall *Wall
		kept string
	}{
		{newWall(t), "archive topic:x section:x meter"},
		{newWall(t, "true → open"), ""},
		{newWall(t, "true → register"), "archive topic:x section:x meter"},
		{newWall(t, "true → subscribe"), ""},
		{newWall(t, "story.age_days > 60 → register", "true → open"), "archive"},
		{newWall(t, "'x' in story.topics → register", "true → open"), "topic:x"},
		{newWall(t, "'x' in story.sections → register", "true → open"), "section:x"},
		{newWall(t, "true → meter 3 per 30 days"), ""}, // the same for everybody is no promise
		{newWall(t, "reader.state == 'registered' → meter 10 per 30 days", "true → meter 3 per 30 days"), "archive topic:x section:x meter"},
		{newWall(t, "reader.state == 'registered' → meter 3 per 30 days", "true → meter 3 per 30 days"), ""},
	} {
		for _, e := range []string{"archive", "topic:x", "section:x", "meter"} {
			err := test.wall.Keeps(e)
			if want := strings.Contains(" "+test.kept+" ", " "+e+" "); (err == nil) != want {
				t.Errorf("%v keeps %s: %v", test.wall.Rules(), e, err)
			}
			if err != nil && (!fault.Is(err, fault.Invalid) || fault.Hint(err) == "") {
				t.Errorf("%v has no hint", err)
			}
		}
	}
	if err := newWall(t).Keeps("newsletter:x"); err == nil {
		t.Error("the wall keeps newsletters")
	}
}
