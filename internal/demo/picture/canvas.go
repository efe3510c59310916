package picture

import (
	"image"
	"image/draw"
	"math"
	"math/rand/v2"

	"golang.org/x/image/vector"
)

// canvas is a sheet being printed: shapes go on in order, each cut a little unevenly and laid in one flat ink.
type canvas struct {
	palette
	img  *image.RGBA
	rng  *rand.Rand
	side float64 // where the light comes from: −1 left, +1 right
	sun  pt

	w, h          int
	scale, ox, oy float64 // board to pixels
	seed          uint64
	cut           float64 // unevenness of edges in board units
	z             vector.Rasterizer
	mask          *image.Alpha
	grain         []uint8
}

func newCanvas(w, h int, unitsW, unitsH float64, seed uint64) *canvas {
	c := &canvas{
		img: image.NewRGBA(image.Rect(0, 0, w, h)), rng: rand.New(rand.NewPCG(seed, 1)),
		w: w, h: h, seed: seed, cut: 1,
		scale: max(float64(w)/unitsW, float64(h)/unitsH),
		mask:  &image.Alpha{Pix: make([]uint8, w*h)},
	}
	c.ox = (float64(w) - unitsW*c.scale) / 2
	c.oy = (float64(h) - unitsH*c.scale) / 2
	c.grain = grainField(seed, w, h, max(1, 1.35*c.scale))
	c.z.DrawOp = draw.Src
	for i := 3; i < len(c.img.Pix); i += 4 {
		c.img.Pix[i] = 255
	}
	return c
}

// between returns an accident in lo…hi.
func (c *canvas) between(lo, hi float64) float64 { return lo + (hi-lo)*c.rng.Float64() }

// chance is true with probability p.
func (c *canvas) chance(p float64) bool { return c.rng.Float64() < p }

// warp displaces a point as an unsteady knife would. It depends on the place alone, so that shapes which share
// an edge keep sharing it.
func (c *canvas) warp(p pt) pt {
	if c.cut == 0 {
		return p
	}
	a := 1.5 * c.cut
	b := 0.5 * c.cut
	return pt{
		p.x + a*noise(c.seed, p.x/47, p.y/47) + b*noise(c.seed+1, p.x/9, p.y/9),
		p.y + a*noise(c.seed+2, p.x/47, p.y/47) + b*noise(c.seed+3, p.x/9, p.y/9),
	}
}

// outline brings a contour to pixels: edges in short steps, cut, and turned one way so that outlines unite.
func (c *canvas) outline(k contour) []pt {
	const step = 11.0
	var out []pt
	area := 0.0
	for i, a := range k.pts {
		b := k.pts[(i+1)%len(k.pts)]
		area += a.x*b.y - b.x*a.y
		n := 1 + int(math.Hypot(b.x-a.x, b.y-a.y)/step)
		for j := range n {
			t := float64(j) / float64(n)
			q := c.warp(pt{lerp(a.x, b.x, t), lerp(a.y, b.y, t)})
			out = append(out, pt{q.x*c.scale + c.ox, q.y*c.scale + c.oy})
		}
	}
	if (area < 0) != k.hole {
		for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
			out[i], out[j] = out[j], out[i]
		}
	}
	return out
}

// stencil rasterises p into c.mask and returns the pixels it may touch; the mask is dense over that rectangle.
func (c *canvas) stencil(p path) image.Rectangle {
	outlines := make([][]pt, len(p))
	minX, minY, maxX, maxY := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for i, k := range p {
		outlines[i] = c.outline(k)
		for _, q := range outlines[i] {
			minX, maxX = min(minX, q.x), max(maxX, q.x)
			minY, maxY = min(minY, q.y), max(maxY, q.y)
		}
	}
	if minX > maxX {
		return image.Rectangle{}
	}
	lim := func(v float64, hi int) int { return int(clamp(v, -1, float64(hi)+1)) }
	r := image.Rect(lim(math.Floor(minX), c.w), lim(math.Floor(minY), c.h),
		lim(math.Ceil(maxX), c.w), lim(math.Ceil(maxY), c.h)).Intersect(c.img.Rect)
	if r.Empty() {
		return r
	}
	c.z.Reset(r.Dx(), r.Dy())
	c.z.DrawOp = draw.Src
	x0, y0 := float64(r.Min.X), float64(r.Min.Y)
	for _, o := range outlines {
		for i, q := range o {
			// Far-off points are pulled in: the rasteriser's arithmetic is for points near its window.
			x := float32(clamp(q.x-x0, -4000, 12000))
			y := float32(clamp(q.y-y0, -4000, 12000))
			if i == 0 {
				c.z.MoveTo(x, y)
			} else {
				c.z.LineTo(x, y)
			}
		}
		c.z.ClosePath()
	}
	c.mask.Stride, c.mask.Rect = r.Dx(), image.Rect(0, 0, r.Dx(), r.Dy())
	c.z.Draw(c.mask, c.mask.Rect, image.Opaque, image.Point{})
	return r
}

// fill lays shapes down in one flat ink.
func (c *canvas) fill(k ink, shapes ...path) {
	var p path
	p.add(shapes...)
	r := c.stencil(p)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		m := c.mask.Pix[(y-r.Min.Y)*r.Dx():][:r.Dx()]
		row := c.img.Pix[y*c.img.Stride+r.Min.X*4:]
		for x, a := range m {
			if a != 0 {
				lay(row[x*4:x*4+3:x*4+3], k, uint32(a))
			}
		}
	}
}

// lay mixes an ink into a pixel, a in 0…255.
func lay(px []uint8, k ink, a uint32) {
	if a == 255 {
		px[0], px[1], px[2] = k.r, k.g, k.b
		return
	}
	b := 255 - a
	px[0] = uint8((uint32(px[0])*b + uint32(k.r)*a + 127) / 255)
	px[1] = uint8((uint32(px[1])*b + uint32(k.g)*a + 127) / 255)
	px[2] = uint8((uint32(px[2])*b + uint32(k.b)*a + 127) / 255)
}

// tone tells how much of a shape is inked, 0…1, at a point of the board.
type tone func(x, y float64) float64

// flat is an even tone.
func flat(d float64) tone { return func(_, _ float64) float64 { return d } }

// down goes from d0 at y0 to d1 at y1.
func down(y0, d0, y1, d1 float64) tone {
	return func(_, y float64) float64 { return lerp(d0, d1, smooth(clamp((y-y0)/(y1-y0), 0, 1))) }
}

// across goes from d0 at x0 to d1 at x1.
func across(x0, d0, x1, d1 float64) tone {
	return func(x, _ float64) float64 { return lerp(d0, d1, clamp((x-x0)/(x1-x0), 0, 1)) }
}

// around goes from d0 at a centre to d1 at radius r.
func around(cx, cy, r, d0, d1 float64) tone {
	return func(x, y float64) float64 {
		return lerp(d0, d1, smooth(clamp(math.Sqrt((x-cx)*(x-cx)+(y-cy)*(y-cy))/r, 0, 1)))
	}
}

// stipple lays an ink through grain: a tone made of specks, as on stone, never a wash.
func (c *canvas) stipple(k ink, p path, t tone) {
	c.screen(k, p, t, func(i int, _, _ float64) float64 { return float64(c.grain[i]) / 255 }, 5)
}

// dots lays an ink through a halftone of round dots at 45°, the newspaper's own shadow.
func (c *canvas) dots(k ink, p path, t tone) {
	const f = 2 * math.Pi / 9.5
	c.screen(k, p, t, func(i int, x, y float64) float64 {
		return 0.5 - (math.Cos((x+y)*f*0.7071)+math.Cos((x-y)*f*0.7071))/4
	}, 0.55*9.5*c.scale)
}

// lines lays an ink through engraved lines that swell with the tone and waver with the hand.
func (c *canvas) lines(k ink, p path, t tone) {
	c.screen(k, p, t, func(i int, x, y float64) float64 {
		y += 5*noise(c.seed+9, x/130, y/60) + 1.2*noise(c.seed+8, x/25, y/12)
		return math.Abs(math.Mod(y+2000, 11)/5.5 - 1)
	}, 5.5*c.scale)
}

// screen inks the pixels of p where the tone exceeds a threshold; sharp is the steepness of a speck's edge.
func (c *canvas) screen(k ink, p path, t tone, threshold func(i int, x, y float64) float64, sharp float64) {
	r := c.stencil(p)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		m := c.mask.Pix[(y-r.Min.Y)*r.Dx():][:r.Dx()]
		by := (float64(y) + 0.5 - c.oy) / c.scale
		for i, a := range m {
			if a == 0 {
				continue
			}
			x := r.Min.X + i
			bx := (float64(x) + 0.5 - c.ox) / c.scale
			d := t(bx, by)
			if d <= 0 {
				continue
			}
			d = clamp((d-threshold(y*c.w+x, bx, by))*sharp+0.5, 0, 1)
			if d > 0 {
				j := y*c.img.Stride + x*4
				lay(c.img.Pix[j:j+3:j+3], k, uint32(d*float64(a)))
			}
		}
	}
}

// print is the pull itself: ink takes unevenly to the sheet, paper shows through in flecks where it is laid thick.
func (c *canvas) print() {
	const cell = 16
	cols := c.w/cell + 2
	blotch := make([]float64, cols*(c.h/cell+2))
	for i := range blotch {
		x, y := float64(i%cols*cell)/c.scale, float64(i/cols*cell)/c.scale
		blotch[i] = noise(c.seed+20, x/70, y/70) + 0.6*noise(c.seed+21, x/23, y/23)
	}
	for y := range c.h {
		fy := float64(y%cell) / cell
		for x := range c.w {
			fx := float64(x%cell) / cell
			b := blotch[y/cell*cols+x/cell:]
			d := blotch[(y/cell+1)*cols+x/cell:]
			uneven := lerp(lerp(b[0], b[1], fx), lerp(d[0], d[1], fx), fy)
			g := int(c.grain[(y*c.w+x+7919)%len(c.grain)])
			px := c.img.Pix[y*c.img.Stride+x*4:][:3:3]
			shift := int(uneven*2.5) + (g-128)/42
			for i, v := range px {
				px[i] = uint8(max(0, min(255, int(v)+shift)))
			}
			if g > 249-int(max(0, uneven)*6) {
				lay(px, c.light, 26)
			}
		}
	}
}
