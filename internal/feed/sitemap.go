package feed

import (
	"encoding/xml"
	"io"
	"time"
)

// SitemapMax is how many addresses one sitemap may hold (https://www.sitemaps.org/protocol.html).
const SitemapMax = 50000

// Page is one address of a sitemap.
type Page struct {
	URL        string
	Updated    time.Time   // zero leaves it out
	Alternates []Alternate // the same page in other languages, itself included
	News       *News       // for the news sitemap
}

// Alternate is a page in a language.
type Alternate struct{ Lang, URL string }

// News is what the news sitemap tells of a story
// (https://developers.google.com/search/docs/crawling-indexing/sitemaps/news-sitemap).
type News struct {
	Publication, Lang, Title string
	Published                time.Time
}

type urlSet struct {
	XMLName xml.Name  `xml:"urlset"`
	NS      string    `xml:"xmlns,attr"`
	XHTML   string    `xml:"xmlns:xhtml,attr,omitempty"`
	NewsNS  string    `xml:"xmlns:news,attr,omitempty"`
	URLs    []siteURL `xml:"url"`
}

type siteURL struct {
	Loc        string     `xml:"loc"`
	Updated    string     `xml:"lastmod,omitempty"`
	Alternates []siteLink `xml:"xhtml:link"`
	News       *siteNews  `xml:"news:news"`
}

type siteLink struct {
	Rel  string `xml:"rel,attr"`
	Lang string `xml:"hreflang,attr"`
	Href string `xml:"href,attr"`
}

type siteNews struct {
	Publication struct {
		Name string `xml:"news:name"`
		Lang string `xml:"news:language"`
	} `xml:"news:publication"`
	Published string `xml:"news:publication_date"`
	Title     string `xml:"news:title"`
}

// Sitemap writes addresses with their languages.
func Sitemap(w io.Writer, pages []Page) error {
	out := urlSet{NS: "http://www.sitemaps.org/schemas/sitemap/0.9"}
	for _, p := range pages {
		u := siteURL{Loc: p.URL}
		if !p.Updated.IsZero() {
			u.Updated = p.Updated.UTC().Format(time.RFC3339)
		}
		for _, a := range p.Alternates {
			out.XHTML = "http://www.w3.org/1999/xhtml"
			u.Alternates = append(u.Alternates, siteLink{Rel: "alternate", Lang: a.Lang, Href: a.URL})
		}
		if p.News != nil {
			out.NewsNS = "http://www.google.com/schemas/sitemap-news/0.9"
			u.News = &siteNews{Published: p.News.Published.UTC().Format(time.RFC3339), Title: clean(p.News.Title)}
			u.News.Publication.Name, u.News.Publication.Lang = clean(p.News.Publication), p.News.Lang
		}
		out.URLs = append(out.URLs, u)
	}
	return writeXML(w, out)
}

type siteIndex struct {
	XMLName xml.Name `xml:"sitemapindex"`
	NS      string   `xml:"xmlns,attr"`
	Maps    []struct {
		Loc     string `xml:"loc"`
		Updated string `xml:"lastmod,omitempty"`
	} `xml:"sitemap"`
}

// SitemapIndex writes the addresses of sitemaps.
func SitemapIndex(w io.Writer, maps []Page) error {
	out := siteIndex{NS: "http://www.sitemaps.org/schemas/sitemap/0.9"}
	for _, m := range maps {
		entry := struct {
			Loc     string `xml:"loc"`
			Updated string `xml:"lastmod,omitempty"`
		}{Loc: m.URL}
		if !m.Updated.IsZero() {
			entry.Updated = m.Updated.UTC().Format(time.RFC3339)
		}
		out.Maps = append(out.Maps, entry)
	}
	return writeXML(w, out)
}
