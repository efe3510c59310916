package story_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/story"
)

func TestOldPaths(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		ctx, now := t.Context(), time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
		told := 0
		s := &story.Store{Now: func() time.Time { return now }, DefaultLang: "en", Location: time.UTC}
		s.Arranged = append(s.Arranged, func(context.Context, *db.Tx) error { told++; return nil })
		st := story.Story{OriginalLang: "en"}
		e := story.Edition{Lang: "en", Slug: "ferry", Headline: "Ferry", Status: story.Published, PublishedAt: now, Body: doc.FromText("x")}
		if err := d.InTx(ctx, func(tx *db.Tx) error {
			if err := s.Save(ctx, tx, &st); err != nil {
				return err
			}
			e.StoryID = st.ID
			if err := s.SaveEdition(ctx, tx, &e, "x"); err != nil {
				return err
			}
			return s.AddRedirect(ctx, tx, "/old-ferry/", "", e.ID)
		}); err != nil {
			t.Fatal(err)
		}
		add := func(forks ...story.Fork) (added int) {
			t.Helper()
			if err := d.InTx(ctx, func(tx *db.Tx) (err error) { added, err = s.AddOldPaths(ctx, tx, forks); return err }); err != nil {
				t.Fatal(err)
			}
			return added
		}
		forks := []story.Fork{
			{From: "/a", To: "/b/"}, {From: "/a/", To: "/b"}, {From: "/a", To: "/c"}, {From: "/b", To: "/a"}, {From: "/x", To: "/a/"}, {From: "/b/", To: "/c"},
			{From: "/c", To: "/c/"}, {From: "c", To: "/d"}, {From: "/c", To: "https://other.example/"}, {From: "/c", To: "//other.example/"}, {From: "/2026/11/ferry", To: "/d"},
			{From: "/y", To: "/old-ferry"}, {From: "/z\n", To: "/ok"}, {From: "/", To: "/d"}, {From: "/w", To: "/w2", Reason: story.NotRead},
		}
		want := []string{"", "", "taken", "loop", "chain", "chained", "self", "from", "to", "to", "here", "chain", "", "from", "read"}
		if n := add(forks...); n != 2 || told != 1 {
			t.Errorf("added %d, told %d times", n, told)
		}
		for i, f := range forks {
			if f.Reason != want[i] {
				t.Errorf("%s → %s: %q, want %q", f.From, f.To, f.Reason, want[i])
			}
		}
		list, err := s.OldPaths(ctx, d.Read(), "", "", 0)
		if err != nil || len(list) != 3 || list[1].Path != "/old-ferry/" || list[1].To != "/2026/11/ferry/" || list[1].EditionID != e.ID {
			t.Errorf("%+v, %v", list, err)
		}
		for words, n := range map[string]int{"ferry": 1, "_": 0, "%": 0, "/b": 1, "!": 0} {
			if got, err := s.OldPaths(ctx, d.Read(), words, "", 10); err != nil || len(got) != n {
				t.Errorf("%q gives %v, %v", words, got, err)
			}
		}
		for _, want := range []fault.Kind{0, fault.NotFound} {
			if err := d.InTx(ctx, func(tx *db.Tx) error { return s.DropOldPath(ctx, tx, "/a") }); want == 0 && err != nil || want != 0 && !fault.Is(err, want) {
				t.Errorf("dropping: %v", err)
			}
		}

		many := make([]story.Fork, 10000)
		for i := range many {
			many[i] = story.Fork{Line: i, From: fmt.Sprintf("/many/%d", i), To: fmt.Sprintf("/new/%d", i)}
		}
		began := time.Now()
		if n := add(many...); n != len(many) {
			t.Errorf("added %d", n)
		}
		t.Logf("10,000 redirects in %v", time.Since(began))
		if page, err := s.OldPaths(ctx, d.Read(), "", "/many/5", 50); err != nil || len(page) != 50 {
			t.Errorf("%d, %v", len(page), err)
		}
		if n, err := s.CountOldPaths(ctx, d.Read()); err != nil || n != 10002 {
			t.Errorf("%d, %v", n, err)
		}
	})
}
