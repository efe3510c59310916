package desk

import (
	"net/http"

	"masthead/internal/staff"
)

// PeoplePage is the list of the staff. Template: desk/people.
type PeoplePage struct {
	Base
	People []Person
}

func (d *Desk) peopleRoutes() []Route {
	return []Route{
		{Pattern: "GET /desk/people", Act: staff.ReadDesk, handle: d.people},
	}
}

// people serves "/desk/people".
func (d *Desk) people(w http.ResponseWriter, r *http.Request) error {
	p := PeoplePage{Base: d.base(r, "")}
	p.Title = p.T("desk.people")
	list, err := d.Staff.List(r.Context(), d.DB.Read())
	if err != nil {
		return err
	}
	for _, person := range list {
		p.People = append(p.People, Person{Name: person.Name, Email: person.Email, Role: p.T("desk.role." + string(person.Role)),
			Since: p.Date(person.CreatedAt.In(d.Config.Timezone)), Disabled: person.Disabled()})
	}
	return d.send(w, r, http.StatusOK, "people", p)
}
