package staff

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"masthead/internal/db"
	"masthead/internal/fault"
)

// ceremonyLife is how long a browser may take to answer a challenge.
const ceremonyLife = 5 * time.Minute

// Passkeys asks browsers for passkeys (WebAuthn Level 3): discoverable, so that
// nobody types an address, and with their owner verified.
type Passkeys struct{ rp *webauthn.WebAuthn }

// NewPasskeys makes one for the desk at that address. An address that is a
// number, for which browsers keep no passkeys, is Invalid.
func NewPasskeys(site string, at *url.URL) (*Passkeys, error) {
	if net.ParseIP(at.Hostname()) != nil || at.Hostname() == "" {
		return nil, fault.New(fault.Invalid, "there are no passkeys for an address that is a number", "url", at.String()).WithHint("use a name, such as localhost")
	}
	required := true
	rp, err := webauthn.New(&webauthn.Config{
		RPID: at.Hostname(), RPDisplayName: site, RPOrigins: []string{at.Scheme + "://" + at.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: &required, ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired},
	})
	if err != nil {
		return nil, fault.New(fault.Invalid, "there are no passkeys for this address: "+err.Error(), "url", at.String())
	}
	return &Passkeys{rp}, nil
}

// Passkey is one key that somebody keeps in a device or a password manager.
type Passkey struct {
	ID        string
	Name      string
	CreatedAt time.Time
	UsedAt    time.Time // zero: not since it was made

	credential webauthn.Credential
}

// holder is a person as the library sees him.
type holder struct {
	Person
	keys []Passkey
}

// WebAuthnID gives the user handle, by which a passkey finds its owner.
func (h holder) WebAuthnID() []byte { return []byte(h.ID) }

// WebAuthnName gives what tells two accounts of one person apart.
func (h holder) WebAuthnName() string { return h.Email }

// WebAuthnDisplayName gives the person's name.
func (h holder) WebAuthnDisplayName() string {
	if h.Name == "" {
		return h.Email
	}
	return h.Name
}

// WebAuthnCredentials gives the person's keys.
func (h holder) WebAuthnCredentials() []webauthn.Credential {
	var list []webauthn.Credential
	for _, k := range h.keys {
		list = append(list, k.credential)
	}
	return list
}

func (s *Store) passkeys(ctx context.Context, q db.Queryer, staffID string) ([]Passkey, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT id, name, credential, created_at, used_at FROM staff_passkey WHERE staff_id = $1 ORDER BY created_at, id`, staffID)
	return db.Rows(rows, err, func(row db.Scanner) (k Passkey, err error) {
		var text string
		var created, used int64
		if err := row.Scan(&k.ID, &k.Name, &text, &created, &used); err != nil {
			return k, err
		}
		k.CreatedAt, k.UsedAt = db.Time(created), db.Time(used)
		return k, json.Unmarshal([]byte(text), &k.credential)
	})
}

func (s *Store) holder(ctx context.Context, q db.Queryer, id string) (h holder, err error) {
	if h.Person, err = s.one(ctx, q, `id = $1 AND disabled_at = 0`, id); err != nil {
		return h, err
	}
	h.keys, err = s.passkeys(ctx, q, id)
	return h, err
}

// Ceremony is a challenge that a browser was given and is to answer.
type Ceremony struct {
	ID      string
	StaffID string          // "" at the door
	Options json.RawMessage // for the browser: PublicKeyCredentialCreationOptionsJSON, or …RequestOptionsJSON

	data webauthn.SessionData
}

func (s *Store) beginCeremony(ctx context.Context, tx *db.Tx, c Ceremony, options any) (Ceremony, error) {
	c.ID = newSecret()
	data, err := json.Marshal(c.data)
	if err != nil {
		return c, err
	}
	if c.Options, err = json.Marshal(options); err != nil {
		return c, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO staff_ceremony (id, staff_id, data, expires_at) VALUES ($1, $2, $3, $4)`,
		hash(c.ID), c.StaffID, string(data), db.Micros(s.Now().Add(ceremonyLife)))
	return c, err
}

// TakeCeremony ends the challenge with that ID and gives it. It is done in a
// transaction of its own, so that a wrong answer uses it up too. One that is
// unknown, used, too old or another person's is Gone.
func (s *Store) TakeCeremony(ctx context.Context, tx *db.Tx, id, staffID string) (c Ceremony, err error) {
	defer wrap(&err, "TakeCeremony")
	var data string
	err = tx.QueryRowContext(ctx, `DELETE FROM staff_ceremony WHERE id = $1 AND staff_id = $2 AND expires_at > $3 RETURNING data`,
		hash(id), staffID, db.Micros(s.Now())).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return c, fault.New(fault.Gone, "this took too long").WithHint("begin again")
	}
	if err != nil {
		return c, err
	}
	c.ID, c.StaffID = id, staffID
	return c, json.Unmarshal([]byte(data), &c.data)
}

func (s *Store) noPasskeys() error {
	return fault.New(fault.NotFound, "there are no passkeys at this address")
}

// BeginPasskey begins to make a passkey for somebody, on a device that has none
// of his yet.
func (s *Store) BeginPasskey(ctx context.Context, tx *db.Tx, staffID string) (c Ceremony, err error) {
	defer wrap(&err, "BeginPasskey(%s)", staffID)
	if s.Passkeys == nil {
		return c, s.noPasskeys()
	}
	h, err := s.holder(ctx, tx, staffID)
	if err != nil {
		return c, err
	}
	creation, data, err := s.Passkeys.rp.BeginRegistration(h, webauthn.WithExclusions(webauthn.Credentials(h.WebAuthnCredentials()).CredentialDescriptors()))
	if err != nil {
		return c, err
	}
	return s.beginCeremony(ctx, tx, Ceremony{StaffID: staffID, data: *data}, creation.Response)
}

// FinishPasskey keeps the passkey that a browser made: response is its
// RegistrationResponseJSON. One that does not answer the challenge is Invalid.
func (s *Store) FinishPasskey(ctx context.Context, tx *db.Tx, c Ceremony, name string, response []byte) (k Passkey, err error) {
	defer wrap(&err, "FinishPasskey(%s)", c.StaffID)
	if s.Passkeys == nil {
		return k, s.noPasskeys()
	}
	h, err := s.holder(ctx, tx, c.StaffID)
	if err != nil {
		return k, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return k, refused(err)
	}
	credential, err := s.Passkeys.rp.CreateCredential(h, c.data, parsed)
	if err != nil {
		return k, refused(err)
	}
	credential.Attestation = webauthn.CredentialAttestation{} // none is asked for, and none is kept
	text, err := json.Marshal(credential)
	if err != nil {
		return k, err
	}
	k = Passkey{ID: db.NewID(), Name: keyName(name), CreatedAt: s.Now().Truncate(time.Microsecond), credential: *credential}
	result, err := tx.ExecContext(ctx, `
		INSERT INTO staff_passkey (id, staff_id, credential_id, credential, name, created_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (credential_id) DO NOTHING`,
		k.ID, c.StaffID, base64.RawURLEncoding.EncodeToString(credential.ID), string(text), k.Name, db.Micros(k.CreatedAt))
	if err != nil {
		return k, err
	}
	if n, err := result.RowsAffected(); err != nil {
		return k, err
	} else if n == 0 {
		return k, fault.New(fault.Conflict, "this passkey is here already")
	}
	return k, nil
}

// BeginAssertion begins to ask for a passkey: one of somebody's, or at the door,
// with "", whichever the browser has.
func (s *Store) BeginAssertion(ctx context.Context, tx *db.Tx, staffID string) (c Ceremony, err error) {
	defer wrap(&err, "BeginAssertion(%s)", staffID)
	if s.Passkeys == nil {
		return c, s.noPasskeys()
	}
	var assertion *protocol.CredentialAssertion
	var data *webauthn.SessionData
	if staffID == "" {
		assertion, data, err = s.Passkeys.rp.BeginDiscoverableLogin()
	} else {
		h, holderErr := s.holder(ctx, tx, staffID)
		if holderErr != nil {
			return c, holderErr
		}
		if len(h.keys) == 0 {
			return c, fault.New(fault.NotFound, "there is no passkey")
		}
		assertion, data, err = s.Passkeys.rp.BeginLogin(h)
	}
	if err != nil {
		return c, err
	}
	return s.beginCeremony(ctx, tx, Ceremony{StaffID: staffID, data: *data}, assertion.Response)
}

// FinishAssertion gives the person whose passkey answered: response is the
// browser's AuthenticationResponseJSON. An answer that does not hold, and one
// of a key that seems to be copied, is Invalid.
func (s *Store) FinishAssertion(ctx context.Context, tx *db.Tx, c Ceremony, response []byte) (p Person, k Passkey, err error) {
	defer wrap(&err, "FinishAssertion")
	if s.Passkeys == nil {
		return p, k, s.noPasskeys()
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return p, k, refused(err)
	}
	var h holder
	var credential *webauthn.Credential
	if c.StaffID == "" {
		_, credential, err = s.Passkeys.rp.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
			if len(handle) != 36 {
				return nil, errors.New("no such user handle")
			}
			h, err = s.holder(ctx, tx, string(handle))
			return h, err
		}, c.data, parsed)
	} else if h, err = s.holder(ctx, tx, c.StaffID); err == nil {
		credential, err = s.Passkeys.rp.ValidateLogin(h, c.data, parsed)
	}
	if err != nil {
		return p, k, refused(err)
	}
	if credential.Authenticator.CloneWarning {
		return h.Person, k, fault.New(fault.Invalid, "this passkey seems to have been copied", "credential", base64.RawURLEncoding.EncodeToString(credential.ID)).
			WithHint("remove it, and make another")
	}
	text, err := json.Marshal(credential)
	if err != nil {
		return p, k, err
	}
	for _, k = range h.keys {
		if string(k.credential.ID) == string(credential.ID) {
			break
		}
	}
	k.UsedAt = s.Now().Truncate(time.Microsecond)
	_, err = tx.ExecContext(ctx, `UPDATE staff_passkey SET credential = $2, used_at = $3 WHERE id = $1`, k.ID, string(text), db.Micros(k.UsedAt))
	return h.Person, k, err
}

// refused makes of what the library says a fault that tells no more than that.
func refused(err error) error {
	var p *protocol.Error
	if errors.As(err, &p) {
		return fault.New(fault.Invalid, "this passkey was not accepted", "why", p.Details, "info", p.DevInfo).WithHint("try again, or use another")
	}
	return fault.New(fault.Invalid, "this passkey was not accepted", "why", err.Error()).WithHint("try again, or use another")
}

// RenamePasskey names one of somebody's keys; another's is NotFound.
func (s *Store) RenamePasskey(ctx context.Context, tx *db.Tx, staffID, id, name string) (err error) {
	defer wrap(&err, "RenamePasskey(%s)", id)
	result, err := tx.ExecContext(ctx, `UPDATE staff_passkey SET name = $3 WHERE id = $1 AND staff_id = $2`, id, staffID, keyName(name))
	return someRow(result, err, "there is no such passkey")
}

// RemovePasskey takes one of somebody's keys away; another's is NotFound. The
// last factor of somebody who must have one stays: Conflict.
func (s *Store) RemovePasskey(ctx context.Context, tx *db.Tx, staffID, id string) (err error) {
	defer wrap(&err, "RemovePasskey(%s)", id)
	result, err := tx.ExecContext(ctx, `DELETE FROM staff_passkey WHERE id = $1 AND staff_id = $2`, id, staffID)
	if err := someRow(result, err, "there is no such passkey"); err != nil {
		return err
	}
	return s.keepOne(ctx, tx, staffID)
}

func keyName(name string) string {
	name = strings.TrimSpace(name)
	if r := []rune(name); len(r) > 60 {
		name = string(r[:60])
	}
	if name == "" {
		return "Passkey"
	}
	return name
}

// someRow gives NotFound where a statement met no row.
func someRow(result sql.Result, err error, sentence string) error {
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return fault.New(fault.NotFound, sentence)
}
