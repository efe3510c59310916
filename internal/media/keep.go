package media

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"masthead/internal/fault"
)

// Keep stores the bytes of u and gives the media that they make, which the
// caller then saves. A picture is encoded anew and, unless the store is lazy,
// its variants are made. Bytes that no row comes to own are found by [Store.Sweep].
//
// Faults: Invalid for a picture that is broken, SVG, or of a format that cannot
// be read; TooLarge for what the limits forbid.
func (s *Store) Keep(ctx context.Context, u Upload) (Media, error) {
	m := Media{Credit: u.Credit, Licence: u.Licence, Alts: u.Alts, Captions: u.Captions, Focal: u.Focal, Source: u.Source}
	if m.Focal == (Focal{}) {
		m.Focal = Middle
	}
	if err := m.Focal.Check(); err != nil {
		return Media{}, err
	}
	head := make([]byte, 1024)
	n, err := io.ReadFull(u.Content, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return Media{}, fmt.Errorf("media.Keep(%s): %w", u.Name, err)
	}
	if n == 0 {
		return Media{}, fault.New(fault.Invalid, "the file is empty", "name", u.Name)
	}
	head = head[:n]
	content := io.MultiReader(bytes.NewReader(head), u.Content)
	format, err := sniff(u.Name, head)
	if err != nil {
		return Media{}, err
	}
	if format.picture {
		err = s.keepPicture(ctx, &m, u.Name, format, content)
	} else {
		err = s.keepFile(ctx, &m, u.Name, format, content)
	}
	if err != nil {
		return Media{}, fmt.Errorf("media.Keep(%s): %w", u.Name, err)
	}
	return m, nil
}

func (s *Store) keepPicture(ctx context.Context, m *Media, name string, format format, r io.Reader) error {
	raw, err := io.ReadAll(io.LimitReader(r, s.Limits.PictureBytes+1))
	if err != nil {
		return err
	}
	if int64(len(raw)) > s.Limits.PictureBytes {
		return tooLarge(s.Limits.PictureBytes)
	}
	if err := s.takeTurn(ctx); err != nil {
		return err
	}
	defer s.endTurn()
	p, err := decode(raw, format, s.Limits.Pixels)
	if err != nil {
		return err
	}
	kept, ext, mime, err := p.encode()
	if err != nil {
		return err
	}
	sum := sha256.Sum256(kept)
	m.Kind, m.MIME, m.Name = Picture, mime, cleanName(name, ext)
	m.Width, m.Height = p.img.Bounds().Dx(), p.img.Bounds().Dy()
	m.Bytes, m.Hash = int64(len(kept)), hex.EncodeToString(sum[:])
	m.Blob = blobName(m.Hash, "original"+ext)
	if err := s.putOnce(ctx, m.Blob, bytes.NewReader(kept), m.Bytes, mime); err != nil {
		return err
	}
	if s.Lazy {
		return nil
	}
	return s.makeAll(ctx, m, p.img)
}

func (s *Store) keepFile(ctx context.Context, m *Media, name string, format format, r io.Reader) error {
	// The name is the hash, so the bytes must be read once before they can be put.
	spool, err := os.CreateTemp("", "masthead-upload-")
	if err != nil {
		return err
	}
	defer os.Remove(spool.Name())
	defer spool.Close()
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(spool, hash), io.LimitReader(r, s.Limits.FileBytes+1))
	if err != nil {
		return err
	}
	if n > s.Limits.FileBytes {
		return tooLarge(s.Limits.FileBytes)
	}
	if _, err := spool.Seek(0, io.SeekStart); err != nil {
		return err
	}
	m.Kind, m.MIME, m.Name = File, format.mime, cleanName(name, format.ext)
	m.Bytes, m.Hash = n, hex.EncodeToString(hash.Sum(nil))
	m.Blob = blobName(m.Hash, "original"+format.ext)
	return s.putOnce(ctx, m.Blob, spool, n, m.MIME)
}

// putOnce puts a blob that its name identifies, unless it is there.
func (s *Store) putOnce(ctx context.Context, name string, r io.Reader, size int64, mime string) error {
	info, err := s.blobs.Stat(ctx, name)
	if err == nil && info.Size == size {
		return nil
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return s.blobs.Put(ctx, name, r, size, mime)
}

func (s *Store) takeTurn(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Store) endTurn() { <-s.turn }

func tooLarge(limit int64) error {
	return fault.New(fault.TooLarge, "the file is too large", "limit", limit).WithHint("at most %d MB are taken", limit>>20)
}

// format is what a file's first bytes tell of it.
type format struct {
	mime    string
	ext     string // with its full stop; may be ""
	picture bool
}

var (
	formatJPEG = format{"image/jpeg", ".jpg", true}
	formatPNG  = format{"image/png", ".png", true}
	formatGIF  = format{"image/gif", ".gif", true}
	formatWebP = format{"image/webp", ".webp", true}
	formatTIFF = format{"image/tiff", ".tiff", true}
	formatBMP  = format{"image/bmp", ".bmp", true}
)

// magic tells a format by the bytes at an offset. The order matters: the first fits.
var magic = []struct {
	offset int
	bytes  string
	format format
}{
	{0, "\xff\xd8\xff", formatJPEG},
	{0, "\x89PNG\r\n\x1a\n", formatPNG},
	{0, "GIF87a", formatGIF},
	{0, "GIF89a", formatGIF},
	{8, "WEBPVP8", formatWebP},
	{0, "II*\x00", formatTIFF},
	{0, "MM\x00*", formatTIFF},
	{0, "%PDF-", format{"application/pdf", ".pdf", false}},
	{0, "ID3", format{"audio/mpeg", ".mp3", false}},
	{0, "\xff\xfb", format{"audio/mpeg", ".mp3", false}},
	{0, "\xff\xf3", format{"audio/mpeg", ".mp3", false}},
	{0, "OggS", format{"audio/ogg", ".ogg", false}},
	{0, "fLaC", format{"audio/flac", ".flac", false}},
	{8, "WAVE", format{"audio/wav", ".wav", false}},
	{4, "ftypM4A", format{"audio/mp4", ".m4a", false}},
	{4, "ftyp", format{"video/mp4", ".mp4", false}}, // HEIC and AVIF are refused before
	{0, "\x1a\x45\xdf\xa3", format{"video/webm", ".webm", false}},
}

// zipped are the documents that are ZIP archives; the ending tells them apart.
var zipped = map[string]string{
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	".odt":  "application/vnd.oasis.opendocument.text",
	".ods":  "application/vnd.oasis.opendocument.spreadsheet",
	".epub": "application/epub+zip",
	".zip":  "application/zip",
}

// sniff tells the format by the content, never by what the sender claims: the
// name's ending only chooses among formats that are handed out as downloads.
func sniff(name string, head []byte) (format, error) {
	ext := strings.ToLower(path.Ext(name))
	at := func(offset int, s string) bool {
		return len(head) >= offset && bytes.HasPrefix(head[offset:], []byte(s))
	}
	switch {
	case isSVG(head) || ext == ".svg" || ext == ".svgz":
		return format{}, fault.New(fault.Invalid, "SVG pictures can carry scripts and are not taken", "name", name).WithHint("save it as PNG or WebP")
	case at(4, "ftypheic"), at(4, "ftypheix"), at(4, "ftypmif1"), at(4, "ftypavif"), at(4, "ftypavis"):
		return format{}, fault.New(fault.Invalid, "HEIC and AVIF pictures cannot be read", "name", name).WithHint("save it as JPEG, PNG or WebP")
	case at(0, "BM") && len(head) >= 18 && head[6]|head[7]|head[8]|head[9] == 0 && head[15]|head[16]|head[17] == 0:
		return formatBMP, nil // two letters are little: the reserved words and the header's size must fit as well
	}
	for _, m := range magic {
		if at(m.offset, m.bytes) {
			return m.format, nil
		}
	}
	if at(0, "PK\x03\x04") {
		if mime, ok := zipped[ext]; ok {
			return format{mime, ext, false}, nil
		}
		return format{"application/zip", ".zip", false}, nil
	}
	if ext == ".txt" || ext == ".csv" {
		return format{"text/plain; charset=utf-8", ext, false}, nil
	}
	// Whatever else it is, it is only ever handed out as a download.
	if !plainEnding(ext) {
		ext = ".bin"
	}
	return format{"application/octet-stream", ext, false}, nil
}

// isSVG tells whether the first element of an XML or HTML text is svg.
func isSVG(head []byte) bool {
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(text) == 0 || text[0] != '<' {
		return false
	}
	return bytes.Contains(bytes.ToLower(text), []byte("<svg"))
}

func plainEnding(ext string) bool {
	if len(ext) < 2 || len(ext) > 8 {
		return false
	}
	for _, r := range ext[1:] {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') {
			return false
		}
	}
	return true
}
