package desk

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/media"
	"masthead/internal/staff"
)

// LeadPage chooses an edition's lead picture. Template: desk/lead.
type LeadPage struct {
	Base
	Room, Headline string
	EditionLang    string
	EditionDir     string
	Barred         bool
	Mark           string
	Words          string // looked for
	Now            LeadChoice
	Pictures       []LeadChoice
	Alt, Caption   string
	MayUpload      bool
	Problem        string
}

// LeadChoice is a picture that can be the lead; the zero one is none.
type LeadChoice struct {
	ID, Src, Alt, Name string
	Width, Height      int
}

// How many pictures are shown, how wide one is, and how large an upload may be.
const (
	leadShown   = 24
	leadWidth   = 320
	uploadBytes = 41 << 20
)

func (d *Desk) leadRoutes() []Route {
	return []Route{
		{Pattern: "GET /desk/stories/{edition}/lead", Act: staff.WriteStory, On: OnEdition, handle: d.leadForm},
		{Pattern: "POST /desk/stories/{edition}/lead", Act: staff.WriteStory, On: OnEdition, handle: d.saveLead},
		{Pattern: "POST /desk/stories/{edition}/lead/upload", Act: staff.WriteStory, On: OnEdition, handle: d.uploadLead},
	}
}

// leadForm serves "…/lead".
func (d *Desk) leadForm(w http.ResponseWriter, r *http.Request) error {
	return d.leadPage(w, r, http.StatusOK, "")
}

func (d *Desk) leadPage(w http.ResponseWriter, r *http.Request, status int, problem string) (err error) {
	ctx, q := r.Context(), d.DB.Read()
	e, st := d.edition(r), d.storyOf(r)
	p := LeadPage{Base: d.base(r, ""), Room: room(e.ID), EditionLang: e.Lang, EditionDir: language.Dir(e.Lang), Mark: factsMark(st, e), Alt: e.LeadAlt, Caption: e.LeadCaption,
		Words: strings.TrimSpace(r.URL.Query().Get("q")), MayUpload: d.may(r, staff.AddMedia), Problem: problem}
	p.Title, p.Headline = p.T("desk.lead.title"), titled(p.Base, e.Headline)
	if p.Barred, err = d.barred(r); err != nil {
		return err
	}
	if len(p.Words) > maxWords || !printable(p.Words) {
		return fault.New(fault.Invalid, "pictures cannot be looked for like that")
	}
	choice := func(m media.Media) LeadChoice {
		c := LeadChoice{ID: m.ID, Src: m.Path(leadWidth), Name: m.Name, Alt: m.Alt(e.Lang, d.Config.Language)}
		c.Width, c.Height = m.Size(leadWidth)
		return c
	}
	if st.LeadMediaID != "" {
		m, err := d.Media.ByID(ctx, q, st.LeadMediaID)
		if err == nil {
			p.Now = choice(m)
		} else if !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	found, _, err := d.findMedia(ctx, mediaFilter{Words: strings.Fields(fold(p.Words)), Kind: string(media.Picture)}, leadShown+1)
	if err != nil {
		return err
	}
	for _, m := range found {
		if m.ID != st.LeadMediaID && len(p.Pictures) < leadShown {
			p.Pictures = append(p.Pictures, choice(m))
		}
	}
	return d.send(w, r, status, "lead", p)
}

// saveLead serves "POST …/lead": one of the pictures, or none, with its alt text
// and caption on this edition.
func (d *Desk) saveLead(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	return d.setLead(w, r, r.PostForm.Get("media"), r.PostForm.Get("mark"))
}

func (d *Desk) setLead(w http.ResponseWriter, r *http.Request, mediaID, mark string) error {
	if barred, err := d.barred(r); err != nil || barred {
		return errors.Join(err, errBarred())
	}
	b, id := d.base(r, ""), d.edition(r).ID
	alt, caption := line(r.FormValue("alt")), line(r.FormValue("caption"))
	if len(alt) > maxLine || len(caption) > maxLine {
		return d.leadPage(w, r, http.StatusBadRequest, b.T("desk.story_room.incomplete"))
	}
	err := d.change(r, "", func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		e, err := d.Stories.EditionByID(ctx, tx, id)
		if err != nil {
			return err
		}
		st, err := d.Stories.ByID(ctx, tx, e.StoryID)
		if err != nil {
			return err
		}
		if mark != factsMark(st, e) {
			return fault.New(fault.Conflict, "somebody else has changed the facts")
		}
		if mediaID != "" {
			m, err := d.Media.ByID(ctx, tx, legible(mediaID))
			if err != nil {
				return err
			}
			if m.Kind != media.Picture {
				return fault.New(fault.Invalid, "that is no picture")
			}
		}
		detail["lead"] = mediaID
		st.LeadMediaID, e.LeadAlt, e.LeadCaption = mediaID, alt, caption
		if err := d.Stories.Save(ctx, tx, &st); err != nil {
			return err
		}
		return d.Stories.SaveEdition(ctx, tx, &e, person(r).Email)
	})
	switch {
	case fault.Is(err, fault.Conflict):
		return d.leadPage(w, r, http.StatusConflict, b.T("desk.facts.stale"))
	case fault.Is(err, fault.Invalid), fault.Is(err, fault.NotFound):
		return d.leadPage(w, r, http.StatusBadRequest, b.T("desk.story_room.incomplete"))
	case err != nil:
		return err
	}
	return done(w, r, room(id), "saved")
}

// uploadLead serves "…/lead/upload": a picture from the form becomes the lead.
func (d *Desk) uploadLead(w http.ResponseWriter, r *http.Request) error {
	if !d.may(r, staff.AddMedia) {
		return person(r).Need(staff.AddMedia, staff.Object{})
	}
	if barred, err := d.barred(r); err != nil || barred {
		return errors.Join(err, errBarred())
	}
	r.Body = http.MaxBytesReader(w, r.Body, uploadBytes)
	if err := r.ParseMultipartForm(1 << 20); err != nil {
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			return fault.New(fault.TooLarge, "the picture is too large").WithHint("send at most 40 MB")
		}
		return fault.New(fault.Invalid, "the form cannot be read")
	}
	defer r.MultipartForm.RemoveAll()
	e, b := d.edition(r), d.base(r, "")
	file, head, err := r.FormFile("file")
	if err != nil {
		return d.leadPage(w, r, http.StatusBadRequest, b.T("desk.story_room.incomplete"))
	}
	defer file.Close()
	u := media.Upload{Name: head.Filename, Content: file, Credit: line(r.FormValue("credit"))}
	if alt := line(r.FormValue("alt")); alt != "" {
		u.Alts = map[string]string{e.Lang: alt}
	}
	m, _, err := d.Media.Intake(r.Context(), u, func(ctx context.Context, tx *db.Tx, m *media.Media, known bool) error {
		if m.Kind != media.Picture {
			return fault.New(fault.Invalid, "a lead is a picture", "name", m.Name)
		}
		if known {
			return nil
		}
		return d.Staff.Record(ctx, tx, staff.Entry{Who: person(r), Act: staff.AddMedia, Object: "media:" + m.ID, Detail: map[string]string{"name": m.Name}})
	})
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.TooLarge) {
		return d.leadPage(w, r, http.StatusBadRequest, b.T("desk.lead.no_picture"))
	}
	if err != nil {
		return err
	}
	return d.setLead(w, r, m.ID, r.FormValue("mark"))
}
