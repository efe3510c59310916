package proof

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"masthead/internal/fault"
)

// ask is one request.
type ask struct {
	surface string
	method  string // "" for GET
	path    string // with its query
	form    url.Values
	header  http.Header // besides the persona's
}

// answer is what came back.
type answer struct {
	url    string
	status int
	header http.Header
	body   string // decoded
	raw    string // as it came, where it was compressed
}

// maxBody is the most that is read of one answer; maxWait, the longest that a
// server which asks for patience is waited for, all in all.
const (
	maxBody = 32 << 20
	maxWait = 3 * time.Minute
)

// door is how the newsroom is reached: its own handler behind a real server on
// the loopback, or a site that runs elsewhere.
type door struct {
	base   *url.URL
	client *http.Client
	server *http.Server
	key    string // name of the header that tells the handler who asks; "" at a running site
}

// openDoor serves the handler on the loopback, or goes to the site at base.
func openDoor(handler http.Handler, base *url.URL) (*door, error) {
	d := &door{base: base, client: &http.Client{
		Timeout:       time.Minute,
		Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 16},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if base != nil {
		return d, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("proof: %w", err)
	}
	d.base = &url.URL{Scheme: "http", Host: l.Addr().String()}
	// Nobody else on this machine knows the header's name.
	d.key = "X-From-" + rand.Text()
	d.server = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if from, err := netip.ParseAddr(r.Header.Get(d.key)); err == nil {
			r.RemoteAddr = netip.AddrPortFrom(from, 4711).String()
		}
		r.Header.Del(d.key)
		handler.ServeHTTP(w, r)
	})}
	go d.server.Serve(l)
	return d, nil
}

func (d *door) close() {
	d.client.CloseIdleConnections()
	if d.server != nil {
		d.server.Close()
	}
}

// cookie gives the name that a cookie goes by at this door.
func (d *door) cookie(name string) string {
	if d.base.Scheme == "https" {
		return "__Host-" + name
	}
	return name
}

// get sends one request as a persona. Whoever is told to come back later does.
func (d *door) get(ctx context.Context, p *persona, a ask) (answer, error) {
	waited := time.Duration(0)
	for {
		got, err := d.once(ctx, p, a)
		if err != nil || got.status != http.StatusTooManyRequests || waited >= maxWait {
			return got, err
		}
		after, err := strconv.Atoi(got.header.Get("Retry-After"))
		if err != nil {
			after = 1
		}
		pause := min(time.Duration(max(after, 1))*time.Second, maxWait)
		waited += pause
		select {
		case <-ctx.Done():
			return answer{}, ctx.Err()
		case <-time.After(pause):
		}
	}
}

func (d *door) once(ctx context.Context, p *persona, a ask) (answer, error) {
	method, body := a.method, io.Reader(nil)
	if method == "" {
		method = http.MethodGet
	}
	if a.form != nil {
		body = strings.NewReader(a.form.Encode())
	}
	path, query, _ := strings.Cut(a.path, "?")
	if p.query != "" {
		query = strings.TrimPrefix(query+"&"+p.query, "&")
	}
	u := *d.base
	u.Path, u.RawQuery = path, query
	r, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("User-Agent", p.agent)
	r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	for _, h := range []http.Header{p.header, a.header} {
		for name, values := range h {
			r.Header[name] = values
		}
	}
	if a.form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if d.key != "" {
		r.Header.Set(d.key, p.from().String())
	}
	res, err := d.client.Do(r)
	if err != nil && d.server == nil && ctx.Err() == nil {
		return answer{}, fault.New(fault.Unavailable, "the site does not answer: "+err.Error()).
			WithHint("start it with masthead serve, or check the newsroom itself by leaving out --url")
	}
	if err != nil {
		return answer{}, fmt.Errorf("%s %s as %s: %w", method, a.path, p.name, err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	if err == nil && len(content) > maxBody {
		err = errors.New("the answer is too large to be checked")
	}
	if err != nil {
		return answer{}, fmt.Errorf("%s %s as %s: %w", method, a.path, p.name, err)
	}
	got := answer{url: u.RequestURI(), status: res.StatusCode, header: res.Header}
	if got.body, err = decode(content, res.Header.Get("Content-Encoding")); err != nil {
		return answer{}, fmt.Errorf("%s %s as %s: %w", method, a.path, p.name, err)
	}
	if got.body != string(content) {
		got.raw = string(content)
	}
	return got, nil
}

// decode undoes the compression that the header names, or that the bytes show.
func decode(content []byte, encoding string) (string, error) {
	if len(content) == 0 {
		return "", nil
	}
	var r io.Reader
	var err error
	switch {
	case encoding == "gzip" || bytes.HasPrefix(content, []byte{0x1f, 0x8b}):
		r, err = gzip.NewReader(bytes.NewReader(content))
	case encoding == "br":
		r = brotli.NewReader(bytes.NewReader(content))
	case encoding == "zstd":
		r, err = zstd.NewReader(bytes.NewReader(content))
	case encoding == "deflate":
		r = flate.NewReader(bytes.NewReader(content))
	case encoding == "" || encoding == "identity":
		return string(content), nil
	default:
		return "", fmt.Errorf("the answer is encoded as %q, which cannot be read", encoding)
	}
	if err != nil {
		return "", err
	}
	plain, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	if err == nil && len(plain) > maxBody {
		err = errors.New("the answer is too large to be checked")
	}
	return string(plain), err
}

// headers gives the values of an answer's headers that could tell anything.
func (a answer) headers() string {
	var b strings.Builder
	for name, values := range a.header {
		if !slices.Contains([]string{"Content-Security-Policy", "Permissions-Policy", "Date", "Set-Cookie"}, name) {
			b.WriteString(strings.Join(values, "\n"))
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// tag gives the entity tag without its marks of weakness and compression.
func (a answer) tag() string {
	tag := strings.Trim(strings.TrimPrefix(a.header.Get("ETag"), "W/"), `"`)
	for _, suffix := range []string{"-gzip", "-br", "-zstd"} {
		tag = strings.TrimSuffix(tag, suffix)
	}
	return tag
}
