package copies

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"masthead/internal/blob"
)

// beginSnapshot begins to copy the whole database as it is now, beside the
// segments that go on. Then what is too old is forgotten.
func (g *generation) beginSnapshot(ctx context.Context) error {
	conn, err := g.db.Conn(ctx)
	if err != nil {
		return err
	}
	// What is in the last segment may have been seen in the log a moment before
	// readers see it: so the snapshot is followed by that segment again.
	head := snapshotHead{First: max(g.index, 1)}
	if err := hold(ctx, conn); err != nil {
		return errors.Join(err, conn.Close())
	}
	if err := g.look(ctx); err != nil { // what the reader sees is in the segments up to here
		free(conn)
		return errors.Join(err, conn.Close())
	}
	head.At, head.Least = g.at, g.index
	g.beside(ctx, func(ctx context.Context) error {
		err := g.keepSnapshot(ctx, conn, head)
		free(conn)
		if err := errors.Join(err, conn.Close()); err != nil {
			return fmt.Errorf("snapshot: %w", err)
		}
		return prune(ctx, g.Store, g.name, g.Now().Add(-g.Keep))
	})
	return nil
}

// keepSnapshot keeps every page that the reader conn sees.
func (g *generation) keepSnapshot(ctx context.Context, conn *sql.Conn, head snapshotHead) error {
	if err := conn.QueryRowContext(ctx, `PRAGMA page_count`).Scan(&head.Pages); err != nil {
		return err
	}
	if err := conn.QueryRowContext(ctx, `PRAGMA page_size`).Scan(&head.Page); err != nil {
		return err
	}
	return put(ctx, g.Store, snapshotName(g.name, head.At, head.First), head, head.Pages*int64(head.Page), func(w io.Writer) error {
		rows, err := conn.QueryContext(ctx, `SELECT pgno, data FROM sqlite_dbpage`)
		if err != nil {
			return err
		}
		defer rows.Close()
		n, number, page := int64(0), int64(0), sql.RawBytes(nil)
		for rows.Next() {
			if err := rows.Scan(&number, &page); err != nil {
				return err
			}
			if n++; number != n || len(page) != head.Page {
				return fmt.Errorf("page %d came as page %d with %d bytes", n, number, len(page))
			}
			if _, err := w.Write(page); err != nil {
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		if n != head.Pages {
			return fmt.Errorf("%d pages came of %d", n, head.Pages)
		}
		return nil
	})
}

// prune forgets what is not needed to go back to before, or to any time since:
// all that is older than the newest snapshot before it. current is the
// generation that is being written.
func prune(ctx context.Context, store blob.Store, current string, before time.Time) error {
	snapshots, segments, err := list(ctx, store, prefix)
	if err != nil {
		return err
	}
	base := -1
	for i, s := range snapshots {
		if !s.at.After(before) {
			base = i
		}
	}
	// Snapshots go first: one that is there has all segments that follow it.
	first := map[string]int64{} // that a snapshot of the generation needs
	for i, s := range snapshots {
		if i < base {
			if err := store.Delete(ctx, s.name); err != nil {
				return err
			}
			continue
		}
		if _, ok := first[s.generation]; !ok {
			first[s.generation] = s.first
		}
	}
	for _, s := range segments {
		need, ok := first[s.generation]
		if ok && s.last < need || !ok && s.generation != current {
			if err := store.Delete(ctx, s.name); err != nil {
				return err
			}
		}
	}
	return nil
}

// Bounds of a pack.
const (
	packSegments = 600
	packBytes    = 32 << 20
	packSmall    = 1 << 20 // larger segments stay as they are
)

// packed is one segment in a pack.
type packed struct {
	At    int64 `json:"at"` // microseconds since 1970
	Bytes int64 `json:"bytes"`
}

// pack joins the many small segments of a generation, but for its last, so that
// a restore has some hundred things to fetch instead of some ten thousand. A
// pack is kept before what went into it is deleted.
func pack(ctx context.Context, store blob.Store, generation string, last int64) error {
	_, segments, err := list(ctx, store, prefix+generation+"/")
	if err != nil {
		return err
	}
	covered := int64(0)
	var run []object
	size := int64(0)
	flush := func() error {
		defer func() { run, size = nil, 0 }()
		if len(run) < 2 {
			return nil
		}
		return join(ctx, store, run)
	}
	for _, s := range segments {
		if s.last <= covered { // a pack has it: what deletes it was interrupted
			if err := store.Delete(ctx, s.name); err != nil {
				return err
			}
			continue
		}
		covered = s.last
		whole := len(run) == 0 || run[len(run)-1].last+1 == s.first
		if fits := s.kind == "segment" && s.size <= packSmall && s.last < last; !fits || !whole || len(run) == packSegments || size+s.size > packBytes {
			if err := flush(); err != nil {
				return err
			}
			if !fits {
				continue
			}
		}
		run, size = append(run, s), size+s.size
	}
	return flush()
}

func join(ctx context.Context, store blob.Store, run []object) error {
	index := make([]packed, len(run))
	size := int64(0)
	for i, s := range run {
		index[i] = packed{s.at.UnixMicro(), s.size}
		size += s.size
	}
	line, err := json.Marshal(index)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	r, w := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.CloseWithError(func() error {
			if _, err := w.Write(line); err != nil {
				return err
			}
			for _, s := range run {
				in, _, err := store.Open(ctx, s.name)
				if err != nil {
					return err
				}
				n, err := io.Copy(w, in)
				if err == nil && n != s.size {
					err = fmt.Errorf("%s has %d bytes, not %d", s.name, n, s.size)
				}
				if err := errors.Join(err, in.Close()); err != nil {
					return err
				}
			}
			return nil
		}())
	}()
	err = store.Put(ctx, packName(run[0].generation, run[0].first, run[len(run)-1].last, run[0].at), r, size+int64(len(line)), "application/octet-stream")
	r.CloseWithError(errors.New("it was not kept"))
	<-ended
	if err != nil {
		return err
	}
	for _, s := range run {
		if err := store.Delete(ctx, s.name); err != nil {
			return err
		}
	}
	return nil
}
