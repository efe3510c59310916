package wall

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"masthead/internal/fault"
)

const (
	googlebot = "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Googlebot/2.1; +http://www.google.com/bot.html) Chrome/138.0 Safari/537.36"
	bingbot   = "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"
	browser   = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
)

// nameServer is a real DNS server on the loopback, of a few names.
type nameServer struct {
	conn net.PacketConn
	ptr  map[string][]string // address → names
	addr map[string][]string // name → addresses

	mu     sync.Mutex
	asked  int
	silent bool // gives no answer
	broken bool // answers SERVFAIL
}

func serveNames(t *testing.T) (*nameServer, *net.Resolver) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{conn: conn, ptr: map[string][]string{}, addr: map[string][]string{}}
	t.Cleanup(func() { conn.Close() })
	go func() {
		packet := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(packet)
			if err != nil {
				return
			}
			if answer := s.answer(t, packet[:n]); answer != nil {
				conn.WriteTo(answer, from)
			}
		}
	}()
	return s, &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func (s *nameServer) set(silent, broken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent, s.broken = silent, broken
}

func (s *nameServer) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func (s *nameServer) answer(t *testing.T, packet []byte) []byte {
	var m dnsmessage.Message
	if err := m.Unpack(packet); err != nil || len(m.Questions) != 1 {
		t.Errorf("a bad question: %v", err)
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.silent {
		return nil
	}
	q := m.Questions[0]
	m.Response, m.Authoritative, m.RecursionAvailable, m.Additionals = true, true, true, nil
	if s.broken {
		m.RCode = dnsmessage.RCodeServerFailure
	} else if known := s.records(&m, q); !known {
		m.RCode = dnsmessage.RCodeNameError
	}
	out, err := m.Pack()
	if err != nil {
		t.Errorf("answer: %v", err)
	}
	return out
}

func (s *nameServer) records(m *dnsmessage.Message, q dnsmessage.Question) (known bool) {
	head := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60}
	name := strings.TrimSuffix(strings.ToLower(q.Name.String()), ".")
	for address, names := range s.ptr {
		if reverse(netip.MustParseAddr(address)) != name {
			continue
		}
		for _, n := range names {
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.PTRResource{PTR: dnsmessage.MustNewName(n + ".")}})
		}
		return true
	}
	addresses, known := s.addr[name]
	for _, a := range addresses {
		switch ip := netip.MustParseAddr(a); {
		case ip.Is4() && q.Type == dnsmessage.TypeA:
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AResource{A: ip.As4()}})
		case ip.Is6() && q.Type == dnsmessage.TypeAAAA:
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AAAAResource{AAAA: ip.As16()}})
		}
	}
	return known
}

// reverse gives the name under which an address is asked for (RFC 1035 §3.5, RFC 3596 §2.5).
func reverse(a netip.Addr) string {
	var b strings.Builder
	if bytes := a.AsSlice(); a.Is4() {
		for i := 3; i >= 0; i-- {
			fmt.Fprintf(&b, "%d.", bytes[i])
		}
		return b.String() + "in-addr.arpa"
	} else {
		for i := 15; i >= 0; i-- {
			fmt.Fprintf(&b, "%x.%x.", bytes[i]&15, bytes[i]>>4)
		}
		return b.String() + "ip6.arpa"
	}
}

func TestVerifyCrawler(t *testing.T) {
	s, resolver := serveNames(t)
	s.ptr = map[string][]string{
		"66.249.66.1":          {"crawl-66-249-66-1.googlebot.com"},
		"66.249.66.2":          {"vanity.example.org", "Geo-Crawl-66-249-66-2.geo.GoogleBot.com"},
		"2001:4860:4801:10::1": {"crawl-6.googlebot.com"},
		"157.55.33.18":         {"msnbot-157-55-33-18.search.msn.com"},
		"203.0.113.1":          {"crawl-66-249-66-1.googlebot.com"},      // a lying name: it leads back elsewhere
		"203.0.113.2":          {"crawl.googlebot.com.evil.example"},     // a like name
		"203.0.113.3":          {"evilgooglebot.com"},                    // another
		"203.0.113.4":          {"4.113.0.203.bc.googleusercontent.com"}, // a rented machine
		"203.0.113.5":          {"google-proxy-203-0-113-5.google.com"},  // fetches for anybody
		"203.0.113.6":          {"googlebot.com"},                        // the domain itself is no crawler
		"203.0.113.7":          {"missing.googlebot.com"},                // a name that is not
		"203.0.113.8":          {"host.example.net"},
	}
	s.addr = map[string][]string{
		"crawl-66-249-66-1.googlebot.com":         {"66.249.66.1"},
		"geo-crawl-66-249-66-2.geo.googlebot.com": {"66.249.66.9", "66.249.66.2"},
		"crawl-6.googlebot.com":                   {"66.249.66.3", "2001:4860:4801:10::1"},
		"msnbot-157-55-33-18.search.msn.com":      {"157.55.33.18"},
		"crawl.googlebot.com.evil.example":        {"203.0.113.2"},
		"evilgooglebot.com":                       {"203.0.113.3"},
		"4.113.0.203.bc.googleusercontent.com":    {"203.0.113.4"},
		"google-proxy-203-0-113-5.google.com":     {"203.0.113.5"},
		"googlebot.com":                           {"203.0.113.6"},
		"host.example.net":                        {"203.0.113.8"},
	}
	c := NewCrawlers(resolver, map[string][]netip.Prefix{
		"duckduckbot": {netip.MustParsePrefix("20.191.45.212/32")},
		"OurBot":      {netip.MustParsePrefix("198.51.100.0/24")},
	})
	c.Budget = 5 * time.Second
	for _, test := range []struct{ ip, agent, want string }{
		{"66.249.66.1", googlebot, "Googlebot"},
		{"::ffff:66.249.66.1", googlebot, "Googlebot"},
		{"66.249.66.2", googlebot, "Googlebot"},
		{"2001:4860:4801:10::1", googlebot, "Googlebot"},
		{"157.55.33.18", bingbot, "Bingbot"},
		{"157.55.33.18", googlebot, ""}, // one crawler is not another
		{"66.249.66.1", browser, ""},    // nothing is claimed
		{"66.249.66.1", "", ""},
		{"203.0.113.1", googlebot, ""}, {"203.0.113.2", googlebot, ""}, {"203.0.113.3", googlebot, ""}, {"203.0.113.4", googlebot, ""},
		{"203.0.113.5", googlebot, ""}, {"203.0.113.6", googlebot, ""}, {"203.0.113.7", googlebot, ""}, {"203.0.113.8", googlebot, ""},
		{"203.0.113.99", googlebot, ""}, // no name at all
		{"127.0.0.1", googlebot, ""}, {"10.0.0.1", googlebot, ""},
		{"20.191.45.212", "DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)", "DuckDuckBot"},
		{"20.191.45.213", "DuckDuckBot/1.1", ""},
		{"20.191.45.212", googlebot, ""}, // a range is its own crawler's alone
		{"198.51.100.7", "Mozilla/5.0 (compatible; ourbot/1)", "OurBot"},
		{"198.51.101.7", "Mozilla/5.0 (compatible; ourbot/1)", ""},
	} {
		if got := c.Verify(t.Context(), netip.MustParseAddr(test.ip), test.agent); got != test.want {
			t.Errorf("%s as %.50s: %q, want %q", test.ip, test.agent, got, test.want)
		}
	}
	if c.Verify(t.Context(), netip.Addr{}, googlebot) != "" {
		t.Error("no address passes")
	}
}

// Answers are kept, good and bad, for their time; a page waits no longer than
// the budget, and the answer is there for the next.
func TestVerifyCaches(t *testing.T) {
	s, resolver := serveNames(t)
	s.ptr = map[string][]string{"66.249.66.1": {"crawl-1.googlebot.com"}, "203.0.113.1": {"host.example"}}
	s.addr = map[string][]string{"crawl-1.googlebot.com": {"66.249.66.1"}, "host.example": {"203.0.113.1"}}
	var mu sync.Mutex
	now := noon
	sleep := func(d time.Duration) { mu.Lock(); now = now.Add(d); mu.Unlock() }
	c := NewCrawlers(resolver, nil)
	c.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	c.Budget = 5 * time.Second
	genuine, impostor := netip.MustParseAddr("66.249.66.1"), netip.MustParseAddr("203.0.113.1")
	verify := func(ip netip.Addr, want bool, asks bool, when string) {
		t.Helper()
		before := s.count()
		if got := c.Verify(t.Context(), ip, googlebot) != ""; got != want {
			t.Errorf("%s: %v", when, got)
		}
		if asked := s.count() > before; asked != asks {
			t.Errorf("%s: asked DNS: %v", when, asked)
		}
	}
	verify(genuine, true, true, "first")
	verify(genuine, true, false, "again")
	verify(impostor, false, true, "impostor")
	verify(impostor, false, false, "impostor again")
	sleep(impostorFor)
	verify(impostor, false, true, "impostor an hour later")
	verify(genuine, true, false, "genuine an hour later")
	sleep(genuineFor)
	s.set(false, true)
	verify(genuine, false, true, "genuine a day later, DNS broken")
	s.set(false, false)
	verify(genuine, false, false, "kept for a minute")
	sleep(unansweredFor)
	verify(genuine, true, true, "DNS is back")

	// DNS that says nothing.
	sleep(genuineFor)
	s.set(true, false)
	c.Budget, c.Timeout = 20*time.Millisecond, 300*time.Millisecond
	start := time.Now()
	verify(genuine, false, true, "silent")
	if took := time.Since(start); took > 250*time.Millisecond {
		t.Errorf("a page waited %v", took)
	}
}

// However many impostors come, memory and questions are bounded, and the
// genuine crawler stays known.
func TestVerifyIsBounded(t *testing.T) {
	c := NewCrawlers(hangs{}, nil)
	c.Now = func() time.Time { return noon }
	c.Budget, c.Timeout = time.Millisecond, 100*time.Millisecond
	known := claim{netip.MustParseAddr("66.249.66.1"), "Googlebot"}
	c.keep(known, true, nil)
	for i := range 3 * maxAnswers {
		c.keep(claim{netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}), "Googlebot"}, false, nil)
	}
	if len(c.impostor) > maxAnswers || len(c.genuine) != 1 {
		t.Errorf("%d and %d answers are kept", len(c.impostor), len(c.genuine))
	}
	if c.Verify(t.Context(), known.ip, googlebot) == "" {
		t.Error("the genuine crawler is forgotten")
	}
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			if c.Verify(context.Background(), netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), googlebot) != "" {
				t.Error("passes")
			}
		})
	}
	wg.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.asking) > maxAsking {
		t.Errorf("%d questions under way", len(c.asking))
	}
}

// hangs is a resolver that answers nothing.
type hangs struct{}

func (hangs) LookupAddr(ctx context.Context, _ string) ([]string, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (hangs) LookupNetIP(ctx context.Context, _, _ string) ([]netip.Addr, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestRanges(t *testing.T) {
	all, err := LoadRanges(fstest.MapFS{
		"googlebot.json":  {Data: []byte(`{"creationTime": "2026-01-02", "prefixes": [{"ipv6Prefix": "2001:4860:4801:10::/64"}, {"ipv4Prefix": "66.249.64.0/27"}]}`)},
		"duckduckbot.txt": {Data: []byte("# published\r\n20.191.45.212\n\n 40.88.21.0/24 # west\n")},
		"readme.md":       {Data: []byte("not a list")},
	})
	if err != nil || fmt.Sprint(all) != "map[duckduckbot:[20.191.45.212/32 40.88.21.0/24] googlebot:[2001:4860:4801:10::/64 66.249.64.0/27]]" {
		t.Errorf("%v, %v", all, err)
	}
	c := NewCrawlers(nil, all)
	if got := c.Verify(t.Context(), netip.MustParseAddr("66.249.64.9"), googlebot); got != "Googlebot" {
		t.Errorf("by range: %q", got)
	}
	if got := c.Verify(t.Context(), netip.MustParseAddr("66.249.64.99"), googlebot); got != "" {
		t.Errorf("outside, without DNS: %q", got)
	}
	for name, text := range map[string]string{
		"a.txt": "20.191.45.0/33", "b.txt": "0.0.0.0/0", "c.json": `{"prefixes": [{"ipv6Prefix": "::/0"}]}`, "d.json": `{"prefixes": [`,
		"e.txt": "<html>", ".json": "{}",
	} {
		if _, err := LoadRanges(fstest.MapFS{name: {Data: []byte(text)}}); !fault.Is(err, fault.Invalid) || fault.Hint(err) == "" || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRanges(f *testing.F) {
	f.Add(`{"prefixes": [{"ipv4Prefix": "66.249.64.0/27"}]}`)
	f.Add("192.0.2.0/24\n2001:db8::1 # one\n::ffff:192.0.2.1")
	f.Fuzz(func(t *testing.T, text string) {
		ranges, err := ParseRanges(strings.NewReader(text))
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatal(err)
		}
		for _, p := range ranges {
			if !p.IsValid() || p.Masked() != p || !p.Contains(p.Addr()) {
				t.Fatalf("%v", p)
			}
		}
	})
}
