package editor_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"masthead/internal/doc"
	"masthead/internal/language"
	"masthead/internal/needtest"
	"masthead/internal/web"
	"masthead/ui"
)

// authority is one draft in memory that speaks the draft's protocol, so that
// the editor can be tried without a newsroom round it. Steps are applied by
// internal/doc, as the newsroom does.
type authority struct {
	*httptest.Server

	lang, desk string // of the text and of the page

	mu      sync.Mutex
	start   *doc.Node
	body    *doc.Node
	steps   []map[string]any
	fields  map[string]*field
	threads []map[string]any
	people  map[string]map[string]any
	hearers map[chan event]string
	away    bool // every request fails, as if the server were down
	slow    time.Duration
	uploads int
	broken  int // uploads that are to break
}

type field struct {
	Field   string `json:"field,omitempty"`
	Value   string `json:"value"`
	Version int    `json:"version"`
	By      string `json:"by"`
	ByName  string `json:"by_name"`
	At      string `json:"at"`
}

type event struct {
	name string
	id   int
	data any
}

func newAuthority(t testing.TB, lang, desk string, body *doc.Node) *authority {
	t.Helper()
	assets, err := web.NewAssets(ui.Dist(), web.Theme{})
	if err != nil {
		needtest.Missing(t, "%v", err)
	}
	a := &authority{lang: lang, desk: desk, start: body, body: body, fields: map[string]*field{}, people: map[string]map[string]any{}, hearers: map[chan event]string{}}
	for name, value := range map[string]string{"kicker": "", "headline": "", "summary": ""} {
		a.fields[name] = &field{Value: value, Version: 1, By: "s2", ByName: "Ben", At: "2026-05-03T12:00:00Z"}
	}
	mux := http.NewServeMux()
	mux.Handle("/assets/", assets)
	mux.HandleFunc("GET /{$}", a.page(assets))
	mux.HandleFunc("GET /draft", a.open)
	mux.HandleFunc("GET /draft/steps", a.since)
	mux.HandleFunc("POST /draft/steps", a.push)
	mux.HandleFunc("POST /draft/fields", a.field)
	mux.HandleFunc("POST /draft/presence", a.presence)
	mux.HandleFunc("GET /draft/stream", a.stream)
	mux.HandleFunc("POST /draft/comments", a.comment)
	mux.HandleFunc("POST /draft/comments/{thread}", a.reply)
	mux.HandleFunc("POST /draft/comments/{thread}/{how}", a.resolve)
	mux.HandleFunc("GET /stories.json", a.stories)
	mux.HandleFunc("GET /media/{id}", a.medium)
	mux.HandleFunc("POST /media/{id}", a.medium)
	mux.HandleFunc("POST /media/upload", a.upload)
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		away, slow := a.away, a.slow
		a.mu.Unlock()
		if away && strings.HasPrefix(r.URL.Path, "/draft") {
			panic(http.ErrAbortHandler)
		}
		if strings.HasPrefix(r.URL.Path, "/draft/") {
			time.Sleep(slow)
		}
		w.Header().Set("Content-Security-Policy", web.CSP{}.String())
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		a.CloseClientConnections()
		a.Close()
	})
	return a
}

var pageTemplate = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="{{.Desk}}" dir="{{.DeskDir}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Editor</title>
<meta name="color-scheme" content="light dark">
<link rel="stylesheet" href="{{.CSS}}"><link rel="stylesheet" href="{{.EditorCSS}}"></head>
<body><a class="skip" href="#content">Skip</a><header class="bar"><p class="bar-name"><a href="/">The Orchard <span>Desk</span></a></p></header>
<main id="content" class="desk"><h1 class="unseen">Editor</h1><div data-editor><form><textarea aria-label="Markdown"></textarea></form><script type="application/json">{{.Config}}</script></div></main>
<script src="{{.JS}}" type="module"></script></body></html>`))

func (a *authority) page(assets *web.Assets) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		config := map[string]any{"draft": "/draft", "media": "/media", "stories": "/stories.json", "embed": "", "lang": a.lang, "dir": language.Dir(a.lang),
			"maxFile": 1 << 20, "words": language.Get(a.desk).Table("desk.editor.")}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		err := pageTemplate.Execute(w, map[string]any{"Desk": a.desk, "DeskDir": language.Dir(a.desk), "Config": config,
			"CSS": assets.URL("desk.css"), "EditorCSS": assets.URL("editor.css"), "JS": assets.URL("editor.js")})
		if err != nil {
			fmt.Fprint(w, err)
		}
	}
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

func (a *authority) tell(e event, but string) {
	for ch, client := range a.hearers {
		if client != but {
			select {
			case ch <- e:
			default:
			}
		}
	}
}

func (a *authority) open(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	answer(w, 200, map[string]any{"edition": "e1", "story": "st1", "lang": a.lang, "dir": language.Dir(a.lang), "status": "draft", "version": len(a.steps), "doc": a.body,
		"fields": a.fields, "revision": 1, "kept": 0, "comments": a.threads, "people": []any{}, "me": map[string]any{"staff": "s1", "name": "Ana", "colour": 1, "may_write": true},
		"staff": []map[string]string{{"id": "s1", "name": "Ana"}, {"id": "s2", "name": "Ben"}}})
}

func (a *authority) since(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n, _ := strconv.Atoi(r.FormValue("since"))
	if n > len(a.steps) {
		answer(w, 200, map[string]any{"version": len(a.steps), "reload": true})
		return
	}
	answer(w, 200, map[string]any{"version": len(a.steps), "steps": a.steps[n:]})
}

func (a *authority) push(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Version      int
		Client, ID   string
		Steps        []json.RawMessage
		Anchor, Head *int
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		answer(w, 400, map[string]any{"title": err.Error()})
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if in.Version > len(a.steps) {
		answer(w, 409, map[string]any{"version": len(a.steps), "reload": true})
		return
	}
	if in.Version < len(a.steps) {
		answer(w, 409, map[string]any{"version": len(a.steps), "steps": a.steps[in.Version:]})
		return
	}
	if err := a.take(in.Client, in.Steps...); err != nil {
		answer(w, 400, map[string]any{"title": "invalid", "detail": err.Error()})
		return
	}
	answer(w, 200, map[string]any{"version": len(a.steps)})
}

// take applies steps and tells everybody.
func (a *authority) take(client string, steps ...json.RawMessage) error {
	body := a.body
	for _, raw := range steps {
		step, err := doc.ParseStep(raw)
		if err != nil {
			return err
		}
		if body, err = doc.Apply(body, step); err != nil {
			return err
		}
	}
	first := len(a.steps)
	a.body = body
	for _, raw := range steps {
		a.steps = append(a.steps, map[string]any{"version": len(a.steps) + 1, "client": client, "staff": "s1", "step": raw})
	}
	a.tell(event{"steps", len(a.steps), map[string]any{"version": len(a.steps), "steps": a.steps[first:]}}, "")
	return nil
}

// write makes somebody else's change.
func (a *authority) write(t testing.TB, step doc.Step) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.take("other", step.JSON()); err != nil {
		t.Fatal(err)
	}
}

func (a *authority) field(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Field, Value string
		Version      int
	}
	json.NewDecoder(r.Body).Decode(&in)
	a.mu.Lock()
	defer a.mu.Unlock()
	f := a.fields[in.Field]
	if f.Version != in.Version {
		answer(w, 409, map[string]any{"field": in.Field, "theirs": f, "yours": in.Value})
		return
	}
	a.setField(in.Field, in.Value, "Ana")
	answer(w, 200, a.fields[in.Field])
}

func (a *authority) setField(name, value, by string) {
	old := a.fields[name]
	a.fields[name] = &field{Field: name, Value: strings.TrimSpace(value), Version: old.Version + 1, By: by, ByName: by, At: "2026-05-03T12:00:00Z"}
	a.tell(event{"field", 0, a.fields[name]}, "")
}

func (a *authority) presence(w http.ResponseWriter, r *http.Request) {
	var in map[string]any
	json.NewDecoder(r.Body).Decode(&in)
	a.mu.Lock()
	defer a.mu.Unlock()
	client, _ := in["client"].(string)
	if in["left"] == true {
		delete(a.people, client)
	} else {
		in["staff"], in["name"], in["colour"] = client, cmp.Or(a.nameOf(client), "Ben"), len(a.people)%8
		a.people[client] = in
	}
	for ch, who := range a.hearers {
		var list []any
		for c, p := range a.people {
			if c != who {
				list = append(list, p)
			}
		}
		select {
		case ch <- event{"presence", 0, map[string]any{"people": append([]any{}, list...)}}:
		default:
		}
	}
	w.WriteHeader(204)
}

func (a *authority) nameOf(client string) string { return map[string]string{"other": "Ben"}[client] }

func (a *authority) stream(w http.ResponseWriter, r *http.Request) {
	ch := make(chan event, 1000)
	a.mu.Lock()
	n, _ := strconv.Atoi(r.FormValue("version"))
	if last, err := strconv.Atoi(r.Header.Get("Last-Event-ID")); err == nil {
		n = last
	}
	ch <- event{"hello", 0, map[string]any{"version": len(a.steps), "may_write": true}}
	if n < len(a.steps) {
		ch <- event{"steps", len(a.steps), map[string]any{"version": len(a.steps), "steps": a.steps[n:]}}
	}
	ch <- event{"comments", 0, map[string]any{"version": len(a.steps), "comments": append([]map[string]any{}, a.threads...)}}
	a.hearers[ch] = r.FormValue("client")
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		delete(a.hearers, ch)
		a.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w)
	fmt.Fprint(w, "retry: 300\n\n")
	flush.Flush()
	for {
		select {
		case <-r.Context().Done():
			return
		case e := <-ch:
			if e.name == "" {
				return
			}
			data, _ := json.Marshal(e.data)
			if e.id > 0 {
				fmt.Fprintf(w, "id: %d\n", e.id)
			}
			fmt.Fprintf(w, "event: %s\ndata: %s\n\n", e.name, data)
			flush.Flush()
		}
	}
}

// down lets the server be away, or back.
func (a *authority) down(away bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.away = away
	if away {
		for ch := range a.hearers {
			ch <- event{} // the stream ends
		}
	}
}

func (a *authority) comment(w http.ResponseWriter, r *http.Request) {
	var in map[string]any
	json.NewDecoder(r.Body).Decode(&in)
	a.mu.Lock()
	defer a.mu.Unlock()
	t := map[string]any{"id": fmt.Sprint("t", len(a.threads)+1), "kind": "note", "resolved": false, "comments": []any{said("Ana", in)}}
	if in["from"] != nil {
		t["kind"], t["from"], t["to"], t["anchor"] = "passage", in["from"], in["to"], in["anchor"]
		t["anchor"] = "the words"
	}
	a.threads = append(a.threads, t)
	a.tellThreads()
	answer(w, 200, t)
}

func said(name string, in map[string]any) map[string]any {
	return map[string]any{"id": "c", "staff": map[string]string{"Ana": "s1", "Ben": "s2"}[name], "name": name, "at": "2026-05-03T12:00:00Z", "text": in["text"], "mentions": []any{}}
}

func (a *authority) tellThreads() {
	a.tell(event{"comments", 0, map[string]any{"version": len(a.steps), "comments": append([]map[string]any{}, a.threads...)}}, "")
}

func (a *authority) reply(w http.ResponseWriter, r *http.Request) {
	var in map[string]any
	json.NewDecoder(r.Body).Decode(&in)
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, t := range a.threads {
		if t["id"] == r.PathValue("thread") {
			t["comments"] = append(t["comments"].([]any), said("Ana", in))
			answer(w, 200, t)
		}
	}
	a.tellThreads()
}

func (a *authority) resolve(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, t := range a.threads {
		if t["id"] == r.PathValue("thread") {
			t["resolved"], t["resolved_by"] = r.PathValue("how") == "resolve", "Ana"
			answer(w, 200, t)
		}
	}
	a.tellThreads()
}

func (a *authority) stories(w http.ResponseWriter, r *http.Request) {
	list := []map[string]string{}
	for id, headline := range map[string]string{"harvest": "The harvest that came early", "frost": "Frost over the orchard"} {
		if q := strings.ToLower(r.FormValue("q")); q != "" && strings.Contains(strings.ToLower(headline), q) || r.FormValue("id") == id {
			list = append(list, map[string]string{"id": id, "headline": headline, "kicker": "Country", "lang": "en", "dir": "ltr", "url": "/en/" + id, "detail": "Country · 3 May 2026"})
		}
	}
	answer(w, 200, map[string]any{"stories": list})
}

var medium = map[string]any{"id": "m1", "kind": "picture", "src": "/assets/picture.svg", "width": 640, "height": 400, "alt": "", "caption": "", "credit": "Rima Haddad", "licence": "CC BY 4.0", "focal": map[string]any{"x": 50, "y": 50}, "name": "orchard.jpg", "bytes": 1000}

func (a *authority) medium(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	m := map[string]any{}
	for k, v := range medium {
		m[k] = v
	}
	m["id"] = r.PathValue("id")
	m["src"] = "data:image/svg+xml," + template.URLQueryEscaper(`<svg xmlns="http://www.w3.org/2000/svg" width="640" height="400"><rect width="640" height="400" fill="#7d8f69"/><circle cx="470" cy="120" r="60" fill="#e3c878"/><path d="M0 400L200 190 380 400zM260 400L450 230 640 400z" fill="#42543b"/></svg>`)
	m["src"] = strings.ReplaceAll(m["src"].(string), "+", "%20")
	m["src"] = strings.Replace(m["src"].(string), "svg%20xml", "svg+xml", 1)
	if m["id"] == "m4" {
		m["src"], m["kind"] = "/silence.mp3", "audio"
	}
	if r.Method == "POST" {
		var in map[string]any
		json.NewDecoder(r.Body).Decode(&in)
		for k, v := range in {
			m[k], medium[k] = v, v
		}
	}
	answer(w, 200, m)
}

func (a *authority) upload(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	broken := a.broken > 0
	a.broken = max(0, a.broken-1)
	a.mu.Unlock()
	if broken {
		panic(http.ErrAbortHandler)
	}
	file, header, err := r.FormFile("file")
	if err != nil {
		answer(w, 400, map[string]any{"title": err.Error()})
		return
	}
	io.Copy(io.Discard, file)
	if strings.HasSuffix(header.Filename, ".exe") {
		answer(w, 415, map[string]any{"title": "unsupported", "detail": "a program is no picture"})
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.uploads++
	m := map[string]any{}
	for k, v := range medium {
		m[k] = v
	}
	m["id"], m["name"] = fmt.Sprint("m", a.uploads), header.Filename
	m["src"] = "data:image/svg+xml,%3Csvg%20xmlns='http://www.w3.org/2000/svg'%20width='640'%20height='400'%3E%3Crect%20width='640'%20height='400'%20fill='%237d8f69'/%3E%3C/svg%3E"
	answer(w, 200, m)
}

// text gives the document as Markdown, to compare.
func (a *authority) markdown() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return doc.Settle(a.body).Markdown()
}

func (a *authority) node() *doc.Node {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.body
}
