package staff

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/fault"
)

// TestTOTPCodes holds the codes against RFC 6238 appendix B, of which six
// digits are the last six of eight.
func TestTOTPCodes(t *testing.T) {
	totp := TOTP{Secret: []byte("12345678901234567890")}
	if got := totp.code(59 / totpPeriod); got != "287082" {
		t.Errorf("at 59: %s", got)
	}
	for at, want := range map[int64]string{1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got := totp.code(at / totpPeriod); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
		for skew, ok := range map[int64]bool{-60: false, -30: true, 0: true, 30: true, 60: false} {
			if _, got := totp.step(want, time.Unix(at+skew, 0)); got != ok {
				t.Errorf("the code of %d, %d seconds off: %v", at, skew, got)
			}
		}
	}
	if got, want := totp.Text(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"; got != want {
		t.Errorf("Text = %s", got)
	}
	u, err := url.Parse(totp.URL("The Quay & Co", "a+b@quay.example"))
	if err != nil || u.Scheme != "otpauth" || u.Path != "/The Quay & Co:a+b@quay.example" || u.Query().Get("issuer") != "The Quay & Co" ||
		u.Query().Get("secret") != "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" {
		t.Errorf("URL = %v, %v", u, err)
	}
	if got := digits(" ١٢٣ ۴۵۶ "); got != "123456" {
		t.Errorf("digits = %s", got)
	}
}

// enrol gives somebody an app, and gives its secret.
func enrol(t *testing.T, d *db.DB, s *Store, id string) TOTP {
	t.Helper()
	totp := must[TOTP](t)(inTx(t, d, func(ctx context.Context, tx *db.Tx) (TOTP, error) { return s.BeginTOTP(ctx, tx, id) }))
	if err := do(t, d, func(ctx context.Context, tx *db.Tx) error {
		return s.EnrolTOTP(ctx, tx, id, totp.code(s.Now().Unix()/totpPeriod))
	}); err != nil {
		t.Fatal(err)
	}
	return totp
}

func TestTOTP(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, c := newStore()
		s.ForceFrom = Publisher
		ada := must[Person](t)(add(t, d, s, "ada@example.org", Owner))
		bob := must[Person](t)(add(t, d, s, "bob@example.org", Owner))
		check := func(id, code string) error {
			return do(t, d, func(ctx context.Context, tx *db.Tx) error { return s.CheckTOTP(ctx, tx, id, code) })
		}
		now := func() int64 { return c.now.Unix() / totpPeriod }
		pending := must[TOTP](t)(inTx(t, d, func(ctx context.Context, tx *db.Tx) (TOTP, error) { return s.BeginTOTP(ctx, tx, ada.ID) }))
		if got := must[TOTP](t)(s.PendingTOTP(t.Context(), d.Read(), ada.ID)); !bytes.Equal(got.Secret, pending.Secret) || len(got.Secret) != 20 {
			t.Errorf("pending %x, %x", got.Secret, pending.Secret)
		}
		wantKind(t, "a code before enrolment", check(ada.ID, pending.code(now())), fault.Invalid)
		wantKind(t, "a wrong first code", do(t, d, func(ctx context.Context, tx *db.Tx) error { return s.EnrolTOTP(ctx, tx, ada.ID, "000000x") }), fault.Invalid)
		totp := enrol(t, d, s, ada.ID)
		if bytes.Equal(totp.Secret, pending.Secret) {
			t.Error("begun anew, the secret is the same")
		}
		_, err := s.PendingTOTP(t.Context(), d.Read(), ada.ID)
		wantKind(t, "pending after enrolment", err, fault.NotFound)
		_, err = inTx(t, d, func(ctx context.Context, tx *db.Tx) (TOTP, error) { return s.BeginTOTP(ctx, tx, ada.ID) })
		wantKind(t, "a second app", err, fault.Conflict)

		// A step is good once, and none before it ever again.
		wantKind(t, "the code of enrolment again", check(ada.ID, totp.code(now())), fault.Invalid)
		wantKind(t, "one before it", check(ada.ID, totp.code(now()-1)), fault.Invalid)
		wantKind(t, "another's code", check(bob.ID, totp.code(now()+1)), fault.Invalid)
		code := totp.code(now() + 1)
		var good atomic.Int32
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if d.InTx(t.Context(), func(tx *db.Tx) error { return s.CheckTOTP(t.Context(), tx, ada.ID, code[:3]+" "+code[3:]) }) == nil {
					good.Add(1)
				}
			})
		}
		wg.Wait()
		if good.Load() != 1 {
			t.Errorf("one code was good %d times", good.Load())
		}
		c.now = c.now.Add(time.Minute)
		if err := check(ada.ID, totp.code(now())); err != nil {
			t.Error(err)
		}
		for _, bad := range []string{"", "0", "000000000000", totp.code(now() + 5)} {
			wantKind(t, "code "+bad, check(ada.ID, bad), fault.Invalid)
		}

		// At rest it is sealed, for this person and by these keys alone.
		var sealed string
		if err := d.Read().QueryRowContext(t.Context(), `SELECT secret FROM staff_totp WHERE staff_id = $1`, ada.ID).Scan(&sealed); err != nil {
			t.Fatal(err)
		}
		if raw, _ := base64.StdEncoding.DecodeString(sealed); bytes.Contains(raw, totp.Secret) {
			t.Error("the secret stands there to be read")
		}
		if _, err := s.Keys.Open(sealed, bob.ID); err == nil {
			t.Error("it opens in another's row")
		}
		old := s.Keys
		s.Keys = [][]byte{bytes.Repeat([]byte("n"), 32)}
		c.now = c.now.Add(time.Minute)
		if err := check(ada.ID, totp.code(now())); err == nil || fault.KindOf(err) != fault.Internal {
			t.Errorf("without its key: %v", err)
		}
		s.Keys = append(s.Keys, old...)
		if err := check(ada.ID, totp.code(now())); err != nil {
			t.Errorf("with a newer key before its own: %v", err)
		}

		remove := func() error {
			return do(t, d, func(ctx context.Context, tx *db.Tx) error { return s.RemoveTOTP(ctx, tx, ada.ID) })
		}
		wantKind(t, "the last factor of an owner", remove(), fault.Conflict)
		s.ForceFrom = ""
		if err := remove(); err != nil {
			t.Fatal(err)
		}
		if f := must[Factors](t)(s.Factors(t.Context(), d.Read(), ada.ID)); f.Any() {
			t.Errorf("%+v", f)
		}
	})
}

func TestLack(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, c := newStore()
		s.ForceFrom = Publisher
		ada := must[Person](t)(add(t, d, s, "ada@example.org", Owner))
		bob := must[Person](t)(add(t, d, s, "bob@example.org", Editor))
		begin := func(id string, by Way) (n Session, cookie string) {
			must[Session](t)(inTx(t, d, func(ctx context.Context, tx *db.Tx) (_ Session, err error) {
				n, cookie, err = s.StartSession(ctx, tx, id, Made{By: by, Agent: "Firefox on Android"})
				return n, err
			}))
			return n, cookie
		}
		lacks := func(cookie string, want Lack) {
			t.Helper()
			v := must[Visit](t)(s.Arrive(t.Context(), d.Read(), cookie))
			if got := s.Lack(v); got != want {
				t.Fatalf("lacks %q, want %q", got, want)
			}
			if _, err := s.Resolve(t.Context(), d.Read(), cookie); (err == nil) != (want == LacksNothing) {
				t.Fatalf("Resolve: %v", err)
			}
		}
		_, bobs := begin(bob.ID, ByLink)
		lacks(bobs, LacksNothing)
		if err := do(t, d, func(ctx context.Context, tx *db.Tx) error {
			return s.SetSections(ctx, tx, bob.ID, map[string]Role{"region": Publisher})
		}); err != nil {
			t.Fatal(err)
		}
		lacks(bobs, LacksFactor) // in the middle of his work

		session, adas := begin(ada.ID, ByLink)
		lacks(adas, LacksFactor)
		totp := enrol(t, d, s, ada.ID)
		lacks(adas, LacksConfirmation)
		fresh := must[string](t)(inTx(t, d, func(ctx context.Context, tx *db.Tx) (string, error) {
			return s.ConfirmSession(ctx, tx, session.ID, ByTOTP)
		}))
		_, err := s.Arrive(t.Context(), d.Read(), adas)
		wantKind(t, "the cookie from before", err, fault.Unauthorized)
		lacks(fresh, LacksNothing)
		v := must[Visit](t)(s.Resolve(t.Context(), d.Read(), fresh))
		if v.Session.ConfirmedBy != ByTOTP || v.Session.MadeBy != ByLink || v.Session.Agent != "Firefox on Android" || !s.Fresh(v, time.Hour) {
			t.Errorf("%+v", v)
		}
		c.now = c.now.Add(time.Hour)
		if s.Fresh(v, time.Hour) {
			t.Error("still fresh after an hour")
		}
		_, err = inTx(t, d, func(ctx context.Context, tx *db.Tx) (string, error) { return s.ConfirmSession(ctx, tx, "none", ByTOTP) })
		wantKind(t, "no session", err, fault.NotFound)

		// Codes for who lost his key.
		codes := must[[]string](t)(inTx(t, d, func(ctx context.Context, tx *db.Tx) ([]string, error) { return s.NewRecoveryCodes(ctx, tx, ada.ID) }))
		use := func(id, code string) error {
			return do(t, d, func(ctx context.Context, tx *db.Tx) error { return s.UseRecoveryCode(ctx, tx, id, code) })
		}
		wantKind(t, "another's recovery code", use(bob.ID, codes[0]), fault.Invalid)
		if err := use(ada.ID, " "+strings.ToUpper(strings.ReplaceAll(codes[0], "-", ""))+" "); err != nil {
			t.Error(err)
		}
		wantKind(t, "the code again", use(ada.ID, codes[0]), fault.Invalid)
		wantKind(t, "no code", use(ada.ID, ""), fault.Invalid)
		if f := must[Factors](t)(s.Factors(t.Context(), d.Read(), ada.ID)); f.Recovery != recoveryCodes-1 || !f.TOTP.Enrolled() || !bytes.Equal(f.TOTP.Secret, totp.Secret) {
			t.Errorf("%+v", f)
		}
		must[[]string](t)(inTx(t, d, func(ctx context.Context, tx *db.Tx) ([]string, error) { return s.NewRecoveryCodes(ctx, tx, ada.ID) }))
		wantKind(t, "a code that gave way", use(ada.ID, codes[1]), fault.Invalid)

		// Sessions: one's own alone can be ended by their IDs.
		one, oneCookie := begin(ada.ID, ByPasskey)
		two, twoCookie := begin(ada.ID, ByPasskey)
		wantKind(t, "another's session", do(t, d, func(ctx context.Context, tx *db.Tx) error { return s.EndSessionOf(ctx, tx, bob.ID, one.ID) }), fault.NotFound)
		lacks(oneCookie, LacksNothing)
		if list := must[[]Session](t)(s.Sessions(t.Context(), d.Read(), ada.ID)); len(list) != 3 || cmp.Diff(two, list[0]) != "" {
			t.Errorf("%+v", list)
		}
		if err := do(t, d, func(ctx context.Context, tx *db.Tx) error {
			if err := s.EndSessionOf(ctx, tx, ada.ID, one.ID); err != nil {
				return err
			}
			return s.EndOtherSessions(ctx, tx, ada.ID, two.ID)
		}); err != nil {
			t.Fatal(err)
		}
		lacks(twoCookie, LacksNothing)
		if list := must[[]Session](t)(s.Sessions(t.Context(), d.Read(), ada.ID)); len(list) != 1 {
			t.Errorf("%+v", list)
		}
		if err := do(t, d, func(ctx context.Context, tx *db.Tx) error { return s.Reset(ctx, tx, ada.ID) }); err != nil {
			t.Fatal(err)
		}
		if f := must[Factors](t)(s.Factors(t.Context(), d.Read(), ada.ID)); f.Any() || f.Recovery != 0 {
			t.Errorf("after a reset: %+v", f)
		}
		_, err = s.Arrive(t.Context(), d.Read(), twoCookie)
		wantKind(t, "a session after a reset", err, fault.Unauthorized)
	})
}

// authenticator is a security key made of Go: what a browser would ask.
type authenticator struct {
	key        *ecdsa.PrivateKey
	id, handle []byte
	count      uint32
	origin     string
	flags      byte // UP 0x01, UV 0x04
}

const origin = "https://quay.example"

func newAuthenticator(t *testing.T) *authenticator {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &authenticator{key: key, id: make([]byte, 16), origin: origin, flags: 0x05}
	rand.Read(a.id)
	return a
}

func (a *authenticator) data(t *testing.T, c Ceremony, kind string) (client, auth []byte) {
	t.Helper()
	var o struct{ Challenge string }
	if err := json.Unmarshal(c.Options, &o); err != nil || o.Challenge == "" {
		t.Fatalf("%s: %v", c.Options, err)
	}
	client, _ = json.Marshal(map[string]any{"type": kind, "challenge": o.Challenge, "origin": a.origin, "crossOrigin": false})
	rp := sha256.Sum256([]byte("quay.example"))
	a.count++
	return client, binary.BigEndian.AppendUint32(append(rp[:], a.flags), a.count)
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// make answers like navigator.credentials.create; CBOR by hand (RFC 8949).
func (a *authenticator) make(t *testing.T, c Ceremony) []byte {
	t.Helper()
	var o struct{ User struct{ ID string } }
	if err := json.Unmarshal(c.Options, &o); err != nil {
		t.Fatal(err)
	}
	a.handle, _ = base64.RawURLEncoding.DecodeString(o.User.ID)
	client, auth := a.data(t, c, "webauthn.create")
	auth[32] |= 0x40 // AT: a credential follows
	auth = append(auth, make([]byte, 16)...)
	auth = binary.BigEndian.AppendUint16(auth, uint16(len(a.id)))
	auth = append(auth, a.id...)
	point, err := a.key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		t.Fatal(err)
	}
	auth = append(auth, 0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 32)
	auth = append(append(append(auth, point[1:33]...), 0x22, 0x58, 32), point[33:]...)
	object := append([]byte{0xa3, 0x63}, "fmt"...)
	object = append(append(object, 0x64), "none"...)
	object = append(append(object, 0x67), "attStmt"...)
	object = append(append(object, 0xa0, 0x68), "authData"...)
	object = append(append(object, 0x58, byte(len(auth))), auth...)
	out, _ := json.Marshal(map[string]any{"id": b64(a.id), "rawId": b64(a.id), "type": "public-key", "clientExtensionResults": map[string]any{},
		"response": map[string]any{"clientDataJSON": b64(client), "attestationObject": b64(object)}})
	return out
}

// get answers like navigator.credentials.get.
func (a *authenticator) get(t *testing.T, c Ceremony) []byte {
	t.Helper()
	client, auth := a.data(t, c, "webauthn.get")
	sum := sha256.Sum256(client)
	digest := sha256.Sum256(append(bytes.Clone(auth), sum[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	out, _ := json.Marshal(map[string]any{"id": b64(a.id), "rawId": b64(a.id), "type": "public-key", "clientExtensionResults": map[string]any{},
		"response": map[string]any{"clientDataJSON": b64(client), "authenticatorData": b64(auth), "signature": b64(signature), "userHandle": b64(a.handle)}})
	return out
}

func TestPasskey(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, c := newStore()
		s.ForceFrom = Publisher
		at, _ := url.Parse(origin)
		var err error
		if s.Passkeys, err = NewPasskeys("The Quay", at); err != nil {
			t.Fatal(err)
		}
		ada := must[Person](t)(add(t, d, s, "ada@example.org", Owner))
		bob := must[Person](t)(add(t, d, s, "bob@example.org", Owner))
		begin := func(fn func(ctx context.Context, tx *db.Tx, id string) (Ceremony, error), id string) Ceremony {
			t.Helper()
			return must[Ceremony](t)(inTx(t, d, func(ctx context.Context, tx *db.Tx) (Ceremony, error) { return fn(ctx, tx, id) }))
		}
		take := func(c Ceremony, staffID string) (Ceremony, error) {
			return inTx(t, d, func(ctx context.Context, tx *db.Tx) (Ceremony, error) { return s.TakeCeremony(ctx, tx, c.ID, staffID) })
		}
		finish := func(c Ceremony, answer []byte) (Passkey, error) {
			return inTx(t, d, func(ctx context.Context, tx *db.Tx) (Passkey, error) {
				return s.FinishPasskey(ctx, tx, c, " Laptop ", answer)
			})
		}
		assert := func(c Ceremony, answer []byte) (Person, error) {
			return inTx(t, d, func(ctx context.Context, tx *db.Tx) (Person, error) {
				p, _, err := s.FinishAssertion(ctx, tx, c, answer)
				return p, err
			})
		}
		laptop := newAuthenticator(t)
		given := begin(s.BeginPasskey, ada.ID)
		var o struct {
			AuthenticatorSelection struct{ ResidentKey, UserVerification string }
			RP                     struct{ ID string }
		}
		if err := json.Unmarshal(given.Options, &o); err != nil || o.AuthenticatorSelection.ResidentKey != "required" || o.AuthenticatorSelection.UserVerification != "required" || o.RP.ID != "quay.example" {
			t.Errorf("%s", given.Options)
		}
		_, err = take(given, bob.ID)
		wantKind(t, "another's challenge", err, fault.Gone)
		taken := must[Ceremony](t)(take(given, ada.ID))
		_, err = take(given, ada.ID)
		wantKind(t, "a challenge taken twice", err, fault.Gone)
		key := must[Passkey](t)(finish(taken, laptop.make(t, given)))
		if key.Name != "Laptop" {
			t.Errorf("%+v", key)
		}
		for what, spoil := range map[string]func(*authenticator){
			"from another origin":         func(a *authenticator) { a.origin = "https://quay.example.evil.example" },
			"without its owner verified":  func(a *authenticator) { a.flags = 0x01 },
			"without anybody being there": func(a *authenticator) { a.flags = 0x04 },
		} {
			bad := newAuthenticator(t)
			spoil(bad)
			g := begin(s.BeginPasskey, ada.ID)
			_, err = finish(must[Ceremony](t)(take(g, ada.ID)), bad.make(t, g))
			wantKind(t, "a passkey "+what, err, fault.Invalid)
		}
		g, other := begin(s.BeginPasskey, ada.ID), begin(s.BeginPasskey, ada.ID)
		_, err = finish(must[Ceremony](t)(take(g, ada.ID)), newAuthenticator(t).make(t, other))
		wantKind(t, "the answer to another challenge", err, fault.Invalid)
		_, err = finish(must[Ceremony](t)(take(other, ada.ID)), []byte(`{"id":"x"}`))
		wantKind(t, "no answer", err, fault.Invalid)
		// The same key for somebody else.
		g = begin(s.BeginPasskey, bob.ID)
		_, err = finish(must[Ceremony](t)(take(g, bob.ID)), laptop.make(t, g))
		wantKind(t, "a key that is another's", err, fault.Conflict)
		laptop.handle = []byte(ada.ID)

		// At the door the key says whose it is.
		c.now = c.now.Add(time.Hour)
		g = begin(s.BeginAssertion, "")
		taken = must[Ceremony](t)(take(g, ""))
		if p := must[Person](t)(assert(taken, laptop.get(t, g))); p.ID != ada.ID {
			t.Errorf("%+v", p)
		}
		if f := must[Factors](t)(s.Factors(t.Context(), d.Read(), ada.ID)); len(f.Passkeys) != 1 || !f.Passkeys[0].UsedAt.Equal(c.now) || f.Passkeys[0].ID != key.ID {
			t.Errorf("%+v", f)
		}
		for what, spoil := range map[string]func(*authenticator){
			"from another origin":        func(a *authenticator) { a.origin = "http://quay.example" },
			"without its owner verified": func(a *authenticator) { a.flags = 0x01 },
			"with another's handle":      func(a *authenticator) { a.handle = []byte(bob.ID) },
			"with no handle":             func(a *authenticator) { a.handle = nil },
			"of a copy":                  func(a *authenticator) { a.count = 0 },
			"signed by another key":      func(a *authenticator) { a.key = newAuthenticator(t).key },
		} {
			bad := *laptop
			spoil(&bad)
			g := begin(s.BeginAssertion, "")
			_, err = assert(must[Ceremony](t)(take(g, "")), bad.get(t, g))
			wantKind(t, "an answer "+what, err, fault.Invalid)
		}
		// Confirming, it must be one of one's own.
		g = begin(s.BeginAssertion, ada.ID)
		must[Person](t)(assert(must[Ceremony](t)(take(g, ada.ID)), laptop.get(t, g)))
		_, err = inTx(t, d, func(ctx context.Context, tx *db.Tx) (Ceremony, error) { return s.BeginAssertion(ctx, tx, bob.ID) })
		wantKind(t, "a key of who has none", err, fault.NotFound)
		g = begin(s.BeginAssertion, "")
		c.now = c.now.Add(ceremonyLife)
		_, err = take(g, "")
		wantKind(t, "too late", err, fault.Gone)
		if err := do(t, d, func(ctx context.Context, tx *db.Tx) error { return s.Sweep(ctx, tx) }); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := d.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM staff_ceremony`).Scan(&n); err != nil || n != 0 {
			t.Errorf("%d challenges left, %v", n, err)
		}

		edit := func(fn func(ctx context.Context, tx *db.Tx) error) error { return do(t, d, fn) }
		wantKind(t, "another's key renamed", edit(func(ctx context.Context, tx *db.Tx) error { return s.RenamePasskey(ctx, tx, bob.ID, key.ID, "x") }), fault.NotFound)
		wantKind(t, "another's key removed", edit(func(ctx context.Context, tx *db.Tx) error { return s.RemovePasskey(ctx, tx, bob.ID, key.ID) }), fault.NotFound)
		wantKind(t, "the last factor", edit(func(ctx context.Context, tx *db.Tx) error { return s.RemovePasskey(ctx, tx, ada.ID, key.ID) }), fault.Conflict)
		enrol(t, d, s, ada.ID)
		if err := edit(func(ctx context.Context, tx *db.Tx) error { return s.RemovePasskey(ctx, tx, ada.ID, key.ID) }); err != nil {
			t.Error(err)
		}
		g = begin(s.BeginAssertion, "")
		_, err = assert(must[Ceremony](t)(take(g, "")), laptop.get(t, g))
		wantKind(t, "a removed key", err, fault.Invalid)
		// Who is disabled comes in by no key.
		phone := newAuthenticator(t)
		g = begin(s.BeginPasskey, ada.ID)
		must[Passkey](t)(finish(must[Ceremony](t)(take(g, ada.ID)), phone.make(t, g)))
		if err := edit(func(ctx context.Context, tx *db.Tx) error { return s.Disable(ctx, tx, ada.ID) }); err != nil {
			t.Fatal(err)
		}
		g = begin(s.BeginAssertion, "")
		_, err = assert(must[Ceremony](t)(take(g, "")), phone.get(t, g))
		wantKind(t, "somebody disabled", err, fault.Invalid)
	})
	for _, bad := range []string{"http://127.0.0.1:8080", "https://[::1]", "https://"} {
		at, _ := url.Parse(bad)
		_, err := NewPasskeys("x", at)
		wantKind(t, "passkeys at "+bad, err, fault.Invalid)
	}
}

func TestAudit(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, c := newStore()
		ada, bob := Person{ID: db.NewID(), Email: "ada@example.org"}, Person{ID: db.NewID(), Email: "bob@example.org"}
		first := c.now
		if err := do(t, d, func(ctx context.Context, tx *db.Tx) error {
			for i := range 1100 {
				e := Entry{Who: ada, Act: PublishStory, Object: "edition:" + strconv.Itoa(i)}
				switch {
				case i == 7:
					e = Entry{Who: Program(), Act: KeepStaff, Object: "staff:x", Detail: map[string]string{"role": "owner"}}
				case i%2 == 1:
					e = Entry{Who: bob, Act: WriteStory, Object: "edition:1"}
				}
				if err := s.Record(ctx, tx, e); err != nil {
					return err
				}
				c.now = c.now.Add(time.Minute)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		for what, f := range map[string]struct {
			filter AuditFilter
			want   int
		}{
			"all":              {AuditFilter{}, 1100},
			"by ID":            {AuditFilter{Who: ada.ID}, 550},
			"by address":       {AuditFilter{Who: "bob@example.org"}, 549},
			"by the program":   {AuditFilter{Who: "program"}, 1},
			"by act":           {AuditFilter{Act: WriteStory}, 549},
			"by object":        {AuditFilter{Object: "edition:1"}, 549},
			"by kind":          {AuditFilter{Object: "edition"}, 1099},
			"by another kind":  {AuditFilter{Object: "edi"}, 0},
			"from":             {AuditFilter{From: first.Add(time.Hour)}, 1040},
			"until":            {AuditFilter{Until: first.Add(time.Hour)}, 60},
			"between, by both": {AuditFilter{From: first, Until: first.Add(time.Hour), Who: ada.ID, Act: PublishStory, Object: "edition"}, 30},
		} {
			seen := map[string]bool{}
			last := "~"
			if err := s.EachAudit(t.Context(), d.Read(), f.filter, func(e Entry) error {
				if seen[e.ID] || e.ID >= last {
					t.Fatalf("%s: %s twice or out of order", what, e.ID)
				}
				seen[e.ID], last = true, e.ID
				return nil
			}); err != nil || len(seen) != f.want {
				t.Errorf("%s: %d, want %d, %v", what, len(seen), f.want, err)
			}
		}
		list := must[[]Entry](t)(s.Audit(t.Context(), d.Read(), AuditFilter{Who: "program"}, 10))
		want := AuditRecord{ID: list[0].ID, At: "2026-11-23T12:07:00.123456Z", Staff: "program", Act: "staff.keep", Object: "staff:x", Detail: map[string]string{"role": "owner"}}
		if diff := cmp.Diff(want, list[0].Record()); diff != "" {
			t.Error(diff)
		}
	})
}
