package job

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"masthead/internal/db"
)

// migrateLock is the advisory lock under which one node at a time migrates.
const migrateLock = 0x6d61737468656164 // "masthead"

// Migrate brings the queue's own tables up to date. Several nodes may start it at once.
func Migrate(ctx context.Context, d *db.DB) error {
	migrate := migrateSQLite
	if d.Dialect == db.PostgreSQL {
		migrate = migratePostgres
	}
	if err := migrate(ctx, d); err != nil {
		return fmt.Errorf("job.Migrate(%s): %w", d.Name, err)
	}
	return nil
}

var quiet = &rivermigrate.Config{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}

func migratePostgres(ctx context.Context, d *db.DB) error {
	pool, err := pgxpool.New(ctx, d.URL())
	if err != nil {
		return err
	}
	defer pool.Close()
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release() // which ends the lock too, since the pool is closed next
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(migrateLock)); err != nil {
		return err
	}
	m, err := rivermigrate.New(riverpgxv5.New(pool), quiet)
	if err != nil {
		return err
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

func migrateSQLite(ctx context.Context, d *db.DB) error {
	m, err := rivermigrate.New(riversqlite.New(d.Write()), quiet)
	if err != nil {
		return err
	}
	// SQLite has no lock for this. Of two programs the later may find that a
	// step has been done since it looked; looking again, it finds nothing to do.
	for range 3 {
		if _, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil); err == nil {
			return nil
		}
	}
	return err
}
