package media_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"

	"masthead/internal/blob"
	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/fault"
	"masthead/internal/media"
)

func newStore(t testing.TB, d *db.DB) (*media.Store, blob.Store) {
	t.Helper()
	blobs, err := blob.OpenFolder(filepath.Join(t.TempDir(), "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blobs.Close() })
	return media.NewStore(d, blobs), blobs
}

// photo draws w × h pixels whose corners differ: red top left, green top right,
// blue bottom left, white bottom right.
func photo(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{A: 255}
			switch left, top := x < w/2, y < h/2; {
			case left && top:
				c.R = 255
			case top:
				c.G = 255
			case left:
				c.B = 255
			default:
				c.R, c.G, c.B = 255, 255, 255
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

func jpegOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withSegment puts a segment after a JPEG's SOI.
func withSegment(jpeg []byte, marker byte, content []byte) []byte {
	out := append([]byte{0xff, 0xd8, 0xff, marker}, byte((len(content)+2)>>8), byte(len(content)+2))
	return append(append(out, content...), jpeg[2:]...)
}

// exif makes the content of an APP1 segment with an orientation and a place.
func exif(order binary.AppendByteOrder, orientation int) []byte {
	b := []byte("Exif\x00\x00")
	if order == binary.AppendByteOrder(binary.LittleEndian) {
		b = append(b, "II*\x00"...)
	} else {
		b = append(b, "MM\x00*"...)
	}
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 2)
	b = order.AppendUint16(b, 0x0112) // orientation, SHORT, 1
	b = order.AppendUint16(b, 3)
	b = order.AppendUint32(b, 1)
	b = order.AppendUint16(b, uint16(orientation))
	b = order.AppendUint16(b, 0)
	b = order.AppendUint16(b, 0x8825) // GPS directory
	b = order.AppendUint16(b, 4)
	b = order.AppendUint32(b, 1)
	b = order.AppendUint32(b, 38)
	b = order.AppendUint32(b, 0)
	return append(b, "GPSLatitude 41.8781N SECRETPLACE"...)
}

func read(t testing.TB, s *media.Store, path string) (media.Content, []byte) {
	t.Helper()
	c, err := s.Open(context.Background(), path)
	if err != nil {
		t.Fatalf("Open(%s): %v", path, err)
	}
	defer c.Close()
	b, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(b)) != c.Size {
		t.Errorf("%s: %d bytes, told %d", path, len(b), c.Size)
	}
	return c, b
}

func keep(t testing.TB, s *media.Store, name string, content []byte) media.Media {
	t.Helper()
	m, err := s.Keep(context.Background(), media.Upload{Name: name, Content: bytes.NewReader(content)})
	if err != nil {
		t.Fatalf("Keep(%s): %v", name, err)
	}
	return m
}

func TestStore(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s, _ := newStore(t, d)
		s.Now = func() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 123456789, time.UTC) }
		var m media.Media
		err := d.InTx(ctx, func(tx *db.Tx) (err error) {
			m, err = s.Add(ctx, tx, media.Upload{
				Name: "C:\\Bilder\\Dredger at Dawn.JPG", Content: bytes.NewReader(jpegOf(t, photo(700, 400))),
				Credit: "Ana Ribeiro", Licence: "CC BY 4.0", Alts: map[string]string{"en": "A dredger", "ar": "كراكة"},
				Captions: map[string]string{"en": "Dawn"}, Focal: media.Focal{X: 300, Y: 0}, Source: "ghost:/content/images/a.jpg",
			})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if m.Name != "dredger-at-dawn.jpg" || m.MIME != "image/jpeg" || m.Width != 700 || m.Height != 400 || m.Kind != media.Picture {
			t.Errorf("%+v", m)
		}
		for by, get := range map[string]func() (media.Media, error){
			"ID":     func() (media.Media, error) { return s.ByID(ctx, d.Read(), m.ID) },
			"source": func() (media.Media, error) { return s.BySource(ctx, d.Read(), m.Source) },
			"hash":   func() (media.Media, error) { return s.ByHash(ctx, d.Read(), m.Hash) },
		} {
			got, err := get()
			if diff := cmp.Diff(m, got); err != nil || diff != "" {
				t.Errorf("by %s: %v (-want +got):\n%s", by, err, diff)
			}
		}
		if _, err := s.ByID(ctx, d.Read(), "nobody"); !fault.Is(err, fault.NotFound) {
			t.Errorf("ByID: %v", err)
		}

		// The same source again is the same media; the same bytes from elsewhere another one that shares them.
		again := m
		again.ID, again.CreatedAt, again.Credit = "", time.Time{}, "A. Ribeiro"
		if err := s.Save(ctx, d.Write(), &again); err != nil {
			t.Fatal(err)
		}
		if again.ID != m.ID || !again.CreatedAt.Equal(m.CreatedAt) {
			t.Errorf("saved again as %s of %v", again.ID, again.CreatedAt)
		}
		other := m
		other.ID, other.Source, other.Focal = "", "", media.Middle
		if err := s.Save(ctx, d.Write(), &other); err != nil {
			t.Fatal(err)
		}
		if other.ID == m.ID || other.Hash != m.Hash {
			t.Errorf("another: %+v", other)
		}
		thief := other
		thief.Source = m.Source
		if err := s.Save(ctx, d.Write(), &thief); !fault.Is(err, fault.Conflict) {
			t.Errorf("a source taken twice: %v", err)
		}
		outside := other
		outside.Focal = media.Focal{X: 1001}
		if err := s.Save(ctx, d.Write(), &outside); !fault.Is(err, fault.Invalid) {
			t.Errorf("a focal point outside: %v", err)
		}
		many, err := s.ByIDs(ctx, d.Read(), m.ID, other.ID, "nobody")
		if err != nil || len(many) != 2 || many[m.ID].Credit != "A. Ribeiro" {
			t.Errorf("ByIDs: %+v, %v", many, err)
		}
		page, err := s.List(ctx, d.Read(), media.Picture, "", 1)
		if err != nil || len(page) != 1 || page[0].ID != other.ID {
			t.Errorf("List: %+v, %v", page, err)
		}
		page, err = s.List(ctx, d.Read(), "", other.ID, 10)
		if err != nil || len(page) != 1 || page[0].ID != m.ID {
			t.Errorf("List after: %+v, %v", page, err)
		}
		if files, err := s.List(ctx, d.Read(), media.File, "", 10); err != nil || len(files) != 0 {
			t.Errorf("List of files: %+v, %v", files, err)
		}

		// Moving the focal point gives the card a new address, which is made when it is asked for.
		if _, card := read(t, s, other.Card()); len(card) == 0 || other.Card() == m.Card() {
			t.Errorf("card %s of %d bytes", other.Card(), len(card))
		}
		if _, err := s.Open(ctx, "/media/"+m.Hash+"/card-1-2.jpg"); !fault.Is(err, fault.NotFound) {
			t.Errorf("a card that nobody has: %v", err)
		}

		// Bytes are swept when their last owner is gone.
		for i, id := range []string{m.ID, other.ID} {
			if err := s.Delete(ctx, d.Write(), id); err != nil {
				t.Fatal(err)
			}
			s.Now = func() time.Time { return time.Now().Add(time.Hour) }
			n, err := s.Sweep(ctx, time.Minute)
			if want := []int{0, 6}[i]; err != nil || n != want { // original, 320, 640, 700, two cards
				t.Errorf("swept %d, want %d, %v", n, want, err)
			}
		}
	})
}

func TestVariants(t *testing.T) {
	d := dbtest.SQLite(t)
	s, _ := newStore(t, d)
	ctx := context.Background()
	for _, lazy := range []bool{false, true} {
		s.Lazy = lazy
		m := keep(t, s, "a.png", pngOf(t, photo(1000+boolInt(lazy), 500)))
		if err := s.Save(ctx, d.Write(), &m); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]int{320, 640, 960, m.Width}, m.Widths()); diff != "" {
			t.Error(diff)
		}
		if want := "/media/" + m.Hash + "/320.webp 320w, "; !strings.HasPrefix(m.Srcset(), want) {
			t.Errorf("srcset %s", m.Srcset())
		}
		for _, w := range m.Widths() {
			c, b := read(t, s, m.Path(w))
			if c.MIME != "image/webp" || c.Attachment {
				t.Errorf("%+v", c)
			}
			img, err := webp.Decode(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			if wantW, wantH := m.Size(w); img.Bounds().Dx() != wantW || img.Bounds().Dy() != wantH {
				t.Errorf("%v", img.Bounds())
			}
			corners(t, img, "RGBW")
		}
		if _, b := read(t, s, m.Card()); true {
			img, err := jpeg.Decode(bytes.NewReader(b))
			if err != nil || img.Bounds().Dx() != media.CardWidth || img.Bounds().Dy() != media.CardHeight {
				t.Errorf("%v, %v", img.Bounds(), err)
			}
			corners(t, img, "RGBW")
		}
		for _, path := range []string{"/media/" + m.Hash + "/321.webp", "/media/" + m.Hash + "/0640.webp", "/media/" + m.Hash + "/1280.webp",
			"/media/" + strings.Repeat("0", 64) + "/320.webp", "/media/" + m.Hash + "/original.png", "/media/" + m.Hash + "/../x",
			"/media/" + m.Hash, "/media/" + m.Hash[:63] + "/320.webp", "/media/../../etc/passwd", "", "/"} {
			if _, err := s.Open(ctx, path); !fault.Is(err, fault.NotFound) {
				t.Errorf("Open(%s): %v", path, err)
			}
		}
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// A variant is made once, however many ask for it at once.
func TestLazyMany(t *testing.T) {
	d := dbtest.SQLite(t)
	s, _ := newStore(t, d)
	s.Lazy = true
	m := keep(t, s, "a.jpg", jpegOf(t, photo(800, 600)))
	if err := s.Save(context.Background(), d.Write(), &m); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() { read(t, s, m.Path([]int{320, 640}[i%2])) })
	}
	group.Wait()
}

// corners compares the colour an eighth in from each corner: top left, top right, bottom left, bottom right.
func corners(t *testing.T, img image.Image, want string) {
	t.Helper()
	b := img.Bounds()
	got := ""
	for _, p := range []image.Point{{1, 1}, {7, 1}, {1, 7}, {7, 7}} {
		r, g, bl, _ := img.At(b.Min.X+b.Dx()*p.X/8, b.Min.Y+b.Dy()*p.Y/8).RGBA()
		switch hi := uint32(0xb000); {
		case r > hi && g > hi && bl > hi:
			got += "W"
		case r > hi:
			got += "R"
		case g > hi:
			got += "G"
		case bl > hi:
			got += "B"
		default:
			got += "?"
		}
	}
	if got != want {
		t.Errorf("corners %s, want %s", got, want)
	}
}

func TestOrientation(t *testing.T) {
	s, _ := newStore(t, dbtest.SQLite(t))
	for o, want := range map[int]string{1: "RGBW", 2: "GRWB", 3: "WBGR", 4: "BWRG", 5: "RBGW", 6: "BRWG", 7: "WGBR", 8: "GWRB", 0: "RGBW", 9: "RGBW"} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			raw := withSegment(jpegOf(t, photo(96, 64)), 0xe1, exif(order, o))
			m := keep(t, s, "a.jpg", raw)
			if turned := o >= 5 && o <= 8; turned != (m.Width == 64) {
				t.Errorf("orientation %d: %d × %d", o, m.Width, m.Height)
			}
			r, err := s.OpenOriginal(context.Background(), &m)
			if err != nil {
				t.Fatal(err)
			}
			kept, err := io.ReadAll(r)
			r.Close()
			if err != nil {
				t.Fatal(err)
			}
			img, err := jpeg.Decode(bytes.NewReader(kept))
			if err != nil {
				t.Fatal(err)
			}
			corners(t, img, want)
			for _, secret := range []string{"Exif", "GPS", "SECRETPLACE"} {
				if bytes.Contains(kept, []byte(secret)) {
					t.Errorf("%s is kept", secret)
				}
			}
			if !bytes.Contains(raw, []byte("SECRETPLACE")) {
				t.Fatal("the test's picture tells no place")
			}
		}
	}
}

func TestFormats(t *testing.T) {
	d := dbtest.SQLite(t)
	s, _ := newStore(t, d)
	img := photo(40, 40)
	clear := photo(40, 40)
	clear.SetNRGBA(0, 0, color.NRGBA{})
	encode := func(f func(io.Writer) error) []byte {
		var b bytes.Buffer
		if err := f(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	lossy := func(img image.Image) []byte { // the store's own variant is a WebP
		m := keep(t, s, "a.png", pngOf(t, img))
		if err := s.Save(t.Context(), d.Write(), &m); err != nil {
			t.Fatal(err)
		}
		_, b := read(t, s, m.Path(320))
		return b
	}
	frames := &gif.GIF{LoopCount: 3}
	for _, c := range []color.Color{color.Black, color.White} {
		frames.Image = append(frames.Image, image.NewPaletted(image.Rect(0, 0, 40, 40), color.Palette{c, color.Transparent}))
		frames.Delay = append(frames.Delay, 10)
	}
	tests := []struct {
		name string
		raw  []byte
		want string
	}{
		{"a.jpg", jpegOf(t, img), "image/jpeg"},
		{"gray.jpg", jpegOf(t, image.NewGray(image.Rect(0, 0, 40, 40))), "image/jpeg"},
		{"a.png", pngOf(t, img), "image/png"},
		{"deep.png", pngOf(t, image.NewNRGBA64(image.Rect(0, 0, 40, 40))), "image/png"},
		{"still.gif", encode(func(w io.Writer) error { return gif.Encode(w, img, nil) }), "image/png"},
		{"moving.gif", encode(func(w io.Writer) error { return gif.EncodeAll(w, frames) }), "image/gif"},
		{"a.bmp", encode(func(w io.Writer) error { return bmp.Encode(w, img) }), "image/jpeg"},
		{"a.tiff", encode(func(w io.Writer) error { return tiff.Encode(w, img, nil) }), "image/jpeg"},
		{"clear.tiff", encode(func(w io.Writer) error { return tiff.Encode(w, clear, nil) }), "image/png"},
		{"a.webp", lossy(img), "image/jpeg"},
		{"clear.webp", lossy(clear), "image/png"},
		{"wrong-ending.png", jpegOf(t, img), "image/jpeg"},
		{"no-ending", jpegOf(t, img), "image/jpeg"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := keep(t, s, test.name, test.raw)
			if m.Kind != media.Picture || m.MIME != test.want || m.Width != 40 || m.Height != 40 {
				t.Errorf("%+v", m)
			}
			if m.Animated() != (test.name == "moving.gif") || m.Animated() != (m.Srcset() == "") {
				t.Errorf("animated %t, srcset %q", m.Animated(), m.Srcset())
			}
		})
	}
}

func TestFiles(t *testing.T) {
	d := dbtest.SQLite(t)
	s, _ := newStore(t, d)
	tests := []struct {
		name, content, mime, clean string
		attachment                 bool
	}{
		{"Report 2026.pdf", "%PDF-1.7 …", "application/pdf", "report-2026.pdf", true},
		{"talk.mp3", "ID3\x04", "audio/mpeg", "talk.mp3", false},
		{"film.mp4", "\x00\x00\x00\x18ftypisom", "video/mp4", "film.mp4", false},
		{"data.csv", "a,b\n", "text/plain; charset=utf-8", "data.csv", true},
		{"minutes.docx", "PK\x03\x04…", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "minutes.docx", true},
		{"page.html", "<html><script>alert(1)</script>", "application/octet-stream", "page.html", true},
		{"fake.mp4", "<html><script>alert(1)</script>", "application/octet-stream", "fake.mp4", true},
		{"640.webp", "none of that", "application/octet-stream", "file-640.webp", true},
		{"\u202egpj.exe", "MZ", "application/octet-stream", "gpj.exe", true},
		{"قائمة", "text", "application/octet-stream", "file.bin", true},
		{"../../../etc/passwd", "root", "application/octet-stream", "passwd.bin", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := keep(t, s, test.name, []byte(test.content))
			if err := s.Save(t.Context(), d.Write(), &m); err != nil {
				t.Fatal(err)
			}
			if m.Kind != media.File || m.MIME != test.mime || m.Name != test.clean || m.Srcset() != "" || m.Card() != "" {
				t.Errorf("%+v", m)
			}
			c, b := read(t, s, m.Path(0))
			if string(b) != test.content || c.MIME != test.mime || c.Attachment != test.attachment {
				t.Errorf("%+v: %q", c, b)
			}
			if err := s.Verify(t.Context(), &m); err != nil {
				t.Error(err)
			}
			if _, err := s.Open(t.Context(), "/media/"+m.Hash+"/other.exe"); !fault.Is(err, fault.NotFound) {
				t.Errorf("under another name: %v", err)
			}
		})
	}
}

// What OpenOriginal gives, Restore takes into another newsroom, byte for byte.
func TestRestore(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		from, _ := newStore(t, d)
		there := dbtest.SQLite(t)
		to, _ := newStore(t, there)
		for _, m := range []media.Media{
			keep(t, from, "a.jpg", withSegment(jpegOf(t, photo(400, 300)), 0xe1, exif(binary.BigEndian, 6))),
			keep(t, from, "a.pdf", []byte("%PDF-1.7")),
		} {
			if err := from.Save(ctx, d.Write(), &m); err != nil {
				t.Fatal(err)
			}
			content := func() []byte {
				r, err := from.OpenOriginal(ctx, &m)
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				b, err := io.ReadAll(r)
				if err != nil {
					t.Fatal(err)
				}
				return b
			}()
			copied := m
			if err := to.Restore(ctx, there.Write(), &copied, bytes.NewReader(content)); err != nil {
				t.Fatal(err)
			}
			got, err := to.ByID(ctx, there.Read(), m.ID)
			if err != nil {
				t.Fatal(err)
			}
			want, err := from.ByID(ctx, d.Read(), m.ID)
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			if _, b := read(t, to, got.Original()); !bytes.Equal(b, content) {
				t.Error("other bytes came back")
			}
			if m.Kind == media.Picture {
				read(t, to, got.Path(320))
			}
			bad := m
			if err := to.Restore(ctx, there.Write(), &bad, bytes.NewReader(append(content, 0))); !fault.Is(err, fault.Invalid) {
				t.Errorf("changed bytes: %v", err)
			}
			bad.Name = "../x.jpg"
			if err := to.Restore(ctx, there.Write(), &bad, bytes.NewReader(content)); !fault.Is(err, fault.Invalid) {
				t.Errorf("a bad name: %v", err)
			}
		}
	})
}

// A kept original that somebody changed on the disk is found.
func TestVerify(t *testing.T) {
	s, blobs := newStore(t, dbtest.SQLite(t))
	m := keep(t, s, "a.png", pngOf(t, photo(20, 20)))
	if err := s.Verify(t.Context(), &m); err != nil {
		t.Fatal(err)
	}
	if err := blobs.Put(t.Context(), m.Blob, strings.NewReader("rot"), 3, ""); err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(t.Context(), &m); !fault.Is(err, fault.Invalid) {
		t.Errorf("Verify: %v", err)
	}
	if err := blobs.Delete(t.Context(), m.Blob); err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(t.Context(), &m); !fault.Is(err, fault.NotFound) {
		t.Errorf("Verify: %v", err)
	}
}

// The same picture twice is kept once, from other bytes too when the pixels are the same.
func TestOnce(t *testing.T) {
	s, blobs := newStore(t, dbtest.SQLite(t))
	raw := jpegOf(t, photo(64, 64))
	a := keep(t, s, "a.jpg", raw)
	n := len(everything(t, blobs))
	b := keep(t, s, "b.jpg", withSegment(raw, 0xfe, []byte("another comment")))
	if a.Hash != b.Hash || len(everything(t, blobs)) != n {
		t.Errorf("%s, %s", a.Hash, b.Hash)
	}
}
