package page

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"html/template"
)

// Marker makes the marks that show where a page's holes are, and finds them
// again. A mark is a comment with a random word that never leaves the program,
// so no text of an author can be taken for one.
type Marker struct{ open string }

// NewMarker makes a marker with a word of its own, 26 letters long. One serves
// all pages of a program.
func NewMarker() *Marker { return &Marker{open: "<!--hole:" + rand.Text() + ":"} }

const markEnd = "-->"

// Mark gives the mark of the hole called name, of lower-case letters, digits
// and hyphens. It is meant as the function "hole" of html/template, and stands
// where an element may: {{hole "account-link"}}. A hole may stand in a page
// more than once.
func (m *Marker) Mark(name string) (template.HTML, error) {
	if !isName(name) {
		return "", fmt.Errorf("page: %q is no name for a hole", name)
	}
	return template.HTML(m.open + name + markEnd), nil
}

func isName(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return s != ""
}

// Cut takes a page apart at its marks. There is always one segment more than
// there are names of holes: segment 0, hole 0, segment 1, hole 1, …; segments
// may be empty, and are parts of html. A nil Marker finds no holes.
func (m *Marker) Cut(html []byte) (segments [][]byte, holes []string, err error) {
	if m == nil {
		return [][]byte{html}, nil, nil
	}
	for {
		before, rest, found := bytes.Cut(html, []byte(m.open))
		segments = append(segments, before)
		if !found {
			break
		}
		name, after, closed := bytes.Cut(rest, []byte(markEnd))
		if !closed || !isName(string(name)) {
			return nil, nil, errors.New("page: the mark of a hole is broken")
		}
		holes, html = append(holes, string(name)), after
	}
	// A mark that was escaped, because it stood in an attribute or a script,
	// would tell the word to the world.
	word := []byte(m.open[len("<!--hole:"):])
	for _, s := range segments {
		if bytes.Contains(s, word) {
			return nil, nil, errors.New("page: the mark of a hole stands where no element may")
		}
	}
	return segments, holes, nil
}
