package feed

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
	"time"
)

// Channel is one feed.
type Channel struct {
	Title, Description string
	Home               string // absolute address of the page that the feed follows
	Self               string // absolute address of the feed itself
	Lang               string // BCP 47
	Updated            time.Time
	Items              []Item // newest first
}

// Item is one story in a feed.
type Item struct {
	ID         string // never changes, even when the address does
	URL        string // absolute
	Title      string
	Summary    string // plain text
	HTML       string // what the wall lets everybody read, with absolute addresses
	Lang       string
	Authors    []string
	Categories []string
	Image      Image
	Published  time.Time
	Updated    time.Time
}

// Image is a picture that goes with an item; the zero Image is none.
type Image struct {
	URL  string // absolute
	Type string // MIME type
}

type rssFeed struct {
	XMLName xml.Name   `xml:"rss"`
	Version string     `xml:"version,attr"`
	Atom    string     `xml:"xmlns:atom,attr"`
	Content string     `xml:"xmlns:content,attr"`
	DC      string     `xml:"xmlns:dc,attr"`
	Media   string     `xml:"xmlns:media,attr"`
	Channel rssChannel `xml:"channel"`
}

type rssChannel struct {
	Title       string    `xml:"title"`
	Link        string    `xml:"link"`
	Self        rssLink   `xml:"atom:link"`
	Description string    `xml:"description"`
	Language    string    `xml:"language,omitempty"`
	Built       string    `xml:"lastBuildDate,omitempty"`
	Items       []rssItem `xml:"item"`
}

type rssLink struct {
	Href string `xml:"href,attr"`
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr"`
}

type rssItem struct {
	Title      string    `xml:"title"`
	Link       string    `xml:"link"`
	GUID       rssGUID   `xml:"guid"`
	Published  string    `xml:"pubDate"`
	Updated    string    `xml:"atom:updated,omitempty"` // RFC 4287 §4.2.15, where it was changed after that
	Creators   []string  `xml:"dc:creator"`
	Categories []string  `xml:"category"`
	Summary    string    `xml:"description"`
	HTML       string    `xml:"content:encoded,omitempty"`
	Image      *rssMedia `xml:"media:content"`
}

type rssGUID struct {
	ID        string `xml:",chardata"`
	Permalink bool   `xml:"isPermaLink,attr"`
}

type rssMedia struct {
	URL    string `xml:"url,attr"`
	Type   string `xml:"type,attr"`
	Medium string `xml:"medium,attr"`
}

// RSS writes c as RSS 2.0 (https://www.rssboard.org/rss-specification), with
// the text in content:encoded.
func RSS(w io.Writer, c Channel) error {
	out := rssFeed{
		Version: "2.0", Atom: "http://www.w3.org/2005/Atom", Content: "http://purl.org/rss/1.0/modules/content/",
		DC: "http://purl.org/dc/elements/1.1/", Media: "http://search.yahoo.com/mrss/",
		Channel: rssChannel{
			Title: clean(c.Title), Link: c.Home, Self: rssLink{Href: c.Self, Rel: "self", Type: "application/rss+xml"},
			Description: clean(asHTML(c.Description)), Language: c.Lang,
		},
	}
	if !c.Updated.IsZero() {
		out.Channel.Built = c.Updated.UTC().Format(time.RFC1123Z)
	}
	for _, it := range c.Items {
		item := rssItem{
			Title: clean(it.Title), Link: it.URL, GUID: rssGUID{ID: it.ID}, Published: it.Published.UTC().Format(time.RFC1123Z),
			Creators: it.Authors, Categories: it.Categories, Summary: clean(asHTML(it.Summary)), HTML: clean(it.HTML),
		}
		if it.Updated.After(it.Published) {
			item.Updated = it.Updated.UTC().Format(time.RFC3339)
		}
		if it.Image.URL != "" {
			item.Image = &rssMedia{URL: it.Image.URL, Type: it.Image.Type, Medium: "image"}
		}
		out.Channel.Items = append(out.Channel.Items, item)
	}
	return writeXML(w, out)
}

// asHTML writes plain text as HTML: that is what readers take the description
// for (RSS Advisory Board, Best Practices Profile, "description").
func asHTML(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

type jsonFeed struct {
	Version     string     `json:"version"`
	Title       string     `json:"title"`
	Description string     `json:"description,omitempty"`
	Home        string     `json:"home_page_url"`
	Self        string     `json:"feed_url"`
	Language    string     `json:"language,omitempty"`
	Items       []jsonItem `json:"items"`
}

type jsonItem struct {
	ID        string       `json:"id"`
	URL       string       `json:"url"`
	Title     string       `json:"title"`
	Summary   string       `json:"summary,omitempty"`
	HTML      string       `json:"content_html"`
	Image     string       `json:"image,omitempty"`
	Published string       `json:"date_published"`
	Updated   string       `json:"date_modified,omitempty"`
	Authors   []jsonAuthor `json:"authors,omitempty"`
	Tags      []string     `json:"tags,omitempty"`
	Language  string       `json:"language,omitempty"`
}

type jsonAuthor struct {
	Name string `json:"name"`
}

// JSON writes c as JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/).
func JSON(w io.Writer, c Channel) error {
	out := jsonFeed{
		Version: "https://jsonfeed.org/version/1.1", Title: c.Title, Description: c.Description,
		Home: c.Home, Self: c.Self, Language: c.Lang, Items: []jsonItem{},
	}
	for _, it := range c.Items {
		item := jsonItem{
			ID: it.ID, URL: it.URL, Title: it.Title, Summary: it.Summary, HTML: it.HTML, Image: it.Image.URL,
			Published: it.Published.UTC().Format(time.RFC3339), Updated: it.Updated.UTC().Format(time.RFC3339),
			Tags: it.Categories, Language: it.Lang,
		}
		for _, a := range it.Authors {
			item.Authors = append(item.Authors, jsonAuthor{a})
		}
		out.Items = append(out.Items, item)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

func writeXML(w io.Writer, v any) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", " ")
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// clean removes the characters that XML 1.0 (§2.2) cannot hold; encoding/xml
// would write U+FFFD for each.
func clean(s string) string {
	ok := func(r rune) bool {
		return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000
	}
	out := []rune(nil)
	for i, r := range s {
		if !ok(r) {
			if out == nil {
				out = []rune(s[:i])
			}
			continue
		}
		if out != nil {
			out = append(out, r)
		}
	}
	if out == nil {
		return s
	}
	return string(out)
}
