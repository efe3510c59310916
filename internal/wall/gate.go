package wall

import (
	"masthead/internal/doc"
	"masthead/internal/story"
)

// ItemOf gives a story's edition as the wall sees it. topics are the slugs of
// the story's topics.
func ItemOf(st story.Story, e story.Edition, sections story.Sections, topics []string) Item {
	it := Item{
		StoryID: st.ID, Topics: topics, PublishedAt: e.PublishedAt, Access: string(st.Access),
		Protected: st.PasswordHash != "", Lang: e.Lang, Words: e.Words, Kind: string(st.Kind),
	}
	return it.open().in(st.SectionID, sections)
}

// ItemOfCard is [ItemOf] for what a list knows of a story.
func ItemOfCard(c story.Card, sections story.Sections, topics []string) Item {
	it := Item{
		StoryID: c.StoryID, Topics: topics, PublishedAt: c.PublishedAt, Access: string(c.Access),
		Protected: c.Protected, Lang: c.Lang, Words: c.Words, Kind: string(c.Kind),
	}
	return it.open().in(c.SectionID, sections)
}

// open opens standing pages that ask nothing themselves: the rules are about reporting.
func (it Item) open() Item {
	if it.Kind == string(story.Page) && it.Access == "" {
		it.Access = string(story.Open)
	}
	return it
}

func (it Item) in(sectionID string, sections story.Sections) Item {
	for _, s := range sections.Path(sectionID) {
		it.Sections = append(it.Sections, s.Slug)
	}
	if len(it.Sections) > 0 {
		it.Section = it.Sections[0]
	}
	return it
}

// Cut gives as much of a body as the decision lets go out: all of it, its
// preview, or, where the story is behind a password, nothing. Whatever is sent
// to anybody on any surface comes from here. withheld tells that something was
// kept back.
func (d Decision) Cut(body *doc.Node, limit doc.Limit) (sent *doc.Node, withheld bool) {
	switch {
	case d.Full:
		return body, false
	case d.Verdict == Closed:
		return doc.Empty(), true
	}
	preview, _ := body.Split(limit)
	return preview, true
}

// MayReadAll reports whether the whole text may be sent: what a permit of the
// page engine asks.
func (d Decision) MayReadAll() bool { return d.Full }

// Withheld is what d withholds, whoever asked: the decision that a page with
// nothing but the preview is made by.
func (d Decision) Withheld() Decision {
	if d.Verdict == Closed {
		return Decision{Verdict: Closed}
	}
	return Decision{Verdict: Register}
}
