package site

import (
	"encoding/json"
	"html/template"
	"time"

	"masthead/internal/language"
	"masthead/internal/story"
)

// ld is one JSON-LD object (https://schema.org).
type ld map[string]any

// write gives the object as the text of a script element: encoding/json
// escapes <, > and & so that it cannot end the element.
func (o ld) write() template.JS {
	o["@context"] = "https://schema.org"
	b, err := json.Marshal(o)
	if err != nil {
		panic(err) // maps, lists and texts
	}
	return template.JS(b)
}

func (n *Newsroom) publisher(lang string) ld {
	return ld{"@type": "NewsMediaOrganization", "name": n.Config.In(lang).Title, "url": n.Config.URL.String() + "/"}
}

func (n *Newsroom) siteJSONLD(lang string) template.JS {
	return ld{
		"@type": "WebSite", "name": n.Config.In(lang).Title, "url": n.absolute(n.at(lang, "/")), "inLanguage": lang, "publisher": n.publisher(lang),
		"potentialAction": ld{"@type": "SearchAction", "target": n.absolute(n.at(lang, "/search")) + "?q={q}", "query-input": "required name=q"},
	}.write()
}

func (n *Newsroom) listJSONLD(b Base, name string) template.JS {
	return ld{"@type": "CollectionPage", "name": name, "url": b.Canonical, "inLanguage": b.Lang, "isPartOf": n.publisher(b.Lang)}.write()
}

func (n *Newsroom) authorJSONLD(p AuthorPage) template.JS {
	person := ld{"@type": "Person", "name": p.Name, "url": p.Canonical}
	if p.Biography != "" {
		person["description"] = p.Description
	}
	return ld{"@type": "ProfilePage", "mainEntity": person, "inLanguage": p.Lang}.write()
}

// describeStory fills in what machines read of a story. That part of it is not
// free is said exactly where part of it is withheld from this answer, so that
// markup and body cannot disagree.
func (n *Newsroom) describeStory(p *StoryPage, e story.Edition, withheld bool, corrections []story.Correction) {
	p.Title = e.Headline
	if e.MetaTitle != "" {
		p.Title = e.MetaTitle
	}
	p.Description = e.Summary
	if e.MetaDescription != "" {
		p.Description = e.MetaDescription
	}
	if e.CanonicalURL != "" {
		p.Canonical = e.CanonicalURL
	}
	published, updated := e.PublishedAt.UTC().Format(time.RFC3339), e.UpdatedAt.UTC().Format(time.RFC3339)
	p.OpenGraph = OpenGraph{Type: "article", Title: e.Headline, Locale: locale(e.Lang), Section: p.Section.Name, Published: published, Modified: updated}
	article := ld{
		"@type": "NewsArticle", "headline": e.Headline, "url": n.absolute(e.Path), "mainEntityOfPage": p.Canonical,
		"datePublished": published, "dateModified": updated, "inLanguage": e.Lang, "wordCount": e.Words,
		"publisher": n.publisher(e.Lang), "isAccessibleForFree": !withheld,
	}
	if p.Description != "" {
		article["description"] = p.Description
	}
	if withheld {
		article["hasPart"] = ld{"@type": "WebPageElement", "isAccessibleForFree": false, "cssSelector": ".wall"}
	}
	if p.Section.Name != "" {
		article["articleSection"] = p.Section.Name
	}
	roles := map[string][]ld{}
	for _, person := range p.Byline {
		role := "author"
		if person.Role == p.T("role.translator") {
			role = "translator"
		} else if person.Role != "" {
			role = "contributor"
		}
		roles[role] = append(roles[role], ld{"@type": "Person", "name": person.Name, "url": n.Config.URL.String() + person.URL})
	}
	for role, people := range roles {
		article[role] = people
	}
	for _, a := range p.Authors {
		p.OpenGraph.Authors = append(p.OpenGraph.Authors, n.absolute(a.URL))
	}
	var about []ld
	for _, tp := range p.Topics {
		about = append(about, ld{"@type": "Thing", "name": tp.Name, "url": n.absolute(tp.URL)})
		p.OpenGraph.Tags = append(p.OpenGraph.Tags, tp.Name)
	}
	if about != nil {
		article["about"] = about
	}
	if p.Lead.Src != "" {
		article["image"] = []string{n.Config.URL.String() + p.leadCard}
		p.OpenGraph.Image, p.OpenGraph.ImageAlt = n.Config.URL.String()+p.leadCard, p.Lead.Alt
		p.OpenGraph.Width, p.OpenGraph.Height = 1200, 630
	}
	var corrected []ld
	for _, c := range corrections {
		corrected = append(corrected, ld{"@type": "CorrectionComment", "text": c.Whole(), "datePublished": c.At.UTC().Format(time.RFC3339)})
	}
	if corrected != nil {
		article["correction"] = corrected
	}
	var translations []ld
	for _, a := range p.Alternates {
		if a.Lang != "x-default" && a.Lang != e.Lang {
			translations = append(translations, ld{"@type": "NewsArticle", "url": a.URL, "inLanguage": a.Lang})
			p.OpenGraph.Locales = append(p.OpenGraph.Locales, locale(a.Lang))
		}
	}
	if translations != nil {
		article["workTranslation"] = translations
	}
	p.JSONLD = article.write()
	p.Dir = language.Dir(e.Lang)
}
