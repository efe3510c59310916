package plan

import (
	"fmt"
	"slices"
	"time"

	"masthead/internal/fault"
)

// WallForm is how a form gives a day and a time without a zone (HTML's
// datetime-local); a step of seconds is not used.
const WallForm = "2006-01-02T15:04"

// NoSuchTime tells that the newsroom's clock never shows a time: it is put
// forward over it. It is fault.Invalid.
type NoSuchTime struct {
	Text   string
	Before time.Time // the last minute before the gap
	After  time.Time // the first moment after it
}

func (e *NoSuchTime) Error() string { return "the clock is put forward over " + e.Text }

// Unwrap gives the fault.
func (e *NoSuchTime) Unwrap() error {
	return fault.New(fault.Invalid, "the clock is put forward then, and that time does not exist", "time", e.Text).
		WithHint("take %s or %s", e.Before.Format("15:04"), e.After.Format("15:04"))
}

// TwoTimes tells that the newsroom's clock shows a time twice: it is put back.
// It is fault.Invalid.
type TwoTimes struct {
	Text          string
	First, Second time.Time
}

func (e *TwoTimes) Error() string { return "the clock shows " + e.Text + " twice" }

// Unwrap gives the fault.
func (e *TwoTimes) Unwrap() error {
	return fault.New(fault.Invalid, "the clock is put back then, and shows that time twice", "time", e.Text).WithHint("say whether the first or the second is meant")
}

// Turn says which of two is meant where a clock shows a time twice.
type Turn string

// The turns. The zero Turn asks.
const (
	First  Turn = "first"
	Second Turn = "second"
)

// Moment gives the instant at which the clock of loc shows text, in [WallForm].
// Where it shows it twice, turn decides, else it is [*TwoTimes]; where never,
// [*NoSuchTime].
func Moment(text string, loc *time.Location, turn Turn) (time.Time, error) {
	wall, err := time.Parse(WallForm, text)
	if err != nil {
		return time.Time{}, fault.New(fault.Invalid, "that is no day and time", "time", text).WithHint("write it like %s", WallForm)
	}
	// Each offset that is in use around then may make an instant of it.
	var found []time.Time
	var offsets []int
	for hours := -36; hours <= 36; hours++ {
		if _, offset := wall.Add(time.Duration(hours) * time.Hour).In(loc).Zone(); !slices.Contains(offsets, offset) {
			offsets = append(offsets, offset)
		}
	}
	for _, offset := range offsets {
		at := wall.Add(-time.Duration(offset) * time.Second)
		if at.In(loc).Format(WallForm) == text {
			found = append(found, at.In(loc))
		}
	}
	slices.SortFunc(found, time.Time.Compare)
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0:
		return time.Time{}, gap(text, wall, loc, offsets)
	case turn == First:
		return found[0], nil
	case turn == Second:
		return found[len(found)-1], nil
	}
	return time.Time{}, &TwoTimes{Text: text, First: found[0], Second: found[len(found)-1]}
}

// gap finds the moment at which the clock is put forward over wall.
func gap(text string, wall time.Time, loc *time.Location, offsets []int) error {
	early := wall.Add(-time.Duration(slices.Max(offsets)) * time.Second)
	late := wall.Add(-time.Duration(slices.Min(offsets)) * time.Second)
	_, before := early.In(loc).Zone()
	for late.Sub(early) > time.Second {
		middle := early.Add(late.Sub(early) / 2)
		if _, offset := middle.In(loc).Zone(); offset == before {
			early = middle
		} else {
			late = middle
		}
	}
	late = late.Truncate(time.Minute)
	return &NoSuchTime{Text: text, Before: late.Add(-time.Minute).In(loc), After: late.In(loc)}
}

// Day gives a day as plans keep it: 20261123, by the clock of at's zone.
func Day(at time.Time) int { return at.Year()*10000 + int(at.Month())*100 + at.Day() }

// ParseDay reads "2026-11-23" as 20261123; "" is 0, no day.
func ParseDay(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, fault.New(fault.Invalid, "that is no day", "day", text).WithHint("write it like %s", time.DateOnly)
	}
	return Day(at), nil
}

// DayText gives a day as a form has it; 0 is "".
func DayText(day int) string {
	if day == 0 {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", day/10000, day/100%100, day%100)
}
