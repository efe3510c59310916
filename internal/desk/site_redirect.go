package desk

import (
	"context"
	"encoding/csv"
	"net/http"
	"strconv"
	"strings"

	"masthead/internal/archive"
	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/story"
)

// redirectsShown is how many are on a page, and how many lines of a report.
const redirectsShown = 100

// RedirectsPage is where old addresses lead. Template: desk/redirects.
type RedirectsPage struct {
	Base
	Tabs     []Link
	Words    string
	Count    string
	Rows     []RedirectRow
	Newest   string
	Older    string
	From, To string // as typed
	Problem  string
	Report   []RedirectLine // of an import: what was not taken
	More     int            // lines that are not shown
	Added    string         // how many were added; "" without an import
}

// RedirectRow is one of them.
type RedirectRow struct {
	From, To string
	Story    string // the room of the edition that had this address
	At       language.Moment
}

// RedirectLine is a line of a file that was not taken.
type RedirectLine struct {
	Line, From, Why string
}

// redirects serves "/desk/site/redirects".
func (d *Desk) redirects(w http.ResponseWriter, r *http.Request) error {
	return d.redirectsPage(w, r, http.StatusOK, func(*RedirectsPage) {})
}

func (d *Desk) redirectsPage(w http.ResponseWriter, r *http.Request, status int, fill func(*RedirectsPage)) error {
	b, tabs := d.siteBase(r, "redirects")
	q := r.URL.Query()
	p := RedirectsPage{Base: b, Tabs: tabs, Words: strings.TrimSpace(q.Get("q"))}
	after := q.Get("after")
	if !printable(p.Words) || !printable(after) || len(p.Words) > maxWords || len(after) > 1000 {
		return fault.New(fault.Invalid, "the list cannot be narrowed like that")
	}
	list, err := d.Stories.OldPaths(r.Context(), d.DB.Read(), p.Words, after, redirectsShown+1)
	if err != nil {
		return err
	}
	n, err := d.Stories.CountOldPaths(r.Context(), d.DB.Read())
	if err != nil {
		return err
	}
	p.Count = p.Number(n)
	at := func(after string) string {
		return withQuery("/desk/site/redirects", "q", p.Words, "after", after)
	}
	if after != "" {
		p.Newest = at("")
	}
	if len(list) > redirectsShown {
		list = list[:redirectsShown]
		p.Older = at(list[len(list)-1].Path)
	}
	for _, o := range list {
		row := RedirectRow{From: o.Path, To: o.To, At: d.moment(p.Base, o.CreatedAt)}
		if o.EditionID != "" {
			row.Story = room(o.EditionID)
		}
		p.Rows = append(p.Rows, row)
	}
	fill(&p)
	return d.send(w, r, status, "redirects", p)
}

// redirectWhy says why one was not added.
func redirectWhy(b Base, f story.Fork) string {
	if f.By != "" {
		return b.T("desk.redirects.not."+f.Reason, f.By)
	}
	return b.T("desk.redirects.not." + f.Reason)
}

// redirectAdd serves "POST /desk/site/redirects".
func (d *Desk) redirectAdd(w http.ResponseWriter, r *http.Request) error {
	if err := smallForm(w, r); err != nil {
		return err
	}
	forks := []story.Fork{{From: d.pathOf(r.PostForm.Get("from")), To: d.pathOf(r.PostForm.Get("to"))}}
	err := d.change(r, "redirect:"+cut(forks[0].From, 200), func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		if _, err := d.Stories.AddOldPaths(ctx, tx, forks); err != nil {
			return err
		}
		if forks[0].Reason != "" {
			return fault.New(fault.Invalid, "the redirect is refused", "why", forks[0].Reason)
		}
		detail["to"] = forks[0].To
		return nil
	})
	if forks[0].Reason != "" {
		return d.redirectsPage(w, r, http.StatusUnprocessableEntity, func(p *RedirectsPage) {
			p.From, p.To, p.Problem = forks[0].From, forks[0].To, redirectWhy(p.Base, forks[0])
		})
	}
	if err != nil {
		return err
	}
	return done(w, r, "/desk/site/redirects", "site_saved")
}

// pathOf takes this site's host off an address that was pasted whole.
func (d *Desk) pathOf(address string) string {
	address = strings.TrimSpace(address)
	return strings.TrimPrefix(address, d.Config.URL.String())
}

// redirectDrop serves "POST /desk/site/redirects/delete".
func (d *Desk) redirectDrop(w http.ResponseWriter, r *http.Request) error {
	if err := smallForm(w, r); err != nil {
		return err
	}
	path := r.PostForm.Get("from")
	if !printable(path) {
		return fault.New(fault.NotFound, "no such address")
	}
	err := d.change(r, "redirect:"+cut(path, 200), func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		detail["deleted"] = "yes"
		return d.Stories.DropOldPath(ctx, tx, path)
	})
	if err != nil {
		return err
	}
	return done(w, r, "/desk/site/redirects", "site_saved")
}

// redirectImport serves "POST /desk/site/redirects/import": what is good is
// added, and each other line is named with the reason.
func (d *Desk) redirectImport(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 9<<20)
	unread := func() error {
		return d.redirectsPage(w, r, http.StatusUnprocessableEntity, func(p *RedirectsPage) { p.Problem = p.T("desk.redirects.unread") })
	}
	if err := r.ParseMultipartForm(9 << 20); err != nil {
		return unread()
	}
	defer r.MultipartForm.RemoveAll()
	file, head, err := r.FormFile("file")
	if err != nil {
		return unread()
	}
	defer file.Close()
	lines, err := archive.ReadRedirects(head.Filename, file)
	if err != nil || len(lines) > 100000 {
		return unread()
	}
	forks := make([]story.Fork, len(lines))
	for i, l := range lines {
		forks[i] = story.Fork{Line: l.Line, From: d.pathOf(l.From), To: d.pathOf(l.To)}
		switch {
		case l.Unread:
			forks[i].Reason = story.NotRead
		case l.Pattern:
			forks[i].Reason = story.NotPattern
		}
	}
	added := 0
	err = d.change(r, "redirects", func(ctx context.Context, tx *db.Tx, detail map[string]string) (err error) {
		added, err = d.Stories.AddOldPaths(ctx, tx, forks)
		detail["file"], detail["added"], detail["lines"] = cut(cleanLine(strings.ToValidUTF8(head.Filename, "")), 100), strconv.Itoa(added), strconv.Itoa(len(forks))
		return err
	})
	if err != nil {
		return err
	}
	return d.redirectsPage(w, r, http.StatusOK, func(p *RedirectsPage) {
		p.Added = p.T("desk.redirects.added", p.Number(added), p.Number(len(forks)))
		for _, f := range forks {
			if f.Reason == "" {
				continue
			}
			if len(p.Report) >= 10*redirectsShown {
				p.More++
				continue
			}
			p.Report = append(p.Report, RedirectLine{Line: p.T("desk.redirects.line", p.Number(f.Line)), From: cut(f.From, 200), Why: redirectWhy(p.Base, f)})
		}
	})
}

// redirectExport serves "/desk/site/redirects/export": all of them as CSV.
func (d *Desk) redirectExport(w http.ResponseWriter, r *http.Request) error {
	list, err := d.Stories.OldPaths(r.Context(), d.DB.Read(), "", "", 0)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="redirects.csv"`)
	h.Set("Cache-Control", "private, no-store")
	out := csv.NewWriter(w)
	out.Write([]string{"from", "to"})
	for _, o := range list {
		if o.To != "" {
			out.Write([]string{o.Path, o.To})
		}
	}
	out.Flush() // who has left is no error of ours
	return nil
}
