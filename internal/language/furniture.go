package language

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/BurntSushi/toml"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

//go:embed messages/*.toml messages/desk/*.toml
var messages embed.FS

// Furniture is the words, dates and numbers of one language. A nil *Furniture
// speaks English. It is safe for use by several goroutines.
type Furniture struct {
	lang  string
	tag   language.Tag
	rtl   bool
	words map[string]message
}

// message is one entry of a catalogue: plain text under plural.Other alone,
// or a text for each plural form that the language has.
type message map[plural.Form]string

var forms = map[string]plural.Form{
	"zero": plural.Zero, "one": plural.One, "two": plural.Two,
	"few": plural.Few, "many": plural.Many, "other": plural.Other,
}

// catalogues are parsed once and never changed.
var catalogues = sync.OnceValue(func() map[string]*Furniture {
	all := map[string]*Furniture{}
	for _, lang := range Furnished() {
		f, err := load(messages, lang)
		if err != nil {
			panic(err) // the catalogues are embedded; a test reads them all
		}
		all[lang] = f
	}
	return all
})

func load(fsys fs.FS, lang string) (*Furniture, error) {
	names, err := fs.Glob(fsys, path.Join("messages", "desk", "*."+lang+".toml"))
	if err != nil {
		return nil, fmt.Errorf("language: catalogue %s: %w", lang, err)
	}
	f := &Furniture{lang: lang, tag: language.MustParse(lang), rtl: Dir(lang) == "rtl", words: map[string]message{}}
	for _, name := range append(names, path.Join("messages", lang+".toml")) {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("language: catalogue %s: %w", lang, err)
		}
		var tree map[string]any
		if err := toml.Unmarshal(text, &tree); err != nil {
			return nil, fmt.Errorf("language: %s: %w", name, err)
		}
		if err := f.add("", tree); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *Furniture) add(prefix string, tree map[string]any) error {
	for name, value := range tree {
		key := prefix + name
		switch v := value.(type) {
		case string:
			if _, twice := f.words[key]; twice {
				return fmt.Errorf("language: catalogue %s: %s stands in two files", f.lang, key)
			}
			f.words[key] = message{plural.Other: v}
		case map[string]any:
			if _, isPlural := v["other"]; !isPlural {
				if err := f.add(key+".", v); err != nil {
					return err
				}
				continue
			}
			m := message{}
			for form, text := range v {
				kind, known := forms[form]
				s, isText := text.(string)
				if !known || !isText {
					return fmt.Errorf("language: catalogue %s: %s.%s is no plural form", f.lang, key, form)
				}
				m[kind] = s
			}
			f.words[key] = m
		default:
			return fmt.Errorf("language: catalogue %s: %s is neither text nor table", f.lang, key)
		}
	}
	return nil
}

// Get gives the furniture for a page in lang, an exact or a related language
// ("ar-EG" gets "ar"), or English where there is none.
func Get(lang string) *Furniture {
	all := catalogues()
	if f, ok := all[lang]; ok {
		return f
	}
	if t, err := language.Parse(lang); err == nil {
		base, _ := t.Base()
		if f, ok := all[base.String()]; ok {
			return f
		}
	}
	return all["en"]
}

// Match gives the furnished language that an Accept-Language header (RFC 9110
// §12.5.4) asks for, the first of offered where none fits.
func Match(header string, offered []string) string {
	if len(offered) == 0 {
		return Furnished()[0]
	}
	tags := make([]language.Tag, len(offered))
	for i, o := range offered {
		tags[i] = language.Make(o)
	}
	_, i := language.MatchStrings(language.NewMatcher(tags), header)
	return offered[i]
}

func (f *Furniture) orEnglish() *Furniture {
	if f == nil {
		return catalogues()["en"]
	}
	return f
}

// FurnitureLang is the language of the words themselves, which may differ from
// the page's when no catalogue exists for that.
func (f *Furniture) FurnitureLang() string { return f.orEnglish().lang }

// Has reports whether the catalogue has key.
func (f *Furniture) Has(key string) bool { _, ok := f.orEnglish().words[key]; return ok }

// T gives the text of key with {0}, {1}, … replaced by args. A key that does
// not exist gives the key in brackets, so that it is seen and not silent.
func (f *Furniture) T(key string, args ...any) string {
	f = f.orEnglish()
	m, ok := f.words[key]
	if !ok {
		return "[" + key + "]"
	}
	return f.fill(m[plural.Other], args)
}

// N gives the text of key in the plural form for n, with {n} replaced by the
// number and {0}, {1}, … by args.
func (f *Furniture) N(key string, n int, args ...any) string {
	f = f.orEnglish()
	m, ok := f.words[key]
	if !ok {
		return "[" + key + "]"
	}
	abs := max(n, -n)
	text, ok := m[plural.Cardinal.MatchPlural(f.tag, abs%10_000_000, 0, 0, 0, 0)]
	if !ok {
		text = m[plural.Other]
	}
	return f.fill(strings.ReplaceAll(text, "{n}", f.Number(n)), args)
}

func (f *Furniture) fill(text string, args []any) string {
	if !strings.Contains(text, "{") {
		return text
	}
	pairs := make([]string, 0, 2*len(args))
	for i, arg := range args {
		var s string
		switch v := arg.(type) {
		case int:
			s = f.Number(v)
		case string:
			s = f.isolate(v)
		default:
			s = f.isolate(fmt.Sprint(v))
		}
		pairs = append(pairs, "{"+strconv.Itoa(i)+"}", s)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// isolate sets a foreign run apart with U+2068 and U+2069 (Unicode TR 9 §2.4),
// so that an e-mail address in an Arabic sentence leaves its punctuation alone.
func (f *Furniture) isolate(s string) string {
	for _, r := range s {
		if !unicode.IsLetter(r) {
			continue
		}
		foreign := unicode.In(r, unicode.Arabic, unicode.Hebrew) != f.rtl
		if foreign {
			return "\u2068" + s + "\u2069"
		}
	}
	return s
}

// Number groups the digits of n as the language does: 12,345, or 12 345 with
// a narrow no-break space. Arabic takes European digits, as its online press
// mostly does.
func (f *Furniture) Number(n int) string {
	f = f.orEnglish()
	digits := strconv.Itoa(max(n, -n))
	separator := f.T("number.group")
	var b strings.Builder
	if n < 0 {
		b.WriteString("−")
	}
	for i, d := range digits {
		if left := len(digits) - i; i > 0 && left%3 == 0 && (len(digits) > 4 || separator == ",") {
			b.WriteString(separator)
		}
		b.WriteRune(d)
	}
	return b.String()
}

// Quote sets s in the language's quotation marks.
func (f *Furniture) Quote(s string) string {
	f = f.orEnglish()
	return f.T("quote.open") + s + f.T("quote.close")
}

// A Moment is a time for people and the same for machines.
type Moment struct {
	Text    string // "22 November 2026"
	Machine string // HTML's datetime="…": RFC 3339, "2026-11", "2026"
}

// String gives the text for people.
func (m Moment) String() string { return m.Text }

// IsZero reports whether there is no time; templates use it to leave it out.
func (m Moment) IsZero() bool { return m.Machine == "" }

// Date gives the day of t in t's own location: "22 November 2026". The zero
// time gives the zero Moment, here and below.
func (f *Furniture) Date(t time.Time) Moment {
	if t.IsZero() {
		return Moment{}
	}
	return Moment{f.day(t), t.Format(time.RFC3339)}
}

// DateTime gives day and time of day: "22 November 2026, 14:05".
func (f *Furniture) DateTime(t time.Time) Moment {
	if t.IsZero() {
		return Moment{}
	}
	return Moment{f.orEnglish().T("date.with_time", f.day(t), t.Format("15:04")), t.Format(time.RFC3339)}
}

// Today gives the date line of a front page: "Sunday, 22 November 2026".
func (f *Furniture) Today(t time.Time) Moment {
	if t.IsZero() {
		return Moment{}
	}
	f = f.orEnglish()
	weekday := f.T("date.weekday." + strconv.Itoa(int(t.Weekday())))
	return Moment{f.T("date.with_weekday", weekday, f.day(t)), t.Format(time.DateOnly)}
}

// Month gives a month standing alone: "November 2026".
func (f *Furniture) Month(t time.Time) Moment {
	if t.IsZero() {
		return Moment{}
	}
	f = f.orEnglish()
	return Moment{f.MonthName(t.Month()) + " " + t.Format("2006"), t.Format("2006-01")}
}

// MonthName gives the name of a month standing alone.
func (f *Furniture) MonthName(m time.Month) string {
	return f.T("date.month." + strconv.Itoa(int(m)))
}

func (f *Furniture) day(t time.Time) string {
	f = f.orEnglish()
	day := strconv.Itoa(t.Day())
	if t.Day() == 1 {
		day = f.T("date.first")
	}
	month := f.T("date.in_month." + strconv.Itoa(int(t.Month())))
	return day + " " + month + " " + t.Format("2006")
}

// speeds are words a minute for continuous text: Trauzettel-Klosinski & Dietz,
// "Standardized assessment of reading performance" (IOVS 53, 2012), table 2.
var speeds = map[string]int{"en": 228, "ar": 138, "he": 187, "ru": 184, "fr": 195}

// ReadingMinutes gives the whole minutes it takes to read words words, at
// least one.
func (f *Furniture) ReadingMinutes(words int) int {
	speed := speeds[f.orEnglish().lang]
	return max(1, (words+speed/2)/speed)
}

// ReadingTime gives "5 minutes’ reading" for words words.
func (f *Furniture) ReadingTime(words int) string {
	return f.N("story.minutes", f.ReadingMinutes(words))
}
