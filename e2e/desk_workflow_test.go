package e2e

import (
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"masthead/internal/webhook"
)

// course is a story on its way through a newsroom with a clock of its own and
// two languages, as its owner's tab, a reader's and another program see it.
type course struct {
	*newsroom
	t       *testing.T
	b       *tab
	reader  *tab
	printer *receiver
	clock   *time.Location
	axe     string
	room    string // address of the original's room
	public  string // … of its page
}

// TestDeskWorkflow takes a story its whole way in a browser: from a pitch to a
// page that is gone.
func TestDeskWorkflow(t *testing.T) {
	clock, err := time.LoadLocation("Asia/Kathmandu") // 5:45 before UTC, so that no other clock is right by chance
	if err != nil {
		t.Fatal(err)
	}
	n, b := newDeskRoom(t, `timezone = "Asia/Kathmandu"`, `languages = "en, ar"`)
	c := &course{newsroom: n, t: t, b: b, reader: newTab(t, n), clock: clock, axe: readTool(t, "axe-core/axe.min.js")}
	c.listen()
	c.pitch()
	c.write()
	c.illustrate()
	c.review()
	c.schedule()
	c.translate()
	c.correct()
	c.withdraw()
	c.heard()
}

func (c *course) stands(status string) {
	c.t.Helper()
	if !c.b.has(".side-status.status-" + status) {
		c.t.Fatalf("the story is not %s: %s\n%s", status, c.b.text(".side-status"), c.b.text("main"))
	}
}

// move makes a move; fields are typed into its form, by their names.
func (c *course) move(name string, fields ...string) {
	c.t.Helper()
	form := `form[action$="/` + name + `"]`
	if c.b.has("details:not([open]) > " + form) {
		c.b.press("details:has(> " + form + ") > summary")
	}
	for i := 0; i < len(fields); i += 2 {
		c.b.fill(form+` [name="`+fields[i]+`"]`, fields[i+1])
	}
	c.b.click(form + " button[type=submit]")
}

// set puts a time into a field, which a browser takes by its parts.
func (c *course) set(selector, value string) {
	c.t.Helper()
	eval[any](c.b, `document.querySelector('`+selector+`').value = "`+value+`", null`)
}

// shows opens a page as a reader does, and looks for words on it.
func (c *course) shows(path string, status int, words ...string) {
	c.t.Helper()
	if got := c.reader.open(path); got != status {
		c.t.Fatalf("%s = %d", path, got)
	}
	for _, w := range words {
		if text := c.reader.text("main"); !strings.Contains(text, w) {
			c.t.Errorf("%s does not say %q: %.600s", path, w, text)
		}
	}
}

// found reports whether the front page, the section's, the feed and the search have words.
func (c *course) found(words string, want bool) {
	c.t.Helper()
	for _, path := range []string{"/", "/harbour/", "/feed.xml", "/search?q=ferry"} {
		status, _, page := c.get(c.t, path, "")
		if got := strings.Contains(page, words); status != http.StatusOK || got != want {
			c.t.Errorf("%s has %q: %v, status %d", path, words, got, status)
		}
	}
}

func (c *course) pitch() {
	b := c.b
	b.open("/desk/stories/new")
	b.fill("#headline", "The ferry is late")
	eval[any](b, `document.querySelector("#section").selectedIndex = 1, null`)
	b.click("button[value=pitch]")
	c.room, _, _ = strings.Cut(b.path(), "?")
	c.stands("pitch")
	c.move("begin")
	c.stands("draft")
	now := time.Now().In(c.clock)
	c.set("[name=due]", now.Add(time.Hour).Format("2006-01-02T15:04"))
	c.move("assignments", "task_note", "By noon, with a picture.")
	c.set("[name=day]", now.Format("2006-01-02"))
	c.move("day")
	if got := b.text("main"); !strings.Contains(got, "By noon, with a picture.") {
		c.t.Errorf("the assignment is not there: %s", got)
	}
	for _, path := range []string{"/desk/plan", "/desk/plan/calendar", "/desk/plan/calendar?week=" + now.Format("2006-01-02"), "/desk/plan/work"} {
		b.open(path)
		if !strings.Contains(b.text("main"), "The ferry is late") {
			c.t.Errorf("%s does not have the story: %s", path, b.text("main"))
		}
	}
}

// write writes without scripts, and puts the lead picture there.
func (c *course) write() {
	b := c.b
	b.withoutScripts()
	b.open(c.room + "/write")
	b.fill("[name=summary]", "Nobody told the passengers.")
	b.fill("#write-body", "The boat left at **nine**.\n\n## Why\n\nNobody knows.")
	b.click("form.markdown button[type=submit]")
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{})

	b.open(c.room + "/lead")
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{ferryPicture(c.t, "ferry.png", 0)}))
	b.fill("#up-alt", "A boat at a pier.")
	b.fill("#up-credit", "Noa Lind")
	b.click(`form[action$="/lead/upload"] button[type=submit]`)
	if b.path() != c.room+"/lead" && b.has(".problem") {
		c.t.Fatalf("the picture: %s", b.text(".problem"))
	}
	b.open(c.room)
	if b.has(".checks .must") {
		c.t.Errorf("checks: %s", b.text(".checks"))
	}
}

// illustrate drops a picture from the machine's own files into the text.
func (c *course) illustrate() {
	b := c.b
	b.openEditor(c.room + "/write")
	x, y := b.middle("#ed-text > p")
	b.drop(x, y, ferryPicture(c.t, "deck.png", 90))
	b.until(`document.querySelector("#ed-text figure img")?.naturalWidth > 0 && document.querySelector("#ed-text .ed-missing")`)
	b.saved()
}

func (c *course) review() {
	b := c.b
	b.open(c.room)
	c.move("submit")
	c.stands("review")
	c.move("return", "note", "Say who was on board.")
	c.stands("draft")
	if got := b.text(".history"); !strings.Contains(got, "Say who was on board.") {
		c.t.Errorf("the history says %s", got)
	}
	c.move("submit")
	c.move("approve")
	c.stands("approved")
	b.examine("story-approved", c.axe)

	// Nobody publishes a picture that nobody has described.
	if got := b.text(".checks .must"); !strings.Contains(got, "deck.png") {
		c.t.Errorf("of the picture the checks say %q", got)
	}
	for _, move := range []string{"publish", "schedule"} {
		if form := `form[action$="/` + move + `"]`; !b.has(form+" .problem") || b.has(form+" button") {
			c.t.Errorf("%s is not barred: %s", move, b.text(form))
		}
	}
	b.openEditor(c.room + "/write")
	b.press("#ed-text figure .ed-on-node")
	b.until(`document.querySelector("dialog .ed-focal img")?.naturalWidth > 0`)
	b.fill("dialog [name=alt]", "The deck in the rain")
	b.fill("dialog [name=caption]", "Nobody sat there.")
	b.fill("dialog [name=credit]", "Noa Lind")
	eval[any](b, `document.querySelector(".ed-focal-point").focus(), null`)
	b.keys(kb.ArrowRight, kb.ArrowRight, kb.ArrowUp)
	b.press("dialog button[type=submit]")
	b.until(`!document.querySelector("dialog") && !document.querySelector("#ed-text .ed-missing")`)
	b.saved()
	b.open(c.room)
	if b.has(".checks .must") {
		c.t.Errorf("the picture is described, and the checks say %s", b.text(".checks"))
	}
}

// schedule has it published tomorrow by the newsroom's clock; and tomorrow comes.
func (c *course) schedule() {
	b := c.b
	day := time.Now().In(c.clock).AddDate(0, 0, 1)
	at := time.Date(day.Year(), day.Month(), day.Day(), 9, 30, 0, 0, c.clock)
	c.set("[name=at]", at.Format("2006-01-02T15:04"))
	c.move("schedule", "reason", "It has no topic yet.")
	c.stands("scheduled")
	if got := eval[string](b, `document.querySelector(".history time").dateTime`); got == "" || !instant(got).Equal(at) {
		c.t.Errorf("it is scheduled for %s, not %s", got, at)
	}
	if got := b.text(".history time"); !strings.Contains(got, "9:30") && !strings.Contains(got, "09:30") {
		c.t.Errorf("the history shows %s", got)
	}
	b.open("/desk/plan/calendar?week=" + at.Format("2006-01-02"))
	if got := b.text("main"); !strings.Contains(got, "The ferry is late") {
		c.t.Errorf("the calendar says %s", got)
	}
	c.found("The ferry is late", false)

	c.later(c.t, `UPDATE edition SET published_at = $1 WHERE status = 'scheduled'`, time.Now().Add(-time.Second).UnixMicro())
	b.awaits(c.room, ".side-status", "Published")
	c.stands("published")
	c.public = eval[string](b, `document.querySelector('.side a[href^="/2"]').getAttribute("href")`)
	c.shows(c.public, http.StatusOK, "The ferry is late", "Nobody told the passengers.", "The boat left at nine.", "Noa Lind", "Nobody sat there.")
	if r := c.reader; !r.has(`.story-lead img[alt="A boat at a pier."]`) || !r.has(`.body figure img[alt="The deck in the rain"]`) || r.text("main strong, main b") != "nine" {
		c.t.Errorf("the page: %.1500s", r.html())
	}
	c.found("The ferry is late", true)
}

// translate writes the Arabic edition beside its original, and publishes it.
func (c *course) translate() {
	b := c.b
	b.click(`form[action$="/editions"] button`)
	room, _, _ := strings.Cut(b.path(), "?")
	b.open(room + "/write")
	b.click(`.tabs a[href*="/translate/"]`)
	b.until(`document.querySelector("[data-editor]")?.dataset.ready !== undefined`)
	if got := b.text(".translate-original"); !strings.Contains(got, "The boat left at nine.") {
		c.t.Errorf("beside it stands %q", got)
	}
	b.fill(".ed-field-headline textarea", "العبّارة متأخرة")
	b.fill(".ed-field-summary textarea", "لم يخبر أحد الركاب.")
	b.cursorAt(0)
	b.typed("غادر القارب عند التاسعة.")
	b.saved()
	b.press(".translate-state form button")
	b.until(`!document.querySelector(".translate-state form")`)

	b.open(room)
	c.move("approve")
	c.move("publish", "reason", "Its original has no topic yet.")
	c.stands("published")
	public := eval[string](b, `document.querySelector('.side a[href^="/ar/2"]').getAttribute("href")`)
	c.shows(public, http.StatusOK, "العبّارة متأخرة", "غادر القارب عند التاسعة.")
	if dir := eval[string](c.reader, `document.documentElement.dir + getComputedStyle(document.querySelector(".body p")).direction`); dir != "rtlrtl" {
		c.t.Errorf("the page runs %s", dir)
	}
	c.shows(c.public, http.StatusOK)
	c.reader.click(`main a[hreflang=ar], header a[hreflang=ar]`)
	if got := c.reader.path(); got != public {
		c.t.Errorf("the original leads to %s, not %s", got, public)
	}
}

// correct corrects the original, with its newest words: the translation is behind.
func (c *course) correct() {
	b := c.b
	b.openEditor(c.room + "/write")
	b.cursorAt(100)
	b.typed(" Then the sailors told us.")
	b.saved()
	b.open(c.room)
	if !b.has(".once") {
		c.t.Error("the room does not say that there are newer words")
	}
	c.move("correct", "note", "The boat left at ten.", "changed", "It said nine.", "reason", "It has no topic still.")
	c.stands("published")
	c.shows(c.public, http.StatusOK, "The boat left at ten.", "Then the sailors told us.")
	if data := eval[string](c.reader, `[...document.querySelectorAll("script[type='application/ld+json']")].map(s => s.textContent).join()`); !strings.Contains(data, "The boat left at ten.") {
		c.t.Errorf("machines are told %s", data)
	}
	c.shows("/corrections/", http.StatusOK, "The ferry is late", "The boat left at ten.", "It said nine.")
	c.found("The ferry is late", true)
	if _, _, feed := c.get(c.t, "/feed.xml", ""); !strings.Contains(feed, "The boat left at ten.") {
		c.t.Errorf("the feed does not say what was corrected: %s", feed)
	}
	b.click(".side-list a:not([aria-current])")
	if got := b.text(".checks"); !strings.Contains(got, "behind") && !strings.Contains(got, "original") {
		c.t.Errorf("the translation's checks say %s", got)
	}
	b.open(c.b.path() + "/write")
	b.click(`.tabs a[href*="/translate/"]`)
	b.until(`document.querySelector(".translate-change .translate-what ins")?.textContent.includes("sailors")`)
}

func (c *course) withdraw() {
	b := c.b
	b.open(c.room)
	c.move("withdraw", "note", "There is no ferry.")
	c.stands("withdrawn")
	if !b.has(".checks .warning") {
		c.t.Error("the room does not say what would have to be overruled again")
	}
	b.examine("story-withdrawn", c.axe)
	c.shows(c.public, http.StatusGone, "There is no ferry.")
	c.found("The ferry is late", false)
	c.found("Nobody told the passengers.", false)
}

// receiver is a program of somebody else's that is told what happens.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	secret string
	told   []string
	wrong  []error
}

// ServeHTTP refuses what comes before it knows the secret.
func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.secret == "" {
		http.Error(w, "The printers are at lunch.", http.StatusServiceUnavailable)
		return
	}
	body, err := io.ReadAll(q.Body)
	if err == nil {
		err = webhook.Verify(r.secret, q.Header.Get("webhook-id"), q.Header.Get("webhook-timestamp"), q.Header.Get("webhook-signature"), body, time.Now())
	}
	var message struct {
		Type string
		Data struct{ Headline, Lang string }
	}
	if err == nil {
		err = json.Unmarshal(body, &message)
	}
	if err != nil {
		r.wrong = append(r.wrong, err)
	}
	r.told = append(r.told, strings.TrimSpace(message.Type+" "+message.Data.Lang))
	w.WriteHeader(http.StatusNoContent)
}

// listen makes a webhook at the desk, and has it tried until it is taken.
func (c *course) listen() {
	b := c.b
	c.printer = &receiver{}
	c.printer.Server = httptest.NewServer(c.printer)
	c.t.Cleanup(c.printer.Close)
	b.open("/desk/people/webhooks")
	b.fill("#url", c.printer.URL+"/news")
	b.fill("#about", "The printers")
	for _, event := range []string{"story.published", "story.corrected", "story.withdrawn"} {
		b.press(`input[value="` + event + `"]`)
	}
	b.click(`form[action="/desk/people/webhooks"] button`)
	secret := b.text(".once .secret")
	b.click(`.rows a[href^="/desk/people/webhooks/"]`)
	hook := b.path()
	b.click(`form[action$="/ping"] button`)
	b.awaits(hook, "section[aria-labelledby=log]", "503", "at lunch")
	c.printer.mu.Lock()
	c.printer.secret = secret
	c.printer.mu.Unlock()
	b.click(`form[action*="/deliveries/"] button`)
	b.awaits(hook, "section[aria-labelledby=log]", "204", "delivered")
}

// heard looks at what the receiver was told in the meantime, and at the desk's log
// of it. What is told at about the same time comes in any order.
func (c *course) heard() {
	want := []string{"ping", "story.corrected en", "story.published ar", "story.published en", "story.withdrawn en"}
	told := func() []string {
		c.printer.mu.Lock()
		defer c.printer.mu.Unlock()
		return slices.Sorted(slices.Values(c.printer.told))
	}
	for end := time.Now().Add(patience); len(told()) < len(want) && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
	}
	if got := told(); !slices.Equal(got, want) {
		c.t.Errorf("the receiver was told %q, not %q", got, want)
	}
	if err := errors.Join(c.printer.wrong...); err != nil {
		c.t.Error(err)
	}
	b := c.b
	b.open("/desk/people/webhooks")
	b.click(`.rows a[href^="/desk/people/webhooks/"]`)
	b.awaits(b.path(), "section[aria-labelledby=log] li:first-child", "story.withdrawn", "delivered", "204")
}

// awaits opens a page anew until an element of it says words: what a job does
// is seen a little later.
func (b *tab) awaits(path, selector string, words ...string) {
	b.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		b.open(path)
		text := b.text(selector)
		missing := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return strings.Contains(text, w) })
		if len(missing) == 0 {
			return
		}
		if time.Now().After(end) {
			b.t.Fatalf("%s never says %q: %s", path, missing, text)
		}
	}
}

// drop drops files of the machine at a place of the window.
func (b *tab) drop(x, y float64, files ...string) {
	b.t.Helper()
	for _, typ := range []input.DispatchDragEventType{input.DispatchDragEventTypeDragEnter, input.DispatchDragEventTypeDragOver, input.DispatchDragEventTypeDrop} {
		call(b, input.DispatchDragEvent, input.DispatchDragEventParams{Type: typ, X: x, Y: y, Data: &input.DragData{Items: []*input.DragDataItem{}, Files: files, DragOperationsMask: 1}})
	}
}

// instant reads what a page's <time> says to machines; the zero Time where that is none.
func instant(machine string) time.Time {
	at, _ := time.Parse(time.RFC3339, machine)
	return at
}

// ferryPicture makes a picture of sea and sky, and gives its path. Another
// shade is another picture.
func ferryPicture(t *testing.T, name string, shade uint8) string {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 1200, 800))
	for y := range 800 {
		for x := range 1200 {
			picture.Set(x, y, color.RGBA{uint8(60 + y/8), uint8(90 + x/12), 160 - shade, 255})
		}
	}
	return pictureFile(t, name, picture)
}

// pictureFile writes a picture as a PNG, and gives its path.
func pictureFile(t *testing.T, name string, picture image.Image) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
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
