package app

import (
	"context"

	"masthead/internal/db"
	"masthead/internal/desk"
	"masthead/internal/draft"
	"masthead/internal/job"
)

// mentioned has letters sent, later, to who is named in a comment.
func (a *App) mentioned(ctx context.Context, tx *db.Tx, m draft.Mention) error {
	for _, l := range desk.MentionLetters(m) {
		if err := a.Jobs.Insert(ctx, tx, l, job.Opts{MaxAttempts: 5}); err != nil {
			return err
		}
	}
	return nil
}
