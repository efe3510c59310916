package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"masthead/internal/config"
	"masthead/internal/relay"
	"masthead/internal/site"
)

// caches are those in front, which keep pages and are told what has changed.
//
// Every node tells every cache, and only when it has dropped its own pages: a
// node that hears of a change last may have filled a cache with an old page
// until then, and tells it last, too. What a cache was just being sent is not
// in it yet, so it is told twice, the second time a second later. What cannot
// be told is told later; a node that ends before that tells the caches to drop
// everything when it starts, since a new program may make other pages.
type caches struct {
	each    []*cache
	pending *prometheus.Desc
	oldest  *prometheus.Desc
	sent    *prometheus.Desc
}

// cache is one cache in front.
type cache struct {
	url    *url.URL
	secret string
	log    *slog.Logger
	client *http.Client
	wake   chan struct{} // of one: there is something to tell

	mu      sync.Mutex
	tags    map[string]time.Time // to be told, and since when
	sending map[string]time.Time // being told
	again   map[string]time.Time // told a moment ago: when they are to be told again
	told    int
	refused int
}

// How a cache is told. A cache that does not answer is tried again more and
// more slowly; one with very much to be told of drops everything.
const (
	purgeTimeout = 2 * time.Second
	purgeAgain   = time.Second
	purgeRetry   = 50 * time.Millisecond
	purgeSlowest = 5 * time.Second
	purgeMost    = 2000 // tags
	purgeBatch   = 100  // tags of one request
)

// openCaches gives the caches that the settings name, or nil.
func openCaches(c config.Config, log *slog.Logger) *caches {
	if len(c.CDNPurge) == 0 {
		return nil
	}
	a := &caches{
		pending: prometheus.NewDesc("masthead_purge_pending", "Tags that a cache in front has not been told of yet.", []string{"cache"}, nil),
		oldest:  prometheus.NewDesc("masthead_purge_pending_seconds", "For how long a cache in front has not been told of a change.", []string{"cache"}, nil),
		sent:    prometheus.NewDesc("masthead_purges_total", "PURGE requests to a cache in front, by outcome.", []string{"cache", "outcome"}, nil),
	}
	for _, u := range c.CDNPurge {
		a.each = append(a.each, &cache{
			url: u, secret: c.CDNSecret, log: log, wake: make(chan struct{}, 1), tags: map[string]time.Time{}, sending: map[string]time.Time{}, again: map[string]time.Time{},
			// The operator has named these addresses, which may be private. Nothing else
			// is reached from here: no proxy of the environment, no redirect.
			client: &http.Client{
				Timeout: purgeTimeout,
				Transport: &http.Transport{DialContext: (&net.Dialer{Timeout: purgeTimeout}).DialContext, MaxIdleConnsPerHost: 1,
					IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10},
				CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			},
		})
	}
	return a
}

// tell notes what has changed, for every cache, and waits for nobody.
func (a *caches) tell(tags []string) {
	if a == nil {
		return
	}
	var known []string
	for _, t := range tags {
		switch {
		case t == relay.All || t == tagWall:
			known = append(known, site.SiteTag)
		case site.OnPages(t):
			known = append(known, t)
		}
	}
	if len(known) == 0 {
		return
	}
	for _, c := range a.each {
		c.add(known, time.Now())
	}
}

// run tells every cache until ctx ends. First they drop everything.
func (a *caches) run(ctx context.Context) {
	if a == nil {
		return
	}
	var all sync.WaitGroup
	for _, c := range a.each {
		all.Go(func() { c.run(ctx) })
	}
	all.Wait()
}

// add notes tags to be told. Those that are waited for keep their time.
func (c *cache) add(tags []string, since time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range tags {
		if _, ok := c.tags[t]; !ok {
			c.tags[t] = since
		}
	}
	if len(c.tags) > purgeMost { // every page bears this one
		since = slices.MinFunc(slices.Collect(maps.Values(c.tags)), time.Time.Compare)
		c.tags = map[string]time.Time{site.SiteTag: since}
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// due takes what is to be told now, and says when the next is.
func (c *cache) due(now time.Time) (tags []string, next time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for t, since := range c.tags {
		if len(c.sending) == purgeBatch {
			break
		}
		c.sending[t] = since
		delete(c.tags, t)
		tags = append(tags, t)
	}
	for t, at := range c.again {
		if at.After(now) {
			if next.IsZero() || at.Before(next) {
				next = at
			}
		} else if len(tags) < purgeBatch {
			delete(c.again, t)
			tags = append(tags, t)
		}
	}
	return tags, next
}

// done notes that tags were told: the new ones are told again in a while. What
// could not be told stays to be told.
func (c *cache) done(tags []string, err error) {
	c.mu.Lock()
	sending := c.sending
	c.sending = map[string]time.Time{}
	if err == nil {
		c.told++
		for t := range sending {
			c.again[t] = time.Now().Add(purgeAgain)
		}
		if len(c.again) > purgeMost {
			c.again = map[string]time.Time{site.SiteTag: time.Now().Add(purgeAgain)}
		}
		c.mu.Unlock()
		return
	}
	c.refused++
	c.mu.Unlock()
	now := time.Now()
	for _, t := range tags {
		since, ok := sending[t]
		if !ok {
			since = now
		}
		c.add([]string{t}, since)
	}
}

func (c *cache) run(ctx context.Context) {
	c.add([]string{site.SiteTag}, time.Now())
	wait, failing := purgeRetry, false
	for {
		tags, next := c.due(time.Now())
		if len(tags) == 0 {
			if !c.sleep(ctx, next, true) {
				return
			}
			continue
		}
		err := c.purge(ctx, tags)
		if ctx.Err() != nil {
			return
		}
		c.done(tags, err)
		if err == nil {
			if failing {
				c.log.Info("the cache in front hears of changes again", "cache", c.url.Host)
			}
			wait, failing = purgeRetry, false
			continue
		}
		if !failing {
			failing = true
			c.log.Warn("the cache in front does not hear of changes; trying again", "cache", c.url.Host, "error", err)
		}
		if !c.sleep(ctx, time.Now().Add(wait/2+rand.N(wait/2)), false) {
			return
		}
		wait = min(2*wait, purgeSlowest)
	}
}

// sleep waits until a time, if it is one, or until there is something to tell;
// false means that ctx has ended.
func (c *cache) sleep(ctx context.Context, until time.Time, woken bool) bool {
	var at <-chan time.Time
	if !until.IsZero() {
		at = time.After(time.Until(until))
	}
	wake := c.wake
	if !woken {
		wake = nil
	}
	select {
	case <-ctx.Done():
		return false
	case <-at:
	case <-wake:
	}
	return true
}

// purge tells the cache to drop whatever bears one of the tags.
func (c *cache) purge(ctx context.Context, tags []string) error {
	slices.Sort(tags)
	keys := strings.Join(slices.Compact(tags), " ") // what is told anew may be told again, too
	r, err := http.NewRequestWithContext(ctx, "PURGE", c.url.String(), nil)
	if err != nil {
		return err
	}
	r.Header.Set("Xkey-Purge", keys)
	r.Header.Set("Surrogate-Key", keys)
	r.Header.Set("X-Purge-Secret", c.secret)
	res, err := c.client.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("PURGE %s: %s", c.url.Redacted(), res.Status)
	}
	return nil
}

// Describe implements [prometheus.Collector].
func (a *caches) Describe(to chan<- *prometheus.Desc) {
	to <- a.pending
	to <- a.oldest
	to <- a.sent
}

// Collect implements [prometheus.Collector].
func (a *caches) Collect(to chan<- prometheus.Metric) {
	now := time.Now()
	for _, c := range a.each {
		c.mu.Lock()
		pending, told, refused, oldest := len(c.tags)+len(c.sending), c.told, c.refused, time.Duration(0)
		for _, waiting := range []map[string]time.Time{c.tags, c.sending} {
			for _, since := range waiting {
				oldest = max(oldest, now.Sub(since))
			}
		}
		c.mu.Unlock()
		to <- prometheus.MustNewConstMetric(a.pending, prometheus.GaugeValue, float64(pending), c.url.Host)
		to <- prometheus.MustNewConstMetric(a.oldest, prometheus.GaugeValue, oldest.Seconds(), c.url.Host)
		to <- prometheus.MustNewConstMetric(a.sent, prometheus.CounterValue, float64(told), c.url.Host, "told")
		to <- prometheus.MustNewConstMetric(a.sent, prometheus.CounterValue, float64(refused), c.url.Host, "failed")
	}
}
