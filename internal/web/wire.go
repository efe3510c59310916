package web

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// Listen wraps a listener whose connections net/http serves, and spares them
// what a short answer over a kept connection does not need: a second system
// call for its body, and timers that are set anew several times for each
// request. What is not TCP is left as it is.
func Listen(l net.Listener) net.Listener { return wired{l} }

type wired struct{ net.Listener }

func (l wired) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok {
		return &wire{TCPConn: tcp}, err
	}
	return c, err
}

const wireKey contextKey = 1

// ConnContext goes into http.Server.ConnContext where [Listen] is used.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	if w, ok := c.(*wire); ok {
		return context.WithValue(ctx, wireKey, w)
	}
	return ctx
}

// wire is one connection. Like every net.Conn it may be read, written, and
// given deadlines from several goroutines at once; two do not write at once.
type wire struct {
	*net.TCPConn

	mu      sync.Mutex // guards what follows
	want    time.Time  // when reading is to end; zero for never
	armed   time.Time  // when the connection itself ends it: not after want; zero for never
	past    bool       // reading has ended: want was long ago
	reading bool       // the connection itself is being read

	expect  int     // bytes of the body whose header comes next
	held    *[]byte // what was written first
	pieces  [2][]byte
	vector  net.Buffers // of pieces; here, so that it is not allocated
	noWrite bool        // a write deadline is set
}

// longAgo tells the deadline by which net/http ends a read from one that ran out.
var longAgo = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// SetReadDeadline notes the deadline. The connection's own timer is only set
// when it would come too late; where it comes too early, Read goes on.
func (c *wire) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.want, c.past = t, !t.IsZero() && t.Before(longAgo)
	switch {
	case c.past && !c.reading: // nobody waits: the next Read will see it
		return nil
	case t.IsZero():
		if c.armed.IsZero() || c.armed.After(longAgo) {
			return nil
		}
	case !c.armed.IsZero() && !t.Before(c.armed) && c.armed.After(longAgo):
		return nil
	}
	return c.arm()
}

// arm sets the connection's own timer. It is called with mu held.
func (c *wire) arm() error {
	c.armed = c.want
	return c.TCPConn.SetReadDeadline(c.want)
}

// SetWriteDeadline is that of the connection, which is left alone when it has none and gets none.
func (c *wire) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.IsZero() && !c.noWrite {
		return nil
	}
	c.noWrite = !t.IsZero()
	return c.TCPConn.SetWriteDeadline(t)
}

// SetDeadline sets both.
func (c *wire) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// Read reads until the deadline that was set last.
func (c *wire) Read(p []byte) (int, error) {
	for {
		c.mu.Lock()
		if c.past {
			c.mu.Unlock()
			return 0, os.ErrDeadlineExceeded
		}
		c.reading = true
		c.mu.Unlock()
		n, err := c.TCPConn.Read(p)
		c.mu.Lock()
		c.reading = false
		early := n == 0 && err != nil && errors.Is(err, os.ErrDeadlineExceeded) && !c.past && (c.want.IsZero() || time.Now().Before(c.want))
		if early {
			err = c.arm()
		}
		c.mu.Unlock()
		if !early || err != nil {
			return n, err
		}
	}
}

// oneWrite is the longest body that is worth holding back its header for.
const oneWrite = 64 << 10

// heldBytes is as much as net/http writes at first when there is more to come.
const heldBytes = 4 << 10

var helds = sync.Pool{New: func() any { b := make([]byte, 0, heldBytes); return &b }}

// Expect tells that the next write begins with an answer's header, and that
// exactly n bytes of body follow it: what is written first then waits for the
// rest and leaves with it. It is called by whoever is about to write that body;
// 0 expects nothing. Where the body breaks off, its beginning is not sent either.
func (c *wire) Expect(n int) {
	if n <= oneWrite {
		c.expect = n
	}
}

var headerEnd = []byte("\r\n\r\n")

// Write writes, together with what was held back; or holds back an answer's
// beginning.
func (c *wire) Write(p []byte) (int, error) {
	if n := c.expect; n > 0 {
		c.expect = 0
		if end := bytes.Index(p, headerEnd); c.held == nil && end >= 0 && end+len(headerEnd)+n > len(p) && len(p) <= heldBytes {
			c.held = helds.Get().(*[]byte)
			*c.held = append((*c.held)[:0], p...)
			return len(p), nil
		}
	}
	if c.held == nil {
		return c.TCPConn.Write(p)
	}
	c.pieces = [2][]byte{*c.held, p}
	c.vector = c.pieces[:]
	before := int64(len(*c.held))
	n, err := c.vector.WriteTo(c.TCPConn)
	c.pieces = [2][]byte{}
	helds.Put(c.held)
	c.held = nil
	return int(max(0, n-before)), err
}
