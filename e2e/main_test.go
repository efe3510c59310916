// Package e2e tests the program from outside: it builds it, seeds the demo's
// newsroom, serves it and reads it with a real Chromium and with the tools that
// measure web pages. Each test has a browser profile of its own.
//
//	go test ./e2e                               every check
//	go test ./e2e -args -pictures docs/pictures takes the pictures of the manual
//	go test ./e2e -args -performance            measures speed too
//
// MASTHEAD_E2E_NEWSROOM may name a folder with a seeded demo, to save seeding
// one while a test is being written; it is copied, not used.
package e2e

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"masthead/internal/app"
	"masthead/internal/config"
	"masthead/internal/db"
	"masthead/internal/needtest"
)

var (
	picturesFlag    = flag.String("pictures", "", "take pictures of the pages into this `folder`")
	performanceFlag = flag.Bool("performance", false, "measure the speed of pages with Lighthouse")
)

// The demo that most tests read, and the program and browser that all use.
var (
	program string // path of the built program
	browser context.Context
	demo    *newsroom
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(needtest.WithBrowser(func(chromium string) (int, error) { return run(m, chromium) }))
}

func run(m *testing.M, chromium string) (int, error) {
	work, err := os.MkdirTemp("", "masthead-e2e-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(work)
	stop, err := prepare(work, chromium)
	defer stop()
	if err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// prepare builds the program, starts the browser, seeds the demo and serves it.
func prepare(work, chromium string) (stop func(), err error) {
	var stops []func()
	stop = func() {
		for i := len(stops) - 1; i >= 0; i-- {
			stops[i]()
		}
	}
	program = filepath.Join(work, "masthead")
	build := exec.Command("go", "build", "-tags=nodynamic", "-o", program, "../cmd/masthead")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return stop, fmt.Errorf("build the program: %w\n%s", err, out)
	}
	folder := filepath.Join(work, "demo")
	started := time.Now()
	if seeded := os.Getenv("MASTHEAD_E2E_NEWSROOM"); seeded != "" {
		err = exec.Command("cp", "-a", seeded, folder).Run() // with its modes: a key that others can read is refused
	} else if out, failed := exec.Command(program, "demo", "--dir", folder).CombinedOutput(); failed != nil {
		err = fmt.Errorf("seed the demo: %w\n%s", failed, out)
	}
	if err != nil {
		return stop, err
	}
	fmt.Printf("e2e: the demo is seeded in %.0f s\n", time.Since(started).Seconds())
	if err := withdraw(folder, withdrawnStory); err != nil {
		return stop, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(filepath.Join(work, "profile")), chromedp.Flag("hide-scrollbars", true))
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	stops = append(stops, cancel)
	browser, cancel = chromedp.NewContext(allocator)
	stops = append(stops, cancel)
	if err := chromedp.Do(browser); err != nil {
		return stop, fmt.Errorf("start %s: %w", chromium, err)
	}
	demo, err = serve(folder)
	if err == nil {
		stops = append(stops, demo.stop)
	}
	return stop, err
}

// withdrawnStory is taken back before the demo is served, so that there is a
// page that is gone.
const withdrawnStory = "orchard-frost"

func withdraw(folder, slug string) error {
	return within(context.Background(), folder, func(ctx context.Context, a *app.App, tx *db.Tx) error {
		e, err := a.Stories.Find(ctx, tx, slug)
		if err != nil {
			return err
		}
		return a.Stories.Withdraw(ctx, tx, e.ID, "The figures were those of another year.", "")
	})
}

// within changes a newsroom that nobody serves, in one transaction.
func within(ctx context.Context, folder string, change func(ctx context.Context, a *app.App, tx *db.Tx) error) error {
	c, err := config.Load(folder, nil, func(string) (string, bool) { return "", false })
	if err != nil {
		return err
	}
	a, err := app.Open(ctx, c, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	err = a.DB.InTx(ctx, func(tx *db.Tx) error { return change(ctx, a, tx) })
	return errors.Join(err, a.Close())
}

// newsroom is a served newsroom.
type newsroom struct {
	URL    string // http://127.0.0.1:PORT, without a final slash
	folder string

	cmd   *exec.Cmd
	ended chan struct{} // closed once the program has ended; waiting twice would never end
	log   *bytes.Buffer

	mu    sync.Mutex
	paths map[string]string // of stories, by language and slug
}

// serve starts the program on a newsroom's folder and waits until it answers.
func serve(folder string) (*newsroom, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, err
	}
	n := &newsroom{URL: "http://" + addr, folder: folder, log: &bytes.Buffer{}, paths: map[string]string{}}
	n.cmd = exec.Command(program, "serve", "--dir", folder, "--addr", addr, "--url", n.URL, "--ops-addr", "", "--log-level", "warn",
		"--letters-per-network", "10000", "--dev", "true")
	n.cmd.Stderr = n.log
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt at the terminal is for the test alone
	if err := n.run(); err != nil {
		return nil, err
	}
	return n, n.answers()
}

// answers waits until the newsroom does; one that does not is stopped.
func (n *newsroom) answers() error {
	for range 600 {
		if r, err := http.Get(n.URL + "/robots.txt"); err == nil {
			r.Body.Close()
			return nil
		}
		select {
		case <-n.ended:
			return fmt.Errorf("masthead serve: %v\n%s", n.cmd.ProcessState, n.log)
		case <-time.After(50 * time.Millisecond):
		}
	}
	n.stop()
	return fmt.Errorf("masthead serve does not answer\n%s", n.log)
}

// later stops the program, moves times in the newsroom's database, and starts
// it again at its address: what is to happen some day happens now.
func (n *newsroom) later(t *testing.T, query string, args ...any) {
	t.Helper()
	n.stop()
	err := within(t.Context(), n.folder, func(ctx context.Context, _ *app.App, tx *db.Tx) error {
		result, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		if moved, err := result.RowsAffected(); err != nil || moved != 1 {
			return fmt.Errorf("%d rows were moved: %w", moved, err)
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM river_job WHERE state = 'completed'`) // in that other minute, none has run
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.again(); err != nil {
		t.Fatal(err)
	}
}

// again starts the program that has ended once more, at its address.
func (n *newsroom) again() error {
	was := n.cmd
	n.cmd = exec.Command(was.Path, was.Args[1:]...)
	n.cmd.Stderr, n.cmd.SysProcAttr = was.Stderr, was.SysProcAttr
	if err := n.run(); err != nil {
		return err
	}
	return n.answers()
}

// run starts n.cmd, and waits for its end in one place.
func (n *newsroom) run() error {
	if err := n.cmd.Start(); err != nil {
		return err
	}
	n.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		cmd.Wait()
		close(ended)
	}(n.cmd, n.ended)
	return nil
}

func (n *newsroom) stop() {
	n.cmd.Process.Signal(syscall.SIGTERM)
	<-n.ended
}

// command runs the program and gives what it printed.
func command(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("masthead %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// get fetches a path as somebody with these cookies would, without following
// redirects.
func (n *newsroom) get(t testing.TB, path, cookies string) (status int, header http.Header, body string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, n.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if cookies != "" {
		r.Header.Set("Cookie", cookies)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(content)
}
