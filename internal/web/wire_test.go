package web

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// wires makes every connection a wire.
type wires struct{ net.Listener }

func (l wires) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return NewWire(c.(*net.TCPConn)), nil
}

// wired serves a shielded handler whose quick answers go over wires.
func wired(t *testing.T, quick func(w http.ResponseWriter, r *http.Request) bool, change func(s *http.Server)) string {
	t.Helper()
	h, err := Shield(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/panic" {
			panic("boom")
		}
		io.WriteString(w, "the long way")
	}), ShieldOptions{Quick: quick})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.Listener = wires{s.Listener}
	s.Config.ConnContext = ConnContext
	if change != nil {
		change(s.Config)
	}
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// send gives a page of so many bytes, as the page engine does.
func send(w http.ResponseWriter, r *http.Request, n int) {
	w.Header()["Content-Length"] = []string{strconv.Itoa(n)}
	if r.URL.Query().Has("304") {
		w.Header().Del("Content-Length")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	w.(interface{ Expect(int) }).Expect(n)
	w.Write(bytes.Repeat([]byte("x"), n))
}

// TestWire asks for answers of all sizes and kinds over one connection, and
// looks whether each is whole and has every header once.
func TestWire(t *testing.T) {
	addr := wired(t, func(w http.ResponseWriter, r *http.Request) bool {
		n, err := strconv.Atoi(strings.Trim(r.URL.Path, "/"))
		if err != nil {
			if r.URL.Path == "/quick-panic" {
				panic("boom")
			}
			return false
		}
		send(w, r, n)
		return true
	}, nil)
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in := bufio.NewReader(c)
	for _, test := range []struct {
		method, path, headers string
		status, length        int
	}{
		{"GET", "/7000", "", 200, 7000},
		{"GET", "/10", "", 200, 10},
		{"GET", "/1", "", 200, 1},
		{"GET", "/0", "", 200, 0},
		{"HEAD", "/7000", "", 200, 0},
		{"GET", "/7000?304", "", 304, 0},
		{"GET", "/60000", "", 200, 60000},
		{"GET", "/300000", "", 200, 300000},
		{"GET", "/other", "", 200, 12},
		{"HEAD", "/other", "", 200, 0},
		{"GET", "/panic", "", 500, -1},
		{"GET", "/quick-panic", "", 500, -1},
		{"POST", "/7000", "Content-Length: 0\r\n", 200, 12},
		{"GET", "/4000", "", 200, 4000},
		{"GET", "/3500", "", 200, 3500},
	} {
		fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n", test.method, test.path, test.headers)
		c.SetReadDeadline(time.Now().Add(5 * time.Second))
		resp, err := http.ReadResponse(in, &http.Request{Method: test.method})
		if err != nil {
			t.Fatalf("%s %s: %v", test.method, test.path, err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != test.status || test.length >= 0 && len(body) != test.length {
			t.Errorf("%s %s: %s, %d bytes, %v", test.method, test.path, resp.Status, len(body), err)
		}
		for _, h := range fixedHeaders(CSP{}.String()) {
			if got := resp.Header[h.name]; len(got) != 1 || got[0] != h.values[0] {
				t.Errorf("%s %s: %s = %q", test.method, test.path, h.name, got)
			}
		}
		if test.status == 500 && resp.Header.Get("X-Request-Id") == "" {
			t.Errorf("%s %s fails without an ID", test.method, test.path)
		}
	}
	// Two at once, and an old client that closes.
	io.WriteString(c, strings.Repeat("GET /5000 HTTP/1.1\r\nHost: x\r\n\r\n", 3)+"GET /20 HTTP/1.0\r\n\r\n")
	for i, want := range []int{5000, 5000, 5000, 20} {
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatalf("answer %d: %v", i, err)
		}
		if body, err := io.ReadAll(resp.Body); err != nil || len(body) != want || resp.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("answer %d: %d bytes, %v", i, len(body), err)
		}
	}
	if _, err := in.ReadByte(); err != io.EOF {
		t.Errorf("after an answer in HTTP/1.0: %v", err)
	}
}

// TestWireDeadlines holds the connection's timers to what net/http wants, though
// they are hardly ever set.
func TestWireDeadlines(t *testing.T) {
	var slow atomic.Int64
	addr := wired(t, func(w http.ResponseWriter, r *http.Request) bool {
		time.Sleep(time.Duration(slow.Load()))
		send(w, r, 9000)
		return true
	}, func(s *http.Server) {
		s.ReadHeaderTimeout, s.IdleTimeout, s.WriteTimeout = 300*time.Millisecond, 700*time.Millisecond, 2*time.Second
	})
	dial := func() (net.Conn, *bufio.Reader) {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		c.SetDeadline(time.Now().Add(10 * time.Second))
		return c, bufio.NewReader(c)
	}
	ask := func(c net.Conn, in *bufio.Reader) error {
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	ended := func(what string, in *bufio.Reader, least, most time.Duration) {
		began := time.Now()
		_, err := io.Copy(io.Discard, in) // net/http may have a last word
		if took := time.Since(began); err != nil || took < least || took > most {
			t.Errorf("%s: ended after %v with %v, want %v to %v", what, took, err, least, most)
		}
	}
	// Asked again and again for longer than any of the timers, it stays open.
	c, in := dial()
	for range 12 {
		if err := ask(c, in); err != nil {
			t.Fatal("a busy connection:", err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	slow.Store(int64(1200 * time.Millisecond)) // longer than a header may take
	if err := ask(c, in); err != nil {
		t.Error("a slow answer:", err)
	}
	slow.Store(0)
	if err := ask(c, in); err != nil {
		t.Error("after a slow answer:", err)
	}
	ended("an idle connection", in, 500*time.Millisecond, 3*time.Second)
	c, in = dial()
	if err := ask(c, in); err != nil {
		t.Fatal(err)
	}
	io.WriteString(c, "GET / HTTP")
	ended("half a header", in, 200*time.Millisecond, 2*time.Second)
}
