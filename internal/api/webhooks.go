package api

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"masthead/internal/db"
	"masthead/internal/staff"
	"masthead/internal/webhook"
)

// Webhook is a receiver that is told of events.
type Webhook struct {
	ID      string    `json:"id"`
	URL     string    `json:"url" format:"uri"`
	About   string    `json:"about,omitempty" doc:"What it is for"`
	Events  []string  `json:"events" nullable:"false"`
	On      bool      `json:"on"`
	OffWhy  string    `json:"off_why,omitempty" doc:"Where the newsroom switched it off: gone, it answered 410; failing, it took nothing for days"`
	Failing time.Time `json:"failing,omitzero" doc:"Since when deliveries are given up"`
	Secret  string    `json:"secret,omitempty" doc:"Signs what is sent (Standard Webhooks: HMAC-SHA256). Shown when it is made, this once"`
	Created time.Time `json:"created"`
}

// NewWebhook is a receiver that is added.
type NewWebhook struct {
	URL    string   `json:"url" maxLength:"2000" doc:"https, and not inside of a network"`
	About  string   `json:"about,omitempty" maxLength:"500"`
	Events []string `json:"events" nullable:"false" minItems:"1" maxItems:"50" doc:"story.published, story.changed, story.corrected, story.withdrawn, reader.created, reader.deleted"`
}

// WebhookChange is what is to be changed of a receiver.
type WebhookChange struct {
	URL    *string   `json:"url,omitempty" maxLength:"2000"`
	About  *string   `json:"about,omitempty" maxLength:"500"`
	Events *[]string `json:"events,omitempty" nullable:"false" minItems:"1" maxItems:"50"`
	On     *bool     `json:"on,omitempty"`
}

// Delivery is one event that was or is to be sent.
type Delivery struct {
	ID       string    `json:"id" doc:"The webhook-id that the receiver sees"`
	Event    string    `json:"event"`
	Object   string    `json:"object"`
	State    string    `json:"state" enum:"waiting,delivered,failed"`
	Attempts int       `json:"attempts"`
	Status   int       `json:"status,omitempty" doc:"Of the last answer"`
	Answer   string    `json:"answer,omitempty" doc:"Its beginning, or why there was none"`
	Tried    time.Time `json:"tried,omitzero"`
	Next     time.Time `json:"next,omitzero" doc:"When it is tried again"`
	Created  time.Time `json:"created"`
	Payload  any       `json:"payload" doc:"What is sent"`
}

func (n *Newsroom) webhookOperations(h huma.API) {
	op := func(o operation) operation {
		o.scope, o.act = staff.WebhooksWrite, staff.KeepTokens
		return o
	}
	register(n, h, op(operation{id: "list-webhooks", method: "GET", path: "/api/v1/webhooks", summary: "Every webhook"}), n.webhooks)
	register(n, h, op(operation{id: "create-webhook", method: "POST", path: "/api/v1/webhooks", summary: "Have a receiver told of events",
		about: "By POST, signed with the secret that the answer holds this once, after Standard Webhooks (webhook-id, webhook-timestamp, webhook-signature). " +
			"What is not taken with 2xx within 15 seconds is tried again for a day. Something may come twice, under the same webhook-id, and not always in order.", status: 201}), n.createWebhook)
	register(n, h, op(operation{id: "get-webhook", method: "GET", path: "/api/v1/webhooks/{webhook}", summary: "One webhook", faults: []int{404}}), n.webhook)
	register(n, h, op(operation{id: "change-webhook", method: "PATCH", path: "/api/v1/webhooks/{webhook}", summary: "Change a webhook", about: "What is absent stays.", faults: []int{404}}), n.changeWebhook)
	register(n, h, op(operation{id: "delete-webhook", method: "DELETE", path: "/api/v1/webhooks/{webhook}", summary: "Delete a webhook, with its log", faults: []int{404}}), n.deleteWebhook)
	register(n, h, op(operation{id: "rotate-webhook-secret", method: "POST", path: "/api/v1/webhooks/{webhook}/secret", summary: "Give a webhook a new secret", about: "The old one signs nothing more.", faults: []int{404}}), n.rotateWebhook)
	register(n, h, op(operation{id: "ping-webhook", method: "POST", path: "/api/v1/webhooks/{webhook}/ping", summary: "Send a ping", about: "To see whether the receiver hears.", status: 202, faults: []int{404}}), n.pingWebhook)
	register(n, h, op(operation{id: "list-deliveries", method: "GET", path: "/api/v1/webhooks/{webhook}/deliveries", summary: "What was sent, the newest first", about: "It goes back 30 days.", faults: []int{400, 404}}), n.deliveries)
	register(n, h, op(operation{id: "redeliver", method: "POST", path: "/api/v1/webhooks/{webhook}/deliveries/{delivery}/redeliver", summary: "Send again", about: "Under the same webhook-id.", status: 202, faults: []int{404}}), n.redeliver)
}

func webhookOf(h webhook.Hook) Webhook {
	w := Webhook{ID: h.ID, URL: h.URL, About: h.About, Events: []string{}, On: !h.Off(), OffWhy: h.OffWhy, Failing: h.FailingSince, Created: h.CreatedAt}
	for _, e := range h.Events {
		w.Events = append(w.Events, string(e))
	}
	return w
}

func events(names []string) []webhook.Event {
	var list []webhook.Event
	for _, e := range names {
		list = append(list, webhook.Event(e))
	}
	return list
}

type webhooksOutput struct {
	Body struct {
		Webhooks []Webhook `json:"webhooks" nullable:"false"`
	}
}

func (n *Newsroom) webhooks(ctx context.Context, _ *nothing) (*webhooksOutput, error) {
	list, err := n.Hooks.List(ctx, n.DB.Read())
	out := &webhooksOutput{}
	out.Body.Webhooks = make([]Webhook, len(list))
	for i, h := range list {
		out.Body.Webhooks[i] = webhookOf(h)
	}
	return out, err
}

// WebhookPath names a webhook in an address.
type WebhookPath struct {
	Webhook string `path:"webhook" maxLength:"64" doc:"Its ID"`
}

type webhookOutput struct {
	Location string `header:"Location"`
	Body     Webhook
}

func (n *Newsroom) webhook(ctx context.Context, in *WebhookPath) (*webhookOutput, error) {
	h, err := n.Hooks.ByID(ctx, n.DB.Read(), in.Webhook)
	return &webhookOutput{Body: webhookOf(h)}, err
}

type createWebhookInput struct{ Body NewWebhook }

func (n *Newsroom) createWebhook(ctx context.Context, in *createWebhookInput) (out *webhookOutput, err error) {
	err = n.change(ctx, func(ctx context.Context, tx *db.Tx, detail map[string]string) (string, error) {
		h, secret, err := n.Hooks.Create(ctx, tx, webhook.Hook{URL: in.Body.URL, About: in.Body.About, Events: events(in.Body.Events)})
		if err != nil {
			return "", err
		}
		detail["made"] = h.URL
		out = &webhookOutput{Body: webhookOf(h), Location: n.absolute("/api/v1/webhooks/" + h.ID)}
		out.Body.Secret = secret
		return "webhook:" + h.ID, nil
	})
	return out, err
}

type changeWebhookInput struct {
	WebhookPath
	Body WebhookChange
}

func (n *Newsroom) changeWebhook(ctx context.Context, in *changeWebhookInput) (out *webhookOutput, err error) {
	err = n.change(ctx, func(ctx context.Context, tx *db.Tx, detail map[string]string) (string, error) {
		h, err := n.Hooks.ByID(ctx, tx, in.Webhook)
		if err != nil {
			return "", err
		}
		b := in.Body
		if b.URL != nil {
			h.URL = *b.URL
		}
		if b.About != nil {
			h.About = *b.About
		}
		if b.Events != nil {
			h.Events = events(*b.Events)
		}
		if b.On != nil {
			if h.OffAt = n.Now(); *b.On {
				h.OffAt = time.Time{}
			}
		}
		if h, err = n.Hooks.Change(ctx, tx, h); err != nil {
			return "", err
		}
		detail["url"], detail["on"] = h.URL, strconv.FormatBool(!h.Off())
		out = &webhookOutput{Body: webhookOf(h)}
		return "webhook:" + h.ID, nil
	})
	return out, err
}

func (n *Newsroom) deleteWebhook(ctx context.Context, in *WebhookPath) (*struct{}, error) {
	return nil, n.change(ctx, func(ctx context.Context, tx *db.Tx, detail map[string]string) (string, error) {
		detail["deleted"] = "yes"
		return "webhook:" + in.Webhook, n.Hooks.Delete(ctx, tx, in.Webhook)
	})
}

func (n *Newsroom) rotateWebhook(ctx context.Context, in *WebhookPath) (out *webhookOutput, err error) {
	err = n.change(ctx, func(ctx context.Context, tx *db.Tx, detail map[string]string) (string, error) {
		secret, err := n.Hooks.Rotate(ctx, tx, in.Webhook)
		if err != nil {
			return "", err
		}
		h, err := n.Hooks.ByID(ctx, tx, in.Webhook)
		out, detail["secret"] = &webhookOutput{Body: webhookOf(h)}, "new"
		out.Body.Secret = secret
		return "webhook:" + in.Webhook, err
	})
	return out, err
}

type deliveryOutput struct {
	Body Delivery
}

func deliveryOf(d webhook.Delivery) Delivery {
	return Delivery{ID: d.ID, Event: string(d.Event), Object: d.Object, State: string(d.State), Attempts: d.Attempts, Status: d.Status, Answer: d.Answer,
		Tried: d.TriedAt, Next: d.NextAt, Created: d.CreatedAt, Payload: json.RawMessage(d.Payload)}
}

func (n *Newsroom) pingWebhook(ctx context.Context, in *WebhookPath) (out *deliveryOutput, err error) {
	err = n.change(ctx, func(ctx context.Context, tx *db.Tx, detail map[string]string) (string, error) {
		d, err := n.Hooks.Try(ctx, tx, in.Webhook)
		out, detail["ping"] = &deliveryOutput{deliveryOf(d)}, "sent"
		return "webhook:" + in.Webhook, err
	})
	return out, err
}

type deliveriesInput struct {
	WebhookPath
	Paging
}

type deliveriesOutput struct {
	Link string `header:"Link"`
	Body struct {
		Deliveries []Delivery `json:"deliveries" nullable:"false"`
		Next       string     `json:"next,omitempty" doc:"The cursor of the next page; absent on the last"`
	}
}

func (n *Newsroom) deliveries(ctx context.Context, in *deliveriesInput) (*deliveriesOutput, error) {
	q := n.DB.Read()
	before, err := parseID(in.Cursor)
	if err != nil {
		return nil, err
	}
	if _, err := n.Hooks.ByID(ctx, q, in.Webhook); err != nil {
		return nil, err
	}
	list, err := n.Hooks.Deliveries(ctx, q, in.Webhook, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &deliveriesOutput{}
	if len(list) > in.Limit {
		list = list[:in.Limit]
		out.Body.Next = formatID(list[in.Limit-1].ID)
	}
	out.Link = n.link("/api/v1/webhooks/"+in.Webhook+"/deliveries", url.Values{"limit": {strconv.Itoa(in.Limit)}}, out.Body.Next)
	out.Body.Deliveries = make([]Delivery, len(list))
	for i, d := range list {
		out.Body.Deliveries[i] = deliveryOf(d)
	}
	return out, nil
}

type redeliverInput struct {
	WebhookPath
	Delivery string `path:"delivery" maxLength:"64" doc:"Its ID"`
}

func (n *Newsroom) redeliver(ctx context.Context, in *redeliverInput) (out *deliveryOutput, err error) {
	err = n.change(ctx, func(ctx context.Context, tx *db.Tx, detail map[string]string) (string, error) {
		d, err := n.Hooks.Redeliver(ctx, tx, in.Webhook, in.Delivery)
		out, detail["again"] = &deliveryOutput{deliveryOf(d)}, in.Delivery
		return "webhook:" + in.Webhook, err
	})
	return out, err
}
