package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"mime/multipart"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/reader"
	"masthead/internal/staff"
	"masthead/internal/wall"
)

// send makes a request with a JSON body; the address is below /api/v1.
func (r *room) send(method, path, token, body string, headers ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, "/api/v1"+path, strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req)
	return w
}

// want holds an answer's status, and reads it into v where v is not nil.
func want(t *testing.T, what string, w *httptest.ResponseRecorder, status int, v any) *httptest.ResponseRecorder {
	t.Helper()
	if w.Code != status {
		t.Fatalf("%s = %d %s; want %d", what, w.Code, w.Body, status)
	}
	if v != nil {
		if err := json.Unmarshal(w.Body.Bytes(), v); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	return w
}

// token makes one more token.
func (r *room) token(t *testing.T, role staff.Role, scopes ...staff.Scope) (secret string) {
	t.Helper()
	err := r.DB.InTx(t.Context(), func(tx *db.Tx) (err error) {
		_, secret, err = r.Staff.CreateTokenAs(t.Context(), tx, staff.Token{Name: "robot " + string(role), Role: role, Scopes: scopes}, 0)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func TestWriting(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		r := newRoom(t, d)
		var st StoryRecord
		w := want(t, "create", r.send("POST", "/stories", r.all, `{"section":"locks","topics":["metered"],"bylines":[{"author":"mara"}],"access":"registered",
			"edition":{"lang":"en","headline":" The  <i>weir</i>\n breaks ","summary":"At noon.","body":{"html":"<p onclick=\"x()\">The <b>weir</b> broke.</p><script>alert(1)</script>"}}}`), 201, &st)
		if w.Header().Get("Location") != "https://quay.example/api/v1/stories/"+st.ID+"/record" || st.Section != "locks" || len(st.Bylines) != 1 || st.Editions[0].Headline != "The <i>weir</i> breaks" {
			t.Errorf("%+v", st)
		}
		id := st.Editions[0].ID
		edition := "/editions/" + id
		var e EditionRecord
		tag := want(t, "get", r.send("GET", edition, r.all, ""), 200, &e).Header().Get("ETag")
		if e.Status != "draft" || e.Revision != 1 || strings.Join(e.Moves, " ") != "submit approve drop" {
			t.Errorf("%+v", e)
		}
		want(t, "not modified", r.send("GET", edition, r.all, "", "If-None-Match", tag), 304, nil)
		for form, part := range map[string]string{"html": "<strong>weir</strong>", "markdown": "**weir**", "text": "The weir broke."} {
			if w := r.send("GET", edition+"?format="+form, r.all, ""); !strings.Contains(strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(w.Body.String()), part) || strings.Contains(w.Body.String(), "script") {
				t.Errorf("as %s: %s", form, w.Body)
			}
		}
		for _, form := range []string{"doc", "html", "markdown"} { // each is read back equal
			var got struct{ Body json.RawMessage }
			want(t, form, r.send("GET", edition+"?format="+form, r.all, ""), 200, &got)
			var again EditionRecord
			want(t, "back as "+form, r.send("PATCH", edition, r.all, `{"body":`+string(got.Body)+`}`, "If-Match", tag), 200, &again)
			if again.Revision != 1 {
				t.Errorf("%s is not read back equal: revision %d", form, again.Revision)
			}
		}
		// Somebody writes at the desk meanwhile.
		err := d.InTx(t.Context(), func(tx *db.Tx) error {
			if _, err := r.drafts.Open(t.Context(), tx, id); err != nil {
				return err
			}
			_, err := r.drafts.SetField(t.Context(), tx, id, "summary", 0, "Before noon.", "")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		want(t, "without If-Match", r.send("PATCH", edition, r.all, `{"headline":"x"}`), 428, nil)
		w = want(t, "change", r.send("PATCH", edition, r.all, `{"headline":"The weir has broken","slug":"the-weir","body":{"markdown":"The weir broke.\n\nTwice."}}`, "If-Match", tag), 200, &e)
		if e.Revision != 2 || w.Header().Get("ETag") == tag {
			t.Errorf("%+v", e)
		}
		var p Problem
		want(t, "a stale change", r.send("PATCH", edition, r.all, `{"headline":"Mine"}`, "If-Match", tag), 412, &p)
		if p.Revision != 2 {
			t.Errorf("%+v", p)
		}
		draft, err := r.drafts.Load(t.Context(), d.Read(), id)
		if err != nil || draft.Fields["summary"].Value != "Before noon." || draft.Fields["headline"].Value != "The weir has broken" || !strings.Contains(draft.Doc.PlainText(), "Twice.") {
			t.Errorf("the writer at the desk: %+v, %v", draft.Fields, err)
		}
		// The way to readers.
		want(t, "publish too early", r.send("POST", edition+"/publish", r.all, `{}`), 409, nil)
		want(t, "submit", r.send("POST", edition+"/submit", r.all, `{}`), 200, nil)
		want(t, "return without a note", r.send("POST", edition+"/return", r.all, `{}`), 400, nil)
		want(t, "approve", r.send("POST", edition+"/approve", r.all, `{}`), 200, nil)
		want(t, "schedule without a time", r.send("POST", edition+"/schedule", r.all, `{}`), 400, nil)
		want(t, "schedule", r.send("POST", edition+"/schedule", r.all, `{"at":"2026-12-01T06:00:00+02:00"}`), 200, &e)
		if !e.Published.Equal(time.Date(2026, 12, 1, 4, 0, 0, 0, time.UTC)) {
			t.Errorf("%v", e.Published)
		}
		want(t, "publish", r.send("POST", edition+"/publish", r.all, `{}`), 200, &e)
		if e.Status != "published" || e.URL != "https://quay.example/2026/11/the-weir/" || e.Summary != "Before noon." {
			t.Errorf("%+v", e)
		}
		want(t, "read", r.send("GET", "/stories/the-weir", "", ""), 403, nil) // it is for registered readers
		want(t, "delete", r.send("DELETE", "/stories/"+st.ID, r.all, ""), 409, nil)
		want(t, "a must", r.send("PATCH", edition, r.all, `{"headline":""}`, "If-Match", "*"), 409, &p)
		if len(p.Checks) != 1 || p.Checks[0].Kind != "headline" || !p.Checks[0].Must {
			t.Errorf("%+v", p)
		}
		want(t, "correct", r.send("POST", edition+"/correct", r.all, `{"note":"It was one weir.","changed":"two → one"}`), 200, nil)
		var whole Edition
		want(t, "read with everything", r.send("GET", "/stories/the-weir", r.all, ""), 200, &whole)
		if len(whole.Corrections) != 1 || whole.Corrections[0].Text == "" {
			t.Errorf("%+v", whole.Corrections)
		}
		want(t, "open it", r.send("PATCH", "/stories/"+st.ID, r.all, `{"access":"open"}`), 200, &st)
		want(t, "read it", r.send("GET", "/stories/the-weir", "", ""), 200, nil)
		want(t, "another language", r.send("POST", "/stories/"+st.ID+"/editions", r.all, `{"lang":"ar","headline":"السد"}`), 201, nil)
		want(t, "twice", r.send("POST", "/stories/"+st.ID+"/editions", r.all, `{"lang":"ar","headline":"السد"}`), 409, nil)
		want(t, "not ours", r.send("POST", "/stories/"+st.ID+"/editions", r.all, `{"lang":"fr","headline":"x"}`), 400, nil)
		var list struct{ Stories []Card }
		want(t, "drafts", r.send("GET", "/stories?status=draft", r.all, ""), 200, &list)
		if len(list.Stories) != 2 {
			t.Errorf("%d drafts", len(list.Stories))
		}
		want(t, "drafts for nobody", r.send("GET", "/stories?status=any", r.full, ""), 403, nil)
		want(t, "withdraw", r.send("POST", edition+"/withdraw", r.all, `{"note":"It was wrong."}`), 200, nil)
		want(t, "gone", r.send("GET", "/stories/the-weir?lang=en", "", ""), 410, nil)
		var mine StoryRecord
		want(t, "another", r.send("POST", "/stories", r.all, `{"edition":{"lang":"en","headline":"To be deleted"}}`), 201, &mine)
		want(t, "delete a draft", r.send("DELETE", "/stories/"+mine.ID, r.all, ""), 204, nil)
		want(t, "it is gone", r.send("GET", "/stories/"+mine.ID+"/record", r.all, ""), 404, nil)
		for _, bad := range []string{`{"section":"none"}`, `{"access":"gold"}`, `{"access":"tier:none"}`, `{"topics":["none"]}`, `{"bylines":[{"author":"none"}]}`, `{"lead":"none"}`} {
			want(t, bad, r.send("PATCH", "/stories/"+st.ID, r.all, bad), 400, nil)
		}
		for _, bad := range []string{`{"canonical":"javascript:alert(1)"}`, `{"headline":"a\u0000b"}`, `{"body":{}}`, `{"body":{"html":"a","text":"b"}}`, `{"body":{"doc":{"type":"script"}}}`, `{"headline":"a\u0007b"}`} {
			want(t, bad, r.send("PATCH", edition, r.all, bad, "If-Match", "*"), 400, nil)
		}
		log, err := r.Staff.Audit(t.Context(), d.Read(), staff.AuditFilter{Who: "token all"}, 100)
		if err != nil || len(log) < 15 {
			t.Errorf("%d entries under the token's name, %v", len(log), err)
		}
	})
}

// TestRoles holds a token to its role, whatever its scopes.
func TestRoles(t *testing.T) {
	r := newRoom(t, dbtest.SQLite(t))
	other := r.edition(t, "the-draft")
	for _, c := range []struct {
		role                            staff.Role
		begin, change, approve, readers int
	}{
		{staff.Contributor, 201, 403, 403, 403},
		{staff.Editor, 201, 200, 200, 403},
		{staff.Publisher, 201, 200, 409, 200}, // the editor has approved it
		{"", 201, 200, 409, 200},
	} {
		token := r.token(t, c.role, staff.Scopes()...)
		var own StoryRecord
		want(t, string(c.role)+" begins", r.send("POST", "/stories", token, `{"edition":{"lang":"en","headline":"Mine"}}`), c.begin, &own)
		want(t, string(c.role)+" changes its own", r.send("PATCH", "/editions/"+own.Editions[0].ID, token, `{"headline":"Still mine"}`, "If-Match", "*"), 200, nil)
		want(t, string(c.role)+" changes another's", r.send("PATCH", "/editions/"+other.ID, token, `{"headline":"Not mine"}`, "If-Match", "*"), c.change, nil)
		want(t, string(c.role)+" approves", r.send("POST", "/editions/"+other.ID+"/approve", token, `{}`), c.approve, nil)
		want(t, string(c.role)+" reads readers", r.send("GET", "/readers", token, ""), c.readers, nil)
	}
	// Who may write may not change what readers see.
	published := r.edition(t, "the-open")
	token := r.token(t, "", staff.StoriesWrite)
	want(t, "write what is public", r.send("PATCH", "/editions/"+published.ID, token, `{"headline":"x"}`, "If-Match", "*"), 403, nil)
	want(t, "facts of what is public", r.send("PATCH", "/stories/"+published.StoryID, token, `{"access":"open"}`), 403, nil)
}

func TestTokens(t *testing.T) {
	r := newRoom(t, dbtest.SQLite(t))
	parent := r.token(t, staff.Owner, staff.TokensWrite, staff.StoriesFull)
	var made Token
	want(t, "make", r.send("POST", "/tokens", parent, `{"name":"child","scopes":["stories:read","tokens:write"]}`), 201, &made)
	if !strings.HasPrefix(made.Secret, "mh_") || made.Role != "owner" {
		t.Errorf("%+v", made)
	}
	want(t, "more than it has", r.send("POST", "/tokens", parent, `{"name":"x","scopes":["readers:read"]}`), 403, nil)
	want(t, "more than the child has", r.send("POST", "/tokens", made.Secret, `{"name":"x","scopes":["stories:full"]}`), 403, nil)
	want(t, "no such scope", r.send("POST", "/tokens", parent, `{"name":"x","scopes":["all"]}`), 400, nil)
	var list struct{ Tokens []Token }
	want(t, "list", r.send("GET", "/tokens", made.Secret, ""), 200, &list)
	if len(list.Tokens) != 1 || !list.Tokens[0].Self || list.Tokens[0].Secret != "" {
		t.Errorf("%+v", list)
	}
	want(t, "list of the parent", r.send("GET", "/tokens", parent, ""), 200, &list)
	if len(list.Tokens) != 2 {
		t.Errorf("%+v", list)
	}
	self := ""
	for _, one := range list.Tokens {
		if one.Self {
			self = one.ID
		}
	}
	want(t, "the child ends its maker", r.send("DELETE", "/tokens/"+self, made.Secret, ""), 404, nil)
	want(t, "the maker ends itself", r.send("DELETE", "/tokens/"+self, parent, ""), 204, nil)
	want(t, "the child has ended too", r.send("GET", "/tokens", made.Secret, ""), 401, nil)
}

func TestIdempotency(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		r := newRoom(t, d)
		body := `{"edition":{"lang":"en","headline":"Once"}}`
		make := func(key, body string) *httptest.ResponseRecorder {
			return r.send("POST", "/stories", r.all, body, "Idempotency-Key", key)
		}
		first := want(t, "first", make("k1", body), 201, nil)
		again := want(t, "again", make("k1", body), 201, nil)
		if first.Body.String() != again.Body.String() || again.Header().Get("Idempotency-Replayed") != "true" || again.Header().Get("Location") == "" {
			t.Errorf("again: %v %s", again.Header(), again.Body)
		}
		want(t, "another request", make("k1", `{"edition":{"lang":"en","headline":"Twice"}}`), 422, nil)
		want(t, "another token", r.send("POST", "/stories", r.token(t, "", staff.StoriesWrite), body, "Idempotency-Key", "k1"), 201, nil)
		want(t, "a bad key", make("ä", body), 400, nil)
		want(t, "a long key", make(strings.Repeat("x", 256), body), 400, nil)
		// What failed may be tried again.
		want(t, "refused", make("k2", `{"section":"none","edition":{"lang":"en","headline":"x"}}`), 400, nil)
		want(t, "mended", make("k2", body), 201, nil)
		// While it is under way, and after a machine stopped.
		var kept string
		if err := d.Read().QueryRowContext(t.Context(), `SELECT answer FROM idempotency WHERE name = 'k1' LIMIT 1`).Scan(&kept); err != nil || strings.Contains(kept, "Once") {
			t.Errorf("kept %q, %v", kept, err)
		}
		set := func(text string) {
			t.Helper()
			if _, err := d.Write().ExecContext(t.Context(), text); err != nil {
				t.Fatal(err)
			}
		}
		want(t, "k3", make("k3", body), 201, nil)
		set(`UPDATE idempotency SET status = 0, done = FALSE WHERE name = 'k3'`)
		want(t, "under way", make("k3", body), 409, nil)
		later := func(by time.Duration) { r.Staff.Now = func() time.Time { return now.Add(by) }; r.clock = now.Add(by) }
		later(11 * time.Minute)
		want(t, "taken up again", make("k3", body), 201, nil)
		set(`UPDATE idempotency SET status = 0, done = TRUE WHERE name = 'k3'`)
		later(30 * time.Minute)
		if w := want(t, "done, and no answer", make("k3", body), 409, nil); !strings.Contains(w.Body.String(), "carried out") {
			t.Errorf("%s", w.Body)
		}
		later(25 * time.Hour)
		want(t, "a day later", make("k3", body), 201, nil)
		if err := Sweep(t.Context(), d.Write(), now.Add(60*time.Hour)); err != nil {
			t.Error(err)
		}
		var n int
		if err := d.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM idempotency`).Scan(&n); err != nil || n != 0 {
			t.Errorf("%d are left, %v", n, err)
		}
	})
}

// TestScopes asks every operation of the document with no token, with a token of
// each scope, and with one of each role: whoever has not what the document names is
// refused before his request is even looked at, and nobody else is.
func TestScopes(t *testing.T) {
	r := newRoom(t, dbtest.SQLite(t))
	var spec struct {
		Paths map[string]map[string]struct {
			OperationID string
			Security    []map[string][]string
		}
	}
	want(t, "document", r.get("/api/openapi.json", ""), 200, &spec)
	tokens := map[staff.Scope]string{}
	for _, s := range staff.Scopes() {
		tokens[s] = r.token(t, "", s)
	}
	contributor := r.token(t, staff.Contributor, staff.Scopes()...)
	asked := 0
	for path, methods := range spec.Paths {
		address := path
		for _, name := range []string{"story", "edition", "slug", "media", "reader", "tier", "webhook", "delivery", "token"} {
			address = strings.ReplaceAll(address, "{"+name+"}", "none")
		}
		for method, op := range methods {
			r.fresh()
			method = strings.ToUpper(method)
			scope := staff.Scope("")
			if ways := op.Security; len(ways) == 1 && len(ways[0]["token"]) == 1 {
				scope = staff.Scope(ways[0]["token"][0])
			} else if method != "GET" {
				t.Errorf("%s takes no scope: %v", op.OperationID, op.Security)
			}
			ask := func(token string) int {
				asked++
				return r.send(method, strings.TrimPrefix(address, "/api/v1"), token, map[bool]string{true: "{]"}[method != "GET" && method != "DELETE"]).Code
			}
			if got := ask(""); (got == 401) != (scope != "") {
				t.Errorf("%s without a token = %d", op.OperationID, got)
			}
			for _, s := range staff.Scopes() {
				got := ask(tokens[s])
				allowed := scope == "" || staff.Token{Scopes: []staff.Scope{s}}.May(scope)
				if (got == 403) == allowed || got == 401 || got >= 500 {
					t.Errorf("%s with %s = %d, allowed %v", op.OperationID, s, got, allowed)
				}
			}
			if got := ask(contributor); strings.Contains(path, "readers") && got != 403 || strings.Contains(path, "/webhooks") && got != 403 || got >= 500 {
				t.Errorf("%s as a contributor = %d", op.OperationID, got)
			}
		}
	}
	if asked < 700 {
		t.Errorf("only %d requests", asked)
	}
}

func TestTaxonomy(t *testing.T) {
	r := newRoom(t, dbtest.SQLite(t))
	xss := `<img src=x onerror=alert(1)>`
	var s Section
	want(t, "section", r.send("POST", "/sections", r.all, `{"slug":"harbour","parent":"river","names":{"en":"Harbour"}}`), 201, &s)
	if s.Parent != "river" || s.URL != "https://quay.example/harbour/" {
		t.Errorf("%+v", s)
	}
	want(t, "ring", r.send("PATCH", "/sections/river", r.all, `{"parent":"harbour"}`), 400, nil)
	for _, bad := range []string{`{"slug":"harbour","names":{"en":"x"}}`} {
		want(t, bad, r.send("POST", "/sections", r.all, bad), 409, nil)
	}
	for _, bad := range []string{`{"slug":"api","names":{"en":"x"}}`, `{"slug":"A b","names":{"en":"x"}}`, `{"slug":"ok","names":{}}`, `{"slug":"ok","names":{"..":"x"}}`, `{"slug":"ok"}`} {
		want(t, bad, r.send("POST", "/sections", r.all, bad), 400, nil)
	}
	var topic Topic
	want(t, "topic", r.send("POST", "/topics", r.all, `{"slug":"ferry","kind":"subject","names":{"en":"Ferry"},"aliases":{"en":["Boat",""],"ar":["عبّارة"]}}`), 201, &topic)
	want(t, "change", r.send("PATCH", "/topics/ferry", r.all, `{"names":{"en":"`+xss+`"}}`), 200, &topic)
	if topic.Names["en"] != xss || len(topic.Aliases["en"]) != 1 {
		t.Errorf("%+v", topic)
	}
	want(t, "internal", r.send("PATCH", "/topics/hash-hidden", r.all, `{"names":{"en":"x"}}`), 404, nil)
	var a Author
	want(t, "author", r.send("POST", "/authors", r.all, `{"slug":"ona","names":{"en":"Ona"},"website":"https://ona.example/"}`), 201, &a)
	want(t, "script", r.send("PATCH", "/authors/ona", r.all, `{"website":"javascript:alert(1)"}`), 400, nil)
	want(t, "absent", r.send("PATCH", "/authors/none", r.all, `{}`), 404, nil)
	want(t, "get", r.send("GET", "/authors/ona", "", ""), 200, &a)

	// What is used stays, and what the wall goes by.
	want(t, "with parts", r.send("DELETE", "/sections/river", r.all, ""), 409, nil)
	want(t, "story", r.send("POST", "/stories", r.all, `{"section":"harbour","topics":["ferry"],"edition":{"lang":"en","headline":"On the ferry"}}`), 201, nil)
	want(t, "with a story", r.send("DELETE", "/sections/harbour", r.all, ""), 409, nil)
	want(t, "a topic in use", r.send("DELETE", "/topics/ferry", r.all, ""), 409, nil)
	want(t, "into nothing", r.send("DELETE", "/sections/harbour?into=nowhere", r.all, ""), 400, nil)
	want(t, "into another", r.send("DELETE", "/sections/harbour?into=locks", r.all, ""), 204, nil)
	want(t, "gone", r.send("DELETE", "/sections/harbour", r.all, ""), 404, nil)
	if err := r.DB.InTx(t.Context(), func(tx *db.Tx) error {
		return r.WallStore.ReplaceRules(t.Context(), tx, []wall.Rule{{Name: "boats", When: `"dredger" in story.topics`, Grant: wall.MustGrant("open")}})
	}); err != nil {
		t.Fatal(err)
	}
	want(t, "topic", r.send("POST", "/topics", r.all, `{"slug":"dredger","names":{"en":"Dredger"}}`), 201, nil)
	want(t, "the wall goes by it", r.send("DELETE", "/topics/dredger", r.all, ""), 409, nil)
	want(t, "topic", r.send("POST", "/topics", r.all, `{"slug":"barge","names":{"en":"Barge"}}`), 201, nil)
	want(t, "delete", r.send("DELETE", "/topics/barge", r.all, ""), 204, nil)
	want(t, "internal", r.send("DELETE", "/topics/hash-hidden", r.all, ""), 404, nil)
	want(t, "delete", r.send("DELETE", "/authors/ona", r.all, ""), 204, nil)
	want(t, "gone", r.send("GET", "/authors/ona", "", ""), 404, nil)
}

func TestMedia(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		r := newRoom(t, d)
		picture := image.NewRGBA(image.Rect(0, 0, 400, 300))
		picture.Set(1, 1, color.White)
		var file bytes.Buffer
		if err := png.Encode(&file, picture); err != nil {
			t.Fatal(err)
		}
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		w.WriteField("alt", "A weir")
		part, _ := w.CreateFormFile("file", "Weir at dawn.png")
		part.Write(file.Bytes())
		w.Close()
		var m Medium
		want(t, "form", r.send("POST", "/media", r.all, form.String(), "Content-Type", w.FormDataContentType(), "Idempotency-Key", "u1"), 201, &m)
		if m.Kind != "picture" || m.Width != 400 || m.Alts["en"] != "A weir" || !strings.HasSuffix(m.URL, ".png") {
			t.Errorf("%+v", m)
		}
		var same Medium
		want(t, "again", r.send("POST", "/media", r.all, form.String(), "Content-Type", w.FormDataContentType(), "Idempotency-Key", "u1"), 201, &same)
		if same.ID != m.ID {
			t.Errorf("a second picture: %s", same.ID)
		}
		want(t, "bytes", r.send("POST", "/media?name=w.png&credit=Mara&lang=ar&alt=x", r.all, file.String(), "Content-Type", "image/png"), 201, &same)
		if same.Credit != "Mara" || same.Alts["ar"] != "x" {
			t.Errorf("%+v", same)
		}
		want(t, "SVG", r.send("POST", "/media?name=x.svg", r.all, `<svg onload="alert(1)"/>`, "Content-Type", "image/svg+xml"), 400, nil)
		want(t, "nothing", r.send("POST", "/media", r.all, ""), 400, nil)
		want(t, "describe", r.send("PATCH", "/media/"+m.ID, r.all, `{"credit":"<b>","focal":{"x":100,"y":900}}`), 200, &m)
		want(t, "focal", r.send("PATCH", "/media/"+m.ID, r.all, `{"focal":{"x":1001,"y":0}}`), 422, nil)
		if !slices.Equal(r.remade, []string{m.ID}) {
			t.Errorf("the pages were told of %v, and not of the one change", r.remade)
		}
		var page struct {
			Media []Medium
			Next  string
		}
		want(t, "list", r.send("GET", "/media?limit=1", r.all, ""), 200, &page)
		if len(page.Media) != 1 || page.Next == "" {
			t.Errorf("%+v", page)
		}
		want(t, "next", r.send("GET", "/media?limit=1&cursor="+page.Next, r.all, ""), 200, &page)
		want(t, "lead", r.send("PATCH", "/stories/"+r.edition(t, "the-draft").StoryID, r.all, `{"lead":"`+m.ID+`"}`), 200, nil)
	})
}

func TestReaders(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		r := newRoom(t, d)
		err := d.InTx(t.Context(), func(tx *db.Tx) error {
			return r.Readers.SaveTier(t.Context(), tx, reader.Tier{Slug: "gold", Names: map[string]string{"en": "Gold"}})
		})
		if err != nil {
			t.Fatal(err)
		}
		want(t, "webhook", r.send("POST", "/webhooks", r.all, `{"url":"https://receiver.example/","events":["reader.created","reader.deleted"]}`), 201, nil)
		var one, again Reader
		want(t, "new", r.send("POST", "/readers", r.all, `{"email":"Ana@quay.example","name":"Ana","labels":["vip","vip"],"source":"crm:1","tiers":[{"tier":"gold","until":"2027-01-01T00:00:00Z"}]}`), 201, &one)
		want(t, "again", r.send("POST", "/readers", r.all, `{"email":"ana@quay.example","source":"crm:1"}`), 200, &again)
		if one.ID != again.ID || len(one.Labels) != 1 || len(again.Tiers) != 1 {
			t.Errorf("%+v, %+v", one, again)
		}
		path := "/readers/" + one.ID
		want(t, "no tier", r.send("PUT", path+"/tiers/none", r.all, `{}`), 400, nil)
		again = Reader{}
		want(t, "give", r.send("PUT", path+"/tiers/gold", r.all, `{}`), 200, &again)
		if !again.Tiers[0].Until.IsZero() {
			t.Errorf("%+v", again)
		}
		again = Reader{}
		want(t, "take", r.send("DELETE", path+"/tiers/gold", r.all, ""), 200, &again)
		want(t, "change", r.send("PATCH", path, r.all, `{"name":"Ana Q","note":"calls"}`), 200, &again)
		if again.Name != "Ana Q" || again.Note != "calls" || len(again.Tiers) != 0 || again.Labels[0] != "vip" {
			t.Errorf("%+v", again)
		}
		want(t, "bad", r.send("POST", "/readers", r.all, `{"email":"no address"}`), 400, nil)
		var page struct {
			Readers []Reader
			Next    string
		}
		for i := range 3 {
			want(t, "more", r.send("POST", "/readers", r.all, fmt.Sprintf(`{"email":"r%d@quay.example"}`, i)), 201, nil)
		}
		seen := map[string]bool{}
		for cursor := ""; ; cursor = page.Next {
			page.Next = ""
			want(t, "list", r.send("GET", "/readers?limit=2&cursor="+cursor, r.all, ""), 200, &page)
			for _, x := range page.Readers {
				seen[x.ID] = true
			}
			if page.Next == "" {
				break
			}
		}
		if len(seen) != 4 {
			t.Errorf("%d readers", len(seen))
		}
		want(t, "by address", r.send("GET", "/readers?email=ANA@quay.example", r.all, ""), 200, &page)
		if len(page.Readers) != 1 {
			t.Errorf("%+v", page)
		}
		if w := want(t, "export", r.send("GET", path+"/export", r.all, ""), 200, nil); !strings.Contains(w.Body.String(), `"stories_counted":[]`) {
			t.Errorf("%s", w.Body)
		}
		want(t, "delete", r.send("DELETE", path, r.all, ""), 204, nil)
		want(t, "gone", r.send("GET", path, r.all, ""), 404, nil)
		if len(r.posted) != 5 { // four came, one went
			t.Errorf("%d deliveries", len(r.posted))
		}
	})
}

func TestWebhooks(t *testing.T) {
	r := newRoom(t, dbtest.SQLite(t))
	var h Webhook
	want(t, "make", r.send("POST", "/webhooks", r.all, `{"url":"https://receiver.example/hook","events":["story.published"],"about":"<b>"}`), 201, &h)
	secret := h.Secret
	if !strings.HasPrefix(secret, "whsec_") {
		t.Errorf("%+v", h)
	}
	path := "/webhooks/" + h.ID
	h = Webhook{}
	want(t, "get", r.send("GET", path, r.all, ""), 200, &h)
	if h.Secret != "" || !h.On {
		t.Errorf("%+v", h)
	}
	want(t, "an event", r.send("POST", "/webhooks", r.all, `{"url":"https://receiver.example/","events":["all"]}`), 400, nil)
	want(t, "ping", r.send("POST", path+"/ping", r.all, ""), 202, nil)
	var page struct{ Deliveries []Delivery }
	want(t, "log", r.send("GET", path+"/deliveries", r.all, ""), 200, &page)
	if len(page.Deliveries) != 1 || page.Deliveries[0].Event != "ping" {
		t.Errorf("%+v", page)
	}
	want(t, "again", r.send("POST", path+"/deliveries/"+page.Deliveries[0].ID+"/redeliver", r.all, ""), 202, nil)
	var other Webhook
	want(t, "another", r.send("POST", "/webhooks", r.all, `{"url":"https://other.example/hook","events":["story.published"]}`), 201, &other)
	want(t, "another's delivery", r.send("POST", "/webhooks/"+other.ID+"/deliveries/"+page.Deliveries[0].ID+"/redeliver", r.all, ""), 404, nil)
	want(t, "off", r.send("PATCH", path, r.all, `{"on":false}`), 200, &h)
	want(t, "ping what is off", r.send("POST", path+"/ping", r.all, ""), 409, nil)
	want(t, "secret", r.send("POST", path+"/secret", r.all, ""), 200, &h)
	if h.Secret == secret || h.On {
		t.Errorf("%+v", h)
	}
	want(t, "delete", r.send("DELETE", path, r.all, ""), 204, nil)
	want(t, "gone", r.send("GET", path+"/deliveries", r.all, ""), 404, nil)
}

func TestBodies(t *testing.T) {
	r := newRoom(t, dbtest.SQLite(t))
	large := `{"edition":{"lang":"en","headline":"x","body":{"text":"` + strings.Repeat("x", maxBody) + `"}}}`
	want(t, "too large", r.send("POST", "/stories", r.all, large), 413, nil)
	want(t, "from nobody", r.send("POST", "/stories", "", large), 401, nil)
	want(t, "a form", r.send("POST", "/stories", r.all, `a=b`, "Content-Type", "application/x-www-form-urlencoded"), 415, nil)
	want(t, "no JSON", r.send("POST", "/stories", r.all, `{`), 400, nil)
	want(t, "not UTF-8", r.send("POST", "/stories", r.all, "{\"edition\":{\"lang\":\"en\",\"headline\":\"\xff\"}}"), 400, nil)
	want(t, "unknown", r.send("POST", "/stories", r.all, `{"editoin":{}}`), 422, nil)
	w := want(t, "a literal", r.send("POST", "/stories", r.all, `{"edition":{"lang":"en","headline":"a \\u0000 in a text"}}`), 201, nil)
	if w.Header().Get("RateLimit") == "" || w.Header().Get("RateLimit-Policy") != `"network";q=600;w=60` || w.Header().Get("Access-Control-Allow-Origin") != "" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%v", w.Header())
	}
}

// fresh forgets how many requests were made.
func (r *room) fresh() { r.Handler.(*guard).limits.new, r.Handler.(*guard).limits.old = nil, nil }
