package site_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/net/html"

	"masthead/internal/desk"
	"masthead/internal/language"
	"masthead/internal/site"
	"masthead/internal/web"
	"masthead/ui"
)

// pages is every template of the public site with its struct.
func pages() map[string]any {
	return map[string]any{
		"site/front":       site.FrontPage{},
		"site/section":     site.SectionPage{},
		"site/topic":       site.TopicPage{},
		"site/author":      site.AuthorPage{},
		"site/archive":     site.ArchivePage{},
		"site/corrections": site.CorrectionsPage{},
		"site/search":      site.SearchPage{},
		"site/story":       site.StoryPage{},
		"site/register":    site.RegisterPage{},
		"site/signin":      site.SignInPage{},
		"site/code":        site.CodePage{},
		"site/confirm":     site.ConfirmPage{},
		"site/account":     site.AccountPage{},
		"site/plain":       site.PlainPage{},
		"site/error":       site.ErrorPage{},
		"site/outbox":      site.OutboxPage{},
		"site/letter":      site.LetterPage{},
		"letter/signin":    site.SignInLetter{},
		"letter/staff":     desk.StaffLetter{},
		"letter/plan":      desk.PlanLetter{},
	}
}

func renderer(t *testing.T) *web.Renderer {
	t.Helper()
	assets, err := web.NewAssets(fstest.MapFS{"manifest.json": {Data: []byte(`{}`)}}, web.Theme{})
	if err != nil {
		t.Fatal(err)
	}
	templates, err := ui.FS("")
	if err != nil {
		t.Fatal(err)
	}
	r, err := web.NewRenderer(templates, assets, false)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestTemplates type-checks every template against its struct, and makes each
// page of an empty struct and of one with every field filled.
func TestTemplates(t *testing.T) {
	r := renderer(t)
	all := pages()
	for _, name := range r.Names() {
		if _, ok := all[name]; !ok && !strings.HasPrefix(name, "desk/") {
			t.Errorf("template %s is not in this test", name)
		}
	}
	for name, empty := range all {
		for _, err := range r.Check(name, empty) {
			t.Errorf("%s: %v", name, err)
		}
		full := reflect.New(reflect.TypeOf(empty)).Elem()
		fill(full, "x")
		for label, page := range map[string]any{"empty": empty, "full": full.Interface()} {
			text, err := r.Bytes(name, page)
			if err != nil {
				t.Errorf("%s: %v", label, err)
				continue
			}
			if bytes.Contains(text, []byte("ZgotmplZ")) {
				t.Errorf("%s, %s: a value was refused by the template: %.200s", name, label, text[bytes.Index(text, []byte("ZgotmplZ")):])
			}
			checkPage(t, name+" "+label, text)
		}
		if strings.HasPrefix(name, "letter/") {
			if text, err := r.Text(name, full.Interface()); err != nil || !strings.Contains(text, "x") {
				t.Errorf("%s: %q, %v", name, text, err)
			}
		}
	}
}

// fill sets every field that can be set, with one element in each list.
func fill(v reflect.Value, word string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(word)
	case reflect.Int:
		v.SetInt(2)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), word+string(rune('a'+i)))
		}
	case reflect.Pointer:
		if v.Type() == reflect.TypeFor[*language.Furniture]() {
			v.Set(reflect.ValueOf(language.Get("en")))
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), word)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), word)
			}
		}
	}
}

// checkPage finds what no page may have: two elements of one id, a field
// without a label, a picture without alt, and anything inline.
func checkPage(t *testing.T, name string, text []byte) {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	ids, labelled := map[string]int{}, map[string]bool{}
	var fields []string
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		attrs := map[string]string{}
		for _, a := range n.Attr {
			attrs[a.Key] = a.Val
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
				t.Errorf("%s: inline %s on %s", name, a.Key, n.Data)
			}
		}
		if id, ok := attrs["id"]; ok {
			ids[id]++
		}
		switch n.Data {
		case "label":
			labelled[attrs["for"]] = true
			for in := range n.Descendants() { // a label round its field
				for _, a := range in.Attr {
					if a.Key == "name" {
						labelled["name="+a.Val] = true
					}
				}
			}
		case "input", "select", "textarea":
			if attrs["type"] != "hidden" && !labelled["name="+attrs["name"]] {
				fields = append(fields, attrs["id"])
			}
		case "img":
			if _, ok := attrs["alt"]; !ok {
				t.Errorf("%s: picture without alt", name)
			}
		case "script":
			if attrs["src"] == "" && attrs["type"] != "application/ld+json" && !strings.Contains(string(text), `type="module"`) {
				t.Errorf("%s: inline script", name)
			}
		case "style":
			if !strings.HasPrefix(name, "letter/") {
				t.Errorf("%s: inline style", name)
			}
		}
	}
	for _, id := range fields {
		if !labelled[id] {
			t.Errorf("%s: field %q has no label", name, id)
		}
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%s: id %q stands %d times", name, id, n)
		}
	}
}
