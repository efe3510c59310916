package desk

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/staff"
	"masthead/internal/story"
)

// BeginPage begins a story. Template: desk/begin.
type BeginPage struct {
	Base
	Headline  string // as typed
	Sections  []Choice
	Languages []Choice
	Problem   string
}

func (d *Desk) beginRoutes() []Route {
	return []Route{
		{Pattern: "GET /desk/stories/new", Act: staff.StartStory, On: OnAny, handle: d.beginForm},
		{Pattern: "POST /desk/stories", Act: staff.StartStory, On: OnAny, handle: d.begin},
		{Pattern: "POST /desk/stories/{edition}/editions", Act: staff.WriteStory, On: OnEdition, handle: d.addEdition},
	}
}

// sectionChoices gives every section with those it is part of, after an empty choice.
func (d *Desk) sectionChoices(sections story.Sections, b Base, chosen string) []Choice {
	list := []Choice{{Name: b.T("desk.facts.no_section"), Current: chosen == ""}}
	for _, s := range sections {
		var names []string
		for _, up := range sections.Path(s.ID) {
			names = append(names, up.Names.In(b.Lang, d.Config.Language))
		}
		list = append(list, Choice{Value: s.ID, Name: strings.Join(names, " › "), Current: s.ID == chosen})
	}
	slices.SortFunc(list[1:], func(a, b Choice) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func (d *Desk) languageChoices(chosen string) (list []Choice) {
	for _, l := range d.Config.Languages {
		list = append(list, Choice{Value: l, Name: language.OwnName(l), Lang: l, Dir: language.Dir(l), Current: l == chosen})
	}
	return list
}

// beginForm serves "/desk/stories/new".
func (d *Desk) beginForm(w http.ResponseWriter, r *http.Request) error {
	return d.beginPage(w, r, http.StatusOK, "")
}

func (d *Desk) beginPage(w http.ResponseWriter, r *http.Request, status int, problem string) error {
	p := BeginPage{Base: d.base(r, ""), Headline: r.FormValue("headline")}
	p.Title = p.T("desk.begin.title")
	sections, err := d.Stories.Sections(r.Context(), d.DB.Read())
	if err != nil {
		return err
	}
	lang := r.FormValue("lang")
	if lang == "" {
		lang = d.Config.Language
	}
	p.Sections, p.Languages = d.sectionChoices(sections, p.Base, r.FormValue("section")), d.languageChoices(lang)
	if problem != "" {
		p.Problem = p.T(problem)
	}
	return d.send(w, r, status, "begin", p)
}

// begin serves "POST /desk/stories": a pitch or a draft.
func (d *Desk) begin(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	who := person(r)
	st := story.Story{Kind: story.Report, SectionID: r.PostForm.Get("section"), OriginalLang: r.PostForm.Get("lang"), CreatedBy: who.ID}
	e := story.Edition{Lang: st.OriginalLang, Headline: line(r.PostForm.Get("headline")), Status: story.Draft}
	if r.PostForm.Get("as") == "pitch" {
		e.Status = story.Pitch
	}
	sections, err := d.Stories.Sections(r.Context(), d.DB.Read())
	if err != nil {
		return err
	}
	_, known := sections.ByID(st.SectionID)
	if e.Headline == "" || len(e.Headline) > maxLine || !slices.Contains(d.Config.Languages, e.Lang) || st.SectionID != "" && !known {
		return d.beginPage(w, r, http.StatusBadRequest, "desk.begin.incomplete")
	}
	err = d.DB.InTx(r.Context(), func(tx *db.Tx) error {
		if err := d.Stories.Save(r.Context(), tx, &st); err != nil {
			return err
		}
		e.StoryID = st.ID
		if err := d.Stories.SaveEdition(r.Context(), tx, &e, who.Email); err != nil {
			return err
		}
		return d.Staff.Record(r.Context(), tx, staff.Entry{Who: who, Act: staff.StartStory, Object: "edition:" + e.ID,
			Detail: map[string]string{"as": string(e.Status), "headline": e.Headline}})
	})
	if err != nil {
		return err
	}
	return done(w, r, room(e.ID), "story_begun")
}

// maxLine is how many bytes a line of a form may have.
const maxLine = 2000

// line brings text into one line.
func line(s string) string { return strings.Join(strings.Fields(s), " ") }

// addEdition serves "…/editions": the story in another language.
func (d *Desk) addEdition(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	from, lang := d.edition(r), r.PostForm.Get("lang")
	if !slices.Contains(d.Config.Languages, lang) {
		return fault.New(fault.Invalid, "the site is not in that language", "lang", lang)
	}
	e := story.Edition{StoryID: from.StoryID, Lang: lang, Slug: from.Slug, Status: story.Draft}
	err := d.change(r, "", func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		if old, err := d.Stories.EditionOf(ctx, tx, from.StoryID, lang); !fault.Is(err, fault.NotFound) {
			e = old
			return err // it is there already
		}
		detail["edition"] = lang
		return d.Stories.SaveEdition(ctx, tx, &e, person(r).Email)
	})
	if err != nil {
		return err
	}
	return done(w, r, room(e.ID), "story_edition")
}
