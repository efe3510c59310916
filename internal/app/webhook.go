package app

import (
	"context"
	"errors"
	"time"

	"masthead/internal/db"
	"masthead/internal/desk"
	"masthead/internal/fetch"
	"masthead/internal/job"
	"masthead/internal/staff"
	"masthead/internal/webhook"
)

// openWebhooks builds what tells other programs. Its job is known to every
// command, since what a command changes is told too.
func (a *App) openWebhooks(keys [][]byte) {
	a.Webhooks = &webhook.Store{
		Now: a.Now, Keys: keys, Stories: a.Stories, URL: a.Config.URL.String(), Insecure: a.Config.Dev,
		Client: fetch.New(fetch.Options{Redirects: -1, Timeout: 15 * time.Second, AllowPrivate: a.Config.Dev}),
		Post: func(ctx context.Context, tx *db.Tx, b webhook.Bring, at time.Time) error {
			return a.Jobs.Insert(ctx, tx, b, job.Opts{At: at})
		},
		SwitchedOff: func(ctx context.Context, tx *db.Tx, h webhook.Hook) error {
			a.Log.WarnContext(ctx, "a webhook that fails is switched off", "webhook", h.ID, "url", h.URL, "why", h.OffWhy)
			people, err := a.Staff.List(ctx, tx)
			for _, l := range desk.HookLetters(h, people) {
				err = errors.Join(err, a.Jobs.Insert(ctx, tx, l, job.Opts{MaxAttempts: 5}))
			}
			if err != nil {
				return err
			}
			return a.Staff.Record(ctx, tx, staff.Entry{Who: staff.Program(), Act: staff.KeepTokens, Object: "webhook:" + h.ID,
				Detail: map[string]string{"switched off": h.OffWhy, "url": h.URL}})
		},
	}
	job.Register(a.Jobs, func(ctx context.Context, b webhook.Bring) error { return a.Webhooks.Deliver(ctx, a.DB, b) })
}
