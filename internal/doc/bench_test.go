package doc

import (
	"strings"
	"testing"
)

// body is a story of about 1,000 words.
func body(b *testing.B) *Node {
	n, _, err := FromMarkdown(strings.Repeat("## Then\n\nThe council **met** on [Monday](https://example.com/) and said “no”. It will meet again in May, said Dr. Doe.[^1]\n\nMore was not to be learned from the [town](/t), and *nobody* asked.\n\n", 30) + "[^1]: A note.\n")
	if err != nil {
		b.Fatal(err)
	}
	return n
}

func BenchmarkHTML(b *testing.B) {
	n := body(b)
	for b.Loop() {
		n.HTML(RenderOptions{ParagraphIDs: true})
	}
}

func BenchmarkParse(b *testing.B) {
	data := body(b).JSON()
	for b.Loop() {
		if _, err := Parse(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFromHTML(b *testing.B) {
	src := body(b).HTML(RenderOptions{})
	for b.Loop() {
		if _, _, err := FromHTML(src, HTMLOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSplit(b *testing.B) {
	n := body(b)
	for b.Loop() {
		n.Split(Limit{Paragraphs: 3, Words: 120})
	}
}
