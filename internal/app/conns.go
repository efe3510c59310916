package app

import (
	"container/list"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"masthead/internal/config"
	"masthead/internal/web"
)

// refusal is the whole answer to a connection for which there is no room.
const refusal = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 10\r\n" +
	"Connection: close\r\n\r\nThere are too many connections just now. Please try again in a moment.\n"

// spareFiles are the open files that the database, pictures and logs may need
// besides connections.
const spareFiles = 200

// conns counts the connections of the public listener and holds them to a
// number, for all and for each address. When one too many comes, the one that
// has been idle the longest makes room; where none is idle, the new one is
// refused with a sentence (before TLS, without one).
type conns struct {
	most, perAddress int
	exempt           []netip.Prefix // may have any number
	log              *slog.Logger
	now              func() time.Time

	mu      sync.Mutex
	open    map[*conn]bool
	idle    list.List // of *conn, the longest idle first, and between them those that are busy
	from    map[netip.Prefix]int
	told    time.Time // when the log was last told that there is no room
	refused *prometheus.CounterVec
	turning chan struct{} // one for each that is being turned away
}

// conn is one open connection.
type conn struct {
	*web.Wire // not any net.Conn, so that the kernel can send files by itself
	of        *conns
	from      netip.Prefix
	place     *list.Element // among all, the one that was idle last at the end
	busy      atomic.Bool   // while it is answered
}

func newConns(c config.Config, log *slog.Logger, registry *prometheus.Registry) *conns {
	s := &conns{most: c.Connections, perAddress: c.ConnectionsPerAddress, log: log, now: time.Now,
		exempt: append([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}, c.TrustedProxies...),
		open:   map[*conn]bool{}, from: map[netip.Prefix]int{}, turning: make(chan struct{}, spareFiles/4)}
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err == nil && files.Cur < uint64(s.most+spareFiles) {
		s.most = max(16, int(files.Cur)-spareFiles)
		log.Warn("the system allows fewer open files than there may be connections; fewer are taken", "files", files.Cur, "connections", s.most)
	}
	s.refused = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "masthead_connections_turned_away_total",
		Help: "Connections refused, and idle ones closed to make room."}, []string{"how"})
	s.refused.WithLabelValues("refused")
	s.refused.WithLabelValues("idle")
	registry.MustRegister(s.refused, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "masthead_connections", Help: "Open connections of the public."},
		func() float64 { s.mu.Lock(); defer s.mu.Unlock(); return float64(len(s.open)) }))
	return s
}

// source is whom a connection counts for: an address, or an IPv6 network of
// the size that one customer has.
func source(a net.Addr) netip.Prefix {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Prefix{}
	}
	addr, bits := ap.Addr().Unmap().WithZone(""), 64
	if addr.Is4() {
		bits = 32
	}
	return netip.PrefixFrom(addr, bits).Masked()
}

func (s *conns) free(from netip.Prefix) bool {
	for _, p := range s.exempt {
		if p.Contains(from.Addr()) {
			return true
		}
	}
	return !from.IsValid()
}

// admit counts c, or gives nil when there is no room.
func (s *conns) admit(c *net.TCPConn) *conn {
	n := &conn{Wire: web.NewWire(c), of: s, from: source(c.RemoteAddr())}
	var room *conn // whom c takes the place of
	s.mu.Lock()
	full := true
	switch {
	case s.from[n.from] >= s.perAddress && !s.free(n.from):
		room = s.longest(n.from)
	case len(s.open) >= s.most:
		room = s.longest(netip.Prefix{})
	default:
		full = false
	}
	refuse := full && room == nil
	tell := refuse && s.now().Sub(s.told) > time.Minute
	if tell {
		s.told = s.now()
	}
	if !refuse {
		if room != nil {
			s.forget(room)
		}
		s.open[n] = true
		s.from[n.from]++
		n.place = s.idle.PushBack(n)
	}
	open := len(s.open)
	s.mu.Unlock()
	switch {
	case refuse:
		s.refused.WithLabelValues("refused").Inc()
		if tell {
			s.log.Warn("there is no room for more connections; new ones are refused", "open", open)
		}
		return nil
	case room != nil:
		s.refused.WithLabelValues("idle").Inc()
		room.TCPConn.Close()
	}
	return n
}

// longest gives the connection that has been idle the longest, of all or of
// one source; nil where none is.
func (s *conns) longest(from netip.Prefix) *conn {
	for e := s.idle.Front(); e != nil; e = e.Next() {
		if c := e.Value.(*conn); !c.busy.Load() && (!from.IsValid() || c.from == from) {
			return c
		}
	}
	return nil
}

// forget takes c off the books, once.
func (s *conns) forget(c *conn) {
	if !s.open[c] {
		return
	}
	delete(s.open, c)
	if s.from[c.from]--; s.from[c.from] == 0 {
		delete(s.from, c.from)
	}
	s.idle.Remove(c.place)
}

// Close closes the connection and takes it off the books.
func (c *conn) Close() error {
	c.of.mu.Lock()
	c.of.forget(c)
	c.of.mu.Unlock()
	return c.TCPConn.Close()
}

// state is told by the server what becomes of a connection.
func (s *conns) state(c net.Conn, state http.ConnState) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	n, ok := c.(*conn)
	if !ok {
		return
	}
	switch state {
	case http.StateActive:
		n.busy.Store(true)
	case http.StateIdle:
		n.busy.Store(false)
		s.mu.Lock()
		s.idle.MoveToBack(n.place) // does nothing once it is closed
		s.mu.Unlock()
	}
}

// listener hands on the connections for which there is room.
type listener struct {
	*net.TCPListener
	conns *conns
	plain bool // a refusal can be read: TLS does not come first
}

// Accept implements [net.Listener].
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.AcceptTCP()
		if err != nil {
			return nil, err
		}
		if n := l.conns.admit(c); n != nil {
			return n, nil
		}
		select {
		case l.conns.turning <- struct{}{}:
			go func() { l.turnAway(c); <-l.conns.turning }()
		default:
			c.Close()
		}
	}
}

// turnAway tells c why, where it can be told.
func (l *listener) turnAway(c *net.TCPConn) {
	defer c.Close()
	if !l.plain {
		return
	}
	c.SetDeadline(time.Now().Add(500 * time.Millisecond))
	io.WriteString(c, refusal)
	c.CloseWrite()
	io.Copy(io.Discard, io.LimitReader(c, 16<<10)) // what is left unread would reset the connection, and the answer with it
}
