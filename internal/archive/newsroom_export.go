package archive

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"masthead/internal/blob"
	"masthead/internal/db"
	"masthead/internal/fault"
)

// Exported tells what an export holds.
type Exported struct {
	Counts   map[string]int `json:"counts"` // by file, and blobs
	Bytes    int64          `json:"bytes"`  // of all files, before a zip makes them smaller
	Problems Problems       `json:"problems"`
}

// Export writes the whole newsroom into a new folder, or into a new zip where
// target ends in ".zip", as of one moment: others may write meanwhile. The
// same newsroom gives the same bytes on every database. progress, which may be
// nil, is told how many bytes have been written; the total is not known before
// and given as 0.
//
// What is damaged goes out as it stands, and is named in Exported.Problems. A
// target that is there already is fault.Conflict.
func Export(ctx context.Context, d *db.DB, blobs blob.Store, target string, progress func(done, total int64)) (Exported, error) {
	out, err := newSink(target)
	if err != nil {
		return Exported{}, fmt.Errorf("archive.Export(%s): %w", target, err)
	}
	defer out.abort()
	e := &exporting{ctx: ctx, d: d, blobs: blobs, out: out, progress: progress,
		manifest: Manifest{Format: newsroomFormat, Version: newsroomVersion, Counts: map[string]int{}}, done: Exported{Problems: Problems{}}}
	e.json = json.NewEncoder(&e.line)
	e.json.SetEscapeHTML(false)
	if err := e.all(); err != nil {
		return Exported{}, fmt.Errorf("archive.Export(%s): %w", target, err)
	}
	return e.done, nil
}

// exporting is one export under way.
type exporting struct {
	ctx      context.Context
	d        *db.DB
	blobs    blob.Store
	out      sink
	progress func(done, total int64)
	manifest Manifest
	done     Exported

	line bytes.Buffer // the line being written
	json *json.Encoder
}

func (e *exporting) all() error {
	// One transaction that reads sees one moment: on SQLite always, on PostgreSQL from this level up.
	tx, err := e.d.Read().BeginTx(e.ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, t := range tables {
		n := 0
		err := e.file(t.fileName(), true, func(w io.Writer) (err error) {
			n, err = e.rows(tx, t, w)
			return err
		})
		if err != nil {
			return fmt.Errorf("%s: %w", t.fileName(), err)
		}
		e.manifest.Counts[t.file] = n
	}
	rows, err := tx.QueryContext(e.ctx, `SELECT blob FROM media GROUP BY blob ORDER BY blob `+collate(e.d.Dialect))
	names, err := db.Rows(rows, err, func(r db.Scanner) (name string, err error) { return name, r.Scan(&name) })
	if err != nil {
		return err
	}
	if err := tx.Rollback(); err != nil { // what is still to be read never changes
		return err
	}
	for _, name := range names {
		if err := e.blob(name); err != nil {
			return err
		}
	}
	e.done.Counts = e.manifest.Counts
	content, err := json.MarshalIndent(e.manifest, "", " ")
	if err != nil {
		return err
	}
	return e.out.finish(append(content, '\n'))
}

// collate orders texts by their bytes, as Go does; PostgreSQL otherwise orders
// by the language of its database. The name differs.
func collate(dialect db.Dialect) string {
	if dialect == db.PostgreSQL {
		return `COLLATE ucs_basic`
	}
	return `COLLATE BINARY`
}

// file writes one file and takes its sum into the manifest.
func (e *exporting) file(name string, compress bool, fn func(w io.Writer) error) error {
	w, err := e.out.create(name, compress)
	if err != nil {
		return err
	}
	sum := newSummer(w)
	if err := fn(sum); err != nil {
		return err
	}
	if err := e.out.closeFile(); err != nil {
		return err
	}
	e.manifest.Files = append(e.manifest.Files, FileSum{Name: name, Bytes: sum.n, SHA256: sum.hex()})
	e.done.Bytes += sum.n
	if e.progress != nil {
		e.progress(e.done.Bytes, 0)
	}
	return nil
}

func (e *exporting) blob(name string) error {
	r, _, err := e.blobs.Open(e.ctx, name)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) {
		e.done.Problems = append(e.done.Problems, Problem{Where: "blob " + name, What: "the bytes are not there", Do: missingBlob})
		return nil
	}
	if err != nil {
		return err
	}
	defer r.Close()
	e.manifest.Counts["blobs"]++
	return e.file(blobFolder+name, false, func(w io.Writer) error {
		_, err := io.Copy(w, r)
		return err
	})
}

// The separators of ASCII that stand between the values and the rows of what is
// read in one text; no ID, slug or role has them.
const unitSeparator, recordSeparator = "\x1f", "\x1e"

// query gives the statement that reads the table's rows in order, each with
// what stands inside it. Rows inside come as one text, since PostgreSQL cannot
// answer a second question on a connection before the first is read.
func (t table) query(dialect db.Dialect) (statement string, args []any) {
	var b strings.Builder
	b.WriteString("SELECT ")
	for i, c := range t.columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("p." + c.name)
	}
	for _, in := range t.inside {
		b.WriteString(", (SELECT string_agg(")
		for i, c := range in.columns {
			if i > 0 {
				b.WriteString(" || CAST($1 AS TEXT) || ")
			}
			fmt.Fprintf(&b, "CAST(c.%s AS TEXT)", c.name)
		}
		fmt.Fprintf(&b, ", CAST($2 AS TEXT) ORDER BY %s) FROM %s c WHERE c.%s = p.%s)", ordered("c", in.order, dialect), in.name, in.parent, t.columns[0].name)
		args = []any{unitSeparator, recordSeparator}
	}
	fmt.Fprintf(&b, " FROM %s p ORDER BY %s", t.name, ordered("p", t.columns[:t.keys], dialect))
	return b.String(), args
}

func ordered(alias string, columns []column, dialect db.Dialect) string {
	var parts []string
	for _, c := range columns {
		part := alias + "." + c.name
		if c.form == asText {
			part += " " + collate(dialect)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

func (e *exporting) rows(tx *sql.Tx, t table, w io.Writer) (n int, err error) {
	statement, args := t.query(e.d.Dialect)
	rows, err := tx.QueryContext(e.ctx, statement, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	texts := make([]sql.NullString, len(t.columns)+len(t.inside))
	numbers := make([]sql.NullInt64, len(t.columns))
	flags := make([]bool, len(t.columns))
	dest := make([]any, len(texts))
	for i := range dest {
		dest[i] = &texts[i]
	}
	for i, c := range t.columns {
		switch c.form {
		case asInteger, asLong, asTime:
			dest[i] = &numbers[i]
		case asFlag:
			dest[i] = &flags[i]
		}
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return n, err
		}
		e.line.Reset()
		e.line.WriteByte('{')
		for i, c := range t.columns {
			e.value(c, texts[i].String, numbers[i].Int64, flags[i], func() string { return rowName(t, texts, numbers) })
		}
		for i, in := range t.inside {
			if s := texts[len(t.columns)+i].String; s != "" {
				if err := e.list(in, s); err != nil {
					return n, fmt.Errorf("%s: %w", rowName(t, texts, numbers), err)
				}
			}
		}
		e.line.WriteString("}\n")
		if e.line.Len() > maxLine {
			return n, fault.New(fault.TooLarge, "a row is too large for an archive", "row", rowName(t, texts, numbers), "limit", maxLine)
		}
		if _, err := w.Write(e.line.Bytes()); err != nil {
			return n, err
		}
		n++
	}
	return n, rows.Err()
}

func rowName(t table, texts []sql.NullString, numbers []sql.NullInt64) string {
	var key []any
	for i, c := range t.columns[:t.keys] {
		if c.form == asText {
			key = append(key, texts[i].String)
		} else {
			key = append(key, numbers[i].Int64)
		}
	}
	return t.where(key)
}

// value writes one field, unless it is empty.
func (e *exporting) value(c column, s string, n int64, flag bool, row func() string) {
	switch c.form {
	case asText, asOptional:
		if s != "" {
			e.field(c.field)
			e.quote(s)
		}
	case asInteger, asLong:
		if n != 0 {
			e.field(c.field)
			e.line.WriteString(strconv.FormatInt(n, 10))
		}
	case asTime:
		if n != 0 {
			e.field(c.field)
			e.time(n)
		}
	case asFlag:
		if flag {
			e.field(c.field)
			e.line.WriteString("true")
		}
	case asObject, asList, asDocument, asWorking:
		var compact bytes.Buffer
		if s != "" && json.Compact(&compact, []byte(s)) != nil {
			// It goes out as the text it is, so that nothing is lost of it.
			e.done.Problems = append(e.done.Problems, Problem{Where: row(), What: c.field + " is not JSON", Do: brokenJSON})
			e.field(c.field)
			e.quote(s)
			return
		}
		switch compact.String() {
		case "", "{}", "[]", "null":
			if c.form != asDocument && c.form != asWorking {
				return
			}
		}
		e.field(c.field)
		if compact.Len() == 0 {
			compact.WriteString(`""`)
		}
		e.line.Write(compact.Bytes())
	}
}

// list writes the rows inside a line, which came as one text.
func (e *exporting) list(in inside, s string) error {
	e.field(in.field)
	e.line.WriteByte('[')
	for record := range strings.SplitSeq(s, recordSeparator) {
		values := strings.Split(record, unitSeparator)
		if len(values) != len(in.columns) {
			return errors.New("a value of " + in.field + " has a control character in it")
		}
		if last := e.line.Bytes()[e.line.Len()-1]; last != '[' {
			e.line.WriteByte(',')
		}
		if len(in.columns) == 1 {
			e.quote(values[0])
			continue
		}
		e.line.WriteByte('{')
		for i, c := range in.columns {
			n := int64(0)
			if c.form == asTime {
				var err error
				if n, err = strconv.ParseInt(values[i], 10, 64); err != nil {
					return err
				}
			}
			e.value(c, values[i], n, false, nil)
		}
		e.line.WriteByte('}')
	}
	e.line.WriteByte(']')
	return nil
}

func (e *exporting) field(name string) {
	if last := e.line.Bytes()[e.line.Len()-1]; last != '{' {
		e.line.WriteByte(',')
	}
	e.line.WriteByte('"')
	e.line.WriteString(name)
	e.line.WriteString(`":`)
}

// quote writes a string. What is no UTF-8 comes out as U+FFFD, and so does NUL,
// which PostgreSQL cannot keep.
func (e *exporting) quote(s string) {
	e.json.Encode(strings.ReplaceAll(s, "\x00", "\ufffd")) // a string always has JSON
	e.line.Truncate(e.line.Len() - 1)
}

// timeForm is RFC 3339 with every microsecond, so that all times are of one length.
const timeForm = "2006-01-02T15:04:05.000000Z"

// time writes a time; one that RFC 3339 has no words for, as the number of
// microseconds since 1970.
func (e *exporting) time(micros int64) {
	t := time.UnixMicro(micros).UTC()
	if t.Year() < 0 || t.Year() > 9999 {
		e.line.WriteString(strconv.FormatInt(micros, 10))
		return
	}
	e.line.WriteString(t.Format(`"` + timeForm + `"`))
}
