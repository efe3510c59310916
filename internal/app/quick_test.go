package app_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestQuickPages bounds what an answer from memory allocates, but for net/http's
// own: a layer that comes in by mistake would show here.
func TestQuickPages(t *testing.T) {
	r := newRoom(t, "", nil)
	handler, err := r.Handler()
	if err != nil {
		t.Fatal(err)
	}
	reader := r.reader("quick@reader.example")
	reader.get("/")
	signedIn := ""
	for name, value := range reader.cookies {
		signedIn += name + "=" + value + "; "
	}
	for _, test := range []struct {
		name, path, cookies string
		most                float64
	}{
		{"open", r.path("open-water"), "", 24},
		{"preview", r.path("for-readers"), "", 24},
		{"signed in", r.path("for-readers"), signedIn, 28},
		{"signed in, on a meter", r.path("counted-one"), signedIn, 34},
		{"front", "/", "", 16},
		{"feed", "/feed.xml", "", 14},
	} {
		req := httptest.NewRequest("GET", test.path, nil)
		req.Header.Set("Accept-Encoding", "gzip")
		if test.cookies != "" {
			req.Header.Set("Cookie", test.cookies)
		}
		w := &nowhere{}
		ask := func() {
			w.header, w.status = make(http.Header), 0
			handler.ServeHTTP(w, req)
			if w.status != http.StatusOK {
				t.Fatalf("%s: %d", test.name, w.status)
			}
		}
		ask()
		got := testing.AllocsPerRun(200, ask)
		t.Logf("%s: %v allocations", test.name, got)
		if got > test.most {
			t.Errorf("%s: %v allocations, want %v at the most", test.name, got, test.most)
		}
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
