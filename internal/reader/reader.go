package reader

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"masthead/internal/fault"
	"masthead/internal/language"
)

// Reader is somebody who has registered, or whose account was brought in.
type Reader struct {
	ID          string
	Email       string   // as the reader writes it
	Name        string   // may be empty
	Lang        string   // BCP 47; may be empty
	Note        string   // the newsroom's own; part of the reader's export
	Labels      []string // the newsroom's own
	Epoch       int64    // bumped when everything that was granted before must be asked anew
	Source      string   // where it was imported from, such as "ghost:6b04…"; else empty
	CreatedAt   time.Time
	ConfirmedAt time.Time // first sign-in, which shows that the address is the reader's; zero before
}

// Tier is something that a reader can hold and a story can ask for.
type Tier struct {
	Slug     string
	Names    map[string]string // by language
	Position int
	Source   string
}

// Holding is a tier that a reader holds.
type Holding struct {
	Tier  string    // Tier.Slug
	Until time.Time // zero: without end
}

// Subscription is a newsletter that a reader has chosen.
type Subscription struct {
	Newsletter string // the newsletter's slug
	Since      time.Time
}

// The most that a reader may call himself, in characters.
const maxName = 120

// CheckName gives name without the space round it and between its words made
// single, and refuses what no page could show.
func CheckName(name string) (string, error) {
	name = strings.Join(strings.Fields(name), " ")
	if utf8.RuneCountInString(name) > maxName {
		return "", fault.New(fault.Invalid, "the name is too long").WithHint("write at most %d characters", maxName)
	}
	for _, r := range name {
		// Zero-width joiners are letters' business in Persian and Indic names.
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return "", fault.New(fault.Invalid, "the name has a character that cannot be shown")
		}
	}
	return name, nil
}

// checkLang gives the canonical form of a language tag; "" stays "".
func checkLang(tag string) (string, error) {
	if tag == "" {
		return "", nil
	}
	norm, err := language.Normalise(tag)
	if err != nil {
		return "", fault.New(fault.Invalid, "no such language", "lang", tag)
	}
	return norm, nil
}

// wrap adds the operation to *err, once for the package.
func wrap(err *error, format string, args ...any) {
	if *err != nil {
		*err = fmt.Errorf("reader."+format+": %w", append(args, *err)...)
	}
}
