package app_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/plan"
	"masthead/internal/staff"
	"masthead/internal/story"
)

// TestCorrectionAndWithdrawalInPublic follows a correction onto every surface,
// and a withdrawal off them all.
func TestCorrectionAndWithdrawalInPublic(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *room) {
		v, e := r.visitor(), r.editions["open-water"]
		r.tx(func(ctx context.Context, tx *db.Tx) error { return r.Plans.SetLegal(ctx, tx, e.StoryID, "", "") })
		lists := []string{"/", "/feed.xml", "/feed.json", "/sitemap.xml", "/sitemap/news.xml", "/search?q=open-water", "/city/"}
		shown := map[string]bool{}
		for _, path := range lists { // into the memory
			shown[path] = strings.Contains(v.page(path), r.path("open-water"))
		}
		has(t, "the corrections page", v.page("/corrections/"), "The pier is &lt;longer&gt; than we wrote.", "Headline of open-water", r.path("open-water"))
		has(t, "the foot", v.page("/"), `href="/corrections/"`)
		has(t, "in Arabic", v.page("/ar/corrections/"), `dir="rtl"`, "لم يلزم تصحيح شيء")
		hasNot(t, "in Arabic", v.page("/ar/corrections/"), "longer")
		has(t, "the sitemap of lists", v.page("/sitemap/lists.xml"), "/corrections/")

		order := plan.Order{EditionID: e.ID, Move: plan.Correct, By: staff.Person{Email: "ed@quay.example"}, Note: "It is 12 <b>metres</b> long.", Changed: "“21” is “12” now"}
		r.tx(func(ctx context.Context, tx *db.Tx) error { _, err := r.Plans.Do(ctx, tx, order); return err })
		page := v.page(r.path("open-water"))
		has(t, "the page", page, "It is 12 &lt;b&gt;metres&lt;/b&gt; long.", "“21” is “12” now")
		has(t, "the corrections page", v.page("/corrections/"), "It is 12 &lt;b&gt;metres&lt;/b&gt; long.", "“21” is “12” now")
		has(t, "the RSS feed", v.page("/feed.xml"), "It is 12", "<atom:updated>")
		has(t, "the JSON feed", v.page("/feed.json"), "It is 12")
		var article struct {
			Modified   string `json:"dateModified"`
			Published  string `json:"datePublished"`
			Correction []struct {
				Type string `json:"@type"`
				Text string `json:"text"`
			} `json:"correction"`
		}
		_, rest, _ := strings.Cut(page, `type="application/ld+json">`)
		script, _, _ := strings.Cut(rest, "</script>")
		if err := json.Unmarshal([]byte(script), &article); err != nil || len(article.Correction) != 2 || article.Correction[1].Type != "CorrectionComment" ||
			article.Correction[1].Text != "It is 12 <b>metres</b> long. (“21” is “12” now)" || article.Modified <= article.Published {
			t.Errorf("JSON-LD %+v, %v", article, err)
		}

		order = plan.Order{EditionID: e.ID, Move: plan.Withdraw, By: order.By, Note: "The <figures> were wrong."}
		r.tx(func(ctx context.Context, tx *db.Tx) error { _, err := r.Plans.Do(ctx, tx, order); return err })
		if a := v.get(r.path("open-water")); a.StatusCode != http.StatusGone || !strings.Contains(a.body, "The &lt;figures&gt; were wrong.") {
			t.Errorf("withdrawn = %d", a.StatusCode)
		}
		for _, path := range lists {
			if page := v.page(path); strings.Contains(page, `"`+r.path("open-water")) || strings.Contains(page, "http://quay.example"+r.path("open-water")) {
				t.Errorf("%s still has it (had it: %v)", path, shown[path])
			}
		}
		hasNot(t, "the corrections page", v.page("/corrections/"), "metres")
		order = plan.Order{EditionID: e.ID, Move: plan.Restore, By: order.By, Reason: "They were right.", MayOverrule: true}
		r.tx(func(ctx context.Context, tx *db.Tx) error { _, err := r.Plans.Do(ctx, tx, order); return err })
		has(t, "restored", v.page(r.path("open-water")), "Headline of open-water")
		has(t, "the corrections page", v.page("/corrections/"), "metres")
		for _, path := range []string{"/corrections/?page=2", "/corrections/?page=x"} {
			if a := v.get(path); a.StatusCode != http.StatusNotFound {
				t.Errorf("%s = %d", path, a.StatusCode)
			}
		}
	})
}

// TestScheduleRunsOnTime serves a newsroom in which a story was due before it
// ran, and one is due while it runs.
func TestScheduleRunsOnTime(t *testing.T) {
	for name, database := range map[string]func() string{"sqlite": func() string { return "" }, "postgres": func() string { return dbtest.PostgresURL(t) }} {
		t.Run(name, func(t *testing.T) {
			r := openRoom(t, settings(t, database(), nil))
			r.fill()
			late, soon := r.editions["open-water"], r.editions["counted-one"]
			if soon.ID == "" {
				for slug, e := range r.editions {
					if e.Status == story.Published && e.ID != late.ID && e.Lang == "en" && slug != "taken-back" && slug != "old-name" && slug != "new-name" {
						soon = e
					}
				}
			}
			now := time.Now()
			for _, e := range []story.Edition{late, soon} {
				r.exec(`UPDATE edition SET status = 'approved', path = NULL, published_at = 0 WHERE id = $1`, e.ID)
				r.exec(`UPDATE edition SET summary = 'S' WHERE id = $1`, e.ID)
			}
			r.exec(`UPDATE edition SET status = 'scheduled', path = '/1999/01/late/', published_at = $2 WHERE id = $1`, late.ID, db.Micros(now.Add(-time.Hour)))
			ctx, stop := context.WithCancel(t.Context())
			ready, ended := make(chan string, 1), make(chan error, 1)
			go func() { ended <- r.Serve(ctx, func(a net.Addr) { ready <- "http://" + a.String() }) }()
			defer func() {
				stop()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			}()
			var at string
			select {
			case at = <-ready:
			case err := <-ended:
				ended <- err
				t.Fatal(err)
			}
			due := time.Now().Add(3 * time.Second)
			r.tx(func(ctx context.Context, tx *db.Tx) error {
				_, err := r.Plans.Do(ctx, tx, plan.Order{EditionID: soon.ID, Move: plan.Schedule, By: staff.Person{Email: "ed@quay.example"}, At: due, Reason: "It is a test.", MayOverrule: true})
				return err
			})
			for _, e := range []story.Edition{late, soon} {
				for {
					got, err := r.Stories.EditionByID(t.Context(), r.DB.Read(), e.ID)
					if err != nil {
						t.Fatal(err)
					}
					if got.Status == story.Published {
						if e.ID == soon.ID && time.Now().Before(due) {
							t.Errorf("published %v before its time", time.Until(due))
						}
						t.Logf("%s was seen %v after its time", got.Slug, time.Since(got.PublishedAt).Round(time.Millisecond))
						response, err := http.Get(at + got.Path)
						if err != nil {
							t.Fatal(err)
						}
						io.Copy(io.Discard, response.Body)
						response.Body.Close()
						if response.StatusCode != 200 {
							t.Errorf("%s = %d", got.Path, response.StatusCode)
						}
						break
					}
					if time.Since(due) > 15*time.Second {
						t.Fatalf("%s is still %s", got.Slug, got.Status)
					}
					time.Sleep(50 * time.Millisecond)
				}
			}
		})
	}
}
