package web

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"runtime/debug"
	"strings"
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
}

type contextKey int

const visitKey contextKey = 0

// visit is what is known of a request before any handler sees it.
type visit struct {
	id     string
	ip     netip.Addr
	secure bool
}

// RequestID gives the ID that logs and error pages name the request by.
func RequestID(ctx context.Context) string { return visitOf(ctx).id }

// ClientIP gives the address of whoever asks, behind the trusted proxies. The
// zero Addr means it is not known.
func ClientIP(ctx context.Context) netip.Addr { return visitOf(ctx).ip }

// Secure reports whether the reader's browser speaks TLS with us or with a
// trusted proxy of ours.
func Secure(r *http.Request) bool { return r.TLS != nil || visitOf(r.Context()).secure }

func visitOf(ctx context.Context) visit { v, _ := ctx.Value(visitKey).(visit); return v }

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
	inner := compress(cross.Handler(next))
	policy := o.CSP.String()

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := o.Now()
		v := visit{id: requestID(r), secure: r.TLS != nil}
		v.ip, v.secure = clientOf(r, o.TrustedProxies, v.secure)
		r = r.WithContext(context.WithValue(r.Context(), visitKey, v))
		seen := &recorder{ResponseWriter: w}
		securityHeaders(seen.Header(), policy, v)
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				o.Log.ErrorContext(r.Context(), "panic", "panic", fmt.Sprint(p), "request", v.id, "path", r.URL.Path, "stack", string(debug.Stack()))
				if seen.status != 0 {
					panic(http.ErrAbortHandler) // half a page is out: cut the connection
				}
				if o.OnPanic != nil {
					o.OnPanic(seen, r, fmt.Errorf("panic: %v", p))
				} else {
					http.Error(seen, "Internal Server Error\n"+v.id, http.StatusInternalServerError)
				}
			}
			if o.AccessLog {
				o.Log.InfoContext(r.Context(), "request", "method", r.Method, "path", r.URL.Path, "status", max(seen.status, 200),
					"bytes", seen.bytes, "ms", o.Now().Sub(start).Milliseconds(), "ip", v.ip.String(), "request", v.id)
			}
		}()
		inner.ServeHTTP(seen, r)
	}), nil
}

func securityHeaders(h http.Header, policy string, v visit) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("X-Request-Id", v.id)
	if v.secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

var safeID = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)

// requestID keeps the ID a proxy has given, when it is a sane one.
func requestID(r *http.Request) string {
	if id := r.Header.Get("X-Request-Id"); safeID.MatchString(id) {
		return id
	}
	return rand.Text()[:16]
}

// clientOf finds who asks. X-Forwarded-For is read from the right, and only
// as long as each address it passes is a trusted proxy: what stands left of
// the first stranger may be invented.
func clientOf(r *http.Request, trusted []netip.Prefix, secure bool) (netip.Addr, bool) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}, secure
	}
	addr = addr.Unmap()
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

func within(addr netip.Addr, prefixes []netip.Prefix) bool {
	for _, p := range prefixes {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// recorder notes what was answered, for the log.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
