package reader

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
)

// columnsCSV are the columns of the readers' CSV, in the order in which they
// are written. They are read in any order, and only email must be there.
var columnsCSV = []string{"email", "name", "language", "tiers", "newsletters", "labels", "note", "registered", "confirmed"}

// WriteCSV writes every reader as one line (RFC 4180, UTF-8, with a header),
// the newest first. Lists are parted by commas; a tier that ends is
// "gold until 2027-01-31". A field that a spreadsheet would take for a formula
// gets an apostrophe before it, which ReadCSV takes off again.
func (s *Store) WriteCSV(ctx context.Context, q db.Queryer, w io.Writer) (err error) {
	defer wrap(&err, "WriteCSV")
	out := csv.NewWriter(w)
	if err := out.Write(columnsCSV); err != nil {
		return err
	}
	var after Cursor
	for {
		list, err := s.List(ctx, q, after, 500)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			out.Flush()
			return out.Error()
		}
		ids := make([]string, len(list))
		for i, r := range list {
			ids[i] = r.ID
		}
		tiers, err := s.HoldingsOf(ctx, q, ids...)
		if err != nil {
			return err
		}
		newsletters, err := s.NewslettersOf(ctx, q, ids...)
		if err != nil {
			return err
		}
		for _, r := range list {
			var held, chosen []string
			for _, h := range tiers[r.ID] {
				if !h.Until.IsZero() {
					h.Tier += " until " + day(h.Until)
				}
				held = append(held, h.Tier)
			}
			for _, n := range newsletters[r.ID] {
				chosen = append(chosen, n.Newsletter)
			}
			record := []string{r.Email, r.Name, r.Lang, strings.Join(held, ", "), strings.Join(chosen, ", "),
				strings.Join(r.Labels, ", "), r.Note, day(r.CreatedAt), day(r.ConfirmedAt)}
			for i, field := range record {
				record[i] = harmless(field)
			}
			if err := out.Write(record); err != nil {
				return err
			}
		}
		last := list[len(list)-1]
		after = Cursor{CreatedAt: last.CreatedAt, ID: last.ID}
	}
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

// formula starts what a spreadsheet would run.
const formula = "=+-@\t\r"

func harmless(field string) string {
	if field != "" && strings.ContainsRune(formula+"'", rune(field[0])) {
		return "'" + field
	}
	return field
}

func asWritten(field string) string {
	if len(field) > 1 && field[0] == '\'' && strings.ContainsRune(formula+"'", rune(field[1])) {
		return field[1:]
	}
	return field
}

// Line is one line of a CSV that was not taken, or not wholly, and why.
type Line struct {
	Number int // from 1, the header's
	Email  string
	Why    string
}

// Brought is what came of a CSV.
type Brought struct {
	New, Known int    // readers
	Skipped    []Line // lines that were not taken
	Changed    []Line // lines that were taken but for something
}

// The most that a CSV may have: lines, and bytes in one of them.
const (
	maxLines = 500_000
	maxLine  = 64 << 10
)

// ReadCSV brings in readers from a CSV with a header, parted by commas or
// semicolons. It may be done again: who is known stays as he is but for empty
// names and languages, tiers, labels and note; nobody is put on a newsletter
// again that he has left. tiers and newsletters are the slugs that exist. Lines
// are written in batches, each in a transaction of its own; a file that
// is no CSV is Invalid, and what came before the fault stays.
func (s *Store) ReadCSV(ctx context.Context, d *db.DB, file io.Reader, tiers, newsletters []string) (b Brought, err error) {
	defer wrap(&err, "ReadCSV")
	in := bufio.NewReaderSize(file, 8<<10)
	if mark, _ := in.Peek(3); string(mark) == "\uFEFF" {
		in.Discard(3)
	}
	limit := &lineLimit{r: in, left: maxLine}
	lines := csv.NewReader(limit)
	lines.FieldsPerRecord = -1
	if head, _ := in.Peek(4 << 10); len(head) > 0 {
		first, _, _ := strings.Cut(string(head), "\n")
		if strings.Count(first, ";") > strings.Count(first, ",") {
			lines.Comma = ';'
		}
	}
	header, err := lines.Read()
	if err != nil {
		return b, badCSV(err)
	}
	for i := range header {
		header[i] = strings.ToLower(strings.TrimSpace(header[i]))
	}
	if !slices.Contains(header, "email") {
		return b, fault.New(fault.Invalid, "the file has no column email").WithHint("its first line must name the columns: %s", strings.Join(columnsCSV, ", "))
	}
	known := brought{tiers: tiers, newsletters: newsletters}
	var batch []brought
	for number := 0; ; number++ {
		limit.left = maxLine
		record, err := lines.Read()
		end := errors.Is(err, io.EOF)
		if err != nil && !end {
			return b, badCSV(err)
		}
		if number == maxLines {
			return b, fault.New(fault.TooLarge, "the file has too many lines").WithHint("bring at most %d at once", maxLines)
		}
		if !end {
			line, _ := lines.FieldPos(0)
			batch = append(batch, known.read(line, header, record, &b))
		}
		if len(batch) == 200 || end {
			if err := s.bring(ctx, d, batch, &b); err != nil {
				return b, err
			}
			batch = batch[:0]
		}
		if end {
			return b, nil
		}
	}
}

// brought is one line, as it is to be written.
type brought struct {
	line               int
	reader             Reader
	held               []Holding
	tiers, newsletters []string
}

// read takes a record apart. What is not understood is left out, and said.
func (known brought) read(line int, header, record []string, b *Brought) brought {
	n := brought{line: line}
	var left []string
	for i, field := range record {
		if i >= len(header) {
			break
		}
		field = strings.TrimSpace(asWritten(strings.ToValidUTF8(strings.ReplaceAll(field, "\x00", ""), "\uFFFD")))
		if field == "" {
			continue
		}
		switch header[i] {
		case "email":
			n.reader.Email = field
		case "name":
			name, err := CheckName(field)
			if err != nil {
				left = append(left, "the name: "+fault.Message(err))
			}
			n.reader.Name = name
		case "language":
			lang, err := checkLang(field)
			if err != nil {
				left = append(left, fmt.Sprintf("there is no language %q", field))
			}
			n.reader.Lang = lang
		case "note":
			n.reader.Note = field
		case "labels":
			n.reader.Labels = parts(field)
		case "newsletters":
			for _, slug := range parts(field) {
				if slices.Contains(known.newsletters, slug) {
					n.newsletters = append(n.newsletters, slug)
				} else {
					left = append(left, fmt.Sprintf("there is no newsletter %q", slug))
				}
			}
		case "tiers":
			for _, part := range parts(field) {
				slug, until, _ := strings.Cut(part, " until ")
				h := Holding{Tier: slug}
				if !slices.Contains(known.tiers, slug) {
					left = append(left, fmt.Sprintf("there is no tier %q", slug))
					continue
				}
				if until != "" {
					at, err := time.Parse(time.DateOnly, until)
					if err != nil {
						left = append(left, fmt.Sprintf("the tier %s: %q is no date like 2027-01-31", slug, until))
						continue
					}
					h.Until = at
				}
				n.held = append(n.held, h)
			}
		case "registered", "confirmed":
			at, err := time.Parse(time.DateOnly, field)
			switch {
			case err != nil:
				left = append(left, fmt.Sprintf("%q is no date like 2026-01-31", field))
			case header[i] == "registered":
				n.reader.CreatedAt = at
			default:
				n.reader.ConfirmedAt = at
			}
		}
	}
	if len(left) > 0 {
		b.Changed = append(b.Changed, Line{line, n.reader.Email, strings.Join(left, "; ")})
	}
	return n
}

// bring writes a batch. A line that cannot be taken is told, and the rest comes in.
func (s *Store) bring(ctx context.Context, d *db.DB, batch []brought, b *Brought) error {
	return d.InTx(ctx, func(tx *db.Tx) error {
		for _, n := range batch {
			if _, _, err := parseEmail(n.reader.Email); err != nil {
				b.Skipped = append(b.Skipped, Line{n.line, n.reader.Email, fault.Message(err)})
				continue
			}
			// Upsert asks before it writes, so that a refusal leaves the transaction whole.
			_, created, err := s.Upsert(ctx, tx, n.reader, n.held, n.newsletters)
			switch {
			case fault.KindOf(err) != fault.Internal && err != nil:
				b.Skipped = append(b.Skipped, Line{n.line, n.reader.Email, fault.Message(err)})
			case err != nil:
				return err
			case created:
				b.New++
			default:
				b.Known++
			}
		}
		return nil
	})
}

func badCSV(err error) error {
	if e, ok := errors.AsType[*csv.ParseError](err); ok {
		return fault.New(fault.Invalid, fmt.Sprintf("line %d is not good CSV", e.Line), "fault", e.Err).WithHint("save the file as CSV in UTF-8 once more")
	}
	if errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "the file is empty")
	}
	return err
}

// parts splits a list at its commas.
func parts(field string) []string {
	var all []string
	for part := range strings.SplitSeq(field, ",") {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}

// lineLimit fails when one line takes too many bytes: a quotation mark that is
// never closed would take the rest of the file.
type lineLimit struct {
	r    io.Reader
	left int
}

func (l *lineLimit) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, fault.New(fault.Invalid, "one line of the file is too long").WithHint("a quotation mark may not be closed")
	}
	n, err := l.r.Read(p[:min(len(p), 4096)])
	l.left -= n
	return n, err
}
