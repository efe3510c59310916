package app

import (
	"context"
	"time"

	"masthead/internal/archive"
	"masthead/internal/copies"
	"masthead/internal/db"
)

// copy begins to copy the database where the settings say so, and gives what
// ends it. A newsroom whose restore was interrupted is refused.
func (a *App) copy(ctx context.Context) (stop func(ctx context.Context) error, err error) {
	if err := archive.CheckRestored(a.Config.Dir); err != nil {
		return nil, err
	}
	if a.Config.Copies == "" || a.DB.Dialect != db.SQLite {
		return func(context.Context) error { return nil }, nil
	}
	store, err := OpenStore(ctx, a.Config, a.Config.Copies)
	if err != nil {
		return nil, err
	}
	c := copies.New(copies.Config{Path: a.DB.Name, Store: store, Log: a.Log, Now: a.Now, Keep: time.Duration(a.Config.CopiesDays) * 24 * time.Hour})
	// It ends by stop alone, after the last request.
	return c.Stop, c.Start(context.WithoutCancel(ctx))
}
