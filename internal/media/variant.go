package media

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"

	"github.com/gen2brain/webp"

	"masthead/internal/fault"
)

// How variants are encoded: what looks like the original on a screen at arm's
// length. Method 5 makes a photograph a quarter smaller than 4, the encoder's
// own choice, and takes a twentieth longer; 3 saves no time, and 2 half of it.
const (
	webpQuality = 80
	webpMethod  = 5
	cardQuality = 85
)

// Vary makes the variants and the card of m that are not there yet. It does
// nothing for a file.
func (s *Store) Vary(ctx context.Context, m *Media) error {
	if m.Kind != Picture {
		return nil
	}
	if err := s.takeTurn(ctx); err != nil {
		return err
	}
	defer s.endTurn()
	img, err := s.original(ctx, m)
	if err == nil {
		err = s.makeAll(ctx, m, img)
	}
	if err != nil {
		return fmt.Errorf("media.Vary(%s): %w", m.ID, err)
	}
	return nil
}

// makeAll makes the variants and the card of m from its pixels; the caller has the turn.
func (s *Store) makeAll(ctx context.Context, m *Media, img image.Image) error {
	if err := s.makeCard(ctx, m, img); err != nil {
		return err
	}
	all := m.Widths()
	for i := len(all) - 1; i >= 0; i-- { // each from the wider one, which has fewer pixels to read
		if err := ctx.Err(); err != nil {
			return err
		}
		w, h := m.Size(all[i])
		img = scale(img, img.Bounds(), w, h)
		if err := s.makeVariant(ctx, m, img); err != nil {
			return err
		}
	}
	return nil
}

// makeVariant stores img, which has the variant's size already.
func (s *Store) makeVariant(ctx context.Context, m *Media, img image.Image) error {
	name := blobName(m.Hash, variantName(img.Bounds().Dx()))
	if done, err := s.has(ctx, name); done || err != nil {
		return err
	}
	var b bytes.Buffer
	if err := webp.Encode(&b, img, webp.Options{Quality: webpQuality, Method: webpMethod}); err != nil {
		return fmt.Errorf("encode %d × %d: %w", img.Bounds().Dx(), img.Bounds().Dy(), err)
	}
	return s.blobs.Put(ctx, name, &b, int64(b.Len()), "image/webp")
}

func (s *Store) makeCard(ctx context.Context, m *Media, img image.Image) error {
	name := blobName(m.Hash, cardName(m.Focal))
	if done, err := s.has(ctx, name); done || err != nil {
		return err
	}
	img = onWhite(scale(img, crop(img.Bounds(), m.Focal, CardWidth, CardHeight), CardWidth, CardHeight))
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: cardQuality}); err != nil {
		return err
	}
	return s.blobs.Put(ctx, name, &b, int64(b.Len()), "image/jpeg")
}

func (s *Store) has(ctx context.Context, name string) (bool, error) {
	_, err := s.blobs.Stat(ctx, name)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil, err
}

// original decodes the kept original; the caller has the turn.
func (s *Store) original(ctx context.Context, m *Media) (image.Image, error) {
	r, _, err := s.blobs.Open(ctx, m.Blob)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(r, maxKept))
	if err := errors.Join(err, r.Close()); err != nil {
		return nil, err
	}
	f, err := sniff(m.Name, raw[:min(len(raw), 1024)])
	if err != nil {
		return nil, err
	}
	p, err := decode(raw, f, s.Limits.Pixels)
	return p.img, err
}

// maxKept bounds what is read of a kept original, bytes: a PNG of 4096 × 4096
// that does not compress.
const maxKept = 4*longest*longest + 1<<20
