package mail_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"masthead/internal/fault"
	"masthead/internal/mail"
)

// server is a real mail server in this process.
type server struct {
	address string
	roots   *x509.CertPool

	mu       sync.Mutex
	logins   []string // mechanism and user
	sessions int
	got      []received
	rcpt     error // the answer to RCPT
	mechs    []string
}

type received struct {
	from, to string
	secure   bool
	body     []byte
}

type session struct {
	s        *server
	conn     *smtp.Conn
	from, to string
}

func (s *session) Reset()        { s.from, s.to = "", "" }
func (s *session) Logout() error { return nil }
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.s.mu.Lock()
	defer s.s.mu.Unlock()
	s.to = to
	return s.s.rcpt
}
func (s *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	_, secure := s.conn.TLSConnectionState()
	s.s.mu.Lock()
	defer s.s.mu.Unlock()
	s.s.got = append(s.s.got, received{s.from, s.to, secure, b})
	return err
}
func (s *session) AuthMechanisms() []string { return s.s.mechs }
func (s *session) Auth(mech string) (sasl.Server, error) {
	check := func(user, password string) error {
		if user != "news" || password != "secret" {
			return smtp.ErrAuthFailed
		}
		s.s.mu.Lock()
		defer s.s.mu.Unlock()
		s.s.logins = append(s.s.logins, mech+" "+user)
		return nil
	}
	if mech == sasl.Login {
		return &login{check: check}, nil
	}
	return sasl.NewPlainServer(func(_, user, password string) error { return check(user, password) }), nil
}

// login is the server's side of AUTH LOGIN.
type login struct {
	user  *string
	begun bool
	check func(user, password string) error
}

func (l *login) Next(response []byte) (challenge []byte, done bool, err error) {
	switch {
	case response == nil && !l.begun:
		l.begun = true
		return []byte("Username:"), false, nil
	case l.user == nil:
		user := string(response)
		l.user, l.begun = &user, true
		return []byte("Password:"), false, nil
	}
	return nil, true, l.check(*l.user, string(response))
}

func startServer(t *testing.T, security mail.Security) *server {
	t.Helper()
	certificate, roots := certify(t)
	s := &server{roots: roots, mechs: []string{sasl.Plain, sasl.Login}}
	backend := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.sessions++
		return &session{s: s, conn: c}, nil
	}))
	backend.Domain = "mx.reader.example"
	backend.ErrorLog = log.New(io.Discard, "", 0)
	secure := &tls.Config{Certificates: []tls.Certificate{certificate}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = l.Addr().String()
	switch security {
	case mail.TLS:
		l = tls.NewListener(l, secure)
	case mail.StartTLS:
		backend.TLSConfig = secure
	default:
		backend.AllowInsecureAuth = true
	}
	go backend.Serve(l)
	t.Cleanup(func() { backend.Close() })
	return s
}

func certify(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

func (s *server) letters() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got
}

func newSMTP(t *testing.T, c mail.SMTPConfig) *mail.SMTP {
	t.Helper()
	sender, err := mail.NewSMTP(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sender.Close() })
	return sender
}

func TestSMTP(t *testing.T) {
	for _, security := range []mail.Security{mail.StartTLS, mail.TLS, mail.Clear} {
		for _, mech := range []string{sasl.Plain, sasl.Login} {
			t.Run(string(security)+"/"+mech, func(t *testing.T) {
				s := startServer(t, security)
				s.mechs = []string{mech}
				sender := newSMTP(t, mail.SMTPConfig{Address: s.address, Security: security, Username: "news", Password: "secret", RootCAs: s.roots})
				for range 3 {
					if err := sender.Send(context.Background(), letter); err != nil {
						t.Fatal(err)
					}
				}
				got := s.letters()
				if len(got) != 3 || got[0].from != "news@ledger.example" || got[0].to != "noor@reader.example" || got[0].secure != (security != mail.Clear) {
					t.Fatalf("%+v", got)
				}
				l, err := mail.Parse(bytes.NewReader(got[2].body))
				if err != nil || l.Text != letter.Text || l.HTML != letter.HTML {
					t.Errorf("%+v, %v", l, err)
				}
				if len(s.logins) != 1 || s.logins[0] != mech+" news" {
					t.Errorf("logins %v: one line was to carry all three letters", s.logins)
				}
			})
		}
	}
}

func TestSMTPRefusals(t *testing.T) {
	s := startServer(t, mail.StartTLS)
	config := mail.SMTPConfig{Address: s.address, RootCAs: s.roots, Timeout: 2 * time.Second}
	ctx := context.Background()
	answer := func(code int) error { return &smtp.SMTPError{Code: code, Message: "no"} }
	for code, want := range map[int]fault.Kind{550: fault.Invalid, 553: fault.Invalid, 450: fault.Unavailable, 421: fault.Unavailable} {
		s.rcpt = answer(code)
		err := newSMTP(t, config).Send(ctx, letter)
		if !fault.Is(err, want) {
			t.Errorf("%d: %v", code, err)
		}
		if e, ok := errors.AsType[*smtp.SMTPError](err); !ok || e.Code != code {
			t.Errorf("%d: the server's answer is lost: %v", code, err)
		}
	}
	s.rcpt = nil
	wrong := config
	wrong.Username, wrong.Password = "news", "guess"
	if err := newSMTP(t, wrong).Send(ctx, letter); !fault.Is(err, fault.Unavailable) {
		t.Errorf("wrong password: %v", err)
	}
	stranger := config
	stranger.RootCAs = x509.NewCertPool()
	if err := newSMTP(t, stranger).Send(ctx, letter); !fault.Is(err, fault.Unavailable) {
		t.Errorf("unknown certificate: %v", err)
	}
	clear := startServer(t, mail.Clear)
	config.Address = clear.address
	if err := newSMTP(t, config).Send(ctx, letter); !fault.Is(err, fault.Unavailable) || len(clear.letters()) > 0 {
		t.Errorf("a server without STARTTLS: %v", err)
	}
	if n := len(s.letters()); n > 0 {
		t.Errorf("%d letters went out", n)
	}
	for _, bad := range []mail.SMTPConfig{{Address: "smtp.example.org"}, {Address: ":25"}, {Address: "a:25", Security: "ssl"},
		{Address: "smtp.example.org:25", Security: mail.Clear, Username: "u"}} {
		if _, err := mail.NewSMTP(bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// A server that says nothing, or hangs up between letters, stops nobody.
func TestSMTPAway(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // it accepts, and never greets
	for _, security := range []mail.Security{mail.StartTLS, mail.TLS, mail.Clear} {
		begun := time.Now()
		err = newSMTP(t, mail.SMTPConfig{Address: l.Addr().String(), Security: security, Timeout: 200 * time.Millisecond}).Send(context.Background(), letter)
		if !fault.Is(err, fault.Unavailable) || time.Since(begun) > 3*time.Second {
			t.Errorf("a silent server: %v after %v", err, time.Since(begun))
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if err := newSMTP(t, mail.SMTPConfig{Address: l.Addr().String()}).Send(ctx, letter); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the caller's time is up: %v", err)
	}

	s := startServer(t, mail.StartTLS)
	between := &cut{to: s.address}
	between.listen(t)
	sender := newSMTP(t, mail.SMTPConfig{Address: between.address, RootCAs: s.roots, Timeout: 2 * time.Second})
	for range 2 {
		if err := sender.Send(context.Background(), letter); err != nil {
			t.Fatal(err)
		}
		between.hangUp()
	}
	if n := len(s.letters()); n != 2 || s.sessions < 2 {
		t.Errorf("%d letters over %d lines", n, s.sessions)
	}
}

// cut carries bytes to a server until it is told to hang up.
type cut struct {
	to, address string
	mu          sync.Mutex
	conns       []net.Conn
}

func (c *cut) listen(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(); c.hangUp() })
	c.address = l.Addr().String()
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", c.to)
			if err != nil {
				in.Close()
				return
			}
			c.mu.Lock()
			c.conns = append(c.conns, in, out)
			c.mu.Unlock()
			go io.Copy(in, out)
			go io.Copy(out, in)
		}
	}()
}

func (c *cut) hangUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		conn.Close()
	}
	c.conns = nil
}

func TestDKIM(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := mail.ParseKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		if _, err := mail.ParseKey([]byte(bad)); !fault.Is(err, fault.Invalid) {
			t.Errorf("ParseKey(%q): %v", bad, err)
		}
	}
	s := startServer(t, mail.TLS)
	sender := newSMTP(t, mail.SMTPConfig{Address: s.address, Security: mail.TLS, RootCAs: s.roots,
		DKIM: &mail.DKIM{Domain: "ledger.example", Selector: "m1", Key: key}})
	if err := sender.Send(context.Background(), letter); err != nil {
		t.Fatal(err)
	}
	verify := func(message []byte) error {
		found, err := dkim.VerifyWithOptions(bytes.NewReader(message), &dkim.VerifyOptions{LookupTXT: func(domain string) ([]string, error) {
			if domain != "m1._domainkey.ledger.example" {
				return nil, errors.New("asked for " + domain)
			}
			return []string{"v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)}, nil
		}})
		if err != nil || len(found) != 1 {
			return errors.Join(err, errors.New("no signature"))
		}
		return found[0].Err
	}
	message := s.letters()[0].body
	if err := verify(message); err != nil {
		t.Errorf("the signature: %v", err)
	}
	for _, change := range [][2]string{{"482 913", "482 914"}, {"Hello", "Hullo"}, {"news@ledger", "mews@ledger"}} {
		forged := bytes.Replace(message, []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(forged, message) {
			t.Fatalf("%s is not there", change[0])
		}
		if err := verify(forged); err == nil {
			t.Errorf("%s for %s was not noticed", change[1], change[0])
		}
	}
}
