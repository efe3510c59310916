package archive

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/crypto/bcrypt"

	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/story"
)

// fate tells why an item of the export does not become a story; "" where it
// does. Attachments, menus' links, guest authors and reusable blocks are no
// stories, and have no fate of their own here.
func (w *wordpress) fate(e element, p *wxrPiece) string {
	kind, status := e.get("wp:post_type"), e.get("wp:status")
	empty := func() bool {
		return strings.TrimSpace(strings.ReplaceAll(e.raw("content:encoded"), "&nbsp;", "")) == "" && strings.TrimSpace(e.raw("excerpt:encoded")) == ""
	}
	switch {
	case kind == "":
		return "it has no type"
	case isPart(kind):
		return "it is no story"
	case p.large && kind != "revision":
		return fmt.Sprintf("it has more than %d MB", maxRow>>20)
	case kind == "revision":
		return "it is an older revision of another item"
	case internalTypes.MatchString(kind):
		return fmt.Sprintf("it is a %s: a setting, a design or a record of the old site, and nothing here stands for it", kind)
	case status == "trash":
		return "it is in the trash"
	case status == "auto-draft" && empty():
		return "it is an empty draft that WordPress made by itself"
	case kind != "post" && kind != "page" && empty():
		return fmt.Sprintf("it is a %s without words: what a plugin keeps in fields of its own, nothing here stands for", kind)
	case len(e.raw("content:encoded")) > doc.MaxBytes:
		return fmt.Sprintf("its body has more than %d MB", doc.MaxBytes>>20)
	}
	return ""
}

// isPart tells types of items that become part of something else.
func isPart(kind string) bool {
	return slices.Contains([]string{"attachment", "nav_menu_item", "guest-author", "wp_block"}, kind)
}

// write turns one item into a piece of the batch, or names it.
func (w *wordpress) write(e element, p *wxrPiece) error {
	kind, id, name := e.get("wp:post_type"), itemID(e), itemName(e)
	source := w.source + id
	print := kind + " " + e.get("wp:post_name") + " " + e.get("link")
	was, again := w.seen[id]
	w.seen[id] = print
	if again {
		w.seen[id] = was
		if was == print || isPart(kind) {
			if kind == "guest-author" {
				w.report.Folded-- // it was counted when it was met
			}
			w.skip(source, name, "the export has it twice; the first one came in")
			return nil
		}
		id += "-" + cmp.Or(story.Slug(e.get("wp:post_name")), "2")
		source = w.source + id
		w.change(source, name, "another item of the export has the same number")
	}
	comments := len(slices.DeleteFunc(slices.Clone(e.kids), func(k element) bool { return k.name != "wp:comment" }))
	if kind == "wp_block" {
		w.report.Folded++
		return nil
	}
	why := w.fate(e, p)
	if isPart(kind) {
		why = ""
	}
	if why != "" {
		w.skip(source, name, why)
	}
	if why != "" || isPart(kind) {
		if comments > 0 {
			w.change(source, name, fmt.Sprintf("%s left out: they belong to what is no story", plural(comments, "comment was", "comments were")))
		}
		return nil
	}
	return w.story(e, p, id, source, name)
}

func (w *wordpress) story(e element, p *wxrPiece, id, source, name string) error {
	change := func(format string, args ...any) { w.change(source, name, fmt.Sprintf(format, args...)) }
	kind, meta, terms := e.get("wp:post_type"), e.meta(), w.tables.itemTerms(e)
	if p.illegal > 0 {
		change("%s left out, which no text may have", plural(p.illegal, "control character was", "control characters were"))
	}
	at := w.itemTime(e)
	st := story.Story{Kind: story.Report, Source: source, CreatedAt: at, Pinned: w.tables.pinned[id]}
	switch kind {
	case "post":
	case "page":
		st.Kind = story.Page
	default:
		change("it is a %s, which a plugin made; it came in as a story", kind)
	}
	ed := story.Edition{
		Lang: w.tables.posts[id].lang, Slug: unescaped(e.get("wp:post_name")), Headline: plainHTML(e.get("title")),
		MetaTitle: plainMeta(meta["_yoast_wpseo_title"], meta["rank_math_title"]), MetaDescription: plainMeta(meta["_yoast_wpseo_metadesc"], meta["rank_math_description"]),
		CreatedAt: at,
	}
	if ed.Lang == "" {
		ed.Lang = w.itemLanguage(e)
	}
	st.OriginalLang = ed.Lang
	b := &wpBody{w: w, id: e.get("wp:post_id"), notes: footnotesOf(meta), change: change}
	ed.Summary = plainHTML(b.shortcodes(e.raw("excerpt:encoded")))
	body, err := b.document(e.raw("content:encoded"))
	if err != nil {
		if fault.KindOf(err) == fault.Internal {
			return err
		}
		w.skip(source, name, "its body cannot be used: "+docFault(err))
		return nil
	}
	ed.Body = body
	if ed.Headline == "" {
		if ed.Headline = firstWords(body.PlainText()); ed.Headline == "" {
			ed.Headline = "(Untitled)"
		}
		change("it has no title; its headline is “%s”", ed.Headline)
	}
	w.status(e, &st, &ed, change)
	w.relations(&st, e, terms, meta, change)
	w.lead(&st, &ed, meta, change)
	if c := strings.TrimSpace(cmp.Or(meta["_yoast_wpseo_canonical"], meta["rank_math_canonical_url"])); c != "" && remoteAddress(c) && !w.own(c) {
		ed.CanonicalURL = c
	}
	if password := e.raw("wp:post_password"); password != "" {
		if st.PasswordHash, err = w.passwordHash(source, password); err != nil {
			return err
		}
		change("it has a password: it is closed to all but staff, and the password is kept as a hash alone")
	}
	if e.get("wp:is_sticky") == "1" && st.Pinned == 0 && ed.Status == story.Published && st.Kind == story.Report {
		change("it is sticky, and came in unpinned: at most 6 are pinned to the front page")
	}
	pc := piece{name: name, story: st, edition: ed, comments: w.comments(e, change), size: len(p.raw)}
	if ed.Status == story.Published {
		pc.old = w.oldAddresses(e)
	}
	return w.add(pc)
}

// plainMeta gives the first text that a plugin for search engines holds, where
// it is words and not a template.
func plainMeta(texts ...string) string {
	for _, s := range texts {
		if s = oneLine(s); s != "" && !strings.Contains(s, "%") {
			return s
		}
	}
	return ""
}

// firstWords gives the beginning of a text, at most 80 bytes, cut between words.
func firstWords(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	if len(s) <= 80 {
		return s
	}
	s = clip(s, 80)
	if i := strings.LastIndexByte(s, ' '); i > 20 {
		s = s[:i]
	}
	return s + "…"
}

// status sets the edition's status and times, and names what is odd about them.
func (w *wordpress) status(e element, st *story.Story, ed *story.Edition, change func(string, ...any)) {
	at := w.itemTime(e)
	switch status := e.get("wp:status"); status {
	case "publish":
		ed.Status, ed.PublishedAt = story.Published, at
		if at.IsZero() {
			ed.PublishedAt = w.now
			change("it has no time of publication; today is taken")
		} else if at.After(w.now) {
			change("it is published, and its date %s lies in the future; it stays published", at.Format("2006-01-02"))
		}
	case "future":
		ed.Status, ed.PublishedAt = story.Scheduled, at
		if at.IsZero() {
			ed.Status = story.Draft
			change("it is scheduled without a time, so it comes in as a draft")
		} else if !at.After(w.now) {
			ed.Status = story.Published // what the old site would have done by now
		}
	case "draft", "auto-draft":
		ed.Status = story.Draft
	case "pending":
		ed.Status = story.Review
	case "private":
		ed.Status = story.Draft
		change("it is private, which only the old site's editors could read, so it comes in as a draft")
	default:
		ed.Status = story.Draft
		change("its status %q is unknown, so it comes in as a draft", status)
	}
	ed.UpdatedAt = cmp.Or(ed.PublishedAt, at) // readers of the old site were told of no later one
}

// relations sets section, topics and bylines.
func (w *wordpress) relations(st *story.Story, e element, terms []*wpTerm, meta map[string]string, change func(string, ...any)) {
	t := &w.tables
	section := t.section(terms, meta)
	if st.Kind == story.Page {
		section = nil
	}
	if section != nil {
		st.SectionID = w.run.sections[w.source+"category:"+section.key].ID
	}
	var authors []*wpUser
	for _, term := range terms {
		switch {
		case term == section || term.domain == "category" && term.key == uncategorized:
		case term.domain == "author":
			if u := t.findUser(term.key, term.name); u != nil && !slices.Contains(authors, u) {
				authors = append(authors, u)
			}
		case term.domain == "post_format":
			change("its format %q was left out: stories here have none", strings.TrimPrefix(term.key, "post-format-"))
		case notATopic(term.domain) && term.domain != "category":
		default:
			if topic, ok := w.run.topics[w.source+term.domain+":"+term.key]; ok {
				st.Topics = append(st.Topics, topic.ID)
			} else {
				change("its %s %q did not come in", term.domain, term.name)
			}
		}
	}
	if creator := e.get("dc:creator"); len(authors) == 0 && creator != "" {
		if u := t.findUser(creator); u != nil {
			authors = append(authors, u)
		}
	}
	for _, u := range authors {
		if written, ok := w.writers[u.source]; ok && !slices.ContainsFunc(st.Bylines, func(b story.Byline) bool { return b.AuthorID == written.ID }) {
			st.Bylines = append(st.Bylines, story.Byline{AuthorID: written.ID, Role: story.Author})
		}
	}
	if len(st.Bylines) == 0 {
		change("it has no author")
	}
}

// lead sets the lead picture.
func (w *wordpress) lead(st *story.Story, ed *story.Edition, meta map[string]string, change func(string, ...any)) {
	id := strings.TrimSpace(meta["_thumbnail_id"])
	if id == "" || id == "0" || id == "-1" {
		return
	}
	switch f := w.tables.files[id]; {
	case f == nil:
		change("its lead picture, number %s, is not in the export", id)
	case f.kind != "image":
		change("its lead picture %s is no picture", f.url)
	case f.media == "":
		change("its lead picture %s is missing: %s", f.url, f.why)
	default:
		st.LeadMediaID, ed.LeadCaption = f.media, f.caption
	}
}

// passwordHash hashes a post's password, and keeps the hash that stands here
// where it is one of the same password, so that a second run changes nothing.
func (w *wordpress) passwordHash(source, password string) (string, error) {
	plain := []byte(password)
	plain = plain[:min(len(plain), 72)] // bcrypt reads no more
	was, err := w.Stories.BySource(w.ctx, w.q(), source)
	if err == nil && bcrypt.CompareHashAndPassword([]byte(was.PasswordHash), plain) == nil {
		return was.PasswordHash, nil
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return "", err
	}
	hash, err := bcrypt.GenerateFromPassword(plain, bcrypt.DefaultCost)
	if err != nil {
		return "", fmt.Errorf("archive: password of %s: %w", source, err)
	}
	return string(hash), nil
}

// oldAddresses gives every address that a published item had: that of its link,
// and those that WordPress remembers from before its slug was changed.
func (w *wordpress) oldAddresses(e element) []string {
	link := e.get("link")
	if !w.own(link) {
		return nil
	}
	var all []string
	key := pathKey(link)
	if _, query, ok := strings.Cut(link, "?"); ok {
		query, _, _ = strings.Cut(query, "#")
		return []string{w.base.Path + "?" + query}
	}
	if key == "" {
		return nil // the front page
	}
	add := func(path string) {
		if strings.HasSuffix(link, "/") {
			path += "/"
		}
		if !slices.Contains(all, path) {
			all = append(all, path)
		}
	}
	add("/" + key)
	for _, k := range e.kids {
		if k.name != "wp:postmeta" || k.get("wp:meta_key") != "_wp_old_slug" {
			continue
		}
		slug := unescaped(e.get("wp:post_name"))
		if old := strings.TrimSpace(unescaped(k.raw("wp:meta_value"))); old != "" && slug != "" && strings.HasSuffix(key, slug) {
			add("/" + strings.TrimSuffix(key, slug) + strings.Trim(old, "/"))
		}
	}
	return all
}

// comments gives the comments of an item, parents first or not. Their IDs are
// made of their sources, so that answers find what they answer in every run.
func (w *wordpress) comments(e element, change func(string, ...any)) []story.Comment {
	var all []story.Comment
	there := map[string]bool{}
	for _, k := range e.kids {
		if k.name == "wp:comment" {
			there[k.get("wp:comment_id")] = true
		}
	}
	key := func(id string) string { return w.source + "comment:" + itemID(e) + ":" + id }
	number := func(id string) string { return uuid.NewSHA1(uuid.NameSpaceURL, []byte(key(id))).String() }
	for _, k := range e.kids {
		if k.name != "wp:comment" {
			continue
		}
		id, parent := k.get("wp:comment_id"), k.get("wp:comment_parent")
		if id == "" || !there[id] {
			change("a comment was left out: it has no number, or that of another")
			continue
		}
		there[id] = false
		c := story.Comment{ID: number(id), Source: key(id), AuthorName: oneLine(plainHTML(k.get("wp:comment_author"))),
			AuthorURL: webAddress(k.get("wp:comment_author_url")), Text: commentText(k.raw("wp:comment_content"))}
		if _, ok := there[parent]; ok && parent != id {
			c.ParentID = number(parent)
		}
		switch approved := k.get("wp:comment_approved"); approved {
		case "1":
			c.Status = "approved"
		case "0":
			c.Status = "pending"
		default:
			c.Status = cmp.Or(clip(approved, 20), "pending")
		}
		if kind := k.get("wp:comment_type"); kind == "pingback" || kind == "trackback" {
			c.Status += " " + kind
		}
		for _, field := range []string{"wp:comment_date_gmt", "wp:comment_date"} {
			if at, ok := parseTime(k.get(field)); ok && c.At.IsZero() && !strings.HasPrefix(k.get(field), "0000") {
				c.At = at
			}
		}
		all = append(all, c)
	}
	return all
}

// commentText gives a comment as text: the words, with the addresses of links
// behind them.
func commentText(s string) string {
	if !strings.ContainsAny(s, "<&") {
		return strings.TrimSpace(s)
	}
	n, _, err := doc.FromHTML(paragraphs(strings.ReplaceAll(s, "\r\n", "\n")), doc.HTMLOptions{})
	if err != nil {
		return strings.TrimSpace(s)
	}
	n.Walk(func(c *doc.Node) bool {
		if m, ok := c.Mark("link"); ok && m.Attr("href") != c.Text {
			c.Text += " (" + m.Attr("href") + ")"
		}
		return true
	})
	return n.PlainText()
}
