package search

import (
	"context"
	"fmt"
	"strings"

	"masthead/internal/db"
)

// Index is the index of one database.
type Index struct{ Dialect db.Dialect }

// Entry is the words of one edition.
type Entry struct {
	EditionID, Lang         string
	Headline, Summary, Body string // plain text
}

// Query is what somebody looks for. A story is found when it has all the words;
// those between double quotes, one after another.
type Query struct {
	Lang       string
	Words      string
	SectionIDs []string // in one of these; nil for everywhere
	Limit      int
	Offset     int
}

// Found is one page of what was found, the best first: editions by ID, and how
// many there are in all.
type Found struct {
	EditionIDs []string
	Count      int
}

// maxTerms is how many words of a query count; more would say nothing more.
const maxTerms = 24

// Put writes the words of an edition over those that were there.
func (x *Index) Put(ctx context.Context, tx db.Queryer, e Entry) error {
	headline, summary, body := stems(e.Lang, e.Headline), stems(e.Lang, e.Summary), stems(e.Lang, e.Body)
	if x.Dialect == db.PostgreSQL {
		_, err := tx.ExecContext(ctx, `INSERT INTO search_entry (edition_id, words) VALUES ($1,
				setweight(to_tsvector('simple', $2), 'A') || setweight(to_tsvector('simple', $3), 'B') || setweight(to_tsvector('simple', $4), 'D'))
			ON CONFLICT (edition_id) DO UPDATE SET words = excluded.words`, e.EditionID, headline, summary, body)
		return wrap(err, "Put", e.EditionID)
	}
	if err := x.Delete(ctx, tx, e.EditionID); err != nil {
		return err
	}
	var id int64
	err := tx.QueryRowContext(ctx, `INSERT INTO search_entry (edition_id) VALUES ($1) RETURNING id`, e.EditionID).Scan(&id)
	if err != nil {
		return wrap(err, "Put", e.EditionID)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO search_words (rowid, headline, summary, body) VALUES ($1, $2, $3, $4)`, id, headline, summary, body)
	return wrap(err, "Put", e.EditionID)
}

// Delete forgets an edition.
func (x *Index) Delete(ctx context.Context, tx db.Queryer, editionID string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM search_entry WHERE edition_id = $1`, editionID)
	return wrap(err, "Delete", editionID)
}

// Find looks for published editions. A query without a word that says anything finds nothing.
func (x *Index) Find(ctx context.Context, q db.Queryer, query Query) (Found, error) {
	match := x.match(query)
	if match == "" {
		return Found{}, nil
	}
	from := ` FROM search_words w JOIN search_entry x ON x.id = w.rowid JOIN edition e ON e.id = x.edition_id JOIN story s ON s.id = e.story_id
		WHERE search_words MATCH $1`
	order := `bm25(search_words, 10.0, 4.0, 1.0), e.published_at DESC`
	if x.Dialect == db.PostgreSQL {
		from = ` FROM search_entry x JOIN edition e ON e.id = x.edition_id JOIN story s ON s.id = e.story_id
			WHERE x.words @@ to_tsquery('simple', $1)`
		order = `ts_rank('{0.1, 0.2, 0.4, 1.0}', x.words, to_tsquery('simple', $1), 1) DESC, e.published_at DESC`
	}
	from += ` AND e.status = 'published' AND e.lang = $2`
	args := []any{match, query.Lang}
	if query.SectionIDs != nil {
		placeholders, more := db.In(len(args)+1, query.SectionIDs)
		from, args = from+` AND s.section_id IN `+placeholders, append(args, more...)
	}
	var found Found
	if err := q.QueryRowContext(ctx, `SELECT COUNT(*)`+from, args...).Scan(&found.Count); err != nil {
		return Found{}, wrap(err, "Find", query.Words)
	}
	if found.Count == 0 || query.Limit <= 0 {
		return found, nil
	}
	n := len(args)
	rows, err := q.QueryContext(ctx, `SELECT e.id`+from+fmt.Sprintf(` ORDER BY %s, e.id LIMIT $%d OFFSET $%d`, order, n+1, n+2),
		append(args, query.Limit, query.Offset)...)
	found.EditionIDs, err = db.Rows(rows, err, func(r db.Scanner) (id string, err error) { return id, r.Scan(&id) })
	return found, wrap(err, "Find", query.Words)
}

// match writes the query as FTS5 or PostgreSQL reads it. Stems are letters and
// digits alone, so none of them can say anything else there.
func (x *Index) match(query Query) string {
	and, next, quote := " AND ", " ", `"`
	if x.Dialect == db.PostgreSQL {
		and, next, quote = " & ", " <-> ", ""
	}
	var terms []string
	for _, phrase := range phrases(query.Lang, query.Words) {
		if x.Dialect == db.PostgreSQL {
			terms = append(terms, "("+strings.Join(phrase, next)+")")
		} else {
			terms = append(terms, quote+strings.Join(phrase, next)+quote)
		}
		if len(terms) == maxTerms {
			break
		}
	}
	return strings.Join(terms, and)
}

// phrases gives the stems of a query: each word by itself, and those between
// double quotes together.
func phrases(lang, text string) [][]string {
	text = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`).Replace(text)
	var all [][]string
	for i, part := range strings.Split(text, `"`) {
		var phrase []string
		for _, w := range wordsOf(lang, part) {
			if i%2 == 0 {
				all = append(all, []string{w.stem})
			} else if len(phrase) < maxTerms {
				phrase = append(phrase, w.stem)
			}
		}
		if len(phrase) > 0 {
			all = append(all, phrase)
		}
	}
	return all
}

// wrap says what was being done; a nil error stays nil.
func wrap(err error, operation, what string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("search.%s(%.80q): %w", operation, what, err)
}
