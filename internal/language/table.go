package language

import (
	"strings"

	"golang.org/x/text/feature/plural"
)

// Table gives the texts whose keys begin with prefix, by what follows it: what
// a page hands to a script of its own. A text with plural forms gives its
// "other" one. A language without the catalogue gives English.
func (f *Furniture) Table(prefix string) map[string]string {
	table := map[string]string{}
	for key, m := range f.orEnglish().words {
		if rest, ok := strings.CutPrefix(key, prefix); ok {
			table[rest] = m[plural.Other]
		}
	}
	return table
}
