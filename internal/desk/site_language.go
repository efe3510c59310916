package desk

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"masthead/internal/config"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/story"
)

// languagesMost is how many languages a site may have.
const languagesMost = 20

// LanguagesPage is in which languages the site appears. Template: desk/languages.
type LanguagesPage struct {
	Base
	Tabs    []Link
	Rows    []LanguageRow
	Known   []Choice // that could be added
	Fixed   bool     // the list is set where the desk cannot change it
	Draft   bool
	Problem string
}

// LanguageRow is one of them, and what the newspaper is called in it.
type LanguageRow struct {
	Lang, Dir, Name string
	Own             bool // the one whose addresses bear no prefix: it stays
	Stories         int  // published in it
	Fields          []NameField
}

// NameField is the title, tagline or description in a language.
type NameField struct {
	Name, Label, Value, Default string
	Fixed                       bool
}

// nameFields are what a newspaper is called, in each language.
var nameFields = []string{"title", "tagline", "description"}

// commonLanguages are languages that newspapers of the world commonly appear in; any
// other may be typed.
var commonLanguages = strings.Fields("ar az be bg bn ca ckb cs cy da de el en es et eu fa fi fr ga gl ha he hi hr hu hy id is it ja ka kk km ko ku ky lt lv mk mn ms my nb ne nl pl ps pt ro ru si sk sl so sq sr sv sw ta te tg th ti tk tr uk ur uz vi yi zh")

// formName is the name of a setting for a language: "title-ar".
func (d *Desk) formName(field, lang string) string {
	if lang == d.Config.Language {
		return field
	}
	return field + "-" + lang
}

// languages serves "/desk/site/languages". Where the address holds the fields of
// the form, it shows those, changed as one of its buttons says.
func (d *Desk) languages(w http.ResponseWriter, r *http.Request) error {
	langs, form := slices.Clone(d.Config.Languages), url.Values(nil)
	if q := r.URL.Query(); q.Has("draft") {
		form, langs = q, q["lang"]
		if len(langs) > languagesMost {
			return fault.New(fault.Invalid, "the form of the languages is not whole")
		}
		if i := pressed(q, "remove", len(langs)); i < 0 || langs[i] != d.Config.Language {
			langs = moved(langs, q)
		}
		langs = withLanguage(langs, q.Get("add"))
	}
	return d.languagesPage(w, r, http.StatusOK, langs, form, "")
}

// withLanguage adds a language that is typed; what is none is left out.
func withLanguage(langs []string, typed string) []string {
	tag, err := language.Normalise(strings.TrimSpace(typed))
	if err != nil || typed == "" || slices.Contains(langs, tag) {
		return langs
	}
	return append(langs, tag)
}

func (d *Desk) languagesPage(w http.ResponseWriter, r *http.Request, status int, langs []string, form url.Values, problem string) error {
	b, tabs := d.siteBase(r, "languages")
	p := LanguagesPage{Base: b, Tabs: tabs, Draft: form != nil}
	v, err := d.Config.Value("languages")
	if err != nil {
		return err
	}
	p.Fixed = !v.Changeable()
	if problem != "" {
		p.Problem = p.T("desk.languages." + problem)
	}
	for _, l := range langs {
		tag, err := language.Normalise(l)
		if err != nil || tag != l {
			return fault.New(fault.Invalid, "there is no such language", "lang", l)
		}
		row := LanguageRow{Lang: l, Dir: language.Dir(l), Name: language.OwnName(l), Own: l == d.Config.Language}
		if row.Stories, err = d.Stories.Count(r.Context(), d.DB.Read(), story.Query{Lang: l}); err != nil {
			return err
		}
		for _, name := range nameFields {
			v, err := d.Config.Value(d.formName(name, l))
			if err != nil {
				return err
			}
			f := NameField{Name: name + "." + l, Label: p.T("desk.languages." + name), Value: v.Text, Fixed: !v.Changeable()}
			if !row.Own {
				f.Default = d.Config.Text(name)
			}
			if form != nil && form.Has(f.Name) {
				f.Value = form.Get(f.Name)
			}
			row.Fields = append(row.Fields, f)
		}
		p.Rows = append(p.Rows, row)
	}
	for _, l := range commonLanguages {
		if !slices.Contains(langs, l) {
			p.Known = append(p.Known, Choice{Value: l, Name: language.OwnName(l), Lang: l, Dir: language.Dir(l)})
		}
	}
	return d.send(w, r, status, "languages", p)
}

// languagesSave serves "POST /desk/site/languages".
func (d *Desk) languagesSave(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	langs := withLanguage(slices.Clone(r.PostForm["lang"]), r.PostForm.Get("add"))
	if len(langs) > languagesMost || !slices.Contains(langs, d.Config.Language) {
		return fault.New(fault.Invalid, "the form of the languages is not whole")
	}
	values, drop := map[string]string{}, []string(nil)
	if v, err := d.Config.Value("languages"); err != nil {
		return err
	} else if v.Changeable() && !slices.Equal(langs, d.Config.Languages) {
		values["languages"] = strings.Join(langs, ", ")
	}
	for _, l := range langs {
		for _, name := range nameFields {
			typed, key := line(r.PostForm.Get(name+"."+l)), d.formName(name, l)
			v, err := d.Config.Value(key)
			if err != nil {
				return err
			}
			switch {
			case !r.PostForm.Has(name+"."+l) || !v.Changeable() || typed == v.Text:
			case typed == "" && v.From == config.FromDesk && l != d.Config.Language:
				drop = append(drop, key)
			default:
				values[key] = typed
			}
		}
	}
	err := d.keepSettings(w, r, values, drop, "/desk/site/languages")
	if fault.Is(err, fault.Invalid) {
		return d.languagesPage(w, r, http.StatusUnprocessableEntity, langs, r.PostForm, "wrong")
	}
	return err
}
