package story

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"masthead/internal/db"
)

// SaveSection writes a section: under its ID, or over the one of the same Source.
// A slug that is taken or reserved gets a number behind it.
func (s *Store) SaveSection(ctx context.Context, tx *db.Tx, sec *Section) error {
	id, created, err := s.identify(ctx, tx, "section", sec.ID, sec.Source)
	if err != nil {
		return err
	}
	sec.ID = id
	if created {
		sec.CreatedAt = s.Now()
	}
	if sec.Slug, err = s.freeSlug(ctx, tx, "section", sec.ID, sec.Slug); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO section (id, parent_id, slug, position, names, descriptions, source, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (id) DO UPDATE SET parent_id = excluded.parent_id, slug = excluded.slug, position = excluded.position,
			names = excluded.names, descriptions = excluded.descriptions`,
		sec.ID, null(sec.ParentID), sec.Slug, sec.Position, encode(sec.Names), encode(sec.Descriptions), null(sec.Source), db.Micros(sec.CreatedAt))
	if err != nil {
		return fmt.Errorf("story.SaveSection(%s): %w", sec.Slug, err)
	}
	return s.arranged(ctx, tx)
}

// Sections gives every section, parents before their parts, in the newsroom's order.
func (s *Store) Sections(ctx context.Context, q db.Queryer) (Sections, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, COALESCE(parent_id, ''), slug, position, names, descriptions, COALESCE(source, ''), created_at
		FROM section ORDER BY position, slug`)
	all, err := db.Rows(rows, err, func(r db.Scanner) (sec Section, err error) {
		var names, descriptions string
		var created int64
		if err = r.Scan(&sec.ID, &sec.ParentID, &sec.Slug, &sec.Position, &names, &descriptions, &sec.Source, &created); err != nil {
			return sec, err
		}
		sec.CreatedAt = db.Time(created)
		return sec, decode(names, &sec.Names, descriptions, &sec.Descriptions)
	})
	if err != nil {
		return nil, fmt.Errorf("story.Sections: %w", err)
	}
	return all, nil
}

// Filled tells which sections have a published report in a language, by section ID.
func (s *Store) Filled(ctx context.Context, q db.Queryer, lang string) (map[string]bool, error) {
	rows, err := q.QueryContext(ctx, `SELECT c.id FROM section c WHERE EXISTS (
		SELECT 1 FROM story s JOIN edition e ON e.story_id = s.id
		WHERE s.section_id = c.id AND s.kind = 'story' AND e.lang = $1 AND e.status = 'published')`, lang)
	ids, err := db.Rows(rows, err, func(r db.Scanner) (id string, err error) { return id, r.Scan(&id) })
	if err != nil {
		return nil, fmt.Errorf("story.Filled(%s): %w", lang, err)
	}
	filled := make(map[string]bool, len(ids))
	for _, id := range ids {
		filled[id] = true
	}
	return filled, nil
}

// Sections is the tree of sections, flat, in the newsroom's order.
type Sections []Section

// ByID gives the section of that ID, and whether there is one.
func (all Sections) ByID(id string) (Section, bool) {
	return all.find(func(s Section) bool { return s.ID == id })
}

// BySlug gives the section of that slug, and whether there is one.
func (all Sections) BySlug(slug string) (Section, bool) {
	return all.find(func(s Section) bool { return s.Slug == slug })
}

func (all Sections) find(is func(Section) bool) (Section, bool) {
	if i := slices.IndexFunc(all, is); i >= 0 {
		return all[i], true
	}
	return Section{}, false
}

// Parts gives the sections directly below the one of that ID; "" gives the top.
func (all Sections) Parts(id string) []Section {
	var parts []Section
	for _, s := range all {
		if s.ParentID == id {
			parts = append(parts, s)
		}
	}
	return parts
}

// Path gives the section of that ID and those above it, the nearest first.
func (all Sections) Path(id string) []Section {
	var path []Section
	for id != "" && len(path) <= len(all) { // a ring, which nothing should make, ends here
		s, ok := all.ByID(id)
		if !ok {
			break
		}
		path = append(path, s)
		id = s.ParentID
	}
	return path
}

// Within gives the IDs of the section and of all below it.
func (all Sections) Within(id string) []string {
	ids := []string{id}
	for i := 0; i < len(ids) && len(ids) <= len(all); i++ {
		for _, s := range all.Parts(ids[i]) {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// SaveTopic writes a topic: under its ID, or over the one of the same Source.
func (s *Store) SaveTopic(ctx context.Context, tx *db.Tx, t *Topic) error {
	id, created, err := s.identify(ctx, tx, "topic", t.ID, t.Source)
	if err != nil {
		return err
	}
	t.ID = id
	if created {
		t.CreatedAt = s.Now()
	}
	if t.Kind == "" {
		t.Kind = Subject
	}
	if t.Slug, err = s.freeSlug(ctx, tx, "topic", t.ID, t.Slug); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO topic (id, kind, slug, names, descriptions, aliases, internal, source, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, slug = excluded.slug, names = excluded.names,
			descriptions = excluded.descriptions, aliases = excluded.aliases, internal = excluded.internal`,
		t.ID, t.Kind, t.Slug, encode(t.Names), encode(t.Descriptions), encode(t.Aliases), t.Internal, null(t.Source), db.Micros(t.CreatedAt))
	if err != nil {
		return fmt.Errorf("story.SaveTopic(%s): %w", t.Slug, err)
	}
	return s.arranged(ctx, tx)
}

// TopicBySlug gives a topic. One with Internal set is not for readers: its page is not found.
func (s *Store) TopicBySlug(ctx context.Context, q db.Queryer, slug string) (Topic, error) {
	t, err := scanTopic(q.QueryRowContext(ctx, topicQuery+` WHERE slug = $1`, slug))
	if err != nil {
		return Topic{}, absent(err, "no such topic", "slug", slug)
	}
	return t, nil
}

// Topics gives the topics of those IDs, in that order; nil gives every topic by slug.
func (s *Store) Topics(ctx context.Context, q db.Queryer, ids []string) ([]Topic, error) {
	where, args := "", []any(nil)
	if ids != nil {
		where, args = db.In(1, ids)
		where = ` WHERE id IN ` + where
	}
	rows, err := q.QueryContext(ctx, topicQuery+where+` ORDER BY slug`, args...)
	all, err := db.Rows(rows, err, scanTopic)
	if err != nil {
		return nil, fmt.Errorf("story.Topics: %w", err)
	}
	if ids != nil {
		slices.SortStableFunc(all, func(a, b Topic) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	}
	return all, nil
}

const topicQuery = `SELECT id, kind, slug, names, descriptions, aliases, internal, COALESCE(source, ''), created_at FROM topic`

func scanTopic(r db.Scanner) (t Topic, err error) {
	var names, descriptions, aliases string
	var created int64
	if err = r.Scan(&t.ID, &t.Kind, &t.Slug, &names, &descriptions, &aliases, &t.Internal, &t.Source, &created); err != nil {
		return t, err
	}
	t.CreatedAt = db.Time(created)
	return t, decode(names, &t.Names, descriptions, &t.Descriptions, aliases, &t.Aliases)
}

// SaveWriter writes an author: under its ID, or over the one of the same Source.
func (s *Store) SaveWriter(ctx context.Context, tx *db.Tx, w *Writer) error {
	id, created, err := s.identify(ctx, tx, "author", w.ID, w.Source)
	if err != nil {
		return err
	}
	w.ID = id
	if created {
		w.CreatedAt = s.Now()
	}
	if w.Slug, err = s.freeSlug(ctx, tx, "author", w.ID, w.Slug); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO author (id, slug, names, biographies, handle, website, email, portrait_id, staff_id, source, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (id) DO UPDATE SET slug = excluded.slug, names = excluded.names, biographies = excluded.biographies,
			handle = excluded.handle, website = excluded.website, email = excluded.email, portrait_id = excluded.portrait_id,
			staff_id = excluded.staff_id`,
		w.ID, w.Slug, encode(w.Names), encode(w.Biographies), w.Handle, w.Website, w.Email, null(w.PortraitID), w.StaffID, null(w.Source), db.Micros(w.CreatedAt))
	if err != nil {
		return fmt.Errorf("story.SaveWriter(%s): %w", w.Slug, err)
	}
	return s.arranged(ctx, tx)
}

// WriterBySlug gives an author.
func (s *Store) WriterBySlug(ctx context.Context, q db.Queryer, slug string) (Writer, error) {
	w, err := scanWriter(q.QueryRowContext(ctx, writerQuery+` WHERE slug = $1`, slug))
	if err != nil {
		return Writer{}, absent(err, "no such author", "slug", slug)
	}
	return w, nil
}

// Writers gives the authors of those IDs, in that order; nil gives every author by slug.
func (s *Store) Writers(ctx context.Context, q db.Queryer, ids []string) ([]Writer, error) {
	where, args := "", []any(nil)
	if ids != nil {
		where, args = db.In(1, ids)
		where = ` WHERE id IN ` + where
	}
	rows, err := q.QueryContext(ctx, writerQuery+where+` ORDER BY slug`, args...)
	all, err := db.Rows(rows, err, scanWriter)
	if err != nil {
		return nil, fmt.Errorf("story.Writers: %w", err)
	}
	if ids != nil {
		slices.SortStableFunc(all, func(a, b Writer) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	}
	return all, nil
}

const writerQuery = `SELECT id, slug, names, biographies, handle, website, email, COALESCE(portrait_id, ''), staff_id, COALESCE(source, ''), created_at FROM author`

func scanWriter(r db.Scanner) (w Writer, err error) {
	var names, biographies string
	var created int64
	if err = r.Scan(&w.ID, &w.Slug, &names, &biographies, &w.Handle, &w.Website, &w.Email, &w.PortraitID, &w.StaffID, &w.Source, &created); err != nil {
		return w, err
	}
	w.CreatedAt = db.Time(created)
	return w, decode(names, &w.Names, biographies, &w.Biographies)
}

// identify gives the ID to write a row under, and whether the row is new.
func (s *Store) identify(ctx context.Context, tx *db.Tx, table, id, source string) (string, bool, error) {
	column, value := "id", id
	if id == "" {
		column, value = "source", source
	}
	var found string
	err := tx.QueryRowContext(ctx, `SELECT id FROM `+table+` WHERE `+column+` = $1`, value).Scan(&found)
	switch {
	case err == nil:
		return found, false, nil
	case err != sql.ErrNoRows:
		return "", false, fmt.Errorf("story: find %s %s: %w", table, value, err)
	case id == "":
		return db.NewID(), true, nil
	}
	return id, true, nil
}

// freeSlug makes slug one that no other row of the table, and no fixed address, has.
func (s *Store) freeSlug(ctx context.Context, tx *db.Tx, table, id, slug string) (string, error) {
	base := Slug(slug)
	if base == "" {
		base = table
	}
	for n := 1; ; n++ {
		try := numbered(base, n)
		if table == "section" && Reserved(try) {
			continue
		}
		var other string
		err := tx.QueryRowContext(ctx, `SELECT id FROM `+table+` WHERE slug = $1 AND id <> $2`, try, id).Scan(&other)
		if err == sql.ErrNoRows {
			return try, nil
		}
		if err != nil {
			return "", fmt.Errorf("story: slug of %s %s: %w", table, slug, err)
		}
	}
}

// decode reads pairs of JSON text and where it goes.
func decode(pairs ...any) error {
	for i := 0; i < len(pairs); i += 2 {
		if err := json.Unmarshal([]byte(pairs[i].(string)), pairs[i+1]); err != nil {
			return err
		}
	}
	return nil
}
