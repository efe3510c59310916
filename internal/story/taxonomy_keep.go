package story

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"masthead/internal/db"
	"masthead/internal/fault"
)

// SectionByID gives a section; an unknown ID is NotFound.
func (s *Store) SectionByID(ctx context.Context, q db.Queryer, id string) (Section, error) {
	all, err := s.Sections(ctx, q)
	if err != nil {
		return Section{}, err
	}
	if sec, ok := all.ByID(id); ok {
		return sec, nil
	}
	return Section{}, fault.New(fault.NotFound, "no such section", "id", id)
}

// TopicByID gives a topic; an unknown ID is NotFound.
func (s *Store) TopicByID(ctx context.Context, q db.Queryer, id string) (Topic, error) {
	t, err := scanTopic(q.QueryRowContext(ctx, topicQuery+` WHERE id = $1`, id))
	if err != nil {
		return Topic{}, absent(err, "no such topic", "id", id)
	}
	return t, nil
}

// WriterByID gives an author; an unknown ID is NotFound.
func (s *Store) WriterByID(ctx context.Context, q db.Queryer, id string) (Writer, error) {
	w, err := scanWriter(q.QueryRowContext(ctx, writerQuery+` WHERE id = $1`, id))
	if err != nil {
		return Writer{}, absent(err, "no such author", "id", id)
	}
	return w, nil
}

// StoriesIn gives how many stories stand directly in each section, by its ID.
func (s *Store) StoriesIn(ctx context.Context, q db.Queryer) (map[string]int, error) {
	return counts(ctx, q, `SELECT section_id, COUNT(*) FROM story WHERE section_id IS NOT NULL GROUP BY section_id`)
}

// StoriesUnder gives how many stories have each of those topics, by its ID.
func (s *Store) StoriesUnder(ctx context.Context, q db.Queryer, topicIDs []string) (map[string]int, error) {
	list, args := db.In(1, topicIDs)
	return counts(ctx, q, `SELECT topic_id, COUNT(*) FROM story_topic WHERE topic_id IN `+list+` GROUP BY topic_id`, args...)
}

// StoriesBy gives how many stories name each of those authors, by ID.
func (s *Store) StoriesBy(ctx context.Context, q db.Queryer, authorIDs []string) (map[string]int, error) {
	list, args := db.In(1, authorIDs)
	return counts(ctx, q, `SELECT author_id, COUNT(DISTINCT story_id) FROM byline WHERE author_id IN `+list+` GROUP BY author_id`, args...)
}

func counts(ctx context.Context, q db.Queryer, text string, args ...any) (map[string]int, error) {
	type count struct {
		id string
		n  int
	}
	rows, err := q.QueryContext(ctx, text, args...)
	all, err := db.Rows(rows, err, func(r db.Scanner) (c count, err error) { return c, r.Scan(&c.id, &c.n) })
	if err != nil {
		return nil, fmt.Errorf("story: count stories: %w", err)
	}
	byID := make(map[string]int, len(all))
	for _, c := range all {
		byID[c.id] = c.n
	}
	return byID, nil
}

// OrderSections puts the sections of those IDs, which have one parent, in that order.
func (s *Store) OrderSections(ctx context.Context, tx *db.Tx, ids []string) error {
	for i, id := range ids {
		if _, err := tx.ExecContext(ctx, `UPDATE section SET position = $1 WHERE id = $2`, i+1, id); err != nil {
			return fmt.Errorf("story.OrderSections(%s): %w", id, err)
		}
	}
	return s.arranged(ctx, tx)
}

// CheckParent refuses a parent that would make a section a part of itself.
func (all Sections) CheckParent(id, parent string) error {
	if parent == "" {
		return nil
	}
	if _, ok := all.ByID(parent); !ok {
		return fault.New(fault.Invalid, "there is no such section to be a part of", "parent", parent)
	}
	if id != "" && slices.Contains(all.Within(id), parent) {
		return fault.New(fault.Invalid, "a section cannot be a part of itself", "id", id)
	}
	return nil
}

// Area is where addresses of a kind of subject begin.
type Area string

// The areas.
const (
	SectionArea Area = "/"
	TopicArea   Area = "/topic/"
	AuthorArea  Area = "/author/"
)

// Moved makes the addresses of a section, topic or author that has another slug
// now, or has become a part of another, lead to the new ones: its page and
// feeds, in every language of the site. What led to the old address before
// leads to the new one at once.
func (s *Store) Moved(ctx context.Context, tx *db.Tx, area Area, from, to string, langs []string) error {
	if from == to || from == "" || to == "" {
		return nil
	}
	for _, lang := range langs {
		prefix := ""
		if lang != s.DefaultLang {
			prefix = "/" + lang
		}
		for _, file := range []string{"", "feed.xml", "feed.json"} {
			old, now := prefix+string(area)+from+"/"+file, prefix+string(area)+to+"/"+file
			for _, do := range []struct {
				text string
				args []any
			}{
				{`DELETE FROM redirect WHERE path = $1`, []any{now}},
				{`UPDATE redirect SET target = $1 WHERE target = $2 AND edition_id IS NULL`, []any{now, old}},
			} {
				if _, err := tx.ExecContext(ctx, do.text, do.args...); err != nil {
					return fmt.Errorf("story.Moved(%s): %w", old, err)
				}
			}
			if err := s.AddRedirect(ctx, tx, old, now, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// DeleteSection takes a section away. Its stories go to the section into, and
// its addresses lead there; with into "" it must hold none. One that has parts
// is a Conflict, and so is one that still holds stories.
func (s *Store) DeleteSection(ctx context.Context, tx *db.Tx, id, into string, langs []string) (moved int, err error) {
	all, err := s.Sections(ctx, tx)
	if err != nil {
		return 0, err
	}
	sec, ok := all.ByID(id)
	if !ok {
		return 0, fault.New(fault.NotFound, "no such section", "id", id)
	}
	if len(all.Parts(id)) > 0 {
		return 0, fault.New(fault.Conflict, "the section has parts").WithHint("move them elsewhere first")
	}
	stories, err := s.storyIDs(ctx, tx, `SELECT id FROM story WHERE section_id = $1 ORDER BY id`, id)
	if err != nil {
		return 0, err
	}
	if into == "" && len(stories) > 0 {
		return 0, fault.New(fault.Conflict, "the section holds stories", "stories", len(stories)).WithHint("say where they are to go")
	}
	if into != "" {
		to, ok := all.ByID(into)
		if !ok || into == id {
			return 0, fault.New(fault.Invalid, "there is no such section to move the stories to", "into", into)
		}
		if _, err := tx.ExecContext(ctx, `UPDATE story SET section_id = $1, updated_at = $2 WHERE section_id = $3`, into, db.Micros(s.Now()), id); err != nil {
			return 0, fmt.Errorf("story.DeleteSection(%s): %w", id, err)
		}
		if err := s.Moved(ctx, tx, SectionArea, sec.Slug, to.Slug, langs); err != nil {
			return 0, err
		}
	}
	for _, text := range []string{`DELETE FROM front WHERE id = $1`, `DELETE FROM section WHERE id = $1`} {
		if _, err := tx.ExecContext(ctx, text, id); err != nil {
			return 0, fmt.Errorf("story.DeleteSection(%s): %w", id, err)
		}
	}
	return len(stories), s.tellStories(ctx, tx, stories)
}

// MergeTopics makes the topic from a part of the topic into: its stories, its
// names and aliases as aliases, its addresses. It is gone afterwards. It gives
// how many stories had it.
func (s *Store) MergeTopics(ctx context.Context, tx *db.Tx, from, into string, langs []string) (moved int, err error) {
	if from == into {
		return 0, fault.New(fault.Invalid, "a topic cannot be merged into itself")
	}
	a, err := s.TopicByID(ctx, tx, from)
	if err != nil {
		return 0, err
	}
	b, err := s.TopicByID(ctx, tx, into)
	if err != nil {
		return 0, err
	}
	stories, err := s.storyIDs(ctx, tx, `SELECT story_id FROM story_topic WHERE topic_id = $1 ORDER BY story_id`, from)
	if err != nil {
		return 0, err
	}
	for _, do := range []struct {
		text string
		args []any
	}{
		{`UPDATE story_topic SET topic_id = $1 WHERE topic_id = $2 AND story_id NOT IN (SELECT story_id FROM story_topic WHERE topic_id = $1)`, []any{into, from}},
		{`DELETE FROM story_topic WHERE topic_id = $1`, []any{from}},
		{`DELETE FROM topic WHERE id = $1`, []any{from}},
	} {
		if _, err := tx.ExecContext(ctx, do.text, do.args...); err != nil {
			return 0, fmt.Errorf("story.MergeTopics(%s, %s): %w", from, into, err)
		}
	}
	b.join(a)
	if err := s.SaveTopic(ctx, tx, &b); err != nil {
		return 0, err
	}
	if !b.Internal { // an internal one has no address to lead to
		if err := s.Moved(ctx, tx, TopicArea, a.Slug, b.Slug, langs); err != nil {
			return 0, err
		}
	}
	return len(stories), s.tellStories(ctx, tx, stories)
}

// join takes over what a calls itself, and says where t says nothing.
func (t *Topic) join(a Topic) {
	add := func(lang, name string) {
		if name == "" || strings.EqualFold(t.Names[lang], name) || slices.ContainsFunc(t.Aliases[lang], func(s string) bool { return strings.EqualFold(s, name) }) {
			return
		}
		if t.Names[lang] == "" {
			if t.Names == nil {
				t.Names = Texts{}
			}
			t.Names[lang] = name
			return
		}
		if t.Aliases == nil {
			t.Aliases = map[string][]string{}
		}
		t.Aliases[lang] = append(t.Aliases[lang], name)
	}
	for lang, name := range a.Names {
		add(lang, name)
	}
	for lang, names := range a.Aliases {
		for _, name := range names {
			add(lang, name)
		}
	}
	t.Descriptions = fill(t.Descriptions, a.Descriptions)
}

// fill takes over the texts of languages in which t has none.
func fill(t, from Texts) Texts {
	for lang, text := range from {
		if t[lang] == "" {
			if t == nil {
				t = Texts{}
			}
			t[lang] = text
		}
	}
	return t
}

// MergeWriters makes the author from the author into: stories, addresses, and
// what is known of the one and not of the other. It gives how many stories
// named the one that is gone.
func (s *Store) MergeWriters(ctx context.Context, tx *db.Tx, from, into string, langs []string) (moved int, err error) {
	if from == into {
		return 0, fault.New(fault.Invalid, "an author cannot be merged with himself")
	}
	a, err := s.WriterByID(ctx, tx, from)
	if err != nil {
		return 0, err
	}
	b, err := s.WriterByID(ctx, tx, into)
	if err != nil {
		return 0, err
	}
	stories, err := s.storyIDs(ctx, tx, `SELECT DISTINCT story_id FROM byline WHERE author_id = $1 ORDER BY story_id`, from)
	if err != nil {
		return 0, err
	}
	for _, do := range []struct {
		text string
		args []any
	}{
		{`DELETE FROM byline WHERE author_id = $1 AND EXISTS (SELECT 1 FROM byline o WHERE o.author_id = $2
			AND o.story_id = byline.story_id AND o.lang = byline.lang AND o.role = byline.role)`, []any{from, into}},
		{`UPDATE byline SET author_id = $1 WHERE author_id = $2`, []any{into, from}},
		{`DELETE FROM author WHERE id = $1`, []any{from}},
	} {
		if _, err := tx.ExecContext(ctx, do.text, do.args...); err != nil {
			return 0, fmt.Errorf("story.MergeWriters(%s, %s): %w", from, into, err)
		}
	}
	b.Names, b.Biographies = fill(b.Names, a.Names), fill(b.Biographies, a.Biographies)
	for _, one := range []struct {
		to *string
		is string
	}{{&b.Handle, a.Handle}, {&b.Website, a.Website}, {&b.Email, a.Email}, {&b.PortraitID, a.PortraitID}, {&b.StaffID, a.StaffID}} {
		if *one.to == "" {
			*one.to = one.is
		}
	}
	if err := s.SaveWriter(ctx, tx, &b); err != nil {
		return 0, err
	}
	if err := s.Moved(ctx, tx, AuthorArea, a.Slug, b.Slug, langs); err != nil {
		return 0, err
	}
	return len(stories), s.tellStories(ctx, tx, stories)
}

// DeleteTopic takes away a topic that no story has; another is a Conflict.
func (s *Store) DeleteTopic(ctx context.Context, tx *db.Tx, id string) error {
	return s.deleteUnused(ctx, tx, "topic", id, `SELECT story_id FROM story_topic WHERE topic_id = $1 LIMIT 1`)
}

// DeleteWriter takes away an author whom no story names; another is a Conflict.
func (s *Store) DeleteWriter(ctx context.Context, tx *db.Tx, id string) error {
	return s.deleteUnused(ctx, tx, "author", id, `SELECT story_id FROM byline WHERE author_id = $1 LIMIT 1`)
}

func (s *Store) deleteUnused(ctx context.Context, tx *db.Tx, table, id, use string) error {
	used, err := s.storyIDs(ctx, tx, use, id)
	if err != nil {
		return err
	}
	if len(used) > 0 {
		return fault.New(fault.Conflict, "stories have it", "id", id).WithHint("merge it into another")
	}
	done, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE id = $1`, id)
	if err != nil {
		return fmt.Errorf("story: delete %s %s: %w", table, id, err)
	}
	if n, err := done.RowsAffected(); err != nil {
		return fmt.Errorf("story: delete %s %s: %w", table, id, err)
	} else if n == 0 {
		return fault.New(fault.NotFound, "no such "+table, "id", id)
	}
	return s.arranged(ctx, tx)
}

func (s *Store) storyIDs(ctx context.Context, q db.Queryer, text string, args ...any) ([]string, error) {
	rows, err := q.QueryContext(ctx, text, args...)
	ids, err := db.Rows(rows, err, func(r db.Scanner) (id string, err error) { return id, r.Scan(&id) })
	if err != nil {
		return nil, fmt.Errorf("story: stories of %v: %w", args, err)
	}
	return ids, nil
}

// tellStories tells of a change of many stories, and of the newsroom's order.
func (s *Store) tellStories(ctx context.Context, tx *db.Tx, ids []string) error {
	for _, id := range ids {
		if err := s.tellEditions(ctx, tx, id); err != nil {
			return err
		}
	}
	return s.arranged(ctx, tx)
}
