package editor_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"masthead/internal/doc"
	"masthead/internal/needtest"
)

const story = "The frost came on Tuesday, before anybody had taken the covers out. In three valleys the blossom was lost within an hour, and the growers who had insured it are few.\n\n"

// TestLatency types into a story of 5,000 words: from the key to the next frame
// it may take 16 ms, a frame at 60 Hz, at the median.
func TestLatency(t *testing.T) {
	b := newTab(t, newAuthority(t, "en", "en", markdown(t, strings.Repeat(story, 167))))
	eval[any](b, `(() => { const p = document.querySelectorAll("#ed-text p")[80]; p.scrollIntoView(); document.querySelector("#ed-text").focus(); getSelection().setBaseAndExtent(p.firstChild, 20, p.firstChild, 20);
		window.took = []; let began = 0; addEventListener("keydown", () => { began = performance.now(); }, true);
		addEventListener("input", () => { const at = began; requestAnimationFrame(() => { const c = new MessageChannel(); c.port1.onmessage = () => took.push(performance.now() - at); c.port2.postMessage(null); }); }, true); })()`)
	time.Sleep(500 * time.Millisecond)
	for _, r := range strings.Repeat("words and more ", 10) {
		b.typed(string(r))
		time.Sleep(25 * time.Millisecond)
	}
	took := eval[[]float64](b, `took.sort((a, b) => a - b)`)
	script := eval[[]float64](b, `(() => { const out = []; const e = document.querySelector("#ed-text"); for (let i = 0; i < 100; i++) { const at = performance.now(); document.execCommand("insertText", false, "x"); e.getBoundingClientRect(); out.push(performance.now() - at); } return out.sort((a, b) => a - b); })()`)
	if len(took) < 100 {
		t.Fatalf("%d keys were seen", len(took))
	}
	t.Logf("words: %s; key to painted frame: median %.1f ms, 95th percentile %.1f ms; script and layout alone: median %.1f ms, 95th percentile %.1f ms",
		eval[string](b, `document.querySelector(".ed-count").textContent`), took[len(took)/2], took[len(took)*95/100], script[50], script[95])
	if script[50] > 16 {
		t.Errorf("a key takes %.1f ms", script[50])
	}
}

// TestKeyboardAndShots goes through the bar by keys, has axe-core look, and
// takes pictures where MASTHEAD_SHOTS names a folder.
func TestKeyboardAndShots(t *testing.T) {
	source, err := os.ReadFile(needtest.File(t, "tools/browser/node_modules/axe-core/axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	text := "The frost came on *Tuesday*, before anybody had taken [the covers](https://example.org/) out.[^1] In three valleys the **blossom** was lost within an hour.\n\n## What it cost\n\n- Apples\n- Pears\n\n> We lost everything.\n\n| Village | Trees |\n| --- | --- |\n| Kfar | 1,200 |\n\nAnd so it went.\n\n[^1]: The ministry said so."
	arabic := "جاء الصقيع يوم *الثلاثاء* قبل أن يُخرج أحد [الأغطية](https://example.org/).[^1] في ثلاثة أودية ضاع **الزهر** خلال ساعة.\n\n## ما كلّفه\n\n- تفّاح\n- إجاص\n\n> خسرنا كل شيء.\n\nوهكذا مضى.\n\n[^1]: قالت الوزارة ذلك."
	hebrew := "הכפור בא ביום *שלישי*, לפני שמישהו הוציא את [הכיסויים](https://example.org/).[^1] בשלושה עמקים אבדה **הפריחה** בתוך שעה.\n\n## מה זה עלה\n\n- תפוחים\n- אגסים\n\n> איבדנו הכול.\n\nוכך זה הלך.\n\n[^1]: כך אמר המשרד."
	for lang, text := range map[string]string{"en": text, "ar": arabic, "he": hebrew} {
		t.Run(lang, func(t *testing.T) {
			body := markdown(t, text)
			body.Content = append(body.Content[:2], append([]*doc.Node{{Type: "wall_mark"}, {Type: "figure", Attrs: map[string]any{"media": "m1"}}}, body.Content[2:]...)...)
			a := newAuthority(t, lang, lang, body)
			headline := map[string]string{"en": "Frost over the orchard, and nobody to blame", "ar": "صقيع على البستان ولا أحد يُلام", "he": "כפור על הפרדס, ואין את מי להאשים"}[lang]
			a.fields["headline"].Value, a.fields["kicker"].Value = headline, map[string]string{"en": "Country", "ar": "الريف", "he": "כפר"}[lang]
			a.threads = []map[string]any{{"id": "t1", "kind": "passage", "from": 5, "to": 10, "anchor": body.Content[0].Content[0].Text[:8], "resolved": false, "comments": []any{map[string]any{"id": "c1", "staff": "s2", "name": "Ben", "at": "2026-05-03T12:00:00Z", "text": "@Ana: source?", "mentions": []any{map[string]string{"id": "s1", "name": "Ana"}}}}}}
			b := newTab(t, a)
			for _, width := range []int64{1280, 390} {
				b.do(chromedp.EmulateViewport(width, 844))
				for _, scheme := range []string{"light", "dark"} {
					b.scheme(scheme)
					time.Sleep(200 * time.Millisecond)
					b.shot(fmt.Sprintf("editor-%s-%d-%s", lang, width, scheme))
					if wide := eval[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wide > 0 {
						t.Errorf("at %d px it scrolls sideways by %d", width, wide)
					}
					if err == nil {
						eval[any](b, string(source)+"; null")
						if found := eval[[]string](b, `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.html.slice(0, 200) + " " + n.failureSummary)))`); len(found) > 0 {
							t.Errorf("%d px, %s: axe finds\n%s", width, scheme, strings.Join(found, "\n"))
						}
					}
				}
			}
			b.scheme("light")
			b.press("Alt+F10")
			b.focus()
			b.press("Alt+F10")
			if got := eval[string](b, `document.activeElement.dataset.tool`); got != "style" {
				t.Errorf("Alt+F10 leads to %q", got)
			}
			b.press(map[string]string{"en": "ArrowRight", "ar": "ArrowLeft", "he": "ArrowLeft"}[lang])
			if got := eval[string](b, `document.activeElement.dataset.tool`); got != "strong" {
				t.Errorf("the arrow leads to %q", got)
			}
			b.press("End")
			b.press("ArrowDown")
			b.until(`document.activeElement.closest(".ed-menu")`)
			time.Sleep(100 * time.Millisecond)
			b.shot("menu-" + lang + "-390")
			b.press("Escape")
			b.do(chromedp.EmulateViewport(1280, 900))
			b.focus()
			b.press("Control+/")
			b.until(`document.querySelector("dialog .ed-keys")`)
			b.shot("keys-" + lang)
			b.press("Escape")
			b.focus()
			b.press("Control+f")
			b.shot("find-" + lang)
		})
	}
}

// everything has every node and mark of the schema.
const everything = `{"type":"doc","content":[
{"type":"heading","attrs":{"level":3,"dir":"rtl"},"content":[{"type":"text","text":"Heading"}]},
{"type":"paragraph","attrs":{"dir":"rtl"},"content":[{"type":"text","text":"a "},{"type":"text","text":"b","marks":[{"type":"insertion"}]},{"type":"text","text":"c","marks":[{"type":"link","attrs":{"href":"https://example.org/","title":"t"}}]},{"type":"text","text":"d","marks":[{"type":"lang","attrs":{"lang":"ar","dir":"rtl"}}]},{"type":"text","text":"e","marks":[{"type":"strong"},{"type":"em"},{"type":"underline"},{"type":"strike"},{"type":"superscript"}]},{"type":"text","text":"f","marks":[{"type":"subscript"}]},{"type":"text","text":"g","marks":[{"type":"code"}]},{"type":"hard_break"},{"type":"text","text":"h"},{"type":"footnote","content":[{"type":"text","text":"note "},{"type":"text","text":"bold","marks":[{"type":"strong"}]}]}]},
{"type":"wall_mark"},
{"type":"bullet_list","content":[{"type":"list_item","content":[{"type":"paragraph","content":[{"type":"text","text":"one"}]},{"type":"ordered_list","attrs":{"start":4},"content":[{"type":"list_item","content":[{"type":"paragraph","content":[{"type":"text","text":"four"}]}]}]}]}]},
{"type":"quotation","attrs":{"speaker":"Rima","outlet":"An-Nahar"},"content":[{"type":"paragraph","content":[{"type":"text","text":"said"}]}]},
{"type":"pull_quote","attrs":{"speaker":"Rima"},"content":[{"type":"text","text":"pulled"}]},
{"type":"figure","attrs":{"media":"m1","alt":"trees","credit":"R. H."},"content":[{"type":"text","text":"caption"}]},
{"type":"gallery","attrs":{"caption":"both"},"content":[{"type":"figure","attrs":{"media":"m2"}},{"type":"figure","attrs":{"src":"https://example.org/a.jpg","alt":"x"},"content":[{"type":"text","text":"two"}]}]},
{"type":"embed","attrs":{"url":"https://vimeo.com/12345","provider":"Vimeo","title":"film","author":"R","thumbnail":"m3"},"content":[{"type":"text","text":"watch"}]},
{"type":"file","attrs":{"kind":"audio","media":"m4","title":"sound"},"content":[{"type":"text","text":"hear"}]},
{"type":"also_read","attrs":{"story":"harvest","title":"Harvest"}},
{"type":"table","attrs":{"caption":"table"},"content":[{"type":"table_row","content":[{"type":"table_header","attrs":{"colspan":2},"content":[{"type":"paragraph","content":[{"type":"text","text":"head"}]}]}]},{"type":"table_row","content":[{"type":"table_cell","content":[{"type":"paragraph","content":[{"type":"text","text":"l"}]}]},{"type":"table_cell","content":[{"type":"paragraph","content":[{"type":"text","text":"r"}]}]}]}]},
{"type":"code_block","attrs":{"language":"go"},"content":[{"type":"text","text":"a  := 1\nb"}]},
{"type":"divider"},
{"type":"callout","attrs":{"tone":"warning"},"content":[{"type":"paragraph","content":[{"type":"text","text":"careful"}]}]},
{"type":"paragraph","content":[{"type":"text","text":"end"}]}]}`

// TestCopy copies a text with everything in it and pastes it into an empty one.
func TestCopy(t *testing.T) {
	source, err := doc.Parse([]byte(everything))
	if err != nil {
		t.Fatal(err)
	}
	for name := range allNodes(t) {
		if !strings.Contains(everything, `"`+name+`"`) {
			t.Errorf("the text lacks %s", name)
		}
	}
	b := newTab(t, newAuthority(t, "en", "en", source))
	b.do(chromedp.EmulateViewport(1280, 3400))
	b.until(`document.querySelector(".ed-also-read")?.textContent.includes("harvest")`)
	b.shot("everything")
	b.focus()
	b.press("Control+a")
	time.Sleep(100 * time.Millisecond)
	html := eval[string](b, `(() => { const d = new DataTransfer(); document.querySelector("#ed-text").dispatchEvent(new ClipboardEvent("copy", {clipboardData: d, bubbles: true, cancelable: true})); return d.getData("text/html"); })()`)
	c := newTab(t, newAuthority(t, "en", "en", doc.Empty()))
	c.focus()
	c.paste(html, "")
	c.saved()
	if diff := cmp.Diff(source, doc.Settle(c.a.node())); diff != "" {
		t.Errorf("pasted (-want +got):\n%s\n%s", diff, html)
	}
}

func allNodes(t *testing.T) map[string]any {
	var schema struct {
		Nodes map[string]any
		Marks []struct{ Type string }
	}
	if err := json.Unmarshal(doc.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	for _, m := range schema.Marks {
		schema.Nodes[m.Type] = nil
	}
	return schema.Nodes
}
