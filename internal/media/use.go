package media

import (
	"context"
	"fmt"
	"slices"
	"time"

	"masthead/internal/db"
	"masthead/internal/doc"
)

// Where says what a picture or file is to a story or an author.
type Where string

// The uses. The tables of stories, authors and settings are read here and never written.
const (
	AsLead     Where = "lead"     // a story's lead picture
	InWords    Where = "words"    // in the body of an edition
	InDraft    Where = "draft"    // in what somebody is writing
	AsPortrait Where = "portrait" // an author's
	AsLogo     Where = "logo"     // at the head of every page
)

// Use is one place where a picture or file is used.
type Use struct {
	Where     Where
	StoryID   string
	EditionID string // of a lead, that in the story's original language, or ""
	Lang      string
	Headline  string
	Path      string // "" where it is not public
	AuthorID  string // of a portrait; then the story's fields are empty
	Names     string // of the author: JSON by language
}

// readings is how many editions are read at once for what they show.
const readings = 200

// Read brings up to date what is known of the pictures and files in the words
// of editions: those are read that were written, or imported, since. It is to be
// called before [Store.Uses] and before a search for what is not used.
func (s *Store) Read(ctx context.Context, tx *db.Tx) error {
	for {
		if n, err := s.readSome(ctx, tx, readings); err != nil || n < readings {
			return err
		}
	}
}

// ReadAll is [Store.Read] in many small transactions: after an import there is much to read.
func (s *Store) ReadAll(ctx context.Context) error {
	for {
		ids, err := s.unread(ctx, s.db.Read(), 1)
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := s.db.InTx(ctx, func(tx *db.Tx) error { _, err := s.readSome(ctx, tx, readings); return err }); err != nil {
			return err
		}
	}
}

func (s *Store) unread(ctx context.Context, q db.Queryer, limit int) (ids []string, err error) {
	rows, err := q.QueryContext(ctx, `SELECT e.id FROM edition e LEFT JOIN media_read r ON r.edition_id = e.id
		WHERE r.revision IS NULL OR r.revision <> e.revision OR r.updated_at <> e.updated_at LIMIT $1`, limit)
	return db.Rows(rows, err, func(r db.Scanner) (id string, err error) { return id, r.Scan(&id) })
}

func (s *Store) readSome(ctx context.Context, tx *db.Tx, limit int) (n int, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("media.Read: %w", err)
		}
	}()
	ids, err := s.unread(ctx, tx, limit)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	type edition struct {
		id                string
		body              []byte
		revision, updated int64
	}
	list, args := db.In(1, ids)
	rows, err := tx.QueryContext(ctx, `SELECT id, body, revision, updated_at FROM edition WHERE id IN `+list+` ORDER BY id`, args...)
	editions, err := db.Rows(rows, err, func(r db.Scanner) (e edition, err error) {
		return e, r.Scan(&e.id, &e.body, &e.revision, &e.updated)
	})
	if err != nil {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM media_use WHERE edition_id IN `+list, args...); err != nil {
		return 0, err
	}
	for _, e := range editions {
		body, err := doc.Parse(e.body)
		if err != nil {
			return 0, fmt.Errorf("edition %s: %w", e.id, err)
		}
		for _, id := range body.Media() {
			if _, err := tx.ExecContext(ctx, `INSERT INTO media_use (media_id, edition_id) VALUES ($1, $2) ON CONFLICT (media_id, edition_id) DO NOTHING`, id, e.id); err != nil {
				return 0, err
			}
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO media_read (edition_id, revision, updated_at) VALUES ($1, $2, $3)
			ON CONFLICT (edition_id) DO UPDATE SET revision = excluded.revision, updated_at = excluded.updated_at`, e.id, e.revision, e.updated); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

// Unused is the condition, of a query over media, that nothing shows it.
const Unused = `NOT EXISTS (SELECT 1 FROM media_use u WHERE u.media_id = media.id)
	AND NOT EXISTS (SELECT 1 FROM story s WHERE s.lead_media_id = media.id)
	AND NOT EXISTS (SELECT 1 FROM author a WHERE a.portrait_id = media.id)
	AND NOT EXISTS (SELECT 1 FROM setting o WHERE o.value = media.id AND o.name IN ('logo', 'logo-dark'))`

// Uses gives where a picture or file is used: leads first, then words, by the
// newest edition, then what is being written, then portraits and logos.
func (s *Store) Uses(ctx context.Context, q db.Queryer, id string) (all []Use, err error) {
	rows, err := q.QueryContext(ctx, `SELECT p.place, e.story_id, e.id, e.lang, e.headline, COALESCE(CASE e.status WHEN 'published' THEN e.path END, '') FROM (
			SELECT 'lead' AS place, 1 AS rank, e.id AS edition_id FROM story s JOIN edition e ON e.story_id = s.id AND e.lang = s.original_lang
				WHERE s.lead_media_id = $1
			UNION ALL SELECT 'words', 2, u.edition_id FROM media_use u WHERE u.media_id = $1
			UNION ALL SELECT 'draft', 3, d.edition_id FROM draft d WHERE d.body LIKE '%' || CAST($2 AS TEXT) || '%'
				AND NOT EXISTS (SELECT 1 FROM media_use u WHERE u.media_id = $1 AND u.edition_id = d.edition_id)
		) AS p JOIN edition e ON e.id = p.edition_id ORDER BY p.rank, e.updated_at DESC, e.id`, id, quoted(id))
	if all, err = db.Rows(rows, err, func(r db.Scanner) (u Use, err error) {
		return u, r.Scan(&u.Where, &u.StoryID, &u.EditionID, &u.Lang, &u.Headline, &u.Path)
	}); err != nil {
		return nil, fmt.Errorf("media.Uses(%s): %w", id, err)
	}
	// A story without an edition in its original language has a lead all the same.
	rows, err = q.QueryContext(ctx, `SELECT s.id FROM story s WHERE s.lead_media_id = $1
		AND NOT EXISTS (SELECT 1 FROM edition e WHERE e.story_id = s.id AND e.lang = s.original_lang) ORDER BY s.id`, id)
	bare, err := db.Rows(rows, err, func(r db.Scanner) (u Use, err error) { u.Where = AsLead; return u, r.Scan(&u.StoryID) })
	if err != nil {
		return nil, fmt.Errorf("media.Uses(%s): %w", id, err)
	}
	rows, err = q.QueryContext(ctx, `SELECT id, names FROM author WHERE portrait_id = $1 ORDER BY slug`, id)
	faces, err := db.Rows(rows, err, func(r db.Scanner) (u Use, err error) {
		u.Where = AsPortrait
		return u, r.Scan(&u.AuthorID, &u.Names)
	})
	if err != nil {
		return nil, fmt.Errorf("media.Uses(%s): %w", id, err)
	}
	rows, err = q.QueryContext(ctx, `SELECT name FROM setting WHERE value = $1 AND name IN ('logo', 'logo-dark') ORDER BY name`, id)
	logos, err := db.Rows(rows, err, func(r db.Scanner) (u Use, err error) {
		var name string
		u.Where = AsLogo
		return u, r.Scan(&name)
	})
	if err != nil {
		return nil, fmt.Errorf("media.Uses(%s): %w", id, err)
	}
	return slices.Concat(all, bare, faces, logos), nil
}

// quoted makes an ID what LIKE looks for: an ID has none of LIKE's own letters
// but for those that somebody put there.
func quoted(id string) string {
	out := make([]rune, 0, len(id))
	for _, r := range id {
		if r != '%' && r != '_' && r != '\\' {
			out = append(out, r)
		}
	}
	return `"` + string(out) + `"`
}

// Ended gives those of the IDs whose rights have ended by now, in their order.
func (s *Store) Ended(ctx context.Context, q db.Queryer, ids []string) (ended []string, err error) {
	found, err := s.ByIDs(ctx, q, ids...)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	for _, id := range ids {
		if m, ok := found[id]; ok && m.Ended(now) {
			ended = append(ended, id)
		}
	}
	return ended, nil
}

// Shown is [Store.ByIDs] without those whose rights have ended: what a page may show.
func (s *Store) Shown(ctx context.Context, q db.Queryer, ids ...string) (map[string]Media, error) {
	found, err := s.ByIDs(ctx, q, ids...)
	now := s.Now()
	for id, m := range found {
		if m.Ended(now) {
			delete(found, id)
		}
	}
	return found, err
}

// EndDue gives what has ended since it was called last, at most limit, and
// notes that it told of them: the pages that show them are to be made anew.
func (s *Store) EndDue(ctx context.Context, tx *db.Tx, limit int) ([]Media, error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+columns+` FROM media WHERE rights_until > 0 AND rights_until <= $1 AND rights_told <> rights_until
		ORDER BY rights_until, id LIMIT $2`, db.Micros(s.Now()), limit)
	all, err := db.Rows(rows, err, scan)
	if err != nil {
		return nil, fmt.Errorf("media.EndDue: %w", err)
	}
	for _, m := range all {
		if _, err := tx.ExecContext(ctx, `UPDATE media SET rights_told = rights_until WHERE id = $1`, m.ID); err != nil {
			return nil, fmt.Errorf("media.EndDue(%s): %w", m.ID, err)
		}
	}
	return all, nil
}

// Ending reports whether m's rights end within [RightsNotice], and have not yet.
func (m *Media) Ending(at time.Time) bool {
	return !m.RightsUntil.IsZero() && !m.Ended(at) && m.RightsUntil.Sub(at) <= RightsNotice
}
