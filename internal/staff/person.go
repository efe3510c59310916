package staff

import (
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"masthead/internal/fault"
)

// Role says how much somebody may do; each may do what those before it may.
// What each may do is the table in act.go.
type Role string

// The roles, from the least to the most.
const (
	Contributor Role = "contributor" // writes drafts of his own
	Reporter    Role = "reporter"    // writes and sends for review
	Editor      Role = "editor"      // works on every story, and approves
	Publisher   Role = "publisher"   // publishes and withdraws, and keeps sections and the wall
	Owner       Role = "owner"       // keeps staff, tokens and settings
)

// Roles gives every role, from the least to the most.
func Roles() []Role { return []Role{Contributor, Reporter, Editor, Publisher, Owner} }

// ParseRole gives the role of that name; another is Invalid.
func ParseRole(name string) (Role, error) {
	if r := Role(name); slices.Contains(Roles(), r) {
		return r, nil
	}
	return "", fault.New(fault.Invalid, "no such role", "role", name).WithHint("write contributor, reporter, editor, publisher or owner")
}

// May reports whether the role may do what least may.
func (r Role) May(least Role) bool {
	have, want := slices.Index(Roles(), r), slices.Index(Roles(), least)
	return have >= 0 && want >= 0 && have >= want
}

// Person is one of the staff.
type Person struct {
	ID         string
	Email      string
	Name       string
	Role       Role            // everywhere
	Sections   map[string]Role // by section ID: what he is there and in its parts, where that is more
	CreatedAt  time.Time
	DisabledAt time.Time // zero while he may sign in
}

// Disabled reports whether the person may no longer sign in.
func (p Person) Disabled() bool { return !p.DisabledAt.IsZero() }

// parseEmail gives an address as written, and folded: in lower case and NFC,
// with its domain as the DNS has it.
func parseEmail(text string) (email, key string, err error) {
	text = strings.TrimSpace(text)
	a, err := mail.ParseAddress(text)
	if err != nil || a.Name != "" || a.Address != text || len(text) > 254 {
		return "", "", badEmail(text)
	}
	local, domain, _ := strings.Cut(text, "@")
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil || strings.ContainsFunc(local, func(r rune) bool { return r == '"' || unicode.IsControl(r) || unicode.IsSpace(r) }) {
		return "", "", badEmail(text)
	}
	return text, norm.NFC.String(strings.ToLower(norm.NFC.String(local))) + "@" + ascii, nil
}

func badEmail(text string) error {
	return fault.New(fault.Invalid, "this is not an e-mail address", "email", text).WithHint("write it like name@example.org")
}

// wrap adds the operation to *err, once for the package.
func wrap(err *error, format string, args ...any) {
	if *err != nil {
		*err = fmt.Errorf("staff."+format+": %w", append(args, *err)...)
	}
}
