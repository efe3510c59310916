package main

import (
	"html/template"

	"masthead/internal/doc"
	"masthead/internal/language"
	"masthead/internal/site"
)

// sink is a body with everything that can stand in one.
const sink = `<p>A paragraph with <em>emphasis</em>, <strong>weight</strong>, a <a href="https://example.org/">link</a>, <code>code</code>, an ordinal<sup>th</sup>, H<sub>2</sub>O, <s>a strike</s> and the figures 1,234,567 of 1977<span class="footnote">The first note, with a word to say.</span>.</p>
<h2>A heading of the second level that is long enough to run over a line on a phone</h2>
<p>Text under it, which goes on for a line or two so that the distance between the two can be judged by whoever looks.</p>
<h3>A heading of the third level</h3>
<p>Text under it.</p><h4>A heading of the fourth level</h4><p>Text under it.</p>
<ul><li>one thing</li><li>another thing, with a longer sentence that will have to be broken over two lines at least on a phone</li><li>a list within<ul><li>a deeper thing</li></ul></li></ul>
<ol start="3"><li>the third</li><li>the fourth</li></ol>
<blockquote data-speaker="Hedda Lonnquar" data-outlet="Olvenna Leaf"><p>We signed the treaty that made this court, and we do not choose among its sentences.</p></blockquote>
<figure class="pull-quote"><blockquote><p>But a gate is a machine. It cannot be opened by a comma.</p></blockquote><figcaption><span class="speaker">Hedda Lonnquar</span>, <span class="outlet">to reporters</span></figcaption></figure>
<figure class="picture"><img src="/draw/harbour/4/900x600.png" alt="A harbour"><figcaption>The harbour in the morning. <span class="credit">Drawing: Lucien Arquet</span></figcaption></figure>
<figure class="gallery"><figure class="picture"><img src="/draw/ferry/1/900x600.png" alt="A ferry"><figcaption>The ferry</figcaption></figure><figure class="picture"><img src="/draw/wind/2/900x600.png" alt="Wind"><figcaption>The wind</figcaption></figure><figure class="picture"><img src="/draw/steppe/3/900x600.png" alt="Steppe"></figure><figcaption>Three views of the shore</figcaption></figure>
<figure class="embed" data-src="https://www.youtube.com/watch?v=abcdefghijk" data-provider="YouTube" data-title="The flood of 1977, seen from the air" data-author="Velda Archive"></figure>
<div class="also-read" data-url="/en/story-open" data-title="Grain barges turn round for want of forty centimetres"></div>
<div class="callout callout-warning" data-tone="warning"><p><strong>What the court decided.</strong> These are provisional measures: they hold until the judges decide the whole case.</p></div>
<table><caption>Flow at Marl Gate, cubic metres a second</caption><tr><th>Year</th><th>Ordered</th><th>Let through</th></tr><tr><td>2024</td><td>140</td><td>95</td></tr><tr><td>2025</td><td>140</td><td>112</td></tr></table>
<pre><code class="language-go">func main() { fmt.Println("a long line of a program that does not fit on a phone and so has to scroll") }</code></pre>
<hr><p>The last paragraph<span class="footnote">The second note.</span>.</p>`

func (r *room) sink(lang string, p site.StoryPage) site.StoryPage {
	n, _, err := doc.FromHTML(sink, doc.HTMLOptions{})
	if err != nil {
		panic(err)
	}
	p.Body = template.HTML(n.HTML(doc.RenderOptions{ParagraphIDs: true, Labels: site.Labels(language.Get(lang))}))
	p.Embeds = []string{"https://www.youtube-nocookie.com"}
	return p
}
