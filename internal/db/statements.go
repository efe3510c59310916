package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"modernc.org/sqlite"
)

// kept is how many prepared statements an SQLite connection keeps. A statement
// takes some ten kilobytes; the busiest pages and the search need about thirty.
const kept = 48

// openKeeping opens a pool of SQLite connections that keep their statements.
func openKeeping(dsn string) (*sql.DB, error) {
	c, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(keeper{c}), nil
}

// keeper opens connections that keep their statements: SQLite's planner takes
// as long for a join as the join for a page of a list.
type keeper struct{ driver.Connector }

// Connect implements [driver.Connector].
func (k keeper) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	inner, ok := c.(sqliteConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("db: the driver's connection is a %T", c), c.Close())
	}
	return &keepingConn{sqliteConn: inner, statements: make(map[string]*statement, kept)}, nil
}

// sqliteConn is what modernc.org/sqlite's connections can do and database/sql
// makes use of.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// keepingConn is one connection: database/sql lets one goroutine at a time call it.
type keepingConn struct {
	sqliteConn
	statements map[string]*statement // by their text
	clock      uint64
}

// statement is a prepared statement that is kept.
type statement struct {
	driver.Stmt
	text string
	busy bool   // its rows are being read
	used uint64 // when it was used last, by the connection's clock
}

// QueryContext implements [driver.QueryerContext].
func (c *keepingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.sqliteConn.QueryContext(ctx, query, args)
	}
	rows, err := s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	s.busy = true
	return &keptRows{rows, s}, nil
}

// ExecContext implements [driver.ExecerContext].
func (c *keepingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if len(args) == 0 { // may be several statements, and is seldom worth keeping
		return c.sqliteConn.ExecContext(ctx, query, args)
	}
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.sqliteConn.ExecContext(ctx, query, args)
	}
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

// Close implements [driver.Conn].
func (c *keepingConn) Close() error {
	var errs []error
	for _, s := range c.statements {
		errs = append(errs, s.Close())
	}
	clear(c.statements)
	return errors.Join(append(errs, c.sqliteConn.Close())...)
}

// statement gives the prepared statement of a text, or nil while the rows of
// its last use are still being read.
func (c *keepingConn) statement(ctx context.Context, text string) (*statement, error) {
	c.clock++
	if s, ok := c.statements[text]; ok {
		if s.busy {
			return nil, nil
		}
		s.used = c.clock
		return s, nil
	}
	stmt, err := c.sqliteConn.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	if len(c.statements) >= kept {
		if err := c.drop(c.idle()); err != nil {
			return nil, errors.Join(err, stmt.Close())
		}
	}
	s := &statement{Stmt: stmt, text: text, used: c.clock}
	c.statements[text] = s
	return s, nil
}

// idle gives the statement that has not been used for the longest; nil where
// each is being read.
func (c *keepingConn) idle() (oldest *statement) {
	for _, s := range c.statements {
		if !s.busy && (oldest == nil || s.used < oldest.used) {
			oldest = s
		}
	}
	return oldest
}

func (c *keepingConn) drop(s *statement) error {
	if s == nil {
		return nil
	}
	delete(c.statements, s.text)
	return s.Close()
}

// keptRows are the rows of a statement that is kept.
type keptRows struct {
	driver.Rows
	statement *statement
}

// Close implements [driver.Rows].
func (r *keptRows) Close() error {
	r.statement.busy = false
	return r.Rows.Close()
}
