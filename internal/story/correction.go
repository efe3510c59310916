package story

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"masthead/internal/db"
)

// AddCorrection writes a correction; the same text at the same time is written once.
func (s *Store) AddCorrection(ctx context.Context, tx *db.Tx, c *Correction) error {
	if c.At.IsZero() {
		c.At = s.Now()
	}
	if c.ID == "" {
		err := tx.QueryRowContext(ctx, `SELECT id FROM correction WHERE story_id = $1 AND lang = $2 AND at = $3 AND text = $4`,
			c.StoryID, c.Lang, db.Micros(c.At), c.Text).Scan(&c.ID)
		if err == nil {
			return nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("story.AddCorrection(%s): %w", c.StoryID, err)
		}
		c.ID = db.NewID()
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO correction (id, story_id, lang, at, text, changed) VALUES ($1, $2, $3, $4, $5, $6)`,
		c.ID, c.StoryID, c.Lang, db.Micros(c.At), c.Text, c.Changed); err != nil {
		return fmt.Errorf("story.AddCorrection(%s): %w", c.StoryID, err)
	}
	e, err := s.EditionOf(ctx, tx, c.StoryID, c.Lang)
	if err != nil {
		return err
	}
	return s.tell(ctx, tx, Change{StoryID: e.StoryID, EditionID: e.ID, Lang: e.Lang, Was: e.Status, Is: e.Status, OldPath: e.Path, Path: e.Path, Corrected: true})
}

// Corrections gives the corrections of a story in one language, oldest first.
func (s *Store) Corrections(ctx context.Context, q db.Queryer, storyID, lang string) ([]Correction, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, story_id, lang, at, text, changed FROM correction WHERE story_id = $1 AND lang = $2 ORDER BY at, id`, storyID, lang)
	all, err := db.Rows(rows, err, func(r db.Scanner) (c Correction, err error) {
		var at int64
		err = r.Scan(&c.ID, &c.StoryID, &c.Lang, &at, &c.Text, &c.Changed)
		c.At = db.Time(at)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("story.Corrections(%s): %w", storyID, err)
	}
	return all, nil
}

// Corrected is a correction with the published edition that it stands on.
type Corrected struct {
	Correction
	Headline, Path string
}

// CorrectionList gives the corrections of everything published in a language,
// the newest first.
func (s *Store) CorrectionList(ctx context.Context, q db.Queryer, lang string, limit, offset int) ([]Corrected, error) {
	rows, err := q.QueryContext(ctx, `SELECT c.id, c.story_id, c.lang, c.at, c.text, c.changed, e.headline, e.path
		FROM correction c JOIN edition e ON e.story_id = c.story_id AND e.lang = c.lang
		WHERE c.lang = $1 AND e.status = 'published' ORDER BY c.at DESC, c.id DESC LIMIT $2 OFFSET $3`, lang, limit, offset)
	all, err := db.Rows(rows, err, func(r db.Scanner) (c Corrected, err error) {
		var at int64
		err = r.Scan(&c.ID, &c.StoryID, &c.Lang, &at, &c.Text, &c.Changed, &c.Headline, &c.Path)
		c.At = db.Time(at)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("story.CorrectionList(%s): %w", lang, err)
	}
	return all, nil
}

// CountCorrections gives how many [Store.CorrectionList] has in all.
func (s *Store) CountCorrections(ctx context.Context, q db.Queryer, lang string) (n int, err error) {
	err = q.QueryRowContext(ctx, `SELECT COUNT(*) FROM correction c JOIN edition e ON e.story_id = c.story_id AND e.lang = c.lang
		WHERE c.lang = $1 AND e.status = 'published'`, lang).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("story.CountCorrections(%s): %w", lang, err)
	}
	return n, nil
}
