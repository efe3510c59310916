package picture

// harbour: a container ship at the quay under portal cranes.
func harbour(c *canvas) {
	const sea = 640
	c.heaven(sea)
	c.hills(sea-20, 55, 330, 0.82)
	c.fill(c.plane(0.62), rect(-40, sea-18, 1580, 24))
	for i := range 9 { // sheds on the far quay
		x := -30 + 175*float64(i)
		c.fill(c.plane(c.between(0.55, 0.72)), rect(x, sea-c.between(40, 74), c.between(90, 170), 80))
	}
	c.water(sea)
	c.birds(420, 220, 7)
	c.portalCrane(1330, sea-4, 250, c.plane(0.62))
	c.portalCrane(180, sea-4, 200, c.plane(0.66))
	c.ship(560, 742, 700)
	c.portalCrane(1010, 862, 520, c.plane(0.28))
	// The near quay.
	c.fill(c.ground(0.15), poly(-40, 1060, -40, 905, 1540, 815, 1540, 1060))
	c.stipple(c.plane(0.12), poly(-40, 1060, -40, 905, 1540, 815, 1540, 1060), down(830, 0.25, 1040, 0.95))
	c.fill(c.black, poly(-40, 905, 1540, 815, 1540, 836, -40, 930))
	for x := 90.0; x < 1500; x += 235 {
		y := 905 - (x+40)*0.057
		c.fill(c.black, rect(x-11, y-24, 22, 30), oval(x, y-25, 19, 8))
	}
	c.people(930, 104, c.black, 196, 250)
	c.people(890, 92, c.black, 1130)
	c.stack(1330, 905, 3, 2, 118)
}

// portalCrane is a quay crane of height h with its feet about y and its boom over the water to the left.
func (c *canvas) portalCrane(x, y, h float64, k ink) {
	w := h * 0.26
	p := taper(h*0.035, h*0.03, x-w/2, y, x-w*0.4, y-h*0.72)
	p.add(taper(h*0.035, h*0.03, x+w/2, y, x+w*0.4, y-h*0.72), line(h*0.03, x-w*0.46, y-h*0.3, x+w*0.46, y-h*0.3),
		line(h*0.018, x-w*0.46, y-h*0.3, x+w*0.42, y-h*0.68), line(h*0.018, x-w*0.3, y-h*0.72, x, y-h), line(h*0.018, x+w*0.35, y-h*0.72, x, y-h),
		lattice(x-h*0.86, y-h*0.735, h*0.022, x+h*0.46, y-h*0.715, h*0.05, 22, h*0.008),
		line(h*0.008, x, y-h, x-h*0.82, y-h*0.745), line(h*0.008, x, y-h, x-h*0.42, y-h*0.745), line(h*0.008, x, y-h, x+h*0.43, y-h*0.72),
		rect(x+h*0.06, y-h*0.8, h*0.16, h*0.09), rect(x-h*0.5, y-h*0.72, h*0.05, h*0.05),
		line(h*0.006, x-h*0.475, y-h*0.68, x-h*0.475, y-h*0.46), rect(x-h*0.535, y-h*0.46, h*0.12, h*0.055))
	c.fill(k, p)
	c.fill(c.lamp(), rect(x-h*0.49, y-h*0.71, h*0.03, h*0.025))
}

// boxes are the inks of containers.
func (c *canvas) boxes() []ink {
	return []ink{c.brick(), c.shade(), mix(c.body, c.black, 0.2), c.wall(), mix(c.brick(), c.body, 0.5), mix(c.body, c.glow, 0.25)}
}

// stack is containers, n wide and high high, each w long, standing on y.
func (c *canvas) stack(x, y float64, high, n int, w float64) {
	k := c.boxes()
	for j := range high {
		for i := range n {
			if j == high-1 && c.chance(0.35) {
				continue
			}
			p := rect(x+float64(i)*w, y-float64(j+1)*w*0.42, w-3, w*0.42-2)
			q := k[c.rng.IntN(len(k))]
			c.fill(q, p)
			c.stipple(mix(q, c.black, 0.5), p, down(y-float64(j+1)*w*0.42, 0.05, y-float64(j)*w*0.42, 0.5))
		}
	}
}

// ship is a loaded freighter l long about x with its waterline at y, bow to the left.
func (c *canvas) ship(x, y, l float64) {
	l0, l1 := x-l/2, x+l/2
	deck := y - l*0.095
	k := c.boxes()
	w := l * 0.062
	for i := range 10 {
		for j := range 2 + c.rng.IntN(3) {
			q := k[c.rng.IntN(len(k))]
			p := rect(l0+l*0.1+float64(i)*w, deck-float64(j+1)*w*0.44, w-2, w*0.44-1.5)
			c.fill(q, p)
			c.stipple(mix(q, c.black, 0.4), p, flat(0.2))
		}
	}
	c.front(l1-l*0.215, deck-l*0.2, l*0.09, l*0.2, c.wall())
	c.fill(c.wall(), rect(l1-l*0.235, deck-l*0.185, l*0.13, l*0.022))
	c.openings(l1-l*0.205, deck-l*0.15, l*0.07, l*0.13, 3, 4, 0.6, 0.4, 0.4)
	pane := c.glass()
	if c.hour == night {
		pane = c.lamp()
	}
	c.fill(pane, rect(l1-l*0.23, deck-l*0.18, l*0.12, l*0.01))
	c.fill(c.brick(), poly(l1-l*0.1, deck, l1-l*0.095, deck-l*0.13, l1-l*0.05, deck-l*0.13, l1-l*0.045, deck))
	c.fill(c.black, rect(l1-l*0.097, deck-l*0.14, l*0.05, l*0.025), line(3, l1-l*0.17, deck-l*0.2, l1-l*0.17, deck-l*0.27), line(3, l0+l*0.06, deck-l*0.02, l0+l*0.06, deck-l*0.11))
	hull := poly(l0-l*0.015, deck-l*0.025, l0+l*0.09, deck, l1-l*0.01, deck, l1, deck-l*0.01, l1-l*0.025, y, l0+l*0.035, y)
	c.fill(c.plane(0.2), hull)
	c.fill(c.brick(), poly(l0+l*0.025, y-l*0.024, l1-l*0.018, y-l*0.024, l1-l*0.025, y, l0+l*0.035, y))
	c.stipple(c.black, hull, down(deck, 0, y, 0.55))
	c.reflect(x, y, l*0.98, l*0.1, c.plane(0.1))
	if c.dark() { // deck lamps, and what the water makes of them
		var lamps, gleams path
		for i := range 9 {
			lx := l0 + l*(0.05+0.108*float64(i))
			lamps.add(oval(lx, deck-l*0.008, 4.5, 4.5))
			for j := range 4 {
				gleams.add(lens(lx+c.between(-8, 8), y+10+16*float64(j), 34-6*float64(j), 4))
			}
		}
		c.fill(c.lamp(), lamps)
		c.fill(mix(c.lamp(), c.body, 0.35), gleams)
	}
}

// reflect breaks the image of a dark thing of width w and height h into ripples below y.
func (c *canvas) reflect(x, y, w, h float64, k ink) {
	var p path
	for i := range 9 {
		t := float64(i) / 8
		for range 2 {
			p.add(lens(x+c.between(-0.06, 0.06)*w, y+2+h*t, w*(1-0.5*t)*c.between(0.75, 1.02), h*0.13*(1.05-0.7*t)))
		}
	}
	c.fill(k, p)
}

// ferry: a car ferry crossing, seen from the shore path.
func ferry(c *canvas) {
	const sea = 600
	c.heaven(sea)
	c.hills(sea-10, 120, 420, 0.88)
	c.hills(sea-2, 62, 240, 0.68)
	c.water(sea)
	x, y, l := 750+c.side*150, 735.0, 560.0
	c.birds(x-120, 330, 9)
	c.smoke(x+60, y-215, 50, 1, mix(c.plane(0.7), c.sky, 0.3))
	c.reflect(x, y, l, 62, c.plane(0.2))
	hull := poly(x-l*0.5, y-70, x+l*0.5, y-70, x+l*0.46, y, x-l*0.45, y)
	c.front(x-l*0.42, y-128, l*0.82, 62, c.wall())
	c.front(x-l*0.34, y-176, l*0.6, 50, c.wall())
	c.front(x-l*0.3, y-216, l*0.2, 42, c.wall())
	c.fill(c.wall(), rect(x-l*0.45, y-132, l*0.9, 8), rect(x-l*0.38, y-180, l*0.68, 7))
	c.fill(c.glass(), rect(x-l*0.29, y-206, l*0.18, 13))
	c.openings(x-l*0.4, y-118, l*0.78, 40, 16, 1, 0.6, 0.6, 0.5)
	c.openings(x-l*0.32, y-168, l*0.56, 34, 12, 1, 0.6, 0.6, 0.5)
	c.fill(c.brick(), poly(x+l*0.08, y-178, x+l*0.09, y-248, x+l*0.17, y-248, x+l*0.18, y-178))
	c.fill(c.black, rect(x+l*0.088, y-256, l*0.085, 16), line(4, x-l*0.2, y-214, x-l*0.2, y-292), line(2, x-l*0.2, y-288, x-l*0.48, y-128), line(2, x-l*0.2, y-288, x+l*0.48, y-72))
	c.fill(c.plane(0.25), hull)
	c.fill(c.wall(), rect(x-l*0.49, y-62, l*0.975, 7))
	c.stipple(c.black, hull, down(y-60, 0, y, 0.7))
	c.fill(c.black, c.crowd(x-l*0.4, x-l*0.32, y-132, 26, 3), c.crowd(x+l*0.2, x+l*0.42, y-132, 26, 7))
	var foam path
	for i := range 26 {
		t := float64(i) / 26
		foam.add(lens(x+l*0.44+l*0.7*t, y-2+36*t+c.between(-5, 5), 90-40*t, 9-5*t), lens(x-l*0.47+c.between(-20, 40), y+c.between(-5, 7), 60, 7))
	}
	c.fill(c.light, foam)
	// The near shore with its rail and its watchers.
	shore := c.ridge(930, 14, 300)
	c.fill(c.plane(0.08), shore)
	c.fill(c.black, fence(-20, 945, 70, 1520, 945, 70, 22))
	third := 750 - c.side*330
	c.fill(c.black, c.person(third, 962, 150), c.person(third+62, 964, 138), c.person(third-74, 962, 92))
}

// bridge: an arched bridge into an old town.
func bridge(c *canvas) {
	const sea = 650
	c.heaven(sea)
	c.hills(sea-40, 110, 420, 0.86)
	c.terrace(-40, 560, sea+6, 100, 0.55)
	c.terrace(960, 1560, sea+6, 116, 0.5)
	c.fill(c.plane(0.6), rect(250, sea-250, 56, 260), poly(242, sea-246, 278, sea-345, 314, sea-246))
	c.water(sea)
	deck := func(x float64) float64 { t := (x - 750) / 800; return 520 + 80*t*t }
	stone, dark := mix(c.wall(), c.brick(), 0.16), mix(c.shade(), c.black, 0.2)
	var body, arches, piers, road path
	top := []pt{}
	for x := -60.0; x <= 1560; x += 20 {
		top = append(top, pt{x, deck(x)})
	}
	body = path{{pts: append(top, pt{1560, 762}, pt{-60, 762})}}
	for i := range 4 {
		x := -10 + 390*float64(i)
		w := 330.0
		a := path{{pts: append(arc(x+w/2, 735, w/2, 160, 3.14159, 6.28319), pt{x + w, 762}, pt{x, 762})}}
		arches.add(a)
		px := x + w + 30
		piers.add(poly(px-44, 748, px-32, 585, px+32, 585, px+44, 748), dome(px, 590, 38, 22))
	}
	p := body.minus(arches)
	c.fill(stone, p)
	c.stipple(dark, p, down(540, 0.1, 740, 0.62))
	for i := range 4 { // the soffit that the light reaches under
		x := -10 + 390*float64(i)
		rim := arc(x+165, 735, 165, 160, 3.14159, 6.28319)
		inner := arc(x+165-c.side*16, 741, 149, 146, 6.28319, 3.14159)
		c.fill(dark, path{{pts: append(rim, inner...)}})
	}
	c.fill(mix(stone, dark, 0.35), piers)
	c.shadeAway(piers, 0, 1500, stone)
	for x := -60.0; x < 1560; x += 20 {
		road.add(poly(x, deck(x)-16, x+20, deck(x+20)-16, x+20, deck(x+20)+6, x, deck(x)+6))
	}
	c.fill(mix(stone, c.light, 0.25), road)
	var folk, lamps, bulbs path
	for _, x := range []float64{180, 212, 420, 640, 668, 1010, 1240, 1275} {
		folk.add(c.person(x+c.between(-20, 20), deck(x)-12, 54))
	}
	for x := 100.0; x < 1500; x += 260 {
		lamps.add(line(4, x, deck(x)-10, x, deck(x)-86))
		bulbs.add(oval(x, deck(x)-90, 8, 9))
	}
	c.fill(c.black, folk, lamps)
	c.fill(c.lamp(), bulbs)
	for i := range 3 {
		c.reflect(365+390*float64(i), 750, 110, 120, mix(dark, c.black, 0.3))
	}
	c.rowboat(750-c.side*250, 865, 190)
}

// rowboat is a small boat with one rower.
func (c *canvas) rowboat(x, y, l float64) {
	c.reflect(x, y+6, l, 34, c.plane(0.05))
	c.fill(c.black, poly(x-l*0.52, y-l*0.12, x+l*0.5, y-l*0.11, x+l*0.4, y+l*0.03, x-l*0.38, y+l*0.03))
	c.fill(c.brick(), poly(x-l*0.51, y-l*0.12, x+l*0.5, y-l*0.11, x+l*0.49, y-l*0.085, x-l*0.48, y-l*0.095))
	c.fill(c.black, oval(x+l*0.01, y-l*0.44, l*0.045, l*0.055), poly(x-l*0.02, y-l*0.38, x+l*0.05, y-l*0.36, x+l*0.12, y-l*0.1, x-l*0.05, y-l*0.1),
		line(l*0.035, x+l*0.02, y-l*0.33, x-l*0.14, y-l*0.2), taper(l*0.018, l*0.03, x-l*0.14, y-l*0.2, x+l*0.34, y+l*0.05))
}

// lighthouse: a tower on a headland in a swell.
func lighthouse(c *canvas) {
	const sea = 660
	c.heaven(sea)
	x := 750 - c.side*300
	if c.dark() || c.hour == overcast {
		c.stipple(mix(c.glow, c.light, 0.6), poly(x, 262, x+c.side*1300, 130, x+c.side*1300, 380, x, 282), around(x, 270, 950, 0.8, 0))
		c.stipple(mix(c.glow, c.light, 0.6), poly(x, 264, x-c.side*900, 200, x-c.side*900, 330, x, 280), around(x, 270, 500, 0.7, 0))
	}
	c.hills(sea+4, 36, 300, 0.85)
	c.water(sea)
	c.birds(x+c.side*330, 360, 8)
	rock := poly(x-640, 1060, x-600, 900, x-430, 760, x-300, 700, x-150, 648, x+90, 640, x+170, 700, x+250, 730, x+290, 830, x+410, 905, x+470, 1060)
	if c.side < 0 {
		rock = rock.mirror(x)
	}
	c.fill(c.plane(0.2), rock)
	c.stipple(mix(c.plane(0.35), c.glow, 0.35), rock, func(px, y float64) float64 {
		return 0.75 - (y-640)/260 + 0.4*noise(c.seed, px/40, y/90)
	})
	c.lines(c.black, rock, down(720, 0.1, 1000, 0.85))
	c.house(x-c.side*150-80, 664, 170, 104, c.wall(), c.brick())
	tower := poly(x-52, 650, x-33, 310, x+33, 310, x+52, 650)
	c.round(tower, x-52, 104, c.wall())
	for i := range 2 {
		t0 := 0.2 + 0.4*float64(i)
		t1 := t0 + 0.2
		w0, w1 := lerp(52, 33, t0), lerp(52, 33, t1)
		band := poly(x-w0, 650-340*t0, x-w1, 650-340*t1, x+w1, 650-340*t1, x+w0, 650-340*t0)
		c.round(band, x-52, 104, c.brick())
	}
	c.fill(c.black, rect(x-48, 302, 96, 12), rect(x-26, 296, 52, 10), archway(x-11, 600, 22, 50), rect(x-5, 450, 10, 20), line(3, x-46, 280, x+46, 280))
	c.fill(c.lamp(), rect(x-22, 250, 44, 48))
	c.fill(c.black, line(4, x-22, 250, x-22, 300), line(3, x, 250, x, 300), line(4, x+22, 250, x+22, 300), dome(x, 252, 30, 30), line(4, x, 228, x, 200))
	for i := -3; i <= 3; i++ {
		c.fill(c.black, line(2.5, x+14*float64(i), 280, x+14*float64(i), 304))
	}
	c.fill(c.black, c.person(x+c.side*95, 648, 50))
	var foam path
	for range 46 {
		t := c.rng.Float64()
		foam.add(lens(x+c.side*lerp(240, 560, t)+c.between(-40, 40), lerp(800, 990, t)+c.between(-14, 14), c.between(40, 150), c.between(4, 12)))
	}
	c.fill(c.light, foam)
}

// river: a river winding out of the hills past poplars, one boat on it.
func river(c *canvas) {
	c.heaven(520)
	p, crest := c.peaks(505, 190, 330)
	c.fill(c.plane(0.86), p)
	c.snowcaps(p, crest, 500, 170)
	c.hills(520, 90, 420, 0.76)
	c.earth(560)
	c.fill(mix(c.ground(0.3), c.body, 0.25), c.ridge(566, 14, 90))
	c.earth(592)
	s := -c.side
	bed := func(t float64) (x, w float64) { // t from the eye 0 to the hills 1
		k := 1 - t
		return 750 + s*(300*k*(1-2*t)+170*noise(3, t*3.2, 0.5)*k+60*t), 430*k*k*k + 40*k + 7
	}
	var left, right []pt
	for i := range 41 {
		t := float64(i) / 40
		x, w := bed(t)
		y := 594 + 470*(1-t)*(1-t)
		left = append(left, pt{x - w, y})
		right = append([]pt{{x + w, y}}, right...)
	}
	water := path{{pts: append(left, right...)}}
	c.fill(mix(c.ground(0), c.black, 0.45), water.move(0, -5))
	surface := mix(c.sky, c.glow, 0.4)
	if c.hour == night {
		surface = mix(c.glow, c.light, 0.25)
	}
	c.fill(surface, water)
	c.stipple(mix(c.sky, c.body, 0.5), water, down(640, 0, 1020, 0.95))
	c.lines(mix(c.body, c.black, 0.3), water, down(740, 0, 1060, 0.6))
	var trees path
	for i := range 7 {
		t := 0.5 + 0.065*float64(i)
		x, w := bed(t)
		y := 594 + 470*(1-t)*(1-t)
		trees.add(c.poplar(x-s*(w+420*(1-t)*(1-t)+14), y+4, 1000*(1-t)*(1-t)+42))
		if i%2 == 0 {
			trees.add(c.poplar(x+s*(w+300*(1-t)+60), y-10, 640*(1-t)*(1-t)+36))
		}
	}
	c.house(750-s*520, 690, 150, 96, c.wall(), c.brick())
	c.tree(750-s*520-50, 696, 130, mix(c.body, c.black, 0.2))
	c.tree(750-s*520+190, 700, 104, mix(c.body, c.black, 0.1))
	c.fill(c.plane(0.24), trees)
	c.stipple(mix(c.body, c.glow, 0.35), trees.move(c.side*5, -3), flat(0.2))
	x, _ := bed(0.2)
	c.rowboat(x-s*40, 594+470*0.64+6, 130)
	var reeds path
	for range 90 {
		x := 750 - s*c.between(380, 760)
		reeds.add(taper(5, 1, x, 1040, x+c.between(-18, 18), c.between(860, 960)))
	}
	c.fill(c.black, reeds)
	c.birds(750+s*200, 250, 6)
}

// shipyard: a hull on the slip under a gantry.
func shipyard(c *canvas) {
	c.heaven(700)
	c.hills(680, 60, 300, 0.84)
	c.terrace(-40, 420, 702, 70, 0.72)
	c.fill(c.plane(0.6), rect(1180, 590, 400, 130), poly(1180, 590, 1260, 545, 1340, 590, 1420, 545, 1500, 590, 1560, 560, 1560, 600))
	gantry := c.plane(0.42)
	c.fill(gantry, lattice(230, 742, 62, 262, 250, 30, 9, 7), lattice(1270, 742, 62, 1238, 250, 30, 9, 7), lattice(150, 236, 46, 1350, 236, 46, 24, 8),
		rect(640, 256, 70, 40), line(3, 660, 290, 690, 400), line(3, 690, 290, 690, 400))
	c.fill(c.brick(), rect(800, 176, 74, 36))
	c.earth(735)
	hull := path{{pts: []pt{{360, 420}, {470, 404}, {760, 392}, {1040, 404}, {1150, 420}, {1130, 560}, {1040, 690}, {900, 776}, {760, 800}, {620, 776}, {470, 690}, {380, 560}}}}
	c.fill(c.plane(0.3), hull)
	c.stipple(mix(c.body, c.glow, 0.35), hull, around(760+c.side*330, 470, 520, 0.9, 0))
	c.fill(c.brick(), poly(398, 600, 1112, 600, 1040, 690, 900, 776, 760, 800, 620, 776, 470, 690))
	c.stipple(c.black, hull, around(760+c.side*250, 480, 720, -0.2, 0.9))
	c.fill(c.plane(0.12), line(5, 760, 394, 760, 800))
	for _, y := range []float64{470, 545, 610, 680} {
		c.fill(mix(c.plane(0.2), c.black, 0.4), line(2.5, 372, y-40, 560, y, 760, y+8, 960, y, 1148, y-40))
	}
	var scaffold, blocks, sparks path
	for i := range 5 {
		for _, s := range []float64{-1, 1} {
			x := 760 + s*(400+44*float64(i%2)) + s*14*float64(i)
			scaffold.add(line(5, x, 440+16*float64(i), x, 850))
		}
	}
	for y := 470.0; y < 850; y += 74 {
		for _, s := range []float64{-1, 1} {
			scaffold.add(line(7, 760+s*385, y, 760+s*510, y), line(3, 760+s*398, y, 760+s*500, y+74))
		}
	}
	for i := range 7 {
		blocks.add(rect(560+60*float64(i), 796, 34, 52))
	}
	c.fill(c.black, scaffold, blocks, c.person(336, 470, 44), c.person(1196, 618, 44), c.person(310, 692, 44))
	sx, sy := 1110.0, 640.0
	c.stipple(c.light, oval(sx, sy, 110, 110), around(sx, sy, 110, 0.7, 0))
	for range 34 {
		r := c.between(1.5, 3.4)
		sparks.add(oval(sx+c.between(-44, 44), sy+c.between(-8, 120)*c.rng.Float64(), r, r*1.6))
	}
	c.fill(c.lamp(), sparks, oval(sx, sy, 9, 9))
	c.fill(c.light, oval(sx, sy, 5, 5))
	c.people(930, 112, c.black, 250, 306, 1330)
	c.people(880, 84, c.black, 640, 905)
	c.fill(c.black, poly(-40, 1060, -40, 1000, 1560, 975, 1560, 1060))
}

// dam: a curved wall between two flanks, its gates open.
func dam(c *canvas) {
	c.heaven(470)
	p, crest := c.peaks(470, 260, 420)
	c.fill(c.plane(0.88), p)
	c.snowcaps(p, crest, 470, 260)
	c.hills(470, 90, 300, 0.7)
	c.fill(mix(c.sky, c.body, 0.35), rect(-40, 470, 1580, 40))
	concrete := c.wall()
	// The wall is a shallow cone seen from below: the crest sags to the middle, the foot less.
	var top, foot []pt
	for i := range 41 {
		t := float64(i)/20 - 1
		top = append(top, pt{750 + t*560, 530 - 40*t*t})
		foot = append([]pt{{750 + t*300, 905 - 60*t*t}}, foot...)
	}
	wall := path{{pts: append(top, foot...)}}
	abutment := poly(140, 478, 205, 496, 480, 860, 480, 1000, 140, 1000)
	c.fill(c.plane(0.3), abutment, abutment.mirror(750))
	c.fill(concrete, wall)
	c.stipple(mix(concrete, c.body, 0.75), wall, func(x, y float64) float64 {
		return 0.42 - c.side*(x-750)/900 + (y-520)/1500
	})
	var joints, piers, spill, gates path
	for i := range 15 {
		t := float64(i)/7 - 1
		joints.add(line(2, 750+t*560, 530-40*t*t, 750+t*300, 905-60*t*t))
	}
	c.fill(mix(concrete, c.body, 0.5), joints)
	for i := range 4 {
		x := 672 + 52*float64(i)
		gates.add(rect(x-19, 534, 38, 34))
		piers.add(rect(x-33, 516, 12, 60))
		spill.add(poly(x-17, 568, x+17, 568, 750+(x-750)*0.86+22, 905, 750+(x-750)*0.86-24, 905))
	}
	piers.add(rect(672+52*4-33, 516, 12, 60))
	c.fill(c.light, spill)
	c.lines(c.body, spill, flat(0.12))
	c.stipple(mix(c.light, c.body, 0.5), spill, across(640, 0.2, 860, 0.45))
	c.fill(c.plane(0.15), gates)
	c.fill(mix(concrete, c.body, 0.25), piers)
	var rail, folk path
	for i := range 40 {
		t, u := float64(i)/20-1, float64(i+1)/20-1
		rail.add(line(11, 750+t*560, 524-40*t*t, 750+u*560, 524-40*u*u))
	}
	c.fill(mix(concrete, c.light, 0.5), rail)
	for _, x := range []float64{360, 378, 560, 980, 1120} {
		t := (x - 750) / 560
		folk.add(c.person(x, 522-40*t*t, 27))
	}
	c.fill(c.black, folk)
	c.truck(1010, 518, 50, 1, c.brick())
	// The flanks and the gorge.
	left := poly(-60, 1060, -60, 380, 60, 400, 150, 470, 215, 500, 300, 610, 330, 700, 420, 790, 470, 880, 560, 960, 600, 1060)
	for i, f := range []path{left, left.mirror(750).move(20, 14)} {
		k := c.plane(0.3)
		c.fill(k, f)
		if (i == 0) == (c.side > 0) {
			c.stipple(mix(c.body, c.glow, 0.5), f, down(380, 0.75, 900, 0.1))
		}
		c.lines(c.black, f, down(560, 0.12, 1000, 0.7))
	}
	pool := poly(420, 1060, 520, 900, 980, 900, 1100, 1060)
	c.fill(mix(c.body, c.black, 0.3), pool)
	var foam path
	for range 70 {
		t := c.rng.Float64()
		foam.add(lens(750+c.between(-130, 130)*(1+t), 896+150*t*t, c.between(30, 120), c.between(4, 16)*(1-t*0.5)))
	}
	c.fill(c.light, foam)
	c.stipple(c.light, oval(750, 890, 210, 70), around(750, 890, 200, 0.8, 0))
	var firs path
	for i := range 12 {
		x := 40 * float64(i)
		firs.add(c.conifer(x-30, 900+x*0.33+c.between(-30, 30), c.between(130, 210)))
		firs.add(c.conifer(1530-x, 910+x*0.33+c.between(-30, 30), c.between(130, 210)))
	}
	c.fill(c.black, firs)
}
