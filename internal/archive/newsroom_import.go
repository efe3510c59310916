package archive

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/media"
	"masthead/internal/story"
)

// ImportNewsroom brings in what [Export] wrote, a folder or a zip. The manifest
// and the SHA-256 of every file of lines are checked before anything is
// written. Then come the pictures' and files' bytes, which nothing refers to
// yet, and at last all rows in one transaction: killed at any moment, it leaves
// the newsroom as it was, and a second run completes. On SQLite other writers
// wait during that transaction.
//
// A row whose ID is here already is written over, save words that were changed
// here since, which stay and are named, and so are staff whose address is here
// under another ID. Rows that are here alone stay; of the wall's rules and of
// the benefits, which count as one table each, the archive's take the place of
// all. Any other conflict, such as a slug that something else here has, is a
// fault of kind Conflict, and so nothing comes in. What is no archive is
// Invalid; both faults name file and line.
func (im *Importer) ImportNewsroom(ctx context.Context, path string) (Report, error) {
	in := &bringing{Importer: im, ctx: ctx, report: newReport(), lost: map[string]bool{}, public: map[string]bool{}}
	in.report.DryRun = im.DryRun
	start := time.Now()
	err := in.all(path)
	in.report.finish(time.Since(start))
	if err != nil {
		return in.report, fmt.Errorf("archive.ImportNewsroom(%s): %w", path, err)
	}
	return in.report, nil
}

// bringing is one import under way.
type bringing struct {
	*Importer
	ctx    context.Context
	b      *bundle
	report Report

	done, total int64
	lost        map[string]bool // editions, threads and media that were skipped, by ID; revisions by "EDITION/SEQ"
	public      map[string]bool // stories with an edition that is published or scheduled
	stories     int
	changes     []story.Change
}

func (in *bringing) all(path string) (err error) {
	if in.b, err = openBundle(path); err != nil {
		return err
	}
	defer in.b.close()
	for _, name := range in.b.unlisted {
		in.report.Left = append(in.report.Left, Item{ID: name, Why: "the manifest does not list it"})
	}
	for _, sum := range in.b.manifest.Files {
		in.total += sum.Bytes
	}
	for _, t := range tables {
		if err := in.b.check(in.ctx, t.fileName()); err != nil {
			return err
		}
	}
	if err := in.blobs(); err != nil {
		return err
	}
	err = in.DB.InTx(in.ctx, func(tx *db.Tx) error {
		for _, t := range tables {
			if err := in.table(tx, t); err != nil {
				return err
			}
			in.progress(in.b.sums[t.fileName()].Bytes)
		}
		for _, c := range in.changes {
			for _, changed := range in.Stories.Changed {
				if err := changed(in.ctx, tx, c); err != nil {
					return err
				}
			}
		}
		if in.DryRun {
			return errDry
		}
		return nil
	})
	if c, ok := errors.AsType[*rowConflict](err); ok {
		return in.explain(c)
	}
	if err != nil && !errors.Is(err, errDry) {
		return err
	}
	in.report.Drafts = in.stories - len(in.public)
	return nil
}

func (in *bringing) progress(bytes int64) {
	in.done += bytes
	if in.Progress != nil {
		in.Progress(in.done, in.total)
	}
}

// each parses every line of a table's file, and holds their order and number.
func (in *bringing) each(t table, fn func(l line) error) error {
	var before []any
	n := 0
	err := in.b.lines(t.fileName(), func(number int, raw []byte) error {
		n = number
		l, err := t.parse(fmt.Sprintf("%s:%d", t.fileName(), number), raw)
		if err != nil {
			return err
		}
		if !l.after(t, before) {
			return refuse(l.place, "the line stands twice or out of order").WithHint("lines are ordered by their keys")
		}
		before = l.values[:t.keys]
		return fn(l)
	})
	if err == nil && n != in.b.manifest.Counts[t.file] {
		err = refuse(t.fileName(), "it has another number of lines than the manifest tells", "lines", n, "told", in.b.manifest.Counts[t.file])
	}
	return err
}

// errBytesAlone ends the transaction in which a blob is restored: its row
// comes with all others.
var errBytesAlone = errors.New("keep the bytes alone")

// blobs brings the bytes of pictures and files. One that is missing or damaged
// is skipped, and its row with it.
func (in *bringing) blobs() error {
	media, _ := tableOf("media")
	return in.each(media, func(l line) error {
		m, err := mediaOf(media, l)
		if err == nil {
			err = in.blob(m)
		}
		if err == nil {
			in.progress(m.Bytes)
			return nil
		}
		if kind := fault.KindOf(err); kind == fault.Invalid || kind == fault.NotFound || kind == fault.TooLarge {
			in.lost[m.ID] = true
			in.skip(m.ID, m.Name, why(err))
			return nil
		}
		return fmt.Errorf("%s: %w", l.place, err)
	})
}

func mediaOf(t table, l line) (media.Media, error) {
	m := media.Media{
		ID: l.get(t, "id"), Kind: media.Kind(l.get(t, "kind")), Name: l.get(t, "name"), MIME: l.get(t, "mime"),
		Bytes: l.number(t, "bytes"), Hash: l.get(t, "hash"), Blob: l.get(t, "blob"), Focal: media.Middle,
	}
	if !strings.HasPrefix(m.Blob, "media/") || !strings.Contains(m.Blob, "/"+m.Hash+"/") {
		return m, fault.New(fault.Invalid, "the name of the blob is not of its bytes", "blob", m.Blob)
	}
	return m, nil
}

func (in *bringing) blob(m media.Media) error {
	name, told := blobFolder+m.Blob, m.Blob
	f, ok := in.b.files[name]
	sum, listed := in.b.sums[name]
	if !ok || !listed {
		return fault.New(fault.NotFound, "the bytes are not in the archive", "file", name)
	}
	if f.size != m.Bytes || sum.SHA256 != m.Hash {
		return fault.New(fault.Invalid, "the bytes are not those that the line tells", "file", name)
	}
	if in.DryRun {
		return in.b.check(in.ctx, name)
	}
	r, err := f.open()
	if err != nil {
		return err
	}
	defer r.Close()
	err = in.DB.InTx(in.ctx, func(tx *db.Tx) error {
		if err := in.Media.Restore(in.ctx, tx, &m, untilDone{in.ctx, r}); err != nil {
			return err
		}
		if m.Blob != told {
			return fault.New(fault.Invalid, "the bytes are kept under another name", "blob", m.Blob)
		}
		return errBytesAlone
	})
	if errors.Is(err, errBytesAlone) {
		return nil
	}
	return err
}

func tableOf(file string) (table, bool) {
	i := slices.IndexFunc(tables, func(t table) bool { return t.file == file })
	return tables[max(i, 0)], i >= 0
}

// table brings every row of one table.
func (in *bringing) table(tx *db.Tx, t table) error {
	if t.whole && in.b.manifest.Counts[t.file] > 0 {
		if err := in.clear(tx, t); err != nil {
			return err
		}
	}
	put, err := in.prepare(tx, t)
	if err != nil {
		return err
	}
	defer put.close()
	err = in.each(t, func(l line) error {
		more, keep, err := in.look(tx, t, l)
		if err != nil || !keep {
			return err
		}
		values := slices.Concat(l.values, more)
		if t.parent != "" {
			values = slices.Clone(values)
			values[t.index(t.parent)] = nil // it may come later
		}
		return put.row(in.ctx, l, values)
	})
	if err == nil && t.parent != "" {
		err = in.parents(tx, t)
	}
	return err
}

// clear makes place for a table that comes as a whole.
func (in *bringing) clear(tx *db.Tx, t table) error {
	res, err := tx.ExecContext(in.ctx, `DELETE FROM `+t.name)
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if n > 0 {
		in.report.Changed = append(in.report.Changed, Item{ID: t.file, Why: fmt.Sprintf("the archive's took the place of the %d that were here", n)})
	}
	return err
}

// parents names for each row that has one the row above it, now that all are in.
func (in *bringing) parents(tx *db.Tx, t table) error {
	err := in.each(t, func(l line) error {
		parent := l.get(t, t.parent)
		if parent == "" {
			return nil
		}
		_, err := tx.ExecContext(in.ctx, `UPDATE `+t.name+` SET `+t.parent+` = $1 WHERE `+t.columns[0].name+` = $2`, parent, l.values[0])
		return conflict(t, l, err)
	})
	if err != nil {
		return err
	}
	rows, err := tx.QueryContext(in.ctx, `SELECT `+t.columns[0].name+`, `+t.parent+` FROM `+t.name+` WHERE `+t.parent+` IS NOT NULL`)
	above := map[string]string{}
	_, err = db.Rows(rows, err, func(r db.Scanner) (struct{}, error) {
		var id, parent string
		err := r.Scan(&id, &parent)
		above[id] = parent
		return struct{}{}, err
	})
	for id := range above {
		steps := 0
		for up := above[id]; up != ""; up = above[up] {
			if steps++; up == id || steps > len(above) {
				return refuse(t.fileName(), "one stands below itself", "id", id)
			}
		}
	}
	return err
}

// look counts a row, decides whether it comes in, and gives its derived columns.
func (in *bringing) look(tx *db.Tx, t table, l line) (derived []any, keep bool, err error) {
	r := &in.report
	switch t.file {
	case "sections":
		r.Sections++
	case "topics":
		r.Topics++
	case "authors":
		r.Authors++
	case "tiers":
		r.Tiers++
	case "comments":
		r.Comments++
	case "menus":
		r.Menus++
	case "readers":
		r.Readers++
	case "media":
		if in.lost[l.get(t, "id")] {
			return nil, false, nil
		}
		r.Media++
	case "stories":
		if err := story.Access(l.get(t, "access")).Check(); err != nil {
			return nil, false, refuse(l.place, why(err))
		}
		if l.get(t, "kind") == string(story.Page) {
			r.Pages++
		}
		r.Stories++
		in.stories++
	case "editions":
		return in.edition(tx, t, l)
	case "revisions":
		if in.lost[l.get(t, "edition_id")] {
			return nil, false, nil
		}
		if _, err := doc.Parse([]byte(l.get(t, "body"))); err != nil {
			in.skip(fmt.Sprintf("%s revision %d", l.get(t, "edition_id"), l.number(t, "seq")), l.get(t, "headline"), "its body is no document: "+err.Error())
			in.lost[fmt.Sprintf("%s/%d", l.get(t, "edition_id"), l.number(t, "seq"))] = true
			return nil, false, nil
		}
	case "redirects":
		if in.lost[l.get(t, "edition_id")] {
			in.skip(l.get(t, "path"), "", "the edition it leads to was skipped")
			return nil, false, nil
		}
		if !strings.HasPrefix(l.get(t, "path"), "/") {
			return nil, false, refuse(l.place, "path: it does not begin with a slash")
		}
		r.Redirects++
	case "staff":
		return in.staff(tx, t, l)
	default:
		return nil, !in.orphan(t, l), nil
	}
	return nil, true, nil
}

// orphan reports whether a line hangs on an edition, or a thread of comments,
// that was skipped. What hangs on it in turn is one too.
func (in *bringing) orphan(t table, l line) bool {
	for _, column := range []string{"edition_id", "thread_id"} {
		if t.index(column) >= 0 && in.lost[l.get(t, column)] {
			if t.index("id") >= 0 {
				in.lost[l.get(t, "id")] = true
			}
			return true
		}
	}
	return t.name == "revision_writer" && in.lost[fmt.Sprintf("%s/%d", l.get(t, "edition_id"), l.number(t, "seq"))]
}

// edition works out what an edition's row has beside its line, and tells the
// change that its coming is. Words that were changed here since stay.
func (in *bringing) edition(tx *db.Tx, t table, l line) (derived []any, keep bool, err error) {
	id, body := l.get(t, "id"), l.get(t, "body")
	skip := func(why string) ([]any, bool, error) {
		in.skip(id, l.get(t, "headline"), why)
		return nil, false, nil
	}
	parsed, err := doc.Parse([]byte(body))
	if err != nil {
		in.lost[id] = true
		return skip("its body is no document: " + err.Error())
	}
	path := l.get(t, "path")
	if path != "" && !strings.HasPrefix(path, "/") {
		return nil, false, refuse(l.place, "path: it does not begin with a slash")
	}
	c := story.Change{StoryID: l.get(t, "story_id"), EditionID: id, Lang: l.get(t, "lang"), Is: story.Status(l.get(t, "status")), Path: path}
	if c.Is == story.Published && path == "" {
		return nil, false, refuse(l.place, "path: a published edition must have one")
	}
	in.report.Editions++
	if c.Is == story.Published || c.Is == story.Scheduled {
		in.public[c.StoryID] = true
	}
	var was struct {
		headline, kicker, summary, body string
		path                            sql.NullString
		revision                        int64
	}
	err = tx.QueryRowContext(in.ctx, `SELECT status, path, headline, kicker, summary, body, revision FROM edition WHERE id = $1`, id).
		Scan(&c.Was, &was.path, &was.headline, &was.kicker, &was.summary, &was.body, &was.revision)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, false, err
	}
	if err == nil {
		revision := l.number(t, "revision")
		same := was.headline == l.get(t, "headline") && was.kicker == l.get(t, "kicker") && was.summary == l.get(t, "summary") && was.body == body
		if was.revision > revision || was.revision == revision && !same {
			return skip(fmt.Sprintf("it was changed here since: revision %d stands here, the archive has %d", was.revision, revision))
		}
		c.OldPath = was.path.String
	}
	in.changes = append(in.changes, c)
	return []any{int64(parsed.Words()), month(l.number(t, "published_at"), in.Stories.Location)}, true, nil
}

// staff lets those whose address is here under another ID be.
func (in *bringing) staff(tx *db.Tx, t table, l line) (derived []any, keep bool, err error) {
	var other string
	err = tx.QueryRowContext(in.ctx, `SELECT id FROM staff WHERE email_key = $1 AND id <> $2`, l.get(t, "email_key"), l.get(t, "id")).Scan(&other)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, true, nil
	}
	if err == nil {
		in.skip(l.get(t, "id"), l.get(t, "email"), "somebody with that address is here, and stays as he is")
	}
	return nil, false, err
}

func (in *bringing) skip(id, name, why string) {
	in.report.Skipped = append(in.report.Skipped, Item{ID: id, Name: name, Why: why})
}

// putter writes the rows of one table.
type putter struct {
	t             table
	upsert        *sql.Stmt
	drop, inserts []*sql.Stmt // by table.inside
}

func (in *bringing) prepare(tx *db.Tx, t table) (p *putter, err error) {
	p = &putter{t: t}
	prepare := func(statement string) *sql.Stmt {
		if err != nil {
			return nil
		}
		var s *sql.Stmt
		s, err = tx.PrepareContext(in.ctx, statement)
		return s
	}
	p.upsert = prepare(t.upsert())
	for _, inner := range t.inside {
		p.drop = append(p.drop, prepare(`DELETE FROM `+inner.name+` WHERE `+inner.parent+` = $1`))
		names := []string{inner.parent}
		for _, c := range inner.columns {
			names = append(names, c.name)
		}
		if inner.position {
			names = append(names, "position")
		}
		p.inserts = append(p.inserts, prepare(insert(inner.name, names)))
	}
	if err != nil {
		p.close()
		return nil, fmt.Errorf("%s: %w", t.fileName(), err)
	}
	return p, nil
}

func insert(name string, columns []string) string {
	marks := make([]string, len(columns))
	for i := range marks {
		marks[i] = fmt.Sprintf("$%d", i+1)
	}
	return `INSERT INTO ` + name + ` (` + strings.Join(columns, ", ") + `) VALUES (` + strings.Join(marks, ", ") + `)`
}

// upsert gives the statement that writes a row, over the one of the same key.
func (t table) upsert() string {
	var names, keys, sets []string
	for i, c := range t.columns {
		names = append(names, c.name)
		if i < t.keys {
			keys = append(keys, c.name)
		} else {
			sets = append(sets, c.name+" = excluded."+c.name)
		}
	}
	for _, name := range t.derived {
		names, sets = append(names, name), append(sets, name+" = excluded."+name)
	}
	then := `DO UPDATE SET ` + strings.Join(sets, ", ")
	if t.keep {
		then = `DO NOTHING`
	}
	return insert(t.name, names) + ` ON CONFLICT (` + strings.Join(keys, ", ") + `) ` + then
}

func (p *putter) close() {
	for _, s := range slices.Concat([]*sql.Stmt{p.upsert}, p.drop, p.inserts) {
		if s != nil {
			s.Close()
		}
	}
}

func (p *putter) row(ctx context.Context, l line, values []any) error {
	if _, err := p.upsert.ExecContext(ctx, values...); err != nil {
		return conflict(p.t, l, err)
	}
	for i, inner := range p.t.inside {
		if _, err := p.drop[i].ExecContext(ctx, l.values[0]); err != nil {
			return conflict(p.t, l, err)
		}
		for n, row := range l.inside[i] {
			args := slices.Concat([]any{l.values[0]}, row)
			if inner.position {
				args = append(args, n)
			}
			if _, err := p.inserts[i].ExecContext(ctx, args...); err != nil {
				return conflict(p.t, l, err)
			}
		}
	}
	return nil
}

// rowConflict is a row that the database refuses.
type rowConflict struct {
	t   table
	l   line
	err error
}

func (c *rowConflict) Error() string { return c.l.place + ": " + c.err.Error() }

// conflict tells a row that the database refuses from a fault of the database.
func conflict(t table, l line, err error) error {
	if err == nil {
		return nil
	}
	refused := false
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		refused = e.Code()&0xff == sqlite3.SQLITE_CONSTRAINT
	} else if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		refused = strings.HasPrefix(e.Code, "23") // integrity constraint violation
	}
	if refused {
		return &rowConflict{t, l, err}
	}
	return fmt.Errorf("%s: %w", l.place, err)
}

// explain looks up, after the transaction, what stands in a row's way.
func (in *bringing) explain(c *rowConflict) error {
	if !db.IsUnique(c.err) {
		return refuse(c.l.place, "it names what is neither here nor in the archive, or a value that is not allowed: "+c.err.Error())
	}
	key := c.t.columns[0].name
	for _, name := range []string{"slug", "path", "source", "email_key", "secret_hash", "story_id"} {
		i := c.t.index(name)
		if i < 1 || c.l.values[i] == nil {
			continue
		}
		where, args := name+" = $1 AND "+key+" <> $2", []any{c.l.values[i], c.l.values[0]}
		if lang := c.t.index("lang"); name == "story_id" && lang > 0 {
			where, args = where+" AND lang = $3", append(args, c.l.values[lang])
		}
		var other string
		err := in.DB.Read().QueryRowContext(in.ctx, `SELECT `+key+` FROM `+c.t.name+` WHERE `+where, args...).Scan(&other)
		if err == nil {
			return fault.New(fault.Conflict, fmt.Sprintf("%s: another of the %s here has the same %s; nothing was imported", c.l.place, c.t.file, c.t.columns[i].field),
				c.t.columns[i].field, c.l.values[i], "here", other).WithHint("change one of the two, or import into an empty newsroom")
		}
	}
	return fault.New(fault.Conflict, c.l.place+": what must be unique stands twice in the archive; nothing was imported", "fault", c.err.Error())
}
