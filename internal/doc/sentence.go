package doc

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Sentences returns the sentences of the document's text in reading order,
// each on one line: blocks, captions, cells, credits and, after the block that
// refers to them, footnotes. A block that is no full sentence, such as a
// heading, is one sentence.
func (n *Node) Sentences() []string {
	var out []string
	var leaf func(content []*Node)
	leaf = func(content []*Node) {
		s := leafText(content)
		start := 0
		for _, end := range append(sentenceEnds(s), len(s)) {
			if t := cleanLine(s[start:end]); t != "" {
				out = append(out, t)
			}
			start = end
		}
		for _, c := range content {
			if c.Type == "footnote" {
				leaf(c.Content)
			}
		}
	}
	n.Walk(func(c *Node) bool {
		switch {
		case c.Type == "code_block":
			for _, t := range c.Content {
				for l := range strings.SplitSeq(t.Text, "\n") {
					if l = cleanLine(l); l != "" {
						out = append(out, l)
					}
				}
			}
			return false
		case isText(c.Type):
			leaf(c.Content)
			if s := c.Attr("credit"); s != "" {
				out = append(out, s)
			}
			return false
		case c.Type == "table" || c.Type == "gallery":
			if s := c.Attr("caption"); s != "" {
				out = append(out, s)
			}
		}
		return true
	})
	return out
}

// leafText is the text of inline nodes without footnotes, a break being one
// line end and an insertion without its brackets, so that an offset in it
// points into the nodes.
func leafText(content []*Node) string {
	var b strings.Builder
	for _, c := range content {
		switch c.Type {
		case "text":
			b.WriteString(c.Text)
		case "hard_break":
			b.WriteByte('\n')
		}
	}
	return b.String()
}

const (
	stops   = ".!?…؟۔।॥。！？‽⸮՞።"
	closers = `"'”’»«“‘)]}›‹」』）】*`
)

// Words after which a point ends no sentence: titles and the like, which a
// name or a number follows. Without the point, in lower case.
var titles = strings.Fields(`mr mrs ms dr prof st sr jr gen sen rep gov lt col sgt capt cmdr adm maj pres hon rev vs
	no nos vol fig pp art sec ch ed eds e.g i.e cf al ca approx jan feb mar apr jun jul aug sep sept oct nov dec
	mme mlle mm me pr dr. av bd hr fr nr bzw z.b d.h u.a usw ggf vgl abs str inkl
	sra srta ud uds dra lic ing núm pág sig
	г ул д стр им проф акад гл см рис тов гр т.е т.к т.н ср обл р пр
	doç av sn yrd vb örn bkz`)

// sentenceEnds returns the byte offsets just behind each sentence and the
// space after it, the end of the text excepted.
func sentenceEnds(s string) []int {
	var ends []int
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if !strings.ContainsRune(stops, r) {
			i += size
			continue
		}
		at := i
		wide := false // ideographic stops need no space behind them
		j := i
		for j < len(s) {
			c, k := utf8.DecodeRuneInString(s[j:])
			if !strings.ContainsRune(stops, c) && !strings.ContainsRune(closers, c) && !unicode.Is(unicode.Cf, c) {
				break
			}
			wide = wide || strings.ContainsRune("。！？", c)
			j += k
		}
		// French sets a space before the closing mark: « Oui ! » dit-il.
		if rest := strings.TrimLeftFunc(s[j:], unicode.IsSpace); len(rest) < len(s[j:]) {
			if after, ok := strings.CutPrefix(rest, "»"); ok && (after == "" || strings.ContainsAny(after[:1], " ,.;:")) {
				j = len(s) - len(after)
			}
		}
		space := j
		for space < len(s) {
			c, k := utf8.DecodeRuneInString(s[space:])
			if !unicode.IsSpace(c) {
				break
			}
			space += k
		}
		i = j
		if space >= len(s) {
			break
		}
		if space == j && !wide || !startsSentence(s[space:]) && !wide {
			continue
		}
		if r == '.' && s[at:min(at+2, len(s))] != ".." && abbreviated(s[:at], s[space:]) {
			continue
		}
		ends = append(ends, space)
		i = space
	}
	return ends
}

// startsSentence tells whether the text can begin a sentence: a small letter,
// as in “Why?” he asked, cannot.
func startsSentence(s string) bool {
	for _, r := range s {
		if unicode.IsLetter(r) {
			return !unicode.IsLower(r)
		}
		if unicode.IsDigit(r) || unicode.IsSpace(r) {
			return true
		}
	}
	return true
}

// abbreviated tells whether the point behind before belongs to its last word.
func abbreviated(before, after string) bool {
	word := before[strings.LastIndexFunc(before, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune(`("'«“‘[„—–`, r)
	})+1:]
	for word != "" {
		r, k := utf8.DecodeRuneInString(word)
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			break
		}
		word = word[k:]
	}
	if word == "" {
		return false
	}
	if slices.Contains(titles, strings.ToLower(word)) {
		return true
	}
	// An initial: J. Smith, А. Пушкин; "I." is far oftener the end.
	if r, k := utf8.DecodeRuneInString(word); k == len(word) && unicode.IsUpper(r) && r != 'I' {
		return true
	}
	// J.R. Tolkien: initials with points; U.S. too, which may end a sentence
	// but seldom does.
	letters := strings.ReplaceAll(word, ".", "")
	if strings.Contains(word, ".") && utf8.RuneCountInString(letters) <= 3 && strings.Count(word, ".")+1 == utf8.RuneCountInString(letters) {
		return unicode.IsUpper([]rune(letters)[0])
	}
	// A German date: am 3. Oktober.
	if len(word) <= 2 && strings.Trim(word, "0123456789") == "" {
		next, _, _ := strings.Cut(after, " ")
		months := "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"
		return slices.Contains(strings.Fields(months), strings.TrimRight(next, ".,;:!?"))
	}
	return false
}
