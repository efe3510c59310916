package site

import (
	"context"
	"html/template"

	"masthead/internal/doc"
	"masthead/internal/story"
)

// renderBody renders what is sent of a story's words.
func (n *Newsroom) renderBody(ctx context.Context, lang string, sent *doc.Node, o doc.RenderOptions) (template.HTML, error) {
	q, f := n.DB.Read(), furniture(lang)
	found, err := n.Media.Shown(ctx, q, sent.Media()...)
	if err != nil {
		return "", err
	}
	linked := map[string]doc.Linked{}
	if ids := alsoRead(sent); len(ids) > 0 {
		cards, err := n.Stories.Cards(ctx, q, story.Query{StoryIDs: ids})
		if err != nil {
			return "", err
		}
		for _, c := range cards { // in the page's language, or whichever there is
			if _, ok := linked[c.StoryID]; !ok || c.Lang == lang {
				linked[c.StoryID] = doc.Linked{URL: c.Path, Headline: c.Headline, Kicker: c.Kicker}
			}
		}
	}
	o.Base = n.Config.URL.String()
	o.Labels = Labels(f)
	o.Picture = func(id string) (doc.Picture, bool) {
		m, ok := found[id]
		if !ok {
			return doc.Picture{}, false
		}
		w, h := m.Size(min(960, m.Width))
		return doc.Picture{Src: m.Path(960), Srcset: m.Srcset(), Sizes: "(min-width: 720px) 680px, 100vw", Width: w, Height: h,
			Alt: m.Alt(lang, n.Config.Language), Credit: m.Credit}, true
	}
	o.File = func(id string) (doc.File, bool) {
		m, ok := found[id]
		return doc.File{URL: m.Original(), Type: m.MIME, Name: m.Name, Bytes: m.Bytes}, ok
	}
	o.Story = func(id string) (doc.Linked, bool) { l, ok := linked[id]; return l, ok }
	return template.HTML(sent.HTML(o)), nil
}

// alsoRead gives the IDs of the stories that insets lead to.
func alsoRead(body *doc.Node) (ids []string) {
	body.Walk(func(node *doc.Node) bool {
		if id, _ := node.Attrs["story"].(string); node.Type == "also_read" && id != "" {
			ids = append(ids, id)
		}
		return true
	})
	return ids
}
