package doc

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/fault"
)

var writeSchema = flag.Bool("write-schema", false, "write testdata/steps/schema.json")

func TestStepSchema(t *testing.T) {
	var want bytes.Buffer
	if err := json.Indent(&want, Schema(), "", " "); err != nil {
		t.Fatal(err)
	}
	want.WriteByte('\n')
	const path = "testdata/steps/schema.json"
	if *writeSchema {
		if err := os.WriteFile(path, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), string(got)); diff != "" {
		t.Errorf("the schema has changed: go test ./internal/doc -run TestStepSchema -write-schema && node internal/doc/testdata/steps/make.mjs\n%s", diff)
	}
}

type stepCase struct {
	Act    string            `json:"act"`
	Doc    json.RawMessage   `json:"doc"`
	Steps  []json.RawMessage `json:"steps"`
	Result json.RawMessage   `json:"result"`
	Fails  string            `json:"fails"`
	Maps   [][3]int          `json:"maps"`
}

// stepCases reads what the real prosemirror-transform made; see testdata/steps/make.mjs.
func stepCases(t testing.TB) []stepCase {
	t.Helper()
	f, err := os.Open("testdata/steps.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var cases []stepCase
	if err := json.NewDecoder(z).Decode(&cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

func parseSteps(raw []json.RawMessage) ([]Step, error) {
	var steps []Step
	for _, r := range raw {
		s, err := ParseStep(r)
		if err != nil {
			return nil, err
		}
		steps = append(steps, s)
	}
	return steps, nil
}

func TestStepsAreProseMirrors(t *testing.T) {
	cases := stepCases(t)
	if len(cases) < 3000 {
		t.Fatalf("only %d cases", len(cases))
	}
	applied, refused, wrong := 0, 0, 0
	for i, c := range cases {
		root, err := ParseWorking(c.Doc)
		if err != nil {
			if c.Fails == "" {
				t.Fatalf("case %d: document: %v", i, err)
			}
			continue
		}
		before := string(root.JSON())
		steps, err := parseSteps(c.Steps)
		var got *Node
		if err == nil {
			got, err = Apply(root, steps...)
		}
		if string(root.JSON()) != before {
			t.Fatalf("case %d (%s): the document that it was has changed", i, c.Act)
		}
		if wrong > 5 {
			t.Fatal("and more")
		}
		if c.Fails != "" {
			if err == nil {
				wrong++
				t.Errorf("case %d: taken, but ProseMirror says %s\nstep %s\ndoc %s", i, c.Fails, c.Steps, c.Doc)
			} else if !fault.Is(err, fault.Invalid) {
				t.Errorf("case %d: %v is no Invalid", i, err)
			}
			refused++
			continue
		}
		if err != nil {
			wrong++
			t.Errorf("case %d (%s): %v\nsteps %s\ndoc %s", i, c.Act, err, c.Steps, c.Doc)
			continue
		}
		want, err := ParseWorking(c.Result)
		if err != nil {
			t.Fatalf("case %d: result: %v", i, err)
		}
		if string(got.JSON()) != string(want.JSON()) {
			wrong++
			t.Errorf("case %d (%s): another document\nsteps %s\ndoc  %s\ngot  %s\nwant %s", i, c.Act, c.Steps, root.JSON(), got.JSON(), want.JSON())
		}
		applied++
		for _, m := range c.Maps {
			pos := m[0]
			for _, s := range steps {
				pos = s.Map(pos, m[1])
			}
			if pos != m[2] {
				wrong++
				t.Errorf("case %d (%s): position %d (%d) goes to %d, want %d", i, c.Act, m[0], m[1], pos, m[2])
			}
		}
		// What is stored is the same step.
		for k, s := range steps {
			again, err := ParseStep(s.JSON())
			if err != nil {
				t.Fatalf("case %d: %s: %v", i, s.JSON(), err)
			}
			if diff := cmp.Diff(s, again); diff != "" {
				t.Errorf("case %d step %d: %s", i, k, diff)
			}
		}
	}
	t.Logf("%d applied, %d refused", applied, refused)
	if applied < 2000 || refused < 500 {
		t.Errorf("%d applied, %d refused: the cases prove too little", applied, refused)
	}
}

func TestStepsThatDoNotFit(t *testing.T) {
	root, err := ParseWorking([]byte(`{"type":"doc","content":[{"type":"paragraph","content":[{"type":"text","text":"a😀b"}]},{"type":"divider"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, step := range map[string]string{
		"nothing":            `{}`,
		"unknown kind":       `{"stepType":"markSet","steps":[]}`,
		"position missing":   `{"stepType":"replace","from":1}`,
		"negative":           `{"stepType":"replace","from":-1,"to":1}`,
		"behind the end":     `{"stepType":"replace","from":1,"to":900}`,
		"turned round":       `{"stepType":"replace","from":3,"to":1}`,
		"cuts a letter":      `{"stepType":"replace","from":1,"to":3}`,
		"half a pair":        `{"stepType":"replace","from":1,"to":1,"slice":{"content":[{"type":"text","text":"\ud83d"}]}}`,
		"pair turned round":  `{"stepType":"replace","from":1,"to":1,"slice":{"content":[{"type":"text","text":"\ude00\ud83d"}]}}`,
		"unknown node":       `{"stepType":"replace","from":0,"to":0,"slice":{"content":[{"type":"script"}]}}`,
		"null node":          `{"stepType":"replace","from":0,"to":0,"slice":{"content":[null]}}`,
		"empty text":         `{"stepType":"replace","from":1,"to":1,"slice":{"content":[{"type":"text"}]}}`,
		"text in a block":    `{"stepType":"replace","from":0,"to":0,"slice":{"content":[{"type":"paragraph","text":"x"}]}}`,
		"content in a leaf":  `{"stepType":"replace","from":0,"to":0,"slice":{"content":[{"type":"divider","content":[{"type":"text","text":"x"}]}]}}`,
		"open at nothing":    `{"stepType":"replace","from":1,"to":1,"slice":{"content":[{"type":"paragraph"}],"openStart":2,"openEnd":2}}`,
		"open at a leaf":     `{"stepType":"replace","from":1,"to":1,"slice":{"content":[{"type":"divider"}],"openStart":1,"openEnd":1}}`,
		"text in the doc":    `{"stepType":"replace","from":0,"to":0,"slice":{"content":[{"type":"text","text":"x"}]}}`,
		"no doc left":        `{"stepType":"replace","from":0,"to":7}`,
		"hostile address":    `{"stepType":"addMark","from":1,"to":2,"mark":{"type":"link","attrs":{"href":"javascript:alert(1)"}}}`,
		"unknown mark":       `{"stepType":"removeMark","from":1,"to":2,"mark":{"type":"blink"}}`,
		"no mark":            `{"stepType":"addMark","from":1,"to":2}`,
		"attribute object":   `{"stepType":"attr","pos":0,"attr":"dir","value":{}}`,
		"mark object":        `{"stepType":"addMark","from":1,"to":2,"mark":{"type":"link","attrs":{"href":{},"title":{}}}}`,
		"unknown attribute":  `{"stepType":"attr","pos":0,"attr":"onclick","value":"x"}`,
		"wrong value":        `{"stepType":"attr","pos":0,"attr":"dir","value":"up"}`,
		"attribute of text":  `{"stepType":"attr","pos":1,"attr":"dir","value":"rtl"}`,
		"document attribute": `{"stepType":"docAttr","attr":"x","value":"y"}`,
		"mark on a block":    `{"stepType":"addNodeMark","pos":0,"mark":{"type":"strong"}}`,
		"insert outside":     `{"stepType":"replaceAround","from":0,"to":6,"gapFrom":0,"gapTo":6,"insert":5,"slice":{"content":[{"type":"quotation"}]}}`,
		"gap outside":        `{"stepType":"replaceAround","from":2,"to":3,"gapFrom":0,"gapTo":6,"insert":1,"slice":{"content":[{"type":"quotation"}]}}`,
		"deep":               `{"stepType":"replace","from":0,"to":0,"slice":{"content":[` + strings.Repeat(`{"type":"quotation","content":[`, 60) + strings.Repeat(`]}`, 60) + `]}}`,
		"not JSON":           `{"stepType":`,
		"more behind":        `{"stepType":"replace","from":1,"to":1} {}`,
		"unknown field":      `{"stepType":"replace","from":1,"to":1,"x":1}`,
	} {
		t.Run(name, func(t *testing.T) {
			s, err := ParseStep([]byte(step))
			if err == nil {
				_, err = Apply(root, s)
			}
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestDeepDocumentIsRefused(t *testing.T) {
	root := Empty()
	wrap, err := ParseStep([]byte(`{"stepType":"replaceAround","from":0,"to":2,"gapFrom":0,"gapTo":2,"insert":1,"slice":{"content":[{"type":"quotation"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	for i := range MaxDepth + 2 {
		wrap.To, wrap.GapTo = contentSize(root.Content), contentSize(root.Content)
		next, err := Apply(root, wrap)
		if err != nil {
			if i < MaxDepth-2 || !fault.Is(err, fault.Invalid) {
				t.Fatalf("after %d: %v", i, err)
			}
			return
		}
		root = next
	}
	t.Error("a document deeper than MaxDepth was made")
}

func TestSettle(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"unfinished blocks": {
			`{"type":"doc","content":[{"type":"figure","content":[{"type":"text","text":"The pier"}]},{"type":"also_read"},{"type":"embed"},
			{"type":"also_read","attrs":{"title":"Read"}},{"type":"wall_mark"},{"type":"paragraph","content":[{"type":"text","text":"x ","marks":[{"type":"link","attrs":{"href":""}}]}]},{"type":"wall_mark"},{"type":"paragraph"}]}`,
			"The pier\n\nRead\n\nx"},
		"gallery": {
			`{"type":"doc","content":[{"type":"gallery","content":[{"type":"figure","content":[{"type":"text","text":"lost"}]},{"type":"figure","attrs":{"media":"m1"}}]}]}`,
			"lost"},
		"gallery without pictures": {
			`{"type":"doc","content":[{"type":"gallery","attrs":{"caption":"All"},"content":[{"type":"figure","content":[{"type":"text","text":"one"}]}]}]}`,
			"one\n\nAll"},
		"in a list": {
			`{"type":"doc","content":[{"type":"bullet_list","content":[{"type":"list_item","content":[{"type":"figure"}]}]}]}`, "• "},
		"nothing": {`{"type":"doc","content":[{"type":"file"}]}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			n, err := ParseWorking([]byte(c.in))
			if err != nil {
				t.Fatal(err)
			}
			if err := Check(n); name != "in a list" && err == nil {
				t.Error("there is nothing to settle")
			}
			got := Settle(n)
			if err := Check(got); err != nil {
				t.Fatalf("%v in %s", err, got.JSON())
			}
			if strings.TrimSpace(got.PlainText()) != strings.TrimSpace(c.want) {
				t.Errorf("got %q, want %q (%s)", got.PlainText(), c.want, got.JSON())
			}
		})
	}
}

func TestTextBetween(t *testing.T) {
	n := FromText("One two\n\nthree 😀 four")
	size := n.Size() - 2
	for _, c := range []struct {
		from, to, limit int
		want            string
	}{{1, 4, 99, "One"}, {5, 15, 99, "two three"}, {0, size, 99, "One two three 😀 four"}, {-9, 9999, 7, "One two…"}, {4, 4, 9, ""}} {
		if got := n.TextBetween(c.from, c.to, c.limit); got != c.want {
			t.Errorf("%d to %d: %q, want %q", c.from, c.to, got, c.want)
		}
	}
}

func FuzzStep(f *testing.F) {
	for i, c := range stepCases(f) {
		if i%40 == 0 && len(c.Doc) < 2000 {
			f.Add([]byte(c.Doc), []byte(c.Steps[0]))
		}
	}
	f.Fuzz(func(t *testing.T, root, step []byte) {
		n, err := ParseWorking(root)
		if err != nil {
			return
		}
		settled := Settle(n)
		if err := Check(settled); err != nil {
			t.Fatalf("settled: %v in %s", err, settled.JSON())
		}
		if string(Normalize(settled).JSON()) != string(settled.JSON()) {
			t.Fatalf("settled is not normal: %s", settled.JSON())
		}
		s, err := ParseStep(step)
		if err != nil {
			return
		}
		got, err := Apply(n, s)
		if err != nil {
			return
		}
		again, err := ParseWorking(got.JSON())
		if err != nil || string(again.JSON()) != string(got.JSON()) {
			t.Fatalf("the result does not come back: %v\n%s\n%s", err, got.JSON(), again.JSON())
		}
		if back := s.Map(n.Size()-2, 1); back != got.Size()-2 {
			t.Fatalf("the end %d goes to %d, and is %d", n.Size()-2, back, got.Size()-2)
		}
	})
}
