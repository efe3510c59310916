package site

import (
	"html/template"

	"masthead/internal/language"
)

// StoryPage is the template "story", for every language edition alike.
//
// Body is only what this variant of the page may carry: when Wall is set it
// ends where the wall stands.
type StoryPage struct {
	Base
	Kicker      string
	Section     Link
	Headline    string
	Summary     string
	Byline      []Person
	Published   language.Moment
	Updated     language.Moment // zero when it adds nothing to Published
	ReadingTime string
	Lead        Picture
	Body        template.HTML
	Wall        *Wall
	Meter       *Meter
	Gift        *Gift
	GiftForm    *GiftForm
	Withdrawn   bool // shown to staff alone
	Draft       bool // a preview at the desk
	Corrections []Correction
	Topics      []TopicLink
	Authors     []AuthorBox
	NextForYou  []Card
	Licence     Link   // of the text, if it has one
	ShortURL    string // printed under the story on paper

	leadCard string // address of the lead picture cut for social cards
}

// The reasons for a wall: which plain sentence it shows.
const (
	WallRegister  = "register"  // the story is for registered readers
	WallMeter     = "meter"     // the free stories of this window are read
	WallArchive   = "archive"   // the story has gone into the archive
	WallSubscribe = "subscribe" // a tier is needed
	WallUpgrade   = "upgrade"   // the reader is signed in and has another tier
	WallSpent     = "spent"     // the reader is signed in and has read what his meter opens
	WallClosed    = "closed"    // a password keeps it; only staff may read
)

// Wall is what stands where the free part of a story ends.
type Wall struct {
	Reason   string // one of the Wall constants
	Limit    int    // WallMeter: free stories in a window …
	Days     int    // … of this many days
	Tier     string // WallSubscribe, WallUpgrade: the tier's name
	TierURL  string // where it can be had; may be empty
	Benefits []Benefit
	Register string // address the form posts to: "/register"
	SignIn   string // "/signin?next=…"
	Next     string // path with the paragraph's fragment: "/2026/11/a-slug/#p7"
	Email    string // as typed, when the form comes back
	Problem  string // why it came back, one sentence
}

// NeedsTier reports whether registering alone does not open the story.
func (w Wall) NeedsTier() bool { return w.Reason == WallSubscribe || w.Reason == WallUpgrade }

// NoDoor reports whether nothing that the reader could do here opens the story.
func (w Wall) NoDoor() bool { return w.Reason == WallClosed || w.Reason == WallSpent }

// Benefit is one thing that registering brings, bound to an entitlement.
type Benefit struct {
	Name   string
	Detail string // may be empty
}

// Meter tells how many free stories are read, this one included.
type Meter struct {
	Used, Limit int
	Days        int // length of the window; 30 reads "this month"
	Next        string
}

// Last reports whether this is the last free story.
func (m Meter) Last() bool { return m.Used >= m.Limit }

// Gift tells a reader that somebody gave him this story.
type Gift struct {
	From    string // a name; may be empty
	Expires language.Moment
}

// GiftForm lets a reader with access give the story away.
type GiftForm struct {
	Action string // POST
	Story  string // ID
	Left   int    // links left this month
	Link   string // the link just made; empty before
}

// Correction is one dated correction.
type Correction struct {
	Date language.Moment
	Text template.HTML
}

// TopicLink is one line of "Found in".
type TopicLink struct {
	Name string
	Kind string
	URL  string
}

// AuthorBox introduces an author under the story.
type AuthorBox struct {
	Name      string
	URL       string
	Role      string
	Biography string
	Handle    string
	HandleURL string
	Portrait  Picture
}
