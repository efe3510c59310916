package api

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"masthead/internal/config"
	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/story"
)

func FuzzCursor(f *testing.F) {
	f.Add(formatCursor(story.Cursor{PublishedAt: now, EditionID: db.NewID()}))
	f.Add(formatID(db.NewID()))
	f.Add("x")
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := parseCursor(text); err == nil && text != "" {
			if again, err := parseCursor(formatCursor(c)); err != nil || again != c {
				t.Errorf("%q: %+v, %+v, %v", text, c, again, err)
			}
		}
		if id, err := parseID(text); err == nil && (!isPlain(id) || id != "" && formatID(id) != base64.RawURLEncoding.EncodeToString([]byte(id))) {
			t.Errorf("%q: %q", text, id)
		}
	})
}

func FuzzBody(f *testing.F) {
	for _, s := range []string{`{"headline":"x"}`, `{"body":{"html":"<p>x"}}`, `{"body":{"doc":{"type":"doc","content":[{"type":"paragraph"}]}}}`, `{"body":{"markdown":"# x"}}`, `{"embargo":"2026-11-23T00:00:00Z"}`, `{"slug":"../.."}`, `{"canonical":"//x"}`} {
		f.Add(s)
	}
	n := &Newsroom{Config: config.Config{URL: &url.URL{Scheme: "https", Host: "quay.example"}}}
	f.Fuzz(func(t *testing.T, text string) {
		if readable([]byte(text)) != nil {
			return
		}
		var c EditionChange
		if json.Unmarshal([]byte(text), &c) != nil {
			return
		}
		e := story.Edition{Body: doc.Empty()}
		if _, err := n.bring(&e, c); err != nil {
			return
		}
		if err := doc.Check(e.Body); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if strings.ContainsAny(e.Headline+e.Kicker+e.Summary, "\x00\n\r") || strings.HasPrefix(e.CanonicalURL, "javascript:") {
			t.Errorf("%s: %+v", text, e)
		}
	})
}
