package reader

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/fault"
)

func begin(t *testing.T, d *db.DB, s *Store, r Request) (Letter, error) {
	t.Helper()
	return inTx(t, d, func(tx *db.Tx) (Letter, error) { return s.Begin(t.Context(), tx, r) })
}

func confirmLink(t *testing.T, d *db.DB, s *Store, token string) (Entry, error) {
	t.Helper()
	return inTx(t, d, func(tx *db.Tx) (Entry, error) { return s.ConfirmLink(t.Context(), tx, token) })
}

func confirmCode(t *testing.T, d *db.DB, s *Store, signinID, code string) (Entry, error) {
	t.Helper()
	proof, err := s.CheckCode(t.Context(), d, signinID, code)
	if err != nil {
		return Entry{}, err
	}
	return inTx(t, d, func(tx *db.Tx) (Entry, error) { return s.ConfirmCode(t.Context(), tx, proof) })
}

// register signs a new reader in.
func register(t *testing.T, d *db.DB, s *Store, email string) Reader {
	t.Helper()
	letter := must[Letter](t)(begin(t, d, s, Request{Email: email}))
	return must[Entry](t)(confirmLink(t, d, s, letter.LinkToken)).Reader
}

// wrong gives a code that is not this one; n makes it one of several.
func wrong(code string, n int) string {
	var v int
	fmt.Sscanf(code, "%d", &v)
	return fmt.Sprintf("%06d", (v+1+n)%1_000_000)
}

func TestSignInByLink(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, c := newStore()
		letter := must[Letter](t)(begin(t, d, s, Request{Email: " Ada@Example.org ", ReturnTo: "/2026/11/ferry/#p7", Lang: "ar",
			Name: "Ada", Newsletters: []string{"weekly"}}))
		want := Letter{Email: "Ada@Example.org", Lang: "ar", Register: true, ExpiresAt: c.now.Add(10 * time.Minute)}
		if diff := cmp.Diff(want, letter, cmpopts.IgnoreFields(Letter{}, "SigninID", "LinkToken", "Code")); diff != "" {
			t.Error(diff)
		}
		if len(letter.LinkToken) != 43 || len(letter.Code) != 6 || strings.Trim(letter.Code, "0123456789") != "" {
			t.Errorf("token %q, code %q", letter.LinkToken, letter.Code)
		}

		// A scanner that follows the link, again and again, changes nothing.
		before := dump(t, d)
		for range 10 {
			p := must[Pending](t)(s.Peek(t.Context(), d.Read(), letter.LinkToken))
			want := Pending{Email: "Ada@Example.org", ReturnTo: "/2026/11/ferry/#p7", Lang: "ar", Register: true, ExpiresAt: letter.ExpiresAt}
			if diff := cmp.Diff(want, p); diff != "" {
				t.Fatal(diff)
			}
		}
		if diff := cmp.Diff(before, dump(t, d)); diff != "" {
			t.Fatalf("Peek changed the database: %s", diff)
		}

		c.add(9 * time.Minute)
		e := must[Entry](t)(confirmLink(t, d, s, letter.LinkToken))
		wantReader := Reader{ID: e.Reader.ID, Email: "Ada@Example.org", Name: "Ada", Lang: "ar", Labels: []string{}, Epoch: 1,
			CreatedAt: c.now, ConfirmedAt: c.now}
		if diff := cmp.Diff(Entry{wantReader, "/2026/11/ferry/#p7", true}, e); diff != "" {
			t.Error(diff)
		}
		lists := must[[]Subscription](t)(s.Newsletters(t.Context(), d.Read(), e.Reader.ID))
		if diff := cmp.Diff([]Subscription{{"weekly", c.now}}, lists); diff != "" {
			t.Error(diff)
		}

		// Once.
		_, err := confirmLink(t, d, s, letter.LinkToken)
		wantKind(t, "the link again", err, fault.Gone)
		_, err = s.Peek(t.Context(), d.Read(), letter.LinkToken)
		wantKind(t, "a look at it", err, fault.Gone)
		_, err = s.CheckCode(t.Context(), d, letter.SigninID, letter.Code)
		wantKind(t, "its code", err, fault.Gone)
		_, err = confirmLink(t, d, s, "never given")
		wantKind(t, "another token", err, fault.NotFound)

		// The second time it is the same account, and what a form says changes nothing of it.
		letter = must[Letter](t)(begin(t, d, s, Request{Email: "ADA@example.ORG", Lang: "fr", Name: "Mallory", Newsletters: []string{"spam"}, ReturnTo: "//evil.example"}))
		if letter.Email != "Ada@Example.org" || letter.Register {
			t.Errorf("a known reader's letter: %+v", letter)
		}
		e2 := must[Entry](t)(confirmLink(t, d, s, letter.LinkToken))
		if diff := cmp.Diff(Entry{wantReader, "/", false}, e2); diff != "" {
			t.Error(diff)
		}
		if got := must[[]Subscription](t)(s.Newsletters(t.Context(), d.Read(), e.Reader.ID)); !cmp.Equal(lists, got) {
			t.Errorf("newsletters were changed: %v", got)
		}
	})
}

func TestSignInByCode(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, _ := newStore()
		letter := must[Letter](t)(begin(t, d, s, Request{Email: "ada@example.org", ReturnTo: "/a/#p1"}))
		other := must[Letter](t)(begin(t, d, s, Request{Email: "bob@example.org"}))

		// What cannot be a code costs no try, however often.
		for _, text := range []string{"", "12345", "1234567", "12345x", "１２３４５", strings.Repeat("1", 1000)} {
			for range 3 {
				_, err := s.CheckCode(t.Context(), d, letter.SigninID, text)
				wantKind(t, "no code: "+text, err, fault.Invalid)
			}
		}
		// The code is bound to the browser that asked.
		if other.Code != letter.Code {
			_, err := s.CheckCode(t.Context(), d, other.SigninID, letter.Code)
			wantKind(t, "another browser", err, fault.Invalid)
		}
		_, err := s.CheckCode(t.Context(), d, "no-sign-in", letter.Code)
		wantKind(t, "no sign-in", err, fault.Gone)

		// Four wrong ones, then the right one, as a reader types it on an Arabic keyboard.
		for i := range 4 {
			_, err := s.CheckCode(t.Context(), d, letter.SigninID, wrong(letter.Code, i))
			wantKind(t, "a wrong code", err, fault.Invalid)
			if want := fmt.Sprintf("tries left: %d", 4-i); fault.Hint(err) != want {
				t.Errorf("hint %q, want %q", fault.Hint(err), want)
			}
		}
		typed := " " + strings.Map(func(r rune) rune { return r - '0' + 0x660 }, letter.Code[:3]) + " - " + letter.Code[3:] + "\u200f"
		e := must[Entry](t)(confirmCode(t, d, s, letter.SigninID, typed))
		if e.Reader.Email != "ada@example.org" || e.ReturnTo != "/a/#p1" || !e.New {
			t.Errorf("%+v", e)
		}
		_, err = confirmCode(t, d, s, letter.SigninID, letter.Code)
		wantKind(t, "the code again", err, fault.Gone)
		_, err = confirmLink(t, d, s, letter.LinkToken)
		wantKind(t, "its link", err, fault.Gone)
	})
}

func TestBruteForce(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, _ := newStore()
		letter := must[Letter](t)(begin(t, d, s, Request{Email: "ada@example.org"}))
		for i := range 5 {
			_, err := s.CheckCode(t.Context(), d, letter.SigninID, wrong(letter.Code, i))
			want := fault.Invalid
			if i == 4 {
				want = fault.TooMany
			}
			wantKind(t, fmt.Sprintf("try %d", i+1), err, want)
		}
		_, err := s.CheckCode(t.Context(), d, letter.SigninID, letter.Code)
		wantKind(t, "the right code, too late", err, fault.TooMany)
		must[Entry](t)(confirmLink(t, d, s, letter.LinkToken)) // the link cannot be guessed, so it lives
	})
}

func TestBruteForceTogether(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, _ := newStore()
		letter := must[Letter](t)(begin(t, d, s, Request{Email: "ada@example.org"}))
		var looked, dead atomic.Int32
		var wg sync.WaitGroup
		for i := range 30 {
			wg.Go(func() {
				_, err := s.CheckCode(t.Context(), d, letter.SigninID, wrong(letter.Code, i))
				switch {
				case fault.Is(err, fault.Invalid):
					looked.Add(1)
				case fault.Is(err, fault.TooMany):
					dead.Add(1)
				default:
					t.Errorf("try %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		var tries int
		if err := d.Read().QueryRowContext(t.Context(), `SELECT tries FROM signin`).Scan(&tries); err != nil {
			t.Fatal(err)
		}
		// The fifth wrong try says already that the code is dead.
		if looked.Load() != 4 || dead.Load() != 26 || tries != 5 {
			t.Errorf("%d wrong, %d dead, %d tries counted; want 4, 26, 5", looked.Load(), dead.Load(), tries)
		}
	})
}

// A try stays counted whatever becomes of what the caller does next.
func TestTriesSurviveTheCaller(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, _ := newStore()
		letter := must[Letter](t)(begin(t, d, s, Request{Email: "ada@example.org"}))
		for range 5 {
			proof := must[Proof](t)(s.CheckCode(t.Context(), d, letter.SigninID, letter.Code))
			err := d.InTx(t.Context(), func(tx *db.Tx) error {
				_, err := s.ConfirmCode(t.Context(), tx, proof)
				return errors.Join(err, errors.New("the disk is full"))
			})
			if fault.Is(err, fault.Gone) {
				t.Fatal("used up by what was rolled back")
			}
		}
		_, err := s.CheckCode(t.Context(), d, letter.SigninID, letter.Code)
		wantKind(t, "a sixth try", err, fault.TooMany)
		_, err = s.ByEmail(t.Context(), d.Read(), "ada@example.org")
		wantKind(t, "the reader", err, fault.NotFound)
	})
}

func TestOnceTogether(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, _ := newStore()
		letter := must[Letter](t)(begin(t, d, s, Request{Email: "ada@example.org"}))
		proof := must[Proof](t)(s.CheckCode(t.Context(), d, letter.SigninID, letter.Code))
		var entered atomic.Int32
		var wg sync.WaitGroup
		for i := range 12 {
			wg.Go(func() {
				err := d.InTx(t.Context(), func(tx *db.Tx) error {
					var err error
					if i%2 == 0 {
						_, err = s.ConfirmLink(t.Context(), tx, letter.LinkToken)
					} else {
						_, err = s.ConfirmCode(t.Context(), tx, proof)
					}
					return err
				})
				switch {
				case err == nil:
					entered.Add(1)
				case !fault.Is(err, fault.Gone):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if entered.Load() != 1 {
			t.Errorf("signed in %d times by one letter", entered.Load())
		}
	})
}

func TestExpiry(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, c := newStore()
		letter := must[Letter](t)(begin(t, d, s, Request{Email: "ada@example.org"}))
		c.add(10*time.Minute - time.Microsecond)
		proof := must[Proof](t)(s.CheckCode(t.Context(), d, letter.SigninID, letter.Code))
		c.add(time.Microsecond)
		_, err := s.CheckCode(t.Context(), d, letter.SigninID, letter.Code)
		wantKind(t, "the code", err, fault.Gone)
		_, err = inTx(t, d, func(tx *db.Tx) (Entry, error) { return s.ConfirmCode(t.Context(), tx, proof) })
		wantKind(t, "a proof from before", err, fault.Gone)
		_, err = confirmLink(t, d, s, letter.LinkToken)
		wantKind(t, "the link", err, fault.Gone)
		c.add(25 * time.Hour)
		do(t, d, func(ctx context.Context, tx *db.Tx) error { return s.Sweep(ctx, tx) })
		_, err = confirmLink(t, d, s, letter.LinkToken)
		wantKind(t, "the link, swept", err, fault.NotFound)
	})
}

func TestNewLetterEndsTheOld(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, _ := newStore()
		old := must[Letter](t)(begin(t, d, s, Request{Email: "ada@example.org"}))
		bob := must[Letter](t)(begin(t, d, s, Request{Email: "bob@example.org"}))
		next := must[Letter](t)(begin(t, d, s, Request{Email: "ADA@example.org"}))
		_, err := s.CheckCode(t.Context(), d, old.SigninID, old.Code)
		wantKind(t, "the old code", err, fault.Gone)
		_, err = confirmLink(t, d, s, old.LinkToken)
		wantKind(t, "the old link", err, fault.Gone)
		must[Entry](t)(confirmCode(t, d, s, next.SigninID, next.Code))
		must[Entry](t)(confirmCode(t, d, s, bob.SigninID, bob.Code))
	})
}

// Nothing that Begin answers, refuses or writes tells a known address from an unknown one.
func TestNoEnumeration(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, _ := newStore()
		s.PerNetwork.Limit = 0
		s.Refused = must[Domains](t)(LoadDomains(strings.NewReader("minutes.example")))
		register(t, d, s, "known@example.org")
		do(t, d, func(ctx context.Context, tx *db.Tx) error { // listed after the reader had registered
			_, _, err := s.Upsert(ctx, tx, Reader{Email: "known@minutes.example"}, nil, nil)
			return err
		})
		do(t, d, func(ctx context.Context, tx *db.Tx) error { return s.perAddress().Forget(ctx, tx, "known@example.org") })
		shape := func(name string) []string {
			var answers []string
			for range 7 {
				l, err := begin(t, d, s, Request{Email: name + "@example.org", ReturnTo: "/x/"})
				answers = append(answers, fmt.Sprintf("%d %d %d %v %v %q", len(l.SigninID), len(l.LinkToken), len(l.Code), fault.KindOf(err), err == nil, fault.Message(err)))
			}
			_, err := begin(t, d, s, Request{Email: name + "@minutes.example"})
			answers = append(answers, fault.Message(err))
			var rows, open int
			err = d.Read().QueryRowContext(t.Context(), `SELECT COUNT(*), COUNT(*) FILTER (WHERE used_at = 0) FROM signin WHERE email = $1 AND return_to = '/x/'`, name+"@example.org").Scan(&rows, &open)
			return append(answers, fmt.Sprint(rows, open, err))
		}
		if diff := cmp.Diff(shape("known"), shape("other")); diff != "" {
			t.Errorf("known and unknown differ: %s", diff)
		}
	})
}

func TestLetterLimits(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, c := newStore()
		net := Network(netip.MustParseAddr("192.0.2.77"))
		for i := range 5 {
			must[Letter](t)(begin(t, d, s, Request{Email: "ada@example.org", Network: net}))
			if i == 0 {
				c.add(time.Minute)
			}
		}
		_, err := begin(t, d, s, Request{Email: "Ada@example.org", Network: net})
		wantKind(t, "a sixth letter to one address", err, fault.TooMany)
		for i := range 15 {
			must[Letter](t)(begin(t, d, s, Request{Email: fmt.Sprintf("r%d@example.org", i), Network: net}))
		}
		_, err = begin(t, d, s, Request{Email: "bob@example.org", Network: net})
		wantKind(t, "the network's 21st", err, fault.TooMany)
		must[Letter](t)(begin(t, d, s, Request{Email: "bob@example.org", Network: Network(netip.MustParseAddr("198.51.100.1"))}))
		c.add(time.Hour)
		must[Letter](t)(begin(t, d, s, Request{Email: "ada@example.org", Network: net}))
	})
}

// Many who ask at once from one network: the limit holds, and nobody waits for another in a ring.
func TestLettersTogether(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, _ := newStore()
		net := Network(netip.MustParseAddr("2001:db8::1"))
		var letters atomic.Int32
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				err := d.InTx(t.Context(), func(tx *db.Tx) error {
					_, err := s.Begin(t.Context(), tx, Request{Email: fmt.Sprintf("r%d@example.org", i%10), Network: net})
					return err
				})
				switch {
				case err == nil:
					letters.Add(1)
				case !fault.Is(err, fault.TooMany):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		var open int
		if err := d.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM signin WHERE used_at = 0`).Scan(&open); err != nil {
			t.Fatal(err)
		}
		if letters.Load() != 20 || open > 10 {
			t.Errorf("%d letters, %d of them good; want 20, and one an address", letters.Load(), open)
		}
	})
}

func TestRefusals(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, _ := newStore()
		s.Refused = must[Domains](t)(LoadDomains(strings.NewReader("minutes.example")))
		for what, r := range map[string]Request{
			"no address":             {Email: "x"},
			"a domain for minutes":   {Email: "ada@Minutes.example"},
			"one below":              {Email: "ada@sub.minutes.example"},
			"a name not to be shown": {Email: "ada@example.org", Name: "a\x00"},
		} {
			_, err := begin(t, d, s, r)
			wantKind(t, what, err, fault.Invalid)
		}
		s.Key = []byte("short")
		if _, err := begin(t, d, s, Request{Email: "ada@example.org"}); fault.KindOf(err) != fault.Internal || err == nil {
			t.Errorf("a short key gives %v", err)
		}
	})
}

// Two spellings may share a key and yet be two people's mailboxes: the letter
// goes to the one on record, and a letter sent to the other opens nothing.
func TestSpellings(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, _ := newStore()
		kelvin := must[Letter](t)(begin(t, d, s, Request{Email: "mi\u212ae@example.org"}))
		do(t, d, func(ctx context.Context, tx *db.Tx) error {
			_, _, err := s.Upsert(ctx, tx, Reader{Email: "mike@example.org"}, nil, nil)
			return err
		})
		_, err := confirmLink(t, d, s, kelvin.LinkToken)
		wantKind(t, "a letter that went to another spelling", err, fault.Gone)
		if l := must[Letter](t)(begin(t, d, s, Request{Email: "mi\u212ae@example.org"})); l.Email != "mike@example.org" {
			t.Errorf("the letter goes to %q", l.Email)
		}
	})
}

func TestImportedReaderSignsIn(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, c := newStore()
		do(t, d, func(ctx context.Context, tx *db.Tx) error {
			_, _, err := s.Upsert(ctx, tx, Reader{Email: "ada@example.org", Source: "ghost:1", CreatedAt: c.now.Add(-time.Hour)}, []Holding{{Tier: "gold"}}, nil)
			return err
		})
		letter := must[Letter](t)(begin(t, d, s, Request{Email: "ada@example.org", Lang: "he"}))
		e := must[Entry](t)(confirmLink(t, d, s, letter.LinkToken))
		if !e.New || e.Reader.Source != "ghost:1" || e.Reader.Lang != "he" || !e.Reader.ConfirmedAt.Equal(c.now) {
			t.Errorf("%+v", e)
		}
	})
}

func TestOneTimeLink(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, c := newStore()
		link := func(email string) (string, error) {
			return inTx(t, d, func(tx *db.Tx) (string, error) { return s.OneTimeLink(t.Context(), tx, email, time.Hour) })
		}
		_, err := link("ada@example.org")
		wantKind(t, "an unknown address", err, fault.NotFound)
		r := register(t, d, s, "ada@example.org")
		token := must[string](t)(link("ADA@example.org"))
		c.add(59 * time.Minute)
		if e := must[Entry](t)(confirmLink(t, d, s, token)); e.Reader.ID != r.ID || e.ReturnTo != "/" || e.New {
			t.Errorf("%+v", e)
		}
		_, err = confirmLink(t, d, s, token)
		wantKind(t, "again", err, fault.Gone)
		token = must[string](t)(link("ada@example.org"))
		c.add(time.Hour)
		_, err = confirmLink(t, d, s, token)
		wantKind(t, "too late", err, fault.Gone)
	})
}

// What is kept signs nobody in.
func TestOnlyHashesAreKept(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, _ := newStore()
		letter := must[Letter](t)(begin(t, d, s, Request{Email: "ada@example.org"}))
		other := must[Letter](t)(begin(t, d, s, Request{Email: "bob@example.org"}))
		e := must[Entry](t)(confirmLink(t, d, s, other.LinkToken))
		_, cookie, err := startSession(t, d, s, e.Reader.ID)
		if err != nil {
			t.Fatal(err)
		}
		_, secret, _ := strings.Cut(cookie, ".")
		if s.codeHash("one", "123456") == s.codeHash("two", "123456") {
			t.Error("one code has one hash in two sign-ins")
		}
		kept := dump(t, d)
		for _, row := range kept {
			for _, value := range row.values {
				if value == letter.Code || strings.Contains(value, letter.LinkToken) || strings.Contains(value, secret) {
					t.Errorf("%s keeps a secret: %q", row.table, value)
				}
			}
		}
	})
}
