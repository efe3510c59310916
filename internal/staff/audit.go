package staff

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"masthead/internal/db"
)

// Entry is one line of the audit log: who did what to what, and when.
type Entry struct {
	ID     string
	At     time.Time
	Who    Person // ID and Email are kept
	Act    Act
	Object string            // "edition:ID", "reader:ID"; "" for the newsroom itself
	Detail map[string]string // what changed, in few words; never a secret
}

// Record writes an entry into the audit log, in the transaction of the change
// that it tells of.
func (s *Store) Record(ctx context.Context, tx *db.Tx, e Entry) (err error) {
	defer wrap(&err, "Record(%s)", e.Act)
	if e.Detail == nil {
		e.Detail = map[string]string{}
	}
	detail, err := json.Marshal(e.Detail)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO audit (id, at, staff_id, staff_email, act, object, detail) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		db.NewID(), db.Micros(s.Now()), e.Who.ID, e.Who.Email, string(e.Act), e.Object, string(detail))
	return err
}

// AuditFilter chooses entries of the audit log. Its zero value takes all.
type AuditFilter struct {
	Who    string // ID or address of who did it, or "program"
	Act    Act
	Object string // "edition:ID" whole, or "edition" for all of a kind
	From   time.Time
	Until  time.Time // not itself
	Before string    // the ID of an entry: those that are older
}

// Audit gives up to limit entries, the newest first.
func (s *Store) Audit(ctx context.Context, q db.Queryer, f AuditFilter, limit int) (list []Entry, err error) {
	defer wrap(&err, "Audit")
	where := []string{"1 = 1"}
	var args []any
	add := func(text string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			text = strings.Replace(text, "?", "$"+strconv.Itoa(len(args)), 1)
		}
		where = append(where, text)
	}
	if f.Who != "" {
		add(`(staff_id = ? OR staff_email = ?)`, f.Who, f.Who)
	}
	if f.Act != "" {
		add(`act = ?`, string(f.Act))
	}
	if kind, _, whole := strings.Cut(f.Object, ":"); whole {
		add(`object = ?`, f.Object)
	} else if kind != "" {
		add(`SUBSTR(object, 1, `+strconv.Itoa(utf8.RuneCountInString(kind)+1)+`) = ?`, kind+":")
	}
	if !f.From.IsZero() {
		add(`at >= ?`, db.Micros(f.From))
	}
	if !f.Until.IsZero() {
		add(`at < ?`, db.Micros(f.Until))
	}
	if f.Before != "" {
		add(`id < ?`, f.Before)
	}
	args = append(args, limit)
	rows, err := q.QueryContext(ctx, `SELECT id, at, staff_id, staff_email, act, object, detail FROM audit WHERE `+
		strings.Join(where, " AND ")+` ORDER BY id DESC LIMIT $`+strconv.Itoa(len(args)), args...)
	return db.Rows(rows, err, func(row db.Scanner) (e Entry, err error) {
		var at int64
		var detail string
		if err := row.Scan(&e.ID, &at, &e.Who.ID, &e.Who.Email, &e.Act, &e.Object, &detail); err != nil {
			return e, err
		}
		e.At = db.Time(at)
		return e, json.Unmarshal([]byte(detail), &e.Detail)
	})
}

// EachAudit calls fn with every entry that f chooses, the newest first. It
// reads some hundred at a time, so that no transaction stays open meanwhile.
func (s *Store) EachAudit(ctx context.Context, q db.Queryer, f AuditFilter, fn func(Entry) error) error {
	const page = 500
	for {
		list, err := s.Audit(ctx, q, f, page)
		if err != nil {
			return err
		}
		for _, e := range list {
			if err := fn(e); err != nil {
				return err
			}
			f.Before = e.ID
		}
		if len(list) < page {
			return nil
		}
	}
}

// Record is the entry as exports write it, for people and programs alike.
func (e Entry) Record() AuditRecord {
	return AuditRecord{ID: e.ID, At: e.At.UTC().Format("2006-01-02T15:04:05.000000Z"), StaffID: e.Who.ID, Staff: e.Who.Email, Act: string(e.Act),
		Object: e.Object, Detail: e.Detail}
}

// AuditRecord is a line of an export in JSON Lines.
type AuditRecord struct {
	ID      string            `json:"id"`
	At      string            `json:"at"` // RFC 3339 in UTC, to the microsecond
	StaffID string            `json:"staff_id"`
	Staff   string            `json:"staff"` // address as it was then, or "program"
	Act     string            `json:"act"`
	Object  string            `json:"object"`
	Detail  map[string]string `json:"detail"`
}

// Program is whom the log names for what was done at the terminal.
func Program() Person { return Person{Email: "program"} }
