package search

import (
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/analysis/lang/ar"
	"github.com/blevesearch/bleve/v2/analysis/lang/de"
	"github.com/blevesearch/bleve/v2/analysis/lang/en"
	"github.com/blevesearch/bleve/v2/analysis/lang/es"
	"github.com/blevesearch/bleve/v2/analysis/lang/fa"
	"github.com/blevesearch/bleve/v2/analysis/lang/fr"
	"github.com/blevesearch/bleve/v2/analysis/lang/ru"
	"github.com/blevesearch/bleve/v2/analysis/lang/tr"
	"github.com/blevesearch/bleve/v2/analysis/token/lowercase"
	tokenizer "github.com/blevesearch/bleve/v2/analysis/tokenizer/unicode"
	"github.com/blevesearch/bleve/v2/registry"
)

// analysers are made once; they keep no state between texts.
var analysers = sync.OnceValue(func() map[string]analysis.Analyzer {
	cache := registry.NewCache()
	all := map[string]analysis.Analyzer{}
	for lang, name := range map[string]string{
		"ar": ar.AnalyzerName, "de": de.AnalyzerName, "en": en.AnalyzerName, "es": es.AnalyzerName,
		"fa": fa.AnalyzerName, "fr": fr.AnalyzerName, "ru": ru.AnalyzerName, "tr": tr.AnalyzerName,
	} {
		a, err := cache.AnalyzerNamed(name)
		if err != nil {
			panic(err) // the analysers are linked in; the tests use each
		}
		all[lang] = a
	}
	plain := &analysis.DefaultAnalyzer{
		Tokenizer:    tokenizer.NewUnicodeTokenizer(),
		TokenFilters: []analysis.TokenFilter{lowercase.NewLowerCaseFilter()},
	}
	hebrew := *plain
	hebrew.TokenFilters = []analysis.TokenFilter{hebrewFilter{}}
	all["he"], all[""] = &hebrew, plain
	return all
})

// word is one word of a text: its stem, and where it stands, in bytes.
type word struct {
	stem       string
	start, end int
}

// wordsOf takes a text apart by the rules of its language; words that say
// nothing, such as "the", are left out. A language without rules of its own is
// only folded to lower case.
func wordsOf(lang, text string) []word {
	base, _, _ := strings.Cut(lang, "-")
	a, ok := analysers()[base]
	if !ok {
		a = analysers()[""]
	}
	var words []word
	for _, t := range a.Analyze([]byte(text)) {
		stem := strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return r
			}
			return -1
		}, string(t.Term))
		if stem != "" && len(stem) <= 120 {
			words = append(words, word{stem, t.Start, t.End})
		}
	}
	return words
}

// stems gives the stems of words with spaces between them.
func stems(words []word) string {
	var b strings.Builder
	for _, w := range words {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(w.stem)
	}
	return b.String()
}

// hebrewFilter folds Hebrew: vowel points and cantillation go, final letters
// become plain ones, and the particles that are written together with a word
// (and, the, that, in, to, as, from) are taken off words that are long enough
// to stand without. It is no stemmer, and does the same to index and query.
type hebrewFilter struct{}

func (hebrewFilter) Filter(input analysis.TokenStream) analysis.TokenStream {
	finals := strings.NewReplacer("ך", "כ", "ם", "מ", "ן", "נ", "ף", "פ", "ץ", "צ")
	for _, t := range input {
		letters := []rune(finals.Replace(strings.Map(func(r rune) rune {
			if r >= 0x0591 && r <= 0x05C7 || r == '״' || r == '׳' || r == '"' || r == '\'' {
				return -1
			}
			return unicode.ToLower(r)
		}, string(t.Term))))
		if len(letters) > 0 && letters[0] >= 'א' && letters[0] <= 'ת' {
			if len(letters) > 3 && letters[0] == 'ו' {
				letters = letters[1:]
			}
			if len(letters) > 3 && slices.Contains([]rune("השבלכמ"), letters[0]) {
				letters = letters[1:]
			}
			if len(letters) > 4 && letters[0] == 'ה' {
				letters = letters[1:]
			}
			// The plural endings.
			if n := len(letters); n > 4 && (string(letters[n-2:]) == "ימ" || string(letters[n-2:]) == "ות") {
				letters = letters[:n-2]
			}
		}
		t.Term = []byte(string(letters))
	}
	return input
}
