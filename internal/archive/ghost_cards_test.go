package archive

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/doc"
)

// row is one row of a table of a made export.
type row = map[string]any

// export writes an export of Ghost with these tables.
func export(t testing.TB, version string, tables map[string][]row) string {
	t.Helper()
	return write(t, "export.json", mustJSON(map[string]any{"db": []any{map[string]any{
		"meta": map[string]any{"exported_on": 1795432015137, "version": version}, "data": tables}}}))
}

// post makes a published post; more replaces or adds columns.
func post(id, slug string, more row) row {
	p := row{"id": id, "title": "Title of " + slug, "slug": slug, "type": "post", "status": "published", "visibility": "public",
		"created_at": "2020-05-01T08:00:00.000Z", "published_at": "2020-05-02T08:00:00.000Z"}
	for k, v := range more {
		p[k] = v
	}
	return p
}

func lexicalOf(children ...any) string {
	return mustJSON(map[string]any{"root": map[string]any{"type": "root", "children": children}})
}

func txt(s string, format int) row { return row{"type": "extended-text", "text": s, "format": format} }

func para(children ...any) row { return row{"type": "paragraph", "children": children} }

// assets makes a folder with a picture and a file.
func assets(t testing.TB) *os.Root {
	t.Helper()
	dir := t.TempDir()
	img := image.NewRGBA(image.Rect(0, 0, 8, 6))
	img.Set(1, 1, color.RGBA{200, 10, 10, 255})
	for _, path := range []string{"content/images/2020/05/dredger.png", "content/images/2020/05/ferry.png"} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		img.Set(len(path)%8, 2, color.RGBA{0, 90, byte(len(path)), 255})
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, img); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	for path, content := range map[string]string{"content/files/report.pdf": "%PDF-1.4 report", "content/media/talk.mp3": "ID3 talk",
		"content/images/no.png":        "no picture at all",
		"content/data/redirects.json":  `[{"from":"^/old-home/?$","to":"/ferry/","permanent":true},{"from":"/tidings","to":"https://else.example/"},{"from":"^/(\\d+)/(.*)$","to":"/$2"}]`,
		"content/settings/routes.yaml": "collections:\n  /:\n    permalink: /{year}/{month}/{day}/{slug}/\n    template: index\n"} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
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

// Each card of the newer editor, by what it must become.
func TestGhostLexicalCards(t *testing.T) {
	picture := "__GHOST_URL__/content/images/2020/05/dredger.png"
	cases := []struct {
		name     string
		node     any
		want     []string // in the HTML
		wantNot  []string
		reported string // in a reason; "" when nothing may be reported
	}{
		{"formats", para(txt("b", 1), txt("i", 2), txt("bi", 3), txt("s", 4), txt("u", 8), txt("c", 16), txt("lo", 32), txt("hi", 64)),
			[]string{"<strong>b</strong>", "<em>i</em>", "<strong><em>bi</em></strong>", "<s>s</s>", "<u>u</u>", "<code>c</code>", "<sub>lo</sub>", "<sup>hi</sup>"}, nil, ""},
		{"highlight", para(txt("h", 128)), []string{"<p>h</p>"}, nil, "highlighting"},
		{"breaks", para(txt("one", 0), row{"type": "linebreak"}, txt("two", 0), row{"type": "tab"}, txt("three", 0)), []string{"one<br>two three"}, nil, ""},
		{"link", para(row{"type": "link", "url": "https://example.org/a", "title": "A", "children": []any{txt("there", 1)}}),
			[]string{`href="https://example.org/a"`, `title="A"`, "<strong>there</strong>"}, nil, ""},
		{"hostile link", para(row{"type": "link", "url": "javascript:alert(1)", "children": []any{txt("there", 0)}}), []string{"<p>there</p>"}, []string{"javascript"}, "its address is not allowed"},
		{"at-link", para(row{"type": "at-link", "url": "https://example.org/x", "children": []any{row{"type": "zwnj", "text": "\u200c"}, row{"type": "at-link-search", "text": "x"}}}), []string{"https://example.org/x</a>"}, nil, ""},
		{"portal", para(row{"type": "link", "url": "__GHOST_URL__/#/portal/signup", "children": []any{txt("join", 0)}}), []string{`href="/register"`}, nil, ""},
		{"own link", para(row{"type": "link", "url": "__GHOST_URL__/ferry/#p2", "children": []any{txt("ferry", 0)}}), []string{`href="/2020/05/ferry/#p2"`}, nil, ""},
		{"own tag", para(row{"type": "link", "url": "__GHOST_URL__/tag/harbour/", "children": []any{txt("harbour", 0)}}), []string{`href="/harbour/"`}, nil, ""},
		{"heading", row{"type": "extended-heading", "tag": "h3", "children": []any{txt("H", 0)}}, []string{`data-level="3">H</h`}, nil, ""},
		{"heading 1", row{"type": "heading", "tag": "h1", "children": []any{txt("H", 0)}}, []string{"<h2>H</h2>"}, nil, "levels 2 to 4"},
		{"quote", row{"type": "extended-quote", "children": []any{txt("Q", 0), row{"type": "linebreak"}, txt("R", 0)}}, []string{"<blockquote", "Q<br>R"}, nil, ""},
		{"aside", row{"type": "aside", "children": []any{txt("P", 0)}}, []string{"pull-quote", "P"}, nil, ""},
		{"list", row{"type": "list", "listType": "number", "start": 3, "children": []any{
			row{"type": "listitem", "children": []any{txt("one", 0)}},
			row{"type": "listitem", "children": []any{row{"type": "list", "listType": "bullet", "children": []any{row{"type": "listitem", "children": []any{txt("in", 0)}}}}}}}},
			[]string{`<ol start="3">`, "one", "<ul>", "in"}, nil, ""},
		{"rule", row{"type": "horizontalrule"}, []string{"<hr"}, nil, ""},
		{"paywall", row{"type": "paywall"}, []string{"wall-mark"}, nil, ""},
		{"image", row{"type": "image", "src": picture, "alt": "A dredger", "caption": "At <b>dawn</b>", "width": 8}, []string{`data-media="`, "<strong>dawn</strong>"}, nil, ""},
		{"image from elsewhere", row{"type": "image", "src": "https://else.example/a.png", "alt": "Else"}, []string{`<a rel="noopener nofollow" href="https://else.example/a.png"`}, []string{"<img"}, "another site"},
		{"image that is lost", row{"type": "image", "src": "__GHOST_URL__/content/images/lost.png", "alt": "Lost thing", "caption": "Its caption"}, []string{"<p>Its caption</p>"}, []string{"<img", "figure"}, "not in the folder"},
		{"image with link", row{"type": "image", "src": picture, "href": "https://example.org/"}, []string{`data-media="`}, []string{"example.org"}, "pictures carry no link"},
		{"image beyond the folder", row{"type": "image", "src": "__GHOST_URL__/content/images/../../../etc/passwd"}, nil, []string{"<img", "figure"}, "not in the folder"},
		{"image that is none", row{"type": "image", "src": "__GHOST_URL__/content/images/no.png", "alt": "No"}, []string{"<p>No</p>"}, []string{"figure"}, "not a picture"},
		{"data image", row{"type": "image", "src": "data:image/png;base64,AAAA"}, nil, []string{"data:image"}, "data:"},
		{"gallery", row{"type": "gallery", "caption": "Both", "images": []any{row{"src": picture, "alt": "1"}, row{"src": "__GHOST_URL__/content/images/size/w600/2020/05/ferry.png"}}}, []string{"gallery", "Both"}, nil, ""},
		{"embed", row{"type": "embed", "url": "https://www.youtube.com/watch?v=abc", "html": "<iframe src=\"https://evil.example\"></iframe>", "caption": "See",
			"metadata": row{"title": "Film", "author_name": "Ana", "provider_name": "YouTube"}}, []string{`class="embed"`, `data-provider="YouTube"`, "Film", "Ana", "See"}, []string{"iframe", "evil"}, ""},
		{"embed of HTML", row{"type": "embed", "url": "", "html": `<iframe src="https://player.vimeo.com/video/12"></iframe>`}, []string{`https://vimeo.com/12`}, []string{"<iframe"}, "after a click"},
		{"bookmark", row{"type": "bookmark", "url": "https://example.org/b", "metadata": row{"title": "B", "description": "About B", "publisher": "Pub", "thumbnail": "https://example.org/t.png"}}, []string{`class="embed"`, "About B", "Pub"}, []string{"<img"}, ""},
		{"bookmark of one's own", row{"type": "bookmark", "url": "__GHOST_URL__/ferry/", "metadata": row{"title": "The ferry"}}, []string{"also-read", "/2020/05/ferry/", "The ferry"}, nil, ""},
		{"callout", row{"type": "callout", "calloutText": "<p>Mind <b>this</b></p>", "calloutEmoji": "💡", "backgroundColor": "green"}, []string{"callout", "success", "💡 Mind <strong>this</strong>"}, nil, ""},
		{"toggle", row{"type": "toggle", "heading": "More", "content": "<p>Inside</p>"}, []string{`data-level="4">More</h`, "<p>Inside</p>"}, nil, "shown open"},
		{"button", row{"type": "button", "buttonText": "Go", "buttonUrl": "https://example.org/go"}, []string{`href="https://example.org/go"`, "Go"}, nil, ""},
		{"html", row{"type": "html", "html": `<p onclick="x()">Hi</p><script>alert(1)</script><img src=x onerror=alert(1)><!-- open`}, []string{"<p>Hi</p>"}, []string{"script", "onclick", "onerror"}, "scripts never run"},
		{"html for members", row{"type": "html", "html": "<p>Secret words</p>", "visibility": row{"web": row{"nonMember": false, "memberSegment": "status:free,status:-free"}}}, nil, []string{"Secret"}, "some readers only"},
		{"html for all", row{"type": "html", "html": "<p>Open words</p>", "visibility": row{"web": row{"nonMember": true, "memberSegment": "status:free,status:-free"}}}, []string{"Open words"}, nil, ""},
		{"markdown", row{"type": "markdown", "markdown": "## Two\n\n*em* and <b>bold</b>\n\n- one"}, []string{"<h2>Two</h2>", "<em>em</em>", "<strong>bold</strong>", "<li>"}, nil, ""},
		{"code", row{"type": "codeblock", "code": "<script>x</script>\n\ty", "language": "go", "caption": "A program"}, []string{"&lt;script&gt;x", "A program"}, []string{"<script"}, ""},
		{"audio", row{"type": "audio", "src": "__GHOST_URL__/content/media/talk.mp3", "title": "Talk"}, []string{"file-audio", "Talk"}, nil, ""},
		{"video", row{"type": "video", "src": "https://else.example/v.mp4", "caption": "Film"}, []string{"file-video", "Film"}, []string{"<video"}, "another site"},
		{"file", row{"type": "file", "src": "__GHOST_URL__/content/files/report.pdf", "fileTitle": "Report", "fileCaption": "All of it"}, []string{"data-media=", "Report", "All of it"}, nil, ""},
		{"product", row{"type": "product", "productTitle": "Kettle", "productDescription": "<p>Boils</p>", "productRatingEnabled": true, "productStarRating": 4, "productButtonEnabled": true, "productButton": "Buy", "productUrl": "https://example.org/k", "productImageSrc": picture}, []string{"Kettle", "Boils", "★★★★☆", "Buy", "data-media="}, nil, ""},
		{"header", row{"type": "header", "header": "Big", "subheader": "Small", "buttonEnabled": true, "buttonText": "Go", "buttonUrl": "https://example.org"}, []string{"<h2>Big</h2>", "Small", "Go"}, nil, ""},
		{"signup", row{"type": "signup", "header": "Join", "subheader": "Us", "disclaimer": "No spam", "buttonText": "Sign"}, []string{"Join", `href="/register"`, "Sign", "No spam"}, nil, "form to sign up"},
		{"email", row{"type": "email", "html": "<p>Hello reader</p>"}, nil, []string{"Hello"}, "e-mail alone"},
		{"email-cta", row{"type": "email-cta", "html": "<p>Upgrade</p>"}, nil, []string{"Upgrade"}, "e-mail alone"},
		{"call to action", row{"type": "call-to-action", "hasSponsorLabel": true, "sponsorLabel": "<p>Sponsored</p>", "textValue": "<p>Act</p>", "showButton": true, "buttonText": "Now", "buttonUrl": "https://example.org"}, []string{"Sponsored", "Act", "Now", "callout"}, nil, ""},
		{"unknown node", row{"type": "spiral", "children": []any{para(txt("kept", 0))}}, []string{"<p>kept</p>"}, nil, "spiral is unknown"},
		{"unknown card", row{"type": "orb", "radius": 3}, nil, nil, "orb is unknown and was left out"},
		{"rtl", row{"type": "paragraph", "direction": "rtl", "children": []any{txt("مرحبا", 0)}}, []string{`dir="rtl"`}, nil, ""},
	}
	var posts []row
	for i, c := range cases {
		posts = append(posts, post(fmt.Sprint("c", i), fmt.Sprint("case-", i), row{"author_id": "1", "lexical": lexicalOf(c.node, para(txt("The end.", 0)))}))
	}
	posts = append(posts, post("ferry", "ferry", row{"author_id": "1", "html": "<p>Ferry</p>"}))
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		im := newImporter(t, d)
		im.Assets = assets(t)
		r, err := im.ImportGhost(context.Background(), export(t, "5.80.0", map[string][]row{"posts": posts,
			"users": {{"id": "1", "name": "Ana", "slug": "ana", "twitter": "@ana", "location": "Jaffa", "bio": "Reporter", "website": "ana.example",
				"profile_image": picture}},
			"tags":       {{"id": "t", "name": "Harbour", "slug": "harbour", "visibility": "public"}, {"id": "i", "name": "#desk", "slug": "hash-desk", "visibility": "internal"}},
			"posts_tags": {{"post_id": "ferry", "tag_id": "i", "sort_order": 0}, {"post_id": "ferry", "tag_id": "t", "sort_order": 1}},
		}), GhostOptions{})
		if err != nil {
			t.Fatal(err)
		}
		counted(t, d, r)
		for i, c := range cases {
			e := found(t, im, fmt.Sprint("ghost:c", i))
			got := page(e.Body)
			if !strings.HasSuffix(got, "<p>The end.</p>") {
				t.Errorf("%s: what follows is lost: %s", c.name, got)
			}
			for _, w := range c.want {
				if !strings.Contains(got, w) {
					t.Errorf("%s: no %q in %s", c.name, w, got)
				}
			}
			for _, w := range c.wantNot {
				if strings.Contains(got, w) {
					t.Errorf("%s: %q in %s", c.name, w, got)
				}
			}
			about := ""
			for _, item := range r.Changed {
				if item.ID == fmt.Sprint("ghost:c", i) {
					about += item.Why + "; "
				}
			}
			if c.reported == "" && about != "" || !strings.Contains(about, c.reported) {
				t.Errorf("%s: the report says %q, want %q", c.name, about, c.reported)
			}
		}
		ctx := context.Background()
		for old, want := range map[string]string{"/old-home/": "/2020/05/ferry/", "/old-home": "/2020/05/ferry/", "/2020/05/02/ferry/": "/2020/05/ferry/",
			"/ferry/": "/2020/05/ferry/", "/tag/harbour/": "/harbour/", "/rss/": "/feed.xml"} {
			if to, err := im.Stories.Redirect(ctx, d.Read(), old); err != nil || to != want {
				t.Errorf("%s leads to %q (%v), want %s", old, to, err, want)
			}
		}
		if !said(r.Skipped, "ghost:redirect:/tidings", "no path of this site") || !said(r.Skipped, `ghost:redirect:^/(\d+)/(.*)$`, "pattern") || len(r.Skipped) != 2 {
			t.Errorf("skipped: %v", r.Skipped)
		}
		w, err := im.Stories.WriterBySlug(ctx, d.Read(), "ana")
		if err != nil || w.Handle != "@ana" || w.Website != "https://ana.example" || w.PortraitID == "" || w.Biographies["en"] != "Reporter\nJaffa" {
			t.Errorf("author: %+v, %v", w, err)
		}
	})
}

// Hostile HTML of each kind, in each place where HTML can stand.
func TestGhostHostile(t *testing.T) {
	attacks := []string{
		`<script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `<svg/onload=alert(1)>`, `<a href="java&#x0A;script:alert(1)">x</a>`,
		`<iframe srcdoc="<script>alert(1)</script>"></iframe>`, `<math><mi xlink:href="javascript:alert(1)">x</mi></math>`, `<style>@import 'https://evil.example'</style>`,
		`<form action="https://evil.example"><input name=q></form>`, `<object data="javascript:alert(1)"></object>`, `<base href="https://evil.example/">`,
		`"><script>alert(1)</script>`, `<img src="https://evil.example/pixel.gif" alt="x">`, `<link rel=stylesheet href=https://evil.example>`, `<meta http-equiv=refresh content="0;url=https://evil.example">`,
	}
	var posts []row
	for i, a := range attacks {
		m := mustJSON(map[string]any{"version": "0.3.1", "atoms": []any{}, "markups": []any{}, "cards": []any{[]any{"html", row{"html": a}}, []any{"markdown", row{"markdown": a}}},
			"sections": []any{[]any{10, 0}, []any{10, 1}, []any{1, "p", []any{[]any{0, []any{}, 0, a}}}}})
		posts = append(posts,
			post(fmt.Sprint("h", i), fmt.Sprint("h-", i), row{"html": a, "title": a, "custom_excerpt": a, "feature_image": a}),
			post(fmt.Sprint("m", i), fmt.Sprint("m-", i), row{"mobiledoc": m}),
			post(fmt.Sprint("l", i), fmt.Sprint("l-", i), row{"lexical": lexicalOf(row{"type": "html", "html": a}, row{"type": "callout", "calloutText": a, "calloutEmoji": a}, row{"type": "toggle", "heading": a, "content": a},
				row{"type": "image", "src": a, "caption": a, "alt": a}, row{"type": "embed", "url": a, "html": a, "caption": a, "metadata": row{"title": a}}, row{"type": "bookmark", "url": "https://example.org/", "caption": a, "metadata": row{"title": a, "publisher": a}},
				row{"type": "button", "buttonText": a, "buttonUrl": a}, row{"type": "header", "header": a, "subheader": a}, row{"type": "product", "productTitle": a, "productDescription": a}, para(txt(a, 0)))}))
	}
	d := dbtest.SQLite(t)
	im := newImporter(t, d)
	r, err := im.ImportGhost(context.Background(), export(t, "5.0.0", map[string][]row{"posts": posts}), GhostOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Stories != len(posts) || len(r.Skipped) != 0 {
		t.Errorf("%d stories, want %d; skipped %v", r.Stories, len(posts), r.Skipped)
	}
	for i := range attacks {
		for _, kind := range []string{"h", "m", "l"} {
			e := found(t, im, fmt.Sprint("ghost:", kind, i))
			if bad := live(t, page(e.Body)); bad != "" {
				t.Errorf("%s%d: %s in %s", kind, i, bad, page(e.Body))
			}
		}
	}
}

// live names what in a piece of HTML could run or contact somebody by itself; "" for nothing.
func live(t *testing.T, source string) (bad string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(source))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "script", "svg", "math", "iframe", "style", "form", "input", "object", "embed", "base", "link", "meta", "img", "video", "audio":
			bad += n.Data + " "
		}
		for _, a := range n.Attr {
			value := strings.ToLower(strings.Join(strings.Fields(a.Val), ""))
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || strings.HasPrefix(value, "javascript:") || strings.HasPrefix(value, "data:") {
				bad += n.Data + " " + a.Key + " "
			}
		}
	}
	return bad
}

// The older editor: markers, markups, atoms, cards, and all kinds of sections.
func TestGhostMobiledoc(t *testing.T) {
	m := mustJSON(map[string]any{"version": "0.3.1", "ghostVersion": "3.0",
		"markups": []any{[]any{"strong"}, []any{"a", []any{"href", "__GHOST_URL__/other/", "rel", "x"}}, []any{"em"}},
		"atoms":   []any{[]any{"soft-return", "", row{}}},
		"cards": []any{[]any{"image", row{"src": "/content/images/2020/05/dredger.png", "caption": "Cap"}}, []any{"card-markdown", row{"markdown": "**md**"}},
			[]any{"hr", row{}}, []any{"paywall", row{}}, []any{"code", row{"code": "x := 1"}}, []any{"embed", row{"url": "https://vimeo.com/1", "html": "<iframe></iframe>", "type": "video"}},
			[]any{"hr", []any{}}, []any{"html", row{"html": "<p>raw</p>"}}},
		"sections": []any{
			[]any{1, "h2", []any{[]any{0, []any{}, 0, "Head"}}},
			[]any{1, "p", []any{[]any{0, []any{0}, 0, "bold "}, []any{0, []any{2}, 2, "both"}, []any{1, []any{}, 0, 0}, []any{0, []any{1}, 1, "link"}}},
			[]any{3, "ul", []any{[]any{[]any{0, []any{}, 0, "one"}}, []any{[]any{0, []any{}, 0, "two"}}}},
			[]any{1, "blockquote", []any{[]any{0, []any{}, 0, "said"}}},
			[]any{10, 0}, []any{10, 1}, []any{10, 2}, []any{10, 3}, []any{10, 4}, []any{10, 5}, []any{10, 7}, []any{2, "/content/images/2020/05/ferry.png"}},
	})
	want := `<h2>Head</h2><p><strong>bold <em>both</em></strong><br><a href="/2019/01/other/">link</a></p><ul><li>one</li><li>two</li></ul><blockquote><p>said</p></blockquote>`
	d := dbtest.SQLite(t)
	im := newImporter(t, d)
	im.Assets = assets(t)
	// Ghost 3: no wrapper, the tags' relation numeric, the page a flag, meta in the post, MySQL's times.
	path := write(t, "ghost3.json", mustJSON(map[string]any{"meta": row{"version": "3.42.5"}, "data": map[string][]row{
		"posts": {post("5e1", "first", row{"mobiledoc": m, "html": "<p>not this</p>", "meta_title": "Meta", "published_at": "2019-03-04 05:06:07", "type": nil, "page": 0, "author_id": "1", "featured": 1}),
			post("5e2", "other", row{"mobiledoc": `{"version":"0.3.1","sections":[[1]]}`, "html": "<p>from HTML</p><!--kg-card-begin: html--><p>x</p><!--kg-card-end: html-->", "published_at": "2019-01-04 05:06:07", "author_id": "1"}),
			post("5e3", "about", row{"html": "<p>About</p>", "type": nil, "page": 1, "author_id": "1"})},
		"users": {{"id": 1, "name": "Old Author", "slug": "old"}},
	}}))
	r, err := im.ImportGhost(context.Background(), path, GhostOptions{})
	if err != nil {
		t.Fatal(err)
	}
	counted(t, d, r)
	first := found(t, im, "ghost:5e1")
	got := page(first.Body)
	if !strings.HasPrefix(got, want) {
		t.Errorf("got  %.600s\nwant %s", got, want)
	}
	for _, w := range []string{"Cap", "<strong>md</strong>", "<hr", "wall-mark", "x := 1", `data-src="https://vimeo.com/1"`, "<p>raw</p>"} {
		if !strings.Contains(got, w) {
			t.Errorf("no %q in %s", w, got)
		}
	}
	if n := len(first.Body.Media()); n != 2 {
		t.Errorf("%d pictures, want 2", n)
	}
	if first.Path != "/2019/03/first/" || first.MetaTitle != "Meta" {
		t.Errorf("%s, %q", first.Path, first.MetaTitle)
	}
	if e := found(t, im, "ghost:5e2"); page(e.Body) != "<p>from HTML</p><p>x</p>" || !said(r.Changed, "ghost:5e2", "its body in mobiledoc cannot be used") {
		t.Errorf("%s; %v", page(e.Body), r.Changed)
	}
	if e := found(t, im, "ghost:5e3"); e.Path != "/about/" {
		t.Errorf("the page stands at %s", e.Path)
	}
	if st, _ := im.Stories.BySource(context.Background(), d.Read(), "ghost:5e1"); st.Pinned != 1 || len(st.Bylines) != 1 {
		t.Errorf("%+v", st)
	}
}

// Whatever a body is, reading it neither panics nor breaks the schema.
func FuzzGhostBody(f *testing.F) {
	f.Add(lexicalOf(para(txt("x", 255)), row{"type": "list", "children": []any{row{"type": "listitem"}}}, row{"type": "gallery", "images": []any{nil, row{}}}))
	f.Add(`{"version":"0.3.1","markups":[["a",["href"]]],"atoms":[[]],"cards":[["x"]],"sections":[[1,"p",[[0,[0],9,"x"],[1,[],0,0]]],[10,0],[3,"ol",[[]]]]}`)
	f.Add(`<p>x<!--members-only--><div>`)
	d := dbtest.SQLite(f)
	im := newImporter(f, d)
	f.Fuzz(func(t *testing.T, s string) {
		_, err := im.do(context.Background(), func(r *run) error {
			g := &ghost{run: r, tables: newGhostTables(), leads: map[string]string{}}
			b := &ghostBody{g: g, change: func(string, ...any) {}}
			for _, p := range []ghostPost{{Lexical: scalar(s)}, {Mobiledoc: scalar(s)}, {HTML: scalar(s)}} {
				if n := b.best(p); b.err == nil {
					if err := doc.Check(n); err != nil {
						t.Errorf("%v: %q", err, s)
					}
				}
			}
			return b.err
		})
		if err != nil {
			t.Error(err)
		}
	})
}
