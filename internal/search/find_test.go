package search_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/search"
	"masthead/internal/story"
)

// archive publishes stories at times and in sections of their own; the IDs are
// those of their editions.
type archive struct {
	*testing.T
	db      *db.DB
	index   *search.Index
	stories *story.Store
}

func newArchive(t *testing.T, d *db.DB) *archive {
	return &archive{t, d, &search.Index{Dialect: d.Dialect}, &story.Store{Now: time.Now, DefaultLang: "en", Location: time.UTC}}
}

func (a *archive) section(slug string) string {
	a.Helper()
	s := story.Section{Slug: slug, Names: story.Texts{"en": slug}}
	if err := a.db.InTx(a.Context(), func(tx *db.Tx) error { return a.stories.SaveSection(a.Context(), tx, &s) }); err != nil {
		a.Fatal(err)
	}
	return s.ID
}

func (a *archive) publish(entries ...search.Entry) (ids []string) {
	a.Helper()
	err := a.db.InTx(a.Context(), func(tx *db.Tx) error {
		for _, entry := range entries {
			st := story.Story{OriginalLang: entry.Lang, SectionID: entry.SectionID}
			if err := a.stories.Save(a.Context(), tx, &st); err != nil {
				return err
			}
			e := story.Edition{StoryID: st.ID, Lang: entry.Lang, Status: story.Published, Slug: st.ID, Headline: entry.Headline,
				Body: doc.FromText(entry.Body), PublishedAt: entry.PublishedAt}
			if err := a.stories.SaveEdition(a.Context(), tx, &e, "test"); err != nil {
				return err
			}
			entry.EditionID = e.ID
			ids = append(ids, e.ID)
			if err := a.index.Put(a.Context(), tx, entry); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		a.Fatal(err)
	}
	return ids
}

func (a *archive) find(q search.Query) search.Found {
	a.Helper()
	found, err := a.index.Find(a.Context(), a.db.Read(), q)
	if err != nil {
		a.Fatal(err)
	}
	return found
}

var newest = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestNewestFirstAcrossTheYears(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		a := newArchive(t, d)
		var entries []search.Entry
		for i := range 60 { // seven years, in no order
			at := newest.AddDate(0, -(i*23%60)*3/2, 0)
			entries = append(entries, search.Entry{Lang: "en", Headline: "Harbour", Body: "The pilot came aboard.", PublishedAt: at})
		}
		entries = append(entries,
			search.Entry{Lang: "en", Headline: "Pilot", Body: "Nobody came.", PublishedAt: newest.AddDate(-30, 0, 0)},
			search.Entry{Lang: "en", Headline: "Quay", Summary: "A pilot was seen", Body: "Nobody came.", PublishedAt: newest.AddDate(-60, 0, 0)},
			search.Entry{Lang: "en", Headline: "Undated", Body: "A pilot, some day."})
		ids := a.publish(entries...)
		at := map[string]time.Time{}
		for i, id := range ids {
			at[id] = entries[i].PublishedAt
		}
		found := a.find(search.Query{Lang: "en", Words: "pilot", Limit: 100})
		got := editions(found)
		if found.Count != 63 || found.More || len(got) != 63 {
			t.Fatalf("%d found, %d of them given, more: %v; want all 63", found.Count, len(got), found.More)
		}
		if got[0] != ids[60] || got[1] != ids[61] {
			t.Errorf("the headline's story is not the first, or the summary's not the second")
		}
		for i := 3; i < len(got); i++ {
			if at[got[i-1]].Before(at[got[i]]) {
				t.Errorf("story %d is of %v, the one after it of %v", i-1, at[got[i-1]], at[got[i]])
			}
		}
		var paged []string
		for offset := 0; offset < 70; offset += 10 {
			paged = append(paged, editions(a.find(search.Query{Lang: "en", Words: "pilot", Limit: 10, Offset: offset}))...)
		}
		if diff := cmp.Diff(got, paged); diff != "" {
			t.Errorf("page by page it is another list:\n%s", diff)
		}
	})
}

func TestManyOfOneSecond(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		a := newArchive(t, d)
		var entries []search.Entry
		for range 260 {
			entries = append(entries, search.Entry{Lang: "en", Headline: "Moved", Body: "A lighthouse.", PublishedAt: newest.AddDate(-9, 0, 0)})
		}
		entries = append(entries, search.Entry{Lang: "en", Headline: "New", Body: "A lighthouse.", PublishedAt: newest},
			search.Entry{Lang: "en", Headline: "Lighthouse", Body: "An old one.", PublishedAt: newest.AddDate(-20, 0, 0)})
		ids := a.publish(entries...)
		found := a.find(search.Query{Lang: "en", Words: "lighthouse", Limit: 2})
		if !found.More || found.Count != 201 {
			t.Errorf("%d found, more: %v; want the 200 newest and the headline's", found.Count, found.More)
		}
		if got := editions(found); len(got) != 2 || got[0] != ids[261] || got[1] != ids[260] {
			t.Errorf("first %v, want the old headline %s and the newest %s", got, ids[261], ids[260])
		}
	})
}

func TestSectionsAndLanguagesApart(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		a := newArchive(t, d)
		port, town := a.section("port"), a.section("town")
		ids := a.publish(
			search.Entry{Lang: "en", SectionID: port, Headline: "One", Body: "Linnet 2026.", PublishedAt: newest},
			search.Entry{Lang: "en", SectionID: town, Headline: "Two", Body: "Linnet 2026.", PublishedAt: newest},
			search.Entry{Lang: "en", Headline: "Three", Body: "Linnet 2026.", PublishedAt: newest},
			search.Entry{Lang: "ar", SectionID: port, Headline: "أربعة", Body: "2026", PublishedAt: newest},
			search.Entry{Lang: "he", SectionID: port, Headline: "חמש", Body: "2026", PublishedAt: newest})
		for _, c := range []struct {
			lang, words string
			sections    []string
			want        int
		}{
			{"en", "linnet", nil, 3}, {"en", "linnet", []string{port}, 1}, {"en", "linnet", []string{port, town}, 2}, {"en", "linnet", []string{}, 0},
			{"en", "2026", nil, 3}, {"ar", "2026", nil, 1}, {"he", "2026", []string{port}, 1}, {"he", "2026", []string{town}, 0}, {"ru", "2026", nil, 0},
		} {
			if found := a.find(search.Query{Lang: c.lang, Words: c.words, SectionIDs: c.sections, Limit: 9}); found.Count != c.want || len(found.Matches) != c.want {
				t.Errorf("%s %s in %v: %d, want %d", c.lang, c.words, c.sections, found.Count, c.want)
			}
		}
		// The word that stands for a section finds nothing that is not there.
		if found := a.find(search.Query{Lang: "ar", Words: "2026", SectionIDs: []string{port}, Limit: 9}); len(found.Matches) != 1 || found.Matches[0].EditionID != ids[3] {
			t.Errorf("found %v, want %s", editions(found), ids[3])
		}
	})
}

func TestTextShowsNoMoreThanItsReaderMayRead(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		a := newArchive(t, d)
		for lang, c := range map[string]struct{ preview, rest, common, secret string }{
			"en": {"The dredgers came at dawn, it's said.", "The treaties of the dredgers were signed in secret.", "dredger", "treaty"},
			"ar": {"عادت الجرافات إلى الميناء.", "وقعت المعاهدة بين الجرافات سرا.", "جرافات", "معاهدة"},
			"he": {"הדחפורים חזרו לנמל.", "ההסכמים על הדחפורים נחתמו.", "דחפורים", "הסכמים"},
			"fr": {"L’accord d’hier tient.", "L’élève a trahi l’accord.", "accord", "élève"},
			"ru": {"Земснаряды вернулись в порт.", "Договорённости о земснарядах подписаны.", "земснаряд", "договорённость"},
			"cy": {"Llywodraeth newydd.", "Mae’r porthladd a’r llywodraeth ar agor.", "llywodraeth", "porthladd"},
		} {
			filler := strings.Repeat(c.preview+" 7 ", 4)
			body := filler + c.preview + "\n\n" + c.rest
			preview := len(filler + c.preview)
			a.publish(search.Entry{Lang: lang, Headline: "x" + lang, Body: body, Preview: preview, PublishedAt: newest})
			for _, words := range []string{c.common, c.secret, c.common + " " + c.secret, `"` + c.secret + `"`} {
				found := a.find(search.Query{Lang: lang, Words: words, Limit: 1})
				if len(found.Matches) != 1 || !found.Matches[0].Current {
					t.Fatalf("%s %s: %+v", lang, words, found)
				}
				m := found.Matches[0]
				if diff := cmp.Diff(search.Excerpt(lang, body, words), m.Excerpt(words, true)); diff != "" {
					t.Errorf("%s %s: not what reading all the text gives (-want +got)\n%s", lang, words, diff)
				}
				if len(m.Excerpt(words, true)) == 0 {
					t.Errorf("%s %s: no excerpt", lang, words)
				}
				if diff := cmp.Diff(search.Excerpt(lang, body[:preview], words), m.Excerpt(words, false)); diff != "" {
					t.Errorf("%s %s: not what reading the preview gives (-want +got)\n%s", lang, words, diff)
				}
			}
		}
	})
}

func TestStale(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		a := newArchive(t, d)
		id := a.publish(search.Entry{Lang: "en", Headline: "Pilot", Body: "A pilot.", PublishedAt: newest})[0]
		stale := func() []string {
			t.Helper()
			ids, err := a.index.Stale(t.Context(), d.Read(), 10)
			if err != nil {
				t.Fatal(err)
			}
			return ids
		}
		if ids := stale(); len(ids) != 0 {
			t.Errorf("%v is stale as soon as it is made", ids)
		}
		a.index = &search.Index{Dialect: d.Dialect, Cut: "another"}
		if ids := stale(); !cmp.Equal(ids, []string{id}) {
			t.Errorf("stale %v, want %s", ids, id)
		}
		if m := a.find(search.Query{Lang: "en", Words: "pilot", Limit: 1}).Matches; len(m) != 1 || m[0].Current {
			t.Errorf("found %+v, want one that is not current", m)
		}
		if err := d.InTx(t.Context(), func(tx *db.Tx) error {
			return a.index.Put(t.Context(), tx, search.Entry{EditionID: id, Lang: "en", Headline: "Pilot", PublishedAt: newest})
		}); err != nil {
			t.Fatal(err)
		}
		if ids := stale(); len(ids) != 0 {
			t.Errorf("%v is stale after it was made anew", ids)
		}
	})
}

func TestTooSlowIsUnavailable(t *testing.T) {
	d := dbtest.SQLite(t)
	a := newArchive(t, d)
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	_, err := a.index.Find(ctx, d.Read(), search.Query{Lang: "en", Words: "pilot", Limit: 1})
	if !fault.Is(err, fault.Unavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Find = %v, want unavailable", err)
	}
}

func FuzzText(f *testing.F) {
	f.Add("en", "The dredgers' return — it's late.\n\nA U.S. treaty, of 2026.", "treaty dredger", 20)
	f.Add("fr", "L’élève où\u00a0l’eau", "eau", 3)
	f.Add("ar", "عودة الجرافات إلى الميناء", "جرافات", 7)
	d := dbtest.SQLite(f)
	x := &search.Index{Dialect: d.Dialect}
	stories := &story.Store{Now: time.Now, DefaultLang: "en", Location: time.UTC}
	st, e := story.Story{OriginalLang: "en"}, story.Edition{Lang: "en", Headline: "x"}
	if err := d.InTx(f.Context(), func(tx *db.Tx) error {
		if err := stories.Save(f.Context(), tx, &st); err != nil {
			return err
		}
		e.StoryID = st.ID
		return stories.SaveEdition(f.Context(), tx, &e, "fuzz")
	}); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, lang, text, words string, preview int) {
		text, words = strings.ToValidUTF8(text, ""), strings.ToValidUTF8(words, "")
		preview = min(max(preview, 0), len(text))
		if err := d.InTx(t.Context(), func(tx *db.Tx) error {
			return x.Put(t.Context(), tx, search.Entry{EditionID: e.ID, Lang: lang, Headline: words, Body: text, Preview: preview})
		}); err != nil {
			t.Fatal(err)
		}
		found, err := x.Find(t.Context(), d.Read(), search.Query{Lang: lang, Words: words, Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range found.Matches {
			for _, p := range m.Excerpt(words, false) {
				if shown := strings.Fields(strings.Trim(p.Text, "… ")); !strings.Contains(strings.Join(strings.Fields(text[:preview]), " "), strings.Join(shown, " ")) {
					t.Errorf("%q of the preview %q", fmt.Sprint(p), text[:preview])
				}
			}
		}
	})
}
