package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestNoRivals runs where neither of them is: nothing is measured, and nothing fails.
func TestNoRivals(t *testing.T) {
	empty := t.TempDir()
	b := bench{ghost: empty, wordpress: empty}
	if b.rivals = b.findRivals(); len(b.rivals) != 0 {
		t.Errorf("found %v in an empty folder", b.rivals)
	}
	var a archive
	if err := b.beside(context.Background(), empty, &a); err != nil || len(a.lines) != 0 {
		t.Errorf("%d lines, %v", len(a.lines), err)
	}
}

func TestFindGhost(t *testing.T) {
	dir := t.TempDir()
	if _, err := findGhost(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in an empty folder: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"name": "another", "version": "1.0.0"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err := findGhost(dir); err == nil {
		t.Errorf("another package was taken for Ghost: %v", r.name)
	}
}

func TestHTMLOf(t *testing.T) {
	if got, want := htmlOf(piece{text: "One & two. \n\nThree."}, "<p>", "</p>"), "<p>One &amp; two.</p><p>Three.</p>"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestPublished looks whether the stories come in the order of their numbers, the newest first.
func TestPublished(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 30, 0, 0, time.UTC)
	if first, second := published(now, 0), published(now, 1); first != "2026-02-28 23:30:00" || second != "2026-02-28 22:30:00" {
		t.Errorf("%s, %s", first, second)
	}
}
