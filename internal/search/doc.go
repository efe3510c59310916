// Package search finds stories by their words.
//
// Words are folded and stemmed in Go, by the rules of their language, so that
// both databases find the same; SQLite keeps them in FTS5 and PostgreSQL in a
// tsvector. An index knows every word of a story, also of its withheld part:
// it tells which story has them and never shows them. What a page shows of a
// story around the words found is cut from what its reader may read, by
// [Excerpt].
//
//	err := index.Put(ctx, tx, search.Entry{EditionID: e.ID, Lang: "en", Headline: e.Headline, …})
//	found, err := index.Find(ctx, d.Read(), search.Query{Lang: "en", Words: `water treaty "grain fleet"`, Limit: 20})
package search
