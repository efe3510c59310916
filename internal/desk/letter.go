package desk

import (
	"context"
	"net/url"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/job"
	"masthead/internal/language"
	"masthead/internal/mail"
	"masthead/internal/staff"
)

// letterLife is how long a mailed link is good.
const letterLife = 30 * time.Minute

// LinkLetter asks for a letter with a link for the desk, to be sent by
// [Desk.SendLink]. It is a job, so that whoever asked cannot tell by the time
// whether anybody has the address.
type LinkLetter struct {
	Email string `json:"email"`
	Lang  string `json:"lang"`
	By    string `json:"by"` // who had it sent: an ID of the staff; "" at the door
}

// Kind implements [job.Args].
func (LinkLetter) Kind() string { return "staff_link" }

var _ job.Args = LinkLetter{}

// Envelope is what every letter of the desk has. The struct of a letter embeds it.
type Envelope struct {
	*language.Furniture
	SiteName string
	SiteURL  string
	Lang     string
	Dir      string
	Accent   string // "#0b4a58"; "" for that of the letters
}

func (d *Desk) envelope(lang string) Envelope {
	words := language.Get(lang)
	return Envelope{Furniture: words, Lang: words.FurnitureLang(), Dir: language.Dir(words.FurnitureLang()),
		SiteName: d.Config.In(lang).Title, SiteURL: d.Config.URL.String(), Accent: d.Config.Accent}
}

// post sends a letter, its HTML and plain text made of a template.
func (d *Desk) post(ctx context.Context, to staff.Person, lang, subject, template string, page any) error {
	html, err := d.Pages.Bytes(template, page)
	if err != nil {
		return err
	}
	text, err := d.Pages.Text(template, page)
	if err != nil {
		return err
	}
	return d.Mail.Send(ctx, mail.Letter{From: d.From, To: mail.Address{Email: to.Email, Name: to.Name}, Subject: subject, Text: text, HTML: string(html), Lang: lang})
}

// StaffLetter is the letter "letter/staff", in HTML and in plain text.
type StaffLetter struct {
	Envelope
	Link    string // absolute
	Minutes int    // its life
}

// SendLink writes the letter, unless nobody at work here has the address. The
// link is made now and stands nowhere but in the letter.
func (d *Desk) SendLink(ctx context.Context, l LinkLetter) error {
	p, err := d.Staff.ByEmail(ctx, d.DB.Read(), l.Email)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) || err == nil && p.Disabled() {
		return nil
	}
	if err != nil {
		return err
	}
	var token string
	err = d.DB.InTx(ctx, func(tx *db.Tx) (err error) {
		if token, err = d.Staff.OneTimeLink(ctx, tx, p.ID, letterLife); err != nil {
			return err
		}
		who, by := p, "the door"
		if l.By != "" {
			if who, err = d.Staff.ByID(ctx, tx, l.By); err != nil {
				return err
			}
			by = "a colleague"
		}
		return d.Staff.Record(ctx, tx, staff.Entry{Who: who, Act: staff.AskLink, Object: "staff:" + p.ID, Detail: map[string]string{"from": by}})
	})
	if err != nil {
		return err
	}
	page := StaffLetter{Envelope: d.envelope(l.Lang), Minutes: int(letterLife / time.Minute)}
	page.Link = page.SiteURL + "/desk/signin?token=" + url.QueryEscape(token)
	p.Name = "" // the link is for an address
	return d.post(ctx, p, page.Lang, page.T("desk.letter.subject", page.SiteName), "letter/staff", page)
}
