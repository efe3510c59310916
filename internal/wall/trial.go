package wall

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"masthead/internal/db"
	"masthead/internal/fault"
)

// Arm is which of two walls a visitor has while a trial is on.
type Arm uint8

// The arms. The zero Arm is of a visitor who is in no trial.
const (
	NoArm Arm = iota
	ArmA      // the wall that is live
	ArmB      // the design that is tried
)

// String gives "a" or "b", and "" for none.
func (a Arm) String() string { return [...]string{"", "a", "b"}[a] }

// The bounds of a trial.
const (
	TrialMax    = 90 * 24 * time.Hour
	LeastSample = 100 // visitors in each arm; below it the interval means little
	MostSample  = 10_000_000
)

// Trial is two walls side by side: the one that is live (arm A) and a design
// (arm B).
//
// A registered reader's arm is a hash of his ID, keyed with the trial's. An
// anonymous visitor's is one random bit in the signed cookie of the meter: it is
// drawn when that cookie is written for a story that is counted, or is there
// already. Until then he has the wall that is live and is in no arm. Nobody is
// known by it, and it is gone with the cookie.
type Trial struct {
	ID     string
	Number int    // trials are counted from 1
	Name   string // in the newsroom's words
	Share  int    // per cent of visitors in arm B: 1 to 99
	Sample int    // visitors that each arm must have before anything is said of them
	Design Design // arm B
	Who    string
	Start  time.Time
	End    time.Time
	Ended  time.Time // by hand, before its end; else zero
}

// On reports whether visitors are in it at a time.
func (t Trial) On(now time.Time) bool {
	return t.Ended.IsZero() && !now.Before(t.Start) && now.Before(t.End)
}

// Over reports whether it is past.
func (t Trial) Over(now time.Time) bool { return !t.Ended.IsZero() || !now.Before(t.End) }

// Mark is what the meter's cookie knows the trial by: 1 to 255.
func (t Trial) Mark() uint8 { return uint8((t.Number-1)%255 + 1) }

// running is a trial ready to decide by.
type running struct {
	Trial
	table *table
	key   [sha256.Size]byte
}

// arm gives the visitor's arm.
func (t *running) arm(v *Visit) Arm {
	switch {
	case v.Crawler != "" || v.Reader.State == Staff:
		return NoArm
	case v.Reader.State != Registered:
		return v.Meter.arm(t.Mark())
	case keyed(t.key, v.Reader.ID)%100 < uint64(t.Share):
		return ArmB
	}
	return ArmA
}

// keyed is FNV-1a begun from a key that is the trial's own, and mixed, so that
// its arms have nothing to do with those of another trial.
func keyed(key [sha256.Size]byte, id string) uint64 {
	h := binary.BigEndian.Uint64(key[:])
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 1099511628211
	}
	h ^= h >> 33 // the finaliser of MurmurHash3
	h *= 0xff51afd7ed558ccd
	return h ^ h>>33
}

// Trial gives the trial that is on at a time.
func (w *Wall) Trial(now time.Time) (Trial, bool) {
	if s := w.standing.Load(); s != nil && s.trial != nil && s.trial.On(now) {
		return s.trial.Trial, true
	}
	return Trial{}, false
}

// Draw puts an anonymous visitor into an arm of the trial that is on, unless he
// is in one: random is any number below 100, evenly drawn. joined tells that the
// meter is not what it was and must be written to the cookie.
func (w *Wall) Draw(m *Meter, now time.Time, random int) (next *Meter, arm Arm, joined bool) {
	t, on := w.Trial(now)
	if !on || m.arm(t.Mark()) != NoArm {
		return m, NoArm, false
	}
	next, arm = &Meter{}, ArmA
	if m != nil {
		next.entries = m.entries
	}
	if random < t.Share {
		arm = ArmB
	}
	next.trial, next.drawn = t.Mark(), arm
	return next, arm, true
}

// arm gives what the cookie holds of the trial with a mark.
func (m *Meter) arm(mark uint8) Arm {
	if m == nil || m.trial != mark {
		return NoArm
	}
	return m.drawn
}

// StartTrial begins a trial now. It is fault.Invalid where the design cannot be
// used or a bound is passed, and fault.Conflict while another is on.
func (s *Store) StartTrial(ctx context.Context, tx *db.Tx, t Trial) (Trial, error) {
	t.ID, t.Start, t.Name = db.NewID(), s.Now(), strings.TrimSpace(t.Name)
	rules, err := t.Design.Compiled()
	if err != nil {
		return t, err
	}
	if _, err := compile(rules); err != nil {
		return t, err
	}
	switch {
	case t.Name == "" || utf8.RuneCountInString(t.Name) > 120:
		return t, fault.New(fault.Invalid, "a trial has a name of at most 120 letters")
	case t.Share < 1 || t.Share > 99:
		return t, fault.New(fault.Invalid, "the share is 1 to 99 per cent")
	case t.Sample < LeastSample || t.Sample > MostSample:
		return t, fault.New(fault.Invalid, "too few or too many visitors are planned", "least", LeastSample)
	case !t.End.After(t.Start) || t.End.Sub(t.Start) > TrialMax:
		return t, fault.New(fault.Invalid, "a trial ends within 90 days")
	}
	last, err := s.Trials(ctx, tx)
	if err != nil {
		return t, err
	}
	t.Number = 1
	if len(last) > 0 {
		if t.Number = last[0].Number + 1; !last[0].Over(t.Start) {
			return t, fault.New(fault.Conflict, "another trial is on").WithHint("end it first")
		}
	}
	design, err := json.Marshal(t.Design)
	if err != nil {
		return t, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO wall_trial (id, number, name, share, sample, design, who, starts_at, ends_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		t.ID, t.Number, t.Name, t.Share, t.Sample, string(design), t.Who, db.Micros(t.Start), db.Micros(t.End))
	if db.IsUnique(err) { // another was started at this moment
		return t, fault.New(fault.Conflict, "another trial is on").WithHint("end it first")
	}
	if err != nil {
		return t, fmt.Errorf("wall.StartTrial: %w", err)
	}
	return t, s.changed(ctx, tx)
}

// EndTrials ends the trial that is on, if there is one, and reports whether.
func (s *Store) EndTrials(ctx context.Context, tx *db.Tx) (bool, error) {
	now := db.Micros(s.Now())
	done, err := tx.ExecContext(ctx, `UPDATE wall_trial SET ended_at = $1 WHERE ended_at = 0 AND ends_at > $1`, now)
	if err != nil {
		return false, fmt.Errorf("wall.EndTrials: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	return true, s.changed(ctx, tx)
}

// Trials gives all trials, the newest first.
func (s *Store) Trials(ctx context.Context, q db.Queryer) ([]Trial, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, number, name, share, sample, design, who, starts_at, ends_at, ended_at FROM wall_trial ORDER BY number DESC`)
	trials, err := db.Rows(rows, err, func(row db.Scanner) (t Trial, err error) {
		var design string
		var start, end, ended int64
		if err := row.Scan(&t.ID, &t.Number, &t.Name, &t.Share, &t.Sample, &design, &t.Who, &start, &end, &ended); err != nil {
			return t, err
		}
		t.Start, t.End, t.Ended = db.Time(start), db.Time(end), db.Time(ended)
		return t, json.Unmarshal([]byte(design), &t.Design)
	})
	if err != nil {
		return nil, fmt.Errorf("wall.Trials: %w", err)
	}
	return trials, nil
}

// Counts is what was counted in one arm.
type Counts struct {
	Joined        int // anonymous visitors who were put into it
	Registrations int // of those, who registered
	Decisions     int // of the wall, for anybody in the arm
	Walls         int // of those, which withheld
}

// TrialCounts gives what was counted in a trial, of arms A and B.
func (s *Store) TrialCounts(ctx context.Context, q db.Queryer, trialID string) (a, b Counts, err error) {
	type row struct {
		arm, what string
		n         int
	}
	rows, err := q.QueryContext(ctx, `SELECT arm, what, n FROM wall_trial_count WHERE trial_id = $1`, trialID)
	list, err := db.Rows(rows, err, func(r db.Scanner) (c row, err error) { return c, r.Scan(&c.arm, &c.what, &c.n) })
	if err != nil {
		return a, b, fmt.Errorf("wall.TrialCounts: %w", err)
	}
	for _, r := range list {
		c := &a
		if r.arm == ArmB.String() {
			c = &b
		}
		*c.field(r.what) = r.n
	}
	return a, b, nil
}

// The things that are counted in an arm.
const (
	countJoined        = "joined"
	countDecisions     = "decisions"
	countWalls         = "walls"
	countRegistrations = "registrations"
)

func (c *Counts) field(what string) *int {
	switch what {
	case countJoined:
		return &c.Joined
	case countRegistrations:
		return &c.Registrations
	case countWalls:
		return &c.Walls
	}
	return &c.Decisions
}

// Finding is what may honestly be said of a trial.
type Finding string

// The findings.
const (
	TooFew    Finding = "too_few"   // the planned number of visitors is not reached
	NoFinding Finding = "nothing"   // the interval holds 0: chance may have made the difference
	MoreInB   Finding = "more_in_b" // more of arm B's visitors register
	LessInB   Finding = "less_in_b" // fewer do
)

// Find compares how many of each arm's visitors registered. The size was fixed
// before: looking sooner, and stopping when it looks good, would find
// differences that are not there.
func (t Trial) Find(a, b Counts) (Finding, Interval) {
	i := Difference(b.Registrations, b.Joined, a.Registrations, a.Joined)
	switch {
	case a.Joined < t.Sample || b.Joined < t.Sample:
		return TooFew, i
	case i.Low > 0:
		return MoreInB, i
	case i.High < 0:
		return LessInB, i
	}
	return NoFinding, i
}

// Interval is an estimate with its 95 % confidence interval, as parts of 1.
type Interval struct{ Value, Low, High float64 }

// z95 is the 0.975 quantile of the normal distribution.
const z95 = 1.959963984540054

// Proportion estimates x of n by Wilson's score interval (E. B. Wilson, 1927).
// Of no trials at all nothing is known: 0 to 1.
func Proportion(x, n int) Interval {
	if n <= 0 {
		return Interval{0, 0, 1}
	}
	x = min(max(x, 0), n)
	N, p := float64(n), float64(x)/float64(n)
	middle := (p + z95*z95/(2*N)) / (1 + z95*z95/N)
	half := z95 / (1 + z95*z95/N) * math.Sqrt(p*(1-p)/N+z95*z95/(4*N*N))
	return Interval{p, max(0, middle-half), min(1, middle+half)}
}

// Difference estimates x1/n1 − x2/n2 by Newcombe's hybrid score interval
// (R. G. Newcombe, Statistics in Medicine 17, 1998, pp. 873–890, method 10).
func Difference(x1, n1, x2, n2 int) Interval {
	if n1 <= 0 || n2 <= 0 {
		return Interval{0, -1, 1}
	}
	p, q := Proportion(x1, n1), Proportion(x2, n2)
	d := p.Value - q.Value
	return Interval{d,
		d - math.Hypot(p.Value-p.Low, q.High-q.Value),
		d + math.Hypot(p.High-p.Value, q.Value-q.Low)}
}

// Arm gives the arm that a meter's cookie holds of the trial that is on.
func (w *Wall) Arm(m *Meter, now time.Time) Arm {
	if t, on := w.Trial(now); on {
		return m.arm(t.Mark())
	}
	return NoArm
}
