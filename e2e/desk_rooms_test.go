package e2e

import (
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// keys sends keys one after another to what has the focus.
func (b *tab) keys(keys ...string) {
	b.t.Helper()
	for _, k := range keys {
		b.do(chromedp.KeyEvent(k))
	}
}

// TestDeskPicture uploads a picture by the form and says what no cut may lose,
// by a click and by keys; then a story shows it, another file takes its place,
// and its rights end.
func TestDeskPicture(t *testing.T) {
	n, b := newDeskRoom(t)
	picture := image.NewGray(image.Rect(0, 0, 800, 400))
	for i := range picture.Pix {
		picture.Pix[i] = byte(i / 800)
	}
	picture.Set(600, 100, color.White)
	file := pictureFile(t, "harbour wall.png", picture)
	drawing := filepath.Join(t.TempDir(), "drawing.svg")
	if err := os.WriteFile(drawing, []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), 0o600); err != nil {
		t.Fatal(err)
	}
	b.open("/desk/media")
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#files"), []string{file, drawing}))
	b.click(`form[action="/desk/media/upload"] button`)
	if lines := eval[int](b, `document.querySelectorAll(".report-lines li").length`); lines != 2 || !strings.Contains(b.text(".report-lines .gone"), "SVG") {
		t.Fatalf("the report says %s", b.text("main"))
	}
	b.click(".report-lines a")

	const fields = `document.querySelector("#focal_x").value + " " + document.querySelector("#focal_y").value`
	const mark = `(() => { const m = document.querySelector(".focal-mark").getBoundingClientRect(), p = document.querySelector(".focal img").getBoundingClientRect();
		return Math.round(100 * (m.x + m.width / 2 - p.x) / p.width) + " " + Math.round(100 * (m.y + m.height / 2 - p.y) / p.height); })()`
	save := func(want string) {
		t.Helper()
		if got, seen := eval[string](b, fields), eval[string](b, mark); got != want || seen != want {
			t.Errorf("the fields say %s and the mark is at %s, not %s", got, seen, want)
		}
		b.click(".medium-said button[type=submit]")
		if got, seen := eval[string](b, fields), eval[string](b, mark); got != want || seen != want {
			t.Errorf("kept was %s, and the mark is at %s, not %s", got, seen, want)
		}
	}
	if got := eval[string](b, fields); got != "50 50" {
		t.Errorf("at first the point is %s", got)
	}
	at := eval[[]float64](b, `(() => { const r = document.querySelector(".focal img").getBoundingClientRect(); return [r.x + r.width * 0.75, r.y + r.height * 0.25]; })()`)
	b.do(chromedp.MouseClickXY(at[0], at[1]))
	save("75 25")

	eval[any](b, `document.querySelector(".focal-mark").focus(), null`)
	b.keys(kb.ArrowRight, kb.ArrowRight, kb.ArrowDown, kb.ArrowLeft)
	if label := eval[string](b, `document.activeElement.getAttribute("aria-label")`); !strings.Contains(label, "76") || !strings.Contains(label, "26") {
		t.Errorf("the mark is called %q", label)
	}
	save("76 26")
	medium, _, _ := strings.Cut(b.path(), "?")

	// A story of three shows it.
	b.open("/desk/")
	b.click(`.entry-headline a[href^="/desk/stories/"]`)
	room, _, _ := strings.Cut(b.path(), "?")
	b.open(room + "/lead")
	b.press(`label[for=picture-0]`)
	b.fill("#alt", "The harbour wall")
	b.click(`form[action$="/lead"] .stack button`)
	b.open(room)
	reader, public := newTab(t, n), eval[string](b, `document.querySelector('.side a[href^="/2"]').getAttribute("href")`)
	const lead = `.story-lead img[alt="The harbour wall"]`
	shown := func() string {
		t.Helper()
		reader.open(public)
		if !reader.has(lead) {
			return ""
		}
		reader.until(`document.querySelector('` + lead + `').naturalWidth > 0`)
		return eval[string](reader, `document.querySelector('`+lead+`').src`)
	}
	was := shown()
	if reader.open("/"); was == "" || !reader.has("img.fx8.fy3") {
		t.Errorf("the story shows %q, and the front page cuts it elsewhere: %.1500s", was, reader.html())
	}

	// Another file in its place: the old one is gone from the pages, and the point goes back to the middle.
	b.open(medium)
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{drawing}))
	if b.click(`form[action$="/replace"] button`); !strings.Contains(b.text(".problem"), "SVG") || shown() != was {
		t.Errorf("a drawing in its place: %s", b.text(".problem"))
	}
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{ferryPicture(t, "mole.png", 40)}))
	b.click(`form[action$="/replace"] button`)
	if name := b.text("h1"); name != "mole.png" || eval[string](b, fields) != "50 50" {
		t.Errorf("%s is in its place, with the point at %s", name, eval[string](b, fields))
	}
	eval[any](b, `document.querySelector(".focal-mark").focus(), null`)
	b.keys(kb.ArrowDown, kb.ArrowDown)
	save("50 52")
	is := shown()
	if is == "" || is == was {
		t.Errorf("the story shows %q, as before", is)
	}

	// Its rights ended yesterday.
	eval[any](b, `document.querySelector("#last_day").value = "`+time.Now().AddDate(0, 0, -1).Format(time.DateOnly)+`", null`)
	b.click(`form[action$="/rights"] button`)
	if !b.has(".rights-ended") {
		t.Errorf("the room says %s", b.text("main"))
	}
	for _, path := range []string{public, "/", "/feed.xml"} {
		if _, _, page := n.get(t, path, ""); strings.Contains(page, "/media/") {
			t.Errorf("%s still has a picture", path)
		}
	}
	b.open(room)
	if got := b.text(".checks .must"); !strings.Contains(got, "mole.png") {
		t.Errorf("the checks say %q", got)
	}
	b.open("/desk/media?state=ended")
	if got := b.text(".library"); !strings.Contains(got, "mole.png") {
		t.Errorf("among what has ended is %q", got)
	}
}

// TestDeskWallByKeys writes two rules of which the first decides, turns them
// round by keyboard and by pointer and puts each order live; then a section is
// lifted. What counts is what a visitor without a name then reads.
func TestDeskWallByKeys(t *testing.T) {
	n, b := newRoomOf(t, nil, piece{"Tide", strings.Repeat("The tide came in over the old wall of the harbour, as it does.\n\n", 9) + "It ended as nobody had foretold."})
	path := n.story(t, "en", "tide")
	reads := func(want bool) {
		t.Helper()
		status, _, page := n.get(t, path, "")
		if got := strings.Contains(page, "as nobody had foretold"); status != 200 || got != want {
			t.Errorf("a visitor reads the end: %v, status %d", got, status)
		}
	}
	const names = `[...document.querySelectorAll("[data-order-name]")].map(f => f.value).join(" ")`
	inOrder := func(want string) {
		t.Helper()
		if got := eval[string](b, names); got != want {
			t.Fatalf("the rules are %q, not %q", got, want)
		}
	}
	save := func(want string) {
		t.Helper()
		inOrder(want)
		b.click(".rules > .acts button[type=submit]")
		inOrder(want)
	}
	live := func(want string) {
		t.Helper()
		save(want)
		b.click(`form[action="/desk/wall/live"] button`)
		inOrder(want)
		if b.has(`form[action="/desk/wall/live"]`) {
			t.Errorf("there is a draft still: %s", b.text("main"))
		}
	}

	b.open("/desk/wall")
	for b.has("[data-order] > li") { // rules that every newsroom begins with
		b.press("[data-order] button[name=remove]")
	}
	for i, verdict := range []string{"register", "open"} {
		b.click("button[name=add]")
		item := "[data-order] > li:nth-child(" + string(rune('1'+i)) + ") "
		b.fill(item+"[data-order-name]", []string{"ask", "let"}[i])
		b.do(chromedp.SetValue(chromedp.CSS(item+"[data-verdict]"), verdict))
		b.click(".rules > .acts button[type=submit]")
	}
	live("ask let")
	reads(false)

	// By keys: taken, moved up, put down; and Escape puts back.
	eval[any](b, `document.querySelector("[data-order] > li:nth-child(2) .grip").focus(), null`)
	b.keys(" ", kb.ArrowUp, kb.Escape)
	inOrder("ask let")
	b.keys(" ", kb.ArrowUp, " ")
	if b.text("[data-order] + [role=status]") == "" {
		t.Error("nothing is said of the move")
	}
	save("let ask")
	reads(false) // a draft
	b.click(`form[action="/desk/wall/live"] button`)
	reads(true)

	// By buttons, which a script answers at once; without one they save.
	b.open("/desk/wall")
	b.press("[data-order] > li:nth-child(1) button[name=down]")
	inOrder("ask let")
	b.press("[data-order] > li:nth-child(2) button[name=up]")
	inOrder("let ask")
	b.withoutScripts()
	b.open("/desk/wall")
	b.click("[data-order] > li:nth-child(1) button[name=down]")
	inOrder("ask let")
	b.click("[data-order] > li:nth-child(2) button[name=up]")
	inOrder("let ask")
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{})

	// By pointer: the first is dragged below the second.
	b.open("/desk/wall")
	x, y := b.middle("[data-order] > li:nth-child(1) .grip")
	end := eval[float64](b, `document.querySelector("[data-order] > li:nth-child(2)").getBoundingClientRect().bottom`)
	b.do(chromedp.DragAndDropXY(x, y, x, end-20, 12))
	live("ask let")
	reads(false)

	b.open("/desk/wall/lifts")
	b.do(chromedp.SetValue(chromedp.CSS("#section"), "harbour"))
	b.fill("#reason", "A flood in the valley")
	b.click(`form[action="/desk/wall/lifts"] button`)
	reads(true)
	b.open("/desk/wall")
	if got := b.text(".lifted"); !strings.Contains(got, "Harbour") || !strings.Contains(got, "A flood in the valley") {
		t.Errorf("of the lift the room says %q", got)
	}
	b.open("/desk/wall/lifts")
	b.click(`form[action$="/end"] button`)
	reads(false)
	if b.has(".lift-on") {
		t.Error("the lift is on still")
	}

	// Another lift, which nobody ends.
	b.do(chromedp.SetValue(chromedp.CSS("#section"), "harbour"), chromedp.SetValue(chromedp.CSS("#hours"), "1"))
	b.fill("#reason", "The flood is back")
	b.click(`form[action="/desk/wall/lifts"] button`)
	reads(true)
	soon := time.Now().Add(4 * time.Second)
	n.later(t, `UPDATE wall_lift SET ends_at = $1 WHERE reason = 'The flood is back'`, soon.UnixMicro())
	reads(true)
	for time.Now().Before(soon.Add(10 * time.Second)) {
		if _, _, page := n.get(t, path, ""); !strings.Contains(page, "as nobody had foretold") {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	reads(false)
	if now := time.Now(); now.Before(soon) {
		t.Errorf("the lift ended %s too early", soon.Sub(now))
	}
	b.open("/desk/wall/lifts")
	if b.has(".lift-on") || b.has(`form[action$="/end"]`) {
		t.Error("the lift is on still")
	}

	// What was read so far, under rules that stop nobody.
	b.open("/desk/wall")
	b.press("[data-order] > li:nth-child(1) button[name=down]")
	save("let ask")
	b.open("/desk/wall/replay")
	row := eval[[]string](b, `[...document.querySelectorAll(".replay-all td")].map(d => d.textContent.trim())`)
	if len(row) != 3 || row[0] == "0" || strings.HasPrefix(row[1], "0.0") || !strings.HasPrefix(row[2], "0.0") || !strings.Contains(b.text(".replay"), "Harbour") {
		t.Errorf("the replay says %q: %s", row, b.text("main"))
	}
}

// TestDeskImport brings in readers from a file: what was taken and what was not
// is told, line by line, and doing it again doubles nobody.
func TestDeskImport(t *testing.T) {
	_, b := newDeskRoom(t)
	file := filepath.Join(t.TempDir(), "readers.csv")
	if err := os.WriteFile(file, []byte("email,name,labels\nada@reader.example,Ada,early\nno-address,Nobody,\nnoor@reader.example,نور,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2 new, 0 known already, 1 skipped.", "0 new, 2 known already, 1 skipped."} {
		b.open("/desk/readers")
		b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
		b.click(`form[action="/desk/readers/import"] button`)
		if got := b.text(".report"); !strings.Contains(got, want) || !strings.Contains(got, "Line 3 no-address") {
			t.Errorf("the report says %q", got)
		}
	}
	if rows := eval[int](b, `document.querySelectorAll(".entries .entry").length`); rows != 2 {
		t.Errorf("the list has %d readers", rows)
	}
	b.click(`.entry-headline a`)
	if got := b.text("main h1"); got != "نور" && got != "Ada" {
		t.Errorf("the reader is called %q", got)
	}
}

// TestDeskLeadsOn gives old addresses to readers: of a topic that was merged into
// another, and of a site before this one, from a file.
func TestDeskLeadsOn(t *testing.T) {
	n, b := newDeskRoom(t)
	reader := newTab(t, n)
	for name, aliases := range map[string]string{"Boats": "", "Ships": "Vessels, Craft"} {
		b.open("/desk/subjects/topics")
		b.click(".subject-new a")
		b.fill("#name-0", name)
		b.fill("#aliases-0", aliases)
		b.click("form.stack button[type=submit]")
	}
	b.open("/desk/")
	b.click(`.entry-headline a[href^="/desk/stories/"]`)
	room, _, _ := strings.Cut(b.path(), "?")
	b.open(room + "/facts")
	b.fill("#topics", "Boats")
	b.click(`form[action$="/facts"] button`)
	headline := func() string { return reader.text("main h3, main .card-headline, main h2") }
	if status := reader.open("/topic/boats/"); status != 200 || headline() == "" {
		t.Fatalf("the topic's page = %d: %s", status, reader.text("main"))
	}
	story := headline()

	b.open("/desk/subjects/topics?q=Boats")
	b.click(".subject-rows a")
	b.fill("#merge-words", "vessels")
	b.click("form[role=search]:has(#merge-words) button")
	b.click(`form[action$="/merge"] button`)
	if got := eval[string](b, `document.querySelector("#name-0").value + ": " + document.querySelector("#aliases-0").value`); !strings.HasPrefix(got, "Ships: ") || !strings.Contains(got, "Boats") || !strings.Contains(got, "Vessels") {
		t.Errorf("the topic that is left is %q", got)
	}
	if status := reader.open("/topic/boats/"); status != 200 || reader.path() != "/topic/ships/" || headline() != story {
		t.Errorf("the old address = %d, leads to %s: %s", status, reader.path(), headline())
	}

	file := filepath.Join(t.TempDir(), "redirects.csv")
	if err := os.WriteFile(file, []byte("from,to\n/blog/about-boats.html,/topic/ships/\n/harbour/,/topic/ships/\nno-address,/harbour/\n/blog/harbour.html,/harbour/\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.open("/desk/site/redirects")
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
	b.click(`form[action="/desk/site/redirects/import"] button`)
	if got := b.text(".report"); !strings.Contains(got, "2 of 4 lines") || !strings.Contains(got, "Line 3") || !strings.Contains(got, "Line 4") {
		t.Errorf("the report says %q", got)
	}
	for from, to := range map[string]string{"/blog/about-boats.html": "/topic/ships/", "/blog/harbour.html": "/harbour/"} {
		if status := reader.open(from); status != 200 || reader.path() != to {
			t.Errorf("%s = %d, at %s", from, status, reader.path())
		}
	}
	b.click(`form[action="/desk/site/redirects/delete"] button`)
	b.fill("#q", "blog")
	b.click("form[role=search] button")
	if got := eval[int](b, `document.querySelectorAll(".redirect-rows li").length`); got != 1 {
		t.Errorf("after one was deleted there are %d", got)
	}
}
