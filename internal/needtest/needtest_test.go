package needtest

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestPart needs what there is none of; TestMissing runs it in a process of its own.
func TestPart(t *testing.T) {
	part := os.Getenv("NEEDTEST_PART")
	Asked(t, part != "", "TestMissing does")
	switch part {
	case "program":
		Program(t, "no-such-program")
	case "fixture":
		Fixture(t, "no/such/fixture")
	case "file":
		File(t, "no/such/file")
	case "slow":
		Slow(t)
	case "found":
		if Program(t, "no-such-program", "go") == "" || File(t, "go.mod") == "" {
			t.Error("nothing was found")
		}
		return
	}
	t.Error("it goes on without its part")
}

// TestMissing: without its part a test is skipped, and under CI=true it fails.
func TestMissing(t *testing.T) {
	for _, part := range []string{"program", "fixture", "file", "slow", "found"} {
		for ci, want := range map[string]string{"": "--- SKIP", "true": "--- FAIL"} {
			if part == "found" {
				want = "--- PASS"
			}
			c := exec.Command(os.Args[0], "-test.run=^TestPart$", "-test.v", "-test.short")
			c.Env = append(os.Environ(), "NEEDTEST_PART="+part, "CI="+ci)
			out, err := c.CombinedOutput()
			if !strings.Contains(string(out), want) || strings.Contains(string(out), "goes on") || (err != nil) != (want == "--- FAIL") {
				t.Errorf("%s with CI=%q: want %s: %v\n%s", part, ci, want, err, out)
			}
		}
	}
}

// TestWithBrowser: a package of browser tests ends well without a browser only
// where nobody counts on it.
func TestWithBrowser(t *testing.T) {
	ran := func(string) (int, error) { return 0, nil }
	t.Setenv("PATH", "")
	t.Setenv("CI", "")
	if code := WithBrowser(ran); code != 0 {
		t.Errorf("at a desk: %d", code)
	}
	t.Setenv("CI", "true")
	if code := WithBrowser(ran); code == 0 {
		t.Error("under CI=true it ends well")
	}
}
