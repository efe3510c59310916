package proof

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"masthead/internal/config"
	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/doc"
	"masthead/internal/draft"
	"masthead/internal/reader"
	"masthead/internal/staff"
	"masthead/internal/story"
	"masthead/internal/wall"
)

// TestCommentsAreSecret proves that a comment is found wherever it leaks, that
// of an open story too, and that a story which a comment quotes is no leak.
func TestCommentsAreSecret(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		now := func() time.Time { return time.Date(2026, 5, 3, 12, 0, 0, 0, time.UTC) }
		c, err := config.Load(t.TempDir(), map[string]string{"url": "https://quay.example"}, func(string) (string, bool) { return "", false })
		if err != nil {
			t.Fatal(err)
		}
		n := Newsroom{Config: c, DB: d, Stories: &story.Store{Now: now, DefaultLang: "en", Location: time.UTC}, Readers: reader.New([]byte(strings.Repeat("k", 32))), Staff: staff.New(),
			WallStore: &wall.Store{Now: now}, MeterKeys: wall.MeterKeys{[]byte(strings.Repeat("k", 32))}, Now: now}
		n.Readers.Now, n.Staff.Now = now, now
		drafts := &draft.Store{Now: now, Stories: n.Stories}
		const quote = "In three valleys the blossom was lost within an hour of that night."
		const comment = "Our source at the ministry must never be named, since her brother works there."
		err = d.InTx(t.Context(), func(tx *db.Tx) error {
			ana, err := n.Staff.Add(t.Context(), tx, staff.Person{Email: "ana@quay.example", Role: staff.Editor})
			if err != nil {
				return err
			}
			st := story.Story{Kind: story.Report, OriginalLang: "en", Access: story.Open}
			if err := n.Stories.Save(t.Context(), tx, &st); err != nil {
				return err
			}
			e := story.Edition{StoryID: st.ID, Lang: "en", Slug: "frost", Status: story.Published, PublishedAt: now().Add(-time.Hour), Headline: "Frost", Body: doc.FromText("The frost came.\n\n" + quote)}
			if err := n.Stories.SaveEdition(t.Context(), tx, &e, "ana"); err != nil {
				return err
			}
			if _, err := drafts.Open(t.Context(), tx, e.ID); err != nil {
				return err
			}
			_, err = drafts.Begin(t.Context(), tx, e.ID, draft.Passage{}, draft.Remark{StaffID: ana.ID, Text: quote + "\n\n" + comment})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for name, test := range map[string]struct {
			page  string
			leaks bool
		}{
			"kept":      {"<p>The frost came.</p><p>" + quote + "</p>", false},
			"in markup": {"<p>" + quote + "</p><!-- " + comment + " -->", true},
		} {
			t.Run(name, func(t *testing.T) {
				handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Type", "text/html; charset=utf-8")
					fmt.Fprint(w, "<!doctype html><title>Frost</title>", test.page)
				})
				report, err := Check(context.WithoutCancel(t.Context()), n, Options{Handler: handler, Workers: 1})
				if err != nil {
					t.Fatal(err)
				}
				if report.Editions == 0 || report.Leaks > 0 != test.leaks {
					t.Errorf("%d editions, %d leaks: %+v", report.Editions, report.Leaks, report.Findings)
				}
				for _, f := range report.Findings {
					if !strings.HasPrefix(f.Sentence, "a comment: Our source") {
						t.Errorf("%+v", f)
					}
				}
			})
		}
	})
}
