package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// server is a newsroom that is served.
type server struct {
	addr, ops string
	dir       string
	cmd       *exec.Cmd
	log       *logBuffer
}

// logBuffer keeps what a server logs.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logBuffer) count(text string) int { return strings.Count(l.String(), text) }

// newsroom copies the seed's newsroom into a new folder below parent.
func (b *bench) newsroom(parent string) (string, error) {
	dir, err := os.MkdirTemp(parent, "newsroom-")
	if err != nil {
		return "", err
	}
	return dir, errors.Join(os.CopyFS(dir, os.DirFS(b.seed)), os.Chmod(filepath.Join(dir, "secret.key"), 0o600))
}

// serve serves the newsroom in dir; files bounds its open files where not 0.
func (b *bench) serve(ctx context.Context, dir string, files int, flags ...string) (*server, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	ops, err := freeAddr()
	if err != nil {
		return nil, err
	}
	s := &server{addr: addr, ops: ops, dir: dir, log: &logBuffer{}}
	args := append([]string{b.binary, "serve", "--dir", dir, "--addr", addr, "--ops-addr", ops, "--url", "http://" + addr, "--dev=false",
		"--letters-per-network", "100000"}, flags...)
	if files > 0 {
		args = append([]string{"sh", "-c", `ulimit -n "$0" && exec "$@"`, strconv.Itoa(files)}, args...)
	}
	s.cmd = exec.CommandContext(ctx, args[0], args[1:]...)
	s.cmd.Stderr = s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if ready, _ := s.ready(); strings.HasPrefix(ready, "ok") {
			return s, nil
		}
		if strings.Contains(s.log.String(), "exit status") || strings.HasPrefix(s.log.String(), "masthead: ") || time.Since(began) > time.Minute || ctx.Err() != nil {
			return nil, errors.Join(errors.New("it does not answer: "+s.log.String()), s.stop())
		}
	}
}

// started serves a copy of the seed's newsroom.
func (b *bench) started(ctx context.Context, files int, flags ...string) (*server, error) {
	dir, err := b.newsroom(b.dir)
	if err != nil {
		return nil, err
	}
	return b.serve(ctx, dir, files, flags...)
}

func (s *server) stop() error {
	s.cmd.Process.Signal(syscall.SIGTERM)
	ended := make(chan error, 1)
	go func() { ended <- s.cmd.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(30 * time.Second):
		s.cmd.Process.Kill()
		return errors.Join(errors.New("it does not end when told to"), <-ended)
	}
}

// ready gives what /readyz says.
func (s *server) ready() (string, int) {
	res, err := (&http.Client{Timeout: 5 * time.Second}).Get("http://" + s.ops + "/readyz")
	if err != nil {
		return "", 0
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return strings.TrimSpace(string(text)), res.StatusCode
}

// metric gives a value of /metrics; -1 where there is none.
func (s *server) metric(name string) float64 {
	res, err := http.Get("http://" + s.ops + "/metrics")
	if err != nil {
		return -1
	}
	defer res.Body.Close()
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			v, _ := strconv.ParseFloat(rest, 64)
			return v
		}
	}
	return -1
}

// memory gives the server's resident memory in bytes.
func (s *server) memory() int {
	text, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(s.cmd.Process.Pid), "status"))
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.Atoi(strings.Fields(rest)[0])
			return kb << 10
		}
	}
	return 0
}

// get asks on a connection of its own.
func (s *server) get(path string, headers ...string) (*http.Response, string, error) {
	req, err := http.NewRequest("GET", "http://"+s.addr+path, nil)
	if err != nil {
		return nil, "", err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	return s.do(req)
}

// post sends a form.
func (s *server) post(path string, form url.Values) (*http.Response, string, error) {
	req, err := http.NewRequest("POST", "http://"+s.addr+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.do(req)
}

func (s *server) do(req *http.Request) (*http.Response, string, error) {
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

// raw sends bytes on a new connection and gives what comes back until the
// server closes it, or patience ends.
func (s *server) raw(bytes []byte, patience time.Duration) (answer string, closed bool, err error) {
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		return "", false, err
	}
	defer c.Close()
	go c.Write(bytes) // it may be closed before all is out
	c.SetReadDeadline(time.Now().Add(patience))
	text, err := io.ReadAll(c)
	return string(text), !os.IsTimeout(err), nil
}

// latency asks for the front page n times, each on a new connection, and tells
// how long half and 99 of 100 took.
func (s *server) latency(n int) (p50, p99 time.Duration, err error) {
	var all []time.Duration
	for range n {
		began := time.Now()
		res, _, err := s.get("/")
		if err != nil {
			return 0, 0, err
		}
		if res.StatusCode != 200 {
			return 0, 0, fmt.Errorf("the front page is %s", res.Status)
		}
		all = append(all, time.Since(began))
	}
	slices.Sort(all)
	return all[n/2], all[n*99/100], nil
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// until waits for yes, and tells how long it took; ok is false after patience.
func until(patience time.Duration, yes func() bool) (took time.Duration, ok bool) {
	for began := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		if yes() {
			return time.Since(began), true
		}
		if time.Since(began) > patience {
			return patience, false
		}
	}
}
