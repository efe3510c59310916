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
	if err := n.Counter.Flush(ctx); err != nil {
		return err
	}
	reads, err := n.WallStore.Reads(ctx, q, v.Reader.ID, time.Time{})
	if err != nil {
		return err
	}
	gifts, err := n.WallStore.GiftsOf(ctx, q, v.Reader.ID)
	if err != nil {
		return err
	}
	export, err := n.Readers.Export(ctx, q, v.Reader.ID, wall.Export(reads, gifts))
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
