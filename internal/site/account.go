package site

import (
	"net/http"
	"net/url"

	"masthead/internal/db"
	"masthead/internal/language"
	"masthead/internal/reader"
	"masthead/internal/story"
	"masthead/internal/web"
)

// AccountPage is the template "account". Its forms post to /account/profile
// (name, language), /account/newsletters (newsletter, repeated),
// /account/sessions (session, or all=1), /account/gifts (gift),
// /account/delete (confirm) and /signout; /account/export gives JSON.
type AccountPage struct {
	Base
	Email       string
	Name        string
	Since       language.Moment
	Tier        string // name of the reader's tier; empty for none
	Languages   []Option
	Newsletters []NewsletterChoice
	Sessions    []Session
	Gifts       []GivenGift
	GiftsLeft   int
	Problem     string
}

// Session is one signed-in browser.
type Session struct {
	ID      string
	Device  string // "Firefox on Linux"
	Place   string // network address or place; may be empty
	Seen    language.Moment
	Current bool
}

// GivenGift is a gift link that the reader has made.
type GivenGift struct {
	ID       string
	Headline string
	URL      string
	Link     string
	Expires  language.Moment
	Opened   int
	Revoked  bool
}

// signedIn gives the reader, or sends the visitor to sign in first.
func (n *Newsroom) signedIn(w http.ResponseWriter, r *http.Request) (*reader.Visit, error) {
	if v := n.wholeReader(w, r); v != nil {
		return v, nil
	}
	return nil, n.goTo(w, r, n.at(lang(r), "/signin")+"?next="+url.QueryEscape(n.at(lang(r), "/account")))
}

// account serves "/account".
func (n *Newsroom) account(w http.ResponseWriter, r *http.Request) error {
	return n.accountPage(w, r, http.StatusOK, "")
}

func (n *Newsroom) accountPage(w http.ResponseWriter, r *http.Request, status int, problem string) error {
	v, err := n.signedIn(w, r)
	if v == nil || err != nil {
		return err
	}
	ctx, q, l := r.Context(), n.DB.Read(), lang(r)
	t, err := n.taxonomy(ctx, lang(r))
	if err != nil {
		return err
	}
	p := AccountPage{Base: n.base(r, t, "/account", n.everyLanguage(l, "/account")), Email: v.Reader.Email, Name: v.Reader.Name, Problem: problem}
	p.Title, p.NoIndex = p.T("account.title"), true
	p.Since = p.Furniture.Date(v.Reader.CreatedAt.In(n.Config.Timezone))
	for _, h := range v.Tiers {
		p.Tier = n.tierName(ctx, h.Tier, l)
	}
	for _, code := range n.languages() {
		p.Languages = append(p.Languages, Option{Value: code, Name: language.OwnName(code), Lang: code, Selected: code == v.Reader.Lang})
	}
	subscribed, err := n.Readers.Newsletters(ctx, q, v.Reader.ID)
	if err != nil {
		return err
	}
	var slugs []string
	for _, s := range subscribed {
		slugs = append(slugs, s.Newsletter)
	}
	if p.Newsletters, err = n.newsletterChoices(r, slugs); err != nil {
		return err
	}
	sessions, err := n.Readers.Sessions(ctx, q, v.Reader.ID)
	if err != nil {
		return err
	}
	for _, s := range sessions {
		p.Sessions = append(p.Sessions, Session{ID: s.ID, Device: s.Agent, Seen: p.Furniture.DateTime(s.SeenAt.In(n.Config.Timezone)), Current: s.ID == v.Session.ID})
	}
	if err := n.accountGifts(r, v, &p); err != nil {
		return err
	}
	return n.sendForm(w, status, "account", p)
}

func (n *Newsroom) accountGifts(r *http.Request, v *reader.Visit, p *AccountPage) error {
	ctx, q := r.Context(), n.DB.Read()
	gifts, err := n.WallStore.GiftsOf(ctx, q, v.Reader.ID)
	if err != nil {
		return err
	}
	for _, g := range gifts {
		cards, err := n.Stories.Cards(ctx, q, story.Query{StoryIDs: []string{g.StoryID}, AnyKind: true})
		if err != nil {
			return err
		}
		if len(cards) == 0 {
			continue // withdrawn since
		}
		c := cards[0]
		for _, other := range cards {
			if other.Lang == lang(r) {
				c = other
			}
		}
		p.Gifts = append(p.Gifts, GivenGift{ID: g.ID, Headline: c.Headline, URL: c.Path,
			Expires: p.Furniture.Date(g.ExpiresAt.In(n.Config.Timezone)), Opened: g.Opened, Revoked: !g.Live(n.Now())})
	}
	p.GiftsLeft, err = n.WallStore.GiftsLeft(ctx, q, v.Reader.ID)
	return err
}

// changeAccount runs a change of the reader's account and returns to its page.
func (n *Newsroom) changeAccount(w http.ResponseWriter, r *http.Request, done string, change func(tx *db.Tx, v *reader.Visit) error) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	v, err := n.signedIn(w, r)
	if v == nil || err != nil {
		return err
	}
	if err := n.DB.InTx(r.Context(), func(tx *db.Tx) error { return change(tx, v) }); err != nil {
		return err
	}
	return n.goTo(w, r, n.at(lang(r), "/account")+"?done="+done)
}

func (n *Newsroom) saveProfile(w http.ResponseWriter, r *http.Request) error {
	return n.changeAccount(w, r, "saved", func(tx *db.Tx, v *reader.Visit) error {
		return n.Readers.SetProfile(r.Context(), tx, v.Reader.ID, r.PostFormValue("name"), r.PostFormValue("language"))
	})
}

func (n *Newsroom) saveNewsletters(w http.ResponseWriter, r *http.Request) error {
	return n.changeAccount(w, r, "saved", func(tx *db.Tx, v *reader.Visit) error {
		lists, err := n.Newsletters.All(r.Context(), tx)
		if err != nil {
			return err
		}
		var slugs []string
		for _, list := range lists {
			if chosen(r, "newsletter", list.Slug) {
				slugs = append(slugs, list.Slug)
			}
		}
		return n.Readers.SetNewsletters(r.Context(), tx, v.Reader.ID, slugs)
	})
}

// endSessions signs out one browser, or all of them, this one too.
func (n *Newsroom) endSessions(w http.ResponseWriter, r *http.Request) error {
	return n.changeAccount(w, r, "session_ended", func(tx *db.Tx, v *reader.Visit) error {
		if r.PostFormValue("all") != "" {
			return n.Readers.EndSessions(r.Context(), tx, v.Reader.ID)
		}
		return n.Readers.EndSession(r.Context(), tx, v.Reader.ID, r.PostFormValue("session"))
	})
}

func (n *Newsroom) revokeGift(w http.ResponseWriter, r *http.Request) error {
	return n.changeAccount(w, r, "gift_revoked", func(tx *db.Tx, v *reader.Visit) error {
		return n.WallStore.GiftRevoke(r.Context(), tx, v.Reader.ID, r.PostFormValue("gift"))
	})
}

// deleteAccount erases the reader, once he has ticked that he means it.
func (n *Newsroom) deleteAccount(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	v, err := n.signedIn(w, r)
	if v == nil || err != nil {
		return err
	}
	if r.PostFormValue("confirm") == "" {
		return n.accountPage(w, r, http.StatusUnprocessableEntity, furniture(lang(r)).T(ProblemConfirmDelete))
	}
	err = n.DB.InTx(r.Context(), func(tx *db.Tx) error { return n.Readers.Delete(r.Context(), tx, v.Reader.ID) })
	if err != nil {
		return err
	}
	web.DropCookie(w, r, sessionCookie)
	dropPass(w, r)
	return n.goTo(w, r, n.at(lang(r), "/")+"?done=deleted")
}
