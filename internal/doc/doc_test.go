package doc

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readings are HTML that the schema should understand, and the block it is.
var readings = []struct{ name, html, json string }{
	{"paragraph", `<p>Hello, <b>big</b> <i>world</i></p>`, `{"type":"paragraph","content":[{"type":"text","text":"Hello, "},{"type":"text","text":"big","marks":[{"type":"strong"}]},{"type":"text","text":" "},{"type":"text","text":"world","marks":[{"type":"em"}]}]}`},
	{"loose text and breaks", `a<br>b<p></p>`, `{"type":"paragraph","content":[{"type":"text","text":"a"},{"type":"hard_break"},{"type":"text","text":"b"}]}`},
	{"direction", `<p dir="RTL">א</p>`, `{"type":"paragraph","attrs":{"dir":"rtl"},"content":[{"type":"text","text":"א"}]}`},
	{"foreign words", `<p><span lang="fr" dir="ltr">oui</span></p>`, `{"type":"paragraph","content":[{"type":"text","text":"oui","marks":[{"type":"lang","attrs":{"lang":"fr","dir":"ltr"}}]}]}`},
	{"all marks", `<p><u>a</u><del>b</del><sup>c</sup><sub>d</sub><kbd>e</kbd><span class="insertion">[f]</span></p>`, `{"type":"paragraph","content":[{"type":"text","text":"a","marks":[{"type":"underline"}]},{"type":"text","text":"b","marks":[{"type":"strike"}]},{"type":"text","text":"c","marks":[{"type":"superscript"}]},{"type":"text","text":"d","marks":[{"type":"subscript"}]},{"type":"text","text":"e","marks":[{"type":"code"}]},{"type":"text","text":"f","marks":[{"type":"insertion"}]}]}`},
	{"link", `<p><a href="/x" title="T" target="_blank">a</a></p>`, `{"type":"paragraph","content":[{"type":"text","text":"a","marks":[{"type":"link","attrs":{"href":"/x","title":"T"}}]}]}`},
	{"heading", `<h3>A</h3>`, `{"type":"heading","attrs":{"level":3},"content":[{"type":"text","text":"A"}]}`},
	{"old nested list", `<ol start="3"><li>a</li><ul><li>b</li></ul></ol>`, `{"type":"ordered_list","attrs":{"start":3},"content":[{"type":"list_item","content":[{"type":"paragraph","content":[{"type":"text","text":"a"}]},{"type":"bullet_list","content":[{"type":"list_item","content":[{"type":"paragraph","content":[{"type":"text","text":"b"}]}]}]}]}]}`},
	{"quotation with cite", `<blockquote class="wp-block-quote"><p>Q</p><cite>— Ann</cite></blockquote>`, `{"type":"quotation","attrs":{"speaker":"Ann"},"content":[{"type":"paragraph","content":[{"type":"text","text":"Q"}]}]}`},
	{"pull quote of WordPress", `<figure class="wp-block-pullquote"><blockquote><p>Q</p><p>R</p><cite>Ann</cite></blockquote></figure>`, `{"type":"pull_quote","attrs":{"speaker":"Ann"},"content":[{"type":"text","text":"Q"},{"type":"hard_break"},{"type":"text","text":"R"}]}`},
	{"pull quote of Ghost", `<blockquote class="kg-blockquote-alt">Q</blockquote>`, `{"type":"pull_quote","content":[{"type":"text","text":"Q"}]}`},
	{"picture", `<figure class="kg-card"><img src="/p.jpg" alt="A" width="9"><figcaption>C <em>d</em></figcaption></figure>`, `{"type":"figure","attrs":{"alt":"A","src":"/p.jpg"},"content":[{"type":"text","text":"C "},{"type":"text","text":"d","marks":[{"type":"em"}]}]}`},
	{"known picture", `<p><img src="/known.jpg"></p>`, `{"type":"figure","attrs":{"media":"m1"}}`},
	{"lazy picture", `<img src="data:image/gif;base64,R0" data-src="/p.jpg">`, `{"type":"figure","attrs":{"src":"/p.jpg"}}`},
	{"gallery of WordPress", `<figure class="wp-block-gallery"><ul class="blocks-gallery-grid"><li class="blocks-gallery-item"><figure><img src="/a.jpg"><figcaption>A</figcaption></figure></li><li><figure><img src="/b.jpg"></figure></li></ul><figcaption>Both</figcaption></figure>`, `{"type":"gallery","attrs":{"caption":"Both"},"content":[{"type":"figure","attrs":{"src":"/a.jpg"},"content":[{"type":"text","text":"A"}]},{"type":"figure","attrs":{"src":"/b.jpg"}}]}`},
	{"gallery of Ghost", `<figure class="kg-card kg-gallery-card"><div class="kg-gallery-container"><div class="kg-gallery-row"><div class="kg-gallery-image"><img src="/a.jpg"></div><div class="kg-gallery-image"><img src="/b.jpg"></div></div></div></figure>`, `{"type":"gallery","content":[{"type":"figure","attrs":{"src":"/a.jpg"}},{"type":"figure","attrs":{"src":"/b.jpg"}}]}`},
	{"frame", `<figure class="kg-card kg-embed-card"><iframe src="https://player.vimeo.com/video/12?h=1" title="F"></iframe><figcaption>C</figcaption></figure>`, `{"type":"embed","attrs":{"url":"https://vimeo.com/12","provider":"Vimeo","title":"F"},"content":[{"type":"text","text":"C"}]}`},
	{"post of another site", `<blockquote class="twitter-tweet"><p>Hi</p><a href="https://twitter.com/a/status/1">May</a></blockquote>`, `{"type":"embed","attrs":{"url":"https://twitter.com/a/status/1","provider":"X"},"content":[{"type":"text","text":"Hi May"}]}`},
	{"embed of WordPress", `<figure class="wp-block-embed"><div class="wp-block-embed__wrapper">https://youtu.be/abc</div></figure>`, `{"type":"embed","attrs":{"url":"https://youtu.be/abc","provider":"YouTube"}}`},
	{"bookmark of Ghost", `<figure class="kg-card kg-bookmark-card"><a class="kg-bookmark-container" href="https://example.org/x"><div class="kg-bookmark-content"><div class="kg-bookmark-title">T</div><div class="kg-bookmark-description">D</div><div class="kg-bookmark-metadata"><span class="kg-bookmark-author">Org</span><span class="kg-bookmark-publisher">P</span></div></div></a></figure>`, `{"type":"embed","attrs":{"url":"https://example.org/x","provider":"P","title":"T","author":"Org"},"content":[{"type":"text","text":"D"}]}`},
	{"sound of Ghost", `<div class="kg-card kg-audio-card"><div class="kg-audio-title">T</div><audio src="/a.mp3"></audio></div>`, `{"type":"file","attrs":{"kind":"audio","src":"/a.mp3","title":"T"}}`},
	{"film", `<figure class="wp-block-video"><video controls><source src="/v.mp4"></video><figcaption>C</figcaption></figure>`, `{"type":"file","attrs":{"kind":"video","src":"/v.mp4"},"content":[{"type":"text","text":"C"}]}`},
	{"file of Ghost", `<div class="kg-card kg-file-card"><a class="kg-file-card-container" href="/f.pdf"><div class="kg-file-card-title">T</div></a></div>`, `{"type":"file","attrs":{"src":"/f.pdf","title":"T"}}`},
	{"callout of Ghost", `<div class="kg-card kg-callout-card kg-callout-card-yellow"><div class="kg-callout-emoji">!</div><div class="kg-callout-text">Mind</div></div>`, `{"type":"callout","attrs":{"tone":"warning"},"content":[{"type":"paragraph","content":[{"type":"text","text":"Mind"}]}]}`},
	{"also read", `<div class="also-read" data-story="s1"></div>`, `{"type":"also_read","attrs":{"story":"s1"}}`},
	{"table", `<figure><table><tr><th colspan="2">A<tr><td rowspan="9">b<td>c</table><figcaption>T</figcaption></figure>`, `{"type":"table","attrs":{"caption":"T"},"content":[{"type":"table_row","content":[{"type":"table_header","attrs":{"colspan":2},"content":[{"type":"paragraph","content":[{"type":"text","text":"A"}]}]}]},{"type":"table_row","content":[{"type":"table_cell","content":[{"type":"paragraph","content":[{"type":"text","text":"b"}]}]},{"type":"table_cell","content":[{"type":"paragraph","content":[{"type":"text","text":"c"}]}]}]}]}`},
	{"code", "<pre><code class=\"language-go\">a\n  b &lt;\n</code></pre>", `{"type":"code_block","attrs":{"language":"go"},"content":[{"type":"text","text":"a\n  b <"}]}`},
	{"verse", "<pre class=\"wp-block-verse\">a\nb</pre>", `{"type":"paragraph","content":[{"type":"text","text":"a"},{"type":"hard_break"},{"type":"text","text":"b"}]}`},
	{"divider", `<hr class="wp-block-separator">`, `{"type":"divider"}`},
	{"wall mark", `<!--members-only-->`, `{"type":"wall_mark"}`},
	{"footnote", `<p>a<sup><a href="#n" role="doc-noteref">1</a></sup></p><section role="doc-endnotes"><ol><li id="n"><p>N <a role="doc-backlink" href="#r">↩</a></p></li></ol></section>`, `{"type":"paragraph","content":[{"type":"text","text":"a"},{"type":"footnote","content":[{"type":"text","text":"N"}]}]}`},
}

func TestFromHTML(t *testing.T) {
	for _, c := range readings {
		n, _, err := FromHTML(c.html, HTMLOptions{Picture: func(src string) (string, bool) { return "m1", src == "/known.jpg" }})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		want, err := Parse([]byte(`{"type":"doc","content":[` + c.json + `]}`))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(indented(want), indented(n)); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
		back, _, err := FromHTML(n.HTML(RenderOptions{}), HTMLOptions{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(n, back); diff != "" {
			t.Errorf("%s is not read back:\n%s", c.name, diff)
		}
	}
}

func TestEveryNodeHasAReading(t *testing.T) {
	all := ""
	for _, c := range readings {
		all += c.json
	}
	for _, name := range append(names(nodeSpecs), markOrder...) {
		if name != "doc" && !strings.Contains(all, `"type":"`+name+`"`) {
			t.Errorf("no reading has %s", name)
		}
	}
}

func TestWalkers(t *testing.T) {
	n, _, err := FromMarkdown(":::figure media=\"m1\"\nBy [a](/a) and [b](/b)\n:::\n\n:::embed url=\"https://e.example/\" thumbnail=\"m2\"\n:::\n\n- ![x](/x.png)\n- :::figure media=\"m1\"\n  :::\n")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"m1", "m2"}, n.Media()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"/a", "/b", "https://e.example/", "/x.png"}, n.Links()); diff != "" {
		t.Error(diff)
	}
}
