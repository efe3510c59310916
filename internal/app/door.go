package app

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"masthead/internal/fault"
)

// How much of a request's head is taken. Within maxHeader the visitor gets an
// answer that says what is wrong; beyond it net/http answers 431 by itself.
const (
	maxHeader  = 256 << 10
	maxCookies = 64 << 10
	maxAddress = 8 << 10
)

// How long the parts of a request may take. A client that sends its header, or
// a form, byte by byte is cut off, and so is one that does not take its answer.
// What is large has more time: as much as the slowest line that is served needs.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = time.Minute
	writeTimeout  = 2 * time.Minute
	idleTimeout   = 2 * time.Minute
	longest       = 2 * time.Hour // for a request or an answer of any size
	slowest       = 16 << 10      // bytes a second
)

// timeFor gives how long so many bytes may take.
func timeFor(bytes int64, least time.Duration) time.Duration {
	return max(least, time.Duration(min(bytes/slowest, int64(longest/time.Second)))*time.Second)
}

// door stands before everything else: it refuses what no browser of a reader
// sends, and gives time to what is large.
func door(next http.Handler, fail func(w http.ResponseWriter, r *http.Request, err error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.RequestURI) > maxAddress {
			w.Header().Set("Cache-Control", "no-store")
			http.Error(w, "that address is too long", http.StatusRequestURITooLong)
			return
		}
		if size := cookieSize(r); size > maxCookies {
			forgetCookies(w, r)
			fail(w, r, fault.New(fault.HeaderTooLarge, "the browser sends more cookies than are taken", "bytes", size))
			return
		}
		if r.ContentLength > slowest*int64(readTimeout/time.Second) {
			http.NewResponseController(w).SetReadDeadline(time.Now().Add(timeFor(r.ContentLength, readTimeout)))
		}
		for _, area := range large {
			if strings.HasPrefix(r.URL.Path, area) {
				w = &paced{ResponseWriter: w}
				break
			}
		}
		next.ServeHTTP(w, r)
	})
}

// large are the areas whose answers may take longer than writeTimeout.
var large = [...]string{"/media/", "/desk/", "/api/"}

// alone ends the connection after a request whose end a proxy before us may see
// elsewhere, so that nothing can be smuggled behind it: one in chunks, whose
// length net/http drops, and any of HTTP/1.0, whose chunks it ignores (RFC 9112
// §6.1). Browsers send neither.
func alone(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 1 && (r.ProtoMinor == 0 || len(r.TransferEncoding) > 0) {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

func cookieSize(r *http.Request) (n int) {
	for _, line := range r.Header["Cookie"] {
		n += len(line)
	}
	return n
}

// forgetCookies lets a visitor out whose browser sends too many cookies with
// every request: it drops them all, those of other sites of the same domain
// too where the browser knows how (Clear-Site-Data, over TLS alone), else those
// of this site by name. The request goes on without them.
func forgetCookies(w http.ResponseWriter, r *http.Request) {
	const most = 200 // a browser keeps no more for one site
	seen := map[string]bool{}
	for _, line := range r.Header["Cookie"] {
		for pair := range strings.SplitSeq(line, ";") {
			name, _, _ := strings.Cut(strings.TrimSpace(pair), "=")
			if len(seen) == most || seen[name] || len(name) > 100 {
				continue
			}
			seen[name] = true
			c := &http.Cookie{Name: name, Path: "/", MaxAge: -1, Secure: strings.HasPrefix(name, "__")}
			if c.Valid() == nil {
				http.SetCookie(w, c)
			}
		}
	}
	w.Header().Set("Clear-Site-Data", `"cookies"`)
	r.Header.Del("Cookie")
}

// paced gives a large answer the time that it needs, once its size is known.
type paced struct {
	http.ResponseWriter
	told bool
}

// WriteHeader implements [http.ResponseWriter].
func (w *paced) WriteHeader(status int) {
	w.pace()
	w.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (w *paced) Write(b []byte) (int, error) {
	w.pace()
	return w.ResponseWriter.Write(b)
}

func (w *paced) pace() {
	if w.told {
		return
	}
	w.told = true
	if size, err := strconv.ParseInt(w.Header().Get("Content-Length"), 10, 64); err == nil && size > slowest*int64(writeTimeout/time.Second) {
		http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(timeFor(size, writeTimeout)))
	}
}

// Unwrap lets [http.ResponseController] reach the connection.
func (w *paced) Unwrap() http.ResponseWriter { return w.ResponseWriter }
