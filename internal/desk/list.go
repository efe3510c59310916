package desk

import (
	"context"
	"database/sql"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/story"
)

// filter says which editions the list shows: those of any status, the last
// changed first.
type filter struct {
	Status story.Status // "" for every one
	Lang   string       // "" for every one
	Words  string       // all of them stand in the headline
	After  place
}

// place is behind the edition that was changed then and has that ID.
type place struct {
	Updated time.Time
	ID      string
}

// entry is one edition of the list.
type entry struct {
	ID, Lang, Headline, Path, SectionID string
	Kind                                story.Kind
	Status                              story.Status
	Access                              story.Access
	Protected                           bool
	Published, Updated                  time.Time
}

// list gives up to limit editions that f lets through, and whether there are
// more. Headlines are compared here and not by the database, which folds
// nothing but ASCII alike on both; of all that are read for it, only what is
// shown is read whole.
func (d *Desk) list(ctx context.Context, f filter, limit int) (found []entry, more bool, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("desk.list: %w", err)
		}
	}()
	var where []string
	var args []any
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	if f.Status != "" {
		where = append(where, `e.status || '' = `+arg(string(f.Status))) // as the index has it
	}
	if f.Lang != "" {
		where = append(where, `e.lang || '' = `+arg(f.Lang))
	}
	if f.After.ID != "" {
		where = append(where, `(e.updated_at, e.id) < (`+arg(db.Micros(f.After.Updated))+`, `+arg(f.After.ID)+`)`)
	}
	const order = ` ORDER BY e.updated_at DESC, e.id DESC`
	rest := ` WHERE ` + strings.Join(append(where, `TRUE`), ` AND `) + order
	words := strings.Fields(fold(f.Words))
	if len(words) > 0 {
		ids, err := d.withWords(ctx, rest, args, words, limit+1)
		if err != nil {
			return nil, false, err
		}
		placeholders, values := db.In(1, ids)
		rest, args = ` WHERE e.id IN `+placeholders+order, values
	} else {
		rest += ` LIMIT ` + arg(limit+1)
	}
	rows, err := d.DB.Read().QueryContext(ctx, `SELECT e.id, e.lang, e.headline, COALESCE(e.path, ''), COALESCE(s.section_id, ''), s.kind, e.status, s.access,
		s.password_hash <> '', e.published_at, e.updated_at FROM edition e JOIN story s ON s.id = e.story_id`+rest, args...)
	found, err = db.Rows(rows, err, func(r db.Scanner) (e entry, err error) {
		var published, updated int64
		err = r.Scan(&e.ID, &e.Lang, &e.Headline, &e.Path, &e.SectionID, &e.Kind, &e.Status, &e.Access, &e.Protected, &published, &updated)
		e.Published, e.Updated = db.Time(published), db.Time(updated)
		return e, err
	})
	if more = len(found) > limit; more {
		found = found[:limit]
	}
	return found, more, err
}

// withWords gives the first editions, by ID, that have all the words in their headline.
func (d *Desk) withWords(ctx context.Context, rest string, args []any, words []string, limit int) (ids []string, err error) {
	rows, err := d.DB.Read().QueryContext(ctx, `SELECT e.id, e.headline FROM edition e`+rest, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var id, headline sql.RawBytes
	for rows.Next() && len(ids) < limit {
		if err := rows.Scan(&id, &headline); err != nil {
			return nil, err
		}
		if holds(string(headline), words) {
			ids = append(ids, string(id))
		}
	}
	return ids, rows.Err()
}

// counts gives how many editions there are of each status and language.
func (d *Desk) counts(ctx context.Context) (map[story.Status]map[string]int, error) {
	rows, err := d.DB.Read().QueryContext(ctx, `SELECT status || ' ' || lang, COUNT(*) FROM edition GROUP BY status || ' ' || lang`)
	if err != nil {
		return nil, fmt.Errorf("desk.counts: %w", err)
	}
	defer rows.Close()
	all := map[story.Status]map[string]int{}
	for rows.Next() {
		var both string
		var n int
		if err := rows.Scan(&both, &n); err != nil {
			return nil, fmt.Errorf("desk.counts: %w", err)
		}
		word, lang, _ := strings.Cut(both, " ")
		status := story.Status(word)
		if all[status] == nil {
			all[status] = map[string]int{}
		}
		all[status][lang] = n
	}
	return all, rows.Err()
}

func holds(headline string, words []string) bool {
	headline = fold(headline)
	for _, w := range words {
		if !strings.Contains(headline, w) {
			return false
		}
	}
	return true
}

// fold makes two spellings of a word one: without case, accents, vowel points
// and typographic apostrophes.
func fold(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case r == '’':
			return '\''
		}
		return r
	}, norm.NFKD.String(s))
	return cases.Fold().String(s)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func (p place) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(db.Micros(p.Updated), 36) + "." + p.ID))
}

// parsePlace reads what place.String wrote; "" is the beginning.
func parsePlace(text string) (place, error) {
	if text == "" {
		return place{}, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	at, id, _ := strings.Cut(string(raw), ".")
	micros, timeErr := strconv.ParseInt(at, 36, 64)
	if err != nil || timeErr != nil || id == "" || !printable(id) {
		return place{}, fault.New(fault.Invalid, "there is no such place in the list")
	}
	return place{db.Time(micros), id}, nil
}

// printable reports whether both databases take s for text.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r == unicode.ReplacementChar || unicode.IsControl(r) })
}
