package app

import (
	"context"
	"time"

	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/job"
	"masthead/internal/search"
	"masthead/internal/story"
)

// preview is how much of a story stands before the wall.
func (a *App) preview() doc.Limit {
	return doc.Limit{Paragraphs: a.Config.PreviewParagraphs, Words: a.Config.PreviewWords}
}

// index keeps the search index in step with what is published, in the
// transaction that publishes.
func (a *App) index(ctx context.Context, tx *db.Tx, c story.Change) error {
	if !c.Public() {
		if c.Was == story.Published {
			return a.Search.Delete(ctx, tx, c.EditionID)
		}
		return nil
	}
	e, err := a.Stories.EditionByID(ctx, tx, c.EditionID)
	if err != nil {
		return err
	}
	st, err := a.Stories.ByID(ctx, tx, c.StoryID)
	if err != nil {
		return err
	}
	entry := search.Entry{EditionID: e.ID, Lang: e.Lang, SectionID: st.SectionID, PublishedAt: e.PublishedAt, Headline: e.Headline, Summary: e.Summary}
	if st.PasswordHash == "" { // else not even which words it has
		preview, rest := e.Body.Split(a.preview())
		entry.Body = preview.PlainText()
		entry.Preview = len(entry.Body)
		entry.Body += "\n\n" + rest.PlainText()
	}
	return a.Search.Put(ctx, tx, entry)
}

type indexAnew struct{}

func (indexAnew) Kind() string { return "index_anew" }

// reindex makes those entries of the search index anew, bit by bit, that were
// made by other rules than today's: after an upgrade, or when previews are cut
// in another way.
func (a *App) reindex() error {
	const batch = 50
	job.Register(a.Jobs, func(ctx context.Context, _ indexAnew) error {
		for {
			ids, err := a.Search.Stale(ctx, a.DB.Read(), batch)
			if err != nil {
				return err
			}
			if len(ids) == 0 {
				return a.tidy(ctx)
			}
			if err := a.DB.InTx(ctx, func(tx *db.Tx) error { return a.indexEach(ctx, tx, ids) }); err != nil {
				return err
			}
		}
	})
	return a.Jobs.Every(indexAnew{}, time.Minute)
}

// tidy keeps searches quick after much was written. It rests as long as it
// works: after a large import there are minutes of this, and readers wait.
func (a *App) tidy(ctx context.Context) error {
	for {
		more, began := false, time.Now()
		err := a.DB.InTx(ctx, func(tx *db.Tx) (err error) {
			more, err = a.Search.Tidy(ctx, tx)
			return err
		})
		if err != nil || !more {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Since(began)):
		}
	}
}

func (a *App) indexEach(ctx context.Context, tx *db.Tx, editionIDs []string) error {
	for _, id := range editionIDs {
		e, err := a.Stories.EditionByID(ctx, tx, id)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if err != nil || e.Status != story.Published {
			if err := a.Search.Delete(ctx, tx, id); err != nil {
				return err
			}
			continue
		}
		if err := a.index(ctx, tx, story.Change{StoryID: e.StoryID, EditionID: id, Lang: e.Lang, Was: e.Status, Is: e.Status}); err != nil {
			return err
		}
	}
	return nil
}
