package picture

import (
	"image"
	"math"
)

// sitter is everything that makes one portrait differ from the next.
type sitter struct {
	skin, hair, cloth, linen ink
	head                     int // one of the heads below
	beard                    int // 0 none, 1 full, 2 moustache, 3 stubble
	dress                    int // 0 jacket and shirt, 1 roll neck, 2 round neck, 3 coat and scarf
	glasses                  int // 0 none, 1 round, 2 square
	long                     float64
	jaw                      float64
}

// What is on a sitter's head.
const (
	sidePart = iota
	bob
	longHair
	bun
	bald
	curls
	cropped
	headscarf
	wrap
	flatCap
	heads
)

// Portrait draws an author's portrait of size × size pixels: a bust in cut paper, lit from one side, made of
// accidents of the seed. It shows nobody. A size below 1 is drawn as 1, one above 8,192 as 8,192.
func Portrait(seed uint64, size int) image.Image {
	size = max(1, min(size, maxSide))
	seed = mixSeed("portrait", seed)
	c := newCanvas(size, size, 1000, 1000, seed)
	for c.palette = choosePalette(c.rng); c.dark(); { // a portrait is taken by day
		c.palette = choosePalette(c.rng)
	}
	c.setLight()
	p := c.sit()
	c.backdrop()
	c.back(p)
	c.bust(p)
	c.face(p)
	c.top(p)
	c.print()
	return c.img
}

// sit chooses the sitter.
func (c *canvas) sit() sitter {
	skins := []uint32{0xE6BE9C, 0xD9A679, 0xC68E62, 0xA9714B, 0x84553A, 0x5F3D2C, 0xEBCBB0, 0xB98261}
	hairs := []uint32{0x1F1B1C, 0x2E2420, 0x4A3326, 0x6B4A30, 0x8B8780, 0xC9C4B8, 0x8A4B2E, 0xB08A55}
	cloths := []uint32{0x22404A, 0x3B4A52, 0x6A3B34, 0x2C3330, 0x5B5A4A, 0x7C6A4E, 0x40384A, 0x8A5A3A}
	p := sitter{
		skin: hex(skins[c.rng.IntN(len(skins))]), hair: hex(hairs[c.rng.IntN(len(hairs))]),
		cloth: hex(cloths[c.rng.IntN(len(cloths))]), linen: mix(c.light, c.sky, c.between(0, 0.5)),
		head: c.rng.IntN(heads), dress: c.rng.IntN(4),
		long: c.between(0.95, 1.06), jaw: c.between(0.86, 1.02),
	}
	if int(p.skin.r) < 0xB0 && int(p.hair.r) > 0x60 && int(p.hair.r)-int(p.hair.b) > 8 {
		p.hair = hex(hairs[c.rng.IntN(2)])
	}
	if p.head == headscarf {
		p.hair = hex(hairs[c.rng.IntN(3)]) // only the brows show it
	}
	switch p.head {
	case sidePart, bald, cropped, wrap, flatCap, curls:
		if c.chance(0.55) {
			p.beard = 1 + c.rng.IntN(3)
		}
	}
	if c.chance(0.42) {
		p.glasses = 1 + c.rng.IntN(2)
	}
	return p
}

// region inks the part of a shape where inside, a signed distance in board units, is positive.
func (c *canvas) region(k ink, p path, inside tone) {
	c.screen(k, p, func(x, y float64) float64 { return inside(x, y) + 0.5/c.scale },
		func(int, float64, float64) float64 { return 0.5 / c.scale }, c.scale)
}

// backdrop is one flat ink and one other shape, in grain.
func (c *canvas) backdrop() {
	k := []ink{c.sky, mix(c.glow, c.sky, 0.3), mix(c.accent, c.glow, 0.35), mix(c.body, c.glow, 0.25)}[c.rng.IntN(4)]
	all := rect(-30, -30, 1060, 1060)
	c.fill(k, all)
	pale, deep := mix(k, c.light, 0.6), mix(k, c.body, 0.45)
	switch c.rng.IntN(3) {
	case 0:
		disc := oval(500, 450, 390, 390)
		c.fill(mix(k, c.light, 0.32), disc)
		c.stipple(pale, disc, around(500+c.side*250, 300, 520, 0.9, 0))
	case 1:
		half := poly(500+c.side*60, -30, 500-c.side*560, -30, 500-c.side*560, 1030, 500-c.side*180, 1030)
		c.fill(mix(k, c.body, 0.28), half)
	default:
		frame := rect(500-c.side*330-90, -30, 180, 700)
		c.fill(mix(k, c.light, 0.4), frame, rect(500+c.side*360-40, -30, 80, 700))
	}
	c.stipple(deep, all, down(420, 0, 1020, 0.62))
}

// Measures of the head, board units.
const (
	headX = 500.0
	headY = 400.0
	headW = 148.0
	headH = 196.0
)

// skull is the outline of the head grown by g: round above, narrowing to the chin below.
func (p sitter) skull(g float64) path {
	const n = 72
	pts := make([]pt, n)
	for i := range pts {
		s, k := math.Sincos(2 * math.Pi * float64(i) / n)
		w := headW + g
		if s > 0 {
			w *= 1 - (1-p.jaw*0.86)*s*s*s
		}
		ex := 0.86 // a little squarer than an ellipse
		pts[i] = pt{headX + w*math.Copysign(math.Pow(math.Abs(k), ex), k), headY + (headH*p.long+g)*math.Copysign(math.Pow(math.Abs(s), 0.96), s)}
	}
	return path{{pts: pts}}
}

// back is what lies behind the head.
func (c *canvas) back(p sitter) {
	dark := mix(p.hair, c.black, 0.3)
	var shape path
	switch p.head {
	case bob:
		shape = poly(append(curve(325, 640, 290, 480, 280, 190, 500, 178), curve(500, 178, 720, 190, 710, 480, 675, 640)...)...)
	case longHair:
		shape = poly(append(curve(250, 840, 330, 560, 250, 180, 500, 172), curve(500, 172, 750, 180, 670, 560, 750, 840)...)...)
	case curls:
		shape = c.blob(500, 370, 222, 226, 0.1)
	case bun:
		shape = c.blob(500-c.side*22, 168, 82, 72, 0.06)
	case headscarf:
		shape = poly(append(curve(236, 940, 330, 620, 240, 150, 500, 150), curve(500, 150, 760, 150, 670, 620, 764, 940)...)...)
		dark = mix(p.cloth, c.accent, 0.55)
	default:
		return
	}
	c.fill(dark, shape)
	c.stipple(mix(dark, c.light, 0.3), shape, around(500+c.side*200, 230, 240, 0.6, 0))
}

// bust is neck, shoulders and dress.
func (c *canvas) bust(p sitter) {
	shade := mix(p.skin, c.black, 0.38)
	neck := poly(424, 500, 576, 500, 584, 680, 616, 730, 560, 792, 500, 812, 440, 792, 384, 730, 416, 680)
	c.fill(p.skin, neck)
	c.region(shade, neck, func(x, y float64) float64 {
		return max((headX-x)*c.side+18, 628-y+(x-headX)*c.side*0.3)
	})
	body := append(curve(398, 690, 330, 745, 170, 745, 96, 1060), curve(904, 1060, 830, 745, 670, 745, 602, 690)...)
	neckline := []float64{560, 736, 500, 752, 440, 736}
	if p.dress == 2 {
		neckline = []float64{598, 738, 556, 792, 500, 808, 444, 792, 402, 738}
	}
	torso := poly(append(body, neckline...)...)
	c.fill(p.cloth, torso)
	c.stipple(mix(p.cloth, c.light, 0.28), torso, around(500+c.side*330, 800, 240, 0.62, 0))
	dark := mix(p.cloth, c.black, 0.5)
	c.stipple(dark, torso, func(x, y float64) float64 { return (headX-x)*c.side/520 + (y-860)/500 })
	switch p.dress {
	case 0:
		c.fill(p.linen, poly(412, 684, 500, 764, 588, 684, 610, 724, 540, 1060, 460, 1060, 390, 724))
		c.stipple(c.body, poly(412, 684, 500, 764, 588, 684, 610, 724, 540, 1060, 460, 1060, 390, 724), down(760, 0.1, 1040, 0.5))
		tie := p.beard > 0 || c.chance(0.3)
		if tie {
			c.fill(mix(c.accent, c.black, 0.25), poly(478, 758, 522, 758, 514, 800, 534, 1060, 466, 1060, 486, 800))
		}
		c.fill(mix(p.linen, c.light, 0.5), poly(404, 676, 424, 662, 500, 762, 452, 800, 396, 716), poly(596, 676, 576, 662, 500, 762, 548, 800, 604, 716))
		lapel := poly(392, 700, 360, 742, 344, 850, 392, 862, 380, 892, 470, 1060, 492, 1060, 410, 800)
		c.fill(dark, lapel.move(-c.side*5, 8), lapel.mirror(500).move(-c.side*5, 8))
		c.fill(mix(p.cloth, c.light, 0.1), lapel, lapel.mirror(500))
	case 1:
		roll := poly(404, 620, 596, 620, 612, 744, 500, 772, 388, 744)
		c.fill(mix(p.cloth, c.light, 0.1), roll)
		c.region(dark, roll, func(x, y float64) float64 { return (headX-x)*c.side - 26 })
		c.lines(dark, roll, flat(0.2))
	case 2:
		c.fill(dark, line(15, curve(390, 706, 410, 838, 590, 838, 610, 706)...))
		if p.beard == 0 && c.chance(0.4) {
			var beads path
			for i := range 13 {
				t := float64(i)/12*2 - 1
				beads.add(oval(500+96*t, 842-70*t*t, 8, 8))
			}
			c.fill(mix(c.accent, c.light, 0.2), beads)
		}
	default:
		coat := poly(420, 730, 300, 780, 250, 1060, 480, 1060)
		c.fill(dark, coat, coat.mirror(500))
		k := mix(c.accent, p.cloth, 0.2)
		scarf := poly(378, 660, 430, 690, 500, 716, 570, 690, 622, 660, 650, 740, 590, 800, 500, 824, 410, 800, 350, 740)
		tail := poly(500-c.side*30, 780, 500-c.side*130, 770, 500-c.side*150, 1060, 500-c.side*40, 1060)
		c.fill(mix(k, c.black, 0.25), tail)
		c.fill(k, scarf)
		c.stipple(mix(k, c.black, 0.55), scarf, func(x, y float64) float64 { return 0.3 + (headX-x)*c.side/260 })
		for i := range 3 {
			y := 716 + 28*float64(i)
			c.fill(mix(k, c.black, 0.4), line(5, curve(362, y, 440, y+48, 560, y+48, 638, y)...))
		}
	}
}

// face lays the head in two tones, then as few marks as will do.
func (c *canvas) face(p sitter) {
	s := -c.side // towards the shadow
	shade := mix(p.skin, mix(c.black, hex(0x6A3A2C), 0.4), 0.4)
	if p.head != headscarf && p.head != bob && p.head != longHair {
		c.fill(p.skin, oval(headX-s*150, 424, 22, 42))
		c.fill(shade, oval(headX+s*150, 424, 22, 42), oval(headX-s*152, 426, 9, 22))
	}
	head := p.skull(0)
	c.fill(p.skin, head)
	// The edge of the shadow runs down the brow, the ridge of the nose, the lip and the chin.
	edge := []pt{{86, 200}, {62, 300}, {34, 352}, {20, 372}, {6, 392}, {-6, 440}, {-16, 464}, {-8, 480}, {24, 486}, {22, 512}, {6, 524}, {10, 536}, {26, 548}, {20, 570}, {44, 600}}
	bound := func(y float64) float64 {
		for i := 1; i < len(edge); i++ {
			if y < edge[i].y {
				return lerp(edge[i-1].x, edge[i].x, clamp((y-edge[i-1].y)/(edge[i].y-edge[i-1].y), 0, 1))
			}
		}
		return edge[len(edge)-1].x
	}
	c.region(shade, head, func(x, y float64) float64 { return (x-headX)*s - bound(y) })
	c.stipple(mix(shade, c.black, 0.5), head, func(x, y float64) float64 { return ((x-headX)*s-70)/150 + (y-540)/400 })
	c.stipple(mix(p.skin, c.light, 0.22), head, around(headX-s*104, 400, 120, 0.42, 0))
	dark := mix(shade, c.black, 0.72)
	brow := mix(p.hair, c.black, 0.35)
	if p.hair.r > 0x80 {
		brow = mix(p.hair, dark, 0.55)
	}
	for _, e := range []float64{-1, 1} {
		x := headX + e*62
		lid := mix(p.skin, shade, 0.75)
		if e == s {
			lid = mix(shade, c.black, 0.3)
		}
		c.fill(lid, lens(x, 404, 78, 30))
		c.fill(mix(c.light, lid, 0.42), lens(x, 410, 56, 19))
		c.fill(dark, oval(x-s*3, 408, 10, 10.5), lens(x, 402, 64, 8))
		c.fill(brow, taper(15, 6, curve(x-e*34, 366, x-e*10, 352, x+e*20, 350, x+e*46, 368)...))
	}
	c.fill(dark, lens(headX+s*6, 484, 46, 9))
	if p.beard != 1 || p.hair.r > 0x60 {
		lip := mix(mix(p.skin, hex(0x8E3F38), 0.55), c.black, 0.12)
		c.fill(lip, lens(headX, 530, 92, 20))
		c.fill(mix(lip, c.black, 0.55), lens(headX, 527, 96, 5))
		c.fill(mix(p.skin, shade, 0.6), lens(headX, 556, 58, 9))
	}
	c.whiskers(p, head)
	if p.glasses > 0 {
		c.spectacles(p, s)
	}
}

// whiskers is the beard, if any.
func (c *canvas) whiskers(p sitter, head path) {
	k := p.hair
	dark := mix(k, c.black, 0.45)
	moustache := poly(append(curve(headX, 496, headX-30, 492, headX-58, 506, headX-74, 532), append(curve(headX-74, 532, headX-40, 524, headX-20, 522, headX, 522), append(curve(headX, 522, headX+20, 522, headX+40, 524, headX+74, 532), curve(headX+74, 532, headX+58, 506, headX+30, 492, headX, 496)...)...)...)...)
	switch p.beard {
	case 1:
		mouth := oval(headX, 532, 46, 9)
		full := p.skull(16)
		// Cheeks stay bare above a line from ear to lip.
		inside := func(x, y float64) float64 { return y - 498 + 60*math.Pow(math.Abs(x-headX)/headW, 4) }
		c.region(k, full, inside)
		c.fill(k, moustache)
		c.region(dark, full, func(x, y float64) float64 { return min(inside(x, y), (headX-x)*c.side-20) })
		c.stipple(mix(k, c.light, 0.35), full, func(x, y float64) float64 {
			if inside(x, y) < 0 {
				return 0
			}
			return 0.4 + (x-headX)*c.side/400 - (y-500)/500
		})
		c.fill(mix(mix(p.skin, hex(0x8E3F38), 0.6), c.black, 0.35), mouth)
		c.fill(dark, lens(headX, 529, 90, 5))
	case 2:
		c.fill(k, moustache)
		c.region(dark, moustache, func(x, y float64) float64 { return (headX - x) * c.side })
	case 3:
		c.stipple(mix(k, p.skin, 0.25), head, func(x, y float64) float64 {
			return clamp((y-492+40*math.Pow(math.Abs(x-headX)/headW, 3))/60, 0, 0.5)
		})
	}
}

// spectacles are round or square.
func (c *canvas) spectacles(p sitter, s float64) {
	k := mix(c.black, c.accent, 0.12)
	for _, e := range []float64{-1, 1} {
		x := headX + e*66
		outer, inner := oval(x, 410, 54, 50), oval(x, 410, 46, 42)
		if p.glasses == 2 {
			outer, inner = poly(x-56, 372, x+56, 372, x+50, 448, x-50, 448), poly(x-47, 382, x+47, 382, x+42, 440, x-42, 440)
		}
		c.region(mix(mix(p.skin, c.light, 0.35), c.sky, 0.2), inner, func(px, y float64) float64 { return 5 - math.Abs((px-x)+(y-410)*0.8-26) })
		c.fill(k, outer.minus(inner), line(8, headX+e*118, 398, headX+e*150, 394))
	}
	c.fill(k, line(8, curve(headX-16, 402, headX-8, 392, headX+8, 392, headX+16, 402)...))
}

// top is hair in front of the head, or what covers it.
func (c *canvas) top(p sitter) {
	s := -c.side
	k, dark := p.hair, mix(p.hair, c.black, 0.45)
	gleam := mix(k, c.light, 0.38)
	// crown inks the head above a hairline.
	crown := func(g float64, hairline func(x float64) float64) {
		cap := p.skull(g)
		c.region(k, cap, func(x, y float64) float64 { return hairline(x) - y })
		c.region(dark, cap, func(x, y float64) float64 { return min(hairline(x)-y, (x-headX)*s-60+(y-300)*0.3) })
		c.stipple(gleam, cap, func(x, y float64) float64 {
			if y > hairline(x)-3 {
				return 0
			}
			return 0.62 - math.Hypot((x-headX+s*66)*0.8, y-258)/130
		})
	}
	sides := func(x float64) float64 { // sideburns down to the ears
		return 150 * smooth(clamp((math.Abs(x-headX)-118)/26, 0, 1))
	}
	switch p.head {
	case sidePart:
		crown(17, func(x float64) float64 {
			t := (x - headX) * s / headW
			return 292 + 26*math.Abs(t+0.45) - 34*clamp(1-math.Abs(t+0.5)*5, 0, 1) + 0.8*sides(x)
		})
	case bob:
		crown(22, func(x float64) float64 { return 326 + 9*math.Sin(x/17) + 2.2*sides(x) })
	case longHair:
		crown(20, func(x float64) float64 {
			d := math.Abs(x-headX+s*24) / headW
			return 236 + 170*math.Pow(d, 1.5) + 1.6*sides(x)
		})
	case bun:
		crown(12, func(x float64) float64 { d := (x - headX) / headW; return 262 + 74*d*d + 0.35*sides(x) })
	case bald:
		c.region(k, p.skull(11), func(x, y float64) float64 {
			return min(math.Abs(x-headX)-147+0.16*(y-330), 420-y, y-318+0.2*(headW-math.Abs(x-headX)))
		})
		c.stipple(mix(p.skin, c.light, 0.6), p.skull(0), around(headX-s*60, 268, 62, 0.75, 0))
	case curls:
		crown(34, func(x float64) float64 { return 292 + 10*math.Sin(x/13) + 16*noise(c.seed, x/24, 1) + 0.9*sides(x) })
	case cropped:
		crown(7, func(x float64) float64 { d := (x - headX) / headW; return 276 + 22*d*d + 0.62*sides(x) })
	case headscarf:
		c.scarf(p, mix(p.cloth, c.accent, 0.55))
	case wrap:
		c.wrapped(p)
	case flatCap:
		crown(12, func(x float64) float64 { return 300 + 0.8*sides(x) })
		cloth := mix(p.cloth, c.body, 0.3)
		cap := path{{pts: []pt{{330, 322}, {322, 262}, {372, 196}, {470, 166}, {590, 172}, {668, 226}, {682, 300}, {668, 326}, {500, 300}}}}
		c.fill(cloth, cap)
		c.stipple(mix(cloth, c.black, 0.55), cap, func(x, y float64) float64 { return 0.3 + (headX-x)*c.side/260 + (y-280)/180 })
		c.stipple(mix(cloth, c.light, 0.3), cap, around(headX+c.side*90, 200, 110, 0.5, 0))
		c.fill(mix(cloth, c.black, 0.55), poly(append(curve(338, 318, 420, 286, 580, 286, 664, 318), curve(672, 344, 590, 312, 410, 312, 330, 344)...)...))
	}
}

// scarf frames the face and falls on the shoulders.
func (c *canvas) scarf(p sitter, k ink) {
	outer := poly(append(append(curve(318, 640, 296, 420, 300, 170, 500, 168), curve(500, 168, 700, 170, 704, 420, 682, 640)...), curve(700, 760, 600, 840, 400, 840, 300, 760)...)...)
	inner := poly(append(curve(500, 606, 392, 596, 352, 420, 384, 318), append(curve(384, 318, 420, 254, 580, 254, 616, 318), curve(616, 318, 648, 420, 608, 596, 500, 606)...)...)...)
	shape := outer.minus(inner)
	c.fill(k, shape)
	dark := mix(k, c.black, 0.5)
	c.stipple(mix(k, c.light, 0.35), shape, around(headX+c.side*120, 230, 190, 0.75, 0))
	c.stipple(dark, shape, func(x, y float64) float64 { return (headX-x)*c.side/330 + (y-600)/420 })
	for i := range 4 {
		d := float64(i) * 26
		c.fill(dark, taper(3, 8, curve(headX-c.side*(150+d*0.2), 470+d, headX-c.side*120, 640+d, headX, 690+d*0.9, headX+c.side*(150-d), 650+d*1.5)...))
	}
	c.fill(mix(k, c.black, 0.35), taper(5, 3, curve(372, 330, 410, 244, 590, 244, 628, 330)...))
}

// wrapped is cloth wound about the head, fold over fold.
func (c *canvas) wrapped(p sitter) {
	k := mix(c.accent, p.linen, 0.35)
	if c.chance(0.5) {
		k = mix(p.linen, p.cloth, 0.25)
	}
	dark := mix(k, c.black, 0.5)
	bulk := path{{pts: []pt{{338, 348}, {316, 280}, {330, 210}, {390, 152}, {480, 128}, {580, 138}, {656, 190}, {686, 270}, {664, 348}, {620, 316}, {500, 262}, {380, 316}}}}
	c.fill(k, bulk)
	c.stipple(dark, bulk, func(x, y float64) float64 { return 0.12 + (headX-x)*c.side/300 })
	c.stipple(mix(k, c.light, 0.5), bulk, around(headX+c.side*80, 190, 120, 0.7, 0))
	for i := range 5 {
		t := float64(i) / 5
		c.fill(dark, taper(7, 3, curve(334+20*t, 330-100*t, 400+60*t, 276-110*t, 470+60*t, 240-90*t, 640-30*t, 176+20*t)...))
		if i < 3 {
			c.fill(dark, taper(3, 7, curve(520+20*t, 250-70*t, 570+20*t, 256-60*t, 620+10*t, 280-60*t, 668+6*t, 330-70*t)...))
		}
	}
	c.fill(mix(k, c.light, 0.15), poly(470, 214, 500, 186, 530, 214, 512, 268, 488, 268))
}
