package wall

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// Resolver answers DNS: *net.Resolver is one.
type Resolver interface {
	LookupAddr(ctx context.Context, addr string) (names []string, err error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Bot is a crawler that can be told from its impostors.
type Bot struct {
	Name string
	// Agents are words of its user agent, in lower case. They say which crawler
	// a visit claims to be, and prove nothing.
	Agents []string
	// Domains are where the names of its addresses must end.
	Domains []string
}

// Bots gives the crawlers that are known, as their makers document them.
//
// Google's google.com and googleusercontent.com are left out on purpose: by
// google-proxy-*.google.com and *.gae.googleusercontent.com come fetches that
// users trigger, and every rented machine is *.bc.googleusercontent.com; any
// of them could call itself Googlebot. Googlebot's own addresses are all in
// googlebot.com.
func Bots() []Bot {
	return []Bot{
		{"Googlebot", []string{"googlebot", "google-inspectiontool", "storebot-google"}, []string{"googlebot.com"}}, // developers.google.com/crawling/docs/crawlers-fetchers/verify-google-requests
		{"Bingbot", []string{"bingbot", "msnbot"}, []string{"search.msn.com"}},                                      // bing.com/webmasters/help/how-to-verify-bingbot-3905dc26
		{"Applebot", []string{"applebot"}, []string{"applebot.apple.com"}},                                          // support.apple.com/119829
		{"Yandex", []string{"yandex.com/bots", "yandexbot"}, []string{"yandex.ru", "yandex.net", "yandex.com"}},     // yandex.com/support/webmaster/robot-workings/check-yandex-robots.html
		{"DuckDuckBot", []string{"duckduckbot"}, nil},                                                               // duckduckgo.com/duckduckbot.json: by its ranges alone
		{"Baiduspider", []string{"baiduspider"}, []string{"baidu.com", "baidu.jp"}},                                 // help.baidu.com/question?prod_id=99&class=476&id=3001
		{"PetalBot", []string{"petalbot"}, []string{"petalsearch.com", "aspiegel.com"}},                             // webmaster.petalsearch.com/site/petalbot
		{"SeznamBot", []string{"seznambot"}, []string{"seznam.cz"}},                                                 // napoveda.seznam.cz/en/seznambot-crawler
	}
}

// Crawlers finds out whether a visit is of a genuine crawler: by the ranges of
// addresses that its maker publishes, or by asking DNS for the name of the
// address and then for the addresses of that name. It is safe for concurrent use.
type Crawlers struct {
	Resolver Resolver                  // nil asks by ranges alone
	Ranges   map[string][]netip.Prefix // by name of the crawler; see [LoadRanges]
	// Budget is how long Verify may keep a page waiting. The question goes on
	// behind it, so that the crawler's next visit finds the answer.
	Budget  time.Duration
	Timeout time.Duration // of one question to DNS
	Now     func() time.Time

	bots  []Bot
	slots chan struct{} // bounds the questions under way

	mu       sync.Mutex
	genuine  answers // apart, so that a crowd of impostors cannot push out the genuine
	impostor answers
	asking   map[claim]chan struct{} // closed when the answer is there
}

// How many answers are kept and for how long, and how many questions may be
// under way: each of them holds one goroutine and two small packets.
const (
	maxAnswers    = 4096
	maxAsking     = 32
	genuineFor    = 24 * time.Hour
	impostorFor   = time.Hour
	unansweredFor = time.Minute // DNS was away
)

// claim is an address that says it is a crawler.
type claim struct {
	ip  netip.Addr
	bot string
}

// answers maps claims to when they must be asked anew.
type answers map[claim]time.Time

// NewCrawlers makes a verifier of [Bots], and of every other crawler that
// ranges name, with a budget of 150 ms and a timeout of 3 s.
func NewCrawlers(r Resolver, ranges map[string][]netip.Prefix) *Crawlers {
	c := &Crawlers{
		Resolver: r, Ranges: ranges,
		Budget: 150 * time.Millisecond, Timeout: 3 * time.Second, Now: time.Now,
		bots: Bots(), slots: make(chan struct{}, maxAsking),
		genuine: answers{}, impostor: answers{}, asking: map[claim]chan struct{}{},
	}
	for name := range ranges {
		if !slices.ContainsFunc(c.bots, func(b Bot) bool { return strings.EqualFold(b.Name, name) }) {
			c.bots = append(c.bots, Bot{Name: name, Agents: []string{strings.ToLower(name)}})
		}
	}
	return c
}

// Verify gives the name of the crawler that this visit is of, or "" when it is
// of none, of an impostor, or when that cannot be told within the budget. ip is
// the visitor's own address, not a proxy's. A visit that claims nothing costs
// one look at its user agent.
func (c *Crawlers) Verify(ctx context.Context, ip netip.Addr, agent string) string {
	b := c.claimed(agent)
	if b == nil || !ip.IsValid() {
		return ""
	}
	ip = ip.Unmap().WithZone("")
	if within(c.rangesOf(b.Name), ip) {
		return b.Name
	}
	if c.Resolver == nil || len(b.Domains) == 0 || !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return ""
	}
	k := claim{ip, b.Name}
	known, genuine, wait := c.look(k, b)
	if !known && wait != nil {
		timer := time.NewTimer(c.Budget)
		defer timer.Stop()
		select {
		case <-wait:
			_, genuine, _ = c.known(k)
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	if genuine {
		return b.Name
	}
	return ""
}

// claimed gives the crawler that a user agent names, or nil.
func (c *Crawlers) claimed(agent string) *Bot {
	agent = strings.ToLower(agent[:min(len(agent), 512)])
	for i := range c.bots {
		for _, word := range c.bots[i].Agents {
			if strings.Contains(agent, word) {
				return &c.bots[i]
			}
		}
	}
	return nil
}

func (c *Crawlers) rangesOf(name string) []netip.Prefix {
	if r, ok := c.Ranges[name]; ok {
		return r
	}
	for n, r := range c.Ranges {
		if strings.EqualFold(n, name) {
			return r
		}
	}
	return nil
}

func within(ranges []netip.Prefix, ip netip.Addr) bool {
	return slices.ContainsFunc(ranges, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// known gives the answer that is kept for a claim.
func (c *Crawlers) known(k claim) (known, genuine bool, wait chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.Now()
	if until, ok := c.genuine[k]; ok && now.Before(until) {
		return true, true, nil
	}
	if until, ok := c.impostor[k]; ok && now.Before(until) {
		return true, false, nil
	}
	return false, false, c.asking[k]
}

// look gives the answer that is kept, or what to wait for until there is one;
// nil when too many questions are under way already.
func (c *Crawlers) look(k claim, b *Bot) (known, genuine bool, wait chan struct{}) {
	if known, genuine, wait = c.known(k); known || wait != nil {
		return known, genuine, wait
	}
	select {
	case c.slots <- struct{}{}:
	default:
		return false, false, nil
	}
	c.mu.Lock()
	if other := c.asking[k]; other != nil { // somebody else was quicker
		c.mu.Unlock()
		<-c.slots
		return false, false, other
	}
	wait = make(chan struct{})
	c.asking[k] = wait
	c.mu.Unlock()
	go func() {
		defer func() { <-c.slots }()
		// The visit may end before the answer comes; the answer is still wanted.
		ctx, cancel := context.WithTimeout(context.Background(), c.Timeout)
		defer cancel()
		genuine, err := c.ask(ctx, k.ip, b.Domains)
		c.keep(k, genuine, err)
		close(wait)
	}()
	return false, false, wait
}

// ask asks DNS for the name of an address, and for the addresses of that name.
// An error tells that DNS gave no answer, which proves nothing either way.
func (c *Crawlers) ask(ctx context.Context, ip netip.Addr, domains []string) (bool, error) {
	names, err := c.Resolver.LookupAddr(ctx, ip.String())
	if err != nil {
		return false, unlessAbsent(err)
	}
	var unanswered error
	for _, name := range names[:min(len(names), 8)] {
		name = strings.ToLower(strings.TrimSuffix(name, "."))
		if !slices.ContainsFunc(domains, func(d string) bool { return strings.HasSuffix(name, "."+d) }) {
			continue
		}
		addrs, err := c.Resolver.LookupNetIP(ctx, "ip", name)
		if err != nil {
			unanswered = unlessAbsent(err)
			continue
		}
		if slices.ContainsFunc(addrs, func(a netip.Addr) bool { return a.Unmap() == ip }) {
			return true, nil
		}
	}
	return false, unanswered
}

// unlessAbsent gives nil for the certain answer that there is no such name.
func unlessAbsent(err error) error {
	if e, ok := errors.AsType[*net.DNSError](err); ok && e.IsNotFound {
		return nil
	}
	return err
}

func (c *Crawlers) keep(k claim, genuine bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.asking, k)
	now := c.Now()
	switch {
	case genuine:
		delete(c.impostor, k)
		c.genuine.put(k, now, genuineFor)
	case err != nil:
		c.impostor.put(k, now, unansweredFor)
	default:
		c.impostor.put(k, now, impostorFor)
	}
}

// put keeps an answer. When there are too many it drops what is out of date,
// and if nothing is, any one.
func (a answers) put(k claim, now time.Time, ttl time.Duration) {
	if _, ok := a[k]; !ok && len(a) >= maxAnswers {
		for old, until := range a {
			if !now.Before(until) {
				delete(a, old)
			}
		}
		for old := range a {
			if len(a) < maxAnswers {
				break
			}
			delete(a, old)
		}
	}
	a[k] = now.Add(ttl)
}
