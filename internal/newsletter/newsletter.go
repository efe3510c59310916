package newsletter

import (
	"regexp"

	"masthead/internal/fault"
)

// Cadence is how often a newsletter comes.
type Cadence string

// The cadences.
const (
	Daily     Cadence = "daily"
	Weekly    Cadence = "weekly"
	Monthly   Cadence = "monthly"
	Irregular Cadence = "irregular"
)

// List is one newsletter: who gets it is told by its readers.
type List struct {
	Slug         string            // names it for good: "week-in-review"
	Position     int               // place among the others
	Names        map[string]string // by language; at least one
	Descriptions map[string]string // by language
	Cadence      Cadence           // "" is weekly
	Source       string            // where it was imported from; else empty
}

var slugForm = regexp.MustCompile(`^[\p{L}\p{N}]+(-[\p{L}\p{N}]+)*$`)

// Check refuses a list that no page could show.
func (l List) Check() error {
	if !slugForm.MatchString(l.Slug) {
		return fault.New(fault.Invalid, "the newsletter's slug cannot be used", "slug", l.Slug).WithHint("write letters and digits with single hyphens between")
	}
	named := false
	for _, n := range l.Names {
		named = named || n != ""
	}
	if !named {
		return fault.New(fault.Invalid, "a newsletter needs a name", "slug", l.Slug)
	}
	switch l.Cadence {
	case Daily, Weekly, Monthly, Irregular:
		return nil
	}
	return fault.New(fault.Invalid, "no such cadence", "cadence", l.Cadence).WithHint("write daily, weekly, monthly or irregular")
}
