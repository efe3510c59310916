package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"masthead/internal/fault"
)

// AssetPath is where built files are served.
const AssetPath = "/assets/"

// Assets serves the built styles, scripts and faces under names that carry a
// hash of their content, so that a browser may keep them for ever.
type Assets struct {
	urls     map[string]string // "site.css" → "/assets/site-3F2A….css"
	preloads map[string][]string
	files    map[string]assetFile // by the last part of the address
	theme    atomic.Pointer[func() themeSheet]
}

// themeSheet is a theme with all that pages say of it, worked out once.
type themeSheet struct {
	Theme
	file                    string // the stylesheet's, by its content; "" where there is none
	css                     []byte
	lightGround, darkGround string
}

// assetFile is a file in the codings that there are of it; nil where there is
// none. Each is read when it is first asked for: most never are.
type assetFile struct {
	kind                string
	plain, gzip, brotli func() []byte
}

// Manifest is dist/manifest.json, written by `go run ./ui/build`.
type Manifest struct {
	Files    map[string]string   `json:"files"`    // "site.css": "site-3F2A….css"
	Preloads map[string][]string `json:"preloads"` // language, or "" for the rest: names in Files
}

// NewAssets reads the built front end and adds the theme's stylesheet.
func NewAssets(dist fs.FS, theme Theme) (*Assets, error) {
	text, err := fs.ReadFile(dist, "manifest.json")
	if err != nil {
		return nil, fault.New(fault.Unavailable, "the front end has not been built into this program").WithHint("run make build")
	}
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("front end manifest: %w", err)
	}
	a := &Assets{urls: map[string]string{}, preloads: map[string][]string{}, files: map[string]assetFile{}}
	for name, file := range m.Files {
		if _, err := fs.Stat(dist, file); err != nil {
			return nil, fmt.Errorf("front end: %w", err)
		}
		// Compressed ones are absent where they would save nothing.
		a.files[file] = assetFile{contentType(file), coded(dist, file), coded(dist, file+".gz"), coded(dist, file+".br")}
		a.urls[name] = AssetPath + file
	}
	for lang, names := range m.Preloads {
		for _, name := range names {
			a.preloads[lang] = append(a.preloads[lang], a.urls[name])
		}
	}
	a.SetTheme(theme)
	return a, nil
}

func coded(dist fs.FS, file string) func() []byte {
	if _, err := fs.Stat(dist, file); err != nil {
		return nil
	}
	return sync.OnceValue(func() []byte { text, _ := fs.ReadFile(dist, file); return text })
}

// SetTheme puts a theme in the place of the one before; it may be called while
// the assets are served.
func (a *Assets) SetTheme(t Theme) {
	s := sheetOf(t)
	get := func() themeSheet { return s }
	a.theme.Store(&get)
}

// Reread makes the theme one that is read anew for each page: for development.
// One that cannot be read leaves the last.
func (a *Assets) Reread(read func() (Theme, error)) {
	last := a.current()
	get := func() themeSheet {
		if t, err := read(); err == nil {
			return sheetOf(t)
		}
		return last
	}
	a.theme.Store(&get)
}

func (a *Assets) current() themeSheet { return (*a.theme.Load())() }

// Ground gives the paper's colour in a scheme, "light" or "dark", for the
// browser's own furniture.
func (a *Assets) Ground(scheme string) string {
	s := themeSheet{lightGround: paperLight, darkGround: paperDark}
	if a != nil && a.theme.Load() != nil {
		s = a.current()
	}
	if scheme == "dark" {
		return s.darkGround
	}
	return s.lightGround
}

func sheetOf(t Theme) themeSheet {
	s := themeSheet{Theme: t, css: t.CSS(), lightGround: t.Look.light().paper, darkGround: t.Look.dark().paper}
	if len(s.css) > 0 {
		sum := sha256.Sum256(s.css)
		s.file = "theme-" + hex.EncodeToString(sum[:5]) + ".css"
	}
	return s
}

func contentType(file string) string {
	switch path.Ext(file) {
	case ".woff2":
		return "font/woff2"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(path.Ext(file))
}

// URL gives the address of a built file by its plain name, "" when there is
// none of it.
func (a *Assets) URL(name string) string {
	if a == nil {
		return ""
	}
	return a.urls[name]
}

// Preloads gives the addresses of the faces that a page in lang needs at once.
func (a *Assets) Preloads(lang string) []string {
	if a == nil {
		return nil
	}
	base, _, _ := strings.Cut(lang, "-")
	if urls, ok := a.preloads[base]; ok {
		return urls
	}
	return a.preloads[""]
}

// ThemeURL gives the address of the theme's stylesheet, or "".
func (a *Assets) ThemeURL() string {
	if a == nil || a.theme.Load() == nil {
		return ""
	}
	if file := a.current().file; file != "" {
		return AssetPath + file
	}
	return ""
}

// ServeHTTP serves one file of AssetPath, compressed as the browser takes it.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, AssetPath)
	file, ok := a.files[name]
	keep := "public, max-age=31536000, immutable" // RFC 8246
	if !ok && strings.HasPrefix(name, "theme-") {
		file, keep, ok = a.themed(name, r.URL.Query())
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", file.kind)
	h.Set("Cache-Control", keep)
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	var body []byte
	if file.brotli != nil || file.gzip != nil {
		h.Add("Vary", "Accept-Encoding")
		switch {
		case file.brotli != nil && Accepts(r, "br"):
			body = file.brotli()
			h.Set("Content-Encoding", "br")
		case file.gzip != nil && Accepts(r, "gzip"):
			body = file.gzip()
			h.Set("Content-Encoding", "gzip")
		}
	}
	if h.Get("Content-Encoding") == "" {
		body = file.plain()
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		bytes.NewReader(body).WriteTo(w)
	}
}

// themed gives a theme's stylesheet, and how long it may be kept: that of the
// newsroom for ever; that of a preview not at all. A theme of before, or one
// that this node has not heard of yet, is answered with today's.
func (a *Assets) themed(name string, query url.Values) (f assetFile, keep string, ok bool) {
	if name == previewFile {
		t := Theme{Look: LookOf(query.Get), Style: a.current().Style}
		if _, err := t.Look.Measures(); err != nil {
			return f, "", false
		}
		return assetFile{kind: contentType(name), plain: t.CSS}, "no-store", true
	}
	now := a.current()
	f = assetFile{kind: contentType(name), plain: func() []byte { return now.css }}
	if now.file == name {
		return f, "public, max-age=31536000, immutable", true
	}
	return f, "no-store", themeName.MatchString(name)
}

var themeName = regexp.MustCompile(`^theme-[0-9a-f]{10}\.css$`)

// Accepts reports whether the client takes a content coding (RFC 9110
// §12.5.3). A coding that it names with q=0 is refused.
func Accepts(r *http.Request, coding string) bool {
	for _, part := range strings.Split(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, params, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		q, hasQ := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(params), " ", ""), "q=")
		if !hasQ {
			return true
		}
		weight, err := strconv.ParseFloat(q, 64)
		return err == nil && weight > 0
	}
	return false
}
