package media

import (
	"bytes"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/bmp"
	"golang.org/x/image/draw"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"

	"masthead/internal/fault"
)

// longest is the longer side of a kept original, pixels: enough for a screen of
// 4K, and 67 MB in memory at the most.
const longest = 4096

// picture is a decoded picture: upright, and nothing but pixels.
type picture struct {
	img       image.Image
	animation *gif.GIF // of several frames; img is then the first
	lossless  bool     // came in a format that keeps each pixel
}

// decode reads a picture, refusing before any pixel is decoded what has more of
// them than limit. It turns it upright and brings it down to [longest].
func decode(raw []byte, f format, limit int64) (picture, error) {
	config, err := readConfig(raw, f)
	if err != nil {
		return picture{}, broken(f, err)
	}
	w, h := int64(config.Width), int64(config.Height)
	if w < 1 || h < 1 {
		return picture{}, broken(f, fmt.Errorf("%d × %d pixels", w, h))
	}
	// Weighed by division, since a product of what a header claims could overflow.
	if w > 1<<16 || h > 1<<16 || w*h > limit*10/weight(raw, f, config) {
		return picture{}, fault.New(fault.TooLarge, "the picture has too many pixels", "width", w, "height", h).
			WithHint("at most %d megapixels are taken, fewer of progressive JPEG and 16-bit PNG", limit/1e6)
	}
	p := picture{lossless: f == formatPNG || f == formatGIF}
	switch f {
	case formatGIF:
		pixels, frames, err := gifPixels(raw)
		if err != nil {
			return picture{}, broken(f, err)
		}
		if pixels > limit {
			return picture{}, fault.New(fault.TooLarge, "the animation has too many pixels", "frames", frames)
		}
		all, err := gif.DecodeAll(bytes.NewReader(raw))
		if err != nil {
			return picture{}, broken(f, err)
		}
		if len(all.Image) == 0 {
			return picture{}, broken(f, fmt.Errorf("no frame"))
		}
		p.img = firstFrame(all)
		if len(all.Image) > 1 {
			p.animation = all
			return p, nil
		}
	default:
		if p.img, err = readImage(raw, f); err != nil {
			return picture{}, broken(f, err)
		}
	}
	p.img = shrink(p.img, longest)
	if f == formatJPEG || f == formatTIFF || f == formatWebP || f == formatPNG {
		p.img = upright(p.img, orientation(raw, f))
	}
	return p, nil
}

// weight gives how much memory decoding takes for each pixel, in tenths of what
// a plain picture of 4 bytes does.
func weight(raw []byte, f format, c image.Config) int64 {
	switch {
	case f == formatJPEG && progressive(raw):
		return 25 // the decoder holds every coefficient in 4 bytes
	case f != formatJPEG && deep(c):
		return 20
	}
	return 10
}

func readConfig(raw []byte, f format) (image.Config, error) {
	r := bytes.NewReader(raw)
	switch f {
	case formatJPEG:
		return jpeg.DecodeConfig(r)
	case formatPNG:
		return png.DecodeConfig(r)
	case formatGIF:
		return gif.DecodeConfig(r)
	case formatWebP:
		return webp.DecodeConfig(r)
	case formatTIFF:
		return tiff.DecodeConfig(r)
	case formatBMP:
		return bmp.DecodeConfig(r)
	}
	return image.Config{}, image.ErrFormat
}

func readImage(raw []byte, f format) (image.Image, error) {
	r := bytes.NewReader(raw)
	switch f {
	case formatJPEG:
		return jpeg.Decode(r)
	case formatPNG:
		return png.Decode(r)
	case formatWebP:
		return webp.Decode(r)
	case formatTIFF:
		return tiff.Decode(r)
	case formatBMP:
		return bmp.Decode(r)
	}
	return nil, image.ErrFormat
}

func broken(f format, err error) error {
	return fmt.Errorf("%w: %w", fault.New(fault.Invalid, "the picture is broken or cannot be read", "format", f.mime), err)
}

// firstFrame gives the first frame of an animation on its canvas.
func firstFrame(g *gif.GIF) image.Image {
	canvas := image.NewNRGBA(image.Rect(0, 0, max(1, g.Config.Width), max(1, g.Config.Height)))
	draw.Draw(canvas, g.Image[0].Bounds(), g.Image[0], g.Image[0].Bounds().Min, draw.Over)
	return canvas
}

// shrink brings the longer side of img down to most.
func shrink(img image.Image, most int) image.Image {
	b := img.Bounds()
	if b.Dx() <= most && b.Dy() <= most {
		return img
	}
	if b.Dx() >= b.Dy() {
		return scale(img, b, most, max(1, b.Dy()*most/b.Dx()))
	}
	return scale(img, b, max(1, b.Dx()*most/b.Dy()), most)
}

// encode gives the bytes of the kept original. What came without loss stays so;
// what has no transparency and came as a photograph does becomes JPEG.
func (p picture) encode() (content []byte, ext, mime string, err error) {
	var b bytes.Buffer
	switch {
	case p.animation != nil:
		err = gif.EncodeAll(&b, &gif.GIF{Image: p.animation.Image, Delay: p.animation.Delay, LoopCount: p.animation.LoopCount,
			Disposal: p.animation.Disposal, Config: p.animation.Config, BackgroundIndex: p.animation.BackgroundIndex})
		ext, mime = ".gif", "image/gif"
	case !p.lossless && opaque(p.img):
		err = jpeg.Encode(&b, p.img, &jpeg.Options{Quality: 92})
		ext, mime = ".jpg", "image/jpeg"
	default:
		err = png.Encode(&b, p.img)
		ext, mime = ".png", "image/png"
	}
	return b.Bytes(), ext, mime, err
}
