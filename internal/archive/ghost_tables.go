package archive

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"masthead/internal/db"
	"masthead/internal/language"
	"masthead/internal/reader"
	"masthead/internal/story"
)

// ghostTables are the tables that posts refer to, read before the posts.
type ghostTables struct {
	users       []ghostUser
	tags        []ghostTag
	tag         map[string]*ghostTag // by ID
	postTags    map[string][]ranked
	postAuthors map[string][]ranked
	postTiers   map[string][]string
	meta        map[string]ghostMeta
	products    []ghostProduct
	newsletters []ghostNewsletter
	settings    map[string]string
	posts       map[string]ghostEntry // by slug
	featured    []ghostEntry
	primary     map[string]int // tags that are a post's first public one: of how many
	others      map[string]int // rows of tables that are not read
	permalinks  []string
}

type ranked struct {
	id   string
	rank int
}

type ghostUser struct {
	ID                                                        scalar
	Name, Slug, Email, Bio, Website, Location, Twitter        scalar
	Facebook, Mastodon, Bluesky, Threads, Instagram, LinkedIn scalar
	ProfileImage                                              scalar `json:"profile_image"`
	CreatedAt                                                 stamp  `json:"created_at"`
	MetaTitle                                                 scalar `json:"meta_title"`
}

type ghostTag struct {
	ID, Name, Slug, Description, Visibility scalar
	FeatureImage                            scalar `json:"feature_image"`
}

func (t *ghostTag) internal() bool {
	return t.Visibility == "internal" || strings.HasPrefix(string(t.Name), "#")
}

type ghostMeta struct {
	PostID          scalar `json:"post_id"`
	MetaTitle       scalar `json:"meta_title"`
	MetaDescription scalar `json:"meta_description"`
	OGTitle         scalar `json:"og_title"`
	OGDescription   scalar `json:"og_description"`
	OGImage         scalar `json:"og_image"`
	TwitterTitle    scalar `json:"twitter_title"`
	ImageAlt        scalar `json:"feature_image_alt"`
	ImageCaption    scalar `json:"feature_image_caption"`
	EmailOnly       flag   `json:"email_only"`
}

type ghostProduct struct{ ID, Name, Slug, Type scalar }

func (p ghostProduct) tier() string {
	return cmp.Or(story.Slug(string(p.Slug)), story.Slug(string(p.Name)), "tier")
}

type ghostNewsletter struct {
	ID, Name, Slug, Description, Status scalar
	Signup                              flag  `json:"subscribe_on_signup"`
	Order                               int   `json:"sort_order"`
	Created                             stamp `json:"created_at"`
}

// ghostEntry is what is known of every post beforehand, for links and pins.
type ghostEntry struct {
	id, slug string
	page     bool
	public   bool
	at       stamp
}

func newGhostTables() ghostTables {
	return ghostTables{
		tag: map[string]*ghostTag{}, postTags: map[string][]ranked{}, postAuthors: map[string][]ranked{}, postTiers: map[string][]string{},
		meta: map[string]ghostMeta{}, settings: map[string]string{}, posts: map[string]ghostEntry{}, primary: map[string]int{}, others: map[string]int{},
	}
}

func (t *ghostTables) wants(table string) bool {
	return slices.Contains([]string{"users", "tags", "posts_tags", "posts_authors", "posts_products", "posts_meta",
		"products", "newsletters", "settings"}, table)
}

// row keeps one row of the first pass.
func (t *ghostTables) row(table string, raw []byte, large bool) error {
	if large {
		return nil // a post that the second pass names
	}
	var link struct {
		PostID    scalar `json:"post_id"`
		TagID     scalar `json:"tag_id"`
		AuthorID  scalar `json:"author_id"`
		ProductID scalar `json:"product_id"`
		Order     int    `json:"sort_order"`
	}
	var err error
	switch table {
	case "posts":
		var h ghostHead
		if err = json.Unmarshal(raw, &h); err == nil {
			t.entry(h)
		}
	case "users":
		var u ghostUser
		if err = json.Unmarshal(raw, &u); err == nil {
			t.users = append(t.users, u)
		}
	case "tags":
		var g ghostTag
		if err = json.Unmarshal(raw, &g); err == nil {
			t.tags = append(t.tags, g)
		}
	case "products":
		var p ghostProduct
		if err = json.Unmarshal(raw, &p); err == nil {
			t.products = append(t.products, p)
		}
	case "newsletters":
		var n ghostNewsletter
		if err = json.Unmarshal(raw, &n); err == nil {
			t.newsletters = append(t.newsletters, n)
		}
	case "posts_meta":
		var m ghostMeta
		if err = json.Unmarshal(raw, &m); err == nil {
			t.meta[string(m.PostID)] = m
		}
	case "settings":
		var s struct{ Key, Value scalar }
		if err = json.Unmarshal(raw, &s); err == nil {
			t.settings[string(s.Key)] = string(s.Value)
		}
	case "posts_tags":
		if err = json.Unmarshal(raw, &link); err == nil {
			t.postTags[string(link.PostID)] = append(t.postTags[string(link.PostID)], ranked{string(link.TagID), link.Order})
		}
	case "posts_authors":
		if err = json.Unmarshal(raw, &link); err == nil {
			t.postAuthors[string(link.PostID)] = append(t.postAuthors[string(link.PostID)], ranked{string(link.AuthorID), link.Order})
		}
	case "posts_products":
		if err = json.Unmarshal(raw, &link); err == nil {
			t.postTiers[string(link.PostID)] = append(t.postTiers[string(link.PostID)], string(link.ProductID))
		}
	}
	if err != nil {
		t.others[table+" (of an unknown form)"]++
	}
	return nil
}

func (t *ghostTables) entry(h ghostHead) {
	e := ghostEntry{id: string(h.ID), slug: string(h.Slug), page: h.page(), public: h.Status == "published", at: h.PublishedAt}
	if _, taken := t.posts[e.slug]; !taken || e.public && !t.posts[e.slug].public {
		t.posts[e.slug] = e
	}
	if bool(h.Featured) && e.public && !e.page {
		t.featured = append(t.featured, e)
	}
}

// sorted gives the IDs of ranked rows in their order.
func sorted(rows []ranked) []string {
	slices.SortStableFunc(rows, func(a, b ranked) int { return a.rank - b.rank })
	ids := make([]string, 0, len(rows))
	for _, r := range rows {
		if !slices.Contains(ids, r.id) {
			ids = append(ids, r.id)
		}
	}
	return ids
}

// section gives the tag that is a post's section, "" for none.
func (t *ghostTables) section(post string) string {
	for _, id := range sorted(t.postTags[post]) {
		if tag := t.tag[id]; tag != nil && !tag.internal() {
			return id
		}
	}
	return ""
}

// prepare writes all that posts refer to.
func (g *ghost) prepare() error {
	t := &g.tables
	for i := range t.tags {
		t.tag[string(t.tags[i].ID)] = &t.tags[i]
	}
	for post := range t.postTags {
		if id := t.section(post); id != "" {
			t.primary[id]++
		}
	}
	for _, step := range []func() error{g.routes, g.tiers, g.authors, g.taxonomy, g.menus, g.settings} {
		if err := step(); err != nil {
			return err
		}
	}
	for _, table := range slices.Sorted(maps.Keys(t.others)) {
		reason := "nothing here stands for it"
		switch table {
		case "roles", "roles_users", "permissions", "permissions_roles":
			reason = "staff and what they may do are set here with masthead staff"
		case "custom_theme_settings":
			reason = "the theme's settings belong to the theme"
		case "members", "members_labels", "labels":
			reason = "members come in by their CSV, with --members"
		}
		g.left("ghost:"+table, fmt.Sprintf("%s: %s", plural(t.others[table], "row", "rows"), reason))
	}
	return nil
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// paidTier is the tier that stands for any payment.
const paidTier = "paid"

func (g *ghost) tiers() error {
	existing, err := g.Readers.Tiers(g.ctx, g.q())
	if err != nil {
		return err
	}
	there := func(slug string) bool {
		return slices.ContainsFunc(existing, func(t reader.Tier) bool { return t.Slug == slug })
	}
	tiers := []reader.Tier{{Slug: paidTier, Names: map[string]string{g.lang: "Paid"}, Source: "ghost:" + paidTier}}
	for i, p := range g.tables.products {
		switch {
		case p.Type == "free":
			continue // whoever is registered has it
		case p.tier() == paidTier:
			tiers[0].Names = g.text(string(p.Name))
			continue
		}
		tiers = append(tiers, reader.Tier{Slug: p.tier(), Names: g.text(string(p.Name)), Position: i + 1, Source: "ghost:" + string(p.ID)})
	}
	return g.inTx(func(tx *db.Tx) error {
		for _, t := range tiers {
			g.report.Tiers++
			if there(t.Slug) {
				continue // its name and place are the newsroom's
			}
			if err := g.Readers.SaveTier(g.ctx, tx, t); err != nil {
				return err
			}
		}
		var lists []NewsletterList
		for _, n := range g.tables.newsletters {
			if n.Status == "archived" {
				g.left("ghost:newsletter:"+string(n.Slug), "it is archived")
				continue
			}
			lists = append(lists, NewsletterList{Slug: cmp.Or(story.Slug(string(n.Slug)), story.Slug(string(n.Name))), Name: string(n.Name),
				Description: string(n.Description), Position: n.Order, Source: "ghost:" + string(n.ID)})
		}
		if len(lists) == 0 {
			return nil
		}
		if g.Newsletters == nil {
			for _, l := range lists {
				g.left("ghost:newsletter:"+l.Slug, "newsletters were not asked for")
			}
			return nil
		}
		return g.Newsletters(g.ctx, tx, lists)
	})
}

func (g *ghost) authors() error {
	for chunk := range slices.Chunk(g.tables.users, batchItems) {
		writers := make([]story.Writer, len(chunk))
		for i, u := range chunk {
			source, name := "ghost:"+string(u.ID), string(cmp.Or(u.Slug, u.Name, u.Email))
			w := story.Writer{Source: source, Slug: string(cmp.Or(u.Slug, u.Name)), Names: g.text(string(cmp.Or(u.Name, u.Slug, "(Unnamed)"))),
				Website: webAddress(string(u.Website)), Email: string(u.Email)}
			w.Biographies = g.text(strings.TrimSpace(strings.TrimSpace(string(u.Bio)) + "\n" + string(u.Location)))
			if h := strings.TrimPrefix(strings.TrimSpace(string(u.Twitter)), "@"); h != "" {
				w.Handle = "@" + h
			}
			for network, account := range map[string]scalar{"Facebook": u.Facebook, "Mastodon": u.Mastodon, "Bluesky": u.Bluesky,
				"Threads": u.Threads, "Instagram": u.Instagram, "LinkedIn": u.LinkedIn} {
				if account != "" && w.Handle == "" && (network == "Mastodon" || network == "Bluesky") {
					w.Handle = string(account)
				} else if account != "" {
					g.change(source, name, fmt.Sprintf("the account %s on %s has no place here", account, network))
				}
			}
			if u.ProfileImage != "" {
				id, why, err := g.asset(g.assetOf(string(u.ProfileImage), string(u.Name)))
				if err != nil {
					return err
				}
				if w.PortraitID = id; id == "" {
					g.change(source, name, fmt.Sprintf("the portrait %s is missing: %s", u.ProfileImage, why))
				}
			}
			writers[i] = w
		}
		err := g.inTx(func(tx *db.Tx) error {
			if err := g.saveMedia(tx); err != nil {
				return err
			}
			for _, w := range writers {
				old := "/author/" + w.Slug + "/"
				if _, err := g.item(tx, w.Source, w.Slug, func() error { return g.writer(tx, w) }); err != nil {
					return err
				}
				if target := "/author/" + g.writers[w.Source].Slug + "/"; w.Slug != "" {
					if err := g.redirect(tx, w.Source, w.Slug, old, target, nil); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// taxonomy writes tags as topics, and those that a post begins with as sections
// too, the fullest first.
func (g *ghost) taxonomy() error {
	t := &g.tables
	primary := slices.SortedFunc(maps.Keys(t.primary), func(a, b string) int {
		return cmp.Or(t.primary[b]-t.primary[a], cmp.Compare(t.tag[a].Slug, t.tag[b].Slug))
	})
	rank := map[string]int{}
	for i, id := range primary {
		rank[id] = i + 1
	}
	for chunk := range slices.Chunk(t.tags, batchItems) {
		err := g.inTx(func(tx *db.Tx) error {
			for _, tag := range chunk {
				source, slug := "ghost:"+string(tag.ID), string(cmp.Or(tag.Slug, tag.Name))
				names, about := g.text(string(cmp.Or(tag.Name, tag.Slug))), g.text(string(tag.Description))
				_, err := g.item(tx, source, slug, func() error {
					if err := g.topic(tx, story.Topic{Source: source, Slug: slug, Names: names, Descriptions: about, Internal: tag.internal()}); err != nil {
						return err
					}
					if rank[string(tag.ID)] == 0 {
						return nil
					}
					return g.section(tx, story.Section{Source: source, Slug: slug, Position: rank[string(tag.ID)], Names: names, Descriptions: about})
				})
				if err != nil {
					return err
				}
				if tag.FeatureImage != "" {
					g.change(source, slug, "its picture was left out: topics and sections have none")
				}
				if tag.internal() {
					continue
				}
				if err := g.redirect(tx, source, slug, "/tag/"+slug+"/", g.tagAddress(string(tag.ID)), nil); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// tagAddress gives the address at which a tag's stories stand now.
func (g *ghost) tagAddress(id string) string {
	if s, ok := g.sections["ghost:"+id]; ok {
		return "/" + s.Slug + "/"
	}
	if t, ok := g.topics["ghost:"+id]; ok {
		return "/topic/" + t.Slug + "/"
	}
	return "/"
}

func (g *ghost) menus() error {
	there, err := g.Stories.Menus(g.ctx, g.q())
	if err != nil {
		return err
	}
	for _, m := range []struct{ setting, slug, name string }{{"navigation", "main", "Main"}, {"secondary_navigation", "footer", "Footer"}} {
		var links []struct{ Label, URL scalar }
		value := g.tables.settings[m.setting]
		if value == "" {
			continue
		}
		source := "ghost:" + m.setting
		if json.Unmarshal([]byte(value), &links) != nil {
			g.left(source, "it cannot be read")
			continue
		}
		menu := story.Menu{Slug: m.slug, Name: m.name, Source: source}
		for _, l := range links {
			href := g.href(string(l.URL))
			if href == "" {
				g.left(source, fmt.Sprintf("the link %q has an address that is not allowed: %s", l.Label, l.URL))
				continue
			}
			menu.Items = append(menu.Items, story.MenuItem{Label: string(l.Label), URL: href})
		}
		g.report.Menus++
		if was, ok := there[m.slug]; ok {
			if !slices.EqualFunc(was.Items, menu.Items, func(a, b story.MenuItem) bool { return a.Label == b.Label && a.URL == b.URL && len(a.Items) == 0 }) {
				g.change(source, m.slug, "the menu "+m.slug+" is left as it stands here")
			}
			continue
		}
		if err := g.inTx(func(tx *db.Tx) error { return g.Stories.SaveMenu(g.ctx, tx, menu) }); err != nil {
			return err
		}
	}
	return nil
}

// settings tells which settings of the old site the newsroom may want to take over.
func (g *ghost) settings() error {
	s := g.tables.settings
	for _, pair := range [][2]string{{"title", "title"}, {"description", "description"}, {"timezone", "timezone"}, {"accent_color", "accent"}} {
		if s[pair[0]] != "" {
			g.left("ghost:setting:"+pair[0], fmt.Sprintf("it is %q: set %s in masthead.toml if it is to stay", s[pair[0]], pair[1]))
		}
	}
	for _, key := range []string{"codeinjection_head", "codeinjection_foot", "ghost_head", "ghost_foot"} {
		if strings.TrimSpace(s[key]) != "" {
			g.left("ghost:setting:"+key, "scripts of the old site are not taken over")
		}
	}
	for _, key := range []string{"logo", "icon", "cover_image"} {
		if s[key] != "" {
			g.left("ghost:setting:"+key, fmt.Sprintf("it is %s: the theme has its own", s[key]))
		}
	}
	if tag, err := language.Normalise(cmp.Or(s["locale"], s["lang"])); err == nil && !sameLanguage(tag, g.lang) {
		g.left("ghost:setting:locale", fmt.Sprintf("the old site is in %s, and stories came in as %s: set language in masthead.toml before importing", tag, g.lang))
	}
	const most = 6
	if n := len(g.tables.featured); n > most {
		slugs := make([]string, 0, n)
		for _, e := range g.tables.featured {
			slugs = append(slugs, e.slug)
		}
		g.left("ghost:featured", fmt.Sprintf("%d stories are featured, and at most %d come in pinned to the front page: pin them at the desk (%s)", n, most, strings.Join(slugs, ", ")))
		g.tables.featured = nil
	}
	slices.SortStableFunc(g.tables.featured, func(a, b ghostEntry) int { return b.at.Compare(a.at.Time) })
	return nil
}

func sameLanguage(a, b string) bool {
	a, _, _ = strings.Cut(a, "-")
	b, _, _ = strings.Cut(b, "-")
	return a == b
}
