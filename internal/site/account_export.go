package site

import (
	"encoding/json"
	"net/http"
	"time"

	"masthead/internal/wall"
)

// exportAccount serves "/account/export": everything that is kept of the reader, as JSON.
func (n *Newsroom) exportAccount(w http.ResponseWriter, r *http.Request) error {
	v, err := n.signedIn(w, r)
	if v == nil || err != nil {
		return err
	}
	ctx, q := r.Context(), n.DB.Read()
	reads, err := n.WallStore.Reads(ctx, q, v.Reader.ID, time.Time{})
	if err != nil {
		return err
	}
	gifts, err := n.WallStore.GiftsOf(ctx, q, v.Reader.ID)
	if err != nil {
		return err
	}
	export, err := n.Readers.Export(ctx, q, v.Reader.ID, map[string]any{"stories_counted": exportReads(reads), "gifts": exportGifts(gifts)})
	if err != nil {
		return err
	}
	body, err := json.MarshalIndent(export, "", "  ")
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Disposition", `attachment; filename="my-account.json"`)
	h.Set("Cache-Control", "no-store")
	_, err = w.Write(append(body, '\n'))
	return err
}

type exportRead struct {
	Story string    `json:"story"`
	At    time.Time `json:"at"`
}

func exportReads(reads []wall.Read) []exportRead {
	all := []exportRead{}
	for _, r := range reads {
		all = append(all, exportRead{r.StoryID, r.At})
	}
	return all
}

type exportGift struct {
	Story   string    `json:"story"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	Revoked time.Time `json:"revoked,omitzero"`
	Opened  int       `json:"opened"`
}

func exportGifts(gifts []wall.Gift) []exportGift {
	all := []exportGift{}
	for _, g := range gifts {
		all = append(all, exportGift{g.StoryID, g.CreatedAt, g.ExpiresAt, g.RevokedAt, g.Opened})
	}
	return all
}
