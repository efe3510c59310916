package media

import (
	"context"
	"fmt"

	"masthead/internal/db"
	"masthead/internal/fault"
)

// Intake keeps the bytes of u and saves them, unless they are kept already:
// then it gives the oldest media that has them, as it is, and known is true. So
// an upload whose answer was lost can be made again. Nothing is left of one
// that breaks off. It opens a transaction of its own once the work on the
// picture is done; then, where set, is called in it.
func (s *Store) Intake(ctx context.Context, u Upload, then func(ctx context.Context, tx *db.Tx, m *Media, known bool) error) (m Media, known bool, err error) {
	kept, err := s.Keep(ctx, u)
	if err != nil {
		return Media{}, false, err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		m, known = kept, true
		if _, err := tx.ExecContext(ctx, `INSERT INTO media_upload (hash, at) VALUES ($1, $2) ON CONFLICT (hash) DO UPDATE SET at = excluded.at`,
			kept.Hash, db.Micros(s.Now())); err != nil {
			return fmt.Errorf("media.Intake(%s): %w", kept.Name, err)
		}
		found, err := s.ByHash(ctx, tx, kept.Hash)
		switch {
		case err == nil:
			m = found
		case fault.Is(err, fault.NotFound):
			known = false
			if err := s.Save(ctx, tx, &m); err != nil {
				return err
			}
		default:
			return err
		}
		// Whoever waits for the row finds what was saved.
		if _, err := tx.ExecContext(ctx, `DELETE FROM media_upload WHERE hash = $1`, kept.Hash); err != nil {
			return fmt.Errorf("media.Intake(%s): %w", kept.Name, err)
		}
		if then == nil {
			return nil
		}
		return then(ctx, tx, &m, known)
	})
	return m, known, err
}

// Replace puts the bytes of u in the place of those that m has: the ID stays,
// and with it every story that shows it. A picture is replaced by a picture,
// another file by another file; else it is a Conflict. The focal point goes
// back to the middle unless u has one.
//
// The address of the bytes is a new one, as it always names their hash; pages
// are told by the caller.
func (s *Store) Replace(ctx context.Context, id string, u Upload, then func(ctx context.Context, tx *db.Tx, was, is Media) error) (m Media, err error) {
	kept, err := s.Keep(ctx, u)
	if err != nil {
		return Media{}, err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		was, err := s.ByID(ctx, tx, id)
		if err != nil {
			return err
		}
		if was.Kind != kept.Kind {
			return fault.New(fault.Conflict, "a picture cannot take the place of a file, nor a file that of a picture", "is", was.Kind)
		}
		m = was
		m.Name, m.MIME, m.Width, m.Height, m.Bytes, m.Hash, m.Blob, m.Focal = kept.Name, kept.MIME, kept.Width, kept.Height, kept.Bytes, kept.Hash, kept.Blob, kept.Focal
		if err := s.Save(ctx, tx, &m); err != nil {
			return err
		}
		if then == nil {
			return nil
		}
		return then(ctx, tx, was, m)
	})
	return m, err
}
