package media

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
)

// Content is what stands under an address, for http.ServeContent. Its address
// never comes to mean other bytes, so it may be cached for ever.
type Content struct {
	io.ReadSeekCloser
	Name       string // for Content-Disposition
	MIME       string // to be sent with X-Content-Type-Options: nosniff
	Size       int64
	ETag       string // strong, with its quotes
	ModTime    time.Time
	Attachment bool // a download, never to be shown in the page's own origin
}

// Open gives what stands under an address of [Media.Path], [Media.Card] or
// [Media.Original]; "/media/" before it may be left out. A variant that does
// not exist yet is made, if a picture with those bytes, that width and that
// focal point is in the database. Everything else is fault.NotFound.
func (s *Store) Open(ctx context.Context, path string) (Content, error) {
	hash, name, ok := strings.Cut(strings.TrimPrefix(path, "/media/"), "/")
	if !ok || !isHash(hash) || strings.Contains(name, "/") {
		return Content{}, errNoSuchFile(path)
	}
	c := Content{Name: name, ETag: `"` + hash[:20] + "-" + name + `"`}
	blobAt := blobName(hash, name)
	var create func() error
	if width, err := parseVariant(name); err == nil {
		c.MIME = "image/webp"
		create = func() error { return s.makeWidth(ctx, hash, width) }
	} else if focal, err := parseCard(name); err == nil {
		c.MIME = "image/jpeg"
		create = func() error { return s.makeFocal(ctx, hash, focal) }
	} else {
		m, err := s.named(ctx, hash, name)
		if err != nil {
			return Content{}, err
		}
		c.MIME, blobAt = m.MIME, m.Blob
		c.Attachment = m.Kind == File && !strings.HasPrefix(m.MIME, "audio/") && !strings.HasPrefix(m.MIME, "video/")
	}
	r, info, err := s.blobs.Open(ctx, blobAt)
	if create != nil && fault.Is(err, fault.NotFound) {
		if err := create(); err != nil {
			return Content{}, err
		}
		r, info, err = s.blobs.Open(ctx, blobAt)
	}
	if err != nil {
		return Content{}, fmt.Errorf("media.Open: %w", err)
	}
	c.ReadSeekCloser, c.Size, c.ModTime = r, info.Size, info.ModTime
	return c, nil
}

func isHash(s string) bool {
	return len(s) == 2*sha256.Size && strings.Trim(s, "0123456789abcdef") == ""
}

func (s *Store) named(ctx context.Context, hash, name string) (Media, error) {
	row := s.db.Read().QueryRowContext(ctx, "SELECT "+columns+" FROM media WHERE hash = $1 AND name = $2 ORDER BY id LIMIT 1", hash, name)
	return one(row, "media.Open", hash)
}

// makeWidth makes one variant of a picture whose pages show that width.
func (s *Store) makeWidth(ctx context.Context, hash string, width int) error {
	m, err := s.ByHash(ctx, s.db.Read(), hash)
	if err != nil {
		return err
	}
	for _, w := range m.Widths() {
		if w == width {
			return s.inTurn(ctx, &m, func() (bool, error) { return s.has(ctx, blobName(hash, variantName(width))) }, func() error {
				img, err := s.original(ctx, &m)
				if err != nil {
					return err
				}
				w, h := m.Size(width)
				return s.makeVariant(ctx, &m, scale(img, img.Bounds(), w, h))
			})
		}
	}
	return errNoSuchFile(variantName(width))
}

// makeFocal makes the card of a picture that has that focal point.
func (s *Store) makeFocal(ctx context.Context, hash string, f Focal) error {
	row := s.db.Read().QueryRowContext(ctx, "SELECT "+columns+` FROM media
		WHERE hash = $1 AND kind = 'picture' AND focal_x = $2 AND focal_y = $3 ORDER BY id LIMIT 1`, hash, f.X, f.Y)
	m, err := one(row, "media.Open", hash)
	if err != nil {
		return err
	}
	return s.inTurn(ctx, &m, func() (bool, error) { return s.has(ctx, blobName(hash, cardName(f))) }, func() error {
		img, err := s.original(ctx, &m)
		if err != nil {
			return err
		}
		return s.makeCard(ctx, &m, img)
	})
}

// inTurn runs work when it is m's turn and nobody has done it meanwhile.
func (s *Store) inTurn(ctx context.Context, m *Media, done func() (bool, error), work func() error) error {
	if err := s.takeTurn(ctx); err != nil {
		return err
	}
	defer s.endTurn()
	ready, err := done()
	if err == nil && !ready {
		err = work()
	}
	if err != nil {
		return fmt.Errorf("media: variant of %s: %w", m.ID, err)
	}
	return nil
}

// OpenOriginal gives the kept original's bytes, for an export.
func (s *Store) OpenOriginal(ctx context.Context, m *Media) (io.ReadSeekCloser, error) {
	r, _, err := s.blobs.Open(ctx, m.Blob)
	if err != nil {
		return nil, fmt.Errorf("media.OpenOriginal(%s): %w", m.ID, err)
	}
	return r, nil
}

// Restore stores a kept original that [Store.OpenOriginal] gave, as it is, and
// saves m with the ID it has: the way back from an export. Bytes that do not
// have m's hash, or whose content is not of m's type, are fault.Invalid.
func (s *Store) Restore(ctx context.Context, tx db.Queryer, m *Media, r io.Reader) error {
	if m.ID == "" || !isHash(m.Hash) || m.Name != cleanName(m.Name, ending(m.Name)) {
		return fault.New(fault.Invalid, "the archive tells a picture or file that cannot be", "id", m.ID, "name", m.Name)
	}
	probe := Media{}
	head := make([]byte, 1024)
	n, err := io.ReadFull(r, head)
	if err != nil && n == 0 {
		return fault.New(fault.Invalid, "the picture or file is empty", "id", m.ID)
	}
	f, err := sniff(m.Name, head[:n])
	if err != nil {
		return err
	}
	if err := s.keepFile(ctx, &probe, m.Name, f, io.MultiReader(bytes.NewReader(head[:n]), r)); err != nil {
		return fmt.Errorf("media.Restore(%s): %w", m.ID, err)
	}
	if probe.Hash != m.Hash || probe.Bytes != m.Bytes || f.picture != (m.Kind == Picture) || f.mime != m.MIME {
		return fault.New(fault.Invalid, "the bytes are not those of the picture or file", "id", m.ID, "hash", probe.Hash, "type", f.mime)
	}
	m.Blob = probe.Blob
	return s.Save(ctx, tx, m)
}

func ending(name string) string {
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		return name[i:]
	}
	return ""
}

// Verify reads the kept original of m and compares it with what its row tells;
// a difference is fault.Invalid, an absent blob fault.NotFound.
func (s *Store) Verify(ctx context.Context, m *Media) error {
	r, _, err := s.blobs.Open(ctx, m.Blob)
	if err != nil {
		return fmt.Errorf("media.Verify(%s): %w", m.ID, err)
	}
	defer r.Close()
	hash := sha256.New()
	n, err := io.Copy(hash, r)
	if err != nil {
		return fmt.Errorf("media.Verify(%s): %w", m.ID, err)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != m.Hash || n != m.Bytes {
		return fault.New(fault.Invalid, "the bytes are not those that were kept", "id", m.ID, "hash", got, "bytes", n)
	}
	return nil
}

// Sweep deletes the blobs of media that no row owns and that are older than
// age, which leaves time to uploads that are not saved yet. It gives their number.
func (s *Store) Sweep(ctx context.Context, age time.Duration) (deleted int, err error) {
	before := s.Now().Add(-age)
	owned, last := false, ""
	for info, err := range s.blobs.List(ctx, "media/") {
		if err != nil {
			return deleted, fmt.Errorf("media.Sweep: %w", err)
		}
		parts := strings.Split(info.Name, "/")
		if len(parts) != 4 || !isHash(parts[2]) || info.ModTime.After(before) {
			continue
		}
		if hash := parts[2]; hash != last {
			_, err := s.ByHash(ctx, s.db.Read(), hash)
			if err != nil && !fault.Is(err, fault.NotFound) {
				return deleted, err
			}
			owned, last = err == nil, hash
		}
		if owned {
			continue
		}
		if err := s.blobs.Delete(ctx, info.Name); err != nil {
			return deleted, fmt.Errorf("media.Sweep: %w", err)
		}
		deleted++
	}
	return deleted, nil
}
