package doc

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// attacks are the well-known cases of the OWASP XSS filter evasion cheat
// sheet, of html5sec.org and of mutation XSS.
var attacks = []string{
	`<SCRIPT SRC=https://xss.rocks/xss.js></SCRIPT>`,
	`javascript:/*--></title></style></textarea></script></xmp><svg/onload='+/"` + "`" + `/+/onmouseover=1/+/[*/[]/+alert(42);//'>`,
	`<IMG SRC="javascript:alert('XSS');">`,
	`<IMG SRC=javascript:alert('XSS')>`,
	`<IMG SRC=JaVaScRiPt:alert('XSS')>`,
	`<IMG SRC=javascript:alert(&quot;XSS&quot;)>`,
	"<IMG SRC=`javascript:alert(\"RSnake says, 'XSS'\")`>",
	`\<a onmouseover="alert(document.cookie)"\>xxs link\</a\>`,
	`<a onmouseover=alert(document.cookie)>xxs link</a>`,
	`<IMG """><SCRIPT>alert("XSS")</SCRIPT>"\>`,
	`<IMG SRC=javascript:alert(String.fromCharCode(88,83,83))>`,
	`<IMG SRC=# onmouseover="alert('xxs')">`,
	`<IMG SRC= onmouseover="alert('xxs')">`,
	`<IMG onmouseover="alert('xxs')">`,
	`<IMG SRC=/ onerror="alert(String.fromCharCode(88,83,83))"></img>`,
	`<img src=x onerror="&#0000106&#0000097&#0000118&#0000097&#0000115&#0000099&#0000114&#0000105&#0000112&#0000116&#0000058&#0000097&#0000108&#0000101&#0000114&#0000116&#0000040&#0000039&#0000088&#0000083&#0000083&#0000039&#0000041">`,
	`<a href=&#106;&#97;&#118;&#97;&#115;&#99;&#114;&#105;&#112;&#116;&#58;&#97;&#108;&#101;&#114;&#116;&#40;&#39;&#88;&#83;&#83;&#39;&#41;>Click</a>`,
	`<a href=&#0000106&#0000097&#0000118&#0000097&#0000115&#0000099&#0000114&#0000105&#0000112&#0000116&#0000058&#0000097&#0000108&#0000101&#0000114&#0000116&#0000040&#0000039&#0000088&#0000083&#0000083&#0000039&#0000041>Click</a>`,
	`<a href=&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74&#x3A&#x61&#x6C&#x65&#x72&#x74&#x28&#x27&#x58&#x53&#x53&#x27&#x29>Click</a>`,
	"<a href=\"jav\tascript:alert('XSS');\">Click</a>",
	`<a href="jav&#x09;ascript:alert('XSS');">Click</a>`,
	`<a href="jav&#x0A;ascript:alert('XSS');">Click</a>`,
	`<a href="jav&#x0D;ascript:alert('XSS');">Click</a>`,
	"<IMG SRC=java\x00script:alert(\"XSS\")>",
	`<a href=" &#14;  javascript:alert('XSS');">Click</a>`,
	`<SCRIPT/XSS SRC="http://xss.rocks/xss.js"></SCRIPT>`,
	"<BODY onload!#$%&()*~+-_.,:;?@[/|\\]^`=alert(\"XSS\")>",
	`<SCRIPT/SRC="http://xss.rocks/xss.js"></SCRIPT>`,
	`<<SCRIPT>alert("XSS");//\<</SCRIPT>`,
	`<SCRIPT SRC=http://xss.rocks/xss.js?< B >`,
	`<SCRIPT SRC=//xss.rocks/.j>`,
	`<IMG SRC="('XSS')"`,
	`<iframe src=http://xss.rocks/scriptlet.html <`,
	`</script><script>alert('XSS');</script>`,
	`</TITLE><SCRIPT>alert("XSS");</SCRIPT>`,
	`<INPUT TYPE="IMAGE" SRC="javascript:alert('XSS');">`,
	`<BODY BACKGROUND="javascript:alert('XSS')">`,
	`<IMG DYNSRC="javascript:alert('XSS')">`,
	`<IMG LOWSRC="javascript:alert('XSS')">`,
	`<STYLE>li {list-style-image: url("javascript:alert('XSS')");}</STYLE><UL><LI>XSS</br>`,
	`<IMG SRC='vbscript:msgbox("XSS")'>`,
	`<IMG SRC="livescript:[code]">`,
	`<svg/onload=alert('XSS')>`,
	`Set.constructor` + "`alert\\x28document.domain\\x29`",
	`<BODY ONLOAD=alert('XSS')>`,
	`<img onerror=alert(1) src="data:image/gif;base64,R0lGOD">`,
	`<BGSOUND SRC="javascript:alert('XSS');">`,
	`<BR SIZE="&{alert('XSS')}">`,
	`<LINK REL="stylesheet" HREF="javascript:alert('XSS');">`,
	`<LINK REL="stylesheet" HREF="http://xss.rocks/xss.css">`,
	`<STYLE>@import'http://xss.rocks/xss.css';</STYLE>`,
	`<META HTTP-EQUIV="Link" Content="<http://xss.rocks/xss.css>; REL=stylesheet">`,
	`<STYLE>BODY{-moz-binding:url("http://xss.rocks/xssmoz.xml#xss")}</STYLE>`,
	`<STYLE>@im\port'\ja\vasc\ript:alert("XSS")';</STYLE>`,
	`<IMG STYLE="xss:expr/*XSS*/ession(alert('XSS'))">`,
	`<XSS STYLE="behavior: url(xss.htc);">`,
	`<XSS STYLE="xss:expression(alert('XSS'))">`,
	`<META HTTP-EQUIV="refresh" CONTENT="0;url=javascript:alert('XSS');">`,
	`<META HTTP-EQUIV="refresh" CONTENT="0;url=data:text/html base64,PHNjcmlwdD5hbGVydCgnWFNTJyk8L3NjcmlwdD4K">`,
	`<IFRAME SRC="javascript:alert('XSS');"></IFRAME>`,
	`<IFRAME SRC=# onmouseover="alert(document.cookie)"></IFRAME>`,
	`<FRAMESET><FRAME SRC="javascript:alert('XSS');"></FRAMESET>`,
	`<TABLE BACKGROUND="javascript:alert('XSS')"><TR><TD BACKGROUND="javascript:alert('XSS')">x</TABLE>`,
	`<DIV STYLE="background-image: url(javascript:alert('XSS'))">x</DIV>`,
	`<DIV STYLE="width: expression(alert('XSS'));">x</DIV>`,
	`<!--[if gte IE 4]><SCRIPT>alert('XSS');</SCRIPT><![endif]-->`,
	`<BASE HREF="javascript:alert('XSS');//">`,
	`<OBJECT TYPE="text/x-scriptlet" DATA="http://xss.rocks/scriptlet.html"></OBJECT>`,
	`<EMBED SRC="data:image/svg+xml;base64,PHN2ZyB4bWxuczpzdmc9Imh0dHA6Ly93d3cudzMub3JnLzIwMDAvc3ZnIj4=" type="image/svg+xml" AllowScriptAccess="always"></EMBED>`,
	`<XML ID=I><X><C><![CDATA[<IMG SRC="javas]]><![CDATA[cript:alert('XSS');">]]></C></X></xml><SPAN DATASRC=#I DATAFLD=C DATAFORMATAS=HTML></SPAN>`,
	`<? echo('<SCR)'; echo('IPT>alert("XSS")</SCRIPT>'); ?>`,
	`<SCRIPT a=">" SRC="httx://xss.rocks/xss.js"></SCRIPT>`,
	`<SCRIPT>document.write("<SCRI");</SCRIPT>PT SRC="httx://xss.rocks/xss.js"></SCRIPT>`,
	`<A HREF="javascript:document.location='http://www.google.com/'">XSS</A>`,
	`<a href="data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==">x</a>`,
	`<form><button formaction="javascript:alert(1)">X</button></form>`,
	`<form id="test"></form><button form="test" formaction="javascript:alert(1)">X</button>`,
	`<video poster=javascript:alert(1)//></video>`,
	`<video><source onerror="alert(1)"></video>`,
	`<audio src=x onerror=alert(1)>`,
	`<math><mi//xlink:href="data:x,<script>alert(4)</script>">`,
	`<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">`,
	`<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">`,
	`<noscript><p title="</noscript><img src=x onerror=alert(1)>">`,
	`<listing>&lt;img onerror="alert(1);" src=x&gt;</listing>`,
	`<xmp><img alt="</xmp><img src=x onerror=alert(1)//">`,
	`<textarea><img title="</textarea><img src onerror=alert(1)>"></textarea>`,
	`<select><style></select><img src=x onerror=alert(1)>`,
	`<template><script>alert(1)</script></template>`,
	`<details open ontoggle=alert(1)><summary>x</summary></details>`,
	`<marquee onstart=alert(1)>x</marquee>`,
	`<isindex action=javascript:alert(1) type=image>`,
	`<a href="//evil.example/%0ajavascript:alert(1)">x</a>`,
	`<a href="\\evil.example\x">x</a>`,
	`<a href="feed:javascript:alert(1)">x</a>`,
	`<a href="view-source:javascript:alert(1)">x</a>`,
	`<plaintext><script>alert(1)</script>`,
	`<img src="x` + "`" + ` ` + "`" + `<script>alert(1)</script>"` + "`" + ` ` + "`" + `>`,
	`<figure class="embed" data-src="javascript:alert(1)"><a href="javascript:alert(1)">x</a></figure>`,
	`<figure class="picture" data-media='"><script>alert(1)</script>' data-src="javascript:alert(1)"><img src=javascript:alert(1)></figure>`,
	`<div class="also-read" data-story="&quot; onload=alert(1)" data-url="javascript:alert(1)">x</div>`,
	`<div class="callout" data-tone='"><script>alert(1)</script>'>x</div>`,
	`<blockquote data-speaker='"><script>alert(1)</script>' data-outlet="' onclick=alert(1)">x</blockquote>`,
	`<pre><code class='language-"><script>alert(1)</script>'>x</code></pre>`,
	`<p id='"><script>alert(1)</script>' dir="javascript:alert(1)" lang='"><img src=x onerror=alert(1)>'>x</p>`,
	`<ol start="1 onclick=alert(1)"><li value="javascript:x">x</ol>`,
	`<td colspan="2&quot; onload=alert(1)">x`,
	`<sup><a role="doc-noteref" href="#x">1</a></sup><section role="doc-endnotes"><ol><li id="x"><script>alert(1)</script><img src=x onerror=alert(1)>n</ol></section>`,
	"<a href='java\u2028script:alert(1)'>x</a>",
	"<a href='\u200bjavascript:alert(1)'>x</a>",
	`<a href="https:javascript:alert(1)">x</a>`,
}

func TestAttacksAreInert(t *testing.T) {
	if len(attacks) < 60 {
		t.Fatalf("%d attacks only", len(attacks))
	}
	for _, a := range attacks {
		for _, src := range []string{a, "<p>before " + a + " after</p>", "<ul><li>" + a + "<table><tr><td>" + a, `<p title="` + a + `">x</p>`} {
			n, _, err := FromHTML(src, HTMLOptions{})
			if err != nil {
				t.Errorf("%s: %v", src, err)
				continue
			}
			for _, o := range []RenderOptions{{}, fullOptions(), {Feed: true, Base: "https://example.com/"}} {
				if bad := harm(n.HTML(o)); bad != "" {
					t.Errorf("%s\nkeeps %s\nin %s", src, bad, n.HTML(o))
				}
			}
			m, _, err := FromMarkdown(n.Markdown())
			if err != nil || indented(m) != indented(n) {
				t.Errorf("%s: Markdown is not read back (%v)", src, err)
			}
		}
		n, _, err := FromMarkdown(a)
		if err != nil {
			t.Errorf("%s: %v", a, err)
		} else if bad := harm(n.HTML(RenderOptions{})); bad != "" {
			t.Errorf("Markdown %s\nkeeps %s", a, bad)
		}
	}
}

// A document that was built in Go and never checked is rendered safely too.
func TestUncheckedDocumentIsInert(t *testing.T) {
	evil := `"><script>alert(1)</script>`
	for typ, spec := range nodeSpecs {
		n := &Node{Type: typ, Text: evil, Attrs: map[string]any{}, Content: []*Node{{Type: "text", Text: evil,
			Marks: []Mark{{Type: "link", Attrs: map[string]any{"href": "javascript:alert(1)", "title": evil}}, {Type: "lang", Attrs: map[string]any{"lang": evil, "dir": evil}}, {Type: evil}}}}}
		for k := range spec.attrs {
			n.Attrs[k] = evil
		}
		for _, o := range []RenderOptions{{}, fullOptions(), {Feed: true}} {
			if bad := harm((&Node{Type: "doc", Content: []*Node{n}}).HTML(o)); bad != "" {
				t.Errorf("%s keeps %s", typ, bad)
			}
		}
	}
}

var badScheme = regexp.MustCompile(`(?i)^\s*(javascript|vbscript|data|livescript|feed|view-source):`)

// harm parses HTML as a browser would and returns what could run or call a
// third party, "" for nothing.
func harm(src string) string {
	for _, context := range []string{"body", "div"} {
		nodes, err := html.ParseFragment(strings.NewReader(src), &html.Node{Type: html.ElementNode, Data: context, DataAtom: atom.Lookup([]byte(context))})
		if err != nil {
			return err.Error()
		}
		root := &html.Node{Type: html.ElementNode, Data: "root"}
		for _, n := range nodes {
			root.AppendChild(n)
		}
		for n := range root.Descendants() {
			if n.Type == html.CommentNode {
				return "a comment"
			}
			if n.Type != html.ElementNode {
				continue
			}
			switch n.Data {
			case "script", "style", "iframe", "object", "embed", "svg", "math", "link", "meta", "base", "form", "input",
				"button", "template", "noscript", "frame", "xml", "xmp", "plaintext", "textarea", "select":
				return "<" + n.Data + ">"
			}
			for _, a := range n.Attr {
				switch {
				case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "formaction", a.Key == "srcdoc", a.Key == "background":
					return a.Key
				case a.Key == "href", a.Key == "src", a.Key == "poster", a.Key == "data-src", a.Key == "data-url":
					if badScheme.MatchString(a.Val) {
						return a.Key + "=" + a.Val
					}
					if (a.Key == "src" || a.Key == "poster") && external(a.Val, "https://example.com/") {
						return "a third party: " + a.Val
					}
				}
			}
		}
	}
	return ""
}

func FuzzFromHTML(f *testing.F) {
	for _, a := range attacks {
		f.Add(a)
	}
	for _, c := range readings {
		f.Add(c.html)
	}
	f.Fuzz(func(t *testing.T, src string) {
		n, _, err := FromHTML(src, HTMLOptions{})
		if err != nil {
			return
		}
		out := n.HTML(RenderOptions{})
		if bad := harm(out); bad != "" {
			t.Fatalf("%q keeps %s in %s", src, bad, out)
		}
		again, _, err := FromHTML(out, HTMLOptions{})
		if err != nil {
			t.Fatalf("%q: own HTML is refused: %v", src, err)
		}
		if a, b := indented(n), indented(again); a != b {
			t.Fatalf("%q is no fixed point:\n%s\n%s", src, a, b)
		}
		if _, err := Parse(n.JSON()); err != nil {
			t.Fatalf("%q: own JSON is refused: %v", src, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"type":"doc","content":[{"type":"paragraph","content":[{"type":"text","text":"a"}]}]}`))
	f.Add([]byte(`{"type":"doc","content":[{"type":"embed","attrs":{"url":"https://a.b/ c"}}]}`))
	f.Add([]byte(`[[[[`))
	for seed := range uint64(20) {
		f.Add(maker{rand.New(rand.NewPCG(seed, 5))}.doc().JSON())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := Parse(data)
		if err != nil {
			return
		}
		again, err := Parse(n.JSON())
		if err != nil {
			t.Fatalf("own JSON is refused: %v", err)
		}
		if string(again.JSON()) != string(n.JSON()) {
			t.Fatalf("not canonical:\n%s\n%s", n.JSON(), again.JSON())
		}
		if bad := harm(n.HTML(RenderOptions{})); bad != "" {
			t.Fatalf("keeps %s", bad)
		}
		back, _, err := FromHTML(n.HTML(RenderOptions{}), HTMLOptions{})
		if err != nil || indented(back) != indented(n) {
			t.Fatalf("HTML is not read back (%v):\n%s\n%s", err, indented(n), indented(back))
		}
		preview, rest := n.Split(Limit{Paragraphs: 2, Words: 50})
		if Check(preview) != nil || Check(rest) != nil {
			t.Fatal("a part of the split is no document")
		}
	})
}
