package media

import (
	"image"
	"image/color"

	"golang.org/x/image/draw"
)

// scale brings the part r of img to w × h pixels. Making it smaller, each new
// pixel is the mean of the area that it covers: one pass over the source and
// two rows of memory, where the kernels of x/image/draw keep 32 bytes for each
// source row and new column (870 MB for 60 megapixels).
func scale(img image.Image, r image.Rectangle, w, h int) image.Image {
	if w == r.Dx() && h == r.Dy() && r == img.Bounds() {
		return img
	}
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	if w > r.Dx() || h > r.Dy() {
		draw.BiLinear.Scale(dst, dst.Bounds(), img, r, draw.Src, nil)
	} else {
		average(dst, img, r)
	}
	if opaque(img) {
		return dst
	}
	straight := image.NewNRGBA(dst.Rect) // what encoders read transparency from
	draw.Draw(straight, straight.Rect, dst, image.Point{}, draw.Src)
	return straight
}

// span is the part of a source row that one new pixel covers: whole pixels, and
// the share of the first and of the last.
type span struct {
	from, to    int
	first, last float32
}

// spans cuts n pixels into m ≤ n equal parts.
func spans(n, m int) []span {
	all := make([]span, m)
	size := float64(n) / float64(m)
	for i := range all {
		a, b := float64(i)*size, min(float64(i+1)*size, float64(n))
		from, to := int(a), min(int(b)+1, n)
		if float64(to-1) >= b && to-1 > from {
			to--
		}
		all[i] = span{from, to, float32(min(float64(from+1), b) - a), float32(b - max(float64(to-1), a))}
	}
	return all
}

func (s span) weight(i int) float32 {
	switch i {
	case s.from:
		return s.first
	case s.to - 1:
		return s.last
	}
	return 1
}

func average(dst *image.RGBA, img image.Image, r image.Rectangle) {
	w, h := dst.Rect.Dx(), dst.Rect.Dy()
	columns, rows := spans(r.Dx(), w), spans(r.Dy(), h)
	area := float32(float64(r.Dx()) / float64(w) * float64(r.Dy()) / float64(h))
	row := image.NewRGBA(image.Rect(0, 0, r.Dx(), 1))
	narrow, sum := make([]float32, 4*w), make([]float32, 4*w)
	read := -1 // the source row that narrow holds
	for y, part := range rows {
		clear(sum)
		for sy := part.from; sy < part.to; sy++ {
			if sy != read {
				draw.Draw(row, row.Rect, img, image.Pt(r.Min.X, r.Min.Y+sy), draw.Src)
				narrowRow(narrow, row.Pix, columns)
				read = sy
			}
			weight := part.weight(sy)
			for i, v := range narrow {
				sum[i] += v * weight
			}
		}
		out := dst.Pix[y*dst.Stride : y*dst.Stride+4*w]
		for i, v := range sum {
			out[i] = uint8(min(v/area+0.5, 255))
		}
	}
}

func narrowRow(narrow []float32, pix []uint8, columns []span) {
	for x, part := range columns {
		p := pix[4*part.from : 4*part.to]
		r, g, b, a := float32(p[0])*part.first, float32(p[1])*part.first, float32(p[2])*part.first, float32(p[3])*part.first
		if p = p[4:]; len(p) > 0 {
			for ; len(p) > 4; p = p[4:] {
				r += float32(p[0])
				g += float32(p[1])
				b += float32(p[2])
				a += float32(p[3])
			}
			r += float32(p[0]) * part.last
			g += float32(p[1]) * part.last
			b += float32(p[2]) * part.last
			a += float32(p[3]) * part.last
		}
		out := narrow[4*x : 4*x+4]
		out[0], out[1], out[2], out[3] = r, g, b, a
	}
}

// crop gives the largest part of b in the proportion w : h whose middle is as
// near to the focal point as the borders allow.
func crop(b image.Rectangle, f Focal, w, h int) image.Rectangle {
	cw, ch := b.Dx(), b.Dx()*h/w
	if ch > b.Dy() {
		cw, ch = b.Dy()*w/h, b.Dy()
	}
	cw, ch = max(cw, 1), max(ch, 1)
	x := min(max(b.Dx()*f.X/1000-cw/2, 0), b.Dx()-cw)
	y := min(max(b.Dy()*f.Y/1000-ch/2, 0), b.Dy()-ch)
	return image.Rect(x, y, x+cw, y+ch).Add(b.Min)
}

// onWhite paints img over white, for formats without transparency.
func onWhite(img image.Image) image.Image {
	if opaque(img) {
		return img
	}
	dst := image.NewRGBA(img.Bounds())
	draw.Draw(dst, dst.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(dst, dst.Rect, img, img.Bounds().Min, draw.Over)
	return dst
}

func opaque(img image.Image) bool {
	o, ok := img.(interface{ Opaque() bool })
	return ok && o.Opaque()
}
