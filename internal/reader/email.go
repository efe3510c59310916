package reader

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"masthead/internal/fault"
)

// The limits of RFC 5321 §4.5.3.1, in octets. A path has at most 256 with its
// angle brackets, which leaves 254 to the address.
const (
	maxLocal   = 64
	maxAddress = 254
)

// lookup maps a domain to what the DNS knows it by (UTS 46, non-transitional).
// Hyphens in third and fourth place stand in living domains, so it is not asked
// to check hyphens; domainKey does.
var lookup = idna.New(idna.MapForLookup(), idna.StrictDomainName(true), idna.ValidateLabels(true), idna.CheckHyphens(false),
	idna.CheckJoiners(true), idna.BidiRule(), idna.VerifyDNSLength(true))

// domainKey gives a domain as the DNS knows it, in lower case.
func domainKey(name string) (string, bool) {
	ascii, err := lookup.ToASCII(name)
	if err != nil || !utf8.ValidString(name) {
		return "", false
	}
	for label := range strings.SplitSeq(ascii, ".") {
		if strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") { // RFC 1123 §2.1
			return "", false
		}
	}
	return ascii, true
}

// ParseEmail gives an address as it was written, without the space round it.
// It takes what RFC 5321 and 6531 call a dot-string at a fully qualified
// domain, in any script; not the quoted and bracketed forms, which nobody who
// reads a newspaper has. Anything else is a fault of kind Invalid.
func ParseEmail(text string) (string, error) {
	email, _, err := parseEmail(text)
	return email, err
}

// EmailKey folds an address to what two spellings of it share: the local part
// in NFC and Unicode's simple case folding, the domain as the DNS has it.
// Dots and plus signs stay, since what they mean is each provider's own
// affair. What is not an address gives "".
func EmailKey(text string) string {
	_, key, err := parseEmail(text)
	if err != nil {
		return ""
	}
	return key
}

func parseEmail(text string) (email, key string, err error) {
	email = strings.TrimSpace(text)
	bad := func(message string) (string, string, error) {
		return "", "", fault.New(fault.Invalid, message).WithHint("write it like name@example.org")
	}
	if email == "" {
		return bad("an e-mail address is needed")
	}
	at := strings.LastIndexByte(email, '@')
	if at < 0 {
		return bad("the e-mail address has no @")
	}
	local, domain := email[:at], email[at+1:]
	if local == "" || domain == "" {
		return bad("the e-mail address is not complete")
	}
	if len(local) > maxLocal || len(email) > maxAddress {
		return bad("the e-mail address is too long")
	}
	if !isDotString(local) {
		return bad("the e-mail address has a character that cannot stand there")
	}
	ascii, ok := domainKey(domain)
	if !ok {
		return bad("the part of the e-mail address after the @ is not a domain")
	}
	if !strings.Contains(ascii, ".") || strings.HasSuffix(ascii, ".") {
		return bad("the part of the e-mail address after the @ is not complete")
	}
	if len(local)+1+len(ascii) > maxAddress {
		return bad("the e-mail address is too long")
	}
	return email, fold(local) + "@" + ascii, nil
}

// isDotString checks RFC 5321's Dot-string, with the letters beyond ASCII that
// RFC 6531 §3.3 adds.
func isDotString(local string) bool {
	if !utf8.ValidString(local) || strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, "..") {
		return false
	}
	for _, r := range local {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune(".!#$%&'*+-/=?^_`{|}~", r):
		case r >= utf8.RuneSelf && unicode.IsGraphic(r) && !unicode.IsSpace(r):
		default:
			return false
		}
	}
	return true
}

// fold makes texts equal that differ only in case or in how their accents are composed.
func fold(s string) string {
	return norm.NFC.String(strings.Map(foldRune, norm.NFC.String(s)))
}

// foldRune gives one rune for all that simple case folding holds to be the
// same: the small letter, if there is one.
func foldRune(r rune) rune {
	first := r
	for o := unicode.SimpleFold(r); o != r; o = unicode.SimpleFold(o) {
		first = min(first, o)
	}
	small := unicode.ToLower(first)
	for o := unicode.SimpleFold(first); o != first; o = unicode.SimpleFold(o) {
		if o == small {
			return small
		}
	}
	return first
}

// Mask hides most of an address's local part: "a…@example.org".
func Mask(email string) string {
	at := strings.LastIndexByte(email, '@')
	if at < 0 {
		return "…"
	}
	_, size := utf8.DecodeRuneInString(email[:at])
	return email[:size] + "…" + email[at:]
}

// Domains is a set of domains that addresses may not be of: those that lend
// mailboxes for minutes. The zero Domains is empty.
type Domains struct{ names map[string]bool }

// LoadDomains reads a list, one domain a line; what follows a # is a comment.
// A line that is no domain is a fault of kind Invalid that names it.
func LoadDomains(r io.Reader) (Domains, error) {
	d := Domains{names: map[string]bool{}}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		name, _, _ := strings.Cut(lines.Text(), "#")
		name = strings.TrimPrefix(strings.TrimSpace(name), "\ufeff")
		if name == "" {
			continue
		}
		ascii, ok := domainKey(name)
		if !ok {
			return Domains{}, fmt.Errorf("reader.LoadDomains: %w", fault.New(fault.Invalid, "the list of domains has a line that is no domain", "line", n, "text", name))
		}
		d.names[ascii] = true
	}
	if err := lines.Err(); err != nil {
		return Domains{}, fmt.Errorf("reader.LoadDomains: %w", err)
	}
	return d, nil
}

// Len tells how many domains there are.
func (d Domains) Len() int { return len(d.names) }

// Has reports whether the address is of one of the domains, or of a domain below one.
func (d Domains) Has(email string) bool {
	key := EmailKey(email)
	name := key[strings.LastIndexByte(key, '@')+1:]
	for more := name != ""; more; _, name, more = strings.Cut(name, ".") {
		if d.names[name] {
			return true
		}
	}
	return false
}
