package desk

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/draft"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/story"
)

type (
	revisionJSON struct {
		Revision     int64     `json:"revision"`
		By           string    `json:"by"`
		Contributors []string  `json:"contributors"`
		At           time.Time `json:"at"`
		Headline     string    `json:"headline"`
		Kicker       string    `json:"kicker"`
		Summary      string    `json:"summary"`
		Doc          *doc.Node `json:"doc,omitempty"`
	}
	fieldDiffJSON struct {
		Field string     `json:"field"`
		Spans []doc.Span `json:"spans"`
	}
)

// draftKeep serves "POST …/draft/keep".
func (d *Desk) draftKeep(w http.ResponseWriter, r *http.Request) error {
	if err := readJSON(w, r, maxJSON, &struct{}{}); err != nil {
		return err
	}
	var k draft.Kept
	err := d.change(r, "", func(ctx context.Context, tx *db.Tx, detail map[string]string) (err error) {
		k, err = d.Drafts.Keep(ctx, tx, d.edition(r).ID, person(r).Email)
		detail["revision"] = strconv.FormatInt(k.Revision, 10)
		return err
	})
	if err != nil {
		return err
	}
	return sendJSON(w, http.StatusOK, struct {
		Revision int64 `json:"revision"`
		Version  int64 `json:"version"`
	}{k.Revision, k.Version})
}

// revisionsJSON gives revisions as the protocol has them.
func (d *Desk) revisionsJSON(ctx context.Context, editionID string, list ...story.Revision) ([]revisionJSON, error) {
	names, err := d.staffNames(ctx)
	if err != nil {
		return nil, err
	}
	by, err := d.Drafts.Writers(ctx, d.DB.Read(), editionID)
	out := []revisionJSON{}
	for _, r := range list {
		one := revisionJSON{Revision: r.Seq, By: r.Editor, Contributors: []string{}, At: r.CreatedAt, Headline: r.Headline, Kicker: r.Kicker, Summary: r.Summary, Doc: r.Body}
		for _, id := range by[r.Seq] {
			if names[id] != "" {
				one.Contributors = append(one.Contributors, names[id])
			}
		}
		out = append(out, one)
	}
	return out, err
}

// draftRevisions serves "GET …/draft/revisions".
func (d *Desk) draftRevisions(w http.ResponseWriter, r *http.Request) error {
	list, err := d.Stories.RevisionList(r.Context(), d.DB.Read(), d.edition(r).ID)
	if err != nil {
		return err
	}
	out, err := d.revisionsJSON(r.Context(), d.edition(r).ID, list...)
	if err != nil {
		return err
	}
	return sendJSON(w, http.StatusOK, map[string]any{"revisions": out})
}

// draftRevision serves "GET …/draft/revisions/{seq}".
func (d *Desk) draftRevision(w http.ResponseWriter, r *http.Request) error {
	one, err := d.revisionAt(r, r.PathValue("seq"))
	if err != nil {
		return err
	}
	out, err := d.revisionsJSON(r.Context(), one.EditionID, one)
	if err != nil {
		return err
	}
	return sendJSON(w, http.StatusOK, out[0])
}

func (d *Desk) revisionAt(r *http.Request, seq string) (story.Revision, error) {
	n, err := strconv.ParseInt(seq, 10, 64)
	if err != nil {
		return story.Revision{}, fault.New(fault.Invalid, "that is no revision", "seq", clip(seq))
	}
	return d.Stories.RevisionAt(r.Context(), d.DB.Read(), d.edition(r).ID, n)
}

// clip shortens what a stranger has written, for the log.
func clip(s string) string { return s[:min(len(s), 40)] }

// draftDiff serves "GET …/draft/diff?from=5&to=6".
func (d *Desk) draftDiff(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	from, err := d.revisionAt(r, v.Get("from"))
	if err != nil {
		return err
	}
	var to story.Revision
	if v.Has("to") {
		to, err = d.revisionAt(r, v.Get("to"))
	} else {
		to, err = d.draftRevisionNow(r.Context(), d.edition(r))
	}
	if err != nil {
		return err
	}
	fields := []fieldDiffJSON{}
	for _, f := range []struct{ name, old, new string }{
		{draft.Kicker, from.Kicker, to.Kicker}, {draft.Headline, from.Headline, to.Headline}, {draft.Summary, from.Summary, to.Summary},
	} {
		if f.old != f.new {
			fields = append(fields, fieldDiffJSON{f.name, doc.DiffText(f.old, f.new)})
		}
	}
	return sendJSON(w, http.StatusOK, struct {
		From   int64           `json:"from"`
		To     int64           `json:"to,omitempty"`
		Fields []fieldDiffJSON `json:"fields"`
		Blocks []doc.Block     `json:"blocks"`
	}{from.Seq, to.Seq, fields, doc.Diff(from.Body, to.Body)})
}

// draftRestore serves "POST …/draft/restore".
func (d *Desk) draftRestore(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Revision int64 `json:"revision"`
	}
	if err := readJSON(w, r, maxJSON, &in); err != nil {
		return err
	}
	e := d.edition(r)
	if _, err := d.openDraft(r.Context(), e.ID, e.Revision); err != nil {
		return err
	}
	var out versionJSON
	err := d.change(r, "", func(ctx context.Context, tx *db.Tx, detail map[string]string) (err error) {
		detail["restored"] = strconv.FormatInt(in.Revision, 10)
		out.Version, err = d.Drafts.Restore(ctx, tx, e.ID, in.Revision, person(r).ID, person(r).Email)
		return err
	})
	if err != nil {
		return err
	}
	return sendJSON(w, http.StatusOK, out)
}

// draftOriginal serves "GET …/draft/original".
func (d *Desk) draftOriginal(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), d.DB.Read()
	t, err := d.Drafts.Translation(ctx, q, d.edition(r).ID)
	if err != nil {
		return err
	}
	newest, changed, err := d.Drafts.Behind(ctx, q, t)
	if err != nil {
		return err
	}
	blocks := []doc.Block{}
	for _, b := range changed {
		if b.Op != doc.Same {
			blocks = append(blocks, b)
		}
	}
	return sendJSON(w, http.StatusOK, struct {
		Edition  string      `json:"edition"`
		Lang     string      `json:"lang"`
		Dir      string      `json:"dir"`
		Revision int64       `json:"revision"`
		Newest   int64       `json:"newest"`
		Doc      *doc.Node   `json:"doc"`
		Headline string      `json:"headline"`
		Kicker   string      `json:"kicker"`
		Summary  string      `json:"summary"`
		Blocks   []doc.Block `json:"blocks"`
	}{t.Original.ID, t.Original.Lang, language.Dir(t.Original.Lang), t.Revision, t.Newest, newest.Body, newest.Headline, newest.Kicker, newest.Summary, blocks})
}

// draftTranslated serves "POST …/draft/translated".
func (d *Desk) draftTranslated(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Revision int64 `json:"revision"`
	}
	if err := readJSON(w, r, maxJSON, &in); err != nil {
		return err
	}
	err := d.change(r, "", func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		detail["translated"] = strconv.FormatInt(in.Revision, 10)
		return d.Drafts.SetTranslated(ctx, tx, d.edition(r).ID, in.Revision)
	})
	if err != nil {
		return err
	}
	return sendJSON(w, http.StatusOK, in)
}
