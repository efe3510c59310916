package proof

import (
	"testing"
	"time"

	"masthead/internal/wall"
)

// What a meter opens at a site of several nodes, with two free stories.
func TestRuling(t *testing.T) {
	w, err := wall.New([]wall.Rule{{Name: "all", When: "true", Grant: wall.MustGrant("meter 2 per 7 days")}})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	old, young := now.Add(-time.Minute), now.Add(-time.Second)
	for _, test := range []struct {
		name           string
		lag            time.Duration
		written, given []wall.Read
		own            bool // the request is for the story's own page
		may, must      bool
	}{
		{"nothing is counted", lag, nil, nil, true, true, true},
		{"two are counted", lag, []wall.Read{{StoryID: "a", At: old}, {StoryID: "b", At: old}}, nil, true, false, false},
		{"one may not be known yet", lag, []wall.Read{{StoryID: "a", At: old}, {StoryID: "b", At: young}}, nil, true, true, false},
		{"it may not be written yet", lag, []wall.Read{{StoryID: "a", At: old}}, []wall.Read{{StoryID: "b", At: young}}, true, true, false},
		{"one node knows at once", 0, []wall.Read{{StoryID: "a", At: old}}, []wall.Read{{StoryID: "b", At: young}}, true, false, false},
		{"it was given before, and is forgotten", lag, nil, []wall.Read{{StoryID: "a", At: old}, {StoryID: "b", At: old}}, true, false, false},
		{"it was counted itself", lag, []wall.Read{{StoryID: "a", At: old}, {StoryID: "s", At: old}}, nil, true, true, true},
		{"it was counted just now", lag, []wall.Read{{StoryID: "a", At: old}}, []wall.Read{{StoryID: "s", At: young}}, true, true, true},
		{"a list shows what was counted", lag, []wall.Read{{StoryID: "s", At: old}}, nil, false, true, true},
		{"a list may show what was counted just now", lag, nil, []wall.Read{{StoryID: "s", At: young}}, false, true, false},
		{"a list counts nothing", lag, nil, nil, false, false, false},
	} {
		f := &facts{wall: w, lag: test.lag, Newsroom: Newsroom{Now: func() time.Time { return now }}}
		p := &persona{given: test.given, visit: wall.Visit{Reader: wall.Reader{ID: "r", State: wall.Registered},
			Counted: func(time.Time) ([]wall.Read, error) { return append([]wall.Read(nil), test.written...), nil }}}
		got := f.decide(p, edition{storyID: "s", published: true, item: wall.Item{StoryID: "s"}}, test.own, nil)
		if got.may != test.may || got.must != test.must {
			t.Errorf("%s: may %v, must %v; want %v and %v", test.name, got.may, got.must, test.may, test.must)
		}
	}
}
