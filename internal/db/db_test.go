package db_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
)

func TestInTxCommitsOrRollsBackWhole(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		insert := func(tx *db.Tx, slug string) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO newsletter (slug, names) VALUES ($1, '{}')`, slug)
			return err
		}
		if err := d.InTx(ctx, func(tx *db.Tx) error { return insert(tx, "kept") }); err != nil {
			t.Fatal(err)
		}
		boom := errors.New("boom")
		if err := d.InTx(ctx, func(tx *db.Tx) error { insert(tx, "lost"); return boom }); !errors.Is(err, boom) {
			t.Fatalf("InTx = %v, want boom", err)
		}
		func() {
			defer func() { recover() }()
			d.InTx(ctx, func(tx *db.Tx) error { insert(tx, "lost too"); panic("at the worst moment") })
		}()
		if got := slugs(t, d); !cmp.Equal(got, []string{"kept"}) {
			t.Errorf("after commit, error and panic: %v, want kept alone", got)
		}
		err := d.InTx(ctx, func(tx *db.Tx) error { return insert(tx, "kept") })
		if !db.IsUnique(err) {
			t.Errorf("IsUnique(%v) = false", err)
		}
	})
}

func TestAfterCommit(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		ran := 0
		boom := errors.New("boom")
		for _, err := range []error{nil, boom} {
			d.InTx(t.Context(), func(tx *db.Tx) error {
				tx.AfterCommit("count", func() {
					ran++
					// On SQLite there is one writing connection, and it is free again.
					if err := d.InTx(t.Context(), func(*db.Tx) error { return nil }); err != nil {
						t.Error(err)
					}
				})
				tx.AfterCommit("count", func() { t.Error("a second one of the same name ran") })
				return err
			})
		}
		if ran != 1 {
			t.Errorf("it ran %d times, want once: after the commit, not after the rollback", ran)
		}
	})
}

func TestManyWritersWaitForEachOther(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		if _, err := d.Write().ExecContext(ctx, `INSERT INTO rate (name, count, until) VALUES ('n', 0, 0)`); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				err := d.InTx(ctx, func(tx *db.Tx) error {
					_, err := tx.ExecContext(ctx, `UPDATE rate SET count = count + 1 WHERE name = 'n'`)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		var n int
		if err := d.Read().QueryRowContext(ctx, `SELECT count FROM rate`).Scan(&n); err != nil || n != 20 {
			t.Errorf("count = %d, %v; want 20", n, err)
		}
	})
}

func TestReadersCannotWrite(t *testing.T) {
	d := dbtest.SQLite(t)
	if _, err := d.Read().Exec(`DELETE FROM rate`); err == nil {
		t.Error("a reading connection wrote")
	}
}

func TestMigrateTwiceAndVersion(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		if err := d.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		applied, newest, err := d.Version(t.Context())
		if err != nil || applied != newest || newest < 6 {
			t.Errorf("Version = %d of %d, %v", applied, newest, err)
		}
	})
}

func TestMigrateOnManyNodesAtOnce(t *testing.T) {
	url := dbtest.PostgresURL(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			d, err := db.Open(context.Background(), url)
			if err != nil {
				t.Error(err)
				return
			}
			defer d.Close()
			if err := d.Migrate(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestIn(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		for _, c := range []struct {
			list []string
			want int
		}{{nil, 0}, {[]string{"a"}, 1}, {[]string{"a", "b", "z"}, 2}} {
			where, args := db.In(2, c.list)
			var n int
			err := d.Read().QueryRowContext(t.Context(), `WITH v (s) AS (SELECT 'a' UNION ALL SELECT 'b')
				SELECT COUNT(*) FROM v WHERE s <> $1 AND s IN `+where, append([]any{"x"}, args...)...).Scan(&n)
			if err != nil || n != c.want {
				t.Errorf("In(%v): %d, %v; want %d", c.list, n, err, c.want)
			}
		}
	})
}

func TestTimes(t *testing.T) {
	at := time.Date(2026, 11, 22, 8, 30, 0, 123456000, time.FixedZone("", 7200))
	if got := db.Time(db.Micros(at)); !got.Equal(at) {
		t.Errorf("Time(Micros(%v)) = %v", at, got)
	}
	if !db.Time(db.Micros(time.Time{})).IsZero() {
		t.Error("the zero time does not survive")
	}
}

func slugs(t *testing.T, d *db.DB) []string {
	t.Helper()
	rows, err := d.Read().Query(`SELECT slug FROM newsletter ORDER BY slug`)
	all, err := db.Rows(rows, err, func(r db.Scanner) (string, error) {
		var s string
		return s, r.Scan(&s)
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestPages: a page holds a story's text, and the log is written ahead.
func TestPages(t *testing.T) {
	d := dbtest.SQLite(t)
	var size int
	var journal string
	err := errors.Join(d.Read().QueryRowContext(t.Context(), `PRAGMA page_size`).Scan(&size),
		d.Read().QueryRowContext(t.Context(), `PRAGMA journal_mode`).Scan(&journal))
	if err != nil || size != 16384 || journal != "wal" {
		t.Errorf("pages of %d bytes, journal %s, %v", size, journal, err)
	}
}
