package e2e

import (
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// TestDeskBar opens and closes the menus of the desk's bar on a phone, where
// they are one line, and finds them open side by side on a desk.
func TestDeskBar(t *testing.T) {
	axe := readTool(t, "axe-core/axe.min.js")
	b := newTab(t, demo)
	b.be(demo.colleague(t, "bar@masthead.example", "owner", "Noa Lind"))
	const shown = `[...document.querySelectorAll(".bar-menu a")].filter(a => a.checkVisibility({contentVisibilityAuto: true})).length`
	const line = `document.querySelector(".bar").getBoundingClientRect().height <= 60`
	for _, lang := range []string{"en", "ar"} {
		b.prefers(lang)
		b.size(390, 800)
		b.open("/desk/plan")
		if !eval[bool](b, line) || eval[int](b, shown) != 0 {
			t.Fatalf("%s: the bar of a phone is no line of closed menus: %d links", lang, eval[int](b, shown))
		}
		b.press(".bar-menu:first-of-type summary")
		if n := eval[int](b, shown); n != 9 {
			t.Errorf("%s: the menu of the rooms shows %d links", lang, n)
		}
		if wide := eval[string](b, overflow); wide != "" {
			t.Errorf("%s: the menu scrolls sideways: %s", lang, wide)
		}
		eval[any](b, axe+"; null")
		checkAxe(t, b, "the rooms of a phone in "+lang)
		b.keys(kb.Escape)
		if eval[int](b, shown) != 0 || !eval[bool](b, `document.activeElement.matches(".bar-menu summary")`) {
			t.Errorf("%s: Escape does not close the menu, or loses the place", lang)
		}
		b.press(".bar-menu:last-of-type summary")
		b.press(".board")
		if eval[int](b, shown) != 0 {
			t.Errorf("%s: a click elsewhere does not close the menu", lang)
		}
		b.size(1280, 800)
		if !eval[bool](b, line) || eval[int](b, shown) != 11 {
			t.Errorf("%s: the bar of a desk shows %d links", lang, eval[int](b, shown))
		}
	}
}
