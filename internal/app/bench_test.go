package app_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkPage asks for pages that are in memory, without a connection: what
// is measured is ours alone, but for the header's map.
func BenchmarkPage(b *testing.B) {
	r := newRoom(b, "", nil)
	handler, err := r.Handler()
	if err != nil {
		b.Fatal(err)
	}
	reader := r.reader("bench@reader.example")
	reader.get("/")
	signedIn := ""
	for name, value := range reader.cookies {
		signedIn += name + "=" + value + "; "
	}
	for _, test := range []struct{ name, path, cookies string }{
		{"open", r.path("open-water"), ""},
		{"preview", r.path("for-readers"), ""},
		{"signed in", r.path("for-readers"), signedIn},
		{"signed in, on a meter", r.path("counted-one"), signedIn},
		{"front", "/", ""},
		{"feed", "/feed.xml", ""},
	} {
		b.Run(test.name, func(b *testing.B) {
			req := httptest.NewRequest("GET", test.path, nil)
			req.Header.Set("Accept-Encoding", "gzip")
			if test.cookies != "" {
				req.Header.Set("Cookie", test.cookies)
			}
			w := &nowhere{}
			b.ReportAllocs()
			for b.Loop() {
				w.header, w.status = make(http.Header), 0
				handler.ServeHTTP(w, req)
				if w.status != http.StatusOK {
					b.Fatal(w.status)
				}
			}
		})
	}
}

// nowhere is an answer that nobody reads.
type nowhere struct {
	header http.Header
	status int
}

func (w *nowhere) Header() http.Header         { return w.header }
func (w *nowhere) WriteHeader(status int)      { w.status = status }
func (w *nowhere) Write(b []byte) (int, error) { return len(b), nil }
