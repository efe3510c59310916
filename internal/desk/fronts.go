package desk

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/staff"
	"masthead/internal/story"
)

// FrontsPage is one front, as it was arranged by hand. Template: desk/fronts.
type FrontsPage struct {
	Base
	Fronts    []Choice // the front page, and each section's
	Languages []Choice
	Name      string // of this front
	Path      string // of its form
	Public    string // its address on the site
	Kind      string // "front" or "section": what a preview is asked for by
	Version   int64
	Rows      []FrontRow
	Sizes     []Choice
	Most      bool // no more stories can be pinned
	Draft     bool // something is not saved yet
	Words     string
	Found     []FrontRow // by these words, or the newest, to be pinned
	By        string     // who arranged it last
	At        language.Moment
	Zone      string // of the times
	Problem   string
}

// FrontRow is a story on a front, or one that may be put there.
type FrontRow struct {
	ID, Headline, Lang, Dir string
	Section                 string
	Published               language.Moment
	Size                    string
	Until                   string // 2026-11-22T18:00
	State                   string // why readers do not see it there: "expired", "gone"; "" where they do
}

func (d *Desk) frontRoutes() []Route {
	return []Route{
		{Pattern: "GET /desk/fronts", Act: staff.ArrangeFront, On: OnAny, handle: d.fronts},
		{Pattern: "GET /desk/fronts/{front}/{lang}", Act: staff.ArrangeFront, On: OnAny, handle: d.front},
		{Pattern: "POST /desk/fronts/{front}/{lang}", Act: staff.ArrangeFront, On: OnAny, handle: d.frontSave},
	}
}

// fronts serves "/desk/fronts": it leads to the first front that one may arrange.
func (d *Desk) fronts(w http.ResponseWriter, r *http.Request) error {
	sections, err := d.Stories.Sections(r.Context(), d.DB.Read())
	if err != nil {
		return err
	}
	for _, id := range frontIDs(sections) {
		if person(r).May(staff.ArrangeFront, frontObject(sections, id)) {
			http.Redirect(w, r, frontPath(id, d.Config.Language), http.StatusSeeOther)
			return nil
		}
	}
	return person(r).Need(staff.ArrangeFront, staff.Object{})
}

func frontIDs(sections story.Sections) []string {
	ids := []string{story.FrontPage}
	for _, s := range sections {
		ids = append(ids, s.ID)
	}
	return ids
}

func frontPath(id, lang string) string { return "/desk/fronts/" + id + "/" + lang }

// frontObject is what a front is to who would arrange it: a section's editor
// arranges that section's.
func frontObject(sections story.Sections, id string) (o staff.Object) {
	for _, s := range sections.Path(id) {
		o.Sections = append(o.Sections, s.ID)
	}
	return o
}

// whichFront finds the front that the address names, for who may arrange it.
func (d *Desk) whichFront(r *http.Request) (sections story.Sections, id, lang string, err error) {
	id, lang = legible(r.PathValue("front")), r.PathValue("lang")
	if sections, err = d.Stories.Sections(r.Context(), d.DB.Read()); err != nil {
		return nil, "", "", err
	}
	if !slices.Contains(frontIDs(sections), id) || !slices.Contains(d.Config.Languages, lang) {
		return nil, "", "", fault.New(fault.NotFound, "there is no such front", "front", id, "lang", lang)
	}
	return sections, id, lang, person(r).Need(staff.ArrangeFront, frontObject(sections, id))
}

// front serves "/desk/fronts/{front}/{lang}". Where the address holds the fields
// of the form, it shows those, moved as one of its buttons says; nothing is saved.
func (d *Desk) front(w http.ResponseWriter, r *http.Request) error {
	sections, id, lang, err := d.whichFront(r)
	if err != nil {
		return err
	}
	f, err := d.Stories.Front(r.Context(), d.DB.Read(), id, lang)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	if !q.Has("draft") {
		return d.frontPage(w, r, http.StatusOK, sections, f, false, "")
	}
	if f.Items, f.Version, err = readFront(q, d.Config.Timezone); err != nil {
		return err
	}
	f.Items = frontMoved(f.Items, q)
	return d.frontPage(w, r, http.StatusOK, sections, f, true, "")
}

// readFront reads the form, whose stories a database may look for, and the
// version that it was begun from.
func readFront(form url.Values, clock *time.Location) (items []story.FrontItem, version int64, err error) {
	bad := fault.New(fault.Invalid, "the form of the front is not whole")
	for _, values := range form {
		for _, v := range values {
			if !printable(v) || len(v) > maxWords {
				return nil, 0, bad
			}
		}
	}
	if version, err = strconv.ParseInt(form.Get("version"), 10, 64); err != nil {
		return nil, 0, bad
	}
	items, err = story.ParseFront(form, clock)
	return items, version, err
}

// frontMoved does what a button of the form says; add names a story.
func frontMoved(items []story.FrontItem, form url.Values) []story.FrontItem {
	items = moved(items, form)
	id := form.Get("add")
	if id != "" && len(items) < story.FrontMost && !slices.ContainsFunc(items, func(it story.FrontItem) bool { return it.StoryID == id }) {
		it := story.FrontItem{StoryID: id, Size: story.Second}
		if !slices.ContainsFunc(items, func(it story.FrontItem) bool { return it.Size == story.Lead }) {
			it.Size = story.Lead
		}
		items = slices.Insert(items, 0, it)
	}
	return items
}

// pressed gives the row, of n, that a button of a form names as its value; -1
// for none.
func pressed(form url.Values, button string, n int) int {
	i, err := strconv.Atoi(form.Get(button))
	if err != nil || i < 0 || i >= n {
		return -1
	}
	return i
}

// moved does what the buttons up, down and remove of a form say of its rows.
func moved[T any](rows []T, form url.Values) []T {
	if i := pressed(form, "up", len(rows)); i > 0 {
		rows[i-1], rows[i] = rows[i], rows[i-1]
	}
	if i := pressed(form, "down", len(rows)); i >= 0 && i < len(rows)-1 {
		rows[i+1], rows[i] = rows[i], rows[i+1]
	}
	if i := pressed(form, "remove", len(rows)); i >= 0 {
		rows = slices.Delete(rows, i, i+1)
	}
	return rows
}

// frontSave serves "POST /desk/fronts/{front}/{lang}".
func (d *Desk) frontSave(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	sections, id, lang, err := d.whichFront(r)
	if err != nil {
		return err
	}
	f := story.Front{ID: id, Lang: lang, StaffID: person(r).ID}
	if f.Items, f.Version, err = readFront(r.PostForm, d.Config.Timezone); err != nil {
		return err
	}
	drawn := f
	err = d.change(r, "front:"+id+"/"+lang, func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		if err := d.Stories.Arrange(ctx, tx, &f); err != nil {
			return err
		}
		detail["stories"] = strconv.Itoa(len(f.Items))
		for _, it := range f.Items {
			if it.Size == story.Lead {
				detail["lead"] = it.StoryID
			}
		}
		return nil
	})
	if fault.Is(err, fault.Conflict) { // what was arranged here stays, to be saved over the other or given up
		is, err := d.Stories.Front(r.Context(), d.DB.Read(), id, lang)
		if err != nil {
			return err
		}
		drawn.Version, drawn.StaffID, drawn.At = is.Version, is.StaffID, is.At
		return d.frontPage(w, r, http.StatusConflict, sections, drawn, true, "conflict")
	}
	if err != nil {
		return err
	}
	return done(w, r, frontPath(id, lang), "front_saved")
}

// frontFound is how many stories are offered to be pinned.
const frontFound = 12

func (d *Desk) frontPage(w http.ResponseWriter, r *http.Request, status int, sections story.Sections, f story.Front, draft bool, problem string) error {
	ctx, q := r.Context(), d.DB.Read()
	p := FrontsPage{Base: d.base(r, ""), Path: frontPath(f.ID, f.Lang), Public: d.public(f.Lang, "/"), Kind: "front", Version: f.Version, Draft: draft,
		Most: len(f.Items) >= story.FrontMost, Words: strings.TrimSpace(r.FormValue("q")), Zone: d.Config.Timezone.String()}
	p.Title, p.Name = p.T("desk.fronts.title"), p.T("desk.fronts.front")
	if problem != "" {
		p.Problem = p.T("desk.fronts." + problem)
	}
	for _, id := range frontIDs(sections) {
		if !person(r).May(staff.ArrangeFront, frontObject(sections, id)) {
			continue
		}
		c := Choice{Name: p.T("desk.fronts.front"), URL: frontPath(id, f.Lang), Current: id == f.ID}
		if s, ok := sections.ByID(id); ok {
			c.Name = s.Names.In(p.Lang, d.Config.Language)
			if c.Current {
				p.Name, p.Kind, p.Public = c.Name, "section", d.public(f.Lang, "/"+s.Slug+"/")
			}
		}
		p.Fronts = append(p.Fronts, c)
	}
	for _, l := range d.Config.Languages {
		p.Languages = append(p.Languages, Choice{Name: language.OwnName(l), URL: frontPath(f.ID, l), Lang: l, Dir: language.Dir(l), Current: l == f.Lang})
	}
	for _, s := range story.Sizes() {
		p.Sizes = append(p.Sizes, Choice{Value: string(s), Name: p.T("desk.fronts.size." + string(s))})
	}
	if !f.At.IsZero() {
		p.At = d.moment(p.Base, f.At)
		who, err := d.Staff.ByID(ctx, q, f.StaffID)
		if err != nil && !fault.Is(err, fault.NotFound) { // who has left has no name here
			return err
		}
		p.By = nameOf(who)
	}
	var ids []string
	for _, it := range f.Items {
		ids = append(ids, it.StoryID)
	}
	cards := []story.Card{}
	if len(ids) > 0 {
		var err error
		if cards, err = d.Stories.Cards(ctx, q, story.Query{StoryIDs: ids, AnyStatus: true, AnyKind: true}); err != nil {
			return err
		}
	}
	for _, it := range f.Items {
		row := FrontRow{ID: it.StoryID, Headline: p.T("desk.untitled"), State: "gone"}
		i := slices.IndexFunc(cards, func(c story.Card) bool { return c.StoryID == it.StoryID && c.Lang == f.Lang })
		if i < 0 { // it stands in other languages only
			i = slices.IndexFunc(cards, func(c story.Card) bool { return c.StoryID == it.StoryID })
		}
		if i >= 0 {
			row = d.frontRow(p.Base, sections, cards[i])
			if cards[i].Lang != f.Lang || cards[i].Status != story.Published || cards[i].Kind != story.Report {
				row.State = "gone"
			}
		}
		row.Size = string(it.Size)
		if !it.Until.IsZero() {
			row.Until = it.Until.In(d.Config.Timezone).Format("2006-01-02T15:04")
			if !d.Now().Before(it.Until) {
				row.State = "expired"
			}
		}
		p.Rows = append(p.Rows, row)
	}
	found, err := d.frontFind(ctx, sections, f, p.Words, ids)
	if err != nil {
		return err
	}
	for _, c := range found {
		p.Found = append(p.Found, d.frontRow(p.Base, sections, c))
	}
	return d.send(w, r, status, "fronts", p)
}

// frontFind gives published stories to be pinned: those with the words in their
// headline, else the newest of the front.
func (d *Desk) frontFind(ctx context.Context, sections story.Sections, f story.Front, words string, not []string) ([]story.Card, error) {
	query := story.Query{Lang: f.Lang, NotStories: not, Limit: frontFound}
	if len(words) > maxWords || !printable(words) {
		return nil, fault.New(fault.Invalid, "the list cannot be narrowed like that")
	}
	if words == "" {
		if f.ID != story.FrontPage {
			query.SectionIDs = sections.Within(f.ID)
		}
		return d.Stories.Cards(ctx, d.DB.Read(), query)
	}
	entries, _, err := d.list(ctx, filter{Status: story.Published, Lang: f.Lang, Words: words}, frontFound+len(not))
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	for _, e := range entries {
		query.EditionIDs = append(query.EditionIDs, e.ID)
	}
	return d.Stories.Cards(ctx, d.DB.Read(), query)
}

func (d *Desk) frontRow(b Base, sections story.Sections, c story.Card) FrontRow {
	row := FrontRow{ID: c.StoryID, Section: d.sectionName(b, sections, c.SectionID)}
	row.Headline, row.Lang, row.Dir = headlineIn(b, c.Headline, c.Lang)
	if c.Status == story.Published {
		row.Published = d.moment(b, c.PublishedAt)
	}
	return row
}

// public gives the address of a page of the site in a language.
func (d *Desk) public(lang, path string) string {
	if lang == d.Config.Language {
		return path
	}
	return "/" + lang + path
}
