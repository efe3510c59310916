// Package varnishtest starts a real Varnish before a newsroom, for the length
// of a test, with the VCL that operators are given (docs/varnish.vcl).
//
// A newsroom must know its cache's address before it starts, and the cache must
// know the newsroom's, so it goes in two steps:
//
//	v := varnishtest.New(t)
//	// serve with cdn = "esi", cdn-purge = v.URL, cdn-secret = v.Secret
//	v.Start("127.0.0.1:8081", "127.0.0.1:8082")
//	http.Get(v.URL + "/")
//
// Where there is no varnishd the test is skipped with a message, but under
// CI=true it fails.
package varnishtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"masthead/internal/needtest"
)

// Varnish is one cache.
type Varnish struct {
	URL    string // http://127.0.0.1:PORT
	Secret string // that a true PURGE shows

	t      testing.TB
	dir    string
	daemon string
	stop   func()
}

// New reserves an address for a Varnish.
func New(t testing.TB) *Varnish {
	t.Helper()
	// Debian puts it out of an ordinary PATH.
	daemon := needtest.Program(t, "varnishd", "/usr/sbin/varnishd")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	// A socket within it has a path of 107 bytes at most, so no t.TempDir.
	dir, err := os.MkdirTemp("", "varnish-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return &Varnish{URL: "http://" + l.Addr().String(), Secret: "a-secret-of-the-tests", t: t, dir: dir, daemon: daemon}
}

// Start starts Varnish before nodes, given as HOST:PORT, and waits until it
// takes connections. It ends with the test, or by Stop.
func (v *Varnish) Start(nodes ...string) {
	v.t.Helper()
	docs := v.docs()
	main, err := os.ReadFile(filepath.Join(docs, "varnish.vcl"))
	if err != nil {
		v.t.Fatal(err)
	}
	own, err := os.ReadFile(filepath.Join(docs, "varnish-nodes.vcl"))
	if err != nil {
		v.t.Fatal(err)
	}
	v.write("varnish.vcl", string(main))
	v.write("masthead-nodes.vcl", v.nodes(string(own), nodes))
	v.write("masthead.secret", v.Secret)
	cmd := exec.Command(v.daemon, "-F", "-j", "none", "-n", filepath.Join(v.dir, "n"), "-f", filepath.Join(v.dir, "varnish.vcl"),
		"-a", strings.TrimPrefix(v.URL, "http://"), "-s", "malloc,64m", "-T", "none", "-p", "vcl_path="+v.dir, "-p", "thread_pool_min=20", "-p", "thread_pools=1")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		v.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	v.stop = func() {
		cmd.Process.Signal(os.Interrupt)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			cmd.Process.Kill()
			<-ended
		}
		v.stop = nil
	}
	v.t.Cleanup(v.Stop)
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", strings.TrimPrefix(v.URL, "http://")); err == nil {
			c.Close()
			return
		}
		select {
		case <-ended:
			v.t.Fatalf("varnishd ended: %s", said.String())
		default:
		}
		if time.Since(began) > 30*time.Second {
			v.t.Fatalf("varnishd takes no connections: %s", said.String())
		}
	}
}

// Stop ends Varnish, which forgets everything; Start starts it again.
func (v *Varnish) Stop() {
	if v.stop != nil {
		v.stop()
	}
}

// nodes writes an operator's file, with the nodes and the secret of this test.
func (v *Varnish) nodes(text string, nodes []string) string {
	var backends, members string
	for i, node := range nodes {
		host, port, err := net.SplitHostPort(node)
		if err != nil {
			v.t.Fatal(err)
		}
		backends += fmt.Sprintf("backend node%d { .host = %q; .port = %q; .probe = masthead; }\n", i+1, host, port)
		members += fmt.Sprintf("\tnodes.add_backend(node%d);\n", i+1)
	}
	for _, change := range [][2]string{
		{"backend node1 { .host = \"127.0.0.1\"; .port = \"8080\"; .probe = masthead; }\n", backends},
		{"\tnodes.add_backend(node1);\n", members},
		{"/etc/varnish/masthead.secret", filepath.Join(v.dir, "masthead.secret")},
	} {
		if strings.Count(text, change[0]) != 1 {
			v.t.Fatalf("docs/varnish-nodes.vcl has not one line %q", change[0])
		}
		text = strings.Replace(text, change[0], change[1], 1)
	}
	return text
}

func (v *Varnish) write(name, text string) {
	v.t.Helper()
	if err := os.WriteFile(filepath.Join(v.dir, name), []byte(text), 0o644); err != nil {
		v.t.Fatal(err)
	}
}

// Counter gives a counter of varnishstat, such as "MAIN.cache_hit",
// "MAIN.backend_req" or "XKEY.g_keys".
func (v *Varnish) Counter(name string) int {
	v.t.Helper()
	out, err := exec.Command("varnishstat", "-1", "-j", "-n", filepath.Join(v.dir, "n"), "-f", name).Output()
	if err != nil {
		v.t.Fatalf("varnishstat: %v", err)
	}
	var stat struct {
		Counters map[string]struct{ Value int } `json:"counters"`
	}
	if err := json.Unmarshal(out, &stat); err != nil {
		v.t.Fatalf("varnishstat: %v: %s", err, out)
	}
	return stat.Counters[name].Value
}

// Purge drops what bears one of the tags, as a node would, and gives the status.
func (v *Varnish) Purge(secret, tags string) int {
	v.t.Helper()
	r, err := http.NewRequest("PURGE", v.URL+"/", nil)
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Xkey-Purge", tags)
	if secret != "" {
		r.Header.Set("X-Purge-Secret", secret)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

// docs finds the folder of the VCL: a test runs in its package's folder.
func (v *Varnish) docs() string {
	v.t.Helper()
	for at, up := "docs", 0; up < 8; at, up = filepath.Join("..", at), up+1 {
		if _, err := os.Stat(filepath.Join(at, "varnish.vcl")); err == nil {
			return at
		}
	}
	v.t.Fatal("docs/varnish.vcl is not found above the test's folder")
	return ""
}
