package picture

import "math"

// room is a hall in one-point perspective about (vx, vy): back wall of half-size w × h, floor, side walls, ceiling.
func (c *canvas) room(vx, vy, w, h, floor float64, wall, ground ink) {
	c.fill(wall, everything())
	back := rect(vx-w, vy-h, 2*w, h+floor)
	c.fill(mix(wall, c.light, 0.12), back)
	side := poly(-40, -40, vx-w, vy-h, vx-w, vy+floor, -40, 1060)
	other := poly(1540, -40, vx+w, vy-h, vx+w, vy+floor, 1540, 1060)
	if c.side > 0 {
		side, other = other, side
	}
	c.stipple(mix(wall, c.black, 0.4), side, flat(0.6))
	c.stipple(mix(wall, c.light, 0.25), other, flat(0.35))
	c.fill(mix(wall, c.black, 0.42), poly(-40, -40, 1540, -40, vx+w, vy-h, vx-w, vy-h))
	p := poly(-40, 1060, vx-w, vy+floor, vx+w, vy+floor, 1540, 1060)
	c.fill(ground, p)
	c.stipple(mix(ground, c.black, 0.5), p, down(vy+floor, 0.1, 1040, 0.8))
}

// indoor returns the inks of a hall: its walls and its floor.
func (c *canvas) indoor() (wall, ground ink) {
	if c.dark() {
		return mix(c.body, c.black, 0.25), mix(c.body, c.black, 0.05)
	}
	return mix(c.body, c.glow, 0.3), mix(c.glow, c.body, 0.4)
}

// day is what a window of a hall shows.
func (c *canvas) day() ink {
	if c.dark() {
		return mix(c.sky, c.glow, 0.6)
	}
	return mix(c.light, c.glow, 0.4)
}

// press: the web running through a rotary press at night.
func press(c *canvas) {
	wall, ground := c.indoor()
	wall = mix(wall, c.black, 0.25)
	s := -c.side
	c.fill(wall, everything())
	// High windows and what falls through them.
	var panes, bars, shafts path
	for i := range 6 {
		x := 60 + 250*float64(i)
		panes.add(rect(x, 70, 150, 190))
		bars.add(rect(x+47, 70, 5, 190), rect(x+98, 70, 5, 190), rect(x, 130, 150, 5), rect(x, 194, 150, 5))
		shafts.add(poly(x, 260, x+150, 260, x+150+s*420, 900, x+s*420, 900))
	}
	c.fill(c.day(), panes)
	c.fill(c.black, bars)
	c.stipple(mix(wall, c.light, 0.35), shafts, down(250, 0.5, 860, 0.05))
	c.fill(mix(wall, c.black, 0.5), rect(-40, 300, 1580, 16), lattice(-40, 40, 60, 1540, 40, 60, 22, 6))
	c.fill(ground, rect(-40, 820, 1580, 260))
	c.stipple(mix(ground, c.black, 0.5), rect(-40, 820, 1580, 260), down(820, 0.15, 1050, 0.9))
	iron, pale := mix(c.body, c.black, 0.62), mix(c.light, c.glow, 0.2)
	// Three units; the web goes over and under their cylinders.
	var web []float64
	for i := range 3 {
		x := 750 + s*(-420+430*float64(i))
		body := rect(x-150, 400, 300, 440)
		c.fill(iron, body, rect(x-176, 380, 352, 34), rect(x-176, 816, 352, 34))
		c.shadeAway(body, x-150, 300, iron)
		c.stipple(mix(iron, c.light, 0.35), body, across(x+c.side*150, 0.5, x+c.side*20, 0))
		paper := rect(x-12, 420, 24, 330)
		c.fill(pale, paper)
		c.stipple(c.body, paper, flat(0.2))
		for j, q := range []struct{ dx, y, r float64 }{{-72, 510, 58}, {72, 510, 58}, {-72, 642, 58}, {72, 642, 58}, {0, 752, 44}} {
			k := mix(c.body, c.glow, 0.4)
			if j == 4 {
				k = c.brick()
			}
			p := oval(x+q.dx, q.y, q.r, q.r)
			c.fill(c.black, oval(x+q.dx, q.y, q.r+7, q.r+7))
			c.fill(k, p)
			c.stipple(mix(k, c.black, 0.6), p, around(x+q.dx+c.side*q.r*0.5, q.y-q.r*0.5, q.r*1.7, -0.3, 0.95))
			c.fill(c.black, oval(x+q.dx, q.y, q.r*0.16, q.r*0.16))
		}
		web = append(web, x-s*150, 416, x+s*150, 416)
		c.fill(mix(pale, c.body, 0.2), oval(x-150, 426, 15, 15), oval(x+150, 426, 15, 15), oval(x, 426, 19, 19))
		c.fill(c.lamp(), oval(x-110, 800, 6, 6), oval(x-90, 800, 6, 6))
	}
	c.fill(mix(pale, c.body, 0.35), line(22, web...).move(0, 8))
	c.fill(pale, line(17, web...))
	// The roll it comes from and the folder it goes to.
	rx := 750 - s*690
	c.fill(pale, oval(rx, 690, 132, 132))
	c.stipple(c.body, oval(rx, 690, 132, 132), around(rx+c.side*60, 630, 210, -0.1, 0.7))
	for r := 30.0; r < 130; r += 17 {
		c.fill(mix(pale, c.body, 0.4), ring(rx, 690, r, 2.2))
	}
	c.fill(c.black, oval(rx, 690, 17, 17), poly(rx-16, 690, rx+16, 690, rx+44, 850, rx-44, 850))
	c.fill(pale, taper(17, 17, rx+s*40, 562, web[0], web[1]))
	fx := 750 + s*640
	c.fill(iron, rect(fx-60, 540, 120, 310))
	c.fill(pale, taper(17, 15, web[len(web)-2], web[len(web)-1], fx, 470, fx, 560), poly(fx-46, 470, fx+46, 470, fx, 590))
	c.fill(mix(pale, c.body, 0.3), poly(fx, 470, fx-c.side*46, 470, fx, 590))
	for i := range 8 { // copies on the belt
		x := fx - s*70 - s*float64(i)*26
		c.fill(mix(pale, c.body, 0.1*float64(i%3)), poly(x, 856, x+44, 852, x+50, 862, x+4, 868))
	}
	c.fill(c.black, rect(fx-250, 866, 310, 16))
	c.people(905, 215, c.black, 750-s*205)
	c.people(930, 235, c.black, 750+s*400)
	c.stackOfPapers(750-s*480, 985, 190, pale)
	c.stackOfPapers(750-s*300, 1005, 160, pale)
}

// stackOfPapers is a bundle w wide on y, tied.
func (c *canvas) stackOfPapers(x, y, w float64, k ink) {
	p := rect(x-w/2, y-w*0.5, w, w*0.5)
	c.fill(k, p)
	c.fill(mix(k, c.light, 0.5), poly(x-w/2, y-w*0.5, x-w*0.36, y-w*0.62, x+w*0.62, y-w*0.62, x+w/2, y-w*0.5))
	c.fill(mix(k, c.body, 0.6), poly(x+w/2, y-w*0.5, x+w*0.62, y-w*0.62, x+w*0.62, y-w*0.1, x+w/2, y))
	var leaves path
	for i := range 11 {
		leaves.add(rect(x-w/2, y-w*0.045*float64(i+1), w, 2))
	}
	c.fill(mix(k, c.body, 0.45), leaves)
	c.shadeAway(p, x-w/2, w, mix(k, c.body, 0.3))
	c.fill(c.black, rect(x-w*0.05, y-w*0.5, w*0.03, w*0.5), line(w*0.03, x-w*0.035, y-w*0.5, x+w*0.1, y-w*0.62))
}

// archive: the long aisle of shelves, a reader under a lamp.
func archive(c *canvas) {
	wall, ground := c.indoor()
	s := -c.side
	vx, vy := 750+s*150, 400.0
	c.room(vx, vy, 92, 100, 92, wall, ground)
	c.fill(c.day(), archway(vx-46, vy-70, 92, 120))
	c.fill(c.black, rect(vx-2, vy-70, 4, 120), rect(vx-46, vy-14, 92, 4))
	c.stipple(c.day(), poly(vx-46, vy+92, vx+46, vy+92, vx+260, 1060, vx-260, 1060), down(vy+92, 0.8, 1040, 0.05))
	inks := []ink{mix(c.brick(), c.body, 0.2), mix(c.body, c.glow, 0.3), c.shade(), mix(c.body, c.black, 0.3), mix(c.glow, c.brick(), 0.45), c.wall()}
	// A shelf wall is a plane from depth 0.12 to 1.25; px maps (depth, height) to the sheet.
	for _, side := range []float64{-1, 1} {
		px := func(z, v float64) (float64, float64) {
			return vx + side*(80+760*z), vy + (-100-620*z)*v + (92+560*z)*(1-v)
		}
		quad := func(z0, z1, v0, v1 float64) path {
			ax, ay := px(z0, v0)
			bx, by := px(z1, v0)
			dx, dy := px(z1, v1)
			ex, ey := px(z0, v1)
			return poly(ax, ay, bx, by, dx, dy, ex, ey)
		}
		lit := side*c.side < 0
		c.fill(c.plane(0.08), quad(0.02, 1.3, 0.0, 0.94))
		boxes := map[ink]*path{}
		for bay := range 11 {
			z0, z1 := 0.02*math.Pow(1.47, float64(bay)), 0.02*math.Pow(1.47, float64(bay)+0.95)
			for shelf := range 8 {
				v0 := 0.03 + 0.113*float64(shelf)
				for n := range 6 {
					if c.chance(0.09) {
						continue
					}
					a, b := lerp(z0, z1, float64(n)/6), lerp(z0, z1, (float64(n)+0.88)/6)
					k := inks[c.rng.IntN(len(inks))]
					k = mix(k, wall, 0.5*(1-float64(bay)/11))
					if !lit {
						k = mix(k, c.black, 0.38)
					}
					if boxes[k] == nil {
						boxes[k] = &path{}
					}
					boxes[k].add(quad(a, b, v0, v0+c.between(0.068, 0.094)))
				}
			}
			c.fillAll(boxes)
			clear(boxes)
		}
		c.stipple(c.black, quad(0.02, 1.3, 0, 0.94), func(x, y float64) float64 {
			return 0.62 - math.Abs(x-vx)/1500 + math.Max(0, (200-y)/500)
		})
		if !lit {
			c.dots(c.black, quad(0.02, 1.3, 0, 0.94), flat(0.16))
		}
	}
	// Lamps down the aisle, a ladder, a trolley and the table.
	for i := range 4 {
		z := 0.09 * math.Pow(1.9, float64(i))
		y := vy - 30 - 430*z
		c.fill(c.black, line(1+3*z, vx, y-200*z, vx, y), poly(vx-70*z, y+24*z, vx-20*z, y-20*z, vx+20*z, y-20*z, vx+70*z, y+24*z))
		c.stipple(c.lamp(), oval(vx, y+30*z, 170*z, 130*z), around(vx, y+30*z, 160*z, 0.85, 0))
		c.fill(c.lamp(), oval(vx, y+26*z, 44*z, 13*z))
	}
	lx := vx + s*355
	c.fill(c.plane(0.02), line(10, lx-s*40, 850, lx+s*60, 200), line(10, lx+s*46, 905, lx+s*124, 190))
	for i := range 9 {
		t := (float64(i) + 0.5) / 9
		c.fill(c.plane(0.02), line(7, lerp(lx-s*40, lx+s*60, t), lerp(850, 200, t), lerp(lx+s*46, lx+s*124, t), lerp(905, 190, t)))
	}
	c.fill(c.black, c.person(lx+s*56, 560, 225))
	c.readingTable(750-s*330, 930)
}

// fillAll fills each ink's shapes, in the order of the inks' values so that a map cannot disturb the print.
func (c *canvas) fillAll(shapes map[ink]*path) {
	for len(shapes) > 0 {
		var least ink
		first := true
		for k := range shapes {
			if first || k.r < least.r || k.r == least.r && (k.g < least.g || k.g == least.g && k.b < least.b) {
				least, first = k, false
			}
		}
		c.fill(least, *shapes[least])
		delete(shapes, least)
	}
}

// readingTable is a table with a lamp, an open volume and somebody bent over it.
func (c *canvas) readingTable(x, y float64) {
	c.stipple(c.lamp(), oval(x+30, y-150, 330, 230), around(x+30, y-160, 310, 0.62, 0))
	c.fill(c.black, c.blob(x-60, y-250, 44, 50, 0.04), poly(x-180, y-60, x-150, y-170, x-100, y-210, x-20, y-205, x+30, y-160, x+70, y-60))
	c.fill(c.brick(), poly(x+90, y-236, x+120, y-290, x+180, y-290, x+214, y-236))
	c.fill(c.lamp(), rect(x+96, y-238, 112, 9))
	c.fill(c.plane(0.1), line(8, x+152, y-236, x+152, y-70), rect(x+120, y-76, 64, 12))
	c.fill(c.light, poly(x-80, y-66, x-70, y-92, x+4, y-82, x+78, y-94, x+92, y-66))
	c.fill(c.plane(0.2), line(3, x+4, y-82, x+5, y-66))
	top := mix(c.brick(), c.black, 0.35)
	c.fill(top, poly(x-260, y-66, x+260, y-66, x+290, y-34, x-290, y-34))
	c.stipple(c.lamp(), poly(x-260, y-66, x+260, y-66, x+290, y-34, x-290, y-34), around(x+60, y-56, 240, 0.6, 0))
	c.fill(mix(top, c.black, 0.55), rect(x-290, y-34, 580, 22), rect(x-264, y-14, 24, 150), rect(x+240, y-14, 24, 150))
}

// ballot: a vote going into the box, the booths behind.
func ballot(c *canvas) {
	wall, ground := c.indoor()
	s := -c.side
	c.room(750+s*60, 420, 520, 330, 220, wall, ground)
	// Tall windows on the back wall.
	for i := range 4 {
		x := 750 + s*60 - 440 + 240*float64(i)
		c.fill(mix(wall, c.black, 0.3), rect(x-8, 132, 176, 268))
		c.fill(c.day(), rect(x, 140, 160, 252))
		c.fill(mix(wall, c.black, 0.35), rect(x+76, 140, 7, 252), rect(x, 220, 160, 6), rect(x, 306, 160, 6))
	}
	c.stipple(c.day(), poly(500, 640, 900, 640, 900+s*320, 1000, 420+s*320, 1000), down(640, 0.5, 1000, 0))
	// Booths.
	for i := range 3 {
		x := 750 + s*(160+215*float64(i)) - 90
		y := 690.0
		c.fill(c.plane(0.15), rect(x, 410, 180, y-410))
		c.fill(c.plane(0.05), c.person(x+90, y, 236))
		curtain := rect(x+6, 424, 168, 170)
		k := mix(c.brick(), c.body, 0.12)
		c.fill(k, curtain)
		var folds path
		for j := range 7 {
			folds.add(taper(3, 9, x+18+24*float64(j), 424, x+14+25*float64(j), 594))
		}
		c.fill(mix(k, c.black, 0.45), folds)
		c.fill(c.wall(), rect(x-8, 396, 196, 20), rect(x-8, 396, 14, y-396), rect(x+174, 396, 14, y-396))
		c.stipple(c.body, rect(x-8, 396, 196, 20), flat(0.3))
	}
	c.fill(c.black, c.crowd(750-s*560, 750-s*270, 770, 290, 4))
	// Table and box.
	table := rect(-40, 880, 1580, 200)
	c.fill(mix(c.brick(), c.black, 0.45), table)
	c.fill(mix(c.brick(), c.body, 0.3), rect(-40, 872, 1580, 28))
	c.stipple(c.black, table, down(900, 0.2, 1040, 0.8))
	x := 750 - s*110.0
	k := mix(c.light, c.glow, 0.15)
	if c.dark() {
		k = mix(c.light, c.glow, 0.45)
	}
	front := rect(x-170, 600, 340, 280)
	c.fill(mix(k, c.body, 0.12), front)
	top := poly(x-170, 600, x-120, 552, x+220, 552, x+170, 600)
	flank := poly(x+170, 600, x+220, 552, x+220, 838, x+170, 880)
	c.fill(mix(k, c.light, 0.6), top)
	c.fill(mix(k, c.body, 0.62), flank)
	c.stipple(c.black, flank, down(560, 0.1, 880, 0.5))
	c.stipple(c.body, front, down(700, 0, 880, 0.6))
	c.fill(c.black, poly(x-66, 584, x-56, 570, x+110, 570, x+100, 584))
	c.fill(c.brick(), ring(x, 742, 78, 12), line(15, x-36, 742, x-8, 774, x+44, 706))
	c.fill(c.plane(0.3), rect(x-170, 616, 340, 5), rect(x+80, 606, 24, 40))
	// The hand, the sleeve and the paper.
	paper := poly(x-32, 572, x-4, 424, x+82, 430, x+70, 578)
	c.fill(c.light, paper)
	c.stipple(c.body, poly(x+36, 428, x+82, 430, x+70, 578, x+28, 576), flat(0.35))
	skin := mix(hex(0xB9805E), c.body, 0.1)
	hand := path{{pts: []pt{{x + 2, 470}, {x + 44, 452}, {x + 92, 430}, {x + 140, 402}, {x + 176, 440}, {x + 132, 474}, {x + 104, 500}, {x + 66, 506}, {x + 58, 494}, {x + 84, 480}, {x + 36, 494}, {x + 8, 488}}}}
	c.fill(skin, hand)
	c.stipple(mix(skin, c.black, 0.6), hand, down(452, 0, 510, 0.7))
	sleeve := poly(x+128, 396, x+196, 452, x+470, 300, x+760, 190, x+760, -40, x+520, 20, x+330, 230)
	c.fill(mix(c.light, c.body, 0.2), poly(x+122, 400, x+188, 458, x+214, 440, x+150, 384))
	c.fill(c.plane(0.12), sleeve)
	c.stipple(mix(c.body, c.glow, 0.2), sleeve, func(px, y float64) float64 { return 0.6 - (y-(430-(px-x-120)*0.62))/110 })
}

// theatre: one figure in the light, the house in the dark.
func theatre(c *canvas) {
	c.hour = night
	s := -c.side
	red := mix(hex(0x8C3B30), c.body, 0.15)
	c.fill(mix(c.black, c.body, 0.3), everything())
	stage := rect(190, 150, 1120, 560)
	c.fill(mix(c.body, c.black, 0.12), stage)
	// A painted flat: hills and a moon.
	c.fill(mix(c.light, c.glow, 0.5), oval(750+s*260, 300, 54, 54))
	far := path{{pts: []pt{{190, 710}, {190, 540}, {330, 470}, {470, 540}, {640, 430}, {820, 545}, {960, 480}, {1130, 560}, {1310, 500}, {1310, 710}}}}
	c.fill(mix(c.body, c.glow, 0.4), far)
	c.stipple(mix(c.body, c.black, 0.4), far, down(440, 0, 700, 0.8))
	floor := poly(190, 660, 1310, 660, 1390, 770, 110, 770)
	c.fill(mix(hex(0x8A6B4A), c.body, 0.45), floor)
	var boards path
	for i := range 22 {
		t := float64(i)/21 - 0.5
		boards.add(taper(2, 4, 750+t*1120, 660, 750+t*1280, 770))
	}
	c.fill(mix(c.body, c.black, 0.4), boards)
	c.stipple(c.black, floor, func(x, y float64) float64 { return math.Abs(x-750+s*120)/600 - 0.25 })
	// Spot.
	ax := 750 - s*120
	c.stipple(mix(c.light, c.accent, 0.2), poly(ax+s*330-16, 120, ax+s*330+16, 120, ax+150, 716, ax-150, 716), down(110, 0.62, 700, 0.3))
	c.fill(mix(c.light, c.accent, 0.25), oval(ax, 716, 152, 27))
	c.stipple(c.black, poly(ax-14, 716, ax+14, 716, ax-s*90+26, 738, ax-s*90-26, 738), flat(0.8))
	c.fill(c.black, c.person(ax, 720, 190), line(13, ax+s*14, 572, ax+s*62, 530), line(12, ax-s*10, 572, ax-s*40, 640))
	c.fill(c.plane(0), rect(ax+s*230-40, 610, 80, 8), line(7, ax+s*230-34, 614, ax+s*230-34, 690), line(7, ax+s*230+34, 614, ax+s*230+34, 690), line(7, ax+s*230+s*38, 520, ax+s*230+s*34, 614), rect(ax+s*230-6+s*34, 520, 12, 60))
	// Curtains and the arch.
	for _, side := range []float64{-1, 1} {
		x0, x1 := 750+side*590, 750+side*330
		for i := range 7 {
			t, u := float64(i)/7, float64(i+1)/7
			k := mix(red, c.black, 0.5*math.Mod(float64(i), 2)+0.05*float64(i))
			c.fill(k, poly(append(append([]float64{lerp(x0, x1, t), 120, lerp(x0, x1, u), 120}, curve(lerp(x0, x1, u), 120, lerp(x0, x1, u), 430, lerp(x0, x0-side*40, u), 480, lerp(x0, x0-side*104, u), 742)...), lerp(x0, x0-side*104, t), 742)...))
		}
		c.stipple(c.accent, rect(min(x0-side*110, x0), 560, 110, 190), flat(0.07))
		c.fill(mix(c.accent, c.brick(), 0.35), line(9, x0, 556, x0-side*88, 540))
	}
	for i := range 8 { // the valance hangs in swags
		x := 160 + 147.5*float64(i)
		p := dome(x+74, 160, 74, 74).squash(160, -1)
		p.add(rect(x, 96, 148, 66))
		k := mix(red, c.black, 0.14*float64(i%2)+0.1)
		c.fill(k, p)
		c.stipple(mix(red, c.black, 0.75), p, down(120, 0, 236, 0.6))
		c.fill(mix(c.accent, c.brick(), 0.3), line(7, sag(x, 162, x+148, 162, 98)...))
	}
	gold := mix(c.accent, c.body, 0.5)
	arch := rect(70, 40, 1360, 760).minus(rect(150, 100, 1200, 700))
	c.fill(mix(c.body, c.black, 0.6), rect(-40, -40, 1580, 90), rect(-40, 0, 130, 800), rect(1410, 0, 130, 800))
	c.fill(mix(gold, c.black, 0.35), arch)
	c.stipple(mix(gold, c.light, 0.3), arch, flat(0.28))
	for i := range 34 {
		c.fill(gold, oval(110+39.4*float64(i), 72, 9, 9))
	}
	for i := range 17 {
		c.fill(gold, oval(110, 112+40*float64(i), 9, 9), oval(1390, 112+40*float64(i), 9, 9))
	}
	c.fill(mix(c.body, c.black, 0.55), rect(-40, 766, 1580, 40))
	var lights path
	for i := range 15 {
		lights.add(dome(260+70*float64(i), 768, 15, 12))
	}
	c.fill(c.accent, lights)
	// The house, row behind row.
	c.fill(mix(c.black, c.body, 0.16), rect(-40, 800, 1580, 260))
	for r := range 4 {
		t := float64(r) / 3
		y, w := 838+72*float64(r)+16*t, 62+34*t
		k := mix(c.black, c.body, 0.34-0.32*t)
		var heads path
		for x := -60 + float64(r%2)*w*0.5; x < 1560; x += w * 1.18 {
			heads.add(rect(x-w*0.5, y+w*0.1, w, w*1.4))
			if c.chance(0.12) {
				continue
			}
			hy := y - w*0.2 + c.between(-7, 7)
			heads.add(c.blob(x, hy, w*0.25, w*0.31, 0.05), dome(x, y+w*0.42, w*0.46, w*0.34))
			if c.chance(0.25) {
				heads.add(oval(x, hy-w*0.34, w*0.12, w*0.11))
			}
		}
		c.fill(mix(gold, k, 0.72), heads.move(0, -3))
		c.fill(k, heads)
	}
}
