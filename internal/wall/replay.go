package wall

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"masthead/internal/db"
)

// Replay is how other rules would have decided on the visits that were
// recorded. A visit is stopped when it did not get the whole text.
type Replay struct {
	From, To time.Time // the days that it rests on; zero when there are none
	All      Shares
	Sections []Shares // by the story's own section, the most visited first
	States   []Shares // by what the reader was
}

// Shares is how many of some visits were stopped, and would have been.
type Shares struct {
	Name   string // of the section or state; "" for none
	Visits int
	Before int // stopped then
	// After is how many the other rules would have stopped for certain, and
	// Perhaps how many more they may have: the record knows too little of these.
	After, Perhaps int
}

// Share gives n as a part of all visits, from 0 to 1.
func (s Shares) Share(n int) float64 {
	if s.Visits == 0 {
		return 0
	}
	return float64(n) / float64(s.Visits)
}

// Replay asks rules about every kind of visit that was recorded. The error has
// kind fault.Invalid where the rules cannot be used.
//
// A visit is not known to the day or the word, so each is asked about with what
// it was at least and at most; where the answers differ it stands under Perhaps.
func (s *Store) Replay(ctx context.Context, q db.Queryer, rules []Rule) (Replay, error) {
	w, err := New(rules)
	if err != nil {
		return Replay{}, err
	}
	asked := w.asked()
	var out Replay
	var first, last int
	sections, states := map[string]*Shares{}, map[string]*Shares{}
	rows, err := q.QueryContext(ctx, `SELECT MIN(day), level, sections, topics, kind, lang, access, age, words, state, tiers, reads, counted, referrer, verdict, whole,
		CAST(SUM(visits) AS BIGINT), MAX(day) FROM wall_record GROUP BY level, sections, topics, kind, lang, access, age, words, state, tiers, reads, counted, referrer, verdict, whole`)
	_, err = db.Rows(rows, err, func(from db.Scanner) (struct{}, error) {
		var day int
		r, n, err := scanRow(withDay{from, &day})
		if err != nil {
			return struct{}{}, err
		}
		if first == 0 || r.Day < first {
			first = r.Day
		}
		last = max(last, day)
		always, sometimes := w.stops(r, asked, s.Now())
		section, _, _ := strings.Cut(r.Sections, " ")
		add := func(sh *Shares) {
			sh.Visits += int(n)
			if !r.Whole {
				sh.Before += int(n)
			}
			if always {
				sh.After += int(n)
			} else if sometimes {
				sh.Perhaps += int(n)
			}
		}
		add(&out.All)
		add(under(sections, section))
		add(under(states, r.State))
		return struct{}{}, nil
	})
	if err != nil {
		return out, fmt.Errorf("wall.Replay: %w", err)
	}
	if last > 0 {
		out.From, out.To = time.Unix(int64(first)*86400, 0).UTC(), time.Unix(int64(last)*86400, 0).UTC()
	}
	out.Sections, out.States = ordered(sections), ordered(states)
	return out, nil
}

// withDay scans one more column.
type withDay struct {
	db.Scanner
	day *int
}

// Scan implements [db.Scanner].
func (s withDay) Scan(dest ...any) error { return s.Scanner.Scan(append(dest, s.day)...) }

func under(m map[string]*Shares, name string) *Shares {
	if m[name] == nil {
		m[name] = &Shares{Name: name}
	}
	return m[name]
}

func ordered(m map[string]*Shares) []Shares {
	var all []Shares
	for _, s := range m {
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b Shares) int { return cmp.Or(b.Visits-a.Visits, cmp.Compare(a.Name, b.Name)) })
	return all
}

// asked is what a wall's conditions ask for.
type asked struct{ age, words, reads, topics, referrer bool }

func (w *Wall) asked() (a asked) {
	names := map[string]bool{}
	for _, c := range w.standing.Load().table.rules {
		for _, n := range variablesOf(c.ast.NativeRep(), c.ast.NativeRep().Expr()) {
			names[n] = true
		}
		a.reads = a.reads || c.Grant.Verdict == Metered
	}
	return asked{names["story.age_days"], names["story.words"], a.reads || names["visit.reads"], names["story.topics"], names["visit.referrer"]}
}

// stops reports whether the wall would withhold from a recorded kind of visit:
// whatever is not known of it, and in some case.
func (w *Wall) stops(r row, a asked, now time.Time) (always, sometimes bool) {
	if r.Level == 2 { // nothing is known of it
		return false, true
	}
	if r.Level == 1 && (a.topics || a.referrer) {
		return false, true
	}
	ages, words, reads := []int{r.Age}, []int{r.Words}, []int{r.Reads}
	if a.age {
		ages = most(ages, r.Age, ageBuckets, 36500)
	}
	if a.words {
		words = most(words, r.Words, wordBuckets, 1_000_000)
	}
	if a.reads && r.Counted == countedNames[countedLeast] {
		reads = append(reads, MeterMax)
	}
	always = true
	for _, age := range ages {
		for _, length := range words {
			for _, n := range reads {
				full := w.Decide(r.visit(n, now), r.item(age, length, now)).Full
				always, sometimes = always && !full, sometimes || !full
			}
		}
	}
	return always, sometimes
}

// most adds what a bucket holds at most, unless it holds one number alone.
func most(list []int, least int, buckets []int, end int) []int {
	i := slices.Index(buckets, least) + 1
	if i > 0 && i < len(buckets) {
		end = buckets[i] - 1
	}
	if end > least {
		list = append(list, end)
	}
	return list
}

func (r *row) item(age, words int, now time.Time) Item {
	it := Item{StoryID: "replay", Kind: r.Kind, Lang: r.Lang, Access: r.Access, Words: words, PublishedAt: now.Add(-days(age) - time.Hour)}
	if r.Access == "password" {
		it.Access, it.Protected = "", true
	}
	if r.Topics != "" {
		it.Topics = strings.Fields(r.Topics)
	}
	if it.Sections = strings.Fields(r.Sections); len(it.Sections) > 0 {
		it.Section = it.Sections[0]
	}
	return it
}

func (r *row) visit(reads int, now time.Time) Visit {
	v := Visit{Now: now, Referrer: r.Referrer, Meter: &Meter{}}
	if v.Referrer == "other" {
		v.Referrer = "other.invalid" // RFC 6761 §6.4: no site is called that
	}
	var counted []Read
	for i := range reads {
		counted = append(counted, Read{StoryID: strconv.Itoa(i), At: now.Add(-time.Minute)})
	}
	if r.Counted == countedNames[countedAgain] {
		counted = append(counted, Read{StoryID: "replay", At: now.Add(-time.Minute)})
	}
	if r.State == string(Registered) {
		v.Reader = Reader{ID: "replay", State: Registered, Tiers: strings.Fields(r.Tiers)}
		v.Counted = func(time.Time) ([]Read, error) { return counted, nil }
		return v
	}
	for _, c := range counted {
		v.Meter = v.Meter.With(c.StoryID, c.At)
	}
	return v
}

// hostsIn gives the texts of a table's conditions that a referrer is compared with.
func hostsIn(rules []compiled) map[string]bool {
	hosts := map[string]bool{}
	for i := range rules {
		if !strings.Contains(rules[i].When, "visit.referrer") {
			continue
		}
		for _, text := range quoted.FindAllString(rules[i].When, -1) {
			hosts[strings.Trim(text, `"'`)] = true
		}
	}
	return hosts
}
