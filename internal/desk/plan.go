package desk

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"

	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/plan"
	"masthead/internal/staff"
	"masthead/internal/story"
)

// BoardPage is what is where. Template: desk/board.
type BoardPage struct {
	Base
	Tabs    []Link
	Filters PlanFilters
	Columns []BoardColumn
	Starts  bool
}

// PlanFilters are the ways to narrow the board and the calendar.
type PlanFilters struct {
	Action    string
	Sections  []Choice
	People    []Choice // none in the calendar
	Languages []Choice
	Keep      map[string]string // what else the form takes along
}

// BoardColumn is the editions of one status.
type BoardColumn struct {
	Status, Name string
	Cards        []BoardCard
	More         string // where the rest is listed; "" for none
}

// BoardCard is one edition on the board.
type BoardCard struct {
	URL, Headline, Lang, Dir, Language string
	Section                            string
	When                               language.Moment // scheduled, published or last changed
	Embargo                            language.Moment
	Day                                language.Moment
	Work                               []WorkLine
}

// WorkPage lists what is to be done. Template: desk/work.
type WorkPage struct {
	Base
	Tabs  []Link
	All   bool
	Mine  string // address of one's own
	Every string // address of everybody's
	Rows  []WorkLine
}

// How many editions a column shows, and assignments a list.
const (
	perColumn = 40
	perWork   = 300
)

func (d *Desk) planRoutes() []Route {
	return []Route{
		{Pattern: "GET /desk/plan", Act: staff.ReadDesk, handle: d.board},
		{Pattern: "GET /desk/plan/calendar", Act: staff.ReadDesk, handle: d.calendar},
		{Pattern: "GET /desk/plan/work", Act: staff.ReadDesk, handle: d.work},
	}
}

func planTabs(r *http.Request, b Base) (tabs []Link) {
	for _, t := range [][2]string{{"desk.plan.board", "/desk/plan"}, {"desk.plan.calendar", "/desk/plan/calendar"}, {"desk.plan.work", "/desk/plan/work"}} {
		tabs = append(tabs, Link{Name: b.T(t[0]), URL: t[1], Current: r.URL.Path == t[1]})
	}
	return tabs
}

// planFilter reads how the board or the calendar is narrowed, and the sections
// and the people that both show.
func (d *Desk) planFilter(r *http.Request, b Base) (f plan.Filter, form PlanFilters, sections story.Sections, people []staff.Person, err error) {
	if sections, err = d.Stories.Sections(r.Context(), d.DB.Read()); err != nil {
		return
	}
	if people, err = d.Staff.List(r.Context(), d.DB.Read()); err != nil {
		return
	}
	q := r.URL.Query()
	section, lang, who := q.Get("section"), q.Get("lang"), q.Get("who")
	if !printable(section+lang+who) || len(section+lang+who) > 200 {
		return f, form, nil, nil, fault.New(fault.Invalid, "the plan cannot be narrowed like that")
	}
	if section != "" {
		if _, ok := sections.ByID(section); !ok {
			return f, form, nil, nil, fault.New(fault.NotFound, "no such section")
		}
		f.SectionIDs = sections.Within(section)
	}
	f.Lang, f.StaffID = lang, who
	form = PlanFilters{Action: r.URL.Path}
	form.Sections = d.sectionChoices(sections, b, section)
	form.Sections[0].Name = b.T("desk.plan.every_section")
	form.Languages = append([]Choice{{Name: b.T("desk.every_language"), Current: lang == ""}}, d.languageChoices(lang)...)
	form.People = []Choice{{Name: b.T("desk.plan.everybody"), Current: who == ""}}
	for _, p := range people {
		if !p.Disabled() || p.ID == who {
			form.People = append(form.People, Choice{Value: p.ID, Name: nameOf(p), Current: p.ID == who})
		}
	}
	return f, form, sections, people, nil
}

// board serves "/desk/plan".
func (d *Desk) board(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), d.DB.Read()
	p := BoardPage{Base: d.base(r, ""), Starts: person(r).Ever(staff.StartStory)}
	p.Title, p.Tabs = p.T("desk.plan.title"), planTabs(r, p.Base)
	f, filters, sections, people, err := d.planFilter(r, p.Base)
	if err != nil {
		return err
	}
	p.Filters = filters
	names := peopleNames(people)
	for _, status := range plan.Columns() {
		cards, more, err := d.Plans.Column(ctx, q, status, f, perColumn)
		if err != nil {
			return err
		}
		c := BoardColumn{Status: string(status), Name: p.T("desk.status." + string(status))}
		if more {
			c.More = listURL(filter{Status: status, Lang: f.Lang}, "")
		}
		for _, card := range cards {
			c.Cards = append(c.Cards, d.boardCard(r, p.Base, sections, card, names))
		}
		p.Columns = append(p.Columns, c)
	}
	return d.send(w, r, http.StatusOK, "board", p)
}

func (d *Desk) boardCard(r *http.Request, b Base, sections story.Sections, c plan.Card, names map[string]string) BoardCard {
	card := BoardCard{URL: room(c.EditionID), Language: language.OwnName(c.Lang), When: b.Date(c.UpdatedAt.In(d.Config.Timezone)), Section: d.sectionName(b, sections, c.SectionID)}
	card.Headline, card.Lang, card.Dir = headlineIn(b, c.Headline, c.Lang)
	if c.Status == story.Scheduled || c.Status == story.Published {
		card.When = d.moment(b, c.PublishedAt)
	}
	if c.EmbargoUntil.After(d.Now()) {
		card.Embargo = d.moment(b, c.EmbargoUntil)
	}
	if c.Day > 0 {
		card.Day = b.Date(dayTime(c.Day))
	}
	for _, a := range c.Work {
		card.Work = append(card.Work, d.workLine(r, b, a, c.EditionID, names))
	}
	return card
}

// headlineIn gives a headline with its language and direction; that an edition
// has none yet is said in the desk's.
func headlineIn(b Base, headline, lang string) (text, itsLang, dir string) {
	if headline == "" {
		return b.T("desk.untitled"), b.Lang, b.Dir
	}
	return headline, lang, language.Dir(lang)
}

// dayTime gives a day of plans, 20261123, as a time in UTC.
func dayTime(day int) time.Time {
	return time.Date(day/10000, time.Month(day/100%100), day%100, 0, 0, 0, 0, time.UTC)
}

// work serves "/desk/plan/work": one's own assignments, or everybody's.
func (d *Desk) work(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), d.DB.Read()
	p := WorkPage{Base: d.base(r, ""), All: r.URL.Query().Get("of") == "all", Mine: "/desk/plan/work", Every: "/desk/plan/work?of=all"}
	p.Title, p.Tabs = p.T("desk.plan.work"), planTabs(r, p.Base)
	whose := person(r).ID
	if p.All {
		whose = ""
	}
	list, err := d.Plans.Works(ctx, q, whose, perWork)
	if err != nil {
		return err
	}
	people, err := d.Staff.List(ctx, q)
	if err != nil {
		return err
	}
	names := peopleNames(people)
	for _, item := range list {
		line := d.workLine(r, p.Base, item.Assignment, item.EditionID, names)
		line.Headline, line.Lang, line.Dir = headlineIn(p.Base, item.Headline, item.EditionLang)
		line.Room, line.Status, line.MayDo = room(item.EditionID), p.T("desk.status."+string(item.Status)), line.Mine
		p.Rows = append(p.Rows, line)
	}
	return d.send(w, r, http.StatusOK, "work", p)
}

// CalendarPage is a month or a week. Template: desk/calendar.
type CalendarPage struct {
	Base
	Tabs     []Link
	Filters  PlanFilters
	Name     language.Moment // of the month
	Earlier  string
	Later    string
	Today    string
	Month    string // the other view
	Week     string
	Weekdays []string
	Weeks    [][]CalendarDay // of a month
	Days     []CalendarDay   // of a week: its head
	Sections []CalendarRow   // of a week
	Zone     string
}

// CalendarDay is one day.
type CalendarDay struct {
	Number  string
	Date    language.Moment
	Weekday string
	Out     bool // of another month
	Today   bool
	Entries []CalendarEntry
}

// CalendarRow is the week of one section.
type CalendarRow struct {
	Name string
	Days []CalendarDay
}

// CalendarEntry is one thing on a day.
type CalendarEntry struct {
	URL, Headline, Lang, Dir string
	Mark, MarkName           string
	Clock                    string // "09:30"; "" for the day as a whole
	Machine                  string // RFC 3339
	Who                      string
}

// firstWeekday is the day on which a language's calendars begin the week.
func firstWeekday(lang string) time.Weekday {
	if lang == "he" {
		return time.Sunday
	}
	return time.Monday
}

// calendar serves "/desk/plan/calendar": "?month=2026-11", or "?week=2026-11-23"
// with any day of it.
func (d *Desk) calendar(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), d.DB.Read()
	p := CalendarPage{Base: d.base(r, ""), Zone: d.Config.Timezone.String()}
	p.Title, p.Tabs = p.T("desk.plan.calendar"), planTabs(r, p.Base)
	f, filters, sections, people, err := d.planFilter(r, p.Base)
	if err != nil {
		return err
	}
	p.Filters = filters
	zone, query := d.Config.Timezone, r.URL.Query()
	today := d.Now().In(zone)
	chosen, week := today, query.Get("week")
	if week != "" {
		chosen, err = time.ParseInLocation(time.DateOnly, week, zone)
	} else if month := query.Get("month"); month != "" {
		chosen, err = time.ParseInLocation("2006-01", month, zone)
	}
	if err != nil || chosen.Year() < 1970 || chosen.Year() > 9000 {
		return fault.New(fault.NotFound, "there is no such month or week")
	}
	day := func(at time.Time, days int) time.Time {
		return time.Date(at.Year(), at.Month(), at.Day()+days, 0, 0, 0, 0, zone)
	}
	back := func(at time.Time) time.Time {
		return day(at, -(int(at.Weekday()-firstWeekday(p.Lang))+7)%7)
	}
	first := time.Date(chosen.Year(), chosen.Month(), 1, 0, 0, 0, 0, zone)
	from, until := back(first), day(back(day(first.AddDate(0, 1, 0), -1)), 7)
	if week != "" {
		from = back(chosen)
		until = day(from, 7)
	}
	at := func(name, value string) string {
		return withQuery("/desk/plan/calendar", name, value, "section", query.Get("section"), "lang", query.Get("lang"), "who", query.Get("who"))
	}
	p.Name = p.Furniture.Month(chosen)
	p.Month, p.Week = at("month", chosen.Format("2006-01")), at("week", chosen.Format(time.DateOnly))
	if week == "" && (chosen.Year() != today.Year() || chosen.Month() != today.Month()) {
		p.Week = at("week", first.Format(time.DateOnly))
	} else if week == "" {
		p.Week = at("week", today.Format(time.DateOnly))
	}
	if week != "" {
		p.Earlier, p.Later, p.Today = at("week", day(from, -7).Format(time.DateOnly)), at("week", until.Format(time.DateOnly)), at("week", today.Format(time.DateOnly))
		p.Filters.Keep = map[string]string{"week": week}
	} else {
		p.Earlier, p.Later, p.Today = at("month", first.AddDate(0, -1, 0).Format("2006-01")), at("month", first.AddDate(0, 1, 0).Format("2006-01")), at("month", today.Format("2006-01"))
		p.Filters.Keep = map[string]string{"month": first.Format("2006-01")}
	}
	entries, err := d.Plans.Calendar(ctx, q, from, until, f)
	if err != nil {
		return err
	}
	names := peopleNames(people)
	byDay := map[int][]plan.Entry{}
	for _, e := range entries {
		byDay[e.Day] = append(byDay[e.Day], e)
	}
	for on := from; on.Before(until); on = day(on, 1) {
		c := CalendarDay{Number: p.Number(on.Day()), Date: p.Date(on), Weekday: p.T("date.weekday." + strconv.Itoa(int(on.Weekday()))),
			Out: week == "" && on.Month() != chosen.Month(), Today: plan.Day(on) == plan.Day(today)}
		if len(p.Weekdays) < 7 {
			p.Weekdays = append(p.Weekdays, c.Weekday)
		}
		if week != "" {
			p.Days = append(p.Days, c)
			continue
		}
		for _, e := range byDay[plan.Day(on)] {
			c.Entries = append(c.Entries, d.calendarEntry(p.Base, e, names))
		}
		if len(p.Weeks) == 0 || len(p.Weeks[len(p.Weeks)-1]) == 7 {
			p.Weeks = append(p.Weeks, nil)
		}
		p.Weeks[len(p.Weeks)-1] = append(p.Weeks[len(p.Weeks)-1], c)
	}
	if week != "" {
		p.Sections = d.weekBySection(p.Base, sections, p.Days, byDay, from, names)
	}
	return d.send(w, r, http.StatusOK, "calendar", p)
}

// weekBySection gives a row for each section that has something in the week of
// these days, the first of which is from.
func (d *Desk) weekBySection(b Base, sections story.Sections, days []CalendarDay, byDay map[int][]plan.Entry, from time.Time, names map[string]string) (rows []CalendarRow) {
	index := map[string]int{}
	for n := range days {
		for _, e := range byDay[plan.Day(from.AddDate(0, 0, n))] {
			i, ok := index[e.SectionID]
			if !ok {
				i = len(rows)
				index[e.SectionID] = i
				rows = append(rows, CalendarRow{Name: cmp.Or(d.sectionName(b, sections, e.SectionID), b.T("desk.facts.no_section")), Days: slices.Clone(days)})
			}
			rows[i].Days[n].Entries = append(rows[i].Days[n].Entries, d.calendarEntry(b, e, names))
		}
	}
	slices.SortStableFunc(rows, func(a, b CalendarRow) int { return cmp.Compare(a.Name, b.Name) })
	return rows
}

func (d *Desk) calendarEntry(b Base, e plan.Entry, names map[string]string) CalendarEntry {
	c := CalendarEntry{URL: room(e.EditionID), Mark: string(e.Mark), MarkName: b.T("desk.mark." + string(e.Mark)), Who: names[e.StaffID]}
	c.Headline, c.Lang, c.Dir = headlineIn(b, e.Headline, e.Lang)
	if !e.At.IsZero() {
		c.Clock, c.Machine = e.At.Format("15:04"), e.At.Format(time.RFC3339)
	}
	return c
}
