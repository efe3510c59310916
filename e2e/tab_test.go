package e2e

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long a browser may take for one step.
const patience = 30 * time.Second

// tab is one tab of the browser, reading one newsroom. It writes down what no
// page may do: ask anything of another host, open a dialog, throw, or try
// something that the content security policy forbids.
type tab struct {
	t    testing.TB
	ctx  context.Context
	base string

	mu    sync.Mutex
	wrong []string
}

// newTab opens a tab with a fresh profile. Whatever a page did wrong fails the
// test at its end.
func newTab(t testing.TB, n *newsroom) *tab {
	t.Helper()
	b := watch(t, browser, n.URL, chromedp.WithNewBrowserContext())
	t.Cleanup(func() {
		for _, w := range b.misdeeds() {
			t.Error(w)
		}
	})
	return b
}

// sibling opens another tab with the same profile.
func (b *tab) sibling() *tab {
	b.t.Helper()
	return watch(b.t, b.ctx, b.base)
}

// watch opens a tab and listens to what its pages do.
func watch(t testing.TB, parent context.Context, base string, options ...chromedp.ContextOption) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent, options...)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx, base: base}
	own, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	note := func(text string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		if !slices.Contains(b.wrong, text) {
			b.wrong = append(b.wrong, text)
		}
	}
	err = chromedp.Listen(ctx, func(ev any) {
		switch e := ev.(type) {
		case *network.EventRequestWillBeSent:
			if u, err := url.Parse(e.Request.URL); err != nil || (u.Host != own.Host && u.Scheme != "about" && u.Scheme != "data" && u.Scheme != "chrome-error") {
				note(e.DocumentURL + " asks for " + e.Request.URL)
			}
		case *page.EventJavascriptDialogOpening:
			note(e.URL + " opens a dialog: " + e.Message)
			go cdp.Call(ctx, chromedp.FromContext(ctx).Target, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{})
		case *runtime.EventExceptionThrown:
			what := e.ExceptionDetails.Text
			if x := e.ExceptionDetails.Exception; x != nil {
				what += " " + x.Description
			}
			note(e.ExceptionDetails.URL + " throws: " + what)
		case *log.EventEntryAdded:
			if e.Entry.Source == "security" || strings.Contains(e.Entry.Text, "Content Security Policy") {
				note(e.Entry.URL + ": " + e.Entry.Text)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	call(b, network.Enable, network.EnableParams{})
	call(b, log.Enable, cdp.Empty{})
	return b
}

// misdeeds gives what the tab's pages did wrong so far.
func (b *tab) misdeeds() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.wrong)
}

// call sends one command of the devtools protocol to the tab.
func call[P, R any](b *tab, c cdp.Command[P, R], params P) R {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	r, err := chromedp.Call(ctx, c, params)
	if err != nil {
		b.t.Fatalf("%s: %v", c.Method, err)
	}
	return r
}

func (b *tab) withoutScripts() *tab {
	b.t.Helper()
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	return b
}

// scheme sets what the reader prefers, "light" or "dark".
func (b *tab) scheme(name string) {
	b.t.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}})
}

// prefers sets the language that the reader's browser asks for.
func (b *tab) prefers(lang string) {
	b.t.Helper()
	call(b, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": lang}})
}

// size sets the width and height of the window, CSS pixels.
func (b *tab) size(width, height int64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, height))
}

// be takes on the cookies of somebody: "reader=…; meter=…".
func (b *tab) be(cookies string) {
	b.t.Helper()
	for pair := range strings.SplitSeq(cookies, "; ") {
		if name, value, ok := strings.Cut(pair, "="); ok {
			call(b, network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: b.base})
		}
	}
}

// fontSize sets the reader's own size of letters, which is 16 unless he likes another.
func (b *tab) fontSize(pixels int64) {
	b.t.Helper()
	call(b, page.SetFontSizes, page.SetFontSizesParams{FontSizes: &page.FontSizes{Standard: pixels, Fixed: pixels * 13 / 16}})
}

// cookies gives the tab's cookies as a header.
func (b *tab) cookies() string {
	b.t.Helper()
	var pairs []string
	for _, c := range call(b, network.GetCookies, network.GetCookiesParams{URLs: []string{b.base}}).Cookies {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return strings.Join(pairs, "; ")
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		at, _ := chromedp.Run(b.ctx, chromedp.Location())
		b.t.Fatalf("at %s: %v", at, err)
	}
}

// goes runs steps that lead to another page, and gives its status.
func (b *tab) goes(steps ...chromedp.Action[chromedp.Void]) int {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	r, err := chromedp.RunResponse(ctx, steps...)
	if err != nil {
		at, _ := chromedp.Run(b.ctx, chromedp.Location())
		b.t.Fatalf("from %s: %v", at, err)
	}
	return int(r.Status)
}

// open goes to a path of the newsroom.
func (b *tab) open(path string) int {
	b.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = b.base + path
	}
	return b.goes(chromedp.Navigate(path))
}

// click clicks what leads to another page: a link or a form's button. It waits
// until that has come to rest, since faces that arrive late move what is below.
func (b *tab) click(selector string) int {
	b.t.Helper()
	b.do(chromedp.ScrollIntoView(chromedp.CSS(selector)))
	for was, still := -1.0, 0; still < 3; time.Sleep(30 * time.Millisecond) {
		now := eval[float64](b, `document.fonts.status === "loaded" ? document.querySelector(`+strconv.Quote(selector)+`).getBoundingClientRect().top : -1`)
		if still++; now != was || now < 0 {
			was, still = now, 0
		}
	}
	return b.goes(chromedp.Click(chromedp.CSS(selector)))
}

// fill types into a field.
func (b *tab) fill(selector, value string) {
	b.t.Helper()
	b.do(chromedp.SendKeys(chromedp.CSS(selector), value))
}

// eval gives the value of an expression. It runs where a page's own scripts may not.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%.80s: %v", expression, err)
	}
	return v
}

func (b *tab) path() string {
	b.t.Helper()
	return eval[string](b, `decodeURI(location.pathname + location.search + location.hash)`)
}

func (b *tab) has(selector string) bool {
	b.t.Helper()
	return eval[bool](b, `document.querySelector(`+strconv.Quote(selector)+`) !== null`)
}

// text gives the text of the first element, with its white space folded; "" where there is none.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return eval[string](b, `(document.querySelector(`+strconv.Quote(selector)+`)?.textContent ?? "").replace(/\s+/g, " ").trim()`)
}

// top gives how far an element is from the window's top, pixels, once it is in
// the window or has been waited for: a browser goes to a fragment in its own time.
func (b *tab) top(selector string) (at float64) {
	b.t.Helper()
	for range 100 {
		at = eval[float64](b, `document.querySelector(`+strconv.Quote(selector)+`).getBoundingClientRect().top`)
		if at >= 0 && at < eval[float64](b, "innerHeight") {
			break
		}
		time.Sleep(40 * time.Millisecond)
	}
	return at
}

// html gives every byte of the page.
func (b *tab) html() string {
	b.t.Helper()
	return eval[string](b, `document.documentElement.outerHTML`)
}

// letter reads the newest letter to an address in the outbox.
func (b *tab) letter(to string) (text, link, code string) {
	b.t.Helper()
	out := b.sibling()
	out.open("/dev/mail")
	href := eval[string](out, `[...document.querySelectorAll(".outbox li")].find(l => l.textContent.includes("`+to+`"))?.querySelector("a").getAttribute("href") ?? ""`)
	if href == "" {
		b.t.Fatalf("there is no letter to %s in the outbox", to)
	}
	if status := out.open(href); status != 200 {
		b.t.Fatalf("%s answers %d", href, status)
	}
	text = eval[string](out, `document.querySelector(".letter-text").textContent`)
	link = eval[string](out, `document.querySelector(".letter-links a").href`)
	code = regexp.MustCompile(`\b\d{6}\b`).FindString(text)
	if code == "" || !strings.Contains(link, "/signin/confirm?token=") {
		b.t.Fatalf("the letter has no code or no link:\n%s", text)
	}
	return text, link, code
}

// register registers somebody on the page for it, and leaves the tab signed in.
func (b *tab) register(email string) {
	b.t.Helper()
	b.open("/register")
	b.fill("#email", email)
	b.click(".form button[type=submit]")
	_, _, code := b.letter(email)
	b.fill("#code", code)
	if b.click(".form button[type=submit]"); !strings.Contains(b.cookies(), "reader=") {
		b.t.Fatalf("%s is not signed in at %s", email, b.path())
	}
}

// TestTheWatchSees proves that the other tests can fail: a page with everything
// that a tab watches for is caught at each of it.
func TestTheWatchSees(t *testing.T) {
	b := watch(t, browser, demo.URL, chromedp.WithNewBrowserContext())
	const page = `<meta http-equiv=Content-Security-Policy content="script-src-elem 'none'"><img src=http://127.0.0.2:9/x.png onerror=alert(1)><p onclick=x></p><script>1</script>`
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate("data:text/html,"+url.PathEscape(page))); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"asks for http://127.0.0.2:9/x.png", "opens a dialog: 1", "Content Security Policy"} {
		found := false
		for range 100 {
			if found = strings.Contains(strings.Join(b.misdeeds(), "\n"), want); found {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if !found {
			t.Errorf("nobody saw that it %s; seen: %q", want, b.misdeeds())
		}
	}
}
