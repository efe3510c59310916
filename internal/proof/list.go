package proof

import (
	"context"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

var (
	locForm    = regexp.MustCompile(`<loc>([^<]+)</loc>`)
	letterForm = regexp.MustCompile(`/dev/mail/[^"'\s<>]+`)
	nextForm   = regexp.MustCompile(`<([^>]+)>; rel="next"`)
)

// list reads a page that lists stories, and those that follow it, as everybody
// who reads such.
func (w *worker) list(ctx context.Context, a ask, some bool) error {
	w.own, w.secret = index{}, secret{}
	for _, p := range w.cast {
		switch a.surface {
		case "feed":
			if p.reads&readsFeeds == 0 || p.program {
				continue
			}
		case "API list":
			if !p.program {
				continue
			}
		case "account":
			if !p.account {
				continue
			}
		default:
			if p.reads&readsLists == 0 || p.program {
				continue
			}
		}
		next := a
		next.method = p.method
		for pages := 1; next.path != "" && (!some || pages <= maxListPages); pages++ {
			got, err := w.read(ctx, p, next)
			if err != nil {
				return err
			}
			w.judge(ctx, p, next, got, -1, false)
			switch follow := after(got, a.path, pages); {
			case a.surface == "sitemap" || a.surface == "letters":
				for _, path := range within(a.surface, got) {
					if err := w.follow(ctx, p, ask{surface: a.surface, path: path}); err != nil {
						return err
					}
				}
				next.path = ""
			default:
				next.path = follow
			}
		}
	}
	return nil
}

// after gives the address of the page behind this one of a list, or "".
func after(got answer, path string, page int) string {
	if m := nextForm.FindStringSubmatch(got.header.Get("Link")); m != nil {
		if u, err := url.Parse(m[1]); err == nil {
			return u.Path + "?" + u.RawQuery
		}
	}
	number := "page=" + strconv.Itoa(page+1)
	if strings.Contains(got.body, "?"+number+`"`) {
		return path + "?" + number
	}
	return ""
}

// within gives the addresses that a sitemap's index or the outbox names.
func within(surface string, got answer) []string {
	var paths []string
	if surface == "letters" {
		return letterForm.FindAllString(got.body, 20)
	}
	if strings.Contains(got.body, "<sitemapindex") {
		for _, m := range locForm.FindAllStringSubmatch(got.body, 200) {
			if u, err := url.Parse(m[1]); err == nil {
				paths = append(paths, u.Path)
			}
		}
	}
	return paths
}

// follow reads an address, and where it leads.
func (w *worker) follow(ctx context.Context, p *persona, a ask) error {
	for range 4 {
		got, err := w.read(ctx, p, a)
		if err != nil {
			return err
		}
		place, _, _ := strings.Cut(a.path, "?")
		own, ok := w.facts.byPath[place]
		if !ok {
			own = -1
		}
		w.judge(ctx, p, a, got, own, own >= 0 && w.facts.decide(p, w.facts.editions[own], true, nil).may)
		to, err := url.Parse(got.header.Get("Location"))
		if err != nil || to.Path == "" || to.Host != "" && to.Host != w.door.base.Host {
			return nil
		}
		if a.path = to.Path; to.RawQuery != "" {
			a.path += "?" + to.RawQuery
		}
	}
	return nil
}
