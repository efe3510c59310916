package db

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// The migrations, forward only. A file that ends in .sqlite.sql or
// .postgres.sql is for that database alone; a released one is never edited.
//
//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the schema up to date. Several nodes may start it at once:
// PostgreSQL takes an advisory lock, SQLite has one writer.
func (d *DB) Migrate(ctx context.Context) error {
	p, err := d.provider()
	if err != nil {
		return fmt.Errorf("db.Migrate(%s): %w", d.Name, err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("db.Migrate(%s): %w", d.Name, err)
	}
	return nil
}

// Version gives the number of the newest migration that was applied, and of the newest there is.
func (d *DB) Version(ctx context.Context) (applied, newest int64, err error) {
	p, err := d.provider()
	if err != nil {
		return 0, 0, fmt.Errorf("db.Version(%s): %w", d.Name, err)
	}
	applied, newest, err = p.GetVersions(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("db.Version(%s): %w", d.Name, err)
	}
	return applied, newest, nil
}

func (d *DB) provider() (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	dialect, other := goose.DialectSQLite3, "."+string(PostgreSQL)+".sql"
	var options []goose.ProviderOption
	if d.Dialect == PostgreSQL {
		dialect, other = goose.DialectPostgres, "."+string(SQLite)+".sql"
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	names, err := fs.Glob(dir, "*.sql")
	if err != nil {
		return nil, err
	}
	var excluded []string
	for _, name := range names {
		if strings.HasSuffix(name, other) {
			excluded = append(excluded, name)
		}
	}
	return goose.NewProvider(dialect, d.write, dir, append(options, goose.WithExcludeNames(excluded))...)
}
