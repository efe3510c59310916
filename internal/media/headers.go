package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"

	"golang.org/x/image/draw"
)

// This file reads the little that the decoders do not tell: how a picture is
// to be turned, whether a JPEG is progressive, and how many pixels a GIF's
// frames have together.

// segments yields the segments of a JPEG up to its first scan: marker and content
// (ITU-T T.81 §B.1.1).
func segments(raw []byte, yield func(marker byte, content []byte) bool) {
	for at := 2; at+4 <= len(raw); {
		if raw[at] != 0xff { // between segments, which the decoder forgives
			at++
			continue
		}
		marker := raw[at+1]
		if marker == 0xff { // fill byte
			at++
			continue
		}
		if marker == 0x01 || marker >= 0xd0 && marker <= 0xd7 { // stand alone
			at += 2
			continue
		}
		size := int(binary.BigEndian.Uint16(raw[at+2:]))
		if size < 2 || at+2+size > len(raw) || marker == 0xda || marker == 0xd9 || !yield(marker, raw[at+4:at+2+size]) {
			return
		}
		at += 2 + size
	}
}

// progressive tells whether a JPEG has SOF2 for its frame.
func progressive(raw []byte) bool {
	found := false
	segments(raw, func(marker byte, _ []byte) bool {
		found = found || marker == 0xc2
		return !found
	})
	return found
}

// deep tells channels of 16 bits.
func deep(c image.Config) bool {
	switch c.ColorModel {
	case color.Gray16Model, color.RGBA64Model, color.NRGBA64Model:
		return true
	}
	return false
}

// orientation gives the EXIF orientation, 1 to 8 (Exif 2.32 §4.6.4); 1 where
// there is none that can be read.
func orientation(raw []byte, f format) int {
	switch f {
	case formatJPEG:
		found := 1
		segments(raw, func(marker byte, content []byte) bool {
			if exif, ok := bytes.CutPrefix(content, []byte("Exif\x00\x00")); ok && marker == 0xe1 {
				found = tiffOrientation(exif)
				return false
			}
			return true
		})
		return found
	case formatTIFF:
		return tiffOrientation(raw)
	case formatPNG: // chunks of length, type, content, CRC (PNG §5.3)
		for at := 8; at+12 <= len(raw); {
			size := int64(binary.BigEndian.Uint32(raw[at:]))
			if size > int64(len(raw)-at-12) {
				return 1
			}
			if string(raw[at+4:at+8]) == "eXIf" {
				return tiffOrientation(raw[at+8 : at+8+int(size)])
			}
			at += 12 + int(size)
		}
	case formatWebP: // RIFF chunks of type, length, content, padded to even
		for at := 12; at+8 <= len(raw); {
			size := int64(binary.LittleEndian.Uint32(raw[at+4:]))
			if size > int64(len(raw)-at-8) {
				return 1
			}
			if string(raw[at:at+4]) == "EXIF" {
				return tiffOrientation(bytes.TrimPrefix(raw[at+8:at+8+int(size)], []byte("Exif\x00\x00")))
			}
			at += 8 + int(size+size&1)
		}
	}
	return 1
}

// tiffOrientation finds tag 0x0112 in the first directory of a TIFF (TIFF 6.0 §2).
func tiffOrientation(b []byte) int {
	if len(b) < 8 {
		return 1
	}
	var order binary.ByteOrder
	switch string(b[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	at := int64(order.Uint32(b[4:]))
	if at+2 > int64(len(b)) {
		return 1
	}
	entries := b[at+2:]
	for range order.Uint16(b[at:]) {
		if len(entries) < 12 {
			return 1
		}
		if order.Uint16(entries) == 0x0112 && order.Uint16(entries[2:]) == 3 {
			if o := int(order.Uint16(entries[8:])); o >= 1 && o <= 8 {
				return o
			}
			return 1
		}
		entries = entries[12:]
	}
	return 1
}

// upright turns and mirrors img as orientation o tells.
func upright(img image.Image, o int) image.Image {
	if o <= 1 || o > 8 {
		return img
	}
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	src, ok := img.(*image.NRGBA)
	if !ok || b.Min != (image.Point{}) {
		src = image.NewNRGBA(image.Rect(0, 0, w, h))
		draw.Draw(src, src.Bounds(), img, b.Min, draw.Src)
	}
	if o >= 5 {
		w, h = h, w
	}
	dst := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			// The pixel of src that is seen at x, y.
			var sx, sy int
			switch o {
			case 2:
				sx, sy = w-1-x, y
			case 3:
				sx, sy = w-1-x, h-1-y
			case 4:
				sx, sy = x, h-1-y
			case 5:
				sx, sy = y, x
			case 6:
				sx, sy = y, w-1-x
			case 7:
				sx, sy = h-1-y, w-1-x
			case 8:
				sx, sy = h-1-y, x
			}
			copy(dst.Pix[y*dst.Stride+4*x:][:4], src.Pix[sy*src.Stride+4*sx:][:4])
		}
	}
	return dst
}

var errGIF = errors.New("the GIF ends early")

// gifPixels adds up the pixels of all frames, reading the blocks and no pixel
// (GIF89a §17–§27).
func gifPixels(raw []byte) (pixels int64, frames int, err error) {
	if len(raw) < 13 {
		return 0, 0, errGIF
	}
	at := 13 + colours(raw[10])
	skip := func() bool { // a run of data sub-blocks
		for at < len(raw) {
			size := int(raw[at])
			at += 1 + size
			if size == 0 {
				return true
			}
		}
		return false
	}
	for at < len(raw) {
		switch raw[at] {
		case 0x21: // extension
			at += 2
			if !skip() {
				return 0, 0, errGIF
			}
		case 0x2c: // image
			if at+10 > len(raw) {
				return 0, 0, errGIF
			}
			w, h := binary.LittleEndian.Uint16(raw[at+5:]), binary.LittleEndian.Uint16(raw[at+7:])
			pixels += int64(w) * int64(h)
			frames++
			at += 10 + colours(raw[at+9]) + 1
			if !skip() {
				return 0, 0, errGIF
			}
		case 0x3b: // trailer
			return pixels, frames, nil
		default:
			return 0, 0, errors.New("the GIF has an unknown block")
		}
	}
	return 0, 0, errGIF
}

// colours gives the bytes of the colour table that flags announce.
func colours(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (1 + flags&7)
}
