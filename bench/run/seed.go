package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"masthead/internal/app"
	"masthead/internal/config"
	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/reader"
	"masthead/internal/story"
	"masthead/internal/wall"
)

// sections are where the stories stand, story i in sections[i%3], and how the wall sees each.
var sections = []string{"open", "metered", "closed"}

const (
	readers    = 200 // who read on a meter
	tier       = "supporter"
	supporter  = "supporter@bench.example"
	readerMail = "reader-%d@bench.example"
)

var rules = []wall.Rule{
	{Name: "open to all", When: `story.section == "open"`, Grant: wall.MustGrant("open")},
	{Name: "for supporters", When: `story.section == "closed"`, Grant: wall.MustGrant("subscribe " + tier)},
	{Name: "many stories for registered readers", When: `reader.state == "registered"`, Grant: wall.MustGrant("meter 100 per 30 days")},
	{Name: "three for everybody", When: `true`, Grant: wall.MustGrant("meter 3 per 30 days")},
}

// open opens the newsroom in dir, and makes it where there is none.
func open(ctx context.Context, dir string) (*app.App, error) {
	c, err := config.Load(dir, map[string]string{"title": "The Bench"}, func(string) (string, bool) { return "", false })
	if err != nil {
		return nil, err
	}
	if err := app.Init(ctx, c); err != nil {
		return nil, err
	}
	return app.Open(ctx, c, slog.New(slog.DiscardHandler))
}

// seed makes a newsroom of n stories in dir, or finds it there from an earlier
// run, and gives the stories' addresses, the newest first.
func seed(ctx context.Context, dir string, n int) (paths []string, err error) {
	list := filepath.Join(dir, "bench-stories")
	if text, err := os.ReadFile(list); err == nil {
		return strings.Fields(string(text)), nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	a, err := open(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	desk := &desk{App: a, writer: newWriter(uint64(n)), now: time.Now()}
	if err := desk.prepare(ctx); err != nil {
		return nil, err
	}
	const batch = 200
	start := time.Now()
	for from := 0; from < n; from += batch {
		err := a.DB.InTx(ctx, func(tx *db.Tx) error {
			for i := from; i < min(from+batch, n); i++ {
				// The last number is the newest, so that an address can be told from a number.
				path, err := desk.publish(ctx, tx, i, desk.now.Add(-time.Hour*time.Duration(1+i)))
				if err != nil {
					return err
				}
				paths = append(paths, path)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if from%5000 == 0 && from > 0 {
			say("%d of %d stories, %.0f a second", from, n, float64(from)/time.Since(start).Seconds())
		}
	}
	// A newsroom that runs does this bit by bit, as the index grows.
	for more := true; more && err == nil; {
		err = a.DB.InTx(ctx, func(tx *db.Tx) (err error) {
			more, err = a.Search.Tidy(ctx, tx)
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	return paths, os.WriteFile(list, []byte(strings.Join(paths, "\n")), 0o600)
}

// desk publishes stories.
type desk struct {
	*app.App
	writer   *writer
	now      time.Time
	sections []string // IDs
	authors  []string // IDs
}

// prepare makes what stories refer to, the wall and its readers; a second time, it finds it.
func (d *desk) prepare(ctx context.Context) error {
	err := d.DB.InTx(ctx, func(tx *db.Tx) error {
		for i, slug := range sections {
			s := story.Section{Slug: slug, Position: i + 1, Names: story.Texts{"en": "The " + slug}, Source: "bench:" + slug}
			if err := d.Stories.SaveSection(ctx, tx, &s); err != nil {
				return err
			}
			d.sections = append(d.sections, s.ID)
		}
		for i := range 20 {
			slug := fmt.Sprint("writer-", i)
			w := story.Writer{Slug: slug, Names: story.Texts{"en": d.writer.sentence(3)}, Source: "bench:" + slug}
			if err := d.Stories.SaveWriter(ctx, tx, &w); err != nil {
				return err
			}
			d.authors = append(d.authors, w.ID)
		}
		if err := d.Readers.SaveTier(ctx, tx, reader.Tier{Slug: tier, Names: map[string]string{"en": "Supporter"}, Position: 1}); err != nil {
			return err
		}
		if _, _, err := d.Readers.Upsert(ctx, tx, reader.Reader{Email: supporter}, []reader.Holding{{Tier: tier}}, nil); err != nil {
			return err
		}
		for i := range readers {
			if _, _, err := d.Readers.Upsert(ctx, tx, reader.Reader{Email: fmt.Sprintf(readerMail, i)}, nil, nil); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(err, d.SetWall(ctx, wall.Table{Rules: rules}))
}

// publish publishes story number i and gives its address.
func (d *desk) publish(ctx context.Context, tx *db.Tx, i int, at time.Time) (string, error) {
	st := story.Story{SectionID: d.sections[i%len(sections)], OriginalLang: "en", Source: fmt.Sprint("bench:story-", i),
		Bylines: []story.Byline{{AuthorID: d.authors[i%len(d.authors)], Role: story.Author}}}
	if err := d.Stories.Save(ctx, tx, &st); err != nil {
		return "", err
	}
	p := d.writer.piece(i)
	e := story.Edition{StoryID: st.ID, Lang: "en", Status: story.Published, Slug: slug(i), Kicker: p.kicker,
		Headline: p.headline, Summary: p.summary, Body: doc.FromText(p.text), PublishedAt: at}
	if err := d.Stories.SaveEdition(ctx, tx, &e, "bench"); err != nil {
		return "", err
	}
	return e.Path, nil
}

// links gives a sign-in address for each reader, by e-mail address.
func (d *desk) links(ctx context.Context) (map[string]string, error) {
	tokens := map[string]string{}
	err := d.DB.InTx(ctx, func(tx *db.Tx) error {
		emails := []string{supporter}
		for i := range readers {
			emails = append(emails, fmt.Sprintf(readerMail, i))
		}
		for _, email := range emails {
			token, err := d.Readers.OneTimeLink(ctx, tx, email, time.Hour)
			if err != nil {
				return err
			}
			tokens[email] = token
		}
		return nil
	})
	return tokens, err
}
