package site

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/reader"
	"masthead/internal/staff"
	"masthead/internal/wall"
	"masthead/internal/web"
)

// Names of the cookies. None is set before a visitor does what needs it.
const (
	sessionCookie = "reader"
	meterCookie   = "meter"
	signinCookie  = "signin"
	staffCookie   = "staff"
	noticeCookie  = "notice"
)

// identify is how long it may take to find out who asks. Whoever cannot be found
// out is a stranger for this page.
const identify = 2 * time.Second

// visitor is who makes a request, found out once for each.
type visitor struct {
	reader *reader.Visit // nil when nobody is signed in
	whole  bool          // reader came from the database; from a pass it has an ID and tiers alone
	staff  *staff.Visit
	meter  *wall.Meter // nil without a cookie
}

func visitorOf(r *http.Request) *visitor {
	if a := asked(r); a != nil && a.visitor != nil {
		return a.visitor
	}
	return &visitor{}
}

// withVisitor finds out who asks. A database that is away makes a reader
// anonymous for a while, which opens nothing.
func (n *Newsroom) withVisitor(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visitor{}
		ctx := r.Context()
		if value, ok := web.Cookie(r, sessionCookie); ok {
			if v.reader = n.pass(r, value); v.reader == nil {
				n.resolve(w, r, v, value)
			}
		}
		if value, ok := web.Cookie(r, staffCookie); ok {
			asking, done := context.WithTimeout(ctx, identify)
			if visit, err := n.Staff.Resolve(asking, n.DB.Read(), value); err == nil {
				v.staff = &visit
			}
			done()
		}
		if value, ok := web.Cookie(r, meterCookie); ok {
			v.meter = n.meter(value)
		}
		asked(r).visitor = v
		next.ServeHTTP(w, r)
	})
}

// resolve asks the database whose session a cookie names, and gives the browser
// a pass for the next minute.
func (n *Newsroom) resolve(w http.ResponseWriter, r *http.Request, v *visitor, cookie string) {
	asked := n.Now()
	ctx, done := context.WithTimeout(r.Context(), identify)
	defer done()
	visit, err := n.Readers.Resolve(ctx, n.DB.Read(), cookie)
	switch {
	case err == nil:
		v.reader, v.whole = &visit, true
		if holeOf(r) == "" { // no cookie reaches the browser from within a page
			n.renew(w, r, visit.Session)
			n.givePass(w, r, visit, asked)
		}
	case fault.Is(err, fault.Unauthorized):
		web.DropCookie(w, r, sessionCookie)
		dropPass(w, r)
	}
}

// wholeReader gives the visitor's reader with everything that is known of him;
// nil when nobody is signed in.
func (n *Newsroom) wholeReader(w http.ResponseWriter, r *http.Request) *reader.Visit {
	v := visitorOf(r)
	if v.reader != nil && !v.whole {
		value, _ := web.Cookie(r, sessionCookie)
		v.reader = nil
		n.resolve(w, r, v, value)
	}
	return v.reader
}

// renew writes down that a session was used, and hands the browser its new
// secret when it is time. That it could not be written is no fault of the page.
func (n *Newsroom) renew(w http.ResponseWriter, r *http.Request, s reader.Session) {
	if !n.Readers.Due(s) {
		return
	}
	var cookie string
	err := n.DB.InTx(r.Context(), func(tx *db.Tx) (err error) {
		cookie, err = n.Readers.Renew(r.Context(), tx, s)
		return err
	})
	if err == nil && cookie != "" {
		web.SetCookie(w, r, sessionCookie, cookie, s.ExpiresAt.Sub(n.Now()))
	}
}

func (v *visitor) account() Account {
	var a Account
	if v.reader != nil {
		a = Account{SignedIn: true, Name: v.reader.Reader.Name, Email: v.reader.Reader.Email}
	}
	a.Staff = v.staff != nil
	return a
}

// class tells visitors apart as far as the frame of every page does: "" is anybody.
func (v *visitor) class() string {
	switch {
	case v.staff != nil && v.reader != nil:
		return "reader and staff"
	case v.staff != nil:
		return "staff"
	case v.reader != nil:
		return "reader"
	}
	return ""
}

// visit tells the wall who asks.
func (n *Newsroom) visit(r *http.Request) wall.Visit {
	v := visitorOf(r)
	visit := wall.Visit{Meter: v.meter, Now: n.Now(), Referrer: referrer(r)}
	if v.reader != nil {
		id := v.reader.Reader.ID
		visit.Reader = wall.Reader{ID: id, State: wall.Registered}
		for _, h := range v.reader.Tiers {
			visit.Reader.Tiers = append(visit.Reader.Tiers, h.Tier)
		}
		visit.Counted = func(time.Time) ([]wall.Read, error) { return n.reads(r.Context(), id) }
	}
	if v.staff != nil {
		visit.Reader.State = wall.Staff
	}
	return visit
}

// reads gives what the meter of a registered reader has counted, as far back as
// any rule looks: what is written, which is kept in memory until more is, and what
// is not yet. With an error it gives what is known nonetheless; so it does while
// other nodes cannot be heard, which may have counted more.
func (n *Newsroom) reads(ctx context.Context, readerID string) ([]wall.Read, error) {
	known, err := n.Counter.Pending(readerID) // first, so that what is written meanwhile is not missed
	written, readErr := n.Engine.reads.Get(ctx, readerID, func(ctx context.Context) ([]wall.Read, []string, int, error) {
		list, err := n.WallStore.Reads(ctx, n.DB.Read(), readerID, n.Now().Add(-n.Wall.Window()))
		return list, []string{MeterTag(readerID), ReaderTag(readerID), SiteTag}, 64 * len(list), err
	})
	if len(known) == 0 {
		known, written = written, nil
	}
	for _, w := range written {
		if !slices.ContainsFunc(known, func(k wall.Read) bool { return k.StoryID == w.StoryID }) {
			known = append(known, w)
		}
	}
	if err = errors.Join(err, readErr); err == nil && n.Away() {
		err = fault.New(fault.Unavailable, "the database is away")
	}
	return known, err
}

// peek asks the wall without counting: for lists, searches and feeds.
func (n *Newsroom) peek(r *http.Request, it wall.Item) wall.Decision {
	visit := n.visit(r)
	visit.Peek = true
	return n.Wall.Decide(visit, it)
}

// referrer gives the host that led here, without its port; "" for our own.
func referrer(r *http.Request) string {
	from := r.Referer()
	if from == "" {
		return ""
	}
	u, err := url.Parse(from)
	if err != nil || strings.EqualFold(u.Host, r.Host) {
		return ""
	}
	return strings.ToLower(u.Hostname())
}
