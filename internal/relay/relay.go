package relay

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"masthead/internal/db"
)

// Limit is how old a node's knowledge gets while all is well, with a margin:
// beyond it, [Relay.Stale] tells that the database is away.
const Limit = 2 * time.Second

const (
	pollSQLite   = 200 * time.Millisecond
	pollPostgres = time.Second
	// A connection that does not answer in patience is given up; with the poll
	// before it and a new connection after it, that stays below Limit.
	patience = 500 * time.Millisecond
	// A new connection is given more time, or a slow database would never be heard.
	connecting = 5 * time.Second
	// The wait before a connection is tried again doubles from retry to retryMost.
	retry     = 50 * time.Millisecond
	retryMost = time.Second
	// channel is what the trigger in the migration notifies.
	channel = "masthead_change"
)

// Relay hears what was told and passes it on.
type Relay struct {
	// Now is the clock.
	Now func() time.Time

	db  *db.DB
	log *slog.Logger

	heard atomic.Pointer[time.Time] // everything committed before it was passed on; nil before the start

	mu       sync.Mutex // one look at a time
	on       []func(tags []string)
	position sql.NullString // what was committed by then was passed on; NULL before the start and after the end

	cancel context.CancelFunc // while it runs
	done   chan struct{}
}

// New gives a relay for the changes in d. It hears nothing before [Relay.Start].
func New(d *db.DB, log *slog.Logger) *Relay {
	return &Relay{Now: time.Now, db: d, log: log}
}

// On lets fn be called after every change that was committed from [Relay.Start]
// on, with its tags, one after another in the order of telling; several
// functions are called in the order of their registration. A change may be heard
// twice, so fn drops what it has and does not count. fn is quick, for everybody
// waits for it, and must not call the relay.
func (r *Relay) On(fn func(tags []string)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.on = append(r.on, fn)
}

// Start begins to hear, and returns; whatever is committed from then on is heard.
// It ends with [Relay.Stop], not with ctx.
func (r *Relay) Start(ctx context.Context) error {
	if r.cancel != nil {
		return errors.New("relay.Start: it has been started")
	}
	if err := r.look(ctx, connecting, r.db.Read(), true); err != nil {
		return fmt.Errorf("relay.Start: %w", err)
	}
	ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	r.done = make(chan struct{})
	hear := r.poll
	if r.db.Dialect == db.PostgreSQL {
		hear = r.listen
	}
	go func() {
		defer close(r.done)
		r.run(ctx, hear)
	}()
	return nil
}

// Stop ends hearing and waits until nothing is passed on any more.
func (r *Relay) Stop() {
	if r.cancel == nil {
		return
	}
	r.cancel()
	<-r.done
	r.cancel = nil
	r.mu.Lock()
	defer r.mu.Unlock()
	r.position = sql.NullString{}
}

// Committed passes on what has been committed by now, before it returns: whoever
// has just committed a change calls it, and this node's next page is fresh. When
// the database does not answer at once, the change is heard a little later, like
// those of other nodes.
func (r *Relay) Committed(ctx context.Context) {
	// The change is a fact, also when its request has been given up.
	if err := r.look(context.WithoutCancel(ctx), patience, r.db.Read(), false); err != nil {
		r.log.Warn("a change was not heard at once", "error", err)
	}
}

// Stale tells how old this node's knowledge is: everything that was committed
// longer ago has been passed on. It stays below a second and a little while all
// is well, and grows beyond [Limit] while the database is away. Before the start
// it is as large as can be. It costs no more than reading the clock.
func (r *Relay) Stale() time.Duration {
	heard := r.heard.Load()
	if heard == nil {
		return math.MaxInt64
	}
	return r.age(*heard)
}

// age gives the time since t by the clock that says more: the monotonic one
// stands still while a machine sleeps, the other may be set back.
func (r *Relay) age(t time.Time) time.Duration {
	now := r.Now()
	return max(now.Sub(t), now.Round(0).Sub(t.Round(0)), 0)
}

// look passes on what was committed since the last look; the database is to
// answer within limit. The first look, and it alone, only notes where to begin.
func (r *Relay) look(ctx context.Context, limit time.Duration, q db.Queryer, first bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if first == r.position.Valid {
		return nil // not started, or ended
	}
	began := r.Now()
	next, lost, changes, err := r.changes(ctx, q, r.position)
	if err != nil {
		return err
	}
	switch {
	case lost:
		r.log.Warn("the database was started anew; everything counts as changed")
		changes = [][]string{{All}}
	case !first && r.age(*r.heard.Load()) > kept/2:
		r.log.Warn("this node heard nothing for too long; everything counts as changed", "since", *r.heard.Load())
		changes = [][]string{{All}}
	}
	for _, tags := range changes {
		for _, fn := range r.on {
			fn(tags)
		}
	}
	r.position = next
	r.heard.Store(&began)
	return nil
}

// run hears until ctx ends. What fails is tried again, more and more slowly;
// hear calls well when it works.
func (r *Relay) run(ctx context.Context, hear func(ctx context.Context, well func()) error) {
	wait, failing := retry, false
	for {
		err := hear(ctx, func() {
			if wait = retry; failing {
				r.log.Info("changes are heard again")
				failing = false
			}
		})
		if ctx.Err() != nil {
			return
		}
		if !failing {
			r.log.Warn("changes are not heard; trying again", "error", err)
			failing = true
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait/2 + rand.N(wait/2)): // the nodes do not come back all at once
		}
		wait = min(2*wait, retryMost)
	}
}

// poll looks at an SQLite file until something fails.
func (r *Relay) poll(ctx context.Context, well func()) error {
	tick := time.NewTicker(pollSQLite)
	defer tick.Stop()
	for {
		if err := r.look(ctx, connecting, r.db.Read(), false); err != nil {
			return err
		}
		well()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// listen hears PostgreSQL on a connection of its own until something fails.
func (r *Relay) listen(ctx context.Context, well func()) error {
	config, err := pgx.ParseConfig(r.db.URL())
	if err != nil {
		return err
	}
	config.RuntimeParams["application_name"] = "masthead relay"
	pool := stdlib.OpenDB(*config)
	defer pool.Close()
	conn, err := r.connect(ctx, pool)
	if err != nil {
		return err
	}
	defer conn.Close()
	// Listening first and looking then leaves no gap.
	if err := r.look(ctx, connecting, conn, false); err != nil {
		return err
	}
	for {
		well()
		if err := await(ctx, conn); err != nil {
			return err
		}
		if err := r.look(ctx, patience, conn, false); err != nil {
			return err
		}
	}
}

func (r *Relay) connect(ctx context.Context, pool *sql.DB) (*sql.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connecting)
	defer cancel()
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.ExecContext(ctx, "LISTEN "+channel); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// await waits for a notification, or for the time to look anyway.
func await(ctx context.Context, conn *sql.Conn) error {
	poll, cancel := context.WithTimeout(ctx, pollPostgres)
	defer cancel()
	return conn.Raw(func(driver any) error {
		c := driver.(*stdlib.Conn).Conn()
		if _, err := c.WaitForNotification(poll); err != nil {
			if poll.Err() != nil && !c.IsClosed() {
				return ctx.Err() // nil: nothing was told
			}
			return err
		}
		// Notifications that came together need one look.
		cancel()
		for {
			if _, err := c.WaitForNotification(poll); err != nil {
				return ctx.Err()
			}
		}
	})
}
