package web

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"masthead/internal/fault"
)

func TestAnswer(t *testing.T) {
	var log bytes.Buffer
	r := testRenderer(t, map[string]string{"site/layout.html": `{{define "layout"}}{{.Status}} {{.Message}} {{.RequestID}}{{end}}`, "site/error/error.html": ` `})
	a := &Answer{Renderer: r, Log: slog.New(slog.NewTextHandler(&log, nil)),
		ErrorPage: func(r *http.Request, f Failure) (string, any) { return "site/error", f }}
	fail := errors.New("secret: disk on fire")
	mux := http.NewServeMux()
	mux.Handle("/gone", a.Page(func(w http.ResponseWriter, r *http.Request) error { return fault.New(fault.Gone, "withdrawn") }))
	mux.Handle("/broken", a.Page(func(w http.ResponseWriter, r *http.Request) error { return fail }))
	mux.Handle("/busy", a.Page(func(w http.ResponseWriter, r *http.Request) error { return fault.New(fault.TooMany, "slower") }))
	mux.Handle("/api", a.API(func(w http.ResponseWriter, r *http.Request) error {
		return fault.New(fault.PaymentRequired, "a tier is needed", "tier", "circle").WithHint("subscribe")
	}))
	mux.Handle("/big", a.API(func(w http.ResponseWriter, r *http.Request) error {
		_, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 2))
		return err
	}))
	h, err := Shield(mux, ShieldOptions{Log: a.Log})
	if err != nil {
		t.Fatal(err)
	}
	get := func(path, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		req := httptest.NewRequest("GET", path, strings.NewReader(body))
		req.Header.Set("X-Request-Id", "test-request-1")
		h.ServeHTTP(w, req)
		return w
	}
	if w := get("/gone", ""); w.Code != 410 || w.Body.String() != "410 withdrawn test-request-1" {
		t.Errorf("gone: %d %q", w.Code, w.Body)
	}
	w := get("/broken", "")
	if w.Code != 500 || strings.Contains(w.Body.String(), "secret") || !strings.Contains(w.Body.String(), "test-request-1") {
		t.Errorf("broken: %d %q", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "disk on fire") {
		t.Error("the internal fault was not logged")
	}
	if w := get("/busy", ""); w.Code != 429 || w.Header().Get("Retry-After") == "" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("busy: %d %v", w.Code, w.Header())
	}
	w = get("/api", "")
	var problem map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil || w.Code != 402 || problem["detail"] != "a tier is needed" || problem["hint"] != "subscribe" ||
		w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("api: %d %s %v", w.Code, w.Body, err)
	}
	if w := get("/big", "xxxx"); w.Code != 413 {
		t.Errorf("big: %d", w.Code)
	}
}

func TestShield(t *testing.T) {
	mux := http.NewServeMux()
	var ip netip.Addr
	var secure bool
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		ip, secure = ClientIP(r.Context()), Secure(r)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, strings.Repeat("a long page ", 500))
	})
	mux.HandleFunc("/panic", func(w http.ResponseWriter, r *http.Request) { panic("boom") })
	h, err := Shield(mux, ShieldOptions{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	if err != nil {
		t.Fatal(err)
	}
	do := func(req *http.Request) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		return w
	}

	w := do(httptest.NewRequest("GET", "/panic", nil))
	if w.Code != 500 || strings.Contains(w.Body.String(), "boom") {
		t.Errorf("panic: %d %q", w.Code, w.Body)
	}
	for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Permissions-Policy", "Cross-Origin-Opener-Policy", "X-Request-Id"} {
		if w.Header().Get(name) == "" {
			t.Errorf("panic answer lacks %s", name)
		}
	}

	req := httptest.NewRequest("GET", "/", nil)
	req.Header.Set("Accept-Encoding", "gzip")
	w = do(req)
	z, err := gzip.NewReader(w.Body)
	if err != nil || w.Header().Get("Content-Encoding") != "gzip" {
		t.Fatalf("not compressed: %v %v", w.Header(), err)
	}
	if b, err := io.ReadAll(z); err != nil || len(b) != 6000 {
		t.Errorf("compressed page: %d bytes, %v", len(b), err)
	}
	if w := do(httptest.NewRequest("GET", "/", nil)); w.Header().Get("Content-Encoding") != "" {
		t.Error("compressed for a client that does not take it")
	}

	for _, c := range []struct {
		site   string
		method string
		want   int
	}{{"cross-site", "POST", 403}, {"same-origin", "POST", 200}, {"cross-site", "GET", 200}, {"", "POST", 200}} {
		req := httptest.NewRequest(c.method, "/", nil)
		if c.site != "" {
			req.Header.Set("Sec-Fetch-Site", c.site)
		}
		if w := do(req); w.Code != c.want {
			t.Errorf("%s from %q: %d, want %d", c.method, c.site, w.Code, c.want)
		}
	}

	for _, c := range []struct {
		remote, forwarded, proto, want string
		secure                         bool
	}{
		{"192.0.2.1:99", "", "", "192.0.2.1", false},
		{"192.0.2.1:99", "203.0.113.9", "https", "192.0.2.1", false}, // a stranger is not believed
		{"10.0.0.5:99", "203.0.113.9", "https", "203.0.113.9", true},
		{"10.0.0.5:99", "198.51.100.1, 203.0.113.9, 10.1.1.1", "http", "203.0.113.9", false}, // what stands left may be invented
		{"10.0.0.5:99", "nonsense", "", "10.0.0.5", false},
		{"[::ffff:192.0.2.7]:99", "", "", "192.0.2.7", false},
	} {
		req := httptest.NewRequest("GET", "/", nil)
		req.RemoteAddr = c.remote
		req.Header.Set("X-Forwarded-For", c.forwarded)
		req.Header.Set("X-Forwarded-Proto", c.proto)
		do(req)
		if ip.String() != c.want || secure != c.secure {
			t.Errorf("%+v: got %v secure %v", c, ip, secure)
		}
	}
	if _, err := Shield(mux, ShieldOptions{Origins: []string{"no origin"}}); err == nil {
		t.Error("a malformed origin was accepted")
	}
}

func TestSigner(t *testing.T) {
	old, fresh := bytes.Repeat([]byte("o"), 32), bytes.Repeat([]byte("n"), 32)
	signed := Signer{Keys: [][]byte{old}}.Sign("meter", "3:abc|é")
	both := Signer{Keys: [][]byte{fresh, old}}
	if got, err := both.Verify("meter", signed); err != nil || got != "3:abc|é" {
		t.Errorf("old key: %q, %v", got, err)
	}
	if _, err := (Signer{Keys: [][]byte{fresh}}).Verify("meter", signed); !errors.Is(err, ErrSignature) {
		t.Error("a dropped key still verifies")
	}
	if _, err := both.Verify("session", signed); !errors.Is(err, ErrSignature) {
		t.Error("a value signed for one purpose passes for another")
	}
	for i := range signed {
		for _, b := range []byte{'A', 'z', '.', '='} {
			if signed[i] == b {
				continue
			}
			forged := signed[:i] + string(b) + signed[i+1:]
			if got, err := both.Verify("meter", forged); err == nil {
				t.Errorf("forged at %d: %q passes as %q", i, forged, got)
			}
		}
	}
}

func FuzzVerify(f *testing.F) {
	s := Signer{Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}}
	good := s.Sign("n", "value")
	f.Add(good)
	f.Add("a.b")
	f.Fuzz(func(t *testing.T, signed string) {
		if got, err := s.Verify("n", signed); err == nil && s.Sign("n", got) != signed {
			t.Errorf("%q passes as %q", signed, got)
		}
	})
}

func TestCookies(t *testing.T) {
	s := Signer{Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}}
	h, err := Shield(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, ok := s.Signed(r, "meter")
		if ok {
			io.WriteString(w, got)
		}
		s.SetSigned(w, r, "meter", "7", time.Hour)
	}), ShieldOptions{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	if err != nil {
		t.Fatal(err)
	}
	for _, proto := range []string{"http", "https"} {
		req := httptest.NewRequest("GET", "/", nil)
		req.RemoteAddr = "10.0.0.1:1"
		req.Header.Set("X-Forwarded-Proto", proto)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		c := w.Result().Cookies()[0]
		secure := proto == "https"
		if c.Name != CookieName("meter", secure) || c.Secure != secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.MaxAge != 3600 {
			t.Errorf("%s: cookie %+v", proto, c)
		}
		again := httptest.NewRequest("GET", "/", nil)
		again.RemoteAddr, again.Header = req.RemoteAddr, req.Header.Clone()
		again.AddCookie(c)
		w = httptest.NewRecorder()
		h.ServeHTTP(w, again)
		if w.Body.String() != "7" {
			t.Errorf("%s: read back %q", proto, w.Body)
		}
	}
}

func TestNotModified(t *testing.T) {
	at := time.Date(2026, 11, 23, 10, 0, 0, 500, time.UTC)
	tag := ETag("a", "b")
	if tag == ETag("ab", "") {
		t.Error("parts run together")
	}
	for _, c := range []struct {
		name, value, method string
		want                bool
	}{
		{"If-None-Match", tag, "GET", true},
		{"If-None-Match", "W/" + tag, "HEAD", true},
		{"If-None-Match", strings.TrimSuffix(tag, `"`) + `-gzip"`, "GET", true},
		{"If-None-Match", `"x", ` + tag, "GET", true},
		{"If-None-Match", "*", "GET", true},
		{"If-None-Match", `"x"`, "GET", false},
		{"If-None-Match", tag, "POST", false},
		{"If-Modified-Since", at.Format(http.TimeFormat), "GET", true},
		{"If-Modified-Since", at.Add(-time.Second).Format(http.TimeFormat), "GET", false},
		{"If-Modified-Since", "yesterday", "GET", false},
		{"X", "", "GET", false},
	} {
		req := httptest.NewRequest(c.method, "/", nil)
		req.Header.Set(c.name, c.value)
		w := httptest.NewRecorder()
		if got := NotModified(w, req, tag, at); got != c.want || got && w.Code != 304 {
			t.Errorf("%s %s: %s: %v (%d), want %v", c.method, c.name, c.value, got, w.Code, c.want)
		}
	}
}

func TestAssets(t *testing.T) {
	dist := fstest.MapFS{
		"manifest.json":   {Data: []byte(`{"files":{"site.css":"site-1.css","a.woff2":"a-2.woff2"},"preloads":{"":["a.woff2"],"ar":["site.css"]}}`)},
		"site-1.css":      {Data: []byte("body{}")},
		"site-1.css.br":   {Data: []byte("BR")},
		"site-1.css.gz":   {Data: []byte("GZ")},
		"a-2.woff2":       {Data: []byte("font")},
		"not-in-manifest": {Data: []byte("no")},
	}
	theme, err := ReadTheme(fstest.MapFS{"style.css": {Data: []byte("h1{}")}}, Look{Accent: "#7a1f2b"})
	if err != nil {
		t.Fatal(err)
	}
	a, err := NewAssets(dist, theme)
	if err != nil {
		t.Fatal(err)
	}
	if a.URL("site.css") != "/assets/site-1.css" || len(a.Preloads("de")) != 1 || a.Preloads("ar-EG")[0] != "/assets/site-1.css" || !strings.HasPrefix(a.ThemeURL(), "/assets/theme-") {
		t.Errorf("addresses: %q %v %q", a.URL("site.css"), a.Preloads("de"), a.ThemeURL())
	}
	for _, c := range []struct{ path, accept, want, encoding string }{
		{"/assets/site-1.css", "gzip, br", "BR", "br"}, {"/assets/site-1.css", "gzip, br;q=0", "GZ", "gzip"}, {"/assets/site-1.css", "", "body{}", ""},
		{"/assets/a-2.woff2", "gzip, br", "font", ""}, {a.ThemeURL(), "br", string(theme.CSS()), ""},
	} {
		req := httptest.NewRequest("GET", c.path, nil)
		req.Header.Set("Accept-Encoding", c.accept)
		w := httptest.NewRecorder()
		a.ServeHTTP(w, req)
		if w.Code != 200 || w.Body.String() != c.want || w.Header().Get("Content-Encoding") != c.encoding || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s (%s): %d %q %v", c.path, c.accept, w.Code, w.Body, w.Header())
		}
	}
	for _, path := range []string{"/assets/not-in-manifest", "/assets/manifest.json", "/assets/../manifest.json", "/assets/site-1.css.br"} {
		w := httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != 404 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if _, err := NewAssets(fstest.MapFS{}, Theme{}); fault.Hint(err) != "run make build" {
		t.Errorf("an unbuilt front end says %v", err)
	}
}

func TestTheme(t *testing.T) {
	for _, accent := range []string{"#fff000", "red", "#12345", "#gggggg", "url(x)", "#0b4a58;}"} {
		if _, err := ReadTheme(nil, Look{Accent: accent}); err == nil {
			t.Errorf("accent %q was accepted", accent)
		}
	}
	theme, err := ReadTheme(nil, Look{Accent: "#7a1f2b"})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := Contrast(theme.Look.dark().accent, paperDark); err != nil || c < 7 {
		t.Errorf("dark accent %s has contrast %.1f, %v", theme.Look.dark().accent, c, err)
	}
}

func TestCSP(t *testing.T) {
	plain := CSP{}.String()
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
		if !strings.Contains(plain, want) {
			t.Errorf("policy lacks %s", want)
		}
	}
	if strings.Contains(plain, "unsafe") || strings.Contains(plain, "frame-src") {
		t.Errorf("policy allows too much: %s", plain)
	}
	if got := (CSP{Frames: []string{"https://player.example"}}).String(); !strings.Contains(got, "frame-src https://player.example") {
		t.Error(got)
	}
}
