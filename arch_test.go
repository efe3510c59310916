package masthead_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// floors are the packages under internal, by floor. Imports point down:
// packages on one floor never import one another. fault and needtest lie under the ground floor.
var floors = [][]string{
	{"fault", "needtest"},
	{"config", "language"},
	{"db", "blob", "mail", "doc", "fetch", "seal"},
	{"job", "relay", "copies"},
	{"story", "media", "reader", "staff", "setting", "consent"},
	{"wall", "draft", "plan", "newsletter", "search", "recommend", "event", "attribution", "archive", "feed", "page", "web", "webhook"},
	{"site", "desk", "api", "demo", "proof"},
	{"app"},
	{"cli"},
}

// modules are those that the program and its tests may use; another one needs a
// decision record. A test-only module is good in _test.go files and test packages alone.
var modules = map[string]bool{
	"cel.dev/cel-go": true, "github.com/BurntSushi/toml": true, "github.com/PuerkitoBio/goquery": true,
	"github.com/andybalholm/brotli": true, "github.com/blevesearch/bleve/v2": true, "github.com/danielgtaylor/huma/v2": true,
	"github.com/boombuler/barcode":   true,
	"github.com/emersion/go-message": true, "github.com/emersion/go-msgauth": true, "github.com/emersion/go-sasl": true,
	"github.com/emersion/go-smtp": true, "github.com/evanw/esbuild": true, "github.com/gen2brain/webp": true,
	"github.com/go-webauthn/webauthn": true,
	"github.com/google/uuid":          true, "github.com/jackc/pgx/v5": true, "github.com/klauspost/compress": true,
	"github.com/maypok86/otter/v2": true, "github.com/microcosm-cc/bluemonday": true, "github.com/minio/minio-go/v7": true,
	"github.com/pressly/goose/v3": true, "github.com/prometheus/client_golang": true, "github.com/riverqueue/river": true,
	"github.com/schollz/progressbar/v3": true, "github.com/urfave/cli/v3": true, "github.com/yuin/goldmark": true,
	"golang.org/x": true, "modernc.org/sqlite": true,
	// Tests.
	"github.com/chromedp": false, "github.com/google/go-cmp": false, "github.com/rogpeppe/go-internal": false,
	"github.com/mmcdole/gofeed": false,
}

func TestImportsPointDown(t *testing.T) {
	floor := map[string]int{}
	for n, packages := range floors {
		for _, p := range packages {
			floor[p] = n
		}
	}
	eachImport(t, "internal", func(file, imported string) {
		own := strings.Split(filepath.ToSlash(file), "/")[1]
		from, known := floor[own]
		if !known {
			t.Errorf("%s: internal/%s stands on no floor; give it one in arch_test.go", file, own)
			return
		}
		rest, internal := strings.CutPrefix(imported, "masthead/internal/")
		if !internal {
			return
		}
		if helper := regexp.MustCompile(`test(/|$)`); helper.MatchString(imported) && !helper.MatchString(filepath.ToSlash(filepath.Dir(file))) && !strings.HasSuffix(file, "_test.go") {
			t.Errorf("%s imports %s, which is for tests alone", file, imported)
		}
		other := strings.Split(rest, "/")[0]
		if other == own || strings.HasSuffix(other, "test") || strings.HasSuffix(file, "_test.go") && floor[other] < len(floors)-2 {
			return // tests may meet their neighbours, as the floor above does
		}
		if to := floor[other]; to >= from {
			t.Errorf("%s (floor %d) imports %s (floor %d): imports point down", file, from, other, to)
		}
	})
}

func TestOnlyAllowedModules(t *testing.T) {
	for _, root := range []string{"internal", "cmd", "ui", "bench"} {
		eachImport(t, root, func(file, imported string) {
			first, _, _ := strings.Cut(imported, "/")
			if !strings.Contains(first, ".") || first == "masthead" {
				return
			}
			for m := imported; m != "."; m = path.Dir(m) {
				inProgram, allowed := modules[m]
				if !allowed {
					continue
				}
				if !inProgram && !strings.HasSuffix(file, "_test.go") && !regexp.MustCompile(`test/|bench/|e2e/|^tools/|^ui/gallery/`).MatchString(filepath.ToSlash(file)) {
					t.Errorf("%s imports %s, which is for tests alone", file, imported)
				}
				return
			}
			t.Errorf("%s imports %s, which is not on the list of allowed modules", file, imported)
		})
	}
}

// TestNothingIsSkippedSilently holds that no test is skipped but by package
// needtest, which fails under CI=true where a part is missing, and that no script
// is but for want of PostgreSQL, of which the same is true.
func TestNothingIsSkippedSilently(t *testing.T) {
	skips := regexp.MustCompile(`\.Skip(f|Now)?\(|"CI"`)
	skip := regexp.MustCompile(`(?m)^.*\bskip\b.*$`)
	seen := map[string]bool{}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains([]string{"node_modules", ".git", "dist", "bin"}, d.Name()) {
			return filepath.SkipDir
		}
		ext := filepath.Ext(file)
		if ext != ".go" && ext != ".txtar" || file == "arch_test.go" {
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if ext == ".txtar" {
			for _, line := range skip.FindAllString(string(text), -1) {
				if seen[file] = true; !strings.HasPrefix(line, "[!postgres] skip ") {
					t.Errorf("%s: %s", file, line)
				}
			}
			return nil
		}
		own := filepath.ToSlash(filepath.Dir(file)) == "internal/needtest"
		if found := skips.FindString(string(text)); found != "" {
			if seen[file] = true; !own {
				t.Errorf("%s has %s: let package needtest decide what a missing part means", file, found)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) < 2 { // needtest itself, and the script of PostgreSQL
		t.Errorf("only %v is looked at", seen)
	}
}

// TestFilesAreShort holds every Go and TypeScript file to 600 lines.
func TestFilesAreShort(t *testing.T) {
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains([]string{"node_modules", ".git", "dist", "bin"}, d.Name()) {
			return filepath.SkipDir
		}
		if ext := filepath.Ext(file); ext != ".go" && ext != ".ts" {
			return nil
		}
		content, err := os.ReadFile(file)
		if n := strings.Count(string(content), "\n"); n > 600 {
			t.Errorf("%s has %d lines; 600 are enough", file, n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// eachImport calls fn with every import of every Go file below root.
func eachImport(t *testing.T, root string, fn func(file, imported string)) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(file) != ".go" {
			if d != nil && d.Name() == "node_modules" {
				return filepath.SkipDir
			}
			return err
		}
		files++
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			fn(file, imported)
		}
		return nil
	})
	if os.IsNotExist(err) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if files == 0 {
		t.Fatalf("no Go file below %s", root)
	}
}
