package copies

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"masthead/internal/fault"
)

// madeLog gives a log of three frames and two commits, and a segment with all of it.
func madeLog(t *testing.F) (log, segment []byte) {
	t.Helper()
	seed := epoch{Salt1: 1, Salt2: 2, Page: 512}
	page := bytes.Repeat([]byte("page"), 128)
	log = make([]byte, walHeaderSize)
	copy(log, []byte{0x37, 0x7f, 0x06, 0x82, 0, 0x2d, 0xe2, 0x18, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2})
	sum := checksum{}.add(log[:24], false)
	first := sum
	word := func(b []byte, v uint32) { b[0], b[1], b[2], b[3] = byte(v>>24), byte(v>>16), byte(v>>8), byte(v) }
	word(log[24:], sum[0])
	word(log[28:], sum[1])
	for n := range uint32(3) {
		b := make([]byte, frameHeaderSize)
		word(b, n+1)
		word(b[4:], n) // the first frame ends no transaction
		word(b[8:], 1)
		word(b[12:], 2)
		sum = sum.add(b[:8], false).add(page, false)
		word(b[16:], sum[0])
		word(b[20:], sum[1])
		log = append(append(log, b...), page...)
	}
	var out bytes.Buffer
	must(t, write(&out, segmentHead{Index: 1, At: time.UnixMicro(1).UTC(), From: 1, To: 3, Sum: first, epoch: seed}, func(w io.Writer) error {
		_, err := w.Write(log[walHeaderSize:])
		return err
	}))
	return log, out.Bytes()
}

func FuzzLog(f *testing.F) {
	log, _ := madeLog(f)
	e, seed, ok, err := readEpoch(bytes.NewReader(log))
	if !ok || err != nil {
		f.Fatalf("the log's header: %t, %v", ok, err)
	}
	if last, _, err := e.scan(bytes.NewReader(log), 0, seed); last != 3 || err != nil {
		f.Fatalf("frame %d, %v", last, err)
	}
	f.Add(log)
	f.Add(log[:len(log)-1])
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		e, seed, ok, err := readEpoch(r)
		if err != nil || !ok {
			return
		}
		last, sum, err := e.scan(r, 0, seed)
		if err != nil || last > 0 && e.offset(last+1) > int64(len(b)) {
			t.Fatalf("frame %d of %d bytes, %v", last, len(b), err)
		}
		if stands, err := e.stands(r, last, sum); !stands || err != nil {
			t.Fatalf("frame %d does not stand: %v", last, err)
		}
	})
}

func FuzzSegment(f *testing.F) {
	_, segment := madeLog(f)
	file := filepath.Join(f.TempDir(), "x.db") // each worker has its own
	read := func(t testing.TB, b []byte) (writing, error) {
		out, err := os.Create(file)
		must(t, err)
		defer out.Close()
		w := writing{ctx: context.Background(), f: out, page: 512, next: 1}
		err = w.segment(bytes.NewReader(b), 1, time.UnixMicro(1).UTC())
		return w, err
	}
	if w, err := read(f, segment); err != nil || w.next != 2 {
		f.Fatal(err)
	}
	f.Add(segment)
	f.Add(segment[:len(segment)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		w, err := read(t, b)
		if err != nil && !fault.Is(err, fault.Invalid) || err != nil && w.next != 1 {
			t.Fatalf("%v, %+v", err, w)
		}
	})
}
