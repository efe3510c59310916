package page

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"masthead/internal/needtest"
)

// pageOf makes a page of segments and the holes between them, and what it shall read.
func pageOf(t testing.TB, segments, contents [][]byte) (p *Page, holes Holes, want []byte) {
	t.Helper()
	m := NewMarker()
	var body bytes.Buffer
	for i, s := range segments {
		body.Write(s)
		want = append(want, s...)
		if i == len(contents) {
			break
		}
		name := fmt.Sprintf("hole-%d", i)
		mark, err := m.Mark(name)
		if err != nil {
			t.Fatal(err)
		}
		body.WriteString(string(mark))
		want = append(want, contents[i]...)
		holes = append(holes, Hole{Name: name, HTML: contents[i]})
	}
	p, err := New(Rendered{Body: body.Bytes(), Marker: m})
	if err != nil {
		t.Fatal(err)
	}
	return p, holes, want
}

// check stitches the page and holds it against want, both ways.
func check(t testing.TB, p *Page, holes Holes, want []byte) (member []byte) {
	t.Helper()
	var out bytes.Buffer
	if err := p.WriteGzip(&out, holes); err != nil {
		t.Fatal(err)
	}
	fill, _, err := p.fill(nil, holes, false)
	if err != nil {
		t.Fatal(err)
	}
	b := p.body.Load()
	if n := b.gzipLength(fill); n != out.Len() {
		t.Errorf("gzipLength = %d, but %d bytes were written", n, out.Len())
	}
	if n := b.plainLength(fill); n != len(want) {
		t.Errorf("plainLength = %d, want %d", n, len(want))
	}
	r, err := gzip.NewReader(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r) // checks CRC and size, and that nothing follows the member
	if err != nil {
		t.Fatalf("the member cannot be read: %v", err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("the member reads %d bytes that differ from the page's %d", len(got), len(want))
	}
	plain, err := p.Plain(holes)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(plain, want) {
		t.Fatal("the plain form differs")
	}
	return out.Bytes()
}

// text makes n bytes that compress as prose does, more or less; noise none that do.
func text(r *rand.Rand, n int) []byte {
	words := strings.Fields("the of and to in a is that for it was on are as with his they at be this have from or one had by word but not what all were we when your can said there <p> </p> <a href=/story/> é Ж ש")
	var b bytes.Buffer
	for b.Len() < n {
		b.WriteString(words[r.IntN(len(words))])
		if b.WriteByte(' '); r.IntN(6) == 0 {
			fmt.Fprintf(&b, "%x", r.Uint32())
		}
	}
	return b.Bytes()[:n]
}

func noise(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func TestStitchedEqualsPlain(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	sizes := []int{0, 0, 1, 5, 100, 4000, 32 << 10, 65534, 65535, 65536, 131070, 200_000}
	some := func() []byte {
		n := sizes[r.IntN(len(sizes))]
		if r.IntN(3) == 0 {
			return noise(r, n)
		}
		return text(r, n)
	}
	for range 60 {
		var segments, contents [][]byte
		for range r.IntN(7) {
			segments, contents = append(segments, some()), append(contents, some())
		}
		segments = append(segments, some())
		p, holes, want := pageOf(t, segments, contents)
		check(t, p, holes, want)
		if err := p.improve(); err != nil {
			t.Fatal(err)
		}
		check(t, p, holes, want)
	}
}

func TestHolesAreStored(t *testing.T) {
	secret := bytes.Repeat([]byte("secret "), 20_000)
	p, holes, want := pageOf(t, [][]byte{[]byte("secret secret "), []byte(" secret")}, [][]byte{secret})
	member := check(t, p, holes, want)
	if len(member) < len(secret) {
		t.Errorf("the member has %d bytes: the hole of %d was compressed", len(member), len(secret))
	}
	if !bytes.Contains(member, secret[:storedMax]) {
		t.Error("the hole does not stand in the member as it is")
	}
}

func TestGunzipReadsIt(t *testing.T) {
	gunzip := needtest.Program(t, "gunzip")
	r := rand.New(rand.NewPCG(3, 4))
	for _, size := range []int{0, 70_000} {
		p, holes, want := pageOf(t, [][]byte{text(r, size), nil, noise(r, size)}, [][]byte{noise(r, 66_000), text(r, 10)})
		cmd := exec.Command(gunzip, "-c")
		cmd.Stdin = bytes.NewReader(check(t, p, holes, want))
		got, err := cmd.Output()
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("gunzip gives %d bytes, want %d: %v", len(got), len(want), err)
		}
	}
}

func TestCRCOfPartsIsThatOfTheWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{0, 1, 2, 255, 256, 65_537, 1 << 20} {
		a, b := noise(r, 1000), noise(r, n)
		got := multiply(shift(n), crc32.ChecksumIEEE(a)) ^ crc32.ChecksumIEEE(b)
		if want := crc32.ChecksumIEEE(append(a, b...)); got != want {
			t.Errorf("%d bytes after: CRC %08x, want %08x", n, got, want)
		}
	}
}

func TestCompressionWhileServing(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	p, holes, want := pageOf(t, [][]byte{text(r, 9000), text(r, 20_000), text(r, 3000)}, [][]byte{text(r, 300), text(r, 900)})
	quick := p.body.Load()
	var readers, writer sync.WaitGroup
	stop := make(chan struct{})
	writer.Go(func() { // back and forth, so that every request may meet a change
		for {
			select {
			case <-stop:
				return
			default:
			}
			if err := p.improve(); err != nil {
				t.Error(err)
				return
			}
			p.body.Store(quick)
		}
	})
	for range 8 {
		readers.Go(func() {
			for range 100 {
				var out bytes.Buffer
				if err := p.WriteGzip(&out, holes); err != nil {
					t.Error(err)
					return
				}
				r, err := gzip.NewReader(&out)
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%d bytes, want %d: %v", len(got), len(want), err)
					return
				}
			}
		})
	}
	readers.Wait()
	close(stop)
	writer.Wait()
}

func TestSecondCompressionIsSmaller(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	p, holes, want := pageOf(t, [][]byte{text(r, 60_000)}, nil)
	before := len(check(t, p, holes, want))
	if err := p.improve(); err != nil {
		t.Fatal(err)
	}
	if after := len(check(t, p, holes, want)); after >= before {
		t.Errorf("%d bytes after the second compression, %d before", after, before)
	}
}

func FuzzStitch(f *testing.F) {
	f.Add([]byte("<p>a</p>"), []byte("link"), []byte("<p>b</p>"), []byte(""), []byte(""), uint16(1))
	f.Add([]byte(""), []byte(""), []byte(""), []byte("x"), []byte("y"), uint16(40_000))
	f.Fuzz(func(t *testing.T, a, x, b, y, c []byte, times uint16) {
		if n := int(times); len(x) > 0 && n*len(x) < 1<<18 {
			x = bytes.Repeat(x, n)
		}
		if n := int(times); len(b) > 0 && n*len(b) < 1<<18 {
			b = bytes.Repeat(b, n)
		}
		p, holes, want := pageOf(t, [][]byte{a, b, c}, [][]byte{x, y})
		check(t, p, holes, want)
		if err := p.improve(); err != nil {
			t.Fatal(err)
		}
		check(t, p, holes, want)
	})
}
