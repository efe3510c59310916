package draft

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/staff"
	"masthead/internal/story"
)

// newsroom is a store with a story to write, and two who write it.
type newsroom struct {
	*Store
	d        *db.DB
	at       atomic.Int64 // the clock, in microseconds
	story    story.Story
	en, ar   string // editions
	ada, bob staff.Person
	told     []string
}

func newNewsroom(t testing.TB, d *db.DB) *newsroom {
	t.Helper()
	n := &newsroom{d: d}
	n.at.Store(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC).UnixMicro())
	clock := func() time.Time { return db.Time(n.at.Load()) }
	stories := &story.Store{Now: clock, DefaultLang: "en", Location: time.UTC}
	n.Store = &Store{Now: clock, Stories: stories, Tell: func(_ context.Context, _ db.Queryer, tags ...string) error {
		n.told = append(n.told, tags...)
		return nil
	}}
	stories.Changed = append(stories.Changed, n.Follow)
	people := staff.New()
	n.tx(t, func(tx *db.Tx) (err error) {
		ctx := t.Context()
		if n.ada, err = people.Add(ctx, tx, staff.Person{Email: "ada@quay.example", Name: "Ada", Role: staff.Editor}); err != nil {
			return err
		}
		if n.bob, err = people.Add(ctx, tx, staff.Person{Email: "bob@quay.example", Name: "Bob", Role: staff.Reporter}); err != nil {
			return err
		}
		n.story = story.Story{OriginalLang: "en"}
		if err := stories.Save(ctx, tx, &n.story); err != nil {
			return err
		}
		en := story.Edition{StoryID: n.story.ID, Lang: "en", Headline: "The ferry", Body: doc.FromText("One two three.\n\nFour five six.")}
		ar := story.Edition{StoryID: n.story.ID, Lang: "ar", Headline: "العبارة", Body: doc.FromText("واحد اثنان.")}
		for e, id := range map[*story.Edition]*string{&en: &n.en, &ar: &n.ar} {
			if err := stories.SaveEdition(ctx, tx, e, "ada@quay.example"); err != nil {
				return err
			}
			*id = e.ID
		}
		return nil
	})
	return n
}

func (n *newsroom) tx(t testing.TB, fn func(tx *db.Tx) error) {
	t.Helper()
	if err := n.d.InTx(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func (n *newsroom) pass(d time.Duration) { n.at.Add(d.Microseconds()) }

func (n *newsroom) open(t testing.TB, id string) (d Draft) {
	t.Helper()
	n.tx(t, func(tx *db.Tx) (err error) {
		d, err = n.Open(t.Context(), tx, id)
		return err
	})
	return d
}

func (n *newsroom) push(t testing.TB, p Push) (version int64, err error) {
	t.Helper()
	err = n.d.InTx(t.Context(), func(tx *db.Tx) (err error) {
		version, err = n.Push(t.Context(), tx, p)
		return err
	})
	return version, err
}

func (n *newsroom) keepNow(t testing.TB, id string) (k Kept) {
	t.Helper()
	n.tx(t, func(tx *db.Tx) (err error) {
		k, err = n.Keep(t.Context(), tx, id, "")
		return err
	})
	return k
}

func (n *newsroom) edition(t testing.TB, id string) story.Edition {
	t.Helper()
	e, err := n.Stories.EditionByID(t.Context(), n.d.Read(), id)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// insert types text at a position.
func insert(pos int, text string) doc.Step {
	return doc.Replace(pos, pos, &doc.Node{Type: "text", Text: text})
}

// type_ writes text at a position of the draft as it is.
func (n *newsroom) write(t testing.TB, id string, who staff.Person, pos int, text string) int64 {
	t.Helper()
	d := n.open(t, id)
	v, err := n.push(t, Push{EditionID: id, Version: d.Version, Client: "c-" + who.Name, ID: db.NewID(), StaffID: who.ID, Steps: []doc.Step{insert(pos, text)}})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestPush(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		n := newNewsroom(t, d)
		ctx := t.Context()
		if _, err := n.Load(ctx, d.Read(), n.en); !fault.Is(err, fault.NotFound) {
			t.Fatalf("a draft that nobody opened: %v", err)
		}
		first := n.open(t, n.en)
		if first.Version != 0 || first.Unkept || first.Fields[Headline].Value != "The ferry" || first.Doc.PlainText() != "One two three.\n\nFour five six." {
			t.Fatalf("%+v", first)
		}
		n.told = nil
		p := Push{EditionID: n.en, Client: "a", ID: "1", StaffID: n.ada.ID, Steps: []doc.Step{insert(1, "A"), insert(2, "B ")}}
		if v, err := n.push(t, p); v != 2 || err != nil {
			t.Fatal(v, err)
		}
		if diff := cmp.Diff([]string{"draft:" + n.en}, n.told); diff != "" {
			t.Error(diff)
		}
		// The acknowledgement was lost: the same again, and with more behind it.
		for _, steps := range [][]doc.Step{p.Steps, append(p.Steps, insert(1, "C"))} {
			again := p
			again.Steps = steps
			if v, err := n.push(t, again); v != 2 || err != nil {
				t.Fatal(v, err)
			}
		}
		// Somebody who has not seen it.
		late := Push{EditionID: n.en, Client: "b", ID: "1", StaffID: n.bob.ID, Steps: []doc.Step{insert(1, "late")}}
		_, err := n.push(t, late)
		stale, ok := errors.AsType[*Stale](err)
		if !ok || !fault.Is(err, fault.Conflict) || stale.Version != 2 || len(stale.Steps) != 2 || stale.Steps[0].Client != "a" || stale.Steps[0].StaffID != n.ada.ID || stale.Steps[1].Version != 2 {
			t.Fatalf("%v %+v", err, stale)
		}
		if late.Version = stale.Version; true {
			if v, err := n.push(t, late); v != 3 || err != nil {
				t.Fatal(v, err)
			}
		}
		// A repeat that comes after another's step: its own steps are among those it missed.
		far := p
		far.Version = 1
		if _, err := n.push(t, far); !fault.Is(err, fault.Conflict) {
			t.Fatal(err)
		}
		// What does not fit is not taken, nor what came with it.
		for name, bad := range map[string]Push{
			"does not fit": {Version: 3, Client: "b", ID: "2", Steps: []doc.Step{insert(1, "x"), insert(9999, "y")}},
			"schema":       {Version: 3, Client: "b", ID: "2", Steps: []doc.Step{insert(1, "x"), doc.Replace(0, 0, &doc.Node{Type: "embed", Attrs: map[string]any{"url": "javascript:x"}})}},
			"no steps":     {Version: 3, Client: "b", ID: "2"},
			"many steps":   {Version: 3, Client: "b", ID: "2", Steps: make([]doc.Step, MaxSteps+1)},
			"no client":    {Version: 3, ID: "2", Steps: p.Steps},
			"odd client":   {Version: 3, Client: "a b", ID: "2", Steps: p.Steps},
			"our client":   {Version: 3, Client: "outside", ID: "2", Steps: p.Steps},
			"odd push":     {Version: 3, Client: "a", ID: strings.Repeat("x", 41), Steps: p.Steps},
		} {
			bad.EditionID, bad.StaffID = n.en, n.bob.ID
			if _, err := n.push(t, bad); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		now, err := n.Load(ctx, d.Read(), n.en)
		if err != nil || now.Version != 3 || !now.Unkept || now.Doc.PlainText() != "lateAB One two three.\n\nFour five six." {
			t.Fatalf("%v %d %q", err, now.Version, now.Doc.PlainText())
		}
		for _, odd := range []int64{-1, 4, 1 << 40} {
			if missed, err := n.Since(ctx, d.Read(), n.en, odd); err != nil || !missed.Reload || missed.Version != 3 {
				t.Errorf("since %d: %+v %v", odd, missed, err)
			}
		}
		if _, err := n.push(t, Push{EditionID: "none", Client: "a", ID: "1", Steps: p.Steps}); !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
		// Nothing of it is public before it is kept.
		if e := n.edition(t, n.en); e.Revision != 1 || strings.Contains(e.Body.PlainText(), "late") {
			t.Errorf("%+v", e)
		}
	})
}

// writer is an editor as the browser has one: its document, its version, and what
// it does when it comes late.
type writer struct {
	*newsroom
	name string
	who  staff.Person
	d    Draft
}

// put appends a word to a random paragraph, again and again until it is taken.
func (w *writer) put(ctx context.Context, rng *rand.Rand, word string) error {
	id := db.NewID()
	for range 2000 {
		pos := 1 // of the end of a random paragraph
		last := rng.IntN(len(w.d.Doc.Content))
		for _, c := range w.d.Doc.Content[:last] {
			pos += c.Size()
		}
		pos += w.d.Doc.Content[last].Size() - 2
		step := insert(pos, " "+word)
		if rng.IntN(4) == 0 {
			step = doc.Replace(pos+1, pos+1, &doc.Node{Type: "paragraph", Content: []*doc.Node{{Type: "text", Text: word}}})
		}
		err := w.newsroom.d.InTx(ctx, func(tx *db.Tx) error {
			_, err := w.Push(ctx, tx, Push{EditionID: w.en, Version: w.d.Version, Client: w.name, ID: id, StaffID: w.who.ID, Steps: []doc.Step{step}})
			return err
		})
		stale, late := errors.AsType[*Stale](err)
		if err != nil && !late {
			return err
		}
		if late {
			if stale.Reload {
				return errors.New("told to reload")
			}
			if err := w.take(stale.Steps); err != nil {
				return err
			}
			continue
		}
		w.d.Version++
		w.d.Doc, err = doc.Apply(w.d.Doc, step)
		return err
	}
	return errors.New("never taken")
}

func (w *writer) take(steps []Step) error {
	for _, s := range steps {
		if s.Version != w.d.Version+1 {
			return fmt.Errorf("step %d after version %d", s.Version, w.d.Version)
		}
		step, err := doc.ParseStep(s.JSON)
		if err != nil {
			return err
		}
		if w.d.Doc, err = doc.Apply(w.d.Doc, step); err != nil {
			return err
		}
		w.d.Version = s.Version
	}
	return nil
}

func TestManyWriteAtOnce(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		n := newNewsroom(t, d)
		n.Tell = nil
		first := n.open(t, n.en)
		const writers, words = 4, 25
		all := make([]*writer, writers)
		var wait sync.WaitGroup
		for i := range all {
			all[i] = &writer{newsroom: n, name: fmt.Sprint("w", i), who: n.ada, d: first}
			if i%2 == 1 {
				all[i].who = n.bob
			}
			wait.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(i), 7))
				for k := range words {
					if err := all[i].put(t.Context(), rng, fmt.Sprintf("w%dk%d.", i, k)); err != nil {
						t.Errorf("writer %d: %v", i, err)
						return
					}
				}
			})
		}
		wait.Wait()
		end, err := n.Load(t.Context(), d.Read(), n.en)
		if err != nil || end.Version != writers*words {
			t.Fatalf("version %d: %v", end.Version, err)
		}
		text := " " + strings.Join(strings.Fields(end.Doc.PlainText()), " ") + " "
		for i, w := range all {
			missed, err := n.Since(t.Context(), d.Read(), n.en, w.d.Version)
			if err != nil || missed.Reload {
				t.Fatal(err, missed)
			}
			if err := w.take(missed.Steps); err != nil {
				t.Fatal(err)
			}
			if string(w.d.Doc.JSON()) != string(end.Doc.JSON()) {
				t.Errorf("writer %d has another document than the database:\n%s\n%s", i, w.d.Doc.JSON(), end.Doc.JSON())
			}
			for k := range words {
				if word := fmt.Sprintf(" w%dk%d. ", i, k); strings.Count(text, word) != 1 {
					t.Errorf("%q is there %d times", word, strings.Count(text, word))
				}
			}
		}
		k := n.keepNow(t, n.en)
		by, err := n.Writers(t.Context(), d.Read(), n.en)
		if err != nil || len(by[k.Revision]) != 2 {
			t.Errorf("written by %v %v", by, err)
		}
	})
}

func TestFields(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		n := newNewsroom(t, d)
		n.open(t, n.en)
		set := func(name string, version int64, value, who string) (f Field, err error) {
			err = d.InTx(t.Context(), func(tx *db.Tx) (err error) {
				f, err = n.SetField(t.Context(), tx, n.en, name, version, value, who)
				return err
			})
			return f, err
		}
		f, err := set(Headline, 0, "  The\n ferry\tleft ", n.ada.ID)
		if err != nil || f.Value != "The ferry left" || f.Version != 1 || f.StaffID != n.ada.ID {
			t.Fatalf("%+v %v", f, err)
		}
		if again, err := set(Headline, 0, "The ferry left", n.ada.ID); err != nil || again.Version != 1 {
			t.Errorf("the save that came again: %+v %v", again, err)
		}
		_, err = set(Headline, 0, "The boat", n.bob.ID)
		stale, ok := errors.AsType[*StaleField](err)
		if !ok || stale.Yours != "The boat" || stale.Theirs.Value != "The ferry left" || stale.Theirs.Version != 1 || !fault.Is(err, fault.Conflict) {
			t.Fatalf("%v %+v", err, stale)
		}
		if f, err := set(Headline, 1, "The boat", n.bob.ID); err != nil || f.Version != 2 {
			t.Errorf("%+v %v", f, err)
		}
		if _, err := set(Summary, 0, "About it", n.bob.ID); err != nil {
			t.Error(err)
		}
		for _, bad := range [][2]string{{"slug", "x"}, {Headline, strings.Repeat("x", MaxField+1)}, {Headline, "a\x00b"}, {Headline, "\xff"}} {
			if _, err := set(bad[0], 2, bad[1], n.bob.ID); !fault.Is(err, fault.Invalid) {
				t.Errorf("%q: %v", bad[0], err)
			}
		}
		k := n.keepNow(t, n.en)
		e := n.edition(t, n.en)
		if k.Revision != 2 || e.Headline != "The boat" || e.Summary != "About it" {
			t.Errorf("%+v %+v", k, e)
		}
		st, err := n.State(t.Context(), d.Read(), n.en)
		if diff := cmp.Diff(map[string]int64{Headline: 2, Summary: 1, Kicker: 0}, st.Fields); err != nil || diff != "" {
			t.Error(err, diff)
		}
	})
}

func BenchmarkPush(b *testing.B) {
	d := dbtest.SQLite(b)
	n := newNewsroom(b, d)
	n.Tell = nil
	words := strings.Repeat("The ferry left the harbour at dawn and nobody saw it go. ", 450) // 5,000 words
	var paragraphs []string
	for i := 0; i < len(words)-600; i += 600 {
		paragraphs = append(paragraphs, words[i:i+600])
	}
	n.tx(b, func(tx *db.Tx) error {
		e := n.edition(b, n.en)
		e.Body = doc.FromText(strings.Join(paragraphs, "\n\n"))
		return n.Stories.SaveEdition(b.Context(), tx, &e, "")
	})
	v := n.open(b, n.en).Version
	for b.Loop() {
		var err error
		if v, err = n.push(b, Push{EditionID: n.en, Version: v, Client: "b", ID: db.NewID(), StaffID: n.ada.ID, Steps: []doc.Step{insert(1, "x")}}); err != nil {
			b.Fatal(err)
		}
	}
}
