package desk

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/staff"
	"masthead/internal/story"
)

// perPage is how many editions the list shows at once; maxWords is how many
// bytes of a search are read.
const (
	perPage  = 50
	maxWords = 200
)

// statuses are those that an edition goes through, in that order.
var statuses = [...]story.Status{story.Pitch, story.Assigned, story.Draft, story.Review, story.Approved, story.Scheduled, story.Published, story.Withdrawn}

// StoriesPage is the list of all editions. Template: desk/stories.
type StoriesPage struct {
	Base
	Status    string   // chosen; "" for every one
	Words     string   // looked for in headlines
	Statuses  []Choice // the first is every one
	Languages []Choice
	Rows      []Row
	Starts    bool   // who asks may begin a story
	Newest    string // address of the beginning, when this is not it
	Older     string // address of what follows; "" at the end
}

// Choice is one way to narrow the list.
type Choice struct {
	Name    string
	Value   string
	URL     string
	Count   string // "" while words are looked for
	Lang    string // of the name, where it is not the desk's
	Dir     string
	Current bool
}

// Row is one edition in the list.
type Row struct {
	URL        string // its room
	Public     string // its page on the site; "" where it has none
	Headline   string // "" where it has none yet
	Lang, Dir  string // of the headline
	Language   string // in itself: "العربية"
	Status     string // "draft"
	StatusName string
	Section    string
	Page       bool // a standing page
	Access     string
	Changed    language.Moment // the list's order
	Scheduled  language.Moment // when it will be published
}

// stories serves "/desk/".
func (d *Desk) stories(w http.ResponseWriter, r *http.Request) error {
	p := StoriesPage{Base: d.base(r, "")}
	p.Title = p.T("desk.stories")
	q := r.URL.Query()
	f := filter{Status: story.Status(q.Get("status")), Lang: q.Get("lang"), Words: strings.TrimSpace(q.Get("q"))}
	if f.Status != "" && !slices.Contains(statuses[:], f.Status) || !printable(f.Lang) || len(f.Words) > maxWords {
		return fault.New(fault.Invalid, "the list cannot be narrowed like that")
	}
	var err error
	if f.After, err = parsePlace(q.Get("after")); err != nil {
		return err
	}
	entries, more, err := d.list(r.Context(), f, perPage)
	if err != nil {
		return err
	}
	counts, err := d.counts(r.Context())
	if err != nil {
		return err
	}
	sections, err := d.Stories.Sections(r.Context(), d.DB.Read())
	if err != nil {
		return err
	}
	p.Starts = person(r).Ever(staff.StartStory)
	p.Status, p.Words = string(f.Status), f.Words
	p.Statuses, p.Languages = d.choices(p.Furniture, p.Lang, f, counts)
	for _, e := range entries {
		p.Rows = append(p.Rows, d.row(p.Base, sections, e))
	}
	if f.After.ID != "" {
		p.Newest = listURL(f, "")
	}
	if more {
		last := entries[len(entries)-1]
		p.Older = listURL(f, place{last.Updated, last.ID}.String())
	}
	return d.send(w, r, http.StatusOK, "stories", p)
}

func (d *Desk) row(b Base, sections story.Sections, e entry) Row {
	row := Row{
		URL: room(e.ID), Headline: e.Headline, Lang: e.Lang, Dir: language.Dir(e.Lang), Language: language.OwnName(e.Lang),
		Status: string(e.Status), StatusName: b.T("desk.status." + string(e.Status)),
		Page: e.Kind == story.Page, Access: accessName(b.Furniture, e.Access, e.Protected), Section: d.sectionName(b, sections, e.SectionID),
	}
	if e.Status == story.Published {
		row.Public = (&url.URL{Path: e.Path}).EscapedPath()
	}
	row.Changed = b.Date(e.Updated.In(d.Config.Timezone))
	if e.Status == story.Scheduled {
		row.Scheduled = d.moment(b, e.Published)
	}
	return row
}

// sectionName is what a section is called in the desk's language; "" for none.
func (d *Desk) sectionName(b Base, sections story.Sections, id string) string {
	s, _ := sections.ByID(id)
	return s.Names.In(b.Lang, d.Config.Language)
}

// choices gives the statuses and the languages that the list can be narrowed
// to. Each keeps what is chosen of the other.
func (d *Desk) choices(f *language.Furniture, lang string, chosen filter, counts map[story.Status]map[string]int) (byStatus, byLang []Choice) {
	total, langs := 0, map[string]bool{}
	for _, status := range statuses {
		n := 0
		for l, count := range counts[status] {
			langs[l] = true
			if chosen.Lang == "" || chosen.Lang == l {
				n += count
			}
		}
		total += n
		other := chosen
		other.Status = status
		byStatus = append(byStatus, Choice{Name: f.T("desk.status." + string(status)), Value: string(status), URL: listURL(other, ""),
			Count: f.Number(n), Current: chosen.Status == status})
	}
	every := chosen
	every.Status = ""
	byStatus = append([]Choice{{Name: f.T("desk.every_status"), URL: listURL(every, ""), Count: f.Number(total), Current: chosen.Status == ""}}, byStatus...)
	if chosen.Words != "" {
		for i := range byStatus {
			byStatus[i].Count = ""
		}
	}
	byLang = []Choice{{Name: f.T("desk.every_language"), Current: chosen.Lang == ""}}
	own := slices.SortedFunc(maps.Keys(langs), func(a, b string) int {
		return cmp.Or(boolCompare(b == d.Config.Language, a == d.Config.Language), cmp.Compare(a, b))
	})
	for _, l := range own {
		c := Choice{Name: language.OwnName(l), Value: l, Current: chosen.Lang == l}
		if l != lang {
			c.Lang, c.Dir = l, language.Dir(l)
		}
		byLang = append(byLang, c)
	}
	return byStatus, byLang
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// listURL gives the address of the list as f narrows it, behind a place.
func listURL(f filter, after string) string {
	return withQuery("/desk/", "status", string(f.Status), "lang", f.Lang, "q", f.Words, "after", after)
}

// accessName says in words what a story asks of its readers.
func accessName(f *language.Furniture, a story.Access, protected bool) string {
	if protected {
		return f.T("desk.access.password")
	}
	if tier, ok := a.Tier(); ok {
		return f.T("desk.access.tier", tier)
	}
	if a == story.ByRule {
		return f.T("desk.access.rule")
	}
	return f.T("desk.access." + string(a))
}
