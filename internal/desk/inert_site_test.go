package desk

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/draft"
	"masthead/internal/fault"
	"masthead/internal/fetch"
	"masthead/internal/job"
	"masthead/internal/mail"
	"masthead/internal/newsletter"
	"masthead/internal/plan"
	"masthead/internal/reader"
	"masthead/internal/search"
	"masthead/internal/setting"
	"masthead/internal/site"
	"masthead/internal/staff"
	"masthead/internal/story"
	"masthead/internal/wall"
	"masthead/internal/web"
	"masthead/internal/webhook"
	"masthead/ui"
)

// press is an office with the public site beside it, of the same stores.
type press struct {
	*office
	news      *site.Newsroom
	theme     func() error // puts the chosen look in the place of the one before
	posted    []job.Args   // letters to be made later
	routes    *http.ServeMux
	stories   []string // IDs, published ones first
	colleague guest    // with a passkey
}

func newPress(t *testing.T) *press {
	t.Helper()
	p := &press{office: newOffice(t, dbtest.SQLite(t)), routes: http.NewServeMux()}
	for _, r := range p.Routes() {
		p.routes.Handle(r.Pattern, http.NotFoundHandler())
	}
	p.Settings = &setting.Store{Now: p.Now}
	p.Plans.Post = func(_ context.Context, _ *db.Tx, a job.Args, _ job.Opts) error {
		p.posted = append(p.posted, a)
		return nil
	}
	p.Drafts.Mentioned = func(_ context.Context, _ *db.Tx, m draft.Mention) error {
		for _, l := range MentionLetters(m) {
			p.posted = append(p.posted, l)
		}
		return nil
	}
	p.Plans.Keep = func(ctx context.Context, tx *db.Tx, id, editor string, release bool) error { // as app has it
		keep := p.Drafts.Keep
		if release {
			keep = p.Drafts.Release
		}
		_, err := keep(ctx, tx, id, editor)
		if fault.Is(err, fault.NotFound) { // nobody has written there
			return nil
		}
		return err
	}
	p.From = mail.Address{Name: "The Quay", Email: "news@quay.example"}
	p.Readers.PerAddress.Limit, p.Readers.PerNetwork.Limit = 1000, 1000
	index := &search.Index{Dialect: p.DB.Dialect}
	p.Stories.Changed = append(p.Stories.Changed, func(ctx context.Context, tx *db.Tx, c story.Change) error {
		if !c.Public() {
			return index.Delete(ctx, tx, c.EditionID)
		}
		e, err := p.Stories.EditionByID(ctx, tx, c.EditionID)
		if err != nil {
			return err
		}
		text := e.Body.PlainText()
		return index.Put(ctx, tx, search.Entry{EditionID: e.ID, Lang: e.Lang, PublishedAt: e.PublishedAt, Headline: e.Headline, Summary: e.Summary, Body: text, Preview: len(text)})
	}, p.Drafts.Follow, p.Hooks.StoryChanged)

	templates, err := ui.FS("")
	if err != nil {
		t.Fatal(err)
	}
	assets, err := web.NewAssets(fstest.MapFS{"manifest.json": {Data: []byte(`{"files":{},"preloads":{}}`)}}, web.Theme{})
	if err != nil {
		t.Fatal(err)
	}
	pages, err := web.NewRenderer(templates, assets, false)
	if err != nil {
		t.Fatal(err)
	}
	p.theme = func() error {
		theme, err := web.ReadTheme(templates, web.LookOf(p.Config.Text))
		if err == nil {
			assets.SetTheme(theme)
		}
		return err
	}
	key := []byte(strings.Repeat("k", 32))
	p.news = &site.Newsroom{
		Config: p.Config, DB: p.DB, Stories: p.Stories, Media: p.Media, Readers: p.Readers, Staff: p.Staff, Search: index,
		Wall: p.Wall, WallStore: p.WallStore, MeterKeys: wall.MeterKeys{key}, Signer: web.Signer{Keys: [][]byte{key}},
		Crawlers: wall.NewCrawlers(nil, nil), Mail: p.Mail, From: p.From, Pages: pages, Engine: site.NewEngine(8<<20, p.Now),
		Tell:    func(context.Context, db.Queryer, ...string) error { return nil },
		Away:    func() bool { return false },
		Counter: wall.NewCounter(p.DB, p.WallStore), Recorder: wall.NewRecorder(24 * time.Hour), Now: p.Now,
	}
	p.news.Answer = &web.Answer{Renderer: pages, Log: p.Log, ErrorPage: p.news.ErrorPage}
	mux := http.NewServeMux()
	mux.Handle(web.AssetPath, assets)
	mux.Handle("/desk/", p.Desk.Handler())
	mux.Handle("/", p.news.Handler())
	p.handler = mux
	return p
}

// settle does what the app does when a change is committed: settings, wall and
// look are read anew, and no page that was made before is kept.
func (p *press) settle(t *testing.T) {
	t.Helper()
	p.again(t)
	p.news.Config = p.Config
	if err := p.theme(); err != nil {
		t.Errorf("the look: %v", err)
	}
	if err := p.Wall.Load(t.Context(), p.DB.Read()); err != nil {
		t.Errorf("the wall: %v", err)
	}
	p.news.Engine.Changed([]string{site.SiteTag})
}

// sendPosted makes the letters that were left for later.
func (p *press) sendPosted(t *testing.T) {
	t.Helper()
	for _, l := range p.letters {
		p.posted = append(p.posted, l)
	}
	for _, args := range p.posted {
		var err error
		switch l := args.(type) {
		case plan.Letter:
			err = p.SendPlanLetter(t.Context(), l)
		case MentionLetter:
			err = p.SendMention(t.Context(), l)
		case LinkLetter:
			err = p.SendLink(t.Context(), l)
		}
		if err != nil {
			t.Errorf("%T: %v", args, err)
		}
	}
}

// furnish puts into the newsroom what no form of the desk makes, and a few
// things more, so that every form stands somewhere.
func (p *press) furnish(t *testing.T) (visitor guest) {
	t.Helper()
	ctx := t.Context()
	region, below := story.Section{Slug: "region", Names: story.Texts{"en": "Region"}}, story.Section{Slug: "below", Names: story.Texts{"en": "Below"}}
	topics := []*story.Topic{{Slug: "salt", Kind: story.Subject, Names: story.Texts{"en": "Salt"}}, {Slug: "ice", Kind: story.Person, Names: story.Texts{"en": "Ice"}}}
	writers := []*story.Writer{{Slug: "nora", Names: story.Texts{"en": "Nora"}}, {Slug: "omar", Names: story.Texts{"en": "Omar"}}}
	visitor = guest{press: p, jar: map[string]string{}}
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, rungs[0], http.StatusTeapot)
	}))
	defer receiver.Close()
	p.Hooks.Client, p.Hooks.Insecure = fetch.New(fetch.Options{Redirects: -1, AllowPrivate: true}), true
	var tried webhook.Delivery
	p.tx(t, func(tx *db.Tx) error {
		for _, s := range []*story.Section{&region, &below} {
			if err := p.Stories.SaveSection(ctx, tx, s); err != nil {
				return err
			}
		}
		for i := range topics {
			if err := p.Stories.SaveTopic(ctx, tx, topics[i]); err != nil {
				return err
			}
			if err := p.Stories.SaveWriter(ctx, tx, writers[i]); err != nil {
				return err
			}
		}
		if err := p.Newsletters.Save(ctx, tx, newsletter.List{Slug: "week", Names: map[string]string{"en": "The week"}}); err != nil {
			return err
		}
		if err := p.Readers.SaveTier(ctx, tx, reader.Tier{Slug: "gold", Names: map[string]string{"en": "Gold"}}); err != nil {
			return err
		}
		who, _, err := p.Readers.Upsert(ctx, tx, reader.Reader{Email: "rea@example.org"}, nil, nil)
		if err != nil {
			return err
		}
		if err := p.Readers.Grant(ctx, tx, who.ID, "gold", time.Time{}); err != nil {
			return err
		}
		for range 2 {
			if _, visitor.jar["reader"], err = p.Readers.StartSession(ctx, tx, who.ID, rungs[0]); err != nil {
				return err
			}
		}
		colleague, err := p.Staff.Add(ctx, tx, staff.Person{Email: "bo@quay.example", Name: "Bo", Role: staff.Reporter})
		if err != nil {
			return err
		}
		p.colleague = guest{press: p, jar: map[string]string{}}
		if _, p.colleague.jar["staff"], err = p.Staff.StartSession(ctx, tx, colleague.ID, staff.Made{By: staff.ByPasskey, Agent: rungs[0]}); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO staff_passkey (id, staff_id, credential_id, credential, name, created_at) VALUES ($1, $2, 'a', '{}', 'A key', 1)`, noSuchID, colleague.ID)
		if err != nil {
			return err
		}
		hook, _, err := p.Hooks.Create(ctx, tx, webhook.Hook{URL: receiver.URL, Events: []webhook.Event{webhook.StoryPublished}})
		if err == nil {
			tried, err = p.Hooks.Try(ctx, tx, hook.ID)
		}
		return err
	})
	// What a receiver answers stands in the log of what was brought to it.
	if err := p.Hooks.Deliver(ctx, p.DB, webhook.Bring{Delivery: tried.ID, Round: 1, Attempt: 1}); err != nil {
		t.Error(err)
	}
	if told, err := p.Hooks.Delivery(ctx, p.DB.Read(), tried.HookID, tried.ID); err != nil || !strings.Contains(told.Answer, "zzmark") {
		t.Errorf("the receiver's answer = %+v, %v", told, err)
	}
	if w := p.uploadFiles(t, false, upload{`"><zzmark>.jpg`, jpegPicture(t, 10)}, upload{"b.jpg", jpegPicture(t, 20)}); w.Code >= 400 {
		t.Fatalf("upload = %d %s", w.Code, w.Body)
	}
	for i, status := range []story.Status{story.Published, story.Published, story.Published, story.Draft, story.Pitch, story.Review, story.Approved} {
		st := story.Story{Kind: story.Report, OriginalLang: "en", SectionID: region.ID, Access: story.Open, CreatedBy: p.owner.ID,
			Topics: []string{topics[0].ID}, Bylines: []story.Byline{{AuthorID: writers[0].ID, Role: story.Author}}}
		if i == 1 {
			st.Access = story.Registered // the wall stands before it
		}
		p.tx(t, func(tx *db.Tx) error { return p.Stories.Save(ctx, tx, &st) })
		p.stories = append(p.stories, st.ID)
		slug := "story-" + string(rune('a'+i))
		p.add(t, slug, "en", slug, status, now.Add(-time.Duration(i)*time.Hour), st)
		p.add(t, slug, "ar", slug, status, now.Add(-time.Duration(i)*time.Hour), st)
	}
	return visitor
}

// guest is one browser before the press.
type guest struct {
	*press
	jar  map[string]string
	lang string
}

// ask sends a request and keeps the cookies that come back.
func (g guest) ask(method, path, kind string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://quay.example"+path, strings.NewReader(string(body)))
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	r.Header.Set("Accept-Language", g.lang)
	r.Header.Set("User-Agent", rungs[0])
	for name, value := range g.jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	g.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if g.jar == nil {
			break
		}
		if c.MaxAge < 0 {
			delete(g.jar, c.Name)
		} else {
			g.jar[c.Name] = c.Value
		}
	}
	return w
}
