package desk

import (
	"net/http"
	"net/url"
	"strings"

	"masthead/internal/language"
	"masthead/internal/staff"
	"masthead/internal/web"
)

// Base is what every page of the desk has. A page struct embeds it. Its
// Furniture gives templates T, N, Date and the rest; a nil one speaks English.
type Base struct {
	*language.Furniture

	Site   string // the newsroom's name
	Lang   string // BCP 47, of the desk's own words
	Dir    string
	Title  string
	Nav    []Link
	Person *Person // who works here; nil at the door
	Notice string  // one sentence at the top
}

// Here is the room that the page stands in, for the button of a phone's menu;
// outside every room it is the desk.
func (b Base) Here() string {
	for _, room := range b.Nav {
		if room.Current {
			return room.Name
		}
	}
	return b.T("desk.title")
}

// Link is words that lead somewhere.
type Link struct {
	Name    string
	URL     string
	Current bool
}

// withQuery gives an address with a query of names and values, of which those
// without a value are left out.
func withQuery(path string, query ...string) string {
	v := url.Values{}
	for i := 0; i < len(query); i += 2 {
		if query[i+1] != "" {
			v.Set(query[i], query[i+1])
		}
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

// rooms are the bar's links, from left to right: each is a room of several
// pages below its address, or at one of its other addresses.
var rooms = []struct {
	key, url string
	also     []string // further prefixes of addresses that belong to the room
	act      staff.Act
}{
	{"desk.stories", "/desk/", []string{"/desk/stories/"}, staff.ReadDesk},
	{"desk.plan.title", "/desk/plan", nil, staff.ReadDesk},
	{"desk.fronts.title", "/desk/fronts", nil, staff.ArrangeFront},
	{"desk.media.title", "/desk/media", nil, staff.ReadDesk},
	{"desk.subjects.title", "/desk/subjects", nil, staff.KeepTaxonomy},
	{"desk.readers.title", "/desk/readers", nil, staff.ReadReaders},
	{"desk.walls.title", "/desk/wall", nil, staff.KeepWall},
	{"desk.site.title", "/desk/site", nil, staff.KeepSite},
	{"desk.people", "/desk/people", nil, staff.ReadDesk},
}

// nav gives the links to the rooms that somebody may enter.
func nav(r *http.Request, f *language.Furniture, p staff.Person) []Link {
	var links []Link
	for _, room := range rooms {
		if !p.Ever(room.act) {
			continue
		}
		current := r.URL.Path == room.url || room.url != "/desk/" && strings.HasPrefix(r.URL.Path, room.url+"/")
		for _, prefix := range room.also {
			current = current || strings.HasPrefix(r.URL.Path, prefix)
		}
		links = append(links, Link{Name: f.T(room.key), URL: room.url, Current: current})
	}
	return links
}

// Person is one of the staff.
type Person struct {
	Name     string // may be empty
	Email    string
	Role     string // in the desk's words
	Since    language.Moment
	Disabled bool
	Sections int    // in which he is more than everywhere
	URL      string // of his page; "" for who may not change it
}

func (d *Desk) base(r *http.Request, title string) Base {
	lang := d.lang(r)
	f := language.Get(lang)
	b := Base{Furniture: f, Site: d.Config.Title, Lang: lang, Dir: language.Dir(lang), Title: title}
	if v, ok := visitOf(r); ok {
		b.Person = &Person{Name: v.Person.Name, Email: v.Person.Email, Role: f.T("desk.role." + string(v.Person.Role))}
		if d.Staff.Lack(v) == staff.LacksNothing {
			b.Nav = nav(r, f, v.Person)
		}
	}
	if key := "desk.done." + r.URL.Query().Get("done"); f.Has(key) {
		b.Notice = f.T(key)
	}
	return b
}

// send renders a page. Nothing of the desk is kept by any cache, so that it is
// gone from the browser once somebody has signed out.
func (d *Desk) send(w http.ResponseWriter, r *http.Request, status int, name string, page any) error {
	body, err := d.Pages.Bytes("desk/"+name, page)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "private, no-store")
	w.WriteHeader(status)
	w.Write(body) // whoever has left is no error of ours
	return nil
}

// ErrorPage tells of a failure. Template: desk/error.
type ErrorPage struct {
	Base
	Status    int
	Sentence  string
	RequestID string // of a fault of ours
}

func (d *Desk) errorPage(r *http.Request, f web.Failure) (string, any) {
	words := language.Get(d.lang(r))
	key := "error." + strings.ReplaceAll(f.Kind.String(), " ", "_")
	p := ErrorPage{Base: d.base(r, words.T(key+".title")), Status: f.Status, Sentence: words.T(key + ".sentence")}
	if f.Status >= http.StatusInternalServerError {
		p.RequestID = f.RequestID
	}
	return "desk/error", p
}
