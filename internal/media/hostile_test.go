package media_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"io"
	"strings"
	"testing"

	"masthead/internal/blob"
	"masthead/internal/db/dbtest"
	"masthead/internal/fault"
	"masthead/internal/media"
)

// everything gives all bytes that a store keeps.
func everything(t *testing.T, blobs blob.Store) []byte {
	t.Helper()
	var all []byte
	for info, err := range blobs.List(context.Background(), "") {
		if err != nil {
			t.Fatal(err)
		}
		r, _, err := blobs.Open(context.Background(), info.Name)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		r.Close()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

// A picture that is HTML or an archive as well is only a picture afterwards.
func TestPolyglot(t *testing.T) {
	const script = "<script>alert('polyglot')</script>"
	plain := photo(64, 64)
	text := append([]byte("tEXt"), "Comment\x00"+script...)
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(text)-4))
	chunk = append(chunk, text...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(text))
	pngPlain := pngOf(t, plain)
	var gifPlain bytes.Buffer
	if err := gif.Encode(&gifPlain, plain, nil); err != nil {
		t.Fatal(err)
	}
	comment := append([]byte{0x21, 0xfe, byte(len(script))}, script...)
	comment = append(comment, 0)
	gifRaw := gifPlain.Bytes()
	at := 13 + 3<<(1+gifRaw[10]&7)
	for name, raw := range map[string][]byte{
		"comment.jpg":  withSegment(jpegOf(t, plain), 0xfe, []byte(script)),
		"icc.jpg":      withSegment(jpegOf(t, plain), 0xe2, []byte("ICC_PROFILE\x00\x01\x01"+script)),
		"trailer.jpg":  append(jpegOf(t, plain), "PK\x03\x04"+script...),
		"text.png":     append(append(append([]byte{}, pngPlain[:33]...), chunk...), pngPlain[33:]...),
		"trailer.png":  append(pngOf(t, plain), script...),
		"comment.gif":  append(append(append([]byte{}, gifRaw[:at]...), comment...), gifRaw[at:]...),
		"trailer.gif":  append(append([]byte{}, gifRaw...), script...),
		"picture.html": append(jpegOf(t, plain), script...),
	} {
		t.Run(name, func(t *testing.T) {
			if !bytes.Contains(raw, []byte("polyglot")) {
				t.Fatal("the test's picture carries no script")
			}
			s, blobs := newStore(t, dbtest.SQLite(t))
			m := keep(t, s, name, raw)
			if bytes.Contains(everything(t, blobs), []byte("polyglot")) {
				t.Error("the script is kept")
			}
			if strings.HasSuffix(m.Name, ".html") {
				t.Errorf("named %s", m.Name)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	s, blobs := newStore(t, dbtest.SQLite(t))
	whole := jpegOf(t, photo(600, 600))
	wholePNG := pngOf(t, photo(600, 600))
	bomb := func(w, h uint32) []byte { // a PNG's header alone
		b := append([]byte("IHDR"), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)...)
		b = append(b, 8, 6, 0, 0, 0)
		out := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
		out = append(out, b...)
		return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(b))
	}
	var flicker bytes.Buffer // 2,000 frames of 400 × 400 in few bytes
	frames := &gif.GIF{}
	for range 2000 {
		frames.Image = append(frames.Image, image.NewPaletted(image.Rect(0, 0, 400, 400), color.Palette{color.Black, color.White}))
		frames.Delay = append(frames.Delay, 1)
	}
	if err := gif.EncodeAll(&flicker, frames); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		raw  []byte
		want fault.Kind
	}{
		{"empty.jpg", nil, fault.Invalid},
		{"bomb.png", bomb(50_000, 50_000), fault.TooLarge},
		{"bomb-long.png", bomb(2_000_000_000, 1), fault.TooLarge},
		{"bomb-flicker.gif", flicker.Bytes(), fault.TooLarge},
		{"cut.jpg", whole[:len(whole)/2], fault.Invalid},
		{"cut-head.jpg", whole[:20], fault.Invalid},
		{"cut.png", wholePNG[:len(wholePNG)/2], fault.Invalid},
		{"cut.gif", flicker.Bytes()[:5000], fault.Invalid},
		{"cut.webp", []byte("RIFF\x20\x00\x00\x00WEBPVP8 \x00"), fault.Invalid},
		{"cut.tiff", []byte("II*\x00\xff\xff\xff\xff"), fault.Invalid},
		{"a.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), fault.Invalid},
		{"svg.png", []byte("\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!-- --><SVG onload=alert(1)>"), fault.Invalid},
		{"a.heic", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), fault.Invalid},
		{"a.avif", []byte("\x00\x00\x00\x18ftypavif\x00\x00\x00\x00mif1avif"), fault.Invalid},
	}
	for _, test := range tests {
		_, err := s.Keep(t.Context(), media.Upload{Name: test.name, Content: bytes.NewReader(test.raw)})
		if !fault.Is(err, test.want) {
			t.Errorf("Keep(%s): %v, want %v", test.name, err, test.want)
		}
	}
	s.Limits.PictureBytes, s.Limits.FileBytes = 1000, 2000
	for name, raw := range map[string][]byte{"large.jpg": whole, "large.pdf": append([]byte("%PDF-"), make([]byte, 2000)...)} {
		if _, err := s.Keep(t.Context(), media.Upload{Name: name, Content: bytes.NewReader(raw)}); !fault.Is(err, fault.TooLarge) {
			t.Errorf("Keep(%s): %v", name, err)
		}
	}
	if b := everything(t, blobs); len(b) > 0 {
		t.Errorf("%d bytes were kept", len(b))
	}
}
