package search

import (
	"encoding/binary"
	"hash/fnv"
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

// Text is the text of a story, with the places of its words.
type Text struct {
	lang, text string
	preview    int
	places     []byte
}

// Excerpt gives the part of the text where the words of a query stand closest,
// or nil where none of them does: of its preview alone unless the whole may be
// shown.
func (t Text) Excerpt(query string, whole bool) []Piece {
	text := t.text
	if !whole {
		text = text[:min(max(t.preview, 0), len(text))]
	}
	wanted := wantedOf(t.lang, query)
	var hashes [256]bool
	for stem := range wanted {
		hashes[hashOf(stem)] = true
	}
	var hits []word
	for places, at := t.places, 0; len(places) > 1; {
		gap, n := binary.Uvarint(places[1:])
		if n <= 0 || gap > uint64(len(text)-at) {
			break
		}
		hash := places[0]
		at += int(gap)
		places = places[1+n:]
		if !hashes[hash] || at >= len(text) {
			continue
		}
		// Another word may have the same hash.
		rest := text[at:]
		if len(places) > 1 {
			if next, n := binary.Uvarint(places[1:]); n > 0 && next > 0 && next < uint64(len(rest)) {
				rest = rest[:next]
			}
		}
		if words := wordsOf(t.lang, rest[:min(len(rest), maxWord)]); len(words) > 0 && wanted[words[0].stem] {
			w := words[0]
			hits = append(hits, word{w.stem, at + w.start, at + w.end})
		}
	}
	return around(text, hits)
}

// maxWord is more bytes than any word that is in the index has.
const maxWord = 512

// places tells where words stand in their text, in order: for each a byte of
// its stem's hash, and how many bytes after the one before it begins.
func places(words []word) []byte {
	b, at := make([]byte, 0, 2*len(words)), 0
	for _, w := range words {
		b = binary.AppendUvarint(append(b, hashOf(w.stem)), uint64(w.start-at))
		at = w.start
	}
	return b
}

func hashOf(stem string) byte {
	h := fnv.New32a()
	h.Write([]byte(stem))
	sum := h.Sum32()
	return byte(sum>>24 ^ sum>>16 ^ sum>>8 ^ sum)
}

// Excerpt gives the part of a text where the words of a query stand closest,
// or nil where none of them does. text is what its reader may read.
func Excerpt(lang, text, query string) []Piece {
	wanted := wantedOf(lang, query)
	var hits []word
	for _, w := range wordsOf(lang, text) {
		if wanted[w.stem] {
			hits = append(hits, w)
		}
	}
	return around(text, hits)
}

// wantedOf gives the stems of a query.
func wantedOf(lang, query string) map[string]bool {
	wanted := map[string]bool{}
	for _, phrase := range phrases(lang, query) {
		for _, stem := range phrase {
			wanted[stem] = true
		}
	}
	return wanted
}

// around gives the part of a text where the most of hits stand.
func around(text string, hits []word) []Piece {
	if len(hits) == 0 {
		return nil
	}
	stems := map[string]bool{}
	for _, h := range hits {
		stems[h.stem] = true
	}
	best, most := 0, 0
	for i := 0; i < len(hits) && most < len(stems); i++ {
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
