package desk

import (
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// marked finds the words by which a text that was sent is known again.
var marked = regexp.MustCompile(`zz\d{4}zz`)

// answer reads one answer of the newsroom as a browser, a feed reader or a
// spreadsheet would. It gives what there is of hostile text in it that is more
// than text, the marks that are seen as text, and, of a page, its root.
func readAnswer(w *httptest.ResponseRecorder) (faults, marks []string, root *html.Node) {
	h, body := w.Header(), w.Body.String()
	if to := h.Get("Location"); to != "" {
		if u, err := url.Parse(to); err != nil || u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" || u.Host != "" && u.Host != "quay.example" {
			faults = append(faults, "leads to "+to)
		}
	}
	for name, values := range h {
		if strings.ContainsAny(strings.Join(values, ""), "\r\n") {
			faults = append(faults, "breaks the line of the header "+name)
		}
	}
	var text string
	var err error
	switch kind, _, _ := strings.Cut(h.Get("Content-Type"), ";"); kind {
	case "text/html":
		var more []string
		root, text, more = readHTML(body)
		faults = append(faults, more...)
	case "application/json", "application/problem+json", "application/feed+json", "application/jsonl":
		lines := json.NewDecoder(strings.NewReader(body))
		for err == nil {
			var v any
			if err = lines.Decode(&v); err == nil {
				text += jsonText("", v, &faults)
			}
		}
	case "application/xml", "text/xml", "application/rss+xml", "application/atom+xml":
		text, err = xmlText(body, &faults)
	case "text/csv":
		text = body
		var rows [][]string
		rows, err = csv.NewReader(strings.NewReader(body)).ReadAll()
		for _, cell := range slices.Concat(rows...) {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				faults = append(faults, "a spreadsheet runs the cell "+cell)
			}
		}
	case "text/css":
		if marked.MatchString(body) {
			faults = append(faults, "the style sheet holds the mark")
		}
	case "text/plain", "":
	default:
		faults = append(faults, "nobody reads "+kind)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		faults = append(faults, "cannot be read: "+err.Error())
	}
	return faults, marked.FindAllString(text, -1), root
}

// readHTML reads a page or a piece of one, and gives its text with the values
// of its attributes.
func readHTML(body string) (root *html.Node, text string, faults []string) {
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		return nil, "", []string{err.Error()}
	}
	var b strings.Builder
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	for n := range root.Descendants() {
		switch n.Type {
		case html.TextNode:
			b.WriteString(n.Data)
			b.WriteByte('\n')
			continue
		case html.ElementNode:
		default:
			continue
		}
		switch n.Data {
		case "zzmark", "base", "object", "embed":
			fault("has an element <%s>", n.Data)
		case "style":
			if text := textOf(n); strings.Contains(text, "zz") {
				fault("has a style element: %s", text)
			}
		case "script":
			script := textOf(n)
			kind := attr(n, "type")
			switch {
			case kind == "application/json" || kind == "application/ld+json" || kind == "speculationrules":
				if !json.Valid([]byte(script)) || strings.Contains(script, "<") {
					fault("has an island that ends early or is no JSON: %s", script)
				}
			case script != "":
				fault("has a script: %s", script)
			case !strings.HasPrefix(attr(n, "src"), "/assets/") && attr(n, "src") != "":
				fault("has a script of %s", attr(n, "src"))
			}
		}
		for _, a := range n.Attr {
			value := strings.ToLower(strings.Map(func(r rune) rune { // as a browser reads a scheme
				if r <= ' ' {
					return -1
				}
				return r
			}, a.Val))
			b.WriteString(a.Val)
			b.WriteByte('\n')
			switch {
			case strings.HasPrefix(a.Key, "on"), a.Key == "srcdoc", a.Key == "style", strings.ContainsAny(a.Key, "<'\"`="):
				fault("has %s=%q at <%s>", a.Key, a.Val, n.Data)
			case slices.Contains([]string{"href", "src", "action", "formaction", "xlink:href", "data", "poster", "cite", "ping", "background", "srcset"}, a.Key):
				for _, scheme := range []string{"javascript:", "vbscript:", "data:text", "data:application", "data:image/svg"} {
					if strings.HasPrefix(value, scheme) {
						fault("has %s=%q at <%s>", a.Key, a.Val, n.Data)
					}
				}
			case a.Key == "http-equiv" && value == "refresh" && marked.MatchString(attr(n, "content")):
				fault("leads on to %s", attr(n, "content"))
			}
			if strings.Contains(a.Val, "ZgotmplZ") {
				fault("has a template that gave up: %s=%q at <%s>", a.Key, a.Val, n.Data)
			}
		}
	}
	return root, b.String(), faults
}

// jsonText gives the texts of a document, and reads what is HTML in it.
func jsonText(key string, v any, faults *[]string) (text string) {
	switch v := v.(type) {
	case string:
		if strings.HasSuffix(key, "html") {
			_, _, more := readHTML(v)
			*faults = append(*faults, more...)
		}
		if strings.HasSuffix(key, "url") && strings.HasPrefix(strings.ToLower(strings.TrimSpace(v)), "javascript:") {
			*faults = append(*faults, fmt.Sprintf("has %s=%q", key, v))
		}
		return v + "\n"
	case []any:
		for _, one := range v {
			text += jsonText(key, one, faults)
		}
	case map[string]any:
		for name, one := range v {
			text += jsonText(name, one, faults)
		}
	}
	return text
}

// xmlText gives the texts of a feed or a sitemap, and reads what feed readers
// take for HTML in it.
func xmlText(body string, faults *[]string) (text string, err error) {
	in := xml.NewDecoder(strings.NewReader(body))
	var at []string
	for {
		token, err := in.Token()
		if err != nil {
			return text, err
		}
		switch v := token.(type) {
		case xml.StartElement:
			at = append(at, v.Name.Local)
			if v.Name.Local == "zzmark" || v.Name.Local == "script" {
				*faults = append(*faults, "has an element <"+v.Name.Local+">")
			}
			for _, a := range v.Attr {
				text += a.Value + "\n"
			}
		case xml.EndElement:
			at = at[:len(at)-1]
		case xml.CharData:
			text += string(v) + "\n"
			if len(at) == 0 {
				continue
			}
			switch at[len(at)-1] {
			case "description", "encoded", "summary", "content":
				_, _, more := readHTML(string(v))
				*faults = append(*faults, more...)
			case "link", "loc", "comments":
				if !strings.HasPrefix(strings.TrimSpace(string(v)), "http") && strings.TrimSpace(string(v)) != "" {
					*faults = append(*faults, "leads to "+string(v))
				}
			}
		}
	}
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// sheet is one form of a page.
type sheet struct {
	page, action, method string
	key                  string // tells forms of one kind: the route, and what its fields are called
	parts                bool   // multipart
	fields               []field
	buttons              []button
}

// field is one control of a form.
type field struct {
	name, kind, value string
	required, checked bool
	options           []string // of a list to choose from
}

type button struct{ name, value, action string }

// typed reports whether somebody types into it.
func (f field) typed() bool {
	return slices.Contains([]string{"text", "search", "textarea", "url", "email", "tel", "password", ""}, f.kind)
}

var (
	aUUID   = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	digits  = regexp.MustCompile(`[0-9]+`)
	aMarker = regexp.MustCompile(`^[a-z][a-z_.-]{0,40}$`)
)

// sheets gives the forms of a page.
func (p *press) sheets(page string, root *html.Node) (all []sheet) {
	byID := map[string]int{}
	owner := map[*html.Node]int{}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "form" && !dead(n) {
			byID[attr(n, "id")] = len(all)
			owner[n] = len(all)
			method, action := strings.ToLower(attr(n, "method")), attr(n, "action")
			all = append(all, sheet{page: page, action: resolve(page, action), method: method, parts: attr(n, "enctype") == "multipart/form-data"})
		}
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || !slices.Contains([]string{"input", "textarea", "select", "button"}, n.Data) {
			continue
		}
		i, ok := byID[attr(n, "form")]
		if attr(n, "form") == "" {
			ok = false
			for up := n.Parent; up != nil && !ok; up = up.Parent {
				i, ok = owner[up]
			}
		}
		if !ok || has(n, "disabled") {
			continue
		}
		s, name := &all[i], attr(n, "name")
		f := field{name: name, kind: attr(n, "type"), value: attr(n, "value"), required: has(n, "required"), checked: has(n, "checked")}
		switch n.Data {
		case "button":
			if f.kind != "button" {
				b := button{name: name, value: f.value}
				if has(n, "formaction") {
					b.action = resolve(page, attr(n, "formaction"))
				}
				s.buttons = append(s.buttons, b)
			}
			continue
		case "textarea":
			f.kind, f.value = "textarea", strings.TrimPrefix(textOf(n), "\n")
		case "select":
			f.kind = "select"
			for o := range n.Descendants() {
				if o.Data != "option" || has(o, "disabled") {
					continue
				}
				if f.options = append(f.options, attr(o, "value")); has(o, "selected") {
					f.value = attr(o, "value")
				}
			}
			if f.value == "" && len(f.options) > 0 {
				f.value = f.options[0]
				if name == "staff" { // somebody else than who asks
					f.value = f.options[len(f.options)-1]
				}
			}
		}
		if name != "" {
			s.fields = append(s.fields, f)
		}
	}
	for i := range all {
		all[i].key = p.keyOf(all[i])
	}
	return all
}

// dead reports whether a form stands where nobody comes to it: it is shown as a picture is.
func dead(n *html.Node) bool {
	for up := n; up != nil; up = up.Parent {
		if has(up, "inert") {
			return true
		}
	}
	return false
}

// resolve gives an address that a page names, without the place on that page.
func resolve(page, address string) string {
	base, err := url.Parse(page)
	if err != nil {
		return address
	}
	u, err := base.Parse(address)
	if err != nil || u.Host != "" && u.Host != "quay.example" {
		return address
	}
	u.Scheme, u.Host, u.Fragment = "", "", ""
	return u.String()
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

func (p *press) keyOf(s sheet) string {
	var names []string
	for _, f := range s.fields {
		name := digits.ReplaceAllString(aUUID.ReplaceAllString(f.name, "*"), "#")
		if f.kind == "hidden" && aMarker.MatchString(f.value) {
			name += "=" + f.value
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.ToUpper(s.method) + " " + p.kindOf(strings.ToUpper(s.method), s.action) + " " + strings.Join(slices.Compact(names), " ")
}

// kindOf gives the route of an address of the desk, and of the public site the
// address with what differs from page to page taken out.
func (p *press) kindOf(method, address string) string {
	path, query, _ := strings.Cut(address, "?")
	if strings.HasPrefix(path, "/desk/") {
		_, pattern := p.routes.Handler(httptest.NewRequest(method, "http://quay.example"+path, nil))
		return strings.TrimPrefix(pattern, method+" ")
	}
	if strings.HasPrefix(path, "/ar/") {
		path = path[len("/ar"):]
	}
	switch {
	case strings.Contains(path, "%"):
		return "nowhere"
	case regexp.MustCompile(`^/[^/]+/feed`).MatchString(path):
		return "a section's " + path[strings.LastIndex(path, "/")+1:]
	case regexp.MustCompile(`^/\d{4}/\d\d/[^/]+/?$`).MatchString(path):
		return "a story"
	case regexp.MustCompile(`^/(topic|author)/`).MatchString(path):
		kind, rest, _ := strings.Cut(path[1:], "/")
		_, file, _ := strings.Cut(rest, "/")
		return "/" + kind + "/*/" + file
	case path == "/search":
		return path
	case regexp.MustCompile(`^/[^/.]+/$`).MatchString(path) && !slices.Contains([]string{"/corrections/", "/archive/", "/account/"}, path):
		return "a section or page"
	}
	return digits.ReplaceAllString(path, "#") + strings.Repeat("?", min(1, len(query)))
}
