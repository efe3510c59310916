package api

import (
	"context"

	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/media"
	"masthead/internal/story"
)

// html renders what is sent of a story: for readers outside the site, or so that
// it can be read back without a loss.
func (n *Newsroom) html(ctx context.Context, lang string, sent *doc.Node, outside bool) (string, error) {
	q, f := n.DB.Read(), language.Get(lang)
	found, err := n.Media.Shown(ctx, q, sent.Media()...)
	if err != nil {
		return "", err
	}
	var ids []string
	sent.Walk(func(node *doc.Node) bool {
		if id := node.Attr("story"); node.Type == "also_read" && id != "" {
			ids = append(ids, id)
		}
		return true
	})
	linked := map[string]doc.Linked{}
	if len(ids) > 0 {
		cards, err := n.Stories.Cards(ctx, q, story.Query{StoryIDs: ids})
		if err != nil {
			return "", err
		}
		for _, c := range cards { // in the edition's language, or whichever there is
			if _, ok := linked[c.StoryID]; !ok || c.Lang == lang {
				linked[c.StoryID] = doc.Linked{URL: c.Path, Headline: c.Headline, Kicker: c.Kicker}
			}
		}
	}
	return sent.HTML(doc.RenderOptions{
		Base: n.Config.URL.String(),
		Feed: outside,
		Labels: doc.Labels{AlsoRead: f.T("doc.also_read"), Footnotes: f.T("doc.footnotes"), Load: f.T("doc.embed", "%s"),
			BackToText: f.T("doc.back"), Picture: f.T("doc.picture"), Download: f.T("doc.download")},
		Picture: func(id string) (doc.Picture, bool) {
			m, ok := found[id]
			if !ok || m.Kind != media.Picture {
				return doc.Picture{}, false
			}
			w, h := m.Size(min(960, m.Width))
			return doc.Picture{Src: m.Path(960), Srcset: m.Srcset(), Width: w, Height: h, Alt: m.Alt(lang, n.Config.Language), Credit: m.Credit}, true
		},
		File: func(id string) (doc.File, bool) {
			m, ok := found[id]
			return doc.File{URL: m.Original(), Type: m.MIME, Name: m.Name, Bytes: m.Bytes}, ok
		},
		Story: func(id string) (doc.Linked, bool) { l, ok := linked[id]; return l, ok },
	}), nil
}

// lead gives the lead picture, nil where there is none.
func (n *Newsroom) lead(ctx context.Context, st story.Story, e story.Edition) (*Lead, error) {
	if st.LeadMediaID == "" {
		return nil, nil
	}
	m, err := n.Media.ByID(ctx, n.DB.Read(), st.LeadMediaID)
	if fault.Is(err, fault.NotFound) || err == nil && (m.Kind != media.Picture || m.Ended(n.Now())) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	w, h := m.Size(min(1280, m.Width))
	l := &Lead{URL: n.absolute(m.Path(1280)), Width: w, Height: h, Alt: e.LeadAlt, Caption: e.LeadCaption, Credit: m.Credit, Licence: m.Licence}
	if l.Alt == "" {
		l.Alt = m.Alt(e.Lang, n.Config.Language)
	}
	if l.Caption == "" {
		l.Caption = m.Caption(e.Lang, n.Config.Language)
	}
	return l, nil
}
