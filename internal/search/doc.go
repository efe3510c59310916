// Package search finds stories by their words.
//
// Words are folded and stemmed in Go, by the rules of their language, so that
// both databases find the same; SQLite keeps them in FTS5 and PostgreSQL in
// tsvectors. An index knows every word of a story, also of its withheld part:
// it tells which story has them and never shows them. What a page shows of a
// story around the words found is cut from what its reader may read, by
// [Text.Excerpt].
//
// The work of a search has bounds, however many stories there are: entries are
// numbered so that the newest are read first, and reading stops when there are
// enough. Stories that have the words in their headline come first, then those
// that have them in headline and summary, then all others; of each kind the
// newest first. Where more match than are looked at, [Found.More] says so.
//
//	err := index.Put(ctx, tx, search.Entry{EditionID: e.ID, Lang: "en", PublishedAt: e.PublishedAt, Headline: e.Headline, …})
//	found, err := index.Find(ctx, d.Read(), search.Query{Lang: "en", Words: `water treaty "grain fleet"`, Limit: 20})
package search
