// Package relay tells every node what has changed, the one that changed it
// included, so that caches are dropped.
//
//	r := relay.New(d, log)
//	r.On(func(tags []string) { pages.Invalidate(tags...) })
//	err := r.Start(ctx) // before the first page is cached
//	defer r.Stop()
//	…
//	err = d.InTx(ctx, func(tx *db.Tx) error {
//		… // publish the story
//		return relay.Tell(ctx, tx, "story:"+id, "section:"+section)
//	})
//	r.Committed(ctx) // this node's next page is fresh; the others hear of it within milliseconds
//
// A change is told in the transaction that makes it: committed, every node hears
// of it, each at least once; rolled back, nobody does. Changes told one after
// another are heard in that order. Those of transactions that ran beside each
// other are heard as they are committed; none is lost because it came late.
//
// On PostgreSQL a node hears at the commit, by a connection that listens; it also
// looks once a second, so that a notification or a connection that is lost costs
// no more than two seconds. On SQLite it looks five times a second, since the
// command line may write into the file that is served. [Relay.Stale] tells how
// old a node's knowledge is, so that whoever withholds something can be careful
// while the database is away.
package relay
