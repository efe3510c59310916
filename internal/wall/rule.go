package wall

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"masthead/internal/fault"
)

// Rule is one line of the wall's table: when its condition is true for a story
// and its reader, it decides.
type Rule struct {
	ID    string `toml:"-"`    // set by the store; "" otherwise
	Name  string `toml:"name"` // what it is for, in the newsroom's words; shown by [Wall.Why]
	When  string `toml:"when"` // a CEL condition over [Variables]
	Grant Grant  `toml:"grant"`
}

// Grant is what a rule says. Its text is "open", "meter N per D days",
// "register", "subscribe" or "subscribe TIER".
type Grant struct {
	Verdict     Verdict
	Limit, Days int    // Metered
	Tier        string // Subscribe; "" when any tier will do
}

// The bounds of a meter. MeterMax stories fit into the anonymous meter's cookie.
const (
	MeterMax = 100
	MaxDays  = 366
	// defaultWindow is how far visit.reads looks back in a rule that grants no meter.
	defaultWindow = 30
)

var (
	meterForm = regexp.MustCompile(`^meter ([0-9]{1,9}) per ([0-9]{1,9}) days?$`)
	tierForm  = regexp.MustCompile(`^[\p{L}\p{M}\p{N}]+(?:[-_][\p{L}\p{M}\p{N}]+)*$`)
)

// ParseGrant reads a grant; the error has kind fault.Invalid.
func ParseGrant(text string) (Grant, error) {
	words := strings.Join(strings.Fields(text), " ")
	switch words {
	case "open":
		return Grant{Verdict: Open}, nil
	case "register":
		return Grant{Verdict: Register}, nil
	case "subscribe":
		return Grant{Verdict: Subscribe}, nil
	}
	if tier, ok := strings.CutPrefix(words, "subscribe "); ok && tierForm.MatchString(tier) {
		return Grant{Verdict: Subscribe, Tier: tier}, nil
	}
	if m := meterForm.FindStringSubmatch(words); m != nil {
		limit, _ := strconv.Atoi(m[1]) // nine digits at most
		days, _ := strconv.Atoi(m[2])
		if limit < 1 || limit > MeterMax || days < 1 || days > MaxDays {
			return Grant{}, fault.New(fault.Invalid, "a meter out of bounds", "grant", text).
				WithHint("give 1 to %d stories per 1 to %d days", MeterMax, MaxDays)
		}
		return Grant{Verdict: Metered, Limit: limit, Days: days}, nil
	}
	return Grant{}, fault.New(fault.Invalid, "no such grant", "grant", text).
		WithHint("write open, meter N per D days, register, subscribe, or subscribe TIER")
}

// MustGrant is [ParseGrant] for grants that stand in the program's own text.
func MustGrant(text string) Grant {
	g, err := ParseGrant(text)
	if err != nil {
		panic(err)
	}
	return g
}

// String gives the text that [ParseGrant] reads.
func (g Grant) String() string {
	switch g.Verdict {
	case Metered:
		unit := "days"
		if g.Days == 1 {
			unit = "day"
		}
		return fmt.Sprintf("meter %d per %d %s", g.Limit, g.Days, unit)
	case Subscribe:
		if g.Tier != "" {
			return "subscribe " + g.Tier
		}
	}
	return g.Verdict.String()
}

// MarshalText gives the grant's text.
func (g Grant) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// UnmarshalText reads a grant's text.
func (g *Grant) UnmarshalText(text []byte) (err error) {
	*g, err = ParseGrant(string(text))
	return err
}

// DefaultRules are in force where a newsroom has written none: standing pages
// are open, registered readers read everything, the archive asks to register,
// and the rest is metered.
func DefaultRules() []Rule {
	return []Rule{
		{Name: "standing pages", When: `story.kind == "page"`, Grant: MustGrant("open")},
		{Name: "registered readers", When: `reader.state == "registered"`, Grant: MustGrant("open")},
		{Name: "the archive, older than sixty days", When: `story.age_days > 60`, Grant: MustGrant("register")},
		{Name: "three stories a month for everybody", When: `true`, Grant: MustGrant("meter 3 per 30 days")},
	}
}

// window gives how many days visit.reads looks back in this rule.
func (r *Rule) window() int {
	if r.Grant.Verdict == Metered {
		return r.Grant.Days
	}
	return defaultWindow
}
