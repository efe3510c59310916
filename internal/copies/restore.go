package copies

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"masthead/internal/blob"
	"masthead/internal/fault"
)

// Restored tells what was brought back.
type Restored struct {
	At       time.Time `json:"at"`       // everything committed up to here is in it
	Snapshot time.Time `json:"snapshot"` // the time of the snapshot that it stands on
	Segments int       `json:"segments"` // that followed it
}

// Any reports whether the store has copies.
func Any(ctx context.Context, store blob.Store) (bool, error) {
	for info, err := range store.List(ctx, prefix) {
		if err != nil {
			return false, fmt.Errorf("copies.Any: %w", err)
		}
		if _, ok := parseName(info); ok {
			return true, nil
		}
	}
	return false, nil
}

// Restore writes into file, which must not be there, the database as it was at
// the time at, or as it was last copied where at is the zero Time. A time before
// all copies is fault.NotFound. Copies of which something is missing or
// damaged are fault.Invalid: the fault names it, and its hint the latest time
// that can be brought back. What fails leaves no file behind.
func Restore(ctx context.Context, store blob.Store, at time.Time, file string) (Restored, error) {
	done, err := restore(ctx, store, at, file)
	if err != nil {
		return done, fmt.Errorf("copies.Restore(%s): %w", file, err)
	}
	return done, nil
}

func restore(ctx context.Context, store blob.Store, at time.Time, file string) (done Restored, err error) {
	snapshots, segments, err := list(ctx, store, prefix)
	if err != nil {
		return done, err
	}
	if len(snapshots) == 0 {
		return done, fault.New(fault.NotFound, "there is no copy of a database").WithHint("the first is there some seconds after masthead serve began with the setting copies")
	}
	var base object
	for _, s := range snapshots {
		if at.IsZero() || !s.at.After(at) {
			base = s
		}
	}
	if base.name == "" {
		return done, fault.New(fault.NotFound, "the copies begin later", "first", stamp(snapshots[0].at)).WithHint("give a time from %s on", stamp(snapshots[0].at))
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return done, err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(file)
		}
	}()
	w := &writing{ctx: ctx, store: store, until: at, f: f}
	if err := w.snapshot(base); err != nil {
		return done, named(base.name, err, "give a time before %s, which stands on another snapshot", stamp(base.at))
	}
	w.done.At, w.done.Snapshot = base.at, base.at
	for _, s := range segments {
		if s.generation != base.generation || s.last < w.next {
			continue
		}
		if !at.IsZero() && s.at.After(at) {
			continue // or an earlier one of the same number
		}
		if err := w.object(s); err != nil {
			if ctx.Err() != nil {
				return done, ctx.Err()
			}
			return w.done, named(s.name, err, "the latest time before it is %s", stamp(w.done.At))
		}
	}
	if w.next <= w.least {
		return done, named(base.name, missing(w.next), "give a time before %s, which stands on another snapshot", stamp(base.at))
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return done, err
	}
	return w.done, nil
}

// stamp writes a time so that it can be given to --at.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

// named tells of which object a fault is; a store that does not answer needs no hint.
func named(name string, err error, hint string, args ...any) error {
	if kind := fault.KindOf(err); kind != fault.Invalid && kind != fault.NotFound {
		return fmt.Errorf("%s: %w", name, err)
	}
	return fault.New(fault.Invalid, name+": "+fault.Message(err)).WithHint(hint, args...)
}

func missing(number int64) error {
	return fault.New(fault.Invalid, fmt.Sprintf("segment %d is missing", number))
}

// writing is one restore under way.
type writing struct {
	ctx   context.Context
	store blob.Store
	until time.Time
	f     *os.File
	next  int64 // the segment that must come now
	least int64 // the segment that must come at least
	done  Restored

	page  int
	last  segmentHead // of the segment that came last; Index 0 for none
	after checksum    // of the log behind it
}

func (w *writing) snapshot(o object) error {
	in, _, err := w.store.Open(w.ctx, o.name)
	if err != nil {
		return err
	}
	defer in.Close()
	var head snapshotHead
	r, err := open(in, &head)
	if err != nil {
		return err
	}
	if head.Page < 512 || head.Page > 65536 || head.First != o.first || !head.At.Equal(o.at) {
		return damaged(errors.New("its first line is not of its name"))
	}
	out := bufio.NewWriterSize(w.f, 256<<10)
	page := make([]byte, head.Page)
	for range head.Pages {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		if err := r.next(page); err != nil {
			return err
		}
		if _, err := out.Write(page); err != nil {
			return err
		}
	}
	w.page, w.next, w.least = head.Page, head.First, head.Least
	return errors.Join(r.end(), out.Flush())
}

// object writes a segment, or those of a pack that come now.
func (w *writing) object(o object) error {
	in, _, err := w.store.Open(w.ctx, o.name)
	if err != nil {
		return err
	}
	defer in.Close()
	if o.kind == "segment" {
		return w.segment(in, o.first, o.at)
	}
	lines := bufio.NewReader(in)
	line, err := lines.ReadBytes('\n')
	var index []packed
	if err == nil {
		err = json.Unmarshal(line, &index)
	}
	if err == nil && int64(len(index)) != o.last-o.first+1 {
		err = errors.New("its list is not of its name")
	}
	if err != nil {
		return damaged(err)
	}
	for i, p := range index {
		number, at := o.first+int64(i), time.UnixMicro(p.At).UTC()
		part := io.LimitReader(lines, p.Bytes)
		if number < w.next {
			if _, err := io.Copy(io.Discard, part); err != nil {
				return err
			}
			continue
		}
		if !w.until.IsZero() && at.After(w.until) {
			return nil
		}
		if err := w.segment(part, number, at); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, part); err != nil {
			return err
		}
	}
	return nil
}

// segment writes the pages of one segment to their places. All of it is read
// and found good before any is written.
func (w *writing) segment(in io.Reader, number int64, at time.Time) error {
	if number != w.next {
		return missing(w.next)
	}
	var head segmentHead
	r, err := open(in, &head)
	if err != nil {
		return err
	}
	if head.Index != number || !head.At.Equal(at) || head.Page != w.page || head.To < head.From {
		return damaged(errors.New("its first line is not of its name"))
	}
	if l := w.last; l.Index > 0 {
		same := head.epoch == l.epoch && head.From == l.To+1 && head.Sum == w.after
		anew := head.Salt1 == l.Salt1+1 && head.From == 1
		if !same && !anew {
			return fault.New(fault.Invalid, fmt.Sprintf("segment %d does not follow upon the one before it", number))
		}
	}
	spool, err := os.CreateTemp("", "masthead-segment-")
	if err != nil {
		return err
	}
	defer os.Remove(spool.Name())
	defer spool.Close()
	out := bufio.NewWriterSize(spool, 256<<10)
	b, sum, commit := make([]byte, head.frame()), head.Sum, uint32(0)
	for n := head.From; n <= head.To; n++ {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		if err := r.next(b); err != nil {
			return err
		}
		f, ok := head.parse(b, sum)
		if !ok {
			return damaged(fmt.Errorf("frame %d does not follow upon the one before it", n))
		}
		sum, commit = f.sum, f.commit
		if _, err := out.Write(b); err != nil {
			return err
		}
	}
	if err := r.end(); err != nil {
		return err
	}
	if commit == 0 {
		return damaged(errors.New("it ends within a transaction"))
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if _, err := spool.Seek(0, io.SeekStart); err != nil {
		return err
	}
	back := bufio.NewReaderSize(spool, 256<<10)
	for range head.To - head.From + 1 {
		if _, err := io.ReadFull(back, b); err != nil {
			return err
		}
		number := int64(uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3]))
		if _, err := w.f.WriteAt(b[frameHeaderSize:], (number-1)*int64(w.page)); err != nil {
			return err
		}
	}
	if err := w.f.Truncate(int64(commit) * int64(w.page)); err != nil {
		return err
	}
	w.last, w.after, w.next = head, sum, number+1
	w.done.At = head.At
	w.done.Segments++
	return nil
}
