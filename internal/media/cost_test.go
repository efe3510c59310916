package media_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"masthead/internal/db/dbtest"
	"masthead/internal/media"
)

// scene draws something that is as hard to encode as a photograph: slopes,
// edges and grain.
func scene(w, h int) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	seed := uint32(1)
	for y := range h {
		for x := range w {
			seed = seed*1664525 + 1013904223
			grain := float64(seed>>24)/16 - 8
			v := 128 + 60*math.Sin(float64(x)/37)*math.Cos(float64(y)/53) + 40*math.Sin(float64(x*y)/90000) + grain
			img.SetNRGBA(x, y, color.NRGBA{clamp(v), clamp(v*0.8 + 30), clamp(200 - v/2), 255})
		}
	}
	return img
}

func clamp(v float64) uint8 { return uint8(min(max(v, 0), 255)) }

// BenchmarkKeep tells what a picture of an ordinary size costs in all its
// variants, and the most memory that the program has had resident.
func BenchmarkKeep(b *testing.B) {
	for _, size := range []image.Point{{1600, 1067}, {6000, 4000}} {
		for _, lazy := range []bool{false, true} {
			name := strconv.Itoa(size.X) + "x" + strconv.Itoa(size.Y) + map[bool]string{false: "/variants", true: "/lazy"}[lazy]
			b.Run(name, func(b *testing.B) {
				raw := jpegOf(b, scene(size.X, size.Y))
				for b.Loop() {
					b.StopTimer()
					s, _ := newStore(b, dbtest.SQLite(b)) // fresh, or everything would be there already
					s.Lazy = lazy
					b.StartTimer()
					if _, err := s.Keep(context.Background(), media.Upload{Name: "a.jpg", Content: bytes.NewReader(raw)}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(peak(), "MB-peak")
			})
		}
	}
}

// peak gives the most memory that was resident so far, MB (proc(5), VmHWM); 0 where there is no /proc.
func peak() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kib, _ := strconv.ParseFloat(strings.Fields(after + " 0")[0], 64)
	return kib / 1024
}

// No bytes, however hostile, do more than be refused or be kept as a picture or file.
func FuzzKeep(f *testing.F) {
	small := jpegOf(f, photo(9, 7))
	f.Add("a.jpg", small)
	f.Add("a.png", pngOf(f, photo(9, 7)))
	f.Add("a.gif", []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"))
	f.Add("a.tiff", []byte("II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00"))
	f.Add("a.webp", []byte("RIFF\x20\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00"))
	f.Add("a.svg", []byte("<svg/>"))
	s, _ := newStore(f, dbtest.SQLite(f))
	s.Lazy = true
	s.Limits.Pixels = 1 << 16
	f.Fuzz(func(t *testing.T, name string, raw []byte) {
		m, err := s.Keep(t.Context(), media.Upload{Name: name, Content: bytes.NewReader(raw)})
		if err != nil {
			return
		}
		if err := s.Verify(t.Context(), &m); err != nil {
			t.Error(err)
		}
		if strings.ContainsAny(m.Name, "/\\\"\r\n<> ") || m.Kind == media.Picture && (m.Width < 1 || m.Height < 1) {
			t.Errorf("%+v", m)
		}
	})
}
