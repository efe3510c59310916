package page

// Permit opens the whole text of one thing, to whoever holds it. Only [Grant]
// makes one; the zero Permit opens nothing.
type Permit struct {
	id      string
	granted bool
}

// Decision is what a wall decided for one visitor and one story.
type Decision interface {
	// MayReadAll reports whether the whole text may be sent.
	MayReadAll() bool
}

// Grant makes the permit for the thing with this ID from a decision about it;
// false when the decision is against it.
func Grant(d Decision, id string) (Permit, bool) {
	if d == nil || id == "" || !d.MayReadAll() {
		return Permit{}, false
	}
	return Permit{id: id, granted: true}, true
}

func (p Permit) opens(id string) bool { return p.granted && p.id == id }
