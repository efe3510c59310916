package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// TestWritingRoomsLook holds the rooms of writing to axe-core and to the
// window's width, in three languages, light and dark.
func TestWritingRoomsLook(t *testing.T) {
	w := newWritingRoom(t, growers+"\n\n## What it cost\n\n- Apples\n- Pears\n\n> We lost everything.")
	axe := readTool(t, "axe-core/axe.min.js")
	at := "/desk/stories/" + w.english
	b := w.editor(w.ana, at+"/write")
	b.cursorAt(0)
	b.typed(" Nobody was warned.")
	eval[any](b, `(() => { const p = document.querySelectorAll("#ed-text > p")[1]; getSelection().setBaseAndExtent(p.firstChild, 3, p.firstChild, 16); return null; })()`)
	time.Sleep(100 * time.Millisecond)
	b.key("Control+Alt+m")
	b.typed("Four, says Ben.")
	eval[any](b, `[...document.querySelectorAll(".ed-side button")].find(e => e.textContent.trim() === "Add").click()`)
	b.until(`document.querySelector(".ed-commented")`)
	b.saved()
	for _, room := range []struct{ name, path string }{
		{"write", at + "/write"}, {"comments", at + "/comments"}, {"revision-inline", at + "/revisions/1?with=draft"}, {"revision-side", at + "/revisions/1?with=draft&view=side"},
		{"translate", "/desk/stories/" + w.arabic + "/translate/" + w.english}, {"write-ar", "/desk/stories/" + w.arabic + "/write"},
	} {
		for _, p := range []struct {
			lang, scheme string
			width        int64
		}{{"en", "light", 1280}, {"en", "dark", 390}, {"ar", "light", 390}, {"ar", "dark", 1280}, {"he", "light", 1280}} {
			b.size(p.width, 900)
			b.scheme(p.scheme)
			call(b, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": p.lang}})
			b.open(room.path)
			if b.has("[data-editor]") {
				b.until(`document.querySelector("[data-editor]").dataset.ready !== undefined`)
				time.Sleep(300 * time.Millisecond)
			}
			where := fmt.Sprintf("%s in %s at %d px, %s", room.name, p.lang, p.width, p.scheme)
			if wide := eval[string](b, overflow); wide != "" {
				t.Errorf("%s scrolls sideways: %s", where, wide)
			}
			eval[any](b, axe+"; null")
			checkAxe(t, b, where)
			if *deskPictures == "" {
				continue
			}
			b.settle()
			shot, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
			if err == nil {
				err = os.WriteFile(filepath.Join(*deskPictures, fmt.Sprintf("%s-%s-%d-%s.png", room.name, p.lang, p.width, p.scheme)), shot, 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}
