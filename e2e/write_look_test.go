package e2e

import (
	"fmt"
	"testing"
	"time"
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
	b.comment(1, 3, 16, func() { b.typed("Four, says Ben.") })
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
			b.prefers(p.lang)
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
			b.shoot(room.name, fmt.Sprintf("%s-%d-%s", p.lang, p.width, p.scheme), p.width)
		}
	}
}
