package e2e

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"masthead/internal/app"
	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/story"
)

// newDeskRoom serves a newsroom of one section with three published stories, and
// gives a tab of its owner. settings are lines of its masthead.toml.
func newDeskRoom(t *testing.T, settings ...string) (*newsroom, *tab) {
	t.Helper()
	return newRoomOf(t, settings, piece{"Tide", "It was tide all along."}, piece{"Crane", "It was crane all along."}, piece{"Pilot", "It was pilot all along."})
}

// piece is a story of a room: its headline, and its words in Markdown.
type piece struct{ headline, words string }

// newRoomOf serves a newsroom with these stories, each an hour older than the one
// before, and gives a tab of its owner.
func newRoomOf(t *testing.T, settings []string, pieces ...piece) (*newsroom, *tab) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "room")
	command(t, "init", "--dir", folder)
	if err := os.WriteFile(filepath.Join(folder, "masthead.toml"), []byte(strings.Join(settings, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := publish(t.Context(), folder, pieces); err != nil {
		t.Fatal(err)
	}
	n, err := serve(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.stop)
	b := newTab(t, n)
	b.be(n.colleague(t, "owner@quay.example", "owner", "Noa Lind"))
	b.size(1280, 900)
	return n, b
}

// publish publishes stories in a newsroom that nobody serves.
func publish(ctx context.Context, folder string, pieces []piece) error {
	return within(ctx, folder, func(ctx context.Context, a *app.App, tx *db.Tx) error {
		harbour := story.Section{Slug: "harbour", Names: story.Texts{"en": "Harbour"}}
		if err := a.Stories.SaveSection(ctx, tx, &harbour); err != nil {
			return err
		}
		for i, p := range pieces {
			body, _, err := doc.FromMarkdown(p.words)
			if err != nil {
				return err
			}
			st := story.Story{Kind: story.Report, OriginalLang: "en", SectionID: harbour.ID}
			if err := a.Stories.Save(ctx, tx, &st); err != nil {
				return err
			}
			e := story.Edition{StoryID: st.ID, Lang: "en", Status: story.Draft, Headline: p.headline, Body: body}
			if err := a.Stories.SaveEdition(ctx, tx, &e, "owner@quay.example"); err != nil {
				return err
			}
			if err := a.Stories.Publish(ctx, tx, e.ID, time.Now().Add(-time.Duration(i+1)*time.Hour), "owner@quay.example"); err != nil {
				return err
			}
		}
		return nil
	})
}

// order gives the headlines of the fronts' list, from the top.
func (b *tab) order() string {
	b.t.Helper()
	return eval[string](b, `[...document.querySelectorAll("[data-order] > li")].map(i => i.dataset.name).join(" ")`)
}

// middle gives the middle of an element in the window.
func (b *tab) middle(selector string) (x, y float64) {
	b.t.Helper()
	at := eval[[]float64](b, `(() => { const r = document.querySelector(`+strconv.Quote(selector)+`).getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()`)
	return at[0], at[1]
}

// TestDeskFronts arranges the front page by pointer and by keyboard: what is
// saved is what readers then see.
func TestDeskFronts(t *testing.T) {
	n, b := newDeskRoom(t)
	b.open("/desk/fronts")
	for range 3 {
		b.click("button[name=add]")
	}
	pinned := b.order()
	names := strings.Fields(pinned)
	if len(names) != 3 {
		t.Fatalf("pinned: %s", pinned)
	}
	public := func() string {
		_, _, page := n.get(t, "/", "")
		_, page, _ = strings.Cut(page, "<main")
		seen := slices.Clone(names)
		slices.SortFunc(seen, func(a, b string) int { return strings.Index(page, a) - strings.Index(page, b) })
		return strings.Join(seen, " ")
	}
	save := func(want string) {
		t.Helper()
		if got := b.order(); got != want {
			t.Fatalf("the list is %s, not %s", got, want)
		}
		b.click(".front-form .acts button:not([formmethod])")
		if !strings.HasSuffix(b.path(), "done=front_saved") && b.text(".notice") == "" {
			t.Fatalf("after saving the tab is at %s: %s", b.path(), b.text("main"))
		}
		if got := b.order(); got != want {
			t.Errorf("saved was %s, not %s", got, want)
		}
		if got := public(); got != want {
			t.Errorf("readers see %s, not %s", got, want)
		}
	}
	// Sizes go before the order; of one size, the order alone counts.
	eval[any](b, `document.querySelectorAll("[name=size]").forEach(s => s.value = "second"), null`)
	save(pinned)

	// The last is dragged before the first.
	x, y := b.middle("[data-order] > li:nth-child(3) .grip")
	_, top := b.middle("[data-order] > li:nth-child(1) .grip")
	b.do(chromedp.DragAndDropXY(x, y, x, top-20, 12))
	save(names[2] + " " + names[0] + " " + names[1])

	// By keys: Escape puts back, Space puts down.
	before := b.order()
	eval[any](b, `document.querySelector("[data-order] > li:first-child .grip").focus(), null`)
	b.keys(" ", kb.ArrowDown, kb.ArrowDown, kb.ArrowUp)
	if b.order() == before || b.text("[data-order] + [role=status]") == "" || !b.has("[data-order] > .taken:nth-child(2)") {
		t.Errorf("taken and moved: %s, said %q", b.order(), b.text("[data-order] + [role=status]"))
	}
	b.keys(kb.Escape)
	if got := b.order(); got != before || b.has(".taken") {
		t.Errorf("after Escape the list is %s", got)
	}
	b.keys(" ", kb.ArrowDown, kb.ArrowDown, " ")
	save(pinned)
}

// TestDeskLook writes a colour: the page in the frame follows at once and is not
// loaded anew, and readers see nothing of it.
func TestDeskLook(t *testing.T) {
	n, b := newDeskRoom(t)
	b.open("/desk/site/look")
	const frame = `document.querySelector(".look-preview").contentWindow`
	accent := func() string {
		return eval[string](b, frame+`.getComputedStyle(`+frame+`.document.documentElement).getPropertyValue("--accent").trim()`)
	}
	b.until(frame + `.document.querySelector("h1") !== null && document.querySelector(".look-colours input[type=color]") !== null`)
	if eval[bool](b, `document.querySelector(".look-colours input[type=color]").offsetWidth * 2 > document.querySelector("#c-accent").offsetWidth`) {
		t.Error("the picker covers the field")
	}
	since := eval[float64](b, frame+`.performance.timeOrigin`)
	was := accent()
	b.fill("#c-accent", "#7a1f3d")
	b.until(frame + `.getComputedStyle(` + frame + `.document.documentElement).getPropertyValue("--accent").trim() === "#7a1f3d"`)
	if was == "#7a1f3d" || eval[float64](b, frame+`.performance.timeOrigin`) != since {
		t.Errorf("it was %s, and the frame was loaded anew", was)
	}
	if got := eval[string](b, `document.querySelector("#c-accent + input[type=color]").value`); got != "#7a1f3d" {
		t.Errorf("the picker has %s", got)
	}
	if _, _, page := n.get(t, "/", ""); strings.Contains(page, "7a1f3d") {
		t.Error("readers have it already")
	}
	b.click("form[data-look] .acts button:not([formmethod])")
	b.until(frame + `.document.querySelector("h1") !== null`)
	if got := eval[string](b, `document.querySelector("#c-accent").value`); got != "#7a1f3d" {
		t.Errorf("saved was %q: %s", got, b.text(".problem"))
	}
	reader := newTab(t, n)
	reader.open("/")
	if got := eval[string](reader, `getComputedStyle(document.documentElement).getPropertyValue("--accent").trim()`); got != "#7a1f3d" {
		t.Errorf("readers see %s", got)
	}
}
