package desk

import (
	"context"
	"encoding/json"
	"html/template"
	"net/http"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/reader"
	"masthead/internal/staff"
)

// MePage is one's own page. Template: desk/me.
type MePage struct {
	Base
	Name        string
	Forced      bool // the role takes a second factor
	CanPasskeys bool // this address can have them
	Keys        []Key
	TOTP        bool
	TOTPUsed    language.Moment
	Recovery    int
	Factors     bool // there is any second factor
	Sessions    []StaffSession
	Letters     bool // about stories are wanted
	Problem     string
}

// Key is one passkey.
type Key struct {
	ID, Name string
	Made     language.Moment
	Used     language.Moment
}

// StaffSession is a browser in which somebody is signed in.
type StaffSession struct {
	ID    string
	Agent string
	By    string // in the desk's words
	Seen  language.Moment
	Here  bool // it is this one
}

// TOTPPage shows the secret for an authenticator app. Template: desk/totp.
type TOTPPage struct {
	Base
	Secret  string       // in groups of four
	URL     template.URL // otpauth:, which the template would not let through by itself
	Code    QR           // of URL
	Problem string
}

// CodesPage shows recovery codes, this once. Template: desk/codes.
type CodesPage struct {
	Base
	Codes []string
}

func (d *Desk) meRoutes() []Route {
	enrol := []staff.Lack{staff.LacksFactor}
	return []Route{
		{Pattern: "GET /desk/me", Act: staff.KeepSelf, handle: d.me},
		{Pattern: "POST /desk/me/name", Act: staff.KeepSelf, handle: d.meName},
		{Pattern: "POST /desk/me/passkeys/options", Act: staff.KeepSelf, Lacking: enrol, Fresh: true, JSON: true, handle: d.keyOptions},
		{Pattern: "POST /desk/me/passkeys", Act: staff.KeepSelf, Lacking: enrol, Fresh: true, JSON: true, handle: d.keyMade},
		{Pattern: "POST /desk/me/passkeys/{passkey}/name", Act: staff.KeepSelf, handle: d.keyName},
		{Pattern: "POST /desk/me/passkeys/{passkey}/remove", Act: staff.KeepSelf, Fresh: true, handle: d.keyRemove},
		{Pattern: "GET /desk/me/totp", Act: staff.KeepSelf, Lacking: enrol, Fresh: true, handle: d.totp},
		{Pattern: "POST /desk/me/totp", Act: staff.KeepSelf, Lacking: enrol, Fresh: true, handle: d.totpBegin},
		{Pattern: "POST /desk/me/totp/code", Act: staff.KeepSelf, Lacking: enrol, Fresh: true, handle: d.totpEnrol},
		{Pattern: "POST /desk/me/totp/remove", Act: staff.KeepSelf, Fresh: true, handle: d.totpRemove},
		{Pattern: "POST /desk/me/recovery", Act: staff.KeepSelf, Fresh: true, handle: d.recovery},
		{Pattern: "POST /desk/me/letters", Act: staff.KeepSelf, handle: d.meLetters},
		{Pattern: "POST /desk/me/sessions", Act: staff.KeepSelf, handle: d.meSessions},
	}
}

// me serves "/desk/me".
func (d *Desk) me(w http.ResponseWriter, r *http.Request) error {
	return d.mePage(w, r, http.StatusOK, "")
}

func (d *Desk) mePage(w http.ResponseWriter, r *http.Request, status int, problem string) error {
	visit, _ := visitOf(r)
	f, err := d.Staff.Factors(r.Context(), d.DB.Read(), visit.Person.ID)
	if err != nil {
		return err
	}
	p := MePage{Base: d.base(r, ""), Name: visit.Person.Name, Forced: d.Staff.Forces(visit.Person), CanPasskeys: d.Staff.Passkeys != nil,
		TOTP: f.TOTP.Enrolled(), Recovery: f.Recovery, Factors: f.Any()}
	p.Title = p.T("desk.me.title")
	p.TOTPUsed = d.moment(p.Base, f.TOTP.UsedAt)
	for _, k := range f.Passkeys {
		p.Keys = append(p.Keys, Key{ID: k.ID, Name: k.Name, Made: d.moment(p.Base, k.CreatedAt), Used: d.moment(p.Base, k.UsedAt)})
	}
	if p.Sessions, err = d.staffSessions(r, p.Base, visit.Person.ID); err != nil {
		return err
	}
	if p.Letters, err = d.Plans.WantsLetters(r.Context(), d.DB.Read(), visit.Person.ID); err != nil {
		return err
	}
	if problem != "" {
		p.Problem = p.T(problem)
	}
	return d.send(w, r, status, "me", p)
}

func (d *Desk) staffSessions(r *http.Request, b Base, id string) (rows []StaffSession, err error) {
	list, err := d.Staff.Sessions(r.Context(), d.DB.Read(), id)
	visit, _ := visitOf(r)
	for _, n := range list {
		row := StaffSession{ID: n.ID, Agent: n.Agent, By: b.T("desk.by." + string(n.MadeBy)), Seen: d.moment(b, n.SeenAt), Here: n.ID == visit.Session.ID}
		if row.Agent == "" {
			row.Agent = b.T("desk.me.some_browser")
		}
		if n.MadeBy == staff.ByLink && n.ConfirmedBy != "" {
			row.By += " · " + b.T("desk.by."+string(n.ConfirmedBy))
		}
		rows = append(rows, row)
	}
	return rows, err
}

// mine makes a change to oneself, and leads back to one's page.
func (d *Desk) mine(w http.ResponseWriter, r *http.Request, key string, fn func(ctx context.Context, tx *db.Tx, me string, detail map[string]string) error) error {
	if err := smallForm(w, r); err != nil {
		return err
	}
	me := person(r).ID
	err := d.change(r, "staff:"+me, func(ctx context.Context, tx *db.Tx, detail map[string]string) error { return fn(ctx, tx, me, detail) })
	if fault.Is(err, fault.Conflict) {
		return d.mePage(w, r, http.StatusConflict, "desk.me.last_factor")
	}
	if err != nil {
		return err
	}
	return done(w, r, "/desk/me", key)
}

// meName serves "POST /desk/me/name".
func (d *Desk) meName(w http.ResponseWriter, r *http.Request) error {
	return d.mine(w, r, "saved", func(ctx context.Context, tx *db.Tx, me string, detail map[string]string) error {
		detail["name"] = cut(r.PostForm.Get("name"), 120)
		return d.Staff.Rename(ctx, tx, me, detail["name"])
	})
}

// keyOptions serves "POST /desk/me/passkeys/options".
func (d *Desk) keyOptions(w http.ResponseWriter, r *http.Request) error {
	return d.challenge(w, r, func(ctx context.Context, tx *db.Tx) (staff.Ceremony, error) {
		return d.Staff.BeginPasskey(ctx, tx, person(r).ID)
	})
}

// keyMade serves "POST /desk/me/passkeys": {"name": …, "answer": …}. To make a
// passkey is to show one.
func (d *Desk) keyMade(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Name   string          `json:"name"`
		Answer json.RawMessage `json:"answer"`
	}
	me := person(r)
	c, err := d.answered(w, r, me.ID, &in)
	if err != nil {
		return err
	}
	if in.Name == "" {
		in.Name = reader.Agent(r.UserAgent())
	}
	err = d.confirm(w, r, staff.ByPasskey, func(ctx context.Context, tx *db.Tx) error {
		k, err := d.Staff.FinishPasskey(ctx, tx, c, cleanLine(in.Name), in.Answer)
		if err != nil {
			return err
		}
		return d.Staff.Record(ctx, tx, staff.Entry{Who: me, Act: staff.KeepSelf, Object: "staff:" + me.ID, Detail: map[string]string{"passkey added": k.Name}})
	})
	if err != nil {
		return err
	}
	return reply(w, map[string]string{"to": "/desk/me?done=key_made"})
}

// keyName serves "POST /desk/me/passkeys/{passkey}/name".
func (d *Desk) keyName(w http.ResponseWriter, r *http.Request) error {
	return d.mine(w, r, "saved", func(ctx context.Context, tx *db.Tx, me string, detail map[string]string) error {
		detail["passkey renamed"] = cleanLine(r.PostForm.Get("name"))
		return d.Staff.RenamePasskey(ctx, tx, me, legible(r.PathValue("passkey")), detail["passkey renamed"])
	})
}

// keyRemove serves "POST /desk/me/passkeys/{passkey}/remove".
func (d *Desk) keyRemove(w http.ResponseWriter, r *http.Request) error {
	return d.mine(w, r, "key_removed", func(ctx context.Context, tx *db.Tx, me string, detail map[string]string) error {
		detail["passkey removed"] = legible(r.PathValue("passkey"))
		return d.Staff.RemovePasskey(ctx, tx, me, detail["passkey removed"])
	})
}

// totpBegin serves "POST /desk/me/totp".
func (d *Desk) totpBegin(w http.ResponseWriter, r *http.Request) error {
	err := d.change(r, "staff:"+person(r).ID, func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		detail["app"] = "begun"
		_, err := d.Staff.BeginTOTP(ctx, tx, person(r).ID)
		return err
	})
	if err != nil {
		return err
	}
	return done(w, r, "/desk/me/totp", "")
}

// totp serves "GET /desk/me/totp", until the app has shown a first code.
func (d *Desk) totp(w http.ResponseWriter, r *http.Request) error {
	return d.totpPage(w, r, http.StatusOK, "")
}

func (d *Desk) totpPage(w http.ResponseWriter, r *http.Request, status int, problem string) error {
	t, err := d.Staff.PendingTOTP(r.Context(), d.DB.Read(), person(r).ID)
	if fault.Is(err, fault.NotFound) {
		http.Redirect(w, r, "/desk/me", http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	url := t.URL(d.Config.Title, person(r).Email)
	p := TOTPPage{Base: d.base(r, ""), Secret: t.Text(), URL: template.URL(url), Code: newQR(url)}
	p.Title = p.T("desk.totp.title")
	if problem != "" {
		p.Problem = p.T(problem)
	}
	return d.send(w, r, status, "totp", p)
}

// totpEnrol serves "POST /desk/me/totp/code": the app's first code. It gives
// recovery codes where there are none.
func (d *Desk) totpEnrol(w http.ResponseWriter, r *http.Request) error {
	if err := smallForm(w, r); err != nil {
		return err
	}
	me := person(r)
	err := d.limit(r, "staff-code", codeRate, me.ID)
	if fault.Is(err, fault.TooMany) {
		return d.totpPage(w, r, http.StatusTooManyRequests, "desk.second.too_many")
	}
	if err != nil {
		return err
	}
	var codes []string
	err = d.confirm(w, r, staff.ByTOTP, func(ctx context.Context, tx *db.Tx) error {
		if err := d.Staff.EnrolTOTP(ctx, tx, me.ID, r.PostForm.Get("code")); err != nil {
			return err
		}
		f, err := d.Staff.Factors(ctx, tx, me.ID)
		if err == nil && f.Recovery == 0 {
			codes, err = d.Staff.NewRecoveryCodes(ctx, tx, me.ID)
		}
		if err != nil {
			return err
		}
		return d.Staff.Record(ctx, tx, staff.Entry{Who: me, Act: staff.KeepSelf, Object: "staff:" + me.ID, Detail: map[string]string{"app": "added"}})
	})
	if fault.Is(err, fault.Invalid) {
		return d.totpPage(w, r, http.StatusUnprocessableEntity, "desk.second.wrong")
	}
	if err != nil {
		return err
	}
	if codes == nil {
		return done(w, r, "/desk/me", "app_added")
	}
	return d.codesPage(w, r, codes)
}

func (d *Desk) codesPage(w http.ResponseWriter, r *http.Request, codes []string) error {
	p := CodesPage{Base: d.base(r, ""), Codes: codes}
	p.Title = p.T("desk.codes.title")
	return d.send(w, r, http.StatusOK, "codes", p)
}

// totpRemove serves "POST /desk/me/totp/remove".
func (d *Desk) totpRemove(w http.ResponseWriter, r *http.Request) error {
	return d.mine(w, r, "app_removed", func(ctx context.Context, tx *db.Tx, me string, detail map[string]string) error {
		detail["app"] = "removed"
		return d.Staff.RemoveTOTP(ctx, tx, me)
	})
}

// recovery serves "POST /desk/me/recovery": new codes, for who has a second factor.
func (d *Desk) recovery(w http.ResponseWriter, r *http.Request) error {
	visit, _ := visitOf(r)
	if !visit.Factors {
		return fault.New(fault.Conflict, "there is no second factor for recovery codes to stand in for").WithHint("add a passkey or an app first")
	}
	var codes []string
	err := d.change(r, "staff:"+visit.Person.ID, func(ctx context.Context, tx *db.Tx, detail map[string]string) (err error) {
		detail["recovery codes"] = "made"
		codes, err = d.Staff.NewRecoveryCodes(ctx, tx, visit.Person.ID)
		return err
	})
	if err != nil {
		return err
	}
	return d.codesPage(w, r, codes)
}

// meSessions serves "POST /desk/me/sessions": it ends the one that session
// names, or all but this.
func (d *Desk) meSessions(w http.ResponseWriter, r *http.Request) error {
	visit, _ := visitOf(r)
	return d.mine(w, r, "session_ended", func(ctx context.Context, tx *db.Tx, me string, detail map[string]string) error {
		if id := r.PostForm.Get("session"); id != "" {
			detail["session"] = "one ended"
			return d.Staff.EndSessionOf(ctx, tx, me, id)
		}
		detail["session"] = "all others ended"
		return d.Staff.EndOtherSessions(ctx, tx, me, visit.Session.ID)
	})
}
