package desk

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/media"
	"masthead/internal/staff"
	"masthead/internal/story"
)

func (d *Desk) mediaRoutes() []Route {
	return []Route{
		{Pattern: "GET /desk/media", Act: staff.ReadDesk, handle: d.library},
		{Pattern: "GET /desk/media.json", Act: staff.ReadDesk, JSON: true, handle: d.mediaJSON},
		{Pattern: "GET /desk/stories.json", Act: staff.ReadDesk, JSON: true, handle: d.storiesJSON},
		{Pattern: "GET /desk/topics.json", Act: staff.ReadDesk, JSON: true, handle: d.topicsJSON},
		{Pattern: "POST /desk/media/upload", Act: staff.AddMedia, On: OnAny, Either: true, handle: d.mediaUpload},
		{Pattern: "GET /desk/media/{medium}", Act: staff.ReadDesk, Either: true, handle: d.mediumPage},
		{Pattern: "POST /desk/media/{medium}", Act: staff.AddMedia, On: OnAny, Either: true, handle: d.mediumWrite},
		{Pattern: "POST /desk/media/{medium}/rights", Act: staff.KeepMedia, On: OnAny, handle: d.mediumRights},
		{Pattern: "POST /desk/media/{medium}/replace", Act: staff.KeepMedia, On: OnAny, handle: d.mediumReplace},
		{Pattern: "POST /desk/media/{medium}/delete", Act: staff.KeepMedia, On: OnAny, handle: d.mediumDelete},
	}
}

// perGrid is how many pictures and files the library shows at once.
const perGrid = 48

// MediaPage is the library. Template: desk/media.
type MediaPage struct {
	Base
	Words, Kind, State string // what is looked for
	Kinds, States      []Choice
	Rows               []Medium
	Newest, Older      string // addresses, as in StoriesPage
	Adds               bool   // who asks may upload
	Report             []UploadLine
	Most               string // megabytes of a picture
}

// UploadLine tells what came of one file.
type UploadLine struct {
	Name    string
	URL     string // of the item; "" where it was refused
	Known   bool   // it was in the library already
	Refused string // why, and what to do
}

// Medium is one picture or file in a list or on its page.
type Medium struct {
	ID, URL       string
	Name          string
	Kind          string // of mediumJSON
	KindName      string
	Src, Original string // addresses; Src is "" for what is no picture
	Srcset        string
	Width, Height int
	Facts         string // "1600 × 900 · 320 kB"
	Alt           string // in the desk's language, or another
	Credit        string
	Rights        string // "", "ending" or "ended"
	RightsName    string // "Rights end 3 May 2026"
	FocalX        int    // hundredths
	FocalY        int
}

// MediumPage is one picture or file. Template: desk/medium.
type MediumPage struct {
	Base
	Medium
	Texts    []TextFields
	Credited string
	Licence  string
	Terms    []Choice
	LastDay  string // of the rights, 2026-05-03; "" without end
	Note     string
	Uses     []UseRow
	Added    language.Moment
	Keeps    bool // who asks may change rights, replace and delete
	Adds     bool // … describe
	Problem  string
}

// TextFields are the texts of one language in a form.
type TextFields struct {
	Lang, Dir, Language string
	First, Second       string // alt text and caption; name and description; …
	Third               string // aliases
}

// UseRow is one place where a picture is used.
type UseRow struct {
	Place     string // "Lead picture"
	Name      string
	Lang, Dir string
	URL       string // its room at the desk
	Public    string // its page; "" where it has none
}

func (d *Desk) mediumOf(b Base, m media.Media) Medium {
	v := Medium{ID: m.ID, URL: "/desk/media/" + m.ID, Name: m.Name, Kind: mediumKind(m), Original: m.Original(), Width: m.Width, Height: m.Height,
		Alt: story.Texts(m.Alts).In(b.Lang, d.Config.Language), Credit: m.Credit, Rights: rightsState(m, d.Now()), FocalX: m.Focal.X / 10, FocalY: m.Focal.Y / 10}
	v.KindName = b.T("desk.media.kinds." + v.Kind)
	size := b.T("desk.media.kilobytes", b.Number(int((m.Bytes+1023)>>10)))
	if m.Bytes >= 1<<20 {
		size = b.T("desk.media.megabytes", b.Number(int(m.Bytes>>20)))
	}
	v.Facts = size
	if m.Kind == media.Picture {
		v.Src, v.Srcset = m.Path(640), m.Srcset()
		v.Facts = b.Number(m.Width) + " × " + b.Number(m.Height) + " · " + size
	}
	if v.Rights != "" {
		key := "desk.media.until." + v.Rights
		v.RightsName = b.T(key, b.Date(m.RightsUntil.Add(-time.Microsecond).In(d.Config.Timezone)).Text)
	}
	return v
}

// library serves "/desk/media".
func (d *Desk) library(w http.ResponseWriter, r *http.Request) error {
	return d.libraryPage(w, r, http.StatusOK, nil)
}

func (d *Desk) libraryPage(w http.ResponseWriter, r *http.Request, status int, report []UploadLine) error {
	q := r.URL.Query()
	words, _, err := findQuery(r)
	if err != nil {
		return err
	}
	f := mediaFilter{Words: words, Kind: q.Get("kind"), State: q.Get("state"), After: legible(q.Get("after"))}
	if f.Kind != "" && !slices.Contains(mediaKinds[:], f.Kind) || f.State != "" && !slices.Contains(mediaStates[:], f.State) {
		return fault.New(fault.Invalid, "the library cannot be narrowed like that")
	}
	p := MediaPage{Base: d.base(r, ""), Words: strings.TrimSpace(q.Get("q")), Kind: f.Kind, State: f.State, Report: report, Adds: person(r).Ever(staff.AddMedia)}
	p.Title, p.Most = p.T("desk.media.title"), p.Number(int(d.Media.Limits.PictureBytes>>20))
	p.Kinds = append(p.Kinds, Choice{Name: p.T("desk.media.every_kind"), Current: f.Kind == ""})
	for _, kind := range mediaKinds {
		p.Kinds = append(p.Kinds, Choice{Name: p.T("desk.media.kinds." + kind), Value: kind, Current: kind == f.Kind})
	}
	p.States = append(p.States, Choice{Name: p.T("desk.media.every_state"), Current: f.State == ""})
	for _, state := range mediaStates {
		p.States = append(p.States, Choice{Name: p.T("desk.media.states." + state), Value: state, Current: state == f.State})
	}
	found, more, err := d.findMedia(r.Context(), f, perGrid)
	if err != nil {
		return err
	}
	for _, m := range found {
		p.Rows = append(p.Rows, d.mediumOf(p.Base, m))
	}
	at := func(after string) string {
		return withQuery("/desk/media", "q", p.Words, "kind", f.Kind, "state", f.State, "after", after)
	}
	if f.After != "" {
		p.Newest = at("")
	}
	if more {
		p.Older = at(found[len(found)-1].ID)
	}
	return d.send(w, r, status, "media", p)
}

// uploadForm is the page's "POST /desk/media/upload".
func (d *Desk) uploadForm(w http.ResponseWriter, r *http.Request) error {
	all, _, err := d.intake(w, r, maxUploads)
	if err != nil && (fault.KindOf(err) == fault.Internal || len(all) == 0) {
		return err
	}
	b := d.base(r, "")
	var report []UploadLine
	refused, known := false, false
	for _, o := range all {
		line := UploadLine{Name: o.Name, Known: o.Known}
		if o.Err != nil {
			line.Refused, refused = d.refusal(b, o.Err), true
		} else {
			line.URL = "/desk/media/" + o.Media.ID
		}
		known = known || o.Known
		report = append(report, line)
	}
	switch {
	case err != nil: // those before it are kept
		report = append(report, UploadLine{Name: "…", Refused: d.refusal(b, err)})
		refused = true
	case len(all) == 0:
		return done(w, r, "/desk/media", "media_nothing")
	case len(all) == 1 && known:
		return done(w, r, report[0].URL, "media_known")
	case len(all) == 1 && !refused:
		return done(w, r, report[0].URL, "media_added")
	}
	status := http.StatusOK
	if refused {
		status = http.StatusUnprocessableEntity
	}
	return d.libraryPage(w, r, status, report)
}

// mediumPage serves "/desk/media/{medium}".
func (d *Desk) mediumPage(w http.ResponseWriter, r *http.Request) error {
	if wantsJSON(r) {
		_, lang, err := findQuery(r)
		if err != nil {
			return err
		}
		m, err := d.Media.ByID(r.Context(), d.DB.Read(), legible(r.PathValue("medium")))
		if err != nil {
			return err
		}
		return sendJSON(w, http.StatusOK, d.medium(m, lang))
	}
	return d.mediumForm(w, r, http.StatusOK, "")
}

func (d *Desk) mediumForm(w http.ResponseWriter, r *http.Request, status int, problem string) error {
	ctx, q := r.Context(), d.DB.Read()
	m, err := d.Media.ByID(ctx, q, legible(r.PathValue("medium")))
	if err != nil {
		return err
	}
	if err := d.Media.ReadAll(ctx); err != nil {
		return err
	}
	uses, err := d.Media.Uses(ctx, q, m.ID)
	if err != nil {
		return err
	}
	p := MediumPage{Base: d.base(r, ""), Credited: m.Credit, Licence: m.Licence, Note: m.RightsNote, Problem: problem,
		Keeps: person(r).Ever(staff.KeepMedia), Adds: person(r).Ever(staff.AddMedia)}
	p.Medium, p.Title = d.mediumOf(p.Base, m), m.Name
	p.Added = p.Date(m.CreatedAt.In(d.Config.Timezone))
	for _, l := range d.textLanguages(m.Alts, m.Captions) {
		p.Texts = append(p.Texts, TextFields{Lang: l, Dir: language.Dir(l), Language: language.OwnName(l), First: m.Alts[l], Second: m.Captions[l]})
	}
	for _, t := range media.AllRights() {
		name := string(t)
		if t == media.RightsUnsaid {
			name = "unsaid"
		}
		p.Terms = append(p.Terms, Choice{Value: string(t), Name: p.T("desk.media.on." + name), Current: t == m.Rights})
	}
	if !m.RightsUntil.IsZero() {
		p.LastDay = m.RightsUntil.Add(-time.Microsecond).In(d.Config.Timezone).Format(time.DateOnly)
	}
	for _, u := range uses {
		p.Uses = append(p.Uses, d.useRow(p.Base, u))
	}
	return d.send(w, r, status, "medium", p)
}

func (d *Desk) useRow(b Base, u media.Use) UseRow {
	row := UseRow{Place: b.T("desk.media.place." + string(u.Where)), Name: u.Headline, Lang: u.Lang, Dir: language.Dir(u.Lang)}
	if u.Path != "" {
		row.Public = (&url.URL{Path: u.Path}).EscapedPath()
	}
	switch {
	case u.Where == media.AsLogo:
		row.Name, row.Dir, row.URL = d.Config.In(b.Lang).Title, "", "/desk/site/look"
	case u.AuthorID != "":
		names := story.Texts{}
		json.Unmarshal([]byte(u.Names), &names) // what the database holds is JSON; else the name is empty
		row.Name, row.Lang, row.Dir, row.URL = names.In(b.Lang, d.Config.Language), "", "", "/desk/subjects/authors/"+u.AuthorID
	case u.EditionID != "":
		row.URL = "/desk/stories/" + u.EditionID
	}
	if row.Name == "" {
		row.Name, row.Lang, row.Dir = b.T("desk.untitled"), "", ""
	}
	return row
}

// textLanguages gives the site's languages, and behind them those that the
// texts have besides.
func (d *Desk) textLanguages(texts ...map[string]string) []string {
	langs := slices.Clone(d.Config.Languages)
	var more []string
	for _, t := range texts {
		for l := range t {
			if !slices.Contains(langs, l) && !slices.Contains(more, l) {
				more = append(more, l)
			}
		}
	}
	slices.Sort(more)
	return append(langs, more...)
}

// formTexts reads what a form has of a text in each language, as NAME-LANG;
// nothing is changed of a language that the form does not have.
func (d *Desk) formTexts(r *http.Request, name string, to *map[string]string, clean func(string) string) {
	for key, values := range r.PostForm {
		lang, ok := strings.CutPrefix(key, name+"-")
		if !ok || len(values) == 0 {
			continue
		}
		if l, err := language.Normalise(lang); err == nil && l == lang {
			setText(to, lang, clean(values[0]))
		}
	}
}

// mediumWrite serves "POST /desk/media/{medium}".
func (d *Desk) mediumWrite(w http.ResponseWriter, r *http.Request) error {
	if wantsJSON(r) {
		return d.mediumDescribe(w, r)
	}
	if err := form(w, r); err != nil {
		return err
	}
	m, err := d.mediumSave(r, func(m *media.Media) error {
		d.formTexts(r, "alt", &m.Alts, cleanText)
		d.formTexts(r, "caption", &m.Captions, cleanText)
		if r.PostForm.Has("credit") {
			m.Credit, m.Licence = cleanText(r.PostForm.Get("credit")), cleanText(r.PostForm.Get("licence"))
		}
		if x, y := r.PostForm.Get("focal_x"), r.PostForm.Get("focal_y"); x != "" && y != "" {
			fx, errX := strconv.ParseFloat(x, 64)
			fy, errY := strconv.ParseFloat(y, 64)
			if errX != nil || errY != nil || !(fx >= 0 && fx <= 100 && fy >= 0 && fy <= 100) {
				return fault.New(fault.Invalid, "the focal point lies outside of the picture").WithHint("give percents of the width and of the height")
			}
			m.Focal = focalJSON{fx, fy}.point()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return done(w, r, "/desk/media/"+m.ID, "media_saved")
}

// mediumRights serves "POST /desk/media/{medium}/rights".
func (d *Desk) mediumRights(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	m, err := d.mediumSave(r, func(m *media.Media) error {
		m.Rights, m.RightsNote, m.RightsUntil = media.Rights(r.PostForm.Get("rights")), cut(strings.TrimSpace(r.PostForm.Get("note")), maxText), time.Time{}
		if day := r.PostForm.Get("last_day"); day != "" {
			at, err := time.ParseInLocation(time.DateOnly, day, d.Config.Timezone)
			if err != nil || at.Year() < 1900 || at.Year() > 9000 {
				return fault.New(fault.Invalid, "that is no date").WithHint("write the last day as 2026-12-31")
			}
			m.RightsUntil = at.AddDate(0, 0, 1) // the day is the last one
		}
		return nil
	})
	if err != nil {
		return err
	}
	return done(w, r, "/desk/media/"+m.ID, "media_rights")
}

// mediumReplace serves "POST /desk/media/{medium}/replace".
func (d *Desk) mediumReplace(w http.ResponseWriter, r *http.Request) error {
	id := legible(r.PathValue("medium"))
	if _, err := d.Media.ByID(r.Context(), d.DB.Read(), id); err != nil {
		return err
	}
	r.Body = http.MaxBytesReader(w, r.Body, max(d.Media.Limits.FileBytes, d.Media.Limits.PictureBytes)+1<<20)
	content, name, err := d.onePart(w, r)
	if err != nil {
		return err
	}
	_, err = d.Media.Replace(r.Context(), id, media.Upload{Name: name, Content: content}, func(ctx context.Context, tx *db.Tx, was, is media.Media) error {
		if err := d.MediaChanged(ctx, tx, id); err != nil {
			return err
		}
		return d.Staff.Record(ctx, tx, d.entry(r, "media:"+id, map[string]string{"replaced": was.Name, "with": is.Name, "was": was.Hash}))
	})
	switch kind := fault.KindOf(err); {
	case kind == fault.Invalid || kind == fault.TooLarge || kind == fault.Conflict:
		p := d.base(r, "")
		problem := d.refusal(p, err)
		if kind == fault.Conflict {
			problem = p.T("desk.media.refused.other_kind")
		}
		return d.mediumForm(w, r, http.StatusUnprocessableEntity, problem)
	case err != nil:
		return err
	}
	return done(w, r, "/desk/media/"+id, "media_replaced")
}

// mediumDelete serves "POST /desk/media/{medium}/delete". What is used stays.
func (d *Desk) mediumDelete(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	id := legible(r.PathValue("medium"))
	used := false
	err := d.change(r, "media:"+id, func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		m, err := d.Media.ByID(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := d.Media.Read(ctx, tx); err != nil {
			return err
		}
		uses, err := d.Media.Uses(ctx, tx, id)
		if err != nil {
			return err
		}
		if used = len(uses) > 0; used {
			return fault.New(fault.Conflict, "it is used")
		}
		detail["deleted"], detail["hash"] = m.Name, m.Hash
		return d.Media.Delete(ctx, tx, id)
	})
	if used {
		return d.mediumForm(w, r, http.StatusConflict, language.Get(d.lang(r)).T("desk.media.used"))
	}
	if err != nil {
		return err
	}
	return done(w, r, "/desk/media", "media_deleted")
}
