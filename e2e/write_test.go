package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"masthead/internal/app"
	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/story"
)

var writingFlag = flag.Duration("writing", 20*time.Second, "how long two people type into one story")

// writingRoom is a newsroom with a story in two languages, Ana and Ben who are
// editors, and a server that can be killed and started again at its address.
type writingRoom struct {
	*newsroom
	t        *testing.T
	english  string // edition ID
	arabic   string // edition ID
	ana, ben string // cookies
}

func newWritingRoom(t *testing.T, body string) *writingRoom {
	t.Helper()
	w := &writingRoom{t: t}
	folder := filepath.Join(t.TempDir(), "room")
	command(t, "init", "--dir", folder)
	w.write(folder, body)
	var err error
	if w.newsroom, err = serve(folder); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.kill)
	w.ana, w.ben = w.colleague(t, "ana@quay.example", "editor", "Ana"), w.colleague(t, "ben@quay.example", "editor", "Ben")
	return w
}

// write puts the story into the database, before anybody serves it.
func (w *writingRoom) write(folder, body string) {
	w.t.Helper()
	english, _, err := doc.FromMarkdown(body)
	if err != nil {
		w.t.Fatal(err)
	}
	arabic, _, err := doc.FromMarkdown("جاء الصقيع يوم الثلاثاء.\n\nوهكذا مضى.")
	if err != nil {
		w.t.Fatal(err)
	}
	err = within(w.t.Context(), folder, func(ctx context.Context, a *app.App, tx *db.Tx) error {
		topic := story.Topic{Slug: "orchard", Kind: story.Place, Names: story.Texts{"en": "Orchard", "ar": "البستان"}, Aliases: map[string][]string{"ar": {"بستان التل"}}}
		if err := a.Stories.SaveTopic(ctx, tx, &topic); err != nil {
			return err
		}
		st := story.Story{Kind: story.Report, OriginalLang: "en", Topics: []string{topic.ID}}
		if err := a.Stories.Save(ctx, tx, &st); err != nil {
			return err
		}
		en := story.Edition{StoryID: st.ID, Lang: "en", Status: story.Draft, Headline: "Frost over the orchard", Body: english}
		if err := a.Stories.SaveEdition(ctx, tx, &en, "ana@quay.example"); err != nil {
			return err
		}
		ar := story.Edition{StoryID: st.ID, Lang: "ar", Status: story.Draft, Headline: "صقيع على البستان", Body: arabic}
		err := a.Stories.SaveEdition(ctx, tx, &ar, "ana@quay.example")
		w.english, w.arabic = en.ID, ar.ID
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// start starts the server that was killed.
func (w *writingRoom) start() {
	w.t.Helper()
	if err := w.again(); err != nil {
		w.t.Fatal(err)
	}
}

// kill ends the server as a power cut would.
func (w *writingRoom) kill() {
	w.cmd.Process.Kill()
	<-w.ended
}

// draftNow is what the database has.
type draftNow struct {
	Version  int64
	Doc      *doc.Node
	Fields   map[string]struct{ Value string }
	Comments []struct{ ID string }
}

func (w *writingRoom) draft(edition string) (d draftNow) {
	w.t.Helper()
	status, _, body := w.get(w.t, "/desk/stories/"+edition+"/draft", w.ana)
	if err := json.Unmarshal([]byte(body), &d); status != 200 || err != nil {
		w.t.Fatalf("the draft = %d %v %s", status, err, body)
	}
	return d
}

// editor opens an edition in a browser of somebody's own.
func (w *writingRoom) editor(cookies, path string) *tab {
	w.t.Helper()
	b := newTab(w.t, w.newsroom)
	b.be(cookies)
	b.size(1280, 900)
	b.openEditor(path)
	return b
}

func (b *tab) openEditor(path string) {
	b.t.Helper()
	if status := b.open(path); status != 200 {
		b.t.Fatalf("%s = %d", path, status)
	}
	b.until(`document.querySelector("[data-editor]")?.dataset.ready !== undefined`)
}

func (b *tab) until(expression string) {
	b.t.Helper()
	for end := time.Now().Add(20 * time.Second); !eval[bool](b, "!!("+expression+")"); time.Sleep(40 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("never: %s\n%.3000s", expression, eval[string](b, `(document.querySelector(".ed") ?? document.body).innerText`))
		}
	}
}

func (b *tab) saved() {
	b.t.Helper()
	time.Sleep(100 * time.Millisecond)
	b.until(`document.querySelector(".ed-status").dataset.state === "saved"`)
}

func (b *tab) typed(text string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(text))
}

// key presses a key such as Control+b or Enter.
func (b *tab) key(key string) {
	b.t.Helper()
	parts := strings.Split(key, "+")
	name := parts[len(parts)-1]
	var mods int64 // a bit for each, as the protocol has them
	for _, p := range parts[:len(parts)-1] {
		mods |= map[string]int64{"Alt": 1, "Control": 2, "Shift": 8}[p]
	}
	number := map[string]int64{"Enter": 13, "End": 35}[name]
	code := name
	if number == 0 {
		number, code = int64(strings.ToUpper(name)[0]), "Key"+strings.ToUpper(name)
	}
	for _, typ := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
		call(b, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: typ, Key: name, Code: code, Modifiers: mods, WindowsVirtualKeyCode: number})
	}
}

// cursorAt puts the cursor at the end of a paragraph of the text.
func (b *tab) cursorAt(paragraph int) {
	b.t.Helper()
	eval[any](b, fmt.Sprintf(`(() => { const e = document.querySelector("#ed-text"), p = e.querySelectorAll(":scope > p"); e.focus(); getSelection().selectAllChildren(p[Math.min(%d, p.length - 1)]); getSelection().collapseToEnd(); return null; })()`, paragraph))
	time.Sleep(100 * time.Millisecond) // selectionchange is told later
}

// comment comments on letters of a paragraph with what write types.
func (b *tab) comment(paragraph, from, to int, write func()) {
	b.t.Helper()
	eval[any](b, fmt.Sprintf(`(() => { const e = document.querySelector("#ed-text"), p = e.querySelectorAll(":scope > p")[%d]; e.focus(); getSelection().setBaseAndExtent(p.firstChild, %d, p.firstChild, %d); return null; })()`, paragraph, from, to))
	time.Sleep(100 * time.Millisecond) // selectionchange is told later
	b.key("Control+Alt+m")
	write()
	eval[any](b, `[...document.querySelectorAll(".ed-side button")].find(e => e.textContent.trim() === "Add").click()`)
	b.until(`document.querySelector(".ed-commented")`)
}

// shown gives the words in the editor, without what stands there for others' cursors.
func (b *tab) shown() string {
	b.t.Helper()
	return eval[string](b, `(() => { const e = document.querySelector("#ed-text").cloneNode(true); e.querySelectorAll(".ed-caret, .ed-note, .ProseMirror-widget, .ProseMirror-separator").forEach(x => x.remove()); return [...e.querySelectorAll(":scope > p")].map(p => p.textContent).join("\n"); })()`)
}

// paragraphs gives the same of a document.
func paragraphs(d *doc.Node) string {
	var all []string
	for _, n := range d.Content {
		if n.Type == "paragraph" {
			text := ""
			n.Walk(func(c *doc.Node) bool { text += c.Text; return c.Type != "footnote" })
			all = append(all, text)
		}
	}
	return strings.Join(all, "\n")
}

// agree waits until the tabs and the database say the same.
func (w *writingRoom) agree(edition string, tabs ...*tab) string {
	w.t.Helper()
	for end := time.Now().Add(15 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		want, same := paragraphs(w.draft(edition).Doc), true
		for _, b := range tabs {
			same = same && b.shown() == want
		}
		if same {
			return want
		}
		if time.Now().After(end) {
			for _, b := range tabs {
				w.t.Errorf("a browser shows\n%s\nand the database has\n%s", b.shown(), want)
			}
			return want
		}
	}
}

const growers = "The frost came on Tuesday, before anybody had taken the covers out.\n\nIn three valleys the blossom was lost within an hour.\n\nAnd so it went."

// TestWriting goes a writer's way: letters, a picture, other programs' words,
// undo, a server that is gone, a second tab, comments, another language.
func TestWriting(t *testing.T) {
	w := newWritingRoom(t, growers)
	at := "/desk/stories/" + w.english
	b := w.editor(w.ana, at+"/write")

	// Formatting, and undo.
	b.cursorAt(2)
	b.key("Enter")
	b.key("Control+b")
	b.typed("Bold words")
	b.key("Control+b")
	b.typed(" and plain ones")
	b.saved()
	d := w.draft(w.english)
	if n := d.Doc.Content[3]; len(n.Content) != 2 || n.Content[0].Text != "Bold words" || len(n.Content[0].Marks) != 1 {
		t.Errorf("after typing: %s", d.Doc.JSON())
	}
	b.key("Control+z")
	b.key("Control+z")
	b.saved()
	if text := w.agree(w.english, b); strings.Contains(text, "plain ones") {
		t.Errorf("after undo: %s", text)
	}

	// A picture, dropped into the text as a file.
	b.cursorAt(1)
	eval[any](b, `(async () => { const c = document.createElement("canvas"); c.width = 900; c.height = 600; const x = c.getContext("2d"); x.fillStyle = "#7a9"; x.fillRect(0, 0, 900, 600); x.fillStyle = "#fff"; x.fillText("blossom", 40, 60);
		const d = new DataTransfer(); d.items.add(new File([await new Promise(done => c.toBlob(done, "image/png"))], "blossom.png", {type: "image/png"}));
		document.querySelector("#ed-text").dispatchEvent(new ClipboardEvent("paste", {clipboardData: d, bubbles: true, cancelable: true})); return null; })()`)
	b.until(`document.querySelector("#ed-text figure img")?.naturalWidth > 0`)
	b.saved()
	if media := w.draft(w.english).Doc.Media(); len(media) != 1 {
		t.Errorf("the draft has the pictures %v", media)
	}

	w.brokenUpload()

	// What other programs put on the clipboard.
	for _, name := range []string{"google-docs", "word", "web-page"} {
		source, err := os.ReadFile("../ui/desk/editor/testdata/" + name + ".html")
		if err != nil {
			t.Fatal(err)
		}
		text, _ := json.Marshal(string(source))
		before := len(w.draft(w.english).Doc.Content)
		b.cursorAt(100)
		eval[any](b, fmt.Sprintf(`(() => { const d = new DataTransfer(); d.setData("text/html", %s); document.querySelector("#ed-text").dispatchEvent(new ClipboardEvent("paste", {clipboardData: d, bubbles: true, cancelable: true})); return null; })()`, text))
		b.saved()
		if after := w.draft(w.english).Doc; len(after.Content) <= before || doc.CheckWorking(after) != nil || strings.Contains(string(after.JSON()), "mso-") {
			t.Errorf("%s: %d blocks, before %d", name, len(after.Content), before)
		}
	}

	// Word's pictures come within its HTML, and stand where they stood there.
	eval[any](b, `(async () => { const c = document.createElement("canvas"); c.width = c.height = 400; const x = c.getContext("2d"); for (let i = 0; i < 400; i += 5) { x.fillStyle = "hsl(" + i + " 50% 50%)"; x.fillRect(i, i / 2, 90, 90); }
		const e = document.querySelector("#ed-text"), p = [...e.querySelectorAll(":scope > p")].pop(); getSelection().selectAllChildren(p); getSelection().collapseToEnd(); await new Promise(f => setTimeout(f, 100));
		const d = new DataTransfer(); d.setData("text/html", '<html xmlns:w="urn:schemas-microsoft-com:office:word"><body><p class=MsoNormal>Before it.</p><p class=MsoNormal><img width=400 height=400 src="' + c.toDataURL() + '"></p><p class=MsoNormal>Behind it.</p></body></html>');
		e.dispatchEvent(new ClipboardEvent("paste", {clipboardData: d, bubbles: true, cancelable: true})); return null; })()`)
	b.until(`document.querySelectorAll("#ed-text figure img").length > 1 && !document.querySelector(".ed-upload")`)
	b.saved()
	body := w.draft(w.english).Doc.Content
	for i, node := range body {
		if strings.HasSuffix(node.PlainText(), "Before it.") && (body[i+1].Type != "figure" || body[i+1].Attr("media") == "" || body[i+1].Attr("src") != "" || body[i+2].PlainText() != "Behind it.") {
			t.Errorf("Word's picture stands elsewhere: %s", (&doc.Node{Type: "doc", Content: body[i:]}).JSON())
		}
	}

	// The server is gone, then the page is too: what was typed is there when both are back.
	w.kill()
	b.cursorAt(0)
	b.typed(" Typed into the dark.")
	b.until(`document.querySelector(".ed-status").dataset.state === "offline"`)
	b.do(chromedp.Navigate("about:blank"))
	w.start()
	if text := w.draft(w.english).Doc.PlainText(); strings.Contains(text, "into the dark") {
		t.Errorf("the server has what nobody could send: %s", text)
	}
	b.openEditor(at + "/write")
	b.saved()
	if text := w.agree(w.english, b); !strings.Contains(text, "Typed into the dark.") {
		t.Errorf("what was typed while the server was gone is lost:\n%s", text)
	}

	// A second tab of the same browser.
	second := b.sibling()
	second.size(1280, 900)
	second.openEditor(at + "/write")
	second.cursorAt(0)
	second.typed(" From the second tab.")
	b.until(`document.querySelector("#ed-text").textContent.includes("From the second tab.")`)
	w.agree(w.english, b, second)

	// A comment that names Ben: a letter goes to him.
	b.comment(0, 4, 9, func() {
		b.typed("Which frost, @Ben")
		time.Sleep(200 * time.Millisecond)
		b.key("Enter")
		b.typed("?")
	})
	second.until(`document.querySelector(".ed-commented")`)
	letter := false
	for range 200 {
		files, _ := filepath.Glob(filepath.Join(w.folder, "outbox", "*"))
		for _, f := range files {
			text, _ := os.ReadFile(f)
			letter = letter || bytes.Contains(text, []byte("ben@quay.example")) && bytes.Contains(text, []byte("Which frost"))
		}
		if letter {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if !letter {
		t.Error("Ben was named, and got no letter")
	}
	b.open(at + "/comments")
	if text := b.text(".comment"); !strings.Contains(text, "frost") || !strings.Contains(text, "Which frost") {
		t.Errorf("the comments say %q", text)
	}
	b.click(".comment form:last-child button")
	if got := b.text(".comment-over"); !strings.Contains(got, "Ana") {
		t.Errorf("after it was resolved: %q", b.text("main"))
	}

	// Arabic, from the right, beside its original.
	ar := w.editor(w.ben, "/desk/stories/"+w.arabic+"/translate/"+w.english)
	if dir := eval[string](ar, `getComputedStyle(document.querySelector("#ed-text")).direction + getComputedStyle(document.querySelector(".translate-body")).direction`); dir != "rtlltr" {
		t.Errorf("the columns run %s", dir)
	}
	ar.cursorAt(1)
	ar.press(".translate-names summary")
	ar.press("[data-insert]:first-child")
	ar.press("[data-insert]:last-child") // an alias
	ar.saved()
	if text := w.agree(w.arabic, ar); !strings.Contains(text, "مضى.البستانبستان التل") {
		t.Errorf("the names were put elsewhere: %s", text)
	}
	ar.press(".translate-state form button")
	ar.until(`document.querySelector(".translate-state p").textContent.includes("says what the original says")`)
	second.cursorAt(0)
	second.typed(" Once more.")
	ar.until(`document.querySelector(".translate-change .translate-what ins")?.textContent.includes("Once more.")`)
	time.Sleep(300 * time.Millisecond) // for the frame that sets them level
	levels := eval[[]float64](ar, `(() => { const k = document.querySelectorAll("#ed-text > p"), o = [...document.querySelectorAll(".translate-block[data-kind=paragraph]")]; return [0, 1].map(i => Math.abs(k[i].getBoundingClientRect().top - o[i].getBoundingClientRect().top)); })()`)
	for i, l := range levels {
		if l > 3 {
			t.Errorf("paragraph %d stands %.0f px off its fellow", i, l)
		}
	}

	// A role that is taken away while its holder writes.
	command(t, "staff", "role", "ben@quay.example", "--role", "contributor", "--dir", w.folder)
	ar.until(`document.querySelector(".ed-status").dataset.state === "role"`)
	if eval[bool](ar, `document.querySelector("#ed-text").isContentEditable`) {
		t.Error("whoever may not write can")
	}

	// Without scripts the story is written in Markdown.
	plain := newTab(t, w.newsroom)
	plain.be(w.ana)
	plain.withoutScripts()
	plain.open(at + "/write")
	plain.fill("#write-1", " again")
	plain.click(".markdown button")
	if got := w.draft(w.english).Fields["headline"].Value; !strings.Contains(got, "again") {
		t.Errorf("the form wrote %q", got)
	}

	w.staleSave(plain, second)

	// A revision, and back.
	plain.open(at + "/revisions/1?with=draft&view=side")
	if !plain.has(".diff ins") {
		t.Errorf("nothing differs: %s", plain.text("main"))
	}
	plain.click("main form.stack button")
	want := strings.ReplaceAll(growers, "\n\n", "\n")
	if got := paragraphs(w.draft(w.english).Doc); got != want {
		t.Errorf("after the first revision was brought back: %q", got)
	}
	w.agree(w.english, second)

	// What the page says of the status follows what others do with it.
	const state = `document.querySelector(".write-state > span").`
	was := eval[string](second, state+`textContent`)
	w.send(t, at+"/submit", w.ana, nil)
	second.until(state + `className === "status-review"`)
	if is := eval[string](second, state+`textContent`); is == was || is == "" {
		t.Errorf("in review the page says %q, and said %q", is, was)
	}
}

// TestTwoWriters has two browsers type into one story for a while; in the
// middle the server is killed. Both end at what the database has, and no word
// is missing.
func TestTwoWriters(t *testing.T) {
	w := newWritingRoom(t, growers)
	at := "/desk/stories/" + w.english + "/write"
	ana, ben := w.editor(w.ana, at), w.editor(w.ben, at)
	ana.cursorAt(0)
	ben.cursorAt(1)
	words, began, down := 0, time.Now(), false
	for ; time.Since(began) < *writingFlag; words++ {
		ana.typed(fmt.Sprintf(" a%d.", words))
		ben.typed(fmt.Sprintf(" b%d.", words))
		switch {
		case words%12 == 5:
			ana.key("Enter")
		case words%12 == 11:
			ben.cursorAt(words % 3) // into the other's paragraphs too
		}
		if !down && time.Since(began) > *writingFlag/2 {
			down = true
			w.kill()
			ana.typed(" during.")
			ben.typed(" meanwhile.")
			w.start()
		}
	}
	ana.saved()
	ben.saved()
	text := w.agree(w.english, ana, ben)
	for i := range words {
		for _, who := range []string{"a", "b"} {
			if word := fmt.Sprintf("%s%d.", who, i); !strings.Contains(text, word) {
				t.Errorf("%s is missing", word)
			}
		}
	}
	if !strings.Contains(text, "during.") || !strings.Contains(text, "meanwhile.") {
		t.Error("what was typed while the server was down is missing")
	}
	t.Logf("%d words each", words)
}

// TestTypingLatency types into a story of 5,000 words that the newsroom serves:
// a letter must be in its place within a frame at 60 Hz, at the median.
func TestTypingLatency(t *testing.T) {
	w := newWritingRoom(t, strings.Repeat(strings.ReplaceAll(growers, "\n\n", " ")+"\n\n", 180))
	b := w.editor(w.ana, "/desk/stories/"+w.english+"/write")
	b.cursorAt(90)
	took := eval[[]float64](b, `(async () => { const out = []; const e = document.querySelector("#ed-text"); for (let i = 0; i < 120; i++) { const at = performance.now(); document.execCommand("insertText", false, i % 6 ? "x" : " "); e.getBoundingClientRect(); out.push(performance.now() - at); await new Promise(f => setTimeout(f, 15)); } return out.sort((a, b) => a - b); })()`)
	t.Logf("%s; a letter: median %.1f ms, 95th percentile %.1f ms", b.text(".ed-count"), took[60], took[114])
	if took[60] > 16 {
		t.Errorf("a letter takes %.1f ms", took[60])
	}
	b.saved()
	w.agree(w.english, b)
}

// TestKilledWhileTyping kills the server fifty times in the midst of a
// keystroke: whatever was acknowledged is there when it comes back, once.
func TestKilledWhileTyping(t *testing.T) {
	w := newWritingRoom(t, "Here:")
	push := func(ctx context.Context, version int64, id int, text string) (int, error) {
		body := fmt.Sprintf(`{"version":%d,"client":"keys","id":"k%d","steps":[{"stepType":"replace","from":%[3]d,"to":%[3]d,"slice":{"content":[{"type":"text","text":%[4]q}]}}]}`, version, id, 6+int(version), text)
		r, err := http.NewRequestWithContext(ctx, "POST", w.URL+"/desk/stories/"+w.english+"/draft/steps", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", w.ana)
		r.Header.Set("Content-Type", "application/json")
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			return 0, err
		}
		defer answer.Body.Close()
		content, err := io.ReadAll(answer.Body)
		var v struct{ Version int64 }
		if err == nil && answer.StatusCode == 200 {
			if err = json.Unmarshal(content, &v); err == nil && v.Version != version+1 {
				t.Fatalf("version %d after %d", v.Version, version)
			}
		}
		if err == nil && answer.StatusCode != 200 {
			t.Fatalf("%d %s", answer.StatusCode, content)
		}
		return answer.StatusCode, err
	}
	w.draft(w.english)
	want, again := "Here:", 0
	kills := 50
	for round := 0; round < kills; {
		dead := make(chan struct{})
		go func(after time.Duration) {
			time.Sleep(after)
			w.kill()
			close(dead)
		}(time.Duration(1+round*7%40) * time.Millisecond)
		for {
			letter := string(rune('a' + len(want)%26))
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			_, err := push(ctx, int64(len(want)-5), len(want), letter)
			cancel()
			if err != nil {
				break
			}
			want += letter
		}
		<-dead
		round++
		w.start()
		got := w.draft(w.english).Doc.PlainText()
		if !strings.HasPrefix(got, want) || len(got) > len(want)+1 {
			t.Fatalf("round %d: acknowledged %q, the database has %q", round, want, got)
		}
		if len(got) == len(want)+1 {
			again++ // written, but nobody was told: it is sent again
		}
		letter := string(rune('a' + len(want)%26))
		if _, err := push(t.Context(), int64(len(want)-5), len(want), letter); err != nil {
			t.Fatal(err)
		}
		if want += letter; w.draft(w.english).Doc.PlainText() != want {
			t.Fatalf("round %d: %q, want %q", round, w.draft(w.english).Doc.PlainText(), want)
		}
	}
	t.Logf("%d kills, %d letters, %d times the answer alone was lost", kills, len(want)-5, again)
}
