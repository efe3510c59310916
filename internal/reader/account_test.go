package reader

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/fault"
)

// row is one row of any table, as text.
type row struct {
	table  string
	values []string
}

// dump reads every row of every table there is, as the database's own schema tells.
func dump(t *testing.T, d *db.DB) []row {
	t.Helper()
	names := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`
	if d.Dialect == db.PostgreSQL {
		names = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY table_name`
	}
	rows, err := d.Read().QueryContext(t.Context(), names)
	tables, err := db.Rows(rows, err, func(row db.Scanner) (n string, err error) { return n, row.Scan(&n) })
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(tables, "reader") || len(tables) < 10 {
		t.Fatalf("the schema was not read: %v", tables)
	}
	var all []row
	for _, table := range tables {
		rows, err := d.Read().QueryContext(t.Context(), `SELECT * FROM `+table)
		if err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			values := make([]any, len(columns))
			into := make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			r := row{table: table}
			for _, v := range values {
				if b, ok := v.([]byte); ok {
					v = string(b)
				}
				r.values = append(r.values, fmt.Sprint(v))
			}
			all = append(all, r)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
	}
	slices.SortFunc(all, func(a, b row) int {
		return strings.Compare(a.table+fmt.Sprint(a.values), b.table+fmt.Sprint(b.values))
	})
	return all
}

func (r row) Equal(other row) bool {
	return r.table == other.table && slices.Equal(r.values, other.values)
}

func TestProfile(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, c := newStore()
		r := register(t, d, s, "ada@example.org")
		do(t, d, func(ctx context.Context, tx *db.Tx) error {
			return s.SetProfile(ctx, tx, r.ID, "  عَدا   بايرون ", "AR")
		})
		if got := must[Reader](t)(s.ByID(t.Context(), d.Read(), r.ID)); got.Name != "عَدا بايرون" || got.Lang != "ar" {
			t.Errorf("%+v", got)
		}
		set := func(id, name, lang string) error {
			return d.InTx(t.Context(), func(tx *db.Tx) error { return s.SetProfile(t.Context(), tx, id, name, lang) })
		}
		wantKind(t, "a name with a zero", set(r.ID, "a\x00", ""), fault.Invalid)
		wantKind(t, "no language", set(r.ID, "a", "no such language"), fault.Invalid)
		wantKind(t, "nobody", set("nobody", "a", ""), fault.NotFound)

		lists := func(slugs ...string) []Subscription {
			do(t, d, func(ctx context.Context, tx *db.Tx) error { return s.SetNewsletters(ctx, tx, r.ID, slugs) })
			return must[[]Subscription](t)(s.Newsletters(t.Context(), d.Read(), r.ID))
		}
		first := c.now
		lists("weekly", "daily")
		c.add(time.Hour)
		want := []Subscription{{"events", c.now}, {"weekly", first}}
		if diff := cmp.Diff(want, lists("weekly", "events", "events")); diff != "" {
			t.Error(diff)
		}
		if left := lists(); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	})
}

// everything gives a reader something in every table that can name a reader.
func everything(t *testing.T, d *db.DB, s *Store, email string) Reader {
	t.Helper()
	r, _, _ := signIn(t, d, s, email)
	do(t, d, func(ctx context.Context, tx *db.Tx) error {
		story, gift := db.NewID(), db.NewID()
		for _, q := range []struct {
			sql  string
			args []any
		}{
			{`INSERT INTO story (id, original_lang, created_at, updated_at) VALUES ($1, 'en', 1, 1)`, []any{story}},
			{`INSERT INTO meter_read (reader_id, story_id, at) VALUES ($1, $2, 1)`, []any{r.ID, story}},
			{`INSERT INTO gift (id, story_id, reader_id, secret_hash, created_at, expires_at) VALUES ($1, $2, $3, $1, 1, 2)`, []any{gift, story, r.ID}},
		} {
			if _, err := tx.ExecContext(ctx, q.sql, q.args...); err != nil {
				return err
			}
		}
		_, err := s.Begin(ctx, tx, Request{Email: strings.ToUpper(email), ReturnTo: "/x/"}) // a letter under way
		return errors.Join(err, s.SetProfile(ctx, tx, r.ID, "Name of "+email, "fr"), s.Grant(ctx, tx, r.ID, "gold", time.Time{}),
			s.SetNewsletters(ctx, tx, r.ID, []string{"weekly"}))
	})
	return must[Reader](t)(s.ByID(t.Context(), d.Read(), r.ID))
}

func TestExport(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, c := newStore()
		r := everything(t, d, s, "ada@example.org")
		everything(t, d, s, "bob@example.org")
		e := must[Export](t)(s.Export(t.Context(), d.Read(), r.ID, map[string]any{"gifts": []string{"one"}}))
		sessions := must[[]Session](t)(s.Sessions(t.Context(), d.Read(), r.ID))
		letter := ExportLetter{Email: "ada@example.org", Newsletters: []string{}, ReturnTo: "/", Created: c.now, Expires: c.now.Add(10 * time.Minute), Used: c.now}
		open := letter
		open.ReturnTo, open.Used = "/x/", time.Time{}
		want := Export{ID: r.ID, Email: "ada@example.org", Name: "Name of ada@example.org", Language: "fr", Labels: []string{},
			Registered: c.now, Confirmed: c.now, Tiers: []ExportTier{{Tier: "gold"}}, Newsletters: []ExportList{{"weekly", c.now}},
			Consents: []ExportConsent{{"newsletter:weekly", true, "account", c.now}},
			Sessions: []ExportSession{{sessions[0].ID, "Firefox on Android", c.now, c.now, c.now.Add(365 * 24 * time.Hour)}},
			Letters:  []ExportLetter{letter, open}, Extra: map[string]any{"gifts": []string{"one"}}}
		if diff := cmp.Diff(want, e); diff != "" {
			t.Error(diff)
		}
		text := string(must[[]byte](t)(json.Marshal(e)))
		for _, never := range []string{"bob@", "null", "0001-01-01", hash(""), "secret"} {
			if strings.Contains(text, never) {
				t.Errorf("the export has %q: %s", never, text)
			}
		}
		_, err := s.Export(t.Context(), d.Read(), "nobody", nil)
		wantKind(t, "nobody", err, fault.NotFound)
	})
}

func TestDelete(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, c := newStore()
		bob := everything(t, d, s, "bob@example.org")
		before := dump(t, d)
		ada := everything(t, d, s, "ada@example.org")
		named := func() (tables []string) {
			// The counters name nobody in clear, so their hashes are looked for too.
			traces := []string{ada.ID, "ada@example.org", s.perAddress().row("ada@example.org")}
			for _, r := range dump(t, d) {
				for _, value := range r.values {
					if slices.ContainsFunc(traces, func(x string) bool { return strings.Contains(strings.ToLower(value), strings.ToLower(x)) }) {
						tables = append(tables, r.table)
					}
				}
			}
			slices.Sort(tables)
			return slices.Compact(tables)
		}
		want := []string{"gift", "meter_read", "rate", "reader", "reader_consent", "reader_newsletter", "reader_tier", "session", "signin"}
		if diff := cmp.Diff(want, named()); diff != "" {
			t.Fatalf("the test does not see every table that names a reader: %s", diff)
		}
		del := func(id string) error {
			return d.InTx(t.Context(), func(tx *db.Tx) error { return s.Delete(t.Context(), tx, id) })
		}
		if err := del(ada.ID); err != nil {
			t.Fatal(err)
		}
		if left := named(); len(left) > 0 {
			t.Errorf("still named in %v", left)
		}
		// Nothing of anybody else went; ada's story is the newsroom's and stays.
		after := slices.DeleteFunc(dump(t, d), func(r row) bool { return r.table == "story" })
		before = slices.DeleteFunc(before, func(r row) bool { return r.table == "story" })
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("other rows changed: %s", diff)
		}
		must[Reader](t)(s.ByID(t.Context(), d.Read(), bob.ID))
		wantKind(t, "again", del(ada.ID), fault.NotFound)

		// Who comes back begins anew.
		c.add(time.Hour)
		if r := register(t, d, s, "ada@example.org"); r.ID == ada.ID || r.Name != "" {
			t.Errorf("%+v", r)
		}
	})
}
