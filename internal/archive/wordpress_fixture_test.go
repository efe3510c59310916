package archive

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/needtest"
	"masthead/internal/story"
)

// wxrItem is what a test reads of an item, by other means than the importer.
type wxrItem struct{ id, kind, title, attachment, parent string }

func itemsOf(t testing.TB, file string) []wxrItem {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	first := func(s, name string) string {
		m := regexp.MustCompile(`(?s)<` + name + `>\s*(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?\s*</` + name + `>`).FindStringSubmatch(s)
		if m == nil {
			return ""
		}
		return m[1]
	}
	var all []wxrItem
	for _, s := range regexp.MustCompile(`(?s)<item>.*?</item>`).FindAllString(string(b), -1) {
		all = append(all, wxrItem{id: first(s, "wp:post_id"), kind: first(s, "wp:post_type"), title: first(s, "title"), attachment: first(s, "wp:attachment_url"), parent: first(s, "wp:post_parent")})
	}
	return all
}

// accounted fails for each item that neither came in, nor became part of
// something that did, nor is named among the skipped.
func accounted(t testing.TB, im *Importer, r Report, source string, items []wxrItem) {
	t.Helper()
	ctx := context.Background()
	imported, folded, skipped := 0, 0, 0
	seen := map[string]bool{}
	for _, i := range items {
		id := source + i.id
		named := slices.ContainsFunc(r.Skipped, func(s Item) bool { return s.ID == id })
		_, storyErr := im.Stories.BySource(ctx, im.DB.Read(), id)
		_, mediaErr := im.Media.BySource(ctx, im.DB.Read(), id)
		switch part := i.kind == "nav_menu_item" || i.kind == "guest-author" || i.kind == "wp_block"; {
		case seen[i.id] && named:
			skipped++
		case part:
			folded++
		case i.kind == "attachment" && mediaErr == nil, i.kind != "attachment" && storyErr == nil:
			imported++
		case named:
			skipped++
		default:
			t.Errorf("%s (%s, %s) is lost without a word", id, i.kind, i.title)
		}
		seen[i.id] = true
	}
	if imported != r.Stories+r.Media || folded != r.Folded || skipped != len(r.Skipped) {
		t.Errorf("imported %d (report %d + %d), folded %d (%d), skipped %d (%d)", imported, r.Stories, r.Media, folded, r.Folded, skipped, len(r.Skipped))
	}
}

func TestWordPressThemeUnitTest(t *testing.T) {
	file := needtest.Fixture(t, "wordpress/theme-unit-test.wxr.xml")
	items := itemsOf(t, file)
	if len(items) < 180 {
		t.Fatalf("the test sees %d items only", len(items))
	}
	const source = "wordpress:wpthemetestdata.wordpress.com:"
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		im := newImporter(t, d)
		o := WordPressOptions{Languages: []string{"en", "ar", "he", "ru"}}
		r, err := im.ImportWordPress(ctx, file, o)
		if err != nil {
			t.Fatal(err)
		}
		counted(t, d, r)
		accounted(t, im, r, source, items)
		for _, c := range [][2]int{{r.Stories, 72}, {r.Pages, 21}, {r.Drafts, 1}, {r.Sections, 67}, {r.Authors, 2}, {r.Comments, 32}, {r.Menus, 4}, {r.Folded, 52}, {r.Media, 0}} {
			if c[0] != c[1] {
				t.Errorf("the report has %d, want %d: %+v", c[0], c[1], r)
				break
			}
		}

		html := map[string]string{}
		for _, i := range items {
			if i.kind == "post" || i.kind == "page" {
				html[i.id] = page(found(t, im, source+i.id).Body)
			}
		}
		for id, parts := range map[string][]string{
			"1000": {"<ol><li>ordered item</li><li><p>ordered item</p><ul><li><strong>unordered</strong></li><li><p><strong>unordered</strong></p><ol><li>ordered item</li>"},
			"1174": {"<tr><td>5</td><td>6</td><td>7</td><td>8</td><td>9</td><td>:</td><td>;</td><td>&gt;</td><td>=</td><td>&lt;</td></tr>"},
			"1177": {`data-alt="Image Alignment 580x300"`, `<figcaption>Feels good to be right all the time.</figcaption>`, `getting some <a href="https://en.support.wordpress.com/images/image-settings/"`},
			"1178": {"<h2>Header one</h2>", "H<sub>2</sub>O", "E = MC<sup>2</sup>", `<ol start="8">`, "1 Infinite Loop<br>Cupertino", "Two roads diverged in a yellow wood,"},
			"1031": {`<figure class="gallery">`, `data-alt="Yachtsody in Blue"`, "some text after the Tiled Gallery"},
			"555":  {`<figure class="gallery">`, `<figcaption>Boats and reflections, Royal Perth Yacht Club</figcaption>`},
			"1732": {"&lt;!-- wp:code --&gt;", "<td>Cell #5</td>", "A block for haiku?<br>Why not?"},
			"1738": {`data-provider="YouTube"`, `data-provider="X"`, `data-provider="Instagram"`, `data-provider="Facebook"`},
			"1749": {`<span class="speaker">Johannes Gutenberg</span>`, `<figure class="pull-quote">`},
			"1736": {`<figure class="gallery">`, "<p>Search widget:</p>"},
			"1730": {`<figcaption>images are not linked</figcaption>`, "<p>Cover block with background image</p>", `<figure class="file file-file" data-src="https://wpthemetestdata.files.wordpress.com/2018/11/file_block.pdf" data-title="File Block PDF">`},
			"996":  {`<hr class="wall-mark" hidden>`},
			"1809": {"<h2>Επικεφαλίδα 1 Header one</h2>", "Ελληνική σελίδα"},
		} {
			for _, p := range parts {
				if !strings.Contains(html[id], p) {
					t.Errorf("%s lacks %s:\n%s", id, p, html[id])
				}
			}
		}
		for id, h := range html {
			for _, bad := range []string{"<img", "<iframe", "<script", "<!--", "wp:", "[gallery", "[caption", "style="} {
				if strings.Contains(h, bad) && !(id == "1732" && bad == "wp:") {
					t.Errorf("%s contains %s:\n%s", id, bad, h)
				}
			}
		}
		if strings.Count(html["1171"], "<hr>") != 2 {
			t.Errorf("the paginated story has not two dividers: %s", html["1171"])
		}
		headlines := map[string]string{"1173": "Markup: Title With Markup", "1174": "Markup: Title With Special Characters ~`!@#$%^&*()-_=+{}[]/\\;:'\"?,.>",
			"1168": `Template: Password Protected (the password is "enter")`, "1169": "This post has no title, but it still must link to the single post view somehow."}
		for id, want := range headlines {
			if got := found(t, im, source+id).Headline; got != want {
				t.Errorf("headline of %s is %q, want %q", id, got, want)
			}
		}
		protected, err := im.Stories.BySource(ctx, d.Read(), source+"1168")
		if err != nil || !strings.HasPrefix(protected.PasswordHash, "$2a$") {
			t.Errorf("the story with a password: %q, %v", protected.PasswordHash, err)
		}
		for id, want := range map[string]story.Status{"1153": story.Scheduled, "1164": story.Draft} {
			if got := found(t, im, source+id).Status; got != want {
				t.Errorf("%s is %s, want %s", id, got, want)
			}
		}
		if e := found(t, im, source+"993"); !strings.HasPrefix(e.Summary, "This is a user-defined post excerpt.") {
			t.Errorf("summary %q", e.Summary)
		}
		st, err := im.Stories.BySource(ctx, d.Read(), source+"1241")
		if err != nil || st.Pinned != 1 {
			t.Errorf("the sticky story is pinned at %d, %v", st.Pinned, err)
		}
		if n := rows(t, d, "comment WHERE parent_id IN (SELECT id FROM comment)"); n < 5 {
			t.Errorf("%d comments answer one", n)
		}
		if n := rows(t, d, "comment WHERE status IN ('approved pingback', 'approved trackback', 'pending pingback', 'pending trackback')"); n != 4 {
			t.Errorf("%d pingbacks and trackbacks, want 4", n)
		}

		before := dump(t, d)
		again, err := im.ImportWordPress(ctx, file, o)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, dump(t, d)); diff != "" {
			t.Errorf("the second run changed:\n%s", diff)
		}
		r.Seconds, again.Seconds = 0, 0
		if diff := cmp.Diff(r, again); diff != "" {
			t.Errorf("the second run reports otherwise:\n%s", diff)
		}
	})
}

// With its uploads, every picture of the real export comes in, and none of its
// pages needs another host for one.
func TestWordPressThemeUnitTestWithAssets(t *testing.T) {
	file := needtest.Fixture(t, "wordpress/theme-unit-test.wxr.xml")
	items := itemsOf(t, file)
	dir := t.TempDir()
	for i, item := range items {
		u, err := url.Parse(item.attachment)
		if item.kind != "attachment" || err != nil {
			continue
		}
		name := filepath.Join(dir, filepath.FromSlash(u.Path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		content := fmt.Sprintf("%d %s", i, path.Base(u.Path))
		if ext := path.Ext(u.Path); ext == ".jpg" || ext == ".gif" {
			content = pngOf(t, 40+i, 30)
		}
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	im := newImporter(t, dbtest.SQLite(t))
	im.Assets = root
	r, err := im.ImportWordPress(context.Background(), file, WordPressOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const source = "wordpress:wpthemetestdata.wordpress.com:"
	counted(t, im.DB, r)
	accounted(t, im, r, source, items)
	if r.Media != 38 {
		t.Errorf("%d of 38 came in: %v", r.Media, r.Skipped)
	}
	for _, i := range items {
		if i.kind != "post" && i.kind != "page" {
			continue
		}
		if h := page(found(t, im, source+i.id).Body); strings.Contains(h, `class="picture" data-src`) {
			t.Errorf("a picture of %s (%s) did not come in:\n%s", i.id, i.title, h)
		}
	}
	st, err := im.Stories.BySource(context.Background(), im.DB.Read(), source+"1011")
	if err != nil || st.LeadMediaID == "" {
		t.Errorf("no lead picture: %v", err)
	}
	m, err := im.Media.BySource(context.Background(), im.DB.Read(), source+"758")
	if err != nil || m.Alts["en"] == "" || m.Captions["en"] == "" {
		t.Errorf("alt %v, caption %v, %v", m.Alts, m.Captions, err)
	}
}

func TestWordPressOtherFixtures(t *testing.T) {
	for _, c := range []struct {
		name, source string
		check        func(t *testing.T, im *Importer, r Report)
	}{
		{"co-authors-plus", "wordpress:example.com:", func(t *testing.T, im *Importer, r Report) {
			for id, want := range map[string]string{"100": "Alice Smith, Bob Jones", "101": "Alice Smith, Bob Jones, Carol White", "102": "Bob Jones", "103": "Alice Smith, Bob Jones"} {
				e := found(t, im, "wordpress:example.com:"+id)
				by, err := im.Stories.Bylines(context.Background(), im.DB.Read(), e.StoryID, "en")
				if err != nil {
					t.Fatal(err)
				}
				var names []string
				for _, n := range by {
					names = append(names, n.Names["en"])
				}
				if got := strings.Join(names, ", "); got != want {
					t.Errorf("%s is by %s, want %s", id, got, want)
				}
			}
			if r.Authors != 3 {
				t.Errorf("%d authors", r.Authors)
			}
		}},
		{"feature-image-captions", "wordpress:example.com:", func(t *testing.T, im *Importer, r Report) {
			if !said(r.Changed, "wordpress:example.com:20", "its lead picture https://example.com/wp-content/uploads/2013/06/described-image.jpg is missing") {
				t.Errorf("changed: %v", r.Changed)
			}
			if e := found(t, im, "wordpress:example.com:20"); e.PublishedAt.Format("2006-01-02 15:04") != "2013-06-07 03:00" || e.Path != "/2013/06/post-with-described-image/" {
				t.Errorf("published %v at %s", e.PublishedAt, e.Path)
			}
			if to, err := im.Stories.Redirect(context.Background(), im.DB.Read(), "/blog/post-with-described-image.html"); err != nil || to != "/2013/06/post-with-described-image/" {
				t.Errorf("the old address leads to %q, %v", to, err)
			}
			if w, err := im.Stories.WriterBySlug(context.Background(), im.DB.Read(), "hermione"); err != nil || w.Names["en"] != "hermione" {
				t.Errorf("the author's address must not be the name: %+v, %v", w, err)
			}
		}},
		{"sample-with-alt", "wordpress:example.com:", func(t *testing.T, im *Importer, r Report) {
			e := found(t, im, "wordpress:example.com:10")
			st, err := im.Stories.ByID(context.Background(), im.DB.Read(), e.StoryID)
			sections, err2 := im.Stories.Sections(context.Background(), im.DB.Read())
			if s, _ := sections.ByID(st.SectionID); err != nil || err2 != nil || s.Names["en"] != "Company News" || len(sections) != 1 || s.Slug != "company-news" {
				t.Errorf("section %+v of %v", s, sections)
			}
		}},
		{"has-meta", "wordpress:example.com:", func(t *testing.T, im *Importer, r Report) {
			if e := found(t, im, "wordpress:example.com:1234"); e.Summary != "Sample content" || !said(r.Changed, "wordpress:example.com:1234", "enmse_message") ||
				!said(r.Left, "wordpress:example.com:field:lorem1234", "custom field") {
				t.Errorf("summary %q, changed %v", e.Summary, r.Changed)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := needtest.Fixture(t, "wordpress/"+c.name+".wxr.xml")
			dbtest.Run(t, func(t *testing.T, d *db.DB) {
				im := newImporter(t, d)
				r, err := im.ImportWordPress(context.Background(), file, WordPressOptions{})
				if err != nil {
					t.Fatal(err)
				}
				counted(t, d, r)
				accounted(t, im, r, c.source, itemsOf(t, file))
				c.check(t, im, r)
			})
		})
	}
}
