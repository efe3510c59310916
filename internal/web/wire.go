package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// Wire is a TCP connection that net/http serves, spared what a short answer
// over a kept connection does not need: a second system call for its body, and
// timers that are set anew several times for each request. Like every net.Conn
// it may be read, written, and given deadlines from several goroutines at once;
// two do not write at once.
type Wire struct {
	*net.TCPConn

	mu      sync.Mutex // guards the timers
	read    timer
	write   timer
	past    bool // reading has ended: its deadline was long ago
	reading bool // the connection itself is being read

	head   []byte  // lines to put into the header that comes next
	expect int     // bytes of the body after it
	held   *[]byte // what was written first
	pieces [2][]byte
	vector net.Buffers // of pieces; here, so that it is not allocated
}

// timer is a deadline, and the connection's own.
type timer struct {
	want  time.Time // zero for never
	armed time.Time // not after want, unless want is long ago; zero for never
}

// late reports whether the connection's own timer would come after the wanted one.
func (t *timer) late() bool {
	switch {
	case !t.armed.IsZero() && t.armed.Before(longAgo):
		return true // it has come, and must be taken back
	case t.want.IsZero():
		return false
	}
	return t.armed.IsZero() || t.want.Before(t.armed)
}

// early reports whether the connection's own timer has come before the wanted one.
func (t *timer) early() bool { return t.want.IsZero() || time.Now().Before(t.want) }

// NewWire makes a wire of a connection.
func NewWire(c *net.TCPConn) *Wire { return &Wire{TCPConn: c} }

func (c *Wire) self() *Wire { return c }

const wireKey contextKey = 1

// ConnContext goes into http.Server.ConnContext where connections are wires, or
// have one embedded.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	if w, ok := c.(interface{ self() *Wire }); ok {
		return context.WithValue(ctx, wireKey, w.self())
	}
	return ctx
}

// longAgo tells the deadline by which net/http ends a read from one that ran out.
var longAgo = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// SetReadDeadline notes the deadline. The connection's own timer is only set
// when it would come too late; where it comes too early, Read goes on.
func (c *Wire) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read.want, c.past = t, !t.IsZero() && t.Before(longAgo)
	if c.past && !c.reading || !c.read.late() { // where nobody waits, the next Read will see that it is past
		return nil
	}
	return c.armRead()
}

func (c *Wire) armRead() error {
	c.read.armed = c.read.want
	return c.TCPConn.SetReadDeadline(c.read.want)
}

// SetWriteDeadline does for Write what SetReadDeadline does for Read.
func (c *Wire) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.write.want = t; !c.write.late() {
		return nil
	}
	return c.armWrite()
}

func (c *Wire) armWrite() error {
	c.write.armed = c.write.want
	return c.TCPConn.SetWriteDeadline(c.write.want)
}

// SetDeadline sets both.
func (c *Wire) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// Read reads until the deadline that was set last.
func (c *Wire) Read(p []byte) (int, error) {
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
		again := n == 0 && err != nil && errors.Is(err, os.ErrDeadlineExceeded) && !c.past && c.read.early()
		if again {
			err = c.armRead()
		}
		c.mu.Unlock()
		if !again || err != nil {
			return n, err
		}
	}
}

// blink is how much too early a write may end: the kernel has found a little more
// room each time it is tried again, so that a client who takes nothing would get
// another answer, and with it the time for one.
const blink = 100 * time.Millisecond

// writeAgain reports whether a write that ended by its deadline is to go on.
func (c *Wire) writeAgain(err error) bool {
	if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.write.want.IsZero() && time.Until(c.write.want) < blink {
		return false
	}
	return c.armWrite() == nil
}

// send writes all of p, until the deadline that was set last. For what is long,
// which may well have to wait, the connection's own timer is set.
func (c *Wire) send(p []byte) (sent int, err error) {
	if len(p) > oneWrite {
		c.mu.Lock()
		err := c.armWrite()
		c.mu.Unlock()
		if err != nil {
			return 0, err
		}
	}
	for {
		n, err := c.TCPConn.Write(p[sent:])
		if sent += n; !c.writeAgain(err) {
			return sent, err
		}
	}
}

// oneWrite is the longest body that is worth holding back its header for.
const oneWrite = 64 << 10

// net/http writes as much as firstBytes when an answer is longer than that.
const firstBytes = 4 << 10

var firsts = sync.Pool{New: func() any { b := make([]byte, 0, firstBytes+1<<10); return &b }}

// Expect tells that the next write begins with an answer's header, and that
// exactly n bytes of body follow it: what is written first then waits for the
// rest and leaves with it. It is called by whoever is about to write that body;
// 0 expects nothing. Where the body breaks off, its beginning is not sent either.
func (c *Wire) Expect(n int) {
	if n <= oneWrite {
		c.expect = n
	}
}

// Head puts lines into the header of the answer that comes next, whose header
// must not have them: each ends in CR LF. Sorted, checked and copied with the
// others, they would cost every answer a tenth of its time. Nil puts in none.
func (c *Wire) Head(lines []byte) { c.head = lines }

var headerEnd = []byte("\r\n\r\n")

// Write writes, together with what was held back; or holds back an answer's
// beginning.
func (c *Wire) Write(p []byte) (int, error) {
	if c.head != nil || c.expect > 0 { // an answer begins
		head, n := c.head, c.expect
		c.head, c.expect = nil, 0
		end := bytes.Index(p, headerEnd)
		more := n > 0 && end >= 0 && end+len(headerEnd)+n > len(p) && len(p) <= firstBytes
		if line := bytes.IndexByte(p, '\n') + 1; head != nil || more {
			first := firsts.Get().(*[]byte)
			*first = append(append(append((*first)[:0], p[:line]...), head...), p[line:]...)
			if more {
				c.held = first
				return len(p), nil
			}
			sent, err := c.send(*first)
			firsts.Put(first)
			if err != nil {
				return min(sent, len(p)), err
			}
			return len(p), nil
		}
	}
	if c.held == nil {
		return c.send(p)
	}
	c.pieces = [2][]byte{*c.held, p}
	c.vector = c.pieces[:]
	sent := -len(*c.held)
	var err error
	for {
		var n int64
		n, err = c.vector.WriteTo(c.TCPConn) // takes off what it has written
		if sent += int(n); !c.writeAgain(err) {
			break
		}
	}
	c.pieces, c.vector = [2][]byte{}, nil
	firsts.Put(c.held)
	c.held = nil
	return max(0, sent), err
}

// ReadFrom lets the kernel send a file, or copies.
func (c *Wire) ReadFrom(r io.Reader) (int64, error) {
	if c.held == nil && c.expect == 0 {
		c.mu.Lock()
		err := c.armWrite() // the kernel asks the connection's own timer alone
		c.mu.Unlock()
		if err != nil {
			return 0, err
		}
		return c.TCPConn.ReadFrom(r)
	}
	return io.Copy(struct{ io.Writer }{c}, r)
}
