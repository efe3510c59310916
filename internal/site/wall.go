package site

import (
	"context"
	"html/template"
	"net/http"

	"masthead/internal/story"
	"masthead/internal/wall"
)

// The reasons for a wall: which plain sentence it shows.
const (
	WallRegister  = "register"  // the story is for registered readers
	WallMeter     = "meter"     // the free stories of this window are read
	WallArchive   = "archive"   // the story has gone into the archive
	WallSubscribe = "subscribe" // a tier is needed
	WallUpgrade   = "upgrade"   // the reader is signed in and has another tier
	WallSpent     = "spent"     // the reader is signed in and has read what his meter opens
	WallClosed    = "closed"    // a password keeps it; only staff may read
)

// Wall is what stands where the free part of a story ends.
type Wall struct {
	Reason   string // one of the Wall constants
	Limit    int    // WallMeter: free stories in a window …
	Days     int    // … of this many days
	Tier     string // WallSubscribe, WallUpgrade: the tier's name
	TierURL  string // where it can be had; may be empty
	Benefits []Benefit
	Register string // address the form posts to: "/register"
	SignIn   string // "/signin?next=…"
	Next     string // path with the paragraph's fragment: "/2026/11/a-slug/#p7"
	Email    string // as typed, when the form comes back
	Problem  string // why it came back, one sentence
}

// NeedsTier reports whether registering alone does not open the story.
func (w Wall) NeedsTier() bool { return w.Reason == WallSubscribe || w.Reason == WallUpgrade }

// NoDoor reports whether nothing that the reader could do here opens the story.
func (w Wall) NoDoor() bool { return w.Reason == WallClosed || w.Reason == WallSpent }

// Benefit is one thing that registering brings, bound to an entitlement.
type Benefit struct {
	Name   string
	Detail string // may be empty
}

// Meter tells how many free stories are read, this one included.
type Meter struct {
	Used, Limit int
	Days        int // length of the window; 30 reads "this month"
	Next        string
}

// Last reports whether this is the last free story.
func (m Meter) Last() bool { return m.Used >= m.Limit }

// wallPanel is what stands where the free part ends. The reader returns to the
// first paragraph that he has not seen.
func (n *Newsroom) wallPanel(r *http.Request, rt *route, d wall.Decision) (*Wall, error) {
	e, next := rt.edition, rt.next
	benefits, err := n.benefits(r.Context(), e.Lang)
	if err != nil {
		return nil, err
	}
	p := &Wall{
		Reason: n.wallReason(r, d), Limit: d.Limit, Days: d.Days, Tier: n.tierName(r.Context(), d.Tier, e.Lang), Benefits: benefits,
		Register: n.at(e.Lang, "/register"), SignIn: n.at(e.Lang, "/signin") + "?next=" + template.URLQueryEscaper(next), Next: next,
	}
	if p.NeedsTier() || p.NoDoor() {
		p.Benefits = nil // they are what registering brings
	}
	return p, nil
}

func (n *Newsroom) benefits(ctx context.Context, lang string) ([]Benefit, error) {
	list, err := n.Engine.offers.Get(ctx, "", func(ctx context.Context) ([]wall.Benefit, []string, int, error) {
		list, err := n.WallStore.Benefits(ctx, n.DB.Read())
		return list, []string{SiteTag}, 128 * len(list), err
	})
	if err != nil {
		return nil, err
	}
	var shown []Benefit
	for _, b := range list {
		shown = append(shown, Benefit{Name: story.Texts(b.Texts).In(lang, n.Config.Language)})
	}
	return shown, nil
}

// tierName gives the name of a tier as readers know it.
func (n *Newsroom) tierName(ctx context.Context, slug, lang string) string {
	tiers, err := n.Readers.Tiers(ctx, n.DB.Read())
	if err == nil {
		for _, t := range tiers {
			if t.Slug == slug {
				return story.Texts(t.Names).In(lang, n.Config.Language)
			}
		}
	}
	if slug == "" || slug == wall.AnyTier {
		return n.Config.In(lang).Title
	}
	return slug
}

// wallReason gives which sentence the wall says to this visitor.
func (n *Newsroom) wallReason(r *http.Request, d wall.Decision) string {
	v := visitorOf(r)
	switch {
	case d.Verdict == wall.Closed:
		return WallClosed
	case d.Verdict == wall.Subscribe && v.reader != nil:
		return WallUpgrade
	case d.Verdict == wall.Subscribe:
		return WallSubscribe
	case d.Verdict == wall.Metered && v.reader != nil:
		return WallSpent
	case d.Verdict == wall.Metered:
		return WallMeter
	case d.Archive:
		return WallArchive
	}
	return WallRegister
}
