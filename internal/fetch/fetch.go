// Package fetch reads from the web for the newsroom, without letting an address
// that somebody else wrote lead inside its own network.
//
//	client := fetch.New(fetch.Options{})
//	page, err := client.Get(ctx, "https://video.example/oembed?url=…", 1<<20)
//
// A host's addresses are checked where the connection is made, after every
// lookup and on every redirect, so that a name which answers differently the
// second time (DNS rebinding) gains nothing. What is refused is fault.Forbidden.
package fetch

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"masthead/internal/fault"
)

// Options widen or narrow what a client may do. The zero Options are for
// addresses that strangers wrote.
type Options struct {
	Timeout   time.Duration // of one request with its redirects and its body; 0 is 20 seconds
	Redirects int           // how many are followed; 0 is 5, below 0 none
	Ports     []int         // nil is 80 and 443
	Agent     string        // User-Agent; "" is "Masthead"
	Resolver  *net.Resolver // nil is the system's
	// AllowPrivate lets the client reach any address and port: for tests, and for
	// a newsroom whose owner asks for it.
	AllowPrivate bool
}

// Client reads from the web. It may be used by many goroutines at once.
type Client struct {
	http    *http.Client
	options Options
}

// New gives a client.
func New(o Options) *Client {
	o.Timeout = cmp.Or(o.Timeout, 20*time.Second)
	o.Redirects = cmp.Or(o.Redirects, 5)
	o.Agent = cmp.Or(o.Agent, "Masthead")
	if o.Ports == nil {
		o.Ports = []int{80, 443}
	}
	c := &Client{options: o}
	dialer := &net.Dialer{Timeout: 10 * time.Second, Resolver: o.Resolver}
	if !o.AllowPrivate {
		dialer.ControlContext = c.control
	}
	c.http = &http.Client{
		Timeout: o.Timeout,
		Transport: &http.Transport{
			Proxy:                  nil, // a proxy would look the names up itself, unchecked
			DialContext:            dialer.DialContext,
			TLSHandshakeTimeout:    10 * time.Second,
			ResponseHeaderTimeout:  o.Timeout,
			MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConns:           20,
			IdleConnTimeout:        30 * time.Second,
			ForceAttemptHTTP2:      true,
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > max(o.Redirects, 0) {
				return refused("the page redirects too often", r.URL.Redacted())
			}
			return c.check(r.URL)
		},
	}
	return c
}

// Response is what an address gave. The caller closes Body, which ends with
// fault.TooLarge after the most bytes that were allowed.
type Response struct {
	URL    *url.URL // after redirects
	Header http.Header
	Body   io.ReadCloser
}

// Open asks for address with GET and gives its body as it comes, at most limit
// bytes of it. Faults: Invalid for what is no address, Forbidden for one that
// leads where it may not, NotFound and Gone as the server tells, TooLarge, and
// Unavailable for every other failure.
func (c *Client) Open(ctx context.Context, address string, limit int64) (*Response, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fault.New(fault.Invalid, "that is no web address", "address", address)
	}
	if err := c.check(u); err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fault.New(fault.Invalid, "that is no web address", "address", address)
	}
	r.Header.Set("User-Agent", c.options.Agent)
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, away(address, err)
	}
	switch status := answer.StatusCode; {
	case status == http.StatusOK && answer.ContentLength <= limit:
		return &Response{URL: answer.Request.URL, Header: answer.Header, Body: &body{answer.Body, limit, limit, address}}, nil
	case status == http.StatusOK:
		err = tooLarge(address, limit)
	case status == http.StatusNotFound:
		err = fault.New(fault.NotFound, "there is nothing at that web address", "address", address)
	case status == http.StatusGone:
		err = fault.New(fault.Gone, "there is nothing at that web address any more", "address", address)
	default:
		err = fault.New(fault.Unavailable, "the web address gives nothing now", "address", address, "status", status)
	}
	answer.Body.Close()
	return nil, err
}

// Get reads what address gives, at most limit bytes. Its faults are those of [Client.Open].
func (c *Client) Get(ctx context.Context, address string, limit int64) ([]byte, error) {
	r, err := c.Open(ctx, address, limit)
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(r.Body); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// HTTP gives the client as net/http knows it, with all its checks, for
// libraries that want one. It bounds no body.
func (c *Client) HTTP() *http.Client { return c.http }

// Check refuses with fault.Forbidden what an address shows that this client does not
// ask for; [Client.HTTP] looks at redirects alone, and at where a connection leads.
func (c *Client) Check(u *url.URL) error { return c.check(u) }

// body stops after limit bytes.
type body struct {
	io.ReadCloser
	left    int64
	limit   int64
	address string
}

func (b *body) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1] // one more tells that there is more
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n + int(b.left), tooLarge(b.address, b.limit)
	}
	if err != nil && err != io.EOF {
		err = away(b.address, err)
	}
	return n, err
}

// check refuses by what the address says; control by where it leads.
func (c *Client) check(u *url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Opaque != "" {
		return refused("only http and https addresses are read", u.Redacted())
	}
	if u.User != nil {
		return refused("web addresses with a user's name in them are not read", u.Redacted())
	}
	if strings.Contains(u.Hostname(), "%") {
		return refused("web addresses with a zone are not read", u.Redacted())
	}
	if c.options.AllowPrivate {
		return nil
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || !slices.Contains(c.options.Ports, n) {
			return refused("that port is not read from", u.Redacted())
		}
	}
	return nil
}

// control sees every address that is about to be connected to (it is called by
// the dialer after the lookup), whichever way it was come by.
func (c *Client) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" {
		return refused("that address is not read from", address)
	}
	if !Public(to.Addr()) {
		return refused("that web address leads inside of a network", address)
	}
	if !slices.Contains(c.options.Ports, int(to.Port())) {
		return refused("that port is not read from", address)
	}
	return nil
}

// special are the blocks that are not of the public internet, after the IANA
// special-purpose registries (RFC 6890), and those that carry an IPv4 address
// whose own block counts.
var special = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
	"192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"224.0.0.0/4", "240.0.0.0/4", // multicast, reserved and broadcast
	"::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16",
	"fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)

var (
	nat64  = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052: IPv4 in the last four bytes
	sixTo4 = netip.MustParsePrefix("2002::/16")    // RFC 3056: IPv4 after the first two
)

func prefixes(all ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(all))
	for i, p := range all {
		list[i] = netip.MustParsePrefix(p)
	}
	return list
}

// Public reports whether a is an address of the public internet.
func Public(a netip.Addr) bool {
	a = a.Unmap() // ::ffff:127.0.0.1
	if !a.IsValid() || a.Zone() != "" {
		return false
	}
	b := a.As16()
	switch {
	case nat64.Contains(a):
		return Public(netip.AddrFrom4([4]byte(b[12:16])))
	case sixTo4.Contains(a):
		return Public(netip.AddrFrom4([4]byte(b[2:6])))
	}
	return a.IsGlobalUnicast() && !slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(a) })
}

func refused(message, address string) error {
	return fault.New(fault.Forbidden, message, "address", address)
}

func tooLarge(address string, limit int64) error {
	return fault.New(fault.TooLarge, "the web address gives more than is read", "address", address, "limit", limit)
}

// away keeps the kind of our own refusals, which net/http wraps.
func away(address string, err error) error {
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return fmt.Errorf("fetch.Get(%s): %w", address, err)
	}
	return fmt.Errorf("fetch.Get(%s): %w: %w", address, fault.New(fault.Unavailable, "the web address cannot be read now"), err)
}
