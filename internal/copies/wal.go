package copies

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// The write-ahead log's form (https://sqlite.org/fileformat2.html#walformat):
// a header, then frames of a small header and one page each. The checksum of
// each frame goes on from the one before it.
const (
	walHeaderSize   = 32
	frameHeaderSize = 24
	walMagic        = 0x377f0682 // checksums of little-endian words; +1 for big-endian ones
	walVersion      = 3007000
)

// epoch is one log, from its beginning to where SQLite begins it anew.
type epoch struct {
	Salt1 uint32 `json:"salt1"` // one more in each log than in the one before it
	Salt2 uint32 `json:"salt2"` // random
	Page  int    `json:"page"`  // bytes
	Big   bool   `json:"big"`   // the checksums are of big-endian words
}

func (e epoch) frame() int64 { return frameHeaderSize + int64(e.Page) }

// offset tells where the frame stands in the file; frames are counted from 1.
func (e epoch) offset(frame int64) int64 { return walHeaderSize + (frame-1)*e.frame() }

// checksum is the log's running checksum.
type checksum [2]uint32

// add goes on over b, which has a multiple of eight bytes.
func (s checksum) add(b []byte, big bool) checksum {
	var order binary.ByteOrder = binary.LittleEndian
	if big {
		order = binary.BigEndian
	}
	for ; len(b) >= 8; b = b[8:] {
		s[0] += order.Uint32(b) + s[1]
		s[1] += order.Uint32(b[4:]) + s[0]
	}
	return s
}

// readEpoch reads the header of a log. One that is not there, or not whole, is
// no log: ok is false.
func readEpoch(r io.ReaderAt) (e epoch, seed checksum, ok bool, err error) {
	var b [walHeaderSize]byte
	if n, err := r.ReadAt(b[:], 0); n < len(b) {
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return e, seed, false, err
	}
	word := func(i int) uint32 { return binary.BigEndian.Uint32(b[i:]) }
	e = epoch{Salt1: word(16), Salt2: word(20), Page: int(word(8)), Big: word(0) == walMagic+1}
	seed = checksum{}.add(b[:24], e.Big)
	ok = word(0)&^1 == walMagic && word(4) == walVersion && seed == checksum{word(24), word(28)} &&
		e.Page >= 512 && e.Page <= 65536 && e.Page&(e.Page-1) == 0
	return e, seed, ok, nil
}

// frame is one frame of a log.
type frame struct {
	page   uint32 // counted from 1
	commit uint32 // the database's pages after the commit that this frame ends; 0 within one
	sum    checksum
}

// parse reads a frame that is to follow upon sum; ok is false where it does not.
func (e epoch) parse(b []byte, sum checksum) (f frame, ok bool) {
	word := func(i int) uint32 { return binary.BigEndian.Uint32(b[i:]) }
	f = frame{page: word(0), commit: word(4), sum: sum.add(b[:8], e.Big).add(b[frameHeaderSize:], e.Big)}
	return f, f.page > 0 && word(8) == e.Salt1 && word(12) == e.Salt2 && f.sum == checksum{word(16), word(20)}
}

// scan finds the last commit behind the frame numbered after, whose checksum is
// sum. It gives after itself where there is none. What follows the last commit
// is a transaction under way, or a former log's.
func (e epoch) scan(r io.ReaderAt, after int64, sum checksum) (last int64, at checksum, err error) {
	in := bufio.NewReaderSize(io.NewSectionReader(r, e.offset(after+1), 1<<62), 256<<10)
	b := make([]byte, e.frame())
	last, at = after, sum
	for n := after + 1; ; n++ {
		if _, err := io.ReadFull(in, b); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = nil
			}
			return last, at, err
		}
		f, ok := e.parse(b, sum)
		if !ok {
			return last, at, nil
		}
		sum = f.sum
		if f.commit > 0 {
			last, at = n, sum
		}
	}
}

// stands reports whether the frame that was copied last is still the log's.
func (e epoch) stands(r io.ReaderAt, n int64, sum checksum) (bool, error) {
	if n == 0 {
		return true, nil
	}
	var b [frameHeaderSize]byte
	if got, err := r.ReadAt(b[:], e.offset(n)); got < len(b) {
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return false, err
	}
	word := func(i int) uint32 { return binary.BigEndian.Uint32(b[i:]) }
	return word(8) == e.Salt1 && word(12) == e.Salt2 && sum == checksum{word(16), word(20)}, nil
}
