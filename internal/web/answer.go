package web

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
)

// Handler answers a request or says why it cannot. A handler that returns an
// error has written nothing.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Failure is what an error page may know of an error.
type Failure struct {
	Kind      fault.Kind
	Status    int
	Message   string // the fault's sentence; empty for an internal fault
	Hint      string
	RequestID string
}

// Answer turns handlers into http.Handlers, and their errors into pages or
// problem documents.
type Answer struct {
	Renderer  *Renderer
	ErrorPage func(r *http.Request, f Failure) (name string, page any)
	Log       *slog.Logger

	told atomic.Int64 // the second in which the log was last told that the database is away
}

// Page answers people: an error becomes the page that ErrorPage names.
func (a *Answer) Page(h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			a.Fail(w, r, err)
		}
	})
}

// API answers programs: an error becomes application/problem+json (RFC 9457).
func (a *Answer) API(h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			a.Problem(w, r, err)
		}
	})
}

// Fail writes the error page for err. An internal fault is logged whole and
// shown by the request's ID alone.
func (a *Answer) Fail(w http.ResponseWriter, r *http.Request, err error) {
	f, gone := a.failure(r, err)
	if gone {
		return
	}
	failureHeaders(w, f)
	if a.ErrorPage != nil && a.Renderer != nil {
		name, page := a.ErrorPage(r, f)
		renderErr := a.Renderer.Render(w, f.Status, name, page)
		if renderErr == nil {
			return
		}
		a.Log.ErrorContext(r.Context(), "error page failed", "error", renderErr, "request", f.RequestID)
	}
	http.Error(w, http.StatusText(f.Status)+"\n"+f.RequestID, f.Status)
}

// Problem writes the problem document for err.
func (a *Answer) Problem(w http.ResponseWriter, r *http.Request, err error) {
	f, gone := a.failure(r, err)
	if gone {
		return
	}
	failureHeaders(w, f)
	body, err := json.Marshal(struct {
		Type     string `json:"type"`
		Title    string `json:"title"`
		Status   int    `json:"status"`
		Detail   string `json:"detail,omitempty"`
		Hint     string `json:"hint,omitempty"`
		Instance string `json:"instance,omitempty"`
	}{"about:blank", http.StatusText(f.Status), f.Status, f.Message, f.Hint, f.RequestID})
	if err != nil {
		panic(err) // strings and a number
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(f.Status)
	w.Write(body)
}

// failure tells what to show of err; gone is true when the client has left and
// there is nobody to answer.
func (a *Answer) failure(r *http.Request, err error) (f Failure, gone bool) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return f, true
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) && fault.KindOf(err) == fault.Internal {
		err = fault.New(fault.TooLarge, "that is more than is taken")
	}
	if fault.KindOf(err) == fault.Internal && db.Away(err) {
		level := slog.LevelDebug
		if now, told := time.Now().Unix(), a.told.Load(); now != told && a.told.CompareAndSwap(told, now) {
			level = slog.LevelWarn // once a second, not once a request
		}
		a.Log.Log(r.Context(), level, "a part that is needed is away", "error", err, "request", RequestID(r.Context()), "path", r.URL.Path)
		err = fault.New(fault.Unavailable, "the newsroom cannot look that up just now").WithHint("try again in a minute")
	}
	f = Failure{Kind: fault.KindOf(err), RequestID: RequestID(r.Context())}
	f.Status = f.Kind.Status()
	if f.Kind == fault.Internal {
		a.Log.ErrorContext(r.Context(), "request failed", "error", err, "request", f.RequestID, "method", r.Method, "path", r.URL.Path)
		return f, false
	}
	f.Message, f.Hint = fault.Message(err), fault.Hint(err)
	a.Log.DebugContext(r.Context(), "request refused", "error", err, "kind", f.Kind.String(), "request", f.RequestID, "path", r.URL.Path)
	return f, false
}

func failureHeaders(w http.ResponseWriter, f Failure) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Del("ETag")
	h.Del("Last-Modified")
	if f.Kind == fault.TooMany || f.Kind == fault.Unavailable || f.Kind == fault.Full {
		if h.Get("Retry-After") == "" {
			h.Set("Retry-After", "60")
		}
	}
}
