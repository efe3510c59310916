package feed_test

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"github.com/mmcdole/gofeed"

	"masthead/internal/feed"
)

var at = time.Date(2026, 11, 22, 6, 30, 0, 0, time.UTC)

func channel() feed.Channel {
	return feed.Channel{
		Title: "The Courier & Co", Description: "News <b>not</b> markup", Home: "https://news.example/", Self: "https://news.example/feed.xml", Lang: "ar", Updated: at,
		Items: []feed.Item{{
			ID: "0190-x", URL: "https://news.example/2026/11/a/", Title: "“Dredgers” <return> & stay\x00", Summary: "نص عربي",
			HTML: `<p>Body & <a href="https://news.example/">link</a></p>]]>`, Lang: "ar", Authors: []string{"Nadia Kerr", "Ilan Voss"},
			Categories: []string{"Water"}, Image: feed.Image{URL: "https://news.example/media/x/card.jpg", Type: "image/jpeg"}, Published: at, Updated: at.Add(time.Hour),
		}},
	}
}

// Both feeds are read back by a reader that others wrote.
func TestFeedsAreReadBack(t *testing.T) {
	for _, c := range []struct {
		name  string
		write func(*bytes.Buffer) error
	}{
		{"rss", func(b *bytes.Buffer) error { return feed.RSS(b, channel()) }},
		{"json", func(b *bytes.Buffer) error { return feed.JSON(b, channel()) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := c.write(&b); err != nil {
				t.Fatal(err)
			}
			got, err := gofeed.NewParser().ParseString(b.String())
			if err != nil {
				t.Fatalf("%v in\n%s", err, b.String())
			}
			want := channel()
			if got.Title != want.Title || got.Language != "ar" || got.FeedLink != want.Self || len(got.Items) != 1 {
				t.Fatalf("feed: %+v", got)
			}
			it, w := got.Items[0], want.Items[0]
			if it.Link != w.URL || it.GUID != w.ID || strings.TrimRight(it.Title, "\x00") != strings.TrimRight(w.Title, "\x00") || it.Content != w.HTML || len(it.Authors) == 0 || !strings.Contains(b.String(), w.Authors[1]) || !it.PublishedParsed.Equal(at) {
				t.Errorf("item: %+v\nwant %+v", it, w)
			}
		})
	}
}

func TestSitemap(t *testing.T) {
	var b bytes.Buffer
	err := feed.Sitemap(&b, []feed.Page{{
		URL: "https://news.example/ar/2026/11/%D8%A7/", Updated: at,
		Alternates: []feed.Alternate{{Lang: "en", URL: "https://news.example/2026/11/a/"}},
		News:       &feed.News{Publication: "The Courier", Lang: "ar", Title: "A & B", Published: at},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		URL []struct {
			Loc  string `xml:"loc"`
			Mod  string `xml:"lastmod"`
			Link []struct {
				Lang string `xml:"hreflang,attr"`
				Href string `xml:"href,attr"`
			} `xml:"http://www.w3.org/1999/xhtml link"`
			News struct {
				Title string `xml:"http://www.google.com/schemas/sitemap-news/0.9 title"`
			} `xml:"http://www.google.com/schemas/sitemap-news/0.9 news"`
		} `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 url"`
	}
	if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.URL) != 1 || got.URL[0].Mod != "2026-11-22T06:30:00Z" || len(got.URL[0].Link) != 1 || got.URL[0].Link[0].Lang != "en" || got.URL[0].News.Title != "A & B" {
		t.Errorf("sitemap: %+v\n%s", got, b.String())
	}
}
