package app

import (
	"context"
	"errors"
	"time"

	"masthead/internal/db"
	"masthead/internal/fetch"
	"masthead/internal/job"
	"masthead/internal/plan"
)

// plans makes the store of plans, which moves what is written in drafts.
func (a *App) plans() *plan.Store {
	return &plan.Store{Now: a.Now, Stories: a.Stories, Staff: a.Staff, Media: a.Media, Lang: a.Config.Language, Origin: a.Config.URL.String(),
		Fetch: fetch.New(fetch.Options{Timeout: 15 * time.Second}), Keep: a.Drafts.Settle,
		Post: func(ctx context.Context, tx *db.Tx, args job.Args, o job.Opts) error {
			return a.Jobs.Insert(ctx, tx, args, o)
		},
	}
}

// planning registers the work of plans: what is scheduled is published at its
// time by a job of its own, and by one that looks every minute, in case the
// clock of a database that was restored stands elsewhere.
func (a *App) planning() error {
	job.Register(a.Jobs, func(ctx context.Context, _ plan.PublishDue) error {
		published, held, err := a.Plans.PublishDue(ctx, a.DB)
		if published+held > 0 {
			a.Log.Info("published on schedule", "editions", published, "held back", held)
		}
		return err
	})
	job.Register(a.Jobs, func(ctx context.Context, l plan.CheckLinks) error { return a.Plans.CheckLinks(ctx, a.DB, l.EditionID) })
	job.Register(a.Jobs, func(ctx context.Context, l plan.Letter) error { return a.editors().SendPlanLetter(ctx, l) })
	job.Register(a.Jobs, func(ctx context.Context, _ plan.Remind) error {
		return a.DB.InTx(ctx, func(tx *db.Tx) error { return a.Plans.Remind(ctx, tx) })
	})
	return errors.Join(a.Jobs.Every(plan.PublishDue{}, time.Minute), a.Jobs.Every(plan.Remind{}, time.Hour))
}
