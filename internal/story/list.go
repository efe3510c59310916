package story

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"masthead/internal/db"
)

// Query says which editions a list shows. The zero Query is every published
// report in every language, the newest first.
type Query struct {
	Lang       string   // "" for every language
	SectionIDs []string // in one of these
	TopicID    string
	AuthorID   string // named in a byline, in any role
	StoryIDs   []string
	EditionIDs []string
	NotStories []string
	Month      int       // 202611
	Pinned     bool      // pinned ones alone, in their order
	AnyStatus  bool      // drafts too: for the desk
	Status     Status    // with AnyStatus: this one alone
	AnyKind    bool      // pages too
	Since      time.Time // published at or after
	Before     Cursor
	Limit      int // 0 for no limit
	Offset     int

	fewStories bool // of which to look at every edition
}

// Cursor is a place in a list: after the edition published at that time with that ID.
type Cursor struct {
	PublishedAt time.Time
	EditionID   string
}

// After gives the cursor that goes on behind c.
func (c Card) After() Cursor { return Cursor{c.PublishedAt, c.EditionID} }

// filter is the FROM and WHERE of a query, with its arguments.
type filter struct {
	text string
	args []any
}

func (f *filter) arg(v any) string {
	f.args = append(f.args, v)
	return fmt.Sprintf("$%d", len(f.args))
}

func (query Query) filter() *filter {
	f := &filter{}
	var where []string
	in := func(column string, list []string) {
		placeholders, values := db.In(len(f.args)+1, list)
		f.args = append(f.args, values...)
		where = append(where, column+` IN `+placeholders)
	}
	if !query.AnyStatus {
		where = append(where, `e.status = 'published'`)
	} else if query.Status != "" {
		where = append(where, `e.status = `+f.arg(string(query.Status)))
	}
	if !query.AnyKind {
		where = append(where, `s.kind = 'story'`)
	}
	if query.Lang != "" {
		where = append(where, `e.lang = `+f.arg(query.Lang))
	}
	if query.SectionIDs != nil {
		in(`s.section_id`, query.SectionIDs)
	}
	if query.StoryIDs != nil {
		in(`e.story_id`, query.StoryIDs)
	}
	if query.EditionIDs != nil {
		in(`e.id`, query.EditionIDs)
	}
	if len(query.NotStories) > 0 {
		in(`e.story_id NOT`, query.NotStories)
	}
	if query.TopicID != "" {
		where = append(where, `e.story_id IN (SELECT story_id FROM story_topic WHERE topic_id = `+f.arg(query.TopicID)+`)`)
	}
	if query.AuthorID != "" {
		where = append(where, `EXISTS (SELECT 1 FROM byline b WHERE b.author_id = `+f.arg(query.AuthorID)+` AND b.story_id = e.story_id AND b.lang IN ('', e.lang))`)
	}
	if query.Month != 0 {
		where = append(where, `e.month = `+f.arg(query.Month))
	}
	if !query.Since.IsZero() {
		where = append(where, `e.published_at >= `+f.arg(db.Micros(query.Since)))
	}
	if query.Pinned {
		where = append(where, `s.pinned > 0`)
	}
	if query.Before.EditionID != "" {
		where = append(where, `(e.published_at, e.id) < (`+f.arg(db.Micros(query.Before.PublishedAt))+`, `+f.arg(query.Before.EditionID)+`)`)
	}
	f.text = ` FROM edition e JOIN story s ON s.id = e.story_id WHERE `
	if query.fewStories {
		// SQLite takes the tables of a CROSS JOIN in this order, whatever it thinks of it.
		f.text = ` FROM story s CROSS JOIN edition e WHERE s.id = e.story_id AND `
	}
	f.text += strings.Join(append(where, `TRUE`), ` AND `)
	return f
}

// few is how many stories of a section are looked at one by one; in a larger
// one, the next of them is soon met among the newest of all.
const few = 1000

// planned tells the database where to begin: with the stories, where it is
// known that they are few, else with the editions, the newest first.
func (query Query) planned(ctx context.Context, q db.Queryer) (Query, error) {
	query.fewStories = query.Pinned
	if len(query.SectionIDs) > 0 && !query.Pinned {
		placeholders, args := db.In(1, query.SectionIDs)
		var n int
		err := q.QueryRowContext(ctx, fmt.Sprintf(`SELECT COUNT(*) FROM (SELECT 1 FROM story WHERE section_id IN %s LIMIT %d) AS first`, placeholders, few+1),
			args...).Scan(&n)
		if err != nil {
			return query, err
		}
		query.fewStories = n <= few
	}
	return query, nil
}

// Count gives how many editions q asks for, whatever its Limit.
func (s *Store) Count(ctx context.Context, q db.Queryer, query Query) (int, error) {
	query, err := query.planned(ctx, q)
	if err != nil {
		return 0, fmt.Errorf("story.Count: %w", err)
	}
	f := query.filter()
	var n int
	if err := q.QueryRowContext(ctx, `SELECT COUNT(*)`+f.text, f.args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("story.Count: %w", err)
	}
	return n, nil
}

// Cards gives the editions that q asks for, without their words.
func (s *Store) Cards(ctx context.Context, q db.Queryer, query Query) ([]Card, error) {
	query, err := query.planned(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("story.Cards: %w", err)
	}
	f := query.filter()
	order := `e.published_at DESC, e.id DESC`
	if query.Pinned {
		order = `s.pinned, ` + order
	}
	text := `SELECT e.id, e.story_id, e.lang, COALESCE(e.path, ''), e.kicker, e.headline, e.summary, COALESCE(s.section_id, ''), s.access,
		COALESCE(s.lead_media_id, ''), e.lead_alt, e.words, s.pinned, e.status, e.published_at, e.updated_at, s.kind, s.password_hash <> ''` + f.text + ` ORDER BY ` + order
	if query.Limit > 0 {
		text += ` LIMIT ` + f.arg(query.Limit) + ` OFFSET ` + f.arg(query.Offset)
	}
	rows, err := q.QueryContext(ctx, text, f.args...)
	cards, err := db.Rows(rows, err, func(r db.Scanner) (c Card, err error) {
		var published, updated int64
		err = r.Scan(&c.EditionID, &c.StoryID, &c.Lang, &c.Path, &c.Kicker, &c.Headline, &c.Summary, &c.SectionID, &c.Access,
			&c.LeadMediaID, &c.LeadAlt, &c.Words, &c.Pinned, &c.Status, &published, &updated, &c.Kind, &c.Protected)
		c.PublishedAt, c.UpdatedAt = db.Time(published), db.Time(updated)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("story.Cards: %w", err)
	}
	return cards, s.nameAuthors(ctx, q, cards)
}

// CardsByEdition gives the cards of those editions that are published, in that order: for search and recommendation.
func (s *Store) CardsByEdition(ctx context.Context, q db.Queryer, editionIDs []string) ([]Card, error) {
	if len(editionIDs) == 0 {
		return nil, nil
	}
	cards, err := s.Cards(ctx, q, Query{EditionIDs: editionIDs, AnyKind: true})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(cards, func(a, b Card) int {
		return slices.Index(editionIDs, a.EditionID) - slices.Index(editionIDs, b.EditionID)
	})
	return cards, nil
}

// Bylines gives the names on an edition, in their order, of every role.
func (s *Store) Bylines(ctx context.Context, q db.Queryer, storyID, lang string) ([]Name, error) {
	rows, err := q.QueryContext(ctx, `SELECT b.author_id, a.slug, a.names, b.role FROM byline b JOIN author a ON a.id = b.author_id
		WHERE b.story_id = $1 AND b.lang IN ('', $2) ORDER BY b.position, b.lang`, storyID, lang)
	names, err := db.Rows(rows, err, func(r db.Scanner) (n Name, err error) {
		var texts string
		if err = r.Scan(&n.AuthorID, &n.Slug, &texts, &n.Role); err != nil {
			return n, err
		}
		return n, decode(texts, &n.Names)
	})
	if err != nil {
		return nil, fmt.Errorf("story.Bylines(%s): %w", storyID, err)
	}
	return names, nil
}

// nameAuthors fills in the authors of many cards with one query.
func (s *Store) nameAuthors(ctx context.Context, q db.Queryer, cards []Card) error {
	type line struct {
		story, lang string
		name        Name
	}
	for chunk := range slices.Chunk(cards, 500) {
		ids := make([]string, len(chunk))
		for i, c := range chunk {
			ids[i] = c.StoryID
		}
		placeholders, args := db.In(1, ids)
		rows, err := q.QueryContext(ctx, `SELECT b.story_id, b.lang, b.author_id, a.slug, a.names, b.role
			FROM byline b JOIN author a ON a.id = b.author_id
			WHERE b.role = 'author' AND b.story_id IN `+placeholders+` ORDER BY b.story_id, b.position, b.lang`, args...)
		lines, err := db.Rows(rows, err, func(r db.Scanner) (l line, err error) {
			var texts string
			if err = r.Scan(&l.story, &l.lang, &l.name.AuthorID, &l.name.Slug, &texts, &l.name.Role); err != nil {
				return l, err
			}
			return l, decode(texts, &l.name.Names)
		})
		if err != nil {
			return fmt.Errorf("story: authors of cards: %w", err)
		}
		byStory := map[string][]line{}
		for _, l := range lines {
			byStory[l.story] = append(byStory[l.story], l)
		}
		for i := range chunk {
			for _, l := range byStory[chunk[i].StoryID] {
				if l.lang == "" || l.lang == chunk[i].Lang {
					chunk[i].Authors = append(chunk[i].Authors, l.name)
				}
			}
		}
	}
	return nil
}

// TopicSlugs gives the slugs of the topics of every card's story, by story ID.
func (s *Store) TopicSlugs(ctx context.Context, q db.Queryer, cards []Card) (map[string][]string, error) {
	type line struct{ story, slug string }
	bySlug := map[string][]string{}
	for chunk := range slices.Chunk(cards, 500) {
		ids := make([]string, len(chunk))
		for i, c := range chunk {
			ids[i] = c.StoryID
		}
		placeholders, args := db.In(1, ids)
		rows, err := q.QueryContext(ctx, `SELECT st.story_id, t.slug FROM story_topic st JOIN topic t ON t.id = st.topic_id
			WHERE st.story_id IN `+placeholders+` ORDER BY st.story_id, st.position`, args...)
		lines, err := db.Rows(rows, err, func(r db.Scanner) (l line, err error) { return l, r.Scan(&l.story, &l.slug) })
		if err != nil {
			return nil, fmt.Errorf("story.TopicSlugs: %w", err)
		}
		for _, l := range lines {
			bySlug[l.story] = append(bySlug[l.story], l.slug)
		}
	}
	return bySlug, nil
}

// Month is how many reports one month has: Month is 202611.
type Month struct{ Month, Stories int }

// Months gives the months that have reports in a language, the newest first.
func (s *Store) Months(ctx context.Context, q db.Queryer, lang string) ([]Month, error) {
	rows, err := q.QueryContext(ctx, `SELECT e.month, COUNT(*) FROM edition e JOIN story s ON s.id = e.story_id
		WHERE e.status = 'published' AND s.kind = 'story' AND e.lang = $1 GROUP BY e.month ORDER BY e.month DESC`, lang)
	months, err := db.Rows(rows, err, func(r db.Scanner) (m Month, err error) { return m, r.Scan(&m.Month, &m.Stories) })
	if err != nil {
		return nil, fmt.Errorf("story.Months(%s): %w", lang, err)
	}
	return months, nil
}

// Languages gives the languages that have published editions, with how many.
func (s *Store) Languages(ctx context.Context, q db.Queryer) (map[string]int, error) {
	type count struct {
		lang string
		n    int
	}
	rows, err := q.QueryContext(ctx, `SELECT lang, COUNT(*) FROM edition WHERE status = 'published' GROUP BY lang ORDER BY lang`)
	counts, err := db.Rows(rows, err, func(r db.Scanner) (c count, err error) { return c, r.Scan(&c.lang, &c.n) })
	if err != nil {
		return nil, fmt.Errorf("story.Languages: %w", err)
	}
	byLang := make(map[string]int, len(counts))
	for _, c := range counts {
		byLang[c.lang] = c.n
	}
	return byLang, nil
}
