package cli

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// How large the heap may grow before the collector runs: so many bytes, or, once
// more than that lives, this share of what lives on top of it. A small newsroom is
// collected seldom, which makes its pages cheap; a large one takes little more
// than what it has in use. bench/README.md has what either costs.
const (
	heapFloor   = 36 << 20
	heapPercent = 30
)

// tuneCollector sets the collector's pace anew after each of its cycles.
// GOGC in the environment is the operator's word, and is left alone.
func tuneCollector() {
	if os.Getenv("GOGC") != "" {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	type cycle struct{ _ *byte } // the pointer keeps it out of a block shared with others
	var tune func(*cycle)
	tune = func(c *cycle) {
		metrics.Read(live)
		debug.SetGCPercent(collectAt(live[0].Value.Uint64()))
		runtime.SetFinalizer(c, tune) // which comes after the next cycle
	}
	debug.SetGCPercent(collectAt(4 << 20))
	runtime.SetFinalizer(&cycle{}, tune)
}

// collectAt gives the percentage, as GOGC means it, for a heap of which so many
// bytes live.
func collectAt(live uint64) int {
	if live >= heapFloor {
		return heapPercent
	}
	return int(max(heapPercent, min((heapFloor-live)*100/max(live, 1), math.MaxInt16)))
}
