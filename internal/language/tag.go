package language

import (
	"fmt"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// Normalise gives the canonical form of a BCP 47 tag ("EN-us" → "en-US",
// "iw" → "he"), as it is stored and as it stands in addresses and in lang="…".
func Normalise(tag string) (string, error) {
	if tag == "" {
		return "", fmt.Errorf("language: empty tag")
	}
	t, err := language.All.Parse(tag)
	if err != nil {
		return "", fmt.Errorf("language: tag %q: %w", tag, err)
	}
	if t == language.Und {
		return "", fmt.Errorf("language: tag %q: undetermined", tag)
	}
	return t.String(), nil
}

// Dir gives the direction of text in a language, "ltr" or "rtl", as for
// HTML's dir="…". It goes by the script (Unicode TR 9), so "az-Arab" is "rtl";
// a tag that cannot be read is "ltr".
func Dir(tag string) string {
	t, err := language.Parse(tag)
	if err != nil {
		return "ltr"
	}
	script, _ := t.Script()
	switch script.String() {
	case "Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm", "Rohg", "Samr", "Mand":
		return "rtl"
	}
	return "ltr"
}

// OwnName gives the name of a language in itself, with a capital where its
// script has them: "العربية", "Français". An unknown tag gives itself.
func OwnName(tag string) string {
	t, err := language.Parse(tag)
	if err != nil {
		return tag
	}
	name := display.Self.Name(t)
	if name == "" {
		return tag
	}
	r, size := utf8.DecodeRuneInString(name)
	return string(unicode.ToUpper(r)) + name[size:]
}

// Furnished lists the languages that furniture exists in; the first is the one
// used where none fits.
func Furnished() []string { return []string{"en", "ar", "he", "ru", "fr"} }
