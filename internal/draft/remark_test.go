package draft

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/doc"
	"masthead/internal/fault"
)

func TestThreads(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		n := newNewsroom(t, d)
		ctx := t.Context()
		n.open(t, n.en)
		n.open(t, n.ar)
		var mentioned []Mention
		n.Mentioned = func(_ context.Context, _ *db.Tx, m Mention) error { mentioned = append(mentioned, m); return nil }
		begin := func(edition string, on Passage, by Remark) (th Thread, err error) {
			t.Helper()
			err = d.InTx(ctx, func(tx *db.Tx) (err error) {
				th, err = n.Begin(ctx, tx, edition, on, by)
				return err
			})
			return th, err
		}
		threads := func(edition string) []Thread {
			t.Helper()
			list, err := n.Threads(ctx, d.Read(), edition)
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		two, err := begin(n.en, Passage{0, 5, 8}, Remark{StaffID: n.ada.ID, Text: " Sure? ", Mentions: []string{n.bob.ID, n.bob.ID}})
		if err != nil || two.Anchor != "two" || two.Remarks[0].Text != "Sure?" || two.EditionID != n.en || two.Resolved() || two.Gone() {
			t.Fatalf("%+v %v", two, err)
		}
		if diff := cmp.Diff([]Mention{{EditionID: n.en, ThreadID: two.ID, By: n.ada.ID, Who: []string{n.bob.ID}, Text: "Sure?"}}, mentioned); diff != "" {
			t.Error(diff)
		}
		n.pass(time.Second)
		n.write(t, n.en, n.bob, 1, "Zero ")   // before it
		n.write(t, n.en, n.bob, 11, "-ish")   // inside
		n.write(t, n.en, n.bob, 10, "about ") // at its beginning
		at := threads(n.en)[0]
		now := n.open(t, n.en)
		if got := now.Doc.TextBetween(at.From, at.To, 99); got != "t-ishwo" {
			t.Errorf("the passage is %q now", got)
		}
		// A passage of an older version is moved.
		three, err := begin(n.en, Passage{1, 14, 19}, Remark{StaffID: n.bob.ID, Text: "And this"})
		if err != nil || three.Anchor != "three" {
			t.Fatalf("%+v %v", three, err)
		}
		// Deleted: the words are kept.
		if _, err := n.push(t, Push{EditionID: n.en, Version: now.Version, Client: "a", ID: "del", StaffID: n.ada.ID, Steps: []doc.Step{doc.Replace(at.From-2, at.To+1)}}); err != nil {
			t.Fatal(err)
		}
		if gone := threads(n.en)[0]; !gone.Gone() || gone.Anchor != "two" || gone.From != at.From-2 {
			t.Errorf("%+v", gone)
		}
		// A note is seen from every edition; a passage from its own alone.
		note, err := begin(n.ar, Passage{}, Remark{StaffID: n.bob.ID, Text: "Lawyer has read it"})
		if err != nil || note.EditionID != "" || len(threads(n.en)) != 3 || len(threads(n.ar)) != 1 {
			t.Errorf("%+v %v", note, err)
		}
		st, err := n.State(ctx, d.Read(), n.en)
		if err != nil || st.Remarks != 3 {
			t.Errorf("%+v %v", st, err)
		}
		n.tx(t, func(tx *db.Tx) error {
			done, err := n.Resolve(ctx, tx, n.en, two.ID, true, n.bob.ID)
			if err != nil || !done.Resolved() || done.ResolvedBy != n.bob.ID {
				t.Errorf("%+v %v", done, err)
			}
			reply, err := n.Reply(ctx, tx, n.en, two.ID, Remark{StaffID: n.ada.ID, Text: "No"})
			if err != nil || reply.Resolved() || len(reply.Remarks) != 2 || reply.Remarks[1].Text != "No" {
				t.Errorf("%+v %v", reply, err)
			}
			if _, err := n.Reply(ctx, tx, n.ar, two.ID, Remark{StaffID: n.ada.ID, Text: "x"}); !fault.Is(err, fault.NotFound) {
				t.Errorf("from another edition: %v", err)
			}
			if _, err := n.Resolve(ctx, tx, n.ar, two.ID, true, n.ada.ID); !fault.Is(err, fault.NotFound) {
				t.Errorf("from another edition: %v", err)
			}
			return nil
		})
		for name, bad := range map[string]struct {
			on Passage
			by Remark
		}{
			"empty":       {Passage{}, Remark{Text: "  "}},
			"long":        {Passage{}, Remark{Text: strings.Repeat("x", MaxRemark+1)}},
			"stranger":    {Passage{}, Remark{Text: "x", Mentions: []string{"nobody"}}},
			"turned":      {Passage{st.Version, 8, 5}, Remark{Text: "x"}},
			"behind":      {Passage{st.Version, 5, 9999}, Remark{Text: "x"}},
			"before":      {Passage{st.Version, -5, 3}, Remark{Text: "x"}},
			"not a place": {Passage{st.Version, 5, 5}, Remark{Text: "x"}},
		} {
			bad.by.StaffID = n.ada.ID
			if _, err := begin(n.en, bad.on, bad.by); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		_, err = begin(n.en, Passage{77, 5, 8}, Remark{StaffID: n.ada.ID, Text: "x"})
		if stale, ok := errors.AsType[*Stale](err); !ok || !stale.Reload {
			t.Errorf("of no version: %v", err)
		}
		// Nothing of this is in what is published.
		n.keepNow(t, n.en)
		if e := n.edition(t, n.en); strings.Contains(string(e.Body.JSON()), "Sure") || strings.Contains(string(e.Body.JSON()), "Lawyer") {
			t.Errorf("%s", e.Body.JSON())
		}
	})
}
