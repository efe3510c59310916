package proof

import (
	"iter"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

var pathForm = regexp.MustCompile(`/[^"'<>\s?#\\]+/`)

// pathsIn gives everything in a body that looks like the path of a page.
func pathsIn(body string) iter.Seq[string] {
	return func(yield func(string) bool) {
		seen := map[string]bool{}
		for _, found := range pathForm.FindAllString(body, -1) {
			if i := strings.Index(found, "//"); i >= 0 { // an absolute address
				_, found, _ = strings.Cut(found[i+2:], "/")
				found = "/" + found
			}
			path, err := url.PathUnescape(found)
			if err != nil || seen[path] {
				continue
			}
			seen[path] = true
			if !yield(path) {
				return
			}
		}
	}
}

// where says in which part of an answer a run of words stands.
func where(part, text string, key uint64, contentType string) string {
	if part != "body" || !strings.Contains(contentType, "html") {
		return part
	}
	one := index{entries: []entry{{key: key}}}
	one.seal()
	has := func(s string) bool {
		for _, view := range views(s) {
			if found := (hits{}); true {
				if one.find(view, found); len(found) > 0 {
					return true
				}
			}
		}
		return false
	}
	var prose strings.Builder
	z := html.NewTokenizer(strings.NewReader(text))
	inside := ""
	for {
		switch t := z.Next(); t {
		case html.ErrorToken:
			if has(prose.String()) {
				return "text of the page"
			}
			return part
		case html.CommentToken:
			if has(string(z.Text())) {
				return "comment"
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			raw := string(z.Raw())
			token := z.Token()
			for _, a := range token.Attr {
				if has(a.Val) {
					return "attribute " + a.Key + " of <" + token.Data + ">"
				}
			}
			if inside = ""; token.Data == "script" || token.Data == "style" || token.Data == "template" {
				inside = token.Data
				for _, a := range token.Attr {
					if a.Key == "type" && a.Val == "application/ld+json" {
						inside = "JSON-LD"
					}
				}
			}
			prose.WriteString(raw)
		case html.TextToken:
			if inside != "" {
				if has(string(z.Text())) {
					return inside
				}
				continue
			}
			prose.Write(z.Raw())
		default:
			inside = ""
			prose.Write(z.Raw())
		}
	}
}
