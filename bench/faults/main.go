// Command faults gives a newsroom bad days: clients that crawl, connections by
// the ten thousand, requests made to break a server, a disk that is full. Each
// is tried against the built program, as it is served to the public:
//
//	make build && go run ./tools/withpostgres go run ./bench/faults
//
// It prints a table, and exits 1 when an outcome is not the one that
// docs/operate.md tells of. What cannot be tried on this machine (a disk is
// filled by root alone) is told as not tried, and is no failure.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// trial is one bad day.
type trial struct {
	name string
	want string // as docs/operate.md has it, in short
	run  func(ctx context.Context, b *bench) (seen string, err error)
}

// trials in the order of docs/operate.md.
func trials() []trial {
	return []trial{
		{"slow clients", "cut off: headers after 10 s, a form after 1 min, an answer not taken after 2 min; others are served", slowClients},
		{"10,000 idle connections", "served meanwhile; the longest idle make room", idleConnections},
		{"more connections than files", "served; the log tells once", fewFiles},
		{"all connections busy", "503 with a sentence; room again when they end", busyConnections},
		{"1 MB of headers", "431, and the connection is closed", largeHeaders},
		{"huge, many and broken cookies", "431 that drops them, then 200; foreign and broken ones ignored", cookies},
		{"a very long address", "404 to 8 KB, then 414", longAddress},
		{"request smuggling", "one answer at the most, and the connection is closed", smuggling},
		{"HTTP/2 rapid reset", "others are served in time", rapidReset},
		{"HTTP/2 CONTINUATION flood", "the connection is closed after a few MB", continuationFlood},
		{"certificate by ACME", "obtained, kept with 0600, used again after a restart", certificate},
		{"the disk is full, SQLite", "507 for writes, pages go on, one line in the log, recovery alone", fullSQLite},
		{"the disk is full, PostgreSQL", "the same", fullPostgres},
	}
}

// errNotTried says that this machine lacks what a trial needs.
var errNotTried = errors.New("not tried")

func notTried(why string, args ...any) error {
	return fmt.Errorf("%w: %s", errNotTried, fmt.Sprintf(why, args...))
}

// bench is what all trials share.
type bench struct {
	binary string
	dir    string // for what the trials make
	seed   string // a newsroom's folder, to be copied
}

func main() {
	binary := flag.String("binary", "bin/masthead", "the program to try")
	only := flag.String("only", "", "try only what has this in its name")
	seed := flag.String("seed", "", "a newsroom's folder to try it on; else the demo's is made")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *binary, *seed, *only); err != nil {
		fmt.Fprintf(os.Stderr, "faults: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, binary, seed, only string) (err error) {
	b := &bench{seed: seed}
	if b.binary, err = filepath.Abs(binary); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "masthead-faults-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if b.seed == "" {
		b.seed = filepath.Join(b.dir, "seed")
		if out, err := exec.CommandContext(ctx, b.binary, "demo", "--dir", b.seed).CombinedOutput(); err != nil {
			return fmt.Errorf("%s demo: %w: %s", binary, err, out)
		}
	}
	bad := 0
	for _, t := range trials() {
		if !strings.Contains(t.name, only) {
			continue
		}
		began := time.Now()
		seen, err := t.run(ctx, b)
		mark := "as documented"
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errNotTried):
			mark, seen = "not tried", err.Error()
		case err != nil:
			mark, seen = "NOT AS DOCUMENTED", strings.TrimPrefix(seen+"; "+err.Error(), "; ")
			bad++
		}
		fmt.Printf("%-18s %-32s %5.0f s\n  documented: %s\n  seen:       %s\n", mark, t.name, time.Since(began).Seconds(), t.want, seen)
	}
	if bad > 0 {
		return fmt.Errorf("%d outcomes are not as documented", bad)
	}
	return nil
}
