package site

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/mail"
	"masthead/internal/reader"
	"masthead/internal/web"
)

// maxForm is the most bytes that a form may have.
const maxForm = 64 << 10

// readerRoutes are the pages of registering, signing in and the account.
func (n *Newsroom) readerRoutes(page func(pattern string, h web.Handler)) {
	page("GET /register", n.register)
	page("POST /register", n.askForLetter)
	page("GET /signin", n.signin)
	page("POST /signin", n.askForLetter)
	page("GET /signin/code", n.code)
	page("POST /signin/code", n.enterCode)
	page("GET /signin/confirm", n.confirm)
	page("POST /signin/confirm", n.confirmLink)
	page("POST /signout", n.signout)

	page("GET /account", n.account)
	page("GET /account/export", n.exportAccount)
	page("POST /account/profile", n.saveProfile)
	page("POST /account/newsletters", n.saveNewsletters)
	page("POST /account/sessions", n.endSessions)
	page("POST /account/gifts", n.revokeGift)
	page("POST /account/delete", n.deleteAccount)
	page("POST /gift", n.give)

	if n.Outbox != nil {
		page("GET /dev/mail", n.outbox)
		page("GET /dev/mail/{id}", n.letter)
		page("GET /dev/mail/{id}/html", n.letterFrame)
	}
}

// SignInPage is the template "signin": the address is asked for. It posts
// email, next and the honeypot to /signin.
type SignInPage struct {
	Base
	Next    string
	Email   string
	Problem string
}

// signin serves "/signin".
func (n *Newsroom) signin(w http.ResponseWriter, r *http.Request) error {
	return n.signinPage(w, r, http.StatusOK, "")
}

func (n *Newsroom) signinPage(w http.ResponseWriter, r *http.Request, status int, problem string) error {
	if visitorOf(r).reader != nil {
		return n.goTo(w, r, n.at(lang(r), "/account"))
	}
	t, err := n.taxonomy(r.Context(), lang(r))
	if err != nil {
		return err
	}
	p := SignInPage{Base: n.base(r, t, "/signin", n.everyLanguage(lang(r), "/signin")), Next: next(r), Email: r.PostFormValue("email"), Problem: problem}
	p.Title, p.NoIndex = p.T("signin.title"), true
	return n.sendForm(w, status, "signin", p)
}

// pending is the sign-in that this browser asked for, as its cookie holds it.
type pending struct{ id, email, next string }

func (n *Newsroom) pending(r *http.Request) (pending, bool) {
	value, ok := n.Signer.Signed(r, signinCookie)
	if !ok {
		return pending{}, false
	}
	v, err := url.ParseQuery(value)
	return pending{v.Get("id"), v.Get("email"), v.Get("next")}, err == nil
}

func (n *Newsroom) keepPending(w http.ResponseWriter, r *http.Request, p pending) {
	value := url.Values{"id": {p.id}, "email": {p.email}, "next": {p.next}}.Encode()
	n.Signer.SetSigned(w, r, signinCookie, value, time.Duration(n.Config.SignInMinutes)*time.Minute+time.Hour)
}

// askForLetter takes an address from "/register", "/signin" or the wall and
// sends the one letter. The answer is the same whether or not the address is
// known; only the letter itself tells.
func (n *Newsroom) askForLetter(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	again := n.registerPage
	if r.URL.Path == "/signin" {
		again = n.signinPage
	}
	request := reader.Request{Email: r.PostFormValue("email"), ReturnTo: next(r), Lang: lang(r), Name: r.PostFormValue("name")}
	if r.PostFormValue("website") != "" { // the field that only machines fill: it is told what everybody is told
		n.keepPending(w, r, pending{id: db.NewID(), email: request.Email, next: request.ReturnTo})
		return n.goTo(w, r, n.at(lang(r), "/signin/code"))
	}
	if ip := web.ClientIP(r.Context()); ip.IsValid() {
		request.Network = reader.Network(ip)
	}
	known, err := n.Newsletters.All(r.Context(), n.DB.Read())
	if err != nil {
		return err
	}
	for _, list := range known {
		if chosen(r, "newsletter", list.Slug) {
			request.Newsletters = append(request.Newsletters, list.Slug)
		}
	}
	var letter reader.Letter
	err = n.DB.InTx(r.Context(), func(tx *db.Tx) (err error) {
		letter, err = n.Readers.Begin(r.Context(), tx, request)
		return err
	})
	if problem, status := n.signinProblem(w, r, err); problem != "" {
		return again(w, r, status, problem)
	}
	if err != nil {
		return err
	}
	if err := n.sendSignin(r, letter); err != nil {
		return err
	}
	n.keepPending(w, r, pending{id: letter.SigninID, email: request.Email, next: request.ReturnTo})
	return n.goTo(w, r, n.at(lang(r), "/signin/code"))
}

// signinProblem puts an expected fault into a sentence of the page's language.
func (n *Newsroom) signinProblem(w http.ResponseWriter, r *http.Request, err error) (problem string, status int) {
	f := furniture(lang(r))
	var limit *reader.LimitError
	switch {
	case errors.As(err, &limit):
		w.Header().Set("Retry-After", strconv.Itoa(int(limit.After/time.Second)))
		return f.T(ProblemTooMany), http.StatusTooManyRequests
	case fault.Is(err, fault.Invalid) && n.Readers.Refused.Has(r.PostFormValue("email")):
		return f.T(ProblemDisposable), http.StatusUnprocessableEntity
	case fault.Is(err, fault.Invalid):
		return f.T(ProblemEmail), http.StatusUnprocessableEntity
	}
	return "", 0
}

// SignInLetter is the letter "letter/signin", in HTML and in plain text, for
// signing in and for registering alike.
type SignInLetter struct {
	*language.Furniture
	SiteName string
	SiteURL  string
	Lang     string
	Dir      string
	Accent   string // "#0b4a58"
	Name     string // may be empty
	Link     string // absolute
	Code     string // "123 456"
	Minutes  int    // life of both
	Register bool
}

// sendSignin writes the letter with the link and the code.
func (n *Newsroom) sendSignin(r *http.Request, l reader.Letter) error {
	link := n.absolute(n.at(lang(r), "/signin/confirm")) + "?token=" + url.QueryEscape(l.LinkToken)
	p := SignInLetter{Furniture: furniture(lang(r)), Lang: lang(r), Dir: dir(lang(r)), SiteName: n.Config.In(lang(r)).Title, SiteURL: n.Config.URL.String(), Accent: n.Config.Accent,
		Link: link, Code: l.Code, Minutes: n.Config.SignInMinutes, Register: l.Register}
	html, err := n.Pages.Bytes("letter/signin", p)
	if err != nil {
		return err
	}
	text, err := n.Pages.Text("letter/signin", p)
	if err != nil {
		return err
	}
	return n.Mail.Send(r.Context(), mail.Letter{
		From: n.From, To: mail.Address{Email: l.Email}, Subject: p.T("letter.signin_subject", l.Code, p.SiteName),
		Text: text, HTML: string(html), Lang: lang(r),
	})
}

// signout ends this browser's session.
func (n *Newsroom) signout(w http.ResponseWriter, r *http.Request) error {
	if v := visitorOf(r); v.reader != nil {
		err := n.DB.InTx(r.Context(), func(tx *db.Tx) error {
			return n.Readers.EndSession(r.Context(), tx, v.reader.Reader.ID, v.reader.Session.ID)
		})
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	web.DropCookie(w, r, sessionCookie)
	dropPass(w, r)
	return n.goTo(w, r, n.at(lang(r), "/")+"?done=signed_out")
}

// goTo answers a form with the page that comes next.
func (n *Newsroom) goTo(w http.ResponseWriter, r *http.Request, path string) error {
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}

// sendForm answers with a page that holds what somebody typed: nothing keeps it.
func (n *Newsroom) sendForm(w http.ResponseWriter, status int, name string, page any) error {
	w.Header().Set("Cache-Control", "no-store")
	return n.Pages.Render(w, status, "site/"+name, page)
}

func parseForm(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return err
		}
		return fault.New(fault.Invalid, "the form cannot be read")
	}
	for _, values := range r.PostForm {
		for _, v := range values {
			if !isText(v) {
				return fault.New(fault.Invalid, "the form cannot be read")
			}
		}
	}
	return nil
}

// next gives the address of this site that the reader wants to return to.
func next(r *http.Request) string {
	if v := r.PostFormValue("next"); v != "" {
		return reader.SafeReturn(v)
	}
	return reader.SafeReturn(r.URL.Query().Get("next"))
}

func chosen(r *http.Request, field, value string) bool {
	for _, v := range r.PostForm[field] {
		if strings.TrimSpace(v) == value {
			return true
		}
	}
	return false
}
