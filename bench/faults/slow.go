package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// slowClients sends headers, and a form, byte by byte, and takes no answer,
// each on 50 connections at once.
func slowClients(ctx context.Context, b *bench) (string, error) {
	s, err := b.started(ctx, 0)
	if err != nil {
		return "", err
	}
	defer s.stop()
	asset, err := s.largest()
	if err != nil {
		return "", err
	}
	const each = 50
	var wg sync.WaitGroup
	var mu sync.Mutex
	longest := map[string]time.Duration{}
	drip := func(kind, head string, drop string, patience time.Duration) {
		defer wg.Done()
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			return
		}
		defer c.Close()
		c.(*net.TCPConn).SetReadBuffer(4 << 10)
		began := time.Now()
		io.WriteString(c, head)
		ended := make(chan struct{})
		if drop != "" {
			go func() { // until the server closes
				io.Copy(io.Discard, c)
				close(ended)
			}()
		}
		for time.Since(began) < patience {
			select {
			case <-ended:
				patience = 0
			case <-ctx.Done():
				return
			case <-time.After(time.Second):
				if drop != "" {
					io.WriteString(c, drop)
				} else if err := peek(c); err != nil {
					patience = 0
				}
			}
		}
		mu.Lock()
		longest[kind] = max(longest[kind], time.Since(began))
		mu.Unlock()
	}
	for range each {
		wg.Add(3)
		go drip("headers", "GET / HTTP/1.1\r\nHost: "+s.addr+"\r\nX-Slow: ", "a", 20*time.Second)
		go drip("form", "POST /signin HTTP/1.1\r\nHost: "+s.addr+"\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nemail=", "a", 80*time.Second)
		// Enough answers that no buffer of the system's holds them.
		go drip("answer", strings.Repeat("GET "+asset+" HTTP/1.1\r\nHost: "+s.addr+"\r\n\r\n", 600), "", 150*time.Second)
	}
	time.Sleep(2 * time.Second)
	_, p99, err := s.latency(200)
	if err != nil {
		return "", err
	}
	wg.Wait()
	seen := fmt.Sprintf("%d of each: cut off after %.0f s (headers), %.0f s (form), %.0f s (answer); others meanwhile: p99 %v", each,
		longest["headers"].Seconds(), longest["form"].Seconds(), longest["answer"].Seconds(), p99.Round(100*time.Microsecond))
	for kind, most := range map[string]time.Duration{"headers": 13 * time.Second, "form": 65 * time.Second, "answer": 130 * time.Second} {
		if longest[kind] > most {
			err = errors.Join(err, fmt.Errorf("%s: not cut off within %v", kind, most))
		}
	}
	if p99 > time.Second {
		err = errors.Join(err, errors.New("others wait"))
	}
	return seen, err
}

// peek tells whether the other end has closed or reset c, without taking what it sent.
func peek(c net.Conn) error {
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		return err
	}
	var fault error
	err = raw.Control(func(fd uintptr) {
		n, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_ERROR)
		if err == nil && n != 0 {
			fault = syscall.Errno(n)
		}
		// TCP_INFO's first byte is the state; 1 is ESTABLISHED (tcp_states.h).
		if info, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_INFO); err == nil && info&0xff != 1 {
			fault = io.EOF
		}
	})
	return errors.Join(err, fault)
}

// largest gives the address of the largest asset that the front page names.
func (s *server) largest() (string, error) {
	_, body, err := s.get("/")
	if err != nil {
		return "", err
	}
	best, size := "", 0
	for _, part := range regexp.MustCompile(`/assets/[^\s"'>]+`).FindAllString(body, -1) {
		if res, body, err := s.get(part); err == nil && res.StatusCode == 200 && len(body) > size {
			best, size = part, len(body)
		}
	}
	if best == "" {
		return "", errors.New("the front page names no asset")
	}
	return best, nil
}

// held opens n connections, asks for the front page on each, and keeps them.
func (s *server) held(n int) (all []net.Conn, err error) {
	for range n {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			return all, err
		}
		all = append(all, c)
		fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: %s\r\nAccept-Encoding: gzip\r\n\r\n", s.addr)
		c.SetReadDeadline(time.Now().Add(20 * time.Second))
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			return all, fmt.Errorf("connection %d: %w", len(all), err)
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != 200 {
			return all, fmt.Errorf("connection %d: %s %w", len(all), res.Status, err)
		}
	}
	return all, nil
}

func closeAll(all []net.Conn) {
	for _, c := range all {
		c.Close()
	}
}

// idleConnections keeps 10,000 connections open, and then opens more.
func idleConnections(ctx context.Context, b *bench) (string, error) {
	n, more := 10_000, 300
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return "", err
	}
	n = min(n, int(files.Cur)-more-500)
	s, err := b.started(ctx, 0, "--connections", fmt.Sprint(n))
	if err != nil {
		return "", err
	}
	defer s.stop()
	if _, _, err := s.latency(50); err != nil {
		return "", err
	}
	before := s.memory()
	held, err := s.held(n)
	defer closeAll(held)
	if err != nil {
		return "", err
	}
	each := (s.memory() - before) / n
	p50, p99, err := s.latency(500)
	if err != nil {
		return "", err
	}
	extra, err := s.held(more)
	defer closeAll(extra)
	if err != nil {
		return "", fmt.Errorf("one more than %d: %w", n, err)
	}
	open, made := s.metric("masthead_connections"), s.metric(`masthead_connections_turned_away_total{how="idle"}`)
	seen := fmt.Sprintf("%d held, %.1f KB each; others meanwhile: p50 %v, p99 %v; %d more: all served, %.0f idle ones closed, %.0f open",
		n, float64(each)/1024, p50.Round(10*time.Microsecond), p99.Round(10*time.Microsecond), more, made, open)
	switch {
	case open > float64(n), made < float64(more):
		return seen, errors.New("more are open than may be")
	case p99 > time.Second:
		return seen, errors.New("others wait")
	case each > 64<<10:
		return seen, errors.New("a connection takes more than 64 KB")
	}
	return seen, nil
}

// fewFiles serves with 300 open files, and opens 400 connections.
func fewFiles(ctx context.Context, b *bench) (string, error) {
	s, err := b.started(ctx, 300)
	if err != nil {
		return "", err
	}
	defer s.stop()
	held, err := s.held(400)
	defer closeAll(held)
	if err != nil {
		return "", err
	}
	_, p99, err := s.latency(100)
	if err != nil {
		return "", err
	}
	told, short := s.log.count("fewer open files"), s.log.count("too many open files")
	seen := fmt.Sprintf("300 files, 400 connections opened: all served, p99 %v, %.0f open; the log tells %d×, of files that lack %d×",
		p99.Round(100*time.Microsecond), s.metric("masthead_connections"), told, short)
	if told != 1 || short != 0 {
		return seen, errors.New("the log tells otherwise")
	}
	return seen, nil
}

// busyConnections keeps every connection that there may be busy.
func busyConnections(ctx context.Context, b *bench) (string, error) {
	s, err := b.started(ctx, 0, "--connections", "16")
	if err != nil {
		return "", err
	}
	defer s.stop()
	var busy []net.Conn
	defer func() { closeAll(busy) }()
	for range 16 {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			return "", err
		}
		busy = append(busy, c)
		fmt.Fprintf(c, "POST /signin HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nemail=", s.addr)
	}
	time.Sleep(500 * time.Millisecond)
	res, body, err := s.get("/")
	if err != nil {
		return "", err
	}
	for range 20 {
		s.get("/")
	}
	told := s.log.count("there is no room for more connections")
	seen := fmt.Sprintf("%s %q, Retry-After %s; the log tells %d×", res.Status, strings.TrimSpace(body), res.Header.Get("Retry-After"), told)
	if res.StatusCode != 503 || told != 1 {
		return seen, errors.New("not refused with a sentence")
	}
	closeAll(busy)
	took, ok := until(5*time.Second, func() bool { res, _, err := s.get("/"); return err == nil && res.StatusCode == 200 })
	if !ok {
		return seen, errors.New("there is no room again")
	}
	return seen + fmt.Sprintf("; 200 again %v after they ended", took.Round(time.Millisecond)), nil
}
