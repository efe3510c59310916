package site

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"masthead/internal/config"
	"masthead/internal/fault"
	"masthead/internal/page"
	"masthead/internal/wall"
)

// This file is what the site and a cache in front say to one another. Such a
// cache gives an answer to whoever asks for the address, so it is given only
// what an anonymous visitor without cookies gets, and, where it speaks ESI,
// open pages without what is in their holes. Whatever a cookie, a pass, a gift,
// a crawler's name or a meter had a part in says nothing to it, and it keeps
// nothing that does not speak to it. See docs/varnish.vcl for its side.

// How long a cache in front keeps what it was given: it is told of changes, and
// asks once an hour nonetheless. While no node answers it may go on for a day
// with what does not change by itself.
const (
	edgeLife  = time.Hour
	edgeGrace = 24 * time.Hour
)

// share says what of a page is the same for whom.
type share struct {
	anonymous bool      // this is what visitors without cookies get
	everybody bool      // this is what all visitors get, but for the holes
	until     time.Time // when it ceases to be so by itself; zero for never
	tags      []string  // of what the holes show
}

// serve answers with a page, and tells the cache in front what it may do with
// it; or with one hole of it, where that is asked for.
func (n *Newsroom) serve(w http.ResponseWriter, r *http.Request, p *page.Page, holes page.Holes, s share, o page.Options) error {
	if name := holeOf(r); name != "" {
		return n.sendHole(w, r, holes, name)
	}
	// A node that cannot hear what the others do might show what is old; that is
	// mended when it hears again, and is not to stay in a cache.
	if !n.behindCache(r) || n.Away() || !pageQuery.MatchString(r.URL.RawQuery) {
		return p.Serve(w, r, holes, o)
	}
	plain := len(r.Header["Cookie"]) == 0 && len(r.Header["Authorization"]) == 0
	switch {
	case s.everybody && len(holes) == 0, s.anonymous && plain:
		o.Surrogate, o.Tags = n.edgeControl(s.until), s.tags
	case s.everybody && !plain && n.Config.CDN == config.CDNESI && page.SpeaksESI(r):
		o.Surrogate, o.ESI = n.edgeControl(s.until), true
		holes = slices.Clone(holes) // which may be kept for others
		for i := range holes {
			h := &holes[i]
			if slices.Contains(pieces, h.Name) {
				h.Source, h.Personal = holeSource(r, h.Name), true
			}
			// What others may not be shown is not left in the page.
			h.Personal = h.Personal || len(h.HTML) > 0
		}
	}
	return p.Serve(w, r, holes, o)
}

// pageQuery is what an address may ask for that a cache in front keeps.
var pageQuery = regexp.MustCompile(`^(page=[1-9][0-9]{0,5})?$`)

// behindCache reports whether the request came from the cache in front, which
// is one of the trusted proxies.
func (n *Newsroom) behindCache(r *http.Request) bool {
	if n.Config.CDN == config.CDNNone {
		return false
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && slices.ContainsFunc(n.Config.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(from.Addr().Unmap()) })
}

// edgeControl writes Surrogate-Control: for how long, and after the '+' for how
// much longer while no node answers (W3C Edge Architecture §2.2).
func (n *Newsroom) edgeControl(until time.Time) string {
	if edge := n.Wall.Edge(n.Now()); !edge.IsZero() && (until.IsZero() || edge.Before(until)) {
		until = edge // a lift or a trial begins or ends
	}
	if until.IsZero() {
		return edgeForever
	}
	return "max-age=" + strconv.Itoa(int(min(until.Sub(n.Now()), edgeLife)/time.Second))
}

var edgeForever = "max-age=" + strconv.Itoa(int(edgeLife/time.Second)) + "+" + strconv.Itoa(int(edgeGrace/time.Second))

// shareList is that of a page that lists stories; the front page shows the day,
// and a front holds until the next story that was pinned to it expires.
func (n *Newsroom) shareList(key page.Key, expires time.Time) share {
	s := share{anonymous: true, everybody: true, until: expires}
	if key.Kind == "front" {
		now := n.Now().In(n.Config.Timezone)
		if day := time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, now.Location()); s.until.IsZero() || day.Before(s.until) {
			s.until = day
		}
	}
	return s
}

// shareDocument is that of a feed or a sitemap, which is made anew each hour.
func (n *Newsroom) shareDocument() share {
	return share{anonymous: true, everybody: true, until: n.Now().Truncate(time.Hour).Add(time.Hour)}
}

// shareStory is that of a story's page, of which d was decided. It is looked up
// anew what the wall says to an anonymous visitor of whom nothing is known.
func (n *Newsroom) shareStory(w http.ResponseWriter, r *http.Request, rt *route, d wall.Decision) share {
	if !n.behindCache(r) {
		return share{}
	}
	it, now := rt.item, n.Now()
	visit := wall.Visit{Now: now, Peek: true}
	known := n.Wall.Decide(visit, it)
	s := share{tags: []string{ListsTag(rt.edition.Lang)}} // "Next for you"
	s.anonymous = known.Verdict != wall.Metered && d.Verdict == known.Verdict && d.Full == known.Full && d.Rule == known.Rule
	if it.Access != "" || it.Protected { // no rule is asked
		s.everybody = it.Access == "open" && !it.Protected && d.Full
		return s
	}
	_, tried := n.Wall.Trial(now) // its other arm may be shut out
	s.everybody = d.Full && !tried && openToEverybody(n.Wall.Why(visit, it))
	for _, rule := range n.Wall.Rules() {
		if strings.Contains(rule.When, "referrer") && !slices.Contains(w.Header()["Vary"], "Referer") {
			w.Header().Add("Vary", "Referer")
		}
		if strings.Contains(rule.When, "age_days") { // which grows by one at this time of the day
			s.until = now.Add(24*time.Hour - max(now.Sub(it.PublishedAt), 0)%(24*time.Hour))
		}
	}
	return s
}

// openToEverybody reports whether what the wall said to an anonymous visitor,
// step by step, opens the story to all the others too: no rule that could
// withhold it asks who the visitor is.
func openToEverybody(steps []wall.Step) bool {
	for _, s := range steps {
		personal := strings.Contains(s.When, "reader") || strings.Contains(s.When, "visit")
		if s.Decides {
			return !personal && s.Grant == wall.Open.String()
		}
		if personal && s.Grant != wall.Open.String() {
			return false
		}
	}
	return false
}

// pieces are the holes that a cache in front gets one by one: those that are
// not empty on every open page.
var pieces = []string{"account-link", "gift-form", "next-for-you"}

const holeKey contextKey = 101

// holeOf gives the hole that a cache in front asks for, "" for a whole page.
func holeOf(r *http.Request) string { name, _ := r.Context().Value(holeKey).(string); return name }

// holeSource is where a cache in front gets one hole of a page: the page's own
// address, and so its own handler and decision.
func holeSource(r *http.Request, name string) string {
	u := url.URL{Path: address(r), RawQuery: "hole=" + name}
	if r.URL.RawQuery != "" {
		u.RawQuery = r.URL.RawQuery + "&" + u.RawQuery
	}
	return u.String()
}

// withHole takes the question for one hole off the address.
func (n *Newsroom) withHole(next http.Handler) http.Handler {
	if n.Config.CDN != config.CDNESI {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := strings.LastIndex(r.URL.RawQuery, "hole=")
		if i < 0 || i > 0 && r.URL.RawQuery[i-1] != '&' || !slices.Contains(pieces, r.URL.RawQuery[i+len("hole="):]) {
			next.ServeHTTP(w, r)
			return
		}
		r2 := r.WithContext(context.WithValue(r.Context(), holeKey, r.URL.RawQuery[i+len("hole="):]))
		u := *r.URL
		u.RawQuery = strings.TrimSuffix(u.RawQuery[:i], "&")
		r2.URL = &u
		next.ServeHTTP(w, r2)
	})
}

// sendHole answers with what is in one hole for this visitor, who will see it
// within a page: no cookie that is set here would reach him. "Next for you" is
// the same for all.
func (n *Newsroom) sendHole(w http.ResponseWriter, r *http.Request, holes page.Holes, name string) error {
	i := slices.IndexFunc(holes, func(h page.Hole) bool { return h.Name == name })
	if i < 0 {
		return fault.New(fault.NotFound, "the page has no such hole", "hole", name)
	}
	h := w.Header()
	h.Del("Set-Cookie")
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "private, no-store")
	h.Set("X-Robots-Tag", "noindex")
	if name == "next-for-you" && len(holes[i].HTML) > 0 && n.behindCache(r) && !n.Away() {
		tellEdge(h, edgeForever, ListsTag(lang(r)), SiteTag)
	}
	w.Write(holes[i].HTML) // a cache that has left is no error of ours
	return nil
}

// shareMedia lets the cache in front keep a picture or file, which never
// changes, under a name that an operator can purge it by.
func (n *Newsroom) shareMedia(w http.ResponseWriter, r *http.Request) {
	if n.behindCache(r) {
		tellEdge(w.Header(), "max-age=2592000", "media:"+r.PathValue("hash"))
	}
}

// tellEdge tells a cache in front how long it may keep an answer, and by which
// tags it will be told to drop it: as Surrogate-Key, and as xkey for Varnish.
func tellEdge(h http.Header, control string, tags ...string) {
	keys := strings.Join(tags, " ")
	h.Set("Surrogate-Control", control)
	h.Set("Surrogate-Key", keys)
	h.Set("Xkey", keys)
}
