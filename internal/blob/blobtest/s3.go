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

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"masthead/internal/blob"
	"masthead/internal/needtest"
)

// S3 gives the empty bucket of a server that speaks S3, and whether nobody reads
// half an object there, as S3 has it. It is the server that MASTHEAD_TEST_S3 names
// (its keys in MASTHEAD_TEST_S3_KEY and MASTHEAD_TEST_S3_SECRET, its bucket
// "masthead"); or a MinIO of the test's own, where minio is on the path; or an
// s3rver of its own, from npm, fetched once into the user's cache folder. Where
// there is none the test is skipped with a message, but under CI=true it fails.
func S3(t *testing.T) (config blob.S3Config, whole bool) {
	t.Helper()
	config = blob.S3Config{Region: "us-east-1", Bucket: "masthead", AccessKey: "masthead", SecretKey: "masthead-secret", PathStyle: true}
	if config.Endpoint = os.Getenv("MASTHEAD_TEST_S3"); config.Endpoint != "" {
		config.AccessKey, config.SecretKey = os.Getenv("MASTHEAD_TEST_S3_KEY"), os.Getenv("MASTHEAD_TEST_S3_SECRET")
		return config, true
	}
	needtest.Slow(t)
	if program, err := exec.LookPath("minio"); err == nil {
		address := start(t, func(host, port string) *exec.Cmd {
			c := exec.Command(program, "server", "--quiet", "--address", host+":"+port, "--console-address", host+":0", t.TempDir())
			c.Env = append(os.Environ(), "MINIO_ROOT_USER="+config.AccessKey, "MINIO_ROOT_PASSWORD="+config.SecretKey)
			return c
		})
		config.Endpoint = "http://" + address
		makeBucket(t, address, config)
		return config, true
	}
	config.AccessKey, config.SecretKey = "S3RVER", "S3RVER"
	program := s3rver(t)
	address := start(t, func(host, port string) *exec.Cmd {
		return exec.Command("node", program, "-d", t.TempDir(), "-a", host, "-p", port, "--configure-bucket", "masthead", "--silent")
	})
	config.Endpoint = unchunk(t, address)
	return config, false
}

// s3rver gives the program's path, and fetches it where it is not there yet.
func s3rver(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		needtest.Missing(t, "no S3 server: %v", err)
	}
	dir := filepath.Join(cache, "masthead-test", "s3rver-3.7.1")
	program := filepath.Join(dir, "node_modules", "s3rver", "bin", "s3rver.js")
	if _, err := os.Stat(program); err == nil {
		return program
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "install", "--ignore-scripts", "--no-save", "--no-audit", "--no-fund", "--prefix", dir, "s3rver@3.7.1")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		needtest.Missing(t, "no S3 server (npm install s3rver: %v: %s): install node and npm, or minio, or name a server in MASTHEAD_TEST_S3", err, out)
	}
	return program
}

// start runs a server at a free address until the test ends.
func start(t *testing.T, command func(host, port string) *exec.Cmd) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	l.Close()
	host, port, _ := net.SplitHostPort(address)
	output, err := os.Create(filepath.Join(t.TempDir(), "s3.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	server := command(host, port)
	server.Stdout, server.Stderr = output, output
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := server.Start(); err != nil {
		needtest.Missing(t, "no S3 server: %v", err)
	}
	t.Cleanup(func() {
		server.Process.Kill()
		server.Wait()
	})
	for range 100 {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return address
		}
		time.Sleep(100 * time.Millisecond)
	}
	out, _ := os.ReadFile(output.Name())
	t.Fatalf("%s does not answer: %s", server.Path, out)
	return ""
}

// makeBucket waits until MinIO is ready, too.
func makeBucket(t *testing.T, address string, config blob.S3Config) {
	t.Helper()
	client, err := minio.New(address, &minio.Options{Creds: credentials.NewStaticV4(config.AccessKey, config.SecretKey, "")})
	for range 100 {
		if err == nil {
			err = client.MakeBucket(t.Context(), config.Bucket, minio.MakeBucketOptions{Region: config.Region})
		}
		if err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal(err)
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
