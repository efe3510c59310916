package story_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/story"
)

func TestFront(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		ctx, now := t.Context(), time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
		told := 0
		s := &story.Store{Now: func() time.Time { return now }, DefaultLang: "en", Location: time.UTC}
		s.Arranged = append(s.Arranged, func(context.Context, *db.Tx) error { told++; return nil })
		tx := func(fn func(tx *db.Tx) error) error { return d.InTx(ctx, fn) }
		ids := map[string]string{}
		for i, name := range []string{"a", "b", "c", "d"} {
			st := story.Story{OriginalLang: "en", Pinned: i % 3} // b is pinned first, c after it
			e := story.Edition{Lang: "en", Slug: name, Headline: name, Status: story.Published, PublishedAt: now, Body: doc.FromText("x")}
			if err := tx(func(tx *db.Tx) error {
				if err := s.Save(ctx, tx, &st); err != nil {
					return err
				}
				e.StoryID = st.ID
				return s.SaveEdition(ctx, tx, &e, "x")
			}); err != nil {
				t.Fatal(err)
			}
			ids[name] = st.ID
		}
		f, err := s.Front(ctx, d.Read(), story.FrontPage, "en")
		if err != nil || f.Version != 0 || len(f.Items) != 2 || f.Items[0].StoryID != ids["b"] || f.Items[0].Size != story.Lead || f.Items[1].Size != story.Second {
			t.Fatalf("what an import pinned = %+v, %v", f, err)
		}
		if f, err := s.Front(ctx, d.Read(), story.FrontPage, "ar"); err != nil || len(f.Items) != 0 {
			t.Errorf("in a language without them = %+v, %v", f, err)
		}

		until := now.Add(time.Hour)
		f.StaffID = "ada"
		f.Items = []story.FrontItem{{StoryID: ids["d"], Size: story.Brief, Until: until}, {StoryID: ids["b"], Size: story.Lead}, {StoryID: ids["c"], Size: story.Brief, Until: now}}
		if err := tx(func(tx *db.Tx) error { return s.Arrange(ctx, tx, &f) }); err != nil {
			t.Fatal(err)
		}
		if told != 1 {
			t.Errorf("told %d times", told)
		}
		got, err := s.Front(ctx, d.Read(), story.FrontPage, "en")
		if err != nil || len(got.Items) != 2 || got.Items[0].PinnedBy != "ada" || got.Items[1].PinnedBy != "" || !got.Items[0].Until.Equal(until) || got.Version != 1 {
			t.Fatalf("arranged = %+v, %v", got, err)
		}
		if next := got.Next(now); !next.Equal(until) || len(got.Live(until)) != 1 || len(got.Live(until.Add(-1))) != 2 || !got.Next(until).IsZero() {
			t.Errorf("next = %v; live = %v", next, got.Live(until))
		}
		all, err := s.Fronts(ctx, d.Read(), "en")
		if err != nil || len(all) != 1 || !cmp.Equal(all[story.FrontPage], got) {
			t.Errorf("fronts = %+v, %v", all, err)
		}

		stale := f
		stale.Version = 0
		if err := tx(func(tx *db.Tx) error { return s.Arrange(ctx, tx, &stale) }); !fault.Is(err, fault.Conflict) {
			t.Errorf("a stale arrangement: %v", err)
		}
		empty := story.Front{ID: story.FrontPage, Lang: "en", Version: 1}
		if err := tx(func(tx *db.Tx) error { return s.Arrange(ctx, tx, &empty) }); err != nil {
			t.Fatal(err)
		}
		if f, err := s.Front(ctx, d.Read(), story.FrontPage, "en"); err != nil || len(f.Items) != 0 {
			t.Errorf("emptied by hand = %+v, %v: what was imported is back", f, err)
		}

		for name, items := range map[string][]story.FrontItem{
			"two leads":    {{StoryID: ids["a"], Size: story.Lead}, {StoryID: ids["b"], Size: story.Lead}},
			"twice":        {{StoryID: ids["a"], Size: story.Brief}, {StoryID: ids["a"], Size: story.Brief}},
			"no size":      {{StoryID: ids["a"], Size: "huge"}},
			"nothing":      {{Size: story.Brief}},
			"no story":     {{StoryID: "none", Size: story.Brief}},
			"far too many": make([]story.FrontItem, story.FrontMost+1),
		} {
			bad := story.Front{ID: "s", Lang: "en", Items: items}
			if err := tx(func(tx *db.Tx) error { return s.Arrange(ctx, tx, &bad) }); !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestParseFront(t *testing.T) {
	amman, err := time.LoadLocation("Asia/Amman")
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"story": {"a", "b", "a", "c"}, "size": {"lead", "lead", "brief", "brief"}, "until": {"", "2026-11-22T18:00", "", ""}}
	got, err := story.ParseFront(form, amman)
	want := []story.FrontItem{{StoryID: "a", Size: story.Lead}, {StoryID: "b", Size: story.Second, Until: time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)}, {StoryID: "c", Size: story.Brief}}
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v\n%s", err, cmp.Diff(want, got))
	}
	for name, form := range map[string]url.Values{
		"not whole": {"story": {"a"}},
		"no time":   {"story": {"a"}, "size": {"lead"}, "until": {"soon"}},
		"no size":   {"story": {"a"}, "size": {"x"}, "until": {""}},
	} {
		if _, err := story.ParseFront(form, amman); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
