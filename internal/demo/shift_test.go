package demo

import (
	"testing"
	"time"
)

func TestShift(t *testing.T) {
	newest := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	pieces := [][]piece{{{Published: newest.AddDate(0, -8, 0)}, {Published: newest}}, {{Published: newest.AddDate(0, 0, -3)}}}
	const day = 24 * time.Hour
	for age, want := range map[time.Duration]time.Duration{
		0: 0, day: 0, 20 * day: 0, 21 * day: 21 * day, 25 * day: 21 * day, 400 * day: 399 * day,
		-time.Hour: -7 * day, -7 * day: -7 * day, -8 * day: -14 * day,
	} {
		got := shift(pieces, newest.Add(age))
		if got != want {
			t.Errorf("at the age of %v: moved by %v, want %v", age, got, want)
		}
		if left := age - got; left < 0 || left >= freshFor {
			t.Errorf("at the age of %v the newest story is %v old", age, left)
		}
	}
}
