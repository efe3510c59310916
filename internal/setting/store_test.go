package setting_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/fault"
	"masthead/internal/setting"
)

func TestSettings(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		told := 0
		s := &setting.Store{Now: time.Now, Changed: func(context.Context, db.Queryer) error { told++; return nil }}
		keep := func(values map[string]string) error {
			return d.InTx(t.Context(), func(tx *db.Tx) error { return s.Keep(t.Context(), tx, "ada", values) })
		}
		for _, values := range []map[string]string{{"title": "The Quay", "title-ar": "الرصيف"}, {"title": "The Pier", "tagline": ""}} {
			if err := keep(values); err != nil {
				t.Fatal(err)
			}
		}
		if err := keep(map[string]string{"contact": "x", "title": ""}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a title that is empty: %v", err)
		}
		if err := keep(map[string]string{"smtp-url": "smtp://x:25"}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a secret: %v", err)
		}
		want := map[string]string{"title": "The Pier", "title-ar": "الرصيف", "tagline": ""}
		if got, err := s.All(t.Context(), d.Read()); err != nil || !cmp.Equal(got, want) {
			t.Errorf("%v\n%s", err, cmp.Diff(want, got))
		}
		if err := d.InTx(t.Context(), func(tx *db.Tx) error { return s.Drop(t.Context(), tx, "title", "none") }); err != nil {
			t.Fatal(err)
		}
		delete(want, "title")
		if got, err := s.All(t.Context(), d.Read()); err != nil || !cmp.Equal(got, want) || told != 3 {
			t.Errorf("%v, told %d times\n%s", err, told, cmp.Diff(want, got))
		}
	})
}
