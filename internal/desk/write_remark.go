package desk

import (
	"context"
	"net/http"
	"time"

	"masthead/internal/db"
	"masthead/internal/draft"
)

type (
	threadJSON struct {
		ID         string       `json:"id"`
		Kind       string       `json:"kind"` // passage or note
		From       *int         `json:"from,omitempty"`
		To         *int         `json:"to,omitempty"`
		Anchor     string       `json:"anchor,omitempty"`
		Gone       bool         `json:"gone,omitempty"`
		Resolved   bool         `json:"resolved"`
		ResolvedBy string       `json:"resolved_by,omitempty"`
		ResolvedAt *time.Time   `json:"resolved_at,omitempty"`
		Comments   []remarkJSON `json:"comments"`
	}
	remarkJSON struct {
		ID       string       `json:"id"`
		Staff    string       `json:"staff"`
		Name     string       `json:"name"`
		At       time.Time    `json:"at"`
		Text     string       `json:"text"`
		Mentions []personJSON `json:"mentions"`
	}
)

func (n staffNames) thread(t draft.Thread) threadJSON {
	out := threadJSON{ID: t.ID, Kind: "note", Anchor: t.Anchor, Gone: t.Gone(), Resolved: t.Resolved(), ResolvedBy: n[t.ResolvedBy]}
	if t.EditionID != "" {
		out.Kind, out.From, out.To = "passage", &t.From, &t.To
	}
	if t.Resolved() {
		out.ResolvedAt = &t.ResolvedAt
	}
	for _, r := range t.Remarks {
		remark := remarkJSON{r.ID, r.StaffID, n[r.StaffID], r.At, r.Text, []personJSON{}}
		for _, id := range r.Mentions {
			remark.Mentions = append(remark.Mentions, personJSON{id, n[id]})
		}
		out.Comments = append(out.Comments, remark)
	}
	return out
}

func (n staffNames) threads(list []draft.Thread) []threadJSON {
	out := []threadJSON{}
	for _, t := range list {
		out = append(out, n.thread(t))
	}
	return out
}

// remark does something to a thread, and answers with what it is then.
func (d *Desk) remark(w http.ResponseWriter, r *http.Request, fn func(ctx context.Context, tx *db.Tx, detail map[string]string) (draft.Thread, error)) error {
	var t draft.Thread
	err := d.change(r, "", func(ctx context.Context, tx *db.Tx, detail map[string]string) (err error) {
		t, err = fn(ctx, tx, detail)
		detail["thread"] = t.ID
		return err
	})
	if err != nil {
		return d.sendStale(w, r, err)
	}
	names, err := d.staffNames(r.Context())
	if err != nil {
		return err
	}
	return sendJSON(w, http.StatusOK, names.thread(t))
}

// draftComment serves "POST …/draft/comments".
func (d *Desk) draftComment(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Version  int64    `json:"version"`
		From     int      `json:"from"`
		To       int      `json:"to"`
		Text     string   `json:"text"`
		Mentions []string `json:"mentions"`
	}
	if err := readJSON(w, r, maxJSON, &in); err != nil {
		return err
	}
	e := d.edition(r)
	if _, err := d.openDraft(r.Context(), e.ID, e.Revision); err != nil {
		return err
	}
	return d.remark(w, r, func(ctx context.Context, tx *db.Tx, _ map[string]string) (draft.Thread, error) {
		on := draft.Passage{Version: in.Version, From: in.From, To: in.To}
		if in.From == 0 && in.To == 0 {
			on = draft.Passage{}
		}
		return d.Drafts.Begin(ctx, tx, e.ID, on, draft.Remark{StaffID: person(r).ID, Text: in.Text, Mentions: in.Mentions})
	})
}

// draftReply serves "POST …/draft/comments/{thread}".
func (d *Desk) draftReply(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Text     string   `json:"text"`
		Mentions []string `json:"mentions"`
	}
	if err := readJSON(w, r, maxJSON, &in); err != nil {
		return err
	}
	return d.remark(w, r, func(ctx context.Context, tx *db.Tx, _ map[string]string) (draft.Thread, error) {
		return d.Drafts.Reply(ctx, tx, d.edition(r).ID, legible(r.PathValue("thread")), draft.Remark{StaffID: person(r).ID, Text: in.Text, Mentions: in.Mentions})
	})
}

// draftResolve serves "POST …/draft/comments/{thread}/resolve" and "…/reopen".
func (d *Desk) draftResolve(resolved bool) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := readJSON(w, r, maxJSON, &struct{}{}); err != nil {
			return err
		}
		return d.remark(w, r, func(ctx context.Context, tx *db.Tx, detail map[string]string) (draft.Thread, error) {
			if detail["what"] = "resolved"; !resolved {
				detail["what"] = "opened again"
			}
			return d.Drafts.Resolve(ctx, tx, d.edition(r).ID, legible(r.PathValue("thread")), resolved, person(r).ID)
		})
	}
}
