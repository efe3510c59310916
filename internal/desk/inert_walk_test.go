package desk

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// rungs are the texts that are tried in a field, one after another until one is
// taken: all that breaks out of text, attribute, script, template and cell at
// once; then what an address may look like, what is short, and what has no
// brackets. MARK is a word by which it is found again.
var rungs = []string{
	`=cmd|MARK"'><img src=x alt=y onerror=zzmark()><zzmark>{{.}}</textarea></title></script><script>zzmark()</script><!--`,
	`javascript:zzmark("MARK")`,
	`https://quay.example/MARK"><zzmark>`,
	`/MARK"><zzmark>`,
	`"><zzmark>MARK`,
	`"MARK<zzmark>"@quay.example`,
	`MARK" onfocus=zzmark() x="`,
}

// addressed names the fields in which an address is tried first.
var addressed = regexp.MustCompile(`url|link|website|canonical|^to$|href|next|back`)

// mark gives the text of a rung with a new mark in it.
func (c *hostile) mark(rung int) string {
	c.n++
	mark := fmt.Sprintf("zz%04dzz", c.n)
	return strings.ReplaceAll(rungs[rung], "MARK", mark)
}

// get reads an address, and says what is wrong with the answer.
func (c *hostile) get(g guest, address string) (int, *sheetPage) {
	w := g.ask("GET", address, "", nil)
	return w.Code, c.judge(g, "GET", address, w)
}

type sheetPage struct {
	forms []sheet
	links []string
}

// judge reads an answer and says what is wrong with it.
func (c *hostile) judge(g guest, method, address string, w *httptest.ResponseRecorder) *sheetPage {
	c.Helper()
	kind := c.kindOf(method, address)
	faults, marks, root := readAnswer(w)
	for _, f := range faults {
		c.Errorf("%s %s (%d, in %q) %s", method, address, w.Code, g.lang, f)
	}
	if w.Code >= 500 {
		c.Errorf("%s %s = %d %s", method, address, w.Code, w.Body)
	}
	for _, m := range marks {
		if c.seen[m] == nil {
			c.seen[m] = map[string]bool{}
		}
		c.seen[m][kind] = true
	}
	page := &sheetPage{}
	if root == nil {
		return page
	}
	page.forms = c.sheets(address, root)
	for n := range root.Descendants() {
		for _, name := range []string{"href", "src"} {
			if n.Data != "img" && attr(n, name) != "" {
				page.links = append(page.links, resolve(address, attr(n, name)))
			}
		}
	}
	return page
}

// crawl reads every page that can be reached, some of each kind, and gives the
// forms on them. A form that only asks is asked with hostile words.
func (c *hostile) crawl(g guest, doors ...string) (forms []sheet) {
	const each, rooms = 6, 32
	known, kinds := map[string]bool{}, map[string]int{}
	asked := map[string]bool{}
	desk := strings.HasPrefix(doors[0], "/desk/")
	for queue := slices.Clone(doors); len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if known[at] || strings.HasPrefix(at, "/assets/") && !strings.Contains(at, ".css") || strings.HasPrefix(at, "/media/") || !strings.HasPrefix(at, "/") || strings.HasPrefix(at, "/desk/") != desk && !strings.HasPrefix(at, "/assets/") {
			continue
		}
		known[at] = true
		kind := c.kindOf("GET", at)
		like := kind // pages of one kind that are asked in the same way
		if u, err := url.Parse(at); err == nil {
			like += strings.Join(slices.Sorted(maps.Keys(u.Query())), "&")
		}
		if kinds[like]++; kinds[like] > each && kind != "/desk/stories/{edition}" || kinds[like] > rooms || strings.HasSuffix(kind, "/stream") {
			continue
		}
		status, page := c.get(g, at)
		if status < 400 {
			c.read[kind]++
		}
		if edition, ok := strings.CutSuffix(at, "/write"); ok { // what its script asks for
			for _, r := range c.Routes() {
				if path, ok := strings.CutPrefix(r.Pattern, "GET /desk/stories/{edition}/draft"); ok && r.JSON && !strings.Contains(path, "{") {
					queue = append(queue, edition+"/draft"+path+"?since=0")
				}
			}
		}
		queue = append(queue, page.links...)
		for _, f := range page.forms {
			ask := f.key + aUUID.ReplaceAllString(f.action, "*")
			if f.method != "post" && !asked[ask] {
				asked[ask] = true
				values := url.Values{}
				for _, x := range f.fields {
					if x.typed() {
						x.value = c.mark(0)
					}
					values.Set(x.name, x.value)
				}
				path, _, _ := strings.Cut(f.action, "?")
				c.get(g, path+"?"+values.Encode())
				for _, x := range f.fields {
					if x.typed() {
						values.Set(x.name, "zz") // which many a text has
					}
					switch x.name { // which match elsewhere
					case "merge":
						values.Set(x.name, "cmd")
					case "portrait":
						values.Set(x.name, "jpg")
					}
				}
				queue = append(queue, path+"?"+values.Encode())
			}
		}
		forms = append(forms, page.forms...)
	}
	return forms
}

// feed fills in a form with hostile text: all of it at once and, when that is
// refused, field by field, each with the texts of [rungs] until one is taken.
// It reports whether the form was taken at all.
func (c *hostile) feed(g guest, f sheet) (taken bool) {
	const each = 3
	if c.done[f.key+f.action] || c.fed[f.key] >= each {
		return false
	}
	c.fed[f.key]++
	var typed, others []string
	for _, x := range f.fields {
		switch {
		case x.typed() && !slices.Contains(typed, x.name):
			typed = append(typed, x.name)
		case x.kind != "file" && !slices.Contains(others, x.name) && !slices.Contains(typed, x.name):
			others = append(others, x.name)
		}
	}
	ends := stageOf(c.kindOf("POST", f.action)) == ends
	if c.fed[f.key] == 1 && !ends { // each other field once, with what it cannot mean: the answer is inert
		for _, name := range others {
			c.send(g, f, map[string]int{name: 0}, leave, 0)
		}
	}
	buttons := map[string]bool{}
	for i := len(f.buttons) - 1; i > 0; i-- {
		if b := f.buttons[i]; !buttons[b.name] {
			buttons[b.name] = true
			c.send(g, f, c.all(typed), leave, i)
		}
	}
	label := func(name string) string {
		return f.key + " · " + digits.ReplaceAllString(aUUID.ReplaceAllString(name, "*"), "#")
	}
	// As it stands, with every list chosen from and box ticked, and with every field filled in.
	fill := leave
	for ; fill <= everything; fill++ {
		status := c.send(g, f, c.all(typed), fill, 0)
		if status == 0 { // the form is gone meanwhile
			c.fed[f.key]--
			return false
		}
		if status < 400 {
			c.done[f.key+f.action] = true
			for _, name := range typed {
				c.took[label(name)] = true
			}
			return true
		}
	}
	c.done[f.key+f.action] = true
	for fill = leave; fill <= everything; fill++ { // what is taken in good faith?
		if taken = c.send(g, f, nil, fill, 0) < 400; taken || len(typed) == 1 {
			break
		}
	}
	good := map[string]int{}
	for _, name := range typed {
		if c.never[label(name)] {
			continue
		}
		for _, rung := range c.rungsFor(name) {
			if status := c.send(g, f, map[string]int{name: rung}, min(fill, everything), 0); status == 0 {
				break
			} else if status < 400 {
				good[name] = rung
				c.took[label(name)] = true
				break
			}
		}
		if _, ok := good[name]; !ok {
			c.never[label(name)] = true
		}
	}
	if len(good) > 1 {
		c.send(g, f, good, min(fill, everything), 0)
	}
	return taken || len(good) > 0
}

// How the fields of a form are filled in that get no hostile text.
const (
	leave      = iota // as they stand, and what must be filled in
	boxes             // with a box of each name ticked besides
	everything        // with every empty field filled in besides
)

func (c *hostile) rungsFor(name string) []int {
	if addressed.MatchString(name) {
		return []int{1, 2, 3, 0, 4, 5, 6}
	}
	return []int{0, 1, 2, 3, 4, 5, 6}
}

func (c *hostile) all(typed []string) map[string]int {
	all := map[string]int{}
	for _, name := range typed {
		all[name] = c.rungsFor(name)[0]
	}
	return all
}

// send fills in a form as its page has it now: bad names the fields that get a
// hostile text, and which; the others keep what stands in them, or get
// something that will do. It gives the status of the answer; 0 when the form is
// there no more.
func (c *hostile) send(g guest, f sheet, bad map[string]int, fill, press int) int {
	c.Helper()
	_, page := c.get(g, f.page)
	i := slices.IndexFunc(page.forms, func(x sheet) bool { return x.key == f.key && x.action == f.action })
	if i < 0 {
		return 0
	}
	f = page.forms[i]
	var b bytes.Buffer
	parts := multipart.NewWriter(&b)
	values := url.Values{}
	ticked := map[string]bool{}
	for _, x := range f.fields {
		rung, isBad := bad[x.name]
		value := x.value
		switch {
		case isBad && x.kind != "file":
			value = c.mark(rung)
		case x.kind == "file":
			c.file(parts, f, x)
			continue
		case x.kind == "checkbox" || x.kind == "radio":
			if !x.checked && (fill == leave || ticked[x.name]) {
				continue
			}
			ticked[x.name] = true
		case value == "" && (x.required || x.kind == "number" || fill == everything):
			value = c.plain(x)
		}
		values.Add(x.name, value)
	}
	action := f.action
	if press < len(f.buttons) {
		pressed := f.buttons[press]
		action = cmp.Or(pressed.action, action)
		if pressed.name != "" {
			values.Add(pressed.name, pressed.value)
		}
	}
	body, kind := []byte(values.Encode()), "application/x-www-form-urlencoded"
	if f.parts {
		for name, all := range values {
			for _, v := range all {
				if err := parts.WriteField(name, v); err != nil {
					c.Fatal(err)
				}
			}
		}
		parts.Close()
		body, kind = b.Bytes(), parts.FormDataContentType()
	}
	w := g.ask("POST", action, kind, body)
	c.judge(g, "POST", action, w)
	c.sent[c.kindOf("POST", action)]++
	taken := w.Code < 400
	if taken {
		c.settle(c.T)
		if to := w.Header().Get("Location"); strings.HasPrefix(to, "/") {
			c.get(g, to)
		}
		delete(c.shut, f.key)
		c.fed[f.key+" taken"]++
	} else if c.fed[f.key+" taken"] == 0 {
		c.shut[f.key] = fmt.Sprintf("%d %s", w.Code, alerts.FindString(w.Body.String()))
	}
	return w.Code
}

var alerts = regexp.MustCompile(`(?s)<[^>]*role="alert".{0,300}`)

// plain gives what a field takes in good faith.
func (c *hostile) plain(x field) string {
	c.n++
	switch {
	case len(x.options) > 0:
		return x.options[min(1, len(x.options)-1)]
	case x.kind == "email", x.name == "email":
		return fmt.Sprintf("p%d@quay.example", c.n)
	case x.kind == "url", addressed.MatchString(x.name):
		return "https://quay.example/region/"
	case x.kind == "number":
		return "7"
	case x.kind == "date":
		return now.AddDate(0, 0, 2).Format(time.DateOnly)
	case x.kind == "datetime-local":
		return now.AddDate(0, 0, 2).Format("2006-01-02T15:04")
	case x.kind == "color":
		return "#7a1f2b"
	case x.name == "topics", x.name == "byline", x.name == "canonical":
		return ""
	case x.name == "from":
		return fmt.Sprintf("/old/%d", c.n)
	case x.name == "slug":
		return fmt.Sprintf("slug-%d", c.n)
	case x.kind == "hidden", x.kind == "password":
		return x.value
	}
	return fmt.Sprintf("word %d", c.n)
}

// file adds a file of a hostile name, and of hostile content where it is read as text.
func (c *hostile) file(parts *multipart.Writer, f sheet, x field) {
	content := jpegPicture(c.T, uint8(c.n))
	name := c.mark(0)
	switch {
	case strings.HasSuffix(f.action, "/readers/import"):
		quoted := strings.ReplaceAll(c.mark(0), `"`, `""`)
		content = fmt.Appendf(nil, "email,name,labels,note\nl%d@quay.example,\"%s\",\"%s\",\"%s\"\n\"%s\",x,x,x\n", c.n, quoted, quoted, quoted, quoted)
	case strings.HasSuffix(f.action, "/redirects/import"):
		quoted := strings.ReplaceAll(c.mark(0), `"`, `""`)
		content = fmt.Appendf(nil, "from,to\n\"/old/%s\",/region/\n/old/%d,\"javascript:%s\"\n\"%s\",\"%s\"\n", quoted, c.n, quoted, quoted, quoted)
	}
	part, err := parts.CreateFormFile(x.name, strings.ReplaceAll(name, "/", "")+".jpg")
	if err != nil {
		c.Fatal(err)
	}
	part.Write(content)
}

// redraft puts a wall live that hangs together, and a draft of it on trial:
// every name and word of it is hostile.
func (c *hostile) redraft(g guest) {
	c.Helper()
	for _, at := range []string{"/desk/wall/drop", "/desk/wall", "/desk/wall/words", "/desk/wall/live", "/desk/wall", "/desk/wall/words", "/desk/wall/trial"} {
		_, page := c.get(g, strings.TrimSuffix(strings.TrimSuffix(at, "/drop"), "/live"))
		for _, f := range page.forms {
			if path, _, _ := strings.Cut(f.action, "?"); f.method != "post" || path != at {
				continue
			}
			bad := map[string]int{}
			for _, x := range f.fields {
				if x.name == "name" || x.name == "text" || strings.HasPrefix(x.name, "name.") || strings.HasPrefix(x.name, "word.") {
					bad[x.name] = 4
				}
			}
			if status := c.send(g, f, bad, leave, 0); status >= 400 {
				c.Errorf("%s = %d %s", at, status, c.shut[f.key])
			}
		}
	}
}

// script does what the editor's script does: what it sends goes into the same
// pages. An address that runs a script is no link.
func (c *hostile) script(g guest) {
	c.Helper()
	list, err := c.Staff.List(c.Context(), c.DB.Read())
	if err != nil {
		c.Fatal(err)
	}
	var people []string
	for _, p := range list {
		people = append(people, p.ID)
	}
	editions, err := c.Stories.Editions(c.Context(), c.DB.Read(), c.stories[0])
	if err != nil {
		c.Fatal(err)
	}
	for _, e := range editions {
		at, translated := "/desk/stories/"+e.EditionID+"/draft", http.StatusOK
		if e.Lang == "en" {
			translated = http.StatusNotFound // it is the original
		}
		var is draftJSON
		var thread threadJSON
		ask := func(method, path string, v any) int {
			body, err := json.Marshal(v)
			if err != nil {
				c.Fatal(err)
			}
			w := g.ask(method, at+path, "application/json", body)
			c.judge(g, method, at+path, w)
			kind := c.kindOf(method, at+path)
			if method == "GET" {
				c.read[kind]++
			} else {
				c.sent[kind]++
			}
			if w.Code == http.StatusOK && (path == "" || path == "/comments") {
				into := any(&is)
				if path != "" {
					into = &thread
				}
				if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
					c.Fatal(err)
				}
			}
			return w.Code
		}
		paragraph := func(marks ...any) any {
			text := map[string]any{"type": "text", "text": c.mark(0)}
			if marks != nil {
				text["marks"] = marks
			}
			return map[string]any{"stepType": "replace", "from": 0, "to": 0, "slice": map[string]any{"content": []any{map[string]any{"type": "paragraph", "content": []any{text}}}}}
		}
		type object = map[string]any
		ask("GET", "", nil)
		for _, try := range []struct {
			path string
			body object
			want int
		}{
			{"/steps", object{"version": is.Version, "client": "a-script", "id": "one", "steps": []any{paragraph()}}, 200},
			{"/steps", object{"version": is.Version + 1, "client": "a-script", "id": "two", "steps": []any{paragraph(object{"type": "link", "attrs": object{"href": rungs[1]}})}}, 400},
			{"/fields", object{"field": "kicker", "version": is.Fields["kicker"].Version, "value": c.mark(0)}, 200},
			{"/comments", object{"version": is.Version + 1, "from": 1, "to": 9, "text": c.mark(0), "mentions": people}, 200},
			{"/presence", object{"client": rungs[0], "version": is.Version}, 400},
			{"/keep", object{}, 200},
			{"/restore", object{"revision": 1}, 200},
			{"/fields", object{"field": "summary", "version": is.Fields["summary"].Version, "value": c.mark(0)}, 200},
			{"/keep", object{}, 200},
			{"/translated", object{"revision": 1}, translated},
		} {
			if got := ask("POST", try.path, try.body); got != try.want {
				c.Errorf("POST %s%s = %d, want %d", at, try.path, got, try.want)
			}
		}
		for _, path := range []string{"", "/resolve", "/reopen"} {
			body := object{}
			if path == "" {
				body = object{"text": c.mark(0), "mentions": people}
			}
			if got := ask("POST", "/comments/"+thread.ID+path, body); got != http.StatusOK {
				c.Errorf("POST %s/comments/…%s = %d", at, path, got)
			}
		}
		if e.Lang != "en" {
			at = "/desk/stories/" + e.EditionID
			if got := ask("GET", "/translate/"+editions[0].EditionID+"/state", nil); got != http.StatusOK {
				c.Errorf("GET %s/translate/…/state = %d", at, got)
			}
			continue
		}
		for _, path := range []string{"/revisions", "/revisions/2", "/diff?from=1&to=2", "/diff?from=1", "/original"} {
			if got := ask("GET", path, nil); got != http.StatusOK && path != "/original" {
				c.Errorf("GET %s%s = %d", at, path, got)
			}
		}
	}
}
