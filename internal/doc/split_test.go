package doc

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplit(t *testing.T) {
	ten := "One two three four five six seven eight nine ten."
	many := strings.TrimSpace(strings.Repeat(ten+" ", 8))
	for _, c := range []struct {
		name, md, preview string
		limit             Limit
	}{
		{"wall mark", "A.\n\nB.\n\n:::wall\n\nC.", "A.\n\nB.", Limit{Paragraphs: 1}},
		{"wall mark first", ":::wall\n\nC.", "", Limit{Paragraphs: 1}},
		{"paragraphs", "A a.\n\nB b.\n\nC c.\n\nD d.\n\nE e.\n\nF f.", "A a.\n\nB b.", Limit{Paragraphs: 2}},
		{"at most half", "A a.\n\nB b.\n\nC c.\n\nD d.", "A a.\n\nB b.", Limit{Paragraphs: 9}},
		{"no limit is half", "A a.\n\nB b.\n\nC c.\n\nD d.", "A a.\n\nB b.", Limit{}},
		{"words, by whole paragraphs", ten + "\n\n" + ten + "\n\n" + ten + "\n\n" + many, ten + "\n\n" + ten, Limit{Words: 25}},
		{"a little above the limit stays whole", ten + " One two.\n\n" + many, ten + " One two.", Limit{Words: 10}},
		{"a long first paragraph ends with a sentence", many + "\n\n" + many, ten + " " + ten, Limit{Words: 25}},
		{"the first sentence even if above the limit", many + "\n\n" + many, ten, Limit{Words: 5}},
		{"one sentence gives nothing", strings.TrimSuffix(ten, "."), "", Limit{Paragraphs: 3}},
		{"two paragraphs give the first", "A b c.\n\nD e f.", "A b c.", Limit{Paragraphs: 3}},
		{"no heading at the end", "A a.\n\n## Then\n\n" + many, "A a.", Limit{Words: 4}},
		{"no inset at the end", "A a.\n\n:::also-read https://example.com/ Secret\n\n" + many, "A a.", Limit{Words: 4}},
		{"heading within", "## Then\n\nA a.\n\n" + many, "Then\n\nA a.", Limit{Words: 4}},
		{"footnotes stay with their text", "A a.[^1]\n\nB b.[^2] " + many + "\n\n[^1]: First.\n\n[^2]: Second.", "A a.[1]\n\n[1] First.", Limit{Paragraphs: 1}},
		{"footnote behind the cut sentence", "A a.[^1] B b.[^2] " + many + "\n\n" + many + "\n\n[^1]: First.\n\n[^2]: Second.", "A a.[1]\n\n[1] First.", Limit{Words: 3}},
		{"abbreviations do not end it", "Mr. Smith met Dr. Jones of the U.S. Senate at 3.15 p.m. today. " + many, "Mr. Smith met Dr. Jones of the U.S. Senate at 3.15 p.m. today.", Limit{Words: 5}},
		{"arabic", "هل وصل الوزير؟ نعم، وصل اليوم. ثم غادر المدينة مساء أمس. " + "هل وصل الوزير؟ نعم، وصل اليوم. ثم غادر المدينة مساء أمس.", "هل وصل الوزير؟ نعم، وصل اليوم.", Limit{Words: 6}},
	} {
		n, _, err := FromMarkdown(c.md)
		if err != nil {
			t.Fatal(err)
		}
		preview, rest := n.Split(c.limit)
		if got := preview.PlainText(); got != c.preview {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.preview)
		}
		again, _ := n.Split(c.limit)
		if string(again.JSON()) != string(preview.JSON()) {
			t.Errorf("%s: not the same twice", c.name)
		}
		if Check(preview) != nil || Check(rest) != nil {
			t.Errorf("%s: a part is no document", c.name)
		}
	}
}

// Whatever the document and the limit: nothing is lost, nothing is in both
// parts, and no more than half is given away without a wall mark.
func TestSplitProperty(t *testing.T) {
	for seed := range uint64(1000) {
		m := maker{rand.New(rand.NewPCG(seed, 3))}
		n := Normalize(m.doc())
		preview, rest := n.Split(Limit{Paragraphs: m.IntN(4), Words: m.IntN(60)})
		walled := slices.ContainsFunc(n.Content, func(c *Node) bool { return c.Type == "wall_mark" })
		if a, b, all := preview.Words(), rest.Words(), n.Words(); a+b != all || !walled && a > all/2 {
			t.Fatalf("seed %d: %d + %d of %d words", seed, a, b, all)
		}
		var parts []*Node
		for _, p := range []*Node{preview, rest} {
			for _, c := range p.Content {
				if !emptyParagraph(c) {
					parts = append(parts, c)
				}
			}
		}
		strip := func(n *Node) string { return strings.Join(strings.Fields(letters(n)), " ") }
		if diff := cmp.Diff(strip(n), strip(&Node{Type: "doc", Content: parts})); diff != "" {
			t.Fatalf("seed %d:\n%s", seed, diff)
		}
	}
}

func letters(n *Node) string {
	var b strings.Builder
	n.Walk(func(c *Node) bool {
		b.WriteString(c.Text + " ")
		return true
	})
	return b.String()
}

func TestSentences(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"He came. He saw! Did he conquer? Yes…", []string{"He came.", "He saw!", "Did he conquer?", "Yes…"}},
		{"“Why?” he asked. “Because.” She left.", []string{"“Why?” he asked.", "“Because.”", "She left."}},
		{"Mr. Smith paid $3.50 to J. R. Doe Inc. in the U.S. capital. Good.", []string{"Mr. Smith paid $3.50 to J. R. Doe Inc. in the U.S. capital.", "Good."}},
		{"See example.com. It works... or not. Well... Yes.", []string{"See example.com.", "It works... or not.", "Well...", "Yes."}},
		{"In 2020. Then 2021.", []string{"In 2020.", "Then 2021."}},
		{"Er kam am 3. Oktober. Dr. Müller, z.B. er, blieb.", []string{"Er kam am 3. Oktober.", "Dr. Müller, z.B. er, blieb."}},
		{"هل جاء الوزير؟ نعم، جاء أمس. قال: «لن أعود».", []string{"هل جاء الوزير؟", "نعم، جاء أمس.", "قال: «لن أعود»."}},
		{"ראש הממשלה הגיע. ד״ר כהן אמר: \"לא!\" ואז הלך. למה?", []string{"ראש הממשלה הגיע.", "ד״ר כהן אמר: \"לא!\"", "ואז הלך.", "למה?"}},
		{"А. С. Пушкин жил на ул. Мойка в 1837 г. в Петербурге. Он писал стихи, т. е. работал.", []string{"А. С. Пушкин жил на ул. Мойка в 1837 г. в Петербурге.", "Он писал стихи, т. е. работал."}},
		{"M. Dupont est là. « Oui ! » dit-il. Fin.", []string{"M. Dupont est là.", "« Oui ! » dit-il.", "Fin."}},
		{"今天下雨。明天晴天！好吗？", []string{"今天下雨。", "明天晴天！", "好吗？"}},
		{"वह आया। वह गया।", []string{"वह आया।", "वह गया।"}},
	} {
		if diff := cmp.Diff(c.want, FromText(c.text).Sentences()); diff != "" {
			t.Errorf("%s\n%s", c.text, diff)
		}
	}
	n, _, err := FromMarkdown("# Head\n\nOne.[^1] Two.\n\n- A b.\n- C d.\n\n[^1]: Note. More.")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Head", "One.", "Two.", "Note.", "More.", "A b.", "C d."}
	if diff := cmp.Diff(want, n.Sentences()); diff != "" {
		t.Error(diff)
	}
}

func TestWords(t *testing.T) {
	for text, want := range map[string]int{
		"":                                   0,
		"one two, three.":                    3,
		"it's well-known: 3.14 or 1,000 – a": 6,
		"“quoted” (words)":                   2,
		"مرحبا بالعالم، كيف الحال؟": 4,
		"مُحَمَّد رسول":             2,
		"می‌خواهم بروم":             2,
		"ד״ר כהן אמר צה\"ל":         4,
		"שָׁלוֹם עוֹלָם":            2,
		"Привет, мир! Как дела?":    4,
		"北京天气":                      4,
		"a-- b":                     2,
		"end. Next":                 2,
	} {
		if got := FromText(text).Words(); got != want {
			t.Errorf("%q: %d words, want %d", text, got, want)
		}
	}
}

func TestReadingTime(t *testing.T) {
	for _, c := range []struct {
		words int
		lang  string
		want  int
	}{{0, "en", 0}, {10, "en", 1}, {1140, "en", 5}, {1140, "en-GB", 5}, {1380, "ar", 10}, {1140, "he", 6}, {760, "??", 4}} {
		if got := ReadingTime(c.words, c.lang); got != c.want {
			t.Errorf("%d words in %s: %d minutes, want %d", c.words, c.lang, got, c.want)
		}
	}
}
