package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"masthead/internal/draft"
	"masthead/internal/fault"
	"masthead/internal/staff"
	"masthead/internal/web"
)

const (
	streamLook  = 3 * time.Second  // how long a role that was taken away may go on reading
	streamBeat  = 15 * time.Second // proxies close what is silent
	streamWrite = 30 * time.Second // a client that takes nothing for so long has gone
)

// stream is one live connection, and what it has told.
type stream struct {
	d       *Desk
	w       http.ResponseWriter
	r       *http.Request
	out     *http.ResponseController
	edition string
	client  string
	mayEdit bool

	version   int64
	told      draft.State
	seen      int64 // of the people
	greeted   bool
	lastWrite time.Time
}

// errEnd ends a stream that has said why.
var errEnd = errors.New("the stream has ended")

// draftStream serves "GET …/draft/stream" (text/event-stream, WHATWG HTML §9.2):
// everything that happens to a draft, until the client leaves, may no longer
// read, or the program stops.
func (d *Desk) draftStream(w http.ResponseWriter, r *http.Request) error {
	e := d.edition(r)
	at := r.URL.Query().Get("version")
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		at = last
	}
	version, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return fault.New(fault.Invalid, "version is no version")
	}
	if _, err := d.openDraft(r.Context(), e.ID, e.Revision); err != nil {
		return err
	}
	s := &stream{d: d, w: w, r: r, out: http.NewResponseController(w), edition: e.ID, client: r.URL.Query().Get("client"),
		version: version, mayEdit: d.may(r, staff.WriteStory)}
	watch := d.Room.Watch(e.ID)
	defer watch.Close()
	// The server's limits are for pages; this lasts as long as somebody writes.
	s.out.SetReadDeadline(time.Time{})
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "private, no-store, no-transform")
	h.Set("X-Accel-Buffering", "no")
	h.Set("No-Gzip-Compression", "1") // the compressor would wait for more; it takes this off
	look := time.NewTicker(streamLook)
	defer look.Stop()
	for {
		if err := s.tell(r.Context()); err != nil {
			if !errors.Is(err, errEnd) && r.Context().Err() == nil {
				d.Log.WarnContext(r.Context(), "a draft's stream broke", "error", err, "edition", e.ID, "request", web.RequestID(r.Context()))
			}
			return nil // what it had to say it has said, or nobody listens
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-d.Room.Closed():
			s.event("end", "", map[string]string{"reason": "restart"})
			return nil
		case <-watch.C:
		case <-look.C:
		}
	}
}

// event writes one event.
func (s *stream) event(name, id string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if id != "" {
		id = "id: " + id + "\n"
	}
	return s.write(fmt.Sprintf("event: %s\n%sdata: %s\n\n", name, id, data))
}

func (s *stream) write(text string) error {
	s.lastWrite = time.Now()
	s.out.SetWriteDeadline(s.lastWrite.Add(streamWrite))
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	// Each writer passes on to its neighbour alone, and not every one does.
	for w := s.w; ; {
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return nil
		}
		w = u.Unwrap()
	}
}

// allowed ends the stream of somebody who may no longer read, or write what he could.
func (s *stream) allowed(ctx context.Context) error {
	end := func(reason string) error {
		s.event("end", "", map[string]string{"reason": reason})
		return errEnd
	}
	value, _ := web.Cookie(s.r, cookie)
	visit, err := s.d.Staff.Arrive(ctx, s.d.DB.Read(), value)
	if fault.Is(err, fault.Unauthorized) {
		return end("signed_out")
	}
	if err != nil {
		return err
	}
	if s.d.Staff.Lack(visit) != staff.LacksNothing {
		return end("signed_out")
	}
	st, err := s.d.Stories.ByID(ctx, s.d.DB.Read(), s.d.storyOf(s.r).ID)
	if fault.Is(err, fault.NotFound) {
		return end("gone")
	}
	if err != nil {
		return err
	}
	object, err := s.d.object(ctx, s.d.DB.Read(), visit.Person, st)
	if err != nil {
		return err
	}
	if !visit.Person.May(staff.ReadDesk, object) || s.mayEdit && !visit.Person.May(staff.WriteStory, object) {
		return end("role")
	}
	return nil
}

// tell writes everything that is new.
func (s *stream) tell(ctx context.Context) error {
	if err := s.allowed(ctx); err != nil {
		return err
	}
	d, q := s.d, s.d.DB.Read()
	if !s.greeted {
		if err := s.write("retry: 1000\n\n"); err != nil {
			return err
		}
	}
	now, err := d.Drafts.State(ctx, q, s.edition)
	if fault.Is(err, fault.NotFound) {
		s.event("end", "", map[string]string{"reason": "gone"})
		return errEnd
	}
	if err != nil {
		return err
	}
	first := !s.greeted
	if first {
		s.greeted = true
		if err := s.event("hello", "", map[string]any{"version": now.Version, "may_write": s.mayEdit}); err != nil {
			return err
		}
	}
	names, err := d.staffNames(ctx)
	if err != nil {
		return err
	}
	if err := s.steps(ctx); err != nil {
		return err
	}
	if err := s.fields(ctx, now, names, first); err != nil {
		return err
	}
	if first || now.Remarks != s.told.Remarks {
		done, err := s.remarks(ctx, names)
		if err != nil {
			return err
		}
		if !done {
			now.Remarks = -1 // somebody writes without a pause; they are told the next time
		}
	}
	if people, seen := d.Room.People(s.edition); first || seen != s.seen {
		s.seen = seen
		if err := s.event("presence", "", map[string]any{"people": names.people(people, s.client)}); err != nil {
			return err
		}
	}
	if now.Outside != s.told.Outside && !first {
		if err := s.event("outside", "", map[string]any{"revision": now.Outside, "by": s.editor(ctx, now.Outside), "conflicts": now.Conflicts}); err != nil {
			return err
		}
	}
	if now.Revision > 0 && (now.Revision != s.told.Revision || now.Kept != s.told.Kept) {
		if err := s.event("kept", "", map[string]any{"revision": now.Revision, "version": now.Kept, "by": s.editor(ctx, now.Revision), "at": now.KeptAt}); err != nil {
			return err
		}
	}
	if now.Status != s.told.Status && !first {
		if err := s.event("status", "", map[string]any{"status": now.Status}); err != nil {
			return err
		}
	}
	s.told = now
	if time.Since(s.lastWrite) >= streamBeat {
		return s.write(":\n\n")
	}
	return nil
}

// editor names who made a revision; "" where that is not known.
func (s *stream) editor(ctx context.Context, seq int64) string {
	r, err := s.d.Stories.RevisionAt(ctx, s.d.DB.Read(), s.edition, seq)
	if err != nil {
		return ""
	}
	return r.Editor
}

// steps tells the steps behind the client's version.
func (s *stream) steps(ctx context.Context) error {
	missed, err := s.d.Drafts.Since(ctx, s.d.DB.Read(), s.edition, s.version)
	if err != nil {
		return err
	}
	if missed.Version == s.version {
		return nil
	}
	s.version = missed.Version
	id := strconv.FormatInt(missed.Version, 10)
	if missed.Reload {
		return s.event("reload", id, versionJSON{missed.Version})
	}
	return s.event("steps", id, missedOf(missed))
}

func (s *stream) fields(ctx context.Context, now draft.State, names staffNames, all bool) error {
	changed := all
	for name, version := range now.Fields {
		changed = changed || version != s.told.Fields[name]
	}
	if !changed {
		return nil
	}
	list, err := s.d.Drafts.Fields(ctx, s.d.DB.Read(), s.edition)
	if err != nil {
		return err
	}
	for _, f := range list {
		if !all && f.Version == s.told.Fields[f.Name] {
			continue
		}
		out := names.field(f)
		out.Field = f.Name
		if err := s.event("field", "", out); err != nil {
			return err
		}
	}
	return nil
}

// remarks tells the comments at the version that the client has been told of.
func (s *stream) remarks(ctx context.Context, names staffNames) (done bool, err error) {
	for range 20 {
		list, err := s.d.Drafts.Threads(ctx, s.d.DB.Read(), s.edition)
		if err != nil {
			return false, err
		}
		if len(list) == 0 || list[0].Version == s.version {
			return true, s.event("comments", "", map[string]any{"version": s.version, "comments": names.threads(list)})
		}
		if err := s.steps(ctx); err != nil {
			return false, err
		}
	}
	return false, nil
}
