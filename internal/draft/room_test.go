package draft

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/db"
	"masthead/internal/fault"
)

func TestRoom(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	var other *Room // of another node: it hears by tags alone
	tell := func(_ context.Context, _ db.Queryer, tags ...string) error { other.Hear(tags); return nil }
	room := NewRoom(func() time.Time { return now }, tell)
	other = NewRoom(func() time.Time { return now }, nil)
	here := func(p Presence) {
		t.Helper()
		p.EditionID = "e"
		if err := room.Here(t.Context(), nil, p); err != nil {
			t.Fatal(err)
		}
	}
	clients := func() (list []string) {
		people, _ := other.People("e")
		for _, p := range people {
			list = append(list, fmt.Sprint(p.Client, p.Version, p.Anchor, p.Head))
		}
		return list
	}
	watch := other.Watch("e")
	woken := func() bool {
		select {
		case <-watch.C:
			return true
		default:
			return false
		}
	}
	here(Presence{Client: "b", StaffID: "2", Version: 4, Anchor: 7, Head: 9})
	here(Presence{Client: "a", StaffID: "1", Version: 5, Anchor: -1, Head: -1})
	if diff := cmp.Diff([]string{"a5 -1 -1", "b4 7 9"}, clients()); diff != "" || !woken() || woken() {
		t.Error(diff)
	}
	_, before := other.People("e")
	now = now.Add(presenceLife - time.Second)
	here(Presence{Client: "b", StaffID: "2", Version: 6, Anchor: 0, Head: 0})
	now = now.Add(2 * time.Second)
	if diff := cmp.Diff([]string{"b6 0 0"}, clients()); diff != "" {
		t.Error(diff)
	}
	if _, after := other.People("e"); after == before {
		t.Error("nobody is told that somebody has gone")
	}
	woken()
	here(Presence{Client: "b", StaffID: "2", Left: true})
	if len(clients()) != 0 || !woken() {
		t.Errorf("%v", clients())
	}
	for _, tag := range []string{Tag("e"), "all"} {
		if other.Hear([]string{tag}); !woken() {
			t.Errorf("%s wakes nobody", tag)
		}
	}
	for _, tag := range []string{Tag("x"), "story:e", "presence:e", "presence:e:a:1:x:1:1", "presence:e:a:1:1:1:1:1"} {
		if other.Hear([]string{tag}); woken() {
			t.Errorf("%s wakes somebody", tag)
		}
	}
	for _, bad := range []Presence{{Client: "a b"}, {Client: ""}, {Client: "a", Version: -1}, {Client: "a", Anchor: -2}, {Client: "a", Head: -2}} {
		if err := room.Here(t.Context(), nil, bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	for i := range 2 * maxPeople {
		here(Presence{Client: fmt.Sprint("c", i), StaffID: "3"})
	}
	if len(clients()) != maxPeople {
		t.Errorf("%d people", len(clients()))
	}
	watch.Close()
	now = now.Add(time.Hour)
	if other.People("f"); len(other.drafts) != 0 {
		t.Errorf("%d drafts are remembered for nobody", len(other.drafts))
	}
	select {
	case <-other.Closed():
		t.Error("closed already")
	default:
	}
	other.Close()
	other.Close()
	<-other.Closed()
}
