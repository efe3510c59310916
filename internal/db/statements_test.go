package db_test

import (
	"context"
	"fmt"
	"testing"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
)

func TestStatementsAreKept(t *testing.T) {
	d := dbtest.SQLite(t)
	ctx := t.Context()
	conn, err := d.Write().Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	insert := func(name string) error {
		_, err := conn.ExecContext(ctx, `INSERT INTO rate (name, count, until) VALUES ($1, 0, 0)`, name)
		return err
	}
	// A statement that failed can be used again.
	for _, c := range []struct {
		name   string
		unique bool
	}{{"a", false}, {"a", true}, {"b", false}, {"b", true}, {"c", false}} {
		if err := insert(c.name); db.IsUnique(err) != c.unique || !c.unique && err != nil {
			t.Errorf("insert %s: %v", c.name, err)
		}
	}
	// The same text, while its rows are still being read.
	const names = `SELECT name FROM rate WHERE name >= $1 ORDER BY name`
	outer, err := conn.QueryContext(ctx, names, "a")
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for outer.Next() {
		var name, inner string
		if err := outer.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if err := conn.QueryRowContext(ctx, names, name).Scan(&inner); err != nil {
			t.Fatal(err)
		}
		got += name + inner
	}
	if err := outer.Err(); err != nil || got != "aabbcc" {
		t.Errorf("read %q, %v", got, err)
	}
	// A change of the schema reaches statements that are kept.
	const all = `SELECT * FROM rate WHERE name = $1`
	columns := func() int {
		t.Helper()
		rows, err := conn.QueryContext(ctx, all, "a")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		names, err := rows.Columns()
		if err != nil || !rows.Next() {
			t.Fatal(names, err, rows.Err())
		}
		return len(names)
	}
	before := columns()
	if _, err := conn.ExecContext(ctx, `ALTER TABLE rate ADD COLUMN more TEXT NOT NULL DEFAULT 'x'`); err != nil {
		t.Fatal(err)
	}
	if n := columns(); n != before+1 {
		t.Errorf("%d columns after one was added to %d", n, before)
	}
	// More texts than are kept, and a context that has ended.
	for i := range 200 {
		var n int
		if err := conn.QueryRowContext(ctx, fmt.Sprintf(`SELECT %d + $1`, i), 1).Scan(&n); err != nil || n != i+1 {
			t.Fatalf("%d + 1 = %d, %v", i, n, err)
		}
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if err := conn.QueryRowContext(gone, names, "a").Scan(&got); err == nil {
		t.Error("a context that has ended read")
	}
	if err := conn.QueryRowContext(ctx, names, "b").Scan(&got); err != nil || got != "b" {
		t.Errorf("then %q, %v", got, err)
	}
}

// BenchmarkJoin is what keeping statements is for: a list's join of a few rows.
func BenchmarkJoin(b *testing.B) {
	d := dbtest.SQLite(b)
	for b.Loop() {
		rows, err := d.Read().Query(`SELECT e.id, e.headline, s.access FROM edition e JOIN story s ON s.id = e.story_id
			WHERE e.status = 'published' AND s.kind = 'story' AND e.lang = $1 ORDER BY e.published_at DESC, e.id DESC LIMIT $2`, "en", 20)
		if err != nil {
			b.Fatal(err)
		}
		rows.Close()
	}
}
