package archive

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"masthead/internal/db/dbtest"
)

// newBody gives a body of post 7 of a site.
func newBody(t testing.TB, im *Importer) (*wpBody, *[]string) {
	t.Helper()
	base, err := url.Parse("https://old.example/")
	if err != nil {
		t.Fatal(err)
	}
	w := &wordpress{run: &run{Importer: im, ctx: context.Background(), lang: "en", assets: map[string]kept{}},
		tables: newWordPressTables(), source: "wordpress:old.example:", base: base}
	for _, f := range []wpFile{
		{id: "11", url: "https://old.example/wp-content/uploads/2013/a.jpg", alt: "A boat", caption: "At <sea>", kind: "image", media: "m11", order: 2},
		{id: "12", url: "https://old.example/wp-content/uploads/2013/b.jpg", kind: "image", media: "m12", order: 1},
		{id: "13", url: "https://old.example/wp-content/uploads/2013/c.mp3", alt: "Blues", kind: "audio", media: "m13"},
	} {
		w.tables.files[f.id] = &f
		w.tables.byURL[addressKey(f.url)] = f.id
		w.tables.inPost["7"] = append(w.tables.inPost["7"], f.id)
	}
	w.tables.blocks["90"] = `<!-- wp:paragraph --><p>Reused</p><!-- /wp:paragraph --><!-- wp:block {"ref":90} /-->`
	changes := &[]string{}
	return &wpBody{w: w, id: "7", notes: map[string]string{"n1": "A <em>note</em>"},
		change: func(f string, args ...any) { *changes = append(*changes, fmt.Sprintf(f, args...)) }}, changes
}

func TestWordPressBody(t *testing.T) {
	im := newImporter(t, dbtest.SQLite(t))
	const a = `<figure class="picture" data-media="m11" data-alt="A boat"><figcaption>At &lt;sea&gt;</figcaption></figure>`
	for _, c := range []struct{ name, in, want, said string }{
		{"paragraphs of lines", "One\nline\n\nTwo\r\n\r\n\r\nThree", `<p>One<br>line</p><p>Two</p><p>Three</p>`, ""},
		{"lines within a mark", "<em>One\n\nTwo</em>", `<p><em>One</em></p><p><em>Two</em></p>`, ""},
		{"lines beside blocks", "One\n<h2>Head</h2>\nTwo\n<ul>\n<li>a\n<ul>\n<li>b</li>\n</ul>\n</li>\n</ul>\nThree", `<p>One</p><h2>Head</h2><p>Two</p><ul><li><p>a</p><ul><li>b</li></ul></li></ul><p>Three</p>`, ""},
		{"quotation of paragraphs", "<blockquote>One\n\nTwo</blockquote>", `<blockquote><p>One</p><p>Two</p></blockquote>`, ""},
		{"pre keeps its lines", "<pre>a\n\nb [gallery]\n<b>c</b></pre>", "<pre><code>a\n\nb [gallery]\nc</code></pre>", ""},
		{"sign of inequality", "1 < 2\n\n3 > 2", `<p>1 &lt; 2</p><p>3 &gt; 2</p>`, ""},
		{"break written out", "One<br />\nTwo", `<p>One<br>Two</p>`, ""},
		{"more", "Teaser\n<!--more Read on-->\nRest", `<p>Teaser</p><hr class="wall-mark" hidden><p>Rest</p>`, ""},
		{"more in a line", "Teaser<!--more-->Rest", `<p>Teaser</p><hr class="wall-mark" hidden><p>Rest</p>`, ""},
		{"next page", "One\n<!--nextpage-->\nTwo", `<p>One</p><hr><p>Two</p>`, ""},
		{"lone address", "See\n\nhttps://www.youtube.com/watch?v=abc123\n\nthere", `<p>See</p><figure class="embed" data-src="https://www.youtube.com/watch?v=abc123" data-provider="YouTube">`, ""},
		{"lone address of nobody", "https://example.net/x", `<p>https://example.net/x</p>`, ""},
		{"caption", `[caption id="attachment_11" align="left" width="300"]<a href="https://old.example/wp-content/uploads/2013/a.jpg"><img src="https://old.example/wp-content/uploads/2013/a-300x200.jpg" alt="X" /></a> The <em>boat</em>[/caption] After`,
			`<figure class="picture" data-media="m11" data-alt="X"><figcaption>The <em>boat</em></figcaption></figure><p>After</p>`, ""},
		{"old caption", `[caption width="3" caption="Words"]<img src="/wp-content/uploads/2013/a.jpg" alt="X">[/caption]`,
			`<figure class="picture" data-media="m11" data-alt="X"><figcaption>Words</figcaption></figure>`, ""},
		{"gallery of the post", "[gallery]", `<figure class="gallery"><figure class="picture" data-media="m12"></figure>` + a + `</figure>`, ""},
		{"gallery of ids", `[gallery columns="2" ids="11,99"]`, a, "[gallery] names 99, which is not in the export"},
		{"gallery of curly quotes", `[gallery ids=”11″]`, a, ""},
		{"audio", `[audio mp3="https://old.example/wp-content/uploads/2013/c.mp3"][/audio]`, `<figure class="file file-audio" data-kind="audio" data-media="m13">`, ""},
		{"audio of old", `[audio https://old.example/wp-content/uploads/2013/c.mp3|autostart=no]`, `data-media="m13"`, ""},
		{"playlist", `[playlist]`, `<figure class="file file-audio" data-kind="audio" data-media="m13" data-title="Blues">`, ""},
		{"video of a provider", `[video src="https://vimeo.com/123"]`, `<figure class="embed" data-src="https://vimeo.com/123" data-provider="Vimeo">`, ""},
		{"embed", `[embed width="9"]https://vimeo.com/5[/embed]`, `data-src="https://vimeo.com/5"`, ""},
		{"youtube", `[youtube=https://www.youtube.com/watch?v=q1&w=9]`, `data-src="https://www.youtube.com/watch?v=q1&amp;w=9"`, ""},
		{"hostile embed", `[embed]javascript:alert(1)[/embed]`, ``, "[embed] was left out: it has no address"},
		{"unknown", `A [contact-form-7 id="1" title="Contact"] B`, `<p>A B</p>`, "the shortcode [contact-form-7] is unknown and was left out"},
		{"unknown around words", `[vc_row][vc_column width="1/2"]Words[/vc_column][/vc_row]`, `<p>Words</p>`, "what stands between them stays"},
		{"unknown nested in itself", `[box a="1"]x [box a="2"]y[/box] z[/box] end`, `<p>x y z end</p>`, ""},
		{"an editor's bracket", `He said [sic] it was [of the ministry] true [1] [...] [Translator's note: no]`, `<p>He said [sic] it was [of the ministry] true [1] [...] [Translator's note: no]</p>`, ""},
		{"escaped", `Use [[gallery ids="1"]] so`, `<p>Use [gallery ids="1"] so</p>`, ""},
		{"in an attribute", `<a href="/x" title="[gallery]">y</a>`, `title="[gallery]"`, ""},
		{"block paragraph", "<!-- wp:paragraph {\"align\":\"left\"} -->\n<p>One\ntwo</p>\n<!-- /wp:paragraph -->\n\n<!-- wp:paragraph --><p>Three</p><!-- /wp:paragraph -->", `<p>One two</p><p>Three</p>`, ""},
		{"classic among blocks", "<!-- wp:heading --><h2>H</h2><!-- /wp:heading -->\nOne\n\nTwo\n<!-- wp:paragraph --><p>x</p><!-- /wp:paragraph -->", `<h2>H</h2><p>One</p><p>Two</p><p>x</p>`, ""},
		{"block more", "<!-- wp:paragraph --><p>A</p><!-- /wp:paragraph --><!-- wp:more --><!--more--><!-- /wp:more --><!-- wp:paragraph --><p>B</p><!-- /wp:paragraph -->", `<p>A</p><hr class="wall-mark" hidden><p>B</p>`, ""},
		{"block nextpage", "<!-- wp:paragraph --><p>A</p><!-- /wp:paragraph --><!-- wp:nextpage --><!--nextpage--><!-- /wp:nextpage --><p>B</p>", `<p>A</p><hr><p>B</p>`, ""},
		{"block columns, group", `<!-- wp:columns --><div class="wp-block-columns"><!-- wp:column --><div class="wp-block-column"><!-- wp:paragraph --><p>L</p><!-- /wp:paragraph --></div><!-- /wp:column --><!-- wp:column --><div><!-- wp:group --><div><p>R</p></div><!-- /wp:group --></div><!-- /wp:column --></div><!-- /wp:columns -->`, `<p>L</p><p>R</p>`, ""},
		{"block buttons", `<!-- wp:buttons --><div><!-- wp:button --><div class="wp-block-button"><a class="wp-block-button__link" href="https://x.example/">Go</a></div><!-- /wp:button --></div><!-- /wp:buttons -->`, `<p><a href="https://x.example/" rel="noopener">Go</a></p>`, ""},
		{"block cover", `<!-- wp:cover {"url":"https://old.example/wp-content/uploads/2013/a.jpg","id":11} --><div class="wp-block-cover"><span aria-hidden="true" class="wp-block-cover__background has-background-dim"></span><img class="wp-block-cover__image-background wp-image-11" alt="" src="https://old.example/wp-content/uploads/2013/a.jpg"/><div class="wp-block-cover__inner-container"><!-- wp:paragraph --><p>Over</p><!-- /wp:paragraph --></div></div><!-- /wp:cover -->`,
			`<figure class="picture" data-media="m11"></figure><p>Over</p>`, ""},
		{"block media and text", `<!-- wp:media-text --><div class="wp-block-media-text"><figure class="wp-block-media-text__media"><img src="https://old.example/wp-content/uploads/2013/b.jpg" alt=""/></figure><div class="wp-block-media-text__content"><!-- wp:paragraph --><p>Beside</p><!-- /wp:paragraph --></div></div><!-- /wp:media-text -->`, `<figure class="picture" data-media="m12"></figure><p>Beside</p>`, ""},
		{"block gallery of images", `<!-- wp:gallery --><figure class="wp-block-gallery has-nested-images"><!-- wp:image {"id":11} --><figure class="wp-block-image"><img src="https://old.example/wp-content/uploads/2013/a-1024x768.jpg" alt="X"/><figcaption>C</figcaption></figure><!-- /wp:image --><!-- wp:image --><figure><img src="https://old.example/wp-content/uploads/2013/b.jpg"/></figure><!-- /wp:image --></figure><!-- /wp:gallery -->`,
			`<figure class="gallery"><figure class="picture" data-media="m11" data-alt="X"><figcaption>C</figcaption></figure><figure class="picture" data-media="m12"></figure></figure>`, ""},
		{"block of later", `<!-- wp:latest-posts {"postsToShow":3} /--><!-- wp:paragraph --><p>x</p><!-- /wp:paragraph -->`, `<p>x</p>`, "the block latest-posts was left out"},
		{"block of a plugin", `<!-- wp:jetpack/tiled {"a":{"b":1}} --><div><p>x</p></div><!-- /wp:jetpack/tiled -->`, `<p>x</p>`, "the block jetpack/tiled is not one of WordPress; its words are kept"},
		{"block reused, within itself", `<!-- wp:block {"ref":90} /-->`, `<p>Reused</p><p>Reused</p><p>Reused</p><p>Reused</p>`, "it stands within itself"},
		{"block that is not there", `<!-- wp:block {"ref":91} /-->`, ``, "the reusable block 91 was left out"},
		{"block shortcode", "<!-- wp:shortcode -->\n[gallery ids=\"11\"]\n<!-- /wp:shortcode -->", a, ""},
		{"block footnote", `<!-- wp:paragraph --><p>Text<sup data-fn="n1" class="fn"><a href="#n1" id="n1-link">1</a></sup></p><!-- /wp:paragraph --><!-- wp:footnotes /-->`, `<em>note</em>`, ""},
		{"block code", `<!-- wp:code --><pre class="wp-block-code"><code>[x y="1"]</code></pre><!-- /wp:code -->`, `<pre><code>[x y="1"]</code></pre>`, ""},
		{"block that is not closed", `<!-- wp:group --><div><!-- wp:paragraph --><p>x</p></div>`, `<p>x</p>`, ""},
		{"picture of elsewhere", `<img src="https://else.example/x.jpg" alt="E">`, `<a rel="noopener nofollow" href="https://else.example/x.jpg">E</a>`, "stands on another site"},
		{"a sound as a picture", `<img src="https://old.example/wp-content/uploads/2013/c.mp3" alt="S">`, `<a rel="noopener nofollow" href="https://old.example/wp-content/uploads/2013/c.mp3">S</a>`, "stands where a picture should"},
		{"hostile", "<p onclick=\"x()\">a</p><script>alert(1)</script>[caption]<img src=x onerror=alert(1)>\"><script>alert(2)</script>[/caption]<a href=\"javascript:alert(3)\">l</a>", `<p>a</p>`, "script"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, changes := newBody(t, im)
			n, err := b.document(c.in)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.ReplaceAll(page(n), "\n", "")
			want := strings.ReplaceAll(c.want, "\n", "")
			if want != "" && !strings.Contains(got, want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if want == "" && n.PlainText() != "" {
				t.Errorf("got %q, want nothing", n.PlainText())
			}
			if c.said != "" && !strings.Contains(strings.Join(*changes, "\n"), c.said) {
				t.Errorf("it was not said that %q: %q", c.said, *changes)
			}
			for _, bad := range []string{"onclick", "onerror=", "<script", "javascript:"} {
				if strings.Contains(got, bad) {
					t.Errorf("%s came through: %s", bad, got)
				}
			}
		})
	}
}

func FuzzWordPressBody(f *testing.F) {
	for _, s := range []string{"a\n\nb", `[caption]<img src="/a.jpg">x[/caption]`, `<!-- wp:cover {"url":"x"} --><div>a</div><!-- /wp:cover -->`, "<pre>x", `[a b="c`, "[[x]]", "<!--more",
		`[x_y][x_y][/x_y]`, `<sup data-fn="n1">1</sup>`, "<!-- wp:block {\"ref\":90} /-->", "[gallery][playlist][audio][video src=x]", "<em>a\n\nb<ul>\n<li>"} {
		f.Add(s)
	}
	im := newImporter(f, dbtest.SQLite(f))
	f.Fuzz(func(t *testing.T, s string) {
		b, _ := newBody(t, im)
		n, err := b.document(s)
		if err != nil {
			return
		}
		if out := page(n); strings.Contains(out, "<script") || strings.Contains(out, `="javascript:`) {
			t.Errorf("%q gives %s", s, out)
		}
	})
}
