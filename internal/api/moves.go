package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/plan"
	"masthead/internal/staff"
)

// Move says why and when an edition is to move on.
type Move struct {
	Note    string    `json:"note,omitempty" maxLength:"2000" doc:"Why; of a correction: its text, which readers see"`
	Changed string    `json:"changed,omitempty" maxLength:"2000" doc:"Of a correction: what stood there before and stands there now"`
	Words   bool      `json:"words,omitempty" doc:"Of a correction: with what has been written at the desk since"`
	At      time.Time `json:"at,omitzero" doc:"When it is to be published, of schedule"`
	Reason  string    `json:"reason,omitempty" maxLength:"2000" doc:"Why the warnings of the checks are overruled"`
}

type moveInput struct {
	EditionPath
	Body Move
}

// moves are those of the workflow that a program can make.
func moves() []plan.Move {
	var list []plan.Move
	for _, m := range plan.Moves() {
		if m.Act != "" && m.Name != plan.Assign { // which takes somebody to assign it to
			list = append(list, m)
		}
	}
	return list
}

// moveWords tell what each move does.
func moveWords(name string) string {
	return map[string]string{
		"begin": "Begin to write a pitch", "submit": "Send for review", "approve": "Approve", "recall": "Take back from review", "return": "Send back to its writer",
		plan.Publish: "Publish now", plan.Schedule: "Publish at a time", plan.Unschedule: "Take off the schedule",
		plan.Update: "Let readers see what was written at the desk since", plan.Correct: "Publish a correction", plan.Withdraw: "Take back from readers",
		plan.Restore: "Give back to readers", plan.Drop: "Give up before it is published", "reopen": "Take up again what was given up",
	}[name]
}

func (n *Newsroom) moveOperations(h huma.API) {
	for _, m := range moves() {
		about := ""
		switch {
		case m.Checked:
			about = "The checks of publishing are made: 409 names what fails. A warning is overruled with a reason, by a role that may."
		case m.Note:
			about = "It takes a note."
		}
		o := operation{id: m.Name + "-edition", method: "POST", path: "/api/v1/editions/{edition}/" + m.Name, summary: moveWords(m.Name), about: about,
			scope: staff.StoriesPublish, act: m.Act, faults: []int{404}}
		if m.Act == staff.WriteStory || m.Act == staff.SubmitStory {
			o.scope = staff.StoriesWrite
		}
		register(n, h, o, func(ctx context.Context, in *moveInput) (*editionOutput, error) { return n.move(ctx, o, m, in) })
	}
}

func (n *Newsroom) move(ctx context.Context, o operation, m plan.Move, in *moveInput) (out *editionOutput, err error) {
	err = n.change(ctx, func(ctx context.Context, tx *db.Tx, detail map[string]string) (string, error) {
		e, err := n.Stories.EditionByID(ctx, tx, in.Edition)
		if err != nil {
			return "", err
		}
		st, err := n.Stories.ByID(ctx, tx, e.StoryID)
		if err != nil {
			return "", err
		}
		if err := need(ctx, o.scope, m.Act, st); err != nil {
			return "", err
		}
		if in.Body.Words { // they become public with it
			if err := need(ctx, staff.StoriesPublish, staff.PublishStory, st); err != nil {
				return "", err
			}
		}
		if y := in.Body.At.Year(); m.Time && (y < 1970 || y > 9999) {
			return "", fault.New(fault.Invalid, "it takes a time").WithHint("write at, like 2026-11-23T06:00:00Z")
		}
		a := askerOf(ctx)
		order := plan.Order{EditionID: e.ID, Move: m.Name, By: a.token.Person(), Note: in.Body.Note, Changed: in.Body.Changed, Words: in.Body.Words,
			Reason: in.Body.Reason, MayOverrule: a.may(staff.Overrule, st)}
		if m.Time {
			order.At = in.Body.At.UTC().Truncate(time.Microsecond)
		}
		done, err := n.Plans.Do(ctx, tx, order)
		if err != nil {
			return "", err
		}
		detail["move"] = m.Name
		if in.Body.Note != "" {
			detail["note"] = cut(in.Body.Note)
		}
		if m.Time {
			detail["at"] = order.At.Format(time.RFC3339)
		}
		out = n.editionRecord(done.Edition)
		return "edition:" + e.ID, nil
	})
	return out, err
}
