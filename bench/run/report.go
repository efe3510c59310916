package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// report is what is written at the end.
type report struct {
	bench    *bench
	command  string
	date     time.Time
	busy     string // what else the machine did at the start
	archives []archive
}

func newReport(b *bench) *report {
	command := "go run ./bench/run"
	flag.Visit(func(f *flag.Flag) { // those that say what is measured, not where
		if f.Name == "stories" || f.Name == "rounds" || f.Name == "connections" || f.Name == "each" {
			command += " -" + f.Name + " " + f.Value.String()
		}
	})
	load, _ := os.ReadFile("/proc/loadavg")
	return &report{bench: b, date: time.Now().UTC(), busy: strings.Join(strings.Fields(string(load))[:3], " "),
		command: command}
}

func (r *report) write(w io.Writer) {
	fmt.Fprintf(w, "# The benchmark's results\n\n<!-- Written by bench/run. bench/README.md tells how it is measured, and what limits what. -->\n\n")
	fmt.Fprintf(w, "- %s, with `%s`\n- %d cores, %s; Linux %s; %s; load of the machine before: %s\n", r.date.Format("2 January 2006, 15:04 UTC"), r.command,
		runtime.NumCPU(), processor(), output("uname", "-r"), runtime.Version(), r.busy)
	fmt.Fprintf(w, "- servers on core %s, load (wrk, one thread, %d connections kept alive) on core %s; HTTP/1.1 but where HTTP/2 is named (h2load, one request at a time on each connection), gzip; %d rounds (medians told) of %v a line\n",
		serverCore, r.bench.connections, loadCore, r.bench.rounds, r.bench.each)
	fmt.Fprintf(w, "- SQLite in a folder; stories of about 700 words without pictures; the page that nginx and bare Go serve is the open story's, %d bytes compressed\n", r.archives[0].pageSize)
	for _, v := range r.bench.rivals {
		fmt.Fprintf(w, "- beside us %s: %s; %d connections\n", v.name, v.how, min(r.bench.connections, rivalConnections))
	}
	for _, a := range r.archives {
		r.table(w, a)
	}
	if r.bench.lines == nil { // else some of what they need was not measured
		r.targets(w, r.archives[len(r.archives)-1])
	}
}

func (r *report) table(w io.Writer, a archive) {
	fmt.Fprintf(w, "\n## %s stories\n\n", thousands(a.stories))
	fmt.Fprintln(w, "| | KB sent | requests/s | p50 | p99 | CPU s per 1,000 | × bare Go | core used | memory MB |")
	fmt.Fprintln(w, "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, l := range a.lines {
		if l.rate == 0 {
			fmt.Fprintf(w, "| %s | %.1f | none answered | > %s | > %s | | | %.0f %% | %.0f |\n", l.name, float64(l.size)/1000, ms(l.p50), ms(l.p99), 100*l.core, l.memory)
			continue
		}
		fmt.Fprintf(w, "| %s | %.1f | %s | %s | %s | %.4f | %.2f | %.0f %% | %.0f |\n", l.name, float64(l.size)/1000, thousands(int(l.rate)), ms(l.p50), ms(l.p99),
			l.cpu, l.cpu/a.line(l.bare()).cpu, 100*l.core, l.memory)
	}
	fmt.Fprintf(w, "\nStart to the first 200: median %s, longest %s of %d. Memory after it: %.0f MB, after the load: %.0f MB, at most: %.0f MB. ",
		ms(middleOf(a.starts)), ms(slices.Max(a.starts)), len(a.starts), a.fresh, a.memory, a.peak)
	fmt.Fprintf(w, "First byte of a story just published, read by nobody yet: median %s, longest %s of %d. ", ms(middleOf(a.cold)), ms(slices.Max(a.cold)), len(a.cold))
	fmt.Fprintf(w, "Search over one connection: p50 %s, p99 %s.\n", ms(a.search.p50), ms(a.search.p99))
}

func (r *report) targets(w io.Writer, a archive) {
	bare := a.line("bare Go").cpu
	ratio := func(name string) float64 { return a.line(name).cpu / bare }
	fmt.Fprintf(w, "\n## What was to be reached, with %s stories\n\n| | at most | measured | |\n| --- | ---: | ---: | --- |\n", thousands(a.stories))
	row := func(what, most, got string, ok bool) {
		verdict := "reached"
		if !ok {
			verdict = "**missed**"
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", what, most, got, verdict)
	}
	in, out := ratio("story, signed in, on the meter"), ratio("story, anonymous, open")
	row("CPU of a story, signed in, on the meter", "2.0 × bare Go", fmt.Sprintf("%.2f ×", in), in <= 2)
	row("CPU of a story, anonymous, open", "1.6 × bare Go", fmt.Sprintf("%.2f ×", out), out <= 1.6)
	cold, ready := middleOf(a.cold), middleOf(a.starts)
	row("first byte after publishing", "5 ms", ms(cold), cold <= 5*time.Millisecond)
	row("resident memory after the load", "120 MB", fmt.Sprintf("%.0f MB", a.memory), a.memory <= 120)
	row("start to the first 200", "500 ms", ms(ready), ready <= 500*time.Millisecond)
	row("search, p99, one connection", "20 ms", ms(a.search.p99), a.search.p99 <= 20*time.Millisecond)
	crowd := a.line("search")
	most := ms(crowd.p99)
	if crowd.rate == 0 {
		most = "> " + most
	}
	row(fmt.Sprintf("search, p99, %d connections on the one core", r.bench.connections), "20 ms", most, crowd.rate > 0 && crowd.p99 <= 20*time.Millisecond)
}

// bare names the line of the same protocol to compare with.
func (l line) bare() string {
	if strings.HasPrefix(l.name, "HTTP/2") {
		return bareH2
	}
	return "bare Go"
}

func (a archive) line(name string) line {
	for _, l := range a.lines {
		if l.name == name {
			return l
		}
	}
	return line{}
}

func middleOf(all []time.Duration) time.Duration {
	return median(all, func(d time.Duration) time.Duration { return d })
}

func ms(d time.Duration) string {
	switch v := float64(d) / float64(time.Millisecond); {
	case v < 10:
		return fmt.Sprintf("%.2f ms", v)
	case v < 100:
		return fmt.Sprintf("%.1f ms", v)
	default:
		return fmt.Sprintf("%.0f ms", v)
	}
}

// thousands writes 1234567 as 1,234,567.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// processor names the processor.
func processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	defer f.Close()
	name, model := "unknown processor", ""
	for lines := bufio.NewScanner(f); lines.Scan(); {
		key, value, _ := strings.Cut(lines.Text(), ":")
		switch strings.TrimSpace(key) {
		case "model name":
			name = strings.TrimSpace(value)
		case "model":
			model = strings.TrimSpace(value)
		}
	}
	return name + " (model " + model + ")"
}

func output(name string, args ...string) string {
	out, _ := exec.Command(name, args...).Output()
	return strings.TrimSpace(string(out))
}
