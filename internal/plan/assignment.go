package plan

import (
	"context"
	"fmt"
	"slices"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/staff"
	"masthead/internal/story"
)

// Task is what somebody is to do.
type Task string

// The tasks.
const (
	Write     Task = "write"
	Edit      Task = "edit"
	Translate Task = "translate"
	Pictures  Task = "pictures"
)

// Tasks gives every task.
func Tasks() []Task { return []Task{Write, Edit, Translate, Pictures} }

// maxNote is how many bytes a note may have.
const maxNote = 4000

// Assignment is a story given to somebody.
type Assignment struct {
	ID, StoryID, StaffID string
	Task                 Task
	Lang                 string // of the edition, where it is about one
	Note                 string
	DueAt                time.Time // zero for no deadline
	DoneAt               time.Time // zero while it is to be done
	CreatedBy            string    // staff ID
	CreatedAt            time.Time
}

// Assigned reports whether the story is assigned to that person, done or not.
func (s *Store) Assigned(ctx context.Context, q db.Queryer, storyID, staffID string) (bool, error) {
	var is bool
	err := q.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM assignment WHERE story_id = $1 AND staff_id = $2)`, storyID, staffID).Scan(&is)
	if err != nil {
		return false, fmt.Errorf("plan.Assigned(%s, %s): %w", storyID, staffID, err)
	}
	return is, nil
}

// Assign gives a story to somebody at work here, and tells him by letter. Its
// pitches become assigned.
func (s *Store) Assign(ctx context.Context, tx *db.Tx, a *Assignment, by staff.Person) (err error) {
	defer wrap(&err, "Assign(%s, %s)", a.StoryID, a.StaffID)
	if !slices.Contains(Tasks(), a.Task) {
		return fault.New(fault.Invalid, "there is no such task", "task", a.Task).WithHint("write, edit, translate or pictures")
	}
	if len(a.Note) > maxNote {
		return fault.New(fault.Invalid, "the note is too long")
	}
	who, err := s.Staff.ByID(ctx, tx, a.StaffID)
	if err != nil {
		return err
	}
	if who.Disabled() {
		return fault.New(fault.Invalid, "this person no longer works here")
	}
	a.ID, a.CreatedBy, a.CreatedAt = db.NewID(), by.ID, s.Now()
	if _, err := tx.ExecContext(ctx, `INSERT INTO assignment (id, story_id, staff_id, task, lang, note, due_at, created_by, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, a.ID, a.StoryID, a.StaffID, string(a.Task), a.Lang, a.Note, db.Micros(a.DueAt), by.ID, db.Micros(a.CreatedAt)); err != nil {
		return err
	}
	editions, err := s.Stories.Editions(ctx, tx, a.StoryID)
	if err != nil {
		return err
	}
	about := ""
	for _, c := range editions {
		if about == "" || c.Lang == a.Lang {
			about = c.EditionID
		}
		if c.Status == story.Pitch {
			if _, err := s.Do(ctx, tx, Order{EditionID: c.EditionID, Move: Assign, By: by}); err != nil {
				return err
			}
		}
	}
	return s.tell(ctx, tx, Letter{Event: TellAssigned, EditionID: about, Note: a.Note, By: nameOf(by), Task: a.Task, At: db.Micros(a.DueAt)}, "assigned:"+a.ID, by.ID, a.StaffID)
}

// SetDone says that an assignment is done, or is not.
func (s *Store) SetDone(ctx context.Context, tx *db.Tx, storyID, id string, done bool) (err error) {
	defer wrap(&err, "SetDone(%s)", id)
	at := int64(0)
	if done {
		at = db.Micros(s.Now())
	}
	return changed(tx.ExecContext(ctx, `UPDATE assignment SET done_at = $3 WHERE id = $1 AND story_id = $2`, id, storyID, at))
}

// Unassign takes an assignment back.
func (s *Store) Unassign(ctx context.Context, tx *db.Tx, storyID, id string) (err error) {
	defer wrap(&err, "Unassign(%s)", id)
	return changed(tx.ExecContext(ctx, `DELETE FROM assignment WHERE id = $1 AND story_id = $2`, id, storyID))
}

const assignmentColumns = `a.id, a.story_id, a.staff_id, a.task, a.lang, a.note, a.due_at, a.done_at, a.created_by, a.created_at`

func scanAssignment(r db.Scanner, more ...any) (a Assignment, err error) {
	var due, done, created int64
	err = r.Scan(append([]any{&a.ID, &a.StoryID, &a.StaffID, &a.Task, &a.Lang, &a.Note, &due, &done, &a.CreatedBy, &created}, more...)...)
	a.DueAt, a.DoneAt, a.CreatedAt = db.Time(due), db.Time(done), db.Time(created)
	return a, err
}

// AssignmentByID gives one assignment of a story.
func (s *Store) AssignmentByID(ctx context.Context, q db.Queryer, storyID, id string) (a Assignment, err error) {
	defer wrap(&err, "AssignmentByID(%s)", id)
	a, err = scanAssignment(q.QueryRowContext(ctx, `SELECT `+assignmentColumns+` FROM assignment a WHERE a.id = $1 AND a.story_id = $2`, id, storyID))
	return a, absent(err, "there is no such assignment")
}

// AssignmentsOf gives all assignments of a story, what is to be done first.
func (s *Store) AssignmentsOf(ctx context.Context, q db.Queryer, storyID string) (list []Assignment, err error) {
	defer wrap(&err, "AssignmentsOf(%s)", storyID)
	rows, err := q.QueryContext(ctx, `SELECT `+assignmentColumns+` FROM assignment a WHERE a.story_id = $1
		ORDER BY CASE WHEN a.done_at = 0 THEN 0 ELSE 1 END, CASE WHEN a.due_at = 0 THEN 1 ELSE 0 END, a.due_at, a.id`, storyID)
	return db.Rows(rows, err, func(r db.Scanner) (Assignment, error) { return scanAssignment(r) })
}

// Work is an assignment with the edition that it is about: that of its
// language, else the story's original.
type Work struct {
	Assignment
	EditionID, Headline, EditionLang, SectionID string
	Status                                      story.Status
}

// originalEdition is the edition of story s that stands for it: in its first language,
// else its oldest; assignedEdition, the one that assignment a is about.
const (
	originalEdition = `(SELECT y.id FROM edition y WHERE y.story_id = s.id ORDER BY CASE WHEN y.lang = s.original_lang THEN 0 ELSE 1 END, y.id LIMIT 1)`
	assignedEdition = `COALESCE((SELECT x.id FROM edition x WHERE x.story_id = s.id AND x.lang = a.lang), ` + originalEdition + `)`
)

// Works gives up to limit assignments that are to be done, the most urgent
// first: those of one person, or of everybody where staffID is "".
func (s *Store) Works(ctx context.Context, q db.Queryer, staffID string, limit int) (list []Work, err error) {
	defer wrap(&err, "Works(%s)", staffID)
	where, args := ``, []any{limit}
	if staffID != "" {
		where, args = ` AND a.staff_id = $2`, append(args, staffID)
	}
	return s.works(ctx, q, where, ` ORDER BY CASE WHEN a.due_at = 0 THEN 1 ELSE 0 END, a.due_at, a.id LIMIT $1`, args...)
}

func (s *Store) works(ctx context.Context, q db.Queryer, where, rest string, args ...any) ([]Work, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+assignmentColumns+`, e.id, e.headline, e.lang, e.status, COALESCE(s.section_id, '')
		FROM assignment a JOIN story s ON s.id = a.story_id
		JOIN edition e ON e.id = `+assignedEdition+`
		WHERE a.done_at = 0`+where+rest, args...)
	return db.Rows(rows, err, func(r db.Scanner) (w Work, err error) {
		w.Assignment, err = scanAssignment(r, &w.EditionID, &w.Headline, &w.EditionLang, &w.Status, &w.SectionID)
		return w, err
	})
}
