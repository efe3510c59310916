package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"masthead/internal/fault"
)

// Change says where a setting can be changed.
type Change string

// The places.
const (
	AtDesk    Change = "desk"    // at the desk, while nodes run, and wherever the others are set
	Restart   Change = "restart" // in the file, by a variable or a flag; each node is started anew
	Machine   Change = "machine" // likewise, and each machine has its own
	SecretOne Change = "secret"  // a secret, which no page shows
)

// Source is where a value comes from. Each goes before those above it.
type Source string

// The sources.
const (
	FromDefault Source = "default"
	FromFile    Source = "file"
	FromDesk    Source = "desk" // kept in the database
	FromEnv     Source = "environment"
	FromFlag    Source = "flag"
)

// Value is a setting and what it is now.
type Value struct {
	Setting
	Text string // as it would be written; "" for a secret
	From Source
	Set  bool // it is not empty: all that is told of a secret
}

// Changeable reports whether the desk can change the value now: what is set by a
// variable or a flag is changed there.
func (v Value) Changeable() bool {
	return v.Change == AtDesk && v.From != FromEnv && v.From != FromFlag
}

// given is a value as it was written, and where.
type given struct {
	text string
	from Source
}

// Values gives every setting with its value, in the order of the manual, and
// after each the forms of it that a language has of its own.
func (c Config) Values() []Value {
	var all []Value
	for _, s := range Settings() {
		all = append(all, c.value(s))
		for _, name := range slices.Sorted(maps.Keys(c.given)) {
			if base, _, ok := cutLanguage(name); ok && base == s.Name {
				form := s
				form.Name, form.Default = name, ""
				all = append(all, c.value(form))
			}
		}
	}
	return all
}

func (c Config) value(s Setting) Value {
	g, ok := c.given[s.Name]
	if !ok {
		g = given{s.Default, FromDefault}
	}
	v := Value{Setting: s, Text: g.text, From: g.from, Set: g.text != ""}
	if scheme, _, ok := strings.Cut(v.Text, "://"); ok && s.Name == "db" { // it may hold a password
		v.Text = scheme + "://…"
	}
	if s.Secret {
		v.Text, v.Change = "", SecretOne
	}
	return v
}

// Value gives one setting, also title-ar and the like, whether or not it is set.
func (c Config) Value(name string) (Value, error) {
	s, err := setting(name)
	if err != nil {
		return Value{}, err
	}
	return c.value(s), nil
}

// Text gives a setting as it was written; "" for one that there is not, and for a secret.
func (c Config) Text(name string) string {
	v, _ := c.Value(name)
	return v.Text
}

// setting finds a row of the table by its name, or by that with a language behind it.
func setting(name string) (Setting, error) {
	for _, s := range Settings() {
		if s.Name == name {
			return s, nil
		}
	}
	if base, _, ok := cutLanguage(name); ok {
		s, err := setting(base)
		s.Name, s.Default = name, ""
		s.set = func(c *Config, v string) error { return nil }
		return s, err
	}
	return Setting{}, fault.New(fault.NotFound, "there is no such setting", "name", name)
}

// cutLanguage parts "title-ar" into "title" and "ar".
func cutLanguage(name string) (base, lang string, ok bool) {
	if !translated.MatchString(name) {
		return "", "", false
	}
	base, lang, ok = strings.Cut(name, "-")
	return base, lang, ok
}

// lineBytes is how long a value may be that the desk gives.
const lineBytes = 2000

// Rule is what a value must be.
type Rule string

// The rules.
const (
	NotEmpty Rule = "empty"
	OneLine  Rule = "line"   // Args: the most bytes
	Number   Rule = "number" // a whole one; Args: the least and the most
	Form     Rule = "form"   // whatever else the setting's doc says
)

// Refusal is why a setting cannot have a value: in English as an error of kind
// [fault.Invalid], and by the rule that it breaks for who speaks otherwise.
type Refusal struct {
	Rule Rule
	Args []string
	told *fault.Error
}

// Error tells it in English.
func (r *Refusal) Error() string { return r.told.Error() }

// Unwrap gives the [fault.Error].
func (r *Refusal) Unwrap() error { return r.told }

// broken is a rule that a value breaks.
type broken struct {
	rule Rule
	args []string
	text string
}

func (b broken) Error() string { return b.text }

// Check tells whether a value may be given to a setting at the desk: Forbidden
// where the desk may not change it, a [Refusal] where the value is no good.
func Check(name, value string) error {
	s, err := setting(name)
	if err != nil {
		return err
	}
	if s.Change != AtDesk || s.Secret {
		return fault.New(fault.Forbidden, "this setting is not changed at the desk", "name", name)
	}
	if strings.ContainsAny(value, "\n\r\x00") || len(value) > lineBytes {
		return &Refusal{OneLine, []string{strconv.Itoa(lineBytes)}, fault.New(fault.Invalid, fmt.Sprintf("%s is one line of at most %d bytes", name, lineBytes))}
	}
	if err := s.set(&Config{}, value); err != nil {
		r := &Refusal{Rule: Form, told: fault.New(fault.Invalid, fmt.Sprintf("%s cannot be %q: %v", name, value, err))}
		if b, ok := errors.AsType[broken](err); ok {
			r.Rule, r.Args = b.rule, b.args
		}
		return r
	}
	return nil
}

// With gives the settings with the values that the desk keeps in the database,
// by name, over those of the file. What cannot be used, as the values of another
// release may not be, is left out and named in the error; the settings are good
// nonetheless.
func (c Config) With(kept map[string]string) (Config, error) {
	all := maps.Clone(c.given)
	for name, g := range all {
		if g.from == FromDesk {
			delete(all, name)
			if under, ok := c.under[name]; ok {
				all[name] = under
			}
		}
	}
	under := maps.Clone(all)
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(kept)) {
		if g, ok := all[name]; ok && (g.from == FromEnv || g.from == FromFlag) {
			continue
		}
		if err := Check(name, kept[name]); err != nil {
			faults = append(faults, err)
			continue
		}
		all[name] = given{kept[name], FromDesk}
	}
	next, err := resolve(c.Dir, all)
	if err != nil {
		return c, errors.Join(append(faults, err)...)
	}
	next.under = under
	return next, errors.Join(faults...)
}

// resolve makes settings of what was given for them.
func resolve(dir string, all map[string]given) (Config, error) {
	c := Config{Dir: dir, given: all, translations: map[string]string{}}
	var faults []error
	for _, s := range Settings() {
		g, ok := all[s.Name]
		if !ok {
			g = given{s.Default, FromDefault}
		}
		if err := s.set(&c, g.text); err != nil {
			where := map[Source]string{FromDefault: "its default", FromFile: FileName, FromDesk: "the desk", FromEnv: s.Env(), FromFlag: "--" + s.Name}[g.from]
			faults = append(faults, fault.New(fault.Invalid, fmt.Sprintf("%s: %s cannot be %q: %v", where, s.Name, g.text, err)))
		}
	}
	for name, g := range all {
		if translated.MatchString(name) {
			c.translations[name] = g.text
		}
	}
	if err := errors.Join(faults...); err != nil {
		return Config{}, err
	}
	return c.complete()
}
