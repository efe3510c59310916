package media_test

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/media"
)

// The same picture sent by several at once is one.
func TestIntakeTwiceAtOnce(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, _ := newStore(t, d)
		raw := jpegOf(t, photo(40, 30))
		var all sync.WaitGroup
		ids, known := make([]string, 4), make([]bool, 4)
		for i := range ids {
			all.Go(func() {
				m, k, err := s.Intake(t.Context(), media.Upload{Name: "a.jpg", Content: bytes.NewReader(raw)}, nil)
				if err != nil {
					t.Error(err)
				}
				ids[i], known[i] = m.ID, k
			})
		}
		all.Wait()
		fresh := 0
		for i, id := range ids {
			if id == "" || id != ids[0] {
				t.Errorf("IDs %v", ids)
			}
			if !known[i] {
				fresh++
			}
		}
		if fresh != 1 {
			t.Errorf("%d were new", fresh)
		}
		var left int
		if err := d.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM media_upload`).Scan(&left); err != nil || left != 0 {
			t.Errorf("%d locks are left: %v", left, err)
		}
	})
}

// Rights end at their moment, and are told of once.
func TestEndDue(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, _ := newStore(t, d)
		now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
		s.Now = func() time.Time { return now }
		m := keep(t, s, "a.jpg", jpegOf(t, photo(40, 30)))
		m.RightsUntil = now.Add(time.Hour)
		due := func() (n int) {
			t.Helper()
			err := d.InTx(t.Context(), func(tx *db.Tx) error {
				all, err := s.EndDue(t.Context(), tx, 10)
				n = len(all)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if err := s.Save(t.Context(), d.Write(), &m); err != nil {
			t.Fatal(err)
		}
		if n := due(); n != 0 || !m.Ending(now) || m.Ended(now) {
			t.Errorf("an hour before: %d", n)
		}
		now = now.Add(time.Hour)
		if first, second := due(), due(); first != 1 || second != 0 || !m.Ended(now) {
			t.Errorf("at the end: %d, then %d", first, second)
		}
		m.RightsUntil = now.Add(time.Hour)
		if err := s.Save(t.Context(), d.Write(), &m); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Hour)
		if n := due(); n != 1 {
			t.Errorf("ended anew: %d", n)
		}
	})
}
