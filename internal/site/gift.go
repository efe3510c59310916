package site

import (
	"net/http"
	"net/url"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/story"
	"masthead/internal/wall"
)

// Gift tells a reader that somebody gave him this story.
type Gift struct {
	From    string // a name; may be empty
	Expires language.Moment
}

// GiftForm lets a reader with access give the story away.
type GiftForm struct {
	Action string // POST
	Story  string // ID
	Left   int    // links left this month
	Link   string // the link just made; empty before
}

// giftForm lets a reader give the story away, as long as his quota lasts.
func (n *Newsroom) giftForm(r *http.Request, storyID string) (*GiftForm, error) {
	v := visitorOf(r)
	left, err := n.WallStore.GiftsLeft(r.Context(), n.DB.Read(), v.reader.Reader.ID)
	if err != nil {
		return nil, err
	}
	return &GiftForm{Action: n.at(lang(r), "/gift"), Story: storyID, Left: left}, nil
}

// give makes a gift link for a story and shows its page again, with the link.
func (n *Newsroom) give(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	v, err := n.signedIn(w, r)
	if v == nil || err != nil {
		return err
	}
	ctx, q := r.Context(), n.DB.Read()
	e, err := n.Stories.EditionOf(ctx, q, r.PostFormValue("story"), lang(r))
	if err != nil {
		return err
	}
	if e.Status != story.Published {
		return fault.New(fault.NotFound, "no such story")
	}
	st, err := n.Stories.ByID(ctx, q, e.StoryID)
	if err != nil {
		return err
	}
	t, err := n.taxonomy(ctx, lang(r))
	if err != nil {
		return err
	}
	topics, err := n.Stories.Topics(ctx, q, orEmpty(st.Topics))
	if err != nil {
		return err
	}
	visit := n.visit(r)
	visit.Peek = true // what the reader has read, he may give; giving counts nothing
	d := n.Wall.Decide(visit, wall.ItemOf(st, e, t.sections, slugs(topics)))
	p, err := n.storyPage(r, t, st, e, topics, d)
	if err != nil {
		return err
	}
	var token string
	err = n.DB.InTx(ctx, func(tx *db.Tx) (err error) {
		_, token, err = n.WallStore.GiftCreate(ctx, tx, visit.Reader, st.ID, d)
		return err
	})
	if err != nil && !fault.Is(err, fault.TooMany) {
		return err
	}
	if p.GiftForm, err = n.giftForm(r, st.ID); err != nil {
		return err
	}
	if token != "" {
		p.GiftForm.Link = n.absolute(e.Path) + "?gift=" + url.QueryEscape(token)
	}
	return n.sendForm(w, http.StatusOK, "story", p)
}
