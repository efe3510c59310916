package archive

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/blob"
	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/media"
	"masthead/internal/newsletter"
	"masthead/internal/reader"
	"masthead/internal/search"
	"masthead/internal/staff"
	"masthead/internal/story"
	"masthead/internal/wall"
)

// house is a newsroom under test: its stores, and its blobs to be exported.
type house struct {
	*Importer
	t     testing.TB
	blobs *blob.Folder
	index *search.Index
	gift  string // the token of a gift's link
	story string // the ID of the story that it opens
}

func newHouse(t testing.TB, d *db.DB) *house {
	t.Helper()
	blobs, err := blob.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blobs.Close() })
	return houseOver(t, d, blobs)
}

func houseOver(t testing.TB, d *db.DB, blobs *blob.Folder) *house {
	pictures := media.NewStore(d, blobs)
	pictures.Lazy, pictures.Now = true, now
	h := &house{t: t, blobs: blobs, index: &search.Index{Dialect: d.Dialect}, Importer: &Importer{
		DB: d, Media: pictures, Readers: reader.New(bytes.Repeat([]byte("k"), 32)), Now: now,
		Stories: &story.Store{Now: now, DefaultLang: "en", Location: time.FixedZone("", 3*3600)},
	}}
	h.Readers.Now = now
	h.Stories.Changed = append(h.Stories.Changed, func(ctx context.Context, tx *db.Tx, c story.Change) error {
		e, err := h.Stories.EditionByID(ctx, tx, c.EditionID)
		if err != nil {
			return err
		}
		return h.index.Put(ctx, tx, search.Entry{EditionID: e.ID, Lang: e.Lang, Headline: e.Headline, Summary: e.Summary, Body: e.Body.PlainText()})
	})
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) in(fn func(ctx context.Context, tx *db.Tx) error) {
	h.t.Helper()
	ctx := context.Background()
	h.must(h.DB.InTx(ctx, func(tx *db.Tx) error { return fn(ctx, tx) }))
}

func (h *house) exec(statement string, args ...any) {
	h.t.Helper()
	h.in(func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, statement, args...)
		return err
	})
}

func (h *house) count(query string, args ...any) (n int) {
	h.t.Helper()
	h.must(h.DB.Read().QueryRow(query, args...).Scan(&n))
	return n
}

// export writes the newsroom into a zip or, by its name, a folder.
func (h *house) export(name string) string {
	h.t.Helper()
	target := filepath.Join(h.t.TempDir(), name)
	done, err := Export(context.Background(), h.DB, h.blobs, target, nil)
	h.must(err)
	if len(done.Problems) > 0 {
		h.t.Fatalf("problems: %+v", done.Problems)
	}
	return target
}

func (h *house) bring(path string) Report {
	h.t.Helper()
	r, err := h.ImportNewsroom(context.Background(), path)
	h.must(err)
	return r
}

func body(t testing.TB, text string) *doc.Node {
	t.Helper()
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text)
	n, err := doc.Parse([]byte(`{"type":"doc","content":[{"type":"paragraph","content":[{"type":"text","text":"` + quoted + `"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func drawing(t testing.TB, shade uint8) *bytes.Buffer {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 40, 30))
	for i := range img.Pix {
		img.Pix[i] = shade + uint8(i%7)
	}
	img.Set(1, 1, color.White)
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return &b
}

// fill makes a newsroom that has something of every kind, through the real stores.
func (h *house) fill() {
	h.t.Helper()
	ctx := context.Background()
	picture, err := h.Media.Keep(ctx, media.Upload{Name: "dredger.png", Content: drawing(h.t, 90), Credit: "Ana <Ribeiro> & co", Licence: "CC BY 4.0",
		Alts: map[string]string{"en": "A dredger", "he": "מחפר"}, Captions: map[string]string{"ru": "Земснаряд"}, Focal: media.Focal{X: 0, Y: 700}, Source: "ghost:/a.png"})
	h.must(err)
	twin := picture
	twin.Source, twin.Credit = "", "another line, the same bytes"
	file, err := h.Media.Keep(ctx, media.Upload{Name: "report.pdf", Content: strings.NewReader("%PDF-1.4 the budget")})
	h.must(err)
	var r reader.Reader
	h.in(func(ctx context.Context, tx *db.Tx) error {
		for _, m := range []*media.Media{&picture, &twin, &file} {
			h.must(h.Media.Save(ctx, tx, m))
		}
		city := story.Section{Slug: "city", Names: story.Texts{"en": "City", "ar": "المدينة"}, Position: 2}
		h.must(h.Stories.SaveSection(ctx, tx, &city))
		// The part has a smaller ID than what it is part of, so that it comes first.
		harbour := story.Section{ID: "0000-harbour", ParentID: city.ID, Slug: "harbour", Names: story.Texts{"en": "Harbour"}, Source: "ghost:tag:1"}
		h.must(h.Stories.SaveSection(ctx, tx, &harbour))
		subject := story.Topic{Kind: "subject", Slug: "dredging", Names: story.Texts{"en": "Dredging"}, Aliases: map[string][]string{"en": {"silt", `"mud"`}}}
		h.must(h.Stories.SaveTopic(ctx, tx, &subject))
		inner := story.Topic{Kind: "storyline", Slug: "תעלה", Names: story.Texts{"he": "תעלה"}, Internal: true}
		h.must(h.Stories.SaveTopic(ctx, tx, &inner))
		ana := story.Writer{Slug: "ana", Names: story.Texts{"en": "Ana"}, Biographies: story.Texts{"en": "Reports.\nSwims."}, Handle: "@ana", PortraitID: picture.ID}
		h.must(h.Stories.SaveWriter(ctx, tx, &ana))
		lev := story.Writer{Slug: "lev", Names: story.Texts{"ru": "Лев"}, Source: "wordpress:author:lev"}
		h.must(h.Stories.SaveWriter(ctx, tx, &lev))

		st := story.Story{SectionID: harbour.ID, Access: story.ForTier("gold"), LeadMediaID: picture.ID, OriginalLang: "en", Pinned: 1,
			Source: "ghost:1", Topics: []string{inner.ID, subject.ID},
			Bylines: []story.Byline{{AuthorID: ana.ID, Role: story.Author}, {AuthorID: lev.ID, Role: story.Translator, Lang: "ru"}}}
		h.must(h.Stories.Save(ctx, tx, &st))
		h.story = st.ID
		en := story.Edition{StoryID: st.ID, Lang: "en", Status: story.Published, Headline: `The "dredgers" <return> & stay`, Kicker: "Harbour",
			Summary: "Silt\u2028again \U0001f6a2", Body: body(h.t, `They return <b> & "stay".`), PublishedAt: time.Date(1900, 2, 3, 4, 5, 6, 7000, time.UTC)}
		h.must(h.Stories.SaveEdition(ctx, tx, &en, "ana@example.org"))
		en.Body, en.Slug = body(h.t, "They returned, and stayed."), "dredgers-stay"
		h.must(h.Stories.SaveEdition(ctx, tx, &en, "lev@example.org"))
		ru := story.Edition{StoryID: st.ID, Lang: "ru", Status: story.Scheduled, Headline: "Землечерпалки вернулись", Body: body(h.t, "Они вернулись."), PublishedAt: now().Add(time.Hour)}
		h.must(h.Stories.SaveEdition(ctx, tx, &ru, ""))
		h.must(h.Stories.AddCorrection(ctx, tx, &story.Correction{StoryID: st.ID, Lang: "en", Text: "It was two dredgers."}))
		h.must(h.Stories.AddRedirect(ctx, tx, "/old/öl/", "", en.ID))
		h.must(h.Stories.AddRedirect(ctx, tx, "/Zeta/", "/topic/dredging/", ""))
		h.must(h.Stories.AddRedirect(ctx, tx, "/alpha/", "/city/", ""))
		h.must(h.Stories.SaveComment(ctx, tx, &story.Comment{StoryID: st.ID, AuthorName: "Bo", Text: "Well.\t\x1eYes.\x7f", Status: "approved", At: now(), Source: "wordpress:c:1"}))
		h.must(h.Stories.SaveMenu(ctx, tx, story.Menu{Slug: "top", Name: "Top", Items: []story.MenuItem{{Label: "City", URL: "/city/", Items: []story.MenuItem{{Label: "Harbour", URL: "/harbour/?a=1&b=2"}}}}}))
		h.must(h.Stories.SaveMenu(ctx, tx, story.Menu{Slug: "empty", Name: "Empty", Items: []story.MenuItem{}}))

		page := story.Story{Kind: story.Page, OriginalLang: "en"}
		h.must(h.Stories.Save(ctx, tx, &page))
		about := story.Edition{StoryID: page.ID, Lang: "en", Status: story.Published, Headline: "About us"}
		h.must(h.Stories.SaveEdition(ctx, tx, &about, "ana@example.org"))
		h.must(h.Stories.Withdraw(ctx, tx, about.ID, "It was wrong.", "ana@example.org"))
		idea := story.Story{OriginalLang: "he"}
		h.must(h.Stories.Save(ctx, tx, &idea))
		h.must(h.Stories.SaveEdition(ctx, tx, &story.Edition{StoryID: idea.ID, Lang: "he", Headline: "רעיון"}, ""))

		h.must(newsletter.Store{}.Save(ctx, tx, newsletter.List{Slug: "week", Names: map[string]string{"en": "The week"}, Cadence: newsletter.Weekly}))
		h.must(h.Readers.SaveTier(ctx, tx, reader.Tier{Slug: "gold", Names: map[string]string{"en": "Gold"}, Position: 1}))
		h.must(h.Readers.SaveTier(ctx, tx, reader.Tier{Slug: "Silver", Names: map[string]string{"en": "Silver"}, Source: "ghost:tier:2"}))
		var err error
		r, _, err = h.Readers.Upsert(ctx, tx, reader.Reader{Email: "Ada@Example.org", Name: "Ada", Labels: []string{"founder", "a \"b\""}, Source: "ghost:m:1", ConfirmedAt: now()},
			[]reader.Holding{{Tier: "gold", Until: now().AddDate(1, 0, 0)}, {Tier: "Silver"}}, []string{"week", "month"})
		h.must(err)
		_, _, err = h.Readers.Upsert(ctx, tx, reader.Reader{Email: "bo@example.org"}, nil, nil)
		h.must(err)
		_, _, err = h.Readers.StartSession(ctx, tx, r.ID, "Firefox")
		h.must(err)

		walls := &wall.Store{Now: now, GiftQuota: 3, GiftDays: 7}
		h.must(walls.ReplaceRules(ctx, tx, wall.DefaultRules()))
		h.must(walls.ReplaceBenefits(ctx, tx, []wall.Benefit{{Entitlement: "archive", Texts: map[string]string{"en": "Old stories"}}, {Entitlement: "newsletter:week", Texts: map[string]string{"en": "The week"}}}))
		h.must(walls.CountRead(ctx, tx, r.ID, st.ID, now()))
		h.must(walls.CountRead(ctx, tx, r.ID, idea.ID, now()))
		_, token, err := walls.GiftCreate(ctx, tx, wall.Reader{ID: r.ID, State: wall.Registered}, st.ID, wall.Decision{Full: true})
		h.must(err)
		h.gift = token

		people := staff.New()
		people.Now = now
		owner, err := people.Add(ctx, tx, staff.Person{Email: "Ana@example.org", Name: "Ana", Role: staff.Owner})
		h.must(err)
		h.must(people.SetSections(ctx, tx, owner.ID, map[string]staff.Role{st.SectionID: staff.Editor}))
		h.must(people.Record(ctx, tx, staff.Entry{Who: owner, Act: staff.KeepStaff, Object: "staff:" + owner.ID, Detail: map[string]string{"role": "owner"}}))
		_, err = tx.ExecContext(ctx, `INSERT INTO assignment (id, story_id, staff_id, task, note, created_at) VALUES ($1, $2, $3, 'write', 'soon', 5)`, db.NewID(), st.ID, owner.ID)
		h.must(err)
		var edition string
		h.must(tx.QueryRowContext(ctx, `SELECT edition_id FROM revision WHERE seq = 1 ORDER BY edition_id LIMIT 1`).Scan(&edition))
		_, err = tx.ExecContext(ctx, `INSERT INTO edition_move (id, edition_id, at, name, was, became, staff_id, who, note, overruled)
			VALUES ($1, $2, 5, 'approve', 'review', 'approved', $3, 'Ana', 'good', 'sure')`, db.NewID(), edition, owner.ID)
		h.must(err)
		_, err = tx.ExecContext(ctx, `INSERT INTO story_plan (story_id, day, legal, legal_by, legal_at) VALUES ($1, 20261123, 'a name', $2, 5)`, st.ID, owner.ID)
		h.must(err)
		_, err = tx.ExecContext(ctx, `INSERT INTO no_letters (staff_id) VALUES ($1)`, owner.ID)
		h.must(err)
		for _, row := range []string{
			`INSERT INTO revision_writer (edition_id, seq, staff_id) VALUES ($1, 1, $2)`,
			`INSERT INTO draft (edition_id, version, body, base, revision, kept, unkept, kept_at, remarks, outside, conflicts, updated_at)
				SELECT $1, 7, '{"content":[{"type":"paragraph"}],"type":"doc"}', 1, 1, 3, TRUE, 5, 2, 1, 1, 6 FROM staff WHERE id = $2`,
			`INSERT INTO draft_field (edition_id, name, value, version, staff_id, at) VALUES ($1, 'headline', 'Now', 2, $2, 5)`,
			`INSERT INTO remark_thread (id, story_id, edition_id, from_pos, to_pos, anchor, resolved_by, resolved_at, created_at)
				SELECT 'thread', story_id, id, 1, 2, 'words', $2, 6, 5 FROM edition WHERE id = $1`,
			`INSERT INTO remark (id, thread_id, staff_id, text, mentions, at) SELECT 'remark', 'thread', id, 'Sure?', '["' || id || '"]', 5 FROM staff WHERE id = $2 AND $1 <> ''`,
			`INSERT INTO translation (edition_id, revision) SELECT $1, 1 FROM staff WHERE id = $2`,
			`INSERT INTO front (id, lang, version, staff_id, at) SELECT 'front', lang, 3, $2, 5 FROM edition WHERE id = $1`,
			`INSERT INTO front_item (front, lang, position, story_id, size, until, pinned_by, at) SELECT 'front', lang, 0, story_id, 'lead', 9, $2, 5 FROM edition WHERE id = $1`,
			`INSERT INTO setting (name, value, staff_id, at) SELECT 'title', 'The Pier', $2, 5 FROM edition WHERE id = $1`,
			`INSERT INTO wall_text (lang, texts) SELECT lang, '{"register.title":"Read on"}' FROM edition JOIN staff ON staff.id = $2 WHERE edition.id = $1`,
			`INSERT INTO wall_version (seq, design, who, at) SELECT 9, '{"rules":[]}', email, 5 FROM staff WHERE id = $2 AND $1 <> ''`,
			`INSERT INTO wall_draft (id, version, base, design, who, updated_at) SELECT 'draft', 2, 9, '{"rules":[]}', email, 5 FROM staff WHERE id = $2 AND $1 <> ''`,
			`INSERT INTO wall_lift (id, section, reason, who, starts_at, ends_at) SELECT 'lift', 'city', 'A flood', email, 5, 6 FROM staff WHERE id = $2 AND $1 <> ''`,
			`INSERT INTO wall_trial (id, number, name, share, sample, design, who, starts_at, ends_at, ended_at)
				SELECT 'trial', 1, 'Two', 50, 100, '{"rules":[]}', email, 5, 6, 6 FROM staff WHERE id = $2 AND $1 <> ''`,
			`INSERT INTO wall_trial_count (trial_id, arm, what, n) SELECT 'trial', 'a', 'joined', 7 FROM staff WHERE id = $2 AND $1 <> ''`,
		} {
			_, err = tx.ExecContext(ctx, row, edition, owner.ID)
			h.must(err)
		}
		gone, err := people.Add(ctx, tx, staff.Person{Email: "gone@example.org", Role: staff.Reporter})
		h.must(err)
		h.must(people.Disable(ctx, tx, gone.ID))
		_, _, err = people.CreateToken(ctx, tx, "robot", time.Hour, staff.Scopes()[0])
		h.must(err)
		return nil
	})
}

// same compares two archives, folders or zips, byte by byte.
func same(t testing.TB, want, got string) {
	t.Helper()
	if diff := cmp.Diff(contents(t, want), contents(t, got)); diff != "" {
		t.Fatalf("the second export differs (-first +second):\n%s", diff)
	}
}

func contents(t testing.TB, path string) map[string]string {
	t.Helper()
	all := map[string]string{}
	if strings.HasSuffix(path, ".zip") {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all["zip"] = string(b)
		return all
	}
	err := fs.WalkDir(os.DirFS(path), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(path, name))
		all[name] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestNewsroomRoundTrip goes SQLite → PostgreSQL → SQLite, and each to itself,
// by folder and by zip: the bytes stay the same all the way.
func TestNewsroomRoundTrip(t *testing.T) {
	first := newHouse(t, dbtest.SQLite(t))
	first.fill()
	folder, zipped := first.export("a"), first.export("a.zip")
	for i, tab := range tables {
		if b, err := os.ReadFile(filepath.Join(folder, tab.fileName())); err != nil || len(b) == 0 {
			t.Errorf("table %d: %s is empty (%v): the round trip does not try it", i, tab.fileName(), err)
		}
	}
	for _, name := range []string{"secret", "session", "token"} {
		for file := range contents(t, folder) {
			if strings.Contains(file, name) {
				t.Errorf("there is a file %s", file)
			}
		}
	}
	again := newHouse(t, dbtest.SQLite(t))
	r := again.bring(folder)
	want := Report{Stories: 3, Editions: 4, Authors: 2, Topics: 2, Sections: 2, Media: 3, Readers: 2, Drafts: 2, Pages: 1, Comments: 1,
		Redirects: 4, Menus: 2, Tiers: 2, Skipped: []Item{}, Changed: []Item{}, Left: []Item{}}
	r.Seconds = 0
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	same(t, folder, again.export("b"))
	same(t, zipped, again.export("b.zip"))
	again.bring(zipped) // over itself
	same(t, zipped, again.export("c.zip"))

	t.Run("across", func(t *testing.T) {
		over := newHouse(t, dbtest.Postgres(t))
		over.bring(zipped)
		same(t, folder, over.export("b"))
		back := newHouse(t, dbtest.SQLite(t))
		back.bring(over.export("c.zip"))
		same(t, zipped, back.export("d.zip"))
		over.bring(folder) // over itself
		same(t, zipped, over.export("e.zip"))
		self := newHouse(t, dbtest.Postgres(t))
		self.bring(folder)
		same(t, zipped, self.export("f.zip"))
	})
}

// TestNewsroomLives shows that what came in works: search, gifts, months,
// pictures, wall, the next revision.
func TestNewsroomLives(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		from := newHouse(t, dbtest.SQLite(t))
		from.fill()
		h := newHouse(t, d)
		h.bring(from.export("a"))
		ctx := context.Background()
		found, err := h.index.Find(ctx, d.Read(), search.Query{Lang: "en", Words: "returned", Limit: 5})
		if err != nil || found.Count != 1 {
			t.Errorf("search: %+v, %v", found, err)
		}
		e, err := h.Stories.EditionOf(ctx, d.Read(), from.story, "en")
		h.must(err)
		if e.Words != 4 || e.Revision != 2 {
			t.Errorf("words %d, revision %d", e.Words, e.Revision)
		}
		months, err := h.Stories.Months(ctx, d.Read(), "en")
		if err != nil || len(months) != 1 || months[0].Month != 190002 {
			t.Errorf("months: %+v, %v", months, err)
		}
		g, err := (&wall.Store{Now: now}).GiftByToken(ctx, d.Read(), from.gift, from.story)
		if err != nil || !g.Live(now()) {
			t.Errorf("the gift's link: %+v, %v", g, err)
		}
		if to, err := h.Stories.Redirect(ctx, d.Read(), "/old/öl/"); err != nil || to != e.Path {
			t.Errorf("redirect to %s, %v", to, err)
		}
		all, err := h.Media.List(ctx, d.Read(), media.Picture, "", 10)
		h.must(err)
		for _, m := range all {
			h.must(h.Media.Verify(ctx, &m))
			if _, err := h.Media.Open(ctx, m.Path(320)); err != nil {
				t.Errorf("a variant: %v", err)
			}
		}
		for _, secret := range []string{"session", "api_token"} {
			if n := h.count(`SELECT COUNT(*) FROM ` + secret); n != 0 {
				t.Errorf("%d rows of %s came along", n, secret)
			}
		}
		h.in(func(ctx context.Context, tx *db.Tx) error {
			e.Body = body(t, "They went.")
			return h.Stories.SaveEdition(ctx, tx, &e, "ana@example.org")
		})
		if revisions, err := h.Stories.Revisions(ctx, d.Read(), e.ID); err != nil || len(revisions) != 3 {
			t.Errorf("%d revisions, %v", len(revisions), err)
		}
		// What was changed here since stays, whatever an older archive says.
		r := h.bring(from.export("b"))
		if len(r.Skipped) != 1 || r.Skipped[0].ID != e.ID || !strings.Contains(r.Skipped[0].Why, "changed here since") {
			t.Errorf("skipped: %+v", r.Skipped)
		}
		if now, err := h.Stories.EditionByID(ctx, d.Read(), e.ID); err != nil || now.Revision != 3 {
			t.Errorf("revision %d, %v", now.Revision, err)
		}
	})
}

// TestNewsroomIsWhole fails when a migration brings a table or column of which
// nobody has said whether archives have it.
func TestNewsroomIsWhole(t *testing.T) {
	d := dbtest.SQLite(t)
	rows, err := d.Read().Query(`SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'
		AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE 'goose_%' AND m.name NOT LIKE 'river_%' AND m.name NOT LIKE 'search_words_%' AND m.name NOT LIKE 'search_heads_%'`)
	known := map[string]bool{}
	for _, tab := range tables {
		for _, c := range tab.columns {
			known[tab.name+"."+c.name] = true
		}
		for _, c := range tab.derived {
			known[tab.name+"."+c] = true
		}
		for _, in := range tab.inside {
			known[in.name+"."+in.parent] = true
			for _, c := range in.columns {
				known[in.name+"."+c.name] = true
			}
			if in.position {
				known[in.name+".position"] = true
			}
		}
	}
	_, err = db.Rows(rows, err, func(r db.Scanner) (struct{}, error) {
		var tab, column string
		err := r.Scan(&tab, &column)
		if omitted[tab] == "" && omitted[tab+"."+column] == "" && !known[tab+"."+column] {
			t.Errorf("%s.%s is neither exported nor left out on purpose", tab, column)
		}
		delete(known, tab+"."+column)
		return struct{}{}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range known {
		t.Errorf("%s is exported, and not there", name)
	}
}

func TestNewsroomDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/archive-format.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, tab := range tables {
		_, part, ok := strings.Cut(string(text), "\n### "+tab.fileName()+"\n")
		if !ok {
			t.Errorf("docs/archive-format.md does not describe %s", tab.fileName())
			continue
		}
		part, _, _ = strings.Cut(part, "\n##")
		var fields []string
		for _, c := range tab.columns {
			fields = append(fields, c.field)
		}
		for _, in := range tab.inside {
			fields = append(fields, in.field)
		}
		at := 0
		for _, f := range fields {
			i := strings.Index(part, fmt.Sprintf("\n| `%s` |", f))
			if i < at {
				t.Errorf("docs/archive-format.md: %s: %s is missing or out of order", tab.fileName(), f)
			}
			at = max(at, i)
		}
		if rows := strings.Count(part, "\n| `"); rows != len(fields) {
			t.Errorf("docs/archive-format.md: %s has %d fields, %d are exported", tab.fileName(), rows, len(fields))
		}
	}
}

func TestNewsroomMerges(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		from := newHouse(t, dbtest.SQLite(t))
		from.fill()
		path := from.export("a.zip")
		t.Run("dry run", func(t *testing.T) {
			h := newHouse(t, d)
			h.DryRun = true
			if r := h.bring(path); r.Stories != 3 || !r.DryRun || len(r.Skipped) != 0 {
				t.Errorf("report: %+v", r)
			}
			if n := h.count(`SELECT COUNT(*) FROM story`); n != 0 {
				t.Errorf("%d stories", n)
			}
			for info := range h.blobs.List(context.Background(), "") {
				t.Errorf("a blob: %v", info)
			}
		})
		h := newHouse(t, d)
		h.in(func(ctx context.Context, tx *db.Tx) error {
			_, err := staff.New().Add(ctx, tx, staff.Person{Email: "ana@example.org", Role: staff.Editor})
			h.must(err)
			return (&wall.Store{Now: now}).ReplaceRules(ctx, tx, wall.DefaultRules()[:1])
		})
		t.Run("the same slug", func(t *testing.T) {
			h.exec(`INSERT INTO topic (id, kind, slug, names, created_at) VALUES ('x', 'subject', 'dredging', '{}', 1)`)
			_, err := h.ImportNewsroom(context.Background(), path)
			if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "topics.jsonl:1: another of the topics here has the same slug") {
				t.Errorf("the fault: %v", err)
			}
			if n := h.count(`SELECT COUNT(*) FROM section`); n != 0 {
				t.Errorf("%d sections came in", n)
			}
			h.exec(`DELETE FROM topic`)
		})
		r := h.bring(path)
		if len(r.Skipped) != 1 || r.Skipped[0].Name != "Ana@example.org" {
			t.Errorf("skipped: %+v", r.Skipped)
		}
		if len(r.Changed) != 1 || r.Changed[0].ID != "wall_rules" {
			t.Errorf("changed: %+v", r.Changed)
		}
		if n := h.count(`SELECT COUNT(*) FROM wall_rule`); n != len(wall.DefaultRules()) {
			t.Errorf("%d rules", n)
		}
		if n := h.count(`SELECT COUNT(*) FROM staff WHERE role = 'editor'`); n != 1 {
			t.Error("the editor who was here has changed")
		}
	})
}

func TestExportTarget(t *testing.T) {
	h := newHouse(t, dbtest.SQLite(t))
	h.fill()
	full := t.TempDir()
	h.must(os.WriteFile(filepath.Join(full, "a"), nil, 0o600))
	file := write(t, "a.zip", "mine")
	for _, target := range []string{full, file} {
		if _, err := Export(context.Background(), h.DB, h.blobs, target, nil); !fault.Is(err, fault.Conflict) {
			t.Errorf("Export to %s: %v", target, err)
		}
	}
	empty := t.TempDir()
	_, err := Export(context.Background(), h.DB, h.blobs, empty, nil)
	h.must(err)

	// An export that fails leaves nothing behind.
	for _, name := range []string{"x", "x.zip"} {
		dir := t.TempDir()
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		_, err := Export(ctx, h.DB, h.blobs, filepath.Join(dir, name), func(done, _ int64) {
			if done > 1000 {
				cancel()
			}
		})
		if err == nil {
			t.Error("an export that was stopped succeeds")
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("it left %v", left)
		}
	}
}

// TestExportIsOrdered: the order is that of the bytes, whatever PostgreSQL's is.
func TestExportIsOrdered(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		paths := []string{"/b/", "/B/", "/a-c/", "/ab/", "/é/", "/_/", "/Ω/"}
		for _, p := range paths {
			h.in(func(ctx context.Context, tx *db.Tx) error { return h.Stories.AddRedirect(ctx, tx, p, "/", "") })
		}
		if d.Dialect == db.PostgreSQL {
			h.exec(`ALTER TABLE redirect ALTER COLUMN path TYPE TEXT COLLATE "und-x-icu"`)
		}
		slices.Sort(paths)
		b, err := os.ReadFile(filepath.Join(h.export("a"), "redirects.jsonl"))
		h.must(err)
		at := -1
		for _, p := range paths {
			i := strings.Index(string(b), `{"path":"`+p+`"`)
			if i <= at {
				t.Errorf("%s is out of order in\n%s", p, b)
			}
			at = i
		}
	})
}
