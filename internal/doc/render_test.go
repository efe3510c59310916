package doc

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHTML(t *testing.T) {
	o := fullOptions()
	o.HeadingShift, o.IDPrefix, o.Labels = 0, "", Labels{}
	for _, c := range []struct{ name, md, want string }{
		{"paragraphs have anchors", "A\n\n> B\n\nC", "<p id=\"p1\">A</p>\n<blockquote>\n<p>B</p>\n</blockquote>\n<p id=\"p2\">C</p>\n"},
		{"links", "[own](https://example.com/x) [other](https://other.example/) [mail](mailto:a@b.c)",
			"<p id=\"p1\"><a href=\"https://example.com/x\">own</a> <a href=\"https://other.example/\" rel=\"noopener\">other</a> <a href=\"mailto:a@b.c\">mail</a></p>\n"},
		{"picture", ":::figure media=\"m1\" alt=\"A \\\" b\"\nSeen *here*\n:::",
			`<figure class="picture" data-media="m1" data-credit=""><img src="/media/m1.webp" srcset="/media/a.webp 480w, /media/b.webp 960w" sizes="100vw" width="960" height="640" alt="A \" loading="lazy" decoding="async"><figcaption>Seen <em>here</em> <span class="credit">House</span></figcaption></figure>` + "\n"},
		{"a foreign picture is a link", "![Alt](https://other.example/p.png)",
			`<figure class="picture" data-src="https://other.example/p.png" data-alt="Alt"><a rel="noopener nofollow" href="https://other.example/p.png">Alt</a><figcaption><span class="credit"></span></figcaption></figure>` + "\n"},
		{"embed", ":::embed url=\"https://www.youtube.com/watch?v=a&amp;t=1\" provider=\"YouTube\" title=\"A film\"\n:::",
			`<figure class="embed" data-src="https://www.youtube.com/watch?v=a&amp;t=1" data-provider="YouTube" data-title="A film"><a rel="noopener nofollow" href="https://www.youtube.com/watch?v=a&amp;t=1"><span class="embed-title">A film</span> <span class="embed-load">Load from YouTube</span></a></figure>` + "\n"},
		{"also read", ":::also-read story:s1",
			`<div class="also-read" data-story="s1"><p class="also-read-label">Also read</p><p><a href="/x/"><span class="kicker">Kick</span> Head &amp; line</a></p></div>` + "\n"},
		{"footnotes", "A[^1].\n\n[^1]: *Note*.",
			"<p id=\"p1\">A<sup class=\"footnote-ref\"><a href=\"#fn1\" id=\"fnref1\" role=\"doc-noteref\">1</a></sup>.</p>\n<section class=\"footnotes\" role=\"doc-endnotes\"><h2>Footnotes</h2><ol>\n<li id=\"fn1\"><em>Note</em>. <a href=\"#fnref1\" role=\"doc-backlink\" aria-label=\"Back to text 1\">↩</a></li>\n</ol></section>\n"},
		{"callout", ":::callout warning\nMind the gap.\n:::", "<div class=\"callout callout-warning\" role=\"note\" data-tone=\"warning\">\n<p>Mind the gap.</p>\n</div>\n"},
		{"code", "```go\na < b\n\n```", "<pre><code class=\"language-go\">a &lt; b</code></pre>\n"},
		{"wall mark", "A\n\n<!--more-->\n\nB", "<p id=\"p1\">A</p>\n<hr class=\"wall-mark\" hidden>\n<p id=\"p2\">B</p>\n"},
		{"table", "| A | B |\n| --- | --- |\n| 1 | 2 |", "<div class=\"table\" tabindex=\"0\"><table>\n<thead>\n<tr><th scope=\"col\">A</th><th scope=\"col\">B</th></tr>\n</thead>\n<tbody>\n<tr><td>1</td><td>2</td></tr>\n</tbody></table></div>\n"},
		{"insertion", `He saw <span class="insertion">[the minister]</span>.`, "<p id=\"p1\">He saw <span class=\"insertion\">[the minister]</span>.</p>\n"},
		{"quotation", ":::quote speaker=\"A. B.\" outlet=\"C\"\nYes.\n:::", "<figure class=\"quotation\"><blockquote data-speaker=\"A. B.\" data-outlet=\"C\">\n<p>Yes.</p>\n</blockquote><figcaption><span class=\"speaker\">A. B.</span>, <span class=\"outlet\">C</span></figcaption></figure>\n"},
	} {
		n, _, err := FromMarkdown(c.md)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Replace(c.want, `<figcaption><span class="credit"></span></figcaption>`, "", 1)
		if diff := cmp.Diff(want, n.HTML(o)); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
}

func TestFeedHTML(t *testing.T) {
	n, _, err := FromMarkdown("[a](/b) and[^1]\n\n:::wall\n\n:::embed url=\"https://x.example/v\" title=\"V\"\n:::\n\n:::figure media=\"m\"\n:::\n\n:::also-read story:gone\n\n[^1]: N")
	if err != nil {
		t.Fatal(err)
	}
	o := fullOptions()
	o.Feed, o.ParagraphIDs, o.Story = true, false, nil
	got := n.HTML(o)
	for _, want := range []string{`<a href="https://example.com/b">a</a>`, `src="https://example.com/media/m.webp"`, `href="https://x.example/v"`} {
		if !strings.Contains(got, want) {
			t.Errorf("the feed lacks %s:\n%s", want, got)
		}
	}
	for _, not := range []string{"data-", "wall-mark", "tabindex", "embed-load", "also-read"} {
		if strings.Contains(got, not) {
			t.Errorf("the feed has %s:\n%s", not, got)
		}
	}
}

// Common blocks must be written as Markdown, not as HTML.
func TestMarkdownIsMarkdown(t *testing.T) {
	for _, md := range []string{
		"Plain **bold** and *soft*, a [link](https://example.com/), `code`.\\\nNext line.[^1] And so.[^2]\n\n[^1]: One.\n\n[^2]: Two *soft* words.\n",
		"## A heading\n\n### And one\n\n- a\n- b\n\n<!-- -->\n\n- c\n\n3. x\n\n4. y\n\n   - z\n",
		"> Said.\n>\n> Twice.\n\n***\n\n```go\nx := `a`\n\n:::wall\n```\n",
		"| A | B |\n| --- | --- |\n| 1 | 2 |\n",
		":::callout warning\nMind *it*.\n\n- a\n- b\n:::\n\n:::wall\n\n:::also-read https://example.com/a Some title\n\n:::also-read story:0190-ab\n",
		":::pull-quote speaker=\"A &#34;B&#34;\" outlet=\"C\"\nWell.\n:::\n\n:::quote speaker=\"D\"\nIndeed.\n:::\n",
		":::figure media=\"m1\" alt=\"A\" credit=\"B\"\nCaption *soft*.\n:::\n\n![Alt](</a b.png>)\n",
		":::gallery caption=\"Two\"\n:::figure media=\"m1\"\nOne\n:::\n\n:::figure src=\"/a.png\"\n:::\n:::\n",
		":::embed url=\"https://example.com/v\" provider=\"P\" title=\"T\"\nCaption\n:::\n\n:::file kind=\"audio\" media=\"m2\" title=\"T\"\n:::\n",
		"- a\n\n  > b\n\n  :::callout\n  c\n  :::\n\n- d\n",
	} {
		n, changes, err := FromMarkdown(md)
		if err != nil {
			t.Fatal(err)
		}
		if len(changes) > 0 {
			t.Errorf("%s\nchanges %v", md, changes)
		}
		want := strings.ReplaceAll(md, "</a b.png>", "</a%20b.png>")
		if diff := cmp.Diff(want, n.Markdown()); diff != "" {
			t.Errorf("%s\n%s", n.JSON(), diff)
		}
	}
}

func TestUnknownDirectives(t *testing.T) {
	n, changes, err := FromMarkdown("a\n\n:::blink\n\n:::\n\n:::callout\nb")
	if err != nil {
		t.Fatal(err)
	}
	if len(changes) != 3 {
		t.Errorf("changes %v", changes)
	}
	if got := n.PlainText(); got != "a\n\n:::blink\n\nb" {
		t.Errorf("text %q", got)
	}
}

func TestFromHTMLNamesChanges(t *testing.T) {
	for _, c := range []struct{ html, text, change string }{
		{`<p>a<script>x</script></p>`, "a", "script"},
		{`<p onclick="x">a</p>`, "a", "onclick"},
		{`<p style="color:red">a</p>`, "a", "style attribute"},
		{`<a href="javascript:x">a</a>`, "a", "link javascript:x"},
		{`<blink>a</blink>`, "a", "blink"},
		{`<h1>a</h1>`, "a", "h1"},
		{`<iframe src="https://www.youtube.com/embed/abc_-1"></iframe>`, "https://www.youtube.com/watch?v=abc_-1", "iframe https://www.youtube.com/watch?v=abc_-1"},
		{`<iframe src="javascript:x"></iframe><p>a</p>`, "a", "iframe javascript:x"},
		{`<p>a</p><!-- secret --><!--nextpage-->`, "a", "comment"},
		{`<a href="/big.jpg"><img src="/s.jpg" alt="b"></a>`, "", "link https://example.com/big.jpg"},
		{`<img src="data:image/png;base64,AAAA" alt="b"><p>a</p>`, "a", "source data:image/png;base64,AAAA"},
		{`<ul><li>a<!--more-->b</li></ul>`, "• a\nb", "wall mark"},
		{`<p>z</p><figure><img src="/a"><figcaption>a<!--more--><img src="/b">b</figcaption></figure>`, "z\n\na b", "wall mark"},
		{strings.Repeat("<div>", 600) + "a<p>b", "a b", "markup"},
		{`<section role="doc-endnotes"><ol><li id="x">n</li></ol></section>`, "n", "footnote x"},
	} {
		n, changes, err := FromHTML(c.html, HTMLOptions{Base: "https://example.com/"})
		if err != nil {
			t.Errorf("%s: %v", clip(c.html, 80), err)
			continue
		}
		named := c.change == ""
		for _, ch := range changes {
			named = named || ch.What == c.change && ch.Why != "" && ch.Count == 1
		}
		if !named {
			t.Errorf("%s: changes %v do not name %q", clip(c.html, 80), changes, c.change)
		}
		if got := n.PlainText(); got != c.text {
			t.Errorf("%s: text %q, want %q", clip(c.html, 80), got, c.text)
		}
	}
}
