package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/time/rate"

	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/reader"
	"masthead/internal/staff"
	"masthead/internal/web"
)

// maxBody is how many bytes a request may bring; files may have as many as the
// media store takes.
const maxBody = doc.MaxBytes + 1<<20

// guard stands before every operation: it holds the rate, reads the token and
// the body, carries out once what bears a key, and answers conditional requests.
type guard struct {
	n      *Newsroom
	next   http.Handler
	limits limits
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, h := r.Context(), w.Header()
	h.Add("Vary", "Authorization")
	allowed, left, reset := g.limits.allow(web.ClientIP(ctx))
	// draft-ietf-httpapi-ratelimit-headers-10
	h.Set("RateLimit-Policy", fmt.Sprintf(`"network";q=%d;w=60`, g.limits.perMinute))
	h.Set("RateLimit", fmt.Sprintf(`"network";r=%d;t=%d`, left, reset))
	if !allowed {
		h.Set("Retry-After", "1")
		g.n.problem(ctx, fault.New(fault.TooMany, "too many requests from this network").WithHint("make no more than %d a minute", perMinute)).write(w)
		return
	}
	if !legible(r) {
		g.n.problem(ctx, fault.New(fault.Invalid, "the address is not written in UTF-8")).write(w)
		return
	}
	cache := "public, max-age=60"
	var a asker
	var secret string
	if header := r.Header.Get("Authorization"); header != "" {
		cache = "private, no-cache"
		var err error
		if a.token, secret, err = g.token(ctx, header); err != nil {
			if fault.Is(err, fault.Unauthorized) { // RFC 6750 §3
				h.Set("WWW-Authenticate", `Bearer realm="api", error="invalid_token"`)
			}
			g.n.problem(ctx, err).write(w)
			return
		}
		a.known = true
	}
	answer := &capture{header: http.Header{}}
	get := r.Method == http.MethodGet || r.Method == http.MethodHead
	if get {
		g.next.ServeHTTP(answer, r.WithContext(context.WithValue(ctx, askerKey{}, a)))
	} else if err := g.write(answer, r, a, secret); err != nil {
		g.n.problem(ctx, err).write(w)
		return
	}
	maps.Copy(h, answer.header)
	if answer.status != 0 && answer.status != http.StatusOK || !get {
		h.Set("Cache-Control", "no-store")
		if answer.status == http.StatusServiceUnavailable {
			h.Set("Retry-After", "60")
		}
		w.WriteHeader(max(answer.status, http.StatusOK))
	} else {
		h.Set("Cache-Control", cache)
		tag := h.Get("ETag") // of what can be changed, the operation gives its own
		if tag == "" {
			tag = web.ETag(answer.body.String())
		}
		if web.NotModified(w, r, tag, time.Time{}) {
			return
		}
	}
	w.Write(answer.body.Bytes()) // a program that has left is no error of ours
}

// write serves a request that changes something. Its body is read first, unless it
// is a file that comes without a key.
func (g *guard) write(w *capture, r *http.Request, a asker, secret string) error {
	ctx, key := r.Context(), r.Header.Get("Idempotency-Key")
	keyed := key != "" && a.known && r.Method == http.MethodPost
	most := int64(maxBody)
	if file := r.URL.Path == "/api/v1/media" && r.Method == http.MethodPost; file {
		most = g.n.Media.Limits.FileBytes + 1<<20
	}
	if !a.known {
		most = 0 // nobody without a token changes anything
	}
	r.Body = http.MaxBytesReader(nil, r.Body, most)
	var body sent
	if most <= maxBody || keyed {
		var err error
		if body, err = take(r.Body); err != nil {
			if !a.known {
				return fault.New(fault.Unauthorized, "this takes a token").WithHint("send Authorization: Bearer mh_…")
			}
			return err
		}
		defer body.close()
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") || most <= maxBody {
			if err := readable(body.memory); err != nil {
				return err
			}
		}
		r.Body = io.NopCloser(body.reader())
	}
	if !keyed {
		g.next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, askerKey{}, a)))
		return nil
	}
	c, kept, err := g.n.claim(ctx, a.token, secret, key, r, body.hash)
	if err != nil {
		return err
	}
	if kept != nil {
		*w = *kept
		w.header.Set("Idempotency-Replayed", "true")
		return nil
	}
	a.claim = c
	g.next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, askerKey{}, a)))
	return c.keep(context.WithoutCancel(ctx), w)
}

// readable refuses a body whose texts no database takes: PostgreSQL has no NUL.
func readable(body []byte) error {
	bad := fault.New(fault.Invalid, "the body holds what is no text").WithHint("leave U+0000 out, and write UTF-8")
	if !utf8.Valid(body) || bytes.IndexByte(body, 0) >= 0 {
		return bad
	}
	if !bytes.Contains(body, []byte(`\u0000`)) {
		return nil
	}
	for d := json.NewDecoder(bytes.NewReader(body)); ; {
		token, err := d.Token()
		if text, ok := token.(string); ok && strings.ContainsRune(text, 0) {
			return bad
		}
		if err != nil {
			return nil // what is no JSON is refused elsewhere
		}
	}
}

// sent is a body that was taken in: in memory, or in a file where it is larger.
type sent struct {
	hash   string
	memory []byte
	file   *os.File
}

func (s sent) reader() io.Reader {
	if s.file != nil {
		return s.file
	}
	return bytes.NewReader(s.memory)
}

func (s sent) close() {
	if s.file != nil {
		s.file.Close()
		os.Remove(s.file.Name())
	}
}

// take reads a body and hashes it.
func take(from io.Reader) (s sent, err error) {
	large := func(err error) error {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return fault.New(fault.TooLarge, "the body is too large")
		}
		return fault.New(fault.Invalid, "the body did not come whole")
	}
	if s.memory, err = io.ReadAll(io.LimitReader(from, maxBody+1)); err != nil {
		return s, large(err)
	}
	h := newHash()
	h.Write(s.memory)
	if len(s.memory) > maxBody {
		if s.file, err = os.CreateTemp("", "masthead-upload-*"); err != nil {
			return s, fault.NoRoom(err)
		}
		defer func() {
			if err != nil {
				s.close()
			}
		}()
		if _, err = s.file.Write(s.memory); err != nil {
			return s, fault.NoRoom(err)
		}
		s.memory = nil
		if _, err = io.Copy(io.MultiWriter(h, s.file), from); err != nil {
			if fault.Is(fault.NoRoom(err), fault.Full) {
				return s, fault.NoRoom(err)
			}
			return s, large(err)
		}
		if _, err = s.file.Seek(0, io.SeekStart); err != nil {
			return s, err
		}
	}
	s.hash = text(h)
	return s, nil
}

// legible reports whether the address holds only what a database takes for text.
func legible(r *http.Request) bool {
	query, err := url.QueryUnescape(r.URL.RawQuery)
	text := r.URL.Path + query
	return err == nil && utf8.ValidString(text) && !strings.Contains(text, "\x00")
}

func (g *guard) token(ctx context.Context, header string) (t staff.Token, secret string, err error) {
	scheme, secret, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return t, "", fault.New(fault.Unauthorized, "the API takes bearer tokens alone").WithHint("send Authorization: Bearer mh_…, or nothing")
	}
	secret = strings.TrimSpace(secret)
	t, err = g.n.Staff.ResolveToken(ctx, g.n.DB.Read(), secret)
	return t, secret, err
}

// full reports whether the asker shows a token that reads everything.
func full(ctx context.Context) bool {
	a := askerOf(ctx)
	return a.known && a.token.May(staff.StoriesFull)
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

// allow takes one request of a network. left is how many it may make now, and
// reset in how many seconds it may make as many as ever.
func (l *limits) allow(ip netip.Addr) (allowed bool, left, reset int) {
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
	now := l.now()
	allowed = limiter.AllowN(now, 1)
	tokens := max(limiter.TokensAt(now), 0)
	return allowed, int(tokens), int(math.Ceil((float64(limiter.Burst()) - tokens) / float64(limiter.Limit())))
}
