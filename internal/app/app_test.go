package app_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"masthead/internal/app"
	"masthead/internal/config"
	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/story"
	"masthead/internal/wall"
)

// TestSecret refuses a newsroom whose secret is none.
func TestSecret(t *testing.T) {
	open := func(c config.Config) error {
		a, err := app.Open(t.Context(), c, slog.New(slog.DiscardHandler))
		if err == nil {
			err = a.Close()
		}
		return err
	}
	c := settings(t, "", nil)
	if err := open(c); !fault.Is(err, fault.NotFound) || !strings.Contains(fault.Hint(err), "masthead init --dir "+c.Dir) {
		t.Errorf("a folder without a newsroom: %v (%s)", err, fault.Hint(err))
	}
	if err := app.Init(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(c.Dir, "secret.key")
	info, err := os.Stat(key)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the secret's mode is %v, %v", info.Mode(), err)
	}
	first, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Init(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if again, _ := os.ReadFile(key); string(again) != string(first) {
		t.Error("a second init changed the secret")
	}
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := open(c); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "can be read by others") || !strings.Contains(fault.Hint(err), "chmod 600") {
		t.Errorf("a secret that others can read: %v (%s)", err, fault.Hint(err))
	}
	if err := os.Chmod(key, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "too short", base64.StdEncoding.EncodeToString([]byte("sixteen bytes...")), string(first) + "nonsense!"} {
		if err := os.WriteFile(key, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := open(c); !fault.Is(err, fault.Invalid) || !strings.Contains(fault.Hint(err), "openssl rand") {
			t.Errorf("the secret %q: %v (%s)", text, err, fault.Hint(err))
		}
	}
	t.Setenv("MASTHEAD_SECRET", strings.TrimSpace(string(first)))
	if err := open(c); err != nil {
		t.Errorf("with MASTHEAD_SECRET the file is still asked: %v", err)
	}
	t.Setenv("MASTHEAD_SECRET", "nonsense")
	if err := open(c); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "MASTHEAD_SECRET") {
		t.Errorf("a bad MASTHEAD_SECRET: %v", err)
	}
	t.Setenv("MASTHEAD_SECRET", strings.TrimSpace(string(first)))
	bare := settings(t, "", nil)
	if err := app.Init(t.Context(), bare); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(bare.Dir, "secret.key")); !os.IsNotExist(err) {
		t.Error("with MASTHEAD_SECRET a secret is written too")
	}
}

// secretOf gives a secret as MASTHEAD_SECRET holds it.
func secretOf(letter string) string {
	return base64.StdEncoding.EncodeToString([]byte(strings.Repeat(letter, 32)))
}

// TestNodes has two nodes of one secret serve one database, and one of another secret.
func TestNodes(t *testing.T) {
	database := dbtest.PostgresURL(t)
	node := func(secret string) *room {
		t.Setenv("MASTHEAD_SECRET", secret)
		r := openRoom(t, settings(t, database, nil))
		r.listen()
		return r
	}
	t.Setenv("MASTHEAD_SECRET", secretOf("a"))
	first := newRoom(t, database, nil)
	second, rotated, stranger := node(secretOf("a")), node(secretOf("b")+","+secretOf("a")), node(secretOf("c"))
	at := func(b *browser, r *room) *browser {
		return &browser{room: r, ip: b.ip, cookies: b.cookies, set: b.set}
	}
	b := first.visitor()
	b.post("/register", url.Values{"email": {"node@example.org"}})
	code := first.newest("node@example.org").code
	if a := at(b, stranger).post("/signin/code", url.Values{"code": {code}}); a.Header.Get("Location") != "/signin" {
		t.Errorf("a sign-in that a node of another secret takes on = %d", a.StatusCode)
	}
	if a := at(b, second).post("/signin/code", url.Values{"code": {code}}); a.StatusCode != http.StatusSeeOther || b.cookies["reader"] == "" {
		t.Fatalf("the code at the second node = %d", a.StatusCode)
	}
	for name, r := range map[string]*room{"the first": first, "the second": second, "the one whose key was changed": rotated} {
		if a := at(b, r).get("/account"); a.StatusCode != http.StatusOK {
			t.Errorf("the account at %s node = %d", name, a.StatusCode)
		}
	}
	meter := first.visitor()
	meter.page(first.path("meter-one"))
	has(t, "the second node", at(meter, second).page(first.path("meter-two")), "You have read 2 of 3")
	has(t, "the node whose key was changed", at(meter, rotated).page(first.path("meter-three")), "last free")
	has(t, "a node of another secret", at(meter, stranger).page(first.path("meter-four")), "You have read 1 of 3")
	// What one node publishes or withdraws, the others tell at once.
	first.tx(func(ctx context.Context, tx *db.Tx) error {
		return first.Stories.Withdraw(ctx, tx, first.editions["open-water"].ID, "Mistaken.", "editor")
	})
	if a := second.visitor().get(first.path("open-water")); a.StatusCode != http.StatusGone {
		t.Errorf("what the first node withdrew is at the second = %d, want 410", a.StatusCode)
	}
}

// TestBenefits refuses to serve a wall that promises what is not there.
func TestBenefits(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *room) {
		if err := r.CheckBenefits(t.Context()); err != nil {
			t.Fatalf("a wall that keeps its promises: %v", err)
		}
		for entitlement, want := range map[string]string{
			"newsletter:none": "no such newsletter", "topic:none": "no such topic", "section:none": "no such section", "event": "no events",
			"topic:papers": "registering does not bring it",
		} {
			bad := []wall.Benefit{{Entitlement: entitlement, Texts: map[string]string{"en": "A promise"}}}
			r.tx(func(ctx context.Context, tx *db.Tx) error { return r.WallStore.ReplaceBenefits(ctx, tx, bad) })
			err := r.Serve(t.Context(), nil)
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), entitlement) || fault.Hint(err) == "" {
				t.Errorf("a wall that promises %s is served: %v (%s)", entitlement, err, fault.Hint(err))
			}
		}
		err := r.SetWall(t.Context(), wall.Table{Rules: []wall.Rule{{Name: "all", When: "true", Grant: wall.MustGrant("open")}},
			Benefits: []wall.Benefit{{Entitlement: "archive", Texts: map[string]string{"en": "The archive"}}}})
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "keeps it from nobody") {
			t.Errorf("a wall that is open and promises the archive: %v", err)
		}
	})
}

// TestServe serves a newsroom as the command does: it publishes what is due,
// tells of itself on its own address, and finishes what is under way when it stops.
func TestServe(t *testing.T) {
	onBoth(t, setting{"ops-addr": freeAddr(t)}, func(t *testing.T, r *room) {
		var due story.Edition
		r.tx(func(ctx context.Context, tx *db.Tx) error {
			sections, err := r.Stories.Sections(ctx, tx)
			if err != nil {
				return err
			}
			st := story.Story{OriginalLang: "en", Access: story.Open, SectionID: sections[0].ID}
			if err := r.Stories.Save(ctx, tx, &st); err != nil {
				return err
			}
			due = story.Edition{StoryID: st.ID, Lang: "en", Status: story.Scheduled, Headline: "Right on time", Body: doc.FromText("On time."), PublishedAt: r.Now().Add(-time.Minute)}
			return r.Stories.SaveEdition(ctx, tx, &due, "editor")
		})
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		ready, done := make(chan string, 1), make(chan error, 1)
		go func() { done <- r.Serve(ctx, func(addr net.Addr) { ready <- addr.String() }) }()
		var addr string
		select {
		case addr = <-ready:
		case err := <-done:
			t.Fatalf("it is not served: %v", err)
		}
		get := func(url string) (int, string) {
			res, err := http.Get(url)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			return res.StatusCode, string(body)
		}
		end := time.Now().Add(20 * time.Second)
		for {
			if status, _ := get("http://" + addr + due.Path); status == http.StatusOK {
				break
			}
			if time.Now().After(end) {
				t.Fatal("what is due was not published in 20 s")
			}
			time.Sleep(20 * time.Millisecond)
		}
		if status, body := get("http://" + addr + "/search?q=time"); status != 200 || !strings.Contains(body, "Right on time") {
			t.Errorf("what was published on schedule is not found: %d", status)
		}
		for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ok", "/metrics": `masthead_requests_total{area="site",code="200"}`} {
			if status, body := get("http://" + r.Config.OpsAddr + path); status != 200 || !strings.Contains(body, want) {
				t.Errorf("%s = %d, without %s", path, status, want)
			}
			if status, _ := get("http://" + addr + path); status != http.StatusNotFound {
				t.Errorf("the public is answered %d at %s, want 404", status, path)
			}
			if status, _ := get("http://" + r.Config.OpsAddr + "/"); status != http.StatusNotFound {
				t.Errorf("the operator's address serves more than it is for: %d", status)
			}
		}

		// A form that is half sent when the stop comes is answered still.
		form := "email=slow%40example.org"
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST /register HTTP/1.1\r\nHost: quay.example\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(form), form[:5])
		time.Sleep(100 * time.Millisecond) // until the handler waits for the rest
		stop()
		for {
			other, err := net.DialTimeout("tcp", addr, time.Second)
			if err != nil {
				break // nothing new is taken
			}
			other.Close()
			if time.Now().After(end) {
				t.Fatal("it takes new requests after it was stopped")
			}
			time.Sleep(10 * time.Millisecond)
		}
		select {
		case err := <-done:
			t.Fatalf("it stopped before the running request was answered: %v", err)
		case <-time.After(50 * time.Millisecond):
		}
		if _, err := io.WriteString(conn, form[5:]); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(conn)
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 303") {
			t.Errorf("the running request was answered %q, %v", shorten(string(answer)), err)
		}
		if err := <-done; err != nil {
			t.Errorf("it stopped with %v", err)
		}
		if len(r.letters("slow@example.org")) != 1 {
			t.Error("the running request was not finished")
		}
	})
}

// TestNotReady tells the operator when the database is away.
func TestNotReady(t *testing.T) {
	r := newRoom(t, "", setting{"ops-addr": freeAddr(t)})
	ctx, stop := context.WithCancel(t.Context())
	ready, done := make(chan bool, 1), make(chan error, 1)
	go func() { done <- r.Serve(ctx, func(net.Addr) { ready <- true }) }()
	<-ready
	if err := r.DB.Read().Close(); err != nil {
		t.Fatal(err)
	}
	res, err := http.Get("http://" + r.Config.OpsAddr + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("/readyz without a database = %d, want 503", res.StatusCode)
	}
	res, err = http.Get("http://" + r.Config.OpsAddr + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("/healthz without a database = %d, want 200", res.StatusCode)
	}
	// Readers get a page that says so, and nothing of the fault's own words.
	a := r.visitor().get(r.path("open-water"))
	if a.StatusCode != http.StatusInternalServerError || a.Header.Get("Content-Security-Policy") == "" {
		t.Errorf("a page without a database = %d", a.StatusCode)
	}
	has(t, "the page of the fault", a.body, "<h1", a.Header.Get("X-Request-Id"))
	hasNot(t, "the page of the fault", a.body, "sql", "database is closed")
	stop()
	if err := <-done; err != nil {
		t.Logf("stopped with %v", err)
	}
}

// freeAddr gives an address of the loopback that nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestTheme overrides a template and the style from a folder.
func TestTheme(t *testing.T) {
	theme := t.TempDir()
	style := func(r *room) string {
		b := r.visitor()
		page := b.page("/about/")
		_, rest, ok := strings.Cut(page, `href="/assets/theme-`)
		if !ok {
			return ""
		}
		file, _, _ := strings.Cut(rest, `"`)
		a := b.get("/assets/theme-" + file)
		if a.StatusCode != 200 || a.Header.Get("Content-Type") != "text/css; charset=utf-8" {
			t.Errorf("the theme's style = %d, %s", a.StatusCode, a.Header.Get("Content-Type"))
		}
		return a.body
	}
	if css := style(newRoom(t, "", setting{"theme": theme})); css != "" {
		t.Errorf("an empty theme has a style: %s", css)
	}
	writeFile(t, filepath.Join(theme, "style.css"), ".story{color:teal}")
	writeFile(t, filepath.Join(theme, "site/plain/plain.html"), `{{define "main"}}<h1>Ours: {{.Headline}}</h1>{{end}}`)
	for _, dev := range []string{"true", "false"} {
		r := newRoom(t, "", setting{"theme": theme, "dev": dev, "accent": "#7a1f1f"})
		has(t, "the overridden page", r.visitor().page("/about/"), "<h1>Ours: ")
		has(t, "the style", style(r), ".story{color:teal}", "--accent:#7a1f1f")
		has(t, "a page that is not overridden", r.visitor().page("/"), "Headline of open-water en")
		if dev == "true" { // letters stay in the outbox
			r.visitor().post("/signin", url.Values{"email": {"mira@example.org"}})
			letters, err := r.Outbox.List(t.Context(), 1)
			if err != nil || len(letters) != 1 {
				t.Fatalf("%d letters, %v", len(letters), err)
			}
			has(t, "the letter", letters[0].HTML, "background: #7a1f1f")
		}
		writeFile(t, filepath.Join(theme, "style.css"), ".story{color:navy}")
		writeFile(t, filepath.Join(theme, "site/plain/plain.html"), `{{define "main"}}<h1>Anew: {{.Headline}}</h1>{{end}}`)
		page, css := r.visitor().page("/about/"), style(r)
		if dev == "true" {
			has(t, "the page in development", page, "<h1>Anew: ")
			has(t, "the style in development", css, ".story{color:navy}")
		} else {
			has(t, "the page", page, "<h1>Ours: ")
			has(t, "the style", css, ".story{color:teal}")
		}
		writeFile(t, filepath.Join(theme, "style.css"), ".story{color:teal}")
		writeFile(t, filepath.Join(theme, "site/plain/plain.html"), `{{define "main"}}<h1>Ours: {{.Headline}}</h1>{{end}}`)
	}
	// A link out of the folder is not followed, and a template that cannot be read is told of at start.
	writeFile(t, filepath.Join(theme, "site/plain/plain.html"), `{{define "main"}}{{.Headline`)
	if _, err := openRoom(t, settings(t, "", setting{"theme": theme})).Handler(); err == nil || !strings.Contains(err.Error(), "site/plain/plain.html") {
		t.Errorf("a broken template: %v", err)
	}
	if _, err := openRoom(t, settings(t, "", setting{"theme": theme + "/none"})).Handler(); err == nil {
		t.Error("a theme that is not there is taken")
	}
	if _, err := openRoom(t, settings(t, "", setting{"accent": "#ffff00"})).Handler(); err == nil || !strings.Contains(err.Error(), "contrast") {
		t.Errorf("an accent that nobody can read: %v", err)
	}
	// Outside of development nobody reads the letters.
	r := newRoom(t, "", setting{"dev": "false"})
	if a := r.visitor().get("/dev/mail"); a.StatusCode != http.StatusNotFound {
		t.Errorf("/dev/mail outside of development = %d, want 404", a.StatusCode)
	}
}
