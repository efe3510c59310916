package archive

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/needtest"
	"masthead/internal/story"
)

const (
	ghostExport  = "ghost/ghost-6.65-export.json"
	ghostMembers = "ghost/ghost-6.65-members.csv"
)

// The export of a real site: every number, every address, every wall.
func TestGhostFixture(t *testing.T) {
	export, members := needtest.Fixture(t, ghostExport), needtest.Fixture(t, ghostMembers)
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		im := newImporter(t, d)
		var lists []NewsletterList
		im.Newsletters = func(_ context.Context, _ *db.Tx, l []NewsletterList) error { lists = l; return nil }

		im.DryRun = true
		dry, err := im.ImportGhost(ctx, export, GhostOptions{Members: members})
		if err != nil {
			t.Fatal(err)
		}
		if n := rows(t, d, "story") + rows(t, d, "reader") + rows(t, d, "tier") + rows(t, d, "section") + rows(t, d, "redirect"); n != 0 {
			t.Fatalf("a dry run wrote %d rows", n)
		}
		im.DryRun = false
		r, err := im.ImportGhost(ctx, export, GhostOptions{Members: members})
		if err != nil {
			t.Fatal(err)
		}
		dry.DryRun, dry.Seconds, r.Seconds = false, 0, 0
		if diff := cmp.Diff(r, dry); diff != "" {
			t.Errorf("a dry run tells something else (-real +dry):\n%s", diff)
		}
		want := Report{Stories: 94, Editions: 94, Authors: 1, Topics: 27, Sections: 9, Readers: 31, Drafts: 6, Pages: 1, Tiers: 2, Menus: 2, Redirects: 87 + 9 + 1}
		got := r
		got.Skipped, got.Changed, got.Left = nil, nil, nil
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("numbers (-want +got):\n%s", diff)
		}
		if len(r.Skipped) != 0 {
			t.Errorf("skipped: %v", r.Skipped)
		}
		for _, i := range append(r.Changed, r.Left...) {
			t.Logf("%s (%s): %s", i.ID, i.Name, i.Why)
		}
		counted(t, d, r)
		if len(lists) != 1 || lists[0].Slug != "default-newsletter" || lists[0].Name != "Baseline News" {
			t.Errorf("newsletters: %+v", lists)
		}
		if n := rows(t, d, "reader_newsletter"); n != 31 {
			t.Errorf("%d subscriptions, want 31", n)
		}
		checkGhostPosts(t, im, export)

		first := dump(t, d)
		again, err := im.ImportGhost(ctx, export, GhostOptions{Members: members})
		if err != nil {
			t.Fatal(err)
		}
		again.Seconds = 0
		if diff := cmp.Diff(r, again); diff != "" {
			t.Errorf("the second run tells something else (-first +second):\n%s", diff)
		}
		if diff := cmp.Diff(first, dump(t, d)); diff != "" {
			t.Errorf("the second run changed the newsroom (-first +second):\n%s", diff)
		}
	})
}

// checkGhostPosts holds each post of the export against what stands in the newsroom.
func checkGhostPosts(t *testing.T, im *Importer, export string) {
	ctx := context.Background()
	raw, err := os.ReadFile(export)
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		DB []struct {
			Data struct {
				Posts []struct{ ID, Title, Slug, Status, Type, Visibility, HTML, Plaintext string }
			}
		}
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	access := map[string]story.Access{"public": story.Open, "members": story.Registered, "paid": story.ForTier("paid")}
	walls := 0
	for _, p := range all.DB[0].Data.Posts {
		st, err := im.Stories.BySource(ctx, im.DB.Read(), "ghost:"+p.ID)
		if err != nil {
			t.Fatal(err)
		}
		e, err := im.Stories.EditionOf(ctx, im.DB.Read(), st.ID, "en")
		if err != nil {
			t.Fatal(err)
		}
		if string(e.Status) != p.Status || e.Headline != p.Title || st.Access != access[p.Visibility] {
			t.Errorf("%s: %s %q %s, want %s %q %s", p.Slug, e.Status, e.Headline, st.Access, p.Status, p.Title, access[p.Visibility])
		}
		if len(st.Bylines) != 1 {
			t.Errorf("%s: %d bylines", p.Slug, len(st.Bylines))
		}
		hasWall := false
		for _, n := range e.Body.Content {
			hasWall = hasWall || n.Type == "wall_mark"
		}
		if hasWall != strings.Contains(p.HTML, "<!--members-only-->") {
			t.Errorf("%s: wall mark %v", p.Slug, hasWall)
		}
		if hasWall {
			walls++
		}
		letters := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if p.Type == "post" && letters(strings.ReplaceAll(e.Body.PlainText(), "\n", "")) != letters(p.Plaintext) && !strings.Contains(p.HTML, "<a ") {
			t.Errorf("%s: the words differ:\n%.300s\n%.300s", p.Slug, e.Body.PlainText(), p.Plaintext)
		}
		if p.Status == "published" && p.Type == "post" {
			if to, err := im.Stories.Redirect(ctx, im.DB.Read(), "/"+p.Slug+"/"); err != nil || to != e.Path {
				t.Errorf("/%s/ leads to %q (%v), want %s", p.Slug, to, err, e.Path)
			}
		}
		if p.Type == "page" && e.Path != "/"+p.Slug+"/" {
			t.Errorf("the page %s stands at %s", p.Slug, e.Path)
		}
	}
	if walls != 44 {
		t.Errorf("%d wall marks, want 44", walls)
	}
	if to, err := im.Stories.Redirect(ctx, im.DB.Read(), "/tag/politics/"); err != nil || to != "/politics/" {
		t.Errorf("/tag/politics/ leads to %q (%v)", to, err)
	}
}

// What an editor has changed here is not written over; the rest is.
func TestGhostAgainAfterTheDesk(t *testing.T) {
	export := needtest.Fixture(t, ghostExport)
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		im := newImporter(t, d)
		if _, err := im.ImportGhost(ctx, export, GhostOptions{}); err != nil {
			t.Fatal(err)
		}
		edited, draft := found(t, im, "public-article"), story.Edition{}
		cards, err := im.Stories.Cards(ctx, d.Read(), story.Query{AnyStatus: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cards {
			if c.Status == story.Draft {
				if draft, err = im.Stories.EditionByID(ctx, d.Read(), c.EditionID); err != nil {
					t.Fatal(err)
				}
			}
		}
		err = d.InTx(ctx, func(tx *db.Tx) error {
			edited.Headline = "A better headline"
			if err := im.Stories.SaveEdition(ctx, tx, &edited, "ana@news.example"); err != nil {
				return err
			}
			if err := im.Stories.Publish(ctx, tx, draft.ID, now(), "ana@news.example"); err != nil {
				return err
			}
			sections, err := im.Stories.Sections(ctx, tx)
			if err != nil {
				return err
			}
			s := sections[0]
			s.Position = 99
			return im.Stories.SaveSection(ctx, tx, &s)
		})
		if err != nil {
			t.Fatal(err)
		}
		before := dump(t, d)
		r, err := im.ImportGhost(ctx, export, GhostOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, dump(t, d)); diff != "" {
			t.Errorf("the desk's work was written over:\n%s", diff)
		}
		source := mustSource(t, im, edited.StoryID)
		if !said(r.Changed, source, "ana@news.example has changed its words") {
			t.Errorf("the edited story is not named: %v", r.Changed)
		}
		if !said(r.Changed, mustSource(t, im, draft.StoryID), "it is published, and the export has it as draft") {
			t.Errorf("the published draft is not named: %v", r.Changed)
		}
		if r.Stories != 94 || r.Editions != 94 {
			t.Errorf("%d stories, %d editions", r.Stories, r.Editions)
		}
	})
}

func mustSource(t testing.TB, im *Importer, id string) string {
	t.Helper()
	st, err := im.Stories.ByID(context.Background(), im.DB.Read(), id)
	if err != nil {
		t.Fatal(err)
	}
	return st.Source
}
