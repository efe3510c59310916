package wall

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/doc"
	"masthead/internal/story"
)

func TestItemOf(t *testing.T) {
	sections := story.Sections{{ID: "1", Slug: "world"}, {ID: "2", ParentID: "1", Slug: "harbour"}}
	st := story.Story{ID: "s", Kind: story.Report, SectionID: "2", Access: story.ForTier("friend"), PasswordHash: "x"}
	e := story.Edition{Lang: "ar", Words: 700, PublishedAt: noon}
	want := Item{StoryID: "s", Section: "harbour", Sections: []string{"harbour", "world"}, Topics: []string{"ports"},
		PublishedAt: noon, Access: "tier:friend", Protected: true, Lang: "ar", Words: 700, Kind: "story"}
	if diff := cmp.Diff(want, ItemOf(st, e, sections, []string{"ports"})); diff != "" {
		t.Error(diff)
	}
	card := story.Card{StoryID: "s", Kind: story.Report, SectionID: "2", Access: story.ForTier("friend"), Protected: true, Lang: "ar", Words: 700, PublishedAt: noon}
	if diff := cmp.Diff(want, ItemOfCard(card, sections, []string{"ports"})); diff != "" {
		t.Error(diff)
	}
}

// No word from behind the wall is in what is cut for a reader without access.
func TestCut(t *testing.T) {
	body, err := doc.Parse([]byte(`{"type": "doc", "content": [
		{"type": "paragraph", "content": [{"type": "text", "text": "Free words stand here."}]},
		{"type": "wall_mark"},
		{"type": "paragraph", "content": [{"type": "text", "text": "Kept words stand here."}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		d          Decision
		free, kept bool
	}{
		"full":     {Decision{Full: true, Offered: true}, true, true},
		"register": {Decision{Verdict: Register}, true, false},
		"a peek":   {Decision{Verdict: Metered, Offered: true}, true, false},
		"closed":   {Decision{Verdict: Closed}, false, false},
	} {
		sent, withheld := test.d.Cut(body, doc.Limit{Paragraphs: 9, Words: 999})
		text := sent.PlainText()
		if strings.Contains(text, "Free") != test.free || strings.Contains(text, "Kept") != test.kept || withheld == test.d.Full {
			t.Errorf("%s: %q, withheld %v", name, text, withheld)
		}
	}
}
