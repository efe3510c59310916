// Package draft is where the newsroom writes: the working copy of each edition,
// which several people change at once, and their comments on it.
//
// A [Draft] has a version, which is the number of steps that made it. A step comes
// with the version that it was made on, and is taken only when that is the newest;
// whoever comes late is [Stale], gets the steps he missed, and comes again. So the
// database is the authority that prosemirror-collab asks for: one order of
// steps, no gap in it, and nothing overwritten that its writer has not seen.
//
//	d, err := drafts.Open(ctx, tx, editionID)
//	version, err := drafts.Push(ctx, tx, draft.Push{EditionID: editionID, Version: d.Version, Client: "tab1", ID: "p1", StaffID: ada, Steps: steps})
//	if late, ok := errors.AsType[*draft.Stale](err); ok { … late.Steps … }
//
// Headline, kicker and summary are [Field]s, each with a version of its own.
//
// The draft becomes a revision of the story when it is kept ([Store.Keep]): after
// minutes without a change, and when its status changes. Of an edition that has an
// address, readers see none of that before [Store.Release]. Whatever else writes
// an edition (an import, the API) is brought into its draft by [Store.Follow],
// which app adds to story.Store.Changed.
//
// A [Room] tells the people in one draft of one another, on every node.
package draft
