package demo_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/blob"
	"masthead/internal/config"
	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/demo"
	"masthead/internal/doc"
	"masthead/internal/media"
	"masthead/internal/newsletter"
	"masthead/internal/reader"
	"masthead/internal/staff"
	"masthead/internal/story"
	"masthead/internal/wall"
)

// seeded is a newsroom of the demo.
func seeded(t *testing.T, d *db.DB) demo.Newsroom {
	t.Helper()
	blobs, err := blob.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	pictures := media.NewStore(d, blobs)
	pictures.Lazy = true
	n := demo.Newsroom{
		DB: d, Stories: &story.Store{Now: time.Now, DefaultLang: "en", Location: time.FixedZone("UTC+2", 7200)}, Media: pictures,
		Readers: reader.New([]byte(strings.Repeat("k", 32))), WallStore: &wall.Store{Now: time.Now, GiftQuota: 5, GiftDays: 14},
		Newsletters: newsletter.Store{}, Staff: staff.New(),
	}
	if err := demo.Seed(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestSeed looks through the demo, and seeds it a second time.
func TestSeed(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		n := seeded(t, d)
		looksLikeANewspaper(t, n)
		wallShowsItself(t, n)
		isAtWork(t, n)

		unchanged := goOn(t, n)
		before := rows(t, d)
		done := 0
		n.Progress = func(i, total int) {
			if i < done || i > total {
				t.Errorf("the progress is %d of %d after %d", i, total, done)
			}
			done = i
		}
		if err := demo.Seed(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, rows(t, d)); diff != "" {
			t.Errorf("seeding again changed the number of rows: %s", diff)
		}
		unchanged()
		if done == 0 {
			t.Error("no progress was told")
		}
	})
}

// goOn has people do something at the newsroom, and gives a check that it is
// as they left it.
func goOn(t *testing.T, n demo.Newsroom) (check func()) {
	t.Helper()
	ctx, q := t.Context(), n.DB.Read()
	st, err := n.Stories.BySource(ctx, q, "demo:work:interpreters")
	if err != nil {
		t.Fatal(err)
	}
	e, err := n.Stories.EditionOf(ctx, q, st.ID, "en")
	if err != nil {
		t.Fatal(err)
	}
	who, err := n.Staff.ByEmail(ctx, q, "samir.daloun@sounding.example")
	if err != nil {
		t.Fatal(err)
	}
	e.Headline, e.Status = "They say it in one breath", story.Draft
	if err := n.DB.InTx(ctx, func(tx *db.Tx) error {
		return errors.Join(n.Stories.SaveEdition(ctx, tx, &e, ""), n.Staff.SetRole(ctx, tx, who.ID, staff.Editor))
	}); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		after, err := n.Stories.EditionByID(ctx, q, e.ID)
		if err != nil {
			t.Fatal(err)
		}
		if who, err = n.Staff.ByEmail(ctx, q, who.Email); err != nil {
			t.Fatal(err)
		}
		if after.Headline != e.Headline || after.Status != e.Status || who.Role != staff.Editor {
			t.Errorf("seeding again wrote over what people have done: %q, %s, %s", after.Headline, after.Status, who.Role)
		}
	}
}

// rows counts what each table holds.
func rows(t *testing.T, d *db.DB) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, table := range []string{"section", "topic", "author", "story", "edition", "revision", "byline", "story_topic", "correction", "redirect",
		"media", "tier", "reader", "reader_tier", "wall_rule", "benefit", "newsletter", "staff", "wall_lift", "assignment", "edition_move",
		"story_plan", "draft", "remark_thread", "remark", "translation"} {
		var n int
		if err := d.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM `+table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		counts[table] = n
	}
	return counts
}

// looksLikeANewspaper counts the demo's parts and looks at each story.
func looksLikeANewspaper(t *testing.T, n demo.Newsroom) {
	t.Helper()
	ctx, q := t.Context(), n.DB.Read()
	sections, err := n.Stories.Sections(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	topics, err := n.Stories.Topics(ctx, q, nil)
	if err != nil {
		t.Fatal(err)
	}
	authors, err := n.Stories.Writers(ctx, q, nil)
	if err != nil {
		t.Fatal(err)
	}
	lists, err := n.Newsletters.All(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	cards, err := n.Stories.Cards(ctx, q, story.Query{})
	if err != nil {
		t.Fatal(err)
	}
	stories, foreign, languages, front := map[string]bool{}, 0, map[string]int{}, 0
	for _, c := range cards {
		stories[c.StoryID] = true
		languages[c.Lang]++
		if c.Lang != "en" {
			foreign++
		}
		if c.Pinned > 0 {
			front++
		}
	}
	for what, ok := range map[string]bool{
		"two desks":              len(sections.Parts("")) == 2,
		"a dozen topics":         len(topics) >= 12,
		"six authors":            len(authors) >= 6,
		"24 stories":             len(stories) >= 24,
		"8 editions not English": foreign >= 8,
		"a newsletter":           len(lists) >= 1,
		"a pinned story":         front >= 1,
		"Arabic":                 languages["ar"] >= 2,
		"Hebrew":                 languages["he"] >= 2,
		"Russian":                languages["ru"] >= 2,
		"French":                 languages["fr"] >= 2,
	} {
		if !ok {
			t.Errorf("the demo lacks %s: %d desks, %d topics, %d authors, %d stories, %v", what, len(sections.Parts("")), len(topics), len(authors), len(stories), languages)
		}
	}
	for _, s := range sections {
		for _, lang := range []string{"en", "ar", "he", "ru", "fr"} {
			if s.Names[lang] == "" {
				t.Errorf("section %s has no name in %s", s.Slug, lang)
			}
		}
	}
	for _, a := range authors {
		if a.PortraitID == "" || a.Biographies["en"] == "" {
			t.Errorf("author %s has no portrait or no biography", a.Slug)
		}
	}
	for _, c := range cards {
		e, err := n.Stories.EditionByID(ctx, q, c.EditionID)
		if err != nil {
			t.Fatal(err)
		}
		quoted, alsoRead := false, 0
		e.Body.Walk(func(node *doc.Node) bool {
			switch node.Type {
			case "blockquote", "pull_quote":
				quoted = true
			case "also_read":
				id, _ := node.Attrs["story"].(string)
				if !stories[id] {
					t.Errorf("%s names the story %q to read also, which is none", c.Path, id)
				}
				alsoRead++
			}
			return true
		})
		if !quoted {
			quoted = strings.ContainsAny(e.Body.PlainText(), "“«„”״\"")
		}
		if e.Summary == "" || e.Kicker == "" || c.LeadMediaID == "" || len(c.Authors) == 0 || c.SectionID == "" || !quoted {
			t.Errorf("%s: summary %t, kicker %t, picture %t, %d authors, section %t, quotes %t", c.Path, e.Summary != "", e.Kicker != "", c.LeadMediaID != "", len(c.Authors), c.SectionID != "", quoted)
		}
		if e.Words < 300 || e.Words > 1300 {
			t.Errorf("%s has %d words", c.Path, e.Words)
		}
		m, err := n.Media.ByID(ctx, q, c.LeadMediaID)
		if err != nil {
			t.Fatal(err)
		}
		if m.Width < 1200 || m.Credit == "" || m.Alt(c.Lang, "") == "" && e.LeadAlt == "" {
			t.Errorf("%s: its picture is %d wide, credit %q, alt %q", c.Path, m.Width, m.Credit, m.Alt(c.Lang, ""))
		}
	}
	pages, err := n.Stories.Cards(ctx, q, story.Query{AnyKind: true, Lang: "en"})
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) == languages["en"] {
		t.Error("the demo has no standing page")
	}
}

// wallShowsItself asks the demo's own rules, as an anonymous visitor, for each
// kind of answer.
func wallShowsItself(t *testing.T, n demo.Newsroom) {
	t.Helper()
	ctx, q := t.Context(), n.DB.Read()
	w := &wall.Wall{}
	if err := w.Load(ctx, q); err != nil {
		t.Fatal(err)
	}
	sections, err := n.Stories.Sections(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	cards, err := n.Stories.Cards(ctx, q, story.Query{})
	if err != nil {
		t.Fatal(err)
	}
	topics, err := n.Stories.TopicSlugs(ctx, q, cards)
	if err != nil {
		t.Fatal(err)
	}
	// The demo is read within two months of the day that it tells of.
	now := cards[0].PublishedAt.Add(24 * time.Hour)
	found := map[string]int{}
	for _, c := range cards {
		item := wall.ItemOfCard(c, sections, topics[c.StoryID])
		d := w.Decide(wall.Visit{Now: now}, item)
		found[d.Verdict.String()]++
		if d.Archive {
			found["archive"]++
		}
		full := w.Decide(wall.Visit{Now: now, Reader: wall.Reader{ID: "r", State: wall.Registered, Tiers: []string{"supporter"}}}, item)
		if !full.Full {
			t.Errorf("%s is closed to a supporter: %+v", c.Path, full)
		}
	}
	for _, kind := range []string{"open", "meter", "register", "archive", "subscribe"} {
		if found[kind] == 0 {
			t.Errorf("no story of the demo shows %s: %v", kind, found)
		}
	}
}

// TestSettings writes the demo's settings, once.
func TestSettings(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	if err := demo.Settings(dir); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(dir, nil, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	if c.Title != "The Sounding" || c.In("ar").Title == c.Title || len(c.Languages) != 5 || !c.Dev {
		t.Errorf("the demo's settings: %+v", c)
	}
	path := filepath.Join(dir, config.FileName)
	if err := os.WriteFile(path, []byte("title = \"Mine\"\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := demo.Settings(dir); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(path); string(text) != "title = \"Mine\"\n" {
		t.Errorf("settings that were there are written over: %s", text)
	}
}

// TestStop ends a seeding that is under way.
func TestStop(t *testing.T) {
	d := dbtest.SQLite(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	blobs, err := blob.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	err = demo.Seed(ctx, demo.Newsroom{DB: d, Stories: &story.Store{Now: time.Now, DefaultLang: "en", Location: time.UTC}, Media: media.NewStore(d, blobs),
		Readers: reader.New([]byte(strings.Repeat("k", 32))), WallStore: &wall.Store{Now: time.Now}, Staff: staff.New()})
	if err == nil {
		t.Error("a seeding that was stopped went on")
	}
}
