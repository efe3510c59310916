package story

import (
	"context"
	"fmt"

	"masthead/internal/db"
	"masthead/internal/fault"
)

// Lock lets whoever else would write the edition wait until tx is over.
func (s *Store) Lock(ctx context.Context, tx *db.Tx, editionID string) error {
	var id string
	err := tx.QueryRowContext(ctx, `UPDATE edition SET status = status WHERE id = $1 RETURNING id`, editionID).Scan(&id)
	if err != nil {
		return absent(err, "no such story", "edition", editionID)
	}
	return nil
}

// Delete removes a story with its editions, none of which readers have ever seen
// or are about to: such a one is Conflict, and is withdrawn instead. No such story
// is NotFound.
func (s *Store) Delete(ctx context.Context, tx *db.Tx, id string) error {
	var seen bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM edition WHERE story_id = story.id
		AND (path IS NOT NULL OR status IN ('scheduled', 'published'))) FROM story WHERE id = $1`, id).Scan(&seen)
	if err != nil {
		return absent(err, "no such story", "id", id)
	}
	if seen {
		return fault.New(fault.Conflict, "the story has been published", "id", id).WithHint("withdraw it: its address then says so")
	}
	rows, err := tx.QueryContext(ctx, `SELECT id, lang, status FROM edition WHERE story_id = $1 ORDER BY lang`, id)
	gone, err := db.Rows(rows, err, func(r db.Scanner) (c Change, err error) {
		c = Change{StoryID: id}
		return c, r.Scan(&c.EditionID, &c.Lang, &c.Was)
	})
	if err != nil {
		return fmt.Errorf("story.Delete(%s): %w", id, err)
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM story WHERE id = $1`, id); err != nil {
		return fmt.Errorf("story.Delete(%s): %w", id, err)
	}
	for _, c := range gone {
		if err := s.tell(ctx, tx, c); err != nil {
			return err
		}
	}
	return nil
}

// LockStory lets whoever else would change the story's facts wait until tx is over.
func (s *Store) LockStory(ctx context.Context, tx *db.Tx, id string) error {
	err := tx.QueryRowContext(ctx, `UPDATE story SET kind = kind WHERE id = $1 RETURNING id`, id).Scan(&id)
	if err != nil {
		return absent(err, "no such story", "id", id)
	}
	return nil
}
