package picture

import "math"

// hash returns 64 well-mixed bits for a lattice point.
func hash(seed uint64, x, y int) uint64 {
	h := seed ^ uint64(int64(x))*0x9e3779b97f4a7c15 ^ uint64(int64(y))*0xc2b2ae3d27d4eb4f
	h ^= h >> 29
	h *= 0xbf58476d1ce4e5b9
	h ^= h >> 32
	h *= 0x94d049bb133111eb
	return h ^ h>>29
}

// noise is smooth value noise in −1…1 with one feature per unit.
func noise(seed uint64, x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	ix, iy := int(fx), int(fy)
	u, v := smooth(x-fx), smooth(y-fy)
	at := func(x, y int) float64 { return float64(hash(seed, x, y)>>40)/(1<<23) - 1 }
	return lerp(lerp(at(ix, iy), at(ix+1, iy), u), lerp(at(ix, iy+1), at(ix+1, iy+1), u), v)
}

// fractal sums four octaves of noise along a line; used for the profile of land.
func fractal(seed uint64, x float64) float64 {
	sum, amp := 0.0, 0.55
	for o := range 4 {
		sum += amp * noise(seed+uint64(o), x, 0.5)
		x, amp = x*2.03, amp*0.48
	}
	return sum
}

func smooth(t float64) float64        { return t * t * (3 - 2*t) }
func lerp(a, b, t float64) float64    { return a + (b-a)*t }
func clamp(v, lo, hi float64) float64 { return max(lo, min(hi, v)) }

// grainTile is the side of the repeating grain; prime to usual widths, and without low frequencies to repeat.
const grainTile = 251

// grainField returns w × h thresholds, evenly spread over 0…255, whose specks are cell pixels wide. High-passing
// keeps specks apart, as the grain of a lithographic stone is, where plain noise would clump.
func grainField(seed uint64, w, h int, cell float64) []uint8 {
	raw := make([]float64, grainTile*grainTile)
	for i := range raw {
		raw[i] = float64(hash(seed, i, 77) >> 40)
	}
	tile := make([]float64, len(raw))
	for y := range grainTile {
		for x := range grainTile {
			var around float64
			for dy := -1; dy <= 1; dy++ {
				for dx := -1; dx <= 1; dx++ {
					around += raw[(y+dy+grainTile)%grainTile*grainTile+(x+dx+grainTile)%grainTile]
				}
			}
			i := y*grainTile + x
			tile[i] = raw[i] - 0.7*around/9
		}
	}
	lo, hi := tile[0], tile[0]
	for _, v := range tile {
		lo, hi = min(lo, v), max(hi, v)
	}
	level := make([]float32, len(tile))
	for i, v := range tile {
		level[i] = float32((v - lo) / (hi - lo) * 1023)
	}
	// Enlarged bilinearly and turned, so that no speck lines up with the pixels; then the histogram is flattened.
	const turn = 0.46
	sin, cos := math.Sincos(turn)
	dx, dy := cos/cell, sin/cell
	fine := make([]uint16, w*h)
	var histogram [1024]int
	for y := range h {
		u := float64(y)*dy + 4*grainTile*math.Ceil(float64(w)/grainTile)
		v := float64(y)*dx + 4*grainTile*math.Ceil(float64(w)/grainTile)
		for x := range w {
			fu, fv := u+float64(x)*dx, v-float64(x)*dy
			iu, iv := int(fu), int(fv)
			tu, tv := float32(fu-float64(iu)), float32(fv-float64(iv))
			iu, iv = iu%grainTile, iv%grainTile
			ju, jv := iu+1, iv+1
			if ju == grainTile {
				ju = 0
			}
			if jv == grainTile {
				jv = 0
			}
			top, bottom := level[iv*grainTile:], level[jv*grainTile:]
			a := top[iu] + (top[ju]-top[iu])*tu
			b := bottom[iu] + (bottom[ju]-bottom[iu])*tu
			v := uint16(a + (b-a)*tv)
			fine[y*w+x] = v
			histogram[v]++
		}
	}
	var flat [1024]uint8
	seen := 0
	for v, n := range histogram {
		flat[v] = uint8((seen + n/2) * 255 / (w * h))
		seen += n
	}
	field := make([]uint8, w*h)
	for i, v := range fine {
		field[i] = flat[v]
	}
	return field
}
