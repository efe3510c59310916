package job_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/job"
)

// task is what the tests' jobs are told.
type task struct {
	N    int    `json:"n"`
	Note string `json:"note,omitempty"`
}

func (task) Kind() string { return "task" }

// tick is a periodic job's.
type tick struct{}

func (tick) Kind() string { return "tick" }

// crashEnv names the database in which the test program, started by itself,
// works until it is killed.
const crashEnv = "MASTHEAD_JOB_TEST_CRASH"

func TestMain(m *testing.M) {
	if name := os.Getenv(crashEnv); name != "" {
		if err := workAndHang(name); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func workAndHang(name string) error {
	ctx := context.Background()
	d, err := db.Open(ctx, name)
	if err != nil {
		return err
	}
	q, err := job.New(d, job.Config{})
	if err != nil {
		return err
	}
	job.Register(q, func(context.Context, task) error {
		fmt.Println("running")
		select {}
	})
	if err := q.Start(ctx); err != nil {
		return err
	}
	time.Sleep(time.Minute)
	return errors.New("nobody killed the test's helper")
}

func newQueue(t testing.TB, d *db.DB, config job.Config) *job.Queue {
	t.Helper()
	if err := job.Migrate(context.Background(), d); err != nil {
		t.Fatal(err)
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	q, err := job.New(d, config)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func start(t testing.TB, q *job.Queue) {
	t.Helper()
	if err := q.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, q) })
}

func stop(t testing.TB, q *job.Queue) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := q.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func insert(t testing.TB, d *db.DB, q *job.Queue, o job.Opts, tasks ...task) {
	t.Helper()
	err := d.InTx(context.Background(), func(tx *db.Tx) error {
		for _, one := range tasks {
			if err := q.Insert(context.Background(), tx, one, o); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// ran collects what jobs ran.
type ran struct {
	mu  sync.Mutex
	all []int
}

func (r *ran) work(_ context.Context, one task) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, one.N)
	return nil
}

func (r *ran) get() []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(slices.Values(r.all))
}

// eventually waits for ok.
func eventually(t testing.TB, within time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, within)
		}
	}
}

func counts(t testing.TB, q *job.Queue) map[string]int {
	t.Helper()
	c, err := q.Counts(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCommitAndRollback(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		q := newQueue(t, d, job.Config{})
		var r ran
		job.Register(q, r.work)
		start(t, q)
		ctx := context.Background()
		no := errors.New("no")
		err := d.InTx(ctx, func(tx *db.Tx) error {
			if err := q.Insert(ctx, tx, task{N: 1}, job.Opts{}); err != nil {
				t.Error(err)
			}
			if err := q.Insert(ctx, tx, task{N: 2}, job.Opts{UniqueKey: "x"}); err != nil {
				t.Error(err)
			}
			return no
		})
		if !errors.Is(err, no) {
			t.Fatal(err)
		}
		begun := time.Now()
		insert(t, d, q, job.Opts{}, task{N: 3}, task{N: 4, Note: "שלום"})
		eventually(t, 20*time.Second, "two jobs", func() bool { return len(r.get()) >= 2 })
		t.Logf("the jobs had run %v after the commit", time.Since(begun).Round(time.Millisecond))
		time.Sleep(300 * time.Millisecond)
		if got := r.get(); !slices.Equal(got, []int{3, 4}) {
			t.Errorf("ran %v", got)
		}
		eventually(t, 20*time.Second, "completed", func() bool { return counts(t, q)["completed"] == 2 })

		// Work that is registered nowhere, or goes where nobody works, is a mistake that shows at once.
		err = d.InTx(ctx, func(tx *db.Tx) error { return q.Insert(ctx, tx, tick{}, job.Opts{}) })
		if err == nil {
			t.Error("a kind that nobody registered was taken")
		}
		err = d.InTx(ctx, func(tx *db.Tx) error { return q.Insert(ctx, tx, task{}, job.Opts{Queue: "nowhere"}) })
		if err == nil {
			t.Error("a queue that nobody works on was taken")
		}
	})
}

// A failed insert inside a transaction that goes on leaves it usable, and what
// the caller wrote beside the job is committed with it.
func TestInsideTheTransaction(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		q := newQueue(t, d, job.Config{})
		var r ran
		job.Register(q, r.work)
		ctx := context.Background()
		err := d.InTx(ctx, func(tx *db.Tx) error {
			if _, err := tx.ExecContext(ctx, "CREATE TABLE beside (n INTEGER)"); err != nil {
				return err
			}
			for n := range 3 {
				if err := q.Insert(ctx, tx, task{N: n}, job.Opts{UniqueKey: "same"}); err != nil {
					return err
				}
				if _, err := tx.ExecContext(ctx, "INSERT INTO beside VALUES ($1)", n); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var n int
		if err := d.Read().QueryRow("SELECT COUNT(*) FROM beside").Scan(&n); err != nil || n != 3 {
			t.Errorf("%d rows, %v", n, err)
		}
		if c := counts(t, q); c["available"] != 1 {
			t.Errorf("counts %v", c)
		}
	})
}

func TestRetry(t *testing.T) {
	t.Parallel() // it mostly waits
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		var waits []int
		var mu sync.Mutex
		q := newQueue(t, d, job.Config{Backoff: func(n int) time.Duration {
			mu.Lock()
			defer mu.Unlock()
			waits = append(waits, n)
			return 50 * time.Millisecond
		}})
		var tries, final, panics, lost atomic.Int32
		job.Register(q, func(_ context.Context, one task) error {
			switch one.N {
			case 1: // succeeds at the third try
				if tries.Add(1) < 3 {
					return errors.New("not yet")
				}
			case 2: // cannot be mended
				final.Add(1)
				return job.Final(errors.New("no such address"))
			case 3: // panics once
				if panics.Add(1) == 1 {
					panic("oops")
				}
			case 4: // never succeeds
				lost.Add(1)
				return errors.New("never")
			}
			return nil
		})
		start(t, q)
		insert(t, d, q, job.Opts{MaxAttempts: 3}, task{N: 1}, task{N: 2}, task{N: 3}, task{N: 4})
		eventually(t, 30*time.Second, "all ended", func() bool {
			c := counts(t, q)
			return c["completed"] == 2 && c["cancelled"] == 1 && c["discarded"] == 1
		})
		if tries.Load() != 3 || final.Load() != 1 || panics.Load() != 2 || lost.Load() != 3 {
			t.Errorf("tried %d, %d, %d and %d times", tries.Load(), final.Load(), panics.Load(), lost.Load())
		}
		mu.Lock()
		defer mu.Unlock()
		slices.Sort(waits)
		if waits = slices.Compact(waits); waits[0] != 1 || waits[1] != 2 {
			t.Errorf("waits for attempts %v", waits)
		}
	})
}

func TestScheduled(t *testing.T) {
	t.Parallel() // it mostly waits
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		q := newQueue(t, d, job.Config{})
		done := make(chan time.Time, 3)
		job.Register(q, func(_ context.Context, one task) error {
			done <- time.Now()
			return nil
		})
		at := time.Now().Add(1500 * time.Millisecond)
		insert(t, d, q, job.Opts{At: at}, task{N: 1})
		insert(t, d, q, job.Opts{At: time.Now().Add(time.Hour)}, task{N: 2})
		if c := counts(t, q); c["scheduled"] != 2 {
			t.Errorf("counts %v", c)
		}
		start(t, q)
		select {
		case ran := <-done:
			if ran.Before(at) {
				t.Errorf("ran %v early", at.Sub(ran))
			}
			t.Logf("ran %v after its time", ran.Sub(at).Round(time.Millisecond))
		case <-time.After(20 * time.Second):
			t.Fatal("did not run")
		}
		if c := counts(t, q); c["scheduled"] != 1 {
			t.Errorf("counts %v", c)
		}
	})
}

func TestUnique(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		q := newQueue(t, d, job.Config{})
		var r ran
		job.Register(q, r.work)
		insert(t, d, q, job.Opts{UniqueKey: "a"}, task{N: 1}, task{N: 2})
		insert(t, d, q, job.Opts{UniqueKey: "a"}, task{N: 3})
		insert(t, d, q, job.Opts{UniqueKey: "b"}, task{N: 4})
		insert(t, d, q, job.Opts{}, task{N: 5}, task{N: 5})
		start(t, q)
		eventually(t, 20*time.Second, "done", func() bool { return counts(t, q)["completed"] == 4 })
		if got := r.get(); !slices.Equal(got, []int{1, 4, 5, 5}) {
			t.Errorf("ran %v", got)
		}
		insert(t, d, q, job.Opts{UniqueKey: "a"}, task{N: 6}) // the first is done: there is room again
		eventually(t, 20*time.Second, "done", func() bool { return counts(t, q)["completed"] == 5 })
		if got := r.get(); !slices.Contains(got, 6) {
			t.Errorf("ran %v", got)
		}
	})
}

func TestEvery(t *testing.T) {
	t.Parallel() // it mostly waits
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		var n atomic.Int32
		queue := func() *job.Queue {
			q := newQueue(t, d, job.Config{})
			job.Register(q, func(context.Context, tick) error { n.Add(1); return nil })
			if err := q.Every(tick{}, 24*time.Hour); err != nil {
				t.Fatal(err)
			}
			for _, d := range []time.Duration{0, time.Millisecond, 25 * time.Hour, 1500 * time.Millisecond} {
				if err := q.Every(tick{}, d); err == nil {
					t.Errorf("every %v was taken", d)
				}
			}
			return q
		}
		q := queue()
		start(t, q)
		eventually(t, 15*time.Second, "first turn", func() bool { return n.Load() == 1 })
		eventually(t, 20*time.Second, "completed", func() bool { return counts(t, q)["completed"] == 1 })
		stop(t, q)
		start(t, queue()) // the turn has been taken
		time.Sleep(2 * time.Second)
		if n.Load() != 1 {
			t.Errorf("ran %d times", n.Load())
		}
	})
}

// A job that runs when the node is told to stop is waited for; one that will
// not end is cancelled when time is up, and runs again afterwards.
func TestStop(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		q := newQueue(t, d, job.Config{})
		begun := make(chan int, 2)
		var ended atomic.Int32
		job.Register(q, func(ctx context.Context, one task) error {
			begun <- one.N
			if one.N == 1 {
				time.Sleep(300 * time.Millisecond)
				ended.Add(1)
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		})
		start(t, q)
		insert(t, d, q, job.Opts{}, task{N: 1})
		<-begun
		stop(t, q)
		if c := counts(t, q); ended.Load() != 1 || c["completed"] != 1 {
			t.Errorf("ended %d, counts %v", ended.Load(), c)
		}
		start(t, q)
		insert(t, d, q, job.Opts{}, task{N: 2})
		<-begun
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		defer cancel()
		if err := q.Stop(ctx); err != nil {
			t.Error(err)
		}
		if c := counts(t, q); c["running"] != 0 || c["completed"] != 1 {
			t.Errorf("counts %v", c)
		}
	})
}

// What a killed program was doing is done by the next.
func TestCrash(t *testing.T) {
	t.Parallel() // it mostly waits
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		q := newQueue(t, d, job.Config{Backoff: func(int) time.Duration { return 0 }})
		var r ran
		job.Register(q, r.work)
		insert(t, d, q, job.Opts{}, task{N: 7})
		name := d.Name
		if d.Dialect == db.PostgreSQL {
			name = d.URL()
		}
		helper := exec.Command(os.Args[0])
		helper.Env = append(os.Environ(), crashEnv+"="+name)
		helper.Stderr = os.Stderr
		out, err := helper.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := helper.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err := helper.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		helper.Wait()
		if err != nil || strings.TrimSpace(line) != "running" {
			t.Fatalf("the helper said %q, %v", line, err)
		}
		if c := counts(t, q); c["running"] != 1 {
			t.Fatalf("counts %v", c)
		}
		if d.Dialect == db.PostgreSQL { // where another node might still be at it, it is given time
			if _, err := d.Write().Exec("UPDATE river_job SET attempted_at = attempted_at - INTERVAL '12 minutes'"); err != nil {
				t.Fatal(err)
			}
		}
		start(t, q)
		eventually(t, 45*time.Second, "done by the next", func() bool { return slices.Equal(r.get(), []int{7}) })
	})
}

// Two nodes on PostgreSQL share the work, and no job runs twice.
func TestTwoNodes(t *testing.T) {
	d := dbtest.Postgres(t)
	another, err := db.Open(context.Background(), d.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { another.Close() })
	var group sync.WaitGroup
	for _, one := range []*db.DB{d, another} { // both come up at once
		group.Go(func() {
			if err := job.Migrate(context.Background(), one); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	var a, b ran
	qa, qb := newQueue(t, d, job.Config{}), newQueue(t, another, job.Config{})
	slow := func(r *ran) func(context.Context, task) error {
		return func(ctx context.Context, one task) error {
			time.Sleep(time.Millisecond)
			return r.work(ctx, one)
		}
	}
	job.Register(qa, slow(&a))
	job.Register(qb, slow(&b))
	start(t, qa)
	start(t, qb)
	const jobs = 500
	for n := range jobs {
		insert(t, d, qa, job.Opts{}, task{N: n})
	}
	eventually(t, 30*time.Second, "all done", func() bool { return len(a.get())+len(b.get()) >= jobs })
	time.Sleep(200 * time.Millisecond)
	all := slices.Sorted(slices.Values(append(a.get(), b.get()...)))
	if len(all) != jobs || len(slices.Compact(all)) != jobs {
		t.Errorf("%d runs of %d jobs", len(all), jobs)
	}
	if len(a.get()) == 0 || len(b.get()) == 0 {
		t.Errorf("one node did all: %d, %d", len(a.get()), len(b.get()))
	}
}

// Other writers hardly notice a queue that has nothing to do.
func TestIdleDoesNotDisturb(t *testing.T) {
	d := dbtest.SQLite(t)
	if _, err := d.Write().Exec("CREATE TABLE other (n INTEGER)"); err != nil {
		t.Fatal(err)
	}
	write := func() (slowest time.Duration) {
		for n := range 300 {
			begun := time.Now()
			err := d.InTx(context.Background(), func(tx *db.Tx) error {
				_, err := tx.Exec("INSERT INTO other VALUES ($1)", n)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			slowest = max(slowest, time.Since(begun))
		}
		return slowest
	}
	q := newQueue(t, d, job.Config{})
	job.Register(q, func(context.Context, task) error { return nil })
	begun := time.Now()
	alone := write()
	middle := time.Now()
	start(t, q)
	with := write()
	t.Logf("300 writes alone %v (slowest %v), beside an idle queue %v (slowest %v)", middle.Sub(begun), alone, time.Since(middle), with)
	if with > 500*time.Millisecond+alone {
		t.Errorf("a writer waited %v", with)
	}
}

// BenchmarkJobs tells how many jobs that do nothing are inserted and done a second.
func BenchmarkJobs(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *db.DB{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		b.Run(name, func(b *testing.B) {
			d := open(b)
			q := newQueue(b, d, job.Config{Queues: map[string]int{job.Default: 100}})
			var n atomic.Int64
			job.Register(q, func(context.Context, task) error { n.Add(1); return nil })
			const jobs = 5000
			many := make([]job.Args, jobs)
			for i := range many {
				many[i] = task{N: i}
			}
			begun := time.Now()
			err := d.InTx(context.Background(), func(tx *db.Tx) error { return q.InsertMany(context.Background(), tx, many, job.Opts{}) })
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(jobs/time.Since(begun).Seconds(), "inserted/s")
			begun = time.Now()
			start(b, q)
			eventually(b, time.Minute, "done", func() bool { return n.Load() == jobs })
			b.ReportMetric(jobs/time.Since(begun).Seconds(), "done/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}
