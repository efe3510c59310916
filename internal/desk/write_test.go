package desk

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/draft"
	"masthead/internal/relay"
	"masthead/internal/staff"
	"masthead/internal/story"
	"masthead/internal/web"
)

// writing is a desk behind a real server, as app builds it: the shield, short
// limits of time, and the relay.
type writing struct {
	*office
	server *httptest.Server
	at     string // of the draft
	ed     story.Edition
}

// newWriting makes a node of the newsroom in d; the first makes the story too.
func newWriting(t *testing.T, d *db.DB, first *writing) *writing {
	t.Helper()
	o := newOffice1(t, d, first)
	w := &writing{office: o}
	r := relay.New(d, slog.New(slog.DiscardHandler))
	tell := func(ctx context.Context, q db.Queryer, tags ...string) error {
		if tx, ok := q.(*db.Tx); ok {
			tx.AfterCommit("relay", func() { r.Committed(ctx) })
		}
		return relay.Tell(ctx, q, tags...)
	}
	o.Drafts = &draft.Store{Now: time.Now, Stories: o.Stories, Tell: tell}
	o.Room = draft.NewRoom(time.Now, tell)
	o.Stories.Changed = append(o.Stories.Changed, o.Drafts.Follow)
	o.Staff.Now = time.Now
	r.On(o.Room.Hear)
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Stop)
	handler, err := web.Shield(o.Desk.Handler(), web.ShieldOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.server = httptest.NewUnstartedServer(handler)
	w.server.Config.ReadTimeout, w.server.Config.WriteTimeout = 500*time.Millisecond, 500*time.Millisecond
	w.server.Start()
	t.Cleanup(w.server.Close)
	t.Cleanup(o.Room.Close)
	if first != nil {
		w.ed = first.ed
	} else {
		w.ed = o.add(t, "ferry", "en", "The ferry", story.Draft, now, story.Story{})
	}
	w.at = "/desk/stories/" + w.ed.ID + "/draft"
	return w
}

// newOffice1 gives an office; of a newsroom that has one already, another node's.
func newOffice1(t *testing.T, d *db.DB, first *writing) *office {
	if first == nil {
		return newOffice(t, d)
	}
	o := *first.office
	desk := *first.office.Desk
	stories := *desk.Stories
	stories.Changed = nil
	desk.Stories = &stories
	o.Desk = &desk
	return &o
}

// visitor is one of the staff with a browser.
type visitor struct {
	t      *testing.T
	w      *writing
	person staff.Person
	cookie string
}

func (w *writing) visitor(t *testing.T, name string, role staff.Role) *visitor {
	t.Helper()
	v := &visitor{t: t, w: w}
	w.tx(t, func(tx *db.Tx) (err error) {
		if v.person, err = w.Staff.Add(t.Context(), tx, staff.Person{Email: strings.ToLower(name) + "@quay.example", Name: name, Role: role}); err != nil {
			return err
		}
		_, v.cookie, err = w.Staff.StartSession(t.Context(), tx, v.person.ID, staff.Made{By: staff.ByPasskey})
		return err
	})
	return v
}

func (v *visitor) request(method, path string, body any) *http.Request {
	v.t.Helper()
	var b bytes.Buffer
	if text, ok := body.(string); ok {
		b.WriteString(text)
	} else if body != nil {
		if err := json.NewEncoder(&b).Encode(body); err != nil {
			v.t.Fatal(err)
		}
	}
	if !strings.HasPrefix(path, "/desk/") {
		path = v.w.at + path
	}
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.w.server.URL+path, &b)
	if err != nil {
		v.t.Fatal(err)
	}
	if method == "POST" {
		r.Header.Set("Content-Type", "application/json")
	}
	if v.cookie != "" {
		r.AddCookie(&http.Cookie{Name: "staff", Value: v.cookie})
	}
	return r
}

// ask sends a request, wants a status, and reads the answer into out.
func (v *visitor) ask(status int, method, path string, body, out any) {
	v.t.Helper()
	res, err := http.DefaultClient.Do(v.request(method, path, body))
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	if res.StatusCode != status {
		v.t.Fatalf("%s %s = %d %s, want %d", method, path, res.StatusCode, answer, status)
	}
	kind := res.Header.Get("Content-Type")
	if status >= 400 && status != 409 && kind != "application/problem+json" || len(answer) > 0 && status < 400 && kind != "application/json" {
		v.t.Errorf("%s %s = %d as %q", method, path, status, kind)
	}
	if out != nil {
		if err := json.Unmarshal(answer, out); err != nil {
			v.t.Fatalf("%s: %v", answer, err)
		}
	}
}

type object = map[string]any

func typed(pos int, text string) object {
	return object{"stepType": "replace", "from": pos, "to": pos, "slice": object{"content": []object{{"type": "text", "text": text}}}}
}

// event is one of a stream.
type event struct {
	name, id string
	data     object
	at       time.Time
}

// listen opens the stream and gives what comes; the channel ends with it.
func (v *visitor) listen(query string) <-chan event {
	v.t.Helper()
	r := v.request("GET", "/stream?"+query, nil)
	r.Header.Set("Accept-Encoding", "gzip") // as browsers ask; the stream must come at once all the same
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" || res.Header.Get("Content-Encoding") != "" || res.Header.Get("No-Gzip-Compression") != "" {
		v.t.Fatalf("stream = %d %v", res.StatusCode, res.Header)
	}
	events := make(chan event, 200)
	go func() {
		defer close(events)
		defer res.Body.Close()
		var e event
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			key, value, _ := strings.Cut(lines.Text(), ": ")
			switch key {
			case "event":
				e.name = value
			case "id":
				e.id = value
			case "data":
				json.Unmarshal([]byte(value), &e.data)
			case "":
				if e.name != "" {
					e.at = time.Now()
					events <- e
				}
				e = event{}
			}
		}
	}()
	return events
}

// next gives the next event of that name; others before it are passed over.
func next(t *testing.T, events <-chan event, name string) event {
	t.Helper()
	for limit := time.After(8 * time.Second); ; {
		select {
		case e, ok := <-events:
			if !ok {
				t.Fatalf("the stream ended before %s", name)
			}
			if e.name == name {
				return e
			}
		case <-limit:
			t.Fatalf("no %s", name)
		}
	}
}

func TestWriteOverHTTP(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWriting(t, d, nil)
		ada, bob := w.visitor(t, "Eva", staff.Editor), w.visitor(t, "Bob", staff.Editor)
		var open struct {
			draftJSON
			Doc json.RawMessage `json:"doc"`
		}
		ada.ask(200, "GET", "", nil, &open)
		if open.Version != 0 || open.Edition != w.ed.ID || open.Dir != "ltr" || open.Fields["headline"].Value != "The ferry" || !open.Me.MayWrite ||
			open.Me.Name != "Eva" || len(open.Staff) != 3 || open.Translation != nil || open.Comments == nil || open.People == nil ||
			!strings.Contains(string(open.Doc), "Words of ferry.") {
			t.Fatalf("%+v %s", open, open.Doc)
		}
		var v versionJSON
		push := object{"version": 0, "client": "a", "id": "1", "steps": []object{typed(1, "A "), typed(3, "B ")}, "anchor": 5, "head": 5}
		for range 2 { // the answer to the first was lost
			ada.ask(200, "POST", "/steps", push, &v)
			if v.Version != 2 {
				t.Fatalf("version %d", v.Version)
			}
		}
		var missed missedJSON
		bob.ask(409, "POST", "/steps", object{"version": 0, "client": "b", "id": "1", "steps": []object{typed(1, "late ")}}, &missed)
		if missed.Version != 2 || len(missed.Steps) != 2 || missed.Steps[0].Client != "a" || missed.Steps[1].Version != 2 || missed.Steps[0].Staff != ada.person.ID || missed.Reload {
			t.Fatalf("%+v", missed)
		}
		bob.ask(200, "GET", "/steps?since=1", nil, &missed)
		if missed.Version != 2 || len(missed.Steps) != 1 {
			t.Errorf("%+v", missed)
		}
		missed = missedJSON{}
		bob.ask(409, "POST", "/steps", object{"version": 99, "client": "b", "id": "1", "steps": []object{typed(1, "late ")}}, &missed)
		if !missed.Reload || missed.Version != 2 {
			t.Errorf("%+v", missed)
		}
		for name, bad := range map[string]any{
			"does not fit":  object{"version": 2, "client": "b", "id": "1", "steps": []object{typed(999, "x")}},
			"hostile":       object{"version": 2, "client": "b", "id": "1", "steps": []object{{"stepType": "addMark", "from": 1, "to": 2, "mark": object{"type": "link", "attrs": object{"href": "javascript:x"}}}}},
			"half a pair":   `{"version":2,"client":"b","id":"1","steps":[{"stepType":"replace","from":1,"to":1,"slice":{"content":[{"type":"text","text":"\ud83d"}]}}]}`,
			"unknown field": object{"version": 2, "client": "b", "id": "1", "steps": []object{typed(1, "x")}, "x": 1},
			"no JSON":       "steps",
			"two":           "{} {}",
		} {
			t.Run(name, func(t *testing.T) { bob.ask(400, "POST", "/steps", bad, nil) })
		}
		bob.ask(413, "POST", "/steps", object{"version": 2, "client": "b", "id": "1", "steps": []object{typed(1, strings.Repeat("x", maxPush))}}, nil)
		form := bob.request("POST", "/fields", `{}`)
		form.Header.Set("Content-Type", "text/plain") // what another site's form can send
		if res, err := http.DefaultClient.Do(form); err != nil || res.StatusCode != 400 {
			t.Errorf("a form: %v %v", res, err)
		}

		var f fieldJSON
		ada.ask(200, "POST", "/fields", object{"field": "headline", "version": 0, "value": " The boat "}, &f)
		if f.Field != "headline" || f.Value != "The boat" || f.Version != 1 || f.ByName != "Eva" {
			t.Errorf("%+v", f)
		}
		var both struct {
			Field  string
			Theirs fieldJSON
			Yours  string
		}
		bob.ask(409, "POST", "/fields", object{"field": "headline", "version": 0, "value": "The ship"}, &both)
		if both.Field != "headline" || both.Theirs.Value != "The boat" || both.Theirs.Version != 1 || both.Theirs.ByName != "Eva" || both.Yours != "The ship" {
			t.Errorf("%+v", both)
		}

		var th threadJSON
		bob.ask(200, "POST", "/comments", object{"version": 0, "from": 1, "to": 6, "text": "Sure?", "mentions": []string{ada.person.ID}}, &th)
		if th.Kind != "passage" || th.Anchor != "Words" || *th.From != 5 || th.Comments[0].Name != "Bob" || th.Comments[0].Mentions[0].Name != "Eva" {
			t.Errorf("%+v", th)
		}
		ada.ask(200, "POST", "/comments/"+th.ID, object{"text": "Yes"}, &th)
		ada.ask(200, "POST", "/comments/"+th.ID+"/resolve", object{}, &th)
		if !th.Resolved || th.ResolvedBy != "Eva" || len(th.Comments) != 2 {
			t.Errorf("%+v", th)
		}
		th = threadJSON{}
		ada.ask(200, "POST", "/comments", object{"text": "A note"}, &th)
		ada.ask(404, "POST", "/comments/none/reopen", object{}, nil)

		var kept struct{ Revision, Version int64 }
		ada.ask(200, "POST", "/keep", object{}, &kept)
		if kept.Revision != 2 || kept.Version != 2 {
			t.Errorf("%+v", kept)
		}
		var list struct{ Revisions []revisionJSON }
		bob.ask(200, "GET", "/revisions", nil, &list)
		if len(list.Revisions) != 2 || list.Revisions[0].Revision != 2 || list.Revisions[0].Headline != "The boat" || fmt.Sprint(list.Revisions[0].Contributors) != "[Eva]" || list.Revisions[0].By != ada.person.Email {
			t.Errorf("%+v", list)
		}
		var diff struct {
			From, To int
			Fields   []fieldDiffJSON
			Blocks   []object
		}
		bob.ask(200, "GET", "/diff?from=1&to=2", nil, &diff)
		if diff.From != 1 || diff.To != 2 || len(diff.Fields) != 1 || len(diff.Blocks) != 2 || diff.Blocks[0]["op"] != "change" {
			t.Errorf("%+v", diff)
		}
		bob.ask(200, "GET", "/diff?from=2", nil, &diff)
		bob.ask(400, "GET", "/diff?from=x", nil, nil)
		bob.ask(404, "GET", "/revisions/99", nil, nil)
		bob.ask(200, "POST", "/restore", object{"revision": 1}, &v)
		if v.Version <= 2 {
			t.Errorf("%+v", v)
		}
		bob.ask(200, "GET", "/revisions/1", nil, &open)
		bob.ask(404, "GET", "/original", nil, nil)

		// Nobody else, and nothing that is not there.
		stranger := &visitor{t: t, w: w}
		stranger.ask(401, "GET", "", nil, nil)
		reporter := w.visitor(t, "Rita", staff.Reporter)
		reporter.ask(200, "GET", "", nil, &open)
		if open.Me.MayWrite {
			t.Error("a reporter may write what is not hers")
		}
		reporter.ask(403, "POST", "/steps", object{"version": v.Version, "client": "r", "id": "1", "steps": []object{typed(1, "x")}}, nil)
		reporter.ask(403, "POST", "/restore", object{"revision": 1}, nil)
		bob.ask(404, "GET", "/desk/stories/none/draft", nil, nil)
	})
}

func TestTranslationOverHTTP(t *testing.T) {
	w := newWriting(t, dbtest.SQLite(t), nil)
	ada := w.visitor(t, "Eva", staff.Editor)
	st, err := w.Stories.ByID(t.Context(), w.DB.Read(), w.ed.StoryID)
	if err != nil {
		t.Fatal(err)
	}
	ar := w.add(t, "abbara", "ar", "العبارة", story.Draft, now, st)
	at := "/desk/stories/" + ar.ID + "/draft"
	ada.ask(200, "GET", "", nil, nil)
	var v struct{ Revision int64 }
	ada.ask(200, "POST", at+"/translated", object{"revision": 1}, &v)
	ada.ask(200, "POST", "/steps", object{"version": 0, "client": "a", "id": "1", "steps": []object{typed(1, "New ")}}, nil)
	ada.ask(200, "POST", "/keep", object{}, nil)
	var original struct {
		Edition, Lang    string
		Revision, Newest int64
		Blocks           []object
	}
	ada.ask(200, "GET", at+"/original", nil, &original)
	if original.Edition != w.ed.ID || original.Lang != "en" || original.Revision != 1 || original.Newest != 2 || len(original.Blocks) != 1 {
		t.Errorf("%+v", original)
	}
	var open draftJSON
	ada.ask(200, "GET", at, nil, &open)
	if open.Translation == nil || open.Translation.Newest != 2 || open.Dir != "rtl" {
		t.Errorf("%+v", open.Translation)
	}
	ada.ask(404, "POST", at+"/translated", object{"revision": 44}, nil)
}

func TestStream(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWriting(t, d, nil)
		ada, bob := w.visitor(t, "Eva", staff.Editor), w.visitor(t, "Bob", staff.Editor)
		ada.ask(200, "GET", "", nil, nil)
		ada.ask(200, "POST", "/steps", object{"version": 0, "client": "a", "id": "0", "steps": []object{typed(1, "x")}}, nil)
		events := bob.listen("version=0&client=b")
		if hello := next(t, events, "hello"); hello.data["version"] != 1.0 || hello.data["may_write"] != true {
			t.Fatalf("%+v", hello)
		}
		if missed := next(t, events, "steps"); missed.id != "1" || len(missed.data["steps"].([]any)) != 1 {
			t.Fatalf("%+v", missed)
		}
		for range 3 {
			next(t, events, "field")
		}
		next(t, events, "comments")
		next(t, events, "presence")
		time.Sleep(900 * time.Millisecond) // longer than the server's limits of time
		for i := range 5 {
			start := time.Now()
			ada.ask(200, "POST", "/steps", object{"version": 1 + i, "client": "a", "id": fmt.Sprint("p", i), "steps": []object{typed(1, "y")}, "anchor": 2, "head": 3}, nil)
			e := next(t, events, "steps")
			if took := e.at.Sub(start); took > time.Second {
				t.Errorf("heard after %v", took)
			} else {
				t.Logf("heard after %v", took)
			}
			if e.id != fmt.Sprint(2+i) {
				t.Errorf("%+v", e)
			}
		}
		people := next(t, events, "presence").data["people"].([]any)
		if one := people[0].(object); len(people) != 1 || one["client"] != "a" || one["name"] != "Eva" || one["anchor"] != 2.0 || one["head"] != 3.0 {
			t.Errorf("%+v", people)
		}
		ada.ask(200, "POST", "/fields", object{"field": "summary", "version": 0, "value": "Sum"}, nil)
		if f := next(t, events, "field"); f.data["field"] != "summary" || f.data["value"] != "Sum" || f.data["by_name"] != "Eva" {
			t.Errorf("%+v", f)
		}
		ada.ask(200, "POST", "/comments", object{"version": 6, "from": 1, "to": 3, "text": "Well"}, nil)
		if c := next(t, events, "comments"); c.data["version"] != 6.0 || len(c.data["comments"].([]any)) != 1 {
			t.Errorf("%+v", c)
		}
		ada.ask(200, "POST", "/keep", object{}, nil)
		if k := next(t, events, "kept"); k.data["revision"] != 2.0 || k.data["version"] != 6.0 || k.data["by"] != "eva@quay.example" {
			t.Errorf("%+v", k)
		}
		ada.ask(204, "POST", "/presence", object{"client": "a", "left": true}, nil)
		for people = nil; ; {
			if people = next(t, events, "presence").data["people"].([]any); len(people) == 0 {
				break
			}
		}
		w.tx(t, func(tx *db.Tx) error {
			e, err := w.Stories.EditionByID(t.Context(), tx, w.ed.ID)
			if err != nil {
				return err
			}
			e.Headline, e.Status = "From outside", story.Review
			return w.Stories.SaveEdition(t.Context(), tx, &e, "import")
		})
		if o := next(t, events, "outside"); o.data["revision"] != 3.0 || o.data["by"] != "import" {
			t.Errorf("%+v", o)
		}
		if s := next(t, events, "status"); s.data["status"] != "review" {
			t.Errorf("%+v", s)
		}
		// Somebody who comes back tells what he has seen last.
		r := bob.request("GET", "/stream?version=0&client=b2", nil)
		r.Header.Set("Last-Event-ID", "4")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		head := make([]byte, 4096)
		n := 0
		for !strings.Contains(string(head[:n]), "event: field") {
			k, err := res.Body.Read(head[n:])
			if err != nil {
				t.Fatal(err)
			}
			n += k
		}
		res.Body.Close()
		if text := string(head[:n]); !strings.Contains(text, `"version":5`) || strings.Contains(text, `{"version":4,`) {
			t.Errorf("%s", text)
		}
		// A role that is taken away ends it, and refuses what is still to come.
		w.tx(t, func(tx *db.Tx) error { return w.Staff.SetRole(t.Context(), tx, bob.person.ID, staff.Contributor) })
		if e := next(t, events, "end"); e.data["reason"] != "role" {
			t.Errorf("%+v", e)
		}
		if _, more := <-events; more {
			t.Error("it goes on")
		}
		bob.ask(403, "POST", "/steps", object{"version": 6, "client": "b", "id": "9", "steps": []object{typed(1, "y")}}, nil)
		w.tx(t, func(tx *db.Tx) error { return w.Staff.SetRole(t.Context(), tx, bob.person.ID, staff.Editor) })
		events = bob.listen("version=6&client=b")
		next(t, events, "hello")
		w.tx(t, func(tx *db.Tx) error { return w.Staff.EndSessions(t.Context(), tx, bob.person.ID) })
		if e := next(t, events, "end"); e.data["reason"] != "signed_out" {
			t.Errorf("%+v", e)
		}
		// The program stops: everybody is told to come back, and the server can end.
		events = ada.listen("version=6&client=a")
		next(t, events, "hello")
		w.Room.Close()
		if e := next(t, events, "end"); e.data["reason"] != "restart" {
			t.Errorf("%+v", e)
		}
		stop, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := w.server.Config.Shutdown(stop); err != nil {
			t.Errorf("the server does not end: %v", err)
		}
	})
}

func TestStreamAcrossNodes(t *testing.T) {
	d := dbtest.Postgres(t)
	one := newWriting(t, d, nil)
	two := newWriting(t, d, one)
	ada, bob := one.visitor(t, "Eva", staff.Editor), two.visitor(t, "Bob", staff.Editor)
	ada.ask(200, "GET", "", nil, nil)
	events := bob.listen("version=0&client=b")
	next(t, events, "presence")
	var slowest time.Duration
	for i := range 10 {
		start := time.Now()
		ada.ask(200, "POST", "/steps", object{"version": i, "client": "a", "id": fmt.Sprint("p", i), "steps": []object{typed(1, "y")}, "anchor": 2}, nil)
		e := next(t, events, "steps")
		slowest = max(slowest, e.at.Sub(start))
		if i == 0 {
			if people := next(t, events, "presence").data["people"].([]any); len(people) != 1 {
				t.Errorf("%+v", people)
			}
		}
	}
	t.Logf("the slowest was heard at the other node after %v", slowest)
	if slowest > 900*time.Millisecond { // a poll, and not a notification
		t.Errorf("heard after %v", slowest)
	}
}
