package mail

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"masthead/internal/fault"
)

// Security is how the line to the mail server is protected.
type Security string

// The securities.
const (
	StartTLS Security = "starttls" // begins in the clear and must turn to TLS; port 587. The default.
	TLS      Security = "tls"      // TLS from the first byte; port 465
	Clear    Security = "none"     // for a server on the same machine or wire
)

// SMTPConfig tells the mail server that takes the newsroom's letters.
type SMTPConfig struct {
	Address  string // host:port
	Security Security
	Username string // "" for a server that asks for none
	Password string
	Hello    string         // the name this machine tells; "" is its own
	Timeout  time.Duration  // of connecting and of each command; 0 is 30 seconds
	DKIM     *DKIM          // nil sends unsigned, for a server that signs itself
	RootCAs  *x509.CertPool // nil trusts what the system trusts
}

// DKIM signs letters (RFC 6376), so that receivers know that the domain sent them.
type DKIM struct {
	Domain   string
	Selector string // the key is published at SELECTOR._domainkey.DOMAIN
	Key      crypto.Signer
}

// ParseKey reads a DKIM key, RSA or Ed25519, from PEM (PKCS #8 or #1).
func ParseKey(text []byte) (crypto.Signer, error) {
	bad := fault.New(fault.Invalid, "that is no DKIM key").WithHint("make one with: openssl genpkey -algorithm ed25519")
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, bad
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, bad
	}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return key, nil
	case ed25519.PrivateKey:
		return key, nil
	}
	return nil, bad
}

// SMTP sends letters through a mail server, over lines that it keeps open for
// a while. It may be used by many goroutines at once.
type SMTP struct {
	config SMTPConfig
	host   string

	mu   sync.Mutex
	idle []*line
}

// line is an open connection to the server.
type line struct {
	*smtp.Client
	conn    net.Conn
	used    time.Time
	letters int
}

// A line is left when it has rested or worked this long, before servers lose patience.
const (
	lineRest    = 30 * time.Second
	lineLetters = 100
	linesKept   = 4
)

// NewSMTP gives a sender through the server that c tells. It does not connect yet.
func NewSMTP(c SMTPConfig) (*SMTP, error) {
	host, port, err := net.SplitHostPort(c.Address)
	if err != nil || host == "" || port == "" {
		return nil, fault.New(fault.Invalid, "that is no address of a mail server", "address", c.Address).WithHint("write it as host:port, e.g. smtp.example.org:587")
	}
	c.Security = cmp.Or(c.Security, StartTLS)
	if c.Security != StartTLS && c.Security != TLS && c.Security != Clear {
		return nil, fault.New(fault.Invalid, "no such security of mail", "security", c.Security).WithHint("write starttls, tls or none")
	}
	if c.Username != "" && c.Security == Clear && !loopback(host) {
		return nil, fault.New(fault.Invalid, "the mail server's password would be sent in the clear").WithHint("use starttls or tls")
	}
	c.Timeout = cmp.Or(c.Timeout, 30*time.Second)
	if c.Hello == "" {
		if c.Hello, err = os.Hostname(); err != nil {
			c.Hello = "localhost"
		}
	}
	return &SMTP{config: c, host: host}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Send implements [Sender].
func (s *SMTP) Send(ctx context.Context, l Letter) error {
	message, err := Compose(l)
	if err != nil {
		return err
	}
	if message, err = s.sign(message); err != nil {
		return fmt.Errorf("mail.Send: sign: %w", err)
	}
	from, err := l.From.check()
	if err != nil {
		return err
	}
	to, err := l.To.check()
	if err != nil {
		return err
	}
	for {
		c, rested, err := s.line(ctx)
		if err != nil {
			return told("connect", err)
		}
		op, err := c.send(ctx, from.Address, to.Address, message)
		if err == nil {
			s.keep(c)
			return nil
		}
		c.Close()
		if _, answered := errors.AsType[*smtp.SMTPError](err); rested && !answered && op == "MAIL" && ctx.Err() == nil {
			continue // the server had hung up; nothing has been sent
		}
		return told(op, err)
	}
}

func (s *SMTP) sign(message []byte) ([]byte, error) {
	k := s.config.DKIM
	if k == nil {
		return message, nil
	}
	var b bytes.Buffer
	err := dkim.Sign(&b, bytes.NewReader(message), &dkim.SignOptions{
		Domain: k.Domain, Selector: k.Selector, Signer: k.Key,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
		HeaderKeys: []string{"From", "To", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type",
			"Content-Transfer-Encoding", "Content-Language", "List-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "Auto-Submitted"},
	})
	return b.Bytes(), err
}

// line gives an open line; rested tells that it has been used before.
func (s *SMTP) line(ctx context.Context) (c *line, rested bool, err error) {
	s.mu.Lock()
	for len(s.idle) > 0 {
		c = s.idle[len(s.idle)-1]
		s.idle = s.idle[:len(s.idle)-1]
		if time.Since(c.used) < lineRest {
			s.mu.Unlock()
			return c, true, nil
		}
		c.Close()
	}
	s.mu.Unlock()
	c, err = s.dial(ctx)
	return c, false, err
}

func (s *SMTP) keep(c *line) {
	c.used = time.Now()
	c.letters++
	s.mu.Lock()
	kept := c.letters < lineLetters && len(s.idle) < linesKept
	if kept {
		s.idle = append(s.idle, c)
	}
	s.mu.Unlock()
	if !kept {
		c.Quit()
	}
}

// Close hangs up the lines that rest.
func (s *SMTP) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.idle {
		c.Quit()
	}
	s.idle = nil
	return nil
}

func (s *SMTP) dial(ctx context.Context) (*line, error) {
	dialer := net.Dialer{Timeout: s.config.Timeout}
	conn, err := dialer.DialContext(ctx, "tcp", s.config.Address)
	if err != nil {
		return nil, err
	}
	// The client's own timeouts can only be set after STARTTLS, which may hang too.
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	c, err := s.greet(ctx, conn)
	if err != nil {
		conn.Close()
		return nil, cmp.Or(ctx.Err(), err)
	}
	return c, nil
}

func (s *SMTP) greet(ctx context.Context, conn net.Conn) (*line, error) {
	secure := &tls.Config{ServerName: s.host, RootCAs: s.config.RootCAs, MinVersion: tls.VersionTLS12}
	c := &line{conn: conn}
	switch s.config.Security {
	case TLS:
		over := tls.Client(conn, secure)
		if err := over.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		c.Client = smtp.NewClient(over)
	case StartTLS:
		client, err := smtp.NewClientStartTLS(conn, secure)
		if err != nil {
			return nil, err
		}
		c.Client = client
	case Clear:
		c.Client = smtp.NewClient(conn)
	}
	c.CommandTimeout, c.SubmissionTimeout = s.config.Timeout, 4*s.config.Timeout
	if err := c.Hello(s.config.Hello); err != nil {
		return nil, err
	}
	if s.config.Username == "" {
		return c, nil
	}
	switch {
	case c.SupportsAuth(sasl.Plain):
		return c, c.Auth(sasl.NewPlainClient("", s.config.Username, s.config.Password))
	case c.SupportsAuth(sasl.Login):
		return c, c.Auth(sasl.NewLoginClient(s.config.Username, s.config.Password))
	}
	return nil, errors.New("the server offers neither AUTH PLAIN nor AUTH LOGIN")
}

// send gives the server one letter, and tells which command failed.
func (c *line) send(ctx context.Context, from, to string, message []byte) (op string, err error) {
	stop := context.AfterFunc(ctx, func() { c.conn.Close() })
	defer stop()
	if err := c.Mail(from, nil); err != nil {
		return "MAIL", cmp.Or(ctx.Err(), err)
	}
	if err := c.Rcpt(to, nil); err != nil {
		return "RCPT", cmp.Or(ctx.Err(), err)
	}
	w, err := c.Data()
	if err == nil {
		_, err = w.Write(message)
		if err == nil {
			err = w.Close()
		}
	}
	return "DATA", cmp.Or(ctx.Err(), err)
}

// told makes a fault of what the server answered: 5xx is for ever (RFC 5321
// §4.2.1), everything else, and every trouble with the line or with signing in,
// may be mended by trying again.
func told(op string, err error) error {
	kind := fault.New(fault.Unavailable, "the letter could not be sent now", "at", op)
	if answer, ok := errors.AsType[*smtp.SMTPError](err); ok && op != "connect" && !answer.Temporary() {
		kind = fault.New(fault.Invalid, "the mail server refuses the letter", "at", op, "code", answer.Code)
	}
	return fmt.Errorf("mail.Send: %w: %w", kind, err)
}
