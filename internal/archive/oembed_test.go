package archive

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/fetch"
)

func TestProviders(t *testing.T) {
	for _, p := range providers {
		if u, err := url.Parse(p.endpoint); err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" {
			t.Errorf("%s: the endpoint is %s", p.name, p.endpoint)
		}
		if p.name == "" || p.gives == 0 || len(p.pages) == 0 {
			t.Errorf("%+v is incomplete", p)
		}
	}
	r := &run{Importer: &Importer{}}
	for address, want := range map[string]string{
		"https://www.youtube.com/watch?v=iwGFalTRHDA":            "YouTube https://www.youtube.com/watch?v=iwGFalTRHDA",
		"http://youtube.com/watch?v=x&t=3#part":                  "YouTube https://youtube.com/watch?v=x&t=3",
		"HTTPS://M.YouTube.com/shorts/x":                         "YouTube https://m.youtube.com/shorts/x",
		"https://youtu.be/x":                                     "YouTube https://youtu.be/x",
		"https://vimeo.com/7100569":                              "Vimeo https://vimeo.com/7100569",
		"https://player.vimeo.com/video/7100569":                 "Vimeo https://player.vimeo.com/video/7100569",
		"https://www.dailymotion.com/embed/video/xoxulz":         "Dailymotion https://www.dailymotion.com/video/xoxulz",
		"https://open.spotify.com/embed/track/2qT?theme=0":       "Spotify https://open.spotify.com/track/2qT?theme=0",
		"https://soundcloud.com/forss/flickermood":               "SoundCloud https://soundcloud.com/forss/flickermood",
		"https://www.tiktok.com/@scout2015/video/6718335390845":  "TikTok https://www.tiktok.com/@scout2015/video/6718335390845",
		"https://twitter.com/Interior/status/463440424141459456": "X https://twitter.com/Interior/status/463440424141459456",
		"https://x.com/Interior/status/463440424141459456":       "X https://x.com/Interior/status/463440424141459456",
		"https://embed.ted.com/talks/jill_bolte_taylor":          "TED https://embed.ted.com/talks/jill_bolte_taylor",
		"https://datawrapper.dwcdn.net/RnWgL/9/":                 "Datawrapper https://datawrapper.dwcdn.net/RnWgL/9/",
		"https://www.reddit.com/r/aww/comments/4lwccv/x/":        "Reddit https://www.reddit.com/r/aww/comments/4lwccv/x/",
		"https://www.flickr.com/photos/bees/2362225867/":         "Flickr https://www.flickr.com/photos/bees/2362225867/",
		// Players name their page in a parameter, whole or as a path.
		"https://w.soundcloud.com/player/?url=https%3A//api.soundcloud.com/tracks/12&color=ff5500": "SoundCloud https://api.soundcloud.com/tracks/12",
		"https://www.mixcloud.com/widget/iframe/?hide_cover=1&feed=%2Fdj%2Fset%2F":                 "Mixcloud https://www.mixcloud.com/dj/set/",
		"https://w.soundcloud.com/player/?url=https%3A//evil.example/":                             "",
		"https://w.soundcloud.com/player/?url=http%3A//127.0.0.1/":                                 "",
		// Nobody's page, however it looks.
		"https://youtube.com.evil.example/watch?v=x": "", "https://evilyoutube.com/watch?v=x": "", "https://evil.example/youtu.be/x": "",
		"https://youtu.be@evil.example/x": "", "https://user@youtu.be/x": "", "https://youtu.be:8443/x": "", "ftp://youtu.be/x": "", "//youtu.be/x": "",
		"https://www.youtube.com/about": "", "https://www.instagram.com/p/x/": "", "": "", "https://youtu.be\\@evil.example/x": "", "https://x.com/Interior": "",
		"javascript:alert(1)": "", "https://www.reddit.com/r/aww/": "", "https://maps.google.com/x": "",
	} {
		got := ""
		if w, _ := r.wanting(&doc.Node{Type: "embed", Attrs: map[string]any{"url": address}}); w.page != "" {
			got = w.provider.name + " " + w.page
		}
		if got != want {
			t.Errorf("%s is of %q, want %q", address, got, want)
		}
	}
}

func TestReadCard(t *testing.T) {
	long := strings.Repeat("ш", 900)
	for _, c := range []struct {
		answer string
		want   card
	}{
		{`{"type":"video","title":" A\n\u0000<b>B</b> ","author_name":"C","thumbnail_url":"//i.example/1.jpg","html":"<script>"}`,
			card{title: "A <b>B</b>", author: "C", thumbnail: "https://i.example/1.jpg"}},
		{`{"type":"rich","title":["A"],"author_name":{"a":1},"thumbnail_url":7}`, card{}},
		{`{"type":"link","title":"` + long + `"}`, card{title: long[:400]}},
		{`{"type":"link","thumbnail_url":"javascript:alert(1)"}`, card{}},
		{`{"type":"link","thumbnail_url":"file:///etc/passwd"}`, card{}},
		{`{"type":"link","thumbnail_url":"/t/1.jpg"}`, card{thumbnail: "https://p.example/t/1.jpg"}},
		{`{"title":"A"}`, card{why: `the answer is of no type of oEmbed: ""`}},
		{`{"type":["video"],"title":"A"}`, card{why: `the answer is of no type of oEmbed: ""`}},
		{`{"type":"page","title":"A"}`, card{why: `the answer is of no type of oEmbed: "page"`}},
		{`{"type":"video","title":"A"`, card{why: "the answer is not JSON of oEmbed"}},
		{`["video"]`, card{why: "the answer is not JSON of oEmbed"}},
		{`<html>`, card{why: "the answer is not JSON of oEmbed"}},
		{``, card{why: "the answer is not JSON of oEmbed"}},
	} {
		if got := readCard([]byte(c.answer), "https://p.example/oembed"); got != c.want {
			t.Errorf("%.80s: %+v, want %+v", c.answer, got, c.want)
		}
	}
}

// world is a provider at https://example.com, a server inside the network that
// nobody may reach, and an importer that reaches both by the real client.
type world struct {
	im     *Importer
	mu     sync.Mutex
	asked  []string // pages
	reach  atomic.Int32
	inside *httptest.Server
}

func (w *world) pages() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := slices.Clone(w.asked)
	w.asked = nil
	return all
}

const videoPage = "https://video.example/watch/"

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	w := &world{im: newImporter(t, d)}
	picture := pngOf(t, 40, 30)
	w.inside = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		w.reach.Add(1)
		io.WriteString(rw, picture)
	}))
	t.Cleanup(w.inside.Close)
	port := w.inside.Listener.Addr().(*net.TCPAddr).Port

	video := func(title, thumbnail string) string {
		return mustJSON(row{"version": "1.0", "type": "video", "title": title, "author_name": "Ana & Co", "thumbnail_url": thumbnail,
			"html": "<iframe src=https://evil.example></iframe>"})
	}
	answers := map[string]string{
		"good":   video(`<script>alert(1)</script> & "more"`, "https://example.com/t/good.png"),
		"other":  video("Other", "https://example.com/t/other.png"),
		"html":   "<!doctype html><title>No JSON</title>",
		"list":   `[1,2]`,
		"number": `{"type":"video","title":7,"author_name":["x"],"thumbnail_url":{"a":"b"}}`,
		"huge":   video(strings.Repeat("x", maxAnswer), ""),
		"local":  video("Local", fmt.Sprintf("http://127.0.0.1:%d/t.png", port)),
		"local6": video("Local6", fmt.Sprintf("http://[::1]:%d/t.png", port)),
		"cloud":  video("Cloud", "http://169.254.169.254/latest/meta-data/"),
		"mapped": video("Mapped", fmt.Sprintf("http://[::ffff:127.0.0.1]:%d/t.png", port)),
		"words":  video("Words", "https://example.com/t/words.txt"),
		"leads":  video("Leads", "https://example.com/away"),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/oembed", func(rw http.ResponseWriter, r *http.Request) {
		page := r.URL.Query().Get("url")
		w.mu.Lock()
		w.asked = append(w.asked, page)
		w.mu.Unlock()
		name := page[strings.LastIndex(page, "/")+1:]
		switch {
		case r.URL.Query().Get("format") != "json":
			http.Error(rw, "no format", http.StatusNotImplemented)
		case strings.HasPrefix(name, "slow"):
			<-r.Context().Done()
		case name == "redirect":
			http.Redirect(rw, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
		case name == "redirect-inside":
			http.Redirect(rw, r, w.inside.URL, http.StatusFound)
		case answers[name] != "":
			io.WriteString(rw, answers[name])
		default:
			http.NotFound(rw, r)
		}
	})
	mux.HandleFunc("/t/{name}", func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.PathValue("name"), ".png") {
			io.WriteString(rw, pngOf(t, 40+len(r.PathValue("name")), 30))
			return
		}
		io.WriteString(rw, "no picture")
	})
	mux.HandleFunc("/away", func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, w.inside.URL, http.StatusFound) })
	public := httptest.NewTLSServer(mux) // its certificate is for example.com
	t.Cleanup(public.Close)

	// The inside's port is allowed, so that only its address can be what is refused.
	client := fetch.New(fetch.Options{Ports: []int{80, 443, port}, Timeout: 5 * time.Second})
	transport := client.HTTP().Transport.(*http.Transport)
	transport.TLSClientConfig = &tls.Config{RootCAs: public.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	guarded := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == "example.com:443" {
			return net.Dial("tcp", public.Listener.Addr().String())
		}
		return guarded(ctx, network, address)
	}
	t.Cleanup(transport.CloseIdleConnections)
	w.im.Fetch = func(ctx context.Context, url string) (io.ReadCloser, error) {
		r, err := client.Open(ctx, url, 64<<20)
		if err != nil {
			return nil, err
		}
		return r.Body, nil
	}
	w.im.providers = []provider{{name: "Video", endpoint: "https://example.com/oembed", gives: hasAll, pages: []string{"video.example/watch/*"}}}
	return w
}

// ghost imports one story for each list of embeds, named a, b and so on.
func (w *world) ghost(t *testing.T, stories ...[]any) Report {
	t.Helper()
	var posts []row
	for i, embeds := range stories {
		id := string(rune('a' + i))
		posts = append(posts, post(id, id, row{"author_id": "1", "lexical": lexicalOf(embeds...)}))
	}
	r, err := w.im.ImportGhost(context.Background(), export(t, "5.0", map[string][]row{"posts": posts, "users": {{"id": "1", "name": "Ana", "slug": "ana"}}}), GhostOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func embedOf(name string, metadata row) any {
	return row{"type": "embed", "url": videoPage + name, "metadata": metadata}
}

// embeds gives the cards of a story.
func (w *world) embeds(t *testing.T, source string) (all []*doc.Node) {
	t.Helper()
	found(t, w.im, source).Body.Walk(func(n *doc.Node) bool {
		if n.Type == "embed" {
			all = append(all, n)
		}
		return true
	})
	return all
}

func TestCards(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		stories := [][]any{
			{embedOf("good", row{}), embedOf("other", row{"title": "The export's own"})},
			{embedOf("good#again", row{}), row{"type": "embed", "url": "https://unknown.example/watch/good", "metadata": row{}}},
		}
		w.im.DryRun = true
		dry := w.ghost(t, stories...)
		if n := rows(t, d, "media"); n != 0 || dry.Media != 2 {
			t.Errorf("a dry run wrote %d of %d pictures", n, dry.Media)
		}
		w.pages()
		w.im.DryRun = false

		first := w.ghost(t, stories...)
		counted(t, d, first)
		if got := w.pages(); strings.Join(got, " ") != videoPage+"good "+videoPage+"other" {
			t.Errorf("asked for %v", got)
		}
		if first.Media != 2 || len(first.Changed) != 0 || rows(t, d, "media WHERE source = 'oembed:"+videoPage+"good' AND credit = 'Ana & Co / Video' AND width = 48") != 1 {
			t.Errorf("%+v", first)
		}
		a := w.embeds(t, "ghost:a")
		if a[0].Attr("title") != `<script>alert(1)</script> & "more"` || a[0].Attr("author") != "Ana & Co" || a[0].Attr("thumbnail") == "" {
			t.Errorf("%v", a[0].Attrs)
		}
		if a[1].Attr("title") != "The export's own" || a[1].Attr("author") != "Ana & Co" || a[1].Attr("thumbnail") == "" {
			t.Errorf("%v", a[1].Attrs)
		}
		if b := w.embeds(t, "ghost:b"); b[0].Attr("thumbnail") != a[0].Attr("thumbnail") || b[0].Attr("title") != a[0].Attr("title") || b[1].Attr("title") != "" {
			t.Errorf("%v, %v", b[0].Attrs, b[1].Attrs)
		}
		got := page(found(t, w.im, "ghost:a").Body)
		if !strings.Contains(got, `&lt;script&gt;alert(1)&lt;/script&gt; &amp; `) || strings.Contains(got, "<script") || strings.Contains(got, "<iframe") || strings.Contains(got, "evil.example") {
			t.Error(got)
		}

		// What is complete is not asked for again, with Fetch or without it.
		state := dump(t, d)
		for range 2 {
			again := w.ghost(t, stories...)
			counted(t, d, again)
			if got := w.pages(); len(got) > 0 || again.Media != 2 || len(again.Changed) != 0 {
				t.Errorf("asked for %v; %+v", got, again)
			}
			if now := dump(t, d); now != state {
				t.Errorf("another import changed:\n%s\n%s", state, now)
			}
			w.im.Fetch = nil
		}
	})
}

func TestCardsWithoutFetch(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.im.Fetch = nil
	r := w.ghost(t, []any{embedOf("good", row{})})
	if got := w.pages(); len(got) != 0 || len(r.Changed) != 0 || r.Media != 0 || w.embeds(t, "ghost:a")[0].Attr("title") != "" {
		t.Errorf("asked for %v; %+v", got, r)
	}
}

func TestCardsOfWordPress(t *testing.T) {
	d := dbtest.SQLite(t)
	w := newWorld(t, d)
	file := write(t, "export.xml", wxrOf(anAuthor, postOf("7", "content:encoded",
		"<p>Words.</p>\n<figure class=\"wp-block-embed\"><div class=\"wp-block-embed__wrapper\">\n"+videoPage+"good\n</div></figure>\n<p>More.</p>")))
	r, err := w.im.ImportWordPress(context.Background(), file, WordPressOptions{})
	if err != nil {
		t.Fatal(err)
	}
	counted(t, d, r)
	all := w.embeds(t, "wordpress:old.example:7")
	if got := w.pages(); len(got) != 1 || len(all) != 1 || all[0].Attr("author") != "Ana & Co" || all[0].Attr("thumbnail") == "" || r.Media != 1 {
		t.Errorf("asked for %v; %+v, %+v", got, all, r)
	}
}

// A provider that fails costs a named line, and leads nowhere inside.
func TestCardsThatFail(t *testing.T) {
	d := dbtest.SQLite(t)
	w := newWorld(t, d)
	cases := []struct{ name, title, why string }{
		{"gone", "", "no title, no author, no picture: there is nothing at that web address"},
		{"html", "", "no title, no author, no picture: the answer is not JSON"},
		{"list", "", "no title, no author, no picture: the answer is not JSON"},
		{"number", "", "no title, no author, no picture: Video tells of none"},
		{"huge", "", "no title, no author, no picture: the answer is larger than 64 KB"},
		{"redirect", "", "no title, no author, no picture: that web address leads inside of a network"},
		{"redirect-inside", "", "no title, no author, no picture: that web address leads inside of a network"},
		{"local", "Local", "no picture: it could not be fetched: that web address leads inside of a network"},
		{"local6", "Local6", "no picture: it could not be fetched: that web address leads inside of a network"},
		{"cloud", "Cloud", "no picture: it could not be fetched: that web address leads inside of a network"},
		{"mapped", "Mapped", "no picture: it could not be fetched: that web address leads inside of a network"},
		{"leads", "Leads", "no picture: it could not be fetched: that web address leads inside of a network"},
		{"words", "Words", "no picture: " + notPicture},
	}
	var stories [][]any
	for _, c := range cases {
		stories = append(stories, []any{embedOf(c.name, row{})})
	}
	r := w.ghost(t, stories...)
	counted(t, d, r)
	if len(r.Changed) != len(cases) || len(r.Skipped) != 0 || r.Media != 0 {
		t.Errorf("%+v", r)
	}
	for i, c := range cases {
		source := "ghost:" + string(rune('a'+i))
		if !said(r.Changed, source, "its card of "+videoPage+c.name+" has "+c.why) {
			t.Errorf("%s is not named in %v", c.name, r.Changed)
		}
		if n := w.embeds(t, source)[0]; n.Attr("title") != c.title || n.Attr("thumbnail") != "" {
			t.Errorf("%s: %v", c.name, n.Attrs)
		}
	}
	if n := w.reach.Load(); n != 0 {
		t.Errorf("the inside was reached %d times", n)
	}
	// The next import asks again for what is missing, and only that.
	w.pages()
	if again := w.ghost(t, stories...); len(again.Changed) != len(cases) || len(w.pages()) != len(cases) {
		t.Errorf("%+v", again)
	}
}

func TestCardsThatAreSlow(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.im.patience = 100 * time.Millisecond
	var cards []any
	for i := range maxSilences + 2 {
		cards = append(cards, embedOf(fmt.Sprintf("slow%d", i), row{}))
	}
	r := w.ghost(t, cards)
	if got := w.pages(); len(got) != maxSilences || len(r.Changed) != len(cards) {
		t.Errorf("asked for %v; %+v", got, r.Changed)
	}
	if !said(r.Changed, "ghost:a", "slow0 has no title, no author, no picture: Video did not answer in 100ms") || !said(r.Changed, "ghost:a", "slow4 has no title, no author, no picture: Video was not asked again") {
		t.Errorf("%+v", r.Changed)
	}

	// An import that is ended ends while a provider is silent.
	w.im.patience = 0
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	file := export(t, "5.0", map[string][]row{"posts": {post("z", "z", row{"lexical": lexicalOf(cards[0])})}})
	if _, err := w.im.ImportGhost(ctx, file, GhostOptions{}); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 5*time.Second {
		t.Errorf("%v after %s", err, time.Since(start))
	}
}

// endless is an answer that never ends.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) { e.read += len(p); return len(p), nil }
func (e *endless) Close() error               { return nil }

func TestAnswerIsBounded(t *testing.T) {
	e := &endless{}
	r := &run{Importer: &Importer{Fetch: func(context.Context, string) (io.ReadCloser, error) { return e, nil }}}
	if _, err := r.answer(context.Background(), "https://example.com/oembed"); !fault.Is(err, fault.TooLarge) || e.read > 2*maxAnswer {
		t.Errorf("%v after %d bytes", err, e.read)
	}
}

// What the desk has changed is left as it stands, and nobody is asked for it.
func TestCardsOfTheDesk(t *testing.T) {
	d := dbtest.SQLite(t)
	w := newWorld(t, d)
	stories := []any{embedOf("gone", row{})}
	w.ghost(t, stories)
	e := found(t, w.im, "ghost:a")
	e.Headline = "The desk's own"
	if err := d.InTx(context.Background(), func(tx *db.Tx) error {
		return w.im.Stories.SaveEdition(context.Background(), tx, &e, "jo@news.example")
	}); err != nil {
		t.Fatal(err)
	}
	w.pages()
	r := w.ghost(t, stories)
	if got := w.pages(); len(got) != 0 || !said(r.Changed, "ghost:a", "jo@news.example has changed its words") || found(t, w.im, "ghost:a").Headline != "The desk's own" {
		t.Errorf("asked for %v; %+v", got, r.Changed)
	}
}
