package blob_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/blob"
	"masthead/internal/fault"
)

func TestFolder(t *testing.T) {
	conform(t, folder(t), true)
}

func folder(t *testing.T) *blob.Folder {
	t.Helper()
	f, err := blob.OpenFolder(filepath.Join(t.TempDir(), "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// conform holds a store to what [blob.Store] promises; whole tells that nobody
// sees half of what is being written over.
func conform(t *testing.T, s blob.Store, whole bool) {
	ctx := context.Background()
	put := func(t *testing.T, name, content string) {
		t.Helper()
		if err := s.Put(ctx, name, strings.NewReader(content), int64(len(content)), "text/plain"); err != nil {
			t.Fatal(err)
		}
	}
	get := func(t *testing.T, name string) string {
		t.Helper()
		r, info, err := s.Open(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size != int64(len(b)) || info.Name != name {
			t.Errorf("info %+v of %d bytes", info, len(b))
		}
		return string(b)
	}

	t.Run("put, open, stat", func(t *testing.T) {
		put(t, "a/b/one.txt", "first")
		if got := get(t, "a/b/one.txt"); got != "first" {
			t.Errorf("got %q", got)
		}
		info, err := s.Stat(ctx, "a/b/one.txt")
		if err != nil || info.Size != 5 || time.Since(info.ModTime).Abs() > time.Hour || info.ModTime.Location() != time.UTC {
			t.Errorf("Stat: %+v, %v", info, err)
		}
	})
	t.Run("put again", func(t *testing.T) {
		put(t, "again", "same")
		put(t, "again", "same")
		put(t, "again", "newer")
		if got := get(t, "again"); got != "newer" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("unknown size, many bytes", func(t *testing.T) {
		content := make([]byte, 6<<20)
		rand.Read(content)
		if err := s.Put(ctx, "large", bytes.NewReader(content), -1, "application/octet-stream"); err != nil {
			t.Fatal(err)
		}
		if got := get(t, "large"); got != string(content) {
			t.Errorf("%d bytes came back differently", len(got))
		}
	})
	t.Run("seek", func(t *testing.T) {
		put(t, "seek", "0123456789")
		r, _, err := s.Open(ctx, "seek")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if end, err := r.Seek(0, io.SeekEnd); err != nil || end != 10 {
			t.Fatalf("end at %d, %v", end, err)
		}
		if _, err := r.Seek(4, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(r); err != nil || string(b) != "456789" {
			t.Errorf("read %q, %v", b, err)
		}
	})
	t.Run("empty", func(t *testing.T) {
		put(t, "empty", "")
		if got := get(t, "empty"); got != "" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("wrong size", func(t *testing.T) {
		if err := s.Put(ctx, "short", strings.NewReader("abc"), 5, "text/plain"); err == nil {
			t.Error("three bytes were taken for five")
		}
		if _, err := s.Stat(ctx, "short"); !fault.Is(err, fault.NotFound) {
			t.Errorf("half a blob is there: %v", err)
		}
	})
	t.Run("reader fails", func(t *testing.T) {
		put(t, "kept", "old")
		away := errors.New("the line went dead")
		r := io.MultiReader(strings.NewReader("new and lon"), iotest.ErrReader(away))
		if err := s.Put(ctx, "kept", r, -1, "text/plain"); !errors.Is(err, away) {
			t.Errorf("Put: %v", err)
		}
		if got := get(t, "kept"); got != "old" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("absent", func(t *testing.T) {
		if _, _, err := s.Open(ctx, "no/such"); !fault.Is(err, fault.NotFound) {
			t.Errorf("Open: %v", err)
		}
		if _, err := s.Stat(ctx, "no/such"); !fault.Is(err, fault.NotFound) {
			t.Errorf("Stat: %v", err)
		}
		if _, _, err := s.Open(ctx, "a/b"); !fault.Is(err, fault.NotFound) {
			t.Errorf("Open of a folder: %v", err)
		}
		if err := s.Delete(ctx, "no/such"); err != nil {
			t.Errorf("Delete: %v", err)
		}
	})
	t.Run("delete", func(t *testing.T) {
		put(t, "gone", "x")
		if err := s.Delete(ctx, "gone"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Stat(ctx, "gone"); !fault.Is(err, fault.NotFound) {
			t.Errorf("Stat: %v", err)
		}
	})
	t.Run("names", func(t *testing.T) {
		for _, name := range []string{"", ".", "..", "../x", "a/../../x", "/etc/passwd", "a//b", "a/", `a\b`, "a\x00b", ".hidden", "a/.b",
			"ä", "a b", strings.Repeat("x", 600)} {
			if err := s.Put(ctx, name, strings.NewReader("x"), 1, ""); !fault.Is(err, fault.Invalid) {
				t.Errorf("Put(%q): %v", name, err)
			}
			if _, _, err := s.Open(ctx, name); !fault.Is(err, fault.Invalid) {
				t.Errorf("Open(%q): %v", name, err)
			}
			if err := s.Delete(ctx, name); !fault.Is(err, fault.Invalid) {
				t.Errorf("Delete(%q): %v", name, err)
			}
		}
	})
	t.Run("list", func(t *testing.T) {
		for _, name := range []string{"l/ab/2", "l/ab/1", "l/ab.x", "l/abc", "l/b/c/d", "m"} {
			put(t, name, name)
		}
		for prefix, want := range map[string][]string{
			"l/":      {"l/ab.x", "l/ab/1", "l/ab/2", "l/abc", "l/b/c/d"},
			"l/ab":    {"l/ab.x", "l/ab/1", "l/ab/2", "l/abc"},
			"l/ab/":   {"l/ab/1", "l/ab/2"},
			"l/b/c/d": {"l/b/c/d"},
			"l/z":     nil,
			"nothing": nil,
		} {
			var got []string
			for info, err := range s.List(ctx, prefix) {
				if err != nil {
					t.Fatal(err)
				}
				if info.Size != int64(len(info.Name)) {
					t.Errorf("%+v", info)
				}
				got = append(got, info.Name)
			}
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("List(%q) (-want +got):\n%s", prefix, diff)
			}
		}
		n := 0
		for range s.List(ctx, "l/") {
			if n++; n == 2 {
				break
			}
		}
		for _, err := range s.List(ctx, "../") {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("List(../): %v", err)
			}
		}
	})
	t.Run("many at once", func(t *testing.T) {
		var group sync.WaitGroup
		for n := range 8 {
			name := "race/same"
			if !whole {
				name = fmt.Sprintf("race/%d", n)
			}
			group.Go(func() {
				for range 5 {
					if err := s.Put(ctx, name, strings.NewReader("whole"), 5, "text/plain"); err != nil {
						t.Error(err)
					}
					r, _, err := s.Open(ctx, name)
					if err != nil {
						t.Error(err)
						return
					}
					if b, err := io.ReadAll(r); err != nil || string(b) != "whole" {
						t.Errorf("read %q, %v", b, err)
					}
					r.Close()
				}
			})
		}
		group.Wait()
	})
}

// A symbolic link that somebody put in the folder leads nowhere outside of it.
func TestFolderStaysInside(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := blob.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Symlink(secret, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Dir(secret), filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	for _, name := range []string{"link", "out/secret"} {
		if r, _, err := f.Open(ctx, name); err == nil {
			r.Close()
			t.Errorf("%s was opened", name)
		}
	}
	if err := f.Put(ctx, "out/new", strings.NewReader("x"), 1, ""); err == nil {
		t.Error("written through a link")
	}
	for info, err := range f.List(ctx, "") {
		t.Errorf("listed %+v, %v", info, err)
	}
}

// What a killed program left half written has no name, and is cleared away once it is a day old.
func TestFolderClearsUnfinished(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, ".unfinished"), 0o750); err != nil {
		t.Fatal(err)
	}
	old, young := filepath.Join(dir, ".unfinished", "OLD"), filepath.Join(dir, ".unfinished", "YOUNG")
	for _, name := range []string{old, young} {
		if err := os.WriteFile(name, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(old, time.Now(), time.Now().Add(-25*time.Hour)); err != nil {
		t.Fatal(err)
	}
	f, err := blob.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("the old one: %v", err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("the young one: %v", err)
	}
	for info := range f.List(context.Background(), "") {
		t.Errorf("listed %+v", info)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := f.Put(ctx, "late", strings.NewReader("x"), 1, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("Put after the end: %v", err)
	}
	left, err := os.ReadDir(filepath.Join(dir, ".unfinished"))
	if err != nil || len(left) != 1 {
		t.Errorf("left %v, %v", left, err)
	}
}
