package page

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"html"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Options say how one answer is to be sent. The zero value is right for a page
// that is served by this program alone.
type Options struct {
	// Personal makes the answer private even when no hole is.
	Personal bool
	// Open lets caches share a page of the store of whole texts: the decision
	// would be the same for anybody. Such pages are private otherwise.
	Open bool
	// ByCookie says that the visitor's cookies chose this page among others.
	// Answers with holes filled in vary by cookie at any rate.
	ByCookie bool
	// Public is the Cache-Control of answers that are not private, as in
	// "public, max-age=0, s-maxage=60"; empty means "public, no-cache": caches
	// may keep the answer and ask each time whether it still holds.
	Public string
	// Surrogate is the Surrogate-Control of answers that are not private, for a
	// cache in front that is told of changes, as in "max-age=86400". With it the
	// page's tags are sent as Surrogate-Key and xkey.
	Surrogate string
	// Tags are of what the holes show; they are sent with the page's own.
	Tags []string
	// ESI leaves the holes that have a Source to a cache in front, by
	// <esi:include> (ESI 1.0), and nothing else: where something for this visitor
	// alone would be left in the answer, all holes are filled. Ask for it only where
	// such a cache is known to stand. It goes by Surrogate-Control (W3C Edge
	// Architecture); everybody else is told that the answer is private, as it will
	// be when it is put together, and it has no entity tag.
	ESI bool
}

// Values of headers. Nobody changes them: their capacity is their length.
var (
	none          = []string{"none"}
	encodingGzip  = []string{"gzip"}
	private       = []string{"private, no-cache"}
	publicNoCache = []string{"public, no-cache"}
	byEncoding    = []string{"Accept-Encoding"}
	byBoth        = []string{"Accept-Encoding, Cookie"}
)

// Serve answers r with the page. It sets every header the answer needs besides
// those that w has: a Set-Cookie there makes it private. GET and HEAD that name
// the right entity tag are told 304; ranges are not given (RFC 9110 §14.2 lets
// a server ignore them). An error means that a hole was not filled and that
// nothing has been written; a visitor who leaves is no error.
func (p *Page) Serve(w http.ResponseWriter, r *http.Request, holes Holes, o Options) error {
	var few [12][]byte
	fill, f, err := p.fill(few[:0], holes, o.ESI && p.canESI)
	if err != nil {
		return err
	}
	h, b, gzip := w.Header(), p.body.Load(), acceptsGzip(r.Header["Accept-Encoding"])
	f.personal = f.personal || o.Personal || p.full && !o.Open || len(h["Set-Cookie"]) > 0
	if f.esi && f.personal { // no cache may keep it, so none is to put it together
		o.ESI, o.Personal = false, true
		return p.Serve(w, r, holes, o)
	}

	length := 0
	if gzip {
		length = b.gzipLength(fill)
	} else {
		length = b.plainLength(fill)
	}
	own := p.own(&f, length, gzip)
	h["Accept-Ranges"] = none
	p.caching(h, own, f, o)
	if !f.esi {
		h["Etag"] = own.etag[:]
	}
	if !f.esi && p.current(r, own.etag[0]) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h["Content-Type"] = p.kind
	h["Content-Length"] = own.length[:]
	if gzip {
		h["Content-Encoding"] = encodingGzip
	}
	w.WriteHeader(p.status)
	if r.Method == http.MethodHead {
		return nil
	}
	if c, ok := w.(interface{ Expect(bytes int) }); ok { // a connection that sends header and body at once
		c.Expect(length)
	}
	out := writers.Get().(*bufio.Writer)
	out.Reset(w)
	if gzip {
		b.gzip(out, fill)
		out.Flush()
	} else {
		b.plain(out, fill)
	}
	out.Reset(nil)
	writers.Put(out)
	return nil
}

// own holds the headers of one answer, in one piece of memory.
type own struct{ etag, length, cache, surrogate [1]string }

// own makes the entity tag: that of the segments, and one of 64 bits of what is
// in the holes; see sumOf. It is weak for gzip, whose bytes differ after the
// second compression (RFC 9110 §8.8.1).
func (p *Page) own(f *filled, length int, gzip bool) *own {
	var text [96]byte
	tag := text[:0]
	if gzip {
		tag = append(tag, "W/"...)
	}
	tag = append(tag, '"')
	tag = append(tag, p.tag...)
	if f.local || f.esi {
		var sum [8]byte
		binary.LittleEndian.PutUint32(sum[:4], f.a)
		binary.LittleEndian.PutUint32(sum[4:], f.b)
		tag = base64.RawURLEncoding.AppendEncode(append(tag, '.'), sum[:])
	}
	if gzip {
		tag = append(tag, "-gzip"...)
	}
	tag = append(tag, '"')
	n := len(tag)
	both := string(strconv.AppendInt(tag, int64(length), 10))
	return &own{etag: [1]string{both[:n]}, length: [1]string{both[n:]}}
}

// caching tells caches what they may do with the answer.
func (p *Page) caching(h http.Header, own *own, f filled, o Options) {
	vary := byEncoding
	if f.personal || f.local || o.ByCookie {
		vary = byBoth
	}
	if before := h["Vary"]; len(before) > 0 {
		vary = append(before[:len(before):len(before)], vary[0])
	}
	h["Vary"] = vary
	if p.since != nil && !f.personal {
		h["Last-Modified"] = p.since
	}
	switch {
	case f.personal:
		h["Cache-Control"] = private
		return
	case f.esi:
		h["Cache-Control"] = private
	case o.Public == "":
		h["Cache-Control"] = publicNoCache
	default:
		own.cache[0] = o.Public
		h["Cache-Control"] = own.cache[:]
	}
	if o.Surrogate == "" && !f.esi {
		return
	}
	own.surrogate[0] = o.Surrogate
	if f.esi {
		own.surrogate[0] = strings.TrimPrefix(o.Surrogate+`, content="ESI/1.0"`, ", ")
	}
	h["Surrogate-Control"] = own.surrogate[:]
	keys := p.keys
	if len(o.Tags) > 0 {
		keys = []string{strings.Join(append(slices.Clone(p.tags), o.Tags...), " ")}
	}
	if keys != nil {
		h["Surrogate-Key"], h["Xkey"] = keys, keys
	}
}

// current reports whether the visitor has this very answer (RFC 9110 §13.2.2).
func (p *Page) current(r *http.Request, etag string) bool {
	if p.status != http.StatusOK || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	if match := r.Header["If-None-Match"]; len(match) > 0 {
		for _, m := range match {
			for one := range strings.SplitSeq(m, ",") {
				one = strings.TrimSpace(one)
				if one == "*" || strings.TrimPrefix(one, "W/") == strings.TrimPrefix(etag, "W/") {
					return true
				}
			}
		}
		return false
	}
	since := r.Header["If-Modified-Since"]
	if p.since == nil || len(since) != 1 {
		return false
	}
	t, err := http.ParseTime(since[0])
	return err == nil && !p.modified.After(t)
}

// include is the ESI element for a hole. Where its source cannot be had, the
// page is shown without it.
func include(source string) []byte {
	return []byte(`<esi:include src="` + html.EscapeString(source) + `" onerror="continue"/>`)
}

// SpeaksESI reports whether the request came through a cache that says that it
// speaks ESI 1.0 (W3C Edge Architecture, Surrogate-Capability). Anybody can say
// so: it counts only where a cache in front sets the header itself.
func SpeaksESI(r *http.Request) bool {
	for _, v := range r.Header["Surrogate-Capability"] {
		if strings.Contains(v, "ESI/1.0") {
			return true
		}
	}
	return false
}

// acceptsGzip reports whether gzip is to be sent: it is acceptable, and not less
// so than plain bytes (RFC 9110 §12.5.3). Where nothing is said plain bytes are
// sent, and also where everything is refused.
func acceptsGzip(values []string) bool {
	gzip, identity, rest := -1, -1, -1 // weights in thousandths; -1 is not named
	for _, v := range values {
		for one := range strings.SplitSeq(v, ",") {
			name, params, _ := strings.Cut(one, ";")
			name = strings.TrimSpace(name)
			switch {
			case strings.EqualFold(name, "gzip") || strings.EqualFold(name, "x-gzip"):
				gzip = max(gzip, weight(params))
			case strings.EqualFold(name, "identity"):
				identity = weight(params)
			case name == "*":
				rest = weight(params)
			}
		}
	}
	if gzip < 0 {
		gzip = rest
	}
	return gzip > 0 && gzip >= identity // identity that is not named comes last
}

// weight reads q=0.5 as 500 (RFC 9110 §12.4.2): without a weight it is 1000, and
// one that cannot be read is 0.
func weight(params string) int {
	params = strings.TrimSpace(params)
	if params == "" {
		return 1000
	}
	if len(params) < 3 || params[0]|0x20 != 'q' || params[1] != '=' {
		return 0
	}
	whole, part, _ := strings.Cut(params[2:], ".")
	if whole != "0" && whole != "1" || len(part) > 3 {
		return 0
	}
	n := 1000 * int(whole[0]-'0')
	for i, unit := 0, 100; i < len(part); i, unit = i+1, unit/10 {
		if part[i] < '0' || part[i] > '9' {
			return 0
		}
		n += unit * int(part[i]-'0')
	}
	return min(n, 1000)
}
