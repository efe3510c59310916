package archive

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"unicode/utf8"

	"masthead/internal/fault"
)

// source is an export's file, read as UTF-8 from its beginning.
type source struct {
	*bufio.Reader
	file  *os.File
	name  string // its last part, for messages
	size  int64
	check *utf8Reader
}

// openSource opens an export, and refuses what is no text in UTF-8: a folder,
// UTF-16, a ZIP. A byte order mark is left out. progress may be nil.
func openSource(path string, progress func(done int64)) (*source, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "there is no such file", "file", path)
	}
	if errors.Is(err, os.ErrPermission) {
		return nil, fault.New(fault.Forbidden, "the file may not be read", "file", path)
	}
	if err != nil {
		return nil, fmt.Errorf("archive: open %s: %w", path, err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("archive: open %s: %w", path, err)
	}
	name := filepath.Base(path)
	bad := func(message, hint string) (*source, error) {
		f.Close()
		return nil, fault.New(fault.Invalid, message, "file", name).WithHint("%s", hint)
	}
	if !info.Mode().IsRegular() {
		return bad("the export is not a file", "name the one file that the old site's export gave")
	}
	s := &source{file: f, name: name, size: info.Size(), check: &utf8Reader{r: f, name: name, progress: progress}}
	s.Reader = bufio.NewReaderSize(s.check, 256<<10)
	head := make([]byte, 4)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		f.Close()
		return nil, fmt.Errorf("archive: read %s: %w", path, err)
	}
	head = head[:n]
	switch {
	case n == 0:
		return bad("the file is empty", "export it again from the old site")
	case bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) || n >= 2 && (head[0] == 0) != (head[1] == 0):
		return bad("the file is written in UTF-16, not in UTF-8", "convert it with: iconv -f UTF-16 -t UTF-8 "+name+" > utf8-"+name)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return bad("the file is compressed", "unpack it and name the file inside")
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		if _, err := s.Discard(3); err != nil {
			f.Close()
			return nil, err
		}
	}
	return s, nil
}

// Close closes the file.
func (s *source) Close() error { return s.file.Close() }

// utf8Reader passes on what is UTF-8 and fails at the first byte that is not.
type utf8Reader struct {
	r        io.Reader
	name     string
	done     int64 // bytes passed on
	tail     [utf8.UTFMax]byte
	held     int // bytes of a rune that the last read cut
	progress func(done int64)
	err      error
}

// Read reads at least one whole rune, or fails.
func (u *utf8Reader) Read(p []byte) (int, error) {
	if u.err != nil {
		return 0, u.err
	}
	if len(p) < 2*utf8.UTFMax {
		return 0, io.ErrShortBuffer // bufio never asks for so little
	}
	copy(p, u.tail[:u.held])
	n, err := u.r.Read(p[u.held:])
	n += u.held
	u.held = 0
	whole := n
	if err == nil { // a rune may go on in the next read
		for i := 1; i <= min(utf8.UTFMax-1, n); i++ {
			if c := p[n-i]; utf8.RuneStart(c) {
				if !utf8.FullRune(p[n-i : n]) {
					whole = n - i
				}
				break
			}
		}
	}
	if !utf8.Valid(p[:whole]) {
		at := 0
		for at < whole {
			r, size := utf8.DecodeRune(p[at:whole])
			if r == utf8.RuneError && size == 1 {
				break
			}
			at += size
		}
		u.err = fault.New(fault.Invalid, "the file is not written in UTF-8", "file", u.name, "byte", u.done+int64(at)).
			WithHint("if it was saved in a Western encoding, convert it with: iconv -f WINDOWS-1252 -t UTF-8 %s > utf8-%s", u.name, u.name)
		whole = at
	} else {
		u.held = copy(u.tail[:], p[whole:n])
		u.err = err
	}
	u.done += int64(whole)
	if u.progress != nil {
		u.progress(u.done)
	}
	if whole == 0 {
		if u.err == nil {
			return 0, nil // bufio asks again
		}
		return 0, u.err
	}
	return whole, nil
}
