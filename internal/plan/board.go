package plan

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/story"
)

// Filter narrows the board and the calendar. Its zero value takes all.
type Filter struct {
	SectionIDs []string // in one of these
	Lang       string
	StaffID    string // who began the story, or is assigned to it
}

// Card is one edition on the board.
type Card struct {
	EditionID, StoryID, Lang, Headline, SectionID string
	Status                                        story.Status
	PublishedAt, EmbargoUntil, UpdatedAt          time.Time
	Day                                           int // it is planned for: 20261123
	Work                                          []Assignment
}

// Recent is how long what is finished stays on the board.
const Recent = 7 * 24 * time.Hour

// Columns are the statuses of the board, in order.
func Columns() []story.Status {
	return []story.Status{story.Pitch, story.Assigned, story.Draft, story.Review, story.Approved, story.Scheduled, story.Published, story.Withdrawn}
}

// where gives the conditions of a filter on edition e and story s.
func (f Filter) where(args []any) (string, []any) {
	var b strings.Builder
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	if f.SectionIDs != nil {
		in, values := db.In(len(args)+1, f.SectionIDs)
		args = append(args, values...)
		b.WriteString(` AND s.section_id IN ` + in)
	}
	if f.Lang != "" {
		b.WriteString(` AND e.lang = ` + arg(f.Lang))
	}
	if f.StaffID != "" {
		who := arg(f.StaffID)
		b.WriteString(` AND (s.created_by = ` + who + ` OR EXISTS (SELECT 1 FROM assignment a WHERE a.story_id = s.id AND a.staff_id = ` + who + `))`)
	}
	return b.String(), args
}

// Column gives up to limit editions of a status, the last changed first, and
// whether there are more. Of what is finished, only that of a week.
func (s *Store) Column(ctx context.Context, q db.Queryer, status story.Status, f Filter, limit int) (cards []Card, more bool, err error) {
	defer wrap(&err, "Column(%s)", status)
	args := []any{string(status), limit + 1}
	where := `e.status || '' = $1` // as the index has it
	if status == story.Published || status == story.Withdrawn {
		args = append(args, db.Micros(s.Now().Add(-Recent)))
		where += ` AND e.updated_at >= $3`
	}
	narrow, args := f.where(args)
	rows, err := q.QueryContext(ctx, `SELECT e.id, e.story_id, e.lang, e.headline, COALESCE(s.section_id, ''), e.status, e.published_at, e.embargo_until,
		e.updated_at, COALESCE(p.day, 0) FROM edition e JOIN story s ON s.id = e.story_id LEFT JOIN story_plan p ON p.story_id = s.id
		WHERE `+where+narrow+` ORDER BY e.updated_at DESC, e.id DESC LIMIT $2`, args...)
	cards, err = db.Rows(rows, err, func(r db.Scanner) (c Card, err error) {
		var published, embargo, updated int64
		err = r.Scan(&c.EditionID, &c.StoryID, &c.Lang, &c.Headline, &c.SectionID, &c.Status, &published, &embargo, &updated, &c.Day)
		c.PublishedAt, c.EmbargoUntil, c.UpdatedAt = db.Time(published), db.Time(embargo), db.Time(updated)
		return c, err
	})
	if more = len(cards) > limit; more {
		cards = cards[:limit]
	}
	if err != nil || len(cards) == 0 {
		return cards, more, err
	}
	ids := make([]string, len(cards))
	for i, c := range cards {
		ids[i] = c.StoryID
	}
	in, args := db.In(1, ids)
	rows, err = q.QueryContext(ctx, `SELECT `+assignmentColumns+` FROM assignment a WHERE a.done_at = 0 AND a.story_id IN `+in+` ORDER BY a.due_at, a.id`, args...)
	work, err := db.Rows(rows, err, func(r db.Scanner) (Assignment, error) { return scanAssignment(r) })
	for _, a := range work {
		for i := range cards {
			if cards[i].StoryID == a.StoryID && (a.Lang == "" || a.Lang == cards[i].Lang) {
				cards[i].Work = append(cards[i].Work, a)
			}
		}
	}
	return cards, more, err
}

// Mark says why something stands in the calendar.
type Mark string

// The marks.
const (
	MarkPlanned   Mark = "planned"
	MarkScheduled Mark = "scheduled"
	MarkDue       Mark = "due"
	MarkEmbargo   Mark = "embargo"
)

// Entry is one thing in the calendar.
type Entry struct {
	Mark                                 Mark
	At                                   time.Time // zero for what is planned for the day as a whole
	Day                                  int       // 20261123, in the zone of the time it was asked for
	EditionID, Headline, Lang, SectionID string
	Status                               story.Status
	StaffID                              string // whose deadline it is
}

// maxEntries is how many entries of one mark a calendar holds.
const maxEntries = 1000

// Calendar gives what stands between two times, the second not included, in the
// order of days and times; days are those of from's zone.
func (s *Store) Calendar(ctx context.Context, q db.Queryer, from, until time.Time, f Filter) (list []Entry, err error) {
	defer wrap(&err, "Calendar")
	const columns = `SELECT e.id, e.headline, e.lang, COALESCE(s.section_id, ''), e.status, `
	const tables = ` FROM edition e JOIN story s ON s.id = e.story_id`
	first, last := any(db.Micros(from)), any(db.Micros(until))
	for _, part := range []struct {
		mark        Mark
		text        string
		first, last any
	}{
		{MarkScheduled, columns + `e.published_at, ''` + tables + ` WHERE e.status = 'scheduled' AND e.published_at >= $1 AND e.published_at < $2`, first, last},
		{MarkEmbargo, columns + `e.embargo_until, ''` + tables + ` WHERE e.embargo_until > 0 AND e.status NOT IN ('published', 'withdrawn') AND e.embargo_until >= $1 AND e.embargo_until < $2`, first, last},
		{MarkDue, columns + `a.due_at, a.staff_id FROM assignment a JOIN story s ON s.id = a.story_id JOIN edition e ON e.id = ` + assignedEdition + `
			WHERE a.done_at = 0 AND a.due_at >= $1 AND a.due_at < $2`, first, last},
		{MarkPlanned, columns + `p.day, '' FROM story_plan p JOIN story s ON s.id = p.story_id JOIN edition e ON e.id = ` + originalEdition + `
			WHERE p.day >= $1 AND p.day < $2`, Day(from), Day(until)},
	} {
		narrow, args := f.where([]any{part.first, part.last})
		rows, err := q.QueryContext(ctx, part.text+narrow+` ORDER BY 6, 1 LIMIT `+strconv.Itoa(maxEntries), args...)
		found, err := db.Rows(rows, err, func(r db.Scanner) (e Entry, err error) {
			e.Mark = part.mark
			var at int64
			err = r.Scan(&e.EditionID, &e.Headline, &e.Lang, &e.SectionID, &e.Status, &at, &e.StaffID)
			if part.mark == MarkPlanned {
				e.Day = int(at)
			} else {
				e.At = db.Time(at).In(from.Location())
				e.Day = Day(e.At)
			}
			return e, err
		})
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	slices.SortStableFunc(list, func(a, b Entry) int {
		if a.Day != b.Day {
			return a.Day - b.Day
		}
		return a.At.Compare(b.At)
	})
	return list, nil
}
