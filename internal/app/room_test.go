package app_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"masthead/internal/app"
	"masthead/internal/config"
	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/doc"
	"masthead/internal/media"
	"masthead/internal/newsletter"
	"masthead/internal/reader"
	"masthead/internal/story"
	"masthead/internal/wall"
)

// room is a newsroom that is served on the loopback as it would be to the
// public, with a proxy before it that names each visitor's address.
type room struct {
	*app.App
	t        *testing.T
	url      string
	editions map[string]story.Edition // by the slug they were written under, and "slug.lang"
	visitors atomic.Int32
}

// setting changes one setting of a test's newsroom.
type setting map[string]string

// onBoth runs a test on a newsroom of each database.
func onBoth(t *testing.T, change setting, test func(t *testing.T, r *room)) {
	t.Run("sqlite", func(t *testing.T) { test(t, newRoom(t, "", change)) })
	t.Run("postgres", func(t *testing.T) { test(t, newRoom(t, dbtest.PostgresURL(t), change)) })
}

// flagsOf gives the settings of a test's newsroom, as flags.
func flagsOf(database string, change setting) map[string]string {
	flags := map[string]string{
		"title": "The Quay", "url": "http://quay.example", "languages": "en, ar, he", "db": database, "dev": "true", "log-level": "error",
		"letters-per-network": "1000", "letters-per-address": "1000", "trusted-proxies": "127.0.0.0/8",
		"addr": "127.0.0.1:0", "ops-addr": "127.0.0.1:0", "description": "News of a harbour.",
	}
	for name, value := range change {
		flags[name] = value
	}
	return flags
}

// settings gives those of a test's newsroom. Nothing of the environment gets in.
func settings(t *testing.T, database string, change setting) config.Config {
	t.Helper()
	c, err := config.Load(t.TempDir(), flagsOf(database, change), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// newRoom makes a newsroom with the stories of fill, and serves it.
func newRoom(t *testing.T, database string, change setting) *room {
	t.Helper()
	r := openRoom(t, settings(t, database, change))
	r.fill()
	r.listen()
	return r
}

// openRoom makes an empty newsroom.
func openRoom(t *testing.T, c config.Config) *room {
	t.Helper()
	if err := app.Init(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	a, err := app.Open(t.Context(), c, slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return &room{App: a, t: t, editions: map[string]story.Edition{}}
}

func (r *room) listen() {
	handler, err := r.Handler()
	if err != nil {
		r.t.Fatal(err)
	}
	s := httptest.NewServer(handler)
	r.t.Cleanup(s.Close)
	r.url = s.URL
}

// tx runs f in a transaction, and ends the test where it fails.
func (r *room) tx(f func(ctx context.Context, tx *db.Tx) error) {
	r.t.Helper()
	if err := r.DB.InTx(r.t.Context(), func(tx *db.Tx) error { return f(r.t.Context(), tx) }); err != nil {
		r.t.Fatal(err)
	}
}

// count gives the number that a query counts.
func (r *room) count(query string, args ...any) (n int) {
	r.t.Helper()
	if err := r.DB.Read().QueryRowContext(r.t.Context(), query, args...).Scan(&n); err != nil {
		r.t.Fatal(err)
	}
	return n
}

// exec changes the database behind the newsroom's back: how a test moves a clock.
func (r *room) exec(query string, args ...any) {
	r.t.Helper()
	r.tx(func(ctx context.Context, tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, query, args...); err != nil {
			return err
		}
		return r.Tell(ctx, tx, "all")
	})
}

// piece is a story of the tests.
type piece struct {
	slug     string
	section  string
	topics   []string
	access   story.Access
	age      time.Duration // since it was published
	langs    []string      // English alone where there are none
	status   story.Status
	password bool
	kind     story.Kind
	body     string // in place of the usual six paragraphs
}

// Each story has six paragraphs. The free words stand in the three that a
// preview shows, the kept words in those that the wall withholds.
func free(slug, lang string) []string { return words("free", slug, lang, 1) }
func kept(slug, lang string) []string { return words("kept", slug, lang, 4) }

func words(kind, slug, lang string, from int) (all []string) {
	for i := range 3 {
		all = append(all, fmt.Sprintf("%s%s%s%d", kind, strings.ReplaceAll(slug, "-", ""), lang, from+i))
	}
	return all
}

func bodyOf(slug, lang string) string {
	var b strings.Builder
	for i, word := range append(free(slug, lang), kept(slug, lang)...) {
		fmt.Fprintf(&b, "Paragraph %d holds %s and a few more words, so that it reads like one.\n\n", i+1, word)
	}
	return b.String()
}

const hour, day = time.Hour, 24 * time.Hour

// pieces is the newspaper of the tests, of every kind that the wall knows.
var pieces = []piece{
	{slug: "open-water", section: "harbour", topics: []string{"salt", "ann-vell"}, access: story.Open, age: hour, langs: []string{"en", "ar", "he"}},
	{slug: "meter-one", section: "harbour", topics: []string{"salt", "hash-internal"}, age: 2 * hour, langs: []string{"en", "ar"}},
	{slug: "meter-two", section: "harbour", age: 3 * hour},
	{slug: "meter-three", section: "harbour", age: 4 * hour},
	{slug: "meter-four", section: "harbour", age: 5 * hour},
	{slug: "for-readers", section: "letters", access: story.Registered, age: 6 * hour},
	{slug: "the-papers", section: "letters", topics: []string{"papers"}, age: 7 * hour},
	{slug: "old-archive", section: "letters", age: 100 * day},
	{slug: "locked-away", section: "letters", age: 8 * hour, password: true},
	{slug: "counted-one", section: "letters", topics: []string{"counted"}, age: 9 * hour},
	{slug: "counted-two", section: "letters", topics: []string{"counted"}, age: 10 * hour},
	{slug: "counted-three", section: "letters", topics: []string{"counted"}, age: 11 * hour},
	{slug: "taken-back", section: "letters", access: story.Open, age: 12 * hour},
	{slug: "old-name", section: "letters", access: story.Open, age: 13 * hour},
	{slug: "three-days", section: "letters", access: story.Open, age: 3 * day},
	{slug: "only-a-draft", section: "letters", status: story.Draft},
	{slug: "house-rules", kind: story.Page, access: story.Open, age: 20 * day, langs: []string{"en", "ar"}},
}

// fill writes the newspaper of the tests.
func (r *room) fill() {
	ids := map[string]string{}
	lead := r.picture()
	r.tx(func(ctx context.Context, tx *db.Tx) error {
		for i, s := range []story.Section{
			{Slug: "city", Names: story.Texts{"en": "The city", "ar": "المدينة"}, Descriptions: story.Texts{"en": "What the city does."}},
			{Slug: "harbour", Names: story.Texts{"en": "The harbour", "ar": "الميناء"}},
			{Slug: "letters", Names: story.Texts{"en": "Letters"}},
		} {
			if s.Slug == "harbour" {
				s.ParentID = ids["city"]
			}
			s.Position = i + 1
			if err := r.Stories.SaveSection(ctx, tx, &s); err != nil {
				return err
			}
			ids[s.Slug] = s.ID
		}
		for _, t := range []story.Topic{
			{Slug: "salt", Kind: story.Subject, Names: story.Texts{"en": "Salt"}, Descriptions: story.Texts{"en": "Where it comes from."}},
			{Slug: "ann-vell", Kind: story.Person, Names: story.Texts{"en": "Ann Vell"}},
			{Slug: "papers", Kind: story.Storyline, Names: story.Texts{"en": "The papers"}},
			{Slug: "counted", Kind: story.Subject, Names: story.Texts{"en": "Counted"}},
			{Slug: "hash-internal", Kind: story.Subject, Names: story.Texts{"en": "Secret of the house"}, Internal: true},
		} {
			if err := r.Stories.SaveTopic(ctx, tx, &t); err != nil {
				return err
			}
			ids[t.Slug] = t.ID
		}
		for _, w := range []story.Writer{
			{Slug: "nora-reyes", Names: story.Texts{"en": "Nora Reyes", "ar": "نورا رييس"}, Biographies: story.Texts{"en": "Nora Reyes covers the harbour."}, Handle: "@nora"},
			{Slug: "omar-sadek", Names: story.Texts{"en": "Omar Sadek"}},
		} {
			if err := r.Stories.SaveWriter(ctx, tx, &w); err != nil {
				return err
			}
			ids[w.Slug] = w.ID
		}
		for i, slug := range []string{"week", "morning"} {
			if err := r.Newsletters.Save(ctx, tx, newsletter.List{Slug: slug, Position: i + 1, Names: map[string]string{"en": "The " + slug}}); err != nil {
				return err
			}
		}
		return r.Readers.SaveTier(ctx, tx, reader.Tier{Slug: "supporter", Names: map[string]string{"en": "Supporters"}})
	})
	r.SetRules()
	r.tx(func(ctx context.Context, tx *db.Tx) error {
		for _, p := range pieces {
			if err := r.write(ctx, tx, p, ids, lead); err != nil {
				return fmt.Errorf("%s: %w", p.slug, err)
			}
		}
		return nil
	})
	r.tx(func(ctx context.Context, tx *db.Tx) error {
		open := r.editions["open-water"]
		if err := r.Stories.AddCorrection(ctx, tx, &story.Correction{StoryID: open.StoryID, Lang: "en", Text: "The pier is <longer> than we wrote."}); err != nil {
			return err
		}
		if err := r.Stories.Withdraw(ctx, tx, r.editions["taken-back"].ID, "A source took his words back.", "editor"); err != nil {
			return err
		}
		moved := r.editions["old-name"]
		moved.Slug = "new-name"
		if err := r.Stories.SaveEdition(ctx, tx, &moved, "editor"); err != nil {
			return err
		}
		r.editions["new-name"] = moved
		return r.Stories.AddRedirect(ctx, tx, "/archives/12.html", "/city/", "")
	})
}

// SetRules sets the wall of the tests.
func (r *room) SetRules() {
	r.t.Helper()
	err := r.SetWall(r.t.Context(), wall.Table{
		Rules: []wall.Rule{
			{Name: "the papers", When: `"papers" in story.topics`, Grant: wall.MustGrant("subscribe supporter")},
			{Name: "counted", When: `reader.state == "registered" && "counted" in story.topics`, Grant: wall.MustGrant("meter 2 per 30 days")},
			{Name: "readers", When: `reader.state == "registered"`, Grant: wall.MustGrant("open")},
			{Name: "the archive", When: `story.age_days > 60`, Grant: wall.MustGrant("register")},
			{Name: "everybody", When: `true`, Grant: wall.MustGrant("meter 3 per 30 days")},
		},
		Benefits: []wall.Benefit{
			{Entitlement: "archive", Texts: map[string]string{"en": "Every archived story"}},
			{Entitlement: "newsletter:week", Texts: map[string]string{"en": "The Week in Review"}},
			{Entitlement: "gift", Texts: map[string]string{"en": "Stories to give away"}},
		},
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *room) write(ctx context.Context, tx *db.Tx, p piece, ids map[string]string, lead string) error {
	st := story.Story{Kind: p.kind, SectionID: ids[p.section], Access: p.access, OriginalLang: "en"}
	if p.slug == "open-water" {
		st.LeadMediaID = lead
	}
	if p.password {
		st.PasswordHash = "$2a$10$abcdefghijklmnopqrstuuC0gZ9vG5cB1yq3f4yY2o8gG2b3n7J2S"
	}
	for _, slug := range p.topics {
		st.Topics = append(st.Topics, ids[slug])
	}
	if p.kind != story.Page && ids != nil {
		st.Bylines = []story.Byline{{AuthorID: ids["nora-reyes"], Role: story.Author}, {AuthorID: ids["omar-sadek"], Role: story.Translator, Lang: "ar"}}
	}
	if err := r.Stories.Save(ctx, tx, &st); err != nil {
		return err
	}
	langs := p.langs
	if langs == nil {
		langs = []string{"en"}
	}
	for _, lang := range langs {
		body, _, err := doc.FromMarkdown(cmp.Or(p.body, bodyOf(p.slug, lang)))
		if err != nil {
			return err
		}
		e := story.Edition{StoryID: st.ID, Lang: lang, Status: cmp.Or(p.status, story.Published), Slug: p.slug, Kicker: "Kicker",
			Headline: "Headline of " + p.slug + " " + lang, Summary: "Summary of " + p.slug + ".", Body: body}
		if e.Status == story.Published {
			e.PublishedAt = r.Now().Add(-p.age)
		}
		if err := r.Stories.SaveEdition(ctx, tx, &e, "editor"); err != nil {
			return err
		}
		if lang == "en" {
			r.editions[p.slug] = e
		}
		r.editions[p.slug+"."+lang] = e
	}
	return nil
}

// picture keeps a small picture.
func (r *room) picture() string {
	r.t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 320, 200))
	for x := range 320 {
		img.Set(x, 100, color.RGBA{uint8(x), 80, 90, 255})
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		r.t.Fatal(err)
	}
	m, err := r.LazyMedia().Keep(r.t.Context(), media.Upload{Name: "pier.jpg", Content: &b, Credit: "Nora Reyes", Alts: map[string]string{"en": "A pier"}})
	if err != nil {
		r.t.Fatal(err)
	}
	r.tx(func(ctx context.Context, tx *db.Tx) error { return r.Media.Save(ctx, tx, &m) })
	return m.ID
}

// path gives the address of a story by the slug it was written under, or "slug.lang".
func (r *room) path(slug string) string {
	r.t.Helper()
	e, ok := r.editions[slug]
	if !ok || e.Path == "" {
		r.t.Fatalf("there is no published story %s", slug)
	}
	return e.Path
}

// browser is one visitor: an address of his own and a jar of cookies.
type browser struct {
	*room
	ip      string
	https   bool
	cookies map[string]string
	set     map[string]*http.Cookie // as the last answers set them
}

func (r *room) visitor() *browser {
	n := r.visitors.Add(1)
	return &browser{room: r, ip: fmt.Sprintf("198.51.%d.%d", 100+n/200, 1+n%200), cookies: map[string]string{}, set: map[string]*http.Cookie{}}
}

// reader is a visitor who is signed in with the address.
func (r *room) reader(email string) *browser {
	r.t.Helper()
	b := r.visitor()
	b.signIn(email)
	return b
}

// answer is what the newsroom sent, its body read.
type answer struct {
	*http.Response
	body string
}

// send sends a request, with headers given as "Name: value".
func (b *browser) send(method, path string, body io.Reader, headers ...string) answer {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("X-Forwarded-For", b.ip)
	req.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	if b.https {
		req.Header.Set("X-Forwarded-Proto", "https")
	}
	for name, value := range b.cookies {
		req.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	client := &http.Client{Transport: plain, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range res.Cookies() {
		b.set[c.Name] = c
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return answer{res, string(text)}
}

// plain asks for no compression, so that tests see each byte.
var plain = &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 4}

func (b *browser) get(path string, headers ...string) answer {
	b.t.Helper()
	return b.send(http.MethodGet, path, nil, headers...)
}

func (b *browser) post(path string, form url.Values, headers ...string) answer {
	b.t.Helper()
	return b.send(http.MethodPost, path, strings.NewReader(form.Encode()), append([]string{"Content-Type: application/x-www-form-urlencoded"}, headers...)...)
}

// page gets a page that must be there.
func (b *browser) page(path string, headers ...string) string {
	b.t.Helper()
	a := b.get(path, headers...)
	if a.StatusCode != http.StatusOK {
		b.t.Fatalf("GET %s = %d, want 200", path, a.StatusCode)
	}
	return a.body
}

// letter is what a reader finds in the newest letter to his address.
type letter struct{ link, code string }

var codeForm = regexp.MustCompile(`\b(\d{3}) ?(\d{3})\b`)

// letters gives the letters to an address, the newest first.
func (r *room) letters(email string) (all []letter) {
	r.t.Helper()
	list, err := r.Outbox.List(r.t.Context(), 1000)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, l := range list {
		if strings.Contains(l.To, email) {
			path := strings.TrimPrefix(l.Link, r.Config.URL.String())
			all = append(all, letter{link: path, code: codeForm.FindString(l.Text)})
		}
	}
	return all
}

func (r *room) newest(email string) letter {
	r.t.Helper()
	all := r.letters(email)
	if len(all) == 0 {
		r.t.Fatalf("there is no letter to %s", email)
	}
	return all[0]
}

// signIn registers the address, or signs it in, with the code of the letter.
func (b *browser) signIn(email string) {
	b.t.Helper()
	if a := b.post("/register", url.Values{"email": {email}}); a.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("POST /register = %d: %s", a.StatusCode, a.body)
	}
	if a := b.post("/signin/code", url.Values{"code": {b.newest(email).code}}); a.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("POST /signin/code = %d", a.StatusCode)
	}
	if b.cookies["reader"] == "" && b.cookies["__Host-reader"] == "" {
		b.t.Fatal("signed in without a session")
	}
}

// readerID gives the ID of a reader that is known.
func (r *room) readerID(email string) string {
	r.t.Helper()
	known, err := r.Readers.ByEmail(r.t.Context(), r.DB.Read(), email)
	if err != nil {
		r.t.Fatal(err)
	}
	return known.ID
}

// has and hasNot look for words in an answer as a reader, or a thief, would:
// with HTML's escapes undone too.
func has(t *testing.T, where, body string, wanted ...string) {
	t.Helper()
	plain := html.UnescapeString(body)
	for _, w := range wanted {
		if !strings.Contains(body, w) && !strings.Contains(plain, w) {
			t.Errorf("%s lacks %q", where, w)
		}
	}
}

func hasNot(t *testing.T, where, body string, forbidden ...string) {
	t.Helper()
	plain := html.UnescapeString(body)
	for _, w := range forbidden {
		if strings.Contains(body, w) || strings.Contains(plain, w) {
			t.Errorf("%s holds %q", where, w)
		}
	}
}

// writeFile writes a file of a test's folder, with the folders above it.
func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
