package wall

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"masthead/internal/fault"
)

// Table is the whole wall as a TOML file holds it:
//
//	[[rule]]
//	name = "the archive, older than sixty days"
//	when = 'story.age_days > 60'
//	grant = "register"
//
//	[[benefit]]
//	entitlement = "archive"
//	[benefit.text]
//	en = "Every archived story, back to the first"
//
// A larger file may embed it.
type Table struct {
	Rules    []Rule    `toml:"rule"`
	Benefits []Benefit `toml:"benefit"`
}

// ParseTable reads a wall from TOML. What it does not know is refused, so that
// a misspelt table is not taken for no rules at all; so are rules that cannot
// be used and benefits of no known form. Errors have kind fault.Invalid.
func ParseTable(text string) (Table, error) {
	var t Table
	meta, err := toml.Decode(text, &t)
	if err != nil {
		if parse, ok := err.(toml.ParseError); ok {
			e := fault.New(fault.Invalid, fmt.Sprintf("line %d: %s", parse.Position.Line, parse.Message))
			return Table{}, e.WithHint("write the wall as [[rule]] tables with name, when and grant, and [[benefit]] tables with entitlement and text")
		}
		return Table{}, err
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return Table{}, fault.New(fault.Invalid, "unknown key", "key", unknown[0]).
			WithHint("write [[rule]] with name, when and grant, and [[benefit]] with entitlement and text")
	}
	if len(t.Rules) > 0 {
		if _, err := compile(t.Rules); err != nil {
			return Table{}, err
		}
	}
	if err := CheckBenefits(t.Benefits, func(string) error { return nil }); err != nil {
		return Table{}, err
	}
	return t, nil
}

// String writes the wall as the TOML that [ParseTable] reads.
func (t Table) String() string {
	var b strings.Builder
	for _, r := range t.Rules {
		fmt.Fprintf(&b, "[[rule]]\nname = %s\nwhen = %s\ngrant = %s\n\n", tomlString(r.Name), tomlString(r.When), tomlString(r.Grant.String()))
	}
	for _, ben := range t.Benefits {
		fmt.Fprintf(&b, "[[benefit]]\nentitlement = %s\n[benefit.text]\n", tomlString(ben.Entitlement))
		for _, lang := range slices.Sorted(maps.Keys(ben.Texts)) {
			fmt.Fprintf(&b, "%s = %s\n", tomlString(lang), tomlString(ben.Texts[lang]))
		}
		b.WriteByte('\n')
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// tomlString quotes s in the plainer of TOML's two ways (TOML 1.0, "String").
func tomlString(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	control := func(r rune) bool { return r < 0x20 || r == 0x7f }
	if strings.Contains(s, `"`) && !strings.Contains(s, "'") && !strings.ContainsFunc(s, control) {
		return "'" + s + "'"
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case control(r):
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
