package page_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"masthead/internal/page"
)

func Example() {
	marker := page.NewMarker()
	cache := page.NewCache(page.Settings{Bytes: 1 << 20})
	handler := func(w http.ResponseWriter, r *http.Request) error {
		key := page.Key{Kind: "front", Variant: "preview", Lang: "en"}
		p, err := cache.Get(r.Context(), key, func(context.Context) (page.Rendered, error) {
			mark, err := marker.Mark("account-link") // by {{hole "account-link"}} in a template
			body := "<p>News.</p>" + string(mark) + "<p>More.</p>"
			return page.Rendered{Body: []byte(body), Marker: marker, Tags: []string{"front"}}, err
		})
		if err != nil {
			return err
		}
		link := page.Hole{Name: "account-link", HTML: []byte("<a href=/account>Ada</a>"), Personal: true}
		return p.Serve(w, r, page.Holes{link}, page.Options{})
	}

	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	if err := handler(w, r); err != nil {
		fmt.Println(err)
	}
	body, _ := gzip.NewReader(w.Body)
	text, _ := io.ReadAll(body)
	fmt.Printf("%s\n%s\n%s\n", w.Header().Get("Cache-Control"), w.Header().Get("Vary"), text)
	// Output:
	// private, no-cache
	// Accept-Encoding, Cookie
	// <p>News.</p><a href=/account>Ada</a><p>More.</p>
}
