package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/draft"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/staff"
	"masthead/internal/story"
)

// EditionHead is what every page about an edition has above it.
type EditionHead struct {
	Tabs                              []Link
	Room                              string // address of the edition's room
	EditionLang, EditionDir, Language string // Language: what it is called in itself
	Status, StatusName                string
}

// WritePage is where an edition is written. Template: desk/write.
type WritePage struct {
	Base
	EditionHead
	Desk EditorDesk
}

// EditorDesk is the editor, and the form in its place for who has no scripts.
// Template: desk/editor.
type EditorDesk struct {
	*language.Furniture
	Config    EditorConfig
	Action    string // where the form goes; "" for who may only read
	Version   int64  // of the draft that the form was made of
	Was       string // tells what Body was then: see bodyMark
	Fields    []EditorField
	Body      string // in Markdown
	Theirs    *string
	Problem   string // why it was not saved
	Lang, Dir string // of the edition
}

// EditorConfig is what the page tells the editor: host.ts says what each is.
type EditorConfig struct {
	Draft   string            `json:"draft"`
	Media   string            `json:"media"`
	Stories string            `json:"stories"`
	Embed   string            `json:"embed"`
	Lang    string            `json:"lang"`
	Dir     string            `json:"dir"`
	MaxFile int64             `json:"maxFile"`
	Words   map[string]string `json:"words"`
}

// EditorField is the kicker, the headline or the summary in the form.
type EditorField struct {
	Name, Label string
	Value       string
	Version     int64
	Theirs      *string // what somebody else has saved there meanwhile
}

func (d *Desk) writePageRoutes() []Route {
	return []Route{
		{Pattern: "GET /desk/stories/{edition}/write", Act: staff.ReadDesk, On: OnEdition, handle: d.write},
		{Pattern: "POST /desk/stories/{edition}/write", Act: staff.WriteStory, On: OnEdition, handle: d.writeSave},
	}
}

// editionHead gives the head of the page at tab: "", write, comments,
// revisions or translate.
func (d *Desk) editionHead(r *http.Request, b Base, tab string) (h EditionHead, err error) {
	e := d.edition(r)
	h = EditionHead{Room: room(e.ID), EditionLang: e.Lang, EditionDir: language.Dir(e.Lang), Language: language.OwnName(e.Lang), Status: string(e.Status)}
	status := "desk.status." + h.Status
	h.StatusName = b.T(status)
	h.Tabs, err = d.editionTabs(r.Context(), b, e, tab)
	return h, err
}

// editionTabs gives the pages about an edition.
func (d *Desk) editionTabs(ctx context.Context, b Base, e story.Edition, tab string) ([]Link, error) {
	at := room(e.ID)
	tabs := []Link{{Name: b.T("desk.write.tab_story"), URL: at, Current: tab == ""},
		{Name: b.T("desk.write.tab_write"), URL: at + "/write", Current: tab == "write"}}
	t, err := d.Drafts.Translation(ctx, d.DB.Read(), e.ID)
	if err == nil {
		tabs = append(tabs, Link{Name: b.T("desk.write.tab_translate"), URL: at + "/translate/" + t.Original.ID, Current: tab == "translate"})
	} else if !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	return append(tabs,
		Link{Name: b.T("desk.write.tab_comments"), URL: at + "/comments", Current: tab == "comments"},
		Link{Name: b.T("desk.write.tab_revisions"), URL: at + "/revisions", Current: tab == "revisions"}), nil
}

// titled gives the title of a page about an edition.
func titled(b Base, headline string) string {
	if headline == "" {
		return b.T("desk.untitled")
	}
	return headline
}

// write serves "/desk/stories/{edition}/write".
func (d *Desk) write(w http.ResponseWriter, r *http.Request) error {
	e := d.edition(r)
	dr, err := d.openDraft(r.Context(), e.ID, e.Revision)
	if err != nil {
		return err
	}
	return d.writePage(w, r, http.StatusOK, dr, nil)
}

func (d *Desk) writePage(w http.ResponseWriter, r *http.Request, status int, dr draft.Draft, late *unsaved) (err error) {
	p := WritePage{Base: d.base(r, "")}
	p.Title = titled(p.Base, dr.Fields[draft.Headline].Value)
	if p.EditionHead, err = d.editionHead(r, p.Base, "write"); err != nil {
		return err
	}
	p.Desk = d.editorDesk(r, p.Base, dr, late)
	return d.send(w, r, status, "write", p)
}

// unsaved is a form that was not saved, to be shown again.
type unsaved struct {
	values   map[string]string // by field
	body     string
	problem  string
	bodyLate bool            // the text has been changed by somebody else
	late     map[string]bool // fields that have been
}

// editorDesk gives the editor on a draft.
func (d *Desk) editorDesk(r *http.Request, b Base, dr draft.Draft, late *unsaved) EditorDesk {
	e := d.edition(r)
	at := room(e.ID)
	desk := EditorDesk{Furniture: b.Furniture, Version: dr.Version, Body: dr.Doc.Markdown(), Lang: e.Lang, Dir: language.Dir(e.Lang),
		Config: EditorConfig{Draft: at + "/draft", Media: "/desk/media", Stories: "/desk/stories.json", Lang: e.Lang, Dir: language.Dir(e.Lang),
			MaxFile: d.Media.Limits.FileBytes, Words: b.Table("desk.editor.")}}
	desk.Was = bodyMark(desk.Body)
	if d.may(r, staff.WriteStory) {
		desk.Action = at + "/write"
	}
	for _, name := range draft.FieldNames() {
		label := "desk.editor.field." + name
		f := EditorField{Name: name, Label: b.T(label), Value: dr.Fields[name].Value, Version: dr.Fields[name].Version}
		if late != nil {
			if now := f.Value; late.late[name] {
				f.Theirs = &now
			}
			f.Value = late.values[name]
		}
		desk.Fields = append(desk.Fields, f)
	}
	if late != nil {
		if now := desk.Body; late.bodyLate {
			desk.Theirs = &now
		}
		desk.Body, desk.Problem = late.body, late.problem
	}
	return desk
}

// bodyMark tells a text from any other: a form that brings back what it was
// given changes nothing, whatever has been written since.
func bodyMark(markdown string) string {
	sum := sha256.Sum256([]byte(strings.TrimSpace(lines(markdown))))
	return hex.EncodeToString(sum[:12])
}

// lines gives a form's text with the line ends of every other text.
func lines(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

var errLate = errors.New("somebody else was quicker")

// writeSave serves "POST /desk/stories/{edition}/write": the form for who has
// no scripts. What comes too late is saved in no part; the page that follows
// has both texts.
func (d *Desk) writeSave(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	e, me := d.edition(r), person(r)
	version, err := strconv.ParseInt(r.PostFormValue("version"), 10, 64)
	if err != nil {
		return fault.New(fault.Invalid, "the form names no version")
	}
	in := unsaved{body: lines(r.PostFormValue("body")), values: map[string]string{}, late: map[string]bool{}}
	for _, name := range draft.FieldNames() {
		in.values[name] = strings.TrimSpace(lines(r.PostFormValue(name)))
	}
	mine, _, err := doc.FromMarkdown(in.body)
	if bad, ok := errors.AsType[*doc.Error](err); ok {
		dr, err := d.openDraft(r.Context(), e.ID, e.Revision)
		if err != nil {
			return err
		}
		in.problem = d.base(r, "").T("desk.write.bad", bad.Why)
		return d.writePage(w, r, http.StatusUnprocessableEntity, dr, &in)
	}
	if err != nil {
		return err
	}
	var dr draft.Draft
	err = d.change(r, "", func(ctx context.Context, tx *db.Tx, detail map[string]string) (err error) {
		if dr, err = d.Drafts.Open(ctx, tx, e.ID); err != nil {
			return err
		}
		// A field that still says what the form was given is nobody's change.
		changed := func(name, value string) bool {
			return value != dr.Fields[name].Value && value != strings.TrimSpace(lines(r.PostFormValue(name+".was")))
		}
		written := bodyMark(in.body) != r.PostFormValue("was")
		in.bodyLate = written && dr.Version != version
		late := in.bodyLate
		for name, value := range in.values {
			known, _ := strconv.ParseInt(r.PostFormValue(name+".version"), 10, 64)
			in.late[name] = changed(name, value) && known != dr.Fields[name].Version
			late = late || in.late[name]
		}
		if late {
			return errLate
		}
		detail["by"] = "form"
		for _, name := range draft.FieldNames() {
			if value := in.values[name]; changed(name, value) {
				if _, err := d.Drafts.SetField(ctx, tx, e.ID, name, dr.Fields[name].Version, value, me.ID); err != nil {
					return err
				}
			}
		}
		if !written {
			return nil
		}
		return d.pushDoc(ctx, tx, dr, mine, me.ID)
	})
	if errors.Is(err, errLate) {
		in.problem = d.base(r, "").T("desk.write.late")
		return d.writePage(w, r, http.StatusConflict, dr, &in)
	}
	if err != nil {
		return err
	}
	return done(w, r, room(e.ID)+"/write", "saved")
}

// pushDoc makes a document of the draft, as steps that everybody follows.
func (d *Desk) pushDoc(ctx context.Context, tx *db.Tx, dr draft.Draft, to *doc.Node, staffID string) error {
	version := dr.Version
	for steps := range slices.Chunk(doc.Steps(dr.Doc, to), draft.MaxSteps) {
		var err error
		version, err = d.Drafts.Push(ctx, tx, draft.Push{EditionID: dr.EditionID, Version: version, Client: "form", ID: db.NewID(), StaffID: staffID, Steps: steps})
		if err != nil {
			return err
		}
	}
	return nil
}
