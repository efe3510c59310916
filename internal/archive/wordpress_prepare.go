package archive

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"

	"masthead/internal/db"
	"masthead/internal/media"
	"masthead/internal/story"
)

// prepare writes all that posts refer to.
func (w *wordpress) prepare() error {
	for _, step := range []func() error{w.attachments, w.authors, w.sections, w.topics} {
		if err := step(); err != nil {
			return err
		}
	}
	for key, n := range w.tables.fields {
		w.left(w.source+"field:"+key, fmt.Sprintf("the custom field %q of %s: nothing here stands for it", key, plural(n, "item", "items")))
	}
	// The front page has few places, and an old site's stickies are many.
	const most = 6
	t := &w.tables
	t.sticky = slices.DeleteFunc(t.sticky, func(id string) bool { return !t.posts[id].public })
	slices.SortStableFunc(t.sticky, func(a, b string) int { return t.posts[b].at.Compare(t.posts[a].at) })
	for i, id := range t.sticky {
		if i < most {
			t.pinned[id] = i + 1
		}
	}
	return nil
}

// assetOf gives the asset behind an address: where it stands below the folder
// of uploads, or of the whole old site.
func (w *wordpress) assetOf(source, address, attached string) asset {
	a := asset{source: source, url: address, fileName: unescaped(lastPart(address))}
	u, err := url.Parse(address)
	if attached != "" {
		a.paths = append(a.paths, attached, "uploads/"+attached, "wp-content/uploads/"+attached)
	}
	if err != nil {
		return a
	}
	for _, below := range []string{"/wp-content/uploads/", "/uploads/", "/wp-content/", "/files/"} {
		if _, rest, ok := strings.Cut(u.Path, below); ok && rest != "" {
			a.paths = append(a.paths, rest, strings.TrimPrefix(below, "/")+rest)
		}
	}
	a.paths = append(a.paths, strings.TrimPrefix(u.Path, "/"))
	a.paths = slices.DeleteFunc(a.paths, func(p string) bool { return p == "" || path.Clean(p) == "." })
	return a
}

// bringFile brings an attachment in, once.
func (w *wordpress) bringFile(f *wpFile) error {
	if f.media != "" || f.why != "" {
		return nil
	}
	if f.url == "" && f.path == "" {
		f.why = "it has no address"
		return nil
	}
	a := w.assetOf(w.source+f.id, f.url, f.path)
	a.alt, a.caption, a.credit, a.picture = f.alt, f.caption, f.credit, f.kind == "image"
	var err error
	f.media, f.why, err = w.asset(a)
	return err
}

func (w *wordpress) attachments() error {
	t := &w.tables
	ids := slices.Sorted(maps.Keys(t.files))
	for _, id := range ids {
		f := t.files[id]
		if err := w.ctx.Err(); err != nil {
			return err
		}
		if err := w.bringFile(f); err != nil {
			return err
		}
		if f.media == "" {
			w.skip(w.source+id, cmp.Or(lastPart(f.url), f.slug), "the attachment did not come in: "+f.why)
		}
		if len(w.rows) >= batchItems {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	if err := w.flush(); err != nil {
		return err
	}
	// The old addresses of pictures and files, and of the pages that show them,
	// are linked from everywhere.
	for chunk := range slices.Chunk(ids, 10*batchItems) {
		err := w.inTx(func(tx *db.Tx) error {
			for _, id := range chunk {
				f := t.files[id]
				if f.media == "" || w.DryRun {
					continue
				}
				m, err := w.Media.ByID(w.ctx, tx, f.media)
				if err != nil {
					return err
				}
				for _, old := range []string{f.url, f.page} {
					key := pathKey(old)
					if key == "" || !w.own(old) {
						continue
					}
					if old == f.page && strings.HasSuffix(old, "/") {
						key += "/"
					}
					if err := w.redirect(tx, w.source+id, m.Name, "/"+key, m.Original(), nil); err != nil {
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

// mediaAddress gives the address of a picture's or file's original; "" where it
// is not known yet.
func (w *wordpress) mediaAddress(id string) string {
	if i := slices.IndexFunc(w.rows, func(m media.Media) bool { return m.ID == id }); i >= 0 {
		return w.rows[i].Original()
	}
	m, err := w.Media.ByID(w.ctx, w.q(), id)
	if err != nil {
		return ""
	}
	return m.Original()
}

// own tells whether an address is one of the old site.
func (w *wordpress) own(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return err == nil && strings.HasPrefix(u.Path, "/")
	}
	bare := func(host string) string { return strings.TrimPrefix(strings.ToLower(host), "www.") }
	return bare(u.Host) == bare(w.base.Host) && strings.HasPrefix(u.Path+"/", w.base.Path)
}

func (w *wordpress) authors() error {
	t := &w.tables
	for _, g := range t.guests {
		meta := g.meta()
		login, name := strings.TrimSpace(meta["cap-user_login"]), cmp.Or(strings.TrimSpace(meta["cap-display_name"]), plainHTML(g.get("title")))
		u := t.findUser(meta["cap-linked_account"], login, g.get("wp:post_name"), name)
		if u == nil {
			u = t.user(wpUser{login: cmp.Or(login, g.get("wp:post_name")), name: name})
		}
		if u == nil {
			w.skip(w.source+itemID(g), itemName(g), "the guest author has no name")
			continue
		}
		t.know(u, login, g.get("wp:post_name"), name)
		u.name = cmp.Or(name, u.name) // the plugin's own terms bear the login
		u.email, u.website = cmp.Or(u.email, strings.TrimSpace(meta["cap-user_email"])), cmp.Or(u.website, strings.TrimSpace(meta["cap-website"]))
		u.about, u.portrait = cmp.Or(u.about, plainHTML(meta["cap-description"])), cmp.Or(u.portrait, strings.TrimSpace(meta["_thumbnail_id"]))
		w.report.Folded++
	}
	for chunk := range slices.Chunk(t.users, batchItems) {
		err := w.inTx(func(tx *db.Tx) error {
			for i := range chunk {
				if err := w.saveUser(tx, chunk[i]); err != nil {
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

func (w *wordpress) saveUser(tx *db.Tx, u *wpUser) error {
	slug := u.login
	if strings.Contains(slug, "@") { // the address of the account is not for the public
		slug = cmp.Or(u.name, "author")
	}
	u.source = w.source + "author:" + cmp.Or(authorKey(u.login), authorKey(u.name))
	name := oneLine(plainHTML(u.name))
	if name == "" {
		name, _, _ = strings.Cut(u.login, "@")
	}
	p := story.Writer{Source: u.source, Slug: slug, Names: w.text(name), Biographies: w.text(u.about), Website: webAddress(u.website), Email: u.email}
	if f := w.tables.files[u.portrait]; f != nil {
		if f.kind != "image" {
			w.change(u.source, name, fmt.Sprintf("the portrait %s is no picture", f.url))
		} else if p.PortraitID = f.media; f.media == "" {
			w.change(u.source, name, fmt.Sprintf("the portrait %s is missing: %s", f.url, f.why))
		}
	}
	ok, err := w.run.item(tx, u.source, name, func() error { return w.writer(tx, p) })
	if err != nil || !ok {
		return err
	}
	return w.redirect(tx, u.source, name, "/author/"+story.Slug(slug)+"/", "/author/"+w.writers[u.source].Slug+"/", nil)
}

// sections writes the categories, parents before their parts.
func (w *wordpress) sections() error {
	var open []*wpTerm
	for _, t := range w.tables.order {
		if t.domain == "category" {
			open = append(open, t)
		}
	}
	position := map[*wpTerm]int{}
	for i, t := range open {
		position[t] = i + 1
	}
	done := map[string]bool{}
	for len(open) > 0 {
		var ready, later []*wpTerm
		for _, t := range open {
			if parent := w.tables.terms["category:"+t.parent]; t.parent == "" || parent == nil || done[t.parent] {
				ready = append(ready, t)
			} else {
				later = append(later, t)
			}
		}
		if len(ready) == 0 { // they are one another's parents
			w.change(w.source+"category:"+later[0].key, later[0].name, "it stands inside itself in the export; it came in at the top")
			later[0].parent = ""
		}
		for chunk := range slices.Chunk(ready, batchItems) {
			if err := w.inTx(func(tx *db.Tx) error { return w.saveSections(tx, chunk, position) }); err != nil {
				return err
			}
		}
		for _, t := range ready {
			done[t.key] = true
		}
		open = later
	}
	return nil
}

func (w *wordpress) saveSections(tx *db.Tx, terms []*wpTerm, position map[*wpTerm]int) error {
	for _, t := range terms {
		source := w.source + "category:" + t.key
		s := story.Section{Source: source, Slug: t.key, Position: position[t], Names: w.text(t.name), Descriptions: w.text(plainHTML(t.about)),
			ParentID: w.run.sections[w.source+"category:"+t.parent].ID}
		ok, err := w.run.item(tx, source, t.key, func() error { return w.section(tx, s) })
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := w.redirect(tx, source, t.key, w.termPath(t), w.termAddress(t), nil); err != nil {
			return err
		}
	}
	return nil
}

// topics writes every other term, and the categories that stories have beside
// their section.
func (w *wordpress) topics() error {
	t := &w.tables
	wanted := slices.DeleteFunc(slices.Clone(t.order), func(x *wpTerm) bool { return !x.topic && notATopic(x.domain) })
	for chunk := range slices.Chunk(wanted, batchItems) {
		err := w.inTx(func(tx *db.Tx) error {
			for _, x := range chunk {
				source := w.source + x.domain + ":" + x.key
				topic := story.Topic{Source: source, Slug: x.key, Names: w.text(x.name), Descriptions: w.text(plainHTML(x.about))}
				ok, err := w.run.item(tx, source, x.key, func() error { return w.topic(tx, topic) })
				if err != nil {
					return err
				}
				if !ok || x.domain == "category" {
					continue
				}
				if err := w.redirect(tx, source, x.key, w.termPath(x), w.termAddress(x), nil); err != nil {
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

// termPath gives the address that WordPress gives a term, unless it was told otherwise.
func (w *wordpress) termPath(t *wpTerm) string {
	path, base := t.key+"/", t.domain
	switch t.domain {
	case "category":
		for p, n := t, 0; p.parent != "" && n < 32; n++ {
			if p = w.tables.terms["category:"+p.parent]; p == nil {
				break
			}
			path = p.key + "/" + path
		}
	case "post_tag":
		base = "tag"
	}
	return w.base.Path + base + "/" + path
}

// termAddress gives the address at which a term's stories stand now.
func (w *wordpress) termAddress(t *wpTerm) string {
	if s, ok := w.run.sections[w.source+"category:"+t.key]; ok && t.domain == "category" {
		return "/" + s.Slug + "/"
	}
	if x, ok := w.run.topics[w.source+t.domain+":"+t.key]; ok {
		return "/topic/" + x.Slug + "/"
	}
	return ""
}
