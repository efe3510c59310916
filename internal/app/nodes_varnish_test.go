package app_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/proof"
	"masthead/internal/story"
)

// soonInFront waits until something is seen through Varnish, for two seconds at the most.
func (c *cluster) soonInFront(what string, ok func() bool) {
	c.room.t.Helper()
	took := c.front.soon(2*time.Second, what+", through Varnish", ok)
	c.room.t.Logf("%s: through Varnish after %v", what, took.Round(time.Millisecond))
}

// throughVarnish publishes and withdraws behind Varnish, which asks all nodes in turn.
func (c *cluster) throughVarnish(t *testing.T) {
	b, front := c.front.visitor(), c.front
	for _, path := range []string{"/", c.path("open-water"), c.path("for-readers")} {
		b.hits(path, true)
	}
	hasNot(t, "a withheld story", b.page(c.path("for-readers")), kept("for-readers", "en")...)
	word := kept("for-readers", "en")[0]
	reader := c.nodes[0].reader("varnish@example.org").at(front)
	for range 2 * len(c.nodes) { // whichever node it is
		has(t, "a reader's story", reader.page(c.path("for-readers")), word)
		has(t, "a reader's front page", reader.page("/"), `href="/account"`)
	}
	hasNot(t, "a stranger's front page", b.page("/"), `href="/account"`)

	c.tx(func(ctx context.Context, tx *db.Tx) error {
		return c.write(ctx, tx, piece{slug: "in-front", access: story.Open}, nil, "")
	})
	e := c.editions["in-front"]
	c.soonInFront("a new story", func() bool {
		return b.get(e.Path).StatusCode == http.StatusOK && strings.Contains(b.page("/"), e.Headline)
	})
	b.page(e.Path)
	e.Headline = "In front of three"
	c.tx(func(ctx context.Context, tx *db.Tx) error { return c.Stories.SaveEdition(ctx, tx, &e, "editor") })
	c.soonInFront("a changed story", func() bool {
		return strings.Contains(b.page(e.Path), e.Headline) && strings.Contains(b.page("/"), e.Headline)
	})
	c.tx(func(ctx context.Context, tx *db.Tx) error {
		return c.Stories.Withdraw(ctx, tx, e.ID, "Wrong.", "editor")
	})
	gone := func() bool {
		return b.get(e.Path).StatusCode == http.StatusGone && !strings.Contains(b.page("/"), e.Headline)
	}
	c.soonInFront("a withdrawn story", gone)
	for range 20 { // and no node brings it back
		if time.Sleep(50 * time.Millisecond); !gone() {
			t.Fatal("a withdrawn story came back")
		}
	}
	stale := reader.copy()
	reader.post("/account/sessions", url.Values{"all": {"1"}})
	c.soonInFront("a reader who signed out everywhere", func() bool {
		return !strings.Contains(stale.copy().at(front).page(c.path("for-readers")), word)
	})
}

// wallThroughVarnish reads everything as everybody, through Varnish and all nodes.
func (c *cluster) wallThroughVarnish(t *testing.T) {
	u, err := url.Parse(c.front.url)
	if err != nil {
		t.Fatal(err)
	}
	report, err := proof.Check(t.Context(), proof.Newsroom{Config: c.Config, DB: c.DB, Stories: c.Stories, Readers: c.Readers, Staff: c.Staff,
		WallStore: c.WallStore, MeterKeys: c.MeterKeys, Now: c.Now}, proof.Options{URL: u})
	if err != nil {
		t.Fatal(err)
	}
	if !report.Passed() || len(report.Findings) > 0 {
		var text strings.Builder
		report.WriteText(&text)
		t.Error(text.String())
	}
	t.Logf("%d editions as %d personas", report.Editions, report.Personas)
}
