package draft

import (
	"context"
	"errors"
	"slices"

	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/story"
)

// Kept is a revision that a draft was kept as.
type Kept struct {
	Revision int64
	Version  int64 // of the draft that it holds
}

// Keep makes the draft a revision of its story, under the name of editor ("" for
// who wrote last), with everybody who wrote. The edition takes the words over,
// unless it has an address: what readers see changes by [Store.Release] alone.
// A draft in which nothing has changed gives the revision that is there.
func (s *Store) Keep(ctx context.Context, tx *db.Tx, editionID, editor string) (k Kept, err error) {
	defer wrap(&err, "Keep(%s)", editionID)
	return s.keep(ctx, tx, editionID, editor, false)
}

// Release keeps the draft and makes its words those of the edition, whatever its
// status: what publishing begins with. An edition that nobody has written at
// the desk stays as it is.
func (s *Store) Release(ctx context.Context, tx *db.Tx, editionID, editor string) (k Kept, err error) {
	defer wrap(&err, "Release(%s)", editionID)
	k, err = s.keep(ctx, tx, editionID, editor, true)
	if fault.Is(err, fault.NotFound) {
		e, err := s.Stories.EditionByID(ctx, tx, editionID)
		return Kept{Revision: e.Revision}, err
	}
	return k, err
}

// Settle is [Store.Release] or [Store.Keep], as plans ask for it: an edition that
// nobody has written at the desk stays as it is.
func (s *Store) Settle(ctx context.Context, tx *db.Tx, editionID, editor string, release bool) (err error) {
	if release {
		_, err = s.Release(ctx, tx, editionID, editor)
	} else {
		_, err = s.Keep(ctx, tx, editionID, editor)
	}
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

func (s *Store) keep(ctx context.Context, tx *db.Tx, editionID, editor string, release bool) (k Kept, err error) {
	// The edition comes before its draft, as for whoever writes it past the desk:
	// one who had the draft and one who had the edition would wait for one another.
	if err := s.Stories.Lock(ctx, tx, editionID); err != nil {
		return k, err
	}
	d, err := s.locked(ctx, tx, editionID)
	if err != nil {
		return k, err
	}
	e, err := s.Stories.EditionByID(ctx, tx, editionID)
	if err != nil {
		return k, err
	}
	if e.Revision > d.Revision {
		if err := s.follow(ctx, tx, d, e); err != nil {
			return k, err
		}
		if d, err = s.load(ctx, tx, editionID, ""); err != nil {
			return k, err
		}
	}
	if !d.Unkept && !(release && d.Base < d.Revision) {
		return Kept{d.Revision, d.Version}, nil
	}
	words, err := d.words()
	if err != nil {
		return k, err
	}
	writers, err := s.writers(ctx, tx, d)
	if err != nil {
		return k, err
	}
	if editor == "" {
		if editor, err = s.email(ctx, tx, writers); err != nil {
			return k, err
		}
	}
	base := d.Base
	if release || e.Path == "" {
		// That the edition changes now is no news to the draft: see Follow.
		if _, err := tx.ExecContext(ctx, `UPDATE draft SET revision = $2 WHERE edition_id = $1`, editionID, e.Revision+1); err != nil {
			return k, err
		}
		e.Kicker, e.Headline, e.Summary, e.Body, e.UpdatedAt = words.Kicker, words.Headline, words.Summary, words.Body, s.Now()
		if err := s.Stories.SaveEdition(ctx, tx, &e, editor); err != nil {
			return k, err
		}
		k.Revision, base = e.Revision, e.Revision
	} else if last, err := s.Stories.RevisionAt(ctx, tx, editionID, d.Revision); err != nil && !fault.Is(err, fault.NotFound) {
		return k, err
	} else if err == nil && sameWords(last, words) { // what was changed was changed back
		k.Revision = d.Revision
	} else {
		words.Editor = editor
		if err := s.Stories.AddRevision(ctx, tx, &words); err != nil {
			return k, err
		}
		k.Revision = words.Seq
	}
	k.Version = d.Version
	if _, err := tx.ExecContext(ctx, `UPDATE draft SET revision = $2, base = $3, kept = version, unkept = FALSE, kept_at = $4 WHERE edition_id = $1`,
		editionID, k.Revision, base, db.Micros(s.Now())); err != nil {
		return k, err
	}
	if k.Revision == d.Revision {
		writers = nil // they left nothing behind
	}
	for _, id := range writers {
		if _, err := tx.ExecContext(ctx, `INSERT INTO revision_writer (edition_id, seq, staff_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
			editionID, k.Revision, id); err != nil {
			return k, err
		}
	}
	return k, s.tell(ctx, tx, editionID)
}

// email names who wrote last, as revisions name their editors.
func (s *Store) email(ctx context.Context, q db.Queryer, writers []string) (string, error) {
	if len(writers) == 0 {
		return "", nil
	}
	in, args := db.In(1, writers)
	rows, err := q.QueryContext(ctx, `SELECT id, email FROM staff WHERE id IN `+in, args...)
	byID := map[string]string{}
	_, err = db.Rows(rows, err, func(r db.Scanner) (struct{}, error) {
		var id, email string
		err := r.Scan(&id, &email)
		byID[id] = email
		return struct{}{}, err
	})
	for _, id := range writers {
		if byID[id] != "" {
			return byID[id], err
		}
	}
	return "", err
}

// Writers gives who wrote each revision of an edition, staff IDs by its number.
func (s *Store) Writers(ctx context.Context, q db.Queryer, editionID string) (bySeq map[int64][]string, err error) {
	defer wrap(&err, "Writers(%s)", editionID)
	rows, err := q.QueryContext(ctx, `SELECT seq, staff_id FROM revision_writer WHERE edition_id = $1 ORDER BY seq, staff_id`, editionID)
	bySeq = map[int64][]string{}
	_, err = db.Rows(rows, err, func(r db.Scanner) (struct{}, error) {
		var seq int64
		var id string
		err := r.Scan(&seq, &id)
		bySeq[seq] = append(bySeq[seq], id)
		return struct{}{}, err
	})
	return bySeq, err
}

// IdleDrafts gives the editions whose drafts have changed but not for [Idle]:
// a job keeps each of them in a transaction of its own.
func (s *Store) IdleDrafts(ctx context.Context, q db.Queryer) (editionIDs []string, err error) {
	defer wrap(&err, "IdleDrafts")
	rows, err := q.QueryContext(ctx, `SELECT edition_id FROM draft WHERE unkept AND updated_at <= $1 ORDER BY updated_at LIMIT 500`, db.Micros(s.Now().Add(-Idle)))
	return db.Rows(rows, err, func(r db.Scanner) (id string, err error) { return id, r.Scan(&id) })
}

// KeepIdle keeps every draft that nobody has changed for [Idle]. One that cannot
// be kept does not stop the others; it is tried again.
func (s *Store) KeepIdle(ctx context.Context, d *db.DB) (kept int, err error) {
	ids, err := s.IdleDrafts(ctx, d.Read())
	for _, id := range ids {
		one := d.InTx(ctx, func(tx *db.Tx) error {
			_, err := s.Keep(ctx, tx, id, "")
			return err
		})
		if err = errors.Join(err, one); one == nil {
			kept++
		}
	}
	return kept, err
}

// Restore makes a revision's words those of the draft. What stands there is kept
// as a revision first; the change comes to those who write there as steps.
func (s *Store) Restore(ctx context.Context, tx *db.Tx, editionID string, seq int64, staffID, editor string) (version int64, err error) {
	defer wrap(&err, "Restore(%s, %d)", editionID, seq)
	if _, err := s.keep(ctx, tx, editionID, editor, false); err != nil {
		return 0, err
	}
	d, err := s.load(ctx, tx, editionID, "")
	if err != nil {
		return 0, err
	}
	r, err := s.Stories.RevisionAt(ctx, tx, editionID, seq)
	if err != nil {
		return 0, err
	}
	fields := map[string]string{Kicker: r.Kicker, Headline: r.Headline, Summary: r.Summary}
	return s.become(ctx, tx, d, r.Body, fields, clientRestore, staffID)
}

// become makes the draft say something else, by steps and changes of its fields.
func (s *Store) become(ctx context.Context, tx *db.Tx, d Draft, body *doc.Node, fields map[string]string, client, staffID string) (version int64, err error) {
	version = d.Version
	if steps := doc.Steps(d.Doc, body); len(steps) > 0 {
		if version, err = s.push(ctx, tx, Push{EditionID: d.EditionID, Version: d.Version, Client: client, ID: db.NewID(), StaffID: staffID, Steps: steps}); err != nil {
			return 0, err
		}
	}
	for _, name := range FieldNames() {
		f := d.Fields[name]
		if value := fields[name]; value != f.Value {
			if _, err := tx.ExecContext(ctx, `UPDATE draft_field SET value = $3, version = version + 1, staff_id = $4, at = $5 WHERE edition_id = $1 AND name = $2`,
				d.EditionID, name, value, staffID, db.Micros(s.Now())); err != nil {
				return 0, err
			}
			if _, err := tx.ExecContext(ctx, `UPDATE draft SET unkept = TRUE, updated_at = $2 WHERE edition_id = $1`, d.EditionID, db.Micros(s.Now())); err != nil {
				return 0, err
			}
		}
	}
	return version, s.tell(ctx, tx, d.EditionID)
}

// Follow brings what was written past the desk into the edition's draft, in the
// transaction that wrote it, and tells those who write there of a new status. It
// is one of story.Store.Changed.
func (s *Store) Follow(ctx context.Context, tx *db.Tx, c story.Change) (err error) {
	defer wrap(&err, "Follow(%s)", c.EditionID)
	var known, newest int64
	err = tx.QueryRowContext(ctx, `SELECT d.revision, e.revision FROM draft d JOIN edition e ON e.id = d.edition_id WHERE d.edition_id = $1`, c.EditionID).Scan(&known, &newest)
	if err = absent(err); fault.Is(err, fault.NotFound) {
		return nil // nobody writes there
	}
	if err != nil {
		return err
	}
	if newest <= known {
		if c.Was != c.Is {
			return s.tell(ctx, tx, c.EditionID)
		}
		return nil
	}
	d, err := s.locked(ctx, tx, c.EditionID)
	if err != nil {
		return err
	}
	e, err := s.Stories.EditionByID(ctx, tx, c.EditionID)
	if err != nil {
		return err
	}
	return s.follow(ctx, tx, d, e)
}

// follow merges the words of an edition, which were written past the desk, into
// its draft. Where both changed the same paragraph the draft has both, one under
// the other; a field that both changed stays the draft's, the other is in the
// revision. Neither is a reason to refuse what has been written.
func (s *Store) follow(ctx context.Context, tx *db.Tx, d Draft, e story.Edition) error {
	base, err := s.Stories.RevisionAt(ctx, tx, d.EditionID, d.Base)
	if fault.Is(err, fault.NotFound) {
		base, err = d.words() // an archive without it: then the draft is what there was
	}
	if err != nil {
		return err
	}
	merged, conflicts := doc.Merge(base.Body, d.Doc, e.Body)
	if _, err := doc.Apply(d.Doc, doc.Steps(d.Doc, merged)...); err != nil || len(merged.JSON()) > doc.MaxBytes {
		merged, conflicts = d.Doc, 1 // both together are too large: the draft stays, and says so
	}
	fields := map[string]string{}
	for name, text := range map[string][2]string{Kicker: {base.Kicker, e.Kicker}, Headline: {base.Headline, e.Headline}, Summary: {base.Summary, e.Summary}} {
		was, theirs, mine := text[0], text[1], d.Fields[name].Value
		if fields[name] = mine; mine == was {
			fields[name] = theirs
		} else if theirs != was && theirs != mine {
			conflicts++
		}
	}
	if _, err := s.become(ctx, tx, d, merged, fields, clientOutside, ""); err != nil {
		return err
	}
	now, err := s.load(ctx, tx, d.EditionID, "")
	if err != nil {
		return err
	}
	words, err := now.words()
	if err != nil {
		return err
	}
	same := sameWords(words, story.Revision{Kicker: e.Kicker, Headline: e.Headline, Summary: e.Summary, Body: e.Body})
	_, err = tx.ExecContext(ctx, `UPDATE draft SET base = $2, revision = $2, outside = $2, conflicts = $3, unkept = $4,
		kept = CASE WHEN $4 THEN kept ELSE version END, kept_at = CASE WHEN $4 THEN kept_at ELSE $5 END WHERE edition_id = $1`,
		d.EditionID, e.Revision, conflicts, !same, db.Micros(s.Now()))
	return err
}

func sameWords(a, b story.Revision) bool {
	return a.Kicker == b.Kicker && a.Headline == b.Headline && a.Summary == b.Summary && slices.Equal(a.Body.JSON(), b.Body.JSON())
}
