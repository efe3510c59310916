package e2e

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"masthead/internal/needtest"
)

// maxPicture is how large a picture of the manual may be, bytes.
const maxPicture = 120 << 10

// TestPictures takes the pictures of docs/pictures: the first window of the
// pages that readers see most, on a phone and a desk, from left and from right,
// by day and by night.
func TestPictures(t *testing.T) {
	needtest.Asked(t, *picturesFlag != "", "taken by make pictures")
	if err := os.MkdirAll(*picturesFlag, 0o755); err != nil {
		t.Fatal(err)
	}
	pages := []string{"front", "section", "topic", "author", "story-open", "story-wall"}
	for _, lang := range []string{"en", "ar"} {
		for _, k := range kinds(t, lang) {
			if !slices.Contains(pages, k.name) {
				continue
			}
			for _, size := range []struct {
				name          string
				width, height int64
			}{{"390", 390, 844}, {"1280", 1280, 900}} {
				for _, scheme := range []string{"light", "dark"} {
					b := newTab(t, demo)
					b.be(k.cookies)
					b.scheme(scheme)
					b.size(size.width, size.height)
					b.open(k.path)
					b.settle()
					if k.name == "story-wall" {
						eval[any](b, `document.querySelector("#wall").scrollIntoView({block: "center", behavior: "instant"}); null`)
						b.settle()
					}
					b.picture(k.name + "-" + lang + "-" + size.name + "-" + scheme + ".png")
				}
			}
		}
	}
}

// picture takes a picture of the window for the manual.
func (b *tab) picture(name string) {
	b.t.Helper()
	shot, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	for colours, whole := 64, shot; err == nil; colours /= 2 {
		if shot, err = small(whole, colours); len(shot) <= maxPicture || colours <= 16 {
			break
		}
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(*picturesFlag, name), shot, 0o644)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	if len(shot) > maxPicture {
		b.t.Errorf("%s has %d bytes", name, len(shot))
	}
}

// TestDeskPictures takes those of the desk, where a story is written.
func TestDeskPictures(t *testing.T) {
	needtest.Asked(t, *picturesFlag != "", "taken by make pictures")
	if err := os.MkdirAll(*picturesFlag, 0o755); err != nil {
		t.Fatal(err)
	}
	w := newWritingRoom(t, growers+"\n\n## What it cost\n\n- Apples: every tree on the slope\n- Pears: four rows out of ten\n\n> We lost everything, and we will plant again.")
	w.editor(w.ben, "/desk/stories/"+w.english+"/write").cursorAt(2)
	ana := w.editor(w.ana, "/desk/stories/"+w.arabic+"/translate/"+w.english)
	eval[any](ana, `(async () => { document.querySelector(".translate-state form button").click(); return null; })()`)
	ana.until(`!document.querySelector(".translate-state form")`)
	ana.openEditor("/desk/stories/" + w.english + "/write")
	ana.cursorAt(0)
	ana.typed(" Nobody had warned the growers.")
	ana.comment(1, 3, 16, func() { ana.typed("Four valleys, says the ministry.") })
	ana.saved()
	plans := newTab(t, demo)
	plans.be(demo.colleague(t, "pictures@masthead.example", "owner", "Noa Lind"))
	for _, page := range []struct {
		name, path string
		*tab
	}{
		{"desk-stories", "/desk/", ana}, {"desk-write", "/desk/stories/" + w.english + "/write", ana},
		{"desk-translate", "/desk/stories/" + w.arabic + "/translate/" + w.english, ana},
		{"desk-revision", "/desk/stories/" + w.english + "/revisions/1?with=draft&view=side", ana},
		{"desk-board", "/desk/plan", plans}, {"desk-calendar", "/desk/plan/calendar", plans}, {"desk-wall", "/desk/wall", plans},
	} {
		for _, lang := range []string{"en", "ar"} {
			for _, size := range []struct {
				name          string
				width, height int64
			}{{"390", 390, 844}, {"1280", 1280, 900}} {
				for _, scheme := range []string{"light", "dark"} {
					page.size(size.width, size.height)
					page.scheme(scheme)
					page.prefers(lang)
					page.open(page.path)
					if page.has("[data-editor]") {
						page.until(`document.querySelector("[data-editor]").dataset.ready !== undefined`)
						time.Sleep(300 * time.Millisecond)
					}
					page.settle()
					page.picture(page.name + "-" + lang + "-" + size.name + "-" + scheme + ".png")
				}
			}
		}
	}
}

// settle waits until the faces and the pictures in the window are there.
func (b *tab) settle() {
	b.t.Helper()
	const settled = `document.fonts.status === "loaded" && [...document.images].every(i => { const r = i.getBoundingClientRect(); return i.complete || r.width === 0 || r.top > innerHeight || r.bottom < 0; })`
	for range 200 {
		if eval[bool](b, settled) {
			time.Sleep(150 * time.Millisecond) // for the frame that shows them
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.t.Errorf("%s does not settle", b.path())
}

// small writes a picture anew with at most so many colours.
func small(shot []byte, colours int) ([]byte, error) {
	full, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		return nil, err
	}
	palette := medianCut(full, colours)
	out := image.NewPaletted(full.Bounds(), palette)
	known := map[color.RGBA]uint8{}
	for y := full.Bounds().Min.Y; y < full.Bounds().Max.Y; y++ {
		for x := full.Bounds().Min.X; x < full.Bounds().Max.X; x++ {
			c := color.RGBAModel.Convert(full.At(x, y)).(color.RGBA)
			i, ok := known[c]
			if !ok {
				i = uint8(palette.Index(c))
				known[c] = i
			}
			out.SetColorIndex(x, y, i)
		}
	}
	var b bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, out)
	return b.Bytes(), err
}

// medianCut chooses n colours: the box of colours with the widest side is cut
// at its median until there are enough (Heckbert 1982).
func medianCut(m image.Image, n int) color.Palette {
	count := map[[3]uint8]int{}
	for y := m.Bounds().Min.Y; y < m.Bounds().Max.Y; y++ {
		for x := m.Bounds().Min.X; x < m.Bounds().Max.X; x++ {
			c := color.RGBAModel.Convert(m.At(x, y)).(color.RGBA)
			count[[3]uint8{c.R, c.G, c.B}]++
		}
	}
	var first [][3]uint8
	for c := range count {
		first = append(first, c)
	}
	boxes := [][][3]uint8{first}
	for len(boxes) < n {
		best, side, width := -1, 0, 0
		for i, box := range boxes {
			if axis, w := widest(box); w > width {
				best, side, width = i, axis, w
			}
		}
		if best < 0 {
			break // fewer colours than asked for
		}
		box := boxes[best]
		slices.SortFunc(box, func(a, b [3]uint8) int { return int(a[side]) - int(b[side]) })
		boxes[best] = box[:len(box)/2]
		boxes = append(boxes, box[len(box)/2:])
	}
	var palette color.Palette
	for _, box := range boxes {
		// The commonest colour stands for its box, so that the paper keeps its own.
		common := slices.MaxFunc(box, func(a, b [3]uint8) int { return count[a] - count[b] })
		palette = append(palette, color.RGBA{common[0], common[1], common[2], 255})
	}
	return palette
}

// widest gives the side on which a box's colours differ most, and by how much.
func widest(box [][3]uint8) (axis, width int) {
	for i := range 3 {
		low, high := uint8(255), uint8(0)
		for _, c := range box {
			low, high = min(low, c[i]), max(high, c[i])
		}
		if int(high)-int(low) > width {
			axis, width = i, int(high)-int(low)
		}
	}
	return axis, width
}
