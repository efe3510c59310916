package app_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/staff"
	"masthead/internal/webhook"
)

// TestOwnersAreTold: a webhook that is switched off because it fails is told to
// the owners at work, in a letter, and to nobody else.
func TestOwnersAreTold(t *testing.T) {
	r := openRoom(t, settings(t, "", nil))
	var h webhook.Hook
	r.tx(func(ctx context.Context, tx *db.Tx) (err error) {
		for email, role := range map[string]staff.Role{"owner@quay.example": staff.Owner, "second@quay.example": staff.Owner, "gone@quay.example": staff.Owner, "ed@quay.example": staff.Publisher} {
			p, err := r.Staff.Add(ctx, tx, staff.Person{Email: email, Name: email, Role: role})
			if err != nil {
				return err
			}
			if email == "gone@quay.example" {
				if _, err := tx.ExecContext(ctx, `UPDATE staff SET disabled_at = 1 WHERE id = $1`, p.ID); err != nil {
					return err
				}
			}
		}
		h, _, err = r.Webhooks.Create(ctx, tx, webhook.Hook{URL: "https://receiver.example/hook", Events: []webhook.Event{webhook.StoryPublished}})
		return err
	})
	r.exec(`UPDATE webhook SET off_at = 1, off_why = 'failing' WHERE id = $1`, h.ID)
	ctx, stop := context.WithCancel(t.Context())
	ready, ended := make(chan bool, 1), make(chan error, 1)
	go func() { ended <- r.Serve(ctx, func(net.Addr) { ready <- true }) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	select {
	case <-ready:
	case err := <-ended:
		ended <- err
		t.Fatal(err)
	}
	r.tx(func(ctx context.Context, tx *db.Tx) error {
		h, err := r.Webhooks.ByID(ctx, tx, h.ID)
		if err != nil {
			return err
		}
		return r.Webhooks.SwitchedOff(ctx, tx, h)
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		letters, err := r.Outbox.List(t.Context(), 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(letters) < 2 && time.Now().Before(deadline) {
			continue
		}
		var to string
		for _, l := range letters {
			to += l.To + " "
			has(t, "the letter", l.Text, "https://receiver.example/hook", "/desk/people/webhooks/"+h.ID, "taken nothing for days")
		}
		if len(letters) != 2 || !strings.Contains(to, "owner@quay.example") || !strings.Contains(to, "second@quay.example") {
			t.Errorf("letters to %q", to)
		}
		return
	}
}
