package archive

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"masthead/internal/blob"
	"masthead/internal/fault"
)

// bundle is an archive that is being read: a folder or a zip. Nothing of it is
// unpacked to names of its own choosing.
type bundle struct {
	manifest Manifest
	unlisted []string // what lies in it, and is not of it

	files map[string]bundled
	sums  map[string]FileSum
	close func() error
}

// bundled is one file of the folder or zip.
type bundled struct {
	size int64
	open func() (io.ReadCloser, error)
}

// openBundle opens the archive at path and reads its manifest. The caller
// closes it. What is no archive, or none that this program can read, is
// fault.Invalid or fault.TooLarge.
func openBundle(path string) (*bundle, error) {
	stat, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "there is no such archive", "path", path)
	}
	if err != nil {
		return nil, err
	}
	b := &bundle{files: map[string]bundled{}, sums: map[string]FileSum{}}
	if stat.IsDir() {
		err = b.openFolder(path)
	} else {
		err = b.openZip(path)
	}
	if err == nil {
		err = b.readManifest()
	}
	if err != nil {
		if b.close != nil {
			b.close()
		}
		return nil, err
	}
	return b, nil
}

// openFolder lists a folder. Its os.Root never leads out of it; links are
// refused even so, since an export has none.
func (b *bundle) openFolder(path string) error {
	root, err := os.OpenRoot(path)
	if err != nil {
		return err
	}
	b.close = root.Close
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if !d.Type().IsRegular() {
			return refuse(name, "it is a link or no plain file").WithHint("an archive has plain files alone: copy what it leads to in its place")
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return b.add(name, bundled{info.Size(), func() (io.ReadCloser, error) { return root.Open(name) }})
	})
}

func (b *bundle) add(name string, f bundled) error {
	if _, twice := b.files[name]; twice {
		return refuse(name, "the name stands twice in the archive")
	}
	if len(b.files) >= maxEntries {
		return fault.New(fault.TooLarge, "the archive has too many files", "limit", maxEntries)
	}
	b.files[name] = f
	return nil
}

func (b *bundle) openZip(path string) error {
	r, err := zip.OpenReader(path)
	if errors.Is(err, zip.ErrFormat) || errors.Is(err, io.ErrUnexpectedEOF) {
		return refuse(path, "it is neither a folder nor a whole zip").WithHint("give the folder or the zip that masthead export wrote")
	}
	if err != nil {
		return err
	}
	b.close = r.Close
	type span struct {
		from, to int64
		name     string
	}
	var spans []span
	for _, f := range r.File {
		// A name as "../x", "/x" or "C:\x" is never used as one, but who writes it means harm.
		if !fs.ValidPath(strings.TrimSuffix(f.Name, "/")) || strings.ContainsAny(f.Name, "\\:\x00") {
			return refuse(fmt.Sprintf("%q", f.Name), "that is no name of a file in an archive")
		}
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		if !f.Mode().IsRegular() {
			return refuse(f.Name, "it is a link or no plain file")
		}
		if f.Flags&1 != 0 {
			return refuse(f.Name, "it is encrypted").WithHint("unpack the zip, and import the folder")
		}
		if f.UncompressedSize64 > freeRatio && f.UncompressedSize64/maxRatio > f.CompressedSize64 {
			return fault.New(fault.TooLarge, f.Name+": it would unpack to more than "+fmt.Sprint(maxRatio)+" times its size").
				WithHint("if it is your own, unpack the zip and import the folder")
		}
		from, err := f.DataOffset()
		if err != nil {
			return refuse(f.Name, "the zip is damaged there: "+err.Error())
		}
		spans = append(spans, span{from, from + int64(f.CompressedSize64), f.Name})
		if err := b.add(f.Name, bundled{int64(f.UncompressedSize64), f.Open}); err != nil {
			return err
		}
	}
	// Entries that share bytes are how a small zip unpacks to a huge one.
	slices.SortFunc(spans, func(a, b span) int { return int(min(max(a.from-b.from, -1), 1)) })
	for i := 1; i < len(spans); i++ {
		if spans[i].from < spans[i-1].to {
			return refuse(spans[i].name, "its bytes are those of another file of the zip too")
		}
	}
	return nil
}

// readManifest reads masthead.json, and holds the archive against it: every
// file is listed once and there, with as many bytes.
func (b *bundle) readManifest() error {
	f, ok := b.files[manifestName]
	if !ok {
		for name := range b.files {
			if strings.HasSuffix(name, "/"+manifestName) {
				return refuse(name, "the manifest stands in a folder of its own").WithHint("give that folder, or zip its content")
			}
		}
		return refuse(manifestName, "it is missing, so this is no archive of a newsroom, or an export that was interrupted").
			WithHint("export again, or give the folder that has it")
	}
	if f.size > maxManifest {
		return fault.New(fault.TooLarge, manifestName+": it is too large", "limit", maxManifest)
	}
	r, err := f.open()
	if err != nil {
		return err
	}
	defer r.Close()
	content, err := io.ReadAll(io.LimitReader(r, maxManifest))
	if err != nil {
		return refuse(manifestName, "it cannot be read: "+err.Error())
	}
	var head struct {
		Format  string
		Version int
	}
	if err := json.Unmarshal(content, &head); err != nil {
		return refuse(manifestName, "it is not the JSON of a manifest: "+err.Error())
	}
	switch {
	case head.Format != newsroomFormat:
		return refuse(manifestName, "it is the manifest of something else", "format", clip(head.Format, 100))
	case head.Version > newsroomVersion:
		return refuse(manifestName, "the archive is newer than this program", "version", head.Version, "known", newsroomVersion).
			WithHint("import it with the version of masthead that wrote it, or a newer one")
	case head.Version < 1:
		return refuse(manifestName, "there is no such version", "version", head.Version)
	}
	dec := json.NewDecoder(bytes.NewReader(content))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&b.manifest); err != nil {
		return refuse(manifestName, err.Error())
	}
	return b.match()
}

func (b *bundle) match() error {
	for _, sum := range b.manifest.Files {
		name, isBlob := strings.CutPrefix(sum.Name, blobFolder)
		known := isBlob && blob.CheckName(name) == nil ||
			slices.ContainsFunc(tables, func(t table) bool { return t.fileName() == sum.Name })
		if !known {
			return refuse(manifestName, "it lists what no archive of this version has", "name", clip(sum.Name, 200))
		}
		if _, twice := b.sums[sum.Name]; twice {
			return refuse(manifestName, "it lists a file twice", "name", sum.Name)
		}
		b.sums[sum.Name] = sum
		f, ok := b.files[sum.Name]
		if !ok && !isBlob { // a picture that is missing costs that picture alone
			return refuse(sum.Name, "it is missing").WithHint("copy the archive again, whole")
		}
		if ok && f.size != sum.Bytes && !isBlob {
			return b.damaged(sum.Name)
		}
	}
	for _, t := range tables {
		if _, ok := b.sums[t.fileName()]; !ok {
			return refuse(manifestName, "it does not list "+t.fileName())
		}
	}
	for name := range b.files {
		if _, listed := b.sums[name]; !listed && name != manifestName {
			b.unlisted = append(b.unlisted, name)
		}
	}
	slices.Sort(b.unlisted)
	return nil
}

// check reads a file and compares it with the manifest.
func (b *bundle) check(ctx context.Context, name string) error {
	f, ok := b.files[name]
	if !ok {
		return refuse(name, "it is missing").WithHint("copy the archive again, whole")
	}
	r, err := f.open()
	if err != nil {
		return err
	}
	defer r.Close()
	sum, want := newSummer(io.Discard), b.sums[name]
	_, err = io.Copy(sum, untilDone{ctx, io.LimitReader(r, want.Bytes+1)})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil || sum.n != want.Bytes || sum.hex() != want.SHA256 {
		return b.damaged(name)
	}
	return nil
}

// damaged gives the fault of a file that is not what the manifest tells, with
// the first line that shows it.
func (b *bundle) damaged(name string) error {
	const hint = "copy the archive again, or export anew"
	if strings.HasSuffix(name, ".jsonl") {
		err := b.lines(name, func(n int, line []byte) error {
			if !json.Valid(line) {
				return refuse(fmt.Sprintf("%s:%d", name, n), "the line is cut off or damaged").WithHint(hint)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return refuse(name, "its bytes are not those that the manifest tells").WithHint(hint)
}

// lines calls fn with each line of a file, counted from 1. fn must not keep it.
func (b *bundle) lines(name string, fn func(n int, line []byte) error) error {
	r, err := b.files[name].open()
	if err != nil {
		return err
	}
	defer r.Close()
	in := bufio.NewReaderSize(r, 256<<10)
	var long []byte
	for n := 1; ; n++ {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long[:0], line...)
			for errors.Is(err, bufio.ErrBufferFull) {
				line, err = in.ReadSlice('\n')
				if long = append(long, line...); len(long) > maxLine {
					return fault.New(fault.TooLarge, fmt.Sprintf("%s:%d: the line is too long", name, n), "limit", maxLine)
				}
			}
			line = long
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return refuse(fmt.Sprintf("%s:%d", name, n), "it cannot be read: "+err.Error())
		}
		if len(line) == 0 {
			return nil
		}
		if failed := fn(n, line); failed != nil || err != nil {
			return failed
		}
	}
}

// untilDone ends a long read with its context.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}
