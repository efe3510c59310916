package wall_test

import (
	"fmt"
	"time"

	"masthead/internal/wall"
)

func Example() {
	w, err := wall.New([]wall.Rule{
		{Name: "the archive", When: `story.age_days > 60`, Grant: wall.MustGrant("register")},
		{Name: "two a month", When: `true`, Grant: wall.MustGrant("meter 2 per 30 days")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	keys := wall.MeterKeys{[]byte("thirty-two bytes of randomness..")}
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	cookie := ""
	for _, story := range []string{"a", "b", "a", "c"} {
		meter, _ := keys.Read(cookie)
		d := w.Decide(wall.Visit{Meter: meter, Now: now}, wall.Item{StoryID: story, PublishedAt: now})
		if d.Count {
			cookie = keys.Write(meter.With(story, now))
		}
		fmt.Printf("%s: full %v, %d of %d, last %v\n", story, d.Full, d.Used, d.Limit, d.Last)
	}
	for _, step := range w.Why(wall.Visit{Now: now}, wall.Item{PublishedAt: now.AddDate(-1, 0, 0)}) {
		fmt.Println(step)
	}
	// Output:
	// a: full true, 1 of 2, last false
	// b: full true, 2 of 2, last true
	// a: full true, 2 of 2, last true
	// c: full false, 2 of 2, last false
	// > the archive (register): story.age_days > 60: 365 > 60 is true; the reader is not registered
	//   two a month (meter 2 per 30 days): not asked, since a rule above decided
}
