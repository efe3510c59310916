package reader

import (
	"net/url"
	"strings"
	"testing"
)

func TestSafeReturn(t *testing.T) {
	for _, path := range []string{
		"/", "/2026/11/slug/#p7", "/ar/2026/11/slug/?page=2#p7", "/search?q=https://example.com//x", "/topic/%D9%85/", "/topic/مياه/",
		"/2026/11/slug/?next=//evil.example", "/a:b",
	} {
		if got := SafeReturn(path); got != path {
			t.Errorf("SafeReturn(%q) = %q", path, got)
		}
	}
	for _, path := range []string{
		"", "2026/11/slug/", "https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/a\\b",
		"/\t/evil.example", "/\n/evil.example", "\t//evil.example", " //evil.example", "/ /evil", "javascript:alert(1)", "JavaScript:alert(1)",
		"data:text/html,x", "/a\r\nSet-Cookie: x=y", "/%0d%0aSet-Cookie:x", "/%5cevil.example", "/%2f%2fevil.example", "/%2fevil.example",
		"/.//evil.example", "/../evil", "/a/%2e%2e/b", "/%", "/\x00", "/\u202egpj", "mailto:a@b.c", "//user@evil.example", "/" + strings.Repeat("a", maxReturn), "/\xff",
	} {
		if got := SafeReturn(path); got != "/" {
			t.Errorf("SafeReturn(%q) = %q, want /", path, got)
		}
	}
}

func FuzzSafeReturn(f *testing.F) {
	for _, s := range []string{"/2026/11/slug/#p7", "//evil.example", "/\\evil", "/%2f%2fevil", "/./evil", "javascript:x", "/a?b=c#d", "/\t/x"} {
		f.Add(s)
	}
	base, err := url.Parse("https://news.example/2026/11/slug/")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path string) {
		got := SafeReturn(path)
		if got != path && got != "/" {
			t.Fatalf("SafeReturn(%q) = %q: neither the path nor /", path, got)
		}
		// Browsers drop tabs and newlines anywhere, and read \ as /.
		seen := strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(got)
		u, err := base.Parse(seen)
		if err != nil || u.Host != base.Host || u.Scheme != "https" || strings.HasPrefix(seen, "//") || seen != got {
			t.Fatalf("SafeReturn(%q) = %q leads to %v (%v)", path, got, u, err)
		}
		if SafeReturn(got) != got {
			t.Fatalf("SafeReturn(%q) = %q is not safe itself", path, got)
		}
	})
}
