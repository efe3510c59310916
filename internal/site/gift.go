package site

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

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
func (n *Newsroom) giftForm(r *http.Request, storyID string) (*GiftForm, error) {
	id := visitorOf(r).reader.Reader.ID
	text, err := n.Engine.parts.Get(r.Context(), "gifts\x00"+id, func(ctx context.Context) ([]byte, []string, int, error) {
		left, err := n.WallStore.GiftsLeft(ctx, n.DB.Read(), id)
		return strconv.AppendInt(nil, int64(left), 10), []string{giftsTag(id), ReaderTag(id)}, 8, err
	})
	if err != nil {
		return nil, err
	}
	left, err := strconv.Atoi(string(text))
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
	rt, err := n.route(r.WithContext(context.WithValue(ctx, pathKey, e.Path)))
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
	if p.GiftForm, err = n.giftForm(r, rt.story.ID); err != nil {
		return err
	}
	if token != "" {
		p.GiftForm.Link = n.absolute(e.Path) + "?gift=" + url.QueryEscape(token)
	}
	return n.sendForm(w, http.StatusOK, "story", p)
}

// giftsTag is the tag of how many gifts a reader has left.
func giftsTag(readerID string) string { return "gifts:" + readerID }
