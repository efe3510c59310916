package app_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"masthead/internal/app"
	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/doc"
	"masthead/internal/story"
)

// clock is the machine's, and so many nanoseconds beside it.
type clock struct{ beside atomic.Int64 }

func (c *clock) now() time.Time       { return time.Now().Add(time.Duration(c.beside.Load())) }
func (c *clock) step(d time.Duration) { c.beside.Add(int64(d)) }

// TestClockSteps steps the clock under a running newsroom, forward and back by
// hours and by weeks: nothing opens that was shut, and nobody is locked out.
func TestClockSteps(t *testing.T) {
	test := func(t *testing.T, database string) {
		var c clock
		conf := settings(t, database, nil)
		if err := app.Init(t.Context(), conf); err != nil {
			t.Fatal(err)
		}
		a, err := app.OpenAt(t.Context(), conf, slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError})), c.now)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := a.Close(); err != nil {
				t.Error(err)
			}
		})
		r := &room{App: a, t: t, editions: map[string]story.Edition{}}
		r.fill()
		r.listen()

		// Meters: spent, both kinds.
		anonymous, reader := r.visitor(), r.reader("mira@example.org")
		for _, slug := range []string{"meter-one", "meter-two", "meter-three"} {
			has(t, slug, anonymous.page(r.path(slug)), kept(slug, "en")...)
		}
		for _, slug := range []string{"counted-one", "counted-two"} {
			has(t, slug, reader.page(r.path(slug)), kept(slug, "en")...)
		}
		shut := func(when string) {
			t.Helper()
			hasNot(t, "the fourth "+when, anonymous.page(r.path("meter-four")), kept("meter-four", "en")...)
			hasNot(t, "the third counted "+when, reader.page(r.path("counted-three")), kept("counted-three", "en")...)
			has(t, "what was counted, "+when, anonymous.page(r.path("meter-one")), kept("meter-one", "en")...)
			has(t, "the account "+when, reader.page("/account"), "mira@example.org")
		}
		shut("at first")
		c.step(5 * time.Hour)
		shut("five hours on")
		c.step(-5 * time.Hour)
		shut("back again")
		c.step(-36 * time.Hour) // reads, session and pass are now of a time to come
		shut("a day and a half before")
		c.step(36 * time.Hour)

		// A read that is counted while the clock is weeks ahead stays counted when it is set right.
		c.step(40 * 24 * time.Hour)
		has(t, "the fourth, forty days on", anonymous.page(r.path("meter-four")), kept("meter-four", "en")...)
		has(t, "the third counted, forty days on", reader.page(r.path("counted-three")), kept("counted-three", "en")...)
		if err := r.Counter.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.step(-40 * 24 * time.Hour)
		hasNot(t, "a story of the papers", reader.page(r.path("the-papers")), kept("the-papers", "en")...)
		if got := reader.get("/account").StatusCode; got != http.StatusOK {
			t.Errorf("the account after the clock came back = %d", got)
		}

		// A letter: too old when the clock runs on, and another can be had.
		late := r.visitor()
		late.post("/register", url.Values{"email": {"late@example.org"}})
		code := r.newest("late@example.org").code
		c.step(time.Hour)
		late.post("/signin/code", url.Values{"code": {code}})
		if late.cookies["reader"] != "" {
			t.Error("a code an hour old signs in")
		}
		c.step(-2 * time.Hour) // before the first letter
		late.signIn("late@example.org")
		c.step(time.Hour)
		if got := late.get("/account").StatusCode; got != http.StatusOK {
			t.Errorf("the account of a session from before = %d", got)
		}

		// What is scheduled comes out when the clock says so, and stays out.
		e := story.Edition{Lang: "en", Slug: "at-nine", Status: story.Scheduled, Headline: "At nine", Summary: "S", Body: doc.FromText("Words."), PublishedAt: c.now().Add(time.Hour)}
		r.tx(func(ctx context.Context, tx *db.Tx) error {
			sections, err := r.Stories.Sections(ctx, tx)
			if err != nil {
				return err
			}
			st := story.Story{Kind: story.Report, SectionID: sections[0].ID, OriginalLang: "en", Access: story.Open}
			if err := r.Stories.Save(ctx, tx, &st); err != nil {
				return err
			}
			e.StoryID = st.ID
			return r.Stories.SaveEdition(ctx, tx, &e, "editor")
		})
		due := func() (n int) {
			t.Helper()
			n, held, err := r.Plans.PublishDue(t.Context(), r.DB)
			if err != nil || held != 0 {
				t.Fatalf("%d were held back, %v", held, err)
			}
			return n
		}
		if n := due(); n != 0 || anonymous.get(e.Path).StatusCode != http.StatusNotFound {
			t.Errorf("%d came out before their hour", n)
		}
		c.step(2 * time.Hour)
		if n := due(); n != 1 || anonymous.get(e.Path).StatusCode != http.StatusOK {
			t.Errorf("%d came out at their hour", n)
		}
		c.step(-2 * time.Hour)
		if n := due(); n != 0 || anonymous.get(e.Path).StatusCode != http.StatusOK {
			t.Errorf("%d came out again", n)
		}
		has(t, "the front page", anonymous.page("/"), "At nine")
	}
	t.Run("sqlite", func(t *testing.T) { test(t, "") })
	t.Run("postgres", func(t *testing.T) { test(t, dbtest.PostgresURL(t)) })
}
