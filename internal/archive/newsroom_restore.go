package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"masthead/internal/blob"
	"masthead/internal/db"
	"masthead/internal/fault"
)

// restoreMark is the file that stands in a folder while a newsroom is brought
// back into it; it tells from where.
const restoreMark = "restore.unfinished"

// secretName is what may stand in a folder before: the newsroom's secret.
const secretName = "secret.key"

// Form is what a backup holds.
type Form int

// The forms of a backup.
const (
	Unknown  Form = iota
	Database      // masthead.db and blobs, as [Backup] copies an SQLite newsroom
	Newsroom      // what [Export] wrote, or a backup of a PostgreSQL newsroom
)

// FormOf tells what stands at path, and where in it the archive is that
// [Importer.ImportNewsroom] reads.
func FormOf(path string) (form Form, archive string) {
	stat := func(name string) bool {
		s, err := os.Stat(filepath.Join(path, name))
		return err == nil && s.Mode().IsRegular()
	}
	switch {
	case stat(backupDB):
		return Database, ""
	case stat(filepath.Join(backupExport, manifestName)):
		return Newsroom, filepath.Join(path, backupExport)
	case stat(manifestName), strings.HasSuffix(strings.ToLower(path), ".zip") && stat(""):
		return Newsroom, path
	}
	return Unknown, ""
}

// BeginRestore makes the folder dir ready for a newsroom to be brought back
// from the backup that from names, and marks it as unfinished until
// [EndRestore]. A folder that holds anything but a secret is fault.Conflict. One
// that an interrupted restore left is cleared, and again is true where that was
// from the same backup.
func BeginRestore(dir, from string) (again bool, err error) {
	if again, err = beginRestore(dir, from); err != nil {
		return again, fmt.Errorf("archive.BeginRestore(%s): %w", dir, err)
	}
	return again, nil
}

func beginRestore(dir, from string) (again bool, err error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return false, err
	}
	mark := filepath.Join(dir, restoreMark)
	content, err := os.ReadFile(mark)
	switch {
	case err == nil:
		if err := clearRestored(dir); err != nil {
			return false, err
		}
		again = string(content) == from+"\n"
	case !errors.Is(err, fs.ErrNotExist):
		return false, err
	default:
		entries, err := os.ReadDir(dir)
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() != secretName }) {
			return false, fault.New(fault.Conflict, "the folder is not empty", "folder", dir).
				WithHint("name a new folder with --dir; nothing is ever restored over a newsroom")
		}
	}
	f, err := os.OpenFile(mark, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o640)
	if err != nil {
		return false, err
	}
	_, err = f.WriteString(from + "\n")
	return again, errors.Join(err, f.Sync(), f.Close(), syncFolder(dir))
}

// clearRestored takes away what a restore writes, and nothing else.
func clearRestored(dir string) error {
	for _, name := range []string{backupDB, backupDB + "-wal", backupDB + "-shm", backupBlobs, "masthead.toml", "outbox"} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// EndRestore takes the mark away that [BeginRestore] made.
func EndRestore(dir string) error {
	if err := errors.Join(os.Remove(filepath.Join(dir, restoreMark)), syncFolder(dir)); err != nil {
		return fmt.Errorf("archive.EndRestore(%s): %w", dir, err)
	}
	return nil
}

// AbandonRestore leaves dir as [BeginRestore] found it.
func AbandonRestore(dir string) error {
	if err := errors.Join(clearRestored(dir), EndRestore(dir)); err != nil {
		return fmt.Errorf("archive.AbandonRestore(%s): %w", dir, err)
	}
	os.Remove(dir) // where it is empty
	return nil
}

// CheckRestored refuses a folder in which a restore was interrupted.
func CheckRestored(dir string) error {
	from, err := os.ReadFile(filepath.Join(dir, restoreMark))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("archive.CheckRestored(%s): %w", dir, err)
	}
	return fault.New(fault.Conflict, "the newsroom in "+dir+" was not restored to its end").
		WithHint("run it again: masthead restore %s --dir %s", strings.TrimSpace(string(from)), dir)
}

// RestoreFile copies one file of a backup to the path target; one that is not
// there is left out.
func RestoreFile(from, target string) error {
	if err := copyFile(from, target); err != nil {
		return fmt.Errorf("archive.RestoreFile(%s): %w", target, err)
	}
	return nil
}

// RestoreBlobs copies what the folder from has, and to has not, into to.
func RestoreBlobs(ctx context.Context, from string, to blob.Store) error {
	if err := restoreBlobs(ctx, from, to); err != nil {
		return fmt.Errorf("archive.RestoreBlobs(%s): %w", from, err)
	}
	return nil
}

func restoreBlobs(ctx context.Context, dir string, to blob.Store) error {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name != "." && strings.HasPrefix(d.Name(), ".") && d.IsDir() {
			return fs.SkipDir
		}
		if !d.Type().IsRegular() || blob.CheckName(name) != nil {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if there, err := to.Stat(ctx, name); err == nil && there.Size == info.Size() {
			return nil // a blob never changes
		}
		r, err := root.Open(name)
		if err != nil {
			return err
		}
		return errors.Join(to.Put(ctx, name, r, info.Size(), ""), r.Close())
	})
}

// CheckEmpty refuses a database that holds anything of a newsroom.
func CheckEmpty(ctx context.Context, d *db.DB) error {
	for _, t := range tables {
		var n int
		err := d.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM `+t.name+` LIMIT 1) AS one`).Scan(&n)
		if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == "42P01" {
			continue // undefined_table: it has never been used
		}
		if err != nil {
			return fmt.Errorf("archive.CheckEmpty(%s): %w", d.Name, err)
		}
		if n > 0 {
			return fault.New(fault.Conflict, "the database is not empty", "database", d.Name, "table", t.name).
				WithHint("make a new database and name it in MASTHEAD_DB; nothing is ever restored over a newsroom")
		}
	}
	return nil
}
