package language

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

func TestNormalise(t *testing.T) {
	for tag, want := range map[string]string{"en": "en", "EN-us": "en-US", "iw": "he", "ar": "ar", "zh-hant-tw": "zh-Hant-TW", "sr-latn": "sr-Latn"} {
		if got, err := Normalise(tag); err != nil || got != want {
			t.Errorf("Normalise(%q) = %q, %v; want %q", tag, got, err, want)
		}
	}
	for _, tag := range []string{"", "und", "not a tag", "../../etc", "e", strings.Repeat("a", 300)} {
		if got, err := Normalise(tag); err == nil {
			t.Errorf("Normalise(%q) = %q; want an error", tag, got)
		}
	}
}

func TestDir(t *testing.T) {
	for tag, want := range map[string]string{"en": "ltr", "ar": "rtl", "ar-EG": "rtl", "he": "rtl", "fa": "rtl", "ur": "rtl", "yi": "rtl",
		"ckb": "rtl", "dv": "rtl", "az": "ltr", "az-Arab": "rtl", "ru": "ltr", "ar-Latn": "ltr", "": "ltr", "???": "ltr"} {
		if got := Dir(tag); got != want {
			t.Errorf("Dir(%q) = %q, want %q", tag, got, want)
		}
	}
}

func TestOwnName(t *testing.T) {
	for tag, want := range map[string]string{"en": "English", "ar": "العربية", "he": "עברית", "ru": "Русский", "fr": "Français", "??": "??"} {
		if got := OwnName(tag); got != want {
			t.Errorf("OwnName(%q) = %q, want %q", tag, got, want)
		}
	}
}

func TestGet(t *testing.T) {
	for lang, want := range map[string]string{"ar": "ar", "ar-EG": "ar", "fr-CA": "fr", "de": "en", "": "en", "nonsense!": "en"} {
		if got := Get(lang).FurnitureLang(); got != want {
			t.Errorf("Get(%q) speaks %q, want %q", lang, got, want)
		}
	}
	var none *Furniture
	if got := none.T("form.save"); got != "Save" {
		t.Errorf("nil furniture says %q, want English", got)
	}
}

func TestMatch(t *testing.T) {
	offered := []string{"en", "ar", "he"}
	for header, want := range map[string]string{"he-IL,he;q=0.9,en;q=0.5": "he", "ar": "ar", "ja": "en", "": "en", "garbage;;q": "en"} {
		if got := Match(header, offered); got != want {
			t.Errorf("Match(%q) = %q, want %q", header, got, want)
		}
	}
}

func TestPlurals(t *testing.T) {
	for _, c := range []struct {
		lang, key string
		n         int
		want      string
	}{
		{"en", "list.stories", 1, "1 story"}, {"en", "list.stories", 0, "0 stories"}, {"en", "list.stories", 12345, "12,345 stories"},
		{"ar", "list.stories", 0, "لا مواد"}, {"ar", "list.stories", 2, "مادتان"}, {"ar", "list.stories", 3, "3 مواد"}, {"ar", "list.stories", 11, "11 مادة"}, {"ar", "list.stories", 100, "100 مادة"},
		{"he", "list.stories", 1, "כתבה אחת"}, {"he", "list.stories", 2, "שתי כתבות"}, {"he", "list.stories", 7, "7 כתבות"},
		{"ru", "list.stories", 1, "1 материал"}, {"ru", "list.stories", 3, "3 материала"}, {"ru", "list.stories", 11, "11 материалов"}, {"ru", "list.stories", 21, "21 материал"},
		{"fr", "list.stories", 0, "0 article"}, {"fr", "list.stories", 2, "2 articles"}, {"fr", "list.stories", 12345, "12\u202f345 articles"},
	} {
		if got := Get(c.lang).N(c.key, c.n); got != c.want {
			t.Errorf("%s %s %d = %q, want %q", c.lang, c.key, c.n, got, c.want)
		}
	}
}

func TestDates(t *testing.T) {
	at := time.Date(2026, 11, 22, 14, 5, 0, 0, time.FixedZone("", 2*3600))
	first := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	for lang, want := range map[string][]string{
		"en": {"22 November 2026", "22 November 2026, 14:05", "Sunday, 22 November 2026", "November 2026", "1 May 2026"},
		"ar": {"22 نوفمبر 2026", "22 نوفمبر 2026، 14:05", "الأحد، 22 نوفمبر 2026", "نوفمبر 2026", "1 مايو 2026"},
		"he": {"22 בנובמבר 2026", "22 בנובמבר 2026, 14:05", "יום ראשון, 22 בנובמבר 2026", "נובמבר 2026", "1 במאי 2026"},
		"ru": {"22 ноября 2026", "22 ноября 2026, 14:05", "воскресенье, 22 ноября 2026", "ноябрь 2026", "1 мая 2026"},
		"fr": {"22 novembre 2026", "22 novembre 2026 à 14:05", "dimanche 22 novembre 2026", "novembre 2026", "1er mai 2026"},
	} {
		f := Get(lang)
		got := []string{f.Date(at).Text, f.DateTime(at).Text, f.Today(at).Text, f.Month(at).Text, f.Date(first).Text}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", lang, diff)
		}
	}
	f := Get("en")
	machine := []string{f.Date(at).Machine, f.Today(at).Machine, f.Month(at).Machine, f.Date(time.Time{}).Machine}
	if diff := cmp.Diff([]string{"2026-11-22T14:05:00+02:00", "2026-11-22", "2026-11", ""}, machine); diff != "" {
		t.Error(diff)
	}
}

func TestIsolation(t *testing.T) {
	if got, want := Get("ar").T("gift.from", "Mara"), "أهداك \u2068Mara\u2069 هذه المادة لتقرأها."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := Get("en").T("gift.from", "Mara"), "Mara has given you this story to read."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := Get("en").T("gift.from", "{1}{0}"), "{1}{0} has given you this story to read."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Get("en").T("no.such.key"); got != "[no.such.key]" {
		t.Errorf("unknown key gives %q", got)
	}
}

func TestReadingTime(t *testing.T) {
	for words, want := range map[int]string{0: "1 minute’s reading", 228: "1 minute’s reading", 1140: "5 minutes’ reading"} {
		if got := Get("en").ReadingTime(words); got != want {
			t.Errorf("ReadingTime(%d) = %q, want %q", words, got, want)
		}
	}
}

var slot = regexp.MustCompile(`\{(\d|n)\}`)

func slots(m message) string {
	seen := map[string]bool{}
	for form, text := range m {
		if form != plural.Other {
			continue
		}
		for _, s := range slot.FindAllString(text, -1) {
			seen[s] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(seen)), "")
}

// TestCatalogues proves that every catalogue has the keys of the English one,
// the same slots in each, and every plural form its language asks for.
func TestCatalogues(t *testing.T) {
	english := Get("en")
	for _, lang := range Furnished() {
		f, err := load(messages, lang)
		if err != nil {
			t.Fatal(err)
		}
		needed := map[plural.Form]bool{}
		for n := range 1000 {
			needed[plural.Cardinal.MatchPlural(language.MustParse(lang), n, 0, 0, 0, 0)] = true
		}
		for key, m := range english.words {
			own, ok := f.words[key]
			if !ok {
				t.Errorf("%s lacks %s", lang, key)
				continue
			}
			for form, text := range own {
				if text == "" {
					t.Errorf("%s: %s is empty", lang, key)
				}
				if form != plural.Other && !needed[form] && lang != "he" {
					t.Errorf("%s: %s has plural form %v, which the language does not use", lang, key, form)
				}
			}
			if len(m) > 1 {
				for form := range needed {
					if _, ok := own[form]; !ok {
						t.Errorf("%s: %s lacks plural form %v", lang, key, form)
					}
				}
			}
			if strings.HasPrefix(key, "story.authors") || strings.HasPrefix(key, "story.corrections") {
				continue
			}
			if got, want := slots(own), slots(m); got != want && !(strings.Contains(key, "last_days") || key == "story.minutes") {
				t.Errorf("%s: %s has slots %s, English has %s", lang, key, got, want)
			}
		}
		for key := range f.words {
			if strings.HasPrefix(key, "desk.setting.") || strings.HasPrefix(key, "desk.setting_group.") {
				continue // package config has the English; the desk's tests hold them against it
			}
			if _, ok := english.words[key]; !ok {
				t.Errorf("%s has %s, which English lacks", lang, key)
			}
		}
	}
}

// TestKeysAreUsed proves that every key stands in a template or in the program,
// and that templates name no key that does not exist.
func TestKeysAreUsed(t *testing.T) {
	var text strings.Builder
	for _, root := range []string{"../../ui", "../../internal"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "dist" || d.Name() == "gallery") {
				return fs.SkipDir
			}
			if ext := filepath.Ext(path); ext == ".html" || ext == ".txt" || ext == ".ts" || ext == ".go" && !strings.HasSuffix(path, "_test.go") {
				b, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				text.Write(b)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	all, english := text.String(), Get("en")
	for key := range english.words {
		// A script asks its table by what follows the prefix that its page took off.
		if rest, ok := strings.CutPrefix(key, "desk.editor."); ok {
			if !strings.Contains(all, `"`+rest+`"`) && !strings.Contains(all, `"`+rest[:strings.LastIndex(rest, ".")+1]+`" +`) {
				t.Errorf("nothing uses %s", key)
			}
			continue
		}
		prefix := key[:strings.LastIndex(key, ".")+1]
		middle, _, _ := strings.Cut(key, ".")
		if !strings.Contains(all, `"`+key+`"`) && !strings.Contains(all, `"`+prefix+`" +`) && !strings.Contains(all, `"`+middle+`." +`) {
			t.Errorf("nothing uses %s", key)
		}
	}
	for _, m := range regexp.MustCompile(`\bword\("([a-z0-9_.]+)"[,)]`).FindAllStringSubmatch(all, -1) {
		if !english.Has("desk.editor." + m[1]) {
			t.Errorf("the editor names %s, which no catalogue has", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`\.[TN] "([a-z0-9_.]+)"`).FindAllStringSubmatch(all, -1) {
		if !english.Has(m[1]) {
			t.Errorf("a template names %s, which no catalogue has", m[1])
		}
	}
}

func TestTable(t *testing.T) {
	table := Get("fr").Table("desk.editor.")
	if table["status.saved"] != "Enregistré" || len(table) < 200 {
		t.Errorf("the editor's table has %d words, the saved state %q", len(table), table["status.saved"])
	}
}

func ExampleFurniture_N() {
	fmt.Println(Get("en").N("story.minutes", 5))
	fmt.Println(Get("ru").N("story.minutes", 2))
	// Output:
	// 5 minutes’ reading
	// 2 минуты чтения
}
