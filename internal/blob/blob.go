package blob

import (
	"context"
	"io"
	"iter"
	"strings"
	"time"

	"masthead/internal/fault"
)

// Store keeps bytes by name. [Folder] and [S3] are the two there are; both may
// be used by many goroutines at once.
type Store interface {
	// Put stores what r gives under name, whole or not at all, in place of what
	// stood there. size is the number of bytes that r must give, or -1 when it is
	// not known. mime is the content's type; a folder does not keep it.
	Put(ctx context.Context, name string, r io.Reader, size int64, mime string) error
	// Open gives the bytes under name; the caller closes them. An absent name is
	// fault.NotFound.
	Open(ctx context.Context, name string) (io.ReadSeekCloser, Info, error)
	// Stat tells about name without reading it. An absent name is fault.NotFound.
	Stat(ctx context.Context, name string) (Info, error)
	// Delete removes name; an absent one is no error.
	Delete(ctx context.Context, name string) error
	// List gives the names that begin with prefix, in no promised order. prefix is
	// "" for all, or the beginning of a name. It ends after the first error.
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]
}

// Info tells about one blob.
type Info struct {
	Name    string
	Size    int64     // bytes
	ModTime time.Time // UTC
}

// CheckName refuses what cannot be a blob's name: it has at most 512 bytes, in
// parts of letters, digits, '-', '_' and '.', none of which is empty or begins
// with a full stop.
func CheckName(name string) error {
	if name == "" || len(name) > 512 {
		return badName(name)
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part[0] == '.' || strings.IndexFunc(part, foreign) >= 0 {
			return badName(name)
		}
	}
	return nil
}

func foreign(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_' || r == '.')
}

func badName(name string) error {
	return fault.New(fault.Invalid, "that is no name of a blob", "name", name)
}

func notFound(name string) error {
	return fault.New(fault.NotFound, "there is no such file", "name", name)
}

// checkPrefix allows what some name could begin with.
func checkPrefix(prefix string) error {
	if prefix == "" {
		return nil
	}
	if strings.HasSuffix(prefix, "/") {
		return CheckName(strings.TrimSuffix(prefix, "/"))
	}
	return CheckName(prefix)
}
