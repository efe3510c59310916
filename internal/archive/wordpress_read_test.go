package archive

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"masthead/internal/db/dbtest"
	"masthead/internal/fault"
)

// wxrOf writes an export with these children of the channel.
func wxrOf(pieces ...string) string {
	return `<?xml version="1.0" encoding="UTF-8" ?>
<!-- generator="WordPress/6.6" created="2026-11-01 10:00" -->
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.2/">
<channel><title>Old</title><link>https://old.example</link><language>en-US</language><wp:wxr_version>1.2</wp:wxr_version><wp:base_blog_url>https://old.example</wp:base_blog_url>
` + strings.Join(pieces, "\n") + "\n</channel>\n</rss>\n"
}

// postOf writes a post; fields are pairs of element and text, over the usual ones.
func postOf(id string, fields ...string) string {
	all := [][2]string{{"title", "Story " + id}, {"link", "https://old.example/2020/03/story-" + id + "/"}, {"dc:creator", "ana"},
		{"content:encoded", "<p>Words of " + id + ".</p>"}, {"excerpt:encoded", ""}, {"wp:post_id", id}, {"wp:post_date", "2020-03-04 06:06:06"}, {"wp:post_date_gmt", "2020-03-04 05:06:06"},
		{"wp:post_name", "story-" + id}, {"wp:status", "publish"}, {"wp:post_type", "post"}, {"wp:post_password", ""}, {"wp:is_sticky", "0"}, {"", ""}}
	for i := 0; i+1 < len(fields); i += 2 {
		set := false
		for j := range all {
			if all[j][0] == fields[i] {
				all[j][1], set = fields[i+1], true
			}
		}
		if !set {
			all = append(all, [2]string{fields[i], fields[i+1]})
		}
	}
	var b strings.Builder
	b.WriteString("<item>")
	for _, f := range all {
		if f[0] == "" {
			b.WriteString(f[1]) // raw XML
		} else {
			b.WriteString("<" + f[0] + "><![CDATA[" + f[1] + "]]></" + f[0] + ">\n")
		}
	}
	b.WriteString("</item>")
	return b.String()
}

// metaOf writes custom fields.
func metaOf(pairs ...string) string {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		b.WriteString("<wp:postmeta><wp:meta_key>" + pairs[i] + "</wp:meta_key><wp:meta_value><![CDATA[" + pairs[i+1] + "]]></wp:meta_value></wp:postmeta>")
	}
	return b.String()
}

const anAuthor = `<wp:author><wp:author_id>1</wp:author_id><wp:author_login>ana</wp:author_login><wp:author_email>ana@old.example</wp:author_email><wp:author_display_name><![CDATA[Ana Ribeiro]]></wp:author_display_name></wp:author>`

func TestWordPressBrokenFiles(t *testing.T) {
	good := wxrOf(anAuthor, postOf("1"))
	for _, c := range []struct{ name, in, message, hint string }{
		{"empty", "", "the file is empty", "export it again"},
		{"JSON", `{"db":[]}`, "not an export of WordPress", "masthead import ghost"},
		{"HTML", "<!DOCTYPE html><html><body>Sign in</body></html>", "document type", "export the content again"},
		{"other XML", "<feed><entry/></feed>", "not an export of WordPress", "Tools, Export"},
		{"a feed", `<rss><channel><title>x</title><item><title>y</title></item></channel></rss>`, "a feed, not an export", "Tools, Export"},
		{"a feed of nothing", `<rss><channel><title>x</title></channel></rss>`, "not an export of WordPress", "Tools, Export"},
		{"words", "hello", "not an export of WordPress", "Tools, Export"},
		{"cut off in words", good[:strings.Index(good, "Words of")+3], "the file is cut off", "export it again"},
		{"cut off in a tag", good[:strings.Index(good, "wp:post_type")+3], "the file is cut off", "export it again"},
		{"cut off between", good[:strings.Index(good, "<item>")], "the file is cut off", "export it again"},
		{"entity bomb", `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>` + good[strings.Index(good, "<rss"):], "declares a document type", "attacks"},
		{"entity bomb within", strings.Replace(good, "<item>", `<!DOCTYPE x SYSTEM "file:///etc/passwd"><item>`, 1), "declares a document type", "attacks"},
		{"tags that do not match", strings.Replace(good, "</item>", "</itme>", 1), "</itme> closes nothing", "do not edit"},
		{"nested too deep", wxrOf(strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100)), "not well-formed", "do not edit"},
		{"a tag without end", wxrOf("<a " + strings.Repeat("x", 70<<10)), "a tag does not end", "do not edit"},
		{"not UTF-8", strings.Replace(good, "Words", "W\xf6rds", 1), "not written in UTF-8", "iconv"},
		{"unknown encoding", strings.Replace(good, "UTF-8", "KLINGON-7", 1), "encoding that is not known", "iconv"},
		{"no site", `<rss><channel><wp:wxr_version>1.2</wp:wxr_version></channel></rss>`, "does not say which site", "export it again"},
		{"compressed", "PK\x03\x04abc", "compressed", "unpack"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := dbtest.SQLite(t)
			r, err := newImporter(t, d).ImportWordPress(context.Background(), write(t, "e.xml", c.in), WordPressOptions{})
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.message) || !strings.Contains(fault.Hint(err), c.hint) {
				t.Errorf("got %v (%s), want %q (%s)", err, fault.Hint(err), c.message, c.hint)
			}
			if r.Stories > 0 || rows(t, d, "story") > 0 || rows(t, d, "author") > 0 {
				t.Error("something of a broken file was written")
			}
		})
	}
	if _, err := newImporter(t, dbtest.SQLite(t)).ImportWordPress(context.Background(), "/no/such/file.xml", WordPressOptions{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("an absent file gives %v", err)
	}
}

func TestWordPressEncodings(t *testing.T) {
	plain := wxrOf(anAuthor, postOf("1", "title", "Größe – “naïve” café", "content:encoded", "<p>Crème brûlée €</p>"))
	as := func(name string) string { return strings.Replace(plain, "UTF-8", name, 1) }
	encode := func(s string, b []byte, err error) string {
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		return string(b)
	}
	b, err := charmap.Windows1252.NewEncoder().Bytes([]byte(as("Windows-1252")))
	cp1252 := encode("1252", b, err)
	b, err = charmap.Windows1252.NewEncoder().Bytes([]byte(as("ISO-8859-1"))) // as the web means it
	latin := encode("latin1", b, err)
	b, err = unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewEncoder().Bytes([]byte(as("UTF-16")))
	utf16 := encode("utf16", b, err)
	b, err = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewEncoder().Bytes([]byte(as("UTF-16BE")))
	utf16be := encode("utf16be", b, err)
	for _, c := range []struct{ name, in, note string }{
		{"UTF-8", plain, ""}, {"with its mark", "\xef\xbb\xbf" + plain, ""}, {"none declared", strings.Replace(plain, ` encoding="UTF-8"`, "", 1), ""},
		{"Windows-1252", cp1252, ""}, {"Latin-1", latin, ""}, {"UTF-16", utf16, ""}, {"UTF-16 without mark", utf16be, ""},
		{"declared wrongly", as("ISO-8859-1"), "is in UTF-8"}, {"declared as UTF-16", as("UTF-16"), "is in UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			im := newImporter(t, dbtest.SQLite(t))
			r, err := im.ImportWordPress(context.Background(), write(t, "e.xml", c.in), WordPressOptions{})
			if err != nil {
				t.Fatal(err)
			}
			e := found(t, im, "wordpress:old.example:1")
			if e.Headline != "Größe – “naïve” café" || e.Body.PlainText() != "Crème brûlée €" {
				t.Errorf("got %q, %q", e.Headline, e.Body.PlainText())
			}
			if said(r.Left, "wordpress:encoding", c.note) != (c.note != "") {
				t.Errorf("left behind: %v", r.Left)
			}
		})
	}
}

func TestWordPressOddText(t *testing.T) {
	im := newImporter(t, dbtest.SQLite(t))
	r, err := im.ImportWordPress(context.Background(), write(t, "e.xml", wxrOf(anAuthor,
		postOf("1", "content:encoded", "<p>a\x08b\x0bc\uFFFEd]]]]><![CDATA[>e</p>"),
		`<item><title>A &amp; B &nbsp;&#8; &#x26; &unknown;</title><wp:post_id>2</wp:post_id><wp:post_type>post</wp:post_type><wp:status>draft</wp:status></item>`,
		`<item><title>No end <br/> of it</title><wp:post_id>3</wp:post_id><wp:post_type>post</wp:post_type><wp:status>draft</wp:status><dc:creator/></item>`)), WordPressOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := found(t, im, "wordpress:old.example:1").Body.PlainText(); got != "abcd]]>e" {
		t.Errorf("got %q", got)
	}
	if !said(r.Changed, "wordpress:old.example:1", "3 control characters were left out") || !said(r.Changed, "wordpress:old.example:2", "1 control character was left out") {
		t.Errorf("changed: %v", r.Changed)
	}
	if got := found(t, im, "wordpress:old.example:2").Headline; got != "A & B & &unknown;" {
		t.Errorf("got %q", got)
	}
}

func TestWordPressLargeItem(t *testing.T) {
	im := newImporter(t, dbtest.SQLite(t))
	r, err := im.ImportWordPress(context.Background(), write(t, "e.xml", wxrOf(anAuthor,
		postOf("1"), postOf("2", "content:encoded", strings.Repeat("<p>x</p>\n", maxRow/9+100)),
		postOf("3", "content:encoded", strings.Repeat("<p>x</p>\n", 5<<20/9)), postOf("4"))), WordPressOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Stories != 2 || !said(r.Skipped, "wordpress:old.example:2", "more than 16 MB") || !said(r.Skipped, "wordpress:old.example:3", "body has more than 4 MB") {
		t.Errorf("%d stories, skipped %v", r.Stories, r.Skipped)
	}
}

func FuzzWXR(f *testing.F) {
	f.Add([]byte(wxrOf(anAuthor, postOf("1"))))
	f.Add([]byte(`<rss><channel a='>'><!-- -- > --><x><![CDATA[]]]]></x><?p ?><y/></channel></rss>`))
	f.Add([]byte("<rss><channel><a>\x00&#8;&x;</a>"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(dir, "f.xml")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		src, _, err := openWXR(path, nil)
		if err != nil {
			return
		}
		defer src.Close()
		x := &wxr{r: src}
		for {
			p, err := x.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				if fault.KindOf(err) != fault.Invalid {
					t.Fatalf("%q: %v", data, err)
				}
				return
			}
			if bytes.ContainsAny(p.raw, "\x00\x08\x0b") {
				t.Fatalf("a character that XML forbids came through: %q", p.raw)
			}
			if _, err := x.parse(p); err != nil && fault.KindOf(err) != fault.Invalid {
				t.Fatalf("%q: %v", data, err)
			}
		}
	})
}
