package desk

import (
	"context"

	"masthead/internal/fault"
	"masthead/internal/job"
	"masthead/internal/staff"
	"masthead/internal/webhook"
)

// HookLetter asks for a letter to an owner about a webhook that was switched off
// because it fails, to be sent by [Desk.SendHookLetter].
type HookLetter struct {
	HookID  string `json:"hook_id"`
	StaffID string `json:"staff_id"`
}

// Kind implements [job.Args].
func (HookLetter) Kind() string { return "webhook_letter" }

var _ job.Args = HookLetter{}

// HookLetters gives a letter for each owner among people.
func HookLetters(h webhook.Hook, people []staff.Person) (list []HookLetter) {
	for _, p := range people {
		if p.Role == staff.Owner && !p.Disabled() {
			list = append(list, HookLetter{HookID: h.ID, StaffID: p.ID})
		}
	}
	return list
}

// SendHookLetter writes the letter, unless its reader has left or wants none any
// more, or the webhook is on again or gone.
func (d *Desk) SendHookLetter(ctx context.Context, l HookLetter) error {
	to, page, ok, err := d.notice(ctx, l.StaffID)
	if err != nil || !ok {
		return err
	}
	h, err := d.Hooks.ByID(ctx, d.DB.Read(), l.HookID)
	if fault.Is(err, fault.NotFound) || err == nil && h.OffWhy == "" {
		return nil
	}
	if err != nil {
		return err
	}
	page.Subject, page.Headline = page.T("desk.webhooks.letter_subject", page.SiteName), h.URL
	page.Sentence, page.Note = page.T("desk.webhooks.why."+h.OffWhy), page.T("desk.webhooks.letter_note")
	page.Link = page.SiteURL + "/desk/people/webhooks/" + h.ID
	return d.post(ctx, to, page.Lang, page.Subject, "letter/plan", page)
}
