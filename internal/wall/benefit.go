package wall

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"masthead/internal/fault"
)

// Benefit is one thing that registering brings, as the wall names it, bound to
// what makes it true. Its entitlement has one of these forms:
//
//	archive           the old stories that the wall keeps from others
//	topic:SLUG        the stories under a topic, such as a special project
//	section:SLUG      the stories of a section
//	meter             more stories than others get
//	newsletter:SLUG   a newsletter
//	gift              stories to give away
//	event             places at events
type Benefit struct {
	ID          string            `toml:"-"` // set by the store
	Entitlement string            `toml:"entitlement"`
	Texts       map[string]string `toml:"text"` // by language tag
}

var entitlementForm = regexp.MustCompile(`^(?:archive|meter|gift|event|(?:topic|section|newsletter):[\p{L}\p{M}\p{N}]+(?:[-_][\p{L}\p{M}\p{N}]+)*)$`)

// CheckBenefits refuses a promise that is bound to nothing, with kind
// fault.Invalid: it asks live for each entitlement, which gives an error that
// says what is missing. Every refused benefit is named.
//
// For what the wall itself keeps, live asks [Wall.Keeps].
func CheckBenefits(benefits []Benefit, live func(entitlement string) error) error {
	var text, hints []string
	refuse := func(b Benefit, problem, hint string) {
		text = append(text, fmt.Sprintf("benefit %q: %s", b.Entitlement, problem))
		if hint != "" && !slices.Contains(hints, hint) {
			hints = append(hints, hint)
		}
	}
	for i, b := range benefits {
		switch {
		case !entitlementForm.MatchString(b.Entitlement):
			refuse(b, "no such entitlement", "write archive, topic:SLUG, section:SLUG, newsletter:SLUG, meter, gift or event")
		case !slices.ContainsFunc(values(b.Texts), func(s string) bool { return strings.TrimSpace(s) != "" }):
			refuse(b, "it has no text", "write what it brings, in every language of the newsroom")
		case slices.ContainsFunc(benefits[:i], func(o Benefit) bool { return o.Entitlement == b.Entitlement }):
			refuse(b, "it is promised twice", "remove one of the two")
		default:
			if err := live(b.Entitlement); err != nil {
				problem := err.Error()
				if fault.KindOf(err) != fault.Internal {
					problem = fault.Message(err)
				}
				hint := fault.Hint(err)
				if hint == "" {
					hint = "take the benefit from the wall, or make what it promises"
				}
				refuse(b, problem, hint)
			}
		}
	}
	if len(text) == 0 {
		return nil
	}
	e := fault.New(fault.Invalid, strings.Join(text, "; "))
	e.Hint = strings.Join(hints, "; ")
	return e
}

func values(m map[string]string) []string {
	all := make([]string, 0, len(m))
	for _, v := range m {
		all = append(all, v)
	}
	return all
}

// Keeps reports whether the rules keep the promise of "archive", "meter",
// "topic:SLUG" or "section:SLUG": whether a reader, once registered, may read
// such a story that a visitor who has spent his meter may not. It tries it on
// a story of one day (for the archive, of fifty years) that has nothing else
// about it. The error has kind fault.Invalid and a hint.
func (w *Wall) Keeps(entitlement string) error {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC) // any will do: rules ask for ages alone
	it := Item{StoryID: "probe", Kind: "story", Lang: "en", Words: 800, PublishedAt: now.Add(-days(1))}
	form, slug, _ := strings.Cut(entitlement, ":")
	hint := ""
	switch form {
	case "archive":
		it.PublishedAt = now.AddDate(-50, 0, 0)
		hint = `add a rule such as: story.age_days > 60 → register`
	case "topic":
		it.Topics = []string{slug}
		hint = fmt.Sprintf("add a rule such as: %q in story.topics → register", slug)
	case "section":
		it.Section, it.Sections = slug, []string{slug}
		hint = fmt.Sprintf("add a rule such as: %q in story.sections → register", slug)
	case "meter":
		hint = `add a rule such as: reader.state == "anonymous" → meter 3 per 30 days`
	default:
		return fault.New(fault.Invalid, "the wall has no part in it", "entitlement", entitlement)
	}
	spent := &Meter{}
	for i := range MeterMax {
		spent = spent.With(fmt.Sprint("read ", i), now)
	}
	anonymous := w.Decide(Visit{Meter: spent, Now: now}, it)
	var reads []Read // as many as the visitor had for free, the reader has had too
	for i := range anonymous.Limit {
		reads = append(reads, Read{fmt.Sprint("read ", i), now})
	}
	registered := w.Decide(Visit{Reader: Reader{ID: "probe", State: Registered}, Now: now,
		Counted: func(time.Time) ([]Read, error) { return reads, nil }}, it)
	switch {
	case anonymous.Full:
		return fault.New(fault.Invalid, "the wall keeps it from nobody: rule "+quote(anonymous.Rule)+" opens it").WithHint("%s", hint)
	case !registered.Full:
		return fault.New(fault.Invalid, "registering does not bring it: rule "+quote(registered.Rule)+" says "+registered.Verdict.String()).WithHint("%s", hint)
	}
	return nil
}
