package e2e

import (
	"image"
	"image/color"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestDeskWorkflow takes a story its whole way in a browser: from a pitch to a
// page that is gone. Its words are written without scripts.
func TestDeskWorkflow(t *testing.T) {
	n, b := newDeskRoom(t)
	axe := readTool(t, "axe-core/axe.min.js")
	b.open("/desk/stories/new")
	b.fill("#headline", "The ferry is late")
	eval[any](b, `document.querySelector("#section").selectedIndex = 1, null`)
	b.click("button[value=pitch]")
	room, _, _ := strings.Cut(b.path(), "?")
	stands := func(status string) {
		t.Helper()
		if !b.has(".side-status.status-" + status) {
			t.Fatalf("the story is not %s: %s\n%s", status, b.text(".side-status"), b.text("main"))
		}
	}
	// move makes a move; fields are typed into its form, by their names.
	move := func(name string, fields ...string) {
		t.Helper()
		form := `form[action$="/` + name + `"]`
		if b.has("details:not([open]) > " + form) {
			b.press("details:has(> " + form + ") > summary")
		}
		for i := 0; i < len(fields); i += 2 {
			b.fill(form+` [name="`+fields[i]+`"]`, fields[i+1])
		}
		b.click(form + " button[type=submit]")
	}
	stands("pitch")
	move("begin")
	stands("draft")
	// set puts a time into a field, which a browser takes by its parts.
	set := func(selector, value string) {
		t.Helper()
		eval[any](b, `document.querySelector('`+selector+`').value = "`+value+`", null`)
	}
	set("[name=due]", time.Now().UTC().Add(time.Hour).Format("2006-01-02T15:04"))
	move("assignments", "task_note", "By noon, with a picture.")
	set("[name=day]", time.Now().UTC().Format("2006-01-02"))
	move("day")
	if got := b.text("main"); !strings.Contains(got, "By noon, with a picture.") {
		t.Errorf("the assignment is not there: %s", got)
	}
	for name, path := range map[string]string{"plan-board": "/desk/plan", "plan-month": "/desk/plan/calendar", "plan-week": eval[string](b, `"/desk/plan/calendar?week="+document.querySelector("[name=day]").value`), "plan-work": "/desk/plan/work"} {
		b.open(path)
		if !strings.Contains(b.text("main"), "The ferry is late") {
			t.Errorf("%s does not have the story: %s", path, b.text("main"))
		}
		b.examine(name, axe)
	}

	b.withoutScripts()
	b.open(room + "/write")
	b.fill("[name=summary]", "Nobody told the passengers.")
	b.fill("#write-body", "The boat left at **nine**.\n\n## Why\n\nNobody knows.")
	b.click("form.markdown button[type=submit]")
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{})

	b.open(room + "/lead")
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{ferryPicture(t)}))
	b.fill("#up-alt", "A boat at a pier.")
	b.fill("#up-credit", "Noa Lind")
	b.click(`form[action$="/lead/upload"] button[type=submit]`)
	if b.path() != room+"/lead" && b.has(".problem") {
		t.Fatalf("the picture: %s", b.text(".problem"))
	}

	b.open(room)
	if b.has(".checks .must") {
		t.Errorf("checks: %s", b.text(".checks"))
	}
	move("submit")
	stands("review")
	move("return", "note", "Say who was on board.")
	stands("draft")
	if got := b.text(".history"); !strings.Contains(got, "Say who was on board.") {
		t.Errorf("the history says %s", got)
	}
	move("submit")
	move("approve")
	stands("approved")
	b.examine("story-approved", axe)
	move("publish", "reason", "It has no topic yet.")
	stands("published")
	public := eval[string](b, `document.querySelector('.side a[href^="/2"]').getAttribute("href")`)

	reader := newTab(t, n)
	shows := func(path string, status int, words ...string) {
		t.Helper()
		if got := reader.open(path); got != status {
			t.Fatalf("%s = %d", path, got)
		}
		for _, w := range words {
			if text := reader.text("main"); !strings.Contains(text, w) {
				t.Errorf("%s does not say %q: %.600s", path, w, text)
			}
		}
	}
	shows(public, http.StatusOK, "The ferry is late", "Nobody told the passengers.", "The boat left at nine.", "Noa Lind")
	if !reader.has(`.story-lead img[alt="A boat at a pier."]`) || reader.text("main strong, main b") != "nine" {
		t.Errorf("the page: %.1500s", reader.html())
	}
	shows("/", http.StatusOK, "The ferry is late")

	move("correct", "note", "The boat left at ten.", "changed", "It said nine.")
	stands("published")
	shows(public, http.StatusOK, "The boat left at ten.")
	shows("/corrections/", http.StatusOK, "The ferry is late", "The boat left at ten.")

	move("withdraw", "note", "There is no ferry.")
	stands("withdrawn")
	if !b.has(".checks .warning") {
		t.Error("the room does not say what would have to be overruled again")
	}
	b.examine("story-withdrawn", axe)
	shows(public, http.StatusGone, "There is no ferry.")
	if reader.open("/"); strings.Contains(reader.text("main"), "The ferry is late") {
		t.Error("the front page still has it")
	}
}

// ferryPicture makes a picture of sea and sky, and gives its path.
func ferryPicture(t *testing.T) string {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 1200, 800))
	for y := range 800 {
		for x := range 1200 {
			picture.Set(x, y, color.RGBA{uint8(60 + y/8), uint8(90 + x/12), 160, 255})
		}
	}
	path := filepath.Join(t.TempDir(), "ferry.png")
	f, err := os.Create(path)
	if err == nil {
		err = png.Encode(f, picture)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}
