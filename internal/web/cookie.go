package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"
)

// Signer signs short values that a browser keeps for us. The first key signs;
// all of them verify, so that a key can be changed without signing anybody
// out.
type Signer struct {
	Keys [][]byte // each at least 32 random bytes
}

// ErrSignature says that a signed value was not signed by any of our keys.
var ErrSignature = errors.New("signature does not match")

// Sign gives value with its signature, safe in cookies and addresses. name
// keeps a value signed for one purpose from being used for another.
func (s Signer) Sign(name, value string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(value)) + "." +
		base64.RawURLEncoding.EncodeToString(mac(s.Keys[0], name, value))
}

// Verify gives the value that was signed under name, or ErrSignature.
func (s Signer) Verify(name, signed string) (string, error) {
	left, right, ok := strings.Cut(signed, ".")
	if !ok {
		return "", ErrSignature
	}
	value, err := base64.RawURLEncoding.Strict().DecodeString(left)
	if err != nil {
		return "", ErrSignature
	}
	sum, err := base64.RawURLEncoding.Strict().DecodeString(right)
	if err != nil {
		return "", ErrSignature
	}
	for _, key := range s.Keys {
		if hmac.Equal(sum, mac(key, name, string(value))) {
			return string(value), nil
		}
	}
	return "", ErrSignature
}

func mac(key []byte, name, value string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(name))
	h.Write([]byte{0})
	h.Write([]byte(value))
	return h.Sum(nil)
}

// CookieName gives the name a cookie goes by: "__Host-name" on secure origins,
// which a browser then binds to this host alone (RFC 6265bis §4.1.3.2).
func CookieName(name string, secure bool) string {
	if secure {
		return hostPrefix + name
	}
	return name
}

const hostPrefix = "__Host-"

// SetCookie keeps value in the browser, out of the reach of scripts, for life;
// a life of 0 lasts until the browser is closed.
func SetCookie(w http.ResponseWriter, r *http.Request, name, value string, life time.Duration) {
	secure := Secure(r)
	http.SetCookie(w, &http.Cookie{
		Name: CookieName(name, secure), Value: value, Path: "/", MaxAge: int(life / time.Second),
		Secure: secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// DropCookie makes the browser forget a cookie.
func DropCookie(w http.ResponseWriter, r *http.Request, name string) {
	SetCookie(w, r, name, "", -time.Second)
}

// Cookie gives the value of a cookie and whether there is one. It reads as
// [http.Request.Cookie] does, and makes nothing.
func Cookie(r *http.Request, name string) (string, bool) {
	lines := r.Header["Cookie"]
	if len(lines) == 0 {
		return "", false
	}
	secure := Secure(r)
	for _, line := range lines {
		for more := true; more; {
			var one string
			one, line, more = strings.Cut(line, ";")
			one = strings.Trim(one, " \t")
			if secure {
				var ok bool
				if one, ok = strings.CutPrefix(one, hostPrefix); !ok {
					continue
				}
			}
			rest, ok := strings.CutPrefix(one, name)
			if !ok || rest == "" || rest[0] != '=' {
				continue
			}
			value := rest[1:]
			if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
				value = value[1 : len(value)-1]
			}
			if isCookieValue(value) {
				return value, value != ""
			}
		}
	}
	return "", false
}

// isCookieValue reports whether net/http would read a value.
func isCookieValue(s string) bool {
	for i := range len(s) {
		if b := s[i]; b < 0x20 || b >= 0x7f || b == '"' || b == ';' || b == '\\' {
			return false
		}
	}
	return true
}

// SetSigned keeps a signed value in the browser.
func (s Signer) SetSigned(w http.ResponseWriter, r *http.Request, name, value string, life time.Duration) {
	SetCookie(w, r, name, s.Sign(name, value), life)
}

// Signed gives the value of a signed cookie; false when there is none, or when
// somebody has changed it.
func (s Signer) Signed(r *http.Request, name string) (string, bool) {
	signed, ok := Cookie(r, name)
	if !ok {
		return "", false
	}
	value, err := s.Verify(name, signed)
	return value, err == nil
}
