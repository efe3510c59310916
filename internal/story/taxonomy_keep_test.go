package story_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/story"
)

var langs = []string{"en", "ar"}

func (r *room) leads(old, want string) {
	r.Helper()
	if got, err := r.Redirect(r.Context(), r.db.Read(), old); err != nil || got != want {
		r.Errorf("%s leads to %q, %v; want %q", old, got, err, want)
	}
}

func TestMergeTopics(t *testing.T) {
	run(t, func(r *room) {
		ctx := r.Context()
		a := story.Topic{Slug: "tarablus", Kind: story.Place, Names: story.Texts{"en": "Tarablus", "fr": "Tripoli (Liban)"}, Descriptions: story.Texts{"en": "Old", "ar": "مدينة"},
			Aliases: map[string][]string{"en": {"Trablous", "tripoli"}, "ar": {"الفيحاء"}}}
		b := story.Topic{Slug: "tripoli", Kind: story.Place, Names: story.Texts{"en": "Tripoli", "ar": "طرابلس"}, Descriptions: story.Texts{"en": "New"}, Aliases: map[string][]string{"en": {"Trablous"}}}
		r.tx(func(tx *db.Tx) error { return r.SaveTopic(ctx, tx, &a) })
		r.tx(func(tx *db.Tx) error { return r.SaveTopic(ctx, tx, &b) })
		only, _ := r.publish(story.Story{Topics: []string{a.ID}}, story.Edition{Headline: "One"})
		both, _ := r.publish(story.Story{Topics: []string{a.ID, b.ID}}, story.Edition{Headline: "Both"})
		r.tx(func(tx *db.Tx) error { return r.AddRedirect(ctx, tx, "/older/", "/topic/tarablus/", "") })
		r.told = nil
		var moved int
		r.tx(func(tx *db.Tx) (err error) { moved, err = r.MergeTopics(ctx, tx, a.ID, b.ID, langs); return err })
		if moved != 2 || len(r.told) != 2 {
			r.Errorf("moved %d, told %v", moved, r.told)
		}
		for _, id := range []string{only.ID, both.ID} {
			if st, err := r.ByID(ctx, r.db.Read(), id); err != nil || !slices.Equal(st.Topics, []string{b.ID}) {
				r.Errorf("topics %v, %v", st.Topics, err)
			}
		}
		got, err := r.TopicByID(ctx, r.db.Read(), b.ID)
		if err != nil {
			r.Fatal(err)
		}
		want := map[string][]string{"en": {"Trablous", "Tarablus"}, "ar": {"الفيحاء"}}
		if diff := cmp.Diff(want, got.Aliases); diff != "" || got.Names["fr"] != "Tripoli (Liban)" || got.Descriptions["en"] != "New" || got.Descriptions["ar"] != "مدينة" {
			r.Errorf("joined %+v\n%s", got, diff)
		}
		for _, old := range []string{"/topic/tarablus/", "/topic/tarablus", "/older/"} {
			r.leads(old, "/topic/tripoli/")
		}
		r.leads("/ar/topic/tarablus/feed.xml", "/ar/topic/tripoli/feed.xml")
		if _, err := r.TopicByID(ctx, r.db.Read(), a.ID); !fault.Is(err, fault.NotFound) {
			r.Errorf("the merged one: %v", err)
		}
		for _, pair := range [][2]string{{b.ID, b.ID}, {"nobody", b.ID}, {b.ID, "nobody"}} {
			if err := r.db.InTx(ctx, func(tx *db.Tx) error { _, err := r.MergeTopics(ctx, tx, pair[0], pair[1], langs); return err }); fault.KindOf(err) == fault.Internal {
				r.Errorf("merge %v: %v", pair, err)
			}
		}
		if err := r.db.InTx(ctx, func(tx *db.Tx) error { return r.DeleteTopic(ctx, tx, b.ID) }); !fault.Is(err, fault.Conflict) {
			r.Errorf("delete what stories have: %v", err)
		}
	})
}

func TestMergeWriters(t *testing.T) {
	run(t, func(r *room) {
		ctx := r.Context()
		a, b := story.Writer{Slug: "a-ribeiro", Names: story.Texts{"en": "A. Ribeiro"}, Handle: "@ana", StaffID: "s"}, story.Writer{Slug: "ana-ribeiro", Names: story.Texts{"en": "Ana Ribeiro"}}
		r.tx(func(tx *db.Tx) error { return r.SaveWriter(ctx, tx, &a) })
		r.tx(func(tx *db.Tx) error { return r.SaveWriter(ctx, tx, &b) })
		st, _ := r.publish(story.Story{Bylines: []story.Byline{{AuthorID: a.ID, Role: story.Author}, {AuthorID: b.ID, Role: story.Author}, {AuthorID: a.ID, Role: story.Photographer}}}, story.Edition{Headline: "One"})
		r.tx(func(tx *db.Tx) error { _, err := r.MergeWriters(ctx, tx, a.ID, b.ID, langs); return err })
		after, err := r.ByID(ctx, r.db.Read(), st.ID)
		want := []story.Byline{{AuthorID: b.ID, Role: story.Author}, {AuthorID: b.ID, Role: story.Photographer}}
		if diff := cmp.Diff(want, after.Bylines); err != nil || diff != "" {
			r.Errorf("bylines %v\n%s", err, diff)
		}
		got, err := r.WriterByID(ctx, r.db.Read(), b.ID)
		if err != nil || got.Handle != "@ana" || got.StaffID != "s" || got.Names["en"] != "Ana Ribeiro" {
			r.Errorf("joined %+v, %v", got, err)
		}
		r.leads("/author/a-ribeiro/", "/author/ana-ribeiro/")
	})
}

func TestSectionsMoveAndGo(t *testing.T) {
	run(t, func(r *room) {
		ctx := r.Context()
		news, world := story.Section{Slug: "news", Names: story.Texts{"en": "News"}}, story.Section{Slug: "world", Names: story.Texts{"en": "World"}}
		r.tx(func(tx *db.Tx) error { return r.SaveSection(ctx, tx, &news) })
		world.ParentID = news.ID
		r.tx(func(tx *db.Tx) error { return r.SaveSection(ctx, tx, &world) })
		st, _ := r.publish(story.Story{SectionID: world.ID}, story.Edition{Headline: "One"})
		del := func(id, into string) (n int, err error) {
			err = r.db.InTx(ctx, func(tx *db.Tx) error { n, err = r.DeleteSection(ctx, tx, id, into, langs); return err })
			return n, err
		}
		if _, err := del(news.ID, ""); !fault.Is(err, fault.Conflict) {
			r.Errorf("with parts: %v", err)
		}
		if _, err := del(world.ID, ""); !fault.Is(err, fault.Conflict) {
			r.Errorf("with stories: %v", err)
		}
		if _, err := del(world.ID, world.ID); !fault.Is(err, fault.Invalid) {
			r.Errorf("into itself: %v", err)
		}
		if n, err := del(world.ID, news.ID); err != nil || n != 1 {
			r.Errorf("deleted: %d, %v", n, err)
		}
		if after, err := r.ByID(ctx, r.db.Read(), st.ID); err != nil || after.SectionID != news.ID {
			r.Errorf("the story is in %q, %v", after.SectionID, err)
		}
		r.leads("/world/", "/news/")
		// There and back again: no address leads in a circle.
		for _, slug := range []string{"reports", "news"} {
			was := news.Slug
			news.Slug = slug
			r.tx(func(tx *db.Tx) error {
				if err := r.SaveSection(ctx, tx, &news); err != nil {
					return err
				}
				return r.Moved(ctx, tx, story.SectionArea, was, news.Slug, langs)
			})
		}
		r.leads("/reports/", "/news/")
		r.leads("/ar/world/", "/ar/news/")
		if _, err := r.Redirect(ctx, r.db.Read(), "/news/"); !fault.Is(err, fault.NotFound) {
			r.Errorf("the address that it has: %v", err)
		}
		all := story.Sections{{ID: "a"}, {ID: "b", ParentID: "a"}, {ID: "c", ParentID: "b"}}
		if all.CheckParent("a", "c") == nil || all.CheckParent("a", "a") == nil || all.CheckParent("c", "z") == nil || all.CheckParent("c", "a") != nil || all.CheckParent("", "c") != nil {
			r.Error("parents are not checked")
		}
	})
}

// Ten thousand topics are counted, read and merged without a long wait.
func TestManyTopics(t *testing.T) {
	run(t, func(r *room) {
		ctx := r.Context()
		r.tx(func(tx *db.Tx) error {
			for i := range 10_000 {
				id := db.NewID()
				if _, err := tx.ExecContext(ctx, `INSERT INTO topic (id, kind, slug, names, created_at) VALUES ($1, 'subject', $2, $3, 0)`,
					id, fmt.Sprintf("topic-%05d", i), fmt.Sprintf(`{"en":"Topic %d"}`, i)); err != nil {
					return err
				}
			}
			return nil
		})
		start := time.Now()
		all, err := r.Topics(ctx, r.db.Read(), nil)
		if err != nil || len(all) != 10_000 {
			r.Fatalf("%d topics, %v", len(all), err)
		}
		r.tx(func(tx *db.Tx) error { _, err := r.MergeTopics(ctx, tx, all[0].ID, all[9999].ID, langs); return err })
		if took := time.Since(start); took > 5*time.Second {
			r.Errorf("took %v", took)
		}
	})
}
