package site

import (
	"net/http"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/reader"
	"masthead/internal/web"
)

// ConfirmPage is the template "confirm": the link of the letter was opened; a
// button finishes, so that a scanner that follows links signs nobody in. It
// posts token and next to /signin/confirm.
type ConfirmPage struct {
	Base
	Email    string // part hidden: "m…@example.org"
	Token    string
	Next     string
	Register bool // a new account, not a known one
}

// confirm serves the link of the letter: a page with one button. A scanner
// that follows links gets no further, and spoils nothing.
func (n *Newsroom) confirm(w http.ResponseWriter, r *http.Request) error {
	token := r.URL.Query().Get("token")
	asked, err := n.Readers.Peek(r.Context(), n.DB.Read(), token)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Gone) {
		return n.signinPage(w, r, http.StatusGone, furniture(lang(r)).T(ProblemLinkSpent))
	}
	if err != nil {
		return err
	}
	t, err := n.taxonomy(r.Context(), lang(r))
	if err != nil {
		return err
	}
	p := ConfirmPage{Base: n.base(r, t, "/signin/confirm", nil), Email: reader.Mask(asked.Email), Token: token, Next: asked.ReturnTo, Register: asked.Register}
	p.Path = n.at(lang(r), "/signin/confirm") // the token goes into no other link
	p.Title, p.NoIndex = p.T("confirm.title"), true
	if asked.Register {
		p.Title = p.T("confirm.register_title")
	}
	w.Header().Set("Referrer-Policy", "no-referrer")
	return n.sendForm(w, http.StatusOK, "confirm", p)
}

// confirmLink is the button of that page.
func (n *Newsroom) confirmLink(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	return n.enter(w, r, func(tx *db.Tx) (reader.Entry, error) {
		return n.Readers.ConfirmLink(r.Context(), tx, r.PostFormValue("token"))
	})
}

// enter signs the browser in and brings the reader back to where he was.
func (n *Newsroom) enter(w http.ResponseWriter, r *http.Request, confirm func(tx *db.Tx) (reader.Entry, error)) error {
	var entry reader.Entry
	var session reader.Session
	var cookie string
	err := n.DB.InTx(r.Context(), func(tx *db.Tx) (err error) {
		if v := visitorOf(r); v.reader != nil { // whoever was signed in here is not any more
			if err := n.Readers.EndSession(r.Context(), tx, v.reader.Reader.ID, v.reader.Session.ID); err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
		}
		if entry, err = confirm(tx); err != nil {
			return err
		}
		session, cookie, err = n.Readers.StartSession(r.Context(), tx, entry.Reader.ID, r.UserAgent())
		return err
	})
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Gone) {
		return n.signinPage(w, r, http.StatusGone, furniture(lang(r)).T(ProblemLinkSpent))
	}
	if err != nil {
		return err
	}
	n.registered(r, entry.New)
	web.SetCookie(w, r, sessionCookie, cookie, session.ExpiresAt.Sub(n.Now()))
	dropPass(w, r) // it may be somebody else's
	web.DropCookie(w, r, signinCookie)
	target := entry.ReturnTo
	if target == "" || target == "/" {
		target = n.at(lang(r), "/account")
	}
	return n.goTo(w, r, target)
}
