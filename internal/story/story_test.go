package story_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/story"
)

// room is a store with a clock that the test moves.
type room struct {
	*story.Store
	*testing.T
	db  *db.DB
	now time.Time
	// told are the changes that the store spoke of.
	told []story.Change
}

func run(t *testing.T, fn func(r *room)) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		beirut, err := time.LoadLocation("Asia/Beirut")
		if err != nil {
			t.Fatal(err)
		}
		r := &room{T: t, db: d, now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
		r.Store = &story.Store{Now: func() time.Time { return r.now }, DefaultLang: "en", Location: beirut}
		r.Changed = append(r.Changed, func(_ context.Context, _ *db.Tx, c story.Change) error {
			r.told = append(r.told, c)
			return nil
		})
		fn(r)
	})
}

func (r *room) tx(fn func(tx *db.Tx) error) {
	r.Helper()
	if err := r.db.InTx(r.Context(), fn); err != nil {
		r.Fatal(err)
	}
}

// publish makes a story with one published edition.
func (r *room) publish(st story.Story, e story.Edition) (story.Story, story.Edition) {
	r.Helper()
	r.tx(func(tx *db.Tx) error {
		if st.OriginalLang == "" {
			st.OriginalLang = "en"
		}
		if st.ID == "" {
			if err := r.Save(r.Context(), tx, &st); err != nil {
				return err
			}
		}
		e.StoryID = st.ID
		if e.Lang == "" {
			e.Lang = "en"
		}
		if e.Status == "" {
			e.Status = story.Published
		}
		return r.SaveEdition(r.Context(), tx, &e, "editor@example.org")
	})
	return st, e
}

func text(s string) *doc.Node { return doc.FromText(s) }

func TestAddressesAndRedirects(t *testing.T) {
	run(t, func(r *room) {
		late := time.Date(2026, 11, 30, 23, 30, 0, 0, time.UTC) // already December in Beirut
		st, e := r.publish(story.Story{}, story.Edition{Headline: "The Dredgers’ Return!", Body: text("One.\n\nTwo."), PublishedAt: late})
		if e.Path != "/2026/12/the-dredgers-return/" || e.Words != 2 {
			t := r.T
			t.Errorf("path %q, %d words", e.Path, e.Words)
		}
		_, other := r.publish(story.Story{}, story.Edition{Headline: "The dredgers return", PublishedAt: late})
		if other.Path != "/2026/12/the-dredgers-return-2/" || other.Slug != "the-dredgers-return-2" {
			r.Errorf("a second story of that name: %q, %q", other.Path, other.Slug)
		}
		_, arabic := r.publish(st, story.Edition{Lang: "ar", Headline: "عودة الجرافات", PublishedAt: late})
		if arabic.Path != "/ar/2026/12/عودة-الجرافات/" {
			r.Errorf("Arabic path %q", arabic.Path)
		}
		_, page := r.publish(story.Story{Kind: story.Page}, story.Edition{Headline: "Search"})
		if page.Path != "/search-2/" {
			r.Errorf("a page whose slug is reserved: %q", page.Path)
		}

		moved := e
		moved.Slug = "dredgers"
		_, moved = r.publish(st, moved)
		if moved.Path != "/2026/12/dredgers/" {
			r.Errorf("moved to %q", moved.Path)
		}
		for _, old := range []string{e.Path, strings.TrimSuffix(e.Path, "/")} {
			if got, err := r.Redirect(r.Context(), r.db.Read(), old); err != nil || got != moved.Path {
				r.Errorf("Redirect(%q) = %q, %v; want %q", old, got, err, moved.Path)
			}
		}
		again := moved
		again.Slug = "the-dredgers-return"
		if _, again = r.publish(st, again); again.Path != e.Path {
			r.Errorf("back at %q, want %q", again.Path, e.Path)
		}
		if got, err := r.Redirect(r.Context(), r.db.Read(), moved.Path); err != nil || got != e.Path {
			r.Errorf("the address between: %q, %v", got, err)
		}
		if _, err := r.Redirect(r.Context(), r.db.Read(), "/never/"); !fault.Is(err, fault.NotFound) {
			r.Errorf("an address that never was: %v", err)
		}
		r.tx(func(tx *db.Tx) error { return r.AddRedirect(r.Context(), tx, "/old-blog/dredgers", "", e.ID) })
		if got, err := r.Redirect(r.Context(), r.db.Read(), "/old-blog/dredgers/"); err != nil || got != e.Path {
			r.Errorf("an imported address: %q, %v", got, err)
		}
	})
}

func TestRevisionsAreKept(t *testing.T) {
	run(t, func(r *room) {
		st, e := r.publish(story.Story{}, story.Edition{Headline: "First", Body: text("Words.")})
		same := e
		same.LeadCaption = "Only the caption changed"
		r.publish(st, same)
		changed := e
		changed.Headline, changed.Body = "Second", text("Other words.")
		_, changed = r.publish(st, changed)
		if changed.Revision != 2 || changed.ID != e.ID {
			r.Errorf("revision %d of %s, want 2 of %s", changed.Revision, changed.ID, e.ID)
		}
		revisions, err := r.Revisions(r.Context(), r.db.Read(), e.ID)
		if err != nil {
			r.Fatal(err)
		}
		var got []string
		for _, v := range revisions {
			got = append(got, v.Headline+"/"+v.Body.PlainText()+"/"+v.Editor)
		}
		want := []string{"Second/Other words./editor@example.org", "First/Words./editor@example.org"}
		if diff := cmp.Diff(want, got); diff != "" {
			r.Errorf("revisions (-want +got)\n%s", diff)
		}
	})
}

func TestScheduleWithdrawAndReturn(t *testing.T) {
	run(t, func(r *room) {
		_, e := r.publish(story.Story{}, story.Edition{Headline: "Later", Status: story.Draft})
		path := func() (story.Edition, error) {
			e, err := r.EditionByID(r.Context(), r.db.Read(), e.ID)
			if err != nil {
				r.Fatal(err)
			}
			return r.ByPath(r.Context(), r.db.Read(), e.Path)
		}
		at := r.now.Add(2 * time.Hour)
		r.tx(func(tx *db.Tx) error { return r.Publish(r.Context(), tx, e.ID, at, "x") })
		if _, err := path(); !fault.Is(err, fault.NotFound) {
			r.Errorf("a scheduled story is shown: %v", err)
		}
		due := func() (n int) {
			ids, err := r.Due(r.Context(), r.db.Read())
			if err != nil {
				r.Fatal(err)
			}
			for _, id := range ids {
				e, err := r.EditionByID(r.Context(), r.db.Read(), id)
				if err != nil {
					r.Fatal(err)
				}
				e.Status = story.Published
				r.tx(func(tx *db.Tx) error { return r.SaveEdition(r.Context(), tx, &e, "schedule") })
			}
			return len(ids)
		}
		if n := due(); n != 0 {
			r.Errorf("%d published before their time", n)
		}
		r.now = at.Add(time.Second)
		if n := due(); n != 1 {
			r.Errorf("%d published in time, want 1", n)
		}
		got, err := path()
		if err != nil || got.Status != story.Published || !got.PublishedAt.Equal(at) {
			r.Errorf("after its time: %v %v %v", got.Status, got.PublishedAt, err)
		}
		r.tx(func(tx *db.Tx) error { return r.Withdraw(r.Context(), tx, e.ID, "It was wrong.", "x") })
		if gone, err := path(); !fault.Is(err, fault.Gone) || gone.WithdrawnReason != "It was wrong." {
			r.Errorf("withdrawn: %v, %q", err, gone.WithdrawnReason)
		}
		if cards, err := r.Cards(r.Context(), r.db.Read(), story.Query{}); err != nil || len(cards) != 0 {
			r.Errorf("a withdrawn story is listed: %v, %v", cards, err)
		}
		r.tx(func(tx *db.Tx) error { return r.Publish(r.Context(), tx, e.ID, time.Time{}, "x") })
		back, err := path()
		if err != nil || back.Path != got.Path || back.WithdrawnReason != "" {
			r.Errorf("returned: %q %q %v", back.Path, back.WithdrawnReason, err)
		}
		var statuses []story.Status
		for _, c := range r.told {
			statuses = append(statuses, c.Was, c.Is)
		}
		want := []story.Status{"", "draft", "draft", "scheduled", "scheduled", "published", "published", "withdrawn", "withdrawn", "published"}
		if diff := cmp.Diff(want, statuses); diff != "" {
			r.Errorf("what was told (-want +got)\n%s", diff)
		}
	})
}

func TestWhoeverIsToldCanStopAChange(t *testing.T) {
	run(t, func(r *room) {
		st, e := r.publish(story.Story{}, story.Edition{Headline: "Kept"})
		boom := errors.New("boom")
		r.Changed = append(r.Changed, func(context.Context, *db.Tx, story.Change) error { return boom })
		err := r.db.InTx(r.Context(), func(tx *db.Tx) error {
			changed := e
			changed.Headline = "Lost"
			return r.SaveEdition(r.Context(), tx, &changed, "x")
		})
		if !errors.Is(err, boom) {
			r.Fatalf("err = %v", err)
		}
		if now, err := r.EditionOf(r.Context(), r.db.Read(), st.ID, "en"); err != nil || now.Headline != "Kept" {
			r.Errorf("headline %q, %v", now.Headline, err)
		}
	})
}

func TestSavingBySourceWritesOver(t *testing.T) {
	run(t, func(r *room) {
		first := story.Story{OriginalLang: "en", Source: "ghost:1", Access: story.Registered}
		r.tx(func(tx *db.Tx) error { return r.Save(r.Context(), tx, &first) })
		second := story.Story{OriginalLang: "en", Source: "ghost:1", Access: story.ForTier("paid"), Pinned: 2}
		r.tx(func(tx *db.Tx) error { return r.Save(r.Context(), tx, &second) })
		got, err := r.BySource(r.Context(), r.db.Read(), "ghost:1")
		if err != nil || got.ID != first.ID || got.Access != "tier:paid" || got.Pinned != 2 {
			r.Errorf("got %+v, %v; want ID %s", got, err, first.ID)
		}
		err = r.db.InTx(r.Context(), func(tx *db.Tx) error {
			return r.Save(r.Context(), tx, &story.Story{OriginalLang: "en", Access: "everybody"})
		})
		if !fault.Is(err, fault.Invalid) || fault.Hint(err) == "" {
			r.Errorf("an access that is none: %v", err)
		}
	})
}

func TestSectionsTopicsAuthorsAndLists(t *testing.T) {
	run(t, func(r *room) {
		world := story.Section{Slug: "World", Names: story.Texts{"en": "World", "ar": "العالم"}, Position: 1}
		sea := story.Section{Slug: "sea", Names: story.Texts{"en": "The sea"}, Position: 2}
		odd := story.Section{Slug: "search", Names: story.Texts{"en": "Search"}, Position: 3}
		grain := story.Topic{Slug: "grain", Names: story.Texts{"en": "Grain"}, Aliases: map[string][]string{"en": {"wheat"}}}
		inner := story.Topic{Slug: "hash-x", Names: story.Texts{"en": "#x"}, Internal: true}
		nadia := story.Writer{Slug: "nadia", Names: story.Texts{"en": "Nadia", "ar": "نادية"}}
		ilan := story.Writer{Slug: "ilan", Names: story.Texts{"en": "Ilan"}}
		r.tx(func(tx *db.Tx) error {
			err := errors.Join(r.SaveSection(r.Context(), tx, &world))
			sea.ParentID = world.ID
			return errors.Join(err, r.SaveSection(r.Context(), tx, &sea), r.SaveSection(r.Context(), tx, &odd),
				r.SaveTopic(r.Context(), tx, &grain), r.SaveTopic(r.Context(), tx, &inner),
				r.SaveWriter(r.Context(), tx, &nadia), r.SaveWriter(r.Context(), tx, &ilan))
		})
		if world.Slug != "world" || odd.Slug != "search-2" {
			r.Errorf("slugs %q and %q", world.Slug, odd.Slug)
		}
		sections, err := r.Sections(r.Context(), r.db.Read())
		if err != nil || len(sections) != 3 || len(sections.Within(world.ID)) != 2 || len(sections.Path(sea.ID)) != 2 || len(sections.Parts("")) != 2 {
			r.Errorf("sections %+v, %v", sections, err)
		}

		st, first := r.publish(story.Story{SectionID: sea.ID, Topics: []string{grain.ID, inner.ID}, Bylines: []story.Byline{
			{AuthorID: ilan.ID, Role: story.Author}, {AuthorID: nadia.ID, Role: story.Author}, {AuthorID: nadia.ID, Role: story.Translator, Lang: "ar"}}},
			story.Edition{Headline: "First", PublishedAt: r.now.Add(-time.Hour)})
		_, arabic := r.publish(st, story.Edition{Lang: "ar", Headline: "الأول", PublishedAt: r.now.Add(-time.Hour)})
		_, second := r.publish(story.Story{SectionID: world.ID}, story.Edition{Headline: "Second"})
		r.publish(story.Story{Kind: story.Page}, story.Edition{Headline: "About"})
		r.publish(story.Story{SectionID: world.ID}, story.Edition{Headline: "Draft", Status: story.Draft})

		list := func(q story.Query) string {
			cards, err := r.Cards(r.Context(), r.db.Read(), q)
			if err != nil {
				r.Fatal(err)
			}
			var names []string
			for _, c := range cards {
				names = append(names, c.Headline)
			}
			count, err := r.Count(r.Context(), r.db.Read(), q)
			if err != nil || q.Limit == 0 && count != len(cards) {
				r.Errorf("Count = %d, %v; want %d", count, err, len(cards))
			}
			return strings.Join(names, " ")
		}
		for _, c := range []struct {
			q    story.Query
			want string
		}{
			{story.Query{Lang: "en"}, "Second First"},
			{story.Query{Lang: "ar"}, "الأول"},
			{story.Query{Lang: "en", SectionIDs: sections.Within(world.ID)}, "Second First"},
			{story.Query{Lang: "en", SectionIDs: []string{sea.ID}}, "First"},
			{story.Query{Lang: "en", TopicID: grain.ID}, "First"},
			{story.Query{AuthorID: nadia.ID, Lang: "en"}, "First"},
			{story.Query{Lang: "en", NotStories: []string{st.ID}}, "Second"},
			{story.Query{Lang: "en", Limit: 1}, "Second"},
			{story.Query{Lang: "en", Limit: 1, Offset: 1}, "First"},
			{story.Query{Lang: "en", Before: story.Cursor{PublishedAt: second.PublishedAt, EditionID: second.ID}}, "First"},
			{story.Query{Lang: "en", Month: 202611}, "Second First"},
			{story.Query{Lang: "en", Month: 202610}, ""},
			{story.Query{Lang: "en", Since: r.now.Add(-time.Minute)}, "Second"},
			{story.Query{Lang: "en", AnyKind: true, AnyStatus: true, SectionIDs: []string{world.ID}, Limit: 9}, "Second Draft"},
		} {
			if got := list(c.q); got != c.want {
				r.Errorf("%+v: %q, want %q", c.q, got, c.want)
			}
		}
		cards, err := r.Cards(r.Context(), r.db.Read(), story.Query{StoryIDs: []string{st.ID}, Lang: "ar"})
		if err != nil || len(cards) != 1 || len(cards[0].Authors) != 2 || cards[0].Authors[0].Slug != "ilan" {
			r.Errorf("authors in their order: %+v, %v", cards, err)
		}
		names, err := r.Bylines(r.Context(), r.db.Read(), st.ID, "ar")
		if err != nil || len(names) != 3 || names[2].Role != story.Translator {
			r.Errorf("byline of the translation: %+v, %v", names, err)
		}
		byEdition, err := r.CardsByEdition(r.Context(), r.db.Read(), []string{second.ID, arabic.ID, first.ID})
		if err != nil || len(byEdition) != 3 || byEdition[0].EditionID != second.ID || byEdition[1].EditionID != arabic.ID {
			r.Errorf("in the order asked for: %+v, %v", byEdition, err)
		}
		slugs, err := r.TopicSlugs(r.Context(), r.db.Read(), cards)
		if diff := cmp.Diff([]string{"grain", "hash-x"}, slugs[st.ID]); diff != "" || err != nil {
			r.Errorf("topics %s, %v", diff, err)
		}
		months, err := r.Months(r.Context(), r.db.Read(), "en")
		if diff := cmp.Diff([]story.Month{{Month: 202611, Stories: 2}}, months); diff != "" || err != nil {
			r.Errorf("months %s, %v", diff, err)
		}
	})
}

func TestCorrectionsCommentsMenus(t *testing.T) {
	run(t, func(r *room) {
		st, _ := r.publish(story.Story{}, story.Edition{Headline: "Wrong once"})
		for range 2 { // an import that runs again
			r.tx(func(tx *db.Tx) error {
				return errors.Join(
					r.AddCorrection(r.Context(), tx, &story.Correction{StoryID: st.ID, Lang: "en", At: r.now, Text: "It was 40, not 14."}),
					r.SaveComment(r.Context(), tx, &story.Comment{StoryID: st.ID, AuthorName: "A", Text: "First!", Source: "wp:1", At: r.now}),
					r.SaveMenu(r.Context(), tx, story.Menu{Slug: "main", Name: "Main", Items: []story.MenuItem{{Label: "A", URL: "/a/", Items: []story.MenuItem{{Label: "B", URL: "/b/"}}}}}),
					r.SaveMenu(r.Context(), tx, story.Menu{Slug: "empty", Name: "Empty"}))
			})
		}
		corrections, err := r.Corrections(r.Context(), r.db.Read(), st.ID, "en")
		if err != nil || len(corrections) != 1 || corrections[0].Text != "It was 40, not 14." {
			r.Errorf("corrections %+v, %v", corrections, err)
		}
		menus, err := r.Menus(r.Context(), r.db.Read())
		if err != nil || len(menus) != 2 || menus["main"].Items[0].Items[0].Label != "B" || len(menus["empty"].Items) != 0 {
			r.Errorf("menus %+v, %v", menus, err)
		}
		var comments int
		if err := r.db.Read().QueryRow(`SELECT COUNT(*) FROM comment`).Scan(&comments); err != nil || comments != 1 {
			r.Errorf("%d comments, %v", comments, err)
		}
	})
}

func TestFind(t *testing.T) {
	run(t, func(r *room) {
		st, e := r.publish(story.Story{Source: "ghost:7"}, story.Edition{Headline: "Found"})
		for _, name := range []string{e.Path, strings.TrimSuffix(e.Path, "/"), e.Slug, e.ID, st.ID, "ghost:7"} {
			if got, err := r.Find(r.Context(), r.db.Read(), name); err != nil || got.ID != e.ID {
				r.Errorf("Find(%q) = %q, %v", name, got.ID, err)
			}
		}
		if _, err := r.Find(r.Context(), r.db.Read(), "nothing"); !fault.Is(err, fault.NotFound) || fault.Hint(err) == "" {
			r.Errorf("Find(nothing): %v", err)
		}
	})
}

func TestSlug(t *testing.T) {
	for in, want := range map[string]string{
		"The Dredgers’ Return!":     "the-dredgers-return",
		"Don't stop":                "dont-stop",
		"  --  ":                    "",
		"Ünïcödé straße":            "ünïcödé-straße",
		"عودة الجرافات":             "عودة-الجرافات",
		"חזרה לנמל":                 "חזרה-לנמל",
		"../../etc/passwd":          "etc-passwd",
		"a\x00b":                    "a-b",
		strings.Repeat("word ", 40): strings.TrimSuffix(strings.Repeat("word-", 14), "-"),
	} {
		if got := story.Slug(in); got != want {
			t.Errorf("Slug(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzSlug(f *testing.F) {
	for _, s := range []string{"Hello, world", "عودة", "a--b", "\xff", "é", strings.Repeat("x", 300)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		slug := story.Slug(s)
		if strings.HasPrefix(slug, "-") || strings.HasSuffix(slug, "-") || strings.Contains(slug, "--") || strings.ContainsAny(slug, "/?#%. \\") {
			t.Errorf("Slug(%q) = %q", s, slug)
		}
		if again := story.Slug(slug); again != slug {
			t.Errorf("Slug is not stable: %q then %q", slug, again)
		}
	})
}

func TestEmbargoAndLeavingTheSchedule(t *testing.T) {
	run(t, func(r *room) {
		ctx := r.Context()
		_, e := r.publish(story.Story{}, story.Edition{Headline: "Under embargo", Status: story.Draft, EmbargoUntil: r.now.Add(time.Hour)})
		for _, at := range []time.Time{{}, r.now.Add(30 * time.Minute)} {
			err := r.db.InTx(ctx, func(tx *db.Tx) error { return r.Publish(ctx, tx, e.ID, at, "x") })
			if !fault.Is(err, fault.Conflict) {
				r.Errorf("published at %v in spite of the embargo: %v", at, err)
			}
		}
		r.tx(func(tx *db.Tx) error { return r.Publish(ctx, tx, e.ID, r.now.Add(time.Hour), "x") })
		got, err := r.EditionByID(ctx, r.db.Read(), e.ID)
		if err != nil || got.Status != story.Scheduled || got.Path == "" || !got.EmbargoUntil.Equal(r.now.Add(time.Hour)) {
			r.Fatalf("scheduled: %+v %v", got, err)
		}
		got.Status, got.PublishedAt = story.Approved, time.Time{}
		r.tx(func(tx *db.Tx) error { return r.SaveEdition(ctx, tx, &got, "x") })
		if got, _ = r.EditionByID(ctx, r.db.Read(), e.ID); got.Path != "" {
			r.Errorf("off the schedule, it keeps the address %s", got.Path)
		}
		r.now = r.now.Add(time.Hour)
		r.tx(func(tx *db.Tx) error { return r.Publish(ctx, tx, e.ID, time.Time{}, "x") })
		if got, _ = r.EditionByID(ctx, r.db.Read(), e.ID); got.Status != story.Published {
			r.Errorf("after the embargo it is %s", got.Status)
		}
	})
}
