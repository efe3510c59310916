package reader

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxReturn = 2000 // octets

// SafeReturn gives path when it is an address within this site, with its query
// and fragment ("/2026/11/ferry/#p7"), and "/" otherwise. Browsers take "//host",
// "/\host" and "/<tab>/host" for another site (WHATWG URL §4.4), so none passes.
func SafeReturn(path string) string {
	if len(path) > maxReturn || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.Contains(path, `\`) || !utf8.ValidString(path) {
		return "/"
	}
	for _, r := range path {
		if unicode.IsControl(r) || unicode.IsSpace(r) || unicode.Is(unicode.Bidi_Control, r) {
			return "/"
		}
	}
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return "/"
	}
	// Decoded once more than a browser does, so that no later decoding opens it.
	if strings.Contains(u.Path, "//") || strings.ContainsAny(u.Path, "\\\x00\t\r\n") {
		return "/"
	}
	for part := range strings.SplitSeq(u.Path, "/") {
		if part == "." || part == ".." {
			return "/"
		}
	}
	return path
}
