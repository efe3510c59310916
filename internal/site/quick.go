package site

import (
	"net/http"
	"time"

	"masthead/internal/page"
	"masthead/internal/wall"
	"masthead/internal/web"
)

// place is an address whose page is the same for everybody but for its frame.
type place struct {
	key      page.Key
	document bool // without holes
	options  page.Options
	slot     int64     // of time, in which the key holds: some name the day or the hour
	until    time.Time // from when on the key is another; zero for never
}

// slotOf gives the quarter of an hour of a time. Days and hours begin with one
// in every time zone there is.
func slotOf(t time.Time) int64 { return t.Unix() / 900 }

// keep notes where a request without a query has led. What it read must depend
// on no other tags.
func (n *Newsroom) keep(r *http.Request, p place, tags []string) {
	if a := asked(r); r.URL.RawQuery == "" && !r.URL.ForceQuery && r.URL.RawPath == "" {
		p.slot = slotOf(n.Now())
		n.Engine.places.Put(a.path, a.began, p, append(tags[:len(tags):len(tags)], SiteTag), 64*len(tags))
	}
}

// mostCookies is how long the cookies may be of a request that is answered quickly.
const mostCookies = 8 << 10

// Quick answers a GET or HEAD whose address is known to lead to a story, or to
// a page that is the same for all, when nothing must be asked about the visitor.
// It takes the way that all requests take from there on, the wall's decision
// first, but spares the layers before it: routing, and everything that only a
// form, a query or a stranger's address needs. It reports whether it has answered;
// where it has not, it has sent nothing.
func (n *Newsroom) Quick(w http.ResponseWriter, r *http.Request) bool {
	u := r.URL
	if u.RawQuery != "" || u.ForceQuery || u.RawPath != "" || r.ContentLength != 0 || len(r.TransferEncoding) > 0 || n.behindCache(r) {
		return false
	}
	size := 0
	for _, line := range r.Header["Cookie"] {
		size += len(line)
	}
	if size > mostCookies {
		return false
	}
	rt, known := n.Engine.routes.Peek(u.Path)
	var p place
	if known {
		known = rt.served.Load()
	} else if p, known = n.Engine.places.Peek(u.Path); known {
		now := n.Now()
		known = p.slot == slotOf(now) && (p.until.IsZero() || now.Before(p.until))
	}
	if !known {
		return false
	}
	v := n.remembered(r)
	if v == nil {
		return false
	}
	a := &asking{path: u.Path, visitor: v, began: n.Engine.cache.Moment()}
	a.lang, _ = n.languageOf(u.Path)
	r = web.Attach(r, askingKey, a)
	var err error
	if rt != nil {
		err = n.storyAt(w, r, rt)
	} else {
		err = n.placeAt(w, r, p)
	}
	if err != nil { // let it be said in the usual way
		delete(w.Header(), "Set-Cookie")
	}
	return err == nil
}

// placeAt answers with a page that is in the cache.
func (n *Newsroom) placeAt(w http.ResponseWriter, r *http.Request, p place) error {
	kept, err := n.Engine.cache.Kept(p.key)
	if err != nil {
		return err
	}
	var holes page.Holes
	if !p.document {
		if holes, err = n.frame(r); err != nil {
			return err
		}
	}
	return n.serve(w, r, kept, holes, share{}, p.options)
}

// remembered gives who asks, or nil when the database must be asked for that.
func (n *Newsroom) remembered(r *http.Request) *visitor {
	v := &visitor{}
	if len(r.Header["Cookie"]) == 0 {
		return v
	}
	if _, ok := web.Cookie(r, staffCookie); ok {
		return nil
	}
	if value, ok := web.Cookie(r, sessionCookie); ok {
		if v.reader = n.pass(r, value); v.reader == nil {
			return nil
		}
	}
	if value, ok := web.Cookie(r, meterCookie); ok {
		v.meter = n.meter(value)
	}
	return v
}

// meter reads the cookie of an anonymous meter. Those that were found genuine
// are remembered: whoever shows the very same text shows the same signature.
func (n *Newsroom) meter(value string) *wall.Meter {
	if m, ok := n.Engine.meters.Peek(value); ok {
		return m
	}
	m, genuine := n.MeterKeys.Read(value)
	if genuine {
		n.Engine.meters.Put(value, n.Engine.cache.Moment(), m, nil, 32*m.Len())
	}
	return m
}

// holesKey is what the contents of a story's holes depend on, besides tags.
type holesKey struct {
	edition, address, class string
	reason, tier            string // of the wall; "" without one
	limit, used, days       int    // of the wall or the meter's notice
	left                    int    // gifts that the reader may give; -1 when he gives none
}

func (k holesKey) weight() int { return len(k.address) + 64 }
