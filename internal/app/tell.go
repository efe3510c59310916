package app

import (
	"context"
	"math"
	"slices"
	"strings"

	"masthead/internal/db"
	"masthead/internal/relay"
	"masthead/internal/site"
	"masthead/internal/story"
)

// tagWall is told when the wall's rules or benefits change.
const tagWall = "wall"

// Tell tells every node, once the transaction q is committed, what has changed.
// This node has heard it when InTx returns.
func (a *App) Tell(ctx context.Context, q db.Queryer, tags ...string) error {
	if err := relay.Tell(ctx, q, tags...); err != nil {
		return err
	}
	tx, ok := q.(*db.Tx)
	switch {
	case !ok:
	case a.Relay.Stale() == math.MaxInt64: // this program does not serve: nobody but itself hears it at once
		tx.AfterCommit(strings.Join(tags, " "), func() { a.hear(tags) })
	default:
		tx.AfterCommit("relay", func() { a.Relay.Committed(ctx) })
	}
	return nil
}

// connect lets the stores tell what changes, and the caches hear it.
func (a *App) connect() {
	a.Stories.Changed = append(a.Stories.Changed, func(ctx context.Context, tx *db.Tx, c story.Change) error {
		return a.Tell(ctx, tx, site.StoryTag(c.StoryID), site.ListsTag(c.Lang))
	})
	a.Stories.Arranged = append(a.Stories.Arranged, func(ctx context.Context, tx *db.Tx) error {
		return a.Tell(ctx, tx, site.SiteTag)
	})
	a.Readers.Changed = func(ctx context.Context, q db.Queryer, id string) error {
		if id == "" {
			return a.Tell(ctx, q, site.SiteTag)
		}
		return a.Tell(ctx, q, site.ReaderTag(id))
	}
	a.WallStore.Changed = func(ctx context.Context, q db.Queryer) error { return a.Tell(ctx, q, tagWall) }
	a.Counter.Written = a.metersWritten
	a.Stories.Changed = append(a.Stories.Changed, a.Drafts.Follow, a.Webhooks.StoryChanged)
	a.Readers.Made, a.Readers.Gone = a.Webhooks.ReaderMade, a.Webhooks.ReaderGone
	a.Relay.On(a.hear)
	a.Relay.On(a.Room.Hear)
}

// hear drops what is kept of what has changed.
func (a *App) hear(tags []string) {
	if slices.Contains(tags, tagWall) || slices.Contains(tags, relay.All) {
		a.loadWall()
		tags = append(slices.Clone(tags), site.SiteTag)
	}
	if slices.Contains(tags, tagSettings) || slices.Contains(tags, relay.All) {
		a.loadSettings()
		tags = append(slices.Clone(tags), site.SiteTag)
	}
	a.Engine.Changed(tags)
	a.caches.tell(tags)
}
