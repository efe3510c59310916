package copies

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"modernc.org/sqlite" // registers "sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"masthead/internal/blob"
)

// Config says what to copy, and where to.
type Config struct {
	Path  string     // the SQLite file, which is in WAL mode
	Store blob.Store // where the copies are kept: a place for this database alone
	Log   *slog.Logger
	Now   func() time.Time // time.Now where nil

	Keep          time.Duration // how far back one can go; 7 days where 0
	Every         time.Duration // between two looks at the log; 1 s where 0
	SnapshotEvery time.Duration // 24 h where 0
	PackEvery     time.Duration // 1 h where 0

	limits
}

// limits are the sizes of the log, in bytes, at which something is done about it.
type limits struct {
	checkpointAt int64         // it is moved into the database's file
	restartAt    int64         // writers wait for a moment, so that it can begin anew
	restartRest  time.Duration // the least between two such moments
	giveUpAt     int64         // the copies are given up rather than the disk filled
}

// Copier copies one database while others write to it. One at a time may copy a
// database, and nothing else may be kept in its store.
type Copier struct {
	c      Config
	cancel context.CancelFunc
	ended  chan struct{}
	upTo   atomic.Int64 // microseconds since 1970
}

// Copied tells up to when everything that was committed is copied; the zero Time
// before Start.
func (c *Copier) Copied() time.Time {
	if at := c.upTo.Load(); at > 0 {
		return time.UnixMicro(at).UTC()
	}
	return time.Time{}
}

// New gives a copier that has not started.
func New(c Config) *Copier {
	if c.Now == nil {
		c.Now = time.Now
	}
	for _, d := range []struct {
		field *time.Duration
		or    time.Duration
	}{{&c.Keep, 7 * 24 * time.Hour}, {&c.Every, time.Second}, {&c.SnapshotEvery, 24 * time.Hour}, {&c.PackEvery, time.Hour}} {
		if *d.field == 0 {
			*d.field = d.or
		}
	}
	if c.limits == (limits{}) {
		c.limits = limits{checkpointAt: 4 << 20, restartAt: 32 << 20, restartRest: 10 * time.Second, giveUpAt: 1 << 30}
	}
	return &Copier{c: c, ended: make(chan struct{})}
}

// Start begins a generation and goes on copying in the background until Stop,
// or until ctx ends. When it returns, all that is committed from then on can be
// brought back as soon as the first snapshot is kept. Later faults, such as
// a store that does not answer, are logged, and what was missed is copied when
// they are over.
func (c *Copier) Start(ctx context.Context) error {
	g, err := c.begin(ctx)
	if err != nil {
		return fmt.Errorf("copies.Start(%s): %w", c.c.Path, err)
	}
	ctx, c.cancel = context.WithCancel(ctx)
	go func() {
		defer close(c.ended)
		c.run(ctx, g)
	}()
	return nil
}

// Stop copies what is committed, and ends. ctx bounds how long that may take.
// Call it before the database is closed.
func (c *Copier) Stop(ctx context.Context) error {
	if c.cancel == nil {
		return nil
	}
	c.cancel()
	select {
	case <-c.ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("copies.Stop(%s): %w", c.c.Path, ctx.Err())
	}
}

// lastLook bounds the copying of what is left when the copier ends.
const lastLook = 15 * time.Second

func (c *Copier) run(ctx context.Context, g *generation) {
	tick := time.NewTicker(c.c.Every)
	defer tick.Stop()
	down := false // the last look failed
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLook)
			defer cancel()
			if g != nil {
				g.report(g.look(last), &down)
				g.end()
			}
			return
		case <-tick.C:
		}
		if g == nil {
			var err error
			g, err = c.begin(ctx)
			if (&generation{Config: c.c}).report(err, &down); err != nil {
				continue
			}
		}
		err := g.turn(ctx)
		if ctx.Err() != nil {
			continue
		}
		g.report(err, &down)
		if errors.Is(err, errBroken) {
			g.end()
			g = nil
		}
	}
}

// report logs the first of several faults, and their end.
func (g *generation) report(err error, down *bool) {
	if err != nil && !*down {
		g.Log.Error("the database is not being copied", "error", err)
	} else if err == nil && *down {
		g.Log.Info("the database is being copied again")
	}
	*down = err != nil
}

// errBroken ends a generation: what follows cannot be told to follow.
var errBroken = errors.New("the log does not follow upon what was copied")

// generation is one run of copies.
type generation struct {
	Config
	name string
	upTo *atomic.Int64 // Copier.upTo

	db   *sql.DB
	pin  *sql.Conn // holds the reader that keeps commits from escaping; see the package's words
	idle *sql.Conn // the next pin

	index  int64     // the last segment
	at     time.Time // its time, or that of the last look
	epoch  epoch     // the log that was copied last
	copied int64     // its frames that were
	sum    checksum  // of them
	seen   bool      // there has been a log

	chore     chan error // what is done beside, a snapshot or packing; nil for nothing
	cancel    context.CancelFunc
	nextSnap  time.Time
	nextPack  time.Time
	restarted time.Time // when writers were last made to wait
}

func (c *Copier) begin(ctx context.Context) (_ *generation, err error) {
	g := &generation{Config: c.c, upTo: &c.upTo, name: fmt.Sprintf("g%016d-%s", c.c.Now().UnixMicro(), strings.ToLower(rand.Text()[:6]))}
	dsn := "file:" + (&url.URL{Path: g.Path}).EscapedPath() + "?mode=rw&_pragma=busy_timeout(15000)&_pragma=wal_autocheckpoint(0)&_pragma=cache_size(-256)"
	if g.db, err = sql.Open("sqlite", dsn); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			g.end()
		}
	}()
	if g.pin, err = g.db.Conn(ctx); err != nil {
		return nil, err
	}
	if g.idle, err = g.db.Conn(ctx); err != nil {
		return nil, err
	}
	var mode string
	if err := g.pin.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode); err != nil {
		return nil, err
	}
	if mode != "wal" {
		return nil, fmt.Errorf("its journal is %s, not wal", mode)
	}
	// No pin is held yet: nobody may write until the first look is over.
	unlock, err := g.lock(ctx, 15*time.Second)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := hold(ctx, g.pin); err != nil {
		return nil, err
	}
	if err := g.look(ctx); err != nil {
		return nil, err
	}
	g.nextPack = g.Now().Add(g.PackEvery)
	g.nextSnap = g.Now().Add(min(again, g.SnapshotEvery))
	return g, g.beginSnapshot(ctx)
}

// lock keeps every other writer waiting until the function that it gives is called.
func (g *generation) lock(ctx context.Context, patience time.Duration) (func(), error) {
	conn, err := g.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.ExecContext(ctx, fmt.Sprintf(`PRAGMA busy_timeout = %d`, patience.Milliseconds())); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if _, err := conn.ExecContext(ctx, `BEGIN IMMEDIATE`); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return func() { free(conn); conn.Close() }, nil
}

// hold begins a reader: SQLite takes its lock with the first thing that is read.
func hold(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, `BEGIN`); err != nil {
		return err
	}
	var n int
	if err := conn.QueryRowContext(ctx, `SELECT COUNT(*) FROM sqlite_schema`).Scan(&n); err != nil {
		free(conn)
		return err
	}
	return nil
}

// free ends a reader or lets a lock go, whatever has become of the context.
func free(conn *sql.Conn) { conn.ExecContext(context.Background(), `ROLLBACK`) }

// end lets go of everything.
func (g *generation) end() {
	if g.cancel != nil {
		g.cancel()
		<-g.chore
	}
	for _, conn := range []*sql.Conn{g.pin, g.idle} {
		if conn != nil {
			free(conn)
			conn.Close()
		}
	}
	g.db.Close()
}

// turn is what is done each second.
func (g *generation) turn(ctx context.Context) error {
	if err := g.look(ctx); err != nil {
		if size, _ := g.walSize(); size > g.giveUpAt {
			return fmt.Errorf("%w: the log has grown to %d MB: %w", errBroken, size>>20, err)
		}
		return err
	}
	if err := g.shrink(ctx); err != nil {
		return err
	}
	select {
	case err := <-g.chore:
		g.cancel()
		g.chore, g.cancel = nil, nil
		if err != nil {
			return err
		}
	default:
	}
	now := g.Now()
	switch {
	case g.chore != nil:
	case !now.Before(g.nextSnap):
		g.nextSnap = now.Add(min(again, g.SnapshotEvery)) // unless it is kept
		return g.beginSnapshot(ctx)
	case !now.Before(g.nextPack):
		g.nextPack = now.Add(g.PackEvery)
		last := g.index
		g.beside(ctx, func(ctx context.Context) error { return pack(ctx, g.Store, g.name, last) })
	}
	return nil
}

// again is how soon a snapshot that failed is tried again.
const again = time.Minute

// beside begins a chore while the log goes on being copied.
func (g *generation) beside(ctx context.Context, do func(ctx context.Context) error) {
	ctx, g.cancel = context.WithCancel(ctx)
	done := make(chan error, 1)
	g.chore = done
	go func() { done <- do(ctx) }()
}

// look copies what was committed since the last look, and moves the pin on.
func (g *generation) look(ctx context.Context) error {
	if err := hold(ctx, g.idle); err != nil {
		return err
	}
	if err := g.copy(ctx); err != nil {
		free(g.idle)
		return err
	}
	free(g.pin)
	g.pin, g.idle = g.idle, g.pin
	g.upTo.Store(g.at.UnixMicro())
	return nil
}

// copy keeps the commits that are new in the log as one segment.
func (g *generation) copy(ctx context.Context) error {
	// Between two looks the clock may be set back; the order of times may not.
	at := g.Now().UTC().Truncate(time.Microsecond)
	if !at.After(g.at) {
		at = g.at.Add(time.Microsecond)
	}
	f, err := os.Open(g.Path + "-wal")
	if errors.Is(err, fs.ErrNotExist) {
		g.at = at
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	e, seed, ok, err := readEpoch(f)
	if err != nil {
		return err
	}
	if !ok { // empty, or its header is being written
		g.at = at
		return nil
	}
	after, sum := g.copied, g.sum
	switch {
	case g.seen && e == g.epoch:
		stands, err := e.stands(f, after, sum)
		if err != nil {
			return err
		}
		if !stands {
			return errBroken
		}
	case g.seen && e.Salt1 != g.epoch.Salt1+1:
		return errBroken
	default:
		after, sum = 0, seed
	}
	last, end, err := e.scan(f, after, sum)
	if err != nil {
		return err
	}
	if last == after {
		g.at = at
		return nil
	}
	head := segmentHead{Index: g.index + 1, At: at, From: after + 1, To: last, Sum: sum, epoch: e}
	size := (last - after) * e.frame()
	err = put(ctx, g.Store, segmentName(g.name, head.Index, at), head, size, func(w io.Writer) error {
		n, err := io.Copy(w, io.NewSectionReader(f, e.offset(head.From), size))
		if err == nil && n != size {
			err = io.ErrUnexpectedEOF
		}
		return err
	})
	if err != nil {
		return err
	}
	g.index, g.at, g.epoch, g.copied, g.sum, g.seen = head.Index, at, e, last, end, true
	return nil
}

func (g *generation) walSize() (int64, error) {
	stat, err := os.Stat(g.Path + "-wal")
	if err != nil {
		return 0, err
	}
	return stat.Size(), nil
}

// shrink moves a long log into the database's file, so that SQLite begins it
// anew with the next commit. Where commits come without a pause, none of them
// finds all of it moved: then writers wait for as long as the last of it takes.
func (g *generation) shrink(ctx context.Context) error {
	used := g.copied * g.epoch.frame()
	if used < g.checkpointAt {
		return nil
	}
	if err := g.checkpoint(ctx); err != nil || used < g.restartAt || g.Now().Sub(g.restarted) < g.restartRest {
		return err
	}
	g.restarted = g.Now()
	// Who holds the lock may be waiting for the pin to move on.
	unlock, err := g.lock(ctx, 200*time.Millisecond)
	if busy, ok := errors.AsType[*sqlite.Error](err); ok && busy.Code()&0xff == sqlite3.SQLITE_BUSY {
		return nil
	}
	if err != nil {
		return err
	}
	defer unlock()
	if err := g.look(ctx); err != nil {
		return err
	}
	if err := g.checkpoint(ctx); err != nil {
		return err
	}
	return g.look(ctx) // its pin is one behind which the log may begin anew
}

// checkpoint waits for nobody.
func (g *generation) checkpoint(ctx context.Context) error {
	var busy, log, moved int
	return g.idle.QueryRowContext(ctx, `PRAGMA wal_checkpoint(PASSIVE)`).Scan(&busy, &log, &moved)
}
