package app

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"masthead/internal/fault"
)

// The newsroom's secret signs cookies and hashes codes. It stands in a file
// that its owner alone may read, one key a line, the newest first: a new line
// at the top changes the key without signing anybody out. Nodes that share a
// database share it by MASTHEAD_SECRET instead, with commas between the keys.
const (
	secretFile = "secret.key"
	secretEnv  = "MASTHEAD_SECRET"
	keyBytes   = 32
)

// secrets are the newsroom's keys, the newest first.
type secrets [][]byte

// readSecrets reads the keys. A folder without any is NotFound.
func readSecrets(dir string, lookup func(string) (string, bool)) (secrets, error) {
	where, text := secretEnv, ""
	if v, ok := lookup(secretEnv); ok {
		text = strings.ReplaceAll(v, ",", "\n")
	} else {
		where = filepath.Join(dir, secretFile)
		info, err := os.Stat(where)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fault.New(fault.NotFound, "there is no newsroom in "+dir).WithHint("make one with: masthead init --dir %s", dir)
		}
		if err != nil {
			return nil, err
		}
		if info.Mode().Perm()&0o077 != 0 {
			return nil, fault.New(fault.Invalid, where+" can be read by others").WithHint("chmod 600 %s", where)
		}
		content, err := os.ReadFile(where)
		if err != nil {
			return nil, err
		}
		text = string(content)
	}
	var keys secrets
	for _, line := range strings.Fields(text) {
		key, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(key) < keyBytes {
			return nil, fault.New(fault.Invalid, fmt.Sprintf("%s: each key is base64 of at least %d random bytes", where, keyBytes)).
				WithHint("make one with: openssl rand -base64 32")
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, fault.New(fault.Invalid, where+" holds no key").WithHint("make one with: openssl rand -base64 32")
	}
	return keys, nil
}

// makeSecret writes a first key, unless there is one.
func makeSecret(dir string) error {
	key := make([]byte, keyBytes)
	rand.Read(key)
	f, err := os.OpenFile(filepath.Join(dir, secretFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	return errors.Join(err, f.Close())
}

// keys derives the keys for one purpose, so that what is signed for one is
// worth nothing for another (RFC 5869 in its simplest form: HMAC of the purpose).
func (s secrets) keys(purpose string) [][]byte {
	derived := make([][]byte, len(s))
	for i, key := range s {
		h := hmac.New(sha256.New, key)
		h.Write([]byte("masthead " + purpose))
		derived[i] = h.Sum(nil)
	}
	return derived
}
