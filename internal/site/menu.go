package site

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"masthead/internal/language"
	"masthead/internal/story"
)

// navSections is how many sections the line under the nameplate has room for.
const navSections = 10

// nav gives the first sections, or the menu of the head where a newsroom has one.
func (n *Newsroom) nav(lang, path string, t taxonomy) []NavLink {
	if m, ok := t.menus[story.HeadMenu]; ok && len(m.Items) > 0 {
		return n.menuLinks(m, lang, path)
	}
	var links []NavLink
	for _, s := range t.top() {
		links = append(links, NavLink{Link: n.sectionLink(lang, path, s)})
	}
	return links[:min(len(links), navSections)]
}

// footer gives the standing links, and the menu of the foot behind them.
func (n *Newsroom) footer(lang string, f *language.Furniture, t taxonomy) []NavLink {
	links := []NavLink{
		{Link: Link{Name: f.T("nav.about"), URL: n.at(lang, "/about/")}},
		{Link: Link{Name: f.T("nav.privacy"), URL: n.at(lang, "/privacy/")}},
		{Link: Link{Name: f.T("nav.archive"), URL: n.at(lang, "/archive/")}},
		{Link: Link{Name: f.T("corrections.title"), URL: n.at(lang, "/corrections/")}},
	}
	return append(links, n.menuLinks(t.menus[story.FootMenu], lang, "")...)
}

// menuLinks gives the links of a menu in a language; path is that of the page,
// without its language. A link that leads nowhere is left out.
func (n *Newsroom) menuLinks(m story.Menu, lang, path string) []NavLink {
	var links []NavLink
	for _, item := range m.Items {
		link, ok := n.menuLink(item, lang, path)
		if !ok {
			continue
		}
		nav := NavLink{Link: link}
		for _, below := range item.Items {
			if link, ok := n.menuLink(below, lang, path); ok {
				nav.Items = append(nav.Items, link)
				nav.Current = nav.Current || link.Current
			}
		}
		links = append(links, nav)
	}
	return links
}

func (n *Newsroom) menuLink(item story.MenuItem, lang, path string) (Link, bool) {
	u, err := url.Parse(item.URL)
	label := item.Labels.In(lang, n.Config.Language)
	if item.Labels[lang] == "" && item.Label != "" {
		label = item.Label
	}
	if err != nil || label == "" || u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" || u.Path+u.Host == "" {
		return Link{}, false
	}
	return Link{Name: label, URL: n.menuURL(lang, item.URL), Current: path != "" && item.URL == path}, true
}

// ofOneLanguage are addresses that stand in one language alone: stories, files
// and what is no page of the site.
var ofOneLanguage = regexp.MustCompile(`^/(\d{4}/\d{2}/[^/]+|media/|assets/|desk/|api/)`)

// menuURL puts the language before the address of a page that stands in every one.
func (n *Newsroom) menuURL(lang, at string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(at, "/"), "/")
	if !strings.HasPrefix(at, "/") || strings.HasPrefix(at, "//") || slices.Contains(n.languages(), first) || ofOneLanguage.MatchString(at) {
		return at
	}
	return n.at(lang, at)
}
