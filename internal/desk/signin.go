package desk

import (
	"net/http"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/staff"
	"masthead/internal/web"
)

// SigninPage is the door of the desk. Template: desk/signin.
type SigninPage struct {
	Base
	Token   string // of the link that led here; "" shows how to come by one
	Email   string // whom it signs in
	Problem string
}

func (d *Desk) doorRoutes() []Route {
	return []Route{
		{Pattern: "GET /desk/signin", Open: true, handle: d.signin},
		{Pattern: "POST /desk/signin", Open: true, handle: d.signinConfirm},
		{Pattern: "POST /desk/signout", Act: staff.KeepSelf, handle: d.signout},
	}
}

// signin serves "GET /desk/signin". It changes nothing, so that a mail scanner
// that opens the link uses nothing up.
func (d *Desk) signin(w http.ResponseWriter, r *http.Request) error {
	token := r.URL.Query().Get("token")
	if token == "" {
		return d.closed(w, r, http.StatusOK, "")
	}
	person, err := d.Staff.Peek(r.Context(), d.DB.Read(), token)
	if fault.Is(err, fault.Gone) {
		return d.closed(w, r, http.StatusGone, "desk.signin.spent")
	}
	if err != nil {
		return err
	}
	p := SigninPage{Base: d.base(r, ""), Token: token, Email: person.Email}
	p.Title = p.T("desk.signin.title")
	return d.send(w, r, http.StatusOK, "signin", p)
}

// signinConfirm serves "POST /desk/signin": it uses the link up. A session that
// the browser had before ends.
func (d *Desk) signinConfirm(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	if err := r.ParseForm(); err != nil {
		return fault.New(fault.Invalid, "the form cannot be read")
	}
	ctx := r.Context()
	old, _ := web.Cookie(r, cookie)
	var session staff.Session
	var value string
	err := d.DB.InTx(ctx, func(tx *db.Tx) error {
		person, err := d.Staff.ConfirmLink(ctx, tx, r.PostForm.Get("token"))
		if err != nil {
			return err
		}
		if visit, err := d.Staff.Resolve(ctx, tx, old); err == nil {
			if err := d.Staff.EndSession(ctx, tx, visit.Session.ID); err != nil {
				return err
			}
		}
		session, value, err = d.Staff.StartSession(ctx, tx, person.ID, staff.Made{By: staff.ByLink})
		return err
	})
	if fault.Is(err, fault.Gone) {
		return d.closed(w, r, http.StatusGone, "desk.signin.spent")
	}
	if err != nil {
		return err
	}
	web.SetCookie(w, r, cookie, value, session.ExpiresAt.Sub(d.Now()))
	http.Redirect(w, r, "/desk/", http.StatusSeeOther)
	return nil
}

// signout serves "POST /desk/signout".
func (d *Desk) signout(w http.ResponseWriter, r *http.Request) error {
	visit, _ := visitOf(r)
	err := d.DB.InTx(r.Context(), func(tx *db.Tx) error { return d.Staff.EndSession(r.Context(), tx, visit.Session.ID) })
	if err != nil {
		return err
	}
	web.DropCookie(w, r, cookie)
	http.Redirect(w, r, "/desk/signin?out", http.StatusSeeOther)
	return nil
}

// closed shows the door to somebody without a link that opens it.
func (d *Desk) closed(w http.ResponseWriter, r *http.Request, status int, problem string) error {
	p := SigninPage{Base: d.base(r, "")}
	p.Title = p.T("desk.signin.title")
	if r.URL.Query().Has("out") {
		p.Notice = p.T("notice.signed_out")
	}
	if problem != "" {
		p.Problem = p.T(problem)
	}
	return d.send(w, r, status, "signin", p)
}
