package newsletter

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/fault"
)

func TestStore(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		var s Store
		save := func(l List) error {
			return d.InTx(t.Context(), func(tx *db.Tx) error { return s.Save(t.Context(), tx, l) })
		}
		week := List{Slug: "week-in-review", Position: 2, Names: map[string]string{"en": "The Week in Review", "ar": "حصاد الأسبوع"},
			Descriptions: map[string]string{"en": "Every Sunday"}, Cadence: Weekly, Source: "ghost:1"}
		day := List{Slug: "daily", Position: 1, Names: map[string]string{"en": "The Day"}, Descriptions: map[string]string{}, Cadence: Daily}
		for _, l := range []List{{Slug: "week-in-review", Names: map[string]string{"en": "Old"}, Source: "ghost:1"}, week, week, day} {
			if err := save(l); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.All(t.Context(), d.Read())
		if diff := cmp.Diff([]List{day, week}, got); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		unsourced := week
		unsourced.Source = ""
		if err := save(unsourced); err != nil {
			t.Fatal(err)
		}
		one, err := s.BySlug(t.Context(), d.Read(), week.Slug)
		if diff := cmp.Diff(week, one); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		if _, err := s.BySlug(t.Context(), d.Read(), "none"); !fault.Is(err, fault.NotFound) {
			t.Errorf("BySlug(none): %v", err)
		}
		thief := day
		thief.Source = "ghost:1"
		if err := save(thief); !fault.Is(err, fault.Conflict) {
			t.Errorf("a source that another has: %v", err)
		}
		for what, l := range map[string]List{
			"no slug":     {Names: day.Names},
			"a bad slug":  {Slug: "a/b", Names: day.Names},
			"no name":     {Slug: "x", Names: map[string]string{"en": ""}},
			"no cadence":  {Slug: "x", Names: day.Names, Cadence: "hourly"},
			"hyphen only": {Slug: "-", Names: day.Names},
		} {
			if err := save(l); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}
