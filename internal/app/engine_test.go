package app_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/doc"
	"masthead/internal/story"
)

// TestKeptPagesFollow changes what kept pages show, and wants it on the next one.
func TestKeptPagesFollow(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *room) {
		b := r.visitor()
		other := r.editions["meter-four"]
		r.tx(func(ctx context.Context, tx *db.Tx) error {
			body, _, err := doc.FromMarkdown("One.\n\n:::also-read story:" + other.StoryID + " Something else\n\nTwo.")
			if err != nil {
				return err
			}
			e := r.editions["open-water"]
			e.Body = body
			return r.Stories.SaveEdition(ctx, tx, &e, "editor")
		})
		warm := func(want string) string {
			t.Helper()
			first, again := b.page(r.path("open-water")), b.page(r.path("open-water"))
			if first != again {
				t.Error("the same page twice differs")
			}
			has(t, "the story", again, want)
			return again
		}
		has(t, "its inset", warm("Headline of open-water"), "Headline of meter-four")
		for _, path := range []string{"/", "/harbour/", "/feed.xml"} {
			has(t, path, b.page(path), "Headline of meter-four")
		}

		other.Headline = "Another headline"
		r.tx(func(ctx context.Context, tx *db.Tx) error { return r.Stories.SaveEdition(ctx, tx, &other, "editor") })
		hasNot(t, "the inset of a story that was renamed", warm("Another headline"), "Headline of meter-four")
		for _, path := range []string{"/", "/harbour/", "/feed.xml", "/search?q=another"} {
			has(t, path, b.page(path), "Another headline")
		}

		r.tx(func(ctx context.Context, tx *db.Tx) error {
			return r.Stories.Withdraw(ctx, tx, other.ID, "Wrong.", "editor")
		})
		hasNot(t, "the inset of a withdrawn story", warm("Headline of open-water"), "Another headline")
		for _, path := range []string{"/", "/harbour/", "/feed.xml"} {
			hasNot(t, path, b.page(path), "Another headline")
		}

		sections, err := r.Stories.Sections(t.Context(), r.DB.Read())
		if err != nil {
			t.Fatal(err)
		}
		harbour, _ := sections.BySlug("harbour")
		harbour.Names = story.Texts{"en": "The quays"}
		r.tx(func(ctx context.Context, tx *db.Tx) error { return r.Stories.SaveSection(ctx, tx, &harbour) })
		warm("The quays")

		// A story that is walled from now on is not shown whole from memory.
		walled := r.editions["three-days"]
		has(t, "an open story", b.page(walled.Path), kept("three-days", "en")...)
		st, err := r.Stories.ByID(t.Context(), r.DB.Read(), walled.StoryID)
		if err != nil {
			t.Fatal(err)
		}
		st.Access = story.Registered
		r.tx(func(ctx context.Context, tx *db.Tx) error { return r.Stories.Save(ctx, tx, &st) })
		hasNot(t, "the story behind a wall", b.page(walled.Path), kept("three-days", "en")...)
	})
}

// TestNodesHearOfEachOther has a page in the memory of two nodes, and changes it at one.
func TestNodesHearOfEachOther(t *testing.T) {
	database := dbtest.PostgresURL(t)
	t.Setenv("MASTHEAD_SECRET", secretOf("a"))
	first := newRoom(t, database, nil)
	second := openRoom(t, settings(t, database, nil))
	second.listen()
	for _, r := range []*room{first, second} {
		if err := r.Relay.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.Relay.Stop)
		has(t, "a node", r.visitor().page(first.path("open-water")), "Headline of open-water")
	}
	began := time.Now()
	first.tx(func(ctx context.Context, tx *db.Tx) error {
		return first.Stories.Withdraw(ctx, tx, first.editions["open-water"].ID, "Mistaken.", "editor")
	})
	if a := first.visitor().get(first.path("open-water")); a.StatusCode != http.StatusGone {
		t.Errorf("at the node that withdrew it = %d, want 410", a.StatusCode)
	}
	for second.visitor().get(first.path("open-water")).StatusCode != http.StatusGone {
		if time.Since(began) > 10*time.Second {
			t.Fatal("the other node still shows what was withdrawn")
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Logf("the other node followed after %v", time.Since(began))
}
