package desk

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/story"
)

// made gives the ID of what a form has just made, out of its redirect.
func made(location string) string {
	path, _, _ := strings.Cut(location, "?")
	return path[strings.LastIndexByte(path, '/')+1:]
}

func TestSubjects(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		o.signIn(t)
		ctx := t.Context()
		create := func(area string, form url.Values) string {
			t.Helper()
			w := o.ask("POST", "/desk/subjects/"+area, form)
			if w.Code != 303 {
				t.Fatalf("new %s %v = %d %s", area, form, w.Code, w.Body)
			}
			return made(w.Header().Get("Location"))
		}
		news := create("sections", url.Values{"name-en": {"News <b>"}, "name-ar": {"أخبار"}, "text-en": {"All of it"}})
		world := create("sections", url.Values{"name-en": {"World"}, "slug": {"world"}})
		topic := create("topics", url.Values{"name-en": {"Tripoli"}, "aliases-en": {"Trablous, Tarablus; the city"}, "aliases-ar": {"طرابلس، الفيحاء"}, "kind": {"place"}})
		other := create("topics", url.Values{"name-en": {"Tarablus"}, "kind": {"place"}, "internal": {"1"}})
		author := create("authors", url.Values{"name-en": {"Ana"}, "website": {"https://ana.example/"}, "staff": {o.owner.ID}})
		got, err := o.Stories.TopicByID(ctx, d.Read(), topic)
		if err != nil || len(got.Aliases["en"]) != 3 || len(got.Aliases["ar"]) != 2 || got.Slug != "tripoli" {
			t.Errorf("topic %+v, %v", got, err)
		}
		if a, err := o.Stories.WriterByID(ctx, d.Read(), author); err != nil || a.StaffID != o.owner.ID {
			t.Errorf("author %+v, %v", a, err)
		}
		for _, bad := range []struct {
			area string
			form url.Values
			want int
		}{
			{"sections", url.Values{"text-en": {"no name"}}, 400}, {"sections", url.Values{"name-en": {"x"}, "slug": {"search"}}, 409},
			{"sections", url.Values{"name-en": {"x"}, "parent": {noSuchID}}, 400}, {"topics", url.Values{"name-en": {"x"}, "kind": {"animal"}}, 400},
			{"authors", url.Values{"name-en": {"x"}, "website": {"javascript:alert(1)"}}, 400}, {"authors", url.Values{"name-en": {"x"}, "staff": {noSuchID}}, 400},
			{"animals", url.Values{"name-en": {"x"}}, 404}, {"sections/" + noSuchID, url.Values{"name-en": {"x"}}, 404},
			{"sections/" + news, url.Values{"name-en": {"x"}, "parent": {news}}, 400},
		} {
			if w := o.ask("POST", "/desk/subjects/"+bad.area, bad.form); w.Code != bad.want {
				t.Errorf("%s %v = %d, want %d", bad.area, bad.form, w.Code, bad.want)
			}
		}
		e := o.add(t, "one", "en", "One", story.Published, now.Add(-time.Hour), story.Story{})
		o.tx(t, func(tx *db.Tx) error {
			st, err := o.Stories.ByID(ctx, tx, e.StoryID)
			if err != nil {
				return err
			}
			st.SectionID, st.Topics, st.Bylines = world, []string{other}, []story.Byline{{AuthorID: author, Role: story.Author}}
			return o.Stories.Save(ctx, tx, &st)
		})
		for _, lang := range []string{"en", "ar"} {
			o.lang = lang
			for path, want := range map[string]string{"": "News &lt;b&gt;|أخبار", "/topics?q=trablous": "Tripoli|", "/topics?kind=place": "Tarablus|", "/authors": "Ana|", "/authors/" + author + "?merge=ana&portrait=x": "https://ana.example/|",
				"/sections/" + world: "world|", "/topics/" + other + "?merge=trip": topic + "|", "/topics/new": "name-en|", "/sections/new": "name-ar|", "/authors/new": "name-en|"} {
				w := o.ask("GET", "/desk/subjects"+path, nil)
				one, two, _ := strings.Cut(want, "|")
				if w.Code != 200 || strings.Contains(w.Body.String(), "<b>") || !strings.Contains(w.Body.String(), one) && (two == "" || !strings.Contains(w.Body.String(), two)) {
					t.Errorf("%s in %s = %d", path, lang, w.Code)
				}
			}
		}
		o.lang = "en"
		post := func(path string, form url.Values, want int) {
			t.Helper()
			if w := o.ask("POST", "/desk/subjects"+path, form); w.Code != want {
				t.Errorf("%s %v = %d, want %d: %s", path, form, w.Code, want, w.Body)
			}
		}
		post("/order", url.Values{"section": {news, world}, "down": {"0"}}, 303)
		if all, _ := o.Stories.Sections(ctx, d.Read()); all[0].ID != world {
			t.Errorf("order %+v", all)
		}
		post("/order", url.Values{"section": {news, news}}, 400)
		post("/order", url.Values{"up": {"0"}}, 303)
		post("/sections/"+world, url.Values{"name-en": {"World"}, "slug": {"abroad"}, "parent": {news}}, 303)
		if to, err := o.Stories.Redirect(ctx, d.Read(), "/ar/world/"); err != nil || to != "/ar/abroad/" {
			t.Errorf("the old address leads to %q, %v", to, err)
		}
		if _, err := d.Write().ExecContext(ctx, `INSERT INTO wall_rule (id, position, name, condition, verdict) VALUES ('r', 1, 'Open abroad', '"abroad" in sections', 'open')`); err != nil {
			t.Fatal(err)
		}
		post("/sections/"+world, url.Values{"name-en": {"World"}, "slug": {"far"}}, 409)
		post("/sections/"+world+"/delete", url.Values{"into": {news}}, 409)
		d.Write().ExecContext(ctx, `DELETE FROM wall_rule`)
		post("/sections/"+news+"/delete", url.Values{}, 409)
		post("/sections/"+world+"/delete", url.Values{}, 409)
		post("/sections/"+world+"/delete", url.Values{"into": {news}}, 303)
		post("/topics/"+other+"/delete", url.Values{}, 409)
		post("/topics/"+other+"/merge", url.Values{"into": {topic}}, 303)
		post("/sections/"+news+"/merge", url.Values{"into": {world}}, 404)
		if st, err := o.Stories.ByID(ctx, d.Read(), e.StoryID); err != nil || st.SectionID != news || len(st.Topics) != 1 || st.Topics[0] != topic {
			t.Errorf("the story %+v, %v", st, err)
		}
		post("/authors/"+author+"/delete", url.Values{}, 409)
		post("/authors/"+author+"/portrait", url.Values{"medium": {noSuchID}}, 404)
		post("/authors/"+author+"/portrait", url.Values{"medium": {""}}, 303)
		var entries int
		if err := d.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM audit WHERE act = 'taxonomy.keep'`).Scan(&entries); err != nil || entries < 10 {
			t.Errorf("%d entries in the log, %v", entries, err)
		}
	})
}
