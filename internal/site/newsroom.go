package site

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"masthead/internal/config"
	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/mail"
	"masthead/internal/media"
	"masthead/internal/newsletter"
	"masthead/internal/page"
	"masthead/internal/reader"
	"masthead/internal/search"
	"masthead/internal/staff"
	"masthead/internal/story"
	"masthead/internal/wall"
	"masthead/internal/web"
)

// Newsroom is what the pages are made from. All its fields are set once, by app.
type Newsroom struct {
	Config      config.Config
	DB          *db.DB
	Stories     *story.Store
	Media       *media.Store
	Readers     *reader.Store
	Staff       *staff.Store
	Newsletters newsletter.Store
	Search      *search.Index
	Wall        *wall.Wall
	WallStore   *wall.Store
	MeterKeys   wall.MeterKeys
	Counter     *wall.Counter  // of registered readers' meters
	Recorder    *wall.Recorder // of what the wall decides; nil records nothing
	Signer      web.Signer
	Crawlers    *wall.Crawlers
	Mail        mail.Sender
	From        mail.Address // the sender of letters
	Outbox      *mail.Outbox // readable at /dev/mail; nil where letters leave the house
	Frames      []string     // origins whose players a click may load into a story
	Pages       *web.Renderer
	Engine      *Engine
	// Tell tells every node what has changed, in the transaction that changes it.
	Tell func(ctx context.Context, q db.Queryer, tags ...string) error
	// Away reports whether the database has been away for so long that this node may
	// not know what the others did.
	Away   func() bool
	Answer *web.Answer
	Now    func() time.Time
}

// Handler serves every public address. The language that an address begins
// with is taken off before it is routed, so each page is routed once.
func (n *Newsroom) Handler() http.Handler {
	mux := http.NewServeMux()
	serve := func(pattern string, h web.Handler) { mux.Handle(pattern, n.errors(h)) }

	serve("GET /{$}", n.front)
	serve("GET /{slug}/{$}", n.sectionOrPage)
	serve("GET /topic/{slug}/{$}", n.topic)
	serve("GET /author/{slug}/{$}", n.author)
	serve("GET /archive/{$}", n.archive)
	serve("GET /corrections/{$}", n.corrections)
	serve("GET /{year}/{month}/{$}", n.archive)
	serve("GET /{year}/{month}/{slug}/{$}", n.serveStory)
	serve("GET /search", n.search)
	// Without its last slash an address is looked for among the old ones first.
	serve("GET /{slug}", n.elsewhere)
	serve("GET /{year}/{month}/{slug}", n.elsewhere)

	serve("GET /feed.xml", n.feed)
	serve("GET /feed.json", n.feed)
	serve("GET /{slug}/{file}", n.file)
	serve("GET /topic/{slug}/{file}", n.file)
	serve("GET /author/{slug}/{file}", n.file)
	serve("GET /sitemap.xml", n.sitemapIndex)
	serve("GET /robots.txt", n.robots)
	serve("GET /media/{hash}/{name}", n.mediaFile)

	n.readerRoutes(serve)
	serve("/", n.elsewhere)

	return n.withLanguage(n.withHole(n.readable(n.withVisitor(mux))))
}

// readable refuses an address that is no text: no page has such a one, and a
// database would only stumble over it.
func (n *Newsroom) readable(next http.Handler) http.Handler {
	return n.errors(func(w http.ResponseWriter, r *http.Request) error {
		query, err := url.QueryUnescape(r.URL.RawQuery)
		if err != nil || !isText(address(r)) || !isText(query) {
			return fault.New(fault.Invalid, "the address cannot be read")
		}
		next.ServeHTTP(w, r)
		return nil
	})
}

func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

type contextKey int

const askingKey contextKey = 0

// asking is what the pages know of a request: one value in its context.
type asking struct {
	lang    string // of the address
	path    string // as it came, with its language
	visitor *visitor
	kept    bool        // a page is made that many will be sent
	began   page.Moment // what it reads is no older
}

// asked gives what is known of a request; nil before it has come to the pages.
func asked(r *http.Request) *asking {
	a, _ := r.Context().Value(askingKey).(*asking)
	return a
}

// withLanguage takes the language off the front of the address.
func (n *Newsroom) withLanguage(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lang, path := n.languageOf(r.URL.Path)
		r2 := web.Attach(r, askingKey, &asking{lang: lang, path: r.URL.Path, began: n.Engine.cache.Moment()})
		if r2 == r {
			r2 = r.WithContext(r.Context()) // which is not ours to change
		}
		u := *r.URL
		u.Path, u.RawPath = path, ""
		r2.URL = &u
		next.ServeHTTP(w, r2)
	})
}

// languageOf takes the language off the front of a path.
func (n *Newsroom) languageOf(path string) (lang, rest string) {
	if first, rest, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/"); ok && first != n.Config.Language && slices.Contains(n.languages(), first) {
		return first, "/" + rest
	}
	return n.Config.Language, path
}

// languages gives every language that addresses may begin with.
func (n *Newsroom) languages() []string { return n.Config.Languages }

// lang gives the language of the request's address.
func lang(r *http.Request) string { return asked(r).lang }

// address gives the request's path as it came, with its language.
func address(r *http.Request) string { return asked(r).path }

// at gives the path of a page in a language: at("ar", "/search") is "/ar/search".
func (n *Newsroom) at(lang, path string) string {
	if lang == n.Config.Language {
		return path
	}
	return "/" + lang + path
}

// absolute gives the whole address of a path of this site.
func (n *Newsroom) absolute(path string) string {
	return n.Config.URL.String() + (&url.URL{Path: path}).EscapedPath()
}

// elsewhere answers every address that is no page: an old one redirects, one
// that lacks its last slash gets it, and the rest are not found.
func (n *Newsroom) elsewhere(w http.ResponseWriter, r *http.Request) error {
	path := address(r)
	target, err := n.Stories.Redirect(r.Context(), n.DB.Read(), path)
	if err == nil {
		http.Redirect(w, r, (&url.URL{Path: target, RawQuery: r.URL.RawQuery}).String(), http.StatusMovedPermanently)
		return nil
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		if last := path[strings.LastIndexByte(path, '/')+1:]; last != "" && !strings.Contains(last, ".") && n.isPage(r, path+"/") {
			http.Redirect(w, r, (&url.URL{Path: path + "/", RawQuery: r.URL.RawQuery}).String(), http.StatusMovedPermanently)
			return nil
		}
	}
	return err
}

// isPage reports whether something stands at a path that ends in a slash.
func (n *Newsroom) isPage(r *http.Request, path string) bool {
	q := n.DB.Read()
	if _, err := n.Stories.ByPath(r.Context(), q, path); err == nil {
		return true
	}
	parts := strings.Split(strings.Trim(strings.TrimPrefix(path, n.at(lang(r), "")), "/"), "/")
	var err error
	switch {
	case len(parts) == 1 && (parts[0] == "archive" || parts[0] == "corrections" || slices.Contains(n.languages(), parts[0])):
	case len(parts) == 1:
		if _, err := standingText(parts[0], lang(r)); err == nil {
			return true
		}
		var sections story.Sections
		if sections, err = n.Stories.Sections(r.Context(), q); err == nil {
			_, ok := sections.BySlug(parts[0])
			return ok
		}
	case len(parts) == 2 && parts[0] == "topic":
		topic, err := n.Stories.TopicBySlug(r.Context(), q, parts[1])
		return err == nil && !topic.Internal
	case len(parts) == 2 && parts[0] == "author":
		_, err = n.Stories.WriterBySlug(r.Context(), q, parts[1])
	case len(parts) == 2:
		_, err = parseMonth(parts[0], parts[1])
	default:
		return false
	}
	return err == nil
}

// limit says how much of a withheld story its preview shows.
func (n *Newsroom) limit() doc.Limit {
	return doc.Limit{Paragraphs: n.Config.PreviewParagraphs, Words: n.Config.PreviewWords}
}

// dir gives the direction of a language, "ltr" or "rtl".
func dir(lang string) string { return language.Dir(lang) }

// furniture gives the words of pages in a language.
func furniture(lang string) *language.Furniture { return language.Get(lang) }
