package plan

import (
	"context"
	"slices"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/job"
	"masthead/internal/staff"
	"masthead/internal/story"
)

// Event is what a letter tells of.
type Event string

// The events.
const (
	TellAssigned  Event = "assigned"
	TellReview    Event = "review"
	TellReturned  Event = "returned"
	TellApproved  Event = "approved"
	TellPublished Event = "published"
	TellWithdrawn Event = "withdrawn"
	TellHeld      Event = "held"
	TellDue       Event = "due"
)

// Letter is a letter to somebody about a story: a job.
type Letter struct {
	Event     Event  `json:"event"`
	StaffID   string `json:"staff"`
	EditionID string `json:"edition"`
	By        string `json:"by"` // who did it; "" for the program itself
	Note      string `json:"note"`
	Task      Task   `json:"task"`
	At        int64  `json:"at"` // a deadline, UTC microseconds; 0 for none
}

// Kind implements [job.Args].
func (Letter) Kind() string { return "plan_letter" }

// tell has letters sent to everybody named who wants them, but not to who did
// it, and each once for what name names.
func (s *Store) tell(ctx context.Context, tx *db.Tx, l Letter, name, by string, to ...string) error {
	slices.Sort(to)
	for _, id := range slices.Compact(to) {
		if id == "" || id == by {
			continue
		}
		wants, err := s.WantsLetters(ctx, tx, id)
		if err != nil {
			return err
		}
		if !wants {
			continue
		}
		result, err := tx.ExecContext(ctx, `INSERT INTO told (name, at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name+":"+id, db.Micros(s.Now()))
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			continue
		}
		l.StaffID = id
		if err := s.post(ctx, tx, l, job.Opts{MaxAttempts: 8}); err != nil {
			return err
		}
	}
	return nil
}

// tellOf tells those concerned of a move.
func (s *Store) tellOf(ctx context.Context, tx *db.Tx, d Done, o Order, moveID string) error {
	event, ok := map[string]Event{"submit": TellReview, "return": TellReturned, "approve": TellApproved, Publish: TellPublished, Due: TellPublished,
		Withdraw: TellWithdrawn, Drop: TellWithdrawn, Hold: TellHeld}[d.Move.Name]
	if !ok {
		return nil
	}
	st, err := s.Stories.ByID(ctx, tx, d.Edition.StoryID)
	if err != nil {
		return err
	}
	var to []string
	if event == TellReview {
		to, err = s.editors(ctx, tx, st)
	} else {
		to, err = s.writers(ctx, tx, st)
	}
	if err != nil {
		return err
	}
	if event == TellHeld { // whoever scheduled it must know
		rows, err := tx.QueryContext(ctx, `SELECT staff_id FROM edition_move WHERE edition_id = $1 AND name = 'schedule' ORDER BY id DESC LIMIT 1`, d.Edition.ID)
		by, err := db.Rows(rows, err, func(r db.Scanner) (id string, err error) { return id, r.Scan(&id) })
		if err != nil {
			return err
		}
		to = append(to, by...)
	}
	return s.tell(ctx, tx, Letter{Event: event, EditionID: d.Edition.ID, By: nameOf(o.By), Note: o.Note}, "move:"+moveID, o.By.ID, to...)
}

// writers are who began a story and who is assigned to it.
func (s *Store) writers(ctx context.Context, q db.Queryer, st story.Story) ([]string, error) {
	rows, err := q.QueryContext(ctx, `SELECT DISTINCT staff_id FROM assignment WHERE story_id = $1`, st.ID)
	ids, err := db.Rows(rows, err, func(r db.Scanner) (id string, err error) { return id, r.Scan(&id) })
	return append(ids, st.CreatedBy), err
}

// editors are those of a story's section: who is an editor there by name; else
// the editors of everything; else whoever may approve it.
func (s *Store) editors(ctx context.Context, q db.Queryer, st story.Story) ([]string, error) {
	sections, err := s.Stories.Sections(ctx, q)
	if err != nil {
		return nil, err
	}
	var object staff.Object
	for _, section := range sections.Path(st.SectionID) {
		object.Sections = append(object.Sections, section.ID)
	}
	people, err := s.Staff.List(ctx, q)
	if err != nil {
		return nil, err
	}
	var here, everywhere, any []string
	for _, p := range people {
		if !p.May(staff.ApproveStory, object) {
			continue
		}
		any = append(any, p.ID)
		switch {
		case slices.ContainsFunc(object.Sections, func(id string) bool { return p.Sections[id].May(staff.Editor) }):
			here = append(here, p.ID)
		case p.Role == staff.Editor:
			everywhere = append(everywhere, p.ID)
		}
	}
	for _, list := range [][]string{here, everywhere} {
		if len(list) > 0 {
			return list, nil
		}
	}
	return any, nil
}

// WantsLetters reports whether somebody has letters about stories sent.
func (s *Store) WantsLetters(ctx context.Context, q db.Queryer, staffID string) (wants bool, err error) {
	defer wrap(&err, "WantsLetters(%s)", staffID)
	err = q.QueryRowContext(ctx, `SELECT NOT EXISTS (SELECT 1 FROM no_letters WHERE staff_id = $1)`, staffID).Scan(&wants)
	return wants, err
}

// SetLetters says whether somebody wants letters about stories.
func (s *Store) SetLetters(ctx context.Context, tx *db.Tx, staffID string, wants bool) (err error) {
	defer wrap(&err, "SetLetters(%s)", staffID)
	text := `INSERT INTO no_letters (staff_id) VALUES ($1) ON CONFLICT (staff_id) DO NOTHING`
	if wants {
		text = `DELETE FROM no_letters WHERE staff_id = $1`
	}
	_, err = tx.ExecContext(ctx, text, staffID)
	return err
}

// Remind is the job that reminds of deadlines.
type Remind struct{}

// Kind implements [job.Args].
func (Remind) Kind() string { return "remind" }

// remindBefore is how long before a deadline its reminder is sent; toldLife, how
// long it is remembered what was mailed.
const (
	remindBefore = 24 * time.Hour
	toldLife     = 90 * 24 * time.Hour
)

// Remind has a letter sent for each deadline of the next 24 hours, once.
func (s *Store) Remind(ctx context.Context, tx *db.Tx) (err error) {
	defer wrap(&err, "Remind")
	now := s.Now()
	if _, err := tx.ExecContext(ctx, `DELETE FROM told WHERE at < $1`, db.Micros(now.Add(-toldLife))); err != nil {
		return err
	}
	due, err := s.works(ctx, tx, ` AND a.due_at > $1 AND a.due_at <= $2`, ` ORDER BY a.due_at, a.id`, db.Micros(now), db.Micros(now.Add(remindBefore)))
	for _, w := range due {
		at := db.Micros(w.DueAt)
		if err := s.tell(ctx, tx, Letter{Event: TellDue, EditionID: w.EditionID, Note: w.Note, Task: w.Task, At: at},
			strings.Join([]string{"due", w.ID, w.DueAt.UTC().Format(time.RFC3339)}, ":"), "", w.StaffID); err != nil {
			return err
		}
	}
	return err
}
