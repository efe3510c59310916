package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"masthead/bench/cert"
)

// bareH2 is the line that those over HTTP/2 are compared with.
const bareH2 = "HTTP/2 over TLS: bare Go"

// secure measures a few lines over HTTP/2 and TLS, and adds them to a. Masthead
// is started anew for them, so that nothing of it is in the memory of the others.
func (b *bench) secure(ctx context.Context, dir, work string, a *archive) (err error) {
	names := []string{bareH2, "HTTP/2 over TLS: story, anonymous, open", "HTTP/2 over TLS: story, signed in, on the meter"}
	if !slices.ContainsFunc(names[1:], b.wants) {
		return nil
	}
	paths, err := seed(ctx, dir, a.stories)
	if err != nil {
		return err
	}
	var id identity
	if id.cert, id.key, err = cert.Write(work, "localhost"); err != nil {
		return err
	}
	m, err := startMasthead(ctx, b.masthead, dir, &id)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.stop()) }()
	bare, err := startBare(ctx, work, &id)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.stop()) }()
	v, err := b.visitors(ctx, m, dir, paths)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.desk.Close()) }()
	stories := v.tests(m)
	tests := []test{{name: names[0], server: bare, asks: one("/"), size: a.pageSize}}
	for _, name := range names[1:] {
		i := slices.IndexFunc(stories, func(t test) bool { return "HTTP/2 over TLS: "+t.name == name })
		if b.wants(name) {
			stories[i].name = name
			tests = append(tests, stories[i])
		}
	}
	found, err := b.measure(ctx, tests, func(t *test, asks []ask) (measure, error) {
		return loadH2(ctx, work, t.server, asks[0], b.connections, b.each)
	})
	a.lines = append(a.lines, found...)
	return err
}

// loadH2 puts one request to the server again and again over so many connections
// of HTTP/2, one at a time on each, as [load] does. Any answer but a good one is
// an error.
func loadH2(ctx context.Context, dir string, s *server, a ask, connections int, d time.Duration) (measure, error) {
	log := filepath.Join(dir, "h2load.log")
	if err := os.RemoveAll(log); err != nil { // it appends
		return measure{}, err
	}
	args := []string{"-c", loadCore, "h2load", "-t1", fmt.Sprint("-c", connections), "-m1", fmt.Sprint("-D", seconds(d)), "--log-file=" + log, "-H", "accept-encoding: gzip"}
	if a.cookie != "" {
		args = append(args, "-H", "cookie: "+a.cookie)
	}
	return s.measured(func() (n int, took time.Duration, m measure, err error) {
		out, err := exec.CommandContext(ctx, "taskset", append(args, s.url()+a.path)...).CombinedOutput()
		if err != nil {
			return 0, 0, m, fmt.Errorf("h2load: %w: %s", err, out)
		}
		if !strings.Contains(string(out), "Application protocol: h2\n") {
			return 0, 0, m, fmt.Errorf("h2load did not speak HTTP/2: %s", out)
		}
		f, err := os.Open(log)
		if err != nil {
			return 0, 0, m, err
		}
		defer f.Close()
		n, m.p50, m.p99, err = parseH2Log(bufio.NewScanner(f))
		return n, time.Duration(seconds(d)) * time.Second, m, err
	})
}

// parseH2Log reads h2load's log, a line for each answer: when it was asked for,
// in microseconds, the status, and how long it took in microseconds (h2load(1)).
func parseH2Log(lines *bufio.Scanner) (n int, p50, p99 time.Duration, err error) {
	var took []int
	for lines.Scan() {
		f := strings.Split(lines.Text(), "\t")
		if len(f) != 3 {
			return 0, 0, 0, fmt.Errorf("h2load's log has the line %q", lines.Text())
		}
		micros, err := strconv.Atoi(f[2])
		if err != nil || f[1] != "200" {
			return 0, 0, 0, fmt.Errorf("h2load: a request failed: %q", lines.Text())
		}
		took = append(took, micros)
	}
	if len(took) == 0 {
		return 0, 0, 0, lines.Err()
	}
	slices.Sort(took)
	at := func(share int) time.Duration { return time.Duration(took[len(took)*share/100]) * time.Microsecond }
	return len(took), at(50), at(99), lines.Err()
}
