package archive

import (
	"archive/zip"
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"masthead/internal/fault"
)

// sink takes the files of an archive, one after another.
type sink interface {
	// create begins a file; closeFile ends it.
	create(name string, compress bool) (io.Writer, error)
	closeFile() error
	// finish writes the manifest, which makes the archive whole.
	finish(manifest []byte) error
	// abort removes what was written; after finish it does nothing.
	abort()
}

// newSink begins a new archive: a zip where target ends in ".zip", else a folder.
func newSink(target string) (sink, error) {
	if strings.EqualFold(filepath.Ext(target), ".zip") {
		return newZipSink(target)
	}
	return newFolderSink(target)
}

// newFolder makes the folder dir, or takes it when it is there and empty. made
// tells which.
func newFolder(dir string) (made bool, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return true, os.MkdirAll(dir, 0o750)
	}
	if err != nil {
		return false, err
	}
	if len(entries) > 0 {
		return false, fault.New(fault.Conflict, "the folder is not empty", "folder", dir).WithHint("name a new folder, or empty this one")
	}
	return false, nil
}

type folderSink struct {
	dir    string
	made   bool
	root   *os.Root
	file   *os.File
	buffer *bufio.Writer
}

func newFolderSink(dir string) (*folderSink, error) {
	made, err := newFolder(dir)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &folderSink{dir: dir, made: made, root: root}, nil
}

func (s *folderSink) create(name string, _ bool) (io.Writer, error) {
	if err := s.root.MkdirAll(path.Dir(name), 0o750); err != nil {
		return nil, err
	}
	// Whoever may read the archive reads every reader's address.
	file, err := s.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	s.file, s.buffer = file, bufio.NewWriterSize(file, 64<<10)
	return s.buffer, nil
}

func (s *folderSink) closeFile() error {
	err := errors.Join(s.buffer.Flush(), s.file.Sync(), s.file.Close())
	s.file = nil
	return err
}

func (s *folderSink) finish(manifest []byte) error {
	w, err := s.create(manifestName, true)
	if err != nil {
		return err
	}
	if _, err := w.Write(manifest); err != nil {
		return err
	}
	if err := s.closeFile(); err != nil {
		return err
	}
	err = syncFolder(s.dir)
	err = errors.Join(err, s.root.Close())
	s.root = nil
	return err
}

func (s *folderSink) abort() {
	if s.root == nil {
		return
	}
	if s.file != nil {
		s.file.Close()
	}
	// The folder was empty, so all that is in it was written here.
	if entries, err := fs.ReadDir(s.root.FS(), "."); err == nil {
		for _, e := range entries {
			s.root.RemoveAll(e.Name())
		}
	}
	s.root.Close()
	if s.made {
		os.Remove(s.dir)
	}
}

// syncFolder brings the names in dir to the disk.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// zipSink writes under a name of its own, and gives the zip its name when it is whole.
type zipSink struct {
	target string
	file   *os.File
	buffer *bufio.Writer
	zip    *zip.Writer
}

func newZipSink(target string) (*zipSink, error) {
	if _, err := os.Lstat(target); err == nil {
		return nil, fault.New(fault.Conflict, "the file is there already", "file", target).WithHint("name another, or remove it")
	}
	file, err := os.CreateTemp(filepath.Dir(target), ".masthead-export-*")
	if err != nil {
		return nil, err
	}
	buffer := bufio.NewWriterSize(file, 256<<10)
	return &zipSink{target: target, file: file, buffer: buffer, zip: zip.NewWriter(buffer)}, nil
}

// zipTime is what every entry bears; a zip knows no earlier one.
var zipTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

func (s *zipSink) create(name string, compress bool) (io.Writer, error) {
	h := &zip.FileHeader{Name: name, Modified: zipTime, Method: zip.Store}
	if compress {
		h.Method = zip.Deflate
	}
	h.SetMode(0o600)
	return s.zip.CreateHeader(h)
}

func (s *zipSink) closeFile() error { return nil }

func (s *zipSink) finish(manifest []byte) error {
	w, err := s.create(manifestName, true)
	if err != nil {
		return err
	}
	if _, err := w.Write(manifest); err != nil {
		return err
	}
	if err := errors.Join(s.zip.Close(), s.buffer.Flush(), s.file.Sync(), s.file.Close()); err != nil {
		return err
	}
	// A link, unlike a rename, never takes the place of a file that came meanwhile.
	if err := os.Link(s.file.Name(), s.target); errors.Is(err, fs.ErrExist) {
		return fault.New(fault.Conflict, "the file is there already", "file", s.target).WithHint("name another, or remove it")
	} else if err != nil { // no links on this file system
		if err := os.Rename(s.file.Name(), s.target); err != nil {
			return err
		}
	} else if err := os.Remove(s.file.Name()); err != nil {
		return err
	}
	s.zip = nil
	return syncFolder(filepath.Dir(s.target))
}

func (s *zipSink) abort() {
	if s.zip != nil {
		s.file.Close()
		os.Remove(s.file.Name())
	}
}

// summer counts and sums what passes.
type summer struct {
	w io.Writer
	h hash.Hash
	n int64
}

func newSummer(w io.Writer) *summer { return &summer{w: w, h: sha256.New()} }

func (s *summer) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	s.h.Write(p[:n])
	s.n += int64(n)
	return n, err
}

func (s *summer) hex() string { return hex.EncodeToString(s.h.Sum(nil)) }
