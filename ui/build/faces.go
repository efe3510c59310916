package main

import (
	"fmt"
	"strings"
)

// The ranges of the subsets, as Google Fonts cuts them and fontsource packs
// them; those of marks that only mathematics needs are left out.
const (
	latin       = "U+0000-00FF,U+0131,U+0152-0153,U+02BB-02BC,U+02C6,U+02DA,U+02DC,U+0304,U+0308,U+0329,U+2000-206F,U+20AC,U+2122,U+2191,U+2193,U+2212,U+2215,U+FEFF,U+FFFD"
	latinExt    = "U+0100-02BA,U+02BD-02C5,U+02C7-02CC,U+02CE-02D7,U+02DD-02FF,U+0304,U+0308,U+0329,U+1D00-1DBF,U+1E00-1E9F,U+1EF2-1EFF,U+2020,U+20A0-20AB,U+20AD-20C0,U+2113,U+2C60-2C7F,U+A720-A7FF"
	cyrillic    = "U+0301,U+0400-045F,U+0490-0491,U+04B0-04B1,U+2116"
	cyrillicExt = "U+0460-052F,U+1C80-1C8A,U+20B4,U+2DE0-2DFF,U+A640-A69F,U+FE2E-FE2F"
	greek       = "U+0370-0377,U+037A-037F,U+0384-038A,U+038C,U+038E-03A1,U+03A3-03FF"
	arabic      = "U+0600-06FF,U+0750-077F,U+0870-088E,U+0890-0891,U+0897-08E1,U+08E3-08FF,U+200C-200E,U+2010-2011,U+204F,U+2E41,U+FB50-FDFF,U+FE70-FE74,U+FE76-FEFC"
	hebrew      = "U+0307-0308,U+0590-05FF,U+200C-2010,U+20AA,U+25CC,U+FB1D-FB4F"
)

// face is one file of a typeface: one subset of one style.
type face struct {
	family, style, weight, pack, file, unicode string
}

// faces is every file that is served. The roman of Source Serif has its
// optical sizes, since headlines and text are both set in it; the italic, met
// in text alone, has not, and is a third of the size.
var faces = []face{
	{"Source Serif 4", "normal", "200 900", "source-serif-4", "source-serif-4-latin-opsz-normal", latin},
	{"Source Serif 4", "normal", "200 900", "source-serif-4", "source-serif-4-latin-ext-wght-normal", latinExt},
	{"Source Serif 4", "normal", "200 900", "source-serif-4", "source-serif-4-cyrillic-opsz-normal", cyrillic},
	{"Source Serif 4", "normal", "200 900", "source-serif-4", "source-serif-4-cyrillic-ext-wght-normal", cyrillicExt},
	{"Source Serif 4", "normal", "200 900", "source-serif-4", "source-serif-4-greek-wght-normal", greek},
	{"Source Serif 4", "italic", "200 900", "source-serif-4", "source-serif-4-latin-wght-italic", latin},
	{"Source Serif 4", "italic", "200 900", "source-serif-4", "source-serif-4-latin-ext-wght-italic", latinExt},
	{"Source Serif 4", "italic", "200 900", "source-serif-4", "source-serif-4-cyrillic-wght-italic", cyrillic},
	{"Source Serif 4", "italic", "200 900", "source-serif-4", "source-serif-4-greek-wght-italic", greek},
	{"Source Sans 3", "normal", "200 900", "source-sans-3", "source-sans-3-latin-wght-normal", latin},
	{"Source Sans 3", "normal", "200 900", "source-sans-3", "source-sans-3-latin-ext-wght-normal", latinExt},
	{"Source Sans 3", "normal", "200 900", "source-sans-3", "source-sans-3-cyrillic-wght-normal", cyrillic},
	{"Source Sans 3", "normal", "200 900", "source-sans-3", "source-sans-3-cyrillic-ext-wght-normal", cyrillicExt},
	{"Source Sans 3", "normal", "200 900", "source-sans-3", "source-sans-3-greek-wght-normal", greek},
	{"Noto Naskh Arabic", "normal", "400 700", "noto-naskh-arabic", "noto-naskh-arabic-arabic-wght-normal", arabic},
	{"Noto Naskh Arabic", "normal", "400 700", "noto-naskh-arabic", "noto-naskh-arabic-latin-wght-normal", latin},
	{"Noto Sans Arabic", "normal", "100 900", "noto-sans-arabic", "noto-sans-arabic-arabic-wght-normal", arabic},
	{"Frank Ruhl Libre", "normal", "300 900", "frank-ruhl-libre", "frank-ruhl-libre-hebrew-wght-normal", hebrew},
	{"Frank Ruhl Libre", "normal", "300 900", "frank-ruhl-libre", "frank-ruhl-libre-latin-wght-normal", latin},
	{"Noto Sans Hebrew", "normal", "100 900", "noto-sans-hebrew", "noto-sans-hebrew-hebrew-wght-normal", hebrew},
}

// preloads names the one face that a page needs for its first lines, by
// language; "" is for all the others.
var preloads = map[string][]string{
	"":   {"source-serif-4-latin-opsz-normal.woff2"},
	"ru": {"source-serif-4-cyrillic-opsz-normal.woff2"},
	"uk": {"source-serif-4-cyrillic-opsz-normal.woff2"},
	"be": {"source-serif-4-cyrillic-opsz-normal.woff2"},
	"bg": {"source-serif-4-cyrillic-opsz-normal.woff2"},
	"sr": {"source-serif-4-cyrillic-opsz-normal.woff2"},
	"ar": {"noto-naskh-arabic-arabic-wght-normal.woff2"},
	"fa": {"noto-naskh-arabic-arabic-wght-normal.woff2"},
	"ur": {"noto-naskh-arabic-arabic-wght-normal.woff2"},
	"he": {"frank-ruhl-libre-hebrew-wght-normal.woff2"},
}

// A fallback is a face that every machine has, stretched to the measures of
// ours, so that nothing moves when ours arrives. adjust is the ratio of the
// mean widths of running text, measured in Chromium; ascent, descent and gap
// are our face's (from its hhea table), divided by adjust, in per cent.
type fallback struct {
	family, local        string
	adjust               float64
	ascent, descent, gap float64
}

var fallbacks = []fallback{
	{"Source Serif Fallback", `local("Times New Roman"), local("Liberation Serif"), local("Tinos")`, 110.3, 93.9, 30.4, 0},
	{"Source Serif Display Fallback", `local("Times New Roman"), local("Liberation Serif"), local("Tinos")`, 105.3, 98.4, 31.8, 0},
	{"Source Sans Fallback", `local("Arial"), local("Liberation Sans"), local("Arimo")`, 93.2, 109.9, 42.9, 0},
}

func facesCSS(files map[string]string) string {
	var b strings.Builder
	for _, f := range faces {
		fmt.Fprintf(&b, "@font-face{font-family:%q;font-style:%s;font-weight:%s;font-display:swap;src:url(/assets/%s) format(\"woff2\");unicode-range:%s}\n",
			f.family, f.style, f.weight, files[f.file+".woff2"], f.unicode)
	}
	for _, f := range fallbacks {
		fmt.Fprintf(&b, "@font-face{font-family:%q;src:%s;size-adjust:%.1f%%;ascent-override:%.1f%%;descent-override:%.1f%%;line-gap-override:%.1f%%}\n",
			f.family, f.local, f.adjust, f.ascent, f.descent, f.gap)
	}
	return b.String()
}
