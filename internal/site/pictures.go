package site

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"masthead/internal/media"
	"masthead/internal/story"
)

// pictures gives the lead pictures of many cards with one query.
func (n *Newsroom) pictures(ctx context.Context, cards []story.Card) (map[string]media.Media, error) {
	var ids []string
	for _, c := range cards {
		if c.LeadMediaID != "" {
			ids = append(ids, c.LeadMediaID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	return n.Media.Shown(ctx, n.DB.Read(), ids...)
}

// picture shows a medium at about the given width; what is no picture gives the zero Picture.
func (n *Newsroom) picture(m media.Media, lang, alt string, width int) Picture {
	if m.Kind != media.Picture {
		return Picture{}
	}
	w, h := m.Size(min(width, m.Width))
	if alt == "" {
		alt = m.Alt(lang, n.Config.Language)
	}
	return Picture{Src: m.Path(width), SrcSet: m.Srcset(), Width: w, Height: h, Alt: alt, Credit: m.Credit,
		FocalX: m.Focal.X / 10, FocalY: m.Focal.Y / 10}
}

// lead gives the story's lead picture with its caption, and the address of its
// cut for social cards; the zero Picture where it has none.
func (n *Newsroom) lead(ctx context.Context, st story.Story, e story.Edition) (Picture, string, error) {
	if st.LeadMediaID == "" {
		return Picture{}, "", nil
	}
	found, err := n.Media.Shown(ctx, n.DB.Read(), st.LeadMediaID)
	if err != nil {
		return Picture{}, "", err
	}
	m, ok := found[st.LeadMediaID]
	if !ok {
		return Picture{}, "", nil
	}
	p := n.picture(m, e.Lang, e.LeadAlt, 1280)
	caption := e.LeadCaption
	if caption == "" {
		caption = m.Caption(e.Lang, n.Config.Language)
	}
	p.Caption = template.HTML(template.HTMLEscapeString(caption))
	if m.Licence != "" {
		p.Licence = Link{Name: m.Licence, URL: licenceURL(m.Licence)}
	}
	return p, m.Card(), nil
}

// licenceURL gives the address of a Creative Commons licence named as usual, such as "CC BY-SA 4.0".
func licenceURL(name string) string {
	words := strings.Fields(strings.ToLower(name))
	if len(words) == 3 && words[0] == "cc" {
		return "https://creativecommons.org/licenses/" + words[1] + "/" + words[2] + "/"
	}
	return ""
}

// mediaFile serves "/media/{hash}/{name}", which never changes.
func (n *Newsroom) mediaFile(w http.ResponseWriter, r *http.Request) error {
	c, err := n.Media.Open(r.Context(), r.URL.Path)
	if err != nil {
		return err
	}
	defer c.Close()
	h := w.Header()
	h.Set("Content-Type", c.MIME)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("ETag", c.ETag)
	n.shareMedia(w, r)
	h.Set("Cross-Origin-Resource-Policy", "cross-origin") // social cards and feed readers show pictures elsewhere
	if c.Attachment {
		h.Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(c.Name))
	}
	// A file of somebody else's making gets nothing to act with, should it be opened as a page.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	http.ServeContent(w, r, "", time.Time{}, c)
	return nil
}

// host gives the host of an address, for showing a link.
func host(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return strings.TrimPrefix(u.Host, "www.")
	}
	return address
}
