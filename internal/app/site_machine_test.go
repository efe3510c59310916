package app_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mmcdole/gofeed"

	"masthead/internal/db"
	"masthead/internal/story"
)

// TestJSONLD reads what pages tell machines.
func TestJSONLD(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *room) {
		b := r.visitor()
		article := jsonLD(t, b.page(r.path("open-water")))
		for key, want := range map[string]any{
			"@context": "https://schema.org", "@type": "NewsArticle", "headline": "Headline of open-water en", "inLanguage": "en",
			"url": "http://quay.example" + r.path("open-water"), "mainEntityOfPage": "http://quay.example" + r.path("open-water"),
			"description": "Summary of open-water.", "articleSection": "The harbour", "isAccessibleForFree": true,
		} {
			if article[key] != want {
				t.Errorf("%s = %v, want %v", key, article[key], want)
			}
		}
		for _, key := range []string{"datePublished", "dateModified", "publisher", "author", "about", "image", "correction", "workTranslation", "wordCount"} {
			if article[key] == nil {
				t.Errorf("the article has no %s", key)
			}
		}
		author := article["author"].([]any)[0].(map[string]any)
		if author["name"] != "Nora Reyes" || author["url"] != "http://quay.example/author/nora-reyes/" {
			t.Errorf("the author: %v", author)
		}
		correction := article["correction"].([]any)[0].(map[string]any)
		if correction["text"] != "The pier is <longer> than we wrote." || correction["datePublished"] == nil {
			t.Errorf("the correction: %v", correction)
		}
		if n := len(article["workTranslation"].([]any)); n != 2 {
			t.Errorf("%d translations are named, want 2", n)
		}
		arabic := jsonLD(t, b.page(r.path("open-water.ar")))
		if arabic["inLanguage"] != "ar" || arabic["translator"] == nil || arabic["correction"] != nil {
			t.Errorf("the Arabic edition: %v", arabic)
		}
		if article["translator"] != nil {
			t.Errorf("the English edition has a translator: %v", article["translator"])
		}
		for path, kind := range map[string]string{"/": "WebSite", "/city/": "CollectionPage", "/topic/salt/": "CollectionPage", "/author/nora-reyes/": "ProfilePage"} {
			if o := jsonLD(t, b.page(path)); o["@type"] != kind || o["inLanguage"] != "en" {
				t.Errorf("%s: %v, want a %s", path, o, kind)
			}
		}
		// A headline cannot end the script that it stands in.
		r.tx(func(ctx context.Context, tx *db.Tx) error {
			e := r.editions["meter-two"]
			e.Headline = `</script><script>alert(1)</script> & "quotes"`
			return r.Stories.SaveEdition(ctx, tx, &e, "editor")
		})
		page := b.page(r.path("meter-two"))
		if strings.Contains(page, "<script>alert") {
			t.Error("a headline became a script")
		}
		if o := jsonLD(t, page); o["headline"] != `</script><script>alert(1)</script> & "quotes"` {
			t.Errorf("the headline: %v", o["headline"])
		}
	})
}

var (
	hreflangForm = regexp.MustCompile(`<link rel="alternate" hreflang="([^"]+)" href="http://quay\.example([^"]+)">`)
	metaForm     = regexp.MustCompile(`<meta property="(og:[^"]+)" content="([^"]*)">`)
)

// TestLanguages follows the alternates of each page there and back.
func TestLanguages(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *room) {
		b := r.visitor()
		alternates := func(path string) map[string]string {
			all := map[string]string{}
			for _, m := range hreflangForm.FindAllStringSubmatch(b.page(path), -1) {
				if _, twice := all[m[1]]; twice {
					t.Errorf("%s names its %s edition twice", path, m[1])
				}
				all[m[1]] = m[2]
			}
			return all
		}
		for path, languages := range map[string]int{
			"/": 3, "/city/": 3, "/topic/salt/": 3, "/author/nora-reyes/": 3, "/archive/": 3, "/about/": 3,
			r.path("open-water"): 3, r.path("meter-one"): 2, r.path("meter-three"): 0, "/house-rules/": 2,
		} {
			want := alternates(path)
			if languages > 0 && len(want) != languages+1 || languages == 0 && len(want) != 0 {
				t.Errorf("%s has the alternates %v, want %d languages and x-default", path, want, languages)
			}
			if languages > 0 && (want["en"] != path || want["x-default"] != path) {
				t.Errorf("%s is not its own English and default edition: %v", path, want)
			}
			for lang, other := range want {
				if diff := cmp.Diff(want, alternates(other)); diff != "" {
					t.Errorf("%s, the %s edition of %s, has other alternates: %s", other, lang, path, diff)
				}
			}
		}
		arabic := b.page(r.path("open-water.ar"))
		has(t, "the Arabic edition", arabic, `<html lang="ar" dir="rtl">`, "الميناء", "نورا رييس", `href="/ar/author/nora-reyes/"`)
		// A page of one language keeps the words of another apart.
		has(t, "the Arabic front", b.page("/ar/"), `<html lang="ar" dir="rtl">`)
		meta := map[string]string{}
		for _, m := range metaForm.FindAllStringSubmatch(b.page(r.path("open-water")), -1) {
			meta[m[1]] = m[2]
		}
		for key, want := range map[string]string{"og:type": "article", "og:title": "Headline of open-water en", "og:locale": "en_GB", "og:image:width": "1200",
			"og:url": "http://quay.example" + r.path("open-water"), "og:description": "Summary of open-water.", "og:site_name": "The Quay"} {
			if meta[key] != want {
				t.Errorf("%s = %q, want %q", key, meta[key], want)
			}
		}
		picture := strings.TrimPrefix(meta["og:image"], "http://quay.example")
		if a := b.get(picture); a.StatusCode != 200 || a.Header.Get("Content-Type") != "image/jpeg" {
			t.Errorf("the social card's picture %s = %d, %s", picture, a.StatusCode, a.Header.Get("Content-Type"))
		}
	})
}

// sitemap is a sitemap, or an index of them.
type sitemap struct {
	URLs []struct {
		Loc        string `xml:"loc"`
		Alternates []struct {
			Lang string `xml:"hreflang,attr"`
			Href string `xml:"href,attr"`
		} `xml:"http://www.w3.org/1999/xhtml link"`
		News struct {
			Name  string `xml:"publication>name"`
			Lang  string `xml:"publication>language"`
			Date  string `xml:"publication_date"`
			Title string `xml:"title"`
		} `xml:"http://www.google.com/schemas/sitemap-news/0.9 news"`
	} `xml:"url"`
	Maps []struct {
		Loc string `xml:"loc"`
	} `xml:"sitemap"`
}

func (b *browser) sitemap(path string) (s sitemap) {
	b.t.Helper()
	if err := xml.Unmarshal([]byte(b.page(path)), &s); err != nil {
		b.t.Fatalf("%s: %v", path, err)
	}
	return s
}

// TestSitemaps counts each published edition once, and only the newest as news.
func TestSitemaps(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *room) {
		b := r.visitor()
		seen, news := map[string]int{}, map[string]bool{}
		for _, m := range b.sitemap("/sitemap.xml").Maps {
			path := strings.TrimPrefix(m.Loc, "http://quay.example")
			for _, u := range b.sitemap(path).URLs {
				page := strings.TrimPrefix(u.Loc, "http://quay.example")
				if path == "/sitemap/news.xml" {
					news[page] = true
					if u.News.Name == "" || u.News.Lang == "" || u.News.Date == "" || u.News.Title == "" {
						t.Errorf("the news of %s: %+v", page, u.News)
					}
					continue
				}
				seen[page]++
				if a := b.send("HEAD", page, nil); a.StatusCode != 200 {
					t.Errorf("%s is in %s and answers %d", page, path, a.StatusCode)
				}
			}
		}
		cards, err := r.Stories.Cards(t.Context(), r.DB.Read(), story.Query{})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cards {
			if seen[c.Path] != 1 {
				t.Errorf("%s stands %d times in the sitemaps, want once", c.Path, seen[c.Path])
			}
			if want := r.Now().Sub(c.PublishedAt) < 48*hour; news[c.Path] != want {
				t.Errorf("%s, %v old, is news: %v", c.Path, r.Now().Sub(c.PublishedAt), news[c.Path])
			}
		}
		for _, slug := range []string{"taken-back", "old-name"} {
			if seen[r.path(slug)] != 0 {
				t.Errorf("%s is in a sitemap", slug)
			}
		}
		for _, path := range []string{"/", "/ar/", "/city/", "/topic/salt/", "/author/nora-reyes/", "/about/"} {
			if seen[path] != 1 {
				t.Errorf("%s stands %d times in the sitemaps, want once", path, seen[path])
			}
		}
		if seen["/topic/hash-internal/"] != 0 {
			t.Error("the newsroom's own topic is in a sitemap")
		}
		robots := b.page("/robots.txt")
		has(t, "robots.txt", robots, "User-agent: *\n", "Disallow: /account\n", "Disallow: /ar/account\n", "Disallow: /search\n", "Disallow: /desk/\n")
		hasNot(t, "robots.txt", robots, "Disallow: /\n", "Disallow: \n")
	})
}

// TestFeeds parses each kind of feed as a feed reader does.
func TestFeeds(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *room) {
		b := r.visitor()
		for path, want := range map[string]struct {
			title, lang, home string
			items             int
			newest            string
		}{
			"/feed":                      {"The Quay", "en", "/", 14, "open-water"},
			"/ar/feed":                   {"The Quay", "ar", "/ar/", 2, "open-water.ar"},
			"/city/feed":                 {"The Quay – The city", "en", "/city/", 5, "open-water"},
			"/letters/feed":              {"The Quay – Letters", "en", "/letters/", 9, "for-readers"},
			"/topic/salt/feed":           {"The Quay – Salt", "en", "/topic/salt/", 2, "open-water"},
			"/author/nora-reyes/feed":    {"The Quay – Nora Reyes", "en", "/author/nora-reyes/", 14, "open-water"},
			"/ar/author/omar-sadek/feed": {"The Quay – Omar Sadek", "ar", "/ar/author/omar-sadek/", 2, "open-water.ar"},
		} {
			for _, form := range []string{".xml", ".json"} {
				a := b.get(path + form)
				if kind := a.Header.Get("Content-Type"); kind != map[string]string{".xml": "application/rss+xml; charset=utf-8", ".json": "application/feed+json; charset=utf-8"}[form] {
					t.Errorf("%s is sent as %s", path+form, kind)
				}
				f, err := gofeed.NewParser().ParseString(a.body)
				if err != nil {
					t.Errorf("%s: %v", path+form, err)
					continue
				}
				if f.Title != want.title || f.Language != want.lang || f.Link != "http://quay.example"+want.home || f.FeedLink != "http://quay.example"+path+form || len(f.Items) != want.items {
					t.Errorf("%s: title %q, language %q, of %s, at %s, %d items; want %+v", path+form, f.Title, f.Language, f.Link, f.FeedLink, len(f.Items), want)
					continue
				}
				it := f.Items[0]
				if it.Link != "http://quay.example"+r.path(want.newest) || it.PublishedParsed == nil || it.Title == "" || it.Content == "" || len(it.Authors) == 0 || it.GUID != r.editions[want.newest].ID {
					t.Errorf("%s: its newest is %+v, want %s", path+form, it, want.newest)
				}
			}
		}
		for _, path := range []string{"/feed.xml", "/feed.json"} {
			f, err := gofeed.NewParser().ParseString(b.page(path))
			if err != nil {
				t.Fatal(err)
			}
			has(t, path, f.Items[0].Content, "The pier is &lt;longer&gt; than we wrote.")
			hasNot(t, path, f.Items[0].Content, " onclick", "<script")
		}
		has(t, "the story's page", b.page(r.path("open-water")), "The pier is &lt;longer&gt; than we wrote.", `class="corrections"`)
		var raw struct{ Version string }
		if err := json.Unmarshal([]byte(b.page("/feed.json")), &raw); err != nil || raw.Version != "https://jsonfeed.org/version/1.1" {
			t.Errorf("the JSON feed's version is %q: %v", raw.Version, err)
		}
	})
}
