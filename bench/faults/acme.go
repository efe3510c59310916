package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"masthead/bench/cert"
)

// pebble is the ACME server of tests, by the people of Let's Encrypt. It is
// built into the trials' own folder; the program's go.mod does not know it.
const pebble = "github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.1"

// command runs the program to its end.
func (b *bench) command(ctx context.Context, args ...string) error {
	if out, err := exec.CommandContext(ctx, b.binary, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("masthead %s: %w: %s", args[0], err, out)
	}
	return nil
}

// names answers every question for an address with the loopback's, over TCP
// (RFC 7766), as pebble asks.
func names() (addr string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go resolve(c)
		}
	}()
	return l.Addr().String(), func() { l.Close() }, nil
}

// resolve answers the questions of one connection.
func resolve(c net.Conn) {
	defer c.Close()
	for {
		var length uint16
		if binary.Read(c, binary.BigEndian, &length) != nil {
			return
		}
		packet := make([]byte, length)
		var m dnsmessage.Message
		if _, err := io.ReadFull(c, packet); err != nil || m.Unpack(packet) != nil || len(m.Questions) == 0 {
			return
		}
		m.Response, m.Additionals = true, nil
		if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
			m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 1},
				Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}}}
		}
		answer, err := m.Pack()
		if err != nil {
			return
		}
		c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
	}
}

// startPebble starts an ACME server that looks for its challenges at two ports
// of this machine. roots is the file of the authority of its own HTTPS.
func (b *bench) startPebble(ctx context.Context, httpAddr, tlsAddr string) (directory, roots, management string, stop func(), err error) {
	build := exec.CommandContext(ctx, "go", "install", pebble)
	build.Env = append(os.Environ(), "GOBIN="+b.dir, "GOFLAGS=", "CGO_ENABLED=0")
	build.Dir = b.dir // outside of any module
	if out, err := build.CombinedOutput(); err != nil {
		return "", "", "", nil, notTried("go install %s: %s", pebble, out)
	}
	dns, stopNames, err := names()
	if err != nil {
		return "", "", "", nil, err
	}
	addr, err := freeAddr()
	if err != nil {
		return "", "", "", nil, err
	}
	if management, err = freeAddr(); err != nil {
		return "", "", "", nil, err
	}
	dir, err := os.MkdirTemp(b.dir, "pebble-")
	if err != nil {
		return "", "", "", nil, err
	}
	chain, key, err := cert.Write(dir, host)
	if err != nil {
		return "", "", "", nil, err
	}
	port := func(addr string) int {
		a, _ := net.ResolveTCPAddr("tcp", addr)
		return a.Port
	}
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{"listenAddress": addr, "managementListenAddress": management,
		"certificate": chain, "privateKey": key, "httpPort": port(httpAddr), "tlsPort": port(tlsAddr)}})
	if err != nil {
		return "", "", "", nil, err
	}
	file := filepath.Join(dir, "pebble.json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		return "", "", "", nil, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(b.dir, "pebble"), "-config", file, "-dnsserver", dns)
	cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=5")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		return "", "", "", nil, err
	}
	stop = func() { cmd.Process.Kill(); cmd.Wait(); stopNames() }
	if _, ok := until(20*time.Second, func() bool { c, err := net.Dial("tcp", addr); return err == nil && c.Close() == nil }); !ok {
		stop()
		return "", "", "", nil, errors.New("pebble does not answer")
	}
	return "https://" + addr + "/dir", chain, management, stop, nil
}

// certificate serves with certificates by ACME, from a real server of it, by
// both challenges.
func certificate(ctx context.Context, b *bench) (seen string, err error) {
	for _, challenge := range []string{"TLS-ALPN-01", "HTTP-01"} {
		redirect, err := freeAddr()
		if err != nil {
			return seen, err
		}
		dir, err := b.newsroom(b.dir)
		if err != nil {
			return seen, err
		}
		public, err := freeAddr()
		if err != nil {
			return seen, err
		}
		tlsPort := public
		if challenge == "HTTP-01" {
			if tlsPort, err = freeAddr(); err != nil { // nobody is there
				return seen, err
			}
		}
		directory, roots, management, stop, err := b.startPebble(ctx, redirect, tlsPort)
		if err != nil {
			return seen, err
		}
		took, err := b.obtain(ctx, dir, public, redirect, directory, roots, management)
		stop()
		if err != nil {
			return seen, fmt.Errorf("%s: %w", challenge, err)
		}
		seen += fmt.Sprintf("%s: served over HTTP/1.1 and HTTP/2 %.1f s after the start; ", challenge, took.Seconds())
	}
	return seen + "kept with 0600; a restart with the ACME server away uses it", nil
}

func (b *bench) obtain(ctx context.Context, dir, public, redirect, directory, roots, management string) (took time.Duration, err error) {
	os.Setenv("SSL_CERT_FILE", roots)
	defer os.Unsetenv("SSL_CERT_FILE")
	flags := []string{"--url", "https://" + host, "--tls-auto=true", "--acme-directory", directory, "--redirect-addr", redirect, "--addr", public}
	s, err := b.serve(ctx, dir, 0, flags...)
	if err != nil {
		return 0, err
	}
	s.addr = public
	pool, err := pebbleRoots(management)
	if err != nil {
		return 0, errors.Join(err, s.stop())
	}
	began := time.Now()
	if _, ok := until(30*time.Second, func() bool { _, err := s.trusted(pool, false); return err == nil }); !ok {
		_, err := s.trusted(pool, false)
		return 0, errors.Join(fmt.Errorf("no certificate: %w: %s", err, s.log), s.stop())
	}
	took = time.Since(began)
	first, err := s.trusted(pool, true)
	if err != nil {
		return 0, errors.Join(err, s.stop())
	}
	files, err := filepath.Glob(filepath.Join(dir, "certificates", "*"))
	if err != nil || len(files) == 0 {
		return 0, errors.Join(fmt.Errorf("nothing is kept: %w", err), s.stop())
	}
	for _, name := range files {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			return 0, errors.Join(fmt.Errorf("%s: %v %w", name, info.Mode(), err), s.stop())
		}
	}
	if err := s.stop(); err != nil {
		return 0, err
	}
	// Again, with nobody to ask.
	flags[4] = "https://127.0.0.1:1/dir"
	if s, err = b.serve(ctx, dir, 0, flags...); err != nil {
		return 0, err
	}
	defer s.stop()
	s.addr = public
	second, err := s.trusted(pool, false)
	if err == nil && second != first {
		err = errors.New("the certificate was not kept")
	}
	return took, err
}

// trusted asks for the front page as a browser would that trusts the authority,
// and gives the certificate's serial number.
func (s *server) trusted(pool *x509.CertPool, http2 bool) (serial string, err error) {
	var protocols http.Protocols
	protocols.SetHTTP1(!http2)
	protocols.SetHTTP2(http2)
	t := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, Protocols: &protocols,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, s.addr)
		}}
	defer t.CloseIdleConnections()
	res, err := (&http.Client{Transport: t, Timeout: 20 * time.Second}).Get("https://" + host + "/")
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	if res.StatusCode != 200 || (res.ProtoMajor == 2) != http2 || !strings.HasPrefix(res.Header.Get("Strict-Transport-Security"), "max-age") {
		return "", fmt.Errorf("%s %s", res.Proto, res.Status)
	}
	return res.TLS.PeerCertificates[0].SerialNumber.String(), nil
}

// pebbleRoots asks pebble's management for the root that it issues from.
func pebbleRoots(management string) (*x509.CertPool, error) {
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	res, err := client.Get("https://" + management + "/roots/0")
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("pebble tells no root")
	}
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(root)
	return pool, nil
}
