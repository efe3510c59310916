package web

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	texttemplate "text/template"
)

// Renderer makes pages of templates. A page is named by its folder,
// "site/story"; its templates are those of shared/, of site/ and of
// site/story/, and the one called "layout" is executed. In development the
// templates are read again for every page.
type Renderer struct {
	fsys   fs.FS
	assets *Assets
	dev    bool
	pages  pageTemplates
	texts  map[string]*texttemplate.Template // letters' plain text, by folder
}

// pageTemplates are pages by folder. A page's set is put together when it is
// first asked for, and never changed then: each has a copy of all that is
// shared, and most nodes never show most pages of the desk.
type pageTemplates map[string]func() (*template.Template, error)

func (p pageTemplates) get(name string) (*template.Template, error) {
	page, ok := p[name]
	if !ok {
		return nil, fmt.Errorf("page %s: there is no template", name)
	}
	return page()
}

// NewRenderer reads all templates of fsys, which is laid out as package ui is;
// one that cannot be parsed is an error. With dev set they are read anew at
// each use.
func NewRenderer(fsys fs.FS, assets *Assets, dev bool) (*Renderer, error) {
	r := &Renderer{fsys: fsys, assets: assets, dev: dev}
	var err error
	r.pages, r.texts, err = r.parse()
	return r, err
}

// Funcs gives what templates can call besides the methods of their page:
//
//	asset NAME     address of a built file: {{asset "site.css"}}
//	preloads LANG  addresses of the faces to load first for a language
//	theme          address of the theme's stylesheet, or ""
//	ground SCHEME  the paper's colour, "light" or "dark"
func (r *Renderer) Funcs() template.FuncMap {
	return template.FuncMap{
		"asset":    r.assets.URL,
		"preloads": r.assets.Preloads,
		"theme":    r.assets.ThemeURL,
		"ground":   r.assets.Ground,
	}
}

func (r *Renderer) parse() (pageTemplates, map[string]*texttemplate.Template, error) {
	pages, texts := pageTemplates{}, map[string]*texttemplate.Template{}
	shared, err := r.parseFiles(template.New("").Funcs(r.Funcs()), "shared")
	if err != nil {
		return nil, nil, err
	}
	areas, err := fs.ReadDir(r.fsys, ".")
	if err != nil {
		return nil, nil, fmt.Errorf("templates: %w", err)
	}
	for _, area := range areas {
		if !area.IsDir() || area.Name() == "shared" || area.Name() == "dist" {
			continue
		}
		base, err := r.parseFiles(template.Must(shared.Clone()), area.Name())
		if err != nil {
			return nil, nil, err
		}
		folders, err := fs.ReadDir(r.fsys, area.Name())
		if err != nil {
			return nil, nil, fmt.Errorf("templates: %w", err)
		}
		for _, folder := range folders {
			name := path.Join(area.Name(), folder.Name())
			if !folder.IsDir() {
				continue
			}
			if html, _ := fs.Glob(r.fsys, name+"/*.html"); len(html) > 0 && base.Lookup("layout") != nil {
				if _, err := r.parseFiles(template.New("").Funcs(r.Funcs()), name); err != nil {
					return nil, nil, err
				}
				pages[name] = sync.OnceValues(func() (*template.Template, error) { return r.parseFiles(template.Must(base.Clone()), name) })
			}
			if text, err := fs.ReadFile(r.fsys, name+"/"+folder.Name()+".txt"); err == nil {
				t, err := texttemplate.New(name).Parse(string(text))
				if err != nil {
					return nil, nil, fmt.Errorf("template %s: %w", name, err)
				}
				texts[name] = t
			}
		}
	}
	return pages, texts, nil
}

func (r *Renderer) parseFiles(t *template.Template, folder string) (*template.Template, error) {
	files, err := fs.Glob(r.fsys, folder+"/*.html")
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	for _, file := range files {
		text, err := fs.ReadFile(r.fsys, file)
		if err != nil {
			return nil, fmt.Errorf("template %s: %w", file, err)
		}
		if _, err := t.New(file).Parse(string(text)); err != nil {
			return nil, fmt.Errorf("template %s: %w", file, err)
		}
	}
	return t, nil
}

// Names lists the pages there are templates for.
func (r *Renderer) Names() []string { return slices.Sorted(maps.Keys(r.pages)) }

// Bytes makes a page; nothing is written when it fails.
func (r *Renderer) Bytes(name string, page any) ([]byte, error) { return r.Part(name, "layout", page) }

// Part makes one named template of a page alone: the hole that differs from
// reader to reader ("account-link", "wall", "meter", "next-for-you").
func (r *Renderer) Part(name, part string, data any) ([]byte, error) {
	pages := r.pages
	if r.dev {
		var err error
		if pages, _, err = r.parse(); err != nil {
			return nil, err
		}
	}
	t, err := pages.get(name)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, part, data); err != nil {
		return nil, fmt.Errorf("page %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// Text makes the plain-text form of a letter.
func (r *Renderer) Text(name string, page any) (string, error) {
	texts := r.texts
	if r.dev {
		var err error
		if _, texts, err = r.parse(); err != nil {
			return "", err
		}
	}
	t, ok := texts[name]
	if !ok {
		return "", fmt.Errorf("letter %s: there is no text template", name)
	}
	var b strings.Builder
	if err := t.Execute(&b, page); err != nil {
		return "", fmt.Errorf("letter %s: %w", name, err)
	}
	return b.String(), nil
}

// Render makes a page and sends it. The handler has set every header but the
// content's type and length.
func (r *Renderer) Render(w http.ResponseWriter, status int, name string, page any) error {
	body, err := r.Bytes(name, page)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body) // a reader who has left is no error of ours
	return nil
}
