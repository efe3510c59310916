package picture

import "math"

// column is a fluted shaft with base and capital.
func (c *canvas) column(x, y, w, h float64, k ink) {
	shaft := poly(x-w*0.5, y, x-w*0.42, y-h, x+w*0.42, y-h, x+w*0.5, y)
	c.round(shaft, x-w/2, w, k)
	c.fill(k, rect(x-w*0.66, y-h-w*0.2, w*1.32, w*0.3), rect(x-w*0.64, y-w*0.22, w*1.28, w*0.24))
}

// flag flies from a staff at (x, y), h high.
func (c *canvas) flag(x, y, h float64, k ink) {
	c.fill(c.plane(0.2), line(h*0.035, x, y, x, y-h))
	d := -c.side * h * 0.5
	top := curve(x, y-h, x+d*0.4, y-h*1.06, x+d*0.6, y-h*0.92, x+d, y-h*0.98)
	low := curve(x+d, y-h*0.68, x+d*0.6, y-h*0.62, x+d*0.4, y-h*0.76, x, y-h*0.7)
	c.fill(k, poly(append(top, low...)...))
}

// paving lays a square in slabs that run to (vx, y).
func (c *canvas) paving(y, vx float64, k ink) {
	p := rect(-40, y, 1580, 1060-y)
	c.fill(k, p)
	c.stipple(mix(k, c.body, 0.7), p, down(y+20, 0, 1050, 0.7))
	var joints path
	for i := range 31 {
		x := vx + (float64(i)-15)*330
		joints.add(taper(1, 5, vx+(x-vx)*0.24, y, x, 1060))
	}
	for i := 1; i < 10; i++ {
		t := float64(i) / 10
		joints.add(rect(-40, y+(1060-y)*t*t, 1580, 1+3*t))
	}
	c.fill(mix(k, c.body, 0.4), joints)
}

// parliament: a domed house on its square.
func parliament(c *canvas) {
	const y = 735
	c.heaven(y)
	c.terrace(-40, 300, y, 110, 0.7)
	c.terrace(1220, 1560, y, 110, 0.7)
	x := 750 - c.side*70
	k, dark := c.wall(), c.plane(0.2)
	// Dome on its drum.
	drum := rect(x-92, 300, 184, 120)
	c.round(drum, x-92, 184, k)
	for i := range 7 {
		c.fill(c.glass(), archway(x-82+25*float64(i), 322, 13, 66))
	}
	c.fill(k, rect(x-106, 292, 212, 12), rect(x-106, 402, 212, 14))
	d := dome(x, 294, 96, 122)
	copper := mix(c.body, c.glow, 0.25)
	c.round(d, x-96, 192, copper)
	for i := -2; i <= 2; i++ {
		c.fill(mix(copper, c.black, 0.3), taper(4, 2, curve(x+40*float64(i), 294, x+41*float64(i), 236, x+28*float64(i), 192, x, 173)...))
	}
	c.fill(k, rect(x-18, 142, 36, 36))
	c.fill(copper, dome(x, 144, 22, 24))
	c.flag(x, 122, 84, c.brick())
	// Wings and portico.
	for _, s := range []float64{-1, 1} {
		x0 := x + s*340 - 200
		c.front(x0, 470, 400, y-470, k)
		c.fill(mix(k, c.body, 0.3), rect(x0-8, 462, 416, 14), rect(x0, 594, 400, 7))
		c.windows(x0+16, 488, 368, 100, 8, 1, 0.42, 0.84)
		c.windows(x0+16, 612, 368, 110, 8, 1, 0.42, 0.8)
		c.front(x+s*560-66, 440, 132, y-440, k)
		c.fill(copper, poly(x+s*560-76, 444, x+s*560, 392, x+s*560+76, 444))
		c.windows(x+s*560-50, 470, 100, 240, 2, 2, 0.4, 0.7)
	}
	c.fill(dark, rect(x-158, 470, 316, y-470))
	c.openings(x-120, 560, 240, 150, 5, 1, 0.34, 0.9, 0.8)
	for i := range 6 {
		c.column(x-140+56*float64(i), y-30, 26, 222, k)
	}
	ped := poly(x-186, 480, x, 402, x+186, 480)
	c.fill(k, ped, rect(x-176, 476, 352, 20))
	c.stipple(mix(k, c.body, 0.7), poly(x-140, 472, x, 414, x+140, 472), flat(0.5))
	for i := range 5 {
		c.fill(mix(k, c.body, 0.14*float64(i%2)+0.1), rect(x-176-14*float64(i), y-30+8*float64(i), 352+28*float64(i), 9))
	}
	c.stipple(mix(c.body, c.black, 0.3), rect(x-660, 440, 1320, y-440), down(600, 0, y, 0.25))
	c.paving(y+8, x, mix(c.wall(), c.ground(0.5), 0.6))
	for i := range 4 {
		s := float64(i%2*2 - 1)
		c.tree(x+s*(430+150*float64(i/2)), y+34, 150, mix(c.body, c.black, 0.1))
	}
	c.people(800, 52, c.black, x-240, x-214, x+30, x+300)
	c.people(850, 84, c.black, x+150, x+190, x-420)
	c.people(960, 158, c.black, x-c.side*330, x-c.side*395)
	c.birds(x+c.side*330, 330, 7)
}

// court: the steps and columns of a court house, two people going up.
func court(c *canvas) {
	c.heaven(700)
	s := c.side
	k := c.wall()
	x := 750 + s*150
	c.front(x-760, 330, 1520, 420, mix(k, c.body, 0.25))
	c.windows(x-750, 400, 240, 260, 3, 2, 0.4, 0.7)
	c.windows(x+510, 400, 240, 260, 3, 2, 0.4, 0.7)
	c.fill(c.plane(0.14), rect(x-480, 330, 960, 400))
	c.stipple(mix(c.body, c.black, 0.2), rect(x-480, 330, 960, 400), across(x-480*s, 0.55, x+300*s, 0))
	c.fill(c.black, archway(x-66, 450, 132, 270))
	c.fill(c.lamp(), archway(x-44, 480, 88, 240))
	c.fill(c.plane(0.12), rect(x-3, 480, 6, 240), rect(x-44, 570, 88, 5))
	for i := range 6 {
		c.column(x-430+172*float64(i), 730, 82, 390, k)
	}
	c.fill(k, rect(x-520, 268, 1040, 66))
	c.stipple(mix(k, c.body, 0.8), rect(x-520, 312, 1040, 22), flat(0.6))
	ped := poly(x-560, 270, x, 92, x+560, 270)
	c.fill(mix(k, c.light, 0.3), ped)
	tym := poly(x-440, 252, x, 114, x+440, 252)
	c.fill(mix(k, c.body, 0.5), tym)
	c.stipple(mix(c.body, c.black, 0.4), tym, across(x-440*s, 0.5, x+440*s, 0.05))
	// Scales in the tympanum.
	c.fill(mix(k, c.light, 0.2), line(8, x, 160, x, 244), line(6, x-76, 176, x+76, 176), dome(x, 250, 32, 12),
		line(2.5, x-76, 176, x-98, 216), line(2.5, x-76, 176, x-54, 216), line(2.5, x+76, 176, x+98, 216), line(2.5, x+76, 176, x+54, 216),
		dome(x-76, 214, 28, 14).squash(214, -1), dome(x+76, 214, 28, 14).squash(214, -1), oval(x, 156, 8, 8))
	// Steps to the eye.
	n := 11
	for i := range n {
		t, u := float64(i)/float64(n), float64(i+1)/float64(n)
		y0, y1 := 728+332*math.Pow(t, 1.35), 728+332*math.Pow(u, 1.35)
		tread := mix(mix(k, c.light, 0.3), c.body, 0.06+0.14*t)
		c.fill(tread, rect(-60, y0, 1620, y1-y0+2))
		riser := rect(-60, y0+(y1-y0)*0.45, 1620, (y1-y0)*0.56)
		c.fill(mix(tread, c.body, 0.4), riser)
		c.stipple(mix(c.body, c.black, 0.3), riser, across(750+s*300, 0, 750-s*800, 0.3))
	}
	c.people(852, 150, c.black, x-s*300)
	c.people(846, 144, c.black, x-s*370)
	c.people(752, 96, c.black, x+s*225)
	c.birds(x-s*520, 150, 6)
}

// market: striped awnings under old fronts.
func market(c *canvas) {
	const y = 640
	c.heaven(520)
	s := c.side
	c.front(750-s*250-34, 130, 68, 400, c.plane(0.6))
	c.fill(c.plane(0.45), poly(750-s*250-46, 134, 750-s*250, 20, 750-s*250+46, 134))
	c.fill(mix(c.lamp(), c.plane(0.6), 0.3), oval(750-s*250, 186, 17, 17))
	c.terrace(-60, 1560, y, 250, 0.28)
	c.stipple(mix(c.body, c.black, 0.2), rect(-40, 340, 1580, 300), down(420, 0, y, 0.5))
	c.paving(y, 750, c.ground(0.5))
	c.fill(c.plane(0.3), c.crowd(-20, 1520, 700, 84, 34))
	strip := []ink{c.brick(), mix(c.body, c.black, 0.1), mix(c.brick(), hex(0xC8963E), 0.6)}
	c.stall(750-s*480, 780, 340, strip[1])
	c.stall(750+s*60, 775, 320, strip[2])
	c.stall(750+s*520, 790, 350, strip[0])
	var xs []float64
	for i := range 11 {
		xs = append(xs, 60+135*float64(i)+c.between(-50, 50))
	}
	c.people(880, 150, c.plane(0.1), xs...)
	bulbs, wire := path{}, path{}
	for i := range 4 {
		x0, x1 := -60+400*float64(i), 340+400*float64(i)
		xy := sag(x0, 300+40*float64(i%2), x1, 340-40*float64(i%2), 90)
		wire.add(line(2.4, xy...))
		for j := 2; j < len(xy)-2; j += 4 {
			bulbs.add(oval(xy[j], xy[j+1]+9, 6, 8))
		}
	}
	c.fill(c.black, wire)
	c.fill(c.lamp(), bulbs)
	// Two near figures frame the street.
	c.people(1030, 240, c.black, 750-s*210, 750+s*330)
	c.crate(750-s*570, 1000, 190, c.brick())
	c.crate(750-s*360, 1030, 170, mix(hex(0x7F8A4A), c.body, 0.3))
	c.crate(750+s*610, 1020, 200, mix(hex(0xD09A3A), c.brick(), 0.2))
}

// stall stands w wide on y beneath an awning of two inks.
func (c *canvas) stall(x, y, w float64, k ink) {
	c.fill(c.plane(0.12), rect(x-w*0.46, y-w*0.5, w*0.92, w*0.5))
	c.stipple(c.lamp(), rect(x-w*0.46, y-w*0.5, w*0.92, w*0.3), around(x, y-w*0.42, w*0.5, 0.6, 0))
	c.fill(c.black, c.person(x-w*0.12, y+6, w*0.44), c.person(x+w*0.2, y+6, w*0.42))
	c.fill(c.shade(), rect(x-w*0.48, y-w*0.18, w*0.96, w*0.2))
	c.stipple(c.black, rect(x-w*0.48, y-w*0.16, w*0.96, w*0.18), down(y-w*0.16, 0.2, y, 0.8))
	var goods [3]path
	for i := range 26 {
		goods[i/9].add(oval(x-w*0.44+w*0.88*float64(i)/25, y-w*0.195-c.between(0, w*0.03), w*0.024, w*0.026))
	}
	c.fill(c.brick(), goods[0])
	c.fill(mix(hex(0x7F8A4A), c.body, 0.3), goods[1])
	c.fill(mix(hex(0xD09A3A), c.body, 0.15), goods[2])
	const n = 11
	var a, b path
	for i := range n {
		t, u := float64(i)/n-0.5, float64(i+1)/n-0.5
		p := poly(x+t*w*0.86, y-w*0.68, x+u*w*0.86, y-w*0.68, x+u*w*1.08, y-w*0.46, x+t*w*1.08, y-w*0.46)
		p.add(oval(x+(t+u)/2*w*1.08, y-w*0.46, w*0.05, w*0.032))
		if i%2 == 0 {
			a.add(p)
		} else {
			b.add(p)
		}
	}
	c.fill(c.wall(), b)
	c.fill(k, a)
	b.add(a)
	c.stipple(c.black, b, across(x+c.side*w*0.5, -0.1, x-c.side*w*0.6, 0.45))
	c.fill(c.plane(0.15), line(6, x-w*0.47, y-w*0.5, x-w*0.47, y+w*0.02), line(6, x+w*0.47, y-w*0.5, x+w*0.47, y+w*0.02))
}

// crate is a box of fruit in the foreground.
func (c *canvas) crate(x, y, w float64, k ink) {
	for j := range 3 {
		var row path
		for i := range 6 - j {
			row.add(oval(x+w*(float64(i)-float64(5-j)/2)*0.165, y-w*0.3-float64(j)*w*0.1, w*0.088, w*0.088))
		}
		c.fill(mix(k, c.light, 0.08*float64(j)), row)
		c.stipple(mix(k, c.black, 0.6), row, down(y-w*0.36-float64(j)*w*0.1, 0, y-w*0.2-float64(j)*w*0.1, 0.8))
	}
	c.fill(c.shade(), rect(x-w*0.5, y-w*0.28, w, w*0.12), rect(x-w*0.5, y-w*0.13, w, w*0.12))
	c.fill(c.plane(0.15), rect(x-w*0.5, y-w*0.3, w*0.07, w*0.3), rect(x+w*0.43, y-w*0.3, w*0.07, w*0.3), rect(x-w*0.5, y-w*0.165, w, w*0.035))
}

// hospital: a modern block on a hill street, an ambulance at its door.
func hospital(c *canvas) {
	const y = 760
	c.heaven(y - 60)
	c.hills(y-110, 70, 380, 0.84)
	c.terrace(-40, 1560, y-30, 70, 0.72)
	s := c.side
	k := c.wall()
	x := 750 - s*80
	c.front(x-s*350-210, 380, 420, y-380, mix(k, c.body, 0.14))
	c.windows(x-s*350-190, 400, 380, 300, 9, 6, 0.62, 0.46)
	c.front(x+s*110-250, 230, 500, y-230, k)
	c.windows(x+s*110-230, 256, 460, 400, 10, 8, 0.62, 0.44)
	c.fill(mix(k, c.body, 0.35), rect(x+s*110-258, 222, 516, 12), rect(x-s*350-216, 372, 432, 12))
	c.fill(c.plane(0.4), rect(x+s*110-60, 178, 120, 46), line(4, x+s*150, 178, x+s*150, 96))
	// Stair tower with its sign.
	c.front(x+s*360-44, 170, 88, y-170, mix(c.body, c.glow, 0.22))
	c.fill(c.light, rect(x+s*360-10, 204, 20, 64), rect(x+s*360-32, 226, 64, 20))
	c.openings(x+s*360-16, 300, 32, 420, 1, 9, 0.8, 0.7, 0.6)
	// Porch.
	c.fill(c.plane(0.12), rect(x-120, y-96, 300, 98))
	c.openings(x-110, y-88, 280, 90, 8, 1, 0.84, 1, 0.85)
	c.fill(c.brick(), poly(x-170, y-116, x+230, y-116, x+220, y-92, x-160, y-92))
	c.fill(c.plane(0.2), rect(x-150, y-92, 9, 94), rect(x+200, y-92, 9, 94))
	c.earth(y)
	road := poly(-40, 850, 1560, 830, 1560, 1000, -40, 1000)
	c.fill(mix(c.plane(0.3), c.ground(0), 0.45), road)
	c.stipple(c.plane(0.15), road, down(840, 0.1, 1010, 0.6))
	for i := range 8 {
		c.fill(mix(c.light, c.ground(0), 0.4), poly(-20+210*float64(i), 925, 90+210*float64(i), 923, 92+210*float64(i), 932, -20+210*float64(i), 934))
	}
	c.ambulance(x-s*280, 905, 250, s)
	c.people(815, 90, c.black, x+40, x+76, x+s*300)
	c.people(1020, 170, c.black, x+s*400)
	for i := range 4 {
		c.tree(x-s*(560-60*float64(i%2))+s*340*float64(i/2)*2.9, y+50, 180-30*float64(i%2), mix(c.body, c.black, 0.08*float64(i)))
	}
}

// ambulance is a white van l long on y.
func (c *canvas) ambulance(x, y, l, dir float64) {
	m := func(p path) path { return p.mirrorIf(dir < 0, x) }
	body := m(poly(x-l*0.5, y-l*0.06, x-l*0.5, y-l*0.44, x+l*0.2, y-l*0.44, x+l*0.36, y-l*0.26, x+l*0.5, y-l*0.21, x+l*0.51, y-l*0.06))
	c.stipple(c.black, oval(x, y, l*0.56, l*0.04), flat(0.7))
	c.fill(mix(c.light, c.wall(), 0.4), body)
	c.fill(c.brick(), m(rect(x-l*0.5, y-l*0.2, l*1.0, l*0.05)), m(rect(x-l*0.12, y-l*0.475, l*0.12, l*0.035)))
	c.fill(c.glass(), m(poly(x+l*0.1, y-l*0.26, x+l*0.1, y-l*0.39, x+l*0.19, y-l*0.39, x+l*0.31, y-l*0.26)), m(rect(x-l*0.4, y-l*0.38, l*0.2, l*0.1)))
	c.stipple(c.body, body, down(y-l*0.3, 0, y, 0.6))
	c.fill(c.black, m(oval(x-l*0.3, y-l*0.05, l*0.075, l*0.075)), m(oval(x+l*0.33, y-l*0.05, l*0.075, l*0.075)))
	c.fill(c.shade(), m(oval(x-l*0.3, y-l*0.05, l*0.03, l*0.03)), m(oval(x+l*0.33, y-l*0.05, l*0.03, l*0.03)))
	c.fill(c.lamp(), m(oval(x+l*0.49, y-l*0.15, l*0.018, l*0.022)))
}

// school: morning in the yard of a town school.
func school(c *canvas) {
	const y = 740
	c.heaven(y)
	c.hills(y-60, 60, 380, 0.84)
	c.terrace(-40, 1560, y, 84, 0.72)
	s := -c.side
	x := 750 + s*110
	k := mix(c.wall(), c.brick(), 0.2)
	c.front(x-420, 420, 840, y-420, k)
	roof := poly(x-450, 426, x-380, 318, x+380, 318, x+450, 426)
	c.fill(c.brick(), roof)
	c.lines(c.black, roof, down(318, 0.15, 426, 0.4))
	c.windows(x-400, 446, 290, 120, 5, 1, 0.56, 0.86)
	c.windows(x+110, 446, 290, 120, 5, 1, 0.56, 0.86)
	c.windows(x-400, 592, 290, 120, 5, 1, 0.56, 0.86)
	c.windows(x+110, 592, 290, 120, 5, 1, 0.56, 0.86)
	c.fill(mix(k, c.body, 0.35), rect(x-424, 574, 848, 8))
	c.front(x-96, 340, 192, y-340, mix(k, c.light, 0.25))
	c.fill(mix(c.brick(), c.black, 0.25), poly(x-116, 346, x, 228, x+116, 346))
	c.fill(c.plane(0.3), rect(x-22, 176, 44, 70))
	c.fill(c.plane(0.2), poly(x-30, 180, x, 124, x+30, 180))
	c.fill(c.light, oval(x, 400, 38, 38))
	c.fill(c.black, ring(x, 400, 40, 5), line(5, x, 400, x, 374), line(5, x, 400, x+16*c.side, 408))
	c.windows(x-70, 470, 140, 90, 3, 1, 0.5, 0.9)
	c.fill(c.plane(0.12), archway(x-40, y-128, 80, 130))
	c.fill(c.lamp(), rect(x-28, y-84, 24, 84), rect(x+4, y-84, 24, 84))
	c.paving(y, x, c.ground(0.55))
	c.stipple(c.black, poly(x-420, y, x+420, y, x+420-c.side*200, y+50, x-420-c.side*200, y+50), flat(0.35))
	c.tree(x-s*610, 820, 400, mix(c.body, c.black, 0.1))
	c.flag(x+s*462, 800, 290, c.brick())
	var xs []float64
	for range 9 {
		xs = append(xs, x+c.between(-500, 500))
	}
	c.people(806, 58, c.plane(0.1), xs...)
	c.people(880, 82, c.black, x-230, x-196, x-160, x+190, x+330)
	c.fill(c.brick(), oval(x+262, 872, 12, 12))
	c.people(985, 178, c.black, x-s*400)
	c.people(985, 120, c.black, x-s*335, x-s*300)
}

// bakery: the one lit window of the street.
func bakery(c *canvas) {
	if c.hour == noon {
		c.hour = dawn
	}
	const y = 800
	c.heaven(560)
	s := c.side
	k := c.shade()
	c.terrace(-60, 1560, y-10, 420, 0.42)
	x := 750 - s*130
	shop := mix(k, c.brick(), 0.3)
	c.front(x-440, 96, 880, y-96, shop)
	c.fill(mix(shop, c.black, 0.4), rect(x-456, 84, 912, 20), rect(x-446, 352, 892, 12))
	c.windows(x-400, 140, 800, 180, 5, 1, 0.36, 0.9)
	for i := range 5 {
		c.fill(mix(shop, c.light, 0.2), rect(x-400+160*float64(i)+40, 318, 80, 9))
	}
	warm := mix(c.lamp(), c.light, 0.2)
	if c.dark() {
		warm = c.lamp()
	}
	c.fill(c.plane(0.1), rect(x-410, 470, 820, y-470))
	c.fill(warm, rect(x-384, 486, 450, 214), rect(x+220, 486, 150, 250))
	c.stipple(c.brick(), rect(x-384, 486, 450, 214), down(480, 0.35, 600, 0))
	// Baker, shelves, loaves.
	c.fill(c.plane(0.2), rect(x-384, 566, 250, 7), rect(x-384, 640, 450, 8))
	var loaves path
	for i := range 8 {
		loaves.add(dome(x-362+30*float64(i), 566, 14, 20))
	}
	for i := range 12 {
		loaves.add(dome(x-360+36*float64(i), 640, 16, 15+8*float64(i%3)))
	}
	c.fill(mix(c.brick(), c.black, 0.2), loaves)
	baker := x - 40
	c.fill(mix(hex(0xB9805E), c.body, 0.2), oval(baker, 552, 19, 23))
	c.fill(c.plane(0.15), poly(baker-24, 578, baker+24, 578, baker+50, 600, baker+62, 636, baker-62, 636, baker-50, 600))
	c.fill(c.light, poly(baker-21, 544, baker+21, 544, baker+23, 524, baker-23, 524), oval(baker-13, 518, 16, 13), oval(baker+13, 518, 16, 13), poly(baker-16, 590, baker+16, 590, baker+24, 638, baker-24, 638))
	c.fill(c.plane(0.1), rect(x-164, 486, 7, 214), rect(x+291, 486, 7, 250), rect(x+220, 560, 150, 6))
	c.fill(mix(shop, c.black, 0.55), rect(x-396, 700, 474, 100))
	// Awning.
	var a, b path
	for i := range 17 {
		x0, x1 := x-430+51*float64(i), x-430+51*float64(i+1)
		p := poly(x+(x0-x)*0.95, 392, x+(x1-x)*0.95, 392, x1, 476, x0, 476)
		p.add(oval((x0+x1)/2, 476, 25, 15))
		if i%2 == 0 {
			a.add(p)
		} else {
			b.add(p)
		}
	}
	c.fill(c.wall(), b)
	c.fill(c.brick(), a)
	a.add(b)
	c.stipple(c.black, a, across(x+s*430, 0, x-s*430, 0.5))
	// Pavement, lamplight, the queue.
	c.paving(y, x, mix(c.ground(0.2), c.body, 0.3))
	c.stipple(warm, poly(x-384, y, x+370, y, x+480, 960, x-500, 960), down(y, 0.75, 960, 0))
	var xs []float64
	for i := range 6 {
		xs = append(xs, x+s*(250-s*20)+s*float64(i)*78-s*40)
	}
	c.people(872, 205, c.black, xs...)
	c.fill(c.black, c.dog(x-s*330, 905, 56))
	bx, by := x-s*480, 880.0
	c.fill(c.black, ring(bx-70, by-52, 52, 7), ring(bx+70, by-52, 52, 7), line(6, bx-70, by-52, bx-30, by-120, bx+48, by-120, bx, by-52, bx-70, by-52), line(6, bx+70, by-52, bx+44, by-140), line(6, bx, by-52, bx-36, by-134), line(9, bx-52, by-136, bx-20, by-136), line(6, bx+30, by-142, bx+60, by-138))
	lx := x + s*590
	c.fill(c.black, line(12, lx, 880, lx, 330), line(8, lx, 350, lx-s*60, 330), poly(lx-s*60-26, 336, lx-s*60-16, 306, lx-s*60+16, 306, lx-s*60+26, 336))
	c.fill(c.lamp(), oval(lx-s*60, 344, 18, 14))
}

// radio: a guyed mast above its station, rings going out on the air.
func radio(c *canvas) {
	c.heaven(700)
	s := -c.side
	x := 750 + s*210
	rings := path{}
	for i := range 6 {
		r := 90 + 95*float64(i)
		rings.add(ring(x, 170, r, 3.5))
	}
	c.stipple(mix(c.light, c.glow, 0.3), rings, around(x, 170, 620, 1, 0.1))
	c.hills(690, 90, 420, 0.84)
	c.hills(730, 60, 300, 0.66)
	c.terrace(750-s*640-140, 750-s*640+280, 772, 60, 0.55)
	hill := c.profile(func(px float64) float64 {
		d := (px - x) / 560
		return 900 - 170*math.Exp(-d*d) - 12*fractal(c.seed, px/200)
	})
	c.fill(c.ground(0.25), hill)
	c.stipple(mix(c.ground(0), c.black, 0.35), hill, func(px, y float64) float64 {
		return 0.1 - c.side*(px-x)/1300 + (y-740)/420
	})
	c.fill(c.plane(0.1), line(2.2, x, 190, x-330, 800), line(2.2, x, 190, x+330, 800), line(2.2, x, 380, x-210, 765), line(2.2, x, 380, x+210, 765), line(1.8, x, 560, x-110, 745), line(1.8, x, 560, x+110, 745))
	c.fill(c.plane(0.08), lattice(x, 742, 44, x, 170, 15, 28, 3.6), line(5, x, 172, x, 96))
	for i, y := range []float64{200, 360, 520} {
		p := rect(x-34, y, 68, 5)
		p.add(oval(x+26-float64(i%2)*52, y-14, 15, 15))
		c.fill(c.plane(0.12), p)
	}
	c.stipple(c.brick(), oval(x, 100, 46, 46), around(x, 100, 46, 0.9, 0))
	c.fill(mix(c.brick(), hex(0xE0603A), 0.5), oval(x, 98, 8, 8))
	hx := x - s*260
	c.front(hx-130, 716, 260, 92, c.wall())
	c.fill(c.plane(0.2), rect(hx-140, 706, 280, 13))
	c.openings(hx-116, 734, 160, 40, 4, 1, 0.8, 0.9, 0.7)
	c.fill(c.brick(), rect(hx+64, 738, 36, 70))
	c.fill(c.wall(), oval(hx-70, 672, 44, 40).turn(hx-70, 672, 0.4*s))
	c.stipple(c.black, oval(hx-70, 672, 44, 40), across(hx-70+s*40, 0, hx-70-s*44, 0.7))
	c.fill(c.plane(0.15), line(4, hx-70, 672, hx-70+s*36, 650), line(6, hx-70, 700, hx-70, 712))
	c.people(838, 74, c.black, hx-s*190, hx+60)
	c.truck(hx-s*330, 850, 120, s, c.brick())
	near := c.ridge(940, 22, 240)
	c.fill(c.black, near, fence(-20, 960, 70, 1520, 950, 70, 20))
	c.fill(c.black, c.bare(750-s*560, 960, 100, 0.1, 4))
	c.birds(750-s*300, 330, 8)
}

// skyline: three planes of towers across the river.
func skyline(c *canvas) {
	const sea = 735
	c.heaven(sea)
	for i, d := range []float64{0.84, 0.62, 0.3} {
		k := c.plane(d)
		x := -50.0
		for x < 1550 {
			w := c.between(52, 110) * (1 + 0.15*float64(i))
			bell := math.Exp(-math.Pow((x-(750-c.side*170))/(430+90*float64(i)), 2))
			h := (90 + c.between(0.5, 1.05)*420*bell) * (1.12 - 0.22*float64(i))
			if i == 2 {
				h = 70 + c.between(0.3, 1)*260*(0.35+bell*0.65)
			}
			c.front(x, sea-h, w, h+8, mix(k, c.wall(), []float64{0.2, 0.1, 0.05}[i]))
			top := path{}
			switch c.rng.IntN(5) {
			case 0:
				top = poly(x, sea-h+1, x+w, sea-h+1, x+w*0.5, sea-h-w*0.5)
			case 1:
				top = rect(x+w*0.2, sea-h-w*0.35, w*0.6, w*0.36)
				top.add(line(3, x+w*0.5, sea-h, x+w*0.5, sea-h-w*1.1))
			case 2:
				top = poly(x, sea-h+1, x+w, sea-h+1, x+w, sea-h-w*0.3)
			}
			c.fill(k, top)
			if i > 0 {
				c.lights(x+w*0.1, sea-h+12, w*0.8, h-30, 14-2*float64(i), d)
			}
			x += w * c.between(0.92, 1.5-0.2*float64(i))
		}
		if i < 2 {
			c.stipple(c.plane(min(1, d+0.18)), rect(-40, sea-340, 1580, 350), down(sea-340, 0, sea, 0.7))
		}
	}
	c.towerCrane(750+c.side*430, sea, 430, c.plane(0.25))
	c.water(sea)
	for range 14 {
		c.reflect(c.between(60, 1440), sea+6, c.between(50, 110), c.between(60, 170), c.plane(0.35))
	}
	var glints path
	for range 60 {
		glints.add(lens(c.between(40, 1460), sea+8+c.between(0, 110), c.between(8, 22), 3))
	}
	if c.hour != noon {
		c.fill(c.lamp(), glints)
	}
	c.fill(c.black, c.ridge(965, 5, 200), fence(-20, 975, 66, 1520, 975, 66, 24))
	c.fill(c.black, c.person(750-c.side*370, 985, 150), c.person(750-c.side*310, 985, 142), c.person(750+c.side*200, 985, 146))
	c.birds(750-c.side*60, 240, 6)
}

// lights are the windows of a far tower, step apart.
func (c *canvas) lights(x, y, w, h, step, d float64) {
	odds := map[hour]float64{dawn: 0.16, noon: 0, dusk: 0.42, night: 0.4, overcast: 0.1}[c.hour]
	var lit, off path
	for yy := y; yy < y+h; yy += step * 1.3 {
		for xx := x; xx < x+w-step*0.5; xx += step {
			p := rect(xx, yy, step*0.5, step*0.62)
			if c.chance(odds) {
				lit.add(p)
			} else {
				off.add(p)
			}
		}
	}
	c.fill(mix(c.plane(d), c.black, 0.32), off)
	c.fill(mix(c.lamp(), c.plane(d), d*0.4), lit)
}

// towerCrane stands h high at (x, y).
func (c *canvas) towerCrane(x, y, h float64, k ink) {
	s := -c.side
	c.fill(k, lattice(x, y, 20, x, y-h, 18, 22, 3), lattice(x-s*h*0.2, y-h*0.93, 14, x+s*h*0.62, y-h*0.93, 10, 20, 2.4), line(2, x, y-h*1.06, x+s*h*0.55, y-h*0.94),
		line(2, x, y-h*1.06, x-s*h*0.18, y-h*0.94), poly(x-9, y-h, x+9, y-h, x, y-h*1.07), rect(x-s*h*0.16-20, y-h*0.93, 40, 26), line(1.8, x+s*h*0.44, y-h*0.92, x+s*h*0.44, y-h*0.6), rect(x+s*h*0.44-9, y-h*0.6, 18, 12))
}

// border: the barrier, the queue, the fence over the hill.
func border(c *canvas) {
	const h = 620
	c.heaven(h)
	c.hills(h-20, 110, 420, 0.84)
	c.hills(h, 56, 260, 0.62)
	c.earth(h + 12)
	s := -c.side
	vx := 750 + s*60
	road := poly(vx-8, h+14, vx+8, h+14, vx+430, 1060, vx-430, 1060)
	c.fill(mix(c.ground(0.6), c.light, 0.2), road)
	c.stipple(c.plane(0.3), road, down(680, 0.05, 1040, 0.55))
	for i := range 7 {
		z := 0.03 * math.Pow(1.75, float64(i))
		c.fill(mix(c.light, c.ground(0), 0.3), poly(vx-9*z, h+14+440*z, vx+9*z, h+14+440*z, vx+12*z, h+14+560*z, vx-12*z, h+14+560*z))
	}
	c.fill(c.plane(0.16), c.wireFence(vx+s*170, 800, 150, vx+s*900, 690, 90, 9), c.wireFence(vx-s*210, 800, 150, vx-s*900, 700, 90, 9))
	for i, z := range []float64{0.1, 0.19, 0.32} { // lorries waiting
		y, x := h+14+440*z, vx+s*(300*z-14)
		w := 300 * z
		k := c.boxes()[(i+1)%5]
		c.front(x-w/2, y-w*1.3, w, w*1.2, k)
		cab := mix(c.brick(), c.body, 0.3*float64(i))
		c.front(x-w*0.42, y-w*0.82, w*0.84, w*0.72, cab)
		c.fill(c.glass(), poly(x-w*0.36, y-w*0.74, x+w*0.36, y-w*0.74, x+w*0.38, y-w*0.46, x-w*0.38, y-w*0.46))
		c.fill(c.black, rect(x-w*0.44, y-w*0.16, w*0.88, w*0.1), rect(x-w*0.4, y-w*0.12, w*0.2, w*0.15), rect(x+w*0.2, y-w*0.12, w*0.2, w*0.15), rect(x-w*0.2, y-w*0.36, w*0.4, w*0.12))
		c.fill(c.lamp(), oval(x-w*0.31, y-w*0.26, w*0.06, w*0.05), oval(x+w*0.31, y-w*0.26, w*0.06, w*0.05))
	}
	// Watchtower.
	tx := vx - s*420
	c.fill(c.plane(0.1), line(10, tx-62, 812, tx-42, 400), line(10, tx+62, 812, tx+42, 400), line(6, tx-58, 740, tx+48, 560), line(6, tx+58, 740, tx-48, 560), line(6, tx-50, 560, tx+44, 420), line(6, tx+50, 560, tx-44, 420))
	c.front(tx-76, 304, 152, 104, c.shade())
	c.fill(c.plane(0.12), poly(tx-98, 308, tx-70, 254, tx+70, 254, tx+98, 308), rect(tx-88, 402, 176, 10))
	c.openings(tx-66, 324, 132, 48, 3, 1, 0.84, 1, 0.4)
	// Booth, boom and guard.
	bx := vx + s*310
	c.front(bx-70, 690, 140, 180, c.wall())
	c.fill(c.brick(), rect(bx-92, 668, 184, 24))
	c.openings(bx-56, 714, 112, 66, 2, 1, 0.86, 1, 0.8)
	c.fill(c.plane(0.15), rect(bx-s*26-22, 790, 44, 80))
	gx, ex := vx+s*215, vx-s*250
	c.fill(c.black, rect(gx-16, 786, 32, 96), rect(ex-8, 800, 16, 76))
	c.fill(c.light, line(17, gx, 802, ex, 806))
	for i := range 6 {
		t, u := (float64(i)+0.1)/6, (float64(i)+0.6)/6
		c.fill(c.brick(), line(17, lerp(gx, ex, t), lerp(802, 806, t), lerp(gx, ex, u), lerp(802, 806, u)))
	}
	c.people(905, 150, c.black, vx+s*110)
	c.people(935, 160, c.black, vx-s*150, vx-s*225, vx-s*300)
	c.people(975, 175, c.black, vx-s*395, vx-s*480)
	c.birds(vx+s*280, 260, 6)
}

// wireFence is posts with strands and a coil along the top.
func (c *canvas) wireFence(x0, y0, h0, x1, y1, h1 float64, n int) path {
	var p path
	for i := range n + 1 {
		t := float64(i) / float64(n)
		x, y, h := lerp(x0, x1, t), lerp(y0, y1, t), lerp(h0, h1, t)
		p.add(line(h*0.05, x, y, x, y-h), line(h*0.04, x, y-h, x+(x1-x0)*0.012, y-h*1.14))
	}
	for j := range 6 {
		f := 0.12 + 0.17*float64(j)
		p.add(taper(2.4, 1.6, x0, y0-h0*f, x1, y1-h1*f))
	}
	for i := range n * 4 {
		t := (float64(i) + 0.5) / float64(n*4)
		h := lerp(h0, h1, t)
		p.add(ring(lerp(x0, x1, t), lerp(y0, y1, t)-h*1.12, h*0.1, 2.2))
	}
	return p
}
