package app_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"masthead/internal/db"
)

// wire is what lies between a node and its database. It can fall silent, as a
// network does that swallows packets: nothing comes through, and nobody is told.
type wire struct {
	url      string
	listener net.Listener

	mu    sync.Mutex
	heal  *sync.Cond
	quiet bool
}

// newWire lays a wire to the socket that a database's URL names.
func newWire(t *testing.T, database string) *wire {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	socket := u.Query().Get("host") + "/.s.PGSQL.5432"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{url: "postgres://postgres@" + l.Addr().String() + u.Path + "?sslmode=disable", listener: l}
	w.heal = sync.NewCond(&w.mu)
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			go w.join(near, socket)
		}
	}()
	t.Cleanup(func() { l.Close(); w.silence(false) })
	return w
}

// join carries one connection.
func (w *wire) join(near net.Conn, socket string) {
	defer near.Close()
	w.await()
	far, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer far.Close()
	go func() {
		defer near.Close()
		defer far.Close()
		io.Copy(through{w, far}, near)
	}()
	io.Copy(through{w, near}, far)
}

// through writes what comes once the wire carries anything.
type through struct {
	*wire
	to io.Writer
}

func (t through) Write(b []byte) (int, error) {
	t.await()
	return t.to.Write(b)
}

func (w *wire) await() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.quiet {
		w.heal.Wait()
	}
}

// silence lets the wire fall silent, or carry again.
func (w *wire) silence(quiet bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.quiet = quiet
	w.heal.Broadcast()
}

// silent lets one node alone lose its database, without being told. It must not
// hang, and must follow when the wire carries again.
func (c *cluster) silent(t *testing.T) {
	last := c.nodes[2]
	c.unheard("hidden-one", "hidden-two", "hidden-three")
	b := last.reader("silent@example.org")
	path := c.path("hidden-one")
	c.soon(2*time.Second, "the story is there", func() bool { return last.visitor().get(path).StatusCode == http.StatusOK })
	last.visitor().page(c.path("open-water"))
	last.wire.silence(true)
	cut := time.Now()
	// Before it is known that the database is away a page waits for it, as long as one may take.
	if a, took := last.visitor().timed(c.path("hidden-two")); a.StatusCode != http.StatusServiceUnavailable || took > 7*time.Second {
		t.Errorf("a page that is not in memory, at first: %d in %v", a.StatusCode, took)
	} else {
		t.Logf("a page that is not in memory, at first: %d in %v", a.StatusCode, took.Round(time.Millisecond))
	}
	c.tx(func(ctx context.Context, tx *db.Tx) error {
		return c.Stories.Withdraw(ctx, tx, c.editions["hidden-one"].ID, "Wrong.", "editor")
	})
	c.soon(5*time.Second, "the node is not ready", func() bool { return last.health("/readyz") == http.StatusServiceUnavailable })
	time.Sleep(max(0, 3*time.Second-time.Since(cut)))
	for _, at := range []struct {
		b      *browser
		path   string
		status int
	}{
		{last.visitor(), c.path("open-water"), 200}, {last.visitor(), c.path("hidden-three"), 503}, {last.visitor(), "/search?q=harbour", 503},
		{b.copy("pass"), c.path("open-water"), 200}, {b.copy(), c.path("open-water"), 200},
	} {
		if a, took := at.b.timed(at.path); a.StatusCode != at.status || took > 1500*time.Millisecond {
			t.Errorf("%s at a node that is alone: %d in %v, want %d", at.path, a.StatusCode, took, at.status)
		}
	}
	last.wire.silence(false)
	took := c.soon(5*time.Second, "the node has heard what it missed", func() bool {
		return last.visitor().get(path).StatusCode == http.StatusGone && last.visitor().get(c.path("hidden-three")).StatusCode == http.StatusOK &&
			last.health("/readyz") == http.StatusOK
	})
	t.Logf("all is as before %v after the wire carries again", took.Round(time.Millisecond))
}
