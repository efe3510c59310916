package archive

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"masthead/internal/doc"
	"masthead/internal/story"
)

// line is one line of an archive: the values of the table's columns, and the
// rows inside it.
type line struct {
	place  string // "stories.jsonl:12"
	values []any
	inside [][][]any // by table.inside, by row, by column
}

// get gives a column's text, "" where it is NULL.
func (r line) get(t table, name string) string {
	s, _ := r.values[t.index(name)].(string)
	return s
}

func (r line) number(t table, name string) int64 {
	n, _ := r.values[t.index(name)].(int64)
	return n
}

// parse reads a line. What is not of the format is fault.Invalid with its place.
func (t table) parse(place string, content []byte) (line, error) {
	r := line{place: place}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(content, &fields); err != nil || fields == nil {
		return r, refuse(place, "the line is not one JSON object")
	}
	take := func(name string) json.RawMessage {
		raw := fields[name]
		delete(fields, name)
		return raw
	}
	for i, c := range t.columns {
		v, err := c.parse(take(c.field))
		if err != nil {
			return r, refuse(place, c.field+": "+err.Error())
		}
		if i < t.keys && v == "" {
			return r, refuse(place, c.field+": it is missing")
		}
		r.values = append(r.values, v)
	}
	for _, in := range t.inside {
		rows, err := in.parse(take(in.field))
		if err != nil {
			return r, refuse(place, in.field+": "+err.Error())
		}
		r.inside = append(r.inside, rows)
	}
	for name := range fields {
		return r, refuse(place, "there is no such field in this version", "field", clip(name, 100))
	}
	return r, nil
}

func (in inside) parse(raw json.RawMessage) (rows [][]any, err error) {
	if raw == nil {
		return nil, nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("it is not a list")
	}
	for _, raw := range list {
		var values []any
		fields := map[string]json.RawMessage{}
		if len(in.columns) == 1 {
			fields[in.columns[0].field] = raw
		} else if err := json.Unmarshal(raw, &fields); err != nil {
			return nil, fmt.Errorf("it has what is no object")
		}
		for _, c := range in.columns {
			v, err := c.parse(fields[c.field])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.field, err)
			}
			if s, ok := v.(string); ok && strings.ContainsAny(s, unitSeparator+recordSeparator) {
				return nil, fmt.Errorf("%s: it has a control character", c.field)
			}
			delete(fields, c.field)
			values = append(values, v)
		}
		for name := range fields {
			return nil, fmt.Errorf("there is no field %q in this version", clip(name, 100))
		}
		rows = append(rows, values)
	}
	return rows, nil
}

// parse gives the value for the database; a nil raw is a field that was left out.
func (c column) parse(raw json.RawMessage) (any, error) {
	switch c.form {
	case asText, asOptional:
		var s string
		if raw != nil && (raw[0] != '"' || json.Unmarshal(raw, &s) != nil) {
			return nil, fmt.Errorf("it is not a string")
		}
		if strings.ContainsRune(s, 0) { // PostgreSQL cannot keep it
			return nil, fmt.Errorf("it has a NUL")
		}
		if s == "" && c.form == asOptional {
			return nil, nil
		}
		return s, nil
	case asInteger, asLong:
		var n int64
		if raw != nil && json.Unmarshal(raw, &n) != nil || c.form == asInteger && n != int64(int32(n)) {
			return nil, fmt.Errorf("it is not a whole number in its range")
		}
		return n, nil
	case asFlag:
		var yes bool
		if raw != nil && json.Unmarshal(raw, &yes) != nil {
			return nil, fmt.Errorf("it is neither true nor false")
		}
		return yes, nil
	case asTime:
		return microsOf(raw)
	case asObject:
		if raw == nil {
			return "{}", nil
		}
		var err error
		if c.name == "aliases" {
			err = json.Unmarshal(raw, &map[string][]string{})
		} else {
			err = json.Unmarshal(raw, &map[string]string{})
		}
		if err != nil || raw[0] != '{' {
			return nil, fmt.Errorf("it is not an object of texts by language")
		}
		return compact(raw)
	case asList:
		if raw == nil {
			return "[]", nil
		}
		var err error
		if c.name == "items" {
			err = json.Unmarshal(raw, &[]story.MenuItem{})
		} else {
			err = json.Unmarshal(raw, &[]string{})
		}
		if err != nil || raw[0] != '[' {
			return nil, fmt.Errorf("it is not a list of %s", c.field)
		}
		return compact(raw)
	case asWorking:
		if _, err := doc.ParseWorking(raw); err != nil {
			return nil, err
		}
		return compact(raw)
	default: // a body is read with its edition, which is skipped where it is none
		return compact(raw)
	}
}

func compact(raw json.RawMessage) (any, error) {
	var b bytes.Buffer
	err := json.Compact(&b, raw)
	return b.String(), err
}

func microsOf(raw json.RawMessage) (any, error) {
	if raw == nil {
		return int64(0), nil
	}
	if raw[0] != '"' {
		var micros int64
		if err := json.Unmarshal(raw, &micros); err != nil {
			return nil, fmt.Errorf("it is not a time")
		}
		return micros, nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("it is not a time")
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return nil, fmt.Errorf("it is not a time of RFC 3339, such as 2026-11-23T12:00:00.000000Z")
	}
	return t.UnixMicro(), nil
}

// after reports whether the key of r comes behind that of the line before.
func (r line) after(t table, before []any) bool {
	if before == nil {
		return true
	}
	for i := range t.keys {
		switch v := r.values[i].(type) {
		case string:
			if c := strings.Compare(v, before[i].(string)); c != 0 {
				return c > 0
			}
		case int64:
			if b := before[i].(int64); v != b {
				return v > b
			}
		}
	}
	return false
}

// month gives 202611 for a time, by the newsroom's clock; 0 for none.
func month(micros int64, clock *time.Location) int64 {
	if micros == 0 {
		return 0
	}
	at := time.UnixMicro(micros).In(clock)
	return min(int64(at.Year())*100+int64(at.Month()), math.MaxInt32)
}
