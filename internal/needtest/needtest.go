// Package needtest is what a test does about a part that it needs and that the
// machine does not have: a database, a browser, a program, a fixture. At
// somebody's desk the test is skipped and says what to install; under CI=true it
// fails, since a run that leaves a part out proves nothing about it. No other
// test code skips: arch_test.go holds that.
//
//	chromium := needtest.Program(t, "chromium", "google-chrome")
package needtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// CI reports whether every part must be there: CI=true in the environment.
func CI() bool { return os.Getenv("CI") == "true" }

// Missing ends a test that cannot have what it needs, which the message names
// with the way to get it.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if CI() {
		t.Fatalf("missing under CI=true: "+format, args...)
	}
	t.Skipf(format, args...)
}

// Slow ends a test that takes long where -short asks for quick ones. A run under
// CI=true may not ask for it.
func Slow(t testing.TB) {
	t.Helper()
	if testing.Short() {
		Missing(t, "left out by -short")
	}
}

// Asked ends what is a measurement, takes pictures, or is started by another test
// as a process of its own, unless it was asked for; how tells by what.
func Asked(t testing.TB, asked bool, how string) {
	t.Helper()
	if !asked {
		t.Skipf("only when it is asked for: %s", how)
	}
}

// Program gives the path of the first of these programs that there is.
func Program(t testing.TB, names ...string) string {
	t.Helper()
	path, err := Find(names...)
	if err != nil {
		Missing(t, "%v: make tools installs it", err)
	}
	return path
}

// Find gives the path of the first of these programs that there is, by name or path.
func Find(names ...string) (path string, err error) {
	for _, name := range names {
		if path, err = exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("there is none of %q: %w", names, err)
}

// browsers are the names that Chromium goes by.
var browsers = []string{"chromium", "chromium-browser", "google-chrome"}

// Browser gives the path of Chromium.
func Browser(t testing.TB) string {
	t.Helper()
	return Program(t, browsers...)
}

// WithBrowser runs the tests of a package that are nothing without Chromium, for
// its TestMain: run is given its path. Where there is none it tells so on standard
// error, which is a failure under CI=true.
func WithBrowser(run func(chromium string) (code int, err error)) (code int) {
	chromium, err := Find(browsers...)
	if err != nil {
		fmt.Fprintf(os.Stderr, "every test is left out: %v: make tools installs it\n", err)
		if CI() {
			return 1
		}
		return 0
	}
	if code, err = run(chromium); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}

// File gives the path of a file that make tools puts there, told from the top of
// the repository.
func File(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(top(t), filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		Missing(t, "%v: make tools installs it", err)
	}
	return path
}

// Fixture gives the path of a file or folder of the real input that lies beside
// the project, ../shared/fixtures.
func Fixture(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(top(t), "..", "shared", "fixtures", filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		Missing(t, "the fixture is absent: %v", err)
	}
	return path
}

// top gives the folder of go.mod.
func top(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("there is no go.mod above this folder")
		}
		dir = parent
	}
}
