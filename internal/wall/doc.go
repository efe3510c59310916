// Package wall decides whether this reader may read this story, and says why.
//
// Every surface that shows a story asks the same [Wall.Decide]: the page, its
// feed, the API, a search excerpt, a letter. Only where [Decision.Full] is
// true may the text behind the wall be in the bytes that are sent.
//
//	w, err := wall.New([]wall.Rule{
//		{Name: "the archive", When: `story.age_days > 60`, Grant: wall.MustGrant("register")},
//		{Name: "three a month", When: `true`, Grant: wall.MustGrant("meter 3 per 30 days")},
//	})
//	d := w.Decide(wall.Visit{Meter: meter, Now: now}, item)
//	if d.Count {
//		http.SetCookie(rw, meterCookie(keys.Write(meter.With(item.StoryID, now))))
//	}
//
// Rules stand in one ordered table and the first that matches decides. Before
// them come, in this order: staff read everything; a story behind a password
// is closed to everybody else; a story's own access goes over the rules. A
// verified crawler passes where registering or a meter would; never where a
// tier is asked for, unless a rule says so. A gift opens what would otherwise
// stay closed, or cost a free story.
//
// A condition is written in CEL (https://cel.dev) over the variables of
// [Variables]. It is compiled and its worst cost is bounded when the rules are
// set; one that fails while it is evaluated (1 / 0) counts as not matched, and
// where no rule matches a reader must register.
package wall
