package desk

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/staff"
)

// PeoplePage is the list of the staff. Template: desk/people.
type PeoplePage struct {
	Base
	Tabs    []Link
	People  []Person
	Keeps   bool     // who asks may add and change people
	Roles   []Choice // for whom is added
	Email   string   // as typed
	Name    string
	Problem string
}

// PersonPage is one of the staff, for who keeps them. Template: desk/person.
type PersonPage struct {
	Base
	Tabs     []Link
	URL      string
	Who      Person
	Self     bool // it is who asks
	Roles    []Choice
	Sections []SectionRole
	Passkeys int
	TOTP     bool
	Recovery int
	Forced   bool
	Sessions []StaffSession
	Problem  string
}

// SectionRole is what somebody is in one section.
type SectionRole struct {
	ID, Name string
	Roles    []Choice
}

func (d *Desk) peopleRoutes() []Route {
	return slices.Concat([]Route{
		{Pattern: "GET /desk/people", Act: staff.ReadDesk, handle: d.people},
		{Pattern: "POST /desk/people", Act: staff.KeepStaff, handle: d.personAdd},
		{Pattern: "GET /desk/people/{person}", Act: staff.KeepStaff, handle: d.person},
		{Pattern: "POST /desk/people/{person}/name", Act: staff.KeepStaff, handle: d.personName},
		{Pattern: "POST /desk/people/{person}/role", Act: staff.KeepStaff, handle: d.personRole},
		{Pattern: "POST /desk/people/{person}/disable", Act: staff.KeepStaff, handle: d.personDisable},
		{Pattern: "POST /desk/people/{person}/enable", Act: staff.KeepStaff, handle: d.personEnable},
		{Pattern: "POST /desk/people/{person}/link", Act: staff.KeepStaff, handle: d.personLink},
		{Pattern: "POST /desk/people/{person}/sessions", Act: staff.KeepStaff, handle: d.personSessions},
		{Pattern: "POST /desk/people/{person}/reset", Act: staff.KeepStaff, handle: d.personReset},
	}, d.auditRoutes(), d.tokenRoutes(), d.webhookRoutes())
}

// peopleTabs are the pages of the room that somebody may see.
func (d *Desk) peopleTabs(r *http.Request, b Base) []Link {
	var tabs []Link
	for _, t := range []struct {
		key, url string
		act      staff.Act
	}{
		{"desk.people", "/desk/people", staff.ReadDesk},
		{"desk.audit.title", "/desk/people/audit", staff.ReadAudit},
		{"desk.tokens.title", "/desk/people/tokens", staff.KeepTokens},
		{"desk.webhooks.title", "/desk/people/webhooks", staff.KeepTokens},
	} {
		if person(r).Ever(t.act) {
			tabs = append(tabs, Link{Name: b.T(t.key), URL: t.url, Current: r.URL.Path == t.url || t.url == "/desk/people/webhooks" && strings.HasPrefix(r.URL.Path, t.url+"/")})
		}
	}
	if len(tabs) == 1 {
		return nil
	}
	return tabs
}

// people serves "/desk/people".
func (d *Desk) people(w http.ResponseWriter, r *http.Request) error {
	return d.peoplePage(w, r, http.StatusOK, staff.Reporter, "")
}

func (d *Desk) peoplePage(w http.ResponseWriter, r *http.Request, status int, chosen staff.Role, problem string) error {
	p := PeoplePage{Base: d.base(r, ""), Keeps: d.may(r, staff.KeepStaff), Problem: problem, Email: r.PostForm.Get("email"), Name: r.PostForm.Get("name")}
	p.Title, p.Tabs, p.Roles = p.T("desk.people"), d.peopleTabs(r, p.Base), roleChoices(p.Base, chosen)
	list, err := d.Staff.List(r.Context(), d.DB.Read())
	if err != nil {
		return err
	}
	for _, who := range list {
		row := d.personRow(p.Base, who)
		if p.Keeps {
			row.URL = "/desk/people/" + who.ID
		}
		p.People = append(p.People, row)
	}
	return d.send(w, r, status, "people", p)
}

func (d *Desk) personRow(b Base, p staff.Person) Person {
	return Person{Name: p.Name, Email: p.Email, Role: b.T("desk.role." + string(p.Role)), Since: b.Date(p.CreatedAt.In(d.Config.Timezone)),
		Disabled: p.Disabled(), Sections: len(p.Sections)}
}

func roleChoices(b Base, chosen staff.Role) (list []Choice) {
	for _, role := range staff.Roles() {
		list = append(list, Choice{Value: string(role), Name: b.T("desk.role." + string(role)), Current: role == chosen})
	}
	return list
}

// personAdd serves "POST /desk/people".
func (d *Desk) personAdd(w http.ResponseWriter, r *http.Request) error {
	if err := smallForm(w, r); err != nil {
		return err
	}
	role := staff.Role(r.PostForm.Get("role"))
	var added staff.Person
	err := d.DB.InTx(r.Context(), func(tx *db.Tx) (err error) {
		added, err = d.Staff.Add(r.Context(), tx, staff.Person{Email: r.PostForm.Get("email"), Name: cleanLine(r.PostForm.Get("name")), Role: role})
		if err != nil {
			return err
		}
		err = d.Staff.Record(r.Context(), tx, staff.Entry{Who: person(r), Act: staff.KeepStaff, Object: "staff:" + added.ID,
			Detail: map[string]string{"added": added.Email, "role": string(role)}})
		if err == nil && r.PostForm.Get("link") != "" {
			err = d.PostLink(r.Context(), tx, LinkLetter{Email: added.Email, Lang: d.lang(r), By: person(r).ID})
		}
		return err
	})
	words := language.Get(d.lang(r))
	switch {
	case fault.Is(err, fault.Conflict):
		return d.peoplePage(w, r, http.StatusConflict, role, words.T("desk.people_room.known"))
	case fault.Is(err, fault.Invalid):
		return d.peoplePage(w, r, http.StatusUnprocessableEntity, role, words.T("desk.people_room.bad"))
	case err != nil:
		return err
	}
	return done(w, r, "/desk/people/"+added.ID, "person_added")
}

// person serves "/desk/people/{person}".
func (d *Desk) person(w http.ResponseWriter, r *http.Request) error {
	return d.personPage(w, r, http.StatusOK, "")
}

func (d *Desk) personPage(w http.ResponseWriter, r *http.Request, status int, problem string) error {
	ctx, q := r.Context(), d.DB.Read()
	who, err := d.Staff.ByID(ctx, q, legible(r.PathValue("person")))
	if err != nil {
		return err
	}
	p := PersonPage{Base: d.base(r, ""), URL: "/desk/people/" + who.ID, Self: who.ID == person(r).ID, Forced: d.Staff.Forces(who)}
	p.Who, p.Title, p.Tabs, p.Roles = d.personRow(p.Base, who), who.Name, d.peopleTabs(r, p.Base), roleChoices(p.Base, who.Role)
	if p.Title == "" {
		p.Title = who.Email
	}
	sections, err := d.Stories.Sections(ctx, q)
	if err != nil {
		return err
	}
	for _, s := range sections {
		var path []string
		for _, part := range slices.Backward(sections.Path(s.ID)) {
			path = append(path, nameIn(part.Names, p.Lang, d.Config.Language, part.Slug))
		}
		row := SectionRole{ID: s.ID, Name: strings.Join(path, " › "), Roles: roleChoices(p.Base, who.Sections[s.ID])}
		row.Roles = append([]Choice{{Name: p.T("desk.people_room.as_everywhere"), Current: who.Sections[s.ID] == ""}}, row.Roles...)
		p.Sections = append(p.Sections, row)
	}
	f, err := d.Staff.Factors(ctx, q, who.ID)
	if err != nil {
		return err
	}
	p.Passkeys, p.TOTP, p.Recovery = len(f.Passkeys), f.TOTP.Enrolled(), f.Recovery
	if p.Sessions, err = d.staffSessions(r, p.Base, who.ID); err != nil {
		return err
	}
	if problem != "" {
		p.Problem = p.T(problem)
	}
	return d.send(w, r, status, "person", p)
}

// keep makes a change to one of the staff, and leads back to his page.
func (d *Desk) keep(w http.ResponseWriter, r *http.Request, key string, fn func(ctx context.Context, tx *db.Tx, who staff.Person, detail map[string]string) error) error {
	if err := form(w, r); err != nil {
		return err
	}
	id := legible(r.PathValue("person"))
	err := d.change(r, "staff:"+id, func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		who, err := d.Staff.ByID(ctx, tx, id)
		if err != nil {
			return err
		}
		detail["person"] = who.Email
		return fn(ctx, tx, who, detail)
	})
	if fault.Is(err, fault.Conflict) {
		return d.personPage(w, r, http.StatusConflict, "desk.people_room.last_owner")
	}
	if err != nil {
		return err
	}
	return done(w, r, "/desk/people/"+id, key)
}

// personName serves "POST /desk/people/{person}/name".
func (d *Desk) personName(w http.ResponseWriter, r *http.Request) error {
	return d.keep(w, r, "saved", func(ctx context.Context, tx *db.Tx, who staff.Person, detail map[string]string) error {
		detail["name"] = cleanLine(r.PostForm.Get("name"))
		return d.Staff.Rename(ctx, tx, who.ID, detail["name"])
	})
}

// personRole serves "POST /desk/people/{person}/role": the role everywhere, and
// those in sections, as section.ID.
func (d *Desk) personRole(w http.ResponseWriter, r *http.Request) error {
	return d.keep(w, r, "saved", func(ctx context.Context, tx *db.Tx, who staff.Person, detail map[string]string) error {
		known, err := d.Stories.Sections(ctx, tx)
		if err != nil {
			return err
		}
		sections := map[string]staff.Role{}
		for _, s := range known {
			if role := r.PostForm.Get("section." + s.ID); role != "" {
				sections[s.ID] = staff.Role(role)
			}
			if was, now := who.Sections[s.ID], sections[s.ID]; was != now {
				detail["in "+s.Slug] = string(was) + " → " + string(now)
			}
		}
		role, err := staff.ParseRole(r.PostForm.Get("role"))
		if err != nil {
			return err
		}
		if role != who.Role {
			detail["role"] = string(who.Role) + " → " + string(role)
			if err := d.Staff.SetRole(ctx, tx, who.ID, role); err != nil {
				return err
			}
		}
		if maps.Equal(sections, who.Sections) {
			return nil
		}
		return d.Staff.SetSections(ctx, tx, who.ID, sections)
	})
}

// personDisable serves "POST /desk/people/{person}/disable".
func (d *Desk) personDisable(w http.ResponseWriter, r *http.Request) error {
	return d.keep(w, r, "person_disabled", func(ctx context.Context, tx *db.Tx, who staff.Person, detail map[string]string) error {
		detail["disabled"] = "yes"
		return d.Staff.Disable(ctx, tx, who.ID)
	})
}

// personEnable serves "POST /desk/people/{person}/enable".
func (d *Desk) personEnable(w http.ResponseWriter, r *http.Request) error {
	return d.keep(w, r, "person_enabled", func(ctx context.Context, tx *db.Tx, who staff.Person, detail map[string]string) error {
		detail["disabled"] = "no"
		return d.Staff.Enable(ctx, tx, who.ID)
	})
}

// personLink serves "POST /desk/people/{person}/link".
func (d *Desk) personLink(w http.ResponseWriter, r *http.Request) error {
	return d.keep(w, r, "person_link", func(ctx context.Context, tx *db.Tx, who staff.Person, detail map[string]string) error {
		if who.Disabled() {
			return fault.New(fault.Forbidden, "this person is disabled").WithHint("enable the person first")
		}
		detail["link"] = "asked for"
		return d.PostLink(ctx, tx, LinkLetter{Email: who.Email, Lang: d.lang(r), By: person(r).ID})
	})
}

// personSessions serves "POST /desk/people/{person}/sessions".
func (d *Desk) personSessions(w http.ResponseWriter, r *http.Request) error {
	return d.keep(w, r, "session_ended", func(ctx context.Context, tx *db.Tx, who staff.Person, detail map[string]string) error {
		if id := r.PostForm.Get("session"); id != "" {
			detail["session"] = "one ended"
			return d.Staff.EndSessionOf(ctx, tx, who.ID, id)
		}
		detail["session"] = "all ended"
		return d.Staff.EndSessions(ctx, tx, who.ID)
	})
}

// personReset serves "POST /desk/people/{person}/reset": the second factors of
// who has lost them. Nobody resets his own: a stolen session would.
func (d *Desk) personReset(w http.ResponseWriter, r *http.Request) error {
	return d.keep(w, r, "person_reset", func(ctx context.Context, tx *db.Tx, who staff.Person, detail map[string]string) error {
		if who.ID == person(r).ID {
			return fault.New(fault.Forbidden, "nobody resets his own second factors").WithHint("ask another owner, or whoever runs the server")
		}
		detail["second factors"] = "removed"
		return d.Staff.Reset(ctx, tx, who.ID)
	})
}

// cleanLine gives what somebody typed as one line of at most 120 letters.
func cleanLine(s string) string { return cut(strings.Join(strings.Fields(s), " "), 120) }
