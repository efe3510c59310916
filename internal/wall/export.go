package wall

import "time"

type exportRead struct {
	Story string    `json:"story"`
	At    time.Time `json:"at"`
}

type exportGift struct {
	Story   string    `json:"story"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	Revoked time.Time `json:"revoked,omitzero"`
	Opened  int       `json:"opened"`
}

// Export gives what the wall keeps of a reader, as the reader is given it: the
// lists "stories_counted" and "gifts", never nil.
func Export(reads []Read, gifts []Gift) map[string]any {
	counted, given := []exportRead{}, []exportGift{}
	for _, r := range reads {
		counted = append(counted, exportRead{r.StoryID, r.At})
	}
	for _, g := range gifts {
		given = append(given, exportGift{g.StoryID, g.CreatedAt, g.ExpiresAt, g.RevokedAt, g.Opened})
	}
	return map[string]any{"stories_counted": counted, "gifts": given}
}
