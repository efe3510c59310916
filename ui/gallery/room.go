package main

import (
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"masthead/internal/doc"
	"masthead/internal/language"
	"masthead/internal/site"
)

// words is a text in several languages.
type words map[string]string

func (w words) in(lang string) string {
	if s, ok := w[lang]; ok {
		return s
	}
	return w["en"]
}

// room is the sample newsroom, as its folder tells it.
type room struct {
	Site    struct{ Title, Tagline words }
	Section []struct {
		Slug, Parent      string
		Name, Description words
	}
	Topic []struct {
		Slug, Kind        string
		Name, Description words
	}
	Author []struct {
		Slug, Handle, Role string
		Name, Biography    words
	}
	stories []story
}

type story struct {
	ID, Lang, Section, Kicker, Headline, Summary string
	Topics                                       []string
	Authors                                      []struct{ Slug, Role string }
	Published, Updated                           time.Time
	Picture                                      struct {
		Scene, Caption, Alt, Credit string
		Seed                        int
	}
	body string
}

func readRoom(folder string) (*room, error) {
	r := &room{}
	if _, err := toml.DecodeFile(filepath.Join(folder, "newsroom.toml"), r); err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(folder, "stories", "*.md"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		parts := strings.SplitN(string(text), "+++\n", 3)
		if len(parts) != 3 {
			return nil, fmt.Errorf("%s: no front matter", file)
		}
		var s story
		if err := toml.Unmarshal([]byte(parts[1]), &s); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		s.body = parts[2]
		r.stories = append(r.stories, s)
	}
	r.stories = append(r.stories, ownStories()...)
	return r, nil
}

// in gives the stories of a language, filled up with English ones.
func (r *room) in(lang string) (list []story) {
	for _, s := range r.stories {
		if s.Lang == lang {
			list = append(list, s)
		}
	}
	if lang != "en" {
		for _, s := range r.in("en") {
			if len(list) < 18 {
				list = append(list, s)
			}
		}
	}
	return list
}

func (r *room) section(slug, lang string) site.Link {
	for _, s := range r.Section {
		if s.Slug == slug {
			return site.Link{Name: s.Name.in(lang), URL: "/" + lang + "/section"}
		}
	}
	return site.Link{}
}

func (r *room) byline(s story, f *language.Furniture, lang string) (list []site.Person) {
	for _, a := range s.Authors {
		role := ""
		if a.Role != "" && a.Role != "author" {
			role = f.T("role." + a.Role)
		}
		for _, known := range r.Author {
			if known.Slug == a.Slug {
				list = append(list, site.Person{Name: known.Name.in(lang), URL: "/" + lang + "/author", Role: role})
			}
		}
	}
	return list
}

func drawn(s story, width, height int) site.Picture {
	if s.Picture.Scene == "" {
		return site.Picture{}
	}
	src := func(w, h int) string {
		return fmt.Sprintf("/draw/%s/%d/%dx%d.png", s.Picture.Scene, s.Picture.Seed, w, h)
	}
	return site.Picture{Src: src(width, height), Width: width, Height: height, Alt: s.Picture.Alt,
		Caption: template.HTML(template.HTMLEscapeString(s.Picture.Caption)), Credit: s.Picture.Credit}
}

func (r *room) card(s story, lang string, pictured bool) site.Card {
	f := language.Get(lang)
	c := site.Card{URL: "/" + lang + "/story-open", Kicker: s.Kicker, Section: r.section(s.Section, lang), Headline: s.Headline,
		Summary: s.Summary, Byline: r.byline(s, f, lang), Published: f.Date(s.Published), ReadingTime: f.ReadingTime(len(strings.Fields(s.body)))}
	if len(c.Byline) > 1 {
		c.Byline = c.Byline[:1]
	}
	if s.Lang != lang {
		c.Lang, c.Dir = s.Lang, language.Dir(s.Lang)
	}
	if pictured {
		c.Picture = drawn(s, 900, 600)
	}
	return c
}

func (r *room) cards(list []story, lang string, pictured func(int) bool) (cards []site.Card) {
	for i, s := range list {
		cards = append(cards, r.card(s, lang, pictured(i)))
	}
	return cards
}

func bodyOf(s story, f *language.Furniture, paragraphs int) template.HTML {
	n, _, err := doc.FromMarkdown(s.body)
	if err != nil {
		return template.HTML("<p>" + template.HTMLEscapeString(err.Error()) + "</p>")
	}
	if paragraphs > 0 && len(n.Content) > paragraphs {
		n.Content = n.Content[:paragraphs]
	}
	return template.HTML(n.HTML(doc.RenderOptions{ParagraphIDs: true, Labels: site.Labels(f),
		Story: func(string) (doc.Linked, bool) {
			return doc.Linked{URL: "/en/story-open", Headline: "Grain barges turn round for want of forty centimetres", Kicker: "Olvenna"}, true
		}}))
}
