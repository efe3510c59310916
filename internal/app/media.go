package app

import (
	"context"
	"time"

	"masthead/internal/db"
	"masthead/internal/job"
	"masthead/internal/media"
	"masthead/internal/site"
)

// mediaChanged tells every node which pages show those pictures and files.
func (a *App) mediaChanged(ctx context.Context, tx *db.Tx, ids ...string) error {
	if err := a.Media.Read(ctx, tx); err != nil {
		return err
	}
	var tags []string
	for _, id := range ids {
		uses, err := a.Media.Uses(ctx, tx, id)
		if err != nil {
			return err
		}
		for _, u := range uses {
			switch u.Where {
			case media.AsPortrait, media.AsLogo: // at the foot of any story, or at the head of every page
				tags = append(tags, site.SiteTag)
			case media.AsLead: // every edition has it
				for _, lang := range a.settings().Languages {
					tags = append(tags, site.ListsTag(lang))
				}
				tags = append(tags, site.StoryTag(u.StoryID))
			case media.InWords:
				tags = append(tags, site.StoryTag(u.StoryID), site.ListsTag(u.Lang))
			}
		}
	}
	if len(tags) == 0 {
		return nil
	}
	return a.Tell(ctx, tx, tags...)
}

// watchMedia is the work that reads what editions show, and ends rights.
type watchMedia struct{}

// Kind implements [job.Args].
func (watchMedia) Kind() string { return "watch_media" }

// keepMedia has it done minute by minute: a picture whose rights have ended is
// gone from every page, on every node and in the caches before them.
func (a *App) keepMedia() error {
	job.Register(a.Jobs, func(ctx context.Context, _ watchMedia) error {
		if err := a.Media.ReadAll(ctx); err != nil {
			return err
		}
		return a.endRights(ctx)
	})
	return a.Jobs.Every(watchMedia{}, time.Minute)
}

// endRights tells of what has ended since it was told last.
func (a *App) endRights(ctx context.Context) error {
	const most = 200
	for {
		n := 0
		err := a.DB.InTx(ctx, func(tx *db.Tx) error {
			ended, err := a.Media.EndDue(ctx, tx, most)
			if err != nil {
				return err
			}
			n = len(ended)
			ids := make([]string, n)
			for i, m := range ended {
				ids[i] = m.ID
			}
			return a.mediaChanged(ctx, tx, ids...)
		})
		if n > 0 && err == nil {
			a.Log.Info("rights have ended", "media", n)
		}
		if err != nil || n < most {
			return err
		}
	}
}
