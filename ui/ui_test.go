package ui

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestFS(t *testing.T) {
	theme := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(theme, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(theme, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("site/story/story.html", "ours")
	write("site/extra/extra.html", "more")
	fsys, err := FS(theme)
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if got := read("site/story/story.html"); got != "ours" {
		t.Errorf("the theme's template gives %q", got)
	}
	write("site/story/story.html", "ours, changed")
	if got := read("site/story/story.html"); got != "ours, changed" {
		t.Errorf("a change to the theme gives %q", got)
	}
	if got := read("site/layout.html"); len(got) < 100 {
		t.Errorf("a template that the theme lacks gives %q", got)
	}
	entries, err := fs.ReadDir(fsys, "site")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if !slices.Contains(names, "extra") || !slices.Contains(names, "front") || !slices.IsSorted(names) || len(slices.Compact(names)) != len(entries) {
		t.Errorf("the folder lists %v", names)
	}
	html, err := fs.Glob(fsys, "site/story/*.html")
	if err != nil || !slices.Equal(html, []string{"site/story/story.html", "site/story/wall.html"}) {
		t.Errorf("glob gives %v, %v", html, err)
	}

	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(theme, "site/front.html")); err != nil {
		t.Fatal(err)
	}
	if b, err := fs.ReadFile(fsys, "site/front.html"); err == nil {
		t.Errorf("a link out of the theme gives %q", b)
	}
	if _, err := FS(filepath.Join(theme, "none")); err == nil {
		t.Error("a theme that does not exist was accepted")
	}
}
