package proof

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/reader"
	"masthead/internal/staff"
	"masthead/internal/wall"
)

// persona is one sort of visitor, or one way of asking.
type persona struct {
	name   string
	agent  string
	header http.Header
	query  string     // added to every address
	ip     netip.Addr // where it asks from, at the newsroom's own handler; zero for anywhere
	visit  wall.Visit // who it is to the wall
	reads  reads

	method  string // of a story's page; "" for GET
	tagged  bool   // asks with the entity tags of those who may read the whole
	program bool   // asks the API, not the pages
	account bool   // has an account to look at
	whole   bool   // must get the whole text of whatever it may read
	gives   bool   // tries to give the story away
	gift    func(storyID string) (token string, g *wall.Gift)

	given []wall.Read // stories that its meter must have counted, by what it was sent; its worker's alone
}

// reads says which lists a persona reads.
type reads int

const (
	readsLists reads = 1 << iota
	readsFeeds
	readsSearch
)

const (
	browser = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	crawler = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
)

// The addresses of the true crawler and of its impostor, both of RFC 5737: no
// visitor has them.
var (
	crawlerIP  = netip.MustParseAddr("192.0.2.66")
	impostorIP = netip.MustParseAddr("203.0.113.66")
)

// Names is a [wall.Resolver] that knows the check's own crawler and nobody
// else. The newsroom's handler needs it to be read as a verified crawler.
type Names struct{}

// LookupAddr names the crawler's address.
func (Names) LookupAddr(_ context.Context, addr string) ([]string, error) {
	if addr == crawlerIP.String() {
		return []string{"wall-check.googlebot.com."}, nil
	}
	return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
}

// LookupNetIP gives the address of the crawler's name.
func (Names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if host == "wall-check.googlebot.com" {
		return []netip.Addr{crawlerIP}, nil
	}
	return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
}

// from gives the address that the persona asks from: its own, or anyone, so
// that no bound on one network stops the check.
func (p *persona) from() netip.Addr {
	if p.ip.IsValid() {
		return p.ip
	}
	return netip.AddrFrom4([4]byte{10, byte(rand.IntN(256)), byte(rand.IntN(256)), byte(1 + rand.IntN(250))})
}

// guests are what a check makes in the database, and takes out again at its end.
type guests struct {
	readers []string
	tokens  []string
	staff   string // session
}

// guestDomain is where the check's readers have their addresses; no mail goes
// there (RFC 2606).
const guestDomain = "wall-check.invalid"

// clean takes out what checks that were killed have left.
func (f *facts) clean(ctx context.Context) error {
	q := f.DB.Read()
	rows, err := q.QueryContext(ctx, `SELECT id FROM reader WHERE email LIKE $1 AND created_at < $2`, "%@"+guestDomain, db.Micros(f.now.Add(-time.Hour)))
	left := guests{}
	if left.readers, err = db.Rows(rows, err, func(r db.Scanner) (id string, err error) { return id, r.Scan(&id) }); err != nil {
		return fmt.Errorf("proof: readers of earlier checks: %w", err)
	}
	tokens, err := f.Staff.Tokens(ctx, q)
	if err != nil {
		return err
	}
	for _, t := range tokens {
		if t.Name == tokenName && t.CreatedAt.Before(f.now.Add(-time.Hour)) {
			left.tokens = append(left.tokens, t.ID)
		}
	}
	return f.remove(ctx, left)
}

const tokenName = "wall check"

// remove deletes guests and everything that is theirs.
func (f *facts) remove(ctx context.Context, g guests) error {
	if len(g.readers)+len(g.tokens) == 0 && g.staff == "" {
		return nil
	}
	return f.DB.InTx(ctx, func(tx *db.Tx) error {
		var errs []error
		unlessGone := func(err error) {
			if !fault.Is(err, fault.NotFound) { // a transaction that failed made nothing
				errs = append(errs, err)
			}
		}
		for _, id := range g.readers {
			unlessGone(f.Readers.Delete(ctx, tx, id))
		}
		for _, id := range g.tokens {
			unlessGone(f.Staff.RevokeToken(ctx, tx, id))
		}
		if g.staff != "" {
			unlessGone(f.Staff.EndSession(ctx, tx, g.staff))
		}
		return errors.Join(errs...)
	})
}

// cast makes the personas of one worker, with readers of its own, so that what
// one worker's readers have read is known to it alone.
func (c *check) cast(ctx context.Context, g *guests) ([]*persona, error) {
	f := c.facts
	var all []*persona
	add := func(p persona) *persona {
		if p.agent == "" {
			p.agent = browser
		}
		all = append(all, &p)
		return &p
	}
	cookies := func(pairs ...string) http.Header {
		var list []string
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, c.door.cookie(pairs[i])+"="+pairs[i+1])
		}
		return http.Header{"Cookie": {strings.Join(list, "; ")}}
	}
	meter := f.MeterKeys.Write(spentMeter(f.now))
	spent := func(more http.Header) http.Header {
		h := cookies("meter", meter)
		for k, v := range more {
			h[k] = v
		}
		return h
	}
	spentVisit := wall.Visit{Meter: spentMeter(f.now)}

	// Who may read the whole comes first, for the entity tags.
	err := f.DB.InTx(ctx, func(tx *db.Tx) error { return c.castReaders(ctx, tx, g, add, cookies) })
	if err != nil {
		return nil, err
	}
	if c.door.key != "" {
		add(persona{name: "verified crawler", agent: crawler, ip: crawlerIP, whole: true, visit: wall.Visit{Crawler: "Googlebot"}})
	}
	add(persona{name: "anonymous", reads: readsLists | readsFeeds | readsSearch, whole: true})
	add(persona{name: "meter spent", header: spent(nil), visit: spentVisit, reads: readsLists | readsSearch, gives: true})
	// In each arm of a trial, with a meter that is full and with one that is not.
	for arm, draw := range map[string]int{"a": 99, "b": 0} {
		for name, m := range map[string]*wall.Meter{"meter spent": spentMeter(f.now), "meter begun": {}} {
			if m, _, on := f.wall.Draw(m, f.now, draw); on {
				add(persona{name: name + ", arm " + arm, header: cookies("meter", f.MeterKeys.Write(m)), visit: wall.Visit{Meter: m}, reads: readsLists, whole: name == "meter begun"})
			}
		}
	}

	add(persona{name: "unverified crawler", agent: crawler, ip: impostorIP, header: spent(nil), visit: spentVisit, reads: readsLists | readsFeeds | readsSearch})
	if c.door.key != "" {
		add(persona{name: "forged forwarding", agent: crawler, ip: impostorIP, visit: spentVisit,
			header: spent(http.Header{"X-Forwarded-For": {crawlerIP.String()}, "X-Real-Ip": {crawlerIP.String()}, "Forwarded": {"for=" + crawlerIP.String()}})})
	}
	add(persona{name: "feed reader", agent: "NetNewsWire (RSS Reader)", header: spent(http.Header{"Accept": {"application/rss+xml, application/feed+json"}}),
		visit: spentVisit, reads: readsFeeds})
	for _, host := range append([]string{"www.google.com"}, referrers(f.wall.Rules())...) {
		v := spentVisit
		v.Referrer = host
		add(persona{name: "referred by " + host, header: spent(http.Header{"Referer": {"https://" + host + "/search?q=news"}}), visit: v})
	}
	// Ways of asking.
	for _, way := range []struct {
		name, query string
		header      http.Header
	}{
		{"print view", "print=1&view=print&format=print&amp=1", nil},
		{"other formats", "format=json&output=full&full=1&preview=0&all=1", http.Header{"Accept": {"application/json"}}},
		{"text browser", "", http.Header{"Accept": {"text/plain, text/html;q=0.5"}, "User-Agent": {"Lynx/2.9.2 libwww-FM/2.14"}}},
		{"script's fetch", "", http.Header{"Hx-Request": {"true"}, "X-Requested-With": {"XMLHttpRequest"}, "Sec-Fetch-Mode": {"cors"}}},
		{"another language", "", http.Header{"Accept-Language": {"ar, he;q=0.9, ru;q=0.8, fr;q=0.7"}}},
		{"gzip", "", http.Header{"Accept-Encoding": {"gzip"}}},
		{"brotli", "", http.Header{"Accept-Encoding": {"br"}}},
		{"zstd", "", http.Header{"Accept-Encoding": {"zstd, deflate;q=0.5"}}},
		{"range from the start", "", http.Header{"Range": {"bytes=0-33554431"}}},
		{"range of the end", "", http.Header{"Range": {"bytes=-4000"}}},
		{"range of the middle", "", http.Header{"Range": {"bytes=2000-"}, "If-Range": {`"x"`}}},
	} {
		add(persona{name: way.name, query: way.query, header: spent(way.header), visit: spentVisit})
	}
	add(persona{name: "HEAD", method: http.MethodHead, header: spent(nil), visit: spentVisit, reads: readsFeeds})
	add(persona{name: "If-None-Match", tagged: true, header: spent(nil), visit: spentVisit})
	return all, nil
}

// castReaders makes the personas that have something in the database.
func (c *check) castReaders(ctx context.Context, tx *db.Tx, g *guests, add func(persona) *persona, cookies func(...string) http.Header) error {
	f := c.facts
	guest := func(name string, tier string) (reader.Reader, string, error) {
		var held []reader.Holding
		if tier != "" {
			held = []reader.Holding{{Tier: tier, Until: f.now.Add(24 * time.Hour)}}
		}
		id := db.NewID()
		r, _, err := f.Readers.Upsert(ctx, tx, reader.Reader{ID: id, Email: id + "@" + guestDomain, Name: name, ConfirmedAt: f.now}, held, nil)
		if err != nil {
			return r, "", err
		}
		g.readers = append(g.readers, r.ID)
		_, cookie, err := f.Readers.StartSession(ctx, tx, r.ID, browser)
		return r, cookie, err
	}
	visit := func(r reader.Reader, tiers ...string) wall.Visit {
		return wall.Visit{Reader: wall.Reader{ID: r.ID, State: wall.Registered, Tiers: tiers}, Counted: func(since time.Time) ([]wall.Read, error) {
			return f.WallStore.Reads(context.WithoutCancel(ctx), f.DB.Read(), r.ID, since)
		}}
	}
	people, err := f.Staff.List(ctx, tx)
	if err != nil {
		return err
	}
	// Somebody whose session is whole by a link alone, or by the passkey it is
	// said to be made with: who lacks a second factor that he must have reads as
	// anybody does.
	i, err := firstOf(people, func(p staff.Person) (bool, error) {
		factors, err := f.Staff.Factors(ctx, tx, p.ID)
		return !p.Disabled() && (!f.Staff.Forces(p) || factors.Any()), err
	})
	if err != nil {
		return err
	}
	if i >= 0 {
		if g.staff == "" { // one session serves every worker
			session, cookie, err := f.Staff.StartSession(ctx, tx, people[i].ID, staff.Made{By: staff.ByPasskey})
			if err != nil {
				return err
			}
			g.staff, c.staffCookie = session.ID, cookie
		}
		add(persona{name: "staff", header: cookies("staff", c.staffCookie), whole: true, visit: wall.Visit{Reader: wall.Reader{State: wall.Staff}}})
	}
	registered, cookie, err := guest("Wall check", "")
	if err != nil {
		return err
	}
	add(persona{name: "registered", header: cookies("reader", cookie), visit: visit(registered), whole: true, account: true, gives: true,
		reads: readsLists | readsFeeds | readsSearch})
	for _, tier := range c.tiers {
		holder, cookie, err := guest("Wall check, "+tier, tier)
		if err != nil {
			return err
		}
		add(persona{name: "holder of " + tier, header: cookies("reader", cookie), visit: visit(holder, tier), whole: true})
	}
	busy, busyCookie, err := guest("Wall check, a great reader", "")
	if err != nil {
		return err
	}
	counted := 0
	for i := 0; i < len(f.editions) && counted < wall.MeterMax; i += 2 {
		if err := f.WallStore.CountRead(ctx, tx, busy.ID, f.editions[i].storyID, f.now.Add(-time.Minute)); err != nil {
			return err
		}
		counted++
	}
	add(persona{name: "registered, meter spent", header: cookies("reader", busyCookie), visit: visit(busy), gives: true})

	meter := f.MeterKeys.Write(&wall.Meter{})
	add(persona{name: "tampered cookies", reads: readsLists, header: cookies("reader", tamper(cookie), "staff", tamper(registered.ID+"."+strings.Repeat("A", 43)),
		"meter", tamper(meter))})
	past := *f.Readers
	past.Now = func() time.Time { return f.now.Add(-f.Readers.SessionLife - time.Hour) }
	_, expired, err := past.StartSession(ctx, tx, registered.ID, browser)
	if err != nil {
		return err
	}
	add(persona{name: "expired session", header: cookies("reader", expired, "meter", f.MeterKeys.Write(spentMeter(f.now))), visit: wall.Visit{Meter: spentMeter(f.now)}})
	if err := c.castGifts(ctx, tx, registered, add, cookies); err != nil {
		return err
	}
	return c.castPrograms(ctx, tx, g, add)
}

// castGifts makes the visitors that come with a gift: of the story, of another
// one, an old one and one that is forged.
func (c *check) castGifts(ctx context.Context, tx *db.Tx, giver reader.Reader, add func(persona) *persona, cookies func(...string) http.Header) error {
	f := c.facts
	header := cookies("meter", f.MeterKeys.Write(spentMeter(f.now)))
	visit := wall.Visit{Meter: spentMeter(f.now)}
	gifts := *f.WallStore
	gifts.GiftQuota, gifts.GiftDays = 1<<30, 1
	give := func(ctx context.Context, tx *db.Tx, store *wall.Store, storyID string) (wall.Gift, string, error) {
		return store.GiftCreate(ctx, tx, wall.Reader{ID: giver.ID, State: wall.Registered}, storyID, wall.Decision{Full: true})
	}
	add(persona{name: "gift", header: header, visit: visit, whole: true, gift: func(storyID string) (token string, g *wall.Gift) {
		err := f.DB.InTx(ctx, func(tx *db.Tx) error {
			made, t, err := give(ctx, tx, &gifts, storyID)
			g, token = &made, t
			return err
		})
		if err != nil {
			return "", nil
		}
		return token, g
	}})
	add(persona{name: "forged gift", header: header, visit: visit, gift: func(string) (string, *wall.Gift) { return "AAAAAAAAAAAAAAAAAAAAAA", nil }})
	if len(f.editions) == 0 {
		return nil
	}
	type made struct {
		gift  wall.Gift
		token string
	}
	var of []made
	for _, e := range []edition{f.editions[0], f.editions[len(f.editions)-1]} {
		g, token, err := give(ctx, tx, &gifts, e.storyID)
		if err != nil {
			return err
		}
		of = append(of, made{g, token})
	}
	add(persona{name: "gift of another story", header: header, visit: visit, gift: func(storyID string) (string, *wall.Gift) {
		for i := range of {
			if of[i].gift.StoryID != storyID {
				return of[i].token, &of[i].gift
			}
		}
		return "", nil
	}})
	past := gifts
	past.Now = func() time.Time { return f.now.Add(-72 * time.Hour) }
	old := map[string]string{}
	for _, e := range []edition{f.editions[0], f.editions[len(f.editions)-1]} {
		_, token, err := give(ctx, tx, &past, e.storyID)
		if err != nil {
			return err
		}
		old[e.storyID] = token
	}
	add(persona{name: "expired gift", header: header, visit: visit, gift: func(storyID string) (string, *wall.Gift) { return old[storyID], nil }})
	return nil
}

// castPrograms makes the visitors of the API.
func (c *check) castPrograms(ctx context.Context, tx *db.Tx, g *guests, add func(persona) *persona) error {
	f := c.facts
	bearer := func(secret string) http.Header {
		return http.Header{"Authorization": {"Bearer " + secret}, "Accept": {"application/json"}}
	}
	token := func(scope staff.Scope) (string, error) {
		t, secret, err := f.Staff.CreateToken(ctx, tx, tokenName, 24*time.Hour, scope)
		g.tokens = append(g.tokens, t.ID)
		return secret, err
	}
	full, err := token(staff.StoriesFull)
	if err != nil {
		return err
	}
	add(persona{name: "API, full key", program: true, whole: true, header: bearer(full), visit: wall.Visit{Reader: wall.Reader{State: wall.Staff}}})
	read, err := token(staff.StoriesRead)
	if err != nil {
		return err
	}
	json := http.Header{"Accept": {"application/json"}}
	add(persona{name: "API, no key", program: true, header: json, reads: readsLists, visit: wall.Visit{Peek: true}})
	add(persona{name: "API, reading key", program: true, header: bearer(read), reads: readsLists, visit: wall.Visit{Peek: true}})
	add(persona{name: "API, wrong key", program: true, header: bearer("mh_" + strings.Repeat("A", 43)), reads: readsLists, visit: wall.Visit{Peek: true}})
	add(persona{name: "API, reading key, full tag", program: true, tagged: true, header: bearer(read), visit: wall.Visit{Peek: true}})
	return nil
}

// tamper changes the last letter of a cookie's value.
func tamper(value string) string {
	last := byte('A')
	if value[len(value)-1] == 'A' {
		last = 'Q'
	}
	return value[:len(value)-1] + string(last)
}

var hostForm = regexp.MustCompile(`["']((?:[a-z0-9-]+\.)+[a-z]{2,})["']`)

// referrers gives the hosts that the rules name.
func referrers(rules []wall.Rule) []string {
	var hosts []string
	for _, r := range rules {
		if !strings.Contains(r.When, "visit.referrer") {
			continue
		}
		for _, m := range hostForm.FindAllStringSubmatch(r.When, -1) {
			if !slices.Contains(hosts, m[1]) {
				hosts = append(hosts, m[1])
			}
		}
	}
	return hosts[:min(len(hosts), 5)]
}

// pathOf gives a story's page as the persona asks for it.
func (p *persona) pathOf(e edition) (path string, gift *wall.Gift, ok bool) {
	if p.gift == nil {
		return e.path, nil, true
	}
	token, gift := p.gift(e.storyID)
	if token == "" {
		return "", nil, false
	}
	return e.path + "?gift=" + token, gift, true
}

// ruling is what the wall says of an edition to a persona. A site of several
// nodes hears of a count after [lag], so what a meter opens is certain only where
// the counts of that time change nothing.
type ruling struct {
	wall.Decision      // by every count
	may           bool // the whole text may be sent
	must          bool // the whole text must be sent
}

// decide says what the persona may read of an edition, with own where the
// request is for its very page.
func (f *facts) decide(p *persona, e edition, own bool, gift *wall.Gift) ruling {
	if !e.published {
		return ruling{Decision: wall.Decision{Verdict: wall.Closed}}
	}
	v := p.visit
	v.Gift, v.Now = gift, f.Now()
	v.Peek = v.Peek || !own || p.method == http.MethodHead
	written := v.Counted
	if written == nil {
		d := f.wall.Decide(v, e.item)
		return ruling{d, d.Full, d.Full}
	}
	// What the persona was given counts, whether or not it is written yet.
	v.Counted = func(since time.Time) ([]wall.Read, error) {
		reads, err := written(since)
		for _, g := range p.given {
			if !slices.ContainsFunc(reads, func(r wall.Read) bool { return r.StoryID == g.StoryID }) {
				reads = append(reads, g)
			}
		}
		return reads, err
	}
	d := f.wall.Decide(v, e.item)
	if f.lag == 0 || d.Verdict != wall.Metered {
		return ruling{d, d.Full, d.Full}
	}
	all := v.Counted
	v.Counted = func(since time.Time) ([]wall.Read, error) {
		reads, err := all(since)
		return slices.DeleteFunc(reads, func(r wall.Read) bool { return v.Now.Sub(r.At) < f.lag }), err
	}
	earlier := f.wall.Decide(v, e.item)
	return ruling{d, d.Full || earlier.Full, d.Full && earlier.Full}
}

// firstOf gives the place of the first that is so, -1 where none is.
func firstOf[T any](list []T, is func(T) (bool, error)) (int, error) {
	for i, one := range list {
		if so, err := is(one); so || err != nil {
			return i, err
		}
	}
	return -1, nil
}
