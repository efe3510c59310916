package media

import (
	"encoding/binary"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"testing"
)

// Each new pixel is the mean of the area that it covers, whatever the proportion.
func TestScaleIsMean(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		sw, sh := 1+random.IntN(40), 1+random.IntN(40)
		w, h := 1+random.IntN(sw), 1+random.IntN(sh)
		src := image.NewRGBA(image.Rect(3, 5, 3+sw, 5+sh)) // not at the origin
		for i := range src.Pix {
			src.Pix[i] = uint8(random.IntN(256))
			if i%4 == 3 {
				src.Pix[i] = 255
			}
		}
		got := scale(src, src.Rect, w, h)
		if got.Bounds().Dx() != w || got.Bounds().Dy() != h {
			t.Fatalf("%v", got.Bounds())
		}
		for y := range h {
			for x := range w {
				want := mean(src, float64(x*sw)/float64(w), float64((x+1)*sw)/float64(w), float64(y*sh)/float64(h), float64((y+1)*sh)/float64(h))
				r, _, _, _ := got.At(got.Bounds().Min.X+x, got.Bounds().Min.Y+y).RGBA()
				if math.Abs(float64(r>>8)-want) > 0.51 {
					t.Fatalf("%d × %d to %d × %d at %d, %d: %d, want %.2f", sw, sh, w, h, x, y, r>>8, want)
				}
			}
		}
	}
}

// mean adds up the red of a part of img, pixel by pixel.
func mean(img *image.RGBA, x0, x1, y0, y1 float64) float64 {
	sum := 0.0
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			w := math.Min(x1, float64(x+1)) - math.Max(x0, float64(x))
			h := math.Min(y1, float64(y+1)) - math.Max(y0, float64(y))
			if w > 0 && h > 0 {
				sum += w * h * float64(img.RGBAAt(img.Rect.Min.X+x, img.Rect.Min.Y+y).R)
			}
		}
	}
	return sum / ((x1 - x0) * (y1 - y0))
}

// What is clear lends no colour to what is not.
func TestScaleKeepsEdges(t *testing.T) {
	src := image.NewNRGBA(image.Rect(0, 0, 2, 2))
	src.SetNRGBA(0, 0, color.NRGBA{255, 0, 0, 255})
	src.SetNRGBA(1, 0, color.NRGBA{0, 255, 0, 0})
	src.SetNRGBA(0, 1, color.NRGBA{255, 0, 0, 255})
	src.SetNRGBA(1, 1, color.NRGBA{0, 255, 0, 0})
	got := scale(src, src.Rect, 1, 1).(*image.NRGBA).NRGBAAt(0, 0)
	if got.R < 253 || got.G > 2 || got.A < 127 || got.A > 128 {
		t.Errorf("%v", got)
	}
}

func TestCrop(t *testing.T) {
	tests := []struct {
		w, h  int
		focal Focal
		want  image.Rectangle
	}{
		{1200, 630, Middle, image.Rect(0, 0, 1200, 630)},
		{2400, 630, Middle, image.Rect(600, 0, 1800, 630)},
		{2400, 630, Focal{0, 500}, image.Rect(0, 0, 1200, 630)},
		{2400, 630, Focal{1000, 500}, image.Rect(1200, 0, 2400, 630)},
		{2400, 630, Focal{400, 0}, image.Rect(360, 0, 1560, 630)},
		{1200, 1260, Focal{500, 100}, image.Rect(0, 0, 1200, 630)},
		{1200, 1260, Focal{500, 900}, image.Rect(0, 630, 1200, 1260)},
		{1, 1, Middle, image.Rect(0, 0, 1, 1)},
		{1, 4000, Middle, image.Rect(0, 2000, 1, 2001)},
	}
	for _, test := range tests {
		if got := crop(image.Rect(0, 0, test.w, test.h), test.focal, CardWidth, CardHeight); got != test.want {
			t.Errorf("%d × %d at %v: %v, want %v", test.w, test.h, test.focal, got, test.want)
		}
	}
}

// Every format has its own place for the orientation.
func TestOrientationPlaces(t *testing.T) {
	exif := []byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00")
	size := func(order binary.AppendByteOrder, kind string) []byte {
		if order == binary.AppendByteOrder(binary.BigEndian) {
			return append(order.AppendUint32(nil, uint32(len(exif))), kind...)
		}
		return order.AppendUint32([]byte(kind), uint32(len(exif)))
	}
	png := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 1, 'I', 'H', 'D', 'R', 9, 0, 0, 0, 0)
	png = append(append(append(png, size(binary.BigEndian, "eXIf")...), exif...), 0, 0, 0, 0)
	webp := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8 \x01\x00\x00\x00x\x00"), size(binary.LittleEndian, "EXIF")...)
	jpeg := append([]byte{0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 'x', 0xff, 0xff, 0xe1, 0, byte(8 + len(exif))}, "Exif\x00\x00"...)
	for name, test := range map[string]struct {
		format format
		raw    []byte
	}{
		"jpeg": {formatJPEG, append(jpeg, exif...)}, // after another segment, a stray byte and a fill byte
		"png":  {formatPNG, png},
		"webp": {formatWebP, append(webp, exif...)},
		"tiff": {formatTIFF, exif},
	} {
		if got := orientation(test.raw, test.format); got != 6 {
			t.Errorf("%s: %d", name, got)
		}
		for n := range test.raw { // cut anywhere, it is no orientation, and no panic
			if got := orientation(test.raw[:n], test.format); got != 1 && got != 6 {
				t.Errorf("%s cut at %d: %d", name, n, got)
			}
		}
	}
}
