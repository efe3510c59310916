package app_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/needtest"
	"masthead/internal/staff"
	"masthead/internal/story"
	"masthead/internal/wall"
)

// TestManyNodes runs three nodes as processes of their own, and does to them what
// a newsroom and bad days do. MASTHEAD_TEST_OUTAGE says how long the database is
// away in it.
func TestManyNodes(t *testing.T) {
	needtest.Slow(t)
	c := newCluster(t, 3)
	c.step(t, "started at once", c.startedAtOnce)
	c.step(t, "what one publishes", c.published)
	c.step(t, "readers", c.readers)
	c.step(t, "meters, gifts and rates", c.counted)
	c.step(t, "through Varnish", c.throughVarnish)
	c.step(t, "the wall through Varnish", c.wallThroughVarnish)
	c.step(t, "stopped and killed", c.stoppedAndKilled)
	c.step(t, "a node that sleeps", c.asleep)
	c.step(t, "a node that is alone", c.silent)
	c.step(t, "a newer schema", c.newerSchema)
	c.step(t, "without the database", c.withoutDatabase)
}

// startedAtOnce holds that three first starts on an empty database are one, and
// that what comes round by itself is done by one node.
func (c *cluster) startedAtOnce(t *testing.T) {
	if n := c.count(`SELECT COUNT(*) - COUNT(DISTINCT version_id) FROM goose_db_version`); n != 0 {
		t.Errorf("%d migrations were applied twice", n)
	}
	c.soon(10*time.Second, "the jobs of the start are done", func() bool {
		return c.count(`SELECT COUNT(*) FROM river_job WHERE kind = 'publish_due' AND state = 'completed'`) > 0
	})
	if n := c.count(`SELECT COUNT(*) - COUNT(DISTINCT (kind, date_trunc('minute', created_at))) FROM river_job WHERE kind IN ('publish_due', 'sweep')`); n != 0 {
		t.Errorf("%d jobs of a turn were there twice", n)
	}
	if n := c.count(`SELECT COUNT(*) FROM river_job WHERE attempt > 1`); n != 0 {
		t.Errorf("%d jobs ran twice", n)
	}
}

var mediaForm = regexp.MustCompile(`/media/[0-9a-f]{64}/[^" ,]+`)

// published publishes, changes, walls and withdraws, and wants it at every node.
func (c *cluster) published(t *testing.T) {
	later := time.Now().UTC().Format("/2006/01/") + "breaking/"
	for _, nd := range c.nodes {
		nd.visitor().page("/") // an empty paper, kept in memory
		if a := nd.visitor().get(later); a.StatusCode != http.StatusNotFound {
			t.Errorf("a story to come = %d", a.StatusCode)
		}
	}
	c.fill()
	c.everywhere("the front page", func(n *node) bool {
		return strings.Contains(n.visitor().page("/"), "Headline of open-water")
	})
	var pictures []string
	for _, nd := range c.nodes {
		picture := mediaForm.FindString(nd.visitor().page(c.path("open-water")))
		a := nd.visitor().get(picture)
		if a.StatusCode != http.StatusOK || !strings.HasPrefix(a.Header.Get("Content-Type"), "image/") {
			t.Errorf("the picture %s = %d, %s", picture, a.StatusCode, a.Header.Get("Content-Type"))
		}
		pictures = append(pictures, a.Header.Get("ETag")+a.body)
	}
	if pictures[0] != pictures[1] || pictures[1] != pictures[2] {
		t.Error("the nodes show different pictures")
	}
	c.tx(func(ctx context.Context, tx *db.Tx) error {
		return c.write(ctx, tx, piece{slug: "breaking", access: story.Open}, nil, "")
	})
	e := c.editions["breaking"]
	c.everywhere("a new story", func(n *node) bool { return n.visitor().get(later).StatusCode == http.StatusOK })
	e.Headline = "It broke"
	c.tx(func(ctx context.Context, tx *db.Tx) error { return c.Stories.SaveEdition(ctx, tx, &e, "editor") })
	c.everywhere("a changed headline", func(n *node) bool {
		return strings.Contains(n.visitor().page(e.Path), "It broke") && strings.Contains(n.visitor().page("/"), "It broke")
	})
	c.tx(func(ctx context.Context, tx *db.Tx) error {
		return c.Stories.Withdraw(ctx, tx, e.ID, "Mistaken.", "editor")
	})
	c.everywhere("a withdrawn story", func(n *node) bool {
		return n.visitor().get(e.Path).StatusCode == http.StatusGone && !strings.Contains(n.visitor().page("/"), "It broke")
	})
	word := kept("meter-one", "en")[0]
	for _, nd := range c.nodes {
		has(t, "a metered story", nd.visitor().page(c.path("meter-one")), word)
	}
	if err := c.SetWall(t.Context(), wall.Table{Rules: []wall.Rule{{Name: "all", When: "true", Grant: wall.MustGrant("register")}}}); err != nil {
		t.Fatal(err)
	}
	c.everywhere("a new rule of the wall", func(n *node) bool {
		return !strings.Contains(n.visitor().page(c.path("meter-one")), word)
	})
	c.SetRules()
	c.everywhere("the old rules", func(n *node) bool { return strings.Contains(n.visitor().page(c.path("meter-one")), word) })
}

// readers signs in at one node and out at another.
func (c *cluster) readers(t *testing.T) {
	word := kept("for-readers", "en")[0]
	b := c.nodes[0].reader("many@example.org")
	for i, nd := range c.nodes {
		for _, one := range []*browser{b.copy().at(nd), b.copy("pass").at(nd)} {
			has(t, fmt.Sprintf("the story at node %d", i+1), one.page(c.path("for-readers")), word)
			if a := one.get("/account"); a.StatusCode != http.StatusOK {
				t.Errorf("the account at node %d = %d", i+1, a.StatusCode)
			}
		}
	}
	passes := b.copy() // with a pass that is good for a minute
	if a := b.at(c.nodes[1]).post("/account/sessions", url.Values{"all": {"1"}}); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("signing out everywhere = %d", a.StatusCode)
	}
	c.everywhere("a reader who signed out everywhere", func(n *node) bool {
		return !strings.Contains(passes.copy().at(n).page(c.path("for-readers")), word)
	})
}

// counted spends meters, gifts and rates at all nodes together.
func (c *cluster) counted(t *testing.T) {
	anonymous := c.nodes[0].visitor()
	for i, slug := range []string{"meter-one", "meter-two", "meter-three"} {
		has(t, slug, anonymous.at(c.nodes[i]).page(c.path(slug)), []string{"1 of 3", "2 of 3", "last free"}[i], kept(slug, "en")[0])
	}
	hasNot(t, "the fourth", anonymous.at(c.nodes[0]).page(c.path("meter-four")), kept("meter-four", "en")...)

	// Two stories are open to a registered reader, who comes to another node each time. A count is
	// known where it is made at once, and elsewhere once it is written and heard: whoever asks in
	// between may read one too many, so each node is asked once, after that.
	b, id := c.nodes[0].reader("counted@example.org"), c.readerID("counted@example.org")
	for i, slug := range []string{"counted-one", "counted-two"} {
		has(t, slug, b.at(c.nodes[i]).page(c.path(slug)), kept(slug, "en")[0])
	}
	took := c.soon(2*time.Second, "both are written", func() bool { return c.count(`SELECT COUNT(*) FROM meter_read WHERE reader_id = $1`, id) == 2 })
	t.Logf("two counts were written after %v", took.Round(time.Millisecond))
	time.Sleep(300 * time.Millisecond)
	for i, nd := range c.nodes {
		hasNot(t, fmt.Sprintf("the third at node %d", i+1), b.at(nd).page(c.path("counted-three")), kept("counted-three", "en")...)
	}
	if n := c.count(`SELECT COUNT(*) FROM meter_read WHERE reader_id = $1`, id); n != 2 {
		t.Errorf("%d stories are counted, want 2", n)
	}

	given := 0
	for _, nd := range c.nodes {
		if _, link := b.at(nd).give("for-readers"); link != "" {
			given++
			if given == 1 {
				has(t, "the gift at the last node", c.nodes[2].visitor().page(link), kept("for-readers", "en")[0])
			}
		}
	}
	if given != 2 {
		t.Errorf("%d gifts were made at three nodes, want 2", given)
	}
	for i, want := range []int{303, 303, 303, 429, 429} {
		if a := c.nodes[i%3].visitor().post("/register", url.Values{"email": {"letters@example.org"}}); a.StatusCode != want {
			t.Errorf("letter %d at node %d = %d, want %d", i+1, i%3+1, a.StatusCode, want)
		}
	}
}

// stoppedAndKilled loses no count when a node is stopped, and the last second's
// at most when it is killed; the others go on.
func (c *cluster) stoppedAndKilled(t *testing.T) {
	last := c.nodes[2]
	read := func(email string) int {
		return c.count(`SELECT COUNT(*) FROM meter_read WHERE reader_id = $1`, c.readerID(email))
	}
	stopped, killed := last.reader("stopped@example.org"), last.reader("killed@example.org")
	paths := []string{c.path("open-water"), "/", "/harbour/", "/search?q=harbour", c.path("three-days")}
	l := c.load(paths, c.front, c.nodes[0], c.nodes[1])
	has(t, "a counted story", killed.page(c.path("counted-one")), kept("counted-one", "en")[0])
	time.Sleep(wall.FlushEvery + 500*time.Millisecond)
	has(t, "a counted story", stopped.page(c.path("counted-one")), kept("counted-one", "en")[0])
	last.stop()
	if n := read("stopped@example.org"); n != 1 {
		t.Errorf("after a stop %d stories are counted, want 1", n)
	}
	last.start()
	last.await()
	has(t, "a counted story", killed.page(c.path("counted-two")), kept("counted-two", "en")[0])
	hit := c.load(paths, last)
	time.Sleep(300 * time.Millisecond)
	last.kill()
	hit.cancel()
	hit.done.Wait()
	if n := read("killed@example.org"); n < 1 {
		t.Error("kill -9 lost more than the last second's counts")
	}
	e := c.editions["three-days"]
	e.Headline = "Changed while a node was down"
	c.tx(func(ctx context.Context, tx *db.Tx) error { return c.Stories.SaveEdition(ctx, tx, &e, "editor") })
	last.start()
	last.await()
	l.stop(t)
	has(t, "the node that was killed", last.visitor().page(e.Path), e.Headline)
}

// asleep freezes a node, as a machine that is moved does, and withdraws meanwhile.
func (c *cluster) asleep(t *testing.T) {
	last, e := c.nodes[2], c.editions["old-name"]
	path := c.path("new-name")
	has(t, "a story before", last.visitor().page(path), kept("old-name", "en")[0])
	last.cmd.Process.Signal(syscall.SIGSTOP)
	c.tx(func(ctx context.Context, tx *db.Tx) error {
		return c.Stories.Withdraw(ctx, tx, e.ID, "Wrong.", "editor")
	})
	time.Sleep(3 * time.Second)
	last.cmd.Process.Signal(syscall.SIGCONT)
	c.everywhere("what was withdrawn while a node slept", func(n *node) bool { return n.visitor().get(path).StatusCode == http.StatusGone })
}

// newerSchema lets the next version's migration go by while this one serves, and
// starts this version again after it: a rolling upgrade, seen from the old nodes.
func (c *cluster) newerSchema(t *testing.T) {
	paths := []string{c.path("open-water"), "/", "/search?q=harbour", "/api/v1/stories", c.path("for-readers")}
	l := c.load(paths, c.nodes[0], c.nodes[2])
	b := c.nodes[0].reader("upgrade@example.org")
	// Additions, as expanding migrations make them: columns with a default, a table, an index.
	for _, statement := range []string{
		`ALTER TABLE story ADD COLUMN of_the_next_version TEXT NOT NULL DEFAULT ''`, `ALTER TABLE edition ADD COLUMN of_the_next_version BIGINT NOT NULL DEFAULT 0`,
		`ALTER TABLE reader ADD COLUMN of_the_next_version TEXT`, `ALTER TABLE meter_read ADD COLUMN of_the_next_version TEXT NOT NULL DEFAULT ''`,
		`CREATE TABLE of_the_next_version (id TEXT PRIMARY KEY)`, `CREATE INDEX of_the_next_version_index ON story (of_the_next_version)`,
		`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, TRUE)`,
	} {
		if _, err := c.DB.Write().ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	has(t, "a reader at an old node", b.at(c.nodes[2]).page(c.path("for-readers")), kept("for-readers", "en")[0])
	c.nodes[1].stop()
	c.nodes[1].start() // the old version, on the new schema
	c.nodes[1].await()
	c.tx(func(ctx context.Context, tx *db.Tx) error {
		return c.write(ctx, tx, piece{slug: "after-the-upgrade", access: story.Open}, nil, "")
	})
	c.everywhere("a story after the migration", func(n *node) bool {
		return n.visitor().get(c.path("after-the-upgrade")).StatusCode == http.StatusOK
	})
	has(t, "a reader at the node that was started again", b.at(c.nodes[1]).page(c.path("counted-one")), kept("counted-one", "en")[0])
	l.stop(t)
}

// withoutDatabase takes the database away for a while.
func (c *cluster) withoutDatabase(t *testing.T) {
	const quick = time.Second // what an answer may take meanwhile, on a machine with other work
	// Before: two readers, one with a tier, somebody of the staff, and pages in memory.
	supporter := c.nodes[0].reader("supporter@example.org")
	id := c.readerID("supporter@example.org")
	c.tx(func(ctx context.Context, tx *db.Tx) error {
		return c.Readers.Grant(ctx, tx, id, "supporter", time.Time{})
	})
	metered := c.nodes[0].reader("outage@example.org")
	var editor *browser
	c.tx(func(ctx context.Context, tx *db.Tx) error {
		p, err := c.Staff.Add(ctx, tx, staff.Person{Email: "editor@example.org", Role: staff.Editor})
		if err != nil {
			return err
		}
		_, cookie, err := c.Staff.StartSession(ctx, tx, p.ID, staff.Made{By: staff.ByPasskey})
		editor = c.nodes[0].visitor()
		editor.cookies["staff"] = cookie
		return err
	})
	c.unheard("cold")
	paper, cold := c.path("the-papers"), c.path("cold")
	for _, nd := range c.nodes {
		c.soon(2*time.Second, "the tier is known", func() bool {
			return strings.Contains(supporter.at(nd).page(paper), kept("the-papers", "en")[0])
		})
		has(t, "the first counted", metered.at(nd).page(c.path("counted-one")), kept("counted-one", "en")[0])
	}
	// A page that is made while a change of something in it is heard is sent and not
	// kept. What was changed above has been heard everywhere by now.
	for _, nd := range c.nodes {
		supporter.at(nd).page(paper)
		nd.visitor().page(c.path("for-readers"))
		nd.visitor().page(c.path("open-water"))
		nd.visitor().page("/")
		if a := editor.at(nd).get("/desk/"); a.StatusCode != http.StatusOK {
			t.Errorf("the desk before = %d", a.StatusCode)
		}
	}
	c.front.visitor().page(c.path("open-water"))
	c.pg.Halt()
	gone := time.Now()
	slowest := time.Duration(0)
	refused := func(where string, a answer, took time.Duration) {
		t.Helper()
		if a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" {
			t.Errorf("%s without the database = %d, Retry-After %q", where, a.StatusCode, a.Header.Get("Retry-After"))
		}
		if took > 2*quick {
			t.Errorf("%s is refused after %v", where, took)
		}
	}
	for rounds := 0; rounds == 0 || time.Since(gone) < c.outage; rounds++ {
		for i, nd := range c.nodes {
			for _, path := range []string{c.path("open-water"), "/"} {
				a, took := nd.visitor().timed(path)
				if a.StatusCode != http.StatusOK || took > quick {
					t.Errorf("a page that is in memory, %s at node %d after %v: %d in %v", path, i+1, time.Since(gone), a.StatusCode, took)
				}
				slowest = max(slowest, took)
			}
			if a, took := c.front.visitor().timed(c.path("open-water")); a.StatusCode != http.StatusOK || took > quick {
				t.Errorf("a page through Varnish: %d in %v", a.StatusCode, took)
			}
			has(t, "an open story in memory", nd.visitor().page(c.path("open-water")), kept("open-water", "en")...)
			a, took := supporter.copy().at(nd).timed(paper)
			if a.StatusCode != http.StatusOK || !strings.Contains(a.body, kept("the-papers", "en")[0]) || took > quick {
				t.Errorf("a reader with a pass and a tier: %d in %v", a.StatusCode, took)
			}
			// Whoever cannot be found out, and what cannot be counted, gets no more than anybody.
			a, took = supporter.copy("pass").at(nd).timed(paper)
			hasNot(t, "a reader without a pass", a.body, kept("the-papers", "en")...)
			if a.StatusCode != http.StatusOK && a.StatusCode != http.StatusServiceUnavailable || took > 2*quick {
				t.Errorf("a reader without a pass: %d in %v", a.StatusCode, took)
			}
			if time.Since(gone) > 3*time.Second {
				a, took = metered.copy().at(nd).timed(c.path("counted-two"))
				hasNot(t, "a story that cannot be counted", a.body, kept("counted-two", "en")...)
				if took > 2*quick {
					t.Errorf("a story that cannot be counted: %d in %v", a.StatusCode, took)
				}
			}
			hasNot(t, "a stranger's page", nd.visitor().get(c.path("for-readers")).body, kept("for-readers", "en")...)
			a, took = nd.visitor().timed(cold)
			refused("an open page that is not in memory", a, took)
			a, took = nd.visitor().timed("/api/v1/stories")
			refused("the API", a, took)
			a, took = editor.copy().at(nd).timed("/desk/")
			refused("the desk", a, took)
			if live, ready := nd.health("/healthz"), nd.health("/readyz"); live != 200 || ready != 503 {
				t.Errorf("/healthz = %d, /readyz = %d; want 200 and 503", live, ready)
			}
		}
		time.Sleep(200 * time.Millisecond)
	}
	t.Logf("away for %v; pages in memory took %v at the most", time.Since(gone).Round(100*time.Millisecond), slowest.Round(time.Millisecond))

	if err := c.pg.Resume(); err != nil {
		t.Fatal(err)
	}
	back := time.Now()
	for _, nd := range c.nodes {
		c.soon(5*time.Second, "the node is ready again", func() bool { return nd.health("/readyz") == http.StatusOK })
		c.soon(5*time.Second, "all is as before", func() bool {
			return nd.visitor().get(cold).StatusCode == http.StatusOK && editor.at(nd).get("/desk/").StatusCode == http.StatusOK &&
				strings.Contains(supporter.copy("pass").at(nd).get(paper).body, kept("the-papers", "en")[0]) &&
				strings.Contains(metered.copy("pass").at(nd).get(c.path("counted-two")).body, kept("counted-two", "en")[0])
		})
	}
	t.Logf("all is as before %v after the database came back", time.Since(back).Round(time.Millisecond))
	c.soon(5*time.Second, "the editor is connected again", func() bool { return c.DB.Read().PingContext(t.Context()) == nil })
	c.tx(func(ctx context.Context, tx *db.Tx) error {
		return c.Stories.Withdraw(ctx, tx, c.editions["open-water"].ID, "Mistaken.", "editor")
	})
	c.everywhere("a story withdrawn after the outage", func(n *node) bool {
		return n.visitor().get(c.path("open-water")).StatusCode == http.StatusGone
	})
	c.soonInFront("a story withdrawn after the outage", func() bool {
		return c.front.visitor().get(c.path("open-water")).StatusCode == http.StatusGone
	})
	if _, err := c.DB.Write().ExecContext(t.Context(), `INSERT INTO river_job (kind, max_attempts, args) VALUES ('publish_due', 3, '{"after":"the outage"}')`); err != nil {
		t.Fatal(err)
	}
	took := c.soon(15*time.Second, "a job is done", func() bool {
		return c.count(`SELECT COUNT(*) FROM river_job WHERE state = 'completed' AND args ->> 'after' = 'the outage'`) == 1
	})
	t.Logf("a job was done after %v", took.Round(time.Millisecond))
	if n := c.count(`SELECT COUNT(*) FROM meter_read WHERE reader_id = $1`, c.readerID("outage@example.org")); n < 1 {
		t.Error("what was counted before the outage is lost")
	}
}
