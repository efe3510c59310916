package doc

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// told writes a difference as one reads it: [-gone-] {+new+} ~marked~.
func told(spans []Span) string {
	var b strings.Builder
	for _, s := range spans {
		switch s.Op {
		case Same:
			b.WriteString(s.Text)
		case Delete:
			b.WriteString("[-" + s.Text + "-]")
		case Insert:
			b.WriteString("{+" + s.Text + "+}")
		case Marks:
			fmt.Fprintf(&b, "~%s:%s>%s~", s.Text, strings.Join(s.Old, "+"), strings.Join(s.New, "+"))
		}
	}
	return b.String()
}

func toldBlocks(blocks []Block) string {
	var lines []string
	for _, b := range blocks {
		at := func(i *int) string {
			if i == nil {
				return "·"
			}
			return fmt.Sprint(*i)
		}
		line := fmt.Sprintf("%s %s>%s %s: %s", b.Op, at(b.Old), at(b.New), b.Type, told(b.Spans))
		for _, a := range b.Attrs {
			line += fmt.Sprintf(" (%s %v>%v)", a.Name, a.Old, a.New)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestDiff(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"nothing":       {"One two.", "One two.", "same 0>0 paragraph: One two."},
		"a word":        {"The ferry left at dawn.", "The ferry sailed at dawn.", "change 0>0 paragraph: The ferry [-left-]{+sailed+} at dawn."},
		"words in line": {"The big ferry left the pier at dawn today.", "The big boat sailed the pier at dawn today.", "change 0>0 paragraph: The big [-ferry left-]{+boat sailed+} the pier at dawn today."},
		"at the ends":   {"two three four", "one two three four five", "change 0>0 paragraph: {+one +}two three four{+ five+}"},
		"a paragraph":   {"One.\n\nThree.", "One.\n\nTwo is here.\n\nThree.", "same 0>0 paragraph: One.\ninsert ·>1 paragraph: {+Two is here.+}\nsame 1>2 paragraph: Three."},
		"gone":          {"One.\n\nTwo is here.\n\nThree.", "One.\n\nThree.", "same 0>0 paragraph: One.\ndelete 1>· paragraph: [-Two is here.-]\nsame 2>1 paragraph: Three."},
		"unlike":        {"Sea and sky.", "Quite other words", "delete 0>· paragraph: [-Sea and sky.-]\ninsert ·>0 paragraph: {+Quite other words+}"},
		"heading":       {"## The old pier", "### The old pier", "change 0>0 heading: The old pier (level <nil>>3)"},
		"marks":         {"The old pier", "The **old** pier", "change 0>0 paragraph: The ~old:>strong~ pier"},
		"list":          {"- one thing\n- two things", "- one thing\n- two more things", "same 0>0 bullet_list list_item paragraph: one thing\nchange 0>0 bullet_list list_item paragraph: two {+more +}things"},
		"Arabic":        {"غادرت العبارة الميناء فجرا", "غادرت السفينة الميناء فجرا", "change 0>0 paragraph: غادرت [-العبارة-]{+السفينة+} الميناء فجرا"},
		"Chinese":       {"渡轮离开了港口", "渡轮离开了码头", "change 0>0 paragraph: 渡轮离开了[-港口-]{+码头+}"},
		"footnote": {"Old[^1] pier\n\n[^1]: a note", "Old[^1] pier\n\n[^1]: a long note",
			"same 0>0 paragraph: Old* pier\nchange 0>0 paragraph footnote: a {+long +}note"},
		"blank lines are nothing": {"One.\n\n\n\n\nTwo.", "One.\n\nTwo.", "same 0>0 paragraph: One.\nsame 1>1 paragraph: Two."},
	} {
		t.Run(name, func(t *testing.T) {
			read := func(s string) *Node {
				n, _, err := FromMarkdown(s)
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
			if diff := cmp.Diff(c.want, toldBlocks(Diff(read(c.old), read(c.new)))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Whatever the documents are, a difference has all the words of both, in order.
func TestDiffHasEveryWord(t *testing.T) {
	texts := func(n *Node) (out string) {
		for _, u := range unitsOf(n) {
			for _, tok := range u.tokens {
				out += tok.text
			}
			out += "|"
		}
		return out
	}
	cases := stepCases(t)
	for i := range cases {
		if cases[i].Fails != "" {
			continue
		}
		old, err := ParseWorking(cases[i].Doc)
		if err != nil {
			t.Fatal(err)
		}
		now, err := ParseWorking(cases[i].Result)
		if err != nil {
			t.Fatal(err)
		}
		if i%3 == 0 { // and two that have nothing to do with one another
			if now, err = ParseWorking(cases[(i+1)%len(cases)].Doc); err != nil {
				t.Fatal(err)
			}
		}
		old, now = Settle(old), Settle(now)
		var a, b string
		for _, block := range Diff(old, now) {
			for _, s := range block.Spans {
				if s.Op != Insert {
					a += s.Text
				}
				if s.Op != Delete {
					b += s.Text
				}
			}
			if block.Old != nil {
				a += "|"
			}
			if block.New != nil {
				b += "|"
			}
		}
		if a != texts(old) || b != texts(now) {
			t.Fatalf("case %d: %q and %q\nof %q and %q", i, a, b, texts(old), texts(now))
		}
		steps := Steps(old, now)
		got, err := Apply(old, steps...)
		if err != nil || string(got.JSON()) != string(now.JSON()) {
			t.Fatalf("case %d: %d steps lead to %v %s, not %s", i, len(steps), err, got.JSON(), now.JSON())
		}
		if merged, conflicts := Merge(old, old, now); conflicts != 0 || string(Normalize(merged).JSON()) != string(now.JSON()) {
			t.Fatalf("case %d: merged to %s, not %s", i, merged.JSON(), now.JSON())
		}
	}
}

func TestDiffText(t *testing.T) {
	if got, want := told(DiffText("The dredgers return", "The old dredgers left")), "The {+old +}dredgers [-return-]{+left+}"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestAlign(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		a, b := make([]int, rng.IntN(40)), make([]int, rng.IntN(40))
		for i := range a {
			a[i] = rng.IntN(8)
		}
		for i := range b {
			b[i] = rng.IntN(8)
		}
		pairs, got, last := align(a, b), 0, -1
		for i, j := range pairs {
			if j < 0 {
				continue
			}
			if j <= last || a[i] != b[j] {
				t.Fatalf("%v %v: %v", a, b, pairs)
			}
			last, got = j, got+1
		}
		// The longest common subsequence, by the book.
		best := make([][]int, len(a)+1)
		for i := range best {
			best[i] = make([]int, len(b)+1)
		}
		for i := len(a) - 1; i >= 0; i-- {
			for j := len(b) - 1; j >= 0; j-- {
				best[i][j] = max(best[i+1][j], best[i][j+1])
				if a[i] == b[j] {
					best[i][j] = max(best[i][j], best[i+1][j+1]+1)
				}
			}
		}
		if got != best[0][0] {
			t.Fatalf("%v %v: %d pairs of %d", a, b, got, best[0][0])
		}
	}
}

// prose makes a text of words, in paragraphs of about 60.
func prose(rng *rand.Rand, words int) []string {
	out := make([]string, words)
	for i := range out {
		out[i] = fmt.Sprintf("w%d", int(rng.ExpFloat64()*300))
		if i%60 == 59 {
			out[i] += "\n\n"
		}
	}
	return out
}

func TestDiffIsFast(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	old := prose(rng, 5000)
	edited := append([]string(nil), old...)
	for range 500 {
		edited[rng.IntN(len(edited))] = "edited"
	}
	for name, c := range map[string][2]string{
		"edited":                 {strings.Join(old, " "), strings.Join(edited, " ")},
		"another text":           {strings.Join(old, " "), strings.Join(prose(rng, 5000), " ")},
		"one paragraph":          {strings.ReplaceAll(strings.Join(old, " "), "\n\n", ""), strings.ReplaceAll(strings.Join(edited, " "), "\n\n", "")},
		"another in a paragraph": {strings.ReplaceAll(strings.Join(old, " "), "\n\n", ""), strings.ReplaceAll(strings.Join(prose(rng, 5000), " "), "\n\n", "")},
	} {
		a, b := FromText(c[0]), FromText(c[1])
		start := time.Now()
		blocks := Diff(a, b)
		took := time.Since(start)
		t.Logf("%s: %v, %d blocks", name, took, len(blocks))
		if took > 2*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

func TestMerge(t *testing.T) {
	for name, c := range map[string]struct {
		base, mine, theirs, want string
		conflicts                int
	}{
		"theirs alone":         {"A\n\nB\n\nC", "A\n\nB\n\nC", "A\n\nB2\n\nC", "A\n\nB2\n\nC", 0},
		"mine alone":           {"A\n\nB\n\nC", "A2\n\nB\n\nC", "A\n\nB\n\nC", "A2\n\nB\n\nC", 0},
		"both, apart":          {"A\n\nB\n\nC", "A2\n\nB\n\nC", "A\n\nB\n\nC\n\nD", "A2\n\nB\n\nC\n\nD", 0},
		"both, the same":       {"A\n\nB\n\nC", "A\n\nX\n\nC", "A\n\nX\n\nC", "A\n\nX\n\nC", 0},
		"both, one place":      {"A\n\nB\n\nC", "A\n\nmine\n\nC", "A\n\ntheirs\n\nC", "A\n\nmine\n\ntheirs\n\nC", 1},
		"taken out by mine":    {"A\n\nB\n\nC", "A\n\nC", "A\n\ntheirs\n\nC", "A\n\ntheirs\n\nC", 0},
		"taken out by theirs":  {"A\n\nB\n\nC", "A\n\nmine\n\nC", "A\n\nC", "A\n\nmine\n\nC", 0},
		"both put in":          {"A\n\nB", "A\n\nmine\n\nB", "A\n\ntheirs\n\nB", "A\n\nmine\n\ntheirs\n\nB", 1},
		"everything":           {"A", "B", "C", "B\n\nC", 1},
		"everything taken out": {"A", "", "", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			got, conflicts := Merge(FromText(c.base), FromText(c.mine), FromText(c.theirs))
			if got.PlainText() != c.want || conflicts != c.conflicts {
				t.Errorf("%q (%d), want %q (%d)", got.PlainText(), conflicts, c.want, c.conflicts)
			}
			if err := CheckWorking(got); err != nil {
				t.Error(err)
			}
		})
	}
	// The empty paragraph in which somebody stands is not taken from him.
	mine := &Node{Type: "doc", Content: []*Node{loneParagraph(&Node{Type: "text", Text: "A"})[0], {Type: "paragraph"}}}
	if got, _ := Merge(FromText("A"), mine, FromText("A\n\nB")); len(got.Content) < 2 || got.PlainText() != "A\n\nB" {
		t.Errorf("%s", got.JSON())
	}
}
