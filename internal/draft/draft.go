package draft

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/story"
)

// Limits of what one request may bring.
const (
	MaxSteps    = 200   // of one push
	MaxField    = 2_000 // bytes
	MaxRemark   = 5_000 // bytes
	MaxMentions = 20
	// MaxMissed is how many steps are told to who was away; beyond it he reads the draft anew.
	MaxMissed = 5_000
)

// StepsKept is how long a step can be asked for.
const StepsKept = 7 * 24 * time.Hour

// Idle is how long nobody may have written before a draft is kept by itself.
const Idle = 5 * time.Minute

// The fields of a draft besides its body.
const (
	Kicker   = "kicker"
	Headline = "headline"
	Summary  = "summary"
)

// FieldNames gives the names of the fields.
func FieldNames() []string { return []string{Kicker, Headline, Summary} }

// Draft is the working copy of an edition.
type Draft struct {
	EditionID string
	Version   int64     // the number of steps that made it
	Doc       *doc.Node // as it stands: see doc.CheckWorking
	Fields    map[string]Field
	Base      int64 // revision of the edition's words when they were last brought together
	Revision  int64 // newest revision of the edition that it knows
	Kept      int64 // version that was kept last
	KeptAt    time.Time
	Unkept    bool  // something has changed since
	Remarks   int64 // counts the changes of its comments
	Outside   int64 // last revision that came past the desk; 0 for none
	Conflicts int   // places where that and the draft had changed the same
	UpdatedAt time.Time
}

// Field is the kicker, the headline or the summary.
type Field struct {
	Name    string
	Value   string
	Version int64  // counts its changes
	StaffID string // who wrote it last; "" for the program itself
	At      time.Time
}

// Step is one step that was taken.
type Step struct {
	Version int64 // of the draft after it
	Client  string
	StaffID string // "" for the program itself
	JSON    json.RawMessage
}

// Push is steps that somebody made on a version.
type Push struct {
	EditionID string
	Version   int64
	Client    string // the tab
	ID        string // names the first of the steps, also when it comes again
	StaffID   string
	Steps     []doc.Step
}

// The clients under which the program itself writes.
const (
	clientOutside = "outside"
	clientRestore = "restore"
)

var clientForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,40}$`)

func checkClient(names ...string) error {
	for _, n := range names {
		if !clientForm.MatchString(n) || n == clientOutside || n == clientRestore {
			return fault.New(fault.Invalid, "a client or a push is named wrongly", "name", n).WithHint("use up to 40 letters, digits, - and _")
		}
	}
	return nil
}

// Stale tells that other steps came first. It is fault.Conflict.
type Stale struct {
	Version int64  // the newest
	Steps   []Step // those that were missed
	Reload  bool   // they are no longer there: the draft must be read anew
}

func (s *Stale) Error() string { return fmt.Sprintf("the draft is at version %d", s.Version) }

// Unwrap gives the fault.
func (s *Stale) Unwrap() error {
	return fault.New(fault.Conflict, "somebody else's change came first", "version", s.Version)
}

// StaleField tells that a field has been changed by somebody else. It is fault.Conflict.
type StaleField struct {
	Theirs Field
	Yours  string
}

func (s *StaleField) Error() string {
	return fmt.Sprintf("the %s is at version %d", s.Theirs.Name, s.Theirs.Version)
}

// Unwrap gives the fault.
func (s *StaleField) Unwrap() error {
	return fault.New(fault.Conflict, "somebody else's change came first", "field", s.Theirs.Name)
}

// cleanField brings the text of a field into one line.
func cleanField(name, value string) (string, error) {
	switch {
	case name != Kicker && name != Headline && name != Summary:
		return "", fault.New(fault.Invalid, "there is no such field", "field", name).WithHint("write kicker, headline or summary")
	case !utf8.ValidString(value) || strings.ContainsRune(value, 0):
		return "", fault.New(fault.Invalid, "that is no text")
	}
	value = strings.Join(strings.Fields(value), " ")
	if len(value) > MaxField {
		return "", fault.New(fault.Invalid, "that is too long", "field", name).WithHint("write at most %d bytes", MaxField)
	}
	return value, nil
}

// words are the draft's as an edition has them.
func (d Draft) words() (story.Revision, error) {
	r := story.Revision{EditionID: d.EditionID, Kicker: d.Fields[Kicker].Value, Headline: d.Fields[Headline].Value,
		Summary: d.Fields[Summary].Value, Body: doc.Settle(d.Doc)}
	return r, doc.Check(r.Body)
}

// wrap adds the operation to *err, once for the package.
func wrap(err *error, format string, args ...any) {
	if *err != nil {
		*err = fmt.Errorf("draft."+format+": %w", append(args, *err)...)
	}
}
