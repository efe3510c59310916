package desk

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"masthead/internal/config"
	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/media"
	"masthead/internal/staff"
	"masthead/internal/web"
)

// LookPage is what the public pages look like. Template: desk/look.
type LookPage struct {
	Base
	Tabs     []Link
	Colours  []ColourRow
	Faces    []FaceRow
	Logos    []LogoRow
	Measures []MeasureRow
	Preview  string // address of the front page as it would be
	Style    string // address of its stylesheet, for the script
	Problem  string
}

// ColourRow is one colour that may be chosen.
type ColourRow struct {
	Name, Label string
	Value       string // "#rrggbb"; "" for what is built in
	BuiltIn     string
	Fixed       bool // it is set where the desk cannot change it
}

// FaceRow is what some words are set in.
type FaceRow struct {
	Name, Label string
	Choices     []Choice
	Fixed       bool
}

// LogoRow is the picture at the head of the pages, for light or dark.
type LogoRow struct {
	Name, Label   string
	Src, Srcset   string // "" for none
	Width, Height int
	Fixed         bool
}

// MeasureRow is how a colour stands on its paper.
type MeasureRow struct {
	Label, Ratio, Need string
	Weak               bool
}

// builtInColours are those of ui/shared/tokens.css, as a hint in empty fields.
var builtInColours = []ColourRow{
	{Name: "accent", BuiltIn: "#0b4a58"}, {Name: "paper", BuiltIn: "#fcfbf8"}, {Name: "ink", BuiltIn: "#1b1a17"},
	{Name: "accent-dark", BuiltIn: "#86c5d2"}, {Name: "paper-dark", BuiltIn: "#171512"}, {Name: "ink-dark", BuiltIn: "#e8e4dc"},
}

var lookFaces = []string{"head-face", "text-face"}

// look serves "/desk/site/look".
func (d *Desk) look(w http.ResponseWriter, r *http.Request) error {
	return d.lookPage(w, r, http.StatusOK, d.Config.Text, "")
}

func (d *Desk) lookPage(w http.ResponseWriter, r *http.Request, status int, value func(name string) string, problem string) error {
	b, tabs := d.siteBase(r, "look")
	p := LookPage{Base: b, Tabs: tabs, Problem: problem}
	fixed := func(name string) bool { v, err := d.Config.Value(name); return err != nil || !v.Changeable() }
	draft := url.Values{"preview": {"look"}}
	for _, c := range builtInColours {
		c.Label, c.Value, c.Fixed = p.T("desk.look."+c.Name), value(c.Name), fixed(c.Name)
		draft.Set(c.Name, c.Value)
		p.Colours = append(p.Colours, c)
	}
	for _, name := range lookFaces {
		row := FaceRow{Name: name, Label: p.T("desk.look." + name), Fixed: fixed(name)}
		for i, face := range web.Faces() {
			is := value(name) == face || value(name) == "" && i == 0
			row.Choices = append(row.Choices, Choice{Value: face, Name: p.T("desk.look.face." + face), Current: is})
		}
		draft.Set(name, value(name))
		p.Faces = append(p.Faces, row)
	}
	p.Preview, p.Style = "/?"+draft.Encode(), web.PreviewTheme(draft)
	if measures, err := web.LookOf(value).Measures(); err == nil {
		for _, m := range measures {
			p.Measures = append(p.Measures, MeasureRow{Label: p.T("desk.look." + m.Name), Ratio: fmt.Sprintf("%.2f", m.Ratio), Need: fmt.Sprintf("%g", m.Need), Weak: m.Weak()})
		}
	}
	for _, name := range []string{"logo", "logo-dark"} {
		row := LogoRow{Name: name, Label: p.T("desk.look." + name), Fixed: fixed(name)}
		if id := d.Config.Text(name); id != "" {
			m, err := d.Media.ByID(r.Context(), d.DB.Read(), id)
			if err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
			if err == nil {
				row.Src, row.Srcset = m.Path(400), m.Srcset()
				row.Width, row.Height = m.Size(min(400, m.Width))
			}
		}
		p.Logos = append(p.Logos, row)
	}
	// The page shows the site in a frame, which no other page of the desk does.
	w.Header().Set("Content-Security-Policy", web.CSP{Frames: []string{"'self'"}}.String())
	return d.send(w, r, status, "look", p)
}

// lookSave serves "POST /desk/site/look". Colours that cannot be read are
// refused with the figure.
func (d *Desk) lookSave(w http.ResponseWriter, r *http.Request) error {
	if err := smallForm(w, r); err != nil {
		return err
	}
	values, drop := map[string]string{}, []string(nil)
	for _, name := range lookNames() {
		if !r.PostForm.Has(name) {
			continue
		}
		v, err := d.Config.Value(name)
		if err != nil {
			return err
		}
		typed := r.PostForm.Get(name)
		if slices.Contains(lookFaces, name) && typed == web.Faces()[0] {
			typed = ""
		}
		switch {
		case !v.Changeable() || typed == v.Text:
		case typed == "" && v.From == config.FromDesk:
			drop = append(drop, name)
		default:
			values[name] = typed
		}
	}
	then := func(name string) string {
		if v, ok := values[name]; ok {
			return v
		}
		if slices.Contains(drop, name) {
			return ""
		}
		return d.Config.Text(name)
	}
	words := d.base(r, "")
	measures, err := web.LookOf(then).Measures()
	if fault.Is(err, fault.Invalid) {
		return d.lookPage(w, r, http.StatusUnprocessableEntity, then, words.T("desk.look.no_colour"))
	}
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(measures, web.Measure.Weak); i >= 0 {
		m := measures[i]
		return d.lookPage(w, r, http.StatusUnprocessableEntity, then, words.T("desk.look.weak", words.T("desk.look."+m.Name), fmt.Sprintf("%.2f", m.Ratio), fmt.Sprintf("%g", m.Need)))
	}
	return d.keepSettings(w, r, values, drop, "/desk/site/look")
}

// lookNames gives the settings that the form of the look has.
func lookNames() []string {
	names := slices.Clone(lookFaces)
	for _, c := range builtInColours {
		names = append(names, c.Name)
	}
	return names
}

// logoSave serves "POST /desk/site/logo": a picture is encoded anew and put at
// the head of the pages, or taken away.
func (d *Desk) logoSave(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 40<<20)
	words := d.base(r, "")
	refuse := func(status int, key string) error {
		return d.lookPage(w, r, status, d.Config.Text, words.T("desk.look."+key))
	}
	if err := r.ParseMultipartForm(1 << 20); err != nil {
		return refuse(http.StatusUnprocessableEntity, "no_logo")
	}
	defer r.MultipartForm.RemoveAll()
	name := r.FormValue("which")
	if v, err := d.Config.Value(name); err != nil || !slices.Contains([]string{"logo", "logo-dark"}, name) || !v.Changeable() {
		return fault.New(fault.Invalid, "there is no such logo")
	}
	if r.PostForm.Has("drop") {
		return d.keepSettings(w, r, nil, []string{name}, "/desk/site/look")
	}
	file, head, err := r.FormFile("file")
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, "no_logo")
	}
	defer file.Close()
	_, _, err = d.Media.Intake(r.Context(), media.Upload{Name: head.Filename, Content: file}, func(ctx context.Context, tx *db.Tx, m *media.Media, known bool) error {
		if m.Kind != media.Picture {
			return fault.New(fault.Invalid, "a logo is a picture", "name", m.Name)
		}
		if err := d.writeSettings(ctx, tx, r, map[string]string{name: m.ID}, nil); err != nil {
			return err
		}
		return d.Staff.Record(ctx, tx, staff.Entry{Who: person(r), Act: staff.KeepSite, Object: "site", Detail: map[string]string{name: m.Name}})
	})
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.TooLarge) {
		return refuse(http.StatusUnprocessableEntity, "no_logo")
	}
	if err != nil {
		return err
	}
	return done(w, r, "/desk/site/look", "site_saved")
}
