package api

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/time/rate"

	"masthead/internal/fault"
	"masthead/internal/reader"
	"masthead/internal/staff"
	"masthead/internal/web"
)

// guard stands before every operation: it holds the rate, reads the token, and
// answers conditional requests.
type guard struct {
	n      *Newsroom
	next   http.Handler
	limits limits
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, h := r.Context(), w.Header()
	h.Add("Vary", "Authorization")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		(&Problem{Type: "about:blank", Title: http.StatusText(http.StatusMethodNotAllowed), Status: http.StatusMethodNotAllowed,
			Detail: "the API only reads", Instance: web.RequestID(ctx)}).write(w)
		return
	}
	if !g.limits.allow(web.ClientIP(ctx)) {
		h.Set("Retry-After", "1")
		g.n.problem(ctx, fault.New(fault.TooMany, "too many requests from this network").WithHint("make no more than %d a minute", perMinute)).write(w)
		return
	}
	if !legible(r) {
		g.n.problem(ctx, fault.New(fault.Invalid, "the address is not written in UTF-8")).write(w)
		return
	}
	cache := "public, max-age=60"
	if header := r.Header.Get("Authorization"); header != "" {
		cache = "private, no-cache"
		token, err := g.token(ctx, header)
		if err != nil {
			if fault.Is(err, fault.Unauthorized) { // RFC 6750 §3
				h.Set("WWW-Authenticate", `Bearer realm="api", error="invalid_token"`)
			}
			g.n.problem(ctx, err).write(w)
			return
		}
		ctx = context.WithValue(ctx, tokenKey{}, token)
	}
	answer := capture{header: http.Header{}}
	g.next.ServeHTTP(&answer, r.WithContext(ctx))
	maps.Copy(h, answer.header)
	if answer.status != 0 && answer.status != http.StatusOK {
		h.Set("Cache-Control", "no-store")
		if answer.status == http.StatusServiceUnavailable {
			h.Set("Retry-After", "60")
		}
		w.WriteHeader(answer.status)
	} else {
		h.Set("Cache-Control", cache)
		if web.NotModified(w, r, web.ETag(answer.body.String()), time.Time{}) {
			return
		}
	}
	w.Write(answer.body.Bytes()) // a program that has left is no error of ours
}

// legible reports whether the address holds only what a database takes for text.
func legible(r *http.Request) bool {
	query, err := url.QueryUnescape(r.URL.RawQuery)
	text := r.URL.Path + query
	return err == nil && utf8.ValidString(text) && !strings.Contains(text, "\x00")
}

func (g *guard) token(ctx context.Context, header string) (staff.Token, error) {
	scheme, secret, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return staff.Token{}, fault.New(fault.Unauthorized, "the API takes bearer tokens alone").WithHint("send Authorization: Bearer mh_…, or nothing")
	}
	return g.n.Staff.ResolveToken(ctx, g.n.DB.Read(), strings.TrimSpace(secret))
}

type tokenKey struct{}

// full reports whether the asker shows a token that reads everything.
func full(ctx context.Context) bool {
	token, ok := ctx.Value(tokenKey{}).(staff.Token)
	return ok && token.May(staff.StoriesFull)
}

// capture keeps an answer until its entity tag is known.
type capture struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (c *capture) Header() http.Header         { return c.header }
func (c *capture) Write(b []byte) (int, error) { return c.body.Write(b) }
func (c *capture) WriteHeader(status int) {
	if c.status == 0 {
		c.status = status
	}
}

// limits holds every network to a rate. It remembers two generations of at
// most generation networks each, and so takes a few megabytes at worst; a network that
// was not seen for a whole generation begins anew. Each node counts for itself:
// writing the database at every request would cost more than what it guards.
type limits struct {
	perMinute int
	now       func() time.Time

	mu       sync.Mutex
	new, old map[netip.Prefix]*rate.Limiter
}

const generation = 10_000

func (l *limits) allow(ip netip.Addr) bool {
	network := reader.Network(ip)
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter, ok := l.new[network]
	if !ok {
		if len(l.new) >= generation || l.new == nil {
			l.new, l.old = make(map[netip.Prefix]*rate.Limiter), l.new
		}
		if limiter = l.old[network]; limiter == nil {
			limiter = rate.NewLimiter(rate.Limit(l.perMinute)/60, l.perMinute/2)
		}
		l.new[network] = limiter
	}
	return limiter.AllowN(l.now(), 1)
}
