package archive

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"masthead/internal/blob"
	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/fault"
)

// TestRestore backs a newsroom up, brings it back, and compares both.
func TestRestore(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		h := newHouse(t, d)
		h.fill()
		want := dump(t, d)
		from, dir := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "newsroom")
		h.must(Backup(ctx, d, h.blobs, from))
		form, export := FormOf(from)
		if again, err := BeginRestore(dir, from); err != nil || again {
			t.Fatalf("%t, %v", again, err)
		}
		if err := CheckRestored(dir); !fault.Is(err, fault.Conflict) || !strings.Contains(fault.Hint(err), from) {
			t.Errorf("unfinished: %v", err)
		}
		blobs, err := blob.OpenFolder(filepath.Join(dir, "blobs"))
		h.must(err)
		defer blobs.Close()
		var to *db.DB
		if d.Dialect == db.SQLite {
			if form != Database {
				t.Fatalf("form %d", form)
			}
			file := filepath.Join(dir, "masthead.db")
			h.must(RestoreFile(filepath.Join(from, "masthead.db"), file))
			h.must(RestoreBlobs(ctx, filepath.Join(from, "blobs"), blobs))
			h.must(RestoreBlobs(ctx, filepath.Join(from, "blobs"), blobs)) // a second time changes nothing
			to, err = db.Open(ctx, file)
			h.must(err)
			defer to.Close()
		} else {
			if form != Newsroom || export != filepath.Join(from, "newsroom") {
				t.Fatalf("form %d, %s", form, export)
			}
			to, err = db.Open(ctx, dbtest.PostgresURL(t))
			h.must(err)
			defer to.Close()
			h.must(CheckEmpty(ctx, to)) // no tables
			h.must(to.Migrate(ctx))
			h.must(CheckEmpty(ctx, to)) // no rows
			houseOver(t, to, blobs).bring(export)
		}
		if err := CheckEmpty(ctx, to); !fault.Is(err, fault.Conflict) || fault.Hint(err) == "" {
			t.Errorf("a database in use: %v", err)
		}
		h.must(EndRestore(dir))
		h.must(CheckRestored(dir))
		if got := dump(t, to); d.Dialect == db.SQLite && got != want {
			t.Error("the newsroom is not what it was")
		}
		problems, err := Verify(ctx, to, blobs)
		if err != nil || len(problems) > 0 {
			t.Errorf("%+v, %v", problems, err)
		}
		if _, err := BeginRestore(dir, from); !fault.Is(err, fault.Conflict) || fault.Hint(err) == "" {
			t.Errorf("over a newsroom: %v", err)
		}
	})
}

// TestRestoreInterrupted: what an interrupted restore left is cleared, the
// secret alone stays, and nothing else is ever touched.
func TestRestoreInterrupted(t *testing.T) {
	dir := t.TempDir()
	write := func(name string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list := func() string {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return strings.Join(names, " ")
	}
	write("secret.key")
	if again, err := BeginRestore(dir, "/b"); err != nil || again {
		t.Fatalf("%t, %v", again, err)
	}
	for _, name := range []string{"masthead.db", "masthead.db-wal", "masthead.toml"} {
		write(name)
	}
	for _, from := range []string{"/b", "/other"} {
		write("masthead.db")
		if again, err := BeginRestore(dir, from); err != nil || again != (from == "/b") || list() != "restore.unfinished secret.key" {
			t.Errorf("%s: %t, %v, %s", from, again, err, list())
		}
	}
	write("masthead.db")
	if err := AbandonRestore(dir); err != nil || list() != "secret.key" {
		t.Errorf("%v, %s", err, list())
	}
	write("notes.txt")
	if _, err := BeginRestore(dir, "/b"); !fault.Is(err, fault.Conflict) || list() != "notes.txt secret.key" {
		t.Errorf("%v, %s", err, list())
	}
	for path, want := range map[string]Form{dir: Unknown, filepath.Join(dir, "no.zip"): Unknown} {
		if form, _ := FormOf(path); form != want {
			t.Errorf("%s: form %d", path, form)
		}
	}
}
