package page

import (
	"bufio"
	"encoding/binary"
	"hash/crc32"
	"sync"
)

// A gzip member (RFC 1952 §2.3): the header without time, name or system, and
// around the pieces a last empty block with fixed codes (RFC 1951 §3.2.6), CRC
// and size.
const (
	memberHeader = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
	memberEnd    = "\x03\x00"
	memberFrame  = len(memberHeader) + len(memberEnd) + 8
)

// A stored block (RFC 1951 §3.2.4) begins with five bytes when it begins on a
// byte, as everything does here.
const (
	storedHeader = 5
	storedMax    = 65535
)

// gzipLength tells how long the member will be.
func (b *body) gzipLength(fill [][]byte) int {
	n := memberFrame + b.deflated
	for _, hole := range fill {
		n += len(hole) + (len(hole)+storedMax-1)/storedMax*storedHeader
	}
	return n
}

// plainLength tells how long the page will be without compression.
func (b *body) plainLength(fill [][]byte) int {
	n := b.length
	for _, hole := range fill {
		n += len(hole)
	}
	return n
}

// gzip writes the page as one gzip member. fill has the content of each hole in
// the page's order. Holes are stored, not compressed: sharing no window and no
// codes with anything, their lengths tell nothing of what stands beside them
// (the BREACH attack). An error is the writer's, and sticks to it.
func (b *body) gzip(w *bufio.Writer, fill [][]byte) {
	w.WriteString(memberHeader)
	var crc, size uint32
	for i := range b.segments {
		s := &b.segments[i]
		w.Write(s.deflate)
		crc = multiply(s.shift, crc) ^ s.crc
		size += uint32(s.length)
		if i == len(fill) {
			break
		}
		hole := fill[i]
		crc = crc32.Update(crc, crc32.IEEETable, hole)
		size += uint32(len(hole))
		for len(hole) > 0 {
			n := min(len(hole), storedMax)
			w.Write(append(w.AvailableBuffer(), 0, byte(n), byte(n>>8), ^byte(n), ^byte(n>>8)))
			w.Write(hole[:n])
			hole = hole[n:]
		}
	}
	w.WriteString(memberEnd)
	end := binary.LittleEndian.AppendUint32(w.AvailableBuffer(), crc)
	w.Write(binary.LittleEndian.AppendUint32(end, size))
}

// plain writes the page without compression.
func (b *body) plain(w *bufio.Writer, fill [][]byte) error {
	in := inflaters.Get().(*inflater)
	defer in.put()
	for i, s := range b.segments {
		if err := in.inflate(w, s); err != nil {
			return err
		}
		if i < len(fill) {
			w.Write(fill[i])
		}
	}
	return w.Flush()
}

// The CRC-32 of A followed by B is that of A multiplied by x^(8·len(B)), plus
// that of B, in polynomials over GF(2) modulo the one of IEEE 802.3. Bits are
// reflected: the highest is x^0. (This is zlib's crc32_combine.)
const polynomial = 0xedb88320

// shift gives x^(8n): what a CRC is to be multiplied by when n bytes follow.
func shift(n int) uint32 {
	result, power := uint32(1)<<31, uint32(1)<<23
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			result = multiply(result, power)
		}
		power = multiply(power, power)
	}
	return result
}

func multiply(a, b uint32) (product uint32) {
	for range 32 {
		product ^= b & -(a >> 31)
		a <<= 1
		b = b>>1 ^ polynomial&-(b&1)
	}
	return product
}

// writers gather the pieces of an answer, so that it leaves in few large
// writes. Their buffers carry nothing from one use to the next.
var writers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 32<<10) }}
