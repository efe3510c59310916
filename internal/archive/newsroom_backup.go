package archive

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"masthead/internal/blob"
	"masthead/internal/db"
	"masthead/internal/fault"
)

// What a backup's folder has: the database and the blobs, so that it is a
// newsroom's folder itself, or the newsroom's export.
const (
	backupDB     = "masthead.db"
	backupBlobs  = "blobs"
	backupExport = "newsroom"
)

// Backup copies the newsroom, as of one moment, into the new folder target
// while others go on writing. files, such as masthead.toml, are copied beside;
// one that is not there is left out.
//
// On SQLite the folder is a newsroom's own: masthead.db and blobs/, to be served
// as it is. On PostgreSQL it has an export in newsroom/, which
// [Importer.ImportNewsroom] brings into an empty database: that needs no program
// of PostgreSQL's, and goes to another version of it or to SQLite as well.
//
// A target that is there and not empty is fault.Conflict. What fails leaves no
// backup behind.
func Backup(ctx context.Context, d *db.DB, blobs blob.Store, target string, files ...string) error {
	if err := backup(ctx, d, blobs, target, files); err != nil {
		return fmt.Errorf("archive.Backup(%s): %w", target, err)
	}
	return nil
}

func backup(ctx context.Context, d *db.DB, blobs blob.Store, target string, files []string) (err error) {
	made, err := newFolder(target)
	if err != nil {
		return err
	}
	defer func() {
		if err == nil {
			return
		}
		for _, name := range append([]string{backupDB, backupBlobs, backupExport}, baseNames(files)...) {
			os.RemoveAll(filepath.Join(target, name))
		}
		if made {
			os.Remove(target)
		}
	}()
	for _, file := range files {
		if err := copyFile(file, filepath.Join(target, filepath.Base(file))); err != nil {
			return err
		}
	}
	if d.Dialect == db.PostgreSQL {
		done, err := Export(ctx, d, blobs, filepath.Join(target, backupExport), nil)
		if err == nil {
			err = done.Problems.err()
		}
		if err != nil {
			return err
		}
		return syncFolder(target)
	}
	// What the copied database names is copied after it, since blobs are written
	// before their rows and never change.
	copied := filepath.Join(target, backupDB)
	if err := vacuumInto(ctx, d, copied); err != nil {
		return err
	}
	if err := copyBlobs(ctx, blobs, filepath.Join(target, backupBlobs)); err != nil {
		return err
	}
	return syncFolder(target)
}

// vacuumInto copies the database into a new file, on a connection of its own.
// It reads in one transaction, which keeps no writer waiting.
func vacuumInto(ctx context.Context, d *db.DB, file string) error {
	own, err := sql.Open("sqlite", "file:"+(&url.URL{Path: d.Name}).EscapedPath()+"?_pragma=busy_timeout(15000)")
	if err != nil {
		return err
	}
	_, err = own.ExecContext(ctx, `VACUUM INTO $1`, file)
	if err := errors.Join(err, own.Close()); err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	if err := os.Chmod(file, 0o600); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func copyBlobs(ctx context.Context, from blob.Store, dir string) error {
	to, err := blob.OpenFolder(dir)
	if err != nil {
		return err
	}
	defer to.Close()
	for info, err := range from.List(ctx, "") {
		if err != nil {
			return err
		}
		r, now, err := from.Open(ctx, info.Name)
		if fault.Is(err, fault.NotFound) {
			continue // swept since, for nothing owned it
		}
		if err != nil {
			return err
		}
		err = errors.Join(to.Put(ctx, info.Name, r, now.Size, ""), r.Close())
		if err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) error {
	r, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Sync(), w.Close())
}

func baseNames(files []string) []string {
	var names []string
	for _, f := range files {
		names = append(names, filepath.Base(f))
	}
	return names
}
