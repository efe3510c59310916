package mail

import (
	"bytes"
	"context"
	"fmt"
	"io"
	stdmail "net/mail"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/emersion/go-message/mail"
	"golang.org/x/net/idna"

	"masthead/internal/fault"
)

// Sender sends letters: [SMTP] or [Outbox].
type Sender interface {
	// Send gives l away. fault.Invalid tells that it cannot ever be sent,
	// fault.Unavailable that it may be another time.
	Send(ctx context.Context, l Letter) error
}

// Address is a mailbox and the name of whose it is.
type Address struct{ Name, Email string }

// Letter is one letter to one reader.
type Letter struct {
	From    Address
	To      Address
	ReplyTo Address // the zero Address for none
	Subject string
	Text    string // for those who read plain text; it must be there
	HTML    string // "" for a letter of plain text
	Lang    string // language tag of both, "" when it is not known

	// Unsubscribe is the address that takes the reader off the list with one
	// POST (RFC 8058), for a letter that goes to many; "" for any other.
	Unsubscribe string
	// ListID names the list (RFC 2919), e.g. "weekly.ledger.example"; "" for none.
	ListID string

	Date      time.Time // the zero Time stands for now
	MessageID string    // without its brackets; "" makes one at the sender's domain
}

// Compose writes l as an Internet message (RFC 5322), ready to be sent or
// signed. Line breaks and other control characters in what becomes a header are
// fault.Invalid, as are addresses that are none.
func Compose(l Letter) ([]byte, error) {
	h, err := header(&l)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if l.HTML == "" {
		part := mail.Header{Header: h.Header}
		encoding(&part.Header, "text/plain", l.Text)
		err = writePart(func() (io.WriteCloser, error) { return mail.CreateSingleInlineWriter(&b, part) }, l.Text)
	} else {
		err = writeAlternatives(&b, h, l)
	}
	if err != nil {
		return nil, fmt.Errorf("mail.Compose: %w", err)
	}
	return b.Bytes(), nil
}

func header(l *Letter) (mail.Header, error) {
	var h mail.Header
	for what, s := range map[string]string{"subject": l.Subject, "language": l.Lang, "list": l.ListID, "message ID": l.MessageID,
		"unsubscribe": l.Unsubscribe} {
		if i := strings.IndexFunc(s, unprintable); i >= 0 || !utf8.ValidString(s) {
			return h, fault.New(fault.Invalid, "a line of the letter's header holds a character that may not be there", "where", what, "text", s)
		}
	}
	if strings.TrimSpace(l.Text) == "" {
		return h, fault.New(fault.Invalid, "the letter has no plain text")
	}
	from, err := l.From.check()
	if err != nil {
		return h, err
	}
	to, err := l.To.check()
	if err != nil {
		return h, err
	}
	h.SetAddressList("From", []*mail.Address{from})
	h.SetAddressList("To", []*mail.Address{to})
	if l.ReplyTo != (Address{}) {
		reply, err := l.ReplyTo.check()
		if err != nil {
			return h, err
		}
		h.SetAddressList("Reply-To", []*mail.Address{reply})
	}
	if l.Date.IsZero() {
		l.Date = time.Now()
	}
	h.SetDate(l.Date)
	h.SetSubject(l.Subject)
	_, domain, _ := strings.Cut(from.Address, "@")
	if l.MessageID == "" {
		err = h.GenerateMessageIDWithHostname(domain)
		if err != nil {
			return h, fmt.Errorf("mail.Compose: %w", err)
		}
	} else if strings.ContainsAny(l.MessageID, " <>") || strings.Count(l.MessageID, "@") != 1 {
		return h, fault.New(fault.Invalid, "that is no message ID", "id", l.MessageID)
	} else {
		h.SetMessageID(l.MessageID)
	}
	if l.Lang != "" {
		h.Set("Content-Language", l.Lang)
	}
	if l.Unsubscribe != "" {
		u, err := url.Parse(l.Unsubscribe)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.ContainsAny(l.Unsubscribe, "<> ") {
			return h, fault.New(fault.Invalid, "the address to unsubscribe at is none", "address", l.Unsubscribe)
		}
		h.Set("List-Unsubscribe", "<"+u.String()+">")
		h.Set("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	} else {
		h.Set("Auto-Submitted", "auto-generated") // RFC 3834: no holiday notes back
	}
	if l.ListID != "" {
		if strings.ContainsAny(l.ListID, "<> ") {
			return h, fault.New(fault.Invalid, "that is no list ID", "id", l.ListID)
		}
		h.Set("List-Id", "<"+l.ListID+">")
	}
	h.Set("Mime-Version", "1.0")
	return h, nil
}

// check gives the address as the header and the envelope want it: the domain in ASCII.
func (a Address) check() (*mail.Address, error) {
	bad := func() error {
		return fault.New(fault.Invalid, "that is no e-mail address", "address", a.Email).WithHint("write it as name@example.org")
	}
	if strings.IndexFunc(a.Name, unprintable) >= 0 || !utf8.ValidString(a.Name) {
		return nil, fault.New(fault.Invalid, "the name holds a character that may not be there", "name", a.Name)
	}
	at := strings.LastIndexByte(a.Email, '@')
	if at < 1 || len(a.Email) > 254 || strings.ContainsFunc(a.Email, func(r rune) bool { return unprintable(r) || unicode.IsSpace(r) }) {
		return nil, bad()
	}
	domain, err := idna.Lookup.ToASCII(a.Email[at+1:])
	if err != nil || !strings.Contains(domain, ".") && domain != "localhost" {
		return nil, bad()
	}
	email := a.Email[:at] + "@" + domain
	parsed, err := stdmail.ParseAddress("<" + email + ">")
	if err != nil || parsed.Address != email || strings.ContainsFunc(email, func(r rune) bool { return r > unicode.MaxASCII || r == '<' || r == '>' || r == '"' }) {
		return nil, bad()
	}
	return &mail.Address{Name: a.Name, Address: email}, nil
}

// CheckAddress tells whether email is an address that letters can be sent to;
// if not, it is fault.Invalid.
func CheckAddress(email string) error {
	_, err := Address{Email: email}.check()
	return err
}

// unprintable are the characters that could end a header line, or turn its
// text around for whoever reads it.
func unprintable(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e'
}

func writeAlternatives(w io.Writer, h mail.Header, l Letter) error {
	both, err := mail.CreateInlineWriter(w, h)
	if err != nil {
		return err
	}
	for _, part := range []struct{ mime, text string }{{"text/plain", l.Text}, {"text/html", l.HTML}} {
		var h mail.InlineHeader
		encoding(&h, part.mime, part.text)
		if err := writePart(func() (io.WriteCloser, error) { return both.CreatePart(h) }, part.text); err != nil {
			return err
		}
	}
	return both.Close()
}

// encoding tells the type, and a transfer encoding that every server carries:
// base64 where most letters are not of ASCII, since it is shorter there.
func encoding(h interface {
	SetContentType(string, map[string]string)
	Set(string, string)
}, mime, text string) {
	h.SetContentType(mime, map[string]string{"charset": "utf-8"})
	foreign := 0
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			foreign++
		}
	}
	if foreign > len(text)/5 {
		h.Set("Content-Transfer-Encoding", "base64")
	} else {
		h.Set("Content-Transfer-Encoding", "quoted-printable")
	}
}

func writePart(create func() (io.WriteCloser, error), text string) error {
	w, err := create()
	if err != nil {
		return err
	}
	text = strings.ReplaceAll(strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\r\n", "\n"), "\n", "\r\n")
	if _, err := io.WriteString(w, text); err != nil {
		return err
	}
	return w.Close()
}
