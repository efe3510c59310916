package web

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzhttp"
)

// ShieldOptions says how Shield guards a site. The zero value is safe.
type ShieldOptions struct {
	Log            *slog.Logger
	CSP            CSP
	TrustedProxies []netip.Prefix // whose X-Forwarded-For and X-Forwarded-Proto are believed
	Origins        []string       // other origins whose forms and scripts may post here
	AccessLog      bool           // a line for every request, not for errors alone
	OnPanic        func(w http.ResponseWriter, r *http.Request, err error)
	Now            func() time.Time

	// Quick, where set, is asked about every GET and HEAD before anything else: it
	// answers what it can from memory, compressed where it should be, and reports
	// whether it did. Where it did not, it has written nothing and set no header.
	Quick func(w http.ResponseWriter, r *http.Request) bool
	// Done, where set, is told of each request once it is answered.
	Done func(r *http.Request, status int, took time.Duration)
}

type contextKey int

const visitKey contextKey = 0

// visit is what is known of a request before any handler sees it, its context,
// and what was answered: all in one piece of memory.
type visit struct {
	context.Context
	http.ResponseWriter
	asked  string // the ID that the request came with
	ip     netip.Addr
	secure bool
	wire   *Wire // nil where the connection is none of ours

	once sync.Once
	id   string

	key, value any // see Attach

	status int
	bytes  int64
}

// Value gives the visit itself, what [Attach] put beside it, and what the
// request had before.
func (v *visit) Value(key any) any {
	switch key {
	case visitKey:
		return v
	case v.key:
		return v.value
	}
	return v.Context.Value(key)
}

// Attach gives r with a value in its context. For the first value of a request
// that [Shield] has seen, which must come from its first handler, neither the
// request nor the context is made anew.
func Attach(r *http.Request, key, value any) *http.Request {
	if v, ok := r.Context().(*visit); ok && v.key == nil {
		v.key, v.value = key, value
		return r
	}
	return r.WithContext(context.WithValue(r.Context(), key, value))
}

// RequestID gives the ID that logs and error pages name the request by. It is
// made when somebody first asks for it, and sent as X-Request-Id if nothing has
// been answered by then: with every failure, and wherever a proxy has given one.
func RequestID(ctx context.Context) string {
	v := visitOf(ctx)
	v.once.Do(func() {
		if v.id = v.asked; v.id == "" {
			v.id = rand.Text()[:16]
		}
		if v.ResponseWriter != nil && v.status == 0 {
			v.Header()["X-Request-Id"] = []string{v.id}
		}
	})
	return v.id
}

// ClientIP gives the address of whoever asks, behind the trusted proxies. The
// zero Addr means it is not known.
func ClientIP(ctx context.Context) netip.Addr { return visitOf(ctx).ip }

// Secure reports whether the reader's browser speaks TLS with us or with a
// trusted proxy of ours.
func Secure(r *http.Request) bool { return r.TLS != nil || visitOf(r.Context()).secure }

func visitOf(ctx context.Context) *visit {
	if v, ok := ctx.Value(visitKey).(*visit); ok {
		return v
	}
	return &visit{}
}

// Shield puts everything before next that every request needs: an ID, the
// true address, the log, a net under panics, security headers, the refusal of
// forms posted from elsewhere (http.CrossOriginProtection), and gzip.
func Shield(next http.Handler, o ShieldOptions) (http.Handler, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	cross := http.NewCrossOriginProtection()
	for _, origin := range o.Origins {
		if err := cross.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("trusted origin %q: %w", origin, err)
		}
	}
	compress, err := gzhttp.NewWrapper(gzhttp.MinSize(1024), gzhttp.CompressionLevel(6), gzhttp.SuffixETag("-gzip"))
	if err != nil {
		return nil, fmt.Errorf("compression: %w", err)
	}
	g := &guard{ShieldOptions: o, inner: compress(cross.Handler(next)), fixed: fixedHeaders(o.CSP.String())}
	g.lines = map[bool][]byte{false: written(g.fixed), true: written(append(slices.Clip(g.fixed), transport))}
	return http.HandlerFunc(g.serve), nil
}

// guard is what Shield puts before everything.
type guard struct {
	ShieldOptions
	inner http.Handler
	fixed []header
	lines map[bool][]byte // fixed as it is written, without TLS and with it
}

func (g *guard) serve(w http.ResponseWriter, r *http.Request) {
	var start time.Time
	if g.Done != nil || g.AccessLog {
		start = g.Now()
	}
	v := &visit{Context: r.Context(), ResponseWriter: w, secure: r.TLS != nil, asked: requestID(r)}
	v.ip, v.secure = clientOf(r, g.TrustedProxies, v.secure)
	if v.wire, _ = v.Context.Value(wireKey).(*Wire); v.wire != nil {
		v.wire.Expect(0)
		v.wire.Head(nil)
	}
	r = r.WithContext(v)
	quick := g.Quick != nil && (r.Method == http.MethodGet || r.Method == http.MethodHead)
	inWire := quick && v.wire != nil
	if inWire {
		v.wire.Head(g.lines[v.secure])
	} else {
		g.headers(v)
	}
	if v.asked != "" || g.AccessLog {
		RequestID(v)
	}
	defer g.end(v, r, start)
	if quick && g.Quick(v, r) {
		return
	}
	if inWire {
		v.wire.Head(nil)
		g.headers(v)
	}
	g.inner.ServeHTTP(v, r)
}

// headers sets what is the same in every answer.
func (g *guard) headers(v *visit) {
	h := v.Header()
	for i := range g.fixed {
		h[g.fixed[i].name] = g.fixed[i].values
	}
	if v.secure {
		h[transport.name] = transport.values
	}
}

// end catches a panic and tells of the request.
func (g *guard) end(v *visit, r *http.Request, start time.Time) {
	if p := recover(); p != nil {
		if p == http.ErrAbortHandler {
			panic(p)
		}
		id := RequestID(v)
		g.Log.ErrorContext(v, "panic", "panic", fmt.Sprint(p), "request", id, "path", r.URL.Path, "stack", string(debug.Stack()))
		if v.status != 0 {
			panic(http.ErrAbortHandler) // half a page is out: cut the connection
		}
		if v.wire != nil {
			v.wire.Head(nil)
			g.headers(v)
		}
		if g.OnPanic != nil {
			g.OnPanic(v, r, fmt.Errorf("panic: %v", p))
		} else {
			http.Error(v, "Internal Server Error\n"+id, http.StatusInternalServerError)
		}
	}
	status := v.status
	if status == 0 {
		status = http.StatusOK
	}
	if g.Done != nil {
		g.Done(r, status, g.Now().Sub(start))
	}
	if g.AccessLog {
		g.Log.InfoContext(v, "request", "method", r.Method, "path", r.URL.Path, "status", status,
			"bytes", v.bytes, "ms", g.Now().Sub(start).Milliseconds(), "ip", v.ip.String(), "request", RequestID(v))
	}
}

// header is a header that is the same in every answer. Its values are shared:
// their capacity is their length, and nobody changes them.
type header struct {
	name   string // in canonical form
	values []string
}

func fixedHeaders(policy string) []header {
	return []header{
		{"Content-Security-Policy", []string{policy}},
		{"X-Content-Type-Options", []string{"nosniff"}},
		{"Referrer-Policy", []string{"strict-origin-when-cross-origin"}},
		{"Permissions-Policy", []string{"camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()"}},
		{"Cross-Origin-Opener-Policy", []string{"same-origin"}},
	}
}

var transport = header{"Strict-Transport-Security", []string{"max-age=31536000"}}

// written gives headers as they stand in an answer.
func written(headers []header) (lines []byte) {
	clean := strings.NewReplacer("\r", " ", "\n", " ")
	for _, h := range headers {
		lines = fmt.Appendf(lines, "%s: %s\r\n", h.name, clean.Replace(h.values[0]))
	}
	return lines
}

var safeID = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)

// requestID gives the ID a proxy has given, when it is a sane one.
func requestID(r *http.Request) string {
	if id := r.Header["X-Request-Id"]; len(id) > 0 && safeID.MatchString(id[0]) {
		return id[0]
	}
	return ""
}

// clientOf finds who asks. X-Forwarded-For is read from the right, and only
// as long as each address it passes is a trusted proxy: what stands left of
// the first stranger may be invented.
func clientOf(r *http.Request, trusted []netip.Prefix, secure bool) (netip.Addr, bool) {
	addr, ok := remote(r.RemoteAddr)
	if !ok {
		return netip.Addr{}, secure
	}
	if !within(addr, trusted) {
		return addr, secure
	}
	if strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
		secure = true
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = hop.Unmap()
		if !within(addr, trusted) {
			break
		}
	}
	return addr, secure
}

// remote reads the address of a connection's other end, with its port or without.
func remote(text string) (netip.Addr, bool) {
	if both, err := netip.ParseAddrPort(text); err == nil {
		return both.Addr().Unmap(), true
	}
	addr, err := netip.ParseAddr(text)
	return addr.Unmap(), err == nil
}

func within(addr netip.Addr, prefixes []netip.Prefix) bool {
	for _, p := range prefixes {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// WriteHeader notes what is answered. A failure tells its ID.
func (v *visit) WriteHeader(status int) {
	if status >= 400 {
		RequestID(v)
	}
	if v.status == 0 && status >= 200 {
		v.status = status
	}
	v.ResponseWriter.WriteHeader(status)
}

// Write notes how much is answered.
func (v *visit) Write(b []byte) (int, error) {
	if v.status == 0 {
		v.status = http.StatusOK
	}
	n, err := v.ResponseWriter.Write(b)
	v.bytes += int64(n)
	return n, err
}

// Expect tells the connection how long the body is that is about to be written:
// see [Wire].
func (v *visit) Expect(n int) {
	if v.wire != nil {
		v.wire.Expect(n)
	}
}

// Unwrap lets http.ResponseController reach the connection.
func (v *visit) Unwrap() http.ResponseWriter { return v.ResponseWriter }
