package app

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"masthead/internal/fault"
)

// TestDoor sends raw requests, each with another behind it that must not be
// answered where the connection ends.
func TestDoor(t *testing.T) {
	fail := func(w http.ResponseWriter, r *http.Request, err error) {
		if r.Header.Get("Cookie") != "" {
			t.Error("the error page is made with the cookies that are too many")
		}
		w.WriteHeader(fault.KindOf(err).Status())
	}
	server := newServer(door(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}), fail), slog.New(slog.DiscardHandler))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(l)
	defer server.Close()
	cookies := "Cookie: a=" + strings.Repeat("x", 4000) + strings.Repeat("; b=c", 13000) + "\r\n"
	for _, c := range []struct {
		name, request string
		want          string
		answers       int
	}{
		{"plain", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "200", 2},
		{"long address", "GET /" + strings.Repeat("a", maxAddress) + " HTTP/1.1\r\nHost: a\r\n\r\n", "414", 2},
		{"cookies", "GET / HTTP/1.1\r\nHost: a\r\n" + cookies + "\r\n", "431", 2},
		{"headers", "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("a", maxHeader+8192) + "\r\n\r\n", "431", 1},
		{"chunks", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "200", 1},
		{"HTTP/1.0", "POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n", "200", 1},
	} {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		go io.WriteString(conn, c.request+"GET /second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		in := bufio.NewReader(conn)
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		io.Copy(io.Discard, res.Body)
		answers := 1
		if _, err := http.ReadResponse(in, nil); err == nil {
			answers++
		}
		conn.Close()
		if !strings.HasPrefix(res.Status, c.want) || answers != c.answers {
			t.Errorf("%s: %s and %d answers, want %s and %d", c.name, res.Status, answers, c.want, c.answers)
		}
		if c.name == "cookies" {
			if set := res.Header.Values("Set-Cookie"); len(set) != 2 || !strings.Contains(set[0], "Max-Age=0") || res.Header.Get("Clear-Site-Data") != `"cookies"` {
				t.Errorf("no way out: %q", set)
			}
		}
	}
}
