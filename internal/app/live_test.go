package app_test

import (
	"context"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"masthead/internal/app"
	"masthead/internal/config"
	"masthead/internal/db"
	"masthead/internal/media"
	"masthead/internal/site"
)

// TestSettingsHoldAtOnce sets the name, a colour and a language while the
// newsroom answers, and takes them back.
func TestSettingsHoldAtOnce(t *testing.T) {
	c, err := config.Load(t.TempDir(), nil, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Init(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	a, err := app.Open(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	handler, err := a.Handler()
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		body, _ := io.ReadAll(w.Body)
		return w.Code, string(body)
	}
	_, before := get("/")
	keep := func(values map[string]string, drop ...string) {
		t.Helper()
		err := a.DB.InTx(t.Context(), func(tx *db.Tx) error {
			if len(drop) > 0 {
				return a.Settings.Drop(t.Context(), tx, drop...)
			}
			return a.Settings.Keep(t.Context(), tx, "", values)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if code, _ := get("/tr/"); code != 404 {
		t.Errorf("a language that there is not = %d", code)
	}
	keep(map[string]string{"title": "The Newest Pier", "accent": "#7a1f2b", "languages": "en, tr", "title-tr": "İskele"})
	code, after := get("/")
	if code != 200 || strings.Contains(before, "The Newest Pier") || !strings.Contains(after, "The Newest Pier") || !strings.Contains(after, "/assets/theme-") {
		t.Errorf("the front page afterwards = %d", code)
	}
	if code, page := get("/tr/"); code != 200 || !strings.Contains(page, "İskele") {
		t.Errorf("the new language = %d", code)
	}
	_, css, _ := strings.Cut(after, `href="/assets/theme-`)
	css, _, _ = strings.Cut(css, `"`)
	if code, text := get("/assets/theme-" + css); code != 200 || !strings.Contains(text, "#7a1f2b") {
		t.Errorf("theme-%s = %d %s", css, code, text)
	}
	keep(nil, "title", "languages", "title-tr")
	if _, page := get("/"); strings.Contains(page, "The Newest Pier") {
		t.Error("the name was not taken back")
	}
	if code, _ := get("/tr/"); code != 404 {
		t.Errorf("the language taken back = %d", code)
	}
}

// TestLogoOfEndedRights shows a logo until its rights end, and the name from then on.
func TestLogoOfEndedRights(t *testing.T) {
	r := openRoom(t, settings(t, "", nil))
	handler, err := r.Handler()
	if err != nil {
		t.Fatal(err)
	}
	shown := func() bool {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("GET", "http://quay.example/", nil))
		if w.Code != 200 {
			t.Fatalf("the front page = %d", w.Code)
		}
		return strings.Contains(w.Body.String(), "masthead-logo")
	}
	logo := media.Media{Kind: media.Picture, Name: "logo.png", MIME: "image/png", Width: 640, Height: 120, Hash: strings.Repeat("0", 64), Blob: "media/logo.png"}
	for _, step := range []struct {
		until time.Time
		want  bool
	}{{time.Time{}, true}, {r.Now().Add(-time.Hour), false}} {
		logo.RightsUntil = step.until
		r.tx(func(ctx context.Context, tx *db.Tx) error {
			if err := r.Media.Save(ctx, tx, &logo); err != nil {
				return err
			}
			if err := r.Settings.Keep(ctx, tx, "", map[string]string{"logo": logo.ID}); err != nil {
				return err
			}
			return r.Tell(ctx, tx, site.SiteTag)
		})
		if got := shown(); got != step.want {
			t.Errorf("rights until %v: the logo is shown: %v", step.until, got)
		}
	}
}
