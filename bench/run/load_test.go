package main

import (
	"bufio"
	"strings"
	"testing"
	"time"
)

func TestCPUTicks(t *testing.T) {
	got, err := cpuTicks("42 (a (b) c) S 1 42 42 0 -1 4194560 100 0 0 0 123 45 0 0 20 0 5 0 100 0 0")
	if err != nil || got != 168 {
		t.Errorf("ticks %d, %v", got, err)
	}
	if _, err := cpuTicks("42 (a) S 1"); err == nil {
		t.Error("a short line was read")
	}
}

func TestParseResult(t *testing.T) {
	n, took, m, err := parseResult("Running 1s test\nRESULT 1000 2000000 120 4500 0\n")
	if err != nil || n != 1000 || took != 2*time.Second || m.p50 != 120*time.Microsecond || m.p99 != 4500*time.Microsecond {
		t.Errorf("%d in %v, %+v, %v", n, took, m, err)
	}
	for _, out := range []string{"", "RESULT 1 2", "RESULT 10 20 30 40 1"} {
		if _, _, _, err := parseResult(out); err == nil {
			t.Errorf("%q was read", out)
		}
	}
}

func TestParseH2Log(t *testing.T) {
	n, p50, p99, err := parseH2Log(bufio.NewScanner(strings.NewReader("1\t200\t30\n2\t200\t10\n3\t200\t20\n")))
	if err != nil || n != 3 || p50 != 20*time.Microsecond || p99 != 30*time.Microsecond {
		t.Errorf("%d, %v, %v, %v", n, p50, p99, err)
	}
	for _, log := range []string{"1\t503\t30\n", "1\t-1\t30\n", "1\t200\n", "1\t200\tx\n"} {
		if _, _, _, err := parseH2Log(bufio.NewScanner(strings.NewReader(log))); err == nil {
			t.Errorf("%q was read", log)
		}
	}
}

func TestMedian(t *testing.T) {
	if got := median([]float64{9, 1, 5}, func(f float64) float64 { return f }); got != 5 {
		t.Errorf("median %v", got)
	}
}

// TestWriter makes a story twice from one seed.
func TestWriter(t *testing.T) {
	text := newWriter(3).paragraphs(17)
	if text != newWriter(3).paragraphs(17) {
		t.Error("one seed gives two stories")
	}
	if n := len(strings.Fields(text)); n < 400 || n > 1200 || !strings.HasSuffix(text, ending(17)) {
		t.Errorf("%d words, ending in %q", n, text[len(text)-60:])
	}
}
