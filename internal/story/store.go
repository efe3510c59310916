package story

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
)

// Store keeps stories. Every method takes the connection or transaction it is
// to use; the Store itself holds only what does not change.
type Store struct {
	Now         func() time.Time
	DefaultLang string         // the language whose addresses bear no prefix
	Location    *time.Location // the newsroom's clock: it dates addresses
	// Changed is told of each change of an edition, in the transaction that makes
	// it; also when its story's section, access, topics or byline change.
	Changed []func(ctx context.Context, tx *db.Tx, c Change) error
	// Arranged is told when a section, topic, author or menu changes, in the same way.
	Arranged []func(ctx context.Context, tx *db.Tx) error
}

// Change is what happened to an edition.
type Change struct {
	StoryID, EditionID, Lang string
	Was, Is                  Status // Was is "" for a new edition
	OldPath, Path            string
	Corrected                bool // a correction was added to it
}

// Public reports whether readers can see the edition after the change.
func (c Change) Public() bool { return c.Is == Published }

func (s *Store) tell(ctx context.Context, tx *db.Tx, c Change) error {
	for _, f := range s.Changed {
		if err := f(ctx, tx, c); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) arranged(ctx context.Context, tx *db.Tx) error {
	for _, f := range s.Arranged {
		if err := f(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// Save writes a story with its topics and bylines, and gives its ID: a new one
// where st.ID is empty, unless st.Source names a story that is already there.
// Editions are saved by [Store.SaveEdition].
func (s *Store) Save(ctx context.Context, tx *db.Tx, st *Story) error {
	if err := st.Access.Check(); err != nil {
		return err
	}
	now := s.Now()
	if st.ID == "" {
		st.ID = db.NewID()
	}
	if st.CreatedAt.IsZero() {
		st.CreatedAt = now
	}
	if st.Kind == "" {
		st.Kind = Report
	}
	st.UpdatedAt = now
	err := tx.QueryRowContext(ctx, `INSERT INTO story
			(id, kind, section_id, access, password_hash, lead_media_id, original_lang, pinned, source, created_by, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (`+key(st.Source)+`) DO UPDATE SET kind = excluded.kind, section_id = excluded.section_id, access = excluded.access,
			password_hash = excluded.password_hash, lead_media_id = excluded.lead_media_id,
			original_lang = excluded.original_lang, pinned = excluded.pinned, updated_at = excluded.updated_at
		RETURNING id`,
		st.ID, st.Kind, null(st.SectionID), st.Access, st.PasswordHash, null(st.LeadMediaID), st.OriginalLang, st.Pinned,
		null(st.Source), st.CreatedBy, db.Micros(st.CreatedAt), db.Micros(st.UpdatedAt)).Scan(&st.ID)
	if err != nil {
		return fmt.Errorf("story.Save(%s): %w", st.ID, err)
	}
	for _, table := range []string{"story_topic", "byline"} {
		if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE story_id = $1`, st.ID); err != nil {
			return fmt.Errorf("story.Save(%s): %w", st.ID, err)
		}
	}
	for i, topic := range st.Topics {
		if _, err := tx.ExecContext(ctx, `INSERT INTO story_topic (story_id, position, topic_id) VALUES ($1, $2, $3)
			ON CONFLICT (story_id, topic_id) DO NOTHING`, st.ID, i, topic); err != nil {
			return fmt.Errorf("story.Save(%s) topic %s: %w", st.ID, topic, err)
		}
	}
	for i, b := range st.Bylines {
		if _, err := tx.ExecContext(ctx, `INSERT INTO byline (story_id, lang, position, author_id, role) VALUES ($1, $2, $3, $4, $5)`,
			st.ID, b.Lang, i, b.AuthorID, b.Role); err != nil {
			return fmt.Errorf("story.Save(%s) byline %s: %w", st.ID, b.AuthorID, err)
		}
	}
	return s.tellEditions(ctx, tx, st.ID)
}

// tellEditions tells of a change of everything that a story's public editions share.
func (s *Store) tellEditions(ctx context.Context, tx *db.Tx, storyID string) error {
	rows, err := tx.QueryContext(ctx, `SELECT id, lang, path FROM edition WHERE story_id = $1 AND status = 'published' ORDER BY lang`, storyID)
	changes, err := db.Rows(rows, err, func(r db.Scanner) (Change, error) {
		c := Change{StoryID: storyID, Was: Published, Is: Published}
		err := r.Scan(&c.EditionID, &c.Lang, &c.Path)
		c.OldPath = c.Path
		return c, err
	})
	if err != nil {
		return fmt.Errorf("story.Save(%s): %w", storyID, err)
	}
	for _, c := range changes {
		if err := s.tell(ctx, tx, c); err != nil {
			return err
		}
	}
	return nil
}

const storyColumns = `id, kind, section_id, access, password_hash, lead_media_id, original_lang, pinned, source, created_by, created_at, updated_at`

func scanStory(row db.Scanner) (st Story, err error) {
	var section, lead, source sql.NullString
	var created, updated int64
	err = row.Scan(&st.ID, &st.Kind, &section, &st.Access, &st.PasswordHash, &lead, &st.OriginalLang, &st.Pinned, &source, &st.CreatedBy, &created, &updated)
	st.SectionID, st.LeadMediaID, st.Source = section.String, lead.String, source.String
	st.CreatedAt, st.UpdatedAt = db.Time(created), db.Time(updated)
	return st, err
}

// ByID gives a story with its topics and bylines.
func (s *Store) ByID(ctx context.Context, q db.Queryer, id string) (Story, error) {
	return s.one(ctx, q, "id", id)
}

// BySource gives the story that was imported from source.
func (s *Store) BySource(ctx context.Context, q db.Queryer, source string) (Story, error) {
	return s.one(ctx, q, "source", source)
}

func (s *Store) one(ctx context.Context, q db.Queryer, column, value string) (Story, error) {
	st, err := scanStory(q.QueryRowContext(ctx, `SELECT `+storyColumns+` FROM story WHERE `+column+` = $1`, value))
	if err != nil {
		return Story{}, absent(err, "no such story", column, value)
	}
	rows, err := q.QueryContext(ctx, `SELECT topic_id FROM story_topic WHERE story_id = $1 ORDER BY position`, st.ID)
	st.Topics, err = db.Rows(rows, err, func(r db.Scanner) (id string, err error) { return id, r.Scan(&id) })
	if err != nil {
		return Story{}, fmt.Errorf("story.ByID(%s): %w", st.ID, err)
	}
	rows, err = q.QueryContext(ctx, `SELECT author_id, role, lang FROM byline WHERE story_id = $1 ORDER BY position, lang`, st.ID)
	st.Bylines, err = db.Rows(rows, err, func(r db.Scanner) (b Byline, err error) { return b, r.Scan(&b.AuthorID, &b.Role, &b.Lang) })
	if err != nil {
		return Story{}, fmt.Errorf("story.ByID(%s): %w", st.ID, err)
	}
	return st, nil
}

// SaveComment keeps a comment of an imported archive; one with the same Source is replaced.
func (s *Store) SaveComment(ctx context.Context, tx *db.Tx, c *Comment) error {
	if c.ID == "" {
		c.ID = db.NewID()
	}
	err := tx.QueryRowContext(ctx, `INSERT INTO comment (id, story_id, parent_id, author_name, author_url, text, status, at, source)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (`+key(c.Source)+`) DO UPDATE SET parent_id = excluded.parent_id, author_name = excluded.author_name,
			author_url = excluded.author_url, text = excluded.text, status = excluded.status, at = excluded.at
		RETURNING id`,
		c.ID, c.StoryID, null(c.ParentID), c.AuthorName, c.AuthorURL, c.Text, c.Status, db.Micros(c.At), null(c.Source)).Scan(&c.ID)
	if err != nil {
		return fmt.Errorf("story.SaveComment(%s): %w", c.Source, err)
	}
	return nil
}

// SaveMenu writes a menu under its slug.
func (s *Store) SaveMenu(ctx context.Context, tx *db.Tx, m Menu) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO menu (slug, name, items, source) VALUES ($1, $2, $3, $4)
		ON CONFLICT (slug) DO UPDATE SET name = excluded.name, items = excluded.items`, m.Slug, m.Name, encode(append([]MenuItem{}, m.Items...)), null(m.Source))
	if err != nil {
		return fmt.Errorf("story.SaveMenu(%s): %w", m.Slug, err)
	}
	return s.arranged(ctx, tx)
}

// Menus gives every menu by its slug.
func (s *Store) Menus(ctx context.Context, q db.Queryer) (map[string]Menu, error) {
	rows, err := q.QueryContext(ctx, `SELECT slug, name, items, COALESCE(source, '') FROM menu ORDER BY slug`)
	all, err := db.Rows(rows, err, func(r db.Scanner) (m Menu, err error) {
		var items string
		if err = r.Scan(&m.Slug, &m.Name, &items, &m.Source); err == nil {
			err = json.Unmarshal([]byte(items), &m.Items)
		}
		return m, err
	})
	if err != nil {
		return nil, fmt.Errorf("story.Menus: %w", err)
	}
	bySlug := make(map[string]Menu, len(all))
	for _, m := range all {
		bySlug[m.Slug] = m
	}
	return bySlug, nil
}

// key names the column by which an upsert finds the row that is already there.
func key(source string) string {
	if source != "" {
		return "source"
	}
	return "id"
}

// null makes an empty text NULL, for columns that refer to another row or must be unique where set.
func null(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

// encode writes v as JSON with sorted keys; the types it is given cannot fail.
func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	if string(b) == "null" {
		return "{}"
	}
	return string(b)
}

func absent(err error, message string, args ...any) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fault.New(fault.NotFound, message, args...)
	}
	return fmt.Errorf("story: %s %v: %w", message, args, err)
}
