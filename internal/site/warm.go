package site

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"masthead/internal/page"
	"masthead/internal/story"
	"masthead/internal/wall"
)

// OnPages reports whether pages bear a tag, rather than what is kept of readers.
func OnPages(tag string) bool {
	return tag == SiteTag || tag == page.All || strings.HasPrefix(tag, StoryTag("")) || strings.HasPrefix(tag, ListsTag(""))
}

// fresh is what was changed and is to be made anew before somebody asks: the
// newest stories, and every front page.
type fresh struct {
	mu      sync.Mutex
	stories []string      // IDs, the newest last
	wake    chan struct{} // of one
}

// What is made anew ahead of its time is bounded: an import changes thousands of
// stories, and each change makes the lists old again.
const (
	freshMost  = 16 // stories
	freshPause = 500 * time.Millisecond
)

func newFresh() fresh { return fresh{wake: make(chan struct{}, 1)} }

func (f *fresh) add(tags []string) {
	if !slices.ContainsFunc(tags, OnPages) {
		return
	}
	f.mu.Lock()
	for _, t := range tags {
		if id, ok := strings.CutPrefix(t, StoryTag("")); ok && !slices.Contains(f.stories, id) {
			f.stories = append(f.stories, id)
		}
	}
	f.stories = slices.Delete(f.stories, 0, max(0, len(f.stories)-freshMost))
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

func (f *fresh) take() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	stories := f.stories
	f.stories = nil
	return stories
}

// Warm makes the pages of what has changed before somebody asks for them, one
// after the other, until ctx ends: each language of a story, whole and as far as
// everybody may read, the lists that show it, and the front pages. A page that
// cannot be made is left to whoever asks for it.
func (n *Newsroom) Warm(ctx context.Context) {
	site := n.Handler()
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.Engine.fresh.wake:
		}
		n.warm(ctx, site, n.Engine.fresh.take())
		select {
		case <-ctx.Done():
			return
		case <-time.After(freshPause):
		}
	}
}

// warm is one round. Nobody waits for it, so a panic is a line of the log.
func (n *Newsroom) warm(ctx context.Context, site http.Handler, stories []string) {
	defer func() {
		if p := recover(); p != nil {
			n.Answer.Log.ErrorContext(ctx, "panic while pages were made ahead", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	for _, path := range n.warmStories(ctx, stories) {
		if ctx.Err() != nil {
			return
		}
		site.ServeHTTP(nowhere{}, warmRequest(ctx, path))
	}
}

// warmStories makes the pages of stories, and gives the lists to be made after them.
func (n *Newsroom) warmStories(ctx context.Context, ids []string) (paths []string) {
	for _, l := range n.languages() {
		paths = append(paths, n.at(l, "/"))
	}
	if len(ids) == 0 {
		return paths
	}
	q := n.DB.Read()
	cards, err := n.Stories.Cards(ctx, q, story.Query{StoryIDs: ids, AnyKind: true})
	if err != nil {
		return paths
	}
	topics, err := n.Stories.TopicSlugs(ctx, q, cards)
	if err != nil {
		return paths
	}
	add := func(path string) {
		if !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	for _, c := range cards {
		n.warmStory(ctx, c)
		if t, err := n.taxonomy(ctx, c.Lang); err == nil {
			for _, s := range t.sections.Path(c.SectionID) {
				add(n.at(c.Lang, "/"+s.Slug+"/"))
			}
		}
		for _, slug := range topics[c.StoryID] {
			add(n.at(c.Lang, "/topic/"+slug+"/"))
		}
		for _, a := range c.Authors {
			add(n.at(c.Lang, "/author/"+a.Slug+"/"))
		}
		add(n.at(c.Lang, "/feed.xml"))
	}
	return paths
}

// warmStory makes both pages of an edition: the whole by what the wall decides
// for staff, and what it leaves of it.
func (n *Newsroom) warmStory(ctx context.Context, c story.Card) {
	n.withLanguage(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		rt, err := n.route(r.Context(), address(r))
		if err != nil || ctx.Err() != nil {
			return
		}
		template, build := "story", func(r *http.Request, cut wall.Decision) (tagged, error) { return n.storyPage(r, rt, cut) }
		if rt.story.Kind == story.Page && n.openToAll(rt.item) {
			template, build = "plain", func(r *http.Request, cut wall.Decision) (tagged, error) { return n.plainPage(r, rt, cut) }
		}
		staff := n.Wall.Decide(wall.Visit{Reader: wall.Reader{State: wall.Staff}, Now: n.Now(), Peek: true}, rt.item)
		n.variant(r, rt, staff, template, build)
		if d := n.Wall.Decide(wall.Visit{Now: n.Now(), Peek: true}, rt.item); !d.Full {
			n.variant(r, rt, d, template, build)
		}
		n.storyHoles(r, rt, wall.Visit{}, wall.Decision{Full: true}, nil)
	})).ServeHTTP(nil, warmRequest(ctx, c.Path))
}

// warmRequest is that of a visitor of whom nothing is known.
func warmRequest(ctx context.Context, path string) *http.Request {
	r := &http.Request{Method: http.MethodHead, URL: &url.URL{Path: path}, Header: http.Header{}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, RequestURI: path}
	return r.WithContext(ctx)
}

// nowhere takes an answer that nobody reads.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (nowhere) WriteHeader(int)             {}
