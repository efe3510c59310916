package proof

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"unicode/utf8"
)

// Finding is one sentence that somebody could read, or could not, against what
// the wall says.
type Finding struct {
	Persona  string `json:"persona"`
	Surface  string `json:"surface"`
	URL      string `json:"url"`
	Story    string `json:"story,omitempty"` // its address, or its edition's ID
	Sentence string `json:"sentence,omitempty"`
	Where    string `json:"where"` // the part of the answer, or what was wrong with it
}

// Row counts what one persona read of one surface.
type Row struct {
	Persona  string `json:"persona"`
	Surface  string `json:"surface"`
	Pages    int    `json:"pages"`
	Findings int    `json:"findings"`
}

// Report is what a check found. Of each list of findings the first maxListed
// are kept; the numbers count all.
type Report struct {
	Stories  int     `json:"stories"`  // that are withheld from somebody, and were read
	Editions int     `json:"editions"` // of them
	Personas int     `json:"personas"`
	Pages    int     `json:"pages"`
	Seconds  float64 `json:"seconds"`

	Leaks    int       `json:"leaks"`    // withheld text that somebody could read
	Lacks    int       `json:"lacks"`    // whole stories that somebody entitled did not get
	Failures int       `json:"failures"` // answers that could not be judged
	Rows     []Row     `json:"rows"`
	Findings []Finding `json:"findings"`
	Missing  []Finding `json:"missing"`
	Failed   []Finding `json:"failed"`
}

const maxListed = 200

// Passed reports whether nothing was found, everybody entitled got the whole
// text, and every answer could be judged.
func (r *Report) Passed() bool { return r.Leaks+r.Lacks+r.Failures == 0 }

// ledger gathers a report from many workers.
type ledger struct {
	mu   sync.Mutex
	r    Report
	rows map[[2]string]*Row
	seen map[Finding]bool
}

func newLedger() *ledger {
	return &ledger{r: Report{Findings: []Finding{}, Missing: []Finding{}, Failed: []Finding{}}, rows: map[[2]string]*Row{}, seen: map[Finding]bool{}}
}

func (l *ledger) row(persona, surface string) *Row {
	key := [2]string{persona, surface}
	if l.rows[key] == nil {
		l.rows[key] = &Row{Persona: persona, Surface: surface}
	}
	return l.rows[key]
}

func (l *ledger) page(persona, surface string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.r.Pages++
	l.row(persona, surface).Pages++
}

func (l *ledger) find(f Finding) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.r.Leaks++
	l.row(f.Persona, f.Surface).Findings++
	l.note(&l.r.Findings, f)
}

func (l *ledger) lack(f Finding) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.r.Lacks++
	l.note(&l.r.Missing, f)
}

func (l *ledger) fail(f Finding) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.r.Failures++
	l.note(&l.r.Failed, f)
}

func (l *ledger) note(list *[]Finding, f Finding) {
	if len(*list) < maxListed && !l.seen[f] {
		l.seen[f] = true
		*list = append(*list, f)
	}
}

func (l *ledger) close() *Report {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.r.Rows = []Row{}
	for _, row := range l.rows {
		l.r.Rows = append(l.r.Rows, *row)
	}
	slices.SortFunc(l.r.Rows, func(a, b Row) int {
		return cmp.Or(strings.Compare(a.Persona, b.Persona), strings.Compare(a.Surface, b.Surface))
	})
	order := func(a, b Finding) int {
		return cmp.Or(strings.Compare(a.Story, b.Story), strings.Compare(a.Surface, b.Surface), strings.Compare(a.Persona, b.Persona),
			strings.Compare(a.URL, b.URL), strings.Compare(a.Where, b.Where))
	}
	for _, list := range [][]Finding{l.r.Findings, l.r.Missing, l.r.Failed} {
		slices.SortFunc(list, order)
	}
	return &l.r
}

// WriteText writes the report for a person at a terminal.
func (r *Report) WriteText(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "visitor\tsurface\tpages\tfindings")
	for _, row := range r.Rows {
		fmt.Fprintf(tw, "%s\t%s\t%d\t%d\n", row.Persona, row.Surface, row.Pages, row.Findings)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for _, list := range []struct {
		title string
		n     int
		all   []Finding
	}{
		{"could be read by those who may not", r.Leaks, r.Findings},
		{"was not sent to those who may read it", r.Lacks, r.Missing},
		{"could not be judged", r.Failures, r.Failed},
	} {
		if list.n == 0 {
			continue
		}
		fmt.Fprintf(w, "\n%s: %d\n", list.title, list.n)
		for _, f := range list.all {
			fmt.Fprintf(w, "  %s, %s: %s\n", f.Persona, f.Surface, f.URL)
			if f.Sentence != "" {
				fmt.Fprintf(w, "    %s: “%s”\n", f.Story, short(f.Sentence))
			}
			fmt.Fprintf(w, "    %s\n", f.Where)
		}
		if more := list.n - len(list.all); more > 0 {
			fmt.Fprintf(w, "  and %d more\n", more)
		}
	}
	verdict := "passed"
	if !r.Passed() {
		verdict = "failed"
	}
	_, err := fmt.Fprintf(w, "\n%s: %d stories in %d editions are withheld; %d pages read as %d visitors in %.1f s; %d findings\n",
		verdict, r.Stories, r.Editions, r.Pages, r.Personas, r.Seconds, r.Leaks+r.Lacks+r.Failures)
	return err
}

// short cuts a sentence to what fits on a line or two.
func short(s string) string {
	if utf8.RuneCountInString(s) <= 160 {
		return s
	}
	return string([]rune(s)[:159]) + "…"
}
