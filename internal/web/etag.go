package web

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

// ETag makes a strong entity tag of parts (RFC 9110 §8.8.3): everything the
// answer depends on.
func ETag(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return `"` + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12]) + `"`
}

// NotModified sets ETag and Last-Modified and reports whether the client has
// this very answer already; it has then been told so with 304. etag or
// modified may be zero. If-None-Match goes before If-Modified-Since (RFC 9110
// §13.2.2), and compares weakly.
func NotModified(w http.ResponseWriter, r *http.Request, etag string, modified time.Time) bool {
	h := w.Header()
	if etag != "" {
		h.Set("ETag", etag)
	}
	if !modified.IsZero() {
		h.Set("Last-Modified", modified.UTC().Format(http.TimeFormat))
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	if !fresh(r, etag, modified) {
		return false
	}
	h.Del("Content-Type")
	h.Del("Content-Length")
	w.WriteHeader(http.StatusNotModified)
	return true
}

func fresh(r *http.Request, etag string, modified time.Time) bool {
	if match := r.Header.Values("If-None-Match"); len(match) > 0 {
		for _, m := range strings.Split(strings.Join(match, ","), ",") {
			m = strings.TrimSpace(m)
			if m == "*" || etag != "" && bare(m) == bare(etag) {
				return true
			}
		}
		return false
	}
	since, err := http.ParseTime(r.Header.Get("If-Modified-Since"))
	return err == nil && !modified.IsZero() && !modified.Truncate(time.Second).After(since)
}

// bare takes off the mark of weakness and the suffix that compression adds.
func bare(tag string) string {
	tag = strings.TrimPrefix(tag, "W/")
	return strings.TrimSuffix(strings.Trim(tag, `"`), "-gzip")
}
