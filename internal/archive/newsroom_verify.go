package archive

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"masthead/internal/blob"
	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/media"
	"masthead/internal/story"
)

// Problem is one thing that is not as it must be.
type Problem struct {
	Where string `json:"where"` // "edition 0192…", "redirect /old/"
	What  string `json:"what"`
	Do    string `json:"do"` // what mends it
}

// Problems is what a check has found; empty when all is well.
type Problems []Problem

// WriteText writes each problem with what to do, or that there is none.
func (p Problems) WriteText(w io.Writer) error {
	if len(p) == 0 {
		_, err := fmt.Fprintln(w, "verify: all is well")
		return err
	}
	var b strings.Builder
	for _, one := range p {
		fmt.Fprintf(&b, "verify: %s: %s\n  %s\n", one.Where, one.What, one.Do)
	}
	fmt.Fprintf(&b, "verify: %s\n", plural(len(p), "problem", "problems"))
	_, err := io.WriteString(w, b.String())
	return err
}

// What mends each kind of problem.
const (
	restoreDB    = "stop the server and restore the newest backup that verifies"
	brokenJSON   = "restore the row from a backup, or write the right JSON into it"
	brokenBody   = "open the story's revisions in the desk and bring back the newest one that can be read, or restore it from a backup"
	noPath       = "withdraw the edition and publish it again: that gives it an address"
	missingBlob  = "copy the blob of that name from a backup, or delete the picture or file in the desk"
	damagedBlob  = "replace the blob of that name by the one of a backup, or upload the picture or file anew"
	deadRedirect = "point the redirect to where its readers should go, or delete it"
	orphan       = "restore the row it names from a backup, or delete this one"
)

// Verify reads the whole newsroom and names what is damaged: the database
// itself (SQLite), rows that name what is not there, documents that cannot be
// read, published editions without an address, redirects that lead nowhere, and
// originals of pictures and files that are missing or changed. It changes nothing.
func Verify(ctx context.Context, d *db.DB, blobs blob.Store) (Problems, error) {
	v := &verifying{ctx: ctx, q: d.Read(), sqlite: d.Dialect == db.SQLite, blobs: blobs, problems: Problems{}}
	if err := v.all(); err != nil {
		return v.problems, fmt.Errorf("archive.Verify(%s): %w", d.Name, err)
	}
	return v.problems, nil
}

// VerifyBackup checks a folder that [Backup] made, without changing a byte of
// it, or an export: a folder or a zip.
func VerifyBackup(ctx context.Context, folder string) (Problems, error) {
	problems, err := verifyBackup(ctx, folder)
	if err != nil {
		return problems, fmt.Errorf("archive.VerifyBackup(%s): %w", folder, err)
	}
	return problems, nil
}

func verifyBackup(ctx context.Context, folder string) (Problems, error) {
	file := filepath.Join(folder, backupDB)
	if stat, err := os.Stat(file); err != nil || !stat.Mode().IsRegular() {
		if export := filepath.Join(folder, backupExport); isFolder(export) {
			folder = export
		}
		return verifyArchive(ctx, folder)
	}
	// An immutable file is read without a lock and without a journal beside it.
	d, err := sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+"?mode=ro&immutable=1")
	if err != nil {
		return nil, err
	}
	defer d.Close()
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	v := &verifying{ctx: ctx, q: d, sqlite: true, blobs: readBlobs{root: root}, problems: Problems{}}
	err = v.all()
	return v.problems, err
}

func isFolder(path string) bool {
	stat, err := os.Stat(path)
	return err == nil && stat.IsDir()
}

// readBlobs are the blobs of a backup, to be opened and nothing else: its folder
// may be on a medium that cannot be written.
type readBlobs struct {
	blob.Store
	root *os.Root
}

func (b readBlobs) Open(_ context.Context, name string) (io.ReadSeekCloser, blob.Info, error) {
	if err := blob.CheckName(name); err != nil {
		return nil, blob.Info{}, err
	}
	f, err := b.root.Open(backupBlobs + "/" + name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, blob.Info{}, fault.New(fault.NotFound, "there is no such file", "name", name)
	}
	return f, blob.Info{Name: name}, err
}

// verifyArchive compares every file with the manifest.
func verifyArchive(ctx context.Context, path string) (Problems, error) {
	problems := Problems{}
	note := func(where string, err error) {
		do := fault.Hint(err)
		if do == "" {
			do = "copy the archive again, or export anew"
		}
		problems = append(problems, Problem{Where: where, What: fault.Message(err), Do: do})
	}
	b, err := openBundle(path)
	if err != nil && fault.KindOf(err) != fault.Internal {
		note(path, err)
		return problems, nil
	}
	if err != nil {
		return nil, err
	}
	defer b.close()
	for _, sum := range b.manifest.Files {
		if err := b.check(ctx, sum.Name); err != nil && fault.KindOf(err) == fault.Internal {
			return problems, err
		} else if err != nil {
			note(sum.Name, err)
		}
	}
	return problems, nil
}

// err gives the problems as one fault; nil where there are none.
func (p Problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, fmt.Sprintf("%s: %s (%s in all)", p[0].Where, p[0].What, plural(len(p), "problem", "problems"))).
		WithHint("%s; masthead verify names all", p[0].Do)
}

// verifying is one check under way.
type verifying struct {
	ctx      context.Context
	q        *sql.DB
	sqlite   bool
	blobs    blob.Store
	problems Problems
}

func (v *verifying) note(where, what, do string) {
	v.problems = append(v.problems, Problem{Where: where, What: what, Do: do})
}

func (v *verifying) all() error {
	if v.sqlite {
		whole, err := v.database()
		if err != nil || !whole {
			return err // what is read from a broken file says nothing
		}
	}
	for _, check := range []func() error{v.documents, v.editions, v.media, v.redirects} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// database asks SQLite about the file and about rows that name what is not there.
func (v *verifying) database() (whole bool, err error) {
	rows, err := v.q.QueryContext(v.ctx, `PRAGMA integrity_check(20)`)
	found, err := db.Rows(rows, err, func(r db.Scanner) (s string, err error) { return s, r.Scan(&s) })
	if err != nil {
		v.note("the database", err.Error(), restoreDB)
		return false, v.ctx.Err()
	}
	whole = true
	for _, s := range found {
		if s != "ok" {
			v.note("the database", s, restoreDB)
			whole = false
		}
	}
	if !whole {
		return false, nil
	}
	rows, err = v.q.QueryContext(v.ctx, `PRAGMA foreign_key_check`)
	_, err = db.Rows(rows, err, func(r db.Scanner) (struct{}, error) {
		var name, parent string
		var row sql.NullInt64
		var n int
		err := r.Scan(&name, &row, &parent, &n)
		if err == nil {
			v.note(fmt.Sprintf("%s row %d", name, row.Int64), "it names a row of "+parent+" that is not there", orphan)
		}
		return struct{}{}, err
	})
	return true, err
}

// documents reads everything that is kept as JSON, as an import would.
func (v *verifying) documents() error {
	for _, t := range tables {
		for _, c := range t.columns {
			if c.form != asObject && c.form != asList && c.form != asDocument && c.form != asWorking {
				continue
			}
			var keys []string
			for _, k := range t.columns[:t.keys] {
				keys = append(keys, "CAST("+k.name+" AS TEXT)")
			}
			rows, err := v.q.QueryContext(v.ctx, `SELECT `+strings.Join(keys, ` || '/' || `)+`, `+c.name+` FROM `+t.name+` ORDER BY 1`)
			_, err = db.Rows(rows, err, func(r db.Scanner) (struct{}, error) {
				var key, content string
				if err := r.Scan(&key, &content); err != nil {
					return struct{}{}, err
				}
				if c.form == asDocument {
					if _, err := doc.Parse([]byte(content)); err != nil {
						v.note(t.name+" "+key, "its body cannot be read: "+err.Error(), brokenBody)
					}
				} else if !json.Valid([]byte(content)) {
					v.note(t.name+" "+key, c.field+" is not JSON", brokenJSON)
				} else if _, err := c.parse(json.RawMessage(content)); err != nil && content != "null" {
					v.note(t.name+" "+key, c.field+": "+err.Error(), brokenJSON)
				}
				return struct{}{}, nil
			})
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
		}
	}
	return nil
}

func (v *verifying) editions() error {
	rows, err := v.q.QueryContext(v.ctx, `SELECT id, headline FROM edition
		WHERE status IN ('published', 'scheduled', 'withdrawn') AND (path IS NULL OR path = '') ORDER BY id`)
	_, err = db.Rows(rows, err, func(r db.Scanner) (struct{}, error) {
		var id, headline string
		err := r.Scan(&id, &headline)
		if err == nil {
			v.note("edition "+id+" ("+headline+")", "it is public, and has no address", noPath)
		}
		return struct{}{}, err
	})
	return err
}

func (v *verifying) media() error {
	rows, err := v.q.QueryContext(v.ctx, `SELECT id, name, bytes, hash, blob FROM media ORDER BY id`)
	all, err := db.Rows(rows, err, func(r db.Scanner) (m media.Media, err error) {
		return m, r.Scan(&m.ID, &m.Name, &m.Bytes, &m.Hash, &m.Blob)
	})
	if err != nil {
		return err
	}
	pictures := media.NewStore(nil, v.blobs)
	for _, m := range all {
		err := pictures.Verify(v.ctx, &m)
		where := "media " + m.ID + " (" + m.Name + "), blob " + m.Blob
		switch {
		case err == nil:
		case v.ctx.Err() != nil:
			return v.ctx.Err()
		case fault.Is(err, fault.NotFound):
			v.note(where, "the bytes are not there", missingBlob)
		case fault.Is(err, fault.Invalid):
			v.note(where, fault.Message(err), damagedBlob)
		default:
			v.note(where, "the bytes cannot be read: "+err.Error(), damagedBlob)
		}
	}
	return nil
}

// redirects follows every old address to where it leads. Of this site's own
// pages only those that are made of rows can be told to be missing.
func (v *verifying) redirects() error {
	rows, err := v.q.QueryContext(v.ctx, `SELECT r.path, CASE WHEN r.edition_id IS NULL THEN r.target ELSE COALESCE(e.path, '') END,
			COALESCE(e.status, '') FROM redirect r LEFT JOIN edition e ON e.id = r.edition_id ORDER BY r.path`)
	type redirect struct{ path, target, status string }
	all, err := db.Rows(rows, err, func(r db.Scanner) (x redirect, err error) {
		return x, r.Scan(&x.path, &x.target, &x.status)
	})
	if err != nil {
		return err
	}
	leads := make(map[string]string, len(all))
	for _, r := range all {
		leads[r.path] = r.target
	}
	next := func(path string) (string, bool) {
		for _, p := range []string{path, strings.TrimSuffix(path, "/"), path + "/"} {
			if to, ok := leads[p]; ok {
				return to, true
			}
		}
		return "", false
	}
	for _, r := range all {
		where := "redirect " + r.path
		switch {
		case r.target == "" && r.status != "":
			v.note(where, "it leads to an edition that has no address yet ("+r.status+")", deadRedirect)
			continue
		case r.target == "":
			v.note(where, "it leads nowhere", deadRedirect)
			continue
		}
		target, steps := r.target, 0
		for ; steps <= 20 && strings.HasPrefix(target, "/"); steps++ {
			found, err := v.stands(target)
			if err != nil {
				return err
			}
			to, more := next(pathOf(target))
			if found || !more {
				if !found {
					v.note(where, "it leads to "+target+", where nothing is", deadRedirect)
				}
				break
			}
			target = to
		}
		if steps > 20 {
			v.note(where, "it leads round in a circle", deadRedirect)
		}
	}
	return nil
}

func pathOf(target string) string {
	if i := strings.IndexAny(target, "?#"); i >= 0 {
		return target[:i]
	}
	return target
}

// stands reports whether an address of this site has something: an edition, a
// section, a topic, an author, or a page that the program itself makes.
func (v *verifying) stands(target string) (bool, error) {
	path := pathOf(target)
	if plain, err := url.PathUnescape(path); err == nil {
		path = plain
	}
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if len(parts) > 1 && len(parts[0]) <= 3 { // behind the language
		parts = parts[1:]
	}
	var one int
	err := v.q.QueryRowContext(v.ctx, `SELECT 1 FROM edition WHERE path IN ($1, $2)`, path, strings.TrimSuffix(path, "/")+"/").Scan(&one)
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return err == nil, err
	}
	table, slug := "section", parts[0]
	switch {
	case len(parts) == 2 && (parts[0] == "topic" || parts[0] == "author"):
		table, slug = parts[0], parts[1]
	case len(parts) == 3 && len(parts[0]) == 4 && strings.Trim(parts[0], "0123456789") == "": // a story's, and there is none
		return false, nil
	case parts[0] == "" || parts[0] == "about" || parts[0] == "privacy" || strings.Contains(parts[len(parts)-1], ".") || story.Reserved(parts[0]):
		return true, nil // the front page, a feed or file, a page of the program, a language or a month
	case len(parts) > 1:
		return false, nil
	}
	err = v.q.QueryRowContext(v.ctx, `SELECT 1 FROM `+table+` WHERE slug = $1`, slug).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
