// Package plan is what a newsroom means to do: who works on which story, and
// until when.
//
//	own, err := plans.Assigned(ctx, q, storyID, staffID)
package plan
