package desk

import (
	"cmp"
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/reader"
	"masthead/internal/staff"
	"masthead/internal/wall"
)

// maxCSV is how many bytes a list of readers may have.
const maxCSV = 64 << 20

func (d *Desk) readerRoutes() []Route {
	return []Route{
		{Pattern: "GET /desk/readers", Act: staff.ReadReaders, handle: d.readers},
		{Pattern: "GET /desk/readers/export", Act: staff.KeepReaders, handle: d.exportReaders},
		{Pattern: "POST /desk/readers/import", Act: staff.KeepReaders, handle: d.importReaders},
		{Pattern: "GET /desk/readers/{reader}", Act: staff.ReadReaders, handle: d.reader},
		{Pattern: "GET /desk/readers/{reader}/export", Act: staff.KeepReaders, handle: d.exportReader},
		{Pattern: "POST /desk/readers/{reader}/link", Act: staff.KeepReaders, handle: d.readerLink},
		{Pattern: "POST /desk/readers/{reader}/tier", Act: staff.KeepReaders, handle: d.readerTier},
		{Pattern: "POST /desk/readers/{reader}/note", Act: staff.KeepReaders, handle: d.readerNote},
		{Pattern: "POST /desk/readers/{reader}/sessions", Act: staff.KeepReaders, handle: d.readerSessions},
		{Pattern: "POST /desk/readers/{reader}/delete", Act: staff.KeepReaders, handle: d.readerDelete},
	}
}

// ReadersPage is the list of readers. Template: desk/readers.
type ReadersPage struct {
	Base
	Words, Tier, Newsletter string // what is looked for
	Tiers, Newsletters      []Choice
	All, Confirmed          string // how many there are
	Rows                    []ReaderRow
	Newest, Older           string // addresses, as in StoriesPage
	May                     bool   // import and export
	Report                  *ImportReport
}

// ReaderRow is one reader in the list.
type ReaderRow struct {
	URL, Email, Name string
	Tiers            []string // names
	Since            language.Moment
	Confirmed        bool
}

// ImportReport tells what came of a CSV.
type ImportReport struct {
	Sentence         string
	Skipped, Changed []ImportLine
	More             string // how many lines are not shown; "" for none
}

// ImportLine is one line of a CSV and what was wrong with it.
type ImportLine struct {
	Line, Email, Why string
}

// readers serves "/desk/readers".
func (d *Desk) readers(w http.ResponseWriter, r *http.Request) error {
	p, err := d.readersPage(r)
	if err != nil {
		return err
	}
	return d.send(w, r, http.StatusOK, "readers", p)
}

func (d *Desk) readersPage(r *http.Request) (p ReadersPage, err error) {
	ctx, q, query := r.Context(), d.DB.Read(), r.URL.Query()
	p = ReadersPage{Base: d.base(r, ""), Words: cut(query.Get("q"), maxWords), Tier: query.Get("tier"), Newsletter: query.Get("newsletter"), May: d.may(r, staff.KeepReaders)}
	p.Title = p.T("desk.readers.title")
	after, err := parsePlace(query.Get("after"))
	if err != nil {
		return p, err
	}
	for _, text := range []string{p.Words, p.Tier, p.Newsletter} {
		if !printable(text) {
			return p, fault.New(fault.Invalid, "the search cannot be read")
		}
	}
	tiers, err := d.Readers.Tiers(ctx, q)
	if err != nil {
		return p, err
	}
	names := map[string]string{}
	p.Tiers = append(p.Tiers, Choice{Name: p.T("desk.readers.every_tier"), Current: p.Tier == ""})
	for _, t := range tiers {
		names[t.Slug] = nameIn(t.Names, p.Lang, d.Config.Language, t.Slug)
		p.Tiers = append(p.Tiers, Choice{Name: names[t.Slug], Value: t.Slug, Current: t.Slug == p.Tier})
	}
	lists, err := d.Newsletters.All(ctx, q)
	if err != nil {
		return p, err
	}
	p.Newsletters = append(p.Newsletters, Choice{Name: p.T("desk.readers.every_newsletter"), Current: p.Newsletter == ""})
	for _, l := range lists {
		p.Newsletters = append(p.Newsletters, Choice{Name: nameIn(l.Names, p.Lang, d.Config.Language, l.Slug), Value: l.Slug, Current: l.Slug == p.Newsletter})
	}
	n, err := d.Readers.Count(ctx, q)
	if err != nil {
		return p, err
	}
	p.All, p.Confirmed = p.Number(n.All), p.Number(n.Confirmed)
	found, more, err := d.findReaders(ctx, p.Words, p.Tier, p.Newsletter, after)
	if err != nil {
		return p, err
	}
	for _, f := range found {
		row := ReaderRow{URL: "/desk/readers/" + f.ID, Email: f.Email, Name: f.Name, Confirmed: !f.ConfirmedAt.IsZero(), Since: p.Date(f.CreatedAt.In(d.Config.Timezone))}
		held, err := d.Readers.Held(ctx, q, f.ID)
		if err != nil {
			return p, err
		}
		for _, h := range held {
			row.Tiers = append(row.Tiers, cmp.Or(names[h.Tier], h.Tier))
		}
		p.Rows = append(p.Rows, row)
	}
	at := func(after string) string {
		return withQuery("/desk/readers", "q", p.Words, "tier", p.Tier, "newsletter", p.Newsletter, "after", after)
	}
	if after.ID != "" {
		p.Newest = at("")
	}
	if more {
		last := found[len(found)-1]
		p.Older = at(place{last.CreatedAt, last.ID}.String())
	}
	return p, nil
}

// findReaders gives up to perPage readers, the newest first, and whether there
// are more. Names are compared here, as headlines are in [Desk.list]; a whole
// address is found at once.
func (d *Desk) findReaders(ctx context.Context, words, tier, newsletter string, after place) (found []reader.Reader, more bool, err error) {
	q := d.DB.Read()
	if strings.Contains(words, "@") {
		one, err := d.Readers.ByEmail(ctx, q, words)
		if err == nil {
			return []reader.Reader{one}, false, nil
		}
		if !fault.Is(err, fault.NotFound) {
			return nil, false, err
		}
	}
	parts := strings.Fields(fold(words))
	cursor := reader.Cursor{CreatedAt: after.Updated, ID: after.ID}
	if after.ID == "" {
		cursor = reader.Cursor{}
	}
	for {
		list, err := d.Readers.Narrow(ctx, q, cursor, tier, newsletter, 1000)
		if err != nil || len(list) == 0 {
			return found, false, err
		}
		for _, one := range list {
			if !holds(one.Email+" "+one.Name+" "+strings.Join(one.Labels, " "), parts) {
				continue
			}
			if len(found) == perPage {
				return found, true, nil
			}
			found = append(found, one)
		}
		last := list[len(list)-1]
		cursor = reader.Cursor{CreatedAt: last.CreatedAt, ID: last.ID}
	}
}

// exportReaders serves "/desk/readers/export": everybody, as CSV.
func (d *Desk) exportReaders(w http.ResponseWriter, r *http.Request) error {
	err := d.change(r, "readers", func(_ context.Context, _ *db.Tx, detail map[string]string) error {
		detail["export"] = "csv"
		return nil
	})
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present") // RFC 4180 §3
	h.Set("Content-Disposition", `attachment; filename="readers-`+d.Now().In(d.Config.Timezone).Format(time.DateOnly)+`.csv"`)
	h.Set("Cache-Control", "private, no-store")
	if err := d.Readers.WriteCSV(r.Context(), d.DB.Read(), w); err != nil {
		d.Log.ErrorContext(r.Context(), "readers not exported", "error", err)
		panic(http.ErrAbortHandler) // the file must not look whole
	}
	return nil
}

// importReaders serves "POST /desk/readers/import": a CSV.
func (d *Desk) importReaders(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), d.DB.Read()
	r.Body = http.MaxBytesReader(w, r.Body, maxCSV)
	parts, err := r.MultipartReader()
	if err != nil {
		return fault.New(fault.Invalid, "the form has no file").WithHint("choose a CSV file")
	}
	part, err := parts.NextPart()
	if err != nil || part.FormName() != "file" {
		return fault.New(fault.Invalid, "the form has no file").WithHint("choose a CSV file")
	}
	tiers, err := d.Readers.Tiers(ctx, q)
	if err != nil {
		return err
	}
	var slugs []string
	for _, t := range tiers {
		slugs = append(slugs, t.Slug)
	}
	lists, err := d.Newsletters.All(ctx, q)
	if err != nil {
		return err
	}
	var letters []string
	for _, l := range lists {
		letters = append(letters, l.Slug)
	}
	b, err := d.Readers.ReadCSV(ctx, d.DB, part, slugs, letters)
	refused := err
	if err != nil && fault.KindOf(err) == fault.Internal {
		return err
	}
	err = d.change(r, "readers", func(_ context.Context, _ *db.Tx, detail map[string]string) error {
		detail["import"], detail["new"], detail["known"], detail["skipped"] = cut(part.FileName(), 200), strconv.Itoa(b.New), strconv.Itoa(b.Known), strconv.Itoa(len(b.Skipped))
		return nil
	})
	if err != nil {
		return err
	}
	p, err := d.readersPage(r)
	if err != nil {
		return err
	}
	p.Report = &ImportReport{Sentence: p.T("desk.readers.imported", p.Number(b.New), p.Number(b.Known), p.Number(len(b.Skipped)))}
	if refused != nil {
		p.Report.Sentence = fault.Message(refused) + ". " + fault.Hint(refused) + ". " + p.Report.Sentence
	}
	const shown = 200
	lines := func(list []reader.Line) (out []ImportLine) {
		for _, l := range list[:min(len(list), shown)] {
			out = append(out, ImportLine{p.Number(l.Number), l.Email, l.Why})
		}
		return out
	}
	p.Report.Skipped, p.Report.Changed = lines(b.Skipped), lines(b.Changed)
	if more := max(len(b.Skipped)-shown, 0) + max(len(b.Changed)-shown, 0); more > 0 {
		p.Report.More = p.Number(more)
	}
	return d.send(w, r, http.StatusOK, "readers", p)
}

// ReaderPage is one reader. Template: desk/reader.
type ReaderPage struct {
	Base
	URL         string
	Email, Name string
	Facts       []Fact
	Note        string
	Labels      string
	Held        []HeldTier
	Tiers       []Choice // that can be given
	Newsletters []Fact   // since when
	Sessions    []ReaderSession
	Consents    []ConsentRow
	Counted     string // stories on his meters in the last 90 days
	Link        string // a sign-in link just made: shown once
	Problem     string
	May         bool
}

// HeldTier is a tier that a reader has or had.
type HeldTier struct {
	Name, Slug string
	Until      language.Moment // zero: without end
	Over       bool
}

// ReaderSession is a browser that a reader is signed in with.
type ReaderSession struct {
	ID, Agent  string
	Since, Use language.Moment
}

// ConsentRow is what a reader agreed to or took back.
type ConsentRow struct {
	What  string
	Given bool
	How   string
	At    language.Moment
}

// reader serves "/desk/readers/{reader}".
func (d *Desk) reader(w http.ResponseWriter, r *http.Request) error {
	p, err := d.readerPage(r)
	if err != nil {
		return err
	}
	return d.send(w, r, http.StatusOK, "reader", p)
}

func (d *Desk) readerOf(r *http.Request) (reader.Reader, error) {
	return d.Readers.ByID(r.Context(), d.DB.Read(), legible(r.PathValue("reader")))
}

func (d *Desk) readerPage(r *http.Request) (p ReaderPage, err error) {
	ctx, q := r.Context(), d.DB.Read()
	who, err := d.readerOf(r)
	if err != nil {
		return p, err
	}
	p = ReaderPage{Base: d.base(r, who.Email), URL: "/desk/readers/" + who.ID, Email: who.Email, Name: who.Name, Note: who.Note,
		Labels: strings.Join(who.Labels, ", "), May: d.may(r, staff.KeepReaders)}
	p.Facts = []Fact{
		{Name: p.T("desk.readers.registered"), Time: d.moment(p.Base, who.CreatedAt)},
		{Name: p.T("desk.readers.confirmed"), Time: d.moment(p.Base, who.ConfirmedAt)},
		{Name: p.T("desk.readers.source"), Value: who.Source, Code: true},
	}
	if who.Lang != "" {
		p.Facts = append(p.Facts, Fact{Name: p.T("desk.language"), Value: language.OwnName(who.Lang)})
	}
	p.Facts = slices.DeleteFunc(p.Facts, func(f Fact) bool { return f.Value == "" && f.Time.IsZero() })
	tiers, err := d.Readers.Tiers(ctx, q)
	if err != nil {
		return p, err
	}
	names := map[string]string{}
	for _, t := range tiers {
		names[t.Slug] = nameIn(t.Names, p.Lang, d.Config.Language, t.Slug)
		p.Tiers = append(p.Tiers, Choice{Name: names[t.Slug], Value: t.Slug})
	}
	holdings, err := d.Readers.Holdings(ctx, q, who.ID)
	if err != nil {
		return p, err
	}
	for _, h := range holdings {
		row := HeldTier{Name: cmp.Or(names[h.Tier], h.Tier), Slug: h.Tier, Over: !h.Until.IsZero() && !d.Now().Before(h.Until)}
		if !h.Until.IsZero() {
			row.Until = p.Date(h.Until.In(d.Config.Timezone))
		}
		p.Held = append(p.Held, row)
	}
	lists, err := d.Newsletters.All(ctx, q)
	if err != nil {
		return p, err
	}
	letters := map[string]string{}
	for _, l := range lists {
		letters[l.Slug] = nameIn(l.Names, p.Lang, d.Config.Language, l.Slug)
	}
	chosen, err := d.Readers.Newsletters(ctx, q, who.ID)
	if err != nil {
		return p, err
	}
	for _, c := range chosen {
		p.Newsletters = append(p.Newsletters, Fact{Name: cmp.Or(letters[c.Newsletter], c.Newsletter), Time: p.Date(c.Since.In(d.Config.Timezone))})
	}
	sessions, err := d.Readers.Sessions(ctx, q, who.ID)
	if err != nil {
		return p, err
	}
	for _, s := range sessions {
		p.Sessions = append(p.Sessions, ReaderSession{s.ID, cmp.Or(s.Agent, p.T("desk.readers.some_browser")), d.moment(p.Base, s.CreatedAt), d.moment(p.Base, s.SeenAt)})
	}
	consents, err := d.Readers.Consents(ctx, q, who.ID)
	if err != nil {
		return p, err
	}
	for _, c := range slices.Backward(consents) {
		what := c.What
		if slug, ok := strings.CutPrefix(c.What, "newsletter:"); ok {
			what = p.T("desk.readers.newsletter", cmp.Or(letters[slug], slug))
		}
		p.Consents = append(p.Consents, ConsentRow{what, c.Given, p.T("desk.readers.how." + c.How), d.moment(p.Base, c.At)})
	}
	reads, err := d.WallStore.Reads(ctx, q, who.ID, d.Now().AddDate(0, 0, -90))
	p.Counted = p.Number(len(reads))
	return p, err
}

// exportReader serves "/desk/readers/{reader}/export": all that is kept of him.
func (d *Desk) exportReader(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), d.DB.Read()
	who, err := d.readerOf(r)
	if err != nil {
		return err
	}
	reads, err := d.WallStore.Reads(ctx, q, who.ID, time.Time{})
	if err != nil {
		return err
	}
	gifts, err := d.WallStore.GiftsOf(ctx, q, who.ID)
	if err != nil {
		return err
	}
	export, err := d.Readers.Export(ctx, q, who.ID, wall.Export(reads, gifts))
	if err != nil {
		return err
	}
	body, err := json.MarshalIndent(export, "", "  ")
	if err != nil {
		return err
	}
	err = d.change(r, "reader:"+who.ID, func(_ context.Context, _ *db.Tx, detail map[string]string) error {
		detail["export"] = "json"
		return nil
	})
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": "reader-" + who.ID + ".json"}))
	h.Set("Cache-Control", "private, no-store")
	w.Write(append(body, '\n'))
	return nil
}

// readerLink makes a sign-in link, for support, and shows it once.
func (d *Desk) readerLink(w http.ResponseWriter, r *http.Request) error {
	who, err := d.readerOf(r)
	if err != nil {
		return err
	}
	var token string
	err = d.change(r, "reader:"+who.ID, func(ctx context.Context, tx *db.Tx, detail map[string]string) (err error) {
		detail["link"] = "made"
		token, err = d.Readers.OneTimeLink(ctx, tx, who.Email, 24*time.Hour)
		return err
	})
	if err != nil {
		return err
	}
	p, err := d.readerPage(r)
	if err != nil {
		return err
	}
	p.Link = d.Config.URL.String() + "/signin/confirm?token=" + url.QueryEscape(token)
	return d.send(w, r, http.StatusOK, "reader", p)
}

// readerTier gives or takes a tier.
func (d *Desk) readerTier(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	who, err := d.readerOf(r)
	if err != nil {
		return err
	}
	tiers, err := d.Readers.Tiers(r.Context(), d.DB.Read())
	if err != nil {
		return err
	}
	slug, take := r.PostForm.Get("tier"), r.PostForm.Get("take") != ""
	if !take && !slices.ContainsFunc(tiers, func(t reader.Tier) bool { return t.Slug == slug }) {
		return fault.New(fault.Invalid, "there is no such tier", "tier", slug)
	}
	var until time.Time
	if text := r.PostForm.Get("until"); text != "" && !take {
		day, err := time.ParseInLocation(time.DateOnly, text, d.Config.Timezone)
		if err != nil {
			return d.readerProblem(w, r, "desk.readers.bad_date")
		}
		until = day.AddDate(0, 0, 1) // to the end of that day
	}
	err = d.change(r, "reader:"+who.ID, func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		if take {
			detail["tier taken"] = slug
			return d.Readers.Revoke(ctx, tx, who.ID, slug)
		}
		detail["tier given"] = slug
		if !until.IsZero() {
			detail["until"] = r.PostForm.Get("until")
		}
		return d.Readers.Grant(ctx, tx, who.ID, slug, until)
	})
	if err != nil {
		return err
	}
	return done(w, r, "/desk/readers/"+who.ID, "saved")
}

func (d *Desk) readerProblem(w http.ResponseWriter, r *http.Request, key string) error {
	p, err := d.readerPage(r)
	if err != nil {
		return err
	}
	p.Problem = p.T(key)
	return d.send(w, r, http.StatusUnprocessableEntity, "reader", p)
}

// readerNote sets note and labels.
func (d *Desk) readerNote(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	who, err := d.readerOf(r)
	if err != nil {
		return err
	}
	note := cut(strings.TrimSpace(r.PostForm.Get("note")), 4000)
	var labels []string
	for part := range strings.SplitSeq(cut(r.PostForm.Get("labels"), 1000), ",") {
		if part = strings.TrimSpace(part); part != "" && !slices.Contains(labels, part) {
			labels = append(labels, part)
		}
	}
	err = d.change(r, "reader:"+who.ID, func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		detail["labels"] = strings.Join(labels, ", ")
		return d.Readers.SetNote(ctx, tx, who.ID, note, labels)
	})
	if err != nil {
		return err
	}
	return done(w, r, "/desk/readers/"+who.ID, "saved")
}

// readerSessions ends one session, or all of them.
func (d *Desk) readerSessions(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	who, err := d.readerOf(r)
	if err != nil {
		return err
	}
	id := legible(r.PostForm.Get("session"))
	err = d.change(r, "reader:"+who.ID, func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		if id == "" {
			detail["sessions"] = "all ended"
			return d.Readers.EndSessions(ctx, tx, who.ID)
		}
		detail["sessions"] = "one ended"
		return d.Readers.EndSession(ctx, tx, who.ID, id)
	})
	if err != nil {
		return err
	}
	return done(w, r, "/desk/readers/"+who.ID, "saved")
}

// readerDelete deletes a reader for good, once his address has been typed.
func (d *Desk) readerDelete(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	who, err := d.readerOf(r)
	if err != nil {
		return err
	}
	if reader.EmailKey(r.PostForm.Get("email")) != reader.EmailKey(who.Email) {
		return d.readerProblem(w, r, "desk.readers.not_the_address")
	}
	err = d.change(r, "reader:"+who.ID, func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		detail["deleted"] = "yes"
		return d.Readers.Delete(ctx, tx, who.ID)
	})
	if err != nil {
		return err
	}
	return done(w, r, "/desk/readers", "reader_deleted")
}

// nameIn gives a name in the desk's language, else in the newsroom's, else or.
func nameIn(names map[string]string, lang, fallback, or string) string {
	return cmp.Or(names[lang], names[fallback], or)
}

// cut gives at most n bytes of s, as valid UTF-8.
func cut(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "")
}
