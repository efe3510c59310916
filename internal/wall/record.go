package wall

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"masthead/internal/db"
)

const (
	// RecordEvery is how often what was recorded is written.
	RecordEvery = time.Minute
	// RecordLeast is how many visits a kind must have in a day to be kept as it
	// is once the day is over; smaller kinds lose what sets them apart.
	RecordLeast = 5
	recordMost  = 1 << 16 // kinds in memory; what goes beyond is not recorded
	readsMost   = 30      // more are recorded as so many
)

// The least of each bucket of ages in days, and of lengths in words. Ages begin
// where rules are wont to divide them: story.age_days > 60.
var (
	ageBuckets  = []int{0, 1, 2, 3, 4, 8, 15, 31, 61, 91, 181, 366, 731}
	wordBuckets = []int{0, 300, 600, 1000, 2000, 3000, 5000, 10000}
)

// bucket gives the place of n in buckets.
func bucket(buckets []int, n int) uint8 {
	i := len(buckets) - 1
	for i > 0 && n < buckets[i] {
		i--
	}
	return uint8(i)
}

// Recorder counts what the wall decided, by kinds of visit, and what the arms of
// a trial led to. It knows no reader and no story once it has written: docs/decisions/0012-replay.md.
// It is safe for concurrent use.
type Recorder struct {
	// Keep is for how long kinds are kept; 0 records none, and a trial alone.
	Keep time.Duration

	mu    sync.RWMutex
	kinds map[kind]*visits
	arms  [3][4]atomic.Int64 // by arm and what
	lost  atomic.Int64
	turn  sync.Mutex // held by whoever writes
}

// kind is one kind of visit as it is counted in memory, where a story stands
// for what is known of it. Nothing of a reader is in it but his state and tiers.
type kind struct {
	story, lang string
	tiers       string
	referrer    string
	day         int32
	age         uint8 // place in ageBuckets
	words       uint8
	reads       uint8
	counted     uint8
	state       State
	verdict     Verdict
	whole       bool
}

type visits struct {
	n    atomic.Int64
	item Item
}

// How the reads of a kind are to be understood.
const (
	countedNew   uint8 = iota // so many others were read
	countedAgain              // so many others, and this story before
	countedLeast              // so many at least: nobody counted on
)

var countedNames = [...]string{"new", "again", "least"}

// NewRecorder makes a recorder that keeps kinds of visits for so long.
func NewRecorder(keep time.Duration) *Recorder {
	return &Recorder{Keep: keep, kinds: map[kind]*visits{}}
}

// RecordOn has c count one decision of this wall that led to a page. Peeks,
// staff, crawlers and gifts are none. It takes a lookup and two atomic additions,
// and no allocation but for a kind that is new in this minute.
func (w *Wall) RecordOn(c *Recorder, v *Visit, it *Item, d *Decision) {
	if v.Peek || v.Crawler != "" || v.Reader.State == Staff || d.Rule == ByGift {
		return
	}
	if d.Arm != NoArm {
		c.arms[d.Arm][2].Add(1)
		if !d.Full {
			c.arms[d.Arm][3].Add(1)
		}
	}
	if c.Keep == 0 {
		return
	}
	k := kind{story: it.StoryID, lang: it.Lang, day: int32(v.Now.Unix() / 86400), age: bucket(ageBuckets, int(ageDays(v, it))),
		words: bucket(wordBuckets, it.Words), state: Anonymous, verdict: d.Verdict, whole: d.Full}
	if v.Reader.State == Registered {
		k.state = Registered
		if len(v.Reader.Tiers) == 1 {
			k.tiers = v.Reader.Tiers[0]
		} else if len(v.Reader.Tiers) > 1 {
			k.tiers = strings.Join(slices.Sorted(slices.Values(v.Reader.Tiers)), " ")
		}
	}
	reads, counted := 0, countedLeast
	switch {
	case d.Verdict == Metered && d.Limit > 0:
		if reads, counted = d.Used, countedNew; d.Full && d.Count {
			reads--
		} else if d.Full {
			reads, counted = reads-1, countedAgain
		} else {
			counted = countedLeast
		}
	case k.state == Anonymous:
		reads, _ = v.Meter.count(it.StoryID, v.Now.Add(-days(defaultWindow)))
	}
	k.reads, k.counted = uint8(min(max(reads, 0), readsMost)), counted
	if v.Referrer != "" {
		k.referrer = "other"
		if s := w.standing.Load(); s != nil && s.table.hosts[v.Referrer] {
			k.referrer = strings.Clone(v.Referrer)
		}
	}
	c.mu.RLock()
	n := c.kinds[k]
	c.mu.RUnlock()
	if n == nil {
		if n = c.begin(k, it); n == nil {
			c.lost.Add(1)
			return
		}
	}
	n.n.Add(1)
}

func (c *Recorder) begin(k kind, it *Item) *visits {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.kinds[k]; n != nil || len(c.kinds) >= recordMost {
		return n
	}
	n := &visits{item: *it}
	c.kinds[k] = n
	return n
}

// Joined counts an anonymous visitor who was put into an arm.
func (c *Recorder) Joined(a Arm) { c.arms[a][0].Add(1) }

// Registered counts a visitor of an arm who has registered.
func (c *Recorder) Registered(a Arm) { c.arms[a][1].Add(1) }

var armCounts = [...]string{countJoined, countRegistrations, countDecisions, countWalls}

// row is one line of the record.
type row struct {
	Day, Level                   int
	Sections, Topics, Kind, Lang string
	Access                       string
	Age, Words                   int
	State, Tiers                 string
	Reads                        int
	Counted, Referrer, Verdict   string
	Whole                        bool
}

// row gives what is kept of a kind: not the story.
func (k *kind) row(it *Item) row {
	sections := it.Sections
	if sections == nil && it.Section != "" {
		sections = []string{it.Section}
	}
	access := it.Access
	if it.Protected {
		access = "password"
	}
	return row{Day: int(k.day), Sections: strings.Join(sections, " "), Topics: strings.Join(slices.Sorted(slices.Values(it.Topics)), " "),
		Kind: it.Kind, Lang: it.Lang, Access: access, Age: ageBuckets[k.age], Words: wordBuckets[k.words], State: string(k.state), Tiers: k.tiers,
		Reads: int(k.reads), Counted: countedNames[k.counted], Referrer: k.referrer, Verdict: k.verdict.String(), Whole: k.whole}
}

// Flush writes what was counted before it was called; trial is the trial that
// is on, "" for none. What cannot be written is kept for the next time.
func (c *Recorder) Flush(ctx context.Context, d *db.DB, trial string) error {
	c.turn.Lock()
	defer c.turn.Unlock()
	c.mu.Lock()
	kinds := c.kinds
	c.kinds = make(map[kind]*visits, len(kinds))
	c.mu.Unlock()
	rows := map[row]int64{}
	for k, n := range kinds {
		rows[k.row(&n.item)] += n.n.Load()
	}
	var arms [3][4]int64
	any := len(rows) > 0
	for a := range c.arms {
		for w := range c.arms[a] {
			arms[a][w] = c.arms[a][w].Swap(0)
			any = any || arms[a][w] > 0
		}
	}
	if !any {
		return nil
	}
	err := d.InTx(ctx, func(tx *db.Tx) error {
		for r, n := range rows {
			if err := addRow(ctx, tx, r, n); err != nil {
				return err
			}
		}
		for _, a := range []Arm{ArmA, ArmB} {
			for w, n := range arms[a] {
				if n == 0 || trial == "" {
					continue
				}
				_, err := tx.ExecContext(ctx, `INSERT INTO wall_trial_count (trial_id, arm, what, n) VALUES ($1, $2, $3, $4)
					ON CONFLICT (trial_id, arm, what) DO UPDATE SET n = wall_trial_count.n + excluded.n`, trial, a.String(), armCounts[w], n)
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err == nil {
		return nil
	}
	c.mu.Lock()
	for k, n := range kinds {
		if now := c.kinds[k]; now != nil {
			now.n.Add(n.n.Load())
		} else if len(c.kinds) < recordMost {
			c.kinds[k] = n
		}
	}
	c.mu.Unlock()
	for a := range arms {
		for w, n := range arms[a] {
			c.arms[a][w].Add(n)
		}
	}
	return fmt.Errorf("wall.Recorder.Flush: %w", err)
}

const rowColumns = `day, level, sections, topics, kind, lang, access, age, words, state, tiers, reads, counted, referrer, verdict, whole`

func addRow(ctx context.Context, tx *db.Tx, r row, n int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO wall_record (`+rowColumns+`, visits) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
		ON CONFLICT (`+rowColumns+`) DO UPDATE SET visits = wall_record.visits + excluded.visits`,
		r.Day, r.Level, r.Sections, r.Topics, r.Kind, r.Lang, r.Access, r.Age, r.Words, r.State, r.Tiers, r.Reads, r.Counted, r.Referrer, r.Verdict, r.Whole, n)
	return err
}

// Coarsen forgets what is older than keep, and makes each kind of a day that is
// over and had fewer than [RecordLeast] visits part of a larger one: first
// without its topics and referrer, then without all but what was decided.
func (s *Store) Coarsen(ctx context.Context, tx *db.Tx, keep time.Duration) error {
	today := int(s.Now().Unix() / 86400)
	if _, err := tx.ExecContext(ctx, `DELETE FROM wall_record WHERE day <= $1`, today-int(keep/(24*time.Hour))-1); err != nil {
		return fmt.Errorf("wall.Coarsen: %w", err)
	}
	for level := range 2 {
		rows, err := tx.QueryContext(ctx, `DELETE FROM wall_record WHERE day < $1 AND level = $2 AND visits < $3 RETURNING `+rowColumns+`, visits`, today, level, RecordLeast)
		small := map[row]int64{}
		_, err = db.Rows(rows, err, func(from db.Scanner) (r row, err error) {
			var n int64
			if r, n, err = scanRow(from); err != nil {
				return r, err
			}
			if r.Level, r.Topics, r.Referrer = level+1, "", ""; level == 1 {
				r = row{Day: r.Day, Level: 2, State: r.State, Verdict: r.Verdict, Whole: r.Whole, Counted: countedNames[countedLeast]}
			}
			small[r] += n
			return r, nil
		})
		if err != nil {
			return fmt.Errorf("wall.Coarsen: %w", err)
		}
		for r, n := range small {
			if err := addRow(ctx, tx, r, n); err != nil {
				return fmt.Errorf("wall.Coarsen: %w", err)
			}
		}
	}
	return nil
}

func scanRow(from db.Scanner) (r row, n int64, err error) {
	err = from.Scan(&r.Day, &r.Level, &r.Sections, &r.Topics, &r.Kind, &r.Lang, &r.Access, &r.Age, &r.Words, &r.State, &r.Tiers, &r.Reads, &r.Counted,
		&r.Referrer, &r.Verdict, &r.Whole, &n)
	return r, n, err
}
