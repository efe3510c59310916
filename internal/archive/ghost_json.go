package archive

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"masthead/internal/fault"
)

// jsonStream walks through JSON of any size and holds one value at a time.
// What it steps over is checked for balance alone; what it hands out is
// parsed by encoding/json.
type jsonStream struct {
	r     *source
	pos   int64 // bytes read
	value bytes.Buffer
}

func (s *jsonStream) byte() (byte, error) {
	b, err := s.r.ReadByte()
	if errors.Is(err, io.EOF) {
		return 0, fault.New(fault.Invalid, "the file breaks off in the middle", "file", s.r.name, "byte", s.pos).
			WithHint("it is not complete: export or copy it again, and compare the sizes")
	}
	if err != nil {
		return 0, err
	}
	s.pos++
	return b, nil
}

// next gives the first byte that is not white space.
func (s *jsonStream) next() (byte, error) {
	for {
		b, err := s.byte()
		if err != nil || b != ' ' && b != '\n' && b != '\t' && b != '\r' {
			return b, err
		}
	}
}

// peek is next, and leaves the byte to be read.
func (s *jsonStream) peek() (byte, error) {
	b, err := s.next()
	if err == nil {
		s.pos--
		err = s.r.UnreadByte()
	}
	return b, err
}

func (s *jsonStream) wrong(b byte) error {
	return fault.New(fault.Invalid, "the file is not JSON", "file", s.r.name, "byte", s.pos-1, "found", string(rune(b))).
		WithHint("export it again; do not edit it by hand")
}

// object calls fn for each member, which must read the value.
func (s *jsonStream) object(fn func(key string) error) error {
	return s.list('{', '}', func() error {
		raw, err := s.read(64 << 10)
		if errors.Is(err, errLarge) {
			return fault.New(fault.Invalid, "a name in the file is too long", "file", s.r.name, "byte", s.pos).
				WithHint("export it again; do not edit it by hand")
		}
		if err != nil {
			return err
		}
		var key string
		if json.Unmarshal(raw, &key) != nil {
			return s.wrong(raw[0])
		}
		if b, err := s.next(); err != nil {
			return err
		} else if b != ':' {
			return s.wrong(b)
		}
		return fn(key)
	})
}

// array calls fn for each element, which must read it.
func (s *jsonStream) array(fn func() error) error { return s.list('[', ']', fn) }

func (s *jsonStream) list(open, end byte, fn func() error) error {
	b, err := s.next()
	if err != nil {
		return err
	}
	if b != open {
		return s.wrong(b)
	}
	if b, err = s.peek(); err != nil {
		return err
	}
	if b == end {
		_, err := s.next()
		return err
	}
	for {
		if err := fn(); err != nil {
			return err
		}
		switch b, err := s.next(); {
		case err != nil:
			return err
		case b == end:
			return nil
		case b != ',':
			return s.wrong(b)
		}
	}
}

// errLarge tells that a value was stepped over since it exceeds the limit; its
// beginning was handed out.
var errLarge = errors.New("too large")

// skip steps over a value.
func (s *jsonStream) skip() error {
	_, err := s.read(0)
	if errors.Is(err, errLarge) {
		return nil
	}
	return err
}

// read gives the bytes of the next value, which are good until the next call.
// Of one that is longer than limit it gives the beginning and errLarge.
func (s *jsonStream) read(limit int) ([]byte, error) {
	s.value.Reset()
	if s.value.Cap() > 4<<20 {
		s.value = bytes.Buffer{} // one large value shall not be paid for ever after
	}
	b, err := s.next()
	if err != nil {
		return nil, err
	}
	large := false
	keep := func(b byte) {
		if s.value.Len() < limit {
			s.value.WriteByte(b)
		} else {
			large = true
		}
	}
	keep(b)
	depth, inString, escaped := 0, false, false
	switch b {
	case '{', '[':
		depth = 1
	case '"':
		inString = true
	case '}', ']', ',', ':':
		return nil, s.wrong(b)
	default: // a number or a word, which ends before the next mark
		for {
			b, err := s.byte()
			if err != nil {
				return nil, err
			}
			if b == ',' || b == '}' || b == ']' || b == ' ' || b == '\n' || b == '\t' || b == '\r' || b == ':' {
				s.pos--
				if err := s.r.UnreadByte(); err != nil {
					return nil, err
				}
				break
			}
			keep(b)
		}
	}
	for depth > 0 || inString {
		b, err := s.byte()
		if err != nil {
			return nil, err
		}
		keep(b)
		switch {
		case escaped:
			escaped = false
		case inString:
			if b == '\\' {
				escaped = true
			} else if b == '"' {
				inString = false
			}
		case b == '"':
			inString = true
		case b == '{' || b == '[':
			depth++
		case b == '}' || b == ']':
			depth--
		}
	}
	if large {
		return s.value.Bytes(), errLarge
	}
	return s.value.Bytes(), nil
}

// end makes sure that nothing but white space follows.
func (s *jsonStream) end() error {
	for {
		b, err := s.r.ReadByte()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		s.pos++
		if b != ' ' && b != '\n' && b != '\t' && b != '\r' {
			return s.wrong(b)
		}
	}
}
