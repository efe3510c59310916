// Package job does work later: a letter to send, a story to publish at its
// hour, variants to make.
//
//	type Letter struct{ ReaderID string }
//	func (Letter) Kind() string { return "letter" }
//
//	job.Register(q, func(ctx context.Context, l Letter) error { return send(ctx, l.ReaderID) })
//	err = q.Start(ctx)
//	…
//	err = d.InTx(ctx, func(tx *db.Tx) error {
//		… // what the letter is about
//		return q.Insert(ctx, tx, Letter{ReaderID: id}, job.Opts{})
//	})
//
// A job is inserted in the caller's transaction: when that is committed the job
// will run, and when it is rolled back there never was one. It runs at least
// once; after an error it is tried again, later and later. Since a machine may
// stop between the work and the note that it is done, work must bear being done twice.
//
// The queue is River's, in the newsroom's own database, SQLite or PostgreSQL;
// nothing outside of this package knows that.
package job
