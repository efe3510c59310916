package web

import (
	"cmp"
	"fmt"
	"io/fs"
	"math"
	"net/url"
	"slices"
	"strings"

	"masthead/internal/fault"
)

// The site's colours, as in ui/shared/tokens.css: what a newsroom does not
// choose, and what its choice is measured against.
const (
	paperLight = "#fcfbf8"
	paperDark  = "#171512"
)

var (
	builtInLight = palette{accent: "#0b4a58", paper: paperLight, ink: "#1b1a17", signal: "#8a1c13"}
	builtInDark  = palette{accent: "#86c5d2", paper: paperDark, ink: "#e8e4dc", signal: "#f2a094"}
)

// Faces gives the families that text and headlines may be set in: the reading
// serif and the plain sans, each with its Arabic and Hebrew companions.
func Faces() []string { return []string{"serif", "sans"} }

// Look is what a newsroom chooses of the looks: colours "#rrggbb" for light and
// dark, and the faces of its text and headlines. What is empty stays as it is
// built in; a dark accent is worked out of the light one.
type Look struct {
	Accent, Paper, Ink             string
	AccentDark, PaperDark, InkDark string
	TextFace, HeadFace             string // of Faces
}

// fields are a look's parts by their names in forms and among the settings.
func (l *Look) fields() map[string]*string {
	return map[string]*string{
		"accent": &l.Accent, "paper": &l.Paper, "ink": &l.Ink,
		"accent-dark": &l.AccentDark, "paper-dark": &l.PaperDark, "ink-dark": &l.InkDark,
		"text-face": &l.TextFace, "head-face": &l.HeadFace,
	}
}

// LookOf makes a look of values by name: accent, paper, ink, each also with
// -dark behind it, text-face and head-face.
func LookOf(value func(name string) string) Look {
	var l Look
	for name, field := range l.fields() {
		*field = strings.ToLower(value(name))
	}
	return l
}

// Measure is how far a colour stands from its ground (WCAG 2.2, "contrast ratio").
type Measure struct {
	Name        string // of the setting: "ink-dark"
	Ratio, Need float64
}

// Weak reports whether it cannot be read there.
func (m Measure) Weak() bool { return m.Ratio < m.Need }

// Measures gives how text and accent stand on paper, light and dark: text stands
// at least 7:1 from it, the accent 4.5:1. Something that is no colour or no face
// is an error of kind Invalid.
func (l Look) Measures() ([]Measure, error) {
	for name, field := range l.fields() {
		switch {
		case *field == "":
		case strings.HasSuffix(name, "-face"):
			if !slices.Contains(Faces(), *field) {
				return nil, fault.New(fault.Invalid, "no such face", name, *field).WithHint("write serif or sans")
			}
		default:
			if _, err := parseColour(*field); err != nil {
				return nil, fault.New(fault.Invalid, name+": "+err.Error())
			}
		}
	}
	var all []Measure
	for suffix, p := range map[string]palette{"": l.light(), "-dark": l.dark()} {
		for name, need := range map[string]float64{"ink": 7, "accent": 4.5} {
			colour := map[string]string{"ink": p.ink, "accent": p.accent}[name]
			all = append(all, Measure{name + suffix, math.Floor(contrast(colour, p.paper)*100) / 100, need})
		}
	}
	slices.SortFunc(all, func(a, b Measure) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// palette is the colours of one scheme that the others are worked out of.
type palette struct{ accent, paper, ink, signal string }

func (l Look) light() palette { return builtInLight.with(l.Accent, l.Paper, l.Ink) }

func (l Look) dark() palette {
	p := builtInDark.with("", l.PaperDark, l.InkDark)
	switch {
	case l.AccentDark != "":
		p.accent = l.AccentDark
	case l.Accent != "":
		p.accent = away(l.Accent, p.paper, 7)
	}
	return p
}

func (p palette) with(accent, paper, ink string) palette {
	return palette{cmp.Or(accent, p.accent), cmp.Or(paper, p.paper), cmp.Or(ink, p.ink), p.signal}
}

// css writes the colours that are not as they are built in. Where paper or ink
// is another, the greys between them are too.
func (p palette) css(builtIn palette, dark bool) string {
	var b strings.Builder
	set := func(name, value string) { fmt.Fprintf(&b, ";--%s:%s", name, value) }
	if p.accent != builtIn.accent {
		set("accent", p.accent)
	}
	if p.paper != builtIn.paper || p.ink != builtIn.ink {
		set("paper", p.paper)
		set("ink", p.ink)
		set("wash", mix(p.paper, p.ink, 0.045))
		set("hair", mix(p.paper, p.ink, 0.17))
		set("grey", away(mix(p.ink, p.paper, 0.3), p.paper, 7))
		set("signal", away(p.signal, p.paper, 7))
		rule := p.ink
		if dark {
			rule = mix(p.paper, p.ink, 0.55)
		}
		set("rule", rule)
	}
	if b.Len() > 0 {
		on := "#ffffff"
		if contrast(builtInDark.paper, p.accent) > contrast(on, p.accent) {
			on = builtInDark.paper
		}
		set("on-accent", on)
	}
	return strings.TrimPrefix(b.String(), ";")
}

// Theme is what a newsroom changes of the looks without templates: its choice of
// colours and faces, and a stylesheet that is loaded last.
type Theme struct {
	Look  Look
	Style []byte
}

// ReadTheme gives the theme of a folder: its style.css, if it has one, and the
// look that the newsroom chose. Something that is no colour, or cannot be read
// on paper, is refused with the reason.
func ReadTheme(folder fs.FS, look Look) (Theme, error) {
	t := Theme{Look: look}
	measures, err := look.Measures()
	if err != nil {
		return t, err
	}
	if i := slices.IndexFunc(measures, Measure.Weak); i >= 0 {
		w := measures[i]
		return t, fault.New(fault.Invalid, fmt.Sprintf("%s has a contrast of %.2f:1 on paper, and needs %g:1", w.Name, w.Ratio, w.Need))
	}
	if folder != nil {
		if style, err := fs.ReadFile(folder, "style.css"); err == nil {
			t.Style = style
		}
	}
	return t, nil
}

// CSS gives the theme's stylesheet, empty when it changes nothing. On paper
// everything stays black.
func (t Theme) CSS() []byte {
	var b strings.Builder
	if css := t.Look.light().css(builtInLight, false); css != "" {
		fmt.Fprintf(&b, "@media screen{:root{%s}}\n", css)
	}
	if css := t.Look.dark().css(builtInDark, true); css != "" {
		fmt.Fprintf(&b, "@media screen and (prefers-color-scheme:dark){:root{%s}}\n", css)
	}
	// Every language has faces of its own, so each element is told.
	for _, f := range []struct{ face, variable string }{{t.Look.TextFace, "serif"}, {t.Look.HeadFace, "display"}} {
		if f.face != "" && f.face != "serif" {
			fmt.Fprintf(&b, ":root,:root *{--%s:var(--%s)}\n", f.variable, f.face)
		}
	}
	b.Write(t.Style)
	return []byte(b.String())
}

// previewFile is the stylesheet of a look that is in its address.
const previewFile = "theme-preview.css"

// PreviewTheme gives the address of the stylesheet of a look that is not the
// newsroom's yet: its parts are among the values.
func PreviewTheme(values url.Values) string {
	kept := url.Values{}
	for name := range new(Look).fields() {
		if v := values.Get(name); v != "" {
			kept.Set(name, v)
		}
	}
	return AssetPath + previewFile + "?" + kept.Encode()
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

// contrast is [Contrast] of what are known to be colours; 0 of what is none.
func contrast(a, b string) float64 {
	ratio, _ := Contrast(a, b)
	return ratio
}

// mix gives a colour, so much of the way from a to b.
func mix(a, b string, part float64) string {
	ca, _ := parseColour(a)
	cb, _ := parseColour(b)
	var mixed [3]float64
	for i := range ca {
		mixed[i] = ca[i] + (cb[i]-ca[i])*part
	}
	return fmt.Sprintf("#%02x%02x%02x", int(mixed[0]), int(mixed[1]), int(mixed[2]))
}

// away mixes a colour with white, or on a light ground with black, until it
// stands at least ratio:1 from ground.
func away(colour, ground string, ratio float64) string {
	to := "#000000"
	if contrast("#ffffff", ground) > contrast(to, ground) {
		to = "#ffffff"
	}
	for step := 0.0; step <= 1; step += 0.02 {
		if c := mix(colour, to, step); contrast(c, ground) >= ratio {
			return c
		}
	}
	return to
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
