package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"masthead/internal/config"
	"masthead/internal/fault"
)

// certificates is the folder, in the newsroom's, of the certificates that were
// obtained by ACME and their keys. Its owner alone may read it.
const certificates = "certificates"

// How often the files of a certificate are looked at, at most, and how long
// before its end the log begins to tell of it, once a day.
const (
	certLook = 10 * time.Second
	certWarn = 14 * 24 * time.Hour
)

// identity proves to browsers that this is url's host.
type identity struct {
	log  *slog.Logger
	now  func() time.Time
	find func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	acme *autocert.Manager // nil where the certificate stands in files
	host string

	mu     sync.Mutex
	ends   time.Time // of the certificate that was shown last
	warned time.Time // when the log was told that it ends soon
	failed string    // the last fault that the log was told of
}

// newIdentity gives nil where the site's own listener does not speak TLS. A
// certificate that cannot be read is fault.Invalid.
func newIdentity(c config.Config, log *slog.Logger) (*identity, error) {
	if !c.TLS() {
		return nil, nil
	}
	id := &identity{log: log, now: time.Now, host: c.URL.Hostname()}
	if c.TLSAuto {
		id.acme = &autocert.Manager{
			Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(filepath.Join(c.Dir, certificates)),
			HostPolicy: autocert.HostWhitelist(id.host), Client: &acme.Client{DirectoryURL: c.ACMEDirectory, UserAgent: "masthead"},
		}
		id.find = id.acme.GetCertificate
		return id, nil
	}
	files := &certFiles{cert: c.TLSCert, key: c.TLSKey, now: id.now, log: log}
	if err := files.read(); err != nil {
		return nil, fault.New(fault.Invalid, "the certificate cannot be used: "+err.Error()).
			WithHint("tls-cert is the chain and tls-key its key, both PEM, as %s and %s", c.TLSCert, c.TLSKey)
	}
	id.find = files.get
	return id, nil
}

// config is what the listener speaks: TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1.
func (id *identity) config() *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: id.certificate, NextProtos: []string{"h2", "http/1.1"}}
	if id.acme != nil {
		c.NextProtos = append(c.NextProtos, acme.ALPNProto)
	}
	return c
}

// certificate gives the one to show. The log hears once of each fault, and
// nothing of strangers who ask for other names.
func (id *identity) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	cert, err := id.find(hello)
	if err != nil {
		if strings.EqualFold(strings.TrimSuffix(hello.ServerName, "."), id.host) {
			id.tell(err)
		}
		return nil, err
	}
	if leaf := cert.Leaf; leaf != nil && len(hello.SupportedProtos) != 1 { // a challenge's certificate is no news
		id.shown(leaf)
	}
	return cert, nil
}

func (id *identity) tell(err error) {
	id.mu.Lock()
	defer id.mu.Unlock()
	if text := err.Error(); text != id.failed {
		id.failed = text
		id.log.Error("there is no certificate; nobody can reach the site by https", "host", id.host, "error", err)
	}
}

func (id *identity) shown(leaf *x509.Certificate) {
	id.mu.Lock()
	defer id.mu.Unlock()
	now := id.now()
	if !leaf.NotAfter.Equal(id.ends) || id.failed != "" {
		id.ends, id.failed = leaf.NotAfter, ""
		id.log.Info("certificate in use", "host", id.host, "ends", leaf.NotAfter, "issuer", leaf.Issuer.CommonName)
	}
	if leaf.NotAfter.Sub(now) < certWarn && now.Sub(id.warned) > 24*time.Hour {
		id.warned = now
		id.log.Warn("the certificate ends soon", "host", id.host, "ends", leaf.NotAfter)
	}
}

// obtain asks for the certificate before the first visitor does.
func (id *identity) obtain(ctx context.Context) {
	if id.acme == nil {
		return
	}
	for wait := time.Minute; ; wait = min(2*wait, time.Hour) { // ACME servers count failures
		_, err := id.certificate(&tls.ClientHelloInfo{ServerName: id.host, SupportedVersions: []uint16{tls.VersionTLS13},
			SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256}, SupportedCurves: []tls.CurveID{tls.CurveP256},
			CipherSuites: []uint16{tls.TLS_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}})
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// expiry tells the metrics when the certificate ends, in Unix seconds.
func (id *identity) expiry(registry *prometheus.Registry) {
	registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "masthead_certificate_ends_seconds",
		Help: "When the certificate that was shown last ends, Unix time; 0 before the first."}, func() float64 {
		id.mu.Lock()
		defer id.mu.Unlock()
		if id.ends.IsZero() {
			return 0
		}
		return float64(id.ends.Unix())
	}))
}

// redirect sends plain HTTP to the site, and answers the challenges of ACME.
// Only url's own host is sent there: a stranger's name leads nowhere.
func (id *identity) redirect(c config.Config) http.Handler {
	there := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		switch {
		case !strings.EqualFold(host, id.host):
			http.Error(w, "no such site", http.StatusMisdirectedRequest)
		case r.Method != http.MethodGet && r.Method != http.MethodHead: // what was posted has been readable on its way
			http.Error(w, "this site is at "+c.URL.String(), http.StatusForbidden)
		default:
			http.Redirect(w, r, c.URL.String()+r.URL.RequestURI(), http.StatusMovedPermanently)
		}
	})
	if id.acme == nil {
		return there
	}
	challenge := id.acme.HTTPHandler(there)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h, _, err := net.SplitHostPort(r.Host); err == nil {
			r.Host = h // autocert knows the name without a port
		}
		challenge.ServeHTTP(w, r)
	})
}

// certFiles is a certificate in files, read anew when they change.
type certFiles struct {
	cert, key string
	now       func() time.Time
	log       *slog.Logger

	mu     sync.Mutex
	kept   *tls.Certificate
	stamp  string // of the files that were read last, well or not
	looked time.Time
}

func (f *certFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if since := f.now().Sub(f.looked); since < 0 || since >= certLook {
		f.looked = f.now()
		if stamp, err := f.stamped(); err != nil || stamp != f.stamp {
			if err == nil {
				err = f.readAs(stamp)
			}
			if err != nil {
				f.log.Error("the certificate's files have changed and cannot be used; the old certificate stays", "error", err)
				f.stamp = stamp // not again before they change again
			}
		}
	}
	return f.kept, nil
}

// stamped tells the files' state apart from any other.
func (f *certFiles) stamped() (string, error) {
	var b strings.Builder
	for _, name := range []string{f.cert, f.key} {
		info, err := os.Stat(name)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(&b, info.ModTime().UnixNano(), info.Size())
	}
	return b.String(), nil
}

func (f *certFiles) read() error {
	stamp, err := f.stamped()
	if err != nil {
		return err
	}
	return f.readAs(stamp)
}

func (f *certFiles) readAs(stamp string) error {
	if info, err := os.Stat(f.key); err == nil && info.Mode().Perm()&0o007 != 0 {
		return errors.New(f.key + " can be read by everybody: chmod 640")
	}
	cert, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return err
	}
	f.kept, f.stamp, f.looked = &cert, stamp, f.now()
	return nil
}
