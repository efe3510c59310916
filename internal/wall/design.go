package wall

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"masthead/internal/db"
	"masthead/internal/fault"
)

// Design is a whole wall: what is live, what was, what is worked on, and what a
// trial tries. Its rules may be half written: [Design.Compiled] says whether
// they can be used.
type Design struct {
	Rules    []RuleText `json:"rules"`
	Benefits []Promise  `json:"benefits"`
	Words    Words      `json:"words"`
}

// RuleText is a rule as it was typed.
type RuleText struct {
	Name  string `json:"name"`
	When  string `json:"when"`
	Grant string `json:"grant"`
}

// Promise is a [Benefit] as a design holds it.
type Promise struct {
	Entitlement string            `json:"entitlement"`
	Texts       map[string]string `json:"texts"`
}

// Words are the wall's own words, by language and key; what is not there is said
// as the catalogue says it.
type Words map[string]map[string]string

// Word is one thing that the wall says.
type Word struct {
	Key  string // as in the catalogue, below "wall."
	Most int    // letters
	Slot string // what "{…}" it may hold: "n", "days", "tier", with spaces between
}

// WordKeys gives everything that a newsroom may say in its own words.
func WordKeys() []Word {
	return []Word{
		{"register.title", 80, ""}, {"register.sentence", 300, ""},
		{"meter.title", 80, "n days"}, {"meter.sentence", 300, "n days"},
		{"archive.title", 80, ""}, {"archive.sentence", 300, ""},
		{"subscribe.title", 80, "tier"}, {"subscribe.sentence", 300, "tier"},
		{"upgrade.title", 80, "tier"}, {"upgrade.sentence", 300, "tier"},
		{"brings", 80, ""}, {"button", 30, ""}, {"promise", 200, ""},
	}
}

// The bounds of a design.
const (
	MostRules    = 100
	MostBenefits = 20
	benefitMost  = 120 // letters
	nameMost     = 120
)

// Check refuses words that the wall cannot say: unknown ones, too long ones and
// those with a slot that stays empty. The error has kind fault.Invalid.
func (w Words) Check() error {
	for _, lang := range slices.Sorted(maps.Keys(w)) {
		for _, key := range slices.Sorted(maps.Keys(w[lang])) {
			text := w[lang][key]
			i := slices.IndexFunc(WordKeys(), func(k Word) bool { return k.Key == key })
			if i < 0 {
				return fault.New(fault.Invalid, "the wall says no such thing", "key", key)
			}
			k := WordKeys()[i]
			left := text
			for _, slot := range strings.Fields(k.Slot) {
				left = strings.ReplaceAll(left, "{"+slot+"}", "")
			}
			switch {
			case utf8.RuneCountInString(text) > k.Most:
				return fault.New(fault.Invalid, fmt.Sprintf("%s in %s has more than %d letters", key, lang, k.Most), "key", key, "lang", lang)
			case strings.ContainsAny(left, "{}"):
				return fault.New(fault.Invalid, fmt.Sprintf("%s in %s has a slot that nothing fills", key, lang), "key", key, "lang", lang).
					WithHint("it can hold: %s", list(strings.Fields("{"+strings.ReplaceAll(k.Slot, " ", "} {")+"}")))
			case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) }):
				return fault.New(fault.Invalid, fmt.Sprintf("%s in %s is more than one line of text", key, lang), "key", key, "lang", lang)
			}
		}
	}
	return nil
}

// In gives the words of one language with their slots filled: slots by name.
func (w Words) In(lang string, slots map[string]string) map[string]string {
	own := make(map[string]string, len(w[lang]))
	for key, text := range w[lang] {
		for slot, value := range slots {
			text = strings.ReplaceAll(text, "{"+slot+"}", value)
		}
		own[key] = text
	}
	return own
}

// DesignOf gives rules, benefits and words as a design.
func DesignOf(rules []Rule, benefits []Benefit, words Words) Design {
	d := Design{Rules: []RuleText{}, Benefits: []Promise{}, Words: words}
	for _, r := range rules {
		d.Rules = append(d.Rules, RuleText{r.Name, r.When, r.Grant.String()})
	}
	for _, b := range benefits {
		d.Benefits = append(d.Benefits, Promise{b.Entitlement, b.Texts})
	}
	if d.Words == nil {
		d.Words = Words{}
	}
	return d
}

// Rule gives the rule, or why its text is none.
func (r RuleText) Rule() (Rule, error) {
	g, err := ParseGrant(r.Grant)
	rule := Rule{Name: r.Name, When: r.When, Grant: g}
	if err != nil {
		return rule, err
	}
	return rule, CheckRule(rule)
}

// Compiled gives the design's rules. The error, of kind fault.Invalid, is of the
// first that cannot be used; [RuleText.Rule] tells of each.
func (d Design) Compiled() ([]Rule, error) {
	rules := make([]Rule, len(d.Rules))
	for i, r := range d.Rules {
		var err error
		if rules[i], err = r.Rule(); err != nil {
			return nil, err
		}
	}
	if len(rules) == 0 {
		return nil, fault.New(fault.Invalid, "the wall has no rules").WithHint("write at least one; true matches always")
	}
	return rules, nil
}

// Offers gives the design's benefits.
func (d Design) Offers() []Benefit {
	var all []Benefit
	for _, b := range d.Benefits {
		all = append(all, Benefit{Entitlement: b.Entitlement, Texts: b.Texts})
	}
	return all
}

// Equal reports whether both are the same wall.
func (d Design) Equal(o Design) bool {
	a, errA := json.Marshal(d.normal())
	b, errB := json.Marshal(o.normal())
	return errA == nil && errB == nil && string(a) == string(b)
}

// normal drops what says nothing.
func (d Design) normal() Design {
	n := DesignOf(nil, nil, Words{})
	n.Rules = append(n.Rules, d.Rules...)
	n.Benefits = append(n.Benefits, d.Benefits...)
	for lang, texts := range d.Words {
		for key, text := range texts {
			if text != "" {
				if n.Words[lang] == nil {
					n.Words[lang] = map[string]string{}
				}
				n.Words[lang][key] = text
			}
		}
	}
	return n
}

// bounded refuses what is too much to keep, with kind fault.Invalid.
func (d Design) bounded() error {
	switch {
	case len(d.Rules) > MostRules:
		return fault.New(fault.Invalid, "a wall has 100 rules at most")
	case len(d.Benefits) > MostBenefits:
		return fault.New(fault.Invalid, "a wall names 20 benefits at most")
	}
	for _, r := range d.Rules {
		if utf8.RuneCountInString(r.Name) > nameMost || len(r.When) > 4*maxLetters || len(r.Grant) > 200 {
			return fault.New(fault.Invalid, "a rule is too long", "rule", r.Name).WithHint("a name has %d letters at most, a condition %d", nameMost, maxLetters)
		}
	}
	for _, b := range d.Benefits {
		for _, text := range b.Texts {
			if utf8.RuneCountInString(text) > benefitMost {
				return fault.New(fault.Invalid, "a benefit is too long", "entitlement", b.Entitlement).WithHint("it has %d letters at most", benefitMost)
			}
		}
	}
	return d.Words.Check()
}

// Words gives the wall's own words that are live.
func (s *Store) Words(ctx context.Context, q db.Queryer) (Words, error) {
	type row struct{ lang, texts string }
	rows, err := q.QueryContext(ctx, `SELECT lang, texts FROM wall_text ORDER BY lang`)
	list, err := db.Rows(rows, err, func(r db.Scanner) (t row, err error) { return t, r.Scan(&t.lang, &t.texts) })
	if err != nil {
		return nil, fmt.Errorf("wall.Words: %w", err)
	}
	words := Words{}
	for _, r := range list {
		texts := map[string]string{}
		if err := json.Unmarshal([]byte(r.texts), &texts); err != nil {
			return nil, fmt.Errorf("wall.Words(%s): %w", r.lang, err)
		}
		words[r.lang] = texts
	}
	return words, nil
}

// Live gives the wall that is live. Where no rules were written it has [DefaultRules].
func (s *Store) Live(ctx context.Context, q db.Queryer) (Design, error) {
	rules, err := s.Rules(ctx, q)
	if err != nil {
		return Design{}, err
	}
	if len(rules) == 0 {
		rules = DefaultRules()
	}
	benefits, err := s.Benefits(ctx, q)
	if err != nil {
		return Design{}, err
	}
	words, err := s.Words(ctx, q)
	return DesignOf(rules, benefits, words), err
}

// Version is the wall as it was put live once.
type Version struct {
	Seq    int64 // from 1
	Design Design
	Who    string // e-mail of the staff; "" for the command line
	At     time.Time
}

// Versions gives the newest versions, the newest first.
func (s *Store) Versions(ctx context.Context, q db.Queryer, limit int) ([]Version, error) {
	rows, err := q.QueryContext(ctx, `SELECT seq, design, who, at FROM wall_version ORDER BY seq DESC LIMIT $1`, limit)
	versions, err := db.Rows(rows, err, scanVersion)
	if err != nil {
		return nil, fmt.Errorf("wall.Versions: %w", err)
	}
	return versions, nil
}

// Version gives one version.
func (s *Store) Version(ctx context.Context, q db.Queryer, seq int64) (Version, error) {
	v, err := scanVersion(q.QueryRowContext(ctx, `SELECT seq, design, who, at FROM wall_version WHERE seq = $1`, seq))
	if err != nil {
		return v, absent(err, "no such version of the wall", "version", seq)
	}
	return v, nil
}

func scanVersion(row db.Scanner) (v Version, err error) {
	var design string
	var at int64
	if err := row.Scan(&v.Seq, &design, &v.Who, &at); err != nil {
		return v, err
	}
	v.At = db.Time(at)
	return v, json.Unmarshal([]byte(design), &v.Design)
}

// Draft is the wall that is being worked on. The zero Draft is none.
type Draft struct {
	Version int64 // raised each time that it is saved
	Base    int64 // the newest [Version.Seq] when it was begun
	Design  Design
	Who     string // saved it last
	At      time.Time
}

// Draft gives the wall that is being worked on; where there is none, with
// Version 0, one that begins from what is live.
func (s *Store) Draft(ctx context.Context, q db.Queryer) (d Draft, err error) {
	var design string
	var at int64
	err = q.QueryRowContext(ctx, `SELECT version, base, design, who, updated_at FROM wall_draft WHERE id = 'draft'`).Scan(&d.Version, &d.Base, &design, &d.Who, &at)
	if err == nil {
		d.At = db.Time(at)
		return d, json.Unmarshal([]byte(design), &d.Design)
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return d, fmt.Errorf("wall.Draft: %w", err)
	}
	if d.Base, err = s.newest(ctx, q); err != nil {
		return d, err
	}
	d.Design, err = s.Live(ctx, q)
	return d, err
}

func (s *Store) newest(ctx context.Context, q db.Queryer) (seq int64, err error) {
	if err = q.QueryRowContext(ctx, `SELECT COALESCE(MAX(seq), 0) FROM wall_version`).Scan(&seq); err != nil {
		return 0, fmt.Errorf("wall.Versions: %w", err)
	}
	return seq, nil
}

// SaveDraft keeps what is worked on, finished or not, in the place of the draft
// that has version seen (0: there was none). Where another was saved meanwhile
// it is fault.Conflict, and nothing is kept. It changes nothing for readers.
func (s *Store) SaveDraft(ctx context.Context, tx *db.Tx, design Design, seen int64, who string) (Draft, error) {
	d := Draft{Version: seen + 1, Design: design, Who: who, At: s.Now()}
	if err := design.bounded(); err != nil {
		return d, err
	}
	text, err := json.Marshal(design)
	if err != nil {
		return d, err
	}
	if d.Base, err = s.newest(ctx, tx); err != nil {
		return d, err
	}
	err = tx.QueryRowContext(ctx, `UPDATE wall_draft SET version = version + 1, design = $1, who = $2, updated_at = $3 WHERE id = 'draft' AND version = $4 RETURNING base`,
		string(text), who, db.Micros(d.At), seen).Scan(&d.Base)
	if errors.Is(err, sql.ErrNoRows) && seen == 0 {
		err = tx.QueryRowContext(ctx, `INSERT INTO wall_draft (id, version, base, design, who, updated_at) VALUES ('draft', 1, $1, $2, $3, $4)
			ON CONFLICT (id) DO NOTHING RETURNING base`, d.Base, string(text), who, db.Micros(d.At)).Scan(&d.Base)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return d, fault.New(fault.Conflict, "the draft was saved by somebody else").WithHint("load it anew")
	}
	if err != nil {
		return d, fmt.Errorf("wall.SaveDraft: %w", err)
	}
	return d, nil
}

// DropDraft throws the draft away that has version seen; else fault.Conflict.
func (s *Store) DropDraft(ctx context.Context, tx *db.Tx, seen int64) error {
	done, err := tx.ExecContext(ctx, `DELETE FROM wall_draft WHERE id = 'draft' AND version = $1`, seen)
	if err != nil {
		return fmt.Errorf("wall.DropDraft: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(fault.New(fault.Conflict, "the draft was saved by somebody else").WithHint("load it anew"), err)
	}
	return nil
}

// PutLive puts a design in the place of the wall: rules, benefits and words. It
// keeps it as a version; before the first it keeps what was there. A trial that
// is on ends, since what it compared with is no more. A design that cannot be
// used is fault.Invalid; whether its benefits are kept is for [CheckBenefits].
func (s *Store) PutLive(ctx context.Context, tx *db.Tx, design Design, who string) (seq int64, err error) {
	rules, err := design.Compiled()
	if err != nil {
		return 0, err
	}
	if err := design.bounded(); err != nil {
		return 0, err
	}
	last, err := s.newest(ctx, tx)
	if err != nil {
		return 0, err
	}
	if last == 0 {
		before, err := s.Live(ctx, tx)
		if err != nil {
			return 0, err
		}
		if !before.Equal(design) {
			if err := s.keep(ctx, tx, 1, before, ""); err != nil {
				return 0, err
			}
			last = 1
		}
	}
	if err := errors.Join(s.ReplaceRules(ctx, tx, rules), s.ReplaceBenefits(ctx, tx, design.Offers())); err != nil {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM wall_text`); err != nil {
		return 0, fmt.Errorf("wall.PutLive: %w", err)
	}
	for lang, texts := range design.normal().Words {
		text, err := json.Marshal(texts)
		if err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO wall_text (lang, texts) VALUES ($1, $2)`, lang, string(text))
		}
		if err != nil {
			return 0, fmt.Errorf("wall.PutLive(%s): %w", lang, err)
		}
	}
	if _, err := s.EndTrials(ctx, tx); err != nil {
		return 0, err
	}
	return last + 1, s.keep(ctx, tx, last+1, design, who)
}

func (s *Store) keep(ctx context.Context, tx *db.Tx, seq int64, design Design, who string) error {
	text, err := json.Marshal(design.normal())
	if err == nil {
		_, err = tx.ExecContext(ctx, `INSERT INTO wall_version (seq, design, who, at) VALUES ($1, $2, $3, $4)`, seq, string(text), who, db.Micros(s.Now()))
	}
	if db.IsUnique(err) {
		return fault.New(fault.Conflict, "another wall was put live at this moment").WithHint("load it anew")
	}
	if err != nil {
		return fmt.Errorf("wall.PutLive(%d): %w", seq, err)
	}
	return nil
}

// PutDraftLive puts the draft live that has version seen, and throws it away. It
// is fault.Conflict where another was saved meanwhile, or where another wall was
// put live since the draft began and over does not name it.
func (s *Store) PutDraftLive(ctx context.Context, tx *db.Tx, seen, over int64, who string) (int64, error) {
	d, err := s.Draft(ctx, tx)
	if err != nil {
		return 0, err
	}
	last, err := s.newest(ctx, tx)
	if err != nil {
		return 0, err
	}
	if d.Version == 0 || d.Version != seen || last != d.Base && last != over {
		return 0, fault.New(fault.Conflict, "the wall was changed by somebody else").WithHint("load it anew")
	}
	if err := s.DropDraft(ctx, tx, seen); err != nil {
		return 0, err
	}
	return s.PutLive(ctx, tx, d.Design, who)
}
