package desk

import (
	"context"
	"errors"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/media"
)

// mediumJSON is a picture or file as the editor's island has it.
type mediumJSON struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind"` // "picture", "audio", "video" or "file"
	Src      string    `json:"src"`  // of about 640 pixels
	Srcset   string    `json:"srcset,omitempty"`
	Width    int       `json:"width"`
	Height   int       `json:"height"`
	Alt      string    `json:"alt"`     // in the language that was asked for, and no other
	Caption  string    `json:"caption"` // likewise
	Credit   string    `json:"credit"`
	Licence  string    `json:"licence"`
	Focal    focalJSON `json:"focal"`
	Name     string    `json:"name"`
	Bytes    int64     `json:"bytes"`
	Rights   string    `json:"rights"`          // "", "ending" or "ended"
	Until    string    `json:"until,omitempty"` // RFC 3339: when they end
	Known    bool      `json:"known,omitempty"` // of an upload: the library had these bytes already
	Original string    `json:"original"`        // address of what is kept
}

// focalJSON is a point in hundredths of width and height.
type focalJSON struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

func (f focalJSON) point() media.Focal {
	return media.Focal{X: int(f.X*10 + 0.5), Y: int(f.Y*10 + 0.5)}
}

func (d *Desk) medium(m media.Media, lang string) mediumJSON {
	j := mediumJSON{ID: m.ID, Kind: mediumKind(m), Src: m.Path(640), Srcset: m.Srcset(), Width: m.Width, Height: m.Height, Alt: m.Alts[lang],
		Caption: m.Captions[lang], Credit: m.Credit, Licence: m.Licence, Focal: focalJSON{float64(m.Focal.X) / 10, float64(m.Focal.Y) / 10},
		Name: m.Name, Bytes: m.Bytes, Rights: rightsState(m, d.Now()), Original: m.Original()}
	if !m.RightsUntil.IsZero() {
		j.Until = m.RightsUntil.Format(time.RFC3339)
	}
	return j
}

// mediumKind tells sound and film from other files.
func mediumKind(m media.Media) string {
	if m.Kind == media.File {
		for _, kind := range []string{"audio", "video"} {
			if strings.HasPrefix(m.MIME, kind+"/") {
				return kind
			}
		}
	}
	return string(m.Kind)
}

func rightsState(m media.Media, now time.Time) string {
	switch {
	case m.Ended(now):
		return "ended"
	case m.Ending(now):
		return "ending"
	}
	return ""
}

// mediaJSON serves "/desk/media.json?q=words&lang=ar&kind=picture&after=ID":
// the newest first.
func (d *Desk) mediaJSON(w http.ResponseWriter, r *http.Request) error {
	words, lang, err := findQuery(r)
	if err != nil {
		return err
	}
	f := mediaFilter{Words: words, Kind: r.URL.Query().Get("kind"), After: legible(r.URL.Query().Get("after"))}
	if f.Kind != "" && !slices.Contains(mediaKinds[:], f.Kind) {
		return fault.New(fault.Invalid, "there is no such kind", "kind", f.Kind)
	}
	found, more, err := d.findMedia(r.Context(), f, maxFound)
	if err != nil {
		return err
	}
	all := []mediumJSON{}
	for _, m := range found {
		all = append(all, d.medium(m, lang))
	}
	answer := map[string]any{"media": all}
	if more {
		answer["after"] = found[len(found)-1].ID
	}
	return sendJSON(w, http.StatusOK, answer)
}

// mediaChange is what the island sends of a picture. What is absent stays.
type mediaChange struct {
	Lang    string     `json:"lang"`
	Alt     *string    `json:"alt"`
	Caption *string    `json:"caption"`
	Credit  *string    `json:"credit"`
	Licence *string    `json:"licence"`
	Focal   *focalJSON `json:"focal"`
}

// mediumDescribe is the JSON of "POST /desk/media/{medium}".
func (d *Desk) mediumDescribe(w http.ResponseWriter, r *http.Request) error {
	var in mediaChange
	if err := readJSON(w, r, 64<<10, &in); err != nil {
		return err
	}
	lang, err := language.Normalise(in.Lang)
	if (in.Alt != nil || in.Caption != nil) && err != nil {
		return fault.New(fault.Invalid, "texts need their language", "lang", in.Lang)
	}
	m, err := d.mediumSave(r, func(m *media.Media) error {
		for _, t := range []struct {
			to *map[string]string
			is *string
		}{{&m.Alts, in.Alt}, {&m.Captions, in.Caption}} {
			if t.is != nil {
				setText(t.to, lang, cleanText(*t.is))
			}
		}
		if in.Credit != nil {
			m.Credit = cleanText(*in.Credit)
		}
		if in.Licence != nil {
			m.Licence = cleanText(*in.Licence)
		}
		if in.Focal != nil {
			m.Focal = in.Focal.point()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return sendJSON(w, http.StatusOK, d.medium(m, lang))
}

// maxText is how many bytes of a caption, a description or a biography are kept.
const maxText = 4000

// cleanText makes one line of a text.
func cleanText(s string) string { return cut(strings.Join(strings.Fields(s), " "), maxText) }

// setText sets or removes the text of a language.
func setText(to *map[string]string, lang, text string) {
	if text == "" {
		delete(*to, lang)
		return
	}
	if *to == nil {
		*to = map[string]string{}
	}
	(*to)[lang] = text
}

// mediumSave changes the picture or file of the address in one transaction,
// notes what changed, and tells the pages that show it.
func (d *Desk) mediumSave(r *http.Request, fn func(m *media.Media) error) (m media.Media, err error) {
	id := legible(r.PathValue("medium"))
	err = d.change(r, "media:"+id, func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		if m, err = d.Media.ByID(ctx, tx, id); err != nil {
			return err
		}
		was := m
		was.Alts, was.Captions = maps.Clone(m.Alts), maps.Clone(m.Captions)
		if err := fn(&m); err != nil {
			return err
		}
		for what, changed := range map[string]bool{"credit": was.Credit != m.Credit, "licence": was.Licence != m.Licence, "focal": was.Focal != m.Focal,
			"alt": !maps.Equal(was.Alts, m.Alts), "caption": !maps.Equal(was.Captions, m.Captions), "rights": was.Rights != m.Rights || was.RightsNote != m.RightsNote,
			"until": !was.RightsUntil.Equal(m.RightsUntil)} {
			if changed {
				detail[what] = "changed"
			}
		}
		if err := d.Media.Save(ctx, tx, &m); err != nil {
			return err
		}
		return d.MediaChanged(ctx, tx, id)
	})
	return m, err
}

// Uploads. One file may be as large as the library's limits; several come one
// behind the other and are kept one by one.
const (
	maxUploads   = 100              // files of one request
	maxField     = 8 << 10          // bytes of a field beside them
	uploadStall  = 30 * time.Second // how long a sender may be silent
	uploadAnswer = 2 * time.Minute  // how long the work on a picture, and the answer, may take
)

// arriving reads what a browser sends, for as long as something comes.
type arriving struct {
	io.Reader
	moving func()
}

// Read implements [io.Reader]. A connection that breaks is no end of the file.
func (a arriving) Read(p []byte) (int, error) {
	a.moving()
	n, err := a.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && fault.KindOf(err) == fault.Internal {
		err = broken(err)
	}
	return n, err
}

// broken tells of a connection that ended in the middle of a file.
func broken(err error) error {
	return errors.Join(fault.New(fault.Invalid, "the file did not come through whole").WithHint("send it again: nothing of it was kept"), err)
}

// noFile tells of a form without one.
func noFile() error {
	return fault.New(fault.Invalid, "no file was sent").WithHint("choose a file, or send it as multipart/form-data in a part named file")
}

// uploaded gives the parts of a form with files, and what is called whenever
// something of them came.
func uploaded(w http.ResponseWriter, r *http.Request) (parts *multipart.Reader, moving func(), err error) {
	if parts, err = r.MultipartReader(); err != nil {
		return nil, nil, noFile()
	}
	control := http.NewResponseController(w)
	moving = func() { // neither kind of connection need know of deadlines
		control.SetReadDeadline(time.Now().Add(uploadStall))
		control.SetWriteDeadline(time.Now().Add(uploadAnswer))
	}
	moving()
	return parts, moving, nil
}

// outcome is what came of one file.
type outcome struct {
	Name  string
	Media media.Media
	Known bool
	Err   error // of an expected kind
}

// intake keeps the files of a request. A refused file does not keep the
// others from being taken; a broken connection or a fault of ours ends it.
func (d *Desk) intake(w http.ResponseWriter, r *http.Request, most int) (all []outcome, fields url.Values, err error) {
	parts, moving, err := uploaded(w, r)
	if err != nil {
		return nil, nil, err
	}
	fields = url.Values{}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return all, fields, nil
		}
		if err != nil {
			return all, fields, broken(err)
		}
		switch {
		case part.FileName() == "" && part.FormName() != "file":
			value, err := io.ReadAll(io.LimitReader(part, maxField+1))
			if err != nil || len(value) > maxField || strings.ContainsRune(string(value), 0) {
				return all, fields, fault.New(fault.Invalid, "the form cannot be read")
			}
			fields.Add(part.FormName(), string(value))
		case part.FileName() == "": // a field for files in which none was chosen
		case len(all) == most:
			return all, fields, fault.New(fault.TooLarge, "these are too many files at once").WithHint("send at most %d", most)
		default:
			o, err := d.take(r, part, moving, fields)
			if err != nil {
				return all, fields, err
			}
			all = append(all, o)
		}
	}
}

// onePart gives the one file of a form, and its name.
func (d *Desk) onePart(w http.ResponseWriter, r *http.Request) (io.Reader, string, error) {
	parts, moving, err := uploaded(w, r)
	if err != nil {
		return nil, "", err
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, "", noFile()
		}
		if err != nil {
			return nil, "", broken(err)
		}
		if part.FileName() != "" {
			return arriving{part, moving}, cut(part.FileName(), 200), nil
		}
	}
}

// take keeps one file.
func (d *Desk) take(r *http.Request, part *multipart.Part, moving func(), fields url.Values) (o outcome, err error) {
	o.Name = cut(part.FileName(), 200)
	u := media.Upload{Name: o.Name, Content: arriving{part, moving}, Credit: cleanText(fields.Get("credit")), Licence: cleanText(fields.Get("licence"))}
	o.Media, o.Known, err = d.Media.Intake(r.Context(), u, func(ctx context.Context, tx *db.Tx, m *media.Media, known bool) error {
		if known {
			return nil
		}
		return d.Staff.Record(ctx, tx, d.entry(r, "media:"+m.ID, map[string]string{"added": m.Name}))
	})
	moving()
	switch kind := fault.KindOf(err); {
	case err == nil:
		return o, nil
	case kind == fault.Invalid && errors.Is(err, io.ErrUnexpectedEOF) && r.Context().Err() != nil:
		return o, err
	case kind == fault.Invalid || kind == fault.TooLarge:
		o.Err = err
		_, err = io.Copy(io.Discard, arriving{part, moving}) // the others are behind it
		return o, err
	}
	return o, err
}

// mediaUpload serves "POST /desk/media/upload". A script sends one file and
// gets it as JSON; sent again, with its Idempotency-Key or without, it is the same one.
func (d *Desk) mediaUpload(w http.ResponseWriter, r *http.Request) error {
	// The largest file, and a little for the form around it.
	most := max(d.Media.Limits.FileBytes, d.Media.Limits.PictureBytes) + 1<<20
	if !wantsJSON(r) {
		r.Body = http.MaxBytesReader(w, r.Body, 4*most)
		return d.uploadForm(w, r)
	}
	r.Body = http.MaxBytesReader(w, r.Body, most)
	if len(r.Header.Get("Idempotency-Key")) > 255 {
		return fault.New(fault.Invalid, "the Idempotency-Key is too long")
	}
	all, fields, err := d.intake(w, r, 1)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return noFile()
	}
	b := d.base(r, "")
	if all[0].Err != nil {
		return fault.New(fault.KindOf(all[0].Err), d.refusal(b, all[0].Err))
	}
	lang := fields.Get("lang")
	if lang == "" {
		lang = r.URL.Query().Get("lang")
	}
	answer := d.medium(all[0].Media, lang)
	answer.Known = all[0].Known
	return sendJSON(w, http.StatusOK, answer)
}

// refusals are the library's reasons, each with the key of what one can do.
var refusals = map[string]string{
	"SVG pictures can carry scripts and are not taken": "svg",
	"HEIC and AVIF pictures cannot be read":            "heic",
	"the file is empty":                                "empty",
	"the picture is broken or cannot be read":          "broken",
	"the picture has too many pixels":                  "pixels",
	"the animation has too many pixels":                "pixels",
	"the file is too large":                            "large",
	"the file did not come through whole":              "cut",
}

// refusal says in the desk's words why a file was not taken.
func (d *Desk) refusal(b Base, err error) string {
	if name, ok := refusals[fault.Message(err)]; ok {
		key := "desk.media.refused." + name
		return b.T(key, b.Number(int(d.Media.Limits.Pixels/1e6)), b.Number(int(d.Media.Limits.PictureBytes>>20)), b.Number(int(d.Media.Limits.FileBytes>>20)))
	}
	return fault.Message(err)
}
