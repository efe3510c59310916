package desk

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"masthead/internal/config"
	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/staff"
)

// siteTabs are the pages of the room.
var siteTabs = []string{"look", "menus", "languages", "redirects", "settings"}

func (d *Desk) siteRoutes() []Route {
	return []Route{
		{Pattern: "GET /desk/site", Act: staff.KeepSite, handle: func(w http.ResponseWriter, r *http.Request) error {
			http.Redirect(w, r, "/desk/site/look", http.StatusSeeOther)
			return nil
		}},
		{Pattern: "GET /desk/site/look", Act: staff.KeepSite, handle: d.look},
		{Pattern: "POST /desk/site/look", Act: staff.KeepSite, handle: d.lookSave},
		{Pattern: "POST /desk/site/logo", Act: staff.KeepSite, handle: d.logoSave},
		{Pattern: "GET /desk/site/menus", Act: staff.KeepSite, handle: func(w http.ResponseWriter, r *http.Request) error {
			http.Redirect(w, r, "/desk/site/menus/main", http.StatusSeeOther)
			return nil
		}},
		{Pattern: "GET /desk/site/menus/{menu}", Act: staff.KeepSite, handle: d.menu},
		{Pattern: "POST /desk/site/menus/{menu}", Act: staff.KeepSite, handle: d.menuSave},
		{Pattern: "GET /desk/site/languages", Act: staff.KeepSite, handle: d.languages},
		{Pattern: "POST /desk/site/languages", Act: staff.KeepSite, handle: d.languagesSave},
		{Pattern: "GET /desk/site/redirects", Act: staff.KeepSite, handle: d.redirects},
		{Pattern: "POST /desk/site/redirects", Act: staff.KeepSite, handle: d.redirectAdd},
		{Pattern: "POST /desk/site/redirects/delete", Act: staff.KeepSite, handle: d.redirectDrop},
		{Pattern: "POST /desk/site/redirects/import", Act: staff.KeepSite, handle: d.redirectImport},
		{Pattern: "GET /desk/site/redirects/export", Act: staff.KeepSite, handle: d.redirectExport},
		{Pattern: "GET /desk/site/settings", Act: staff.KeepSite, handle: d.settings},
		{Pattern: "POST /desk/site/settings", Act: staff.KeepSite, handle: d.settingSave},
	}
}

// siteBase is the base of a page of the room, with its tabs.
func (d *Desk) siteBase(r *http.Request, tab string) (Base, []Link) {
	b := d.base(r, "")
	b.Title = b.T("desk.site." + tab)
	var tabs []Link
	for _, name := range siteTabs {
		tabs = append(tabs, Link{Name: b.T("desk.site." + name), URL: "/desk/site/" + name, Current: name == tab})
	}
	return b, tabs
}

// SettingsPage is every setting of the newsroom. Template: desk/settings.
type SettingsPage struct {
	Base
	Tabs    []Link
	Groups  []SettingGroup
	Problem string
}

// SettingGroup is some settings that belong together.
type SettingGroup struct {
	Name string
	Rows []SettingRow
}

// SettingRow is one setting, and where its value comes from.
type SettingRow struct {
	Name      string // as in masthead.toml
	Doc       []Span // what it means
	Value     string // as it is written; "" is empty
	Default   string
	Source    string // in the desk's words
	Env       string // its variable
	Editable  bool   // here
	Elsewhere string // address of the page that changes it
	Kept      bool   // the desk has set it, and may take that back
	Hidden    bool   // a secret that is set
	Why       string // why it is not changed here
	Problem   string
}

// Span is a run of words, or of what is written as in a file.
type Span struct {
	Text string
	Code bool
}

// settingPages are the settings that have a page of their own.
var settingPages = map[string]string{
	"accent": "look", "accent-dark": "look", "paper": "look", "paper-dark": "look", "ink": "look", "ink-dark": "look", "head-face": "look", "text-face": "look",
	"logo": "look", "logo-dark": "look", "languages": "languages",
}

// settings serves "/desk/site/settings".
func (d *Desk) settings(w http.ResponseWriter, r *http.Request) error {
	return d.settingsPage(w, r, http.StatusOK, "", "", "")
}

func (d *Desk) settingsPage(w http.ResponseWriter, r *http.Request, status int, wrong, typed, problem string) error {
	b, tabs := d.siteBase(r, "settings")
	p, group := SettingsPage{Base: b, Tabs: tabs}, ""
	for _, v := range d.Config.Values() {
		row := SettingRow{Name: v.Name, Doc: settingDoc(b, v.Setting), Value: v.Text, Default: v.Default, Source: p.T("desk.settings.from." + string(v.From)), Env: v.Env(),
			Kept: v.From == config.FromDesk, Hidden: v.Secret && v.Set}
		page := settingPages[v.Name]
		if name, lang, _ := strings.Cut(v.Name, "-"); lang != "" && slices.Contains(nameFields, name) {
			page = "languages"
		}
		switch {
		case !v.Changeable() && v.Change == config.AtDesk:
			row.Why = p.T("desk.settings.why.pinned", row.Source)
		case !v.Changeable():
			row.Why = p.T("desk.settings.why." + string(v.Change))
		case page != "":
			row.Elsewhere = "/desk/site/" + page
			row.Why = p.T("desk.site." + page)
		default:
			row.Editable = true
		}
		if v.Name == wrong {
			row.Value, row.Problem = typed, problem
		}
		if group != v.Group {
			group = v.Group
			p.Groups = append(p.Groups, SettingGroup{Name: settingGroup(b, group)})
		}
		g := &p.Groups[len(p.Groups)-1]
		g.Rows = append(g.Rows, row)
	}
	if problem != "" {
		p.Problem = p.T("desk.settings.refused", wrong)
	}
	return d.send(w, r, status, "settings", p)
}

// settingDoc tells what a setting means. English has one text for the desk, the
// manual and the example of masthead.toml; the other languages have theirs in
// the desk's catalogues, where `…` sets off what is written as in the file.
func settingDoc(b Base, s config.Setting) []Span {
	text := s.Doc
	if b.FurnitureLang() != "en" {
		name := s.Name
		if !b.Has("desk.setting." + name) { // title-ar
			name, _, _ = strings.Cut(name, "-")
		}
		text = b.T("desk.setting." + name)
	}
	var doc []Span
	for i, run := range strings.Split(text, "`") {
		if run != "" {
			doc = append(doc, Span{run, i%2 == 1})
		}
	}
	return doc
}

// settingGroup names a group of settings.
func settingGroup(b Base, english string) string {
	if b.FurnitureLang() == "en" {
		return english
	}
	return b.T("desk.setting_group." + strings.ReplaceAll(strings.ToLower(english), " ", "_"))
}

// settingWrong tells why a setting was refused.
func settingWrong(b Base, r *config.Refusal) string {
	args := make([]any, len(r.Args))
	for i, a := range r.Args {
		args[i] = a
	}
	key := "desk.settings.wrong." + string(r.Rule)
	return b.T(key, args...)
}

// settingSave serves "POST /desk/site/settings": one setting gets a value, or,
// with the button "drop", the one of this machine again.
func (d *Desk) settingSave(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	name, value := r.PostForm.Get("name"), strings.TrimSpace(r.PostForm.Get("value"))
	if r.PostForm.Has("drop") {
		return d.keepSettings(w, r, nil, []string{name}, "/desk/site/settings")
	}
	err := d.keepSettings(w, r, map[string]string{name: value}, nil, "/desk/site/settings")
	if refusal, ok := errors.AsType[*config.Refusal](err); ok {
		return d.settingsPage(w, r, http.StatusUnprocessableEntity, name, value, settingWrong(d.base(r, ""), refusal))
	}
	return err
}

// keepSettings writes settings of the desk and takes others back, and leads on.
// When it returns, this node answers by them, and the others within a second.
func (d *Desk) keepSettings(w http.ResponseWriter, r *http.Request, values map[string]string, drop []string, to string) error {
	for name := range values {
		if v, err := d.Config.Value(name); err != nil {
			return err
		} else if !v.Changeable() {
			return fault.New(fault.Forbidden, "this setting is not changed at the desk", "name", name)
		}
	}
	err := d.change(r, "site", func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		for name, value := range values {
			detail[name] = cut(value, 200)
		}
		for _, name := range drop {
			if _, err := d.Config.Value(name); err != nil {
				return err
			}
			detail[name] = "–"
		}
		return d.writeSettings(ctx, tx, r, values, drop)
	})
	if err != nil {
		return err
	}
	return done(w, r, to, "site_saved")
}

func (d *Desk) writeSettings(ctx context.Context, tx *db.Tx, r *http.Request, values map[string]string, drop []string) error {
	if len(values) > 0 {
		if err := d.Settings.Keep(ctx, tx, person(r).ID, values); err != nil {
			return err
		}
	}
	if len(drop) > 0 {
		return d.Settings.Drop(ctx, tx, drop...)
	}
	return nil
}
