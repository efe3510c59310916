// Package seal encrypts what the database keeps and nobody may read there: the
// secrets of authenticator apps and webhooks, the answers of the API that may hold one.
//
//	keys := seal.Keys{newest, older}
//	text, err := keys.Seal(secret, staffID)
//	secret, err = keys.Open(text, staffID)
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
)

// Keys are of 32 bytes each: the first seals, and all open, so that they can be
// changed.
type Keys [][]byte

// Seal encrypts (AES-256-GCM, with a nonce made anew) and gives base64. It is for one owner
// alone: under another's name it does not open.
func (k Keys) Seal(plain []byte, owner string) (string, error) {
	if len(k) == 0 {
		return "", errors.New("seal: no key to seal with")
	}
	gcm, err := newGCM(k[0])
	if err != nil {
		return "", err
	}
	nonce := make([]byte, gcm.NonceSize())
	rand.Read(nonce)
	return base64.StdEncoding.EncodeToString(gcm.Seal(nonce, nonce, plain, []byte(owner))), nil
}

// Open gives what [Keys.Seal] encrypted with one of the keys for that owner.
func (k Keys) Open(sealed, owner string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return nil, err
	}
	for _, key := range k {
		gcm, err := newGCM(key)
		if err != nil {
			return nil, err
		}
		if len(raw) < gcm.NonceSize() {
			break
		}
		if plain, err := gcm.Open(nil, raw[:gcm.NonceSize()], raw[gcm.NonceSize():], []byte(owner)); err == nil {
			return plain, nil
		}
	}
	return nil, errors.New("seal: no key of the newsroom opens it")
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key[:32])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
