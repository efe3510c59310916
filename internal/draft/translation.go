package draft

import (
	"context"
	"database/sql"
	"errors"

	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/story"
)

// Translation is what an edition says of its story's original.
type Translation struct {
	Original story.Edition
	Revision int64 // of the original, that the edition says; 0 when nobody has told
	Newest   int64 // of the original
}

// Translation gives where a translation stands to its original. The original
// itself, and a story without one, is NotFound.
func (s *Store) Translation(ctx context.Context, q db.Queryer, editionID string) (t Translation, err error) {
	defer wrap(&err, "Translation(%s)", editionID)
	var original string
	err = q.QueryRowContext(ctx, `SELECT o.id FROM edition e JOIN story s ON s.id = e.story_id
		JOIN edition o ON o.story_id = s.id AND o.lang = s.original_lang WHERE e.id = $1 AND o.id <> e.id`, editionID).Scan(&original)
	if errors.Is(err, sql.ErrNoRows) {
		return t, fault.New(fault.NotFound, "this edition is no translation")
	}
	if err != nil {
		return t, err
	}
	if t.Original, err = s.Stories.EditionByID(ctx, q, original); err != nil {
		return t, err
	}
	t.Newest = t.Original.Revision
	err = q.QueryRowContext(ctx, `SELECT revision FROM translation WHERE edition_id = $1`, editionID).Scan(&t.Revision)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return t, err
}

// SetTranslated tells that an edition says what its original said at a revision.
func (s *Store) SetTranslated(ctx context.Context, tx *db.Tx, editionID string, revision int64) (err error) {
	defer wrap(&err, "SetTranslated(%s, %d)", editionID, revision)
	t, err := s.Translation(ctx, tx, editionID)
	if err != nil {
		return err
	}
	if _, err := s.Stories.RevisionAt(ctx, tx, t.Original.ID, revision); err != nil {
		return err
	}
	if _, err = tx.ExecContext(ctx, `INSERT INTO translation (edition_id, revision) VALUES ($1, $2)
		ON CONFLICT (edition_id) DO UPDATE SET revision = excluded.revision`, editionID, revision); err != nil {
		return err
	}
	return s.tell(ctx, tx, editionID)
}

// Behind gives the newest words of a translation's original, and what has changed
// in them since the revision that it says; without one it is as if all were new.
func (s *Store) Behind(ctx context.Context, q db.Queryer, t Translation) (newest story.Revision, changed []doc.Block, err error) {
	defer wrap(&err, "Behind(%s)", t.Original.ID)
	if newest, err = s.Stories.RevisionAt(ctx, q, t.Original.ID, t.Newest); err != nil {
		return newest, nil, err
	}
	was := story.Revision{Body: doc.Empty()}
	if t.Revision > 0 {
		if was, err = s.Stories.RevisionAt(ctx, q, t.Original.ID, t.Revision); err != nil {
			return newest, nil, err
		}
	}
	return newest, doc.Diff(was.Body, newest.Body), nil
}
