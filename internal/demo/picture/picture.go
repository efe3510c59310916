// Package picture draws the demo newspaper's lead pictures and authors' portraits: small screen prints cut in
// flat shapes from a handful of inks, with grain in the shadows, so that the demo needs no photograph, no font
// and no network.
//
// A picture is a scene (what is shown) and a seed (the hour, the light, the weather and the small accidents):
//
//	img, err := picture.Draw("harbour", 7, 1600, 1067)
//
// The same scene, seed and size give the same pixels on the same architecture.
package picture

import (
	"fmt"
	"hash/fnv"
	"image"
	"math/rand/v2"
	"slices"
)

// Units of the drawing board: scenes are composed on 1,500 × 1,000 and fitted to any size by covering it.
const (
	boardW = 1500.0
	boardH = 1000.0
)

// maxSide bounds a picture's sides in pixels; larger is a mistake of the caller.
const maxSide = 8192

// scene draws one subject on a canvas whose palette, light and accidents are already chosen.
type scene struct {
	name string
	draw func(*canvas)
}

// scenes lists every subject in the order Scenes reports it.
func scenes() []scene {
	return []scene{
		{"harbour", harbour}, {"silos", silos}, {"parliament", parliament}, {"dam", dam},
		{"railyard", railyard}, {"market", market}, {"mountains", mountains}, {"court", court},
		{"refinery", refinery}, {"orchard", orchard}, {"border", border}, {"press", press},
		{"hospital", hospital}, {"school", school}, {"bakery", bakery}, {"radio", radio},
		{"ferry", ferry}, {"ballot", ballot}, {"bridge", bridge}, {"lighthouse", lighthouse},
		{"steppe", steppe}, {"skyline", skyline}, {"greenhouse", greenhouse}, {"archive", archive},
		{"snow", snow}, {"river", river}, {"pipeline", pipeline}, {"theatre", theatre},
		{"shipyard", shipyard}, {"wind", wind},
	}
}

// Scenes returns the names that Draw understands.
func Scenes() []string {
	var names []string
	for _, s := range scenes() {
		names = append(names, s.name)
	}
	return names
}

// Draw prints a scene at width × height pixels. The board is 3:2; other shapes cover it and lose the edges.
// It fails on an unknown scene and on sides outside 1…8,192.
func Draw(name string, seed uint64, width, height int) (image.Image, error) {
	if width < 1 || height < 1 || width > maxSide || height > maxSide {
		return nil, fmt.Errorf("picture: draw %s: size %d × %d outside 1…%d", name, width, height, maxSide)
	}
	all := scenes()
	i := slices.IndexFunc(all, func(s scene) bool { return s.name == name })
	if i < 0 {
		return nil, fmt.Errorf("picture: no scene %q", name)
	}
	seed = mixSeed(name, seed)
	c := newCanvas(width, height, boardW, boardH, seed)
	c.palette = choosePalette(c.rng)
	c.setLight()
	all[i].draw(c)
	c.print()
	return c.img, nil
}

// mixSeed gives every scene its own run of accidents for one seed.
func mixSeed(name string, seed uint64) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.NewPCG(seed, h.Sum64()).Uint64()
}
