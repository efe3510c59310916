package page

import (
	"bufio"
	"bytes"
	"context"
	"html/template"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/klauspost/compress/gzip"
)

// storyOf60K gives the segments of a page of 60 KB as a story is cut, and five
// holes of 1.9 KB together, of the demo's prose.
func storyOf60K(t testing.TB) (segments, contents [][]byte) {
	files, err := filepath.Glob("../demo/newsroom/stories/*.en.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("the demo has no stories: %v", err)
	}
	var prose bytes.Buffer
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		prose.Write(bytes.ReplaceAll(b, []byte("\n\n"), []byte("</p>\n<p>")))
	}
	if prose.Len() < 62_000 {
		t.Fatalf("the demo's stories have %d bytes", prose.Len())
	}
	for _, n := range []int{6000, 700, 42_000, 1300, 9000, 1000} {
		segments = append(segments, bytes.Clone(prose.Next(n)))
	}
	for _, n := range []int{150, 200, 250, 300, 1000} {
		contents = append(contents, bytes.Clone(prose.Next(n)))
	}
	return segments, contents
}

func benchPage(b *testing.B) (*Page, Holes, []byte) {
	segments, contents := storyOf60K(b)
	p, holes, want := pageOf(b, segments, contents)
	if err := p.improve(); err != nil {
		b.Fatal(err)
	}
	return p, holes, want
}

func BenchmarkStitch(b *testing.B) {
	p, holes, _ := benchPage(b)
	out := bufio.NewWriterSize(nil, 32<<10)
	b.ReportAllocs()
	for b.Loop() {
		var few [12][]byte
		fill, _, err := p.fill(few[:0], holes, false)
		if err != nil {
			b.Fatal(err)
		}
		out.Reset(io.Discard)
		p.body.Load().gzip(out, fill)
		out.Flush()
	}
}

// nowhere is a ResponseWriter that costs nothing.
type nowhere struct{ h http.Header }

func (n nowhere) Header() http.Header         { return n.h }
func (n nowhere) WriteHeader(int)             {}
func (n nowhere) Write(b []byte) (int, error) { return len(b), nil }

func benchServe(b *testing.B, coding string) {
	p, holes, _ := benchPage(b)
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept-Encoding", coding)
	w := nowhere{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		delete(w.h, "Vary")
		if err := p.Serve(w, r, holes, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkServeGzip(b *testing.B)     { benchServe(b, "gzip, deflate, br, zstd") }
func BenchmarkServeIdentity(b *testing.B) { benchServe(b, "identity") }

func BenchmarkGetAndServe(b *testing.B) {
	c := NewCache(Settings{})
	segments, contents := storyOf60K(b)
	_, holes, _ := pageOf(b, segments, contents)
	k := Key{Kind: "story", ID: "0198c0de-0000-7000-8000-000000000001", Revision: "17", Variant: "preview", Lang: "en"}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := nowhere{http.Header{}}
	render := func(context.Context) (Rendered, error) {
		m := NewMarker()
		var body []byte
		for i, s := range segments {
			body = append(body, s...)
			if i < len(holes) {
				mark, _ := m.Mark(holes[i].Name)
				body = append(body, mark...)
			}
		}
		return Rendered{Body: body, Marker: m, Tags: []string{"story-1", "section-2", "topic-3", "topic-4"}}, nil
	}
	b.ReportAllocs()
	for b.Loop() {
		p, err := c.Get(context.Background(), k, render)
		if err != nil {
			b.Fatal(err)
		}
		delete(w.h, "Vary")
		if err := p.Serve(w, r, holes, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNew is what a miss costs besides the renderer.
func BenchmarkNew(b *testing.B) {
	segments, _ := storyOf60K(b)
	html := bytes.Join(segments, nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := New(Rendered{Body: html}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDeflate tells what the levels of compression cost and give.
func BenchmarkDeflate(b *testing.B) {
	segments, _ := storyOf60K(b)
	for level := fast; level <= best; level++ {
		b.Run(strconv.Itoa(level), func(b *testing.B) {
			n := 0
			for b.Loop() {
				body, err := deflated(segments, level)
				if err != nil {
					b.Fatal(err)
				}
				n = body.deflated
			}
			b.ReportMetric(float64(n), "bytes")
		})
	}
}

// What it is measured against: compressing the page for each request, and
// rendering it as well.
func BenchmarkCompressEach(b *testing.B) {
	_, _, html := benchPage(b)
	z, err := gzip.NewWriterLevel(io.Discard, 6)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		z.Reset(io.Discard)
		z.Write(html)
		z.Close()
	}
}

func BenchmarkRenderAndCompressEach(b *testing.B) {
	segments, contents := storyOf60K(b)
	const layout = `<!doctype html><html lang="{{.Lang}}"><head><title>{{.Title}}</title></head><body>
{{range .Nav}}<li><a href="{{.}}"{{if eq . "/world/"}} aria-current="page"{{end}}>{{.}}</a></li>{{end}}<h1>{{.Title}}</h1>
{{.Body}}{{range .Cards}}<article><a href="{{.URL}}">{{.Headline}}</a><p>{{.Summary}}</p></article>{{end}}</body></html>`
	type card struct{ URL, Headline, Summary string }
	page := struct {
		Lang, Title string
		Nav         []string
		Body        template.HTML
		Cards       []card
	}{"en", "A headline & more", []string{"/world/", "/culture/", "/science/", "/opinion/"}, template.HTML(bytes.Join(append(segments, contents...), nil)), nil}
	for range 24 {
		page.Cards = append(page.Cards, card{"/world/a-story", "A <headline>", "What it is about & what it is not about."})
	}
	t := template.Must(template.New("").Parse(layout))
	z, err := gzip.NewWriterLevel(io.Discard, 6)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		var html bytes.Buffer
		if err := t.Execute(&html, page); err != nil {
			b.Fatal(err)
		}
		z.Reset(io.Discard)
		z.Write(html.Bytes())
		z.Close()
	}
}

// BenchmarkLoopback asks over a real connection: our page, and the same bytes
// from a handler that only writes them, which is the least that net/http costs.
func BenchmarkLoopback(b *testing.B) {
	p, holes, _ := benchPage(b)
	var member bytes.Buffer
	if err := p.WriteGzip(&member, holes); err != nil {
		b.Fatal(err)
	}
	for name, h := range map[string]http.HandlerFunc{
		"page": func(w http.ResponseWriter, r *http.Request) {
			if err := p.Serve(w, r, holes, Options{}); err != nil {
				b.Error(err)
			}
		},
		"bytes": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Length", strconv.Itoa(member.Len()))
			w.Write(member.Bytes())
		},
		"pieces": func(w http.ResponseWriter, r *http.Request) { // each piece written by itself
			fill, f, _ := p.fill(nil, holes, false)
			body := p.body.Load()
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header()["Content-Length"] = p.own(&f, body.gzipLength(fill), true).length[:]
			out := bufio.NewWriterSize(w, 16)
			body.gzip(out, fill)
			out.Flush()
		},
	} {
		b.Run(name, func(b *testing.B) {
			s := httptest.NewServer(h)
			defer s.Close()
			client := s.Client()
			client.Transport.(*http.Transport).DisableCompression = true
			b.ReportAllocs()
			for b.Loop() {
				r, _ := http.NewRequest("GET", s.URL, nil)
				r.Header.Set("Accept-Encoding", "gzip")
				got, err := client.Do(r)
				if err != nil {
					b.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, got.Body); err != nil || n < 1000 {
					b.Fatal(n, err)
				}
				got.Body.Close()
			}
		})
	}
}
