// Package dbtest runs a test on both databases, each time in a fresh one.
//
//	func TestPublish(t *testing.T) {
//		dbtest.Run(t, func(t *testing.T, d *db.DB) { … })
//	}
//
// PostgreSQL is the server that MASTHEAD_TEST_POSTGRES names, or one that the
// package starts for the length of the test program. Where there is none the
// PostgreSQL half is skipped with a message, but under CI=true it fails.
package dbtest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"masthead/internal/db"
	"masthead/internal/needtest"
)

// Run runs fn once on SQLite and once on PostgreSQL, migrated and empty.
func Run(t *testing.T, fn func(t *testing.T, d *db.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { fn(t, Postgres(t)) })
}

// template is the migrated, empty SQLite file that each test copies.
var template = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "masthead-template-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "template.db")
	d, err := db.Open(context.Background(), path)
	if err != nil {
		return nil, err
	}
	if err := d.Migrate(context.Background()); err != nil {
		return nil, err
	}
	if _, err := d.Write().Exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return nil, err
	}
	if err := d.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// SQLite gives a fresh SQLite database in the test's own folder.
func SQLite(t testing.TB) *db.DB {
	t.Helper()
	content, err := template()
	if err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	path := filepath.Join(t.TempDir(), "masthead.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	return open(t, path)
}

// Postgres gives a fresh PostgreSQL database: a schema of its own, dropped afterwards.
func Postgres(t testing.TB) *db.DB {
	t.Helper()
	name := PostgresURL(t)
	d := open(t, name)
	if err := d.Migrate(context.Background()); err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	return d
}

// PostgresURL gives the URL of a fresh, empty PostgreSQL schema, for tests that
// hand it to another program.
func PostgresURL(t testing.TB) string {
	t.Helper()
	server, err := serverURL()
	if err != nil {
		needtest.Missing(t, "dbtest: no PostgreSQL (%v): install the postgresql package, or name a server in MASTHEAD_TEST_POSTGRES", err)
	}
	schema := "t" + strings.ReplaceAll(db.NewID(), "-", "")
	admin, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	defer admin.Close()
	if _, err := admin.Exec("CREATE SCHEMA " + schema); err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	t.Cleanup(func() {
		admin, err := sql.Open("pgx", server)
		if err == nil {
			defer admin.Close()
			_, err = admin.Exec("DROP SCHEMA " + schema + " CASCADE")
		}
		if err != nil {
			t.Errorf("dbtest: drop schema: %v", err)
		}
	})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String()
}

func open(t testing.TB, name string) *db.DB {
	t.Helper()
	d, err := db.Open(context.Background(), name)
	if err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("dbtest: close: %v", err)
		}
	})
	return d
}

var serverURL = sync.OnceValues(func() (string, error) {
	if u := os.Getenv("MASTHEAD_TEST_POSTGRES"); u != "" {
		return u, nil
	}
	s, err := StartServer()
	if err != nil {
		return "", fmt.Errorf("start a server: %w", err)
	}
	return s.URL, nil
})
