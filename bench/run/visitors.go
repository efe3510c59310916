package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http/httptrace"
	"strings"
	"time"

	"masthead/internal/db"
)

// drawn is how many requests a list with a choice of stories has.
const drawn = 30_000

// readEach is how many draws a reader on a meter makes: fewer stories than the
// meter has.
const readEach = 90

// test is one line to measure.
type test struct {
	name   string
	server *server
	asks   func(context.Context) ([]ask, error) // asked for before each round: passes are short-lived
	size   int                                  // bytes of an answer; 0 when it must be asked for
}

// visitors are all who read, and the desk that publishes.
type visitors struct {
	site      *server
	desk      *desk
	paths     []string // of the stories, the newest first
	byAccess  [3][]int // numbers of the stories, by section
	anonymous *browser // has read one story on the meter
	supporter *browser
	readers   []*browser
}

func (b *bench) visitors(ctx context.Context, m *server, dir string, paths []string) (*visitors, error) {
	a, err := open(ctx, dir)
	if err != nil {
		return nil, err
	}
	v := &visitors{site: m, paths: paths, desk: &desk{App: a, writer: newWriter(99), now: time.Now()}, anonymous: newBrowser(m)}
	for i := range paths {
		v.byAccess[i%3] = append(v.byAccess[i%3], i)
	}
	if err := v.enter(ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return v, nil
}

// enter signs everybody in, and looks whether each is given what is his.
func (v *visitors) enter(ctx context.Context) error {
	tokens, err := v.desk.links(ctx)
	if err != nil {
		return err
	}
	signedIn := func(email string) (*browser, error) {
		b := newBrowser(v.site)
		return b, b.signIn(ctx, tokens[email])
	}
	if v.supporter, err = signedIn(supporter); err != nil {
		return err
	}
	for i := range readers {
		b, err := signedIn(fmt.Sprintf(readerMail, i))
		if err != nil {
			return err
		}
		v.readers = append(v.readers, b)
	}
	if _, _, _, err := v.anonymous.read(ctx, v.paths[v.byAccess[metered][2]]); err != nil {
		return err
	}
	if !strings.Contains(v.anonymous.cookies(), "meter=") {
		return errors.New("the anonymous visitor got no meter")
	}
	for _, c := range []struct {
		who    string
		b      *browser
		access int
		whole  bool
	}{
		{"a stranger", newBrowser(v.site), opened, true}, {"a stranger", newBrowser(v.site), closed, false},
		{"a reader", v.readers[0], closed, false}, {"a reader", v.readers[0], metered, true}, {"a supporter", v.supporter, closed, true},
	} {
		i := v.byAccess[c.access][0]
		_, plain, _, err := c.b.read(ctx, v.paths[i])
		if err != nil {
			return err
		}
		if got := bytes.Contains(plain, []byte(ending(i))); got != c.whole {
			return fmt.Errorf("%s is sent the whole of a story in %s: %t", c.who, sections[c.access], got)
		}
	}
	return nil
}

// Places in sections.
const (
	opened = iota
	metered
	closed
)

// tests are Masthead's lines.
func (v *visitors) tests(m *server) []test {
	first := func(access int) string { return v.paths[v.byAccess[access][0]] }
	as := func(b *browser, path string) func(context.Context) ([]ask, error) {
		return func(ctx context.Context) ([]ask, error) {
			cookies, err := v.passOf(ctx, b)
			return []ask{{path, cookies}}, err
		}
	}
	still := func(asks []ask) func(context.Context) ([]ask, error) {
		return func(context.Context) ([]ask, error) { return asks, nil }
	}
	meter := v.anonymous.cookies()
	return []test{
		{name: "story, anonymous, open", server: m, asks: one(first(opened))},
		{name: "story, anonymous, counted on the meter", server: m, asks: still([]ask{{first(metered), meter}})},
		{name: "story, anonymous, preview and wall", server: m, asks: one(first(closed))},
		{name: "story, signed in, whole by tier", server: m, asks: as(v.supporter, first(closed))},
		{name: "story, signed in, on the meter", server: m, asks: as(v.readers[0], first(metered))},
		{name: "front page", server: m, asks: one("/")},
		{name: "feed", server: m, asks: one("/feed.xml")},
		{name: "all stories, anonymous, open", server: m, asks: still(v.choice(1, opened, ""))},
		{name: "all stories, anonymous, counted on the meter", server: m, asks: still(v.choice(2, metered, meter))},
		{name: "all stories, anonymous, preview and wall", server: m, asks: still(v.choice(3, closed, ""))},
		{name: "all stories, 200 readers on their meters", server: m, asks: v.onMeters},
		{name: "search", server: m, asks: still(searches(5))},
	}
}

// choice draws stories of one section.
func (v *visitors) choice(seed uint64, access int, cookies string) []ask {
	of := v.byAccess[access]
	asks := make([]ask, 0, drawn)
	for _, i := range draws(seed, drawn, len(of)) {
		asks = append(asks, ask{v.paths[of[i]], cookies})
	}
	return asks
}

// onMeters lets each reader draw the stories that he reads, in turn with the others.
func (v *visitors) onMeters(ctx context.Context) ([]ask, error) {
	of := v.byAccess[metered]
	asks := make([]ask, 0, readEach*len(v.readers))
	stories := draws(4, readEach*len(v.readers), len(of))
	cookies := make([]string, len(v.readers))
	for i, b := range v.readers {
		var err error
		if cookies[i], err = v.passOf(ctx, b); err != nil {
			return nil, err
		}
	}
	for i, story := range stories {
		asks = append(asks, ask{v.paths[of[story]], cookies[i%len(cookies)]})
	}
	return asks, nil
}

// searches draws from all words. What one line asks for, another does not, or it
// would be found in memory.
func searches(seed uint64) []ask {
	w := newWriter(seed)
	asks := make([]ask, 2000)
	for i := range asks {
		asks[i].path = "/search?q=" + w.query()
	}
	return asks
}

// passOf lets a reader come by, for a new pass: it is good for a minute, which
// is longer than a line is measured.
func (v *visitors) passOf(ctx context.Context, b *browser) (string, error) {
	b.drop("pass")
	b.drop("__Host-pass")
	if _, _, _, err := b.read(ctx, "/"); err != nil {
		return "", err
	}
	cookies := b.cookies()
	if !strings.Contains(cookies, "pass=") || !strings.Contains(cookies, "reader=") {
		return "", fmt.Errorf("a reader has only the cookies %q", cookies)
	}
	return cookies, nil
}

// publishAndRead publishes n stories, reads each as soon as it is committed, and
// gives the times to the first byte.
func (v *visitors) publishAndRead(ctx context.Context, n int) ([]time.Duration, error) {
	if err := v.desk.prepare(ctx); err != nil {
		return nil, err
	}
	reader := newBrowser(v.site)
	var took []time.Duration
	// Numbers that no earlier run has taken, all of them open.
	number := (len(v.paths)/3 + int(time.Now().Unix())) * 3
	for i := range n {
		number += 3
		var path string
		err := v.desk.DB.InTx(ctx, func(tx *db.Tx) (err error) {
			path, err = v.desk.publish(ctx, tx, number, time.Now())
			return err
		})
		if err != nil {
			return nil, err
		}
		var began time.Time
		var first time.Duration
		traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			WroteRequest:         func(httptrace.WroteRequestInfo) { began = time.Now() },
			GotFirstResponseByte: func() { first = time.Since(began) },
		})
		_, plain, _, err := reader.read(traced, path)
		if err != nil {
			return nil, err
		}
		if !bytes.Contains(plain, []byte(ending(number))) {
			return nil, fmt.Errorf("%s is not whole", path)
		}
		if i > 0 { // the first one opens the connection
			took = append(took, first)
		}
	}
	return took, nil
}
