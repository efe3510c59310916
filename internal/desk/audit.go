package desk

import (
	"encoding/csv"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/staff"
)

// auditPage is how many entries a page of the log has.
const auditPage = 100

// AuditPage is the log of every act. Template: desk/audit.
type AuditPage struct {
	Base
	Tabs   []Link
	Who    string
	Object string
	From   string // a day
	To     string
	Acts   []Choice
	Rows   []AuditRow
	Newest string // address of the first page; "" on it
	Older  string
	CSV    string
	Lines  string // address of the export in JSON Lines
}

// AuditRow is one entry.
type AuditRow struct {
	At     language.Moment
	Who    string
	Act    string // in the desk's words
	Code   string // "story.publish"
	Object string
	URL    string // where the object is, if it has a page
	Detail []AuditDetail
}

func (d *Desk) auditRoutes() []Route {
	return []Route{
		{Pattern: "GET /desk/people/audit", Act: staff.ReadAudit, handle: d.audit},
		{Pattern: "GET /desk/people/audit/export", Act: staff.ReadAudit, handle: d.auditExport},
	}
}

// auditFilter reads the filter of an address. A person is asked for by address
// or ID, days are the newsroom's.
func (d *Desk) auditFilter(r *http.Request) (f staff.AuditFilter, err error) {
	q := r.URL.Query()
	bad := fault.New(fault.Invalid, "there is no such entry to look for")
	for _, values := range q {
		for _, v := range values {
			if !printable(v) || len(v) > 300 {
				return f, bad
			}
		}
	}
	f = staff.AuditFilter{Who: strings.TrimSpace(q.Get("who")), Act: staff.Act(q.Get("act")), Object: strings.TrimSpace(q.Get("object")), Before: q.Get("before")}
	if f.Act != "" && !slices.Contains(staff.Acts(), f.Act) {
		return f, bad
	}
	if p, err := d.Staff.ByEmail(r.Context(), d.DB.Read(), f.Who); err == nil {
		f.Who = p.ID // under whatever address he was then
	} else if !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Invalid) {
		return f, err
	}
	for name, into := range map[string]*time.Time{"from": &f.From, "to": &f.Until} {
		if text := q.Get(name); text != "" {
			if *into, err = time.ParseInLocation(time.DateOnly, text, d.Config.Timezone); err != nil {
				return f, bad
			}
		}
	}
	if !f.Until.IsZero() {
		f.Until = f.Until.AddDate(0, 0, 1) // that day too
	}
	return f, nil
}

// audit serves "/desk/people/audit".
func (d *Desk) audit(w http.ResponseWriter, r *http.Request) error {
	f, err := d.auditFilter(r)
	if err != nil {
		return err
	}
	list, err := d.Staff.Audit(r.Context(), d.DB.Read(), f, auditPage+1)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	p := AuditPage{Base: d.base(r, ""), Who: q.Get("who"), Object: f.Object, From: q.Get("from"), To: q.Get("to")}
	p.Title, p.Tabs = p.T("desk.audit.title"), d.peopleTabs(r, p.Base)
	p.Acts = []Choice{{Name: p.T("desk.audit.every_act"), Current: f.Act == ""}}
	for _, a := range staff.Acts() {
		if a != staff.ReadDesk && a != staff.ReadReaders && a != staff.ReadAudit { // which leave no entry
			p.Acts = append(p.Acts, Choice{Value: string(a), Name: actName(p.Base, a), Current: a == f.Act})
		}
	}
	slices.SortStableFunc(p.Acts[1:], func(a, b Choice) int { return strings.Compare(a.Name, b.Name) })
	at := func(path, name, value string) string {
		return withQuery(path, "who", q.Get("who"), "act", q.Get("act"), "object", q.Get("object"), "from", q.Get("from"), "to", q.Get("to"), name, value)
	}
	if f.Before != "" {
		p.Newest = at("/desk/people/audit", "before", "")
	}
	if len(list) > auditPage {
		list = list[:auditPage]
		p.Older = at("/desk/people/audit", "before", list[auditPage-1].ID)
	}
	p.CSV, p.Lines = at("/desk/people/audit/export", "as", "csv"), at("/desk/people/audit/export", "as", "jsonl")
	for _, e := range list {
		row := d.auditRow(p.Base, e)
		if strings.HasPrefix(row.URL, "/desk/people/") && !d.may(r, staff.KeepStaff) {
			row.URL = ""
		}
		p.Rows = append(p.Rows, row)
	}
	return d.send(w, r, http.StatusOK, "audit", p)
}

func (d *Desk) auditRow(b Base, e staff.Entry) AuditRow {
	row := AuditRow{At: d.moment(b, e.At), Who: e.Who.Email, Act: actName(b, e.Act), Code: string(e.Act), Object: e.Object}
	switch row.Who {
	case "":
		row.Who = b.T("desk.audit.nobody")
	case staff.Program().Email:
		row.Who = b.T("desk.story_room.program")
	}
	switch kind, id, _ := strings.Cut(e.Object, ":"); kind {
	case "edition":
		row.URL = "/desk/stories/" + url.PathEscape(id)
	case "staff":
		row.URL = "/desk/people/" + url.PathEscape(id)
	case "reader":
		row.URL = "/desk/readers/" + url.PathEscape(id)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Detail)) {
		row.Detail = append(row.Detail, d.auditDetail(b, e, name, e.Detail[name]))
	}
	return row
}

// actName gives an act in the desk's words; one of a later version by its name.
func actName(b Base, a staff.Act) string {
	if key := "desk.act." + strings.ReplaceAll(string(a), ".", "_"); b.Has(key) {
		return b.T(key)
	}
	return string(a)
}

// auditExport serves "/desk/people/audit/export": what the filter chooses, as
// CSV or as JSON Lines, sent as it is read.
func (d *Desk) auditExport(w http.ResponseWriter, r *http.Request) error {
	f, err := d.auditFilter(r)
	if err != nil {
		return err
	}
	as := r.URL.Query().Get("as")
	kind := map[string]string{"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}[as]
	if kind == "" {
		return fault.New(fault.Invalid, "there is no such form of the log").WithHint("ask as=csv or as=jsonl")
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="audit-`+d.Now().In(d.Config.Timezone).Format(time.DateOnly)+"."+as+`"`)
	h.Set("Cache-Control", "no-store")
	write := writeJSONLines(w)
	if as == "csv" {
		write = writeCSV(w)
	}
	if err := d.Staff.EachAudit(r.Context(), d.DB.Read(), f, write); err != nil {
		// The header is out: all that is left is to cut the connection, so
		// that half a log is not taken for a whole one.
		d.Log.ErrorContext(r.Context(), "audit export stopped", "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

func writeJSONLines(w http.ResponseWriter) func(staff.Entry) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	return func(e staff.Entry) error { return out.Encode(e.Record()) }
}

func writeCSV(w http.ResponseWriter) func(staff.Entry) error {
	out := csv.NewWriter(w)
	out.Write([]string{"id", "at", "staff_id", "staff", "act", "object", "detail"})
	return func(e staff.Entry) error {
		rec := e.Record()
		detail, err := json.Marshal(rec.Detail)
		if err != nil {
			return err
		}
		out.Write([]string{rec.ID, rec.At, rec.StaffID, inert(rec.Staff), rec.Act, inert(rec.Object), string(detail)})
		out.Flush()
		return out.Error()
	}
}

// inert keeps a spreadsheet from taking a value for a formula.
func inert(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
