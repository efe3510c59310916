package app

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"masthead/internal/config"
)

// pair writes the certificate and key of httptest, in files dated at.
func pair(t *testing.T, dir string, at time.Time) (cert, key string) {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	defer s.Close()
	c := s.TLS.Certificates[0]
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: c.Certificate[0]}, key: {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// TestCertificateIsReadAnew changes the files under a running server: a good
// change is taken, a bad one is told once and the old certificate stays.
func TestCertificateIsReadAnew(t *testing.T) {
	var out strings.Builder
	now := time.Now()
	cert, key := pair(t, t.TempDir(), now)
	f := &certFiles{cert: cert, key: key, now: func() time.Time { return now }, log: slog.New(slog.NewTextHandler(&out, nil))}
	if err := f.read(); err != nil {
		t.Fatal(err)
	}
	get := func() *tls.Certificate {
		t.Helper()
		c, err := f.get(nil)
		if err != nil || c == nil {
			t.Fatal(err)
		}
		return c
	}
	first := get()
	if now = now.Add(time.Minute); get() != first {
		t.Error("files that have not changed were read anew")
	}
	pair(t, filepath.Dir(cert), now)
	if now = now.Add(time.Second); get() != first {
		t.Error("the files are looked at with every handshake")
	}
	now = now.Add(certLook)
	second := get()
	if second == first {
		t.Error("changed files were not read anew")
	}
	if err := os.WriteFile(cert, []byte("half a cert"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if now = now.Add(certLook); get() != second {
			t.Error("a broken file took the certificate away")
		}
	}
	if n := strings.Count(out.String(), "the old certificate stays"); n != 1 {
		t.Errorf("the log was told %d times, want once:\n%s", n, &out)
	}
	if err := os.Remove(cert); err != nil {
		t.Fatal(err)
	}
	if now = now.Add(certLook); get() != second {
		t.Error("a file that is gone took the certificate away")
	}
	pair(t, filepath.Dir(cert), now)
	if now = now.Add(certLook); get() == second {
		t.Error("mended files were not read")
	}
}

// TestConnectionsMakeRoom holds more connections open than there may be.
func TestConnectionsMakeRoom(t *testing.T) {
	for _, c := range []struct {
		name        string
		all, each   int
		exempt      bool
		busy        bool // the connections that are held are being answered
		want        int  // status of the one too many
		held, still int  // connections opened before, and how many of them are open after
	}{
		{"all, idle", 4, 100, false, false, 200, 4, 3},
		{"all, busy", 4, 100, false, true, 503, 4, 4},
		{"one address, idle", 100, 4, false, false, 200, 4, 3},
		{"one address, busy", 100, 4, false, true, 503, 4, 4},
		{"one address, trusted", 100, 4, true, true, 200, 4, 4},
		{"room", 100, 100, false, true, 200, 4, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := config.Config{Connections: c.all, ConnectionsPerAddress: c.each}
			s := newConns(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
			if !c.exempt {
				s.exempt = []netip.Prefix{}
			}
			release := make(chan struct{})
			started := make(chan struct{}, 100)
			server := newServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/hold" {
					started <- struct{}{}
					<-release
				}
			}), slog.New(slog.DiscardHandler))
			server.ConnState = s.state
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			go server.Serve(&listener{l.(*net.TCPListener), s, true})
			defer server.Close()
			defer close(release)
			var held []net.Conn
			for range c.held {
				k, err := net.Dial("tcp", l.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer k.Close()
				held = append(held, k)
				if c.busy {
					k.Write([]byte("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n"))
					<-started
				} else {
					for { // until it is on the books
						s.mu.Lock()
						n := len(s.open)
						s.mu.Unlock()
						if n == len(held) {
							break
						}
						time.Sleep(time.Millisecond)
					}
				}
			}
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			res, err := client.Get("http://" + l.Addr().String() + "/")
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != c.want || c.want == 503 && res.Header.Get("Retry-After") == "" {
				t.Errorf("one more: %s, want %d", res.Status, c.want)
			}
			still := 0
			for _, k := range held {
				k.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
				if _, err := k.Read(make([]byte, 1)); err != nil && os.IsTimeout(err) {
					still++
				}
			}
			if still != c.still {
				t.Errorf("%d of the connections held before are open, want %d", still, c.still)
			}
		})
	}
}

func TestSource(t *testing.T) {
	for in, want := range map[string]string{"192.0.2.7:80": "192.0.2.7/32", "[2001:db8:1:2:3::4]:80": "2001:db8:1:2::/64", "[::ffff:192.0.2.7]:1": "192.0.2.7/32"} {
		a, err := net.ResolveTCPAddr("tcp", in)
		if err != nil {
			t.Fatal(err)
		}
		if got := source(a).String(); got != want {
			t.Errorf("source(%s) = %s, want %s", in, got, want)
		}
	}
}

func TestTimeForGrowsWithSize(t *testing.T) {
	for size, want := range map[int64]time.Duration{0: readTimeout, 64 << 10: readTimeout, 16 << 20: 1024 * time.Second, 1 << 50: longest} {
		if got := timeFor(size, readTimeout); got != want {
			t.Errorf("timeFor(%d) = %v, want %v", size, got, want)
		}
	}
}
