package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The core of the servers, and that of the load and of this program.
const serverCore, loadCore = "0", "1"

// ticks of processor time in a second, as /proc counts it (USER_HZ, proc(5)).
const ticks = 100

// server is a running server.
type server struct {
	name   string
	scheme string // "http", or "https" for HTTP/2
	addr   string
	cmd    *exec.Cmd
	errs   *bytes.Buffer
	ready  time.Duration // from its start to its first 200
	with   []*server     // what it needs to answer: counted and stopped with it
}

// url is where it answers, without a final slash.
func (s *server) url() string { return s.scheme + "://" + s.addr }

// start runs a server on its core and waits for the first 200 at path.
func start(ctx context.Context, name, scheme, addr, path string, command ...string) (*server, error) {
	s := &server{name: name, scheme: scheme, addr: addr}
	client := &http.Client{Timeout: time.Minute, Transport: transport}
	return s, s.launch(ctx, func() error {
		resp, err := client.Get(s.url() + path)
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return errors.New(resp.Status)
		}
		return nil
	}, command...)
}

// launch runs the server's program on its core, and waits until it answers.
func (s *server) launch(ctx context.Context, answers func() error, command ...string) error {
	s.errs = &bytes.Buffer{}
	s.cmd = exec.Command("taskset", append([]string{"-c", serverCore}, command...)...)
	s.cmd.Stderr = s.errs
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	for {
		err := answers()
		if err == nil {
			s.ready = time.Since(began)
			return nil
		}
		if ctx.Err() != nil || time.Since(began) > 2*time.Minute {
			stopped := s.stop() // then all that it had to say is there
			return errors.Join(fmt.Errorf("%s does not answer: %w: %s", s.name, err, s.errs), stopped)
		}
		time.Sleep(time.Millisecond)
	}
}

// get reads a page as it is sent in an encoding, or as it is with none named.
// Any status but 200 is an error, a redirect too.
func (s *server) get(ctx context.Context, a ask, encoding string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url()+a.path, nil)
	if err != nil {
		return nil, err
	}
	if encoding != "" { // else the transport asks for gzip, and undoes it
		r.Header.Set("Accept-Encoding", encoding)
	}
	r.Header.Set("Cookie", a.cookie)
	resp, err := transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", a.path, resp.Status)
	}
	return io.ReadAll(resp.Body)
}

// stop ends the server, and then what it needed.
func (s *server) stop() error {
	err := s.cmd.Process.Signal(syscall.SIGTERM)
	if err != nil {
		err = fmt.Errorf("stop %s: %w", s.name, err)
	}
	if err2 := s.cmd.Wait(); err2 != nil && s.cmd.ProcessState.ExitCode() > 0 {
		err = errors.Join(err, fmt.Errorf("%s: %w: %s", s.name, err2, s.errs))
	}
	for _, w := range s.with {
		err = errors.Join(err, w.stop())
	}
	return err
}

// settle waits until the server has had nothing to do for eight seconds: what it
// does in the background after its start, of which some begins after five seconds,
// belongs to no line.
func (s *server) settle(ctx context.Context) error {
	before, err := s.cpu()
	for deadline := time.Now().Add(5 * time.Minute); err == nil && time.Now().Before(deadline); {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(8 * time.Second):
		}
		var now float64
		if now, err = s.cpu(); err == nil && now-before < 0.08 {
			return nil
		}
		before = now
	}
	if err == nil {
		err = fmt.Errorf("%s still works five minutes after its start", s.name)
	}
	return err
}

// cpu gives the processor time, in seconds, that the server and its children have used.
func (s *server) cpu() (float64, error) {
	var sum int
	for _, pid := range s.processes() {
		text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		if err != nil {
			return 0, err
		}
		used, err := cpuTicks(string(text))
		if err != nil {
			return 0, err
		}
		sum += used
	}
	return float64(sum) / ticks, nil
}

// cpuTicks adds utime and stime of a line of /proc/PID/stat. The name before
// them may hold spaces and brackets (proc(5)).
func cpuTicks(stat string) (int, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("not a line of /proc/PID/stat: %q", stat)
	}
	user, err := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	return user + system, errors.Join(err, err2)
}

// memory gives a line of /proc/PID/status, in megabytes: VmRSS is the resident
// memory, VmHWM the most it ever was.
func (s *server) memory(line string) (mb float64) {
	for _, pid := range s.processes() {
		text, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
		for l := range strings.Lines(string(text)) {
			if rest, ok := strings.CutPrefix(l, line+":"); ok {
				kb, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
				mb += kb / 1024
			}
		}
	}
	return mb
}

// processes gives the server's process, those of what it needs, and their children.
func (s *server) processes() []int {
	pids := []int{s.cmd.Process.Pid}
	for _, w := range s.with {
		pids = append(pids, w.cmd.Process.Pid)
	}
	for i := 0; i < len(pids); i++ {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pids[i], pids[i]))
		for _, f := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(f); err == nil && !slices.Contains(pids, pid) {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// freeAddr gives an address that nothing listens on.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// startNginx serves the compressed page as a static file, as well as nginx can.
func startNginx(ctx context.Context, dir string, plain, gz []byte) (s *server, how string, err error) {
	nginx := systemProgram("nginx")
	version, err := exec.Command(nginx, "-V").CombinedOutput()
	if err != nil {
		return nil, "", fmt.Errorf("nginx: %w (apt-get install nginx-light)", err)
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(string(version), "nginx version: "), "\n")
	how, serve, file := name+", gzip_static", "gzip_static on;", "story"
	if !bytes.Contains(version, []byte("http_gzip_static_module")) {
		how, serve, file = name+", the .gz with a fixed Content-Encoding, since it lacks gzip_static", "add_header Content-Encoding gzip; try_files /story.gz =404;", ""
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, "", err
	}
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(filepath.Join(dir, "story.gz"), gz, 0o644)); err != nil {
		return nil, "", err
	}
	if file != "" {
		if err := os.WriteFile(filepath.Join(dir, file), plain, 0o644); err != nil {
			return nil, "", err
		}
	}
	s, err = runNginx(ctx, "nginx", dir, addr, "/story", fmt.Sprintf(`open_file_cache max=100;
	server { listen %s; root %s; default_type "text/html; charset=utf-8"; location = /story { %s } }`, addr, dir, serve))
	return s, how, err
}

// runNginx starts nginx with one worker; serve is the rest of its configuration,
// and path what it must answer.
func runNginx(ctx context.Context, name, dir, addr, path, serve string) (*server, error) {
	user := ""
	if os.Getuid() == 0 {
		user = "user root;"
	}
	conf := fmt.Sprintf(`%s daemon off; worker_processes 1; pid %s/nginx.pid; error_log stderr;
events { worker_connections 1024; }
http {
	access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
	client_body_temp_path %[2]s/body; proxy_temp_path %[2]s/proxy; fastcgi_temp_path %[2]s/fastcgi; uwsgi_temp_path %[2]s/uwsgi; scgi_temp_path %[2]s/scgi;
	%[3]s
}
`, user, dir, serve)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		return nil, err
	}
	return start(ctx, name, "http", addr, path, systemProgram("nginx"), "-p", dir, "-e", "stderr", "-c", file)
}

// systemProgram is where a program is that is not on everybody's path.
func systemProgram(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	return filepath.Join("/usr/sbin", name)
}

// identity is a certificate and its key, for HTTP/2.
type identity struct{ cert, key string }

// startBare builds and starts the bare server; with an identity, over TLS.
func startBare(ctx context.Context, dir string, id *identity) (*server, error) {
	binary := filepath.Join(dir, "bare")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "./bench/bare").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build ./bench/bare: %w: %s", err, out)
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	command := []string{binary, addr, filepath.Join(dir, "story.gz")}
	if id != nil {
		return start(ctx, "bare", "https", addr, "/", append(command, id.cert, id.key)...)
	}
	return start(ctx, "bare", "http", addr, "/", command...)
}

// startMasthead serves the newsroom in dir; with an identity, over TLS.
func startMasthead(ctx context.Context, binary, dir string, id *identity) (*server, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	scheme, command := "http", []string{binary, "serve", "--dir", dir, "--addr", addr, "--ops-addr", ""}
	if id != nil {
		scheme, command = "https", append(command, "--tls-cert", id.cert, "--tls-key", id.key)
	}
	return start(ctx, "masthead", scheme, addr, "/", append(command, "--url", scheme+"://"+addr)...)
}
