package page_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/page"
)

// newPage makes a page of text, with a hole after the first line when it says HOLE.
func newPage(t testing.TB, r page.Rendered) *page.Page {
	t.Helper()
	m := page.NewMarker()
	if mark, err := m.Mark("who"); err != nil {
		t.Fatal(err)
	} else {
		r.Body = bytes.ReplaceAll(r.Body, []byte("HOLE"), []byte(mark))
	}
	r.Marker = m
	p, err := page.New(r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func long(s string) []byte { return []byte(strings.Repeat("<p>A line of a story.</p>\n", 1500) + s) }

func who(name string) page.Holes {
	return page.Holes{{Name: "who", HTML: []byte(name), Personal: name != "", Source: "/hole/who?a=1&b=2"}}
}

// answer serves p to a request with headers given as "Name: value".
func answer(t testing.TB, p *page.Page, holes page.Holes, o page.Options, method string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, "/", nil)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	if err := p.Serve(w, r, holes, o); err != nil {
		t.Fatal(err)
	}
	return w.Result()
}

func read(t testing.TB, r *http.Response) string {
	t.Helper()
	var src io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		src = z
	}
	b, err := io.ReadAll(src)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestNegotiation(t *testing.T) {
	p := newPage(t, page.Rendered{Body: long("HOLE end")})
	tests := []struct {
		accept []string
		gzip   bool
	}{
		{nil, false},
		{[]string{""}, false},
		{[]string{"gzip, deflate, br, zstd"}, true},
		{[]string{"br", "GZIP"}, true},
		{[]string{"x-gzip"}, true},
		{[]string{"br"}, false},
		{[]string{"*"}, true},
		{[]string{"*;q=0"}, false},
		{[]string{"*;q=0, gzip"}, true},
		{[]string{"gzip;q=0"}, false},
		{[]string{"gzip;q=0.000, *"}, false},
		{[]string{"gzip; q=0.001"}, true},
		{[]string{"gzip ; Q=1.000"}, true},
		{[]string{"gzip;q=0.5, identity"}, false},
		{[]string{"gzip;q=0.5, identity;q=0.5"}, true},
		{[]string{"identity;q=0"}, false}, // nothing is acceptable; plain bytes serve best
		{[]string{"gzip;q=x"}, false},
		{[]string{"gzip;q=0.1234"}, false},
		{[]string{"gzip;level=1"}, false},
		{[]string{"notgzip"}, false},
	}
	for _, test := range tests {
		var headers []string
		for _, a := range test.accept {
			headers = append(headers, "Accept-Encoding: "+a)
		}
		got := answer(t, p, who("Ada"), page.Options{}, "GET", headers...)
		if z := got.Header.Get("Content-Encoding") == "gzip"; z != test.gzip {
			t.Errorf("Accept-Encoding %q: gzip is %v", test.accept, z)
		}
		sent, err := io.ReadAll(got.Body)
		if n := got.Header.Get("Content-Length"); err != nil || n != fmt.Sprint(len(sent)) {
			t.Errorf("Accept-Encoding %q: Content-Length %s, %d bytes: %v", test.accept, n, len(sent), err)
		}
		got.Body = io.NopCloser(bytes.NewReader(sent))
		if read(t, got) != string(long("Ada end")) {
			t.Errorf("Accept-Encoding %q: the body differs", test.accept)
		}
	}
}

func TestHeaders(t *testing.T) {
	modified := time.Date(2026, 3, 4, 5, 6, 7, 89, time.UTC)
	withHole := newPage(t, page.Rendered{Body: []byte("a HOLE"), Tags: []string{"story-1", "front"}, Modified: modified})
	feed := newPage(t, page.Rendered{Body: []byte("<feed/>"), Type: "application/rss+xml", Tags: []string{"feed"}, Modified: modified})
	gone := newPage(t, page.Rendered{Body: []byte("gone"), Status: 410})
	surrogate := page.Options{Public: "public, s-maxage=60", Surrogate: "max-age=3600"}
	tests := []struct {
		name    string
		page    *page.Page
		holes   page.Holes
		options page.Options
		status  int
		want    http.Header // without ETag and Content-Length
	}{
		{"personal", withHole, who("Ada"), surrogate, 200, http.Header{
			"Cache-Control": {"private, no-cache"}, "Vary": {"Accept-Encoding, Cookie"}, "Content-Type": {"text/html; charset=utf-8"}}},
		{"public with a hole", withHole, who(""), surrogate, 200, http.Header{
			"Cache-Control": {"public, s-maxage=60"}, "Vary": {"Accept-Encoding, Cookie"}, "Content-Type": {"text/html; charset=utf-8"},
			"Surrogate-Control": {"max-age=3600"}, "Surrogate-Key": {"story-1 front"}, "Xkey": {"story-1 front"}}},
		{"feed", feed, nil, page.Options{}, 200, http.Header{
			"Cache-Control": {"public, no-cache"}, "Vary": {"Accept-Encoding"}, "Content-Type": {"application/rss+xml"},
			"Last-Modified": {"Wed, 04 Mar 2026 05:06:07 GMT"}}},
		{"feed made personal", feed, nil, page.Options{Personal: true}, 200, http.Header{
			"Cache-Control": {"private, no-cache"}, "Vary": {"Accept-Encoding, Cookie"}, "Content-Type": {"application/rss+xml"}}},
		{"chosen by cookie", gone, nil, page.Options{ByCookie: true}, 410, http.Header{
			"Cache-Control": {"public, no-cache"}, "Vary": {"Accept-Encoding, Cookie"}, "Content-Type": {"text/html; charset=utf-8"}}},
		{"ESI", withHole, who("Ada"), page.Options{ESI: true, Surrogate: "max-age=3600"}, 200, http.Header{
			"Cache-Control": {"private, no-cache"}, "Vary": {"Accept-Encoding"}, "Content-Type": {"text/html; charset=utf-8"},
			"Surrogate-Control": {`max-age=3600, content="ESI/1.0"`}, "Surrogate-Key": {"story-1 front"}, "Xkey": {"story-1 front"}}},
		{"tags of holes", withHole, who(""), page.Options{Surrogate: "max-age=3600", Tags: []string{"lists"}}, 200, http.Header{
			"Cache-Control": {"public, no-cache"}, "Vary": {"Accept-Encoding, Cookie"}, "Content-Type": {"text/html; charset=utf-8"},
			"Surrogate-Control": {"max-age=3600"}, "Surrogate-Key": {"story-1 front lists"}, "Xkey": {"story-1 front lists"}}},
	}
	for _, test := range tests {
		got := answer(t, test.page, test.holes, test.options, "GET")
		test.want.Set("Accept-Ranges", "none")
		got.Header.Del("ETag")
		got.Header.Del("Content-Length")
		if diff := cmp.Diff(test.want, got.Header); diff != "" || got.StatusCode != test.status {
			t.Errorf("%s: status %d; -want +got\n%s", test.name, got.StatusCode, diff)
		}
	}
}

func TestCookieMakesPrivate(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("Vary", "Accept-Language")
	http.SetCookie(w, &http.Cookie{Name: "meter", Value: "1"})
	if err := newPage(t, page.Rendered{Body: []byte("x")}).Serve(w, httptest.NewRequest("GET", "/", nil), nil, page.Options{Public: "public, s-maxage=60"}); err != nil {
		t.Fatal(err)
	}
	if got := w.Header()["Cache-Control"]; !cmp.Equal(got, []string{"private, no-cache"}) {
		t.Errorf("Cache-Control %q beside a cookie", got)
	}
	if got := w.Header()["Vary"]; !cmp.Equal(got, []string{"Accept-Language", "Accept-Encoding, Cookie"}) {
		t.Errorf("Vary %q", got)
	}
}

func TestESI(t *testing.T) {
	o := page.Options{ESI: true}
	got := read(t, answer(t, newPage(t, page.Rendered{Body: []byte("a HOLE b")}), who("Ada"), o, "GET", "Accept-Encoding: gzip"))
	if want := `a <esi:include src="/hole/who?a=1&amp;b=2" onerror="continue"/> b`; got != want {
		t.Errorf("ESI form %q, want %q", got, want)
	}
	r := answer(t, newPage(t, page.Rendered{Body: []byte(`a HOLE <esi:include src="/evil"/>`)}), who("Ada"), o, "GET")
	if body := read(t, r); !strings.HasPrefix(body, "a Ada ") || r.Header.Get("Surrogate-Control") != "" || r.Header.Get("Cache-Control") != "private, no-cache" {
		t.Errorf("a page with an instruction in its text went out for ESI: %q %v", body, r.Header)
	}
	own := page.Holes{{Name: "who", HTML: []byte("Ada"), Personal: true}} // has no address to be had from
	r = answer(t, newPage(t, page.Rendered{Body: []byte("a HOLE b")}), own, o, "GET")
	if body := read(t, r); body != "a Ada b" || r.Header.Get("Surrogate-Control") != "" || r.Header.Get("Cache-Control") != "private, no-cache" {
		t.Errorf("a hole without a source went out for ESI: %q %v", body, r.Header)
	}
	// Whichever way an instruction is written, it keeps a page, and a page with a
	// hole that says so, from being put together elsewhere.
	for _, text := range []string{"<esi:remove>", "</esi:try>", "<ESI:vars>", "<!--esi x-->", "<![CDATA["} {
		r = answer(t, newPage(t, page.Rendered{Body: []byte(text + "HOLE")}), who("Ada"), o, "GET")
		m := page.NewMarker()
		first, _ := m.Mark("who")
		second, _ := m.Mark("other")
		two, err := page.New(page.Rendered{Body: []byte(first + second), Marker: m})
		if err != nil {
			t.Fatal(err)
		}
		r2 := answer(t, two, append(who("Ada"), page.Hole{Name: "other", HTML: []byte(text)}), o, "GET")
		if read(t, r) != text+"Ada" || read(t, r2) != "Ada"+text || r.Header.Get("Surrogate-Control")+r2.Header.Get("Surrogate-Control") != "" {
			t.Errorf("%s was left to a cache that speaks ESI: %v", text, r.Header)
		}
	}
	// What a cookie was set beside is for one visitor, so the page is whole and no cache keeps it.
	w := httptest.NewRecorder()
	http.SetCookie(w, &http.Cookie{Name: "meter", Value: "1"})
	if err := newPage(t, page.Rendered{Body: []byte("a HOLE b")}).Serve(w, httptest.NewRequest("GET", "/", nil), who("Ada"), o); err != nil {
		t.Fatal(err)
	}
	if w.Body.String() != "a Ada b" || w.Header().Get("Surrogate-Control") != "" || w.Header().Get("Cache-Control") != "private, no-cache" {
		t.Errorf("beside a cookie: %q %v", w.Body, w.Header())
	}
	r1 := httptest.NewRequest("GET", "/", nil)
	speaks := page.SpeaksESI(r1)
	r1.Header.Set("Surrogate-Capability", `varnish="Surrogate/1.0 ESI/1.0"`)
	if speaks || !page.SpeaksESI(r1) {
		t.Error("SpeaksESI errs")
	}
}

func TestETagAnd304(t *testing.T) {
	p := newPage(t, page.Rendered{Body: long("HOLE")})
	tag := func(p *page.Page, name string, headers ...string) string {
		return answer(t, p, who(name), page.Options{}, "GET", headers...).Header.Get("ETag")
	}
	const gz = "Accept-Encoding: gzip"
	all := map[string]string{}
	for what, v := range map[string]string{
		"Ada": tag(p, "Ada"), "Ada, gzip": tag(p, "Ada", gz), "Eve": tag(p, "Eve"), "nobody": tag(p, ""),
		"another text":  tag(newPage(t, page.Rendered{Body: long("HOLE.")}), "Ada"),
		"hole moved":    tag(newPage(t, page.Rendered{Body: append([]byte("HOLE"), long("")...)}), "Ada"),
		"another type":  tag(newPage(t, page.Rendered{Body: long("HOLE"), Type: "text/plain"}), "Ada"),
		"text for hole": answer(t, newPage(t, page.Rendered{Body: long("Ada")}), nil, page.Options{}, "GET").Header.Get("ETag"),
	} {
		if before, ok := all[v]; ok || v == "" {
			t.Errorf("%s and %s have the tag %s", before, what, v)
		}
		all[v] = what
	}
	if again := newPage(t, page.Rendered{Body: long("HOLE")}); tag(again, "Ada") != tag(p, "Ada") {
		t.Error("the same page has another tag on another node")
	}
	ada, adaGzip := tag(p, "Ada"), tag(p, "Ada", gz)
	tests := []struct {
		method  string
		headers []string
		status  int
	}{
		{"GET", []string{"If-None-Match: " + ada}, 304},
		{"HEAD", []string{"If-None-Match: " + ada}, 304},
		{"POST", []string{"If-None-Match: " + ada}, 200},
		{"GET", []string{gz, "If-None-Match: " + adaGzip}, 304},
		{"GET", []string{gz, "If-None-Match: " + strings.TrimPrefix(adaGzip, "W/")}, 304},
		{"GET", []string{gz, "If-None-Match: " + ada}, 200},
		{"GET", []string{`If-None-Match: "x", W/` + ada}, 304},
		{"GET", []string{`If-None-Match: "x"`, "If-None-Match: " + ada}, 304},
		{"GET", []string{"If-None-Match: *"}, 304},
		{"GET", []string{"If-None-Match: " + tag(p, "Eve")}, 200},
		{"GET", []string{"If-None-Match:"}, 200},
		{"GET", []string{"If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT"}, 200}, // a hole has no date
	}
	for _, test := range tests {
		r := answer(t, p, who("Ada"), page.Options{}, test.method, test.headers...)
		if r.StatusCode != test.status {
			t.Errorf("%s %q: %d, want %d", test.method, test.headers, r.StatusCode, test.status)
		}
		if r.StatusCode == 304 && (read(t, r) != "" || r.Header.Get("ETag") == "" || r.Header.Get("Vary") == "" ||
			r.Header.Get("Cache-Control") != "private, no-cache" || r.Header.Get("Content-Length") != "" || r.Header.Get("Content-Type") != "") {
			t.Errorf("%s %q: headers of 304: %v", test.method, test.headers, r.Header)
		}
	}

	feed := newPage(t, page.Rendered{Body: []byte("<feed/>"), Modified: time.Date(2026, 3, 4, 5, 6, 7, 89, time.UTC)})
	for since, status := range map[string]int{
		"Wed, 04 Mar 2026 05:06:07 GMT": 304, "Wed, 04 Mar 2026 05:06:06 GMT": 200, "yesterday": 200,
	} {
		if r := answer(t, feed, nil, page.Options{}, "GET", "If-Modified-Since: "+since); r.StatusCode != status {
			t.Errorf("If-Modified-Since %s: %d, want %d", since, r.StatusCode, status)
		}
	}
	gone := newPage(t, page.Rendered{Body: []byte("x"), Status: 410})
	if r := answer(t, gone, nil, page.Options{}, "GET", "If-None-Match: *"); r.StatusCode != 410 {
		t.Errorf("410 became %d", r.StatusCode)
	}
}

func TestHeadAndRange(t *testing.T) {
	p := newPage(t, page.Rendered{Body: long("HOLE")})
	get := answer(t, p, who("Ada"), page.Options{}, "GET", "Accept-Encoding: gzip")
	head := answer(t, p, who("Ada"), page.Options{}, "HEAD", "Accept-Encoding: gzip")
	if diff := cmp.Diff(get.Header, head.Header); diff != "" || head.StatusCode != 200 || read(t, &http.Response{Body: head.Body}) != "" {
		t.Errorf("HEAD: %d; -GET +HEAD\n%s", head.StatusCode, diff)
	}
	part := answer(t, p, who("Ada"), page.Options{}, "GET", "Range: bytes=0-9", "If-Range: "+get.Header.Get("ETag"))
	if part.StatusCode != 200 || part.Header.Get("Content-Range") != "" || part.Header.Get("Accept-Ranges") != "none" || read(t, part) != string(long("Ada")) {
		t.Errorf("Range: %d %v", part.StatusCode, part.Header)
	}
}

func TestMissingHoleWritesNothing(t *testing.T) {
	w := httptest.NewRecorder()
	err := newPage(t, page.Rendered{Body: []byte("HOLE")}).Serve(w, httptest.NewRequest("GET", "/", nil), page.Holes{{Name: "other"}}, page.Options{})
	if err == nil || w.Body.Len() > 0 || len(w.Header()) > 0 {
		t.Errorf("error %v, %d bytes, headers %v", err, w.Body.Len(), w.Header())
	}
}

// TestOverTheWire reads pages of many sizes through a real server and client,
// and counts the bytes.
func TestOverTheWire(t *testing.T) {
	var p *page.Page
	var content string
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := p.Serve(w, r, who(content), page.Options{}); err != nil {
			t.Error(err)
		}
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	plain := httptest.NewServer(server.Config.Handler)
	defer plain.Close()

	for _, size := range []int{0, 100, 3000, 70_000, 600_000} {
		content = strings.Repeat("<b>Ada</b>", size/20+1)
		text := strings.Repeat("<p>Some text, and some more.</p>\n", size/30)
		p = newPage(t, page.Rendered{Body: []byte(text + "HOLE" + text)})
		want := text + content + text
		for proto, s := range map[string]*httptest.Server{"HTTP/1.1": plain, "HTTP/2.0": server} {
			client := s.Client()
			client.Transport.(*http.Transport).DisableCompression = true
			for _, coding := range []string{"gzip", "identity"} {
				for _, method := range []string{"GET", "HEAD", "GET"} {
					r, err := http.NewRequest(method, s.URL, nil)
					if err != nil {
						t.Fatal(err)
					}
					r.Header.Set("Accept-Encoding", coding)
					got, err := client.Do(r)
					if err != nil {
						t.Fatal(err)
					}
					body, err := io.ReadAll(got.Body)
					got.Body.Close()
					if err != nil || got.Proto != proto || len(got.TransferEncoding) > 0 || got.ContentLength < 0 {
						t.Fatalf("%s %s %s: %v, %s, transfer %v, length %d", method, coding, proto, err, got.Proto, got.TransferEncoding, got.ContentLength)
					}
					if method == "HEAD" {
						continue
					}
					if int(got.ContentLength) != len(body) {
						t.Errorf("%s %s: Content-Length %d, %d bytes", coding, proto, got.ContentLength, len(body))
					}
					got.Body = io.NopCloser(bytes.NewReader(body))
					if read(t, got) != want {
						t.Errorf("%s %s, %d bytes: the page differs", coding, proto, size)
					}
				}
			}
		}
	}
}
