package site

import (
	"html/template"

	"masthead/internal/language"
)

// FrontPage is the template "front".
type FrontPage struct {
	Base
	Lead    *Card
	Seconds []Card // two or three beside the lead, with pictures
	Briefs  []Card // headlines and times alone
	Bands   []Band
}

// Band is one section on the front page: its first card leads.
type Band struct {
	Section Link
	Cards   []Card
}

// SectionPage is the template "section". Pages after the first have no Lead.
type SectionPage struct {
	Base
	Name        string
	Description string
	Trail       []Link // the sections that this one is within, outermost first
	Within      []Link // the sections within this one
	Lead        *Card
	Cards       []Card
	Paging      Paging
}

// TopicPage is the template "topic": everything "Found in" one topic.
type TopicPage struct {
	Base
	Name        string
	Kind        string // in the page's words: "Person", "Place", …
	Description template.HTML
	Aliases     []string
	Count       int
	Cards       []Card
	Paging      Paging
}

// AuthorPage is the template "author".
type AuthorPage struct {
	Base
	Name      string
	Role      string // "Correspondent, Harbour desk"; may be empty
	Handle    string // "@name", with HandleURL; may be empty
	HandleURL string
	Links     []Link
	Portrait  Picture
	Biography template.HTML
	Count     int
	Cards     []Card
	Paging    Paging
}

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

// SearchPage is the template "search". Asked is false until something was
// looked for.
type SearchPage struct {
	Base
	Query   string
	Asked   bool
	Count   int
	Results []Found
	Section string // the section looked in, its ID; empty for all
	Within  []Option
	Paging  Paging
}

// Found is one story found, with the words around the match.
type Found struct {
	Card
	Excerpt template.HTML // <mark> round the words found; only what the reader may read
}

// Option is one choice of a list.
type Option struct {
	Value    string
	Name     string
	Lang     string // of Name, where it differs from the page
	Selected bool
}

// PlainPage is the template "plain": about, privacy and their like.
type PlainPage struct {
	Base
	Headline string
	Summary  string
	Body     template.HTML
	Updated  language.Moment
}

// ErrorPage is the template "error".
type ErrorPage struct {
	Base
	Status    int    // 400, 401, 403, 404, 410, 429, 500, 503
	Headline  string // in the page's words
	Sentence  string
	Detail    string // what the fault itself tells a visitor; may be empty
	RequestID string // shown for 500 and above
	Cards     []Card // something to read instead; may be empty
}
