package proof

import (
	"slices"

	"masthead/internal/doc"
)

// secret is what is withheld of one edition, as runs of words.
type secret struct {
	runs  []run
	texts []string // its sentences, in reading order
	last  string   // the last sentence long enough to be told by; "" for none
}

// run is the key of some words in a row, and the sentence that they begin in.
type run struct {
	key      uint64
	sentence int32
}

// keep gives the secret of a body: withheld is the part that is kept back and
// preview what goes out before it. public are runs that stand elsewhere for
// everybody. A run is kept if at least half of its words are in none of those,
// so that the end of what is public, with a word that happens to follow, is not
// taken for a leak.
func keep(preview, withheld *doc.Node, public ...map[uint64]bool) secret {
	s := secret{texts: withheld.Sentences()}
	var words []uint64
	var of []int32 // the sentence of each word
	if before := preview.Sentences(); len(before) > 0 {
		words = wordsOf(before[len(before)-1])
		words = slices.Clone(words[max(0, len(words)-runWords/2):])
		of = make([]int32, len(words))
	}
	type span struct{ start, end int }
	var short []span
	known := make([]bool, len(words), len(words)+1000)
	for i := range known {
		known[i] = true
	}
	for i, text := range s.texts {
		start, letters := len(words), 0
		split(text, func(hash uint64, n int) {
			words, of, known, letters = append(words, hash), append(of, int32(i)), append(known, false), letters+n
		})
		if n := len(words) - start; n < runWords && n >= shortWords && letters >= shortLetters {
			short = append(short, span{start, len(words)})
		}
	}
	for i := range words {
		key := uint64(0)
		for n := 1; n <= runWords && i+n <= len(words); n++ {
			key = join(key, words[i+n-1])
			if n >= shortWords && slices.ContainsFunc(public, func(set map[uint64]bool) bool { return set[key] }) {
				for j := i; j < i+n; j++ {
					known[j] = true
				}
			}
		}
	}
	add := func(at span) {
		fresh := 0
		for _, k := range known[at.start:at.end] {
			if !k {
				fresh++
			}
		}
		if 2*fresh >= at.end-at.start {
			s.runs = append(s.runs, run{keyOf(words[at.start:at.end]), of[at.start]})
		}
	}
	for _, at := range short {
		add(at)
	}
	for i := 0; i+runWords <= len(words); i++ {
		add(span{i, i + runWords})
	}
	prose := &doc.Node{Type: "doc"}
	for _, n := range withheld.Content {
		if slices.Contains([]string{"paragraph", "bullet_list", "ordered_list", "quotation"}, n.Type) {
			prose.Content = append(prose.Content, n)
		}
	}
	for _, text := range prose.Sentences() {
		if len(wordsOf(text)) >= runWords {
			s.last = text
		}
	}
	return s
}

// sentence gives the sentence that a run begins in.
func (s *secret) sentence(key uint64) (string, bool) {
	for _, r := range s.runs {
		if r.key == key {
			return s.texts[r.sentence], true
		}
	}
	return "", false
}

// index finds the secrets of many editions in one reading of a text.
type index struct {
	entries []entry // by key
	filter  []uint64
	mask    uint64
}

type entry struct {
	key   uint64
	owner int32 // place of the edition among the facts
}

// add takes a secret in. With a stride above one only so many of its runs are
// kept, which still finds any runWords+stride-1 words in a row.
func (x *index) add(owner int32, s secret, stride int) {
	for i, r := range s.runs {
		if i%stride == 0 {
			x.entries = append(x.entries, entry{r.key, owner})
		}
	}
}

// seal readies the index for find.
func (x *index) seal() {
	slices.SortFunc(x.entries, func(a, b entry) int {
		switch {
		case a.key < b.key || a.key == b.key && a.owner < b.owner:
			return -1
		case a == b:
			return 0
		}
		return 1
	})
	x.entries = slices.Compact(x.entries)
	bits := uint64(1 << 12)
	for bits < 16*uint64(len(x.entries)) {
		bits *= 2
	}
	x.filter, x.mask = make([]uint64, bits/64), bits-1
	for _, e := range x.entries {
		x.filter[e.key&x.mask/64] |= 1 << (e.key & 63)
	}
}

// hits are the runs found, by edition.
type hits map[int32][]uint64

// find looks for every run of the index in a text.
func (x *index) find(text string, found hits) {
	all := wordsOf(text)
	for i := range all {
		key := uint64(0)
		for n := 1; n <= runWords && i+n <= len(all); n++ {
			key = join(key, all[i+n-1])
			if n < shortWords || x.filter[key&x.mask/64]&(1<<(key&63)) == 0 {
				continue
			}
			at, ok := slices.BinarySearchFunc(x.entries, key, func(e entry, key uint64) int {
				switch {
				case e.key < key:
					return -1
				case e.key > key:
					return 1
				}
				return 0
			})
			for ; ok && at < len(x.entries) && x.entries[at].key == key; at++ {
				owner := x.entries[at].owner
				if !slices.Contains(found[owner], key) || len(found[owner]) > 64 {
					found[owner] = append(found[owner], key)
				}
			}
		}
	}
}
