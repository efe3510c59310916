package story

import (
	"context"
	"fmt"

	"masthead/internal/db"
	"masthead/internal/doc"
)

// AddRevision keeps words as the newest revision of an edition without putting
// them into it: what readers see stays. It sets r.Seq and r.CreatedAt. The body
// must pass doc.Check.
func (s *Store) AddRevision(ctx context.Context, tx *db.Tx, r *Revision) error {
	if err := doc.Check(r.Body); err != nil {
		return fmt.Errorf("story.AddRevision(%s): %w", r.EditionID, err)
	}
	r.CreatedAt = s.Now()
	err := tx.QueryRowContext(ctx, `UPDATE edition SET revision = revision + 1 WHERE id = $1 RETURNING revision`, r.EditionID).Scan(&r.Seq)
	if err != nil {
		return absent(err, "no such story", "edition", r.EditionID)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO revision (edition_id, seq, editor, headline, kicker, summary, body, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		r.EditionID, r.Seq, r.Editor, r.Headline, r.Kicker, r.Summary, string(r.Body.JSON()), db.Micros(r.CreatedAt))
	if err != nil {
		return fmt.Errorf("story.AddRevision(%s): %w", r.EditionID, err)
	}
	return nil
}

const revisionColumns = `edition_id, seq, editor, headline, kicker, summary, created_at`

func scanRevision(row db.Scanner, more ...any) (r Revision, err error) {
	var created int64
	err = row.Scan(append([]any{&r.EditionID, &r.Seq, &r.Editor, &r.Headline, &r.Kicker, &r.Summary, &created}, more...)...)
	r.CreatedAt = db.Time(created)
	return r, err
}

// RevisionAt gives one revision of an edition, whole.
func (s *Store) RevisionAt(ctx context.Context, q db.Queryer, editionID string, seq int64) (Revision, error) {
	var body []byte
	r, err := scanRevision(q.QueryRowContext(ctx, `SELECT `+revisionColumns+`, body FROM revision WHERE edition_id = $1 AND seq = $2`, editionID, seq), &body)
	if err != nil {
		return Revision{}, absent(err, "no such revision", "edition", editionID, "seq", seq)
	}
	if r.Body, err = doc.Parse(body); err != nil {
		return Revision{}, fmt.Errorf("story.RevisionAt(%s, %d): %w", editionID, seq, err)
	}
	return r, nil
}

// RevisionList gives every revision of an edition without its body, the newest first.
func (s *Store) RevisionList(ctx context.Context, q db.Queryer, editionID string) ([]Revision, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+revisionColumns+` FROM revision WHERE edition_id = $1 ORDER BY seq DESC`, editionID)
	all, err := db.Rows(rows, err, func(row db.Scanner) (Revision, error) { return scanRevision(row) })
	if err != nil {
		return nil, fmt.Errorf("story.RevisionList(%s): %w", editionID, err)
	}
	return all, nil
}
