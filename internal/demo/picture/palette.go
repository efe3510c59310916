package picture

import "math/rand/v2"

// ink is an opaque colour.
type ink struct{ r, g, b uint8 }

// hex reads 0xRRGGBB.
func hex(v uint32) ink { return ink{uint8(v >> 16), uint8(v >> 8), uint8(v)} }

// mix overprints: t of b on a.
func mix(a, b ink, t float64) ink {
	m := func(a, b uint8) uint8 { return uint8(lerp(float64(a), float64(b), t) + 0.5) }
	return ink{m(a.r, b.r), m(a.g, b.g), m(a.b, b.b)}
}

// hour is the light of a picture.
type hour int

const (
	dawn hour = iota
	noon
	dusk
	night
	overcast
)

// palette is the drawer of inks for one picture: five, and the paper. Everything else is an overprint of two.
type palette struct {
	hour   hour
	sky    ink // the sheet's tint: the high sky
	glow   ink // the sky at the horizon
	body   ink // the middle distance, the main ink
	accent ink // roofs, flags, lamps: little of it
	black  ink // the nearest things
	light  ink // paper: sunlit walls, snow, the moon
}

// choosePalette picks an hour and one of its sets of ink.
func choosePalette(rng *rand.Rand) palette {
	all := []palette{
		{dawn, hex(0xC9C7B8), hex(0xEBC6A0), hex(0x5E7F84), hex(0xB4553D), hex(0x1E3036), hex(0xF5EAD6)},
		{dawn, hex(0xB5C2BE), hex(0xEFD3AE), hex(0x7A7068), hex(0xC0693F), hex(0x272B30), hex(0xF7EEDC)},
		{noon, hex(0xBFD0CB), hex(0xEBE5D1), hex(0x3E7277), hex(0xC4882F), hex(0x162A30), hex(0xF8F2E2)},
		{noon, hex(0xDAD3BD), hex(0xF1EBD9), hex(0x4D7A75), hex(0xB04A35), hex(0x1C2B2D), hex(0xFAF5E8)},
		{noon, hex(0xA9C3C4), hex(0xE6E2CF), hex(0x52706A), hex(0xB6583A), hex(0x1B2A2E), hex(0xF7F1E0)},
		{dusk, hex(0x7E8C93), hex(0xE2A468), hex(0x4B5460), hex(0xF0BC62), hex(0x191D27), hex(0xF6DFB5)},
		{dusk, hex(0xBF8D70), hex(0xF0C58F), hex(0x43606A), hex(0xF6CB7A), hex(0x1A232B), hex(0xFBE8C6)},
		{night, hex(0x1F4049), hex(0x4A7376), hex(0x17303A), hex(0xE5B45A), hex(0x0A161C), hex(0xDCDDCB)},
		{night, hex(0x2C3A4C), hex(0x6A7480), hex(0x212C3C), hex(0xE8A94E), hex(0x0E131C), hex(0xE4DFD0)},
		{overcast, hex(0xC6C5BC), hex(0xE3DFD3), hex(0x69736F), hex(0xA5493A), hex(0x22292B), hex(0xF3EFE4)},
		{overcast, hex(0xAFB7B6), hex(0xDAD9CE), hex(0x566A70), hex(0xC08A3C), hex(0x1D262B), hex(0xF0EDE2)},
	}
	h := hour(rng.IntN(5))
	first, n := 0, 0
	for i, p := range all {
		if p.hour == h {
			if n == 0 {
				first = i
			}
			n++
		}
	}
	return all[first+rng.IntN(n)]
}

// dark tells whether lamps are lit.
func (p palette) dark() bool { return p.hour == night || p.hour == dusk }

// plane is the ink of things at a distance: 0 at the eye, 1 at the horizon, where air has taken the colour.
func (p palette) plane(d float64) ink {
	if d < 0.45 {
		return mix(p.black, p.body, d/0.45)
	}
	far := mix(p.glow, p.sky, 0.5)
	if p.hour == night {
		far = mix(p.sky, p.glow, 0.55)
	}
	return mix(p.body, far, (d-0.45)/0.55)
}

// ground is bare earth, paving or grass in the light, at distance d.
func (p palette) ground(d float64) ink {
	switch p.hour {
	case night:
		return mix(mix(p.body, p.sky, 0.55), p.glow, 0.05+d*0.4)
	case dusk:
		return mix(mix(p.body, p.glow, 0.22), p.glow, d*0.35)
	}
	return mix(mix(p.glow, p.body, 0.42), p.glow, d*0.6)
}

// wall is a sunlit wall, shade the same wall turned from the light.
func (p palette) wall() ink {
	switch p.hour {
	case night:
		return mix(p.sky, p.glow, 0.5)
	case dusk:
		return mix(p.glow, p.body, 0.25)
	}
	return mix(p.light, p.glow, 0.25)
}

func (p palette) shade() ink {
	if p.hour == night {
		return mix(p.sky, p.body, 0.3)
	}
	return mix(p.wall(), p.body, 0.55)
}

// brick is the accent as a surface; at night it is no lamp.
func (p palette) brick() ink {
	switch p.hour {
	case night:
		return mix(hex(0x8A4A38), p.body, 0.5)
	case dusk:
		return mix(hex(0x9A4B38), p.body, 0.25)
	}
	return p.accent
}

// glass is an unlit window.
func (p palette) glass() ink {
	if p.hour == night {
		return mix(p.body, p.black, 0.5)
	}
	return mix(p.body, p.black, 0.45)
}

// lamp is a lit window or bulb.
func (p palette) lamp() ink {
	if p.dark() {
		return p.accent
	}
	return mix(p.light, hex(0xE9B65C), 0.55)
}
