package picture

import "math"

// setLight places the sun or moon on a line of thirds, at the height of the hour.
func (c *canvas) setLight() {
	c.side = -1
	if c.chance(0.5) {
		c.side = 1
	}
	y := map[hour]float64{dawn: 430, noon: 190, dusk: 480, night: 210, overcast: 260}[c.hour]
	c.sun = pt{750 + c.side*c.between(230, 420), y + c.between(-40, 40)}
}

// everything is the whole sheet, with some to spare.
func everything() path { return rect(-40, -40, 1580, 1080) }

// heaven fills the sky down to a horizon at h: tint, glow, sun or moon, and the hour's clouds.
func (c *canvas) heaven(h float64) {
	c.fill(c.sky, everything())
	all := rect(-40, -40, 1580, h+60)
	switch c.hour {
	case night:
		c.stipple(mix(c.sky, c.black, 0.5), all, down(0, 0.75, h*0.7, 0))
		c.stipple(mix(c.sky, c.glow, 0.75), all, down(h*0.45, 0, h, 1))
		c.stars(h)
	case dusk:
		c.stipple(mix(c.sky, c.body, 0.55), all, down(0, 0.7, h*0.55, 0))
		c.stipple(c.glow, all, down(h*0.35, 0, h*0.9, 1.05))
	case overcast:
		c.stipple(c.glow, all, down(h*0.4, 0, h, 0.95))
	default:
		c.stipple(mix(c.sky, c.body, 0.16), all, down(0, 0.5, h*0.6, 0))
		c.stipple(c.glow, all, down(h*0.3, 0, h*0.95, 1.05))
	}
	c.orb(h)
	c.clouds(h)
}

func (c *canvas) stars(h float64) {
	var p path
	for range 70 {
		y := h * 0.85 * c.rng.Float64() * c.rng.Float64()
		r := c.between(0.8, 2.1)
		p.add(oval(c.between(0, 1500), y, r, r))
	}
	c.fill(mix(c.light, c.sky, 0.15), p)
}

// orb is the sun or the moon with what it does to the air around it.
func (c *canvas) orb(h float64) {
	x, y := c.sun.x, min(c.sun.y, h-70)
	switch c.hour {
	case overcast:
		c.stipple(c.light, oval(x, y, 230, 230), around(x, y, 230, 0.75, 0))
	case night:
		c.stipple(mix(c.sky, c.glow, 0.8), oval(x, y, 260, 260), around(x, y, 260, 0.7, 0))
		c.fill(c.light, oval(x, y, 46, 46))
		c.stipple(mix(c.light, c.sky, 0.45), oval(x, y, 46, 46), around(x+18*c.side, y-14, 74, -0.25, 0.9))
	case noon:
		c.stipple(c.light, oval(x, y, 260, 260), around(x, y, 260, 0.9, 0))
		c.fill(c.light, oval(x, y, 50, 50))
	default:
		c.stipple(mix(c.glow, c.light, 0.6), oval(x, y, 300, 300), around(x, y, 300, 0.85, 0))
		k := c.light
		if c.hour == dawn {
			k = mix(c.accent, c.glow, 0.25)
		}
		c.fill(k, oval(x, y, 58, 58))
	}
}

// clouds cuts the hour's clouds: banks, heaps or long strips.
func (c *canvas) clouds(h float64) {
	switch c.hour {
	case overcast:
		for i := range 4 {
			y := h * (0.08 + 0.17*float64(i))
			k := mix(mix(c.sky, c.body, 0.2-0.05*float64(i)), c.glow, 0.12*float64(i))
			bank := c.bank(y, 46, 260)
			c.fill(k, bank)
			c.stipple(mix(k, c.light, 0.6), bank, down(y-30, 0.1+0.1*c.rng.Float64(), y+120, 0.75))
		}
	case noon:
		for i := range 3 {
			s := c.between(0.6, 1.25)
			x := 150 + 520*float64(i) + c.between(-120, 120)
			if math.Abs(x-c.sun.x) < 170 {
				x += 240 * -c.side
			}
			c.heap(x, h*c.between(0.3, 0.62), s)
		}
	case night:
		for range 4 {
			c.strip(c.between(0, 1500), h*c.between(0.35, 0.8), c.between(260, 620), mix(c.sky, c.glow, 0.4))
		}
	default:
		k := mix(c.light, c.glow, 0.35)
		if c.hour == dusk {
			k = mix(c.sky, c.body, 0.45)
		}
		for range 7 {
			c.strip(c.between(-50, 1550), h*c.between(0.18, 0.86), c.between(200, 640), k)
		}
	}
}

// bank is the cut lower-edge of a sheet of cloud that fills everything below it.
func (c *canvas) bank(y, amp, wave float64) path {
	at := c.between(0, 1e4)
	pts := []pt{{1560, 1060}, {-60, 1060}}
	for x := -60.0; x <= 1560; x += 12 {
		v := math.Abs(noise(c.seed+40, at+x/wave, 0.3)) + 0.45*math.Abs(noise(c.seed+41, at+x/wave*2.7, 0.3))
		pts = append(pts, pt{x, y - amp*v*1.5})
	}
	return path{{pts: pts}}
}

// heap is a cumulus on a flat base, its belly in grain.
func (c *canvas) heap(x, y, s float64) {
	const n = 40
	at := c.between(0, 1e4)
	w := 190 * s
	pts := []pt{}
	for i := range n + 1 {
		t := float64(i)/n*2 - 1
		body := math.Sqrt(1-t*t) * (1 - 0.25*t*c.side)
		bump := 0.62 + 0.38*math.Abs(noise(c.seed+42, at+t*3.1, 0.2)) + 0.3*noise(c.seed+43, at+t*1.6, 0.2)
		pts = append(pts, pt{x + t*w, y - 92*s*body*bump})
	}
	pts = append(pts, pt{x + w*0.7, y + 7*s}, pt{x - w*0.6, y + 7*s})
	p := path{{pts: pts}}
	c.fill(mix(c.light, c.glow, 0.15), p)
	c.stipple(mix(c.sky, c.body, 0.22), p, down(y-60*s, 0, y+5, 0.85))
}

// strip is a long flat cloud of two or three slivers.
func (c *canvas) strip(x, y, l float64, k ink) {
	p := lens(x, y, l, c.between(9, 22))
	p.add(lens(x+l*c.between(-0.3, 0.3), y+c.between(5, 12), l*c.between(0.4, 0.7), c.between(7, 13)))
	if c.chance(0.6) {
		p.add(lens(x+l*c.between(-0.3, 0.3), y-c.between(5, 10), l*0.4, 8))
	}
	c.fill(k, p)
}

// birds is a loose flight about a point.
func (c *canvas) birds(x, y float64, n int) {
	var p path
	for range n {
		bx, by, s := x+c.between(-130, 130), y+c.between(-50, 50), c.between(7, 14)
		lift := c.between(0.3, 0.8) * s
		p.add(taper(3.4, 1, curve(bx, by, bx-s*0.5, by-lift*1.5, bx-s, by-lift, bx-s*1.5, by-lift*0.2)...))
		p.add(taper(3.4, 1, curve(bx, by, bx+s*0.5, by-lift*1.5, bx+s, by-lift, bx+s*1.5, by-lift*0.2)...))
	}
	k := c.plane(0.15)
	if c.hour == night {
		k = c.plane(0.9)
	}
	c.fill(k, p)
}

// ridge is land whose profile rolls about y, down to the foot of the sheet.
func (c *canvas) ridge(y, amp, wave float64) path {
	at := c.between(0, 1e4)
	return c.profile(func(x float64) float64 { return y - amp*fractal(c.seed+50, at+x/wave) })
}

// peaks is a range of mountains: sharp crests, rough flanks. It returns the crest too, for the snow.
func (c *canvas) peaks(y, amp, wave float64) (path, func(x float64) float64) {
	at := c.between(0, 1e4)
	// The snow asks for the crest at every pixel, so it is worked out once per unit of the board.
	const margin = 160
	var heights [2*margin + int(boardW) + 2]float64
	for i := range heights {
		x := float64(i) - margin
		v := 1 - math.Abs(noise(c.seed+52, at+x/wave, 0.5))*1.3
		v += 0.34 * (1 - 2*math.Abs(noise(c.seed+53, at+x/wave*2.6, 0.5)))
		v += 0.1 * noise(c.seed+54, at+x/wave*9, 0.5)
		heights[i] = y - amp*v
	}
	crest := func(x float64) float64 {
		x = clamp(x+margin, 0, float64(len(heights)-2))
		i := int(x)
		return lerp(heights[i], heights[i+1], x-float64(i))
	}
	return c.profile(crest), crest
}

// profile is everything below a line y(x).
func (c *canvas) profile(y func(x float64) float64) path {
	pts := []pt{{1560, 1060}, {-60, 1060}}
	for x := -60.0; x <= 1560; x += 8 {
		pts = append(pts, pt{x, y(x)})
	}
	return path{{pts: pts}}
}

// hills lays one ridge of distant land with mist at its foot.
func (c *canvas) hills(y, amp, wave, d float64) {
	p := c.ridge(y, amp, wave)
	c.fill(c.plane(d), p)
	c.stipple(c.plane(min(1, d+0.22)), p, down(y-amp*0.3, 0, y+amp*1.2+30, 0.8))
}

// earth lays flat ground from y down, darker towards the eye, with gouge marks that lie flatter with distance.
func (c *canvas) earth(y float64) {
	p := c.ridge(y, 4, 300)
	c.fill(c.ground(0.45), p)
	c.stipple(c.ground(0), p, down(y, 0, 1000, 1))
	c.stipple(mix(c.ground(0), c.black, 0.3), p, down(y+(1000-y)*0.5, 0, 1060, 0.6))
	var tufts path
	for range 110 {
		t := math.Pow(c.rng.Float64(), 0.8)
		tufts.add(lens(c.between(0, 1500), y+8+(1000-y)*t, 12+80*t*c.rng.Float64(), 1.2+3*t))
	}
	c.fill(mix(c.ground(0), c.black, 0.22), tufts)
}

// water lays a surface from y down: engraved swell, light off the sky and the sun's own road.
func (c *canvas) water(y float64) {
	p := rect(-40, y, 1580, 1060-y)
	base, deep := mix(c.sky, c.body, 0.42), mix(c.body, c.black, 0.35)
	if c.hour == night {
		base, deep = mix(c.sky, c.body, 0.3), c.black
	}
	c.fill(base, p)
	c.stipple(mix(base, c.glow, 0.8), p, down(y, 0.8, y+(1000-y)*0.35, 0))
	c.lines(mix(base, deep, 0.6), p, down(y+10, 0, 1010, 0.66))
	var shine, road, dark path
	for range 190 {
		t := math.Pow(c.rng.Float64(), 1.5)
		yy, l := y+3+(1000-y)*t, 14+110*t
		shine.add(lens(c.between(-20, 1520), yy, l*c.between(0.4, 1.2), 1.4+4.5*t))
		if c.hour != overcast {
			spread := 26 + 120*t
			road.add(lens(c.sun.x+c.between(-spread, spread), yy, l*c.between(0.3, 0.8), 1.6+5*t))
		}
		dark.add(lens(c.between(-20, 1520), yy, l*c.between(0.4, 1.4), 1.2+4*t))
	}
	c.fill(mix(base, deep, 0.55), dark)
	c.fill(mix(base, c.glow, 0.6), shine)
	k := c.light
	if c.hour != noon && c.hour != night {
		k = mix(c.glow, c.light, 0.5)
	}
	c.fill(k, road)
}
