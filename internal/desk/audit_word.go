package desk

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"masthead/internal/language"
	"masthead/internal/staff"
	"masthead/internal/story"
)

// AuditDetail is one thing that an entry tells of its act, in the desk's words.
// Exports have it as it was written.
type AuditDetail struct {
	Name  string
	Code  bool // Name is a setting's, as in masthead.toml
	Value string
	At    language.Moment // in the place of Value, where that is a time
}

// freeText are the details that hold what somebody typed, and never a word of ours.
var freeText = []string{"file", "import", "labels", "legal", "made", "name", "overruled", "passkey added", "passkey renamed", "person", "reason"}

// auditDetail tells one detail of an entry. What another release has written,
// and has no words here, is told as it stands.
func (d *Desk) auditDetail(b Base, e staff.Entry, name, value string) AuditDetail {
	t := AuditDetail{Name: name, Value: cmp.Or(value, "–")}
	section, inSection := strings.CutPrefix(name, "in ")
	key := "desk.detail." + underscored(name)
	switch {
	case e.Object == "site": // a setting, and what it was set to
		t.Code = true
		return t
	case inSection:
		t.Name = b.T("desk.detail.in", section)
	case b.Has(key):
		t.Name = b.T(key)
	}
	if slices.Contains(freeText, name) {
		return t
	}
	if at, err := time.Parse(time.RFC3339, value); err == nil {
		t.At = d.moment(b, at)
		return t
	}
	if day, err := time.ParseInLocation(time.DateOnly, value, d.Config.Timezone); err == nil {
		t.At = b.Date(day)
		return t
	}
	told := func(word string, tables ...string) string {
		for _, table := range tables {
			if key := table + word; b.Has(key) {
				return b.T(key)
			}
		}
		return word
	}
	if key := "desk.detail_is." + underscored(value); b.Has(key) {
		t.Value = b.T(key)
		return t
	}
	switch {
	case name == "role" || inSection:
		roles, arrow := strings.Split(value, " → "), " → "
		if b.Dir == "rtl" {
			arrow = " ← "
		}
		for i, role := range roles {
			roles[i] = cmp.Or(told(role, "desk.role."), "–")
		}
		t.Value = strings.Join(roles, arrow)
	case name == "warnings":
		var warnings []string
		for kind := range strings.SplitSeq(value, ", ") {
			warnings = append(warnings, told(kind, "desk.check."))
		}
		t.Value = strings.Join(warnings, " ")
	case name == "access" && story.Access(value).Check() == nil:
		t.Value = accessName(b.Furniture, story.Access(value), false)
	case name == "move":
		t.Value = told(value, "desk.move.", "desk.moved.")
	case name == "as":
		t.Value = told(value, "desk.status.")
	case name == "by":
		t.Value = told(value, "desk.by.")
	case name == "task" || name == "removed":
		t.Value = told(value, "desk.task.")
	case name == "begun" || name == "edition":
		t.Value = language.OwnName(value)
	}
	return t
}

// underscored makes a key of what may be several words.
func underscored(s string) string { return strings.ReplaceAll(s, " ", "_") }
