package wall

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Item is a story as the wall sees it: one edition of it.
type Item struct {
	StoryID     string
	Section     string   // slug; "" when it stands in none
	Sections    []string // slugs of the section and of those it is within; nil means Section alone
	Topics      []string // slugs
	PublishedAt time.Time
	Access      string // the story's own: "" leaves it to the rules, "open", "registered", "tier:NAME"
	Protected   bool   // by a password: closed to all but staff
	Lang        string // of the edition
	Words       int
	Kind        string // "story" or "page"
}

// State is who is reading.
type State string

// The states of a reader. The zero State is Anonymous.
const (
	Anonymous  State = "anonymous"
	Registered State = "registered"
	Staff      State = "staff"
)

// Reader is who reads. The zero Reader is anonymous.
type Reader struct {
	ID    string // of a registered reader
	State State
	Tiers []string // those in force now
}

// Read is one story that was counted by a meter.
type Read struct {
	StoryID string
	At      time.Time
}

// Visit is one reader's wish to read, with what there is to judge it by.
type Visit struct {
	Reader Reader
	// Meter is what an anonymous visitor's cookie tells; nil when there is none.
	Meter *Meter
	// Counted gives the stories that the meter of a registered reader has
	// counted since a time. It is asked once at most, and only if a rule needs
	// it; nil means none were. When it fails the meter opens only what it gives
	// nonetheless.
	Counted  func(since time.Time) ([]Read, error)
	Referrer string // host of the page that led here, without port; "" when there is none
	Crawler  string // name of the crawler, once [Crawlers.Verify] has found it genuine; else ""
	Gift     *Gift  // as [Store.GiftByToken] found it; nil when there is none
	Now      time.Time
	// Peek asks without counting: for feeds, searches, lists and HEAD. A meter
	// then opens only what it has counted before; see [Decision.Offered].
	Peek bool
}

// Verdict is what decides over a story.
type Verdict int

// The verdicts, from the most generous to the strictest. No rule can grant Closed.
const (
	Open      Verdict = iota // anybody may read
	Metered                  // a number of stories in a window is free
	Register                 // registered readers may read
	Subscribe                // holders of a tier may read
	Closed                   // only staff may read: the story is behind a password
)

var verdictNames = [...]string{"open", "meter", "register", "subscribe", "closed"}

// String gives the word that a rule grants the verdict by.
func (v Verdict) String() string { return verdictNames[v] }

// What decided, where it was no rule of the table.
const (
	ByStaff    = "staff"
	ByPassword = "the story's password"
	ByAccess   = "story's own access"
	ByGift     = "gift"
	ByCrawler  = "crawler"
	ByNoRule   = "no rule matched"
	ByLift     = "emergency lift"
	byTrial    = "trial" // decides nothing itself: it tells by whose rules it goes on
)

// Decision is what the wall says. Verdict tells what was asked for and Full
// whether this reader has it.
type Decision struct {
	Full    bool // the whole text may be sent
	Offered bool // it would be, to a visit that is no Peek; equals Full otherwise
	Verdict Verdict
	Rule    string // name of the rule that decided, or one of the By constants
	Tier    string // Subscribe: the tier's name; "" when any will do
	Archive bool   // the rule that decided asks for the story's age
	Arm     Arm    // of the trial that is on; [NoArm] for who is in none

	// Metered: Used of Limit stories are read in Days days, this one included
	// if it is counted. Used may be above Limit after a rule was tightened.
	Limit, Used, Days int
	// Count says that this read is to be counted now: with [Meter.With] for an
	// anonymous visitor, with [Store.CountRead] for a registered reader.
	Count bool
	Last  bool // no free story is left after this one
}

// MayGive reports whether a reader may give the story away who got this
// decision: a registered one, to whom it was not given.
func (d Decision) MayGive(r Reader) bool {
	return d.Full && r.State == Registered && r.ID != "" && d.Rule != ByGift
}

// Wall decides. It is safe for concurrent use, also while its rules are
// replaced. The zero Wall has no rules and lets nobody but registered readers
// read; [New] makes one.
type Wall struct {
	// Fault, if set, is told of each rule that failed while it was evaluated.
	Fault func(rule string, err error)

	standing atomic.Pointer[standing]
}

// standing is all that is in force at once.
type standing struct {
	table *table
	lifts []Lift   // in order of their ends, the last first
	trial *running // the newest; nil when there is none, or it was ended by hand
}

// New makes a wall with these rules, or with [DefaultRules] when there are none.
func New(rules []Rule) (*Wall, error) {
	w := &Wall{}
	return w, w.Set(rules)
}

// Set replaces the rules, all at once. No rules at all mean [DefaultRules].
// When one cannot be used the wall stays as it was, and the error, of kind
// fault.Invalid, names each such rule and what to do.
func (w *Wall) Set(rules []Rule) error {
	t, err := compile(rules)
	if err != nil {
		return err
	}
	next := standing{table: t}
	if old := w.standing.Load(); old != nil {
		next.lifts, next.trial = old.lifts, old.trial
	}
	w.standing.Store(&next)
	return nil
}

// Rules gives the rules in force, in order.
func (w *Wall) Rules() []Rule {
	s := w.standing.Load()
	if s == nil {
		return nil
	}
	rules := make([]Rule, len(s.table.rules))
	for i := range s.table.rules {
		rules[i] = s.table.rules[i].Rule
	}
	return rules
}

// Window gives the longest time that any rule looks back for counted reads, be
// it one of a trial: how long the meter's cookie must live.
func (w *Wall) Window() time.Duration {
	s := w.standing.Load()
	switch {
	case s == nil:
		return days(defaultWindow)
	case s.trial != nil:
		return days(max(s.table.window, s.trial.table.window))
	}
	return days(s.table.window)
}

// Decide says whether the reader of this visit may read the story. It asks no
// database, unless a registered reader's meter must be looked at.
func (w *Wall) Decide(v Visit, it Item) Decision {
	return w.decide(v, it, nil)
}

// decide is Decide; it notes each step in tr when that is not nil.
func (w *Wall) decide(v Visit, it Item, tr *trace) Decision {
	j := judges.Get().(*judge)
	defer func() { *j = judge{}; judges.Put(j) }()
	j.visit, j.item, j.trace, j.fault = v, it, tr, w.Fault
	switch {
	case v.Reader.State == Staff:
		j.step(ByStaff, "open", true, "staff read everything")
		return Decision{Full: true, Offered: true, Rule: ByStaff}
	case it.Protected:
		j.step(ByPassword, "closed", true, "the story is behind a password, and only staff read it")
		return Decision{Verdict: Closed, Rule: ByPassword}
	}
	var t *table
	arm := NoArm
	if s := w.standing.Load(); s != nil {
		if l := s.lift(v.Now, &it); l != nil {
			if j.trace != nil {
				j.step(ByLift, "open", true, l.name()+" is lifted until "+l.End.UTC().Format(time.RFC3339)+": "+l.Reason)
			}
			return Decision{Full: true, Offered: true, Rule: ByLift}
		}
		t = s.table
		if s.trial != nil && s.trial.On(v.Now) {
			if arm = s.trial.arm(&v); arm == ArmB {
				t = s.trial.table
			}
			j.tried(s.trial, arm)
		}
	}
	d, decided := j.access()
	if !decided {
		d = j.rules(t)
	}
	d.Arm = arm
	if v.Gift != nil {
		if d.Full && !d.Count {
			j.note(ByGift, "open", "not needed: the reader may read the story anyway")
		} else if why := v.Gift.refusal(it.StoryID, v.Now); why != "" {
			j.note(ByGift, "open", why)
		} else {
			j.overrule(ByGift, "open", "a reader gave this story, until "+v.Gift.ExpiresAt.UTC().Format(time.RFC3339))
			return Decision{Full: true, Offered: true, Rule: ByGift}
		}
	}
	return d
}

// judge is one decision in the making.
type judge struct {
	visit Visit
	item  Item
	trace *trace
	fault func(rule string, err error)

	table   *table
	window  int // days that visit.reads looks back, for the rule being looked at
	fetched bool
	reads   []Read
	readErr error
}

// judges are kept for the next decision, and know nothing of the last one.
var judges = sync.Pool{New: func() any { return new(judge) }}

// access applies the story's own access, and reports whether it has one.
func (j *judge) access() (Decision, bool) {
	var g Grant
	a := j.item.Access
	tier, isTier := strings.CutPrefix(a, "tier:")
	switch {
	case a == "":
		return Decision{}, false
	case a == "open":
		g = Grant{Verdict: Open}
	case a == "registered":
		g = Grant{Verdict: Register}
	case isTier && tier != "":
		g = Grant{Verdict: Subscribe, Tier: tier}
	default: // nothing that we know: better closed than leaked
		j.step(ByAccess, "closed", true, "the story's access is "+quote(a)+", which is none of open, registered and tier:NAME")
		return Decision{Verdict: Closed, Rule: ByAccess}, true
	}
	d := j.apply(ByAccess, g)
	if j.trace != nil {
		j.step(ByAccess, g.String(), true, "the story's access is "+quote(a)+j.outcome(d))
	}
	return d, true
}

// rules finds the first rule that matches and applies it.
func (j *judge) rules(t *table) Decision {
	if t != nil {
		j.table = t
		for i := range t.rules {
			r := &t.rules[i]
			j.window = r.window()
			matched, err := r.match(j)
			if err != nil && j.fault != nil {
				j.fault(r.Name, err)
			}
			if !matched {
				j.explain(r, err, nil)
				continue
			}
			d := j.apply(r.Name, r.Grant)
			d.Archive = r.aged
			j.explain(r, nil, &d)
			j.rest(t.rules[i+1:])
			return d
		}
	}
	d := j.apply(ByNoRule, Grant{Verdict: Register})
	if j.trace != nil {
		j.step(ByNoRule, "register", true, "no rule matched, so the story is for registered readers"+j.outcome(d))
	}
	return d
}

// apply says what a grant means for the reader.
func (j *judge) apply(rule string, g Grant) Decision {
	d := Decision{Verdict: g.Verdict, Rule: rule, Tier: g.Tier, Limit: g.Limit, Days: g.Days}
	r := &j.visit.Reader
	switch g.Verdict {
	case Open:
		d.Full = true
	case Register:
		d.Full = r.State == Registered
	case Subscribe:
		d.Full = r.State == Registered && holds(r.Tiers, g.Tier)
	case Metered:
		if j.visit.Crawler == "" {
			j.meter(&d)
			return d
		}
	}
	if !d.Full && j.visit.Crawler != "" && (g.Verdict == Register || g.Verdict == Metered) {
		d.Full, d.Rule = true, ByCrawler
	}
	d.Offered = d.Full
	return d
}

// AnyTier is the name of a tier that the holder of any tier has: an imported
// newsroom's "paid" names none.
const AnyTier = "paid"

func holds(tiers []string, name string) bool {
	if name == "" || name == AnyTier {
		return len(tiers) > 0
	}
	return slices.Contains(tiers, name)
}

// meter fills in what a meter says.
func (j *judge) meter(d *Decision) {
	used, this, err := j.count(d.Days)
	d.Used = used
	switch {
	case this: // so much is known, also where the rest is not
		d.Full, d.Offered = true, true
	case err != nil: // what cannot be counted is spent
		d.Used = d.Limit
		if j.fault != nil {
			j.fault(d.Rule, err)
		}
	case used < d.Limit && j.visit.Peek:
		d.Offered = true
	case used < d.Limit:
		d.Full, d.Offered, d.Count = true, true, true
		d.Used++
	}
	d.Last = d.Full && d.Used >= d.Limit
}

// count gives how many stories the reader's meter has counted in so many days,
// and whether this story is one of them.
func (j *judge) count(window int) (used int, this bool, err error) {
	v := &j.visit
	since := v.Now.Add(-days(window))
	if v.Reader.State != Registered {
		used, this = v.Meter.count(j.item.StoryID, since)
		return used, this, nil
	}
	if !j.fetched && v.Counted != nil {
		// Once for all rules: as far back as the one that looks furthest.
		longest := window
		if j.table != nil {
			longest = max(longest, j.table.window)
		}
		j.reads, j.readErr = v.Counted(v.Now.Add(-days(longest)))
	}
	j.fetched = true
	for i := range j.reads {
		if j.reads[i].At.After(since) {
			used++
			this = this || j.reads[i].StoryID == j.item.StoryID
		}
	}
	return used, this, j.readErr
}

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }
