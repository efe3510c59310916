// Package copies keeps continuous copies of an SQLite database, so that it can
// be brought back as it was at any time of the last days, and loses at most
// about two seconds when its disk is lost.
//
//	c := copies.New(copies.Config{Path: "newsroom/masthead.db", Store: folder, Log: log})
//	err := c.Start(ctx)
//	…
//	err = c.Stop(ctx)
//
//	done, err := copies.Restore(ctx, folder, at, "restored/masthead.db")
//
// Every start begins a generation. A generation has snapshots, one at its
// beginning and one each day, which are the database's pages as of one moment;
// and segments, each of which has what was committed since the one before it,
// as frames of the write-ahead log (https://sqlite.org/fileformat2.html#walformat).
// To restore is to write a snapshot's pages and then the frames of the segments
// that follow it.
//
// # How no commit escapes
//
// SQLite begins its log anew once all of it stands in the database's file, and
// what has not been copied by then would be missed. A reader prevents that, by
// one of two locks (https://sqlite.org/walformat.html#wal_locks). One that began
// while part of the log was not yet in the file keeps the log from beginning
// anew. One that began when all was in the file lets the log begin anew, but
// lets nothing be moved into the file, so that the log cannot begin anew twice.
// A Copier always holds such a reader, its pin, and lets go of one only when the
// next is held and all that was committed before the next is copied. So the log
// is at most one beginning ahead of the copies, and what it held before that is
// copied. This needs no change to the connections that write, holds for other
// processes as well, and makes no writer wait. That every log follows upon the
// one before is checked all the same by its salts and by the chain of checksums;
// where it does not, a new generation begins, and the log says so.
//
// The database's own file is never opened beside SQLite: closing it would drop
// the locks that this process holds (https://sqlite.org/howtocorrupt.html#posix_close).
// Snapshots are read through the table sqlite_dbpage, inside a transaction.
package copies
