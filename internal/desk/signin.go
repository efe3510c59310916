package desk

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/reader"
	"masthead/internal/staff"
	"masthead/internal/web"
)

// tryCookie names the challenge that a browser is to answer with a passkey.
const tryCookie = "staff-try"

// How often somebody may try. Codes are counted by person, who has come by a
// link already; the rest by network.
var (
	codeRate    = reader.Rate{Limit: 5, Window: 15 * time.Minute}
	passkeyRate = reader.Rate{Limit: 60, Window: 10 * time.Minute}
)

// SigninPage is the door of the desk. Template: desk/signin.
type SigninPage struct {
	Base
	Token    string // of the link that led here; "" shows how to come by one
	Email    string // whom it signs in
	Passkeys bool   // this address can have them
	Problem  string
}

func (d *Desk) doorRoutes() []Route {
	return []Route{
		{Pattern: "GET /desk/signin", Act: staff.SignIn, Open: true, handle: d.signin},
		{Pattern: "POST /desk/signin", Act: staff.SignIn, Open: true, handle: d.signinConfirm},
		{Pattern: "POST /desk/signin/letter", Act: staff.AskLink, Open: true, handle: d.signinLetter},
		{Pattern: "POST /desk/signin/passkey/options", Act: staff.SignIn, Open: true, JSON: true, handle: d.signinOptions},
		{Pattern: "POST /desk/signin/passkey", Act: staff.SignIn, Open: true, JSON: true, handle: d.signinPasskey},
		{Pattern: "POST /desk/signout", Act: staff.KeepSelf, Lacking: []staff.Lack{staff.LacksFactor, staff.LacksConfirmation}, handle: d.signout},
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

// signinConfirm serves "POST /desk/signin": it uses the link up.
func (d *Desk) signinConfirm(w http.ResponseWriter, r *http.Request) error {
	if err := smallForm(w, r); err != nil {
		return err
	}
	err := d.enter(w, r, staff.ByLink, func(ctx context.Context, tx *db.Tx) (staff.Person, error) {
		return d.Staff.ConfirmLink(ctx, tx, r.PostForm.Get("token"))
	})
	if fault.Is(err, fault.Gone) {
		return d.closed(w, r, http.StatusGone, "desk.signin.spent")
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/desk/", http.StatusSeeOther)
	return nil
}

// enter begins a session for whom who gives, in one transaction with it. A
// session that the browser had before ends.
func (d *Desk) enter(w http.ResponseWriter, r *http.Request, by staff.Way, who func(ctx context.Context, tx *db.Tx) (staff.Person, error)) error {
	ctx := r.Context()
	old, _ := web.Cookie(r, cookie)
	var session staff.Session
	var value string
	err := d.DB.InTx(ctx, func(tx *db.Tx) error {
		person, err := who(ctx, tx)
		if err != nil {
			return err
		}
		if visit, err := d.Staff.Arrive(ctx, tx, old); err == nil {
			if err := d.Staff.EndSession(ctx, tx, visit.Session.ID); err != nil {
				return err
			}
		}
		if session, value, err = d.Staff.StartSession(ctx, tx, person.ID, staff.Made{By: by, Agent: reader.Agent(r.UserAgent())}); err != nil {
			return err
		}
		return d.Staff.Record(ctx, tx, staff.Entry{Who: person, Act: staff.SignIn, Object: "staff:" + person.ID, Detail: map[string]string{"by": string(by)}})
	})
	if err != nil {
		return err
	}
	web.SetCookie(w, r, cookie, value, session.ExpiresAt.Sub(d.Now()))
	return nil
}

// signinLetter serves "POST /desk/signin/letter". Whatever the address, the
// answer is the same, and takes as long: the letter is written later.
func (d *Desk) signinLetter(w http.ResponseWriter, r *http.Request) error {
	if err := smallForm(w, r); err != nil {
		return err
	}
	if err := d.limit(r, "staff-letter-net", reader.Rate{Limit: d.Config.LettersPerNetwork, Window: time.Hour}, d.network(r)); err != nil {
		return err
	}
	email := cut(r.PostForm.Get("email"), 254)
	err := d.limit(r, "staff-letter", reader.Rate{Limit: d.Config.LettersPerAddress, Window: time.Hour}, fold(email))
	if err == nil {
		err = d.DB.InTx(r.Context(), func(tx *db.Tx) error {
			return d.PostLink(r.Context(), tx, LinkLetter{Email: email, Lang: d.lang(r)})
		})
	}
	if err != nil && !fault.Is(err, fault.TooMany) { // that it was too many would tell
		return err
	}
	return done(w, r, "/desk/signin", "link_sent")
}

// signinOptions serves "POST /desk/signin/passkey/options".
func (d *Desk) signinOptions(w http.ResponseWriter, r *http.Request) error {
	return d.askPasskey(w, r, "")
}

// askPasskey gives the browser a challenge, for somebody's passkeys or, with
// "", for whichever it has.
func (d *Desk) askPasskey(w http.ResponseWriter, r *http.Request, staffID string) error {
	if err := d.limit(r, "staff-passkey", passkeyRate, d.network(r)); err != nil {
		return err
	}
	return d.challenge(w, r, func(ctx context.Context, tx *db.Tx) (staff.Ceremony, error) {
		return d.Staff.BeginAssertion(ctx, tx, staffID)
	})
}

// challenge begins a ceremony and ties it to this browser by a cookie.
func (d *Desk) challenge(w http.ResponseWriter, r *http.Request, begin func(ctx context.Context, tx *db.Tx) (staff.Ceremony, error)) error {
	var c staff.Ceremony
	err := d.DB.InTx(r.Context(), func(tx *db.Tx) (err error) {
		c, err = begin(r.Context(), tx)
		return err
	})
	if err != nil {
		return err
	}
	web.SetCookie(w, r, tryCookie, c.ID, 5*time.Minute)
	return reply(w, c.Options)
}

// answered takes the ceremony that this browser was given, and its answer.
func (d *Desk) answered(w http.ResponseWriter, r *http.Request, staffID string, into any) (c staff.Ceremony, err error) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		return c, fault.New(fault.Invalid, "the answer cannot be read")
	}
	id, _ := web.Cookie(r, tryCookie)
	web.DropCookie(w, r, tryCookie)
	err = d.DB.InTx(r.Context(), func(tx *db.Tx) (err error) {
		c, err = d.Staff.TakeCeremony(r.Context(), tx, id, staffID)
		return err
	})
	return c, err
}

// signinPasskey serves "POST /desk/signin/passkey": the browser's answer.
func (d *Desk) signinPasskey(w http.ResponseWriter, r *http.Request) error {
	var answer json.RawMessage
	c, err := d.answered(w, r, "", &answer)
	if err != nil {
		return err
	}
	err = d.enter(w, r, staff.ByPasskey, func(ctx context.Context, tx *db.Tx) (staff.Person, error) {
		p, _, err := d.Staff.FinishAssertion(ctx, tx, c, answer)
		return p, err
	})
	if fault.Is(err, fault.Invalid) {
		d.note(r, staff.Entry{Act: staff.FailSignIn, Detail: map[string]string{"by": string(staff.ByPasskey)}})
	}
	if err != nil {
		return err
	}
	return reply(w, map[string]string{"to": "/desk/"})
}

// signout serves "POST /desk/signout".
func (d *Desk) signout(w http.ResponseWriter, r *http.Request) error {
	visit, _ := visitOf(r)
	err := d.change(r, "staff:"+visit.Person.ID, func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		detail["self"] = "signed out"
		return d.Staff.EndSession(ctx, tx, visit.Session.ID)
	})
	if err != nil {
		return err
	}
	web.DropCookie(w, r, cookie)
	http.Redirect(w, r, "/desk/signin?out", http.StatusSeeOther)
	return nil
}

// closed shows the door to somebody without a link that opens it.
func (d *Desk) closed(w http.ResponseWriter, r *http.Request, status int, problem string) error {
	p := SigninPage{Base: d.base(r, ""), Passkeys: d.Staff.Passkeys != nil}
	p.Title = p.T("desk.signin.title")
	if r.URL.Query().Has("out") {
		p.Notice = p.T("notice.signed_out")
	}
	if problem != "" {
		p.Problem = p.T(problem)
	}
	return d.send(w, r, status, "signin", p)
}

// limit counts one try by key, and gives TooMany when there were too many. It
// counts in a transaction of its own: a try that fails counts too.
func (d *Desk) limit(r *http.Request, name string, rate reader.Rate, key string) error {
	return d.DB.InTx(r.Context(), func(tx *db.Tx) error {
		return d.Readers.Limiter(name, rate).Take(r.Context(), tx, key)
	})
}

func (d *Desk) network(r *http.Request) string {
	return reader.Network(web.ClientIP(r.Context())).String()
}

// note writes an entry of what failed, which no change goes with. That it could
// not be written is told the operator alone.
func (d *Desk) note(r *http.Request, e staff.Entry) {
	if err := d.DB.InTx(r.Context(), func(tx *db.Tx) error { return d.Staff.Record(r.Context(), tx, e) }); err != nil {
		d.Log.ErrorContext(r.Context(), "audit entry lost", "error", err, "act", e.Act)
	}
}

// smallForm reads a form of at most a few fields.
func smallForm(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	return form(w, r)
}

// reply answers a script.
func reply(w http.ResponseWriter, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Write(body)
	return nil
}
