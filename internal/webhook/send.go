package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/story"
)

// message is what is sent (Standard Webhooks, "Payload structure").
type message struct {
	Type      Event     `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      any       `json:"data"`
}

// StoryData is what is told of an edition: what any list of stories shows.
type StoryData struct {
	ID        string    `json:"id"`    // the edition's
	Story     string    `json:"story"` // which its editions share
	Lang      string    `json:"lang"`
	URL       string    `json:"url,omitempty"`
	API       string    `json:"api"` // where to ask for more
	Kicker    string    `json:"kicker,omitempty"`
	Headline  string    `json:"headline"`
	Summary   string    `json:"summary,omitempty"`
	Revision  int64     `json:"revision"`
	Published time.Time `json:"published,omitzero"`
	Updated   time.Time `json:"updated,omitzero"`
	Reason    string    `json:"reason,omitempty"` // why it was withdrawn
}

// ReaderData is what is told of a reader: his ID. Who may know more asks the API.
type ReaderData struct {
	ID  string `json:"id"`
	API string `json:"api,omitempty"`
}

// old is how long ago an edition that comes from elsewhere was published, so that
// its coming is told to nobody.
const old = 24 * time.Hour

// StoryChanged tells of a change of an edition. It is one of story.Store.Changed.
func (s *Store) StoryChanged(ctx context.Context, tx *db.Tx, c story.Change) (err error) {
	defer wrap(&err, "StoryChanged(%s)", c.EditionID)
	var event Event
	switch {
	case c.Is == story.Published && c.Was != story.Published:
		event = StoryPublished
	case c.Is == story.Published && c.Corrected:
		event = StoryCorrected
	case c.Is == story.Published:
		event = StoryChanged
	case c.Is == story.Withdrawn && c.Was == story.Published:
		event = StoryWithdrawn
	default:
		return nil
	}
	return s.tell(ctx, tx, event, "edition:"+c.EditionID, func() (any, error) {
		e, err := s.Stories.EditionByID(ctx, tx, c.EditionID)
		if err != nil {
			return nil, err
		}
		if c.Was == "" && s.Now().Sub(e.PublishedAt) > old {
			return nil, nil // it came with an archive, and is no news
		}
		return StoryData{ID: e.ID, Story: e.StoryID, Lang: e.Lang, URL: s.URL + (&url.URL{Path: e.Path}).EscapedPath(), API: s.URL + "/api/v1/stories/" + e.ID, Kicker: e.Kicker, Headline: e.Headline,
			Summary: e.Summary, Revision: e.Revision, Published: e.PublishedAt.UTC(), Updated: e.UpdatedAt.UTC(), Reason: e.WithdrawnReason}, nil
	})
}

// ReaderMade tells of a new reader.
func (s *Store) ReaderMade(ctx context.Context, tx *db.Tx, id string) (err error) {
	defer wrap(&err, "ReaderMade(%s)", id)
	return s.tell(ctx, tx, ReaderCreated, "reader:"+id, func() (any, error) {
		return ReaderData{ID: id, API: s.URL + "/api/v1/readers/" + id}, nil
	})
}

// ReaderGone tells of a reader who was deleted.
func (s *Store) ReaderGone(ctx context.Context, tx *db.Tx, id string) (err error) {
	defer wrap(&err, "ReaderGone(%s)", id)
	return s.tell(ctx, tx, ReaderDeleted, "reader:"+id, func() (any, error) { return ReaderData{ID: id}, nil })
}

// Try sends a ping to one hook.
func (s *Store) Try(ctx context.Context, tx *db.Tx, hookID string) (d Delivery, err error) {
	defer wrap(&err, "Try(%s)", hookID)
	h, err := s.ByID(ctx, tx, hookID)
	if err != nil {
		return d, err
	}
	if h.Off() {
		return d, fault.New(fault.Conflict, "the webhook is switched off").WithHint("switch it on first")
	}
	payload, err := s.payload(Ping, struct{}{})
	if err != nil {
		return d, err
	}
	return s.enqueue(ctx, tx, hookID, Ping, "webhook:"+hookID, payload)
}

func (s *Store) payload(event Event, data any) (string, error) {
	b, err := json.Marshal(message{event, s.Now().UTC().Truncate(time.Millisecond), data})
	return string(b), err
}

// tell enqueues an event for every hook that asks for it. A change of something
// whose last change has not been sent yet is told together with that.
func (s *Store) tell(ctx context.Context, tx *db.Tx, event Event, object string, data func() (any, error)) error {
	rows, err := tx.QueryContext(ctx, `SELECT `+hookColumns+` FROM webhook WHERE off_at = 0 ORDER BY id`)
	hooks, err := db.Rows(rows, err, scanHook)
	if err != nil {
		return err
	}
	hooks = slices.DeleteFunc(hooks, func(h Hook) bool { return !slices.Contains(h.Events, event) })
	if len(hooks) == 0 {
		return nil
	}
	about, err := data()
	if err != nil || about == nil {
		return err
	}
	payload, err := s.payload(event, about)
	if err != nil {
		return err
	}
	for _, h := range hooks {
		if err := s.add(ctx, tx, h.ID, event, object, payload); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) add(ctx context.Context, tx *db.Tx, hookID string, event Event, object, payload string) error {
	if event == StoryChanged {
		// Several changes at once are told of together, as they stand in the end.
		result, err := tx.ExecContext(ctx, `UPDATE webhook_delivery SET payload = $4
			WHERE webhook_id = $1 AND object = $2 AND event = $3 AND state = 'waiting' AND attempts = 0`, hookID, object, string(event), payload)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n > 0 {
			return err
		}
	}
	_, err := s.enqueue(ctx, tx, hookID, event, object, payload)
	return err
}

func (s *Store) enqueue(ctx context.Context, tx *db.Tx, hookID string, event Event, object, payload string) (Delivery, error) {
	now := s.Now()
	d, err := scanDelivery(tx.QueryRowContext(ctx, `INSERT INTO webhook_delivery (id, webhook_id, event, object, payload, state, next_at, began_at, created_at)
		VALUES ($1, $2, $3, $4, $5, 'waiting', $6, $6, $6) RETURNING `+deliveryColumns, db.NewID(), hookID, string(event), object, payload, db.Micros(now)))
	if err != nil {
		return d, err
	}
	return d, s.Post(ctx, tx, Bring{d.ID, d.Round, 1}, now)
}

// Deliver makes one attempt, and says when the next is to be. It is the work of
// the job [Bring], and does nothing where that attempt is not the next.
func (s *Store) Deliver(ctx context.Context, d *db.DB, b Bring) (err error) {
	defer wrap(&err, "Deliver(%s)", b.Delivery)
	var one Delivery
	var h Hook
	var secret string
	err = d.InTx(ctx, func(tx *db.Tx) (err error) {
		// Counting comes first: from here on its payload stays as it is. An attempt
		// that was counted and not ended, since a machine stopped, is made again.
		one, err = scanDelivery(tx.QueryRowContext(ctx, `UPDATE webhook_delivery SET attempts = CAST($3 AS INTEGER)
			WHERE id = $1 AND round = $2 AND state = 'waiting' AND attempts IN (CAST($3 AS INTEGER) - 1, CAST($3 AS INTEGER)) RETURNING `+deliveryColumns,
			b.Delivery, b.Round, b.Attempt))
		if err != nil {
			return absent(err, "there is nothing to deliver")
		}
		if h, err = s.ByID(ctx, tx, one.HookID); err != nil {
			return err
		}
		secret, err = s.secret(ctx, tx, h.ID)
		return err
	})
	if fault.Is(err, fault.NotFound) {
		return nil // deleted, or done already
	}
	if err != nil {
		return err
	}
	if h.Off() {
		return s.end(ctx, d, one, h, 0, "the webhook is switched off")
	}
	status, answer := s.send(ctx, h, one, secret)
	if ctx.Err() != nil && status == 0 {
		return ctx.Err() // the program stops: that is not the receiver's doing
	}
	return s.end(ctx, d, one, h, status, answer)
}

// send gives what the receiver answered; status 0 and a reason where it did not.
func (s *Store) send(ctx context.Context, h Hook, d Delivery, secret string) (status int, answer string) {
	body := []byte(d.Payload)
	headers, err := Sign(secret, d.ID, s.Now(), body)
	if err != nil {
		return 0, "it cannot be signed"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return 0, "that is no web address"
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Masthead")
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	if err := s.Client.Check(r.URL); err != nil {
		return 0, fault.Message(err)
	}
	res, err := s.Client.HTTP().Do(r)
	if err != nil {
		var known *fault.Error
		if errors.As(err, &known) {
			return 0, known.Message
		}
		return 0, "no answer: " + short(err.Error())
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer)) // what came is what there is to tell
	return res.StatusCode, short(string(text))
}

// short makes the beginning of any text one that every database takes.
func short(text string) string {
	text = strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "�")
	if len(text) > maxAnswer {
		text = strings.ToValidUTF8(text[:maxAnswer], "")
	}
	return text
}

// end writes down what came of an attempt, and what follows.
func (s *Store) end(ctx context.Context, d *db.DB, one Delivery, h Hook, status int, answer string) error {
	now := s.Now()
	good := status >= 200 && status < 300
	next, state := time.Time{}, Delivered
	if !good {
		state = Failed
		if n := one.Attempts; n <= len(waits) && !h.Off() && status != http.StatusGone {
			state, next = Waiting, now.Add(waits[n-1])
		}
	}
	return d.InTx(ctx, func(tx *db.Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE webhook_delivery SET state = $4, status = $5, answer = $6, next_at = $7, tried_at = $8
			WHERE id = $1 AND round = $2 AND attempts = $3 AND state = 'waiting'`,
			one.ID, one.Round, one.Attempts, string(state), status, answer, db.Micros(next), db.Micros(now))
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err // it was asked for again meanwhile
		}
		if state == Waiting {
			return s.Post(ctx, tx, Bring{one.ID, one.Round, one.Attempts + 1}, next)
		}
		if good {
			_, err := tx.ExecContext(ctx, `UPDATE webhook SET failing_since = 0 WHERE id = $1 AND failing_since > 0`, h.ID)
			return err
		}
		return s.failed(ctx, tx, h, one, status, now)
	})
}

// failed notes that a delivery was given up, and switches off who takes nothing
// for too long, or says that it is gone (410, as Standard Webhooks has it).
func (s *Store) failed(ctx context.Context, tx *db.Tx, h Hook, one Delivery, status int, now time.Time) error {
	why := ""
	switch {
	case status == http.StatusGone:
		why = "gone"
	case !h.FailingSince.IsZero() && now.Sub(h.FailingSince) >= patience:
		why = "failing"
	}
	h, err := scanHook(tx.QueryRowContext(ctx, `UPDATE webhook SET failing_since = CASE WHEN failing_since = 0 THEN $2 ELSE failing_since END,
			off_at = CASE WHEN off_at = 0 AND $3 <> '' THEN $4 ELSE off_at END, off_why = CASE WHEN off_at = 0 THEN $3 ELSE off_why END
		WHERE id = $1 RETURNING `+hookColumns, h.ID, db.Micros(one.BeganAt), why, db.Micros(now)))
	if err != nil {
		return absent(err, "there is no such webhook")
	}
	if why != "" && s.SwitchedOff != nil {
		return s.SwitchedOff(ctx, tx, h)
	}
	return nil
}
