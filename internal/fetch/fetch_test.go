package fetch_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"masthead/internal/fault"
	"masthead/internal/fetch"
)

func TestPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"93.184.216.34": true, "8.8.8.8": true, "2606:4700::1111": true, "2a00:1450:4001:80b::200e": true,
		"::ffff:8.8.8.8": true, "64:ff9b::8.8.8.8": true, "2002:0808:0808::1": true, "172.32.0.1": true, "100.128.0.1": true,
		"127.0.0.1": false, "127.255.255.254": false, "0.0.0.0": false, "0.1.2.3": false, "10.1.2.3": false, "172.16.0.1": false,
		"172.31.255.255": false, "192.168.1.1": false, "169.254.169.254": false, "100.64.0.1": false, "100.127.255.255": false,
		"192.0.0.1": false, "192.0.2.1": false, "198.18.0.1": false, "198.51.100.1": false, "203.0.113.1": false, "224.0.0.1": false,
		"239.1.1.1": false, "240.0.0.1": false, "255.255.255.255": false, "::": false, "::1": false, "::127.0.0.1": false,
		"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:169.254.169.254": false, "64:ff9b::127.0.0.1": false,
		"64:ff9b::a00:1": false, "64:ff9b:1::1": false, "2002:7f00:1::": false, "2002:c0a8:101::1": false, "fc00::1": false,
		"fd12:3456::1": false, "fe80::1": false, "fe80::1%eth0": false, "fec0::1": false, "ff02::1": false, "2001:db8::1": false,
		"2001::1": false, "100::1": false,
	} {
		if got := fetch.Public(netip.MustParseAddr(address)); got != want {
			t.Errorf("Public(%s) = %t", address, got)
		}
	}
	if fetch.Public(netip.Addr{}) {
		t.Error("no address at all is public")
	}
}

// inside is a server that nobody from outside may reach; it counts who did.
func inside(t *testing.T) (s *httptest.Server, hits *atomic.Int32) {
	hits = new(atomic.Int32)
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		io.WriteString(w, "secret")
	}))
	t.Cleanup(s.Close)
	return s, hits
}

func port(t *testing.T, s *httptest.Server) int {
	t.Helper()
	return s.Listener.Addr().(*net.TCPAddr).Port
}

func TestTricks(t *testing.T) {
	s, hits := inside(t)
	p := port(t, s)
	// The port is allowed, so that only the address can be what is refused.
	client := fetch.New(fetch.Options{Ports: []int{80, 443, p}, Resolver: resolver(t, func(string) []string { return []string{"127.0.0.1"} }), Timeout: 5 * time.Second})
	for _, host := range []string{"127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0x7f.1", "0", "0.0.0.0", "[::1]", "[::]",
		"[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1%25lo]", "①②⑦.0.0.1", "127。0。0。1",
		"rebind.example", "169.254.169.254", "10.0.0.1", "127.0.0.1.", "localhost."} {
		b, err := client.Get(context.Background(), fmt.Sprintf("http://%s:%d/", host, p), 100)
		if err == nil || string(b) != "" {
			t.Errorf("%s gave %q", host, b)
		} else if !fault.Is(err, fault.Forbidden) && !fault.Is(err, fault.Unavailable) && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", host, err)
		}
	}
	// These reach the check of the address itself, not a failed lookup.
	for _, host := range []string{"127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "rebind.example", "169.254.169.254", "0.0.0.0"} {
		if _, err := client.Get(context.Background(), fmt.Sprintf("http://%s:%d/", host, p), 100); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s: %v", host, err)
		}
	}
	for _, address := range []string{"ftp://example.org/", "file:///etc/passwd", "gopher://example.org/", "//example.org", "example.org", "",
		"http://", "http:///x", "http:example.org", "javascript:alert(1)", "http://example.org:22/", "http://example.org:99999/",
		"http://user@example.org/", "http://example.org@127.0.0.1/", "http://user:pass@example.org/", "http://exa mple.org/", "http://[::1"} {
		if _, err := client.Get(context.Background(), address, 100); !fault.Is(err, fault.Forbidden) && !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", address, err)
		}
	}
	if n := hits.Load(); n > 0 {
		t.Errorf("the inside was reached %d times", n)
	}
}

// A name that is public when asked first and private afterwards is refused
// where it matters: at each connection.
func TestRebinding(t *testing.T) {
	s, hits := inside(t)
	var asked atomic.Int32
	client := fetch.New(fetch.Options{Ports: []int{port(t, s)}, Timeout: 3 * time.Second, Resolver: resolver(t, func(string) []string {
		asked.Add(1)
		return []string{"127.0.0.1", "192.168.0.1"}
	})})
	for range 3 {
		if _, err := client.Get(context.Background(), fmt.Sprintf("http://rebind.example:%d/", port(t, s)), 100); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%v", err)
		}
	}
	if asked.Load() == 0 || hits.Load() > 0 {
		t.Errorf("asked %d times, reached %d times", asked.Load(), hits.Load())
	}
}

// A redirect is checked like the address itself. The first server stands for a
// public one, reached through a transport that leads its name to it.
func TestRedirects(t *testing.T) {
	s, hits := inside(t)
	var target string
	public := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, target, http.StatusFound)
	}))
	defer public.Close()
	client := fetch.New(fetch.Options{Ports: []int{80, port(t, s)}, Timeout: 3 * time.Second})
	transport := client.HTTP().Transport.(*http.Transport)
	guarded := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == "public.example:80" {
			return net.Dial("tcp", public.Listener.Addr().String())
		}
		return guarded(ctx, network, address)
	}
	for _, target = range []string{"http://169.254.169.254/latest/meta-data/", s.URL, "http://[::ffff:127.0.0.1]:80/", "ftp://public.example/",
		"file:///etc/passwd", "http://user@public.example/", "http://public.example:8080/", "http://public.example/"} {
		if _, err := client.Get(context.Background(), "http://public.example/", 100); !fault.Is(err, fault.Forbidden) {
			t.Errorf("redirect to %s: %v", target, err)
		}
	}
	if n := hits.Load(); n > 0 {
		t.Errorf("the inside was reached %d times", n)
	}
}

func TestGet(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.UserAgent()) })
	mux.HandleFunc("/gone", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusGone) })
	mux.HandleFunc("/broken", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ok", http.StatusMovedPermanently) })
	mux.HandleFunc("/large", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, strings.Repeat("x", 101)) })
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		for {
			if _, err := fmt.Fprint(w, strings.Repeat("x", 1000)); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	s := httptest.NewServer(mux)
	defer s.Close()
	client := fetch.New(fetch.Options{AllowPrivate: true, Timeout: 500 * time.Millisecond, Agent: "Masthead/test"})
	ctx := context.Background()
	for path, want := range map[string]fault.Kind{"/none": fault.NotFound, "/gone": fault.Gone, "/broken": fault.Unavailable,
		"/large": fault.TooLarge, "/endless": fault.TooLarge, "/slow": fault.Unavailable} {
		if b, err := client.Get(ctx, s.URL+path, 100); !fault.Is(err, want) {
			t.Errorf("%s: %.20q, %v", path, b, err)
		}
	}
	for _, path := range []string{"/ok", "/moved"} {
		b, err := client.Get(ctx, s.URL+path, int64(len("Masthead/test")))
		if err != nil || string(b) != "Masthead/test" {
			t.Errorf("%s: %q, %v", path, b, err)
		}
	}
	r, err := client.Open(ctx, s.URL+"/moved", 100)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.URL.Path != "/ok" {
		t.Errorf("ended at %s", r.URL)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := client.Get(ended, s.URL+"/ok", 100); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.Scheme = "ftp"
	if _, err := client.Get(ctx, u.String(), 100); !fault.Is(err, fault.Forbidden) {
		t.Errorf("AllowPrivate allows ftp: %v", err)
	}
}

// resolver answers every name of "….example" as answer tells, over real DNS packets.
func resolver(t *testing.T, answer func(name string) []string) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	go func() {
		for buffer := make([]byte, 1500); ; {
			n, from, err := server.ReadFrom(buffer)
			if err != nil {
				return
			}
			server.WriteTo(reply(buffer[:n], answer), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// reply answers a DNS question (RFC 1035 §4) of type A.
func reply(question []byte, answer func(string) []string) []byte {
	end := 12
	var labels []string
	for question[end] != 0 {
		n := int(question[end])
		labels = append(labels, string(question[end+1:end+1+n]))
		end += 1 + n
	}
	kind := binary.BigEndian.Uint16(question[end+1:])
	end += 5
	out := append([]byte{}, question[:end]...)
	out[2], out[3] = 0x81, 0x80
	for i := 6; i < 12; i++ { // answers, authorities, additional: none so far
		out[i] = 0
	}
	name := strings.Join(labels, ".")
	if kind != 1 || !strings.HasSuffix(name, ".example") {
		return out
	}
	for _, a := range answer(name) {
		out[7]++
		out = append(out, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
		ip := netip.MustParseAddr(a).As4()
		out = append(out, ip[:]...)
	}
	return out
}
