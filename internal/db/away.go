package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// connecting is how long PostgreSQL may take to answer a new connection, in
// seconds, unless its URL says otherwise with connect_timeout.
const connecting = "3"

// deadAfter is how long bytes sent to PostgreSQL may stay unacknowledged: the
// machine is gone then, and has not said so.
const deadAfter = 5 * time.Second

// patient adds a connect_timeout to a URL that has none, so that no connection
// of ours waits for minutes, whoever opens it.
func patient(u *url.URL) string {
	q := u.Query()
	if q.Has("connect_timeout") {
		return u.String()
	}
	q.Set("connect_timeout", connecting)
	withTimeout := *u
	withTimeout.RawQuery = q.Encode()
	return withTimeout.String()
}

// dial opens a connection whose other end is given up after deadAfter.
func dial(c *pgx.ConnConfig) {
	d := &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: deadAfter, Interval: time.Second, Count: 3}}
	d.Control = func(network, _ string, raw syscall.RawConn) error {
		if !strings.HasPrefix(network, "tcp") {
			return nil
		}
		var err error
		if controlErr := raw.Control(func(fd uintptr) { err = setUserTimeout(int(fd), deadAfter) }); controlErr != nil {
			return controlErr
		}
		return err
	}
	c.DialFunc = d.DialContext
}

// Away reports whether err tells that the database is not there, or does not
// answer in time: a fault that passes by itself.
func Away(err error) bool {
	if err == nil {
		return false
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch e.Code {
		case "57P01", "57P02", "57P03", // it is being stopped or started
			"53000", "53200", "53300", "53400", // too little memory, too many connections; a full disk is fault.Full
			"25006": // a replica that does not write
			return true
		}
		return strings.HasPrefix(e.Code, "08") // connection exceptions
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.ErrUnexpectedEOF)
}
