package e2e

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestHostileExport imports a Ghost export whose every field attacks the
// reader's browser, and reads its pages in one. The content security policy
// would stop most of it; that it has nothing to stop is tested too, since a tab
// reports each violation.
func TestHostileExport(t *testing.T) {
	attacks := docAttacks(t)
	folder := t.TempDir()
	export := filepath.Join(folder, "export.json")
	content, err := json.Marshal(ghostExport(attacks))
	if err == nil {
		err = os.WriteFile(export, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(folder, "newsroom")
	report := command(t, "import", "ghost", export, "--dir", dir, "--json", "--site", "https://old.example")
	var counts struct{ Stories int }
	if err := json.Unmarshal([]byte(report[strings.Index(report, "{"):]), &counts); err != nil || counts.Stories != len(attacks) {
		t.Fatalf("%d of %d stories came in: %v\n%.2000s", counts.Stories, len(attacks), err, report)
	}
	n, err := serve(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer n.stop()

	b := newTab(t, n)
	b.size(1280, 900)
	paths := []string{"/", "/topic/hostile/", "/author/hostile/", "/search?q=" + url.QueryEscape(`"><script>alert(1)</script>`),
		"/register?next=" + url.QueryEscape("javascript:alert(1)"), "/signin?next=" + url.QueryEscape("//evil.example/"), "/%3Cscript%3Ealert(1)%3C/script%3E"}
	for i := range attacks {
		paths = append(paths, n.story(t, "en", fmt.Sprintf("attack-%d", i)))
	}
	for _, path := range paths {
		if status := b.open(path); status >= 500 {
			t.Errorf("%s answers %d", path, status)
		}
		if bad := eval[string](b, harmful); bad != "" {
			t.Errorf("%s holds %s", path, bad)
		}
	}
	if eval[string](b, "typeof window.ran") != "undefined" {
		t.Error("a script ran")
	}
}

// harmful names what no imported page may hold, as the browser has read it, and
// touches everything that could answer to a touch.
const harmful = `(() => {
	const bad = [];
	for (const e of document.querySelectorAll("*")) {
		for (const a of e.attributes) if (/^on/i.test(a.name) || a.name === "style" || a.name === "srcdoc" || a.name === "formaction") bad.push(e.tagName + " " + a.name);
		for (const name of ["mouseover", "focus", "toggle", "error", "load"]) e.dispatchEvent(new Event(name));
	}
	for (const a of document.querySelectorAll("[href], [src], [action], [poster]")) {
		for (const name of ["href", "src", "action", "poster"]) {
			const v = a.getAttribute(name);
			if (v && /^(javascript|vbscript|data|livescript|feed|view-source):/i.test(new URL(v, location.href).protocol)) bad.push(a.tagName + " " + v);
		}
	}
	for (const e of document.querySelectorAll("main :is(script, style, iframe, object, embed, svg, math, link, meta, base, template, frame)")) bad.push(e.outerHTML);
	return bad.join(", ");
})()`

// docAttacks reads the table of attacks that the tests of package doc use.
func docAttacks(t *testing.T) (attacks []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../internal/doc/xss_test.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || spec.Names[0].Name != "attacks" {
			return true
		}
		for _, e := range spec.Values[0].(*ast.CompositeLit).Elts {
			attacks = append(attacks, literal(t, e))
		}
		return false
	})
	if len(attacks) < 60 {
		t.Fatalf("%d attacks only", len(attacks))
	}
	return attacks
}

// literal gives the value of string literals with + between them.
func literal(t *testing.T, e ast.Expr) string {
	t.Helper()
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		return s
	case *ast.BinaryExpr:
		return literal(t, e.X) + literal(t, e.Y)
	}
	t.Fatalf("%T is no string", e)
	return ""
}

// ghostExport makes an export of Ghost with one post for each attack, which
// stands in its words, its title, its summary, its author and its topic.
func ghostExport(attacks []string) any {
	type row = map[string]any
	const at = "2026-05-05T08:00:00.000Z"
	var posts, authors, tags []row
	for i, a := range attacks {
		id := fmt.Sprintf("%024x", i+1)
		posts = append(posts, row{"id": id, "uuid": id, "title": "Attack " + a, "slug": fmt.Sprintf("attack-%d", i), "type": "post", "status": "published",
			"visibility": "public", "created_at": at, "updated_at": at, "published_at": at, "custom_excerpt": a, "mobiledoc": nil, "lexical": nil,
			"feature_image": "javascript:alert(1)", "codeinjection_head": a, "codeinjection_foot": a,
			"html": "<p>Before " + a + " after</p>" + a + "<ul><li>" + a + "<table><tr><td>" + a})
		authors = append(authors, row{"id": "a" + id[1:], "post_id": id, "author_id": "1", "sort_order": 0})
		tags = append(tags, row{"id": "b" + id[1:], "post_id": id, "tag_id": "2", "sort_order": 0})
	}
	evil := `"><img src=x onerror=alert(1)><script>window.ran=1</script>`
	return row{"db": []row{{"meta": row{"exported_on": 1777968000000, "version": "6.65.0"}, "data": row{
		"posts": posts, "posts_authors": authors, "posts_tags": tags,
		"users": []row{{"id": "1", "name": "Hostile " + evil, "slug": "hostile", "email": "hostile@old.example", "bio": evil, "website": "javascript:alert(1)", "created_at": at, "updated_at": at}},
		"tags":  []row{{"id": "2", "name": "Hostile " + evil, "slug": "hostile", "description": evil, "visibility": "public", "created_at": at, "updated_at": at}},
	}}}}
}

// TestReturnStaysAtHome tries to have sign-in lead to another site.
func TestReturnStaysAtHome(t *testing.T) {
	for _, next := range []string{"//evil.example/", "https://evil.example/", `/\evil.example`, "javascript:alert(1)", "/%0d%0aLocation:%20//evil.example"} {
		b := newTab(t, demo)
		email := fmt.Sprintf("return-%d@reader.example", len(next))
		if status := b.open("/signin?next=" + url.QueryEscape(next)); status != http.StatusOK {
			t.Fatalf("sign-in with next=%s answers %d", next, status)
		}
		b.fill("#email", email)
		b.click(".form button[type=submit]")
		_, _, code := b.letter(email)
		b.do(chromedp.SendKeys(chromedp.CSS("#code"), code))
		b.click(".form button[type=submit]")
		if at := eval[string](b, "location.origin"); at != demo.URL {
			t.Errorf("next=%s leads to %s", next, at)
		}
	}
}
