// Command run is the side-by-side benchmark: nginx, a bare net/http server and
// Masthead, and Ghost and WordPress where they are installed, in one run, on one
// core, under one load. bench/README.md tells what is measured and how.
//
//	go run ./bench/run -stories 20000
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"time"
)

// bench is one run.
type bench struct {
	stories, rounds, connections int
	each                         time.Duration
	masthead, dir, out           string
	lines                        *regexp.Regexp // which of them to measure; nil for all
	ghost, wordpress             string         // folders that may have them
	rivals                       []rival
}

func main() {
	var b bench
	flag.IntVar(&b.stories, "stories", 20_000, "how many stories the larger archive has; the smaller has 100")
	flag.IntVar(&b.rounds, "rounds", 3, "how often each line is measured; the medians are told")
	flag.IntVar(&b.connections, "connections", 16, "how many connections ask at once")
	flag.DurationVar(&b.each, "each", 4*time.Second, "how long each line is measured in a round, in whole seconds")
	flag.StringVar(&b.masthead, "masthead", "bin/masthead", "the program to measure")
	flag.StringVar(&b.dir, "dir", "", "a folder to keep the newsrooms in for another run; a new one is thrown away")
	flag.StringVar(&b.out, "out", "bench/RESULTS.md", "where the tables are written")
	flag.StringVar(&b.ghost, "ghost", "", "the folder of an installed Ghost, to be measured too")
	flag.StringVar(&b.wordpress, "wordpress", "/usr/share/wordpress", "the folder of a WordPress, measured too where it is there")
	flag.Func("lines", "measure the lines alone whose names match this regular expression, and print the tables without writing them", func(s string) (err error) {
		b.lines, err = regexp.Compile(s)
		return err
	})
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := b.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// wants reports whether a line is to be measured.
func (b *bench) wants(line string) bool { return b.lines == nil || b.lines.MatchString(line) }

// say tells how the run is getting on.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...) }

func (b *bench) run(ctx context.Context) (err error) {
	if runtime.NumCPU() < 2 {
		return errors.New("two cores are needed: one for the servers, one for the load")
	}
	for _, tool := range []string{"wrk", "h2load", "taskset"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%w (apt-get install wrk nghttp2-client util-linux)", err)
		}
	}
	b.rivals = b.findRivals()
	work, err := os.MkdirTemp("", "masthead-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	kept := b.dir
	if kept == "" {
		kept = work
	}
	report := newReport(b)
	for i, n := range slices.Compact([]int{100, b.stories}) {
		dir := filepath.Join(kept, "newsroom-"+strconv.Itoa(n))
		a, err := b.archive(ctx, dir, work, n)
		if err == nil {
			err = b.secure(ctx, dir, work, &a)
		}
		if err == nil && i == 0 { // with more, each of them would want a database tuned for it
			err = b.beside(ctx, work, &a)
		}
		if err != nil {
			return fmt.Errorf("%d stories: %w", n, err)
		}
		report.archives = append(report.archives, a)
	}
	var text bytes.Buffer
	report.write(&text)
	os.Stdout.Write(text.Bytes())
	if b.lines != nil {
		return nil // a part, for whoever works on it
	}
	return os.WriteFile(b.out, text.Bytes(), 0o644)
}

// archive is what was found with an archive of one size.
type archive struct {
	stories      int
	nginx        string
	pageSize     int // bytes of the story's page, compressed
	lines        []line
	starts       []time.Duration // to the first 200
	fresh        float64         // MB resident after the start
	cold         []time.Duration // first byte of a story just published
	search       measure         // over one connection
	memory, peak float64         // of Masthead at the end, MB
}

// line is one line of the table.
type line struct {
	name string
	size int // bytes of the first answer, compressed
	measure
}

// archive measures everything with n stories.
func (b *bench) archive(ctx context.Context, dir, work string, n int) (a archive, err error) {
	a.stories = n
	say("making %d stories", n)
	paths, err := seed(ctx, dir, n)
	if err != nil {
		return a, err
	}
	// This program and the load stay away from the servers' core.
	if out, err := exec.Command("taskset", "-a", "-cp", loadCore, strconv.Itoa(os.Getpid())).CombinedOutput(); err != nil {
		return a, fmt.Errorf("taskset: %w: %s", err, out)
	}
	var m *server
	for i := range 5 {
		if m, err = startMasthead(ctx, b.masthead, dir, nil); err != nil {
			return a, err
		}
		a.starts = append(a.starts, m.ready)
		if i < 4 {
			if err := m.stop(); err != nil {
				return a, err
			}
		}
	}
	defer func() { err = errors.Join(err, m.stop()) }()
	a.fresh = m.memory("VmRSS")
	if err := m.settle(ctx); err != nil {
		return a, err
	}

	v, err := b.visitors(ctx, m, dir, paths)
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, v.desk.Close()) }()
	gz, plain, _, err := newBrowser(m).read(ctx, paths[0])
	if err != nil {
		return a, err
	}
	a.pageSize = len(gz)
	nginx, how, err := startNginx(ctx, work, plain, gz)
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, nginx.stop()) }()
	a.nginx = how
	bare, err := startBare(ctx, work, nil)
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, bare.stop()) }()

	tests := append([]test{
		{name: how, server: nginx, asks: one("/story"), size: len(gz)},
		{name: "bare Go", server: bare, asks: one("/"), size: len(gz)},
	}, v.tests(m)...)
	tests = slices.DeleteFunc(tests, func(t test) bool { return t.name != "bare Go" && !b.wants(t.name) })
	if a.lines, err = b.measure(ctx, tests, func(t *test, asks []ask) (measure, error) {
		return load(ctx, work, t.server, asks, b.connections, b.each)
	}); err != nil {
		return a, err
	}
	if a.search, err = load(ctx, work, m, searches(6), 1, b.each); err != nil {
		return a, err
	}
	a.memory, a.peak = m.memory("VmRSS"), m.memory("VmHWM")
	a.cold, err = v.publishAndRead(ctx, 30)
	return a, err
}

// measure puts each test under load in turn, round after round.
func (b *bench) measure(ctx context.Context, tests []test, load func(t *test, asks []ask) (measure, error)) (lines []line, err error) {
	found := make([][]measure, len(tests))
	for round := range b.rounds {
		for i := range tests {
			t := &tests[i]
			asks, err := t.asks(ctx)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", t.name, err)
			}
			if t.size == 0 {
				page, err := t.server.get(ctx, asks[0], "gzip")
				if err != nil {
					return nil, fmt.Errorf("%s: %w", t.name, err)
				}
				t.size = len(page)
			}
			one, err := load(t, asks)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", t.name, err)
			}
			found[i] = append(found[i], one)
			say("round %d, %-48s %7.0f/s %.4f CPU s/1,000  p99 %v  %.0f MB", round+1, t.name, one.rate, one.cpu, one.p99, one.memory)
		}
	}
	for i, t := range tests {
		lines = append(lines, line{t.name, t.size, middle(found[i])})
	}
	return lines, nil
}

// one asks for one address, without cookies.
func one(path string) func(context.Context) ([]ask, error) {
	return func(context.Context) ([]ask, error) { return []ask{{path: path}}, nil }
}

// draws gives the numbers that a fixed seed draws.
func draws(seed uint64, n, of int) []int {
	next := zipf(rand.New(rand.NewPCG(seed, 2)), of)
	all := make([]int, n)
	for i := range all {
		all[i] = next()
	}
	return all
}
