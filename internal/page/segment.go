package page

import (
	"bufio"
	"bytes"
	"hash/crc32"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

// The first compression shall not keep a reader waiting, the second one has time.
const (
	fast = 1
	best = 9
)

// segment is a run of bytes that is the same for everybody. Its raw bytes are
// not kept: a page then takes a fourth or a fifth of the memory, and the few
// clients that refuse gzip are answered by inflating it.
type segment struct {
	deflate []byte // RFC 1951, ended by a sync flush: it ends on a byte and refers to nothing before it; nil when length is 0
	length  int    // of the raw bytes
	crc     uint32 // CRC-32 (IEEE) of the raw bytes
	shift   uint32 // see shift
}

// body is one compressed form of a page's segments. It never changes; a better
// one takes its place whole, so that a request that has begun keeps its lengths.
type body struct {
	segments []segment
	length   int // raw bytes of all segments
	deflated int // deflated bytes of all segments
}

// deflated compresses each segment on its own at a level of flate.
func deflated(raw [][]byte, level int) (*body, error) {
	b := &body{segments: make([]segment, len(raw))}
	var out bytes.Buffer
	ends := make([]int, len(raw))
	pool := &deflaters[level]
	w, _ := pool.Get().(*flate.Writer)
	if w == nil {
		var err error
		if w, err = flate.NewWriter(nil, level); err != nil {
			return nil, err
		}
	}
	defer func() {
		w.Reset(nil) // lets go of out
		pool.Put(w)
	}()
	for i, r := range raw {
		b.segments[i] = segment{length: len(r), crc: crc32.ChecksumIEEE(r), shift: shift(len(r))}
		b.length += len(r)
		if len(r) > 0 {
			w.Reset(&out)
			if _, err := w.Write(r); err != nil {
				return nil, err
			}
			if err := w.Flush(); err != nil {
				return nil, err
			}
		}
		ends[i] = out.Len()
	}
	all, start := bytes.Clone(out.Bytes()), 0 // without the buffer's slack
	for i, end := range ends {
		if end > start {
			b.segments[i].deflate = all[start:end:end]
		}
		start = end
	}
	b.deflated = len(all)
	return b, nil
}

// raw gives the segments' bytes as they were.
func (b *body) raw() ([][]byte, error) {
	in := inflaters.Get().(*inflater)
	defer in.put()
	all, raw := make([]byte, b.length), make([][]byte, len(b.segments))
	for i, s := range b.segments {
		raw[i], all = all[:s.length:s.length], all[s.length:]
		if err := in.reset(s); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(in.r, raw[i]); err != nil {
			return nil, err
		}
	}
	return raw, nil
}

// inflate writes the segment's raw bytes, reading straight into w's buffer.
func (in *inflater) inflate(w *bufio.Writer, s segment) error {
	if err := in.reset(s); err != nil {
		return err
	}
	for left := s.length; left > 0; {
		if w.Available() == 0 {
			if err := w.Flush(); err != nil {
				return err
			}
		}
		n, err := in.r.Read(w.AvailableBuffer()[:min(left, w.Available())])
		if n == 0 && err != nil {
			return err
		}
		if _, err := w.Write(w.AvailableBuffer()[:n]); err != nil {
			return err
		}
		left -= n
	}
	return nil
}

type inflater struct {
	src bytes.Reader
	r   io.ReadCloser
}

func (in *inflater) reset(s segment) error {
	in.src.Reset(s.deflate)
	return in.r.(flate.Resetter).Reset(&in.src, nil)
}

func (in *inflater) put() {
	in.src.Reset(nil) // lets go of the page
	inflaters.Put(in)
}

// Scratch that is costly to make; it carries nothing from one use to the next.
var (
	deflaters [best + 1]sync.Pool // *flate.Writer by level
	inflaters = sync.Pool{New: func() any {
		in := new(inflater)
		in.r = flate.NewReader(&in.src)
		return in
	}}
)
