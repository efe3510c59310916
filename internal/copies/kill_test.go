package copies

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"masthead/internal/blob"
	"masthead/internal/db"
	"masthead/internal/needtest"
)

// childEnv names database and copies to a test program that is started again.
const childEnv = "MASTHEAD_COPIES_CHILD"

// TestChild is not a test: it is the newsroom that TestKilled kills. It writes
// numbers and tells each that is committed.
func TestChild(t *testing.T) {
	file, folder, ok := strings.Cut(os.Getenv(childEnv), "\n")
	needtest.Asked(t, ok, "TestKilled starts it")
	ctx := context.Background()
	d, err := db.Open(ctx, file)
	must(t, err)
	store, err := blob.OpenFolder(folder)
	must(t, err)
	_, err = d.Write().Exec(`CREATE TABLE IF NOT EXISTS word (id INTEGER PRIMARY KEY, text TEXT NOT NULL, bytes BLOB)`)
	must(t, err)
	c := New(Config{Path: file, Store: store, Log: slog.New(slog.DiscardHandler), Every: 100 * time.Millisecond, SnapshotEvery: 700 * time.Millisecond,
		PackEvery: 300 * time.Millisecond, limits: limits{checkpointAt: 200 << 10, restartAt: 1 << 20, restartRest: 50 * time.Millisecond, giveUpAt: 1 << 30}})
	must(t, c.Start(ctx))
	for {
		var n int64
		must(t, d.Write().QueryRow(`INSERT INTO word (text, bytes) VALUES ('a', randomblob(3000)) RETURNING id`).Scan(&n))
		fmt.Println("committed", n, time.Now().UnixMicro())
		time.Sleep(time.Millisecond)
	}
}

// TestKilled kills the newsroom without warning, again and again: what was
// committed half a second before is in the copies, without a gap.
func TestKilled(t *testing.T) {
	needtest.Slow(t)
	dir := t.TempDir()
	file, folder := filepath.Join(dir, "masthead.db"), filepath.Join(dir, "copies")
	store, err := blob.OpenFolder(folder)
	must(t, err)
	defer store.Close()
	worst := time.Duration(0)
	for round := range 8 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
		cmd.Env = append(os.Environ(), childEnv+"="+file+"\n"+folder)
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		time.AfterFunc(time.Duration(900+round*137)*time.Millisecond, func() { cmd.Process.Signal(syscall.SIGKILL) })
		committed := map[int64]int64{} // number by time
		last := int64(0)
		for in := bufio.NewScanner(out); in.Scan(); {
			var n, at int64
			if _, err := fmt.Sscanf(in.Text(), "committed %d %d", &n, &at); err == nil {
				committed[n], last = at, n
			}
		}
		io.Copy(io.Discard, out)
		cmd.Wait()
		if last == 0 {
			t.Fatal("nothing was written")
		}
		to := filepath.Join(t.TempDir(), "restored.db")
		done, err := Restore(context.Background(), store, time.Time{}, to)
		must(t, err)
		d, err := db.Open(context.Background(), to)
		must(t, err)
		var n, most int64
		var whole string
		must(t, d.Read().QueryRow(`SELECT COUNT(*), COALESCE(MAX(id), 0) FROM word`).Scan(&n, &most))
		must(t, d.Read().QueryRow(`PRAGMA integrity_check`).Scan(&whole))
		must(t, d.Close())
		if n != most || whole != "ok" {
			t.Fatalf("round %d: %d numbers up to %d, %s", round, n, most, whole)
		}
		lost := time.Duration(0)
		if most < last {
			lost = time.Duration(committed[last]-committed[most+1]) * time.Microsecond
		}
		worst = max(worst, lost)
		t.Logf("round %d: %d of %d committed are in the copies (%d segments); %s are lost", round, most, last, done.Segments, lost.Round(time.Millisecond))
		if lost > 500*time.Millisecond {
			t.Errorf("round %d: the last %s are lost", round, lost)
		}
	}
}

// TestCost measures what the copies cost those who write: a thousand small
// commits, one after the other.
func TestCost(t *testing.T) {
	needtest.Asked(t, os.Getenv("MASTHEAD_LARGE") != "", "it takes minutes: set MASTHEAD_LARGE=1")
	run := func(copied bool) (total, slowest time.Duration) {
		d := newDesk(t, func(c *Config) { c.Every = time.Second })
		if !copied {
			must(t, d.c.Stop(context.Background()))
		} else {
			d.waitSnapshots(1)
		}
		start := time.Now()
		for n := range 1000 {
			one := time.Now()
			d.exec(`INSERT INTO word (text) VALUES ($1)`, fmt.Sprint(n))
			slowest = max(slowest, time.Since(one))
		}
		return time.Since(start), slowest
	}
	for range 5 {
		a, slowA := run(false)
		b, slowB := run(true)
		t.Logf("without %s (slowest %s), with %s (slowest %s)", a.Round(time.Millisecond), slowA, b.Round(time.Millisecond), slowB)
	}
}
