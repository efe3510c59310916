package reader

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
)

// Rate is how often something may be done. A Limit of 0 sets no limit.
type Rate struct {
	Limit  int
	Window time.Duration
}

// Limiter holds a rate for each key, such as an address or a network. Its
// counters are in the database, so all nodes share them; what they count is
// kept only as a keyed hash.
type Limiter struct {
	Name string // what is counted: "letter", "gift"
	Rate Rate
	Key  []byte // secret
	Now  func() time.Time
}

// Limiter makes a limiter with the store's key and clock.
func (s *Store) Limiter(name string, rate Rate) Limiter {
	return Limiter{Name: name, Rate: rate, Key: s.Key, Now: s.Now}
}

// LimitError is the fault of kind TooMany that a limiter gives.
type LimitError struct {
	After time.Duration // when to try again
	fault *fault.Error
}

// Error gives the fault's text.
func (e *LimitError) Error() string { return e.fault.Error() }

// Unwrap gives the fault.
func (e *LimitError) Unwrap() error { return e.fault }

// skew is how far the clocks of two nodes may be apart.
const skew = 5 * time.Minute

// Take counts one use by key, and gives a [LimitError] when there have been too
// many. A window begins with the first use and ends after Rate.Window. The
// count belongs to the caller's transaction: what is rolled back was not done
// and does not count.
func (l Limiter) Take(ctx context.Context, q db.Queryer, key string) (err error) {
	if l.Rate.Limit <= 0 {
		return nil
	}
	defer wrap(&err, "Limiter.Take(%s)", l.Name)
	now := l.Now()
	var count, until int64
	// A window that ends later than one that begins now was written by a clock that was
	// ahead: it begins anew, or nobody could do anything until that time has come.
	// Counting stops one above the limit, so that no number of tries can overflow.
	err = q.QueryRowContext(ctx, `
		INSERT INTO rate (name, count, until) VALUES ($1, 1, $2)
		ON CONFLICT (name) DO UPDATE SET
			count = CASE WHEN rate.until <= $3 OR rate.until > $5 THEN 1 WHEN rate.count <= $4 THEN rate.count + 1 ELSE rate.count END,
			until = CASE WHEN rate.until <= $3 OR rate.until > $5 THEN excluded.until ELSE rate.until END
		RETURNING count, until`,
		l.row(key), db.Micros(now.Add(l.Rate.Window)), db.Micros(now), l.Rate.Limit, db.Micros(now.Add(l.Rate.Window+skew))).Scan(&count, &until)
	if err != nil {
		return err
	}
	if count > int64(l.Rate.Limit) {
		after := max(db.Time(until).Sub(now), time.Second)
		wait := "a minute"
		if minutes := (after + time.Minute - 1) / time.Minute; minutes > 1 {
			wait = fmt.Sprintf("%d minutes", minutes)
		}
		return &LimitError{After: after, fault: fault.New(fault.TooMany, "too many tries").WithHint("try again in %s", wait)}
	}
	return nil
}

// Forget drops what is counted of key.
func (l Limiter) Forget(ctx context.Context, q db.Queryer, key string) (err error) {
	defer wrap(&err, "Limiter.Forget(%s)", l.Name)
	_, err = q.ExecContext(ctx, `DELETE FROM rate WHERE name = $1`, l.row(key))
	return err
}

func (l Limiter) row(key string) string {
	return l.Name + ":" + keyed(l.Key, "rate", l.Name, key)
}

// keyed gives the HMAC-SHA-256 of parts, in hex. Parts are told apart by a zero
// byte, which none of them holds.
func keyed(key []byte, parts ...string) string {
	mac := hmac.New(sha256.New, key)
	for _, p := range parts {
		mac.Write([]byte(p))
		mac.Write([]byte{0})
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// Network gives what is held to be one network for rate limits: the /24 of an
// IPv4 address, the /48 of an IPv6 one. An invalid address gives an invalid prefix.
func Network(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := 48
	if addr.Is4() {
		bits = 24
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
