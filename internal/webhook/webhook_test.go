package webhook_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/fetch"
	"masthead/internal/story"
	"masthead/internal/webhook"
)

// post is a job that waits.
type post struct {
	bring webhook.Bring
	at    time.Time
}

// office is a newsroom with a receiver that answers as it is told.
type office struct {
	*webhook.Store
	t       *testing.T
	db      *db.DB
	now     time.Time
	jobs    []post
	off     []webhook.Hook
	server  *httptest.Server
	mu      sync.Mutex
	answers []int // the next ones; the last stays
	body    string
	got     []*http.Request
	bodies  [][]byte
}

func newOffice(t *testing.T, d *db.DB) *office {
	o := &office{t: t, db: d, now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), answers: []int{200}}
	clock := func() time.Time { return o.now }
	o.Store = &webhook.Store{Now: clock, Keys: [][]byte{[]byte(strings.Repeat("k", 32))}, URL: "https://quay.example", Insecure: true,
		Stories: &story.Store{Now: clock, DefaultLang: "en", Location: time.UTC},
		Client:  fetch.New(fetch.Options{Redirects: -1, AllowPrivate: true}),
		Post: func(_ context.Context, tx *db.Tx, b webhook.Bring, at time.Time) error {
			tx.AfterCommit("", func() { o.jobs = append(o.jobs, post{b, at}) })
			return nil
		},
		SwitchedOff: func(_ context.Context, _ *db.Tx, h webhook.Hook) error { o.off = append(o.off, h); return nil }}
	o.Stories.Changed = append(o.Stories.Changed, o.StoryChanged)
	o.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		defer o.mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		o.got, o.bodies = append(o.got, r), append(o.bodies, body)
		status := o.answers[0]
		if len(o.answers) > 1 {
			o.answers = o.answers[1:]
		}
		if status == 302 {
			w.Header().Set("Location", o.server.URL+"/elsewhere")
		}
		w.WriteHeader(status)
		io.WriteString(w, o.body)
	}))
	t.Cleanup(o.server.Close)
	return o
}

func (o *office) tx(fn func(ctx context.Context, tx *db.Tx) error) {
	o.t.Helper()
	if err := o.db.InTx(o.t.Context(), func(tx *db.Tx) error { return fn(o.t.Context(), tx) }); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) hook(events ...webhook.Event) (h webhook.Hook, secret string) {
	o.t.Helper()
	o.tx(func(ctx context.Context, tx *db.Tx) (err error) {
		h, secret, err = o.Create(ctx, tx, webhook.Hook{URL: o.server.URL + "/hook", About: " our  app ", Events: events})
		return err
	})
	return h, secret
}

// work does the jobs that are due, and gives how many.
func (o *office) work() (n int) {
	o.t.Helper()
	for i := 0; i < len(o.jobs); i++ {
		if j := o.jobs[i]; !j.at.After(o.now) {
			o.jobs = append(o.jobs[:i:i], o.jobs[i+1:]...)
			if err := o.Deliver(o.t.Context(), o.db, j.bring); err != nil {
				o.t.Fatal(err)
			}
			n, i = n+1, -1
		}
	}
	return n
}

func (o *office) log(h webhook.Hook) []webhook.Delivery {
	o.t.Helper()
	list, err := o.Deliveries(o.t.Context(), o.db.Read(), h.ID, "", 100)
	if err != nil {
		o.t.Fatal(err)
	}
	return list
}

func (o *office) edition(status story.Status) (e story.Edition) {
	o.t.Helper()
	o.tx(func(ctx context.Context, tx *db.Tx) error {
		st := story.Story{OriginalLang: "en", Access: story.ForTier("gold")}
		if err := o.Stories.Save(ctx, tx, &st); err != nil {
			return err
		}
		e = story.Edition{StoryID: st.ID, Lang: "en", Status: status, Slug: "драга", Headline: "The <b>dredgers</b> return", Summary: "Early.", Body: doc.FromText("The withheld ledger.")}
		return o.Stories.SaveEdition(ctx, tx, &e, "test")
	})
	return e
}

func TestStories(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		h, secret := o.hook(webhook.StoryPublished, webhook.StoryChanged, webhook.StoryCorrected, webhook.StoryWithdrawn, webhook.StoryPublished)
		if h.About != "our app" || len(h.Events) != 4 || !strings.HasPrefix(secret, "whsec_") {
			t.Errorf("%+v", h)
		}
		var kept string
		if err := d.Read().QueryRowContext(t.Context(), `SELECT secret FROM webhook`).Scan(&kept); err != nil || strings.Contains(kept, secret[6:]) {
			t.Errorf("the secret is kept as it is: %v", err)
		}
		_, _ = o.hook(webhook.ReaderCreated) // who is told nothing of stories
		e := o.edition(story.Draft)
		if len(o.jobs) != 0 {
			t.Errorf("a draft is told of: %v", o.jobs)
		}
		change := func(fn func(ctx context.Context, tx *db.Tx) error) {
			t.Helper()
			o.tx(fn)
			o.work()
			o.now = o.now.Add(time.Minute)
		}
		change(func(ctx context.Context, tx *db.Tx) error { return o.Stories.Publish(ctx, tx, e.ID, o.now, "test") })
		change(func(ctx context.Context, tx *db.Tx) error { // several changes at once are one
			st, err := o.Stories.ByID(ctx, tx, e.StoryID)
			if err != nil {
				return err
			}
			if err := o.Stories.Save(ctx, tx, &st); err != nil {
				return err
			}
			e, err = o.Stories.EditionByID(ctx, tx, e.ID)
			e.Summary = "Late."
			return errors.Join(err, o.Stories.SaveEdition(ctx, tx, &e, "test"))
		})
		change(func(ctx context.Context, tx *db.Tx) error {
			return o.Stories.AddCorrection(ctx, tx, &story.Correction{StoryID: e.StoryID, Lang: "en", Text: "It was noon."})
		})
		change(func(ctx context.Context, tx *db.Tx) error {
			return o.Stories.Withdraw(ctx, tx, e.ID, "It was wrong.", "test")
		})
		var types []string
		for i, r := range o.got {
			var m struct {
				Type      string
				Timestamp time.Time
				Data      webhook.StoryData
			}
			if err := json.Unmarshal(o.bodies[i], &m); err != nil || m.Data.ID != e.ID || m.Data.Headline != e.Headline || m.Timestamp.IsZero() {
				t.Errorf("%s: %v", o.bodies[i], err)
			}
			if types = append(types, m.Type); m.Type == "story.changed" && m.Data.Summary != "Late." {
				t.Errorf("the change tells %q", m.Data.Summary)
			}
			if !strings.HasSuffix(m.Data.URL, "/%D0%B4%D1%80%D0%B0%D0%B3%D0%B0/") { // as the API writes it: RFC 3986
				t.Errorf("its address is %q", m.Data.URL)
			}
			if strings.Contains(string(o.bodies[i]), "ledger") {
				t.Errorf("withheld text is told: %s", o.bodies[i])
			}
			id, at, sig := r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp"), r.Header.Get("webhook-signature")
			when := time.Date(2026, 11, 23, 9, i, 0, 0, time.UTC)
			if err := webhook.Verify(secret, id, at, "v1,AAAA "+sig, o.bodies[i], when); err != nil {
				t.Errorf("%s: %v", m.Type, err)
			}
			if webhook.Verify(secret, id, at, sig, append(o.bodies[i], ' '), when) == nil || webhook.Verify(secret, id+"x", at, sig, o.bodies[i], when) == nil ||
				webhook.Verify(secret, id, at, sig, o.bodies[i], when.Add(6*time.Minute)) == nil {
				t.Errorf("%s: a forged or old message passes", m.Type)
			}
		}
		if got := strings.Join(types, " "); got != "story.published story.changed story.corrected story.withdrawn" {
			t.Errorf("told of %s", got)
		}
		for _, one := range o.log(h) {
			if one.State != webhook.Delivered || one.Status != 200 || one.Attempts != 1 {
				t.Errorf("%+v", one)
			}
		}
		// What comes with an archive is no news; what is rolled back never was.
		before := len(o.jobs)
		o.tx(func(ctx context.Context, tx *db.Tx) error {
			st := story.Story{OriginalLang: "en"}
			if err := o.Stories.Save(ctx, tx, &st); err != nil {
				return err
			}
			return o.Stories.SaveEdition(ctx, tx, &story.Edition{StoryID: st.ID, Lang: "en", Status: story.Published, Headline: "Old", PublishedAt: o.now.AddDate(-1, 0, 0)}, "import")
		})
		stop := errors.New("stop")
		if err := d.InTx(t.Context(), func(tx *db.Tx) error {
			return errors.Join(o.Stories.Publish(t.Context(), tx, e.ID, o.now, "test"), stop)
		}); !errors.Is(err, stop) {
			t.Fatal(err)
		}
		if len(o.jobs) != before || len(o.log(h)) != 4 {
			t.Errorf("%d jobs, %d in the log", len(o.jobs), len(o.log(h)))
		}
	})
}

func TestRetries(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		h, _ := o.hook(webhook.ReaderCreated, webhook.ReaderDeleted)
		o.answers, o.body = []int{500, 302, 200}, "no\x00\xff "+strings.Repeat("ü", 2000)
		o.tx(func(ctx context.Context, tx *db.Tx) error { return o.ReaderMade(ctx, tx, "r1") })
		start := o.now
		for range 3 {
			if o.work() != 1 || o.work() != 0 {
				t.Fatalf("jobs: %v", o.jobs)
			}
			if len(o.jobs) > 0 {
				o.now = o.jobs[0].at
			}
		}
		one := o.log(h)[0]
		if one.State != webhook.Delivered || one.Attempts != 3 || o.now.Sub(start) != 35*time.Second || len(one.Answer) > 1000 || len(o.got) != 3 {
			t.Errorf("%+v after %v, %d requests", one, o.now.Sub(start), len(o.got))
		}
		for _, r := range o.got {
			if r.Header.Get("webhook-id") != one.ID || r.URL.Path != "/hook" {
				t.Errorf("%s %s", r.Header.Get("webhook-id"), r.URL)
			}
		}
		// A job that comes twice, and one of a round that is over, do nothing.
		for _, b := range []webhook.Bring{{Delivery: one.ID, Round: 1, Attempt: 3}, {Delivery: one.ID, Round: 1, Attempt: 1}, {Delivery: "none", Round: 1, Attempt: 1}} {
			if err := o.Deliver(t.Context(), d, b); err != nil {
				t.Error(err)
			}
		}
		if len(o.got) != 3 {
			t.Errorf("%d requests", len(o.got))
		}
		// Again, by hand.
		o.tx(func(ctx context.Context, tx *db.Tx) error { _, err := o.Redeliver(ctx, tx, h.ID, one.ID); return err })
		o.work()
		if one = o.log(h)[0]; one.Round != 2 || one.State != webhook.Delivered || one.Attempts != 1 || len(o.got) != 4 {
			t.Errorf("again: %+v", one)
		}
		// Given up after a day, switched off after five.
		o.answers = []int{503}
		for day := 0; day < 8; day++ {
			start := o.now
			o.tx(func(ctx context.Context, tx *db.Tx) error { return o.ReaderGone(ctx, tx, "r2") })
			for o.work(); len(o.jobs) > 0; o.work() {
				o.now = o.jobs[0].at
			}
			if took := o.now.Sub(start); len(o.off) == 0 && (took < 20*time.Hour || took > 30*time.Hour) {
				t.Errorf("it is tried for %v", took)
			}
		}
		now, err := o.ByID(t.Context(), d.Read(), h.ID)
		if err != nil || len(o.off) != 1 || !now.Off() || now.OffWhy != "failing" || o.log(h)[0].State == webhook.Waiting {
			t.Errorf("%+v, told %d times, %v", now, len(o.off), err)
		}
		err = d.InTx(t.Context(), func(tx *db.Tx) error { _, err := o.Try(t.Context(), tx, h.ID); return err })
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("a ping to what is off: %v", err)
		}
		// On again; who answers 410 is off at once.
		now.OffAt = time.Time{}
		o.tx(func(ctx context.Context, tx *db.Tx) (err error) { now, err = o.Change(ctx, tx, now); return err })
		if now.Off() || !now.FailingSince.IsZero() || now.OffWhy != "" {
			t.Errorf("%+v", now)
		}
		o.answers = []int{410}
		o.tx(func(ctx context.Context, tx *db.Tx) error { _, err := o.Try(ctx, tx, h.ID); return err })
		o.work()
		if now, _ = o.ByID(t.Context(), d.Read(), h.ID); now.OffWhy != "gone" || len(o.off) != 2 {
			t.Errorf("%+v", now)
		}
		o.now = o.now.Add(webhook.Kept + time.Hour)
		if err := o.Sweep(t.Context(), d.Write()); err != nil || len(o.log(h)) != 0 {
			t.Errorf("%d in the log, %v", len(o.log(h)), err)
		}
		o.tx(func(ctx context.Context, tx *db.Tx) error { return o.Delete(ctx, tx, h.ID) })
		if _, err := o.ByID(t.Context(), d.Read(), h.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("deleted: %v", err)
		}
	})
}

// TestPrivate has nothing sent inside of a network.
func TestPrivate(t *testing.T) {
	o := newOffice(t, dbtest.SQLite(t))
	h, _ := o.hook(webhook.ReaderCreated)
	o.Client = fetch.New(fetch.Options{Redirects: -1})
	o.tx(func(ctx context.Context, tx *db.Tx) error { return o.ReaderMade(ctx, tx, "r1") })
	o.work()
	if one := o.log(h)[0]; len(o.got) != 0 || one.Status != 0 || one.State != webhook.Waiting || one.Answer == "" {
		t.Errorf("%d requests, %+v", len(o.got), one)
	}
	o.Insecure = false
	for _, bad := range []string{"", "http://quay.example/", "https://", "ftp://quay.example/", "https://u:p@quay.example/", "https://quay.example/#x", "javascript:alert(1)", "https://quay.example/" + strings.Repeat("x", 2000)} {
		err := o.db.InTx(t.Context(), func(tx *db.Tx) error {
			_, _, err := o.Create(t.Context(), tx, webhook.Hook{URL: bad, Events: webhook.Events()})
			return err
		})
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%.40q: %v", bad, err)
		}
	}
}
