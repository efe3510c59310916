package reader

import (
	"strings"
	"testing"

	"masthead/internal/fault"
)

func TestParseEmail(t *testing.T) {
	long := strings.Repeat("a", 63)
	for _, c := range []struct{ in, email, key string }{
		{"ada@example.org", "ada@example.org", "ada@example.org"},
		{" \tAda.Byron@Example.ORG\n", "Ada.Byron@Example.ORG", "ada.byron@example.org"},
		{"a.d.a+news@gmail.com", "a.d.a+news@gmail.com", "a.d.a+news@gmail.com"},
		{"o'neil_{x}~@example.org", "o'neil_{x}~@example.org", "o'neil_{x}~@example.org"},
		{"иВаН@Почта.рф", "иВаН@Почта.рф", "иван@xn--80a1acny.xn--p1ai"},
		{"büro@MÜNCHEN.de", "büro@MÜNCHEN.de", "büro@xn--mnchen-3ya.de"},
		{"bu\u0308ro@münchen.de", "bu\u0308ro@münchen.de", "büro@xn--mnchen-3ya.de"},
		{"ΣΊΣΥΦΟΣ@example.gr", "ΣΊΣΥΦΟΣ@example.gr", "σίσυφοσ@example.gr"},
		{"\u212aim@example.org", "\u212aim@example.org", "kim@example.org"}, // the Kelvin sign
		{"ada@r3---sn.example.org", "ada@r3---sn.example.org", "ada@r3---sn.example.org"},
		{"İ@example.org", "İ@example.org", "İ@example.org"}, // no simple folding: not an i
		{"كاتب@مثال.إختبار", "كاتب@مثال.إختبار", "كاتب@xn--mgbh0fb.xn--kgbechtv"},
		{"a" + long + "@example.org", "a" + long + "@example.org", "a" + long + "@example.org"},
	} {
		email, err := ParseEmail(c.in)
		if err != nil || email != c.email {
			t.Errorf("ParseEmail(%q) = %q, %v; want %q", c.in, email, err, c.email)
		}
		if key := EmailKey(c.in); key != c.key {
			t.Errorf("EmailKey(%q) = %q, want %q", c.in, key, c.key)
		}
	}
	for _, in := range []string{
		"", " ", "ada", "@", "ada@", "@example.org", "ada@localhost", "ada@example.", "ada@.org", "ada@ex..org",
		".ada@example.org", "ada.@example.org", "a..da@example.org", "a da@example.org", "ada@exam ple.org",
		"ada@example.org,bob@example.org", "ada@example.org\nBcc: bob@example.org", "ada\r\n@example.org",
		`"ada byron"@example.org`, "Ada <ada@example.org>", "ada@[192.0.2.1]", "ada@under_score.org", "ada@-x.org", "ada@x-.org", "ada@a.-x.org",
		"a\x00da@example.org", "a\u202eda@example.org", "a\u00a0da@example.org", "\xff@example.org",
		"aa" + long + "@example.org", "ada@" + strings.Repeat("a", 64) + ".org",
		"ada@" + strings.Repeat(long+".", 3) + long + ".org",
	} {
		email, err := ParseEmail(in)
		if !fault.Is(err, fault.Invalid) || email != "" {
			t.Errorf("ParseEmail(%q) = %q, %v; want a fault of kind invalid", in, email, err)
		}
		if fault.Hint(err) == "" {
			t.Errorf("ParseEmail(%q): no hint", in)
		}
		if key := EmailKey(in); key != "" {
			t.Errorf("EmailKey(%q) = %q, want none", in, key)
		}
	}
}

func FuzzParseEmail(f *testing.F) {
	for _, s := range []string{"Ada@Example.org", "иВаН@Почта.рф", "\u212a@x.y", "bu\u0308ro@münchen.de", "a@b@c.d", "ß@ẞ.de"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		email, err := ParseEmail(text)
		key := EmailKey(text)
		if (err == nil) != (key != "") {
			t.Fatalf("%q: error %v, key %q", text, err, key)
		}
		if err != nil {
			return
		}
		if strings.ContainsAny(email, "\r\n\x00 <>\"") || len(email) > maxAddress {
			t.Fatalf("%q: not fit for a header: %q", text, email)
		}
		if again := EmailKey(email); again != key {
			t.Fatalf("%q: key %q, of the address itself %q", text, key, again)
		}
		if again := EmailKey(key); again != key {
			t.Fatalf("%q: key %q folds on to %q", text, key, again)
		}
	})
}

func TestDomains(t *testing.T) {
	d, err := LoadDomains(strings.NewReader("\ufeff# mailboxes for minutes\r\nMailinator.example\r\n\nbücher.example # in letters\n  trash.example\n"))
	if err != nil {
		t.Fatal(err)
	}
	if d.Len() != 3 {
		t.Errorf("%d domains, want 3", d.Len())
	}
	for email, want := range map[string]bool{
		"a@mailinator.example":     true,
		"a@MAILINATOR.example":     true,
		"a@x.y.mailinator.example": true,
		"a@xn--bcher-kva.example":  true,
		"a@trash.example":          true,
		"a@notrash.example":        false,
		"a@trash.example.org":      false,
		"a@example":                false,
		"trash.example":            false,
	} {
		if got := d.Has(email); got != want {
			t.Errorf("Has(%q) = %v", email, got)
		}
	}
	if (Domains{}).Has("a@trash.example") {
		t.Error("the zero list refuses")
	}
	_, err = LoadDomains(strings.NewReader("good.example\nno domain\n"))
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), `line="2"`) {
		t.Errorf("a bad line gives %v", err)
	}
}

func TestMask(t *testing.T) {
	for in, want := range map[string]string{"ada@example.org": "a…@example.org", "ж@почта.рф": "ж…@почта.рф", "иван@почта.рф": "и…@почта.рф", "x": "…"} {
		if got := Mask(in); got != want {
			t.Errorf("Mask(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCheckName(t *testing.T) {
	for in, want := range map[string]string{"": "", "  Ada \n Byron ": "Ada Byron", "فاطمه\u200cزهرا": "فاطمه\u200cزهرا", "עדה": "עדה"} {
		if got, err := CheckName(in); err != nil || got != want {
			t.Errorf("CheckName(%q) = %q, %v", in, got, err)
		}
	}
	for _, in := range []string{strings.Repeat("a", maxName+1), "a\x00b", "a\u202eb", "a\xffb", "a\x1bb"} {
		if _, err := CheckName(in); !fault.Is(err, fault.Invalid) {
			t.Errorf("CheckName(%q) gives %v", in, err)
		}
	}
}

func TestAgent(t *testing.T) {
	for header, want := range map[string]string{
		"Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0":                                                                       "Firefox on Android",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":                                      "Chrome on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0":                  "Edge on Windows",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1":    "Safari on iPhone",
		"Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1":              "Chrome on iPad",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15":                      "Safari on macOS",
		"Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36": "Samsung Internet on Android",
		"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 OPR/120.0":                   "Opera on ChromeOS",
		"curl/8.9 on Linux": "Linux",
		"curl/8.9":          "",
		"":                  "",
	} {
		if got := Agent(header); got != want {
			t.Errorf("Agent(%q) = %q, want %q", header, got, want)
		}
	}
}
