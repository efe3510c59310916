package story

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"masthead/internal/db"
	"masthead/internal/fault"
)

// maxSlug is how many letters a slug made from a headline may have.
const maxSlug = 80

// Slug makes a slug of any text: its letters and digits, of every script, in
// lower case, with single hyphens for all that stands between; "" where there are none.
func Slug(text string) string {
	var b strings.Builder
	letters, gap := 0, false
	for _, r := range norm.NFC.String(text) {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r) && letters > 0 && !gap:
			if gap && letters > 0 {
				if letters >= maxSlug-15 {
					return b.String() // end at a word rather than within one
				}
				b.WriteByte('-')
				letters++
			}
			b.WriteRune(unicode.ToLower(r))
			letters++
			gap = false
			if letters >= maxSlug {
				return b.String()
			}
		case r == '\'' || r == '’':
			// an apostrophe joins: don't → dont
		default:
			gap = true
		}
	}
	return b.String()
}

// reserved are the first segments of addresses that the site itself uses.
var reserved = map[string]bool{
	"topic": true, "author": true, "search": true, "register": true, "signin": true, "signout": true, "account": true,
	"gift": true, "media": true, "assets": true, "archive": true, "api": true, "desk": true, "dev": true, "feed.xml": true,
	"feed": true, "sitemap": true, "robots": true, "static": true, "rss": true, "newsletter": true, "event": true, "corrections": true,
	"privacy": false, "about": false,
}

// Reserved reports whether a section or page may not have that slug: the site
// has that address itself, or it would read as a language or a year.
func Reserved(slug string) bool {
	return reserved[slug] || len(slug) == 2 || len(slug) == 4 && strings.Trim(slug, "0123456789") == ""
}

// Address gives the path of an edition that was published at a time: '/2026/11/slug/'
// for a report, '/slug/' for a page, behind '/lang' where the language is not the site's own.
func (s *Store) Address(kind Kind, lang, slug string, at time.Time) string {
	prefix := ""
	if lang != s.DefaultLang {
		prefix = "/" + lang
	}
	if kind == Page {
		return prefix + "/" + slug + "/"
	}
	return prefix + at.In(s.Location).Format("/2006/01/") + slug + "/"
}

// freeAddress gives the slug, numbered if need be, and the path that no other edition has.
func (s *Store) freeAddress(ctx context.Context, tx *db.Tx, kind Kind, e *Edition) (slug, path string, err error) {
	for n := 1; ; n++ {
		slug = numbered(e.Slug, n)
		if kind == Page && Reserved(slug) {
			continue
		}
		path = s.Address(kind, e.Lang, slug, e.PublishedAt)
		var other string
		err := tx.QueryRowContext(ctx, `SELECT id FROM edition WHERE path = $1 AND id <> $2
			UNION ALL SELECT id FROM section WHERE slug = $3 AND $4 = 'page'`, path, e.ID, slug, string(kind)).Scan(&other)
		if errors.Is(err, sql.ErrNoRows) {
			return slug, path, nil
		}
		if err != nil {
			return "", "", fmt.Errorf("story: address of %s: %w", e.ID, err)
		}
	}
}

// AddRedirect makes an old address answer with a redirection to wherever the
// edition stands, or to target where editionID is "". An address that an
// edition itself has is left alone.
func (s *Store) AddRedirect(ctx context.Context, tx *db.Tx, path, target, editionID string) error {
	if path == "" || path[0] != '/' || path == target {
		return fault.New(fault.Invalid, "not an old address of this site", "path", path).WithHint("write it from the first slash on, without the host")
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO redirect (path, target, edition_id, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (path) DO UPDATE SET target = excluded.target, edition_id = excluded.edition_id`,
		path, target, null(editionID), db.Micros(s.Now()))
	if err != nil {
		return fmt.Errorf("story.AddRedirect(%s): %w", path, err)
	}
	return nil
}

// Redirect tells where an old address leads. It tries the path as it is, and
// with and without the slash at its end.
func (s *Store) Redirect(ctx context.Context, q db.Queryer, path string) (target string, err error) {
	other := strings.TrimSuffix(path, "/")
	if other == path {
		other = path + "/"
	}
	err = q.QueryRowContext(ctx, `SELECT COALESCE(e.path, r.target) FROM redirect r LEFT JOIN edition e ON e.id = r.edition_id
		WHERE r.path IN ($1, $2) ORDER BY CASE r.path WHEN $1 THEN 0 ELSE 1 END LIMIT 1`, path, other).Scan(&target)
	if err != nil {
		return "", absent(err, "no such address", "path", path)
	}
	if target == "" || target == path {
		return "", fault.New(fault.NotFound, "no such address", "path", path)
	}
	return target, nil
}

func numbered(slug string, n int) string {
	if n == 1 {
		return slug
	}
	return fmt.Sprintf("%s-%d", slug, n)
}
