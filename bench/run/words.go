package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// zipf draws 0 … n-1, 0 the most often: what readers do with stories, and
// writers with words.
func zipf(r *rand.Rand, n int) func() int {
	z := rand.NewZipf(r, 1.1, 1, uint64(n-1))
	return func() int { return int(z.Uint64()) }
}

// vocabulary makes n words of no language, the same ones for a seed.
func vocabulary(r *rand.Rand, n int) []string {
	const first, last = "b c d f g h k l m n p r s t v w br cr dr fl gr pl st tr", "n r l s t m nd rk st x"
	begin, end := strings.Fields(first), strings.Fields(last)
	seen, all := map[string]bool{}, make([]string, 0, n)
	for len(all) < n {
		var b strings.Builder
		for range 1 + r.IntN(3) {
			b.WriteString(begin[r.IntN(len(begin))])
			b.WriteByte("aeiou"[r.IntN(5)])
		}
		b.WriteString(end[r.IntN(len(end))])
		if w := b.String(); !seen[w] {
			seen[w] = true
			all = append(all, w)
		}
	}
	return all
}

// writer makes up stories.
type writer struct {
	words []string
	draw  func() int
	r     *rand.Rand
}

func newWriter(seed uint64) *writer {
	r := rand.New(rand.NewPCG(seed, 1))
	w := &writer{words: vocabulary(rand.New(rand.NewPCG(7, 7)), 20_000), r: r}
	w.draw = zipf(r, len(w.words))
	return w
}

// sentence is about n words long.
func (w *writer) sentence(n int) string {
	n = max(3, n/2+w.r.IntN(n))
	parts := make([]string, n)
	for i := range parts {
		parts[i] = w.words[w.draw()]
	}
	parts[0] = strings.ToUpper(parts[0][:1]) + parts[0][1:]
	return strings.Join(parts, " ")
}

// paragraphs of a story: about 700 words. Its last is [ending], so that the whole
// text can be told from a preview.
func (w *writer) paragraphs(number int) string {
	var b strings.Builder
	for range 12 {
		for range 4 {
			b.WriteString(w.sentence(14) + ". ")
		}
		b.WriteString("\n\n")
	}
	b.WriteString(ending(number))
	return b.String()
}

// piece is the text of one story, whoever is to publish it.
type piece struct {
	kicker, headline, summary string
	text                      string // its paragraphs, with an empty line between them
}

func (w *writer) piece(number int) piece {
	return piece{kicker: w.sentence(3), headline: w.sentence(9), summary: w.sentence(25) + ".", text: w.paragraphs(number)}
}

func ending(number int) string {
	return fmt.Sprintf("Here ends story number %d of the made-up ones.", number)
}

// query is one or two words to look for: from words that stand in most stories
// to words that stand in few.
func (w *writer) query() string {
	word := func() string {
		low, high := math.Log(100), math.Log(float64(len(w.words)))
		return w.words[int(math.Exp(low+w.r.Float64()*(high-low)))-1]
	}
	if w.r.IntN(3) == 0 {
		return word() + "+" + word()
	}
	return word()
}
