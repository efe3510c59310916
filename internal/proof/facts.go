package proof

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/story"
	"masthead/internal/wall"
)

// facts is what the database says of the newsroom: the yardstick.
type facts struct {
	Newsroom
	wall     *wall.Wall
	now      time.Time
	sections story.Sections
	editions []edition
	targets  []int32 // editions whose surfaces are read one by one
	index    index
	said     remarks
	stride   int
	shared   map[uint64]bool // runs of what pages say besides stories: biographies, descriptions, names
	byPath   map[string]int32
	lag      time.Duration // within which a count may be unknown to the node that answers
}

// edition is one language of a story, without its words.
type edition struct {
	id, storyID, lang, path string
	published               bool
	item                    wall.Item
	card                    story.Card
}

// name is what a report calls the edition.
func (e edition) name() string {
	if e.path != "" {
		return e.path
	}
	return e.id
}

// sparseAbove is how many editions are indexed run by run; of more, only every
// fourth run is, which bounds the memory.
const sparseAbove = 2000

func (n Newsroom) facts(ctx context.Context, limit int) (*facts, error) {
	f := &facts{Newsroom: n, wall: &wall.Wall{}, now: n.Now(), stride: 1, shared: map[uint64]bool{}, byPath: map[string]int32{}}
	q := n.DB.Read()
	if err := f.wall.Load(ctx, q); err != nil {
		return nil, err
	}
	var err error
	if f.sections, err = n.Stories.Sections(ctx, q); err != nil {
		return nil, err
	}
	if err := f.say(ctx); err != nil {
		return nil, err
	}
	cards, err := n.Stories.Cards(ctx, q, story.Query{AnyStatus: true, AnyKind: true})
	if err != nil {
		return nil, err
	}
	topics, err := n.Stories.TopicSlugs(ctx, q, cards)
	if err != nil {
		return nil, err
	}
	if len(cards) > sparseAbove {
		f.stride = 4
	}
	for _, c := range cards {
		e := edition{id: c.EditionID, storyID: c.StoryID, lang: c.Lang, path: c.Path, published: c.Status == story.Published,
			item: wall.ItemOfCard(c, f.sections, topics[c.StoryID]), card: c}
		if e.path != "" {
			f.byPath[e.path] = int32(len(f.editions))
		}
		f.editions = append(f.editions, e)
	}
	for i := range f.editions {
		if limit > 0 && len(f.targets) >= limit {
			break
		}
		if !f.withheld(f.editions[i]) {
			continue
		}
		s, err := f.secret(ctx, f.editions[i])
		if err != nil {
			return nil, err
		}
		if len(s.runs) > 0 {
			f.index.add(int32(i), s, f.stride)
			f.targets = append(f.targets, int32(i))
		}
	}
	f.index.seal()
	return f, f.readRemarks(ctx, limit)
}

// withheld reports whether there is anybody who may not read the edition.
func (f *facts) withheld(e edition) bool {
	if !e.published {
		return true
	}
	spent := wall.Visit{Meter: spentMeter(f.now), Now: f.now}
	registered := wall.Visit{Reader: wall.Reader{ID: "nobody", State: wall.Registered}, Now: f.now, Peek: true}
	return !f.wall.Decide(spent, e.item).Full || !f.wall.Decide(registered, e.item).Full
}

// spentMeter is a meter that has counted as many stories as any rule can grant.
func spentMeter(now time.Time) *wall.Meter {
	m := &wall.Meter{}
	for i := range wall.MeterMax {
		m = m.With(fmt.Sprint("wall check ", i), now.Add(-time.Minute))
	}
	return m
}

// parts gives what anybody may see of an edition's body, and what not. Where
// the story is closed or not published, nothing may be seen.
func (f *facts) parts(e edition, body *doc.Node) (preview, withheld *doc.Node) {
	if !e.published || f.wall.Decide(wall.Visit{Now: f.now}, e.item).Verdict == wall.Closed {
		return doc.Empty(), body
	}
	return body.Split(doc.Limit{Paragraphs: f.Config.PreviewParagraphs, Words: f.Config.PreviewWords})
}

// secret reads an edition and gives what is withheld of it.
func (f *facts) secret(ctx context.Context, e edition) (secret, error) {
	full, err := f.Stories.EditionByID(ctx, f.DB.Read(), e.id)
	if err != nil {
		return secret{}, err
	}
	preview, withheld := f.parts(e, full.Body)
	public := map[uint64]bool{}
	if e.published {
		if public, err = f.public(ctx, full, preview); err != nil {
			return secret{}, err
		}
	}
	return keep(preview, withheld, public, f.shared), nil
}

// public gives the runs of everything about an edition that is no secret.
func (f *facts) public(ctx context.Context, e story.Edition, preview *doc.Node) (map[uint64]bool, error) {
	set := map[uint64]bool{}
	for _, text := range []string{e.Headline, e.Kicker, e.Summary, e.LeadCaption, e.LeadAlt, e.MetaTitle, e.MetaDescription, e.WithdrawnReason,
		strings.Join(preview.Sentences(), " ")} {
		addRuns(set, text)
	}
	corrections, err := f.Stories.Corrections(ctx, f.DB.Read(), e.StoryID, e.Lang)
	for _, c := range corrections {
		addRuns(set, c.Text)
	}
	return set, err
}

// say collects what pages say besides stories.
func (f *facts) say(ctx context.Context) error {
	q := f.DB.Read()
	add := func(texts ...map[string]string) {
		for _, t := range texts {
			for _, text := range t {
				addRuns(f.shared, text)
			}
		}
	}
	for _, lang := range f.languages() {
		names := f.Config.In(lang)
		add(map[string]string{"title": names.Title, "tagline": names.Tagline, "description": names.Description})
	}
	for _, s := range f.sections {
		add(s.Names, s.Descriptions)
	}
	topics, err := f.Stories.Topics(ctx, q, nil)
	if err != nil {
		return err
	}
	for _, t := range topics {
		add(t.Names, t.Descriptions)
	}
	writers, err := f.Stories.Writers(ctx, q, nil)
	if err != nil {
		return err
	}
	for _, w := range writers {
		add(w.Names, w.Biographies)
	}
	benefits, err := f.WallStore.Benefits(ctx, q)
	for _, b := range benefits {
		add(b.Texts)
	}
	return err
}

func (f *facts) languages() []string { return f.Config.Languages }

// at gives the path of a page in a language.
func (f *facts) at(lang, path string) string {
	if lang == f.Config.Language {
		return path
	}
	return "/" + lang + path
}

// oldPaths gives the addresses that redirect to an edition.
func (f *facts) oldPaths(ctx context.Context, e edition) ([]string, error) {
	rows, err := f.DB.Read().QueryContext(ctx, `SELECT path FROM redirect WHERE edition_id = $1 ORDER BY path LIMIT 20`, e.id)
	paths, err := db.Rows(rows, err, func(r db.Scanner) (p string, err error) { return p, r.Scan(&p) })
	if err != nil {
		return nil, fmt.Errorf("proof: old addresses of %s: %w", e.id, err)
	}
	return paths, nil
}

// lists gives the addresses of everything that lists the targets, with the
// surface that each is of.
func (f *facts) lists(ctx context.Context) ([]ask, error) {
	seen := map[string]bool{}
	var all []ask
	add := func(surface, path string) {
		if !seen[path] {
			seen[path] = true
			all = append(all, ask{surface: surface, path: path})
		}
	}
	writers, err := f.Stories.Writers(ctx, f.DB.Read(), nil)
	if err != nil {
		return nil, err
	}
	slugs := map[string]string{}
	for _, w := range writers {
		slugs[w.ID] = w.Slug
	}
	langs := slices.Clone(f.languages())
	list := func(surface, lang, path string) {
		add(surface, f.at(lang, path))
		add("feed", f.at(lang, path)+"feed.xml")
		add("feed", f.at(lang, path)+"feed.json")
	}
	for _, lang := range langs {
		list("front", lang, "/")
		add("archive", f.at(lang, "/archive/"))
		add("corrections", f.at(lang, "/corrections/"))
	}
	for _, i := range f.targets {
		e := f.editions[i]
		if !e.published {
			continue
		}
		for _, s := range e.item.Sections {
			list("section", e.lang, "/"+s+"/")
		}
		for _, t := range e.item.Topics {
			list("topic", e.lang, "/topic/"+t+"/")
		}
		for _, a := range e.card.Authors {
			list("author", e.lang, "/author/"+slugs[a.AuthorID]+"/")
		}
		add("archive", f.at(e.lang, e.card.PublishedAt.In(f.Config.Timezone).Format("/2006/01/")))
	}
	for _, path := range []string{"/sitemap.xml", "/robots.txt"} {
		add("sitemap", path)
	}
	for _, path := range []string{"/register", "/signin", "/signin/code", "/about/", "/privacy/", "/search", "/2026/01/nothing-stands-here/", "/desk/"} {
		add("other page", path)
	}
	add("letters", "/dev/mail")
	add("account", "/account")
	add("account", "/account/export")
	for _, path := range []string{"/api/", "/api/openapi.json", "/api/v1/stories?limit=100", "/api/v1/sections", "/api/v1/topics", "/api/v1/authors"} {
		add("API list", path)
	}
	return all, nil
}
