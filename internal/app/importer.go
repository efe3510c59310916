package app

import (
	"context"
	"io"

	"masthead/internal/archive"
	"masthead/internal/db"
	"masthead/internal/fetch"
	"masthead/internal/media"
	"masthead/internal/newsletter"
)

// Importer brings archives into the newsroom. Pictures get their variants when
// they are first looked at.
func (a *App) Importer() *archive.Importer {
	return &archive.Importer{
		DB: a.DB, Stories: a.Stories, Media: a.LazyMedia(), Readers: a.Readers, Now: a.Now,
		Newsletters: func(ctx context.Context, tx *db.Tx, lists []archive.NewsletterList) error {
			for _, l := range lists {
				err := a.Newsletters.Save(ctx, tx, newsletter.List{
					Slug: l.Slug, Position: l.Position, Source: l.Source, Cadence: newsletter.Irregular,
					Names: map[string]string{a.Config.Language: l.Name}, Descriptions: map[string]string{a.Config.Language: l.Description},
				})
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// LazyMedia keeps pictures as Media does, but leaves their variants to be made
// when somebody first looks, or by [App.WarmPictures].
func (a *App) LazyMedia() *media.Store {
	lazy := media.NewStore(a.DB, a.Blobs)
	lazy.Lazy = true
	return lazy
}

// WarmPictures makes every variant of every picture that is not there yet.
func (a *App) WarmPictures(ctx context.Context) error {
	after := ""
	for {
		list, err := a.Media.List(ctx, a.DB.Read(), media.Picture, after, 100)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, m := range list {
			if err := a.Media.Vary(ctx, &m); err != nil {
				return err
			}
			after = m.ID
		}
	}
}

// maxFetched is the most bytes of one fetched picture or file.
const maxFetched = 64 << 20

// NewFetch gives what gets pictures, files and the cards of embeds from the open
// web; it reaches no address inside the newsroom's own network.
func NewFetch() func(ctx context.Context, url string) (io.ReadCloser, error) {
	client := fetch.New(fetch.Options{})
	return func(ctx context.Context, url string) (io.ReadCloser, error) {
		r, err := client.Open(ctx, url, maxFetched)
		if err != nil {
			return nil, err
		}
		return r.Body, nil
	}
}
