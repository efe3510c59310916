package desk

import (
	"fmt"
	"image/color"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// qrMargin is the white around a code, in modules (ISO/IEC 18004 §6.3.8).
const qrMargin = 4

// qrMost is how many modules wide a code may be: a phone's camera still reads
// version 25 off a screen.
const qrMost = 117

// QR is a QR code as the template draws it, in SVG. The zero QR is none.
type QR struct {
	Size int    // of the drawing with its margin, in modules
	Path string // the black modules, as an SVG path
}

// newQR draws a text as a QR code, of which a seventh may be unreadable
// (level M). It gives none where the text is too long for a camera.
func newQR(text string) QR {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil || code.Bounds().Dx() > qrMost {
		return QR{}
	}
	size := code.Bounds().Dx()
	black := func(x, y int) bool { return x < size && code.At(x, y) == color.Black }
	var path strings.Builder
	for y := range size {
		for x := 0; x < size; x++ {
			from := x
			for black(x, y) {
				x++
			}
			if run := x - from; run > 0 {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from+qrMargin, y+qrMargin, run, run)
			}
		}
	}
	return QR{Size: size + 2*qrMargin, Path: path.String()}
}
