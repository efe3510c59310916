package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"masthead/internal/db"
	"masthead/internal/draft"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/staff"
	"masthead/internal/story"
)

// FactsPage is what stands round the words of an edition. Template: desk/facts.
type FactsPage struct {
	Base
	Room, Headline         string
	EditionLang            string
	EditionDir             string
	Words                  []WordField
	Barred                 bool // readers see it, and who asks may not change that
	Mark                   string
	Sections               []Choice
	Accesses               []Choice
	MayAccess              bool
	Topics                 string   // a line each
	KnownTopics            []string // at most offeredNames
	Bylines                []BylineRow
	KnownAuthors           []string
	Slug, Path             string
	MetaTitle, MetaSummary string
	Canonical              string
	Problem                string
}

// WordField is the kicker, the headline or the summary, with what it stood on.
type WordField struct {
	Name, Label, Value string
	Version            int64
	Theirs             string // what somebody else wrote meanwhile
	Long               bool
}

// BylineRow is one name on the story.
type BylineRow struct {
	Name  string
	Roles []Choice
	Here  bool // on this edition alone
}

// emptyBylines is how many rows a form has for further names; offeredNames is
// how many names are offered while somebody types.
const (
	emptyBylines = 2
	offeredNames = 500
)

func (d *Desk) factRoutes() []Route {
	return []Route{
		{Pattern: "GET /desk/stories/{edition}/facts", Act: staff.WriteStory, On: OnEdition, handle: d.factsForm},
		{Pattern: "POST /desk/stories/{edition}/facts", Act: staff.WriteStory, On: OnEdition, handle: d.saveFacts},
		{Pattern: "POST /desk/stories/{edition}/words", Act: staff.WriteStory, On: OnEdition, handle: d.saveWords},
	}
}

// barred reports whether a change would be seen by readers at once, and who
// asks may not make it.
func (d *Desk) barred(r *http.Request) (bool, error) {
	if d.may(r, staff.CorrectStory) {
		return false, nil
	}
	editions, err := d.Stories.Editions(r.Context(), d.DB.Read(), d.storyOf(r).ID)
	return slices.ContainsFunc(editions, func(c story.Card) bool { return c.Status == story.Published || c.Status == story.Scheduled }), err
}

func errBarred() error {
	return fault.New(fault.Forbidden, "readers see this story: your role does not allow to change it")
}

// factsMark names the facts as they stand, so that a save that is too late is noticed.
func factsMark(st story.Story, e story.Edition) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", []any{st.SectionID, st.Access, st.LeadMediaID, st.Topics, st.Bylines, e.Slug, e.MetaTitle, e.MetaDescription, e.CanonicalURL, e.LeadAlt, e.LeadCaption}))
	return hex.EncodeToString(sum[:12])
}

// factsForm serves "…/facts".
func (d *Desk) factsForm(w http.ResponseWriter, r *http.Request) error {
	return d.factsPage(w, r, http.StatusOK, "", nil)
}

func (d *Desk) factsPage(w http.ResponseWriter, r *http.Request, status int, problem string, theirs map[string]string) error {
	ctx, q := r.Context(), d.DB.Read()
	e, st := d.edition(r), d.storyOf(r)
	p := FactsPage{Base: d.base(r, ""), Room: room(e.ID), EditionLang: e.Lang, EditionDir: language.Dir(e.Lang), Problem: problem, Mark: factsMark(st, e),
		MayAccess: d.may(r, staff.ApproveStory), Slug: e.Slug, Path: e.Path, MetaTitle: e.MetaTitle, MetaSummary: e.MetaDescription, Canonical: e.CanonicalURL}
	p.Title, p.Headline = p.T("desk.facts.title"), titled(p.Base, e.Headline)
	var err error
	if p.Barred, err = d.barred(r); err != nil {
		return err
	}
	fields, err := d.wordFields(ctx, q, e)
	if err != nil {
		return err
	}
	for _, f := range fields {
		key := "desk.facts." + f.Name
		field := WordField{Name: f.Name, Label: p.T(key), Value: f.Value, Version: f.Version, Long: f.Name == draft.Summary}
		if yours, ok := theirs[f.Name]; ok {
			field.Theirs, field.Value = f.Value, yours
		}
		p.Words = append(p.Words, field)
	}
	sections, err := d.Stories.Sections(ctx, q)
	if err != nil {
		return err
	}
	p.Sections = d.sectionChoices(sections, p.Base, st.SectionID)
	tiers, err := d.Readers.Tiers(ctx, q)
	if err != nil {
		return err
	}
	accesses := []story.Access{story.ByRule, story.Open, story.Registered}
	for _, t := range tiers {
		accesses = append(accesses, story.ForTier(t.Slug))
	}
	if !slices.Contains(accesses, st.Access) {
		accesses = append(accesses, st.Access)
	}
	for _, a := range accesses {
		p.Accesses = append(p.Accesses, Choice{Value: string(a), Name: accessName(p.Furniture, a, false), Current: a == st.Access})
	}
	topics, err := d.Stories.Topics(ctx, q, nil)
	if err != nil {
		return err
	}
	var names []string
	for _, id := range st.Topics {
		if i := slices.IndexFunc(topics, func(t story.Topic) bool { return t.ID == id }); i >= 0 {
			names = append(names, topics[i].Names.In(p.Lang, d.Config.Language))
		}
	}
	p.Topics = strings.Join(names, "\n")
	for _, t := range topics[:min(len(topics), offeredNames)] {
		p.KnownTopics = append(p.KnownTopics, t.Names.In(p.Lang, d.Config.Language))
	}
	writers, err := d.Stories.Writers(ctx, q, nil)
	if err != nil {
		return err
	}
	for _, b := range st.Bylines {
		if i := slices.IndexFunc(writers, func(w story.Writer) bool { return w.ID == b.AuthorID }); i >= 0 && (b.Lang == "" || b.Lang == e.Lang) {
			p.Bylines = append(p.Bylines, BylineRow{Name: writers[i].Names.In(p.Lang, d.Config.Language), Roles: bylineRoles(p.Base, b.Role), Here: b.Lang != ""})
		}
	}
	for range emptyBylines {
		p.Bylines = append(p.Bylines, BylineRow{Roles: bylineRoles(p.Base, story.Author)})
	}
	for _, a := range writers[:min(len(writers), offeredNames)] {
		p.KnownAuthors = append(p.KnownAuthors, a.Names.In(p.Lang, d.Config.Language))
	}
	if r.PostForm.Has("slug") { // what was typed comes back
		p.Topics, p.Slug, p.MetaTitle, p.MetaSummary, p.Canonical = r.PostForm.Get("topics"), r.PostForm.Get("slug"), r.PostForm.Get("meta_title"), r.PostForm.Get("meta_description"), r.PostForm.Get("canonical")
		for i := range p.Sections {
			p.Sections[i].Current = p.Sections[i].Value == r.PostForm.Get("section")
		}
		p.Bylines = nil
		for i, name := range r.PostForm["byline"] {
			p.Bylines = append(p.Bylines, BylineRow{Name: name, Roles: bylineRoles(p.Base, story.Role(at(r.PostForm["role"], i))), Here: slices.Contains(r.PostForm["here"], strconv.Itoa(i))})
		}
	}
	return d.send(w, r, status, "facts", p)
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// bylineRoleOrder are the roles of a byline, in the order they are offered in.
var bylineRoleOrder = [...]story.Role{story.Author, story.Translator, story.Photographer, story.Contributor}

func bylineRoles(b Base, chosen story.Role) (list []Choice) {
	for _, role := range bylineRoleOrder {
		key := "desk.byline_role." + string(role)
		list = append(list, Choice{Value: string(role), Name: b.T(key), Current: role == chosen})
	}
	return list
}

// wordFields gives kicker, headline and summary as they stand in the working
// copy, or as it would begin.
func (d *Desk) wordFields(ctx context.Context, q db.Queryer, e story.Edition) ([]draft.Field, error) {
	fields, err := d.Drafts.Fields(ctx, q, e.ID)
	if err != nil || len(fields) > 0 {
		return fields, err
	}
	return []draft.Field{{Name: draft.Kicker, Value: e.Kicker}, {Name: draft.Headline, Value: e.Headline}, {Name: draft.Summary, Value: e.Summary}}, nil
}

// saveWords serves "…/words": kicker, headline and summary go into the working
// copy, where others may be writing.
func (d *Desk) saveWords(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	e, theirs := d.edition(r), map[string]string{}
	err := d.change(r, "", func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		now, err := d.Drafts.Open(ctx, tx, e.ID)
		if err != nil {
			return err
		}
		for _, name := range draft.FieldNames() {
			if !r.PostForm.Has(name) || line(r.PostForm.Get(name)) == now.Fields[name].Value {
				continue
			}
			version, err := strconv.ParseInt(r.PostForm.Get(name+"_version"), 10, 64)
			if err != nil {
				return fault.New(fault.Invalid, "the form lacks a version")
			}
			_, err = d.Drafts.SetField(ctx, tx, e.ID, name, version, r.PostForm.Get(name), person(r).ID)
			if stale, ok := errors.AsType[*draft.StaleField](err); ok {
				theirs[name] = stale.Yours
			} else if err != nil {
				return err
			}
			detail[name] = "changed"
		}
		if len(theirs) > 0 {
			return fault.New(fault.Conflict, "somebody else has changed it")
		}
		_, err = d.Drafts.Keep(ctx, tx, e.ID, "")
		return err
	})
	if fault.Is(err, fault.Conflict) {
		return d.factsPage(w, r, http.StatusConflict, d.base(r, "").T("desk.facts.stale"), theirs)
	}
	if err != nil {
		return err
	}
	return done(w, r, room(e.ID)+"/facts", "saved")
}

// unknown names something that a form named and nothing is called.
type unknown struct{ key, name string }

func (u unknown) Error() string { return "nothing is called " + u.name }

// saveFacts serves "POST …/facts".
func (d *Desk) saveFacts(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	if barred, err := d.barred(r); err != nil || barred {
		return errors.Join(err, errBarred())
	}
	id, b := d.edition(r).ID, d.base(r, "")
	err := d.change(r, "", func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		e, err := d.Stories.EditionByID(ctx, tx, id)
		if err != nil {
			return err
		}
		st, err := d.Stories.ByID(ctx, tx, e.StoryID)
		if err != nil {
			return err
		}
		if r.PostForm.Get("mark") != factsMark(st, e) {
			return fault.New(fault.Conflict, "somebody else has changed the facts")
		}
		was, old := st, e
		if err := d.readFacts(ctx, tx, r, b, &st, &e); err != nil {
			return err
		}
		for name, changed := range map[string]bool{"section": st.SectionID != was.SectionID, "access": st.Access != was.Access, "topics": !slices.Equal(st.Topics, was.Topics),
			"bylines": !slices.Equal(st.Bylines, was.Bylines), "slug": e.Slug != old.Slug, "meta": e.MetaTitle != old.MetaTitle || e.MetaDescription != old.MetaDescription, "canonical": e.CanonicalURL != old.CanonicalURL} {
			if changed {
				detail[name] = "changed"
			}
		}
		if err := d.Stories.Save(ctx, tx, &st); err != nil {
			return err
		}
		return d.Stories.SaveEdition(ctx, tx, &e, person(r).Email)
	})
	if u, ok := errors.AsType[unknown](err); ok {
		return d.factsPage(w, r, http.StatusBadRequest, b.T(u.key, u.name), nil)
	}
	switch {
	case fault.Is(err, fault.Conflict):
		return d.factsPage(w, r, http.StatusConflict, b.T("desk.facts.stale"), nil)
	case fault.Is(err, fault.Invalid):
		return d.factsPage(w, r, http.StatusBadRequest, b.T("desk.story_room.incomplete"), nil)
	case err != nil:
		return err
	}
	return done(w, r, room(id), "saved")
}

// readFacts reads the form into a story and its edition.
func (d *Desk) readFacts(ctx context.Context, tx *db.Tx, r *http.Request, b Base, st *story.Story, e *story.Edition) error {
	f := r.PostForm
	if st.SectionID = f.Get("section"); st.SectionID != "" {
		sections, err := d.Stories.Sections(ctx, tx)
		if err != nil {
			return err
		}
		if _, ok := sections.ByID(st.SectionID); !ok {
			return fault.New(fault.Invalid, "no such section")
		}
	}
	if f.Has("access") && d.may(r, staff.ApproveStory) {
		st.Access = story.Access(f.Get("access"))
	}
	topics, err := d.Stories.Topics(ctx, tx, nil)
	if err != nil {
		return err
	}
	kept := st.Topics
	st.Topics = nil
	for _, name := range strings.Split(f.Get("topics"), "\n") {
		if name = line(name); name == "" {
			continue
		}
		id := called(name, kept, len(topics), func(i int) (string, string, []string) {
			return topics[i].ID, topics[i].Slug, allNames(topics[i].Names, topics[i].Aliases)
		})
		if id == "" {
			return unknown{"desk.facts.no_topic", name}
		}
		if !slices.Contains(st.Topics, id) {
			st.Topics = append(st.Topics, id)
		}
	}
	writers, err := d.Stories.Writers(ctx, tx, nil)
	if err != nil {
		return err
	}
	var own []story.Byline
	var before []string
	for _, line := range st.Bylines {
		before = append(before, line.AuthorID)
		if line.Lang != "" && line.Lang != e.Lang {
			own = append(own, line) // of another edition
		}
	}
	var lines []story.Byline
	for i, name := range f["byline"] {
		if name = line(name); name == "" {
			continue
		}
		id := called(name, before, len(writers), func(i int) (string, string, []string) {
			return writers[i].ID, writers[i].Slug, allNames(writers[i].Names, nil)
		})
		if id == "" {
			return unknown{"desk.facts.no_author", name}
		}
		row := story.Byline{AuthorID: id, Role: story.Role(at(f["role"], i))}
		if !slices.Contains(bylineRoleOrder[:], row.Role) {
			return fault.New(fault.Invalid, "no such role")
		}
		if slices.Contains(f["here"], strconv.Itoa(i)) {
			row.Lang = e.Lang
		}
		if !slices.Contains(lines, row) {
			lines = append(lines, row)
		}
	}
	st.Bylines = append(lines, own...)
	if slug := story.Slug(f.Get("slug")); slug != "" {
		e.Slug = slug
	}
	e.MetaTitle, e.MetaDescription, e.CanonicalURL = line(f.Get("meta_title")), line(f.Get("meta_description")), strings.TrimSpace(f.Get("canonical"))
	if len(e.MetaTitle) > maxLine || len(e.MetaDescription) > maxLine || len(e.CanonicalURL) > maxLine {
		return fault.New(fault.Invalid, "that is too long")
	}
	if u, err := url.Parse(e.CanonicalURL); e.CanonicalURL != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
		return unknown{"desk.facts.no_address", e.CanonicalURL}
	}
	return nil
}

func allNames(names story.Texts, aliases map[string][]string) (list []string) {
	for _, n := range names {
		list = append(list, n)
	}
	for _, names := range aliases {
		list = append(list, names...)
	}
	return list
}

// called gives the ID of what has a name, in any language, or that slug: first
// of those in before, then of all n.
func called(name string, before []string, n int, of func(i int) (id, slug string, names []string)) string {
	folded, found := fold(name), ""
	for i := range n {
		id, slug, names := of(i)
		if slug != name && !slices.ContainsFunc(names, func(s string) bool { return fold(line(s)) == folded }) {
			continue
		}
		if slices.Contains(before, id) || slug == name {
			return id
		}
		if found == "" {
			found = id
		}
	}
	return found
}
