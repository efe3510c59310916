package picture

import "math"

// silos: a grain elevator on the plain at harvest.
func silos(c *canvas) {
	const y = 770
	c.heaven(y - 20)
	c.hills(y-24, 40, 520, 0.85)
	c.earth(y - 20)
	s := -c.side
	x0 := 750 - s*100
	k := c.wall()
	c.birds(750-s*380, 260, 7)
	// The head house and its gallery.
	c.front(x0+s*330-60, 190, 120, y-190, mix(k, c.body, 0.2))
	c.fill(c.brick(), poly(x0+s*330-72, 194, x0+s*330, 140, x0+s*330+72, 194))
	c.windows(x0+s*330-40, 220, 80, 420, 2, 7, 0.34, 0.36)
	gx0, gx1 := min(x0-s*330, x0+s*330), max(x0-s*330, x0+s*330)
	for i := range 5 {
		x := gx0 + 20 + (gx1-gx0-150)*float64(i)/4
		if s < 0 {
			x += 90
		}
		body := rect(x-62, 372, 124, y-372)
		c.round(body, x-62, 124, k)
		cone := poly(x-68, 376, x, 318, x+68, 376)
		c.round(cone, x-68, 136, mix(k, c.brick(), 0.35))
		var hoops path
		for yy := 420.0; yy < y; yy += 58 {
			hoops.add(rect(x-62, yy, 124, 2.6))
		}
		c.fill(mix(k, c.body, 0.5), hoops)
		c.fill(c.plane(0.12), archway(x-15, y-46, 30, 46))
	}
	c.fill(c.plane(0.3), lattice(gx0-10, 306, 34, gx1+10, 306, 34, 22, 5), lattice(x0-s*430, y, 30, x0-s*350, 306, 22, 10, 4))
	c.front(x0-s*480-70, y-100, 140, 102, mix(c.brick(), k, 0.2))
	c.fill(c.plane(0.2), poly(x0-s*480-84, y-98, x0-s*480-60, y-142, x0-s*480+60, y-142, x0-s*480+84, y-98))
	// The yard.
	c.stipple(c.black, poly(gx0, y, gx1+60, y, gx1+60-c.side*300, y+74, gx0-c.side*300, y+74), down(y, 0.45, y+74, 0.2))
	c.truck(x0-s*250, 850, 210, -s, c.brick())
	c.people(868, 84, c.black, x0+s*70, x0+s*104, x0-s*420)
	var wheat path
	for range 320 {
		x := c.between(-20, 1520)
		yy := c.between(985, 1060)
		wheat.add(taper(4, 2, x, yy, x+c.between(-10, 10), yy-c.between(40, 96)))
	}
	gold := mix(c.ground(0.2), hex(0xB98A35), 0.6)
	if c.hour == night {
		gold = mix(c.body, c.glow, 0.3)
	}
	field := c.ridge(935, 8, 120)
	c.fill(gold, field)
	c.stipple(mix(gold, c.black, 0.55), field, down(930, 0.12, 1050, 0.85))
	c.fill(mix(gold, c.black, 0.62), wheat)
	c.fill(mix(gold, c.light, 0.25), wheat.move(9, 14))
}

// railyard: tracks gathering towards a signal bridge, wagons waiting.
func railyard(c *canvas) {
	const h = 590
	c.heaven(h)
	c.hills(h-6, 60, 400, 0.86)
	s := -c.side
	vx := 750 + c.side*130
	c.terrace(-40, vx-330, h+8, 76, 0.66)
	c.terrace(vx+330, 1560, h+8, 76, 0.66)
	c.fill(c.ground(0.25), rect(-40, h, 1580, 500))
	ballast := rect(-40, h, 1580, 500)
	c.stipple(c.plane(0.3), ballast, down(h, 0.05, 1040, 0.8))
	at := func(lane, z float64) (float64, float64) { return vx + lane*z, h + 4 + 470*z }
	for lane := -3.0; lane <= 3; lane++ {
		var sleepers, rails path
		for i := range 40 {
			z := 0.02 * math.Pow(60, float64(i)/39)
			x, y := at(lane*300, z)
			sleepers.add(poly(x-92*z, y, x+92*z, y, x+95*z, y+9*z+1, x-95*z, y+9*z+1))
		}
		for _, g := range []float64{-58, 58} {
			x, y := at(lane*300+g, 1.25)
			x0, y0 := at(lane*300+g, 0.012)
			rails.add(taper(1.6, 13, x0, y0, x, y))
		}
		c.fill(c.plane(0.2), sleepers)
		c.fill(c.black, rails.move(2, 3))
		c.fill(mix(c.glow, c.light, 0.4), rails)
	}
	// A rake of wagons on the outer lane, seen along its flank.
	lane := s * 640.0
	k := c.boxes()
	for i := range 8 {
		z0, z1 := 0.03*math.Pow(1.62, float64(i)), 0.03*math.Pow(1.62, float64(i)+0.93)
		xa, ya := at(lane, z0)
		xb, yb := at(lane, z1)
		top := func(z float64) float64 { return h + 4 + 470*z - 380*z }
		q := mix(k[(i*5+int(c.seed%3))%len(k)], c.plane(0.8), 0.45*(1-float64(i)/8))
		flank := poly(xa, top(z0), xb, top(z1), xb, yb-44*z1, xa, ya-44*z0)
		end := poly(xa, top(z0), xa+s*190*z0, top(z0), xa+s*190*z0, ya-44*z0, xa, ya-44*z0)
		face := poly(xb, top(z1), xb+s*200*z1, top(z1), xb+s*200*z1, yb-44*z1, xb, yb-44*z1)
		c.fill(mix(q, c.black, 0.4), end, face)
		c.fill(q, flank)
		c.stipple(mix(q, c.black, 0.5), flank, down(top(z1), 0.05, yb, 0.55))
		var ribs, wheels path
		for j := range 8 {
			t := float64(j+1) / 9
			x, y0, y1 := lerp(xa, xb, t), lerp(top(z0), top(z1), t), lerp(ya-44*z0, yb-44*z1, t)
			ribs.add(line(1+6*z1, x, y0, x, y1))
		}
		for _, t := range []float64{0.14, 0.26, 0.74, 0.86} {
			z := lerp(z0, z1, t)
			wheels.add(oval(lerp(xa, xb, t), h+4+470*z-24*z, 20*z, 34*z))
		}
		c.fill(mix(q, c.black, 0.3), ribs)
		c.fill(c.black, wheels, poly(xa, ya-46*z0, xb, yb-46*z1, xb, yb-30*z1, xa, ya-30*z0))
	}
	// The overhead line and the signals.
	for _, z := range []float64{0.07, 0.13, 0.24, 0.46} {
		x0, y := at(-560, z)
		x1, _ := at(560, z)
		top := y - 620*z
		p := line(1+13*z, x0, y, x0, top)
		p.add(line(1+13*z, x1, y, x1, top), lattice(x0, top+24*z, 46*z, x1, top+24*z, 46*z, 16, 0.8+5*z))
		for _, l := range []float64{-300, 0, 300} {
			x, _ := at(l, z)
			p.add(line(0.8+5*z, x, top+40*z, x, top+104*z))
		}
		c.fill(c.plane(0.12), p)
		sig := path{}
		lamp := path{}
		for i, l := range []float64{-150, 150} {
			x, _ := at(l, z)
			sig.add(rect(x-26*z, top-90*z, 52*z, 110*z))
			lamp.add(oval(x, top-60*z+44*z*float64(i), 14*z, 14*z))
		}
		c.fill(c.black, sig)
		c.fill(c.lamp(), lamp)
	}
	for _, l := range []float64{-300, 300} {
		x0, y0 := at(l, 0.03)
		x1, y1 := at(l, 5)
		c.fill(c.plane(0.1), taper(1, 7, x0, y0-560*0.03, x1, y1-560*5))
	}
	c.people(836, 128, c.black, vx-s*345)
	c.people(690, 52, c.black, vx+s*62)
}

// refinery: columns, tanks and a flare across a lagoon.
func refinery(c *canvas) {
	const y = 740
	c.heaven(y)
	c.hills(y-10, 50, 420, 0.86)
	s := c.side
	far := c.plane(0.66)
	var back path
	for i := range 11 {
		x := 120 + 125*float64(i) + c.between(-30, 30)
		w, h := c.between(14, 34), c.between(120, 330)
		back.add(rect(x-w/2, y-h, w, h), rect(x-w, y-h*0.6, w*2, 4))
		if i%3 == 0 {
			back.add(lattice(x+44, y, 34, x+44, y-h*0.8, 22, 7, 4))
		}
	}
	back.add(rect(60, y-56, 1380, 5), rect(60, y-84, 1380, 4), rect(100, y-120, 900, 4))
	c.fill(far, back)
	c.smoke(750-s*120, y-330, 60, -s, c.plane(0.82))
	var lamps path
	near := mix(c.wall(), c.body, 0.2)
	if c.hour == night {
		near = mix(c.body, c.glow, 0.4)
	}
	for i, q := range []struct{ x, w, h float64 }{{-40, 64, 470}, {70, 44, 380}, {150, 78, 300}, {-150, 48, 330}, {-240, 70, 240}} {
		x := 750 + s*60 + q.x
		p := rect(x-q.w/2, y-q.h, q.w, q.h)
		p.add(dome(x, y-q.h+1, q.w/2, q.w*0.4))
		c.round(p, x-q.w/2, q.w, mix(near, c.brick(), float64(i%2)*0.25))
		var steel path
		for yy := y - q.h + 30; yy < y-40; yy += 72 {
			steel.add(rect(x-q.w*0.72, yy, q.w*1.44, 5), line(2, x-q.w*0.7, yy-18, x+q.w*0.7, yy-18), line(2, x-q.w*0.7, yy, x-q.w*0.7, yy-18), line(2, x+q.w*0.7, yy, x+q.w*0.7, yy-18))
		}
		steel.add(line(4, x+q.w*0.62, y, x+q.w*0.62, y-q.h-20, x+q.w*0.2, y-q.h-34))
		c.fill(c.plane(0.18), steel)
		for range 9 {
			lamps.add(oval(x+c.between(-0.6, 0.6)*q.w, y-c.between(30, q.h-20), 3, 3))
		}
	}
	// Flare.
	fx := 750 - s*330
	c.fill(c.plane(0.25), lattice(fx, y, 60, fx, 250, 14, 13, 5), rect(fx-6, 205, 12, 60))
	if c.dark() {
		c.stipple(c.accent, oval(fx-s*30, 165, 210, 180), around(fx-s*30, 165, 200, 0.6, 0))
	}
	flame := path{{pts: []pt{{fx - 8, 208}, {fx + 8, 208}, {fx + 22 - s*6, 172}, {fx - s*40 + 8, 140}, {fx - s*96, 96}, {fx - s*62, 140}, {fx - s*30 - 12, 158}, {fx - 18, 176}}}}
	c.fill(mix(c.brick(), hex(0xD9743A), 0.6), flame)
	c.fill(c.lamp(), oval(fx-s*6, 182, 10, 20))
	// Tanks and pipe bridge.
	for i, x := range []float64{750 + s*330, 750 + s*500, 750 + s*660, 750 - s*620, 750 - s*480} {
		h := 96.0 + 30*float64(i%2)
		p := rect(x-74, y-h, 148, h)
		p.add(dome(x, y-h+1, 74, 18))
		c.round(p, x-74, 148, c.wall())
		c.fill(c.plane(0.3), line(3, x-60, y, x+60, y-h))
	}
	var pipes path
	for i := range 4 {
		pipes.add(rect(-40, y-44+float64(i)*9, 1580, 5))
	}
	for x := -10.0; x < 1520; x += 96 {
		pipes.add(rect(x, y-50, 7, 54))
	}
	c.fill(c.plane(0.22), pipes)
	if c.hour != noon {
		c.fill(c.lamp(), lamps)
	}
	c.fill(c.plane(0.1), c.ridge(y+6, 5, 90))
	c.water(y + 22)
	c.reflect(750+s*40, y+24, 420, 130, c.plane(0.16))
	c.reflect(fx, y+24, 60, 150, c.plane(0.22))
	bank := c.ridge(962, 12, 200)
	c.fill(c.black, bank, fence(-20, 985, 84, 1520, 975, 84, 26))
	c.fill(c.black, c.person(750-s*420, 985, 128), c.person(750-s*480, 985, 120))
}

// pipeline: a pipe running out over the plain to the hills.
func pipeline(c *canvas) {
	const h = 640
	c.heaven(h)
	p, crest := c.peaks(600, 130, 420)
	c.fill(c.plane(0.88), p)
	c.snowcaps(p, crest, 600, 130)
	c.hills(h-6, 40, 360, 0.7)
	c.earth(h)
	s := -c.side
	vx := 750 - s*260
	k := mix(c.wall(), c.body, 0.12)
	at := func(z float64) (x, y, r float64) {
		return vx + s*1050*z + s*130*math.Sin(z*2.4)*(1-z*0.2), h + 10 + 240*z, 128*z + 1.5
	}
	const n = 60
	var up, low []pt
	for i := range n + 1 {
		z := 0.012 * math.Pow(110, float64(i)/n)
		x, y, r := at(z)
		up = append(up, pt{x, y - r})
		low = append([]pt{{x, y + r}}, low...)
	}
	tube := path{{pts: append(append([]pt(nil), up...), low...)}}
	shadow := tube.each(func(q pt) pt { return pt{q.x - c.side*40*(q.y-h)/300, h + 14 + (q.y-h-10)*1.5} })
	c.stipple(c.black, shadow, down(h, 0.25, 900, 0.62))
	var props path
	for i := range 9 {
		z := 0.05 * math.Pow(1.48, float64(i))
		x, y, r := at(z)
		props.add(poly(x-r*0.6, y, x+r*0.6, y, x+r*0.85, y+r*2.3, x-r*0.85, y+r*2.3), rect(x-r*1.2, y+r*2.2, r*2.4, r*0.28))
	}
	c.fill(c.plane(0.16), props)
	c.fill(k, tube)
	depth := func(x float64) float64 { // invert at by bisection: which z is at this x
		lo, hi := 0.0, 1.6
		for range 18 {
			m := (lo + hi) / 2
			if mx, _, _ := at(m); (mx-x)*s < 0 {
				lo = m
			} else {
				hi = m
			}
		}
		return lo
	}
	var zs [1700]float64
	for i := range zs {
		zs[i] = depth(float64(i) - 100)
	}
	c.stipple(mix(k, c.black, 0.62), tube, func(x, y float64) float64 {
		_, cy, r := at(zs[int(clamp(x+100, 0, 1699))])
		v := (y - cy) / r
		return 0.36 + 0.75*v - 0.5*clamp(v-0.72, 0, 0.3)
	})
	c.stipple(c.light, tube, func(x, y float64) float64 {
		_, cy, r := at(zs[int(clamp(x+100, 0, 1699))])
		return 0.7 - math.Abs((y-cy)/r+0.5)*4
	})
	var bands path
	for i := range 12 {
		z := 0.04 * math.Pow(1.36, float64(i))
		x, y, r := at(z)
		bands.add(rect(x-r*0.09, y-r*1.05, r*0.18, r*2.1))
	}
	c.fill(mix(c.brick(), c.black, 0.15), bands)
	// A valve with its wheel, and the people who mind it.
	x, y, r := at(0.42)
	c.fill(c.black, rect(x-r*0.16, y-r*2.2, r*0.32, r*1.3))
	c.fill(c.brick(), ring(x, y-r*2.5, r*0.72, r*0.15), line(r*0.1, x-r*0.66, y-r*2.5, x+r*0.66, y-r*2.5), line(r*0.1, x, y-r*3.15, x, y-r*1.85))
	c.people(900, 175, c.black, vx+s*120, vx+s*200)
	c.people(706, 50, c.plane(0.1), vx+s*20)
	c.truck(vx-s*170, 790, 170, s, c.brick())
	c.fill(c.plane(0.2), polesAlong(vx-s*560, 900, 330, vx-s*20, h+6, 14, 7))
	c.birds(750+s*220, 300, 5)
}
