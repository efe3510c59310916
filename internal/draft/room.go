package draft

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/relay"
)

// Colours is how many colours people in a draft are told apart by.
const Colours = 8

// Colour is the colour of one of the staff, from 0: always and everywhere the same.
func Colour(staffID string) int {
	h := fnv.New32a()
	h.Write([]byte(staffID))
	return int(h.Sum32() % Colours)
}

// presenceLife is how long somebody is thought to be there without a word from him.
const presenceLife = 40 * time.Second

// maxPeople bounds what one draft's people take of memory.
const maxPeople = 200

// Presence is one tab in which a draft is open.
type Presence struct {
	EditionID string
	Client    string
	StaffID   string
	Version   int64 // of the positions
	Anchor    int   // -1: no cursor
	Head      int
	Left      bool // the tab is closed

	at time.Time
}

// Room knows who is in which draft, and wakes those who watch one. Every node
// has one; they hear of each other by the tags of the relay, which bear it all,
// so that nothing of this is ever in a table.
type Room struct {
	Now  func() time.Time
	Tell func(ctx context.Context, q db.Queryer, tags ...string) error // app.Tell

	mu     sync.Mutex
	drafts map[string]*gathering
	closed chan struct{}
}

type gathering struct {
	people   map[string]Presence // by client
	seen     int64               // counts their changes
	watchers map[*Watch]struct{}
}

// NewRoom gives an empty room.
func NewRoom(now func() time.Time, tell func(ctx context.Context, q db.Queryer, tags ...string) error) *Room {
	return &Room{Now: now, Tell: tell, drafts: map[string]*gathering{}, closed: make(chan struct{})}
}

// Watch is one live connection. C holds a value whenever something of the draft
// may have changed; it is closed never.
type Watch struct {
	C    chan struct{}
	id   string
	room *Room
}

const tagPresence = "presence:"

// Here tells every node, once tx is committed, where somebody is. The tags of
// more changes in the same transaction may go with it.
func (r *Room) Here(ctx context.Context, tx db.Queryer, p Presence) error {
	if err := checkClient(p.Client); err != nil {
		return err
	}
	if p.Version < 0 || p.Anchor < -1 || p.Head < -1 {
		return fault.New(fault.Invalid, "there is no such place in the text")
	}
	if p.Left {
		p.Anchor, p.Head = -1, -2 // how a tag says it
	}
	return r.Tell(ctx, tx, fmt.Sprintf("%s%s:%s:%s:%d:%d:%d", tagPresence, p.EditionID, p.Client, p.StaffID, p.Version, p.Anchor, p.Head))
}

func parsePresence(tag string) (p Presence, ok bool) {
	rest, ok := strings.CutPrefix(tag, tagPresence)
	parts := strings.Split(rest, ":")
	if !ok || len(parts) != 6 {
		return p, false
	}
	p = Presence{EditionID: parts[0], Client: parts[1], StaffID: parts[2]}
	var errs [3]error
	p.Version, errs[0] = strconv.ParseInt(parts[3], 10, 64)
	p.Anchor, errs[1] = strconv.Atoi(parts[4])
	p.Head, errs[2] = strconv.Atoi(parts[5])
	p.Left = p.Head == -2
	return p, errs == [3]error{}
}

// Hear is what the relay calls with the tags of every change.
func (r *Room) Hear(tags []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, tag := range tags {
		if id, ok := strings.CutPrefix(tag, tagDraft); ok {
			r.drafts[id].wake()
		} else if p, ok := parsePresence(tag); ok {
			r.arrived(p)
		} else if tag == relay.All { // nobody knows what was missed
			for _, g := range r.drafts {
				g.wake()
			}
		}
	}
}

func (r *Room) arrived(p Presence) {
	g := r.gathering(p.EditionID)
	if p.at = r.Now(); p.Left {
		delete(g.people, p.Client)
	} else if _, known := g.people[p.Client]; known || len(g.people) < maxPeople {
		g.people[p.Client] = p
	}
	g.seen++
	g.wake()
	r.forget(p.EditionID)
}

// gathering gives a draft's people, and makes room for them.
func (r *Room) gathering(editionID string) *gathering {
	g := r.drafts[editionID]
	if g == nil {
		g = &gathering{people: map[string]Presence{}, watchers: map[*Watch]struct{}{}}
		r.drafts[editionID] = g
	}
	return g
}

// forget takes away who has not been heard of, and drafts with nobody in them.
func (r *Room) forget(editionID string) {
	now := r.Now()
	for id, g := range r.drafts {
		if id != editionID && len(g.watchers) > 0 {
			continue // its watchers ask often enough
		}
		for client, p := range g.people {
			if now.Sub(p.at) > presenceLife {
				delete(g.people, client)
				g.seen++
			}
		}
		if len(g.people) == 0 && len(g.watchers) == 0 {
			delete(r.drafts, id)
		}
	}
}

func (g *gathering) wake() {
	if g == nil {
		return
	}
	for w := range g.watchers {
		select {
		case w.C <- struct{}{}:
		default: // it is going to look anyway
		}
	}
}

// Watch wakes its caller when a draft changes, until its Close.
func (r *Room) Watch(editionID string) *Watch {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := &Watch{C: make(chan struct{}, 1), id: editionID, room: r}
	r.gathering(editionID).watchers[w] = struct{}{}
	return w
}

// Close ends the watch.
func (w *Watch) Close() {
	w.room.mu.Lock()
	defer w.room.mu.Unlock()
	delete(w.room.gathering(w.id).watchers, w)
	w.room.forget(w.id)
}

// People gives who is in a draft, in a lasting order, and a number that is
// another whenever they have changed.
func (r *Room) People(editionID string) (people []Presence, seen int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g := r.gathering(editionID)
	r.forget(editionID)
	for _, p := range g.people {
		people = append(people, p)
	}
	slices.SortFunc(people, func(a, b Presence) int {
		return cmp.Or(cmp.Compare(a.StaffID, b.StaffID), cmp.Compare(a.Client, b.Client))
	})
	return people, g.seen
}

// Close ends every live connection: the program stops. Clients come back.
func (r *Room) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.closed:
	default:
		close(r.closed)
	}
}

// Closed is closed by Close.
func (r *Room) Closed() <-chan struct{} { return r.closed }
