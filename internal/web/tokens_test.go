package web

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestContrast measures the colours of ui/shared/tokens.css, light and dark:
// everything that is read stands at least 7:1 from paper (WCAG 2.2, 1.4.6).
func TestContrast(t *testing.T) {
	css, err := os.ReadFile("../../ui/shared/tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	_, dark, ok := strings.Cut(string(css), "prefers-color-scheme: dark")
	if !ok {
		t.Fatal("no dark colours")
	}
	for scheme, text := range map[string]string{"light": string(css), "dark": dark} {
		colours := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`).FindAllStringSubmatch(text, -1) {
			if _, seen := colours[m[1]]; !seen {
				colours[m[1]] = m[2]
			}
		}
		for _, pair := range [][2]string{{"ink", "paper"}, {"grey", "paper"}, {"accent", "paper"}, {"signal", "paper"}, {"ink", "wash"}, {"on-accent", "accent"}} {
			ratio, err := Contrast(colours[pair[0]], colours[pair[1]])
			if err != nil || ratio < 7 {
				t.Errorf("%s: %s on %s is %.2f:1, %v", scheme, pair[0], pair[1], ratio, err)
			}
		}
		want := map[string]string{"light": paperLight, "dark": paperDark}[scheme]
		if colours["paper"] != want {
			t.Errorf("%s: theme.go takes paper for %s, tokens.css says %s", scheme, want, colours["paper"])
		}
	}
}
