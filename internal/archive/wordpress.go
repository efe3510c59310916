package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
	"time"

	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/story"
)

// WordPressOptions are what an import from WordPress may be told.
type WordPressOptions struct {
	// Languages are those of the newsroom. A story whose words are mostly in
	// the script of one of them, and not in that of the default language,
	// becomes an edition in that one. WordPress itself does not say.
	Languages []string
}

// ImportWordPress brings in an export of WordPress (WXR 1.0 to 1.2, the XML
// file of Tools, Export). What becomes of what:
//
//   - A post is a story with one edition, a page a page. Content of a type that
//     a plugin made comes in as a story, by name; settings, revisions, trash
//     and the like are skipped by name.
//   - A category is a section. A story stands in one: the category that its
//     SEO plugin calls primary, else the one deepest in the tree, else the first
//     in the export; "uncategorized" only where there is no other. Its other
//     categories become topics of the story, so that nothing is lost. Tags and
//     custom taxonomies are topics.
//   - The authors of Co-Authors Plus are the byline, guest authors among them;
//     else the post's creator is.
//   - An attachment is a picture or file, with alt text, caption and credit. A
//     picture that did not come in stands in the text as a link, so no page
//     contacts another host.
//   - The tag <!--more--> ends the teaser on the old site's front page, so it is
//     where a preview ends: the wall mark. It closes nothing by itself, since an
//     imported story is left to the wall's rules. <!--nextpage--> is a divider.
//   - A story with a password is closed to all but staff, and the password is
//     kept as bcrypt's hash alone. Private ones come in as drafts.
//   - Shortcodes of WordPress itself are read. Of others the tags are taken out,
//     by name, and what stands between them stays; a bracket that has no sign of
//     a shortcode, such as [sic], is text.
//   - Comments are kept, with their order and status, without the addresses of
//     those who wrote them. Menus are menus.
//   - The address of each story, page, category, tag and author leads to the new
//     one. One like /?p=12 is kept as a redirection of just that path and query.
//
// A file that is no export of WordPress, is cut off or is no well-formed XML is
// a fault of kind Invalid that tells the byte, and nothing of it is written:
// what posts refer to stands anywhere in an export, so it is read twice.
func (im *Importer) ImportWordPress(ctx context.Context, path string, o WordPressOptions) (Report, error) {
	return im.do(ctx, func(r *run) error {
		w := &wordpress{run: r, o: o, tables: newWordPressTables(), seen: map[string]string{}}
		return w.all(path)
	})
}

// wordpress is an import from WordPress under way.
type wordpress struct {
	*run
	o      WordPressOptions
	tables wordpressTables
	source string            // what every source begins with: "wordpress:HOST:"
	base   *url.URL          // the old site
	seen   map[string]string // type and slug of each item that came, by its ID
}

func (w *wordpress) all(path string) error {
	err := w.pass(path, 0, func(e element, p *wxrPiece) error {
		w.tables.item(e, p)
		if e.name == "item" && w.fate(e, p) == "" {
			w.entry(e)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := w.site(); err != nil {
		return err
	}
	if err := w.prepare(); err != nil {
		return err
	}
	err = w.pass(path, 1, func(e element, p *wxrPiece) error {
		if e.name != "item" {
			return nil
		}
		return w.write(e, p)
	})
	if err != nil {
		return err
	}
	if err := w.flush(); err != nil {
		return err
	}
	if w.report.Comments > 0 {
		w.left(w.source+"comments", "the e-mail and network addresses of those who wrote comments are not taken over")
	}
	return w.menus()
}

// pass reads the whole export, and gives each child of its channel.
func (w *wordpress) pass(path string, number int64, piece func(element, *wxrPiece) error) error {
	var size int64
	src, note, err := openWXR(path, func(done int64) {
		if w.Progress != nil {
			w.Progress(done+number*size, 2*size)
		}
	})
	if err != nil {
		return err
	}
	defer src.Close()
	if size = src.size; note != "" && number == 0 {
		w.left("wordpress:encoding", note)
	}
	x := &wxr{r: src}
	for {
		p, err := x.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := w.ctx.Err(); err != nil {
			return err
		}
		e, err := x.parse(p)
		if err != nil {
			return err
		}
		if e.name == "item" && w.tables.version == "" && e.get("wp:post_type") == "" {
			return x.bad("the file is a feed, not an export of WordPress", p.at).
				WithHint("in WordPress, open Tools, Export, and take the XML file that it gives")
		}
		if err := piece(e, p); err != nil {
			return err
		}
	}
	if w.tables.version == "" && w.tables.items == 0 {
		return x.bad("the file is not an export of WordPress", x.pos).
			WithHint("in WordPress, open Tools, Export, and take the XML file that it gives")
	}
	return nil
}

// site finds out which site the export is of.
func (w *wordpress) site() error {
	t := &w.tables
	for _, address := range []string{t.blog, t.link, t.siteURL} {
		u, err := url.Parse(address)
		if err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") {
			w.base = &url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/") + "/"}
			break
		}
	}
	if w.base == nil {
		return fault.New(fault.Invalid, "the export does not say which site it is of").
			WithHint("its <link> must be the address of the old site: export it again from WordPress")
	}
	// A network of sites may have several under one host.
	w.source = "wordpress:" + strings.ToLower(w.base.Host) + strings.TrimRight(w.base.Path, "/") + ":"
	switch t.version {
	case "1.0", "1.1", "1.2":
	default:
		w.left(w.source+"version", fmt.Sprintf("the export is of version %q; 1.0 to 1.2 are known, so look through what came in", t.version))
	}
	for _, s := range []struct{ what, value, setting string }{{"title", t.title, "title"}, {"description", t.description, "description"}} {
		if s.value != "" {
			w.left(w.source+s.what, fmt.Sprintf("it is %q: set %s in masthead.toml if it is to stay", clip(s.value, 300), s.setting))
		}
	}
	if tag, err := language.Normalise(t.language); err == nil && !sameLanguage(tag, w.lang) {
		w.left(w.source+"language", fmt.Sprintf("the old site is in %s, and stories came in as %s: set language in masthead.toml before importing", tag, w.lang))
	}
	return nil
}

// itemID gives the number of an item; an item without one is known by its address.
func itemID(e element) string {
	if id := e.get("wp:post_id"); id != "" && id != "0" {
		return clip(id, 40)
	}
	for _, name := range []string{"guid", "link", "wp:post_name", "title"} {
		if s := e.get(name); s != "" {
			return clip(s, 200)
		}
	}
	return "unknown"
}

// itemName is what a person calls an item.
func itemName(e element) string {
	for _, name := range []string{"wp:post_name", "title", "link"} {
		if s := e.get(name); s != "" {
			return clip(oneLine(unescaped(s)), 120)
		}
	}
	return ""
}

func unescaped(s string) string {
	if p, err := url.PathUnescape(s); err == nil && strings.ToValidUTF8(p, "") == p {
		return p
	}
	return s
}

// itemTime gives the time of an item, the zero time where it has none: the one
// in GMT, else the local one on the newsroom's clock, else that of the feed.
func (w *wordpress) itemTime(e element) time.Time {
	for _, t := range []struct {
		text string
		in   *time.Location
	}{{e.get("wp:post_date_gmt"), time.UTC}, {e.get("wp:post_date"), w.Stories.Location}} {
		if strings.HasPrefix(t.text, "0000") {
			continue
		}
		if at, err := time.ParseInLocation("2006-01-02 15:04:05", t.text, t.in); err == nil {
			return at.UTC()
		}
	}
	at, err := time.Parse(time.RFC1123Z, e.get("pubDate"))
	if err != nil || at.Year() < 1 {
		return time.Time{}
	}
	return at.UTC()
}

// internalTypes are types of content that are settings, designs or logs, and
// mean nothing away from the old site.
var internalTypes = regexp.MustCompile(`^(revision|custom_css|customize_changeset|oembed_cache|user_request|wp_(template|template_part|global_styles|navigation|font_family|font_face)|` +
	`nav_menu|acf(-.*)?|acf_.*|wpcf7_.*|elementor_.*|e-.*|et_.*|fusion_.*|shop_.*|scheduled-action|jp_.*|jetpack.*|feedback|wpforms.*|nf_sub|flamingo_.*|popup|mc4wp.*|` +
	`tablepress_table|ml-slider|amp_.*|action_monitor|polylang_mo|bp-email|vc_.*|product_variation|.*_log|.*_order|.*_coupon)$`)

// letters counts those of each script in a text, tags and shortcodes aside.
func letters(s string) map[string]int {
	count := map[string]int{}
	depth := 0
	for _, r := range s {
		switch {
		case r == '<' || r == '[':
			depth = 1
		case r == '>' || r == ']':
			depth = 0
		case depth == 0:
			if script := scriptOf(r); script != "" {
				count[script]++
			}
		}
	}
	return count
}

// languageOf tells the language of an edition: the newsroom's own, unless more
// than 60 % of the letters are of the script of another of its languages.
func (w *wordpress) languageOf(texts ...string) string {
	total, most, best := 0, 0, ""
	for script, n := range letters(strings.Join(texts, " ")) {
		if total += n; n > most {
			most, best = n, script
		}
	}
	if most*10 <= total*6 || most < 20 || best == scriptOfLanguage(w.lang) {
		return w.lang
	}
	for _, tag := range w.o.Languages {
		if scriptOfLanguage(tag) == best {
			return tag
		}
	}
	return w.lang
}

// newAddress tells where an item of the export stands now; "" where that cannot
// be told before it is written. It asks the export alone, and what stands here
// from elsewhere, so each run gives the same answer and no link changes by itself.
func (w *wordpress) newAddress(id string) string {
	p, ok := w.tables.posts[id]
	if !ok || !p.public || p.slug == "" {
		return ""
	}
	to := w.Stories.Address(p.kind, p.lang, p.slug, p.at)
	if w.tables.addresses[to] != 1 || p.kind == story.Page && story.Reserved(p.slug) {
		return ""
	}
	if _, taken := w.taken[p.slug]; taken && p.kind == story.Page {
		return ""
	}
	var other string
	err := w.q().QueryRowContext(w.ctx, `SELECT COALESCE(s.source, '') FROM edition e JOIN story s ON s.id = e.story_id WHERE e.path = $1`, to).Scan(&other)
	if err == nil && other != w.source+id {
		return ""
	}
	return to
}
