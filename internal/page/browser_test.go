package page_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"masthead/internal/needtest"
	"masthead/internal/page"
)

// TestBrowserReadsIt has a real browser read a stitched page.
func TestBrowserReadsIt(t *testing.T) {
	chromium := needtest.Browser(t)
	lines, hole := strings.Repeat("A line of a story.\n", 3000), strings.Repeat("A hole.\n", 10_000)
	p := newPage(t, page.Rendered{Body: []byte("<!doctype html><title>page</title><pre>" + lines + "HOLE" + lines + "</pre>")})
	codings := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		if err := p.Serve(w, r, who(hole), page.Options{}); err != nil {
			t.Error(err)
		}
		codings <- w.Header().Get("Content-Encoding")
	}))
	defer server.Close()

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()))
	allocator, cancel := chromedp.NewExecAllocator(ctx, options...)
	defer cancel()
	browser, cancel := chromedp.NewContext(allocator)
	defer cancel()
	if err := chromedp.Do(browser, chromedp.Navigate(server.URL)); err != nil {
		t.Fatal(err)
	}
	got, err := chromedp.Run(browser, chromedp.Evaluate[string](`document.querySelector("pre").textContent`))
	if want := lines + hole + lines; err != nil || got != want {
		t.Errorf("the browser reads %d bytes, want %d: %v", len(got), len(want), err)
	}
	if coding := <-codings; coding != "gzip" {
		t.Errorf("the browser was sent the coding %q", coding)
	}
}
