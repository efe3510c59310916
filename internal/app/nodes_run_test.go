package app_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"masthead/internal/app"
	"masthead/internal/app/varnishtest"
	"masthead/internal/blob/blobtest"
	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/mail"
	"masthead/internal/needtest"
	"masthead/internal/story"
)

// cluster is a newsroom of several nodes, each a process of its own, on one
// PostgreSQL and one bucket, with Varnish before them; and its editor, who writes
// from here.
type cluster struct {
	front  *node // Varnish
	*room        // the editor's
	pg     *dbtest.Server
	nodes  []*node
	outage time.Duration // how long the database is taken away
}

// node is one process of the program.
type node struct {
	*room
	program   string
	dir, addr string
	wire      *wire // to the database
	env       []string
	cmd       *exec.Cmd
	log       string // path of what it wrote
}

// newCluster builds the program and starts n nodes of it at once, on an empty
// database.
func newCluster(t *testing.T, n int) *cluster {
	t.Helper()
	bucket, _ := blobtest.S3(t)
	pg, err := dbtest.StartServer()
	if err != nil {
		needtest.Missing(t, "no PostgreSQL: %v", err)
	}
	t.Cleanup(func() { pg.Stop() })
	outage, err := time.ParseDuration(cmp.Or(os.Getenv("MASTHEAD_TEST_OUTAGE"), "8s"))
	if err != nil {
		t.Fatal(err)
	}
	cache := varnishtest.New(t)
	program := filepath.Join(t.TempDir(), "masthead")
	build := exec.Command("go", "build", "-o", program, "masthead/cmd/masthead")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
	_, endpoint, _ := strings.Cut(bucket.Endpoint, "://")
	change := setting{
		"cdn": "esi", "cdn-purge": cache.URL, "cdn-secret": cache.Secret,
		"dev": "false", "log-level": "info", "letters-per-address": "3", "gift-quota": "2",
		"blobs":         "s3://" + bucket.Bucket + "?endpoint=" + endpoint + "&region=" + bucket.Region + "&path-style=true&insecure=true",
		"s3-access-key": bucket.AccessKey, "s3-secret-key": bucket.SecretKey,
	}
	t.Setenv("MASTHEAD_SECRET", secretOf("n"))
	c := &cluster{pg: pg, outage: outage}
	for i := range n {
		nd := &node{program: program, dir: t.TempDir(), addr: freeAddr(t), wire: newWire(t, pg.URL)}
		ops := freeAddr(t)
		nd.log = filepath.Join(nd.dir, "log")
		nd.env = append(os.Environ(), "MASTHEAD_ADDR="+nd.addr, "MASTHEAD_OPS_ADDR="+ops)
		for name, value := range flagsOf(nd.wire.url, change) {
			if name != "addr" && name != "ops-addr" {
				nd.env = append(nd.env, "MASTHEAD_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))+"="+value)
			}
		}
		nd.room = &room{t: t, url: "http://" + nd.addr, App: &app.App{}}
		nd.App.Config.OpsAddr = ops
		if nd.App.Outbox, err = mail.OpenOutbox(filepath.Join(nd.dir, "outbox")); err != nil {
			t.Fatal(err)
		}
		c.nodes = append(c.nodes, nd)
		t.Cleanup(func() {
			nd.kill()
			if t.Failed() {
				out, _ := os.ReadFile(nd.log)
				t.Logf("node %d wrote: %s", i+1, out[max(0, len(out)-4000):])
			}
		})
	}
	for _, nd := range c.nodes {
		nd.start()
	}
	for _, nd := range c.nodes {
		nd.await()
	}
	var addrs []string
	for _, nd := range c.nodes {
		addrs = append(addrs, nd.addr)
	}
	cache.Start(addrs...)
	c.front = &node{room: &room{t: t, url: cache.URL, App: &app.App{}}}
	c.room = openRoom(t, settings(t, pg.URL, change))
	for _, nd := range append([]*node{c.front}, c.nodes...) { // so that helpers of a room serve here too
		a, own := *c.App, nd.App
		a.Outbox, a.Config.OpsAddr = own.Outbox, own.Config.OpsAddr
		nd.App, nd.editions = &a, c.editions
	}
	return c
}

// step runs a part of the test; the parts after one that failed are left out.
func (c *cluster) step(t *testing.T, name string, do func(t *testing.T)) {
	t.Helper()
	ok := t.Run(name, func(part *testing.T) {
		began := time.Now()
		c.room.t = part
		c.front.t = part
		for _, nd := range c.nodes {
			nd.t = part
		}
		do(part)
		part.Logf("took %v", time.Since(began).Round(time.Millisecond))
	})
	c.room.t, c.front.t = t, t
	for _, nd := range c.nodes {
		nd.t = t
	}
	if !ok {
		t.FailNow()
	}
}

func (n *node) start() {
	n.t.Helper()
	out, err := os.OpenFile(n.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		n.t.Fatal(err)
	}
	defer out.Close()
	n.cmd = exec.Command(n.program, "serve", "--dir", n.dir)
	n.cmd.Env, n.cmd.Stdout, n.cmd.Stderr = n.env, out, out
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
}

// await waits until the node is ready.
func (n *node) await() {
	n.t.Helper()
	n.soon(30*time.Second, "the node is ready", func() bool { return n.health("/readyz") == http.StatusOK })
}

// kill ends the process as kill -9 does.
func (n *node) kill() {
	if n.cmd != nil {
		n.cmd.Process.Kill()
		n.cmd.Wait()
		n.cmd = nil
	}
}

// stop ends the process as an operator does.
func (n *node) stop() {
	n.t.Helper()
	n.cmd.Process.Signal(syscall.SIGTERM)
	if err := n.cmd.Wait(); err != nil {
		n.t.Errorf("it stopped with %v", err)
	}
	n.cmd = nil
}

// health gives the status at the operator's address; 0 where nobody answers.
func (n *node) health(path string) int {
	client := http.Client{Timeout: 5 * time.Second}
	res, err := client.Get("http://" + n.Config.OpsAddr + path)
	if err != nil {
		return 0
	}
	res.Body.Close()
	return res.StatusCode
}

// soon waits for ok, and gives how long that took.
func (r *room) soon(within time.Duration, what string, ok func() bool) time.Duration {
	r.t.Helper()
	began := time.Now()
	for !ok() {
		if time.Since(began) > within {
			r.t.Fatalf("%s: not within %v", what, within)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return time.Since(began)
}

// everywhere waits until ok holds at every node, for two seconds at the most,
// which begin when it is called.
func (c *cluster) everywhere(what string, ok func(n *node) bool) {
	c.room.t.Helper()
	began := time.Now()
	for i, nd := range c.nodes {
		for !ok(nd) {
			if time.Since(began) > 2*time.Second {
				c.room.t.Fatalf("%s: node %d does not, after %v", what, i+1, time.Since(began))
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	c.room.t.Logf("%s: everywhere after %v", what, time.Since(began).Round(time.Millisecond))
}

// at gives the browser with another node before it.
func (b *browser) at(n *node) *browser {
	return &browser{room: n.room, ip: b.ip, cookies: b.cookies, set: b.set}
}

// copy gives another browser with the same cookies; those named are left out.
func (b *browser) copy(without ...string) *browser {
	c := &browser{room: b.room, ip: b.ip, cookies: map[string]string{}, set: map[string]*http.Cookie{}}
	for name, value := range b.cookies {
		c.cookies[name] = value
	}
	for _, name := range without {
		delete(c.cookies, name)
	}
	return c
}

// timed gets a page, and how long that took.
func (b *browser) timed(path string) (answer, time.Duration) {
	b.t.Helper()
	began := time.Now()
	a := b.get(path)
	return a, time.Since(began)
}

// unheard writes open stories of which no node is told, so that none makes their
// pages before somebody asks.
func (c *cluster) unheard(slugs ...string) {
	c.room.t.Helper()
	a := *c.App
	a.Stories = &story.Store{Now: c.Now, DefaultLang: c.Config.Language, Location: c.Config.Timezone}
	writer := &room{App: &a, t: c.room.t, editions: c.editions}
	writer.tx(func(ctx context.Context, tx *db.Tx) error {
		for _, slug := range slugs {
			if err := writer.write(ctx, tx, piece{slug: slug, access: story.Open}, nil, ""); err != nil {
				return err
			}
		}
		return nil
	})
}

// load asks nodes for pages without pause until it is stopped, and tells what was
// not answered as it should.
type load struct {
	cancel  context.CancelFunc
	done    sync.WaitGroup
	mu      sync.Mutex
	asked   int
	slowest time.Duration
	bad     []string
}

func (c *cluster) load(paths []string, nodes ...*node) *load {
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{cancel: cancel}
	for _, nd := range nodes {
		l.done.Go(func() {
			client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for i := 0; ctx.Err() == nil; i++ {
				path := paths[i%len(paths)]
				began := time.Now()
				res, err := client.Get(nd.url + path)
				problem := ""
				if err != nil {
					problem = err.Error()
				} else {
					io.Copy(io.Discard, res.Body)
					res.Body.Close()
					if res.StatusCode != http.StatusOK {
						problem = fmt.Sprintf("GET %s%s = %d", nd.url, path, res.StatusCode)
					}
				}
				l.mu.Lock()
				l.asked++
				l.slowest = max(l.slowest, time.Since(began))
				if problem != "" && len(l.bad) < 10 {
					l.bad = append(l.bad, problem)
				}
				l.mu.Unlock()
				time.Sleep(2 * time.Millisecond)
			}
		})
	}
	return l
}

// stop ends the load, and fails the test where a request did.
func (l *load) stop(t *testing.T) {
	t.Helper()
	l.cancel()
	l.done.Wait()
	t.Logf("under load: %d requests, the slowest %v", l.asked, l.slowest.Round(time.Millisecond))
	if len(l.bad) > 0 {
		t.Errorf("of %d requests under load: %s", l.asked, strings.Join(l.bad, "; "))
	}
}
