package plan

import (
	"slices"

	"masthead/internal/staff"
	"masthead/internal/story"
)

// Move is one step of the workflow.
type Move struct {
	Name    string
	From    []story.Status
	To      story.Status
	Act     staff.Act // what it takes; "" for the program alone
	Was     Was       // whether readers have seen the edition before
	Note    bool      // it needs a note: a reason, or a correction's text
	Time    bool      // it needs a time
	Checked bool      // it is refused while a check fails
	Words   bool      // it makes the working copy's words the edition's
}

// Was tells what has been of an edition that may move.
type Was int

// What may have been.
const (
	Anything  Was = iota
	Never         // never published
	Published     // published once
)

// The names of moves that mean something besides the change of status.
const (
	Assign     = "assign"
	Schedule   = "schedule"
	Unschedule = "unschedule"
	Publish    = "publish"
	Due        = "due"
	Hold       = "hold"
	Update     = "update"
	Correct    = "correct"
	Withdraw   = "withdraw"
	Restore    = "restore"
	Drop       = "drop"
)

// Moves is the workflow: pitch → assigned → draft → review → approved →
// scheduled → published → withdrawn, and the ways back. A story that is
// published stays so when it is updated or corrected.
func Moves() []Move {
	on := func(all ...story.Status) []story.Status { return all }
	return []Move{
		{Name: "begin", From: on(story.Pitch, story.Assigned), To: story.Draft, Act: staff.WriteStory},
		{Name: "submit", From: on(story.Draft), To: story.Review, Act: staff.SubmitStory},
		{Name: "approve", From: on(story.Draft, story.Review), To: story.Approved, Act: staff.ApproveStory},
		{Name: "recall", From: on(story.Review), To: story.Draft, Act: staff.SubmitStory},
		{Name: "return", From: on(story.Review, story.Approved), To: story.Draft, Act: staff.ApproveStory, Note: true},
		{Name: Publish, From: on(story.Approved, story.Scheduled), To: story.Published, Act: staff.PublishStory, Checked: true, Words: true},
		{Name: Schedule, From: on(story.Approved, story.Scheduled), To: story.Scheduled, Act: staff.PublishStory, Time: true, Checked: true, Words: true},
		{Name: Unschedule, From: on(story.Scheduled), To: story.Approved, Act: staff.PublishStory},
		{Name: Update, From: on(story.Published), To: story.Published, Act: staff.PublishStory, Checked: true, Words: true},
		{Name: Correct, From: on(story.Published), To: story.Published, Act: staff.CorrectStory, Note: true},
		{Name: Withdraw, From: on(story.Published), To: story.Withdrawn, Act: staff.Withdraw, Note: true},
		{Name: Restore, From: on(story.Withdrawn), To: story.Published, Act: staff.Withdraw, Was: Published, Checked: true},
		{Name: Assign, From: on(story.Pitch), To: story.Assigned, Act: staff.AssignStory},
		{Name: Drop, From: on(story.Pitch, story.Assigned, story.Draft, story.Review), To: story.Withdrawn, Act: staff.AssignStory, Note: true},
		{Name: "reopen", From: on(story.Withdrawn), To: story.Draft, Act: staff.AssignStory, Was: Never},
		{Name: Due, From: on(story.Scheduled), To: story.Published, Checked: true},
		{Name: Hold, From: on(story.Scheduled), To: story.Approved, Note: true},
	}
}

// MoveByName gives a move of the table.
func MoveByName(name string) (Move, bool) {
	all := Moves()
	i := slices.IndexFunc(all, func(m Move) bool { return m.Name == name })
	if i < 0 {
		return Move{}, false
	}
	return all[i], true
}

// Can reports whether an edition may make the move, whoever asks.
func (m Move) Can(e story.Edition) bool {
	seen := e.Path != "" && !e.PublishedAt.IsZero()
	return slices.Contains(m.From, e.Status) && (m.Was == Anything || (m.Was == Published) == seen)
}
