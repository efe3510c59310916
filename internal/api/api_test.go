package api

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/blob"
	"masthead/internal/config"
	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/doc"
	"masthead/internal/draft"
	"masthead/internal/fault"
	"masthead/internal/fetch"
	"masthead/internal/media"
	"masthead/internal/plan"
	"masthead/internal/reader"
	"masthead/internal/staff"
	"masthead/internal/story"
	"masthead/internal/wall"
	"masthead/internal/webhook"
)

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// secret stands in the withheld half of every story.
const secret = "The ledger was in the ferryman's boat all along."

// room is a newsroom with stories of every access.
type room struct {
	Newsroom
	http.Handler
	read, full, old string // tokens
	all             string // of every scope
	posted          []webhook.Bring
	clock           time.Time
	drafts          *draft.Store
	remade          []string // pictures and files whose pages were told
}

func newRoom(t *testing.T, d *db.DB) *room {
	t.Helper()
	ctx := t.Context()
	c, err := config.Load(t.TempDir(), map[string]string{"title": "The Quay", "url": "https://quay.example", "languages": "en, ar"}, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	r := &room{clock: now}
	clock := func() time.Time { return r.clock }
	blobs, err := blob.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w, err := wall.New([]wall.Rule{
		{Name: "pages", When: `story.kind == "page"`, Grant: wall.MustGrant("open")},
		{Name: "metered", When: `"metered" in story.topics`, Grant: wall.MustGrant("meter 3 per 30 days")},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Newsroom = Newsroom{
		Config: c, DB: d, Now: clock, Wall: w, Log: slog.New(slog.DiscardHandler),
		Stories: &story.Store{Now: clock, DefaultLang: "en", Location: time.UTC},
		Media:   media.NewStore(d, blobs),
		Staff:   staff.New(),
		Readers: reader.New([]byte(strings.Repeat("k", 32))), WallStore: &wall.Store{Now: clock},
	}
	r.MediaChanged = func(_ context.Context, _ *db.Tx, ids ...string) error {
		r.remade = append(r.remade, ids...)
		return nil
	}
	r.Readers.Now = clock
	drafts := &draft.Store{Now: clock, Stories: r.Stories}
	r.Plans = &plan.Store{Now: clock, Stories: r.Stories, Staff: r.Staff, Media: r.Media, Lang: "en", Origin: "https://quay.example",
		Keep: func(ctx context.Context, tx *db.Tx, editionID, editor string, release bool) (err error) {
			if _, err = drafts.Keep(ctx, tx, editionID, editor); release {
				_, err = drafts.Release(ctx, tx, editionID, editor)
			}
			if fault.Is(err, fault.NotFound) {
				err = nil
			}
			return err
		}}
	r.Hooks = &webhook.Store{Now: clock, Keys: [][]byte{[]byte(strings.Repeat("k", 32))}, Stories: r.Stories, URL: "https://quay.example", Insecure: true,
		Client: fetch.New(fetch.Options{Redirects: -1, AllowPrivate: true}),
		Post: func(_ context.Context, _ *db.Tx, b webhook.Bring, _ time.Time) error {
			r.posted = append(r.posted, b)
			return nil
		}}
	r.Stories.Changed = append(r.Stories.Changed, drafts.Follow, r.Hooks.StoryChanged)
	r.Readers.Made, r.Readers.Gone, r.drafts = r.Hooks.ReaderMade, r.Hooks.ReaderGone, drafts
	r.Staff.Now = clock
	if r.Handler, err = New(r.Newsroom); err != nil {
		t.Fatal(err)
	}
	err = d.InTx(ctx, func(tx *db.Tx) error {
		river := story.Section{Slug: "river", Names: story.Texts{"en": "River", "ar": "النهر"}}
		if err := r.Stories.SaveSection(ctx, tx, &river); err != nil {
			return err
		}
		locks := story.Section{Slug: "locks", ParentID: river.ID, Names: story.Texts{"en": "Locks"}}
		if err := r.Stories.SaveSection(ctx, tx, &locks); err != nil {
			return err
		}
		metered := story.Topic{Slug: "metered", Kind: story.Subject, Names: story.Texts{"en": "Metered"}}
		hidden := story.Topic{Slug: "hash-hidden", Kind: story.Subject, Names: story.Texts{"en": "#hidden"}, Internal: true}
		mara := story.Writer{Slug: "mara", Names: story.Texts{"en": "Mara Quist"}, Email: "mara@quay.example"}
		if err := r.Stories.SaveTopic(ctx, tx, &metered); err != nil {
			return err
		}
		if err := r.Stories.SaveTopic(ctx, tx, &hidden); err != nil {
			return err
		}
		if err := r.Stories.SaveWriter(ctx, tx, &mara); err != nil {
			return err
		}
		for i, s := range []struct {
			slug   string
			access story.Access
			topic  string
			hash   string
			status story.Status
		}{
			{"the-open", story.Open, "", "", story.Published},
			{"the-metered", "", metered.ID, "", story.Published},
			{"the-registered", story.Registered, hidden.ID, "", story.Published},
			{"the-paid", story.ForTier("gold"), "", "", story.Published},
			{"the-closed", story.Open, "", "x", story.Published},
			{"the-draft", story.Open, "", "", story.Draft},
			{"the-withdrawn", story.Open, "", "", story.Published},
		} {
			st := story.Story{Kind: story.Report, SectionID: locks.ID, Access: s.access, PasswordHash: s.hash, OriginalLang: "en",
				Bylines: []story.Byline{{AuthorID: mara.ID, Role: story.Author}}}
			if s.topic != "" {
				st.Topics = []string{s.topic}
			}
			if err := r.Stories.Save(ctx, tx, &st); err != nil {
				return err
			}
			body := doc.FromText("The dredgers came back at noon to " + s.slug + ". Nobody had sent for them.\n\nThe second paragraph is here to make a preview.\n\nThe third one follows it, with as many words as it takes.\n\n" +
				strings.Repeat("More was said at the harbour office that day than anybody wrote down. ", 20) + "\n\n" + secret)
			langs := []string{"en"}
			if i == 0 {
				langs = []string{"en", "ar"}
			}
			for _, lang := range langs {
				e := story.Edition{StoryID: st.ID, Lang: lang, Status: s.status, Slug: s.slug, Headline: "Headline of " + s.slug, Summary: "Summary.", Body: body,
					PublishedAt: now.Add(-time.Duration(i+1) * time.Hour)}
				if err := r.Stories.SaveEdition(ctx, tx, &e, "test"); err != nil {
					return err
				}
				if s.slug == "the-withdrawn" {
					if err := r.Stories.Withdraw(ctx, tx, e.ID, "It was wrong.", "test"); err != nil {
						return err
					}
				}
			}
		}
		for name, token := range map[string]*string{"read": &r.read, "full": &r.full, "old": &r.old, "all": &r.all} {
			scopes, ttl := []staff.Scope{staff.StoriesRead}, time.Duration(0)
			switch name {
			case "all":
				scopes = staff.Scopes()
			case "full":
				scopes[0] = staff.StoriesFull
			case "old":
				ttl = time.Microsecond
			}
			var err error
			if _, *token, err = r.Staff.CreateToken(ctx, tx, name, ttl, scopes...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Staff.Now = func() time.Time { return now.Add(time.Second) }
	return r
}

func (r *room) get(path, token string, headers ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest("GET", path, nil)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req)
	return w
}

// edition gives the edition of a slug, in English.
func (r *room) edition(t *testing.T, slug string) story.Edition {
	t.Helper()
	e, err := r.Stories.Find(t.Context(), r.DB.Read(), slug)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestStory(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		r := newRoom(t, d)
		for _, c := range []struct {
			path, token string
			status      int
			want        string // in the body
		}{
			{"the-open", "", 200, secret},
			{"the-open?lang=ar", "", 200, `"lang":"ar"`},
			{"the-open?lang=iw", "", 404, "it has: en, ar"},
			{"the-open?lang=..", "", 400, ""},
			{"the-open?lnag=ar", "", 422, "lnag"},
			{"the-metered", "", 403, `"by":"meter"`},
			{"the-metered", r.read, 403, `"preview":"\u003cp`},
			{"the-metered", r.full, 200, secret},
			{"the-registered", "", 403, "#registration-needed"},
			{"the-registered", r.full, 200, `"topics":[]`},
			{"the-paid", "", 402, `"tier":"gold"`},
			{"the-paid", r.read, 402, "#tier-needed"},
			{"the-paid", r.full, 200, secret},
			{"the-closed", "", 403, `"preview":""`},
			{"the-closed", r.full, 200, secret},
			{"the-draft", "", 404, "no such story"},
			{"the-draft", r.full, 404, "no such story"},
			{"the-withdrawn", r.full, 410, "withdrawn"},
			{"nothing", "", 404, "no such story"},
			{"%00", "", 400, ""},
			{"%ff", "", 400, ""},
			{"the-open", r.old, 401, "not valid"},
			{"the-open", "mh_wrong", 401, "not valid"},
			{"the-open", "Basic", 401, ""},
		} {
			w := r.get("/api/v1/stories/"+c.path, c.token)
			body := strings.ReplaceAll(w.Body.String(), `"preview":"<p`, `"preview":"\u003cp`)
			name := fmt.Sprintf("%s (token %.7s)", c.path, c.token)
			if w.Code != c.status || !strings.Contains(body, c.want) {
				t.Errorf("%s = %d %s; want %d with %s", name, w.Code, body, c.status, c.want)
			}
			if w.Code != 200 {
				if strings.Contains(body, "ledger") || strings.Contains(body, "harbour office") {
					t.Errorf("%s lets withheld text out: %s", name, body)
				}
				var p Problem
				if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != c.status || w.Header().Get("Content-Type") != "application/problem+json" || w.Header().Get("Cache-Control") != "no-store" {
					t.Errorf("%s is no problem document: %v, %v", name, err, w.Header())
				}
			}
			if (w.Code == 401) != strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%s: WWW-Authenticate %q", name, w.Header().Get("WWW-Authenticate"))
			}
		}
		var whole struct {
			ID, Story string
			Body      Body
			Editions  []Language
		}
		if err := json.Unmarshal(r.get("/api/v1/stories/the-open", "").Body.Bytes(), &whole); err != nil {
			t.Fatal(err)
		}
		back, err := json.Marshal(whole.Body.Doc)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := doc.Parse(back); err != nil || n.PlainText() != whole.Body.Text {
			t.Errorf("doc and text differ: %v", err)
		}
		if len(whole.Editions) != 2 || whole.Editions[1].URL != "https://quay.example/ar/2026/11/the-open/" {
			t.Errorf("editions = %+v", whole.Editions)
		}
		for _, id := range []string{whole.ID, whole.Story} {
			if w := r.get("/api/v1/stories/"+id, ""); w.Code != 200 {
				t.Errorf("by ID %s = %d", id, w.Code)
			}
		}
	})
}

func TestList(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		r := newRoom(t, d)
		list := func(path, token string) (slugs []string, locked map[string]bool) {
			locked = map[string]bool{}
			for path != "" {
				var page struct {
					Stories []Card
					Next    string
				}
				w := r.get(path, token)
				if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != 200 {
					t.Fatalf("%s = %d %s", path, w.Code, w.Body)
				}
				for _, c := range page.Stories {
					u, _ := url.Parse(c.URL)
					slug := u.Path[strings.LastIndex(strings.TrimSuffix(u.Path, "/"), "/")+1:] + c.Lang
					slugs = append(slugs, slug)
					locked[slug] = c.Locked
				}
				path = ""
				if link := w.Header().Get("Link"); link != "" {
					path = strings.TrimPrefix(strings.TrimSuffix(link, `>; rel="next"`), "<https://quay.example")
				}
				if (page.Next != "") != (path != "") {
					t.Errorf("next %q, link %q", page.Next, path)
				}
			}
			return slugs, locked
		}
		all, locked := list("/api/v1/stories", "")
		if diff := cmp.Diff([]string{"the-metered/en", "the-registered/en", "the-paid/en", "the-closed/en"}, all[2:]); diff != "" || len(all) != 6 {
			t.Errorf("all = %v: %s", all, diff)
		}
		if diff := cmp.Diff(map[string]bool{"the-open/en": false, "the-open/ar": false, "the-metered/en": true, "the-registered/en": true, "the-paid/en": true, "the-closed/en": true}, locked); diff != "" {
			t.Error(diff)
		}
		if paged, locked := list("/api/v1/stories?limit=1", r.full); !slices.Equal(paged, all) || locked["the-paid/en"] {
			t.Errorf("one by one: %v, want %v; locked %v", paged, all, locked)
		}
		for query, want := range map[string]int{"lang=ar": 1, "lang=en": 5, "section=river": 6, "topic=metered": 1, "author=mara&limit=2": 6, "lang=fr": 0} {
			if got, _ := list("/api/v1/stories?"+query, ""); len(got) != want {
				t.Errorf("%s gives %v, want %d", query, got, want)
			}
		}
		for query, want := range map[string]int{"limit=0": 422, "limit=101": 422, "limit=x": 422, "cursor=x": 400, "cursor=" + formatCursor(story.Cursor{EditionID: "\x00"}): 400,
			"section=none": 404, "topic=none": 404, "topic=hash-hidden": 404, "author=none": 404, "lang=%22": 400} {
			if w := r.get("/api/v1/stories?"+query, ""); w.Code != want {
				t.Errorf("%s = %d %s, want %d", query, w.Code, w.Body, want)
			}
		}
		for _, path := range []string{"/api/v1/topics", "/api/v1/stories", "/api/v1/stories/the-registered", "/api/v1/authors"} {
			if body := r.get(path, r.full).Body.String(); strings.Contains(body, "hidden") || strings.Contains(body, "mara@") {
				t.Errorf("%s tells what is the newsroom's own: %s", path, body)
			}
		}
	})
}

// TestDocument asks every operation of the OpenAPI document, and holds each
// answer against the schema that the document gives it.
func TestDocument(t *testing.T) {
	r := newRoom(t, dbtest.SQLite(t))
	w := r.get("/api/openapi.json", "")
	var spec struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string
			Parameters  []struct{ Name, In string }
			Responses   map[string]struct {
				Content map[string]struct{ Schema json.RawMessage }
			}
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &spec); err != nil || !strings.HasPrefix(spec.OpenAPI, "3.1") {
		t.Fatalf("document: %v, OpenAPI %q", err, spec.OpenAPI)
	}
	var shapes struct {
		Components struct{ Schemas map[string]*schema }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &shapes); err != nil {
		t.Fatal(err)
	}
	docs := r.get("/api/", "").Body.String()
	for name := range shapes.Components.Schemas {
		if !strings.Contains(docs, `id="shape-`+name+`"`) {
			t.Errorf("the page lacks the shape %s", name)
		}
	}
	if len(spec.Paths) < 40 || strings.Contains(docs, "<script") || strings.Contains(docs, `src="`) || strings.Contains(docs, `href="http`) {
		t.Errorf("%d paths; page:\n%s", len(spec.Paths), docs)
	}
	values := map[string][]string{"story": {"the-open", "the-paid", "the-metered", "none", "the-withdrawn"}, "cursor": {"x"}, "limit": {"1"}, "lang": {"en"},
		"section": {"river"}, "topic": {"metered"}, "author": {"mara"},
		"status": {"draft"}, "slug": {"river", "metered", "mara", "none"}, "edition": {r.edition(t, "the-draft").ID, "none"}, "format": {"html"}, "kind": {"file"}, "media": {"none"},
		"reader": {"none"}, "tier": {"gold"}, "newsletter": {"none"}, "email": {"nobody@quay.example"}, "webhook": {"none"}}
	values["story"] = append(values["story"], r.edition(t, "the-open").StoryID)
	for path, methods := range spec.Paths {
		for method, op := range methods {
			if !strings.Contains(docs, `id="`+op.OperationID+`"`) {
				t.Errorf("the page lacks %s %s", method, path)
			}
		}
		op, ok := methods["get"]
		if !ok {
			continue
		}
		addresses := []string{path}
		for _, p := range op.Parameters {
			if values[p.Name] == nil {
				t.Errorf("%s: no value to try %s with", path, p.Name)
			}
			for _, v := range values[p.Name] {
				switch p.In {
				case "path":
					addresses = append(addresses, strings.ReplaceAll(path, "{"+p.Name+"}", v))
				case "query":
					addresses = append(addresses, strings.ReplaceAll(path, "{story}", "the-open")+"?"+p.Name+"="+v)
				}
			}
		}
		addresses = slices.DeleteFunc(addresses, func(a string) bool { return strings.Contains(a, "{") })
		answered := false
		for _, address := range addresses {
			for _, token := range []string{"", r.full, r.all, "mh_wrong"} {
				w := r.get(address, token)
				answered = answered || w.Code == 200
				content, ok := op.Responses[strconv.Itoa(w.Code)]
				kind := strings.Split(w.Header().Get("Content-Type"), ";")[0]
				if !ok || len(content.Content[kind].Schema) == 0 {
					t.Errorf("%s answers %d %s, which the document does not tell of", address, w.Code, kind)
					continue
				}
				var shape schema
				var value any
				if err := json.Unmarshal(content.Content[kind].Schema, &shape); err != nil {
					t.Fatal(err)
				}
				if err := json.Unmarshal(w.Body.Bytes(), &value); err != nil {
					t.Fatal(err)
				}
				if wrong := mismatch(shapes.Components.Schemas, &shape, value, address); wrong != "" {
					t.Error(wrong)
				}
			}
		}
		if !answered && !strings.Contains(path, "{reader}") && !strings.Contains(path, "{webhook}") && !strings.Contains(path, "{media}") {
			t.Errorf("%s never answers 200", path)
		}
	}
}

// schema is as much of JSON Schema as the document uses.
type schema struct {
	Ref                  string `json:"$ref"`
	Type                 any
	Properties           map[string]*schema
	AdditionalProperties any
	Items                *schema
	Required             []string
	Enum                 []any
}

// mismatch tells where a value differs from its schema: missing and unknown
// members, and types, at every depth.
func mismatch(all map[string]*schema, s *schema, value any, at string) string {
	if s.Ref != "" {
		s = all[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	is := map[string]reflect.Kind{"string": reflect.String, "integer": reflect.Float64, "number": reflect.Float64, "boolean": reflect.Bool, "object": reflect.Map, "array": reflect.Slice}
	switch of := s.Type.(type) {
	case string:
		if value == nil || reflect.TypeOf(value).Kind() != is[of] {
			return fmt.Sprintf("%s is %v, not %s", at, value, of)
		}
	case []any: // a list that may be null
		if value != nil && reflect.TypeOf(value).Kind() != is[of[0].(string)] {
			return fmt.Sprintf("%s is %v, not %v", at, value, of)
		}
	}
	switch v := value.(type) {
	case map[string]any:
		for _, name := range s.Required {
			if _, ok := v[name]; !ok {
				return at + " lacks " + name
			}
		}
		for name, member := range v {
			of, ok := s.Properties[name]
			if !ok {
				if open, ok := s.AdditionalProperties.(bool); ok && !open {
					return at + " has " + name
				}
				continue
			}
			if wrong := mismatch(all, of, member, at+"."+name); wrong != "" {
				return wrong
			}
		}
	case []any:
		for i, item := range v {
			if wrong := mismatch(all, s.Items, item, fmt.Sprintf("%s[%d]", at, i)); wrong != "" {
				return wrong
			}
		}
	case string:
		if len(s.Enum) > 0 && !slices.Contains(s.Enum, value) {
			return at + " is " + v
		}
	}
	return ""
}

func TestConditional(t *testing.T) {
	r := newRoom(t, dbtest.SQLite(t))
	const path = "/api/v1/stories/the-metered"
	first := r.get(path, r.full)
	tag := first.Header().Get("ETag")
	if tag == "" || first.Header().Get("Cache-Control") != "private, no-cache" || !slices.Contains(first.Header()["Vary"], "Authorization") {
		t.Errorf("headers = %v", first.Header())
	}
	if w := r.get(path, r.full, "If-None-Match", tag); w.Code != 304 || w.Body.Len() != 0 {
		t.Errorf("again = %d %s", w.Code, w.Body)
	}
	if w := r.get(path, "", "If-None-Match", tag); w.Code != 403 {
		t.Errorf("the whole story's tag, without the token = %d", w.Code)
	}
	if w := r.get("/api/v1/stories", ""); w.Header().Get("Cache-Control") != "public, max-age=60" {
		t.Errorf("anonymous: %v", w.Header())
	}
	if w := r.get(path, "", "Cookie", "reader=x; staff=y"); w.Code != 403 || len(w.Header()["Set-Cookie"]) > 0 {
		t.Errorf("with cookies = %d", w.Code)
	}
	for method, want := range map[string]int{"HEAD": 200, "POST": 401, "DELETE": 405, "OPTIONS": 405} {
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequest(method, "/api/v1/stories", nil))
		if w.Code != want || want == 405 && w.Header().Get("Allow") == "" {
			t.Errorf("%s = %d", method, w.Code)
		}
	}
	for _, path := range []string{"/api/v2/stories", "/api/v1/stories/a/b", "/api/docs", "/api/openapi.yaml"} {
		if w := r.get(path, ""); w.Code != 404 || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s = %d %v", path, w.Code, w.Header())
		}
	}
}

func TestLimits(t *testing.T) {
	at := now
	l := limits{perMinute: 60, now: func() time.Time { return at }}
	count := func(ip string) (n int) {
		for {
			if ok, _, _ := l.allow(netip.MustParseAddr(ip)); !ok {
				break
			}
			n++
		}
		return n
	}
	if n := count("192.0.2.7"); n != 30 {
		t.Errorf("%d at once, want 30", n)
	}
	if n := count("192.0.2.8"); n != 0 {
		t.Errorf("its neighbour got %d", n)
	}
	if n := count("2001:db8::1"); n != 30 {
		t.Errorf("another network got %d", n)
	}
	at = at.Add(10 * time.Second)
	if n := count("192.0.2.7"); n != 10 {
		t.Errorf("%d after ten seconds, want 10", n)
	}
	for i := range 3 * generation {
		l.allow(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
		l.allow(netip.AddrFrom4([4]byte{byte(20 + i>>16), byte(i >> 8), byte(i), 0}))
		if i == generation/2 {
			if n := count("192.0.2.7"); n != 0 {
				t.Errorf("others' coming gave it %d more", n)
			}
		}
	}
	if len(l.new) > generation || len(l.old) > generation {
		t.Errorf("it remembers %d and %d networks", len(l.new), len(l.old))
	}
	r := newRoom(t, dbtest.SQLite(t))
	var last *httptest.ResponseRecorder
	for range perMinute/2 + 1 {
		last = r.get("/api/openapi.json", "")
	}
	if last.Code != 429 || last.Header().Get("Retry-After") == "" {
		t.Errorf("after so many = %d %v", last.Code, last.Header())
	}
}

// TestFault holds an internal error's text back.
func TestFault(t *testing.T) {
	r := newRoom(t, dbtest.SQLite(t))
	p := r.problem(context.Background(), fmt.Errorf("dsn postgres://u:p@h"))
	if b, _ := json.Marshal(p); p.Status != 500 || strings.Contains(string(b), "postgres") {
		t.Errorf("%s", b)
	}
}
