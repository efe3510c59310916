package search

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"masthead/internal/db"
)

// Query is what somebody looks for. A story is found when it has all the words;
// those between double quotes, one after another.
type Query struct {
	Lang       string
	Words      string
	SectionIDs []string // in one of these; nil for everywhere
	Limit      int
	Offset     int
}

// Found is one page of what was found, the best first, and how many there are
// in all; with More set, there are still more, older ones, that were not looked at.
type Found struct {
	Matches []Match
	Count   int
	More    bool
}

// Match is a story that was found.
type Match struct {
	EditionID string
	Current   bool // Text was made by today's rules; else it is not to be shown
	Text
}

const (
	// maxTerms is how many words of a query count; more would say nothing more.
	maxTerms = 24
	// maxFound is how many of the newest stories with the words are looked at, and
	// maxHeads how many more that have them in headline and summary.
	maxFound = 200
	maxHeads = 100
)

// Find looks for published editions. A query without a word that says anything
// finds nothing. A search that takes longer than three seconds is given up:
// the error is of kind fault.Unavailable.
func (x *Index) Find(ctx context.Context, q db.Queryer, query Query) (found Found, err error) {
	terms := x.terms(query)
	if len(terms) == 0 || query.SectionIDs != nil && len(query.SectionIDs) == 0 {
		return Found{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	defer func() { err = wrap(err, "Find", query.Words) }()
	leave, err := x.enter(ctx)
	if err != nil {
		return Found{}, err
	}
	defer leave()
	ids, err := x.ranked(ctx, q, query, terms, &found)
	if err != nil {
		return Found{}, err
	}
	found.Count = len(ids)
	ids = ids[min(max(query.Offset, 0), len(ids)):]
	ids = ids[:min(max(query.Limit, 0), len(ids))]
	if len(ids) == 0 {
		return found, nil
	}
	placeholders, args := db.In(1, ids)
	type entry struct {
		id int64
		Match
	}
	rows, err := q.QueryContext(ctx, `SELECT id, edition_id, made, preview, text, places FROM search_entry WHERE id IN `+placeholders, args...)
	entries, err := db.Rows(rows, err, func(r db.Scanner) (e entry, err error) {
		e.lang = query.Lang
		var made string
		err = r.Scan(&e.id, &e.EditionID, &made, &e.preview, &e.text, &e.places)
		e.Current = made == x.made()
		return e, err
	})
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(slices.Index(ids, a.id), slices.Index(ids, b.id)) })
	for _, e := range entries {
		found.Matches = append(found.Matches, e.Match)
	}
	return found, err
}

// ranked gives the numbers of the entries found, the best first, and tells in
// found whether there are more.
func (x *Index) ranked(ctx context.Context, q db.Queryer, query Query, terms []string, found *Found) ([]int64, error) {
	look := x.lookSQLite
	if x.Dialect == db.PostgreSQL {
		look = x.lookPostgres
	}
	all, err := look(ctx, q, query, terms, everywhere, maxFound+1)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	if found.More = len(all) > maxFound; found.More {
		all = all[:maxFound]
	}
	heads, err := look(ctx, q, query, terms, inHeads, maxHeads)
	if err != nil || len(heads) == 0 {
		return all, err
	}
	headlines, err := look(ctx, q, query, terms, inHeadline, maxHeads)
	if err != nil {
		return nil, err
	}
	seen := make(map[int64]bool, len(all)+len(heads))
	var ids []int64
	for _, list := range [][]int64{headlines, heads, all} {
		for _, id := range list {
			if !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
	}
	return ids, nil
}

// where is where the words of a query stand.
type where int

const (
	everywhere where = iota
	inHeads          // headline and summary
	inHeadline
)

// lookSQLite gives the entries that match, the newest first.
func (x *Index) lookSQLite(ctx context.Context, q db.Queryer, query Query, terms []string, w where, limit int) ([]int64, error) {
	table := `search_heads`
	match := strings.Join(terms, " AND ")
	switch w {
	case everywhere:
		table = `search_words`
	case inHeadline:
		match = "headline : (" + match + ")"
	}
	if marks := sectionMarks(query); len(marks) > 0 {
		match = `section : ("` + strings.Join(marks, `" OR "`) + `") AND (` + match + `)`
	}
	first, last := numbers(query.Lang)
	rows, err := q.QueryContext(ctx, `SELECT rowid FROM `+table+` WHERE `+table+` MATCH $1 AND rowid BETWEEN $2 AND $3 ORDER BY rowid LIMIT $4`,
		match, first, last, limit)
	return db.Rows(rows, err, func(r db.Scanner) (id int64, err error) { return id, r.Scan(&id) })
}

// lookPostgres gives the entries that match, the newest first. A GIN index
// finds all or none: the whole text is looked through in spans of months, each
// twice as long as the one after it, until enough is found.
func (x *Index) lookPostgres(ctx context.Context, q db.Queryer, query Query, terms []string, w where, limit int) ([]int64, error) {
	column := `heads`
	match := strings.Join(terms, " & ")
	switch w {
	case everywhere:
		column = `words`
	case inHeadline:
		match = strings.Join(x.stemTerms(query, ":A"), " & ")
	}
	if marks := sectionMarks(query); len(marks) > 0 {
		match += " & (" + strings.Join(marks, " | ") + ")"
	}
	first, last := numbers(query.Lang)
	ask := func(match string, limit int) ([]int64, error) {
		rows, err := q.QueryContext(ctx, `SELECT id FROM search_entry WHERE `+column+` @@ to_tsquery('simple', $1) AND id BETWEEN $2 AND $3
			ORDER BY id LIMIT $4`, match, first, last, limit)
		return db.Rows(rows, err, func(r db.Scanner) (id int64, err error) { return id, r.Scan(&id) })
	}
	if w != everywhere {
		return ask(match, limit)
	}
	var newest int64
	err := q.QueryRowContext(ctx, `SELECT id FROM search_entry WHERE id BETWEEN $1 AND $2 ORDER BY id LIMIT 1`, first, last).Scan(&newest)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found []int64
	var seen []string
	month := publishedAt(newest)
	month = time.Date(month.Year(), month.Month(), 1, 0, 0, 0, 0, time.UTC)
	for span := 1; span <= 16; span *= 2 {
		var marks []string
		for range span {
			marks = append(marks, monthMark(month))
			month = month.AddDate(0, -1, 0)
		}
		more, err := ask(match+" & ("+strings.Join(marks, " | ")+")", limit-len(found))
		if found = append(found, more...); err != nil || len(found) == limit {
			return found, err
		}
		seen = append(seen, marks...)
	}
	more, err := ask(match+" & !("+strings.Join(seen, " | ")+")", limit-len(found))
	return append(found, more...), err
}

func sectionMarks(query Query) (marks []string) {
	for _, id := range query.SectionIDs {
		if m := sectionMark(id); m != "" {
			marks = append(marks, m)
		}
	}
	return marks
}

// terms writes each word or phrase of the query as FTS5 or PostgreSQL reads it.
func (x *Index) terms(query Query) []string { return x.stemTerms(query, "") }

// stemTerms is terms with a weight's label, for PostgreSQL. Stems are letters
// and digits alone, so none of them can say anything else there.
func (x *Index) stemTerms(query Query, label string) (terms []string) {
	for _, phrase := range phrases(query.Lang, query.Words) {
		if x.Dialect == db.PostgreSQL {
			terms = append(terms, fmt.Sprintf("(%s%s)", strings.Join(phrase, label+" <-> "), label))
		} else {
			terms = append(terms, `"`+strings.Join(phrase, " ")+`"`)
		}
		if len(terms) == maxTerms {
			break
		}
	}
	return terms
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
