package desk

import (
	"context"
	"strings"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/mail"
	"masthead/internal/plan"
)

// PlanLetter is the letter "letter/plan" about a story, in HTML and in plain text.
type PlanLetter struct {
	*language.Furniture
	SiteName string
	SiteURL  string
	Lang     string
	Dir      string
	Accent   string
	Subject  string
	Sentence string
	Headline string
	Note     string
	Due      string // a deadline, in the newsroom's words and time
	Link     string // absolute
	Me       string // where letters are turned off
}

// SendPlanLetter writes a letter about a story in the newsroom's language,
// unless its reader has left or wants none any more.
func (d *Desk) SendPlanLetter(ctx context.Context, l plan.Letter) error {
	q := d.DB.Read()
	p, err := d.Staff.ByID(ctx, q, l.StaffID)
	if fault.Is(err, fault.NotFound) || err == nil && p.Disabled() {
		return nil
	}
	if err != nil {
		return err
	}
	if wants, err := d.Plans.WantsLetters(ctx, q, p.ID); err != nil || !wants {
		return err
	}
	e, err := d.Stories.EditionByID(ctx, q, l.EditionID)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	lang := d.Config.Language
	words, root := language.Get(lang), d.Config.URL.String()
	headline := e.Headline
	if headline == "" {
		headline = words.T("desk.untitled")
	}
	subject := "desk.tell_subject." + string(l.Event)
	sentence := "desk.tell_sentence." + string(l.Event)
	page := PlanLetter{Furniture: words, Lang: words.FurnitureLang(), Dir: language.Dir(words.FurnitureLang()), SiteName: d.Config.In(lang).Title, SiteURL: root,
		Subject: words.T(subject, headline), Sentence: words.T(sentence, l.By),
		Headline: headline, Note: l.Note, Link: root + "/desk/stories/" + e.ID, Me: root + "/desk/me"}
	if l.Event == plan.TellHeld {
		var why []string
		for _, kind := range strings.Split(l.Note, ", ") {
			key := "desk.check." + kind
			why = append(why, words.T(key))
		}
		page.Note = strings.Join(why, " ")
	}
	if l.At != 0 {
		page.Due = words.DateTime(db.Time(l.At).In(d.Config.Timezone)).Text
	}
	html, err := d.Pages.Bytes("letter/plan", page)
	if err != nil {
		return err
	}
	text, err := d.Pages.Text("letter/plan", page)
	if err != nil {
		return err
	}
	return d.Mail.Send(ctx, mail.Letter{From: d.From, To: mail.Address{Email: p.Email, Name: p.Name}, Subject: page.Subject, Text: text, HTML: string(html), Lang: page.Lang})
}
