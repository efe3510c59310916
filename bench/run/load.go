package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/tls"
	_ "embed"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

//go:embed load.lua
var script []byte

// measure is what a load has shown. Where nothing was answered, rate and cpu are
// 0, and p50 and p99 are how long was waited.
type measure struct {
	rate, cpu float64 // requests a second; processor seconds of the server for 1,000 requests
	p50, p99  time.Duration
	memory    float64 // of the server at the end of the load, resident, MB
	core      float64 // share of its core that the server used
}

// ask is one request: a path, and the Cookie header.
type ask struct{ path, cookie string }

// load puts the requests to the server one after the other, and again from the
// first, over so many connections. Any answer but a good one is an error.
func load(ctx context.Context, dir string, s *server, asks []ask, connections int, d time.Duration) (measure, error) {
	list, lua := filepath.Join(dir, "asks"), filepath.Join(dir, "load.lua")
	var b bytes.Buffer
	for _, a := range asks {
		fmt.Fprintf(&b, "%s\t%s\n", a.path, a.cookie)
	}
	if err := os.WriteFile(list, b.Bytes(), 0o600); err != nil {
		return measure{}, err
	}
	if err := os.WriteFile(lua, script, 0o600); err != nil {
		return measure{}, err
	}
	args := []string{"-c", loadCore, "wrk", "-t1", fmt.Sprint("-c", connections), fmt.Sprintf("-d%ds", seconds(d)),
		"--latency", "--timeout", "10s", "-s", lua, s.url() + "/", "--", list, s.addr}
	return s.measured(func() (n int, took time.Duration, m measure, err error) {
		out, err := exec.CommandContext(ctx, "taskset", args...).CombinedOutput()
		if err != nil {
			return 0, 0, m, fmt.Errorf("wrk: %w: %s", err, out)
		}
		return parseResult(string(out))
	})
}

// seconds gives d in whole seconds, one at the least.
func seconds(d time.Duration) int { return int(max(d, time.Second) / time.Second) }

// measured tells what a load has shown, with what it has cost the server. load
// gives how many requests were answered in which time.
func (s *server) measured(load func() (n int, took time.Duration, m measure, err error)) (measure, error) {
	before, err := s.cpu()
	if err != nil {
		return measure{}, err
	}
	n, took, m, err := load()
	if err != nil {
		return measure{}, err
	}
	after, err := s.cpu()
	if err != nil {
		return measure{}, err
	}
	m.memory, m.core = s.memory("VmRSS"), (after-before)/took.Seconds()
	if n == 0 { // nothing was answered in the time, which says enough
		m.p50, m.p99 = took, took
		return m, nil
	}
	m.rate = float64(n) / took.Seconds()
	m.cpu = (after - before) / float64(n) * 1000
	return m, nil
}

// parseResult reads the line that load.lua writes.
func parseResult(out string) (n int, took time.Duration, m measure, err error) {
	i := strings.LastIndex(out, "RESULT ")
	if i < 0 {
		return 0, 0, m, fmt.Errorf("wrk gave no result: %s", out)
	}
	var micros, p50, p99, faults int
	if _, err := fmt.Sscanf(out[i:], "RESULT %d %d %d %d %d", &n, &micros, &p50, &p99, &faults); err != nil {
		return 0, 0, m, fmt.Errorf("wrk's result %q: %w", out[i:], err)
	}
	if faults > 0 {
		return 0, 0, m, fmt.Errorf("%d requests, %d of them failed", n, faults)
	}
	m.p50, m.p99 = time.Duration(p50)*time.Microsecond, time.Duration(p99)*time.Microsecond
	return n, time.Duration(micros) * time.Microsecond, m, nil
}

// middle gives the medians of several measures of one thing.
func middle(all []measure) measure {
	return measure{
		rate: median(all, func(m measure) float64 { return m.rate }), cpu: median(all, func(m measure) float64 { return m.cpu }),
		p50: median(all, func(m measure) time.Duration { return m.p50 }), p99: median(all, func(m measure) time.Duration { return m.p99 }),
		memory: median(all, func(m measure) float64 { return m.memory }), core: median(all, func(m measure) float64 { return m.core }),
	}
}

// median gives the middle value, and 0 of nothing.
func median[T any, V cmp.Ordered](all []T, of func(T) V) V {
	var values []V
	for _, one := range all {
		values = append(values, of(one))
	}
	if len(values) == 0 {
		var none V
		return none
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// browser is a visitor with his cookies.
type browser struct {
	base   *url.URL
	client *http.Client
}

func newBrowser(s *server) *browser {
	jar, _ := cookiejar.New(nil) // it never fails
	return &browser{base: &url.URL{Scheme: s.scheme, Host: s.addr}, client: &http.Client{Jar: jar, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// transport takes the certificates that the run makes for itself.
var transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 4}

// cookies is the Cookie header that he would send.
func (b *browser) cookies() string {
	var all []string
	for _, c := range b.client.Jar.Cookies(b.base) {
		all = append(all, c.Name+"="+c.Value)
	}
	return strings.Join(all, "; ")
}

// drop forgets a cookie.
func (b *browser) drop(name string) {
	b.client.Jar.SetCookies(b.base, []*http.Cookie{{Name: name, MaxAge: -1}})
}

// read gets a page as a browser does: compressed as it came, and plain.
func (b *browser) read(ctx context.Context, path string) (raw, plain []byte, h http.Header, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base.String()+path, nil)
	if err != nil {
		return nil, nil, nil, err
	}
	r.Header.Set("Accept-Encoding", "gzip")
	resp, err := b.client.Do(r)
	if err != nil {
		return nil, nil, nil, err
	}
	defer resp.Body.Close()
	if raw, err = io.ReadAll(resp.Body); err != nil {
		return nil, nil, nil, err
	}
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Encoding") != "gzip" {
		return nil, nil, nil, fmt.Errorf("%s: %s, Content-Encoding %q", path, resp.Status, resp.Header.Get("Content-Encoding"))
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, nil, nil, err
	}
	plain, err = io.ReadAll(z)
	return raw, plain, resp.Header, err
}

// signIn follows a sign-in link and presses its button.
func (b *browser) signIn(ctx context.Context, token string) error {
	form := url.Values{"token": {token}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.base.String()+"/signin/confirm", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := b.client.Do(r)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusSeeOther {
		return fmt.Errorf("signing in: %s", resp.Status)
	}
	return nil
}
