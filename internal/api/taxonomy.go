package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/media"
	"masthead/internal/staff"
	"masthead/internal/story"
)

// Section is a desk of the newsroom, or a part of one.
type Section struct {
	Slug         string      `json:"slug"`
	Parent       string      `json:"parent,omitempty" doc:"Slug of the section that it is a part of"`
	Position     int         `json:"position" doc:"Its place among those beside it"`
	Names        story.Texts `json:"names" doc:"By language"`
	Descriptions story.Texts `json:"descriptions,omitempty" doc:"By language"`
	URL          string      `json:"url" format:"uri"`
}

// Topic is something that stories are found under.
type Topic struct {
	Slug         string              `json:"slug"`
	Kind         string              `json:"kind" enum:"subject,person,organisation,place,storyline"`
	Names        story.Texts         `json:"names" doc:"By language"`
	Descriptions story.Texts         `json:"descriptions,omitempty" doc:"By language"`
	Aliases      map[string][]string `json:"aliases,omitempty" doc:"What else it is called, by language"`
	URL          string              `json:"url" format:"uri"`
}

// Author is somebody whom a byline can name.
type Author struct {
	Slug        string      `json:"slug"`
	Names       story.Texts `json:"names" doc:"By language"`
	Biographies story.Texts `json:"biographies,omitempty" doc:"By language"`
	Handle      string      `json:"handle,omitempty"`
	Website     string      `json:"website,omitempty"`
	URL         string      `json:"url" format:"uri"`
}

// SectionChange is what is to be changed of a section.
type SectionChange struct {
	Parent       *string            `json:"parent,omitempty" maxLength:"200" doc:"Slug; empty for none"`
	Position     *int               `json:"position,omitempty" minimum:"-100000" maximum:"100000"`
	Names        *map[string]string `json:"names,omitempty" doc:"By language: all of them"`
	Descriptions *map[string]string `json:"descriptions,omitempty" doc:"By language: all of them"`
}

// TopicChange is what is to be changed of a topic.
type TopicChange struct {
	Kind         *string              `json:"kind,omitempty" enum:"subject,person,organisation,place,storyline"`
	Names        *map[string]string   `json:"names,omitempty" doc:"By language: all of them"`
	Descriptions *map[string]string   `json:"descriptions,omitempty" doc:"By language: all of them"`
	Aliases      *map[string][]string `json:"aliases,omitempty" doc:"By language: all of them"`
}

// AuthorChange is what is to be changed of an author.
type AuthorChange struct {
	Names       *map[string]string `json:"names,omitempty" doc:"By language: all of them"`
	Biographies *map[string]string `json:"biographies,omitempty" doc:"By language: all of them"`
	Handle      *string            `json:"handle,omitempty" maxLength:"200"`
	Website     *string            `json:"website,omitempty" maxLength:"2000"`
	Portrait    *string            `json:"portrait,omitempty" maxLength:"64" doc:"ID of a picture; empty for none"`
}

// NewSection is a section that is made.
type NewSection struct {
	Slug string `json:"slug" minLength:"1" maxLength:"200" doc:"Of its address; it stays as it is"`
	SectionChange
}

// NewTopic is a topic that is made.
type NewTopic struct {
	Slug string `json:"slug" minLength:"1" maxLength:"200" doc:"Of its address; it stays as it is"`
	TopicChange
}

// NewAuthor is an author who is added.
type NewAuthor struct {
	Slug string `json:"slug" minLength:"1" maxLength:"200" doc:"Of the address; it stays as it is"`
	AuthorChange
}

type (
	nothing struct{}
	// SlugPath names a section, a topic or an author in an address.
	SlugPath struct {
		Slug string `path:"slug" maxLength:"250"`
	}
	sectionOutput struct{ Body Section }
	topicOutput   struct{ Body Topic }
	authorOutput  struct{ Body Author }
)

func (n *Newsroom) taxonomyOperations(h huma.API) {
	add := func(o operation) operation {
		o.scope, o.act = staff.TaxonomyWrite, staff.KeepTaxonomy
		switch o.method {
		case "POST":
			o.status = http.StatusCreated
		case "DELETE":
			o.faults = []int{404, 409}
		default:
			o.faults = []int{404}
		}
		return o
	}
	register(n, h, operation{id: "list-sections", method: "GET", path: "/api/v1/sections", summary: "Every section", about: "Parents come before their parts."}, n.sections)
	register(n, h, operation{id: "get-section", method: "GET", path: "/api/v1/sections/{slug}", summary: "One section", faults: []int{404}}, n.section)
	register(n, h, add(operation{id: "create-section", method: "POST", path: "/api/v1/sections", summary: "Make a section"}), n.createSection)
	register(n, h, add(operation{id: "change-section", method: "PATCH", path: "/api/v1/sections/{slug}", summary: "Change a section", about: "What is absent stays."}), n.changeSection)
	register(n, h, add(operation{id: "delete-section", method: "DELETE", path: "/api/v1/sections/{slug}", summary: "Delete a section",
		about: "Its stories go to the section into, and its addresses lead there. Without into it must hold none. One with parts, and one that the wall goes by, stays: 409."}), n.deleteSection)

	register(n, h, operation{id: "list-topics", method: "GET", path: "/api/v1/topics", summary: "Every topic", about: "What stories are found under."}, n.topics)
	register(n, h, operation{id: "get-topic", method: "GET", path: "/api/v1/topics/{slug}", summary: "One topic", faults: []int{404}}, n.topic)
	register(n, h, add(operation{id: "create-topic", method: "POST", path: "/api/v1/topics", summary: "Make a topic"}), n.createTopic)
	register(n, h, add(operation{id: "change-topic", method: "PATCH", path: "/api/v1/topics/{slug}", summary: "Change a topic", about: "What is absent stays."}), n.changeTopic)
	register(n, h, add(operation{id: "delete-topic", method: "DELETE", path: "/api/v1/topics/{slug}", summary: "Delete a topic", about: "One that a story has, or that the wall goes by, stays: 409."}), n.deleteTopic)

	register(n, h, operation{id: "list-authors", method: "GET", path: "/api/v1/authors", summary: "Every author", about: "Everybody whom a byline can name."}, n.authors)
	register(n, h, operation{id: "get-author", method: "GET", path: "/api/v1/authors/{slug}", summary: "One author", faults: []int{404}}, n.author)
	register(n, h, add(operation{id: "create-author", method: "POST", path: "/api/v1/authors", summary: "Add an author"}), n.createAuthor)
	register(n, h, add(operation{id: "change-author", method: "PATCH", path: "/api/v1/authors/{slug}", summary: "Change an author", about: "What is absent stays."}), n.changeAuthor)
	register(n, h, add(operation{id: "delete-author", method: "DELETE", path: "/api/v1/authors/{slug}", summary: "Delete an author", about: "One whom a story names stays: 409."}), n.deleteAuthor)
}

type sectionsOutput struct {
	Body struct {
		Sections []Section `json:"sections" nullable:"false"`
	}
}

func (n *Newsroom) sections(ctx context.Context, _ *nothing) (*sectionsOutput, error) {
	all, err := n.Stories.Sections(ctx, n.DB.Read())
	if err != nil {
		return nil, err
	}
	out := &sectionsOutput{}
	out.Body.Sections = make([]Section, len(all))
	for i, s := range all {
		out.Body.Sections[i] = n.sectionOf(all, s)
	}
	return out, nil
}

func (n *Newsroom) sectionOf(all story.Sections, s story.Section) Section {
	one := Section{Slug: s.Slug, Position: s.Position, Names: texts(s.Names), Descriptions: s.Descriptions, URL: n.at(n.Config.Language, "/"+s.Slug+"/")}
	if parent, ok := all.ByID(s.ParentID); ok {
		one.Parent = parent.Slug
	}
	return one
}

func (n *Newsroom) section(ctx context.Context, in *SlugPath) (*sectionOutput, error) {
	all, err := n.Stories.Sections(ctx, n.DB.Read())
	if err != nil {
		return nil, err
	}
	s, ok := all.BySlug(in.Slug)
	if !ok {
		return nil, fault.New(fault.NotFound, "no such section", "slug", in.Slug)
	}
	return &sectionOutput{n.sectionOf(all, s)}, nil
}

type createSectionInput struct{ Body NewSection }

func (n *Newsroom) createSection(ctx context.Context, in *createSectionInput) (*sectionOutput, error) {
	return n.saveSection(ctx, in.Body.Slug, true, in.Body.SectionChange)
}

type changeSectionInput struct {
	SlugPath
	Body SectionChange
}

func (n *Newsroom) changeSection(ctx context.Context, in *changeSectionInput) (*sectionOutput, error) {
	return n.saveSection(ctx, in.Slug, false, in.Body)
}

func (n *Newsroom) saveSection(ctx context.Context, slug string, isNew bool, c SectionChange) (out *sectionOutput, err error) {
	err = n.change(ctx, func(ctx context.Context, tx *db.Tx, detail map[string]string) (string, error) {
		all, err := n.Stories.Sections(ctx, tx)
		if err != nil {
			return "", err
		}
		s, ok := all.BySlug(slug)
		if err := expect("section", slug, ok, isNew, story.Reserved(slug)); err != nil {
			return "", err
		}
		s.Slug = slug
		if c.Parent != nil {
			if s.ParentID = ""; *c.Parent != "" {
				parent, ok := all.BySlug(*c.Parent)
				if !ok {
					return "", fault.New(fault.Invalid, "no such section", "slug", *c.Parent)
				}
				if err := all.CheckParent(s.ID, parent.ID); err != nil {
					return "", err
				}
				s.ParentID = parent.ID
			}
		}
		if c.Position != nil {
			s.Position = *c.Position
		}
		if err := setTexts(&s.Names, "names", c.Names, 200); err != nil {
			return "", err
		}
		if err := setTexts(&s.Descriptions, "descriptions", c.Descriptions, 2000); err != nil {
			return "", err
		}
		if err := named(s.Names); err != nil {
			return "", err
		}
		if err := n.Stories.SaveSection(ctx, tx, &s); err != nil {
			return "", err
		}
		if all, err = n.Stories.Sections(ctx, tx); err != nil {
			return "", err
		}
		detail["section"] = s.Slug
		out = &sectionOutput{n.sectionOf(all, s)}
		return "section:" + s.ID, nil
	})
	return out, err
}

type deleteSectionInput struct {
	SlugPath
	Into string `query:"into" maxLength:"250" doc:"Slug of the section that its stories go to"`
}

func (n *Newsroom) deleteSection(ctx context.Context, in *deleteSectionInput) (*struct{}, error) {
	return nil, n.change(ctx, func(ctx context.Context, tx *db.Tx, detail map[string]string) (string, error) {
		all, err := n.Stories.Sections(ctx, tx)
		if err != nil {
			return "", err
		}
		s, ok := all.BySlug(in.Slug)
		if !ok {
			return "", fault.New(fault.NotFound, "no such section", "slug", in.Slug)
		}
		into, ok := all.BySlug(in.Into)
		if in.Into != "" && !ok {
			return "", fault.New(fault.Invalid, "no such section", "slug", in.Into)
		}
		if err := n.WallStore.Free(ctx, tx, "section", s.Slug); err != nil {
			return "", err
		}
		detail["deleted"], detail["into"] = s.Slug, in.Into
		_, err = n.Stories.DeleteSection(ctx, tx, s.ID, into.ID, n.Config.Languages)
		return "section:" + s.ID, err
	})
}

func (n *Newsroom) deleteTopic(ctx context.Context, in *SlugPath) (*struct{}, error) {
	return nil, n.change(ctx, func(ctx context.Context, tx *db.Tx, detail map[string]string) (string, error) {
		t, err := n.topicBySlug(ctx, tx, in.Slug)
		if err != nil {
			return "", err
		}
		if err := n.WallStore.Free(ctx, tx, "topic", t.Slug); err != nil {
			return "", err
		}
		detail["deleted"] = t.Slug
		return "topic:" + t.ID, n.Stories.DeleteTopic(ctx, tx, t.ID)
	})
}

func (n *Newsroom) deleteAuthor(ctx context.Context, in *SlugPath) (*struct{}, error) {
	return nil, n.change(ctx, func(ctx context.Context, tx *db.Tx, detail map[string]string) (string, error) {
		a, err := n.Stories.WriterBySlug(ctx, tx, in.Slug)
		if err != nil {
			return "", err
		}
		detail["deleted"] = a.Slug
		return "author:" + a.ID, n.Stories.DeleteWriter(ctx, tx, a.ID)
	})
}

// expect holds what is there against what was meant. A slug is taken as it is
// written, since somebody builds an address from it.
func expect(what, slug string, there, isNew, reserved bool) error {
	switch {
	case isNew && (story.Slug(slug) != slug || reserved):
		return fault.New(fault.Invalid, "this cannot be the slug of a "+what, "slug", slug).WithHint("write letters, digits and single hyphens, such as %s", story.Slug(slug+" "+what))
	case isNew && there:
		return fault.New(fault.Conflict, "there is a "+what+" of this slug", "slug", slug).WithHint("change that one")
	case !isNew && !there:
		return fault.New(fault.NotFound, "no such "+what, "slug", slug)
	}
	return nil
}

func setTexts(to *story.Texts, name string, from *map[string]string, most int) error {
	if from == nil {
		return nil
	}
	clean, err := inLanguages(name, *from, most)
	*to = clean
	return err
}

func named(names story.Texts) error {
	if len(names) == 0 {
		return fault.New(fault.Invalid, "it needs a name").WithHint(`write names, such as {"en": "River"}`)
	}
	return nil
}

type topicsOutput struct {
	Body struct {
		Topics []Topic `json:"topics" nullable:"false"`
	}
}

func (n *Newsroom) topics(ctx context.Context, _ *nothing) (*topicsOutput, error) {
	all, err := n.Stories.Topics(ctx, n.DB.Read(), nil)
	if err != nil {
		return nil, err
	}
	out := &topicsOutput{}
	out.Body.Topics = []Topic{}
	for _, t := range all {
		if !t.Internal {
			out.Body.Topics = append(out.Body.Topics, n.topicOf(t))
		}
	}
	return out, nil
}

func (n *Newsroom) topicOf(t story.Topic) Topic {
	return Topic{Slug: t.Slug, Kind: string(t.Kind), Names: texts(t.Names), Descriptions: t.Descriptions, Aliases: t.Aliases, URL: n.at(n.Config.Language, "/topic/"+t.Slug+"/")}
}

// topicBySlug gives a topic that anybody may know of.
func (n *Newsroom) topicBySlug(ctx context.Context, q db.Queryer, slug string) (story.Topic, error) {
	t, err := n.Stories.TopicBySlug(ctx, q, slug)
	if err == nil && t.Internal {
		return story.Topic{}, fault.New(fault.NotFound, "no such topic", "slug", slug)
	}
	return t, err
}

func (n *Newsroom) topic(ctx context.Context, in *SlugPath) (*topicOutput, error) {
	t, err := n.topicBySlug(ctx, n.DB.Read(), in.Slug)
	if err != nil {
		return nil, err
	}
	return &topicOutput{n.topicOf(t)}, nil
}

type createTopicInput struct{ Body NewTopic }

func (n *Newsroom) createTopic(ctx context.Context, in *createTopicInput) (*topicOutput, error) {
	return n.saveTopic(ctx, in.Body.Slug, true, in.Body.TopicChange)
}

type changeTopicInput struct {
	SlugPath
	Body TopicChange
}

func (n *Newsroom) changeTopic(ctx context.Context, in *changeTopicInput) (*topicOutput, error) {
	return n.saveTopic(ctx, in.Slug, false, in.Body)
}

func (n *Newsroom) saveTopic(ctx context.Context, slug string, isNew bool, c TopicChange) (out *topicOutput, err error) {
	err = n.change(ctx, func(ctx context.Context, tx *db.Tx, detail map[string]string) (string, error) {
		t, err := n.Stories.TopicBySlug(ctx, tx, slug)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return "", err
		}
		if err := expect("topic", slug, err == nil && (isNew || !t.Internal), isNew, false); err != nil {
			return "", err
		}
		if t.Slug = slug; t.Kind == "" {
			t.Kind = story.Subject
		}
		if c.Kind != nil {
			t.Kind = story.TopicKind(*c.Kind)
		}
		if err := setTexts(&t.Names, "names", c.Names, 200); err != nil {
			return "", err
		}
		if err := setTexts(&t.Descriptions, "descriptions", c.Descriptions, 2000); err != nil {
			return "", err
		}
		if c.Aliases != nil {
			t.Aliases = map[string][]string{}
			for tag, list := range *c.Aliases {
				lang, err := normalise(tag)
				if err != nil {
					return "", err
				}
				for _, a := range list {
					if a, err = line("an alias", a, 200); err != nil {
						return "", err
					}
					if a != "" && len(t.Aliases[lang]) < 100 {
						t.Aliases[lang] = append(t.Aliases[lang], a)
					}
				}
			}
		}
		if err := named(t.Names); err != nil {
			return "", err
		}
		detail["topic"] = t.Slug
		if err := n.Stories.SaveTopic(ctx, tx, &t); err != nil {
			return "", err
		}
		out = &topicOutput{n.topicOf(t)}
		return "topic:" + t.ID, nil
	})
	return out, err
}

type authorsOutput struct {
	Body struct {
		Authors []Author `json:"authors" nullable:"false"`
	}
}

func (n *Newsroom) authors(ctx context.Context, _ *nothing) (*authorsOutput, error) {
	all, err := n.Stories.Writers(ctx, n.DB.Read(), nil)
	if err != nil {
		return nil, err
	}
	out := &authorsOutput{}
	out.Body.Authors = make([]Author, len(all))
	for i, a := range all {
		out.Body.Authors[i] = n.authorOf(a)
	}
	return out, nil
}

func (n *Newsroom) authorOf(a story.Writer) Author {
	return Author{Slug: a.Slug, Names: texts(a.Names), Biographies: a.Biographies, Handle: a.Handle, Website: a.Website, URL: n.at(n.Config.Language, "/author/"+a.Slug+"/")}
}

func (n *Newsroom) author(ctx context.Context, in *SlugPath) (*authorOutput, error) {
	a, err := n.Stories.WriterBySlug(ctx, n.DB.Read(), in.Slug)
	if err != nil {
		return nil, err
	}
	return &authorOutput{n.authorOf(a)}, nil
}

type createAuthorInput struct{ Body NewAuthor }

func (n *Newsroom) createAuthor(ctx context.Context, in *createAuthorInput) (*authorOutput, error) {
	return n.saveAuthor(ctx, in.Body.Slug, true, in.Body.AuthorChange)
}

type changeAuthorInput struct {
	SlugPath
	Body AuthorChange
}

func (n *Newsroom) changeAuthor(ctx context.Context, in *changeAuthorInput) (*authorOutput, error) {
	return n.saveAuthor(ctx, in.Slug, false, in.Body)
}

func (n *Newsroom) saveAuthor(ctx context.Context, slug string, isNew bool, c AuthorChange) (out *authorOutput, err error) {
	err = n.change(ctx, func(ctx context.Context, tx *db.Tx, detail map[string]string) (string, error) {
		a, err := n.Stories.WriterBySlug(ctx, tx, slug)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return "", err
		}
		if err := expect("author", slug, err == nil, isNew, false); err != nil {
			return "", err
		}
		a.Slug = slug
		if err := setTexts(&a.Names, "names", c.Names, 200); err != nil {
			return "", err
		}
		if err := setTexts(&a.Biographies, "biographies", c.Biographies, 5000); err != nil {
			return "", err
		}
		if err := set(&a.Handle, "handle", c.Handle, 200); err != nil {
			return "", err
		}
		if err := set(&a.Website, "website", c.Website, 2000); err != nil {
			return "", err
		}
		if err := address("website", a.Website); err != nil {
			return "", err
		}
		if c.Portrait != nil {
			if a.PortraitID = *c.Portrait; a.PortraitID != "" {
				m, err := n.Media.ByID(ctx, tx, a.PortraitID)
				if err != nil {
					return "", invalid(err)
				}
				if m.Kind != media.Picture {
					return "", fault.New(fault.Invalid, "the portrait is no picture")
				}
			}
		}
		if err := named(a.Names); err != nil {
			return "", err
		}
		if err := n.Stories.SaveWriter(ctx, tx, &a); err != nil {
			return "", err
		}
		detail["author"] = a.Slug
		out = &authorOutput{n.authorOf(a)}
		return "author:" + a.ID, nil
	})
	return out, err
}

// texts gives an object even where there is no text, as the document promises.
func texts(t story.Texts) story.Texts {
	if t == nil {
		return story.Texts{}
	}
	return t
}

func normalise(lang string) (string, error) {
	tag, err := language.Normalise(lang)
	if err != nil {
		return "", fault.New(fault.Invalid, "this is no language").WithHint("write a BCP 47 tag, such as en or ar-EG")
	}
	return tag, nil
}
