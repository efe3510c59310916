package site

import (
	"net/http"
	"time"

	"masthead/internal/fault"
	"masthead/internal/web"
)

// send renders a page and answers with it. It may depend on the visitor, so no
// cache that others share may keep it.
func (n *Newsroom) send(w http.ResponseWriter, r *http.Request, name string, page any) error {
	body, err := n.Pages.Bytes("site/"+name, page)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "private, no-cache")
	w.Header().Add("Vary", "Cookie")
	return n.answer(w, r, body)
}

// answer sends bytes, or 304 where the browser has the same already. There are
// no ranges of a page: a part of one would be a part of another tomorrow.
func (n *Newsroom) answer(w http.ResponseWriter, r *http.Request, body []byte) error {
	w.Header().Set("Accept-Ranges", "none")
	if web.NotModified(w, r, web.ETag(string(body)), time.Time{}) {
		return nil
	}
	w.Write(body) // a reader who has left is no error of ours
	return nil
}

// orElsewhere looks for a redirect before something is reported as not found;
// any other error, and none, stays as it is.
func (n *Newsroom) orElsewhere(w http.ResponseWriter, r *http.Request, err error) error {
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	if redirectErr := n.elsewhere(w, r); !fault.Is(redirectErr, fault.NotFound) {
		return redirectErr
	}
	return err
}

// robots serves "/robots.txt": everything may be read but what is personal.
func (n *Newsroom) robots(w http.ResponseWriter, r *http.Request) error {
	text := "User-agent: *\n"
	for _, path := range []string{"/account", "/signin", "/register", "/search", "/gift", "/desk/", "/api/"} {
		text += "Disallow: " + path + "\n"
		for _, l := range n.languages() {
			if p := n.at(l, path); p != path {
				text += "Disallow: " + p + "\n"
			}
		}
	}
	text += "\nSitemap: " + n.Config.URL.String() + "/sitemap.xml\n"
	return n.sendPublic(w, r, []byte(text), "text/plain; charset=utf-8")
}
