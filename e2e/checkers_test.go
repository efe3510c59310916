package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"masthead/internal/needtest"
)

// tools is where npm puts what pages are measured with.
const tools = "tools/browser/node_modules"

func readTool(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(needtest.File(t, path.Join(tools, name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestNuHTMLChecker has the checker of https://validator.github.io read every
// type of page in every language. Its warnings are shown, its errors fail.
func TestNuHTMLChecker(t *testing.T) {
	t.Parallel() // with the other checks, which wait as much as they work
	jar := needtest.File(t, path.Join(tools, "vnu-jar/build/dist/vnu.jar"))
	java := needtest.Program(t, "java")
	folder, files := t.TempDir(), 0
	for _, lang := range []string{"en", "ar", "he", "ru", "fr"} {
		for _, k := range kinds(t, lang) {
			status, _, page := demo.get(t, k.path, k.cookies)
			if status != max(k.status, http.StatusOK) {
				t.Errorf("%s %s: %s answers %d", lang, k.name, k.path, status)
			}
			if err := os.WriteFile(filepath.Join(folder, lang+"-"+k.name+".html"), []byte(page), 0o600); err != nil {
				t.Fatal(err)
			}
			files++
		}
	}
	cmd := exec.Command(java, "-Xss4m", "-jar", jar, "--format", "json", "--exit-zero-always", folder)
	var out bytes.Buffer
	cmd.Stderr = &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("vnu: %v\n%s", err, &out)
	}
	var report struct {
		Messages []struct {
			Type, SubType, URL, Message, Extract string
			LastLine                             int
		}
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatalf("vnu: %v\n%s", err, &out)
	}
	warnings := map[string][]string{}
	for _, m := range report.Messages {
		page := filepath.Base(m.URL)
		if m.Type == "error" || m.Type == "non-document-error" {
			t.Errorf("%s:%d: %s\n%s", page, m.LastLine, m.Message, m.Extract)
		} else if !slices.Contains(warnings[m.Message], page) {
			warnings[m.Message] = append(warnings[m.Message], page)
		}
	}
	for message, pages := range warnings {
		t.Logf("warning on %d pages (%s …): %s", len(pages), pages[0], message)
	}
	t.Logf("%d pages were checked", files)
}

// toMeasure is one page for Lighthouse, and what it made of it.
type toMeasure struct {
	Name       string            `json:"name"`
	URL        string            `json:"url"`
	Headers    map[string]string `json:"headers,omitempty"`
	Skip       []string          `json:"skip,omitempty"`       // audits that this page fails by design
	Categories []string          `json:"categories,omitempty"` // what to measure
	Runs       int               `json:"runs,omitempty"`

	Scores map[string]float64 `json:"scores,omitempty"` // 0 … 100 by category
	Failed []struct {
		ID, Title string
		Details   []string
	} `json:"failed,omitempty"`
	Error string `json:"error,omitempty"`
}

// lighthouse measures pages one after another, in one browser.
func lighthouse(t *testing.T, pages []toMeasure) (measured []toMeasure) {
	t.Helper()
	needtest.File(t, path.Join(tools, "lighthouse/package.json"))
	chromium := needtest.Browser(t)
	input, err := json.Marshal(pages)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "../tools/browser/lighthouse.mjs")
	cmd.Env = append(os.Environ(), "CHROME_PATH="+chromium)
	cmd.Stdin = bytes.NewReader(input)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &measured)
	}
	if err != nil || len(measured) != len(pages) {
		t.Fatalf("lighthouse measured %d of %d pages: %v\n%s", len(measured), len(pages), err, &complaints)
	}
	return measured
}

// TestLighthouse holds every type of page to 100 of 100 for accessibility, best
// practices and findability: each in English, and in Arabic and Hebrew those
// that have words of their own.
func TestLighthouse(t *testing.T) {
	t.Parallel() // with the other checks, which wait as much as they work
	var pages []toMeasure
	for _, lang := range []string{"en", "ar", "he"} {
		for _, k := range kinds(t, lang) {
			repeats := []string{"section-within", "story-reader", "search-nothing", "signin", "code", "confirm", "privacy", "archive-month"}
			if lang != "en" && slices.Contains(repeats, k.name) {
				continue // differs from English in what axe-core has looked at already
			}
			m := toMeasure{Name: lang + " " + k.name, URL: demo.URL + k.path, Categories: []string{"accessibility", "best-practices", "seo"}, Runs: 1}
			if k.cookies != "" {
				m.Headers = map[string]string{"Cookie": k.cookies}
			}
			if k.noIndex {
				m.Skip = append(m.Skip, "is-crawlable") // noindex is what these pages are meant to say
			}
			if k.status >= 400 {
				m.Skip = append(m.Skip, "http-status-code", "errors-in-console") // the status is the page's meaning, and Chromium logs it
			}
			pages = append(pages, m)
		}
	}
	for _, m := range lighthouse(t, pages) {
		if m.Error != "" {
			t.Errorf("%s (%s): %s", m.Name, m.URL, m.Error)
		}
		for _, category := range []string{"accessibility", "best-practices", "seo"} {
			if score, ok := m.Scores[category]; !ok || score < 100 {
				t.Errorf("%s (%s): %s %.0f of 100", m.Name, m.URL, category, score)
			}
		}
		for _, f := range m.Failed {
			t.Errorf("%s: %s: %s\n\t%s", m.Name, f.ID, f.Title, strings.Join(f.Details, "\n\t"))
		}
	}
	t.Logf("%d pages were measured", len(pages))
}

// TestPerformance tells how fast the front page and a story are: the median of
// three measurements on Lighthouse's simulated slow telephone. It is no gate,
// since the figure is the machine's as much as the page's.
func TestPerformance(t *testing.T) {
	needtest.Asked(t, *performanceFlag, "measured by make bench")
	var pages []toMeasure
	for _, k := range kinds(t, "en") {
		if k.name == "front" || k.name == "story-open" {
			pages = append(pages, toMeasure{Name: k.name, URL: demo.URL + k.path, Categories: []string{"performance"}, Runs: 3})
		}
	}
	for _, m := range lighthouse(t, pages) {
		if m.Error != "" {
			t.Errorf("%s: %s", m.Name, m.Error)
		}
		t.Logf("%-12s performance %.0f of 100", m.Name, m.Scores["performance"])
		for _, f := range m.Failed {
			t.Logf("  %s %s", f.Title, fmt.Sprint(f.Details))
		}
	}
}
