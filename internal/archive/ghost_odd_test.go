package archive

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/fault"
	"masthead/internal/story"
)

// A file that is broken is refused with the place and with what to do, and
// writes nothing.
func TestGhostBroken(t *testing.T) {
	good := mustJSON(map[string]any{"db": []any{map[string]any{"meta": row{"version": "5.1"}, "data": map[string]any{
		"posts": []row{post("1", "one", row{"html": "<p>Café</p>"})}, "users": []row{}}}}})
	utf16le := func(s string) string {
		b := []byte("\xff\xfe")
		for _, u := range utf16.Encode([]rune(s)) {
			b = binary.LittleEndian.AppendUint16(b, u)
		}
		return string(b)
	}
	d := dbtest.SQLite(t)
	im := newImporter(t, d)
	for _, c := range []struct{ name, content, want, hint string }{
		{"empty", "", "the file is empty", "export it again"},
		{"cut", good[:len(good)-30], "breaks off in the middle", "not complete"},
		{"cut in a key", good[:20], "breaks off in the middle", "not complete"},
		{"UTF-16", utf16le(good), "UTF-16", "iconv -f UTF-16"},
		{"UTF-16 without its mark", utf16le(good)[2:], "UTF-16", "iconv -f UTF-16"},
		{"Latin-1", strings.ReplaceAll(good, "é", "\xe9"), `not written in UTF-8`, "iconv -f WINDOWS-1252"},
		{"Latin-1 at the end", good + "\xe9", "not written in UTF-8", "iconv"},
		{"ZIP", "PK\x03\x04....", "compressed", "unpack"},
		{"XML", "<?xml version='1.0'?><rss/>", "not an export of Ghost", "masthead import wordpress"},
		{"an array", "[1, 2]", "not an export of Ghost", "Import/Export"},
		{"other JSON", `{"a": {"posts": []}}`, "not an export of Ghost", "Import/Export"},
		{"not JSON", `{"db": [{"data": {"posts": [{"id": 1,}]}}]}`, "not JSON", "export it again"},
		{"unquoted key", `{db: []}`, "not JSON", "export it again"},
		{"two in one", good + good, "not JSON", "export it again"},
		{"a nest", strings.Repeat(`{"db":[`, 200_000), "breaks off", "not complete"},
		{"a nest of lists", `{"data":{"posts":` + strings.Repeat("[", 2<<20), "breaks off", "not complete"},
		{"a number without end", `{"data":{"posts":[` + strings.Repeat("1", 20<<20), "breaks off", "not complete"},
		{"a key without end", `{"` + strings.Repeat("k", 1<<20), "breaks off", "not complete"},
		{"a long key", `{"` + strings.Repeat("k", 1<<20) + `":1}`, "too long", "export it again"},
		{"wrong mark", `{"db": [} `, "not JSON", "export it again"},
	} {
		_, err := im.ImportGhost(context.Background(), write(t, "export.json", c.content), GhostOptions{})
		if !fault.Is(err, fault.Invalid) || !strings.Contains(fmt.Sprint(err), c.want) || !strings.Contains(fault.Hint(err), c.hint) {
			t.Errorf("%s: %v (%s)", c.name, err, fault.Hint(err))
		}
	}
	for at := 1; at < len(good)-1; at += 7 {
		if _, err := im.ImportGhost(context.Background(), write(t, "export.json", good[:at]), GhostOptions{}); !fault.Is(err, fault.Invalid) {
			t.Errorf("cut at %d: %v", at, err)
		}
	}
	if _, err := im.ImportGhost(context.Background(), t.TempDir(), GhostOptions{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a folder: %v", err)
	}
	if _, err := im.ImportGhost(context.Background(), "/nowhere.json", GhostOptions{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("no file: %v", err)
	}
	if n := rows(t, d, "story") + rows(t, d, "tier") + rows(t, d, "redirect"); n != 0 {
		t.Errorf("broken files wrote %d rows", n)
	}
	_, err := im.ImportGhost(context.Background(), write(t, "export.json", strings.ReplaceAll(good, "é", "\xe9")), GhostOptions{})
	if want := fmt.Sprintf(`byte="%d"`, strings.Index(good, "é")); !strings.Contains(fmt.Sprint(err), want) {
		t.Errorf("the place is wrong: %v, want %s", err, want)
	}
	if r, err := im.ImportGhost(context.Background(), write(t, "export.json", "\xef\xbb\xbf"+good), GhostOptions{}); err != nil || r.Stories != 1 {
		t.Errorf("with a byte order mark: %+v, %v", r, err)
	}
}

// Odd posts come in, or are skipped, by name.
func TestGhostOdd(t *testing.T) {
	posts := []row{
		post("dup1", "same", row{"published_at": "2020-05-02T08:00:00.000Z"}),
		post("dup2", "same", row{"published_at": "2020-05-09T08:00:00.000Z"}),
		post("nobody", "nobody", row{"author_id": "gone"}),
		post("old", "old", row{"published_at": "1900-01-01T00:00:00.000Z", "author_id": "1"}),
		post("far", "far", row{"published_at": "2100-01-01T00:00:00.000Z", "author_id": "1"}),
		post("soon", "soon", row{"status": "scheduled", "published_at": "2026-12-24T00:00:00.000Z", "author_id": "1"}),
		post("due", "due", row{"status": "scheduled", "published_at": "2026-11-01T00:00:00.000Z", "author_id": "1"}),
		post("unset", "unset", row{"status": "scheduled", "published_at": nil, "author_id": "1"}),
		post("sent", "sent", row{"status": "sent", "author_id": "1"}),
		post("mailed", "mailed", row{"author_id": "1"}),
		post("nodate", "nodate", row{"published_at": nil, "created_at": "yesterday", "author_id": "1"}),
		post("untitled", "", row{"title": "", "author_id": "1"}),
		post("arabic", "", row{"title": "مرحبا بالعالم", "slug": "مرحبا", "author_id": "1"}),
		post("section", "harbour", row{"author_id": "1"}),
		post("injected", "injected", row{"codeinjection_head": "<script>1</script>", "custom_template": "custom-wide", "canonical_url": "https://first.example/x", "author_id": "1"}),
		post("meta", "meta", row{"author_id": "1"}),
		post("noTag", "no-tag", row{"author_id": "1"}),
		{"title": "No ID", "slug": "no-id", "status": "published"},
		post("", "empty-id", nil),
		post("old", "old-again", nil),
		post("nul", "n\x00ul", row{"title": "a\x00b", "custom_excerpt": "\x00", "author_id": "1", "feature_image": "/content/images/\x00.png",
			"lexical": lexicalOf(para(txt("x\x00y", 0), row{"type": "link", "url": "/\x00/", "children": []any{txt("l", 0)}}), row{"type": "image", "src": "a\x00b", "alt": "\x00c"})}),
		post("large", "large", row{"plaintext": strings.Repeat("x", maxRow)}),
		post("empty", "empty", row{"author_id": "1", "lexical": lexicalOf(), "html": "<p>from HTML</p>"}),
		post("long", "long", row{"author_id": "1", "html": "<p>" + strings.Repeat("long words ", 500_000) + "</p>", "plaintext": "short"}),
	}
	tables := map[string][]row{
		"posts": posts, "users": {{"id": "1", "name": "Ana", "slug": "ana"}, {"id": 2, "name": "", "email": "b@news.example"}},
		"tags":           {{"id": "t", "name": "Harbour", "slug": "harbour"}, {"id": "u", "name": "UK", "slug": "uk"}},
		"posts_tags":     {{"post_id": "section", "tag_id": "t"}, {"post_id": "noTag", "tag_id": "gone"}, {"post_id": "old", "tag_id": "u"}},
		"posts_meta":     {{"post_id": "mailed", "email_only": 1}, {"post_id": "meta", "og_title": "For networks", "og_image": "https://else.example/i.png"}},
		"offers":         {{"id": "o"}, {"id": "p"}},
		"settings":       {{"key": "locale", "value": "fr"}, {"key": "codeinjection_head", "value": "<script>"}, {"key": "navigation", "value": `[{"label":"Home","url":"/"},{"label":"Bad","url":"javascript:x"},{"label":"Old","url":"__GHOST_URL__/old/"}]`}},
		"custom_unknown": {},
	}
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		im := newImporter(t, d)
		r, err := im.ImportGhost(context.Background(), export(t, "7.0.0", tables), GhostOptions{})
		if err != nil {
			t.Fatal(err)
		}
		counted(t, d, r)
		if r.Stories != len(posts)-4 {
			t.Errorf("%d stories of %d, skipped %v", r.Stories, len(posts), r.Skipped)
		}
		for _, c := range []struct{ list, id, why string }{
			{"changed", "ghost:dup2", "its old address /same/ leads to ghost:dup1"},
			{"changed", "ghost:dup2", `since "same" is taken`},
			{"changed", "ghost:nobody", "its author gone is not in the export"},
			{"changed", "ghost:dup1", "it has no author"},
			{"changed", "ghost:far", "lies in the future"},
			{"changed", "ghost:unset", "scheduled without a time"},
			{"changed", "ghost:sent", "sent by e-mail"},
			{"changed", "ghost:mailed", "e-mail alone"},
			{"changed", "ghost:nodate", "no time at all"},
			{"changed", "ghost:nodate", `"yesterday" cannot be read`},
			{"changed", "ghost:untitled", "no title"},
			{"changed", "ghost:section", "its old address /harbour/ is a section's here"},
			{"changed", "ghost:injected", "injected code was left out"},
			{"changed", "ghost:injected", "custom-wide"},
			{"changed", "ghost:meta", "social networks"},
			{"changed", "ghost:noTag", "its tag gone is not in the export"},
			{"changed", "ghost:long", "its body in HTML cannot be used"},
			{"skipped", "ghost:unknown", "no ID"},
			{"skipped", "ghost:old", "has the ID of a post before it"},
			{"skipped", "ghost:large", "more than 16 MB"},
			{"left", "ghost:offers", "2 rows"},
			{"left", "ghost:version", "7.0.0"},
			{"left", "ghost:setting:locale", "in fr"},
			{"left", "ghost:setting:codeinjection_head", "scripts"},
			{"left", "ghost:navigation", "not allowed"},
		} {
			items := map[string][]Item{"changed": r.Changed, "skipped": r.Skipped, "left": r.Left}[c.list]
			if !said(items, c.id, c.why) {
				t.Errorf("%s does not say of %s: %s", c.list, c.id, c.why)
			}
		}
		for _, c := range []struct {
			id     string
			status story.Status
			path   string
		}{
			{"dup1", story.Published, "/2020/05/same/"}, {"dup2", story.Published, "/2020/05/same-2/"}, {"old", story.Published, "/1900/01/old/"},
			{"far", story.Published, "/2100/01/far/"}, {"soon", story.Scheduled, "/2026/12/soon/"}, {"due", story.Published, "/2026/11/due/"},
			{"sent", story.Draft, ""}, {"mailed", story.Draft, ""}, {"arabic", story.Published, "/2020/05/مرحبا/"}, {"untitled", story.Published, "/2020/05/untitled/"},
		} {
			if e := found(t, im, "ghost:"+c.id); e.Status != c.status || e.Path != c.path {
				t.Errorf("%s: %s at %q, want %s at %q", c.id, e.Status, e.Path, c.status, c.path)
			}
		}
		if e := found(t, im, "ghost:injected"); e.CanonicalURL != "https://first.example/x" {
			t.Errorf("canonical: %q", e.CanonicalURL)
		}
		if e := found(t, im, "ghost:long"); e.Body.PlainText() != "short" {
			t.Errorf("long: %.40s", e.Body.PlainText())
		}
		if e := found(t, im, "ghost:empty"); e.Body.PlainText() != "from HTML" {
			t.Errorf("empty: %s", e.Body.PlainText())
		}
		menus, err := im.Stories.Menus(context.Background(), d.Read())
		if err != nil || len(menus["main"].Items) != 2 || menus["main"].Items[1].URL != "/1900/01/old/" {
			t.Errorf("menu: %+v, %v", menus["main"], err)
		}
		before := dump(t, d)
		again, err := im.ImportGhost(context.Background(), export(t, "7.0.0", tables), GhostOptions{})
		if err != nil || again.Stories != r.Stories || len(again.Changed) != len(r.Changed) || dump(t, d) != before {
			t.Errorf("the second run differs: %v", err)
		}
		var text strings.Builder
		if err := r.WriteText(&text); err != nil || !strings.Contains(text.String(), "imported: 20 stories") || !strings.Contains(text.String(), "ghost:large") {
			t.Errorf("%v: %s", err, text.String())
		}
	})
}

// Visibility, tiers and members: nobody gets more than he had.
func TestGhostReaders(t *testing.T) {
	tables := map[string][]row{
		"posts": {
			post("open", "open", row{"visibility": "public"}), post("members", "members", row{"visibility": "members"}), post("paid", "paid", row{"visibility": "paid"}),
			post("gold", "gold", row{"visibility": "tiers"}), post("two", "two", row{"visibility": "tiers"}), post("free", "free", row{"visibility": "tiers"}),
			post("none", "none", row{"visibility": "tiers"}), post("filter", "filter", row{"visibility": "product:silver"}), post("odd", "odd", row{"visibility": "label:vip"}),
			post("all", "all", row{"visibility": "tiers"}),
		},
		"products": {{"id": "p0", "name": "Free", "slug": "free", "type": "free"}, {"id": "p1", "name": "Gold, the best", "slug": "gold", "type": "paid"},
			{"id": "p2", "name": "Silver", "slug": "silver", "type": "paid"}, {"id": "p3", "name": "Bronze", "slug": "bronze", "type": "paid"}},
		"posts_products": {{"post_id": "gold", "product_id": "p1"}, {"post_id": "two", "product_id": "p2"}, {"post_id": "two", "product_id": "p1"}, {"post_id": "free", "product_id": "p0"},
			{"post_id": "all", "product_id": "p1"}, {"post_id": "all", "product_id": "p2"}, {"post_id": "all", "product_id": "p3"}},
		"newsletters": {{"id": "n", "name": "Weekly", "slug": "weekly", "status": "active", "subscribe_on_signup": true}, {"id": "o", "name": "Old", "slug": "old", "status": "archived"}},
	}
	members := "\xef\xbb\xbfemail,id,Name,labels,tiers,subscribed_to_emails,complimentary_plan,deleted_at,created_at,note,stripe_customer_id\r\n" +
		"ana@example.org,a,Ana,\"vip,early\",Silver,true,,,2020-01-02T03:04:05.000Z,\"a \"\"note\"\"\",cus_1\r\n" +
		"ben@example.org,b,Ben,,Bronze,false,,,2020-01-02T03:04:05.000Z,,\r\n" +
		"comp@example.org,c,,,,true,true,,,,\r\n" +
		"gone@example.org,d,,,,,,2021-01-01T00:00:00.000Z,,,\r\n" +
		"not an address,e,,,,,,,,,\r\n" +
		"ANA@example.org,f,,,,,,,,,\r\n" +
		"lost@example.org,g,\"Line\nbreak\",,Platinum,,,,someday,,\r\n" +
		"stripe@example.org,,,,,,,,,,cus_2\r\n"
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		im := newImporter(t, d)
		im.Newsletters = func(context.Context, *db.Tx, []NewsletterList) error { return nil }
		o := GhostOptions{Members: write(t, "members.csv", members)}
		r, err := im.ImportGhost(ctx, export(t, "5.0", tables), o)
		if err != nil {
			t.Fatal(err)
		}
		counted(t, d, r)
		for id, want := range map[string]story.Access{"open": "open", "members": "registered", "paid": "tier:paid", "gold": "tier:gold", "two": "tier:gold-or-silver", "free": "registered",
			"none": "tier:paid", "filter": "tier:silver", "odd": "tier:paid", "all": "tier:paid"} {
			if st, err := im.Stories.BySource(ctx, d.Read(), "ghost:"+id); err != nil || st.Access != want {
				t.Errorf("%s: %q (%v), want %q", id, st.Access, err, want)
			}
		}
		for email, want := range map[string]string{"ana@example.org": "gold-or-silver paid silver", "ben@example.org": "bronze paid", "comp@example.org": "paid", "lost@example.org": "paid", "stripe@example.org": ""} {
			who, err := im.Readers.ByEmail(ctx, d.Read(), email)
			if err != nil {
				t.Fatal(email, err)
			}
			held, err := im.Readers.Held(ctx, d.Read(), who.ID)
			var slugs []string
			for _, h := range held {
				slugs = append(slugs, h.Tier)
			}
			if got := strings.Join(slugs, " "); err != nil || got != want {
				t.Errorf("%s holds %q (%v), want %q", email, got, err, want)
			}
		}
		ana, _ := im.Readers.ByEmail(ctx, d.Read(), "ana@example.org")
		if ana.Note != `a "note"` || len(ana.Labels) != 2 || ana.Source != "ghost:a" || ana.CreatedAt.Year() != 2020 {
			t.Errorf("%+v", ana)
		}
		if r.Readers != 5 || rows(t, d, "reader_newsletter") != 2 {
			t.Errorf("%d readers, %d subscriptions", r.Readers, rows(t, d, "reader_newsletter"))
		}
		for id, w := range map[string]string{"ghost:d": "deleted", "ghost:e": "@", "ghost:f": "the address is that of ghost:a"} {
			if !said(r.Skipped, id, w) {
				t.Errorf("%s: %v", id, r.Skipped)
			}
		}
		if !said(r.Changed, "ghost:g", `"Platinum" is not in the export`) || !said(r.Changed, "ghost:g", `"someday"`) || !said(r.Changed, "ghost:member:stripe@example.org", "Stripe") {
			t.Errorf("changed: %v", r.Changed)
		}
		before := dump(t, d)
		if again, err := im.ImportGhost(ctx, export(t, "5.0", tables), o); err != nil || again.Readers != 5 || dump(t, d) != before {
			t.Errorf("the second run differs: %+v %v", again, err)
		}
		for name, bad := range map[string]string{"no column": "name,id\nx,y\n", "open quote": "email\n\"a@example.org\nb@example.org\n", "huge": "email\n\"" + strings.Repeat("a", 3<<20), "UTF-16": "\xff\xfee\x00"} {
			if _, err := im.ImportGhost(ctx, export(t, "5.0", tables), GhostOptions{Members: write(t, "m.csv", bad)}); !fault.Is(err, fault.Invalid) || fault.Hint(err) == "" {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// Pictures are fetched only where that is asked for, and a host that fails
// costs that picture alone.
func TestGhostFetch(t *testing.T) {
	tables := map[string][]row{"posts": {post("a", "a", row{"html": `<p>x</p><img src="http://old.example/content/images/2020/05/dredger.png"><img src="https://down.example/b.png" alt="B"><img src="https://cut.example/c.png" alt="C">`, "author_id": "1"})}}
	d := dbtest.SQLite(t)
	im := newImporter(t, d)
	root := assets(t)
	var asked []string
	im.Fetch = func(_ context.Context, url string) (io.ReadCloser, error) {
		asked = append(asked, url)
		if strings.Contains(url, "down") {
			return nil, errors.New("connection refused")
		}
		if strings.Contains(url, "cut") {
			return io.NopCloser(io.MultiReader(strings.NewReader("\x89PNG\r\n\x1a\n"), iotest.ErrReader(errors.New("connection reset")))), nil
		}
		return root.Open("content/images/2020/05/dredger.png")
	}
	r, err := im.ImportGhost(context.Background(), export(t, "5.0", tables), GhostOptions{URL: "https://old.example/"})
	if err != nil {
		t.Fatal(err)
	}
	counted(t, d, r)
	if r.Media != 1 || !said(r.Changed, "ghost:a", "connection refused") || !said(r.Changed, "ghost:a", "connection reset") {
		t.Errorf("%d, %v", r.Media, r.Changed)
	}
	if want := []string{"https://old.example/content/images/2020/05/dredger.png", "https://down.example/b.png", "https://cut.example/c.png"}; strings.Join(asked, " ") != strings.Join(want, " ") {
		t.Errorf("asked for %v, want %v", asked, want)
	}
	if got := page(found(t, im, "ghost:a").Body); strings.Contains(got, "<img") || !strings.Contains(got, `href="https://down.example/b.png"`) {
		t.Error(got)
	}
	asked = nil
	if again, err := im.ImportGhost(context.Background(), export(t, "5.0", tables), GhostOptions{URL: "https://old.example"}); err != nil || again.Media != 1 || len(asked) != 2 {
		t.Errorf("%+v, %v, asked %v", again, err, asked)
	}
}

// A folder of assets is never left, by no path and by no link.
func TestAssetsStayInside(t *testing.T) {
	secret := write(t, "secret.png", "secret")
	root := assets(t)
	if err := os.Symlink(secret, root.Name()+"/content/images/link.png"); err != nil {
		t.Fatal(err)
	}
	im := newImporter(t, dbtest.SQLite(t))
	im.Assets = root
	_, err := im.do(context.Background(), func(r *run) error {
		g := &ghost{run: r, tables: newGhostTables()}
		for _, src := range []string{"/content/images/link.png", "/content/images/../../../../" + secret, "/content/images/%2e%2e/%2e%2e/%2e%2e" + secret, "/content/images/", "/content/images/x\x00y"} {
			if id, why, err := r.asset(g.assetOf(src, "")); id != "" || err != nil {
				t.Errorf("%q came in (%v)", src, err)
			} else {
				t.Logf("%q: %s", src, why)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
