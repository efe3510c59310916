package config_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"masthead/internal/config"
	"masthead/internal/fault"
)

func none(string) (string, bool) { return "", false }

func write(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, config.FileName), []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestDefaults(t *testing.T) {
	dir := t.TempDir()
	c, err := config.Load(dir, nil, none)
	if err != nil {
		t.Fatal(err)
	}
	if c.Title != "Masthead" || c.URL.String() != "http://localhost:8080" || c.DB != filepath.Join(dir, "masthead.db") ||
		c.Secure() || c.SMTP != nil || !slices.Equal(c.Languages, []string{"en"}) || c.PreviewParagraphs != 3 {
		t.Errorf("defaults: %+v", c)
	}
}

func TestFlagBeforeVariableBeforeFile(t *testing.T) {
	dir := write(t, "title = \"from file\"\nlanguages = [\"ar\", \"he\"]\npreview-words = 77\ndev = true\n", 0o644)
	env := map[string]string{"MASTHEAD_TITLE": "from variable", "MASTHEAD_URL": "https://news.example/"}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	c, err := config.Load(dir, map[string]string{"url": "https://flag.example"}, lookup)
	if err != nil {
		t.Fatal(err)
	}
	if c.Title != "from variable" || c.URL.Host != "flag.example" || c.PreviewWords != 77 || !c.Dev || !c.Secure() {
		t.Errorf("%+v", c)
	}
	if want := []string{"en", "ar", "he"}; !slices.Equal(c.Languages, want) {
		t.Errorf("Languages = %v, want %v", c.Languages, want)
	}
}

func TestEveryBadSettingIsNamed(t *testing.T) {
	dir := write(t, "url = \"news.example\"\ntimezone = \"Moon/Base\"\naccent = \"red\"\ncolour = \"x\"\npreview-words = -1\nlanguages = \"en, ?\"\n", 0o644)
	_, err := config.Load(dir, map[string]string{"smtp-url": "http://x", "trusted-proxies": "10.0.0.1"}, none)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"url cannot be", "timezone", "accent", `no setting "colour"`, "preview-words", "languages", "--smtp-url", "trusted-proxies"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %q:\n%v", want, err)
		}
	}
}

func TestBrokenFile(t *testing.T) {
	if _, err := config.Load(write(t, "title = ", 0o644), nil, none); err == nil || !strings.Contains(err.Error(), config.FileName) {
		t.Errorf("a broken file: %v", err)
	}
}

func TestSecretNeedsAPrivateFile(t *testing.T) {
	const text = "smtp-url = \"smtp://u:p@mail.example:587\"\n"
	if _, err := config.Load(write(t, text, 0o644), nil, none); err == nil {
		t.Error("a secret in a file that others may read was taken")
	}
	c, err := config.Load(write(t, text, 0o600), nil, none)
	if err != nil || c.SMTP.Host != "mail.example:587" {
		t.Errorf("a secret in a private file: %v, %v", c.SMTP, err)
	}
}

func TestExampleIsASettingsFile(t *testing.T) {
	text := strings.ReplaceAll(config.Example(), "\n# ", "\n")
	var lines []string
	for line := range strings.Lines(text) {
		if name, _, ok := strings.Cut(line, " = "); ok && !strings.Contains(name, " ") {
			lines = append(lines, line)
		}
	}
	if len(lines) != len(config.Settings()) {
		t.Fatalf("the example has %d settings of %d", len(lines), len(config.Settings()))
	}
	if _, err := config.Load(write(t, strings.Join(lines, ""), 0o600), nil, none); err != nil {
		t.Errorf("the example's defaults do not load: %v", err)
	}
}

func TestNamesByLanguage(t *testing.T) {
	c, err := config.Load(write(t, "title = \"The Sounding\"\ntitle-ar = \"المسبار\"\ntagline = \"Power and water\"\n", 0o644), nil, none)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.In("ar"), (config.Names{Title: "المسبار", Tagline: "Power and water"}); got != want {
		t.Errorf("In(ar) = %+v, want %+v", got, want)
	}
	if got := c.In("he").Title; got != "The Sounding" {
		t.Errorf("In(he) = %q", got)
	}
}

func TestSettingsOfTLSFitOneAnother(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{`tls-cert = "a"`, "tls-cert and tls-key go together"},
		{"tls-auto = true\ntls-cert = \"a\"\ntls-key = \"b\"\nurl = \"https://news.example\"", "do not go together"},
		{"tls-cert = \"a\"\ntls-key = \"b\"\nurl = \"http://news.example\"", "does not begin with https"},
		{"tls-auto = true\nurl = \"https://192.0.2.1\"", "needs a public name"},
		{"tls-auto = true\nurl = \"https://localhost\"", "needs a public name"},
		{"redirect-addr = \":80\"\nurl = \"https://news.example\"", "speaks TLS"},
		{"tls-auto = true\nurl = \"https://news.example\"\nredirect-addr = \":80\"", ""},
		{"tls-cert = \"a\"\ntls-key = \"b\"\nurl = \"https://192.0.2.1\"", ""},
	} {
		got, err := config.Load(write(t, c.file, 0o600), nil, none)
		if c.want == "" {
			if err != nil || !got.TLS() {
				t.Errorf("%s: %v", c.file, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.file, err, c.want)
		}
	}
}

// TestCacheInFront refuses settings of the cache in front that do not fit one another.
func TestCacheInFront(t *testing.T) {
	whole := map[string]string{"cdn": "esi", "cdn-purge": "http://10.0.0.5:6081, https://cache.example", "cdn-secret": "sixteen-letters-and-more", "trusted-proxies": "10.0.0.0/8"}
	c, err := config.Load(t.TempDir(), whole, none)
	if err != nil || c.CDN != config.CDNESI || len(c.CDNPurge) != 2 || c.CDNPurge[1].Host != "cache.example" {
		t.Fatalf("%v %+v", err, c)
	}
	for name, value := range map[string]string{"cdn": "none", "cdn-purge": "", "cdn-secret": "", "trusted-proxies": ""} {
		flags := maps.Clone(whole)
		flags[name] = value
		if _, err := config.Load(t.TempDir(), flags, none); fault.Hint(err) == "" {
			t.Errorf("%s = %q: %v", name, value, err)
		}
	}
	for name, value := range map[string]string{"cdn": "varnish", "cdn-purge": "10.0.0.5:6081", "cdn-secret": "short"} {
		flags := maps.Clone(whole)
		flags[name] = value
		if _, err := config.Load(t.TempDir(), flags, none); err == nil {
			t.Errorf("%s = %q was taken", name, value)
		}
	}
}
