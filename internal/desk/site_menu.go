package desk

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/story"
)

// menuMost is how many links a menu may have, those below others among them.
const menuMost = 40

// MenuPage is one of the site's menus. Template: desk/menu.
type MenuPage struct {
	Base
	Tabs      []Link
	Menus     []Choice
	Path      string
	Head      bool // it stands in the head, in the place of the sections
	Languages []Choice
	Rows      []MenuRow
	Draft     bool
	Most      bool
	Problem   string
}

// MenuRow is one link of it.
type MenuRow struct {
	Name   string // in the desk's or the site's language
	URL    string
	Level  string // "0", or "1" below the one before
	Labels []MenuLabel
	Wrong  bool
}

// MenuLabel is its words in one language.
type MenuLabel struct{ Lang, Dir, Name, Text string }

// menus are those that the site shows.
var menus = []string{story.HeadMenu, story.FootMenu}

// menuLine is a link of a menu as the form has it: flat, with its level.
type menuLine struct {
	labels story.Texts
	url    string
	level  int
}

// flat gives the links of a menu one after the other. The label without a
// language is that of the site's own.
func flat(items []story.MenuItem, level int, own string) (lines []menuLine) {
	for _, it := range items {
		labels := story.Texts{}
		for l, text := range it.Labels {
			labels[l] = text
		}
		if labels[own] == "" {
			labels[own] = it.Label
		}
		lines = append(lines, menuLine{labels, it.URL, min(level, 1)})
		lines = append(lines, flat(it.Items, level+1, own)...)
	}
	return lines
}

// nested puts the lines with level 1 below the one before them.
func nested(lines []menuLine, own string) (items []story.MenuItem) {
	for _, l := range lines {
		it := story.MenuItem{Label: l.labels.In(own, own), Labels: l.labels, URL: l.url}
		if l.level > 0 && len(items) > 0 {
			last := &items[len(items)-1]
			last.Items = append(last.Items, it)
			continue
		}
		items = append(items, it)
	}
	return items
}

// menuLines reads the form: url, level and label-LANG of each link, in order.
func (d *Desk) menuLines(form url.Values) ([]menuLine, error) {
	bad := fault.New(fault.Invalid, "the form of the menu is not whole")
	lines := make([]menuLine, len(form["url"]))
	if len(form["level"]) != len(lines) || len(lines) > menuMost {
		return nil, bad
	}
	for i := range lines {
		lines[i] = menuLine{url: strings.TrimSpace(form["url"][i]), labels: story.Texts{}}
		if form["level"][i] == "1" && i > 0 {
			lines[i].level = 1
		}
		for _, l := range d.Config.Languages {
			labels := form["label-"+l]
			if len(labels) != len(lines) {
				return nil, bad
			}
			text := cleanLine(labels[i])
			if !printable(text) || !printable(lines[i].url) {
				return nil, bad
			}
			if text != "" {
				lines[i].labels[l] = text
			}
		}
	}
	return lines, nil
}

// menuMoved does what a button of the form says.
func menuMoved(lines []menuLine, form url.Values) []menuLine {
	if i := pressed(form, "in", len(lines)); i > 0 {
		lines[i].level = 1
	}
	if i := pressed(form, "out", len(lines)); i >= 0 {
		lines[i].level = 0
	}
	lines = moved(lines, form)
	if form.Has("add") && len(lines) < menuMost {
		lines = append(lines, menuLine{labels: story.Texts{}})
	}
	if len(lines) > 0 {
		lines[0].level = 0
	}
	return lines
}

// goodLink reports whether a menu may lead there: a path of the site, or
// another site's address.
func goodLink(at string) bool {
	u, err := url.Parse(at)
	return err == nil && len(at) <= 500 && u.User == nil &&
		(strings.HasPrefix(at, "/") && !strings.HasPrefix(at, "//") && !strings.HasPrefix(at, `/\`) || (u.Scheme == "https" || u.Scheme == "http") && u.Host != "")
}

// menu serves "/desk/site/menus/{menu}". Where the address holds the fields of
// the form, it shows those, changed as one of its buttons says.
func (d *Desk) menu(w http.ResponseWriter, r *http.Request) error {
	slug := r.PathValue("menu")
	if !slices.Contains(menus, slug) {
		return fault.New(fault.NotFound, "there is no such menu", "menu", slug)
	}
	if q := r.URL.Query(); q.Has("draft") {
		lines, err := d.menuLines(q)
		if err != nil {
			return err
		}
		return d.menuPage(w, r, http.StatusOK, slug, menuMoved(lines, q), true, "")
	}
	all, err := d.Stories.Menus(r.Context(), d.DB.Read())
	if err != nil {
		return err
	}
	return d.menuPage(w, r, http.StatusOK, slug, flat(all[slug].Items, 0, d.Config.Language), false, "")
}

func (d *Desk) menuPage(w http.ResponseWriter, r *http.Request, status int, slug string, lines []menuLine, draft bool, problem string) error {
	b, tabs := d.siteBase(r, "menus")
	p := MenuPage{Base: b, Tabs: tabs, Path: "/desk/site/menus/" + slug, Head: slug == story.HeadMenu, Draft: draft, Most: len(lines) >= menuMost}
	if problem != "" {
		p.Problem = p.T("desk.menus." + problem)
	}
	for _, m := range menus {
		p.Menus = append(p.Menus, Choice{Name: p.T("desk.menus." + m), URL: "/desk/site/menus/" + m, Current: m == slug})
	}
	for _, line := range lines {
		row := MenuRow{Name: line.labels.In(p.Lang, d.Config.Language), URL: line.url, Level: strconv.Itoa(line.level)}
		row.Wrong = problem != "" && (!goodLink(line.url) || row.Name == "")
		for _, l := range d.Config.Languages {
			row.Labels = append(row.Labels, MenuLabel{l, language.Dir(l), language.OwnName(l), line.labels[l]})
		}
		p.Rows = append(p.Rows, row)
	}
	return d.send(w, r, status, "menu", p)
}

// menuSave serves "POST /desk/site/menus/{menu}".
func (d *Desk) menuSave(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	slug := r.PathValue("menu")
	if !slices.Contains(menus, slug) {
		return fault.New(fault.NotFound, "there is no such menu", "menu", slug)
	}
	lines, err := d.menuLines(r.PostForm)
	if err != nil {
		return err
	}
	// A row that was added and left empty is none.
	lines = slices.DeleteFunc(lines, func(l menuLine) bool { return l.url == "" && len(l.labels) == 0 })
	for _, l := range lines {
		if !goodLink(l.url) || len(l.labels) == 0 {
			return d.menuPage(w, r, http.StatusUnprocessableEntity, slug, lines, true, "wrong")
		}
	}
	err = d.change(r, "menu:"+slug, func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		all, err := d.Stories.Menus(ctx, tx)
		if err != nil {
			return err
		}
		m := all[slug]
		if m.Slug == "" {
			m = story.Menu{Slug: slug, Name: slug}
		}
		m.Items = nested(lines, d.Config.Language)
		detail["links"] = strconv.Itoa(len(lines))
		return d.Stories.SaveMenu(ctx, tx, m)
	})
	if err != nil {
		return err
	}
	return done(w, r, "/desk/site/menus/"+slug, "site_saved")
}
