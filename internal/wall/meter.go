package wall

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"slices"
	"time"
)

// Meter is the stories that an anonymous visitor's cookie has counted. It is
// never changed: [Meter.With] gives a new one. A nil Meter is empty.
type Meter struct {
	entries []entry // oldest first; at most MeterMax
	trial   uint8   // [Trial.Mark] of the trial that drawn is of; 0 for none
	drawn   Arm
}

// entry is one counted story. Its ID is folded to eight bytes, so that the
// cookie is small; two stories share them once in 10^19.
type entry struct {
	story uint64
	at    uint32 // Unix seconds, until the year 2106
}

// fold is FNV-1a. Nobody but the newsroom makes story IDs, and the cookie is
// signed, so it need not withstand anybody.
func fold(storyID string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(storyID))
	return h.Sum64()
}

// With gives the meter with a story counted at a time. What is older than
// MaxDays falls out, and so does the oldest beyond MeterMax, which is as many
// as any rule can ask for. A story that is there already is counted anew.
func (m *Meter) With(storyID string, at time.Time) *Meter {
	e := entry{fold(storyID), uint32(at.Unix())}
	oldest := at.Add(-days(MaxDays)).Unix()
	next := &Meter{}
	if m != nil {
		next.trial, next.drawn = m.trial, m.drawn
		for _, old := range m.entries {
			if old.story != e.story && int64(old.at) > oldest {
				next.entries = append(next.entries, old)
			}
		}
	}
	next.entries = append(next.entries, e)
	if extra := len(next.entries) - MeterMax; extra > 0 {
		next.entries = next.entries[extra:]
	}
	return next
}

// Len gives how many stories the meter remembers, of any age.
func (m *Meter) Len() int {
	if m == nil {
		return 0
	}
	return len(m.entries)
}

// count gives how many stories were counted after since, and whether one is this.
func (m *Meter) count(storyID string, since time.Time) (n int, this bool) {
	if m == nil || len(m.entries) == 0 {
		return 0, false
	}
	id, after := fold(storyID), since.Unix()
	for _, e := range m.entries {
		if int64(e.at) > after {
			n++
			this = this || e.story == id
		}
	}
	return n, this
}

// MeterKeys signs the meter's cookie: the first key signs, and all verify, so
// that keys can be changed without spending or refilling anybody's meter. A
// key is 32 random bytes.
type MeterKeys [][]byte

// The cookie's value is base64url of: one byte of version, eight bytes of story
// and four of time for each entry, and an HMAC-SHA256 over all of it. In a trial
// the version is another, and two bytes follow it: the trial's mark and the arm.
const (
	meterVersion = 1
	meterTried   = 2
	entrySize    = 8 + 4
	// MeterBytes is the longest value that Write makes.
	MeterBytes = ((3+MeterMax*entrySize+sha256.Size)*8 + 5) / 6
)

// Write gives the cookie's value, MeterBytes long at most. The cookie must be
// HttpOnly and live as long as [Wall.Window].
func (k MeterKeys) Write(m *Meter) string {
	b := make([]byte, 1, 3+m.Len()*entrySize+sha256.Size)
	b[0] = meterVersion
	if m != nil && m.drawn != NoArm {
		b = []byte{meterTried, m.trial, byte(m.drawn)}
	}
	if m != nil {
		for _, e := range m.entries {
			b = binary.BigEndian.AppendUint64(b, e.story)
			b = binary.BigEndian.AppendUint32(b, e.at)
		}
	}
	return base64.RawURLEncoding.EncodeToString(append(b, sign(k[0], b)...))
}

// Read gives the meter of a cookie's value, and whether the value is one that
// Write made. One that is not gives an empty meter: what no cookie at all
// gives too, so that tampering gains nothing, and a reader whose cookie was
// spoilt on the way, or signed with a key long gone, is not punished for it.
func (k MeterKeys) Read(value string) (*Meter, bool) {
	empty := &Meter{}
	if len(value) > MeterBytes {
		return empty, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(value)
	n := len(b) - sha256.Size
	if err != nil || n < 1 {
		return empty, false
	}
	head := 1
	if b[0] == meterTried {
		head = 3
	}
	if n < head || (n-head)%entrySize != 0 || b[0] != meterVersion && b[0] != meterTried {
		return empty, false
	}
	body, mac := b[:n], b[n:]
	genuine := slices.ContainsFunc(k, func(key []byte) bool { return hmac.Equal(mac, sign(key, body)) })
	if !genuine {
		return empty, false
	}
	m := &Meter{entries: make([]entry, 0, (n-head)/entrySize)}
	if head == 3 && body[2] <= byte(ArmB) {
		m.trial, m.drawn = body[1], Arm(body[2])
	}
	for rest := body[head:]; len(rest) > 0; rest = rest[entrySize:] {
		m.entries = append(m.entries, entry{binary.BigEndian.Uint64(rest), binary.BigEndian.Uint32(rest[8:])})
	}
	return m, true
}

// sign is bound to its purpose, so that no other cookie's signature passes here.
func sign(key, body []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("masthead meter\x00"))
	h.Write(body)
	return h.Sum(nil)
}
