package picture

import "math"

// snowcaps lays snow on the crest of a range: a ragged lower edge, the lit flanks only.
func (c *canvas) snowcaps(range_ path, crest func(float64) float64, y, amp float64) {
	snow := c.light
	if c.dark() {
		snow = mix(c.light, c.sky, 0.35)
	}
	// A flank faces the light when the crest above it falls towards the light. Flanks lean and their edges are
	// broken, or the range would look folded from paper.
	facing := func(px, py float64) float64 {
		drop := py - crest(px)
		q := px + c.side*drop*0.34 + 16*noise(c.seed+72, px/30, py/30) + 7*noise(c.seed+73, px/9, py/12)
		return (crest(q+16) - crest(q-16)) * c.side
	}
	c.stipple(snow, range_, func(px, py float64) float64 {
		if py > y+amp*0.4 { // below the snow line, whatever the noise says
			return 0
		}
		slope := facing(px, py)
		d := (y - amp*0.42 - py) / (amp * 0.5)
		d += 0.55*noise(c.seed+70, px/26, py/60) + 0.3*noise(c.seed+71, px/9, py/20)
		if slope < 0 {
			d -= 0.75
		}
		return clamp(d*2.4, 0, 1.2)
	})
	c.stipple(c.plane(0.5), range_, func(px, py float64) float64 {
		d := clamp(0.55-(py-crest(px))/(amp*1.3), 0, 0.6)
		if d == 0 || facing(px, py) > 0 {
			return 0
		}
		return d
	})
}

// mountains: a range over a lake, firs and a hut.
func mountains(c *canvas) {
	c.heaven(560)
	far, crest := c.peaks(500, 330, 520)
	c.fill(c.plane(0.86), far)
	c.snowcaps(far, crest, 500, 330)
	near, crest2 := c.peaks(590, 210, 360)
	c.fill(c.plane(0.64), near)
	c.snowcaps(near, crest2, 520, 150)
	c.stipple(c.plane(0.95), everything(), func(_, y float64) float64 {
		return 0.8 - math.Abs(y-640)/70
	})
	c.hills(650, 60, 260, 0.46)
	c.water(690)
	c.reflect(750+c.side*90, 694, 700, 90, mix(c.body, c.black, 0.2))
	s := -c.side
	bank := c.ridge(890, 26, 320)
	c.fill(c.plane(0.14), bank)
	hx := 750 + s*250
	c.house(hx, 880, 120, 84, c.shade(), c.plane(0.1))
	c.fill(c.lamp(), rect(hx+22, 848, 16, 15), rect(hx+78, 848, 16, 15))
	c.smoke(hx+70, 786, 26, c.side, mix(c.light, c.sky, 0.5))
	var firs path
	for i := range 11 {
		x := 750 + s*(420+36*float64(i))
		firs.add(c.conifer(x+c.between(-12, 12), 960+c.between(-30, 40), c.between(170, 300)+18*float64(i)))
	}
	for i := range 4 {
		firs.add(c.conifer(750-s*(560+64*float64(i)), 1010, c.between(150, 260)))
	}
	c.fill(c.black, firs)
	c.fill(c.black, c.person(hx-s*90, 898, 48))
	c.birds(750-c.side*60, 200, 4)
}

// orchard: rows of fruit trees, pickers at work.
func orchard(c *canvas) {
	c.heaven(430)
	c.hills(430, 80, 380, 0.85)
	c.hills(452, 46, 240, 0.62)
	c.earth(450)
	vx := 750 + c.side*190
	leaf := mix(mix(c.body, hex(0x5C6B3C), 0.4), c.black, 0.12)
	if c.hour == night {
		leaf = mix(c.body, c.sky, 0.4)
	}
	for r := range 4 { // lanes of grass between the rows
		x := vx + (float64(r)-1.5)*1150
		c.stipple(mix(c.ground(0.6), c.light, 0.2), poly(vx-6, 462, vx+6, 462, x+260, 1060, x-260, 1060), down(470, 0.75, 1000, 0.3))
	}
	for i := range 7 {
		t := float64(i) / 6
		z := math.Pow(t, 1.9)
		y, h := 474+440*z, 52+410*z
		for r := -4; r <= 4; r++ {
			x := vx + (float64(r)+0.5)*(86+700*z)
			if x < -300 || x > 1800 {
				continue
			}
			k := mix(leaf, c.plane(0.8), 0.6*(1-t)*(1-t))
			c.stipple(c.black, oval(x-c.side*h*0.2, y+h*0.01, h*0.42, h*0.07), around(x-c.side*h*0.1, y, h*0.45, 0.55, 0.1))
			c.tree(x, y, h, k)
			var fruit path
			for range 9 {
				a, q := c.between(0, 6.3), math.Sqrt(c.rng.Float64())
				fruit.add(oval(x+math.Cos(a)*q*h*0.26, y-h*0.64+math.Sin(a)*q*h*0.29, h*0.02, h*0.021))
			}
			c.fill(mix(c.brick(), c.plane(0.8), 0.4*(1-t)), fruit)
		}
	}
	px := vx - c.side*215
	c.fill(c.black, line(7, px-40, 915, px+28, 640), line(7, px+6, 915, px+52, 640))
	for i := range 7 {
		t := float64(i) / 7
		c.fill(c.black, line(5, lerp(px-36, px+28, t), lerp(895, 640, t), lerp(px+10, px+52, t), lerp(895, 640, t)))
	}
	c.fill(c.black, c.person(px+24, 775, 165))
	c.people(930, 190, c.black, px-150)
	c.people(640, 84, c.plane(0.15), vx+c.side*40)
	c.basket(px-70, 945, 64)
	c.basket(px+120, 965, 76)
}

// basket is full of fruit.
func (c *canvas) basket(x, y, w float64) {
	var fruit path
	for i := range 9 {
		fruit.add(oval(x+w*(float64(i%5)/5-0.4), y-w*0.5-float64(i/5)*w*0.1, w*0.11, w*0.11))
	}
	c.fill(c.brick(), fruit)
	p := poly(x-w*0.55, y-w*0.48, x+w*0.55, y-w*0.48, x+w*0.42, y, x-w*0.42, y)
	c.fill(c.shade(), p)
	c.lines(c.black, p, flat(0.45))
}

// steppe: the road under a very large sky.
func steppe(c *canvas) {
	const h = 720
	c.heaven(h)
	c.hills(h-4, 26, 520, 0.88)
	c.earth(h)
	vx := 750 + c.side*150
	road := path{{pts: []pt{{vx - 3, h + 3}, {vx + 4, h + 3}, {vx + 40, 790}, {vx + 150 - c.side*120, 900}, {vx + 520 - c.side*300, 1060}, {vx - 200 - c.side*300, 1060}, {vx - 60 - c.side*120, 900}, {vx + 6, 790}}}}
	c.fill(mix(c.ground(0.6), c.light, 0.35), road)
	c.stipple(mix(c.ground(0), c.black, 0.2), road, down(800, 0.1, 1040, 0.5))
	c.fill(c.plane(0.12), polesAlong(vx-c.side*640, 980, 520, vx-c.side*24, h+6, 16, 8))
	var herd path
	for range 7 {
		x, y := vx+c.side*c.between(220, 480), h+c.between(34, 62)
		herd.add(c.horse(x, y, c.between(26, 34), c.chance(0.5)))
	}
	c.fill(c.plane(0.1), herd)
	c.rider(vx+c.side*70-30, 890, 88)
	var grass path
	for range 130 {
		x := c.between(-20, 1520)
		y := 1010 + c.between(0, 50)
		grass.add(taper(5, 1, x, y, x+c.between(-26, 10)*c.side, y-c.between(30, 100)))
	}
	c.fill(mix(c.black, c.body, 0.15), grass)
	c.birds(vx-c.side*260, 300, 5)
}

// horse stands h high at the shoulder with its hooves at y.
func (c *canvas) horse(x, y, h float64, left bool) path {
	p := oval(x, y-h*0.72, h*0.5, h*0.2)
	p.add(oval(x-h*0.38, y-h*0.74, h*0.2, h*0.21))
	head := []float64{0.86, 1.26}
	if c.chance(0.5) {
		head = []float64{1, 0.62}
	}
	p.add(poly(x+h*0.28, y-h*0.84, x+h*0.46, y-h*0.6, x+h*(head[0]-0.22), y-h*(head[1]-0.26), x+h*(head[0]-0.32), y-h*head[1]))
	p.add(poly(x+h*(head[0]-0.36), y-h*(head[1]+0.04), x+h*(head[0]-0.18), y-h*(head[1]-0.02), x+h*head[0], y-h*(head[1]-0.26), x+h*(head[0]-0.1), y-h*(head[1]-0.3)))
	for _, f := range []float64{-0.44, -0.32, 0.3, 0.42} {
		p.add(taper(h*0.12, h*0.06, x+h*f, y-h*0.66, x+h*(f+c.between(-0.06, 0.06)), y))
	}
	p.add(taper(h*0.1, h*0.03, x-h*0.5, y-h*0.8, x-h*0.62, y-h*0.3))
	return p.mirrorIf(left, x)
}

// rider is a horseman h high at the horse's shoulder.
func (c *canvas) rider(x, y, h float64) {
	c.stipple(c.black, c.shadow(x, y, h*0.8, h*1.5), flat(0.45))
	p := c.horse(x, y, h, false)
	p.add(oval(x, y-h*1.62, h*0.09, h*0.11), poly(x-h*0.14, y-h*1.5, x+h*0.12, y-h*1.5, x+h*0.16, y-h*0.85, x-h*0.2, y-h*0.85),
		rect(x-h*0.13, y-h*1.73, h*0.26, h*0.06), taper(h*0.13, h*0.08, x-h*0.02, y-h*0.9, x+h*0.1, y-h*0.4), line(h*0.06, x+h*0.05, y-h*1.35, x+h*0.34, y-h*1.02))
	c.fill(c.black, p)
}

// greenhouse: the long middle aisle of a glasshouse.
func greenhouse(c *canvas) {
	c.heaven(560)
	c.hills(560, 60, 300, 0.85)
	vx, vy := 750+c.side*110, 520.0
	floor := poly(-40, 1060, vx-40, vy+30, vx+40, vy+30, 1540, 1060)
	c.fill(c.ground(0.2), rect(-40, vy+30, 1580, 560))
	c.fill(mix(c.ground(0.5), c.light, 0.45), poly(vx-8, vy+30, vx+8, vy+30, vx+128, 1060, vx-128, 1060))
	for _, q := range []float64{-1, 1} { // the boards of the beds
		c.fill(c.plane(0.3), poly(vx+q*8, vy+30, vx+q*11, vy+30, vx+q*152, 1060, vx+q*124, 1060))
	}
	c.stipple(mix(c.body, c.black, 0.2), floor, down(620, 0, 1040, 0.45))
	leaf := mix(mix(c.body, hex(0x4F6B3A), 0.45), c.black, 0.05)
	if c.hour == night {
		leaf = mix(c.body, c.glow, 0.25)
	}
	// Frames from far to near: at depth z a section of the house is the same shape about the vanishing point.
	section := func(z float64) []float64 {
		return []float64{vx - 860*z, vy + 560*z, vx - 860*z, vy - 150*z, vx - 430*z, vy - 460*z, vx, vy - 560*z, vx + 430*z, vy - 460*z, vx + 860*z, vy - 150*z, vx + 860*z, vy + 560*z}
	}
	steel := mix(c.light, c.body, 0.62)
	if c.hour == night {
		steel = mix(c.body, c.glow, 0.5)
	}
	c.fill(c.plane(0.6), poly(section(0.085)...))
	c.fill(mix(c.glow, c.light, 0.4), rect(vx-14, vy-8, 28, 52))
	const n = 13
	for i := range n {
		t := float64(i) / (n - 1)
		z := 0.085 * math.Pow(15, t)
		for _, s := range []float64{-1, 1} {
			for bed := range 3 {
				x := vx + s*(262+240*float64(bed))*z
				y := vy + 500*z
				k := mix(leaf, c.plane(0.85), 0.55*(1-t))
				bush := c.blob(x, y-130*z, 116*z, 170*z, 0.22)
				c.fill(k, bush)
				c.stipple(mix(k, c.light, 0.45), bush, around(x+c.side*70*z, y-230*z, 190*z, 0.7, 0))
				c.stipple(mix(k, c.black, 0.6), bush, down(y-180*z, 0, y, 0.8))
				var fruit path
				for range 7 {
					fruit.add(oval(x+c.between(-80, 80)*z, y-c.between(40, 230)*z, 10*z, 11*z))
				}
				c.fill(c.brick(), fruit)
			}
		}
		if i == 8 {
			c.people(vy+470*z, 380*z, c.black, vx-c.side*20*z)
		}
		if z < 1 {
			c.fill(steel, line(max(2, 13*z), section(z)...))
		}
	}
	var bars path
	far, near := section(0.085), section(2.4)
	for i := 2; i < 10; i += 2 { // the four slopes of the roof
		for j := range 5 {
			t := float64(j) / 4
			bars.add(taper(1.5, 12, lerp(far[i], far[i+2], t), lerp(far[i+1], far[i+3], t), lerp(near[i], near[i+2], t), lerp(near[i+1], near[i+3], t)))
		}
	}
	c.fill(steel, bars)
}

// snow: a village under snow, somebody walking home.
func snow(c *canvas) {
	if c.hour == noon {
		c.hour = overcast // falling snow has no noon sun
	}
	c.heaven(560)
	p, crest := c.peaks(540, 150, 380)
	c.fill(c.plane(0.86), p)
	c.snowcaps(p, crest, 560, 150)
	white := c.light
	if c.dark() {
		white = mix(c.light, c.sky, 0.38)
	}
	low := mix(white, c.body, 0.4)
	var wood path
	for x := -20.0; x < 1520; x += 26 {
		wood.add(c.conifer(x+c.between(-9, 9), 586, c.between(50, 105)))
	}
	c.fill(c.plane(0.6), wood)
	drift := c.ridge(585, 22, 420)
	c.fill(white, drift)
	c.stipple(low, drift, down(580, 0, 720, 0.55))
	for i := range 6 {
		x := 60 + 235*float64(i) + c.between(-40, 40)
		y := 645 + 70*float64(i%2) + c.between(-10, 20)
		w := c.between(120, 170) * (1 + 0.25*float64(i%2))
		h := w * 0.75
		c.front(x, y-h*0.55, w, h*0.55, mix(c.brick(), c.shade(), []float64{0.2, 0.8, 0.5}[i%3]))
		c.openings(x+w*0.08, y-h*0.44, w*0.84, h*0.26, 3, 1, 0.42, 0.95, 0.55)
		roof := poly(x-w*0.1, y-h*0.5, x+w*0.5, y-h*1.08, x+w*1.1, y-h*0.5, x+w*1.02, y-h*0.46, x-w*0.02, y-h*0.46)
		c.fill(c.plane(0.2), rect(x+w*0.66, y-h*1.12, w*0.09, h*0.4))
		c.fill(white, roof, rect(x+w*0.645, y-h*1.15, w*0.12, h*0.06))
		c.shadeAway(roof, x-w*0.1, w*1.2, mix(white, c.body, 0.55))
		c.smoke(x+w*0.7, y-h*1.15, 26, c.side, mix(c.plane(0.8), white, 0.4))
		c.fill(white, c.blob(x+w*0.5, y+6, w*0.72, 15, 0.1))
	}
	near := c.ridge(800, 30, 500)
	c.fill(white, near)
	c.stipple(low, near, down(790, 0, 1040, 0.8))
	s := -c.side
	var prints path
	for i := range 22 {
		t := float64(i) / 21
		x, y := lerp(750+s*300, 750-s*60, t)+50*math.Sin(t*5), lerp(1010, 742, t)
		k := 1.1 - 0.85*t
		prints.add(oval(x+12*k*float64(i%2*2-1), y, 13*k, 5*k))
	}
	c.fill(mix(low, c.black, 0.3), prints)
	c.people(858, 120, c.black, 750+s*165)
	c.fill(c.black, c.dog(750+s*165+c.side*95, 858, 44))
	c.fill(c.black, c.bare(750-s*520, 1020, 165, 0.06*s, 4), c.bare(750+s*640, 900, 80, -0.05, 4))
	var flakes path
	for range 260 {
		r := c.between(1.6, 5) * c.between(0.7, 1)
		flakes.add(oval(c.between(0, 1500), c.between(0, 1000), r, r))
	}
	c.fill(mix(white, c.light, 0.6), flakes)
}

// dog trots, h high at the back.
func (c *canvas) dog(x, y, h float64) path {
	p := oval(x, y-h*0.7, h*0.55, h*0.2)
	p.add(oval(x+h*0.62, y-h*1.02, h*0.2, h*0.16), poly(x+h*0.3, y-h*0.8, x+h*0.5, y-h*1.1, x+h*0.7, y-h*0.9, x+h*0.5, y-h*0.62),
		oval(x+h*0.8, y-h*0.96, h*0.14, h*0.08), poly(x+h*0.5, y-h*1.1, x+h*0.52, y-h*1.32, x+h*0.66, y-h*1.12), taper(h*0.1, h*0.04, x-h*0.5, y-h*0.8, x-h*0.8, y-h*1.1))
	for _, f := range []float64{-0.44, -0.28, 0.28, 0.44} {
		p.add(taper(h*0.14, h*0.07, x+h*f, y-h*0.6, x+h*(f+0.1*math.Copysign(1, f)*c.between(0.2, 1)), y))
	}
	return p
}

// wind: turbines along a ridge above ploughed fields.
func wind(c *canvas) {
	c.heaven(640)
	c.hills(600, 80, 420, 0.86)
	far := c.ridge(628, 46, 500)
	steel := c.wall()
	if c.hour == dusk { // against the light
		steel = c.plane(0.3)
	}
	for i, x := range []float64{1090, 1240, 1400, 90, 230} {
		c.turbine(x, 620, 170+float64(i%3)*24, mix(steel, c.plane(0.8), 0.55))
	}
	c.fill(c.plane(0.66), far)
	c.stipple(c.ground(0.8), far, down(590, 0.75, 700, 0.2))
	s := -c.side
	c.turbine(750+s*330, 740, 430, steel)
	c.turbine(750-s*40, 690, 330, mix(steel, c.plane(0.8), 0.18))
	c.turbine(750-s*330, 670, 235, mix(steel, c.plane(0.8), 0.35))
	c.earth(690)
	// Furrows run over the near fold to a point.
	var furrows path
	fx := 750 - s*420
	for i := range 34 {
		x := -1500 + float64(i)*135
		furrows.add(taper(2, 19, curve(fx+(x-fx)*0.05, 716, fx+(x-fx)*0.2, 760, fx+(x-fx)*0.5, 850, x, 1060)...))
	}
	c.fill(mix(c.ground(0), c.black, 0.38), furrows)
	c.house(750+s*40, 752, 150, 100, c.wall(), c.brick())
	c.tree(750+s*40-40, 758, 120, mix(c.body, c.black, 0.15))
	c.tree(750+s*40+200, 760, 96, mix(c.body, c.black, 0.25))
	c.fill(c.black, polesAlong(750-s*690, 900, 210, 750+s*30, 745, 56, 5))
	c.people(905, 92, c.black, 750+s*390, 750+s*435)
	c.birds(750-s*200, 300, 6)
}

// turbine stands h to its hub at (x, y); the blades stand at an accident's angle.
func (c *canvas) turbine(x, y, h float64, k ink) {
	tower := taper(h*0.058, h*0.026, x, y, x, y-h)
	a := c.between(0, 2)
	var blades path
	for i := range 3 {
		b := poly(x-h*0.012, y-h, x+h*0.012, y-h, x+h*0.03, y-h*1.14, x+h*0.006, y-h*1.6, x-h*0.006, y-h*1.6, x-h*0.01, y-h*1.1)
		blades.add(b.turn(x, y-h, a+float64(i)*2*math.Pi/3))
	}
	c.fill(k, tower, blades, oval(x, y-h, h*0.026, h*0.026), rect(x-h*0.02, y-h*1.018, h*0.09, h*0.038))
	c.shadeAway(tower, x-h*0.029, h*0.058, k)
}
