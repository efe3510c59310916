// Package fault names what went wrong and what a visitor may be told of it.
//
// An error that is expected carries a [Kind] and a sentence for the visitor;
// everything else is internal: it is logged whole and shown as "something
// went wrong" with the request's ID.
//
//	return fault.New(fault.NotFound, "no such story", "slug", slug)
//
// A caller asks with [KindOf], and adds what it was doing with fmt.Errorf and
// %w, which keeps the kind.
package fault

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// Kind says which sort of thing went wrong. The zero Kind is Internal.
type Kind int

// The kinds, each with the HTTP status (RFC 9110 §15, RFC 6585 §4) that [Kind.Status] gives it.
const (
	Internal        Kind = iota // 500: a fault of ours; its text is never shown
	NotFound                    // 404: there is no such thing
	Gone                        // 410: there was, and it has been withdrawn
	Invalid                     // 400: the input cannot be used; the sentence says what to do
	Unauthorized                // 401: nobody is signed in
	Forbidden                   // 403: somebody is, and may not
	PaymentRequired             // 402: a tier is needed
	Conflict                    // 409: another change came first
	TooLarge                    // 413: more bytes than are taken
	TooMany                     // 429: try again later
	Unavailable                 // 503: a part that is needed is away
	HeaderTooLarge              // 431: more cookies than are taken
	Full                        // 507 (RFC 4918 §11.5): there is no room to keep anything; reading goes on
)

var names = [...]string{"internal", "not found", "gone", "invalid", "unauthorized", "forbidden",
	"payment required", "conflict", "too large", "too many", "unavailable", "header too large", "full"}

var statuses = [...]int{500, 404, 410, 400, 401, 403, 402, 409, 413, 429, 503, 431, 507}

// String gives the kind's name in lower case.
func (k Kind) String() string { return names[k] }

// Status gives the HTTP status that tells this kind of fault.
func (k Kind) Status() int { return statuses[k] }

// Error is an expected fault.
type Error struct {
	Kind    Kind
	Message string // one sentence for the visitor, lower case, without a full stop
	Hint    string // what to do next; may be empty
	Args    []any  // key, value, … for the log
}

// New makes an expected fault of kind k. message is what the visitor may be
// told; args are pairs of key and value for the log and for [Error.Error].
func New(k Kind, message string, args ...any) *Error {
	return &Error{Kind: k, Message: message, Args: args}
}

// WithHint adds what the visitor, or the person at the terminal, should do next.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// Error gives the message with its arguments, for logs and terminals.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Message)
	for i := 0; i+1 < len(e.Args); i += 2 {
		fmt.Fprintf(&b, " %v=%q", e.Args[i], fmt.Sprint(e.Args[i+1]))
	}
	return b.String()
}

// KindOf gives the kind that err carries, or Internal.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// Is reports whether err carries kind k.
func Is(err error, k Kind) bool { return err != nil && KindOf(err) == k }

// NoRoom gives err the kind Full when it tells that a disk, a quota or the size
// of a file is at its end; else err itself.
func NoRoom(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("%w: %w", Disk(), err)
	}
	return err
}

// Disk is the fault of a disk that is full.
func Disk() *Error {
	return New(Full, "there is no room left to keep that").WithHint("make room on the disk; reading goes on meanwhile")
}

// Hint gives the hint that err carries, or "".
func Hint(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Hint
	}
	return ""
}

// Message gives the sentence a visitor may be told of err; internal faults
// give "something went wrong".
func Message(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Message
	}
	return "something went wrong"
}
