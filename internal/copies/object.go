package copies

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/klauspost/compress/zstd"

	"masthead/internal/blob"
	"masthead/internal/fault"
)

// What is kept, by name. Names tell enough that a list finds what a restore
// needs; times are microseconds since 1970.
//
//	generations/g1795440000000000-ab12cd/snapshot-1795440000123456-0000000001
//	generations/g1795440000000000-ab12cd/segment-0000000001-1795440001000000
//	generations/g1795440000000000-ab12cd/pack-0000000001-0000000512-1795440001000000
//
// Each is compressed with Zstandard (RFC 8878) and has a line of JSON, the bytes
// and their SHA-256. A pack is segments as they were, one after the other,
// behind a line that lists them.
const prefix = "generations/"

var names = regexp.MustCompile(`^generations/(g\d{16}-[0-9a-z]+)/(?:(snapshot)-(\d{16})-(\d{10})|(segment)-(\d{10})-(\d{16})|(pack)-(\d{10})-(\d{10})-(\d{16}))$`)

func snapshotName(generation string, at time.Time, first int64) string {
	return fmt.Sprintf("%s%s/snapshot-%016d-%010d", prefix, generation, at.UnixMicro(), first)
}

func segmentName(generation string, index int64, at time.Time) string {
	return fmt.Sprintf("%s%s/segment-%010d-%016d", prefix, generation, index, at.UnixMicro())
}

func packName(generation string, first, last int64, at time.Time) string {
	return fmt.Sprintf("%s%s/pack-%010d-%010d-%016d", prefix, generation, first, last, at.UnixMicro())
}

// object is one that is kept.
type object struct {
	name        string
	size        int64
	generation  string
	kind        string    // snapshot, segment, pack
	at          time.Time // of a pack's first segment
	first, last int64     // segments; of a snapshot the first that follows it
}

func parseName(info blob.Info) (o object, ok bool) {
	m := names.FindStringSubmatch(info.Name)
	if m == nil {
		return o, false
	}
	number := func(i int) int64 { n, _ := strconv.ParseInt(m[i], 10, 64); return n }
	o = object{name: info.Name, size: info.Size, generation: m[1], kind: m[2] + m[5] + m[8]}
	micros := int64(0)
	switch o.kind {
	case "snapshot":
		micros, o.first = number(3), number(4)
	case "segment":
		o.first, micros = number(6), number(7)
		o.last = o.first
	case "pack":
		o.first, o.last, micros = number(9), number(10), number(11)
	}
	o.at = time.UnixMicro(micros).UTC()
	return o, true
}

// list gives all that is kept below a prefix: snapshots by time; segments and
// packs by number, a pack before what went into it. One number may stand twice:
// a segment whose keeping failed, as it seemed, and the later one that took its
// place and has all of it. The later one is before the other.
func list(ctx context.Context, store blob.Store, below string) (snapshots, segments []object, err error) {
	for info, err := range store.List(ctx, below) {
		if err != nil {
			return nil, nil, err
		}
		o, ok := parseName(info)
		if ok && o.kind == "snapshot" {
			snapshots = append(snapshots, o)
		} else if ok {
			segments = append(segments, o)
		}
	}
	slices.SortFunc(snapshots, func(a, b object) int { return a.at.Compare(b.at) })
	slices.SortFunc(segments, func(a, b object) int {
		return cmp.Or(cmp.Compare(a.generation, b.generation), cmp.Compare(a.first, b.first), cmp.Compare(b.last, a.last), b.at.Compare(a.at))
	})
	return snapshots, segments, nil
}

// snapshotHead is the first line of a snapshot; its pages follow in their order.
type snapshotHead struct {
	At    time.Time `json:"at"`
	First int64     `json:"first"` // the first segment that follows
	Least int64     `json:"least"` // the segment without which it is no whole database; below First for none
	Page  int       `json:"page"`  // bytes
	Pages int64     `json:"pages"`
}

// segmentHead is the first line of a segment; frames follow as they stand in the log.
type segmentHead struct {
	Index int64     `json:"index"` // from 1, in its generation
	At    time.Time `json:"at"`    // when the log was read: all of it was committed before
	From  int64     `json:"from"`  // its first and its last frame in the log
	To    int64     `json:"to"`
	Sum   checksum  `json:"sum"` // of the log before its first frame
	epoch
}

// small is what is compressed in memory before it is kept, in bytes of what body
// writes: a bucket wants to know the size.
const small = 4 << 20

// put keeps head and what body writes, which is about size bytes.
func put(ctx context.Context, store blob.Store, name string, head any, size int64, body func(w io.Writer) error) error {
	const mime = "application/zstd"
	if size <= small {
		var b bytes.Buffer
		if err := write(&b, head, body); err != nil {
			return err
		}
		return store.Put(ctx, name, &b, int64(b.Len()), mime)
	}
	r, w := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.CloseWithError(write(w, head, body))
	}()
	err := store.Put(ctx, name, r, -1, mime)
	r.CloseWithError(errors.New("it was not kept"))
	<-ended
	return err
}

// write compresses head, what body writes, and the SHA-256 of both.
func write(w io.Writer, head any, body func(w io.Writer) error) error {
	line, err := json.Marshal(head)
	if err != nil {
		return err
	}
	z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		return err
	}
	sum := sha256.New()
	both := bufio.NewWriterSize(io.MultiWriter(z, sum), 64<<10)
	both.Write(append(line, '\n'))
	if err := cmp.Or(body(both), both.Flush()); err != nil {
		return err // what was begun is thrown away with its destination
	}
	if _, err := z.Write(sum.Sum(nil)); err != nil {
		return err
	}
	return z.Close()
}

// opened is an object that is being read.
type opened struct {
	in  *bufio.Reader
	z   *zstd.Decoder
	sum hash.Hash
}

// maxHead is the most bytes of a first line.
const maxHead = 4 << 10

// open begins to read what put has kept.
func open(r io.Reader, head any) (*opened, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20))
	if err != nil {
		return nil, err
	}
	o := &opened{in: bufio.NewReaderSize(z, 64<<10), z: z, sum: sha256.New()}
	line, err := o.in.ReadSlice('\n')
	if err == nil && len(line) > maxHead {
		err = errors.New("its first line is too long")
	}
	if err == nil {
		o.sum.Write(line)
		err = json.Unmarshal(bytes.TrimSpace(line), head)
	}
	if err != nil {
		z.Close()
		return nil, damaged(err)
	}
	return o, nil
}

// next fills b.
func (o *opened) next(b []byte) error {
	if _, err := io.ReadFull(o.in, b); err != nil {
		return damaged(err)
	}
	o.sum.Write(b)
	return nil
}

// end compares the hash, and closes.
func (o *opened) end() error {
	defer o.z.Close()
	var told [sha256.Size + 1]byte
	n, err := io.ReadFull(o.in, told[:])
	if n != sha256.Size || !errors.Is(err, io.ErrUnexpectedEOF) || !bytes.Equal(told[:n], o.sum.Sum(nil)) {
		return damaged(errors.New("the bytes are not those that were kept"))
	}
	return nil
}

func damaged(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it ends too early")
	}
	return fault.New(fault.Invalid, "it is damaged: "+err.Error())
}
