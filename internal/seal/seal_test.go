package seal_test

import (
	"bytes"
	"encoding/base64"
	"testing"

	"masthead/internal/seal"
)

func TestKeys(t *testing.T) {
	old, young := bytes.Repeat([]byte("o"), 32), bytes.Repeat([]byte("y"), 32)
	for _, plain := range []string{"", "a secret", string(bytes.Repeat([]byte("x"), 10_000))} {
		sealed, err := seal.Keys{old}.Seal([]byte(plain), "ada")
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := (seal.Keys{old}).Seal([]byte(plain), "ada"); again == sealed {
			t.Error("sealed twice it is the same")
		}
		raw, err := base64.StdEncoding.DecodeString(sealed)
		if err != nil || plain != "" && bytes.Contains(raw, []byte(plain)) {
			t.Errorf("it can be read: %q, %v", raw, err)
		}
		if got, err := (seal.Keys{young, old}).Open(sealed, "ada"); err != nil || string(got) != plain {
			t.Errorf("by an older key: %q, %v", got, err)
		}
		raw[len(raw)-1] ^= 1
		for name, open := range map[string]func() ([]byte, error){
			"another's":    func() ([]byte, error) { return seal.Keys{old}.Open(sealed, "bob") },
			"another key":  func() ([]byte, error) { return seal.Keys{young}.Open(sealed, "ada") },
			"no key":       func() ([]byte, error) { return seal.Keys{}.Open(sealed, "ada") },
			"one bit else": func() ([]byte, error) { return seal.Keys{old}.Open(base64.StdEncoding.EncodeToString(raw), "ada") },
			"too short":    func() ([]byte, error) { return seal.Keys{old}.Open("AAAA", "ada") },
			"no base64":    func() ([]byte, error) { return seal.Keys{old}.Open("?", "ada") },
		} {
			if got, err := open(); err == nil {
				t.Errorf("%s opens: %q", name, got)
			}
		}
	}
	if _, err := (seal.Keys{}).Seal(nil, "ada"); err == nil {
		t.Error("it is sealed without a key")
	}
}
