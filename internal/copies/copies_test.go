package copies

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"masthead/internal/blob"
	"masthead/internal/db"
	"masthead/internal/fault"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// desk is a database with a copier.
type desk struct {
	t     *testing.T
	db    *db.DB
	store blob.Store
	dir   string
	c     *Copier
}

func newDesk(t *testing.T, change func(c *Config)) *desk {
	d := &desk{t: t, dir: t.TempDir()}
	var err error
	d.db, err = db.Open(t.Context(), filepath.Join(d.dir, "masthead.db"))
	must(t, err)
	t.Cleanup(func() { d.db.Close() })
	folder, err := blob.OpenFolder(filepath.Join(d.dir, "copies"))
	must(t, err)
	t.Cleanup(func() { folder.Close() })
	d.store = folder
	d.exec(`CREATE TABLE IF NOT EXISTS word (id INTEGER PRIMARY KEY, text TEXT NOT NULL, bytes BLOB)`)
	d.start(change)
	return d
}

func (d *desk) start(change func(c *Config)) {
	d.t.Helper()
	c := Config{Path: d.db.Name, Store: d.store, Log: slog.New(slog.NewTextHandler(d.t.Output(), nil)), Every: 10 * time.Millisecond}
	if change != nil {
		change(&c)
	}
	d.c = New(c)
	must(d.t, d.c.Start(context.Background()))
	d.t.Cleanup(func() { d.c.Stop(context.Background()) })
}

func (d *desk) exec(statement string, args ...any) {
	d.t.Helper()
	_, err := d.db.Write().Exec(statement, args...)
	must(d.t, err)
}

// settle waits until what is committed is copied, and gives a time between
// that and whatever comes next.
func (d *desk) settle() time.Time {
	d.t.Helper()
	committed := time.Now()
	for range 3000 {
		if d.c.Copied().After(committed) {
			at := time.Now()
			time.Sleep(time.Millisecond)
			return at
		}
		time.Sleep(5 * time.Millisecond)
	}
	d.t.Fatal("what is committed is not copied")
	return committed
}

// waitSnapshots waits until n snapshots are kept.
func (d *desk) waitSnapshots(n int) []object {
	d.t.Helper()
	for range 500 {
		snapshots, _, err := list(context.Background(), d.store, prefix)
		must(d.t, err)
		if len(snapshots) >= n {
			return snapshots
		}
		time.Sleep(10 * time.Millisecond)
	}
	d.t.Fatalf("there are no %d snapshots", n)
	return nil
}

// fingerprint is a hash of everything in a database.
func fingerprint(t testing.TB, q *sql.DB) string {
	t.Helper()
	h := sha256.New()
	var names []string
	rows, err := q.Query(`SELECT name, COALESCE(sql, '') FROM sqlite_schema ORDER BY name`)
	must(t, err)
	for rows.Next() {
		var name, text string
		must(t, rows.Scan(&name, &text))
		fmt.Fprintf(h, "%s %s\n", name, text)
		if strings.HasPrefix(text, "CREATE TABLE") {
			names = append(names, name)
		}
	}
	must(t, errors.Join(rows.Err(), rows.Close()))
	for _, name := range names {
		rows, err := q.Query(`SELECT * FROM ` + name + ` ORDER BY 1`)
		must(t, err)
		columns, err := rows.Columns()
		must(t, err)
		values := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		for rows.Next() {
			must(t, rows.Scan(into...))
			fmt.Fprintf(h, "%s %v\n", name, values)
		}
		must(t, errors.Join(rows.Err(), rows.Close()))
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

// restored brings back a time, checks the database, and gives its fingerprint.
func restored(t testing.TB, store blob.Store, at time.Time) (string, Restored) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "restored.db")
	done, err := Restore(context.Background(), store, at, file)
	must(t, err)
	q, err := sql.Open("sqlite", file)
	must(t, err)
	defer q.Close()
	var ok string
	must(t, q.QueryRow(`PRAGMA integrity_check`).Scan(&ok))
	if ok != "ok" {
		t.Fatalf("restored to %s: %s", at, ok)
	}
	return fingerprint(t, q), done
}

// TestRestoreToAnyTime writes at random, with checkpoints of every kind in
// between, and goes back to each time that it has noted.
func TestRestoreToAnyTime(t *testing.T) {
	for _, seed := range []uint64{1, 2, 3} {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 7))
			change := func(c *Config) {
				c.SnapshotEvery, c.PackEvery = 400*time.Millisecond, 250*time.Millisecond
				c.limits = limits{checkpointAt: 200 << 10, restartAt: 1 << 20, restartRest: 50 * time.Millisecond, giveUpAt: 1 << 30}
			}
			d := newDesk(t, change)
			type note struct {
				at   time.Time
				hash string
			}
			var notes []note
			d.waitSnapshots(1)
			for n := range 25 {
				for range 1 + r.IntN(40) {
					d.write(r)
				}
				switch r.IntN(9) {
				case 0:
					d.exec(fmt.Sprintf(`CREATE TABLE more%d (a INTEGER PRIMARY KEY, b TEXT)`, n))
				case 1:
					d.exec(`VACUUM`)
				case 2, 3, 4:
					var a, b, c int
					must(t, d.db.Write().QueryRow(`PRAGMA wal_checkpoint(`+[]string{"PASSIVE", "FULL", "RESTART", "TRUNCATE"}[r.IntN(4)]+`)`).Scan(&a, &b, &c))
				case 5: // a reader that keeps the log from beginning anew
					conn, err := d.db.Read().Conn(t.Context())
					must(t, err)
					must(t, hold(t.Context(), conn))
					time.AfterFunc(time.Duration(r.IntN(400))*time.Millisecond, func() { free(conn); conn.Close() })
				case 6: // the server is started again
					must(t, d.c.Stop(context.Background()))
					if r.IntN(2) == 0 {
						must(t, d.db.Close())
						var err error
						d.db, err = db.Open(t.Context(), d.db.Name)
						must(t, err)
					}
					d.write(r)
					have := len(d.waitSnapshots(0))
					d.start(change)
					d.waitSnapshots(have + 1)
				}
				at := d.settle()
				notes = append(notes, note{at, fingerprint(t, d.db.Read())})
			}
			must(t, d.c.Stop(context.Background()))
			logs, packs := map[uint32]bool{}, 0
			_, segments, err := list(t.Context(), d.store, prefix)
			must(t, err)
			for _, s := range segments {
				if s.kind == "pack" {
					packs++
					continue
				}
				in, _, err := d.store.Open(t.Context(), s.name)
				must(t, err)
				var head segmentHead
				_, err = open(in, &head)
				must(t, err)
				in.Close()
				logs[head.Salt1] = true
			}
			t.Logf("%d packs, %d single segments of %d logs", packs, len(segments)-packs, len(logs))
			if packs == 0 {
				t.Error("nothing was packed")
			}
			for i, n := range notes {
				got, done := restored(t, d.store, n.at)
				if got != n.hash {
					t.Errorf("note %d: restored to %s (snapshot %s and %d segments): %s, want %s", i, done.At, done.Snapshot, done.Segments, got, n.hash)
				}
			}
			if got, _ := restored(t, d.store, time.Time{}); got != notes[len(notes)-1].hash {
				t.Error("restored to the end: it is not what was there at last")
			}
		})
	}
}

// write makes one random transaction.
func (d *desk) write(r *rand.Rand) {
	d.t.Helper()
	must(d.t, d.db.InTx(context.Background(), func(tx *db.Tx) error {
		for range 1 + r.IntN(5) {
			var err error
			switch r.IntN(6) {
			case 0:
				_, err = tx.Exec(`DELETE FROM word WHERE id % 7 = $1`, r.IntN(7))
			case 1:
				_, err = tx.Exec(`UPDATE word SET text = text || $1 WHERE id % 5 = $2`, "x", r.IntN(5))
			case 2:
				b := make([]byte, r.IntN(200_000))
				for i := range b {
					b[i] = byte(r.Uint32())
				}
				_, err = tx.Exec(`INSERT INTO word (text, bytes) VALUES ('long', $1)`, b)
			default:
				_, err = tx.Exec(`INSERT INTO word (text) VALUES ($1)`, fmt.Sprint(r.Uint64()))
			}
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

// faulty fails, or seems to, as a network does.
type faulty struct {
	blob.Store
	down, lying atomic.Bool
}

func (f *faulty) Put(ctx context.Context, name string, r io.Reader, size int64, mime string) error {
	if f.down.Load() {
		return errors.New("the network is down")
	}
	err := f.Store.Put(ctx, name, r, size, mime)
	if f.lying.Load() {
		return errors.New("the answer was lost")
	}
	return err
}

func TestStoreThatFails(t *testing.T) {
	f := &faulty{}
	d := newDesk(t, func(c *Config) {
		f.Store = c.Store
		c.Store = f
		c.limits = limits{checkpointAt: 100 << 10, restartAt: 400 << 10, restartRest: time.Millisecond, giveUpAt: 8 << 20}
	})
	d.waitSnapshots(1)
	r := rand.New(rand.NewPCG(5, 5))
	for _, trouble := range []*atomic.Bool{&f.down, &f.lying, &f.down} {
		trouble.Store(true)
		for range 20 {
			d.write(r)
		}
		time.Sleep(100 * time.Millisecond)
		trouble.Store(false)
		d.settle()
		d.write(r)
		d.settle()
		got, done := restored(t, d.store, time.Time{})
		if want := fingerprint(t, d.db.Read()); got != want {
			t.Fatalf("%s, want %s (%+v)", got, want, done)
		}
	}
	if n := len(d.waitSnapshots(1)); n != 1 {
		t.Errorf("%d generations: a store that failed for a while began another", n)
	}
	// Away for too long: the log may not fill the disk.
	f.down.Store(true)
	for range 100 {
		d.exec(`INSERT INTO word (text, bytes) VALUES ('long', zeroblob(200000))`)
	}
	time.Sleep(200 * time.Millisecond)
	for range 10 { // with no pin, SQLite begins the log anew
		d.exec(`INSERT INTO word (text) VALUES ('a')`)
	}
	d.exec(`PRAGMA wal_checkpoint(TRUNCATE)`)
	if stat, err := os.Stat(d.db.Name + "-wal"); err != nil || stat.Size() > 8<<20 {
		t.Errorf("the log has %d bytes, %v", stat.Size(), err)
	}
	f.down.Store(false)
	d.waitSnapshots(2)
	d.settle()
	if got, _ := restored(t, d.store, time.Time{}); got != fingerprint(t, d.db.Read()) {
		t.Error("it is not what was there at last")
	}
}

func TestPrune(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.SnapshotEvery, c.PackEvery = 150*time.Millisecond, 200*time.Millisecond })
	r := rand.New(rand.NewPCG(9, 9))
	d.waitSnapshots(1)
	type note struct {
		at   time.Time
		hash string
	}
	var notes []note
	for n := range 16 {
		d.write(r)
		notes = append(notes, note{d.settle(), fingerprint(t, d.db.Read())})
		if n == 8 {
			must(t, d.c.Stop(context.Background()))
			have := len(d.waitSnapshots(0))
			d.start(func(c *Config) { c.SnapshotEvery = 150 * time.Millisecond })
			d.waitSnapshots(have + 1)
		}
	}
	must(t, d.c.Stop(context.Background()))
	count := func() int {
		a, b, err := list(t.Context(), d.store, prefix)
		must(t, err)
		return len(a) + len(b)
	}
	all := count()
	for _, from := range []int{0, 4, 8, 11, 15} {
		must(t, prune(t.Context(), d.store, d.newest(), notes[from].at))
		for _, n := range notes[from:] {
			if got, done := restored(t, d.store, n.at); got != n.hash {
				t.Fatalf("what is younger than note %d cannot be brought back: %s gives %+v", from, n.at, done)
			}
		}
	}
	// How much goes at which note depends on when the snapshots were taken; the
	// generation that was ended at note 8 is gone in any case.
	if left := count(); left >= all {
		t.Errorf("nothing was forgotten: %d of %d are left", left, all)
	}
	_, err := Restore(t.Context(), d.store, notes[0].at, filepath.Join(t.TempDir(), "x"))
	if !fault.Is(err, fault.NotFound) || fault.Hint(err) == "" {
		t.Errorf("before all copies: %v", err)
	}
}

func (d *desk) newest() string {
	snapshots := d.waitSnapshots(1)
	return snapshots[len(snapshots)-1].generation
}

// TestDamage takes one byte, or a whole object, and wants it to be named.
func TestDamage(t *testing.T) {
	d := newDesk(t, nil)
	d.waitSnapshots(1)
	for n := range 5 {
		d.exec(`INSERT INTO word (text) VALUES ($1)`, fmt.Sprint(n))
		d.settle()
	}
	must(t, d.c.Stop(context.Background()))
	snapshots, segments, err := list(t.Context(), d.store, prefix)
	must(t, err)
	want, all := restored(t, d.store, time.Time{})
	if len(segments) < 5 {
		t.Fatalf("%d segments", len(segments))
	}
	path := func(o object) string { return filepath.Join(d.dir, "copies", o.name) }
	for what, o := range map[string]object{"snapshot": snapshots[0], "segment": segments[len(segments)-3]} {
		content, err := os.ReadFile(path(o))
		must(t, err)
		for at := range content {
			if at%7 != 0 && at < len(content)-40 && at > 80 {
				continue
			}
			changed := append([]byte(nil), content...)
			changed[at] ^= 0x10
			must(t, os.WriteFile(path(o), changed, 0o600))
			file := filepath.Join(t.TempDir(), "x.db")
			_, err = Restore(t.Context(), d.store, time.Time{}, file)
			if err == nil { // Zstandard does not use every bit
				if got, _ := restored(t, d.store, time.Time{}); got != want {
					t.Fatalf("%s with byte %d of %d changed was restored to something else", what, at, len(content))
				}
				continue
			}
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), o.name) || fault.Hint(err) == "" {
				t.Fatalf("%s with byte %d of %d changed: %v", what, at, len(content), err)
			}
			if _, err := os.Stat(file); err == nil {
				t.Fatal("half a database was left")
			}
		}
		must(t, os.WriteFile(path(o), content[:len(content)/2], 0o600))
		if _, err = Restore(t.Context(), d.store, time.Time{}, filepath.Join(t.TempDir(), "x.db")); !fault.Is(err, fault.Invalid) {
			t.Errorf("half a %s: %v", what, err)
		}
		must(t, os.WriteFile(path(o), content, 0o600))
	}
	lost := segments[len(segments)-2]
	must(t, os.Rename(path(lost), path(lost)+".away"))
	_, err = Restore(t.Context(), d.store, time.Time{}, filepath.Join(t.TempDir(), "x.db"))
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("segment %d is missing", lost.first)) {
		t.Errorf("a missing segment: %v", err)
	}
	// The hint names a time that can be brought back.
	_, stamp, _ := strings.Cut(fault.Hint(err), "before it is ")
	at, err := time.Parse(time.RFC3339Nano, stamp)
	must(t, err)
	if _, done := restored(t, d.store, at); !done.At.Equal(at) || done.Segments != all.Segments-2 {
		t.Errorf("%+v, want %s and %d", done, at, all.Segments-2)
	}
	must(t, os.Rename(path(lost)+".away", path(lost)))
	if got, _ := restored(t, d.store, time.Time{}); got != want {
		t.Error("it is not what it was")
	}
	if any, err := Any(t.Context(), d.store); err != nil || !any {
		t.Errorf("Any: %t, %v", any, err)
	}
	if _, err := Restore(t.Context(), d.store, time.Time{}, d.db.Name); !errors.Is(err, os.ErrExist) {
		t.Errorf("over a database that is there: %v", err)
	}
}
