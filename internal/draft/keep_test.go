package draft

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/story"
)

func TestKeep(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		n := newNewsroom(t, d)
		ctx := t.Context()
		n.open(t, n.en)
		if k := n.keepNow(t, n.en); k != (Kept{1, 0}) {
			t.Errorf("nothing was written: %+v", k)
		}
		n.pass(time.Second)
		n.write(t, n.en, n.ada, 1, "A ")
		n.write(t, n.en, n.bob, 1, "B ")
		if ids, err := n.IdleDrafts(ctx, d.Read()); err != nil || len(ids) > 0 {
			t.Errorf("idle already: %v %v", ids, err)
		}
		n.pass(Idle)
		if kept, err := n.KeepIdle(ctx, d); kept != 1 || err != nil {
			t.Fatalf("kept %d, %v", kept, err)
		}
		e := n.edition(t, n.en)
		if e.Revision != 2 || e.Body.PlainText() != "B A One two three.\n\nFour five six." {
			t.Errorf("%+v", e)
		}
		r, err := n.Stories.RevisionAt(ctx, d.Read(), n.en, 2)
		if err != nil || r.Editor != "bob@quay.example" {
			t.Errorf("%+v %v", r, err)
		}
		by, err := n.Writers(ctx, d.Read(), n.en)
		if err != nil || len(by[2]) != 2 {
			t.Errorf("%v %v", by, err)
		}
		now := n.open(t, n.en)
		if now.Unkept || now.Kept != 2 || now.Revision != 2 || now.Base != 2 {
			t.Errorf("%+v", now)
		}
		if kept, err := n.KeepIdle(ctx, d); kept != 0 || err != nil {
			t.Errorf("kept %d again, %v", kept, err)
		}
		// Changed and changed back is no revision.
		n.write(t, n.en, n.ada, 1, "x")
		if _, err := n.push(t, Push{EditionID: n.en, Version: 3, Client: "a", ID: "back", StaffID: n.ada.ID, Steps: []doc.Step{doc.Replace(1, 2)}}); err != nil {
			t.Fatal(err)
		}
		if k := n.keepNow(t, n.en); k != (Kept{2, 4}) {
			t.Errorf("%+v", k)
		}
		// What the editor left unfinished does not stand in the way.
		if _, err := n.push(t, Push{EditionID: n.en, Version: 4, Client: "a", ID: "fig", StaffID: n.ada.ID, Steps: []doc.Step{
			doc.Replace(0, 0, &doc.Node{Type: "figure", Content: []*doc.Node{{Type: "text", Text: "A pier"}}}, &doc.Node{Type: "wall_mark"}, &doc.Node{Type: "wall_mark"})}}); err != nil {
			t.Fatal(err)
		}
		n.keepNow(t, n.en)
		if e := n.edition(t, n.en); !strings.HasPrefix(e.Body.PlainText(), "A pier\n\nB A One") {
			t.Errorf("%q", e.Body.PlainText())
		}
	})
}

func TestReadersSeeWhatIsReleased(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		n := newNewsroom(t, d)
		ctx := t.Context()
		n.tx(t, func(tx *db.Tx) error {
			if k, err := n.Release(ctx, tx, n.en, "ada@quay.example"); err != nil || k.Revision != 1 {
				t.Errorf("a draft that nobody opened: %+v %v", k, err)
			}
			return n.Stories.Publish(ctx, tx, n.en, time.Time{}, "ada@quay.example")
		})
		n.pass(time.Second)
		n.write(t, n.en, n.bob, 1, "unfinished ")
		k := n.keepNow(t, n.en)
		e := n.edition(t, n.en)
		if k.Revision != 2 || e.Body.PlainText() != "One two three.\n\nFour five six." || e.Revision != 2 {
			t.Fatalf("%+v %+v", k, e)
		}
		if again := n.keepNow(t, n.en); again != k {
			t.Errorf("%+v", again)
		}
		n.tx(t, func(tx *db.Tx) error { _, err := n.Release(ctx, tx, n.en, "ada@quay.example"); return err })
		e = n.edition(t, n.en)
		if e.Body.PlainText() != "unfinished One two three.\n\nFour five six." || e.Status != story.Published {
			t.Errorf("%+v", e)
		}
		now := n.open(t, n.en)
		if now.Unkept || now.Base != e.Revision || now.Outside != 0 {
			t.Errorf("%+v", now)
		}
		list, err := n.Stories.RevisionList(ctx, d.Read(), n.en)
		if err != nil || len(list) != int(e.Revision) {
			t.Errorf("%d revisions of %d: %v", len(list), e.Revision, err)
		}
		n.tx(t, func(tx *db.Tx) error { _, err := n.Release(ctx, tx, n.en, "ada@quay.example"); return err })
		if again := n.edition(t, n.en); again.Revision != e.Revision {
			t.Errorf("released twice: revision %d", again.Revision)
		}
	})
}

func TestRestore(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		n := newNewsroom(t, d)
		n.pass(time.Second)
		n.write(t, n.en, n.ada, 1, "new ")
		var version int64
		n.tx(t, func(tx *db.Tx) (err error) {
			if _, err := n.SetField(t.Context(), tx, n.en, Headline, 0, "New", n.ada.ID); err != nil {
				return err
			}
			version, err = n.Restore(t.Context(), tx, n.en, 1, n.bob.ID, "bob@quay.example")
			return err
		})
		now := n.open(t, n.en)
		if now.Version != version || now.Doc.PlainText() != "One two three.\n\nFour five six." || now.Fields[Headline].Value != "The ferry" || now.Fields[Headline].Version != 2 {
			t.Errorf("%+v %q", now, now.Doc.PlainText())
		}
		kept, err := n.Stories.RevisionAt(t.Context(), d.Read(), n.en, 2)
		if err != nil || kept.Headline != "New" || !strings.HasPrefix(kept.Body.PlainText(), "new One") {
			t.Errorf("what stood there: %+v %v", kept, err)
		}
		missed, err := n.Since(t.Context(), d.Read(), n.en, 1)
		if err != nil || len(missed.Steps) == 0 || missed.Steps[0].Client != clientRestore || missed.Steps[0].StaffID != n.bob.ID {
			t.Errorf("%+v %v", missed, err)
		}
		err = d.InTx(t.Context(), func(tx *db.Tx) error {
			_, err := n.Restore(t.Context(), tx, n.en, 99, n.bob.ID, "")
			return err
		})
		if !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
	})
}

func TestWhatIsWrittenPastTheDesk(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		n := newNewsroom(t, d)
		ctx := t.Context()
		outside := func(headline, text string) {
			t.Helper()
			n.tx(t, func(tx *db.Tx) error {
				e, err := n.Stories.EditionByID(ctx, tx, n.en)
				if err != nil {
					return err
				}
				e.Headline, e.Body = headline, doc.FromText(text)
				return n.Stories.SaveEdition(ctx, tx, &e, "import")
			})
		}
		load := func() Draft {
			t.Helper()
			now, err := n.Load(ctx, d.Read(), n.en)
			if err != nil {
				t.Fatal(err)
			}
			return now
		}
		outside("The ferry", "One two three.\n\nFour five six.\n\nSeven.") // nobody writes yet
		n.open(t, n.en)
		// Nobody has written since: it is theirs.
		outside("The boat", "One two three.\n\nFour five SIX.\n\nSeven.")
		now := load()
		if now.Doc.PlainText() != "One two three.\n\nFour five SIX.\n\nSeven." || now.Fields[Headline].Value != "The boat" || now.Unkept || now.Outside != 3 || now.Conflicts != 0 {
			t.Fatalf("%+v %q", now, now.Doc.PlainText())
		}
		missed, err := n.Since(ctx, d.Read(), n.en, 0)
		if err != nil || missed.Reload || len(missed.Steps) != 1 || missed.Steps[0].Client != clientOutside {
			t.Fatalf("%+v %v", missed, err)
		}
		// Somebody writes elsewhere in it: both.
		n.pass(time.Second)
		n.write(t, n.en, n.ada, 1, "mine ")
		outside("The boat", "One two three.\n\nFour five SIX.\n\nSeven and eight.")
		now = load()
		if now.Doc.PlainText() != "mine One two three.\n\nFour five SIX.\n\nSeven and eight." || now.Conflicts != 0 || !now.Unkept {
			t.Fatalf("%+v %q", now, now.Doc.PlainText())
		}
		// In the same paragraph, and the headline: nothing is lost.
		n.tx(t, func(tx *db.Tx) error {
			_, err := n.SetField(ctx, tx, n.en, Headline, now.Fields[Headline].Version, "My boat", n.ada.ID)
			return err
		})
		outside("Their boat", "Theirs here.\n\nFour five SIX.\n\nSeven and eight.")
		now = load()
		if now.Doc.PlainText() != "mine One two three.\n\nTheirs here.\n\nFour five SIX.\n\nSeven and eight." || now.Conflicts != 2 || now.Fields[Headline].Value != "My boat" {
			t.Fatalf("%+v %q", now, now.Doc.PlainText())
		}
		if k := n.keepNow(t, n.en); k.Revision != 6 {
			t.Errorf("%+v", k)
		}
		if e := n.edition(t, n.en); e.Headline != "My boat" || !strings.Contains(e.Body.PlainText(), "Theirs here.") {
			t.Errorf("%+v", e)
		}
		if r, err := n.Stories.RevisionAt(ctx, d.Read(), n.en, 5); err != nil || r.Headline != "Their boat" {
			t.Errorf("%+v %v", r, err)
		}
	})
}

// TestBothDoors: keeping a draft and writing past it, at once, wait for one
// another in the same order. On PostgreSQL one of two was given up as a deadlock.
func TestBothDoors(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		n := newNewsroom(t, d)
		n.Tell = nil
		ctx := t.Context()
		n.tx(t, func(tx *db.Tx) error { _, err := n.Open(ctx, tx, n.en); return err })
		write := func(tx *db.Tx, i int) error {
			d, err := n.Load(ctx, tx, n.en)
			if err == nil {
				_, err = n.SetField(ctx, tx, n.en, Summary, d.Fields[Summary].Version, fmt.Sprint("At the quay, ", i), n.ada.ID)
			}
			return err
		}
		keep := func(tx *db.Tx, _ int) error { _, err := n.Keep(ctx, tx, n.en, "ada@quay.example"); return err }
		past := func(tx *db.Tx, i int) error {
			if err := n.Stories.Lock(ctx, tx, n.en); err != nil {
				return err
			}
			e, err := n.Stories.EditionByID(ctx, tx, n.en)
			if err != nil {
				return err
			}
			e.Headline = fmt.Sprint("The ferry, ", i)
			return n.Stories.SaveEdition(ctx, tx, &e, "bob@quay.example")
		}
		doors := [][]func(tx *db.Tx, i int) error{{write, keep}, {past}}
		var all sync.WaitGroup
		for _, door := range doors {
			all.Go(func() {
				for i := range 60 * len(door) {
					if err := d.InTx(ctx, func(tx *db.Tx) error { return door[i%len(door)](tx, i) }); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
	})
}

func TestStatusIsTold(t *testing.T) {
	n := newNewsroom(t, dbtest.SQLite(t))
	n.open(t, n.en)
	n.told = nil
	n.tx(t, func(tx *db.Tx) error {
		e := n.edition(t, n.en)
		e.Status = story.Review
		return n.Stories.SaveEdition(t.Context(), tx, &e, "")
	})
	if diff := cmp.Diff([]string{Tag(n.en)}, n.told); diff != "" {
		t.Error(diff)
	}
	if st, err := n.State(t.Context(), n.d.Read(), n.en); err != nil || st.Status != story.Review {
		t.Errorf("%+v %v", st, err)
	}
}

func TestSweep(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		n := newNewsroom(t, d)
		ctx := t.Context()
		n.open(t, n.en)
		n.pass(time.Second)
		n.write(t, n.en, n.ada, 1, "a")
		n.keepNow(t, n.en)
		n.write(t, n.en, n.ada, 1, "b")
		n.pass(StepsKept + time.Hour)
		n.write(t, n.en, n.ada, 1, "c")
		if err := n.Sweep(ctx, d.Write()); err != nil {
			t.Fatal(err)
		}
		if missed, err := n.Since(ctx, d.Read(), n.en, 0); err != nil || !missed.Reload {
			t.Errorf("%+v %v", missed, err)
		}
		if missed, err := n.Since(ctx, d.Read(), n.en, 1); err != nil || len(missed.Steps) != 2 {
			t.Errorf("what is not kept yet: %+v %v", missed, err)
		}
	})
}

func TestTranslation(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		n := newNewsroom(t, d)
		ctx := t.Context()
		n.open(t, n.ar)
		if _, err := n.Translation(ctx, d.Read(), n.en); !fault.Is(err, fault.NotFound) {
			t.Errorf("the original: %v", err)
		}
		tr, err := n.Translation(ctx, d.Read(), n.ar)
		if err != nil || tr.Original.ID != n.en || tr.Revision != 0 || tr.Newest != 1 {
			t.Fatalf("%+v %v", tr, err)
		}
		n.tx(t, func(tx *db.Tx) error { return n.SetTranslated(ctx, tx, n.ar, 1) })
		n.pass(time.Second)
		n.write(t, n.en, n.ada, 5, "and a half ")
		n.keepNow(t, n.en)
		if tr, err = n.Translation(ctx, d.Read(), n.ar); err != nil || tr.Revision != 1 || tr.Newest != 2 {
			t.Fatalf("%+v %v", tr, err)
		}
		newest, changed, err := n.Behind(ctx, d.Read(), tr)
		if err != nil || newest.Seq != 2 || len(changed) != 2 || changed[0].Op != doc.Altered || changed[1].Op != doc.Same {
			t.Errorf("%+v %v", changed, err)
		}
		err = d.InTx(ctx, func(tx *db.Tx) error { return n.SetTranslated(ctx, tx, n.ar, 9) })
		if !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
	})
}
