package relay

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"masthead/internal/db"
)

// All is the tag that stands for every other: whoever hears it drops all he has.
// A node hears it by itself when it cannot know what it missed: when it was away
// for too long, or the database is not the one that it was.
const All = "all"

// kept is how long a change can be read. A node that was away for half of it
// takes everything as changed: the other half is for clocks that differ.
const kept = time.Hour

// Tell tells every node, once tx is committed, that whatever bears one of these
// tags has changed: "story:ID", "section:ID", "reader:ID", "wall", "site", [All].
// A tag is visible ASCII without spaces. No tags tell nothing.
//
// What changes thousands of things at once tells a tag that stands for them, not
// thousands of tags. A change is kept for an hour from when it was told, so a
// transaction that stays open for longer tells at its end.
func Tell(ctx context.Context, tx db.Queryer, tags ...string) error {
	if len(tags) == 0 {
		return nil
	}
	for _, tag := range tags {
		if tag == "" || strings.ContainsFunc(tag, func(c rune) bool { return c <= ' ' || c > '~' }) {
			return fmt.Errorf("relay.Tell: %q is no tag", tag)
		}
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO change (tags, at) VALUES ($1, $2)`, strings.Join(tags, " "), db.Micros(time.Now()))
	if err != nil {
		return fmt.Errorf("relay.Tell(%s): %w", strings.Join(tags, " "), err)
	}
	return nil
}

// Prune deletes what was told more than an hour ago. One node does it, now and then.
func (r *Relay) Prune(ctx context.Context, tx *db.Tx) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM change WHERE at < $1`, db.Micros(r.Now().Add(-kept))); err != nil {
		return fmt.Errorf("relay.Prune: %w", err)
	}
	return nil
}

// Both queries give one row for each change that was committed since position $1,
// in the order of telling, or a single row without a change: the position now,
// whether $1 is of another database than this (then changes may be missing, or
// seen that were lost), and the tags. For NULL they give the position alone.
//
// On SQLite transactions follow one another, and the last number tells it all.
//
// On PostgreSQL a lower number may be committed after a higher one. So the
// position is a snapshot: which transactions had ended. What is visible now (to
// this very statement, whose snapshot pg_current_snapshot gives) and was not
// visible then is new: exactly, whatever the order, without waiting or locking.
// Transactions are numbered anew by a server that took over or was restored, and
// a crashed one may have lost the last of them, so a snapshot holds for one start
// of a server. (xid8 never wraps around.)
var since = map[db.Dialect]string{
	db.SQLite: `
		SELECT CAST(n.seq AS TEXT), COALESCE(n.seq < CAST($1 AS INTEGER), FALSE), c.tags
		FROM (SELECT COALESCE(MAX(seq), 0) AS seq FROM sqlite_sequence WHERE name = 'change') n
		LEFT JOIN change c ON c.seq > CAST($1 AS INTEGER)
		ORDER BY c.seq`,
	db.PostgreSQL: `
		WITH before AS (
			SELECT split_part(CAST($1 AS TEXT), ' ', 1) AS server, CAST(split_part(CAST($1 AS TEXT), ' ', 2) AS pg_snapshot) AS snapshot
		), now AS (
			SELECT CAST(EXTRACT(EPOCH FROM pg_postmaster_start_time()) AS TEXT) AS server, pg_current_snapshot() AS snapshot
		)
		SELECT now.server || ' ' || CAST(now.snapshot AS TEXT), COALESCE(now.server <> before.server, FALSE), c.tags
		FROM before CROSS JOIN now LEFT JOIN change c ON c.xact >= pg_snapshot_xmin(before.snapshot)
			AND NOT pg_visible_in_snapshot(c.xact, before.snapshot) AND c.xact < pg_snapshot_xmax(now.snapshot)
		ORDER BY c.seq`,
}

// changes reads what was committed since position, in order, and where that
// leads. lost tells that the position says nothing about this database.
func (r *Relay) changes(ctx context.Context, q db.Queryer, position sql.NullString) (next sql.NullString, lost bool, changes [][]string, err error) {
	rows, err := q.QueryContext(ctx, since[r.db.Dialect], position)
	_, err = db.Rows(rows, err, func(s db.Scanner) (struct{}, error) {
		var tags sql.NullString
		err := s.Scan(&next, &lost, &tags)
		if tags.Valid {
			changes = append(changes, strings.Fields(tags.String))
		}
		return struct{}{}, err
	})
	return next, lost, changes, err
}
