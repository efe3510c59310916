package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ask gives a raw request with more headers, as it goes over the wire.
func (s *server) ask(path string, headers ...string) []byte {
	return []byte("GET " + path + " HTTP/1.1\r\nHost: " + s.addr + "\r\n" + strings.Join(append(headers, ""), "\r\n") + "\r\n")
}

// status gives the code of a raw answer, "" where there is none.
func status(answer string) string {
	if len(answer) < 12 {
		return ""
	}
	return answer[9:12]
}

func largeHeaders(ctx context.Context, b *bench) (string, error) {
	s, err := b.started(ctx, 0)
	if err != nil {
		return "", err
	}
	defer s.stop()
	before := s.memory()
	one := strings.Repeat("X-Filler: "+strings.Repeat("a", 1000)+"\r\n", 1040)
	var codes []string
	for _, head := range []string{one, "X-Filler: " + strings.Repeat("a", 1<<20) + "\r\n"} {
		answer, closed, err := s.raw(s.ask("/", strings.TrimSuffix(head, "\r\n")), 5*time.Second)
		if err != nil {
			return "", err
		}
		codes = append(codes, status(answer))
		if status(answer) != "431" && answer != "" || !closed {
			return "", fmt.Errorf("answered with %.60q, closed: %t", answer, closed)
		}
	}
	for range 50 {
		s.raw(s.ask("/", strings.TrimSuffix(one, "\r\n")), 5*time.Second)
	}
	res, _, err := s.get("/", "X-Filler", strings.Repeat("a", 100<<10))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s for 1,040 headers, %s for one; 100 KB: %s; 50 times 1 MB took %d MB more memory", codes[0], codes[1], res.Status, (s.memory()-before)>>20), nil
}

func cookies(ctx context.Context, b *bench) (string, error) {
	s, err := b.started(ctx, 0)
	if err != nil {
		return "", err
	}
	defer s.stop()
	var huge, many []string
	for i := range 30 {
		huge = append(huge, fmt.Sprintf("tracker%d=%s", i, strings.Repeat("x", 4000)))
	}
	for i := range 4000 {
		many = append(many, fmt.Sprintf("a%d=b", i))
	}
	res, body, err := s.get("/", "Cookie", strings.Join(huge, "; "))
	if err != nil {
		return "", err
	}
	dropped := 0
	for _, c := range res.Cookies() {
		if c.MaxAge < 0 && c.Path == "/" {
			dropped++
		}
	}
	seen := fmt.Sprintf("120 KB: %s, Clear-Site-Data %s, %d of 30 dropped by name", res.Status, res.Header.Get("Clear-Site-Data"), dropped)
	if res.StatusCode != 431 || res.Header.Get("Clear-Site-Data") != `"cookies"` || dropped != 30 || !strings.Contains(body, "cookies") {
		return seen, errors.New("there is no way out")
	}
	for name, value := range map[string]string{
		"4,000 of them": strings.Join(many, "; "), "60 KB of others": strings.Join(huge[:15], "; "),
		"broken ones of ours": `reader=%%%; pass="; staff=;;=; meter=` + strings.Repeat("A", 3000) + `.x; signin=\; =; `,
	} {
		for _, path := range []string{"/", "/signin"} {
			res, _, err := s.get(path, "Cookie", value)
			if err != nil {
				return seen, err
			}
			if path == "/" {
				seen += fmt.Sprintf("; %s: %d", name, res.StatusCode)
			}
			if res.StatusCode != 200 && res.StatusCode != 308 && res.StatusCode != 301 {
				return seen, fmt.Errorf("%s: %s is %s", name, path, res.Status)
			}
		}
	}
	return seen, nil
}

func longAddress(ctx context.Context, b *bench) (string, error) {
	s, err := b.started(ctx, 0)
	if err != nil {
		return "", err
	}
	defer s.stop()
	var seen []string
	for _, c := range []struct {
		bytes int
		want  string
	}{{7 << 10, "404"}, {9 << 10, "414"}, {200 << 10, "414"}, {1 << 20, "431"}} {
		answer, closed, err := s.raw(s.ask("/"+strings.Repeat("a", c.bytes), "Connection: close"), 5*time.Second)
		if err != nil {
			return "", err
		}
		seen = append(seen, fmt.Sprintf("%d KB: %s", c.bytes>>10, status(answer)))
		if status(answer) != c.want || !closed {
			return strings.Join(seen, ", "), fmt.Errorf("%d KB: want %s and the end", c.bytes>>10, c.want)
		}
	}
	// Questions that no page asks must not fill the memory.
	before := s.memory()
	for i := range 2000 {
		if _, _, err := s.get(fmt.Sprintf("/?%d=%s", i, strings.Repeat("q", 7<<10))); err != nil {
			return "", err
		}
	}
	grown := (s.memory() - before) >> 20
	seen = append(seen, fmt.Sprintf("2,000 different questions of 7 KB: %d MB more memory", grown))
	if grown > 150 {
		return strings.Join(seen, ", "), errors.New("memory grows")
	}
	return strings.Join(seen, ", "), nil
}

// smuggling sends requests whose end two readers may see in two places, each
// with a second request inside that must not be answered.
func smuggling(ctx context.Context, b *bench) (string, error) {
	s, err := b.started(ctx, 0)
	if err != nil {
		return "", err
	}
	defer s.stop()
	inner := "GET /feed.xml HTTP/1.1\r\nHost: " + s.addr + "\r\n\r\n"
	post := func(headers, body string) string {
		return "POST /signin HTTP/1.1\r\nHost: " + s.addr + "\r\n" + headers + "\r\n" + body
	}
	chunked := "5\r\nemail\r\n0\r\n\r\n" + inner
	list := []struct{ name, bytes string }{
		{"length and chunks", post("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"+inner)},
		{"chunks and length", post("Transfer-Encoding: chunked\r\nContent-Length: 400\r\n", chunked)},
		{"two lengths", post("Content-Length: 0\r\nContent-Length: 60\r\n", inner)},
		{"a list of lengths", post("Content-Length: 0, 60\r\n", inner)},
		{"length with a sign", post("Content-Length: +0\r\n", inner)},
		{"chunks, misspelt", post("Transfer-Encoding: xchunked\r\n", chunked)},
		{"chunks, twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", chunked)},
		{"chunks, with a tab", post("Transfer-Encoding:\tchunked\r\n", chunked)},
		{"space before the colon", post("Transfer-Encoding : chunked\r\n", chunked)},
		{"folded line", post("X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", "")},
		{"bare CR", post("X: y\rTransfer-Encoding: chunked\r\nContent-Length: 0\r\n", inner)},
		{"chunk with a bare LF", post("Transfer-Encoding: chunked\r\n", "5\nemail\r\n0\r\n\r\n"+inner)},
		{"negative chunk", post("Transfer-Encoding: chunked\r\n", "-1\r\n\r\n"+inner)},
		{"huge chunk", post("Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\n"+inner)},
		{"HTTP/1.0 in chunks", "POST /signin HTTP/1.0\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n" + chunked},
		{"no host", "GET / HTTP/1.1\r\n\r\n" + inner},
		{"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + inner},
	}
	codes := map[string]int{}
	for _, c := range list {
		answer, closed, err := s.raw([]byte(c.bytes), 3*time.Second)
		if err != nil {
			return "", err
		}
		answers := strings.Count(answer, "HTTP/1.1 ") + strings.Count(answer, "HTTP/1.0 ")
		codes[status(answer)]++
		if c.name == "folded line" { // one request by every reading: the line is part of X
			continue
		}
		if answers > 1 || strings.Contains(answer, "<rss") || !closed {
			return "", fmt.Errorf("%s: %d answers, closed: %t: %.80q", c.name, answers, closed, answer)
		}
	}
	return fmt.Sprintf("%d tries, none smuggled; answers by status: %v", len(list), codes), nil
}
