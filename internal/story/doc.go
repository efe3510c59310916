// Package story keeps what the newsroom publishes: stories, their editions by
// language, revisions, sections, topics, authors, corrections and addresses.
//
// A [Story] is one piece of reporting; what is said in it stands in its
// [Edition]s, one for each language. A change of an edition's words adds a
// [Revision], and none is ever removed. Publishing gives an edition its
// address, and an address that was ever public answers for ever: it redirects.
//
//	id, err := stories.Save(ctx, tx, story.Draft{…})
//	err = stories.Publish(ctx, tx, editionID)
//	e, err := stories.ByPath(ctx, d.Read(), "/2026/11/the-dredgers-return/")
//
// Everything that must follow a change (the search index, caches) is told by
// [Store.Changed] inside the same transaction.
package story
