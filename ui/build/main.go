// Command build makes the front end: it bundles styles and scripts, takes the
// faces out of their npm packages, names every file by its content and
// writes ui/dist with a manifest. Run it from the repository's root, after
// `npm ci --ignore-scripts` in ui/:
//
//	go run ./ui/build
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/evanw/esbuild/pkg/api"
	"github.com/klauspost/compress/gzip"

	"masthead/internal/doc"
)

func main() {
	if err := run("ui"); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

// entries are what a page may ask for by name. The faces' rules stand in the
// style sheet that each area's pages all load.
var entries = []struct {
	name, source string // source is below ui/
	faces        bool
}{
	{"site.css", "site/site.css", true},
	{"site.js", "site/site.ts", false},
	{"desk.css", "desk/desk.css", true},
	{"desk.js", "desk/desk.ts", false},
	{"desk.js", "desk/desk.ts", false},
	{"editor.css", "desk/editor/editor.css", false},
	{"editor.js", "desk/editor/editor.ts", false},
}

// manifest has the shape that internal/web reads.
type manifest struct {
	Files    map[string]string   `json:"files"`
	Preloads map[string][]string `json:"preloads"`
}

func run(ui string) error {
	dist := filepath.Join(ui, "dist")
	if err := empty(dist); err != nil {
		return err
	}
	m := manifest{Files: map[string]string{}, Preloads: preloads}
	if err := copyFaces(ui, dist, &m); err != nil {
		return err
	}
	css := "\n" + facesCSS(m.Files)
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(ui, filepath.FromSlash(e.source)))
		if err != nil {
			return err
		}
		if e.faces {
			text = append(text, css...) // @import comes first
		}
		out, err := bundle(string(text), filepath.Join(ui, filepath.FromSlash(e.source)))
		if err != nil {
			return err
		}
		if err := write(dist, e.name, out, &m); err != nil {
			return err
		}
	}
	svgs, err := filepath.Glob(filepath.Join(ui, "shared", "*.svg"))
	if err != nil {
		return err
	}
	for _, svg := range svgs {
		text, err := os.ReadFile(svg)
		if err != nil {
			return err
		}
		if err := write(dist, filepath.Base(svg), text, &m); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dist, "manifest.json"), append(text, '\n'), 0o644)
}

// empty clears dist of all but .gitkeep.
func empty(dist string) error {
	if err := os.MkdirAll(dist, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(dist)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == ".gitkeep" {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dist, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func bundle(text, source string) ([]byte, error) {
	loader := api.LoaderCSS
	if filepath.Ext(source) == ".ts" {
		loader = api.LoaderTS
	}
	result := api.Build(api.BuildOptions{
		Stdin:    &api.StdinOptions{Contents: text, ResolveDir: filepath.Dir(source), Sourcefile: source, Loader: loader},
		Bundle:   true,
		External: []string{"/assets/*"},
		Plugins:  []api.Plugin{schema},
		Format:   api.FormatESModule,
		Engines: []api.Engine{{Name: api.EngineChrome, Version: "111"}, {Name: api.EngineFirefox, Version: "113"},
			{Name: api.EngineSafari, Version: "16.4"}},
		MinifyWhitespace: true, MinifySyntax: true, MinifyIdentifiers: true,
		LegalComments: api.LegalCommentsNone,
	})
	if len(result.Errors) > 0 {
		return nil, errors.New(strings.Join(api.FormatMessages(result.Errors, api.FormatMessagesOptions{Kind: api.ErrorMessage}), "\n"))
	}
	return result.OutputFiles[0].Contents, nil
}

// schema serves the document's schema, as internal/doc has it, to a script
// that imports "masthead:schema". So it is written once.
var schema = api.Plugin{Name: "schema", Setup: func(b api.PluginBuild) {
	b.OnResolve(api.OnResolveOptions{Filter: `^masthead:schema$`}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
		return api.OnResolveResult{Path: a.Path, Namespace: "schema"}, nil
	})
	b.OnLoad(api.OnLoadOptions{Filter: `.*`, Namespace: "schema"}, func(api.OnLoadArgs) (api.OnLoadResult, error) {
		text := string(doc.Schema())
		return api.OnLoadResult{Contents: &text, Loader: api.LoaderJSON}, nil
	})
}}

// write puts a file into dist under its hashed name, with compressed copies
// where they save something.
func write(dist, name string, text []byte, m *manifest) error {
	sum := sha256.Sum256(text)
	ext := filepath.Ext(name)
	file := strings.TrimSuffix(name, ext) + "-" + hex.EncodeToString(sum[:5]) + ext
	m.Files[name] = file
	if err := os.WriteFile(filepath.Join(dist, file), text, 0o644); err != nil {
		return err
	}
	if ext == ".woff2" { // compressed already
		return nil
	}
	var gz, br bytes.Buffer
	g, err := gzip.NewWriterLevel(&gz, gzip.BestCompression)
	if err != nil {
		return err
	}
	g.Write(text)
	b := brotli.NewWriterLevel(&br, brotli.BestCompression)
	b.Write(text)
	if err := errors.Join(g.Close(), b.Close()); err != nil {
		return err
	}
	for suffix, squeezed := range map[string][]byte{".gz": gz.Bytes(), ".br": br.Bytes()} {
		if len(squeezed) < len(text) {
			if err := os.WriteFile(filepath.Join(dist, file+suffix), squeezed, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

func copyFaces(ui, dist string, m *manifest) error {
	for _, f := range faces {
		text, err := os.ReadFile(filepath.Join(ui, "node_modules", "@fontsource-variable", f.pack, "files", f.file+".woff2"))
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("face %s: %w (run npm ci --ignore-scripts in %s)", f.file, err, ui)
		}
		if err != nil {
			return err
		}
		if err := write(dist, f.file+".woff2", text, m); err != nil {
			return err
		}
	}
	return nil
}
