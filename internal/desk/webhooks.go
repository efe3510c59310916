package desk

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/staff"
	"masthead/internal/webhook"
)

// WebhooksPage is who is told of what happens. Template: desk/webhooks.
type WebhooksPage struct {
	Base
	Tabs       []Link
	Rows       []WebhookRow
	Events     []Choice
	URL, About string // as typed
	Made       string // the address of the one that was just made
	Secret     string // its secret, this once
	Problem    string
}

// WebhookRow is one receiver.
type WebhookRow struct {
	ID, URL, About, Events string
	Off                    bool
	Failing                language.Moment // without Machine: it is not
	Why                    string          // why it is off
}

// WebhookPage is one receiver, with what was sent. Template: desk/webhook.
type WebhookPage struct {
	Base
	Tabs    []Link
	Hook    WebhookRow
	Choices []Choice
	Rows    []DeliveryRow
	Older   string // address of the page after this; "" for none
	Secret  string // a new one, this once
	Problem string
}

// DeliveryRow is one thing that was sent, or is to be.
type DeliveryRow struct {
	ID, Event, Object string
	State             string // in the desk's words
	Failed            bool
	Attempts          int
	Status            int // 0: no answer
	Answer            string
	At, Next          language.Moment
}

const deliveriesPage = 50

func (d *Desk) webhookRoutes() []Route {
	const one = "/desk/people/webhooks/{hook}"
	return []Route{
		{Pattern: "GET /desk/people/webhooks", Act: staff.KeepTokens, handle: d.webhooks},
		{Pattern: "POST /desk/people/webhooks", Act: staff.KeepTokens, handle: d.webhookMake},
		{Pattern: "GET " + one, Act: staff.KeepTokens, handle: d.webhook},
		{Pattern: "POST " + one + "/change", Act: staff.KeepTokens, handle: d.webhookChange},
		{Pattern: "POST " + one + "/switch", Act: staff.KeepTokens, handle: d.webhookSwitch},
		{Pattern: "POST " + one + "/ping", Act: staff.KeepTokens, handle: d.webhookPing},
		{Pattern: "POST " + one + "/secret", Act: staff.KeepTokens, handle: d.webhookSecret},
		{Pattern: "POST " + one + "/delete", Act: staff.KeepTokens, handle: d.webhookDelete},
		{Pattern: "POST " + one + "/deliveries/{delivery}", Act: staff.KeepTokens, handle: d.webhookAgain},
	}
}

func (d *Desk) webhookRow(b Base, h webhook.Hook) WebhookRow {
	row := WebhookRow{ID: h.ID, URL: h.URL, About: h.About, Off: h.Off(), Failing: d.moment(b, h.FailingSince)}
	var names []string
	for _, e := range h.Events {
		names = append(names, string(e))
	}
	row.Events = strings.Join(names, ", ")
	if key := "desk.webhooks.why." + h.OffWhy; h.OffWhy != "" && b.Has(key) {
		row.Why = b.T(key)
	}
	return row
}

func eventChoices(chosen []webhook.Event) []Choice {
	var list []Choice
	for _, e := range webhook.Events() {
		list = append(list, Choice{Value: string(e), Name: string(e), Current: slices.Contains(chosen, e)})
	}
	return list
}

// webhooks serves "/desk/people/webhooks".
func (d *Desk) webhooks(w http.ResponseWriter, r *http.Request) error {
	return d.webhooksPage(w, r, http.StatusOK, func(*WebhooksPage) {})
}

func (d *Desk) webhooksPage(w http.ResponseWriter, r *http.Request, status int, fill func(*WebhooksPage)) error {
	list, err := d.Hooks.List(r.Context(), d.DB.Read())
	if err != nil {
		return err
	}
	p := WebhooksPage{Base: d.base(r, ""), Events: eventChoices(hookForm(r).Events)}
	p.Title, p.Tabs = p.T("desk.webhooks.title"), d.peopleTabs(r, p.Base)
	for _, h := range list {
		p.Rows = append(p.Rows, d.webhookRow(p.Base, h))
	}
	fill(&p)
	return d.send(w, r, status, "webhooks", p)
}

// hookForm reads what a form says of a receiver.
func hookForm(r *http.Request) webhook.Hook {
	h := webhook.Hook{URL: strings.TrimSpace(r.PostForm.Get("url")), About: cleanLine(r.PostForm.Get("about"))}
	for _, e := range r.PostForm["event"] {
		h.Events = append(h.Events, webhook.Event(e))
	}
	return h
}

// webhookMake serves "POST /desk/people/webhooks". The secret is in its answer,
// and nowhere else ever.
func (d *Desk) webhookMake(w http.ResponseWriter, r *http.Request) error {
	if err := smallForm(w, r); err != nil {
		return err
	}
	form := hookForm(r)
	var made webhook.Hook
	var secret string
	err := d.DB.InTx(r.Context(), func(tx *db.Tx) (err error) {
		if made, secret, err = d.Hooks.Create(r.Context(), tx, form); err != nil {
			return err
		}
		return d.Staff.Record(r.Context(), tx, staff.Entry{Who: person(r), Act: staff.KeepTokens, Object: "webhook:" + made.ID,
			Detail: map[string]string{"made": made.URL, "events": strings.Join(r.PostForm["event"], " ")}})
	})
	if fault.Is(err, fault.Invalid) {
		return d.webhooksPage(w, r, http.StatusUnprocessableEntity, func(p *WebhooksPage) { p.URL, p.About, p.Problem = form.URL, form.About, p.T("desk.webhooks.bad") })
	}
	if err != nil {
		return err
	}
	r.PostForm = nil
	return d.webhooksPage(w, r, http.StatusOK, func(p *WebhooksPage) { p.Made, p.Secret = made.URL, secret })
}

// webhook serves "/desk/people/webhooks/{hook}".
func (d *Desk) webhook(w http.ResponseWriter, r *http.Request) error {
	return d.webhookPage(w, r, http.StatusOK, func(*WebhookPage) {})
}

func (d *Desk) webhookPage(w http.ResponseWriter, r *http.Request, status int, fill func(*WebhookPage)) error {
	ctx, q := r.Context(), d.DB.Read()
	h, err := d.Hooks.ByID(ctx, q, legible(r.PathValue("hook")))
	if err != nil {
		return err
	}
	list, err := d.Hooks.Deliveries(ctx, q, h.ID, legible(r.URL.Query().Get("before")), deliveriesPage+1)
	if err != nil {
		return err
	}
	p := WebhookPage{Base: d.base(r, h.URL)}
	p.Tabs, p.Hook = d.peopleTabs(r, p.Base), d.webhookRow(p.Base, h)
	p.Choices = eventChoices(h.Events)
	if len(list) > deliveriesPage {
		list = list[:deliveriesPage]
		p.Older = "/desk/people/webhooks/" + h.ID + "?before=" + list[deliveriesPage-1].ID
	}
	for _, one := range list {
		row := DeliveryRow{ID: one.ID, Event: string(one.Event), Object: one.Object, State: p.T("desk.webhooks.state." + string(one.State)), Failed: one.State == webhook.Failed,
			Attempts: one.Attempts, Status: one.Status, Answer: one.Answer, At: d.moment(p.Base, one.CreatedAt)}
		if one.State == webhook.Waiting && one.NextAt.After(d.Now()) {
			row.Next = d.moment(p.Base, one.NextAt)
		}
		p.Rows = append(p.Rows, row)
	}
	fill(&p)
	return d.send(w, r, status, "webhook", p)
}

// changeHook changes the receiver of the address, and leads back to its page.
func (d *Desk) changeHook(w http.ResponseWriter, r *http.Request, key string, fn func(ctx context.Context, tx *db.Tx, id string, detail map[string]string) error) error {
	id := legible(r.PathValue("hook"))
	err := d.change(r, "webhook:"+id, func(ctx context.Context, tx *db.Tx, detail map[string]string) error { return fn(ctx, tx, id, detail) })
	if err != nil {
		return err
	}
	return done(w, r, "/desk/people/webhooks/"+id, key)
}

// webhookChange serves "POST /desk/people/webhooks/{hook}/change".
func (d *Desk) webhookChange(w http.ResponseWriter, r *http.Request) error {
	if err := smallForm(w, r); err != nil {
		return err
	}
	err := d.changeHook(w, r, "saved", func(ctx context.Context, tx *db.Tx, id string, detail map[string]string) error {
		was, err := d.Hooks.ByID(ctx, tx, id)
		if err != nil {
			return err
		}
		h := hookForm(r)
		h.ID, h.OffAt = id, was.OffAt
		h, err = d.Hooks.Change(ctx, tx, h)
		detail["url"], detail["events"] = h.URL, strings.Join(r.PostForm["event"], " ")
		return err
	})
	if fault.Is(err, fault.Invalid) {
		return d.webhookPage(w, r, http.StatusUnprocessableEntity, func(p *WebhookPage) { p.Problem = p.T("desk.webhooks.bad") })
	}
	return err
}

// webhookSwitch serves "POST /desk/people/webhooks/{hook}/switch".
func (d *Desk) webhookSwitch(w http.ResponseWriter, r *http.Request) error {
	if err := smallForm(w, r); err != nil {
		return err
	}
	return d.changeHook(w, r, "saved", func(ctx context.Context, tx *db.Tx, id string, detail map[string]string) error {
		h, err := d.Hooks.ByID(ctx, tx, id)
		if err != nil {
			return err
		}
		on := r.PostForm.Get("on") != ""
		if h.OffAt = d.Now(); on {
			h.OffAt = time.Time{}
		}
		detail["on"] = strconv.FormatBool(on)
		_, err = d.Hooks.Change(ctx, tx, h)
		return err
	})
}

// webhookPing serves "POST /desk/people/webhooks/{hook}/ping".
func (d *Desk) webhookPing(w http.ResponseWriter, r *http.Request) error {
	return d.changeHook(w, r, "webhook_sent", func(ctx context.Context, tx *db.Tx, id string, detail map[string]string) error {
		detail["ping"] = "sent"
		_, err := d.Hooks.Try(ctx, tx, id)
		return err
	})
}

// webhookAgain serves "POST /desk/people/webhooks/{hook}/deliveries/{delivery}".
func (d *Desk) webhookAgain(w http.ResponseWriter, r *http.Request) error {
	return d.changeHook(w, r, "webhook_sent", func(ctx context.Context, tx *db.Tx, id string, detail map[string]string) error {
		one, err := d.Hooks.Redeliver(ctx, tx, id, legible(r.PathValue("delivery")))
		detail["again"] = one.ID
		return err
	})
}

// webhookSecret serves "POST /desk/people/webhooks/{hook}/secret".
func (d *Desk) webhookSecret(w http.ResponseWriter, r *http.Request) error {
	id, secret := legible(r.PathValue("hook")), ""
	err := d.change(r, "webhook:"+id, func(ctx context.Context, tx *db.Tx, detail map[string]string) (err error) {
		detail["secret"] = "new"
		secret, err = d.Hooks.Rotate(ctx, tx, id)
		return err
	})
	if err != nil {
		return err
	}
	return d.webhookPage(w, r, http.StatusOK, func(p *WebhookPage) { p.Secret = secret })
}

// webhookDelete serves "POST /desk/people/webhooks/{hook}/delete".
func (d *Desk) webhookDelete(w http.ResponseWriter, r *http.Request) error {
	id := legible(r.PathValue("hook"))
	err := d.change(r, "webhook:"+id, func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		detail["deleted"] = "yes"
		return d.Hooks.Delete(ctx, tx, id)
	})
	if err != nil {
		return err
	}
	return done(w, r, "/desk/people/webhooks", "webhook_deleted")
}
