package picture

import "math"

// person is a small standing or walking figure of height h with its feet at (x, y).
func (c *canvas) person(x, y, h float64) path {
	dir := 1.0
	if c.chance(0.5) {
		dir = -1
	}
	lean, stride := dir*h*c.between(0, 0.04), h*c.between(0.03, 0.11)
	wide := h * c.between(0.1, 0.135)
	hem := y - h*c.between(0.28, 0.5)
	p := oval(x+lean*1.4, y-h*0.925, h*0.062, h*0.078)
	p.add(poly(x+lean-wide*0.45, y-h*0.86, x+lean+wide*0.45, y-h*0.86, x+lean+wide, y-h*0.79,
		x+wide*1.02, hem, x-wide*1.02, hem, x+lean-wide, y-h*0.79))
	p.add(poly(x-wide*0.85, hem-1, x+wide*0.1, hem-1, x-stride+h*0.03, y, x-stride-h*0.045, y),
		poly(x-wide*0.1, hem-1, x+wide*0.85, hem-1, x+stride+h*0.045, y, x+stride-h*0.03, y))
	switch {
	case c.chance(0.25): // a hat
		p.add(rect(x+lean*1.4-h*0.1, y-h*0.965, h*0.2, h*0.022), rect(x+lean*1.4-h*0.06, y-h*1.02, h*0.12, h*0.06))
	case c.chance(0.25): // a scarf
		p.add(poly(x+lean-h*0.075, y-h*0.94, x+lean+h*0.075, y-h*0.94, x+lean+h*0.09, y-h*0.82, x+lean-h*0.09, y-h*0.82))
	}
	if c.chance(0.35) { // a bag
		p.add(rect(x+dir*wide*0.9-h*0.05, y-h*0.5, h*0.1, h*0.13))
	}
	return p
}

// crowd is people of about height h standing between x0 and x1, each with its feet near y.
func (c *canvas) crowd(x0, x1, y, h float64, n int) path {
	var p path
	for i := range n {
		t := (float64(i) + c.between(0.1, 0.9)) / float64(n)
		p.add(c.person(lerp(x0, x1, t), y+c.between(-0.05, 0.05)*h, h*c.between(0.88, 1.08)))
	}
	return p
}

// shadow is what a thing of width w and height h at (x, y) throws on the ground, away from the light.
func (c *canvas) shadow(x, y, w, h float64) path {
	l := map[hour]float64{dawn: 1.5, noon: 0.5, dusk: 1.6, night: 0.8, overcast: 0.25}[c.hour] * h
	return poly(x-w/2, y, x+w/2, y, x+w/2-c.side*l, y+l*0.2, x-w/2-c.side*l, y+l*0.2)
}

// people prints figures with their shadows.
func (c *canvas) people(y, h float64, k ink, xs ...float64) {
	var figures, shadows path
	for _, x := range xs {
		figures.add(c.person(x, y, h))
		shadows.add(c.shadow(x, y, h*0.2, h))
	}
	c.stipple(c.black, shadows, flat(0.5))
	c.fill(k, figures)
}

// blob is a rounded clump with an uneven edge.
func (c *canvas) blob(cx, cy, rx, ry, rough float64) path {
	at := c.between(0, 1e4)
	n := 18 + int(math.Sqrt(max(rx, ry))*4)
	pts := make([]pt, n)
	for i := range pts {
		s, k := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		r := 1 + rough*(noise(c.seed+60, at+k*1.7, s*1.7)+0.6*noise(c.seed+61, at+k*5, s*5))
		pts[i] = pt{cx + rx*r*k, cy + ry*r*s}
	}
	return path{{pts: pts}}
}

// tree is a broad crown on a trunk, lit from the light's side.
func (c *canvas) tree(x, y, h float64, k ink) {
	c.fill(mix(k, c.black, 0.5), taper(h*0.05, h*0.025, x, y, x, y-h*0.5), taper(h*0.03, h*0.01, x, y-h*0.3, x+h*0.12, y-h*0.5))
	crown := c.blob(x, y-h*0.66, h*0.3, h*0.34, 0.2)
	c.fill(k, crown)
	c.stipple(mix(k, c.light, 0.4), crown, around(x+c.side*h*0.22, y-h*0.85, h*0.45, 0.75, 0))
	c.stipple(mix(k, c.black, 0.65), crown, around(x+c.side*h*0.18, y-h*0.85, h*0.75, -0.6, 0.85))
}

// conifer is a stack of ragged skirts.
func (c *canvas) conifer(x, y, h float64) path {
	p := line(h*0.04, x, y, x, y-h*0.3)
	tiers := 5
	for i := range tiers {
		t := float64(i) / float64(tiers)
		top, foot := y-h+t*h*0.7, y-h*0.66+t*h*0.56
		w := h * (0.07 + 0.17*t) * c.between(0.85, 1.15)
		p.add(poly(x, top, x+w, foot+h*0.02, x+w*0.4, foot-h*0.02, x, foot+h*0.01, x-w*0.45, foot-h*0.02, x-w, foot+h*0.015))
	}
	return p
}

// poplar is a narrow tree.
func (c *canvas) poplar(x, y, h float64) path {
	p := line(h*0.04, x, y, x, y-h*0.25)
	p.add(c.blob(x, y-h*0.55, h*0.11, h*0.44, 0.14))
	return p
}

// bare is a leafless tree, branching n times.
func (c *canvas) bare(x, y, h, lean float64, n int) path {
	x1, y1 := x+math.Sin(lean)*h, y-math.Cos(lean)*h
	p := taper(h*0.1, h*0.055, x, y, x1, y1)
	if n > 0 {
		for _, d := range []float64{-0.48, 0.1, 0.52} {
			p.add(c.bare(x1, y1, h*c.between(0.55, 0.75), lean+d+c.between(-0.15, 0.15), n-1))
		}
	}
	return p
}

// front is a flat wall with grain gathering on the side turned from the light.
func (c *canvas) front(x, y, w, h float64, k ink) {
	p := rect(x, y, w, h)
	c.fill(k, p)
	c.shadeAway(p, x, w, k)
}

// shadeAway darkens a shape from the light's side to the other.
func (c *canvas) shadeAway(p path, x, w float64, k ink) {
	dark := mix(k, c.black, 0.42)
	if c.side < 0 {
		c.stipple(dark, p, across(x+w*0.35, 0, x+w, 0.6))
	} else {
		c.stipple(dark, p, across(x, 0.6, x+w*0.65, 0))
	}
}

// round shades a cylinder or sphere: light a third of the way in, reflected light at the far edge.
func (c *canvas) round(p path, x, w float64, k ink) {
	c.fill(k, p)
	lit, far := x+w*0.3, x+w
	if c.side > 0 {
		lit, far = x+w*0.7, x
	}
	dark := mix(k, c.black, 0.55)
	c.stipple(dark, p, func(px, _ float64) float64 {
		d := (px - lit) / (far - lit)
		if d < 0 {
			return -d * 0.5
		}
		return min(d*1.05, 0.86) - 0.35*clamp((d-0.82)/0.18, 0, 1)
	})
}

// windows sets nx × ny openings in a rectangle, each filling fw × fh of its cell; some are lit by the hour.
func (c *canvas) windows(x, y, w, h float64, nx, ny int, fw, fh float64) {
	odds := map[hour]float64{dawn: 0.12, dusk: 0.4, night: 0.45, overcast: 0.08}[c.hour]
	c.openings(x, y, w, h, nx, ny, fw, fh, odds)
}

func (c *canvas) openings(x, y, w, h float64, nx, ny int, fw, fh, odds float64) {
	var lit, unlit path
	cw, ch := w/float64(nx), h/float64(ny)
	for j := range ny {
		for i := range nx {
			p := rect(x+(float64(i)+(1-fw)/2)*cw, y+(float64(j)+(1-fh)/2)*ch, cw*fw, ch*fh)
			if c.chance(odds) {
				lit.add(p)
			} else {
				unlit.add(p)
			}
		}
	}
	c.fill(c.glass(), unlit)
	c.fill(c.lamp(), lit)
}

// house is a gabled house seen from its long side, base at y: walls, roof, a chimney, windows, a door.
func (c *canvas) house(x, y, w, h float64, k, roof ink) {
	c.front(x, y-h*0.6, w, h*0.6, k)
	r := poly(x-w*0.05, y-h*0.58, x+w*0.1, y-h, x+w*0.9, y-h, x+w*1.05, y-h*0.58)
	c.fill(roof, r)
	c.lines(mix(roof, c.black, 0.5), r, flat(0.22))
	cx := x + w*c.between(0.2, 0.8)
	c.fill(mix(roof, c.black, 0.35), rect(cx, y-h*1.12, w*0.07, h*0.2))
	n := max(2, int(w/(h*0.34)))
	c.windows(x+w*0.06, y-h*0.48, w*0.88, h*0.26, n, 1, 0.4, 0.95)
	c.fill(c.plane(0.1), rect(x+w*c.between(0.3, 0.6), y-h*0.27, h*0.13, h*0.27))
}

// terrace is a row of town houses of different heights along y.
func (c *canvas) terrace(x0, x1, y, h, d float64) {
	air := c.plane(1)
	for x := x0; x < x1; {
		w := c.between(0.55, 1.05) * h
		t := h * c.between(0.75, 1.15)
		k := mix(c.wall(), c.brick(), []float64{0, 0.12, 0.3, 0.5}[c.rng.IntN(4)])
		k = mix(k, air, d)
		c.front(x, y-t, w+1, t, k)
		roof := mix(mix(c.brick(), c.black, 0.3), air, d)
		if c.chance(0.5) {
			c.fill(roof, poly(x-3, y-t, x+w*0.5, y-t-h*0.28, x+w+3, y-t))
		} else {
			c.fill(roof, poly(x-3, y-t, x+w*0.1, y-t-h*0.17, x+w*0.9, y-t-h*0.17, x+w+3, y-t))
			c.fill(mix(roof, c.black, 0.3), rect(x+w*c.between(0.2, 0.7), y-t-h*0.27, h*0.08, h*0.15))
		}
		c.windows(x+w*0.08, y-t*0.95, w*0.84, t*0.72, 2+c.rng.IntN(2), 3, 0.4, 0.6)
		c.fill(mix(k, c.black, 0.25), rect(x, y-t-3, w, 6))
		x += w
	}
}

// lattice is a braced mast or jib from (x0, y0), w0 wide, to (x1, y1), w1 wide, in n panels.
func lattice(x0, y0, w0, x1, y1, w1 float64, n int, thick float64) path {
	l := math.Hypot(x1-x0, y1-y0)
	nx, ny := -(y1-y0)/l/2, (x1-x0)/l/2
	at := func(t, side float64) (float64, float64) {
		w := lerp(w0, w1, t) * side
		return lerp(x0, x1, t) + nx*w, lerp(y0, y1, t) + ny*w
	}
	var p path
	ax, ay := at(0, -1)
	bx, by := at(0, 1)
	for i := range n {
		t := float64(i+1) / float64(n)
		dx, dy := at(t, -1)
		ex, ey := at(t, 1)
		p.add(line(thick, ax, ay, dx, dy), line(thick, bx, by, ex, ey), line(thick*0.7, ax, ay, ex, ey),
			line(thick*0.7, bx, by, dx, dy), line(thick*0.7, dx, dy, ex, ey))
		ax, ay, bx, by = dx, dy, ex, ey
	}
	return p
}

// smoke is a plume from (x, y), carried off and thinning.
func (c *canvas) smoke(x, y, size, dir float64, k ink) {
	var p path
	for i := range 11 {
		t := float64(i) / 10
		p.add(c.blob(x+dir*size*(0.2*t+3.4*t*t), y-size*(2.4*t-0.7*t*t), size*(0.16+0.62*t), size*(0.15+0.36*t), 0.22))
	}
	c.stipple(k, p, around(x, y, size*5, 1.25, 0.1))
}

// pole is a telegraph pole with two arms; wires hang between the tips poleTips reports.
func pole(x, y, h float64) path {
	p := taper(h*0.035, h*0.022, x, y, x, y-h)
	p.add(line(h*0.02, x-h*0.14, y-h*0.93, x+h*0.14, y-h*0.93), line(h*0.02, x-h*0.1, y-h*0.84, x+h*0.1, y-h*0.84))
	return p
}

// polesAlong stands n poles from (x0, y0) to (x1, y1), their heights falling from h0 to h1, and wires them.
func polesAlong(x0, y0, h0, x1, y1, h1 float64, n int) path {
	var p path
	var px, py, ph float64
	for i := range n {
		s := float64(i) / float64(n-1)
		t := 1 - math.Pow(1-s, 2.2) // farther poles crowd
		x, y, h := lerp(x0, x1, t), lerp(y0, y1, t), lerp(h0, h1, t)
		p.add(pole(x, y, h))
		if i > 0 {
			for _, a := range []float64{-0.13, 0.13} {
				p.add(taper(max(1, ph*0.007), max(0.8, h*0.007), sag(px+a*ph, py-ph*0.95, x+a*h, y-h*0.95, ph*0.07)...))
			}
		}
		px, py, ph = x, y, h
	}
	return p
}

// fence is posts and two rails between two points, shrinking with distance.
func fence(x0, y0, h0, x1, y1, h1 float64, n int) path {
	var p path
	for i := range n + 1 {
		t := 1 - math.Pow(1-float64(i)/float64(n), 1.8)
		x, y, h := lerp(x0, x1, t), lerp(y0, y1, t), lerp(h0, h1, t)
		p.add(line(h*0.1, x, y, x, y-h))
	}
	p.add(taper(h0*0.06, h1*0.06, x0, y0-h0*0.85, x1, y1-h1*0.85), taper(h0*0.06, h1*0.06, x0, y0-h0*0.45, x1, y1-h1*0.45))
	return p
}

// truck is a lorry of length l on wheels at y, facing dir.
func (c *canvas) truck(x, y, l, dir float64, box ink) {
	h := l * 0.38
	c.fill(box, rect(x-l/2, y-h*1.05, l*0.7, h*0.9).mirrorIf(dir < 0, x))
	c.dots(mix(box, c.black, 0.5), rect(x-l/2, y-h*1.05, l*0.7, h*0.9).mirrorIf(dir < 0, x), down(y-h, 0, y, 0.6))
	c.fill(c.plane(0.15), poly(x+l*0.22, y-h*0.15, x+l*0.22, y-h*0.85, x+l*0.4, y-h*0.85, x+l*0.5, y-h*0.45, x+l*0.5, y-h*0.15).mirrorIf(dir < 0, x))
	c.fill(c.lamp(), poly(x+l*0.29, y-h*0.48, x+l*0.29, y-h*0.75, x+l*0.38, y-h*0.75, x+l*0.44, y-h*0.48).mirrorIf(dir < 0, x))
	wheels := oval(x-l*0.3, y-h*0.1, h*0.16, h*0.16)
	wheels.add(oval(x-l*0.12, y-h*0.1, h*0.16, h*0.16), oval(x+l*0.34, y-h*0.1, h*0.16, h*0.16))
	c.fill(c.black, rect(x-l*0.48, y-h*0.18, l*0.9, h*0.08).mirrorIf(dir < 0, x), wheels.mirrorIf(dir < 0, x))
}

// mirrorIf mirrors p in x when it should face the other way.
func (p path) mirrorIf(yes bool, x float64) path {
	if yes {
		return p.mirror(x)
	}
	return p
}
