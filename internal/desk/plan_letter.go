package desk

import (
	"cmp"
	"context"
	"strings"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/plan"
	"masthead/internal/staff"
)

// PlanLetter is the letter "letter/plan" about a story, or something else at the
// desk, in HTML and in plain text.
type PlanLetter struct {
	Envelope
	Subject  string
	Sentence string
	Headline string // what it is about
	Note     string
	Due      string // a deadline, in the newsroom's words and time
	Link     string // absolute
	Me       string // where letters are turned off
}

// notice begins a letter in the newsroom's language to one who works here; ok
// is false when he has left or wants none any more.
func (d *Desk) notice(ctx context.Context, staffID string) (to staff.Person, page PlanLetter, ok bool, err error) {
	q := d.DB.Read()
	to, err = d.Staff.ByID(ctx, q, staffID)
	if fault.Is(err, fault.NotFound) || err == nil && to.Disabled() {
		return to, page, false, nil
	}
	if err == nil {
		ok, err = d.Plans.WantsLetters(ctx, q, to.ID)
	}
	page = PlanLetter{Envelope: d.envelope(d.Config.Language)}
	page.Me = page.SiteURL + "/desk/me"
	return to, page, ok, err
}

// planLetter begins a notice about a story; ok is false, too, when that is gone.
func (d *Desk) planLetter(ctx context.Context, staffID, editionID string) (to staff.Person, page PlanLetter, ok bool, err error) {
	to, page, ok, err = d.notice(ctx, staffID)
	if err != nil || !ok {
		return to, page, false, err
	}
	e, err := d.Stories.EditionByID(ctx, d.DB.Read(), editionID)
	if err != nil {
		if fault.Is(err, fault.NotFound) {
			err = nil
		}
		return to, page, false, err
	}
	page.Headline = cmp.Or(e.Headline, page.T("desk.untitled"))
	page.Link = page.SiteURL + "/desk/stories/" + e.ID
	return to, page, true, nil
}

// SendPlanLetter writes a letter about a story, unless its reader has left or
// wants none any more.
func (d *Desk) SendPlanLetter(ctx context.Context, l plan.Letter) error {
	to, page, ok, err := d.planLetter(ctx, l.StaffID, l.EditionID)
	if err != nil || !ok {
		return err
	}
	subject := "desk.tell_subject." + string(l.Event)
	sentence := "desk.tell_sentence." + string(l.Event)
	page.Subject, page.Sentence, page.Note = page.T(subject, page.Headline), page.T(sentence, l.By), l.Note
	if l.Event == plan.TellHeld {
		var why []string
		for _, kind := range strings.Split(l.Note, ", ") {
			key := "desk.check." + kind
			why = append(why, page.T(key))
		}
		page.Note = strings.Join(why, " ")
	}
	if l.At != 0 {
		page.Due = page.DateTime(db.Time(l.At).In(d.Config.Timezone)).Text
	}
	return d.post(ctx, to, page.Lang, page.Subject, "letter/plan", page)
}
