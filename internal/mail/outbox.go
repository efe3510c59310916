package mail

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/mail"
	"golang.org/x/net/html"

	"masthead/internal/fault"
)

// Outbox keeps letters as files NAME.eml in a folder instead of sending them,
// for a demo or for development.
type Outbox struct {
	Now  func() time.Time
	root *os.Root
}

// OpenOutbox opens the folder dir, which is made when absent.
func OpenOutbox(dir string) (*Outbox, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("mail.OpenOutbox: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("mail.OpenOutbox: %w", err)
	}
	return &Outbox{Now: time.Now, root: root}, nil
}

// Close gives the folder back to the system.
func (o *Outbox) Close() error { return o.root.Close() }

// Send implements [Sender]. Whoever lists the folder sees the whole letter or none.
func (o *Outbox) Send(_ context.Context, l Letter) error {
	if l.Date.IsZero() {
		l.Date = o.Now()
	}
	message, err := Compose(l)
	if err != nil {
		return err
	}
	// Names sort by time.
	name := o.Now().UTC().Format("20060102-150405.000000") + "-" + strings.ToLower(rand.Text()[:8])
	temporary := "." + name
	defer o.root.Remove(temporary) // after the rename there is none
	if err := o.root.WriteFile(temporary, message, 0o640); err != nil {
		return fmt.Errorf("mail.Send: %w", fault.NoRoom(err))
	}
	if err := o.root.Rename(temporary, name+".eml"); err != nil {
		return fmt.Errorf("mail.Send: %w", err)
	}
	return nil
}

// Received is a letter read back.
type Received struct {
	Name    string // in the outbox, without .eml
	From    string // "Name <address>"
	To      string
	Subject string
	Date    time.Time // zero where there is none that can be read
	Text    string
	HTML    string
	Link    string            // the first http or https link of the text, else of the HTML
	Header  map[string]string // the other headers, by their canonical names
}

var nameForm = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.-]{0,99}$`)

// List gives the newest letters, newest first, at most limit of them. Files
// that are no letters are left out.
func (o *Outbox) List(ctx context.Context, limit int) ([]Received, error) {
	entries, err := fs.ReadDir(o.root.FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("mail.List: %w", err)
	}
	var all []Received
	for _, e := range slices.Backward(entries) {
		if len(all) == limit || ctx.Err() != nil {
			break
		}
		name, ok := strings.CutSuffix(e.Name(), ".eml")
		if !ok || !nameForm.MatchString(name) {
			continue
		}
		if l, err := o.Read(name); err == nil {
			all = append(all, l)
		}
	}
	return all, ctx.Err()
}

// Read gives the letter of that name; an absent one is fault.NotFound.
func (o *Outbox) Read(name string) (Received, error) {
	absent := fault.New(fault.NotFound, "there is no such letter", "name", name)
	if !nameForm.MatchString(name) {
		return Received{}, absent
	}
	f, err := o.root.Open(name + ".eml")
	if errors.Is(err, fs.ErrNotExist) {
		return Received{}, absent
	}
	if err != nil {
		return Received{}, fmt.Errorf("mail.Read(%s): %w", name, err)
	}
	defer f.Close()
	l, err := Parse(f)
	if err != nil {
		return Received{}, fmt.Errorf("mail.Read(%s): %w", name, err)
	}
	l.Name = name
	return l, nil
}

// largest is how much of a letter is read, bytes.
const largest = 4 << 20

// Parse reads a letter. What is no Internet message at all is fault.Invalid; of
// one that is broken further down it gives what can be read.
func Parse(r io.Reader) (Received, error) {
	m, err := mail.CreateReader(io.LimitReader(r, largest))
	if err != nil && (m == nil || !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err)) {
		return Received{}, fmt.Errorf("%w: %w", fault.New(fault.Invalid, "that is no letter"), err)
	}
	defer m.Close()
	l := Received{Header: map[string]string{}}
	l.Subject, _ = m.Header.Subject()
	l.Date, _ = m.Header.Date()
	l.From, l.To = addresses(m.Header, "From"), addresses(m.Header, "To")
	for fields := m.Header.Fields(); fields.Next(); {
		if key := fields.Key(); key != "From" && key != "To" && key != "Subject" && key != "Date" {
			l.Header[key] = fields.Value()
		}
	}
	for range 100 {
		part, err := m.NextPart()
		if part == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
			break
		}
		inline, ok := part.Header.(*mail.InlineHeader)
		if !ok {
			continue
		}
		content, _ := io.ReadAll(part.Body) // as much as can be read
		text := strings.ReplaceAll(strings.ToValidUTF8(string(content), "\ufffd"), "\r\n", "\n")
		switch mime, _, _ := inline.ContentType(); {
		case mime == "text/html" && l.HTML == "":
			l.HTML = text
		case mime == "text/plain" && l.Text == "":
			l.Text = text
		}
	}
	l.Link = cmp.Or(linkForm.FindString(l.Text), firstLink(l.HTML))
	return l, nil
}

func addresses(h mail.Header, key string) string {
	list, err := h.AddressList(key)
	if err != nil {
		return ""
	}
	var all []string
	for _, a := range list {
		if a.Name == "" {
			all = append(all, a.Address)
		} else {
			all = append(all, a.Name+" <"+a.Address+">")
		}
	}
	return strings.Join(all, ", ")
}

var linkForm = regexp.MustCompile(`https?://[^\s<>"']*[^\s<>"'.,;:!?)\]]`)

// firstLink gives the first http or https address that an a of the HTML leads to.
func firstLink(text string) string {
	for z := html.NewTokenizer(strings.NewReader(text)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return ""
		case html.StartTagToken:
			if t := z.Token(); t.Data == "a" {
				for _, a := range t.Attr {
					if a.Key == "href" && linkForm.MatchString(a.Val) && strings.HasPrefix(a.Val, "http") {
						return a.Val
					}
				}
			}
		}
	}
}
