package archive

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"masthead/internal/language"
	"masthead/internal/story"
)

// wordpressTables are what the first pass keeps: everything that posts refer
// to, and of the posts themselves what links and menus need.
type wordpressTables struct {
	version, title, description, link, language, blog, siteURL string

	items   int // in the export
	users   []*wpUser
	known   map[string]*wpUser // by what bylines call them
	fields  map[string]int     // custom fields of stories, and how many have each
	terms   map[string]*wpTerm // by domain and key
	order   []*wpTerm
	files   map[string]*wpFile // attachments by their ID
	byURL   map[string]string  // their IDs by address, see addressKey
	byPage  map[string]string  // their IDs by the path of the page that shows each
	hosts   map[string]bool    // that they stand on
	inPost  map[string][]string
	posts   map[string]wpEntry
	byPath  map[string]string // IDs of posts by the path of their address
	blocks  map[string]string // reusable blocks
	blocked int               // bytes of them
	guests  []element
	links   []wpLink // of menus
	sticky  []string
	pinned  map[string]int

	addresses map[string]int // how many items are to have each address
}

// wpUser is an author.
type wpUser struct {
	login, nicename, email, name, website, about, portrait string
	source                                                 string
}

// wpTerm is a category, a tag, or one of a custom taxonomy.
type wpTerm struct {
	id, domain, key, name, about, parent string
	topic                                bool // a category that is a topic too
}

// wpFile is an attachment.
type wpFile struct {
	id, url, path, page, alt, caption, credit, kind, slug string
	order                                                 int
	media, why                                            string // once it was looked for
}

// wpEntry is what is known of a post beforehand.
type wpEntry struct {
	slug, lang, title string
	kind              story.Kind
	public            bool
	at                time.Time
}

// wpLink is an item of a menu.
type wpLink struct {
	id, menu, menuName, title, kind, object, target, url, parent, status string
	order                                                                int
}

func newWordPressTables() wordpressTables {
	return wordpressTables{
		known: map[string]*wpUser{}, fields: map[string]int{},
		terms: map[string]*wpTerm{}, files: map[string]*wpFile{}, byURL: map[string]string{},
		byPage: map[string]string{}, hosts: map[string]bool{}, inPost: map[string][]string{}, posts: map[string]wpEntry{},
		byPath: map[string]string{}, blocks: map[string]string{}, pinned: map[string]int{}, addresses: map[string]int{},
	}
}

// item keeps what the first pass needs of one child of the channel.
func (t *wordpressTables) item(e element, p *wxrPiece) {
	switch e.name {
	case "title":
		t.title = oneLine(e.text)
	case "description":
		t.description = oneLine(e.text)
	case "link":
		t.link = strings.TrimSpace(e.text)
	case "language":
		t.language = strings.TrimSpace(e.text)
	case "wp:wxr_version":
		t.version = strings.TrimSpace(e.text)
	case "wp:base_blog_url":
		t.blog = strings.TrimSpace(e.text)
	case "wp:base_site_url":
		t.siteURL = strings.TrimSpace(e.text)
	case "wp:author":
		name := cmp.Or(e.get("wp:author_display_name"), strings.TrimSpace(e.get("wp:author_first_name")+" "+e.get("wp:author_last_name")))
		t.user(wpUser{login: e.get("wp:author_login"), email: e.get("wp:author_email"), name: name})
	case "wp:category":
		t.term("category", e.get("wp:category_nicename"), e.get("wp:cat_name"), wpTerm{id: e.get("wp:term_id"), about: e.get("wp:category_description"), parent: termKey(e.get("wp:category_parent"))})
	case "wp:tag":
		t.term("post_tag", e.get("wp:tag_slug"), e.get("wp:tag_name"), wpTerm{id: e.get("wp:term_id"), about: e.get("wp:tag_description")})
	case "wp:term":
		t.term(e.get("wp:term_taxonomy"), e.get("wp:term_slug"), e.get("wp:term_name"),
			wpTerm{id: e.get("wp:term_id"), about: e.get("wp:term_description"), parent: termKey(e.get("wp:term_parent"))})
	case "item":
		t.items++
		t.post(e, p)
	}
}

func (t *wordpressTables) user(u wpUser) *wpUser {
	if u.login == "" && u.name == "" {
		return nil
	}
	t.users = append(t.users, &u)
	t.know(&u, u.login, u.name)
	if local, _, ok := strings.Cut(u.login, "@"); ok {
		t.know(&u, strings.NewReplacer("@", "", ".", "").Replace(u.login), local)
	}
	return &u
}

// know keeps what an author is called; who had a name first keeps it.
func (t *wordpressTables) know(u *wpUser, names ...string) {
	for _, n := range names {
		if key := authorKey(n); key != "" && t.known[key] == nil {
			t.known[key] = u
		}
	}
}

// authorKey is how logins, nicenames and names of authors are compared:
// Co-Authors Plus puts "cap-" before its own.
func authorKey(s string) string { return strings.TrimPrefix(story.Slug(unescaped(s)), "cap-") }

// findUser gives the first author who is known by that name, login or nicename.
func (t *wordpressTables) findUser(names ...string) *wpUser {
	for _, n := range names {
		if u := t.known[authorKey(n)]; u != nil {
			return u
		}
	}
	return nil
}

// termKey is how nicenames are compared; old exports write names in their place.
func termKey(nicename string) string {
	return strings.Join(strings.Fields(strings.ToLower(unescaped(nicename))), "-")
}

func (t *wordpressTables) term(domain, nicename, name string, more wpTerm) *wpTerm {
	key := cmp.Or(termKey(nicename), termKey(name))
	if domain == "" || key == "" {
		return nil
	}
	if was, ok := t.terms[domain+":"+key]; ok {
		was.id, was.about, was.parent = cmp.Or(was.id, more.id), cmp.Or(was.about, more.about), cmp.Or(was.parent, more.parent)
		return was
	}
	more.domain, more.key, more.name = domain, key, cmp.Or(plainHTML(name), key)
	t.terms[domain+":"+key] = &more
	t.order = append(t.order, &more)
	return &more
}

// itemTerms gives the terms of an item, each once, by the order of the export.
func (t *wordpressTables) itemTerms(e element) []*wpTerm {
	var all []*wpTerm
	for _, k := range e.kids {
		if k.name != "category" {
			continue
		}
		domain := k.attr("domain")
		switch domain {
		case "": // WXR 1.0 wrote each twice, once without
			continue
		case "tag":
			domain = "post_tag"
		}
		if term := t.term(domain, k.attr("nicename"), k.text, wpTerm{}); term != nil && !slices.Contains(all, term) {
			all = append(all, term)
		}
	}
	return all
}

// uncategorized is the category that means that none was chosen.
const uncategorized = "uncategorized"

// section gives the category among terms that is the story's section; nil for none.
func (t *wordpressTables) section(terms []*wpTerm, meta map[string]string) *wpTerm {
	primary := strings.TrimSpace(cmp.Or(meta["_yoast_wpseo_primary_category"], meta["rank_math_primary_category"]))
	var best *wpTerm
	depth := -1
	for _, term := range terms {
		if term.domain != "category" {
			continue
		}
		if term.id != "" && term.id == primary {
			return term
		}
		d := 1
		for p := term; p.parent != "" && d < 32; d++ {
			if p = t.terms["category:"+p.parent]; p == nil {
				break
			}
		}
		if term.key == uncategorized {
			d = 0
		}
		if d > depth {
			best, depth = term, d
		}
	}
	return best
}

// notATopic tells a taxonomy that says something else than what a story is about.
func notATopic(domain string) bool {
	switch domain {
	case "author", "nav_menu", "post_format", "language", "post_translations", "term_language", "term_translations", "category", "wp_theme", "link_category":
		return true
	}
	return false
}

var sizedFile = regexp.MustCompile(`-\d{1,5}x\d{1,5}(\.\w{2,5})$`)
var scaledFile = regexp.MustCompile(`-scaled(\.\w{2,5})$`)
var photon = regexp.MustCompile(`^i\d\.wp\.com/`)

// addressKey is how addresses of pictures are compared: without scheme, www,
// query and the network in between.
func addressKey(address string) string {
	s := strings.TrimSpace(address)
	if i := strings.Index(s, "//"); i >= 0 {
		s = s[i+2:]
	}
	if i := strings.IndexAny(s, "?#"); i >= 0 {
		s = s[:i]
	}
	return strings.TrimPrefix(photon.ReplaceAllString(unescaped(s), ""), "www.")
}

// file gives the attachment behind an address, or behind the address of one of
// the sizes that WordPress made of it; nil for none.
func (t *wordpressTables) file(address string) *wpFile {
	key := addressKey(address)
	plain := sizedFile.ReplaceAllString(key, "$1")
	for _, k := range []string{key, plain, scaledFile.ReplaceAllString(plain, "$1"), fileEnding.ReplaceAllString(plain, "-scaled$0")} {
		if id, ok := t.byURL[k]; ok {
			return t.files[id]
		}
	}
	return nil
}

var fileEnding = regexp.MustCompile(`\.\w{2,5}$`)

var (
	metaCredit  = regexp.MustCompile(`s:(?:6:"credit"|9:"copyright");s:\d+:"([^"]{1,300})"`)
	creditStart = regexp.MustCompile(`(?i)^\s*(photos?|credits?|image|foto|picture)( by|:| ©)|^\s*(©|\(c\)|courtesy of )`)
)

func (t *wordpressTables) post(e element, p *wxrPiece) {
	id, kind, meta := itemID(e), e.get("wp:post_type"), map[string]string{}
	if kind != "" {
		meta = e.meta()
	}
	terms := t.itemTerms(e)
	switch kind {
	case "attachment":
		t.attachment(id, e, meta)
		return
	case "nav_menu_item":
		l := wpLink{id: id, title: plainHTML(e.get("title")), kind: meta["_menu_item_type"], object: meta["_menu_item_object"], status: e.get("wp:status"),
			target: strings.TrimSpace(meta["_menu_item_object_id"]), url: strings.TrimSpace(meta["_menu_item_url"]), parent: strings.TrimSpace(meta["_menu_item_menu_item_parent"])}
		l.order, _ = strconv.Atoi(e.get("wp:menu_order"))
		for _, term := range terms {
			if term.domain == "nav_menu" {
				l.menu, l.menuName = term.key, term.name
			}
		}
		t.links = append(t.links, l)
		return
	case "guest-author":
		t.guests = append(t.guests, e)
		return
	case "wp_block":
		if content := e.raw("content:encoded"); t.blocked+len(content) < 16<<20 {
			t.blocks[id] = content
			t.blocked += len(content)
		}
		return
	}
	if internalTypes.MatchString(kind) || p.large {
		return
	}
	for key := range meta {
		if len(t.fields) < 100 && key[0] != '_' && key != "footnotes" && key != "enclosure" && !strings.HasPrefix(key, "rank_math_") {
			t.fields[clip(key, 100)]++
		}
	}
	section := t.section(terms, meta)
	for _, term := range terms {
		if term.domain == "category" && term.key != uncategorized && (term != section || kind == "page") {
			term.topic = true
		}
	}
	for _, term := range terms {
		if term.domain == "author" && t.findUser(term.key, term.name) == nil {
			t.user(wpUser{login: strings.TrimPrefix(term.key, "cap-"), name: term.name})
		}
	}
	if creator := e.get("dc:creator"); creator != "" && t.findUser(creator) == nil {
		// The address of an author who is not in the export is nobody's name.
		name, _, _ := strings.Cut(creator, "@")
		t.user(wpUser{login: creator, name: name})
	}
	if kind == "post" && e.get("wp:is_sticky") == "1" && e.get("wp:status") == "publish" {
		t.sticky = append(t.sticky, id)
	}
}

// fileKind tells a picture, a sound and a film by the end of an address; "" for
// any other file.
func fileKind(address string) string {
	key := addressKey(address)
	switch ext := strings.ToLower(strings.TrimPrefix(fileEnding.FindString(key), ".")); {
	case slices.Contains([]string{"jpg", "jpeg", "png", "gif", "webp", "bmp", "tif", "tiff", "avif", "heic", "svg"}, ext):
		return "image"
	case slices.Contains([]string{"mp3", "m4a", "ogg", "oga", "wav", "flac", "aac", "wma"}, ext):
		return "audio"
	case slices.Contains([]string{"mp4", "m4v", "webm", "ogv", "mov", "avi", "wmv", "3gp", "flv"}, ext):
		return "video"
	}
	return ""
}

func (t *wordpressTables) attachment(id string, e element, meta map[string]string) {
	if _, ok := t.files[id]; ok {
		return
	}
	f := &wpFile{id: id, url: cmp.Or(e.get("wp:attachment_url"), e.get("guid")), path: strings.TrimSpace(meta["_wp_attached_file"]),
		alt: oneLine(meta["_wp_attachment_image_alt"]), caption: plainHTML(e.get("excerpt:encoded")), slug: e.get("wp:post_name")}
	about := plainHTML(e.get("content:encoded"))
	if m := metaCredit.FindStringSubmatch(meta["_wp_attachment_metadata"]); m != nil {
		f.credit = oneLine(m[1])
	}
	switch {
	case f.credit == "" && len(about) < 200 && creditStart.MatchString(about):
		f.credit = about
	case f.caption == "" && len(about) < 1000:
		f.caption = about
	}
	// A title in words says what is to be seen; one that is the file's name does not.
	if title := plainHTML(e.get("title")); f.alt == "" && strings.Contains(title, " ") && title != strings.ToUpper(title) {
		f.alt = title
	}
	f.kind = fileKind(f.url)
	f.order, _ = strconv.Atoi(e.get("wp:menu_order"))
	t.files[id] = f
	if f.url != "" {
		t.byURL[addressKey(f.url)] = id
		if u, err := url.Parse(f.url); err == nil {
			t.hosts[strings.ToLower(u.Host)] = true
		}
	}
	if link := e.get("link"); !strings.Contains(link, "?") && pathKey(link) != "" && pathKey(link) != pathKey(f.url) {
		t.byPage[pathKey(link)], f.page = id, link
	}
	if parent := e.get("wp:post_parent"); parent != "" && parent != "0" {
		t.inPost[parent] = append(t.inPost[parent], id)
	}
}

// entry keeps what links need of a post. The site must be known by then.
func (w *wordpress) entry(e element) {
	t := &w.tables
	id, kind := itemID(e), e.get("wp:post_type")
	switch kind {
	case "attachment", "nav_menu_item", "guest-author", "wp_block":
		return
	}
	if _, ok := t.posts[id]; ok || internalTypes.MatchString(kind) {
		return
	}
	p := wpEntry{slug: story.Slug(unescaped(e.get("wp:post_name"))), title: clip(plainHTML(e.get("title")), 200), kind: story.Report, at: w.itemTime(e),
		public: e.get("wp:status") == "publish" || e.get("wp:status") == "future" && !w.itemTime(e).After(w.now)}
	if kind == "page" {
		p.kind = story.Page
	}
	p.lang = w.itemLanguage(e)
	if p.slug == "" {
		p.slug = story.Slug(p.title)
	}
	t.posts[id] = p
	if path := pathKey(e.get("link")); path != "" && !strings.Contains(e.get("link"), "?") {
		if _, taken := t.byPath[path]; !taken {
			t.byPath[path] = id
		}
	}
	if p.public {
		t.addresses[w.Stories.Address(p.kind, p.lang, p.slug, p.at)]++
	}
}

// itemLanguage tells the language of an item: what a plugin for languages says,
// else what its letters say.
func (w *wordpress) itemLanguage(e element) string {
	for _, term := range w.tables.itemTerms(e) {
		if term.domain == "language" {
			if tag, err := language.Normalise(term.key); err == nil {
				for _, l := range append([]string{w.lang}, w.o.Languages...) {
					if l == tag || sameLanguage(l, tag) {
						return l
					}
				}
			}
		}
	}
	return w.languageOf(e.get("title"), e.raw("content:encoded"))
}

// pathKey is how paths of the old site are compared; "" for no path, or the front page.
func pathKey(address string) string {
	s := strings.TrimSpace(address)
	if i := strings.Index(s, "//"); i >= 0 && (i == 0 || s[i-1] == ':') {
		s = s[i+2:]
		slash := strings.IndexByte(s, '/')
		if slash < 0 {
			return ""
		}
		s = s[slash:]
	}
	if i := strings.IndexByte(s, '#'); i >= 0 {
		s = s[:i]
	}
	if i := strings.IndexByte(s, '?'); i >= 0 {
		if strings.Trim(s[:i], "/") == "" {
			return ""
		}
		s = s[:i]
	}
	return strings.Trim(unescaped(s), "/")
}
