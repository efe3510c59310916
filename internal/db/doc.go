// Package db opens the newsroom's database, SQLite or PostgreSQL, and runs
// one SQL text on both.
//
//	d, err := db.Open(ctx, "newsroom/masthead.db") // or "postgres://…"
//	err = d.InTx(ctx, func(tx *db.Tx) error { return stories.Publish(ctx, tx, id) })
//	story, err := stories.ByPath(ctx, d.Read(), path)
//
// SQL is written once, in the subset both read alike: parameters are $1, $2, …;
// times are UTC microseconds ([Micros], [Time]); IDs are UUIDv7 text ([NewID]);
// lists bind through [In]. Stores take a [Queryer] so that the caller decides
// what belongs to one transaction.
package db
