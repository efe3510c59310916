package proof

import (
	"html"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// A run is so many words in a row; a sentence that has fewer is looked for
// whole if it has at least shortWords words and shortLetters letters. Shorter
// ones are found with their neighbours.
const (
	runWords     = 8
	shortWords   = 4
	shortLetters = 25
)

// split calls each with the hash of every word and its letters. Case, marks of
// direction, quotes, points and spaces make no difference, nor do the brackets
// of an editor's insertion or the number of a footnote ("[1]"). A letter of a
// script without spaces is a word by itself.
func split(text string, each func(hash uint64, letters int)) {
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a
	hash, letters := uint64(offset), 0
	end := func() {
		if letters > 0 {
			each(hash, letters)
		}
		hash, letters = offset, 0
	}
	for i := 0; i < len(text); {
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(text[i:])
		}
		switch {
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
		case 'A' <= r && r <= 'Z':
			r += 'a' - 'A'
		case r == '[':
			i += 1 + noteNumber(text[i+1:])
			continue
		case r == ']':
			i++
			continue
		case r < utf8.RuneSelf:
			end()
			i++
			continue
		case unicode.Is(unicode.Cf, r):
			i += size
			continue
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar):
			end()
			each((offset^uint64(r))*prime, 1)
			i += size
			continue
		case unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r):
			r = unicode.ToLower(r)
		default:
			end()
			i += size
			continue
		}
		hash = (hash ^ uint64(r)) * prime
		letters++
		i += size
	}
	end()
}

// noteNumber gives the length of "12]", else 0.
func noteNumber(s string) int {
	for i := 0; i < len(s) && i < 4; i++ {
		if s[i] == ']' && i > 0 {
			return i + 1
		}
		if s[i] < '0' || s[i] > '9' {
			break
		}
	}
	return 0
}

// wordsOf gives the hashes of a text's words.
func wordsOf(text string) []uint64 {
	all := make([]uint64, 0, len(text)/5)
	split(text, func(hash uint64, _ int) { all = append(all, hash) })
	return all
}

// join gives the key of a run that is one word longer; the key of no words is 0.
func join(key, word uint64) uint64 {
	key = (key ^ word) * 0x9E3779B97F4A7C15
	return key ^ key>>29
}

func keyOf(words []uint64) uint64 {
	key := uint64(0)
	for _, w := range words {
		key = join(key, w)
	}
	return key
}

// addRuns puts the key of every run of shortWords to runWords words into set.
func addRuns(set map[uint64]bool, text string) {
	all := wordsOf(text)
	for i := range all {
		key := uint64(0)
		for n := 1; n <= runWords && i+n <= len(all); n++ {
			if key = join(key, all[i+n-1]); n >= shortWords {
				set[key] = true
			}
		}
	}
}

// views gives the ways in which a text of an answer may be read: with the words
// of its markup, without its tags, and without the tags that escapes hide.
func views(raw string) []string {
	if !utf8.ValidString(raw) {
		raw = strings.ToValidUTF8(raw, " ")
	}
	plain := unescape(raw)
	all := []string{plain}
	if strings.Contains(plain, "<") {
		all = append(all, stripTags(plain))
	}
	if plain != raw && strings.Contains(raw, "<") {
		if bare := unescape(stripTags(raw)); bare != all[len(all)-1] {
			all = append(all, bare)
		}
	}
	return all
}

// unescape undoes the escapes of HTML, JSON, JavaScript and addresses, also
// where they stand one in another.
func unescape(s string) string {
	for range 3 {
		before := s
		if strings.Contains(s, "&") {
			s = html.UnescapeString(s)
		}
		if strings.Contains(s, `\`) {
			s = unescapeJSON(s)
		}
		if strings.Contains(s, "%") {
			s = unescapePercent(s)
		}
		if s == before {
			break
		}
	}
	return s
}

func unescapeJSON(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch c := s[i]; c {
		case 'n', 't', 'r', 'b', 'f':
			b.WriteByte(' ')
		case 'u', 'x':
			digits := map[byte]int{'u': 4, 'x': 2}[c]
			r, ok := hex(s, i+1, digits)
			if !ok {
				b.WriteByte(c)
				continue
			}
			i += digits
			if utf16.IsSurrogate(r) && i+2 < len(s) && s[i+1] == '\\' && s[i+2] == 'u' {
				if low, ok := hex(s, i+3, 4); ok {
					r = utf16.DecodeRune(r, low)
					i += 6
				}
			}
			b.WriteRune(r)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func hex(s string, at, digits int) (rune, bool) {
	if at+digits > len(s) {
		return 0, false
	}
	v, err := strconv.ParseUint(s[at:at+digits], 16, 32)
	return rune(v), err == nil
}

func unescapePercent(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if c, err := url.PathUnescape(s[i : i+3]); err == nil {
				b.WriteString(c)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return strings.ToValidUTF8(b.String(), " ")
}

// inline are the elements that may stand within a word.
var inline = map[string]bool{
	"a": true, "abbr": true, "b": true, "bdi": true, "bdo": true, "cite": true, "code": true, "del": true, "em": true, "i": true, "ins": true,
	"kbd": true, "mark": true, "q": true, "s": true, "small": true, "span": true, "strong": true, "sub": true, "u": true, "wbr": true,
}

// stripTags takes tags out, and footnotes' numbers with the <sup> that they
// stand in. What stands in comments and scripts stays.
func stripTags(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for {
		at := strings.IndexByte(s, '<')
		if at < 0 || at+1 == len(s) {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:at])
		s = s[at:]
		c := s[1]
		if !(c == '/' || c == '!' || c == '?' || 'a' <= c|0x20 && c|0x20 <= 'z') {
			b.WriteByte('<')
			s = s[1:]
			continue
		}
		if strings.HasPrefix(s, "<!--") {
			b.WriteByte(' ')
			s = s[4:]
			continue
		}
		end := strings.IndexByte(s, '>')
		if end < 0 || strings.IndexByte(s[1:end], '<') >= 0 { // no tag: a sign in a text
			b.WriteByte(' ')
			s = s[1:]
			continue
		}
		name := strings.ToLower(strings.TrimLeft(s[1:end], "/"))
		if i := strings.IndexAny(name, " \t\r\n/"); i >= 0 {
			name = name[:i]
		}
		s = s[end+1:]
		if name == "sup" {
			if note := strings.Index(s, "</sup>"); note >= 0 && note < 200 && strings.Contains(s[:note], "<a ") {
				s = s[note+len("</sup>"):]
			}
			continue
		}
		if !inline[name] {
			b.WriteByte(' ')
		}
	}
}
