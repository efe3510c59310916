package picture

import "math"

// pt is a point on the drawing board, y downwards.
type pt struct{ x, y float64 }

// contour is one closed outline; a hole is cut out of the outlines it lies in.
type contour struct {
	pts  []pt
	hole bool
}

// path is a shape of any number of outlines. Overlapping outlines unite.
type path []contour

func (p *path) add(others ...path) {
	for _, o := range others {
		*p = append(*p, o...)
	}
}

// minus returns p with the outlines of q as holes.
func (p path) minus(q path) path {
	r := append(path(nil), p...)
	for _, k := range q {
		r = append(r, contour{k.pts, true})
	}
	return r
}

// move returns p shifted.
func (p path) move(dx, dy float64) path {
	return p.each(func(q pt) pt { return pt{q.x + dx, q.y + dy} })
}

// turn returns p rotated by a radians about (x, y).
func (p path) turn(x, y, a float64) path {
	s, k := math.Sincos(a)
	return p.each(func(q pt) pt {
		return pt{x + (q.x-x)*k - (q.y-y)*s, y + (q.x-x)*s + (q.y-y)*k}
	})
}

// mirror returns p reflected in the vertical at x.
func (p path) mirror(x float64) path {
	return p.each(func(q pt) pt { return pt{2*x - q.x, q.y} })
}

// squash returns p scaled vertically by k about y; −1 turns it upside down.
func (p path) squash(y, k float64) path {
	return p.each(func(q pt) pt { return pt{q.x, y + (q.y-y)*k} })
}

func (p path) each(f func(pt) pt) path {
	r := make(path, len(p))
	for i, k := range p {
		pts := make([]pt, len(k.pts))
		for j, q := range k.pts {
			pts[j] = f(q)
		}
		r[i] = contour{pts, k.hole}
	}
	return r
}

// poly is a polygon through x, y pairs.
func poly(xy ...float64) path {
	pts := make([]pt, 0, len(xy)/2)
	for i := 0; i+1 < len(xy); i += 2 {
		pts = append(pts, pt{xy[i], xy[i+1]})
	}
	return path{{pts: pts}}
}

func rect(x, y, w, h float64) path { return poly(x, y, x+w, y, x+w, y+h, x, y+h) }

func oval(cx, cy, rx, ry float64) path {
	n := 10 + int(math.Sqrt(max(rx, ry))*3)
	pts := make([]pt, n)
	for i := range pts {
		s, k := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		pts[i] = pt{cx + rx*k, cy + ry*s}
	}
	return path{{pts: pts}}
}

// arc returns points of an ellipse from angle a to b (radians, clockwise from east).
func arc(cx, cy, rx, ry, a, b float64) []pt {
	const n = 24
	pts := make([]pt, n+1)
	for i := range pts {
		s, k := math.Sincos(lerp(a, b, float64(i)/n))
		pts[i] = pt{cx + rx*k, cy + ry*s}
	}
	return pts
}

// dome is the upper half of an ellipse standing on base.
func dome(cx, base, rx, ry float64) path {
	return path{{pts: arc(cx, base, rx, ry, math.Pi, 2*math.Pi)}}
}

// archway is a rectangle with a round head.
func archway(x, y, w, h float64) path {
	r := w / 2
	pts := arc(x+r, y+r, r, r, math.Pi, 2*math.Pi)
	return path{{pts: append(pts, pt{x + w, y + h}, pt{x, y + h})}}
}

// ring is an annulus.
func ring(cx, cy, r, w float64) path { return oval(cx, cy, r, r).minus(oval(cx, cy, r-w, r-w)) }

// lens is a flat sliver pointed at both ends: a gouge mark, a ripple, a strip of cloud.
func lens(cx, cy, length, thick float64) path {
	const n = 8
	pts := make([]pt, 0, 2*n)
	for i := range 2 * n {
		t := float64(i%n) / n
		s := math.Sin(t*math.Pi) * thick / 2
		if i < n {
			pts = append(pts, pt{cx + (t-0.5)*length, cy - s})
		} else {
			pts = append(pts, pt{cx + (0.5-t)*length, cy + s*0.7})
		}
	}
	return path{{pts: pts}}
}

// line is a stroke of even width through x, y pairs.
func line(w float64, xy ...float64) path { return taper(w, w, xy...) }

// taper is a stroke whose width goes from w0 to w1.
func taper(w0, w1 float64, xy ...float64) path {
	var p path
	n := len(xy)/2 - 1
	for i := range n {
		x0, y0, x1, y1 := xy[2*i], xy[2*i+1], xy[2*i+2], xy[2*i+3]
		l := math.Hypot(x1-x0, y1-y0)
		if l == 0 {
			continue
		}
		ux, uy := (x1-x0)/l, (y1-y0)/l
		a := lerp(w0, w1, float64(i)/float64(n)) / 2
		b := lerp(w0, w1, float64(i+1)/float64(n)) / 2
		e := 0.0
		if n > 1 { // let neighbours meet
			e = min(a, b) * 0.6
		}
		p.add(poly(x0-ux*e-uy*a, y0-uy*e+ux*a, x1+ux*e-uy*b, y1+uy*e+ux*b,
			x1+ux*e+uy*b, y1+uy*e-ux*b, x0-ux*e+uy*a, y0-uy*e-ux*a))
	}
	return p
}

// curve flattens a cubic into x, y pairs for line, taper and poly.
func curve(x0, y0, x1, y1, x2, y2, x3, y3 float64) []float64 {
	const n = 18
	xy := make([]float64, 0, 2*n+2)
	for i := range n + 1 {
		t := float64(i) / n
		s := 1 - t
		a, b, k, d := s*s*s, 3*s*s*t, 3*s*t*t, t*t*t
		xy = append(xy, a*x0+b*x1+k*x2+d*x3, a*y0+b*y1+k*y2+d*y3)
	}
	return xy
}

// sag flattens a hanging wire into x, y pairs.
func sag(x0, y0, x1, y1, drop float64) []float64 {
	return curve(x0, y0, lerp(x0, x1, 0.33), lerp(y0, y1, 0.33)+drop, lerp(x0, x1, 0.67), lerp(y0, y1, 0.67)+drop, x1, y1)
}
