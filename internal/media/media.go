package media

import (
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
	"time"

	"masthead/internal/fault"
)

// Kind tells a picture, which has variants, from any other file.
type Kind string

// The kinds.
const (
	Picture Kind = "picture"
	File    Kind = "file"
)

// Media is one picture or file. Several may share the same bytes and differ in
// credit, caption or focal point.
type Media struct {
	ID     string
	Kind   Kind
	Name   string // safe in an address: "dredger-at-dawn.jpg"
	MIME   string // of the kept bytes
	Width  int    // pixels, of the kept picture as it is looked at
	Height int
	Bytes  int64  // of the kept original
	Hash   string // SHA-256 of the kept original, 64 hex digits
	Blob   string // name of the kept original's blob

	Credit   string
	Licence  string
	Alts     map[string]string // by language
	Captions map[string]string // by language

	Rights      Rights
	RightsUntil time.Time // when they end; zero for never
	RightsNote  string    // for the newsroom alone

	Focal     Focal
	Source    string // where it was imported from; "" or unique
	CreatedAt time.Time
}

// Rights says on what terms the newsroom has a picture or file.
type Rights string

// The terms.
const (
	RightsUnsaid Rights = ""           // nobody has said
	RightsOwn    Rights = "own"        // made by the newsroom
	RightsFree   Rights = "free"       // under a free licence, or in the public domain
	RightsAgency Rights = "agency"     // from an agency, under its contract
	ByPermission Rights = "permission" // lent by who made it
)

// AllRights gives the terms that can be chosen.
func AllRights() []Rights {
	return []Rights{RightsUnsaid, RightsOwn, RightsFree, RightsAgency, ByPermission}
}

// Ended reports whether the rights have ended at a time: no page shows m from then on.
func (m *Media) Ended(at time.Time) bool { return !m.RightsUntil.IsZero() && !at.Before(m.RightsUntil) }

// RightsNotice is how long before their end a list says that rights end.
const RightsNotice = 14 * 24 * time.Hour

// Focal is the point of a picture that no crop may lose, in thousandths of its
// width and height. The zero Focal in an [Upload] stands for [Middle].
type Focal struct{ X, Y int }

// Middle is the focal point of a picture that was given none.
var Middle = Focal{500, 500}

// Check refuses a point outside of the picture.
func (f Focal) Check() error {
	if f.X < 0 || f.X > 1000 || f.Y < 0 || f.Y > 1000 {
		return fault.New(fault.Invalid, "the focal point lies outside of the picture", "x", f.X, "y", f.Y).WithHint("give thousandths of the width and of the height, 0 to 1000")
	}
	return nil
}

// Upload is what somebody brings: the bytes and what is known of them.
type Upload struct {
	Name     string // the file's name; only its last part is used
	Content  io.Reader
	Credit   string
	Licence  string
	Alts     map[string]string
	Captions map[string]string
	Focal    Focal
	Source   string // where it was imported from, e.g. "ghost:/content/images/a.jpg"; "" for none
}

// The widths in pixels that variants are made in; those above a picture's own
// are left out, and its own stands in when it is narrower than the widest.
var widths = [...]int{320, 640, 960, 1280, 1600}

// CardWidth and CardHeight are the size of the picture on a social card, pixels.
const (
	CardWidth  = 1200
	CardHeight = 630
)

// Widths gives the widths of m's variants, narrowest first; none for a file or
// an animated picture.
func (m *Media) Widths() []int {
	if m.Kind != Picture || m.Animated() || m.Width == 0 {
		return nil
	}
	var all []int
	for _, w := range widths {
		if w >= m.Width {
			return append(all, m.Width)
		}
		all = append(all, w)
	}
	return all
}

// Path gives the address of the narrowest variant that is at least width pixels
// wide, else of the widest: "/media/3fa9…/640.webp". A file's and an animated
// picture's is that of its original.
func (m *Media) Path(width int) string {
	all := m.Widths()
	if len(all) == 0 {
		return m.Original()
	}
	for _, w := range all {
		if w >= width {
			return m.variant(w)
		}
	}
	return m.variant(all[len(all)-1])
}

// Srcset gives the value of an img's srcset attribute (HTML §4.8.4.2.1), ""
// where there are no variants: "/media/3fa9…/320.webp 320w, …".
func (m *Media) Srcset() string {
	var b strings.Builder
	for i, w := range m.Widths() {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s %dw", m.variant(w), w)
	}
	return b.String()
}

// Card gives the address of the picture for social cards, a JPEG of [CardWidth]
// × [CardHeight] cut around the focal point; "" for a file.
func (m *Media) Card() string {
	if m.Kind != Picture {
		return ""
	}
	return "/media/" + m.Hash + "/" + cardName(m.Focal)
}

// Original gives the address of the kept original: "/media/3fa9…/dredger.jpg".
func (m *Media) Original() string { return "/media/" + m.Hash + "/" + m.Name }

// Animated tells a GIF of several frames: it is shown as it is, without
// variants. A still GIF is kept as PNG.
func (m *Media) Animated() bool { return m.MIME == "image/gif" }

// Size gives the height that belongs to a width, both in pixels.
func (m *Media) Size(width int) (w, h int) {
	if m.Width == 0 {
		return 0, 0
	}
	return width, max(1, (m.Height*width+m.Width/2)/m.Width)
}

// Alt gives the text that stands for the picture in lang, else in fallback, else "".
func (m *Media) Alt(lang, fallback string) string { return in(m.Alts, lang, fallback) }

// Caption gives the caption in lang, else in fallback, else "".
func (m *Media) Caption(lang, fallback string) string { return in(m.Captions, lang, fallback) }

func in(texts map[string]string, lang, fallback string) string {
	if s := texts[lang]; s != "" {
		return s
	}
	return texts[fallback]
}

func (m *Media) variant(width int) string {
	return "/media/" + m.Hash + "/" + variantName(width)
}

func variantName(width int) string { return strconv.Itoa(width) + ".webp" }

// cardName holds the focal point, so that moving it makes a new address.
func cardName(f Focal) string {
	if f == Middle {
		return "card.jpg"
	}
	return fmt.Sprintf("card-%d-%d.jpg", f.X, f.Y)
}

// blobName is where the bytes behind an address are kept. Folders by the first
// two digits keep every folder small.
func blobName(hash, name string) string { return "media/" + hash[:2] + "/" + hash + "/" + name }

// cleanName makes a name that is safe in an address and in a header: letters,
// digits and hyphens of ASCII, and ext for its ending.
func cleanName(name, ext string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.TrimSuffix(name, path.Ext(name))
	var b strings.Builder
	for _, r := range name {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			b.WriteRune(r)
		case r >= 'A' && r <= 'Z':
			b.WriteRune(r + 'a' - 'A')
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() == 80 {
			break
		}
	}
	name = strings.Trim(b.String(), "-")
	if name == "" || reserved(name+ext) {
		name = strings.Trim("file-"+name, "-")
	}
	return name + ext
}

// reserved tells names that a variant could have.
func reserved(name string) bool {
	if _, err := parseVariant(name); err == nil {
		return true
	}
	_, err := parseCard(name)
	return err == nil
}

func parseVariant(name string) (width int, err error) {
	if digits, ok := strings.CutSuffix(name, ".webp"); ok {
		if width, err = strconv.Atoi(digits); err == nil && width > 0 && variantName(width) == name {
			return width, nil
		}
	}
	return 0, errNoSuchFile(name)
}

func parseCard(name string) (Focal, error) {
	if name == "card.jpg" {
		return Middle, nil
	}
	var f Focal
	if n, _ := fmt.Sscanf(name, "card-%d-%d.jpg", &f.X, &f.Y); n == 2 && f.Check() == nil && cardName(f) == name {
		return f, nil
	}
	return Focal{}, errNoSuchFile(name)
}

func errNoSuchFile(name string) error {
	return fault.New(fault.NotFound, "there is no such picture or file", "name", name)
}
