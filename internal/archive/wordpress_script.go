package archive

import (
	"strings"
	"unicode"

	"golang.org/x/text/language"
)

// scripts are those that tell a language from the newsroom's own.
var scripts = []struct {
	name  string // ISO 15924
	table *unicode.RangeTable
}{
	{"Latn", unicode.Latin}, {"Arab", unicode.Arabic}, {"Hebr", unicode.Hebrew}, {"Cyrl", unicode.Cyrillic}, {"Grek", unicode.Greek},
	{"Hans", unicode.Han}, {"Jpan", unicode.Hiragana}, {"Kore", unicode.Hangul}, {"Deva", unicode.Devanagari}, {"Armn", unicode.Armenian},
	{"Geor", unicode.Georgian}, {"Thai", unicode.Thai}, {"Beng", unicode.Bengali}, {"Ethi", unicode.Ethiopic},
}

// scriptOf names the script of a letter; "" for what is none.
func scriptOf(r rune) string {
	if r < 0x80 {
		if r|0x20 >= 'a' && r|0x20 <= 'z' {
			return "Latn"
		}
		return ""
	}
	if !unicode.IsLetter(r) {
		return ""
	}
	for _, s := range scripts {
		if unicode.Is(s.table, r) {
			return s.name
		}
	}
	return ""
}

// scriptOfLanguage names the script that a language is written in.
func scriptOfLanguage(tag string) string {
	t, err := language.Parse(strings.ReplaceAll(tag, "_", "-"))
	if err != nil {
		return ""
	}
	script, _ := t.Script()
	if script.String() == "Hant" {
		return "Hans"
	}
	return script.String()
}
