package app_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"masthead/internal/app"
)

// authority is a certificate authority of a test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, pool: x509.NewCertPool()}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Quay Root"}, NotBefore: time.Now().Add(-hour),
		NotAfter: time.Now().Add(day), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	var der []byte
	a.key, der = a.make(template, template, nil)
	var err error
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.pool.AddCert(a.cert)
	return a
}

func (a *authority) make(template, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*ecdsa.PrivateKey, []byte) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	if signer == nil {
		signer = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	return key, der
}

// issue writes a certificate for host, and its key, into dir.
func (a *authority) issue(dir, host string, serial int64) (cert, key string) {
	a.t.Helper()
	k, der := a.make(&x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-hour), NotAfter: time.Now().Add(60 * day), KeyUsage: x509.KeyUsageDigitalSignature}, a.cert, a.key)
	keyDER, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{key: {Type: "EC PRIVATE KEY", Bytes: keyDER}, cert: {Type: "CERTIFICATE", Bytes: der}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	return cert, key
}

// serve serves the newsroom as the program does, until the test ends.
func (r *room) serve() (addr string) {
	r.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		defer close(ended)
		ended <- r.Serve(ctx, func(a net.Addr) { ready <- a })
	}()
	r.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			r.t.Error(err)
		}
	})
	select {
	case a := <-ready:
		return a.String()
	case err := <-ended:
		r.t.Fatalf("it does not serve: %v", err)
		return ""
	}
}

// browser speaks to addr whatever name it is asked for.
func (a *authority) browser(addr string, http2 bool) *http.Client {
	var protocols http.Protocols
	protocols.SetHTTP1(!http2)
	protocols.SetHTTP2(http2)
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: a.pool}, Protocols: &protocols, DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, addr)
			}},
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestServeTLS(t *testing.T) {
	ca := newAuthority(t)
	cert, key := ca.issue(t.TempDir(), "quay.example", 2)
	plain := freePort(t)
	r := openRoom(t, settings(t, "", setting{"url": "https://quay.example", "tls-cert": cert, "tls-key": key, "redirect-addr": plain, "ops-addr": ""}))
	r.fill()
	addr := r.serve()

	for _, http2 := range []bool{false, true} {
		res, err := ca.browser(addr, http2).Get("https://quay.example/")
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != 200 || !strings.Contains(string(body), "The Quay") || (res.ProtoMajor == 2) != http2 {
			t.Errorf("http2 %v: %s %s, %d bytes", http2, res.Proto, res.Status, len(body))
		}
		if got := res.Header.Get("Strict-Transport-Security"); got != "max-age=31536000" {
			t.Errorf("http2 %v: Strict-Transport-Security = %q", http2, got)
		}
	}
	if _, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: ca.pool, ServerName: "quay.example", MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 is spoken")
	}

	for _, c := range []struct {
		method, host, path string
		status             int
		location           string
	}{
		{"GET", "quay.example", "/2026/11/x/?a=b", 301, "https://quay.example/2026/11/x/?a=b"},
		{"GET", "QUAY.example:80", "//evil.example/", 301, "https://quay.example//evil.example/"},
		{"GET", "evil.example", "/", 421, ""},
		{"POST", "quay.example", "/signin/", 403, ""},
	} {
		req, _ := http.NewRequest(c.method, "http://"+plain+c.path, nil)
		req.Host = c.host
		res, err := ca.browser(plain, false).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != c.status || res.Header.Get("Location") != c.location || res.Header.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s http://%s%s: %s, Location %q, HSTS %q", c.method, c.host, c.path, res.Status, res.Header.Get("Location"), res.Header.Get("Strict-Transport-Security"))
		}
	}
}

func TestServeWithoutTLSHasNoHSTS(t *testing.T) {
	r := openRoom(t, settings(t, "", setting{"trusted-proxies": "10.0.0.0/8", "ops-addr": ""}))
	res, err := http.Get("http://" + r.serve() + "/")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 200 || res.Header.Get("Strict-Transport-Security") != "" {
		t.Errorf("%s, Strict-Transport-Security = %q", res.Status, res.Header.Get("Strict-Transport-Security"))
	}
}

func TestCertificateThatCannotBeUsed(t *testing.T) {
	ca := newAuthority(t)
	dir := t.TempDir()
	cert, key := ca.issue(dir, "quay.example", 2)
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, files := range map[string][2]string{"readable key": {cert, key}, "no such file": {filepath.Join(dir, "none"), key}, "no certificate": {key, cert}} {
		r := openRoom(t, settings(t, "", setting{"url": "https://quay.example", "tls-cert": files[0], "tls-key": files[1], "ops-addr": ""}))
		if err := (*app.App).Serve(r.App, t.Context(), nil); err == nil || !strings.Contains(err.Error(), "certificate cannot be used") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
