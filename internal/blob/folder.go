package blob

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"strings"
	"time"

	"masthead/internal/fault"
)

// Folder keeps blobs as files below one folder, and never reaches out of it,
// not through a symbolic link either.
type Folder struct {
	root *os.Root
}

// unfinished is where files are written before they get their name. No blob's
// name begins with a full stop.
const unfinished = ".unfinished"

// OpenFolder opens the folder dir, which is made when absent, and clears it of
// what an interrupted Put left more than a day ago.
func OpenFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("blob.OpenFolder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("blob.OpenFolder: %w", err)
	}
	if err := root.MkdirAll(unfinished, 0o750); err != nil {
		root.Close()
		return nil, fmt.Errorf("blob.OpenFolder: %w", err)
	}
	f := &Folder{root: root}
	if err := f.clear(time.Now().Add(-24 * time.Hour)); err != nil {
		root.Close()
		return nil, fmt.Errorf("blob.OpenFolder: %w", err)
	}
	return f, nil
}

// clear removes unfinished files older than before; younger ones may be
// another program's that is still writing.
func (f *Folder) clear(before time.Time) error {
	left, err := fs.ReadDir(f.root.FS(), unfinished)
	if err != nil {
		return err
	}
	for _, e := range left {
		stat, err := e.Info()
		if err != nil || !stat.ModTime().Before(before) {
			continue
		}
		if err := f.root.Remove(path.Join(unfinished, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Close gives the folder back to the system.
func (f *Folder) Close() error { return f.root.Close() }

// Put implements [Store]. When it returns, the file and its name are on the disk.
func (f *Folder) Put(ctx context.Context, name string, r io.Reader, size int64, _ string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if err := f.put(ctx, name, r, size); err != nil {
		return fmt.Errorf("blob: put %s: %w", name, fault.NoRoom(err))
	}
	return nil
}

func (f *Folder) put(ctx context.Context, name string, r io.Reader, size int64) error {
	temporary := path.Join(unfinished, rand.Text())
	file, err := f.root.OpenFile(temporary, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	defer f.root.Remove(temporary) // after the rename there is none
	n, err := io.Copy(file, reader{ctx, r})
	if err == nil && size >= 0 && n != size {
		err = fmt.Errorf("%d bytes came, %d were told: %w", n, size, io.ErrUnexpectedEOF)
	}
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	dir := path.Dir(name)
	if err := f.root.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	if err := f.root.Rename(temporary, name); err != nil {
		return err
	}
	// A new name is on the disk only when each folder down to it is.
	for ; ; dir = path.Dir(dir) {
		if err := f.sync(dir); err != nil {
			return err
		}
		if dir == "." {
			return nil
		}
	}
}

func (f *Folder) sync(dir string) error {
	d, err := f.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// reader stops a long copy when ctx ends.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// Open implements [Store].
func (f *Folder) Open(ctx context.Context, name string) (io.ReadSeekCloser, Info, error) {
	if err := CheckName(name); err != nil {
		return nil, Info{}, err
	}
	file, err := f.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Info{}, notFound(name)
	}
	if err != nil {
		return nil, Info{}, fmt.Errorf("blob: open %s: %w", name, err)
	}
	stat, err := file.Stat()
	if err != nil {
		return nil, Info{}, errors.Join(fmt.Errorf("blob: open %s: %w", name, err), file.Close())
	}
	if !stat.Mode().IsRegular() {
		file.Close()
		return nil, Info{}, notFound(name)
	}
	return file, info(name, stat), nil
}

// Stat implements [Store].
func (f *Folder) Stat(ctx context.Context, name string) (Info, error) {
	if err := CheckName(name); err != nil {
		return Info{}, err
	}
	stat, err := f.root.Stat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !stat.Mode().IsRegular() {
		return Info{}, notFound(name)
	}
	if err != nil {
		return Info{}, fmt.Errorf("blob: stat %s: %w", name, err)
	}
	return info(name, stat), nil
}

func info(name string, stat fs.FileInfo) Info {
	return Info{Name: name, Size: stat.Size(), ModTime: stat.ModTime().UTC()}
}

// Delete implements [Store].
func (f *Folder) Delete(ctx context.Context, name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if err := f.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("blob: delete %s: %w", name, err)
	}
	return nil
}

// List implements [Store].
func (f *Folder) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		if err := checkPrefix(prefix); err != nil {
			yield(Info{}, err)
			return
		}
		dir := path.Dir(prefix + "x") // the folder that all such names lie in
		if _, err := f.walk(ctx, dir, prefix, yield); err != nil {
			yield(Info{}, fmt.Errorf("blob: list %s: %w", prefix, err))
		}
	}
}

// walk yields the files below dir that begin with prefix.
func (f *Folder) walk(ctx context.Context, dir, prefix string, yield func(Info, error) bool) (more bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	entries, err := fs.ReadDir(f.root.FS(), dir)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		switch {
		case strings.HasPrefix(e.Name(), "."):
		case e.IsDir():
			if below := name + "/"; strings.HasPrefix(below, prefix) || strings.HasPrefix(prefix, below) {
				if more, err := f.walk(ctx, name, prefix, yield); err != nil || !more {
					return more, err
				}
			}
		case e.Type().IsRegular() && strings.HasPrefix(name, prefix):
			stat, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) {
				continue // deleted since
			}
			if err != nil {
				return false, err
			}
			if !yield(info(name, stat), nil) {
				return false, nil
			}
		}
	}
	return true, nil
}
