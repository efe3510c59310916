package site

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/page"
	"masthead/internal/story"
)

// ArchivePage is the template "archive": a month's stories by day, and the way
// to every other month. Without a month (Days empty) it is the index of years.
type ArchivePage struct {
	Base
	Month      language.Moment
	Days       []Day
	Years      []Year // newest first
	Older      Link   // the months beside this one; may be empty
	Newer      Link
	StoryCount int
}

// Day is the stories of one day.
type Day struct {
	Date  language.Moment
	Cards []Card
}

// Year is the months of one year that have stories.
type Year struct {
	Year   string
	Months []MonthLink
}

// MonthLink leads to one month of the archive.
type MonthLink struct {
	Name    string // without the year
	URL     string
	Count   int
	Current bool
}

// archive serves "/archive/", every month there is, and "/{year}/{month}/", one of them by day.
func (n *Newsroom) archive(w http.ResponseWriter, r *http.Request) error {
	month, path := 0, "/archive/"
	if year := r.PathValue("year"); year != "" {
		var err error
		if month, err = parseMonth(year, r.PathValue("month")); err != nil {
			return n.orElsewhere(w, r, err)
		}
		path = "/" + year + "/" + r.PathValue("month") + "/"
	}
	return n.orElsewhere(w, r, n.shared(w, r, page.Key{Kind: "archive", ID: path}, []string{ListsTag(lang(r))}, "archive", func(r *http.Request) (any, error) {
		return n.archivePage(r, path, month)
	}))
}

func (n *Newsroom) archivePage(r *http.Request, path string, month int) (any, error) {
	ctx, q, l := r.Context(), n.DB.Read(), lang(r)
	f := furniture(l)
	t, err := n.taxonomy(ctx, l)
	if err != nil {
		return nil, err
	}
	months, err := n.Stories.Months(ctx, q, l)
	if err != nil {
		return nil, err
	}
	p := ArchivePage{Base: n.base(r, t, path, n.everyLanguage(l, path)), Years: n.years(l, f, months, month)}
	p.Title = f.T("nav.archive")
	if month != 0 {
		list, err := n.Stories.Cards(ctx, q, story.Query{Lang: l, Month: month})
		if err != nil {
			return nil, err
		}
		if len(list) == 0 {
			return nil, fault.New(fault.NotFound, "no stories in this month", "month", month)
		}
		cards, err := n.cards(r, t, list)
		if err != nil {
			return nil, err
		}
		p.Month = f.Month(monthTime(month))
		p.Title += ": " + p.Month.Text
		p.StoryCount = len(cards)
		for i, c := range cards {
			if i == 0 || c.Published.Text != cards[i-1].Published.Text {
				p.Days = append(p.Days, Day{Date: c.Published})
			}
			day := &p.Days[len(p.Days)-1]
			day.Cards = append(day.Cards, c)
		}
		for i, m := range months {
			if m.Month != month {
				continue
			}
			if i > 0 {
				p.Newer = n.monthLink(l, f, months[i-1].Month)
			}
			if i+1 < len(months) {
				p.Older = n.monthLink(l, f, months[i+1].Month)
			}
		}
	}
	return p, nil
}

func (n *Newsroom) years(l string, f *language.Furniture, months []story.Month, current int) []Year {
	var years []Year
	for _, m := range months {
		year := strconv.Itoa(m.Month / 100)
		if len(years) == 0 || years[len(years)-1].Year != year {
			years = append(years, Year{Year: year})
		}
		y := &years[len(years)-1]
		y.Months = append(y.Months, MonthLink{Name: f.MonthName(time.Month(m.Month % 100)), URL: n.monthLink(l, f, m.Month).URL, Count: m.Stories, Current: m.Month == current})
	}
	return years
}

func (n *Newsroom) monthLink(l string, f *language.Furniture, month int) Link {
	return Link{Name: f.Month(monthTime(month)).Text, URL: n.at(l, fmt.Sprintf("/%04d/%02d/", month/100, month%100))}
}

func monthTime(month int) time.Time {
	return time.Date(month/100, time.Month(month%100), 1, 0, 0, 0, 0, time.UTC)
}

// parseMonth reads "2026" and "11" as 202611.
func parseMonth(year, month string) (int, error) {
	at, err := time.Parse("2006/01", year+"/"+month)
	if err != nil {
		return 0, fault.New(fault.NotFound, "no such month", "year", year, "month", month)
	}
	return at.Year()*100 + int(at.Month()), nil
}
