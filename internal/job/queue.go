package job

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"

	"masthead/internal/db"
)

// Args is what a job is told, kept as JSON: an object of what its worker needs,
// mostly IDs. Kind names the worker; it stays the same for as long as jobs of
// the kind may be waiting.
type Args interface{ Kind() string }

// Opts tells when and how often a job is tried. The zero Opts runs it at once.
type Opts struct {
	// At is when it is run at the earliest.
	At time.Time
	// UniqueKey leaves the job out when one of its kind with the same key is
	// waiting, running or about to be tried again.
	UniqueKey string
	// Queue names one of Config.Queues; "" is [Default].
	Queue string
	// MaxAttempts is how often it is tried before it is given up; 0 is 25 times,
	// which takes three weeks.
	MaxAttempts int
}

// Default is the queue of jobs that name none.
const Default = river.QueueDefault

// Config tells how a node works.
type Config struct {
	Logger *slog.Logger
	// Queues tells by queue how many of its jobs a node runs at once; nil gives
	// eight of Default.
	Queues map[string]int
	// Timeout is how long a job may run; 0 is ten minutes.
	Timeout time.Duration
	// Backoff gives the wait after attempt n = 1, 2, … failed; nil gives n⁴
	// seconds, and a tenth more or less.
	Backoff func(n int) time.Duration
}

// Queue inserts jobs and runs them.
type Queue struct {
	db       *db.DB
	config   Config
	workers  *river.Workers
	kinds    map[string]bool
	periodic []*river.PeriodicJob

	insert func(ctx context.Context, tx *db.Tx, jobs []river.InsertManyParams) error
	node   node          // while it runs
	pool   *pgxpool.Pool // while it runs, on PostgreSQL
}

// node is a started River client of either database.
type node interface {
	Start(context.Context) error
	Stop(context.Context) error
	StopAndCancel(context.Context) error
}

// How often a node asks for work. PostgreSQL tells of new jobs, so asking is
// for what was not told: River tells of a queue once in announce at the most,
// also when the transaction that told of it is rolled back. SQLite is asked,
// over its one writing connection: a statement of a fifth of a millisecond
// that finds nothing and writes nothing.
const (
	pollPostgres = time.Second
	pollSQLite   = 200 * time.Millisecond
	cooldown     = 5 * time.Millisecond
	announce     = time.Millisecond
)

// New gives a queue in d, whose tables [Migrate] made. It runs nothing before [Queue.Start].
func New(d *db.DB, config Config) (*Queue, error) {
	config.Logger = cmp.Or(config.Logger, slog.Default())
	config.Timeout = cmp.Or(config.Timeout, 10*time.Minute)
	if config.Queues == nil {
		config.Queues = map[string]int{Default: 8}
	}
	q := &Queue{db: d, config: config, workers: river.NewWorkers(), kinds: map[string]bool{}}
	insertOnly := &river.Config{Logger: config.Logger, FetchCooldown: announce}
	if d.Dialect == db.PostgreSQL {
		client, err := river.NewClient(riverpgxv5.New(nil), insertOnly)
		if err != nil {
			return nil, fmt.Errorf("job.New: %w", err)
		}
		q.insert = func(ctx context.Context, tx *db.Tx, jobs []river.InsertManyParams) error {
			_, err := client.InsertManyTx(ctx, &pgxTx{conn: tx.PGX()}, jobs)
			return err
		}
		return q, nil
	}
	client, err := river.NewClient(riversqlite.New(d.Write()), insertOnly)
	if err != nil {
		return nil, fmt.Errorf("job.New: %w", err)
	}
	q.insert = func(ctx context.Context, tx *db.Tx, jobs []river.InsertManyParams) error {
		_, err := client.InsertManyTx(ctx, tx.Tx, jobs)
		return err
	}
	return q, nil
}

// Register says how jobs of kind T are done. It is called before [Queue.Start],
// once for each kind; a second time panics. An error of work lets the job be
// tried again, unless it is [Final].
func Register[T Args](q *Queue, work func(ctx context.Context, args T) error) {
	var zero T
	river.AddWorker(q.workers, river.WorkFunc(func(ctx context.Context, j *river.Job[T]) error {
		return work(ctx, j.Args)
	}))
	q.kinds[zero.Kind()] = true
}

// Final marks an error that trying again cannot mend: the job is given up at once.
func Final(err error) error { return river.JobCancel(err) }

// Every inserts args whenever d has passed, counted from midnight UTC of the
// year 1, on one of all nodes; and at start when the current turn has none yet.
// d is whole seconds, at most 24 hours: what is rarer runs daily and looks at
// the calendar. It is called before [Queue.Start].
func (q *Queue) Every(args Args, d time.Duration) error {
	if d < time.Second || d > 24*time.Hour || d%time.Second != 0 {
		return fmt.Errorf("job.Every(%s): %v is not whole seconds up to 24 hours", args.Kind(), d)
	}
	if !q.kinds[args.Kind()] {
		return fmt.Errorf("job.Every(%s): no such kind is registered", args.Kind())
	}
	q.periodic = append(q.periodic, river.NewPeriodicJob(turns(d), func() (river.JobArgs, *river.InsertOpts) {
		// Jobs that were done are kept for a day, so that a turn is never taken twice.
		return args, &river.InsertOpts{MaxAttempts: 3, UniqueOpts: river.UniqueOpts{ByArgs: true, ByPeriod: d}}
	}, &river.PeriodicJobOpts{RunOnStart: true}))
	return nil
}

// turns is a schedule whose turns begin at the multiples of a duration.
type turns time.Duration

func (d turns) Next(now time.Time) time.Time {
	return now.Truncate(time.Duration(d)).Add(time.Duration(d))
}

// Insert adds a job in tx.
func (q *Queue) Insert(ctx context.Context, tx *db.Tx, args Args, o Opts) error {
	return q.InsertMany(ctx, tx, []Args{args}, o)
}

// InsertMany adds jobs in tx, all with the same options. It is faster than one
// by one; some thousands at a time are good.
func (q *Queue) InsertMany(ctx context.Context, tx *db.Tx, many []Args, o Opts) error {
	if len(many) == 0 {
		return nil
	}
	if o.Queue != "" && q.config.Queues[o.Queue] == 0 {
		return fmt.Errorf("job.Insert: nobody works on the queue %q", o.Queue)
	}
	jobs := make([]river.InsertManyParams, len(many))
	for i, args := range many {
		if !q.kinds[args.Kind()] {
			return fmt.Errorf("job.Insert(%s): no such kind is registered", args.Kind())
		}
		insert := &river.InsertOpts{ScheduledAt: o.At, Queue: o.Queue, MaxAttempts: o.MaxAttempts}
		if o.UniqueKey != "" {
			args = keyed{args, o.UniqueKey}
			insert.UniqueOpts = river.UniqueOpts{ByArgs: true, ByState: waiting}
		}
		jobs[i] = river.InsertManyParams{Args: args, InsertOpts: insert}
	}
	if err := q.insert(ctx, tx, jobs); err != nil {
		return fmt.Errorf("job.Insert(%s): %w", many[0].Kind(), err)
	}
	return nil
}

// waiting are the states of a job that is not done yet.
var waiting = []rivertype.JobState{rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning,
	rivertype.JobStateRetryable, rivertype.JobStateScheduled}

// keyed are args with the key that makes them unique, which River wants to find among them.
type keyed struct {
	Args      `json:"-"`
	UniqueKey string `json:"unique_key" river:"unique"`
}

// MarshalJSON gives the object of the args with the key added.
func (k keyed) MarshalJSON() ([]byte, error) {
	b, err := json.Marshal(k.Args)
	if err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(b, &fields); err != nil {
		return nil, fmt.Errorf("job's arguments must be an object: %w", err)
	}
	if fields["unique_key"], err = json.Marshal(k.UniqueKey); err != nil {
		return nil, err
	}
	return json.Marshal(fields)
}

// Start begins to run jobs, and returns. It ends with [Queue.Stop], not with ctx.
func (q *Queue) Start(ctx context.Context) error {
	if q.node != nil {
		return errors.New("job.Start: it has been started")
	}
	if err := q.start(context.WithoutCancel(ctx)); err != nil {
		if q.pool != nil {
			q.pool.Close()
		}
		q.node, q.pool = nil, nil
		return fmt.Errorf("job.Start: %w", err)
	}
	return nil
}

func (q *Queue) start(ctx context.Context) error {
	config := &river.Config{
		Logger:        q.config.Logger,
		Workers:       q.workers,
		PeriodicJobs:  q.periodic,
		Queues:        map[string]river.QueueConfig{},
		JobTimeout:    q.config.Timeout,
		FetchCooldown: cooldown,
		// A node that died leaves its jobs running, as it seems; nothing runs longer than this.
		RescueStuckJobsAfter: q.config.Timeout + time.Minute,
		FetchPollInterval:    pollPostgres,
	}
	for name, n := range q.config.Queues {
		config.Queues[name] = river.QueueConfig{MaxWorkers: n}
	}
	if q.config.Backoff != nil {
		config.RetryPolicy = backoff(q.config.Backoff)
	}
	if q.db.Dialect == db.SQLite {
		config.PollOnly, config.FetchPollInterval = true, pollSQLite
		client, err := river.NewClient(riversqlite.New(q.db.Write()), config)
		if err != nil {
			return err
		}
		if err := q.recoverSQLite(ctx); err != nil {
			return err
		}
		q.node = client
		return client.Start(ctx)
	}
	poolConfig, err := pgxpool.ParseConfig(q.db.URL())
	if err != nil {
		return err
	}
	poolConfig.MaxConns = 6 // one listens
	if q.pool, err = pgxpool.NewWithConfig(ctx, poolConfig); err != nil {
		return err
	}
	client, err := river.NewClient(riverpgxv5.New(q.pool), config)
	if err != nil {
		return err
	}
	q.node = client
	return client.Start(ctx)
}

// recoverSQLite gives back what a killed program was running: on SQLite one
// program works, and it is just starting.
func (q *Queue) recoverSQLite(ctx context.Context) error {
	_, err := q.db.Write().ExecContext(ctx, `
		UPDATE river_job SET
			state = CASE WHEN attempt < max_attempts THEN 'available' ELSE 'discarded' END,
			finalized_at = CASE WHEN attempt < max_attempts THEN NULL ELSE datetime('now', 'subsec') END
		WHERE state = 'running'`)
	return err
}

type backoff func(n int) time.Duration

// NextRetry implements river.ClientRetryPolicy.
func (b backoff) NextRetry(job *rivertype.JobRow) time.Time {
	return time.Now().UTC().Add(b(len(job.Errors) + 1))
}

// Stop takes no new jobs and waits for those that run. When ctx ends first,
// their contexts are cancelled; they will be tried again by the next start.
func (q *Queue) Stop(ctx context.Context) error {
	if q.node == nil {
		return nil
	}
	err := q.node.Stop(ctx)
	if err != nil && ctx.Err() != nil {
		hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = q.node.StopAndCancel(hard)
	}
	if q.pool != nil {
		q.pool.Close()
	}
	q.node, q.pool = nil, nil
	if err != nil {
		return fmt.Errorf("job.Stop: %w", err)
	}
	return nil
}

// Counts gives the number of jobs by state: available, scheduled, running,
// retryable, completed (kept for a day), cancelled and discarded (given up).
func (q *Queue) Counts(ctx context.Context) (map[string]int, error) {
	type count struct {
		state string
		n     int
	}
	rows, err := q.db.Read().QueryContext(ctx, "SELECT CAST(state AS TEXT), COUNT(*) FROM river_job GROUP BY state")
	counts, err := db.Rows(rows, err, func(s db.Scanner) (c count, err error) { return c, s.Scan(&c.state, &c.n) })
	if err != nil {
		return nil, fmt.Errorf("job.Counts: %w", err)
	}
	all := map[string]int{}
	for _, c := range counts {
		all[c.state] = c.n
	}
	return all, nil
}
