package api

import (
	"context"

	"masthead/internal/story"
)

// Section is a desk of the newsroom, or a part of one.
type Section struct {
	Slug         string      `json:"slug"`
	Parent       string      `json:"parent,omitempty" doc:"Slug of the section that it is a part of"`
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

type nothing struct{}

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
		out.Body.Sections[i] = Section{Slug: s.Slug, Names: texts(s.Names), Descriptions: s.Descriptions, URL: n.at(n.Config.Language, "/"+s.Slug+"/")}
		if parent, ok := all.ByID(s.ParentID); ok {
			out.Body.Sections[i].Parent = parent.Slug
		}
	}
	return out, nil
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
			out.Body.Topics = append(out.Body.Topics, Topic{Slug: t.Slug, Kind: string(t.Kind), Names: texts(t.Names), Descriptions: t.Descriptions,
				Aliases: t.Aliases, URL: n.at(n.Config.Language, "/topic/"+t.Slug+"/")})
		}
	}
	return out, nil
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
		out.Body.Authors[i] = Author{Slug: a.Slug, Names: texts(a.Names), Biographies: a.Biographies, Handle: a.Handle, Website: a.Website,
			URL: n.at(n.Config.Language, "/author/"+a.Slug+"/")}
	}
	return out, nil
}

// texts gives an object even where there is no text, as the document promises.
func texts(t story.Texts) story.Texts {
	if t == nil {
		return story.Texts{}
	}
	return t
}
