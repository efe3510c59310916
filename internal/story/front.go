package story

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
)

// FrontPage is the ID of the front page; that of a section's front is the section's.
const FrontPage = "front"

// FrontMost is how many stories may be pinned to one front.
const FrontMost = 15

// frontImported is how many of the stories that an import pinned stand on a
// front page that nobody has arranged.
const frontImported = 3

// Size is how large a story stands on a front.
type Size string

// The sizes. A front has one lead.
const (
	Lead   Size = "lead"
	Second Size = "second"
	Brief  Size = "brief"
)

// Sizes gives every size, the largest first.
func Sizes() []Size { return []Size{Lead, Second, Brief} }

// FrontItem is one story that was pinned to a front.
type FrontItem struct {
	StoryID  string
	Size     Size
	Until    time.Time // zero: until somebody takes it away
	PinnedBy string    // staff ID; "" where an import pinned it
	At       time.Time
}

// Front is what was arranged by hand of a front in one language, in the order of
// the page. The rest of it is filled by the newest stories.
type Front struct {
	ID, Lang string // FrontPage or a section's ID; the language
	Version  int64  // 0: nobody has arranged it yet
	StaffID  string // who arranged it last
	At       time.Time
	Items    []FrontItem
}

// Live gives the items that have not expired at a time.
func (f Front) Live(now time.Time) []FrontItem {
	var live []FrontItem
	for _, it := range f.Items {
		if it.Until.IsZero() || now.Before(it.Until) {
			live = append(live, it)
		}
	}
	return live
}

// Next gives the time after now at which the next item expires; zero when none does.
func (f Front) Next(now time.Time) time.Time {
	var next time.Time
	for _, it := range f.Items {
		if it.Until.After(now) && (next.IsZero() || it.Until.Before(next)) {
			next = it.Until
		}
	}
	return next
}

// check refuses what is no arrangement.
func (f Front) check() error {
	leads := 0
	seen := map[string]bool{}
	for _, it := range f.Items {
		switch {
		case !slices.Contains(Sizes(), it.Size):
			return fault.New(fault.Invalid, "no such size", "size", it.Size).WithHint("write lead, second or brief")
		case it.StoryID == "" || seen[it.StoryID]:
			return fault.New(fault.Invalid, "a story stands on a front once", "story", it.StoryID)
		}
		seen[it.StoryID] = true
		if it.Size == Lead {
			leads++
		}
	}
	if leads > 1 {
		return fault.New(fault.Invalid, "a front has one lead", "leads", leads)
	}
	if len(f.Items) > FrontMost {
		return fault.New(fault.Invalid, "so many stories cannot be pinned to one front", "stories", len(f.Items), "most", FrontMost)
	}
	return nil
}

// ParseFront reads the items of a front from the fields story, size and until of
// a form, which stand there in order: until is a local time such as
// 2026-11-22T18:00 by the newsroom's clock, or "". A second lead becomes a
// second, and a story that comes again is left out.
func ParseFront(form url.Values, clock *time.Location) ([]FrontItem, error) {
	stories, sizes, untils := form["story"], form["size"], form["until"]
	if len(sizes) != len(stories) || len(untils) != len(stories) {
		return nil, fault.New(fault.Invalid, "the form of the front is not whole")
	}
	f := Front{}
	for i, id := range stories {
		it := FrontItem{StoryID: id, Size: Size(sizes[i])}
		if slices.ContainsFunc(f.Items, func(o FrontItem) bool { return o.StoryID == id }) {
			continue
		}
		if it.Size == Lead && slices.ContainsFunc(f.Items, func(o FrontItem) bool { return o.Size == Lead }) {
			it.Size = Second
		}
		if untils[i] != "" {
			var err error
			if it.Until, err = time.ParseInLocation("2006-01-02T15:04", untils[i], clock); err != nil {
				return nil, fault.New(fault.Invalid, "no such time", "until", untils[i]).WithHint("write it as 2026-11-22T18:00")
			}
		}
		f.Items = append(f.Items, it)
	}
	return f.Items, f.check()
}

// Fronts gives what was arranged by hand in a language, by the fronts' IDs. The
// front page is always among them: as long as nobody has arranged it, with the
// stories that an import pinned.
func (s *Store) Fronts(ctx context.Context, q db.Queryer, lang string) (map[string]Front, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, lang, version, staff_id, at FROM front WHERE lang = $1`, lang)
	list, err := db.Rows(rows, err, scanFront)
	if err != nil {
		return nil, fmt.Errorf("story.Fronts(%s): %w", lang, err)
	}
	fronts := map[string]Front{}
	for _, f := range list {
		fronts[f.ID] = f
	}
	rows, err = q.QueryContext(ctx, `SELECT front, story_id, size, until, pinned_by, at FROM front_item WHERE lang = $1 ORDER BY front, position`, lang)
	_, err = db.Rows(rows, err, func(r db.Scanner) (struct{}, error) {
		id, it, err := scanFrontItem(r)
		f := fronts[id]
		f.Items = append(f.Items, it)
		fronts[id] = f
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("story.Fronts(%s): %w", lang, err)
	}
	if _, arranged := fronts[FrontPage]; !arranged {
		if fronts[FrontPage], err = s.imported(ctx, q, lang); err != nil {
			return nil, err
		}
	}
	return fronts, nil
}

// Front gives one front as it was arranged, with what has expired.
func (s *Store) Front(ctx context.Context, q db.Queryer, id, lang string) (Front, error) {
	f, err := scanFront(q.QueryRowContext(ctx, `SELECT id, lang, version, staff_id, at FROM front WHERE id = $1 AND lang = $2`, id, lang))
	if errors.Is(err, sql.ErrNoRows) {
		if id == FrontPage {
			return s.imported(ctx, q, lang)
		}
		return Front{ID: id, Lang: lang}, nil
	}
	if err != nil {
		return Front{}, fmt.Errorf("story.Front(%s): %w", id, err)
	}
	rows, err := q.QueryContext(ctx, `SELECT front, story_id, size, until, pinned_by, at FROM front_item WHERE front = $1 AND lang = $2 ORDER BY position`, id, lang)
	f.Items, err = db.Rows(rows, err, func(r db.Scanner) (FrontItem, error) {
		_, it, err := scanFrontItem(r)
		return it, err
	})
	if err != nil {
		return Front{}, fmt.Errorf("story.Front(%s): %w", id, err)
	}
	return f, nil
}

// imported is the front page that nobody has arranged: the first story that an
// import pinned leads, and two stand beside it.
func (s *Store) imported(ctx context.Context, q db.Queryer, lang string) (Front, error) {
	f := Front{ID: FrontPage, Lang: lang}
	pinned, err := s.Cards(ctx, q, Query{Lang: lang, Pinned: true, Limit: frontImported})
	for i, c := range pinned {
		it := FrontItem{StoryID: c.StoryID, Size: Second, At: c.PublishedAt}
		if i == 0 {
			it.Size = Lead
		}
		f.Items = append(f.Items, it)
	}
	return f, err
}

func scanFront(r db.Scanner) (f Front, err error) {
	var at int64
	err = r.Scan(&f.ID, &f.Lang, &f.Version, &f.StaffID, &at)
	f.At = db.Time(at)
	return f, err
}

func scanFrontItem(r db.Scanner) (front string, it FrontItem, err error) {
	var until, at int64
	err = r.Scan(&front, &it.StoryID, &it.Size, &until, &it.PinnedBy, &at)
	it.Until, it.At = db.Time(until), db.Time(at)
	return front, it, err
}

// Arrange writes an arrangement over the one of f.Version; where somebody else
// has arranged the front since, it is a Conflict and nothing is written. An item
// that stood there before keeps who pinned it and when; a new one gets f.StaffID
// and the time. What has expired is left out.
func (s *Store) Arrange(ctx context.Context, tx *db.Tx, f *Front) error {
	now := s.Now()
	f.Items = f.Live(now)
	if err := f.check(); err != nil {
		return err
	}
	was, err := s.Front(ctx, tx, f.ID, f.Lang)
	if err != nil {
		return err
	}
	if was.Version != f.Version {
		return fault.New(fault.Conflict, "somebody else has arranged this front meanwhile", "front", f.ID, "lang", f.Lang)
	}
	f.Version, f.At = f.Version+1, now
	result, err := tx.ExecContext(ctx, `INSERT INTO front (id, lang, version, staff_id, at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (id, lang) DO UPDATE SET version = excluded.version, staff_id = excluded.staff_id, at = excluded.at
			WHERE front.version = excluded.version - 1`, f.ID, f.Lang, f.Version, f.StaffID, db.Micros(now))
	if err != nil {
		return fmt.Errorf("story.Arrange(%s): %w", f.ID, err)
	}
	if n, err := result.RowsAffected(); err != nil {
		return fmt.Errorf("story.Arrange(%s): %w", f.ID, err)
	} else if n == 0 {
		return fault.New(fault.Conflict, "somebody else has arranged this front meanwhile", "front", f.ID, "lang", f.Lang)
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM front_item WHERE front = $1 AND lang = $2`, f.ID, f.Lang); err != nil {
		return fmt.Errorf("story.Arrange(%s): %w", f.ID, err)
	}
	for i := range f.Items {
		it := &f.Items[i]
		it.PinnedBy, it.At = f.StaffID, now
		if j := slices.IndexFunc(was.Items, func(o FrontItem) bool { return o.StoryID == it.StoryID }); j >= 0 {
			it.PinnedBy, it.At = was.Items[j].PinnedBy, was.Items[j].At
		}
		if _, err := s.ByID(ctx, tx, it.StoryID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO front_item (front, lang, position, story_id, size, until, pinned_by, at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, f.ID, f.Lang, i, it.StoryID, it.Size, db.Micros(it.Until), it.PinnedBy, db.Micros(it.At))
		if err != nil {
			return fmt.Errorf("story.Arrange(%s) %s: %w", f.ID, it.StoryID, err)
		}
	}
	return s.arranged(ctx, tx)
}
