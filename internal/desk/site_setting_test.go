package desk

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"masthead/internal/config"
	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/language"
)

// literal is what stands in a setting's text as it is written in the file, and
// so in every language: addresses, paths, colours, and names with a hyphen that
// are settings.
var literal = regexp.MustCompile(`[a-zA-Z0-9]+://[^ ,]*[A-Za-z0-9\]…]|(?:^|[ ,(])/[a-z0-9/]+|#rrggbb|masthead\.toml|X-[A-Za-z-]+|MASTHEAD_[A-Z]+|NAME\.[a-z]+|[a-z]+(?:-[a-z0-9]+)+`)

// TestSettingsInEveryLanguage proves that each setting, group and refusal that
// the desk shows is told in each of its languages, and that the words of those
// that stand in the catalogues name what the English names.
func TestSettingsInEveryLanguage(t *testing.T) {
	names := map[string]bool{}
	for _, s := range config.Settings() {
		names[s.Name] = true
	}
	for _, lang := range language.Furnished() {
		b := Base{Furniture: language.Get(lang), Lang: lang}
		for _, s := range config.Settings() {
			var text strings.Builder
			for _, span := range settingDoc(b, s) {
				if text.WriteString(span.Text); span.Code && !strings.Contains(s.Doc, span.Text) {
					t.Errorf("%s: %s has `%s`, which its English lacks", lang, s.Name, span.Text)
				}
			}
			group := settingGroup(b, s.Group)
			if strings.Contains(text.String(), "[desk.") || strings.Contains(group, "[desk.") {
				t.Errorf("%s: %s in %q is told as %q", lang, s.Name, group, text.String())
			}
			for _, word := range literal.FindAllString(s.Doc, -1) {
				word = strings.TrimLeft(word, " ,(")
				if strings.Contains(word, "-") && strings.ToLower(word) == word && !strings.Contains(word, "/") && !names[word] {
					continue // built-in, sign-in
				}
				if !strings.Contains(text.String(), word) {
					t.Errorf("%s: %s does not say %s: %s", lang, s.Name, word, text.String())
				}
			}
			if lang != "en" && (text.String() == s.Doc || group == s.Group) {
				t.Errorf("%s: %s is told in English", lang, s.Name)
			}
		}
		for key := range b.Table("desk.setting.") {
			if !names[key] {
				t.Errorf("%s tells of %s, which is no setting", lang, key)
			}
		}
		for key := range b.Table("desk.setting_group.") {
			if !slices.ContainsFunc(config.Settings(), func(s config.Setting) bool {
				return strings.ReplaceAll(strings.ToLower(s.Group), " ", "_") == key
			}) {
				t.Errorf("%s tells of %s, which is no group", lang, key)
			}
		}
		for _, bad := range []string{"", "\n", "-1", "x y", strings.Repeat("9", 2001)} {
			for name := range names {
				refusal, ok := errors.AsType[*config.Refusal](config.Check(name, bad))
				if !ok {
					continue
				}
				if told := settingWrong(b, refusal); strings.ContainsAny(told, "[{") || told == "" {
					t.Errorf("%s: that %s cannot be %.9q is told as %q", lang, name, bad, told)
				}
			}
		}
	}
}

// TestSettingsPageSpeaks looks for English on the page in other languages, and
// for why a value was refused in the visitor's.
func TestSettingsPageSpeaks(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newSite(t, d)
		for lang, want := range map[string][]string{
			"ar": {"كلمات قليلة تحت الاسم.", ">الصحيفة</h2>", `<code dir="ltr">title-ar</code>`, "اكتب عددًا صحيحًا من 0 إلى 1000."},
			"he": {"מילים אחדות מתחת לשם.", ">העיתון</h2>", `<code dir="ltr">title-ar</code>`, "כתבו מספר שלם מ־0 עד 1000."},
			"ru": {"Несколько слов под названием.", ">Газета</h2>", `<code dir="ltr">title-ar</code>`, "Напишите целое число от 0 до 1000."},
			"fr": {"Quelques mots sous le nom.", ">Le journal</h2>", `<code dir="ltr">title-ar</code>`, "Écrivez un nombre entier de 0 à 1000."},
			"en": {"A few words under the name.", ">The newspaper</h2>", "stands in masthead.toml as title-ar;", "Write a number from 0 to 1000."},
		} {
			o.lang = lang
			w := o.ask("POST", "/desk/site/settings", url.Values{"name": {"gift-quota"}, "value": {"-1"}})
			page := w.Body.String()
			if w.Code != 422 {
				t.Errorf("%s: a bad value = %d", lang, w.Code)
			}
			for _, part := range want {
				if !strings.Contains(page, part) {
					t.Errorf("%s: the page lacks %s", lang, part)
				}
			}
			if lang != "en" && strings.Contains(page, `lang="en"`) {
				t.Errorf("%s: the page has English on it", lang)
			}
		}
	})
}
