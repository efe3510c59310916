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

// StaffLetter is the letter "letter/staff", in HTML and in plain text.
type StaffLetter struct {
	*language.Furniture
	SiteName string
	SiteURL  string
	Lang     string
	Dir      string
	Accent   string
	Link     string // absolute
	Minutes  int    // its life
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
	words := language.Get(l.Lang)
	page := StaffLetter{Furniture: words, Lang: l.Lang, Dir: language.Dir(l.Lang), SiteName: d.Config.In(l.Lang).Title, SiteURL: d.Config.URL.String(),
		Link: d.Config.URL.String() + "/desk/signin?token=" + url.QueryEscape(token), Minutes: int(letterLife / time.Minute)}
	html, err := d.Pages.Bytes("letter/staff", page)
	if err != nil {
		return err
	}
	text, err := d.Pages.Text("letter/staff", page)
	if err != nil {
		return err
	}
	return d.Mail.Send(ctx, mail.Letter{From: d.From, To: mail.Address{Email: p.Email}, Subject: words.T("desk.letter.subject", page.SiteName),
		Text: text, HTML: string(html), Lang: l.Lang})
}
