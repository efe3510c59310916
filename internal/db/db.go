package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"masthead/internal/fault"
)

// Dialect is the kind of database. Only search, job, relay, copies and migrations may ask for it.
type Dialect string

// The two databases.
const (
	SQLite     Dialect = "sqlite"
	PostgreSQL Dialect = "postgres"
)

// Queryer is what a store needs of a database: *sql.Tx and *sql.DB both are one.
type Queryer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// DB is an open database. SQLite has one writing connection and a pool of
// readers that cannot write; on PostgreSQL both are one pool.
type DB struct {
	Dialect Dialect
	// Name is the file's path, or the URL without its password.
	Name string

	// Failed, where set before the first transaction, is told of every writing
	// transaction that failed, as InTx gives it.
	Failed func(err error)

	dsn         string
	write, read *sql.DB
}

// Readers is how many connections SQLite reads on. Each has a page cache of
// its own, so this and cacheKiB bound the memory that the database takes.
// A file is made with pages in which a story's text has room: those of SQLite's
// own 4 KB are read one after another, four times as many for one search.
const (
	readers  = 4
	cacheKiB = 2048
	pageSize = 16 << 10 // bytes; a file that is there keeps its own
)

// Open opens the database that name tells: a postgres:// URL, or the path of
// an SQLite file, which is made when absent. It does not migrate.
func Open(ctx context.Context, name string) (*DB, error) {
	open := openSQLite
	if IsURL(name) {
		open = openPostgres
	}
	d, err := open(name)
	if err != nil {
		return nil, fmt.Errorf("db.Open(%s): %w", d.Name, err)
	}
	if err := d.write.PingContext(ctx); err != nil {
		d.Close()
		return nil, fmt.Errorf("db.Open(%s): %w", d.Name, err)
	}
	return d, nil
}

// IsURL reports whether name is a PostgreSQL URL, not a file's path.
func IsURL(name string) bool {
	return strings.HasPrefix(name, "postgres://") || strings.HasPrefix(name, "postgresql://")
}

func openPostgres(name string) (*DB, error) {
	d := &DB{Dialect: PostgreSQL, Name: "postgres", dsn: name}
	u, err := url.Parse(name)
	if err != nil {
		return d, fault.New(fault.Invalid, "the database URL cannot be read").WithHint("write it as postgres://user:password@host/name")
	}
	d.Name, d.dsn = u.Redacted(), patient(u)
	config, err := pgx.ParseConfig(d.dsn)
	if err != nil {
		return d, fault.New(fault.Invalid, "the database URL cannot be read").WithHint("write it as postgres://user:password@host/name")
	}
	dial(config)
	pool := stdlib.OpenDB(*config)
	pool.SetMaxOpenConns(16)
	pool.SetMaxIdleConns(8)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	d.write, d.read = pool, pool
	return d, nil
}

func openSQLite(name string) (*DB, error) {
	d := &DB{Dialect: SQLite, Name: name, dsn: name}
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		return d, err
	}
	dsn := func(pragmas ...string) string {
		// The driver sets the journal last; after it the size of pages could not change.
		q := url.Values{"_txlock": {"immediate"}, "_journal_mode": {"WAL"}}
		for _, p := range append([]string{"busy_timeout(15000)", "foreign_keys(1)", fmt.Sprintf("page_size(%d)", pageSize),
			"synchronous(FULL)", fmt.Sprintf("cache_size(-%d)", cacheKiB), "temp_store(MEMORY)"}, pragmas...) {
			q.Add("_pragma", p)
		}
		return "file:" + (&url.URL{Path: name}).EscapedPath() + "?" + q.Encode()
	}
	write, err := openKeeping(dsn())
	if err != nil {
		return d, err
	}
	write.SetMaxOpenConns(1)
	write.SetConnMaxIdleTime(0)
	read, err := openKeeping(dsn("query_only(1)"))
	if err != nil {
		write.Close()
		return d, err
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	d.write, d.read = write, read
	return d, nil
}

// Close closes every connection.
func (d *DB) Close() error {
	if d.read != d.write {
		return errors.Join(d.read.Close(), d.write.Close())
	}
	return d.write.Close()
}

// Read gives the connections to read on, outside of any transaction.
func (d *DB) Read() *sql.DB { return d.read }

// Write gives the connections to write on; stores use [DB.InTx] instead. On
// SQLite it is one connection: whoever holds it keeps every other writer waiting.
func (d *DB) Write() *sql.DB { return d.write }

// URL gives the name that opened the database, with its password: for the job
// queue's own connections, never for a log.
func (d *DB) URL() string { return d.dsn }

// Tx is one writing transaction.
type Tx struct {
	*sql.Tx
	pgx   *pgx.Conn
	after []afterCommit
}

type afterCommit struct {
	name string
	fn   func()
}

// AfterCommit lets fn run once the transaction has been committed, before InTx
// returns; it does not run when the transaction is rolled back. A second fn of
// the same name is passed over.
func (tx *Tx) AfterCommit(name string, fn func()) {
	for _, a := range tx.after {
		if a.name == name {
			return
		}
	}
	tx.after = append(tx.after, afterCommit{name, fn})
}

// PGX gives the PostgreSQL connection that the transaction runs on, for the job
// queue, which speaks pgx; nil on SQLite. It may be used only inside InTx.
func (tx *Tx) PGX() *pgx.Conn { return tx.pgx }

// InTx runs fn in one writing transaction: committed when fn returns nil, and
// rolled back whole otherwise, also when fn panics. fn must use tx alone; on
// SQLite a second writer inside it would wait for itself. A database without
// room gives fault.Full.
func (d *DB) InTx(ctx context.Context, fn func(tx *Tx) error) error {
	err := told(d.inTx(ctx, fn))
	if err != nil && d.Failed != nil {
		d.Failed(err)
	}
	return err
}

func (d *DB) inTx(ctx context.Context, fn func(tx *Tx) error) error {
	conn, err := d.write.Conn(ctx)
	if err != nil {
		return fmt.Errorf("db: begin: %w", err)
	}
	defer conn.Close()
	tx := &Tx{}
	if d.Dialect == PostgreSQL {
		err := conn.Raw(func(driver any) error {
			tx.pgx = driver.(*stdlib.Conn).Conn()
			return nil
		})
		if err != nil {
			return fmt.Errorf("db: begin: %w", err)
		}
	}
	if tx.Tx, err = conn.BeginTx(ctx, nil); err != nil {
		return fmt.Errorf("db: begin: %w", err)
	}
	defer tx.Rollback() // after a commit this does nothing
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("db: commit: %w", err)
	}
	conn.Close() // what runs now may need it
	for _, a := range tx.after {
		a.fn()
	}
	return nil
}

// NewID makes an ID: a UUID of version 7 (RFC 9562 §5.7), so that rows sort by
// the time they were made.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// Micros gives t as the UTC microseconds since 1970 that the database keeps;
// the zero Time is 0.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Time gives the time that [Micros] made; 0 is the zero Time.
func Time(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// In binds a list: it gives "($n, $n+1, …)" beginning at parameter first, and
// the arguments. An empty list gives "(NULL)", which matches nothing.
func In[T any](first int, list []T) (placeholders string, args []any) {
	if len(list) == 0 {
		return "(NULL)", nil
	}
	var b strings.Builder
	for i, v := range list {
		if i == 0 {
			b.WriteByte('(')
		} else {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", first+i)
		args = append(args, v)
	}
	b.WriteByte(')')
	return b.String(), args
}

// IsUnique reports whether err tells that a unique key stands in the way.
func IsUnique(err error) bool {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "23505" // unique_violation
	}
	return false
}

// told gives err its kind where the database has no room left.
func told(err error) error {
	if isFull(err) && !fault.Is(err, fault.Full) {
		return fmt.Errorf("%w: %w", fault.Disk(), err)
	}
	return err
}

// isFull reports whether err tells that there is no room to write. SQLite says
// FULL of a disk, and an input/output fault of a quota, a limit on files and a
// log whose index cannot grow (sqlite.org/rescode.html).
func isFull(err error) bool {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() {
		case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_TRUNCATE:
			return true
		}
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "53100" // disk_full
	}
	return false
}

// Scanner is what *sql.Row and *sql.Rows share.
type Scanner interface{ Scan(dest ...any) error }

// Rows reads every row of a query with scan, and closes it. rows and err are
// the query's two results.
func Rows[T any](rows *sql.Rows, err error, scan func(Scanner) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}
