package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestAway(t *testing.T) {
	for _, test := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("boom"), false},
		{context.Canceled, false},
		{context.DeadlineExceeded, true},
		{driver.ErrBadConn, true},
		{&pgconn.PgError{Code: "57P01"}, true},
		{&pgconn.PgError{Code: "08006"}, true},
		{&pgconn.PgError{Code: "25006"}, true},
		{&pgconn.PgError{Code: "57014"}, false}, // a statement that was cancelled
		{&pgconn.PgError{Code: "23505"}, false},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, true},
	} {
		if got := Away(test.err); got != test.want {
			t.Errorf("Away(%v) = %v", test.err, got)
		}
		if test.err != nil && Away(fmt.Errorf("story.ByPath: %w", test.err)) != test.want {
			t.Errorf("Away(%v) differs when it is wrapped", test.err)
		}
	}
}

// A server that nobody is, and one that never says a word.
func TestAwayFromTheStart(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for name, address := range map[string]string{
		"nobody": "postgres://postgres@/postgres?host=" + filepath.Join(t.TempDir(), "none"),
		"silent": "postgres://postgres@" + l.Addr().String() + "/postgres?sslmode=disable&connect_timeout=1",
	} {
		began := time.Now()
		d, err := Open(t.Context(), address)
		if err == nil {
			d.Close()
		}
		if !Away(err) || time.Since(began) > 5*time.Second {
			t.Errorf("%s: %v after %v", name, err, time.Since(began))
		}
	}
}

func TestPatient(t *testing.T) {
	for given, want := range map[string]string{
		"postgres://u:p@h/n":                                     "connect_timeout=3",
		"postgres://u:p@h/n?search_path=x":                       "connect_timeout=3",
		"postgres://u:p@h/n?connect_timeout=20":                  "connect_timeout=20",
		"postgres://u@/n?host=/run/postgresql&connect_timeout=1": "connect_timeout=1",
	} {
		u, err := url.Parse(given)
		if err != nil {
			t.Fatal(err)
		}
		if got := patient(u); !strings.Contains(got, want) || strings.Count(got, "connect_timeout") != 1 {
			t.Errorf("patient(%s) = %s", given, got)
		}
	}
}
