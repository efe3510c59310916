// Package blobtest gives tests a server that speaks S3.
package blobtest

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"masthead/internal/blob"
)

// S3 gives the bucket of a server that speaks S3: the one that MASTHEAD_TEST_S3
// names (its keys in MASTHEAD_TEST_S3_KEY and MASTHEAD_TEST_S3_SECRET, its bucket
// "masthead"), or an s3rver of the test's own, from npm, fetched once into the
// user's cache folder. Where there is none the test is skipped with a message, but
// under CI=true it fails.
func S3(t *testing.T) blob.S3Config {
	t.Helper()
	config := blob.S3Config{Region: "us-east-1", Bucket: "masthead", AccessKey: "S3RVER", SecretKey: "S3RVER", PathStyle: true}
	if config.Endpoint = os.Getenv("MASTHEAD_TEST_S3"); config.Endpoint != "" {
		config.AccessKey, config.SecretKey = os.Getenv("MASTHEAD_TEST_S3_KEY"), os.Getenv("MASTHEAD_TEST_S3_SECRET")
		return config
	}
	absent := t.Skipf
	if os.Getenv("CI") == "true" {
		absent = t.Fatalf
	}
	if testing.Short() {
		t.Skip("-short")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		absent("no S3 server: %v", err)
	}
	dir := filepath.Join(cache, "masthead-test", "s3rver-3.7.1")
	program := filepath.Join(dir, "node_modules", "s3rver", "bin", "s3rver.js")
	if _, err := os.Stat(program); err != nil {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		npm := exec.CommandContext(ctx, "npm", "install", "--ignore-scripts", "--no-save", "--no-audit", "--no-fund", "--prefix", dir, "s3rver@3.7.1")
		npm.Dir = dir
		if out, err := npm.CombinedOutput(); err != nil {
			absent("no S3 server (npm install s3rver: %v: %s): install node and npm, or name a server in MASTHEAD_TEST_S3", err, out)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().(*net.TCPAddr)
	l.Close()
	output, err := os.Create(filepath.Join(t.TempDir(), "s3rver.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	server := exec.Command("node", program, "-d", t.TempDir(), "-a", "127.0.0.1", "-p", portOf(address), "--configure-bucket", "masthead", "--silent")
	server.Stdout, server.Stderr = output, output
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := server.Start(); err != nil {
		absent("no S3 server: %v", err)
	}
	t.Cleanup(func() {
		server.Process.Kill()
		server.Wait()
	})
	for range 100 {
		if c, err := net.Dial("tcp", address.String()); err == nil {
			c.Close()
			config.Endpoint = unchunk(t, address.String())
			return config
		}
		time.Sleep(100 * time.Millisecond)
	}
	out, _ := os.ReadFile(output.Name())
	t.Fatalf("s3rver does not answer: %s", out)
	return config
}

// unchunk gives a proxy to s3rver, which stores signed chunks (Signature
// Version 4, "STREAMING-…") with their frames where S3 takes them off.
func unchunk(t *testing.T, address string) string {
	forward := &httputil.ReverseProxy{ErrorLog: log.New(io.Discard, "", 0), Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: address})
		r.Out.Host = r.In.Host // it is signed
	}}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
			var content bytes.Buffer
			for body := bufio.NewReader(r.Body); ; {
				line, err := body.ReadString('\n') // "5;chunk-signature=…"
				digits, _, _ := strings.Cut(line, ";")
				size, parseErr := strconv.ParseInt(digits, 16, 32)
				if err == nil && parseErr == nil {
					_, err = io.CopyN(&content, body, size)
				}
				if err == nil {
					_, err = body.Discard(len("\r\n"))
				}
				if err := cmp.Or(err, parseErr); err != nil {
					http.Error(w, err.Error(), http.StatusBadRequest)
					return
				}
				if size == 0 {
					break
				}
			}
			io.Copy(io.Discard, r.Body)
			r = r.Clone(r.Context())
			r.Body, r.ContentLength = io.NopCloser(&content), int64(content.Len())
			r.Header.Set("Content-Length", strconv.Itoa(content.Len()))
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	return proxy.URL
}

func portOf(a *net.TCPAddr) string {
	_, port, err := net.SplitHostPort(a.String())
	if err != nil {
		panic(err) // an address always has a port
	}
	return port
}
