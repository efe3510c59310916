package relay_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/relay"
)

func both(b *testing.B, fn func(b *testing.B, d *db.DB)) {
	b.Run("sqlite", func(b *testing.B) { fn(b, dbtest.SQLite(b)) })
	b.Run("postgres", func(b *testing.B) { fn(b, dbtest.Postgres(b)) })
}

// BenchmarkHeard measures from the commit to the moment when another node has passed it on.
func BenchmarkHeard(b *testing.B) {
	both(b, func(b *testing.B, d *db.DB) {
		n := start(b, open(b, d))
		var took []time.Duration
		for i := 0; b.Loop(); i++ {
			time.Sleep(rand.N(200 * time.Millisecond)) // not in step with the node's looks
			tag := fmt.Sprint("story:", i)
			at := tell(b, d, tag)
			took = append(took, max(n.wait(b, tag, relay.Limit).Sub(at), 0))
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-p50")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-p99")
	})
}

// BenchmarkCommitted measures what the teller waits for its own change to be passed on.
func BenchmarkCommitted(b *testing.B) {
	both(b, func(b *testing.B, d *db.DB) {
		n := start(b, d)
		var took time.Duration
		for i := 0; b.Loop(); i++ {
			at := tell(b, d, fmt.Sprint("story:", i))
			n.Committed(b.Context())
			took += time.Since(at)
		}
		b.ReportMetric(float64(took.Microseconds())/float64(b.N), "µs-heard")
	})
}

// BenchmarkIdle lets a node be idle for five seconds: its CPU time, and on
// PostgreSQL the transactions that its server counted.
func BenchmarkIdle(b *testing.B) {
	idle := func(b *testing.B, d *db.DB) {
		n := start(b, open(b, d))
		cpu := func() time.Duration {
			var u syscall.Rusage
			if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
				b.Fatal(err)
			}
			return time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
		transactions := func() (count int) {
			if d.Dialect == db.SQLite {
				return 0
			}
			time.Sleep(1100 * time.Millisecond) // a server counts once a second
			if err := d.Read().QueryRowContext(b.Context(), `SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()`).Scan(&count); err != nil {
				b.Fatal(err)
			}
			return count
		}
		const seconds = 5
		for b.Loop() {
			first, began := transactions(), cpu()
			time.Sleep(seconds * time.Second)
			b.ReportMetric(float64((cpu()-began).Microseconds())/seconds, "CPU-µs/s")
			b.ReportMetric(float64(transactions()-first)/(seconds+1.1), "transactions/s")
		}
		if n.Stale() > relay.Limit {
			b.Errorf("stale for %v", n.Stale())
		}
	}
	b.Run("sqlite", func(b *testing.B) { idle(b, dbtest.SQLite(b)) })
	b.Run("postgres", func(b *testing.B) { _, d := ownServer(b); idle(b, d) })
}
