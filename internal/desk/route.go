package desk

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/staff"
	"masthead/internal/story"
	"masthead/internal/web"
)

// Route is one address of the desk, and what it takes to come in. Nobody is
// asked twice: a handler runs only for who may do its act to its object.
type Route struct {
	Pattern string       // "POST /desk/stories/{edition}/publish", as for http.ServeMux
	Act     staff.Act    // what the handler does; every POST leaves an entry of it in the audit log
	On      Subject      // what it does it to
	JSON    bool         // its failures are problem documents (RFC 9457), for programs
	Either  bool         // JSON is set for who asks for it, and is not for a browser
	Open    bool         // for anybody who is not signed in: the door
	Fresh   bool         // asks for a second factor that was shown lately, as every route of a sensitive act does
	Lacking []staff.Lack // whose session lacks this comes in all the same

	handle web.Handler
}

// Subject is what a route's act is done to.
type Subject string

// The subjects. A route on an edition or a story names it in its pattern, and
// its handler has it from [Desk.edition] or [Desk.storyOf].
const (
	OnDesk    Subject = ""        // nothing in particular: the role everywhere decides
	OnAny     Subject = "any"     // lists and forms: whoever may do the act to something, somewhere
	OnEdition Subject = "edition" // {edition}
	OnStory   Subject = "story"   // {story}
)

// Routes gives every route of the desk. Tests walk over it.
func (d *Desk) Routes() []Route {
	return slices.Concat(
		d.doorRoutes(),
		d.storyRoutes(),
		d.writeRoutes(),
		d.planRoutes(),
		d.frontRoutes(),
		d.siteRoutes(),
		d.mediaRoutes(),
		d.subjectRoutes(),
		d.readerRoutes(),
		d.wallRoutes(),
		d.peopleRoutes(),
		d.secondRoutes(),
		d.meRoutes(),
		[]Route{{Pattern: "/desk/", Act: staff.ReadDesk, handle: func(w http.ResponseWriter, r *http.Request) error {
			return fault.New(fault.NotFound, "there is no such room", "path", r.URL.Path)
		}}},
	)
}

type subjectKey struct{}

// subject is what was found of a route's object.
type subject struct {
	act     staff.Act
	object  staff.Object
	edition story.Edition
	story   story.Story
}

// wantsJSON reports whether a request comes from a script or a program.
func wantsJSON(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "application/json") || strings.HasPrefix(r.Header.Get("Content-Type"), "application/json")
}

// admit finds the object of a request, and lets in who may do the act to it.
func (d *Desk) admit(route Route, h web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if route.Open {
			return h(w, r)
		}
		visit, _ := visitOf(r)
		found, err := d.find(r, route, visit.Person)
		if err != nil {
			return err
		}
		allowed := visit.Person.May(route.Act, found.object)
		if route.On == OnAny {
			allowed = visit.Person.Ever(route.Act)
		}
		if !allowed {
			return visit.Person.Need(route.Act, found.object)
		}
		if d.stale(r, route) {
			return d.lacking(w, r, route, staff.LacksConfirmation)
		}
		return h(w, r.WithContext(context.WithValue(r.Context(), subjectKey{}, found)))
	}
}

func (d *Desk) find(r *http.Request, route Route, p staff.Person) (s subject, err error) {
	s.act = route.Act
	ctx, q := r.Context(), d.DB.Read()
	var id string
	switch route.On {
	case OnEdition:
		if s.edition, err = d.Stories.EditionByID(ctx, q, legible(r.PathValue("edition"))); err != nil {
			return s, err
		}
		id = s.edition.StoryID
	case OnStory:
		id = legible(r.PathValue("story"))
	default:
		return s, nil
	}
	if s.story, err = d.Stories.ByID(ctx, q, id); err != nil {
		return s, err
	}
	s.object, err = d.object(ctx, q, p, s.story)
	return s, err
}

// object gives what a story is to somebody who would do something to it.
func (d *Desk) object(ctx context.Context, q db.Queryer, p staff.Person, st story.Story) (o staff.Object, err error) {
	sections, err := d.Stories.Sections(ctx, q)
	if err != nil {
		return o, err
	}
	for _, s := range sections.Path(st.SectionID) {
		o.Sections = append(o.Sections, s.ID)
	}
	if o.Own = st.CreatedBy == p.ID; !o.Own {
		o.Own, err = d.Plans.Assigned(ctx, q, st.ID, p.ID)
	}
	return o, err
}

// legible gives "" for what no database takes for text.
func legible(id string) string {
	if printable(id) {
		return id
	}
	return ""
}

// edition gives the edition that the address names.
func (d *Desk) edition(r *http.Request) story.Edition { return subjectOf(r).edition }

// storyOf gives the story that the address names, or whose edition it names.
func (d *Desk) storyOf(r *http.Request) story.Story { return subjectOf(r).story }

func subjectOf(r *http.Request) subject {
	s, _ := r.Context().Value(subjectKey{}).(subject)
	return s
}

// person gives who works at the desk; the zero person at its door.
func person(r *http.Request) staff.Person {
	v, _ := visitOf(r)
	return v.Person
}

// may reports whether who asks may do an act to what the address names: what a
// page shows of its buttons.
func (d *Desk) may(r *http.Request, a staff.Act) bool {
	return person(r).May(a, subjectOf(r).object)
}

// change makes a change in one transaction, with an entry in the audit log: the
// route's act, on object ("edition:ID"; "" takes the edition or story of the
// address). fn may add to the entry's detail.
func (d *Desk) change(r *http.Request, object string, fn func(ctx context.Context, tx *db.Tx, detail map[string]string) error) error {
	s := subjectOf(r)
	switch {
	case object != "":
	case s.edition.ID != "":
		object = "edition:" + s.edition.ID
	case s.story.ID != "":
		object = "story:" + s.story.ID
	}
	return d.DB.InTx(r.Context(), func(tx *db.Tx) error {
		detail := map[string]string{}
		if err := fn(r.Context(), tx, detail); err != nil {
			return err
		}
		return d.Staff.Record(r.Context(), tx, d.entry(r, object, detail))
	})
}

// entry is what the audit log tells of what a request did.
func (d *Desk) entry(r *http.Request, object string, detail map[string]string) staff.Entry {
	return staff.Entry{Who: person(r), Act: subjectOf(r).act, Object: object, Detail: detail}
}

// form reads a form of at most a megabyte.
func form(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if err := r.ParseForm(); err != nil {
		return fault.New(fault.Invalid, "the form cannot be read")
	}
	for _, values := range r.Form {
		for _, v := range values {
			if strings.ContainsRune(v, 0) {
				return fault.New(fault.Invalid, "the form holds what is no text")
			}
		}
	}
	return nil
}

// done leads to another page after a form, which says there what was done:
// key is one of the catalogue's desk.done.
func done(w http.ResponseWriter, r *http.Request, to, key string) error {
	if key != "" {
		sep := "?"
		if strings.Contains(to, "?") {
			sep = "&"
		}
		to += sep + "done=" + key
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}
