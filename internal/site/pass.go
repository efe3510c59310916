package site

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/reader"
	"masthead/internal/web"
)

// Passes: a signed cookie beside the session's that tells who is signed in, so
// that a page needs no database. It is good for a minute, and for less when
// anything about its reader changes.
const (
	passCookie = "pass"
	passLife   = time.Minute
)

// givePass hands out a pass for a session that was read at a time.
//
// Its value is, with '|' between: the session's ID, the reader's ID, the time in
// microseconds, when the first tier ends (0 for never), and the tiers.
func (n *Newsroom) givePass(w http.ResponseWriter, r *http.Request, v reader.Visit, at time.Time) {
	ends := int64(0)
	fields := []string{v.Session.ID, v.Reader.ID, strconv.FormatInt(at.UnixMicro(), 10), ""}
	for _, h := range v.Tiers {
		fields = append(fields, h.Tier)
		if until := db.Micros(h.Until); until != 0 && (ends == 0 || until < ends) {
			ends = until
		}
	}
	fields[3] = strconv.FormatInt(ends, 10)
	n.Signer.SetSigned(w, r, passCookie, strings.Join(fields, "|"), passLife)
}

// pass is what a genuine cookie says. It is shared, and not changed.
type pass struct {
	session string // what the session's cookie begins with
	at      time.Time
	ends    int64 // microseconds; 0 for never
	visit   reader.Visit
}

// pass gives the reader of a good pass that belongs to the session whose cookie
// is shown beside it, or nil. What a cookie says is remembered, since the same
// text has the same signature; whether it still counts is asked each time.
func (n *Newsroom) pass(r *http.Request, session string) *reader.Visit {
	cookie, ok := web.Cookie(r, passCookie)
	if !ok {
		return nil
	}
	p, known := n.Engine.passes.Peek(cookie)
	if !known {
		began := n.Engine.cache.Moment()
		if p = n.readPass(cookie); p == nil {
			return nil
		}
		n.Engine.passes.Put(cookie, began, p, []string{ReaderTag(p.visit.Reader.ID)}, 256)
	}
	now := n.Now()
	if !strings.HasPrefix(session, p.session) || p.ends != 0 && now.UnixMicro() >= p.ends || !n.Engine.passGood(p.visit.Reader.ID, p.at, now) {
		return nil
	}
	return &p.visit
}

// readPass reads a pass that we have signed; nil when we have not.
func (n *Newsroom) readPass(cookie string) *pass {
	value, err := n.Signer.Verify(passCookie, cookie)
	if err != nil {
		return nil
	}
	fields := strings.Split(value, "|")
	if len(fields) < 4 {
		return nil
	}
	at, err := strconv.ParseInt(fields[2], 10, 64)
	ends, endsErr := strconv.ParseInt(fields[3], 10, 64)
	if err != nil || endsErr != nil {
		return nil
	}
	p := &pass{session: fields[0] + ".", at: time.UnixMicro(at), ends: ends}
	p.visit.Session = reader.Session{ID: fields[0], ReaderID: fields[1]}
	p.visit.Reader = reader.Reader{ID: fields[1]}
	for _, tier := range fields[4:] {
		p.visit.Tiers = append(p.visit.Tiers, reader.Holding{Tier: tier})
	}
	return p
}

// passGood reports whether a pass given at a time still counts.
func (e *Engine) passGood(readerID string, given, now time.Time) bool {
	if now.Sub(given) >= passLife || given.After(now) {
		return false
	}
	for _, id := range []string{readerID, ""} {
		if at, ok := e.revoked.Load(id); ok && !given.After(at.(time.Time)) {
			return false
		}
	}
	return true
}

// dropPass makes the browser forget its pass, with its session.
func dropPass(w http.ResponseWriter, r *http.Request) { web.DropCookie(w, r, passCookie) }
