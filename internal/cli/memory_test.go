package cli

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

func TestCollectAt(t *testing.T) {
	for live, want := range map[uint64]int{9 << 20: 300, 18 << 20: 100, 24 << 20: 50, 30 << 20: heapPercent, 36 << 20: heapPercent, 400 << 20: heapPercent} {
		if got := collectAt(live); got != want {
			t.Errorf("with %d MB alive: %d %%, want %d", live>>20, got, want)
		}
	}
	if got := collectAt(0); got < 1000 || got > 1<<15 {
		t.Errorf("with nothing alive: %d %%", got)
	}
}

// TestTuneCollector: the pace follows what lives, cycle after cycle.
func TestTuneCollector(t *testing.T) {
	t.Setenv("GOGC", "")
	was := debug.SetGCPercent(100)
	t.Cleanup(func() { debug.SetGCPercent(was) })
	tuneCollector()
	for _, mb := range []int{80, 0, 80} {
		live := make([]byte, mb<<20)
		deadline := time.Now().Add(10 * time.Second)
		for {
			runtime.GC()
			time.Sleep(5 * time.Millisecond) // the finalizer has a goroutine of its own
			now := debug.SetGCPercent(100)
			debug.SetGCPercent(now)
			if (now == heapPercent) == (mb > 0) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("with %d MB alive the collector's percentage is %d", mb, now)
			}
		}
		runtime.KeepAlive(live)
	}
}
