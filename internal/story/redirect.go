package story

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
)

// OldPath is an address of before, and where it leads.
type OldPath struct {
	Path      string
	Target    string // a path of this site; "" where it leads to an edition
	EditionID string // whose address it was
	To        string // where it leads today; "" where the edition has no address
	CreatedAt time.Time
}

// OldPaths gives redirects by path: those with the words in their path or
// target, after a path, so many at most (0 for all).
func (s *Store) OldPaths(ctx context.Context, q db.Queryer, words, after string, limit int) ([]OldPath, error) {
	text := `SELECT r.path, r.target, COALESCE(r.edition_id, ''), COALESCE(e.path, r.target), r.created_at
		FROM redirect r LEFT JOIN edition e ON e.id = r.edition_id WHERE r.path > $1`
	args := []any{after}
	if words != "" {
		args = append(args, `%`+likely.Replace(words)+`%`)
		text += ` AND (r.path LIKE $2 ESCAPE '!' OR COALESCE(e.path, r.target) LIKE $2 ESCAPE '!')`
	}
	text += ` ORDER BY r.path`
	if limit > 0 {
		args = append(args, limit)
		text += fmt.Sprintf(` LIMIT $%d`, len(args))
	}
	rows, err := q.QueryContext(ctx, text, args...)
	list, err := db.Rows(rows, err, func(r db.Scanner) (o OldPath, err error) {
		var created int64
		err = r.Scan(&o.Path, &o.Target, &o.EditionID, &o.To, &created)
		o.CreatedAt = db.Time(created)
		return o, err
	})
	if err != nil {
		return nil, fmt.Errorf("story.OldPaths: %w", err)
	}
	return list, nil
}

var likely = strings.NewReplacer(`!`, `!!`, `%`, `!%`, `_`, `!_`)

// CountOldPaths gives how many redirects there are.
func (s *Store) CountOldPaths(ctx context.Context, q db.Queryer) (n int, err error) {
	if err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM redirect`).Scan(&n); err != nil {
		return 0, fmt.Errorf("story.CountOldPaths: %w", err)
	}
	return n, nil
}

// DropOldPath lets an address lead nowhere any more.
func (s *Store) DropOldPath(ctx context.Context, tx *db.Tx, path string) error {
	result, err := tx.ExecContext(ctx, `DELETE FROM redirect WHERE path = $1`, path)
	if err != nil {
		return fmt.Errorf("story.DropOldPath(%s): %w", path, err)
	}
	if n, err := result.RowsAffected(); err != nil {
		return fmt.Errorf("story.DropOldPath(%s): %w", path, err)
	} else if n == 0 {
		return fault.New(fault.NotFound, "no such address", "path", path)
	}
	return s.arranged(ctx, tx)
}

// Fork is one redirect to be added, or why it was not.
type Fork struct {
	Line     int // of the file; 0 for a form
	From, To string
	Reason   string // one of the Not… words; "" where it was added
	By       string // the path it collides with
}

// Why a redirect is not added.
const (
	NotFrom    = "from"    // it is no path of this site
	NotTo      = "to"      // it leads to no path of this site
	NotSelf    = "self"    // it leads to itself
	NotHere    = "here"    // a page stands there
	NotTaken   = "taken"   // the address leads elsewhere already
	NotChain   = "chain"   // it leads to an address that leads on: By
	NotChained = "chained" // another address leads to it: By
	NotLoop    = "loop"    // it would lead round in a circle
	NotPattern = "pattern" // it is no one address, but a pattern
	NotRead    = "read"    // the line cannot be read
)

// AddOldPaths adds redirects that are good, and gives each of the others the
// reason why it is not: what leads on from one redirect to another, or back to
// where it began, is refused. What is there already as it is asked for is good.
func (s *Store) AddOldPaths(ctx context.Context, tx *db.Tx, forks []Fork) (added int, err error) {
	all, err := s.OldPaths(ctx, tx, "", "", 0)
	if err != nil {
		return 0, err
	}
	to := make(map[string]string, len(all)) // by the path without its last slash, as Redirect looks for it
	from := make(map[string]string, len(all))
	for _, o := range all {
		to[bare(o.Path)] = o.To
		from[bare(o.To)] = o.Path
	}
	pages, err := s.addresses(ctx, tx, forks)
	if err != nil {
		return 0, err
	}
	for i := range forks {
		f := &forks[i]
		if f.Reason != "" {
			continue
		}
		f.From, f.To = strings.TrimSpace(f.From), strings.TrimSpace(f.To)
		was, known := to[bare(f.From)]
		switch {
		case !onSite(f.From) || bare(f.From) == "":
			f.Reason = NotFrom
		case !onSite(f.To):
			f.Reason = NotTo
		case bare(f.From) == bare(f.To):
			f.Reason = NotSelf
		case pages[bare(f.From)]:
			f.Reason = NotHere
		case known && bare(was) == bare(f.To):
			continue
		case known:
			f.Reason, f.By = NotTaken, was
		case bare(to[bare(f.To)]) == bare(f.From) && to[bare(f.To)] != "":
			f.Reason, f.By = NotLoop, f.To
		case to[bare(f.To)] != "":
			f.Reason, f.By = NotChain, to[bare(f.To)]
		case from[bare(f.From)] != "":
			f.Reason, f.By = NotChained, from[bare(f.From)]
		}
		if f.Reason != "" {
			continue
		}
		if err := s.AddRedirect(ctx, tx, f.From, f.To, ""); err != nil {
			return added, err
		}
		to[bare(f.From)], from[bare(f.To)] = f.To, f.From
		added++
	}
	if added == 0 {
		return 0, nil
	}
	return added, s.arranged(ctx, tx)
}

// addresses tells at which of the paths a published edition or a section stands.
func (s *Store) addresses(ctx context.Context, q db.Queryer, forks []Fork) (map[string]bool, error) {
	pages := map[string]bool{"/": true}
	sections, err := s.Sections(ctx, q)
	if err != nil {
		return nil, err
	}
	for _, sec := range sections {
		pages["/"+sec.Slug] = true
	}
	for chunk := range slices.Chunk(forks, 500) {
		paths := make([]string, 0, len(chunk))
		for _, f := range chunk {
			paths = append(paths, bare(strings.TrimSpace(f.From))+"/")
		}
		placeholders, args := db.In(1, paths)
		rows, err := q.QueryContext(ctx, `SELECT path FROM edition WHERE status = 'published' AND path IN `+placeholders, args...)
		found, err := db.Rows(rows, err, func(r db.Scanner) (path string, err error) { return path, r.Scan(&path) })
		if err != nil {
			return nil, fmt.Errorf("story.AddOldPaths: %w", err)
		}
		for _, p := range found {
			pages[bare(p)] = true
		}
	}
	return pages, nil
}

// bare is a path without the slash at its end, which a visitor may leave out.
func bare(path string) string { return strings.TrimSuffix(path, "/") }

// onSite reports whether a path is one of this site, and is no trick.
func onSite(path string) bool {
	return strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") && !strings.HasPrefix(path, `/\`) && len(path) <= 1000 &&
		!strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' })
}
