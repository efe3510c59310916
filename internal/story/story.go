package story

import (
	"regexp"
	"strings"
	"time"

	"masthead/internal/doc"
	"masthead/internal/fault"
)

// Texts is one text in several languages, by language tag.
type Texts map[string]string

// In gives the text in lang, else in fallback, else in the language that sorts first, else "".
func (t Texts) In(lang, fallback string) string {
	for _, l := range []string{lang, fallback} {
		if s := t[l]; s != "" {
			return s
		}
	}
	first := ""
	for l, s := range t {
		if s != "" && (first == "" || l < first) {
			first = l
		}
	}
	return t[first]
}

// Status is where an edition stands between idea and archive.
type Status string

// The statuses. A pitch is an idea, an assigned one has somebody who is to write
// it. A scheduled edition is published at its time; a withdrawn one answers 410.
const (
	Pitch     Status = "pitch"
	Assigned  Status = "assigned"
	Draft     Status = "draft"
	Review    Status = "review"
	Approved  Status = "approved"
	Scheduled Status = "scheduled"
	Published Status = "published"
	Withdrawn Status = "withdrawn"
)

// Kind tells reporting from a standing page such as "About".
type Kind string

// The kinds of a story.
const (
	Report Kind = "story"
	Page   Kind = "page"
)

// Access is what a story asks of its reader, over the head of the wall's rules.
// The zero Access leaves it to them; the others are "open", "registered" and "tier:NAME".
type Access string

// The accesses that need no name.
const (
	ByRule     Access = ""
	Open       Access = "open"
	Registered Access = "registered"
)

// ForTier is the access of readers who hold the tier of that name.
func ForTier(name string) Access { return Access("tier:" + name) }

// Tier gives the name of the tier that is asked for, and whether one is.
func (a Access) Tier() (name string, ok bool) { return strings.CutPrefix(string(a), "tier:") }

// Check refuses what is not an access.
func (a Access) Check() error {
	if name, ok := a.Tier(); a == ByRule || a == Open || a == Registered || ok && slugForm.MatchString(name) {
		return nil
	}
	return fault.New(fault.Invalid, "no such access", "access", a).WithHint("write open, registered, tier:NAME, or nothing to leave it to the wall's rules")
}

// Role is what somebody in a byline did.
type Role string

// The roles of a byline.
const (
	Author       Role = "author"
	Translator   Role = "translator"
	Photographer Role = "photographer"
	Contributor  Role = "contributor"
)

// Story is one piece of reporting, apart from its words.
type Story struct {
	ID           string
	Kind         Kind
	SectionID    string // "" when it stands in none
	Access       Access
	PasswordHash string // bcrypt or argon2 text; a protected story is withheld from everybody else
	LeadMediaID  string
	OriginalLang string
	Pinned       int // place on the front page, 1 first; 0 when not pinned
	Source       string
	CreatedBy    string   // staff ID of who began it; "" when it was imported or came by the API
	Topics       []string // topic IDs, in order
	Bylines      []Byline
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// Byline is one name on a story. Lang is "" for every edition, or that of the
// one edition it stands on.
type Byline struct {
	AuthorID string
	Role     Role
	Lang     string
}

// Edition is a story in one language.
type Edition struct {
	ID, StoryID, Lang string
	Status            Status
	Slug              string
	Path              string // the address, with slashes at both ends; "" until it is scheduled or published
	Kicker            string
	Headline          string
	Summary           string
	Body              *doc.Node
	LeadCaption       string
	LeadAlt           string // "" to use the picture's own
	MetaTitle         string
	MetaDescription   string
	CanonicalURL      string // absolute, only where the story first stood elsewhere
	WithdrawnReason   string
	Words             int
	Revision          int64
	PublishedAt       time.Time // first publication, or the time it is scheduled for
	EmbargoUntil      time.Time // it cannot be published before; zero for no embargo
	UpdatedAt         time.Time
	CreatedAt         time.Time
}

// Revision is the words of an edition as they stood once.
type Revision struct {
	EditionID string
	Seq       int64
	Editor    string
	Headline  string
	Kicker    string
	Summary   string
	Body      *doc.Node
	CreatedAt time.Time
}

// Card is what a list shows of an edition: everything but its words.
type Card struct {
	EditionID, StoryID, Lang        string
	Path, Kicker, Headline, Summary string
	SectionID                       string
	Kind                            Kind
	Access                          Access
	Protected                       bool // by a password
	LeadMediaID, LeadAlt            string
	Words                           int
	Pinned                          int
	Status                          Status
	Authors                         []Name // bylines of role author, in order
	PublishedAt, UpdatedAt          time.Time
}

// Name is an author as a byline shows him.
type Name struct {
	AuthorID, Slug string
	Names          Texts
	Role           Role
}

// Section is a desk or a part of one; sections nest.
type Section struct {
	ID, ParentID, Slug  string
	Position            int
	Names, Descriptions Texts
	Source              string
	CreatedAt           time.Time
}

// TopicKind says what a topic is about.
type TopicKind string

// The kinds of a topic.
const (
	Subject      TopicKind = "subject"
	Person       TopicKind = "person"
	Organisation TopicKind = "organisation"
	Place        TopicKind = "place"
	Storyline    TopicKind = "storyline" // a running story or special project
)

// Topic is something a story is found under. An internal one is the newsroom's own and never shown.
type Topic struct {
	ID                  string
	Kind                TopicKind
	Slug                string
	Names, Descriptions Texts
	Aliases             map[string][]string // by language
	Internal            bool
	Source              string
	CreatedAt           time.Time
}

// Writer is an author, translator or photographer: somebody a byline can name.
type Writer struct {
	ID, Slug           string
	Names, Biographies Texts
	Handle             string // with its @, or an address
	Website, Email     string
	PortraitID         string // media ID
	StaffID            string // of whom the author is among the staff; "" for nobody
	Source             string
	CreatedAt          time.Time
}

// Correction is what was wrong and is right now, dated; it stays on the edition.
type Correction struct {
	ID, StoryID, Lang string
	At                time.Time
	Text              string
	Changed           string // what stood there before and stands there now; may be ""
}

// Whole gives all that a correction says, as one text.
func (c Correction) Whole() string {
	if c.Changed == "" {
		return c.Text
	}
	return c.Text + " (" + c.Changed + ")"
}

// Comment is a reader's comment that came with an imported archive.
type Comment struct {
	ID, StoryID, ParentID, AuthorName, AuthorURL, Text, Status, Source string
	At                                                                 time.Time
}

// Menu is a list of links, as imported or set in the desk.
type Menu struct {
	Slug, Name, Source string
	Items              []MenuItem
}

// MenuItem is one link of a menu, with the links below it.
type MenuItem struct {
	Label  string     `json:"label"`
	Labels Texts      `json:"labels,omitempty"` // by language, before Label
	URL    string     `json:"url"`
	Items  []MenuItem `json:"items,omitempty"`
}

// The menus of every page: in the head, in the place of the sections, and at the foot.
const (
	HeadMenu = "main"
	FootMenu = "footer"
)

// slugForm is what a slug may be: letters and digits of any script, and single hyphens between them.
var slugForm = regexp.MustCompile(`^[\p{L}\p{M}\p{N}]+(?:[-_][\p{L}\p{M}\p{N}]+)*$`)
