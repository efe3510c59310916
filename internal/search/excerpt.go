package search

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Piece is a part of an excerpt; Match tells the words that were looked for.
type Piece struct {
	Text  string
	Match bool
}

// excerptWidth is about how many bytes of text an excerpt shows.
const excerptWidth = 260

// Excerpt gives the part of a text where the words of a query stand closest,
// or nil where none of them does. text is what its reader may read.
func Excerpt(lang, text, query string) []Piece {
	wanted := map[string]bool{}
	for _, phrase := range phrases(lang, query) {
		for _, stem := range phrase {
			wanted[stem] = true
		}
	}
	var hits []word
	for _, w := range wordsOf(lang, text) {
		if wanted[w.stem] {
			hits = append(hits, w)
		}
	}
	if len(hits) == 0 {
		return nil
	}
	best, most := 0, 0
	for i := range hits {
		seen := map[string]bool{}
		for _, h := range hits[i:] {
			if h.end-hits[i].start > excerptWidth {
				break
			}
			seen[h.stem] = true
		}
		if len(seen) > most {
			best, most = i, len(seen)
		}
	}
	start := wordStart(text, hits[best].start-excerptWidth/3)
	end := wordEnd(text, start+excerptWidth)
	var pieces []Piece
	at := start
	add := func(to int, match bool) {
		if to > at {
			pieces = append(pieces, Piece{strings.Join(strings.FieldsFunc(text[at:to], newline), " "), match})
		}
		at = to
	}
	if start > 0 {
		pieces = append(pieces, Piece{Text: "… "})
	}
	for _, h := range hits[best:] {
		if h.end > end {
			break
		}
		add(h.start, false)
		add(h.end, true)
	}
	add(end, false)
	if end < len(text) {
		pieces = append(pieces, Piece{Text: " …"})
	}
	return pieces
}

func newline(r rune) bool { return r == '\n' || r == '\r' }

// wordStart gives the beginning of the first whole word at or after at.
func wordStart(text string, at int) int {
	if at <= 0 {
		return 0
	}
	for at < len(text) && !utf8.RuneStart(text[at]) {
		at++
	}
	i := strings.IndexFunc(text[at:], unicode.IsSpace)
	if i < 0 {
		return at
	}
	_, space := utf8.DecodeRuneInString(text[at+i:]) // a no-break space has two bytes
	return at + i + space
}

// wordEnd gives the end of the last whole word before at.
func wordEnd(text string, at int) int {
	if at >= len(text) {
		return len(text)
	}
	for !utf8.RuneStart(text[at]) {
		at--
	}
	if i := strings.LastIndexFunc(text[:at], unicode.IsSpace); i > 0 {
		return i
	}
	return at
}
