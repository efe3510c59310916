package archive

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"masthead/internal/fault"
)

var declaredEncoding = regexp.MustCompile(`^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([^"']{1,40})["']`)

// openWXR opens an export of WordPress and gives it as UTF-8, whatever it is
// written in: UTF-16 is known by its first bytes, other encodings by the XML
// declaration. note tells where the declaration and the bytes disagree.
func openWXR(path string, progress func(done int64)) (src *source, note string, err error) {
	enc, note, err := wxrEncoding(path)
	if err != nil {
		return nil, "", err
	}
	if enc == nil {
		src, err = openSource(path, progress)
		return src, note, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, "", fmt.Errorf("archive: open %s: %w", path, err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, "", fmt.Errorf("archive: open %s: %w", path, err)
	}
	decoded := transform.NewReader(&countReader{r: f, progress: progress}, enc.NewDecoder())
	src = &source{file: f, name: filepath.Base(path), size: info.Size()}
	src.check = &utf8Reader{r: decoded, name: src.name}
	src.Reader = bufio.NewReaderSize(src.check, 256<<10)
	return src, note, nil
}

// wxrEncoding tells how a file is written; nil is UTF-8, or a file that
// openSource refuses with a better reason.
func wxrEncoding(path string) (enc encoding.Encoding, note string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, "", nil
	}
	defer f.Close()
	head := make([]byte, 1<<20)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, "", nil
	}
	head = head[:n]
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		return nil, "", nil
	case bytes.HasPrefix(head, []byte("\xff\xfe")) || n > 1 && head[0] != 0 && head[1] == 0:
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), "", nil
	case bytes.HasPrefix(head, []byte("\xfe\xff")) || n > 1 && head[0] == 0 && head[1] != 0:
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM), "", nil
	}
	m := declaredEncoding.FindSubmatch(head[:min(n, 1024)])
	if m == nil {
		return nil, "", nil
	}
	// Latin-1 means Windows-1252 on the web (WHATWG Encoding Standard §4.2).
	enc, err = htmlindex.Get(string(m[1]))
	if err != nil {
		return nil, "", fault.New(fault.Invalid, "the file is written in an encoding that is not known", "file", filepath.Base(path), "encoding", string(m[1])).
			WithHint("convert it to UTF-8 with iconv, and write encoding=\"UTF-8\" in its first line")
	}
	name, err := htmlindex.Name(enc)
	if err != nil || name == "utf-8" {
		return nil, "", nil
	}
	// Nobody writes Latin-1 that happens to be UTF-8: then the declaration is
	// wrong. A rune may be cut at the end of what was read.
	whole := head
	for i := 0; i < utf8.UTFMax && len(whole) > 0 && !utf8.Valid(whole); i++ {
		whole = whole[:len(whole)-1]
	}
	if strings.HasPrefix(name, "utf-16") || utf8.Valid(whole) && utf8.RuneCount(whole) < len(whole) {
		return nil, fmt.Sprintf("the file says that it is in %s, and is in UTF-8: it was read as UTF-8", m[1]), nil
	}
	return enc, "", nil
}

// countReader tells how much of a file was read.
type countReader struct {
	r        io.Reader
	done     int64
	progress func(int64)
}

// Read reads, and tells.
func (c *countReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.done += int64(n); c.progress != nil {
		c.progress(c.done)
	}
	return n, err
}

// wxr cuts an export into the children of its channel, each as bytes of XML. It
// holds one of them at a time, of at most maxRow bytes, which encoding/xml alone
// would not promise: a token of it may be as long as the file.
type wxr struct {
	r     *source
	pos   int64
	stack []string // of open elements
	rss   bool     // the root was one

	piece    wxrPiece
	gather   bool
	child    int  // where the open child of the piece begins
	dropping bool // the open child is too long
}

// wxrPiece is one child of the channel. raw holds until the next one is read.
type wxrPiece struct {
	name    string // such as item or wp:author
	raw     []byte
	at      int64 // byte of the file
	large   bool  // children of it were left out, since it is too long
	illegal int   // characters that XML forbids, left out
}

// Depths of the stack: rss, channel, and what stands in it.
const (
	channelDepth = 2
	maxDepth     = 64
	maxTag       = 64 << 10
)

func (w *wxr) bad(message string, at int64) *fault.Error {
	return fault.New(fault.Invalid, message, "file", w.r.name, "byte", at)
}

// next gives the next child of the channel, or io.EOF behind the last one.
func (w *wxr) next() (*wxrPiece, error) {
	w.piece = wxrPiece{raw: w.piece.raw[:0]}
	w.gather, w.dropping = false, false
	for {
		at := w.pos
		if err := w.text(); err != nil {
			return nil, err
		}
		at = w.pos
		open, err := w.r.Peek(9)
		switch {
		case len(open) == 0 && errors.Is(err, io.EOF):
			if len(w.stack) > 0 || !w.rss {
				return nil, w.cut()
			}
			return nil, io.EOF
		case len(open) == 0:
			return nil, err
		case bytes.HasPrefix(open, []byte("<![CDATA[")):
			err = w.skipTo("<![CDATA[", "]]>")
		case bytes.HasPrefix(open, []byte("<!--")):
			err = w.skipTo("<!--", "-->")
		case bytes.HasPrefix(open, []byte("<?")):
			err = w.skipTo("<?", "?>")
		case bytes.HasPrefix(open, []byte("<!")):
			return nil, w.bad("the file declares a document type, which no export of WordPress does", at).
				WithHint("such declarations are used for attacks, so they are not read: export the content again from WordPress, under Tools, Export")
		default:
			var done bool
			if done, err = w.tag(at); err == nil && done {
				return &w.piece, nil
			}
		}
		if err != nil {
			return nil, err
		}
	}
}

func (w *wxr) cut() error {
	if !w.rss {
		return w.bad("the file is not an export of WordPress", w.pos).
			WithHint("in WordPress, open Tools, Export, and take the XML file that it gives")
	}
	return w.bad("the file is cut off", w.pos).
		WithHint("it was not downloaded to its end: export it again, or in parts (by year or by type of content)")
}

// keep adds bytes to the piece that is gathered.
func (w *wxr) keep(b []byte) {
	w.pos += int64(len(b))
	if !w.gather || w.dropping {
		return
	}
	p := &w.piece
	if len(p.raw)+len(b) > maxRow {
		p.large = true
		if len(w.stack) > channelDepth+1 { // within a child: it goes as a whole
			p.raw, w.dropping = p.raw[:w.child], true
		}
		return
	}
	for len(b) > 0 {
		i := 0
		for i < len(b) && (b[i] >= ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
			i++
		}
		p.raw = append(p.raw, b[:i]...)
		if i < len(b) {
			p.illegal++
			i++
		}
		b = b[i:]
	}
}

// text reads up to the next "<", which stays unread.
func (w *wxr) text() error {
	for {
		b, err := w.r.ReadSlice('<')
		if err == nil {
			if err := w.r.UnreadByte(); err != nil {
				return err
			}
			w.keep(b[:len(b)-1])
			return w.only(b[:len(b)-1])
		}
		w.keep(b)
		if bad := w.only(b); bad != nil {
			return bad
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// only refuses text outside of the root: it is no XML.
func (w *wxr) only(b []byte) error {
	if len(w.stack) > 0 || len(bytes.TrimSpace(b)) == 0 {
		return nil
	}
	err := w.bad("the file is not an export of WordPress", w.pos-int64(len(b)))
	if t := bytes.TrimSpace(b); !w.rss && (t[0] == '{' || t[0] == '[') {
		return err.WithHint("it looks like JSON: for Ghost, run masthead import ghost")
	}
	return err.WithHint("in WordPress, open Tools, Export, and take the XML file that it gives")
}

// skipTo reads a section with its end, such as a comment. What is written in
// CDATA belongs to the piece; the rest could stay away, and does no harm.
func (w *wxr) skipTo(open, end string) error {
	head := make([]byte, len(open))
	if _, err := io.ReadFull(w.r, head); err != nil {
		return w.ended(err)
	}
	w.keep(head)
	var tail []byte
	for {
		b, err := w.r.ReadSlice(end[len(end)-1])
		tail = append(tail, b[max(0, len(b)-len(end)):]...)
		tail = tail[max(0, len(tail)-len(end)):]
		w.keep(b)
		switch {
		case err == nil && string(tail) == end:
			return nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return w.ended(err)
		}
	}
}

func (w *wxr) ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return w.cut()
	}
	return err
}

// tag reads one tag, and tells whether it ends a child of the channel.
func (w *wxr) tag(at int64) (done bool, err error) {
	var tag []byte
	var quote byte
	for closed := false; !closed; {
		b, err := w.r.ReadSlice('>')
		for _, c := range b {
			switch {
			case quote == 0 && (c == '"' || c == '\''):
				quote = c
			case c == quote:
				quote = 0
			}
		}
		tag = append(tag, b...)
		if len(tag) > maxTag {
			return false, w.bad("the file is not well-formed XML: a tag does not end", at).WithHint("export it again; do not edit it by hand")
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			w.pos += int64(len(tag))
			return false, w.ended(err)
		}
		closed = err == nil && quote == 0
	}
	body := tag[1 : len(tag)-1]
	if name, ok := bytes.CutPrefix(body, []byte("/")); ok {
		return w.endTag(string(bytes.TrimSpace(name)), tag, at)
	}
	name := body
	if i := bytes.IndexAny(body, " \t\r\n/"); i >= 0 {
		name = body[:i]
	}
	return w.startTag(string(name), bytes.HasSuffix(body, []byte("/")), tag, at)
}

func (w *wxr) startTag(name string, empty bool, tag []byte, at int64) (done bool, err error) {
	switch depth := len(w.stack); {
	case name == "" || depth >= maxDepth:
		return false, w.bad("the file is not well-formed XML", at).WithHint("export it again; do not edit it by hand")
	case depth == 0 && (name != "rss" || w.rss):
		return false, w.bad("the file is not an export of WordPress", at).
			WithHint("in WordPress, open Tools, Export, and take the XML file that it gives")
	case depth == 0:
		w.rss = true
	case depth == channelDepth:
		w.gather = true
		w.piece.name, w.piece.at = name, at
	case depth == channelDepth+1 && w.gather:
		w.child = len(w.piece.raw)
	}
	w.stack = append(w.stack, name)
	w.keep(tag)
	if empty {
		return w.closed(), nil
	}
	return false, nil
}

func (w *wxr) endTag(name string, tag []byte, at int64) (done bool, err error) {
	if len(w.stack) == 0 || w.stack[len(w.stack)-1] != name {
		return false, w.bad("the file is not well-formed XML: </"+clip(name, 40)+"> closes nothing", at).WithHint("export it again; do not edit it by hand")
	}
	if len(w.stack) == channelDepth+1 {
		w.stack = w.stack[:channelDepth] // so that the end is kept whatever was left out
		raw := w.piece.raw
		w.piece.raw = append(raw, tag...)
		w.pos += int64(len(tag))
		return true, nil
	}
	w.keep(tag)
	return w.closed(), nil
}

// closed takes the innermost element off.
func (w *wxr) closed() (done bool) {
	w.stack = w.stack[:len(w.stack)-1]
	if len(w.stack) == channelDepth+1 {
		w.dropping = false
	}
	return len(w.stack) == channelDepth && w.gather
}

// element is one element of a piece. Names bear their prefix as WordPress
// writes it: the addresses of the namespaces changed with its versions, the
// prefixes never.
type element struct {
	name  string
	attrs []xml.Attr
	text  string
	kids  []element
}

var characterReference = regexp.MustCompile(`&#(x[0-9a-fA-F]{1,8}|[0-9]{1,10});`)

// parse reads the piece as a tree. Characters that XML forbids, and WordPress
// writes, are left out and counted.
func (w *wxr) parse(p *wxrPiece) (element, error) {
	raw := p.raw
	if bytes.Contains(raw, []byte("&#")) {
		raw = characterReference.ReplaceAllFunc(raw, func(ref []byte) []byte {
			digits, base := string(ref[2:len(ref)-1]), 10
			if digits[0] == 'x' {
				digits, base = digits[1:], 16
			}
			n, err := strconv.ParseInt(digits, base, 64)
			if err != nil || n < ' ' && n != '\n' && n != '\t' && n != '\r' || n >= 0xD800 && n <= 0xDFFF || n == 0xFFFE || n == 0xFFFF || n > utf8.MaxRune {
				p.illegal++
				return nil
			}
			return ref
		})
	}
	for _, illegal := range []string{"\uFFFE", "\uFFFF"} {
		if n := bytes.Count(raw, []byte(illegal)); n > 0 {
			raw = bytes.ReplaceAll(raw, []byte(illegal), nil)
			p.illegal += n
		}
	}
	d := xml.NewDecoder(bytes.NewReader(raw))
	d.Strict = false // the entities of HTML, and unknown ones, are taken as they are
	d.Entity = xml.HTMLEntity
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	e, err := parseElement(d, nil)
	if err != nil {
		return element{}, w.bad("the file is not well-formed XML: "+strings.TrimPrefix(err.Error(), "XML syntax error on "), p.at+d.InputOffset()).
			WithHint("export it again; do not edit it by hand")
	}
	return e, nil
}

// parseElement reads the element that start opens, or the first one.
func parseElement(d *xml.Decoder, start *xml.StartElement) (element, error) {
	var e element
	if start != nil {
		e.name, e.attrs = prefixed(start.Name), start.Attr
	}
	var text []byte
	for {
		t, err := d.RawToken()
		if err != nil {
			return e, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			t = t.Copy()
			kid, err := parseElement(d, &t)
			if err != nil || start == nil {
				return kid, err
			}
			e.kids = append(e.kids, kid)
		case xml.CharData:
			text = append(text, t...)
		case xml.EndElement:
			e.text = string(text)
			return e, nil
		}
	}
}

func prefixed(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

// get gives the text of the first child of that name, without space around it.
func (e element) get(name string) string { return strings.TrimSpace(e.raw(name)) }

// raw gives the text of the first child of that name.
func (e element) raw(name string) string {
	for _, k := range e.kids {
		if k.name == name {
			return k.text
		}
	}
	return ""
}

func (e element) attr(name string) string {
	for _, a := range e.attrs {
		if prefixed(a.Name) == name {
			return a.Value
		}
	}
	return ""
}

// meta gives the custom fields of an item; of a key that stands twice, the first.
func (e element) meta() map[string]string {
	all := map[string]string{}
	for _, k := range e.kids {
		if k.name == "wp:postmeta" {
			if key := k.get("wp:meta_key"); key != "" {
				if _, ok := all[key]; !ok {
					all[key] = k.raw("wp:meta_value")
				}
			}
		}
	}
	return all
}
