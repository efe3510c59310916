// Package plan is how a newsroom works: the way of a story from pitch to
// publication, what is checked before, who works on it, and until when.
//
// [Moves] is the table of the workflow: from which status to which, and the act
// that a move takes. [Store.Do] makes one, in the caller's transaction:
//
//	done, err := plans.Do(ctx, tx, plan.Order{EditionID: id, Move: "publish", By: ada, MayOverrule: true})
//	if r, ok := errors.AsType[*plan.Refused](err); ok { … r.Checks … }
//
// A move that makes an edition public takes its working copy's newest words, and
// is refused while a [Check] fails: a must always, a warning until it is
// overruled with a reason. What is scheduled is published by [Store.PublishDue]
// at its time, with the words that it was scheduled with; a must that has failed
// by then holds it back.
//
// An [Assignment] gives a story to somebody; [Letter]s tell those concerned.
package plan
