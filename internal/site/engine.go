package site

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"masthead/internal/page"
	"masthead/internal/wall"
)

// Engine keeps what the pages of the site are answered with, by tags: see
// [StoryTag], [ListsTag], [ReaderTag] and [SiteTag].
type Engine struct {
	cache    *page.Cache
	marker   *page.Marker
	routes   *page.Memo[*route]      // stories by address
	parts    *page.Memo[[]byte]      // contents of holes that many visitors share
	orders   *page.Memo[taxonomy]    // by language
	reads    *page.Memo[[]wall.Read] // what registered readers' meters have counted
	left     *page.Memo[int]         // gifts that a reader may give
	places   *page.Memo[place]       // by address
	holes    *page.Table[holesKey, page.Holes]
	passes   *page.Memo[*pass]       // by cookie, those that were found genuine
	meters   *page.Memo[*wall.Meter] // likewise
	offers   *page.Memo[wall.Design]
	searches *page.Table[searched, *page.Page] // as visitors get them of whom nothing is known

	now     func() time.Time
	fresh   fresh    // what was changed, to be made anew before somebody asks
	revoked sync.Map // reader ID ("" for every) → time.Time up to which no pass is good any more
}

// patience is how long a page, or a part of one, may take to be made. A
// database that is slower than this is as good as away.
const patience = 5 * time.Second

// NewEngine makes an engine that takes so many bytes of memory, about.
func NewEngine(bytes int64, now func() time.Time) *Engine {
	e := &Engine{marker: page.NewMarker(), now: now, fresh: newFresh()}
	e.cache = page.NewCache(page.Settings{Bytes: bytes * 3 / 4, Patience: patience, Now: now})
	e.routes = page.NewMemo[*route](e.cache, bytes/8)
	e.parts = page.NewMemo[[]byte](e.cache, bytes/16)
	e.orders = page.NewMemo[taxonomy](e.cache, bytes/32)
	e.reads = page.NewMemo[[]wall.Read](e.cache, bytes/32)
	e.left = page.NewMemo[int](e.cache, bytes/128)
	e.places = page.NewMemo[place](e.cache, bytes/64)
	e.holes = page.NewTable[holesKey, page.Holes](e.cache, bytes/64, holesKey.weight)
	e.passes = page.NewMemo[*pass](e.cache, bytes/64)
	e.meters = page.NewMemo[*wall.Meter](e.cache, bytes/64)
	e.offers = page.NewMemo[wall.Design](e.cache, 64<<10)
	e.searches = page.NewTable[searched, *page.Page](e.cache, bytes/32, searched.weight)
	return e
}

// Run compresses better what is asked for again, until ctx ends.
func (e *Engine) Run(ctx context.Context) error { return e.cache.Run(ctx) }

// Stats tells how the cache of pages is doing.
func (e *Engine) Stats() page.Stats { return e.cache.Stats() }

// Changed forgets what bears these tags. It is called after the change was committed.
func (e *Engine) Changed(tags []string) {
	now := e.now()
	for _, t := range tags {
		if id, ok := strings.CutPrefix(t, "reader:"); ok {
			e.revoked.Store(id, now)
		} else if t == page.All {
			e.revoked.Store("", now)
		}
	}
	e.revoked.Range(func(id, at any) bool { // no pass can be older than these
		if now.Sub(at.(time.Time)) > 2*passLife {
			e.revoked.Delete(id)
		}
		return true
	})
	e.cache.Invalidate(tags...)
	e.fresh.add(tags)
}

// SiteTag is the tag of what every page shows: sections, topics, authors, menus,
// the wall's texts.
const SiteTag = "site"

// StoryTag is the tag of one story.
func StoryTag(id string) string { return "story:" + id }

// ListsTag is the tag of whatever shows several stories of a language.
func ListsTag(lang string) string { return "lists:" + lang }

// MeterTag is the tag of what a registered reader's meter has counted.
func MeterTag(id string) string { return "meter:" + id }

// ReaderTag is the tag of what is granted to one reader.
func ReaderTag(id string) string { return "reader:" + id }

// anybody is r without whoever asked, and without what its query says besides
// the page's number: pages that are kept are made for nobody in particular.
func anybody(ctx context.Context, r *http.Request, number string) *http.Request {
	a := asking{lang: lang(r), path: address(r), visitor: &visitor{}, kept: true}
	r = r.WithContext(context.WithValue(ctx, askingKey, &a))
	u := *r.URL
	u.RawQuery = ""
	if number != "" {
		u.RawQuery = "page=" + number
	}
	r.URL = &u
	return r
}

// shared answers with a page that is the same for everybody but for its holes:
// from the cache, or made by build, which fills the struct of the template
// name. A list's page has its number as the variant.
func (n *Newsroom) shared(w http.ResponseWriter, r *http.Request, key page.Key, tags []string, name string, build func(r *http.Request) (any, error)) error {
	return n.sharedUntil(w, r, key, time.Time{}, tags, name, build)
}

// sharedUntil is [Newsroom.shared] for a page that ceases to be so by itself at a
// time, from which on its key is another.
func (n *Newsroom) sharedUntil(w http.ResponseWriter, r *http.Request, key page.Key, until time.Time, tags []string, name string, build func(r *http.Request) (any, error)) error {
	key.Lang = lang(r)
	p, err := n.Engine.cache.Get(r.Context(), key, func(ctx context.Context) (page.Rendered, error) {
		content, err := build(anybody(ctx, r, key.Variant))
		if err != nil {
			return page.Rendered{}, err
		}
		body, err := n.Pages.Bytes("site/"+name, content)
		return page.Rendered{Body: body, Marker: n.Engine.marker, Tags: append(tags, SiteTag)}, err
	})
	if err != nil {
		return err
	}
	holes, err := n.frame(r)
	if err != nil {
		return err
	}
	n.keep(r, place{key: key, until: until}, tags)
	return n.serve(w, r, p, holes, n.shareList(key, until), page.Options{})
}

// numbered is [Newsroom.shared] for a list of several pages.
func (n *Newsroom) numbered(w http.ResponseWriter, r *http.Request, key page.Key, tags []string, name string, build func(r *http.Request) (any, error)) error {
	return n.numberedUntil(w, r, key, time.Time{}, tags, name, build)
}

// numberedUntil is [Newsroom.sharedUntil] for a list of several pages.
func (n *Newsroom) numberedUntil(w http.ResponseWriter, r *http.Request, key page.Key, until time.Time, tags []string, name string, build func(r *http.Request) (any, error)) error {
	number, err := n.pageNumber(r)
	if err != nil {
		return err
	}
	if number > 1 {
		key.Variant = strconv.Itoa(number)
	}
	return n.sharedUntil(w, r, key, until, tags, name, build)
}

// document answers with something that has no holes: a feed, a sitemap.
func (n *Newsroom) document(w http.ResponseWriter, r *http.Request, key page.Key, tags []string, contentType string, build func(r *http.Request) ([]byte, error)) error {
	key.Lang = lang(r)
	p, err := n.Engine.cache.Get(r.Context(), key, func(ctx context.Context) (page.Rendered, error) {
		body, err := build(anybody(ctx, r, ""))
		return page.Rendered{Body: body, Type: contentType, Tags: append(tags, SiteTag)}, err
	})
	if err != nil {
		return err
	}
	o := page.Options{Public: "public, max-age=60"}
	n.keep(r, place{key: key, document: true, options: o}, tags)
	return n.serve(w, r, p, nil, n.shareDocument(), o)
}

// frame fills the holes that every page has: who is signed in, and what was just done.
func (n *Newsroom) frame(r *http.Request) (page.Holes, error) {
	v, plain := visitorOf(r), r.URL.RawQuery == ""
	kept := holesKey{address: address(r), class: v.class()}
	if plain {
		if holes, ok := n.Engine.holes.Peek(kept); ok {
			return holes, nil
		}
	}
	account, err := n.part(r, "account-link", v.class(), "site/error", func() (any, error) {
		return ErrorPage{Base: n.bare(r)}, nil
	})
	if err != nil {
		return nil, err
	}
	holes := page.Holes{{Name: "account-link", HTML: account, Personal: v.class() != ""}, {Name: "notice"}}
	if key := "notice." + r.URL.Query().Get("done"); !plain && furniture(lang(r)).Has(key) {
		p := ErrorPage{Base: n.bare(r)}
		p.Notice = p.T(key)
		if holes[1].HTML, err = n.Pages.Part("site/error", "notice", p); err != nil {
			return nil, err
		}
		holes[1].Personal = true
	}
	if plain {
		n.Engine.holes.Put(kept, asked(r).began, holes[:len(holes):len(holes)].Sum(), []string{SiteTag}, len(account)+64*len(holes))
	}
	return holes, nil
}

// part gives the content of a hole that all visitors of one kind share at this
// address; which tells the kind.
func (n *Newsroom) part(r *http.Request, name, which, template string, fill func() (any, error)) ([]byte, error) {
	return n.Engine.parts.Get(r.Context(), name+"\x00"+which+"\x00"+lang(r)+"\x00"+pathAndQuery(r), func(context.Context) ([]byte, []string, int, error) {
		content, err := fill()
		if err != nil {
			return nil, nil, 0, err
		}
		b, err := n.Pages.Part(template, name, content)
		return b, []string{SiteTag}, len(b), err
	})
}

// pathAndQuery is the address as it came, to return to.
func pathAndQuery(r *http.Request) string {
	if r.URL.RawQuery == "" {
		return address(r)
	}
	return address(r) + "?" + r.URL.RawQuery
}
