package web

import (
	"fmt"
	"io/fs"
	"math"
	"strings"
)

// The site's grounds, as in ui/shared/tokens.css; the accent is measured
// against them.
const (
	paperLight = "#fcfbf8"
	paperDark  = "#171512"
)

// Theme is what a newsroom changes of the looks without templates: one accent
// and a stylesheet that is loaded last.
type Theme struct {
	Accent     string // "#0b4a58"; empty keeps the built-in one
	AccentDark string // for the dark mode; worked out of Accent when it is empty
	Style      []byte
}

// ReadTheme gives the theme of a folder: its style.css, if it has one, and the
// accent set by the newsroom. An accent that is no colour, or that cannot be
// read on paper, is refused with the reason.
func ReadTheme(folder fs.FS, accent string) (Theme, error) {
	t := Theme{Accent: strings.ToLower(accent)}
	if accent != "" {
		contrast, err := Contrast(accent, paperLight)
		if err != nil {
			return t, err
		}
		if contrast < 4.5 {
			return t, fmt.Errorf("accent %s has a contrast of %.1f:1 on paper, and needs 4.5:1", accent, contrast)
		}
		t.AccentDark = lighten(t.Accent, paperDark, 7)
	}
	if folder != nil {
		style, err := fs.ReadFile(folder, "style.css")
		if err == nil {
			t.Style = style
		}
	}
	return t, nil
}

// CSS gives the theme's stylesheet, empty when it changes nothing.
func (t Theme) CSS() []byte {
	var b strings.Builder
	if t.Accent != "" {
		fmt.Fprintf(&b, ":root{--accent:%s}\n", t.Accent)
		if t.AccentDark != "" {
			fmt.Fprintf(&b, "@media screen and (prefers-color-scheme:dark){:root{--accent:%s}}\n", t.AccentDark)
		}
	}
	b.Write(t.Style)
	return []byte(b.String())
}

// Contrast gives the contrast ratio of two colours "#rrggbb", 1 to 21 (WCAG
// 2.2, "contrast ratio").
func Contrast(a, b string) (float64, error) {
	ra, err := parseColour(a)
	if err != nil {
		return 0, err
	}
	rb, err := parseColour(b)
	if err != nil {
		return 0, err
	}
	la, lb := luminance(ra), luminance(rb)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05), nil
}

// lighten mixes a colour with white until it stands at least ratio:1 from
// ground.
func lighten(colour, ground string, ratio float64) string {
	c, _ := parseColour(colour)
	for step := 0.0; step <= 1; step += 0.02 {
		var mixed [3]float64
		for i := range c {
			mixed[i] = c[i] + (255-c[i])*step
		}
		hex := fmt.Sprintf("#%02x%02x%02x", int(mixed[0]), int(mixed[1]), int(mixed[2]))
		if contrast, err := Contrast(hex, ground); err == nil && contrast >= ratio {
			return hex
		}
	}
	return "#ffffff"
}

func parseColour(s string) (rgb [3]float64, err error) {
	var r, g, b int
	if n, err := fmt.Sscanf(s, "#%02x%02x%02x", &r, &g, &b); err != nil || n != 3 || len(s) != 7 {
		return rgb, fmt.Errorf("colour %q is not of the form #rrggbb", s)
	}
	return [3]float64{float64(r), float64(g), float64(b)}, nil
}

func luminance(rgb [3]float64) float64 {
	linear := func(c float64) float64 {
		if c /= 255; c <= 0.04045 {
			return c / 12.92
		} else {
			return math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return 0.2126*linear(rgb[0]) + 0.7152*linear(rgb[1]) + 0.0722*linear(rgb[2])
}
