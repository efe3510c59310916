package app_test

import (
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"masthead/internal/app"
	"masthead/internal/config"
	"masthead/internal/db"
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
