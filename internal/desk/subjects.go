package desk

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/media"
	"masthead/internal/staff"
	"masthead/internal/story"
)

func (d *Desk) subjectRoutes() []Route {
	const act, on = staff.KeepTaxonomy, OnDesk
	return []Route{
		{Pattern: "GET /desk/subjects", Act: act, On: on, handle: d.sections},
		{Pattern: "POST /desk/subjects/order", Act: act, On: on, handle: d.sectionOrder},
		{Pattern: "GET /desk/subjects/{area}", Act: act, On: on, handle: d.subjects},
		{Pattern: "POST /desk/subjects/{area}", Act: act, On: on, handle: d.subjectSave},
		{Pattern: "GET /desk/subjects/{area}/{subject}", Act: act, On: on, handle: d.subject},
		{Pattern: "POST /desk/subjects/{area}/{subject}", Act: act, On: on, handle: d.subjectSave},
		{Pattern: "POST /desk/subjects/{area}/{subject}/portrait", Act: act, On: on, handle: d.authorPortrait},
		{Pattern: "POST /desk/subjects/{area}/{subject}/merge", Act: act, On: on, handle: d.subjectMerge},
		{Pattern: "POST /desk/subjects/{area}/{subject}/delete", Act: act, On: on, handle: d.subjectDelete},
	}
}

// The areas of the room, as addresses name them.
const (
	sectionsArea = "sections"
	topicsArea   = "topics"
	authorsArea  = "authors"
)

// topicKinds are the kinds of a topic, in the order they are offered in.
var topicKinds = [...]story.TopicKind{story.Subject, story.Person, story.Organisation, story.Place, story.Storyline}

// perSubjects is how many topics or authors a list shows at once.
const perSubjects = 100

// SubjectsPage is a list of sections, topics or authors. Template: desk/subjects.
type SubjectsPage struct {
	Base
	Tabs          []Link
	Area          string
	Words         string
	Kinds         []Choice // of topics
	Rows          []SubjectRow
	NewURL        string
	Newest, Older string // addresses, as in StoriesPage
}

// SubjectRow is one section, topic or author in a list.
type SubjectRow struct {
	ID, URL, Name string
	Facts         []string
	Parts         []SubjectPart // of a section, and theirs
}

// SubjectPart is a section below another.
type SubjectPart struct {
	ID, URL, Name string
	Facts         []string
	Level         int // 1 right below it
}

// SubjectPage is one section, topic or author. Template: desk/subject.
type SubjectPage struct {
	Base
	Tabs      []Link
	Area      string
	URL       string // of its forms
	Public    string // its page on the site; "" where it has none
	New       bool
	Slug      string
	Texts     []TextFields // name; description or biography; aliases with commas between
	Kinds     []Choice     // of a topic
	Internal  bool
	Parents   []Choice     // of a section
	Parts     []SubjectRow // of it, in their order
	Handle    string       // of an author, and so on
	Website   string
	Email     string
	Staff     []Choice
	Portrait  *Medium
	Pictures  []Medium // that were found for it
	Looked    string   // the words they were looked for with
	Stories   string   // how many there are
	Used      bool
	Merge     string   // words that another was looked for with
	Others    []Choice // what it can be merged into, or its stories moved to
	HasParts  bool
	CanDelete bool
}

func (d *Desk) subjectTabs(b Base, area string) []Link {
	return []Link{
		{Name: b.T("desk.subjects.sections"), URL: "/desk/subjects", Current: area == sectionsArea},
		{Name: b.T("desk.subjects.topics"), URL: "/desk/subjects/topics", Current: area == topicsArea},
		{Name: b.T("desk.subjects.authors"), URL: "/desk/subjects/authors", Current: area == authorsArea},
	}
}

// sections serves "/desk/subjects": the tree of sections.
func (d *Desk) sections(w http.ResponseWriter, r *http.Request) error {
	p := SubjectsPage{Base: d.base(r, ""), Area: sectionsArea, NewURL: "/desk/subjects/sections/new"}
	p.Title, p.Tabs = p.T("desk.subjects.title"), d.subjectTabs(p.Base, sectionsArea)
	all, err := d.Stories.Sections(r.Context(), d.DB.Read())
	if err != nil {
		return err
	}
	counts, err := d.Stories.StoriesIn(r.Context(), d.DB.Read())
	if err != nil {
		return err
	}
	p.Rows = d.sectionRows(p.Base, all, counts, "")
	return d.send(w, r, http.StatusOK, "subjects", p)
}

func (d *Desk) sectionRows(b Base, all story.Sections, counts map[string]int, parent string) (rows []SubjectRow) {
	for _, s := range all.Parts(parent) {
		v := d.sectionPart(b, s, counts, 0)
		row := SubjectRow{ID: v.ID, URL: v.URL, Name: v.Name, Facts: v.Facts}
		var below func(id string, level int)
		below = func(id string, level int) {
			for _, part := range all.Parts(id) {
				row.Parts = append(row.Parts, d.sectionPart(b, part, counts, level))
				if level < len(all) { // a ring, which nothing should make, ends here
					below(part.ID, level+1)
				}
			}
		}
		below(s.ID, 1)
		rows = append(rows, row)
	}
	return rows
}

func (d *Desk) sectionPart(b Base, s story.Section, counts map[string]int, level int) SubjectPart {
	return SubjectPart{ID: s.ID, URL: "/desk/subjects/sections/" + s.ID, Name: s.Names.In(b.Lang, d.Config.Language), Level: level,
		Facts: []string{"/" + s.Slug + "/", b.N("desk.subjects.stories", counts[s.ID])}}
}

// sectionOrder serves "POST /desk/subjects/order": the sections below one
// parent, in their new order, or with one of them a place up or down.
func (d *Desk) sectionOrder(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	ids := moved(r.PostForm["section"], r.PostForm)
	to := "/desk/subjects"
	err := d.change(r, "", func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		all, err := d.Stories.Sections(ctx, tx)
		if err != nil {
			return err
		}
		seen := map[string]bool{}
		for i, id := range ids {
			s, ok := all.ByID(id)
			first, _ := all.ByID(ids[0])
			if !ok || seen[id] || s.ParentID != first.ParentID {
				return fault.New(fault.Invalid, "these sections cannot be put in order together", "place", i)
			}
			if seen[id] = true; s.ParentID != "" {
				to = "/desk/subjects/sections/" + s.ParentID
			}
		}
		detail["order"] = strconv.Itoa(len(ids))
		return d.Stories.OrderSections(ctx, tx, ids)
	})
	if err != nil {
		return err
	}
	return done(w, r, to, "subject_ordered")
}

// subjects serves "/desk/subjects/topics" and "/desk/subjects/authors".
func (d *Desk) subjects(w http.ResponseWriter, r *http.Request) error {
	area, q := r.PathValue("area"), r.URL.Query()
	words, _, err := findQuery(r)
	if err != nil {
		return err
	}
	p := SubjectsPage{Base: d.base(r, ""), Area: area, Words: strings.TrimSpace(q.Get("q")), NewURL: "/desk/subjects/" + area + "/new"}
	p.Title, p.Tabs = p.T("desk.subjects.title"), d.subjectTabs(p.Base, area)
	kind, after, more, last := story.TopicKind(q.Get("kind")), q.Get("after"), false, ""
	if !printable(after) {
		return fault.New(fault.Invalid, "there is no such place in the list")
	}
	switch area {
	case topicsArea:
		if kind != "" && !slices.Contains(topicKinds[:], kind) {
			return fault.New(fault.Invalid, "there is no such kind of topic")
		}
		p.Kinds = append([]Choice{{Name: p.T("desk.subjects.every_kind"), Current: kind == ""}}, kindChoices(p.Base, kind)...)
		var found []story.Topic
		if found, more, err = d.findTopics(r.Context(), topicFilter{Words: words, Lang: p.Lang, Kind: kind, After: after}, perSubjects); err != nil {
			return err
		}
		ids := make([]string, len(found))
		for i, t := range found {
			ids[i], last = t.ID, max(last, t.Slug)
		}
		counts, err := d.Stories.StoriesUnder(r.Context(), d.DB.Read(), ids)
		if err != nil {
			return err
		}
		for _, t := range found {
			facts := []string{p.T("desk.subjects.kinds." + string(t.Kind)), p.N("desk.subjects.stories", counts[t.ID])}
			if t.Internal {
				facts = append(facts, p.T("desk.subjects.is_internal"))
			}
			p.Rows = append(p.Rows, SubjectRow{ID: t.ID, URL: "/desk/subjects/topics/" + t.ID, Name: cmp.Or(t.Names.In(p.Lang, d.Config.Language), t.Slug), Facts: facts})
		}
	case authorsArea:
		ids, err := d.matching(r.Context(), "author", []string{"names", "biographies"}, "", words, after, perSubjects+1)
		if err != nil {
			return err
		}
		if more = len(ids) > perSubjects; more {
			ids = ids[:perSubjects]
		}
		found, err := d.Stories.Writers(r.Context(), d.DB.Read(), append([]string{}, ids...))
		if err != nil {
			return err
		}
		counts, err := d.Stories.StoriesBy(r.Context(), d.DB.Read(), ids)
		if err != nil {
			return err
		}
		for _, a := range found {
			last = max(last, a.Slug)
			facts := []string{p.N("desk.subjects.stories", counts[a.ID])}
			if a.StaffID != "" {
				facts = append(facts, p.T("desk.subjects.on_staff"))
			}
			p.Rows = append(p.Rows, SubjectRow{ID: a.ID, URL: "/desk/subjects/authors/" + a.ID, Name: cmp.Or(a.Names.In(p.Lang, d.Config.Language), a.Slug), Facts: facts})
		}
	default:
		return fault.New(fault.NotFound, "there is no such list", "area", area)
	}
	here := url.Values{}
	for key, value := range map[string]string{"q": p.Words, "kind": string(kind)} {
		if value != "" {
			here.Set(key, value)
		}
	}
	base := "/desk/subjects/" + area + "?"
	if after != "" {
		p.Newest = base + here.Encode()
	}
	if more {
		here.Set("after", last)
		p.Older = base + here.Encode()
	}
	return d.send(w, r, http.StatusOK, "subjects", p)
}

func kindChoices(b Base, chosen story.TopicKind) (list []Choice) {
	for _, k := range topicKinds {
		list = append(list, Choice{Value: string(k), Name: b.T("desk.subjects.kinds." + string(k)), Current: k == chosen})
	}
	return list
}

// subject serves "/desk/subjects/{area}/{subject}", and ".../new".
func (d *Desk) subject(w http.ResponseWriter, r *http.Request) error {
	area, id := r.PathValue("area"), legible(r.PathValue("subject"))
	p := SubjectPage{Base: d.base(r, ""), Area: area, URL: "/desk/subjects/" + area}
	p.Tabs = d.subjectTabs(p.Base, area)
	if p.New = id == "new"; !p.New {
		p.URL += "/" + id
	}
	var err error
	switch area {
	case sectionsArea:
		err = d.fillSection(r, &p, id)
	case topicsArea:
		err = d.fillTopic(r, &p, id)
	case authorsArea:
		err = d.fillAuthor(r, &p, id)
	default:
		err = fault.New(fault.NotFound, "there is no such list", "area", area)
	}
	if err != nil {
		return err
	}
	if p.New {
		p.Title = p.T(map[string]string{sectionsArea: "desk.subjects.new_sections", topicsArea: "desk.subjects.new_topics", authorsArea: "desk.subjects.new_authors"}[area])
	}
	return d.send(w, r, http.StatusOK, "subject", p)
}

func (d *Desk) fillTexts(p *SubjectPage, names, more story.Texts, aliases map[string][]string) {
	joined := map[string]string{}
	for l, list := range aliases {
		joined[l] = strings.Join(list, ", ")
	}
	for _, l := range d.textLanguages(names, more, joined) {
		p.Texts = append(p.Texts, TextFields{Lang: l, Dir: language.Dir(l), Language: language.OwnName(l), First: names[l], Second: more[l], Third: joined[l]})
	}
	p.Title = names.In(p.Lang, d.Config.Language)
}

func (d *Desk) fillSection(r *http.Request, p *SubjectPage, id string) error {
	ctx, q := r.Context(), d.DB.Read()
	all, err := d.Stories.Sections(ctx, q)
	if err != nil {
		return err
	}
	s, ok := all.ByID(id)
	if !ok && !p.New {
		return fault.New(fault.NotFound, "no such section", "id", id)
	}
	counts, err := d.Stories.StoriesIn(ctx, q)
	if err != nil {
		return err
	}
	d.fillTexts(p, s.Names, s.Descriptions, nil)
	p.Slug, p.Public, p.Used = s.Slug, "/"+s.Slug+"/", counts[id] > 0
	p.Stories = p.N("desk.subjects.stories", counts[id])
	p.Parents = []Choice{{Name: p.T("desk.subjects.no_parent"), Current: s.ParentID == ""}}
	within := all.Within(id)
	for _, o := range all {
		c := Choice{Value: o.ID, Name: o.Names.In(p.Lang, d.Config.Language), Current: o.ID == s.ParentID}
		if p.New || !slices.Contains(within, o.ID) {
			p.Parents = append(p.Parents, c)
		}
		if o.ID != id {
			p.Others = append(p.Others, c)
		}
	}
	if !p.New {
		p.Parts = d.sectionRows(p.Base, all, counts, id)
		p.HasParts = len(p.Parts) > 0
		p.CanDelete = !p.HasParts && (!p.Used || len(p.Others) > 0)
	}
	return nil
}

func (d *Desk) fillTopic(r *http.Request, p *SubjectPage, id string) (err error) {
	ctx, q := r.Context(), d.DB.Read()
	var t story.Topic
	if !p.New {
		if t, err = d.Stories.TopicByID(ctx, q, id); err != nil {
			return err
		}
	}
	counts, err := d.Stories.StoriesUnder(ctx, q, []string{id})
	if err != nil {
		return err
	}
	d.fillTexts(p, t.Names, t.Descriptions, t.Aliases)
	p.Slug, p.Internal, p.Kinds = t.Slug, t.Internal, kindChoices(p.Base, cmp.Or(t.Kind, story.Subject))
	p.Used, p.Stories = counts[id] > 0, p.N("desk.subjects.stories", counts[id])
	if p.CanDelete = !p.Used && !p.New; !t.Internal {
		p.Public = "/topic/" + t.Slug + "/"
	}
	words, err := searchWords(r, "merge")
	if err != nil || len(words) == 0 {
		return err
	}
	p.Merge = strings.TrimSpace(r.URL.Query().Get("merge"))
	found, _, err := d.findTopics(ctx, topicFilter{Words: words, Lang: p.Lang}, maxFound)
	for _, o := range found {
		if o.ID != id {
			p.Others = append(p.Others, Choice{Value: o.ID, Name: cmp.Or(o.Names.In(p.Lang, d.Config.Language), o.Slug), Count: p.T("desk.subjects.kinds." + string(o.Kind))})
		}
	}
	return err
}

func (d *Desk) fillAuthor(r *http.Request, p *SubjectPage, id string) (err error) {
	ctx, q := r.Context(), d.DB.Read()
	var a story.Writer
	if !p.New {
		if a, err = d.Stories.WriterByID(ctx, q, id); err != nil {
			return err
		}
	}
	counts, err := d.Stories.StoriesBy(ctx, q, []string{id})
	if err != nil {
		return err
	}
	d.fillTexts(p, a.Names, a.Biographies, nil)
	p.Slug, p.Public, p.Handle, p.Website, p.Email = a.Slug, "/author/"+a.Slug+"/", a.Handle, a.Website, a.Email
	p.Used, p.Stories = counts[id] > 0, p.N("desk.subjects.stories", counts[id])
	p.CanDelete = !p.Used && !p.New
	people, err := d.Staff.List(ctx, q)
	if err != nil {
		return err
	}
	p.Staff = []Choice{{Name: p.T("desk.subjects.no_staff"), Current: a.StaffID == ""}}
	for _, who := range people {
		if !who.Disabled() || who.ID == a.StaffID {
			p.Staff = append(p.Staff, Choice{Value: who.ID, Name: nameOf(who), Current: who.ID == a.StaffID})
		}
	}
	if a.PortraitID != "" {
		m, err := d.Media.ByID(ctx, q, a.PortraitID)
		if err == nil {
			v := d.mediumOf(p.Base, m)
			p.Portrait = &v
		} else if !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	if words, err := searchWords(r, "portrait"); err != nil {
		return err
	} else if len(words) > 0 {
		p.Looked = strings.TrimSpace(r.URL.Query().Get("portrait"))
		found, _, err := d.findMedia(ctx, mediaFilter{Words: words, Kind: string(media.Picture)}, maxFound)
		if err != nil {
			return err
		}
		for _, m := range found {
			p.Pictures = append(p.Pictures, d.mediumOf(p.Base, m))
		}
	}
	words, err := searchWords(r, "merge")
	if err != nil || len(words) == 0 {
		return err
	}
	p.Merge = strings.TrimSpace(r.URL.Query().Get("merge"))
	ids, err := d.matching(ctx, "author", []string{"names"}, "", words, "", maxFound)
	if err != nil {
		return err
	}
	found, err := d.Stories.Writers(ctx, q, append([]string{}, ids...))
	for _, o := range found {
		if o.ID != id {
			p.Others = append(p.Others, Choice{Value: o.ID, Name: cmp.Or(o.Names.In(p.Lang, d.Config.Language), o.Slug), Count: o.Slug})
		}
	}
	return err
}

func searchWords(r *http.Request, name string) ([]string, error) {
	text := r.URL.Query().Get(name)
	if len(text) > maxWords || !printable(text) {
		return nil, fault.New(fault.Invalid, "the search cannot be read")
	}
	return strings.Fields(fold(text)), nil
}
