package wall

import (
	"testing"
	"time"
)

// demoRules are a table such as a newsroom writes: twelve rules, of which the
// last decides over most visits.
func demoRules() []Rule {
	rule := func(name, when, grant string) Rule { return Rule{Name: name, When: when, Grant: MustGrant(grant)} }
	return []Rule{
		rule("standing pages", `story.kind == "page"`, "open"),
		rule("a project, for supporters", `"corridor-papers" in story.topics && "supporter" in reader.tiers`, "open"),
		rule("a project, for everybody else", `"corridor-papers" in story.topics`, "subscribe supporter"),
		rule("tiers by topic", `reader.tiers.exists(t, t in story.topics)`, "open"),
		rule("those who read a lot", `visit.reads > 40 && reader.state == "anonymous"`, "subscribe"),
		rule("from a partner", `visit.referrer == "partner.example"`, "open"),
		rule("registered readers are metered", `reader.state == "registered"`, "meter 20 per 30 days"),
		rule("verified crawlers", `visit.crawler`, "open"),
		rule("long reads", `story.words > 5000 && story.lang == "en"`, "register"),
		rule("the archive, older than sixty days", `story.age_days > 60`, "register"),
		rule("the water ledger", `"water-ledger" in story.topics`, "register"),
		rule("three stories a month for everybody", `true`, "meter 3 per 30 days"),
	}
}

func benchItem(now time.Time) Item {
	return Item{StoryID: "0193b6f0-0000-7000-8000-000000000001", Section: "harbour", Sections: []string{"harbour", "coast"},
		Topics: []string{"ports", "treaty-renewal", "linnet"}, PublishedAt: now.Add(-days(3)), Lang: "en", Words: 900, Kind: "story"}
}

func benchmark(b *testing.B, rules []Rule, v Visit) {
	w, err := New(rules)
	if err != nil {
		b.Fatal(err)
	}
	it := benchItem(v.Now)
	b.ReportAllocs()
	for b.Loop() {
		if d := w.Decide(v, it); !d.Full {
			b.Fatal(d)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	meter := (&Meter{}).With("a", now.Add(-days(2))).With("b", now.Add(-days(1)))
	anonymous := Visit{Meter: meter, Now: now}
	reads := []Read{{"a", now.Add(-days(2))}, {"b", now.Add(-days(1))}}
	registered := Visit{Reader: Reader{ID: "r", State: Registered, Tiers: []string{"friend"}}, Now: now,
		Counted: func(time.Time) ([]Read, error) { return reads, nil }}
	b.Run("anonymous/default", func(b *testing.B) { benchmark(b, nil, anonymous) })
	b.Run("anonymous/twelve", func(b *testing.B) { benchmark(b, demoRules(), anonymous) })
	b.Run("registered/default", func(b *testing.B) { benchmark(b, nil, registered) })
	b.Run("registered/twelve", func(b *testing.B) { benchmark(b, demoRules(), registered) })
	b.Run("meter cookie", func(b *testing.B) {
		keys := MeterKeys{[]byte("0123456789abcdef0123456789abcdef")}
		value := keys.Write(meter)
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := keys.Read(value); !ok {
				b.Fatal("not read")
			}
		}
	})
}
