package config_test

import (
	"slices"
	"strings"
	"testing"

	"masthead/internal/config"
	"masthead/internal/fault"
)

func TestWith(t *testing.T) {
	dir := write(t, "title = \"from file\"\ntagline = \"from file\"\ntitle-ar = \"من الملف\"\n", 0o644)
	env := map[string]string{"MASTHEAD_TAGLINE": "from variable", "MASTHEAD_DB": "postgres://u:secret@h/d", "MASTHEAD_SMTP_URL": "smtp://u:secret@h:25"}
	base, err := config.Load(dir, map[string]string{"contact": "from flag"}, func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	c, err := base.With(map[string]string{"title": "from desk", "title-ar": "من المكتب", "tagline": "from desk", "contact": "from desk", "languages": "en, ar", "accent": "#7a1f2b",
		"addr": ":1", "accent-dark": "red", "unknown": "x"})
	for _, want := range []string{"addr", "accent-dark", "unknown"} { // the desk
		if err == nil || !strings.Contains(err.Error()+fault.Hint(err), strings.SplitN(want, " ", 2)[0]) && !strings.Contains(err.Error(), "setting") {
			t.Errorf("%s is not named: %v", want, err)
		}
	}
	if c.Title != "from desk" || c.In("ar").Title != "من المكتب" || c.Tagline != "from variable" || c.Contact != "from flag" || !slices.Equal(c.Languages, []string{"en", "ar"}) ||
		c.Text("accent") != "#7a1f2b" || c.Addr != base.Addr || c.Text("accent-dark") != "" {
		t.Errorf("%+v", c)
	}
	from := map[string]config.Source{}
	for _, v := range c.Values() {
		from[v.Name] = v.From
		if strings.Contains(v.Text, "secret") {
			t.Errorf("%s shows a password: %s", v.Name, v.Text)
		}
		if v.Changeable() && (v.Secret || v.Name == "tagline" || v.Name == "contact" || v.Change != config.AtDesk) {
			t.Errorf("%s is changeable", v.Name)
		}
	}
	for name, want := range map[string]config.Source{"title": config.FromDesk, "title-ar": config.FromDesk, "tagline": config.FromEnv, "contact": config.FromFlag, "description": config.FromDefault, "smtp-url": config.FromEnv} {
		if from[name] != want {
			t.Errorf("%s is from %q, want %q", name, from[name], want)
		}
	}
	again, err := c.With(map[string]string{"description": "new"})
	if err != nil || again.Title != "from file" || again.In("ar").Title != "من الملف" || again.Description != "new" {
		t.Errorf("what the desk no longer keeps: %+v, %v", again, err)
	}
}

// TestEverySettingSaysWhereItIsChanged holds the table to one rule for each.
func TestEverySettingSaysWhereItIsChanged(t *testing.T) {
	for _, s := range config.Settings() {
		if !slices.Contains([]config.Change{config.AtDesk, config.Restart, config.Machine}, s.Change) || s.Secret && s.Change == config.AtDesk {
			t.Errorf("%s is changed at %q", s.Name, s.Change)
		}
		err := config.Check(s.Name, s.Default)
		if (s.Change == config.AtDesk && err != nil) || (s.Change != config.AtDesk && !fault.Is(err, fault.Forbidden)) {
			t.Errorf("the default of %s: %v", s.Name, err)
		}
	}
}
