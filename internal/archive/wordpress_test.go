package archive

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/bcrypt"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/story"
)

// assetsOf makes a folder of uploads with these pictures and files.
func assetsOf(t testing.TB, names ...string) *os.Root {
	t.Helper()
	dir := t.TempDir()
	for i, name := range names {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		content := fmt.Sprintf("%%PDF-1.4 %d", i)
		if strings.HasSuffix(name, ".png") {
			content = pngOf(t, 40+i, 30)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

// pngOf gives a grey picture, whatever its file is to be called.
func pngOf(t testing.TB, width, height int) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func attachmentOf(id, path string, fields ...string) string {
	return postOf(id, append([]string{"wp:post_type", "attachment", "wp:status", "inherit", "content:encoded", "", "link", "https://old.example/?attachment_id=" + id,
		"wp:attachment_url", "https://old.example/wp-content/uploads/" + path, "title", "IMG_" + id}, fields...)...)
}

const site = `<wp:category><wp:term_id>5</wp:term_id><wp:category_nicename>world</wp:category_nicename><wp:category_parent></wp:category_parent><wp:cat_name><![CDATA[World &amp; Sea]]></wp:cat_name></wp:category>
<wp:category><wp:term_id>6</wp:term_id><wp:category_nicename>ports</wp:category_nicename><wp:category_parent>world</wp:category_parent><wp:cat_name><![CDATA[Ports]]></wp:cat_name></wp:category>
<wp:category><wp:term_id>7</wp:term_id><wp:category_nicename>loop-a</wp:category_nicename><wp:category_parent>loop-b</wp:category_parent><wp:cat_name>Loop A</wp:cat_name></wp:category>
<wp:category><wp:term_id>8</wp:term_id><wp:category_nicename>loop-b</wp:category_nicename><wp:category_parent>loop-a</wp:category_parent><wp:cat_name>Loop B</wp:cat_name></wp:category>
<wp:tag><wp:term_id>9</wp:term_id><wp:tag_slug>fog</wp:tag_slug><wp:tag_name>Fog</wp:tag_name><wp:tag_description>Of mornings</wp:tag_description></wp:tag>
<wp:term><wp:term_id>30</wp:term_id><wp:term_taxonomy>nav_menu</wp:term_taxonomy><wp:term_slug>main</wp:term_slug><wp:term_name>Main</wp:term_name></wp:term>` + anAuthor

func categoryOf(domain, nicename, name string) string {
	return `<category domain="` + domain + `" nicename="` + nicename + `"><![CDATA[` + name + `]]></category>`
}

func menuItemOf(id, parent, kind, object, target, url, title string) string {
	return postOf(id, "wp:post_type", "nav_menu_item", "title", title, "wp:menu_order", id, "content:encoded", "", "", categoryOf("nav_menu", "main", "Main")+
		metaOf("_menu_item_type", kind, "_menu_item_object", object, "_menu_item_object_id", target, "_menu_item_menu_item_parent", parent, "_menu_item_url", url))
}

func commentOf(id, parent, approved, kind, text string) string {
	return `<wp:comment><wp:comment_id>` + id + `</wp:comment_id><wp:comment_author><![CDATA[Eve <b>x</b>]]></wp:comment_author><wp:comment_author_email>eve@secret.example</wp:comment_author_email>
<wp:comment_author_url>javascript:alert(1)</wp:comment_author_url><wp:comment_author_IP>203.0.113.9</wp:comment_author_IP><wp:comment_date_gmt>2020-03-05 08:00:00</wp:comment_date_gmt>
<wp:comment_content><![CDATA[` + text + `]]></wp:comment_content><wp:comment_approved>` + approved + `</wp:comment_approved><wp:comment_type>` + kind + `</wp:comment_type><wp:comment_parent>` + parent + `</wp:comment_parent></wp:comment>`
}

// madeSite is an export with everything that a real one may have.
func madeSite(t testing.TB) string {
	arabic := "<p>" + strings.Repeat("غادرت العبّارة الميناء عند الفجر ولم يرها أحد. ", 5) + "</p>"
	return write(t, "site.xml", wxrOf(site,
		postOf("1", "excerpt:encoded", "A <em>summary</em>", "", categoryOf("category", "world", "World &amp; Sea")+categoryOf("category", "ports", "Ports")+categoryOf("category", "uncategorized", "Uncategorized")+
			categoryOf("post_tag", "fog", "Fog")+categoryOf("ship", "dredger", "Dredger")+categoryOf("author", "cap-guest-jo", "Jo Guest")+categoryOf("author", "ana", "Ana Ribeiro")+categoryOf("author", "ana", "Ana Ribeiro")+
			metaOf("_thumbnail_id", "50", "_wp_old_slug", "first-name", "_yoast_wpseo_metadesc", "For engines", "_yoast_wpseo_title", "%%title%%")+
			commentOf("71", "0", "1", "", "See <a href=\"https://x.example/\">this</a> <script>alert(1)</script>")+commentOf("72", "71", "0", "", "Reply")+commentOf("73", "0", "spam", "trackback", "Buy"),
			"content:encoded", `<a href="https://old.example/2020/03/story-2/#p2">two</a> <a href="/?p=2">by number</a> <a href="https://old.example/category/world/ports/">ports</a> <a href="https://old.example/wp-content/uploads/2020/03/paper.pdf">paper</a>`+
				"\n\n"+`<img src="http://www.old.example/wp-content/uploads/2020/03/boat-300x200.png?w=5" alt="">`+"\n\n"+`<img src="https://old.example/wp-content/uploads/2020/03/only-on-disk.png" alt="disk">`+
				"\n\n"+`<img src="https://old.example/wp-content/uploads/2020/03/../../../../../../etc/passwd" alt="passwd">`),
		postOf("2", "wp:post_password", "s3cret", "content:encoded", "Hidden words."),
		postOf("3", "wp:status", "future", "wp:post_date_gmt", "2100-01-01 00:00:00"),
		postOf("4", "wp:status", "future", "wp:post_date_gmt", "2020-01-01 00:00:00"),
		postOf("5", "wp:status", "draft", "wp:post_date_gmt", "0000-00-00 00:00:00", "wp:post_date", "0000-00-00 00:00:00", "wp:post_name", ""),
		postOf("6", "wp:status", "pending"), postOf("7", "wp:status", "private"), postOf("8", "wp:status", "trash"), postOf("9", "wp:status", "auto-draft", "content:encoded", ""),
		postOf("10", "wp:status", "in-progress"), postOf("11", "wp:is_sticky", "1", "dc:creator", "ghost@old.example"),
		postOf("12", "wp:post_type", "page", "link", "https://old.example/about/about-us/", "wp:post_name", "about-us"),
		postOf("13", "wp:post_type", "revision"), postOf("14", "wp:post_type", "wpcf7_contact_form"),
		postOf("15", "wp:post_type", "review", "content:encoded", "A review."), postOf("16", "wp:post_type", "slider", "content:encoded", "&nbsp;"),
		postOf("17", "title", "", "content:encoded", arabic, "link", "https://old.example/?p=17"),
		postOf("1", "wp:post_name", "the-other-one"),
		postOf("2", "wp:post_password", "s3cret", "content:encoded", "Hidden words."),
		postOf("18", "wp:post_date_gmt", "1900-01-01 10:00:00", "wp:post_name", "%d7%a9%d7%9c%d7%95%d7%9d", "link", "https://old.example/1900/01/%d7%a9%d7%9c%d7%95%d7%9d/"),
		postOf("19", "wp:post_type", "guest-author", "title", "Jo Guest", "", metaOf("cap-user_login", "guest-jo", "cap-display_name", "Jo Guest", "cap-website", "jo.example", "cap-description", "Writes <b>well</b>", "_thumbnail_id", "50")),
		postOf("20", "wp:post_type", "wp_block"),
		attachmentOf("50", "2020/03/boat.png", "excerpt:encoded", "At sea", "", metaOf("_wp_attachment_image_alt", "A boat", "_wp_attached_file", "2020/03/boat.png", "_wp_attachment_metadata", `a:1:{s:6:"credit";s:9:"Eve Smith";}`)),
		attachmentOf("51", "2020/03/paper.pdf"), attachmentOf("52", "2020/03/gone.png"), attachmentOf("53", "../../secret.png"),
		menuItemOf("60", "0", "custom", "custom", "60", "#", "Sections"), menuItemOf("61", "60", "taxonomy", "category", "6", "", ""), menuItemOf("62", "60", "post_type", "page", "12", "", ""),
		menuItemOf("63", "0", "custom", "custom", "63", "javascript:alert(1)", "Bad"), menuItemOf("64", "65", "custom", "custom", "64", "https://x.example/", "A"), menuItemOf("65", "64", "custom", "custom", "65", "https://y.example/", "B"),
	))
}

func TestWordPressSite(t *testing.T) {
	path := madeSite(t)
	assets := assetsOf(t, "2020/03/boat.png", "2020/03/only-on-disk.png", "uploads/2020/03/paper.pdf")
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		im := newImporter(t, d)
		im.Assets = assets
		o := WordPressOptions{Languages: []string{"en", "ar"}}
		r, err := im.ImportWordPress(ctx, path, o)
		if err != nil {
			t.Fatal(err)
		}
		counted(t, d, r)
		const source = "wordpress:old.example:"
		one := func(id string) (story.Story, story.Edition) {
			t.Helper()
			st, err := im.Stories.BySource(ctx, d.Read(), source+id)
			if err != nil {
				t.Fatal(err)
			}
			return st, found(t, im, source+id)
		}

		// Statuses and times.
		status := map[string]story.Status{}
		for _, id := range []string{"1", "2", "3", "4", "5", "6", "7", "10", "11", "12", "15", "17", "18"} {
			_, e := one(id)
			status[id] = e.Status
		}
		want := map[string]story.Status{"1": story.Published, "2": story.Published, "3": story.Scheduled, "4": story.Published, "5": story.Draft, "6": story.Review, "7": story.Draft,
			"10": story.Draft, "11": story.Published, "12": story.Published, "15": story.Published, "17": story.Published, "18": story.Published}
		if diff := cmp.Diff(want, status); diff != "" {
			t.Error(diff)
		}
		for _, s := range []struct {
			list  []Item
			id    string
			words string
		}{
			{r.Skipped, "8", "trash"}, {r.Skipped, "9", "empty draft"}, {r.Skipped, "13", "older revision"}, {r.Skipped, "14", "a setting"}, {r.Skipped, "16", "without words"}, {r.Skipped, "2", "twice"},
			{r.Skipped, "52", "not in the folder of assets"}, {r.Skipped, "53", "the attachment did not come in"}, {r.Changed, "7", "private"}, {r.Changed, "10", "in-progress"}, {r.Changed, "2", "password"},
			{r.Changed, "15", "a plugin made"}, {r.Changed, "17", "no title"}, {r.Changed, "1-the-other-one", "same number"}, {r.Changed, "63", "leads nowhere"}, {r.Changed, "category:loop-a", "inside itself"},
		} {
			if !said(s.list, source+s.id, s.words) {
				t.Errorf("it was not said of %s that %q", s.id, s.words)
			}
		}

		// The first story, with all it refers to.
		st, e := one("1")
		sections, err := im.Stories.Sections(ctx, d.Read())
		if err != nil {
			t.Fatal(err)
		}
		ports, _ := sections.BySlug("ports")
		world, _ := sections.BySlug("world")
		if st.SectionID != ports.ID || ports.ParentID != world.ID || world.Names["en"] != "World & Sea" {
			t.Errorf("section %v of %v", ports, world)
		}
		topics, err := im.Stories.Topics(ctx, d.Read(), st.Topics)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, x := range topics {
			names = append(names, x.Names["en"])
		}
		if diff := cmp.Diff([]string{"World & Sea", "Fog", "Dredger"}, names); diff != "" {
			t.Error(diff)
		}
		by, err := im.Stories.Bylines(ctx, d.Read(), st.ID, "en")
		if err != nil || len(by) != 2 || by[0].Names["en"] != "Jo Guest" || by[1].Names["en"] != "Ana Ribeiro" {
			t.Errorf("bylines %v, %v", by, err)
		}
		jo, err := im.Stories.WriterBySlug(ctx, d.Read(), "guest-jo")
		if err != nil || jo.Website != "https://jo.example" || jo.Biographies["en"] != "Writes well" || jo.PortraitID == "" {
			t.Errorf("guest author %+v, %v", jo, err)
		}
		if _, err := im.Stories.WriterBySlug(ctx, d.Read(), "ghost"); err != nil {
			t.Errorf("an author who is not in the export: %v", err)
		}
		if e.Summary != "A summary" || e.MetaDescription != "For engines" || e.MetaTitle != "" || e.LeadCaption != "At sea" {
			t.Errorf("summary %q, meta %q %q, caption %q", e.Summary, e.MetaDescription, e.MetaTitle, e.LeadCaption)
		}
		m, err := im.Media.ByID(ctx, d.Read(), st.LeadMediaID)
		if err != nil || m.Alts["en"] != "A boat" || m.Captions["en"] != "At sea" || m.Credit != "Eve Smith" || m.Source != source+"50" {
			t.Errorf("lead picture %+v, %v", m, err)
		}
		paper, err := im.Media.BySource(ctx, d.Read(), source+"51")
		if err != nil {
			t.Fatal(err)
		}
		html := page(e.Body)
		for _, part := range []string{`href="/2020/03/story-2/#p2"`, `href="/2020/03/story-2/">by number`, `href="/ports/"`, `href="` + paper.Original() + `"`, `data-media="` + m.ID + `"`, `>passwd</a>`} {
			if !strings.Contains(html, part) {
				t.Errorf("the body lacks %s:\n%s", part, html)
			}
		}
		if n := strings.Count(html, "data-media="); n != 2 {
			t.Errorf("%d pictures came in:\n%s", n, html)
		}

		// Old addresses.
		for old, to := range map[string]string{"/2020/03/first-name/": e.Path, "/about/about-us/": "/about-us/", "/category/world/ports/": "/ports/", "/tag/fog/": "/topic/fog/", "/ship/dredger/": "/topic/dredger/",
			"/wp-content/uploads/2020/03/boat.png": m.Original(), "/?p=17": "/ar/2020/03/story-17/", "/1900/01/שלום/": ""} {
			got, err := im.Stories.Redirect(ctx, d.Read(), old)
			if got != to || (err == nil) != (to != "") {
				t.Errorf("%s leads to %q (%v), want %q", old, got, err, to)
			}
		}
		if _, e := one("18"); e.Path != "/1900/01/שלום/" {
			t.Errorf("path %q", e.Path)
		}

		// A password is kept as a hash alone, and stays the same hash.
		st, _ = one("2")
		if bcrypt.CompareHashAndPassword([]byte(st.PasswordHash), []byte("s3cret")) != nil {
			t.Errorf("the hash %q is not of the password", st.PasswordHash)
		}
		hash := st.PasswordHash
		st, _ = one("11")
		if st.Pinned != 1 {
			t.Errorf("the sticky story is pinned at %d", st.Pinned)
		}
		st, e = one("17")
		if e.Lang != "ar" || st.OriginalLang != "ar" || !strings.HasPrefix(e.Path, "/ar/") || !strings.HasPrefix(e.Headline, "غادرت") {
			t.Errorf("the Arabic story: %s %s %q", e.Lang, e.Path, e.Headline)
		}

		// Comments, without the addresses of those who wrote them.
		var text, state, url, parent string
		err = d.Read().QueryRow(`SELECT c.text, c.status, c.author_url, p.text FROM comment c LEFT JOIN comment p ON p.id = c.parent_id WHERE c.source = $1`, source+"comment:1:72").Scan(&text, &state, &url, &parent)
		if err != nil || text != "Reply" || state != "pending" || url != "" || parent != "See this (https://x.example/)" {
			t.Errorf("the answer is %q, %q, %q to %q, %v", text, state, url, parent, err)
		}
		if n := rows(t, d, "comment WHERE status = 'spam trackback'"); n != 1 {
			t.Errorf("%d trackbacks", n)
		}

		// Menus.
		menus, err := im.Stories.Menus(ctx, d.Read())
		if err != nil {
			t.Fatal(err)
		}
		wantMenu := []story.MenuItem{{Label: "Sections", Items: []story.MenuItem{{Label: "Ports", URL: "/ports/"}, {Label: "Story 12", URL: "/about-us/"}}}, {Label: "Bad"},
			{Label: "A", URL: "https://x.example/", Items: []story.MenuItem{{Label: "B", URL: "https://y.example/"}}}}
		if diff := cmp.Diff(wantMenu, menus["main"].Items); diff != "" {
			t.Error(diff)
		}

		// Again: the same, to the word.
		before := dump(t, d)
		again, err := im.ImportWordPress(ctx, path, o)
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
		if st, _ = one("2"); st.PasswordHash != hash {
			t.Error("the second run changed the hash of the password")
		}
	})
}

func TestWordPressDryRun(t *testing.T) {
	d := dbtest.SQLite(t)
	im := newImporter(t, d)
	im.DryRun = true
	im.Assets = assetsOf(t, "2020/03/boat.png")
	r, err := im.ImportWordPress(context.Background(), madeSite(t), WordPressOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Stories < 12 || r.Menus != 1 || !r.DryRun {
		t.Errorf("a dry run reports %+v", r)
	}
	for _, table := range []string{"story", "section", "topic", "author", "media", "menu", "redirect", "comment"} {
		if n := rows(t, d, table); n != 0 {
			t.Errorf("a dry run wrote %d rows of %s", n, table)
		}
	}
}

func TestWordPressManyStickies(t *testing.T) {
	im := newImporter(t, dbtest.SQLite(t))
	var items []string
	for i := range 9 {
		items = append(items, postOf(fmt.Sprint(i+1), "wp:is_sticky", "1", "wp:post_date_gmt", time.Date(2020, 3, i+1, 0, 0, 0, 0, time.UTC).Format("2006-01-02 15:04:05")))
	}
	r, err := im.ImportWordPress(context.Background(), write(t, "e.xml", wxrOf(append([]string{anAuthor}, items...)...)), WordPressOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if n := rows(t, im.DB, "story WHERE pinned > 0"); n != 6 || !said(r.Changed, "wordpress:old.example:3", "unpinned") || said(r.Changed, "wordpress:old.example:4", "unpinned") {
		t.Errorf("%d are pinned; changed: %v", n, r.Changed)
	}
}

func TestWordPressLanguages(t *testing.T) {
	texts := map[string]string{
		"1": "The ferry left the harbour at dawn and nobody saw it go.", "2": "המעבורת עזבה את הנמל עם שחר ואיש לא ראה אותה", "3": "Паром вышел из порта на рассвете, и никто его не видел",
		"4": "The Паром left the порта at dawn, as it did every day", "5": "غادرت العبّارة الميناء عند الفجر ولم يرها أحد",
		"6": `<p class="a-long-list of-classes and-more of-them" style="color:red">Паром вышел из порта на рассвете</p>`, "7": "Le bac a quitté le port avant l’aube", "8": "Το πλοίο έφυγε από το λιμάνι την αυγή",
	}
	for _, c := range []struct {
		lang      string
		languages []string
		want      map[string]string
	}{
		{"en", []string{"en", "ar", "he", "ru", "fr"}, map[string]string{"1": "en", "2": "he", "3": "ru", "4": "en", "5": "ar", "6": "ru", "7": "fr", "8": "en"}},
		{"en", nil, map[string]string{"1": "en", "2": "en", "3": "en", "4": "en", "5": "en", "6": "en", "7": "en", "8": "en"}},
		{"ar", []string{"ar", "en"}, map[string]string{"1": "en", "2": "ar", "3": "ar", "4": "en", "5": "ar", "6": "ar", "7": "en", "8": "ar"}},
		{"uk", []string{"uk", "ru"}, map[string]string{"1": "uk", "3": "uk", "6": "uk"}},
	} {
		t.Run(c.lang+fmt.Sprint(c.languages), func(t *testing.T) {
			im := newImporter(t, dbtest.SQLite(t))
			im.Stories.DefaultLang = c.lang
			items := []string{anAuthor}
			for id := range c.want {
				extra := ""
				if id == "7" {
					extra = categoryOf("language", "fr", "Français") // a plugin for languages says so
				}
				items = append(items, postOf(id, "title", "", "content:encoded", texts[id], "", extra))
			}
			if _, err := im.ImportWordPress(context.Background(), write(t, "e.xml", wxrOf(items...)), WordPressOptions{Languages: c.languages}); err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for id := range c.want {
				got[id] = found(t, im, "wordpress:old.example:"+id).Lang
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWordPressSectionChoice(t *testing.T) {
	im := newImporter(t, dbtest.SQLite(t))
	both := categoryOf("category", "world", "World") + categoryOf("category", "ports", "Ports") + categoryOf("category", "uncategorized", "Uncategorized")
	r, err := im.ImportWordPress(context.Background(), write(t, "e.xml", wxrOf(site,
		postOf("1", "", both), postOf("2", "", both+metaOf("_yoast_wpseo_primary_category", "5")), postOf("3", "", categoryOf("category", "uncategorized", "Uncategorized")),
		postOf("4", "", categoryOf("category", "loop-a", "Loop A")+categoryOf("category", "new", "Not declared")), postOf("5", "wp:post_type", "page", "", both), postOf("6"))), WordPressOptions{})
	if err != nil {
		t.Fatal(err)
	}
	counted(t, im.DB, r)
	sections, err := im.Stories.Sections(context.Background(), im.DB.Read())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, id := range []string{"1", "2", "3", "4", "5", "6"} {
		st, err := im.Stories.BySource(context.Background(), im.DB.Read(), "wordpress:old.example:"+id)
		if err != nil {
			t.Fatal(err)
		}
		s, _ := sections.ByID(st.SectionID)
		topics, err := im.Stories.Topics(context.Background(), im.DB.Read(), append([]string{}, st.Topics...))
		if err != nil {
			t.Fatal(err)
		}
		got[id] = s.Slug + ":"
		for _, x := range topics {
			got[id] += " " + x.Slug
		}
	}
	want := map[string]string{"1": "ports: world", "2": "world: ports", "3": "uncategorized:", "4": "loop-a: new", "5": ": world ports", "6": ":"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
