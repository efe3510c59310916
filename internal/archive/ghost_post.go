package archive

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/reader"
	"masthead/internal/story"
)

// ghostHead is what both passes read of a post.
type ghostHead struct {
	ID, Slug, Type, Status scalar
	Page                   flag // before Type came with Ghost 3
	Featured               flag
	PublishedAt            stamp `json:"published_at"`
}

func (h ghostHead) page() bool { return h.Type == "page" || bool(h.Page) }

// ghostPost is a post with its body.
type ghostPost struct {
	ghostHead

	Title, Lexical, Mobiledoc, HTML, Plaintext, Visibility, Locale scalar
	Excerpt                                                        scalar `json:"custom_excerpt"`
	Image                                                          scalar `json:"feature_image"`
	Canonical                                                      scalar `json:"canonical_url"`
	Head                                                           scalar `json:"codeinjection_head"`
	Foot                                                           scalar `json:"codeinjection_foot"`
	Template                                                       scalar `json:"custom_template"`
	AuthorID                                                       scalar `json:"author_id"`
	CreatedAt                                                      stamp  `json:"created_at"`
	UpdatedAt                                                      stamp  `json:"updated_at"`
	// Ghost 3 kept these in the post itself.
	MetaTitle       scalar `json:"meta_title"`
	MetaDescription scalar `json:"meta_description"`
}

// post turns one post into a piece of the batch.
func (g *ghost) post(raw []byte, large bool) error {
	if large {
		g.skip("ghost:"+rowID(raw), "", fmt.Sprintf("the post has more than %d MB", maxRow>>20))
		return nil
	}
	var p ghostPost
	if err := json.Unmarshal(raw, &p); err != nil {
		g.skip("ghost:"+rowID(raw), string(p.Title), "the post cannot be read: "+err.Error())
		return nil
	}
	if p.ID == "" {
		g.skip("ghost:unknown", string(p.Title), "the post has no ID")
		return nil
	}
	h := p.ghostHead
	id, source := string(h.ID), "ghost:"+string(h.ID)
	name := string(cmp.Or(h.Slug, p.Title))
	if g.done[id] {
		g.skip(source, name, "it has the ID of a post before it")
		return nil
	}
	g.done[id] = true
	change := func(format string, args ...any) { g.change(source, name, fmt.Sprintf(format, args...)) }
	meta, hasMeta := g.tables.meta[id]
	if !hasMeta {
		meta = ghostMeta{MetaTitle: p.MetaTitle, MetaDescription: p.MetaDescription}
	}

	st := story.Story{Kind: story.Report, Source: source, OriginalLang: g.lang, CreatedAt: p.CreatedAt.Time}
	if h.page() {
		st.Kind = story.Page
	}
	e := story.Edition{
		Lang: g.lang, Slug: string(h.Slug), Headline: oneLine(string(p.Title)), Summary: oneLine(string(p.Excerpt)),
		MetaTitle: string(meta.MetaTitle), MetaDescription: string(meta.MetaDescription),
		PublishedAt: h.PublishedAt.Time, CreatedAt: p.CreatedAt.Time,
	}
	if e.Headline == "" {
		e.Headline = "(Untitled)"
		change("it has no title")
	}
	g.status(&e, p, bool(meta.EmailOnly), change)
	var err error
	if st.Access, err = g.access(id, string(p.Visibility), change); err != nil {
		return err
	}
	g.relations(&st, id, string(p.AuthorID), change)
	if i := slices.IndexFunc(g.tables.featured, func(f ghostEntry) bool { return f.id == id }); i >= 0 {
		st.Pinned = i + 1
	}

	if p.Image != "" {
		a := g.assetOf(string(p.Image), string(meta.ImageAlt))
		a.picture = true
		media, why, err := g.asset(a)
		if err != nil {
			return err
		}
		if st.LeadMediaID = media; media == "" {
			change("its lead picture %s is missing: %s", p.Image, why)
		}
		e.LeadAlt = oneLine(string(meta.ImageAlt))
		e.LeadCaption = plainHTML(string(meta.ImageCaption))
	}
	if c := g.own(string(p.Canonical)); strings.HasPrefix(c, "http") {
		e.CanonicalURL = c
	}
	b := &ghostBody{g: g, change: change}
	if e.Body = b.best(p); b.err != nil {
		return b.err
	}

	for _, injected := range []scalar{p.Head, p.Foot} {
		if strings.TrimSpace(string(injected)) != "" {
			change("its injected code was left out: scripts of the old site are not taken over")
		}
	}
	if p.Template != "" {
		change("its template %s was left out: themes here have their own", p.Template)
	}
	if p.Locale != "" && !sameLanguage(string(p.Locale), g.lang) {
		change("it is marked as being in %s, and came in as %s", p.Locale, g.lang)
	}
	if meta.OGTitle != "" && meta.OGTitle != meta.MetaTitle || meta.OGDescription != "" && meta.OGDescription != meta.MetaDescription ||
		meta.TwitterTitle != "" && meta.TwitterTitle != meta.OGTitle && meta.TwitterTitle != meta.MetaTitle {
		if e.MetaTitle == "" && e.MetaDescription == "" {
			e.MetaTitle, e.MetaDescription = string(meta.OGTitle), string(meta.OGDescription)
		}
		change("social networks get the title and description that search engines get")
	}
	if meta.OGImage != "" && meta.OGImage != p.Image {
		change("its picture for social networks, %s, was left out: they get the lead picture", meta.OGImage)
	}

	pc := piece{name: name, story: st, edition: e, size: len(raw)}
	if h.Status == "published" && e.Status == story.Published {
		pc.old = g.oldAddresses(p, id)
	}
	return g.add(pc)
}

// status sets the edition's status and times, and names what is odd about them.
func (g *ghost) status(e *story.Edition, p ghostPost, emailOnly bool, change func(string, ...any)) {
	h := p.ghostHead
	for _, s := range []stamp{h.PublishedAt, p.CreatedAt} {
		if s.raw != "" {
			change("the time %q cannot be read", s.raw)
		}
	}
	switch h.Status {
	case "published":
		e.Status = story.Published
		if e.PublishedAt.IsZero() {
			e.PublishedAt = p.CreatedAt.Time
			change("it has no time of publication; that of its making is taken")
		}
		if e.PublishedAt.IsZero() {
			e.PublishedAt = g.now
			change("it has no time at all; today is taken")
		}
		if e.PublishedAt.After(g.now) {
			change("it is published, and its date %s lies in the future; it stays published", e.PublishedAt.Format("2006-01-02"))
		}
	case "scheduled":
		e.Status = story.Scheduled
		if e.PublishedAt.IsZero() {
			e.Status = story.Draft
			change("it is scheduled without a time, so it comes in as a draft")
		} else if !e.PublishedAt.After(g.now) {
			e.Status = story.Published // what the old site would have done by now
		}
	case "draft":
		e.Status = story.Draft
	case "sent":
		e.Status = story.Draft
		change("it was sent by e-mail and never stood on the site, so it comes in as a draft")
	default:
		e.Status = story.Draft
		change("its status %q is unknown, so it comes in as a draft", h.Status)
	}
	if emailOnly && e.Status != story.Draft {
		e.Status = story.Draft
		change("it was for e-mail alone, so it comes in as a draft")
	}
	e.UpdatedAt = e.PublishedAt // readers of the old site were told of no later one
	if e.UpdatedAt.IsZero() {
		e.UpdatedAt = cmp.Or(p.UpdatedAt.Time, e.CreatedAt)
	}
}

var productFilter = regexp.MustCompile(`product:'?([\w-]+)'?`)

// access tells what a post asks of its reader. What cannot be said here asks
// for more, never for less.
func (g *ghost) access(post, visibility string, change func(string, ...any)) (story.Access, error) {
	var tiers []string
	switch visibility {
	case "", "public":
		return story.Open, nil
	case "members":
		return story.Registered, nil
	case "paid":
		return story.ForTier(paidTier), nil
	case "tiers":
		for _, id := range g.tables.postTiers[post] {
			i := slices.IndexFunc(g.tables.products, func(p ghostProduct) bool { return string(p.ID) == id })
			if i < 0 {
				change("it is for the tier %s, which is not in the export", id)
			} else if g.tables.products[i].Type == "free" {
				return story.Registered, nil
			} else {
				tiers = append(tiers, g.tables.products[i].tier())
			}
		}
	default: // a filter, of Ghost 4
		if visibility == "status:free,status:-free" {
			return story.Registered, nil
		}
		for _, m := range productFilter.FindAllStringSubmatch(visibility, -1) {
			tiers = append(tiers, story.Slug(m[1]))
		}
		if rest := strings.Trim(productFilter.ReplaceAllString(visibility, ""), ", "); rest != "" && visibility != "status:-free" {
			change("its visibility %q cannot be said here; it is for paying readers", visibility)
			tiers = nil
		}
	}
	slices.Sort(tiers)
	tiers = slices.Compact(tiers)
	paid := 0
	for _, p := range g.tables.products {
		if p.Type != "free" {
			paid++
		}
	}
	switch {
	case len(tiers) == 1:
		return story.ForTier(tiers[0]), nil
	case len(tiers) == 0:
		if visibility != "status:-free" {
			change("it names no tier; it is for paying readers")
		}
		return story.ForTier(paidTier), nil
	case len(tiers) == paid:
		return story.ForTier(paidTier), nil
	}
	// A story asks for one tier, so several become one that their holders get.
	slug := strings.Join(tiers, "-or-")
	change("it is for the tiers %s; the tier %s stands for them, and their imported holders hold it", strings.Join(tiers, ", "), slug)
	if g.combos[slug] == nil {
		g.combos[slug] = tiers
		if err := g.saveCombo(slug, tiers); err != nil {
			return "", err
		}
	}
	return story.ForTier(slug), nil
}

// relations sets section, topics and bylines.
func (g *ghost) relations(st *story.Story, post, author string, change func(string, ...any)) {
	t := &g.tables
	if st.Kind == story.Report {
		st.SectionID = g.sections["ghost:"+t.section(post)].ID
	}
	for _, id := range sorted(t.postTags[post]) {
		if topic, ok := g.topics["ghost:"+id]; ok {
			st.Topics = append(st.Topics, topic.ID)
		} else {
			change("its tag %s is not in the export", id)
		}
	}
	authors := sorted(t.postAuthors[post])
	if len(authors) == 0 && author != "" {
		authors = []string{author}
	}
	for _, id := range authors {
		if w, ok := g.writers["ghost:"+id]; ok {
			st.Bylines = append(st.Bylines, story.Byline{AuthorID: w.ID, Role: story.Author})
		} else {
			change("its author %s is not in the export", id)
		}
	}
	if len(authors) == 0 {
		change("it has no author")
	}
}

// oldAddresses gives every address that a published post may have had.
func (g *ghost) oldAddresses(p ghostPost, id string) []string {
	slug := string(p.Slug)
	if slug == "" {
		return nil
	}
	all := []string{"/" + slug + "/"}
	if p.page() {
		return all
	}
	at := p.PublishedAt.In(g.oldLocation())
	tag, author := "all", ""
	if t := g.tables.tag[g.tables.section(id)]; t != nil {
		tag = string(t.Slug)
	}
	if authors := sorted(g.tables.postAuthors[id]); len(authors) > 0 {
		for _, u := range g.tables.users {
			if string(u.ID) == authors[0] {
				author = string(u.Slug)
			}
		}
	}
	for _, pattern := range g.tables.permalinks {
		old := strings.NewReplacer("{slug}", slug, "{id}", id, "{year}", at.Format("2006"), "{month}", at.Format("01"), "{day}", at.Format("02"),
			"{primary_tag}", tag, "{primary_author}", author, "{author}", author).Replace(pattern)
		if !strings.Contains(old, "{") && !slices.Contains(all, old) {
			all = append(all, old)
		}
	}
	return all
}

// own writes an address of the old site as a path of it: the placeholder and
// the site's own address are taken off.
func (g *ghost) own(s string) string {
	s = strings.TrimSpace(strings.ReplaceAll(s, "__GHOST_URL__", ""))
	if g.o.URL == "" {
		return s
	}
	// Old links may have been written before the site had a certificate.
	if rest, ok := strings.CutPrefix(bareScheme(s), bareScheme(g.o.URL)); ok && bareScheme(s) != s && (rest == "" || strings.ContainsRune("/#?", rune(rest[0]))) {
		s = "/" + strings.TrimPrefix(rest, "/")
	}
	return s
}

func bareScheme(s string) string {
	return strings.TrimPrefix(strings.TrimPrefix(s, "https://"), "http://")
}

// assets live under these folders of Ghost's content.
var contentPath = regexp.MustCompile(`^/?content/(images|media|files)/`)
var sizedPath = regexp.MustCompile(`^(/content/images/)(?:size/w\d+(?:h\d+)?/)?(?:format/\w+/)?`)

// assetOf gives the asset behind an address in the export.
func (g *ghost) assetOf(src, alt string) asset {
	src = g.own(src)
	bare, _, _ := strings.Cut(strings.TrimPrefix(src, "/"), "?")
	if !contentPath.MatchString(bare) {
		return asset{source: "ghost:" + clip(src, 1500), url: src, alt: alt}
	}
	bare = sizedPath.ReplaceAllString("/"+bare, "$1")
	a := asset{source: "ghost:" + clip(bare, 1500), alt: alt, picture: strings.HasPrefix(bare, "/content/images/")}
	path := bare
	if plain, err := url.PathUnescape(bare); err == nil {
		path = plain
	}
	a.paths = []string{path, strings.TrimPrefix(path, "/content"), strings.TrimPrefix(path, "/content/images")}
	if g.o.URL != "" {
		a.url = g.o.URL + bare
	}
	return a
}

// href writes an address anew: one of the old site that leads to something
// imported becomes its new one, another stays as it is; "" is one that no link may have.
func (g *ghost) href(raw string) string {
	s := g.own(raw)
	if i := strings.Index(s, "#/portal"); i >= 0 {
		switch action := strings.Trim(s[i+len("#/portal"):], "/"); {
		case strings.HasPrefix(action, "signin"):
			return "/signin"
		case strings.HasPrefix(action, "account"):
			return "/account"
		}
		return "/register"
	}
	if strings.HasSuffix(s, "#/search") || strings.HasSuffix(s, "#/search/") {
		return "/search"
	}
	if strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//") {
		path, rest := s, ""
		if i := strings.IndexAny(s, "?#"); i >= 0 {
			path, rest = s[:i], s[i:]
		}
		if to := g.newAddress(path); to != "" {
			s = to + rest
		}
	}
	if !usable(s) {
		return ""
	}
	return s
}

// newAddress gives where a path of the old site leads now; "" where that is unknown.
func (g *ghost) newAddress(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if n := len(parts); n > 1 && parts[n-1] == "amp" {
		parts = parts[:n-1]
	}
	switch {
	case len(parts) == 2 && parts[0] == "tag":
		for _, t := range g.tables.tags {
			if string(t.Slug) == parts[1] && !t.internal() {
				return g.tagAddress(string(t.ID))
			}
		}
		return ""
	case len(parts) == 2 && parts[0] == "author":
		return "" // the same address here, or a redirect
	}
	p, ok := g.tables.posts[parts[len(parts)-1]]
	if !ok || !p.public || p.slug == "" || len(parts) > 1 && len(g.tables.permalinks) == 0 {
		return ""
	}
	to, known := g.leads[p.slug]
	if !known {
		to = g.storyAddress(p)
		g.leads[p.slug] = to
	}
	return to
}

// storyAddress gives where a post of the old site stands or will stand; "" where
// that cannot be told before it is written, and its old address redirects.
func (g *ghost) storyAddress(p ghostEntry) string {
	var there string
	err := g.q().QueryRowContext(g.ctx, `SELECT COALESCE(e.path, '') FROM edition e JOIN story s ON s.id = e.story_id
		WHERE s.source = $1 AND e.lang = $2`, "ghost:"+p.id, g.lang).Scan(&there)
	if err == nil {
		return there
	}
	kind := story.Report
	if p.page {
		kind = story.Page
	}
	to := g.Stories.Address(kind, g.lang, story.Slug(p.slug), p.at.Time)
	if p.at.IsZero() || g.q().QueryRowContext(g.ctx, `SELECT id FROM edition WHERE path = $1`, to).Scan(&there) == nil {
		return ""
	}
	return to
}

func (g *ghost) saveCombo(slug string, tiers []string) error {
	tier := reader.Tier{Slug: slug, Names: g.text(strings.Join(tiers, ", ")), Position: 100, Source: "ghost:" + slug}
	return g.inTx(func(tx *db.Tx) error {
		err := g.Readers.SaveTier(g.ctx, tx, tier)
		if err == nil {
			g.report.Tiers++
		}
		return err
	})
}

// usable tells whether a link may have the address, by the schema's own check.
func usable(href string) bool {
	if href == "" {
		return false
	}
	n := doc.Normalize(&doc.Node{Type: "doc", Content: []*doc.Node{{Type: "paragraph", Content: []*doc.Node{
		{Type: "text", Text: "x", Marks: []doc.Mark{{Type: "link", Attrs: map[string]any{"href": href}}}}}}}})
	return doc.Check(n) == nil
}

// why of a document's fault, in words for the report.
func docFault(err error) string {
	if fault.KindOf(err) != fault.Internal {
		return why(err)
	}
	return err.Error()
}
