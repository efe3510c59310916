package proof

import (
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strings"
	"testing"

	"masthead/internal/doc"
)

const hidden = "The minister’s own clerk had “carried” the [three] ledgers to the harbour on foot, twice in one night."

func indexOf(s secret) *index {
	x := &index{}
	x.add(0, s, 1)
	x.seal()
	return x
}

func found(x *index, text string) bool {
	all := hits{}
	for _, view := range views(text) {
		x.find(view, all)
	}
	return len(all) > 0
}

// However a sentence is written in an answer, it is found; so is a part of it.
func TestSentenceIsFoundInEveryForm(t *testing.T) {
	x := indexOf(keep(doc.Empty(), doc.FromText(hidden)))
	quoted, err := json.Marshal(hidden)
	if err != nil {
		t.Fatal(err)
	}
	twice, err := json.Marshal(string(quoted))
	if err != nil {
		t.Fatal(err)
	}
	var numeric, escaped strings.Builder
	for _, r := range hidden {
		fmt.Fprintf(&numeric, "&#%d;", r)
		fmt.Fprintf(&escaped, `\u%04x`, r)
	}
	for name, text := range map[string]string{
		"plain":              hidden,
		"capitals":           strings.ToUpper(hidden),
		"straight quotes":    strings.NewReplacer("’", "'", "“", `"`, "”", `"`, "[", "", "]", "").Replace(hidden),
		"spaces":             strings.ReplaceAll(hidden, " ", "\u00a0\n\t "),
		"soft hyphens":       strings.ReplaceAll(hidden, "ledgers", "led\u00adgers"),
		"HTML":               "<p>" + strings.ReplaceAll(html.EscapeString(hidden), "clerk", "<em>cl</em>erk") + "</p>",
		"comment":            "<!-- " + hidden + " -->",
		"attribute":          `<meta name="description" content="` + html.EscapeString(hidden) + `">`,
		"HTML within HTML":   `<textarea>` + html.EscapeString("<p>"+strings.ReplaceAll(hidden, "ledgers", "<b>ledgers</b>")+"</p>") + `</textarea>`,
		"JSON":               `{"articleBody":` + string(quoted) + `}`,
		"JSON within JSON":   string(twice),
		"numeric entities":   numeric.String(),
		"\\u escapes":        escaped.String(),
		"address":            "mailto:?body=" + url.QueryEscape(hidden),
		"path":               "/x/" + url.PathEscape(hidden),
		"CDATA":              "<![CDATA[" + hidden + "]]>",
		"a footnote in it":   strings.ReplaceAll(hidden, "ledgers", `ledgers<sup id="r1"><a href="#n1">1</a></sup>`),
		"its number in text": strings.ReplaceAll(hidden, "ledgers", "ledgers[1]"),
		"cut":                hidden[:60] + "…",
		"its end":            "… " + hidden[45:],
		"bad bytes":          "\xff\xfe" + hidden + "\xff",
		"a sign before":      "a < b and " + hidden,
	} {
		if !found(x, text) {
			t.Errorf("%s: not found in %s", name, text)
		}
	}
	for name, text := range map[string]string{
		"other":     "The harbour was quiet that night, and the ledgers stood in their place.",
		"few words": "The minister’s own clerk said nothing of the ledgers.",
		"scattered": "minister clerk carried harbour night",
	} {
		if found(x, text) {
			t.Errorf("%s: found in %s", name, text)
		}
	}
}

// Languages, and bodies that are more than paragraphs.
func TestEveryPartOfABodyIsFound(t *testing.T) {
	body, _, err := doc.FromMarkdown("First.\n\n| Port | Ships that were seen there in June |\n| --- | --- |\n| Dar Mina | forty-one grain ships under two flags |\n\n" +
		"```\nselect berth, cargo from arrivals where ship = 9\n```\n\nHe denied it.[^1]\n\n[^1]: The letter of 4 May says otherwise, in the same hand.\n")
	if err != nil {
		t.Fatal(err)
	}
	x := indexOf(keep(doc.Empty(), body))
	for _, text := range []string{"forty-one grain ships under two flags", "select berth, cargo from arrivals where ship = 9",
		"The letter of 4 May says otherwise, in the same hand.", "Ships that were seen there in June"} {
		if !found(x, "<p>so: "+text+"</p>") {
			t.Errorf("not found: %s", text)
		}
	}
	for _, text := range []string{
		"فالملف الذي عممه كاتب اللجنة بعد ظهر الثلاثاء يحمل في خصائصه اسم كاتبه",
		"המשרד הכחיש את ההסכמים פעמיים, וגם את הפגישה שהייתה בלילה ההוא.",
		"Министерство дважды опровергло договорённости, о которых писала газета в мае.",
		"部长的书记员一夜之间两次徒步把三本账簿送到港口。",
	} {
		if x := indexOf(keep(doc.Empty(), doc.FromText(text))); !found(x, "<p>"+text+"</p>") {
			t.Errorf("not found: %s", text)
		}
	}
}

// What is public of a story is no secret, nor is its end with a word that
// happens to follow.
func TestPublicTextIsNoSecret(t *testing.T) {
	public := map[uint64]bool{}
	addRuns(public, "Bread has not gone up, it has gone in.")
	preview := doc.FromText("She weighs the loaf at dawn. Bread has not gone up, it has gone in.")
	withheld := doc.FromText("Bread has not gone up, it has gone in. The man with the scale came at nine and wrote nothing down.")
	x := indexOf(keep(preview, withheld, public))
	if found(x, "Bread has not gone up, it has gone in. The paper") {
		t.Error("the preview with a word behind it is found")
	}
	if !found(x, "The man with the scale came at nine and") {
		t.Error("the withheld sentence is not found")
	}
	if !found(x, "it has gone in. The man with the scale came") {
		t.Error("a run that begins in the preview is not found")
	}
	if s := keep(preview, withheld, public); s.last == "" || !slices.Contains(s.texts, s.last) {
		t.Errorf("last sentence %q", s.last)
	}
}

// Of a large archive only some runs are kept; a paragraph is found all the same.
func TestSparseIndex(t *testing.T) {
	var words []string
	for i := range 400 {
		words = append(words, fmt.Sprintf("word%d", i))
	}
	s := keep(doc.Empty(), doc.FromText(strings.Join(words, " ")+"."))
	x := &index{}
	x.add(0, s, 4)
	x.seal()
	if len(x.entries) > 100 {
		t.Errorf("%d runs are kept", len(x.entries))
	}
	for i := 0; i+runWords+3 <= len(words); i++ {
		if !found(x, strings.Join(words[i:i+runWords+3], " ")) {
			t.Fatalf("not found at %d", i)
		}
	}
}

func TestWhere(t *testing.T) {
	s := keep(doc.Empty(), doc.FromText(hidden))
	escaped := html.EscapeString(hidden)
	quoted, err := json.Marshal(hidden)
	if err != nil {
		t.Fatal(err)
	}
	for want, page := range map[string]string{
		"text of the page":            "<p>x</p><p>" + strings.ReplaceAll(escaped, "own", "<i>own</i>") + "</p>",
		"comment":                     "<p>x</p><!--" + hidden + "-->",
		"attribute content of <meta>": `<meta content="` + escaped + `">`,
		"JSON-LD":                     `<script type="application/ld+json">{"a":` + string(quoted) + `}</script>`,
		"script":                      `<script>x=` + string(quoted) + `</script>`,
	} {
		all := hits{}
		for _, view := range views(page) {
			indexOf(s).find(view, all)
		}
		if len(all[0]) == 0 {
			t.Errorf("%s: not found", want)
			continue
		}
		if got := where("body", page, all[0][0], "text/html"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func FuzzViews(f *testing.F) {
	f.Add("<p>a &amp; b</p>", 3)
	f.Add(`{"a":"\u00e9\ud83d\ude00\n"}`, 9)
	f.Add("<!-- x <sup><a ", 2)
	f.Add("%e2%80%99 <", 0)
	x := indexOf(keep(doc.Empty(), doc.FromText(hidden)))
	f.Fuzz(func(t *testing.T, around string, at int) {
		at = max(0, min(at, len(around)))
		// A blank on both sides: within a tag or an escape it would be part of that.
		if text := around[:at] + " \n" + hidden + " \n" + around[at:]; !found(x, text) && !strings.ContainsAny(around[:at], `<\&%`) {
			t.Errorf("not found in %q", text)
		}
	})
}

func BenchmarkScan(b *testing.B) {
	x := indexOf(keep(doc.Empty(), doc.FromText(strings.Repeat(hidden+" ", 1))))
	page := "<html>" + strings.Repeat("<p>The <em>harbour</em> was quiet that night, &amp; the ledgers stood in their place.</p>\n", 500)
	b.SetBytes(int64(len(page)))
	for b.Loop() {
		if found(x, page) {
			b.Fatal("found")
		}
	}
}
