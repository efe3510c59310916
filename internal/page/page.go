package page

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Rendered is what a renderer hands over.
type Rendered struct {
	Body     []byte
	Marker   *Marker   // that gave the marks in Body; nil when there are no holes
	Type     string    // Content-Type; empty means HTML in UTF-8
	Status   int       // 0 means 200
	Tags     []string  // what the page shows, for [Cache.Invalidate] and caches in front; of visible ASCII without spaces
	Modified time.Time // sent as Last-Modified when there are no holes; may be zero
}

// Page is a rendered page, cut and compressed. It is safe for concurrent use.
type Page struct {
	holes    []string // names, in order; one less than there are segments
	body     atomic.Pointer[body]
	state    atomic.Int32 // of the second compression
	full     bool         // from the store of whole texts
	canESI   bool
	status   int
	kind     []string // values of headers, made once
	keys     []string
	tags     []string
	tag      string // of the segments, for the entity tag: the same on every node
	modified time.Time
	since    []string
}

const (
	unread     int32 = iota // nobody has asked for the page again
	waiting                 // for the second compression
	compressed              // as well as can be
)

// New cuts and compresses a page.
func New(r Rendered) (*Page, error) {
	raw, holes, err := r.Marker.Cut(r.Body)
	if err != nil {
		return nil, err
	}
	b, err := deflated(raw, fast)
	if err != nil {
		return nil, fmt.Errorf("page: compress: %w", err)
	}
	p := &Page{
		holes: holes, status: r.Status, canESI: true,
		kind: []string{r.Type}, tags: slices.Clone(r.Tags), tag: tagOf(r, raw, holes),
	}
	p.body.Store(b)
	if p.status == 0 {
		p.status = http.StatusOK
	}
	if r.Type == "" {
		p.kind[0] = "text/html; charset=utf-8"
	}
	for _, t := range r.Tags {
		if t == "" || strings.ContainsFunc(t, func(c rune) bool { return c <= ' ' || c > '~' }) {
			return nil, fmt.Errorf("page: %q is no tag", t)
		}
	}
	if len(r.Tags) > 0 {
		p.keys = []string{strings.Join(r.Tags, " ")}
	}
	if !r.Modified.IsZero() && len(holes) == 0 {
		p.modified = r.Modified.UTC().Truncate(time.Second)
		p.since = []string{p.modified.Format(http.TimeFormat)}
	}
	p.canESI = !slices.ContainsFunc(raw, hasESI)
	return p, nil
}

// esiForm finds what a cache could take for an instruction: the elements of ESI
// 1.0 in any case of letters, its comment, and what would hide ours from it.
var esiForm = regexp.MustCompile(`(?i)</?esi:|<!--esi|<!\[CDATA\[`)

// hasESI reports whether somebody's text would be taken for an instruction.
func hasESI(text []byte) bool { return bytes.Contains(text, []byte("<")) && esiForm.Match(text) }

// tagOf names everything in a page but the content of its holes, in 12 bytes
// of a SHA-256.
func tagOf(r Rendered, raw [][]byte, holes []string) string {
	h := sha256.New()
	var n [8]byte
	part := func(b []byte) {
		binary.LittleEndian.PutUint64(n[:], uint64(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	part([]byte(r.Type))
	for i, s := range raw {
		part(s)
		if i < len(holes) {
			part([]byte(holes[i]))
		}
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12])
}

// Hole is the content of one hole, for one request.
type Hole struct {
	Name     string
	HTML     []byte // is not changed, and not kept
	Personal bool   // the content is for this visitor alone; the answer is then private
	Source   string // where a cache that speaks ESI gets it; "" has it filled in at any rate

	sum uint64 // see Sum; 0 when it is not known
}

// sumOf names the content of a hole: two CRCs of it, which together are one of
// 64 bits. They are equal for different contents once in 2^64, and always differ
// where the contents do by a run of up to 64 bits. They are the same on every
// node and after a restart.
func sumOf(html []byte) uint64 {
	n := uint32(len(html)) // so that 0 stands for nothing but the empty hole
	return uint64(crc32.Update(n, crc32.IEEETable, html))<<32 | uint64(crc32.Update(n, castagnoli, html))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Sum works out what the entity tag takes from each content. It is for holes
// that are kept and filled in again; those that it was not done for are summed
// up at each answer.
func (h Holes) Sum() Holes {
	for i := range h {
		h[i].sum = sumOf(h[i].HTML)
	}
	return h
}

// Holes are the contents of a page's holes, in any order. Those that the page
// does not have are passed over.
type Holes []Hole

// Holes gives the names of the page's holes, in their order.
func (p *Page) Holes() []string { return p.holes }

// Tags gives the tags that the page was rendered with.
func (p *Page) Tags() []string { return p.tags }

// Size gives the bytes that the page takes in memory, about.
func (p *Page) Size() int { return p.body.Load().deflated + 1024 + 48*len(p.holes) }

// filled says what an answer was filled with.
type filled struct {
	personal bool   // by something for this visitor alone
	local    bool   // by any hole of our own
	esi      bool   // by an instruction to a cache
	a, b     uint32 // CRCs of the sums of all contents, in their order
}

// add adds the sum of the next content.
func (f *filled) add(sum uint64) {
	var text [8]byte
	binary.LittleEndian.PutUint64(text[:], sum)
	f.a, f.b = crc32.Update(f.a, crc32.IEEETable, text[:]), crc32.Update(f.b, castagnoli, text[:])
}

// fill puts the contents of the holes into the page's order.
func (p *Page) fill(into [][]byte, holes Holes, esi bool) ([][]byte, filled, error) {
	f := filled{}
next:
	for _, name := range p.holes {
		for i := range holes {
			h := &holes[i]
			switch {
			case h.Name != name:
				continue
			case esi && h.Source != "":
				content := include(h.Source)
				into, f.esi = append(into, content), true
				f.add(sumOf(content))
			default:
				// What a cache would take for an instruction is kept from it.
				into, f.local, f.personal = append(into, h.HTML), true, f.personal || h.Personal || esi && hasESI(h.HTML)
				if h.sum != 0 {
					f.add(h.sum)
				} else {
					f.add(sumOf(h.HTML))
				}
			}
			continue next
		}
		return nil, f, fmt.Errorf("page: nothing was given for the hole %q", name)
	}
	return into, f, nil
}

// Plain gives the whole page without compression. It fails when the content of
// a hole is missing.
func (p *Page) Plain(holes Holes) ([]byte, error) {
	fill, _, err := p.fill(nil, holes, false)
	if err != nil {
		return nil, err
	}
	b := p.body.Load()
	var out bytes.Buffer
	out.Grow(b.plainLength(fill))
	w := bufio.NewWriter(&out)
	if err := b.plain(w, fill); err != nil {
		return nil, fmt.Errorf("page: inflate: %w", err)
	}
	return out.Bytes(), nil
}

// WriteGzip writes the whole page as one gzip member. It fails when the content
// of a hole is missing, having written nothing, or when w does.
func (p *Page) WriteGzip(w io.Writer, holes Holes) error {
	fill, _, err := p.fill(nil, holes, false)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 32<<10)
	p.body.Load().gzip(out, fill)
	return out.Flush()
}

// improve compresses the page as well as can be.
func (p *Page) improve() error {
	old := p.body.Load()
	raw, err := old.raw()
	if err != nil {
		return fmt.Errorf("page: inflate: %w", err)
	}
	b, err := deflated(raw, best)
	if err != nil {
		return fmt.Errorf("page: compress: %w", err)
	}
	if b.deflated < old.deflated {
		p.body.Store(b)
	}
	p.state.Store(compressed)
	return nil
}
