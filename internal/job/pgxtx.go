package job

import (
	"context"
	"errors"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// pgxTx lets River write inside a transaction that database/sql began on conn.
// Beginning one inside of it makes a savepoint, as in pgx; ending the
// transaction itself is left to whoever began it.
type pgxTx struct {
	conn      *pgx.Conn
	savepoint string // "" for the transaction itself
	last      *int   // number of the last savepoint made
	done      bool
}

var _ pgx.Tx = (*pgxTx)(nil)

var errNotOurs = errors.New("job: the transaction is ended by whoever began it")

// Begin makes a savepoint.
func (tx *pgxTx) Begin(ctx context.Context) (pgx.Tx, error) {
	if tx.done {
		return nil, pgx.ErrTxClosed
	}
	if tx.last == nil {
		tx.last = new(int)
	}
	*tx.last++
	inner := &pgxTx{conn: tx.conn, savepoint: "job_" + strconv.Itoa(*tx.last), last: tx.last}
	if _, err := tx.conn.Exec(ctx, "SAVEPOINT "+inner.savepoint); err != nil {
		return nil, err
	}
	return inner, nil
}

// Commit releases a savepoint; the transaction itself refuses.
func (tx *pgxTx) Commit(ctx context.Context) error { return tx.end(ctx, "RELEASE SAVEPOINT ") }

// Rollback goes back to a savepoint; the transaction itself refuses.
func (tx *pgxTx) Rollback(ctx context.Context) error { return tx.end(ctx, "ROLLBACK TO SAVEPOINT ") }

func (tx *pgxTx) end(ctx context.Context, how string) error {
	if tx.savepoint == "" {
		return errNotOurs
	}
	if tx.done {
		return pgx.ErrTxClosed
	}
	tx.done = true
	_, err := tx.conn.Exec(ctx, how+tx.savepoint)
	return err
}

// CopyFrom implements pgx.Tx.
func (tx *pgxTx) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error) {
	return tx.conn.CopyFrom(ctx, table, columns, rows)
}

// SendBatch implements pgx.Tx.
func (tx *pgxTx) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	return tx.conn.SendBatch(ctx, b)
}

// LargeObjects implements pgx.Tx; nothing here uses them.
func (tx *pgxTx) LargeObjects() pgx.LargeObjects { return pgx.LargeObjects{} }

// Prepare implements pgx.Tx.
func (tx *pgxTx) Prepare(ctx context.Context, name, sql string) (*pgconn.StatementDescription, error) {
	return tx.conn.Prepare(ctx, name, sql)
}

// Exec implements pgx.Tx.
func (tx *pgxTx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return tx.conn.Exec(ctx, sql, args...)
}

// Query implements pgx.Tx.
func (tx *pgxTx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return tx.conn.Query(ctx, sql, args...)
}

// QueryRow implements pgx.Tx.
func (tx *pgxTx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return tx.conn.QueryRow(ctx, sql, args...)
}

// Conn implements pgx.Tx.
func (tx *pgxTx) Conn() *pgx.Conn { return tx.conn }
