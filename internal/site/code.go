package site

import (
	"net/http"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/reader"
)

// CodePage is the template "code": a letter is on its way, whether or not the
// address is known; the code in it is asked for. It posts code, attempt and
// next to /signin/code.
type CodePage struct {
	Base
	Email   string // as typed
	Attempt string // names this sign-in; opaque
	Next    string
	Minutes int // the code's life
	Problem string
	Outbox  string // "/dev/mail" in a demo, else empty
}

// code serves "/signin/code", to the browser that asked for a letter.
func (n *Newsroom) code(w http.ResponseWriter, r *http.Request) error {
	return n.codePage(w, r, http.StatusOK, "")
}

func (n *Newsroom) codePage(w http.ResponseWriter, r *http.Request, status int, problem string) error {
	asked, ok := n.pending(r)
	if !ok {
		return n.goTo(w, r, n.at(lang(r), "/signin"))
	}
	t, err := n.taxonomy(r.Context(), lang(r))
	if err != nil {
		return err
	}
	p := CodePage{Base: n.base(r, t, "/signin/code", nil), Email: asked.email, Next: asked.next, Minutes: n.Config.SignInMinutes, Problem: problem}
	p.Title, p.NoIndex = p.T("code.title"), true
	if n.Outbox != nil {
		p.Outbox = "/dev/mail"
	}
	return n.sendForm(w, status, "code", p)
}

// enterCode takes the code of the letter.
func (n *Newsroom) enterCode(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	asked, ok := n.pending(r)
	if !ok {
		return n.goTo(w, r, n.at(lang(r), "/signin"))
	}
	f := furniture(lang(r))
	proof, err := n.Readers.CheckCode(r.Context(), n.DB, asked.id, r.PostFormValue("code"))
	switch {
	case fault.Is(err, fault.Invalid):
		return n.codePage(w, r, http.StatusUnprocessableEntity, f.T(ProblemCodeWrong))
	case fault.Is(err, fault.TooMany), fault.Is(err, fault.Gone):
		return n.codePage(w, r, http.StatusUnprocessableEntity, f.T(ProblemCodeSpent))
	case err != nil:
		return err
	}
	return n.enter(w, r, func(tx *db.Tx) (reader.Entry, error) { return n.Readers.ConfirmCode(r.Context(), tx, proof) })
}
