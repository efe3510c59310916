package desk

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/reader"
	"masthead/internal/staff"
	"masthead/internal/web"
)

// How long a second factor that was shown is enough for what changes the
// newsroom itself. Whoever was let see a form has an hour more to send it.
const (
	stepUp      = 12 * time.Hour
	stepUpGrace = time.Hour
)

// SecondPage asks for a second factor: to show one, or to have one at all.
// Template: desk/second.
type SecondPage struct {
	Base
	Enrol    bool // there is none yet, and the role takes one
	Again    bool // it was shown, but long ago
	Passkeys bool // can be asked for, or made
	TOTP     bool // an authenticator app has codes
	Recovery bool // recovery codes are left
	Next     string
	Problem  string
}

func (d *Desk) secondRoutes() []Route {
	confirm, enrol := []staff.Lack{staff.LacksConfirmation}, []staff.Lack{staff.LacksFactor}
	return []Route{
		{Pattern: "GET /desk/second", Act: staff.SignIn, Lacking: confirm, handle: d.second},
		{Pattern: "POST /desk/second", Act: staff.SignIn, Lacking: confirm, handle: d.secondCode},
		{Pattern: "POST /desk/second/passkey/options", Act: staff.SignIn, Lacking: confirm, JSON: true, handle: d.secondOptions},
		{Pattern: "POST /desk/second/passkey", Act: staff.SignIn, Lacking: confirm, JSON: true, handle: d.secondPasskey},
		{Pattern: "GET /desk/enrol", Act: staff.KeepSelf, Lacking: enrol, handle: d.enrol},
	}
}

// lacking leads to where somebody does what his session lacks, and back.
func (d *Desk) lacking(w http.ResponseWriter, r *http.Request, route Route, lack staff.Lack) error {
	if route.JSON {
		return fault.New(fault.Unauthorized, "a second factor is missing").WithHint("open the desk in this browser, and confirm there")
	}
	to := "/desk/second"
	if lack == staff.LacksFactor {
		to = "/desk/enrol"
	}
	next := r.URL.RequestURI()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		next = ""
		if u, err := url.Parse(r.Referer()); err == nil && u.Host == r.Host { // the form, to be sent again
			next = u.RequestURI()
		}
	}
	if next = deskPath(next); next != "/desk/" {
		to += "?next=" + url.QueryEscape(next)
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// stale reports whether a route asks for a second factor anew.
func (d *Desk) stale(r *http.Request, route Route) bool {
	within := stepUp
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		within += stepUpGrace
	}
	visit, _ := visitOf(r)
	return (route.Fresh || route.Act.Sensitive()) && !d.Staff.Fresh(visit, within)
}

// deskPath gives a path of the desk to return to.
func deskPath(path string) string {
	if path = reader.SafeReturn(path); !strings.HasPrefix(path, "/desk/") {
		return "/desk/"
	}
	return path
}

// second serves "GET /desk/second".
func (d *Desk) second(w http.ResponseWriter, r *http.Request) error {
	return d.secondPage(w, r, http.StatusOK, r.URL.Query().Get("next"), "")
}

func (d *Desk) secondPage(w http.ResponseWriter, r *http.Request, status int, next, problem string) error {
	visit, _ := visitOf(r)
	f, err := d.Staff.Factors(r.Context(), d.DB.Read(), visit.Person.ID)
	if err != nil {
		return err
	}
	if !f.Any() {
		http.Redirect(w, r, "/desk/me", http.StatusSeeOther)
		return nil
	}
	p := SecondPage{Base: d.base(r, ""), Again: !visit.Session.ConfirmedAt.IsZero(), Passkeys: d.Staff.Passkeys != nil && len(f.Passkeys) > 0,
		TOTP: f.TOTP.Enrolled(), Recovery: f.Recovery > 0, Next: deskPath(next)}
	p.Title = p.T("desk.second.title")
	if problem != "" {
		p.Problem = p.T(problem)
	}
	return d.send(w, r, status, "second", p)
}

// secondCode serves "POST /desk/second": a code of an app, or a recovery code.
func (d *Desk) secondCode(w http.ResponseWriter, r *http.Request) error {
	if err := smallForm(w, r); err != nil {
		return err
	}
	id, next := person(r).ID, r.PostForm.Get("next")
	err := d.limit(r, "staff-code", codeRate, id)
	if fault.Is(err, fault.TooMany) {
		return d.secondPage(w, r, http.StatusTooManyRequests, next, "desk.second.too_many")
	}
	if err != nil {
		return err
	}
	by, check := staff.ByTOTP, d.Staff.CheckTOTP
	code := r.PostForm.Get("code")
	if recovery := r.PostForm.Get("recovery"); recovery != "" {
		by, check, code = staff.ByRecovery, d.Staff.UseRecoveryCode, recovery
	}
	err = d.confirm(w, r, by, func(ctx context.Context, tx *db.Tx) error { return check(ctx, tx, id, code) })
	if fault.Is(err, fault.Invalid) {
		return d.secondPage(w, r, http.StatusUnprocessableEntity, next, "desk.second.wrong")
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, deskPath(next), http.StatusSeeOther)
	return nil
}

// confirm notes in the session that a second factor was shown, in one
// transaction with prove; what fails is noted in the log.
func (d *Desk) confirm(w http.ResponseWriter, r *http.Request, by staff.Way, prove func(ctx context.Context, tx *db.Tx) error) error {
	visit, _ := visitOf(r)
	me := visit.Person
	var value string
	err := d.DB.InTx(r.Context(), func(tx *db.Tx) (err error) {
		if err := prove(r.Context(), tx); err != nil {
			return err
		}
		if err := d.Readers.Limiter("staff-code", codeRate).Forget(r.Context(), tx, me.ID); err != nil {
			return err
		}
		if value, err = d.Staff.ConfirmSession(r.Context(), tx, visit.Session.ID, by); err != nil {
			return err
		}
		return d.Staff.Record(r.Context(), tx, staff.Entry{Who: me, Act: staff.SignIn, Object: "staff:" + me.ID, Detail: map[string]string{"by": string(by)}})
	})
	if fault.Is(err, fault.Invalid) {
		d.note(r, staff.Entry{Who: me, Act: staff.FailSignIn, Object: "staff:" + me.ID, Detail: map[string]string{"by": string(by)}})
	}
	if err != nil {
		return err
	}
	web.SetCookie(w, r, cookie, value, visit.Session.ExpiresAt.Sub(d.Now()))
	return nil
}

// secondOptions serves "POST /desk/second/passkey/options".
func (d *Desk) secondOptions(w http.ResponseWriter, r *http.Request) error {
	return d.askPasskey(w, r, person(r).ID)
}

// secondPasskey serves "POST /desk/second/passkey".
func (d *Desk) secondPasskey(w http.ResponseWriter, r *http.Request) error {
	var answer json.RawMessage
	c, err := d.answered(w, r, person(r).ID, &answer)
	if err != nil {
		return err
	}
	err = d.confirm(w, r, staff.ByPasskey, func(ctx context.Context, tx *db.Tx) error {
		_, _, err := d.Staff.FinishAssertion(ctx, tx, c, answer)
		return err
	})
	if err != nil {
		return err
	}
	return reply(w, map[string]string{"to": deskPath(r.URL.Query().Get("next"))})
}

// enrol serves "/desk/enrol": who must have a second factor, and has none, makes one.
func (d *Desk) enrol(w http.ResponseWriter, r *http.Request) error {
	visit, _ := visitOf(r)
	if d.Staff.Lack(visit) != staff.LacksFactor {
		http.Redirect(w, r, "/desk/me", http.StatusSeeOther)
		return nil
	}
	p := SecondPage{Base: d.base(r, ""), Enrol: true, Passkeys: d.Staff.Passkeys != nil, TOTP: true, Next: deskPath(r.URL.Query().Get("next"))}
	p.Title = p.T("desk.second.enrol_title")
	return d.send(w, r, http.StatusOK, "second", p)
}
