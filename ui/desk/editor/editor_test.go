// Package editor_test drives the editor in a real Chromium, with a draft in
// memory behind it. The newsroom's own tests, which join it to the program,
// are in e2e.
package editor_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"masthead/internal/doc"
)

func markdown(t testing.TB, text string) *doc.Node {
	t.Helper()
	n, _, err := doc.FromMarkdown(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (b *tab) wantMarkdown(want string) {
	b.t.Helper()
	b.saved()
	if diff := cmp.Diff(strings.TrimSpace(want), strings.TrimSpace(b.a.markdown())); diff != "" {
		b.t.Errorf("the server's text (-want +got):\n%s", diff)
	}
}

func (b *tab) focus() { eval[any](b, `document.querySelector("#ed-text").focus()`) }

func TestWrite(t *testing.T) {
	b := newTab(t, newAuthority(t, "en", "en", doc.Empty()))
	b.focus()
	b.typed(`The "frost" came`)
	b.press("Enter")
	b.typed("- one")
	b.press("Enter")
	b.typed("two")
	b.press("Enter")
	b.press("Enter")
	b.typed("It's over -- 'almost'... ")
	b.press("Control+b")
	b.typed("bold")
	b.press("Control+b")
	b.typed(" and")
	b.wantMarkdown("The “frost” came\n\n- one\n- two\n\nIt’s over — ‘almost’… **bold** and")
	b.press("Control+z")
	b.saved()
	if got := b.a.markdown(); strings.Contains(got, " and") {
		t.Errorf("undone, there is still %q", got)
	}
	b.press("Control+Shift+z")
	b.wantMarkdown("The “frost” came\n\n- one\n- two\n\nIt’s over — ‘almost’… **bold** and")
}

// TestQuotes types one sentence in the languages of the furniture and more.
func TestQuotes(t *testing.T) {
	for lang, want := range map[string]string{
		"en": "She said “the ‘last’ one”. It’s so", "ar": "She said «the ’last’ one». It’s so", "ru": "She said «the ’last’ one». It’s so",
		"fr": "She said «\u00a0the ’last’ one\u00a0». It’s so", "de": "She said „the ‚last‘ one“. It’s so", "he": "She said ”the ’last’ one”. It’s so",
	} {
		t.Run(lang, func(t *testing.T) {
			b := newTab(t, newAuthority(t, lang, "en", doc.Empty()))
			b.focus()
			b.typed(`She said "the 'last' one". It's so`)
			b.saved()
			if got := b.a.node().PlainText(); got != want {
				t.Errorf("%q, not %q", got, want)
			}
			if got := eval[string](b, `document.querySelector("#ed-text").lang + document.querySelector("#ed-text").spellcheck`); got != lang+"true" {
				t.Errorf("the spelling is checked as %s", got)
			}
		})
	}
	b := newTab(t, newAuthority(t, "he", "he", doc.Empty()))
	b.focus()
	b.typed(`צה"ל`)
	b.saved()
	if got := b.a.node().PlainText(); got != "צה״ל" {
		t.Errorf("an acronym: %q", got)
	}
}

func TestStyles(t *testing.T) {
	b := newTab(t, newAuthority(t, "en", "en", markdown(t, "Alpha beta\n\nGamma delta\n\nEpsilon")))
	b.cursor("Alpha", "Alpha")
	b.press("Control+Alt+2")
	b.cursor("Gamma", "Gamma")
	b.press("Control+Shift+9")
	b.cursor("delta", "delta")
	b.press("Control+i")
	b.cursor("Epsilon", "Epsilon")
	b.press("Control+Shift+i")
	b.wantMarkdown("## Alpha beta\n\n> Gamma *delta*\n\n<span class=\"insertion\">\\[Epsilon]</span>")
	b.cursor("Gamma", "Gamma")
	b.press("Control+Shift+9")
	b.cursor("Alpha", "Alpha")
	b.press("Control+Alt+0")
	b.wantMarkdown("Alpha beta\n\nGamma *delta*\n\n<span class=\"insertion\">\\[Epsilon]</span>")
}

func TestPasteAddress(t *testing.T) {
	b := newTab(t, newAuthority(t, "en", "en", markdown(t, "The ministry said\n\nSecond")))
	b.cursor("ministry", "ministry")
	b.paste("", "https://example.org/report")
	b.wantMarkdown("The [ministry](https://example.org/report) said\n\nSecond")
	eval[any](b, `(() => { const p = document.querySelectorAll("#ed-text p")[1]; getSelection().setBaseAndExtent(p.firstChild, 6, p.firstChild, 6) })()`)
	time.Sleep(60 * time.Millisecond)
	b.press("Enter")
	b.paste("", "https://youtu.be/dQw4w9WgXcQ?si=x")
	b.saved()
	if n := b.a.node().Content[2]; n.Type != "embed" || n.Attr("url") != "https://www.youtube.com/watch?v=dQw4w9WgXcQ" || n.Attr("provider") != "YouTube" {
		t.Errorf("the card is %+v", n)
	}
}

func TestPaste(t *testing.T) {
	files, err := filepath.Glob("testdata/*.html")
	if err != nil || len(files) < 3 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			b := newTab(t, newAuthority(t, "en", "en", doc.Empty()))
			html, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			b.focus()
			b.paste(string(html), "")
			b.saved()
			golden := strings.TrimSuffix(file, ".html") + ".golden"
			got := strings.TrimSpace(doc.Settle(b.a.node()).HTML(doc.RenderOptions{})) + "\n"
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("pasted (-want +got):\n%s", diff)
			}
			if shown := eval[string](b, `document.querySelector("#ed-text").innerText`); strings.TrimSpace(shown) == "" {
				t.Error("nothing is shown")
			}
		})
	}
}

func TestFind(t *testing.T) {
	b := newTab(t, newAuthority(t, "en", "en", markdown(t, "One apple, two Apples.\n\n- an apple\n- pineapple")))
	b.focus()
	b.press("Control+f")
	b.typed("apple")
	b.until(`document.querySelector(".ed-find-count").textContent === "1 of 4"`)
	b.press("Enter")
	b.until(`document.querySelector(".ed-find-count").textContent === "2 of 4"`)
	eval[any](b, `document.querySelectorAll(".ed-find input[type=checkbox]").forEach(c => c.click())`)
	b.until(`document.querySelector(".ed-find-count").textContent === "2 of 2"`)
	eval[any](b, `(() => { const i = document.querySelectorAll(".ed-find input[type=text]")[1]; i.value = "pear"; })()`)
	b.choose("Replace all")
	b.wantMarkdown("One pear, two Apples.\n\n- an pear\n- pineapple")
}

func (b *tab) wall() int {
	for i, n := range b.a.node().Content {
		if n.Type == "wall_mark" {
			return i
		}
	}
	return -1
}

func TestWall(t *testing.T) {
	b := newTab(t, newAuthority(t, "en", "en", markdown(t, "One\n\nTwo\n\nThree\n\nFour")))
	b.cursor("One", "One")
	b.press("Control+Alt+w")
	b.saved()
	if at := b.wall(); at != 1 {
		t.Fatalf("the mark stands at %d", at)
	}
	eval[any](b, `document.querySelector(".ed-wall-handle").focus()`)
	b.press("ArrowDown")
	time.Sleep(100 * time.Millisecond)
	b.press("ArrowDown")
	b.saved()
	if at := b.wall(); at != 3 {
		t.Errorf("moved by keys it stands at %d", at)
	}
	box := eval[[]float64](b, `(() => { const r = document.querySelector(".ed-wall-handle").getBoundingClientRect(), p = document.querySelector("#ed-text p").getBoundingClientRect(); return [r.left + r.width/2, r.top + r.height/2, p.bottom + 4]; })()`)
	mouse := func(typ input.DispatchMouseEventType, y float64) {
		b.do(chromedp.MouseEvent(typ, box[0], y, chromedp.ButtonLeft))
	}
	mouse(input.DispatchMouseEventTypeMousePressed, box[1])
	mouse(input.DispatchMouseEventTypeMouseMoved, box[1]-20)
	mouse(input.DispatchMouseEventTypeMouseMoved, box[2])
	mouse(input.DispatchMouseEventTypeMouseReleased, box[2])
	b.saved()
	if at := b.wall(); at != 1 {
		t.Errorf("dragged it stands at %d", at)
	}
	b.cursor("Four", "Four")
	b.press("Control+Alt+w")
	b.saved()
	if at := b.wall(); at != 4 {
		t.Errorf("set anew it stands at %d in %s", at, b.a.markdown())
	}
}

const aFile = `const make = (name, type) => new File([new Uint8Array(2000)], name, {type});`

func (b *tab) dropFiles(files string) {
	eval[any](b, `(() => { `+aFile+` const d = new DataTransfer(); for (const f of [`+files+`]) d.items.add(f);
		const p = document.querySelector("#ed-text p").getBoundingClientRect();
		document.querySelector("#ed-text p").dispatchEvent(new DragEvent("drop", {dataTransfer: d, bubbles: true, cancelable: true, clientX: p.left + 5, clientY: p.top + 5})); return null })()`)
}

func TestPictures(t *testing.T) {
	a := newAuthority(t, "en", "en", markdown(t, "One\n\nTwo"))
	b := newTab(t, a)
	a.mu.Lock()
	a.broken = 100 // the browser tries again by itself
	a.mu.Unlock()
	b.dropFiles(`make("orchard.jpg", "image/jpeg")`)
	b.until(`document.querySelector(".ed-upload-failed")`)
	b.shot("upload-failed")
	a.mu.Lock()
	a.broken = 0
	a.mu.Unlock()
	b.choose("Try again")
	b.until(`document.querySelector("#ed-text figure.picture img")`)
	b.saved()
	picture := func() *doc.Node {
		for _, n := range a.node().Content {
			if n.Type == "figure" && n.Attr("media") != "" {
				return n
			}
		}
		t.Fatalf("there is no picture in %s", a.markdown())
		return nil
	}
	picture()
	b.dropFiles(`make("virus.exe", "image/png")`)
	b.until(`document.querySelector(".ed-upload-said")?.textContent.includes("a program is no picture")`)
	b.choose("Cancel")
	b.until(`!document.querySelector(".ed-upload p")`)
	b.click(".ed-picture .ed-on-node")
	b.until(`document.querySelector("dialog textarea")`)
	eval[any](b, `(() => { const [alt, caption] = document.querySelectorAll("dialog textarea"); alt.value = "Trees in frost"; caption.value = "The orchard in May"; document.querySelector(".ed-focal-point").focus(); })()`)
	b.press("ArrowRight")
	b.shot("picture")
	b.choose("Apply")
	b.saved()
	if n := picture(); n.Attr("alt") != "Trees in frost" || n.Content[0].Text != "The orchard in May" {
		t.Errorf("the picture is %+v", n)
	}
	a.mu.Lock()
	focal, _ := json.Marshal(medium["focal"])
	a.mu.Unlock()
	if string(focal) != `{"x":55,"y":50}` {
		t.Errorf("the focal point is %s", focal)
	}
}

func TestTable(t *testing.T) {
	b := newTab(t, newAuthority(t, "en", "en", markdown(t, "One")))
	b.cursor("One", "One")
	b.choose("Insert")
	b.choose("Table")
	b.until(`document.querySelector("dialog input[type=number]")`)
	b.choose("Insert")
	b.until(`document.querySelector("#ed-text table")`)
	b.saved()
	b.typed("Name")
	b.press("Tab")
	b.typed("Age")
	b.choose("Table")
	b.choose("Delete the column")
	b.saved()
	table := b.a.node().Content[1]
	if table.Type != "table" || len(table.Content) != 3 || len(table.Content[0].Content) != 2 || table.Content[0].Content[0].Type != "table_header" {
		t.Errorf("the table is %s", b.a.markdown())
	}
}

func TestFootnote(t *testing.T) {
	b := newTab(t, newAuthority(t, "en", "en", markdown(t, "One two")))
	b.cursor("One", "One")
	b.press("Control+Alt+f")
	b.until(`document.activeElement.classList.contains("ed-note-inner")`)
	b.typed("See there")
	b.shot("footnote")
	b.press("Enter")
	b.typed("!")
	b.wantMarkdown("One[^1]! two\n\n[^1]: See there")
}

func TestLinkAndAlsoRead(t *testing.T) {
	b := newTab(t, newAuthority(t, "en", "en", markdown(t, "One two")))
	b.cursor("two", "two")
	b.press("Control+k")
	b.until(`document.querySelector("dialog [role=combobox]")`)
	eval[any](b, `document.querySelector("dialog [role=combobox]").focus()`)
	b.typed("frost")
	b.until(`document.querySelector("dialog [role=option]")`)
	b.shot("link")
	b.press("Enter")
	b.wantMarkdown("One [two](/en/frost)")
	b.choose("Insert")
	b.choose("Also read…")
	b.typed("harvest")
	b.until(`document.querySelector("dialog [role=option]")`)
	b.press("Enter")
	b.saved()
	if n := b.a.node().Content[1]; n.Type != "also_read" || n.Attr("story") != "harvest" {
		t.Errorf("the inset is %+v", n)
	}
}

// TestFields saves the fields, takes others' values, and asks where both wrote.
func TestFields(t *testing.T) {
	a := newAuthority(t, "en", "en", markdown(t, "One"))
	b := newTab(t, a)
	eval[any](b, `document.querySelector(".ed-line-headline").focus()`)
	b.typed("Frost over the orchard")
	b.press("Enter")
	b.saved()
	a.mu.Lock()
	got := a.fields["headline"].Value
	a.setField("kicker", "Country", "Ben")
	a.mu.Unlock()
	if got != "Frost over the orchard" {
		t.Errorf("the headline is %q", got)
	}
	b.until(`document.querySelector(".ed-line-kicker").value === "Country"`)
	eval[any](b, `document.querySelector(".ed-line-kicker").select()`)
	b.typed("Town")
	a.mu.Lock()
	a.setField("kicker", "Village", "Ben")
	a.mu.Unlock()
	b.until(`document.querySelector(".ed-status").dataset.state === "conflict"`)
	b.shot("conflict")
	b.choose("Keep mine")
	b.saved()
	a.mu.Lock()
	defer a.mu.Unlock()
	if got := a.fields["kicker"].Value; got != "Town" {
		t.Errorf("the kicker is %q", got)
	}
}

// TestOffline types while the server is away, reloads nothing away, and goes on
// in another tab with what the closed one left.
func TestOffline(t *testing.T) {
	a := newAuthority(t, "en", "en", markdown(t, "One"))
	b := newTab(t, a)
	b.cursor("One", "One")
	b.press("End")
	a.down(true)
	b.typed(" and more")
	b.until(`document.querySelector(".ed-status").dataset.state === "offline"`)
	b.shot("offline")
	a.write(t, doc.Replace(0, 0, &doc.Node{Type: "paragraph", Content: []*doc.Node{{Type: "text", Text: "Zero"}}}))
	eval[any](b, `document.querySelector(".ed-line-summary").focus()`)
	b.typed("Kept")
	time.Sleep(500 * time.Millisecond)
	b.do(chromedp.Navigate("about:blank")) // closed without the server
	a.down(false)
	b.reload()
	b.wantMarkdown("Zero\n\nOne and more")
	b.saved()
	a.mu.Lock()
	if got := a.fields["summary"].Value; got != "Kept" {
		t.Errorf("the summary is %q", got)
	}
	a.mu.Unlock()
	left := -1
	for range 50 {
		if left = eval[int](b, `new Promise(done => { indexedDB.open("masthead-drafts").onsuccess = e => { e.target.result.transaction("kept").objectStore("kept").count().onsuccess = c => { e.target.result.close(); done(c.target.result) } } })`); left == 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if left != 0 {
		t.Errorf("%d records are left in the browser", left)
	}
}

// TestTogether has two people type at once; both end with the server's text.
func TestTogether(t *testing.T) {
	a := newAuthority(t, "en", "en", markdown(t, "One\n\nTwo"))
	b, c := newTab(t, a), newTab(t, a)
	b.cursor("One", "One")
	b.press("End")
	c.cursor("Two", "Two")
	c.press("End")
	for i := range 12 {
		b.typed(fmt.Sprintf(" b%d", i))
		c.typed(fmt.Sprintf(" c%d", i))
		if i == 6 {
			a.down(true)
		}
		if i == 8 {
			a.down(false)
		}
	}
	b.saved()
	c.saved()
	want := a.node().PlainText()
	for _, tab := range []*tab{b, c} {
		tab.until((`document.querySelectorAll("#ed-text > p")[0].innerText.includes("b11") && document.querySelectorAll("#ed-text > p")[1].textContent.includes("c11")`))
	}
	if !strings.Contains(want, "b0 b1 b2 b3 b4 b5 b6 b7 b8 b9 b10 b11") || !strings.Contains(want, "c0 c1 c2 c3 c4 c5 c6 c7 c8 c9 c10 c11") {
		t.Errorf("the server has %q", want)
	}
	b.until(`document.querySelector(".ed-caret")`)
	b.shot("together")
}

// TestStranded has the server forget what the tab knows: its words are shown.
func TestStranded(t *testing.T) {
	a := newAuthority(t, "en", "en", markdown(t, "One"))
	b := newTab(t, a)
	b.cursor("One", "One")
	b.press("End")
	b.typed(" then")
	b.saved()
	a.down(true)
	b.typed(" and mine")
	b.until(`document.querySelector(".ed-status").dataset.state === "offline"`)
	a.mu.Lock()
	a.body, a.steps = markdown(t, "Another life"), nil
	a.mu.Unlock()
	a.down(false)
	b.until(`document.querySelector(".ed-leftover")?.textContent === "One then and mine"`)
	b.shot("leftover")
	b.choose("Put them at the end of the text")
	b.wantMarkdown("Another life\n\nOne then and mine")
}

func TestComments(t *testing.T) {
	a := newAuthority(t, "en", "en", markdown(t, "The ministry said so"))
	b := newTab(t, a)
	b.cursor("ministry", "ministry")
	b.press("Control+Alt+m")
	b.until(`document.activeElement.tagName === "TEXTAREA"`)
	b.typed("Which")
	// Others write before it and comment while the comment is being written.
	a.write(t, doc.Replace(1, 1, &doc.Node{Type: "text", Text: "So: "}))
	a.mu.Lock()
	a.threads = append(a.threads, map[string]any{"id": "t9", "kind": "note", "resolved": true, "comments": []any{}})
	a.tellThreads()
	a.mu.Unlock()
	b.until(`document.querySelector("#ed-text").innerText.startsWith("So: ") && document.querySelector(".ed-commenting").textContent === "ministry"`)
	time.Sleep(200 * time.Millisecond)
	b.typed(" one?")
	b.choose("Add")
	b.until(`document.querySelector(".ed-commented")?.textContent === "ministry" && document.querySelector(".ed-words")?.textContent === "Which one?"`)
	a.write(t, doc.Replace(1, 1, &doc.Node{Type: "text", Text: "Today "}))
	b.until(`document.querySelector("#ed-text").innerText.startsWith("Today") && document.querySelector(".ed-commented").textContent === "ministry"`)
	b.shot("comments")
	b.choose("Resolve")
	b.until(`!document.querySelector(".ed-commented") && document.querySelector(".ed-comments h2").textContent === "Comments: 0"`)
}

// TestGallery drops three pictures at once, which stand as a gallery.
func TestGallery(t *testing.T) {
	a := newAuthority(t, "ar", "ar", markdown(t, "واحد\n\nاثنان"))
	b := newTab(t, a)
	b.dropFiles(`make("a.jpg", "image/jpeg"), make("b.png", "image/png"), make("c.webp", "image/webp")`)
	b.until(`document.querySelectorAll("#ed-text .gallery figure.picture img").length === 3`)
	b.saved()
	for _, n := range a.node().Content {
		if n.Type == "gallery" && len(n.Content) == 3 {
			return
		}
	}
	t.Errorf("there is no gallery in %s", a.markdown())
}

// TestRole takes the right to write away while somebody writes.
func TestRole(t *testing.T) {
	a := newAuthority(t, "en", "en", markdown(t, "One"))
	b := newTab(t, a)
	b.cursor("One", "One")
	a.mu.Lock()
	a.tell(event{"end", 0, map[string]string{"reason": "role"}}, "")
	a.mu.Unlock()
	b.until(`document.querySelector(".ed-status").dataset.state === "role" && document.querySelector("#ed-text").contentEditable === "false"`)
	if got := eval[string](b, `document.querySelector(".ed-status").textContent`); !strings.Contains(got, "no longer write") {
		t.Errorf("the corner says %q", got)
	}
}
