package search

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"sync"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
)

// Index is the index of one database.
type Index struct {
	Dialect db.Dialect
	// Cut tells by what rule previews are cut: where it changes, entries are [Index.Stale].
	Cut string

	once  sync.Once
	slots chan struct{} // one for each search under way
}

// Entry is the words of one edition.
type Entry struct {
	EditionID, Lang         string
	SectionID               string
	PublishedAt             time.Time
	Headline, Summary, Body string // plain text
	Preview                 int    // so many bytes of Body may be shown to everybody
}

// rules is the number of the rules by which words are stemmed and placed; it
// goes up when they change, and every entry is made anew.
const rules = "1"

// made is what an entry that need not be made anew is marked with.
func (x *Index) made() string { return rules + " " + x.Cut }

// Put writes the words of an edition over those that were there.
func (x *Index) Put(ctx context.Context, tx db.Queryer, e Entry) error {
	headline, summary := stems(wordsOf(e.Lang, e.Headline)), stems(wordsOf(e.Lang, e.Summary))
	words := wordsOf(e.Lang, e.Body)
	body, places := stems(words), places(words)
	if err := x.Delete(ctx, tx, e.EditionID); err != nil {
		return err
	}
	columns, values := ``, ``
	args := []any{e.EditionID, x.made(), e.Preview, e.Body, places}
	if x.Dialect == db.PostgreSQL {
		const heads = `setweight(to_tsvector('simple', $7), 'A') || setweight(to_tsvector('simple', $8), 'B') || to_tsvector('simple', $9)`
		columns, values = `, heads, words`, `, `+heads+`, `+heads+` || to_tsvector('simple', $10)`
		args = append(args, headline, summary, sectionMark(e.SectionID)+" "+monthMark(e.PublishedAt), body)
	}
	for spread := 0; ; spread++ {
		var id int64
		err := tx.QueryRowContext(ctx, `INSERT INTO search_entry (id, edition_id, made, preview, text, places`+columns+`)
			VALUES ($1, $2, $3, $4, $5, $6`+values+`) ON CONFLICT (id) DO NOTHING RETURNING id`,
			append([]any{number(e, spread)}, args...)...).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) && spread < maxSpread {
			continue // another story of that second
		}
		if err != nil || x.Dialect == db.PostgreSQL {
			return wrap(err, "Put", e.EditionID)
		}
		section := sectionMark(e.SectionID)
		if _, err = tx.ExecContext(ctx, `INSERT INTO search_heads (rowid, headline, summary, section) VALUES ($1, $2, $3, $4)`,
			id, headline, summary, section); err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO search_words (rowid, headline, summary, body, section) VALUES ($1, $2, $3, $4, $5)`,
				id, headline, summary, body, section)
		}
		return wrap(err, "Put", e.EditionID)
	}
}

// Delete forgets an edition.
func (x *Index) Delete(ctx context.Context, tx db.Queryer, editionID string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM search_entry WHERE edition_id = $1`, editionID)
	return wrap(err, "Delete", editionID)
}

// Stale gives up to limit editions whose words were written by other rules than
// today's, or are still to be written: they are to be Put again.
func (x *Index) Stale(ctx context.Context, q db.Queryer, limit int) ([]string, error) {
	rows, err := q.QueryContext(ctx, `SELECT edition_id FROM search_entry WHERE made < $1 OR made > $1 LIMIT $2`, x.made(), limit)
	ids, err := db.Rows(rows, err, func(r db.Scanner) (id string, err error) { return id, r.Scan(&id) })
	return ids, wrap(err, "Stale", "")
}

// How many pieces SQLite's index may lie in before they are put together, and
// how many of its pages are written at a time.
const (
	maxPieces = 12
	tidyPages = 400
)

// Tidy puts the pieces together that SQLite's index lies in once much was
// written: a search looks into each of them. It does a bit of the work, and
// reports whether there is more. PostgreSQL needs none of this.
func (x *Index) Tidy(ctx context.Context, tx db.Queryer) (more bool, err error) {
	if x.Dialect == db.PostgreSQL {
		return false, nil
	}
	for _, table := range []string{"search_words", "search_heads"} {
		var pieces, before, after int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(DISTINCT segid), total_changes() FROM `+table+`_idx`).Scan(&pieces, &before); err != nil {
			return false, wrap(err, "Tidy", table)
		}
		if pieces <= maxPieces {
			continue
		}
		// A negative number merges all that there is, bit by bit (sqlite.org/fts5.html#the_merge_command).
		if _, err := tx.ExecContext(ctx, `INSERT INTO `+table+` (`+table+`, rank) VALUES ('merge', $1)`, -tidyPages); err != nil {
			return false, wrap(err, "Tidy", table)
		}
		if err := tx.QueryRowContext(ctx, `SELECT total_changes()`).Scan(&after); err != nil {
			return false, wrap(err, "Tidy", table)
		}
		if after-before >= 2 { // less says that nothing was left to be done
			return true, nil
		}
	}
	return false, nil
}

// Numbers of entries: each language has 2³⁷ of them, in whose middle is the
// year 1970, and counts its seconds down from there, so that what is newer has
// the smaller number.
const (
	secondsBits = 37
	epoch       = int64(1) << (secondsBits - 1)
	maxSpread   = 40
)

// numbers gives the first number of a language, and the last. Two languages
// whose names have the same hash share their numbers, which costs time alone.
func numbers(lang string) (first, last int64) {
	h := fnv.New32a()
	h.Write([]byte(lang))
	first = int64(h.Sum32()&0xFFFF) << secondsBits
	return first, first + 1<<secondsBits - 1
}

// number gives the number of an entry. Where it is taken it lies within a span
// round that second, which doubles with every try: archives that were moved
// have thousands of stories of one second.
func number(e Entry, spread int) int64 {
	first, last := numbers(e.Lang)
	n := first + epoch - e.PublishedAt.Unix()
	if e.PublishedAt.IsZero() {
		n = last
	}
	if spread > 0 {
		h := fnv.New64a()
		fmt.Fprint(h, e.EditionID, spread)
		span := int64(1) << min(spread, secondsBits-2)
		n += int64(h.Sum64()%uint64(span)) - span/2
	}
	return min(max(n, first), last)
}

// publishedAt gives the second that a number was made of, about.
func publishedAt(n int64) time.Time { return time.Unix(epoch-n&(1<<secondsBits-1), 0).UTC() }

// sectionMark is the word that stands for a section in the index. No stem is
// written like it by accident.
func sectionMark(id string) string {
	if id == "" {
		return ""
	}
	return "s" + strings.ReplaceAll(id, "-", "")
}

// monthMark is the word that stands for a month, in PostgreSQL's index.
func monthMark(t time.Time) string { return t.UTC().Format("m200601") }

// How many searches run at once, so that pages get their turn, and how long one
// may take, with the wait for its turn.
const (
	atOnce   = 2
	patience = 3 * time.Second
)

// enter waits for a turn.
func (x *Index) enter(ctx context.Context) (leave func(), err error) {
	x.once.Do(func() { x.slots = make(chan struct{}, atOnce) })
	select {
	case x.slots <- struct{}{}:
		return func() { <-x.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// wrap says what was being done; a nil error stays nil.
func wrap(err error, operation, what string) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%w: %w", fault.New(fault.Unavailable, "the search took too long").WithHint("try again, or with other words"), err)
	}
	return fmt.Errorf("search.%s(%.80q): %w", operation, what, err)
}
