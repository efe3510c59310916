package archive

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Report tells what an import brought. The numbers are of what the export holds
// and now stands in the newsroom, so a second run gives the same ones.
type Report struct {
	Stories  int    `json:"stories"` // pages and drafts among them
	Editions int    `json:"editions"`
	Authors  int    `json:"authors"`
	Topics   int    `json:"topics"`
	Sections int    `json:"sections"`
	Media    int    `json:"media"`
	Readers  int    `json:"readers"`
	Drafts   int    `json:"drafts"`  // stories that are not published and not scheduled
	Skipped  []Item `json:"skipped"` // items that did not come in; never null

	Pages     int     `json:"pages"` // standing pages, counted in Stories too
	Comments  int     `json:"comments"`
	Redirects int     `json:"redirects"` // old addresses that lead to new ones
	Menus     int     `json:"menus"`
	Tiers     int     `json:"tiers"`
	Changed   []Item  `json:"changed"` // items that came in, but not as they were; never null
	Left      []Item  `json:"left"`    // what the old site had beside its items, and nothing here stands for; never null
	Folded    int     `json:"folded"`  // items of the export that became part of another: links of menus, guest authors, reusable blocks
	DryRun    bool    `json:"dry_run"` // nothing was written
	Seconds   float64 `json:"seconds"`
}

// Item names one thing of the export and what became of it.
type Item struct {
	ID  string `json:"id"` // its source, such as ghost:6b041e49e024494b0aa24826
	Why string `json:"why"`

	// Name is what a person calls it: a slug, a title, an address. It may be empty.
	Name string `json:"-"`
}

func newReport() Report { return Report{Skipped: []Item{}, Changed: []Item{}, Left: []Item{}} }

// WriteText writes the report for people: what came in, then each item that did
// not, or not as it was.
func (r Report) WriteText(w io.Writer) error {
	var b strings.Builder
	verb := "imported"
	if r.DryRun {
		verb = "would import (nothing was written)"
	}
	fmt.Fprintf(&b, "%s: %s\n", verb, strings.Join(r.numbers(), ", "))
	for _, list := range []struct {
		title string
		items []Item
	}{{"skipped", r.Skipped}, {"changed", r.Changed}, {"left behind", r.Left}} {
		if len(list.items) == 0 {
			continue
		}
		fmt.Fprintf(&b, "%s: %d\n", list.title, len(list.items))
		for _, i := range list.items {
			name := ""
			if i.Name != "" {
				name = " (" + i.Name + ")"
			}
			fmt.Fprintf(&b, "  %s%s: %s\n", i.ID, name, i.Why)
		}
	}
	if r.Seconds > 0 && r.Stories > 0 {
		fmt.Fprintf(&b, "%.1f s, %.0f stories a second\n", r.Seconds, float64(r.Stories)/r.Seconds)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r Report) numbers() []string {
	var parts []string
	for _, n := range []struct {
		count     int
		one, many string
	}{
		{r.Stories, "story", "stories"}, {r.Pages, "of them a page", "of them pages"}, {r.Drafts, "of them a draft", "of them drafts"},
		{r.Editions, "edition", "editions"}, {r.Authors, "author", "authors"}, {r.Sections, "section", "sections"},
		{r.Topics, "topic", "topics"}, {r.Media, "picture or file", "pictures and files"}, {r.Readers, "reader", "readers"},
		{r.Tiers, "tier", "tiers"}, {r.Comments, "comment", "comments"}, {r.Menus, "menu", "menus"}, {r.Redirects, "redirect", "redirects"},
	} {
		switch n.count {
		case 0:
		case 1:
			parts = append(parts, "1 "+n.one)
		default:
			parts = append(parts, fmt.Sprintf("%d %s", n.count, n.many))
		}
	}
	if len(parts) == 0 {
		return []string{"nothing"}
	}
	return parts
}

// finish brings the lists into an order that does not depend on the run.
func (r *Report) finish(took time.Duration) {
	r.Seconds = took.Round(time.Millisecond).Seconds()
	for _, list := range []*[]Item{&r.Skipped, &r.Changed, &r.Left} {
		slices.SortStableFunc(*list, func(a, b Item) int { return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Why, b.Why)) })
		*list = slices.Compact(*list)
	}
}
