package cli

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"masthead/internal/app"
	"masthead/internal/config"
	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/doc"
	"masthead/internal/proof"
	"masthead/internal/reader"
	"masthead/internal/staff"
	"masthead/internal/story"
	"masthead/internal/wall"
)

// Sentences that only some may read: of a story for the registered, of one for
// supporters, of one that was withdrawn and of one that is a draft.
const (
	forRegistered = "The pilot’s notebook lists eleven ships that never “called” at Dar Mina, and the fees they paid there."
	forSupporters = "Behind the second door stood the ledgers of a company that was wound up nine years before."
	withdrawn     = "Nobody at the ministry would confirm that the meeting in the boathouse had ever taken place at all."
	drafted       = "She will say on Monday that the treaty was signed in a kitchen, with a pencil, by four men."
)

// room makes a small newsroom on a database, "" for SQLite in a new folder,
// with the stories of these slugs, or all.
func room(t *testing.T, database string, slugs ...string) *app.App {
	t.Helper()
	dir := t.TempDir()
	flags := map[string]string{"url": "http://localhost:8080", "languages": "en, ar", "title": "The Test", "dev": "false"}
	if database != "" {
		flags["db"] = database
	}
	c, err := config.Load(dir, flags, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Init(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	a, err := app.Open(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	if err := a.DB.InTx(t.Context(), func(tx *db.Tx) error { return fill(t.Context(), tx, a, slugs) }); err != nil {
		t.Fatal(err)
	}
	err = a.SetWall(t.Context(), wall.Table{Rules: append([]wall.Rule{
		{Name: "from a partner", When: `visit.referrer == "partner.example"`, Grant: wall.MustGrant("open")},
		{Name: "for supporters", When: `"ledgers" in story.topics`, Grant: wall.MustGrant("subscribe supporter")},
		{Name: "the registered are metered", When: `reader.state == "registered" && story.lang == "ar"`, Grant: wall.MustGrant("meter 1 per 30 days")},
	}, wall.DefaultRules()...)})
	if err != nil {
		t.Fatal(err)
	}
	a.Crawlers = wall.NewCrawlers(proof.Names{}, nil)
	return a
}

func fill(ctx context.Context, tx *db.Tx, a *app.App, slugs []string) error {
	section := story.Section{Slug: "harbour", Names: story.Texts{"en": "Harbour"}}
	if err := a.Stories.SaveSection(ctx, tx, &section); err != nil {
		return err
	}
	topic := story.Topic{Slug: "ledgers", Names: story.Texts{"en": "The ledgers"}}
	if err := a.Stories.SaveTopic(ctx, tx, &topic); err != nil {
		return err
	}
	author := story.Writer{Slug: "mara-velt", Names: story.Texts{"en": "Mara Velt"}, Biographies: story.Texts{"en": "Mara Velt has written about ports, ships and those who pay for them since 2009."}}
	if err := a.Stories.SaveWriter(ctx, tx, &author); err != nil {
		return err
	}
	if err := a.Readers.SaveTier(ctx, tx, reader.Tier{Slug: "supporter", Names: map[string]string{"en": "Supporter"}}); err != nil {
		return err
	}
	for _, role := range []staff.Role{staff.Owner, staff.Reporter} { // an owner signs in with a second factor alone
		if _, err := a.Staff.Add(ctx, tx, staff.Person{Email: string(role) + "@test.example", Role: role}); err != nil {
			return err
		}
	}
	open := "The harbour master opens his window at six, and closes it when the last ship has gone. " +
		"He has done so for thirty years. His father did it before him, and kept a dog.\n\nThe dog is remembered.\n\n"
	rest := func(secret, slug string) string {
		return open + ":::wall\n\n" + secret + " It was raining.\n\n" +
			"| ship | the fee that was paid to the master |\n| --- | --- |\n| Anna | twelve hundred crowns in " + slug + " |\n\nThe clerk kept a list of his own.[^1]\n\n" +
			"[^1]: The list itself stands in the appendix of the second report on " + slug + ".\n\nMara Velt has written about ports, ships and those who pay for them since 2009.\n\n" +
			"What " + strconv.Quote(secret[:20]) + " meant was asked of the ministry, which did not answer for eleven days. " + secret + "\n"
	}
	now := a.Now()
	for i, s := range []struct {
		slug, lang, secret string
		access             story.Access
		status             story.Status
		topics             []string
		age                time.Duration
		password           string
	}{
		{"open", "en", "Anybody may read that the gulls come back to the harbour in the second week of March.", story.Open, story.Published, nil, time.Hour, ""},
		{"notebook", "en", forRegistered, story.Registered, story.Published, nil, 2 * time.Hour, ""},
		{"ledgers", "en", forSupporters, "", story.Published, []string{topic.ID}, 3 * time.Hour, ""},
		{"metered", "en", "Three stories are free, and this is one of them, about ropes and what they are made of.", "", story.Published, nil, 4 * time.Hour, ""},
		{"metered-ar", "ar", "الملف الذي عممه كاتب اللجنة بعد ظهر الثلاثاء يحمل في خصائصه اسم كاتبه.", "", story.Published, nil, 4 * time.Hour, ""},
		{"metered-ar-too", "ar", "نفت الوزارة المعاهدة مرتين قبل أن تعترف بها في رسالة لم تنشر حتى اليوم.", "", story.Published, nil, 4 * time.Hour, ""},
		{"archived", "en", "Seventy days ago the crane fell into the dock, and it is still there, under a tarpaulin.", "", story.Published, nil, 70 * 24 * time.Hour, ""},
		{"closed", "en", "Behind the password there is a letter to a daughter, which is nobody’s business but hers.", "", story.Published, nil, 5 * time.Hour, "$2a$10$abcdefghijklmnopqrstuv"},
		{"gone", "en", withdrawn, "", story.Published, nil, 6 * time.Hour, ""},
		{"draft", "en", drafted, "", story.Draft, nil, 0, ""},
	} {
		if slugs != nil && !slices.Contains(slugs, s.slug) {
			continue
		}
		st := story.Story{SectionID: section.ID, OriginalLang: s.lang, Access: s.access, Topics: s.topics, PasswordHash: s.password,
			Bylines: []story.Byline{{AuthorID: author.ID, Role: story.Author}}}
		if err := a.Stories.Save(ctx, tx, &st); err != nil {
			return err
		}
		text := rest(s.secret, s.slug)
		if s.lang == "ar" {
			text = "يفتح مدير الميناء نافذته في السادسة.\n\n:::wall\n\n" + s.secret + "\n"
		}
		body, _, err := doc.FromMarkdown(text)
		if err != nil {
			return err
		}
		e := story.Edition{StoryID: st.ID, Lang: s.lang, Status: s.status, Slug: "old-" + s.slug, Headline: "Of the harbour, part " + strconv.Itoa(i), Body: body}
		if s.status == story.Published {
			e.PublishedAt = now.Add(-s.age)
		}
		if err := a.Stories.SaveEdition(ctx, tx, &e, "test"); err != nil {
			return err
		}
		e.Slug = s.slug // the old address redirects
		if err := a.Stories.SaveEdition(ctx, tx, &e, "test"); err != nil {
			return err
		}
		if s.slug == "gone" {
			if err := a.Stories.Withdraw(ctx, tx, e.ID, "It could not be shown to be true.", "test"); err != nil {
				return err
			}
		}
	}
	return nil
}

func TestWallHoldsOnBothDatabases(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { holds(t, room(t, "")) })
	t.Run("postgres", func(t *testing.T) { holds(t, room(t, dbtest.PostgresURL(t))) })
}

func holds(t *testing.T, a *app.App) {
	before := count(t, a)
	report, err := proveWall(t.Context(), a, proof.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !report.Passed() {
		var b strings.Builder
		report.WriteText(&b)
		t.Fatal(b.String())
	}
	if report.Editions != 9 || report.Pages < 500 {
		t.Errorf("%d editions, %d pages", report.Editions, report.Pages)
	}
	if after := count(t, a); after != before {
		t.Errorf("before %v, after %v: the check leaves something", before, after)
	}
	if report.Rows == nil || !slices.ContainsFunc(report.Rows, func(r proof.Row) bool { return r.Persona == "verified crawler" }) {
		t.Error("no verified crawler")
	}
}

// count gives how many rows there are of all that a check could leave behind.
func count(t *testing.T, a *app.App) (n [7]int) {
	t.Helper()
	for i, table := range []string{"reader", "session", "gift", "meter_read", "api_token", "staff_session", "reader_tier"} {
		if err := a.DB.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM `+table).Scan(&n[i]); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// A check that is cut short leaves nothing either.
func TestCheckCleansUpWhenInterrupted(t *testing.T) {
	a := room(t, "")
	before := count(t, a)
	handler, err := a.Handler()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	asked := 0
	_, err = proveWall(ctx, a, proof.Options{Workers: 1, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked == 40 {
			cancel()
		}
		handler.ServeHTTP(w, r)
	})})
	if err == nil {
		t.Error("no error")
	}
	if after := count(t, a); after != before {
		t.Errorf("before %v, after %v", before, after)
	}
}

// Each leak is one that some site has had. leak changes an answer that was right.
func TestSeededLeaksAreFound(t *testing.T) {
	a := room(t, "", "open", "notebook", "ledgers", "metered-ar", "gone", "draft")
	quoted, _ := json.Marshal(forRegistered)
	isStory := func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/notebook/") && r.Method == "GET" }
	appendTo := func(is func(r *http.Request) bool, text string) func(http.ResponseWriter, *http.Request, *httptest.ResponseRecorder) {
		return func(_ http.ResponseWriter, r *http.Request, got *httptest.ResponseRecorder) {
			if is(r) {
				got.Body.WriteString(text)
			}
		}
	}
	at := func(path string) func(r *http.Request) bool {
		return func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, path) }
	}
	for _, test := range []struct {
		name                    string
		persona, surface, where string // of one of the findings
		leak                    func(w http.ResponseWriter, r *http.Request, got *httptest.ResponseRecorder)
	}{
		{"a comment", "meter spent", "story page", "comment", appendTo(isStory, "<!-- "+forRegistered+" -->")},
		{"JSON-LD", "anonymous", "story page", "JSON-LD", appendTo(isStory, `<script type="application/ld+json">{"articleBody":`+string(quoted)+`}</script>`)},
		{"an attribute", "expired session", "story page", "attribute data-text", appendTo(isStory, `<i data-text="`+html.EscapeString(html.EscapeString(forRegistered))+`">`)},
		{"hidden by style", "text browser", "story page", "text of the page", appendTo(isStory, `<p hidden>`+html.EscapeString(forRegistered)+`</p>`)},
		{"a sharing link", "anonymous", "story page", "attribute href", appendTo(isStory, `<a href="mailto:?body=`+url.QueryEscape(forRegistered)+`">share</a>`)},
		{"a table's cell", "anonymous", "story page", "", appendTo(isStory, `<td>twelve hundred crowns in notebook</td>`)},
		{"a footnote", "anonymous", "story page", "", appendTo(isStory, `<aside>The list itself stands in the appendix of the second report on notebook.</aside>`)},
		{"a feed", "feed reader", "feed", "", appendTo(at("/harbour/feed.xml"), "<description>"+html.EscapeString(forRegistered)+"</description>")},
		{"a JSON feed", "feed reader", "feed", "", appendTo(at("/feed.json"), string(quoted))},
		{"a sitemap", "anonymous", "sitemap", "", appendTo(at("/sitemap/"), "<x>"+forRegistered+"</x>")},
		{"a section", "meter spent", "section", "", appendTo(at("/harbour/"), forRegistered)},
		{"a topic's page, of another story", "registered", "topic", "", appendTo(at("/topic/ledgers/"), forSupporters)},
		{"the archive", "unverified crawler", "archive", "", appendTo(at("/archive/"), forRegistered)},
		{"a page that is not", "anonymous", "other page", "", appendTo(at("/2026/01/nothing"), forRegistered)},
		{"another story's page", "holder of supporter", "story page", "", appendTo(at("/ar/"), drafted)},
		{"the page of a withdrawn story", "staff", "story page", "", func(_ http.ResponseWriter, r *http.Request, got *httptest.ResponseRecorder) {
			if got.Code == http.StatusGone {
				got.Body.WriteString(withdrawn)
			}
		}},
		{"the account's export", "registered", "account", "", appendTo(at("/account/export"), forSupporters)},
		{"an old address", "meter spent", "old address", "", func(_ http.ResponseWriter, r *http.Request, got *httptest.ResponseRecorder) {
			if got.Code == http.StatusMovedPermanently {
				got.Body.WriteString(forRegistered)
			}
		}},
		{"gzip alone", "gzip", "story page", "", func(w http.ResponseWriter, r *http.Request, got *httptest.ResponseRecorder) {
			if isStory(r) && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
				var b bytes.Buffer
				z := gzip.NewWriter(&b)
				z.Write(got.Body.Bytes())
				z.Write([]byte(forRegistered))
				z.Close()
				got.Body = &b
				got.Header().Set("Content-Encoding", "gzip")
			}
		}},
		{"ranges alone", "range of the end", "story page", "", func(_ http.ResponseWriter, r *http.Request, got *httptest.ResponseRecorder) {
			if isStory(r) && strings.HasPrefix(r.Header.Get("Range"), "bytes=-") {
				got.Code = http.StatusPartialContent
				got.Body = bytes.NewBufferString(forRegistered)
			}
		}},
		{"a header of HEAD", "HEAD", "story page", "headers", func(_ http.ResponseWriter, r *http.Request, got *httptest.ResponseRecorder) {
			if r.Method == http.MethodHead {
				got.Header().Set("X-Description", url.PathEscape(forRegistered))
			}
		}},
		{"Googlebot's name alone", "unverified crawler", "story page", "", appendTo(func(r *http.Request) bool {
			return isStory(r) && strings.Contains(r.UserAgent(), "Googlebot")
		}, forRegistered)},
		{"a forwarded address", "forged forwarding", "story page", "", appendTo(func(r *http.Request) bool {
			return isStory(r) && strings.HasPrefix(r.Header.Get("X-Forwarded-For"), "192.0.2.")
		}, forRegistered)},
		{"any referrer", "referred by www.google.com", "story page", "", appendTo(func(r *http.Request) bool { return isStory(r) && r.Referer() != "" }, forRegistered)},
		{"any session's cookie", "expired session", "story page", "", appendTo(func(r *http.Request) bool {
			c, err := r.Cookie("reader")
			return isStory(r) && err == nil && c.Value != ""
		}, forRegistered)},
		{"any gift", "forged gift", "story page", "", appendTo(func(r *http.Request) bool { return isStory(r) && r.URL.Query().Has("gift") }, forRegistered)},
		{"print", "print view", "story page", "", appendTo(func(r *http.Request) bool { return isStory(r) && r.URL.Query().Has("print") }, forRegistered)},
		{"scripts", "script's fetch", "story page", "", appendTo(func(r *http.Request) bool { return isStory(r) && r.Header.Get("Hx-Request") != "" }, forRegistered)},
		{"an excerpt of a search", "meter spent", "search", "", func(_ http.ResponseWriter, r *http.Request, got *httptest.ResponseRecorder) {
			if r.URL.Path == "/search" && r.URL.Query().Get("q") != "" {
				got.Body.WriteString("<p>… eleven ships that never <mark>called</mark> at Dar Mina, and the …</p>")
			}
		}},
		{"giving", "meter spent", "gift", "", appendTo(func(r *http.Request) bool { return r.URL.Path == "/gift" }, forRegistered)},
		{"a refusal of the API", "API, reading key", "API item", "", func(_ http.ResponseWriter, r *http.Request, got *httptest.ResponseRecorder) {
			if strings.HasPrefix(r.URL.Path, "/api/v1/stories/") && (got.Code == 402 || got.Code == 403) {
				got.Body = bytes.NewBuffer(append(bytes.TrimSuffix(bytes.TrimSpace(got.Body.Bytes()), []byte("}")), []byte(`,"text":`+string(quoted)+`}`)...))
			}
		}},
		{"a list of the API", "API, no key", "API list", "", appendTo(at("/api/v1/stories"), string(quoted))},
		{"one entity tag for all", "If-None-Match", "story page", "304", func(_ http.ResponseWriter, r *http.Request, got *httptest.ResponseRecorder) {
			if isStory(r) {
				if got.Header().Set("ETag", `"7"`); strings.Contains(r.Header.Get("If-None-Match"), `"7"`) {
					got.Code = http.StatusNotModified
					got.Body.Reset()
				}
			}
		}},
		{"the same entity tag", "meter spent", "story page", "ETag", func(_ http.ResponseWriter, r *http.Request, got *httptest.ResponseRecorder) {
			if isStory(r) {
				got.Header().Set("ETag", `"8"`)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			report := proveWith(t, a, test.leak)
			if report.Passed() || report.Leaks == 0 {
				t.Fatalf("not found: %+v", report.Failed)
			}
			if !slices.ContainsFunc(report.Findings, func(f proof.Finding) bool {
				return f.Persona == test.persona && f.Surface == test.surface && strings.Contains(f.Where, test.where) && f.URL != "" && f.Story != "" && f.Sentence != ""
			}) {
				t.Errorf("found, but not as %s, %s, %s: %+v", test.persona, test.surface, test.where, report.Findings[0])
			}
		})
	}
	t.Run("nothing to read", func(t *testing.T) {
		report := proveWith(t, a, func(_ http.ResponseWriter, r *http.Request, got *httptest.ResponseRecorder) {
			if isStory(r) {
				got.Body = bytes.NewBufferString("<p>nothing</p>")
			}
		})
		for _, who := range []string{"staff", "registered", "holder of supporter", "verified crawler", "gift"} {
			if !slices.ContainsFunc(report.Missing, func(f proof.Finding) bool { return f.Persona == who && f.Surface == "story page" }) {
				t.Errorf("%s does not lack anything", who)
			}
		}
	})
	t.Run("a fault", func(t *testing.T) {
		report := proveWith(t, a, func(_ http.ResponseWriter, r *http.Request, got *httptest.ResponseRecorder) {
			if r.URL.Path == "/harbour/" {
				got.Code = http.StatusInternalServerError
			}
		})
		if report.Passed() || report.Failures == 0 || report.Leaks != 0 {
			t.Errorf("%+v", report)
		}
	})
}

// proveWith checks the newsroom's handler with its answers changed.
func proveWith(t *testing.T, a *app.App, change func(w http.ResponseWriter, r *http.Request, got *httptest.ResponseRecorder)) *proof.Report {
	t.Helper()
	handler, err := a.Handler()
	if err != nil {
		t.Fatal(err)
	}
	report, err := proveWall(t.Context(), a, proof.Options{Workers: 2, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		plain := r.Clone(r.Context())
		plain.Header.Del("Accept-Encoding")
		got := httptest.NewRecorder()
		handler.ServeHTTP(got, plain)
		change(w, r, got)
		for name, values := range got.Header() {
			w.Header()[name] = values
		}
		w.Header().Del("Content-Length")
		w.WriteHeader(got.Code)
		if r.Method != http.MethodHead && got.Code != http.StatusNotModified {
			w.Write(got.Body.Bytes())
		}
	})})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// A running site is checked over the network; its limit of requests does not stop it.
func TestCheckOfARunningSite(t *testing.T) {
	a := room(t, "")
	handler, err := a.Handler()
	if err != nil {
		t.Fatal(err)
	}
	site := httptest.NewServer(handler)
	defer site.Close()
	u, err := url.Parse(site.URL)
	if err != nil {
		t.Fatal(err)
	}
	report, err := proveWall(t.Context(), a, proof.Options{URL: u, Limit: 3})
	if err != nil || !report.Passed() || report.Editions != 3 {
		t.Errorf("%v, %+v", err, report)
	}
}

// TestCheckDuringATrial: the arms of a trial may not be told apart by anything
// but what each of them withholds.
func TestCheckDuringATrial(t *testing.T) {
	for name, grant := range map[string]string{"stricter": "register", "laxer": "open"} {
		t.Run(name, func(t *testing.T) {
			a := room(t, "")
			err := a.DB.InTx(t.Context(), func(tx *db.Tx) error {
				_, err := a.WallStore.StartTrial(t.Context(), tx, wall.Trial{Name: name, Share: 50, Sample: wall.LeastSample, End: a.Now().Add(24 * time.Hour),
					Design: wall.Design{Rules: []wall.RuleText{{Name: "all", When: "true", Grant: grant}}}})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			report, err := proveWall(t.Context(), a, proof.Options{})
			if err != nil || !report.Passed() {
				t.Fatalf("%v, %d leaks: %+v, missing %+v, failed %+v", err, report.Leaks, report.Findings[:min(3, len(report.Findings))], report.Missing[:min(3, len(report.Missing))], report.Failed)
			}
			arms := 0
			for _, row := range report.Rows {
				if strings.Contains(row.Persona, ", arm ") && row.Surface == "story page" && row.Pages > 0 {
					arms++
				}
			}
			if arms != 4 {
				t.Errorf("%d visitors of a trial read stories, want 4", arms)
			}
		})
	}
}

func TestSetWallRefusesEmptyPromises(t *testing.T) {
	a := room(t, "")
	before := a.Wall.Rules()
	table, err := wall.ParseTable("[[rule]]\nname = \"all\"\nwhen = \"true\"\ngrant = \"open\"\n\n[[benefit]]\nentitlement = \"archive\"\n[benefit.text]\nen = \"Every story\"\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.SetWall(t.Context(), table); err == nil {
		t.Error("a benefit that everybody has is promised")
	}
	stored, err := a.WallStore.Rules(t.Context(), a.DB.Read())
	if err != nil || len(stored) != len(before) || len(a.Wall.Rules()) != len(before) {
		t.Errorf("%d rules are stored and %d in force, %v", len(stored), len(a.Wall.Rules()), err)
	}
}
