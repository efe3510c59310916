package draft

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/fault"
)

// Thread is a conversation of the newsroom on a passage of an edition, or a note
// on a whole story, seen from each of its editions. It is never published.
type Thread struct {
	ID         string
	StoryID    string
	EditionID  string // "" for a note
	From, To   int    // the passage; equal once it is deleted
	Version    int64  // of the draft, at which that holds
	Anchor     string // its words when the conversation began
	ResolvedBy string // staff ID
	ResolvedAt time.Time
	CreatedAt  time.Time
	Remarks    []Remark // in order of time, one at least
}

// Gone reports whether the passage has been deleted.
func (t Thread) Gone() bool { return t.EditionID != "" && t.From == t.To }

// Resolved reports whether the conversation is over.
func (t Thread) Resolved() bool { return !t.ResolvedAt.IsZero() }

// Remark is what one person said in a thread.
type Remark struct {
	ID       string
	StaffID  string
	Text     string
	Mentions []string // staff IDs
	At       time.Time
}

// Mention is that somebody was named in a comment.
type Mention struct {
	EditionID string // at which it was written
	ThreadID  string
	By        string // staff ID
	Who       []string
	Text      string
}

// Passage is where a thread begins: positions in a version of a draft. The zero
// Passage is the whole story.
type Passage struct {
	Version  int64
	From, To int
}

// anchorBytes is how much of a passage is kept for when it is deleted.
const anchorBytes = 300

// Begin begins a thread at a draft. Positions at an older version are moved to
// where they are now; one too old is [*Stale].
func (s *Store) Begin(ctx context.Context, tx *db.Tx, editionID string, on Passage, by Remark) (t Thread, err error) {
	defer wrap(&err, "Begin(%s)", editionID)
	d, err := s.locked(ctx, tx, editionID)
	if err != nil {
		return t, err
	}
	t = Thread{ID: db.NewID(), CreatedAt: s.Now()}
	if err := tx.QueryRowContext(ctx, `SELECT story_id FROM edition WHERE id = $1`, editionID).Scan(&t.StoryID); err != nil {
		return t, err
	}
	if on != (Passage{}) {
		missed, err := s.Since(ctx, tx, editionID, on.Version)
		if err != nil {
			return t, err
		}
		if missed.Reload {
			return t, &missed
		}
		t.EditionID, t.From, t.To = editionID, on.From, on.To
		for _, m := range missed.Steps {
			step, err := doc.ParseStep(m.JSON)
			if err != nil {
				return t, err
			}
			t.move(step)
		}
		if on.From < 0 || on.From >= on.To || t.To > d.Doc.Size()-2 {
			return t, fault.New(fault.Invalid, "there is no such passage")
		}
		if t.Anchor = d.Doc.TextBetween(t.From, t.To, anchorBytes); t.Anchor == "" && t.From == t.To {
			return t, &missed // it was deleted while the comment was written
		}
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO remark_thread (id, story_id, edition_id, from_pos, to_pos, anchor, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		t.ID, t.StoryID, sql.NullString{String: t.EditionID, Valid: t.EditionID != ""}, t.From, t.To, t.Anchor, db.Micros(t.CreatedAt)); err != nil {
		return t, err
	}
	return s.say(ctx, tx, editionID, t, by)
}

// Reply adds to a thread that is seen from an edition; a resolved one is opened again.
func (s *Store) Reply(ctx context.Context, tx *db.Tx, editionID, threadID string, by Remark) (t Thread, err error) {
	defer wrap(&err, "Reply(%s, %s)", editionID, threadID)
	if t, err = s.thread(ctx, tx, editionID, threadID); err != nil {
		return t, err
	}
	if t.Resolved() {
		if _, err := tx.ExecContext(ctx, `UPDATE remark_thread SET resolved_by = '', resolved_at = 0 WHERE id = $1`, t.ID); err != nil {
			return t, err
		}
	}
	return s.say(ctx, tx, editionID, t, by)
}

func (s *Store) say(ctx context.Context, tx *db.Tx, editionID string, t Thread, by Remark) (Thread, error) {
	by.Text = strings.TrimSpace(by.Text)
	if by.Text == "" || len(by.Text) > MaxRemark || !utf8.ValidString(by.Text) || strings.ContainsRune(by.Text, 0) {
		return t, fault.New(fault.Invalid, "a comment has 1 to 5,000 bytes of text")
	}
	by.Mentions = slices.Compact(slices.Sorted(slices.Values(by.Mentions)))
	if len(by.Mentions) > MaxMentions {
		return t, fault.New(fault.Invalid, "too many are named in the comment")
	}
	in, args := db.In(1, by.Mentions)
	var known int
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM staff WHERE disabled_at = 0 AND id IN `+in, args...).Scan(&known); err != nil {
		return t, err
	}
	if known != len(by.Mentions) {
		return t, fault.New(fault.Invalid, "somebody who is named does not work here")
	}
	by.ID, by.At = db.NewID(), s.Now()
	mentions, err := json.Marshal(append([]string{}, by.Mentions...))
	if err != nil {
		return t, err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO remark (id, thread_id, staff_id, text, mentions, at) VALUES ($1, $2, $3, $4, $5, $6)`,
		by.ID, t.ID, by.StaffID, by.Text, string(mentions), db.Micros(by.At)); err != nil {
		return t, err
	}
	if s.Mentioned != nil && len(by.Mentions) > 0 {
		if err := s.Mentioned(ctx, tx, Mention{EditionID: editionID, ThreadID: t.ID, By: by.StaffID, Who: by.Mentions, Text: by.Text}); err != nil {
			return t, err
		}
	}
	if err := s.remarked(ctx, tx, t); err != nil {
		return t, err
	}
	return s.thread(ctx, tx, editionID, t.ID)
}

// Resolve ends a thread, or opens it again.
func (s *Store) Resolve(ctx context.Context, tx *db.Tx, editionID, threadID string, resolved bool, staffID string) (t Thread, err error) {
	defer wrap(&err, "Resolve(%s, %s)", editionID, threadID)
	if t, err = s.thread(ctx, tx, editionID, threadID); err != nil || t.Resolved() == resolved {
		return t, err
	}
	at := s.Now()
	if !resolved {
		staffID, at = "", time.Time{}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE remark_thread SET resolved_by = $2, resolved_at = $3 WHERE id = $1`, t.ID, staffID, db.Micros(at)); err != nil {
		return t, err
	}
	if err := s.remarked(ctx, tx, t); err != nil {
		return t, err
	}
	return s.thread(ctx, tx, editionID, threadID)
}

// remarked tells everybody who sees the thread that it has changed.
func (s *Store) remarked(ctx context.Context, tx *db.Tx, t Thread) error {
	rows, err := tx.QueryContext(ctx, `UPDATE draft SET remarks = remarks + 1
		WHERE edition_id IN (SELECT id FROM edition WHERE story_id = $1) AND (edition_id = $2 OR $2 = '') RETURNING edition_id`, t.StoryID, t.EditionID)
	ids, err := db.Rows(rows, err, func(r db.Scanner) (id string, err error) { return id, r.Scan(&id) })
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.tell(ctx, tx, id); err != nil {
			return err
		}
	}
	return nil
}

const threadQuery = `SELECT t.id, t.story_id, COALESCE(t.edition_id, ''), t.from_pos, t.to_pos, t.anchor, t.resolved_by, t.resolved_at, t.created_at, COALESCE(d.version, 0),
		r.id, r.staff_id, r.text, r.mentions, r.at
	FROM remark_thread t JOIN remark r ON r.thread_id = t.id JOIN edition e ON e.story_id = t.story_id LEFT JOIN draft d ON d.edition_id = e.id
	WHERE e.id = $1 AND (t.edition_id = e.id OR t.edition_id IS NULL)`

// Threads gives the threads that are seen from an edition, the oldest first.
func (s *Store) Threads(ctx context.Context, q db.Queryer, editionID string) (list []Thread, err error) {
	defer wrap(&err, "Threads(%s)", editionID)
	rows, err := q.QueryContext(ctx, threadQuery+` ORDER BY t.id, r.id`, editionID)
	return gather(rows, err)
}

// thread gives one thread that is seen from an edition; no other is found.
func (s *Store) thread(ctx context.Context, q db.Queryer, editionID, id string) (Thread, error) {
	rows, err := q.QueryContext(ctx, threadQuery+` AND t.id = $2 ORDER BY r.id`, editionID, id)
	list, err := gather(rows, err)
	if err == nil && len(list) == 0 {
		// One that was begun in this transaction has nobody's words yet.
		err = fault.New(fault.NotFound, "there is no such conversation", "id", id)
	}
	if err != nil {
		return Thread{}, err
	}
	return list[0], nil
}

func gather(rows *sql.Rows, err error) (list []Thread, _ error) {
	_, err = db.Rows(rows, err, func(row db.Scanner) (struct{}, error) {
		var t Thread
		var r Remark
		var resolved, created, at int64
		var mentions []byte
		if err := row.Scan(&t.ID, &t.StoryID, &t.EditionID, &t.From, &t.To, &t.Anchor, &t.ResolvedBy, &resolved, &created, &t.Version,
			&r.ID, &r.StaffID, &r.Text, &mentions, &at); err != nil {
			return struct{}{}, err
		}
		if err := json.Unmarshal(mentions, &r.Mentions); err != nil {
			return struct{}{}, err
		}
		t.ResolvedAt, t.CreatedAt, r.At = db.Time(resolved), db.Time(created), db.Time(at)
		if k := len(list) - 1; k < 0 || list[k].ID != t.ID {
			list = append(list, t)
		}
		list[len(list)-1].Remarks = append(list[len(list)-1].Remarks, r)
		return struct{}{}, nil
	})
	return list, err
}

// move keeps the passage at its words. What is typed at its ends is not part of it.
func (t *Thread) move(step doc.Step) {
	if t.From == t.To {
		t.From = step.Map(t.From, -1)
		t.To = t.From
		return
	}
	t.From, t.To = step.Map(t.From, 1), step.Map(t.To, -1)
	if t.To < t.From {
		t.To = t.From
	}
}

// moveThreads keeps every passage of an edition at its words.
func (s *Store) moveThreads(ctx context.Context, tx *db.Tx, editionID string, steps []doc.Step) error {
	rows, err := tx.QueryContext(ctx, `SELECT id, from_pos, to_pos FROM remark_thread WHERE edition_id = $1`, editionID)
	list, err := db.Rows(rows, err, func(r db.Scanner) (t Thread, err error) { return t, r.Scan(&t.ID, &t.From, &t.To) })
	if err != nil {
		return err
	}
	for _, t := range list {
		was := t
		for _, step := range steps {
			t.move(step)
		}
		if t.From == was.From && t.To == was.To {
			continue
		}
		if _, err := tx.ExecContext(ctx, `UPDATE remark_thread SET from_pos = $2, to_pos = $3 WHERE id = $1`, t.ID, t.From, t.To); err != nil {
			return err
		}
	}
	return nil
}
