package masthead_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"masthead/internal/cli"
	"masthead/internal/config"
	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/needtest"
)

var update = flag.Bool("update", false, "write docs/cli.md and docs/masthead.example.toml anew")

// TestManual compares the manual with what the commands say of themselves.
func TestManual(t *testing.T) {
	for name, want := range map[string]string{"cli.md": cli.Manual(), "masthead.example.toml": config.Example()} {
		path := filepath.Join("docs", name)
		if *update {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s is out of date; run make docs: %s", path, diff)
		}
	}
}

// hasPostgres reports whether a script can have a PostgreSQL. Under CI=true it has
// one, or fails.
func hasPostgres() bool {
	if needtest.CI() {
		return true
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	return os.Getenv("MASTHEAD_TEST_POSTGRES") != "" || err == nil && len(found) > 0
}

// scriptCommands are what the scripts can do besides running masthead:
//
//	address VAR...           set each variable to a free address of this machine
//	postgres VAR             set a variable to the URL of an empty PostgreSQL database
//	get URL [HEADER...]      print the status, the headers Location and Content-Type, and the body of an answer
//	post URL [NAME=VALUE...] likewise, of a form
//	keys FILE                print the names in a JSON object, one a line, in their order
//	mode PERM FILE           fail unless the file has these permissions
//	picture FILE             draw a small picture
//	sql FILE STATEMENT       change an SQLite database
//	spoil GLOB               change a byte of each file
//	stop                     send SIGTERM to what runs in the background
//	let VAR PATTERN          set a variable to what the last output has for a pattern's first group
func scriptCommands(t *testing.T) map[string]func(ts *testscript.TestScript, neg bool, args []string) {
	need := func(ts *testscript.TestScript, neg bool, args []string, least int) {
		if neg || len(args) < least {
			ts.Fatalf("written wrongly: see scriptCommands")
		}
	}
	return map[string]func(ts *testscript.TestScript, neg bool, args []string){
		"address": func(ts *testscript.TestScript, neg bool, args []string) {
			need(ts, neg, args, 1)
			for _, name := range args {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				ts.Check(err)
				defer l.Close()
				ts.Setenv(name, l.Addr().String())
			}
		},
		"postgres": func(ts *testscript.TestScript, neg bool, args []string) {
			need(ts, neg, args, 1)
			ts.Setenv(args[0], dbtest.PostgresURL(t))
		},
		"get": func(ts *testscript.TestScript, neg bool, args []string) {
			need(ts, neg, args, 1)
			ask(ts, http.MethodGet, args[0], "", args[1:])
		},
		"post": func(ts *testscript.TestScript, neg bool, args []string) {
			need(ts, neg, args, 1)
			form := url.Values{}
			for _, field := range args[1:] {
				name, value, _ := strings.Cut(field, "=")
				form.Add(name, value)
			}
			ask(ts, http.MethodPost, args[0], form.Encode(), []string{"Content-Type: application/x-www-form-urlencoded"})
		},
		"keys": func(ts *testscript.TestScript, neg bool, args []string) {
			need(ts, neg, args, 1)
			d := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
			var o map[string]json.RawMessage
			ts.Check(d.Decode(&o))
			if d.More() {
				ts.Fatalf("%s holds more than one object", args[0])
			}
			for _, name := range slices.Sorted(maps.Keys(o)) {
				fmt.Fprintln(ts.Stdout(), name)
			}
		},
		"mode": func(ts *testscript.TestScript, neg bool, args []string) {
			need(ts, neg, args, 2)
			want, err := strconv.ParseUint(args[0], 8, 32)
			ts.Check(err)
			info, err := os.Stat(ts.MkAbs(args[1]))
			ts.Check(err)
			if info.Mode().Perm() != os.FileMode(want) {
				ts.Fatalf("%s has the permissions %o, want %o", args[1], info.Mode().Perm(), want)
			}
		},
		"picture": func(ts *testscript.TestScript, neg bool, args []string) {
			need(ts, neg, args, 1)
			path := ts.MkAbs(args[0])
			ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
			f, err := os.Create(path)
			ts.Check(err)
			img := image.NewRGBA(image.Rect(0, 0, 400, 300))
			for x := range 400 {
				img.Set(x, 150, color.RGBA{uint8(x), 90, 90, 255})
			}
			ts.Check(jpeg.Encode(f, img, nil))
			ts.Check(f.Close())
		},
		"sql": func(ts *testscript.TestScript, neg bool, args []string) {
			need(ts, neg, args, 2)
			d, err := db.Open(t.Context(), ts.MkAbs(args[0]))
			ts.Check(err)
			_, err = d.Write().Exec(args[1])
			ts.Check(err)
			ts.Check(d.Close())
		},
		"spoil": func(ts *testscript.TestScript, neg bool, args []string) {
			need(ts, neg, args, 1)
			files, err := filepath.Glob(ts.MkAbs(args[0]))
			ts.Check(err)
			if len(files) == 0 {
				ts.Fatalf("there is no %s", args[0])
			}
			for _, file := range files {
				content, err := os.ReadFile(file)
				ts.Check(err)
				content[len(content)/2] ^= 0xff
				ts.Check(os.Chmod(file, 0o600))
				ts.Check(os.WriteFile(file, content, 0o600))
			}
		},
		"stop": func(ts *testscript.TestScript, neg bool, args []string) {
			need(ts, neg, args, 0)
			for _, c := range ts.BackgroundCmds() {
				ts.Check(c.Process.Signal(syscall.SIGTERM))
			}
		},
		"let": func(ts *testscript.TestScript, neg bool, args []string) {
			need(ts, neg, args, 2)
			m := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
			if len(m) < 2 {
				ts.Fatalf("the last output has nothing for %s", args[1])
			}
			ts.Setenv(args[0], m[1])
		},
	}
}

// ask sends a request, as long as nobody listens yet for ten seconds, and prints the answer.
func ask(ts *testscript.TestScript, method, address, body string, headers []string) {
	client := &http.Client{Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		req, err := http.NewRequest(method, address, strings.NewReader(body))
		ts.Check(err)
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			req.Header.Set(name, value)
		}
		res, err := client.Do(req)
		if err != nil && time.Now().Before(end) {
			continue
		}
		ts.Check(err)
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		ts.Check(err)
		fmt.Fprintf(ts.Stdout(), "status: %d\nlocation: %s\ntype: %s\n\n%s\n", res.StatusCode, res.Header.Get("Location"), res.Header.Get("Content-Type"), text)
		return
	}
}
