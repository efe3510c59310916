package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// rivalConnections is how many connections ask a rival at once. What is under
// way when a load ends has been paid for and is not counted: of the few hundred
// answers that a rival gives in the time, sixteen would be many.
const rivalConnections = 4

// rival is another program that publishes stories, found on this machine. The
// run makes a site for it in a folder of its own, and throws that away.
type rival struct {
	name  string   // with its version; the lines' names begin with it
	how   string   // what serves it and what is counted, for the report
	pages []string // what is measured of it, the rest of the lines' names
	open  func(ctx context.Context, dir string, n int) (*site, error)
}

// line names the line of one of its pages.
func (r rival) line(page string) string { return r.name + ": " + page }

// site is a rival's site with its stories, being served.
type site struct {
	server *server
	asks   [][]ask  // what is asked for, for each of the rival's pages
	expect []string // what the first answer to each must hold
}

// findRivals looks for the programs that can stand beside Masthead, and tells of
// those that cannot.
func (b *bench) findRivals() []rival {
	var found []rival
	var missing []string
	for _, look := range []func() (rival, error){
		func() (rival, error) { return findGhost(b.ghost) },
		func() (rival, error) { return findWordPress(b.wordpress) },
	} {
		r, err := look()
		if err != nil {
			missing = append(missing, err.Error())
			continue
		}
		found = append(found, r)
	}
	if len(missing) > 0 {
		say("not beside us: %s (bench/README.md tells how to install them)", strings.Join(missing, "; "))
	}
	return found
}

// beside measures the rivals with as many stories, and adds their lines to a.
func (b *bench) beside(ctx context.Context, work string, a *archive) error {
	for i, r := range b.rivals {
		if !slices.ContainsFunc(r.pages, func(page string) bool { return b.wants(r.line(page)) }) {
			continue
		}
		dir := filepath.Join(work, fmt.Sprintf("rival-%d-%d", a.stories, i))
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		say("making %d stories for %s", a.stories, r.name)
		lines, err := b.rivalLines(ctx, dir, a.stories, r)
		if err = errors.Join(err, os.RemoveAll(dir)); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		a.lines = append(a.lines, lines...)
	}
	return nil
}

// rivalLines measures those pages of one rival that are wanted.
func (b *bench) rivalLines(ctx context.Context, dir string, n int, r rival) (lines []line, err error) {
	s, err := r.open(ctx, dir, n)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.server.stop()) }()
	if err := s.server.settle(ctx); err != nil {
		return nil, err
	}
	var tests []test
	for i, page := range r.pages {
		name := r.line(page)
		if !b.wants(name) {
			continue
		}
		if err := s.look(ctx, i); err != nil {
			return nil, fmt.Errorf("%s: %w", page, err)
		}
		tests = append(tests, test{name: name, server: s.server, asks: func(context.Context) ([]ask, error) { return s.asks[i], nil }})
	}
	put := func(t *test, asks []ask) (measure, error) {
		return load(ctx, dir, t.server, asks, min(b.connections, rivalConnections), b.each)
	}
	for i := range tests { // a load that is not counted: Node compiles while it works, PHP fills its opcache
		asks, err := tests[i].asks(ctx)
		if err == nil {
			_, err = put(&tests[i], asks)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", tests[i].name, err)
		}
	}
	return b.measure(ctx, tests, put)
}

// look reads page number i as it will be asked for, and looks whether it is what it should be.
func (s *site) look(ctx context.Context, i int) error {
	a := s.asks[i][0]
	text, err := s.server.get(ctx, a, "")
	if err == nil && !bytes.Contains(text, []byte(s.expect[i])) {
		err = fmt.Errorf("%s is answered without %q in it", a.path, s.expect[i])
	}
	return err
}

// pieces gives n made-up stories with their numbers, the newest first: each is
// an hour older than the one before.
func pieces(n int) iter.Seq2[int, piece] {
	return func(yield func(int, piece) bool) {
		w := newWriter(uint64(n))
		for i := range n {
			if !yield(i, w.piece(i)) {
				return
			}
		}
	}
}

// slug names story number i in its address.
func slug(i int) string { return fmt.Sprint("story-", i) }

// published is when story number i was.
func published(now time.Time, i int) string {
	return now.UTC().Add(-time.Hour * time.Duration(1+i)).Format(time.DateTime)
}

// htmlOf gives the paragraphs, each between before and after.
func htmlOf(p piece, before, after string) string {
	var b strings.Builder
	for text := range strings.SplitSeq(p.text, "\n\n") {
		b.WriteString(before + html.EscapeString(strings.TrimSpace(text)) + after)
	}
	return b.String()
}

// do runs a program to its end, away from the servers' core, and gives what it wrote.
func do(ctx context.Context, stdin io.Reader, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...)
	var out, errs bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = stdin, &out, &errs
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s%s", filepath.Base(name), err, out.Bytes(), errs.Bytes())
	}
	return strings.TrimSpace(out.String()), nil
}
