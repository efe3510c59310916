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
	WallRegister  = wall.PanelRegister
	WallMeter     = wall.PanelMeter
	WallArchive   = wall.PanelArchive
	WallSubscribe = wall.PanelSubscribe
	WallUpgrade   = wall.PanelUpgrade
	WallSpent     = wall.PanelSpent
	WallClosed    = wall.PanelClosed
)

// Wall is what stands where the free part of a story ends.
type Wall = wall.Panel

// Benefit is one thing that registering brings, bound to an entitlement.
type Benefit = wall.Offer

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
	offer, err := n.offer(r.Context(), d.Arm)
	if err != nil {
		return nil, err
	}
	p := &Wall{
		Reason: n.wallReason(r, d), Limit: d.Limit, Days: d.Days, Tier: n.tierName(r.Context(), d.Tier, e.Lang),
		Register: n.at(e.Lang, "/register"), SignIn: n.at(e.Lang, "/signin") + "?next=" + template.URLQueryEscaper(next), Next: next,
	}
	f := furniture(e.Lang)
	p.Words = offer.Words.In(e.Lang, map[string]string{"n": f.Number(d.Limit), "days": f.Number(d.Days), "tier": p.Tier})
	if !p.NeedsTier() && !p.NoDoor() { // they are what registering brings
		p.Benefits = n.shown(offer.Offers(), e.Lang)
	}
	return p, nil
}

// offer gives what the wall names and says to an arm of a trial.
func (n *Newsroom) offer(ctx context.Context, arm wall.Arm) (wall.Design, error) {
	if t, on := n.Wall.Trial(n.Now()); on && arm == wall.ArmB {
		return t.Design, nil
	}
	return n.Engine.offers.Get(ctx, "", func(ctx context.Context) (wall.Design, []string, int, error) {
		list, err := n.WallStore.Benefits(ctx, n.DB.Read())
		if err != nil {
			return wall.Design{}, nil, 0, err
		}
		words, err := n.WallStore.Words(ctx, n.DB.Read())
		return wall.DesignOf(nil, list, words), []string{SiteTag}, 128*len(list) + 2048*len(words), err
	})
}

// benefits gives what the wall that is live names.
func (n *Newsroom) benefits(ctx context.Context, lang string) ([]Benefit, error) {
	offer, err := n.offer(ctx, wall.NoArm)
	return n.shown(offer.Offers(), lang), err
}

func (n *Newsroom) shown(list []wall.Benefit, lang string) []Benefit {
	var shown []Benefit
	for _, b := range list {
		shown = append(shown, Benefit{Name: story.Texts(b.Texts).In(lang, n.Config.Language)})
	}
	return shown
}

// tierName gives the name of a tier as readers know it.
func (n *Newsroom) tierName(ctx context.Context, slug, lang string) string {
	if slug == "" {
		return n.Config.In(lang).Title
	}
	tiers, err := n.Readers.Tiers(ctx, n.DB.Read())
	if err == nil {
		for _, t := range tiers {
			if t.Slug == slug {
				return story.Texts(t.Names).In(lang, n.Config.Language)
			}
		}
	}
	if slug == wall.AnyTier {
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
