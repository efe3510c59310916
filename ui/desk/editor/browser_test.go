package editor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/debugger"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"masthead/internal/needtest"
)

var browser context.Context

func TestMain(m *testing.M) {
	os.Exit(needtest.WithBrowser(func(chromium string) (int, error) { return run(m, chromium) }))
}

func run(m *testing.M, chromium string) (int, error) {
	profile, err := os.MkdirTemp("", "masthead-editor-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(profile)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile), chromedp.Flag("hide-scrollbars", true))
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	defer cancel()
	browser, cancel = chromedp.NewContext(allocator)
	defer cancel()
	if err := chromedp.Do(browser); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// tab is one browser with the editor open in it.
type tab struct {
	t   testing.TB
	ctx context.Context
	a   *authority
}

// newTab opens the editor with a fresh profile. Errors and what the content
// security policy forbids fail the test.
func newTab(t testing.TB, a *authority) *tab {
	t.Helper()
	return openTab(t, a, browser, chromedp.WithNewBrowserContext())
}

func openTab(t testing.TB, a *authority, parent context.Context, options ...chromedp.ContextOption) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent, options...)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx, a: a}
	if err := chromedp.Do(ctx); err != nil { // the tab lives as long as this context
		t.Fatal(err)
	}
	b.do(chromedp.EmulateViewport(1280, 900))
	chromedp.Listen(ctx, func(ev any) {
		switch e := ev.(type) {
		case *runtime.EventExceptionThrown:
			text := e.ExceptionDetails.Text
			if e.ExceptionDetails.Exception != nil {
				text += " " + e.ExceptionDetails.Exception.Description
			}
			t.Error("the page throws:", text)
		case *log.EventEntryAdded:
			if e.Entry.Source == "security" || strings.Contains(e.Entry.Text, "Content Security Policy") {
				t.Error(e.Entry.Text)
			}
		case *runtime.EventConsoleAPICalled:
			if e.Type == "error" || e.Type == "warning" {
				for _, a := range e.Args {
					t.Log("console:", a.Value, a.Description)
				}
			}
		}
	})
	chromedp.Call(ctx, log.Enable, cdp.Empty{})
	b.reload()
	return b
}

func (b *tab) reload() {
	b.t.Helper()
	b.do(chromedp.Navigate(b.a.URL + "/"))
	b.until(`document.querySelector("[data-editor]").dataset.ready !== undefined`)
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if ctx.Err() != nil {
		b.where()
	}
	if err != nil {
		b.t.Fatalf("%v\n%.300s", err, expression)
	}
	return v
}

// where tells what a script is at that does not come to an end.
func (b *tab) where() {
	chromedp.Listen(b.ctx, func(ev any) {
		if e, ok := ev.(*debugger.EventPaused); ok {
			for _, f := range e.CallFrames {
				b.t.Logf("at %s %d:%d", f.FunctionName, f.Location.LineNumber, f.Location.ColumnNumber)
			}
		}
	})
	ctx, cancel := context.WithTimeout(b.ctx, 3*time.Second)
	defer cancel()
	chromedp.Call(ctx, debugger.Enable, debugger.EnableParams{})
	chromedp.Call(ctx, debugger.Pause, cdp.Empty{})
	time.Sleep(time.Second)
}

func (b *tab) until(expression string) {
	b.t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for !eval[bool](b, "!!("+expression+")") {
		if time.Now().After(deadline) {
			b.t.Fatalf("never: %s\n%s", expression, eval[string](b, `document.querySelector("#ed-text")?.innerHTML ?? document.body.innerHTML`))
		}
		time.Sleep(30 * time.Millisecond)
	}
}

// saved waits until the corner says so and the server has the text.
func (b *tab) saved() {
	b.t.Helper()
	time.Sleep(80 * time.Millisecond)
	b.until(`document.querySelector(".ed-status").dataset.state === "saved"`)
}

// press presses one key, such as Enter or Control+Shift+8. It tells the browser
// of the key alone and not of a character besides, as a keyboard does where the
// page has taken the key.
func (b *tab) press(key string) {
	b.t.Helper()
	parts := strings.Split(key, "+")
	name := parts[len(parts)-1]
	var mods int64 // a bit for each, as the protocol has them
	for _, p := range parts[:len(parts)-1] {
		mods |= map[string]int64{"Alt": 1, "Control": 2, "Shift": 8}[p]
	}
	code, number := name, specials[name]
	if number == 0 {
		number, code = int64(strings.ToUpper(name)[0]), "Key"+strings.ToUpper(name)
		if name[0] >= '0' && name[0] <= '9' {
			code = "Digit" + name
		}
	}
	for _, typ := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
		_, err := chromedp.Call(b.ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: typ, Key: name, Code: code, Modifiers: mods, WindowsVirtualKeyCode: number})
		if err != nil {
			b.t.Fatal(err)
		}
	}
}

var specials = map[string]int64{"Enter": 13, "Tab": 9, "Backspace": 8, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "End": 35, "Home": 36, "F10": 121, "/": 191, "?": 191}

func (b *tab) typed(text string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(text))
}

// cursor sets the selection from one text to another: the place before the
// first and behind the second; both the same with from alone.
func (b *tab) cursor(from, to string) {
	b.t.Helper()
	ok := eval[bool](b, fmt.Sprintf(`(() => {
		const root = document.querySelector("#ed-text"), find = (s) => { const w = document.createTreeWalker(root, NodeFilter.SHOW_TEXT); while (w.nextNode()) { const i = w.currentNode.data.indexOf(s); if (i >= 0) return [w.currentNode, i]; } };
		root.focus(); const a = find(%[1]q), z = find(%[2]q); if (!a || !z) return false;
		getSelection().setBaseAndExtent(a[0], a[1], z[0], z[1] + %[3]d); return true; })()`, from, to, len([]rune(to))))
	if !ok {
		b.t.Fatalf("there is no %q … %q in %s", from, to, eval[string](b, `document.querySelector("#ed-text").innerText`))
	}
	time.Sleep(60 * time.Millisecond) // selectionchange is told later
}

func (b *tab) click(selector string) {
	b.t.Helper()
	if !eval[bool](b, fmt.Sprintf(`(() => { const e = document.querySelector(%q); e?.click(); return !!e; })()`, selector)) {
		b.t.Fatalf("there is no %s", selector)
	}
	time.Sleep(50 * time.Millisecond)
}

// choose clicks the button or menu item with exactly this text.
func (b *tab) choose(text string) {
	b.t.Helper()
	if !eval[bool](b, fmt.Sprintf(`(() => { const e = [...document.querySelectorAll("dialog button"), ...document.querySelectorAll(".ed-menu button"), ...document.querySelectorAll(".ed button")].filter(e => e.offsetParent !== null || e.closest("dialog, .ed-menu")).find(e => (e.querySelector("span")?.textContent ?? e.textContent).trim() === %[1]q || e.textContent.trim() === %[1]q); e?.click(); return !!e; })()`, text)) {
		b.t.Fatalf("there is no button %q", text)
	}
	time.Sleep(50 * time.Millisecond)
}

// paste gives the text a clipboard.
func (b *tab) paste(html, plain string) {
	b.t.Helper()
	h, _ := json.Marshal(html)
	p, _ := json.Marshal(plain)
	eval[any](b, fmt.Sprintf(`(() => { const d = new DataTransfer(); if (%[1]s) d.setData("text/html", %[1]s); if (%[2]s) d.setData("text/plain", %[2]s);
		document.activeElement.dispatchEvent(new ClipboardEvent("paste", {clipboardData: d, bubbles: true, cancelable: true})); return null; })()`, h, p))
}

func (b *tab) scheme(name string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) shot(name string) {
	b.t.Helper()
	folder := os.Getenv("MASTHEAD_SHOTS")
	if folder == "" {
		return
	}
	eval[bool](b, `document.fonts.ready.then(() => true)`)
	shot, err := chromedp.Call(b.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{})
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), shot.Data, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
