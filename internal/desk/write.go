package desk

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"time"

	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/draft"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/staff"
)

// What the editor speaks with: docs/draft-protocol.md tells all of it.

// Limits of a request's body.
const (
	maxPush = 1 << 20
	maxJSON = 64 << 10
)

// writeRoutes are the routes of the working copy. A push, a field and a cursor
// leave no entry in the audit log: who wrote stands with each revision.
func (d *Desk) writeRoutes() []Route {
	const at = "/desk/stories/{edition}/draft"
	route := func(pattern string, act staff.Act, handle func(http.ResponseWriter, *http.Request) error) Route {
		return Route{Pattern: pattern, Act: act, On: OnEdition, JSON: true, handle: handle}
	}
	return slices.Concat(d.writePageRoutes(), d.revisionPageRoutes(), d.translateRoutes(), d.commentRoutes(), []Route{
		route("GET "+at, staff.ReadDesk, d.draft),
		route("GET "+at+"/steps", staff.ReadDesk, d.draftSince),
		route("POST "+at+"/steps", staff.WriteStory, d.draftPush),
		route("POST "+at+"/fields", staff.WriteStory, d.draftField),
		route("POST "+at+"/presence", staff.ReadDesk, d.draftPresence),
		route("GET "+at+"/stream", staff.ReadDesk, d.draftStream),
		route("POST "+at+"/comments", staff.CommentStory, d.draftComment),
		route("POST "+at+"/comments/{thread}", staff.CommentStory, d.draftReply),
		route("POST "+at+"/comments/{thread}/resolve", staff.CommentStory, d.draftResolve(true)),
		route("POST "+at+"/comments/{thread}/reopen", staff.CommentStory, d.draftResolve(false)),
		route("POST "+at+"/keep", staff.WriteStory, d.draftKeep),
		route("GET "+at+"/revisions", staff.ReadDesk, d.draftRevisions),
		route("GET "+at+"/revisions/{seq}", staff.ReadDesk, d.draftRevision),
		route("GET "+at+"/diff", staff.ReadDesk, d.draftDiff),
		route("POST "+at+"/restore", staff.WriteStory, d.draftRestore),
		route("GET "+at+"/original", staff.ReadDesk, d.draftOriginal),
		route("POST "+at+"/translated", staff.WriteStory, d.draftTranslated),
	})
}

// The JSON of the protocol.
type (
	fieldJSON struct {
		Field   string    `json:"field,omitempty"`
		Value   string    `json:"value"`
		Version int64     `json:"version"`
		By      string    `json:"by"`
		ByName  string    `json:"by_name"`
		At      time.Time `json:"at"`
	}
	stepJSON struct {
		Version int64           `json:"version"`
		Client  string          `json:"client"`
		Staff   string          `json:"staff"`
		Step    json.RawMessage `json:"step"`
	}
	missedJSON struct {
		Version int64      `json:"version"`
		Steps   []stepJSON `json:"steps,omitempty"`
		Reload  bool       `json:"reload,omitempty"`
	}
	versionJSON struct {
		Version int64 `json:"version"`
	}
	personJSON struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	presenceJSON struct {
		Client  string `json:"client"`
		Staff   string `json:"staff"`
		Name    string `json:"name"`
		Colour  int    `json:"colour"`
		Version int64  `json:"version"`
		Anchor  *int   `json:"anchor,omitempty"`
		Head    *int   `json:"head,omitempty"`
	}
	translationJSON struct {
		Original string `json:"original"`
		Lang     string `json:"lang"`
		Revision int64  `json:"revision"`
		Newest   int64  `json:"newest"`
	}
	meJSON struct {
		Staff    string `json:"staff"`
		Name     string `json:"name"`
		Colour   int    `json:"colour"`
		MayWrite bool   `json:"may_write"`
	}
	draftJSON struct {
		Edition     string               `json:"edition"`
		Story       string               `json:"story"`
		Lang        string               `json:"lang"`
		Dir         string               `json:"dir"`
		Status      string               `json:"status"`
		Version     int64                `json:"version"`
		Doc         *doc.Node            `json:"doc"`
		Fields      map[string]fieldJSON `json:"fields"`
		Revision    int64                `json:"revision"`
		Kept        int64                `json:"kept"`
		Comments    []threadJSON         `json:"comments"`
		People      []presenceJSON       `json:"people"`
		Me          meJSON               `json:"me"`
		Staff       []personJSON         `json:"staff"`
		Translation *translationJSON     `json:"translation,omitempty"`
	}
)

// readJSON reads a request's body of at most limit bytes into v.
func readJSON(w http.ResponseWriter, r *http.Request, limit int64, v any) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return fault.New(fault.Invalid, "the request is no JSON").WithHint("send it as application/json")
	}
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, limit))
	dec.DisallowUnknownFields()
	err := dec.Decode(v)
	if err == nil {
		if _, err = dec.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.New("something after it")
	}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return fault.New(fault.TooLarge, "that is more than is taken")
	}
	return fault.New(fault.Invalid, "the request cannot be read", "error", err)
}

func sendJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "private, no-store")
	w.WriteHeader(status)
	w.Write(body) // whoever has left is no error of ours
	return nil
}

// sendStale answers a change that came late with what it needs to come again;
// another error it gives back.
func (d *Desk) sendStale(w http.ResponseWriter, r *http.Request, err error) error {
	if stale, ok := errors.AsType[*draft.Stale](err); ok {
		return sendJSON(w, http.StatusConflict, missedOf(*stale))
	}
	if stale, ok := errors.AsType[*draft.StaleField](err); ok {
		names, err := d.staffNames(r.Context())
		if err != nil {
			return err
		}
		return sendJSON(w, http.StatusConflict, struct {
			Field  string    `json:"field"`
			Theirs fieldJSON `json:"theirs"`
			Yours  string    `json:"yours"`
		}{stale.Theirs.Name, names.field(stale.Theirs), stale.Yours})
	}
	return err
}

func missedOf(s draft.Stale) missedJSON {
	m := missedJSON{Version: s.Version, Reload: s.Reload}
	for _, step := range s.Steps {
		m.Steps = append(m.Steps, stepJSON{step.Version, step.Client, step.StaffID, step.JSON})
	}
	return m
}

// staffNames are what people are called, by ID.
type staffNames map[string]string

func (d *Desk) staffNames(ctx context.Context) (staffNames, error) {
	list, err := d.Staff.List(ctx, d.DB.Read())
	return peopleNames(list), err
}

func nameOf(p staff.Person) string {
	if p.Name != "" {
		return p.Name
	}
	return p.Email
}

func (n staffNames) field(f draft.Field) fieldJSON {
	return fieldJSON{Value: f.Value, Version: f.Version, By: f.StaffID, ByName: n[f.StaffID], At: f.At}
}

func (n staffNames) person(p draft.Presence) presenceJSON {
	out := presenceJSON{Client: p.Client, Staff: p.StaffID, Name: n[p.StaffID], Colour: draft.Colour(p.StaffID), Version: p.Version}
	if p.Anchor >= 0 {
		out.Anchor, out.Head = &p.Anchor, &p.Head
	}
	return out
}

// people gives who is in a draft, without one of its tabs.
func (n staffNames) people(list []draft.Presence, but string) []presenceJSON {
	out := []presenceJSON{}
	for _, p := range list {
		if p.Client != but {
			out = append(out, n.person(p))
		}
	}
	return out
}

// openDraft gives the draft of an edition, made where there is none.
func (d *Desk) openDraft(ctx context.Context, editionID string, revision int64) (dr draft.Draft, err error) {
	dr, err = d.Drafts.Load(ctx, d.DB.Read(), editionID)
	if err == nil && dr.Revision >= revision {
		return dr, nil
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return dr, err
	}
	err = d.DB.InTx(ctx, func(tx *db.Tx) (err error) {
		dr, err = d.Drafts.Open(ctx, tx, editionID)
		return err
	})
	return dr, err
}

// draft serves "GET …/draft".
func (d *Desk) draft(w http.ResponseWriter, r *http.Request) error {
	ctx, q, e := r.Context(), d.DB.Read(), d.edition(r)
	dr, err := d.openDraft(ctx, e.ID, e.Revision)
	if err != nil {
		return err
	}
	threads, err := d.Drafts.Threads(ctx, q, e.ID)
	for range 5 { // positions and words must be of one version; somebody may be writing
		if err != nil || len(threads) == 0 || threads[0].Version == dr.Version {
			break
		}
		if dr, err = d.Drafts.Load(ctx, q, e.ID); err == nil {
			threads, err = d.Drafts.Threads(ctx, q, e.ID)
		}
	}
	if err != nil {
		return err
	}
	list, err := d.Staff.List(ctx, q)
	if err != nil {
		return err
	}
	me, names := person(r), staffNames{}
	out := draftJSON{Edition: e.ID, Story: e.StoryID, Lang: e.Lang, Dir: language.Dir(e.Lang), Status: string(e.Status),
		Version: dr.Version, Doc: dr.Doc, Fields: map[string]fieldJSON{}, Revision: dr.Revision, Kept: dr.Kept, Staff: []personJSON{},
		Me: meJSON{me.ID, nameOf(me), draft.Colour(me.ID), d.may(r, staff.WriteStory)}}
	for _, p := range list {
		if names[p.ID] = nameOf(p); !p.Disabled() {
			out.Staff = append(out.Staff, personJSON{p.ID, nameOf(p)})
		}
	}
	for name, f := range dr.Fields {
		out.Fields[name] = names.field(f)
	}
	out.Comments = names.threads(threads)
	people, _ := d.Room.People(e.ID)
	out.People = names.people(people, "")
	t, err := d.Drafts.Translation(ctx, q, e.ID)
	switch {
	case err == nil:
		out.Translation = &translationJSON{t.Original.ID, t.Original.Lang, t.Revision, t.Newest}
	case !fault.Is(err, fault.NotFound):
		return err
	}
	return sendJSON(w, http.StatusOK, out)
}

// draftSince serves "GET …/draft/steps?since=17".
func (d *Desk) draftSince(w http.ResponseWriter, r *http.Request) error {
	version, err := strconv.ParseInt(r.URL.Query().Get("since"), 10, 64)
	if err != nil {
		return fault.New(fault.Invalid, "since is no version")
	}
	missed, err := d.Drafts.Since(r.Context(), d.DB.Read(), d.edition(r).ID, version)
	if err != nil {
		return err
	}
	return sendJSON(w, http.StatusOK, missedOf(missed))
}

// draftPush serves "POST …/draft/steps". The answer is sent once the steps are on disk.
func (d *Desk) draftPush(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Version int64             `json:"version"`
		Client  string            `json:"client"`
		ID      string            `json:"id"`
		Steps   []json.RawMessage `json:"steps"`
		Anchor  *int              `json:"anchor"`
		Head    *int              `json:"head"`
	}
	if err := readJSON(w, r, maxPush, &in); err != nil {
		return err
	}
	p := draft.Push{EditionID: d.edition(r).ID, Version: in.Version, Client: in.Client, ID: in.ID, StaffID: person(r).ID}
	if len(in.Steps) > draft.MaxSteps {
		return fault.New(fault.Invalid, "a push has 1 to 200 steps", "steps", len(in.Steps))
	}
	for _, raw := range in.Steps {
		step, err := doc.ParseStep(raw)
		if err != nil {
			return err
		}
		p.Steps = append(p.Steps, step)
	}
	var out versionJSON
	err := d.DB.InTx(r.Context(), func(tx *db.Tx) (err error) {
		if out.Version, err = d.Drafts.Push(r.Context(), tx, p); err != nil || in.Anchor == nil {
			return err
		}
		return d.Room.Here(r.Context(), tx, presenceOf(p.EditionID, in.Client, p.StaffID, out.Version, in.Anchor, in.Head))
	})
	if err != nil {
		return d.sendStale(w, r, err)
	}
	return sendJSON(w, http.StatusOK, out)
}

func presenceOf(editionID, client, staffID string, version int64, anchor, head *int) draft.Presence {
	p := draft.Presence{EditionID: editionID, Client: client, StaffID: staffID, Version: version, Anchor: -1, Head: -1}
	if anchor != nil {
		if p.Anchor, p.Head = *anchor, *anchor; head != nil {
			p.Head = *head
		}
	}
	return p
}

// draftField serves "POST …/draft/fields".
func (d *Desk) draftField(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Field   string `json:"field"`
		Version int64  `json:"version"`
		Value   string `json:"value"`
	}
	if err := readJSON(w, r, maxJSON, &in); err != nil {
		return err
	}
	var f draft.Field
	err := d.DB.InTx(r.Context(), func(tx *db.Tx) (err error) {
		f, err = d.Drafts.SetField(r.Context(), tx, d.edition(r).ID, in.Field, in.Version, in.Value, person(r).ID)
		return err
	})
	if err != nil {
		return d.sendStale(w, r, err)
	}
	me := person(r)
	out := staffNames{me.ID: nameOf(me)}.field(f)
	out.Field = f.Name
	return sendJSON(w, http.StatusOK, out)
}

// draftPresence serves "POST …/draft/presence".
func (d *Desk) draftPresence(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Client  string `json:"client"`
		Version int64  `json:"version"`
		Anchor  *int   `json:"anchor"`
		Head    *int   `json:"head"`
		Left    bool   `json:"left"`
	}
	if err := readJSON(w, r, maxJSON, &in); err != nil {
		return err
	}
	p := presenceOf(d.edition(r).ID, in.Client, person(r).ID, in.Version, in.Anchor, in.Head)
	p.Left = in.Left
	if err := d.DB.InTx(r.Context(), func(tx *db.Tx) error { return d.Room.Here(r.Context(), tx, p) }); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
