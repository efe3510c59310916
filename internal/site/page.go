package site

import (
	"html/template"
	"strconv"

	"masthead/internal/language"
	"masthead/internal/page"
)

// Base is what every page of the public site has. A page struct embeds it.
//
// Its Furniture gives templates T, N, Date and the rest in the page's language;
// a nil one speaks English.
type Base struct {
	*language.Furniture

	Site        Site
	Lang        string // BCP 47, of the page's content
	Dir         string // "ltr" or "rtl"
	Home        string // path of the front page in this language: "/" or "/ar/"
	Path        string // path and query of this page; forms return here
	Title       string // <title>, before the site's name; the front page leaves it empty
	Description string // one or two sentences of plain text
	Canonical   string // absolute address
	NoIndex     bool   // keep out of search engines: accounts, searches, errors
	Prev, Next  string // addresses of the neighbouring pages of a list
	Alternates  []Alternate
	Nav         []NavLink // sections, or the menu of the head; the current one has Current set
	Account     Account
	Feeds       []Feed
	OpenGraph   OpenGraph
	JSONLD      template.JS // marshalled with encoding/json, which escapes <, > and &
	Today       language.Moment
	Notice      string    // one sentence at the top: "Your choice is saved."
	Theme       string    // address of a stylesheet in the place of the newsroom's, in a preview
	Footer      []NavLink // about, privacy, archive …

	marker *page.Marker // set while a page is made that is kept: its holes are left open
	linked []string     // IDs of the stories that the page's words lead to
	Embeds []string     // origins whose players a click may load, as in the CSP's frame-src
}

// Hole gives the mark of a hole while a page is made that is kept; otherwise it
// is empty, and the template fills the place itself:
//
//	{{with .Hole "meter"}}{{.}}{{else}}{{template "meter" .}}{{end}}
func (b Base) Hole(name string) (template.HTML, error) {
	if b.marker == nil {
		return "", nil
	}
	return b.marker.Mark(name)
}

// tags are those of the stories that the page's words lead to.
func (b Base) tags() []string {
	var tags []string
	for _, id := range b.linked {
		tags = append(tags, StoryTag(id))
	}
	return tags
}

// Site is the newsroom itself.
type Site struct {
	Name    string // the nameplate
	Tagline string
	URL     string // absolute, without a final slash

	Logo, LogoDark Picture // in the place of the nameplate; the latter for the dark mode
}

// Alternate is this page in a language, itself included.
type Alternate struct {
	Lang    string // BCP 47; "x-default" is named in the head alone
	Name    string // in itself: "العربية"
	Dir     string
	URL     string // absolute, for hreflang
	Path    string
	Current bool
}

// Link is words that lead somewhere.
type Link struct {
	Name    string
	URL     string
	Current bool
}

// NavLink is a link of a menu, with those below it.
type NavLink struct {
	Link
	Items []Link
}

// Account is who reads the page. Pages are made once for all and this is put
// into its hole for each reader: see the template "account-link".
type Account struct {
	SignedIn bool
	Name     string // may be empty
	Email    string
	Staff    bool // shows the way to the desk
}

// Feed is an RSS or JSON feed of the page's matter, for <link rel="alternate">.
type Feed struct {
	Title string
	Type  string // "application/rss+xml" or "application/feed+json"
	URL   string
}

// OpenGraph is how the page appears when somebody passes it on
// (https://ogp.me).
type OpenGraph struct {
	Type      string // "article" or "website"; empty leaves OpenGraph out
	Title     string
	Image     string // absolute; may be empty
	ImageAlt  string
	Width     int
	Height    int
	Locale    string   // "en_GB"
	Locales   []string // other languages of the same
	Section   string
	Authors   []string // absolute addresses of author pages
	Tags      []string
	Published string // RFC 3339
	Modified  string
}

// Picture is one picture in the sizes that are kept of it.
type Picture struct {
	Src     string // address of a middling size; empty means no picture
	SrcSet  string // "/media/a-400.webp 400w, /media/a-800.webp 800w"
	Width   int    // of Src, so that the page keeps its place
	Height  int
	Alt     string
	Caption template.HTML // already sanitised
	Credit  string
	Licence Link
	FocalX  int // 0 … 100 from the left, what must stay when cropped; 0,0 means the middle
	FocalY  int
}

// Focal gives the style classes for the focal point, in steps of ten.
func (p Picture) Focal() string {
	if p.FocalX == 0 && p.FocalY == 0 {
		return "fx5 fy5"
	}
	step := func(percent int) string { return strconv.Itoa((min(max(percent, 0), 100) + 5) / 10) }
	return "fx" + step(p.FocalX) + " fy" + step(p.FocalY)
}

// Card is a story seen from outside: in a list, a band, or "Next for you".
type Card struct {
	URL         string
	Lang        string // of the story; set only where it differs from the page
	Dir         string // likewise
	Kicker      string
	Section     Link
	Headline    string
	Summary     string
	Byline      []Person
	Published   language.Moment
	ReadingTime string // "5 minutes"
	Picture     Picture
}

// Person is one name of a byline.
type Person struct {
	Name string
	URL  string // author page; may be empty
	Role string // in the page's words: "translated by"; empty for an author
}

// Paging is the way through a long list.
type Paging struct {
	Page, Pages int    // from 1
	Prev, Next  string // empty at the ends
}
