package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"masthead/internal/fault"
)

// Event is something that can be told.
type Event string

// The events.
const (
	StoryPublished Event = "story.published" // an edition can be read, for the first time or again
	StoryChanged   Event = "story.changed"   // a published edition, or what belongs to it, is not as it was
	StoryCorrected Event = "story.corrected" // a correction was added to a published edition
	StoryWithdrawn Event = "story.withdrawn" // an edition was taken back
	ReaderCreated  Event = "reader.created"  // somebody registered, or was brought in
	ReaderDeleted  Event = "reader.deleted"  // an account is gone
	Ping           Event = "ping"            // somebody tries whether the receiver hears; every hook gets it
)

// Events gives every event that a hook can ask for.
func Events() []Event {
	return []Event{StoryPublished, StoryChanged, StoryCorrected, StoryWithdrawn, ReaderCreated, ReaderDeleted}
}

// Hook is one receiver.
type Hook struct {
	ID           string
	URL          string // https
	About        string // what it is for
	Events       []Event
	CreatedAt    time.Time
	FailingSince time.Time // when deliveries began to be given up; zero while they arrive
	OffAt        time.Time // zero while it is on
	OffWhy       string    // "" where somebody switched it off, "gone", "failing"
}

// Off reports whether nothing is sent there.
func (h Hook) Off() bool { return !h.OffAt.IsZero() }

// check brings a hook into form.
func (h *Hook) check(insecure bool) error {
	u, err := url.Parse(h.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || len(h.URL) > 2000 || u.Scheme != "https" && !(insecure && u.Scheme == "http") {
		return fault.New(fault.Invalid, "a webhook needs an address to send to").WithHint("write it like https://example.org/hook, without a user's name and without #")
	}
	h.URL = u.String()
	h.About = strings.Join(strings.Fields(h.About), " ")
	if len(h.About) > 500 || !utf8.ValidString(h.About) || strings.ContainsRune(h.About, 0) {
		return fault.New(fault.Invalid, "what a webhook is for is said in at most 500 bytes")
	}
	if len(h.Events) == 0 {
		return fault.New(fault.Invalid, "a webhook needs an event").WithHint("write one or more of %s", names())
	}
	for _, e := range h.Events {
		if !slices.Contains(Events(), e) {
			return fault.New(fault.Invalid, "no such event", "event", e).WithHint("write one or more of %s", names())
		}
	}
	slices.Sort(h.Events)
	h.Events = slices.Compact(h.Events)
	return nil
}

func names() string {
	var all []string
	for _, e := range Events() {
		all = append(all, string(e))
	}
	return strings.Join(all, ", ")
}

// State is where a delivery stands.
type State string

// The states.
const (
	Waiting   State = "waiting" // to be tried, for the first time or again
	Delivered State = "delivered"
	Failed    State = "failed" // given up
)

// Delivery is one event for one hook. Its ID is the webhook-id that the receiver sees.
type Delivery struct {
	ID, HookID string
	Event      Event
	Object     string // "edition:ID", "reader:ID"
	Payload    string // JSON, as it is sent
	State      State
	Round      int // 2 and more: it was asked for again
	Attempts   int // of this round
	Status     int // HTTP status of the last answer; 0: there was none
	Answer     string
	NextAt     time.Time // zero: no further attempt
	TriedAt    time.Time
	BeganAt    time.Time
	CreatedAt  time.Time
}

// maxAnswer is how many bytes of an answer are kept.
const maxAnswer = 1000

// waits are the pauses after a failed attempt: about a day in all.
var waits = [...]time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 8 * time.Hour}

// patience is how long a receiver may take nothing before it is switched off.
const patience = 5 * 24 * time.Hour

// secretPrefix tells a signing secret from others.
const secretPrefix = "whsec_"

// Sign gives the headers of a message: webhook-id, webhook-timestamp and
// webhook-signature, which is "v1," and the base64 of the HMAC-SHA256 of
// "id.timestamp.body" by the bytes of the secret (Standard Webhooks, "Signature scheme").
func Sign(secret, id string, at time.Time, body []byte) (map[string]string, error) {
	signature, err := sign(secret, id, strconv.FormatInt(at.Unix(), 10), body)
	return map[string]string{"webhook-id": id, "webhook-timestamp": strconv.FormatInt(at.Unix(), 10), "webhook-signature": signature}, err
}

func sign(secret, id, at string, body []byte) (string, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
	if err != nil {
		return "", fmt.Errorf("webhook: secret: %w", err)
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.", id, at)
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
}

// Verify checks a message as a receiver should: one of its signatures is that of
// the secret, and it is at most five minutes old or early.
func Verify(secret, id, timestamp, signatures string, body []byte, now time.Time) error {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
		return fault.New(fault.Invalid, "the message is too old, or too early")
	}
	want, err := sign(secret, id, timestamp, body)
	if err != nil {
		return err
	}
	for s := range strings.FieldsSeq(signatures) {
		if hmac.Equal([]byte(s), []byte(want)) {
			return nil
		}
	}
	return fault.New(fault.Forbidden, "the signature is wrong")
}

// wrap adds the operation to *err, once for the package.
func wrap(err *error, format string, args ...any) {
	if *err != nil {
		*err = fmt.Errorf("webhook."+format+": %w", append(args, *err)...)
	}
}
