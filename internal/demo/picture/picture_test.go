package picture

import (
	"crypto/sha256"
	"image"
	"slices"
	"testing"
)

// sum hashes a picture's pixels.
func sum(t *testing.T, m image.Image) [32]byte {
	t.Helper()
	rgba, ok := m.(*image.RGBA)
	if !ok {
		t.Fatalf("picture is a %T", m)
	}
	return sha256.Sum256(rgba.Pix)
}

// bands counts how many of sixteen steps of luminance hold at least 3 % of a picture.
func bands(m image.Image) int {
	var steps [16]int
	b := m.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, b, _ := m.At(x, y).RGBA()
			steps[(299*r+587*g+114*b)/1000>>12]++
		}
	}
	n := 0
	for _, s := range steps {
		if s*100 >= 3*b.Dx()*b.Dy() {
			n++
		}
	}
	return n
}

func drawn(t *testing.T, scene string, seed uint64, w, h int) image.Image {
	t.Helper()
	m, err := Draw(scene, seed, w, h)
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Bounds(); got != image.Rect(0, 0, w, h) {
		t.Fatalf("%s is %v, want %d × %d", scene, got, w, h)
	}
	return m
}

func TestDraw(t *testing.T) {
	for _, scene := range Scenes() {
		t.Run(scene, func(t *testing.T) {
			var first [32]byte
			for seed := range uint64(5) {
				m := drawn(t, scene, seed, 480, 320)
				if n := bands(m); n < 4 {
					t.Errorf("seed %d: %d bands of luminance, want 4 or more", seed, n)
				}
				switch h := sum(t, m); {
				case seed == 0:
					first = h
				case h == first:
					t.Errorf("seeds 0 and %d drew the same", seed)
				}
			}
			if sum(t, drawn(t, scene, 0, 480, 320)) != first {
				t.Error("the same seed drew another picture")
			}
		})
	}
}

func TestDrawShapes(t *testing.T) {
	for _, size := range []image.Point{{1, 1}, {7, 400}, {900, 60}, {300, 300}, {640, 360}} {
		drawn(t, "harbour", 3, size.X, size.Y)
		drawn(t, "greenhouse", 3, size.X, size.Y)
	}
}

func TestDrawRefuses(t *testing.T) {
	for _, c := range []struct {
		scene string
		w, h  int
	}{{"volcano", 30, 20}, {"", 30, 20}, {"harbour", 0, 20}, {"harbour", 30, -1}, {"harbour", 1 << 20, 20}} {
		if m, err := Draw(c.scene, 1, c.w, c.h); err == nil {
			t.Errorf("Draw(%q, 1, %d, %d) gave %v, want an error", c.scene, c.w, c.h, m.Bounds())
		}
	}
}

func TestScenesAreDistinct(t *testing.T) {
	names := Scenes()
	slices.Sort(names)
	if got := len(slices.Compact(names)); got != 30 {
		t.Errorf("%d distinct scenes, want 30", got)
	}
}

func TestPortrait(t *testing.T) {
	seen := map[[32]byte]uint64{}
	for seed := range uint64(40) {
		m := Portrait(seed, 160)
		if got := m.Bounds(); got != image.Rect(0, 0, 160, 160) {
			t.Fatalf("portrait is %v", got)
		}
		if n := bands(m); n < 4 {
			t.Errorf("seed %d: %d bands of luminance, want 4 or more", seed, n)
		}
		h := sum(t, m)
		if other, ok := seen[h]; ok {
			t.Errorf("seeds %d and %d drew the same portrait", other, seed)
		}
		seen[h] = seed
		if sum(t, Portrait(seed, 160)) != h {
			t.Errorf("seed %d drew two portraits", seed)
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	for _, scene := range Scenes() {
		b.Run(scene, func(b *testing.B) {
			for b.Loop() {
				if _, err := Draw(scene, 1, 1600, 1067); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
