package search_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/doc"
	"masthead/internal/search"
	"masthead/internal/story"
)

func newsroom(t *testing.T, d *db.DB) (*search.Index, func(lang, headline, summary, body string) string) {
	t.Helper()
	x := &search.Index{Dialect: d.Dialect}
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	stories := &story.Store{Now: func() time.Time { now = now.Add(time.Minute); return now }, DefaultLang: "en", Location: time.UTC}
	return x, func(lang, headline, summary, body string) string {
		t.Helper()
		var id string
		err := d.InTx(t.Context(), func(tx *db.Tx) error {
			st := story.Story{OriginalLang: lang}
			if err := stories.Save(t.Context(), tx, &st); err != nil {
				return err
			}
			e := story.Edition{StoryID: st.ID, Lang: lang, Status: story.Published, Headline: headline, Summary: summary, Body: doc.FromText(body)}
			if err := stories.SaveEdition(t.Context(), tx, &e, "test"); err != nil {
				return err
			}
			id = e.ID
			return x.Put(t.Context(), tx, search.Entry{EditionID: e.ID, Lang: lang, PublishedAt: e.PublishedAt, Headline: headline, Summary: summary, Body: body, Preview: len(body) / 2})
		})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
}

func TestFindByTheRulesOfEachLanguage(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		x, publish := newsroom(t, d)
		ids := map[string]string{
			"dredgers": publish("en", "The dredgers return to the harbour", "Contracts were signed", "The ministry's treaty on grain fleets was denied twice. “Nothing’s settled”, he said."),
			"grain":    publish("en", "Harvest", "A summary of harvesting", "Grain prices rose; the fleet stayed in port, and a treaty was far off."),
			"ar":       publish("ar", "عودة الجرافات إلى الميناء", "وقعت العقود", "نفت الوزارة المعاهدة مرتين"),
			"he":       publish("he", "הדחפורים חוזרים לנמל", "החוזים נחתמו", "המשרד הכחיש את ההסכמים פעמיים, וגם את הפגישה."),
			"ru":       publish("ru", "Земснаряды возвращаются в порт", "Контракты подписаны", "Министерство дважды опровергло договорённости"),
			"fr":       publish("fr", "Les dragues reviennent au port", "Les contrats sont signés", "Le ministère a démenti deux fois l’accord sur les céréales"),
			"cy":       publish("cy", "Llywodraeth newydd", "", "Mae’r porthladd ar agor"),
		}
		for _, c := range []struct {
			lang, words string
			want        []string
		}{
			{"en", "dredger", []string{"dredgers"}},
			{"en", "treaties", []string{"dredgers", "grain"}},
			{"en", "grain treaty", []string{"dredgers", "grain"}},
			{"en", `"grain fleet"`, []string{"dredgers"}},
			{"en", "harvest", []string{"grain"}},
			{"en", "HARBOUR", []string{"dredgers"}},
			{"en", "volcano", nil},
			{"en", "the of and", nil},
			{"en", "", nil},
			{"en", `") OR headline:* NOT (`, nil},
			{"en", `treaty AND NOT grain"*^~:|!<->`, []string{"dredgers", "grain"}},
			{"ar", "الجرافات", []string{"ar"}},
			{"ar", "جرافات", []string{"ar"}},
			{"he", "נמל", []string{"he"}},
			{"he", "הסכמים", []string{"he"}},
			{"he", "פגישה", []string{"he"}},
			{"ru", "порту", []string{"ru"}},
			{"ru", "договорённость", []string{"ru"}},
			{"fr", "céréale", []string{"fr"}},
			{"cy", "porthladd", []string{"cy"}},
			{"fr", "dredger", nil},
		} {
			found, err := x.Find(t.Context(), d.Read(), search.Query{Lang: c.lang, Words: c.words, Limit: 10})
			if err != nil {
				t.Errorf("%s %q: %v", c.lang, c.words, err)
				continue
			}
			names := map[string]string{}
			for name, id := range ids {
				names[id] = name
			}
			var got []string
			for _, m := range found.Matches {
				got = append(got, names[m.EditionID])
			}
			less := func(a, b string) bool { return a < b }
			if diff := cmp.Diff(c.want, sorted(got, less)); diff != "" || found.Count != len(c.want) {
				t.Errorf("%s %q: count %d (-want +got)\n%s", c.lang, c.words, found.Count, diff)
			}
		}
	})
}

func sorted(list []string, less func(a, b string) bool) []string {
	for i := range list {
		for j := i; j > 0 && less(list[j], list[j-1]); j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
	return list
}

func editions(f search.Found) (ids []string) {
	for _, m := range f.Matches {
		ids = append(ids, m.EditionID)
	}
	return ids
}

func TestHeadlineBeforeBodyAndPaging(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		x, publish := newsroom(t, d)
		filler := strings.Repeat("The council met about roads and schools. ", 30)
		body := publish("en", "A quiet week", "Nothing happened", filler+"A volcano was mentioned.")
		headline := publish("en", "Volcano wakes", "Ash over the coast", filler)
		found, err := x.Find(t.Context(), d.Read(), search.Query{Lang: "en", Words: "volcano", Limit: 1})
		if err != nil || found.Count != 2 || !cmp.Equal(editions(found), []string{headline}) {
			t.Errorf("first page: %+v, %v; want the headline's story of 2", found, err)
		}
		found, err = x.Find(t.Context(), d.Read(), search.Query{Lang: "en", Words: "volcano", Limit: 1, Offset: 1})
		if err != nil || !cmp.Equal(editions(found), []string{body}) {
			t.Errorf("second page: %+v, %v", found, err)
		}
		found, err = x.Find(t.Context(), d.Read(), search.Query{Lang: "en", Words: "volcano", SectionIDs: []string{}, Limit: 1})
		if err != nil || found.Count != 0 {
			t.Errorf("in no section: %+v, %v", found, err)
		}
	})
}

func TestPutAgainAndDelete(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		x, publish := newsroom(t, d)
		id := publish("en", "Lighthouse", "", "An old keeper")
		count := func(words string) int {
			t.Helper()
			found, err := x.Find(t.Context(), d.Read(), search.Query{Lang: "en", Words: words, Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			return found.Count
		}
		if err := d.InTx(t.Context(), func(tx *db.Tx) error {
			return x.Put(t.Context(), tx, search.Entry{EditionID: id, Lang: "en", Headline: "Harbour", Body: "A new pilot"})
		}); err != nil {
			t.Fatal(err)
		}
		if count("lighthouse") != 0 || count("keeper") != 0 || count("pilot") != 1 {
			t.Error("the old words are found, or the new are not")
		}
		if _, err := d.Write().ExecContext(t.Context(), `DELETE FROM story`); err != nil {
			t.Fatal(err)
		}
		if count("pilot") != 0 {
			t.Error("a deleted story is found")
		}
		if d.Dialect == db.SQLite {
			var left int
			if err := d.Read().QueryRow(`SELECT COUNT(*) FROM search_words WHERE search_words MATCH 'pilot'`).Scan(&left); err != nil || left != 0 {
				t.Errorf("%d rows of words are left behind, %v", left, err)
			}
		}
	})
}

func TestExcerpt(t *testing.T) {
	text := "The council met.\n\n" + strings.Repeat("Nothing was said of it for a while. ", 20) +
		"Then the dredgers returned & the treaty was signed in the harbour. " + strings.Repeat("Silence followed. ", 30)
	pieces := search.Excerpt("en", text, "treaties dredger")
	var shown strings.Builder
	var marked []string
	for _, p := range pieces {
		shown.WriteString(p.Text)
		if p.Match {
			marked = append(marked, p.Text)
		}
	}
	if want := []string{"dredgers", "treaty"}; !cmp.Equal(marked, want) {
		t.Errorf("marked %v, want %v in %q", marked, want, shown.String())
	}
	if n := shown.Len(); n > 320 || !strings.HasPrefix(shown.String(), "… ") || !strings.HasSuffix(shown.String(), " …") {
		t.Errorf("excerpt of %d bytes: %q", n, shown.String())
	}
	if got := search.Excerpt("en", text, "volcano"); got != nil {
		t.Errorf("an excerpt without a word found: %v", got)
	}
	for _, space := range []string{"\u00a0", "\u202f", ""} { // no excerpt begins or ends within a letter
		french := strings.Repeat("été"+space+"où"+space, 60) + "eau" + strings.Repeat(space+"élève", 60)
		for _, p := range search.Excerpt("fr", french, "eau") {
			if !utf8.ValidString(p.Text) {
				t.Errorf("with spaces %q: %q is no text", space, p.Text)
			}
		}
	}
	if got := search.Excerpt("ar", "عودة الجرافات إلى الميناء", "جرافات"); len(got) == 0 {
		t.Error("no excerpt in Arabic")
	}
}

func FuzzQuery(f *testing.F) {
	for _, s := range []string{"water", `"a b"`, `"`, "NEAR(a b)", "a*", "-a", "ا\u0640ل", "\x00", "'; DROP TABLE story; --"} {
		f.Add("en", s)
		f.Add("he", s)
	}
	d := dbtest.SQLite(f)
	x := &search.Index{Dialect: d.Dialect}
	f.Fuzz(func(t *testing.T, lang, words string) {
		if _, err := x.Find(t.Context(), d.Read(), search.Query{Lang: lang, Words: words, Limit: 5}); err != nil {
			t.Errorf("%q: %v", words, err)
		}
		for _, p := range search.Excerpt(lang, words+" and more of "+words, words) {
			if strings.ContainsRune(p.Text, '\n') {
				t.Errorf("a line break in %q", fmt.Sprint(p))
			}
		}
	})
}
