package site

import (
	"context"
	"net/http"
	"net/url"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/story"
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
func (n *Newsroom) giftForm(r *http.Request, storyID string, left int) *GiftForm {
	return &GiftForm{Action: n.at(lang(r), "/gift"), Story: storyID, Left: left}
}

// giftsLeft gives how many stories a reader may still give.
func (n *Newsroom) giftsLeft(r *http.Request, readerID string) (int, error) {
	return n.Engine.left.Get(r.Context(), readerID, func(ctx context.Context) (int, []string, int, error) {
		left, err := n.WallStore.GiftsLeft(ctx, n.DB.Read(), readerID)
		return left, []string{giftsTag(readerID), ReaderTag(readerID)}, 8, err
	})
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
	rt, err := n.route(ctx, e.Path)
	if err != nil {
		return err
	}
	visit := n.visit(r)
	visit.Peek = true // what the reader has read, he may give; giving counts nothing
	d := n.Wall.Decide(visit, rt.item)
	p, err := n.storyPage(r, rt, d)
	if err != nil {
		return err
	}
	if !d.Full {
		if p.Wall, err = n.wallPanel(r, rt, d); err != nil {
			return err
		}
	}
	var token string
	err = n.DB.InTx(ctx, func(tx *db.Tx) (err error) {
		if _, token, err = n.WallStore.GiftCreate(ctx, tx, visit.Reader, rt.story.ID, d); err != nil {
			return err
		}
		return n.Tell(ctx, tx, giftsTag(visit.Reader.ID))
	})
	if err != nil && !fault.Is(err, fault.TooMany) {
		return err
	}
	left, err := n.giftsLeft(r, visit.Reader.ID)
	if err != nil {
		return err
	}
	p.GiftForm = n.giftForm(r, rt.story.ID, left)
	if token != "" {
		p.GiftForm.Link = n.absolute(e.Path) + "?gift=" + url.QueryEscape(token)
	}
	return n.sendForm(w, http.StatusOK, "story", p)
}

// giftsTag is the tag of how many gifts a reader has left.
func giftsTag(readerID string) string { return "gifts:" + readerID }
