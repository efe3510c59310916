package archive

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"masthead/internal/db"
	"masthead/internal/story"
)

// menus writes the menus, when everything that they link to has its address.
func (w *wordpress) menus() error {
	there, err := w.Stories.Menus(w.ctx, w.q())
	if err != nil {
		return err
	}
	byMenu, order := map[string][]wpLink{}, []string{}
	met := map[string]bool{}
	for _, l := range w.tables.links {
		switch {
		case met[l.id]: // named already
			continue
		case l.menu == "":
			w.skip(w.source+l.id, l.title, "it is a link of no menu")
		case l.status == "draft":
			w.skip(w.source+l.id, l.title, "it is a link that was never published in its menu")
		default:
			if byMenu[l.menu] == nil {
				order = append(order, l.menu)
			}
			byMenu[l.menu] = append(byMenu[l.menu], l)
			w.report.Folded++
		}
		met[l.id] = true
	}
	for _, t := range w.tables.order {
		if t.domain == "nav_menu" && byMenu[t.key] == nil {
			w.left(w.source+"menu:"+t.key, fmt.Sprintf("the menu %q is empty", t.name))
		}
	}
	for _, key := range order {
		links := byMenu[key]
		slices.SortStableFunc(links, func(a, b wpLink) int { return a.order - b.order })
		m := story.Menu{Slug: cmp.Or(story.Slug(key), "menu"), Name: links[0].menuName, Source: w.source + "menu:" + key}
		used := map[string]bool{}
		m.Items = w.menuItems(links, "", used, 0)
		for _, l := range links { // what hangs below nothing, or below itself
			if !used[l.id] {
				used[l.id] = true
				item := w.menuItem(l)
				item.Items = w.menuItems(links, l.id, used, 1)
				m.Items = append(m.Items, item)
			}
		}
		w.report.Menus++
		if was, ok := there[m.Slug]; ok {
			a, errA := json.Marshal(was.Items)
			b, errB := json.Marshal(m.Items)
			if errA == nil && errB == nil && string(a) != string(b) {
				w.change(m.Source, m.Slug, "the menu "+m.Slug+" is left as it stands here")
			}
			continue
		}
		if err := w.inTx(func(tx *db.Tx) error { return w.Stories.SaveMenu(w.ctx, tx, m) }); err != nil {
			return err
		}
	}
	return nil
}

func (w *wordpress) menuItems(links []wpLink, parent string, used map[string]bool, depth int) []story.MenuItem {
	if depth > 32 {
		return nil
	}
	var items []story.MenuItem
	for _, l := range links {
		if used[l.id] || cmp.Or(l.parent, "0") != cmp.Or(parent, "0") {
			continue
		}
		used[l.id] = true
		item := w.menuItem(l)
		item.Items = w.menuItems(links, l.id, used, depth+1)
		items = append(items, item)
	}
	return items
}

// menuItem gives a link its words and its address: its own, else those of what
// it leads to. One that leads nowhere stays as words without an address; some
// are meant so, to head those below them.
func (w *wordpress) menuItem(l wpLink) story.MenuItem {
	item := story.MenuItem{Label: l.title}
	switch l.kind {
	case "post_type":
		p := w.tables.posts[l.target]
		item.Label, item.URL = cmp.Or(item.Label, p.title), w.newAddress(l.target)
		if item.URL == "" && (l.kind == "post_type" || l.kind == "taxonomy" || strings.Trim(l.url, "#") != "") {
			var path string
			if w.q().QueryRowContext(w.ctx, `SELECT COALESCE(e.path, '') FROM edition e JOIN story s ON s.id = e.story_id WHERE s.source = $1
				AND e.status = 'published' ORDER BY CASE WHEN e.lang = s.original_lang THEN 0 ELSE 1 END`, w.source+l.target).Scan(&path) == nil {
				item.URL = path
			}
		}
	case "taxonomy":
		for _, t := range w.tables.order {
			if t.id == l.target && t.id != "" && t.domain == l.object {
				item.Label, item.URL = cmp.Or(item.Label, t.name), w.termAddress(t)
			}
		}
	default:
		if item.URL = w.href(l.url); !usable(item.URL) || item.URL == "#" {
			item.URL = ""
		}
	}
	item.Label = cmp.Or(item.Label, item.URL, "(no words)")
	if item.URL == "" && (l.kind == "post_type" || l.kind == "taxonomy" || strings.Trim(l.url, "#") != "") {
		w.change(w.source+l.id, item.Label, "the link of a menu leads nowhere: what it led to is not in the export")
	}
	return item
}
