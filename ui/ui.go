// Package ui holds what readers and editors see: templates, styles, scripts
// and faces, embedded into the program.
//
//	site/     the public site: layout.html, and a folder for each page
//	desk/     the editors' rooms, likewise
//	shared/   parts that every area uses
//	letter/   the letters that the program sends
//	dist/     what `go run ./ui/build` makes of the styles, scripts and faces
//
// A theme is a folder of the same shape: a template in it replaces the one
// here (site/story/story.html), and its style.css is loaded last.
package ui

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// Templates alone are taken beside what was built: sources of scripts, styles
// and tests stay out of the program.
//
//go:embed all:dist shared/*.html site/*.html site/*/*.html desk/*.html desk/*/*.html letter/*.html letter/*/*.html letter/*/*.txt
var embedded embed.FS

// Dist gives the built styles, scripts and faces with their manifest.json. It
// is all but empty until the front end has been built.
func Dist() fs.FS {
	sub, err := fs.Sub(embedded, "dist")
	if err != nil {
		panic(err) // "dist" is a valid path
	}
	return sub
}

// FS gives the templates, those in the folder override (a theme; "" for none)
// before the embedded ones. It reads from disk at each call of Open, so that
// a theme can be worked on while the program runs. Links that leave the
// folder are not followed.
func FS(override string) (fs.FS, error) {
	if override == "" {
		return embedded, nil
	}
	root, err := os.OpenRoot(override)
	if err != nil {
		return nil, fmt.Errorf("theme %s: %w", override, err)
	}
	return overlay{root.FS(), embedded}, nil
}

// overlay looks in upper first, then in lower.
type overlay struct{ upper, lower fs.FS }

func (o overlay) Open(name string) (fs.File, error) {
	f, err := o.upper.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return o.lower.Open(name)
	}
	return f, err
}

// ReadDir gives the entries of both folders, each name once, in order.
func (o overlay) ReadDir(name string) ([]fs.DirEntry, error) {
	upper, err := fs.ReadDir(o.upper, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	lower, lowerErr := fs.ReadDir(o.lower, name)
	if err != nil && lowerErr != nil {
		return nil, lowerErr
	}
	for _, e := range lower {
		if !slices.ContainsFunc(upper, func(u fs.DirEntry) bool { return u.Name() == e.Name() }) {
			upper = append(upper, e)
		}
	}
	slices.SortFunc(upper, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return upper, nil
}
